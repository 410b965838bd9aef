//! What names a package for all time: a hash of everything that answers depend on.

use sha2::{Digest, Sha256};

use crate::clinical::terminology::DIGEST_INPUT;
use crate::program::SEMANTICS;
use crate::rule::model::Package;

/// SHA-256, hexadecimal, over the version of the semantics, the code tables and
/// the package in canonical order, as JSON. Each part is led by its length, so
/// that no two inputs run together.
#[must_use]
pub fn of(package: &Package) -> String {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(b"concord package digest v1");
    part(&SEMANTICS.to_be_bytes());
    for table in DIGEST_INPUT {
        part(table.as_bytes());
    }
    part(&serde_json::to_vec(package).unwrap_or_default());
    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        text.push_str(&format!("{byte:02x}"));
        text
    })
}
