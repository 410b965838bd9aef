"""A server that fails first, and then passes the call on to the one behind it: what a client in trouble meets.

    python tests/clients/faults.py 127.0.0.1:50051

Prints its own address. The `request_id` of a call says how it fails:

    busy-twice   UNAVAILABLE with RetryInfo, twice
    shed-once    RESOURCE_EXHAUSTED with RetryInfo, once
    bare-twice   UNAVAILABLE without details, as a proxy gives it, twice
    busy-always  UNAVAILABLE with RetryInfo; the details count the attempts
    busy-long    the same, with a delay beyond any deadline
    slow         no answer

A call that comes before the delay of its RetryInfo is over is refused for good. Attempts are counted from the start, so
that each client needs a server of its own.
"""

import math
import sys
import threading
import time
from concurrent import futures
from pathlib import Path

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))
import concord_client  # noqa: E402, F401  (compiles the stubs)
from concord.v1 import decision_service_pb2  # noqa: E402

EVALUATE = "/concord.v1.DecisionService/Evaluate"
# Code, reason, delay in seconds, attempts that fail.
FAULTS = {
    "busy-twice": (code_pb2.UNAVAILABLE, "AUDIT_BUSY", 0.2, 2),
    "shed-once": (code_pb2.RESOURCE_EXHAUSTED, "OVERLOADED", 0.2, 1),
    "bare-twice": (code_pb2.UNAVAILABLE, "", None, 2),
    "busy-always": (code_pb2.UNAVAILABLE, "AUDIT_BUSY", 0.1, math.inf),
    "busy-long": (code_pb2.UNAVAILABLE, "AUDIT_BUSY", 60.0, math.inf),
}


def packed(message):
    detail = any_pb2.Any()
    detail.Pack(message)
    return detail


def status(code, reason, delay, attempts):
    details = []
    if reason:
        info = error_details_pb2.ErrorInfo(reason=reason, domain="concord", metadata={"attempts": str(attempts)})
        details.append(packed(info))
    if delay is not None:
        whole = duration_pb2.Duration()
        whole.FromNanoseconds(int(delay * 1e9))
        details.append(packed(error_details_pb2.RetryInfo(retry_delay=whole)))
    return rpc_status.to_status(status_pb2.Status(code=code, message="not now", details=details))


class Faults(grpc.GenericRpcHandler):
    def __init__(self, upstream):
        self.upstream = grpc.insecure_channel(upstream).unary_unary(EVALUATE)
        self.attempts = {}
        self.lock = threading.Lock()

    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(self.evaluate) if details.method == EVALUATE else None

    def evaluate(self, message, context):
        name = decision_service_pb2.EvaluateRequest.FromString(message).request_id
        if name == "slow":
            gone = threading.Event()
            context.add_callback(gone.set)
            gone.wait(30)
            context.abort(grpc.StatusCode.CANCELLED, "the caller left")
        if name in FAULTS:
            self.fail(name, context)
        try:
            return self.upstream(message, timeout=10)
        except grpc.RpcError as error:
            context.set_trailing_metadata(error.trailing_metadata())
            context.abort(error.code(), error.details())

    def fail(self, name, context):
        """Ends the call, unless it failed often enough."""
        code, reason, delay, most = FAULTS[name]
        now = time.monotonic()
        with self.lock:
            count, not_before = self.attempts.get(name, (0, 0.0))
            count += 1
            self.attempts[name] = (count, now + (delay or 0.0))
        if now < not_before:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "asked again before RetryInfo allows it")
        if count <= most:
            context.abort_with_status(status(code, reason, delay, count))


def main(upstream):
    server = grpc.server(futures.ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers([Faults(upstream)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"127.0.0.1:{port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
