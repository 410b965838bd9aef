//! Which entries of a record speak of one disorder: the structure of the
//! concepts that says so.
//!
//! A concept that declares `remission`, `relapsing` or `one_disorder` is one
//! disorder, with all that it includes. A concept that only unites others is
//! not: what an entry says of one of its disorders says nothing of the others.

use std::collections::{BTreeSet, HashMap};

use super::model::Concept;
use crate::clinical::concept::Match;

/// The disorders of a package, by index of concept.
#[derive(Debug, Default)]
pub struct Disorders {
    /// For each concept, itself and all that it includes.
    trees: Vec<BTreeSet<usize>>,
    /// For each concept, the disorders that it belongs to.
    above: Vec<Vec<usize>>,
    remission: Vec<Option<usize>>,
    /// For each concept, the disorders that its codes say are in remission.
    remits: Vec<Vec<usize>>,
    relapsing: Vec<bool>,
}

/// How an entry speaks of a concept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Facet {
    /// The declared disorder; none where no declared one holds the code: then
    /// entries with the same code are about one disorder.
    pub disorder: Option<usize>,
    /// The code itself says that the disorder is in remission.
    pub remission: bool,
    /// How sure it is that the entry means the concept.
    pub certainty: Match,
}

impl Disorders {
    /// The disorders that these concepts declare.
    #[must_use]
    pub fn new(concepts: &[Concept]) -> Self {
        let ids: HashMap<&str, usize> =
            concepts.iter().enumerate().map(|(at, concept)| (concept.def.id.as_str(), at)).collect();
        let trees: Vec<BTreeSet<usize>> = (0..concepts.len())
            .map(|root| {
                let (mut seen, mut next) = (BTreeSet::new(), vec![root]);
                while let Some(at) = next.pop() {
                    if seen.insert(at) {
                        let included = concepts.get(at).into_iter().flat_map(|concept| &concept.def.includes);
                        next.extend(included.filter_map(|id| ids.get(id.as_str())));
                    }
                }
                seen
            })
            .collect();
        let mut above = vec![Vec::new(); concepts.len()];
        for ((at, concept), tree) in concepts.iter().enumerate().zip(&trees) {
            if concept.is_one_disorder() {
                for part in tree {
                    if let Some(above) = above.get_mut(*part) {
                        above.push(at);
                    }
                }
            }
        }
        let remission: Vec<Option<usize>> = concepts
            .iter()
            .map(|concept| concept.remission.as_ref().and_then(|name| ids.get(name.value.as_str())).copied())
            .collect();
        let mut remits = vec![Vec::new(); concepts.len()];
        for (disorder, remission) in remission.iter().enumerate() {
            if let Some(remits) = remission.and_then(|at| remits.get_mut(at)) {
                remits.push(disorder);
            }
        }
        Self { trees, above, remission, remits, relapsing: concepts.iter().map(|one| one.relapsing).collect() }
    }

    /// The concept and all that it includes.
    pub fn tree(&self, concept: usize) -> impl Iterator<Item = usize> + '_ {
        self.trees.get(concept).into_iter().flatten().copied()
    }

    fn holds(&self, whole: usize, part: usize) -> bool {
        self.trees.get(whole).is_some_and(|tree| tree.contains(&part))
    }

    /// The declared disorders that a concept belongs to.
    #[must_use]
    pub fn above(&self, concept: usize) -> &[usize] {
        self.above.get(concept).map(Vec::as_slice).unwrap_or_default()
    }

    /// The declared disorders that a code of the concept is about.
    pub fn about(&self, concept: usize) -> impl Iterator<Item = &usize> {
        self.above(concept).iter().chain(self.remits.get(concept).into_iter().flatten())
    }

    /// All declared disorders.
    pub fn declared(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.trees.len()).filter(|at| self.above(*at).contains(at))
    }

    /// The concept whose codes say that the disorder is in remission.
    #[must_use]
    pub fn remission(&self, disorder: usize) -> Option<usize> {
        self.remission.get(disorder).copied().flatten()
    }

    /// Does inactive or resolved status not clear the disorder?
    #[must_use]
    pub fn relapsing(&self, disorder: usize) -> bool {
        self.relapsing.get(disorder).copied().unwrap_or(false)
    }

    /// How an entry that means these concepts speaks of `concept`: once for each
    /// of its disorders that the entry is about.
    ///
    /// What an entry is about hangs on the entry alone, `concept` only chooses:
    /// whatever is said of a part is said of every whole.
    #[must_use]
    pub fn facets(&self, concept: usize, means: &[(usize, Match)]) -> BTreeSet<Facet> {
        let mut facets = BTreeSet::new();
        if let Some(certainty) = of(means, concept) {
            let alike = || means.iter().filter(|(_, sure)| *sure == certainty).map(|(at, _)| *at);
            for node in alike().filter(|node| self.holds(concept, *node)) {
                // The code is that of the innermost concepts that have it.
                if alike().any(|inner| inner != node && self.holds(node, inner)) {
                    continue;
                }
                let above = self.above(node);
                if above.is_empty() {
                    facets.insert(Facet { disorder: None, remission: false, certainty });
                }
                for disorder in above {
                    let remission = self.said_in_remission(*disorder, means).is_some();
                    // Of the whole disorder it is said below, as surely as by that code.
                    if !remission || !self.holds(concept, *disorder) {
                        facets.insert(Facet { disorder: Some(*disorder), remission, certainty });
                    }
                }
            }
        }
        let remitted = means.iter().filter_map(|(at, _)| self.remits.get(*at)).flatten();
        for disorder in remitted.filter(|disorder| self.holds(concept, **disorder)) {
            if let Some(certainty) = self.said_in_remission(*disorder, means) {
                facets.insert(Facet { disorder: Some(*disorder), remission: true, certainty });
            }
        }
        facets
    }

    /// How sure it is that a code says "in remission". What a header may mean
    /// counts less than an exact code of the disorder beside it.
    fn said_in_remission(&self, disorder: usize, means: &[(usize, Match)]) -> Option<Match> {
        let certainty = of(means, self.remission(disorder)?)?;
        (certainty == Match::Certain || of(means, disorder) != Some(Match::Certain)).then_some(certainty)
    }
}

fn of(means: &[(usize, Match)], concept: usize) -> Option<Match> {
    means.iter().find(|(at, _)| *at == concept).map(|(_, certainty)| *certainty)
}
