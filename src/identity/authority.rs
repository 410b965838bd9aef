//! What a call shows, made a caller with a name and roles.
//!
//! One credential names the caller, the first that is there: a bearer token;
//! else the header of a trusted proxy; else the certificate. A credential that
//! is there and does not hold refuses the call: the next is not tried, since
//! then a caller could choose who to be by spoiling one.

use std::fmt;

use super::Peer;
use super::jwks::{Algorithm, KeySet};
use super::jwt::{self, Terms, TokenFault};
use super::policy::{Caller, Grant, Grants, Subject};
use super::proxies::Proxies;
use super::spiffe::{SpiffeId, TrustDomain};
use super::svid::{self, SvidFault};
use super::xfcc::{self, XfccFault};

/// How callers are known, as it is set.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Tokens; none: none are taken.
    pub tokens: Option<TokenSetup>,
    /// Trust domains of certificates and of headers of proxies.
    pub trust_domains: Vec<String>,
    /// Peers whose header names the caller.
    pub trusted_proxies: Vec<String>,
    /// Who may do what.
    pub grants: Vec<String>,
}

/// Tokens, as they are set.
#[derive(Clone, Debug, Default)]
pub struct TokenSetup {
    /// `iss`.
    pub issuer: String,
    /// What `aud` must name.
    pub audience: String,
    /// Names of algorithms.
    pub algorithms: Vec<String>,
    /// Values of `typ`.
    pub types: Vec<String>,
    /// The claim whose values roles are granted to.
    pub roles_claim: Option<String>,
}

/// A part of the setup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The issuer of tokens.
    Issuer,
    /// Names of algorithms.
    Algorithms,
    /// Values of `typ`.
    Types,
    /// Trust domains.
    TrustDomains,
    /// Trusted proxies.
    TrustedProxies,
    /// Grants.
    Grants,
}

/// Why a setup can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupFault {
    /// Where.
    pub part: Part,
    /// What is wrong, with the entry that is.
    pub text: String,
}

/// Knows callers.
#[derive(Clone, Debug)]
pub struct Authority {
    tokens: Option<Terms>,
    domains: Vec<TrustDomain>,
    proxies: Proxies,
    grants: Grants,
}

/// What a call shows of its caller.
#[derive(Clone, Debug, Default)]
pub struct Shown<'a> {
    /// The other end of the connection.
    pub peer: Option<&'a Peer>,
    /// Values of `authorization`.
    pub authorization: Vec<&'a [u8]>,
    /// Values of `x-forwarded-client-cert`.
    pub forwarded: Vec<&'a [u8]>,
}

/// Why a caller is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// Shows nothing that names it.
    Nothing,
    /// `authorization` stands more than once, or is not `Bearer` and a token.
    Authorization,
    /// A token, and none are taken.
    NoTokens,
    /// A token, and there are no keys yet to verify it with.
    NoKeys,
    /// A token that does not hold.
    Token(TokenFault),
    /// A header of a trusted proxy that does not hold.
    Forwarded(XfccFault),
    /// A certificate that does not hold.
    Certificate(SvidFault),
    /// A SPIFFE ID of another trust domain.
    Domain,
}

impl fmt::Display for Unknown {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Nothing => "the call has no credentials",
            Self::Authorization => "the header authorization is not `Bearer` and one token",
            Self::NoTokens => "the call has a token, and none are taken",
            Self::NoKeys => "there are no keys yet to verify a token with",
            Self::Token(fault) => return fault.fmt(out),
            Self::Forwarded(fault) => return fault.fmt(out),
            Self::Certificate(fault) => return fault.fmt(out),
            Self::Domain => "the SPIFFE ID is of a trust domain that is not allowed",
        })
    }
}

impl std::error::Error for Unknown {}

impl Authority {
    /// Of a setup.
    ///
    /// # Errors
    /// [`SetupFault`]. An entry that could never have an effect is one too: it
    /// is thought to have one.
    pub fn new(setup: &Setup) -> Result<Self, SetupFault> {
        let tokens = setup.tokens.as_ref().map(terms).transpose()?;
        let fault = |part, entry: &str, why: &dyn fmt::Display| SetupFault { part, text: format!("`{entry}`: {why}") };
        let domains = setup
            .trust_domains
            .iter()
            .map(|text| TrustDomain::parse(text).map_err(|why| fault(Part::TrustDomains, text, &why)))
            .collect::<Result<Vec<_>, _>>()?;
        let mut proxies = Proxies::default();
        for entry in &setup.trusted_proxies {
            proxies.add(entry).map_err(|why| fault(Part::TrustedProxies, entry, &why))?;
        }
        let foreign = "is of a trust domain that is not allowed";
        if let Some(id) = proxies.ids().find(|id| !domains.contains(id.domain())) {
            return Err(fault(Part::TrustedProxies, &id.to_string(), &foreign));
        }
        let mut grants = Vec::new();
        for entry in &setup.grants {
            let grant = Grant::parse(entry).map_err(|why| fault(Part::Grants, entry, &why))?;
            let idle = match &grant.subject {
                Subject::Workload(id) | Subject::Below(id) if !domains.contains(id.domain()) => Some(foreign),
                Subject::Token(name) if !tokens.as_ref().is_some_and(|terms| is_of(name, terms)) => {
                    Some("is of an issuer whose tokens are not taken")
                }
                Subject::Claim(_) if tokens.as_ref().is_none_or(|terms| terms.roles_claim.is_none()) => {
                    Some("there is no claim that roles are granted to")
                }
                _ => None,
            };
            if let Some(why) = idle {
                return Err(fault(Part::Grants, entry, &why));
            }
            grants.push(grant);
        }
        Ok(Self { tokens, domains, proxies, grants: grants.into_iter().collect() })
    }

    /// The caller of a call, at an instant in seconds since 1970.
    ///
    /// # Errors
    /// [`Unknown`].
    pub fn identify(&self, shown: &Shown<'_>, keys: Option<&KeySet>, now: i64) -> Result<Caller, Unknown> {
        if !shown.authorization.is_empty() {
            let token = bearer(&shown.authorization)?;
            let terms = self.tokens.as_ref().ok_or(Unknown::NoTokens)?;
            let keys = keys.ok_or(Unknown::NoKeys)?;
            let token = jwt::verify(token, terms, keys, now).map_err(Unknown::Token)?;
            let roles = self.grants.roles(&token.name, &token.marks);
            return Ok(Caller { name: token.name, roles });
        }
        let id = self.workload(shown, now)?;
        if !self.domains.contains(id.domain()) {
            return Err(Unknown::Domain);
        }
        let name = id.to_string();
        let roles = self.grants.roles(&name, &[]);
        Ok(Caller { name, roles })
    }

    fn workload(&self, shown: &Shown<'_>, now: i64) -> Result<SpiffeId, Unknown> {
        // Where no trust domain is allowed, a certificate names no one.
        let leaf = shown.peer.filter(|_| !self.domains.is_empty()).and_then(|peer| peer.certificates.first());
        let own = leaf.map(|leaf| svid::id(leaf, now).map_err(Unknown::Certificate)).transpose();
        let address = shown.peer.and_then(|peer| peer.address);
        let believed = address.is_some_and(|address| self.proxies.has_address(address.ip()))
            || matches!(&own, Ok(Some(id)) if self.proxies.has_id(id));
        if believed && !shown.forwarded.is_empty() {
            return xfcc::caller(&shown.forwarded.join(&b","[..])).map_err(Unknown::Forwarded);
        }
        own?.ok_or(Unknown::Nothing)
    }
}

fn is_of(name: &str, terms: &Terms) -> bool {
    name.strip_prefix(&terms.issuer).is_some_and(|rest| rest.starts_with('#'))
}

/// The token of one header `Bearer …`.
fn bearer<'a>(values: &[&'a [u8]]) -> Result<&'a [u8], Unknown> {
    let [value] = values else { return Err(Unknown::Authorization) };
    let (scheme, token) = value.split_at_checked(7).ok_or(Unknown::Authorization)?;
    if scheme.eq_ignore_ascii_case(b"bearer ") { Ok(token) } else { Err(Unknown::Authorization) }
}

fn terms(setup: &TokenSetup) -> Result<Terms, SetupFault> {
    let fault = |part, text: &str| SetupFault { part, text: text.to_owned() };
    if setup.issuer.contains('#') || !setup.issuer.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(fault(Part::Issuer, "must be visible ASCII without a #, which ends it in names of callers"));
    }
    let algorithm = |name: &String| {
        let why = "only RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 and EdDSA can be allowed";
        Algorithm::named(name).ok_or_else(|| fault(Part::Algorithms, &format!("`{name}`: {why}")))
    };
    let algorithms = setup.algorithms.iter().map(algorithm).collect::<Result<Vec<_>, _>>()?;
    if algorithms.is_empty() {
        return Err(fault(Part::Algorithms, "there is none: no token could be verified"));
    }
    let types: Vec<String> = setup.types.iter().map(|kind| kind.to_ascii_lowercase()).collect();
    if types.is_empty() || types.iter().any(|kind| kind.is_empty() || kind.contains('/')) {
        return Err(fault(Part::Types, "must be one or more of such as at+jwt and JWT, without application/"));
    }
    Ok(Terms {
        issuer: setup.issuer.clone(),
        audience: setup.audience.clone(),
        algorithms,
        types,
        roles_claim: setup.roles_claim.clone(),
    })
}

#[cfg(test)]
#[path = "authority_tests.rs"]
mod tests;
