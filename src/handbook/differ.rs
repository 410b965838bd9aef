//! Questions on which sources differ, each with what sources hold, what the
//! package does, and what leads to it.

use crate::rule::model::{Disagreement, Verification};

use super::book::{Book, anchor, parameter, rule_link};
use super::model::{Cell, Chapter, Phrase, Piece, Row, Section};
use super::reference::table;
use super::rules::source_link;
use super::words::{joined, text};

/// The chapter; without sections where the package names no disagreement.
pub fn chapter(book: &Book<'_>) -> Chapter {
    Chapter {
        anchor: anchor("chapter", "disagreements"),
        title: "Where guidelines differ".to_owned(),
        lead: vec![text(
            "Questions on which sources differ. An answer that says something on one of them shows it. It changes no \
             standing.",
        )],
        sections: book.package.disagreements.iter().map(|one| section(book, one)).collect(),
    }
}

fn section(book: &Book<'_>, one: &Disagreement) -> Section {
    let mut lead = vec![vec![text(format!("Here: {}", one.here))]];
    if let Some(name) = &one.parameter
        && let Some(found) = book.package.parameters.iter().find(|known| known.id.value == name.value)
    {
        lead.push(vec![text("A site chooses by "), parameter(found), text(".")]);
    }
    lead.push(labeled("Shown with", led_to(book, one)));
    if !one.follows.is_empty() {
        lead.push(labeled("Follows", one.follows.iter().map(|name| Piece::Code(name.value.clone())).collect()));
    }
    let rows = one.positions.iter().map(|position| Row {
        anchor: None,
        cells: vec![
            Cell::Text(vec![text(position.says.clone())]),
            Cell::Text(vec![source_link(book, &position.citation), text(format!(", {}", position.citation.place))]),
            Cell::Text(vec![text(position.strength.clone())]),
            Cell::Text(vec![text(read(position.verification))]),
        ],
    });
    let head = ["Position", "Source", "Strength", "Read"];
    Section {
        anchor: anchor("disagreement", &one.id.value),
        title: one.question.clone(),
        lead,
        blocks: table(&head, rows.collect()),
    }
}

fn labeled(label: &str, pieces: Vec<Piece>) -> Phrase {
    let mut phrase = vec![text(format!("{label}: "))];
    phrase.extend(joined(pieces));
    phrase.push(text("."));
    phrase
}

fn led_to(book: &Book<'_>, one: &Disagreement) -> Vec<Piece> {
    let named =
        book.package.rules.iter().filter(|rule| one.concerns.rules.iter().any(|name| name.value == rule.id.value));
    let components = one.concerns.components.iter().map(|name| book.component(&name.value));
    named.map(rule_link).chain(components).collect()
}

fn read(verification: Verification) -> &'static str {
    match verification {
        Verification::Primary => "in the source",
        Verification::Secondary => "in part, or in a copy",
        Verification::Unverified => "not read: unverified",
    }
}
