//! The invariants of the shipped package: it keeps them, and each is broken by
//! an edit of `tests/invariants/mutants.yaml`, for which the package is refused
//! by the check and by loading, at the line of what breaks it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use concord::api::yaml;
use concord::diag::{Diagnostic, Files, Level};
use concord::rule::model::Package;
use concord::ruleset::{Checked, Depth, LoadError, Ruleset, check_sources};
use serde_json::Value;

use crate::faults::SHIPPED as FILES;

static PACKAGE: LazyLock<Package> =
    LazyLock::new(|| check_sources(Files::new(FILES.clone()).into(), None, Depth::Errors).package);

static MUTANTS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let text = std::fs::read_to_string("tests/invariants/mutants.yaml").expect("the mutants");
    let document = yaml::read(&text).expect("YAML").value;
    document["mutants"].as_array().expect("a list").clone()
});

fn text<'a>(mutant: &'a Value, key: &str) -> Option<&'a str> {
    mutant[key].as_str()
}

fn of(mutant: &Value) -> &str {
    text(mutant, "invariant").expect("an invariant")
}

/// The files with the edit made.
fn edited(mutant: &Value) -> Vec<(String, String)> {
    let name = text(mutant, "file").expect("a file");
    let mut files = FILES.clone();
    let file = files.iter_mut().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name}"));
    if let Some(rule) = mutant.get("rule") {
        let says = text(rule, "says").expect("a conclusion");
        let excludes = says.starts_with("caution") || says.starts_with("contraindicate");
        let unknown = text(rule, "unknown").unwrap_or("request");
        let unknown = if excludes { format!("  unknown: {unknown}\n") } else { String::new() };
        file.1.push_str(&format!(
            "\n- id: mutant\n  title: mutant\n  {says}\n  when: {}\n{unknown}  statement: \"{}\"\n  strength: none\n  \
             evidence: [{{source: asam-2020, place: none}}]\n",
            text(rule, "when").expect("a condition"),
            text(rule, "statement").unwrap_or("none"),
        ));
    } else {
        let (from, to) = (text(mutant, "from").expect("a text"), text(mutant, "to").expect("a text"));
        assert!(file.1.contains(from), "{name} has no `{from}`");
        file.1 = file.1.replacen(from, to, 1);
    }
    files
}

/// The places of a diagnostic, each with the text of its line.
fn places(checked: &Checked, one: &Diagnostic) -> Vec<(String, String)> {
    let spans = std::iter::once(one.span).chain(one.related.iter().map(|(span, _)| *span));
    let lines = spans.filter_map(|span| {
        let (name, line, _) = checked.files.position(span)?;
        let (_, text) = checked.files.get(span.file)?;
        Some((name.to_owned(), text.lines().nth(line - 1)?.to_owned()))
    });
    lines.collect()
}

#[test]
fn the_shipped_package_keeps_its_invariants() {
    let checked = check_sources(Files::new(FILES.clone()).into(), None, Depth::Errors);
    assert_eq!(checked.errors(), 0, "{}", checked.render(false));
    assert!(checked.package.invariants.len() >= 30);
}

/// Every item of the two "do not do" lists, by the invariants that follow it.
#[test]
fn every_item_of_the_lists_has_an_invariant_and_a_mutant_of_it() {
    let items = (1..=23).map(|item| format!("medications-not-{item}"));
    for item in items.chain((1..=24).map(|item| format!("cooccurring-not-{item}"))) {
        let followed: BTreeSet<&str> = PACKAGE
            .invariants
            .iter()
            .filter(|invariant| invariant.follows.iter().any(|name| name.value == item))
            .map(|invariant| invariant.id.value.as_str())
            .collect();
        let broken =
            MUTANTS.iter().filter(|mutant| mutant["items"].as_array().expect("items").contains(&item.as_str().into()));
        let broken: BTreeSet<&str> = broken.map(of).collect();
        assert!(!broken.is_empty() && broken.is_subset(&followed), "{item}: {broken:?}, and {followed:?} follow it");
    }
    let broken: BTreeSet<&str> = MUTANTS.iter().map(of).collect();
    let all: BTreeSet<&str> = PACKAGE.invariants.iter().map(|invariant| invariant.id.value.as_str()).collect();
    assert_eq!(broken, all, "an invariant that no mutant breaks may be true of anything");
}

#[test]
fn loading_refuses_every_mutant_where_it_is() {
    let mut faults = String::new();
    for mutant in MUTANTS.iter() {
        let checked = check_sources(Files::new(edited(mutant)).into(), None, Depth::Errors);
        let named = format!("`{}` is broken", of(mutant));
        let found = checked
            .diagnostics
            .iter()
            .filter(|one| one.level == Level::Error && one.code == "invariant-broken" && one.message.contains(&named));
        let file = text(mutant, "in").or(text(mutant, "file")).expect("a file");
        let at = text(mutant, "at").unwrap_or("- id: mutant");
        let at_line = |(name, line): &(String, String)| name == file && line.contains(at);
        let found: Vec<Vec<(String, String)>> = found.map(|one| places(&checked, one)).collect();
        if !found.iter().any(|places| places.iter().any(at_line)) {
            faults.push_str(&format!("{}: not at `{at}` of {file}: {found:#?}\n", of(mutant)));
        }
        assert!(matches!(Ruleset::from_checked(checked), Err(LoadError::Faulty { .. })), "{}", of(mutant));
    }
    assert!(faults.is_empty(), "{faults}");
}

fn written(files: &[(String, String)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    dir
}

fn check(dir: &Path, more: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    let output = command.args(["rules", "check", "."]).args(more).current_dir(dir).output();
    let output = output.expect("the built binary runs");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The first mutant of each invariant, two at a time, as there are cores.
#[test]
fn the_check_refuses_a_mutant_of_every_invariant() {
    let mut seen = BTreeSet::new();
    let mutants = MUTANTS.iter().filter(|mutant| seen.insert(of(mutant)));
    let (even, odd): (Vec<_>, Vec<_>) = mutants.enumerate().partition(|(place, _)| place % 2 == 0);
    std::thread::scope(|scope| {
        for half in [even, odd] {
            scope.spawn(move || {
                for (_, mutant) in half {
                    let (code, said) = check(written(&edited(mutant)).path(), &[]);
                    assert_eq!(code, Some(2), "{}", of(mutant));
                    assert!(said.contains(&format!("the invariant `{}` is broken", of(mutant))), "{said}");
                }
            });
        }
    });
}

#[test]
fn a_broken_invariant_is_shown_with_the_rule_the_claim_and_a_patient() {
    let mutant = MUTANTS.iter().find(|mutant| mutant["items"][0] == "medications-not-4").expect("a mutant");
    let (code, said) = check(written(&edited(mutant)).path(), &[]);
    assert_eq!(code, Some(2));
    insta::assert_snapshot!("invariant-broken", said);
}

/// An overlay is held to the invariants of the package and can't have its own.
#[test]
fn an_overlay_breaks_no_invariant() {
    let head = "overlay: {name: north, version: 1.0.0, title: North, developer: North, base: concord-core}\n";
    let rule = "rules:\n- id: north-no-benzodiazepine\n  title: North\n  contraindicate: {component: methadone, action: start}\n  \
                when: {medication: benzodiazepine}\n  unknown: request\n  statement: none\n  strength: none\n  \
                evidence: [{source: asam-2020, place: none}]\n";
    let disable = "disable:\n- {rule: pregnancy-no-withdrawal-management, reason: none}\n";
    let switch = "invariants: []\n";
    for (added, wanted) in [
        (rule, "the invariant `moud-not-withheld-for-other-substances` is broken"),
        (disable, "the invariant `no-withdrawal-management-in-pregnancy` is broken"),
        (switch, "an overlay has no section `invariants`"),
    ] {
        let overlay = written(&[("site.yaml".to_owned(), format!("{head}{added}"))]);
        let package = written(&FILES);
        let (code, said) = check(package.path(), &["--overlay", &overlay.path().to_string_lossy()]);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(wanted), "{said}");
    }
}

/// A rule of the small package.
fn rule(id: &str, says: &str, when: &str) -> String {
    let unknown = if says.contains("action") { "unknown: request, " } else { "" };
    format!(
        "- {{id: {id}, title: {id}, {says}, when: {when}, {unknown}statement: A sentence., strength: none, evidence: \
         [{{source: chou-2014, place: none}}]}}\n"
    )
}

/// A code, and the line that it is told at.
type Found = (&'static str, String);

/// What the check says of the small package with these rules and one claim.
fn small(rules: &[String], claim: &str) -> Vec<Found> {
    let base = std::fs::read_to_string("tests/broken/base.yaml").expect("the base");
    let more = format!(
        "concepts:\n- {{id: benzodiazepine, kind: medication, title: benzodiazepine, rxnorm: {{ingredients: ['596']}}}}\n\
         rules:\n{}invariants:\n- id: held\n  title: It is so\n  because: it is so\n  evidence: [{{source: chou-2014, \
         place: none}}]\n  {claim}\n",
        rules.concat()
    );
    let files = vec![("base.yaml".to_owned(), base), ("more.yaml".to_owned(), more)];
    let checked = check_sources(Files::new(files).into(), None, Depth::Errors);
    let place = |one: &Diagnostic| {
        let (_, line) = places(&checked, one).swap_remove(0);
        line.split(',').next().unwrap_or_default().to_owned()
    };
    checked.diagnostics.iter().map(|one| (one.code, place(one))).collect()
}

/// Of each kind of claim one that holds and one that does not, and where it is told.
#[test]
fn claims_of_every_kind_are_kept_and_broken() {
    let offer = || rule("offer", "recommend: methadone", "oud-present");
    let qtc = "{all: [oud-present, {observation: qtc-interval, at_least: 500 ms}]}";
    let against = |when: &str| rule("against", "contraindicate: {component: methadone, action: start}", when);
    let alert = rule("alert", "alert: {category: monitoring, severity: high, urgency: prompt}", qtc);
    let bearing = |of: &str, on: &str| format!("no_bearing: [{{of: [{of}], on: [{on}]}}]");
    let excluded = "{standing: {component: methadone, is: contraindicated}}";
    let lost = "{not: {standing: {component: methadone, is: offered}}}";
    let sedative = "{medication: benzodiazepine}";
    let with_sedative = "{all: [oud-present, {medication: benzodiazepine}]}";
    let without_sedative = "{all: [oud-present, {not: {medication: benzodiazepine}}]}";
    let broken = |line: &str| vec![("invariant-broken", line.to_owned())];
    let cases: Vec<(Vec<String>, String, Vec<Found>)> = vec![
        // never: no one is offered methadone without the disorder; someone is with it.
        (
            vec![offer()],
            "never: [{all: [{not: oud-present}, {standing: {component: methadone, is: offered}}]}]".into(),
            vec![],
        ),
        (vec![offer()], "never: [{standing: {component: methadone, is: offered}}]".into(), broken("- {id: offer")),
        // always: a long QTc contraindicates, of those who do not take it yet; and an alert says so.
        (
            vec![offer(), against(qtc)],
            format!("always: [{{if: {{all: [{qtc}, {{not: {{medication: methadone}}}}]}}, then: {excluded}}}]"),
            vec![],
        ),
        (vec![offer(), alert.clone()], format!("always: [{{if: {qtc}, then: {{alert: monitoring}}}}]"), vec![]),
        (vec![offer(), alert], "always: [{if: oud-present, then: {alert: monitoring}}]".into(), broken("- {id: alert")),
        // no_bearing: of what excludes, and of what takes an offer away.
        (vec![offer(), against(qtc)], bearing(sedative, excluded), vec![]),
        (vec![offer(), against(with_sedative)], bearing(sedative, excluded), broken("- {id: against")),
        (vec![offer()], bearing(sedative, lost), vec![]),
        (
            vec![rule("offer", "recommend: methadone", without_sedative)],
            bearing(sedative, lost),
            broken("- {id: offer"),
        ),
        // An exclusion where nothing is proposed withholds nothing.
        (vec![against(with_sedative)], bearing("oud-present", excluded), vec![]),
        (vec![offer()], "no_text: [{words: [some sentence]}]".into(), vec![]),
        (vec![offer()], "no_text: [{words: [Sentence]}]".into(), broken("- {id: offer")),
        (vec![offer()], "no_text: [{words: [sentence], in: components}]".into(), vec![]),
        (vec![offer()], "no_text: [{words: [sentence], except: [{rule: offer, reason: none}]}]".into(), vec![]),
        (vec![offer()], "says: [{component: methadone, words: [methadone]}]".into(), vec![]),
        (vec![offer()], "says: [{component: methadone, words: [program]}]".into(), broken("- {id: methadone")),
        (vec![offer()], "codes: [{concept: opioid-use-disorder, has: [[ICD-10-CM, F11.10]]}]".into(), vec![]),
        (
            vec![offer()],
            "codes: [{concept: opioid-use-disorder, has: [[ICD-10-CM, F11.11]]}]".into(),
            broken("- {id: opioid-use-disorder"),
        ),
        (vec![offer()], "apart: [{one: methadone, other: benzodiazepine}]".into(), vec![]),
        (vec![offer()], "apart: [{one: methadone, other: methadone}]".into(), broken("- {id: methadone")),
        (
            vec![offer()],
            "order: [{first: medication-assisted-treatment, then: medication-assisted-treatment}]".into(),
            vec![("invariant-broken", "- {id: methadone".into()), ("invariant-broken", "- {id: buprenorphine".into())],
        ),
    ];
    for (rules, claim, wanted) in cases {
        let mut found = small(&rules, &claim);
        let mut wanted = wanted;
        found.sort();
        wanted.sort();
        assert_eq!(found, wanted, "{claim}");
    }
}

#[test]
fn what_the_answer_says_is_asked_for_in_invariants_alone() {
    let found = small(
        &[rule("circle", "recommend: methadone", "{alert: monitoring}")],
        "never: [{all: [oud-present, {not: oud-present}]}]",
    );
    assert_eq!(found, [("outcome", "- {id: circle".to_owned())]);
}
