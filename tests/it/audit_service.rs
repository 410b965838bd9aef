//! `AuditService` of a running server: what it finds, what it refuses, and that a read is on record before its content
//! is shown.

use std::process::Command;
use std::sync::Arc;

use concord::api::proto::audit_service_client::AuditServiceClient;
use concord::api::proto::feedback_item::{Kind as Part, Reason, Verdict};
use concord::api::proto::list_decisions_request::Outcome;
use concord::api::proto::replay_decision_response::Outcome as Replayed;
use concord::api::proto::{
    DecisionSummary, EvaluateRequest, EvaluateResponse, FeedbackItem, GetCheckpointRequest, GetConsistencyProofRequest,
    GetDecisionRequest, GetInclusionProofRequest, ListDecisionsRequest, RecordFeedbackRequest, ReplayDecisionRequest,
};
use concord::api::recording::{decision_id, part};
use concord::audit::checkpoint::Checkpoint;
use concord::audit::entry::{Draft, Kind, Leaf};
use concord::audit::keys::master_key_file;
use concord::audit::log::{Access, Effect, Log};
use concord::audit::records::Record;
use concord::audit::sqlite::{FILE, Sqlite};
use concord::audit::tree::{is_consistent, leaf_hash, root_from_inclusion};
use concord::note::TrustedKey;
use prost::Message as _;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use crate::audit::records;
use crate::server::{Server, fine, request};

type Client = AuditServiceClient<Channel>;

fn reason(status: &Status) -> String {
    status.get_details_error_info().unwrap().reason
}

fn unnamed() -> EvaluateRequest {
    EvaluateRequest { request_id: String::new(), ..fine() }
}

/// Someone without opioid use disorder.
fn other() -> EvaluateRequest {
    request(
        r#"{"asOf": "2026-06-01", "patient": {"id": "p-2", "ageYears": 28,
            "diagnoses": [{"coding": [{"system": "ICD-10-CM", "code": "F32.1"}]}]}}"#,
    )
}

fn get(answer: &EvaluateResponse) -> GetDecisionRequest {
    GetDecisionRequest {
        decision_id: answer.decision_id.clone(),
        requester: "auditor-7".to_owned(),
        purpose_of_use: "HPAYMT".to_owned(),
    }
}

fn reads(server: &Server) -> Vec<Record> {
    let mut records = records(server);
    let rows = records.store().rows(0, 10_000, 10_000).unwrap();
    let all = rows.into_iter().map(|row| records.open(row).unwrap());
    all.filter(|record| record.leaf.kind == Kind::Read).collect()
}

/// The log, to write to it beside the server.
fn log(server: &Server) -> Log {
    let dir = server.data.path();
    let (master, _) = master_key_file(&dir.join("master.key"), false).unwrap();
    let access = Access { master: Arc::new(master), signing_key: dir.join("signing.key"), origin: None };
    Log::attach(Box::new(Sqlite::open_existing(dir).unwrap()), &access).unwrap()
}

/// Every page of a listing.
async fn listed(client: &mut Client, request: ListDecisionsRequest) -> Vec<DecisionSummary> {
    let (mut found, mut token) = (Vec::new(), String::new());
    loop {
        let page = ListDecisionsRequest { page_token: token, ..request.clone() };
        let page = client.list_decisions(page).await.unwrap().into_inner();
        assert!(request.page_size == 0 || page.decisions.len() <= usize::try_from(request.page_size).unwrap());
        found.extend(page.decisions);
        token = page.next_page_token;
        if token.is_empty() {
            return found;
        }
    }
}

fn ids(found: &[DecisionSummary]) -> Vec<String> {
    found.iter().map(|one| one.entry.as_ref().unwrap().id.clone()).collect()
}

#[tokio::test]
async fn a_decision_is_read_whole_and_the_read_is_on_record_first() {
    let server = Server::start(&["server.deadline_max=1500ms"]);
    let mut client = AuditServiceClient::new(server.channel().await);
    let asked = EvaluateRequest { as_of: String::new(), requester: "dr-7".to_owned(), ..fine() };
    let answer = server.decisions().await.evaluate(asked.clone()).await.unwrap().into_inner();

    let found = client.get_decision(get(&answer)).await.unwrap().into_inner();
    let id = decision_id(&answer.decision_id).unwrap();
    assert_eq!(found.request.unwrap(), EvaluateRequest { as_of: answer.as_of.clone(), ..asked });
    assert!(found.as_of_filled_in && !found.erased && found.feedback.is_empty());
    assert_eq!(
        (found.receipt, found.answer),
        (answer.receipt.clone(), { Some(EvaluateResponse { receipt: None, ..answer.clone() }) })
    );
    assert!(found.rules_fired.is_sorted() && !found.rules_fired.is_empty());
    let entry = found.entry.unwrap();
    assert_eq!((entry.id.as_str(), entry.kind.as_str()), (answer.decision_id.as_str(), "decision"));
    assert_eq!((entry.caller.as_str(), entry.status.as_str()), ("anonymous@127.0.0.1", "OK"));

    let read = reads(&server).pop().unwrap();
    assert_eq!((read.leaf.of, read.leaf.method.as_deref()), (Some(id), Some("concord.v1.AuditService/GetDecision")));
    let sealed = read.content.unwrap();
    assert_eq!(sealed.part(part::REQUEST).unwrap(), get(&answer).encode_to_vec());
    assert!(!String::from_utf8_lossy(&read.row.leaf).contains("auditor-7"));

    // While no record can be written, nothing is shown.
    let before = reads(&server).len();
    let lock = rusqlite::Connection::open(server.data.path().join(FILE)).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let status = client.get_decision(get(&answer)).await.unwrap_err();
    assert!(matches!(status.code(), Code::DeadlineExceeded | Code::Unavailable), "{status:?}");
    lock.execute_batch("ROLLBACK").unwrap();
    drop(lock);
    client.get_decision(get(&answer)).await.unwrap();
    assert!(reads(&server).len() > before);

    // Neither checkpoints nor proofs are content.
    let before = reads(&server).len();
    client.get_checkpoint(GetCheckpointRequest {}).await.unwrap();
    assert_eq!(reads(&server).len(), before);
    let output = Command::new(env!("CARGO_BIN_EXE_concord"))
        .args(["audit", "show", &answer.decision_id, "--set"])
        .arg(format!("audit.dir={}", server.data.path().display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let read = reads(&server).pop().unwrap().leaf;
    assert_eq!((read.of, read.method.as_deref()), (Some(id), Some("concord audit show")));
    assert!(read.caller.unwrap().starts_with("local:"));

    for id in ["word".to_owned(), entry.trace_id.clone() + "x", answer.decision_id.to_uppercase()] {
        let status = client.get_decision(GetDecisionRequest { decision_id: id, ..get(&answer) }).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "ENTRY_NOT_FOUND"));
    }
}

#[tokio::test]
async fn every_filter_finds_what_it_says_page_by_page() {
    let server = Server::start(&[]);
    let mut decisions = server.decisions().await;
    let mut client = AuditServiceClient::new(server.channel().await);
    let mut answers = Vec::new();
    for request in [unnamed(), other(), unnamed(), unnamed()] {
        answers.push(decisions.evaluate(request).await.unwrap().into_inner());
    }
    for _ in 0..2 {
        decisions.evaluate(EvaluateRequest::default()).await.unwrap_err();
    }
    let newest: Vec<String> = answers.iter().rev().map(|answer| answer.decision_id.clone()).collect();
    let none = ListDecisionsRequest::default();
    let found = listed(&mut client, none.clone()).await;
    assert_eq!(ids(&found), newest);
    assert!(found.iter().all(|one| one.rules_fired > 0 && !one.erased && !one.damaged));
    let read = reads(&server).pop().unwrap().leaf;
    assert_eq!((read.of, read.count), (None, Some(4)));
    for page_size in 1..=3 {
        assert_eq!(ids(&listed(&mut client, ListDecisionsRequest { page_size, ..none.clone() }).await), newest);
    }

    let digest = answers[0].ruleset.clone().unwrap().digest;
    let fired = |found: concord::api::proto::GetDecisionResponse| found.rules_fired;
    let here = fired(client.get_decision(get(&answers[0])).await.unwrap().into_inner());
    let there = fired(client.get_decision(get(&answers[1])).await.unwrap().into_inner());
    let rule = here.iter().find(|rule| !there.contains(rule)).unwrap().clone();
    let time = |at: usize| found[at].entry.as_ref().unwrap().time.clone();
    let filter = |change: &dyn Fn(&mut ListDecisionsRequest)| {
        let mut request = ListDecisionsRequest { page_size: 1, ..ListDecisionsRequest::default() };
        change(&mut request);
        request
    };
    let rows: [(ListDecisionsRequest, Vec<usize>); 10] = [
        (filter(&|one| one.caller = "anonymous@127.0.0.1".to_owned()), vec![0, 1, 2, 3]),
        (filter(&|one| one.caller = "anonymous".to_owned()), vec![]),
        (filter(&|one| one.ruleset_digest = format!("sha256:{digest}")), vec![0, 1, 2, 3]),
        (filter(&|one| one.ruleset_digest = "0".repeat(64)), vec![]),
        (filter(&|one| one.rule.clone_from(&rule)), vec![0, 1, 3]),
        (filter(&|one| one.start_time = time(1)), vec![0, 1]),
        (filter(&|one| one.end_time = time(1)), vec![2, 3]),
        (filter(&|one| (one.start_time, one.end_time) = (time(2), time(0))), vec![1, 2]),
        (filter(&|one| one.status = "OK".to_owned()), vec![0, 1, 2, 3]),
        (filter(&|one| (one.start_time, one.rule) = (time(2), rule.clone())), vec![0, 1]),
    ];
    for (request, wanted) in rows {
        let wanted: Vec<String> = wanted.iter().map(|at| newest[*at].clone()).collect();
        assert_eq!(ids(&listed(&mut client, request.clone()).await), wanted, "{request:?}");
    }

    let refused = filter(&|one| one.outcome = Outcome::Refused.into());
    let refusals = listed(&mut client, refused.clone()).await;
    assert_eq!(refusals.len(), 2);
    let entry = refusals[0].entry.as_ref().unwrap();
    assert_eq!((entry.kind.as_str(), entry.reason.as_str()), ("refusal", "INVALID_FIELDS"));
    assert_eq!(entry.fields, ["patient REQUIRED"]);
    let by_status = filter(&|one| one.status = "INVALID_ARGUMENT".to_owned());
    assert_eq!(ids(&listed(&mut client, by_status).await), ids(&refusals));
    assert_eq!(listed(&mut client, filter(&|one| one.outcome = Outcome::All.into())).await.len(), 6);

    // A token is of its filters, and a fault of a request is named and on record.
    let page = client.list_decisions(refused).await.unwrap().into_inner();
    let elsewhere = ListDecisionsRequest { page_token: page.next_page_token, ..ListDecisionsRequest::default() };
    assert_eq!(reason(&client.list_decisions(elsewhere).await.unwrap_err()), "PAGE_TOKEN");
    let faulty = ListDecisionsRequest { start_time: "2023-02-30".to_owned(), ..ListDecisionsRequest::default() };
    assert_eq!(reason(&client.list_decisions(faulty).await.unwrap_err()), "INVALID_FIELDS");
    let last = listed(&mut client, filter(&|one| one.outcome = Outcome::Refused.into())).await;
    assert_eq!(last[0].entry.as_ref().unwrap().fields, ["start_time IMPOSSIBLE_DATE"]);
    assert_eq!(last[0].entry.as_ref().unwrap().method, "concord.v1.AuditService/ListDecisions");
}

fn item(kind: Part, item: &str, verdict: Verdict, reason: Reason) -> FeedbackItem {
    FeedbackItem {
        kind: kind.into(),
        item: item.to_owned(),
        verdict: verdict.into(),
        reason: reason.into(),
        ..FeedbackItem::default()
    }
}

fn faults(status: &Status) -> Vec<String> {
    let fields = status.get_details_bad_request().unwrap().field_violations;
    fields.into_iter().map(|field| format!("{} {}", field.field, field.reason)).collect()
}

#[tokio::test]
async fn feedback_is_on_items_of_the_answer_once_and_goes_with_its_patient() {
    let server = Server::start(&[]);
    let mut client = AuditServiceClient::new(server.channel().await);
    let mut asked = unnamed();
    asked.patient.as_mut().unwrap().id = "p-1".to_owned();
    let answer = server.decisions().await.evaluate(asked).await.unwrap().into_inner();
    let component = answer.recommendations[0].components[0].clone();
    let mut accepted = item(Part::Component, &component.code, Verdict::Accepted, Reason::Unspecified);
    accepted.action = component.action;
    let request_of = |answer: &EvaluateResponse, request: &str, items: Vec<FeedbackItem>| RecordFeedbackRequest {
        request_id: request.to_owned(),
        decision_id: answer.decision_id.clone(),
        requester: "dr-7".to_owned(),
        items,
    };
    let asked_for = answer.data_requests[0].id.clone();
    let mut overridden = item(Part::DataRequest, &asked_for, Verdict::Overridden, Reason::AlreadyDone);
    overridden.comment = "it is in the letter".to_owned();
    let feedback = request_of(&answer, "f-1", vec![accepted.clone(), overridden.clone()]);

    let first = client.record_feedback(feedback.clone()).await.unwrap().into_inner();
    let again = client.record_feedback(feedback.clone()).await.unwrap().into_inner();
    assert_eq!(first.feedback_id, again.feedback_id);
    let (receipt, repeated) = (first.receipt.unwrap(), again.receipt.unwrap());
    assert_eq!((receipt.index, receipt.leaf_hash, receipt.repeated), (repeated.index, repeated.leaf_hash, false));
    assert!(repeated.repeated);
    let others = request_of(&answer, "f-1", vec![accepted.clone()]);
    let status = client.record_feedback(others).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
    // An id is one of the caller's, whatever was asked with it.
    let reused = EvaluateRequest { request_id: "f-1".to_owned(), ..fine() };
    let status = server.decisions().await.evaluate(reused).await.unwrap_err();
    assert_eq!(reason(&status), "REQUEST_ID_REUSED");

    let mut elsewhere = accepted.clone();
    elsewhere.action = concord::api::proto::Action::Increase.into();
    let wrong = vec![
        accepted.clone(),
        elsewhere,
        item(Part::Alert, &component.code, Verdict::Accepted, Reason::Unspecified),
        item(Part::Note, "no-such-note", Verdict::Overridden, Reason::DisagreeWithRule),
    ];
    let status = client.record_feedback(request_of(&answer, "", wrong)).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(
        faults(&status),
        ["items[1].item NOT_IN_ANSWER", "items[2].item NOT_IN_ANSWER", "items[3].item NOT_IN_ANSWER"]
    );
    let unreasoned = vec![item(Part::Alert, "x", Verdict::Overridden, Reason::Unspecified)];
    let status = client.record_feedback(request_of(&answer, "", unreasoned)).await.unwrap_err();
    assert_eq!(faults(&status), ["items[0].reason REQUIRED"]);
    let nowhere = RecordFeedbackRequest { decision_id: first.feedback_id.clone(), ..feedback.clone() };
    assert_eq!(client.record_feedback(nowhere).await.unwrap_err().code(), Code::NotFound);

    let found = client.get_decision(get(&answer)).await.unwrap().into_inner();
    assert_eq!(found.feedback.len(), 1);
    assert_eq!(found.feedback[0].feedback.as_ref(), Some(&feedback));
    assert_eq!(found.feedback[0].entry.as_ref().unwrap().id, first.feedback_id);

    // What erases the patient reaches what was said of the decision.
    let mut log = log(&server);
    let tag = log.vault().subject_tag("p-1");
    let indices = log.store().of_subject(&tag).unwrap();
    let index = answer.receipt.as_ref().unwrap().index;
    assert_eq!(indices, [index, receipt.index]);
    let leaf = Leaf { entries: indices.iter().map(|at| [*at, *at]).collect(), ..Leaf::new(Kind::Erasure) };
    log.append_draft(Draft::clear(leaf), Effect::Erase(indices)).unwrap();
    let found = client.get_decision(get(&answer)).await.unwrap().into_inner();
    assert!(found.erased && found.request.is_none() && found.answer.is_none() && found.rules_fired.is_empty());
    assert_eq!(found.receipt, answer.receipt);
    assert!(found.feedback[0].erased && found.feedback[0].feedback.is_none());
    let status = client.record_feedback(request_of(&answer, "", vec![accepted])).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "DECISION_ERASED"));
    let replay = ReplayDecisionRequest { decision_id: answer.decision_id.clone(), ..ReplayDecisionRequest::default() };
    assert_eq!(client.replay_decision(replay).await.unwrap().into_inner().outcome(), Replayed::Erased);
    let listed = listed(&mut client, ListDecisionsRequest::default()).await;
    assert!(listed[0].erased && listed[0].rules_fired == 0);
}

#[tokio::test]
async fn proofs_hold_and_what_was_pruned_is_not_found() {
    let server = Server::start(&["telemetry.log_filter=info"]);
    let mut decisions = server.decisions().await;
    let mut client = AuditServiceClient::new(server.channel().await);
    let old = client.get_checkpoint(GetCheckpointRequest {}).await.unwrap().into_inner();
    let first = decisions.evaluate(unnamed()).await.unwrap().into_inner();
    let mut last = first.clone();
    for _ in 0..260 {
        last = decisions.evaluate(unnamed()).await.unwrap().into_inner();
    }
    let of = |answer: &EvaluateResponse| GetInclusionProofRequest { decision_id: answer.decision_id.clone(), index: 0 };
    // What is on record is signed.
    let proof = client.get_inclusion_proof(of(&last)).await.unwrap().into_inner();
    let checkpoint = client.get_checkpoint(GetCheckpointRequest {}).await.unwrap().into_inner();
    let keys: Vec<TrustedKey> = checkpoint.public_keys.iter().map(|key| TrustedKey::parse(key).unwrap()).collect();
    let hashes = |hashes: &[Vec<u8>]| hashes.iter().map(|hash| hash.as_slice().try_into().unwrap()).collect::<Vec<_>>();
    let included = |proof: &concord::api::proto::GetInclusionProofResponse| {
        let head = Checkpoint::open(&proof.checkpoint, &keys).unwrap();
        let leaf = leaf_hash(proof.leaf.as_bytes());
        assert_eq!(proof.leaf_hash, leaf);
        assert_eq!(root_from_inclusion(leaf, proof.index, head.size, &hashes(&proof.hashes)), Some(head.root));
    };
    included(&proof);
    assert_eq!(proof.index, last.receipt.as_ref().unwrap().index);
    let by_index = GetInclusionProofRequest { index: 3, decision_id: String::new() };
    included(&client.get_inclusion_proof(by_index).await.unwrap().into_inner());
    let consistency = GetConsistencyProofRequest { old_tree_size: old.tree_size };
    let proof = client.get_consistency_proof(consistency).await.unwrap().into_inner();
    let (before, after) =
        (Checkpoint::open(&old.note, &keys).unwrap(), Checkpoint::open(&proof.checkpoint, &keys).unwrap());
    assert!(is_consistent(before.size, after.size, &before.root, &after.root, &hashes(&proof.hashes)));
    let beyond = GetConsistencyProofRequest { old_tree_size: 1 << 40 };
    let status = client.get_consistency_proof(beyond).await.unwrap_err();
    assert_eq!(faults(&status), ["old_tree_size RANGE"]);
    let nowhere = GetInclusionProofRequest { index: 1 << 40, decision_id: String::new() };
    assert_eq!(client.get_inclusion_proof(nowhere).await.unwrap_err().code(), Code::NotFound);

    let leaf = Leaf { first: Some(256), ..Leaf::new(Kind::Retention) };
    log(&server).append_draft(Draft::clear(leaf), Effect::Prune(256)).unwrap();
    for status in [
        client.get_decision(get(&first)).await.unwrap_err(),
        client.get_inclusion_proof(of(&first)).await.unwrap_err(),
        client.get_inclusion_proof(GetInclusionProofRequest { index: 3, ..of(&first) }).await.unwrap_err(),
    ] {
        assert!(matches!(status.code(), Code::NotFound | Code::InvalidArgument), "{status:?}");
    }
    included(&client.get_inclusion_proof(of(&last)).await.unwrap().into_inner());
    let left = listed(&mut client, ListDecisionsRequest::default()).await;
    let oldest = left.last().unwrap().entry.as_ref().unwrap().index;
    assert_eq!((left[0].entry.as_ref().unwrap().id.clone(), oldest >= 256), (last.decision_id.clone(), true));
    assert!(
        listed(&mut client, ListDecisionsRequest { page_size: 2, ..ListDecisionsRequest::default() }).await == left
    );
    let output = Command::new(env!("CARGO_BIN_EXE_concord"))
        .args(["audit", "replay", "--set"])
        .arg(format!("audit.dir={}", server.data.path().display()))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{0} decisions: {0} identical\n", left.len()));
}

#[tokio::test]
async fn the_record_is_not_served_off_loopback_unless_that_is_asked_for() {
    for (settings, served) in [(&[][..], false), (&["audit.serve_off_loopback=true"][..], true)] {
        let off = ["server.allow_plaintext_off_loopback=true", "auth.allow_anonymous_off_loopback=true"];
        let settings = [&off[..], settings].concat();
        let server = Server::at("0.0.0.0:0", &settings);
        let mut client = AuditServiceClient::new(server.channel().await);
        let outcome = client.get_checkpoint(Request::new(GetCheckpointRequest {})).await;
        assert_eq!(outcome.is_ok(), served);
        if let Err(status) = outcome {
            assert_eq!(status.code(), Code::Unimplemented);
        }
    }
}
