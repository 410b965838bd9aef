//! Conditions as trees that people read.

use crate::program::{Op, Outline};
use crate::rule::model::{Fact, Name};

use super::book::{Book, anchor, parameter};
use super::model::{Branch, Join, Phrase, Piece};
use super::words::text;

/// Makes a tree of a condition. Definitions it names are opened once: what
/// they name in turn is a link.
pub fn tree(book: &Book<'_>, outline: &Outline) -> Branch {
    branch(book, outline, true)
}

fn branch(book: &Book<'_>, outline: &Outline, open: bool) -> Branch {
    let join = match &outline.op {
        Op::Atom => return fact(book, outline),
        Op::Proposed(id) | Op::Offered(id) => {
            let title = book.describer.component(id);
            let phrase = linked(&outline.text, &[(title, "component", id)]);
            return Branch { join: Join::Fact, phrase, set_by: Vec::new(), parts: Vec::new() };
        }
        Op::Definition(id) => {
            let parts =
                if open { outline.parts.iter().map(|part| branch(book, part, false)).collect() } else { vec![] };
            return Branch { join: Join::Named, phrase: vec![book.definition_link(id)], set_by: Vec::new(), parts };
        }
        Op::Constant(holds) => {
            let phrase = vec![text(format!("{} ({})", outline.text, if *holds { "so set" } else { "not so set" }))];
            return Branch { join: Join::Fact, phrase, set_by: Vec::new(), parts: Vec::new() };
        }
        Op::Outcome { .. } => {
            let phrase = vec![text(outline.text.clone())];
            return Branch { join: Join::Fact, phrase, set_by: Vec::new(), parts: Vec::new() };
        }
        Op::All => Join::All,
        Op::Any | Op::Fact => Join::Any,
        Op::None => Join::None,
        Op::AtLeast(count) => Join::AtLeast(*count),
        Op::Not => Join::Not,
        Op::Implies => Join::Implies,
        Op::Xor => Join::Xor,
        Op::Known => Join::Known,
        Op::Unknown => Join::Unknown,
    };
    let parts: Vec<Branch> =
        if join == Join::All { established(book, &outline.parts, open) } else { all(book, &outline.parts, open) };
    // A group of one is its part.
    if let (Join::All | Join::Any, [_]) = (join, parts.as_slice())
        && let Some(only) = parts.first()
    {
        return only.clone();
    }
    let set_by = if outline.op == Op::Fact { set_by(book, outline) } else { Vec::new() };
    // The parts of a fact test stand in its place: the parameters are said once.
    let parts = if set_by.is_empty() {
        parts
    } else {
        parts.into_iter().map(|part| Branch { set_by: Vec::new(), ..part }).collect()
    };
    Branch { join, phrase: Vec::new(), set_by, parts }
}

fn all(book: &Book<'_>, parts: &[Outline], open: bool) -> Vec<Branch> {
    parts.iter().map(|part| branch(book, part, open)).collect()
}

/// `known: x` beside `x` says that x is known to be true, in one line.
fn established(book: &Book<'_>, parts: &[Outline], open: bool) -> Vec<Branch> {
    let known = |part: &Outline| match (&part.op, part.parts.as_slice()) {
        (Op::Known, [inner]) => Some(inner.node),
        _ => None,
    };
    let stands = |node| parts.iter().any(|part| part.node == node && known(part).is_none());
    let mut made = Vec::new();
    for part in parts {
        if known(part).is_some_and(stands) {
            continue;
        }
        let one = branch(book, part, open);
        let is_known = parts.iter().any(|other| known(other) == Some(part.node));
        made.push(if is_known {
            Branch { join: Join::Established, phrase: Vec::new(), set_by: Vec::new(), parts: vec![one] }
        } else {
            one
        });
    }
    made
}

fn set_by(book: &Book<'_>, outline: &Outline) -> Vec<Piece> {
    book.parameters_in(outline.span).map(parameter).collect()
}

fn fact(book: &Book<'_>, outline: &Outline) -> Branch {
    let mut titles: Vec<(String, &'static str, &str)> = Vec::new();
    let names = book.fact(outline.node).map(concepts).unwrap_or_default();
    for name in names {
        titles.push((book.describer.concept(&name.value), "concept", name.value.as_str()));
    }
    let phrase = linked(&outline.text, &titles);
    Branch { join: Join::Fact, phrase, set_by: set_by(book, outline), parts: Vec::new() }
}

/// The concepts that a fact names, in the order of its words.
pub fn concepts(fact: &Fact) -> Vec<&Name> {
    match fact {
        Fact::Diagnosis { concepts, .. }
        | Fact::Allergy { concepts }
        | Fact::Observation { concepts, .. }
        | Fact::Plan { concepts, .. } => concepts.iter().collect(),
        Fact::Medication { concepts, given_for, not_given_for, .. } => {
            concepts.iter().chain(given_for).chain(not_given_for).collect()
        }
        Fact::OnsetOrder { first, then, .. } => first.iter().chain(then).collect(),
        _ => Vec::new(),
    }
}

/// The words, with the titles in them as links, each met after the one before.
fn linked(words: &str, titles: &[(String, &'static str, &str)]) -> Phrase {
    let mut phrase = Vec::new();
    let mut rest = words;
    for (title, kind, id) in titles {
        let Some((before, after)) = rest.split_once(title.as_str()) else { continue };
        if !before.is_empty() {
            phrase.push(text(before));
        }
        phrase.push(Piece::Link { to: anchor(kind, id), text: title.clone() });
        rest = after;
    }
    if !rest.is_empty() {
        phrase.push(text(rest));
    }
    phrase
}
