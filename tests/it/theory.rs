//! What the analysis takes to hold of every record, held against records: what
//! the engine reads in any of them is possible there.

use concord::analysis::logic::{Lit, Logic, Rails};
use concord::analysis::theory::Theory;
use concord::api::json;
use concord::api::limits::Limits;
use concord::api::proto::EvaluateRequest;
use concord::api::request;
use concord::program::Atom;
use concord::rule::truth::Truth;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::cases::SHIPPED;
use crate::laws::a_patient;

/// The free space of the shipped package.
struct Free {
    logic: Logic,
    atoms: Vec<Rails>,
}

impl Free {
    fn new() -> Self {
        let theory = Theory::new(SHIPPED.package());
        let mut logic = Logic::new();
        let atoms: Vec<&Atom> = SHIPPED.program().atoms.iter().collect();
        let atoms = theory.facts(&mut logic, &atoms);
        Self { logic, atoms }
    }

    /// Facts of a record that the space takes to exclude each other.
    fn excluded(&mut self, body: &Value) -> Vec<String> {
        let wire: EvaluateRequest = json::from_str(&body.to_string()).unwrap_or_else(|error| panic!("{error}: {body}"));
        let Ok(read) = request::read(wire, &Limits::default(), jiff::Timestamp::UNIX_EPOCH) else { return Vec::new() };
        let (truths, _) = SHIPPED.truths(&read.patient, &read.as_of);
        let mut claims: Vec<(Lit, usize)> = Vec::new();
        for (at, (rails, truth)) in self.atoms.iter().zip(&truths).enumerate() {
            claims.push((if *truth == Truth::True { rails.yes } else { !rails.yes }, at));
            claims.push((if *truth == Truth::False { rails.no } else { !rails.no }, at));
        }
        let lits: Vec<Lit> = claims.iter().map(|(lit, _)| *lit).collect();
        if !self.logic.impossible(&lits) {
            return Vec::new();
        }
        let core = self.logic.core(&lits);
        let atoms = &SHIPPED.program().atoms;
        let said = claims.iter().filter(|(lit, _)| core.contains(lit));
        said.map(|(_, at)| format!("{} is {:?}", atoms[*at].text, truths[*at])).collect()
    }
}

#[test]
fn every_case_is_in_the_free_space() {
    let mut free = Free::new();
    let mut seen = 0;
    for case in &crate::cases::DECK.cases {
        let excluded = free.excluded(&json!({"patient": case.patient, "asOf": case.as_of}));
        assert!(excluded.is_empty(), "{}: {excluded:#?}", case.id);
        seen += 1;
    }
    assert!(seen >= 50);
}

#[test]
fn every_patient_is_in_the_free_space() {
    let mut free = Free::new();
    let mut runner = TestRunner::deterministic();
    let patients = a_patient();
    for _ in 0..2_000 {
        let patient = patients.new_tree(&mut runner).expect("a patient").current();
        let excluded = free.excluded(&json!({"patient": patient, "asOf": "2026-06-01T12:00:00Z"}));
        assert!(excluded.is_empty(), "{excluded:#?}\n{patient}");
    }
}
