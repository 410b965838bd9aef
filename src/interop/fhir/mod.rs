//! Entries of the audit log as FHIR R4 `AuditEvent` resources.
//!
//! The patterns are those of IHE Basic Audit Log Patterns (BALP) 1.1, whose
//! profiles `Query` and `PatientQuery` are claimed only of a resource that has
//! everything that they require; the codes are those that DICOM PS3.15 A.5 and
//! PS3.16 give, and of ISO 21089 for what is destroyed.

mod codes;

use serde_json::{Map, Value, json};

use self::codes::{Code, actor, entity, event, interaction, role};
use crate::audit::entry::{Kind, Leaf};
use crate::audit::tree::Hash;
use crate::note::hex;

/// Profile of an event about a query that names a patient.
pub const PATIENT_QUERY: &str = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientQuery";

/// Profile of an event about a query that names none.
pub const QUERY: &str = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.Query";

/// Systems of the codes of purposes of use.
const PURPOSES: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

/// An entry, and what is known around it.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// Index.
    pub index: u64,
    /// What is in clear.
    pub leaf: &'a Leaf,
    /// Hash of the leaf.
    pub hash: &'a Hash,
    /// Tag of the patient.
    pub subject: Option<&'a [u8; 16]>,
    /// What was sealed of the request, where it may be shown.
    pub asked: Option<&'a Asked>,
}

/// What was sealed of a request.
#[derive(Clone, Default)]
pub struct Asked {
    /// The request as it is recorded.
    pub raw: Vec<u8>,
    /// The caller's id of the request; may be empty, as each of the following.
    pub request_id: String,
    /// On whose behalf.
    pub requester: String,
    /// Why: a code of HL7 `PurposeOfUse`.
    pub purpose: String,
    /// Id of the patient.
    pub patient: String,
}

// It is of a patient.
impl std::fmt::Debug for Asked {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Asked({} bytes)", self.raw.len())
    }
}

/// What the log does not say of the service.
#[derive(Clone, Copy, Debug)]
pub struct Service<'a> {
    /// Name of the log.
    pub origin: &'a str,
    /// Name or address at which clients reach the service; without one no profile
    /// is claimed, since each of them wants it.
    pub address: Option<&'a str>,
}

/// The resource of an entry.
#[must_use]
pub fn audit_event(event: &Event<'_>, service: &Service<'_>) -> Value {
    let leaf = event.leaf;
    let (kind, subtype, action) = named(leaf);
    let mut resource = Map::new();
    let mut set = |name: &str, value: Value| drop(resource.insert(name.to_owned(), value));
    set("resourceType", json!("AuditEvent"));
    set("id", json!(leaf.id));
    if let Some(profile) = profile(event, service) {
        set("meta", json!({"profile": [profile]}));
    }
    set("type", kind.coding());
    if let Some(subtype) = subtype {
        set("subtype", json!([subtype.coding()]));
    }
    set("action", json!(action));
    if let Some(received) = &leaf.received {
        set("period", json!({"start": received, "end": leaf.at}));
    }
    set("recorded", json!(leaf.at));
    set("outcome", json!(outcome(leaf)));
    if let Some(told) = told(leaf) {
        set("outcomeDesc", json!(told));
    }
    let purpose = event.asked.map(|asked| asked.purpose.as_str()).filter(|code| !code.is_empty());
    if let Some(code) = purpose {
        set("purposeOfEvent", json!([{"coding": [{"system": PURPOSES, "code": code}]}]));
    }
    set("agent", json!(agents(event, service)));
    set(
        "source",
        json!({"observer": {"identifier": {"value": service.origin}}, "type": [codes::APPLICATION_SERVER.coding()]}),
    );
    set("entity", json!(entities(event, service)));
    Value::Object(resource)
}

/// Type, subtype and action of an entry.
fn named(leaf: &Leaf) -> (Code, Option<Code>, &'static str) {
    match (leaf.kind, leaf.event.as_deref()) {
        (Kind::Decision | Kind::Refusal, _) => (event::REST, Some(interaction::OPERATION), "E"),
        (Kind::Feedback, _) => (event::REST, Some(interaction::OPERATION), "C"),
        (Kind::Read, _) => (event::AUDIT_LOG_USED, None, "R"),
        (Kind::Ruleset, _) => (event::SECURITY_ALERT, Some(event::SOFTWARE_CONFIGURATION), "E"),
        (Kind::Key, _) => (event::SECURITY_ALERT, Some(event::SECURITY_CONFIGURATION), "E"),
        (Kind::Erasure | Kind::Retention, _) => (event::DESTROY, None, "D"),
        (Kind::Log, Some("closed")) => (event::SECURITY_ALERT, Some(event::RECORDING_STOPPED), "E"),
        (Kind::Log, _) => (event::SECURITY_ALERT, Some(event::RECORDING_STARTED), "E"),
    }
}

/// 0: it succeeded; 4: the caller could not be answered as it asked; 8: the
/// service could not answer.
fn outcome(leaf: &Leaf) -> &'static str {
    match leaf.status.as_deref() {
        None | Some("OK") => "0",
        Some("UNKNOWN" | "DEADLINE_EXCEEDED" | "UNIMPLEMENTED" | "INTERNAL" | "UNAVAILABLE" | "DATA_LOSS") => "8",
        Some(_) => "4",
    }
}

/// What the entry says of how it went, in the words of the log.
fn told(leaf: &Leaf) -> Option<String> {
    let words =
        [leaf.status.as_deref().filter(|status| *status != "OK"), leaf.event.as_deref(), leaf.reason.as_deref()];
    let mut words: Vec<&str> = words.into_iter().flatten().collect();
    words.extend(leaf.fields.iter().map(String::as_str));
    (!words.is_empty()).then(|| words.join("; "))
}

/// Has the resource everything that a profile requires?
fn profile(event: &Event<'_>, service: &Service<'_>) -> Option<&'static str> {
    let asked = event.asked.filter(|_| event.leaf.kind == Kind::Decision && outcome(event.leaf) == "0")?;
    service.address?;
    client(event.leaf.caller.as_deref()?).get("network")?;
    Some(if asked.patient.is_empty() { QUERY } else { PATIENT_QUERY })
}

fn agents(event: &Event<'_>, service: &Service<'_>) -> Vec<Value> {
    let mut agents = Vec::new();
    let mut server = json!({"who": {"identifier": {"value": service.origin}}, "requestor": false});
    // A command is given by a user of the machine, a call by a client.
    match event.leaf.caller.as_deref() {
        None => put(&mut server, "type", actor::APPLICATION.concept()),
        Some(caller) if caller.starts_with("local:") => {
            put(&mut server, "type", actor::APPLICATION.concept());
            agents.push(json!({
                "type": actor::INFORMATION_RECIPIENT.concept(),
                "who": {"identifier": {"value": caller}},
                "requestor": true,
            }));
        }
        Some(caller) => {
            put(&mut server, "type", actor::DESTINATION.concept());
            if let Some(address) = service.address {
                put(&mut server, "network", network(address));
            }
            let mut client = client(caller);
            let user = event.asked.filter(|asked| !asked.requester.is_empty()).map(user);
            put(&mut client, "requestor", json!(user.is_none()));
            agents.push(client);
            agents.extend(user);
        }
    }
    agents.push(server);
    agents
}

/// Who called, as the log names them: `anonymous@` and an address, or a name.
fn client(caller: &str) -> Value {
    let mut client = json!({"type": actor::SOURCE.concept(), "who": {"identifier": {"value": caller}}});
    if let Some((_, address)) =
        caller.rsplit_once('@').filter(|(_, address)| address.parse::<std::net::IpAddr>().is_ok())
    {
        put(&mut client, "network", network(address));
    }
    client
}

/// On whose behalf a call was made. A person is on no network.
fn user(asked: &Asked) -> Value {
    let mut user = json!({
        "type": actor::INFORMATION_RECIPIENT.concept(),
        "who": {"identifier": {"value": asked.requester}},
        "requestor": true,
    });
    if !asked.purpose.is_empty() {
        put(&mut user, "purposeOfUse", json!([{"coding": [{"system": PURPOSES, "code": asked.purpose}]}]));
    }
    user
}

/// 1: name of a machine; 2: IP address; 5: URI.
fn network(address: &str) -> Value {
    let kind = if address.contains("://") {
        "5"
    } else if address.parse::<std::net::IpAddr>().is_ok() {
        "2"
    } else {
        "1"
    };
    json!({"address": address, "type": kind})
}

fn entities(event: &Event<'_>, service: &Service<'_>) -> Vec<Value> {
    let leaf = event.leaf;
    let mut entities = Vec::new();
    let known = event.asked.map(|asked| asked.request_id.as_str()).filter(|id| !id.is_empty());
    if let Some(id) = known.or(leaf.trace.as_deref()) {
        entities.push(json!({"what": {"identifier": {"value": id}}, "type": entity::REQUEST_ID.coding()}));
    }
    if let Some(asked) = event.asked.filter(|_| matches!(leaf.kind, Kind::Decision)) {
        let mut query = json!({
            "type": entity::SYSTEM_OBJECT.coding(),
            "role": role::QUERY.coding(),
            "query": base64(&asked.raw),
        });
        if let Some(method) = &leaf.method {
            put(&mut query, "description", json!(method));
        }
        entities.push(query);
    }
    entities.extend(patient(event));
    if leaf.kind == Kind::Read {
        entities.push(json!({
            "what": {"identifier": {"value": service.origin}},
            "type": entity::SYSTEM_OBJECT.coding(),
            "role": role::SECURITY_RESOURCE.coding(),
            "name": "Security Audit Log",
        }));
    }
    entities.push(entry(event, service));
    entities
}

fn patient(event: &Event<'_>) -> Option<Value> {
    let known = event.asked.map(|asked| asked.patient.as_str()).filter(|id| !id.is_empty());
    let identifier = match (known, event.subject) {
        (Some(id), _) => json!({"value": id}),
        (None, Some(tag)) => json!({"type": {"text": "keyed tag of the audit log"}, "value": hex(tag)}),
        (None, None) => return None,
    };
    Some(json!({
        "what": {"type": "Patient", "identifier": identifier},
        "type": entity::PERSON.coding(),
        "role": role::PATIENT.coding(),
    }))
}

/// The entry itself: where it is in the log, and what else it says.
fn entry(event: &Event<'_>, service: &Service<'_>) -> Value {
    let leaf = event.leaf;
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    let ranges = leaf.entries.iter().map(|[first, last]| format!("{first}-{last}")).collect::<Vec<_>>().join(" ");
    let members = [
        ("kind", Some(leaf.kind.word().to_owned())),
        ("leafHash", Some(hex(event.hash))),
        ("build", Some(leaf.build.clone())),
        ("method", leaf.method.clone()),
        ("trace", leaf.trace.clone()),
        ("ruleset", leaf.ruleset.clone()),
        ("semantics", leaf.semantics.map(|version| version.to_string())),
        ("name", leaf.name.clone()),
        ("version", leaf.version.clone()),
        ("overlay", leaf.overlay.clone()),
        ("content", leaf.content.clone()),
        ("of", leaf.of.map(|of| of.to_string())),
        ("count", number(leaf.count)),
        ("key", leaf.key.clone()),
        ("entries", Some(ranges).filter(|ranges| !ranges.is_empty())),
        ("first", number(leaf.first)),
    ];
    let details: Vec<Value> =
        members.into_iter().filter_map(|(name, value)| Some(json!({"type": name, "valueString": value?}))).collect();
    json!({
        "what": {"identifier": {"value": format!("{}#{}", service.origin, event.index)}},
        "type": entity::OTHER.coding(),
        "detail": details,
    })
}

fn base64(bytes: &[u8]) -> String {
    use ::base64::Engine as _;
    ::base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn put(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
