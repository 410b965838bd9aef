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
