//! Signatures of packages and overlays, each for itself: a detached note in the
//! text form of <https://c2sp.org/signed-note>, in `package.sig` beside the files.
//!
//! ```text
//! concord rules manifest v1
//! 5891b5b5…  package.yaml
//! 0263829b…  safety/suicide.yaml
//!
//! — clinic.example 2k9J…
//! ```
//!
//! A line of the text is the SHA-256 of a file, two spaces and its path, ordered
//! by path.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::source::Sources;
use crate::diag::Files;
use crate::note::{self, NoteFault, PrivateKey, TrustedKey, hex};

/// First line of a manifest: a key that signs other notes too signs no package
/// by accident.
const HEADER: &str = "concord rules manifest v1";

/// Why a signature does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// There is none.
    #[error("not signed: there is no `package.sig`, and rules.require_signature is set")]
    Unsigned,
    /// Not a signed note.
    #[error("`package.sig` is not a signed note")]
    Malformed,
    /// No trusted key signed.
    #[error("`package.sig` is signed by no key of rules.trusted_keys, but by {0}")]
    UnknownKey(String),
    /// The signature of a trusted key is wrong.
    #[error("the signature of `{0}` in `package.sig` is wrong")]
    Wrong(String),
    /// A file differs from what was signed.
    #[error("`{0}` differs from what was signed")]
    Tampered(String),
    /// A file that was signed is gone.
    #[error("`{0}` was signed and is missing")]
    Missing(String),
    /// A file that was not signed.
    #[error("`{0}` was not signed")]
    Extra(String),
}

impl SignatureFault {
    /// A word for metrics.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::Malformed => "malformed-signature",
            Self::UnknownKey(_) => "unknown-key",
            Self::Wrong(_) => "wrong-signature",
            Self::Tampered(_) => "tampered-file",
            Self::Missing(_) => "missing-file",
            Self::Extra(_) => "extra-file",
        }
    }
}

/// What is signed of a package or of an overlay.
#[must_use]
pub fn manifest(files: &Files) -> String {
    let lines = files.iter().map(|(_, name, text)| format!("{}  {name}\n", hex(&Sha256::digest(text.as_bytes()))));
    format!("{HEADER}\n{}", lines.collect::<String>())
}

/// SHA-256 of the manifest of a package, followed by that of its overlay where
/// there is one, hexadecimal: names the bytes of the files, where the digest of
/// the package names what they mean.
#[must_use]
pub fn content_digest(sources: &Sources) -> String {
    let overlay = sources.overlay.as_ref().map(manifest).unwrap_or_default();
    hex(&Sha256::digest((manifest(&sources.base) + &overlay).as_bytes()))
}

/// SHA-256 of one manifest, hexadecimal.
#[must_use]
pub fn files_digest(files: &Files) -> String {
    hex(&Sha256::digest(manifest(files).as_bytes()))
}

/// Holds a signature against the files and the keys.
///
/// # Errors
/// [`SignatureFault`], the first of them in the order of its declaration.
pub fn verify(files: &Files, note: Option<&str>, keys: &[TrustedKey]) -> Result<(), SignatureFault> {
    let text = note::open(note.ok_or(SignatureFault::Unsigned)?, keys).map_err(|fault| match fault {
        NoteFault::Malformed => SignatureFault::Malformed,
        NoteFault::UnknownKey(names) => SignatureFault::UnknownKey(names.join(", ")),
        NoteFault::Wrong(name) => SignatureFault::Wrong(name),
    })?;
    let computed = manifest(files);
    if computed == text {
        return Ok(());
    }
    Err(difference(text, &computed))
}

/// The signed note of a package: the text of `package.sig`.
#[must_use]
pub fn sign(files: &Files, key: &PrivateKey) -> String {
    note::sign(&manifest(files), &[key])
}

fn difference(signed: &str, found: &str) -> SignatureFault {
    let lines = |text: &str| -> BTreeMap<String, String> {
        let rows = text.lines().filter_map(|line| line.split_once("  "));
        rows.map(|(hash, path)| (path.to_owned(), hash.to_owned())).collect()
    };
    let (signed, found) = (lines(signed), lines(found));
    if let Some((path, _)) = found.iter().find(|(path, hash)| signed.get(*path).is_some_and(|known| known != *hash)) {
        return SignatureFault::Tampered(path.clone());
    }
    if let Some(path) = signed.keys().find(|path| !found.contains_key(*path)) {
        return SignatureFault::Missing(path.clone());
    }
    match found.keys().find(|path| !signed.contains_key(*path)) {
        Some(path) => SignatureFault::Extra(path.clone()),
        None => SignatureFault::Malformed,
    }
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
