//! Canonical protobuf JSON, in and out, by reflection over the descriptor set:
//! one mapping for the wire's types, whatever the text format.

use std::fmt;
use std::sync::LazyLock;

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, SerializeOptions};
use serde::Deserializer;
use serde::de::Error as _;

use super::{DESCRIPTOR_SET, proto};

static POOL: LazyLock<Result<DescriptorPool, String>> =
    LazyLock::new(|| DescriptorPool::decode(DESCRIPTOR_SET).map_err(|error| error.to_string()));

/// A message of `concord.v1` that has a JSON form here.
pub trait Named: Message + Default {
    /// Full name of the message.
    const NAME: &'static str;
}

impl Named for proto::EvaluateRequest {
    const NAME: &'static str = "concord.v1.EvaluateRequest";
}

impl Named for proto::Patient {
    const NAME: &'static str = "concord.v1.Patient";
}

impl Named for proto::EvaluateResponse {
    const NAME: &'static str = "concord.v1.EvaluateResponse";
}

impl Named for proto::GetDecisionResponse {
    const NAME: &'static str = "concord.v1.GetDecisionResponse";
}

impl Named for proto::GetDecisionRequest {
    const NAME: &'static str = "concord.v1.GetDecisionRequest";
}

impl Named for proto::ListDecisionsRequest {
    const NAME: &'static str = "concord.v1.ListDecisionsRequest";
}

impl Named for proto::ReplayDecisionRequest {
    const NAME: &'static str = "concord.v1.ReplayDecisionRequest";
}

impl Named for proto::DecisionSummary {
    const NAME: &'static str = "concord.v1.DecisionSummary";
}

impl Named for proto::ReplayDecisionResponse {
    const NAME: &'static str = "concord.v1.ReplayDecisionResponse";
}

/// Why a message has no JSON: a fault of the build, never of the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError(String);

impl fmt::Display for JsonError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for JsonError {}

/// The descriptors of `concord.v1` and its imports.
///
/// # Errors
/// Where the embedded set can't be decoded.
pub fn pool() -> Result<&'static DescriptorPool, JsonError> {
    POOL.as_ref().map_err(|error| JsonError(error.clone()))
}

fn descriptor(name: &str) -> Result<MessageDescriptor, JsonError> {
    pool()?.get_message_by_name(name).ok_or_else(|| JsonError(format!("no message {name}")))
}

/// Reads a message by its canonical mapping: fields in lowerCamelCase or as
/// the .proto spells them, enums by name or number.
///
/// # Errors
/// The deserializer's error: an unknown field or enum value is named, and a
/// JSON reader adds line and column.
pub fn from_serde<'de, M: Named, D: Deserializer<'de>>(from: D) -> Result<M, D::Error> {
    let descriptor = descriptor(M::NAME).map_err(D::Error::custom)?;
    let dynamic = DynamicMessage::deserialize(descriptor, from)?;
    dynamic.transcode_to().map_err(D::Error::custom)
}

/// Reads one JSON document.
///
/// # Errors
/// With line and column.
pub fn from_str<M: Named>(text: &str) -> Result<M, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let message = from_serde(&mut reader)?;
    reader.end()?;
    Ok(message)
}

/// One line of canonical JSON: enums by name, defaults left out.
///
/// # Errors
/// [`JsonError`], which only a fault of the build causes.
pub fn to_line<M: Named>(message: &M) -> Result<String, JsonError> {
    let mut dynamic = DynamicMessage::new(descriptor(M::NAME)?);
    dynamic.transcode_from(message).map_err(|error| JsonError(error.to_string()))?;
    let mut line = serde_json::Serializer::new(Vec::new());
    dynamic
        .serialize_with_options(&mut line, &SerializeOptions::new())
        .map_err(|error| JsonError(error.to_string()))?;
    String::from_utf8(line.into_inner()).map_err(|error| JsonError(error.to_string()))
}

/// The JSON of a message of this name; defaults are left out.
///
/// # Errors
/// [`JsonError`] where the bytes are no such message.
pub fn value(name: &str, bytes: &[u8]) -> Result<serde_json::Value, JsonError> {
    let failed = |error: &dyn fmt::Display| JsonError(error.to_string());
    let message = DynamicMessage::decode(descriptor(name)?, bytes).map_err(|error| failed(&error))?;
    message
        .serialize_with_options(serde_json::value::Serializer, &SerializeOptions::new())
        .map_err(|error| failed(&error))
}

/// Name of the message that a method takes; none where there is no such method.
#[must_use]
pub fn request_of(method: &str) -> Option<String> {
    let (service, name) = method.split_once('/')?;
    let service = pool().ok()?.get_service_by_name(service)?;
    let method = service.methods().find(|method| method.name() == name)?;
    Some(method.input().full_name().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mapping_is_canonical() {
        let text = r#"{"patient":{"ageYears":28,"sex":"MALE"},"explain":"FULL"}"#;
        let request: proto::EvaluateRequest = from_str(text).unwrap();
        assert_eq!(to_line(&request).unwrap(), text);
        let spelled: proto::EvaluateRequest = from_str(r#"{"patient":{"age_years":28,"sex":2},"explain":3}"#).unwrap();
        assert_eq!(spelled, request);
    }

    #[test]
    fn the_request_of_a_method_is_read_by_its_name() {
        let name = request_of("concord.v1.DecisionService/Evaluate").unwrap();
        let request: proto::EvaluateRequest = from_str(r#"{"requestId":"r","patient":{"ageYears":28}}"#).unwrap();
        let read = value(&name, &request.encode_to_vec()).unwrap();
        assert_eq!(read, serde_json::json!({"requestId": "r", "patient": {"ageYears": 28}}));
        assert!(value(&name, b"\xff").is_err());
        assert_eq!(request_of("concord.v1.DecisionService/Elsewhere"), None);
        assert_eq!(request_of("concord audit show"), None);
    }

    #[test]
    fn an_unknown_field_is_named_with_its_place() {
        let error = from_str::<proto::Patient>("{\n \"agee\": 1}").unwrap_err();
        assert_eq!((error.line(), error.to_string().contains("'agee'")), (2, true));
    }
}
