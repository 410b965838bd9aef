//! Files to requests: JSON, YAML or one JSON document a line, each holding an
//! EvaluateRequest or a bare Patient; or a case file in YAML.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

use super::cases;
use crate::api::json;
use crate::api::proto::{EvaluateRequest, Patient};
use crate::api::yaml::{self, Place};

/// A file that was read.
#[derive(Debug)]
pub struct Source {
    /// Name for messages; `-` for standard input.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// One request of a file, or why it is none.
#[derive(Debug)]
pub struct Document {
    /// The line it begins on.
    pub line: usize,
    /// What it asks, or why it asks nothing.
    pub request: Result<EvaluateRequest, Unreadable>,
}

/// Why a document can't be read: `file:line:column: message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(String);

impl Unreadable {
    pub(super) fn at(name: &str, line: usize, column: usize, message: &str) -> Self {
        Self(format!("{name}:{line}:{column}: {message}"))
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// What a document holds, by its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Request,
    Patient,
    Fhir,
    Cases,
}

const FHIR: &str =
    "this is FHIR (`resourceType`), which is not read yet: send a Patient or an EvaluateRequest of concord.v1";

const CASES: &str = "this is a case, and cases are read from YAML: name the file with `.yaml`";

/// Reads every document of a file.
pub fn documents(source: &Source) -> Vec<Document> {
    let ending = source.name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let is_yaml = match ending {
        "yaml" | "yml" => true,
        "json" | "ndjson" | "jsonl" => false,
        _ => !source.text.trim_start().starts_with('{'),
    };
    if is_yaml {
        return from_yaml(source);
    }
    if matches!(ending, "ndjson" | "jsonl") || is_lines(&source.text) {
        return source
            .text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(above, line)| Document {
                line: above.saturating_add(1),
                request: from_json(&source.name, above, line),
            })
            .collect();
    }
    vec![Document { line: 1, request: from_json(&source.name, 0, &source.text) }]
}

/// A whole document on the first line, and more lines after it.
fn is_lines(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    lines.next().is_some() && serde_json::from_str::<serde::de::IgnoredAny>(first).is_ok()
}

/// `above`: lines of the file before this text.
fn from_json(name: &str, above: usize, text: &str) -> Result<EvaluateRequest, Unreadable> {
    let unreadable = |error: serde_json::Error| {
        let whole = error.to_string();
        let tail = format!(" at line {} column {}", error.line(), error.column());
        let message = whole.strip_suffix(&tail).unwrap_or(&whole);
        let line = error.line().saturating_add(above);
        Unreadable(format!("{name}:{line}:{}: {message}", error.column()))
    };
    let mut reader = serde_json::Deserializer::from_str(text);
    let keys = Keys.deserialize(&mut reader).map_err(unreadable)?;
    reader.end().map_err(unreadable)?;
    match kind(&keys) {
        Kind::Fhir => Err(Unreadable(format!("{name}:{}:1: {FHIR}", above.saturating_add(1)))),
        Kind::Cases => Err(Unreadable(format!("{name}:{}:1: {CASES}", above.saturating_add(1)))),
        Kind::Request => json::from_str(text).map_err(unreadable),
        Kind::Patient => json::from_str(text).map(bare).map_err(unreadable),
    }
}

fn from_yaml(source: &Source) -> Vec<Document> {
    let one = |request| vec![Document { line: 1, request }];
    let at = |place: Place, message: &str| Unreadable::at(&source.name, place.line, place.column, message);
    let yaml = match yaml::read(&source.text) {
        Ok(yaml) => yaml,
        Err(fault) => return one(Err(at(fault.place, &fault.message))),
    };
    let Some(map) = yaml.value.as_object() else {
        return one(Err(at(Place { line: 1, column: 1 }, "a Patient or an EvaluateRequest is expected")));
    };
    let keys = map.keys().cloned().collect();
    let unfit = |error: serde_json::Error| {
        let message = error.to_string();
        // The tree knows no places, and most messages name a key that does.
        let named = yaml.keys.iter().find(|(key, _)| message.contains(&format!("'{key}'")));
        match named {
            Some((_, place)) => at(*place, &message),
            None => Unreadable(format!("{}: {message}", source.name)),
        }
    };
    one(match kind(&keys) {
        Kind::Cases => return cases::documents(source),
        Kind::Fhir => Err(at(Place { line: 1, column: 1 }, FHIR)),
        Kind::Request => json::from_serde(&yaml.value).map_err(unfit),
        Kind::Patient => json::from_serde(&yaml.value).map(bare).map_err(unfit),
    })
}

fn bare(patient: Patient) -> EvaluateRequest {
    EvaluateRequest { patient: Some(patient), ..EvaluateRequest::default() }
}

/// The two messages share no field, so that any field of the request tells.
/// Neither has what makes a case.
fn kind(keys: &BTreeSet<String>) -> Kind {
    if keys.contains("resourceType") {
        return Kind::Fhir;
    }
    if keys.contains("expect") || keys.contains("cases") {
        return Kind::Cases;
    }
    let descriptor = json::pool().ok().and_then(|pool| pool.get_message_by_name("concord.v1.EvaluateRequest"));
    let is_request = descriptor.is_some_and(|request| {
        request.fields().any(|field| keys.contains(field.json_name()) || keys.contains(field.name()))
    });
    if is_request { Kind::Request } else { Kind::Patient }
}

/// Reads a whole document for its outermost keys, and refuses a key given
/// twice at any depth: the last one would win without a word.
#[derive(Clone, Copy)]
struct Keys;

impl<'de> DeserializeSeed<'de> for Keys {
    type Value = BTreeSet<String>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

macro_rules! has_no_keys {
    ($($visit:ident: $type:ty),*) => {
        $(fn $visit<E>(self, _: $type) -> Result<Self::Value, E> {
            Ok(BTreeSet::new())
        })*
    };
}

impl<'de> Visitor<'de> for Keys {
    type Value = BTreeSet<String>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    has_no_keys!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(BTreeSet::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        while entries.next_element_seed(self)?.is_some() {}
        Ok(BTreeSet::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut keys = BTreeSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if keys.contains(&key) {
                return Err(A::Error::custom(format_args!("key `{key}` is given twice")));
            }
            entries.next_value_seed(self)?;
            keys.insert(key);
        }
        Ok(keys)
    }
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
