use super::*;

fn key(name: &str, seed: u8) -> PrivateKey {
    PrivateKey::new(name, &[seed; 32]).unwrap()
}

#[test]
fn a_key_reads_back_and_one_mistyped_does_not() {
    let private = key("clinic.example", 7);
    let public = private.public().to_string();
    assert_eq!(TrustedKey::parse(&public).unwrap(), private.public());
    assert_eq!(PrivateKey::parse(&private.secret_text()).unwrap().public(), private.public());
    assert_eq!(TrustedKey::parse(&private.secret_text()), Err(KeyFault::Private));
    assert_eq!(TrustedKey::parse(&public.replace("clinic", "clinik")), Err(KeyFault::Id));
    assert_eq!(TrustedKey::parse("clinic.example"), Err(KeyFault::Form));
    // The neutral element: everyone can sign for it.
    let mut weak = [0_u8; 32];
    weak[0] = 1;
    let text = format!("x+00000000+{}", encoded(&weak));
    assert_eq!(TrustedKey::parse(&text), Err(KeyFault::Weak));
    for name in ["", "a b", "a+b", "a,b"] {
        assert_eq!(PrivateKey::new(name, &[1; 32]).err(), Some(KeyFault::Name), "{name}");
    }
}
