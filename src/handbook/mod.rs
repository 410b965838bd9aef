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
pub mod markdown;
mod model;
mod reference;
mod rules;
mod transparency;
mod words;

use crate::ruleset::Ruleset;
use book::Book;

pub use model::*;

impl Handbook {
    /// The handbook of a package, with what its cases say of each rule.
    #[must_use]
    pub fn of(ruleset: &Ruleset, exercise: &Exercise) -> Self {
        let book = Book::new(ruleset, exercise);
        let mut chapters = vec![cover::reading()];
        chapters.extend(rules::chapters(&book));
        chapters.push(differ::chapter(&book));
        chapters.extend(reference::chapters(&book));
        chapters.push(indexes::chapter(&book));
        chapters.push(transparency::chapter(&book));
        chapters.retain(|chapter| !chapter.sections.is_empty());
        Self { cover: cover::of(&book, ruleset), chapters }
    }
}
