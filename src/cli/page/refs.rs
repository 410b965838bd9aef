//! Sources as short numbers, in the order in which the page first cites them.

use std::collections::BTreeMap;

use super::layout::{Paint, Sheet};
use crate::engine::decision::{Evidence, Explain, Rationale};

struct Cited<'a> {
    evidence: &'a Evidence,
    places: Vec<&'a str>,
}

/// The sources that the page has cited so far.
#[derive(Default)]
pub(super) struct References<'a> {
    cited: Vec<Cited<'a>>,
    numbers: BTreeMap<&'a str, usize>,
    /// Some evidence was checked in a secondary account only.
    secondary: bool,
}

impl<'a> References<'a> {
    /// `[3, 4]`, the numbers of the sources of a rationale.
    pub(super) fn cite(&mut self, rationale: &'a Rationale) -> String {
        let mut numbers: Vec<usize> = Vec::new();
        for evidence in &rationale.evidence {
            let number = self.number(evidence);
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
        if numbers.is_empty() {
            return String::new();
        }
        numbers.sort_unstable();
        let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        format!("[{}]", numbers.join(", "))
    }

    /// How far a source was read; nothing where it was read itself.
    pub(super) fn read(&mut self, verification: &str) -> Option<String> {
        self.secondary |= verification == "secondary";
        (verification != "primary").then(|| verification.to_owned())
    }

    /// The number of one source.
    pub(super) fn number(&mut self, evidence: &'a Evidence) -> usize {
        let next = self.cited.len().saturating_add(1);
        let number = *self.numbers.entry(&evidence.source).or_insert(next);
        if number == next {
            self.cited.push(Cited { evidence, places: Vec::new() });
        }
        if let Some(cited) = self.cited.get_mut(number.saturating_sub(1)) {
            let place = evidence.place.as_str();
            if !place.is_empty() && !cited.places.contains(&place) {
                cited.places.push(place);
            }
        }
        number
    }

    /// Rule and sources, for what changes no standing; the whole on a full page.
    pub(super) fn short_basis(&mut self, rationale: &'a Rationale, level: Explain) -> String {
        if level == Explain::Full {
            return self.basis(rationale, level);
        }
        let numbers = self.cite(rationale);
        if level == Explain::Brief {
            return [draft(rationale), numbers.as_str()].join(" ").trim().to_owned();
        }
        let mut parts = vec![[rationale.rule.as_str(), &numbers].join(" ").trim_end().to_owned()];
        parts.extend(self.verification(rationale));
        parts.join(" · ")
    }

    /// Nothing where the source itself was read.
    fn verification(&mut self, rationale: &Rationale) -> Vec<String> {
        let mut parts: Vec<String> = Vec::new();
        if rationale.draft {
            parts.push(draft(rationale).to_owned());
        }
        match (rationale.verification, &rationale.active_because) {
            ("primary", _) => {}
            ("unverified", Some(why)) => parts.push(format!("RESTS ON UNVERIFIED EVIDENCE, kept active because {why}")),
            ("unverified", None) => parts.push("RESTS ON UNVERIFIED EVIDENCE".to_owned()),
            (other, _) => {
                self.secondary |= other == "secondary";
                parts.push(other.to_owned());
            }
        }
        parts
    }

    /// One line of basis: what of the record, which rule, which sources, how
    /// strong. The strength is a rule's, over all its sources, and so stands
    /// with the rule and not with a source.
    pub(super) fn basis(&mut self, rationale: &'a Rationale, level: Explain) -> String {
        let numbers = self.cite(rationale);
        if level == Explain::Brief {
            return [draft(rationale), numbers.as_str()].join(" ").trim().to_owned();
        }
        let mut parts: Vec<String> = Vec::new();
        let inputs = super::record::inputs(rationale);
        if !inputs.is_empty() {
            parts.push(format!("from {inputs}"));
        }
        match super::record::assumed(rationale).count() {
            0 => {}
            1 => parts.push("1 fact assumed absent".to_owned()),
            count => parts.push(format!("{count} facts assumed absent")),
        }
        parts.push([rationale.rule.as_str(), &numbers].join(" ").trim_end().to_owned());
        if !rationale.strength.is_empty() {
            parts.push(rationale.strength.clone());
        }
        parts.extend(self.verification(rationale));
        parts.join(" · ")
    }

    pub(super) fn print(&self, sheet: &mut Sheet) {
        if self.cited.is_empty() {
            return;
        }
        sheet.heading("References");
        if self.secondary {
            sheet.lines(2, "“Secondary” above: checked in an account of the source, not in the source itself.");
        }
        for (at, cited) in self.cited.iter().enumerate() {
            let tag = format!("[{}]", at.saturating_add(1));
            sheet.tagged(2, &tag, Paint::Plain, &described(cited));
        }
    }
}

/// Said of what rests on a draft.
fn draft(rationale: &Rationale) -> &'static str {
    if rationale.draft { "DRAFT" } else { "" }
}

/// Who, when, what, where in it, and where to find it.
fn described(cited: &Cited<'_>) -> String {
    let Evidence { publisher, year, title, url, source, .. } = cited.evidence;
    let year = if *year == 0 { String::new() } else { year.to_string() };
    let who = [publisher.as_str(), &year].join(" ");
    let place = cited.places.join("; ");
    let mut parts: Vec<&str> =
        [who.trim(), title.as_str(), &place].into_iter().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        parts.push(source);
    }
    format!("{}. {url}", parts.join(". "))
}
