//! From the briefs to the rules: what became of every item.

use std::collections::BTreeSet;

use crate::rule::ledger::{self, Carried, Entry, Ledger, Line, Outcome, branch_name};
use crate::rule::model::{Brief, ItemKind, ItemStatus, Package, RuleStatus};
use crate::rule::shape::{self, ITEM_STATUS};

use super::book::anchor;
use super::model::{Anchor, Block, Cell, Chapter, Links, Phrase, Piece, Row, Section, Table};
use super::words::{capitalized, text};

/// The kinds of items in the order of the page.
const KINDS: [(ItemKind, &str); 4] = [
    (ItemKind::Rule, "rules"),
    (ItemKind::Note, "notes"),
    (ItemKind::DoNot, "things not to do"),
    (ItemKind::Disagreement, "disagreements"),
];

const OUTCOMES: [(Outcome, &str, &str); 6] = [
    (Outcome::Active, "active", "An active rule carries it and nothing else of the briefs."),
    (
        Outcome::Merged,
        "merged",
        "Every active rule that carries it carries another item too, such as one of the other brief that says the same.",
    ),
    (Outcome::Draft, "draft", "Only drafts carry it: they are not evaluated unless asked for."),
    (Outcome::Disabled, "disabled", "Only rules that the site's overlay disables carry it."),
    (Outcome::LeftOut, "left out", "Nothing carries it, and the reason is given."),
    (Outcome::Uncarried, "uncarried", "Nothing carries it, and no reason is given."),
];

/// The chapter; without sections where the package declares no briefs.
pub fn chapter(package: &Package, links: Links) -> Chapter {
    let ledger = Ledger::of(package);
    let mut sections = Vec::new();
    if !package.briefs.is_empty() {
        sections.push(totals(package, &ledger));
        sections.extend(package.briefs.iter().map(|brief| items(brief, &ledger, links)));
        sections.extend(others(package, links));
    }
    Chapter {
        anchor: anchor("chapter", "briefs"),
        title: "From the briefs to the rules".to_owned(),
        lead: vec![text(
            "The rules were written from clinical briefs. Here is every item of theirs with what carries it, or the \
             reason why nothing does.",
        )],
        sections,
    }
}

fn totals(package: &Package, ledger: &Ledger<'_>) -> Section {
    let mut rows = Vec::new();
    for brief in &package.briefs {
        for (kind, what) in KINDS {
            let name = vec![to_brief(brief), text(format!(": {what}"))];
            rows.extend(total(name, &of(ledger, |one| one.brief.id.value == brief.id.value && one.item.kind == kind)));
        }
    }
    for (kind, what) in KINDS {
        let name = vec![text(format!("All briefs: {what}"))];
        rows.extend(total(name, &of(ledger, |one| one.item.kind == kind)));
    }
    let mut head = vec!["Items", "Accounted for"];
    head.extend(OUTCOMES.map(|(_, word, _)| word));
    Section {
        anchor: anchor("section", "briefs-totals"),
        title: "Totals".to_owned(),
        lead: vec![vec![text(sentence(ledger))], vec![text(in_part(ledger))]],
        blocks: vec![
            Block::Table(Table { head, rows }),
            Block::Terms(OUTCOMES.map(|(_, word, meaning)| (word, meaning)).to_vec()),
        ],
    }
}

fn of<'l, 'a>(ledger: &'l Ledger<'a>, wanted: impl Fn(&Entry<'_>) -> bool) -> Vec<&'l Entry<'a>> {
    ledger.entries.iter().filter(|entry| wanted(entry)).collect()
}

fn total(name: Phrase, entries: &[&Entry<'_>]) -> Option<Row> {
    if entries.is_empty() {
        return None;
    }
    let cell = |words: String| Cell::Text(vec![text(words)]);
    let mut cells = vec![Cell::Text(name), cell(format!("{} of {}", accounted(entries), entries.len()))];
    cells.extend(OUTCOMES.map(|(outcome, ..)| cell(count(entries, outcome).to_string())));
    Some(Row { anchor: None, cells })
}

fn count(entries: &[&Entry<'_>], outcome: Outcome) -> usize {
    entries.iter().filter(|entry| entry.outcome == outcome).count()
}

fn accounted(entries: &[&Entry<'_>]) -> usize {
    entries.iter().filter(|entry| entry.outcome != Outcome::Uncarried).count()
}

/// `188 of 188 rules of the briefs are accounted for: …`.
fn sentence(ledger: &Ledger<'_>) -> String {
    let rules = of(ledger, |entry| entry.item.kind == ItemKind::Rule);
    let counts: Vec<String> = OUTCOMES
        .iter()
        .filter(|(outcome, ..)| *outcome != Outcome::Uncarried)
        .map(|(outcome, word, _)| format!("{} {word}", count(&rules, *outcome)))
        .collect();
    format!(
        "{} of {} rules of the briefs are accounted for: {}. An item with branches counts as what became of the branch \
         that fared worst.",
        accounted(&rules),
        rules.len(),
        counts.join(", ")
    )
}

/// Branches that no rule names for themselves.
fn in_part(ledger: &Ledger<'_>) -> String {
    let branches = || ledger.entries.iter().flat_map(|entry| &entry.lines).filter(|line| line.branch.is_some());
    let whole = branches().filter(|line| as_a_whole(line)).count();
    format!(
        "Of {} branches {whole} are carried only by rules that name the item as a whole, and are marked so.",
        branches().count()
    )
}

fn as_a_whole(line: &Line<'_>) -> bool {
    !line.carried_by.is_empty() && line.carried_by.iter().all(|one| one.whole)
}

fn place(name: &str) -> Anchor {
    anchor("brief", name)
}

fn to_brief(brief: &Brief) -> Piece {
    Piece::Link { to: section_of(brief), text: brief.title.clone() }
}

fn section_of(brief: &Brief) -> Anchor {
    anchor("section", &format!("brief-{}", brief.id.value))
}

fn items(brief: &Brief, ledger: &Ledger<'_>, links: Links) -> Section {
    let mut blocks = Vec::new();
    for (kind, _) in KINDS {
        let entries = of(ledger, |entry| entry.brief.id.value == brief.id.value && entry.item.kind == kind);
        let rows: Vec<Row> = entries.iter().flat_map(|entry| rows(ledger, entry, links)).collect();
        let head = match kind {
            ItemKind::Rule => "Rule of the brief",
            ItemKind::Note => "Note of the brief",
            ItemKind::DoNot => "Not to do",
            ItemKind::Disagreement => "Disagreement",
        };
        if !rows.is_empty() {
            let head = vec![head, "What it says", "In the brief", "Carried by", "How"];
            blocks.push(Block::Table(Table { head, rows }));
        }
    }
    Section { anchor: section_of(brief), title: brief.title.clone(), lead: Vec::new(), blocks }
}

fn rows(ledger: &Ledger<'_>, entry: &Entry<'_>, links: Links) -> Vec<Row> {
    let item = entry.item;
    let mut rows = Vec::new();
    if !item.branches.is_empty() {
        let how = vec![text(word(entry.outcome))];
        rows.push(row(&item.id.value, capitalized(&item.title), ledger::status(item, None), Vec::new(), how));
    }
    for line in &entry.lines {
        let (name, title) = match line.branch {
            Some(branch) => (branch_name(item, branch), branch.title.clone()),
            None => (item.id.value.clone(), item.title.clone()),
        };
        let carriers = line.carried_by.iter().map(|one| carrier(one, links)).collect();
        let how = how(ledger, entry, line);
        rows.push(row(&name, capitalized(&title), ledger::status(item, line.branch), carriers, how));
    }
    rows
}

fn row(name: &str, title: String, status: Option<ItemStatus>, carriers: Vec<Piece>, how: Phrase) -> Row {
    let status = status.map_or("", |status| shape::word(ITEM_STATUS, &status));
    Row {
        anchor: Some(place(name)),
        cells: vec![
            Cell::Text(vec![Piece::Code(name.to_owned())]),
            Cell::Text(vec![text(title)]),
            Cell::Text(vec![text(status)]),
            Cell::List(carriers),
            Cell::Text(how),
        ],
    }
}

fn carrier(by: &Carried<'_>, links: Links) -> Piece {
    let carrier = &by.carrier;
    let id = match carrier.status {
        RuleStatus::Active => carrier.id.value.clone(),
        other => format!("{} ({})", carrier.id.value, other.word()),
    };
    links.to(carrier.kind.anchor(&carrier.id.value), carrier.location, id)
}

impl ledger::CarrierKind {
    /// Its place in the book.
    fn anchor(self, id: &str) -> Anchor {
        match self {
            Self::Rule => anchor("rule", id),
            Self::Invariant => anchor("invariant", id),
            Self::Disagreement => anchor("disagreement", id),
        }
    }
}

fn word(outcome: Outcome) -> &'static str {
    OUTCOMES.iter().find(|(known, ..)| *known == outcome).map_or("", |(_, word, _)| word)
}

fn how(ledger: &Ledger<'_>, entry: &Entry<'_>, line: &Line<'_>) -> Phrase {
    let mut how = vec![text(word(line.outcome))];
    match line.outcome {
        Outcome::Merged => {
            how.push(text(" with "));
            let names = line.carried_by.iter().flat_map(|one| one.carrier.follows);
            let items = names.filter_map(|name| ledger.item(&name.value)).map(|item| item.id.value.as_str());
            let others: BTreeSet<&str> = items.filter(|id| *id != entry.item.id.value).collect();
            for (at, id) in others.into_iter().enumerate() {
                how.extend((at > 0).then(|| text(", ")));
                how.push(Piece::Link { to: place(id), text: id.to_owned() });
            }
        }
        Outcome::LeftOut => how.push(text(format!(": {}", line.left_out.map_or("", |reason| reason.value.as_str())))),
        _ => {}
    }
    if as_a_whole(line) {
        how.push(text("; as a whole only"));
    }
    how
}

/// Rules that follow no item.
fn others(package: &Package, links: Links) -> Option<Section> {
    let free = package.rules.iter().filter(|rule| rule.follows.is_empty());
    let rows: Vec<Row> = free
        .map(|rule| {
            let to = links.to(anchor("rule", &rule.id.value), &rule.location, rule.id.value.clone());
            Row { anchor: None, cells: vec![Cell::Text(vec![to]), Cell::Text(vec![text(rule.title.clone())])] }
        })
        .collect();
    (!rows.is_empty()).then(|| Section {
        anchor: anchor("section", "briefs-none"),
        title: "Rules that follow no item".to_owned(),
        lead: vec![vec![text("What the package says beyond the briefs, each on the evidence that it cites.")]],
        blocks: vec![Block::Table(Table { head: vec!["Rule", "Title"], rows })],
    })
}
