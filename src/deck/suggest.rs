//! The smallest patients that would show what no case shows yet, for a
//! clinician to say what is to be expected of them.
//!
//! Each is a patient of the deck with one change: an entry or a field less, or
//! one more that another patient of the deck has. That the patient shows what
//! is missing is found by evaluating, never assumed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::api::json;
use crate::api::limits::Limits;
use crate::api::request;
use crate::engine::Engine;
use crate::engine::evaluate::Valuation;
use crate::program::{NodeId, Outline};
use crate::rule::truth::Truth;

use super::Deck;
use super::coverage::{Coverage, Goal, Seen, Shown};

/// A patient who would show something.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggested {
    /// Rule or definition.
    pub rule: String,
    /// The clause, by its place in the order of writing; none: the rule itself.
    pub clause: Option<usize>,
    /// What would be shown, in words.
    pub goal: String,
    /// The patient.
    pub patient: Value,
    /// The instant.
    pub as_of: String,
}

/// A condition with goals that are missing.
struct Wanted<'a> {
    shown: &'a Shown,
    outline: &'a Outline,
    nodes: Vec<NodeId>,
    /// Place in the goals of the condition, and its words.
    goals: Vec<(usize, Option<usize>, &'static str)>,
}

/// A patient to try.
struct Candidate {
    patient: Value,
    as_of: String,
    size: usize,
}

/// Looks for a patient for everything that is missing. What no single change
/// shows gets none.
#[must_use]
pub fn suggest(coverage: &Coverage, engine: &Engine, deck: &Deck) -> Vec<Suggested> {
    let wanted = wanted(coverage, engine);
    let pool = pool(deck);
    let mut best: BTreeMap<(usize, usize), Candidate> = BTreeMap::new();
    let mut tried = BTreeSet::new();
    for case in &deck.cases {
        let Some(base) = readings(engine, &case.patient, &case.as_of) else { continue };
        for patient in changes(&case.patient, &pool) {
            let text = patient.to_string();
            if !tried.insert((case.as_of.clone(), text.clone())) {
                continue;
            }
            let Some(values) = readings(engine, &patient, &case.as_of) else { continue };
            for (at, one) in wanted.iter().enumerate() {
                for goal in reached(one, &base, &values) {
                    let size = text.len();
                    if best.get(&(at, goal)).is_none_or(|found| size < found.size) {
                        let candidate = Candidate { patient: patient.clone(), as_of: case.as_of.clone(), size };
                        best.insert((at, goal), candidate);
                    }
                }
            }
        }
    }
    let found = best.into_iter().filter_map(|((at, goal), candidate)| {
        let one = wanted.get(at)?;
        let (_, clause, words) = one.goals.iter().find(|(place, ..)| *place == goal)?;
        Some(Suggested {
            rule: one.shown.id.clone(),
            clause: *clause,
            goal: words_of(one.shown, *clause, words),
            patient: candidate.patient,
            as_of: candidate.as_of,
        })
    });
    found.collect()
}

fn words_of(shown: &Shown, clause: Option<usize>, goal: &str) -> String {
    match clause.and_then(|clause| shown.clauses.get(clause)) {
        Some(clause) => format!("{goal}: {}", clause.text),
        None => goal.to_owned(),
    }
}

fn wanted<'a>(coverage: &'a Coverage, engine: &'a Engine) -> Vec<Wanted<'a>> {
    let program = engine.program();
    let outline = |shown: &Shown| {
        let rule = program.rules.iter().find(|one| one.id == shown.id).map(|one| &one.outline);
        let definition = || program.definitions.iter().find(|one| one.id == shown.id).map(|one| &one.outline);
        if shown.kind == "definition" { definition() } else { rule }
    };
    let all = coverage.rules.iter().chain(&coverage.definitions);
    let wanted = all.filter_map(|shown| {
        let outline = outline(shown)?;
        let goals = goals(shown);
        let nodes = outline.clauses().iter().map(|clause| clause.node).collect();
        (!goals.is_empty()).then_some(Wanted { shown, outline, nodes, goals })
    });
    wanted.collect()
}

/// Missing goals, by their place in [`Seen::flat`].
fn goals(shown: &Shown) -> Vec<(usize, Option<usize>, &'static str)> {
    let own: [(Option<usize>, &'static str, &Goal); 3] = [
        (None, "it is true", &shown.fires),
        (None, "it is false, and one clause keeps it so", &shown.near_miss),
        (None, "it is unknown", &shown.undecided),
    ];
    let clauses = shown.clauses.iter().enumerate().flat_map(|(at, clause)| {
        let unknown = clause.unknown.as_ref().map(|goal| (Some(at), "this clause is unknown with it", goal));
        let both = [
            (Some(at), "it is true by this clause", &clause.holds),
            (Some(at), "it is not true for this clause", &clause.keeps),
        ];
        both.into_iter().chain(unknown)
    });
    let rule_itself = shown.kind != "definition";
    let all = own.into_iter().chain(clauses).enumerate();
    all.filter(|(at, (_, _, goal))| goal.is_missing() && (rule_itself || *at > 2))
        .map(|(at, (clause, words, _))| (at, clause, words))
        .collect()
}

/// The goals that a patient reaches. Where no clause differs from the patient
/// of the deck, nothing new is shown.
fn reached(wanted: &Wanted<'_>, base: &Valuation, values: &Valuation) -> Vec<usize> {
    if wanted.nodes.iter().all(|node| base.get(*node) == values.get(*node)) {
        return Vec::new();
    }
    let own: Vec<Truth> = wanted.nodes.iter().map(|node| values.get(*node)).collect();
    let grave = wanted.shown.clauses.iter().any(|clause| clause.unknown.is_some());
    let seen = Seen::of(wanted.outline, &own).flat(grave);
    wanted.goals.iter().map(|(at, ..)| *at).filter(|at| seen.get(*at).copied().unwrap_or(false)).collect()
}

fn readings(engine: &Engine, patient: &Value, as_of: &str) -> Option<Valuation> {
    let wire = json::from_serde(&json!({"patient": patient, "asOf": as_of})).ok()?;
    let evaluation = request::read(wire, &Limits::default(), Timestamp::UNIX_EPOCH).ok()?;
    engine.readings(&evaluation.patient, &evaluation.as_of).into_iter().next()
}

/// Entries of lists and values of fields that the patients of the deck have.
fn pool(deck: &Deck) -> BTreeMap<String, Vec<Value>> {
    let mut pool: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    let fields = deck.cases.iter().filter_map(|case| case.patient.as_object()).flatten();
    for (key, value) in fields.filter(|(key, _)| key.as_str() != "id") {
        let of_key = pool.entry(key.clone()).or_default();
        match value {
            Value::Array(entries) => of_key.extend(entries.iter().map(|entry| (entry.to_string(), entry.clone()))),
            other => {
                of_key.insert(other.to_string(), other.clone());
            }
        }
    }
    pool.into_iter().map(|(key, values)| (key, values.into_values().collect())).collect()
}

const LISTS: [&str; 9] =
    ["diagnoses", "medications", "allergies", "observations", "events", "history", "plans", "preferences", "partial"];

/// Every patient that is one change away.
fn changes(patient: &Value, pool: &BTreeMap<String, Vec<Value>>) -> Vec<Value> {
    let Some(fields) = patient.as_object() else { return Vec::new() };
    let mut found = Vec::new();
    let mut put = |key: &str, value: Option<Value>| {
        let mut changed: Map<String, Value> = fields.clone();
        changed.remove("id");
        match value {
            Some(value) => changed.insert(key.to_owned(), value),
            None => changed.remove(key),
        };
        found.push(Value::Object(changed));
    };
    for (key, value) in fields.iter().filter(|(key, _)| key.as_str() != "id") {
        put(key, None);
        for at in 0..value.as_array().map_or(0, Vec::len) {
            let rest = value.as_array().into_iter().flatten().enumerate().filter(|(other, _)| *other != at);
            put(key, Some(rest.map(|(_, entry)| entry.clone()).collect()));
        }
    }
    for (key, values) in pool {
        let own = fields.get(key);
        for value in values {
            if !LISTS.contains(&key.as_str()) && !own.is_some_and(Value::is_array) {
                put(key, Some(value.clone()));
                continue;
            }
            let mut entries = own.and_then(Value::as_array).cloned().unwrap_or_default();
            if !entries.contains(value) {
                entries.push(value.clone());
                put(key, Some(Value::Array(entries)));
            }
        }
    }
    found
}
