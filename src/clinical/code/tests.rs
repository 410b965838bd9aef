use super::*;

fn icd(raw: &str) -> (String, CodeStanding) {
    let read = read_code(CodeSystem::Icd10Cm, raw).unwrap();
    (read.code, read.standing)
}

fn reason(system: CodeSystem, raw: &str) -> MalformedReason {
    read_code(system, raw).unwrap_err().reason
}

#[test]
fn systems_resolve_by_uri_oid_and_alias() {
    for (system, raws) in [
        (
            CodeSystem::Icd10Cm,
            vec![
                "http://hl7.org/fhir/sid/icd-10-cm",
                " https://hl7.org/fhir/sid/icd-10-cm/ ",
                "http://hl7.org/fhir/sid/icd-10-cm|2026",
                "URN:OID:2.16.840.1.113883.6.90",
                "ICD10CM",
                "icd-10-cm",
                "ICD-10",
            ],
        ),
        (
            CodeSystem::SnomedCt,
            vec![
                "http://snomed.info/sct/",
                "http://snomed.info/sct/731000124108/version/20250301",
                "http://snomed.info/sct/900000000000207008",
                "urn:oid:2.16.840.1.113883.6.96",
                "SNOMED-CT",
                "SNOMEDCT",
                "SNOMED",
            ],
        ),
        (
            CodeSystem::RxNorm,
            vec!["http://www.nlm.nih.gov/research/umls/rxnorm", "RXNORM", "urn:oid:2.16.840.1.113883.6.88"],
        ),
        (CodeSystem::Loinc, vec!["http://loinc.org/|2.81", "LN", "loinc", "urn:oid:2.16.840.1.113883.6.1"]),
        (CodeSystem::Concord, vec!["urn:concord:observation", "concord"]),
    ] {
        assert_eq!(CodeSystem::resolve(system.uri()), Ok(system));
        assert_eq!(CodeSystem::resolve(system.name()), Ok(system));
        for raw in raws {
            assert_eq!(CodeSystem::resolve(raw), Ok(system), "{raw}");
        }
    }
}

#[test]
fn other_systems_are_named_and_never_folded_in() {
    for (raw, name) in [
        ("http://hl7.org/fhir/sid/icd-10", "WHO ICD-10"),
        ("urn:oid:2.16.840.1.113883.6.3", "WHO ICD-10"),
        ("http://hl7.org/fhir/sid/icd-9-cm", "ICD-9-CM"),
        ("http://hl7.org/fhir/sid/ndc", "NDC"),
    ] {
        assert_eq!(CodeSystem::resolve(raw), Err(SystemProblem::Other { name }), "{raw}");
    }
    for raw in [
        "",
        "/",
        "|",
        "urn:oid:",
        "urn:oid:2.16.840.1.113883.6.9",
        "http://snomed.info/sct//",
        "http://snomed.info/sct/x",
        "http://snomed.info/id/75544000",
        "HTTP://LOINC.ORG",
        "http://loinc.org//",
        "ІCD-10",
        "https",
        "https://",
    ] {
        assert_eq!(CodeSystem::resolve(raw), Err(SystemProblem::Unknown), "{raw}");
    }
}

#[test]
fn icd_codes_are_normalized() {
    for raw in ["F11.20", " f11.20 ", "F1120", "f 11 20", "F11.2.0"] {
        assert_eq!(icd(raw), ("F11.20".to_owned(), CodeStanding::Current), "{raw}");
    }
    assert_eq!(icd("t401x1a"), ("T40.1X1A".to_owned(), CodeStanding::Current));
    assert_eq!(icd("F11.2"), ("F11.2".to_owned(), CodeStanding::Header));
    assert_eq!(icd("T40.4X1A"), ("T40.4X1A".to_owned(), CodeStanding::Retired));
    assert_eq!(icd("Z91.5"), ("Z91.5".to_owned(), CodeStanding::Header));
    assert_eq!(icd("F11.999"), ("F11.999".to_owned(), CodeStanding::NotListed));
    assert_eq!(icd("F39").1, CodeStanding::Current);
    for code in ["QA0", "QA1", "C4A", "F32.A", "Z87.8901"] {
        assert_ne!(icd(code).1, CodeStanding::NotListed, "{code}");
    }
}

#[test]
fn icd_codes_of_another_shape_are_malformed() {
    for raw in ["F1", "F11.20-", "F11.200000", "111", "F11\t20", "F11_20"] {
        assert_eq!(reason(CodeSystem::Icd10Cm, raw), MalformedReason::Shape, "{raw}");
    }
    assert_eq!(reason(CodeSystem::Icd10Cm, ". ."), MalformedReason::Shape);
    assert_eq!(reason(CodeSystem::Icd10Cm, "  "), MalformedReason::Empty);
}

#[test]
fn look_alikes_are_refused_in_every_system() {
    // The first letter is U+0424, and the digit is full-width.
    assert_eq!(reason(CodeSystem::Icd10Cm, "Ф11.20"), MalformedReason::LookAlike);
    assert_eq!(reason(CodeSystem::RxNorm, "１819"), MalformedReason::LookAlike);
    assert_eq!(reason(CodeSystem::Icd10Cm, "F11.20\u{a0}"), MalformedReason::LookAlike);
}

#[test]
fn snomed_identifiers_have_a_check_digit() {
    for code in ["75544000", "16265951000119109", "191865004", "1255013006", "900000000000207008"] {
        assert_eq!(read_code(CodeSystem::SnomedCt, code).unwrap().code, code);
    }
    // Seen in public code for opioid use disorder.
    assert_eq!(reason(CodeSystem::SnomedCt, "231450006"), MalformedReason::CheckDigit);
    for raw in ["75544", "075544000", "1234567890123456789", "7554400O", "-75544000"] {
        assert_eq!(reason(CodeSystem::SnomedCt, raw), MalformedReason::Shape, "{raw}");
    }
    assert_eq!(reason(CodeSystem::SnomedCt, " 75544000"), MalformedReason::WhiteSpace);
}

#[test]
fn one_wrong_digit_or_two_swapped_never_pass() {
    let code = "16265951000119109";
    for place in 0..code.len() {
        for digit in '0'..='9' {
            let mut wrong: Vec<char> = code.chars().collect();
            wrong[place] = digit;
            let wrong: String = wrong.into_iter().collect();
            assert_eq!(read_code(CodeSystem::SnomedCt, &wrong).is_ok(), wrong == code, "{wrong}");
        }
    }
    for place in 1..code.len() {
        let mut swapped: Vec<char> = code.chars().collect();
        swapped.swap(place - 1, place);
        let swapped: String = swapped.into_iter().collect();
        assert_eq!(read_code(CodeSystem::SnomedCt, &swapped).is_ok(), swapped == code, "{swapped}");
    }
}

#[test]
fn loinc_codes_have_a_check_digit() {
    for code in ["8636-3", "2160-0", "101698-9", "LA6576-8"] {
        assert_eq!(read_code(CodeSystem::Loinc, code).unwrap().standing, CodeStanding::Current, "{code}");
    }
    assert_eq!(reason(CodeSystem::Loinc, "8636-4"), MalformedReason::CheckDigit);
    for raw in ["99999-11", "8636", "8636-", "-3", "86x6-3", "LP6576-8", "la6576-8"] {
        assert_eq!(reason(CodeSystem::Loinc, raw), MalformedReason::Shape, "{raw}");
    }
    assert_eq!(reason(CodeSystem::Loinc, "8636-3\n"), MalformedReason::WhiteSpace);
}

#[test]
fn rxnorm_and_own_codes_are_exact() {
    assert_eq!(read_code(CodeSystem::RxNorm, "1010600").unwrap().standing, CodeStanding::Current);
    // Pseudo-codes of synthetic charts.
    assert_eq!(read_code(CodeSystem::RxNorm, "99999998").unwrap().standing, CodeStanding::NotListed);
    assert_eq!(reason(CodeSystem::RxNorm, "123456789"), MalformedReason::Shape);
    assert_eq!(reason(CodeSystem::RxNorm, "1819 "), MalformedReason::WhiteSpace);
    assert_eq!(read_code(CodeSystem::Concord, "barc-10").unwrap().code, "barc-10");
    for raw in ["COWS", "-cows", "cows-", "a--b", "co_ws"] {
        assert_eq!(reason(CodeSystem::Concord, raw), MalformedReason::Shape, "{raw}");
    }
}

#[test]
fn a_malformed_code_is_never_repeated() {
    let text = read_code(CodeSystem::Loinc, "secret-value").unwrap_err().to_string();
    assert_eq!(text, "the code does not have the form of its code system");
}
