//! What stands before the rules: the cover, and how to read the book.

use crate::rule::model::{RuleStatus, Verification};
use crate::ruleset::Ruleset;

use super::book::{Book, anchor};
use super::model::{Block, Chapter, Cover, Phrase, Piece, Section};
use super::words::text;

const NOTICE: &str = "Concord supports the decisions of licensed clinicians; it makes none. It is not a medical device \
    and has not been evaluated as one. Its content needs local clinical governance before use with patients. What it \
    recommends is advice to weigh against the whole patient, and what it does not mention is not thereby safe.";

const TERMS: [(&str, &str); 8] = [
    (
        "Offers and exclusions",
        "Rules recommend or consider a component of care; rules advise care with it or contraindicate it, for an \
         action: starting, continuing, increasing. What is said of starting never lowers continuing.",
    ),
    (
        "Standing",
        "Each component stands at its strongest exclusion (contraindicated, verify first, caution) where there is \
         one, else at its strongest offer (recommended, consider). A component at caution that is offered counts as \
         offered. Both sides stay in the rationale, and the order of rules never matters.",
    ),
    (
        "Unknown",
        "What the record does not say is unknown, not false. Only a list called complete makes absence false; diagnoses \
         and medications of which nothing is stated are assumed free of what they do not name, and the answer marks it. \
         An offer is made on true alone. An exclusion that can’t be decided leads to verify first or to a question by \
         name, as the rule says.",
    ),
    (
        "Established",
        "In a condition: known to be true. Where the fact is unknown, “established” is false, and “not established” \
         is true. “Known either way” is true where the fact is known to be true or known to be false.",
    ),
    (
        "Outranks",
        "A true rule takes the findings of the rules it outranks out of the comparison, never out of the rationale. An \
         offer never outranks an exclusion.",
    ),
    (
        "Verification",
        "Primary: the fact was read in the source. Secondary: read in part, or in a copy. Unverified: not read. \
         Strength is given as the source grades it.",
    ),
    (
        "Blanks",
        "A statement has places that are filled in from the record; they are framed, and what fills them is named below.",
    ),
    (
        "Cases",
        "Constructed patients with what a good answer must contain. A rule fires in a case (true), is silent (false), or \
         stays undecided (unknown).",
    ),
];

/// The cover.
pub fn of(book: &Book<'_>, ruleset: &Ruleset) -> Cover {
    let (meta, counts) = (&book.package.meta, ruleset.counts());
    let plain = |words: &str| -> Phrase { vec![text(words)] };
    let facts = vec![
        ("Released", plain(&meta.released)),
        ("Developer", plain(&meta.developer)),
        ("Funding", plain(if meta.funding.is_empty() { "not stated" } else { &meta.funding })),
        ("Digest (SHA-256)", vec![Piece::Code(ruleset.digest().to_owned())]),
    ];
    let size = |count: u32| count as usize;
    let counts = [
        ("active rules", size(counts.rules)),
        ("drafts", size(counts.drafts)),
        ("retired rules", size(counts.retired)),
        ("components", size(counts.components)),
        ("definitions", size(counts.definitions)),
        ("value sets", size(counts.concepts)),
        ("sources", book.package.sources.len()),
        ("parameters", book.package.parameters.len()),
        ("cases", book.cases().count()),
    ];
    let active = book.package.rules.iter().filter(|rule| rule.status == RuleStatus::Active);
    let verified = |wanted: Verification| active.clone().filter(|rule| rule.verification == wanted).count();
    let of = |wanted| (wanted, verified(wanted));
    Cover {
        title: meta.title.clone(),
        package: format!("{} {}", meta.name, meta.version),
        review: match &meta.signed_by {
            Some(name) => format!("Signed by {name}."),
            None => "Clinical review: NONE. No clinician has signed these rules.".to_owned(),
        },
        signed: meta.signed_by.is_some(),
        facts,
        counts: counts
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(what, count)| (what.to_owned(), count))
            .collect(),
        verification: vec![of(Verification::Primary), of(Verification::Secondary), of(Verification::Unverified)],
        notice: NOTICE,
    }
}

/// How to read the book.
pub fn reading() -> Chapter {
    Chapter {
        anchor: anchor("chapter", "reading"),
        title: "How to read this book".to_owned(),
        lead: Vec::new(),
        sections: vec![Section {
            anchor: anchor("section", "terms"),
            title: "Terms".to_owned(),
            lead: Vec::new(),
            blocks: vec![Block::Terms(TERMS.to_vec())],
        }],
    }
}
