//! Which facts are meant where conditions name some: every fact on the same
//! codes and words, whatever is asked of it.

use std::collections::{BTreeSet, HashSet};

use crate::program::{AtomId, Program};
use crate::rule::model::{Fact, Name, Package};

/// The atoms that a change of the named facts can change.
pub fn touched(package: &Package, sharing: &[HashSet<usize>], program: &Program, named: &[AtomId]) -> BTreeSet<AtomId> {
    let facts = named.iter().filter_map(|atom| program.atoms.get(atom.at())).map(|atom| &atom.fact);
    let named: Vec<Named<'_>> = facts.map(|fact| Named::new(package, sharing, fact)).collect();
    let atoms = (0..).map(AtomId).zip(&program.atoms);
    atoms.filter(|(_, atom)| named.iter().any(|one| one.meets(&atom.fact))).map(|(id, _)| id).collect()
}

/// A fact that is meant.
struct Named<'a> {
    package: &'a Package,
    fact: &'a Fact,
    /// Concepts with a code of its own concepts.
    sharing: HashSet<&'a str>,
}

impl<'a> Named<'a> {
    fn new(package: &'a Package, sharing: &[HashSet<usize>], fact: &'a Fact) -> Self {
        let concepts: &[Name] = match fact {
            Fact::Diagnosis { concepts, .. }
            | Fact::Medication { concepts, .. }
            | Fact::Allergy { concepts }
            | Fact::Observation { concepts, .. }
            | Fact::Plan { concepts, .. } => concepts,
            _ => &[],
        };
        let places = package.concepts.iter().enumerate();
        let places = places.filter(|(_, one)| concepts.iter().any(|name| name.value == one.def.id));
        let shared = places.filter_map(|(place, _)| sharing.get(place)).flatten();
        let ids = shared.filter_map(|place| package.concepts.get(*place));
        Self { package, fact, sharing: ids.map(|concept| concept.def.id.as_str()).collect() }
    }

    fn shares(&self, concepts: &[Name]) -> bool {
        concepts.iter().any(|name| self.sharing.contains(name.value.as_str()))
    }

    /// Can another fact change with it? One of a dose, a start or an onset is
    /// about these alone.
    fn meets(&self, fact: &Fact) -> bool {
        match (self.fact, fact) {
            (Fact::Diagnosis { onset, .. }, Fact::Diagnosis { concepts, onset: other, .. }) => {
                self.shares(concepts) && (onset.is_open() || !other.is_open())
            }
            (Fact::Diagnosis { .. }, Fact::OnsetOrder { first, then, .. }) => self.shares(first) || self.shares(then),
            (
                Fact::Medication { daily_dose, started, ended, given_for, not_given_for, .. },
                Fact::Medication {
                    concepts,
                    daily_dose: dose,
                    started: start,
                    ended: end,
                    given_for: purpose,
                    not_given_for: other_purpose,
                    ..
                },
            ) => {
                let has_purpose = !purpose.is_empty() || !other_purpose.is_empty();
                self.shares(concepts)
                    && (daily_dose.is_none() || dose.is_some())
                    && (started.is_open() || !start.is_open())
                    && (ended.is_open() || !end.is_open())
                    && ((given_for.is_empty() && not_given_for.is_empty()) || has_purpose)
            }
            (Fact::Medication { daily_dose: None, started, ended, .. }, Fact::Plan { concepts, .. }) => {
                self.shares(concepts) && started.is_open() && ended.is_open()
            }
            (Fact::Allergy { .. }, Fact::Allergy { concepts })
            | (Fact::Observation { .. }, Fact::Observation { concepts, .. }) => self.shares(concepts),
            (Fact::Plan { kinds, concepts: own, .. }, Fact::Plan { kinds: other, concepts }) => {
                common(kinds, other) && (own.is_empty() || concepts.is_empty() || self.shares(concepts))
            }
            (Fact::Event { types, substances, .. }, Fact::Event { types: other, substances: with, .. }) => {
                common(types, other)
                    && (substances.is_empty() || with.is_empty() || self.same_substance(substances, with))
            }
            (Fact::History { codes }, Fact::History { codes: other })
            | (Fact::Preference { codes }, Fact::Preference { codes: other }) => common(codes, other),
            (Fact::Setting { settings }, Fact::Setting { settings: other }) => {
                settings.iter().any(|one| other.contains(one))
            }
            (Fact::Age(_), Fact::Age(_))
            | (Fact::Sex(_), Fact::Sex(_))
            | (Fact::Pregnancy(_), Fact::Pregnancy(_))
            | (Fact::Lactation(_), Fact::Lactation(_))
            | (Fact::ChildbearingPotential(_), Fact::ChildbearingPotential(_)) => true,
            (Fact::OnsetOrder { first, then, .. }, Fact::OnsetOrder { first: one, then: other, .. }) => {
                common(first, one) && common(then, other)
            }
            _ => false,
        }
    }

    /// Is a word of the record of the one and of the other?
    fn same_substance(&self, one: &[Name], other: &[Name]) -> bool {
        let of = |names: &[Name], id: &str, classes: &[String]| {
            names.iter().any(|name| name.value == id || classes.contains(&name.value))
        };
        let words = &self.package.vocabulary.substances;
        common(one, other)
            || words
                .iter()
                .any(|word| of(one, &word.id.value, &word.classes) && of(other, &word.id.value, &word.classes))
    }
}

fn common(one: &[Name], other: &[Name]) -> bool {
    one.iter().any(|name| other.iter().any(|known| known.value == name.value))
}
