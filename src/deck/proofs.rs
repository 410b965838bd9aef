//! Cases that the package names as proofs of the controls of its hazards.

use super::Deck;
use crate::diag::{Diagnostic, nearest};
use crate::rule::model::{Package, Proof};

/// Proofs that name a case which the deck does not have, each where the package
/// says so. The deck is the whole one of the package.
#[must_use]
pub fn missing(package: &Package, deck: &Deck) -> Vec<Diagnostic> {
    let controls = package.hazards.iter().flat_map(|hazard| &hazard.controls);
    let cases = controls.flat_map(|control| &control.proven_by).filter_map(|proof| match proof {
        Proof::Case(id) => Some(id),
        _ => None,
    });
    let known = |id: &str| deck.cases.iter().any(|case| case.id == id);
    cases
        .filter(|id| !known(&id.value))
        .map(|id| {
            let message = format!("no case of the package is `{}`", id.value);
            let fault = Diagnostic::error("unknown-name", id.span, message);
            match nearest(&id.value, deck.cases.iter().map(|case| case.id.as_str())) {
                Some(near) => fault.help(format!("did you mean `{near}`?")),
                None => fault.help("name a case below `cases`, or another proof"),
            }
        })
        .collect()
}
