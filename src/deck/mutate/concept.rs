//! Mutants of a value set: one code dropped of each code system.
//!
//! A set has hundreds of codes, and a case shows one. So the code that is
//! dropped is the first that a case uses; where none is used, the first of a
//! list of few. Longer lists that no case touches are counted as left out.

use std::collections::BTreeSet;

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

    fn has(&self, system: CodeSystem, code: &str) -> bool {
        self.0.contains(&(system, code.to_owned()))
    }

    fn has_icd(&self, entry: &IcdEntry) -> bool {
        let fits = |code: &str| code == entry.code || (entry.below && code.starts_with(entry.code.as_str()));
        self.0.iter().any(|(system, code)| *system == CodeSystem::Icd10Cm && fits(code))
    }
}

fn codes(value: &serde_json::Value, used: &mut BTreeSet<(CodeSystem, String)>) {
    match value {
        serde_json::Value::Array(items) => items.iter().for_each(|item| codes(item, used)),
        serde_json::Value::Object(fields) => {
            let text = |key: &str| fields.get(key).and_then(serde_json::Value::as_str);
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

/// Every mutant of a value set, with how many codes were left out.
pub(super) fn mutants(def: &ConceptDef, used: &Used) -> (Vec<(String, ConceptDef)>, usize) {
    let mut found = Vec::new();
    let mut left_out = 0;
    let mut drop = |words: Vec<String>, is_used: &dyn Fn(usize) -> bool, take: &dyn Fn(&mut ConceptDef, usize)| {
        let at = (0..words.len()).find(|at| is_used(*at)).or((1..=FEW).contains(&words.len()).then_some(0));
        left_out += words.len().saturating_sub(usize::from(at.is_some()));
        if let Some(at) = at {
            let mut changed = def.clone();
            take(&mut changed, at);
            found.push((format!("code {} dropped", words.get(at).map_or("", String::as_str)), changed));
        }
    };
    let icd = |list: &[IcdEntry]| list.iter().map(|entry| format!("ICD-10-CM {entry}")).collect::<Vec<_>>();
    let has_icd = |list: &[IcdEntry], at: usize| list.get(at).is_some_and(|entry| used.has_icd(entry));
    drop(icd(&def.icd10cm), &|at| has_icd(&def.icd10cm, at), &|def, at| {
        def.icd10cm.remove(at);
    });
    drop(icd(&def.icd10cm_retired), &|at| has_icd(&def.icd10cm_retired, at), &|def, at| {
        def.icd10cm_retired.remove(at);
    });
    type List = fn(&mut ConceptDef) -> &mut Vec<String>;
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
        let words = list.iter().map(|code| format!("{} {code}", system.name())).collect();
        drop(words, &|at| list.get(at).is_some_and(|code| used.has(system, code)), &|def, at| {
            of(def).remove(at);
        });
    }
    (found, left_out)
}
