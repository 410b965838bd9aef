use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, SanType, date_time_ymd};
use serde_json::json;

use super::super::minting::{AUDIENCE, ISSUER, Mint, NOW};
use super::super::policy::Role;
use super::*;

const EHR: &str = "spiffe://example.org/ehr";
const GATEWAY: &str = "spiffe://example.org/gateway";

fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|one| (*one).to_owned()).collect()
}

fn setup() -> Setup {
    Setup {
        tokens: Some(TokenSetup {
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
            algorithms: texts(&["RS256", "ES256"]),
            types: texts(&["at+jwt", "JWT"]),
            roles_claim: Some("scope".to_owned()),
        }),
        trust_domains: texts(&["example.org"]),
        trusted_proxies: texts(&["10.0.0.0/8", GATEWAY]),
        grants: texts(&[
            "spiffe://example.org/ehr = evaluate",
            "https://issuer.example.org#auditor = read-audit",
            "claim:concord.rules = read-rules",
        ]),
    }
}

fn leaf(uri: &str) -> Vec<u8> {
    let mut params = CertificateParams::default();
    (params.not_before, params.not_after) = (date_time_ymd(2027, 1, 1), date_time_ymd(2028, 1, 1));
    params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

fn peer(address: &str, certificates: &[Vec<u8>]) -> Peer {
    let address: SocketAddr = format!("{address}:4711").parse().unwrap();
    Peer { address: Some(address), certificates: Arc::from(certificates), tls: !certificates.is_empty() }
}

fn known(caller: Result<Caller, Unknown>) -> Result<(String, Vec<&'static str>), Unknown> {
    caller.map(|caller| {
        let roles = Role::ALL.iter().filter(|(_, role)| caller.roles.has(*role)).map(|(name, _)| *name).collect();
        (caller.name, roles)
    })
}

#[test]
fn the_first_credential_that_is_there_names_the_caller() {
    let mint = Mint::new();
    let keys = KeySet::parse(mint.set().to_string().as_bytes()).unwrap();
    let authority = Authority::new(&setup()).unwrap();
    let bearer = |token: &str| format!("Bearer {token}").into_bytes();
    let auditor = bearer(&mint.good("auditor", &json!({"scope": "openid concord.rules"})));
    let stranger = bearer(&mint.good("stranger", &json!({})));
    let (orders, gateway, foreign) = (leaf(EHR), leaf(GATEWAY), leaf("spiffe://example.com/ehr"));
    let forwarded = format!("By=x;URI=spiffe://example.org/other,By=y;URI={EHR}").into_bytes();
    let plain = peer("192.0.2.7", &[]);
    let trusted = peer("10.9.9.9", &[]);
    let ask = |peer: &Peer, authorization: &[&[u8]], forwarded: &[&[u8]], keys: Option<&KeySet>| {
        let shown = Shown { peer: Some(peer), authorization: authorization.to_vec(), forwarded: forwarded.to_vec() };
        known(authority.identify(&shown, keys, NOW))
    };
    let name = |name: &str, roles: &[&'static str]| Ok((name.to_owned(), roles.to_vec()));
    let keys = Some(&keys);

    let wanted = name("https://issuer.example.org#auditor", &["read-rules", "read-audit"]);
    assert_eq!(ask(&plain, &[&auditor], &[], keys), wanted);
    // A token names the caller whatever stands beside it.
    assert_eq!(ask(&peer("10.9.9.9", std::slice::from_ref(&orders)), &[&auditor], &[&forwarded], keys), wanted);
    assert_eq!(ask(&plain, &[&stranger], &[], keys), name("https://issuer.example.org#stranger", &[]));
    assert_eq!(ask(&peer("192.0.2.7", std::slice::from_ref(&orders)), &[], &[], keys), name(EHR, &["evaluate"]));
    assert_eq!(ask(&trusted, &[], &[&forwarded], keys), name(EHR, &["evaluate"]));
    assert_eq!(ask(&trusted, &[], &[b"URI=spiffe://example.org/other", &forwarded], keys), name(EHR, &["evaluate"]));
    let through = peer("192.0.2.7", std::slice::from_ref(&gateway));
    assert_eq!(ask(&through, &[], &[&forwarded], keys), name(EHR, &["evaluate"]));
    assert_eq!(ask(&through, &[], &[], keys), name(GATEWAY, &[]));
    // From any other peer the header is not looked at.
    assert_eq!(ask(&plain, &[], &[&forwarded], keys), Err(Unknown::Nothing));
    let other = leaf("spiffe://example.org/other");
    assert_eq!(
        ask(&peer("192.0.2.7", std::slice::from_ref(&other)), &[], &[b"x"], keys),
        name("spiffe://example.org/other", &[])
    );

    for (peer, authorization, forwarded, why) in [
        (&plain, &[][..], &[][..], Unknown::Nothing),
        (&plain, &[&auditor[..], &auditor], &[], Unknown::Authorization),
        (&plain, &[b"Basic YTpi"], &[], Unknown::Authorization),
        (&plain, &[b"Bearer"], &[], Unknown::Authorization),
        (&plain, &[b""], &[], Unknown::Authorization),
        (&plain, &[b"Bearer "], &[], Unknown::Token(TokenFault::Form)),
        (&plain, &[b"Bearer x"], &[], Unknown::Token(TokenFault::Form)),
        // A token that does not hold is not passed over for what stands beside it.
        (&trusted, &[b"Bearer x"], &[&forwarded[..]], Unknown::Token(TokenFault::Form)),
        (&trusted, &[], &[b"x"], Unknown::Forwarded(XfccFault::Malformed)),
        (&trusted, &[], &[b"URI=spiffe://example.com/ehr"], Unknown::Domain),
        (&trusted, &[], &[b"By=x"], Unknown::Forwarded(XfccFault::NoUri)),
        (&peer("192.0.2.7", &[foreign]), &[], &[], Unknown::Domain),
        (&peer("192.0.2.7", &[vec![1, 2]]), &[], &[], Unknown::Certificate(SvidFault::Malformed)),
        (&peer("192.0.2.7", &[vec![1, 2], orders]), &[], &[], Unknown::Certificate(SvidFault::Malformed)),
    ] {
        assert_eq!(ask(peer, authorization, forwarded, keys), Err(why), "{why}");
    }
    assert_eq!(ask(&plain, &[&auditor], &[], None), Err(Unknown::NoKeys));
    let none = Shown { authorization: vec![&auditor], ..Shown::default() };
    let certificates = Authority::new(&Setup { tokens: None, grants: Vec::new(), ..setup() }).unwrap();
    assert_eq!(certificates.identify(&none, keys, NOW), Err(Unknown::NoTokens));
    // Without trust domains a certificate is that of a connection, and of no caller.
    let tokens = Setup {
        trust_domains: Vec::new(),
        trusted_proxies: Vec::new(),
        grants: texts(&["claim:a = evaluate"]),
        ..setup()
    };
    let tokens = Authority::new(&tokens).unwrap();
    let connection = peer("192.0.2.7", &[gateway]);
    let shown = Shown { peer: Some(&connection), ..Shown::default() };
    assert_eq!(tokens.identify(&shown, keys, NOW), Err(Unknown::Nothing));
}

#[test]
fn an_entry_that_could_have_no_effect_is_refused() {
    let with = |change: &dyn Fn(&mut Setup)| {
        let mut setup = setup();
        change(&mut setup);
        Authority::new(&setup).map(drop).map_err(|fault| fault.part)
    };
    let token = |change: &dyn Fn(&mut TokenSetup)| with(&|setup| setup.tokens.as_mut().into_iter().for_each(change));
    assert_eq!(with(&|_| {}), Ok(()));
    for (found, part) in [
        (token(&|tokens| tokens.issuer.push('#')), Part::Issuer),
        (token(&|tokens| tokens.issuer.push(' ')), Part::Issuer),
        (token(&|tokens| tokens.algorithms.clear()), Part::Algorithms),
        (token(&|tokens| tokens.algorithms.push("none".to_owned())), Part::Algorithms),
        (token(&|tokens| tokens.algorithms.push("HS256".to_owned())), Part::Algorithms),
        (token(&|tokens| tokens.types.clear()), Part::Types),
        (token(&|tokens| tokens.types.push("application/jwt".to_owned())), Part::Types),
        (token(&|tokens| tokens.roles_claim = None), Part::Grants),
        (with(&|setup| setup.trust_domains.push("Example.org".to_owned())), Part::TrustDomains),
        (with(&|setup| setup.trust_domains.push("spiffe://example.org".to_owned())), Part::TrustDomains),
        (with(&|setup| setup.trusted_proxies.push("0.0.0.0/0".to_owned())), Part::TrustedProxies),
        (with(&|setup| setup.trusted_proxies.push("spiffe://example.com/a".to_owned())), Part::TrustedProxies),
        (with(&|setup| setup.grants.push("spiffe://example.com/a = evaluate".to_owned())), Part::Grants),
        (with(&|setup| setup.grants.push("https://issuer.example.com#a = evaluate".to_owned())), Part::Grants),
        (with(&|setup| setup.grants.push("spiffe://example.org/a = everything".to_owned())), Part::Grants),
        (with(&|setup| setup.tokens = None), Part::Grants),
    ] {
        assert_eq!(found, Err(part));
    }
}
