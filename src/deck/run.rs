//! Runs cases against a package.

use crate::engine::Engine;
use crate::engine::decision::Explain;
use crate::engine::evaluate::Valuation;
use crate::program::Outline;
use crate::rule::truth::Truth;

use super::judge::{Found, Outcome};
use super::{Case, Deck};

/// How a case went.
#[derive(Debug)]
pub struct Verdict<'a> {
    /// The case.
    pub case: &'a Case,
    /// What does not hold.
    pub misses: Vec<Miss>,
    /// Truth values of all formulas, of the program with drafts where the case
    /// asks for them; none where the request was refused.
    pub values: Option<Valuation>,
}

impl Verdict<'_> {
    /// Does everything hold?
    #[must_use]
    pub fn passed(&self) -> bool {
        self.misses.is_empty()
    }

    /// Does it show anything of the package: expectations that hold, and an answer?
    #[must_use]
    pub fn shows(&self) -> Option<&Valuation> {
        let counts = self.case.labeled && self.passed();
        self.values.as_ref().filter(|_| counts)
    }
}

/// An expectation that does not hold, with the condition of its rule where it
/// speaks of one.
#[derive(Debug)]
pub struct Miss {
    /// What was expected, and what there is.
    pub found: Found,
    /// The rule's condition, with its truth values.
    pub proof: Option<Proof>,
}

/// A part of a condition with its truth value.
#[derive(Debug)]
pub struct Proof {
    /// The part in words.
    pub text: String,
    /// Its truth value.
    pub truth: Truth,
    /// Its parts.
    pub parts: Vec<Proof>,
}

/// Evaluates a case; none where its request is refused.
#[must_use]
pub fn evaluate<'a>(case: &Case, engine: &'a Engine) -> Option<Outcome<'a>> {
    let evaluation = case.evaluation.as_ref()?;
    let engine = if case.drafts { engine.with_drafts() } else { engine };
    let (answer, values) = engine.weigh(&evaluation.patient, &evaluation.as_of, Explain::Brief);
    Some(Outcome { engine, answer, values })
}

/// Runs every case that `wanted` names.
pub fn run<'a>(deck: &'a Deck, engine: &Engine, wanted: impl Fn(&Case) -> bool) -> Vec<Verdict<'a>> {
    deck.cases.iter().filter(|case| wanted(case)).map(|case| verdict(case, engine)).collect()
}

fn verdict<'a>(case: &'a Case, engine: &Engine) -> Verdict<'a> {
    let mut misses: Vec<Miss> = case.refusal.iter().map(|found| Miss { found: found.clone(), proof: None }).collect();
    let outcome = evaluate(case, engine);
    if let Some(outcome) = &outcome {
        for expectation in &case.expectations {
            if let Some(found) = outcome.miss(expectation) {
                misses.push(Miss { found, proof: expectation.claim.rule().and_then(|rule| proof(outcome, rule)) });
            }
        }
    }
    Verdict { case, misses, values: outcome.map(|outcome| outcome.values) }
}

fn proof(outcome: &Outcome<'_>, rule: &str) -> Option<Proof> {
    let rule = outcome.engine.program().rules.iter().find(|one| one.id == rule)?;
    Some(explained(&rule.outline, &outcome.values))
}

fn explained(outline: &Outline, values: &Valuation) -> Proof {
    let parts = outline.parts.iter().map(|part| explained(part, values)).collect();
    Proof { text: outline.text.clone(), truth: values.get(outline.node), parts }
}
