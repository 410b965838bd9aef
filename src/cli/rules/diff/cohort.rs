//! The patients of a cohort before both packages.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::answer::{canonical_bytes, response};
use crate::api::decide::{Decision, Terms, decide};
use crate::api::limits::Limits;
use crate::api::proto::EvaluateRequest;
use crate::api::refusal::Refusal;
use crate::cli::evaluate::read;
use crate::cli::input::documents;
use crate::ruleset::Ruleset;
use crate::ruleset::diff::of_answers;

/// What changes for a cohort.
#[derive(Debug, Default)]
pub(super) struct Cohort {
    /// How many patients there are.
    pub(super) patients: usize,
    /// Those who get other advice.
    pub(super) differing: Vec<Member>,
    /// What changes, and for whom, by place in [`Self::differing`].
    pub(super) changes: BTreeMap<String, Vec<usize>>,
    /// Those who get the same advice in other words, or with another explanation.
    pub(super) reworded: Vec<Member>,
}

/// A patient of a cohort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// Place in the cohort, the first is 1.
    pub(super) place: usize,
    /// Id as sent; empty where none was.
    pub(super) id: String,
}

impl Member {
    /// Place and id.
    pub(super) fn name(&self) -> String {
        if self.id.is_empty() { self.place.to_string() } else { format!("{} ({})", self.place, self.id) }
    }
}

impl Cohort {
    /// Does everyone get the same advice?
    pub(super) fn is_same(&self) -> bool {
        self.differing.is_empty()
    }

    /// As JSON.
    pub(super) fn to_json(&self) -> Value {
        let member = |member: &Member| json!({"place": member.place, "id": member.id});
        let of = |places: &Vec<usize>| -> Vec<Value> {
            places.iter().filter_map(|at| self.differing.get(*at)).map(member).collect()
        };
        json!({
            "patients": self.patients,
            "differing": self.differing.iter().map(member).collect::<Vec<_>>(),
            "reworded": self.reworded.iter().map(member).collect::<Vec<_>>(),
            "changes": self.changes.iter()
                .map(|(what, whom)| json!({"change": what, "patients": of(whom)}))
                .collect::<Vec<_>>(),
        })
    }
}

/// Evaluates every patient of the files with both packages; or what can't be
/// read or is refused.
pub(super) fn compare(
    old: &Arc<Ruleset>,
    new: &Arc<Ruleset>,
    files: &[PathBuf],
    as_of: Option<&str>,
) -> Result<Cohort, Vec<String>> {
    let terms = Terms { limits: Limits::default(), purpose_of_use: "TREAT".to_owned() };
    let now = Timestamp::now();
    let mut cohort = Cohort::default();
    let mut faults = Vec::new();
    for file in files {
        let source = match read(file) {
            Ok(source) => source,
            Err(message) => {
                faults.push(message);
                continue;
            }
        };
        for document in documents(&source) {
            let place = format!("{}:{}", source.name, document.line);
            let mut request = match document.request {
                Ok(request) => request,
                Err(unreadable) => {
                    faults.push(unreadable.to_string());
                    continue;
                }
            };
            cohort.patients = cohort.patients.saturating_add(1);
            if let Some(as_of) = as_of {
                as_of.clone_into(&mut request.as_of);
            }
            // The digest of one package would refuse the other.
            request.require_ruleset_digest.clear();
            let id = request.patient.as_ref().map(|patient| patient.id.clone()).unwrap_or_default();
            let decided = |ruleset: &Arc<Ruleset>, request: EvaluateRequest| decide(ruleset, request, &terms, now);
            match (decided(old, request.clone()), decided(new, request)) {
                (Ok(old), Ok(new)) => cohort.member(id, old, new),
                (Err(refusal), _) | (_, Err(refusal)) => faults.extend(refused(&place, &refusal)),
            }
        }
    }
    if faults.is_empty() { Ok(cohort) } else { Err(faults) }
}

impl Cohort {
    fn member(&mut self, id: String, old: Decision, new: Decision) {
        let member = Member { place: self.patients, id };
        let changes = of_answers(&old.answer, &new.answer);
        if changes.is_empty() {
            if bytes(old) != bytes(new) {
                self.reworded.push(member);
            }
            return;
        }
        let at = self.differing.len();
        self.differing.push(member);
        for change in changes {
            self.changes.entry(super::page::change(&change)).or_default().push(at);
        }
    }
}

/// The canonical answer without the name of the package that gave it.
fn bytes(decision: Decision) -> Vec<u8> {
    let mut response = response(decision);
    response.ruleset = None;
    response.clinical_review = 0;
    canonical_bytes(&response)
}

fn refused(place: &str, refusal: &Refusal) -> Vec<String> {
    match refusal {
        Refusal::Fields(violations) => violations.iter().map(|violation| format!("{place}: {violation}")).collect(),
        other => vec![format!("{place}: {}", crate::api::status::item_status(other).message)],
    }
}
