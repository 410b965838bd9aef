//! Lines of a page: wrapped, indented, and painted on a terminal only.

/// What a word is painted as. It says nothing that the word does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Bold,
    Dim,
    Danger,
    Care,
    Good,
}

impl Paint {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Bold => Some("1"),
            Self::Dim => Some("2"),
            Self::Danger => Some("1;31"),
            Self::Care => Some("33"),
            Self::Good => Some("32"),
        }
    }
}

/// A page as it grows.
pub(super) struct Sheet {
    text: String,
    width: usize,
    color: bool,
}

impl Sheet {
    pub(super) fn new(width: usize, color: bool) -> Self {
        // Narrower than this, wrapping would break every word.
        Self { text: String::new(), width: width.max(40), color }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A heading of a section, with a blank line above.
    pub(super) fn heading(&mut self, text: &str) {
        self.blank();
        self.tagged(0, text, Paint::Bold, "");
    }

    /// Wrapped text at an indent.
    pub(super) fn lines(&mut self, indent: usize, text: &str) {
        self.tagged(indent, "", Paint::Plain, text);
    }

    /// A tagged text with its basis after a dash, the basis dim.
    pub(super) fn noted(&mut self, indent: usize, tag: &str, paint: Paint, text: &str, basis: &str) {
        self.spans(indent, (tag, paint), &[("", Paint::Plain, text), (dash(basis), Paint::Dim, basis)]);
    }

    /// The same with a title, bold, before the text.
    pub(super) fn titled(&mut self, tag: (&str, Paint), title: &str, text: &str, basis: &str) {
        let spans = [("", Paint::Bold, title), ("", Paint::Plain, text), (dash(basis), Paint::Dim, basis)];
        self.spans(2, tag, &spans);
    }

    /// Lines so far.
    pub(super) fn height(&self) -> usize {
        self.text.lines().count()
    }

    /// A sheet of the same width and paint to try things on.
    pub(super) fn scratch(&self) -> Self {
        Self { text: String::new(), width: self.width, color: self.color }
    }

    /// The other sheet below this one.
    pub(super) fn append(&mut self, other: &Self) {
        self.text.push_str(&other.text);
    }

    /// Wrapped text, dim: to look up, not to read.
    pub(super) fn dim(&mut self, indent: usize, text: &str) {
        self.spans(indent, ("", Paint::Plain), &[("", Paint::Dim, text)]);
    }

    /// `label: text`, where there is text.
    pub(super) fn labeled(&mut self, indent: usize, label: &str, text: &str) {
        if !text.is_empty() {
            self.tagged(indent, &format!("{label}:"), Paint::Plain, text);
        }
    }

    /// A tag, painted, with text after it; further lines are indented by two more.
    pub(super) fn tagged(&mut self, indent: usize, tag: &str, paint: Paint, text: &str) {
        self.spans(indent, (tag, paint), &[("", Paint::Plain, text)]);
    }

    /// A tag and texts, each with its paint, and a sign before each that is not empty.
    fn spans(&mut self, indent: usize, (tag, paint): (&str, Paint), spans: &[(&str, Paint, &str)]) {
        let hanging = if tag.is_empty() { indent } else { indent.saturating_add(2) };
        let mut line = " ".repeat(indent);
        line.push_str(&self.painted(tag, paint));
        let mut used = indent.saturating_add(tag.chars().count());
        let mut fresh = tag.is_empty();
        let said = spans.iter().filter(|(_, _, text)| !text.is_empty());
        let words = said.flat_map(|(sign, paint, text)| {
            let sign = (!sign.is_empty()).then_some(*sign);
            sign.into_iter().chain(text.split_whitespace()).map(move |word| (word, *paint))
        });
        for (word, paint) in words {
            let length = word.chars().count();
            let needed = used.saturating_add(length).saturating_add(usize::from(!fresh));
            if needed > self.width && !fresh {
                self.push(&line);
                line = " ".repeat(hanging);
                used = hanging;
                fresh = true;
            }
            if !fresh {
                line.push(' ');
                used = used.saturating_add(1);
            }
            line.push_str(&self.painted(word, paint));
            used = used.saturating_add(length);
            fresh = false;
        }
        self.push(&line);
    }

    fn push(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn painted(&self, text: &str, paint: Paint) -> String {
        match paint.code() {
            Some(code) if self.color && !text.is_empty() => {
                format!("\u{1b}[{code}m{text}\u{1b}[0m")
            }
            _ => text.to_owned(),
        }
    }
}

/// Bare numbers of sources need no dash before them.
fn dash(basis: &str) -> &'static str {
    if basis.starts_with('[') { "" } else { "—" }
}
