"""What came of a call as a line of JSON, the same from every client."""

import hashlib

from concord_client import CODES, Refusal

from concord.v1 import decision_pb2


def digest(message):
    return hashlib.sha256(message.SerializeToString(deterministic=True)).hexdigest()


def answered(answer):
    """An answer: what stands in it, and the digest of its canonical bytes."""
    outcome = {
        "code": "OK",
        "scope": decision_pb2.Scope.Name(answer.scope),
        "alerts": [alert.id for alert in answer.alerts],
        # With an id of the caller's, the decision is the same whoever asks.
        "decision": answer.decision_id if answer.request_id else "",
    }
    for field in ("decision_id", "receipt", "engine_version"):
        answer.ClearField(field)
    return outcome | {"sha256": digest(answer)}


def refused(why):
    return {
        "code": why.code,
        # A text without details is the library's own.
        "message": why.message if why.reason else "",
        "reason": why.reason,
        "domain": why.domain,
        "metadata": why.metadata,
        "violations": [list(violation) for violation in why.violations],
        "retryAfterMs": None if why.retry_after is None else round(why.retry_after * 1000),
    }


def item(answer):
    """An item of a stream."""
    if answer.WhichOneof("outcome") == "response":
        return {"requestId": answer.request_id} | answered(answer.response)
    status = answer.status
    violations = [(at.field, at.reason, at.description) for at in status.field_violations]
    why = Refusal(CODES[status.code], status.message, status.reason, violations=violations)
    return {"requestId": answer.request_id} | refused(why)
