//! What a running server writes to its audit log: one entry for each decision, refusal, failure and activation, and
//! that before it answers.

use std::sync::Arc;
use std::time::Duration;

use concord::api::json;
use concord::api::proto::{EvaluateRequest, EvaluateResponse, EvaluateStreamRequest, receipt};
use concord::api::recording::{decision_id, part, recorded_decision};
use concord::audit::entry::{Kind, Leaf};
use concord::audit::keys::master_key_file;
use concord::audit::log;
use concord::audit::records::{Record, Records};
use concord::audit::sqlite::Sqlite;
use concord::audit::store::{Archived, Store};
use concord::audit::tree::leaf_hash;
use concord::note::hex;
use concord::ruleset::{Ruleset, archive};
use prost::Message as _;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::server::{Server, fine};

/// The log of a server, read beside it.
pub fn records(server: &Server) -> Records {
    let dir = server.data.path();
    let mut store: Box<dyn Store> = Box::new(Sqlite::open_existing(dir).unwrap());
    let (master, _) = master_key_file(&dir.join("master.key"), false).unwrap();
    let vault = log::vault(store.as_mut(), Arc::new(master)).unwrap();
    Records::new(store, vault)
}

fn all(records: &mut Records) -> Vec<Record> {
    let rows = records.store().rows(0, 10_000, 10_000).unwrap();
    rows.into_iter().map(|row| records.open(row).unwrap()).collect()
}

fn of_kind(records: &mut Records, kind: Kind) -> Vec<Leaf> {
    all(records).into_iter().map(|record| record.leaf).filter(|leaf| leaf.kind == kind).collect()
}

#[tokio::test]
async fn an_answer_has_its_record_with_all_that_made_it() {
    let server = Server::start(&[]);
    let mut client = server.decisions().await;
    let asked = EvaluateRequest { as_of: String::new(), requester: "clinician-8d41f6".to_owned(), ..fine() };
    let mut call = tonic::Request::new(asked.clone());
    let trace = "0af7651916cd43dd8448eb211c80319c";
    call.metadata_mut().insert("traceparent", format!("00-{trace}-b7ad6b7169203331-01").parse().unwrap());
    let answer = client.evaluate(call).await.unwrap().into_inner();
    let receipt = answer.receipt.clone().unwrap();
    assert_eq!((receipt.audit(), receipt.repeated), (receipt::Audit::Recorded, false));

    let mut records = records(&server);
    let id = decision_id(&answer.decision_id).unwrap();
    let record = records.by_id(&id).unwrap().unwrap();
    assert_eq!((record.row.index, hex(&leaf_hash(&record.row.leaf))), (receipt.index, receipt.leaf_hash));
    assert_eq!(log::origin(records.store()).unwrap(), Some(receipt.log));
    let leaf = &record.leaf;
    let ruleset = answer.ruleset.clone().unwrap();
    assert_eq!(leaf.caller.as_deref(), Some("anonymous@127.0.0.1"));
    assert_eq!(leaf.method.as_deref(), Some("concord.v1.DecisionService/Evaluate"));
    assert_eq!((leaf.trace.as_deref(), leaf.status.as_deref()), (Some(trace), Some("OK")));
    assert_eq!((leaf.ruleset.as_deref(), leaf.semantics), (Some(ruleset.digest.as_str()), Some(Ruleset::semantics())));
    assert!(leaf.received.as_ref().unwrap() <= &leaf.at);

    let (request, terms, said) = recorded_decision(&record).unwrap();
    assert_eq!(request, EvaluateRequest { as_of: answer.as_of.clone(), ..asked });
    assert_eq!((terms.purpose_of_use.as_str(), terms.as_of_filled_in), ("TREAT", true));
    assert_eq!(said, EvaluateResponse { receipt: None, ..answer });
    let rules = String::from_utf8(record.content.as_ref().unwrap().part(part::RULES).unwrap().to_vec()).unwrap();
    let rules: Vec<&str> = rules.lines().collect();
    assert!(rules.is_sorted() && rules.len() > 5, "{rules:?}");
    let rule = &said.recommendations[0].components[0].rationale[0].rationale.as_ref().unwrap().rule;
    assert!(rules.contains(&rule.as_str()), "{rule} of {rules:?}");

    // What is in the file says nothing of the patient.
    let file = std::fs::read(server.data.path().join("audit.db")).unwrap();
    let wal = std::fs::read(server.data.path().join("audit.db-wal")).unwrap();
    let text = "clinician-8d41f6";
    assert!(![&file, &wal].iter().any(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes())));

    // The package is archived by its digest, and gives the same answers.
    let digest: Vec<u8> =
        (0..32).map(|at| u8::from_str_radix(&ruleset.digest[2 * at..2 * at + 2], 16).unwrap()).collect();
    let bytes = records.store().archived(Archived::Package, &digest.try_into().unwrap()).unwrap().unwrap();
    assert_eq!(archive::load(&bytes).unwrap().digest(), ruleset.digest);
    let active = of_kind(&mut records, Kind::Ruleset);
    assert_eq!(active.iter().map(|leaf| leaf.ruleset.clone().unwrap()).collect::<Vec<_>>(), [ruleset.digest]);
}

#[tokio::test]
async fn a_request_that_is_repeated_gets_its_decision_and_no_second_record() {
    let server = Server::start(&[]);
    let mut client = server.decisions().await;
    for request in [fine(), EvaluateRequest { request_id: "r-2".to_owned(), as_of: String::new(), ..fine() }] {
        let first = client.evaluate(request.clone()).await.unwrap().into_inner();
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        let again = client.evaluate(request.clone()).await.unwrap().into_inner();
        let receipt = again.receipt.clone().unwrap();
        assert!(receipt.repeated);
        let once = concord::api::proto::Receipt { repeated: false, ..receipt };
        assert_eq!(EvaluateResponse { receipt: Some(once), ..again }, first);
        let mut others = [request.clone(), request.clone(), request];
        others[0].explain = 3;
        others[1].patient.as_mut().unwrap().age_years = Some(29);
        others[2].as_of = if others[2].as_of.is_empty() { first.as_of } else { String::new() };
        for other in others {
            let refused = client.evaluate(other).await.unwrap_err();
            assert_eq!(refused.code(), Code::AlreadyExists);
            assert_eq!(refused.get_details_error_info().unwrap().reason, "REQUEST_ID_REUSED");
        }
    }
    let mut records = records(&server);
    assert_eq!(of_kind(&mut records, Kind::Decision).len(), 2);
    assert_eq!(of_kind(&mut records, Kind::Refusal).len(), 6);
}

#[tokio::test]
async fn whatever_is_refused_or_fails_is_recorded_with_its_reason_and_no_value() {
    let server = Server::start(&["server.deadline_max=2s"]);
    let mut client = server.decisions().await;
    let ill: EvaluateRequest =
        json::from_str(r#"{"requestId": "SENTINEL é", "patient": {"birthDate": "SENTINEL"}}"#).unwrap();
    client.evaluate(ill.clone()).await.unwrap_err();
    let large = EvaluateRequest { request_id: "SENTINEL".repeat(40_000), ..fine() };
    client.evaluate(large).await.unwrap_err();
    let items = [fine(), ill].map(|request| EvaluateStreamRequest { request: Some(request) });
    let items = [items.to_vec(), vec![EvaluateStreamRequest { request: None }]].concat();
    let mut answers = client.evaluate_stream(tokio_stream::iter(items)).await.unwrap().into_inner();
    while answers.message().await.unwrap().is_some() {}

    let mut records = records(&server);
    let refusals = of_kind(&mut records, Kind::Refusal);
    let told: Vec<_> = refusals
        .iter()
        .map(|leaf| (leaf.status.as_deref().unwrap(), leaf.reason.as_deref().unwrap(), leaf.fields.len()))
        .collect();
    assert_eq!(
        told,
        [
            ("INVALID_ARGUMENT", "INVALID_FIELDS", 2),
            ("RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE", 0),
            ("INVALID_ARGUMENT", "INVALID_FIELDS", 2),
            ("INVALID_ARGUMENT", "INVALID_FIELDS", 1)
        ]
    );
    assert_eq!(refusals[0].fields, ["request_id FORMAT", "patient.birth_date FORMAT"]);
    let decisions = of_kind(&mut records, Kind::Decision);
    assert_eq!(decisions.len(), 1);
    assert_eq!(decisions[0].method.as_deref(), Some("concord.v1.DecisionService/EvaluateStream"));
    assert!(all(&mut records).iter().all(|record| !String::from_utf8_lossy(&record.row.leaf).contains("SENTINEL")));
}

#[tokio::test]
async fn a_caller_that_leaves_does_not_take_its_record_along() {
    let server = Server::start(&[]);
    let client = server.decisions().await;
    for at in 0..40_u64 {
        let mut client = client.clone();
        let request = EvaluateRequest { request_id: format!("left-{at}"), ..fine() };
        let call = tokio::spawn(async move { client.evaluate(request).await });
        tokio::time::sleep(Duration::from_micros(400 * (at % 20))).await;
        call.abort();
    }
    // Each that was begun comes to its end, and what was begun is evaluated.
    let mut records = records(&server);
    let mut before = usize::MAX;
    let decisions = loop {
        let decisions = of_kind(&mut records, Kind::Decision);
        if decisions.len() == before {
            break decisions;
        }
        before = decisions.len();
        tokio::time::sleep(Duration::from_millis(300)).await;
    };
    let log = server.log.lock().unwrap().clone();
    // Health was asked too, the more often the longer the start took.
    let evaluated = log.matches("\"method\":\"concord.v1.DecisionService/Evaluate\",\"status\":\"OK\"").count();
    assert!(decisions.len() >= evaluated.saturating_sub(1) && !decisions.is_empty(), "{} {evaluated}", decisions.len());
}

#[tokio::test]
async fn without_a_log_every_answer_says_so() {
    let server = Server::start(&["audit.store=none"]);
    let answer = server.decisions().await.evaluate(fine()).await.unwrap().into_inner();
    assert_eq!(answer.receipt.unwrap().audit(), receipt::Audit::None);
    assert!(!server.data.path().join("audit.db").exists());
}

#[tokio::test]
async fn a_log_is_closed_with_a_checkpoint_of_all_of_it_and_goes_on() {
    let mut server = Server::start(&["server.drain_lead=0s"]);
    let answer = server.decisions().await.evaluate(fine()).await.unwrap().into_inner();
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(0));
    let mut records = records(&server);
    let (_, checkpoint) = records.checkpoint().unwrap();
    let last = all(&mut records).pop().unwrap();
    assert_eq!((last.leaf.kind, last.leaf.event.as_deref()), (Kind::Log, Some("closed")));
    assert_eq!(checkpoint.size, last.row.index + 1);
    let (_, _, said) =
        recorded_decision(&records.at(answer.receipt.as_ref().unwrap().index).unwrap().unwrap()).unwrap();
    assert_eq!(said.encode_to_vec(), EvaluateResponse { receipt: None, ..answer }.encode_to_vec());
}
