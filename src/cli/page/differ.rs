//! Questions on which sources differ: a few lines each, near the end.

use super::layout::{Paint, Sheet};
use super::said::Said;
use crate::engine::decision::{Answer, Choice, Disagreement, Explain};

pub(super) fn all<'a>(sheet: &mut Sheet, said: &mut Said<'a>, answer: &'a Answer) {
    if answer.disagreements.is_empty() {
        return;
    }
    sheet.heading("Where guidelines differ");
    for one in &answer.disagreements {
        let positions = if said.level == Explain::Brief { String::new() } else { positions(said, one) };
        let chosen = one.parameter.as_ref().map_or_else(String::new, chosen);
        sheet.noted(2, &one.question, Paint::Plain, &format!("{positions}Here: {}{chosen}", one.here), "");
    }
}

/// `Both alike [1]; the one first [4] (unverified). `
fn positions<'a>(said: &mut Said<'a>, one: &'a Disagreement) -> String {
    let held = one.positions.iter().map(|position| {
        let number = said.refs.number(&position.evidence);
        let read = said.refs.read(position.verification).map_or_else(String::new, |read| format!(" ({read})"));
        format!("{} [{number}]{read}", position.says.trim_end_matches('.'))
    });
    format!("{}. ", held.collect::<Vec<_>>().join("; "))
}

/// ` (jurisdiction: US)`.
fn chosen(choice: &Choice) -> String {
    let by = if choice.set_by_site { ", set by this site" } else { "" };
    format!(" ({}: {}{by})", choice.parameter, choice.value)
}
