//! Words for what the answer has codes for.

use super::layout::Paint;
use crate::engine::decision::{
    Action, Alert, Basis, Evidence, Ground, Rationale, Scope, Severity, Standing, Truth, UnrecognizedReason, Urgency,
};

pub(super) fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::None => "no sign of it in this record",
        Scope::InRemission => "in remission",
        Scope::Possible => "possible",
        Scope::Present => "present",
    }
}

pub(super) fn action(action: Action) -> &'static str {
    match action {
        Action::Start => "start",
        Action::Continue => "continue",
        Action::StartOrContinue => "start or continue",
        Action::Increase => "increase",
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

/// `CRITICAL, act now:`, and `possible` where something is unknown.
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
    let possible = if alert.possible { ", possible" } else { "" };
    (format!("{severity}, {urgency}{possible}:"), paint)
}

/// The facts that decided it, each with its place in the request.
pub(super) fn because(rationale: &Rationale) -> String {
    let grounds: Vec<String> = rationale.because.iter().map(ground).collect();
    grounds.join("; ")
}

fn ground(ground: &Ground) -> String {
    let known = match ground.basis {
        Basis::Stated => "",
        Basis::AbsentFromCompleteList => "not in a complete list",
        Basis::Assumed => "ASSUMED: not in the list, which is not said to be complete",
    };
    let not = if ground.value { "" } else { "not " };
    let mut aside = ground.inputs.join(", ");
    if !known.is_empty() {
        aside = if aside.is_empty() { known.to_owned() } else { format!("{known}; {aside}") };
    }
    if aside.is_empty() { format!("{not}{}", ground.fact) } else { format!("{not}{} ({aside})", ground.fact) }
}

/// The sources, short: who, when, where in it.
pub(super) fn sources(rationale: &Rationale) -> String {
    let mut parts: Vec<String> = rationale.evidence.iter().map(source).collect();
    if !rationale.strength.is_empty() {
        parts.push(rationale.strength.clone());
    }
    parts.push(format!("verification {}", rationale.verification));
    parts.push(format!("rule {}", rationale.rule));
    parts.join("; ")
}

fn source(evidence: &Evidence) -> String {
    let who = if evidence.publisher.is_empty() { &evidence.title } else { &evidence.publisher };
    let when = if evidence.year == 0 { String::new() } else { format!(" {}", evidence.year) };
    let place = if evidence.place.is_empty() { String::new() } else { format!(", {}", evidence.place) };
    format!("{who}{when}{place}")
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
