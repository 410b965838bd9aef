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
//! The text, up to and with the line break before the empty line, is signed by
//! Ed25519. A line of it is the SHA-256 of a file, two spaces and its path,
//! ordered by path. A line of a signature is an em dash, the name of the key,
//! and base64 of four bytes of the key's id and the signature.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::source::Sources;
use crate::diag::Files;

/// First line of a manifest: a key that signs other notes too signs no package
/// by accident.
const HEADER: &str = "concord rules manifest v1";

/// Ed25519, as signed notes number their algorithms.
const ALGORITHM: u8 = 1;

/// A public key with its name: `name+id+base64`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

/// A private key with its name: `PRIVATE+KEY+name+id+base64`.
pub struct PrivateKey {
    name: String,
    key: SigningKey,
}

/// Text that is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Not of the form.
    #[error("a key is written `name+id+base64`, as `concord rules keygen` prints it")]
    Form,
    /// A private key where a public one is meant.
    #[error("this is a private key; pin the public one, which `concord rules keygen` printed")]
    Private,
    /// The id is not that of the key.
    #[error("the id does not belong to the name and the key: part of it is mistyped")]
    Id,
    /// A name that can't be one.
    #[error("the name of a key has 1 to 100 characters, and no space, plus or comma among them")]
    Name,
    /// A key that everyone can sign for.
    #[error("not a key of Ed25519 that can be trusted")]
    Weak,
}

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
    let note = note.ok_or(SignatureFault::Unsigned)?;
    let (text, signatures) = split(note).ok_or(SignatureFault::Malformed)?;
    let mut held = false;
    for (name, id, signature) in &signatures {
        // A line of another key says nothing, whatever stands in it.
        let Some(key) = keys.iter().find(|key| key.name == *name && key.id == *id) else { continue };
        let signature = Signature::from_slice(signature).map_err(|_| SignatureFault::Wrong((*name).to_owned()))?;
        let holds = key.key.verify_strict(text.as_bytes(), &signature).is_ok();
        if !holds {
            return Err(SignatureFault::Wrong((*name).to_owned()));
        }
        held = true;
    }
    if !held {
        let names: Vec<String> = signatures.iter().map(|(name, ..)| format!("`{name}`")).collect();
        return Err(SignatureFault::UnknownKey(names.join(", ")));
    }
    let computed = manifest(files);
    if computed == text {
        return Ok(());
    }
    Err(difference(text, &computed))
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

type Line<'a> = (&'a str, [u8; 4], Vec<u8>);

/// The text of a note, and its signatures.
fn split(note: &str) -> Option<(&str, Vec<Line<'_>>)> {
    let end = note.rfind("\n\n")?.checked_add(1)?;
    let (text, rest) = note.split_at_checked(end)?;
    let rest = rest.strip_prefix('\n')?.strip_suffix('\n')?;
    let line = |line| -> Option<Line<'_>> {
        let (name, encoded) = str::strip_prefix(line, "\u{2014} ")?.split_once(' ')?;
        let bytes = STANDARD.decode(encoded).ok()?;
        let (id, signature) = bytes.split_first_chunk::<4>()?;
        Some((name, *id, signature.to_vec()))
    };
    let signatures: Vec<Line<'_>> = rest.split('\n').map(line).collect::<Option<_>>()?;
    Some((text, signatures))
}

fn key_id(name: &str, key: &VerifyingKey) -> [u8; 4] {
    let mut hash = Sha256::new();
    hash.update(name.as_bytes());
    hash.update([b'\n', ALGORITHM]);
    hash.update(key.as_bytes());
    let [a, b, c, d, ..] = <[u8; 32]>::from(hash.finalize());
    [a, b, c, d]
}

fn named(name: &str) -> Result<(), KeyFault> {
    let odd = |character: char| character.is_whitespace() || character.is_control() || "+,".contains(character);
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(odd) {
        return Err(KeyFault::Name);
    }
    Ok(())
}

/// Name, id and 32 bytes of a key.
fn parts(text: &str) -> Result<(&str, [u8; 4], [u8; 32]), KeyFault> {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(KeyFault::Form);
    };
    named(name)?;
    let id = (id.len() == 8).then(|| u32::from_str_radix(id, 16).ok()).flatten().ok_or(KeyFault::Form)?;
    let bytes = STANDARD.decode(encoded).map_err(|_| KeyFault::Form)?;
    match bytes.split_first() {
        Some((&ALGORITHM, key)) => Ok((name, id.to_be_bytes(), key.try_into().map_err(|_| KeyFault::Form)?)),
        _ => Err(KeyFault::Form),
    }
}

impl TrustedKey {
    /// Reads a public key.
    ///
    /// # Errors
    /// [`KeyFault`] where the text is not one.
    pub fn parse(text: &str) -> Result<Self, KeyFault> {
        if text.starts_with("PRIVATE+KEY+") {
            return Err(KeyFault::Private);
        }
        let (name, id, bytes) = parts(text)?;
        let key = VerifyingKey::from_bytes(&bytes).ok().filter(|key| !key.is_weak()).ok_or(KeyFault::Weak)?;
        if key_id(name, &key) != id {
            return Err(KeyFault::Id);
        }
        Ok(Self { name: name.to_owned(), id, key })
    }
}

impl fmt::Display for TrustedKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}+{}+{}", self.name, hex(&self.id), encoded(self.key.as_bytes()))
    }
}

impl PrivateKey {
    /// A key of 32 random bytes.
    ///
    /// # Errors
    /// [`KeyFault::Name`] where the name can't be one.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, KeyFault> {
        named(name)?;
        Ok(Self { name: name.to_owned(), key: SigningKey::from_bytes(seed) })
    }

    /// Reads a private key.
    ///
    /// # Errors
    /// [`KeyFault`] where the text is not one.
    pub fn parse(text: &str) -> Result<Self, KeyFault> {
        let text = text.strip_prefix("PRIVATE+KEY+").ok_or(KeyFault::Form)?;
        let (name, id, seed) = parts(text)?;
        let key = Self::new(name, &seed)?;
        if key.public().id != id {
            return Err(KeyFault::Id);
        }
        Ok(key)
    }

    /// Its public key.
    #[must_use]
    pub fn public(&self) -> TrustedKey {
        let key = self.key.verifying_key();
        TrustedKey { name: self.name.clone(), id: key_id(&self.name, &key), key }
    }

    /// As text, to be kept secret.
    #[must_use]
    pub fn secret_text(&self) -> String {
        format!("PRIVATE+KEY+{}+{}+{}", self.name, hex(&self.public().id), encoded(self.key.as_bytes()))
    }

    /// The signed note of a package: the text of `package.sig`.
    #[must_use]
    pub fn sign(&self, files: &Files) -> String {
        let text = manifest(files);
        let mut bytes = self.public().id.to_vec();
        bytes.extend(self.key.sign(text.as_bytes()).to_bytes());
        format!("{text}\n\u{2014} {} {}\n", self.name, STANDARD.encode(bytes))
    }
}

fn encoded(key: &[u8; 32]) -> String {
    let mut bytes = vec![ALGORITHM];
    bytes.extend(key);
    STANDARD.encode(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        text.push_str(&format!("{byte:02x}"));
        text
    })
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
