"""Makes the calls of a list of cases and prints what came of each, a line of JSON a case.

    python tests/clients/python/outcomes.py 127.0.0.1:50051 target/clients/cases.json
"""

import json
import sys
from pathlib import Path

import grpc
from concord_client import call, evaluate, evaluate_all, refusal
from google.protobuf import json_format
from lines import answered, digest, item, refused

from concord.v1 import audit_service_pb2, audit_service_pb2_grpc, decision_service_pb2
from concord.v1 import ruleset_service_pb2, ruleset_service_pb2_grpc


def outcome(channel, case):
    deadline, requests = case["deadlineMs"] / 1000, case["requests"]

    def read(message, index=0):
        return json_format.ParseDict(requests[index], message)

    rules = ruleset_service_pb2_grpc.RulesetServiceStub(channel)
    audit = audit_service_pb2_grpc.AuditServiceStub(channel)
    try:
        match case["method"]:
            case "Evaluate":
                return answered(evaluate(channel, read(decision_service_pb2.EvaluateRequest()), deadline))
            case "EvaluateStream":
                all_of = [read(decision_service_pb2.EvaluateRequest(), index) for index in range(len(requests))]
                return {"code": "OK", "items": [item(answer) for answer in evaluate_all(channel, all_of, deadline)]}
            case "GetRule":
                answer = call(rules.GetRule, read(ruleset_service_pb2.GetRuleRequest()), deadline)
            case "ListRules":
                answer = call(rules.ListRules, read(ruleset_service_pb2.ListRulesRequest()), deadline)
            case "GetDecision":
                answer = call(audit.GetDecision, read(audit_service_pb2.GetDecisionRequest()), deadline)
            case method:
                sys.exit(f"no such method: {method}")
        return {"code": "OK", "sha256": digest(answer)}
    except grpc.RpcError as error:
        return refused(refusal(error))


def main(address, cases):
    with grpc.insecure_channel(address) as channel:
        for case in json.loads(Path(cases).read_text(encoding="utf-8")):
            print(json.dumps({"id": case["id"]} | outcome(channel, case), ensure_ascii=False))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
