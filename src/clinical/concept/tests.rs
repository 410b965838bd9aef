mod shipped;

use super::*;
use crate::clinical::code::{CodeSystem, read_code};

fn diagnosis(id: &str, icd: &[&str]) -> ConceptDef {
    let icd10cm = icd.iter().map(|entry| IcdEntry::from(*entry)).collect();
    ConceptDef { icd10cm, ..ConceptDef::new(id, ConceptKind::Diagnosis, id) }
}

fn medication(id: &str, ingredients: &[&str]) -> ConceptDef {
    let rxnorm_ingredients = owned(ingredients);
    ConceptDef { rxnorm_ingredients, ..ConceptDef::new(id, ConceptKind::Medication, id) }
}

fn owned(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

/// The matches as text: the concept's id, with `?` where it is only possible.
fn matches(defs: &[ConceptDef], system: CodeSystem, code: &str) -> Vec<String> {
    let index = ConceptIndex::build(defs).unwrap();
    let found = index.lookup(&read_code(system, code).unwrap());
    assert!(found.is_sorted_by(|a, b| a.concept < b.concept));
    let text = |found: &ConceptMatch| {
        let mark = if found.certainty == Match::Possible { "?" } else { "" };
        format!("{}{mark}", defs[found.concept].id)
    };
    found.iter().map(text).collect()
}

fn faults(defs: &[ConceptDef]) -> Vec<String> {
    let faults = ConceptIndex::build(defs).unwrap_err();
    faults
        .iter()
        .map(|fault| format!("{fault}{}", fault.hint().map(|it| format!(" ({it})")).unwrap_or_default()))
        .collect()
}

#[test]
fn a_header_is_certain_only_when_all_of_it_is_in() {
    let defs = [
        diagnosis("mild", &["F11.10", "F11.12-", "F11.13", "F11.14", "F11.15-", "F11.18-", "F11.19"]),
        diagnosis("remission", &["F11.11", "F11.21"]),
        diagnosis("all", &["F11-"]),
    ];
    let icd = |code| matches(&defs, CodeSystem::Icd10Cm, code);
    assert_eq!(icd("F11.10"), ["mild", "all"]);
    assert_eq!(icd("F11.12"), ["mild", "all"]);
    assert_eq!(icd("F11.120"), ["mild", "all"]);
    assert_eq!(icd("F11.1"), ["mild?", "remission?", "all"]);
    assert_eq!(icd("F11.2"), ["remission?", "all"]);
    assert_eq!(icd("F11"), ["mild?", "remission?", "all"]);
    assert_eq!(icd("F11.91"), ["all"]);
    assert_eq!(icd("F10.10"), [""; 0]);
    assert_eq!(icd("F11.999"), [""; 0], "a code in no table is unknown, not a member by its prefix");
}

#[test]
fn poisoning_adverse_effect_and_underdosing_differ() {
    let mut overdose = diagnosis("overdose", &["T40.2X1-", "T40.2X2-", "T40.2X3-", "T40.2X4-"]);
    overdose.encounters_except = vec!['S'];
    let defs = [overdose, diagnosis("adverse", &["T40.2X5-"]), diagnosis("underdosing", &["T40.2X6-"])];
    let icd = |code| matches(&defs, CodeSystem::Icd10Cm, code);
    assert_eq!(icd("T40.2X1A"), ["overdose"]);
    assert_eq!(icd("T402x2d"), ["overdose"]);
    assert_eq!(icd("T40.2X5A"), ["adverse"]);
    assert_eq!(icd("T40.2X6A"), ["underdosing"]);
    assert_eq!(icd("T40.2X1S"), [""; 0]);
    assert_eq!(icd("T40.2X5S"), ["adverse"]);
    assert_eq!(icd("T40.2X1"), ["overdose?"], "without its seventh character the code may be a sequela");
    assert_eq!(icd("T40.2X5"), ["adverse"]);
    assert_eq!(icd("T40.2"), ["overdose?", "adverse?", "underdosing?"]);
}

#[test]
fn retired_codes_match_by_prefix() {
    let mut listed = diagnosis("listed", &["T40.491-"]);
    listed.icd10cm_retired = vec!["T40.4X1-".into(), "T40.4X2A".into()];
    listed.encounters_except = vec!['S'];
    let defs = [diagnosis("prefix", &["T40.4-"]), listed];
    let icd = |code| matches(&defs, CodeSystem::Icd10Cm, code);
    assert_eq!(icd("T40.4X1A"), ["prefix", "listed"]);
    assert_eq!(icd("T40.4X1S"), ["prefix"]);
    assert_eq!(icd("T40.4X2A"), ["prefix", "listed"]);
    assert_eq!(icd("T40.4X2D"), ["prefix"]);
    assert_eq!(icd("T40.4X1"), ["prefix", "listed?"]);
    assert_eq!(icd("T40.4X"), ["prefix", "listed?"]);
    assert_eq!(icd("T40.4"), ["prefix", "listed?"]);
}

#[test]
fn a_letter_may_stand_second_third_or_fourth() {
    let defs = [diagnosis("letters", &["QA0-", "F32.A", "M1A-"])];
    for code in ["F32.A", "f32a", "QA0", "M1A"] {
        assert_eq!(matches(&defs, CodeSystem::Icd10Cm, code), ["letters"], "{code}");
    }
}

#[test]
fn includes_are_transitive_and_keep_their_own_exceptions() {
    let mut inner = diagnosis("inner", &["T40.1X1-"]);
    inner.encounters_except = vec!['S'];
    let mut middle = diagnosis("middle", &["T40.1X2-"]);
    middle.includes = owned(&["inner"]);
    let mut outer = diagnosis("outer", &["T40.1X1S"]);
    outer.includes = owned(&["middle"]);
    let defs = [outer, middle, inner];
    let icd = |code| matches(&defs, CodeSystem::Icd10Cm, code);
    assert_eq!(icd("T40.1X1A"), ["outer", "middle", "inner"]);
    assert_eq!(icd("T40.1X1S"), ["outer"]);
    assert_eq!(icd("T40.1X2S"), ["outer", "middle"]);
    assert_eq!(icd("T40.1X1"), ["outer", "middle?", "inner?"], "the parts together cover the header");
}

#[test]
fn a_medication_matches_by_any_ingredient() {
    let mut rescue = medication("rescue", &["7242"]);
    rescue.without_ingredients = owned(&["1819", "8001"]);
    rescue.rxnorm_except = owned(&["411499"]);
    let mut oud = ConceptDef::new("oud", ConceptKind::Medication, "oud");
    oud.rxnorm_products = owned(&["1010600", "352364"]);
    let mut agonist = ConceptDef::new("agonist", ConceptKind::Medication, "agonist");
    agonist.includes = owned(&["oud"]);
    let defs = [rescue, oud, medication("buprenorphine", &["1819"]), agonist];
    let rxnorm = |code| matches(&defs, CodeSystem::RxNorm, code);
    assert_eq!(rxnorm("1010600"), ["oud", "buprenorphine", "agonist"]);
    assert_eq!(rxnorm("352364"), ["oud", "buprenorphine", "agonist"]);
    assert_eq!(rxnorm("1819"), ["buprenorphine"]);
    assert_eq!(rxnorm("1725064"), ["rescue"]);
    assert_eq!(rxnorm("312289"), [""; 0], "pentazocine with naloxone");
    assert_eq!(rxnorm("411499"), [""; 0], "tilidine with naloxone");
    assert_eq!(rxnorm("99999998"), [""; 0]);
}

#[test]
fn exact_systems_match_exactly() {
    let mut observation = ConceptDef::new("cows", ConceptKind::Observation, "COWS");
    observation.local = owned(&["cows"]);
    observation.loinc = owned(&["8636-3"]);
    observation.snomed = owned(&["75544000"]);
    let defs = [observation];
    for (system, code) in
        [(CodeSystem::Concord, "cows"), (CodeSystem::Loinc, "8636-3"), (CodeSystem::SnomedCt, "75544000")]
    {
        assert_eq!(matches(&defs, system, code), ["cows"]);
    }
    assert_eq!(matches(&defs, CodeSystem::SnomedCt, "5602001"), [""; 0]);
}

#[test]
fn faults_name_the_concept_and_the_entry() {
    let mut first = diagnosis("first", &["F11.1", "f1120", "F11.999", "T40.4X1A", "F1", "Ф11"]);
    first.snomed = owned(&["231450006"]);
    first.loinc = owned(&["8636-3"]);
    first.icd10cm_retired = vec!["F11.20".into(), "T40.4X1".into()];
    first.encounters_except = vec!['s'];
    first.includes = owned(&["third", "drug"]);
    let mut drug = medication("drug", &["1010600", "99999998"]);
    drug.rxnorm_products = owned(&["1819"]);
    drug.rxnorm_except = owned(&["1819"]);
    assert_eq!(
        faults(&[first, drug, diagnosis("first", &["F11.20"])]),
        [
            "concept `first`: `231450006` is malformed: the check digit of the code is wrong",
            "concept `first`: `8636-3` is a code of LOINC, which a diagnosis concept does not have",
            "concept `first`: `F11.1` is a header, and stands for itself alone (write `F11.1-` for the code and everything below it)",
            "concept `first`: `f1120` is not in normal form (write `F11.20`)",
            "concept `first`: `F11.999` is not a code of ICD-10-CM",
            "concept `first`: `T40.4X1A` is a retired code (list it under `icd-10-cm-retired`)",
            "concept `first`: `F1` is malformed: the code does not have the form of its code system",
            "concept `first`: `Ф11` is malformed: the code has a character outside ASCII",
            "concept `first`: `F11.20` is not a retired code (list it under `icd-10-cm`)",
            "concept `first`: `T40.4X1` is a header, and stands for itself alone (write `T40.4X1-` for the code and everything below it)",
            "concept `first`: `s` is not a seventh character of a code",
            "concept `first`: `third` is included, and no concept has that id",
            "concept `first`: `drug` is included, and is a medication concept",
            "concept `drug`: `99999998` is not a code of RxNorm",
            "concept `drug`: `1010600` is not an ingredient (list it under `products`)",
            "concept `drug`: `1819` is both listed and excepted",
            "concept `first`: `first` is the id of an earlier concept",
        ]
    );
}

#[test]
fn a_cycle_of_includes_is_shown() {
    let including = |id: &str, other: &str| {
        let includes = owned(&[other]);
        ConceptDef { includes, ..diagnosis(id, &["F11.20"]) }
    };
    let found = faults(&[including("a", "b"), including("b", "c"), including("c", "a"), including("d", "d")]);
    assert_eq!(found[0], "concept `a`: `b` is included, and includes this concept: a includes b includes c includes a");
    assert_eq!(found[3], "concept `d`: `d` is included, and includes this concept: d includes d");
    assert_eq!(found.len(), 4);
}

#[test]
fn an_exception_without_effect_is_a_fault() {
    let mut concept = ConceptDef::new("union", ConceptKind::Medication, "union");
    concept.without_ingredients = owned(&["1819"]);
    concept.encounters_except = vec!['S'];
    let found = faults(&[concept]);
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|fault| fault.contains("excepts nothing")), "{found:?}");
}
