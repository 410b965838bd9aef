//! What every record has in common, whatever it holds: the facts that exclude
//! or bring with them one another.
//!
//! The free space of patients. Of a record only what the facts are made of is
//! kept (is there an entry, of which status, in which window, in which part of
//! the scale), without codes and dates, so that every record there could be is
//! in the space, and some that could not. What is impossible here is impossible.

mod cells;
mod diagnosis;
mod field;
mod happening;
mod medication;
mod observation;
mod window;

use std::collections::{BTreeSet, HashMap, HashSet};

use super::encode::any;
use super::logic::{Lit, Logic, Rails};
use crate::clinical::patient::List;
use crate::program::Atom;
use crate::rule::disorder::Disorders;
use crate::rule::model::{Concept, Fact, Name, Package};

/// What is known of every record before one package.
#[derive(Debug)]
pub struct Theory<'a> {
    package: &'a Package,
    within: Inclusions<'a>,
    diagnoses: diagnosis::Relations<'a>,
    concepts: HashMap<&'a str, &'a Concept>,
    answers: Vec<observation::Said>,
    /// Concepts that are one declared disorder, and no part of another.
    disorders: HashSet<&'a str>,
}

impl<'a> Theory<'a> {
    /// Prepares a package.
    #[must_use]
    pub fn new(package: &'a Package) -> Self {
        let within = Inclusions::new(package);
        let disorders = Disorders::new(&package.concepts);
        let alone = |at: usize| disorders.tree(at).all(|part| disorders.above(part) == [at]);
        let ids = || package.concepts.iter().map(|concept| concept.def.id.as_str());
        Self {
            package,
            diagnoses: diagnosis::relations(package, &within),
            within,
            concepts: ids().zip(&package.concepts).collect(),
            answers: observation::answers(package),
            disorders: ids().enumerate().filter(|(at, _)| alone(*at)).map(|(_, id)| id).collect(),
        }
    }

    /// The rails of these atoms, in their order, in a space that holds every
    /// record there could be.
    #[must_use]
    pub fn facts(&self, logic: &mut Logic, atoms: &[&Atom]) -> Vec<Rails> {
        let lists = Lists::new(logic);
        let mut ground = Ground { logic, theory: self, lists };
        let mut found: HashMap<usize, Rails> = HashMap::new();
        found.extend(diagnosis::facts(&mut ground, atoms));
        found.extend(medication::facts(&mut ground, atoms));
        found.extend(observation::facts(&mut ground, atoms));
        found.extend(happening::facts(&mut ground, atoms));
        found.extend(field::facts(&mut ground, atoms));
        (0..atoms.len())
            .map(|at| {
                // No family speaks of it: any truth.
                let rails = found.get(&at).copied();
                rails.unwrap_or_else(|| ground.logic.fresh_rails())
            })
            .collect()
    }

    fn concept(&self, id: &str) -> Option<&'a Concept> {
        self.concepts.get(id).copied()
    }
}

/// What the families of facts are made with.
struct Ground<'a> {
    logic: &'a mut Logic,
    theory: &'a Theory<'a>,
    lists: Lists,
}

impl Ground<'_> {
    /// Neither true nor false.
    fn unknown(&self) -> Rails {
        let never = self.logic.never();
        Rails { yes: never, no: never }
    }

    fn certain(lit: Lit) -> Rails {
        Rails { yes: lit, no: !lit }
    }

    /// What is at most unknown.
    fn possibly(&self, rails: Rails) -> Rails {
        Rails { yes: self.logic.never(), no: rails.no }
    }

    fn any(&mut self, parts: &[Rails]) -> Rails {
        any(self.logic, parts)
    }

    fn choose(&mut self, condition: Lit, then: Rails, otherwise: Rails) -> Rails {
        let mut pick = |then: Lit, otherwise: Lit| {
            let (a, b) = (self.logic.and(&[condition, then]), self.logic.and(&[!condition, otherwise]));
            self.logic.or(&[a, b])
        };
        Rails { yes: pick(then.yes, otherwise.yes), no: pick(then.no, otherwise.no) }
    }

    /// The first is true at most where the second is, and false at least there.
    fn below(&mut self, lower: Rails, upper: Rails) {
        self.logic.assert(&[!lower.yes, upper.yes]);
        self.logic.assert(&[!upper.no, lower.no]);
    }

    fn absent(&mut self, list: List, absent_unknown: bool) -> Rails {
        let (closed, assumed) = self.lists.of(list, self.logic);
        let no = if absent_unknown { closed } else { self.logic.or(&[closed, assumed]) };
        Rails { yes: self.logic.never(), no }
    }
}

/// What absence from each list means: false where it is complete or assumed so.
struct Lists {
    closed: Vec<Lit>,
    assumed: Vec<Lit>,
}

impl Lists {
    fn new(logic: &mut Logic) -> Self {
        let (mut closed, mut assumed) = (Vec::new(), Vec::new());
        for list in List::ALL {
            closed.push(logic.fresh());
            let assumable = matches!(list, List::Diagnoses | List::Medications | List::Plans);
            assumed.push(if assumable { logic.fresh() } else { logic.never() });
        }
        for (closed, assumed) in closed.iter().zip(&assumed) {
            logic.assert(&[!*closed, !*assumed]);
        }
        Self { closed, assumed }
    }

    fn of(&self, list: List, logic: &Logic) -> (Lit, Lit) {
        let of = |lits: &[Lit]| lits.get(list as usize).copied().unwrap_or(logic.never());
        (of(&self.closed), of(&self.assumed))
    }
}

/// Which concepts hold every code of which others, by what they include.
#[derive(Debug)]
struct Inclusions<'a> {
    above: HashMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Inclusions<'a> {
    fn new(package: &'a Package) -> Self {
        let mut includers: HashMap<&str, Vec<&str>> = HashMap::new();
        for concept in &package.concepts {
            for part in &concept.def.includes {
                includers.entry(part.as_str()).or_default().push(concept.def.id.as_str());
            }
        }
        let above = package.concepts.iter().map(|concept| {
            let (mut seen, mut next) = (BTreeSet::new(), vec![concept.def.id.as_str()]);
            while let Some(id) = next.pop() {
                if seen.insert(id) {
                    next.extend(includers.get(id).into_iter().flatten());
                }
            }
            (concept.def.id.as_str(), seen)
        });
        Self { above: above.collect() }
    }

    /// Is every code of `part` one of `whole`?
    fn holds(&self, part: &str, whole: &str) -> bool {
        part == whole || self.above.get(part).is_some_and(|above| above.contains(whole))
    }

    /// The concepts that hold every code of `part`, itself among them, by id.
    fn above(&self, part: &str) -> impl Iterator<Item = &'a str> {
        self.above.get(part).into_iter().flatten().copied()
    }
}

fn single(names: &[Name]) -> &str {
    names.first().map_or("", |name| name.value.as_str())
}

fn sorted(names: &[Name]) -> Vec<String> {
    let mut names: Vec<String> = names.iter().map(|name| name.value.clone()).collect();
    names.sort();
    names.dedup();
    names
}

/// Atoms of one kind of fact, with their places.
fn of_kind<'a>(atoms: &[&'a Atom], kind: impl Fn(&Fact) -> bool) -> Vec<(usize, &'a Atom)> {
    atoms.iter().copied().enumerate().filter(|(_, atom)| kind(&atom.fact)).collect()
}

#[cfg(test)]
mod tests;
