//! The one place where a refusal becomes a gRPC status.
//!
//! | refusal | code | details besides `ErrorInfo` |
//! | --- | --- | --- |
//! | fields at fault | INVALID_ARGUMENT | `BadRequest` |
//! | page token | INVALID_ARGUMENT | `BadRequest` |
//! | no package active | UNAVAILABLE | `RetryInfo` |
//! | another package required | FAILED_PRECONDITION | |
//! | no such rule | NOT_FOUND | |
//! | message too large | RESOURCE_EXHAUSTED | `RetryInfo` absent: the same message never fits |
//! | message can't be decoded | INTERNAL, as gRPC says | |
//! | shutting down | UNAVAILABLE | `RetryInfo` |
//! | another package is being checked | UNAVAILABLE | `RetryInfo` |
//! | the record can't be written, or has to wait too long | UNAVAILABLE | `RetryInfo` |
//! | the id of the request is that of another request | ALREADY_EXISTS | |
//! | deadline passed | DEADLINE_EXCEEDED | |
//! | fault of the service | INTERNAL | |
//!
//! Nothing of a status holds a value of the request.

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use super::proto::{self, ErrorReason};
use super::refusal::{Refusal, Violation};

/// Domain of every `ErrorInfo`.
pub const DOMAIN: &str = "concord";

/// When to ask again after UNAVAILABLE: a package loads in less.
const RETRY: Duration = Duration::from_secs(1);

/// The status that a unary call ends with.
#[must_use]
pub fn status(refusal: &Refusal) -> Status {
    match refusal {
        Refusal::Fields(violations) => {
            let mut details = details(ErrorReason::InvalidFields);
            details.set_bad_request(violations.iter().map(field_violation).collect::<Vec<_>>());
            Status::with_error_details(Code::InvalidArgument, message(refusal), details)
        }
        Refusal::PageToken => {
            let mut details = details(ErrorReason::PageToken);
            details.set_bad_request(vec![FieldViolation {
                field: "page_token".to_owned(),
                description: "was not given for the active package".to_owned(),
                reason: ErrorReason::PageToken.as_str_name().to_owned(),
                localized_message: None,
            }]);
            Status::with_error_details(Code::InvalidArgument, message(refusal), details)
        }
        Refusal::NoActiveRuleset => retry(ErrorReason::NoActiveRuleset, message(refusal)),
        Refusal::Draining => retry(ErrorReason::Draining, message(refusal)),
        Refusal::CheckBusy => retry(ErrorReason::CheckBusy, message(refusal)),
        Refusal::NotRecorded => retry(ErrorReason::AuditUnavailable, message(refusal)),
        Refusal::AuditBusy => retry(ErrorReason::AuditBusy, message(refusal)),
        Refusal::RequestIdReused => {
            let details = details(ErrorReason::RequestIdReused);
            Status::with_error_details(Code::AlreadyExists, message(refusal), details)
        }
        Refusal::DigestMismatch { active } => {
            let metadata = HashMap::from([("active_digest".to_owned(), active.clone())]);
            let reason = ErrorReason::RulesetDigestMismatch.as_str_name();
            let details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
            Status::with_error_details(Code::FailedPrecondition, message(refusal), details)
        }
        // Without `ResourceInfo`: its name would be the id as it was sent.
        Refusal::RuleNotFound => {
            Status::with_error_details(Code::NotFound, message(refusal), details(ErrorReason::RuleNotFound))
        }
        Refusal::Internal => {
            Status::with_error_details(Code::Internal, message(refusal), details(ErrorReason::Internal))
        }
    }
}

/// The status of an item of a stream.
#[must_use]
pub fn item_status(refusal: &Refusal) -> proto::ItemStatus {
    let (code, reason, violations) = match refusal {
        Refusal::Fields(violations) => (Code::InvalidArgument, ErrorReason::InvalidFields, violations.as_slice()),
        Refusal::PageToken => (Code::InvalidArgument, ErrorReason::PageToken, [].as_slice()),
        Refusal::NoActiveRuleset => (Code::Unavailable, ErrorReason::NoActiveRuleset, [].as_slice()),
        Refusal::Draining => (Code::Unavailable, ErrorReason::Draining, [].as_slice()),
        Refusal::CheckBusy => (Code::Unavailable, ErrorReason::CheckBusy, [].as_slice()),
        Refusal::NotRecorded => (Code::Unavailable, ErrorReason::AuditUnavailable, [].as_slice()),
        Refusal::AuditBusy => (Code::Unavailable, ErrorReason::AuditBusy, [].as_slice()),
        Refusal::RequestIdReused => (Code::AlreadyExists, ErrorReason::RequestIdReused, [].as_slice()),
        Refusal::DigestMismatch { .. } => (Code::FailedPrecondition, ErrorReason::RulesetDigestMismatch, [].as_slice()),
        Refusal::RuleNotFound => (Code::NotFound, ErrorReason::RuleNotFound, [].as_slice()),
        Refusal::Internal => (Code::Internal, ErrorReason::Internal, [].as_slice()),
    };
    proto::ItemStatus {
        code: code.into(),
        message: message(refusal).to_owned(),
        reason: reason.as_str_name().to_owned(),
        field_violations: violations
            .iter()
            .map(|violation| proto::FieldViolation {
                field: violation.field.clone(),
                description: violation.description.clone(),
                reason: violation.reason.as_str_name().to_owned(),
            })
            .collect(),
    }
}

fn message(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Fields(_) => "the request has fields at fault; the details name them",
        Refusal::PageToken => "the page token was not given for the active package",
        Refusal::NoActiveRuleset => "no rules package is active yet",
        Refusal::DigestMismatch { .. } => "the active rules package is not the one required",
        Refusal::RuleNotFound => "the active package has no such rule",
        Refusal::Draining => "the server is shutting down",
        Refusal::CheckBusy => "another package is being checked",
        Refusal::NotRecorded => "the audit record can't be written, and without it there is no answer",
        Refusal::AuditBusy => "as many audit records wait to be written as may",
        Refusal::RequestIdReused => "a request with this request_id was answered, and its content was another",
        Refusal::Internal => "the service failed",
    }
}

/// The name of a code, as gRPC spells it.
#[must_use]
pub fn code_word(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// A message beyond its limit.
#[must_use]
pub fn message_too_large() -> Status {
    let text = "the message is larger than limits.message_bytes, or limits.ruleset_bytes where a package is checked";
    Status::with_error_details(Code::ResourceExhausted, text, details(ErrorReason::MessageTooLarge))
}

/// The deadline of a call passed.
#[must_use]
pub fn deadline_exceeded() -> Status {
    Status::deadline_exceeded("the deadline passed before the answer was ready")
}

/// A status that the transport made, with constant text: its own quotes what
/// the caller sent. Statuses made here have details and pass as they are.
#[must_use]
pub fn of_transport(status: Status) -> Status {
    if !status.details().is_empty() {
        return status;
    }
    match status.code() {
        Code::OutOfRange | Code::ResourceExhausted => message_too_large(),
        Code::Internal => {
            let details = details(ErrorReason::MalformedMessage);
            Status::with_error_details(Code::Internal, "the message can't be decoded", details)
        }
        Code::Unimplemented => Status::unimplemented("no such method, or a message encoding that is not supported"),
        Code::Unknown => Status::unknown("the call failed"),
        // The reflection service quotes the name that was asked for.
        Code::NotFound => Status::not_found("there is nothing of that name"),
        _ => status,
    }
}

fn retry(reason: ErrorReason, message: &str) -> Status {
    let mut details = details(reason);
    details.set_retry_info(Some(RETRY));
    Status::with_error_details(Code::Unavailable, message, details)
}

fn details(reason: ErrorReason) -> ErrorDetails {
    ErrorDetails::with_error_info(reason.as_str_name(), DOMAIN, HashMap::new())
}

fn field_violation(violation: &Violation) -> FieldViolation {
    FieldViolation {
        field: violation.field.clone(),
        description: violation.description.clone(),
        reason: violation.reason.as_str_name().to_owned(),
        localized_message: None,
    }
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
