//! The handbook as plain data: what the renderers write.

use std::collections::BTreeMap;

use crate::rule::model::{RuleStatus, Verification};
use crate::rule::truth::Truth;

/// What the cases of a package say of its rules, by rule id.
#[derive(Clone, Debug, Default)]
pub struct Exercise {
    /// Truth of the rule's condition in each case that was evaluated.
    pub of: BTreeMap<String, Vec<Exercised>>,
}

/// What one case says of a rule.
#[derive(Clone, Debug)]
pub struct Exercised {
    /// Id of the case.
    pub case: String,
    /// Title of the case.
    pub title: String,
    /// True: the rule fires. Unknown: undecided. False: silent.
    pub truth: Truth,
}

/// A place in the book: the id of an element, unique in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Anchor(pub(super) String);

impl Anchor {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Words.
    Text(String),
    /// Words that lead to a place in the book.
    Link {
        /// Where to.
        to: Anchor,
        /// Words.
        text: String,
    },
    /// Words that lead out of the book.
    Away {
        /// Where to: `https` alone, and files of the package.
        url: String,
        /// Words.
        text: String,
    },
    /// A place that is filled in from the record.
    Blank(String),
    /// An id, a code, a field.
    Code(String),
}

/// Where links to what the package writes lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// To its place in the book.
    Book,
    /// To its file, from beside the files: for a page that stands alone.
    Files,
}

impl Links {
    /// Something with its place in the book and `file:line`.
    #[must_use]
    pub fn to(self, place: Anchor, location: &str, text: String) -> Piece {
        match (self, location.rsplit_once(':')) {
            (Self::Files, Some((file, _))) => Piece::Away { url: file.to_owned(), text },
            _ => Piece::Link { to: place, text },
        }
    }
}

/// A text.
pub type Phrase = Vec<Piece>;

/// The book.
#[derive(Clone, Debug)]
pub struct Handbook {
    /// What stands before the chapters.
    pub cover: Cover,
    /// The chapters, in order.
    pub chapters: Vec<Chapter>,
}

/// What stands before the chapters.
#[derive(Clone, Debug)]
pub struct Cover {
    /// Title of the package.
    pub title: String,
    /// Name and version of the package.
    pub package: String,
    /// The review state in a sentence.
    pub review: String,
    /// Has a clinician signed it?
    pub signed: bool,
    /// What is known of the package: label and value.
    pub facts: Vec<(&'static str, Phrase)>,
    /// How many there are of what.
    pub counts: Vec<(String, usize)>,
    /// Active rules by what was verified of them.
    pub verification: Vec<(Verification, usize)>,
    /// The safety notice.
    pub notice: &'static str,
}

/// A chapter.
#[derive(Clone, Debug)]
pub struct Chapter {
    /// Its place.
    pub anchor: Anchor,
    /// Title.
    pub title: String,
    /// What it holds.
    pub lead: Phrase,
    /// Sections.
    pub sections: Vec<Section>,
}

/// A section of a chapter.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its place.
    pub anchor: Anchor,
    /// Title.
    pub title: String,
    /// What is to be known before its blocks, a paragraph each.
    pub lead: Vec<Phrase>,
    /// Its blocks.
    pub blocks: Vec<Block>,
}

/// A block of a section.
#[derive(Clone, Debug)]
pub enum Block {
    /// A rule.
    Rule(Box<RuleEntry>),
    /// A definition.
    Definition(DefinitionEntry),
    /// A value set.
    ValueSet(ValueSet),
    /// A source.
    Source(SourceEntry),
    /// A hazard.
    Hazard(HazardEntry),
    /// A table.
    Table(Table),
    /// Terms with what they mean.
    Terms(Vec<(&'static str, &'static str)>),
}

/// What a rule speaks for, for the eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// An alert.
    Alert,
    /// Contraindicates.
    Against,
    /// Cautions.
    Care,
    /// Recommends.
    For,
    /// Considers.
    Consider,
    /// Asks or assesses.
    Ask,
    /// Insight or note.
    Remark,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct RuleEntry {
    /// Its place.
    pub anchor: Anchor,
    /// Id.
    pub id: String,
    /// Title.
    pub title: String,
    /// Status.
    pub status: RuleStatus,
    /// What it speaks for.
    pub tone: Tone,
    /// The conclusion as a verb: `contraindicates`.
    pub verb: &'static str,
    /// What the verb is about.
    pub object: Phrase,
    /// What a clinician reads.
    pub statement: Phrase,
    /// Where the blanks of the statement are filled in from.
    pub filled_from: Phrase,
    /// The condition.
    pub condition: Branch,
    /// What an unknown condition does.
    pub unknown: &'static str,
    /// What a clinician reads where the alert is raised although unknown.
    pub possible: Phrase,
    /// What is asked for where it is unknown.
    pub ask: String,
    /// Rules whose findings it takes out of the comparison.
    pub outranks: Vec<Piece>,
    /// Rules that take its findings out.
    pub outranked_by: Vec<Piece>,
    /// Sources.
    pub evidence: Vec<CitationEntry>,
    /// Strength as the source grades it.
    pub strength: String,
    /// What was verified.
    pub verification: Verification,
    /// Why it is in force although unverified; empty where it says nothing on it.
    pub active_because: String,
    /// Review date.
    pub review_by: String,
    /// Demographic and like data that its own condition asks for.
    pub uses: Vec<Piece>,
    /// Such data that it rests on by way of other rules or of what is in use.
    pub uses_indirectly: Vec<Piece>,
    /// Parameters it rests on, with their values.
    pub parameters: Vec<Piece>,
    /// Ids of the clinical brief it follows.
    pub follows: Vec<Piece>,
    /// `file:line`.
    pub location: String,
    /// What the cases say of it.
    pub cases: CaseList,
}

/// What the cases say of a rule.
#[derive(Clone, Debug, Default)]
pub struct CaseList {
    /// Cases in which it fires.
    pub fires: Vec<Piece>,
    /// Cases that leave it undecided.
    pub undecided: Vec<Piece>,
    /// How many cases leave it silent.
    pub silent: usize,
}

/// A citation.
#[derive(Clone, Debug)]
pub struct CitationEntry {
    /// The source, as a link into the bibliography.
    pub source: Piece,
    /// Publisher and year.
    pub from: String,
    /// Place in it.
    pub place: String,
    /// Link, where there is one.
    pub url: Option<Piece>,
}

/// A part of a condition.
#[derive(Clone, Debug)]
pub struct Branch {
    /// How its parts make it up.
    pub join: Join,
    /// The fact or the definition; empty for a group.
    pub phrase: Phrase,
    /// Parameters whose values stand in it.
    pub set_by: Vec<Piece>,
    /// Its parts. Those of a definition are what the definition says.
    pub parts: Vec<Branch>,
}

/// How the parts of a condition make it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// A fact.
    Fact,
    /// A definition.
    Named,
    /// Every part.
    All,
    /// One part at least.
    Any,
    /// No part.
    None,
    /// So many parts at least.
    AtLeast(u32),
    /// Not the part.
    Not,
    /// If the first part, then the second.
    Implies,
    /// One of two, not both.
    Xor,
    /// Known, true or false.
    Known,
    /// Not known.
    Unknown,
    /// Known to be true.
    Established,
}

/// A definition.
#[derive(Clone, Debug)]
pub struct DefinitionEntry {
    /// Its place.
    pub anchor: Anchor,
    /// Id.
    pub id: String,
    /// Title.
    pub title: String,
    /// Condition.
    pub condition: Branch,
    /// Definitions, rules and components that name it.
    pub used_by: Vec<Piece>,
}

/// A value set.
#[derive(Clone, Debug)]
pub struct ValueSet {
    /// Its place.
    pub anchor: Anchor,
    /// Id.
    pub id: String,
    /// Title.
    pub title: String,
    /// Codes by system.
    pub codes: Vec<(&'static str, Vec<String>)>,
    /// What else is to be known: label and text.
    pub more: Vec<(&'static str, Phrase)>,
    /// Rules that ask for it.
    pub used_by: Vec<Piece>,
}

/// A source.
#[derive(Clone, Debug)]
pub struct SourceEntry {
    /// Its place.
    pub anchor: Anchor,
    /// Key.
    pub id: String,
    /// Title.
    pub title: String,
    /// Publisher and year.
    pub from: String,
    /// Link, where there is one.
    pub url: Option<Piece>,
    /// Rules that cite it.
    pub cited_by: Vec<Piece>,
}

/// A hazard.
#[derive(Clone, Debug)]
pub struct HazardEntry {
    /// Its place.
    pub anchor: Anchor,
    /// Id.
    pub id: String,
    /// Title.
    pub title: String,
    /// How it comes about.
    pub cause: String,
    /// What happens to the patient.
    pub harm: String,
    /// How grave that is.
    pub severity: &'static str,
    /// Controls, each with its proofs: what sort of proof, and which.
    pub controls: Vec<(String, Vec<(&'static str, Piece)>)>,
    /// What remains.
    pub residual: String,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Heads of the columns.
    pub head: Vec<&'static str>,
    /// Rows.
    pub rows: Vec<Row>,
}

/// A row.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its place, where something leads to it.
    pub anchor: Option<Anchor>,
    /// Cells; the first names the row.
    pub cells: Vec<Cell>,
}

/// A cell.
#[derive(Clone, Debug)]
pub enum Cell {
    /// A text.
    Text(Phrase),
    /// A list, which may be long.
    List(Vec<Piece>),
}
