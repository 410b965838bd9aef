//! What the contract says becomes of a request: by the rules beside its fields and by what their comments say. Nothing
//! of the service is called here, so that the two can differ.

use std::collections::{BTreeMap, BTreeSet};

use concord::api::json::pool;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage as _, Value};

/// Forms that a string may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
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

/// The rules of a field.
#[derive(Clone, Debug)]
pub struct Rules {
    pub required: bool,
    pub max_items: Option<usize>,
    pub max_bytes: Option<usize>,
    pub form: Form,
    pub minimum: Option<f64>,
    pub maximum: Option<f64>,
    pub group: Option<String>,
}

/// Reads the rules of a field. A rule that is not known here ends the test.
pub fn rules(field: &FieldDescriptor) -> Rules {
    let mut rules = Rules {
        required: false,
        max_items: None,
        max_bytes: None,
        form: Form::Words,
        minimum: None,
        maximum: None,
        group: None,
    };
    let extension = pool().unwrap().get_extension_by_name("concord.v1.rules").unwrap();
    let options = field.options();
    if !options.has_extension(&extension) {
        return rules;
    }
    let Value::Message(stated) = options.get_extension(&extension).into_owned() else { panic!("rules are a message") };
    for (rule, value) in stated.fields() {
        let count = || value.as_u32().map(|most| most as usize);
        match rule.name() {
            "required" => rules.required = value.as_bool() == Some(true),
            "max_items" => rules.max_items = count(),
            "max_bytes" => rules.max_bytes = count(),
            "minimum" => rules.minimum = value.as_f64(),
            "maximum" => rules.maximum = value.as_f64(),
            "one_of_group" => rules.group = value.as_str().map(ToOwned::to_owned),
            "format" => {
                rules.form = match value.as_enum_number().unwrap() {
                    0 => Form::Words,
                    1 => Form::Date,
                    2 => Form::Instant,
                    3 => Form::Code,
                    4 => Form::Token,
                    5 => Form::Opaque,
                    6 => Form::ListName,
                    7 => Form::Digest,
                    8 => Form::FilePath,
                    other => panic!("format {other} is not known to the matrix"),
                };
            }
            other => panic!("the rule {other} is not known to the matrix"),
        }
    }
    rules
}

/// Reasons that may be given for a field: where two rules are broken, either.
pub type Reasons = BTreeSet<&'static str>;

/// Fields at fault.
pub type Faults = BTreeMap<String, Reasons>;

fn one_of<const N: usize>(reasons: [&'static str; N]) -> Reasons {
    reasons.into()
}

/// The fields of a message that break a rule.
pub fn faults(message: &DynamicMessage) -> Faults {
    let mut faults = Faults::new();
    examine(message, "", &mut faults);
    faults
}

fn examine(message: &DynamicMessage, above: &str, faults: &mut Faults) {
    let mut groups: BTreeSet<String> = BTreeSet::new();
    for field in message.descriptor().fields() {
        let (rules, there) = (rules(&field), message.has_field(&field));
        let path = if above.is_empty() { field.name().to_owned() } else { format!("{above}.{}", field.name()) };
        if !there {
            if rules.required {
                faults.insert(path, one_of(["REQUIRED"]));
            }
            continue;
        }
        // At most one of a group: each after the first excludes it.
        if let Some(group) = &rules.group
            && !groups.insert(group.clone())
        {
            faults.entry(path.clone()).or_default().insert("CONFLICT");
        }
        match message.get_field(&field).as_ref() {
            Value::List(entries) if rules.max_items.is_some_and(|most| entries.len() > most) => {
                faults.insert(path, one_of(["TOO_MANY_ENTRIES"]));
            }
            Value::List(entries) => {
                for (index, entry) in entries.iter().enumerate() {
                    value(entry, &field, &rules, &format!("{path}[{index}]"), true, faults);
                }
            }
            single => value(single, &field, &rules, &path, false, faults),
        }
    }
    what_comments_say(message, above, faults);
}

fn value(value: &Value, field: &FieldDescriptor, rules: &Rules, path: &str, entry: bool, faults: &mut Faults) {
    let found = match (value, field.kind()) {
        (Value::Message(inner), _) => return examine(inner, path, faults),
        (Value::String(text), _) => text_fault(text, rules, entry),
        (Value::EnumNumber(number), Kind::Enum(defined)) if defined.get_value(*number).is_none() => {
            one_of(["ENUM_VALUE"])
        }
        (Value::EnumNumber(0), _) if rules.required => one_of(["REQUIRED"]),
        (Value::I32(number), _) if outside(f64::from(*number), rules) => one_of(["RANGE"]),
        (Value::F64(number), _) if outside(*number, rules) || !is_told(*number) => one_of(["RANGE"]),
        _ => return,
    };
    if !found.is_empty() {
        faults.entry(path.to_owned()).or_default().extend(found);
    }
}

fn outside(number: f64, rules: &Rules) -> bool {
    rules.minimum.is_some_and(|least| number < least) || rules.maximum.is_some_and(|most| number > most)
}

/// A number of at most 28 digits, before or after the point.
fn is_told(number: f64) -> bool {
    number == 0.0 || (number.is_finite() && (1e-28..7.922_816_251_426_434e28).contains(&number.abs()))
}

fn text_fault(text: &str, rules: &Rules, entry: bool) -> Reasons {
    let mut found = Reasons::new();
    if text.is_empty() {
        // Of a list an entry that is empty is there, and is not of the form.
        return if entry { one_of(["REQUIRED", "FORMAT"]) } else { found };
    }
    if rules.max_bytes.is_some_and(|most| text.len() > most) {
        found.insert("STRING_TOO_LONG");
    }
    let (ascii, control) = (text.is_ascii(), text.chars().any(char::is_control));
    match rules.form {
        Form::Words if text.chars().any(|one| one.is_control() && !"\t\n\r".contains(one)) => {
            found.insert("CONTROL_CHARACTER");
        }
        Form::Words => {}
        Form::Code => {
            found.extend(control.then_some("CONTROL_CHARACTER"));
            found.extend((!ascii).then_some("LOOK_ALIKE"));
            if text.bytes().all(|byte| byte == b' ') {
                found.insert(if rules.required { "REQUIRED" } else { "FORMAT" });
            }
        }
        Form::Token => {
            let is_word = |part: &str| {
                !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            };
            if !text.split('-').all(is_word) {
                found.insert(if ascii { "FORMAT" } else { "LOOK_ALIKE" });
            }
        }
        Form::Opaque if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/|".contains(&byte)) => {}
        Form::ListName if LISTS.contains(&text) => {}
        Form::Digest if is_digest(text.strip_prefix("sha256:").unwrap_or(text)) => {}
        Form::FilePath
            if !control
                && !text.contains('\\')
                && text.strip_suffix(".yaml").is_some()
                && text.split('/').all(|part| !part.is_empty() && !part.starts_with('.')) => {}
        Form::Date | Form::Instant => match date(text, rules.form == Form::Date) {
            Some(true) => {}
            Some(false) => drop(found.insert("IMPOSSIBLE_DATE")),
            None => drop(found.insert("FORMAT")),
        },
        _ => drop(found.insert("FORMAT")),
    }
    found
}

/// Lists of a patient, as JSON spells them.
const LISTS: [&str; 8] =
    ["diagnoses", "medications", "allergies", "observations", "events", "history", "plans", "preferences"];

fn is_digest(digits: &str) -> bool {
    digits.len() == 64 && digits.bytes().all(|byte| b"0123456789abcdef".contains(&byte))
}

/// Is it in the calendar? None: not of the form.
fn date(text: &str, partial: bool) -> Option<bool> {
    let (day, time) = text.split_once('T').map_or((text, None), |(day, time)| (day, Some(time)));
    let digits = |text: &str, count: usize| {
        (text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse::<u32>().unwrap())
    };
    let parts: Vec<&str> = day.split('-').collect();
    if time.is_some_and(|time| !is_time(time)) || (parts.len() < 3 && (time.is_some() || !partial)) {
        return None;
    }
    let year = digits(parts.first()?, 4)?;
    let month = parts.get(1).map_or(Some(1), |month| digits(month, 2))?;
    let day = parts.get(2).map_or(Some(1), |day| digits(day, 2))?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (parts.len() <= 3).then_some((1..=12).contains(&month) && (1..=last).contains(&day))
}

/// Seconds and an offset.
fn is_time(text: &str) -> bool {
    let Some(clock) = text.strip_suffix('Z').or_else(|| text.get(..text.len().checked_sub(6)?)) else { return false };
    let clock = clock.split_once('.').map_or(clock, |(clock, _)| clock);
    clock.len() == 8 && clock.split(':').all(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn text_of(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).and_then(|value| value.as_str().map(ToOwned::to_owned)).unwrap_or_default()
}

fn number_of(message: &DynamicMessage, field: &str) -> i32 {
    message.get_field_by_name(field).and_then(|value| value.as_enum_number()).unwrap_or_default()
}

/// What the comments of the contract say beside the rules.
fn what_comments_say(message: &DynamicMessage, above: &str, faults: &mut Faults) {
    let at = |field: &str| if above.is_empty() { field.to_owned() } else { format!("{above}.{field}") };
    let list = |field: &str| match message.get_field_by_name(field).map(std::borrow::Cow::into_owned) {
        Some(Value::List(entries)) => entries,
        _ => Vec::new(),
    };
    match message.descriptor().name() {
        // "Not after the instant of the evaluation."
        "EvaluateRequest" => {
            let Some(Value::Message(patient)) = message.get_field_by_name("patient").map(std::borrow::Cow::into_owned)
            else {
                return;
            };
            let (birth, as_of) = (text_of(&patient, "birth_date"), text_of(message, "as_of"));
            let path = at("patient.birth_date");
            if !faults.contains_key(&path) && !faults.contains_key(&at("as_of")) && is_after(&birth, &as_of) {
                faults.insert(path, one_of(["BIRTH_IN_FUTURE"]));
            }
        }
        // "A list that is named in `complete` is not named here."
        "Patient" => {
            for (index, name) in list("partial").iter().enumerate() {
                if list("complete").contains(name) && name.as_str().is_some_and(|name| LISTS.contains(&name)) {
                    faults.insert(at(&format!("partial[{index}]")), one_of(["CONFLICT"]));
                }
            }
        }
        // "Path in its directory. Each stands once."
        "CheckRulesetRequest" => {
            for field in ["files", "overlay"] {
                let paths: Vec<String> =
                    list(field).iter().map(|file| text_of(file.as_message().unwrap(), "path")).collect();
                for (index, path) in paths.iter().enumerate() {
                    let place = format!("{field}[{index}].path");
                    if paths.iter().take(index).any(|before| before == path)
                        && !faults.contains_key(&place)
                        && !faults.contains_key(field)
                    {
                        faults.insert(place, one_of(["CONFLICT"]));
                    }
                }
            }
        }
        // "Why not: required where it was overridden, and only there." "Something else: the comment says what." "Of a
        // component only."
        "FeedbackItem" => {
            let (kind, verdict, reason) =
                (number_of(message, "kind"), number_of(message, "verdict"), number_of(message, "reason"));
            if verdict == 2 && reason == 0 {
                faults.insert(at("reason"), one_of(["REQUIRED"]));
            }
            if verdict == 1 && reason != 0 {
                faults.entry(at("reason")).or_default().insert("CONFLICT");
            }
            if reason == 7 && text_of(message, "comment").trim().is_empty() {
                faults.insert(at("comment"), one_of(["REQUIRED"]));
            }
            if kind > 1 && !faults.contains_key(&at("kind")) && number_of(message, "action") != 0 {
                faults.entry(at("action")).or_default().insert("CONFLICT");
            }
        }
        _ => {}
    }
}

/// Does a date begin after an instant, as far as both are told? Of an instant that is absent, today.
pub fn is_after(date: &str, as_of: &str) -> bool {
    let today = jiff::Timestamp::now().to_string();
    let as_of = if as_of.is_empty() { &today } else { as_of };
    let length = date.len().min(10);
    !date.is_empty() && date.get(..length) > as_of.get(..length)
}
