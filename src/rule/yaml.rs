//! YAML as a tree that knows where everything is written.
//!
//! A plain subset on purpose: one document a file, text scalars (a code such as
//! `6E40` or `00054017613` stays what it is), no anchors, aliases or tags, so
//! that no file can grow when it is read.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use crate::diag::{Diagnostic, Span};

/// Deepest nesting of a file; conditions of people stay far below.
pub const MAX_DEPTH: usize = 48;

/// Largest file, in bytes.
pub const MAX_FILE_BYTES: usize = 4 * 1024 * 1024;

/// A part of a document.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it is written.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
    /// Written without quotes, so that it may mean a number where one can stand.
    pub plain: bool,
}

/// What a part of a document is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Text.
    Scalar(String),
    /// A list.
    List(Vec<Node>),
    /// Keys (always scalars) with their values.
    Map(Vec<(Key, Node)>),
}

/// A key of a map.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its text.
    pub text: String,
    /// Where it is written.
    pub span: Span,
}

impl Node {
    fn group(span: Span, kind: Kind) -> Self {
        Self { span, kind, plain: false }
    }

    /// Words for what it is.
    #[must_use]
    pub fn sort(&self) -> &'static str {
        match self.kind {
            Kind::Scalar(_) => "a value",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }
}

/// Reads a file. `None`, with at least one diagnostic, where it is not a
/// document of the subset; an empty file is an empty map.
pub fn read(file: u32, text: &str, sink: &mut Vec<Diagnostic>) -> Option<Node> {
    let whole = Span { file, start: 0, end: 0 };
    if text.len() > MAX_FILE_BYTES {
        let message = format!("the file is larger than {MAX_FILE_BYTES} bytes");
        sink.push(
            Diagnostic::error("file-too-large", whole, message)
                .help("split it: the file a rule stands in means nothing"),
        );
        return None;
    }
    let mut builder = Builder { file, bytes: ByteIndex::new(text), open: Vec::new(), root: None, sink };
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => {
                if builder.event(event, span).is_err() {
                    return None;
                }
            }
            // The parser looks ahead, and so meets its own limit first.
            Err(error) if error.info().contains("recursion limit") => {
                let at = builder.bytes.at(error.marker());
                let _ = builder.too_deep(Span { file, start: at, end: at.saturating_add(1) });
                return None;
            }
            Err(error) => {
                let at = builder.bytes.at(error.marker());
                let span = Span { file, start: at, end: at.saturating_add(1) };
                builder.sink.push(
                    Diagnostic::error("yaml", span, format!("not YAML: {}", error.info())).help(
                        "check the indentation, and quote text that holds `: ` or begins with a special character",
                    ),
                );
                return None;
            }
        }
    }
    Some(builder.root.unwrap_or(Node::group(whole, Kind::Map(Vec::new()))))
}

/// Byte offsets of character offsets; the parser counts characters.
struct ByteIndex {
    offsets: Option<Vec<u32>>,
}

impl ByteIndex {
    fn new(text: &str) -> Self {
        let offsets = (!text.is_ascii()).then(|| {
            let ends = std::iter::once(text.len());
            text.char_indices().map(|(at, _)| at).chain(ends).map(|at| u32::try_from(at).unwrap_or(u32::MAX)).collect()
        });
        Self { offsets }
    }

    fn at(&self, marker: &Marker) -> u32 {
        match &self.offsets {
            None => u32::try_from(marker.index()).unwrap_or(u32::MAX),
            Some(offsets) => offsets.get(marker.index()).or(offsets.last()).copied().unwrap_or(0),
        }
    }
}

enum Open {
    List(u32, Vec<Node>),
    Map(u32, OpenMap),
}

/// A map whose end has not come: what it holds, the key that waits for its
/// value, and where each key stands.
#[derive(Default)]
struct OpenMap {
    entries: Vec<(Key, Node)>,
    key: Option<Key>,
    places: HashMap<String, Span>,
}

struct Builder<'a> {
    file: u32,
    bytes: ByteIndex,
    open: Vec<Open>,
    root: Option<Node>,
    sink: &'a mut Vec<Diagnostic>,
}

struct Stop;

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, span: saphyr_parser::Span) -> Result<(), Stop> {
        let (start, end) = (self.bytes.at(&span.start), self.bytes.at(&span.end));
        let span = Span { file: self.file, start, end };
        match event {
            Event::Alias(_) => {
                self.refuse("yaml-alias", span, "an alias has no place here", "write the part out where it is used")
            }
            Event::Scalar(_, _, anchor, tag) | Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag)
                if anchor > 0 || tag.is_some() =>
            {
                self.refuse(
                    "yaml-anchor",
                    span,
                    "anchors and tags have no place here",
                    "write the part out where it is used",
                )
            }
            Event::Scalar(text, style, ..) => {
                self.scalar(&text, style == ScalarStyle::Plain, span);
                Ok(())
            }
            Event::SequenceStart(..) => self.push(Open::List(start, Vec::new()), span),
            Event::MappingStart(..) => self.push(Open::Map(start, OpenMap::default()), span),
            Event::SequenceEnd | Event::MappingEnd => self.close(end),
            Event::DocumentStart(_) if self.root.is_some() => {
                self.refuse("yaml-documents", span, "a second document in the file", "put it into a file of its own")
            }
            _ => Ok(()),
        }
    }

    fn refuse(&mut self, code: &'static str, span: Span, message: &str, help: &str) -> Result<(), Stop> {
        self.sink.push(Diagnostic::error(code, span, message).help(help));
        Err(Stop)
    }

    fn too_deep(&mut self, span: Span) -> Result<(), Stop> {
        let message = format!("nested deeper than {MAX_DEPTH} levels");
        self.refuse("yaml-depth", span, &message, "name the inner condition as a definition")
    }

    fn push(&mut self, open: Open, span: Span) -> Result<(), Stop> {
        if self.open.len() >= MAX_DEPTH {
            return self.too_deep(span);
        }
        if let Some(Open::Map(_, OpenMap { key: None, .. })) = self.open.last() {
            return self.refuse("yaml-key", span, "a key must be a word", "lists and maps can't be keys");
        }
        self.open.push(open);
        Ok(())
    }

    fn scalar(&mut self, text: &str, plain: bool, span: Span) {
        if let Some(Open::Map(_, OpenMap { key: key @ None, places, .. })) = self.open.last_mut() {
            if let Some(first) = places.get(text).copied() {
                self.sink.push(
                    Diagnostic::error("duplicate-key", span, format!("the key `{text}` stands twice in one map"))
                        .label("again here")
                        .related(first, "first here")
                        .help(
                            "a YAML map keeps one value a key: remove one, or put both conditions into an `all` list",
                        ),
                );
            }
            places.entry(text.to_owned()).or_insert(span);
            *key = Some(Key { text: text.to_owned(), span });
            return;
        }
        self.attach(Node { span, kind: Kind::Scalar(text.to_owned()), plain });
    }

    fn close(&mut self, end: u32) -> Result<(), Stop> {
        let node = match self.open.pop() {
            Some(Open::List(start, items)) => {
                let end = items.last().map_or(end, |last| last.span.end.max(start));
                Node::group(Span { file: self.file, start, end }, Kind::List(items))
            }
            Some(Open::Map(start, OpenMap { entries, .. })) => {
                let end = entries.last().map_or(end, |(_, last)| last.span.end.max(start));
                Node::group(Span { file: self.file, start, end }, Kind::Map(entries))
            }
            None => return Err(Stop),
        };
        self.attach(node);
        Ok(())
    }

    fn attach(&mut self, node: Node) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Map(_, OpenMap { entries, key, .. })) => {
                if let Some(key) = key.take() {
                    entries.push((key, node));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<&'static str> {
        let mut sink = Vec::new();
        let _ = read(0, text, &mut sink);
        sink.into_iter().map(|diagnostic| diagnostic.code).collect()
    }

    #[test]
    fn codes_stay_text() {
        let mut sink = Vec::new();
        let node = read(0, "a: [6E40, 00054017613, yes, ~]", &mut sink).unwrap();
        let Kind::Map(entries) = node.kind else { panic!("a map") };
        let Kind::List(items) = &entries[0].1.kind else { panic!("a list") };
        let texts: Vec<_> = items
            .iter()
            .map(|item| match &item.kind {
                Kind::Scalar(text) => text.as_str(),
                _ => panic!("a scalar"),
            })
            .collect();
        assert_eq!(texts, ["6E40", "00054017613", "yes", "~"]);
    }

    #[test]
    fn what_could_grow_or_hide_is_refused() {
        assert_eq!(codes("a: &x 1\nb: *x"), ["yaml-anchor"]);
        assert_eq!(codes("a: !!str 1"), ["yaml-anchor"]);
        assert_eq!(codes("a: 1\na: 2"), ["duplicate-key"]);
        assert_eq!(codes("a: 1\n---\nb: 2"), ["yaml-documents"]);
        assert_eq!(codes(&"[".repeat(60)), ["yaml-depth"]);
        assert_eq!(codes(&"[".repeat(1000)), ["yaml-depth"]);
        assert_eq!(codes("? [a]\n: 1"), ["yaml-key"]);
        assert_eq!(codes("a: b: c"), ["yaml"]);
        assert!(codes("").is_empty());
    }

    #[test]
    fn spans_count_bytes() {
        let mut sink = Vec::new();
        let text = "é: ü\nkey: value\n";
        let Kind::Map(entries) = read(0, text, &mut sink).unwrap().kind else { panic!("a map") };
        let span = entries[1].1.span;
        assert_eq!(text.get(span.start as usize..span.end as usize), Some("value"));
    }
}
