use rcgen::{
    BasicConstraints as Constraints, CertificateParams, CustomExtension, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};

use super::super::spiffe::SpiffeFault;
use super::*;

const EHR: &str = "spiffe://example.org/ns/ehr/sa/orders";

/// Within 2027, when the certificates of these tests are valid.
const NOW: i64 = 1_800_000_000;

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let size = content.len();
    let mut bytes = vec![tag];
    match size {
        0..=127 => bytes.push(u8::try_from(size).unwrap()),
        128..=255 => bytes.extend([0x81, u8::try_from(size).unwrap()]),
        _ => bytes.extend([0x82, u8::try_from(size >> 8).unwrap(), u8::try_from(size & 0xff).unwrap()]),
    }
    bytes.extend(content);
    bytes
}

/// Names of a certificate: tag and content each.
fn names(all: &[(u8, &[u8])]) -> CustomExtension {
    let all: Vec<u8> = all.iter().flat_map(|(tag, content)| tlv(*tag, content)).collect();
    extension(&[2, 5, 29, 17], tlv(0x30, &all))
}

fn extension(oid: &[u64], content: Vec<u8>) -> CustomExtension {
    CustomExtension::from_oid_content(oid, content)
}

fn certificate(change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
    let mut params = CertificateParams::default();
    (params.not_before, params.not_after) = (date_time_ymd(2027, 1, 1), date_time_ymd(2028, 1, 1));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    change(&mut params);
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

fn of(extensions: Vec<CustomExtension>) -> Vec<u8> {
    certificate(|params| params.custom_extensions = extensions)
}

fn uri(text: &str) -> CustomExtension {
    names(&[(0x86, text.as_bytes())])
}

fn good() -> Vec<u8> {
    of(vec![uri(EHR)])
}

#[test]
fn a_leaf_names_its_workload() {
    let read = |der: Vec<u8>| id(&der, NOW).map(|id| id.to_string());
    assert_eq!(read(good()).as_deref(), Ok(EHR));
    let beside = names(&[(0x82, b"orders.example.org"), (0x86, EHR.as_bytes()), (0x87, &[127, 0, 0, 1])]);
    assert_eq!(read(of(vec![beside])).as_deref(), Ok(EHR));
    let no_usage = certificate(|params| {
        params.key_usages.clear();
        params.is_ca = IsCa::ExplicitNoCa;
        params.custom_extensions = vec![uri(EHR)];
    });
    assert_eq!(read(no_usage).as_deref(), Ok(EHR));
}

#[test]
fn the_instant_decides_to_the_second() {
    let leaf = good();
    let (begin, end) = (1_798_761_600, 1_830_297_600);
    assert_eq!(id(&leaf, begin - 1), Err(SvidFault::Early));
    assert_eq!(id(&leaf, -1), Err(SvidFault::Early));
    assert!(id(&leaf, begin).is_ok() && id(&leaf, end).is_ok());
    assert_eq!(id(&leaf, end + 1), Err(SvidFault::Expired));
    assert_eq!(id(&leaf, i64::MAX), Err(SvidFault::Expired));
}

fn patched(find: &[u8], put: &[u8]) -> Vec<u8> {
    let mut leaf = good();
    let at = leaf.windows(find.len()).position(|part| part == find).unwrap();
    leaf[at..at + put.len()].copy_from_slice(put);
    leaf
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn malformed_certificates_are_refused_each_for_its_fault() {
    let used = |uses: Vec<KeyUsagePurpose>| {
        certificate(|params| {
            params.key_usages = uses;
            params.custom_extensions = vec![uri(EHR)];
        })
    };
    let authority = |kind: IsCa| {
        certificate(|params| {
            params.is_ca = kind;
            params.key_usages.clear();
            params.custom_extensions = vec![uri(EHR)];
        })
    };
    let long_domain = format!("spiffe://{}/a", "a".repeat(256));
    let long_id = format!("spiffe://example.org/{}", "a".repeat(2048));
    let whole = good();
    let malformed = SvidFault::Malformed;
    let with = |oid: &[u64], content: &[u8]| of(vec![uri(EHR), extension(oid, content.to_vec())]);
    let mut rows: Vec<(&str, Vec<u8>, SvidFault)> = vec![
        ("nothing", Vec::new(), malformed),
        ("a byte", vec![0x30], malformed),
        ("text", b"spiffe://example.org/ns/ehr/sa/orders".to_vec(), malformed),
        ("PEM", b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n".to_vec(), malformed),
        ("an empty sequence", vec![0x30, 0], malformed),
        ("no end of its length", vec![0x30, 0x80, 0, 0], malformed),
        ("a length beyond all", vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff], malformed),
        ("cut by a byte", whole[..whole.len() - 1].to_vec(), malformed),
        ("cut in half", whole[..whole.len() / 2].to_vec(), malformed),
        ("a byte behind", [whole.clone(), vec![0]].concat(), malformed),
        ("twice", [whole.clone(), whole.clone()].concat(), malformed),
        ("another tag", [vec![0x31], whole[1..].to_vec()].concat(), malformed),
        ("version 1", patched(&[0xa0, 3, 2, 1, 2], &[0xa0, 3, 2, 1, 0]), SvidFault::Version),
        ("version 2", patched(&[0xa0, 3, 2, 1, 2], &[0xa0, 3, 2, 1, 1]), SvidFault::Version),
        ("version 9", patched(&[0xa0, 3, 2, 1, 2], &[0xa0, 3, 2, 1, 9]), malformed),
        ("a date that is none", patched(b"270101000000Z", b"271301000000Z"), malformed),
        ("a name that is not ASCII", patched(b"/orders", b"/orde\xe9s"), malformed),
        ("a name with a null", patched(b"/orders", b"/orde\0s"), SvidFault::Id(SpiffeFault::Path)),
        ("names twice", of(vec![uri(EHR), uri("spiffe://example.org/admin")]), malformed),
        ("the same names twice", of(vec![uri(EHR), uri(EHR)]), malformed),
        (
            "an extension twice",
            of(vec![
                uri(EHR),
                extension(&[1, 3, 6, 1, 4, 1, 32473, 1], vec![5, 0]),
                extension(&[1, 3, 6, 1, 4, 1, 32473, 1], vec![5, 0]),
            ]),
            malformed,
        ),
        ("names that are none", of(vec![extension(&[2, 5, 29, 17], vec![4, 1, 0])]), malformed),
        (
            "names with bytes behind",
            of(vec![extension(&[2, 5, 29, 17], [tlv(0x30, &tlv(0x86, EHR.as_bytes())), vec![0]].concat())]),
            malformed,
        ),
        ("constraints that are none", with(&[2, 5, 29, 19], &[4, 0]), malformed),
        ("no extension but a use", of(Vec::new()), SvidFault::NoUri),
        ("no names", of(vec![names(&[])]), SvidFault::NoUri),
        ("a host alone", of(vec![names(&[(0x82, b"orders.example.org")])]), SvidFault::NoUri),
        ("mail that looks like one", of(vec![names(&[(0x81, EHR.as_bytes())])]), SvidFault::NoUri),
        ("a host that looks like one", of(vec![names(&[(0x82, EHR.as_bytes())])]), SvidFault::NoUri),
        ("two IDs", of(vec![names(&[(0x86, EHR.as_bytes()), (0x86, b"spiffe://example.org/admin")])]), SvidFault::Uris),
        ("one ID twice", of(vec![names(&[(0x86, EHR.as_bytes()), (0x86, EHR.as_bytes())])]), SvidFault::Uris),
        (
            "an ID and a page",
            of(vec![names(&[(0x86, EHR.as_bytes()), (0x86, b"https://example.org")])]),
            SvidFault::Uris,
        ),
        ("an authority", authority(IsCa::Ca(Constraints::Unconstrained)), SvidFault::Authority),
        ("an authority of none", authority(IsCa::Ca(Constraints::Constrained(0))), SvidFault::Authority),
        (
            "may sign certificates",
            used(vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign]),
            SvidFault::SigningUse,
        ),
        (
            "may sign lists",
            used(vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::CrlSign]),
            SvidFault::SigningUse,
        ),
        ("may not sign", used(vec![KeyUsagePurpose::KeyEncipherment]), SvidFault::NoSignature),
    ];
    for (text, fault) in [
        ("https://example.org/a", SpiffeFault::Scheme),
        ("SPIFFE://example.org/a", SpiffeFault::Scheme),
        ("", SpiffeFault::Scheme),
        ("spiffe://example.org", SpiffeFault::NoPath),
        ("spiffe://example.org/", SpiffeFault::NoPath),
        ("spiffe:///a", SpiffeFault::Domain),
        ("spiffe://EXAMPLE.org/a", SpiffeFault::Domain),
        ("spiffe://a@example.org/a", SpiffeFault::Domain),
        ("spiffe://example.org:443/a", SpiffeFault::Domain),
        ("spiffe://example.org/a/", SpiffeFault::Path),
        ("spiffe://example.org//a", SpiffeFault::Path),
        ("spiffe://example.org/a/../b", SpiffeFault::Path),
        ("spiffe://example.org/a?b", SpiffeFault::Path),
        ("spiffe://example.org/a#b", SpiffeFault::Path),
        ("spiffe://example.org/a%20b", SpiffeFault::Path),
        (&long_domain, SpiffeFault::Domain),
        (&long_id, SpiffeFault::Long),
    ] {
        rows.push(("an ID that is none", of(vec![uri(text)]), SvidFault::Id(fault)));
    }
    assert!(rows.len() >= 50);
    for (what, der, fault) in rows {
        assert_eq!(id(&der, NOW), Err(fault), "{what}");
    }
}

#[test]
fn no_change_of_a_byte_makes_it_fail_or_another_ones_name() {
    let leaf = good();
    for at in 0..leaf.len() {
        for change in [0x01, 0x20, 0x80, 0xff] {
            let mut other = leaf.clone();
            other[at] ^= change;
            // TLS has the signature checked; what is left is that nothing fails.
            let _ = id(&other, NOW);
        }
        assert!(id(&leaf[..at], NOW).is_err());
    }
}
