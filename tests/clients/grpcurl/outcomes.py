"""Makes the calls of a list of cases with grpcurl and prints what came of each, a line of JSON a case.

    python tests/clients/grpcurl/outcomes.py 127.0.0.1:50051 target/clients/cases.json

grpcurl shows answers as JSON; they are put back into messages here, so that their bytes can be held against others.
"""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "python"))
from concord_client import refusal_of  # noqa: E402
from google.protobuf import json_format  # noqa: E402
from google.rpc import status_pb2  # noqa: E402
from lines import answered, digest, item, refused  # noqa: E402

from concord.v1 import audit_service_pb2, decision_service_pb2, ruleset_service_pb2  # noqa: E402

ANSWERS = {
    "Evaluate": ("DecisionService", decision_service_pb2.EvaluateResponse),
    "EvaluateStream": ("DecisionService", decision_service_pb2.EvaluateStreamResponse),
    "GetRule": ("RulesetService", ruleset_service_pb2.GetRuleResponse),
    "ListRules": ("RulesetService", ruleset_service_pb2.ListRulesResponse),
    "GetDecision": ("AuditService", audit_service_pb2.GetDecisionResponse),
}


def read(text, message):
    """The messages of a text, one after the other."""
    decoder, found, text = json.JSONDecoder(), [], text.lstrip()
    while text:
        part, length = decoder.raw_decode(text)
        found.append(json_format.ParseDict(part, message()))
        text = text[length:].lstrip()
    return found


def outcome(address, case):
    service, message = ANSWERS[case["method"]]
    streams = case["method"] == "EvaluateStream"
    requests = [{"request": request} if streams else request for request in case["requests"]]
    done = subprocess.run(
        [str(HERE / "concord.sh"), address, f"concord.v1.{service}/{case['method']}", str(case["deadlineMs"] / 1000)],
        input="\n".join(map(json.dumps, requests)), capture_output=True, text=True, check=False,
    )
    if done.returncode:
        (status,) = read(done.stderr, status_pb2.Status)
        return refused(refusal_of(status))
    answers = read(done.stdout, message)
    if streams:
        return {"code": "OK", "items": [item(answer) for answer in answers]}
    (answer,) = answers
    return answered(answer) if case["method"] == "Evaluate" else {"code": "OK", "sha256": digest(answer)}


def main(address, cases):
    for case in json.loads(Path(cases).read_text(encoding="utf-8")):
        print(json.dumps({"id": case["id"]} | outcome(address, case), ensure_ascii=False))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
