//! The shipped package with one fault seeded, one for each class: the check
//! names it at its line, with a patient that the engine confirms.

use std::path::Path;
use std::sync::LazyLock;

use concord::api::json;
use concord::api::limits::Limits;
use concord::api::proto::EvaluateRequest;
use concord::api::request;
use concord::clinical::date::AsOf;
use concord::clinical::patient::Patient;
use concord::diag::{self, Diagnostic, Files, Level};
use concord::engine::Engine;
use concord::engine::decision::{Action, Answer, Exclusion, Explain};
use concord::rule::truth::Truth;
use concord::ruleset::{Checked, Depth, check_sources};

/// The day on which review dates are held.
const TODAY: &str = "2026-11-23";

pub static SHIPPED: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    fn walk(dir: &Path, files: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(dir).expect("rules") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.ends_with("cases") {
                walk(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                let name = path.strip_prefix("rules").expect("below").to_string_lossy().into_owned();
                files.push((name, std::fs::read_to_string(&path).expect("a readable file")));
            }
        }
    }
    let mut files = Vec::new();
    walk(Path::new("rules"), &mut files);
    files
});

/// What was found in a copy of the package with one text changed.
struct Seeded {
    file: &'static str,
    text: String,
    checked: Checked,
}

/// Replaces a text, or appends where there is nothing to replace.
fn seed(file: &'static str, from: &str, to: &str) -> Seeded {
    let mut files = SHIPPED.clone();
    let text = &mut files.iter_mut().find(|(name, _)| name == file).expect("a file").1;
    if from.is_empty() {
        text.push_str(to);
    } else {
        assert!(text.contains(from), "{file} has no `{from}`");
        *text = text.replacen(from, to, 1);
    }
    let text = text.clone();
    Seeded { file, text, checked: check_sources(Files::new(files).into(), Some(TODAY), Depth::All) }
}

/// Rules of another place, switched off by a parameter, are told, and are meant.
fn nothing_found(checked: &Checked) {
    let found = checked.diagnostics.iter().filter(|one| one.code != "switched-off").count();
    assert_eq!(found, 0, "{}", checked.render(false));
}

/// A rule with what every rule needs.
fn rule(id: &str, conclusion: &str, when: &str) -> String {
    format!(
        "\n- id: {id}\n  title: seeded\n  {conclusion}\n  when: {when}\n  statement: seeded\n  strength: none\n  \
         evidence: [{{source: asam-2020, place: seeded}}]\n  verification: secondary\n"
    )
}

impl Seeded {
    /// The diagnostic of the code, at the line that holds the text.
    fn named(&self, code: &str, at: &str) -> &Diagnostic {
        let line = 1 + self.text.lines().position(|line| line.contains(at)).unwrap_or_else(|| panic!("no `{at}`"));
        let place = |one: &Diagnostic| {
            let (name, line, _) = self.checked.files.position(one.span).unwrap_or_default();
            (name.to_owned(), line)
        };
        let found =
            self.checked.diagnostics.iter().find(|one| one.code == code && place(one) == (self.file.to_owned(), line));
        found.unwrap_or_else(|| {
            let all: Vec<_> = self.checked.diagnostics.iter().map(|one| (one.code, place(one), &one.message)).collect();
            panic!("no {code} at {}:{line}: {all:#?}", self.file)
        })
    }

    fn error(&self, code: &str, at: &str) -> &Diagnostic {
        let found = self.named(code, at);
        assert_eq!(found.level, Level::Error, "{code}");
        found
    }

    fn warning(&self, code: &str, at: &str) -> &Diagnostic {
        let found = self.named(code, at);
        assert_eq!(found.level, Level::Warning, "{code}");
        assert_eq!(self.checked.errors(), 0, "{code}: {}", self.checked.render(false));
        found
    }

    fn rendered(&self, one: &Diagnostic) -> String {
        without_lines(&diag::render(std::slice::from_ref(one), &self.checked.files, false))
    }

    fn run(&self, one: &Diagnostic) -> Run {
        let body = one.example.as_ref().unwrap_or_else(|| panic!("{} has no example", one.code)).to_string();
        let wire: EvaluateRequest = json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
        let read = request::read(wire, &Limits::default(), jiff::Timestamp::UNIX_EPOCH);
        let read = read.unwrap_or_else(|fault| panic!("{fault:?}: {body}"));
        let engine = Engine::new(self.checked.package.clone()).expect("value sets");
        Run { engine, patient: read.patient, as_of: read.as_of }
    }
}

/// A finding as it is shown, without the numbers of lines: those of the shipped files move with every change.
fn without_lines(text: &str) -> String {
    let line = |line: &str| match line.split_once(|letter: char| !letter.is_ascii_digit()) {
        Some((digits, _)) if !digits.is_empty() => format!("{}{}", "#".repeat(digits.len()), &line[digits.len()..]),
        _ if line.trim_start().starts_with("-->") || line.trim_start().starts_with(":::") => {
            let place = line.split(':').map(|part| {
                if part.bytes().all(|byte| byte.is_ascii_digit()) && !part.is_empty() { "#" } else { part }
            });
            place.collect::<Vec<_>>().join(":")
        }
        _ => line.to_owned(),
    };
    text.lines().map(|one| line(one) + "\n").collect()
}

/// A patient before the package with the fault.
struct Run {
    engine: Engine,
    patient: Patient,
    as_of: AsOf,
}

impl Run {
    fn rule(&self, id: &str) -> Truth {
        let rule = self.engine.program().rules.iter().find(|rule| rule.id == id).expect("the rule");
        self.engine.truths(&self.patient, &self.as_of).1.get(rule.node)
    }

    fn definition(&self, id: &str) -> Truth {
        let found = self.engine.program().definitions.iter().find(|one| one.id == id).expect("the definition");
        self.engine.truths(&self.patient, &self.as_of).1.get(found.node)
    }

    fn answer(&self) -> Answer {
        self.engine.evaluate(&self.patient, &self.as_of, Explain::Full)
    }
}

#[test]
fn the_shipped_package_has_no_finding() {
    let checked = check_sources(Files::new(SHIPPED.clone()).into(), Some(TODAY), Depth::All);
    nothing_found(&checked);
}

#[test]
fn static_faults() {
    let offer = "medication/offer.yaml";
    let cases = [
        (offer, "  recommend: buprenorphine\n", "  recommends: buprenorphine\n", "unknown-key", "  recommends:"),
        (offer, "recommend: methadone\n", "recommend: methadon\n", "unknown-name", "recommend: methadon"),
        (
            "definitions.yaml",
            "",
            "\n- {id: oud-present, title: again, when: ssri-current}\n",
            "duplicate-id",
            "title: again",
        ),
        ("definitions.yaml", "when: {medication: ssri}}", "when: ssri-current}", "cycle", "id: ssri-current"),
        ("safety/qt.yaml", "at_least: $qtc_limit", "at_least: 500 mg", "unit-mismatch", "at_least: 500 mg"),
        ("safety/qt.yaml", "at_least: $qtc_limit", "at_least: $qtc_limits", "unknown-parameter", "$qtc_limits"),
        ("safety/qt.yaml", "within: $qtc_window", "within: 90 dayz", "malformed-length", "90 dayz"),
        ("safety/qt.yaml", "{ecg.value}", "{egc.value}", "unbound-name", "{egc.value}"),
        ("concepts/opioids.yaml", "[F11.10, ", "[F11.1X, ", "concept", "F11.1X"),
    ];
    for (file, from, to, code, at) in cases {
        seed(file, from, to).error(code, at);
    }
    let appended = [
        (
            rule(
                "seeded",
                "contraindicate: {component: methadone, action: continue}\n  unknown: request",
                "oud-present",
            ),
            "abrupt-stop",
            "component: methadone, action: continue}",
        ),
        (
            rule("seeded", "contraindicate: {component: methadone, action: start}", "oud-present"),
            "missing-unknown",
            "id: seeded",
        ),
        (
            rule("seeded", "recommend: methadone\n  outranks: [methadone-qtc-500-or-more]", "oud-present"),
            "outranks",
            "outranks: [methadone-qtc",
        ),
        (
            rule("seeded", "note: true", "oud-present")
                .replace("  evidence: [{source: asam-2020, place: seeded}]\n", ""),
            "missing-evidence",
            "id: seeded",
        ),
    ];
    for (text, code, at) in appended {
        seed(offer, "", &text).error(code, at);
    }
    let due = rule("seeded", "note: true\n  review_by: 2026-11-22", "oud-present");
    seed(offer, "", &due).warning("review-due", "review_by: 2026-11-22");
}

#[test]
fn a_rule_that_never_fires() {
    let when = "\n    all:\n    - {age: {at_least: 18}}\n    - oud-present\n    - {age: {below: 12}}";
    let seeded = seed("medication/offer.yaml", "", &rule("seeded", "recommend: methadone", when));
    let found = seeded.error("never-fires", "- {age: {at_least: 18}}");
    let run = seeded.run(found);
    assert_ne!(run.rule("seeded"), Truth::True);
    assert_eq!(run.definition("oud-present"), Truth::True);
    insta::assert_snapshot!("fault_never_fires", seeded.rendered(found));
}

#[test]
fn a_definition_that_is_never_true() {
    let definition = "\n- {id: seeded, title: seeded, when: {all: [oud-remission-only, oud-moderate-severe]}}\n";
    let seeded = seed("definitions.yaml", "", definition);
    let found = seeded.error("never-true", "id: seeded");
    assert_ne!(seeded.run(found).definition("seeded"), Truth::True);
}

#[test]
fn a_condition_that_is_always_true() {
    let when = "{any: [{known: ssri-current}, {unknown: ssri-current}]}";
    let seeded = seed("medication/offer.yaml", "", &rule("seeded", "note: true", when));
    let found = seeded.error("always-true", when);
    assert_eq!(seeded.run(found).rule("seeded"), Truth::True);
}

#[test]
fn a_rule_that_another_always_outranks() {
    let text = rule("seeded", "consider: yoga", "oud-mild")
        + &rule("seeded-above", "consider: yoga\n  outranks: [seeded]", "oud-present-or-remission");
    let seeded = seed("holistic/adjuncts.yaml", "", &text);
    let found = seeded.error("always-outranked", "id: seeded");
    let answer = seeded.run(found).answer();
    let yoga = answer.recommendations.iter().flat_map(|one| &one.components).find(|one| one.code == "yoga");
    let finding = yoga.expect("yoga").rationale.iter().find(|one| one.rationale.rule == "seeded").expect("the finding");
    assert!(!finding.counted && finding.outranked_by == ["seeded-above"]);
    insta::assert_snapshot!("fault_always_outranked", seeded.rendered(found));
}

#[test]
fn a_clause_without_effect() {
    let when = "\n    all:\n    - oud-mild\n    - oud-any-status";
    let seeded = seed("holistic/adjuncts.yaml", "", &rule("seeded", "consider: yoga", when));
    let found = seeded.warning("clause-without-effect", "    - oud-any-status");
    let run = seeded.run(found);
    assert_eq!((run.rule("seeded"), run.definition("oud-mild")), (Truth::True, Truth::True));
    insta::assert_snapshot!("fault_clause_without_effect", seeded.rendered(found));

    // A clause that names what the statement fills in has an effect.
    let when = "\n    all:\n    - qtc-at-limit-known\n    - {observation: qtc-interval, within: $qtc_window, at_least: $qtc_limit, as: ecg}";
    let text = rule("seeded", "note: true", when).replace("statement: seeded", "statement: \"{ecg.value}\"");
    let named = seed("holistic/adjuncts.yaml", "", &text);
    nothing_found(&named.checked);
}

#[test]
fn an_offer_that_is_always_contraindicated() {
    let when = "{all: [oud-present, {observation: qtc-interval, within: 30 days, at_least: 0.52 s}]}";
    let seeded = seed("medication/offer.yaml", "", &rule("seeded", "recommend: methadone", when));
    let line = "  recommend: methadone";
    let last = seeded.text.lines().filter(|one| *one == line).count();
    assert!(last > 1);
    let found = seeded.checked.diagnostics.iter().find(|one| one.code == "offer-implies-contraindication");
    let found = found.unwrap_or_else(|| panic!("{}", seeded.checked.render(false)));
    let (file, at, _) = seeded.checked.files.position(found.span).expect("a place");
    let written = seeded.text.lines().collect::<Vec<_>>();
    assert_eq!((file, written[at - 1], written[at - 3]), ("medication/offer.yaml", line, "- id: seeded"));
    let answer = seeded.run(found).answer();
    let methadone = answer
        .recommendations
        .iter()
        .flat_map(|one| &one.components)
        .find(|one| one.code == "methadone" && one.action != Action::Increase)
        .expect("methadone");
    assert_eq!(methadone.exclusion, Exclusion::Contraindicated);
    insta::assert_snapshot!("fault_offer_implies_contraindication", seeded.rendered(found));
}

/// Codes that two concepts share, without one including the other.
#[test]
fn a_rule_that_no_record_of_the_analysis_shows() {
    let concept = "\nconcepts:\n- {id: seeded, kind: diagnosis, title: seeded, icd-10-cm: [F11.10]}\n";
    let when = "{all: [{diagnosis: seeded, status: ever}, {not: {diagnosis: opioid-use-disorder-mild, status: ever}}]}";
    let seeded = seed("holistic/adjuncts.yaml", "", &(rule("seeded", "note: true", when) + concept));
    seeded.warning("never-shown", "- id: seeded");
}

#[test]
fn a_rule_that_stands_twice() {
    let text = rule("seeded", "consider: yoga", "oud-mild") + &rule("seeded-again", "consider: yoga", "oud-mild");
    let seeded = seed("holistic/adjuncts.yaml", "", &text);
    let found = seeded.warning("duplicate-rule", "id: seeded-again");
    let run = seeded.run(found);
    assert_eq!((run.rule("seeded"), run.rule("seeded-again")), (Truth::True, Truth::True));
}

/// A scale of an instrument of the shipped package, of which no rule looks at two windows, with these bands.
fn scale(bands: &str) -> String {
    format!(
        "\nscales:\n- id: seeded\n  title: seeded\n  observation: isi\n  within: 12 months\n  range: [0, 21]\n  \
         bands:\n{bands}"
    )
}

const BANDS: &str = "  - {id: anxiety-minimal, title: minimal anxiety, to: 4}\n  \
                     - {id: anxiety-mild, title: mild anxiety, from: 5, to: 9}\n  \
                     - {id: anxiety-moderate, title: moderate anxiety, from: 10, to: 14}\n  \
                     - {id: anxiety-severe, title: severe anxiety, from: 15}\n";

#[test]
fn a_scale_without_fault() {
    let seeded = seed("definitions.yaml", "", &scale(BANDS));
    nothing_found(&seeded.checked);
}

#[test]
fn a_scale_with_a_gap() {
    let seeded = seed("definitions.yaml", "", &scale(&BANDS.replace("from: 15}", "above: 15}")));
    let found = seeded.error("scale-gap", "above: 15}");
    assert!(found.message.starts_with("15 is in no band"), "{}", found.message);
    let run = seeded.run(found);
    for band in ["anxiety-minimal", "anxiety-mild", "anxiety-moderate", "anxiety-severe"] {
        assert_eq!(run.definition(band), Truth::False, "{band}");
    }
    insta::assert_snapshot!("fault_scale_gap", seeded.rendered(found));
}

#[test]
fn scales_with_other_faults() {
    let overlap = seed("definitions.yaml", "", &scale(&BANDS.replace("to: 9", "to: 10")));
    let found = overlap.error("scale-overlap", "id: anxiety-moderate");
    let run = overlap.run(found);
    assert_eq!((run.definition("anxiety-mild"), run.definition("anxiety-moderate")), (Truth::True, Truth::True));
    seed("definitions.yaml", "", &scale(&BANDS.replace("from: 15}", "from: 15, to: 22}")))
        .error("scale-range", "to: 22");
    let lines: Vec<&str> = BANDS.lines().collect();
    let turned = format!("{}\n{}\n{}\n{}\n", lines[0], lines[2], lines[1], lines[3]);
    seed("definitions.yaml", "", &scale(&turned)).error("scale-order", "id: anxiety-mild");
}

/// Three rules that divide a score among them, without a scale.
fn three_rules(tests: [&str; 3], severities: [&str; 3]) -> String {
    let names = ["seeded-mild", "seeded-moderate", "seeded-severe"];
    names
        .iter()
        .zip(tests)
        .zip(severities)
        .map(|((name, test), severity)| {
            let alert = format!("alert: {{category: care-gap, severity: {severity}, urgency: routine}}");
            rule(name, &alert, &format!("{{observation: gad-7, within: 6 months, {test}}}"))
        })
        .collect()
}

#[test]
fn bands_that_conditions_make_up() {
    let mild = "at_least: 5, at_most: 9";
    let moderate = "at_least: 10, at_most: 14";
    let rising = ["low", "moderate", "high"];
    let clean = seed("assessment/screens.yaml", "", &three_rules([mild, moderate, "at_least: 15"], rising));
    nothing_found(&clean.checked);

    let gap = seed("assessment/screens.yaml", "", &three_rules([mild, moderate, "above: 15"], rising));
    let found = gap.error("scale-gap", "above: 15");
    let run = gap.run(found);
    for rule in ["seeded-mild", "seeded-moderate", "seeded-severe"] {
        assert_eq!(run.rule(rule), Truth::False, "{rule}");
    }

    let overlap =
        seed("assessment/screens.yaml", "", &three_rules([mild, "at_least: 9, at_most: 14", "above: 14"], rising));
    let run = overlap.run(overlap.error("scale-overlap", "at_least: 9, at_most: 14"));
    assert_eq!((run.rule("seeded-mild"), run.rule("seeded-moderate")), (Truth::True, Truth::True));

    let apart = "{all: [{observation: gad-7, within: 6 months, at_least: 10}, {observation: gad-7, within: 6 months, at_most: 14}]}";
    let whole = format!("{{observation: gad-7, within: 6 months, {moderate}}}");
    let text = three_rules([mild, moderate, "above: 15"], rising).replace(&whole, apart);
    seed("assessment/screens.yaml", "", &text).error("scale-gap", "above: 15");

    let weaker =
        seed("assessment/screens.yaml", "", &three_rules([mild, moderate, "at_least: 15"], ["low", "high", "low"]));
    let run = weaker.run(weaker.error("weaker-advice", "6 months, at_least: 15"));
    assert_eq!((run.rule("seeded-moderate"), run.rule("seeded-severe")), (Truth::False, Truth::True));
}

#[test]
fn a_scale_with_weaker_advice_in_a_worse_band() {
    let advice = rule("seeded", "recommend: cognitive-behavioral-therapy", "{all: [oud-present, anxiety-moderate]}");
    let mut files = SHIPPED.clone();
    for (name, text) in &mut files {
        if name == "definitions.yaml" {
            text.push_str(&scale(BANDS));
        } else if name == "medication/offer.yaml" {
            text.push_str(&advice);
        }
    }
    let text = files.iter().find(|(name, _)| name == "definitions.yaml").expect("a file").1.clone();
    let checked = check_sources(Files::new(files).into(), Some(TODAY), Depth::All);
    let seeded = Seeded { file: "definitions.yaml", text, checked };
    let found = seeded.error("weaker-advice", "id: anxiety-severe");
    let run = seeded.run(found);
    assert_eq!((run.definition("anxiety-severe"), run.rule("seeded")), (Truth::True, Truth::False));
    insta::assert_snapshot!("fault_weaker_advice", seeded.rendered(found));
}

#[test]
fn findings_as_sarif() {
    let when = "{all: [{age: {at_least: 18}}, {age: {below: 12}}]}";
    let seeded = seed("medication/offer.yaml", "", &rule("seeded", "recommend: methadone", when));
    let log = diag::to_sarif(&seeded.checked.diagnostics, &seeded.checked.files, "0.0.0");
    let run = &log["runs"][0];
    let result = &run["results"][0];
    assert_eq!((&log["version"], &result["ruleId"]), (&"2.1.0".into(), &"never-fires".into()));
    let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("fits");
    assert_eq!(run["tool"]["driver"]["rules"][index]["id"], "never-fires");
    assert!(run["tool"]["driver"]["rules"][index]["help"]["text"].as_str().is_some_and(|text| !text.is_empty()));
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "medication/offer.yaml");
    assert!(place["region"]["startLine"].as_u64().is_some_and(|line| line > 200));
    assert!(result["properties"]["example"]["patient"].is_object());
}

#[test]
fn every_code_is_in_the_reference() {
    let reference = std::fs::read_to_string("rules/README.md").expect("the reference");
    for (code, _) in diag::codes::CODES {
        assert!(reference.contains(&format!("| `{code}` |")), "{code}");
    }
}
