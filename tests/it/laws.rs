//! Laws that hold for every patient: checked on patients made at random from
//! the codes that the package asks for, through the same door as a request.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use concord::api::answer::{canonical_bytes, response};
use concord::api::decide::{Decision, Terms, decide};
use concord::api::json;
use concord::api::limits::Limits;
use concord::api::proto::EvaluateRequest;
use concord::api::request;
use concord::engine::decision::{Action, Answer, Component, Scope, Standing};
use concord::rule::model::Fact;
use concord::rule::truth::Truth;
use concord::ruleset::Ruleset;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

use crate::cases::SHIPPED;

const AS_OF: &str = "2026-06-01T12:00:00Z";

fn wire(patient: &Value, explain: &str) -> EvaluateRequest {
    let body = json!({"patient": patient, "asOf": AS_OF, "explain": explain});
    json::from_str(&body.to_string()).unwrap_or_else(|error| panic!("{error}: {body}"))
}

fn decision(ruleset: &Arc<Ruleset>, patient: &Value) -> Decision {
    explained(ruleset, patient, "BRIEF")
}

fn explained(ruleset: &Arc<Ruleset>, patient: &Value, explain: &str) -> Decision {
    let terms = Terms { limits: Limits::default(), purpose_of_use: "TREAT".to_owned() };
    decide(ruleset, wire(patient, explain), &terms, jiff::Timestamp::UNIX_EPOCH)
        .unwrap_or_else(|refusal| panic!("{refusal:?}: {patient}"))
}

fn answer(patient: &Value) -> Answer {
    decision(&SHIPPED, patient).answer
}

/// The canonical answer as JSON text.
fn canonical(ruleset: &Arc<Ruleset>, patient: &Value) -> String {
    let mut response = response(explained(ruleset, patient, "FULL"));
    response.decision_id.clear();
    json::to_line(&response).expect("JSON")
}

fn coding(system: &str, code: &str) -> Value {
    json!([{"system": system, "code": code}])
}

const DIAGNOSES: &[&str] = &[
    "F11.10", "F11.11", "F11.20", "F11.21", "F11.23", "F11.24", "F11.2", "F11.90", "F11.93", "F10.20", "F13.20",
    "F10.21", "F14.20", "F14.21", "F31.2", "F31.74", "F31.81", "F32.1", "F32.5", "F33.2", "F34.1", "F40.10", "F41.0",
    "F41.1", "F43.10", "F43.12", "F60.3", "F90.9", "R45.851", "Z91.51", "T14.91XA", "T40.2X1A", "T40.2X2A", "T40.2X5A",
    "Z79.891", "G89.29", "K72.00", "B17.10", "I47.21", "Z33.1", "Z59.00", "Z81.3", "F32", "Q99.9", "ZZZ",
];
const MEDICATIONS: &[&str] = &[
    "1819", "352364", "6813", "7243", "637213", "7804", "596", "4493", "36437", "51272", "6448", "2002", "8123",
    "7242", "999999",
];
const EVENTS: &[&str] = &["overdose", "opioid-last-use", "release-from-custody", "hospital-discharge"];
const SUBSTANCES: &[&str] = &["heroin", "fentanyl", "oxycodone", "methadone", "buprenorphine", "opioid", "something"];
const HISTORY: &[&str] =
    &["childhood-abuse", "combat-exposure", "family-history-substance-use", "homelessness", "suicide-attempt"];
const DATES: &[&str] =
    &["2019", "2024-02", "2025-12-20", "2026-05", "2026-05-20", "2026-05-24", "2026-05-31", "2026-06-01"];

fn some_date() -> impl Strategy<Value = Option<&'static str>> {
    proptest::option::of(select(DATES))
}

fn put(entry: &mut Value, key: &str, value: Option<&'static str>) {
    if let Some(value) = value {
        entry[key] = json!(value);
    }
}

prop_compose! {
    fn a_diagnosis()(
        code in select(DIAGNOSES),
        status in proptest::option::of(select(&["ACTIVE", "REMISSION", "RESOLVED", "INACTIVE", "RELAPSE"][..])),
        verification in proptest::option::weighted(0.3, select(&["CONFIRMED", "PROVISIONAL", "REFUTED"][..])),
        onset in some_date(),
        recorded in some_date(),
    ) -> Value {
        let mut entry = json!({"coding": coding("ICD-10-CM", code)});
        put(&mut entry, "clinicalStatus", status);
        put(&mut entry, "verificationStatus", verification);
        put(&mut entry, "onset", onset);
        put(&mut entry, "recorded", recorded);
        entry
    }
}

prop_compose! {
    fn a_medication()(
        code in select(MEDICATIONS),
        status in proptest::option::weighted(0.9, select(&["CURRENT", "PLANNED", "STOPPED"][..])),
        started in some_date(),
        ended in some_date(),
    ) -> Value {
        let mut entry = json!({"coding": coding("RxNorm", code)});
        put(&mut entry, "status", status);
        put(&mut entry, "started", started);
        put(&mut entry, "ended", ended);
        entry
    }
}

prop_compose! {
    fn an_observation()(
        (code, value, unit) in select(&[
            ("8636-3", 430.0, "ms"), ("8636-3", 470.0, "ms"), ("8636-3", 0.52, "s"), ("8636-3", 520.0, "mg"),
            ("1742-6", 300.0, "U/L"), ("44261-6", 21.0, "{score}"), ("70274-6", 12.0, "{score}"),
        ][..]),
        effective in some_date(),
    ) -> Value {
        let mut entry = json!({"coding": coding("LOINC", code), "value": value, "unit": unit});
        put(&mut entry, "effective", effective);
        if code == "1742-6" {
            entry["referenceRange"] = json!({"high": 40.0});
        }
        entry
    }
}

prop_compose! {
    fn an_event()(kind in select(EVENTS), at in some_date(), substance in proptest::option::of(select(SUBSTANCES))) -> Value {
        let mut entry = json!({"type": kind});
        put(&mut entry, "at", at);
        put(&mut entry, "substance", substance);
        entry
    }
}

prop_compose! {
    pub fn a_patient()(
        age in proptest::option::of(12_u32..80),
        sex in proptest::option::of(select(&["FEMALE", "MALE"][..])),
        pregnancy in proptest::option::weighted(0.3, select(&["PREGNANT", "NOT_PREGNANT"][..])),
        diagnoses in proptest::collection::vec(a_diagnosis(), 0..6),
        medications in proptest::collection::vec(a_medication(), 0..5),
        allergies in proptest::collection::vec(select(&["1819", "6813", "7243"][..]), 0..2),
        observations in proptest::collection::vec(an_observation(), 0..4),
        events in proptest::collection::vec(an_event(), 0..4),
        history in proptest::collection::vec((select(HISTORY), any::<bool>()), 0..4),
        complete in subsequence(vec!["diagnoses", "medications", "allergies", "events"], 0..4),
    ) -> Value {
        let mut patient = json!({
            "diagnoses": diagnoses, "medications": medications, "observations": observations, "events": events,
            "allergies": allergies.iter().map(|code| json!({"coding": coding("RxNorm", code)})).collect::<Vec<_>>(),
            "history": history.iter().map(|(code, present)| json!({"code": code, "present": present})).collect::<Vec<_>>(),
            "complete": complete,
        });
        if let Some(age) = age { patient["ageYears"] = json!(age); }
        put(&mut patient, "sex", sex);
        put(&mut patient, "pregnancy", pregnancy);
        patient
    }
}

/// A patient with opioid use disorder, so that something is offered.
fn a_patient_with_oud() -> impl Strategy<Value = Value> {
    a_patient().prop_map(|mut patient| {
        let oud =
            json!({"coding": coding("ICD-10-CM", "F11.20"), "clinicalStatus": "ACTIVE", "recorded": "2026-06-01"});
        patient["diagnoses"].as_array_mut().expect("a list").push(oud);
        patient
    })
}

fn components(answer: &Answer) -> BTreeMap<(&str, bool), &Component> {
    let all = answer.recommendations.iter().flat_map(|approach| &approach.components);
    all.map(|component| ((component.code.as_str(), component.action == Action::Increase), component)).collect()
}

/// How high a standing is.
fn height(standing: Standing) -> u8 {
    match standing {
        Standing::Recommended => 5,
        Standing::Consider => 4,
        Standing::None => 3,
        Standing::Caution => 2,
        Standing::VerifyFirst => 1,
        Standing::Contraindicated => 0,
    }
}

const LISTS: [&str; 6] = ["diagnoses", "medications", "allergies", "observations", "events", "history"];

/// The package as files, with `change` made to each text.
fn files(change: impl Fn(&str, &str) -> (String, String)) -> Vec<(String, String)> {
    fn walk(dir: &Path, files: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(dir).expect("rules") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.ends_with("cases") {
                walk(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                let name = path.to_string_lossy().into_owned();
                files.push((name, std::fs::read_to_string(&path).expect("a readable file")));
            }
        }
    }
    let mut found = Vec::new();
    walk(Path::new("rules"), &mut found);
    found.iter().map(|(name, text)| change(name, text)).collect()
}

/// The items of a file of rules, in another order.
fn reordered(text: &str) -> String {
    if !text.contains("\nrules:\n") {
        return text.to_owned();
    }
    let (head, rules) = text.split_once("\nrules:\n").expect("rules");
    let mut items: Vec<String> = Vec::new();
    for line in rules.lines() {
        if line.starts_with("- ") || items.is_empty() {
            items.push(String::new());
        }
        let item = items.last_mut().expect("an item");
        item.push_str(line);
        item.push('\n');
    }
    items.reverse();
    format!("{head}\nrules:\n{}", items.concat())
}

#[test]
fn the_order_of_rules_and_files_changes_no_byte() {
    let moved = files(|name, text| {
        (
            format!("{:04}.yaml", name.bytes().map(u32::from).sum::<u32>() % 997 + u32::try_from(name.len()).unwrap())
                + name,
            reordered(text),
        )
    });
    assert_ne!(moved.iter().map(|(_, text)| text.len()).sum::<usize>(), 0);
    let other = Arc::new(Ruleset::from_files(moved).unwrap_or_else(|error| panic!("{error}")));
    assert_eq!(other.digest(), SHIPPED.digest());
    for case in &crate::cases::DECK.cases {
        assert_eq!(canonical(&other, &case.patient), canonical(&SHIPPED, &case.patient), "{}", case.id);
    }
}

#[test]
fn the_canonical_answer_is_the_same_to_the_byte() {
    let patient = json!({"diagnoses": [{"coding": coding("ICD-10-CM", "F11.20")}]});
    let bytes = || canonical_bytes(&response(decision(&SHIPPED, &patient)));
    assert_eq!(bytes(), bytes());
}

/// A package with one more rule, that contraindicates a component for everyone
/// with opioid use disorder.
fn with_exclusion(component: &str) -> Arc<Ruleset> {
    let mut all = files(|name, text| (name.to_owned(), text.to_owned()));
    // Invariants refuse such a rule, and what rests on them is not asked about.
    all.retain(|(name, _)| !["invariants/", "briefs/", "hazards.yaml"].iter().any(|part| name.contains(part)));
    let rule = format!(
        "rules:\n- id: one-more-exclusion\n  title: one more\n  contraindicate: {{component: {component}, action: start}}\n  \
         when: oud-present\n  unknown: request\n  statement: One more.\n  evidence: [{{source: {}, place: none}}]\n  \
         strength: none\n",
        SHIPPED.package().sources[0].id.value
    );
    all.push(("zz-one-more.yaml".to_owned(), rule));
    Arc::new(Ruleset::from_files(all).unwrap_or_else(|error| panic!("{error}")))
}

#[test]
fn one_more_exclusion_never_raises_a_standing() {
    use proptest::strategy::ValueTree as _;
    for component in ["buprenorphine", "yoga", "naltrexone-extended-release", "prolonged-exposure"] {
        let stricter = with_exclusion(component);
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        for _ in 0..60 {
            let patient = a_patient_with_oud().new_tree(&mut runner).expect("a patient").current();
            let (before, after) = (answer(&patient), decision(&stricter, &patient).answer);
            let (before, after) = (components(&before), components(&after));
            let height_of = |all: &BTreeMap<(&str, bool), &Component>| {
                all.get(&(component, false)).map_or(height(Standing::None), |one| height(one.standing))
            };
            assert!(height_of(&after) <= height_of(&before), "{component}: {patient}");
        }
    }
}

#[test]
fn f11_20_alone_is_offered_treatment_and_asked_for_at_most_seven_things() {
    let answer = answer(&json!({"diagnoses": [{"coding": coding("ICD-10-CM", "F11.20")}]}));
    assert_eq!(answer.scope, Scope::Present);
    for code in ["buprenorphine", "methadone", "naloxone", "counseling"] {
        assert!(components(&answer).get(&(code, false)).is_some_and(|one| one.offered()), "{code}");
    }
    assert!(answer.data_requests.len() + answer.assessments.len() <= 7);
}

/// Components that start treatment of opioid use disorder by medication.
const MEDICATIONS_FOR_OUD: [&str; 4] =
    ["buprenorphine", "buprenorphine-extended-release", "methadone", "naltrexone-extended-release"];

#[test]
fn only_present_opioid_use_disorder_starts_medication() {
    let offered = |code: &str| {
        let answer = answer(&json!({
            "ageYears": 40,
            "diagnoses": [{"coding": coding("ICD-10-CM", code), "clinicalStatus": "ACTIVE"}],
            "complete": ["diagnoses", "medications"],
        }));
        MEDICATIONS_FOR_OUD.into_iter().any(|code| {
            let found = components(&answer).get(&(code, false)).copied().cloned();
            found.is_some_and(|one| one.offered() && one.action != Action::Continue)
        })
    };
    for code in ["F11.11", "F11.21", "F11.90", "F11.91", "F11.93", "Z79.891", "T40.2X1A", "F11.1", "F11.2", "F11"] {
        assert!(!offered(code), "{code} starts medication");
    }
    for code in ["F11.10", "F11.20", "F11.220", "F11.23", "F11.24", "F11.259", "F11.282"] {
        assert!(offered(code), "{code} starts none");
    }
}

/// What an entry speaks of: its code, the type of an event, the code of a flag.
fn subject(entry: &Value) -> String {
    format!("{}{}{}", entry["coding"][0]["code"], entry["type"], entry["code"])
}

/// A diagnosis atom with the truth that the engine reads in a record.
fn diagnoses_of(patient: &Value) -> Vec<(&'static Fact, Truth)> {
    let read = request::read(wire(patient, "BRIEF"), &Limits::default(), jiff::Timestamp::UNIX_EPOCH);
    let read = read.unwrap_or_else(|refusal| panic!("{refusal:?}: {patient}"));
    let (truths, _) = SHIPPED.truths(&read.patient, &read.as_of);
    let atoms = SHIPPED.program().atoms.iter().map(|atom| &atom.fact).zip(truths);
    atoms.filter(|(fact, _)| matches!(fact, Fact::Diagnosis { .. })).collect()
}

/// What can be said of each of these is said of no other: the major depression of F32 is that of F33.
fn family(code: &str) -> String {
    code.chars().take(3).collect::<String>().replace("F33", "F32")
}

/// The concepts with all that they include, by name.
fn trees() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let concepts = &SHIPPED.package().concepts;
    let tree = |root: &'static str| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![root]);
        while let Some(id) = next.pop() {
            if seen.insert(id) {
                let found = concepts.iter().find(|concept| concept.def.id == id).expect("a concept");
                next.extend(found.def.includes.iter().map(String::as_str));
            }
        }
        seen
    };
    concepts.iter().map(|concept| (concept.def.id.as_str(), tree(&concept.def.id))).collect()
}

/// Paths of the permuted request, as those of the first one.
fn mapped_back(text: &str, list: &str, order: &[usize]) -> String {
    let mut text = text.to_owned();
    for (new, old) in order.iter().enumerate() {
        text = text.replace(&format!("patient.{list}[{new}]"), &format!("patient.{list}<{old}>"));
    }
    text.replace('<', "[").replace('>', "]")
}

/// The same patients in every run, so that a change is held to the patients it was made with. `CONCORD_LAWS_SEED` looks
/// at others.
fn seed() -> RngSeed {
    let stated = std::env::var("CONCORD_LAWS_SEED").ok().and_then(|seed| seed.parse().ok());
    RngSeed::Fixed(stated.unwrap_or(20_261_123))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, rng_seed: seed(), ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_entries_changes_nothing_but_paths(patient in a_patient_with_oud(), seed in any::<u64>()) {
        let plain = canonical(&SHIPPED, &patient).replace('<', "[").replace('>', "]");
        let mut moved = patient.clone();
        let mut orders = Vec::new();
        for (at, list) in LISTS.into_iter().enumerate() {
            let entries = patient[list].as_array().expect("a list").clone();
            let mut order: Vec<usize> = (0..entries.len()).collect();
            order.sort_by_key(|index| (seed.rotate_left(u32::try_from(at * 7 + index * 11).unwrap()) & 0xff, *index));
            // Entries that say the same are told apart by their place alone.
            let distinct: BTreeSet<String> = entries.iter().map(Value::to_string).collect();
            prop_assume!(distinct.len() == entries.len());
            moved[list] = order.iter().map(|index| entries[*index].clone()).collect();
            orders.push((list, order));
        }
        let mut permuted = canonical(&SHIPPED, &moved).replace('<', "[").replace('>', "]");
        for (list, order) in &orders {
            permuted = mapped_back(&permuted, list, order);
        }
        prop_assert_eq!(plain, permuted);
    }

    #[test]
    fn forgetting_a_fact_never_hides_a_contraindication(patient in a_patient_with_oud()) {
        let before = answer(&patient);
        for list in LISTS {
            for index in 0..patient[list].as_array().expect("a list").len() {
                let mut less = patient.clone();
                // A fact is all that the record says of one thing: with the newest of
                // two results gone, the older one would be known.
                let thing = subject(&patient[list][index]);
                less[list].as_array_mut().expect("a list").retain(|entry| subject(entry) != thing);
                // What is forgotten is unknown, not absent from all there is.
                less["complete"].as_array_mut().expect("a list").retain(|complete| complete != list);
                let after = answer(&less);
                let asked: BTreeSet<&str> = after.data_requests.iter().chain(&after.more_data_requests)
                    .flat_map(|request| request.effects.iter().map(|effect| effect.rule.as_str())).collect();
                for (key, component) in components(&before) {
                    if component.standing != Standing::Contraindicated {
                        continue;
                    }
                    let Some(now) = components(&after).get(&key).copied().cloned() else { continue };
                    let rules = component.rationale.iter().filter(|finding| finding.counted)
                        .filter(|finding| finding.kind.word() == "contraindicate");
                    let named = rules.clone().any(|finding| asked.contains(finding.rationale.rule.as_str()));
                    prop_assert!(
                        !now.offered() || named,
                        "{} is offered once {list}[{index}] is forgotten, and nothing asks for it: {patient}", key.0
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_said_of_one_disorder_never_weakens_another(
        patient in a_patient(), code in select(DIAGNOSES), status in select(&["REMISSION", "RESOLVED", "INACTIVE"][..]),
        recorded in some_date(),
    ) {
        let entries = patient["diagnoses"].as_array().expect("a list");
        prop_assume!(entries.iter().all(|entry| {
            family(entry["coding"][0]["code"].as_str().expect("a code")) != family(code)
        }));
        let mut more = patient.clone();
        let mut entry = json!({"coding": coding("ICD-10-CM", code), "clinicalStatus": status});
        put(&mut entry, "recorded", recorded);
        more["diagnoses"].as_array_mut().expect("a list").push(entry);
        for ((fact, before), (_, after)) in diagnoses_of(&patient).into_iter().zip(diagnoses_of(&more)) {
            prop_assert!(after >= before, "{fact:?} is {before:?}, and {after:?} with {code} {status}: {patient}");
        }
    }

    #[test]
    fn a_union_is_as_true_as_its_strongest_part(patient in a_patient()) {
        let trees = trees();
        let facts = diagnoses_of(&patient);
        let parts = |fact: &Fact| match fact {
            Fact::Diagnosis { concepts, status, severity, onset, recorded } => {
                let asked = (*status, severity.clone(), *onset, *recorded);
                (concepts[0].value.clone(), asked)
            }
            _ => panic!("no diagnosis: {fact:?}"),
        };
        for (part, lower) in &facts {
            for (whole, upper) in &facts {
                let ((part, asked), (whole, other)) = (parts(part), parts(whole));
                if asked == other && trees[whole.as_str()].contains(part.as_str()) {
                    prop_assert!(upper >= lower, "{part} is {lower:?}, {whole} {upper:?}: {patient}");
                }
            }
        }
    }

    #[test]
    fn a_refuted_diagnosis_in_a_complete_list_is_an_absent_one(patient in a_patient(), code in select(DIAGNOSES)) {
        let mut without = patient.clone();
        without["complete"] = json!(["diagnoses"]);
        let mut with = without.clone();
        let refuted = json!({"coding": coding("ICD-10-CM", code), "clinicalStatus": "ACTIVE", "verificationStatus": "REFUTED"});
        with["diagnoses"].as_array_mut().expect("a list").push(refuted);
        let strip = |patient: &Value| {
            let mut response = response(decision(&SHIPPED, patient));
            response.decision_id.clear();
            response.readings.clear();
            response.unrecognized.clear();
            json::to_line(&response).expect("JSON")
        };
        prop_assert_eq!(strip(&with), strip(&without));
    }
}
