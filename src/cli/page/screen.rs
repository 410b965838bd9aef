//! The first screen: what must not be missed, what is offered, what to find out
//! first, and how much more the page has. An index of the page in its order.

use std::collections::BTreeSet;

use super::exclusions;
use super::layout::{Paint, Sheet};
use super::words;
use crate::engine::decision::{
    Action, Alert, Answer, Component, Exclusion, Finding, FindingKind, Offer, Severity, Urgency,
};

/// Lines of a first screen: the most that a terminal shows at once.
pub const SCREEN: usize = 24;

/// Lines that the names of what is recommended may take.
const RECOMMENDED: usize = 3;

/// And of what is to be considered.
const CONSIDERED: usize = 1;

/// The field that says which lists are complete.
const COMPLETE: &str = "patient.complete";

/// How much a first screen says of each thing. Names always stand.
#[derive(Clone, Copy)]
struct Density {
    /// So many of the items that must not be missed say the clause that matters, the gravest first.
    clauses: usize,
    /// What is less urgent is named, and not only counted.
    rest: bool,
    /// Items of one kind share a line.
    shared: bool,
}

/// What an answer has to show first.
struct Items<'a> {
    urgent: Vec<&'a Alert>,
    /// Contraindicated or to be verified first.
    barred: Vec<Vec<&'a Component>>,
    rest: Vec<&'a Alert>,
    cautioned: Vec<&'a Component>,
}

impl<'a> Items<'a> {
    fn of(answer: &'a Answer) -> Self {
        let (urgent, rest) = answer.alerts.iter().partition(|alert| is_urgent(alert));
        let excluded = exclusions::excluded(answer).into_iter();
        let (barred, cautioned) = excluded.partition(|component| component.exclusion >= Exclusion::VerifyFirst);
        Self { urgent, barred: exclusions::grouped(barred), rest, cautioned }
    }

    /// From the fullest to the leanest: the first that fits is taken.
    fn densities(&self) -> impl Iterator<Item = Density> {
        let all = self.urgent.len().saturating_add(self.barred.len());
        let named = [true, false].map(|rest| Density { clauses: all, rest, shared: false });
        let fewer = (0..all).rev().map(|clauses| Density { clauses, rest: false, shared: false });
        named.into_iter().chain(fewer).chain([Density { clauses: 0, rest: false, shared: true }])
    }

    /// The places of the alerts that say a clause. What is critical or to be
    /// done now comes first, then what is barred, then the others.
    fn telling(&self, density: Density) -> Vec<usize> {
        let gravest = |alert: &Alert| alert.severity == Severity::Critical || alert.urgency == Urgency::Immediate;
        let places = || self.urgent.iter().enumerate();
        let first = places().filter(|(_, alert)| gravest(alert)).map(|(at, _)| at);
        let bars = (0..self.barred.len()).map(|at| at.saturating_add(self.urgent.len()));
        let others = places().filter(|(_, alert)| !gravest(alert)).map(|(at, _)| at);
        first.chain(bars).chain(others).take(density.clauses).collect()
    }
}

/// Not to be missed: critical or high, or to be acted on within the day.
fn is_urgent(alert: &Alert) -> bool {
    alert.severity >= Severity::High || alert.urgency >= Urgency::SameDay
}

/// Below the head. Returns the lines down to the last item that must not be missed.
pub(super) fn print(sheet: &mut Sheet, answer: &Answer) -> usize {
    let items = Items::of(answer);
    let mut told = None;
    for density in items.densities() {
        let mut screen = sheet.scratch();
        let last = musts(&mut screen, &items, density);
        ends(&mut screen, answer, &items, density);
        let fits = sheet.height().saturating_add(screen.height()) <= SCREEN;
        told = Some((screen, last));
        if fits {
            break;
        }
    }
    let Some((screen, last)) = told else { return sheet.height() };
    let last = sheet.height().saturating_add(last);
    sheet.append(&screen);
    last
}

/// What must not be missed, in the order of the page.
fn musts(sheet: &mut Sheet, items: &Items<'_>, density: Density) -> usize {
    sheet.heading("Not to be missed");
    if items.urgent.is_empty() && items.barred.is_empty() {
        let nothing =
            "No alert is critical, high or for the same day; nothing is contraindicated or to be verified first.";
        sheet.lines(2, nothing);
    }
    if density.shared {
        for group in items.urgent.chunk_by(|a, b| words::alert(a) == words::alert(b)) {
            let Some(first) = group.first() else { continue };
            let (tag, paint) = words::alert(first);
            sheet.tagged(2, &tag, paint, &titles(group));
        }
        barred_by_name(sheet, items);
        return sheet.height();
    }
    let telling = items.telling(density);
    for (at, alert) in items.urgent.iter().enumerate() {
        let said = if telling.contains(&at) { clause(&alert.statement) } else { String::new() };
        let (tag, paint) = words::alert(alert);
        item(sheet, (&tag, paint), &alert.title, &said);
    }
    for (at, group) in items.barred.iter().enumerate() {
        let tells = telling.contains(&at.saturating_add(items.urgent.len()));
        let Some(first) = group.first() else { continue };
        let why = if tells { reason(first) } else { String::new() };
        bar(sheet, first, &component_titles(group), &why);
    }
    sheet.height()
}

fn item(sheet: &mut Sheet, tag: (&str, Paint), title: &str, said: &str) {
    let end = if said.is_empty() { "" } else { "." };
    sheet.titled(tag, &format!("{title}{end}"), said, "");
}

fn titles(alerts: &[&Alert]) -> String {
    alerts.iter().map(|alert| alert.title.as_str()).collect::<Vec<_>>().join(" · ")
}

fn component_titles(components: &[&Component]) -> String {
    components.iter().map(|component| component.title.as_str()).collect::<Vec<_>>().join(" · ")
}

/// Of one in use it is always said that it must not end abruptly.
fn bar(sheet: &mut Sheet, first: &Component, titles: &str, why: &str) {
    let (word, paint) = words::standing(first.standing);
    let said = [first.handling.as_deref().unwrap_or_default(), why].join(" ");
    item(sheet, (&words::tag(word, first.action), paint), titles, said.trim());
}

fn barred_by_name(sheet: &mut Sheet, items: &Items<'_>) {
    let key = |component: &Component| (component.standing, component.action, component.handling.clone());
    let mut groups: Vec<Vec<&Component>> = Vec::new();
    for component in items.barred.iter().flatten() {
        match groups.iter_mut().find(|group| group.iter().any(|known| key(known) == key(component))) {
            Some(group) => group.push(component),
            None => groups.push(vec![component]),
        }
    }
    for group in &groups {
        let Some(first) = group.first() else { continue };
        bar(sheet, first, &component_titles(group), "");
    }
}

/// The clause of the first finding that gives the standing.
fn reason(component: &Component) -> String {
    let gives = |finding: &&Finding| finding.counted && words::standing_of(finding.kind) == component.standing;
    let Some(finding) = component.rationale.iter().find(gives) else { return String::new() };
    let said = clause(&finding.rationale.statement);
    if finding.kind == FindingKind::Verify { words::verified(&said) } else { said }
}

fn clause(statement: &str) -> String {
    first_part(statement) + "."
}

/// The first sentence, or the first part of it that a semicolon ends.
fn first_part(statement: &str) -> String {
    let mut depth = 0_usize;
    let mut letters = statement.chars().peekable();
    let mut part = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '(' => depth = depth.saturating_add(1),
            ')' => depth = depth.saturating_sub(1),
            '.' | ';' if depth == 0 && letters.peek().is_none_or(|next| next.is_whitespace()) => break,
            _ => {}
        }
        part.push(letter);
    }
    part
}

/// What stands at caution. What is in use and must not end abruptly is always
/// named, for a reader who goes no further may take a caution for a reason to stop.
fn cautions(items: &Items<'_>, density: Density) -> String {
    let (held, other): (Vec<&Component>, Vec<&Component>) =
        items.cautioned.iter().partition(|component| component.handling.is_some());
    let names = |components: &[&Component]| -> Vec<String> {
        components.iter().map(|component| exclusions::name(component)).collect()
    };
    let mut parts = names(&held);
    if density.rest {
        parts.extend(names(&other));
    } else {
        let (one, many) = if held.is_empty() { ("component", "components") } else { ("more", "more") };
        parts.extend(count(other.len(), one, many));
    }
    let handling = held.iter().find_map(|component| component.handling.as_deref());
    let handling = handling.map_or_else(String::new, |handling| format!(". {handling}"));
    format!("{}{handling}", parts.join(" · "))
}

/// What is less urgent, what is offered, what to find out, and what else there is.
fn ends(sheet: &mut Sheet, answer: &Answer, items: &Items<'_>, density: Density) {
    sheet.blank();
    let less =
        if density.rest { titles(&items.rest) } else { count(items.rest.len(), "alert", "alerts").unwrap_or_default() };
    let care = cautions(items, density);
    for (label, text) in [("Less urgent:", less), ("With caution:", care)] {
        if !text.is_empty() {
            sheet.tagged(0, label, Paint::Bold, &text);
        }
    }
    offers(sheet, answer);
    // That a list is complete is for the record's keeper to say, and would come first of nearly every answer.
    let asks = || answer.data_requests.iter();
    if let Some(request) = asks().find(|request| request.field != COMPLETE).or_else(|| asks().next()) {
        sheet.tagged(0, "Find out first:", Paint::Bold, &first_part(&request.statement));
    } else if let Some(assessment) = answer.assessments.first() {
        sheet.tagged(0, "Assess first:", Paint::Bold, &assessment.title);
    }
    sheet.tagged(0, "The whole page:", Paint::Bold, &contents(answer));
}

/// What is offered, by name, as far as the lines go, and how many more.
fn offers(sheet: &mut Sheet, answer: &Answer) {
    let mut offered = false;
    for (label, offer, lines) in
        [("Recommended:", Offer::Recommend, RECOMMENDED), ("To consider:", Offer::Consider, CONSIDERED)]
    {
        let names = offered_names(answer, offer);
        let told = |shown: usize| {
            let told = names.get(..shown).unwrap_or(&names).join(" · ");
            let more = names.len().saturating_sub(shown);
            if more == 0 { told } else { format!("{told} · and {more} more") }
        };
        let fits = |shown: &usize| {
            let mut scratch = sheet.scratch();
            scratch.tagged(0, label, Paint::Bold, &told(*shown));
            scratch.height() <= lines
        };
        if !names.is_empty() {
            offered = true;
            let shown = (1..=names.len()).rev().find(fits).unwrap_or(1);
            sheet.tagged(0, label, Paint::Bold, &told(shown));
        }
    }
    if !offered {
        sheet.tagged(0, "Recommended:", Paint::Bold, "nothing on this record");
    }
}

/// The components of an offer, in the order of the approaches.
fn offered_names(answer: &Answer, offer: Offer) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut seen = BTreeSet::new();
    for approach in &answer.recommendations {
        let mut offered: Vec<&Component> = approach.components.iter().collect();
        offered.retain(|component| component.offered() && component.offer == offer);
        // A caution moves nothing out of sight here.
        offered.sort_by_key(|component| &component.code);
        names.extend(offered.into_iter().filter(|component| seen.insert(&component.code)).map(offered_name));
    }
    names
}

fn offered_name(component: &Component) -> String {
    let mut notes = Vec::new();
    if component.action == Action::Continue {
        notes.push(words::action(component.action));
    }
    if component.exclusion == Exclusion::Caution {
        notes.push("with caution");
    }
    let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
    format!("{}{notes}", component.title)
}

fn count(number: usize, one: &str, many: &str) -> Option<String> {
    (number > 0).then(|| format!("{number} {}", if number == 1 { one } else { many }))
}

fn contents(answer: &Answer) -> String {
    let components = answer.recommendations.iter().flat_map(|approach| &approach.components);
    let components: BTreeSet<&str> = components.map(|component| component.code.as_str()).collect();
    let asked = answer.data_requests.len().saturating_add(answer.more_data_requests.len());
    let assessed = answer.assessments.len().saturating_add(answer.more_assessments.len());
    let parts = [
        count(answer.alerts.len(), "alert", "alerts"),
        count(components.len(), "component", "components"),
        count(asked, "fact to find out", "facts to find out"),
        count(assessed, "assessment", "assessments"),
        count(answer.insights.len(), "insight", "insights"),
        count(answer.notes.len(), "note", "notes"),
        count(answer.unrecognized.len(), "entry not understood", "entries not understood"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "nothing more".to_owned() } else { parts.join(" · ") }
}
