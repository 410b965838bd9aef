//! Does the deck notice a change? Each mutant is the package with one change;
//! it is killed where an expectation that holds of the package doesn't hold of it.

mod concept;
mod condition;
mod fact;
mod parameter;
mod rule;
mod run;
mod sight;

use std::fmt;

use serde::Serialize;

use crate::clinical::concept::ConceptDef;
use crate::diag::{Files, Span};
use crate::rule::model::{Condition, Package, Rule, RuleStatus, Spanned};

use super::Deck;

pub use run::{Fate, Fates, Mutated, Report, run};

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operator {
    /// A part of a group is dropped.
    Clause,
    /// A clause is negated.
    Negation,
    /// `all` for `any`, `known` for `unknown`, one more or one less of `at_least`.
    Group,
    /// A bound moves by a step, or is in for out.
    Threshold,
    /// A window is longer, shorter or dropped.
    Window,
    /// A status is another one.
    Status,
    /// A name is dropped or replaced.
    Name,
    /// A literal is the other one: pregnant or not, an answer, a sex.
    Literal,
    /// A parameter moves by a step.
    Parameter,
    /// A code is dropped from a value set.
    Code,
    /// A conclusion is weaker, of another action, or of fewer components.
    Conclusion,
    /// Unknown does something else.
    Unknown,
    /// A rule no longer outranks another.
    Rank,
}

impl Operator {
    /// All of them, in order.
    pub const ALL: [Self; 13] = [
        Self::Clause,
        Self::Negation,
        Self::Group,
        Self::Threshold,
        Self::Window,
        Self::Status,
        Self::Name,
        Self::Literal,
        Self::Parameter,
        Self::Code,
        Self::Conclusion,
        Self::Unknown,
        Self::Rank,
    ];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Clause => "clause",
            Self::Negation => "negation",
            Self::Group => "group",
            Self::Threshold => "threshold",
            Self::Window => "window",
            Self::Status => "status",
            Self::Name => "name",
            Self::Literal => "literal",
            Self::Parameter => "parameter",
            Self::Code => "code",
            Self::Conclusion => "conclusion",
            Self::Unknown => "unknown",
            Self::Rank => "rank",
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.word())
    }
}

/// The package with one change.
#[derive(Debug)]
pub struct Mutant {
    /// What kind of change.
    pub operator: Operator,
    /// `rule`, `definition`, `concept`, `parameter`.
    pub of: &'static str,
    /// Id of what is changed.
    pub id: String,
    /// Where it is written.
    pub span: Span,
    /// What is changed, in words.
    pub change: String,
    patch: Patch,
}

/// The change.
#[derive(Debug)]
enum Patch {
    Rule(usize, Box<Rule>),
    Definition(usize, Spanned<Condition>),
    Concept(usize, Box<ConceptDef>, concept::Code),
    Files(Files),
}

/// All mutants of a package, in a fixed order.
#[derive(Debug, Default)]
pub struct Mutants {
    /// The mutants.
    pub list: Vec<Mutant>,
    /// Codes of value sets that are not dropped, one at a time, by any.
    pub codes_left_out: usize,
}

impl Mutants {
    /// The mutants of a package; of a rule alone, where one is named.
    #[must_use]
    pub fn of(package: &Package, files: &Files, deck: &Deck, only: &[String]) -> Self {
        let source = |span: Span| {
            let text = files.get(span.file).and_then(|(_, text)| text.get(span.start as usize..span.end as usize));
            text.unwrap_or_default().to_owned()
        };
        let mut found = Self::default();
        for (at, rule) in package.rules.iter().enumerate().filter(|(_, rule)| rule.status == RuleStatus::Active) {
            if !only.is_empty() && !only.contains(&rule.id.value) {
                continue;
            }
            let id = &rule.id.value;
            for one in condition::mutants(package, &rule.when, &source) {
                let changed = Rule { when: one.condition, ..rule.clone() };
                found.add(one.operator, ("rule", id), one.span, one.change, Patch::Rule(at, Box::new(changed)));
            }
            for (operator, change, changed) in rule::mutants(rule) {
                found.add(operator, ("rule", id), rule.id.span, change, Patch::Rule(at, Box::new(changed)));
            }
        }
        if only.is_empty() {
            found.shared(package, files, deck, &source);
        }
        found
    }

    /// What rules share: definitions, value sets, parameters.
    fn shared(&mut self, package: &Package, files: &Files, deck: &Deck, source: &dyn Fn(Span) -> String) {
        for (at, definition) in package.definitions.iter().enumerate() {
            let id = &definition.id.value;
            for one in condition::mutants(package, &definition.when, source) {
                self.add(one.operator, ("definition", id), one.span, one.change, Patch::Definition(at, one.condition));
            }
        }
        let used = concept::Used::of(deck);
        for (at, concept) in package.concepts.iter().enumerate() {
            let (mutants, left_out) = concept::mutants(&concept.def, &used);
            self.codes_left_out = self.codes_left_out.saturating_add(left_out);
            for one in mutants {
                let patch = Patch::Concept(at, Box::new(one.def), one.code);
                self.add(Operator::Code, ("concept", &concept.def.id), concept.span, one.change, patch);
            }
        }
        for one in parameter::mutants(files) {
            self.add(Operator::Parameter, ("parameter", &one.id), one.span, one.change, Patch::Files(one.files));
        }
    }

    fn add(&mut self, operator: Operator, (of, id): (&'static str, &str), span: Span, change: String, patch: Patch) {
        self.list.push(Mutant { operator, of, id: id.to_owned(), span, change, patch });
    }

    /// So many of them, chosen by the seed: a quick look.
    pub fn sample(&mut self, most: usize, seed: u64) {
        let mut state = seed;
        // SplitMix64: the order depends on the seed alone.
        let mut next = || {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut mixed = state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            mixed ^ (mixed >> 31)
        };
        let mut keyed: Vec<(u64, usize)> = (0..self.list.len()).map(|at| (next(), at)).collect();
        keyed.sort_unstable();
        let mut kept: Vec<usize> = keyed.into_iter().take(most).map(|(_, at)| at).collect();
        kept.sort_unstable();
        let mut at = 0_usize;
        self.list.retain(|_| {
            let keep = kept.binary_search(&at).is_ok();
            at = at.saturating_add(1);
            keep
        });
    }
}
