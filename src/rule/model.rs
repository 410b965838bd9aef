//! A rules package as it is written: checked, with its parameters substituted,
//! in canonical order. What the compiler reads, and what the digest covers.

mod condition;
mod disagreement;
mod governance;
mod invariant;
mod overlay;
mod parameter;
mod rule;

use std::ops::Deref;

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use crate::clinical::concept::ConceptDef;
use crate::diag::Span;

pub use condition::*;
pub use disagreement::*;
pub use governance::*;
pub use invariant::*;
pub use overlay::*;
pub use parameter::*;
pub use rule::*;

/// A value with the place it was written at. Serializes as the value alone, so
/// that moving a rule changes no digest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// Questions that answer several concepts at once.
    pub questions: Vec<Question>,
    /// Value sets.
    pub concepts: Vec<Concept>,
    /// Scales, whose bands are definitions too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scales: Vec<Scale>,
    /// Named conditions.
    pub definitions: Vec<Definition>,
    /// Which definitions make the scope.
    pub scope: ScopeDecl,
    /// Rules.
    pub rules: Vec<Rule>,
    /// Clinical briefs, with what became of their items. In no digest.
    #[serde(skip)]
    pub briefs: Vec<Brief>,
    /// Hazards and their controls. In no digest.
    #[serde(skip)]
    pub hazards: Vec<Hazard>,
    /// What holds of every answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub invariants: Vec<Invariant>,
    /// Questions on which sources differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disagreements: Vec<Disagreement>,
    /// What a site lays over the package; already merged into the above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlay: Option<Overlay>,
}

impl Package {
    /// Sorts everything whose order means nothing, so that the digest and every
    /// answer are the same for any order of files and entries. The order of
    /// approaches is the order of the answer, and stays.
    pub fn sort(&mut self) {
        self.parameters.sort_by(|a, b| a.id.value.cmp(&b.id.value));
        self.sources.sort_by(|a, b| a.id.value.cmp(&b.id.value));
        self.components.sort_by(|a, b| a.id.value.cmp(&b.id.value));
        let words = &mut self.vocabulary;
        for list in [&mut words.events, &mut words.history, &mut words.plans, &mut words.preferences] {
            list.sort_by(|a, b| a.id.value.cmp(&b.id.value));
        }
        words.substances.sort_by(|a, b| a.id.value.cmp(&b.id.value));
        words.answers.sort_by(|a, b| a.id.value.cmp(&b.id.value));
        self.questions.sort_by(|a, b| a.id.value.cmp(&b.id.value));
        self.concepts.sort_by(|a, b| a.def.id.cmp(&b.def.id));
        self.scales.sort_by(|a, b| a.id.value.cmp(&b.id.value));
        self.definitions.sort_by(|a, b| a.id.value.cmp(&b.id.value));
        self.rules.sort_by(|a, b| a.id.value.cmp(&b.id.value));
        self.briefs.sort_by(|a, b| a.id.value.cmp(&b.id.value));
        self.hazards.sort_by(|a, b| a.id.value.cmp(&b.id.value));
        self.invariants.sort_by(|a, b| a.id.value.cmp(&b.id.value));
        self.disagreements.sort_by(|a, b| a.id.value.cmp(&b.id.value));
    }
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
    /// Date of the last revision, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revised: Option<String>,
    /// Clinician who signed it, where one has.
    pub signed_by: Option<String>,
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
    /// Among equals it is listed first where the parameter has the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listed_first: Option<ParameterTest>,
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
    /// The source attribute that a rule uses by asking for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_attribute: Option<SourceAttribute>,
}

/// What the US rule on decision support, 45 CFR 170.315(b)(11)(iv)(A), wants
/// told of the use of a patient's data. In the order of the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceAttribute {
    /// Race.
    Race,
    /// Ethnicity.
    Ethnicity,
    /// Language.
    Language,
    /// Sexual orientation.
    SexualOrientation,
    /// Gender identity.
    GenderIdentity,
    /// Sex.
    Sex,
    /// Date of birth.
    DateOfBirth,
    /// Social determinants of health.
    SocialDeterminants,
    /// Health status assessments.
    HealthStatusAssessment,
}

impl SourceAttribute {
    /// All of them, with their words.
    pub const ALL: [(&'static str, Self); 9] = [
        ("race", Self::Race),
        ("ethnicity", Self::Ethnicity),
        ("language", Self::Language),
        ("sexual-orientation", Self::SexualOrientation),
        ("gender-identity", Self::GenderIdentity),
        ("sex", Self::Sex),
        ("date-of-birth", Self::DateOfBirth),
        ("social-determinants", Self::SocialDeterminants),
        ("health-status-assessment", Self::HealthStatusAssessment),
    ];
}

/// A question that stands for several facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ask {
    /// Id shared by the facts.
    pub id: String,
    /// Text.
    pub text: String,
}

/// A question that answers several concepts at once.
#[derive(Clone, Debug, Serialize)]
pub struct Question {
    /// Id.
    pub id: Name,
    /// Text.
    pub text: String,
    /// Observation or medication concepts that it answers.
    pub concepts: Vec<Name>,
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
    /// Codes and included concepts, each where it is written.
    #[serde(skip)]
    pub entries: Vec<Spanned<String>>,
    /// Concept whose codes say "in remission" of this disorder.
    pub remission: Option<Name>,
    /// Inactive or resolved status does not clear it: *possible*.
    pub relapsing: bool,
    /// It is one disorder with all that it includes: what says that one of its
    /// codes is in remission weighs against another that is active.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub one_disorder: bool,
    /// Canonical UCUM unit; `{score}` for instrument totals.
    pub unit: Option<Spanned<String>>,
    /// Molar mass in g/mol, where mass and molar units are both seen.
    pub molar_mass: Option<Decimal>,
    /// Charge number of the ion, where equivalents are seen.
    pub valence: Option<Decimal>,
    /// The source attribute that a rule uses by asking for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_attribute: Option<SourceAttribute>,
}

impl Concept {
    /// Is it one disorder, not a union of several?
    #[must_use]
    pub fn is_one_disorder(&self) -> bool {
        self.one_disorder || self.relapsing || self.remission.is_some()
    }
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

/// A scale: a score divided into bands.
#[derive(Clone, Debug, Serialize)]
pub struct Scale {
    /// Id.
    pub id: Name,
    /// Title.
    pub title: String,
    /// Concept of the score.
    pub observation: Name,
    /// Window: the newest score inside counts.
    pub window: Window,
    /// Lowest score.
    pub low: Decimal,
    /// Highest score.
    pub high: Decimal,
    /// Distance from one score to the next.
    pub step: Decimal,
    /// Does a higher score mean a worse state?
    pub higher_is_worse: bool,
    /// Bands, the lowest first.
    pub bands: Vec<ScaleBand>,
}

/// A band of a scale.
#[derive(Clone, Debug, Serialize)]
pub struct ScaleBand {
    /// Id, of the definition too.
    pub id: Name,
    /// Title.
    pub title: String,
    /// The scores.
    pub range: Comparison,
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
