//! Invariants: what holds of every answer, and of the package itself.

use serde::Serialize;

use super::{ActionName, Category, Citation, Condition, Name, Severity, Spanned, Verification};

/// An invariant.
#[derive(Clone, Debug, Serialize)]
pub struct Invariant {
    /// Id.
    pub id: Name,
    /// What is so, in one sentence.
    pub title: String,
    /// Why, in one sentence.
    pub because: String,
    /// Sources.
    pub evidence: Vec<Citation>,
    /// What was verified.
    pub verification: Verification,
    /// Items of the briefs that it carries.
    pub follows: Vec<Name>,
    /// What it claims, all of it.
    pub claims: Vec<Claim>,
    /// `file:line`, for people.
    #[serde(skip)]
    pub location: String,
}

/// What an invariant claims.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// True of no patient.
    Never(Spanned<Condition>),
    /// Where the one is true, so is the other.
    Always {
        /// The one.
        given: Box<Spanned<Condition>>,
        /// The other.
        then: Box<Spanned<Condition>>,
    },
    /// Facts that bring nothing about.
    NoBearing {
        /// Conditions that name the facts.
        of: Vec<Spanned<Condition>>,
        /// What they never bring about.
        on: Vec<Spanned<Condition>>,
    },
    /// Words that no text has.
    NoText {
        /// The words.
        words: Vec<Spanned<String>>,
        /// Texts of which it holds; empty: all.
        within: Vec<Reading>,
        /// Rules that may say it.
        except: Vec<Exception>,
    },
    /// Words that the titles of components have.
    Says {
        /// Components.
        components: Vec<Name>,
        /// The words, all of them.
        words: Vec<Spanned<String>>,
    },
    /// Approaches that are listed before others and share no component with them.
    Order {
        /// Listed first.
        first: Vec<Name>,
        /// Listed later.
        then: Vec<Name>,
    },
    /// Codes that a concept has.
    Codes {
        /// The concept.
        concept: Name,
        /// Code systems and codes.
        has: Vec<(String, String)>,
    },
    /// Concepts that have no code in common.
    Apart {
        /// Concepts.
        one: Vec<Name>,
        /// Concepts that have no code of these.
        other: Vec<Name>,
    },
}

/// A rule whose texts may have the words.
#[derive(Clone, Debug, Serialize)]
pub struct Exception {
    /// The rule.
    pub rule: Name,
    /// Why it may.
    pub reason: String,
}

/// Texts that people read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// Titles, statements and requests of rules.
    Rules,
    /// Titles of approaches and components.
    Components,
    /// Titles of concepts, definitions, parameters and words of the record.
    Names,
    /// Questions.
    Questions,
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A component stands so.
    Standing {
        /// One of these components,
        components: Vec<Name>,
        /// or one of these approaches.
        approaches: Vec<Name>,
        /// For one of these actions; empty: any.
        actions: Vec<ActionName>,
        /// In one of these ways.
        is: Vec<Standing>,
    },
    /// There is an alert.
    Alert {
        /// Of one of these categories.
        categories: Vec<Category>,
        /// Of one of these severities; empty: any.
        severities: Vec<Severity>,
    },
    /// An instrument is due.
    Assess {
        /// One of these observation concepts.
        instruments: Vec<Name>,
    },
}

/// What an answer can say of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Recommended, and nothing against it.
    Recommended,
    /// Considered, and nothing against it.
    Considered,
    /// Recommended or considered, and nothing stronger than caution against it.
    Offered,
    /// At caution, offered or not.
    Caution,
    /// To be verified first.
    VerifyFirst,
    /// Contraindicated.
    Contraindicated,
}
