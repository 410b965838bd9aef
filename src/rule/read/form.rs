//! Typed reading of a document: maps with known keys, texts with parameters
//! put in, words of a fixed list. Every fault is kept, and reading goes on.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::clinical::date::Length;
use crate::diag::{Diagnostic, Span, nearest};
use crate::rule::model::{Name, Parameter, Spanned};
use crate::rule::shape::Shape;
use crate::rule::yaml::{Key, Kind, Node};

/// Faults up to which what was meant is looked for.
const SUGGESTED: usize = 200;

/// A number of a package: up to a billion, with nine decimal places at most, so
/// that no sum, product or quotient of two of them overflows.
pub fn decimal(text: &str) -> Option<Decimal> {
    let number: Decimal = text.parse().ok()?;
    (number.abs() <= Decimal::from(1_000_000_000) && number.normalize().scale() <= 9).then_some(number)
}

/// What reading needs to know, and the faults it finds.
#[derive(Default)]
pub struct Reader {
    /// Parameters by name, with the values in force.
    pub parameters: BTreeMap<String, Parameter>,
    /// Where the value of a parameter was put in.
    pub uses: Vec<(String, Span)>,
    /// Faults.
    pub faults: Vec<Diagnostic>,
}

/// A map that is being read: the keys taken so far.
pub struct Form<'a> {
    /// Where it is written.
    pub span: Span,
    /// What it may hold.
    pub shape: &'static Shape,
    entries: &'a [(Key, Node)],
    taken: Vec<&'a str>,
}

impl<'a> Form<'a> {
    /// The value of a key, marked as known.
    pub fn take(&mut self, key: &'static str) -> Option<&'a Node> {
        self.taken.push(key);
        self.entries.iter().find(|(known, _)| known.text == key).map(|(_, node)| node)
    }

    /// Is the key there? Does not mark it.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(known, _)| known.text == key)
    }

    /// The keys as written.
    pub fn keys(&self) -> impl Iterator<Item = &'a Key> {
        self.entries.iter().map(|(key, _)| key)
    }

    /// Names every key that the shape doesn't have or nothing took.
    pub fn finish(self, reader: &mut Reader) {
        for (key, _) in self.entries {
            if self.shape.key(&key.text).is_some() && self.taken.contains(&key.text.as_str()) {
                continue;
            }
            let message = format!("{} has no key `{}`", self.shape.what, key.text);
            let fault = Diagnostic::error("unknown-key", key.span, message);
            let mut known = self.taken.clone();
            known.sort_unstable();
            known.dedup();
            reader.faults.push(match nearest(&key.text, known.iter().copied()) {
                Some(near) => fault.label("not a key here").help(format!("did you mean `{near}`?")),
                None => fault.label("not a key here").help(format!("known keys: {}", known.join(", "))),
            });
        }
    }
}

impl Reader {
    /// Makes parameters known.
    pub fn declare(&mut self, parameters: &[Parameter]) {
        self.parameters = parameters.iter().map(|parameter| (parameter.id.value.clone(), parameter.clone())).collect();
    }

    /// Records a fault.
    pub fn fault(&mut self, fault: Diagnostic) {
        self.faults.push(fault);
    }

    /// Reads a map.
    pub fn form<'a>(&mut self, node: &'a Node, shape: &'static Shape) -> Option<Form<'a>> {
        match &node.kind {
            Kind::Map(entries) => Some(Form { span: node.span, shape, entries, taken: Vec::new() }),
            _ => {
                self.shape(node, &format!("{} is a map of keys", shape.what));
                None
            }
        }
    }

    /// Reads a list.
    pub fn list<'a>(&mut self, node: &'a Node, what: &str) -> &'a [Node] {
        match &node.kind {
            Kind::List(items) => items,
            _ => {
                self.shape(node, &format!("{what} is a list"));
                &[]
            }
        }
    }

    /// Says that a node is of another sort than it should be.
    pub fn shape(&mut self, node: &Node, should: &str) {
        let message = format!("{should}, and this is {}", node.sort());
        self.fault(Diagnostic::error("wrong-shape", node.span, message));
    }

    /// Reads text; `$name` alone stands for the parameter's value.
    pub fn text(&mut self, node: &Node) -> Option<Spanned<String>> {
        let Kind::Scalar(text) = &node.kind else {
            self.shape(node, "text is meant here");
            return None;
        };
        let Some(name) = text.strip_prefix('$') else {
            return Some(Spanned::new(text.clone(), node.span));
        };
        if let Some(parameter) = self.parameters.get(name) {
            let value = parameter.value.clone();
            self.uses.push((name.to_owned(), node.span));
            return Some(Spanned::new(value, node.span));
        }
        self.unknown_parameter(name, node.span);
        None
    }

    /// Reads text that must not be empty.
    pub fn words(&mut self, node: &Node) -> Option<String> {
        let text = self.text(node)?;
        if text.trim().is_empty() {
            self.fault(Diagnostic::error("empty-text", node.span, "text is missing here"));
            return None;
        }
        self.filled(&text)
    }

    /// Puts in the values of parameters written `{$name}`. What a value holds is
    /// not looked at again: it could name itself.
    fn filled(&mut self, text: &Spanned<String>) -> Option<String> {
        let mut filled = String::new();
        let mut rest = text.value.as_str();
        while let Some((before, after)) = rest.split_once("{$") {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            let Some(parameter) = self.parameters.get(name) else {
                self.unknown_parameter(name, text.span);
                return None;
            };
            let value = parameter.value.clone();
            self.uses.push((name.to_owned(), text.span));
            filled.push_str(before);
            filled.push_str(&value);
            rest = after;
        }
        filled.push_str(rest);
        Some(filled)
    }

    /// Says that no parameter has the name.
    pub fn unknown_parameter(&mut self, name: &str, span: Span) {
        // To look for what is near takes all names: not for every one of many.
        let known = if self.faults.len() < SUGGESTED { &self.parameters } else { &BTreeMap::new() };
        let help = match nearest(name, known.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `${near}`?"),
            None => "declare it under `parameters`".to_owned(),
        };
        let fault = Diagnostic::error("unknown-parameter", span, format!("no parameter `{name}` is declared"));
        self.fault(fault.help(help));
    }

    /// Reads an id or a reference: lower-case words joined by hyphens.
    pub fn name(&mut self, node: &Node) -> Option<Name> {
        let text = self.text(node)?;
        if is_name(&text) {
            return Some(text);
        }
        let fault = Diagnostic::error("malformed-id", node.span, format!("`{}` is not an id", text.value));
        self.fault(fault.help("ids are lower-case words joined by hyphens: `qtc-interval`"));
        None
    }

    /// Reads one name or a list of names.
    pub fn names(&mut self, node: &Node) -> Vec<Name> {
        match &node.kind {
            Kind::List(items) => {
                if items.is_empty() {
                    self.fault(Diagnostic::error("empty-list", node.span, "the list names nothing"));
                }
                items.iter().filter_map(|item| self.name(item)).collect()
            }
            _ => self.name(node).into_iter().collect(),
        }
    }

    /// Reads a list of texts.
    pub fn texts(&mut self, node: &Node, what: &str) -> Vec<Spanned<String>> {
        self.list(node, what).iter().filter_map(|item| self.text(item)).collect()
    }

    /// Reads a word of a fixed list.
    pub fn word<T: Copy>(&mut self, node: &Node, what: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(node)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text.value) {
            return Some(*value);
        }
        let fault = Diagnostic::error("unknown-word", node.span, format!("`{}` is not {what}", text.value));
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        self.fault(match nearest(&text, known.iter().copied()) {
            Some(near) => fault.help(format!("did you mean `{near}`? known: {}", known.join(", "))),
            None => fault.help(format!("known: {}", known.join(", "))),
        });
        None
    }

    /// Reads one word or a list of words of a fixed list.
    pub fn some_words<T: Copy>(&mut self, node: &Node, what: &str, words: &[(&str, T)]) -> Vec<T> {
        match &node.kind {
            Kind::List(items) => {
                if items.is_empty() {
                    self.fault(Diagnostic::error("empty-list", node.span, "the list holds nothing"));
                }
                items.iter().filter_map(|item| self.word(item, what, words)).collect()
            }
            _ => self.word(node, what, words).into_iter().collect(),
        }
    }

    /// Reads `true` or `false`.
    pub fn boolean(&mut self, node: &Node) -> Option<bool> {
        self.word(node, "true or false", &[("true", true), ("false", false)])
    }

    /// Reads a length of time.
    pub fn length(&mut self, node: &Node) -> Option<Length> {
        let text = self.text(node)?;
        let length = Length::parse(&text);
        if length.is_none() {
            let fault =
                Diagnostic::error("malformed-length", node.span, format!("`{}` is not a length of time", text.value));
            self.fault(fault.help("write a number and hours, days, weeks, months or years: `28 days`"));
        }
        length
    }

    /// A key that must be there.
    pub fn required<'a>(&mut self, form: &mut Form<'a>, key: &'static str) -> Option<&'a Node> {
        let node = form.take(key);
        if node.is_none() {
            let message = format!("{} has no `{key}`", form.shape.what);
            self.fault(Diagnostic::error("missing-key", form.span, message).help(format!("add `{key}: …`")));
        }
        node
    }

    /// Text of a key that must be there.
    pub fn required_words(&mut self, form: &mut Form<'_>, key: &'static str) -> Option<String> {
        let node = self.required(form, key)?;
        self.words(node)
    }

    /// Text of a key that may be there.
    pub fn optional_words(&mut self, form: &mut Form<'_>, key: &'static str) -> Option<String> {
        let node = form.take(key)?;
        self.words(node)
    }
}

/// Is the text lower-case ASCII words joined by hyphens? (Parameters and
/// substances may join theirs with underscores or spaces; they are read as text.)
#[must_use]
pub fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 100
        && text
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}
