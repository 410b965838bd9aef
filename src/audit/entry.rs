//! An entry of the log: a leaf in clear, which says nothing of a patient, and
//! content, which is sealed. The form is that of `docs/audit.md`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::content::Content;
use super::tree::{self, Hash};
use crate::clinical::prints_nothing;

/// Version of the form.
pub const VERSION: u8 = 1;

/// Most bytes of a leaf, so that the log fits the bundles of C2SP tlog-tiles.
pub const LEAF_BYTES: usize = 65_535;

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A patient was evaluated.
    Decision,
    /// A call was refused, or failed.
    Refusal,
    /// What became of a decision.
    Feedback,
    /// A rules package became active.
    Ruleset,
    /// Someone read the record.
    Read,
    /// A key that signs checkpoints.
    Key,
    /// Keys of content were destroyed.
    Erasure,
    /// The oldest entries were deleted.
    Retention,
    /// The log itself: created, opened, recovered, closed.
    Log,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Decision,
        Self::Refusal,
        Self::Feedback,
        Self::Ruleset,
        Self::Read,
        Self::Key,
        Self::Erasure,
        Self::Retention,
        Self::Log,
    ];

    /// As a leaf spells it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Refusal => "refusal",
            Self::Feedback => "feedback",
            Self::Ruleset => "ruleset",
            Self::Read => "read",
            Self::Key => "key",
            Self::Erasure => "erasure",
            Self::Retention => "retention",
            Self::Log => "log",
        }
    }
}

/// How a leaf binds its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BodyRef {
    /// HMAC of what was sealed, 64 hexadecimal digits.
    pub commitment: String,
    /// SHA-256 of the sealed body, 64 hexadecimal digits.
    pub sha256: String,
}

/// What an entry says in clear. `docs/audit.md` says what each member means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the members are those of the table in docs/audit.md")]
pub struct Leaf {
    pub v: u8,
    pub kind: Kind,
    pub id: Uuid,
    pub at: String,
    pub build: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<BodyRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ruleset: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub semantics: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub fields: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlay: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub entries: Vec<[u64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
}

impl Leaf {
    /// A leaf of a kind, made now by this program, with an id of its own.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self {
            v: VERSION,
            kind,
            id: Uuid::now_v7(),
            at: instant(Timestamp::now()),
            build: env!("CARGO_PKG_VERSION").to_owned(),
            body: None,
            caller: None,
            method: None,
            trace: None,
            received: None,
            ruleset: None,
            semantics: None,
            status: None,
            reason: None,
            fields: Vec::new(),
            of: None,
            count: None,
            name: None,
            version: None,
            overlay: None,
            content: None,
            event: None,
            key: None,
            entries: Vec::new(),
            first: None,
        }
    }

    /// Canonical JSON (RFC 8785): members in order, no white space.
    ///
    /// # Errors
    /// Where it is longer than [`LEAF_BYTES`].
    pub fn bytes(&self) -> Result<Vec<u8>, LeafFault> {
        // A value keeps its members in order, which for ASCII is that of the RFC.
        let value = serde_json::to_value(self).map_err(|_| LeafFault::Form)?;
        let bytes = serde_json::to_vec(&value).map_err(|_| LeafFault::Form)?;
        if bytes.len() > LEAF_BYTES {
            return Err(LeafFault::TooLong);
        }
        Ok(bytes)
    }

    /// Reads a leaf, members of later programs aside.
    ///
    /// # Errors
    /// [`LeafFault`] where the bytes are not canonical, or not a leaf of this
    /// version.
    pub fn read(bytes: &[u8]) -> Result<Self, LeafFault> {
        if bytes.len() > LEAF_BYTES {
            return Err(LeafFault::TooLong);
        }
        let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|_| LeafFault::Form)?;
        if value.get("v").and_then(serde_json::Value::as_u64) != Some(u64::from(VERSION)) {
            return Err(LeafFault::Version);
        }
        if serde_json::to_vec(&value).ok().as_deref() != Some(bytes) {
            return Err(LeafFault::Form);
        }
        let leaf: Self = Self::deserialize(&value).map_err(|_| LeafFault::Form)?;
        // Either can be spelled in many ways, of which one is ours.
        let id = value.get("id").and_then(serde_json::Value::as_str);
        if leaf.made().map(instant).as_ref() != Some(&leaf.at) || id != Some(leaf.id.to_string().as_str()) {
            return Err(LeafFault::Form);
        }
        Ok(leaf)
    }

    /// When the entry was made.
    #[must_use]
    pub fn made(&self) -> Option<Timestamp> {
        self.at.parse().ok()
    }
}

/// Bytes that are no leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeafFault {
    /// Not canonical JSON with the members of a leaf.
    #[error("not a leaf in canonical JSON")]
    Form,
    /// Of another version.
    #[error("not a leaf of version 1")]
    Version,
    /// Too long.
    #[error("a leaf has at most 65,535 bytes")]
    TooLong,
}

/// An instant as leaves spell it: UTC, six decimals.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    format!("{at:.6}")
}

/// What is to become an entry.
#[derive(Clone)]
pub struct Draft {
    /// What is in clear; its `body` is filled in when it is sealed.
    pub leaf: Leaf,
    /// What is sealed.
    pub content: Option<Content>,
    /// The patient that the content is of, as the caller names it: what erasure
    /// finds.
    pub subject: Subject,
    /// The caller's id of the request: a second entry of the same caller and id
    /// is not made.
    pub once: Option<String>,
}

/// Whose content it is.
#[derive(Clone, Default)]
pub enum Subject {
    /// No one's, or it is not known whose.
    #[default]
    None,
    /// The patient of this id.
    Patient(String),
    /// The patient of this tag: of another entry.
    Tag([u8; 16]),
}

// The id of a patient is printed nowhere.
impl std::fmt::Debug for Subject {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::None => "None",
            Self::Patient(_) => "Patient(…)",
            Self::Tag(_) => "Tag(…)",
        })
    }
}

impl Draft {
    /// With nothing sealed.
    #[must_use]
    pub fn clear(leaf: Leaf) -> Self {
        Self { leaf, content: None, subject: Subject::None, once: None }
    }

    /// With content.
    #[must_use]
    pub fn sealed(leaf: Leaf, content: Content) -> Self {
        Self { content: Some(content), ..Self::clear(leaf) }
    }
}

/// An entry ready to be appended.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Id.
    pub id: Uuid,
    /// When it was made, microseconds since 1970.
    pub at: i64,
    /// Id of the decision that it is about.
    pub of: Option<Uuid>,
    /// The leaf.
    pub leaf: Vec<u8>,
    /// Hash of the leaf.
    pub hash: Hash,
    /// The sealed body.
    pub body: Option<Vec<u8>>,
    /// The wrapped key of the body.
    pub key: Option<Vec<u8>>,
    /// Tag of the patient.
    pub subject: Option<[u8; 16]>,
    /// Tag of the request id.
    pub once: Option<[u8; 16]>,
}

impl Entry {
    /// An entry without content.
    ///
    /// # Errors
    /// [`LeafFault::TooLong`].
    pub fn clear(leaf: &Leaf) -> Result<Self, LeafFault> {
        let bytes = leaf.bytes()?;
        Ok(Self {
            id: leaf.id,
            at: leaf.made().map_or(0, Timestamp::as_microsecond),
            of: leaf.of,
            hash: tree::leaf_hash(&bytes),
            leaf: bytes,
            body: None,
            key: None,
            subject: None,
            once: None,
        })
    }
}

/// SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

prints_nothing!(Draft);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_is_canonical_and_reads_back() {
        let leaf = Leaf { caller: Some("a\"\\\u{1}\u{e9}".to_owned()), ..Leaf::new(Kind::Decision) };
        let bytes = leaf.bytes().unwrap();
        assert_eq!(Leaf::read(&bytes).unwrap(), leaf);
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with("{\"at\":\"20") && text.contains("\"caller\":\"a\\\"\\\\\\u0001\u{e9}\""), "{text}");
        for other in [text.replace(',', ", "), text.replace("\"v\":1", "\"v\":2"), text.replace("decision", "else")] {
            assert!(Leaf::read(other.as_bytes()).is_err(), "{other}");
        }
        let longer = Leaf { reason: Some("x".repeat(LEAF_BYTES)), ..leaf };
        assert_eq!(longer.bytes(), Err(LeafFault::TooLong));
    }

    #[test]
    fn instants_have_six_decimals() {
        let at: Timestamp = "2026-11-23T06:50:12Z".parse().unwrap();
        assert_eq!(instant(at), "2026-11-23T06:50:12.000000Z");
    }

    #[test]
    fn kinds_are_spelled_as_they_are_written() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.word());
        }
    }
}
