//! Words for what the answer has codes for.

use super::layout::Paint;
use crate::engine::decision::{
    Action, Alert, FindingKind, Scope, Severity, Standing, Truth, UnrecognizedReason, Urgency,
};

pub(super) fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::None => "no sign of it in this record",
        Scope::InRemission => "in remission",
        Scope::Possible => "possible",
        Scope::Present => "present",
    }
}

/// Empty where it could be either: the page says that once for all.
pub(super) fn action(action: Action) -> &'static str {
    match action {
        Action::Start => "starting",
        Action::Continue => "continuing",
        Action::StartOrContinue => "",
        Action::Increase => "increasing",
    }
}

pub(super) fn standing(standing: Standing) -> (&'static str, Paint) {
    match standing {
        Standing::None => ("NO FINDING", Paint::Plain),
        Standing::Consider => ("CONSIDER", Paint::Good),
        Standing::Recommended => ("RECOMMENDED", Paint::Good),
        Standing::Caution => ("CAUTION", Paint::Care),
        Standing::VerifyFirst => ("VERIFY FIRST", Paint::Care),
        Standing::Contraindicated => ("CONTRAINDICATED", Paint::Danger),
    }
}

/// The standing that a finding of this kind gives.
pub(super) fn standing_of(kind: FindingKind) -> Standing {
    match kind {
        FindingKind::Contraindicate => Standing::Contraindicated,
        FindingKind::Verify => Standing::VerifyFirst,
        FindingKind::Caution => Standing::Caution,
        FindingKind::Recommend => Standing::Recommended,
        FindingKind::Consider => Standing::Consider,
    }
}

/// A finding as a noun: `contraindication of`, to be followed by an action.
pub(super) fn against_or_for(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::Contraindicate => "contraindication of",
        FindingKind::Verify => "verification before",
        FindingKind::Caution => "caution with",
        FindingKind::Recommend => "recommended",
        FindingKind::Consider => "to be considered",
    }
}

/// `CAUTION · continuing:`; nothing of the action where it could be either.
pub(super) fn tag(word: &str, of: Action) -> String {
    match action(of) {
        "" => format!("{word}:"),
        action => format!("{word} · {action}:"),
    }
}

/// What leads a tag that rests on a draft.
pub(super) fn draft(draft: bool) -> &'static str {
    if draft { "DRAFT · " } else { "" }
}

/// `CRITICAL · act now:`, and `POSSIBLE` where something is unknown.
pub(super) fn alert(alert: &Alert) -> (String, Paint) {
    let (severity, paint) = match alert.severity {
        Severity::Critical => ("CRITICAL", Paint::Danger),
        Severity::High => ("HIGH", Paint::Danger),
        Severity::Moderate => ("MODERATE", Paint::Care),
        Severity::Low => ("LOW", Paint::Plain),
    };
    let urgency = match alert.urgency {
        Urgency::Immediate => "act now",
        Urgency::SameDay => "same day",
        Urgency::Prompt => "within days",
        Urgency::Routine => "at a planned visit",
    };
    let possible = if alert.possible { "POSSIBLE · " } else { "" };
    let draft = draft(alert.rationale.draft);
    (format!("{draft}{possible}{severity} · {urgency}:"), paint)
}

/// `2026-06-01 23:59:59 UTC`; any other form as it is.
pub(super) fn instant(instant: &str) -> String {
    match instant.strip_suffix('Z').and_then(|instant| instant.split_once('T')) {
        Some((date, time)) => format!("{date} {time} UTC"),
        None => instant.to_owned(),
    }
}

/// The note without the words that the tag before it has said.
pub(super) fn short_scope_note(note: &str) -> String {
    note.strip_prefix("Opioid use disorder is ").map_or_else(|| note.to_owned(), capitalized)
}

/// What is to be verified, without the words that the tag before it has said.
pub(super) fn verified(statement: &str) -> String {
    statement.strip_prefix("Verify first: ").map_or_else(|| statement.to_owned(), capitalized)
}

pub(super) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

pub(super) fn reason(reason: UnrecognizedReason) -> &'static str {
    match reason {
        UnrecognizedReason::Malformed => "not a code of its system",
        UnrecognizedReason::Unmapped => "could not be mapped",
        UnrecognizedReason::Unused => "known, and no rule asks for it",
        UnrecognizedReason::Retired => "retired",
        UnrecognizedReason::Ambiguous => "stands for several conditions",
        UnrecognizedReason::AfterAsOf => "after the instant of the evaluation",
        UnrecognizedReason::Unit => "unit absent or not convertible",
        UnrecognizedReason::Value => "value not usable",
        UnrecognizedReason::Contradictory => "contradicts itself",
    }
}

pub(super) fn truth(truth: Truth) -> &'static str {
    match truth {
        Truth::True => "true",
        Truth::False => "false",
        Truth::Unknown => "unknown",
    }
}
