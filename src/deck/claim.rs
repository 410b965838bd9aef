//! What can be expected of an answer.

use std::fmt;

use crate::diag::Span;
use crate::engine::decision::{Action, Scope, Severity, Standing, Urgency};
use crate::rule::truth::Truth;

/// Something that is expected, and where it is written.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// What.
    pub claim: Claim,
    /// Where.
    pub span: Span,
}

/// What is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The approach offers a component.
    ApproachOffered(String),
    /// None of the components that define the approach is recommended under it.
    ApproachNotRecommended(String),
    /// One of the components is offered.
    AnyOffered(Vec<String>),
    /// The component is neither recommended nor considered.
    NotOffered(String),
    /// The component stands at contraindicated.
    Contraindicated(String),
    /// The component stands exactly so.
    Standing {
        /// Component.
        component: String,
        /// Of which action; none: what is said first, an increase aside.
        action: Option<Action>,
        /// Standing; none: not in the answer.
        is: Option<Standing>,
    },
    /// There is such an alert.
    Alert(AlertPattern),
    /// There is no such alert.
    NoAlert(AlertPattern),
    /// These alerts and no others, by id.
    AlertsExact(Vec<AlertPattern>),
    /// A data request or an assessment has one of the words.
    Request {
        /// Words.
        about: Vec<String>,
        /// An alert will do.
        or_alert: bool,
    },
    /// A data request or an assessment has the id.
    RequestKey(String),
    /// These data requests and assessments and no others, by id.
    RequestsExact(Vec<String>),
    /// The code is listed as not understood.
    Unrecognized {
        /// Code system, as sent.
        system: String,
        /// Code, as sent.
        code: String,
    },
    /// The scope is this one.
    Scope(Scope),
    /// The condition of the rule has this truth value.
    Rule(String, Truth),
}

/// What an alert must be like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertPattern {
    /// Id.
    pub id: Option<String>,
    /// Any of these categories; none: any.
    pub categories: Vec<String>,
    /// Has one of these words; none: any.
    pub about: Vec<String>,
    /// How grave.
    pub severity: Option<Severity>,
    /// How soon.
    pub urgency: Option<Urgency>,
    /// Raised although something it rests on is unknown.
    pub possible: Option<bool>,
    /// A request or an assessment with one of the words will do.
    pub or_request: bool,
}

impl Claim {
    /// The rule that it names, where it names one.
    #[must_use]
    pub fn rule(&self) -> Option<&str> {
        match self {
            Self::Rule(rule, _) => Some(rule),
            Self::Alert(pattern) | Self::NoAlert(pattern) => pattern.id.as_deref(),
            _ => None,
        }
    }

    /// Where it stands in a case: `components.standing`.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::ApproachOffered(_) => "approaches.must",
            Self::ApproachNotRecommended(_) => "approaches.mustNot",
            Self::AnyOffered(_) => "components.must",
            Self::NotOffered(_) => "components.mustNotOffer",
            Self::Contraindicated(_) => "components.contraindicated",
            Self::Standing { .. } => "components.standing",
            Self::Alert(_) => "alerts.must",
            Self::NoAlert(_) => "alerts.mustNot",
            Self::AlertsExact(_) => "alerts.exact",
            Self::Request { .. } => "requests.must",
            Self::RequestKey(_) => "requests.keys",
            Self::RequestsExact(_) => "requests.exact",
            Self::Unrecognized { .. } => "unrecognized.must",
            Self::Scope(_) => "scope",
            Self::Rule(_, Truth::True) => "rules.fires",
            Self::Rule(_, Truth::False) => "rules.silent",
            Self::Rule(_, Truth::Unknown) => "rules.undecided",
        }
    }
}

impl fmt::Display for AlertPattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(id) = &self.id {
            parts.push(id.clone());
        }
        if !self.categories.is_empty() {
            parts.push(self.categories.join(" or "));
        }
        parts.extend(self.severity.map(|severity| severity.word().to_owned()));
        parts.extend(self.urgency.map(|urgency| urgency.word().to_owned()));
        parts.extend(self.possible.map(|possible| if possible { "possible" } else { "certain" }.to_owned()));
        if !self.about.is_empty() {
            parts.push(format!("about {}", self.about.join(" or ")));
        }
        out.write_str(&parts.join(", "))
    }
}
