//! Limits of a request. Each is a named constant with its reason, and each can
//! be set by configuration.

/// Bytes of a message: ten times the largest realistic record.
pub const MESSAGE_BYTES: usize = 256 * 1024;

/// Bytes of a message with a package to be checked: several times the shipped one.
pub const RULESET_BYTES: usize = 4 * 1024 * 1024;

/// Packages that are checked at once. One, so that a core is left to
/// evaluations on the smallest machine.
pub const CHECKS: usize = 1;

/// Diagnostics that one check reports.
pub const DIAGNOSTICS: usize = 500;

/// Entries of a list of the record.
pub const LIST_ENTRIES: usize = 256;

/// Bytes of a string: codes are short, and words of the record are only shown back.
pub const STRING_BYTES: usize = 256;

/// Bytes of metadata: room for a forwarded client certificate and a token,
/// which together exceed the 16 KiB that the transport would allow.
pub const METADATA_BYTES: u32 = 32 * 1024;

/// Streams of one connection: the transport would allow any number.
pub const STREAMS: u32 = 100;

/// Violations that one answer reports.
pub const VIOLATIONS: usize = 32;

/// Codings of one entry. Fixed: an entry is one thing, however often coded.
pub const CODINGS: usize = 16;

/// Answers of a stream that wait for a slow reader before reading stops.
pub const STREAM_BUFFER: usize = 8;

/// Bytes of a comment on a decision. Fixed: a few paragraphs.
pub const COMMENT_BYTES: usize = 2_000;

/// Items of one feedback: more than any answer has.
pub const FEEDBACK_ITEMS: usize = 256;

/// Decisions on one page of a listing where the caller asks for no size.
pub const PAGE_DECISIONS: usize = 100;

/// Replays at once. One, so that a core is left to evaluations on the smallest
/// machine.
pub const REPLAYS: usize = 1;

/// Rules on one page of a listing where the caller asks for no size.
pub const PAGE_RULES: usize = 100;

/// Limits as they are in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a message, encoded.
    pub message_bytes: usize,
    /// Bytes of a message with a package to be checked, encoded.
    pub ruleset_bytes: usize,
    /// Entries of a list of the record.
    pub list_entries: usize,
    /// Bytes of a string.
    pub string_bytes: usize,
    /// Violations reported by name; further ones are counted.
    pub violations: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: MESSAGE_BYTES,
            ruleset_bytes: RULESET_BYTES,
            list_entries: LIST_ENTRIES,
            string_bytes: STRING_BYTES,
            violations: VIOLATIONS,
        }
    }
}
