//! `concord.v1.AuditService`.

use std::sync::Arc;

use prost::Message;
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

use super::list::{self, page};
use super::replay::{Packages, Stored};
use super::{Seen, answer, decision, feedback, proof, replay, request, unread};
use crate::api::limits::{Limits, REPLAYS};
use crate::api::proto;
use crate::api::proto::audit_service_server::AuditService;
use crate::api::recording::{CallFacts, Recorder, not_recorded, receipt, recorded_decision};
use crate::api::refusal::Refusal;
use crate::api::status::status;
use crate::audit::entry::Kind;
use crate::audit::log::{Effect, LogError};
use crate::audit::records::Records;
use crate::audit::{Audit, Recorded, tree};
use crate::ruleset::Active;

/// Reads the record.
#[derive(Clone, Debug)]
pub struct AuditCalls {
    recorder: Recorder,
    active: Active,
    limits: Limits,
    packages: Arc<Packages>,
    replays: Arc<Semaphore>,
}

impl AuditCalls {
    /// Over the log of a recorder. `active` tells what was altered of an archived
    /// package, where it is that package.
    #[must_use]
    pub fn new(recorder: Recorder, active: Active, limits: Limits) -> Self {
        let replays = Arc::new(Semaphore::new(REPLAYS));
        Self { recorder, active, limits, packages: Arc::default(), replays }
    }

    fn log(&self) -> Result<&Audit, Refusal> {
        // Without a log this service is not served.
        self.recorder.audit()?.ok_or(Refusal::Internal)
    }

    /// Works on the log, on a thread that may wait.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Records) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let outcome = self.log()?.read(move |records| Ok(work(records))).await;
        outcome.map_err(|error| unread(&error))?
    }

    /// Records that content was read. What was read is shown after that.
    async fn seen(&self, call: &CallFacts, seen: Seen, request: &impl Message) -> Result<(), Refusal> {
        let draft = super::read(call.leaf(Kind::Read), seen, request);
        self.log()?.append(draft, Arc::new([]), Effect::None).await.map(drop).map_err(not_recorded)
    }

    async fn get(
        &self,
        call: &CallFacts,
        request: proto::GetDecisionRequest,
    ) -> Result<proto::GetDecisionResponse, Refusal> {
        let id = request::get(&request, &self.limits)?.ok_or(Refusal::EntryNotFound)?;
        let origin = self.log()?.origin().to_owned();
        let found = self.work(move |records| answer::whole(records, &id, &origin)).await?;
        self.seen(call, Seen::One(id), &request).await?;
        Ok(found)
    }

    async fn list(
        &self,
        call: &CallFacts,
        request: proto::ListDecisionsRequest,
    ) -> Result<proto::ListDecisionsResponse, Refusal> {
        let listing = request::listing(&request, &self.limits)?;
        let (filter, before, size) = (listing.filter.clone(), listing.before, listing.size);
        let look = move |records: &mut Records| page(records, &filter, before, size).map_err(|error| unread(&error));
        let list::Page { found, next } = self.work(look).await?;
        self.seen(call, Seen::Many(found.len() as u64), &request).await?;
        Ok(proto::ListDecisionsResponse {
            decisions: found.iter().map(answer::summary).collect(),
            next_page_token: next.map(|next| listing.token(next)).unwrap_or_default(),
        })
    }

    async fn replayed(
        &self,
        call: &CallFacts,
        request: proto::ReplayDecisionRequest,
    ) -> Result<proto::ReplayDecisionResponse, Refusal> {
        let id = request::replay(&request, &self.limits)?.ok_or(Refusal::EntryNotFound)?;
        let turn = Arc::clone(&self.replays).acquire_owned().await.map_err(|_| Refusal::Internal)?;
        let fetch = move |records: &mut Records| -> Result<Option<Stored>, LogError> {
            decision(records, &id)?.map(|record| Stored::read(records, record)).transpose()
        };
        let stored = self.work(move |records| fetch(records).map_err(|error| unread(&error))).await?;
        let stored = stored.ok_or(Refusal::EntryNotFound)?;
        let (packages, active) = (Arc::clone(&self.packages), self.active.get());
        // Not as a reader of the log: loading a package would keep others from it.
        let work = tokio::task::spawn_blocking(move || {
            let outcome = replay::replay(&stored, &packages, active.as_deref());
            drop(turn);
            outcome.map(|replay| replay::response(&stored.record, replay))
        });
        let replayed = work.await.map_err(|_| Refusal::Internal)??;
        self.seen(call, Seen::One(id), &request).await?;
        Ok(replayed)
    }

    async fn fed_back(
        &self,
        call: &CallFacts,
        request: proto::RecordFeedbackRequest,
    ) -> Result<proto::RecordFeedbackResponse, Refusal> {
        let asked = request::feedback(&request, &self.limits)?;
        let id = asked.decision.ok_or(Refusal::EntryNotFound)?;
        let most = self.limits.violations;
        let record = self
            .work(move |records| {
                let record = decision(records, &id).map_err(|error| unread(&error))?.ok_or(Refusal::EntryNotFound)?;
                if record.is_erased() {
                    return Err(Refusal::DecisionErased);
                }
                let (_, _, answer) = recorded_decision(&record).ok_or(Refusal::RecordDamaged)?;
                feedback::held(&asked.items, &answer, most)?;
                Ok(record)
            })
            .await?;
        let draft = feedback::draft(call, &record, &request);
        let log = self.log()?;
        let recorded = log.append(draft, Arc::new([]), Effect::None).await.map_err(not_recorded)?;
        let recorded = if recorded.before { self.before(recorded, request).await? } else { recorded };
        Ok(proto::RecordFeedbackResponse {
            feedback_id: recorded.id.to_string(),
            receipt: Some(receipt(log, recorded, recorded.before)),
        })
    }

    /// The record of an earlier request of the same id, where it said the same.
    async fn before(&self, recorded: Recorded, request: proto::RecordFeedbackRequest) -> Result<Recorded, Refusal> {
        let look = move |records: &mut Records| records.at(recorded.index).map_err(|error| unread(&error));
        let record = self.work(look).await?;
        let same = record.filter(|record| answer::recorded_feedback(record).is_some_and(|before| before == request));
        let record = same.ok_or(Refusal::RequestIdReused)?;
        Ok(Recorded { id: record.leaf.id, hash: tree::leaf_hash(&record.row.leaf), ..recorded })
    }

    async fn consistency(
        &self,
        request: proto::GetConsistencyProofRequest,
    ) -> Result<proto::GetConsistencyProofResponse, Refusal> {
        self.work(move |records| proof::consistency(records, request.old_tree_size)).await
    }

    async fn inclusion(
        &self,
        request: proto::GetInclusionProofRequest,
    ) -> Result<proto::GetInclusionProofResponse, Refusal> {
        let place = request::place(&request, &self.limits)?;
        self.work(move |records| proof::inclusion(records, place)).await
    }

    /// Records what was refused, here and not at the edge, since the fields at
    /// fault are known here.
    async fn end<T>(&self, call: &CallFacts, outcome: Result<T, Refusal>) -> Result<Response<T>, Status> {
        match outcome {
            Ok(answer) => Ok(Response::new(answer)),
            Err(refusal) => {
                call.is_recorded();
                let refusal = self.recorder.refused(call, &refusal).await.err().unwrap_or(refusal);
                Err(status(&refusal))
            }
        }
    }
}

#[tonic::async_trait]
impl AuditService for AuditCalls {
    async fn get_decision(
        &self,
        request: Request<proto::GetDecisionRequest>,
    ) -> Result<Response<proto::GetDecisionResponse>, Status> {
        let call = CallFacts::of(request.extensions());
        self.end(&call, self.get(&call, request.into_inner()).await).await
    }

    async fn list_decisions(
        &self,
        request: Request<proto::ListDecisionsRequest>,
    ) -> Result<Response<proto::ListDecisionsResponse>, Status> {
        let call = CallFacts::of(request.extensions());
        self.end(&call, self.list(&call, request.into_inner()).await).await
    }

    async fn replay_decision(
        &self,
        request: Request<proto::ReplayDecisionRequest>,
    ) -> Result<Response<proto::ReplayDecisionResponse>, Status> {
        let call = CallFacts::of(request.extensions());
        self.end(&call, self.replayed(&call, request.into_inner()).await).await
    }

    async fn record_feedback(
        &self,
        request: Request<proto::RecordFeedbackRequest>,
    ) -> Result<Response<proto::RecordFeedbackResponse>, Status> {
        let call = CallFacts::of(request.extensions());
        self.end(&call, self.fed_back(&call, request.into_inner()).await).await
    }

    async fn get_checkpoint(
        &self,
        request: Request<proto::GetCheckpointRequest>,
    ) -> Result<Response<proto::GetCheckpointResponse>, Status> {
        let call = CallFacts::of(request.extensions());
        self.end(&call, self.work(proof::checkpoint).await).await
    }

    async fn get_inclusion_proof(
        &self,
        request: Request<proto::GetInclusionProofRequest>,
    ) -> Result<Response<proto::GetInclusionProofResponse>, Status> {
        let call = CallFacts::of(request.extensions());
        self.end(&call, self.inclusion(request.into_inner()).await).await
    }

    async fn get_consistency_proof(
        &self,
        request: Request<proto::GetConsistencyProofRequest>,
    ) -> Result<Response<proto::GetConsistencyProofResponse>, Status> {
        let call = CallFacts::of(request.extensions());
        self.end(&call, self.consistency(request.into_inner()).await).await
    }
}
