//! From a patient to an explained decision.
//!
//! A pure function of patient, instant and package: no clock, no randomness,
//! no I/O, no logging. [`compile`] makes a package into a [`program`];
//! [`ground`] turns a record into truth values of its atoms; [`evaluate`]
//! computes the formulas; [`assemble`] puts the answer together.

pub mod assemble;
mod case;
pub mod compile;
mod components;
pub mod decision;
pub mod describe;
pub mod evaluate;
mod explain;
pub mod ground;
mod needs;
pub mod program;
mod requests;
mod statement;

use crate::clinical::concept::{ConceptDef, ConceptFault, ConceptIndex};
use crate::clinical::date::AsOf;
use crate::clinical::patient::Patient;
use crate::rule::model::Package;

use case::Case;
use decision::{Answer, Explain};
use evaluate::Evaluator;
use ground::Grounder;
use program::Program;

/// A package, ready to evaluate patients.
#[derive(Debug)]
pub struct Engine {
    package: Package,
    program: Program,
    grounder: Grounder,
    evaluator: Evaluator,
    needs: Vec<Option<needs::Need>>,
}

impl Engine {
    /// Compiles a package that was checked.
    ///
    /// # Errors
    /// Faults of its value sets; a package that was checked has none.
    pub fn new(package: Package) -> Result<Self, Vec<ConceptFault>> {
        let defs: Vec<ConceptDef> = package.concepts.iter().map(|concept| concept.def.clone()).collect();
        let index = ConceptIndex::build(&defs)?;
        let program = compile::compile(&package);
        let grounder = Grounder::new(&package, &program, index);
        let evaluator = Evaluator::new(&program, |id, open| {
            let atom = program.atoms.get(id.at());
            atom.map_or(crate::rule::truth::Truth::Unknown, |atom| Grounder::absent(atom, open))
        });
        let needs = needs::of_atoms(&package, &program);
        Ok(Self { package, program, grounder, evaluator, needs })
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

    fn grounder(&self) -> &Grounder {
        &self.grounder
    }

    fn evaluator(&self) -> &Evaluator {
        &self.evaluator
    }

    fn need(&self, atom: program::AtomId) -> Option<&needs::Need> {
        self.needs.get(atom.at())?.as_ref()
    }

    /// Evaluates a patient at an instant.
    #[must_use]
    pub fn evaluate(&self, patient: &Patient, as_of: &AsOf, explain: Explain) -> Answer {
        assemble::answer(&Case::new(self, patient, as_of, explain))
    }
}
