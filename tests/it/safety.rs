//! The clinical safety file: what it names as proof exists, and each way to leave a hazard open is told. Beside it, the
//! tests that it rests on and that have no other home.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use concord::api::decide::{Terms, decide};
use concord::api::limits::Limits;
use concord::api::{json, proto::EvaluateRequest};
use concord::deck::proofs;
use concord::diag::{self, Diagnostic, Files, Level};
use concord::engine::decision::Answer;
use concord::rule::model::{Proof, RuleStatus, SourceAttribute};
use concord::ruleset::{Depth, Sources, check_sources};
use serde_json::json;

use crate::cases::{DECK, SHIPPED};

const BASE: &str = include_str!("../broken/base.yaml");

fn proofs() -> impl Iterator<Item = &'static Proof> {
    let controls = SHIPPED.package().hazards.iter().flat_map(|hazard| &hazard.controls);
    controls.flat_map(|control| &control.proven_by)
}

#[test]
fn every_test_that_proves_a_control_is_a_test() {
    let mut looked = 0;
    for proof in proofs() {
        let Proof::Test(named) = proof else { continue };
        let (file, name) = named.value.split_once("::").unwrap_or_else(|| panic!("{}: no `::`", named.value));
        let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", named.value));
        let python = Path::new(file).extension().is_some_and(|extension| extension == "py");
        let (head, mark) = if python { (format!("def {name}(self"), "") } else { (format!("fn {name}("), "#[test]") };
        let mut before = "";
        let is = text.lines().any(|line| {
            let here = line.trim_start().trim_start_matches("async ").starts_with(&head);
            let marked = here && (mark.is_empty() || before.contains("test"));
            // What stands between the mark and the function are further marks.
            if !line.trim_start().starts_with("#[") || line.contains("test") {
                before = line;
            }
            marked
        });
        assert!(is && (!python || name.starts_with("test_")), "{}: there is no such test", named.value);
        looked += 1;
    }
    assert!(looked > 30, "{looked} tests");
}

#[test]
fn every_case_that_proves_a_control_is_in_the_deck() {
    let missing = proofs::missing(SHIPPED.package(), &DECK);
    assert!(missing.is_empty(), "{missing:?}");
    assert!(proofs().filter(|proof| matches!(proof, Proof::Case(_))).count() > 20);
}

#[test]
fn a_case_that_is_not_there_fails_the_run_of_the_cases() {
    let dir = tempfile::tempdir().expect("a folder");
    for file in ["rules.yaml", "cases/qtc.yaml", "cases/waits.yaml"] {
        let to = dir.path().join(file);
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        std::fs::copy(Path::new("tests/deck/package").join(file), to).expect("a copy");
    }
    let hazard = hazard("controls: [{control: a case, proven_by: [{case: nowhere}]}]");
    std::fs::write(dir.path().join("hazards.yaml"), hazard).expect("a file");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
        command.args(["rules", "test"]).args(arguments).arg("--rules").arg(dir.path());
        command.output().expect("concord runs")
    };
    let output = run(&[]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("no case of the package is `nowhere`") && told.contains("hazards.yaml:8"), "{told}");
    // Other cases than the package's own prove nothing of it.
    assert_eq!(run(&["tests/deck/package/cases"]).status.code(), Some(0));
}

/// A hazard with these keys besides.
fn hazard(keys: &str) -> String {
    format!(
        "hazards:\n- id: one\n  title: one\n  kind: wrong\n  cause: a cause\n  harm: a harm\n  severity: serious\n  \
         {keys}\n  residual: none\n"
    )
}

fn rule(keys: &str) -> String {
    format!(
        "rules:\n- {{id: one, title: A rule, note: true, when: oud-present, statement: Words., strength: label, evidence: \
         [{{source: chou-2014, place: page 1}}]{keys}}}\n"
    )
}

fn found(text: &str) -> Vec<Diagnostic> {
    let files = [("base.yaml", BASE), ("rules.yaml", text)];
    let files = Files::new(files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect());
    check_sources(Sources { base: files, overlay: None }, None, Depth::Errors).diagnostics
}

fn codes(text: &str) -> Vec<&'static str> {
    found(text).iter().map(|one| one.code).collect()
}

#[test]
fn a_hazard_that_is_left_open_is_an_error() {
    let proven = |proof: &str| hazard(&format!("controls: [{{control: a control, proven_by: [{proof}]}}]"));
    assert!(codes(&proven("{check: cycle}")).is_empty());
    assert_eq!(codes(&hazard("controls: []")), ["uncontrolled-hazard"]);
    assert_eq!(codes(&hazard("")), ["uncontrolled-hazard"]);
    assert_eq!(codes(&hazard("controls: [{control: a control}]")), ["unproven-control"]);
    assert_eq!(codes(&proven("")), ["unproven-control"]);
    assert_eq!(codes(&proven("{check: cycles}")), ["unknown-name"]);
    assert_eq!(codes(&proven("{rule: none}")), ["unknown-name"]);
    assert_eq!(codes(&proven("{rule: none, check: cycle}")), ["wrong-shape"]);
    assert_eq!(codes(&proven("{rules: none}")).first(), Some(&"unknown-key"));
    let by_rule = |keys: &str| codes(&format!("{}{}", rule(keys), proven("{rule: one}")));
    assert!(by_rule("").is_empty());
    assert_eq!(by_rule(", status: draft"), ["unproven-control"]);
    assert_eq!(by_rule(", status: retired"), ["unproven-control"]);
    let twice = format!("{}{}", hazard("controls: [{control: a, proven_by: [{check: cycle}]}]"), "");
    let again = twice.replacen("hazards:\n", "", 1);
    assert_eq!(codes(&format!("{twice}{again}")), ["duplicate-id"]);
}

#[test]
fn an_overlay_that_disables_a_control_is_warned_of() {
    let shipped = concord::ruleset::Origin { rules: Some("rules".into()), overlay: None }.read().expect("the rules");
    let overlay = "overlay: {name: site, version: 1.0.0, title: A site, developer: The site, base: concord-core}\ndisable:\n\
                   - {rule: methadone-qtc-450-499, reason: another limit, by: a clinician}\n";
    let overlay = Files::new(vec![("site.yaml".to_owned(), overlay.to_owned())]);
    let checked = check_sources(Sources { base: shipped.base, overlay: Some(overlay) }, None, Depth::Errors);
    assert_eq!(checked.errors(), 0, "{}", checked.render(false));
    let warned: Vec<&Diagnostic> = checked.diagnostics.iter().filter(|one| one.code == "control-disabled").collect();
    let [warning] = warned.as_slice() else { panic!("{warned:?}") };
    assert_eq!(warning.level, Level::Warning);
    assert!(
        warning.message.contains("`methadone-at-long-qtc`"),
        "{}",
        diag::render(&checked.diagnostics, &checked.files, false)
    );
}

fn answer(patient: serde_json::Value) -> Answer {
    let body = json!({"asOf": "2026-06-01", "patient": patient});
    let request: EvaluateRequest = json::from_str(&body.to_string()).expect("a request");
    let terms = Terms { limits: Limits::default(), purpose_of_use: "TREAT".to_owned() };
    decide(&Arc::clone(&SHIPPED), request, &terms, jiff::Timestamp::UNIX_EPOCH).expect("an answer").answer
}

#[test]
fn an_allergy_that_cannot_be_read_is_never_no_allergy() {
    let oud = json!([{"coding": [{"system": "ICD-10-CM", "code": "F11.20"}], "clinicalStatus": "ACTIVE"}]);
    let asked = |answer: &Answer| {
        let requests = answer.data_requests.iter().chain(&answer.more_data_requests);
        requests.flat_map(|one| &one.effects).any(|effect| effect.rule == "moud-hypersensitivity-methadone")
    };
    let told = |answer: &Answer| answer.unrecognized.iter().any(|one| one.path.starts_with("patient.allergies[0]"));
    let unread = [
        json!({"text": "sick after the film"}),
        json!({"coding": [{"system": "urn:x:y", "code": "1"}]}),
        json!({"coding": [{"system": "RxNorm", "code": "99999999"}]}),
    ];
    for allergy in unread {
        for none_known in [false, true] {
            let patient = json!({"diagnoses": oud, "allergies": [allergy], "allergiesNoneKnown": none_known});
            let answer = answer(patient);
            assert!(told(&answer), "{allergy}: {:?}", answer.unrecognized);
            assert!(asked(&answer), "{allergy}, none known {none_known}: {:?}", answer.data_requests);
        }
    }
    assert!(!asked(&answer(json!({"diagnoses": oud, "allergiesNoneKnown": true}))), "asked although none is known");
}

/// Words that the field no longer uses of people and of tests.
const STIGMATIZING: [&str; 16] = [
    "abuser",
    "abusers",
    "addict",
    "addicts",
    "alcoholic",
    "alcoholics",
    "clean",
    "dirty",
    "drug seeker",
    "drug-seeking",
    "habit",
    "junkie",
    "noncompliant",
    "non-compliant",
    "relapser",
    "user",
];

#[test]
fn no_text_of_the_package_stigmatizes() {
    let package = SHIPPED.package();
    let mut texts: Vec<(&str, &str)> = Vec::new();
    for rule in &package.rules {
        let id = rule.id.value.as_str();
        texts.extend([(id, rule.title.as_str()), (id, rule.statement.value.as_str())]);
        texts.extend([&rule.ask, &rule.possible].into_iter().flatten().map(|text| (id, text.as_str())));
    }
    texts.extend(package.components.iter().map(|one| (one.id.value.as_str(), one.title.as_str())));
    texts.extend(package.definitions.iter().map(|one| (one.id.value.as_str(), one.title.as_str())));
    texts.extend(package.questions.iter().map(|one| (one.id.value.as_str(), one.text.as_str())));
    let words = &package.vocabulary;
    for word in words.events.iter().chain(&words.history).chain(&words.plans).chain(&words.preferences) {
        texts.push((&word.id.value, &word.title));
        texts.extend(word.ask.iter().map(|ask| (word.id.value.as_str(), ask.text.as_str())));
    }
    assert!(texts.len() > 600, "{} texts", texts.len());
    for (id, text) in texts {
        let spaced: String = text
            .to_lowercase()
            .chars()
            .map(|one| if one.is_alphanumeric() || one == '-' { one } else { ' ' })
            .collect();
        let found = STIGMATIZING.iter().find(|word| format!(" {spaced} ").contains(&format!(" {word} ")));
        assert!(found.is_none(), "{id}: `{}` in: {text}", found.unwrap_or(&""));
    }
}

#[test]
fn no_active_rule_asks_what_has_no_clinical_bearing() {
    let uses = SHIPPED.uses();
    let active = SHIPPED.package().rules.iter().filter(|rule| rule.status == RuleStatus::Active);
    let without = [
        SourceAttribute::Race,
        SourceAttribute::Ethnicity,
        SourceAttribute::Language,
        SourceAttribute::SexualOrientation,
        SourceAttribute::GenderIdentity,
    ];
    for rule in active {
        for attribute in without {
            assert!(!uses.uses(&rule.id.value, attribute), "{}: {attribute:?}", rule.id.value);
        }
    }
}
