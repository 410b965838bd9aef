//! Bearer tokens: signed JWTs of one issuer (RFC 7519, with the advice of RFC
//! 8725). The verifier says how a token must be signed, not the token; what it
//! does not understand it refuses.
//!
//! Written on `ring`, which TLS uses too. The libraries of tokens read the
//! clock, take the last of two members of one name, and pass over `crit` and
//! `typ`: what would be left for them is the two lines of the signature.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::json;
use super::jwks::{Algorithm, KeySet};

/// Bytes of a token.
pub const BYTES: usize = 8 * 1024;

/// Seconds that the clocks of issuer and service may differ.
pub const SKEW: f64 = 60.0;

/// Bytes of the subject.
const SUBJECT_BYTES: usize = 255;

/// Entries of a list of claims that roles come from.
const MARKS: usize = 256;

/// Parameters of the header that would have a key be taken from the token, or
/// its content be read in another way.
const UNTAKEN: [&str; 8] = ["crit", "jwk", "jku", "x5u", "x5c", "b64", "zip", "enc"];

/// What tokens must be.
#[derive(Clone, Debug)]
pub struct Terms {
    /// `iss`, to the byte.
    pub issuer: String,
    /// What `aud` must name, to the byte.
    pub audience: String,
    /// How they may be signed.
    pub algorithms: Vec<Algorithm>,
    /// Values of `typ`, in lower case. With `jwt` among them it may be absent.
    pub types: Vec<String>,
    /// The claim whose values roles are granted to: its name, or a JSON pointer.
    pub roles_claim: Option<String>,
}

/// What a token says, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The caller: issuer, `#`, subject.
    pub name: String,
    /// Values of the claim that roles are granted to.
    pub marks: Vec<String>,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFault {
    /// Longer than 8 KiB.
    Long,
    /// Not three parts in base64url.
    Form,
    /// The header is not a JSON object with each key once, or a parameter of it
    /// is not what it must be.
    Header,
    /// The header has a parameter that is not taken from a token, or not known.
    Untaken,
    /// Signed by an algorithm that is not on the list.
    Algorithm,
    /// Of another type.
    Type,
    /// Names no key.
    NoKey,
    /// Names a key that the set does not have.
    UnknownKey,
    /// The signature is not that of the key.
    Signature,
    /// The claims are not a JSON object with each key once, or a claim is not of
    /// its kind.
    Claims,
    /// Of another issuer.
    Issuer,
    /// For another audience.
    Audience,
    /// Has no end.
    NoEnd,
    /// Has ended.
    Expired,
    /// Has not begun, or was issued in the future.
    Early,
    /// Names no subject, or one that is not 1 to 255 visible ASCII characters.
    Subject,
}

impl fmt::Display for TokenFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Long => "the token is longer than 8 KiB",
            Self::Form => "the token is not three parts in base64url",
            Self::Header => "the header of the token is malformed",
            Self::Untaken => "the header of the token has a parameter that is not taken",
            Self::Algorithm => "the algorithm of the token is not allowed",
            Self::Type => "the token is of another type",
            Self::NoKey => "the token names no key",
            Self::UnknownKey => "the token names a key that is not known",
            Self::Signature => "the signature of the token does not verify",
            Self::Claims => "the claims of the token are malformed",
            Self::Issuer => "the token is of another issuer",
            Self::Audience => "the token is for another audience",
            Self::NoEnd => "the token does not say when it ends",
            Self::Expired => "the token has expired",
            Self::Early => "the token is not valid yet",
            Self::Subject => "the token names no subject that can be used",
        })
    }
}

impl std::error::Error for TokenFault {}

/// Verifies a token at an instant in seconds since 1970.
///
/// # Errors
/// [`TokenFault`], the first that is met. No claim is looked at before the
/// signature is verified.
pub fn verify(token: &[u8], terms: &Terms, keys: &KeySet, now: i64) -> Result<Token, TokenFault> {
    if token.len() > BYTES {
        return Err(TokenFault::Long);
    }
    let text = str::from_utf8(token).map_err(|_| TokenFault::Form)?;
    let (signed, signature) = text.rsplit_once('.').ok_or(TokenFault::Form)?;
    let (header, claims) = signed.split_once('.').ok_or(TokenFault::Form)?;
    let bytes = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenFault::Form);
    let (header, claims, signature) = (bytes(header)?, bytes(claims)?, bytes(signature)?);
    let (algorithm, key) = head(&header, terms)?;
    if !keys.has(&key) {
        return Err(TokenFault::UnknownKey);
    }
    if !keys.verifies(&key, algorithm, signed.as_bytes(), &signature) {
        return Err(TokenFault::Signature);
    }
    let claims = json::object(&claims).ok_or(TokenFault::Claims)?;
    whose(&claims, terms)?;
    #[expect(clippy::cast_precision_loss, reason = "seconds of this epoch are exact")]
    in_time(&claims, now as f64)?;
    let subject = text_of(&claims, "sub")?.ok_or(TokenFault::Subject)?;
    let fits = (1..=SUBJECT_BYTES).contains(&subject.len()) && subject.bytes().all(|byte| byte.is_ascii_graphic());
    if !fits {
        return Err(TokenFault::Subject);
    }
    Ok(Token { name: format!("{}#{subject}", terms.issuer), marks: marks(&claims, terms)? })
}

/// Algorithm and name of the key.
fn head(header: &[u8], terms: &Terms) -> Result<(Algorithm, String), TokenFault> {
    let header = json::object(header).ok_or(TokenFault::Header)?;
    if UNTAKEN.iter().any(|name| header.contains_key(*name)) {
        return Err(TokenFault::Untaken);
    }
    let text = |name: &str| match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(TokenFault::Header),
    };
    let algorithm = Algorithm::named(text("alg")?.ok_or(TokenFault::Header)?);
    let algorithm = algorithm.filter(|one| terms.algorithms.contains(one)).ok_or(TokenFault::Algorithm)?;
    let kind = text("typ")?.unwrap_or("jwt").to_ascii_lowercase();
    let kind = kind.strip_prefix("application/").unwrap_or(&kind);
    if !terms.types.iter().any(|one| one == kind) {
        return Err(TokenFault::Type);
    }
    Ok((algorithm, text("kid")?.ok_or(TokenFault::NoKey)?.to_owned()))
}

fn text_of<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, TokenFault> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(TokenFault::Claims),
    }
}

fn whose(claims: &Map<String, Value>, terms: &Terms) -> Result<(), TokenFault> {
    if text_of(claims, "iss")? != Some(&terms.issuer) {
        return Err(TokenFault::Issuer);
    }
    let named = match claims.get("aud") {
        None => false,
        Some(Value::String(one)) => *one == terms.audience,
        Some(Value::Array(several)) if several.iter().all(Value::is_string) => {
            several.iter().any(|one| one.as_str() == Some(&terms.audience))
        }
        Some(_) => return Err(TokenFault::Claims),
    };
    if named { Ok(()) } else { Err(TokenFault::Audience) }
}

fn in_time(claims: &Map<String, Value>, now: f64) -> Result<(), TokenFault> {
    let instant = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_f64().filter(|time| time.is_finite()).map(Some).ok_or(TokenFault::Claims),
    };
    let end = instant("exp")?.ok_or(TokenFault::NoEnd)?;
    if now >= end + SKEW {
        return Err(TokenFault::Expired);
    }
    for begin in [instant("nbf")?, instant("iat")?].into_iter().flatten() {
        if begin > now + SKEW {
            return Err(TokenFault::Early);
        }
    }
    Ok(())
}

/// A list of texts, or one text with spaces, as scopes have it.
fn marks(claims: &Map<String, Value>, terms: &Terms) -> Result<Vec<String>, TokenFault> {
    let Some(claim) = &terms.roles_claim else { return Ok(Vec::new()) };
    let value = match claim.strip_prefix('/') {
        None => claims.get(claim),
        Some(path) => {
            let mut parts = path.split('/');
            let first = parts.next().and_then(|part| claims.get(part));
            parts.fold(first, |value, part| value.and_then(|value| value.get(part)))
        }
    };
    let marks: Vec<String> = match value {
        None => Vec::new(),
        Some(Value::String(text)) => text.split(' ').filter(|mark| !mark.is_empty()).map(str::to_owned).collect(),
        Some(Value::Array(several)) => {
            let texts = several.iter().map(|one| one.as_str().map(str::to_owned));
            texts.collect::<Option<_>>().ok_or(TokenFault::Claims)?
        }
        Some(_) => return Err(TokenFault::Claims),
    };
    if marks.len() > MARKS { Err(TokenFault::Claims) } else { Ok(marks) }
}

#[cfg(test)]
#[path = "jwt_tests.rs"]
mod tests;
