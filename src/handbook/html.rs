//! The handbook as one HTML file: no other resource, and no script needed.
//!
//! `maud` escapes every text and attribute that is put in. Style and script are
//! files of this room.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::rule::model::{RuleStatus, Verification};

use super::model::{
    Block, Branch, CaseList, Cell, Chapter, Cover, DefinitionEntry, Handbook, HazardEntry, Join, Piece, RuleEntry,
    Section, SourceEntry, Table, Tone, ValueSet,
};
use super::words::{capitalized, count, status};

const STYLE: &str = include_str!("handbook.css");
const SCRIPT: &str = include_str!("handbook.js");

/// Nothing is fetched, nothing is sent, and no frame or form leads out.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// A list longer than this is folded.
const FOLD: usize = 8;

/// In a table, where each entry is a line, sooner.
const FOLD_IN_TABLE: usize = 5;

/// Titled cases, a line each, are folded sooner.
const FEW: usize = 3;

/// Writes the book.
#[must_use]
pub fn render(book: &Handbook) -> String {
    let cover = &book.cover;
    html! {
        (DOCTYPE)
        html lang="en-US" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { "Handbook: " (cover.title) ", " (cover.package) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                (navigation(book))
                main #content {
                    (front(cover, book))
                    @for chapter in &book.chapters { (self::chapter(chapter)) }
                    footer { p { "Handbook of " (cover.package) ". " (cover.review) } }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
    .into_string()
        + "\n"
}

fn navigation(book: &Handbook) -> Markup {
    html! {
        nav #nav aria-label="Chapters" {
            details.menu open {
                summary { "Contents" }
                p.book { a href="#cover" { (book.cover.package) } }
                div #find hidden {
                    label for="filter" { "Find a rule" }
                    input #filter type="search" placeholder="methadone, QTc, unverified …" autocomplete="off";
                    p #found role="status" {}
                }
                ol {
                    @for chapter in &book.chapters {
                        li {
                            a href=(to(chapter.anchor.as_str())) { (chapter.title) }
                            @if chapter.sections.len() > 1 && !is_lettered(chapter) {
                                ol {
                                    @for section in &chapter.sections {
                                        li { a href=(to(section.anchor.as_str())) { (section.title) } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Sections of single letters need no line of the contents each.
fn is_lettered(chapter: &Chapter) -> bool {
    chapter.sections.iter().all(|section| section.title.chars().nth(1).is_none())
}

fn to(anchor: &str) -> String {
    format!("#{anchor}")
}

fn front(cover: &Cover, book: &Handbook) -> Markup {
    html! {
        header #cover {
            p.kicker { "Handbook of the rules package " (cover.package) }
            h1 { @for word in cover.title.split(' ') { span.word { (word) } " " } }
            p.review.unsigned[!cover.signed] role="note" { (cover.review) }
            dl.facts {
                @for (label, value) in &cover.facts { div { dt { (label) } dd { (phrase(value)) } } }
            }
            ul.counts {
                @for (what, count) in &cover.counts { li { b { (count) } " " (what) } }
            }
            (verified(cover))
            aside.notice { h2 { "Safety notice" } p { (cover.notice) } }
            section.contents aria-labelledby="contents" {
                h2 #contents { "Contents" }
                ol {
                    @for chapter in &book.chapters {
                        @let rules = rules_in(chapter);
                        li {
                            a href=(to(chapter.anchor.as_str())) { (chapter.title) }
                            @if rules > 0 { " " span.quiet { (count(rules, "rule")) } }
                        }
                    }
                }
            }
        }
    }
}

fn rules_in(chapter: &Chapter) -> usize {
    let blocks = chapter.sections.iter().flat_map(|section| &section.blocks);
    blocks.filter(|block| matches!(block, Block::Rule(_))).count()
}

/// The share of rules by verification, as a bar with its legend in words.
fn verified(cover: &Cover) -> Markup {
    html! {
        figure.verified {
            figcaption { "What was verified of the active rules" }
            div.bar aria-hidden="true" {
                @for (kind, count) in &cover.verification {
                    @if *count > 0 { span class=(kind.word()) style=(format!("flex-grow:{count}")) {} }
                }
            }
            ul { @for (kind, count) in &cover.verification { li { (badge(*kind)) " " b { (count) } } } }
        }
    }
}

fn badge(verification: Verification) -> Markup {
    html! { span class={ "badge " (verification.word()) } { (verification.word()) } }
}

fn chapter(chapter: &Chapter) -> Markup {
    html! {
        section.chapter id=(chapter.anchor.as_str()) {
            h2 { (chapter.title) }
            @if !chapter.lead.is_empty() { p.lead { (phrase(&chapter.lead)) } }
            @if is_lettered(chapter) && chapter.sections.len() > 1 {
                p.letters { @for one in &chapter.sections { a href=(to(one.anchor.as_str())) { (one.title) } " " } }
            }
            @for section in &chapter.sections { (self::section(section, chapter.sections.len() == 1)) }
        }
    }
}

/// The only section of a chapter has the title of the chapter for the eye.
fn section(section: &Section, sole: bool) -> Markup {
    html! {
        section.section.sole[sole] id=(section.anchor.as_str()) {
            h3 { (section.title) }
            @for one in &section.lead { @if !one.is_empty() { p.about { (phrase(one)) } } }
            @for block in &section.blocks { (self::block(block)) }
        }
    }
}

fn block(block: &Block) -> Markup {
    match block {
        Block::Rule(entry) => rule(entry),
        Block::Definition(entry) => definition(entry),
        Block::ValueSet(set) => value_set(set),
        Block::Source(entry) => source(entry),
        Block::Hazard(entry) => hazard(entry),
        Block::Table(table) => self::table(table),
        Block::Terms(terms) => html! {
            dl.terms { @for (term, meaning) in terms { dt { (term) } dd { (meaning) } } }
        },
    }
}

fn rule(entry: &RuleEntry) -> Markup {
    let tone = match entry.tone {
        Tone::Alert => "alert",
        Tone::Against => "against",
        Tone::Care => "care",
        Tone::For => "for",
        Tone::Consider => "consider",
        Tone::Ask => "ask",
        Tone::Remark => "remark",
    };
    html! {
        article class={ "rule " (tone) } id=(entry.anchor.as_str()) {
            header {
                p.verdict { span.verb { (entry.verb) } " " (phrase(&entry.object)) }
                h4 { a href=(to(entry.anchor.as_str())) { (entry.title) } }
                p.id {
                    code { (entry.id) }
                    @if entry.status != RuleStatus::Active { " " span.badge.inactive { (status(entry.status)) } }
                }
            }
            blockquote { p { (phrase(&entry.statement)) } }
            @if !entry.filled_from.is_empty() { p.filled { "Filled in from: " (phrase(&entry.filled_from)) } }
            div.when {
                h5 { "When" }
                (tree(&entry.condition))
            }
            dl.meta {
                (row("Where unknown", &html! {
                    (entry.unknown)
                    @if !entry.possible.is_empty() { " It then reads: " q { (phrase(&entry.possible)) } }
                }))
                @if !entry.ask.is_empty() { (row("Asks", &html! { (entry.ask) })) }
                @if !entry.outranks.is_empty() { (row("Outranks", &list(&entry.outranks))) }
                @if !entry.outranked_by.is_empty() { (row("Outranked by", &list(&entry.outranked_by))) }
                (row("Evidence", &html! {
                    ul.evidence {
                        @for one in &entry.evidence {
                            li {
                                (piece(&one.source)) ". " (one.from) ". "
                                span.place { (capitalized(&one.place)) "." }
                                @if let Some(url) = &one.url { " " (piece(url)) }
                            }
                        }
                    }
                }))
                (row("Strength", &html! { (entry.strength) }))
                (row("Verification", &html! {
                    (badge(entry.verification))
                    @if !entry.review_by.is_empty() { " review by " time datetime=(entry.review_by) { (entry.review_by) } }
                }))
                @if !entry.active_because.is_empty() {
                    (row("Rests on unverified evidence, kept active because", &html! { (entry.active_because) }))
                }
                @if !entry.parameters.is_empty() { (row("Parameters", &list(&entry.parameters))) }
                @if !entry.uses.is_empty() { (row("Data used", &list(&entry.uses))) }
                @if !entry.uses_indirectly.is_empty() {
                    (row("By way of others", &html! {
                        (list(&entry.uses_indirectly)) span.quiet { ", by way of other rules or of what is in use" }
                    }))
                }
                @if !entry.follows.is_empty() { (row("Follows brief", &list(&entry.follows))) }
                (row("Cases", &cases(&entry.cases)))
                (row("Written in", &html! { code { (entry.location) } }))
            }
        }
    }
}

fn hazard(entry: &HazardEntry) -> Markup {
    html! {
        article.rule.alert id=(entry.anchor.as_str()) {
            header {
                p.verdict { span.verb { (entry.severity) } }
                h4 { a href=(to(entry.anchor.as_str())) { (capitalized(&entry.title)) } }
                p.id { code { (entry.id) } }
            }
            dl.meta {
                (row("Cause", &html! { (entry.cause) }))
                (row("Harm", &html! { (entry.harm) }))
                @for (control, proofs) in &entry.controls {
                    (row("Control", &html! {
                        (control) " Proven by "
                        @for (at, (what, proof)) in proofs.iter().enumerate() {
                            @if at > 0 { ", " }
                            (what) " " (piece(proof))
                        }
                        "."
                    }))
                }
                (row("Residual risk", &html! { (entry.residual) }))
            }
        }
    }
}

fn row(label: &str, value: &Markup) -> Markup {
    html! { div { dt { (label) } dd { (value) } } }
}

fn cases(cases: &CaseList) -> Markup {
    let total = cases.fires.len().saturating_add(cases.undecided.len()).saturating_add(cases.silent);
    html! {
        @if total == 0 {
            span.quiet { "none were evaluated for this book" }
        } @else {
            @let fires = html! {
                b { "Fires in " @if cases.fires.is_empty() { "none" } @else { (cases.fires.len()) } }
                " of " (count(total, "case"))
            };
            @if cases.fires.len() > FEW {
                (folded(&fires, &cases.fires))
            } @else {
                div { (fires) @if !cases.fires.is_empty() { ": " (list(&cases.fires)) } }
            }
            @if !cases.undecided.is_empty() {
                (folded(&html! { "Undecided in " (cases.undecided.len()) }, &cases.undecided))
            }
            span.quiet { "Silent in " (cases.silent) }
        }
    }
}

fn folded(summary: &Markup, pieces: &[Piece]) -> Markup {
    html! {
        details.fold {
            summary { (summary) }
            (list(pieces))
        }
    }
}

/// Links side by side.
fn list(pieces: &[Piece]) -> Markup {
    html! { ul.list { @for one in pieces { li { (piece(one)) } } } }
}

/// Links side by side, folded where there are many.
fn long_list(pieces: &[Piece], what: &str) -> Markup {
    if pieces.len() > FOLD { folded(&html! { (count(pieces.len(), what)) }, pieces) } else { list(pieces) }
}

fn tree(branch: &Branch) -> Markup {
    html! { ul.tree { (leaf(branch)) } }
}

fn leaf(branch: &Branch) -> Markup {
    let (mut words, mut at) = (Vec::new(), branch);
    while let (true, [only]) = (at.join.is_unary(), at.parts.as_slice()) {
        words.push(at.join.words());
        at = only;
    }
    html! {
        li {
            @for word in &words { span.op { (word) } " " }
            @match at.join {
                Join::Fact => span.fact { (phrase(&at.phrase)) },
                Join::Named => {
                    @if at.parts.is_empty() {
                        span.named { (phrase(&at.phrase)) }
                    } @else {
                        details.named {
                            summary { (phrase(&at.phrase)) }
                            ul.tree { @for part in &at.parts { (leaf(part)) } }
                        }
                    }
                },
                _ => {
                    span.op.group { (at.join.words()) }
                    (set_by(at))
                    ul { @for part in &at.parts { (leaf(part)) } }
                },
            }
            @if at.join == Join::Fact { (set_by(at)) }
        }
    }
}

fn set_by(branch: &Branch) -> Markup {
    html! {
        @if !branch.set_by.is_empty() {
            span.set { @for one in &branch.set_by { " " (piece(one)) } }
        }
    }
}

fn definition(entry: &DefinitionEntry) -> Markup {
    html! {
        article.definition id=(entry.anchor.as_str()) {
            h4 { a href=(to(entry.anchor.as_str())) { (capitalized(&entry.title)) } }
            p.id { code { (entry.id) } }
            (tree(&entry.condition))
            @if entry.used_by.is_empty() {
                p.quiet { "Nothing names it." }
            } @else {
                div.used { "Used by " (long_list(&entry.used_by, "place")) }
            }
        }
    }
}

fn value_set(set: &ValueSet) -> Markup {
    let codes: usize = set.codes.iter().map(|(_, codes)| codes.len()).sum();
    html! {
        details.values id=(set.anchor.as_str()) {
            summary {
                span.name { (capitalized(&set.title)) } " " code { (set.id) } " "
                span.quiet { (count(codes, "code")) ", " (count(set.used_by.len(), "rule")) }
            }
            dl.meta {
                @for (system, codes) in &set.codes {
                    (row(system, &html! { span.codes { @for code in codes { code { (code) } " " } } }))
                }
                @for (label, text) in &set.more { (row(label, &phrase(text))) }
                (row("Asked for by", &html! {
                    @if set.used_by.is_empty() { span.quiet { "no rule directly" } } @else { (list(&set.used_by)) }
                }))
            }
        }
    }
}

fn source(entry: &SourceEntry) -> Markup {
    html! {
        article.source id=(entry.anchor.as_str()) {
            h4 { a href=(to(entry.anchor.as_str())) { (entry.title) } }
            p { (entry.from) ". " code { (entry.id) } @if let Some(url) = &entry.url { " " (piece(url)) } }
            @if entry.cited_by.is_empty() {
                p.quiet { "No rule cites it." }
            } @else {
                div.used { "Cited by " (long_list(&entry.cited_by, "rule")) }
            }
        }
    }
}

fn table(table: &Table) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label="Table" {
            table.index[table.head.len() == 3] {
                thead { tr { @for head in &table.head { th scope="col" { (head) } } } }
                tbody {
                    @for row in &table.rows {
                        tr id=[row.anchor.as_ref().map(super::model::Anchor::as_str)] {
                            @for (place, cell) in row.cells.iter().enumerate() {
                                @if place == 0 { th scope="row" { (self::cell(cell)) } } @else { td { (self::cell(cell)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cell(cell: &Cell) -> Markup {
    match cell {
        Cell::Text(text) => phrase(text),
        Cell::List(pieces) if pieces.is_empty() => html! { span.quiet { "–" } },
        Cell::List(pieces) if pieces.len() > FOLD_IN_TABLE => folded(&html! { (count(pieces.len(), "rule")) }, pieces),
        Cell::List(pieces) => list(pieces),
    }
}

fn phrase(pieces: &[Piece]) -> Markup {
    html! { @for one in pieces { (piece(one)) } }
}

fn piece(piece: &Piece) -> Markup {
    match piece {
        Piece::Text(text) => html! { (text) },
        Piece::Link { to: anchor, text } => html! { a href=(to(anchor.as_str())) { (text) } },
        Piece::Away { url, text } => html! { a.away href=(url) rel="noreferrer" { (text) } },
        Piece::Blank(what) => html! { span.blank { (what) } },
        Piece::Code(code) => html! { code { (code) } },
    }
}
