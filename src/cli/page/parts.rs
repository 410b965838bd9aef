//! Alerts, recommendations, insights and notes.

use std::collections::BTreeSet;

use super::exclusions;
use super::layout::{Paint, Sheet};
use super::record::few;
use super::refs::References;
use super::words;
use crate::engine::decision::{
    Action, Answer, Component, Exclusion, Explain, Finding, FindingKind, Offer, Rationale, Recommendation,
};

/// Unknown facts that are named beside what rests on them.
const UNKNOWN: usize = 4;

/// What the page has said and cited so far: nothing is told twice.
pub(super) struct Said<'a> {
    pub(super) refs: References<'a>,
    pub(super) level: Explain,
    /// Rules with statements, for one rule may say two things.
    told: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Said<'a> {
    pub(super) fn new(level: Explain) -> Self {
        Self { refs: References::default(), level, told: BTreeSet::new() }
    }

    fn basis(&mut self, rationale: &'a Rationale) -> String {
        self.refs.basis(rationale, self.level)
    }

    /// The statement of a finding with its basis, or where it was told.
    pub(super) fn finding(&mut self, finding: &'a Finding) -> (String, String) {
        let rationale = &finding.rationale;
        if !self.told.insert((&rationale.rule, &rationale.statement)) {
            return (format!("as above, {}.", rationale.rule), String::new());
        }
        let mut text = rationale.statement.clone();
        if finding.kind == FindingKind::Verify {
            // The tag has said it.
            text = text.strip_prefix("Verify first: ").map_or(text.clone(), words::capitalized);
            text.push_str(&self.unknown(rationale));
        }
        let basis = self.basis(rationale);
        (text, basis)
    }

    /// ` (not known: …)`.
    fn unknown(&self, rationale: &Rationale) -> String {
        if rationale.unknown.is_empty() || self.level == Explain::Brief {
            return String::new();
        }
        let shown = if self.level == Explain::Full { rationale.unknown.len() } else { UNKNOWN };
        format!(" (not known: {})", few(&rationale.unknown, shown, "; "))
    }

    /// Findings that did not count, in a line: that they were there and why
    /// they did not count.
    pub(super) fn uncounted(&mut self, sheet: &mut Sheet, findings: &'a [Finding]) {
        if self.level == Explain::Brief {
            return;
        }
        let mut parts: Vec<String> = Vec::new();
        for finding in findings.iter().filter(|finding| !finding.counted) {
            let action = finding.action.map_or("", words::action);
            let what = [words::against_or_for(finding.kind), action].join(" ");
            let why = if finding.outranked_by.is_empty() {
                String::new()
            } else {
                format!(", outranked by {}", finding.outranked_by.join(", "))
            };
            let cited = self.refs.cite(&finding.rationale);
            let rule = [finding.rationale.rule.as_str(), &cited].join(" ");
            parts.push(format!("{} ({}{why})", what.trim(), rule.trim_end()));
        }
        sheet.labeled(4, "Not counted here", &parts.join("; "));
    }
}

pub(super) fn alerts<'a>(sheet: &mut Sheet, said: &mut Said<'a>, answer: &'a Answer) {
    sheet.heading("Alerts");
    if answer.alerts.is_empty() {
        sheet.lines(2, "No safety alert fired.");
    }
    for alert in &answer.alerts {
        let (tag, paint) = words::alert(alert);
        sheet.tagged(2, &tag, paint, &alert.title);
        let full = said.level == Explain::Full;
        let unknown = if alert.possible || full { said.unknown(&alert.rationale) } else { String::new() };
        let basis = said.basis(&alert.rationale);
        if said.level == Explain::Brief {
            sheet.lines(4, &format!("{} {basis}", alert.statement));
        } else {
            sheet.lines(4, &format!("{}{unknown}", alert.statement));
            sheet.lines(4, &format!("{basis} · {}", alert.category));
        }
    }
}

pub(super) fn recommendations<'a>(sheet: &mut Sheet, said: &mut Said<'a>, answer: &'a Answer) {
    let components = || answer.recommendations.iter().flat_map(|approach| &approach.components);
    let offered = |component: &Component| component.offered() && component.action == Action::StartOrContinue;
    let open = components().any(offered);
    if open {
        sheet.blank();
        sheet.lines(
            0,
            "Offers below say “starting” or “continuing” where the record shows which. Any other is to start, or to \
             continue if already in use.",
        );
    }
    for approach in &answer.recommendations {
        offers(sheet, said, approach);
    }
}

/// Offered, or in use with nothing said for it or against it.
fn listed(component: &Component) -> bool {
    component.offered() || component.exclusion == Exclusion::None
}

fn offers<'a>(sheet: &mut Sheet, said: &mut Said<'a>, approach: &'a Recommendation) {
    sheet.heading(&approach.title);
    for group in grouped(approach.components.iter().filter(|component| listed(component))) {
        offer(sheet, said, &group);
    }
    let held: Vec<&Component> = approach.components.iter().filter(|component| !listed(component)).collect();
    for (standing, names) in exclusions::by_standing(&held) {
        let (word, paint) = words::standing(standing);
        sheet.tagged(2, &format!("{word}, as above:"), paint, &names);
        let for_it = held.iter().filter(|component| component.standing == standing);
        let rules = for_it.flat_map(|component| &component.rationale).filter(speaks_for);
        let mut cited: Vec<String> = Vec::new();
        for finding in rules {
            let rule = format!("{} {}", finding.rationale.rule, said.refs.cite(&finding.rationale));
            if !cited.contains(&rule) {
                cited.push(rule);
            }
        }
        if said.level != Explain::Brief {
            sheet.labeled(4, "Would otherwise be offered by", &cited.join("; "));
        }
    }
}

fn speaks_for(finding: &&Finding) -> bool {
    finding.counted && matches!(finding.kind, FindingKind::Recommend | FindingKind::Consider)
}

/// Components that the same rules speak for in the same way are one entry.
fn grouped<'a>(components: impl Iterator<Item = &'a Component>) -> Vec<Vec<&'a Component>> {
    let same = |a: &Component, b: &Component| {
        let key = |finding: &Finding| (finding.kind, finding.counted, finding.rationale.rule.clone());
        let rules = |one: &Component| one.rationale.iter().map(key).collect::<Vec<_>>();
        (a.standing, a.offer, a.action) == (b.standing, b.offer, b.action) && rules(a) == rules(b)
    };
    let mut groups: Vec<Vec<&Component>> = Vec::new();
    for component in components {
        match groups.iter_mut().find(|group| group.iter().any(|known| same(known, component))) {
            Some(group) => group.push(component),
            None => groups.push(vec![component]),
        }
    }
    groups
}

fn offer<'a>(sheet: &mut Sheet, said: &mut Said<'a>, group: &[&'a Component]) {
    let Some(first) = group.first().copied() else { return };
    let (word, paint) = match first.offer {
        Offer::Recommend => ("RECOMMENDED", Paint::Good),
        Offer::Consider => ("CONSIDER", Paint::Good),
        Offer::None => ("IN USE, NO FINDING", Paint::Plain),
    };
    let cautioned = first.exclusion == Exclusion::Caution;
    let (word, paint) =
        if cautioned { (format!("{word} WITH CAUTION (above)"), Paint::Care) } else { (word.to_owned(), paint) };
    let titles: Vec<&str> = group.iter().map(|component| component.title.as_str()).collect();
    let titles = titles.join(" · ");
    let mut findings = first.rationale.iter().filter(speaks_for);
    let tag = words::tag(&word, first.action);
    match findings.next() {
        Some(finding) => {
            let (text, basis) = said.finding(finding);
            sheet.noted(2, &tag, paint, &format!("{titles}. {text}"), &basis);
        }
        None => sheet.tagged(2, &tag, paint, &titles),
    }
    for finding in findings {
        let (text, basis) = said.finding(finding);
        let also = if finding.kind == FindingKind::Consider { "Also consider:" } else { "Also:" };
        sheet.noted(4, also, Paint::Plain, &text, &basis);
    }
    if !cautioned {
        said.uncounted(sheet, &first.rationale);
    }
}

pub(super) fn insights<'a>(sheet: &mut Sheet, said: &mut Said<'a>, answer: &'a Answer) {
    if answer.insights.is_empty() {
        return;
    }
    sheet.heading("How the disorders may hang together");
    for insight in &answer.insights {
        let basis = said.basis(&insight.rationale);
        sheet.noted(2, &format!("{}:", insight.title), Paint::Plain, &insight.statement, &basis);
    }
}

pub(super) fn notes<'a>(sheet: &mut Sheet, said: &mut Said<'a>, answer: &'a Answer) {
    if answer.notes.is_empty() || said.level == Explain::Brief {
        return;
    }
    sheet.heading("Notes");
    for note in &answer.notes {
        let basis = said.basis(&note.rationale);
        sheet.noted(2, &format!("{}:", note.title), Paint::Plain, &note.statement, &basis);
    }
}
