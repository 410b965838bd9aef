//! Clauses without effect: true or false, the condition stays what it is.

use super::{Claim, Finding, Place, Space};
use crate::diag::{Diagnostic, Span};
use crate::program::{Op, Outline};

/// Asks of every clause but those at `kept`, which name what a statement fills in.
pub fn ask(space: &mut Space, place: &Place<'_>, kept: &[Span], findings: &mut Vec<Finding>) {
    let clauses = place.outline.clauses();
    if clauses.len() < 2 {
        return;
    }
    let before = space.of_node(place.node);
    for (index, clause) in clauses.iter().enumerate().filter(|(_, clause)| !kept.contains(&clause.span)) {
        let instead = space.logic.fresh_rails();
        let after = space.with_clause(place.outline, index, instead);
        let logic = &mut space.logic;
        let differs = [(before.yes, after.yes), (before.no, after.no)].map(|(a, b)| {
            let (gained, lost) = (logic.and(&[!a, b]), logic.and(&[a, !b]));
            logic.or(&[gained, lost])
        });
        let differs = logic.or(&differs);
        let constant = if space.impossible(&[differs, instead.yes]) {
            "true"
        } else if space.impossible(&[differs, instead.no]) {
            "false"
        } else {
            continue;
        };
        findings.push(finding(space, place, clause, constant));
    }
}

fn finding(space: &mut Space, place: &Place<'_>, clause: &Outline, constant: &str) -> Finding {
    let message = format!("a clause of {} has no effect: {}", place.what, clause.text);
    let why = if matches!(clause.op, Op::Definition(_) | Op::Proposed(_) | Op::Offered(_)) {
        "what it stands for decides nothing here"
    } else {
        "the rest of the condition decides"
    };
    let diagnostic = Diagnostic::warning("clause-without-effect", clause.span, message)
        .label(format!("might as well be {constant}"))
        .help(format!("{why}: take it out, or say what it was meant for"));
    let claims = [Claim::holds(place.node), Claim::holds(clause.node)];
    let lits = claims.map(|claim| claim.lit(space.of_node(claim.node)));
    let shown_by = if space.impossible(&lits) { vec![Claim::holds(place.node)] } else { claims.to_vec() };
    Finding { diagnostic, shown_by, instead: None }
}
