//! Indexes: by approach, disorder, drug, brief and state of verification.

use std::collections::{BTreeMap, BTreeSet};

use crate::clinical::concept::ConceptKind;
use crate::program::{Op, Outline};
use crate::rule::model::{Component, Fact, Rule, RuleStatus, Verification};

use super::book::{Book, anchor, rule_links};
use super::model::{Cell, Chapter, Piece, Row, Section};
use super::reference::{rules_asking, table};
use super::words::{self, capitalized, text};

/// The chapter.
pub fn chapter(book: &Book<'_>) -> Chapter {
    let asking = "Rules whose own condition, or a definition they name, asks for it.";
    let sections = vec![
        section(
            "approach",
            "By approach",
            "Approach",
            "Every rule that speaks of a component of the approach.",
            approaches(book),
        ),
        section(
            "disorder",
            "By disorder and circumstance",
            "Disorder or circumstance",
            asking,
            concepts(book, ConceptKind::Diagnosis),
        ),
        section(
            "drug",
            "By drug",
            "Drug",
            &format!("Medications and classes first, then components that are medications. {asking}"),
            drugs(book),
        ),
        section(
            "verification",
            "By verification and review",
            "State",
            "Active rules by what was verified of them.",
            review(book),
        ),
        section(
            "briefs",
            "By brief",
            "Brief",
            "Rules by the paragraph of the clinical brief that they carry.",
            briefs(book),
        ),
    ];
    Chapter {
        anchor: anchor("chapter", "indexes"),
        title: "Indexes".to_owned(),
        lead: vec![
            text("Sources are indexed in "),
            Piece::Link { to: anchor("chapter", "sources"), text: "the bibliography".to_owned() },
            text("."),
        ],
        sections: sections.into_iter().filter(|section| !section.blocks.is_empty()).collect(),
    }
}

fn section(id: &str, title: &str, of: &'static str, lead: &str, rows: Vec<Row>) -> Section {
    Section {
        anchor: anchor("index", id),
        title: title.to_owned(),
        lead: vec![vec![text(lead)]],
        blocks: table(&[of, "Count", "Rules"], rows),
    }
}

fn row(name: Piece, rules: Vec<Piece>) -> Row {
    let count = text(rules.len().to_string());
    Row { anchor: None, cells: vec![Cell::Text(vec![name]), Cell::Text(vec![count]), Cell::List(rules)] }
}

fn approaches(book: &Book<'_>) -> Vec<Row> {
    let belongs = |component: &str, approach: &str| {
        let found = book.package.components.iter().find(|one| one.id.value == component);
        found.is_some_and(|one| one.approaches.iter().any(|name| name.value == approach))
    };
    let rows = book.package.approaches.iter().map(|approach| {
        let id = approach.id.value.as_str();
        let speaks = |rule: &&Rule| rule.conclusion.components().iter().any(|name| belongs(&name.value, id));
        let name = Piece::Link { to: anchor("approach", id), text: approach.title.clone() };
        row(name, rule_links(book.package.rules.iter().filter(speaks)))
    });
    rows.collect()
}

fn concepts(book: &Book<'_>, kind: ConceptKind) -> Vec<Row> {
    let mut of: Vec<_> = book.package.concepts.iter().filter(|concept| concept.def.kind == kind).collect();
    of.sort_by_key(|concept| (concept.def.title.to_lowercase(), concept.def.id.as_str()));
    let rows = of.into_iter().map(|concept| row(book.concept(&concept.def.id), rules_asking(book, &concept.def.id)));
    rows.filter(|row| matches!(row.cells.last(), Some(Cell::List(rules)) if !rules.is_empty())).collect()
}

fn drugs(book: &Book<'_>) -> Vec<Row> {
    let mut rows = concepts(book, ConceptKind::Medication);
    let medications = book.package.components.iter().filter(|component| is_medication(book, component));
    rows.extend(medications.map(|component| {
        let id = component.id.value.as_str();
        let speaks = |rule: &&Rule| rule.conclusion.components().iter().any(|name| name.value == id);
        row(book.component(id), rule_links(book.package.rules.iter().filter(speaks)))
    }));
    rows
}

/// Is it in use, or planned, where a medication is?
fn is_medication(book: &Book<'_>, component: &Component) -> bool {
    let asks = |id: &str| book.definition(id).is_some_and(|outline| asks_for_medication(book, outline));
    component.current.iter().chain(&component.planned).any(|name| asks(&name.value))
}

fn asks_for_medication(book: &Book<'_>, outline: &Outline) -> bool {
    (outline.op == Op::Atom && matches!(book.fact(outline.node), Some(Fact::Medication { .. })))
        || outline.parts.iter().any(|part| asks_for_medication(book, part))
}

fn review(book: &Book<'_>) -> Vec<Row> {
    let active: Vec<&Rule> = book.package.rules.iter().filter(|rule| rule.status == RuleStatus::Active).collect();
    let mut rows = Vec::new();
    for wanted in [Verification::Unverified, Verification::Secondary, Verification::Primary] {
        let of = active.iter().copied().filter(|rule| rule.verification == wanted);
        rows.push(row(text(capitalized(wanted.word())), rule_links(of)));
    }
    for status in [RuleStatus::Draft, RuleStatus::Retired] {
        let of = book.package.rules.iter().filter(|rule| rule.status == status);
        rows.push(row(text(capitalized(words::status(status))), rule_links(of)));
    }
    let days: BTreeSet<Option<&str>> =
        active.iter().map(|rule| rule.review_by.as_ref().map(|day| day.value.as_str())).collect();
    for day in days {
        let of = active.iter().copied().filter(|rule| rule.review_by.as_ref().map(|day| day.value.as_str()) == day);
        let name = day.map_or_else(|| "No review date".to_owned(), |day| format!("Review by {day}"));
        rows.push(row(text(name), rule_links(of)));
    }
    rows.retain(|row| matches!(row.cells.last(), Some(Cell::List(rules)) if !rules.is_empty()));
    rows
}

/// Items as rules name them. Where the package declares its briefs, they have a
/// chapter of their own.
fn briefs(book: &Book<'_>) -> Vec<Row> {
    if !book.package.briefs.is_empty() {
        return Vec::new();
    }
    let mut by_brief: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
    for rule in &book.package.rules {
        for brief in &rule.follows {
            by_brief.entry(&brief.value).or_default().push(rule);
        }
    }
    let mut rows: Vec<Row> = by_brief
        .into_iter()
        .map(|(brief, rules)| Row {
            anchor: Some(anchor("brief", brief)),
            ..row(Piece::Code(brief.to_owned()), rule_links(rules))
        })
        .collect();
    let free: Vec<&Rule> = book.package.rules.iter().filter(|rule| rule.follows.is_empty()).collect();
    if !free.is_empty() {
        rows.push(row(text("No brief named"), rule_links(free)));
    }
    rows
}
