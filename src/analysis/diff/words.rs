//! What an answer can say of a subject, in fixed words: the same whether it is
//! derived from the compiled form or read from an answer of the engine.

use std::fmt;

/// A part of the answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Is there opioid use disorder?
    Scope,
    /// An alert, by rule.
    Alert(String),
    /// The standing of a component, by code.
    Component(String),
    /// What is said of raising a component in use, by code.
    Increase(String),
    /// An insight, by rule.
    Insight(String),
    /// A note, by rule.
    Note(String),
    /// An assessment, by rule.
    Assessment(String),
    /// A request that a rule makes, by rule.
    Request(String),
    /// The findings shown with a component whose standing is the same.
    Reasons(String),
    /// The missing facts that are asked for because of a rule.
    Asked(String),
}

impl Subject {
    /// Does one of its values exclude the others?
    #[must_use]
    pub fn is_single(&self) -> bool {
        !matches!(self, Self::Increase(_) | Self::Reasons(_) | Self::Asked(_))
    }

    /// The kind, for programs.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Scope => "scope",
            Self::Alert(_) => "alert",
            Self::Component(_) => "component",
            Self::Increase(_) => "increase",
            Self::Insight(_) => "insight",
            Self::Note(_) => "note",
            Self::Assessment(_) => "assessment",
            Self::Request(_) => "request",
            Self::Reasons(_) => "reasons",
            Self::Asked(_) => "missing-facts",
        }
    }

    /// The rule or component; empty for the scope.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Scope => "",
            Self::Alert(id)
            | Self::Component(id)
            | Self::Increase(id)
            | Self::Insight(id)
            | Self::Note(id)
            | Self::Assessment(id)
            | Self::Request(id)
            | Self::Reasons(id)
            | Self::Asked(id) => id,
        }
    }

    /// What is said where nothing is.
    #[must_use]
    pub fn nothing(&self) -> &'static str {
        match self {
            Self::Alert(_) => "not raised",
            Self::Component(_) => "not listed",
            Self::Asked(_) => "nothing asked",
            Self::Scope | Self::Reasons(_) => "none",
            _ => "not said",
        }
    }

    /// What is said of it.
    #[must_use]
    pub fn value(&self, said: &[String]) -> String {
        if said.is_empty() { self.nothing().to_owned() } else { said.join("; ") }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scope => out.write_str("scope"),
            Self::Component(code) => out.write_str(code),
            Self::Increase(code) => write!(out, "raising {code}"),
            Self::Reasons(code) => write!(out, "reasons given with {code}"),
            Self::Asked(rule) => write!(out, "missing facts of {rule}"),
            other => write!(out, "{} {}", other.kind(), other.id()),
        }
    }
}

/// The scopes, the strongest last.
pub const SCOPES: [&str; 4] = ["none", "in remission", "possible", "present"];
/// The offers, the strongest last.
pub const OFFERS: [&str; 3] = ["none", "consider", "recommend"];
/// The exclusions, the strongest last.
pub const EXCLUSIONS: [&str; 4] = ["none", "caution", "verify first", "contraindicated"];

/// The standing of a component; offer and exclusion by their place above.
#[must_use]
pub fn standing(action: &str, offer: usize, exclusion: usize, handled: bool) -> String {
    let of = |words: &[&'static str], at: usize| words.get(at).copied().unwrap_or_default();
    let standing = match (exclusion, offer) {
        (0, 0) => "listed, not offered".to_owned(),
        (0, 1) => "consider".to_owned(),
        (0, _) => "recommended".to_owned(),
        (_, 0) => format!("{}, not offered", of(&EXCLUSIONS, exclusion)),
        _ => format!("{}, offer {}", of(&EXCLUSIONS, exclusion), of(&OFFERS, offer)),
    };
    let handled = if handled { ", no abrupt stop" } else { "" };
    format!("{action}: {standing}{handled}")
}

/// A finding of a rule on a component.
#[must_use]
pub fn finding(rule: &str, kind: &str, action: &str, counted: bool) -> String {
    let action = if action.is_empty() { String::new() } else { format!(" {action}") };
    let counted = if counted { "" } else { ", not counted" };
    format!("{rule} ({kind}{action}{counted})")
}

/// A finding taken out of the comparison.
#[must_use]
pub fn outranked(rule: &str, above: &str) -> String {
    format!("{rule} outranked by {above}")
}

/// An alert.
#[must_use]
pub fn alert(category: &str, severity: &str, urgency: &str, possible: bool) -> String {
    let raised = if possible { "raised as possible" } else { "raised" };
    format!("{raised} ({category}, {severity}, {urgency})")
}

/// Anything else that a rule says, with what it says it of.
#[must_use]
pub fn said(details: &[&str]) -> String {
    let details: Vec<&str> = details.iter().copied().filter(|detail| !detail.is_empty()).collect();
    if details.is_empty() { "said".to_owned() } else { format!("said ({})", details.join(", ")) }
}
