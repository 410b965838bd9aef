//! The compiled form of a package: plain data that the evaluator, the explainer
//! and every analysis read.
//!
//! *Atoms* are the facts that the package asks of a patient; grounding alone
//! knows dates, units and codes. *Formulas* over atoms stand for every
//! definition, rule and `offered`; parts come before what they are part of.
//! [`compile`] makes it; nothing below this floor but the rule language is known.

pub mod compile;
pub mod describe;
mod outline;

use std::fmt;

use serde::Serialize;

use crate::rule::model::Fact;

pub use outline::{Op, Outline, Shape};

macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// As an index.
            #[must_use]
            pub fn at(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, "{}", self.0)
            }
        }
    };
}

index! {
    /// Index of an atom.
    AtomId
}

index! {
    /// Index of a formula.
    NodeId
}

/// A fact that the package asks of a patient.
#[derive(Clone, Debug, Serialize)]
pub struct Atom {
    /// The fact: one concept, one comparison.
    pub fact: Fact,
    /// Absence is unknown where it would be assumed false.
    pub absent_unknown: bool,
    /// The fact in words.
    pub text: String,
}

/// A formula over atoms, in Kleene's logic.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Formula {
    /// An atom.
    Atom(AtomId),
    /// Every part; true where there is none.
    And(Vec<NodeId>),
    /// One part at least; false where there is none.
    Or(Vec<NodeId>),
    /// Not the part.
    Not(NodeId),
    /// At least so many parts.
    AtLeast(u32, Vec<NodeId>),
    /// The part is true or false.
    Known(NodeId),
    /// The part is true, and not unknown.
    Certain(NodeId),
}

impl Formula {
    /// True or false for every patient: a group without parts.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        matches!(self, Self::And(parts) | Self::Or(parts) if parts.is_empty())
    }

    /// The parts.
    #[must_use]
    pub fn parts(&self) -> &[NodeId] {
        match self {
            Self::Atom(_) => &[],
            Self::And(parts) | Self::Or(parts) | Self::AtLeast(_, parts) => parts,
            Self::Not(part) | Self::Known(part) | Self::Certain(part) => std::slice::from_ref(part),
        }
    }
}

/// A rule that is evaluated.
#[derive(Clone, Debug, Serialize)]
pub struct CompiledRule {
    /// Index in the package.
    pub rule: u32,
    /// Id.
    pub id: String,
    /// Condition.
    pub node: NodeId,
    /// Its condition by active rules alone; none for a draft. The same as
    /// `node` but in a program with drafts.
    #[serde(skip)]
    pub settled: Option<NodeId>,
    /// Condition as written.
    pub outline: Outline,
    /// Names of what matched, with the atoms they may come from.
    pub binds: Vec<(String, Vec<AtomId>)>,
    /// Components it speaks of, by index in [`Program::components`].
    pub components: Vec<u32>,
    /// Rules that take its findings out of the comparison, by index in
    /// [`Program::rules`]; of an active rule, active ones alone.
    pub outranked_by: Vec<u32>,
}

/// A definition.
#[derive(Clone, Debug, Serialize)]
pub struct CompiledDefinition {
    /// Id.
    pub id: String,
    /// Condition.
    pub node: NodeId,
    /// Condition as written.
    pub outline: Outline,
}

/// A component.
#[derive(Clone, Debug, Serialize)]
pub struct CompiledComponent {
    /// Index in the package.
    pub component: u32,
    /// Is it in use?
    pub current: Option<NodeId>,
    /// Is it planned?
    pub planned: Option<NodeId>,
}

/// The scope: formulas of its definitions.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct CompiledScope {
    /// OUD present.
    pub present: Option<NodeId>,
    /// OUD possible.
    pub possible: Option<NodeId>,
    /// OUD in remission.
    pub in_remission: Option<NodeId>,
}

/// The compiled form.
#[derive(Clone, Debug, Serialize)]
pub struct Program {
    /// Version of the semantics it is to be read with.
    pub semantics: u32,
    /// Atoms.
    pub atoms: Vec<Atom>,
    /// Formulas, parts first.
    pub nodes: Vec<Formula>,
    /// Definitions by id.
    pub definitions: Vec<CompiledDefinition>,
    /// Active rules by id; drafts too in a program with drafts.
    pub rules: Vec<CompiledRule>,
    /// Components by code.
    pub components: Vec<CompiledComponent>,
    /// Scope.
    pub scope: CompiledScope,
}

/// What an invariant claims of every patient.
#[derive(Clone, Debug)]
pub struct CompiledInvariant {
    /// Index in the package.
    pub invariant: u32,
    /// The claims that are about patients.
    pub claims: Vec<CompiledClaim>,
}

/// A claim about every patient.
#[derive(Clone, Debug)]
pub enum CompiledClaim {
    /// Where the first is true, so is the second. Without a second: the first
    /// is true of no patient.
    Follows {
        /// The first.
        given: Outline,
        /// The second.
        then: Option<Outline>,
    },
    /// Facts without bearing on any of these.
    NoBearing {
        /// Conditions that name the facts.
        named: Vec<Outline>,
        /// The facts that they ask for.
        of: Vec<AtomId>,
        /// What they never bring about.
        on: Vec<Bearing>,
    },
}

/// What facts never bring about.
#[derive(Clone, Debug)]
pub struct Bearing {
    /// What the answer says.
    pub said: Outline,
    /// Only where this is so with the facts and without them: what is said
    /// against a component is looked at where it is proposed.
    pub among: Option<NodeId>,
}

/// Version of the engine's semantics: raised whenever the same package and the
/// same patient could get another answer.
pub const SEMANTICS: u32 = 2;
