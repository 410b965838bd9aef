//! The tables of `rule::shape` as JSON Schema, by which editors complete,
//! explain and check a package.
//!
//! Draft 7, because that is what every YAML language server of the last years
//! and the editors with one of their own read; newer drafts add nothing that a
//! package needs. A description beside a `$ref` says nothing to draft 7, and is
//! what these editors show for the key.
//!
//! A schema sees one file. What takes the whole package (names, cycles, units,
//! codes, laws of the engine) is for `rule::check`.

use serde_json::{Map, Value, json};

use super::shape::{self, Holds, Law, Shape};

const PARAMETER: &str = r"^\$[a-z0-9_]+$";
const NAME: &str = "^[a-z0-9]+(-[a-z0-9]+)*$";
const TEXT: &str = r"^(\$[a-z0-9_]+|\s*[^$\s][\s\S]*)$";
const NUMBER: &str = r"^[+-]?[0-9]+(\.[0-9]+)?$";
const QUANTITY: &str = r"^[+-]?[0-9]+(\.[0-9]+)?( .*)?$";
const LENGTH: &str = "^([0-9]{1,4}|10000) +(hours?|days?|weeks?|months?|years?)$";
const DAY: &str = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$";
const INSTANT: &str = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T.+)?$";

/// The schema of a file of a package.
#[must_use]
pub fn package() -> Value {
    document(&shape::FILE, "Concord rules package", "concord rules schema package", Map::new())
}

/// The schema of a file of an overlay.
#[must_use]
pub fn overlay() -> Value {
    document(&shape::OVERLAY_FILE, "Concord overlay", "concord rules schema overlay", Map::new())
}

/// The schema of a case. `patient` defines `Patient` and what it is made of.
#[must_use]
pub fn cases(patient: Map<String, Value>) -> Value {
    let mut writer = Writer { definitions: patient };
    let (case, table) = (writer.refer(&shape::CASE), writer.refer(&shape::CASE_TABLE));
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$comment": "Printed by `concord rules schema cases`.",
        "title": "Concord cases",
        "description": "A case, or a table of cases.",
        "if": {"required": ["cases"]},
        "then": table,
        "else": case,
        "definitions": writer.definitions,
    })
}

fn document(root: &'static Shape, title: &str, command: &str, definitions: Map<String, Value>) -> Value {
    let mut writer = Writer { definitions };
    let mut schema = writer.object(root);
    set(&mut schema, "$schema", json!("http://json-schema.org/draft-07/schema#"));
    set(&mut schema, "$comment", json!(format!("Printed by `{command}`.")));
    set(&mut schema, "title", json!(title));
    set(&mut schema, "definitions", Value::Object(writer.definitions));
    schema
}

/// What refers to each other, by name.
struct Writer {
    definitions: Map<String, Value>,
}

impl Writer {
    fn object(&mut self, shape: &'static Shape) -> Value {
        let mut properties = Map::new();
        for key in shape.keys.iter().chain(shape.choice) {
            let mut value = self.value(key.holds);
            describe(&mut value, key.about);
            properties.insert(key.name.to_owned(), value);
        }
        let title = shape.name.replace('-', " ");
        let mut schema =
            json!({"type": "object", "title": title, "properties": properties, "additionalProperties": false});
        let required: Vec<&str> = shape.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
        if !required.is_empty() {
            set(&mut schema, "required", json!(required));
        }
        if !shape.choice.is_empty() {
            set(&mut schema, "oneOf", shape.choice.iter().map(|key| json!({"required": [key.name]})).collect());
        }
        if !shape.laws.is_empty() {
            set(&mut schema, "allOf", shape.laws.iter().map(law).collect());
        }
        if !shape.about.is_empty() {
            describe(&mut schema, shape.about);
        }
        if let Some(snippets) = snippets(shape) {
            set(&mut schema, "defaultSnippets", snippets);
        }
        schema
    }

    fn refer(&mut self, shape: &'static Shape) -> Value {
        self.define(shape.name, |writer| writer.object(shape))
    }

    /// A reference to a definition, which is written when first met.
    fn define(&mut self, name: &str, write: impl FnOnce(&mut Self) -> Value) -> Value {
        if !self.definitions.contains_key(name) {
            // The name is known before what it stands for: conditions hold conditions.
            self.definitions.insert(name.to_owned(), Value::Null);
            let schema = write(self);
            self.definitions.insert(name.to_owned(), schema);
        }
        json!({"$ref": format!("#/definitions/{name}")})
    }

    fn single(&mut self, name: &str, mut kinds: Vec<Value>) -> Value {
        self.define(name, |_| {
            kinds.push(
                json!({"type": "string", "pattern": PARAMETER, "patternErrorMessage": "a parameter: $qtc_limit"}),
            );
            json!({"anyOf": kinds})
        })
    }

    fn words(words: &[&str]) -> Value {
        json!({"anyOf": [{"enum": words}, {"type": "string", "pattern": PARAMETER}]})
    }

    fn value(&mut self, holds: Holds) -> Value {
        // The editors' own key: a pattern says little to people.
        let string =
            |pattern: &str, hint: &str| json!({"type": "string", "pattern": pattern, "patternErrorMessage": hint});
        match holds {
            Holds::Text => self.define("text", |_| json!({"type": ["string", "number", "boolean"], "pattern": TEXT})),
            Holds::Plain => {
                self.define("plain", |_| json!({"type": ["string", "number", "boolean"], "pattern": r"\S"}))
            }
            Holds::SomePlain => {
                let plain = self.value(Holds::Plain);
                json!({"anyOf": [plain, {"type": "array", "items": plain, "minItems": 1}]})
            }
            Holds::Settings => {
                let plain = self.value(Holds::Plain);
                json!({"type": "object", "propertyNames": {"pattern": "^[a-z0-9_]+$"}, "additionalProperties": plain})
            }
            Holds::Texts => json!({"type": "array", "items": self.value(Holds::Text)}),
            // An id of digits alone is a number to YAML.
            Holds::Name => {
                let mut kind = string(NAME, "lower-case words joined by hyphens: qtc-interval");
                set(&mut kind, "type", json!(["string", "integer"]));
                set(&mut kind, "maxLength", json!(100));
                set(&mut kind, "minimum", json!(0));
                self.single("name", vec![kind])
            }
            Holds::Names => {
                let name = self.value(Holds::Name);
                self.define("names", |_| json!({"anyOf": [name, {"type": "array", "items": name, "minItems": 1}]}))
            }
            Holds::ParameterName => {
                let mut kind = string("^[a-z0-9_]+$", "lower-case words joined by underscores: qtc_limit");
                set(&mut kind, "type", json!(["string", "integer"]));
                set(&mut kind, "minimum", json!(0));
                kind
            }
            Holds::Word(words) => Self::words(&words()),
            Holds::SomeWords(words) => {
                let word = Self::words(&words());
                json!({"anyOf": [word, {"type": "array", "items": word, "minItems": 1}]})
            }
            Holds::Boolean => self.single("boolean", vec![json!({"type": "boolean"})]),
            Holds::True => json!({"enum": [true]}),
            Holds::Length => {
                self.single("length", vec![string(LENGTH, "a number and hours, days, weeks, months or years: 28 days")])
            }
            Holds::Day => self.single("day", vec![string(DAY, "a day of the calendar: 2027-11-22")]),
            Holds::Year => self.single("year", vec![json!({"type": "integer", "minimum": 1800, "maximum": 2200})]),
            Holds::Decimal => self.single("decimal", vec![json!({"type": "number"}), string(NUMBER, "a number")]),
            Holds::Positive => self.single(
                "positive",
                vec![
                    json!({"type": "number", "exclusiveMinimum": 0}),
                    string(r"^\+?(?!0+(\.0+)?$)[0-9]+(\.[0-9]+)?$", "a number above zero"),
                ],
            ),
            Holds::TwoNumbers => {
                json!({"type": "array", "items": self.value(Holds::Decimal), "minItems": 2, "maxItems": 2})
            }
            Holds::Count => self.single("count", vec![json!({"type": "integer", "minimum": 1})]),
            Holds::Format => self.single("format", vec![json!({"enum": [shape::FORMAT]})]),
            Holds::Quantity => self.single(
                "quantity",
                vec![json!({"type": "number"}), string(QUANTITY, "a number, with or without a unit: 450 ms, 8, 3 ULN")],
            ),
            Holds::Codings => {
                let text = self.value(Holds::Text);
                let pair = json!({"type": "array", "items": text, "minItems": 2, "maxItems": 2});
                json!({"type": "array", "items": pair})
            }
            Holds::Condition => self.condition(),
            Holds::Conditions => json!({"type": "array", "items": self.condition(), "minItems": 1}),
            Holds::TwoConditions => json!({"type": "array", "items": self.condition(), "minItems": 2, "maxItems": 2}),
            Holds::Form(shape) => self.refer(shape),
            Holds::Forms(shape) => json!({"type": "array", "items": self.refer(shape)}),
            Holds::SomeForms(shape) => json!({"type": "array", "items": self.refer(shape), "minItems": 1}),
            Holds::WordList(words) => json!({"type": "array", "items": Self::words(&words())}),
            Holds::NameList => json!({"type": "array", "items": self.value(Holds::Name)}),
            Holds::NamesOr(shape) => {
                json!({"type": "array", "items": {"anyOf": [self.value(Holds::Name), self.refer(shape)]}})
            }
            Holds::NameOr(shape) => json!({"anyOf": [self.value(Holds::Name), self.refer(shape)]}),
            Holds::TextsOr(shape) => json!({"anyOf": [self.value(Holds::Texts), self.refer(shape)]}),
            Holds::ByName(shape) => json!({"type": "object", "additionalProperties": self.refer(shape)}),
            Holds::TextOrNull => json!({"anyOf": [self.value(Holds::Text), {"type": "null"}]}),
            Holds::YearOrNull => json!({"type": ["integer", "null"], "minimum": 1800, "maximum": 2200}),
            Holds::Instant => string(INSTANT, "a date or an instant: 2026-06-01"),
            Holds::Patient => json!({"$ref": "#/definitions/Patient"}),
        }
    }

    /// A condition is a name, or a map of which the leading key decides what else it holds.
    fn condition(&mut self) -> Value {
        self.define("condition", |writer| {
            let mut kinds = vec![writer.value(Holds::Name)];
            for shape in shape::CONDITIONS {
                let name = format!("condition-{}", shape.name);
                kinds.push(writer.define(&name, |writer| writer.object(shape)));
            }
            json!({"anyOf": kinds})
        })
    }
}

fn law(law: &Law) -> Value {
    let any = |keys: &[&str]| -> Value { keys.iter().map(|key| json!({"required": [key]})).collect() };
    match law {
        Law::With(key, other) => json!({"dependencies": {*key: [other]}}),
        Law::Some(keys) => json!({"anyOf": any(keys)}),
        Law::Apart(keys) => json!({"not": {"required": keys}}),
        Law::WordBeside(key, word, others) => json!({
            "if": {"properties": {*key: {"const": word}}, "required": [key]},
            "then": {"anyOf": any(others)},
        }),
        Law::Inherited(list, key, from) => json!({
            "if": {"properties": {*from: {"required": [key]}}, "required": [from]},
            "else": {"properties": {*list: {"items": {"required": [key]}}}},
        }),
    }
}

/// Skeletons that an editor offers. `${1:…}` is a place to fill in.
fn snippets(shape: &Shape) -> Option<Value> {
    let rule = |label: &str, about: &str, conclusion: Value, rest: Value| {
        let mut body = json!({
            "id": "${1:name-of-the-rule}",
            "title": "${2:Short title}",
            "when": "${4:definition}",
            "statement": "${5:What a clinician reads.}",
            "evidence": [{"source": "${6:source}", "place": "${7:place in it}"}],
            "strength": "${8:as the source grades it}",
            "verification": "${9:unverified}",
        });
        for part in [conclusion, rest] {
            if let (Value::Object(body), Value::Object(part)) = (&mut body, part) {
                body.extend(part);
            }
        }
        json!({"label": label, "description": about, "body": body})
    };
    match shape.name {
        "rule" => Some(json!([
            rule("offer", "A rule that offers a component.", json!({"recommend": "${3:component}"}), json!({})),
            rule(
                "exclusion",
                "A rule that excludes a component.",
                json!({"contraindicate": {"component": "${3:component}", "action": "${10:start}"}}),
                json!({"unknown": "${11:request}"}),
            ),
            rule(
                "alert",
                "A rule that raises an alert.",
                json!({"alert": {"category": "${3:monitoring}", "severity": "${10:moderate}", "urgency": "${11:prompt}"}}),
                json!({}),
            ),
        ])),
        "definition" => Some(json!([{
            "label": "definition",
            "description": "A named condition.",
            "body": {"id": "${1:name}", "title": "${2:what it is}", "when": {"diagnosis": "${3:concept}"}},
        }])),
        _ => None,
    }
}

/// Editors show a description letter by letter, unless they are told that it is Markdown.
fn describe(schema: &mut Value, about: &str) {
    set(schema, "description", json!(about));
    if about.contains(['`', '*']) {
        set(schema, "markdownDescription", json!(about));
    }
}

fn set(schema: &mut Value, key: &str, value: Value) {
    if let Value::Object(map) = schema {
        map.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_refers_is_defined() {
        let text = package().to_string();
        let schema = package();
        for part in text.split("\"#/definitions/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(schema["definitions"][name].is_object(), "{name}");
        }
    }

    #[test]
    fn a_condition_leads_with_the_key_that_names_it() {
        for shape in shape::CONDITIONS {
            let first = shape.keys.first().unwrap();
            assert_eq!((first.name, first.required), (shape.name, true));
        }
    }
}
