//! Codes that stand for each other: those of which all concepts in question say
//! the same.

use std::collections::{BTreeMap, BTreeSet, HashMap};

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

/// A code with its rank and system: the least stands for the others.
type Ranked<'a> = (usize, CodeSystem, &'a str);

/// The codes of the concepts of all sides, by what they mean.
pub struct Codes<'a> {
    /// For each kind the concepts that codes mean together, with the least of these codes.
    meant: HashMap<ConceptKind, Vec<(BTreeSet<Known>, Ranked<'a>)>>,
}

impl<'a> Codes<'a> {
    /// Looks every code up.
    pub fn new(sides: &[Side<'a>]) -> Self {
        let kinds = [ConceptKind::Diagnosis, ConceptKind::Medication, ConceptKind::Observation];
        Self { meant: kinds.into_iter().map(|kind| (kind, meant(sides, kind))).collect() }
    }

    /// The cells of the concepts in question, in a fixed order.
    pub fn cells(&self, kind: ConceptKind, asked: &BTreeSet<Known>) -> Vec<Cell> {
        let asked = |means: &BTreeSet<Known>| -> BTreeSet<Known> { means.intersection(asked).copied().collect() };
        let cells = self.told_apart(kind, &asked).into_iter();
        cells.map(|(concepts, coding)| Cell { coding, concepts }).collect()
    }

    /// One code for all of which the same is said, in a fixed order; none where
    /// nothing is.
    pub fn told_apart<S: Ord + Default>(
        &self,
        kind: ConceptKind,
        said: &dyn Fn(&BTreeSet<Known>) -> S,
    ) -> Vec<(S, Coding)> {
        let nothing = S::default();
        let mut cells: BTreeMap<S, Ranked<'_>> = BTreeMap::new();
        for (means, code) in self.meant.get(&kind).into_iter().flatten() {
            let says = said(means);
            if says != nothing {
                let best = cells.entry(says).or_insert(*code);
                *best = (*best).min(*code);
            }
        }
        let coding =
            |system: CodeSystem, code: &str| Coding { system: system.name().to_owned(), code: code.to_owned() };
        cells.into_iter().map(|(says, (_, system, code))| (says, coding(system, code))).collect()
    }
}

fn meant<'a>(sides: &[Side<'a>], kind: ConceptKind) -> Vec<(BTreeSet<Known>, Ranked<'a>)> {
    let concepts = sides.iter().flat_map(|side| &side.package.concepts);
    let mut codes: Vec<Ranked<'a>> =
        concepts.filter(|concept| concept.def.kind == kind).flat_map(|concept| codes_of(&concept.def)).collect();
    codes.sort_unstable();
    codes.dedup();
    let mut found: BTreeMap<Vec<Known>, Ranked<'a>> = BTreeMap::new();
    for (rank, system, code) in codes {
        let Ok(read) = read_code(system, code) else { continue };
        let mut means = Vec::new();
        for (side, one) in sides.iter().enumerate() {
            let certain = one.index.lookup(&read).into_iter().filter(|found| found.certainty == Match::Certain);
            means.extend(certain.map(|found| (side, found.concept)));
        }
        means.sort_unstable();
        found.entry(means).or_insert((rank, system, code));
    }
    found.into_iter().map(|(means, code)| (means.into_iter().collect(), code)).collect()
}

/// The codes that a definition lists, each with its rank: the best known first.
fn codes_of(def: &ConceptDef) -> Vec<Ranked<'_>> {
    let mut codes = Vec::new();
    for entry in &def.icd10cm {
        if terminology::is_billable(&entry.code) {
            codes.push((0, CodeSystem::Icd10Cm, entry.code.as_str()));
        }
        if entry.below {
            let below = terminology::billable_descendants(&entry.code);
            codes.extend(below.map(|code| (0, CodeSystem::Icd10Cm, code)));
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
        codes.extend(list.iter().map(|code| (rank, system, code.as_str())));
    }
    codes
}
