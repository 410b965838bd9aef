//! Runs the cases against the mutants.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::diag::Level;
use crate::engine::Engine;
use crate::program::Program;
use crate::rule::check;
use crate::rule::model::Package;
use crate::rule::truth::Truth;
use crate::ruleset;

use super::super::claim::Claim;
use super::super::run::{Verdict, evaluate};
use super::sight;
use super::{Mutant, Mutants, Operator, Patch};

/// Mutants whose conditions are compiled together.
const BATCH: usize = 256;

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// A case, by id, does not hold of it.
    Killed(String),
    /// Every case holds of it.
    Survived,
    /// It compiles to the same program: there is nothing to notice.
    Equivalent,
    /// No case notices it, and it is not a package: a check refuses it.
    Refused,
}

/// A mutant with its fate.
#[derive(Debug)]
pub struct Mutated {
    /// The mutant.
    pub mutant: Mutant,
    /// Its fate.
    pub fate: Fate,
}

/// What became of all mutants.
#[derive(Debug)]
pub struct Report {
    /// Mutants that were run, in order.
    pub mutants: Vec<Mutated>,
    /// How many there are, those that were not run among them.
    pub all: usize,
    /// Codes of value sets that no mutant drops.
    pub codes_left_out: usize,
}

/// Counts of fates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fates {
    /// Killed by a case.
    pub killed: usize,
    /// Not noticed.
    pub survived: usize,
    /// Nothing to notice.
    pub equivalent: usize,
    /// Refused by a check.
    pub refused: usize,
}

impl Fates {
    fn add(&mut self, fate: &Fate) {
        let slot = match fate {
            Fate::Killed(_) => &mut self.killed,
            Fate::Survived => &mut self.survived,
            Fate::Equivalent => &mut self.equivalent,
            Fate::Refused => &mut self.refused,
        };
        *slot = slot.saturating_add(1);
    }

    /// Killed, of those that could be, in tenths of a percent; none where there
    /// are none.
    #[must_use]
    pub fn permille(self) -> Option<usize> {
        self.killed.saturating_mul(1000).checked_div(self.killed.saturating_add(self.survived))
    }
}

impl Report {
    /// Counts of all.
    #[must_use]
    pub fn fates(&self) -> Fates {
        let mut fates = Fates::default();
        self.mutants.iter().for_each(|one| fates.add(&one.fate));
        fates
    }

    /// Counts by operator.
    #[must_use]
    pub fn by_operator(&self) -> BTreeMap<Operator, Fates> {
        let mut fates: BTreeMap<Operator, Fates> = BTreeMap::new();
        self.mutants.iter().for_each(|one| fates.entry(one.mutant.operator).or_default().add(&one.fate));
        fates
    }
}

/// Runs mutants on so many threads. The report is the same for any number of
/// them. `all` is how many mutants there are, `verdicts` what the cases say of
/// the package itself.
#[must_use]
pub fn run(mutants: Mutants, all: usize, engine: &Engine, verdicts: &[Verdict<'_>], jobs: usize) -> Report {
    // What cases of drafts expect says nothing of active rules.
    let verdicts: Vec<&Verdict<'_>> = verdicts.iter().filter(|verdict| !verdict.case.drafts).collect();
    let verdicts = verdicts.as_slice();
    let base = Base { engine, fingerprint: fingerprint(engine.program()), verdicts };
    let batches: Vec<&[Mutant]> = mutants.list.chunks(BATCH).collect();
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(batch) = batches.get(at) else { break };
                    let seen = sight::of(batch, engine, verdicts);
                    let fates: Vec<Fate> =
                        batch.iter().zip(&seen).map(|(mutant, seen)| base.fate(mutant, seen)).collect();
                    done.lock().unwrap_or_else(PoisonError::into_inner).insert(at, fates);
                }
            });
        }
    });
    let fates = done.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().flatten();
    let mutated = mutants.list.into_iter().zip(fates).map(|(mutant, fate)| Mutated { mutant, fate });
    Report { mutants: mutated.collect(), all, codes_left_out: mutants.codes_left_out }
}

/// The package as it is, and what the cases say of it.
struct Base<'a> {
    engine: &'a Engine,
    fingerprint: String,
    verdicts: &'a [&'a Verdict<'a>],
}

impl<'a> Base<'a> {
    /// `seen`: the cases that can see the mutant.
    fn fate(&self, mutant: &Mutant, seen: &[usize]) -> Fate {
        let Some((engine, package)) = self.engine_of(mutant) else { return Fate::Refused };
        if let Some(killer) = self.in_order(mutant, seen).into_iter().find(|verdict| kills(verdict, &engine)) {
            return Fate::Killed(killer.case.id.clone());
        }
        let in_program = matches!(mutant.patch, Patch::Rule(..) | Patch::Definition(..) | Patch::Files(_))
            && !matches!(mutant.operator, Operator::Conclusion | Operator::Unknown | Operator::Rank);
        if in_program && fingerprint(engine.program()) == self.fingerprint {
            return Fate::Equivalent;
        }
        if refused(&package) { Fate::Refused } else { Fate::Survived }
    }

    /// None where it can't be compiled.
    fn engine_of(&self, mutant: &Mutant) -> Option<(Engine, Package)> {
        let mut package = self.engine.package().clone();
        match &mutant.patch {
            Patch::Rule(at, rule) => *package.rules.get_mut(*at)? = (**rule).clone(),
            Patch::Definition(at, condition) => package.definitions.get_mut(*at)?.when = condition.clone(),
            Patch::Concept(at, def, _) => {
                package.concepts.get_mut(*at)?.def = (**def).clone();
                return Some((Engine::new(package.clone()).ok()?, package));
            }
            Patch::Files(files) => {
                let checked = ruleset::check_sources(files.clone().into(), None, ruleset::Depth::Errors);
                if checked.errors() > 0 {
                    return None;
                }
                package = checked.package;
            }
        }
        Some((self.engine.with_rules_of(package.clone()), package))
    }

    /// Cases that speak of the rule first, then those that it is live in.
    fn in_order(&self, mutant: &Mutant, seen: &[usize]) -> Vec<&'a Verdict<'a>> {
        let program = self.engine.program();
        let node = match mutant.of {
            "rule" => program.rules.iter().find(|one| one.id == mutant.id).map(|one| one.node),
            "definition" => program.definitions.iter().find(|one| one.id == mutant.id).map(|one| one.node),
            _ => None,
        };
        let rank = |verdict: &Verdict<'_>| {
            let speaks = verdict
                .case
                .expectations
                .iter()
                .any(|one| matches!(&one.claim, Claim::Rule(id, _) if *id == mutant.id));
            let live = node.zip(verdict.values.as_ref()).is_some_and(|(node, values)| values.get(node) != Truth::False);
            (!speaks, !live)
        };
        let mut verdicts: Vec<&Verdict<'_>> = seen.iter().filter_map(|at| self.verdicts.get(*at).copied()).collect();
        verdicts.sort_by_key(|verdict| rank(verdict));
        verdicts
    }
}

/// Does an expectation not hold that does of the package?
fn kills(verdict: &Verdict<'_>, engine: &Engine) -> bool {
    let Some(outcome) = evaluate(verdict.case, engine) else { return false };
    let failed = |span| verdict.misses.iter().any(|miss| miss.found.span == span);
    verdict.case.expectations.iter().any(|one| outcome.miss(one).is_some() && !failed(one.span))
}

fn refused(package: &Package) -> bool {
    check::package(package, None).iter().any(|fault| fault.level == Level::Error)
}

/// What of a program can change an answer: places and words can't.
fn fingerprint(program: &Program) -> String {
    let atoms: Vec<_> = program.atoms.iter().map(|atom| (&atom.fact, atom.absent_unknown)).collect();
    let rules: Vec<_> = program
        .rules
        .iter()
        .map(|rule| (&rule.id, rule.node, &rule.binds, &rule.components, &rule.outranked_by))
        .collect();
    let definitions: Vec<_> = program.definitions.iter().map(|one| (&one.id, one.node)).collect();
    let parts = (atoms, &program.nodes, rules, definitions, &program.components, program.scope);
    serde_json::to_string(&parts).unwrap_or_default()
}
