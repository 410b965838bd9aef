//! Who may call. What is set in part protects nothing, and is thought to: it is
//! refused, by the name of what is missing.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::server::TlsSettings;
use super::settings::{Unfit, length, texts};

/// Who may call.
#[derive(Clone, Debug, Deserialize)]
pub struct AuthSettings {
    /// Issuer of tokens.
    pub jwt_issuer: Option<String>,
    /// Audience that a token must name.
    pub jwt_audience: Option<String>,
    /// File of the issuer's keys.
    pub jwt_keys_file: Option<PathBuf>,
    /// Where the issuer's keys are.
    pub jwt_keys_url: Option<String>,
    /// Authorities that the server of the keys is verified with.
    pub jwt_keys_ca_file: Option<PathBuf>,
    /// Time between two looks at the keys.
    #[serde(deserialize_with = "length")]
    pub jwt_keys_refresh: Duration,
    /// How tokens may be signed.
    #[serde(default, deserialize_with = "texts")]
    pub jwt_algorithms: Vec<String>,
    /// Values that `typ` may have.
    #[serde(default, deserialize_with = "texts")]
    pub jwt_types: Vec<String>,
    /// The claim that roles are granted to.
    pub jwt_roles_claim: Option<String>,
    /// Trust domains whose IDs name callers.
    #[serde(default, deserialize_with = "texts")]
    pub spiffe_trust_domains: Vec<String>,
    /// Peers whose header names the caller.
    #[serde(default, deserialize_with = "texts")]
    pub trusted_proxies: Vec<String>,
    /// Who may do what.
    #[serde(default, deserialize_with = "texts")]
    pub grants: Vec<String>,
    /// Let anyone call off loopback.
    pub allow_anonymous_off_loopback: bool,
}

impl AuthSettings {
    /// Must callers be authenticated?
    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.jwt_issuer.is_some() || !self.spiffe_trust_domains.is_empty()
    }

    pub(super) fn check(&self, tls: &TlsSettings) -> Result<(), Unfit> {
        self.check_tokens()?;
        if !self.trusted_proxies.is_empty() && self.spiffe_trust_domains.is_empty() {
            let wanted = "set where auth.trusted_proxies is: without it no header of theirs names a caller";
            return Err(Unfit { key: "auth.spiffe_trust_domains", wanted });
        }
        if self.is_configured() && self.grants.is_empty() {
            let wanted =
                "set where auth.jwt_issuer or auth.spiffe_trust_domains is: without it no caller may do anything";
            return Err(Unfit { key: "auth.grants", wanted });
        }
        if !self.is_configured() && !self.grants.is_empty() {
            let wanted = "set where auth.grants is, or auth.spiffe_trust_domains: without either no caller has a name";
            return Err(Unfit { key: "auth.jwt_issuer", wanted });
        }
        if self.is_configured() && self.allow_anonymous_off_loopback {
            let wanted = "false where auth.jwt_issuer or auth.spiffe_trust_domains is set: no caller is anonymous then";
            return Err(Unfit { key: "auth.allow_anonymous_off_loopback", wanted });
        }
        let shown = tls.client_ca_file.is_some() || !self.trusted_proxies.is_empty();
        if !self.spiffe_trust_domains.is_empty() && !shown {
            let wanted =
                "set where auth.spiffe_trust_domains is, or auth.trusted_proxies: without either no call shows an ID";
            return Err(Unfit { key: "tls.client_ca_file", wanted });
        }
        Ok(())
    }

    fn check_tokens(&self) -> Result<(), Unfit> {
        let texts = [
            ("auth.jwt_issuer", &self.jwt_issuer),
            ("auth.jwt_audience", &self.jwt_audience),
            ("auth.jwt_roles_claim", &self.jwt_roles_claim),
        ];
        if let Some((key, _)) = texts.into_iter().find(|(_, text)| text.as_deref().is_some_and(str::is_empty)) {
            return Err(Unfit { key, wanted: "a text, or absent" });
        }
        let keys = self.jwt_keys_file.is_some() || self.jwt_keys_url.is_some();
        let any = keys || self.jwt_keys_ca_file.is_some() || texts.iter().any(|(_, text)| text.is_some());
        if !any {
            return Ok(());
        }
        if self.jwt_issuer.is_none() {
            let wanted = "set where another of auth.jwt_… is: without it no token is taken";
            return Err(Unfit { key: "auth.jwt_issuer", wanted });
        }
        if self.jwt_audience.is_none() {
            let wanted = "set where auth.jwt_issuer is: without it tokens for any other service would do";
            return Err(Unfit { key: "auth.jwt_audience", wanted });
        }
        if !keys {
            let wanted = "set where auth.jwt_issuer is, or auth.jwt_keys_url: without either no token can be verified";
            return Err(Unfit { key: "auth.jwt_keys_file", wanted });
        }
        if self.jwt_keys_file.is_some() && self.jwt_keys_url.is_some() {
            let wanted = "absent where auth.jwt_keys_file is set: one of them would not be used";
            return Err(Unfit { key: "auth.jwt_keys_url", wanted });
        }
        if self.jwt_keys_url.as_deref().is_some_and(unfit_url) {
            let wanted = "https://host/path without a user, or http:// and a loopback address";
            return Err(Unfit { key: "auth.jwt_keys_url", wanted });
        }
        let encrypted = self.jwt_keys_url.as_deref().is_some_and(|url| url.starts_with("https:"));
        if self.jwt_keys_ca_file.is_some() && !encrypted {
            let wanted = "absent where auth.jwt_keys_url is not https: it would not be used";
            return Err(Unfit { key: "auth.jwt_keys_ca_file", wanted });
        }
        if self.jwt_keys_refresh < Duration::from_secs(1) {
            return Err(Unfit { key: "auth.jwt_keys_refresh", wanted: "1s or more" });
        }
        Ok(())
    }
}

/// Keys that come in clear over a network are anyone's.
fn unfit_url(url: &str) -> bool {
    let Ok(url) = url.parse::<http::Uri>() else { return true };
    let Some(authority) = url.authority() else { return true };
    if authority.as_str().contains('@') || authority.host().is_empty() {
        return true;
    }
    let here = || {
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    };
    match url.scheme_str() {
        Some("https") => false,
        Some("http") => !here(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Layers, load};

    fn told(set: &[(&str, &str)]) -> Result<bool, String> {
        let flags = set.iter().map(|(key, value)| (format!("auth.{key}"), (*value).to_owned())).collect();
        let loaded = load(&Layers { flags, ..Layers::default() });
        loaded.map(|loaded| loaded.settings.auth.is_configured()).map_err(|error| error.to_string())
    }

    /// Every subset of what belongs together: all of it, nothing, or the name of
    /// what is missing.
    #[test]
    fn every_half_of_it_names_what_is_missing() {
        let all = [
            ("jwt_issuer", "https://issuer.example.org"),
            ("jwt_audience", "concord"),
            ("jwt_keys_file", "keys.json"),
            ("jwt_roles_claim", "scope"),
            ("spiffe_trust_domains", "example.org"),
            ("trusted_proxies", "10.0.0.0/8"),
            ("grants", "spiffe://example.org/ehr = evaluate"),
        ];
        for subset in 0..1_u32 << all.len() {
            let set: Vec<_> = (0..all.len()).filter(|bit| subset & (1 << bit) != 0).map(|bit| all[bit]).collect();
            let has = |name: &str| set.iter().any(|(key, _)| *key == name);
            let tokens = ["jwt_issuer", "jwt_audience", "jwt_keys_file", "jwt_roles_claim"].into_iter().any(has);
            let workloads = has("spiffe_trust_domains");
            let missing = if tokens && !has("jwt_issuer") {
                Some("auth.jwt_issuer")
            } else if tokens && !has("jwt_audience") {
                Some("auth.jwt_audience")
            } else if tokens && !has("jwt_keys_file") {
                Some("auth.jwt_keys_file")
            } else if has("trusted_proxies") && !workloads {
                Some("auth.spiffe_trust_domains")
            } else if (tokens || workloads) && !has("grants") {
                Some("auth.grants")
            } else if has("grants") && !tokens && !workloads {
                Some("auth.jwt_issuer")
            } else if workloads && !has("trusted_proxies") {
                Some("tls.client_ca_file")
            } else {
                None
            };
            match (missing, told(&set)) {
                (None, Ok(configured)) => assert_eq!(configured, !set.is_empty(), "{set:?}"),
                (Some(key), Err(error)) => assert!(error.starts_with(&format!("{key}: must be set")), "{error}"),
                (missing, told) => panic!("{set:?}: {missing:?} {told:?}"),
            }
        }
    }

    #[test]
    fn what_can_not_be_meant_is_refused() {
        let tokens = [("jwt_issuer", "i"), ("jwt_audience", "a"), ("grants", "i#s = evaluate")];
        let with = |more: &[(&'static str, &'static str)]| told(&[&tokens[..], more].concat());
        for (more, key) in [
            (&[("jwt_keys_file", "k"), ("jwt_keys_url", "https://i.example.org/k")][..], "jwt_keys_url"),
            (&[("jwt_keys_url", "http://i.example.org/k")], "jwt_keys_url"),
            (&[("jwt_keys_url", "http://localhost/k")], "jwt_keys_url"),
            (&[("jwt_keys_url", "https://a:b@i.example.org/k")], "jwt_keys_url"),
            (&[("jwt_keys_url", "file:///k")], "jwt_keys_url"),
            (&[("jwt_keys_url", "/k")], "jwt_keys_url"),
            (&[("jwt_keys_file", "k"), ("jwt_keys_ca_file", "ca.pem")], "jwt_keys_ca_file"),
            (&[("jwt_keys_file", "k"), ("jwt_keys_refresh", "10ms")], "jwt_keys_refresh"),
            (&[("jwt_keys_file", "k"), ("jwt_roles_claim", "")], "jwt_roles_claim"),
            (&[("jwt_keys_file", "k"), ("allow_anonymous_off_loopback", "true")], "allow_anonymous_off_loopback"),
        ] {
            let error = with(more).unwrap_err();
            assert!(error.starts_with(&format!("auth.{key}: must be ")), "{error}");
        }
        for url in ["https://i.example.org/k", "http://127.0.0.1:8080/k", "http://[::1]/k"] {
            assert_eq!(with(&[("jwt_keys_url", url)]), Ok(true), "{url}");
        }
        assert_eq!(told(&[("allow_anonymous_off_loopback", "true")]), Ok(false));
    }
}
