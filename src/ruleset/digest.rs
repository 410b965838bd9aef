//! What names a package for all time: a hash of everything that answers depend on.

use sha2::{Digest, Sha256};

use crate::clinical::terminology::DIGEST_INPUT;
use crate::program::SEMANTICS;
use crate::rule::model::{Overlay, Package};

/// Over the version of the semantics, the code tables and the package in
/// canonical order, as JSON.
#[must_use]
pub fn of_package(package: &Package) -> String {
    let semantics = SEMANTICS.to_be_bytes();
    let package = serde_json::to_vec(package).unwrap_or_default();
    let tables = DIGEST_INPUT.iter().map(|table| table.as_bytes());
    let parts = [b"concord package digest v2".as_slice(), &semantics].into_iter().chain(tables);
    sha256(parts.chain([package.as_slice()]))
}

/// Over an overlay in canonical order, as JSON: its own parameters filled in.
#[must_use]
pub fn of_overlay(overlay: &Overlay) -> String {
    let overlay = serde_json::to_vec(overlay).unwrap_or_default();
    sha256([b"concord overlay digest v1".as_slice(), &overlay].into_iter())
}

/// Over a package with its overlay laid over it, as it is evaluated, and the
/// digest of the package alone.
#[must_use]
pub fn of_both(merged: &Package, base_digest: &str) -> String {
    sha256([b"concord ruleset digest v1".as_slice(), base_digest.as_bytes(), of_package(merged).as_bytes()].into_iter())
}

/// SHA-256, hexadecimal. Each part is led by its length, so that no two inputs
/// run together.
fn sha256<'a>(parts: impl Iterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        text.push_str(&format!("{byte:02x}"));
        text
    })
}
