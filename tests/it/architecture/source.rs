//! Rust sources as far as the architecture test needs them: tokens without comments, the parts that only tests
//! compile, and the paths that are named.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A token of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A word: a name or a keyword.
    Word(String),
    /// One character of punctuation; `::` is one token, [`PATH`].
    Mark(char),
    /// Text, number, character or lifetime; only the text of a string is kept.
    Literal(String),
}

/// A token and its line, counted from one.
#[derive(Clone, Debug)]
pub struct Token {
    pub kind: Kind,
    pub line: usize,
}

impl Token {
    fn word(&self) -> Option<&str> {
        if let Kind::Word(word) = &self.kind { Some(word) } else { None }
    }

    fn is(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }
}

/// The mark of `::`.
const PATH: char = '\u{2237}';

/// A source file, its test parts taken out.
#[derive(Debug)]
pub struct Source {
    /// Path below `src/`, with `/`.
    pub name: String,
    /// Whole text.
    pub text: String,
    /// Lines that are not below `#[cfg(test)]`.
    pub lines: usize,
    /// Tokens that are not below `#[cfg(test)]`.
    pub tokens: Vec<Token>,
    /// Files that only tests compile, below `src/`.
    pub test_files: Vec<PathBuf>,
}

impl Source {
    /// Reads a text as the file `name`.
    pub fn new(name: &str, text: &str) -> Self {
        let all = tokens(text);
        let mut kept = Vec::new();
        let mut test_lines = 0;
        let mut test_files = Vec::new();
        let mut at = 0;
        while at < all.len() {
            if is_cfg_test(&all[at..]) {
                let end = item_end(&all, at);
                test_lines += all[end - 1].line - all[at].line + 1;
                test_files.extend(module_file(name, &all[at..end]));
                at = end;
            } else {
                kept.push(all[at].clone());
                at += 1;
            }
        }
        let lines = text.lines().count().saturating_sub(test_lines);
        Self { name: name.to_owned(), text: text.to_owned(), lines, tokens: kept, test_files }
    }

    /// First part of the path: `engine` of `engine/ground/time.rs`, `main.rs` of itself.
    pub fn room(&self) -> &str {
        self.name.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    /// Where the module stands: `["engine", "ground"]` of `engine/ground/mod.rs`.
    fn module(&self) -> Vec<String> {
        let stem = self.name.trim_end_matches(".rs");
        let stem = stem.strip_suffix("/mod").unwrap_or(stem);
        stem.split('/').filter(|part| !["lib", "main"].contains(part)).map(str::to_owned).collect()
    }

    /// Every path that is named, resolved from the root of the crate (`crate`, `engine`, `program`) or from an
    /// outer name (`std`, `fs`), with its line.
    pub fn paths(&self) -> Vec<(Vec<String>, usize)> {
        let mut found = Vec::new();
        let mut module = self.module();
        let mut closing: Vec<bool> = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            let token = &self.tokens[at];
            match &token.kind {
                Kind::Word(word) if word == "mod" && self.mark_at(at + 2, '{') => {
                    module.extend(self.tokens.get(at + 1).and_then(Token::word).map(str::to_owned));
                    closing.push(true);
                    at += 3;
                }
                Kind::Word(_) if at == 0 || !self.tokens[at - 1].is(PATH) => {
                    at = self.tree(at, &[], &module, &mut found);
                }
                Kind::Mark('{') => {
                    closing.push(false);
                    at += 1;
                }
                Kind::Mark('}') => {
                    if closing.pop() == Some(true) {
                        module.pop();
                    }
                    at += 1;
                }
                _ => at += 1,
            }
        }
        found
    }

    fn mark_at(&self, at: usize, mark: char) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is(mark))
    }

    /// Reads the path or tree of paths at `at`; returns the place after it.
    fn tree(&self, at: usize, prefix: &[String], module: &[String], found: &mut Vec<(Vec<String>, usize)>) -> usize {
        let mut path = prefix.to_vec();
        let mut next = at;
        while let Some(word) = self.tokens.get(next).and_then(Token::word) {
            step(&mut path, word, module);
            next += 1;
            if !self.mark_at(next, PATH) {
                break;
            }
            next += 1;
        }
        let line = self.tokens[at].line;
        let group = next > 0 && self.mark_at(next - 1, PATH) && self.mark_at(next, '{');
        if !group {
            if path.len() > 1 {
                found.push((path, line));
            }
            return next.max(at + 1);
        }
        next += 1;
        while next < self.tokens.len() && !self.mark_at(next, '}') {
            let is_word = self.tokens[next].word().is_some_and(|word| word != "as");
            next = if is_word { self.tree(next, &path, module, found) } else { next + 1 };
        }
        next + 1
    }
}

/// One more word of a path.
fn step(path: &mut Vec<String>, word: &str, module: &[String]) {
    let here = || std::iter::once("crate".to_owned()).chain(module.iter().cloned());
    match word {
        "self" if path.is_empty() => path.extend(here()),
        "super" if path.is_empty() => {
            path.extend(here());
            path.pop();
        }
        "super" => {
            path.pop();
        }
        "self" => {}
        // The library, from `main.rs`.
        "concord" if path.is_empty() => path.push("crate".to_owned()),
        other => path.push(other.trim_start_matches("r#").to_owned()),
    }
}

fn is_cfg_test(tokens: &[Token]) -> bool {
    let pattern = ["#", "[", "cfg", "(", "test", ")", "]"];
    tokens.len() >= pattern.len()
        && tokens.iter().zip(pattern).all(|(token, wanted)| match &token.kind {
            Kind::Word(word) => word == wanted,
            Kind::Mark(mark) => wanted.len() == 1 && wanted.starts_with(*mark),
            Kind::Literal(_) => false,
        })
}

/// The place after the item whose attributes begin at `at`: its `;` or the end of its braces.
fn item_end(tokens: &[Token], at: usize) -> usize {
    let mut depth = 0_i32;
    for (place, token) in tokens.iter().enumerate().skip(at) {
        match token.kind {
            Kind::Mark('(' | '[' | '{') => depth += 1,
            Kind::Mark(mark @ (')' | ']' | '}')) => {
                depth -= 1;
                if depth == 0 && mark == '}' {
                    return place + 1;
                }
            }
            Kind::Mark(';') if depth == 0 => return place + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// The file of `mod name;` among the tokens of an item.
fn module_file(name: &str, item: &[Token]) -> Option<PathBuf> {
    let at = item.iter().position(|token| token.word() == Some("mod"))?;
    if !item.get(at + 2)?.is(';') {
        return None;
    }
    let file = Path::new(name);
    let folder = file.parent()?;
    let stated = item[..at].windows(3).find(|three| three[0].word() == Some("path") && three[1].is('='));
    if let Some([.., Token { kind: Kind::Literal(path), .. }]) = stated {
        return Some(folder.join(path));
    }
    let own = if ["mod", "lib", "main"].contains(&file.file_stem()?.to_str()?) {
        folder.to_path_buf()
    } else {
        folder.join(file.file_stem()?)
    };
    Some(own.join(format!("{}.rs", item.get(at + 1)?.word()?)))
}

/// The files of a folder that end in `extension`, by name.
pub fn files(folder: &Path, extension: &str) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry of a folder").path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|ending| ending == extension) {
            found.insert(path);
        }
    }
    found
}

/// Tokens of a Rust text.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        let (end, kind) = token(&chars, at);
        found.extend(kind.map(|kind| Token { kind, line }));
        line += chars[at..end].iter().filter(|char| **char == '\n').count();
        at = end;
    }
    found
}

fn token(chars: &[char], at: usize) -> (usize, Option<Kind>) {
    let peek = |offset: usize| chars.get(at + offset).copied().unwrap_or('\0');
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    let first = chars[at];
    let hashes = |from: usize| chars[from..].iter().take_while(|char| **char == '#').count();
    match (first, peek(1)) {
        ('/', '/') => (find(chars, at, "\n"), None),
        ('/', '*') => (block_comment(chars, at), None),
        (':', ':') => (at + 2, Some(Kind::Mark(PATH))),
        ('"', _) => string(chars, at),
        ('b' | 'c', '"') => string(chars, at + 1),
        ('r', '"') => raw_string(chars, at + 1, 0),
        ('r', '#') if chars.get(at + 1 + hashes(at + 1)) == Some(&'"') => raw_string(chars, at + 1, hashes(at + 1)),
        ('b', 'r') if peek(2) == '"' => raw_string(chars, at + 2, 0),
        ('b', '\'') => (quoted_end(chars, at + 1, '\''), Some(Kind::Literal(String::new()))),
        ('\'', next) if next == '\\' || peek(2) == '\'' => {
            (quoted_end(chars, at, '\''), Some(Kind::Literal(String::new())))
        }
        ('\'', _) => {
            let word = chars[at + 1..].iter().take_while(|char| is_word(**char)).count();
            (at + 1 + word, Some(Kind::Literal(String::new())))
        }
        _ if is_word(first) => {
            let end = at + chars[at..].iter().take_while(|char| is_word(**char)).count();
            let word: String = chars[at..end].iter().collect();
            (end, Some(if first.is_ascii_digit() { Kind::Literal(word) } else { Kind::Word(word) }))
        }
        _ if first.is_whitespace() => (at + 1, None),
        _ => (at + 1, Some(Kind::Mark(first))),
    }
}

fn find(chars: &[char], from: usize, wanted: &str) -> usize {
    let wanted: Vec<char> = wanted.chars().collect();
    chars[from..].windows(wanted.len()).position(|part| part == wanted).map_or(chars.len(), |place| from + place)
}

fn block_comment(chars: &[char], at: usize) -> usize {
    let (mut depth, mut place) = (0, at);
    while place < chars.len() {
        match chars.get(place..place + 2) {
            Some(['/', '*']) => (depth, place) = (depth + 1, place + 2),
            Some(['*', '/']) => (depth, place) = (depth - 1, place + 2),
            _ => place += 1,
        }
        if depth == 0 {
            break;
        }
    }
    place
}

fn quoted_end(chars: &[char], at: usize, quote: char) -> usize {
    let mut place = at + 1;
    while place < chars.len() && chars[place] != quote {
        place += if chars[place] == '\\' { 2 } else { 1 };
    }
    (place + 1).min(chars.len())
}

fn string(chars: &[char], at: usize) -> (usize, Option<Kind>) {
    let end = quoted_end(chars, at, '"');
    (end, Some(Kind::Literal(chars[at + 1..end.saturating_sub(1).max(at + 1)].iter().collect())))
}

fn raw_string(chars: &[char], at: usize, hashes: usize) -> (usize, Option<Kind>) {
    let begin = at + hashes + 1;
    let end = find(chars, begin, &format!("\"{}", "#".repeat(hashes)));
    ((end + 1 + hashes).min(chars.len()), Some(Kind::Literal(chars[begin..end].iter().collect())))
}
