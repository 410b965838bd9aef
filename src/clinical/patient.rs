//! The patient record as the engine reads it: typed, with every entry knowing
//! its place in the request.
//!
//! The types print no content: `Debug` shows counts alone.

use std::fmt;

use rust_decimal::Decimal;
use serde::Serialize;

use super::date::FhirDate;

/// A code with its code system, as sent.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coding {
    /// URI, OID or alias.
    pub system: String,
    /// Code.
    pub code: String,
}

/// The record that is evaluated. Indexes in the vectors are those of the request.
#[derive(Clone, Default)]
pub struct Patient {
    /// Birth date.
    pub birth: Option<FhirDate>,
    /// Completed years, where no birth date is sent.
    pub age_years: Option<u32>,
    /// Recorded sex.
    pub sex: Option<Sex>,
    /// Pregnant now?
    pub pregnant: Option<bool>,
    /// Lactating now?
    pub lactating: Option<bool>,
    /// Could become pregnant?
    pub childbearing_potential: Option<bool>,
    /// Conditions.
    pub diagnoses: Vec<Diagnosis>,
    /// Medications.
    pub medications: Vec<Medication>,
    /// Allergies and intolerances.
    pub allergies: Vec<Allergy>,
    /// Asked, and no allergy known.
    pub allergies_none_known: Option<bool>,
    /// Measurements, scores, tests.
    pub observations: Vec<Observation>,
    /// Dated happenings.
    pub events: Vec<Event>,
    /// History flags.
    pub history: Vec<HistoryFlag>,
    /// Plans.
    pub plans: Vec<Plan>,
    /// Preferences.
    pub preferences: Vec<String>,
    /// Where care is given.
    pub setting: Option<Setting>,
    /// What is stated of each list, by [`List`].
    pub stated: [Completeness; List::COUNT],
}

/// The lists of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum List {
    /// Diagnoses.
    Diagnoses,
    /// Medications.
    Medications,
    /// Allergies.
    Allergies,
    /// Observations.
    Observations,
    /// Events.
    Events,
    /// History flags.
    History,
    /// Plans.
    Plans,
    /// Preferences.
    Preferences,
}

impl List {
    /// How many there are.
    pub const COUNT: usize = 8;

    /// All of them.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Diagnoses,
        Self::Medications,
        Self::Allergies,
        Self::Observations,
        Self::Events,
        Self::History,
        Self::Plans,
        Self::Preferences,
    ];

    /// Name of the field, the same in snake_case and in lowerCamelCase.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Diagnoses => "diagnoses",
            Self::Medications => "medications",
            Self::Allergies => "allergies",
            Self::Observations => "observations",
            Self::Events => "events",
            Self::History => "history",
            Self::Plans => "plans",
            Self::Preferences => "preferences",
        }
    }

    /// The list of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|list| list.name() == name)
    }
}

/// What the request states of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Completeness {
    /// Nothing.
    #[default]
    Unstated,
    /// It holds everything there is.
    Complete,
    /// It is known to be incomplete.
    Partial,
}

/// Recorded sex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
    /// Neither word fits.
    Other,
}

/// Where care is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Setting {
    /// Emergency department or ambulance.
    Emergency,
    /// Hospital ward.
    Inpatient,
    /// Office, clinic, telehealth.
    Outpatient,
    /// Certified opioid treatment program.
    OpioidTreatmentProgram,
    /// Custody.
    Custody,
    /// Residential program.
    Residential,
}

/// One condition.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnosis {
    /// Codings of the same condition.
    pub coding: Vec<Coding>,
    /// Words of the record.
    pub text: String,
    /// FHIR clinical status.
    pub clinical_status: Option<ClinicalStatus>,
    /// FHIR verification status.
    pub verification_status: Option<VerificationStatus>,
    /// Began.
    pub onset: Option<FhirDate>,
    /// Ended.
    pub abatement: Option<FhirDate>,
    /// Recorded.
    pub recorded: Option<FhirDate>,
    /// Stated severity.
    pub severity: Option<Severity>,
}

/// FHIR condition-clinical.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClinicalStatus {
    /// Active.
    Active,
    /// Recurrence.
    Recurrence,
    /// Relapse.
    Relapse,
    /// Inactive.
    Inactive,
    /// Remission.
    Remission,
    /// Resolved.
    Resolved,
}

/// FHIR condition-ver-status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VerificationStatus {
    /// Unconfirmed.
    Unconfirmed,
    /// Provisional.
    Provisional,
    /// Differential.
    Differential,
    /// Confirmed.
    Confirmed,
    /// Refuted.
    Refuted,
    /// Entered in error.
    EnteredInError,
}

/// Stated severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Mild.
    Mild,
    /// Moderate.
    Moderate,
    /// Severe.
    Severe,
}

/// One medication.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Medication {
    /// Codings of the same medication.
    pub coding: Vec<Coding>,
    /// Words of the record.
    pub text: String,
    /// Where it stands.
    pub status: Option<MedicationStatus>,
    /// Started.
    pub started: Option<FhirDate>,
    /// Ended.
    pub ended: Option<FhirDate>,
    /// Total daily dose: number and UCUM unit.
    pub dose: Option<(Decimal, String)>,
    /// Why it is given.
    pub reason: Vec<Coding>,
}

/// Where a medication stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MedicationStatus {
    /// Taken now.
    Current,
    /// Ordered or intended.
    Planned,
    /// Stopped.
    Stopped,
}

/// One allergy or intolerance.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Allergy {
    /// Codings of the substance.
    pub coding: Vec<Coding>,
    /// Words of the record.
    pub text: String,
    /// FHIR verification status.
    pub verification_status: Option<VerificationStatus>,
}

/// One measurement, score or test.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Observation {
    /// Codings of what was observed.
    pub coding: Vec<Coding>,
    /// The result.
    pub value: Option<ObservedValue>,
    /// UCUM unit of a quantity.
    pub unit: Option<String>,
    /// Lower limit of normal.
    pub reference_low: Option<Decimal>,
    /// Upper limit of normal.
    pub reference_high: Option<Decimal>,
    /// When.
    pub effective: Option<FhirDate>,
}

/// A result.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObservedValue {
    /// A number, and how it bounds the true value.
    Quantity(Decimal, Comparator),
    /// A coded answer.
    Coded(Coding),
    /// Words: `positive` or `negative` can be used.
    Text(String),
}

/// FHIR quantity-comparator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Comparator {
    /// The value is the value.
    Equal,
    /// Below it.
    Less,
    /// At or below it.
    LessOrEqual,
    /// At or above it.
    GreaterOrEqual,
    /// Above it.
    Greater,
}

/// A dated happening.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// Code of the package's list.
    pub kind: String,
    /// When.
    pub at: Option<FhirDate>,
    /// What was involved.
    pub substance: Option<String>,
}

/// Something asked about the past.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct HistoryFlag {
    /// Code of the package's list.
    pub code: String,
    /// The answer.
    pub present: Option<bool>,
}

/// A draft order or an intended treatment.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Plan {
    /// Code of the package's list.
    pub kind: String,
    /// Codings of what is planned.
    pub coding: Vec<Coding>,
    /// Words of the record.
    pub text: String,
}

impl fmt::Debug for Patient {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Patient")
            .field("diagnoses", &self.diagnoses.len())
            .field("medications", &self.medications.len())
            .field("allergies", &self.allergies.len())
            .field("observations", &self.observations.len())
            .field("events", &self.events.len())
            .field("history", &self.history.len())
            .field("plans", &self.plans.len())
            .field("preferences", &self.preferences.len())
            .finish_non_exhaustive()
    }
}

prints_nothing!(Coding, Diagnosis, Medication, Allergy, Observation, ObservedValue, Event, HistoryFlag, Plan);
