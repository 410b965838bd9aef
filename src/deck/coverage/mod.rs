//! What a deck shows of the rules: masking MC/DC, with unknown.
//!
//! A clause *holds* a rule where the rule is true, and would not be with the
//! clause forced to another value. It *keeps* a rule *from* firing where the
//! rule is not true, and would be with the clause forced. Only cases count that
//! pass, and that expect something.

mod reach;

use crate::analysis::theory::Theory;
use crate::diag::Span;
use crate::engine::Engine;
use crate::engine::evaluate::Valuation;
use crate::program::{Op, Outline, Program};
use crate::rule::model::RuleStatus;
use crate::rule::truth::Truth;

use super::run::Verdict;

const TRUTHS: [Truth; 3] = [Truth::False, Truth::Unknown, Truth::True];

/// What a deck shows of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// How many cases count.
    pub cases: usize,
    /// Active rules, by id.
    pub rules: Vec<Shown>,
    /// Definitions, by id.
    pub definitions: Vec<Shown>,
    /// Drafts, by id: by the cases that ask for them.
    pub drafts: Vec<Shown>,
}

/// What a deck shows of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Id of the rule or definition.
    pub id: String,
    /// Word of the conclusion; `definition` for one.
    pub kind: &'static str,
    /// Where the condition is written.
    pub span: Span,
    /// True in a case.
    pub fires: Goal,
    /// False in a case, and one clause forced to another value makes it true.
    pub near_miss: Goal,
    /// Unknown in a case.
    pub undecided: Goal,
    /// Its clauses, in the order of writing.
    pub clauses: Vec<ClauseShown>,
}

/// What a deck shows of a clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClauseShown {
    /// The clause in words.
    pub text: String,
    /// Where it is written.
    pub span: Span,
    /// The condition is true, and with another value of the clause would not be.
    pub holds: Goal,
    /// The condition is not true, and with another value of the clause would be.
    pub keeps: Goal,
    /// Clause and condition are unknown; asked of exclusions and alerts alone.
    pub unknown: Option<Goal>,
}

/// Is something shown?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// By so many cases, of which this is the first.
    Shown(usize, String),
    /// By none.
    Missing,
    /// It can't be: proven of every record there could be.
    Unreachable,
}

impl Goal {
    /// By how many cases?
    #[must_use]
    pub fn count(&self) -> usize {
        if let Self::Shown(count, _) = self { *count } else { 0 }
    }

    /// Is a case missing?
    #[must_use]
    pub fn is_missing(&self) -> bool {
        *self == Self::Missing
    }

    fn seen(&mut self, case: &str) {
        match self {
            Self::Shown(count, _) => *count = count.saturating_add(1),
            _ => *self = Self::Shown(1, case.to_owned()),
        }
    }
}

/// Totals: shown, missing, unreachable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Shown by a case.
    pub shown: usize,
    /// Shown by none.
    pub missing: usize,
    /// Proven to be out of reach.
    pub unreachable: usize,
}

impl Totals {
    /// Totals of some goals.
    pub fn of<'a>(goals: impl Iterator<Item = &'a Goal>) -> Self {
        let mut totals = Self::default();
        for goal in goals {
            let slot = match goal {
                Goal::Shown(..) => &mut totals.shown,
                Goal::Missing => &mut totals.missing,
                Goal::Unreachable => &mut totals.unreachable,
            };
            *slot = slot.saturating_add(1);
        }
        totals
    }

    /// All that can be shown.
    #[must_use]
    pub fn reachable(self) -> usize {
        self.shown.saturating_add(self.missing)
    }
}

impl Coverage {
    /// What the verdicts show of the rules, or of those that `wanted` names.
    #[must_use]
    pub fn of(engine: &Engine, verdicts: &[Verdict<'_>], wanted: impl Fn(&str) -> bool) -> Self {
        let (package, program) = (engine.package(), engine.program());
        let theory = Theory::new(package);
        let rules = |program: &Program, status: RuleStatus, cases: &[(&str, &Valuation)]| -> Vec<Shown> {
            let wanted = program.rules.iter().filter(|rule| wanted(&rule.id));
            let rules = wanted.filter_map(|rule| {
                let declared = package.rules.get(rule.rule as usize).filter(|declared| declared.status == status)?;
                let (kind, grave) = (declared.conclusion.word(), declared.conclusion.is_safety());
                Some(shown(&theory, program, &rule.id, kind, &rule.outline, grave, cases))
            });
            rules.collect()
        };
        let drafts = rules(engine.with_drafts().program(), RuleStatus::Draft, &cases_of(verdicts, true));
        let cases = cases_of(verdicts, false);
        let definitions = program.definitions.iter().filter(|definition| wanted(&definition.id));
        let definitions = definitions
            .map(|one| shown(&theory, program, &one.id, "definition", &one.outline, false, &cases))
            .collect();
        let rules = rules(program, RuleStatus::Active, &cases);
        Self { cases: cases.len(), rules, definitions, drafts }
    }
}

/// The cases that count, of those that ask for drafts or of the others.
fn cases_of<'v>(verdicts: &'v [Verdict<'_>], drafts: bool) -> Vec<(&'v str, &'v Valuation)> {
    let of = verdicts.iter().filter(|verdict| verdict.case.drafts == drafts);
    of.filter_map(|verdict| Some((verdict.case.id.as_str(), verdict.shows()?))).collect()
}

fn shown(
    theory: &Theory<'_>,
    program: &Program,
    id: &str,
    kind: &'static str,
    outline: &Outline,
    grave: bool,
    cases: &[(&str, &Valuation)],
) -> Shown {
    let clauses = outline.clauses();
    let mut shown = Shown {
        id: id.to_owned(),
        kind,
        span: outline.span,
        fires: Goal::Missing,
        near_miss: Goal::Missing,
        undecided: Goal::Missing,
        clauses: clauses
            .iter()
            .map(|clause| ClauseShown {
                text: words(clause),
                span: clause.span,
                holds: Goal::Missing,
                keeps: Goal::Missing,
                unknown: grave.then_some(Goal::Missing),
            })
            .collect(),
    };
    for (case, values) in cases {
        let own: Vec<Truth> = clauses.iter().map(|clause| values.get(clause.node)).collect();
        let seen = Seen::of(outline, &own);
        for (goal, is_seen) in goals_mut(&mut shown).into_iter().zip(seen.flat(grave)) {
            if is_seen {
                goal.seen(case);
            }
        }
    }
    if goals_mut(&mut shown).into_iter().any(|goal| goal.is_missing()) {
        let reachable = reach::of(theory, program, outline).flat(grave);
        for (goal, is_reachable) in goals_mut(&mut shown).into_iter().zip(reachable) {
            if goal.is_missing() && !is_reachable {
                *goal = Goal::Unreachable;
            }
        }
    }
    shown
}

/// A clause that names several facts is told by them.
fn words(clause: &Outline) -> String {
    if clause.op != Op::Fact {
        return clause.text.clone();
    }
    clause.parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join(" or ")
}

fn goals_mut(shown: &mut Shown) -> Vec<&mut Goal> {
    let mut goals = vec![&mut shown.fires, &mut shown.near_miss, &mut shown.undecided];
    for clause in &mut shown.clauses {
        goals.push(&mut clause.holds);
        goals.push(&mut clause.keeps);
        goals.extend(&mut clause.unknown);
    }
    goals
}

/// What one assignment of truth values shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    fires: bool,
    near_miss: bool,
    undecided: bool,
    /// Holds, keeps, unknown.
    clauses: Vec<[bool; 3]>,
}

impl Seen {
    pub(super) fn of(outline: &Outline, own: &[Truth]) -> Self {
        let value = |at: usize| own.get(at).copied().unwrap_or(Truth::Unknown);
        let truth = outline.truth(&mut |at, _| value(at));
        let forced = |clause: usize, to: Truth| outline.truth(&mut |at, _| if at == clause { to } else { value(at) });
        let clauses: Vec<[bool; 3]> = (0..own.len())
            .map(|clause| {
                let others = || TRUTHS.into_iter().filter(|to| *to != value(clause)).map(|to| forced(clause, to));
                let holds = truth == Truth::True && others().any(|other| other != Truth::True);
                let keeps = truth != Truth::True && others().any(|other| other == Truth::True);
                [holds, keeps, truth == Truth::Unknown && value(clause) == Truth::Unknown]
            })
            .collect();
        Self {
            fires: truth == Truth::True,
            near_miss: truth == Truth::False && clauses.iter().any(|[_, keeps, _]| *keeps),
            undecided: truth == Truth::Unknown,
            clauses,
        }
    }

    /// In the order of [`goals_mut`].
    pub(super) fn flat(&self, grave: bool) -> Vec<bool> {
        let mut flat = vec![self.fires, self.near_miss, self.undecided];
        for [holds, keeps, unknown] in &self.clauses {
            flat.extend([*holds, *keeps]);
            flat.extend(grave.then_some(*unknown));
        }
        flat
    }
}
