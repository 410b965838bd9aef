use serde_json::Value;
use uuid::Uuid;

use super::*;

/// Cardinalities of `AuditEvent` in FHIR R4 (4.0.1), hl7.org/fhir/R4/auditevent-definitions.html. What is not in the
/// table is not used here, and so is a fault.
const R4: [(&str, usize, usize); 45] = [
    ("resourceType", 1, 1),
    ("id", 0, 1),
    ("meta", 0, 1),
    ("meta.profile", 0, 9),
    ("type", 1, 1),
    ("type.system", 0, 1),
    ("type.code", 0, 1),
    ("type.display", 0, 1),
    ("subtype", 0, 9),
    ("subtype.system", 0, 1),
    ("subtype.code", 0, 1),
    ("subtype.display", 0, 1),
    ("action", 0, 1),
    ("period", 0, 1),
    ("period.start", 0, 1),
    ("period.end", 0, 1),
    ("recorded", 1, 1),
    ("outcome", 0, 1),
    ("outcomeDesc", 0, 1),
    ("purposeOfEvent", 0, 9),
    ("purposeOfEvent.coding", 0, 9),
    ("agent", 1, 9),
    ("agent.type", 0, 1),
    ("agent.who", 0, 1),
    ("agent.requestor", 1, 1),
    ("agent.network", 0, 1),
    ("agent.network.address", 0, 1),
    ("agent.network.type", 0, 1),
    ("agent.purposeOfUse", 0, 9),
    ("source", 1, 1),
    ("source.observer", 1, 1),
    ("source.type", 0, 9),
    ("entity", 0, 9),
    ("entity.what", 0, 1),
    ("entity.type", 0, 1),
    ("entity.role", 0, 1),
    ("entity.name", 0, 1),
    ("entity.description", 0, 1),
    ("entity.query", 0, 1),
    ("entity.detail", 0, 99),
    ("entity.detail.type", 1, 1),
    ("entity.detail.valueString", 1, 1),
    ("agent.type.coding", 0, 9),
    ("source.observer.identifier", 0, 1),
    ("entity.what.identifier", 0, 1),
];

/// Codes of elements with a required binding, from the same page.
const BOUND: [(&str, &[&str]); 3] = [
    ("action", &["C", "R", "U", "D", "E"]),
    ("outcome", &["0", "4", "8", "12"]),
    ("agent.network.type", &["1", "2", "3", "4", "5"]),
];

/// A slice of a list, by the code of its type: how many there are, what each has and has not.
type Slice = (&'static str, &'static str, usize, usize, &'static [&'static str], &'static [&'static str]);

/// Of the profile `Query`, `input/fsh/PatientQuery.fsh` of IHE/ITI.BasicAudit (1.1, R4).
const QUERY_SLICES: [Slice; 5] = [
    ("agent", "110153", 1, 1, &["who", "network"], &["media"]),
    ("agent", "110152", 1, 1, &["who", "network"], &["media"]),
    ("agent", "IRCP", 0, 1, &["who"], &["media", "network"]),
    ("entity", "XrequestId", 0, 1, &["what.identifier.value"], &[]),
    ("entity", "2", 1, 1, &["role", "query"], &["what", "lifecycle", "detail"]),
];

/// What `PatientQuery` adds, from the same file.
const PATIENT_SLICE: Slice = ("entity", "1", 1, 1, &["role", "what"], &[]);

/// Fixed values of `Query`, from the same file.
const QUERY_FIXED: [(&str, &str); 4] = [
    ("/type/system", "http://terminology.hl7.org/CodeSystem/audit-event-type"),
    ("/type/code", "rest"),
    ("/action", "E"),
    ("/outcome", "0"),
];

fn children(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |list| list.iter().collect())
}

/// Everything at a path, lists taken apart.
fn at<'a>(root: &'a Value, path: &str) -> Vec<&'a Value> {
    let steps = path.split('.').filter(|step| !step.is_empty());
    steps.fold(vec![root], |found, step| found.into_iter().filter_map(|one| one.get(step)).flat_map(children).collect())
}

fn faults(resource: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, least, most) in R4 {
        let (parents, name) = path.rsplit_once('.').unwrap_or(("", path));
        for parent in at(resource, parents) {
            let count = parent.get(name).map_or(0, |value| children(value).len());
            if count < least || count > most {
                faults.push(format!("{path}: {count} times"));
            }
        }
    }
    let parents = ["", "meta", "type", "agent", "agent.network", "source", "entity", "entity.detail", "period"];
    for parent in parents {
        for node in at(resource, parent) {
            for name in node.as_object().into_iter().flat_map(serde_json::Map::keys) {
                let path = if parent.is_empty() { name.clone() } else { format!("{parent}.{name}") };
                if !R4.iter().any(|(known, ..)| *known == path) {
                    faults.push(format!("{path}: not in the table"));
                }
            }
        }
    }
    for (path, codes) in BOUND {
        let wrong = at(resource, path).into_iter().filter(|code| !codes.iter().any(|known| *code == known));
        faults.extend(wrong.map(|code| format!("{path}: {code}")));
    }
    if resource.to_string().contains("null") {
        faults.push("a null: FHIR leaves out what is not known".to_owned());
    }
    // sev-1: either a name or a query.
    let both = at(resource, "entity").into_iter().filter(|one| one.get("name").is_some() && one.get("query").is_some());
    faults.extend(both.map(|_| "sev-1".to_owned()));
    if at(resource, "recorded").iter().any(|at| at.as_str().is_none_or(|at| at.parse::<jiff::Timestamp>().is_err())) {
        faults.push("recorded: no instant".to_owned());
    }
    for profile in at(resource, "meta.profile") {
        faults.extend(profile_faults(resource, profile.as_str().unwrap()));
    }
    faults
}

fn profile_faults(resource: &Value, profile: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (pointer, fixed) in QUERY_FIXED {
        if resource.pointer(pointer).is_none_or(|value| value != fixed) {
            faults.push(format!("{profile}: {pointer} is not {fixed}"));
        }
    }
    if at(resource, "subtype").is_empty() {
        faults.push(format!("{profile}: no subtype"));
    }
    let patient = (profile == PATIENT_QUERY).then_some(PATIENT_SLICE);
    for (list, code, least, most, has, has_not) in QUERY_SLICES.into_iter().chain(patient) {
        let of_type = |one: &&Value| {
            at(one, "type.code").into_iter().chain(at(one, "type.coding.code")).any(|found| found == code)
        };
        let slice: Vec<&Value> = at(resource, list).into_iter().filter(of_type).collect();
        if slice.len() < least || slice.len() > most {
            faults.push(format!("{profile}: {list} {code}: {} times", slice.len()));
        }
        for one in slice {
            faults.extend(
                has.iter().filter(|path| at(one, path).is_empty()).map(|path| format!("{list} {code}: no {path}")),
            );
            faults.extend(
                has_not.iter().filter(|path| !at(one, path).is_empty()).map(|path| format!("{list} {code}: {path}")),
            );
            if code == "IRCP" && one["requestor"] != true {
                faults.push("the user is not the requestor".to_owned());
            }
            if code == "1" && one["what"]["type"] != "Patient" {
                faults.push("the patient is none".to_owned());
            }
        }
    }
    faults
}

fn asked() -> Asked {
    Asked {
        raw: b"request".to_vec(),
        request_id: "r-1".to_owned(),
        requester: "clinician-7".to_owned(),
        purpose: "TREAT".to_owned(),
        patient: "p-1".to_owned(),
    }
}

fn leaf(kind: Kind, caller: Option<&str>) -> Leaf {
    Leaf { caller: caller.map(ToOwned::to_owned), ..Leaf::new(kind) }
}

fn decision() -> Leaf {
    Leaf {
        method: Some("concord.v1.DecisionService/Evaluate".to_owned()),
        trace: Some("0".repeat(32)),
        received: Some("2026-11-23T06:50:12.000000Z".to_owned()),
        ruleset: Some("1".repeat(64)),
        semantics: Some(1),
        status: Some("OK".to_owned()),
        ..leaf(Kind::Decision, Some("anonymous@10.0.0.7"))
    }
}

const SERVICE: Service<'static> = Service { origin: "concord/1", address: Some("concord.example.org") };

fn event(leaf: &Leaf, asked: Option<&Asked>, service: &Service<'_>) -> Value {
    audit_event(&Event { index: 7, leaf, hash: &[2; 32], subject: Some(&[3; 16]), asked }, service)
}

#[test]
fn an_entry_of_every_kind_is_a_resource_of_r4() {
    for kind in Kind::ALL {
        for caller in [None, Some("local:root"), Some("anonymous@::1"), Some("spiffe://cluster/clinic")] {
            let leaf = Leaf {
                event: Some("closed".to_owned()),
                reason: Some("OTHER".to_owned()),
                fields: vec!["patient.age REQUIRED".to_owned()],
                of: Some(Uuid::now_v7()),
                count: Some(2),
                entries: vec![[1, 1], [3, 9]],
                first: Some(256),
                ..leaf(kind, caller)
            };
            let (asked, unaddressed) = (asked(), Service { address: None, ..SERVICE });
            for asked in [None, Some(&asked)] {
                for service in [&SERVICE, &unaddressed] {
                    let resource = event(&leaf, asked, service);
                    assert_eq!(faults(&resource), Vec::<String>::new(), "{resource:#}");
                }
            }
        }
    }
}

#[test]
fn a_decision_claims_the_profile_that_it_meets() {
    let leaf = decision();
    let profile = |asked: Option<&Asked>, leaf: &Leaf, service: &Service<'_>| {
        let resource = event(leaf, asked, service);
        assert_eq!(faults(&resource), Vec::<String>::new(), "{resource:#}");
        resource.pointer("/meta/profile/0").and_then(Value::as_str).map(ToOwned::to_owned)
    };
    assert_eq!(profile(Some(&asked()), &leaf, &SERVICE).as_deref(), Some(PATIENT_QUERY));
    let nobody = Asked { patient: String::new(), requester: String::new(), request_id: String::new(), ..asked() };
    // The tag says that there is a patient, whose id is not known.
    assert_eq!(profile(Some(&nobody), &leaf, &SERVICE).as_deref(), Some(QUERY));
    for (asked, leaf, service) in [
        (None, leaf.clone(), SERVICE),
        (Some(&asked()), leaf.clone(), Service { address: None, ..SERVICE }),
        (Some(&asked()), Leaf { caller: Some("clinic".to_owned()), ..leaf.clone() }, SERVICE),
        (Some(&asked()), Leaf { status: Some("INTERNAL".to_owned()), ..leaf.clone() }, SERVICE),
        (Some(&asked()), Leaf { kind: Kind::Refusal, ..leaf.clone() }, SERVICE),
    ] {
        assert_eq!(profile(asked, &leaf, &service), None, "{leaf:?}");
    }
}

#[test]
fn what_a_profile_requires_is_missed_where_it_is_gone() {
    let whole = event(&decision(), Some(&asked()), &SERVICE);
    assert_eq!(faults(&whole), Vec::<String>::new());
    let broken: [fn(&mut Value); 8] = [
        |event| event["outcome"] = json!("4"),
        |event| drop(event.as_object_mut().unwrap().remove("subtype")),
        |event| drop(event["agent"][0].as_object_mut().unwrap().remove("network")),
        |event| event["agent"][1]["requestor"] = json!(false),
        |event| event["agent"][1]["network"] = json!({"address": "a", "type": "1"}),
        |event| event["entity"][1]["name"] = json!("a"),
        |event| drop(event["entity"].as_array_mut().unwrap().remove(2)),
        |event| event["somewhere"] = json!("else"),
    ];
    for (number, change) in broken.iter().enumerate() {
        let mut resource = whole.clone();
        change(&mut resource);
        assert!(!faults(&resource).is_empty(), "{number}");
    }
}

#[test]
fn without_its_content_an_event_says_nothing_of_the_patient() {
    let resource = event(&decision(), None, &SERVICE);
    let patient = at(&resource, "entity").into_iter().find(|one| one["role"]["code"] == "1").unwrap();
    assert_eq!(patient["what"]["identifier"]["value"], "03".repeat(16));
    assert_eq!(at(&resource, "entity.query"), Vec::<&Value>::new());
    assert_eq!((&resource["outcome"], &resource["action"]), (&json!("0"), &json!("E")));
    assert_eq!(resource["agent"][0]["network"], json!({"address": "10.0.0.7", "type": "2"}));
}

#[test]
fn how_a_call_ended_is_told_in_the_codes_of_r4() {
    let outcome = |status: &str| {
        let leaf = Leaf {
            status: Some(status.to_owned()),
            reason: Some("WHY".to_owned()),
            fields: vec!["patient.age REQUIRED".to_owned()],
            ..leaf(Kind::Refusal, Some("anonymous@10.0.0.7"))
        };
        let resource = event(&leaf, None, &SERVICE);
        assert_eq!(resource["outcomeDesc"], format!("{status}; WHY; patient.age REQUIRED"));
        resource["outcome"].as_str().unwrap().to_owned()
    };
    let told = ["INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "CANCELLED", "UNAVAILABLE", "INTERNAL"].map(outcome);
    assert_eq!(told, ["4", "4", "4", "8", "8"]);
}

#[test]
fn what_happened_to_the_log_has_codes_of_dicom_and_iso() {
    let codes = |leaf: Leaf| {
        let resource = event(&leaf, None, &SERVICE);
        let code = |pointer: &str| resource.pointer(pointer).and_then(Value::as_str).unwrap_or("-").to_owned();
        [code("/type/code"), code("/subtype/0/code"), code("/action")].join(" ")
    };
    let of = |kind, event: &str| Leaf { event: Some(event.to_owned()), ..Leaf::new(kind) };
    assert_eq!(codes(of(Kind::Log, "opened")), "110113 110134 E");
    assert_eq!(codes(of(Kind::Log, "closed")), "110113 110133 E");
    assert_eq!(codes(of(Kind::Key, "retired")), "110113 110129 E");
    assert_eq!(codes(Leaf::new(Kind::Ruleset)), "110113 110131 E");
    assert_eq!(codes(Leaf::new(Kind::Read)), "110101 - R");
    assert_eq!(codes(Leaf::new(Kind::Erasure)), "destroy - D");
    assert_eq!(codes(Leaf::new(Kind::Retention)), "destroy - D");
    assert_eq!(codes(Leaf::new(Kind::Feedback)), "rest operation C");
}
