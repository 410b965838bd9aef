//! Sets of public keys (RFC 7517) that sign tokens.
//!
//! Keys of a kind that no algorithm here has, or for another use, are passed
//! over, as the standard asks: a set is published for many readers. A key that
//! is of a known kind and malformed, or private, makes the whole set unusable.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::{Map, Value};

use super::json;

/// Bytes of a set.
pub const BYTES: usize = 256 * 1024;

/// Keys of a set, those passed over included.
const KEYS: usize = 256;

/// Bytes of the name of a key.
const ID_BYTES: usize = 256;

/// Members that only a private key has, and a symmetric one.
const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

/// How a token may be signed: by asymmetric keys alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA, PKCS #1 v1.5, SHA-256.
    Rs256,
    /// RSA, PKCS #1 v1.5, SHA-384.
    Rs384,
    /// RSA, PKCS #1 v1.5, SHA-512.
    Rs512,
    /// RSA, PSS, SHA-256.
    Ps256,
    /// RSA, PSS, SHA-384.
    Ps384,
    /// RSA, PSS, SHA-512.
    Ps512,
    /// ECDSA on P-256, SHA-256.
    Es256,
    /// ECDSA on P-384, SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// All there are, by their names in tokens.
    pub const ALL: [(&'static str, Self); 9] = [
        ("RS256", Self::Rs256),
        ("RS384", Self::Rs384),
        ("RS512", Self::Rs512),
        ("PS256", Self::Ps256),
        ("PS384", Self::Ps384),
        ("PS512", Self::Ps512),
        ("ES256", Self::Es256),
        ("ES384", Self::Es384),
        ("EdDSA", Self::EdDsa),
    ];

    /// By its name, to the letter.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, algorithm)| *algorithm)
    }
}

/// Keys by name.
#[derive(Clone)]
pub struct KeySet(Vec<Key>);

#[derive(Clone)]
struct Key {
    id: String,
    /// The one that it is for, where it says.
    algorithm: Option<Algorithm>,
    material: Material,
}

#[derive(Clone)]
enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// Why a set can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetFault {
    /// Longer than 256 KiB, or of more than 256 keys.
    Long,
    /// Not a JSON object with a list `keys` of objects, or a key stands twice.
    Malformed,
    /// Holds a private key.
    Private,
    /// A key has a member that is missing, malformed, or too weak.
    Key,
    /// Two keys have one name.
    Twice,
    /// No key signs tokens by an algorithm that is known.
    Empty,
}

impl fmt::Display for SetFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Long => "has more than 256 KiB or 256 keys",
            Self::Malformed => "is not a JSON object with a list `keys`, each of its members once",
            Self::Private => "holds a private key: only public ones belong here",
            Self::Key => "has a key that is malformed, or an RSA key of less than 2048 or more than 8192 bits",
            Self::Twice => "has two keys of one `kid`",
            Self::Empty => "has no key with a `kid` that signs by RSA, P-256, P-384 or Ed25519",
        })
    }
}

impl std::error::Error for SetFault {}

impl fmt::Debug for KeySet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "KeySet({} keys)", self.0.len())
    }
}

impl KeySet {
    /// Reads a set.
    ///
    /// # Errors
    /// [`SetFault`].
    pub fn parse(text: &[u8]) -> Result<Self, SetFault> {
        if text.len() > BYTES {
            return Err(SetFault::Long);
        }
        let set = json::object(text).ok_or(SetFault::Malformed)?;
        let listed = set.get("keys").and_then(Value::as_array).ok_or(SetFault::Malformed)?;
        if listed.len() > KEYS {
            return Err(SetFault::Long);
        }
        let mut keys: Vec<Key> = Vec::new();
        for key in listed {
            let Some(key) = key_of(key.as_object().ok_or(SetFault::Malformed)?)? else { continue };
            if keys.iter().any(|other| other.id == key.id) {
                return Err(SetFault::Twice);
            }
            keys.push(key);
        }
        if keys.is_empty() { Err(SetFault::Empty) } else { Ok(Self(keys)) }
    }

    /// How many keys are used.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Is there a key of this name?
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id == id)
    }

    /// Is `signature` one of `message` by the key of this name? Also no where the
    /// key is for another algorithm.
    #[must_use]
    pub fn verifies(&self, id: &str, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let key = self.0.iter().find(|key| key.id == id);
        key.filter(|key| key.algorithm.is_none_or(|own| own == algorithm))
            .is_some_and(|key| key.material.verifies(algorithm, message, signature))
    }
}

impl Material {
    fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let point = |how: &'static dyn signature::VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(how, key).verify(message, signature).is_ok()
        };
        match (self, algorithm) {
            (Self::P256(key), Algorithm::Es256) => point(&signature::ECDSA_P256_SHA256_FIXED, key),
            (Self::P384(key), Algorithm::Es384) => point(&signature::ECDSA_P384_SHA384_FIXED, key),
            (Self::Ed25519(key), Algorithm::EdDsa) => point(&signature::ED25519, key),
            (Self::Rsa { n, e }, _) => rsa(algorithm)
                .is_some_and(|how| RsaPublicKeyComponents { n, e }.verify(how, message, signature).is_ok()),
            _ => false,
        }
    }
}

fn rsa(algorithm: Algorithm) -> Option<&'static signature::RsaParameters> {
    match algorithm {
        Algorithm::Rs256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => None,
    }
}

/// A key of the set; none where it is not for this reader.
fn key_of(jwk: &Map<String, Value>) -> Result<Option<Key>, SetFault> {
    let text = |name: &str| match jwk.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(SetFault::Key),
    };
    if PRIVATE.iter().any(|name| jwk.contains_key(*name)) {
        return Err(SetFault::Private);
    }
    let verifies = match jwk.get("key_ops") {
        None => true,
        Some(Value::Array(uses)) => uses.iter().any(|one| one == "verify"),
        Some(_) => return Err(SetFault::Key),
    };
    if !verifies || text("use")?.is_some_and(|it| it != "sig") {
        return Ok(None);
    }
    let algorithm = match text("alg")?.map(Algorithm::named) {
        // For another algorithm than any that is known.
        Some(None) => return Ok(None),
        Some(known) => known,
        None => None,
    };
    let bytes = |name: &str| {
        let text = text(name)?.ok_or(SetFault::Key)?;
        BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| SetFault::Key)
    };
    let point = |size: usize| {
        let (x, y) = (bytes("x")?, bytes("y")?);
        if x.len() != size || y.len() != size {
            return Err(SetFault::Key);
        }
        Ok([vec![4], x, y].concat())
    };
    let material = match (text("kty")?.ok_or(SetFault::Key)?, text("crv")?) {
        ("RSA", _) => {
            let (n, e) = (bytes("n")?, bytes("e")?);
            let strong = (256..=1024).contains(&n.len()) && (1..=4).contains(&e.len());
            if !strong || n.first() == Some(&0) || e.first() == Some(&0) {
                return Err(SetFault::Key);
            }
            Material::Rsa { n, e }
        }
        ("EC", Some("P-256")) => Material::P256(point(32)?),
        ("EC", Some("P-384")) => Material::P384(point(48)?),
        ("OKP", Some("Ed25519")) => {
            Material::Ed25519(bytes("x").and_then(|x| if x.len() == 32 { Ok(x) } else { Err(SetFault::Key) })?)
        }
        _ => return Ok(None),
    };
    // Without a name no token can mean it.
    let Some(id) = text("kid")? else { return Ok(None) };
    if id.is_empty() || id.len() > ID_BYTES {
        return Err(SetFault::Key);
    }
    Ok(Some(Key { id: id.to_owned(), algorithm, material }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    fn read(keys: &str) -> Result<usize, SetFault> {
        KeySet::parse(format!("{{\"keys\": [{keys}]}}").as_bytes()).map(|set| set.count())
    }

    fn ed(more: &str) -> String {
        format!(r#"{{"kty": "OKP", "crv": "Ed25519", "x": "{X}"{more}}}"#)
    }

    #[test]
    fn keys_of_other_kinds_and_uses_are_passed_over() {
        let mine = ed(r#", "kid": "a", "use": "sig", "alg": "EdDSA", "x5t": "abc""#);
        assert_eq!(read(&mine), Ok(1));
        for other in [
            r#"{"kty": "oct", "k": "c2VjcmV0", "kid": "b"}"#.to_owned(),
            r#"{"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA", "kid": "b"}"#.to_owned(),
            r#"{"kty": "new", "kid": "b"}"#.to_owned(),
            ed(r#", "kid": "b", "use": "enc""#),
            ed(r#", "kid": "b", "key_ops": ["sign"]"#),
            ed(r#", "kid": "b", "alg": "HS256""#),
            ed(""),
        ] {
            assert_eq!(read(&format!("{mine}, {other}")), Ok(1), "{other}");
            assert_eq!(read(&other), Err(SetFault::Empty), "{other}");
        }
        let many = [mine.clone(), ed(r#", "kid": "b", "key_ops": ["verify"]"#)].join(",");
        assert_eq!(read(&many), Ok(2));
    }

    #[test]
    fn a_set_that_is_wrong_is_refused_whole() {
        let mine = ed(r#", "kid": "a""#);
        let modulus = |bytes: usize| BASE64_URL_SAFE_NO_PAD.encode(vec![0xff; bytes]);
        let rsa = |n: &str, e: &str| format!(r#"{{"kty": "RSA", "n": "{n}", "e": "{e}", "kid": "r"}}"#);
        assert_eq!(read(&rsa(&modulus(256), "AQAB")), Ok(1));
        for (keys, fault) in [
            (ed(r#", "kid": "b", "d": "AA""#), SetFault::Private),
            (rsa(&modulus(128), "AQAB"), SetFault::Key),
            (rsa(&modulus(2048), "AQAB"), SetFault::Key),
            (rsa(&modulus(256), ""), SetFault::Key),
            (rsa(&modulus(256), "AAEAAQ"), SetFault::Key),
            (rsa("====", "AQAB"), SetFault::Key),
            (ed(r#", "kid": """#), SetFault::Key),
            (ed(r#", "kid": 7"#), SetFault::Key),
            (format!(r#"{{"kty": "EC", "crv": "P-256", "x": "{X}", "y": "AA", "kid": "b"}}"#), SetFault::Key),
            (format!(r#"{{"kty": "EC", "crv": "P-256", "x": "{X}", "kid": "b"}}"#), SetFault::Key),
            (format!(r#"{{"crv": "P-256", "x": "{X}", "kid": "b"}}"#), SetFault::Key),
            (mine.clone(), SetFault::Twice),
            ("7".to_owned(), SetFault::Malformed),
            (r#"{"kty": "OKP", "kty": "RSA"}"#.to_owned(), SetFault::Malformed),
        ] {
            assert_eq!(read(&format!("{mine}, {keys}")), Err(fault), "{keys}");
        }
        assert_eq!(read(&vec!["{\"kty\": \"new\"}"; 257].join(",")), Err(SetFault::Long));
        for (text, fault) in [("", SetFault::Malformed), ("[]", SetFault::Malformed), ("{}", SetFault::Malformed)] {
            assert_eq!(KeySet::parse(text.as_bytes()).unwrap_err(), fault, "{text}");
        }
        assert_eq!(KeySet::parse(&vec![b' '; BYTES + 1]).unwrap_err(), SetFault::Long);
        assert_eq!(read("").unwrap_err(), SetFault::Empty);
    }
}
