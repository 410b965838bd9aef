//! The JSON of a patient as JSON Schema, by reflection over the contract and
//! its comments, for editors that write cases.

use prost_reflect::{EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::json::{JsonError, Named as _, pool};
use super::proto::Patient;

/// Definitions of `Patient` and of all it is made of, each by its name.
///
/// # Errors
/// [`JsonError`], which only a fault of the build causes.
pub fn definitions() -> Result<Map<String, Value>, JsonError> {
    let mut known = Map::new();
    if let Some(patient) = pool()?.get_message_by_name(Patient::NAME) {
        message(&patient, &mut known);
    }
    Ok(known)
}

fn message(descriptor: &MessageDescriptor, known: &mut Map<String, Value>) {
    if known.contains_key(descriptor.name()) {
        return;
    }
    // The name is known before what it stands for: messages may hold themselves.
    known.insert(descriptor.name().to_owned(), Value::Null);
    let properties: Map<String, Value> =
        descriptor.fields().map(|field| (field.json_name().to_owned(), property(&field, known))).collect();
    let schema = json!({
        "type": "object",
        "description": comment(&descriptor.parent_file(), descriptor.path()),
        "properties": properties,
        "additionalProperties": false,
    });
    known.insert(descriptor.name().to_owned(), schema);
}

fn property(field: &FieldDescriptor, known: &mut Map<String, Value>) -> Value {
    let one = match field.kind() {
        Kind::Message(inner) => {
            message(&inner, known);
            json!({"$ref": format!("#/definitions/{}", inner.name())})
        }
        Kind::Enum(inner) => json!({"enum": words(&inner)}),
        Kind::Bool => json!({"type": "boolean"}),
        Kind::String | Kind::Bytes => json!({"type": "string"}),
        Kind::Float | Kind::Double => json!({"type": "number"}),
        _ => json!({"type": "integer"}),
    };
    let mut value = if field.is_list() { json!({"type": "array", "items": one}) } else { one };
    if let Value::Object(map) = &mut value {
        map.insert("description".to_owned(), json!(comment(&field.parent_file(), field.path())));
    }
    value
}

/// The words of an enum, but for the one that says nothing.
fn words(descriptor: &EnumDescriptor) -> Vec<String> {
    descriptor.values().filter(|value| value.number() != 0).map(|value| value.name().to_owned()).collect()
}

/// The comment above a declaration, as one paragraph a blank line.
fn comment(file: &FileDescriptor, path: &[i32]) -> String {
    let locations = file.file_descriptor_proto().source_code_info.iter().flat_map(|info| &info.location);
    let text =
        locations.filter(|location| location.path == path).find_map(|location| location.leading_comments.clone());
    let text = text.unwrap_or_default();
    let paragraphs = text.split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_patient_is_made_of_is_defined_with_its_comments() {
        let known = definitions().unwrap();
        assert!(known["Patient"]["properties"]["pregnancy"]["enum"].to_string().contains("\"PREGNANT\""));
        assert_eq!(known["Patient"]["properties"]["pregnancy"]["description"], "Pregnant now?");
        let medications = &known["Patient"]["properties"]["medications"];
        assert_eq!(medications["items"]["$ref"], "#/definitions/Medication");
        for (name, schema) in &known {
            assert!(schema["description"].as_str().is_some_and(|text| !text.is_empty()), "{name}");
        }
    }
}
