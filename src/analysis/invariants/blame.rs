//! Which rules answer for it that a claim is not so.

use super::Question;
use crate::analysis::logic::{Model, Rails};
use crate::program::compile::is_offer;
use crate::program::{CompiledRule, NodeId, Op, Outline, Program};
use crate::rule::model::{Package, WhenUnknown};
use crate::rule::truth::Truth;

/// Rules beside the first that are told at most.
pub const SHOWN: usize = 4;

/// A rule that answers for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Index in the package.
    pub rule: usize,
    /// It says too much, where otherwise it says too little.
    pub said: bool,
    truth: Truth,
    bearing: bool,
}

impl Told {
    /// What it does in the example.
    #[must_use]
    pub fn words(&self) -> &'static str {
        match (self.bearing, self.truth) {
            (true, Truth::False) => "does not fire, and would without these facts",
            (true, Truth::True) => "fires because of these facts",
            (true, Truth::Unknown) => "is left open by these facts",
            (false, Truth::True) => "fires for such a patient",
            (false, Truth::Unknown) => "is unknown for such a patient",
            (false, Truth::False) => "does not fire for such a patient",
        }
    }
}

/// The rules that answer for it in a model. `second` are the formulas without
/// the facts that have no bearing.
pub fn blamed(
    package: &Package,
    program: &Program,
    question: &Question<'_>,
    model: &Model,
    rails: impl Fn(NodeId) -> Rails,
    second: impl Fn(NodeId) -> Option<Rails>,
) -> Vec<Told> {
    let truth = |rule: &CompiledRule| model.truth(rails(rule.node));
    let mut told: Vec<Told> = Vec::new();
    let mut tell = |rule: &CompiledRule, said: bool, bearing: bool| {
        let one = Told { rule: rule.rule as usize, said, truth: truth(rule), bearing };
        if !told.iter().any(|known| known.rule == one.rule) {
            told.push(one);
        }
    };
    match question {
        Question::Follows { given, then } => {
            // What is demanded and not said: any of these could have said it.
            let mut missing = Vec::new();
            for (outline, wanted) in [(Some(*given), false), (*then, true)] {
                for (leaf, wanted) in outline.into_iter().flat_map(|outline| leaves(outline, wanted)) {
                    for rule in makers(package, program, leaf) {
                        match (wanted, truth(rule)) {
                            (false, Truth::True) => tell(rule, true, false),
                            (false, Truth::Unknown) if verifies(package, rule) => tell(rule, true, false),
                            (true, Truth::False | Truth::Unknown) => missing.push(rule),
                            _ => {}
                        }
                    }
                }
            }
            for rule in missing {
                tell(rule, false, false);
            }
        }
        Question::Bearing { on, .. } => {
            for (leaf, unwanted) in leaves(&on.said, false) {
                let by: Vec<&str> = makers(package, program, leaf).iter().map(|rule| rule.id.as_str()).collect();
                for rule in speakers(package, program, leaf) {
                    let makes = by.contains(&rule.id.as_str());
                    let Some(other) = second(rule.node).map(|rails| model.truth(rails)) else { continue };
                    let here = truth(rule);
                    let gained = here == Truth::True || (here == Truth::Unknown && verifies(package, rule));
                    let lost = here != Truth::True && other == Truth::True;
                    if here != other && (if makes == unwanted { lost } else { gained }) {
                        tell(rule, true, true);
                    }
                }
            }
        }
    }
    told
}

/// The parts that are about the answer, and whether each is wanted.
fn leaves(outline: &Outline, wanted: bool) -> Vec<(&Outline, bool)> {
    match &outline.op {
        Op::Outcome { .. } | Op::Proposed(_) | Op::Offered(_) => vec![(outline, wanted)],
        Op::Definition(_) | Op::Known | Op::Unknown => Vec::new(),
        op => {
            let turned = |at: usize| matches!(op, Op::None | Op::Not) || (*op == Op::Implies && at == 0);
            let parts = outline.parts.iter().enumerate();
            parts.flat_map(|(at, part)| leaves(part, wanted != turned(at))).collect()
        }
    }
}

fn of<'a>(program: &'a Program, places: &[u32]) -> Vec<&'a CompiledRule> {
    places.iter().filter_map(|place| program.rules.get(*place as usize)).collect()
}

/// Does it say something where it is unknown?
fn verifies(package: &Package, rule: &CompiledRule) -> bool {
    package.rules.get(rule.rule as usize).is_some_and(|declared| declared.unknown != WhenUnknown::Request)
}

/// The rules that make it so.
fn makers<'a>(package: &Package, program: &'a Program, leaf: &Outline) -> Vec<&'a CompiledRule> {
    match &leaf.op {
        Op::Outcome { by, .. } => of(program, by),
        _ => {
            let offers = |rule: &&CompiledRule| {
                package.rules.get(rule.rule as usize).is_some_and(|declared| is_offer(&declared.conclusion))
            };
            speakers(package, program, leaf).into_iter().filter(offers).collect()
        }
    }
}

/// Every rule that speaks of the same.
fn speakers<'a>(package: &Package, program: &'a Program, leaf: &Outline) -> Vec<&'a CompiledRule> {
    match &leaf.op {
        Op::Outcome { by, beside } => of(program, &[by.as_slice(), beside.as_slice()].concat()),
        Op::Proposed(id) | Op::Offered(id) => {
            let place = package.components.iter().position(|component| component.id.value == *id);
            let speaks = |rule: &&CompiledRule| rule.components.iter().any(|one| Some(*one as usize) == place);
            program.rules.iter().filter(speaks).collect()
        }
        _ => Vec::new(),
    }
}
