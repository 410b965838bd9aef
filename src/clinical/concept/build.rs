//! Builds the index from checked definitions.

use std::collections::HashMap;

use super::index::{ConceptIndex, Exceptions, encounter};
use super::{ConceptDef, ConceptMatch, IcdEntry, Match};
use crate::clinical::code::CodeSystem;
use crate::clinical::terminology::{self, Icd};

pub(super) struct Builder {
    index: ConceptIndex,
    /// For each concept, the places of the billable ICD-10-CM codes that it covers, included concepts among them.
    covered: Vec<Vec<usize>>,
}

impl Builder {
    pub(super) fn new(includers: Vec<Vec<usize>>) -> Self {
        let covered = vec![Vec::new(); includers.len()];
        Self { index: ConceptIndex { includers, ..ConceptIndex::default() }, covered }
    }

    pub(super) fn index(mut self, defs: &[ConceptDef]) -> ConceptIndex {
        let icd = terminology::icd();
        for (concept, def) in defs.iter().enumerate() {
            self.add_icd(concept, def, icd);
            self.add_exact(concept, def);
            self.index.exceptions.push(Exceptions {
                encounters: def.encounters_except.clone(),
                products: def.rxnorm_except.iter().cloned().collect(),
                without: def.without_ingredients.clone(),
            });
        }
        self.settle_icd(icd);
        self.index
    }

    fn add_icd(&mut self, concept: usize, def: &ConceptDef, icd: &Icd) {
        let mut places = Vec::new();
        for entry in &def.icd10cm {
            if entry.below {
                places.extend(icd.range(&entry.code).filter(|place| icd.is_billable(*place)));
            } else {
                places.extend(icd.position(&entry.code));
            }
        }
        places.retain(|place| encounter(icd.code(*place)).is_none_or(|it| !def.encounters_except.contains(&it)));
        for above in self.index.includers.get(concept).into_iter().flatten() {
            if let Some(covered) = self.covered.get_mut(*above) {
                covered.extend(&places);
            }
        }
        for IcdEntry { code, below } in def.icd10cm.iter().chain(&def.icd10cm_retired) {
            let map = if *below { &mut self.index.icd_below } else { &mut self.index.icd_retired };
            map.entry(code.clone()).or_default().push(concept);
        }
    }

    fn add_exact(&mut self, concept: usize, def: &ConceptDef) {
        for (system, codes) in [
            (CodeSystem::SnomedCt, &def.snomed),
            (CodeSystem::Loinc, &def.loinc),
            (CodeSystem::Concord, &def.local),
            (CodeSystem::RxNorm, &def.rxnorm_products),
        ] {
            let map = self.index.exact.entry(system).or_default();
            for code in codes {
                map.entry(code.clone()).or_default().push(concept);
            }
        }
        for ingredient in &def.rxnorm_ingredients {
            self.index.ingredients.entry(ingredient.clone()).or_default().push(concept);
        }
    }

    /// Each covered code matches for certain; a header above it if all its billable codes are covered, else possibly.
    fn settle_icd(&mut self, icd: &Icd) {
        let mut below_header: HashMap<usize, usize> = HashMap::new();
        let mut counts = vec![0_usize; icd.len()];
        let mut touched = Vec::new();
        for (concept, covered) in self.covered.iter_mut().enumerate() {
            covered.sort_unstable();
            covered.dedup();
            let found = |certainty| ConceptMatch { concept, certainty };
            for place in covered {
                self.index.icd.push((*place, found(Match::Certain)));
                for header in icd.headers_above(*place) {
                    let Some(count) = counts.get_mut(header) else {
                        continue;
                    };
                    if *count == 0 {
                        touched.push(header);
                    }
                    *count += 1;
                }
            }
            for header in touched.drain(..) {
                let Some(count) = counts.get_mut(header) else {
                    continue;
                };
                let all = *below_header.entry(header).or_insert_with(|| icd.billable_below(header));
                let certainty = if *count == all { Match::Certain } else { Match::Possible };
                self.index.icd.push((header, found(certainty)));
                *count = 0;
            }
        }
        self.index.icd.sort_unstable();
        self.index.icd.shrink_to_fit();
    }
}
