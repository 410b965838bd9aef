//! Evaluates a recorded request again with the package that was archived with
//! it, and compares the bytes of the answers.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use prost::Message as _;

use super::list::rules;
use crate::api::answer;
use crate::api::decide::{Decision, Terms, decide};
use crate::api::differ::{self, Difference};
use crate::api::limits::Limits;
use crate::api::proto;
use crate::api::proto::replay_decision_response::Outcome;
use crate::api::recording::{RecordedTerms, digest_bytes, part, recorded_decision};
use crate::api::refusal::Refusal;
use crate::api::{json, status};
use crate::audit::entry::sha256;
use crate::audit::log::LogError;
use crate::audit::records::{Record, Records};
use crate::audit::store::Archived;
use crate::ruleset::{Ruleset, archive};

/// Packages that are kept ready: loading one takes far longer than a replay.
const READY: usize = 4;

/// Differences that one answer tells.
const DIFFERENCES: usize = 500;

/// A request that was answered is within the limits of its time, whatever those
/// of today are.
const UNBOUND: Limits = Limits {
    message_bytes: usize::MAX,
    ruleset_bytes: usize::MAX,
    list_entries: usize::MAX,
    string_bytes: usize::MAX,
    violations: 1,
};

/// A decision as it is stored, and the package that is archived under its digest.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The decision.
    pub record: Record,
    /// The archived package; none where there is none, or it is not needed.
    pub archived: Option<Vec<u8>>,
}

impl Stored {
    /// Reads what a replay needs.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn read(records: &mut Records, record: Record) -> Result<Self, LogError> {
        let digest = record.leaf.ruleset.as_deref().filter(|_| record.content.is_some());
        let archived = match digest {
            Some(digest) => records.store().archived(Archived::Package, &digest_bytes(digest))?,
            None => None,
        };
        Ok(Self { record, archived })
    }
}

/// A package as it was loaded, by the SHA-256 of its bytes in the archive.
type Loaded = Result<Arc<Ruleset>, String>;

/// What was altered, by the digests of both packages.
type Altered = ((String, String), Vec<Difference>);

/// Archived packages, the ones used last ready for use.
#[derive(Default)]
pub struct Packages {
    ready: Mutex<VecDeque<([u8; 32], Loaded)>>,
    /// What was altered in the one told last: comparing two packages takes far
    /// longer than a replay, and an archive that was altered answers for many.
    altered: Mutex<Option<Altered>>,
}

impl fmt::Debug for Packages {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Packages")
    }
}

impl Packages {
    /// By its bytes, and not by the digest it stands under: what is in the
    /// archive now is what is loaded.
    fn load(&self, bytes: &[u8]) -> Loaded {
        let key = sha256(bytes);
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let known = ready.iter().position(|(known, _)| *known == key).and_then(|at| ready.remove(at));
        let (_, loaded) = known.unwrap_or_else(|| (key, archive::load(bytes).map(Arc::new).map_err(|e| e.to_string())));
        ready.push_front((key, loaded.clone()));
        ready.truncate(READY);
        loaded
    }

    /// What differs between two packages as they are evaluated.
    fn differences(&self, before: &Ruleset, after: &Ruleset) -> Vec<Difference> {
        let key = (before.digest().to_owned(), after.digest().to_owned());
        let mut altered = self.altered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, differences)) = altered.as_ref().filter(|(known, _)| *known == key) {
            return differences.clone();
        }
        let value = |ruleset: &Ruleset| serde_json::to_value(ruleset.package()).unwrap_or_default();
        let differences = differ::differences(&value(before), &value(after));
        *altered = Some((key, differences.clone()));
        differences
    }
}

/// What came of a replay.
#[derive(Clone, Debug)]
pub struct Replay {
    /// What came of it.
    pub outcome: Outcome,
    /// Digest of the package in the archive, where it was read.
    pub archived: Option<String>,
    /// What differs between the answers.
    pub differences: Vec<Difference>,
    /// What differs between the package that answered and the archived one.
    pub package: Vec<Difference>,
    /// In a sentence.
    pub detail: String,
}

fn told(outcome: Outcome, detail: impl Into<String>) -> Replay {
    Replay { outcome, archived: None, differences: Vec::new(), package: Vec::new(), detail: detail.into() }
}

/// Replays a decision. `known` is a package that is at hand: where it is the one
/// that answered, it tells what of the archived one was altered. Takes as long as
/// loading a package, at worst.
///
/// # Errors
/// [`Refusal::RecordDamaged`].
pub fn replay(stored: &Stored, packages: &Packages, known: Option<&Ruleset>) -> Result<Replay, Refusal> {
    let leaf = &stored.record.leaf;
    if stored.record.is_erased() {
        return Ok(told(Outcome::Erased, "what was recorded of the decision was erased"));
    }
    let semantics = Ruleset::semantics();
    if leaf.semantics != Some(semantics) {
        let theirs = leaf.semantics.map_or_else(|| "none".to_owned(), |version| version.to_string());
        let detail = format!(
            "answered by build {} under semantics {theirs}, and this build has semantics {semantics}: \
             replay it with that build",
            leaf.build
        );
        return Ok(told(Outcome::AnotherSemantics, detail));
    }
    let Some(bytes) = &stored.archived else {
        return Ok(told(Outcome::NotArchived, "the package that answered is not in the archive"));
    };
    let recorded = leaf.ruleset.as_deref().unwrap_or_default();
    let ruleset = match packages.load(bytes) {
        Ok(ruleset) => ruleset,
        Err(error) => {
            let why = error.lines().next().unwrap_or_default().to_owned();
            let detail = format!("the package in the archive is not the one that answered, and can't be used: {why}");
            return Ok(told(Outcome::ArchiveAltered, detail));
        }
    };
    let (differences, refused) = compare(&stored.record, &ruleset)?;
    let archived = Some(ruleset.digest().to_owned());
    if ruleset.digest() != recorded {
        let original = known.filter(|known| known.digest() == recorded);
        let package = original.map(|original| packages.differences(original, &ruleset)).unwrap_or_default();
        let detail = match original {
            Some(_) => "the package in the archive is not the one that answered",
            None => {
                "the package in the archive is not the one that answered, which is not at hand to say what was altered"
            }
        };
        return Ok(Replay { archived, differences, package, ..told(Outcome::ArchiveAltered, detail) });
    }
    if let Some(why) = refused {
        return Ok(Replay { archived, ..told(Outcome::Different, why) });
    }
    if differences.is_empty() {
        return Ok(Replay { archived, ..told(Outcome::Identical, "the same bytes") });
    }
    Ok(Replay { archived, differences, ..told(Outcome::Different, "the answer is another one") })
}

/// The recorded request, evaluated.
///
/// # Errors
/// [`Refusal`].
pub fn again(
    ruleset: &Arc<Ruleset>,
    request: proto::EvaluateRequest,
    terms: &RecordedTerms,
) -> Result<Decision, Refusal> {
    // The one that is required is the one that answered; here another may be looked at.
    let request = proto::EvaluateRequest { require_ruleset_digest: String::new(), ..request };
    let terms = Terms { limits: UNBOUND, purpose_of_use: terms.purpose_of_use.clone() };
    // The request has its own instant.
    decide(ruleset, request, &terms, Timestamp::UNIX_EPOCH)
}

/// The decision of a record made again, where it is the same to the byte: to show
/// it as it was shown.
#[must_use]
pub fn same(stored: &Stored, packages: &Packages) -> Option<Decision> {
    let ruleset = packages.load(stored.archived.as_ref()?).ok()?;
    let same = replay(stored, packages, None).ok()?.outcome == Outcome::Identical;
    let (request, terms, _) = recorded_decision(&stored.record).filter(|_| same)?;
    again(&ruleset, request, &terms).ok()
}

/// What differs, and why there is nothing to compare where this build refuses
/// the request.
fn compare(record: &Record, ruleset: &Arc<Ruleset>) -> Result<(Vec<Difference>, Option<String>), Refusal> {
    let (request, terms, recorded) = recorded_decision(record).ok_or(Refusal::RecordDamaged)?;
    let bytes = record.content.as_ref().and_then(|content| content.part(part::ANSWER)).ok_or(Refusal::RecordDamaged)?;
    let fired_then = rules(record).ok_or(Refusal::RecordDamaged)?;
    let mut decision = match again(ruleset, request, &terms) {
        Ok(decision) => decision,
        Err(refusal) => {
            let said = status::item_status(&refusal);
            return Ok((Vec::new(), Some(format!("this build refuses the request: {}", said.message))));
        }
    };
    let mut fired_now = std::mem::take(&mut decision.answer.fired);
    fired_now.sort_unstable();
    let replayed = proto::EvaluateResponse {
        decision_id: recorded.decision_id.clone(),
        engine_version: recorded.engine_version.clone(),
        receipt: None,
        ..answer::response(decision)
    };
    if replayed.encode_to_vec() == bytes && fired_now == fired_then {
        return Ok((Vec::new(), None));
    }
    let mut differences = differ::differences(&value(&recorded)?, &value(&replayed)?);
    let rules = |rules: Vec<String>| serde_json::json!({ "rulesFired": rules });
    differences.extend(differ::differences(&rules(fired_then), &rules(fired_now)));
    if differences.is_empty() {
        // Fields that this build does not know, or the same ones in another order.
        let path = "(bytes)".to_owned();
        let length = |bytes: usize| Some(format!("{bytes} bytes"));
        let (before, after) = (length(bytes.len()), length(replayed.encoded_len()));
        differences.push(Difference { path, before, after });
    }
    Ok((differences, None))
}

fn value(answer: &proto::EvaluateResponse) -> Result<serde_json::Value, Refusal> {
    let line = json::to_line(answer).map_err(|_| Refusal::Internal)?;
    serde_json::from_str(&line).map_err(|_| Refusal::Internal)
}

/// To the wire.
#[must_use]
pub fn response(record: &Record, replay: Replay) -> proto::ReplayDecisionResponse {
    let (differences, more_differences) = first(replay.differences);
    let (package_differences, more_package_differences) = first(replay.package);
    proto::ReplayDecisionResponse {
        decision_id: record.leaf.id.to_string(),
        outcome: replay.outcome.into(),
        ruleset_digest: record.leaf.ruleset.clone().unwrap_or_default(),
        archived_digest: replay.archived.unwrap_or_default(),
        differences,
        more_differences,
        package_differences,
        more_package_differences,
        detail: replay.detail,
    }
}

fn first(all: Vec<Difference>) -> (Vec<proto::Difference>, u32) {
    let more = u32::try_from(all.len().saturating_sub(DIFFERENCES)).unwrap_or(u32::MAX);
    let wire = |one: Difference| proto::Difference { path: one.path, recorded: one.before, replayed: one.after };
    (all.into_iter().take(DIFFERENCES).map(wire).collect(), more)
}
