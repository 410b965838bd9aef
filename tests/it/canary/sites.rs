//! Every field of every request of the contract, by its path, and what is put into it. Walks the embedded descriptor,
//! so that a new field, message, method or service is reached without a change here, and writes the wire by itself, so
//! that what no client would send can be sent.

use std::collections::BTreeMap;

use concord::api::json::pool;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value};

use super::scan::{HEX_STEM, STEM};
use crate::protowire::{block, tag, varint};

/// A field of a request of a method, and how it is reached.
#[derive(Clone)]
pub struct Site {
    pub method: MethodDescriptor,
    path: Vec<FieldDescriptor>,
    pub field: FieldDescriptor,
    /// Which of all sites: its markers carry it.
    pub index: usize,
}

/// A request with a marker at one site.
pub struct Probe {
    /// What is done to the field.
    pub form: &'static str,
    /// What the service may not repeat, other than what begins with the stems: numbers and dates.
    pub marks: Vec<Mark>,
    /// Is there a marker in it that a search can find?
    pub searchable: bool,
    pub bytes: Vec<u8>,
}

/// A marker.
#[derive(Clone)]
pub enum Mark {
    /// Begins with one of the stems.
    Text(String),
    /// Parts of a date that no other field has: its fraction of a second, and its day.
    Date(Vec<String>),
    Whole(i64),
    Real(f64),
}

/// Forms that a string may have, as the rules of a field name them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    Words,
    Date,
    Instant,
    Code,
    Token,
    Opaque,
    ListName,
    Digest,
    FilePath,
}

pub fn methods() -> Vec<MethodDescriptor> {
    pool().unwrap().services().flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

pub fn path_of(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

/// Every site of every method.
pub fn sites() -> Vec<Site> {
    let mut sites = Vec::new();
    for method in methods() {
        let mut open = vec![(Vec::new(), method.input())];
        while let Some((path, message)) = open.pop() {
            for field in message.fields() {
                if let Kind::Message(inner) = field.kind() {
                    // A message that holds itself is entered once more, and not for ever.
                    let before = path.iter().filter(|one: &&FieldDescriptor| one.kind() == field.kind()).count();
                    if before < 2 {
                        let mut deeper = path.clone();
                        deeper.push(field.clone());
                        open.push((deeper, inner));
                    }
                }
                let index = sites.len();
                sites.push(Site { method: method.clone(), path: path.clone(), field, index });
            }
        }
    }
    sites
}

fn rule(field: &FieldDescriptor, name: &str) -> Option<Value> {
    let extension = pool().unwrap().get_extension_by_name("concord.v1.rules").unwrap();
    let options = field.options();
    let rules = options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())?;
    let rules: &DynamicMessage = rules.as_message()?;
    rules.has_field_by_name(name).then(|| rules.get_field_by_name(name).unwrap().into_owned())
}

pub fn format(field: &FieldDescriptor) -> Format {
    match rule(field, "format").and_then(|value| value.as_enum_number()).unwrap_or(0) {
        1 => Format::Date,
        2 => Format::Instant,
        3 => Format::Code,
        4 => Format::Token,
        5 => Format::Opaque,
        6 => Format::ListName,
        7 => Format::Digest,
        8 => Format::FilePath,
        _ => Format::Words,
    }
}

fn bound(field: &FieldDescriptor, name: &str) -> Option<f64> {
    rule(field, name).and_then(|value| value.as_f64())
}

// The wire.

pub fn varint_of(value: i64) -> Vec<u8> {
    varint(value.cast_unsigned())
}

/// A number in the wire form of its field.
fn number(field: &FieldDescriptor, value: f64) -> Vec<u8> {
    #[expect(clippy::cast_possible_truncation, reason = "numbers of markers are whole where fields are")]
    let whole = value as i64;
    match field.kind() {
        Kind::Double => [tag(field.number(), 1), value.to_le_bytes().to_vec()].concat(),
        #[expect(clippy::cast_possible_truncation, reason = "the field has no more")]
        Kind::Float => [tag(field.number(), 5), (value as f32).to_le_bytes().to_vec()].concat(),
        Kind::Fixed64 | Kind::Sfixed64 => [tag(field.number(), 1), whole.to_le_bytes().to_vec()].concat(),
        #[expect(clippy::cast_possible_truncation, reason = "the field has no more")]
        Kind::Fixed32 | Kind::Sfixed32 => [tag(field.number(), 5), (whole as i32).to_le_bytes().to_vec()].concat(),
        Kind::Sint32 | Kind::Sint64 => {
            [tag(field.number(), 0), varint(((whole << 1) ^ (whole >> 63)).cast_unsigned())].concat()
        }
        _ => [tag(field.number(), 0), varint_of(whole)].concat(),
    }
}

// Markers.

/// Text of a site and a form. Begins with [`STEM`].
fn text(index: usize, form: usize) -> String {
    format!("{STEM}{index:04}f{form:02}")
}

/// A moment that no other site has, as text, and the parts of it that a search finds.
fn moment(index: usize, years: usize) -> (String, Vec<String>) {
    let (year, month, day) = (years + index % 60, 1 + index % 12, 1 + index % 28);
    let (hour, minute, second) = (index % 24, (index * 7) % 60, (index * 11) % 60);
    let fraction = format!("71{index:04}893");
    let day = format!("{year:04}-{month:02}-{day:02}");
    let said = format!("{day}T{hour:02}:{minute:02}:{second:02}.{fraction}+02:00");
    let seconds = said.parse::<jiff::Timestamp>().unwrap().as_second();
    (said, vec![fraction, format!("{day}T{hour:02}:{minute:02}:{second:02}"), seconds.to_string()])
}

fn digest(index: usize) -> String {
    format!("{HEX_STEM}{index:04}{}", "0".repeat(64 - 4 - HEX_STEM.len()))
}

/// A whole number that no other site has; nine digits, so that it fits every kind.
fn whole(index: usize) -> i64 {
    907_350_000 + i64::try_from(index).unwrap()
}

/// The same with 63 bits, for fields that hold as many. Of others the lower half is left.
fn wide(index: usize) -> i64 {
    0x6b76_7a71_3778_0000 + i64::try_from(index).unwrap()
}

#[expect(clippy::cast_precision_loss, reason = "nine digits")]
fn real(index: usize) -> f64 {
    whole(index) as f64 + 0.847_13
}

/// Words that stand for values that must be real for a request to get anywhere: by the names of fields.
pub type Known = BTreeMap<&'static str, String>;

/// What a field holds where it is not the one that is marked.
fn plain(field: &FieldDescriptor, known: &Known) -> Vec<u8> {
    let at = field.number();
    if let Some(word) = known.get(field.name()) {
        return block(at, word.as_bytes());
    }
    match field.kind() {
        Kind::String => block(
            at,
            match format(field) {
                Format::Date | Format::Instant => "2020-01-01",
                Format::ListName => "diagnoses",
                Format::Digest => return Vec::new(),
                Format::FilePath => "file.yaml",
                _ => "word",
            }
            .as_bytes(),
        ),
        Kind::Bytes => block(at, b"word"),
        Kind::Message(inner) => block(at, &minimal(&inner, known, None)),
        _ => number(field, 1.0),
    }
}

/// The smallest message that breaks nothing, without one of its fields.
fn minimal(message: &MessageDescriptor, known: &Known, without: Option<&FieldDescriptor>) -> Vec<u8> {
    let required = message.fields().filter(|field| rule(field, "required").is_some() && Some(field) != without);
    required.flat_map(|field| plain(&field, known)).collect()
}

/// The smallest request of a method that breaks nothing.
pub fn smallest(method: &MethodDescriptor, known: &Known) -> Vec<u8> {
    minimal(&method.input(), known, None)
}

impl Site {
    /// `concord.v1.DecisionService/Evaluate patient.diagnoses[].text`
    pub fn name(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        for field in self.path.iter().chain([&self.field]) {
            parts.push(format!("{}{}", field.name(), if field.is_list() { "[]" } else { "" }));
        }
        format!("{} {}", path_of(&self.method).trim_start_matches('/'), parts.join("."))
    }

    /// A request with `content` in the message of the field, which is fine else.
    fn request(&self, content: &[u8], known: &Known) -> Vec<u8> {
        let mut bytes = [minimal(self.field.parent_message(), known, Some(&self.field)), content.to_vec()].concat();
        for field in self.path.iter().rev() {
            let rest = minimal(field.parent_message(), known, Some(field));
            bytes = [rest, block(field.number(), &bytes)].concat();
        }
        bytes
    }

    /// What the field may hold, marked where its form leaves room; and the marks.
    pub fn valid(&self) -> (Vec<u8>, Vec<Mark>) {
        let at = self.field.number();
        let marked = |text: String| (block(at, text.as_bytes()), vec![Mark::Text(text)]);
        let fits = |value: f64| {
            bound(&self.field, "minimum").is_none_or(|least| value >= least)
                && bound(&self.field, "maximum").is_none_or(|most| value <= most)
        };
        match self.field.kind() {
            Kind::String => match format(&self.field) {
                Format::ListName => (block(at, b"observations"), Vec::new()),
                Format::Digest => marked(digest(self.index)),
                Format::FilePath => marked(format!("{}.yaml", text(self.index, 0))),
                Format::Date => {
                    let (text, parts) = moment(self.index, 1901);
                    (block(at, text.as_bytes()), vec![Mark::Date(parts)])
                }
                Format::Instant => {
                    let (text, parts) = moment(self.index, 2131);
                    (block(at, text.as_bytes()), vec![Mark::Date(parts)])
                }
                _ => marked(text(self.index, 0)),
            },
            Kind::Bytes => marked(text(self.index, 0)),
            Kind::Message(inner) => (block(at, &minimal(&inner, &Known::new(), None)), Vec::new()),
            Kind::Enum(of) => (number(&self.field, f64::from(of.values().last().unwrap().number())), Vec::new()),
            Kind::Bool => (number(&self.field, 1.0), Vec::new()),
            Kind::Double | Kind::Float if fits(real(self.index)) => {
                (number(&self.field, real(self.index)), vec![Mark::Real(real(self.index))])
            }
            Kind::Int64 | Kind::Uint64 if fits(f64::MAX) && fits(f64::MIN) => {
                let value = wide(self.index);
                ([tag(at, 0), varint_of(value)].concat(), vec![Mark::Whole(value)])
            }
            #[expect(clippy::cast_precision_loss, reason = "nine digits")]
            _ if fits(whole(self.index) as f64) => {
                (number(&self.field, whole(self.index) as f64), vec![Mark::Whole(whole(self.index))])
            }
            _ => (number(&self.field, 93.0), Vec::new()),
        }
    }

    /// Every form in which this field is sent.
    pub fn probes(&self, known: &Known) -> Vec<Probe> {
        let mut probes = Vec::new();
        let mut add = |form: &'static str, content: Vec<u8>, marks: Vec<Mark>| {
            let bytes = self.request(&content, known);
            probes.push(Probe { form, searchable: !marks.is_empty(), marks, bytes });
        };
        let at = self.field.number();
        let (content, marks) = self.valid();
        add("valid", content, marks);
        let mut said = |form: &'static str, number: usize, change: &dyn Fn(&str) -> Vec<u8>| {
            let text = text(self.index, number);
            add(form, block(at, &change(&text)), vec![Mark::Text(text)]);
        };
        // A text, whatever the field holds: of a number, an enum and a message it is the wrong wire type.
        said("another form", 1, &|text| format!(" {text} %2f\\ \"'<{text}>").into_bytes());
        said("not ASCII", 2, &|text| format!("{text}\u{e9}\u{4e2d}\u{202e}{text}").into_bytes());
        said("control characters", 3, &|text| format!("{text}\u{1b}[2J\u{0}\r\n{text}").into_bytes());
        said("too long", 4, &|text| text.repeat(90).into_bytes());
        said("not UTF-8", 5, &|text| [text.as_bytes(), &[0xff, 0xfe, 0xc3], text.as_bytes()].concat());
        said("no date", 6, &|text| format!("2023-02-30T{text}").into_bytes());
        let text = text(self.index, 7);
        let eight: Vec<u8> = text.bytes().take(8).collect();
        add("as fixed64", [tag(at, 1), eight].concat(), vec![Mark::Text(text.clone())]);
        add("as a group", [tag(at, 3), block(1, text.as_bytes())].concat(), vec![Mark::Text(text.clone())]);
        add("of length beyond the end", [tag(at, 2), varint(9_999), text.clone().into_bytes()].concat(), {
            vec![Mark::Text(text.clone())]
        });
        add("an unknown field beside it", block(18_999, text.as_bytes()), vec![Mark::Text(text)]);
        for (form, value) in [("as a number", wide(self.index)), ("as a negative number", -wide(self.index))] {
            // What a field of 32 bits makes of it.
            #[expect(clippy::cast_possible_truncation, reason = "meant")]
            let half = value as i32;
            add(form, [tag(at, 0), varint_of(value)].concat(), vec![Mark::Whole(value), Mark::Whole(i64::from(half))]);
        }
        if matches!(self.field.kind(), Kind::Double) {
            for (form, value) in
                [("negative", -real(self.index)), ("not a number", f64::from_bits(0x7ff8_7a71_3778_6b76))]
            {
                add(form, number(&self.field, value), vec![Mark::Real(value)]);
            }
            let value = real(self.index) * 1e30;
            add("too large", number(&self.field, value), vec![Mark::Real(value)]);
        }
        probes
    }
}

/// One request of a method with every field marked in its valid form, and its marks; of a list, two entries. Where
/// fields exclude each other the last is left.
pub fn everything(method: &MethodDescriptor, sites: &[Site], known: &Known) -> (Vec<u8>, Vec<Mark>) {
    let mut marks = Vec::new();
    let input = method.input();
    let mine: Vec<&Site> = sites.iter().filter(|site| site.method == *method).collect();
    let bytes = filled(&input, &[], &mine, known, &mut marks);
    (bytes, marks)
}

fn filled(
    message: &MessageDescriptor,
    path: &[FieldDescriptor],
    sites: &[&Site],
    known: &Known,
    marks: &mut Vec<Mark>,
) -> Vec<u8> {
    let mut groups: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut bytes = Vec::new();
    for field in message.fields() {
        let Some(site) = sites.iter().find(|site| site.path == path && site.field == field) else { continue };
        let mut content = match (field.kind(), known.get(field.name())) {
            (_, Some(word)) => block(field.number(), word.as_bytes()),
            (Kind::Message(inner), None) => {
                let deeper = [path, std::slice::from_ref(&field)].concat();
                block(field.number(), &filled(&inner, &deeper, sites, known, marks))
            }
            _ => {
                let (content, found) = site.valid();
                marks.extend(found);
                content
            }
        };
        if format(&field) == Format::Digest || field.name() == "partial" {
            // Of another package there is no answer; and a list is not complete and partial.
            continue;
        }
        if field.is_list() && !matches!(format(&field), Format::FilePath) && field.name() != "files" {
            content = content.repeat(2);
        }
        match rule(&field, "one_of_group").and_then(|value| value.as_str().map(ToOwned::to_owned)) {
            Some(group) => drop(groups.insert(group, content)),
            None => bytes.extend(content),
        }
    }
    bytes.extend(groups.into_values().flatten());
    bytes
}
