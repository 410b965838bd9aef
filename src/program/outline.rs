//! A condition as it is written, each part with its formula and its place: what
//! a proof shows, and what clauses are counted on.

use serde::Serialize;

use super::NodeId;
use crate::diag::Span;
use crate::rule::truth::Truth;

/// A condition as it is written.
#[derive(Clone, Debug, Serialize)]
pub struct Outline {
    /// The part in words.
    pub text: String,
    /// Its formula.
    pub node: NodeId,
    /// How its parts make it up.
    pub op: Op,
    /// Its parts.
    pub parts: Vec<Outline>,
    /// Where it is written. Not part of the compiled form: moving a rule
    /// changes nothing.
    #[serde(skip)]
    pub span: Span,
}

/// How the parts of a condition make it up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Op {
    /// Every part.
    All,
    /// One part at least.
    Any,
    /// No part.
    None,
    /// At least so many parts.
    AtLeast(u32),
    /// Not the part.
    Not,
    /// If the first part, then the second.
    Implies,
    /// One of two parts, not both.
    Xor,
    /// True or false is known of the part.
    Known,
    /// Neither is known of the part.
    Unknown,
    /// A fact test; its parts are the atoms of its names, any of which will do.
    Fact,
    /// One atom.
    Atom,
    /// A definition, by id; its part is the definition's own condition.
    Definition(String),
    /// A component is recommended, considered, in use or planned.
    Proposed(String),
    /// A component is offered.
    Offered(String),
    /// A test of a parameter, the same for every patient.
    Constant(bool),
    /// What the answer says, by the rules that say it and those that speak of
    /// the same components otherwise. In invariants alone.
    Outcome {
        /// Rules that say it, by index in the program.
        by: Vec<u32>,
        /// The others.
        beside: Vec<u32>,
    },
}

/// How the parts of a condition hang together, for an explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Every part.
    All,
    /// One part at least, or a number of them.
    Any,
    /// No part: the parts speak for it by being false.
    None,
    /// What is known of the part, not its truth.
    Known,
    /// A fact, or a name for what is explained elsewhere.
    Leaf,
}

impl Outline {
    /// A part without parts.
    #[must_use]
    pub fn leaf(text: String, node: NodeId, op: Op, span: Span) -> Self {
        Self { text, node, op, parts: Vec::new(), span }
    }

    /// How its parts hang together.
    #[must_use]
    pub fn shape(&self) -> Shape {
        match self.op {
            Op::Constant(_) | Op::Outcome { .. } => Shape::Leaf,
            _ if self.parts.is_empty() && !self.is_group() => Shape::Leaf,
            Op::All | Op::Definition(_) => Shape::All,
            Op::None | Op::Not => Shape::None,
            Op::Known | Op::Unknown => Shape::Known,
            _ => Shape::Any,
        }
    }

    /// Is it a clause: a fact test, a definition or a test of a component, as
    /// one author wrote it?
    #[must_use]
    pub fn is_clause(&self) -> bool {
        matches!(self.op, Op::Fact | Op::Atom | Op::Definition(_) | Op::Proposed(_) | Op::Offered(_))
    }

    fn is_group(&self) -> bool {
        !self.is_clause()
    }

    /// Its clauses, in the order of writing. The clauses of a definition it
    /// names are the definition's own.
    #[must_use]
    pub fn clauses(&self) -> Vec<&Outline> {
        let mut found = Vec::new();
        self.collect_clauses(&mut found);
        found
    }

    fn collect_clauses<'a>(&'a self, found: &mut Vec<&'a Outline>) {
        if self.is_clause() {
            found.push(self);
        } else {
            for part in &self.parts {
                part.collect_clauses(found);
            }
        }
    }

    /// Its truth where each clause, numbered as in [`Self::clauses`], has the
    /// truth that `clause` says. The same as the formula where `clause` says
    /// what the formula of each clause is; other values answer "what if".
    pub fn truth(&self, clause: &mut impl FnMut(usize, &Outline) -> Truth) -> Truth {
        self.truth_from(&mut 0, clause)
    }

    fn truth_from(&self, next: &mut usize, clause: &mut impl FnMut(usize, &Outline) -> Truth) -> Truth {
        if self.is_clause() {
            let index = *next;
            *next = next.saturating_add(1);
            return clause(index, self);
        }
        let parts: Vec<Truth> = self.parts.iter().map(|part| part.truth_from(next, clause)).collect();
        let first = parts.first().copied().unwrap_or(Truth::Unknown);
        let second = parts.get(1).copied().unwrap_or(Truth::Unknown);
        let any = |parts: &[Truth]| parts.iter().copied().fold(Truth::False, Truth::or);
        match &self.op {
            Op::All => parts.iter().copied().fold(Truth::True, Truth::and),
            Op::None => any(&parts).negate(),
            Op::AtLeast(count) => Truth::at_least(*count as usize, parts.iter().copied()),
            Op::Not => first.negate(),
            Op::Implies => first.negate().or(second),
            Op::Xor => first.and(second.negate()).or(first.negate().and(second)),
            Op::Known => Truth::of(first != Truth::Unknown),
            Op::Unknown => Truth::of(first == Truth::Unknown),
            Op::Constant(holds) => Truth::of(*holds),
            _ => any(&parts),
        }
    }
}
