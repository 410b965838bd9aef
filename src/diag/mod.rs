//! Diagnostics: where something is wrong in a rules package, what, and what to
//! write instead; rendered for a terminal or as JSON.

use serde::Serialize;

/// A place in a file of a package: bytes `start..end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Span {
    /// Index of the file.
    pub file: u32,
    /// First byte.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
}
