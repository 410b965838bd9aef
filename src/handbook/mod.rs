//! A rules package as a book that people review from: every rule in plain
//! language with its condition, evidence, strength and verification, and the
//! cases that exercise it; what rules rest on; indexes; the source attributes.
//!
//! [`Handbook::of`] makes plain data of a package; [`html`] and [`markdown`]
//! write it. Same package and cases, same bytes: no clock, no I/O.

mod book;
mod condition;
mod cover;
mod differ;
pub mod html;
mod indexes;
mod invariants;
mod ledger;
pub mod markdown;
mod model;
mod reference;
mod rules;
mod safety;
mod transparency;
mod words;

use crate::rule::model::Package;
use crate::ruleset::Ruleset;
use book::Book;

pub use model::*;

/// What became of the items of the briefs, as a page that stands alone beside
/// the files of the package.
#[must_use]
pub fn briefs(package: &Package) -> Chapter {
    ledger::chapter(package, Links::Files)
}

/// The clinical safety file, as a page that stands alone beside the files of
/// the package.
#[must_use]
pub fn safety(package: &Package) -> Chapter {
    safety::chapter(package, Links::Files)
}

impl Handbook {
    /// The handbook of a package, with what its cases say of each rule.
    #[must_use]
    pub fn of(ruleset: &Ruleset, exercise: &Exercise) -> Self {
        let book = Book::new(ruleset, exercise);
        let mut chapters = vec![cover::reading()];
        chapters.extend(rules::chapters(&book));
        chapters.push(invariants::chapter(&book));
        chapters.push(differ::chapter(&book));
        chapters.extend(reference::chapters(&book));
        chapters.push(indexes::chapter(&book));
        chapters.push(ledger::chapter(book.package, Links::Book));
        chapters.push(safety::chapter(book.package, Links::Book));
        chapters.push(transparency::chapter(&book));
        chapters.retain(|chapter| !chapter.sections.is_empty());
        Self { cover: cover::of(&book, ruleset), chapters }
    }
}
