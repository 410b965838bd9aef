//! What holds of every answer.

use super::book::{Book, anchor};
use super::model::{Cell, Chapter, Piece, Row, Section};
use super::reference::table;
use super::words::text;

/// The chapter.
pub fn chapter(book: &Book<'_>) -> Chapter {
    let rows = book.package.invariants.iter().map(|invariant| {
        let id = invariant.id.value.as_str();
        let sources = invariant.evidence.iter().map(|citation| {
            let source = book.package.sources.iter().find(|source| source.id.value == citation.source.value);
            let title = source.map_or(citation.source.value.as_str(), |source| source.title.as_str());
            let to = anchor("source", &citation.source.value);
            Piece::Link { to, text: format!("{title}, {}", citation.place) }
        });
        let follows: Vec<&str> = invariant.follows.iter().map(|name| name.value.as_str()).collect();
        Row {
            anchor: Some(anchor("invariant", id)),
            cells: vec![
                Cell::Text(vec![text(format!("{} ", invariant.title)), Piece::Code(id.to_owned())]),
                Cell::Text(vec![text(invariant.because.clone())]),
                Cell::List(sources.collect()),
                Cell::Text(vec![text(invariant.verification.word())]),
                Cell::Text(vec![text(follows.join(", "))]),
            ],
        }
    });
    let head = ["What is so", "Why", "Sources", "Verification", "Brief"];
    let blocks = table(&head, rows.collect());
    let lead = "What no answer says and every answer keeps, whoever the patient is. A package is not loaded unless each \
                is proven of every record there could be.";
    let section = Section {
        anchor: anchor("section", "invariants"),
        title: "All invariants".to_owned(),
        lead: Vec::new(),
        blocks: blocks.clone(),
    };
    Chapter {
        anchor: anchor("chapter", "invariants"),
        title: "Invariants".to_owned(),
        lead: vec![text(lead)],
        sections: if blocks.is_empty() { Vec::new() } else { vec![section] },
    }
}
