//! Does an answer hold what is expected of it?

use std::collections::BTreeSet;

use crate::diag::Span;
use crate::engine::Engine;
use crate::engine::decision::{Action, Alert, Answer, Component, Scope, Standing};
use crate::engine::evaluate::Valuation;
use crate::rule::truth::Truth;

use super::claim::{AlertPattern, Claim, Expectation};

/// Components that make an approach what it is; the others may serve people
/// without the disorder.
const DEFINING: [(&str, &[&str]); 2] = [
    (
        "medication-assisted-treatment",
        &["buprenorphine", "buprenorphine-extended-release", "methadone", "naltrexone-extended-release"],
    ),
    (
        "dual-diagnosis-treatment",
        &[
            "concurrent-treatment-plan",
            "integrated-dual-disorder-treatment",
            "cope",
            "seeking-safety",
            "integrated-group-therapy",
        ],
    ),
];

/// What was expected, and what there is instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The key of the expectation: `components.standing`.
    pub key: &'static str,
    /// What it speaks of.
    pub subject: String,
    /// What was expected.
    pub expected: String,
    /// What there is.
    pub found: String,
    /// Where it is expected.
    pub span: Span,
}

/// What a package says of a patient.
#[derive(Debug)]
pub struct Outcome<'a> {
    /// The package.
    pub engine: &'a Engine,
    /// The answer.
    pub answer: Answer,
    /// Truth values of all formulas.
    pub values: Valuation,
}

impl Outcome<'_> {
    /// Truth of an active rule's condition.
    #[must_use]
    pub fn truth(&self, rule: &str) -> Option<Truth> {
        let rules = &self.engine.program().rules;
        let at = rules.binary_search_by(|one| one.id.as_str().cmp(rule)).ok()?;
        rules.get(at).map(|rule| self.values.get(rule.node))
    }

    /// What there is instead of what is expected; none where it holds.
    #[must_use]
    pub fn miss(&self, expectation: &Expectation) -> Option<Found> {
        let (subject, expected, found) = self.differs(&expectation.claim)?;
        Some(Found { key: expectation.claim.key(), subject, expected, found, span: expectation.span })
    }

    fn differs(&self, claim: &Claim) -> Option<(String, String, String)> {
        let answer = &self.answer;
        match claim {
            Claim::ApproachOffered(approach) => {
                let mut under = components(answer).filter(|(of, _)| of == approach).map(|(_, component)| component);
                let holds = under.clone().any(Component::offered);
                let found = if under.next().is_some() { "nothing under it is offered" } else { "absent" };
                differs(holds, approach, "offers a component", found)
            }
            Claim::ApproachNotRecommended(approach) => {
                let defining = DEFINING.iter().find(|(of, _)| of == approach).map_or(&[][..], |(_, codes)| codes);
                let recommended = components(answer).find(|(of, component)| {
                    of == approach
                        && defining.contains(&component.code.as_str())
                        && component.standing == Standing::Recommended
                });
                let found = recommended.map_or_else(String::new, |(_, one)| format!("{} is recommended", one.code));
                differs(recommended.is_none(), approach, "none of its defining components is recommended", &found)
            }
            Claim::AnyOffered(any_of) => {
                let named = |component: &Component| any_of.contains(&component.code);
                let holds = components(answer).any(|(_, component)| named(component) && component.offered());
                let found = any_of.iter().map(|code| format!("{code} {}", standings(answer, code)));
                differs(holds, &any_of.join(" or "), "offered", &found.collect::<Vec<_>>().join(", "))
            }
            Claim::NotOffered(code) => {
                let offers = |standing| matches!(standing, Standing::Recommended | Standing::Consider);
                let offered = components(answer).any(|(_, one)| one.code == *code && offers(one.standing));
                differs(!offered, code, "neither recommended nor considered", &standings(answer, code))
            }
            Claim::Contraindicated(code) => {
                let stands = |one: &Component| one.code == *code && one.standing == Standing::Contraindicated;
                let holds = components(answer).any(|(_, component)| stands(component));
                differs(holds, code, "contraindicated", &standings(answer, code))
            }
            Claim::Standing { component, action, is } => self.standing(component, *action, *is),
            Claim::Alert(pattern) => {
                let asked = pattern.or_request && request_about(answer, &pattern.about);
                let holds = asked || answer.alerts.iter().any(|alert| fits(alert, pattern));
                differs(holds, &pattern.to_string(), "such an alert", &listed(answer))
            }
            Claim::NoAlert(pattern) => {
                let found = answer.alerts.iter().find(|alert| fits(alert, pattern));
                let words = found.map_or_else(String::new, shown);
                differs(found.is_none(), &pattern.to_string(), "no such alert", &words)
            }
            Claim::AlertsExact(patterns) => alerts_exact(answer, patterns),
            Claim::Request { about, or_alert } => {
                let pattern = AlertPattern { about: about.clone(), ..AlertPattern::default() };
                let alerted = *or_alert && answer.alerts.iter().any(|alert| fits(alert, &pattern));
                let holds = alerted || request_about(answer, about);
                let found = join(&asked(answer));
                differs(holds, &format!("about {}", about.join(" or ")), "a request or an assessment", &found)
            }
            Claim::RequestKey(id) => {
                let asked = asked(answer);
                differs(asked.contains(id.as_str()), id, "a request or an assessment", &join(&asked))
            }
            Claim::RequestsExact(ids) => {
                let wanted: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
                exact(&wanted, &asked(answer))
            }
            Claim::Unrecognized { system, code } => {
                let holds = answer.unrecognized.iter().any(|one| one.system == *system && one.code == *code);
                differs(holds, &format!("{system} {code}"), "listed as not understood", "not listed")
            }
            Claim::Scope(scope) => {
                differs(answer.scope == *scope, "scope", scope_word(*scope), scope_word(answer.scope))
            }
            Claim::Rule(rule, wanted) => {
                let found = self.truth(rule);
                let words = found.map_or("not an active rule", truth_word);
                differs(found == Some(*wanted), rule, truth_word(*wanted), words)
            }
        }
    }

    fn standing(
        &self,
        code: &str,
        action: Option<Action>,
        wanted: Option<Standing>,
    ) -> Option<(String, String, String)> {
        let fits = |component: &Component| {
            component.code == code && action.map_or(component.action != Action::Increase, |one| one == component.action)
        };
        let found = components(&self.answer).find(|(_, component)| fits(component));
        let standing = found.map(|(_, component)| component.standing);
        let subject = action.map_or_else(|| code.to_owned(), |action| format!("{code}, {}", action_word(action)));
        let word = |standing: Option<Standing>| standing.map_or("absent", standing_word);
        differs(standing == wanted, &subject, word(wanted), word(standing))
    }
}

fn differs(holds: bool, subject: &str, expected: &str, found: &str) -> Option<(String, String, String)> {
    (!holds).then(|| (subject.to_owned(), expected.to_owned(), found.to_owned()))
}

fn components(answer: &Answer) -> impl Iterator<Item = (&str, &Component)> + Clone {
    answer
        .recommendations
        .iter()
        .flat_map(|approach| approach.components.iter().map(move |component| (approach.approach.as_str(), component)))
}

/// How a component stands, by action.
fn standings(answer: &Answer, code: &str) -> String {
    let said: BTreeSet<String> = components(answer)
        .filter(|(_, component)| component.code == code)
        .map(|(_, one)| format!("{} ({})", standing_word(one.standing), action_word(one.action)))
        .collect();
    if said.is_empty() { "absent".to_owned() } else { said.into_iter().collect::<Vec<_>>().join(" and ") }
}

/// Does a text hold a word that begins so?
fn mentions(text: &str, about: &[String]) -> bool {
    let text = text.to_lowercase();
    let begins = |at: usize| !text.get(..at).is_some_and(|before| before.ends_with(char::is_alphanumeric));
    about.iter().any(|word| text.match_indices(word.as_str()).any(|(at, _)| begins(at)))
}

fn fits(alert: &Alert, pattern: &AlertPattern) -> bool {
    let words = || format!("{} {} {}", alert.id, alert.title, alert.statement);
    pattern.id.as_ref().is_none_or(|id| *id == alert.id)
        && (pattern.categories.is_empty() || pattern.categories.contains(&alert.category))
        && pattern.severity.is_none_or(|severity| severity == alert.severity)
        && pattern.urgency.is_none_or(|urgency| urgency == alert.urgency)
        && pattern.possible.is_none_or(|possible| possible == alert.possible)
        && (pattern.about.is_empty() || mentions(&words(), &pattern.about))
}

fn shown(alert: &Alert) -> String {
    let possible = if alert.possible { ", possible" } else { "" };
    format!("{} ({}, {}, {}{possible})", alert.id, alert.category, alert.severity, alert.urgency)
}

fn listed(answer: &Answer) -> String {
    let all: Vec<String> = answer.alerts.iter().map(shown).collect();
    if all.is_empty() { "no alert".to_owned() } else { all.join(", ") }
}

fn alerts_exact(answer: &Answer, patterns: &[AlertPattern]) -> Option<(String, String, String)> {
    let wanted: BTreeSet<&str> = patterns.iter().filter_map(|pattern| pattern.id.as_deref()).collect();
    let found: BTreeSet<&str> = answer.alerts.iter().map(|alert| alert.id.as_str()).collect();
    let unlike = || patterns.iter().find(|pattern| !answer.alerts.iter().any(|alert| fits(alert, pattern)));
    match exact(&wanted, &found) {
        Some(difference) => Some(difference),
        None => unlike().map(|pattern| ("the alerts".to_owned(), pattern.to_string(), listed(answer))),
    }
}

fn exact(wanted: &BTreeSet<&str>, found: &BTreeSet<&str>) -> Option<(String, String, String)> {
    let missing: BTreeSet<&str> = wanted.difference(found).copied().collect();
    let besides: BTreeSet<&str> = found.difference(wanted).copied().collect();
    let mut words = Vec::new();
    if !missing.is_empty() {
        words.push(format!("without {}", join(&missing)));
    }
    if !besides.is_empty() {
        words.push(format!("besides {}", join(&besides)));
    }
    differs(words.is_empty(), "the list", &join(wanted), &words.join("; "))
}

fn join(ids: &BTreeSet<&str>) -> String {
    if ids.is_empty() { "none".to_owned() } else { ids.iter().copied().collect::<Vec<_>>().join(", ") }
}

/// Ids of all data requests and assessments.
fn asked(answer: &Answer) -> BTreeSet<&str> {
    let requests = answer.data_requests.iter().chain(&answer.more_data_requests).map(|one| one.id.as_str());
    requests.chain(answer.assessments.iter().chain(&answer.more_assessments).map(|one| one.id.as_str())).collect()
}

/// Only what is shown at once counts: an answer that asks later has not asked.
fn request_about(answer: &Answer, about: &[String]) -> bool {
    let requests = answer.data_requests.iter().map(|one| format!("{} {}", one.id, one.statement));
    let assessments = answer.assessments.iter().map(|one| format!("{} {} {}", one.id, one.title, one.statement));
    requests.chain(assessments).any(|words| mentions(&words, about))
}

/// The word of a standing.
pub(super) fn standing_word(standing: Standing) -> &'static str {
    match standing {
        Standing::None => "none",
        Standing::Consider => "consider",
        Standing::Recommended => "recommended",
        Standing::Caution => "caution",
        Standing::VerifyFirst => "verify-first",
        Standing::Contraindicated => "contraindicated",
    }
}

/// The word of an action.
pub(super) fn action_word(action: Action) -> &'static str {
    match action {
        Action::Start => "start",
        Action::Continue => "continue",
        Action::StartOrContinue => "start-or-continue",
        Action::Increase => "increase",
    }
}

/// The word of a scope.
pub(super) fn scope_word(scope: Scope) -> &'static str {
    match scope {
        Scope::None => "none",
        Scope::InRemission => "in-remission",
        Scope::Possible => "possible",
        Scope::Present => "present",
    }
}

/// The word of a truth value.
#[must_use]
pub fn truth_word(truth: Truth) -> &'static str {
    match truth {
        Truth::True => "true",
        Truth::False => "false",
        Truth::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_at_the_start_of_a_word_alone() {
        let about = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert!(mentions("The QTc interval", &about(&["qt"])));
        assert!(!mentions("The QTc interval", &about(&["tc", "val"])));
        assert!(!mentions("The QTc interval", &[]));
    }

    #[test]
    fn a_whole_list_names_what_is_missing_and_what_is_there_besides() {
        let set = |ids: &[&'static str]| ids.iter().copied().collect::<BTreeSet<_>>();
        assert_eq!(exact(&set(&["a", "b"]), &set(&["a", "b"])), None);
        let (_, expected, found) = exact(&set(&["a", "b"]), &set(&["b", "c"])).unwrap();
        assert_eq!((expected.as_str(), found.as_str()), ("a, b", "without a; besides c"));
    }
}
