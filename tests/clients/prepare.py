"""Writes the calls of a list of cases out whole, as every client reads them: JSON, one message of Concord each.

    python tests/clients/prepare.py CONCORD tests/clients/cases.yaml target/clients/cases.json
"""

import json
import math
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
AS_OF = "2026-06-01"


def deck(concord, files):
    """The requests of cases of the rules package, by the name of their file."""
    paths = [str(ROOT / "rules" / "cases" / f"{file}.yaml") for file in files]
    command = [concord, "rules", "cases", "--rules", str(ROOT / "rules"), "--format", "json", *paths]
    cases = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["cases"]
    return {Path(case["file"]).stem: {"asOf": case["as_of"], "patient": case["patient"]} for case in cases}


def put(message, path, value):
    """Sets the value at a path such as `patient.diagnoses.1.onset`; `value` may say what comes of the one before."""
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in way:
        message = message[part]
    message[last] = value(message[last]) if callable(value) else value


def request(case, patients):
    """The message of one case."""
    if "deck" in case:
        message = json.loads(json.dumps(patients[case["deck"]]))
    elif "file" in case:
        message = json.loads((ROOT / case["file"]).read_text(encoding="utf-8"))
    else:
        message = case["request"]
    if method(case) == "Evaluate":
        # The server's clock would make every answer another one.
        message.setdefault("asOf", AS_OF)
    for path, value in case.get("set", {}).items():
        put(message, path, value)
    for path, times in case.get("repeat", {}).items():
        put(message, path, lambda only, times=times: only * times)
    for path, size in case.get("pad", {}).items():
        put(message, path, "f" * size)
    return message


def method(case):
    return case.get("method", "Evaluate")


def spelled(value):
    """NaN as protobuf's JSON spells it."""
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, dict):
        return {name: spelled(part) for name, part in value.items()}
    return [spelled(part) for part in value] if isinstance(value, list) else value


def main(concord, source, target):
    cases = yaml.safe_load(Path(source).read_text(encoding="utf-8"))
    names = [case["id"] for case in cases]
    if len(set(names)) != len(names):
        sys.exit("two cases have one id")
    patients = deck(concord, sorted({case["deck"] for case in cases if "deck" in case}))
    written = [
        {
            "id": case["id"],
            "method": method(case),
            "deadlineMs": case.get("deadline", 10_000),
            "requests": case["requests"] if "requests" in case else [request(case, patients)],
        }
        for case in cases
    ]
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    Path(target).write_text(json.dumps(spelled(written), indent=1), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
