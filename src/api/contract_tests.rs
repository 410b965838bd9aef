//! Every `(rules)` annotation of the contract is broken once, wherever its
//! message can stand in a request, and must be refused with its path and
//! reason. A new annotation without enforcement fails here.

use prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage as _, Value};

use super::*;
use crate::api::audit::request as audit;
use crate::api::json::pool;
use crate::api::refusal::Violation;

/// A field of a message that is reached by a path of fields from a request.
struct Site {
    path: Vec<FieldDescriptor>,
    field: FieldDescriptor,
}

fn rules(field: &FieldDescriptor) -> Option<DynamicMessage> {
    let extension = pool().unwrap().get_extension_by_name("concord.v1.rules").unwrap();
    let options = field.options();
    options.has_extension(&extension).then(|| match options.get_extension(&extension).as_ref() {
        Value::Message(rules) => rules.clone(),
        other => panic!("{other:?}"),
    })
}

fn rule(field: &FieldDescriptor, name: &str) -> Option<Value> {
    let rules = rules(field)?;
    rules.has_field_by_name(name).then(|| rules.get_field_by_name(name).unwrap().into_owned())
}

fn format(field: &FieldDescriptor) -> i32 {
    rule(field, "format").and_then(|value| value.as_enum_number()).unwrap_or(0)
}

/// A value that breaks nothing.
fn fine(field: &FieldDescriptor) -> Value {
    match field.kind() {
        Kind::String => Value::String(
            match format(field) {
                1 | 2 => "2020-01-01",
                6 => "diagnoses",
                7 => "0000000000000000000000000000000000000000000000000000000000000000",
                8 => "file.yaml",
                _ => "word",
            }
            .to_owned(),
        ),
        Kind::Message(inner) => Value::Message(minimal(&inner)),
        Kind::Double => Value::F64(1.0),
        Kind::Int32 => Value::I32(1),
        Kind::Uint64 => Value::U64(1),
        Kind::Bool => Value::Bool(true),
        Kind::Bytes => Value::Bytes(Vec::new().into()),
        Kind::Enum(_) => Value::EnumNumber(1),
        other => panic!("{other:?}"),
    }
}

/// The smallest message that breaks nothing.
fn minimal(descriptor: &MessageDescriptor) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    for field in descriptor.fields() {
        if rule(&field, "required").is_some() {
            let value = fine(&field);
            message.set_field(&field, if field.is_list() { Value::List(vec![value]) } else { value });
        }
    }
    message
}

/// Every field that can be reached.
fn sites(root: &MessageDescriptor) -> Vec<Site> {
    let mut open = vec![(Vec::new(), root.clone())];
    let mut sites = Vec::new();
    while let Some((path, descriptor)) = open.pop() {
        for field in descriptor.fields() {
            if let Kind::Message(inner) = field.kind() {
                let mut deeper = path.clone();
                deeper.push(field.clone());
                open.push((deeper, inner));
            }
            sites.push(Site { path: path.clone(), field });
        }
    }
    sites
}

impl Site {
    /// The path in the spelling of the contract.
    fn name(&self, entry: bool) -> String {
        let mut parts: Vec<String> = self
            .path
            .iter()
            .map(|field| if field.is_list() { format!("{}[0]", field.name()) } else { field.name().to_owned() })
            .collect();
        let index = if entry && self.field.is_list() { "[0]" } else { "" };
        parts.push(format!("{}{index}", self.field.name()));
        parts.join(".")
    }

    /// A request that is fine but for what `change` does to the field's message.
    fn request(&self, root: &MessageDescriptor, change: impl FnOnce(&mut DynamicMessage)) -> DynamicMessage {
        let mut message = minimal(self.field.parent_message());
        change(&mut message);
        for field in self.path.iter().rev() {
            let mut parent = minimal(field.parent_message());
            let value = Value::Message(message);
            parent.set_field(field, if field.is_list() { Value::List(vec![value]) } else { value });
            message = parent;
        }
        assert_eq!(&message.descriptor(), root);
        message
    }

    fn with(&self, root: &MessageDescriptor, value: Value) -> DynamicMessage {
        let value = if self.field.is_list() { Value::List(vec![value]) } else { value };
        self.request(root, |message| message.set_field(&self.field, value))
    }
}

fn read_as<M: Message + Default>(message: &DynamicMessage) -> M {
    M::decode(message.encode_to_vec().as_slice()).unwrap()
}

fn check(message: &DynamicMessage) -> Vec<Violation> {
    let limits = Limits::default();
    let refusal = match message.descriptor().name() {
        "EvaluateRequest" => {
            read(read_as(message), &limits, Timestamp::UNIX_EPOCH + jiff::Span::new().hours(500_000)).err()
        }
        "GetRuleRequest" => rule_id(read_as(message), &limits).err(),
        "ListRulesRequest" => page(read_as(message), &limits).err(),
        "CheckRulesetRequest" => candidate(read_as(message), &limits).err(),
        "GetDecisionRequest" => audit::get(&read_as(message), &limits).err(),
        "ListDecisionsRequest" => match audit::listing(&read_as(message), &limits) {
            // A token of a well-formed request is held against its filters next.
            Err(Refusal::PageToken) => None,
            outcome => outcome.err(),
        },
        "ReplayDecisionRequest" => audit::replay(&read_as(message), &limits).err(),
        "RecordFeedbackRequest" => audit::feedback(&read_as(message), &limits).err(),
        "GetInclusionProofRequest" => audit::place(&read_as(message), &limits).err(),
        "GetRulesetRequest" | "GetCheckpointRequest" | "GetConsistencyProofRequest" => None,
        other => panic!("{other} is not checked here"),
    };
    match refusal {
        None => Vec::new(),
        Some(Refusal::Fields(violations)) => violations,
        Some(other) => panic!("{other:?}"),
    }
}

fn roots() -> Vec<MessageDescriptor> {
    let services = pool().unwrap().services();
    services
        .flat_map(|service| service.methods().map(|method| method.input()).collect::<Vec<_>>())
        // Its only field is a request of the list, and its absence is tested with the service.
        .filter(|input| input.name() != "EvaluateStreamRequest")
        .collect()
}

fn expect(message: &DynamicMessage, field: &str, reason: ErrorReason) {
    let violations = check(message);
    let found = violations.iter().any(|violation| violation.field == field && violation.reason == reason);
    assert!(found, "{field}: {reason:?} expected, got {violations:?}");
}

/// Breaks one rule of one field.
fn break_rule(root: &MessageDescriptor, site: &Site, name: &str, value: &Value) {
    let number = |value: f64| match site.field.kind() {
        #[expect(clippy::cast_possible_truncation, reason = "bounds of integers are whole")]
        Kind::Int32 => Value::I32(value as i32),
        _ => Value::F64(value),
    };
    match (name, value) {
        ("required", _) => {
            let message = site.request(root, |message| message.clear_field(&site.field));
            expect(&message, &site.name(false), ErrorReason::Required);
        }
        ("max_items", Value::U32(most)) => {
            let entries = vec![fine(&site.field); usize::try_from(*most).unwrap() + 1];
            let message = site.request(root, |message| message.set_field(&site.field, Value::List(entries)));
            expect(&message, &site.name(false), ErrorReason::TooManyEntries);
        }
        ("max_bytes", Value::U32(most)) => {
            let long = "a".repeat(usize::try_from(*most).unwrap() + 1);
            expect(&site.with(root, Value::String(long)), &site.name(true), ErrorReason::StringTooLong);
        }
        ("format", Value::EnumNumber(format)) => {
            let (text, reason) = match format {
                1 => ("01.02.2020", ErrorReason::Format),
                2 => ("2020", ErrorReason::Format),
                3 => ("F11.2\u{41e}", ErrorReason::LookAlike),
                4 => ("Not a token", ErrorReason::Format),
                5 => ("has space", ErrorReason::Format),
                6 => ("dreams", ErrorReason::Format),
                7 => ("sha256:12", ErrorReason::Format),
                8 => ("../rules.yaml", ErrorReason::Format),
                other => panic!("format {other} has no test"),
            };
            expect(&site.with(root, Value::String(text.to_owned())), &site.name(true), reason);
            if *format <= 2 {
                let message = site.with(root, Value::String("2023-02-30".to_owned()));
                expect(&message, &site.name(true), ErrorReason::ImpossibleDate);
            }
        }
        ("minimum", Value::F64(least)) => {
            expect(&site.with(root, number(least - 1.0)), &site.name(true), ErrorReason::Range);
        }
        ("maximum", Value::F64(most)) => {
            expect(&site.with(root, number(most + 1.0)), &site.name(true), ErrorReason::Range);
        }
        ("one_of_group", Value::String(group)) => break_group(root, site, group),
        (other, value) => panic!("rule {other} ({value:?}) has no test"),
    }
}

fn break_group(root: &MessageDescriptor, site: &Site, group: &str) {
    let same = |field: &FieldDescriptor| rule(field, "one_of_group") == Some(Value::String(group.to_owned()));
    for other in site.field.parent_message().fields().filter(same) {
        if other == site.field {
            continue;
        }
        let message = site.request(root, |message| {
            message.set_field(&site.field, fine(&site.field));
            message.set_field(&other, fine(&other));
        });
        let violations = check(&message);
        let conflict = violations.iter().any(|violation| violation.reason == ErrorReason::Conflict);
        assert!(conflict, "{} and {}: {violations:?}", site.name(true), other.name());
    }
}

#[test]
fn every_annotation_is_enforced_wherever_it_stands() {
    let mut broken = 0;
    for root in roots() {
        assert_eq!(check(&minimal(&root)), [], "{}", root.name());
        for site in sites(&root) {
            let Some(rules) = rules(&site.field) else {
                continue;
            };
            for (rule, value) in rules.fields() {
                break_rule(&root, &site, rule.name(), value);
                broken += 1;
            }
        }
    }
    assert!(broken > 90, "{broken}");
}

#[test]
fn what_no_annotation_need_say_is_enforced_too() {
    for root in roots() {
        for site in sites(&root) {
            match site.field.kind() {
                Kind::Enum(_) => {
                    expect(&site.with(&root, Value::EnumNumber(99)), &site.name(true), ErrorReason::EnumValue);
                }
                Kind::Double => {
                    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, 1e-300] {
                        expect(&site.with(&root, Value::F64(number)), &site.name(true), ErrorReason::Range);
                    }
                }
                Kind::String => {
                    assert!(rules(&site.field).is_some(), "{} has no rules", site.name(false));
                    if matches!(format(&site.field), 0 | 3) {
                        let message = site.with(&root, Value::String("a\u{1b}[2J".to_owned()));
                        expect(&message, &site.name(true), ErrorReason::ControlCharacter);
                    }
                }
                _ => {}
            }
        }
    }
}
