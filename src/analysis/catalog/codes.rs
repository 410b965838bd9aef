//! Codes that stand for each other: those of which all concepts in question say
//! the same.

use std::collections::{BTreeMap, BTreeSet};

use super::Side;
use crate::clinical::code::{CodeSystem, read_code};
use crate::clinical::concept::{ConceptDef, ConceptKind, Match};
use crate::clinical::patient::Coding;
use crate::clinical::terminology;

/// A concept of a side.
pub type Known = (usize, usize);

/// Codes that stand for each other, and the one that does for them.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The code.
    pub coding: Coding,
    /// The concepts it means, of those in question.
    pub concepts: BTreeSet<Known>,
}

/// The cells of the concepts in question, in a fixed order.
pub fn cells(sides: &[Side<'_>], kind: ConceptKind, asked: &BTreeSet<Known>) -> Vec<Cell> {
    let asked = |means: &BTreeSet<Known>| -> BTreeSet<Known> { means.intersection(asked).copied().collect() };
    let cells = told_apart(sides, kind, &asked).into_iter();
    cells.map(|(concepts, coding)| Cell { coding, concepts }).collect()
}

/// One code for all of which the same is said, in a fixed order; none where
/// nothing is.
pub fn told_apart<S: Ord + Default>(
    sides: &[Side<'_>],
    kind: ConceptKind,
    said: &dyn Fn(&BTreeSet<Known>) -> S,
) -> Vec<(S, Coding)> {
    let mut codes = BTreeSet::new();
    for side in sides {
        for concept in side.package.concepts.iter().filter(|concept| concept.def.kind == kind) {
            codes.extend(codes_of(&concept.def));
        }
    }
    let nothing = S::default();
    let mut cells: BTreeMap<S, (usize, CodeSystem, String)> = BTreeMap::new();
    for (rank, system, code) in codes {
        let Ok(read) = read_code(system, &code) else { continue };
        let mut means = BTreeSet::new();
        for (side, one) in sides.iter().enumerate() {
            let certain = one.index.lookup(&read).into_iter().filter(|found| found.certainty == Match::Certain);
            means.extend(certain.map(|found| (side, found.concept)));
        }
        let says = said(&means);
        if says == nothing {
            continue;
        }
        let candidate = (rank, system, code);
        let best = cells.entry(says).or_insert_with(|| candidate.clone());
        if candidate < *best {
            *best = candidate;
        }
    }
    let cells = cells.into_iter();
    cells.map(|(says, (_, system, code))| (says, Coding { system: system.name().to_owned(), code })).collect()
}

/// The codes that a definition lists, each with its rank: the best known first.
fn codes_of(def: &ConceptDef) -> Vec<(usize, CodeSystem, String)> {
    let mut codes = Vec::new();
    for entry in &def.icd10cm {
        if terminology::is_billable(&entry.code) {
            codes.push((0, CodeSystem::Icd10Cm, entry.code.clone()));
        }
        if entry.below {
            let below = terminology::billable_descendants(&entry.code);
            codes.extend(below.map(|code| (0, CodeSystem::Icd10Cm, code.to_owned())));
        }
    }
    let lists = [
        (1, CodeSystem::RxNorm, &def.rxnorm_ingredients),
        (2, CodeSystem::RxNorm, &def.rxnorm_products),
        (3, CodeSystem::Loinc, &def.loinc),
        (4, CodeSystem::Concord, &def.local),
        (5, CodeSystem::SnomedCt, &def.snomed),
    ];
    for (rank, system, list) in lists {
        codes.extend(list.iter().map(|code| (rank, system, code.clone())));
    }
    codes
}
