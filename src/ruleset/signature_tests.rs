use super::*;

fn files(rows: &[(&str, &str)]) -> Files {
    Files::new(rows.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
}

fn key(name: &str, seed: u8) -> PrivateKey {
    PrivateKey::new(name, &[seed; 32]).unwrap()
}

#[test]
fn a_signature_of_a_trusted_key_holds_and_nothing_else_does() {
    let package = files(&[("b/c.yaml", "two"), ("a.yaml", "one")]);
    let (ours, theirs) = (key("clinic.example", 1), key("elsewhere.example", 2));
    let trusted = [ours.public()];
    let note = sign(&package, &ours);
    let check = |files: &Files, note: &str| verify(files, Some(note), &trusted);
    assert_eq!(check(&package, &note), Ok(()));
    assert_eq!(verify(&package, None, &trusted), Err(SignatureFault::Unsigned));

    let foreign = sign(&package, &theirs);
    assert_eq!(check(&package, &foreign), Err(SignatureFault::UnknownKey("`elsewhere.example`".to_owned())));
    // The name alone makes no key: another key of our name is unknown too.
    let posing = sign(&package, &key("clinic.example", 3));
    assert!(matches!(check(&package, &posing), Err(SignatureFault::UnknownKey(_))));
    // A second signature, of a key that is not pinned, takes nothing away.
    let both = note.clone() + foreign.lines().last().unwrap() + "\n";
    assert_eq!(check(&package, &both), Ok(()));

    let other = sign(&files(&[("a.yaml", "three")]), &ours);
    let moved = other.replace(other.lines().last().unwrap(), note.lines().last().unwrap());
    assert_eq!(check(&package, &moved), Err(SignatureFault::Wrong("clinic.example".to_owned())));

    let told = |rows: &[(&str, &str)]| check(&files(rows), &note).unwrap_err();
    assert_eq!(told(&[("a.yaml", "one!"), ("b/c.yaml", "two")]), SignatureFault::Tampered("a.yaml".to_owned()));
    assert_eq!(told(&[("a.yaml", "one")]), SignatureFault::Missing("b/c.yaml".to_owned()));
    assert_eq!(
        told(&[("a.yaml", "one"), ("b/c.yaml", "two"), ("d.yaml", "")]),
        SignatureFault::Extra("d.yaml".to_owned())
    );
    for text in ["", "\n", "a\n\n", "no signature\n", "a\n\n- x AAAA\n", &note.replace('\n', "\r\n")] {
        assert_eq!(check(&package, text), Err(SignatureFault::Malformed), "{text:?}");
    }
}

/// The example of the Go package `sumdb/note`: other tools
/// that sign notes are read too.
#[test]
fn keys_and_signatures_are_those_of_signed_notes() {
    let key = TrustedKey::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
    let note = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\
        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    // The signature holds, and the text is no manifest.
    assert_eq!(verify(&files(&[]), Some(note), std::slice::from_ref(&key)), Err(SignatureFault::Malformed));
    let wrong = note.replace("answer", "cause");
    assert_eq!(verify(&files(&[]), Some(&wrong), &[key]), Err(SignatureFault::Wrong("PeterNeumann".to_owned())));
}
