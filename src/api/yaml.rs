//! YAML to the same tree as JSON, by the core schema of YAML 1.2: quoted
//! scalars and dates stay strings, `no` is a word, and what YAML has beyond
//! JSON (aliases, tags, several documents, keys given twice) is refused.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput};
use serde_json::{Map, Number, Value};

/// Deepest nesting: a request has six levels.
const DEPTH: usize = 64;

/// A document, and where each of its keys is written.
#[derive(Debug)]
pub struct Yaml {
    /// The document as a tree.
    pub value: Value,
    /// Where each key is written.
    pub keys: Vec<(String, Place)>,
}

/// A line and a column, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// What is wrong, for people.
    pub message: String,
}

/// Reads one document.
///
/// # Errors
/// [`Fault`], with its place.
pub fn read(text: &str) -> Result<Yaml, Fault> {
    let mut reader = Reader { events: Parser::new_from_str(text), keys: Vec::new() };
    let value = loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
            Event::StreamEnd => break Value::Null,
            event => break reader.value(event, span, 0)?,
        }
    };
    loop {
        let (event, span) = match reader.events.next_event() {
            None => break,
            Some(next) => next.map_err(|error| scan(&error))?,
        };
        match event {
            Event::DocumentEnd | Event::Nothing => {}
            Event::StreamEnd => break,
            _ => return Err(fault(span, "one document only; send several as NDJSON")),
        }
    }
    Ok(Yaml { value, keys: reader.keys })
}

struct Reader<'input> {
    events: Parser<'input, StrInput<'input>>,
    keys: Vec<(String, Place)>,
}

impl<'input> Reader<'input> {
    fn next(&mut self) -> Result<(Event<'input>, Span), Fault> {
        match self.events.next_event() {
            Some(next) => next.map_err(|error| scan(&error)),
            None => Err(Fault { place: Place::default(), message: "the document ends too early".to_owned() }),
        }
    }

    fn value(&mut self, event: Event<'input>, span: Span, depth: usize) -> Result<Value, Fault> {
        if depth > DEPTH {
            return Err(fault(span, "nested too deep"));
        }
        match event {
            Event::Scalar(_, _, _, Some(_)) | Event::SequenceStart(_, Some(_)) | Event::MappingStart(_, Some(_)) => {
                Err(fault(span, "tags are not read here"))
            }
            Event::Scalar(text, style, _, None) => {
                scalar(&text, style == ScalarStyle::Plain).map_err(|message| fault(span, message))
            }
            Event::SequenceStart(_, None) => self.sequence(depth),
            Event::MappingStart(_, None) => self.mapping(depth),
            Event::Alias(_) => Err(fault(span, "aliases are not read here")),
            _ => Err(fault(span, "a value is expected")),
        }
    }

    fn sequence(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut entries = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(Value::Array(entries));
            }
            entries.push(self.value(event, span, depth.saturating_add(1))?);
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut map = Map::new();
        loop {
            let (event, span) = self.next()?;
            let key = match event {
                Event::MappingEnd => return Ok(Value::Object(map)),
                Event::Scalar(key, _, _, None) => key.into_owned(),
                _ => return Err(fault(span, "a key must be a plain word")),
            };
            if map.contains_key(&key) {
                return Err(fault(span, &format!("key `{key}` is given twice")));
            }
            self.keys.push((key.clone(), place(&span.start)));
            let (event, span) = self.next()?;
            let value = self.value(event, span, depth.saturating_add(1))?;
            map.insert(key, value);
        }
    }
}

/// A scalar as the tree has it; `plain` is one without quotes.
///
/// # Errors
/// What JSON has no word for.
pub fn scalar(text: &str, plain: bool) -> Result<Value, &'static str> {
    if !plain {
        return Ok(Value::String(text.to_owned()));
    }
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Err("not a number"),
        _ if is_infinity(text) => return Err("not a finite number"),
        _ => match number(text) {
            Some(number) => Value::Number(number),
            None => Value::String(text.to_owned()),
        },
    })
}

fn is_infinity(text: &str) -> bool {
    let bare = text.strip_prefix(['-', '+']).unwrap_or(text);
    matches!(bare, ".inf" | ".Inf" | ".INF")
}

fn number(text: &str) -> Option<Number> {
    let radix = |digits: &str, radix| {
        let plain = digits.chars().all(|digit| digit.is_digit(radix));
        plain.then(|| u64::from_str_radix(digits, radix).ok()).flatten().map(Number::from)
    };
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let bare = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match bare.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (bare, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_fits = digits(whole) && digits(part) && !(whole.is_empty() && part.is_empty());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let bare = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !bare.is_empty() && digits(bare)
    });
    if !mantissa_fits || !exponent_fits {
        return None;
    }
    if mantissa == whole && exponent.is_none() {
        let plain = text.strip_prefix('+').unwrap_or(text);
        if let Ok(number) = plain.parse::<i64>() {
            return Some(number.into());
        }
    }
    text.parse().ok().and_then(Number::from_f64)
}

fn place(marker: &Marker) -> Place {
    Place { line: marker.line(), column: marker.col().saturating_add(1) }
}

fn fault(span: Span, message: &str) -> Fault {
    Fault { place: place(&span.start), message: message.to_owned() }
}

fn scan(error: &ScanError) -> Fault {
    Fault { place: place(error.marker()), message: error.info().to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        let text = "date: 2026-06-01\nno: no\ncode: '596'\nage: 28\nqtc: 1.50\nsci: 1e3\nhex: 0x1F\nicd: F11.20\n\
                    oddity: 1_000\nempty:\nyes: true\nlist: [a, -2, \"3\"]\n";
        let expected = json!({
            "date": "2026-06-01", "no": "no", "code": "596", "age": 28, "qtc": 1.5, "sci": 1000.0, "hex": 31,
            "icd": "F11.20", "oddity": "1_000", "empty": null, "yes": true, "list": ["a", -2, "3"],
        });
        assert_eq!(read(text).unwrap().value, expected);
    }

    #[test]
    fn what_json_has_not_is_refused_with_its_place() {
        for (text, line, column) in [
            ("a: &x 1\nb: *x\n", 2, 4),
            ("a: 1\na: 2\n", 2, 1),
            ("a: !!str 1\n", 1, 10),
            ("a: 1\n---\nb: 2\n", 2, 1),
            ("a: .inf\n", 1, 4),
        ] {
            let fault = read(text).unwrap_err();
            assert_eq!(fault.place.line, line, "{text}: {fault:?}");
            assert!(fault.place.column.abs_diff(column) <= 6, "{text}: {fault:?}");
        }
    }

    #[test]
    fn keys_know_their_place() {
        let yaml = read("patient:\n  agee: 3\n").unwrap();
        assert_eq!(yaml.keys.last().unwrap(), &("agee".to_owned(), Place { line: 2, column: 3 }));
    }
}
