//! The schema by which editors complete and check agrees with the reader by which a package is loaded, key by key: for
//! every map of the language, documents are made that hold each key, misspell it and leave it out.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use concord::api::yaml;
use concord::diag::Files;
use concord::rule::read;
use concord::rule::shape::{self, Holds, Key, Law, Shape};
use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// What is wrong there takes more than one file, or the tables of codes and units.
const BEYOND: [(&str, &str); 10] = [
    ("abrupt-stop", "the component says elsewhere that it must not end abruptly"),
    ("cycle", "goes through definitions and conclusions"),
    ("disagreements", "what leads to them, and what the package declares"),
    ("duplicate-id", "two entries of a list with one id"),
    ("outranks", "the conclusion of another rule"),
    ("scale", "the ends of a band, one against the other"),
    ("unbound-name", "a name in a text, and where the condition binds it"),
    ("unit-mismatch", "the unit of the concept"),
    ("unknown-code", "the table of codes"),
    ("unknown-name", "what the package declares"),
];

fn printed(of: &str) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_concord")).args(["rules", "schema", of]).output().expect("the binary");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn validator(of: &str) -> Validator {
    let schema: Value = serde_json::from_str(&printed(of)).expect("JSON");
    assert!(jsonschema::meta::is_valid(&schema), "{of} is no schema");
    jsonschema::validator_for(&schema).expect("a schema")
}

pub static PACKAGE: LazyLock<Validator> = LazyLock::new(|| validator("package"));
pub static CASES: LazyLock<Validator> = LazyLock::new(|| validator("cases"));

fn yaml_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(yaml_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn tree(file: &Path) -> Value {
    let text = std::fs::read_to_string(file).expect("a file");
    yaml::read(&text).unwrap_or_else(|fault| panic!("{}: {fault:?}", file.display())).value
}

#[test]
fn the_committed_schemas_are_what_the_command_prints() {
    for (of, file) in [("package", "rules/schema.json"), ("cases", "rules/cases/schema.json")] {
        let committed = std::fs::read_to_string(file).expect("a committed schema");
        assert!(committed == printed(of), "{file} is not current: concord rules schema {of} > {file}");
    }
}

#[test]
fn every_shipped_file_names_its_schema_and_keeps_to_it() {
    let files = yaml_files(Path::new("rules"));
    assert!(files.len() > 100);
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a file");
        let first = text.lines().next().unwrap_or_default();
        let named = first.strip_prefix("# yaml-language-server: $schema=");
        let named = named.unwrap_or_else(|| panic!("{}: the first line names no schema", file.display()));
        let case = file.starts_with("rules/cases");
        let wanted = Path::new(if case { "rules/cases/schema.json" } else { "rules/schema.json" });
        let meant = file.parent().expect("a folder").join(named).canonicalize().expect("a schema beside the rules");
        assert_eq!(meant, wanted.canonicalize().expect("a schema"), "{}", file.display());
        let validator = if case { &CASES } else { &PACKAGE };
        if let Err(error) = validator.validate(&tree(&file)) {
            panic!("{}: {}: {error}", file.display(), error.instance_path());
        }
    }
}

#[test]
fn what_is_wrong_with_the_shape_of_a_file_is_seen_by_the_schema_too() {
    let mut seen = BTreeSet::new();
    for file in yaml_files(Path::new("tests/broken")) {
        let fault = file.parent().and_then(Path::file_name).expect("a folder").to_string_lossy().into_owned();
        if file.ends_with("base.yaml") {
            assert!(PACKAGE.is_valid(&tree(&file)));
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("a file");
        let valid = yaml::read(&text).is_ok_and(|document| PACKAGE.is_valid(&document.value));
        assert_eq!(valid, BEYOND.iter().any(|(name, _)| *name == fault), "{fault}");
        seen.insert(fault);
    }
    assert!(BEYOND.iter().all(|(name, why)| seen.contains(*name) && !why.is_empty()), "{seen:?}");
}

/// Values that a key takes.
fn good(holds: Holds) -> Vec<Value> {
    let words = |words: Vec<&str>| words.into_iter().map(|word| json!(word)).collect();
    match holds {
        Holds::Text => vec![json!("some words"), json!(7.5)],
        Holds::Plain => vec![json!("500 ms"), json!(8)],
        Holds::SomePlain => vec![json!("US"), json!(["US", "other"])],
        Holds::Settings => vec![json!({"qtc_limit": "480 ms"})],
        Holds::WordList(list) => vec![json!(list())],
        Holds::NameList => vec![json!(["qtc-limit"]), json!([])],
        Holds::NamesOr(shape) => vec![json!(["methadone", completed(shape, Map::new())])],
        Holds::Texts => vec![json!(["6E40", "00054017613"]), json!([])],
        Holds::Name => vec![json!("qtc-interval-2"), json!(4)],
        Holds::Names => vec![json!("methadone"), json!(["methadone", "naltrexone"])],
        Holds::ParameterName => vec![json!("qtc_limit")],
        Holds::Word(list) => words(list()),
        Holds::SomeWords(list) => vec![json!(list()[0]), json!(list())],
        Holds::Boolean => vec![json!(true), json!(false)],
        Holds::True => vec![json!(true)],
        Holds::Length => vec![json!("28 days"), json!("1 hour"), json!("10000 years")],
        Holds::Day => vec![json!("2027-11-22")],
        Holds::Year => vec![json!(2014)],
        Holds::Decimal => vec![json!(113.12), json!("113.12"), json!(-1)],
        Holds::Positive => vec![json!(1), json!("0.5")],
        Holds::TwoNumbers => vec![json!([0, 21])],
        Holds::Count | Holds::Format => vec![json!(1)],
        Holds::Quantity => vec![json!("450 ms"), json!(8), json!("3 ULN"), json!("0.5 10*3/uL")],
        Holds::Codings => vec![json!([["LOINC", "LA6576-8"]])],
        Holds::Condition => vec![json!("oud-present"), condition()],
        Holds::Conditions => vec![json!([condition()]), json!(["oud-present", condition()])],
        Holds::TwoConditions => vec![json!(["oud-present", condition()])],
        Holds::Form(shape) => vec![completed(shape, Map::new())],
        Holds::Forms(shape) => vec![json!([completed(shape, Map::new())]), json!([])],
        Holds::SomeForms(shape) => vec![json!([completed(shape, Map::new())])],
        Holds::NameOr(shape) => vec![json!("qtc-interval"), completed(shape, Map::new())],
        Holds::TextsOr(shape) => vec![json!(["6813"]), completed(shape, Map::new())],
        Holds::ByName(shape) => vec![json!({"methadone": completed(shape, Map::new())})],
        Holds::TextOrNull => vec![json!("some words"), Value::Null],
        Holds::YearOrNull => vec![json!(2014), Value::Null],
        Holds::Instant => vec![json!("2026-06-01"), json!("2026-06-01T08:00:00Z")],
        Holds::Patient => vec![json!({"ageYears": 41, "sex": "FEMALE"})],
    }
}

/// Values that a key does not take.
fn bad(holds: Holds) -> Vec<Value> {
    let map = json!({"strange": "thing"});
    let mut values = vec![map.clone(), json!([[map]])];
    values.extend(match holds {
        Holds::Plain => vec![json!(["a"]), json!("")],
        Holds::SomePlain => vec![json!([]), json!("")],
        Holds::Settings => vec![json!("text"), json!({"qtc-limit": 1})],
        Holds::WordList(_) => vec![json!(["strange"])],
        Holds::NameList | Holds::NamesOr(_) => vec![json!("text"), json!(["Upper Case"])],
        Holds::Text | Holds::TextOrNull => vec![json!(["a"]), json!("$Not a parameter")],
        Holds::Texts | Holds::Forms(_) | Holds::Form(_) | Holds::ByName(_) | Holds::SomeForms(_) => vec![json!("text")],
        Holds::Name | Holds::NameOr(_) => {
            vec![json!("Upper Case"), json!("a_b"), json!("a--b"), json!("a".repeat(101))]
        }
        Holds::Names => vec![json!([]), json!(["a", "Upper Case"])],
        Holds::ParameterName => vec![json!("qtc-limit"), json!("Limit")],
        Holds::Word(_) => vec![json!("strange"), json!(true)],
        Holds::SomeWords(_) => vec![json!("strange"), json!([])],
        Holds::Boolean => vec![json!("maybe"), json!(1)],
        Holds::True => vec![json!(false)],
        Holds::Length => vec![json!("three months"), json!("28"), json!("28 fortnights"), json!("10001 days")],
        Holds::Day => vec![json!("2027-13-22"), json!("2027-11"), json!("22 November 2027")],
        Holds::Year | Holds::YearOrNull => vec![json!(1500), json!("recently")],
        Holds::Decimal => vec![json!("much")],
        Holds::Positive => vec![json!(0), json!(-1), json!("much")],
        Holds::TwoNumbers => vec![json!([0]), json!([0, 1, 2]), json!(["a", "b"])],
        Holds::Count => vec![json!(0), json!("two")],
        Holds::Format => vec![json!(0), json!(2), json!("two")],
        Holds::Quantity => vec![json!("much"), json!("ms 450")],
        Holds::Codings => vec![json!([["LOINC"]]), json!([["LOINC", "LA6576-8", "more"]])],
        Holds::Condition => vec![json!("Upper Case"), json!([condition()])],
        Holds::Conditions => vec![json!([]), condition()],
        Holds::TwoConditions => vec![json!([condition()]), json!([condition(), condition(), condition()])],
        Holds::TextsOr(_) => vec![json!("6813")],
        Holds::Instant => vec![json!("June 2026")],
        Holds::Patient => vec![json!({"age": 41})],
    });
    values
}

/// Values beside those of the table, of which schema and reader have to think alike, whatever it is: one for a list and
/// a list for one, and what other keys take.
fn other(holds: Holds) -> Vec<Value> {
    let mut values =
        vec![json!("28 days"), json!("2027-11-22"), json!(2014), json!(1.5), json!(["some words"]), json!([])];
    values.extend([json!("qtc-interval"), json!(["qtc-interval"]), json!({}), json!({"at_least": 8}), condition()]);
    for value in good(holds) {
        values.extend(value.as_array().and_then(|list| list.first()).cloned());
        values.push(json!([value]));
    }
    values
}

fn condition() -> Value {
    json!({"diagnosis": "opioid-use-disorder"})
}

fn first(shape: &'static Shape, name: &str) -> Value {
    good(shape.key(name).unwrap_or_else(|| panic!("{} has no {name}", shape.name)).holds).swap_remove(0)
}

/// A map with what the shape asks for beside what is given.
fn completed(shape: &'static Shape, mut map: Map<String, Value>) -> Value {
    for law in shape.laws {
        if let Law::WordBeside(key, word, others) = law
            && map.get(*key) == Some(&json!(word))
            && !others.iter().any(|other| map.contains_key(*other))
        {
            map.insert(others[0].to_owned(), first(shape, others[0]));
        }
    }
    for key in shape.keys.iter().filter(|key| key.required) {
        map.entry(key.name).or_insert_with(|| good(key.holds).swap_remove(0));
    }
    if let Some(key) = shape.choice.first()
        && !shape.choice.iter().any(|key| map.contains_key(key.name))
    {
        map.insert(key.name.to_owned(), good(key.holds).swap_remove(0));
    }
    for law in shape.laws {
        match law {
            Law::With(key, other) if map.contains_key(*key) => {
                map.entry(*other).or_insert_with(|| first(shape, other));
            }
            Law::Some(keys) if !keys.iter().any(|key| map.contains_key(*key)) => {
                map.insert(keys[0].to_owned(), first(shape, keys[0]));
            }
            Law::Inherited(list, key, from) if map.get(*from).is_none_or(|from| from.get(key).is_none()) => {
                let Holds::Forms(inner) = shape.key(list).expect("a list").holds else {
                    panic!("{list}: no list of maps")
                };
                for item in map.get_mut(*list).and_then(Value::as_array_mut).into_iter().flatten() {
                    if let Value::Object(item) = item {
                        item.entry(*key).or_insert_with(|| first(inner, key));
                    }
                }
            }
            _ => {}
        }
    }
    Value::Object(map)
}

/// Puts a map into the document that it has its place in.
type Place<'a> = &'a dyn Fn(Value) -> Value;

/// Visits every map of the language once.
fn every(
    shape: &'static Shape,
    place: Place,
    seen: &mut BTreeSet<usize>,
    visit: &mut dyn FnMut(&'static Shape, Place),
) {
    if !seen.insert(std::ptr::from_ref(shape).addr()) {
        return;
    }
    visit(shape, place);
    for key in shape.keys.iter().chain(shape.choice) {
        let into = |value: Value| place(completed(shape, Map::from_iter([(key.name.to_owned(), value)])));
        match key.holds {
            Holds::Form(inner) | Holds::NameOr(inner) | Holds::TextsOr(inner) => every(inner, &into, seen, visit),
            Holds::Forms(inner) | Holds::SomeForms(inner) => every(inner, &|value| into(json!([value])), seen, visit),
            Holds::ByName(inner) => every(inner, &|value| into(json!({"methadone": value})), seen, visit),
            Holds::Condition => {
                for inner in shape::CONDITIONS {
                    every(inner, &into, seen, visit);
                }
            }
            _ => {}
        }
    }
}

/// A whole package of one file: with metadata.
fn file(document: Value) -> Value {
    let Value::Object(mut map) = document else { panic!("a file is a map") };
    map.entry("package").or_insert_with(|| first(&shape::FILE, "package"));
    Value::Object(map)
}

/// What the schema and the reader make of a file.
fn verdicts(document: &Value) -> (bool, bool) {
    let files = Files::new(vec![("file.yaml".to_owned(), document.to_string())]);
    let mut faults = Vec::new();
    let documents = read::documents(files.iter(), &mut faults);
    faults.extend(read::package(&documents, &files).1);
    // What a parameter's type makes of its other keys, and which parameters there are, is beyond a schema.
    let beyond = ["wrong-type", "out-of-range", "wrong-direction", "empty-range", "misplaced-key"];
    let rests_on_one = document.to_string().contains("\"parameter\":");
    faults.retain(|fault| {
        let of_choices = fault.code == "missing-key" && fault.message.contains("choice");
        let unknown = rests_on_one && fault.code == "unknown-parameter";
        !beyond.contains(&fault.code) && !of_choices && !unknown
    });
    (PACKAGE.is_valid(document), faults.is_empty())
}

/// Both take the file, or both refuse it.
fn accepted(document: &Value) -> bool {
    let (schema, reader) = verdicts(document);
    assert_eq!(schema, reader, "the schema and the reader do not agree\n{document:#}");
    schema
}

fn with(key: &Key, value: Value) -> Map<String, Value> {
    Map::from_iter([(key.name.to_owned(), value)])
}

/// Checks one map: each key right, wrong, misspelled and left out.
fn probe(shape: &'static Shape, put: Place, accepted: &dyn Fn(&Value) -> bool, what: &mut usize) {
    let mut expect = |wanted: bool, inner: Value, why: &str| {
        let document = put(inner);
        assert_eq!(accepted(&document), wanted, "{}: {why}\n{document:#}", shape.name);
        *what += 1;
    };
    for key in shape.keys.iter().chain(shape.choice) {
        let sound = |value: Value| completed(shape, with(key, value));
        for value in good(key.holds) {
            expect(true, sound(value.clone()), &format!("{} takes {value}", key.name));
            let Value::Object(mut map) = sound(value.clone()) else { continue };
            let value = map.remove(key.name).expect("the key");
            map.insert(format!("{}x", key.name), value);
            expect(false, Value::Object(map), &format!("{} is misspelled", key.name));
        }
        for value in bad(key.holds) {
            expect(false, sound(value.clone()), &format!("{} does not take {value}", key.name));
        }
        let Value::Object(mut map) = completed(shape, Map::new()) else { continue };
        if key.required {
            map.remove(key.name);
            expect(false, Value::Object(map), &format!("{} is left out", key.name));
        }
    }
    if let [one, other, ..] = shape.choice {
        let mut map = with(one, good(one.holds).swap_remove(0));
        map.extend(with(other, good(other.holds).swap_remove(0)));
        expect(false, completed(shape, map), "two choices");
        let Value::Object(mut map) = completed(shape, Map::new()) else { return };
        map.remove(one.name);
        expect(false, Value::Object(map), "no choice");
    }
    for law in shape.laws {
        let Value::Object(mut map) = completed(shape, Map::new()) else { return };
        match law {
            Law::With(key, other) => {
                map.remove(shape.choice.first().map_or("", |key| key.name));
                map.insert((*key).to_owned(), first(shape, key));
                map.remove(*other);
            }
            Law::Some(keys) => keys.iter().for_each(|key| drop(map.remove(*key))),
            Law::Apart(keys) => map.extend(keys.iter().map(|key| ((*key).to_owned(), first(shape, key)))),
            Law::WordBeside(key, word, others) => {
                map.insert((*key).to_owned(), json!(word));
                others.iter().for_each(|other| drop(map.remove(*other)));
            }
            Law::Inherited(list, key, from) => {
                let item = first(shape, list);
                map.insert((*list).to_owned(), item);
                map.remove(*from);
                let Value::Object(mut whole) = completed(shape, map) else { return };
                whole[*list][0].as_object_mut().expect("an item").remove(*key);
                map = whole;
            }
        }
        expect(false, Value::Object(map), &format!("{law:?}"));
    }
}

#[test]
fn schema_and_reader_agree_on_every_key_of_the_language() {
    let (mut shapes, mut documents) = (0, 0);
    every(&shape::FILE, &|inner| inner, &mut BTreeSet::new(), &mut |shape, place| {
        shapes += 1;
        // What is below a file's lists gets what the file's laws ask for.
        let put = |inner: Value| file(place(inner));
        probe(shape, &put, &accepted, &mut documents);
    });
    assert!(shapes > 50 && documents > 1500, "{shapes} maps, {documents} documents");
}

#[test]
fn schema_and_reader_agree_on_what_the_tables_do_not_say() {
    let (mut documents, mut faults) = (0, String::new());
    every(&shape::FILE, &|inner| inner, &mut BTreeSet::new(), &mut |shape, place| {
        for key in shape.keys.iter().chain(shape.choice) {
            for value in other(key.holds) {
                let (schema, reader) = verdicts(&file(place(completed(shape, with(key, value.clone())))));
                // How many parts there are is beyond a schema.
                if schema != reader && !(shape.name == "of" && key.name == "at_least" && value == json!(2014)) {
                    let _ = writeln!(faults, "{}.{}: {value}: schema {schema}, reader {reader}", shape.name, key.name);
                }
                documents += 1;
            }
        }
    });
    assert!(faults.is_empty(), "{faults}");
    assert!(documents > 2000, "{documents}");
}

#[test]
fn a_parameter_stands_for_any_single_value() {
    let mut documents = 0;
    every(&shape::FILE, &|inner| inner, &mut BTreeSet::new(), &mut |shape, place| {
        for key in shape.keys.iter().chain(shape.choice) {
            let single = matches!(
                key.holds,
                Holds::Text
                    | Holds::Name
                    | Holds::Names
                    | Holds::Word(_)
                    | Holds::SomeWords(_)
                    | Holds::Boolean
                    | Holds::Length
                    | Holds::Day
                    | Holds::Year
                    | Holds::Decimal
                    | Holds::Count
                    | Holds::Format
                    | Holds::Quantity
            );
            // Parameters are read before there are any.
            if !single || shape.name == "parameter" {
                continue;
            }
            let value = good(key.holds).swap_remove(0);
            let Value::Object(mut document) = file(place(completed(shape, with(key, json!("$stands_for"))))) else {
                panic!("a file is a map")
            };
            let parameter = json!({"id": "stands_for", "title": "a value", "type": "text", "value": value});
            document.insert("parameters".to_owned(), json!([parameter]));
            assert!(accepted(&Value::Object(document)), "{} of {}", key.name, shape.name);
            documents += 1;
        }
    });
    assert!(documents > 100, "{documents}");
}

#[test]
fn every_key_of_a_case_is_checked() {
    let mut documents = 0;
    every(&shape::CASE, &|inner| inner, &mut BTreeSet::new(), &mut |shape, place| {
        probe(shape, place, &|document| CASES.is_valid(document), &mut documents);
    });
    assert!(documents > 200, "{documents}");
}

#[test]
fn the_skeletons_that_editors_offer_are_sound() {
    fn filled(value: &Value) -> Value {
        match value {
            // `${1:word}` is a place to fill in, and offers the word.
            Value::String(text) => match text.strip_prefix("${").and_then(|rest| rest.split_once(':')) {
                Some((_, word)) => json!(word.trim_end_matches('}')),
                None => value.clone(),
            },
            Value::Array(items) => items.iter().map(filled).collect(),
            Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), filled(value))).collect(),
            _ => value.clone(),
        }
    }
    let schema: Value = serde_json::from_str(&printed("package")).expect("JSON");
    let mut skeletons = 0;
    for (list, of) in [("rules", "rule"), ("definitions", "definition")] {
        for snippet in schema["definitions"][of]["defaultSnippets"].as_array().expect("snippets") {
            assert!(accepted(&file(json!({list: [filled(&snippet["body"])]}))), "{snippet}");
            skeletons += 1;
        }
    }
    assert_eq!(skeletons, 4);
}

#[test]
fn every_key_has_words_for_the_editor_and_stands_in_the_reference() {
    let reference = std::fs::read_to_string("rules/README.md").expect("the reference");
    let mut missing = BTreeSet::new();
    every(&shape::FILE, &|inner| inner, &mut BTreeSet::new(), &mut |shape, _| {
        for key in shape.keys.iter().chain(shape.choice) {
            assert!(key.about.len() > 5 && key.about.ends_with('.') || key.about.ends_with(".)"), "{}", key.name);
            if !reference.contains(&format!("`{}`", key.name)) && !reference.contains(&format!("`{}:", key.name)) {
                missing.insert(format!("{} of {}", key.name, shape.what));
            }
        }
    });
    assert!(missing.is_empty(), "rules/README.md says nothing of: {missing:?}");
}
