//! Drafts are evaluated where a request asks for them: they add, are marked,
//! and take nothing away. Without the request there is no trace of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, LazyLock};

use concord::api::answer::{canonical_bytes, response};
use concord::api::decide::{Decision, Terms, decide};
use concord::api::json;
use concord::api::limits::Limits;
use concord::cli::page::{PageStyle, render};
use concord::deck::{self, Deck};
use concord::diag::Files;
use concord::engine::decision::{Answer, Component, Exclusion, Explain, Offer, Standing};
use concord::ruleset::{Origin, Ruleset, Sources};
use serde_json::{Value, json};

use crate::cases::SHIPPED;

const DRAFTS: &str = "
overlay: {name: north-clinic, version: 2.1.0, title: North clinic, developer: North clinic, base: concord-core}
defaults: {status: draft, strength: none, evidence: [{source: asam-2020, place: page 1}]}
rules:
- {id: draft-contraindicates, title: A draft against methadone, contraindicate: {component: methadone, action: start}, unknown: request, when: {diagnosis: depressive-disorder}, statement: A draft exclusion.}
- {id: draft-offers, title: A draft for exercise, recommend: [exercise, buprenorphine, stimulant-medication], when: oud-present, statement: A draft offer.}
- {id: draft-alerts, title: A draft alert, alert: {category: care-gap, severity: low, urgency: routine}, unknown: alert-possible, possible: A draft possibility., when: {diagnosis: ptsd}, statement: A draft alert.}
- {id: draft-asks, title: A draft question, request: {field: patient.observations}, when: oud-present, statement: A draft question.}
- {id: draft-notes, title: A draft note, note: true, when: {offered: exercise}, statement: A draft note.}
";

static DRAFTED: LazyLock<Arc<Ruleset>> = LazyLock::new(|| {
    let shipped = Origin::default().read().expect("the shipped package");
    let overlay = Files::new(vec![("site.yaml".to_owned(), DRAFTS.to_owned())]);
    let sources = Sources { overlay: Some(overlay), ..shipped };
    Arc::new(Ruleset::from_sources(sources).unwrap_or_else(|error| panic!("{error}")))
});

fn decision(ruleset: &Arc<Ruleset>, patient: &Value, drafts: bool) -> Decision {
    let body = json!({"patient": patient, "asOf": "2026-06-01T12:00:00Z", "includeDrafts": drafts});
    let terms = Terms { limits: Limits::default(), purpose_of_use: "TREAT".to_owned() };
    decide(ruleset, json::from_str(&body.to_string()).expect("a request"), &terms, jiff::Timestamp::UNIX_EPOCH)
        .unwrap_or_else(|refusal| panic!("{refusal:?}"))
}

fn patient(codes: &[&str]) -> Value {
    let list: Vec<Value> =
        codes.iter().map(|code| json!({"coding": [{"system": "ICD-10-CM", "code": code}]})).collect();
    json!({"ageYears": 40, "diagnoses": list})
}

fn components(answer: &Answer) -> BTreeMap<(String, String), &Component> {
    let all = answer.recommendations.iter().flat_map(|approach| &approach.components);
    all.map(|one| ((one.code.clone(), format!("{:?}", one.action)), one)).collect()
}

/// What an answer says, each with whether it rests on a draft.
fn said(answer: &Answer) -> BTreeMap<String, bool> {
    let mut said = BTreeMap::new();
    let mut add = |kind: &str, id: &str, text: &str, draft: bool| {
        said.insert(format!("{kind} {id} {text}"), draft);
    };
    for one in &answer.alerts {
        add("alert", &one.id, &format!("{} {}", one.statement, one.possible), one.rationale.draft);
    }
    for ((code, action), one) in components(answer) {
        for finding in &one.rationale {
            let what = format!("{action} {:?} {:?}", finding.kind, finding.outranked_by);
            add("finding", &format!("{code} {}", finding.rationale.rule), &what, finding.rationale.draft);
        }
    }
    for one in answer.data_requests.iter().chain(&answer.more_data_requests) {
        let draft =
            one.rationale.as_ref().map_or_else(|| one.effects.iter().all(|effect| effect.draft), |why| why.draft);
        add("request", &one.id, "", draft);
    }
    for one in answer.assessments.iter().chain(&answer.more_assessments) {
        add("assessment", &one.id, "", one.rationale.draft);
    }
    for one in &answer.insights {
        add("insight", &one.id, &one.statement, one.rationale.draft);
    }
    for one in &answer.notes {
        add("note", &one.id, &one.statement, one.rationale.draft);
    }
    said
}

fn asked(answer: &Answer) -> Vec<String> {
    let requests = answer.data_requests.iter().chain(&answer.more_data_requests).map(|one| one.id.clone());
    requests.collect()
}

#[test]
fn without_the_request_there_is_no_trace_of_drafts() {
    let mut plain = response(decision(&SHIPPED, &patient(&["F11.20", "F32.1", "F43.12"]), false));
    let mut drafted = response(decision(&DRAFTED, &patient(&["F11.20", "F32.1", "F43.12"]), false));
    plain.ruleset = None;
    drafted.ruleset = None;
    assert_eq!(canonical_bytes(&plain), canonical_bytes(&drafted));
    assert!(!drafted.drafts_included);
    let page = render(&decision(&DRAFTED, &patient(&["F11.20"]), false).answer, &PageStyle::default());
    assert!(!page.contains("DRAFT"), "{page}");
}

#[test]
fn a_package_without_drafts_says_the_same_with_the_request_and_that_it_was_asked() {
    let patient = patient(&["F11.20", "F43.12"]);
    let mut plain = response(decision(&SHIPPED, &patient, false));
    let with = response(decision(&SHIPPED, &patient, true));
    assert!(with.drafts_included);
    if SHIPPED.counts().drafts == 0 {
        plain.drafts_included = true;
        assert_eq!(canonical_bytes(&plain), canonical_bytes(&with));
    }
}

#[test]
fn drafts_add_and_take_nothing_away() {
    let (deck, faults) = deck::read(Files::new(concord::ruleset::embedded_cases()), SHIPPED.package());
    assert!(faults.is_empty());
    let Deck { cases, .. } = &deck;
    let (mut by_drafts, mut compared) = (0, 0);
    for case in cases.iter().step_by(3) {
        let Some(evaluation) = &case.evaluation else { continue };
        let without = DRAFTED.evaluate(&evaluation.patient, &evaluation.as_of, Explain::Brief);
        let with = DRAFTED.evaluate_with_drafts(&evaluation.patient, &evaluation.as_of, Explain::Brief);
        assert!(with.drafts_included && !without.drafts_included);
        let (before, after) = (said(&without), said(&with));
        for (what, draft) in &before {
            assert!(!draft, "{}: {what}", case.id);
            assert_eq!(after.get(what), Some(&false), "{}: {what}", case.id);
        }
        let (standing, now) = (components(&without), components(&with));
        // What active rules hold against a component that drafts alone offer is theirs: the component is marked.
        let offered_by_drafts = |what: &str| {
            let new = now.keys().filter(|(code, _)| !standing.keys().any(|(known, _)| known == code));
            new.into_iter().any(|(code, _)| what.starts_with(&format!("finding {code} ")))
        };
        for (what, draft) in after.iter().filter(|(what, _)| !before.contains_key(*what)) {
            assert!(*draft || offered_by_drafts(what), "{}: {what} is not marked", case.id);
            by_drafts += 1;
        }
        for (key, component) in &standing {
            let widened = now[key];
            assert_eq!((component.action, component.draft), (widened.action, false));
            assert!(widened.exclusion >= component.exclusion, "{}: {key:?}", case.id);
            if component.offer > Offer::None {
                assert_eq!(widened.offer, component.offer, "{}: {key:?}", case.id);
            }
            assert_eq!(widened.draft, widened.standing != component.standing || widened.offer != component.offer);
        }
        for (key, component) in now.iter().filter(|(key, _)| !standing.contains_key(*key)) {
            assert!(
                component.draft || component.rationale.iter().all(|one| one.rationale.draft),
                "{}: {key:?}",
                case.id
            );
        }
        // What active rules ask for comes first, in its order.
        let (first, all) = (asked(&without), asked(&with));
        assert_eq!(all.iter().filter(|id| first.contains(id)).collect::<Vec<_>>(), first.iter().collect::<Vec<_>>());
        assert!(all.starts_with(&first), "{}", case.id);
        compared += 1;
    }
    assert!(compared > 500 && by_drafts > 1000, "{compared} patients, {by_drafts} additions");
}

#[test]
fn what_rests_on_a_draft_says_so() {
    let patient = patient(&["F11.20", "F32.1", "F43.12"]);
    let decision = decision(&DRAFTED, &patient, true);
    let page = render(&decision.answer, &PageStyle::default());
    let brief = render(&decision.answer, &PageStyle { explain: Explain::Brief, ..PageStyle::default() });
    for page in [&page, &brief] {
        assert!(page.contains("DRAFTS INCLUDED"), "{page}");
        assert!(page.contains("DRAFT · LOW"), "{page}");
        assert!(page.contains("DRAFT · CONTRAINDICATED"), "{page}");
    }
    let answer = &decision.answer;
    let of = |code: &str| {
        let mut all = answer.recommendations.iter().flat_map(|approach| &approach.components);
        all.find(|component| component.code == code).unwrap_or_else(|| panic!("{code}"))
    };
    let methadone = of("methadone");
    assert_eq!(
        (methadone.standing, methadone.offer, methadone.draft),
        (Standing::Contraindicated, Offer::Recommend, true)
    );
    let buprenorphine = of("buprenorphine");
    assert!(!buprenorphine.draft);
    let beside = buprenorphine.rationale.iter().find(|one| one.rationale.rule == "draft-offers").expect("it is told");
    assert!(beside.rationale.draft && !beside.counted);
    let stimulant = of("stimulant-medication");
    assert_eq!((stimulant.offer, stimulant.exclusion, stimulant.draft), (Offer::Recommend, Exclusion::None, true));
    let wire = response(decision);
    assert!(wire.drafts_included);
    assert!(wire.notes.iter().any(|one| one.id == "draft-notes" && one.rationale.as_ref().unwrap().draft));
    assert!(wire.alerts.iter().all(|one| one.rationale.as_ref().unwrap().draft == (one.id == "draft-alerts")));
}

fn small(rules: &str) -> Arc<Ruleset> {
    let base = std::fs::read_to_string("tests/broken/base.yaml").expect("the base");
    let files = vec![("base.yaml".to_owned(), base), ("rules.yaml".to_owned(), rules.to_owned())];
    Arc::new(Ruleset::from_files(files).unwrap_or_else(|error| panic!("{error}")))
}

const ACTIVE: &str = "
defaults: {strength: none, evidence: [{source: chou-2014, place: page 1}]}
rules:
- {id: offer, title: Methadone, recommend: methadone, when: oud-present, statement: An offer.}
- {id: limit, title: QTc, contraindicate: {component: methadone, action: start}, unknown: request, when: {observation: qtc-interval, at_least: 500 ms}, statement: An exclusion.}
- {id: said-when-not-proposed, title: Not proposed, note: true, when: {all: [oud-present, {not: {proposed: buprenorphine}}]}, statement: A note.}
- {id: said-when-offered, title: Offered, note: true, when: {offered: methadone}, statement: A note.}
";

const ABOVE: &str = "
- {id: above, title: Above, status: draft, caution: {component: methadone, action: start}, unknown: request, when: oud-present, outranks: [limit], statement: A draft above.}
- {id: below, title: Below, status: draft, contraindicate: {component: methadone, action: start}, unknown: request, when: oud-present, statement: A draft below.}
- {id: above-a-draft, title: Above a draft, status: draft, caution: {component: methadone, action: start}, unknown: request, when: oud-present, outranks: [below], statement: A draft above a draft.}
- {id: proposes, title: Proposes, status: draft, consider: buprenorphine, when: oud-present, statement: A draft offer.}
";

fn prolonged() -> Value {
    let mut patient = patient(&["F11.20"]);
    patient["observations"] = json!([{
        "coding": [{"system": "LOINC", "code": "8636-3"}], "effective": "2026-05-20", "value": 520, "unit": "ms",
    }]);
    patient
}

#[test]
fn a_draft_outranks_drafts_alone() {
    let ruleset = small(&format!("{ACTIVE}{ABOVE}"));
    let answer = decision(&ruleset, &prolonged(), true).answer;
    let methadone = components(&answer)[&("methadone".to_owned(), "StartOrContinue".to_owned())];
    assert_eq!((methadone.standing, methadone.draft), (Standing::Contraindicated, false));
    let counted = |rule: &str| methadone.rationale.iter().find(|one| one.rationale.rule == rule).expect(rule).counted;
    assert!(counted("limit") && !counted("below") && counted("above"));
}

#[test]
fn an_active_rule_that_rests_on_the_absence_of_a_draft_still_speaks() {
    let ruleset = small(&format!("{ACTIVE}{ABOVE}"));
    let answer = decision(&ruleset, &patient(&["F11.20"]), true).answer;
    let notes: BTreeMap<&str, bool> = answer.notes.iter().map(|one| (one.id.as_str(), one.rationale.draft)).collect();
    assert_eq!(notes, BTreeMap::from([("said-when-not-proposed", false), ("said-when-offered", false)]));
}

#[test]
fn the_order_of_rules_changes_nothing() {
    let mut lines: Vec<&str> = ABOVE.trim().lines().collect();
    let one = small(&format!("{ACTIVE}{}\n", lines.join("\n")));
    lines.reverse();
    let other = small(&format!("{ACTIVE}{}\n", lines.join("\n")));
    let bytes = |ruleset| canonical_bytes(&response(decision(ruleset, &prolonged(), true)));
    assert_eq!(bytes(&one), bytes(&other));
}

fn checked(rules: &str) -> String {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::copy("tests/broken/base.yaml", dir.path().join("base.yaml")).expect("the base");
    std::fs::write(dir.path().join("rules.yaml"), rules).expect("the rules");
    concord(&["rules", "check", "."], dir.path())
}

fn concord(arguments: &[&str], dir: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_concord"))
        .args(arguments)
        .current_dir(dir)
        .output()
        .expect("the built binary runs");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_draft_that_can_never_fire_or_closes_a_cycle_is_found() {
    let never = checked(&format!(
        "{ACTIVE}- {{id: never, title: Never, status: draft, note: true, when: {{all: [oud-present, {{not: oud-present}}]}}, statement: Never.}}\n"
    ));
    assert!(never.contains("error[never-fires]: rule `never` can never fire"), "{never}");
    let cycle = checked(&format!(
        "{ACTIVE}- {{id: round, title: Round, status: draft, recommend: methadone, when: {{offered: methadone}}, statement: Round.}}\n"
    ));
    assert!(cycle.contains("error[cycle]"), "{cycle}");
}

#[test]
fn cases_ask_for_drafts_and_coverage_counts_them_apart() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::copy("tests/broken/base.yaml", dir.path().join("base.yaml")).expect("the base");
    std::fs::write(dir.path().join("rules.yaml"), format!("{ACTIVE}{ABOVE}")).expect("the rules");
    std::fs::create_dir(dir.path().join("cases")).expect("a folder");
    let table = |drafts: &str| {
        format!(
            "source: {{title: Methadone safety guideline}}\nkind: guideline-constructed\nas_of: 2026-06-01\n{drafts}\
             patient: {{diagnoses: [{{coding: [{{system: ICD-10-CM, code: F11.20}}]}}]}}\n\
             cases:\n- {{id: with, title: With, expect: {{rules: {{fires: [proposes, above]}}}}}}\n"
        )
    };
    let file = dir.path().join("cases/drafts.yaml");
    std::fs::write(&file, table("drafts: true\n")).expect("the cases");
    let told = concord(&["rules", "test", "--rules", ".", "--coverage"], dir.path());
    assert!(told.contains("1 passed, 0 failed"), "{told}");
    assert!(told.contains("drafts: 4 in all, 4 fire, 0 with a near miss, 0 left unknown"), "{told}");
    std::fs::write(&file, table("")).expect("the cases");
    let told = concord(&["rules", "test", "--rules", "."], dir.path());
    assert!(told.contains("no active rule `proposes`") || told.contains("`proposes`"), "{told}");
    assert!(!told.contains("passed"), "{told}");
}

#[test]
fn the_command_asks_for_drafts() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::copy("tests/broken/base.yaml", dir.path().join("base.yaml")).expect("the base");
    std::fs::write(dir.path().join("rules.yaml"), format!("{ACTIVE}{ABOVE}")).expect("the rules");
    std::fs::write(dir.path().join("patient.json"), patient(&["F11.20"]).to_string()).expect("a patient");
    let run = |more: &[&str]| {
        let arguments = [&["evaluate", "--rules", ".", "--as-of", "2026-06-01"], more, &["patient.json"]].concat();
        concord(&arguments, dir.path())
    };
    assert!(run(&["--drafts"]).contains("DRAFT · CONSIDER: buprenorphine"), "{}", run(&["--drafts"]));
    assert!(!run(&[]).contains("DRAFT"));
    assert!(run(&["--drafts", "--format", "json"]).contains("\"draftsIncluded\":true"));
}
