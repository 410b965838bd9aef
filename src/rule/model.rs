//! A rules package as it is written: checked, with its parameters substituted,
//! in canonical order. What the compiler reads, and what the digest covers.

use std::fmt;
use std::ops::Deref;

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use crate::clinical::concept::ConceptDef;
use crate::clinical::date::Length;
use crate::clinical::patient::{Setting, Severity as StatedSeverity, Sex};
use crate::diag::Span;

/// A value with the place it was written at. Serializes as the value alone, so
/// that moving a rule changes no digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it is written.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// A value at a place.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Serialize> Serialize for Spanned<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

/// An id or a reference to one.
pub type Name = Spanned<String>;

/// A rules package.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Package {
    /// Metadata.
    pub meta: Meta,
    /// Declared parameters.
    pub parameters: Vec<Parameter>,
    /// Sources that rules cite.
    pub sources: Vec<Source>,
    /// Approaches, in the order of the answer.
    pub approaches: Vec<Approach>,
    /// Components.
    pub components: Vec<Component>,
    /// Words of events, history, plans, preferences, substances, answers.
    pub vocabulary: Vocabulary,
    /// Value sets.
    pub concepts: Vec<Concept>,
    /// Named conditions.
    pub definitions: Vec<Definition>,
    /// Which definitions make the scope.
    pub scope: ScopeDecl,
    /// Rules.
    pub rules: Vec<Rule>,
}

/// Metadata of a package.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Meta {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Title.
    pub title: String,
    /// Who develops it.
    pub developer: String,
    /// Who funds it, where known.
    pub funding: String,
    /// Release date.
    pub released: String,
    /// Clinician who signed it, where one has.
    pub signed_by: Option<String>,
}

/// A value that a site may set.
#[derive(Clone, Debug, Serialize)]
pub struct Parameter {
    /// Name, written `$name` in rules.
    pub id: Name,
    /// What it is.
    pub title: String,
    /// Its value as text, substituted where the name is used.
    pub value: String,
}

/// A source.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    /// Key.
    pub id: Name,
    /// Title.
    pub title: String,
    /// Organization or journal.
    pub publisher: String,
    /// Year.
    pub year: u32,
    /// Link.
    pub url: String,
}

/// An approach.
#[derive(Clone, Debug, Serialize)]
pub struct Approach {
    /// Code.
    pub id: Name,
    /// Title.
    pub title: String,
}

/// A concrete part of an approach.
#[derive(Clone, Debug, Serialize)]
pub struct Component {
    /// Code.
    pub id: Name,
    /// Title.
    pub title: String,
    /// Approaches it is listed under.
    pub approaches: Vec<Name>,
    /// Definition that says whether it is in use; none where the record can't say.
    pub current: Option<Name>,
    /// Definition that says whether it is planned.
    pub planned: Option<Name>,
    /// Must never end abruptly: no rule may contraindicate continuing it, and a
    /// standing other than an offer says so.
    pub never_abrupt: bool,
}

/// The package's words. Each has an id; events and history may share the
/// question that asks for them.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Vocabulary {
    /// Event types.
    pub events: Vec<Word>,
    /// History codes.
    pub history: Vec<Word>,
    /// Plan kinds.
    pub plans: Vec<Word>,
    /// Preferences.
    pub preferences: Vec<Word>,
    /// Substances of events.
    pub substances: Vec<Substance>,
    /// Coded and worded answers of observations.
    pub answers: Vec<Answer>,
}

/// A word of a vocabulary.
#[derive(Clone, Debug, Serialize)]
pub struct Word {
    /// Code.
    pub id: Name,
    /// Title.
    pub title: String,
    /// The question that asks for it: id and text. Words that share the id are
    /// asked for once.
    pub ask: Option<Ask>,
    /// Of several events, only the newest counts (last use).
    pub newest: bool,
}

/// A question that stands for several facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ask {
    /// Id shared by the facts.
    pub id: String,
    /// Text.
    pub text: String,
}

/// A substance of an event, with the classes it is of.
#[derive(Clone, Debug, Serialize)]
pub struct Substance {
    /// Word as sent, lower case.
    pub id: Name,
    /// Classes for certain. Empty with `unspecific`: any class is possible.
    pub classes: Vec<String>,
    /// The word names a group (`opioid`): of the classes it does not list, any
    /// may be meant.
    pub unspecific: bool,
}

/// An answer of an observation.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// Id: `positive`.
    pub id: Name,
    /// Words that mean it, lower case.
    pub words: Vec<String>,
    /// Codings (system alias, code) that mean it.
    pub codings: Vec<(String, String)>,
    /// Answers it excludes: one of them makes this one false.
    pub excludes: Vec<String>,
}

/// A value set with what rules need to know of it.
#[derive(Clone, Debug, Serialize)]
pub struct Concept {
    /// Codes.
    #[serde(flatten)]
    pub def: ConceptDef,
    /// Where it is written.
    #[serde(skip)]
    pub span: Span,
    /// Concept whose codes say "in remission" of this disorder.
    pub remission: Option<Name>,
    /// Inactive or resolved status does not clear it: *possible*.
    pub relapsing: bool,
    /// Canonical UCUM unit; `{score}` for instrument totals.
    pub unit: Option<Spanned<String>>,
    /// Molar mass in g/mol, where mass and molar units are both seen.
    pub molar_mass: Option<Decimal>,
    /// Charge number of the ion, where equivalents are seen.
    pub valence: Option<Decimal>,
}

/// A named condition.
#[derive(Clone, Debug, Serialize)]
pub struct Definition {
    /// Id.
    pub id: Name,
    /// Title.
    pub title: String,
    /// Condition.
    pub when: Spanned<Condition>,
}

/// Which definitions make the scope.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ScopeDecl {
    /// OUD present.
    pub present: Option<Name>,
    /// OUD possible.
    pub possible: Option<Name>,
    /// OUD in remission.
    pub in_remission: Option<Name>,
}

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
    /// A fact.
    Fact(FactTest),
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
        severity: Vec<StatedSeverityName>,
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
    Sex(SexName),
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
        settings: Vec<SettingName>,
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

/// Severity words of a diagnosis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StatedSeverityName {
    /// Mild.
    Mild,
    /// Moderate.
    Moderate,
    /// Severe.
    Severe,
}

impl StatedSeverityName {
    /// The severity of the record.
    #[must_use]
    pub fn stated(self) -> StatedSeverity {
        match self {
            Self::Mild => StatedSeverity::Mild,
            Self::Moderate => StatedSeverity::Moderate,
            Self::Severe => StatedSeverity::Severe,
        }
    }
}

/// Sex words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SexName {
    /// Female.
    Female,
    /// Male.
    Male,
    /// Other.
    Other,
}

impl SexName {
    /// The sex of the record.
    #[must_use]
    pub fn recorded(self) -> Sex {
        match self {
            Self::Female => Sex::Female,
            Self::Male => Sex::Male,
            Self::Other => Sex::Other,
        }
    }
}

/// Setting words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SettingName {
    /// Emergency.
    Emergency,
    /// Inpatient.
    Inpatient,
    /// Outpatient.
    Outpatient,
    /// Opioid treatment program.
    OpioidTreatmentProgram,
    /// Custody.
    Custody,
    /// Residential.
    Residential,
}

impl SettingName {
    /// The setting of the record.
    #[must_use]
    pub fn recorded(self) -> Setting {
        match self {
            Self::Emergency => Setting::Emergency,
            Self::Inpatient => Setting::Inpatient,
            Self::Outpatient => Setting::Outpatient,
            Self::OpioidTreatmentProgram => Setting::OpioidTreatmentProgram,
            Self::Custody => Setting::Custody,
            Self::Residential => Setting::Residential,
        }
    }
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

/// A rule.
#[derive(Clone, Debug, Serialize)]
pub struct Rule {
    /// Id.
    pub id: Name,
    /// Title.
    pub title: String,
    /// Draft, active or retired: only active rules are evaluated.
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
    /// Review date, `YYYY-MM-DD`.
    pub review_by: Option<Spanned<String>>,
    /// Rules whose findings it takes out of the comparison.
    pub outranks: Vec<Name>,
    /// Key of the brief the rule follows, for the table of coverage.
    pub follows: Vec<String>,
    /// `file:line`, for people.
    #[serde(skip)]
    pub location: String,
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
    /// Being written: not evaluated.
    Draft,
    /// In force.
    #[default]
    Active,
    /// Kept for history: not evaluated.
    Retired,
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
