//! From a code to its concepts.

use std::collections::{HashMap, HashSet};

use super::build::Builder;
use super::{ConceptDef, ConceptFault, ConceptMatch, Match};
use crate::clinical::code::{CodeStanding, CodeSystem, ReadCode};
use crate::clinical::terminology;

/// The concepts of a package, ready for lookup. Built once a package.
#[derive(Debug, Default)]
pub struct ConceptIndex {
    /// Current ICD-10-CM codes and headers by their place in the table, sorted; certainty settled.
    pub(super) icd: Vec<(usize, ConceptMatch)>,
    /// ICD-10-CM entries with everything below them, by code; asked for retired codes only.
    pub(super) icd_below: HashMap<String, Vec<usize>>,
    /// Retired ICD-10-CM codes listed singly.
    pub(super) icd_retired: HashMap<String, Vec<usize>>,
    /// Codes of the exact systems, and RxNorm codes listed as products.
    pub(super) exact: HashMap<CodeSystem, HashMap<String, Vec<usize>>>,
    pub(super) ingredients: HashMap<String, Vec<usize>>,
    pub(super) exceptions: Vec<Exceptions>,
    /// For each concept, itself and every concept that takes it in.
    pub(super) includers: Vec<Vec<usize>>,
}

/// What is not a member of a concept although an entry of it says so.
#[derive(Debug, Default)]
pub(super) struct Exceptions {
    pub(super) encounters: Vec<char>,
    pub(super) products: HashSet<String>,
    pub(super) without: Vec<String>,
}

impl ConceptIndex {
    /// Checks the definitions and indexes them; or every fault, in the order of the definitions.
    ///
    /// # Errors
    /// Every fault of the definitions.
    pub fn build(defs: &[ConceptDef]) -> Result<Self, Vec<ConceptFault>> {
        let mut faults = super::check::faults(defs);
        let includers = super::check::includers(defs).unwrap_or_else(|more| {
            faults.extend(more);
            Vec::new()
        });
        if faults.is_empty() {
            return Ok(Builder::new(includers).index(defs));
        }
        faults.sort_by_key(|fault| fault.index);
        Err(faults)
    }

    /// The concepts that a code belongs to, by their place in the definitions, each once.
    pub fn lookup(&self, code: &ReadCode) -> Vec<ConceptMatch> {
        match (code.system, code.standing) {
            (CodeSystem::Icd10Cm, CodeStanding::Retired) => self.retired(&code.code),
            (CodeSystem::Icd10Cm, _) => self.current(&code.code),
            (CodeSystem::RxNorm, _) => self.certain(&self.medications(&code.code)),
            (system, _) => self.certain(&self.listed(system, &code.code).collect::<Vec<_>>()),
        }
    }

    /// For each concept, by its place in the definitions, those that have a code
    /// in common with it. Of medications, an ingredient or a product that both
    /// list: a product of two ingredients joins no two concepts.
    #[must_use]
    pub fn sharing(&self) -> Vec<HashSet<usize>> {
        let mut groups: HashSet<Vec<usize>> = HashSet::new();
        let certain = |found: &&(usize, ConceptMatch)| found.1.certainty == Match::Certain;
        for place in self.icd.chunk_by(|(one, _), (other, _)| one == other) {
            groups.insert(place.iter().filter(certain).map(|(_, found)| found.concept).collect());
        }
        let listed = self.exact.values().flat_map(HashMap::values);
        for group in listed.chain(self.ingredients.values()).chain(self.icd_retired.values()) {
            groups.insert(self.certain(group).iter().map(|found| found.concept).collect());
        }
        let mut sharing = vec![HashSet::new(); self.includers.len()];
        for group in &groups {
            for concept in group {
                if let Some(others) = sharing.get_mut(*concept) {
                    others.extend(group);
                }
            }
        }
        sharing
    }

    fn current(&self, code: &str) -> Vec<ConceptMatch> {
        let Some(place) = terminology::icd().position(code) else {
            return Vec::new();
        };
        let start = self.icd.partition_point(|(other, _)| *other < place);
        let rest = self.icd.get(start..).unwrap_or_default();
        rest.iter().take_while(|(other, _)| *other == place).map(|(_, found)| *found).collect()
    }

    /// A retired code is under an entry that is a prefix of it; a retired header as far as the codes below it are.
    fn retired(&self, code: &str) -> Vec<ConceptMatch> {
        let mut leaves = 0;
        let mut counts: HashMap<usize, usize> = HashMap::new();
        for leaf in terminology::retired_leaves(code) {
            leaves += 1;
            for found in self.certain(&self.retired_leaf(leaf)) {
                *counts.entry(found.concept).or_default() += 1;
            }
        }
        let certainty = |count| {
            if count == leaves { Match::Certain } else { Match::Possible }
        };
        let mut found: Vec<_> =
            counts.into_iter().map(|(concept, count)| ConceptMatch { concept, certainty: certainty(count) }).collect();
        found.sort_unstable();
        found
    }

    fn retired_leaf(&self, leaf: &str) -> Vec<usize> {
        // Never on one or two characters, and a code has at most seven and a dot.
        let prefixes = (3..=8).filter(|length| *length != 4).filter_map(|length| leaf.get(..length));
        let below = prefixes.filter_map(|prefix| self.icd_below.get(prefix));
        let encounter = encounter(leaf);
        let excepted = |concept: &usize| {
            let exceptions = self.exceptions.get(*concept);
            exceptions.is_some_and(|exceptions| encounter.is_some_and(|it| exceptions.encounters.contains(&it)))
        };
        below.chain(self.icd_retired.get(leaf)).flatten().copied().filter(|concept| !excepted(concept)).collect()
    }

    fn medications(&self, code: &str) -> Vec<usize> {
        let by_ingredient = terminology::ingredients_of(code).filter_map(|each| self.ingredients.get(each)).flatten();
        let named = by_ingredient.copied().chain(self.listed(CodeSystem::RxNorm, code));
        let excepted = |concept: &usize| {
            self.exceptions.get(*concept).is_some_and(|exceptions| {
                exceptions.products.contains(code)
                    || terminology::ingredients_of(code).any(|each| exceptions.without.iter().any(|it| it == each))
            })
        };
        named.filter(|concept| !excepted(concept)).collect()
    }

    fn listed(&self, system: CodeSystem, code: &str) -> impl Iterator<Item = usize> {
        self.exact.get(&system).and_then(|codes| codes.get(code)).into_iter().flatten().copied()
    }

    /// The concepts, and those that take them in.
    fn certain(&self, concepts: &[usize]) -> Vec<ConceptMatch> {
        let mut all: Vec<usize> =
            concepts.iter().filter_map(|concept| self.includers.get(*concept)).flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        all.into_iter().map(|concept| ConceptMatch { concept, certainty: Match::Certain }).collect()
    }
}

/// The seventh character, of a code that has one.
pub(super) fn encounter(code: &str) -> Option<char> {
    if code.len() == 8 { code.chars().last() } else { None }
}
