//! Case files: one case, or a table of cases under a head that says what they
//! share. Nothing in them is skipped: what is not known is a fault at its place.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::api::json;
use crate::api::limits::Limits;
use crate::api::refusal::Refusal;
use crate::api::request::{self, Evaluation};
use crate::api::yaml::scalar;
use crate::diag::{Diagnostic, Files, Span};
use crate::rule::model::Package;
use crate::rule::read::form::{Form, Reader};
use crate::rule::shape;
use crate::rule::yaml::{self, Kind, Node};

use super::expect::{Expected, Expecting, Refused};
use super::judge::Found;
use super::{Case, Deck};

const KINDS: &[(&str, ())] = &[("published-case", ()), ("guideline-constructed", ())];

/// What the cases of a file share.
#[derive(Default)]
struct Head<'n> {
    as_of: Option<&'n Node>,
    source: bool,
    kind: bool,
    tags: Vec<String>,
    drafts: bool,
    patient: Option<&'n Node>,
}

/// Reads the cases of some files. Names are held against the package. The deck
/// is to be used only where there are no diagnostics.
#[must_use]
pub fn read(files: Files, package: &Package) -> (Deck, Vec<Diagnostic>) {
    read_for(files, Some(package))
}

/// Reads the cases of some files for their patients. What is expected of them
/// is left aside, so that a patient serves any package.
#[must_use]
pub fn read_patients(files: Files) -> (Deck, Vec<Diagnostic>) {
    read_for(files, None)
}

fn read_for(files: Files, package: Option<&Package>) -> (Deck, Vec<Diagnostic>) {
    let mut reader = Reader::default();
    let mut cases = Vec::new();
    for (index, _, text) in files.iter() {
        let Some(document) = yaml::read(index, text, &mut reader.faults) else { continue };
        let Some(mut form) = reader.form(&document, &shape::CASE) else { continue };
        if form.has("cases") {
            form.shape = &shape::CASE_TABLE;
            table(&mut reader, package, form, &mut cases);
        } else {
            cases.extend(case(&mut reader, package, &mut form, &Head::default()));
            form.finish(&mut reader);
        }
    }
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for case in &cases {
        if let Some(first) = seen.insert(&case.id, case.span) {
            let message = format!("the id `{}` stands for two cases", case.id);
            reader.fault(Diagnostic::error("duplicate-id", case.span, message).related(first, "first here"));
        }
    }
    (Deck { files, cases }, reader.faults)
}

fn table(reader: &mut Reader, package: Option<&Package>, mut form: Form<'_>, cases: &mut Vec<Case>) {
    let tags = form.take("tags").map_or_else(Vec::new, |node| tags(reader, node));
    let head = Head {
        as_of: form.take("as_of"),
        source: source(reader, &mut form),
        kind: kind(reader, &mut form),
        tags,
        drafts: drafts(reader, &mut form).unwrap_or_default(),
        patient: form.take("patient"),
    };
    for key in ["title", "summary", "notes"] {
        reader.optional_words(&mut form, key);
    }
    let items = reader.required(&mut form, "cases").map_or(&[][..], |node| reader.list(node, "`cases`"));
    form.finish(reader);
    for item in items {
        let Some(mut form) = reader.form(item, &shape::CASE_OF_TABLE) else { continue };
        cases.extend(case(reader, package, &mut form, &head));
        form.finish(reader);
    }
}

fn case(reader: &mut Reader, package: Option<&Package>, form: &mut Form<'_>, head: &Head<'_>) -> Option<Case> {
    let id_node = reader.required(form, "id");
    let id = id_node.and_then(|node| reader.words(node));
    let title = reader.required_words(form, "title");
    for key in ["summary", "reason", "notes"] {
        reader.optional_words(form, key);
    }
    if !source(reader, form) && !head.source {
        missing(reader, form, "source");
    }
    if !kind(reader, form) && !head.kind {
        missing(reader, form, "kind");
    }
    let mut tags_of = head.tags.clone();
    if let Some(node) = form.take("tags") {
        tags_of.extend(tags(reader, node));
    }
    if let Some(node) = form.take("notMapped") {
        not_mapped(reader, node);
    }
    let as_of = form.take("as_of").or(head.as_of);
    if as_of.is_none() {
        missing(reader, form, "as_of");
    }
    let as_of = as_of.and_then(|node| reader.words(node));
    let drafts = drafts(reader, form).unwrap_or(head.drafts);
    let patient = form.take("patient");
    if patient.is_none() && head.patient.is_none() {
        missing(reader, form, "patient");
    }
    let parts: Vec<&Node> = head.patient.into_iter().chain(patient).collect();
    let record = merged(reader, &parts);
    let expect = reader.required(form, "expect");
    let labeled = expect.is_some_and(|node| !matches!(&node.kind, Kind::Map(entries) if entries.is_empty()));
    let expected = package
        .zip(expect)
        .map_or_else(Expected::default, |(package, node)| Expecting::read(reader, package, drafts, node));
    let (id, title, as_of, record) = (id?, title?, as_of?, record?);
    let span = id_node.map_or(form.span, |node| node.span);
    let asked = Asked { record: &record, as_of: &as_of, parts: &parts, span };
    let (evaluation, refusal) = asked.read(reader, expected.refused.as_ref())?;
    Some(Case {
        id,
        title,
        tags: tags_of,
        span,
        as_of,
        drafts,
        patient: record,
        evaluation,
        refusal,
        expectations: expected.expectations,
        labeled,
    })
}

fn missing(reader: &mut Reader, form: &Form<'_>, key: &str) {
    let fault = Diagnostic::error("missing-key", form.span, format!("a case has no `{key}`"));
    reader.fault(fault.help(format!("add `{key}: …`, to the case or to the head of its file")));
}

fn source(reader: &mut Reader, form: &mut Form<'_>) -> bool {
    let Some(node) = form.take("source") else { return false };
    if let Some(mut form) = reader.form(node, &shape::CASE_SOURCE) {
        reader.required_words(&mut form, "title");
        for key in ["venue_or_org", "year", "url", "access", "license"] {
            if let Some(node) = form.take(key) {
                reader.text(node);
            }
        }
        form.finish(reader);
    }
    true
}

fn kind(reader: &mut Reader, form: &mut Form<'_>) -> bool {
    let Some(node) = form.take("kind") else { return false };
    reader.word(node, "a kind of case", KINDS);
    true
}

fn drafts(reader: &mut Reader, form: &mut Form<'_>) -> Option<bool> {
    form.take("drafts").and_then(|node| reader.boolean(node))
}

fn tags(reader: &mut Reader, node: &Node) -> Vec<String> {
    reader.texts(node, "`tags`").into_iter().map(|tag| tag.value).collect()
}

fn not_mapped(reader: &mut Reader, node: &Node) {
    for item in reader.list(node, "`notMapped`") {
        let Some(mut form) = reader.form(item, &shape::NOT_MAPPED) else { continue };
        for key in ["item", "section", "why"] {
            if let Some(node) = form.take(key) {
                reader.text(node);
            }
        }
        form.finish(reader);
    }
}

/// The patient of the head with the keys of the case's own put over it.
fn merged(reader: &mut Reader, parts: &[&Node]) -> Option<Value> {
    let mut record = Map::new();
    for part in parts {
        if !matches!(part.kind, Kind::Map(_)) {
            reader.shape(part, "a patient is a map of keys");
            return None;
        }
        let Value::Object(fields) = tree(reader, part)? else { return None };
        record.extend(fields);
    }
    Some(Value::Object(record))
}

/// A part of a document as JSON.
fn tree(reader: &mut Reader, node: &Node) -> Option<Value> {
    match &node.kind {
        Kind::Scalar(text) => match scalar(text, node.plain) {
            Ok(value) => Some(value),
            Err(message) => {
                reader.fault(Diagnostic::error("malformed-value", node.span, message));
                None
            }
        },
        Kind::List(items) => {
            let values: Vec<Option<Value>> = items.iter().map(|item| tree(reader, item)).collect();
            values.into_iter().collect::<Option<Vec<Value>>>().map(Value::Array)
        }
        Kind::Map(entries) => {
            let fields: Vec<_> = entries.iter().map(|(key, node)| (key.text.clone(), tree(reader, node))).collect();
            let fields = fields.into_iter().map(|(key, value)| Some((key, value?)));
            fields.collect::<Option<Map<String, Value>>>().map(Value::Object)
        }
    }
}

/// What a case asks, with what is needed to say where it is wrong.
struct Asked<'a> {
    record: &'a Value,
    as_of: &'a str,
    parts: &'a [&'a Node],
    span: Span,
}

impl Asked<'_> {
    /// The request as the service reads it, with what of the expectations of a
    /// refusal does not hold. None, with a fault, where it is no request.
    fn read(&self, reader: &mut Reader, expected: Option<&Refused>) -> Option<(Option<Evaluation>, Vec<Found>)> {
        match (self.request(reader, self.record)?, expected) {
            (Ok(evaluation), None) => Some((Some(evaluation), Vec::new())),
            (Ok(evaluation), Some(expected)) => {
                let refused = (!expected.any_outcome).then(|| found(expected, "answered"));
                Some((Some(evaluation), refused.into_iter().collect()))
            }
            (Err(refusal), None) => {
                let found = Found {
                    key: "patient",
                    subject: "the request".to_owned(),
                    expected: "answered".to_owned(),
                    found: words(&refusal),
                    span: self.span,
                };
                Some((None, vec![found]))
            }
            (Err(refusal), Some(expected)) => {
                let misses = unlike(&refusal, expected);
                if !expected.retry {
                    return Some((None, misses));
                }
                let mut record = self.record.clone();
                expected.fields.iter().for_each(|field| remove(&mut record, field));
                match self.request(reader, &record)? {
                    Ok(evaluation) => Some((Some(evaluation), misses)),
                    Err(refusal) => {
                        let again = found(expected, &format!("refused again: {}", words(&refusal)));
                        Some((None, misses.into_iter().chain([again]).collect()))
                    }
                }
            }
        }
    }

    fn request(&self, reader: &mut Reader, record: &Value) -> Option<Result<Evaluation, Refusal>> {
        let body = json!({"patient": record, "asOf": self.as_of});
        match json::from_serde(&body) {
            Ok(wire) => Some(request::read(wire, &Limits::default(), Timestamp::UNIX_EPOCH)),
            Err(error) => {
                let message = error.to_string();
                let named = |text: &str| message.contains(&format!("'{text}'"));
                let span = self.parts.iter().rev().find_map(|part| place(part, &named));
                reader.fault(Diagnostic::error("malformed-patient", span.unwrap_or(self.span), message));
                None
            }
        }
    }
}

/// Where a key or a value is written that is named.
fn place(node: &Node, named: &dyn Fn(&str) -> bool) -> Option<Span> {
    match &node.kind {
        Kind::Scalar(text) => named(text).then_some(node.span),
        Kind::List(items) => items.iter().find_map(|item| place(item, named)),
        Kind::Map(entries) => {
            let here = entries.iter().find(|(key, _)| named(&key.text)).map(|(key, _)| key.span);
            here.or_else(|| entries.iter().find_map(|(_, node)| place(node, named)))
        }
    }
}

fn words(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Fields(violations) => {
            let all: BTreeSet<String> = violations.iter().map(ToString::to_string).collect();
            format!("refused: {}", all.into_iter().collect::<Vec<_>>().join("; "))
        }
        other => format!("refused: {other:?}"),
    }
}

fn found(expected: &Refused, found: &str) -> Found {
    Found {
        key: "error",
        subject: "the request".to_owned(),
        expected: format!("refused with {}, naming {}", expected.code, expected.fields.join(", ")),
        found: found.to_owned(),
        span: expected.span,
    }
}

/// Does the refusal name every field, with one of the words?
fn unlike(refusal: &Refusal, expected: &Refused) -> Vec<Found> {
    let Refusal::Fields(violations) = refusal else { return vec![found(expected, &words(refusal))] };
    let named = |field: &String| violations.iter().any(|violation| violation.field.contains(field.as_str()));
    let said = expected.words.is_empty()
        || violations.iter().any(|violation| {
            let reason = violation.to_string().to_lowercase();
            expected.words.iter().any(|word| reason.contains(&word.to_lowercase()))
        });
    if expected.fields.iter().all(named) && said { Vec::new() } else { vec![found(expected, &words(refusal))] }
}

/// Drops the entry that a path such as `diagnoses[1]` names.
fn remove(record: &mut Value, path: &str) {
    let path = path.strip_prefix("patient.").unwrap_or(path);
    let (list, index) = match path.split_once('[') {
        Some((list, rest)) => (list, rest.split(']').next().and_then(|index| index.parse::<usize>().ok())),
        None => (path, None),
    };
    let Some(fields) = record.as_object_mut() else { return };
    match (index, fields.get_mut(list)) {
        (Some(index), Some(Value::Array(entries))) if index < entries.len() => {
            entries.remove(index);
        }
        (None, Some(_)) => {
            fields.remove(list);
        }
        _ => {}
    }
}
