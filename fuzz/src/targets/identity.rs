//! Who calls: tokens, certificates, and what proxies say.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use concord::identity::jwks::{Algorithm, KeySet};
use concord::identity::jwt::{SKEW, Terms, Token, verify};
use concord::identity::spiffe::SpiffeId;
use concord::identity::{svid, xfcc};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};

const ISSUER: &str = "https://id.example.org";
const AUDIENCE: &str = "concord";

/// Seconds since 1970.
const NOW: i64 = 1_800_000_000;

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_bytes(&[7; 32]));

static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let x = BASE64.encode(KEY.verifying_key().as_bytes());
    let set = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "k"}]});
    KeySet::parse(set.to_string().as_bytes()).expect("a set of keys")
});

fn terms() -> Terms {
    Terms {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        algorithms: vec![Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256],
        types: vec!["jwt".to_owned(), "at+jwt".to_owned()],
        roles_claim: Some("/realm/roles".to_owned()),
    }
}

/// A token that is signed here. What is taken is what its claims say, however they are spelled.
fn signed(header: &[u8], claims: &[u8]) -> Option<Token> {
    let parts = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
    let signature = BASE64.encode(KEY.sign(parts.as_bytes()).to_bytes());
    let token = verify(format!("{parts}.{signature}").as_bytes(), &terms(), &KEYS, NOW).ok()?;
    let claims: Value = serde_json::from_slice(claims).expect("claims are JSON");
    assert_eq!(claims["iss"], ISSUER);
    let aud = &claims["aud"];
    assert!(aud == AUDIENCE || aud.as_array().is_some_and(|all| all.iter().any(|one| one == AUDIENCE)), "{aud}");
    #[expect(clippy::cast_precision_loss, reason = "seconds of this epoch are exact")]
    let now = NOW as f64;
    assert!(claims["exp"].as_f64().is_some_and(|end| end > now - SKEW - 1.0), "{claims}");
    for begin in ["nbf", "iat"] {
        assert!(claims[begin].as_f64().is_none_or(|begin| begin < now + SKEW + 1.0), "{claims}");
    }
    assert_eq!(claims["sub"].as_str().map(|sub| format!("{ISSUER}#{sub}")), Some(token.name.clone()));
    Some(token)
}

/// A token as it comes; a set of keys; header and claims, with a zero byte between them, that are signed here. The first
/// byte says which.
pub fn jwt(data: &[u8]) {
    let Some((which, data)) = data.split_first() else { return };
    match which {
        b'k' => {
            if let Ok(keys) = KeySet::parse(data) {
                assert!(keys.count() > 0 && !keys.verifies("k", Algorithm::EdDsa, b"", &[0; 64]));
            }
        }
        b's' => {
            let mut parts = data.splitn(2, |byte| *byte == 0);
            if let (Some(header), Some(claims)) = (parts.next(), parts.next()) {
                signed(header, claims);
            }
        }
        // Without the key no one makes a token.
        _ => assert!(verify(data, &terms(), &KEYS, NOW).is_err() || SIGNED.iter().any(|one| one.as_bytes() == data)),
    }
}

/// The one token that is signed and not made by the fuzzer.
static SIGNED: LazyLock<Vec<String>> = LazyLock::new(|| {
    let claims = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "ehr", "exp": NOW + 300}).to_string();
    let parts = format!("{}.{}", BASE64.encode(HEADER), BASE64.encode(claims));
    let signature = BASE64.encode(KEY.sign(parts.as_bytes()).to_bytes());
    vec![format!("{parts}.{signature}")]
});

const HEADER: &str = r#"{"alg":"EdDSA","typ":"JWT","kid":"k"}"#;

/// The leaf of a client in DER.
pub fn certificate(data: &[u8]) {
    if let Ok(id) = svid::id(data, NOW) {
        let text = id.to_string();
        assert_eq!(SpiffeId::parse(&text).as_ref(), Ok(&id));
        assert!(data.windows(text.len()).any(|part| part == text.as_bytes()), "it is not in the certificate");
    }
}

/// What a proxy says of its caller.
pub fn xfcc(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data)
        && let Ok(id) = SpiffeId::parse(text)
    {
        assert_eq!(id.to_string(), text);
    }
    let found = xfcc::caller(data);
    if let Ok(id) = &found {
        assert_eq!(SpiffeId::parse(&id.to_string()).as_ref(), Ok(id));
        // What stands before the last element was sent by anyone.
        let before = [b"By=x;URI=spiffe://evil.example/admin,", data].concat();
        assert_eq!(xfcc::caller(&before).as_ref().ok(), (before.len() <= 32 * 1024).then_some(id));
    }
}

/// Inputs to begin with.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let texts: Vec<String> = match target {
        "jwt" => {
            let claims = json!({"iss": ISSUER, "aud": [AUDIENCE], "sub": "ehr", "exp": NOW + 300, "nbf": NOW, "iat": NOW,
                "realm": {"roles": ["evaluate"]}});
            let x = BASE64.encode(KEY.verifying_key().as_bytes());
            let rsa = json!({"kty": "RSA", "n": BASE64.encode([0xc5; 256]), "e": "AQAB", "kid": "r", "use": "sig"});
            let keys = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "k", "alg": "EdDSA"}, rsa]});
            let point = json!({"keys": [{"kty": "EC", "crv": "P-256", "x": x, "y": x, "kid": "e", "alg": "ES256"}]});
            let mut texts = vec![format!("s{HEADER}\0{claims}"), format!("k{keys}"), format!("k{point}")];
            texts.extend(SIGNED.iter().map(|token| format!("t{token}")));
            texts
        }
        "xfcc" => vec![
            "URI=spiffe://example.org/ehr".to_owned(),
            "spiffe://example.org/ns/a/sa/b".to_owned(),
            "By=spiffe://a/b;Hash=ab12;Subject=\"CN=a,O=b;c=\\\"d\\\"\";URI=spiffe://example.org/ehr;DNS=a".to_owned(),
            "By=x;URI=spiffe://a/b,By=y;URI=\"spiffe://example.org/ehr\"".to_owned(),
        ],
        _ => Vec::new(),
    };
    texts.into_iter().map(String::into_bytes).collect()
}
