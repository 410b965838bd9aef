"""A client of Concord in Python: deadlines, what may be asked again and when, and why a call was refused.

The stubs are compiled from `proto/` into `target/` at every start, so that they can't be stale; in a project of your own
compile them once, with the same command.
"""

import random
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import google.rpc
import grpc
import grpc_tools
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parents[3]
STUBS = ROOT / "target" / "clients" / "python"


def compile_stubs():
    """Compiles `concord.v1` and puts it on the path."""
    STUBS.mkdir(parents=True, exist_ok=True)
    protos = sorted(str(path.relative_to(ROOT / "proto")) for path in (ROOT / "proto" / "concord").rglob("*.proto"))
    known = [Path(grpc_tools.__file__).parent / "_proto", Path(google.rpc.__path__[0]).parents[1]]
    includes = [f"-I{folder}" for folder in (ROOT / "proto", *known)]
    if protoc.main(["protoc", *includes, f"--python_out={STUBS}", f"--grpc_python_out={STUBS}", *protos]) != 0:
        sys.exit("the stubs could not be compiled")
    sys.path.insert(0, str(STUBS))


compile_stubs()
from concord.v1 import decision_service_pb2, decision_service_pb2_grpc  # noqa: E402

ATTEMPTS = 4
DEADLINE = 10.0


@dataclass
class Refusal:
    """Why a call was refused, of `google.rpc.Status`."""

    code: str
    message: str
    reason: str = ""
    domain: str = ""
    metadata: dict = field(default_factory=dict)
    violations: list = field(default_factory=list)
    retry_after: float | None = None


CODES = {code.value[0]: code.name for code in grpc.StatusCode}


def refusal_of(status):
    """What a `google.rpc.Status` says."""
    found = Refusal(CODES[status.code], status.message)
    for detail in status.details:
        info, request, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            found.reason, found.domain, found.metadata = info.reason, info.domain, dict(info.metadata)
        elif detail.Unpack(request):
            found.violations = [(at.field, at.reason, at.description) for at in request.field_violations]
        elif detail.Unpack(retry):
            found.retry_after = retry.retry_delay.ToTimedelta().total_seconds()
    return found


def refusal(error):
    """What an `RpcError` says. Without details, as where the deadline passed: its code and text."""
    status = rpc_status.from_call(error)
    return refusal_of(status) if status else Refusal(error.code().name, error.details())


def pause(why, attempt):
    """Seconds until a call may be made again; None where that would not help.

    Only the server knows when: gRPC's own retries don't read `RetryInfo`, which is why there are none in the channel.
    A little more than was asked, so that not all callers come back at once.
    """
    if why.retry_after is not None:
        return why.retry_after * random.uniform(1.0, 1.2)
    if why.code == "UNAVAILABLE":
        return 0.1 * 2**attempt * random.uniform(0.5, 1.0)
    return None


def call(method, request, deadline=DEADLINE):
    """The answer of a method of a stub, within the deadline, which holds for all attempts together.

    A request with a `request_id` may be repeated without a second decision on record.
    """
    end = time.monotonic() + deadline
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return method(request, timeout=end - time.monotonic())
        except grpc.RpcError as error:
            wait = pause(refusal(error), attempt)
            if wait is None or attempt == ATTEMPTS or time.monotonic() + wait >= end:
                raise
        time.sleep(wait)


def evaluate(channel, request, deadline=DEADLINE):
    """The answer to one request."""
    return call(decision_service_pb2_grpc.DecisionServiceStub(channel).Evaluate, request, deadline)


def evaluate_all(channel, requests, deadline=DEADLINE):
    """The answers to many requests, in their order. A refused item has a status in its place, and the stream goes on."""
    items = (decision_service_pb2.EvaluateStreamRequest(request=request) for request in requests)
    return decision_service_pb2_grpc.DecisionServiceStub(channel).EvaluateStream(items, timeout=deadline)
