//! `concord.v1.DecisionService`.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};
use tonic_types::StatusExt;
use tracing::Instrument as _;

use super::decide::Terms;
use super::limits::STREAM_BUFFER;
use super::proto::decision_service_server::DecisionService;
use super::proto::{self, ErrorReason, evaluate_stream_response::Outcome};
use super::recording::{CallFacts, Recorder};
use super::refusal::{Refusal, Violation};
use super::request::item_id;
use super::status::{item_status, of_transport, status};
use crate::ruleset::Active;

/// Evaluates against the active package.
#[derive(Clone, Debug)]
pub struct Decisions {
    shared: Arc<Shared>,
    /// Streams end when it turns true: a stream that stays open would keep the
    /// shutdown waiting to its hard end.
    draining: watch::Receiver<bool>,
}

#[derive(Debug)]
struct Shared {
    active: Active,
    terms: Terms,
    recorder: Recorder,
}

impl Decisions {
    /// A service over the package that `active` holds at each call.
    #[must_use]
    pub fn new(active: Active, terms: Terms, recorder: Recorder, draining: watch::Receiver<bool>) -> Self {
        Self { shared: Arc::new(Shared { active, terms, recorder }), draining }
    }
}

/// Evaluates in a task of its own. A caller that leaves drops the call's
/// future, and an evaluation that has begun must still reach its end: what is
/// decided is to be on record, whoever is still listening.
async fn detached(
    shared: &Arc<Shared>,
    call: &CallFacts,
    request: proto::EvaluateRequest,
) -> Result<proto::EvaluateResponse, Refusal> {
    let (of, facts) = (Arc::clone(shared), call.clone());
    let work = async move { of.recorder.decide(&facts, of.active.get(), request, &of.terms).await };
    match tokio::spawn(work.in_current_span()).await {
        Ok(outcome) => outcome,
        Err(_) => {
            tracing::error!("an evaluation panicked");
            shared.recorder.refused(call, &Refusal::Internal).await?;
            Err(Refusal::Internal)
        }
    }
}

#[tonic::async_trait]
impl DecisionService for Decisions {
    async fn evaluate(
        &self,
        request: Request<proto::EvaluateRequest>,
    ) -> Result<Response<proto::EvaluateResponse>, Status> {
        let call = CallFacts::of(request.extensions());
        let answer = detached(&self.shared, &call, request.into_inner()).await;
        if let Ok(answer) = &answer {
            // On the span of the call, where it has a place for it: so its log line leads to the record.
            tracing::Span::current().record("concord.decision.id", &answer.decision_id);
        }
        answer.map(Response::new).map_err(|refusal| status(&refusal))
    }

    type EvaluateStreamStream = ReceiverStream<Result<proto::EvaluateStreamResponse, Status>>;

    async fn evaluate_stream(
        &self,
        request: Request<Streaming<proto::EvaluateStreamRequest>>,
    ) -> Result<Response<Self::EvaluateStreamStream>, Status> {
        // Bounded, so that a slow reader stops the reading and no queue grows.
        let (answers, receiver) = mpsc::channel(STREAM_BUFFER);
        let (shared, draining) = (Arc::clone(&self.shared), self.draining.clone());
        let call = CallFacts::of(request.extensions());
        tokio::spawn(stream(shared, call, request.into_inner(), answers, draining).in_current_span());
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

/// One item at a time: answers come in the order of the items.
async fn stream(
    shared: Arc<Shared>,
    call: CallFacts,
    mut items: Streaming<proto::EvaluateStreamRequest>,
    answers: mpsc::Sender<Result<proto::EvaluateStreamResponse, Status>>,
    mut draining: watch::Receiver<bool>,
) {
    loop {
        let item = tokio::select! {
            biased;
            // An error means that the server is gone: the same as draining.
            _ = draining.wait_for(|draining| *draining) => Err(status(&Refusal::Draining)),
            item = items.message() => item.map_err(of_transport),
        };
        let answer = match item {
            Ok(None) => return,
            // Each item is a call of its own to the record.
            Ok(Some(item)) => {
                Ok(respond(&shared, &CallFacts { received: Timestamp::now(), ..call.clone() }, item).await)
            }
            Err(failed) => {
                let reason = StatusExt::get_details_error_info(&failed).map(|info| info.reason);
                match shared.recorder.ended(&call, failed.code(), reason, Vec::new()).await {
                    Ok(()) => Err(failed),
                    Err(refusal) => Err(status(&refusal)),
                }
            }
        };
        let last = answer.is_err();
        if answers.send(answer).await.is_err() || last {
            return;
        }
    }
}

async fn respond(
    shared: &Arc<Shared>,
    call: &CallFacts,
    item: proto::EvaluateStreamRequest,
) -> proto::EvaluateStreamResponse {
    let Some(request) = item.request else {
        let refusal = no_request();
        let refusal = shared.recorder.refused(call, &refusal).await.err().unwrap_or(refusal);
        return proto::EvaluateStreamResponse {
            request_id: String::new(),
            outcome: Some(Outcome::Status(item_status(&refusal))),
        };
    };
    let request_id = item_id(&request, &shared.terms.limits);
    let outcome = match detached(shared, call, request).await {
        Ok(response) => Outcome::Response(response),
        Err(refusal) => Outcome::Status(item_status(&refusal)),
    };
    proto::EvaluateStreamResponse { request_id, outcome: Some(outcome) }
}

fn no_request() -> Refusal {
    Refusal::Fields(vec![Violation {
        field: "request".to_owned(),
        reason: ErrorReason::Required,
        description: "is required".to_owned(),
    }])
}
