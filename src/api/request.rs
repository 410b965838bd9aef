//! A request to the words of the domain. Every rule that the .proto states of
//! a field is enforced here or in the two files below it, and every fault of a
//! request is named at once.

use std::collections::HashMap;

use jiff::Timestamp;

use super::limits::Limits;
use super::proto::{self, ErrorReason, evaluate_request as wire};
use super::record;
use super::refusal::{Path, Refusal};
use super::text::{Check, Need};
use crate::clinical::date::{AsOf, FhirDate};
use crate::clinical::patient::Patient;
use crate::clinical::prints_nothing;
use crate::engine::decision::Explain;
use crate::ruleset::MAX_FILES;

/// A request whose every field holds what the .proto says of it.
#[derive(Clone)]
pub struct Evaluation {
    /// The caller's id of the request; empty where none was sent.
    pub request_id: String,
    /// The record.
    pub patient: Patient,
    /// The instant that is "now".
    pub as_of: AsOf,
    /// Why it is asked: a code of HL7 PurposeOfUse.
    pub purpose_of_use: Option<String>,
    /// How much is explained.
    pub explain: Explain,
    /// Digest of the only package that may answer, 64 hexadecimal digits.
    pub require_ruleset_digest: Option<String>,
    /// Marked as covered by 42 CFR Part 2?
    pub part2_covered: Option<bool>,
    /// Are drafts evaluated too?
    pub include_drafts: bool,
}

/// Reads a request. `now` stands in for an absent `as_of`.
///
/// # Errors
/// [`Refusal::Fields`] with every field at fault.
pub fn read(request: proto::EvaluateRequest, limits: &Limits, now: Timestamp) -> Result<Evaluation, Refusal> {
    let mut check = Check::new(limits);
    let evaluation = evaluation(&mut check, request, now);
    check.faults.finish(evaluation)
}

fn evaluation(check: &mut Check<'_>, request: proto::EvaluateRequest, now: Timestamp) -> Option<Evaluation> {
    let request_id = check.opaque(&Path::root("request_id"), request.request_id);
    // Checked, and kept nowhere: they are for the audit record.
    check.opaque(&Path::root("encounter_id"), request.encounter_id);
    check.opaque(&Path::root("requester"), request.requester);
    let as_of = if request.as_of.is_empty() {
        // Whole seconds, so that the instant in the answer can be sent back as it is.
        Some(AsOf::utc(Timestamp::from_second(now.as_second()).unwrap_or(now)))
    } else {
        check.instant(&Path::root("as_of"), &request.as_of)
    };
    let purpose_of_use = check.code(&Path::root("purpose_of_use"), Need::Optional, request.purpose_of_use);
    let explain = check.choice(&Path::root("explain"), request.explain, explain).unwrap_or_default();
    let require_ruleset_digest = check.digest(&Path::root("require_ruleset_digest"), &request.require_ruleset_digest);
    let root = Path::root("patient");
    let Some(patient) = request.patient else {
        check.required(&root);
        return None;
    };
    let patient = record::patient(check, &root, patient);
    let as_of = as_of?;
    born_before(check, &root.field("birth_date"), patient.birth.as_ref(), &as_of);
    Some(Evaluation {
        request_id,
        patient,
        as_of,
        purpose_of_use: purpose_of_use.map(|code| code.trim().to_owned()),
        explain,
        require_ruleset_digest,
        part2_covered: request.part2_covered,
        include_drafts: request.include_drafts,
    })
}

/// The id that an item of a stream is answered with: its own where it is well
/// formed, so that a refusal never sends a value at fault back.
#[must_use]
pub fn item_id(request: &proto::EvaluateRequest, limits: &Limits) -> String {
    let mut check = Check::new(limits);
    check.opaque(&Path::root("request_id"), request.request_id.clone())
}

#[expect(clippy::unnecessary_wraps, reason = "every enum is read by a function that may refuse")]
fn explain(value: wire::Explain) -> Option<Explain> {
    Some(match value {
        wire::Explain::Unspecified | wire::Explain::Standard => Explain::Standard,
        wire::Explain::Brief => Explain::Brief,
        wire::Explain::Full => Explain::Full,
    })
}

fn born_before(check: &mut Check<'_>, path: &Path<'_>, birth: Option<&FhirDate>, as_of: &AsOf) {
    let future = birth.is_some_and(|birth| birth.interval(as_of).earliest > as_of.local());
    if future {
        check.faults.add(path, ErrorReason::BirthInFuture, "is after the instant of the evaluation");
    }
}

/// Reads the request for one rule.
///
/// # Errors
/// [`Refusal::Fields`] where the id is not one.
pub fn rule_id(request: proto::GetRuleRequest, limits: &Limits) -> Result<String, Refusal> {
    let mut check = Check::new(limits);
    let id = check.token(&Path::root("id"), Need::Required, request.id);
    check.faults.finish(id)
}

/// What page of rules is asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct Page {
    /// Rules on it at most; zero: the default.
    pub size: usize,
    /// Token of the page before; empty: the first.
    pub token: String,
}

/// Largest page of rules that may be asked for.
pub const LARGEST_PAGE: i32 = 500;

/// Reads the request for a page of rules.
///
/// # Errors
/// [`Refusal::Fields`] with every field at fault.
pub fn page(request: proto::ListRulesRequest, limits: &Limits) -> Result<Page, Refusal> {
    let mut check = Check::new(limits);
    let size = check.whole(&Path::root("page_size"), request.page_size, 0, LARGEST_PAGE);
    let token = check.opaque(&Path::root("page_token"), request.page_token);
    let page = size.and_then(|size| usize::try_from(size).ok()).map(|size| Page { size, token });
    check.faults.finish(page)
}

/// Files by path, each path once.
pub type NamedFiles = Vec<(String, Vec<u8>)>;

/// A package to be checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its files.
    pub files: NamedFiles,
    /// The files of the overlay that is laid over it; empty: none.
    pub overlay: NamedFiles,
}

/// Reads the files of a package to be checked.
///
/// # Errors
/// [`Refusal::Fields`] with every field at fault.
pub fn candidate(request: proto::CheckRulesetRequest, limits: &Limits) -> Result<Candidate, Refusal> {
    let mut check = Check::new(limits);
    if request.files.is_empty() {
        check.required(&Path::root("files"));
    }
    let files = named_files(&mut check, "files", request.files);
    let overlay = named_files(&mut check, "overlay", request.overlay);
    check.faults.finish(Some(Candidate { files, overlay }))
}

fn named_files(check: &mut Check<'_>, field: &'static str, files: Vec<proto::RulesetFile>) -> NamedFiles {
    let mut first = HashMap::new();
    let mut next = 0_usize;
    let files = check.list(Path::root(field), files, MAX_FILES, |check, at, file| {
        let index = next;
        next = next.saturating_add(1);
        let path = at.field("path");
        let name = check.file_path(&path, file.path)?;
        let before = *first.entry(name.clone()).or_insert(index);
        if before != index {
            check.faults.add(&path, ErrorReason::Conflict, format!("is that of `{field}[{before}]` too"));
        }
        Some((name, file.content))
    });
    files.into_iter().flatten().collect()
}

prints_nothing!(Evaluation, Page, Candidate);

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "contract_tests.rs"]
mod contract;
