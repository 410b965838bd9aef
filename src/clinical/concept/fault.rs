//! What can be wrong with a concept.

use crate::clinical::code::{Malformed, MalformedReason};

/// A fault in a concept as written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error("concept `{concept}`: `{entry}` {problem}")]
pub struct ConceptFault {
    /// The concept's place in the definitions.
    pub index: usize,
    /// The concept's id.
    pub concept: String,
    /// The code, included id or other entry as written.
    pub entry: String,
    /// What is wrong with it.
    pub problem: ConceptProblem,
}

/// What is wrong with an entry of a concept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ConceptProblem {
    /// Two concepts have one id.
    #[error("is the id of an earlier concept")]
    DuplicateId,
    /// Not a code of its system.
    #[error("is malformed: {0}")]
    Malformed(MalformedReason),
    /// A code written in another form than the normal one.
    #[error("is not in normal form")]
    NotNormal {
        /// The normal form.
        normal: String,
    },
    /// A code that the tables do not have.
    #[error("is not a code of {system}")]
    UnknownCode {
        /// The system's name.
        system: &'static str,
    },
    /// A code of an earlier release only.
    #[error("is a retired code")]
    Retired,
    /// A current code among the retired ones.
    #[error("is not a retired code")]
    NotRetired,
    /// A header that stands for itself alone, which no record means.
    #[error("is a header, and stands for itself alone")]
    BareHeader,
    /// A code that stands for an ingredient but is not one.
    #[error("is not an ingredient")]
    NotIngredient,
    /// A product that is both listed and excepted.
    #[error("is both listed and excepted")]
    ListedAndExcepted,
    /// An exception that can have no effect on this concept.
    #[error("excepts nothing: the concept has no entries of its own that it could apply to")]
    IdleException,
    /// Not a seventh character.
    #[error("is not a seventh character of a code")]
    NotEncounter,
    /// Codes of a system that concepts of this kind do not have.
    #[error("is a code of {system}, which a {kind} concept does not have")]
    WrongSystem {
        /// The system's name.
        system: &'static str,
        /// The concept's kind.
        kind: &'static str,
    },
    /// No concept has the included id.
    #[error("is included, and no concept has that id")]
    UnknownInclude,
    /// The included concept is of another kind.
    #[error("is included, and is a {kind} concept")]
    IncludeOfOtherKind {
        /// The kind of the included concept.
        kind: &'static str,
    },
    /// The included concept includes this one.
    #[error("is included, and includes this concept: {path}")]
    IncludeCycle {
        /// The ids on the way around, in order.
        path: String,
    },
}

impl ConceptFault {
    /// What to do about it, where that is plain.
    pub fn hint(&self) -> Option<String> {
        match &self.problem {
            ConceptProblem::NotNormal { normal } => Some(format!("write `{normal}`")),
            ConceptProblem::BareHeader => Some(format!("write `{}-` for the code and everything below it", self.entry)),
            ConceptProblem::Retired => Some("list it under `icd-10-cm-retired`".to_owned()),
            ConceptProblem::NotRetired => Some("list it under `icd-10-cm`".to_owned()),
            ConceptProblem::NotIngredient => Some("list it under `products`".to_owned()),
            _ => None,
        }
    }
}

impl From<Malformed> for ConceptProblem {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed.reason)
    }
}
