//! What the page has said and cited so far: nothing is told twice.

use std::collections::BTreeSet;

use super::layout::Sheet;
use super::record::few;
use super::refs::References;
use super::words;
use crate::engine::decision::{Explain, Finding, FindingKind, Rationale};

/// Unknown facts that are named beside what rests on them.
const UNKNOWN: usize = 4;

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

    pub(super) fn basis(&mut self, rationale: &'a Rationale) -> String {
        self.refs.basis(rationale, self.level)
    }

    /// Has the page said this already, under another component?
    pub(super) fn has_told(&self, finding: &Finding) -> bool {
        self.told.contains(&(finding.rationale.rule.as_str(), finding.rationale.statement.as_str()))
    }

    /// The statement of a finding, with its basis.
    pub(super) fn finding(&mut self, finding: &'a Finding) -> (String, String) {
        let rationale = &finding.rationale;
        self.told.insert((&rationale.rule, &rationale.statement));
        let mut text = rationale.statement.clone();
        if finding.kind == FindingKind::Verify {
            // The tag has said it.
            text = words::verified(&text);
            text.push_str(&self.unknown(rationale));
        }
        let basis = self.basis(rationale);
        (text, basis)
    }

    /// The rules of findings, each once, with the numbers of their sources.
    pub(super) fn named(&mut self, findings: impl Iterator<Item = &'a Finding>) -> String {
        let mut named: Vec<String> = Vec::new();
        for finding in findings {
            let cited = self.refs.cite(&finding.rationale);
            let rule = [finding.rationale.rule.as_str(), &cited].join(" ").trim_end().to_owned();
            if !named.contains(&rule) {
                named.push(rule);
            }
        }
        named.join("; ")
    }

    /// ` (not known: …)`.
    pub(super) fn unknown(&self, rationale: &Rationale) -> String {
        if rationale.unknown.is_empty() || self.level == Explain::Brief {
            return String::new();
        }
        let shown = if self.level == Explain::Full { rationale.unknown.len() } else { UNKNOWN };
        format!(" (not known: {})", few(&rationale.unknown, shown, "; "))
    }

    /// Findings that did not count: that they were there, and what outranked
    /// them. A full page says what they say.
    pub(super) fn uncounted(&mut self, sheet: &mut Sheet, findings: &'a [Finding]) {
        if self.level == Explain::Brief {
            return;
        }
        let mut parts: Vec<String> = Vec::new();
        for finding in findings.iter().filter(|finding| !finding.counted) {
            let action = finding.action.map_or("", words::action);
            let what = [words::against_or_for(finding.kind), action].join(" ");
            let mut why = self.named(std::iter::once(finding));
            if !finding.outranked_by.is_empty() {
                why = format!("{why}, outranked by {}", finding.outranked_by.join(", "));
            }
            let told = if self.level == Explain::Full { self.finding(finding).0 } else { String::new() };
            parts.push(format!("{} ({why}) {told}", what.trim()).trim_end().to_owned());
        }
        sheet.labeled(4, "Not counted here", &parts.join("; "));
    }
}
