//! What no patient can show of a condition: proven over every record there
//! could be, so that it is out of reach, and not merely unseen.

use crate::analysis::logic::{Lit, Rails};
use crate::analysis::space::Space;
use crate::analysis::theory::Theory;
use crate::program::{NodeId, Outline, Program};

use super::Seen;

/// What can be shown, as far as is known: what is not here can't be.
pub(super) fn of(theory: &Theory<'_>, program: &Program, outline: &Outline) -> Seen {
    let clauses = outline.clauses();
    let roots: Vec<NodeId> = clauses.iter().map(|clause| clause.node).chain([outline.node]).collect();
    let mut space = Space::of(theory, program, &roots);
    let truth = space.of_node(outline.node);
    let (always, never) = (space.logic.always(), space.logic.never());
    let values = [Rails { yes: always, no: never }, Rails { yes: never, no: always }, Rails { yes: never, no: never }];
    let mut seen = Seen {
        fires: !space.impossible(&[truth.yes]),
        undecided: !space.impossible(&[!truth.yes, !truth.no]),
        ..Seen::default()
    };
    for (index, clause) in clauses.iter().enumerate() {
        let forced: Vec<Lit> = values.iter().map(|value| space.with_clause(outline, index, *value).yes).collect();
        // Forced to the value that it has, a clause changes nothing.
        let not_all = !space.logic.and(&forced);
        let some = space.logic.or(&forced);
        let own = space.of_node(clause.node);
        let holds = !space.impossible(&[truth.yes, not_all]);
        let keeps = !space.impossible(&[!truth.yes, some]);
        let unknown = !space.impossible(&[!truth.yes, !truth.no, !own.yes, !own.no]);
        seen.near_miss |= !space.impossible(&[truth.no, some]);
        seen.clauses.push([holds, keeps, unknown]);
    }
    seen
}
