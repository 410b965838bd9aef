//! How much an answer says: alerts, components, requests, and the page's lines.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cli::page::{PageStyle, first_screen, render};
use crate::deck::run::Verdict;
use crate::engine::decision::{Answer, Component, Explain, Standing};
use crate::ruleset::Ruleset;

/// Characters of a line of the pages that are measured.
const COLUMNS: usize = 80;

/// What is measured, in the order in which it is shown.
const MEASURES: [&str; 17] = [
    "alerts",
    "components",
    "components recommended",
    "components to consider",
    "components at caution",
    "components to verify first",
    "components contraindicated",
    "components without a finding",
    "requests shown first",
    "further requests",
    "insights",
    "notes",
    "entries not understood",
    "lines of the page",
    "words of the page",
    "lines of the first screen",
    "lines down to the last item not to be missed",
];

/// The sizes of the answers to some cases.
#[derive(Debug)]
pub(super) struct Sizes {
    answers: usize,
    measures: Vec<Measure>,
}

#[derive(Debug)]
struct Measure {
    name: &'static str,
    median: usize,
    ninetieth: usize,
    maximum: usize,
    /// A case that has the maximum.
    case: String,
}

impl Sizes {
    /// Cases whose request is refused have no answer.
    pub(super) fn of(ruleset: &Ruleset, verdicts: &[Verdict<'_>]) -> Self {
        let style = PageStyle { width: COLUMNS, ..PageStyle::of(ruleset) };
        let mut found: Vec<(&str, [usize; MEASURES.len()])> = Vec::new();
        for verdict in verdicts {
            let Some(evaluation) = &verdict.case.evaluation else { continue };
            let (answer, _) = ruleset.engine().weigh(&evaluation.patient, &evaluation.as_of, Explain::Standard);
            found.push((&verdict.case.id, sizes(&answer, &style)));
        }
        let measure = |(at, name): (usize, &&'static str)| {
            let column = found.iter().map(|(case, sizes)| (sizes.get(at).copied().unwrap_or_default(), *case));
            measure(name, column.collect())
        };
        Self { answers: found.len(), measures: MEASURES.iter().enumerate().map(measure).collect() }
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "sizes of {} answers, pages of {COLUMNS} columns\n  {:46} {:>6} {:>6} {:>7}\n",
            self.answers, "", "median", "90th", "maximum"
        );
        for one in &self.measures {
            let (name, case) = (one.name, one.case.as_str());
            text.push_str(&format!("  {name:46} {:6} {:6} {:7}  {case}", one.median, one.ninetieth, one.maximum));
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        text + "\n"
    }

    pub(super) fn json(&self) -> Value {
        let measures = self.measures.iter().map(|one| {
            let (median, ninetieth, maximum) = (one.median, one.ninetieth, one.maximum);
            json!({"name": one.name, "median": median, "p90": ninetieth, "maximum": maximum, "case": one.case})
        });
        json!({"answers": self.answers, "columns": COLUMNS, "measures": measures.collect::<Vec<_>>()})
    }
}

/// By nearest rank: every figure is one that some answer has.
fn measure(name: &'static str, mut sizes: Vec<(usize, &str)>) -> Measure {
    sizes.sort_unstable();
    let rank = |tenths: usize| {
        let rank = sizes.len().saturating_mul(tenths).div_ceil(10);
        sizes.get(rank.saturating_sub(1)).map_or(0, |(size, _)| *size)
    };
    let maximum = rank(10);
    let case = sizes.iter().find(|(size, _)| *size == maximum && maximum > 0).map_or("", |(_, case)| case);
    Measure { name, median: rank(5), ninetieth: rank(9), maximum, case: case.to_owned() }
}

fn sizes(answer: &Answer, style: &PageStyle) -> [usize; MEASURES.len()] {
    let all = answer.recommendations.iter().flat_map(|approach| &approach.components);
    // A component that belongs to several approaches is one.
    let components: BTreeMap<_, &Component> = all.map(|one| ((&one.code, one.action), one)).collect();
    let standing = |standing| components.values().filter(|one| one.standing == standing).count();
    let page = render(answer, style);
    let screen = first_screen(answer, style);
    [
        answer.alerts.len(),
        components.len(),
        standing(Standing::Recommended),
        standing(Standing::Consider),
        standing(Standing::Caution),
        standing(Standing::VerifyFirst),
        standing(Standing::Contraindicated),
        standing(Standing::None),
        answer.data_requests.len().saturating_add(answer.assessments.len()),
        answer.more_data_requests.len().saturating_add(answer.more_assessments.len()),
        answer.insights.len(),
        answer.notes.len(),
        answer.unrecognized.len(),
        page.lines().count(),
        page.split_whitespace().count(),
        screen.text.lines().count(),
        screen.last,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_an_answer() {
        let of = |sizes: &[usize]| {
            let one = measure("a", sizes.iter().map(|size| (*size, "case")).collect());
            (one.median, one.ninetieth, one.maximum)
        };
        assert_eq!(of(&[]), (0, 0, 0));
        assert_eq!(of(&[3]), (3, 3, 3));
        assert_eq!(of(&[4, 1, 3, 2]), (2, 4, 4));
        assert_eq!(of(&[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]), (5, 9, 10));
        assert_eq!(measure("a", vec![(0, "x")]).case, "");
        assert_eq!(measure("a", vec![(2, "b"), (2, "a"), (1, "c")]).case, "a");
    }
}
