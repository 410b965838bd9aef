use proptest::prelude::*;
use serde_json::json;

use super::super::minting::{AUDIENCE, ISSUER, Mint, N, NOW, claims};
use super::*;

fn terms() -> Terms {
    Terms {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        algorithms: Algorithm::ALL.iter().map(|(_, one)| *one).collect(),
        types: vec!["at+jwt".to_owned(), "jwt".to_owned()],
        roles_claim: Some("scope".to_owned()),
    }
}

fn keys(mint: &Mint) -> KeySet {
    KeySet::parse(mint.set().to_string().as_bytes()).unwrap()
}

fn key_of(algorithm: &str) -> &'static str {
    match algorithm {
        "ES256" => "p256",
        "ES384" => "p384",
        "EdDSA" => "ed",
        _ => "rsa",
    }
}

#[test]
fn a_token_of_every_algorithm_names_its_caller() {
    let mint = Mint::new();
    for (name, _) in Algorithm::ALL {
        let header = json!({"alg": name, "kid": key_of(name), "typ": "at+jwt"}).to_string();
        let token = mint.token(name, &header, &claims(&json!({}), &json!({"scope": "a b"})));
        let read = verify(token.as_bytes(), &terms(), &keys(&mint), NOW).unwrap();
        assert_eq!(read.name, format!("{ISSUER}#ehr"));
        assert_eq!(read.marks, ["a", "b"]);
        // On no list, it is refused.
        let others = Algorithm::ALL.iter().map(|(_, one)| *one).filter(|one| Algorithm::named(name) != Some(*one));
        let without = Terms { algorithms: others.collect(), ..terms() };
        assert_eq!(verify(token.as_bytes(), &without, &keys(&mint), NOW), Err(TokenFault::Algorithm), "{name}");
    }
}

#[test]
fn what_may_vary_is_taken() {
    let mint = Mint::new();
    let header = |more: serde_json::Value| {
        let mut header = json!({"alg": "ES256", "kid": "p256"});
        header.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        header.to_string()
    };
    let plain = || header(json!({}));
    let with = |changes: serde_json::Value| claims(&changes, &json!({}));
    for (header, claims) in [
        (plain(), with(json!({}))),
        (header(json!({"typ": "JWT"})), with(json!({}))),
        (header(json!({"typ": "application/AT+JWT", "x5t": "abc", "cty": "x"})), with(json!({}))),
        (plain(), with(json!({"aud": ["other", AUDIENCE]}))),
        (plain(), with(json!({"nbf": null, "iat": null}))),
        (plain(), with(json!({"exp": NOW - 59}))),
        (plain(), with(json!({"exp": 1_800_000_000.5}))),
        (plain(), with(json!({"nbf": NOW + 60, "iat": NOW + 60}))),
        (plain(), with(json!({"scope": null, "jti": "x", "more": {"a": [1]}}))),
    ] {
        let token = mint.token("ES256", &header, &claims);
        assert!(verify(token.as_bytes(), &terms(), &keys(&mint), NOW).is_ok(), "{header} {claims}");
    }
    let nested = Terms { roles_claim: Some("/realm/roles".to_owned()), ..terms() };
    let token = mint.good("ehr", &json!({"realm": {"roles": ["x", "y z"]}}));
    assert_eq!(verify(token.as_bytes(), &nested, &keys(&mint), NOW).unwrap().marks, ["x", "y z"]);
    let untyped = Terms { types: vec!["at+jwt".to_owned()], ..terms() };
    assert_eq!(verify(token.as_bytes(), &untyped, &keys(&mint), NOW), Err(TokenFault::Type));
}

/// Tokens that don't hold, each by its one fault, and what it is.
#[expect(clippy::too_many_lines, reason = "a table")]
fn bad(mint: &Mint) -> Vec<(String, Vec<u8>, TokenFault)> {
    let mut rows: Vec<(String, Vec<u8>, TokenFault)> = Vec::new();
    let good = mint.good("ehr", &json!({}));
    let mut add = |what: &str, token: &str, fault| rows.push((what.to_owned(), token.as_bytes().to_vec(), fault));
    let fine = claims(&json!({}), &json!({}));

    // The form.
    for (what, token) in [
        ("empty", String::new()),
        ("one part", "abc".to_owned()),
        ("two parts", good.rsplit_once('.').unwrap().0.to_owned()),
        ("four parts", format!("{good}.abc")),
        ("dots", "..".to_owned() + "."),
        ("a space", format!(" {good}")),
        ("padding", format!("{good}=")),
        ("the other alphabet", good.replace('.', "+.")),
        ("bits beyond the last byte", good.replacen('.', "B.", 1)),
        ("non-ASCII", format!("{good}é")),
        ("JSON, not compact", json!({"payload": "", "signatures": []}).to_string()),
    ] {
        add(what, &token, TokenFault::Form);
    }
    add("1 MB", &"a".repeat(1 << 20), TokenFault::Long);
    add("8193 bytes", &format!("{good}{}", "A".repeat(BYTES + 1 - good.len())), TokenFault::Long);
    add("only dots", "..", TokenFault::Header);

    // The header.
    for (what, header, fault) in [
        ("not JSON", "alg", TokenFault::Header),
        ("a list", "[]", TokenFault::Header),
        ("no algorithm", r#"{"kid": "p256"}"#, TokenFault::Header),
        ("an algorithm that is no text", r#"{"alg": ["ES256"], "kid": "p256"}"#, TokenFault::Header),
        ("two algorithms", r#"{"alg": "ES256", "alg": "none", "kid": "p256"}"#, TokenFault::Header),
        ("two keys", r#"{"alg": "ES256", "kid": "p256", "kid": "rsa"}"#, TokenFault::Header),
        ("a key that is no text", r#"{"alg": "ES256", "kid": 7}"#, TokenFault::Header),
        ("none", r#"{"alg": "none"}"#, TokenFault::Algorithm),
        ("None", r#"{"alg": "None", "kid": "p256"}"#, TokenFault::Algorithm),
        ("lower case", r#"{"alg": "es256", "kid": "p256"}"#, TokenFault::Algorithm),
        ("HS256", r#"{"alg": "HS256", "kid": "p256"}"#, TokenFault::Algorithm),
        ("ES512", r#"{"alg": "ES512", "kid": "p256"}"#, TokenFault::Algorithm),
        ("RSA1_5", r#"{"alg": "RSA1_5", "kid": "rsa"}"#, TokenFault::Algorithm),
        ("crit", r#"{"alg": "ES256", "kid": "p256", "crit": ["exp"], "exp": 1}"#, TokenFault::Untaken),
        ("crit, empty", r#"{"alg": "ES256", "kid": "p256", "crit": []}"#, TokenFault::Untaken),
        ("b64", r#"{"alg": "ES256", "kid": "p256", "b64": false}"#, TokenFault::Untaken),
        ("zip", r#"{"alg": "ES256", "kid": "p256", "zip": "DEF"}"#, TokenFault::Untaken),
        ("a key within", r#"{"alg": "ES256", "kid": "p256", "jwk": {}}"#, TokenFault::Untaken),
        ("a set elsewhere", r#"{"alg": "ES256", "kid": "p256", "jku": "https://x.example.org"}"#, TokenFault::Untaken),
        (
            "a chain elsewhere",
            r#"{"alg": "ES256", "kid": "p256", "x5u": "https://x.example.org"}"#,
            TokenFault::Untaken,
        ),
        ("a chain within", r#"{"alg": "ES256", "kid": "p256", "x5c": ["MII"]}"#, TokenFault::Untaken),
        ("another type", r#"{"alg": "ES256", "kid": "p256", "typ": "dpop+jwt"}"#, TokenFault::Type),
        ("no type at all", r#"{"alg": "ES256", "kid": "p256", "typ": ""}"#, TokenFault::Type),
        ("no key", r#"{"alg": "ES256"}"#, TokenFault::NoKey),
        ("a key of another case", r#"{"alg": "ES256", "kid": "P256"}"#, TokenFault::UnknownKey),
        ("a key by path", r#"{"alg": "ES256", "kid": "../../../dev/null"}"#, TokenFault::UnknownKey),
        ("a key by query", r#"{"alg": "ES256", "kid": "p256' OR '1'='1"}"#, TokenFault::UnknownKey),
        ("a key with a null", r#"{"alg": "ES256", "kid": "p256\u0000"}"#, TokenFault::UnknownKey),
        ("an empty key", r#"{"alg": "ES256", "kid": ""}"#, TokenFault::UnknownKey),
        ("another key of another kind", r#"{"alg": "ES256", "kid": "rsa"}"#, TokenFault::Signature),
        ("RSA with the key of a curve", r#"{"alg": "RS256", "kid": "p256"}"#, TokenFault::Signature),
        ("the algorithm of another key", r#"{"alg": "EdDSA", "kid": "p256"}"#, TokenFault::Signature),
    ] {
        add(what, &mint.token("ES256", header, &fine), fault);
    }
    // The key says RS256, the token PS256, and is signed so.
    add(
        "another algorithm than the key's",
        &mint.token("PS256", r#"{"alg": "PS256", "kid": "rsa-256"}"#, &fine),
        TokenFault::Signature,
    );

    // The signature.
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut flipped = bytes.clone();
    flipped[40] ^= 1;
    let (header, _) = signed.split_once('.').unwrap();
    let admin = BASE64_URL_SAFE_NO_PAD.encode(claims(&json!({"sub": "admin"}), &json!({})));
    for (what, token) in [
        ("no signature", format!("{signed}.")),
        ("one bit", format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(&flipped))),
        ("cut short", format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(&bytes[..63]))),
        ("zeros", format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode([0; 64]))),
        ("of other claims", format!("{header}.{admin}.{signature}")),
        ("of another mint", Mint::new().good("ehr", &json!({}))),
    ] {
        add(what, &token, TokenFault::Signature);
    }
    // A public key as the secret of an HMAC, under both names of the algorithm.
    for (algorithm, fault) in [("HS256", TokenFault::Algorithm), ("RS256", TokenFault::Signature)] {
        let header = json!({"alg": algorithm, "kid": "rsa"}).to_string();
        let signed = format!("{}.{}", BASE64_URL_SAFE_NO_PAD.encode(header), BASE64_URL_SAFE_NO_PAD.encode(&fine));
        let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, N.as_bytes());
        let tag = BASE64_URL_SAFE_NO_PAD.encode(ring::hmac::sign(&secret, signed.as_bytes()));
        add("a public key as a secret", &format!("{signed}.{tag}"), fault);
    }

    // The claims, well signed.
    let plain = r#"{"alg": "ES256", "kid": "p256"}"#;
    let twice = fine.replacen('{', "{\"sub\": \"admin\", ", 1);
    for (what, text) in
        [("not JSON", "x"), ("a list", "[]"), ("null", "null"), ("two subjects", &twice), ("cut", "{\"iss\":")]
    {
        add(what, &mint.token("ES256", plain, text), TokenFault::Claims);
    }
    for (changes, fault) in [
        (json!({"iss": null}), TokenFault::Issuer),
        (json!({"iss": format!("{ISSUER}/")}), TokenFault::Issuer),
        (json!({"iss": ISSUER.to_uppercase()}), TokenFault::Issuer),
        (json!({"iss": [ISSUER]}), TokenFault::Claims),
        (json!({"aud": null}), TokenFault::Audience),
        (json!({"aud": "Concord"}), TokenFault::Audience),
        (json!({"aud": "concord "}), TokenFault::Audience),
        (json!({"aud": ""}), TokenFault::Audience),
        (json!({"aud": []}), TokenFault::Audience),
        (json!({"aud": ["other", "concord-2"]}), TokenFault::Audience),
        (json!({"aud": [[AUDIENCE]]}), TokenFault::Claims),
        (json!({"aud": [AUDIENCE, 7]}), TokenFault::Claims),
        (json!({"aud": {"concord": true}}), TokenFault::Claims),
        (json!({"exp": null}), TokenFault::NoEnd),
        (json!({"exp": NOW - 60}), TokenFault::Expired),
        (json!({"exp": 0}), TokenFault::Expired),
        (json!({"exp": -1}), TokenFault::Expired),
        (json!({"exp": (NOW + 300).to_string()}), TokenFault::Claims),
        (json!({"exp": true}), TokenFault::Claims),
        (json!({"nbf": NOW + 61}), TokenFault::Early),
        (json!({"nbf": 1e300}), TokenFault::Early),
        (json!({"nbf": "soon"}), TokenFault::Claims),
        (json!({"iat": NOW + 61}), TokenFault::Early),
        (json!({"iat": []}), TokenFault::Claims),
        (json!({"sub": null}), TokenFault::Subject),
        (json!({"sub": ""}), TokenFault::Subject),
        (json!({"sub": "a b"}), TokenFault::Subject),
        (json!({"sub": "ehr\n"}), TokenFault::Subject),
        (json!({"sub": "\u{435}hr"}), TokenFault::Subject),
        (json!({"sub": "a".repeat(256)}), TokenFault::Subject),
        (json!({"sub": 7}), TokenFault::Claims),
        (json!({"scope": 7}), TokenFault::Claims),
        (json!({"scope": ["a", 7]}), TokenFault::Claims),
        (json!({"scope": {"evaluate": true}}), TokenFault::Claims),
        (json!({"scope": "a ".repeat(257)}), TokenFault::Claims),
    ] {
        add(&changes.to_string(), &mint.token("ES256", plain, &claims(&changes, &json!({}))), fault);
    }
    let large = mint.token("ES256", plain, &fine.replacen("\"iat\"", "\"exp\": 1e400, \"iat\"", 1));
    add("a number beyond all", &large, TokenFault::Claims);
    let mut bytes = good.into_bytes();
    bytes[10] = 0xff;
    rows.push(("not UTF-8".to_owned(), bytes, TokenFault::Form));
    rows
}

#[test]
fn bad_tokens_are_refused_each_for_its_fault() {
    let mint = Mint::new();
    let (keys, terms, rows) = (keys(&mint), terms(), bad(&mint));
    assert!(rows.len() >= 80, "{}", rows.len());
    for (what, token, fault) in rows {
        assert_eq!(verify(&token, &terms, &keys, NOW), Err(fault), "{what}");
    }
}

#[test]
fn no_change_of_a_byte_makes_another_token_that_holds() {
    let mint = Mint::new();
    let (keys, terms) = (keys(&mint), terms());
    let good = mint.good("ehr", &json!({})).into_bytes();
    let read = verify(&good, &terms, &keys, NOW).unwrap();
    for at in 0..good.len() {
        for change in [1, 2, 0x20, 0x80] {
            let mut token = good.clone();
            token[at] ^= change;
            assert!(verify(&token, &terms, &keys, NOW).is_err(), "{at} {change}");
        }
    }
    for end in 0..good.len() {
        assert!(verify(&good[..end], &terms, &keys, NOW).is_err());
    }
    assert_eq!(read.marks, Vec::<String>::new());
}

proptest! {
    #[test]
    fn no_bytes_make_it_fail(token in proptest::collection::vec(any::<u8>(), 0..300), text in "[A-Za-z0-9_-]{0,40}[.][A-Za-z0-9_-]{0,40}[.][A-Za-z0-9_-]{0,90}") {
        let keys = KeySet::parse(format!("{{\"keys\": [{{\"kty\": \"RSA\", \"kid\": \"r\", \"n\": \"{N}\", \"e\": \"AQAB\"}}]}}").as_bytes()).unwrap();
        prop_assert!(verify(&token, &terms(), &keys, NOW).is_err());
        prop_assert!(verify(text.as_bytes(), &terms(), &keys, NOW).is_err());
    }
}
