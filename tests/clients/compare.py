"""Holds what the clients got against the cases, and against each other.

    python tests/clients/compare.py tests/clients/cases.yaml target/clients/cases python go java node rust grpcurl

Each client's lines are in `FOLDER.CLIENT.jsonl`.
"""

import json
import sys
from pathlib import Path

import yaml


def faults(case, got):
    """In words, what of an outcome is not as the case says."""
    code, reason = ("OK", None) if case["expect"] == "OK" else case["expect"]
    wanted = {"code": code, "reason": reason}
    if "scope" in case:
        wanted["scope"] = case["scope"]
    if "retry" in case:
        wanted["retryAfterMs"] = case["retry"]
    if "metadata" in case:
        wanted["metadata"] = case["metadata"]
    if "fields" in case:
        got = got | {"fields": {violation[0]: violation[1] for violation in got.get("violations", [])}}
        wanted["fields"] = case["fields"]
    wrong = [f"{key} is {got.get(key)!r}, not {value!r}" for key, value in wanted.items() if got.get(key) != value]
    missing = [alert for alert in case.get("alerts", []) if alert not in got.get("alerts", [])]
    return wrong + [f"no alert {alert}" for alert in missing]


def main(source, prefix, *clients):
    cases = {case["id"]: case for case in yaml.safe_load(Path(source).read_text(encoding="utf-8"))}
    outcomes = {}
    for client in clients:
        lines = Path(f"{prefix}.{client}.jsonl").read_text(encoding="utf-8").splitlines()
        outcomes[client] = {outcome.pop("id"): outcome for outcome in map(json.loads, lines)}
    wrong = 0
    for name, case in cases.items():
        said = [f"{client}: nothing" for client in clients if name not in outcomes[client]]
        got = {client: outcomes[client][name] for client in clients if name in outcomes[client]}
        said += [f"{client}: {fault}" for client in got for fault in faults(case, got[client])]
        if len({json.dumps(outcome, sort_keys=True) for outcome in got.values()}) > 1:
            said += [f"{client}: {json.dumps(outcome, ensure_ascii=False)}" for client, outcome in got.items()]
        wrong += bool(said)
        for line in said:
            print(f"{name}: {line}")
    kinds = sum(case["expect"] == "OK" for case in cases.values())
    print(f"{len(cases)} cases ({kinds} answered, {len(cases) - kinds} refused), {len(clients)} clients: {wrong} differ")
    return 1 if wrong or not cases or not clients else 0


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
