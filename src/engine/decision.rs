//! What an evaluation says: the answer in the words of the domain, ordered and
//! explained. Plain data; the wire formats are made from it in `api/`.

use serde::Serialize;

use crate::clinical::prints_nothing;

/// Is there opioid use disorder? The strongest that the record supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// No sign of it.
    None,
    /// In remission.
    InRemission,
    /// Possible.
    Possible,
    /// Present.
    Present,
}

/// An action on a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Not in use.
    Start,
    /// In use.
    Continue,
    /// Whether it is in use is not known for sure.
    StartOrContinue,
    /// In use, and more of it.
    Increase,
}

/// The strongest offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Offer {
    /// No finding offers it.
    None,
    /// Consider.
    Consider,
    /// Recommend.
    Recommend,
}

/// The strongest exclusion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exclusion {
    /// Nothing against it.
    None,
    /// Take care.
    Caution,
    /// Something unknown must be settled first.
    VerifyFirst,
    /// Contraindicated.
    Contraindicated,
}

/// The exclusion where there is one, else the offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Nothing speaks for it or against it.
    None,
    /// Consider.
    Consider,
    /// Recommended.
    Recommended,
    /// Caution.
    Caution,
    /// Verify first.
    VerifyFirst,
    /// Contraindicated.
    Contraindicated,
}

impl Standing {
    /// The standing of an offer and an exclusion.
    #[must_use]
    pub fn of(offer: Offer, exclusion: Exclusion) -> Self {
        match (exclusion, offer) {
            (Exclusion::Contraindicated, _) => Self::Contraindicated,
            (Exclusion::VerifyFirst, _) => Self::VerifyFirst,
            (Exclusion::Caution, _) => Self::Caution,
            (Exclusion::None, Offer::Recommend) => Self::Recommended,
            (Exclusion::None, Offer::Consider) => Self::Consider,
            (Exclusion::None, Offer::None) => Self::None,
        }
    }
}

/// Truth value in Kleene's strong three-valued logic.
pub use crate::rule::truth::Truth;

/// Severity of an alert.
pub use crate::rule::model::{Severity, Urgency};

/// The whole answer.
#[derive(Clone)]
pub struct Answer {
    /// Instant of the evaluation, RFC 3339.
    pub as_of: String,
    /// Is there opioid use disorder?
    pub scope: Scope,
    /// What the scope rests on, and what follows from it.
    pub scope_note: String,
    /// Drafts were evaluated too, because the request asked for them.
    pub drafts_included: bool,
    /// Safety rules that the site has disabled: what this answer leaves out.
    pub disabled_safety_rules: Vec<DisabledRule>,
    /// Alerts, gravest first.
    pub alerts: Vec<Alert>,
    /// Approaches, in the order the package declares.
    pub recommendations: Vec<Recommendation>,
    /// Data requests among the first seven asks.
    pub data_requests: Vec<DataRequest>,
    /// Assessments among the first seven asks.
    pub assessments: Vec<Assessment>,
    /// Data requests beyond them.
    pub more_data_requests: Vec<DataRequest>,
    /// Assessments beyond them.
    pub more_assessments: Vec<Assessment>,
    /// Insights into the relationship.
    pub insights: Vec<Insight>,
    /// Notes.
    pub notes: Vec<Note>,
    /// Questions on which sources differ, where this answer says something on them.
    pub disagreements: Vec<Disagreement>,
    /// What could not be used.
    pub unrecognized: Vec<Unrecognized>,
    /// How the record was read where it left a choice.
    pub readings: Vec<Reading>,
    /// Every rule considered; filled with [`Explain::Full`] only.
    pub considered: Vec<ConsideredRule>,
    /// Ids of the rules whose condition is true, as the package orders them. For
    /// the audit record: the answer names those that say something.
    pub fired: Vec<String>,
    /// What it took, for spans: rules that fired, requests, atoms that differ
    /// from an empty record.
    pub tally: Tally,
}

/// A rule that the site has disabled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisabledRule {
    /// Rule id.
    pub rule: String,
    /// Title.
    pub title: String,
    /// What it would conclude.
    pub conclusion: &'static str,
    /// Why the site disabled it.
    pub reason: String,
    /// Who decided it; empty where it is not said.
    pub by: String,
}

/// Counts for telemetry: no patient data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rules whose condition is true.
    pub fired: usize,
    /// Rules left unknown.
    pub undecided: usize,
    /// Facts that the record decides otherwise than an empty one.
    pub facts: usize,
}

/// How much is explained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Explain {
    /// Statements and evidence.
    Brief,
    /// And input elements, assumptions, unknowns.
    #[default]
    Standard,
    /// And every rule considered.
    Full,
}

/// A safety alert.
#[derive(Clone)]
pub struct Alert {
    /// Rule id.
    pub id: String,
    /// Category.
    pub category: String,
    /// How grave.
    pub severity: Severity,
    /// How soon.
    pub urgency: Urgency,
    /// Title.
    pub title: String,
    /// Statement.
    pub statement: String,
    /// Raised although something it rests on is unknown.
    pub possible: bool,
    /// Why.
    pub rationale: Rationale,
}

/// One approach.
#[derive(Clone)]
pub struct Recommendation {
    /// Code.
    pub approach: String,
    /// Title.
    pub title: String,
    /// Components, strongest first.
    pub components: Vec<Component>,
}

/// A component with one action.
#[derive(Clone)]
pub struct Component {
    /// Code.
    pub code: String,
    /// Title.
    pub title: String,
    /// Action.
    pub action: Action,
    /// Strongest offer.
    pub offer: Offer,
    /// Strongest exclusion.
    pub exclusion: Exclusion,
    /// Standing.
    pub standing: Standing,
    /// It rests on a draft: without drafts it would stand elsewhere.
    pub draft: bool,
    /// Findings.
    pub rationale: Vec<Finding>,
    /// Said with the standing of a medication that must not end abruptly.
    pub handling: Option<String>,
    /// Said of a component that is not on the site's formulary.
    pub formulary_note: Option<String>,
}

impl Component {
    /// Recommended, to be considered, or at caution with such a finding.
    #[must_use]
    pub fn offered(&self) -> bool {
        self.offer > Offer::None && self.exclusion <= Exclusion::Caution
    }
}

/// What a finding says of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// Contraindicate.
    Contraindicate,
    /// Verify first.
    Verify,
    /// Caution.
    Caution,
    /// Recommend.
    Recommend,
    /// Consider.
    Consider,
}

impl FindingKind {
    /// The word of the wire and the page.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Contraindicate => "contraindicate",
            Self::Verify => "verify",
            Self::Caution => "caution",
            Self::Recommend => "recommend",
            Self::Consider => "consider",
        }
    }
}

/// A rule that fired on a component, or an exclusion to be verified.
#[derive(Clone)]
pub struct Finding {
    /// What it says.
    pub kind: FindingKind,
    /// The action it speaks of; none for an offer.
    pub action: Option<Action>,
    /// Counted in the standing?
    pub counted: bool,
    /// Rules that took it out of the comparison.
    pub outranked_by: Vec<String>,
    /// Why.
    pub rationale: Rationale,
}

/// Why something is said.
#[derive(Clone)]
pub struct Rationale {
    /// Rule id.
    pub rule: String,
    /// What the rule says.
    pub statement: String,
    /// Sources.
    pub evidence: Vec<Evidence>,
    /// Strength as the source grades it.
    pub strength: String,
    /// `primary`, `secondary`, `unverified`.
    pub verification: &'static str,
    /// Why the rule is in force although its evidence is unverified.
    pub active_because: Option<String>,
    /// It rests on a draft: without drafts it would not be said.
    pub draft: bool,
    /// Facts that decided it.
    pub because: Vec<Ground>,
    /// Facts that are unknown and part of it.
    pub unknown: Vec<String>,
}

/// A fact behind a rule.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ground {
    /// The fact in words.
    pub fact: String,
    /// True or false.
    pub value: bool,
    /// Paths of input elements.
    pub inputs: Vec<String>,
    /// How it is known.
    pub basis: Basis,
}

/// How a fact is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// Stated in the record.
    Stated,
    /// Absent from a complete list.
    AbsentFromCompleteList,
    /// Absent from a list of which nothing is stated.
    Assumed,
}

/// A reference to a source.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Key of the source.
    pub source: String,
    /// Title.
    pub title: String,
    /// Organization or journal.
    pub publisher: String,
    /// Year; zero where unknown.
    pub year: u32,
    /// Place in the source.
    pub place: String,
    /// Link.
    pub url: String,
}

/// Something missing that would change the answer.
#[derive(Clone)]
pub struct DataRequest {
    /// The fact, or the rule that asks.
    pub id: String,
    /// Category; empty for a plain fact.
    pub category: String,
    /// What to find out.
    pub statement: String,
    /// Field of the request that would answer it.
    pub field: String,
    /// Codings (system URI, code) that would answer it.
    pub codings: Vec<(String, String)>,
    /// UCUM unit.
    pub unit: String,
    /// What it could change.
    pub effects: Vec<Effect>,
    /// Why, where a rule asks.
    pub rationale: Option<Rationale>,
}

/// What an answer could change.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Effect {
    /// Rule id.
    pub rule: String,
    /// Kind of the conclusion.
    pub kind: &'static str,
    /// Title of the rule.
    pub title: String,
    /// It rests on a draft.
    pub draft: bool,
}

/// An instrument or test that is due.
#[derive(Clone)]
pub struct Assessment {
    /// Rule id.
    pub id: String,
    /// Category.
    pub category: String,
    /// Concept to be assessed.
    pub instrument: String,
    /// Title.
    pub title: String,
    /// Statement.
    pub statement: String,
    /// Codings (system URI, code) of the result.
    pub codings: Vec<(String, String)>,
    /// UCUM unit.
    pub unit: String,
    /// Why.
    pub rationale: Rationale,
}

/// How the disorders may hang together.
#[derive(Clone)]
pub struct Insight {
    /// Rule id.
    pub id: String,
    /// Insight code.
    pub code: String,
    /// Title.
    pub title: String,
    /// Statement.
    pub statement: String,
    /// Why.
    pub rationale: Rationale,
}

/// A remark that changes no standing.
#[derive(Clone)]
pub struct Note {
    /// Rule id.
    pub id: String,
    /// Title.
    pub title: String,
    /// Statement.
    pub statement: String,
    /// Why.
    pub rationale: Rationale,
}

/// A question on which sources differ.
#[derive(Clone)]
pub struct Disagreement {
    /// Id.
    pub id: String,
    /// The question.
    pub question: String,
    /// What sources hold.
    pub positions: Vec<Position>,
    /// What the package does.
    pub here: String,
    /// The parameter by which a site chooses, where there is one.
    pub parameter: Option<Choice>,
    /// Rules of this answer that it concerns.
    pub rules: Vec<String>,
    /// Components of this answer that it concerns.
    pub components: Vec<String>,
}

/// What a source holds.
#[derive(Clone)]
pub struct Position {
    /// What it says.
    pub says: String,
    /// The source.
    pub evidence: Evidence,
    /// Strength as the source grades it; empty where it grades none.
    pub strength: String,
    /// `primary`, `secondary`, `unverified`.
    pub verification: &'static str,
}

/// A parameter with its value in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Name.
    pub parameter: String,
    /// What it sets.
    pub title: String,
    /// The value in force.
    pub value: String,
    /// The site's overlay sets it.
    pub set_by_site: bool,
}

/// An element of the request that could not be used.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unrecognized {
    /// Path.
    pub path: String,
    /// Code system as sent.
    pub system: String,
    /// Code as sent.
    pub code: String,
    /// Why.
    pub reason: UnrecognizedReason,
    /// What was done about it.
    pub detail: String,
}

/// Why an element could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnrecognizedReason {
    /// Not a code of its system.
    Malformed,
    /// Could not be mapped.
    Unmapped,
    /// Known, and no rule asks for it.
    Unused,
    /// Retired.
    Retired,
    /// A header that stands for several conditions.
    Ambiguous,
    /// After `as_of`.
    AfterAsOf,
    /// Unit absent, unknown or not convertible.
    Unit,
    /// Value not usable.
    Value,
    /// Contradicts itself.
    Contradictory,
}

/// How the record was read where it left a choice.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reading {
    /// Path.
    pub path: String,
    /// Kind.
    pub kind: &'static str,
    /// How it was read.
    pub detail: String,
}

/// A rule that was considered.
#[derive(Clone)]
pub struct ConsideredRule {
    /// Rule id.
    pub rule: String,
    /// Title.
    pub title: String,
    /// Truth value of its condition.
    pub truth: Truth,
    /// It rests on a draft.
    pub draft: bool,
    /// Proof.
    pub proof: ProofNode,
}

/// A part of a condition with its truth value.
#[derive(Clone)]
pub struct ProofNode {
    /// The part in words.
    pub condition: String,
    /// Truth value.
    pub truth: Truth,
    /// Input elements, for a fact.
    pub inputs: Vec<String>,
    /// False by assumption.
    pub assumed: bool,
    /// Parts.
    pub children: Vec<ProofNode>,
}

prints_nothing!(
    Answer,
    Alert,
    Recommendation,
    Component,
    Finding,
    Rationale,
    Ground,
    DataRequest,
    Effect,
    Assessment,
    Insight,
    Note,
    Disagreement,
    Position,
    Unrecognized,
    Reading,
    ConsideredRule,
    ProofNode
);
