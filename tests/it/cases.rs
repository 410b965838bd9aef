//! The cases: patients with what a good answer must and must not contain.
//!
//! The format is that of the case deck beside the project, which is read from
//! there when present, and of `rules/cases/`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use concord::api::decide::{Terms, decide};
use concord::api::json;
use concord::api::limits::Limits;
use concord::api::proto::EvaluateRequest;
use concord::api::refusal::Refusal;
use concord::cli::yaml;
use concord::engine::decision::{Alert, Answer, Component, Exclusion, Offer, Standing};
use concord::ruleset::Ruleset;
use serde_json::Value;

/// Components that make an approach what it is; the others may serve people
/// without the disorder.
const DEFINING: [(&str, &[&str]); 2] = [
    (
        "medication-assisted-treatment",
        &["buprenorphine", "buprenorphine-extended-release", "methadone", "naltrexone-extended-release"],
    ),
    (
        "dual-diagnosis-treatment",
        &[
            "concurrent-treatment-plan",
            "integrated-dual-disorder-treatment",
            "cope",
            "seeking-safety",
            "integrated-group-therapy",
        ],
    ),
];

pub static SHIPPED: LazyLock<Arc<Ruleset>> =
    LazyLock::new(|| Arc::new(Ruleset::embedded().expect("the shipped package checks")));

/// The files of a folder of cases, in order.
pub fn case_files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir)
        .map(|entries| entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect())
        .unwrap_or_default();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
}

/// A case as written.
pub fn read_case(file: &Path) -> Value {
    let text = std::fs::read_to_string(file).expect("a readable case");
    yaml::read(&text).unwrap_or_else(|fault| panic!("{}: {fault:?}", file.display())).value
}

/// The request of a case.
pub fn request_of(case: &Value) -> EvaluateRequest {
    let body = serde_json::json!({"patient": case["patient"], "asOf": case["as_of"]});
    json::from_str(&body.to_string()).unwrap_or_else(|error| panic!("{}: {error}", case["id"]))
}

fn evaluate(request: EvaluateRequest) -> Result<Answer, Refusal> {
    let terms = Terms { limits: Limits::default(), purpose_of_use: "TREAT".to_owned() };
    decide(&SHIPPED, request, &terms, jiff::Timestamp::UNIX_EPOCH).map(|decision| decision.answer)
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Does a text hold a word that begins so?
fn mentions(text: &str, about: &[&str]) -> bool {
    let text = text.to_lowercase();
    about.iter().any(|word| {
        text.match_indices(word).any(|(at, _)| !text[..at].ends_with(|before: char| before.is_alphanumeric()))
    })
}

fn components(answer: &Answer) -> impl Iterator<Item = (&str, &Component)> {
    answer
        .recommendations
        .iter()
        .flat_map(|approach| approach.components.iter().map(move |component| (approach.approach.as_str(), component)))
}

fn categories(expected: &Value) -> Vec<&str> {
    expected["category"].as_str().into_iter().chain(strings(&expected["orCategory"])).collect()
}

fn alert_about(answer: &Answer, categories: &[&str], about: &[&str]) -> bool {
    let words = |alert: &Alert| format!("{} {} {}", alert.id, alert.title, alert.statement);
    answer.alerts.iter().any(|alert| {
        (categories.is_empty() || categories.contains(&alert.category.as_str())) && mentions(&words(alert), about)
    })
}

fn request_about(answer: &Answer, about: &[&str]) -> bool {
    answer.data_requests.iter().any(|request| mentions(&format!("{} {}", request.id, request.statement), about))
        || answer.assessments.iter().any(|one| mentions(&format!("{} {} {}", one.id, one.title, one.statement), about))
}

/// What of the expectation does not hold.
pub fn misses(answer: &Answer, expect: &Value) -> Vec<String> {
    let mut misses = Vec::new();
    let mut miss = |what: String| misses.push(what);
    for approach in strings(&expect["approaches"]["must"]) {
        if !components(answer).any(|(of, component)| of == approach && component.offered()) {
            miss(format!("approach {approach} offers nothing"));
        }
    }
    for approach in strings(&expect["approaches"]["mustNot"]) {
        let defining = DEFINING.iter().find(|(of, _)| *of == approach).map_or(&[][..], |(_, codes)| codes);
        for (of, component) in components(answer) {
            if of == approach
                && defining.contains(&component.code.as_str())
                && component.standing == Standing::Recommended
            {
                miss(format!("{} is recommended", component.code));
            }
        }
    }
    for expected in expect["components"]["must"].as_array().into_iter().flatten() {
        let any_of = strings(&expected["anyOf"]);
        if !components(answer).any(|(_, component)| any_of.contains(&component.code.as_str()) && component.offered()) {
            miss(format!("none of {any_of:?} is offered"));
        }
    }
    for expected in expect["components"]["mustNotOffer"].as_array().into_iter().flatten() {
        let code = expected["component"].as_str().unwrap_or_default();
        let offered = |component: &Component| matches!(component.standing, Standing::Recommended | Standing::Consider);
        if components(answer).any(|(_, component)| component.code == code && offered(component)) {
            miss(format!("{code} is offered"));
        }
    }
    for expected in expect["components"]["contraindicated"].as_array().into_iter().flatten() {
        let code = expected["component"].as_str().unwrap_or_default();
        if !components(answer)
            .any(|(_, component)| component.code == code && component.standing == Standing::Contraindicated)
        {
            miss(format!("{code} is not contraindicated"));
        }
    }
    for expected in expect["components"]["standing"].as_array().into_iter().flatten() {
        let (code, wanted) =
            (expected["component"].as_str().unwrap_or_default(), expected["is"].as_str().unwrap_or_default());
        let found = components(answer).find(|(_, component)| component.code == code);
        let standing =
            found.map_or_else(|| "absent".to_owned(), |(_, component)| standing_word(component.standing).to_owned());
        if standing != wanted {
            miss(format!("{code} stands at {standing}, not at {wanted}"));
        }
    }
    asks_and_alerts(answer, expect, &mut miss);
    misses
}

fn standing_word(standing: Standing) -> &'static str {
    match standing {
        Standing::None => "none",
        Standing::Consider => "consider",
        Standing::Recommended => "recommended",
        Standing::Caution => "caution",
        Standing::VerifyFirst => "verify-first",
        Standing::Contraindicated => "contraindicated",
    }
}

fn asks_and_alerts(answer: &Answer, expect: &Value, miss: &mut dyn FnMut(String)) {
    for expected in expect["alerts"]["must"].as_array().into_iter().flatten() {
        let about = strings(&expected["about"]);
        let asked = expected["orRequest"] == true && request_about(answer, &about);
        if !asked && !alert_about(answer, &categories(expected), &about) {
            miss(format!("no alert of {:?} about {about:?}", categories(expected)));
        }
    }
    for expected in expect["alerts"]["mustNot"].as_array().into_iter().flatten() {
        let about = strings(&expected["about"]);
        if alert_about(answer, &categories(expected), &about) {
            miss(format!("an alert of {:?} about {about:?}", categories(expected)));
        }
    }
    for expected in expect["requests"]["must"].as_array().into_iter().flatten() {
        let about = strings(&expected["about"]);
        let alerted = expected["orAlert"] == true && alert_about(answer, &[], &about);
        if !alerted && !request_about(answer, &about) {
            miss(format!("no request about {about:?}"));
        }
    }
    for expected in expect["unrecognized"]["must"].as_array().into_iter().flatten() {
        let (system, code) = (&expected["system"], &expected["code"]);
        if !answer.unrecognized.iter().any(|one| *system == one.system.as_str() && *code == one.code.as_str()) {
            miss(format!("{code} is not named as not understood"));
        }
    }
}

fn run(file: &Path, report: &mut String) {
    let case = read_case(file);
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    match evaluate(request_of(&case)) {
        Ok(answer) => {
            for miss in misses(&answer, &case["expect"]) {
                let _ = writeln!(report, "{name}: {miss}");
            }
        }
        Err(_) if case["expect"]["error"]["anyOutcome"] == true => {}
        Err(refusal) => {
            let _ = writeln!(report, "{name}: refused: {refusal:?}");
        }
    }
}

#[test]
fn the_cases_of_the_package_hold() {
    let files = case_files(Path::new("rules/cases"));
    assert!(files.len() >= 10, "the deck holds {} cases", files.len());
    let mut report = String::new();
    for file in &files {
        run(file, &mut report);
    }
    assert!(report.is_empty(), "{report}");
}

#[test]
fn the_shared_cases_hold() {
    let files = case_files(Path::new("../shared/cases"));
    let mut report = String::new();
    for file in &files {
        run(file, &mut report);
    }
    assert!(report.is_empty(), "{} cases\n{report}", files.len());
}

/// Offers are what the expectations say they are.
#[test]
fn a_caution_with_an_offer_counts_as_offered() {
    let component = |offer, exclusion| {
        let standing = Standing::of(offer, exclusion);
        let (code, title) = (String::new(), String::new());
        let action = concord::engine::decision::Action::Start;
        Component {
            code,
            title,
            action,
            offer,
            exclusion,
            standing,
            rationale: Vec::new(),
            handling: None,
            formulary_note: None,
        }
    };
    assert!(component(Offer::Consider, Exclusion::Caution).offered());
    assert!(!component(Offer::Recommend, Exclusion::VerifyFirst).offered());
    assert!(!component(Offer::None, Exclusion::Caution).offered());
}
