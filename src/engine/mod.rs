//! From a patient to an explained decision.
//!
//! A pure function of patient, instant and package: no clock, no randomness,
//! no I/O, no logging. [`ground`] turns a record into truth values of its atoms; [`evaluate`]
//! computes the formulas; [`assemble`] puts the answer together.

pub mod assemble;
mod case;
mod components;
pub mod decision;
mod disagreements;
pub mod evaluate;
mod explain;
pub mod ground;
mod needs;
mod requests;
mod statement;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use crate::clinical::concept::{ConceptDef, ConceptFault, ConceptIndex};
use crate::clinical::date::AsOf;
use crate::clinical::patient::Patient;
use crate::program::{self, CompiledRule, NodeId, Program, compile};
use crate::rule::model::{Citation, Package, Rule, RuleStatus};
use crate::rule::truth::Truth;

use case::Case;
use decision::{Answer, Evidence, Explain};
use evaluate::{Evaluator, NodeSet, Valuation};
use ground::Grounder;

/// A package, ready to evaluate patients.
#[derive(Debug)]
pub struct Engine {
    package: Package,
    program: Program,
    grounder: Grounder,
    evaluator: Evaluator,
    needs: Vec<Option<needs::Need>>,
    conditions: NodeSet,
    rules_of: HashMap<NodeId, Vec<u32>>,
    /// The same package with its drafts, where it has any; made when first asked for.
    with_drafts: OnceLock<Option<Box<Engine>>>,
}

impl Engine {
    /// Compiles a package that was checked, and makes it ready.
    ///
    /// # Errors
    /// Faults of its value sets; a package that was checked has none.
    pub fn new(package: Package) -> Result<Self, Vec<ConceptFault>> {
        let defs: Vec<ConceptDef> = package.concepts.iter().map(|concept| concept.def.clone()).collect();
        let index = Arc::new(ConceptIndex::build(&defs)?);
        Ok(Self::with_index(package, index))
    }

    /// The engine of a package with the same value sets, and other rules.
    #[must_use]
    pub fn with_rules_of(&self, package: Package) -> Self {
        Self::with_index(package, Arc::clone(self.grounder.index()))
    }

    /// The engine of the package with its drafts; this one where it has none.
    #[must_use]
    pub fn with_drafts(&self) -> &Self {
        let made = self.with_drafts.get_or_init(|| {
            let any = self.package.rules.iter().any(|rule| rule.status == RuleStatus::Draft);
            any.then(|| {
                let program = compile::compile_with_drafts(&self.package);
                Box::new(Self::of(self.package.clone(), program, Arc::clone(self.grounder.index())))
            })
        });
        made.as_deref().unwrap_or(self)
    }

    fn with_index(package: Package, index: Arc<ConceptIndex>) -> Self {
        let program = compile::compile(&package);
        Self::of(package, program, index)
    }

    fn of(package: Package, program: Program, index: Arc<ConceptIndex>) -> Self {
        let grounder = Grounder::new(&package, &program, index);
        let evaluator = Evaluator::new(&program, |id, open| {
            let atom = program.atoms.get(id.at());
            atom.map_or(Truth::Unknown, |atom| Grounder::absent(atom, open))
        });
        let needs = needs::of_atoms(&package, &program);
        let conditions = NodeSet::of(program.rules.iter().map(|rule| rule.node));
        let mut rules_of: HashMap<NodeId, Vec<u32>> = HashMap::new();
        for (index, rule) in (0..).zip(&program.rules) {
            rules_of.entry(rule.node).or_default().push(index);
        }
        let with_drafts = OnceLock::new();
        Self { package, program, grounder, evaluator, needs, conditions, rules_of, with_drafts }
    }

    /// The package.
    #[must_use]
    pub fn package(&self) -> &Package {
        &self.package
    }

    /// Its compiled form.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Its value sets.
    #[must_use]
    pub fn index(&self) -> &ConceptIndex {
        self.grounder.index()
    }

    /// Truth of every atom for a patient, and of every formula.
    #[must_use]
    pub fn truths(&self, patient: &Patient, as_of: &AsOf) -> (Vec<Truth>, Valuation) {
        let grounded = self.grounder.ground(&self.package, &self.program, patient, as_of);
        let values =
            self.evaluator.evaluate(grounded.atoms.iter().map(|(id, found)| (*id, found.truth)), grounded.open);
        let atoms = (0..self.program.atoms.len()).map(|at| {
            let id = program::AtomId(u32::try_from(at).unwrap_or(u32::MAX));
            grounded.atoms.get(&id).map_or_else(|| self.evaluator.absent(id, grounded.open), |found| found.truth)
        });
        (atoms.collect(), values)
    }

    fn grounder(&self) -> &Grounder {
        &self.grounder
    }

    fn evaluator(&self) -> &Evaluator {
        &self.evaluator
    }

    fn need(&self, atom: program::AtomId) -> Option<&needs::Need> {
        self.needs.get(atom.at())?.as_ref()
    }

    /// An active rule with what it was compiled to.
    fn rule(&self, index: u32) -> Option<(&CompiledRule, &Rule)> {
        let compiled = self.program.rules.get(index as usize)?;
        Some((compiled, self.package.rules.get(compiled.rule as usize)?))
    }

    /// A citation with what the package says of its source.
    fn evidence(&self, citation: &Citation) -> Evidence {
        let key = citation.source.value.as_str();
        let sources = &self.package.sources;
        let found = sources.binary_search_by(|source| source.id.value.as_str().cmp(key));
        let source = found.ok().and_then(|at| sources.get(at));
        Evidence {
            source: key.to_owned(),
            title: source.map_or_else(String::new, |source| source.title.clone()),
            publisher: source.map_or_else(String::new, |source| source.publisher.clone()),
            year: source.map_or(0, |source| source.year),
            place: citation.place.clone(),
            url: source.map_or_else(String::new, |source| source.url.clone()),
        }
    }

    /// Active rules, by index, whose condition is not false.
    fn live<'a>(&'a self, values: &'a Valuation) -> impl Iterator<Item = u32> + 'a {
        values.not_false(&self.conditions).flat_map(|node| self.rules_of.get(&node).into_iter().flatten().copied())
    }

    /// Evaluates a patient at an instant, and says what every formula of the
    /// program is.
    #[must_use]
    pub fn weigh(&self, patient: &Patient, as_of: &AsOf, explain: Explain) -> (Answer, Valuation) {
        let case = Case::new(self, patient, as_of, explain);
        (assemble::answer(&case), case.values)
    }

    /// What every formula is for a patient at an instant: as the record is read,
    /// and with what is assumed of a list taken as unknown.
    #[must_use]
    pub fn readings(&self, patient: &Patient, as_of: &AsOf) -> Vec<Valuation> {
        Case::new(self, patient, as_of, Explain::Brief).readings()
    }

    /// Evaluates a patient at an instant.
    #[must_use]
    pub fn evaluate(&self, patient: &Patient, as_of: &AsOf, explain: Explain) -> Answer {
        assemble::answer(&Case::new(self, patient, as_of, explain))
    }
}
