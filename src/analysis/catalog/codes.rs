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
    let mut codes = BTreeSet::new();
    for side in sides {
        for concept in side.package.concepts.iter().filter(|concept| concept.def.kind == kind) {
            codes.extend(codes_of(&concept.def));
        }
    }
    let mut cells: BTreeMap<BTreeSet<Known>, (usize, CodeSystem, String)> = BTreeMap::new();
    for (rank, system, code) in codes {
        let Ok(read) = read_code(system, &code) else { continue };
        let mut concepts = BTreeSet::new();
        for (side, one) in sides.iter().enumerate() {
            for found in one.index.lookup(&read) {
                if found.certainty == Match::Certain && asked.contains(&(side, found.concept)) {
                    concepts.insert((side, found.concept));
                }
            }
        }
        if concepts.is_empty() {
            continue;
        }
        let candidate = (rank, system, code);
        let best = cells.entry(concepts).or_insert_with(|| candidate.clone());
        if candidate < *best {
            *best = candidate;
        }
    }
    let cells = cells.into_iter().map(|(concepts, (_, system, code))| Cell {
        coding: Coding { system: system.name().to_owned(), code },
        concepts,
    });
    cells.collect()
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
