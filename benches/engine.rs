//! Nanoseconds a patient for the engine alone, on the cases, and how they grow
//! with ten and a hundred times the rules.
//!
//! `cargo bench` prints a table. The figures of one run are to be compared with
//! each other: every row is given as a ratio to a floor measured in the same
//! run, hashing the patient's request once with SHA-256.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a benchmark ends where it can't go on")]

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use concord::api::json;
use concord::api::limits::Limits;
use concord::api::proto::EvaluateRequest;
use concord::api::request;
use concord::cli::yaml;
use concord::clinical::concept::{ConceptDef, ConceptKind};
use concord::clinical::date::AsOf;
use concord::clinical::patient::{Completeness, List, Patient};
use concord::clinical::terminology::billable_descendants;
use concord::diag::Span;
use concord::engine::Engine;
use concord::engine::decision::Explain;
use concord::rule::model::{
    Concept, Condition, DiagnosisStatus, Fact, FactTest, Package, Rule, RuleStatus, Spanned, Window,
};
use concord::ruleset::Ruleset;
use sha2::{Digest, Sha256};

/// Rounds over all patients; the median of them counts.
const ROUNDS: usize = 41;

/// A chapter that no rule of the package asks for, and no patient of the cases has.
const UNRELATED: &str = "T20";

struct Case {
    patient: Patient,
    as_of: AsOf,
    bytes: Vec<u8>,
}

fn main() {
    let cases = cases();
    let package = Ruleset::embedded().expect("the shipped package checks").package().clone();
    println!("{} patients, {} active rules", cases.len(), active(&package));
    let floor = median(&cases, |case| {
        black_box(Sha256::digest(black_box(&case.bytes)));
    });
    println!("{:<44} {:>10} ns a patient {:>9}", "floor: SHA-256 of the request", floor, "1.0");
    let base = engine(package.clone());
    let row = |name: &str, engine: &Engine, explain: Explain| {
        let nanos = median(&cases, |case| {
            black_box(engine.evaluate(black_box(&case.patient), &case.as_of, explain));
        });
        #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
        let ratio = nanos as f64 / floor as f64;
        println!("{name:<44} {nanos:>10} ns a patient {ratio:>9.1}");
    };
    row("the shipped rules, brief", &base, Explain::Brief);
    row("the shipped rules, standard", &base, Explain::Standard);
    row("the shipped rules, full", &base, Explain::Full);
    for times in [10, 100] {
        let began = Instant::now();
        let larger = engine(with_unrelated(&package, times));
        let name = format!("{times} times the rules, standard");
        println!(
            "{:<44} {:>10} ms to compile",
            format!("{} rules", larger.program().rules.len()),
            began.elapsed().as_millis()
        );
        row(&name, &larger, Explain::Standard);
        let complete = complete(&cases);
        let nanos = median(&complete, |case| {
            black_box(larger.evaluate(black_box(&case.patient), &case.as_of, Explain::Standard));
        });
        println!("{:<44} {nanos:>10} ns a patient", format!("{times} times the rules, lists complete"));
    }
}

/// The cases with their diagnoses and medications stated as complete: nothing
/// is assumed, and no list is to be confirmed.
fn complete(cases: &[Case]) -> Vec<Case> {
    let stated = |case: &Case| {
        let mut patient = case.patient.clone();
        for list in [List::Diagnoses, List::Medications] {
            patient.stated[list as usize] = Completeness::Complete;
        }
        Case { patient, as_of: case.as_of, bytes: case.bytes.clone() }
    };
    cases.iter().map(stated).collect()
}

fn engine(package: Package) -> Engine {
    Engine::new(package).expect("checked value sets")
}

fn active(package: &Package) -> usize {
    package.rules.iter().filter(|rule| rule.status == RuleStatus::Active).count()
}

fn median(cases: &[Case], mut run: impl FnMut(&Case)) -> u128 {
    let mut rounds: Vec<u128> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            for case in cases {
                run(case);
            }
            began.elapsed().as_nanos() / cases.len() as u128
        })
        .collect();
    rounds.sort_unstable();
    rounds[ROUNDS / 2]
}

/// The cases beside the project and those of the package.
fn cases() -> Vec<Case> {
    let folders = ["../shared/cases", "rules/cases"];
    let mut files: Vec<_> = folders
        .iter()
        .filter_map(|folder| std::fs::read_dir(Path::new(folder)).ok())
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    files.iter().filter_map(|file| case(file)).collect()
}

fn case(file: &Path) -> Option<Case> {
    let value = yaml::read(&std::fs::read_to_string(file).ok()?).ok()?.value;
    let body = serde_json::json!({"patient": value["patient"], "asOf": value["as_of"]}).to_string();
    let wire: EvaluateRequest = json::from_str(&body).ok()?;
    let evaluation = request::read(wire, &Limits::default(), jiff::Timestamp::UNIX_EPOCH).ok()?;
    Some(Case { patient: evaluation.patient, as_of: evaluation.as_of, bytes: body.into_bytes() })
}

/// The package with copies of its rules, each asking for a condition that no
/// patient of the cases has as well: what a package for many more disorders is.
fn with_unrelated(package: &Package, times: usize) -> Package {
    let mut larger = package.clone();
    for (copy, code) in (1..times).zip(billable_descendants(UNRELATED)) {
        let mut def = ConceptDef::new(format!("unrelated-{copy}"), ConceptKind::Diagnosis, format!("unrelated {copy}"));
        def.icd10cm = vec![code.into()];
        larger.concepts.push(Concept {
            def,
            span: Span::default(),
            entries: Vec::new(),
            remission: None,
            relapsing: false,
            unit: None,
            molar_mass: None,
            valence: None,
            source_attribute: None,
        });
    }
    for copy in 1..times {
        larger.rules.extend(package.rules.iter().map(|rule| unrelated(rule, copy)));
    }
    larger.concepts.sort_by(|a, b| a.def.id.cmp(&b.def.id));
    larger.rules.sort_by(|a, b| a.id.value.cmp(&b.id.value));
    larger
}

fn unrelated(rule: &Rule, copy: usize) -> Rule {
    let mut rule = rule.clone();
    let span = Span::default();
    rule.id.value = format!("{}-copy-{copy}", rule.id.value);
    rule.outranks.clear();
    let concept = Spanned::new(format!("unrelated-{copy}"), span);
    let fact = Fact::Diagnosis {
        concepts: vec![concept],
        status: DiagnosisStatus::Active,
        severity: Vec::new(),
        onset: Window::default(),
        recorded: Window::default(),
    };
    let asked = Condition::Fact(FactTest { fact, bind: None, absent_unknown: false });
    let parts = vec![Spanned::new(asked, span), rule.when.clone()];
    rule.when = Spanned::new(Condition::All(parts), span);
    rule
}
