//! What a package keeps for those who answer for it: what became of every item
//! of the clinical briefs, and the hazards with what controls them. No answer
//! depends on it.

use super::{Name, Spanned};

/// A clinical brief: the facts that rules were written from, item by item.
#[derive(Clone, Debug)]
pub struct Brief {
    /// Id.
    pub id: Name,
    /// Title.
    pub title: String,
    /// Items, in the order of the brief.
    pub items: Vec<BriefItem>,
}

/// An item of a brief.
#[derive(Clone, Debug)]
pub struct BriefItem {
    /// Id, unique among the items of all briefs.
    pub id: Name,
    /// What sort of item it is.
    pub kind: ItemKind,
    /// What the brief files it under, where it does.
    pub category: Option<String>,
    /// What it says, in a few words.
    pub title: String,
    /// What was verified of it, where the brief says.
    pub status: Option<ItemStatus>,
    /// Its branches; none: it is carried as one.
    pub branches: Vec<BriefBranch>,
    /// Why nothing carries it.
    pub left_out: Option<Spanned<String>>,
}

/// A branch of an item: a condition of its own, and what it calls for.
#[derive(Clone, Debug)]
pub struct BriefBranch {
    /// Id within the item; rules follow `ITEM-BRANCH`.
    pub id: Name,
    /// What it says, in a few words.
    pub title: String,
    /// What was verified of it, where that differs from the item.
    pub status: Option<ItemStatus>,
    /// Why nothing carries it.
    pub left_out: Option<Spanned<String>>,
}

/// What sort of item of a brief it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ItemKind {
    /// What to say of whom: carried by rules.
    Rule,
    /// A fact to be shown: carried by rules.
    Note,
    /// What no rule may say or imply: carried by invariants.
    DoNot,
    /// Where sources differ: carried by disagreements.
    Disagreement,
}

/// What was verified of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemStatus {
    /// Read in the source.
    Verified,
    /// Its core was read; details are from memory.
    VerifiedPart,
    /// Not read.
    FromMemory,
}

/// A hazard: how the product could harm, and what stands against it.
#[derive(Clone, Debug)]
pub struct Hazard {
    /// Id.
    pub id: Name,
    /// Title.
    pub title: String,
    /// What is wrong with the advice.
    pub kind: HazardKind,
    /// How it comes about.
    pub cause: String,
    /// What happens to the patient.
    pub harm: String,
    /// How grave the harm is, at its worst that is to be expected.
    pub severity: HarmSeverity,
    /// What stands against it.
    pub controls: Vec<Control>,
    /// What remains, and who is to bear it.
    pub residual: String,
}

/// What stands against a hazard.
#[derive(Clone, Debug)]
pub struct Control {
    /// What it is.
    pub control: Spanned<String>,
    /// What proves that it is there.
    pub proven_by: Vec<Proof>,
}

/// What proves a control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// An active rule.
    Rule(Name),
    /// An invariant of the package, which is proven whenever it is loaded.
    Invariant(Name),
    /// A case of the package's deck.
    Case(Spanned<String>),
    /// A test of the program: `tests/it/reload.rs::a_test`.
    Test(Spanned<String>),
    /// A diagnostic of `concord rules check`, by its code.
    Check(Name),
}

/// What is wrong with the advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HazardKind {
    /// It is wrong.
    Wrong,
    /// It is not there.
    Missing,
    /// It comes too late.
    Late,
    /// It is right and read wrongly.
    Misread,
}

/// How grave a harm is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HarmSeverity {
    /// Inconvenience or passing discomfort.
    Negligible,
    /// Passing injury that needs no treatment.
    Minor,
    /// Injury that needs treatment, or a disorder that stays untreated.
    Serious,
    /// Lasting impairment, or injury that threatens life.
    Critical,
    /// Death.
    Catastrophic,
}
