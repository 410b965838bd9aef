//! Disagreements: questions on which sources differ, what each holds, and what
//! the package does about it.

use serde::Serialize;

use super::{Citation, Name, Package, Rule, RuleStatus, Verification};

/// A question on which sources differ.
#[derive(Clone, Debug, Serialize)]
pub struct Disagreement {
    /// Id.
    pub id: Name,
    /// The question.
    pub question: String,
    /// Items of the brief that it carries, for the table of coverage.
    pub follows: Vec<Name>,
    /// What sources hold, in the order of writing.
    pub positions: Vec<Position>,
    /// What this package does.
    pub here: String,
    /// The parameter by which a site chooses.
    pub parameter: Option<Name>,
    /// What leads to it.
    pub concerns: Concerns,
    /// `file:line`, for people.
    #[serde(skip)]
    pub location: String,
}

/// What a source holds.
#[derive(Clone, Debug, Serialize)]
pub struct Position {
    /// What it says.
    pub says: String,
    /// Where.
    #[serde(flatten)]
    pub citation: Citation,
    /// Strength as the source grades it; empty where it grades none.
    pub strength: String,
    /// What was verified of it.
    pub verification: Verification,
}

/// What leads to a disagreement: it is shown with these.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Concerns {
    /// Rules.
    pub rules: Vec<Name>,
    /// Components.
    pub components: Vec<Name>,
}

impl Disagreement {
    /// The rules that lead to it: those it names, and those that speak of a
    /// component it names. A retired rule leads nowhere.
    pub fn rules<'a>(&'a self, package: &'a Package) -> impl Iterator<Item = &'a Rule> {
        let named = |names: &[Name], id: &str| names.iter().any(|name| name.value == id);
        package.rules.iter().filter(move |rule| {
            let of = rule.conclusion.components();
            rule.status != RuleStatus::Retired
                && (named(&self.concerns.rules, &rule.id.value)
                    || of.iter().any(|one| named(&self.concerns.components, &one.value)))
        })
    }
}
