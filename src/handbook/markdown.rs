//! The handbook as Markdown, as GitHub renders it.
//!
//! Places are `<a id>` elements, so that links hold whatever the headings say.
//! Every text of the package is escaped: none can become markup.

use crate::rule::model::RuleStatus;

use super::model::{
    Anchor, Block, Branch, CaseList, Cell, Chapter, Cover, DefinitionEntry, Handbook, HazardEntry, Join, Piece,
    RuleEntry, Section, SourceEntry, Table, ValueSet,
};
use super::words::{capitalized, count, status};

/// Writes the book.
#[must_use]
pub fn render(book: &Handbook) -> String {
    let mut out = Writer::default();
    out.cover(&book.cover, &book.chapters);
    for chapter in &book.chapters {
        out.chapter(chapter, 2);
    }
    out.text
}

/// Writes a chapter as a page of its own. `command` is what writes it again.
#[must_use]
pub fn page(chapter: &Chapter, command: &str) -> String {
    let mut out = Writer::default();
    out.paragraph(&format!("<!-- Written by `{command}`. -->"));
    out.chapter(chapter, 1);
    out.text.truncate(out.text.trim_end().len());
    out.text.push('\n');
    out.text
}

/// Text as Markdown that shows it and does nothing else.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (place, letter) in text.char_indices() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\n' | '\r' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' | '#' => {
                out.push('\\');
                out.push(letter);
            }
            // At the head of a line these begin a list or underline a heading.
            '-' | '+' | '=' if place == 0 => {
                out.push('\\');
                out.push(letter);
            }
            '.' | ')' if !out.is_empty() && out.bytes().all(|byte| byte.is_ascii_digit()) => {
                out.push('\\');
                out.push(letter);
            }
            // GitHub makes links of bare addresses.
            ':' if text.get(place..).is_some_and(|rest| rest.starts_with("://")) => out.push_str("&#58;"),
            _ => out.push(letter),
        }
    }
    out
}

/// Code, as an element: a fence of backticks has no escape.
fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

fn url(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    for letter in url.chars() {
        match letter {
            '<' => out.push_str("%3C"),
            '>' => out.push_str("%3E"),
            '\\' => out.push_str("%5C"),
            '|' => out.push_str("%7C"),
            letter if letter.is_whitespace() => out.push_str("%20"),
            letter => out.push(letter),
        }
    }
    out
}

fn piece(piece: &Piece) -> String {
    match piece {
        Piece::Text(text) => escaped(text),
        Piece::Link { to, text } => format!("[{}](#{})", escaped(text), to.as_str()),
        Piece::Away { url: to, text } if to == text => format!("<{}>", url(to)),
        Piece::Away { url: to, text } => format!("[{}](<{}>)", escaped(text), url(to)),
        Piece::Blank(what) => format!("‹{}›", escaped(what)),
        Piece::Code(text) => code(text),
    }
}

fn phrase(pieces: &[Piece]) -> String {
    pieces.iter().map(piece).collect()
}

fn list(pieces: &[Piece]) -> String {
    pieces.iter().map(piece).collect::<Vec<_>>().join(" · ")
}

#[derive(Default)]
struct Writer {
    text: String,
}

impl Writer {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn paragraph(&mut self, text: &str) {
        self.line(text);
        self.line("");
    }

    fn heading(&mut self, level: usize, anchor: Option<&Anchor>, title: &str) {
        if let Some(anchor) = anchor {
            self.paragraph(&format!("<a id=\"{}\"></a>", anchor.as_str()));
        }
        self.paragraph(&format!("{} {}", "#".repeat(level), escaped(title)));
    }

    fn cover(&mut self, cover: &Cover, chapters: &[Chapter]) {
        self.heading(1, None, &cover.title);
        self.paragraph(&format!("Handbook of the rules package {}", escaped(&cover.package)));
        self.paragraph(&format!("**{}**", escaped(&cover.review)));
        for (label, value) in &cover.facts {
            self.line(&format!("- {label}: {}", phrase(value)));
        }
        let counts: Vec<String> = cover.counts.iter().map(|(what, count)| format!("{count} {what}")).collect();
        self.line(&format!("- Holds: {}", counts.join(", ")));
        let verified: Vec<String> =
            cover.verification.iter().map(|(kind, count)| format!("{} {count}", kind.word())).collect();
        self.line(&format!("- What was verified of the active rules: {}", verified.join(", ")));
        self.line("");
        self.paragraph(&format!("> **Safety notice.** {}", cover.notice));
        self.heading(2, None, "Contents");
        for chapter in chapters {
            self.line(&format!("- [{}](#{})", escaped(&chapter.title), chapter.anchor.as_str()));
        }
        self.line("");
    }

    fn chapter(&mut self, chapter: &Chapter, level: usize) {
        self.heading(level, Some(&chapter.anchor), &chapter.title);
        if !chapter.lead.is_empty() {
            self.paragraph(&phrase(&chapter.lead));
        }
        for section in &chapter.sections {
            self.section(section, level.saturating_add(1));
        }
    }

    fn section(&mut self, section: &Section, level: usize) {
        self.heading(level, Some(&section.anchor), &section.title);
        for lead in section.lead.iter().map(|lead| phrase(lead)).filter(|lead| !lead.is_empty()) {
            self.paragraph(&lead);
        }
        for block in &section.blocks {
            match block {
                Block::Rule(entry) => self.rule(entry),
                Block::Definition(entry) => self.definition(entry),
                Block::ValueSet(set) => self.value_set(set),
                Block::Source(entry) => self.source(entry),
                Block::Hazard(entry) => self.hazard(entry, level.saturating_add(1)),
                Block::Table(table) => self.table(table),
                Block::Terms(terms) => {
                    for (term, meaning) in terms {
                        self.paragraph(&format!("**{term}.** {}", escaped(meaning)));
                    }
                }
            }
        }
    }

    fn fact(&mut self, label: &str, value: &str) {
        if !value.is_empty() {
            // Another marker than that of the tree: one list does not run into the other.
            self.line(&format!("* **{label}:** {value}"));
        }
    }

    fn rule(&mut self, entry: &RuleEntry) {
        self.heading(4, Some(&entry.anchor), &entry.title);
        let status = match entry.status {
            RuleStatus::Active => String::new(),
            other => format!(" · {}", status(other)),
        };
        self.paragraph(&format!(
            "**{}** {} · {}{status}",
            capitalized(entry.verb),
            phrase(&entry.object),
            code(&entry.id)
        ));
        self.paragraph(&format!("> {}", phrase(&entry.statement)));
        if !entry.filled_from.is_empty() {
            self.paragraph(&format!("Filled in from: {}", phrase(&entry.filled_from)));
        }
        self.paragraph("When:");
        self.tree(&entry.condition, 0);
        self.line("");
        let possible = phrase(&entry.possible);
        let possible = if possible.is_empty() { possible } else { format!(" It then reads: “{possible}”") };
        self.fact("Where unknown", &format!("{}{possible}", entry.unknown));
        self.fact("Asks", &escaped(&entry.ask));
        self.fact("Outranks", &list(&entry.outranks));
        self.fact("Outranked by", &list(&entry.outranked_by));
        for one in &entry.evidence {
            let link = one.url.as_ref().map_or_else(String::new, |link| format!(" {}", piece(link)));
            let (from, place) = (escaped(&one.from), escaped(&capitalized(&one.place)));
            self.fact("Evidence", &format!("{}. {from}. {place}.{link}", piece(&one.source)));
        }
        self.fact("Strength", &escaped(&entry.strength));
        let review = if entry.review_by.is_empty() {
            String::new()
        } else {
            format!(", review by {}", escaped(&entry.review_by))
        };
        self.fact("Verification", &format!("{}{review}", entry.verification.word()));
        if !entry.active_because.is_empty() {
            self.fact("Rests on unverified evidence, kept active because", &escaped(&entry.active_because));
        }
        self.fact("Parameters", &list(&entry.parameters));
        self.fact("Data used", &list(&entry.uses));
        self.fact("Data used by way of other rules or of what is in use", &list(&entry.uses_indirectly));
        self.fact("Follows brief", &list(&entry.follows));
        self.fact("Cases", &cases(&entry.cases));
        self.fact("Written in", &code(&entry.location));
        self.line("");
    }

    /// Definitions stay closed: each is a link to where it is written out.
    fn tree(&mut self, branch: &Branch, depth: usize) {
        let (mut words, mut at) = (String::new(), branch);
        while let (true, [only]) = (at.join.is_unary(), at.parts.as_slice()) {
            words.push_str(&format!("*{}* ", at.join.words()));
            at = only;
        }
        let set_by = if at.set_by.is_empty() { String::new() } else { format!(" ({})", list(&at.set_by)) };
        let said = match at.join {
            Join::Fact | Join::Named => phrase(&at.phrase),
            join => format!("*{}*", join.words()),
        };
        self.line(&format!("{}- {words}{said}{set_by}", "  ".repeat(depth)));
        if at.join != Join::Named {
            for part in &at.parts {
                self.tree(part, depth.saturating_add(1));
            }
        }
    }

    fn definition(&mut self, entry: &DefinitionEntry) {
        self.heading(4, Some(&entry.anchor), &capitalized(&entry.title));
        self.paragraph(&code(&entry.id));
        self.tree(&entry.condition, 0);
        self.line("");
        let used = if entry.used_by.is_empty() { "nothing names it".to_owned() } else { list(&entry.used_by) };
        self.paragraph(&format!("Used by: {used}"));
    }

    fn value_set(&mut self, set: &ValueSet) {
        self.line(&format!("<a id=\"{}\"></a>", set.anchor.as_str()));
        self.line("");
        self.line(&format!("<details><summary>{} {}</summary>", escaped(&capitalized(&set.title)), code(&set.id)));
        self.line("");
        for (system, codes) in &set.codes {
            let codes: Vec<String> = codes.iter().map(|one| escaped(one)).collect();
            self.fact(system, &codes.join(", "));
        }
        for (label, text) in &set.more {
            self.fact(label, &phrase(text));
        }
        let used = if set.used_by.is_empty() { "no rule directly".to_owned() } else { list(&set.used_by) };
        self.fact("Asked for by", &used);
        self.line("");
        self.paragraph("</details>");
    }

    fn source(&mut self, entry: &SourceEntry) {
        self.heading(4, Some(&entry.anchor), &entry.title);
        let link = entry.url.as_ref().map_or_else(String::new, |link| format!(" {}", piece(link)));
        self.paragraph(&format!("{}. {}{link}", escaped(&entry.from), code(&entry.id)));
        let cited = if entry.cited_by.is_empty() { "no rule".to_owned() } else { list(&entry.cited_by) };
        self.paragraph(&format!("Cited by: {cited}"));
    }

    fn hazard(&mut self, entry: &HazardEntry, level: usize) {
        self.heading(level, Some(&entry.anchor), &capitalized(&entry.title));
        self.paragraph(&code(&entry.id));
        self.fact("Cause", &escaped(&entry.cause));
        self.fact("Harm", &format!("{} Worst: {}.", escaped(&entry.harm), entry.severity));
        for (control, proofs) in &entry.controls {
            let proofs: Vec<String> = proofs.iter().map(|(what, proof)| format!("{what} {}", piece(proof))).collect();
            self.fact("Control", &format!("{} Proven by {}.", escaped(control), proofs.join(", ")));
        }
        self.fact("Residual risk", &escaped(&entry.residual));
        self.line("");
    }

    fn table(&mut self, table: &Table) {
        self.line(&format!("| {} |", table.head.join(" | ")));
        self.line(&format!("|{}", " --- |".repeat(table.head.len())));
        for row in &table.rows {
            let mut cells: Vec<String> = row.cells.iter().map(cell).collect();
            if let (Some(anchor), Some(first)) = (&row.anchor, cells.first_mut()) {
                first.insert_str(0, &format!("<a id=\"{}\"></a>", anchor.as_str()));
            }
            self.line(&format!("| {} |", cells.join(" | ")));
        }
        self.line("");
    }
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => phrase(text),
        Cell::List(pieces) => list(pieces),
    }
}

fn cases(cases: &CaseList) -> String {
    let total = cases.fires.len().saturating_add(cases.undecided.len()).saturating_add(cases.silent);
    if total == 0 {
        return "none were evaluated for this book".to_owned();
    }
    let many = |label: &str, pieces: &[Piece]| match pieces.len() {
        0 => format!("{label} in none"),
        some => format!("{label} in {some}: {}", list(pieces)),
    };
    format!(
        "of {}: {}; {}; silent in {}",
        count(total, "case"),
        many("fires", &cases.fires),
        many("undecided", &cases.undecided),
        cases.silent
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(escaped("<script>"), "&lt;script&gt;");
        assert_eq!(escaped("a|b [x](y) *z* _u_ `c` #1"), "a\\|b \\[x\\](y) \\*z\\* \\_u\\_ \\`c\\` \\#1");
        assert_eq!(escaped("1. one\n- two"), "1\\. one - two");
        assert_eq!(escaped("- two"), "\\- two");
        assert_eq!(escaped("see https://a.org: now"), "see https&#58;//a.org: now");
        assert_eq!(escaped("QTc 450-499"), "QTc 450-499");
        assert_eq!(url("https://a.org/<b> c|d"), "https://a.org/%3Cb%3E%20c%7Cd");
        assert_eq!(code("a`b<"), "<code>a\\`b&lt;</code>");
    }
}
