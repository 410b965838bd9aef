//! From the settings of `auth` to who may call.

use std::net::SocketAddr;

use super::settings::Unusable;
use crate::config::Settings;
use crate::identity::authority::{Authority, Part, Setup, TokenSetup};
use crate::server::auth::Gate;
use crate::server::keys::{Keys, Source};

/// Who may call a listener at this address.
pub(super) async fn gate(settings: &Settings, bound: SocketAddr) -> Result<Gate, Unusable> {
    let auth = &settings.auth;
    if !auth.is_configured() {
        if bound.ip().is_loopback() {
            return Ok(Gate::open());
        }
        if !auth.allow_anonymous_off_loopback {
            return Err(Unusable(format!(
                "server.grpc_addr: {bound} is not a loopback address, and no caller is authenticated: set \
                 auth.jwt_issuer or auth.spiffe_trust_domains, or auth.allow_anonymous_off_loopback where something in \
                 front decides who may call"
            )));
        }
        tracing::warn!(%bound, "no caller is authenticated: whoever reaches this listener may ask for decisions");
        return Ok(Gate::open());
    }
    let tokens = auth.jwt_issuer.as_ref().zip(auth.jwt_audience.as_ref()).map(|(issuer, audience)| TokenSetup {
        issuer: issuer.clone(),
        audience: audience.clone(),
        algorithms: auth.jwt_algorithms.clone(),
        types: auth.jwt_types.clone(),
        roles_claim: auth.jwt_roles_claim.clone(),
    });
    let setup = Setup {
        tokens,
        trust_domains: auth.spiffe_trust_domains.clone(),
        trusted_proxies: auth.trusted_proxies.clone(),
        grants: auth.grants.clone(),
    };
    let authority = Authority::new(&setup).map_err(|fault| Unusable(format!("{}: {}", key(fault.part), fault.text)))?;
    let source = match (&auth.jwt_keys_file, &auth.jwt_keys_url) {
        (Some(file), _) => Some(("auth.jwt_keys_file", Source::File(file.clone()))),
        (None, Some(url)) => {
            let url = url.parse().map_err(|_| Unusable("auth.jwt_keys_url: must be a URL".to_owned()))?;
            Some(("auth.jwt_keys_url", Source::Url { url, authorities: auth.jwt_keys_ca_file.clone() }))
        }
        (None, None) => None,
    };
    let keys = match source {
        None => None,
        Some((key, source)) => {
            let keys = Keys::start(source, auth.jwt_keys_refresh).await;
            Some(keys.map_err(|error| Unusable(format!("{key}: {error}")))?)
        }
    };
    Ok(Gate::new(authority, keys))
}

fn key(part: Part) -> &'static str {
    match part {
        Part::Issuer => "auth.jwt_issuer",
        Part::Algorithms => "auth.jwt_algorithms",
        Part::Types => "auth.jwt_types",
        Part::TrustDomains => "auth.spiffe_trust_domains",
        Part::TrustedProxies => "auth.trusted_proxies",
        Part::Grants => "auth.grants",
    }
}
