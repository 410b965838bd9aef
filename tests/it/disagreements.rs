//! Where sources differ, the answer says so: with what it says itself, and
//! nothing else; and what a site chooses has its effect.

use std::collections::BTreeSet;
use std::sync::Arc;

use concord::api::answer::response;
use concord::api::decide::{Decision, Terms, decide};
use concord::api::json;
use concord::api::limits::Limits;
use concord::cli::page::{PageStyle, render};
use concord::diag::Files;
use concord::engine::decision::{Answer, Explain, Standing};
use concord::ruleset::{Origin, Ruleset, Sources};
use serde_json::{Value, json};

use crate::cases::SHIPPED;

const HEAD: &str =
    "overlay: {name: north-clinic, version: 2.1.0, title: North clinic, developer: North clinic, base: concord-core}\n";

fn with(text: &str) -> Arc<Ruleset> {
    let shipped = Origin::default().read().expect("the shipped package");
    let overlay = Files::new(vec![("site.yaml".to_owned(), format!("{HEAD}{text}"))]);
    let sources = Sources { overlay: Some(overlay), ..shipped };
    Arc::new(Ruleset::from_sources(sources).unwrap_or_else(|error| panic!("{error}")))
}

fn decision(ruleset: &Arc<Ruleset>, patient: &Value) -> Decision {
    let body = json!({"patient": patient, "asOf": "2026-06-01T12:00:00Z"});
    let terms = Terms { limits: Limits::default(), purpose_of_use: "TREAT".to_owned() };
    decide(ruleset, json::from_str(&body.to_string()).expect("a request"), &terms, jiff::Timestamp::UNIX_EPOCH)
        .unwrap_or_else(|refusal| panic!("{refusal:?}"))
}

fn answer(ruleset: &Arc<Ruleset>, patient: &Value) -> Answer {
    decision(ruleset, patient).answer
}

fn diagnoses(codes: &[&str]) -> Value {
    let list: Vec<Value> =
        codes.iter().map(|code| json!({"coding": [{"system": "ICD-10-CM", "code": code}]})).collect();
    json!({"ageYears": 40, "diagnoses": list})
}

fn medicated(code: &str, rxnorm: &[&str], status: &str) -> Value {
    let mut patient = diagnoses(&["F11.20"]);
    let list = rxnorm.iter().map(|code| json!({"coding": [{"system": "RxNorm", "code": code}], "status": status}));
    patient["medications"] = list.collect();
    if !code.is_empty() {
        patient["diagnoses"].as_array_mut().unwrap().push(json!({"coding": [{"system": "ICD-10-CM", "code": code}]}));
    }
    patient
}

/// Rules that speak in an answer.
fn speaking(answer: &Answer) -> BTreeSet<String> {
    let components = || answer.recommendations.iter().flat_map(|approach| &approach.components);
    let findings =
        components().flat_map(|component| &component.rationale).map(|finding| finding.rationale.rule.clone());
    let asks = answer.data_requests.iter().chain(&answer.more_data_requests);
    findings
        .chain(answer.alerts.iter().map(|one| one.id.clone()))
        .chain(answer.assessments.iter().chain(&answer.more_assessments).map(|one| one.id.clone()))
        .chain(asks.filter(|one| one.rationale.is_some()).map(|one| one.id.clone()))
        .chain(answer.insights.iter().map(|one| one.id.clone()))
        .chain(answer.notes.iter().map(|one| one.id.clone()))
        .collect()
}

fn patients() -> Vec<Value> {
    vec![
        json!({}),
        diagnoses(&["F11.20"]),
        diagnoses(&["F11.10", "F32.1"]),
        diagnoses(&["F11.20", "F43.12", "F31.2", "F90.9"]),
        diagnoses(&["F33.2"]),
        medicated("F60.3", &["6813"], "CURRENT"),
        medicated("F41.1", &["1819", "596"], "CURRENT"),
        medicated("G40.909", &["1819"], "PLANNED"),
    ]
}

#[test]
fn a_disagreement_is_shown_exactly_where_one_of_its_rules_speaks() {
    let mut shown = BTreeSet::new();
    for patient in patients() {
        let answer = answer(&SHIPPED, &patient);
        let speaking = speaking(&answer);
        for declared in &SHIPPED.package().disagreements {
            let rules: Vec<&str> = declared.concerns.rules.iter().map(|name| name.value.as_str()).collect();
            let led: BTreeSet<&str> = rules.into_iter().filter(|rule| speaking.contains(*rule)).collect();
            let found = answer.disagreements.iter().find(|one| one.id == declared.id.value);
            let told: BTreeSet<&str> = found.into_iter().flat_map(|one| &one.rules).map(String::as_str).collect();
            assert!(declared.concerns.components.is_empty(), "this test looks at rules");
            assert_eq!(found.is_some(), !led.is_empty(), "{}: {patient}", declared.id.value);
            assert_eq!(told, led, "{}: {patient}", declared.id.value);
            shown.extend(found.map(|one| one.id.clone()));
        }
        assert!(answer.disagreements.is_sorted_by(|a, b| a.id < b.id));
    }
    assert!(shown.len() > 12, "{shown:?}");
}

#[test]
fn every_row_of_the_briefs_is_carried() {
    let package = SHIPPED.package();
    let followed: BTreeSet<&str> =
        package.disagreements.iter().flat_map(|one| &one.follows).map(|name| name.value.as_str()).collect();
    let rows = (1..=15).map(|row| format!("medications-differ-{row}"));
    let missing: Vec<String> = rows
        .chain((1..=11).map(|row| format!("cooccurring-differ-{row}")))
        .filter(|id| !followed.contains(&**id))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(followed.len(), 26);
}

#[test]
fn wire_and_page_tell_what_sources_hold_and_what_was_not_read() {
    let decision = decision(&SHIPPED, &diagnoses(&["F11.20"]));
    let page = render(&decision.answer, &PageStyle::default());
    let brief = render(&decision.answer, &PageStyle { explain: Explain::Brief, ..PageStyle::default() });
    let wire = response(decision);
    let first = wire.disagreements.iter().find(|one| one.id == "first-line-agonist").expect("it is told");
    assert!(first.positions.len() > 3);
    assert!(first.positions.iter().all(|one| one.evidence.as_ref().is_some_and(|evidence| !evidence.title.is_empty())));
    assert!(first.positions.iter().any(|one| one.verification == "unverified"));
    let chosen = first.parameter.as_ref().expect("a site chooses");
    assert_eq!((&*chosen.parameter, &*chosen.value, chosen.set_by_site), ("first_agonist", "equal", false));
    let section = page.split("Where guidelines differ").nth(1).expect("a section");
    assert!(section.contains("Which agonist comes first?") && section.contains("(unverified)"), "{section}");
    let short = brief.split("Where guidelines differ").nth(1).expect("a section");
    assert!(short.contains("Which agonist comes first? Here:") && !short.contains("(unverified)"), "{short}");
}

#[test]
fn a_site_chooses_which_agonist_is_listed_first_and_nothing_else() {
    let patient = diagnoses(&["F11.20"]);
    let listed = |ruleset: &Arc<Ruleset>| {
        let answer = answer(ruleset, &patient);
        let approach = answer.recommendations.iter().find(|one| one.approach == "medication-assisted-treatment");
        let codes = approach.expect("it is offered").components.iter().map(|one| (one.code.clone(), one.standing));
        codes.filter(|(code, _)| code == "buprenorphine" || code == "methadone").collect::<Vec<_>>()
    };
    let equal = listed(&SHIPPED);
    let methadone = listed(&with("set: {first_agonist: methadone}\n"));
    assert_eq!(equal[0].0, "buprenorphine");
    assert_eq!(methadone[0].0, "methadone");
    assert_eq!(equal.iter().collect::<BTreeSet<_>>(), methadone.iter().collect::<BTreeSet<_>>());
    assert_eq!(listed(&with("set: {first_agonist: buprenorphine}\n")), equal);
}

#[test]
fn what_depends_on_the_jurisdiction_follows_it() {
    let canada = with("set: {jurisdiction: CA, crisis_line: 9-8-8}\n");
    let britain = with("set: {jurisdiction: UK, crisis_line: '116 123'}\n");
    let standing = |ruleset: &Arc<Ruleset>, patient: &Value| {
        let answer = answer(ruleset, patient);
        let mut all = answer.recommendations.into_iter().flat_map(|approach| approach.components);
        all.find(|component| component.code == "buprenorphine").expect("it is in the answer").standing
    };
    let seizures = diagnoses(&["F11.20", "G40.909"]);
    assert_eq!(standing(&SHIPPED, &seizures), Standing::Recommended);
    assert_eq!(standing(&britain, &seizures), Standing::Recommended);
    assert_eq!(standing(&canada, &seizures), Standing::Contraindicated);
    assert_eq!(standing(&canada, &diagnoses(&["F11.20"])), Standing::Recommended);

    let taking = medicated("G40.909", &["1819"], "CURRENT");
    assert_ne!(standing(&canada, &taking), Standing::Contraindicated, "what is taken goes on");
    let says = |ruleset: &Arc<Ruleset>, patient: &Value, rule: &str| speaking(&answer(ruleset, patient)).contains(rule);
    assert!(says(&canada, &taking, "buprenorphine-contraindications-canada-alert"));
    assert!(!says(&SHIPPED, &taking, "buprenorphine-contraindications-canada-alert"));

    let plain = diagnoses(&["F11.20"]);
    for (rule, of) in [("methadone-take-home-us", &*SHIPPED), ("agonist-supervised-uk", &britain)] {
        for ruleset in [&*SHIPPED, &canada, &britain] {
            assert_eq!(says(ruleset, &plain, rule), Arc::ptr_eq(ruleset, of), "{rule}");
        }
    }
    let stopped = medicated("", &["6813"], "STOPPED");
    assert!(says(&canada, &stopped, "slow-release-oral-morphine-canada"));
    assert!(!says(&canada, &plain, "slow-release-oral-morphine-canada"));
    assert!(!says(&SHIPPED, &stopped, "slow-release-oral-morphine-canada"));
}
