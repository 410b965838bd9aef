//! Decisions, refusals and activations to the audit log: what of each is in
//! clear, and what is sealed.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jiff::Timestamp;
use prost::Message as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::answer;
use super::decide::{Decision, Terms, decide};
use super::observe::{Observer, Seen};
use super::proto::{self, receipt};
use super::refusal::Refusal;
use super::ruleset_answer::{rule, sorted};
use super::status::{code_word, item_status};
use super::turns::{Turn, Turns};
use crate::audit::content::{Content, Dictionary};
use crate::audit::entry::{Draft, Kind, Leaf, Subject, instant};
use crate::audit::log::{ArchiveItem, Effect};
use crate::audit::records::Record;
use crate::audit::store::Archived;
use crate::audit::{Audit, NotRecorded, Recorded, tree};
use crate::note::hex;
use crate::ruleset::{Ruleset, archive};

/// Parts of what is sealed, by name. `docs/audit.md` says what each holds.
pub mod part {
    /// The request.
    pub const REQUEST: &str = "request";
    /// The answer.
    pub const ANSWER: &str = "answer";
    /// Ids of the rules that fired.
    pub const RULES: &str = "rules";
    /// What the service added of its own.
    pub const TERMS: &str = "terms";
}

/// A call as the record names it. Rides on the request.
#[derive(Clone, Debug)]
pub struct CallFacts {
    /// Has the one who answers recorded how the call ends? Else the edge does.
    pub recorded: Arc<AtomicBool>,
    /// Who called, as far as its address tells: `anonymous@` and the address.
    pub caller: String,
    /// The name that the caller proved to have, where it did: seen by all who
    /// hold these facts, also those who held them before.
    pub name: Arc<OnceLock<String>>,
    /// Fully qualified method.
    pub method: String,
    /// Trace id, 32 hexadecimal digits.
    pub trace: Option<String>,
    /// When the call came.
    pub received: Timestamp,
    /// Its place among the calls at work, kept until the work is done.
    pub place: Option<Arc<OwnedSemaphorePermit>>,
    /// The turns of its connection.
    pub turns: Turns,
}

impl CallFacts {
    /// Of a request that the edge has seen; of any other next to nothing is known.
    #[must_use]
    pub fn of(extensions: &http::Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_else(|| Self {
            recorded: Arc::default(),
            caller: "anonymous".to_owned(),
            name: Arc::default(),
            method: "unknown".to_owned(),
            trace: None,
            received: Timestamp::now(),
            place: None,
            turns: Turns::default(),
        })
    }

    /// The edge need not record how the call ends.
    pub fn is_recorded(&self) {
        self.recorded.store(true, Ordering::Relaxed);
    }

    /// The caller has proved to be this one. The first word counts.
    pub fn is_of(&self, name: &str) {
        self.name.get_or_init(|| name.to_owned());
    }

    /// Who called: the name that was proved, else `anonymous@` and the address.
    #[must_use]
    pub fn caller(&self) -> &str {
        self.name.get().unwrap_or(&self.caller)
    }

    /// A leaf that says who called what.
    #[must_use]
    pub fn leaf(&self, kind: Kind) -> Leaf {
        Leaf {
            caller: Some(self.caller().to_owned()),
            method: Some(self.method.clone()),
            trace: self.trace.clone(),
            ..Leaf::new(kind)
        }
    }
}

/// What the service added to a request of its own: with it, the request and the
/// package, the answer can be made again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedTerms {
    /// The purpose of use where the request stated none.
    pub purpose_of_use: String,
    /// The request had no `as_of`: the one that is recorded was filled in.
    pub as_of_filled_in: bool,
}

/// Writes to the audit log, where there is one.
#[derive(Clone)]
pub struct Recorder {
    audit: Option<Arc<OnceLock<Audit>>>,
    archives: Arc<Mutex<HashMap<String, Archive>>>,
    observer: Option<Arc<dyn Observer>>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Recorder({:?})", self.audit.as_ref().and_then(|audit| audit.get()))
    }
}

/// A package as it goes into the archive, and the texts that compress its answers.
#[derive(Clone)]
struct Archive {
    items: Arc<[ArchiveItem]>,
    dictionary: Arc<Dictionary>,
}

/// Packages whose archive is kept at hand: the active one, and the one before
/// it, with which calls in flight may have begun.
const AT_HAND: usize = 2;

impl Recorder {
    /// Nothing is recorded, and every answer says so.
    #[must_use]
    pub fn none() -> Self {
        Self { audit: None, archives: Arc::default(), observer: None }
    }

    /// Into a log that is yet to be opened: until then nothing is answered.
    #[must_use]
    pub fn awaiting() -> Self {
        Self { audit: Some(Arc::default()), archives: Arc::default(), observer: None }
    }

    /// With someone who is told of each answer.
    #[must_use]
    pub fn observed(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// What the observer is to be told of an answer, while it is whole; none
    /// where there is no observer.
    fn seen(&self, decision: &Decision) -> Option<(Arc<dyn Observer>, Seen)> {
        self.observer.as_ref().map(|observer| (Arc::clone(observer), Seen::of(&decision.answer)))
    }

    /// Is there a record at all?
    #[must_use]
    pub fn keeps(&self) -> bool {
        self.audit.is_some()
    }

    /// The log is open. Once.
    pub fn opened(&self, audit: Audit) {
        if let Some(place) = &self.audit {
            // A second log is not one of ours.
            let _ = place.set(audit);
        }
    }

    /// The log; none where nothing is recorded.
    ///
    /// # Errors
    /// [`Refusal::NotRecorded`] where it is not open yet.
    pub fn audit(&self) -> Result<Option<&Audit>, Refusal> {
        match &self.audit {
            None => Ok(None),
            Some(place) => place.get().map(Some).ok_or(Refusal::NotRecorded),
        }
    }

    fn archive(&self, ruleset: &Ruleset) -> Archive {
        let known = |archives: &HashMap<String, Archive>| archives.get(ruleset.digest()).cloned();
        if let Some(archive) = known(&self.archives.lock().unwrap_or_else(PoisonError::into_inner)) {
            return archive;
        }
        let archive = archived(ruleset);
        let mut archives = self.archives.lock().unwrap_or_else(PoisonError::into_inner);
        if archives.len() >= AT_HAND {
            archives.clear();
        }
        archives.insert(ruleset.digest().to_owned(), archive.clone());
        archive
    }

    /// Evaluates a request and records what became of it. The answer, or the
    /// refusal, comes when its record is durable; a caller that leaves does not
    /// change that, if this runs in a task of its own.
    ///
    /// # Errors
    /// [`Refusal`]; without a record always [`Refusal::NotRecorded`].
    pub async fn decide(
        &self,
        call: &CallFacts,
        ruleset: Option<Arc<Ruleset>>,
        request: proto::EvaluateRequest,
        terms: &Terms,
    ) -> Result<proto::EvaluateResponse, Refusal> {
        let turn = call.turns.take().await;
        let Some(audit) = self.audit()? else {
            let ruleset = ruleset.ok_or(Refusal::NoActiveRuleset)?;
            let decision = decide(&ruleset, request, terms, Timestamp::now())?;
            if let Some((observer, seen)) = self.seen(&decision) {
                observer.answered(&seen);
            }
            return Ok(answer::response(decision));
        };
        call.is_recorded();
        let now = Timestamp::now();
        let decided = ruleset.ok_or(Refusal::NoActiveRuleset).and_then(|ruleset| {
            // Kept before it is taken apart.
            let asked = request.clone();
            decide(&ruleset, request, terms, now).map(|decision| (decision, asked))
        });
        match decided {
            Ok((decision, asked)) => self.decided(audit, call, decision, asked, terms, turn).await,
            Err(refusal) => {
                drop(turn);
                self.refused(call, &refusal).await?;
                Err(refusal)
            }
        }
    }

    async fn decided(
        &self,
        audit: &Audit,
        call: &CallFacts,
        mut decision: Decision,
        mut asked: proto::EvaluateRequest,
        terms: &Terms,
        mut turn: Turn,
    ) -> Result<proto::EvaluateResponse, Refusal> {
        let (archive, seen) = (self.archive(&decision.ruleset), self.seen(&decision));
        let (id, digest) = (decision.id, decision.ruleset.digest().to_owned());
        let mut rules = std::mem::take(&mut decision.answer.fired);
        rules.sort_unstable();
        let mut response = proto::EvaluateResponse { receipt: None, ..answer::response(decision) };
        let terms =
            RecordedTerms { purpose_of_use: terms.purpose_of_use.clone(), as_of_filled_in: asked.as_of.is_empty() };
        if terms.as_of_filled_in {
            asked.as_of.clone_from(&response.as_of);
        }
        let request = asked.encode_to_vec();
        let content = Content::new()
            .with(part::REQUEST, request.clone())
            .with(part::ANSWER, response.encode_to_vec())
            .with(part::RULES, rules.join("\n").into_bytes())
            .with(part::TERMS, serde_json::to_vec(&terms).unwrap_or_default())
            .with_dictionary(Some(archive.dictionary));
        let leaf = Leaf {
            id,
            received: Some(instant(call.received)),
            ruleset: Some(digest),
            semantics: Some(Ruleset::semantics()),
            status: Some(code_word(tonic::Code::Ok).to_owned()),
            ..call.leaf(Kind::Decision)
        };
        let patient = asked.patient.as_ref().map(|patient| patient.id.clone()).filter(|id| !id.is_empty());
        let draft = Draft {
            subject: patient.map_or(Subject::None, Subject::Patient),
            once: Some(asked.request_id.clone()).filter(|id| !id.is_empty()),
            ..Draft::sealed(leaf, content)
        };
        let recorded = turn.recorded(audit.append(draft, archive.items, Effect::None)).await.map_err(not_recorded)?;
        if recorded.before {
            return self.repeated(audit, call, recorded, asked, &terms).await;
        }
        drop(turn);
        if let Some((observer, seen)) = seen {
            observer.answered(&seen);
        }
        response.receipt = Some(receipt(audit, recorded, false));
        Ok(response)
    }

    /// The answer that an earlier request of the same id got, where its content
    /// was the same.
    async fn repeated(
        &self,
        audit: &Audit,
        call: &CallFacts,
        recorded: Recorded,
        mut asked: proto::EvaluateRequest,
        terms: &RecordedTerms,
    ) -> Result<proto::EvaluateResponse, Refusal> {
        let record = audit.read(move |records| records.at(recorded.index)).await.map_err(|error| unreadable(&error))?;
        let earlier = record.as_ref().and_then(recorded_decision);
        let Some((record, (request, said, answer))) = record.as_ref().zip(earlier) else {
            // Erased, or pruned: what it was is not known, so it can't be said to be the same.
            self.refused(call, &Refusal::RequestIdReused).await?;
            return Err(Refusal::RequestIdReused);
        };
        if terms.as_of_filled_in && said.as_of_filled_in {
            asked.as_of.clone_from(&request.as_of);
        }
        if asked != request || terms.as_of_filled_in != said.as_of_filled_in {
            self.refused(call, &Refusal::RequestIdReused).await?;
            return Err(Refusal::RequestIdReused);
        }
        let recorded = Recorded { hash: tree::leaf_hash(&record.row.leaf), id: record.leaf.id, ..recorded };
        Ok(proto::EvaluateResponse { receipt: Some(receipt(audit, recorded, true)), ..answer })
    }

    /// Records that a call was refused, or failed.
    ///
    /// # Errors
    /// [`Refusal::NotRecorded`].
    pub async fn refused(&self, call: &CallFacts, refusal: &Refusal) -> Result<(), Refusal> {
        if matches!(refusal, Refusal::NotRecorded | Refusal::AuditBusy) {
            return Ok(());
        }
        let status = item_status(refusal);
        let fields = status.field_violations.iter().map(|one| format!("{} {}", one.field, one.reason)).collect();
        self.ended(call, tonic::Code::from_i32(status.code), Some(status.reason), fields).await
    }

    /// Records how a call ended that was not answered.
    ///
    /// # Errors
    /// [`Refusal::NotRecorded`].
    pub async fn ended(
        &self,
        call: &CallFacts,
        code: tonic::Code,
        reason: Option<String>,
        fields: Vec<String>,
    ) -> Result<(), Refusal> {
        let Some(audit) = self.audit()? else { return Ok(()) };
        let status = Some(code_word(code).to_owned());
        let leaf = Leaf { status, reason, fields, ..call.leaf(Kind::Refusal) };
        audit.append(Draft::clear(leaf), Arc::new([]), Effect::None).await.map(drop).map_err(not_recorded)
    }

    /// Records that a package became active, and archives it. `trigger` says what
    /// led to it.
    ///
    /// # Errors
    /// [`Refusal::NotRecorded`].
    pub async fn activated(&self, ruleset: &Ruleset, trigger: &str) -> Result<(), Refusal> {
        let Some(audit) = self.audit()? else { return Ok(()) };
        let archive = self.archive(ruleset);
        let content = archive.items.iter().find(|item| item.kind == Archived::Package);
        let meta = &ruleset.package().meta;
        let leaf = Leaf {
            ruleset: Some(ruleset.digest().to_owned()),
            semantics: Some(Ruleset::semantics()),
            name: Some(meta.name.clone()),
            version: Some(meta.version.clone()),
            overlay: ruleset.overlay_digest().map(ToOwned::to_owned),
            content: content.map(|item| hex(&Sha256::digest(&item.content))),
            reason: Some(trigger.to_owned()),
            ..Leaf::new(Kind::Ruleset)
        };
        audit.append(Draft::clear(leaf), Arc::clone(&archive.items), Effect::None).await.map(drop).map_err(not_recorded)
    }
}

/// A record of a decision, read: the request as evaluated, what was added to it,
/// and the answer without its receipt. None where it is no decision, or what it
/// held was erased.
#[must_use]
pub fn recorded_decision(record: &Record) -> Option<(proto::EvaluateRequest, RecordedTerms, proto::EvaluateResponse)> {
    let content = record.content.as_ref().filter(|_| record.leaf.kind == Kind::Decision)?;
    let request = proto::EvaluateRequest::decode(content.part(part::REQUEST)?).ok()?;
    let terms = serde_json::from_slice(content.part(part::TERMS)?).ok()?;
    let answer = proto::EvaluateResponse::decode(content.part(part::ANSWER)?).ok()?;
    Some((request, terms, answer))
}

pub(super) fn receipt(audit: &Audit, recorded: Recorded, repeated: bool) -> proto::Receipt {
    proto::Receipt {
        audit: receipt::Audit::Recorded.into(),
        log: audit.origin().to_owned(),
        index: recorded.index,
        leaf_hash: hex(&recorded.hash),
        repeated,
    }
}

pub(super) fn not_recorded(why: NotRecorded) -> Refusal {
    match why {
        NotRecorded::Busy => Refusal::AuditBusy,
        NotRecorded::Store => Refusal::NotRecorded,
        NotRecorded::Seal => Refusal::Internal,
    }
}

fn unreadable(error: &crate::audit::log::LogError) -> Refusal {
    tracing::error!(%error, "a record can't be read");
    Refusal::NotRecorded
}

/// A digest of 64 hexadecimal digits.
pub(super) fn digest_bytes(digest: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digest.as_bytes().chunks(2)) {
        *byte = str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()).unwrap_or_default();
    }
    bytes
}

fn archived(ruleset: &Ruleset) -> Archive {
    let dictionary = Arc::new(Dictionary::new(texts(ruleset)));
    let package = ArchiveItem {
        kind: Archived::Package,
        digest: digest_bytes(ruleset.digest()),
        content: archive::pack(ruleset.sources()).into(),
    };
    Archive { items: Arc::new([package, ArchiveItem::dictionary(&dictionary)]), dictionary }
}

/// What answers of a package say, in the form in which they say it: each rule as
/// the wire has it in a rationale.
fn texts(ruleset: &Ruleset) -> Vec<u8> {
    let mut texts = Vec::new();
    for from in sorted(ruleset.package()) {
        let told = rule(ruleset, from);
        let rationale = proto::Rationale {
            rule: told.id.clone(),
            statement: told.statement.clone(),
            evidence: told.evidence.clone(),
            strength: told.strength.clone(),
            verification: told.verification.clone(),
            ..proto::Rationale::default()
        };
        texts.extend(told.condition.unwrap_or_default().encode_to_vec());
        texts.extend(told.title.into_bytes());
        texts.extend(rationale.encode_to_vec());
    }
    texts
}

/// The id of a decision as the record has it.
#[must_use]
pub fn decision_id(id: &str) -> Option<Uuid> {
    // One spelling: the one that was given out.
    Uuid::try_parse(id).ok().filter(|parsed| parsed.to_string() == id)
}
