use super::*;

fn reason(status: &Status) -> String {
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.domain, DOMAIN);
    info.reason
}

#[test]
fn every_refusal_has_its_code_and_reason() {
    let violation = Violation {
        field: "patient.diagnoses[1].onset".to_owned(),
        reason: ErrorReason::ImpossibleDate,
        description: "is not in the calendar".to_owned(),
    };
    let rows = [
        (Refusal::Fields(vec![violation]), Code::InvalidArgument, "INVALID_FIELDS"),
        (Refusal::PageToken, Code::InvalidArgument, "PAGE_TOKEN"),
        (Refusal::NoActiveRuleset, Code::Unavailable, "NO_ACTIVE_RULESET"),
        (Refusal::Draining, Code::Unavailable, "DRAINING"),
        (Refusal::Overloaded, Code::ResourceExhausted, "OVERLOADED"),
        (Refusal::DigestMismatch { active: "ab".to_owned() }, Code::FailedPrecondition, "RULESET_DIGEST_MISMATCH"),
        (Refusal::RuleNotFound, Code::NotFound, "RULE_NOT_FOUND"),
        (Refusal::RequestIdReused, Code::AlreadyExists, "REQUEST_ID_REUSED"),
        (Refusal::NotRecorded, Code::Unavailable, "AUDIT_UNAVAILABLE"),
        (Refusal::EntryNotFound, Code::NotFound, "ENTRY_NOT_FOUND"),
        (Refusal::DecisionErased, Code::FailedPrecondition, "DECISION_ERASED"),
        (Refusal::CheckpointPending, Code::Unavailable, "CHECKPOINT_PENDING"),
        (Refusal::RecordDamaged, Code::DataLoss, "RECORD_DAMAGED"),
        (Refusal::NoCredentials, Code::Unauthenticated, "CREDENTIALS_MISSING"),
        (Refusal::BadCredentials, Code::Unauthenticated, "CREDENTIALS_INVALID"),
        (Refusal::NoKeys, Code::Unavailable, "CREDENTIALS_UNVERIFIABLE"),
        (Refusal::NotPermitted, Code::PermissionDenied, "NOT_PERMITTED"),
        (Refusal::Internal, Code::Internal, "INTERNAL"),
    ];
    for (refusal, code, name) in rows {
        let status = status(&refusal);
        assert_eq!((status.code(), reason(&status).as_str()), (code, name));
        let again = [Code::Unavailable, Code::ResourceExhausted].contains(&code);
        assert_eq!(status.get_details_retry_info().is_some(), again, "{name}");
        let item = item_status(&refusal);
        assert_eq!((item.code, item.reason.as_str()), (i32::from(code), name));
    }
}

#[test]
fn a_field_violation_has_path_and_reason() {
    let violation = Violation {
        field: "patient.birth_date".to_owned(),
        reason: ErrorReason::Format,
        description: "must be …".to_owned(),
    };
    let status = status(&Refusal::Fields(vec![violation]));
    let sent = status.get_details_bad_request().unwrap().field_violations;
    assert_eq!((sent[0].field.as_str(), sent[0].reason.as_str()), ("patient.birth_date", "FORMAT"));
}

#[test]
fn words_of_the_transport_never_pass() {
    for code in
        [Code::OutOfRange, Code::ResourceExhausted, Code::Internal, Code::Unimplemented, Code::Unknown, Code::NotFound]
    {
        let status = of_transport(Status::new(code, "found SENTINEL"));
        assert!(!status.message().contains("SENTINEL"), "{code:?}");
    }
    assert_eq!(reason(&of_transport(Status::out_of_range("x"))), "MESSAGE_TOO_LARGE");
    let large = of_transport(Status::out_of_range("x"));
    assert_eq!(large.code(), Code::ResourceExhausted);
    assert_eq!(of_transport(large.clone()).details(), large.details());
    assert_eq!(reason(&of_transport(Status::internal("x"))), "MALFORMED_MESSAGE");
}
