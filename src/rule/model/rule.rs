//! Rules: a condition with what it concludes, and where that comes from.

use std::fmt;

use serde::Serialize;

use super::{Condition, Name, Spanned};
use crate::diag::Span;

/// A rule.
#[derive(Clone, Debug, Serialize)]
pub struct Rule {
    /// Id.
    pub id: Name,
    /// Title.
    pub title: String,
    /// Draft, active or retired: active rules are evaluated, drafts on request.
    pub status: RuleStatus,
    /// Condition.
    pub when: Spanned<Condition>,
    /// Conclusion.
    pub conclusion: Conclusion,
    /// What an unknown condition does.
    pub unknown: WhenUnknown,
    /// What is asked for where the condition is unknown.
    pub ask: Option<String>,
    /// What it says to a clinician; `{name.value}` is filled in.
    pub statement: Spanned<String>,
    /// What it says where it is raised although unknown.
    pub possible: Option<String>,
    /// Sources.
    pub evidence: Vec<Citation>,
    /// Strength as the source grades it.
    pub strength: String,
    /// What was verified.
    pub verification: Verification,
    /// Why it is in force although unverified.
    pub active_because: Option<String>,
    /// Review date, `YYYY-MM-DD`.
    pub review_by: Option<Spanned<String>>,
    /// Rules whose findings it takes out of the comparison.
    pub outranks: Vec<Name>,
    /// Items of the clinical briefs that the rule carries.
    pub follows: Vec<Name>,
    /// `file:line`, for people.
    #[serde(skip)]
    pub location: String,
    /// Where it is written.
    #[serde(skip)]
    pub span: Span,
}

/// A citation.
#[derive(Clone, Debug, Serialize)]
pub struct Citation {
    /// Key of the source.
    pub source: Name,
    /// Place in it.
    pub place: String,
}

/// Status of a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleStatus {
    /// Being written: evaluated where a request asks for drafts.
    Draft,
    /// In force.
    #[default]
    Active,
    /// Kept for history: not evaluated.
    Retired,
    /// Disabled by an overlay: not evaluated. No package writes it.
    Disabled,
}

impl RuleStatus {
    /// The word of the package and the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Disabled => "disabled",
        }
    }
}

/// What was verified of a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verification {
    /// Read in the source.
    Primary,
    /// Read in part, or in a copy of the source.
    Secondary,
    /// Not read.
    #[default]
    Unverified,
}

impl Verification {
    /// The word of the package and the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
            Self::Unverified => "unverified",
        }
    }
}

/// What an unknown condition does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenUnknown {
    /// The missing facts are asked for.
    #[default]
    Request,
    /// The component stands at *verify first*.
    Verify,
    /// The alert is raised as possible.
    AlertPossible,
}

/// What a rule concludes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conclusion {
    /// Recommend components.
    Recommend {
        /// Components.
        components: Vec<Name>,
    },
    /// Consider components.
    Consider {
        /// Components.
        components: Vec<Name>,
    },
    /// Take care with components.
    Caution {
        /// Components.
        components: Vec<Name>,
        /// Actions.
        actions: Vec<ActionName>,
    },
    /// Components are contraindicated.
    Contraindicate {
        /// Components.
        components: Vec<Name>,
        /// Actions.
        actions: Vec<ActionName>,
    },
    /// An alert.
    Alert {
        /// Category.
        category: Category,
        /// How grave.
        severity: Severity,
        /// How soon.
        urgency: Urgency,
    },
    /// A data request.
    Request {
        /// Category.
        category: Option<Category>,
        /// Field of the request that would answer it.
        field: String,
        /// Concept that would answer it.
        concept: Option<Name>,
    },
    /// An instrument or test.
    Assess {
        /// Category.
        category: Option<Category>,
        /// Concept of the result.
        instrument: Name,
    },
    /// An insight.
    Insight {
        /// Code.
        code: InsightCode,
    },
    /// A note.
    Note,
}

impl Conclusion {
    /// The word of the package and the wire.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Recommend { .. } => "recommend",
            Self::Consider { .. } => "consider",
            Self::Caution { .. } => "caution",
            Self::Contraindicate { .. } => "contraindicate",
            Self::Alert { .. } => "alert",
            Self::Request { .. } => "request",
            Self::Assess { .. } => "assess",
            Self::Insight { .. } => "insight",
            Self::Note => "note",
        }
    }

    /// Does a patient's safety rest on it? An exclusion or an alert.
    #[must_use]
    pub fn is_safety(&self) -> bool {
        matches!(self, Self::Caution { .. } | Self::Contraindicate { .. } | Self::Alert { .. })
    }

    /// The components it speaks of.
    #[must_use]
    pub fn components(&self) -> &[Name] {
        match self {
            Self::Recommend { components }
            | Self::Consider { components }
            | Self::Caution { components, .. }
            | Self::Contraindicate { components, .. } => components,
            _ => &[],
        }
    }

    /// The actions it speaks of.
    #[must_use]
    pub fn actions(&self) -> &[ActionName] {
        match self {
            Self::Caution { actions, .. } | Self::Contraindicate { actions, .. } => actions,
            _ => &[],
        }
    }
}

/// Actions that exclusions speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionName {
    /// Start.
    Start,
    /// Continue.
    Continue,
    /// Increase.
    Increase,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word of the package and the wire.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(self.word())
            }
        }
    };
}

words! {
    /// Category of an alert, a request or an assessment, in the order of the answer.
    Category {
        /// Suicide risk.
        SuicideRisk = "suicide-risk",
        /// Overdose risk.
        OverdoseRisk = "overdose-risk",
        /// Contraindication.
        Contraindication = "contraindication",
        /// Interaction.
        Interaction = "interaction",
        /// Pregnancy.
        Pregnancy = "pregnancy",
        /// Withdrawal.
        Withdrawal = "withdrawal",
        /// Treatment interruption.
        TreatmentInterruption = "treatment-interruption",
        /// Interpersonal safety.
        InterpersonalSafety = "interpersonal-safety",
        /// Monitoring.
        Monitoring = "monitoring",
        /// Diagnostic clarification.
        DiagnosticClarification = "diagnostic-clarification",
        /// Record conflict.
        RecordConflict = "record-conflict",
        /// Care gap.
        CareGap = "care-gap",
    }
}

words! {
    /// How grave an alert is.
    Severity {
        /// Low.
        Low = "low",
        /// Moderate.
        Moderate = "moderate",
        /// High.
        High = "high",
        /// Critical.
        Critical = "critical",
    }
}

words! {
    /// How soon an alert wants an answer.
    Urgency {
        /// At a planned visit.
        Routine = "routine",
        /// Within days.
        Prompt = "prompt",
        /// The same day.
        SameDay = "same-day",
        /// Now.
        Immediate = "immediate",
    }
}

words! {
    /// How the disorders may hang together.
    InsightCode {
        /// Self-medication.
        SelfMedication = "self-medication",
        /// Neurobiological factors.
        NeurobiologicalFactors = "neurobiological-factors",
        /// Genetic predisposition.
        GeneticPredisposition = "genetic-predisposition",
        /// Early-life trauma.
        EarlyLifeTrauma = "early-life-trauma",
        /// Environmental stressors.
        EnvironmentalStressors = "environmental-stressors",
        /// Substance-induced possible.
        SubstanceInducedPossible = "substance-induced-possible",
    }
}
