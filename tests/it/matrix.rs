//! The bad-input matrix: every field of every request of the contract, with every kind of bad input that it can hold,
//! over the wire against the built program. Each ends with the status that the contract says, with the fields at fault
//! and no others; what is accepted is named in the answer.
//!
//! Fields come from the descriptor and expectations from the rules beside them, so that a new field is in the matrix
//! without a change here; a new method, format or rule ends the test until it is told what to expect of it.

mod inputs;
mod named;
mod oracle;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use concord::api::json::pool;
use concord::api::proto::{self, EvaluateRequest, EvaluateResponse, EvaluateStreamResponse};
use prost::Message as _;
use prost_reflect::{DynamicMessage, MethodDescriptor, Value};
use serde_json::{Value as Json, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_types::StatusExt as _;

use self::inputs::{Bad, Case, cases};
use self::oracle::{Faults, faults};
use crate::canary::calls::{Outcome, call};
use crate::canary::process::Process;

/// Calls at once, of methods that take as many.
const AT_ONCE: usize = 16;

/// Fields that may hold what changes nothing in an answer, by what the contract says of them.
const UNREAD: [&str; 12] = [
    // For the audit record only.
    "concord.v1.EvaluateRequest.encounter_id",
    "concord.v1.EvaluateRequest.requester",
    "concord.v1.Patient.id",
    // Words of the record, never interpreted.
    "concord.v1.Allergy.text",
    "concord.v1.Diagnosis.text",
    "concord.v1.Medication.text",
    "concord.v1.Plan.text",
    // A word that is known with a line break after it.
    "concord.v1.Event.substance",
    // Two is true.
    "concord.v1.Patient.childbearing_potential",
    // No number is out of range: rules compare it with theirs.
    "concord.v1.Observation.value",
    "concord.v1.ReferenceRange.low",
    "concord.v1.ReferenceRange.high",
];

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
struct End {
    code: Code,
    reason: String,
    fields: BTreeMap<String, String>,
}

impl End {
    fn ok() -> Self {
        Self { code: Code::Ok, reason: String::new(), fields: BTreeMap::new() }
    }

    fn of(outcome: &Outcome) -> Self {
        let details = Status::with_details(outcome.code, "", outcome.details.clone().into()).get_error_details();
        let reason = details.error_info().map_or_else(String::new, |info| {
            assert_eq!(info.domain, "concord");
            info.reason.clone()
        });
        let violations = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
        let fields = violations.into_iter().map(|one| (one.field, one.reason)).collect();
        Self { code: outcome.code, reason, fields }
    }

    fn of_item(status: proto::ItemStatus) -> Self {
        let fields = status.field_violations.into_iter().map(|one| (one.field, one.reason)).collect();
        Self { code: Code::from(status.code), reason: status.reason, fields }
    }
}

/// What is to come of a call.
#[derive(Clone, Debug)]
struct Expected {
    code: Code,
    reason: &'static str,
    fields: Faults,
}

impl Expected {
    fn new(code: Code, reason: &'static str) -> Self {
        Self { code, reason, fields: Faults::new() }
    }

    fn field(code: Code, reason: &'static str, field: &str, why: &'static str) -> Self {
        Self { fields: Faults::from([(field.to_owned(), BTreeSet::from([why]))]), ..Self::new(code, reason) }
    }

    fn holds(&self, end: &End) -> bool {
        self.code == end.code
            && self.reason == end.reason
            && self.fields.keys().eq(end.fields.keys())
            && self.fields.iter().all(|(field, reasons)| reasons.contains(end.fields[field].as_str()))
    }
}

/// What is real on the server: what requests have to name to get anywhere.
#[derive(Clone, Default)]
struct World {
    decision: String,
    component: String,
    action: i32,
    rule: String,
    digest: String,
}

/// A request of a method that has no fault.
fn base(method: &MethodDescriptor, world: &World) -> DynamicMessage {
    let (decision, rule) = (&world.decision, &world.rule);
    let evaluate = json!({"asOf": "2026-06-01", "purposeOfUse": "TREAT", "patient": {
        "id": "p-1", "ageYears": 41, "complete": ["medications"], "partial": ["observations"],
        "diagnoses": [{"coding": [{"system": "ICD-10-CM", "code": "F11.20"}], "clinicalStatus": "ACTIVE",
            "verificationStatus": "CONFIRMED", "onset": "2019", "recorded": "2026-05-28"}],
        "medications": [{"coding": [{"system": "RxNorm", "code": "36437"}], "status": "CURRENT",
            "started": "2026-01-01", "dose": {"value": 50, "unit": "mg/d"},
            "reason": [{"system": "ICD-10-CM", "code": "F43.12"}]}],
        "allergies": [{"coding": [{"system": "RxNorm", "code": "1819"}], "verificationStatus": "CONFIRMED"}],
        "observations": [{"coding": [{"system": "LOINC", "code": "8636-3"}], "value": 440, "unit": "ms",
            "effective": "2026-05-01", "referenceRange": {"low": 300, "high": 450}}],
        "events": [{"type": "overdose", "at": "2026-05-01", "substance": "heroin"}],
        "history": [{"code": "childhood-abuse", "present": true}],
        "plans": [{"kind": "start-medication", "coding": [{"system": "RxNorm", "code": "6813"}]}],
        "preferences": ["declines-agonist"],
    }});
    let body: Json = match method.name() {
        "Evaluate" => evaluate,
        "EvaluateStream" => json!({"request": evaluate}),
        "ListDecisions" => json!({"pageSize": 1}),
        "GetRuleset" | "ListRules" | "GetCheckpoint" | "GetConsistencyProof" => json!({}),
        "GetRule" => json!({"id": rule}),
        "CheckRuleset" => json!({"files": [{"path": "rules.yaml", "content": ""}]}),
        "GetDecision" | "ReplayDecision" => json!({"decisionId": decision}),
        "RecordFeedback" => json!({"decisionId": decision, "items": [{"kind": "COMPONENT", "item": world.component,
            "action": world.action, "verdict": "OVERRIDDEN", "reason": "DISAGREE_WITH_RULE", "comment": "no"}]}),
        "GetInclusionProof" => json!({"decisionId": decision}),
        other => panic!("the matrix has no request of {other} that is without fault"),
    };
    DynamicMessage::deserialize(method.input(), body).unwrap()
}

/// What comes of a request that breaks no rule.
fn without_fault(method: &MethodDescriptor, message: &DynamicMessage, world: &World) -> Expected {
    let text = |field: &str| message.get_field_by_name(field).unwrap().as_str().unwrap_or_default().to_owned();
    let number = |field: &str| message.get_field_by_name(field).unwrap().as_u64().unwrap_or_default();
    let ok = Expected::new(Code::Ok, "");
    let not_found = Expected::new(Code::NotFound, "ENTRY_NOT_FOUND");
    let page = |ok: Expected| match text("page_token").as_str() {
        "" => ok,
        _ => Expected::field(Code::InvalidArgument, "PAGE_TOKEN", "page_token", "PAGE_TOKEN"),
    };
    match method.name() {
        "Evaluate" => match text("require_ruleset_digest") {
            digest if digest.is_empty() || digest.ends_with(&world.digest) => ok,
            _ => Expected::new(Code::FailedPrecondition, "RULESET_DIGEST_MISMATCH"),
        },
        "GetRuleset" | "GetCheckpoint" | "CheckRuleset" => ok,
        "ListRules" | "ListDecisions" => page(ok),
        "GetRule" if text("id") == world.rule => ok,
        "GetRule" => Expected::new(Code::NotFound, "RULE_NOT_FOUND"),
        "GetDecision" | "ReplayDecision" if text("decision_id") == world.decision => ok,
        "GetDecision" | "ReplayDecision" => not_found,
        "RecordFeedback" if text("decision_id") != world.decision => not_found,
        "RecordFeedback" => {
            let items = message.get_field_by_name("items").unwrap().into_owned();
            let missing = items.as_list().unwrap().iter().enumerate().filter(|(_, item)| {
                let item = item.as_message().unwrap();
                let is = |field: &str, value: &Value| item.get_field_by_name(field).unwrap().as_ref() == value;
                !is("kind", &Value::EnumNumber(1))
                    || !is("item", &Value::String(world.component.clone()))
                    || !(is("action", &Value::EnumNumber(world.action)) || is("action", &Value::EnumNumber(0)))
            });
            let fields: Faults =
                missing.map(|(at, _)| (format!("items[{at}].item"), BTreeSet::from(["NOT_IN_ANSWER"]))).collect();
            if fields.is_empty() {
                return ok;
            }
            Expected { fields, ..Expected::new(Code::InvalidArgument, "INVALID_FIELDS") }
        }
        "GetInclusionProof" => match text("decision_id") {
            decision if decision == world.decision => ok,
            // The first entries say of the log and of the package.
            decision if decision.is_empty() && number("index") < 3 => ok,
            _ => not_found,
        },
        "GetConsistencyProof" if number("old_tree_size") < 3 => ok,
        "GetConsistencyProof" => Expected::field(Code::InvalidArgument, "INVALID_FIELDS", "old_tree_size", "RANGE"),
        other => panic!("the matrix does not know what comes of {other}"),
    }
}

/// The request of an item of a stream, or that of the call.
fn request_of(case: &Case, message: DynamicMessage) -> Option<DynamicMessage> {
    if !case.method.is_client_streaming() {
        return Some(message);
    }
    match message.get_field_by_name("request").map(std::borrow::Cow::into_owned) {
        Some(Value::Message(inner)) if message.has_field_by_name("request") => Some(inner),
        _ => None,
    }
}

/// Requests by their ids: an id stands for one request of a caller, whatever the method.
type Spent = BTreeMap<String, Vec<u8>>;

fn expected(case: &Case, world: &World, spent: &mut Spent) -> (Expected, Option<DynamicMessage>) {
    // Text that is none, and what ends too early, is no message.
    let unreadable = Expected::new(Code::Internal, "MALFORMED_MESSAGE");
    let wire = case.bad == Bad::WrongWire
        || (case.bad == Bad::NotUtf8 && matches!(case.field.kind(), prost_reflect::Kind::String));
    if wire {
        return (unreadable, None);
    }
    let Ok(message) = DynamicMessage::decode(case.method.input(), case.bytes.as_slice()) else {
        return (unreadable, None);
    };
    let invalid = |fields| Expected { fields, ..Expected::new(Code::InvalidArgument, "INVALID_FIELDS") };
    let Some(request) = request_of(case, message) else {
        return (Expected::field(Code::InvalidArgument, "INVALID_FIELDS", "request", "REQUIRED"), None);
    };
    let found = faults(&request);
    if !found.is_empty() {
        return (invalid(found), None);
    }
    let method = if case.method.is_client_streaming() {
        case.method.parent_service().methods().find(|method| method.name() == "Evaluate").unwrap()
    } else {
        case.method.clone()
    };
    let outcome = without_fault(&method, &request, world);
    let id = request.get_field_by_name("request_id").and_then(|id| id.as_str().map(ToOwned::to_owned));
    if let (Some(id), Code::Ok) = (id.filter(|id| !id.is_empty()), outcome.code) {
        let content = request.encode_to_vec();
        if *spent.entry(id).or_insert_with(|| content.clone()) != content {
            return (Expected::new(Code::AlreadyExists, "REQUEST_ID_REUSED"), None);
        }
    }
    (outcome, Some(request))
}

fn path_of(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

/// Calls until the method has a place: a check and a replay are one at a time.
async fn one(channel: Channel, path: String, bytes: Vec<u8>) -> (End, Vec<Vec<u8>>) {
    loop {
        let outcome = call(channel.clone(), &path, vec![bytes.clone()], &[]).await;
        let end = End::of(&outcome);
        if !matches!(end.reason.as_str(), "CHECK_BUSY" | "CHECKPOINT_PENDING") {
            return (end, outcome.answers);
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// The answers to many requests, in their order.
async fn unary(channel: &Channel, path: &str, requests: Vec<Vec<u8>>) -> Vec<(End, Vec<Vec<u8>>)> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut calls = JoinSet::new();
    for (index, bytes) in requests.into_iter().enumerate() {
        let (channel, path) = (channel.clone(), path.to_owned());
        let place = Arc::clone(&places).acquire_owned().await.unwrap();
        calls.spawn(async move {
            let end = one(channel, path, bytes).await;
            drop(place);
            (index, end)
        });
    }
    let mut ends: Vec<_> = calls.join_all().await;
    ends.sort_by_key(|(index, _)| *index);
    ends.into_iter().map(|(_, end)| end).collect()
}

/// The answers to the items of one stream, in their order.
async fn stream(channel: &Channel, path: &str, requests: Vec<Vec<u8>>) -> Vec<(End, Vec<Vec<u8>>)> {
    let outcome = call(channel.clone(), path, requests, &[]).await;
    assert_eq!(outcome.code, Code::Ok, "{}", outcome.told);
    let item = |bytes: Vec<u8>| match EvaluateStreamResponse::decode(bytes.as_slice()).unwrap().outcome.unwrap() {
        proto::evaluate_stream_response::Outcome::Response(answer) => (End::ok(), vec![answer.encode_to_vec()]),
        proto::evaluate_stream_response::Outcome::Status(status) => (End::of_item(status), Vec::new()),
    };
    outcome.answers.into_iter().map(item).collect()
}

/// A server that has answered once.
async fn world(channel: &Channel) -> World {
    let service = |name: &str| pool().unwrap().get_service_by_name(name).unwrap();
    let method = |of: &str, name: &str| service(of).methods().find(|method| method.name() == name).unwrap();
    let evaluate = method("concord.v1.DecisionService", "Evaluate");
    let request = base(&evaluate, &World::default()).encode_to_vec();
    let (end, answers) = one(channel.clone(), path_of(&evaluate), request.clone()).await;
    assert_eq!(end, End::ok());
    let answer = EvaluateResponse::decode(answers[0].as_slice()).unwrap();
    let sent = EvaluateRequest::decode(request.as_slice()).unwrap();
    assert_eq!((named::names(&sent), answer.unrecognized.clone()), (Vec::new(), Vec::new()));
    let component = answer.recommendations[0].components[0].clone();
    World {
        decision: answer.decision_id,
        component: component.code,
        action: component.action,
        rule: answer.alerts[0].id.clone(),
        digest: answer.ruleset.unwrap().digest,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_field_with_every_bad_input_ends_as_the_contract_says() {
    let server = Process::start(&["telemetry.log_filter=info", "audit.store=sqlite"]);
    server.is(ServingStatus::Serving).await;
    let channel = server.channel().await;
    let world = world(&channel).await;

    let (mut wrong, mut spent) = (Vec::new(), Spent::new());
    let mut table: BTreeMap<Bad, BTreeMap<String, usize>> = BTreeMap::new();
    let mut silent: BTreeMap<String, BTreeSet<Bad>> = BTreeMap::new();
    let (mut total, mut fields, mut named) = (0, BTreeSet::new(), 0);
    for method in pool().unwrap().services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let path = path_of(&method);
        let without = base(&method, &world);
        let plain = one(channel.clone(), path.clone(), without.encode_to_vec()).await;
        assert_eq!(plain.0, End::ok(), "{path}");
        let cases = cases(&method, &without);
        let expected: Vec<_> = cases.iter().map(|case| expected(case, &world, &mut spent)).collect();
        let (broken, whole): (Vec<usize>, Vec<usize>) =
            (0..cases.len()).partition(|at| expected[*at].0.reason == "MALFORMED_MESSAGE");
        let bytes = |which: &[usize]| which.iter().map(|at| cases[*at].bytes.clone()).collect::<Vec<_>>();
        // What is no message ends its stream.
        let mut ends = unary(&channel, &path, bytes(&broken)).await;
        ends.extend(if method.is_client_streaming() {
            stream(&channel, &path, bytes(&whole)).await
        } else {
            unary(&channel, &path, bytes(&whole)).await
        });
        assert_eq!(ends.len(), cases.len(), "{path}");
        for (at, (end, answers)) in broken.into_iter().chain(whole).zip(ends) {
            let (case, (expected, request)) = (&cases[at], &expected[at]);
            let of = format!("{path} {} {:?}, {}", case.path, case.bad, case.what);
            total += 1;
            fields.insert(format!("{path} {}", case.path));
            let status = if end.reason.is_empty() { format!("{:?}", end.code) } else { end.reason.clone() };
            *table.entry(case.bad).or_default().entry(status).or_default() += 1;
            if !expected.holds(&end) {
                wrong.push(format!("{of}: {end:?}, and expected {expected:?}"));
                continue;
            }
            let (Some(request), true) =
                (request, end.code == Code::Ok && method.output().name().starts_with("Evaluate"))
            else {
                continue;
            };
            let request = EvaluateRequest::decode(request.encode_to_vec().as_slice()).unwrap();
            let answer = EvaluateResponse::decode(answers[0].as_slice()).unwrap();
            for name in named::names(&request) {
                named += 1;
                if !name.is_in(&answer) {
                    wrong.push(format!("{of}: {name:?} is not named"));
                }
            }
            wrong.extend(named::unsaid(&request, &answer).into_iter().map(|what| format!("{of}: not so: {what}")));
            let plain = EvaluateResponse::decode(plain.1[0].as_slice());
            if let Ok(plain) = plain
                && request.encode_to_vec() != without.encode_to_vec()
                && concord::api::answer::canonical_bytes(&plain) == concord::api::answer::canonical_bytes(&answer)
            {
                silent.entry(case.field.full_name().to_owned()).or_default().insert(case.bad);
            }
        }
    }
    for (bad, statuses) in &table {
        println!("{bad:?}: {} cases, {statuses:?}", statuses.values().sum::<usize>());
    }
    println!("{total} cases of {} fields; {named} names looked for", fields.len());
    for (field, bads) in &silent {
        println!("the same answer as without: {field} {bads:?}");
    }
    for (field, bads) in silent {
        // What is left out, or sent twice, or no more than something else that is fine, need not show.
        let shows = |bad: &Bad| {
            !matches!(bad, Bad::Missing | Bad::Empty | Bad::Duplicate | Bad::Maximum)
                && !UNREAD.contains(&field.as_str())
        };
        let unshown: Vec<Bad> = bads.into_iter().filter(shows).collect();
        if !unshown.is_empty() {
            wrong.push(format!("{field} {unshown:?}: accepted, and the answer is that to a request without it"));
        }
    }
    assert!(wrong.is_empty(), "{} of {total}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(total >= 3_000, "{total}");
    assert!(server.said().lines().all(|line| !line.contains("panicked")));
}
