use super::*;

fn read(name: &str, text: &str) -> Vec<Document> {
    documents(&Source { name: name.to_owned(), text: text.to_owned() })
}

fn fault(name: &str, text: &str) -> String {
    let mut documents = read(name, text);
    documents.pop().unwrap().request.unwrap_err().to_string()
}

#[test]
fn json_and_yaml_and_a_bare_patient_mean_the_same() {
    let json = r#"{"patient": {"ageYears": 28, "sex": "MALE", "diagnoses": [{"coding": [{"system": "ICD-10-CM", "code": "F11.20"}], "onset": "2020-01"}]}}"#;
    let yaml = "ageYears: 28\nsex: MALE\ndiagnoses:\n- coding: [{system: ICD-10-CM, code: F11.20}]\n  onset: 2020-01\n";
    let [left, right] = [read("a.json", json), read("-", yaml)].map(|mut all| all.pop().unwrap().request.unwrap());
    assert_eq!(left, right);
}

#[test]
fn one_document_a_line_is_seen() {
    let text = "{\"ageYears\": 1}\n\n{\"agee\": 2}\n{\"ageYears\": 3}\n";
    let documents = read("-", text);
    assert_eq!(documents.iter().map(|document| document.line).collect::<Vec<_>>(), [1, 3, 4]);
    let fault = documents[1].request.as_ref().unwrap_err().to_string();
    assert_eq!(fault, "-:3:7: unrecognized field name 'agee'");
    assert!(documents[2].request.is_ok());
}

#[test]
fn faults_know_their_place() {
    assert_eq!(fault("p.yaml", "ageYears: 28\ndiagnosis: []\n"), "p.yaml:2:1: unrecognized field name 'diagnosis'");
    assert_eq!(fault("p.json", "{\"ageYears\": 1,\n \"ageYears\": 2}"), "p.json:2:11: key `ageYears` is given twice");
    assert!(fault("p.json", "{\"ageYears\": }").starts_with("p.json:1:14: "));
    assert!(fault("p.yaml", "just words").starts_with("p.yaml:1:1: "));
}

#[test]
fn fhir_is_refused_by_name() {
    assert!(fault("b.json", r#"{"resourceType": "Bundle", "entry": []}"#).contains("FHIR"));
    assert!(fault("b.yaml", "resourceType: Bundle\n").contains("FHIR"));
}

const CASE: &str = "id: a\ntitle: A\nsource: {title: S}\nkind: guideline-constructed\nas_of: 2026-06-01\npatient: {ageYears: 40}\nexpect: {rules: {fires: [of-any-package]}}\n";

#[test]
fn a_case_is_read_for_its_patient_and_its_instant() {
    let request = read("a.yaml", CASE).pop().unwrap().request.unwrap();
    assert_eq!((request.as_of.as_str(), request.patient.unwrap().age_years), ("2026-06-01", Some(40)));
    let fields: Vec<String> = CASE.lines().skip(2).take(4).map(|line| format!("{line}\n")).collect();
    let table = format!(
        "{}cases:\n- {{id: a, title: A, expect: {{}}}}\n- {{id: b, title: B, patient: {{ageYears: 50}}, expect: {{}}}}\n",
        fields.concat()
    );
    let documents = read("t.yaml", &table);
    assert_eq!(documents.iter().map(|document| document.line).collect::<Vec<_>>(), [6, 7]);
    let ages: Vec<_> = documents.into_iter().map(|one| one.request.unwrap().patient.unwrap().age_years).collect();
    assert_eq!(ages, [Some(40), Some(50)]);
}

#[test]
fn a_fault_of_a_case_has_its_place() {
    let wrong = |from: &str, to: &str| fault("a.yaml", &CASE.replace(from, to));
    assert_eq!(wrong("ageYears", "ageYear"), "a.yaml:6:11: unrecognized field name 'ageYear'");
    assert!(wrong("as_of: 2026-06-01\n", "").starts_with("a.yaml:1:1: a case has no `as_of`; add "));
    assert!(wrong("kind: guideline-constructed", "kin: x").contains("a.yaml:4:1: a case has no key `kin`"));
    assert!(fault("a.json", "{\"patient\": {}, \"expect\": {}}").contains("cases are read from YAML"));
}
