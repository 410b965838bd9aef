//! Parameters: values of a package that a site may set, each with its type, its
//! range and the direction that is caution.

use crate::diag::Span;
use std::fmt;

use serde::Serialize;

use super::Name;

/// A value that a site may set.
#[derive(Clone, Debug, Serialize)]
pub struct Parameter {
    /// Name, written `$name` in rules.
    pub id: Name,
    /// What it is.
    pub title: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: ParameterKind,
    /// Smallest value, as written.
    pub min: Option<String>,
    /// Largest value, as written.
    pub max: Option<String>,
    /// Where an overlay may move it; none: anywhere in its range.
    pub towards: Option<Towards>,
    /// The package's own value.
    pub default: String,
    /// The value in force as text, substituted where the name is used.
    pub value: String,
    /// `file:line` of the declaration.
    #[serde(skip)]
    pub location: String,
    /// `file:line` where an overlay sets it.
    #[serde(skip)]
    pub set: Option<String>,
    /// Where the value was put in, for people.
    #[serde(skip)]
    pub uses: Vec<Span>,
}

/// Type of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParameterKind {
    /// A whole number.
    Integer,
    /// A number.
    Decimal,
    /// A number with a unit: of UCUM, or `ULN`.
    Quantity(String),
    /// A length of time.
    Duration,
    /// One of these words.
    Choice(Vec<String>),
    /// Text.
    Text,
}

impl ParameterKind {
    /// The word of the package.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Quantity(_) => "quantity",
            Self::Duration => "duration",
            Self::Choice(_) => "choice",
            Self::Text => "text",
        }
    }
}

/// The direction that is caution: where an overlay may move a safety limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Towards {
    /// To smaller values or shorter times.
    Lower,
    /// To larger values or longer times.
    Higher,
    /// Nowhere: either direction would cost safety.
    Fixed,
}

impl Towards {
    /// The word of the package.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::Higher => "higher",
            Self::Fixed => "fixed",
        }
    }
}

impl Parameter {
    /// Its range in words, empty where it has none.
    #[must_use]
    pub fn range(&self) -> String {
        match (&self.kind, &self.min, &self.max) {
            (ParameterKind::Choice(choices), ..) => choices.join(", "),
            (_, Some(min), Some(max)) => format!("{min} to {max}"),
            (_, Some(min), None) => format!("{min} or more"),
            (_, None, Some(max)) => format!("{max} or less"),
            (_, None, None) => String::new(),
        }
    }
}

impl fmt::Display for Towards {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.word())
    }
}
