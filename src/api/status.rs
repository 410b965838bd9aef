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
//! | as much work as may be | RESOURCE_EXHAUSTED | `RetryInfo` |
//! | another package is being checked | UNAVAILABLE | `RetryInfo` |
//! | the record can't be written, or has to wait too long | UNAVAILABLE | `RetryInfo` |
//! | the id of the request is that of another request | ALREADY_EXISTS | |
//! | no such entry of the record | NOT_FOUND | |
//! | what a decision was is erased | FAILED_PRECONDITION | |
//! | no checkpoint covers an entry yet | UNAVAILABLE | `RetryInfo` |
//! | an entry of the record is not what was written | DATA_LOSS | |
//! | no credentials | UNAUTHENTICATED | |
//! | credentials that do not hold | UNAUTHENTICATED | |
//! | no keys yet to verify a token with | UNAVAILABLE | `RetryInfo` |
//! | the caller may not call the method | PERMISSION_DENIED | |
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

/// When to ask again: a package loads in less.
const RETRY: Duration = Duration::from_secs(1);

/// The status that a unary call ends with.
#[must_use]
pub fn status(refusal: &Refusal) -> Status {
    let (code, reason) = code(refusal);
    let mut details = details(reason);
    match refusal {
        Refusal::Fields(violations) => {
            details.set_bad_request(violations.iter().map(field_violation).collect::<Vec<_>>());
        }
        Refusal::PageToken => {
            details.set_bad_request(vec![FieldViolation {
                field: "page_token".to_owned(),
                description: "was not given for this listing".to_owned(),
                reason: reason.as_str_name().to_owned(),
                localized_message: None,
            }]);
        }
        Refusal::DigestMismatch { active } => {
            let metadata = HashMap::from([("active_digest".to_owned(), active.clone())]);
            details.set_error_info(reason.as_str_name(), DOMAIN, metadata);
        }
        _ if code == Code::Unavailable || *refusal == Refusal::Overloaded => {
            details.set_retry_info(Some(RETRY));
        }
        _ => {}
    }
    Status::with_error_details(code, message(refusal), details)
}

/// The status of an item of a stream.
#[must_use]
pub fn item_status(refusal: &Refusal) -> proto::ItemStatus {
    let (code, reason) = code(refusal);
    let violations = match refusal {
        Refusal::Fields(violations) => violations.as_slice(),
        _ => &[],
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

/// Code and reason.
fn code(refusal: &Refusal) -> (Code, ErrorReason) {
    match refusal {
        Refusal::Fields(_) => (Code::InvalidArgument, ErrorReason::InvalidFields),
        Refusal::PageToken => (Code::InvalidArgument, ErrorReason::PageToken),
        Refusal::NoActiveRuleset => (Code::Unavailable, ErrorReason::NoActiveRuleset),
        Refusal::Draining => (Code::Unavailable, ErrorReason::Draining),
        Refusal::Overloaded => (Code::ResourceExhausted, ErrorReason::Overloaded),
        Refusal::CheckBusy => (Code::Unavailable, ErrorReason::CheckBusy),
        Refusal::NotRecorded => (Code::Unavailable, ErrorReason::AuditUnavailable),
        Refusal::AuditBusy => (Code::Unavailable, ErrorReason::AuditBusy),
        Refusal::RequestIdReused => (Code::AlreadyExists, ErrorReason::RequestIdReused),
        Refusal::DigestMismatch { .. } => (Code::FailedPrecondition, ErrorReason::RulesetDigestMismatch),
        Refusal::RuleNotFound => (Code::NotFound, ErrorReason::RuleNotFound),
        Refusal::EntryNotFound => (Code::NotFound, ErrorReason::EntryNotFound),
        Refusal::DecisionErased => (Code::FailedPrecondition, ErrorReason::DecisionErased),
        Refusal::CheckpointPending => (Code::Unavailable, ErrorReason::CheckpointPending),
        Refusal::RecordDamaged => (Code::DataLoss, ErrorReason::RecordDamaged),
        Refusal::NoCredentials => (Code::Unauthenticated, ErrorReason::CredentialsMissing),
        Refusal::BadCredentials => (Code::Unauthenticated, ErrorReason::CredentialsInvalid),
        Refusal::NoKeys => (Code::Unavailable, ErrorReason::CredentialsUnverifiable),
        Refusal::NotPermitted => (Code::PermissionDenied, ErrorReason::NotPermitted),
        Refusal::Internal => (Code::Internal, ErrorReason::Internal),
    }
}

fn message(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Fields(_) => "the request has fields at fault; the details name them",
        Refusal::PageToken => "the page token was not given for this listing",
        Refusal::NoActiveRuleset => "no rules package is active yet",
        Refusal::DigestMismatch { .. } => "the active rules package is not the one required",
        Refusal::RuleNotFound => "the active package has no such rule",
        Refusal::Draining => "the server is shutting down",
        Refusal::Overloaded => "the server has as much to do as it may; ask again later",
        Refusal::CheckBusy => "another package is being checked",
        Refusal::NotRecorded => "the audit record can't be written, and without it there is no answer",
        Refusal::AuditBusy => "as many audit records wait to be written as may",
        Refusal::RequestIdReused => "a request with this request_id was answered, and its content was another",
        Refusal::EntryNotFound => "the record has no such entry, or it was pruned",
        Refusal::DecisionErased => "what was recorded of the decision was erased",
        Refusal::CheckpointPending => "no checkpoint covers the entry yet",
        Refusal::RecordDamaged => "an entry of the record is not what was written",
        Refusal::NoCredentials => "the call has no credentials",
        Refusal::BadCredentials => "the credentials of the call do not hold",
        Refusal::NoKeys => "credentials can't be verified yet",
        Refusal::NotPermitted => "the caller may not call this method",
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
