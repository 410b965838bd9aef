//! Overlays: what they change in an answer, what they may not, and what every
//! answer says of them. Faulty ones are shown where they are.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use concord::api::answer::{canonical_bytes, response};
use concord::api::decide::{Decision, Terms, decide};
use concord::api::json;
use concord::api::limits::Limits;
use concord::api::proto::ruleset_service_client::RulesetServiceClient;
use concord::api::proto::{EvaluateResponse, GetRuleRequest, GetRulesetRequest};
use concord::cli::page::{PageStyle, render};
use concord::diag::Files;
use concord::engine::decision::{Component, Standing};
use concord::rule::model::Parameter;
use concord::ruleset::{Origin, Ruleset, Sources, check_sources};
use serde_json::{Value, json};

use crate::cases::SHIPPED;
use crate::server::Server;

const HEAD: &str =
    "overlay: {name: north-clinic, version: 2.1.0, title: North clinic, developer: North clinic, base: concord-core}\n";

fn sources(text: &str) -> Sources {
    let shipped = Origin::default().read().expect("the shipped package");
    Sources { overlay: Some(Files::new(vec![("site.yaml".to_owned(), format!("{HEAD}{text}"))])), ..shipped }
}

fn with(text: &str) -> Arc<Ruleset> {
    Arc::new(Ruleset::from_sources(sources(text)).unwrap_or_else(|error| panic!("{error}")))
}

fn decision(ruleset: &Arc<Ruleset>, patient: &Value) -> Decision {
    let body = json!({"patient": patient, "asOf": "2026-06-01T12:00:00Z"});
    let terms = Terms { limits: Limits::default(), purpose_of_use: "TREAT".to_owned() };
    decide(ruleset, json::from_str(&body.to_string()).expect("a request"), &terms, jiff::Timestamp::UNIX_EPOCH)
        .unwrap_or_else(|refusal| panic!("{refusal:?}"))
}

fn wire(ruleset: &Arc<Ruleset>, patient: &Value) -> EvaluateResponse {
    response(decision(ruleset, patient))
}

fn page(ruleset: &Arc<Ruleset>, patient: &Value) -> String {
    render(&decision(ruleset, patient).answer, &PageStyle::default())
}

/// Opioid use disorder, a recent QTc of 485 ms, and nothing more.
fn patient() -> Value {
    json!({
        "ageYears": 40,
        "diagnoses": [{"coding": [{"system": "ICD-10-CM", "code": "F11.20"}]}],
        "observations": [{
            "coding": [{"system": "LOINC", "code": "8636-3"}], "effective": "2026-05-20",
            "value": 485, "unit": "ms",
        }],
    })
}

/// The same with a QTc of 520 ms.
fn prolonged() -> Value {
    let mut patient = patient();
    patient["observations"][0]["value"] = json!(520);
    patient
}

fn component(ruleset: &Arc<Ruleset>, patient: &Value, code: &str) -> Component {
    let answer = decision(ruleset, patient).answer;
    let mut all = answer.recommendations.into_iter().flat_map(|approach| approach.components);
    all.find(|component| component.code == code).unwrap_or_else(|| panic!("{code} is in the answer"))
}

#[test]
fn a_lower_limit_changes_the_answer() {
    let strict = with("set: {qtc_limit: 480 ms}\n");
    assert_eq!(component(&SHIPPED, &patient(), "methadone").standing, Standing::Caution);
    assert_eq!(component(&strict, &patient(), "methadone").standing, Standing::Contraindicated);
    let parameter = strict.package().parameters.iter().find(|one| one.id.value == "qtc_limit").expect("declared");
    assert_eq!((parameter.value.as_str(), parameter.default.as_str()), ("480 ms", "500 ms"));
    assert_eq!(parameter.set.as_deref(), Some("overlay/site.yaml:2"));
    // What a rule says of the limit is what is in force.
    let titles: Vec<&str> = strict.package().rules.iter().map(|rule| rule.title.as_str()).collect();
    assert!(titles.contains(&"QTc of 480 ms or more with methadone"));
}

#[test]
fn a_safety_rule_that_is_disabled_is_named_in_every_answer() {
    let rule = "methadone-qtc-500-or-more";
    let alert = format!("{rule}-alert");
    let prolonged = prolonged();
    assert_eq!(component(&SHIPPED, &prolonged, "methadone").standing, Standing::Contraindicated);
    let text = format!(
        "disable:\n- {{rule: {rule}, reason: Cardiology decides here, by: Medication board}}\n- {{rule: {alert}, reason: As above}}\n\
         - {{rule: depression-screen-phq9, reason: Screened at intake}}\n"
    );
    let lax = with(&text);
    assert_ne!(component(&lax, &prolonged, "methadone").standing, Standing::Contraindicated);
    // Also where it would not have fired.
    for patient in [prolonged, patient(), json!({})] {
        let response = wire(&lax, &patient);
        let named: Vec<(&str, &str, &str)> = response
            .disabled_safety_rules
            .iter()
            .map(|one| (one.rule.as_str(), one.conclusion.as_str(), one.reason.as_str()))
            .collect();
        assert_eq!(
            named,
            [(rule, "contraindicate", "Cardiology decides here"), (alert.as_str(), "alert", "As above")],
            "a rule that is no safety rule is not named"
        );
        assert!(response.disabled_safety_rules.iter().all(|one| !one.title.is_empty()));
        assert_eq!(response.disabled_safety_rules[0].by, "Medication board");
        let mut silent = response.clone();
        silent.disabled_safety_rules.clear();
        assert_ne!(canonical_bytes(&silent), canonical_bytes(&response));
        let page = page(&lax, &patient);
        let first: String = page.lines().take(12).collect::<Vec<_>>().join(" ");
        assert!(first.contains(rule) && first.contains("Cardiology decides here"), "{page}");
    }
    assert!(wire(&SHIPPED, &patient()).disabled_safety_rules.is_empty());
    assert_eq!(lax.counts().rules + 3, SHIPPED.counts().rules);
    assert_eq!(lax.counts().disabled, 3);
}

#[test]
fn disabling_a_rule_that_others_name_breaks_none_of_them() {
    let base = std::fs::read_to_string("tests/broken-overlays/base.yaml").expect("the small package");
    let above = "rules:\n- id: methadone-with-telemetry\n  title: Under telemetry\n  caution: {component: methadone, action: start}\n  \
                 when: oud-present\n  unknown: request\n  statement: Under telemetry.\n  outranks: [methadone-qtc-limit]\n  \
                 strength: none\n  evidence: [{source: chou-2014, place: recommendation on QTc}]\n";
    let files = vec![("base.yaml".to_owned(), base), ("more.yaml".to_owned(), above.to_owned())];
    let standing = |disable: &str| {
        let overlay = HEAD.replace("concord-core", "small") + disable;
        let overlay = Some(Files::new(vec![("site.yaml".to_owned(), overlay)]));
        let ruleset = Ruleset::from_sources(Sources { base: Files::new(files.clone()), overlay });
        let ruleset = Arc::new(ruleset.unwrap_or_else(|error| panic!("{error}")));
        component(&ruleset, &prolonged(), "methadone").standing
    };
    assert_eq!(standing(""), Standing::Caution);
    // The outranking rule is gone: what it outranked counts again.
    assert_eq!(standing("disable: [{rule: methadone-with-telemetry, reason: none here}]"), Standing::Contraindicated);
    // The outranked rule is gone: the other still says what it says.
    assert_eq!(standing("disable: [{rule: methadone-qtc-limit, reason: none here}]"), Standing::Caution);
}

#[test]
fn a_draft_is_evaluated_once_it_is_enabled() {
    let base = std::fs::read_to_string("tests/broken-overlays/base.yaml").expect("the small package");
    let offered = |text: &str| {
        let overlay = HEAD.replace("concord-core", "small") + text;
        let overlay = Some(Files::new(vec![("site.yaml".to_owned(), overlay)]));
        let base = Files::new(vec![("base.yaml".to_owned(), base.clone())]);
        let ruleset = Arc::new(Ruleset::from_sources(Sources { base, overlay }).expect("it checks"));
        let answer = decision(&ruleset, &patient()).answer;
        answer.recommendations.iter().flat_map(|one| &one.components).any(|one| one.code == "buprenorphine")
    };
    assert!(!offered("") && offered("enable: [buprenorphine-offer]"));
}

#[test]
fn what_is_off_the_formulary_keeps_its_standing_and_says_so() {
    let site = with(
        "formulary:\n  exclude:\n  - {component: buprenorphine, note: order it by the special form}\n  - methadone\n",
    );
    let codes = |ruleset: &Arc<Ruleset>| {
        let answer = decision(ruleset, &patient()).answer;
        let all = answer.recommendations.into_iter().flat_map(|approach| approach.components);
        let mut all: Vec<(String, Standing)> = all.map(|one| (one.code, one.standing)).collect();
        all.sort();
        all
    };
    assert_eq!(codes(&site), codes(&SHIPPED), "nothing is hidden, nothing changes its standing");
    let note = "Not on this site's formulary: order it by the special form";
    assert_eq!(component(&site, &patient(), "buprenorphine").formulary_note.as_deref(), Some(note));
    assert_eq!(component(&SHIPPED, &patient(), "buprenorphine").formulary_note, None);
    let shown = page(&site, &patient());
    assert!(shown.contains(note) && shown.contains("Not on this site's formulary."), "{shown}");
    let line = json::to_line(&wire(&site, &patient())).expect("JSON");
    assert!(line.contains(&format!("\"formularyNote\":\"{note}\"")));
    // Among equals what the site has comes first.
    let equals = |ruleset: &Arc<Ruleset>| {
        let answer = decision(ruleset, &patient()).answer;
        let approach = answer.recommendations.into_iter().find(|one| one.approach == "medication-assisted-treatment");
        let components = approach.expect("medication is offered").components;
        let first = components.first().expect("a component").clone();
        components
            .into_iter()
            .filter(|one| (one.offer, one.exclusion) == (first.offer, first.exclusion))
            .map(|one| one.code)
            .collect::<Vec<_>>()
    };
    let (before, after) = (equals(&SHIPPED), equals(&site));
    assert!(before.len() > 1 && before[0] == "buprenorphine", "{before:?}");
    assert_eq!(after.last().map(String::as_str), Some("buprenorphine"), "{after:?}");
}

#[test]
fn a_rule_on_the_jurisdiction_is_decided_for_every_patient() {
    let mut young = patient();
    young["ageYears"] = json!(17);
    let says = |ruleset: &Arc<Ruleset>| {
        let finding = component(ruleset, &young, "methadone").rationale;
        finding.into_iter().find(|finding| finding.rationale.rule == "adolescent-methadone-conditions")
    };
    let finding = says(&SHIPPED).expect("a rule of the United States");
    let facts: Vec<String> = finding.rationale.because.into_iter().map(|ground| ground.fact).collect();
    assert!(facts.iter().all(|fact| !fact.contains("jurisdiction")), "no fact of the record: {facts:?}");
    assert!(says(&with("set: {jurisdiction: other}\n")).is_none());
}

#[test]
fn an_added_rule_fires_and_a_later_one_may_rest_on_what_is_set() {
    let site = with(
        "set: {qtc_limit: 470 ms}\nsources:\n- {id: north-protocol, title: Protocol, publisher: North clinic, year: 2026}\n\
         definitions:\n- {id: long-qt-here, title: QTc above the limit here, when: {observation: qtc-interval, at_least: $qtc_limit, within: 90 days}}\n\
         rules:\n- id: north-cardiology\n  title: Cardiology is called\n  alert: {category: monitoring, severity: high, urgency: same-day}\n  \
         when: long-qt-here\n  statement: \"QTc of {$qtc_limit} or more: call cardiology.\"\n  strength: site protocol\n  \
         evidence: [{source: north-protocol, place: page 1}]\n",
    );
    let alerts = decision(&site, &patient()).answer.alerts;
    let alert = alerts.iter().find(|alert| alert.id == "north-cardiology").expect("the added rule fires");
    assert_eq!(alert.statement, "QTc of 470 ms or more: call cardiology.");
    assert_eq!(alert.rationale.evidence[0].title, "Protocol");
    let rule = site.package().rules.iter().find(|rule| rule.id.value == "north-cardiology").expect("added");
    assert_eq!(rule.location, "overlay/site.yaml:8");
}

#[test]
fn the_digest_covers_both_and_tells_them_apart() {
    let (none, one, other) =
        (Arc::clone(&SHIPPED), with("set: {qtc_limit: 480 ms}\n"), with("set: {qtc_limit: 490 ms}\n"));
    assert_eq!((none.digest(), none.overlay_digest()), (none.base_digest(), None));
    assert_eq!((one.base_digest(), other.base_digest()), (none.digest(), none.digest()));
    let digests =
        [none.digest(), one.digest(), other.digest(), one.overlay_digest().unwrap(), other.overlay_digest().unwrap()];
    assert_eq!(std::collections::BTreeSet::from(digests).len(), 5);
    // An overlay that changes no answer is an overlay all the same.
    assert_ne!(with("").digest(), none.digest());
    assert_eq!(with("# a remark\nset: {qtc_limit: 480.0 ms}\n").base_digest(), none.digest());
    assert_eq!(with("# a remark\nset: {qtc_limit: 480 ms}\n").digest(), one.digest());
    let reference = wire(&one, &patient()).ruleset.expect("a package");
    let overlay = reference.overlay.expect("an overlay");
    assert_eq!((overlay.name.as_str(), overlay.version.as_str()), ("north-clinic", "2.1.0"));
    assert_eq!((reference.digest.as_str(), overlay.digest.as_str()), (one.digest(), one.overlay_digest().unwrap()));
    assert_eq!(overlay.base_digest, none.digest());
    assert_eq!(wire(&none, &patient()).ruleset.expect("a package").overlay, None);
}

#[test]
fn the_order_of_what_an_overlay_says_changes_no_byte() {
    let files = |files: &[(&str, &str)]| {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let shipped = Origin::default().read().expect("the shipped package");
        Ruleset::from_sources(Sources { overlay: Some(Files::new(files)), ..shipped }).expect("it checks")
    };
    let (qtc, egfr) = ("set: {qtc_limit: 480 ms}\n", "set: {egfr_severe: 45}\n");
    let (first, second) =
        ("- {rule: methadone-qtc-500-or-more, reason: a}\n", "- {rule: depression-screen-phq9, reason: b}\n");
    let one = files(&[
        ("a.yaml", HEAD),
        ("b.yaml", &format!("{qtc}formulary: {{exclude: [methadone, buprenorphine]}}\n")),
        ("c.yaml", &format!("{egfr}disable:\n{first}{second}")),
    ]);
    let other = files(&[
        ("c.yaml", HEAD),
        ("b.yaml", &format!("{egfr}formulary: {{exclude: [buprenorphine, methadone]}}\n")),
        ("a.yaml", &format!("{qtc}disable:\n{second}{first}")),
    ]);
    assert_eq!((one.digest(), one.overlay_digest()), (other.digest(), other.overlay_digest()));
}

#[test]
fn an_overlay_pinned_to_a_package_is_refused_over_another() {
    let pinned = |digest: &str| {
        let head = HEAD.replace("base: concord-core", &format!("base: concord-core, base_digest: {digest}"));
        let shipped = Origin::default().read().expect("the shipped package");
        let overlay = Some(Files::new(vec![("site.yaml".to_owned(), head)]));
        check_sources(Sources { overlay, ..shipped }, None)
    };
    assert_eq!(pinned(SHIPPED.digest()).errors(), 0);
    assert_eq!(pinned(&"0".repeat(64)).diagnostics[0].code, "base-digest");
}

/// The ranges keep limits that belong together from crossing.
#[test]
fn the_ends_of_every_range_of_the_shipped_package_can_be_set_together() {
    let ends: [fn(&Parameter) -> Option<&String>; 3] =
        [|one| Some(&one.default), |one| one.min.as_ref(), |one| one.max.as_ref()];
    for end in ends {
        let values = SHIPPED.package().parameters.iter().filter_map(|one| Some((one.id.value.as_str(), end(one)?)));
        let set: Vec<String> = values.map(|(id, value)| format!("  {id}: {value:?}\n")).collect();
        let checked = check_sources(sources(&format!("set:\n{}", set.concat())), None);
        assert_eq!(checked.errors(), 0, "{}", checked.render(false));
    }
}

#[test]
fn a_value_that_names_a_parameter_is_text_and_no_loop() {
    let checked = check_sources(sources("set: {crisis_line: \"{$crisis_line}\"}\n"), None);
    assert!(checked.diagnostics.iter().all(|fault| fault.code == "malformed-statement"), "{}", checked.render(false));
    assert!(checked.errors() > 0);
}

#[test]
fn the_active_package_tells_of_its_overlay_over_the_wire() {
    let dir = tempfile::tempdir().expect("a folder");
    let text = "set: {qtc_limit: 480 ms}\ndisable:\n- {rule: methadone-qtc-500-or-more, reason: a, by: b}\n\
                - {rule: depression-screen-phq9, reason: c}\nformulary: {exclude: [methadone]}\n";
    std::fs::write(dir.path().join("site.yaml"), format!("{HEAD}{text}")).expect("a file");
    let server = Server::start(&[&format!("rules.overlay={}", dir.path().display())]);
    let (ruleset, rule) = tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
        let mut client = RulesetServiceClient::new(server.channel().await);
        let ruleset = client.get_ruleset(GetRulesetRequest {}).await.expect("a package").into_inner();
        let request = GetRuleRequest { id: "methadone-qtc-500-or-more".to_owned() };
        (ruleset, client.get_rule(request).await.expect("a rule").into_inner().rule.expect("a rule"))
    });
    let reference = ruleset.ruleset.expect("a reference");
    assert_eq!(reference.digest, with(text).digest());
    assert_eq!(reference.overlay.expect("an overlay").base_digest, SHIPPED.digest());
    let overlay = ruleset.overlay.expect("an overlay");
    assert_eq!((overlay.title.as_str(), overlay.developer.as_str()), ("North clinic", "North clinic"));
    let disabled: Vec<(&str, &str)> =
        overlay.disabled.iter().map(|one| (one.rule.as_str(), one.conclusion.as_str())).collect();
    assert_eq!(disabled, [("depression-screen-phq9", "assess"), ("methadone-qtc-500-or-more", "contraindicate")]);
    assert_eq!(overlay.off_formulary, ["methadone"]);
    let limit = ruleset.parameters.iter().find(|one| one.id == "qtc_limit").expect("declared");
    assert_eq!(
        (limit.value.as_str(), limit.default_value.as_str(), limit.towards.as_str()),
        ("480 ms", "500 ms", "lower")
    );
    assert_eq!((limit.range.as_str(), limit.set_at.as_str()), ("460 ms to 500 ms", "overlay/site.yaml:2"));
    assert_eq!((rule.status.as_str(), rule.condition), ("disabled", None));
}

// The command line.

fn concord(arguments: &[&str], dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_concord"))
        .args(arguments)
        .current_dir(dir)
        .output()
        .expect("the built binary runs")
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for file in files(from) {
        std::fs::copy(&file, to.join(file.file_name().expect("a name"))).expect("a copy");
    }
}

/// A folder with the small package in `base`, and the overlays asked for.
fn folder(overlays: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(dir.path().join("base")).expect("a folder");
    std::fs::copy("tests/broken-overlays/base.yaml", dir.path().join("base/base.yaml")).expect("the base");
    for overlay in overlays {
        copy(&Path::new("tests/broken-overlays").join(overlay), &dir.path().join(overlay));
    }
    dir
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn every_fault_of_an_overlay_is_shown_where_it_is_with_what_to_write_instead() {
    let dirs = files(Path::new("tests/broken-overlays")).into_iter().filter(|path| path.is_dir());
    let faults: Vec<String> =
        dirs.map(|path| path.file_name().expect("a name").to_string_lossy().into_owned()).collect();
    assert!(faults.len() >= 10);
    for fault in &faults {
        let output = concord(&["rules", "check", "base", "--overlay", fault], folder(&[fault]).path());
        assert_eq!(output.status.code(), Some(2), "{fault}");
        assert!(output.stdout.is_empty(), "{fault}");
        insta::assert_snapshot!(format!("overlay-{fault}"), text(&output.stderr));
    }
}

#[test]
fn several_overlays_are_checked_apart() {
    let dir = folder(&["out-of-range", "wrong-direction"]);
    std::fs::create_dir(dir.path().join("good")).expect("a folder");
    std::fs::write(dir.path().join("good/site.yaml"), HEAD.replace("concord-core", "small")).expect("a file");
    let overlays = ["--overlay", "out-of-range", "--overlay", "good", "--overlay", "absent"];
    let output = concord(&[&["rules", "check", "base"], &overlays[..]].concat(), dir.path());
    assert_eq!(output.status.code(), Some(2));
    let told = text(&output.stderr);
    assert!(told.contains("overlay out-of-range is refused") && told.contains("overlay good checks"), "{told}");
    assert!(told.contains("overlay/site.yaml:3:14") && told.contains("absent"), "{told}");
    assert!(text(&output.stdout).starts_with("small 1.0.0 with north-clinic 2.1.0, sha256 "));

    let output = concord(&[&["rules", "check", "base", "--format", "json"], &overlays[..4]].concat(), dir.path());
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (&found[0]["overlay"], &found[0]["diagnostics"][0]["code"]),
        (&json!("out-of-range"), &json!("out-of-range"))
    );
    assert_eq!(found[1], json!({"overlay": "good", "diagnostics": []}));
}

#[test]
fn config_shows_the_package_the_overlay_and_where_each_parameter_is_set() {
    let dir = folder(&[]);
    std::fs::create_dir(dir.path().join("site")).expect("a folder");
    let overlay = HEAD.replace("concord-core", "small") + "set:\n  qtc_limit: 480 ms\n";
    std::fs::write(dir.path().join("site/site.yaml"), overlay).expect("a file");
    let output = concord(&["config", "--rules", "base", "--overlay", "site"], dir.path());
    assert!(output.status.success());
    let shown = text(&output.stdout);
    let after = shown.split_once("\n\n").expect("two parts").1;
    let plain = |line: &str| match line.split_once("sha256 ") {
        Some((before, _)) => format!("{before}sha256 (digest)\n"),
        None => format!("{line}\n"),
    };
    insta::assert_snapshot!("overlay-config", after.lines().map(plain).collect::<String>());
    let output = concord(&["config", "--rules", "base", "--overlay", "site", "--format", "json"], dir.path());
    let shown: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(shown["ruleset"]["overlay"]["name"], "north-clinic");
    let parameters = shown["ruleset"]["parameters"].as_array().expect("a list");
    let set = parameters.iter().find(|one| one["id"] == "qtc_limit").expect("declared");
    assert_eq!(
        (&set["value"], &set["default"], &set["origin"]),
        (&json!("480 ms"), &json!("500 ms"), &json!("overlay/site.yaml:3"))
    );
    assert_ne!(shown["ruleset"]["digest"], shown["ruleset"]["base"]["digest"]);

    let output = concord(&["config", "--rules", "base", "--overlay", "absent"], dir.path());
    assert_eq!(output.status.code(), Some(2), "the settings are shown, the overlay is not there");
    assert!(text(&output.stdout).contains("rules.overlay") && text(&output.stderr).contains("absent"));
}

#[test]
fn an_overlay_with_a_fault_never_serves_and_a_good_one_is_evaluated_with() {
    let dir = folder(&["wrong-direction"]);
    let served = ["serve", "--rules", "base", "--overlay", "wrong-direction", "--set", "server.grpc_addr=127.0.0.1:0"];
    let output = concord(&served, dir.path());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("overlay/site.yaml:3:14"), "{}", text(&output.stderr));

    std::fs::create_dir(dir.path().join("site")).expect("a folder");
    std::fs::write(dir.path().join("site/site.yaml"), format!("{HEAD}set: {{qtc_limit: 480 ms}}\n")).expect("a file");
    let request = json!({"patient": patient(), "asOf": "2026-06-01"});
    std::fs::write(dir.path().join("patient.json"), request.to_string()).expect("a file");
    let output = concord(&["evaluate", "--overlay", "site", "--format", "json", "patient.json"], dir.path());
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    assert_eq!(answer["ruleset"]["overlay"]["name"], "north-clinic");
    let output = concord(&["evaluate", "--overlay", "site", "patient.json"], dir.path());
    assert!(text(&output.stdout).contains("with north-clinic 2.1.0"));
    let output = concord(&["rules", "show", "methadone-qtc-500-or-more", "--overlay", "site"], dir.path());
    assert!(text(&output.stdout).contains("480 ms"), "{}", text(&output.stdout));
}
