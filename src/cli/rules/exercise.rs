//! What the cases of a package say of its rules, for the handbook.

use std::collections::BTreeSet;

use crate::deck::Deck;
use crate::deck::run::run;
use crate::handbook::{Exercise, Exercised};
use crate::ruleset::Ruleset;

/// What each case of a deck says of the rules that it was written for:
/// those that its expectations name. A case that is refused, as a few are meant
/// to be, exercises no rule.
pub(super) fn of(ruleset: &Ruleset, deck: &Deck) -> Exercise {
    let mut exercise = Exercise::default();
    for verdict in run(deck, ruleset.engine(), |_| true) {
        let Some(values) = &verdict.values else { continue };
        let named: BTreeSet<&str> = verdict.case.expectations.iter().filter_map(|one| one.claim.rule()).collect();
        let engine = if verdict.case.drafts { ruleset.engine().with_drafts() } else { ruleset.engine() };
        for rule in engine.program().rules.iter().filter(|rule| named.contains(rule.id.as_str())) {
            let (case, title) = (verdict.case.id.clone(), verdict.case.title.clone());
            let exercised = Exercised { case, title, truth: values.get(rule.node) };
            exercise.of.entry(rule.id.clone()).or_default().push(exercised);
        }
    }
    exercise
}
