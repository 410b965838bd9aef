//! Conditions that are never true, and conditions that always are.

use super::{Asked, Claim, Finding, Place, Space};
use crate::diag::Diagnostic;
use crate::program::{Op, Outline};

/// Asks; says whether nothing further is to be asked of the condition.
pub fn ask(asked: &Asked<'_>, space: &mut Space, place: &Place<'_>, findings: &mut Vec<Finding>) -> bool {
    let truth = space.of_node(place.node);
    if space.impossible(&[truth.yes]) {
        findings.push(never(asked, space, place));
        return true;
    }
    if space.impossible(&[!truth.yes]) {
        let (code, says) = if place.what.starts_with("rule") {
            ("always-true", "fires for every patient")
        } else {
            ("always-true", "is true of every patient")
        };
        let diagnostic = Diagnostic::error(code, place.outline.span, format!("{} {says}", place.what))
            .label("true whatever the record holds")
            .help("say what makes it true of some patients only; a text for everyone is no rule");
        findings.push(Finding { diagnostic, shown_by: Vec::new(), instead: None });
        return true;
    }
    false
}

fn never(asked: &Asked<'_>, space: &mut Space, place: &Place<'_>) -> Finding {
    let rule = place.what.starts_with("rule");
    let (code, says) = if rule { ("never-fires", "can never fire") } else { ("never-true", "can never be true") };
    let parts = conjuncts(place.outline);
    let claims: Vec<_> = parts.iter().map(|part| space.of_node(part.node).yes).collect();
    let mut excluding = Vec::new();
    if space.impossible(&claims) {
        let lits = space.logic.core(&claims);
        excluding = smaller(space, lits);
    }
    let at_odds: Vec<&Outline> =
        parts.iter().zip(&claims).filter(|(_, lit)| excluding.contains(lit)).map(|(part, _)| *part).collect();
    // A rule of another place is meant not to fire here, and someone should see that it does not.
    if let [off] = at_odds[..]
        && off.op == Op::Constant(false)
    {
        let message = format!("{} {says} as the parameters are set", place.what);
        let diagnostic = Diagnostic::warning("switched-off", off.span, message).label("not so set");
        return Finding { diagnostic, shown_by: Vec::new(), instead: None };
    }
    let mut diagnostic = match at_odds.split_first() {
        Some((first, rest)) => {
            let mut diagnostic = Diagnostic::error(code, first.span, format!("{} {says}", place.what));
            diagnostic = if rest.is_empty() {
                diagnostic.label("no record makes this true")
            } else {
                diagnostic.label("at odds with the rest")
            };
            for other in rest {
                diagnostic = diagnostic.related(other.span, "no record makes this true as well");
            }
            diagnostic
        }
        None => Diagnostic::error(code, place.outline.span, format!("{} {says}", place.what))
            .label("no record makes this true"),
    };
    if let Some(offender) = dead_definition(asked, &at_odds) {
        diagnostic = diagnostic.help(format!("definition `{offender}` can never be true"));
    } else if at_odds.len() > 1 {
        diagnostic = diagnostic.help("these exclude each other: take one out, or join them with `any`");
    }
    // The nearest patient: all of the condition but one of what is at odds.
    let left_out = at_odds.last().map(|part| part.node);
    let shown_by =
        parts.iter().filter(|part| Some(part.node) != left_out).map(|part| Claim::holds(part.node)).collect();
    Finding { diagnostic, shown_by, instead: None }
}

fn dead_definition<'a>(asked: &Asked<'_>, at_odds: &[&'a Outline]) -> Option<&'a str> {
    at_odds.iter().find_map(|part| {
        let Op::Definition(id) = &part.op else { return None };
        let mut space = Space::of(asked.theory, asked.program, &[part.node]);
        let yes = space.of_node(part.node).yes;
        space.impossible(&[yes]).then_some(id.as_str())
    })
}

/// Parts of which every one must be true.
fn conjuncts(outline: &Outline) -> Vec<&Outline> {
    if outline.op == Op::All { outline.parts.iter().flat_map(conjuncts).collect() } else { vec![outline] }
}

/// Claims that exclude each other, none of which can be left out.
fn smaller(space: &mut Space, mut claims: Vec<super::Lit>) -> Vec<super::Lit> {
    let mut at = 0;
    while at < claims.len() {
        let mut fewer = claims.clone();
        fewer.remove(at);
        if space.impossible(&fewer) {
            claims = fewer;
        } else {
            at += 1;
        }
    }
    claims
}
