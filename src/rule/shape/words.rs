//! Fixed words of the language, with what each means to the model.

use crate::clinical::concept::ConceptKind;
use crate::clinical::patient::{Setting, Severity, Sex};
use crate::rule::model::{
    ActionName, DiagnosisStatus, HarmSeverity, HazardKind, ItemKind, ItemStatus, MedicationTest, Reading, RuleStatus,
    SourceAttribute, Standing, Towards, Verification, WhenUnknown,
};

/// Version of the language. A package that says none is of the first.
pub const FORMAT: u32 = 1;

/// Status of a diagnosis.
pub const DIAGNOSIS_STATUS: &[(&str, DiagnosisStatus)] = &[
    ("active", DiagnosisStatus::Active),
    ("remission", DiagnosisStatus::Remission),
    ("past", DiagnosisStatus::Past),
    ("ever", DiagnosisStatus::Ever),
    ("doubtful", DiagnosisStatus::Doubtful),
    ("conflicting", DiagnosisStatus::Conflicting),
];

/// Status of a medication.
pub const MEDICATION_STATUS: &[(&str, MedicationTest)] = &[
    ("current", MedicationTest::Current),
    ("planned", MedicationTest::Planned),
    ("stopped", MedicationTest::Stopped),
    ("current-or-planned", MedicationTest::CurrentOrPlanned),
    ("ever", MedicationTest::Ever),
];

/// Severity as stated in the record.
pub const SEVERITY: &[(&str, Severity)] =
    &[("mild", Severity::Mild), ("moderate", Severity::Moderate), ("severe", Severity::Severe)];

/// Where care is given.
pub const SETTINGS: &[(&str, Setting)] = &[
    ("emergency", Setting::Emergency),
    ("inpatient", Setting::Inpatient),
    ("outpatient", Setting::Outpatient),
    ("opioid-treatment-program", Setting::OpioidTreatmentProgram),
    ("custody", Setting::Custody),
    ("residential", Setting::Residential),
];

/// Recorded sex.
pub const SEX: &[(&str, Sex)] = &[("female", Sex::Female), ("male", Sex::Male), ("other", Sex::Other)];

/// Pregnancy.
pub const PREGNANCY: &[(&str, bool)] = &[("pregnant", true), ("not-pregnant", false)];

/// Lactation.
pub const LACTATION: &[(&str, bool)] = &[("lactating", true), ("not-lactating", false)];

/// What absence can be made to mean.
pub const ABSENT: &[(&str, bool)] = &[("unknown", true)];

/// Actions of exclusions.
pub const ACTIONS: &[(&str, ActionName)] =
    &[("start", ActionName::Start), ("continue", ActionName::Continue), ("increase", ActionName::Increase)];

/// Status of a rule.
pub const STATUS: &[(&str, RuleStatus)] =
    &[("active", RuleStatus::Active), ("draft", RuleStatus::Draft), ("retired", RuleStatus::Retired)];

/// What was verified.
pub const VERIFICATION: &[(&str, Verification)] = &[
    ("primary", Verification::Primary),
    ("secondary", Verification::Secondary),
    ("unverified", Verification::Unverified),
];

/// What an unknown condition does.
pub const UNKNOWN: &[(&str, WhenUnknown)] = &[
    ("request", WhenUnknown::Request),
    ("verify", WhenUnknown::Verify),
    ("alert-possible", WhenUnknown::AlertPossible),
];

/// Sorts of items of a brief.
pub const ITEM_KINDS: &[(&str, ItemKind)] = &[
    ("rule", ItemKind::Rule),
    ("note", ItemKind::Note),
    ("do-not", ItemKind::DoNot),
    ("disagreement", ItemKind::Disagreement),
];

/// What was verified of an item of a brief.
pub const ITEM_STATUS: &[(&str, ItemStatus)] = &[
    ("verified", ItemStatus::Verified),
    ("verified-part", ItemStatus::VerifiedPart),
    ("from-memory", ItemStatus::FromMemory),
];

/// What is wrong with the advice of a hazard.
pub const HAZARD_KINDS: &[(&str, HazardKind)] = &[
    ("wrong", HazardKind::Wrong),
    ("missing", HazardKind::Missing),
    ("late", HazardKind::Late),
    ("misread", HazardKind::Misread),
];

/// How grave the harm of a hazard is, the least first.
pub const HARM_SEVERITIES: &[(&str, HarmSeverity)] = &[
    ("negligible", HarmSeverity::Negligible),
    ("minor", HarmSeverity::Minor),
    ("serious", HarmSeverity::Serious),
    ("critical", HarmSeverity::Critical),
    ("catastrophic", HarmSeverity::Catastrophic),
];

/// The word of a value.
#[must_use]
pub fn word<T: PartialEq>(words: &[(&'static str, T)], value: &T) -> &'static str {
    words.iter().find(|(_, known)| known == value).map_or("", |(word, _)| word)
}

/// Kinds of concepts.
pub const CONCEPT_KINDS: &[(&str, ConceptKind)] = &[
    ("diagnosis", ConceptKind::Diagnosis),
    ("medication", ConceptKind::Medication),
    ("observation", ConceptKind::Observation),
];

/// Data of a patient whose use is told.
pub const SOURCE_ATTRIBUTES: &[(&str, SourceAttribute)] = &SourceAttribute::ALL;

/// The words alone.
pub(super) fn of<T>(words: &[(&'static str, T)]) -> Vec<&'static str> {
    words.iter().map(|(word, _)| *word).collect()
}

/// The type of a parameter; of a quantity the unit comes from its value, of a
/// choice the words from its key.
#[derive(Clone, Copy, Debug)]
pub enum ParameterType {
    /// A whole number.
    Integer,
    /// A number.
    Decimal,
    /// A number with a unit.
    Quantity,
    /// A length of time.
    Duration,
    /// One of the words of `choices`.
    Choice,
    /// Text.
    Text,
}

/// Types of parameters.
pub const PARAMETER_TYPES: &[(&str, ParameterType)] = &[
    ("integer", ParameterType::Integer),
    ("decimal", ParameterType::Decimal),
    ("quantity", ParameterType::Quantity),
    ("duration", ParameterType::Duration),
    ("choice", ParameterType::Choice),
    ("text", ParameterType::Text),
];

/// The way in which a site may move a safety limit.
pub const TOWARDS: &[(&str, Towards)] =
    &[("lower", Towards::Lower), ("higher", Towards::Higher), ("fixed", Towards::Fixed)];

/// What a higher score of a scale is.
pub const HIGHER_IS: &[(&str, bool)] = &[("worse", true), ("better", false)];

/// What an answer can say of a component.
pub const STANDINGS: &[(&str, Standing)] = &[
    ("recommended", Standing::Recommended),
    ("considered", Standing::Considered),
    ("offered", Standing::Offered),
    ("caution", Standing::Caution),
    ("verify-first", Standing::VerifyFirst),
    ("contraindicated", Standing::Contraindicated),
];

/// Texts that people read.
pub const READINGS: &[(&str, Reading)] = &[
    ("rules", Reading::Rules),
    ("components", Reading::Components),
    ("names", Reading::Names),
    ("questions", Reading::Questions),
];
