use super::*;
use crate::engine::decision::*;

fn rationale(rule: &str, statement: &str) -> Rationale {
    Rationale {
        rule: rule.to_owned(),
        statement: statement.to_owned(),
        evidence: vec![Evidence {
            source: "asam-2020".to_owned(),
            title: "National practice guideline".to_owned(),
            publisher: "ASAM".to_owned(),
            year: 2020,
            place: "part 4".to_owned(),
            url: String::new(),
        }],
        strength: "strong".to_owned(),
        verification: "secondary",
        active_because: None,
        draft: false,
        because: vec![
            Ground {
                fact: "opioid use disorder".to_owned(),
                value: true,
                inputs: vec!["patient.diagnoses[0]".to_owned()],
                basis: Basis::Stated,
            },
            Ground { fact: "benzodiazepine".to_owned(), value: false, inputs: vec![], basis: Basis::Assumed },
        ],
        unknown: vec!["pregnancy".to_owned()],
    }
}

fn component(code: &str, title: &str, offer: Offer, exclusion: Exclusion, kind: FindingKind) -> Component {
    Component {
        code: code.to_owned(),
        title: title.to_owned(),
        action: Action::Start,
        offer,
        exclusion,
        standing: Standing::of(offer, exclusion),
        draft: false,
        rationale: vec![Finding {
            kind,
            action: None,
            counted: true,
            outranked_by: vec![],
            rationale: rationale(&format!("{code}-rule"), "Weigh it with the patient."),
        }],
        handling: None,
        formulary_note: None,
    }
}

fn answer() -> Answer {
    let mut answer = empty();
    answer.scope = Scope::Present;
    answer.scope_note = "A current diagnosis of the record says so.".to_owned();
    answer.alerts = vec![Alert {
        id: "suicide-risk".to_owned(),
        category: "suicide-risk".to_owned(),
        severity: Severity::Critical,
        urgency: Urgency::Immediate,
        title: "Suicidal thoughts with a plan".to_owned(),
        statement: "Assess now, and do not leave the patient alone until a clinician has judged the risk to life."
            .to_owned(),
        possible: true,
        rationale: rationale("suicide-risk", "…"),
    }];
    answer.recommendations = vec![Recommendation {
        approach: "medication-assisted-treatment".to_owned(),
        title: "Medication-assisted treatment".to_owned(),
        components: vec![
            component("buprenorphine", "buprenorphine", Offer::Recommend, Exclusion::None, FindingKind::Recommend),
            component(
                "naltrexone-extended-release",
                "naltrexone, extended release",
                Offer::Consider,
                Exclusion::Contraindicated,
                FindingKind::Contraindicate,
            ),
        ],
    }];
    answer.data_requests = vec![DataRequest {
        id: "pregnancy".to_owned(),
        category: String::new(),
        statement: "Is the patient pregnant?".to_owned(),
        field: "patient.pregnancy".to_owned(),
        codings: vec![],
        unit: String::new(),
        effects: vec![Effect {
            rule: "x".to_owned(),
            kind: "alert",
            title: "Opioids in pregnancy".to_owned(),
            draft: false,
        }],
        rationale: None,
    }];
    answer.unrecognized = vec![Unrecognized {
        path: "patient.diagnoses[1].coding[0]".to_owned(),
        system: "ICD-9-CM".to_owned(),
        code: "304.00".to_owned(),
        reason: UnrecognizedReason::Unmapped,
        detail: "Send it in ICD-10-CM or SNOMED CT.".to_owned(),
    }];
    answer.readings = vec![Reading {
        path: "patient.diagnoses[0]".to_owned(),
        kind: "absent-clinical-status",
        detail: "No clinical status: read as active.".to_owned(),
    }];
    answer
}

fn empty() -> Answer {
    Answer {
        drafts_included: false,
        disabled_safety_rules: Vec::new(),
        as_of: "2026-06-01T23:59:59Z".to_owned(),
        scope: Scope::None,
        scope_note: String::new(),
        alerts: vec![],
        recommendations: vec![],
        data_requests: vec![],
        assessments: vec![],
        more_data_requests: vec![],
        more_assessments: vec![],
        insights: vec![],
        notes: vec![],
        disagreements: vec![],
        unrecognized: vec![],
        readings: vec![],
        considered: vec![],
        fired: Vec::new(),
        tally: Tally::default(),
    }
}

fn style(color: bool, width: usize) -> PageStyle {
    PageStyle {
        width,
        color,
        package: "Package concord 1.0.0 (sha256 0123456789ab)".to_owned(),
        signed: false,
        explain: Explain::Standard,
    }
}

#[test]
fn a_page_reads_from_what_must_not_be_missed() {
    insta::assert_snapshot!("page", render(&answer(), &style(false, 80)));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let page = render(&answer(), &style(false, 60));
    for line in page.lines() {
        assert!(line.chars().count() <= 60, "{line}");
    }
}

#[test]
fn color_adds_no_word() {
    let plain = render(&answer(), &style(false, 80));
    let painted = render(&answer(), &style(true, 80));
    assert!(painted.contains('\u{1b}') && !plain.contains('\u{1b}'));
    let mut stripped = String::new();
    let mut rest = painted.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        stripped.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    stripped.push_str(rest);
    assert_eq!(stripped, plain);
}

#[test]
fn an_empty_answer_still_says_what_it_is() {
    let page = render(&empty(), &PageStyle::default());
    assert!(page.contains("no sign of it in this record") && page.contains("No safety alert fired."));
}

/// More of everything than a first screen can tell at length.
fn crowded() -> Answer {
    let mut answer = answer();
    let alert = answer.alerts.remove(0);
    for (at, severity) in [Severity::Critical, Severity::High, Severity::Moderate].into_iter().enumerate() {
        for title in
            ["Methadone and a long QT", "No abrupt stop", "A sedative with an opioid", "Lethal means", "Overdose"]
        {
            let title = format!("{title}, {at}");
            answer.alerts.push(Alert { severity, title, possible: at == 1, ..alert.clone() });
        }
    }
    let approach = answer.recommendations.first_mut().unwrap();
    for name in ["methadone", "oral naltrexone", "clonazepam"] {
        let verify = component(name, name, Offer::Recommend, Exclusion::VerifyFirst, FindingKind::Verify);
        approach.components.push(verify);
    }
    answer
}

#[test]
fn the_first_screen_holds_what_must_not_be_missed() {
    for copies in [1, 2] {
        let mut answer = crowded();
        answer.alerts = vec![answer.alerts.clone(); copies].concat();
        let page = render(&answer, &style(false, WIDTH));
        let FirstScreen { text: screen, last } = first_screen(&answer, &style(false, WIDTH));
        assert!(page.starts_with(&screen) && (5..SCREEN).contains(&last), "{last}: {screen}");
        let screen = screen.split_whitespace().collect::<Vec<_>>().join(" ");
        for alert in &answer.alerts {
            assert!(screen.contains(&alert.title), "{}: {page}", alert.title);
        }
        let barred = answer.recommendations.iter().flat_map(|approach| &approach.components);
        for component in barred.filter(|component| component.exclusion >= Exclusion::VerifyFirst) {
            assert!(screen.contains(&component.title), "{}", component.title);
        }
        assert!(screen.contains("POSSIBLE"));
    }
}

#[test]
fn what_one_rule_says_of_several_components_is_said_once() {
    let mut answer = answer();
    let approach = answer.recommendations.first_mut().unwrap();
    let mut twin = approach.components.first().unwrap().clone();
    "methadone".clone_into(&mut twin.title);
    "methadone".clone_into(&mut twin.code);
    approach.components.push(twin);
    let page = render(&answer, &style(false, WIDTH));
    assert!(page.contains("RECOMMENDED · starting: buprenorphine · methadone. Weigh it"), "{page}");
    assert_eq!(page.matches("(buprenorphine-rule").count() + page.matches("buprenorphine-rule [").count(), 1);
}

#[test]
fn every_rule_and_source_can_be_found() {
    let mut answer = crowded();
    let component = answer.recommendations.first_mut().unwrap().components.first_mut().unwrap();
    let finding = component.rationale.first().unwrap().clone();
    component.rationale.push(Finding {
        kind: FindingKind::Caution,
        counted: false,
        outranked_by: vec!["above-it".to_owned()],
        rationale: Rationale { verification: "unverified", ..rationale("below-it", "Told on the full page.") },
        ..finding.clone()
    });
    component.rationale.push(Finding {
        kind: FindingKind::Consider,
        rationale: rationale("weaker-offer", "A weaker word for it."),
        ..finding
    });
    let page = render(&answer, &style(false, WIDTH));
    for word in [
        "below-it [1], outranked by above-it",
        "weaker-offer [1]",
        "[1] ASAM 2020. National practice guideline. part 4.",
    ] {
        assert!(page.contains(word), "{word}: {page}");
    }
    assert!(!page.contains("Told on the full page."));
    let full = render(&answer, &PageStyle { explain: Explain::Full, ..style(false, WIDTH) });
    assert!(full.contains("Told on the full page."));
    let brief = render(&answer, &PageStyle { explain: Explain::Brief, ..style(false, WIDTH) });
    assert!(!brief.contains("suicide-risk-") && !brief.contains("below-it") && brief.contains("[1]"));
    assert!(!brief.contains("What was assumed") && page.contains("What was assumed"));
}

#[test]
fn paths_of_one_list_share_its_name() {
    let paths = ["patient.diagnoses[2]", "patient.diagnoses[0]", "patient.sex", "patient.plans[0].coding[1]"];
    assert_eq!(record::paths(paths.into_iter()), "diagnoses[0, 2], plans[0].coding[1], sex");
}
