//! Signed notes: text with signatures of Ed25519, in the form of
//! <https://c2sp.org/signed-note>, and the keys of it. Packages are signed so,
//! and the heads of the audit log.
//!
//! ```text
//! the text,
//! line by line
//!
//! — clinic.example 2k9J…
//! ```
//!
//! The text, up to and with the line break before the empty line, is signed. A
//! line of a signature is an em dash, the name of the key, and base64 of four
//! bytes of the key's id and the signature.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

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

/// Why a note does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoteFault {
    /// Not a signed note.
    Malformed,
    /// No trusted key signed; the names of those that did.
    UnknownKey(Vec<String>),
    /// The signature of a trusted key is wrong.
    Wrong(String),
}

impl fmt::Display for NoteFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => out.write_str("not a signed note"),
            Self::UnknownKey(names) => write!(out, "signed by no trusted key, but by {}", names.join(", ")),
            Self::Wrong(name) => write!(out, "the signature of `{name}` is wrong"),
        }
    }
}

impl std::error::Error for NoteFault {}

/// A text, which ends in a line break, with a signature of each key.
#[must_use]
pub fn sign(text: &str, keys: &[&PrivateKey]) -> String {
    let mut note = format!("{text}\n");
    for key in keys {
        let mut bytes = key.public().id.to_vec();
        bytes.extend(key.key.sign(text.as_bytes()).to_bytes());
        note.push_str(&format!("\u{2014} {} {}\n", key.name, STANDARD.encode(bytes)));
    }
    note
}

/// The text of a note that at least one of the keys signed, and none wrongly.
///
/// # Errors
/// [`NoteFault`].
pub fn open<'a>(note: &'a str, keys: &[TrustedKey]) -> Result<&'a str, NoteFault> {
    let (text, signatures) = split(note).ok_or(NoteFault::Malformed)?;
    let mut held = false;
    for (name, id, signature) in &signatures {
        // A line of another key says nothing, whatever stands in it.
        let Some(key) = keys.iter().find(|key| key.name == *name && key.id == *id) else { continue };
        let wrong = || NoteFault::Wrong((*name).to_owned());
        let signature = Signature::from_slice(signature).map_err(|_| wrong())?;
        key.key.verify_strict(text.as_bytes(), &signature).map_err(|_| wrong())?;
        held = true;
    }
    if held {
        return Ok(text);
    }
    Err(NoteFault::UnknownKey(signatures.iter().map(|(name, ..)| format!("`{name}`")).collect()))
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
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

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

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// As text, to be kept secret.
    #[must_use]
    pub fn secret_text(&self) -> String {
        format!("PRIVATE+KEY+{}+{}+{}", self.name, hex(&self.public().id), encoded(self.key.as_bytes()))
    }
}

fn encoded(key: &[u8; 32]) -> String {
    let mut bytes = vec![ALGORITHM];
    bytes.extend(key);
    STANDARD.encode(bytes)
}

/// Hexadecimal, lower case.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        text.push_str(&format!("{byte:02x}"));
        text
    })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
