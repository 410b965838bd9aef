//! Alerts, recommendations, insights and notes.

use super::layout::{Paint, Sheet};
use super::{name, words};
use crate::engine::decision::{Alert, Component, Finding, Insight, Note, Rationale, Recommendation};

pub(super) fn alerts(sheet: &mut Sheet, alerts: &[Alert]) {
    if alerts.is_empty() {
        return;
    }
    sheet.heading("Alerts");
    for alert in alerts {
        let (tag, paint) = words::alert(alert);
        sheet.tagged(2, &tag, paint, &alert.title);
        sheet.lines(4, &alert.statement);
        why(sheet, 4, &alert.rationale);
    }
}

/// Why it is said, what is not known of it, and where it comes from.
pub(super) fn why(sheet: &mut Sheet, indent: usize, rationale: &Rationale) {
    sheet.labeled(indent, "Because", &words::because(rationale));
    sheet.labeled(indent, "Unknown", &rationale.unknown.join("; "));
    sheet.labeled(indent, "Source", &words::sources(rationale));
}

pub(super) fn recommendations(sheet: &mut Sheet, recommendations: &[Recommendation]) {
    for approach in recommendations {
        sheet.heading(&approach.title);
        for part in &approach.components {
            component(sheet, part);
        }
    }
}

fn component(sheet: &mut Sheet, component: &Component) {
    let (standing, paint) = words::standing(component.standing);
    sheet.tagged(2, &format!("{standing}:"), paint, &name(component));
    if let Some(handling) = &component.handling {
        sheet.tagged(4, "Handling:", Paint::Bold, handling);
    }
    for part in &component.rationale {
        finding(sheet, part);
    }
}

fn finding(sheet: &mut Sheet, finding: &Finding) {
    let mut tag = finding.kind.word().to_owned();
    if let Some(action) = finding.action {
        tag = format!("{tag} {}", words::action(action));
    }
    if !finding.outranked_by.is_empty() {
        tag = format!("{tag}, outranked by {}", finding.outranked_by.join(", "));
    } else if !finding.counted {
        tag.push_str(", not counted here");
    }
    sheet.labeled(4, &tag, &finding.rationale.statement);
    why(sheet, 6, &finding.rationale);
}

pub(super) fn insights(sheet: &mut Sheet, insights: &[Insight]) {
    if insights.is_empty() {
        return;
    }
    sheet.heading("How the disorders may hang together");
    for insight in insights {
        sheet.tagged(2, &format!("{}:", insight.title), Paint::Plain, &insight.statement);
        why(sheet, 4, &insight.rationale);
    }
}

pub(super) fn notes(sheet: &mut Sheet, notes: &[Note]) {
    if notes.is_empty() {
        return;
    }
    sheet.heading("Notes");
    for note in notes {
        sheet.tagged(2, &format!("{}:", note.title), Paint::Plain, &note.statement);
        why(sheet, 4, &note.rationale);
    }
}
