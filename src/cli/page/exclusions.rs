//! What speaks against a component: said before anything is offered.

use std::collections::BTreeMap;

use super::layout::{Paint, Sheet};
use super::said::Said;
use super::words;
use crate::engine::decision::{Action, Answer, Component, Exclusion, Finding, FindingKind, Standing};

/// The components with something against them, gravest first. One that belongs
/// to several approaches is one.
pub(super) fn excluded(answer: &Answer) -> Vec<&Component> {
    let mut found: Vec<&Component> = Vec::new();
    let components = answer.recommendations.iter().flat_map(|approach| &approach.components);
    for component in components.filter(|component| component.exclusion > Exclusion::None) {
        if !found.iter().any(|known| known.code == component.code && known.action == component.action) {
            found.push(component);
        }
    }
    found.sort_by_key(|component| std::cmp::Reverse(component.exclusion));
    found
}

/// `methadone (continuing)`.
pub(super) fn name(component: &Component) -> String {
    match words::action(component.action) {
        "" => component.title.clone(),
        action => format!("{} ({action})", component.title),
    }
}

/// Names by standing, for the ends of the approaches.
pub(super) fn by_standing(components: &[&Component]) -> Vec<(Standing, String)> {
    [Standing::Contraindicated, Standing::VerifyFirst, Standing::Caution]
        .into_iter()
        .filter_map(|standing| {
            let named: Vec<String> =
                components.iter().filter(|one| one.standing == standing).map(|one| name(one)).collect();
            (!named.is_empty()).then(|| (standing, named.join(" · ")))
        })
        .collect()
}

fn against(finding: &Finding) -> bool {
    finding.counted && !matches!(finding.kind, FindingKind::Recommend | FindingKind::Consider)
}

/// Components that the same rules speak against in the same way are one entry.
pub(super) fn grouped<'a>(components: Vec<&'a Component>) -> Vec<Vec<&'a Component>> {
    type Key<'a> = (Standing, Action, [Option<&'a str>; 2], Vec<(FindingKind, &'a str)>, Vec<&'a str>);
    let mut positions: BTreeMap<Key<'a>, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<&'a Component>> = Vec::new();
    for component in components {
        let findings = |counts: &dyn Fn(&Finding) -> bool| -> Vec<(FindingKind, &'a str)> {
            let found = component.rationale.iter().filter(|finding| counts(finding));
            found.map(|finding| (finding.kind, finding.rationale.rule.as_str())).collect()
        };
        let uncounted = findings(&|finding| !finding.counted).into_iter().map(|(_, rule)| rule).collect();
        let said = [component.handling.as_deref(), component.formulary_note.as_deref()];
        let key = (component.standing, component.action, said, findings(&against), uncounted);
        let next = groups.len();
        let position = *positions.entry(key).or_insert(next);
        match groups.get_mut(position) {
            Some(group) => group.push(component),
            None => groups.push(vec![component]),
        }
    }
    groups
}

/// That a component is not on the site's formulary, where it is not.
pub(super) fn formulary(sheet: &mut Sheet, component: &Component) {
    if let Some(note) = &component.formulary_note {
        sheet.tagged(4, "►", Paint::Bold, note);
    }
}

pub(super) fn block<'a>(sheet: &mut Sheet, said: &mut Said<'a>, answer: &'a Answer) {
    let components = excluded(answer);
    if components.is_empty() {
        return;
    }
    sheet.heading("Do not, verify first, take care");
    for group in grouped(components) {
        let Some(first) = group.first() else { continue };
        let (word, paint) = words::standing(first.standing);
        let word = format!("{}{word}", words::draft(first.draft));
        let titles: Vec<&str> = group.iter().map(|component| component.title.as_str()).collect();
        sheet.tagged(2, &words::tag(&word, first.action), paint, &titles.join(" · "));
        if let Some(handling) = &first.handling {
            sheet.tagged(4, "►", Paint::Bold, handling);
        }
        formulary(sheet, first);
        for finding in first.rationale.iter().filter(|finding| against(finding)) {
            let standing = words::standing_of(finding.kind);
            let weaker = standing != first.standing;
            let tag = if weaker { format!("{}:", words::standing(standing).0) } else { String::new() };
            let (text, basis) = if said.has_told(finding) {
                (String::new(), format!("as above, {}", said.named(std::iter::once(finding))))
            } else {
                said.finding(finding)
            };
            sheet.noted(4, &tag, Paint::Care, &text, &basis);
        }
        said.uncounted(sheet, &first.rationale);
    }
}
