//! Invariants speak of answers, and nothing else does.

use super::parts;
use crate::diag::{Diagnostic, Span};
use crate::rule::model::{Claim, Condition, Package, Spanned};

/// The conditions of a claim.
#[must_use]
pub fn conditions(claim: &Claim) -> Vec<&Spanned<Condition>> {
    match claim {
        Claim::Never(condition) => vec![condition],
        Claim::Always { given, then } => vec![given, then],
        Claim::NoBearing { of, on } => of.iter().chain(on).collect(),
        Claim::NoText { .. } | Claim::Says { .. } | Claim::Order { .. } | Claim::Codes { .. } | Claim::Apart { .. } => {
            Vec::new()
        }
    }
}

/// Rules and definitions that speak of what the answer says: it rests on them.
pub fn check(package: &Package, faults: &mut Vec<Diagnostic>) {
    let rules = package.rules.iter().map(|rule| &rule.when);
    for condition in rules.chain(package.definitions.iter().map(|definition| &definition.when)) {
        misplaced(condition, faults);
    }
    // Facts are named by what asks for them, and answers by what they say.
    for claim in package.invariants.iter().flat_map(|invariant| &invariant.claims) {
        let Claim::NoBearing { of, .. } = claim else { continue };
        for condition in of {
            misplaced(condition, faults);
        }
    }
}

fn misplaced(condition: &Spanned<Condition>, faults: &mut Vec<Diagnostic>) {
    match &condition.value {
        Condition::Outcome(_) => faults.push(fault(condition.span)),
        other => parts(other).into_iter().for_each(|part| misplaced(part, faults)),
    }
}

fn fault(span: Span) -> Diagnostic {
    Diagnostic::error("outcome", span, "what the answer says can't be asked for here: it rests on this")
        .help("`proposed:` and `offered:` ask for a component; `standing:`, `alert:` and `assess:` are for the claims of invariants")
}
