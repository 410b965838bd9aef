//! Diagnostics: where something is wrong in a rules package, what, and what to
//! write instead.

pub mod codes;
mod render;
mod sarif;

use serde::Serialize;

pub use render::{in_order, render, render_first, to_json};
pub use sarif::to_sarif;

/// A place in a file of a package: bytes `start..end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Span {
    /// Index of the file.
    pub file: u32,
    /// First byte.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
}

impl Span {
    /// Does the other place lie in this one?
    #[must_use]
    pub fn holds(self, other: Self) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }
}

/// The files of a package, by name, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    files: Vec<(String, String)>,
    /// First bytes of the lines of each.
    lines: Vec<Vec<usize>>,
}

impl Files {
    /// Files from names and texts, put in order by name.
    #[must_use]
    pub fn new(mut files: Vec<(String, String)>) -> Self {
        files.sort();
        let starts = |text: &str| std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let lines = files.iter().map(|(_, text)| starts(text)).collect();
        Self { files, lines }
    }

    /// These files, followed by others below a folder of their own name.
    #[must_use]
    pub fn followed_by(mut self, folder: &str, others: Self) -> Self {
        self.files.extend(others.files.into_iter().map(|(name, text)| (format!("{folder}/{name}"), text)));
        self.lines.extend(others.lines);
        self
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.files.len()
    }

    /// Index, name and text of each.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &str, &str)> {
        (0..).zip(&self.files).map(|(index, (name, text))| (index, name.as_str(), text.as_str()))
    }

    /// Name and text of one.
    #[must_use]
    pub fn get(&self, file: u32) -> Option<(&str, &str)> {
        let (name, text) = self.files.get(file as usize)?;
        Some((name, text))
    }

    /// `file:line` of a place.
    #[must_use]
    pub fn line(&self, span: Span) -> String {
        self.position(span).map_or_else(String::new, |(name, line, _)| format!("{name}:{line}"))
    }

    /// File name, line and column, counted from one.
    #[must_use]
    pub fn position(&self, span: Span) -> Option<(&str, usize, usize)> {
        let (name, text) = self.get(span.file)?;
        let at = text.floor_char_boundary(span.start as usize);
        let starts = self.lines.get(span.file as usize)?;
        let line = starts.partition_point(|start| *start <= at);
        let start = *starts.get(line.checked_sub(1)?)?;
        let column = text.get(start..at)?.chars().count() + 1;
        Some((name, line, column))
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The package can't be used.
    Error,
    /// It can, and someone should look.
    Warning,
}

/// Something that is wrong at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub level: Level,
    /// Stable code: `unknown-key`.
    pub code: &'static str,
    /// What is wrong: lower case, no final period.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What the place is, said beside it.
    pub label: String,
    /// Other places that belong to it.
    pub related: Vec<(Span, String)>,
    /// What to write instead.
    pub help: Option<String>,
    /// A patient that shows it: a request in the JSON of the API.
    pub example: Option<serde_json::Value>,
}

impl Diagnostic {
    /// An error at a place.
    #[must_use]
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            code,
            message: message.into(),
            span,
            label: String::new(),
            related: Vec::new(),
            help: None,
            example: None,
        }
    }

    /// A warning at a place.
    #[must_use]
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::error(code, span, message) }
    }

    /// With words beside the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// With another place.
    #[must_use]
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    /// With a patient that shows it, where there is one.
    #[must_use]
    pub fn example(mut self, example: Option<serde_json::Value>) -> Self {
        self.example = example;
        self
    }

    /// With what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The known word that someone most likely meant, if any is near.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.84)
        .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(a.1)))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let files = Files::new(vec![("a.yaml".into(), "é: 1\nbé: 2\n".into())]);
        let span = Span { file: 0, start: 9, end: 10 };
        assert_eq!(files.position(span), Some(("a.yaml", 2, 3)));
    }

    /// As the fuzzer found it.
    #[test]
    fn a_span_that_splits_a_character_is_shown() {
        let files = Files::new(vec![("a.yaml".into(), "a: \u{1a1}D915\n".into())]);
        for (start, end) in [(0, 4), (4, 5), (4, 4), (3, 99), (98, 99)] {
            let span = Span { file: 0, start, end };
            let diagnostic = Diagnostic::error("parse", span, "no");
            let shown = render_first(std::slice::from_ref(&diagnostic), &files, false, 1);
            assert!(shown.contains("a.yaml"), "{shown}");
            assert!(files.position(span).is_some());
        }
    }

    #[test]
    fn the_nearest_word_is_suggested_and_a_far_one_is_not() {
        let known = ["contraindicate", "consider", "caution"];
        assert_eq!(nearest("contraindicates", known), Some("contraindicate"));
        assert_eq!(nearest("zebra", known), None);
    }
}
