//! The header `x-forwarded-client-cert` of Envoy: who has called the proxy that
//! calls. Elements are split by commas, one a hop, and pairs by semicolons; a
//! value may stand in quotes.
//!
//! Only the last element is that of the proxy itself: the ones before it were
//! in the request that it got, and are anyone's. It must name one URI.

use std::fmt;

use super::spiffe::{SpiffeFault, SpiffeId};

/// Bytes of the header.
const BYTES: usize = 32 * 1024;

/// Why the header names no caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XfccFault {
    /// Longer than 32 KiB.
    Long,
    /// Is not of its form, in the last element or in any before it.
    Malformed,
    /// The last element names no URI.
    NoUri,
    /// The last element names more than one URI.
    Uris,
    /// The URI is no SPIFFE ID of a workload.
    Id(SpiffeFault),
}

impl fmt::Display for XfccFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Long => "x-forwarded-client-cert is too long",
            Self::Malformed => "x-forwarded-client-cert is malformed",
            Self::NoUri => "x-forwarded-client-cert names no URI",
            Self::Uris => "x-forwarded-client-cert names more than one URI",
            Self::Id(fault) => return fault.fmt(out),
        })
    }
}

impl std::error::Error for XfccFault {}

/// The caller that the header names.
///
/// # Errors
/// [`XfccFault`].
pub fn caller(header: &[u8]) -> Result<SpiffeId, XfccFault> {
    if header.len() > BYTES {
        return Err(XfccFault::Long);
    }
    let text = str::from_utf8(header).map_err(|_| XfccFault::Malformed)?;
    if !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(XfccFault::Malformed);
    }
    let mut last = Vec::new();
    for element in split(text, ',')? {
        last = split(element, ';')?.into_iter().map(pair).collect::<Result<_, _>>()?;
    }
    let mut uris = last.iter().filter(|(key, _)| key.eq_ignore_ascii_case("uri")).map(|(_, value)| value);
    let uri = uris.next().filter(|uri| !uri.is_empty()).ok_or(XfccFault::NoUri)?;
    if uris.next().is_some() {
        return Err(XfccFault::Uris);
    }
    SpiffeId::parse(uri).map_err(XfccFault::Id)
}

/// Parts between marks that stand outside of quotes.
fn split(text: &str, mark: char) -> Result<Vec<&str>, XfccFault> {
    let (mut parts, mut begin, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if character == mark && !quoted => {
                parts.push(text.get(begin..at).ok_or(XfccFault::Malformed)?);
                begin = at.saturating_add(1);
            }
            _ => {}
        }
    }
    if quoted {
        return Err(XfccFault::Malformed);
    }
    parts.push(text.get(begin..).ok_or(XfccFault::Malformed)?);
    Ok(parts)
}

fn pair(text: &str) -> Result<(&str, String), XfccFault> {
    let (key, value) = text.trim().split_once('=').ok_or(XfccFault::Malformed)?;
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err(XfccFault::Malformed);
    }
    match value.strip_prefix('"') {
        // A quote within a value is no quote of a value: what is meant can't be told.
        None if value.contains('"') => Err(XfccFault::Malformed),
        None => Ok((key, value.to_owned())),
        Some(value) => unquoted(value).map(|value| (key, value)),
    }
}

/// What stands before the closing quote, which ends the text.
fn unquoted(text: &str) -> Result<String, XfccFault> {
    let (mut value, mut escaped) = (String::new(), false);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            _ if escaped => {
                value.push(character);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return if characters.as_str().is_empty() { Ok(value) } else { Err(XfccFault::Malformed) },
            _ => value.push(character),
        }
    }
    Err(XfccFault::Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EHR: &str = "spiffe://example.org/ehr";

    fn read(text: &str) -> Result<String, XfccFault> {
        caller(text.as_bytes()).map(|id| id.to_string())
    }

    #[test]
    fn the_last_element_names_the_caller() {
        for text in [
            "URI=spiffe://example.org/ehr",
            "By=spiffe://example.org/concord;Hash=ab12;Subject=\"CN=a,O=b;c=\\\"d\\\"\";URI=spiffe://example.org/ehr",
            "By=x;URI=spiffe://example.org/admin,By=y;URI=spiffe://example.org/ehr;DNS=a.example.org;DNS=b",
            "URI=,URI=\"spiffe://example.org/ehr\"",
            "Subject=\"\";uri=spiffe://example.org/ehr;Cert=\"-----BEGIN%20CERTIFICATE-----%0A\"",
            "Hash=a, Hash=b;URI=spiffe://example.org/ehr",
        ] {
            assert_eq!(read(text).as_deref(), Ok(EHR), "{text}");
        }
    }

    #[test]
    fn what_is_not_of_the_form_is_refused() {
        let long = format!("URI={EHR};Cert={}", "a".repeat(BYTES));
        for (text, fault) in [
            ("", XfccFault::Malformed),
            ("spiffe://example.org/ehr", XfccFault::Malformed),
            (",", XfccFault::Malformed),
            ("URI=spiffe://example.org/ehr,", XfccFault::Malformed),
            ("nonsense,URI=spiffe://example.org/ehr", XfccFault::Malformed),
            ("URI=spiffe://example.org/ehr;", XfccFault::Malformed),
            ("URI=spiffe://example.org/ehr;=x", XfccFault::Malformed),
            ("URI=spiffe://example.org/ehr;U RI=x", XfccFault::Malformed),
            ("URI=\"spiffe://example.org/ehr", XfccFault::Malformed),
            ("URI=\"spiffe://example.org/ehr\\\"", XfccFault::Malformed),
            ("URI=\"spiffe://example.org\"/ehr", XfccFault::Malformed),
            ("URI=spiffe://example.org/\"ehr\"", XfccFault::Malformed),
            ("Subject=\"a,URI=spiffe://example.org/ehr", XfccFault::Malformed),
            ("URI=spiffe://example.org/ehr\u{e9}", XfccFault::Malformed),
            ("URI=spiffe://example.org/ehr\t", XfccFault::Malformed),
            ("By=spiffe://example.org/ehr", XfccFault::NoUri),
            ("URI=", XfccFault::NoUri),
            ("URI=\"\"", XfccFault::NoUri),
            ("URI=spiffe://example.org/ehr,Hash=ab", XfccFault::NoUri),
            ("Subject=\"x;URI=spiffe://example.org/ehr\"", XfccFault::NoUri),
            ("URI=spiffe://example.org/ehr;URI=spiffe://example.org/admin", XfccFault::Uris),
            ("URI=spiffe://example.org/ehr;uri=spiffe://example.org/ehr", XfccFault::Uris),
            ("URI=https://example.org/ehr", XfccFault::Id(SpiffeFault::Scheme)),
            ("URI=spiffe://example.org/ehr/", XfccFault::Id(SpiffeFault::Path)),
            (&long, XfccFault::Long),
        ] {
            assert_eq!(read(text), Err(fault), "{text}");
        }
        assert_eq!(caller(b"URI=spiffe://example.org/\xff"), Err(XfccFault::Malformed));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fail(header in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = caller(&header);
        }

        /// Whatever a caller sends before it, the proxy's own element decides.
        #[test]
        fn what_stands_before_the_last_element_never_names_the_caller(before in "[a-zA-Z=;,\"\\\\ :/.]{0,60}") {
            let header = format!("{before},By=x;URI={EHR}");
            if let Ok(id) = caller(header.as_bytes()) {
                prop_assert_eq!(id.to_string(), EHR);
            }
        }
    }
}
