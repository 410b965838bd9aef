//! What an answer has to name of a request that it was given to: nothing is silently ignored. By what the comments of
//! the contract say of each field, and by what the words and codes of these requests are.

use concord::api::proto::unrecognized::Reason;
use concord::api::proto::{Coding, EvaluateRequest, EvaluateResponse, Patient};

use super::oracle::is_after;

/// Something that the answer names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// An element that could not be used, with one of these reasons.
    Unrecognized(String, Vec<Reason>),
    /// An element that was read in one of several ways.
    Reading(String, &'static str),
}

impl Name {
    /// Does the answer hold it?
    pub fn is_in(&self, answer: &EvaluateResponse) -> bool {
        match self {
            Self::Unrecognized(path, reasons) => {
                answer.unrecognized.iter().any(|one| one.path == *path && reasons.contains(&one.reason()))
            }
            Self::Reading(path, kind) => answer.readings.iter().any(|one| one.path == *path && one.kind == *kind),
        }
    }
}

/// Codes that a rule of the shipped package asks for, in the lists where these requests have them.
const UNDERSTOOD: [(&str, &str); 6] = [
    ("ICD-10-CM", "F11.20"),
    ("ICD-10-CM", "F43.12"),
    ("RxNorm", "36437"),
    ("RxNorm", "1819"),
    ("RxNorm", "6813"),
    ("LOINC", "8636-3"),
];

/// Codes of which the tables say why they can't be used.
const KNOWN: [(&str, &str, Reason); 9] = [
    ("ICD-10-CM", "T40.4X1A", Reason::Retired),
    ("ICD-10-CM", "F11.26", Reason::Unmapped),
    ("ICD-10-CM", "11.F", Reason::Malformed),
    ("RxNorm", "99999999", Reason::Unmapped),
    ("RxNorm", "abc", Reason::Malformed),
    ("RxNorm", "-36437", Reason::Malformed),
    ("RxNorm", "NaN", Reason::Malformed),
    ("SNOMED CT", "75544001", Reason::Malformed),
    ("LOINC", "8636-4", Reason::Malformed),
];

const SYSTEMS: [&str; 4] = ["ICD-10-CM", "SNOMED CT", "RxNorm", "LOINC"];

struct Names<'a> {
    as_of: &'a str,
    found: Vec<Name>,
}

impl Names<'_> {
    fn unrecognized(&mut self, path: String, reasons: &[Reason]) {
        self.found.push(Name::Unrecognized(path, reasons.to_vec()));
    }

    fn reading(&mut self, path: &str, kind: &'static str) {
        self.found.push(Name::Reading(path.to_owned(), kind));
    }

    /// Codings of an entry; `words` alone are not read.
    fn codings(&mut self, codings: &[Coding], path: &str, list: &str, required: bool) {
        if codings.is_empty() && required {
            self.unrecognized(path.to_owned(), &[Reason::Unmapped]);
        }
        for (index, coding) in codings.iter().enumerate() {
            let path = format!("{path}.{list}[{index}]");
            if !SYSTEMS.contains(&coding.system.as_str()) {
                self.unrecognized(path, &[Reason::Unmapped]);
                continue;
            }
            let (system, code) = (coding.system.as_str(), coding.code.as_str());
            if UNDERSTOOD.contains(&(system, code)) {
                continue;
            }
            match KNOWN.iter().find(|(a, b, _)| (*a, *b) == (system, code)) {
                Some((.., reason)) => self.unrecognized(path, &[*reason]),
                None => self.unrecognized(path, &[Reason::Unmapped, Reason::Malformed, Reason::Unused]),
            }
        }
    }

    fn later(&mut self, date: &str, path: String) -> bool {
        let later = is_after(date, self.as_of);
        if later {
            self.unrecognized(path, &[Reason::AfterAsOf]);
        }
        later
    }

    fn word(&mut self, word: &str, known: &str, path: String) {
        if word != known {
            self.unrecognized(path, &[Reason::Unmapped]);
        }
    }

    fn twice<T: PartialEq>(&mut self, entries: &[T], list: &str) {
        for (index, entry) in entries.iter().enumerate() {
            if entries.iter().take(index).any(|before| before == entry) {
                self.reading(&format!("patient.{list}[{index}]"), "duplicate");
            }
        }
    }

    fn patient(&mut self, patient: &Patient) {
        self.twice(&patient.diagnoses, "diagnoses");
        self.twice(&patient.medications, "medications");
        self.twice(&patient.allergies, "allergies");
        self.twice(&patient.observations, "observations");
        self.twice(&patient.events, "events");
        self.twice(&patient.history, "history");
        self.twice(&patient.plans, "plans");
        self.twice(&patient.preferences, "preferences");
        self.diagnoses(patient);
        self.medications(patient);
        self.observations(patient);
        for (index, entry) in patient.allergies.iter().enumerate() {
            let path = format!("patient.allergies[{index}]");
            self.codings(&entry.coding, &path, "coding", true);
            if entry.verification_status == 0 {
                self.reading(&path, "absent-verification-status");
            }
        }
        for (index, entry) in patient.events.iter().enumerate() {
            let path = format!("patient.events[{index}]");
            self.word(&entry.r#type, "overdose", format!("{path}.type"));
            if !entry.substance.is_empty() {
                self.word(entry.substance.trim(), "heroin", format!("{path}.substance"));
            }
            self.later(&entry.at, format!("{path}.at"));
        }
        for (index, entry) in patient.history.iter().enumerate() {
            let path = format!("patient.history[{index}]");
            self.word(&entry.code, "childhood-abuse", format!("{path}.code"));
            if entry.present.is_none() {
                self.unrecognized(format!("{path}.present"), &[Reason::Value]);
            }
        }
        for (index, entry) in patient.plans.iter().enumerate() {
            let path = format!("patient.plans[{index}]");
            self.word(&entry.kind, "start-medication", format!("{path}.kind"));
            self.codings(&entry.coding, &path, "coding", false);
        }
        for (index, code) in patient.preferences.iter().enumerate() {
            self.word(code, "declines-agonist", format!("patient.preferences[{index}]"));
        }
    }

    fn diagnoses(&mut self, patient: &Patient) {
        for (index, entry) in patient.diagnoses.iter().enumerate() {
            let path = format!("patient.diagnoses[{index}]");
            self.codings(&entry.coding, &path, "coding", true);
            if entry.clinical_status == 0 {
                self.reading(&path, "absent-clinical-status");
            }
            if entry.verification_status == 0 {
                self.reading(&path, "absent-verification-status");
            }
            if entry.recorded.is_empty() {
                self.reading(&path, "absent-recorded-date");
            }
            self.later(&entry.onset, format!("{path}.onset"));
            self.later(&entry.recorded, format!("{path}.recorded"));
            if !self.later(&entry.abatement, format!("{path}.abatement")) && !entry.abatement.is_empty() {
                self.unrecognized(format!("{path}.abatement"), &[Reason::Contradictory]);
            }
        }
    }

    fn medications(&mut self, patient: &Patient) {
        for (index, entry) in patient.medications.iter().enumerate() {
            let path = format!("patient.medications[{index}]");
            self.codings(&entry.coding, &path, "coding", true);
            self.codings(&entry.reason, &path, "reason", false);
            if entry.status == 0 {
                self.reading(&path, "absent-medication-status");
            }
            if self.later(&entry.started, format!("{path}.started")) {
                continue;
            }
            if !self.later(&entry.ended, format!("{path}.ended")) && !entry.ended.is_empty() {
                self.unrecognized(format!("{path}.ended"), &[Reason::Contradictory]);
            }
            if entry.dose.as_ref().is_some_and(|dose| dose.unit != "mg/d") {
                self.unrecognized(format!("{path}.dose.unit"), &[Reason::Unit]);
            }
        }
    }

    fn observations(&mut self, patient: &Patient) {
        for (index, entry) in patient.observations.iter().enumerate() {
            let path = format!("patient.observations[{index}]");
            self.codings(&entry.coding, &path, "coding", true);
            let known = |coding: &Coding| (coding.system.as_str(), coding.code.as_str()) == ("LOINC", "8636-3");
            if !entry.coding.iter().any(known) || self.later(&entry.effective, format!("{path}.effective")) {
                // What is not used has no value that could be.
                continue;
            }
            if entry.value_coding.is_some() {
                self.unrecognized(format!("{path}.value_coding"), &[Reason::Value]);
            } else if !entry.value_text.is_empty() {
                self.unrecognized(format!("{path}.value_text"), &[Reason::Value]);
            } else if entry.value.is_none() {
                self.unrecognized(path, &[Reason::Value]);
            } else if entry.unit != "ms" {
                self.unrecognized(format!("{path}.unit"), &[Reason::Unit]);
            }
        }
    }
}

/// What the answer to a request has to name.
pub fn names(request: &EvaluateRequest) -> Vec<Name> {
    let mut names = Names { as_of: &request.as_of, found: Vec::new() };
    if let Some(patient) = &request.patient {
        names.patient(patient);
    }
    names.found
}

/// What the answer says of the request itself, and does not say as it ought to.
pub fn unsaid(request: &EvaluateRequest, answer: &EvaluateResponse) -> Vec<&'static str> {
    let handling = answer.handling.clone().unwrap_or_default();
    let mut unsaid = Vec::new();
    let mut say = |said: bool, what: &'static str| {
        if !said {
            unsaid.push(what);
        }
    };
    say(answer.request_id == request.request_id, "the id of the request comes back");
    say(!answer.as_of.is_empty(), "the instant comes back");
    let default = request.purpose_of_use.is_empty();
    say(handling.purpose_of_use_defaulted == default, "the default purpose is said to be one");
    say(default || handling.purpose_of_use == request.purpose_of_use.trim(), "the purpose comes back");
    say(answer.drafts_included == request.include_drafts, "drafts are said to be evaluated");
    unsaid
}
