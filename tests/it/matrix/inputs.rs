//! What is put into a field: for every kind of field, every kind of bad input that it can hold, as bytes of the wire.
//! A field of a kind that has no inputs here ends the test.

use std::collections::BTreeSet;

use prost::Message as _;
use prost_reflect::{
    Cardinality, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, ReflectMessage as _, Value,
};

use super::oracle::{Form, Rules, rules};
use crate::protowire::{self, varint};

/// What is done to a field. The first thirteen are those that the matrix is to have; the others are what else a client
/// can do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bad {
    Missing,
    Empty,
    MaximumPlusOne,
    WrongEnum,
    NotUtf8,
    LookAlike,
    ControlCharacter,
    NotANumber,
    Negative,
    Duplicate,
    UnknownSystem,
    RetiredCode,
    FutureDate,
    Maximum,
    ImpossibleDate,
    AnotherForm,
    UnknownWord,
    Excluded,
    WrongWire,
}

/// A request in which one field is bad.
pub struct Case {
    pub method: MethodDescriptor,
    /// `patient.diagnoses[0].onset`
    pub path: String,
    pub field: FieldDescriptor,
    pub bad: Bad,
    /// What it holds, in short.
    pub what: String,
    pub bytes: Vec<u8>,
}

/// An input of a field: what it is, and the fields on the wire that take the place of it.
type Input = (Bad, String, Vec<u8>);

// The wire.

fn tag(field: &FieldDescriptor, wire: u64) -> Vec<u8> {
    protowire::tag(field.number(), wire)
}

fn block(field: &FieldDescriptor, bytes: &[u8]) -> Vec<u8> {
    protowire::block(field.number(), bytes)
}

fn whole(field: &FieldDescriptor, value: i64) -> Vec<u8> {
    [tag(field, 0), varint(value.cast_unsigned())].concat()
}

fn double(field: &FieldDescriptor, value: f64) -> Vec<u8> {
    [tag(field, 1), value.to_le_bytes().to_vec()].concat()
}

// What a field holds where it is not the one at fault.

/// Text of the form of a field.
fn fine_text(rules: &Rules) -> String {
    match rules.form {
        Form::Date | Form::Instant => "2020-01-01".to_owned(),
        Form::ListName => "diagnoses".to_owned(),
        Form::Digest => "0".repeat(64),
        Form::FilePath => "file.yaml".to_owned(),
        Form::Words | Form::Code | Form::Token | Form::Opaque => "word".to_owned(),
    }
}

/// The smallest message that its rules allow.
fn smallest(message: &MessageDescriptor) -> DynamicMessage {
    let mut made = DynamicMessage::new(message.clone());
    for field in message.fields().filter(|field| rules(field).required) {
        let value = match field.kind() {
            Kind::String => Value::String(fine_text(&rules(&field))),
            Kind::Message(inner) => Value::Message(smallest(&inner)),
            Kind::Double => Value::F64(1.0),
            Kind::Enum(_) => Value::EnumNumber(1),
            Kind::Int32 => Value::I32(1),
            Kind::Uint64 => Value::U64(1),
            other => panic!("{} is of {other:?}, of which the matrix knows no value", field.full_name()),
        };
        made.set_field(&field, if field.is_list() { Value::List(vec![value]) } else { value });
    }
    made
}

/// The message that a field of a message holds; of a list the first.
fn held(message: &DynamicMessage, field: &FieldDescriptor, inner: &MessageDescriptor) -> DynamicMessage {
    let there = message.has_field(field).then(|| message.get_field(field).into_owned());
    match there {
        Some(Value::Message(one)) => one,
        Some(Value::List(mut entries)) if !entries.is_empty() => match entries.swap_remove(0) {
            Value::Message(one) => one,
            other => panic!("{other:?}"),
        },
        _ => smallest(inner),
    }
}

/// Without the fields that exclude the one.
fn alone(message: &DynamicMessage, field: &FieldDescriptor) -> DynamicMessage {
    let mut message = message.clone();
    if let Some(group) = rules(field).group {
        for other in field.parent_message().fields() {
            if other != *field && rules(&other).group.as_ref() == Some(&group) {
                message.clear_field(&other);
            }
        }
    }
    message
}

/// The bytes of a message in which, at the end of a path, `content` takes the place of the last field.
fn put(message: &DynamicMessage, path: &[FieldDescriptor], content: &[u8], exclude: bool) -> Vec<u8> {
    let (field, rest) = path.split_first().expect("a path ends in a field");
    let mut outer = if exclude && rest.is_empty() { message.clone() } else { alone(message, field) };
    outer.clear_field(field);
    if rest.is_empty() {
        return [outer.encode_to_vec(), content.to_vec()].concat();
    }
    let Kind::Message(inner) = field.kind() else { panic!("{} is no message", field.full_name()) };
    let inner = put(&held(message, field, &inner), rest, content, exclude);
    [outer.encode_to_vec(), block(field, &inner)].concat()
}

// The inputs.

const CYRILLIC: char = '\u{430}';
const FULL_WIDTH: char = '\u{ff21}';
const JOINER: char = '\u{200d}';

fn texts(field: &FieldDescriptor, good: &str) -> Vec<Input> {
    let rules = rules(field);
    let most = rules.max_bytes.unwrap_or(256);
    let mut inputs: Vec<(Bad, String, Vec<u8>)> = Vec::new();
    let mut add = |bad, what: &str, text: Vec<u8>| inputs.push((bad, what.to_owned(), text));
    add(Bad::Empty, "nothing", Vec::new());
    add(Bad::Empty, "a space", b" ".to_vec());
    add(Bad::Maximum, "as long as may be", vec![b'a'; most]);
    add(Bad::MaximumPlusOne, "letters", vec![b'a'; most + 1]);
    add(Bad::MaximumPlusOne, "spaces", vec![b' '; most + 1]);
    add(Bad::MaximumPlusOne, "letters of two bytes", "\u{e9}".repeat(most / 2 + 1).into_bytes());
    for (what, tail) in [
        ("a byte that begins nothing", &[0xff][..]),
        ("a surrogate", &[0xed, 0xa0, 0x80]),
        ("an overlong zero", &[0xc0, 0x80]),
        ("a character cut short", &[0xe2, 0x82]),
    ] {
        add(Bad::NotUtf8, what, [good.as_bytes(), tail].concat());
    }
    for (what, odd) in [
        ("Cyrillic", CYRILLIC),
        ("full width", FULL_WIDTH),
        ("a zero width joiner", JOINER),
        ("a direction override", '\u{202e}'),
        ("a combining accent", '\u{301}'),
    ] {
        add(Bad::LookAlike, what, format!("{good}{odd}").into_bytes());
    }
    for (what, odd) in
        [("zero", '\0'), ("escape", '\u{1b}'), ("delete", '\u{7f}'), ("of C1", '\u{85}'), ("a line break", '\n')]
    {
        add(Bad::ControlCharacter, what, format!("{good}{odd}").into_bytes());
        add(Bad::ControlCharacter, &format!("{what} alone"), odd.to_string().into_bytes());
    }
    for text in ["NaN", "Infinity", "-Infinity", "1e999"] {
        add(Bad::NotANumber, text, text.as_bytes().to_vec());
    }
    for text in ["-1", "-2020-01-01"] {
        add(Bad::Negative, text, text.as_bytes().to_vec());
    }
    for text in ["2999-01-01", "2999", "2999-01-01T00:00:00Z"] {
        add(Bad::FutureDate, text, text.as_bytes().to_vec());
    }
    for text in ["2023-02-30", "2023-13", "2023-04-31T00:00:00Z", "2023-00-10"] {
        add(Bad::ImpossibleDate, text, text.as_bytes().to_vec());
    }
    for text in ["03/04/2024", "2024-1-1", "20240101", "2024-01-01T10:00:00", "a b", "A_b", "../a.yaml", "a,b"] {
        add(Bad::AnotherForm, text, text.as_bytes().to_vec());
    }
    add(Bad::UnknownWord, "a word", b"no-such-word".to_vec());
    add(Bad::UnknownSystem, "a system", b"urn:x:no-such-system".to_vec());
    add(Bad::RetiredCode, "a code", b"T40.4X1A".to_vec());
    inputs.into_iter().map(|(bad, what, text)| (bad, what, block(field, &text))).collect()
}

fn coding(message: &MessageDescriptor, system: &str, code: &str) -> Vec<u8> {
    let mut made = DynamicMessage::new(message.clone());
    made.set_field_by_name("system", Value::String(system.to_owned()));
    made.set_field_by_name("code", Value::String(code.to_owned()));
    made.encode_to_vec()
}

/// What a value of a field may be, for each kind of field.
#[expect(clippy::too_many_lines, reason = "a table: a block for each kind of field")]
fn inputs(field: &FieldDescriptor, base: &DynamicMessage) -> Vec<Input> {
    let rules = rules(field);
    let mut inputs: Vec<Input> = vec![(Bad::Missing, "absent".to_owned(), Vec::new())];
    // Its value in a request without fault, on the wire.
    let mut only = DynamicMessage::new(field.parent_message().clone());
    if base.has_field(field) {
        only.set_field(field, base.get_field(field).into_owned());
    } else if let Kind::Message(inner) = field.kind() {
        let value = Value::Message(smallest(&inner));
        only.set_field(field, if field.is_list() { Value::List(vec![value]) } else { value });
    }
    let good = only.encode_to_vec();
    match field.kind() {
        Kind::String => {
            let known = only.has_field(field).then(|| match only.get_field(field).into_owned() {
                Value::List(entries) => entries.first().and_then(|one| one.as_str().map(ToOwned::to_owned)),
                one => one.as_str().map(ToOwned::to_owned),
            });
            let good = known.flatten().unwrap_or_else(|| fine_text(&rules));
            inputs.extend(texts(field, &good));
            inputs.push((Bad::Duplicate, "twice".to_owned(), block(field, good.as_bytes()).repeat(2)));
        }
        Kind::Bytes => {
            for (bad, what, bytes) in [
                (Bad::Empty, "nothing", &b""[..]),
                (Bad::NotUtf8, "no text", &[0xff, 0xfe]),
                (Bad::ControlCharacter, "zero", b"a: \0"),
                (Bad::LookAlike, "Cyrillic", "rul\u{435}s: []".as_bytes()),
                (Bad::NotANumber, "NaN", b"NaN"),
                (Bad::AnotherForm, "no YAML", b"a: [b"),
                (Bad::UnknownWord, "a word", b"no-such-word: 1"),
            ] {
                inputs.push((bad, what.to_owned(), block(field, bytes)));
            }
            inputs.push((Bad::Duplicate, "twice".to_owned(), block(field, b"").repeat(2)));
        }
        Kind::Bool => {
            for value in [0, 1] {
                inputs.push((Bad::Empty, value.to_string(), whole(field, value)));
            }
            for value in [2, -1] {
                inputs.push((Bad::WrongEnum, value.to_string(), whole(field, value)));
            }
            inputs.push((Bad::Duplicate, "true and false".to_owned(), [whole(field, 1), whole(field, 0)].concat()));
        }
        Kind::Enum(defined) => {
            let last = i64::from(defined.values().map(|value| value.number()).max().unwrap_or_default());
            inputs.push((Bad::Empty, "zero".to_owned(), whole(field, 0)));
            for value in [last + 1, 99, i64::from(i32::MAX)] {
                inputs.push((Bad::WrongEnum, value.to_string(), whole(field, value)));
            }
            for value in [-1, i64::from(i32::MIN)] {
                inputs.push((Bad::Negative, value.to_string(), whole(field, value)));
            }
            inputs.push((Bad::MaximumPlusOne, "wider than an enum".to_owned(), whole(field, (1 << 40) + 99)));
            inputs.push((Bad::Duplicate, "a wrong one first".to_owned(), [whole(field, 99), good.clone()].concat()));
        }
        Kind::Int32 | Kind::Uint64 => {
            let signed = matches!(field.kind(), Kind::Int32);
            let most = if signed { i64::from(i32::MAX) } else { -1 };
            #[expect(clippy::cast_possible_truncation, reason = "bounds of whole numbers are whole")]
            let bounds = [rules.minimum.map(|least| least as i64 - 1), rules.maximum.map(|most| most as i64 + 1)];
            for value in bounds.into_iter().flatten().chain([most, i64::MAX]) {
                inputs.push((Bad::MaximumPlusOne, value.to_string(), whole(field, value)));
            }
            inputs.push((Bad::Empty, "zero".to_owned(), whole(field, 0)));
            for value in [-1, i64::from(i32::MIN), i64::MIN] {
                inputs.push((Bad::Negative, value.to_string(), whole(field, value)));
            }
            inputs.push((Bad::Duplicate, "twice".to_owned(), whole(field, 1).repeat(2)));
        }
        Kind::Double => {
            for value in [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::from_bits(0x7ff0_0000_0000_0001)]
            {
                inputs.push((Bad::NotANumber, value.to_string(), double(field, value)));
            }
            for value in [-1.0, -1e-3, -7.5e27] {
                inputs.push((Bad::Negative, value.to_string(), double(field, value)));
            }
            for value in [1e300, f64::MAX, 1e-300, f64::MIN_POSITIVE, 8e28] {
                inputs.push((Bad::MaximumPlusOne, format!("{value:e}"), double(field, value)));
            }
            for value in [0.0, -0.0] {
                inputs.push((Bad::Empty, value.to_string(), double(field, value)));
            }
            inputs.push((Bad::Duplicate, "twice".to_owned(), double(field, 1.0).repeat(2)));
        }
        Kind::Message(inner) => {
            inputs.push((Bad::Empty, "an empty message".to_owned(), block(field, &[])));
            inputs.push((Bad::Duplicate, "twice".to_owned(), good.repeat(2)));
            if let Some(most) = rules.max_items {
                inputs.push((Bad::MaximumPlusOne, "entries".to_owned(), good.repeat(most + 1)));
                inputs.push((Bad::MaximumPlusOne, "empty entries".to_owned(), block(field, &[]).repeat(most + 1)));
            }
            if inner.full_name() == "concord.v1.Coding" {
                for (bad, what, system, code) in [
                    (Bad::UnknownSystem, "of no one", "urn:x:no-such-system", "1"),
                    (Bad::UnknownSystem, "of another", "http://hl7.org/fhir/sid/icd-10", "F11.20"),
                    (Bad::UnknownSystem, "by its object id", "urn:oid:1.2.3", "F11.20"),
                    (Bad::RetiredCode, "of ICD-10-CM", "ICD-10-CM", "T40.4X1A"),
                    (Bad::UnknownWord, "not in ICD-10-CM", "ICD-10-CM", "F11.26"),
                    (Bad::UnknownWord, "not in RxNorm", "RxNorm", "99999999"),
                    (Bad::AnotherForm, "no ICD-10-CM", "ICD-10-CM", "11.F"),
                    (Bad::AnotherForm, "a wrong check digit", "SNOMED CT", "75544001"),
                    (Bad::AnotherForm, "no RxNorm", "RxNorm", "abc"),
                    (Bad::AnotherForm, "no LOINC", "LOINC", "8636-4"),
                    (Bad::Negative, "of RxNorm", "RxNorm", "-36437"),
                    (Bad::NotANumber, "of RxNorm", "RxNorm", "NaN"),
                ] {
                    inputs.push((bad, what.to_owned(), block(field, &coding(&inner, system, code))));
                }
            }
        }
        other => panic!("{} is of {other:?}: say here what may be wrong with it", field.full_name()),
    }
    if let (Kind::String, Some(most), true) = (field.kind(), rules.max_items, field.is_list()) {
        let entry = block(field, fine_text(&rules).as_bytes());
        inputs.push((Bad::MaximumPlusOne, "entries".to_owned(), entry.repeat(most + 1)));
        inputs.push((Bad::Maximum, "entries".to_owned(), entry.repeat(most)));
    }
    // What no field can be read from, whatever it holds.
    let wire = i32::from(!matches!(field.kind(), Kind::Double));
    let other = if wire == 1 { double(field, 1.0) } else { whole(field, 1) };
    inputs.push((Bad::WrongWire, "another wire type".to_owned(), other));
    inputs.push((Bad::WrongWire, "longer than the message".to_owned(), [tag(field, 2), varint(9_999)].concat()));
    inputs.push((Bad::WrongWire, "a group that does not end".to_owned(), tag(field, 3)));
    if let (Some(_), true) = (&rules.group, !good.is_empty() || !matches!(field.kind(), Kind::Message(_))) {
        let value = match field.kind() {
            Kind::String => block(field, fine_text(&rules).as_bytes()),
            Kind::Int32 | Kind::Uint64 => whole(field, 1),
            Kind::Double => double(field, 1.0),
            _ => good,
        };
        inputs.push((Bad::Excluded, "with all that exclude it".to_owned(), value));
    }
    inputs
}

/// Every case of a method: each field that can be reached, with each input. `base` is a request without fault.
pub fn cases(method: &MethodDescriptor, base: &DynamicMessage) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut open = vec![(Vec::new(), base.clone())];
    let mut reached = BTreeSet::new();
    while let Some((path, message)) = open.pop() {
        for field in message.descriptor().fields() {
            assert!(field.cardinality() != Cardinality::Required && !field.is_map(), "{}", field.full_name());
            let deeper: Vec<FieldDescriptor> = path.iter().chain([&field]).cloned().collect();
            let first = |field: &FieldDescriptor| if field.is_list() { "[0]" } else { "" };
            let spelled = |path: &[FieldDescriptor]| {
                path.iter().map(|field| format!("{}{}", field.name(), first(field))).collect::<Vec<_>>().join(".")
            };
            for (bad, what, content) in inputs(&field, &message) {
                let exclude = bad == Bad::Excluded;
                let start = if exclude { with_group(base, &deeper) } else { base.clone() };
                let bytes = put(&start, &deeper, &content, exclude);
                cases.push(Case {
                    method: method.clone(),
                    path: spelled(&deeper),
                    field: field.clone(),
                    bad,
                    what,
                    bytes,
                });
            }
            if let Kind::Message(inner) = field.kind()
                && reached.insert(spelled(&deeper))
                && deeper.len() < 8
            {
                open.push((deeper, held(&message, &field, &inner)));
            }
        }
    }
    cases
}

/// With every other field of the group of the last field of a path set.
fn with_group(base: &DynamicMessage, path: &[FieldDescriptor]) -> DynamicMessage {
    let Some((field, rest)) = path.split_first() else { return base.clone() };
    let mut message = base.clone();
    if rest.is_empty() {
        let group = rules(field).group;
        for other in field.parent_message().fields().filter(|other| other != field && rules(other).group == group) {
            let value = match other.kind() {
                Kind::String => Value::String(fine_text(&rules(&other))),
                Kind::Int32 => Value::I32(1),
                Kind::Uint64 => Value::U64(1),
                Kind::Double => Value::F64(1.0),
                Kind::Message(inner) => Value::Message(smallest(&inner)),
                _ => panic!("{} is of a group", other.full_name()),
            };
            message.set_field(&other, value);
        }
        return message;
    }
    let Kind::Message(inner) = field.kind() else { return message };
    let value = Value::Message(with_group(&held(base, field, &inner), rest));
    message.set_field(field, if field.is_list() { Value::List(vec![value]) } else { value });
    message
}
