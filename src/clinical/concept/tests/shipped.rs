//! The shipped value sets, read with just enough YAML for what the import script writes.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::*;

const FILES: [&str; 16] = [
    include_str!("../../../../rules/concepts/encounters.yaml"),
    include_str!("../../../../rules/concepts/heart-and-liver.yaml"),
    include_str!("../../../../rules/concepts/instruments.yaml"),
    include_str!("../../../../rules/concepts/interactions.yaml"),
    include_str!("../../../../rules/concepts/medical.yaml"),
    include_str!("../../../../rules/concepts/medications.yaml"),
    include_str!("../../../../rules/concepts/mental-health.yaml"),
    include_str!("../../../../rules/concepts/mood.yaml"),
    include_str!("../../../../rules/concepts/observations.yaml"),
    include_str!("../../../../rules/concepts/opioid-medications.yaml"),
    include_str!("../../../../rules/concepts/opioids.yaml"),
    include_str!("../../../../rules/concepts/pregnancy.yaml"),
    include_str!("../../../../rules/concepts/social.yaml"),
    include_str!("../../../../rules/concepts/substances.yaml"),
    include_str!("../../../../rules/concepts/suicide.yaml"),
    include_str!("../../../../rules/concepts/urine.yaml"),
];

fn read(text: &str) -> Vec<ConceptDef> {
    let mut defs: Vec<ConceptDef> = Vec::new();
    let mut lines = text.lines().filter(|line| !line.starts_with('#') && *line != "concepts:");
    while let Some(line) = lines.next() {
        let (key, value) = line.trim_start_matches(['-', ' ']).split_once(':').unwrap();
        let mut value = value.trim().to_owned();
        if value.starts_with('[') {
            while !value.ends_with(']') {
                value.push_str(lines.next().unwrap().trim());
            }
        }
        if key == "id" {
            defs.push(ConceptDef::new(value, ConceptKind::Diagnosis, ""));
            continue;
        }
        let def = defs.last_mut().unwrap();
        let items = || -> Vec<String> {
            let inner = value.trim_matches(['[', ']']);
            inner.split(',').map(|item| item.trim().trim_matches('\'').to_owned()).collect()
        };
        let entries = || items().iter().map(|item| IcdEntry::from(item.as_str())).collect();
        match key {
            "kind" => {
                def.kind = match value.as_str() {
                    "diagnosis" => ConceptKind::Diagnosis,
                    "medication" => ConceptKind::Medication,
                    _ => ConceptKind::Observation,
                }
            }
            "icd-10-cm" => def.icd10cm = entries(),
            "icd-10-cm-retired" => def.icd10cm_retired = entries(),
            "encounters_except" => def.encounters_except = items().concat().chars().collect(),
            "snomed-ct" => def.snomed = items(),
            "loinc" => def.loinc = items(),
            "local" => def.local = items(),
            "ingredients" => def.rxnorm_ingredients = items(),
            "products" => def.rxnorm_products = items(),
            "except" => def.rxnorm_except = items(),
            "without" => def.without_ingredients = items(),
            "includes" => def.includes = items(),
            "title" | "rxnorm" | "remission" | "relapsing" | "one_disorder" | "unit" | "molar_mass" | "valence"
            | "source_attribute" => {}
            other => panic!("unknown key {other}"),
        }
    }
    defs
}

fn shipped() -> &'static (Vec<ConceptDef>, ConceptIndex) {
    static SHIPPED: OnceLock<(Vec<ConceptDef>, ConceptIndex)> = OnceLock::new();
    SHIPPED.get_or_init(|| {
        let defs: Vec<_> = FILES.iter().flat_map(|text| read(text)).collect();
        let index = ConceptIndex::build(&defs).unwrap();
        (defs, index)
    })
}

fn found(system: CodeSystem, code: &str) -> BTreeMap<&'static str, Match> {
    let (defs, index) = shipped();
    let matches = index.lookup(&read_code(system, code).unwrap());
    matches.iter().map(|found| (defs[found.concept].id.as_str(), found.certainty)).collect()
}

/// Checks that `code` certainly is each of `yes` and not even possibly one of `no`.
fn expect(system: CodeSystem, code: &str, yes: &[&str], no: &[&str]) {
    let found = found(system, code);
    for id in yes {
        assert_eq!(found.get(id), Some(&Match::Certain), "{code} {id}");
    }
    for id in no {
        assert!(shipped().0.iter().any(|def| def.id == *id), "no concept {id}");
        assert_eq!(found.get(id), None, "{code} {id}");
    }
}

#[test]
fn opioid_use_disorder_follows_the_code() {
    let icd = |code, yes: &[&str], no: &[&str]| expect(CodeSystem::Icd10Cm, code, yes, no);
    let severe = "opioid-use-disorder-moderate-severe";
    icd("F11.20", &[severe, "opioid-use-disorder"], &["opioid-use-disorder-mild", "opioid-use-disorder-in-remission"]);
    icd("F11.10", &["opioid-use-disorder-mild", "opioid-use-disorder"], &[severe, "opioid-use-disorder-in-remission"]);
    icd("F11.24", &["opioid-use-disorder", "opioid-induced-mood-disorder"], &["mental-disorder"]);
    for code in ["F11.11", "F11.21"] {
        icd(code, &["opioid-use-disorder-in-remission"], &["opioid-use-disorder", "opioid-use-unspecified"]);
    }
    for code in ["F11.9", "F11.91", "F11.93"] {
        icd(code, &["opioid-use-unspecified"], &["opioid-use-disorder", "opioid-use-disorder-in-remission"]);
    }
    icd("Z79.891", &["long-term-opioid-analgesic-use"], &["opioid-use-disorder"]);
    for header in ["F11.1", "F11.2", "F11"] {
        assert_eq!(found(CodeSystem::Icd10Cm, header)["opioid-use-disorder"], Match::Possible, "{header}");
    }
    let snomed = |code, yes: &[&str], no: &[&str]| expect(CodeSystem::SnomedCt, code, yes, no);
    snomed("75544000", &[severe, "opioid-use-disorder"], &["opioid-use-disorder-in-remission"]);
    snomed("191821007", &["opioid-use-disorder-in-remission"], &["opioid-use-disorder"]);
    snomed("191914006", &["opioid-use-disorder-in-remission"], &["opioid-use-disorder"]);
}

#[test]
fn overdose_is_told_by_the_sixth_character() {
    let icd = |code, yes: &[&str], no: &[&str]| expect(CodeSystem::Icd10Cm, code, yes, no);
    icd("T40.2X1A", &["opioid-overdose", "opioid-overdose-accidental"], &["suicide-attempt", "opioid-adverse-effect"]);
    icd("T40.2X2A", &["opioid-overdose", "suicide-attempt", "suicidal-thoughts-or-behavior"], &["opioid-underdosing"]);
    icd("T40.2X5A", &["opioid-adverse-effect"], &["opioid-overdose"]);
    icd("T40.2X6A", &["opioid-underdosing"], &["opioid-overdose"]);
    icd("T40.1x1s", &["opioid-overdose-sequela"], &["opioid-overdose", "opioid-overdose-heroin"]);
    icd("T40.4X1A", &["opioid-overdose", "opioid-overdose-accidental"], &["suicide-attempt", "opioid-underdosing"]);
    icd("T40.4X2A", &["opioid-overdose", "suicide-attempt"], &["opioid-overdose-accidental"]);
    icd("T40.4X1S", &["opioid-overdose-sequela"], &["opioid-overdose"]);
    icd("T42.4X1A", &[], &["opioid-overdose", "suicide-attempt"]);
    icd("T14.91XS", &["suicide-attempt-sequela", "history-of-suicide-attempt-or-self-harm"], &["suicide-attempt"]);
}

#[test]
fn mental_disorders_are_not_substance_use_disorders() {
    let icd = |code, yes: &[&str], no: &[&str]| expect(CodeSystem::Icd10Cm, code, yes, no);
    icd("F32.A", &["depressive-disorder", "mental-disorder"], &["major-depressive-disorder"]);
    icd("F43.12", &["ptsd", "mental-disorder"], &["depressive-disorder"]);
    icd("F41.1", &["generalized-anxiety-disorder", "anxiety-disorder", "mental-disorder"], &["panic-disorder"]);
    icd("F31.81", &["bipolar-ii-disorder", "bipolar-disorder", "mental-disorder"], &["bipolar-i-disorder"]);
    icd("F10.20", &["alcohol-use-disorder", "substance-use-disorder-other-than-opioid"], &["mental-disorder"]);
    icd("F15.20", &["stimulant-use-disorder"], &["mental-disorder"]);
    icd("F91.3", &["disruptive-behavior-disorder", "mental-disorder"], &["adhd"]);
    icd("T42.4X1A", &["benzodiazepine-overdose"], &["opioid-overdose"]);
    icd("O99.321", &["drug-use-in-pregnancy", "pregnancy"], &["opioid-use-disorder"]);
    icd("Z33.1", &["pregnancy"], &["postpartum"]);
}

#[test]
fn medications_follow_form_and_partners() {
    let rxnorm = |code, yes: &[&str], no: &[&str]| expect(CodeSystem::RxNorm, code, yes, no);
    let oud = ["buprenorphine", "buprenorphine-for-oud", "medication-for-oud", "opioid-agonist", "any-opioid"];
    rxnorm("1819", &oud, &["buprenorphine-for-pain"]);
    rxnorm("352364", &oud, &["naloxone", "naloxone-rescue", "opioid-antagonist", "opioid-reversal"]);
    rxnorm("1010600", &oud, &["naloxone-rescue", "buprenorphine-for-pain"]);
    rxnorm("1996184", &["buprenorphine-for-oud", "buprenorphine-extended-release"], &["buprenorphine-for-pain"]);
    rxnorm("1996185", &["buprenorphine-for-oud", "buprenorphine-extended-release"], &["buprenorphine-for-pain"]);
    rxnorm("904870", &["buprenorphine-for-pain", "any-opioid"], &["buprenorphine-for-oud", "medication-for-oud"]);
    rxnorm("246474", &["buprenorphine-for-pain"], &["buprenorphine-for-oud"]);
    rxnorm("1594650", &["buprenorphine-veterinary"], &["buprenorphine-for-oud", "buprenorphine-for-pain"]);
    rxnorm("7243", &["naltrexone"], &["naltrexone-extended-release", "medication-for-oud"]);
    rxnorm("637213", &["naltrexone", "naltrexone-extended-release", "medication-for-oud"], &["naltrexone-oral"]);
    rxnorm("1551468", &["bupropion", "naltrexone", "naltrexone-bupropion", "antidepressant"], &["medication-for-oud"]);
    rxnorm(
        "863848",
        &["opioid-full-agonist", "opioid-with-sequestered-antagonist"],
        &["naltrexone", "opioid-antagonist"],
    );
    rxnorm("312289", &["opioid-mixed-agonist-antagonist", "any-opioid"], &["naloxone-rescue", "naloxone"]);
    rxnorm("1725064", &["naloxone-rescue", "opioid-reversal", "opioid-antagonist"], &["any-opioid"]);
    rxnorm("2570399", &["antipsychotic", "olanzapine-samidorphan", "opioid-antagonist"], &["any-opioid"]);
    rxnorm("864706", &["methadone", "methadone-oral", "opioid-full-agonist", "qt-prolonging"], &["opioid-analgesic"]);
    for lithium in ["6448", "42351", "52105"] {
        rxnorm(lithium, &["lithium", "mood-stabilizer"], &["valproate"]);
    }
    for valproate in ["40254", "11118", "266856"] {
        rxnorm(valproate, &["valproate", "mood-stabilizer"], &["lithium"]);
    }
    rxnorm("2387302", &["other-sedative", "cns-depressant"], &[]);
    rxnorm("1000091", &[], &["tca", "antidepressant", "qt-prolonging"]);
    rxnorm("258326", &["cyp3a4-inducer", "serotonergic-other"], &["ssri"]);
    rxnorm("596", &["benzodiazepine", "cns-depressant"], &["any-opioid"]);
}

#[test]
fn observations_keep_apart_what_looks_alike() {
    let loinc = |code, yes: &[&str], no: &[&str]| expect(CodeSystem::Loinc, code, yes, no);
    loinc("8636-3", &["qtc-interval"], &["qt-interval-uncorrected"]);
    loinc("8634-8", &["qt-interval-uncorrected"], &["qtc-interval"]);
    loinc("75624-7", &["audit"], &["audit-c"]);
    loinc("70221-7", &["pcl-c-panel"], &["pcl-5"]);
    loinc("44249-1", &["phq-9-panel"], &["phq-9"]);
    loinc("14682-9", &["creatinine"], &[]);
    loinc("3879-4", &["urine-opiates", "urine-illicit-opioid"], &["urine-fentanyl"]);
    loinc("93269-9", &["c-ssrs-behavior-3-months", "c-ssrs-item"], &["c-ssrs-behavior-lifetime"]);
    expect(CodeSystem::Concord, "cows", &["cows"], &[]);
}
