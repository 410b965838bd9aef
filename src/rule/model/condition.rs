//! Conditions: logic over tests of facts.

use rust_decimal::Decimal;
use serde::Serialize;

use super::{Name, Outcome, Spanned};
use crate::clinical::date::Length;
use crate::clinical::patient::{Setting, Severity as StatedSeverity, Sex};

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// Every part.
    All(Vec<Spanned<Condition>>),
    /// One part at least.
    Any(Vec<Spanned<Condition>>),
    /// No part.
    None(Vec<Spanned<Condition>>),
    /// Not the part.
    Not(Box<Spanned<Condition>>),
    /// At least `n` parts.
    AtLeast(u32, Vec<Spanned<Condition>>),
    /// If the first, then the second.
    Implies(Box<Spanned<Condition>>, Box<Spanned<Condition>>),
    /// One of both, not both.
    Xor(Box<Spanned<Condition>>, Box<Spanned<Condition>>),
    /// True or false is known.
    Known(Box<Spanned<Condition>>),
    /// Neither is known.
    Unknown(Box<Spanned<Condition>>),
    /// A definition.
    Definition(Name),
    /// Recommended or considered by a rule, in use, or planned.
    Proposed(Name),
    /// Offered: recommended, considered, or at caution with such a finding.
    Offered(Name),
    /// A parameter has one of these values: true or false for every patient.
    Parameter(ParameterTest),
    /// A fact.
    Fact(FactTest),
    /// What the answer says; in invariants alone.
    Outcome(Outcome),
}

/// A test of a parameter, decided when the package is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ParameterTest {
    /// The parameter.
    pub parameter: Name,
    /// Any of these values.
    pub is: Vec<Spanned<String>>,
    /// The test in words.
    pub text: String,
    /// Does it hold?
    pub holds: bool,
}

/// A test of a fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FactTest {
    /// What is tested.
    pub fact: Fact,
    /// Name of what matched, for the statement.
    pub bind: Option<Name>,
    /// Absence from a list that is not complete is unknown, even where it
    /// would be assumed false.
    pub absent_unknown: bool,
}

/// What a fact test asks. Lists of names mean any of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// A condition of the patient.
    Diagnosis {
        /// Concepts.
        concepts: Vec<Name>,
        /// Status asked for.
        status: DiagnosisStatus,
        /// Stated severity, any of; empty: any.
        severity: Vec<StatedSeverity>,
        /// Onset inside the window.
        onset: Window,
        /// Recorded inside the window.
        recorded: Window,
    },
    /// A medication.
    Medication {
        /// Concepts.
        concepts: Vec<Name>,
        /// Status asked for.
        status: MedicationTest,
        /// Started inside the window.
        started: Window,
        /// Ended inside the window.
        ended: Window,
        /// Given for one of these diagnosis concepts.
        given_for: Vec<Name>,
        /// Not given for one of these.
        not_given_for: Vec<Name>,
        /// Daily dose.
        daily_dose: Option<Comparison>,
    },
    /// An allergy or intolerance to a medication concept.
    Allergy {
        /// Concepts.
        concepts: Vec<Name>,
    },
    /// A measurement, score or test: the newest inside the window counts.
    Observation {
        /// Concepts.
        concepts: Vec<Name>,
        /// Window.
        window: Window,
        /// Test; none: there is a usable result.
        test: Option<ObservationTest>,
    },
    /// A dated happening.
    Event {
        /// Types.
        types: Vec<Name>,
        /// Substances or classes of them; empty: any.
        substances: Vec<Name>,
        /// Window.
        window: Window,
    },
    /// A history flag.
    History {
        /// Codes.
        codes: Vec<Name>,
    },
    /// Age in completed years.
    Age(Comparison),
    /// Recorded sex.
    Sex(Sex),
    /// Pregnant (true) or not (false).
    Pregnancy(bool),
    /// Lactating (true) or not (false).
    Lactation(bool),
    /// Could become pregnant (true) or not (false).
    ChildbearingPotential(bool),
    /// A plan.
    Plan {
        /// Kinds.
        kinds: Vec<Name>,
        /// Medication or diagnosis concepts of what is planned; empty: any.
        concepts: Vec<Name>,
    },
    /// A preference.
    Preference {
        /// Codes.
        codes: Vec<Name>,
    },
    /// Where care is given.
    Setting {
        /// Any of these.
        settings: Vec<Setting>,
    },
    /// The first began before the second, by `gap` at least.
    OnsetOrder {
        /// Diagnosis concepts that began first.
        first: Vec<Name>,
        /// Diagnosis concepts that began later.
        then: Vec<Name>,
        /// Smallest gap.
        gap: Option<Length>,
    },
    /// The instant of the evaluation lies in a rule's effective period.
    InForce {
        /// First day, `YYYY-MM-DD`.
        from: Option<String>,
        /// Last day.
        until: Option<String>,
    },
}

/// A stretch of time before now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Window {
    /// At most this long ago, the last day included.
    pub within: Option<Length>,
    /// Longer ago than this.
    pub more_than: Option<Length>,
}

impl Window {
    /// Does it bind anything?
    #[must_use]
    pub fn is_open(self) -> bool {
        self.within.is_none() && self.more_than.is_none()
    }
}

/// Status of a diagnosis that a rule asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiagnosisStatus {
    /// Active and confirmed.
    #[default]
    Active,
    /// In remission.
    Remission,
    /// Resolved or inactive, and not active.
    Past,
    /// Active, in remission or past.
    Ever,
    /// There is an entry that can't be counted on: not confirmed, a header, an
    /// active code of a relapsing disorder with inactive or resolved status,
    /// older than the look-back, or undated and at odds with another.
    Doubtful,
    /// Entries that say active and entries that say in remission.
    Conflicting,
}

/// Status of a medication that a rule asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MedicationTest {
    /// Taken now.
    #[default]
    Current,
    /// Ordered or intended.
    Planned,
    /// Stopped.
    Stopped,
    /// Taken now, or ordered.
    CurrentOrPlanned,
    /// Any of them.
    Ever,
}

/// A test of an observation's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObservationTest {
    /// A number.
    Quantity(Comparison),
    /// An answer of the vocabulary.
    Is(Name),
}

/// A comparison of one quantity with constants: a range with ends that may be
/// open, in a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Lower end.
    pub low: Option<Bound>,
    /// Upper end.
    pub high: Option<Bound>,
    /// Unit of the ends.
    pub unit: ComparisonUnit,
}

/// An end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Bound {
    /// The number.
    pub value: Decimal,
    /// Is the number itself in the range?
    pub inclusive: bool,
}

/// The unit of a comparison.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ComparisonUnit {
    /// The canonical unit of the concept, or none (years, scores).
    Canonical,
    /// A UCUM unit.
    Ucum(String),
    /// Multiples of the upper limit of normal of the result's own reference range.
    UpperLimitOfNormal,
}
