//! Alerts, recommendations, insights and notes.

use super::exclusions;
use super::layout::{Paint, Sheet};
use super::said::Said;
use super::words;
use crate::engine::decision::{
    Action, Answer, Component, Exclusion, Explain, Finding, FindingKind, Offer, Recommendation,
};

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
            sheet.dim(4, &format!("{basis} · {}", alert.category));
        }
    }
}

pub(super) fn recommendations<'a>(sheet: &mut Sheet, said: &mut Said<'a>, answer: &'a Answer) {
    let components = || answer.recommendations.iter().flat_map(|approach| &approach.components);
    let offered = |component: &Component| component.offered() && component.action == Action::StartOrContinue;
    let open = components().any(offered);
    if open {
        sheet.blank();
        sheet
            .lines(0, "Where neither “starting” nor “continuing” is said: to start, or to continue if already in use.");
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
        let rules = said.named(for_it.flat_map(|component| &component.rationale).filter(|finding| speaks_for(finding)));
        if said.level != Explain::Brief {
            sheet.labeled(4, "Would otherwise be offered by", &rules);
        }
    }
}

fn speaks_for(finding: &Finding) -> bool {
    finding.counted && matches!(finding.kind, FindingKind::Recommend | FindingKind::Consider)
}

/// Components that the same rules speak for in the same way are one entry.
fn grouped<'a>(components: impl Iterator<Item = &'a Component>) -> Vec<Vec<&'a Component>> {
    let same = |a: &Component, b: &Component| {
        let key = |finding: &Finding| (finding.kind, finding.counted, finding.rationale.rule.clone());
        let rules = |one: &Component| one.rationale.iter().map(key).collect::<Vec<_>>();
        (a.standing, a.offer, a.action, a.draft, &a.formulary_note)
            == (b.standing, b.offer, b.action, b.draft, &b.formulary_note)
            && rules(a) == rules(b)
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
        Offer::None => ("NO FINDING", Paint::Plain),
    };
    let cautioned = first.exclusion == Exclusion::Caution;
    let (word, paint) =
        if cautioned { (format!("{word} WITH CAUTION (above)"), Paint::Care) } else { (word.to_owned(), paint) };
    let word = format!("{}{word}", words::draft(first.draft));
    let titles: Vec<&str> = group.iter().map(|component| component.title.as_str()).collect();
    let titles = titles.join(" · ");
    let tag = words::tag(&word, first.action);
    let full = said.level == Explain::Full;
    let brief = said.level == Explain::Brief;
    // A weaker offer adds its rule; what it says, the stronger one covers.
    let strongest = first.rationale.iter().filter(|finding| speaks_for(finding)).map(|finding| finding.kind).min();
    let tells =
        |said: &Said<'_>, finding: &Finding| full || (Some(finding.kind) == strongest && !said.has_told(finding));
    let (told, named): (Vec<&Finding>, Vec<&Finding>) =
        first.rationale.iter().filter(|finding| speaks_for(finding)).partition(|finding| tells(said, finding));
    let mut told = told.into_iter();
    let (text, basis) = told.next().map(|finding| said.finding(finding)).unwrap_or_default();
    let end = if text.is_empty() { "" } else { "." };
    sheet.titled((&tag, paint), &format!("{titles}{end}"), &text, &basis);
    if !cautioned {
        exclusions::formulary(sheet, first);
    }
    for finding in told {
        let (text, basis) = said.finding(finding);
        let also = if Some(finding.kind) == strongest { "Also:" } else { "Also consider:" };
        sheet.noted(4, also, Paint::Plain, &text, &basis);
    }
    if !brief {
        let (above, weaker): (Vec<&Finding>, Vec<&Finding>) =
            named.into_iter().partition(|finding| said.has_told(finding));
        let above = said.named(above.into_iter());
        sheet.labeled(4, "As above", &above);
        let weaker = said.named(weaker.into_iter());
        sheet.labeled(4, "Also for it, weaker", &weaker);
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
        let basis = said.refs.short_basis(&insight.rationale, said.level);
        sheet.noted(2, &format!("{}:", insight.title), Paint::Plain, &insight.statement, &basis);
    }
}

pub(super) fn notes<'a>(sheet: &mut Sheet, said: &mut Said<'a>, answer: &'a Answer) {
    if answer.notes.is_empty() || said.level == Explain::Brief {
        return;
    }
    sheet.heading("Notes");
    for note in &answer.notes {
        let basis = said.refs.short_basis(&note.rationale, said.level);
        sheet.noted(2, &format!("{}:", note.title), Paint::Plain, &note.statement, &basis);
    }
}
