//! Cases as JSON, each whole: for another system to be held against.

use serde_json::{Map, Value, json};

use super::Deck;
use crate::api::yaml;

/// Version of the form of a case. It rises where a reader of the form before
/// would misread a case.
pub const FORMAT: u32 = 1;

/// Every case of the deck, in its order, with what the head of its file says
/// written out, and `file` and `line`.
///
/// # Errors
/// What of a file can't be read; of a deck that was read without a fault, nothing.
pub fn export(deck: &Deck) -> Result<Vec<Value>, String> {
    let mut written = Vec::new();
    for (_, name, text) in deck.files.iter() {
        let file = yaml::read(text).map_err(|fault| format!("{name}: {}", fault.message))?.value;
        let Value::Object(mut head) = file else { return Err(format!("{name}: a map is expected")) };
        let Some(Value::Array(cases)) = head.remove("cases") else {
            written.push(head);
            continue;
        };
        written.extend(cases.into_iter().filter_map(|case| match case {
            Value::Object(case) => Some(under(&head, case)),
            _ => None,
        }));
    }
    if written.len() != deck.cases.len() {
        return Err(format!("{} cases were read, and {} are written", deck.cases.len(), written.len()));
    }
    let placed = written.into_iter().zip(&deck.cases).map(|(mut written, case)| {
        let (file, line, _) = deck.files.position(case.span).unwrap_or(("", 0, 0));
        written.insert("file".to_owned(), json!(file));
        written.insert("line".to_owned(), json!(line));
        written.insert("patient".to_owned(), case.patient.clone());
        written.insert("tags".to_owned(), json!(case.tags));
        written.insert("as_of".to_owned(), json!(case.as_of));
        Value::Object(written)
    });
    Ok(placed.collect())
}

/// A case of a table: what it does not say itself, the head does. What the head
/// says of all of them stands under `topic`.
fn under(head: &Map<String, Value>, case: Map<String, Value>) -> Map<String, Value> {
    const OF_ALL: [&str; 3] = ["title", "summary", "notes"];
    let (topic, shared): (Map<_, _>, Map<_, _>) =
        head.clone().into_iter().partition(|(key, _)| OF_ALL.contains(&key.as_str()));
    let mut whole = shared;
    whole.insert("topic".to_owned(), Value::Object(topic));
    whole.extend(case);
    whole
}
