//! What changes for patients between two packages, with every example put to
//! the engine, and what changes for the patients of a cohort.

use std::collections::{BTreeMap, BTreeSet};

use super::Ruleset;
use crate::analysis::diff::words::{self, Subject};
use crate::analysis::diff::{self, Change, Entry, wording};

use crate::engine::decision::{Action, Answer, Component, Explain, FindingKind, Scope};

/// What is said of each subject.
type Said = BTreeMap<Subject, BTreeSet<String>>;

/// What changes.
#[derive(Debug)]
pub struct Diff {
    /// Where answers differ.
    pub examples: Vec<Example>,
    /// Subjects of which more conditions exist than are listed.
    pub more: Vec<Subject>,
    /// Subjects of which it is not proven that the listed conditions are all.
    pub beyond: Vec<Subject>,
    /// Subjects of which neither equality is proven nor a difference found.
    pub unproven: Vec<Subject>,
    /// Codes that one package alone lists.
    pub listed_once: Vec<String>,
    /// Changes of wording.
    pub wording: Vec<wording::Change>,
    /// Is it proven that no answer differs, wording aside?
    pub equal: bool,
}

/// A condition with a record that both packages were put to.
#[derive(Debug)]
pub struct Example {
    /// The condition, the changes, the record.
    pub entry: Entry,
    /// Changes that the analysis foretells and the engine does not show: a fault
    /// of one of them.
    pub unconfirmed: Vec<Change>,
}

/// What changes for patients from one package to another.
#[must_use]
pub fn between(old: &Ruleset, new: &Ruleset) -> Diff {
    let found = diff::compare(old.side(), new.side());
    let equal = found.is_equal();
    let examples = found.entries.into_iter().map(|entry| confirmed(old, new, entry)).collect();
    let diff::Diff { more, beyond, unproven, listed_once, wording, .. } = found;
    Diff { examples, more, beyond, unproven, listed_once, wording, equal }
}

/// Puts the record of an entry to both packages.
fn confirmed(old: &Ruleset, new: &Ruleset, mut entry: Entry) -> Example {
    let said = |ruleset: &Ruleset| said(&ruleset.evaluate(&entry.record.patient, &entry.record.as_of, Explain::Brief));
    let (before, after) = (said(old), said(new));
    let mut unconfirmed = Vec::new();
    entry.changes.retain_mut(|change| {
        let list = |said: &Said| -> Vec<String> { said.get(&change.subject).into_iter().flatten().cloned().collect() };
        let read = Change { subject: change.subject.clone(), old: list(&before), new: list(&after) };
        let shown = match change.subject {
            // Which question asks for a fact, the engine alone knows.
            Subject::Asked(_) => read.old != read.new,
            _ => read == *change,
        };
        if shown {
            *change = read;
        } else {
            unconfirmed.push(change.clone());
        }
        shown
    });
    Example { entry, unconfirmed }
}

/// Everything that differs between two answers to one patient, wording aside.
#[must_use]
pub fn of_answers(old: &Answer, new: &Answer) -> Vec<Change> {
    let (before, after) = (said(old), said(new));
    let subjects: BTreeSet<&Subject> = before.keys().chain(after.keys()).collect();
    let list =
        |said: &Said, subject: &Subject| -> Vec<String> { said.get(subject).into_iter().flatten().cloned().collect() };
    let changes = subjects.into_iter().map(|subject| Change {
        subject: subject.clone(),
        old: list(&before, subject),
        new: list(&after, subject),
    });
    changes.filter(|change| change.old != change.new).collect()
}

/// What an answer says, in the words of the analysis.
fn said(answer: &Answer) -> Said {
    let mut said = Said::new();
    let mut say = |subject: Subject, words: String| {
        said.entry(subject).or_default().insert(words);
    };
    if let Some(scope) = scope(answer.scope) {
        say(Subject::Scope, scope.to_owned());
    }
    for component in answer.recommendations.iter().flat_map(|one| &one.components) {
        let code = component.code.clone();
        if component.action == Action::Increase {
            for words in reasons(component) {
                say(Subject::Increase(code.clone()), words);
            }
            continue;
        }
        let (offer, exclusion) = (component.offer as usize, component.exclusion as usize);
        let handled = component.handling.is_some();
        say(Subject::Component(code.clone()), words::standing(action(component.action), offer, exclusion, handled));
        for words in reasons(component) {
            say(Subject::Reasons(code.clone()), words);
        }
    }
    for alert in &answer.alerts {
        let words = words::alert(&alert.category, alert.severity.word(), alert.urgency.word(), alert.possible);
        say(Subject::Alert(alert.id.clone()), words);
    }
    for insight in &answer.insights {
        say(Subject::Insight(insight.id.clone()), words::said(&[&insight.code]));
    }
    for note in &answer.notes {
        say(Subject::Note(note.id.clone()), words::said(&[]));
    }
    for one in answer.assessments.iter().chain(&answer.more_assessments) {
        say(Subject::Assessment(one.id.clone()), words::said(&[&one.category, &one.instrument]));
    }
    for request in answer.data_requests.iter().chain(&answer.more_data_requests) {
        if request.rationale.is_some() {
            say(Subject::Request(request.id.clone()), words::said(&[&request.category, &request.field]));
        }
        for effect in &request.effects {
            say(Subject::Asked(effect.rule.clone()), format!("asks for {}", request.id));
        }
    }
    said
}

fn scope(scope: Scope) -> Option<&'static str> {
    match scope {
        Scope::None => None,
        Scope::InRemission => Some("in remission"),
        Scope::Possible => Some("possible"),
        Scope::Present => Some("present"),
    }
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Start => "start",
        Action::Continue => "continue",
        Action::StartOrContinue => "start or continue",
        Action::Increase => "increase",
    }
}

fn reasons(component: &Component) -> Vec<String> {
    let mut found = Vec::new();
    for finding in &component.rationale {
        let rule = &finding.rationale.rule;
        let is_offer = matches!(finding.kind, FindingKind::Recommend | FindingKind::Consider);
        let of = finding.action.filter(|_| !is_offer).map_or("", action);
        found.push(words::finding(rule, finding.kind.word(), of, finding.counted));
        found.extend(finding.outranked_by.iter().map(|above| words::outranked(rule, above)));
    }
    found
}
