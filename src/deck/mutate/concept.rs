//! Mutants of a value set: one code dropped of each code system.
//!
//! A set has hundreds of codes, and a case shows one. So the code that is
//! dropped is the first that a case uses; where none is used, the first of a
//! list of few. Longer lists that no case touches are counted as left out.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::clinical::code::{CodeSystem, read_code};
use crate::clinical::concept::{ConceptDef, IcdEntry};
use crate::clinical::terminology::ingredients_of;

use super::super::Deck;

/// A list that no case touches is mutated if it has at most so many codes.
const FEW: usize = 3;

/// Codes that the cases send, in normal form, with the ingredients of products.
pub(super) struct Used(BTreeSet<(CodeSystem, String)>);

impl Used {
    pub(super) fn of(deck: &Deck) -> Self {
        let mut used = BTreeSet::new();
        deck.cases.iter().for_each(|case| codes(&case.patient, &mut used));
        Self(used)
    }

    fn has(&self, code: &Code) -> bool {
        match code {
            Code::Icd(entry) => {
                let fits = |code: &str| code == entry.code || (entry.below && code.starts_with(entry.code.as_str()));
                self.0.iter().any(|(system, code)| *system == CodeSystem::Icd10Cm && fits(code))
            }
            Code::Listed(system, code) => self.0.contains(&(*system, code.clone())),
        }
    }
}

fn codes(value: &Value, used: &mut BTreeSet<(CodeSystem, String)>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| codes(item, used)),
        Value::Object(fields) => {
            let text = |key: &str| fields.get(key).and_then(Value::as_str);
            if let (Some(system), Some(code)) = (text("system"), text("code"))
                && let Ok(system) = CodeSystem::resolve(system)
                && let Ok(read) = read_code(system, code)
            {
                if system == CodeSystem::RxNorm {
                    used.extend(ingredients_of(&read.code).map(|code| (system, code.to_owned())));
                }
                used.insert((system, read.code));
            }
            fields.values().for_each(|field| codes(field, used));
        }
        _ => {}
    }
}

/// A list of codes of a value set.
type List = fn(&mut ConceptDef) -> &mut Vec<String>;

/// A value set without one code.
pub(super) struct Changed {
    pub(super) change: String,
    pub(super) def: ConceptDef,
    pub(super) code: Code,
}

impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Icd(entry) => write!(out, "{} {entry}", CodeSystem::Icd10Cm.name()),
            Self::Listed(system, code) => write!(out, "{} {code}", system.name()),
        }
    }
}

/// A code that is dropped.
#[derive(Debug)]
pub(super) enum Code {
    Icd(IcdEntry),
    Listed(CodeSystem, String),
}

impl Code {
    /// Does a patient have the code, one below it, or a header above it?
    pub(super) fn is_in(&self, patient: &Value) -> bool {
        let mut used = BTreeSet::new();
        codes(patient, &mut used);
        match self {
            Self::Icd(entry) => used.iter().any(|(system, code)| {
                let near = code.starts_with(&entry.code) || entry.code.starts_with(code.as_str());
                *system == CodeSystem::Icd10Cm && near
            }),
            Self::Listed(system, code) => used.contains(&(*system, code.clone())),
        }
    }
}

/// Every mutant of a value set, with how many codes were left out.
pub(super) fn mutants(def: &ConceptDef, used: &Used) -> (Vec<Changed>, usize) {
    let mut found = Vec::new();
    let mut left_out = 0;
    let mut drop = |list: Vec<Code>, take: &dyn Fn(&mut ConceptDef, usize)| {
        let at = list.iter().position(|code| used.has(code)).or((1..=FEW).contains(&list.len()).then_some(0));
        left_out += list.len().saturating_sub(usize::from(at.is_some()));
        if let Some((at, code)) = at.and_then(|at| Some((at, list.into_iter().nth(at)?))) {
            let mut changed = def.clone();
            take(&mut changed, at);
            found.push(Changed { change: format!("{code} dropped"), def: changed, code });
        }
    };
    let icd = |list: &[IcdEntry]| list.iter().cloned().map(Code::Icd).collect::<Vec<_>>();
    drop(icd(&def.icd10cm), &|def, at| {
        def.icd10cm.remove(at);
    });
    drop(icd(&def.icd10cm_retired), &|def, at| {
        def.icd10cm_retired.remove(at);
    });
    let lists: [(CodeSystem, &Vec<String>, List); 7] = [
        (CodeSystem::SnomedCt, &def.snomed, |def| &mut def.snomed),
        (CodeSystem::Loinc, &def.loinc, |def| &mut def.loinc),
        (CodeSystem::Concord, &def.local, |def| &mut def.local),
        (CodeSystem::RxNorm, &def.rxnorm_ingredients, |def| &mut def.rxnorm_ingredients),
        (CodeSystem::RxNorm, &def.rxnorm_products, |def| &mut def.rxnorm_products),
        (CodeSystem::RxNorm, &def.rxnorm_except, |def| &mut def.rxnorm_except),
        (CodeSystem::RxNorm, &def.without_ingredients, |def| &mut def.without_ingredients),
    ];
    for (system, list, of) in lists {
        let codes = list.iter().map(|code| Code::Listed(system, code.clone())).collect();
        drop(codes, &|def, at| {
            of(def).remove(at);
        });
    }
    (found, left_out)
}
