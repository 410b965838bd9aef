//! SPIFFE IDs, by the grammar of the SPIFFE standard: `spiffe://trust.domain/path`.

use std::fmt;

/// Bytes of an ID.
const ID_BYTES: usize = 2048;

/// Bytes of a trust domain.
const DOMAIN_BYTES: usize = 255;

const SCHEME: &str = "spiffe://";

/// The ID of a workload: a trust domain and a path that is not the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpiffeId {
    domain: TrustDomain,
    /// Begins with a slash.
    path: String,
}

/// A trust domain: `example.org`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustDomain(String);

/// Why a text is no SPIFFE ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpiffeFault {
    /// Longer than 2048 bytes.
    Long,
    /// Does not begin with `spiffe://`.
    Scheme,
    /// The trust domain is empty, too long, or has another character than a
    /// lower-case letter, a digit, a dot, a dash or an underscore.
    Domain,
    /// There is no path.
    NoPath,
    /// A part of the path is empty, a dot, two dots, or has another character
    /// than a letter, a digit, a dot, a dash or an underscore.
    Path,
}

impl fmt::Display for SpiffeFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Long => "a SPIFFE ID has at most 2048 bytes",
            Self::Scheme => "a SPIFFE ID begins with spiffe://",
            Self::Domain => "a trust domain is 1 to 255 lower-case letters, digits, dots, dashes and underscores",
            Self::NoPath => "the SPIFFE ID of a workload has a path",
            Self::Path => "a part of a path is letters, digits, dots, dashes and underscores, and neither . nor ..",
        })
    }
}

impl std::error::Error for SpiffeFault {}

impl TrustDomain {
    /// Reads a trust domain.
    ///
    /// # Errors
    /// [`SpiffeFault::Domain`].
    pub fn parse(text: &str) -> Result<Self, SpiffeFault> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
        if text.is_empty() || text.len() > DOMAIN_BYTES || !text.bytes().all(fits) {
            return Err(SpiffeFault::Domain);
        }
        Ok(Self(text.to_owned()))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SpiffeId {
    /// Reads an ID. Nothing is normalized: what is not in its one form is none.
    ///
    /// # Errors
    /// [`SpiffeFault`].
    pub fn parse(text: &str) -> Result<Self, SpiffeFault> {
        if text.len() > ID_BYTES {
            return Err(SpiffeFault::Long);
        }
        let rest = text.strip_prefix(SCHEME).ok_or(SpiffeFault::Scheme)?;
        let (domain, path) = rest.split_once('/').map_or((rest, None), |(domain, path)| (domain, Some(path)));
        let domain = TrustDomain::parse(domain)?;
        let path = path.filter(|path| !path.is_empty()).ok_or(SpiffeFault::NoPath)?;
        if !path.split('/').all(is_segment) {
            return Err(SpiffeFault::Path);
        }
        Ok(Self { domain, path: format!("/{path}") })
    }

    /// The trust domain.
    #[must_use]
    pub fn domain(&self) -> &TrustDomain {
        &self.domain
    }
}

fn is_segment(segment: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(fits)
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{SCHEME}{}{}", self.domain.0, self.path)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_has_one_form() {
        for text in ["spiffe://example.org/a", "spiffe://a_b-c.9/ns/ehr/sa/Order-Entry_1.2", "spiffe://x/..."] {
            assert_eq!(SpiffeId::parse(text).unwrap().to_string(), text);
        }
        let domain = |text: &str| SpiffeId::parse(text).map(|id| id.domain().as_str().to_owned());
        assert_eq!(domain("spiffe://example.org/a/b"), Ok("example.org".to_owned()));
        let long = |bytes: usize| format!("spiffe://x/{}", "a".repeat(bytes - 11));
        assert!(SpiffeId::parse(&long(2048)).is_ok());
        let of = |bytes: usize| format!("spiffe://{}/a", "a".repeat(bytes));
        assert!(SpiffeId::parse(&of(255)).is_ok());
        let rows = [
            (String::new(), SpiffeFault::Scheme),
            ("spiffe:/example.org/a".to_owned(), SpiffeFault::Scheme),
            ("SPIFFE://example.org/a".to_owned(), SpiffeFault::Scheme),
            ("https://example.org/a".to_owned(), SpiffeFault::Scheme),
            (" spiffe://example.org/a".to_owned(), SpiffeFault::Scheme),
            ("spiffe:///a".to_owned(), SpiffeFault::Domain),
            ("spiffe://Example.org/a".to_owned(), SpiffeFault::Domain),
            ("spiffe://user@example.org/a".to_owned(), SpiffeFault::Domain),
            ("spiffe://example.org:443/a".to_owned(), SpiffeFault::Domain),
            ("spiffe://example%2eorg/a".to_owned(), SpiffeFault::Domain),
            ("spiffe://exämple.org/a".to_owned(), SpiffeFault::Domain),
            ("spiffe://example.org?a/b".to_owned(), SpiffeFault::Domain),
            ("spiffe://[::1]/a".to_owned(), SpiffeFault::Domain),
            (of(256), SpiffeFault::Domain),
            ("spiffe://example.org".to_owned(), SpiffeFault::NoPath),
            ("spiffe://example.org/".to_owned(), SpiffeFault::NoPath),
            ("spiffe://example.org//a".to_owned(), SpiffeFault::Path),
            ("spiffe://example.org/a/".to_owned(), SpiffeFault::Path),
            ("spiffe://example.org/a//b".to_owned(), SpiffeFault::Path),
            ("spiffe://example.org/./a".to_owned(), SpiffeFault::Path),
            ("spiffe://example.org/a/..".to_owned(), SpiffeFault::Path),
            ("spiffe://example.org/a?b".to_owned(), SpiffeFault::Path),
            ("spiffe://example.org/a#b".to_owned(), SpiffeFault::Path),
            ("spiffe://example.org/a%2fb".to_owned(), SpiffeFault::Path),
            ("spiffe://example.org/a*".to_owned(), SpiffeFault::Path),
            ("spiffe://example.org/a\0".to_owned(), SpiffeFault::Path),
            ("spiffe://example.org/\u{430}".to_owned(), SpiffeFault::Path),
            (long(2049), SpiffeFault::Long),
        ];
        for (text, fault) in rows {
            assert_eq!(SpiffeId::parse(&text), Err(fault), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_the_same(text in "(spiffe://)?[a-zA-Z0-9.:/@%?*é_-]{0,24}") {
            if let Ok(id) = SpiffeId::parse(&text) {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
