//! Canary patients: made-up records of the binary, evaluated again and again on
//! the way that calls take, to notice that an answer changed although nothing
//! may have changed it: package, code tables and semantics are all in the digest.
//!
//! The way is that of a call from its decoding on: the generated service, its
//! limits, the checks of the contract, the evaluation in a task of its own, the
//! answer and its encoding. Not on it are the socket and the edge, whose metrics
//! and limits are those of callers, and the audit log: that is the record of
//! what was decided about patients, and no one is behind these. Whether it can
//! be written has alarms of its own.

use std::collections::HashMap;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tonic::{Response, Status};
use tracing::Instrument as _;

use crate::api::answer::canonical_bytes;
use crate::api::decide::Terms;
use crate::api::decision_service::Decisions;
use crate::api::proto::decision_service_client::DecisionServiceClient;
use crate::api::proto::decision_service_server::DecisionServiceServer;
use crate::api::proto::{EvaluateRequest, EvaluateResponse};
use crate::api::recording::Recorder;
use crate::api::status::code_word;
use crate::note::hex;
use crate::ruleset::Active;
use crate::telemetry::canaries::CanaryMetrics;

/// A made-up record, at an instant of its own: an answer moves with time.
#[derive(Clone)]
pub struct Canary {
    /// Its name, in metrics and logs.
    pub name: String,
    /// The request.
    pub request: EvaluateRequest,
}

/// Evaluates the canaries every so often, until it is dropped.
pub async fn keep(canaries: Vec<Canary>, every: Duration, active: Active, terms: Terms) {
    // It never drains: what it asks ends with the process.
    let (_drain, draining) = watch::channel(false);
    let limit = terms.limits.message_bytes;
    let service = Decisions::new(active.clone(), terms, Recorder::none(), draining);
    let service = DecisionServiceServer::new(service).max_decoding_message_size(limit);
    // An answer may be larger than what is asked.
    let client = DecisionServiceClient::new(service).max_decoding_message_size(usize::MAX);
    let evaluate = |request: EvaluateRequest| {
        let mut client = client.clone();
        async move { client.evaluate(request).await.map(Response::into_inner) }
    };
    let mut watcher = Watcher::new(canaries);
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // Without a package there is no answer, and health says so.
        if active.get().is_some() {
            watcher.round(&evaluate).await;
        }
    }
}

/// Holds each answer against the first under the same package.
struct Watcher {
    canaries: Vec<Canary>,
    metrics: CanaryMetrics,
    /// Digest of the package and hash of its first answer, by canary.
    first: HashMap<String, (String, String)>,
}

/// What became of one evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    First,
    Same,
    Changed,
    Failed,
}

impl Watcher {
    fn new(canaries: Vec<Canary>) -> Self {
        let metrics = CanaryMetrics::new(canaries.iter().map(|canary| canary.name.as_str()));
        Self { canaries, metrics, first: HashMap::new() }
    }

    /// Evaluates each canary once.
    async fn round<F>(&mut self, evaluate: impl Fn(EvaluateRequest) -> F) -> Vec<Sight>
    where
        F: Future<Output = Result<EvaluateResponse, Status>>,
    {
        let mut sights = Vec::new();
        for canary in self.canaries.clone() {
            // So that its trace is not taken for one of a call.
            let span = tracing::info_span!("canary", canary = canary.name);
            let answer = evaluate(canary.request).instrument(span).await;
            sights.push(self.see(&canary.name, answer));
        }
        sights
    }

    fn see(&mut self, canary: &str, answer: Result<EvaluateResponse, Status>) -> Sight {
        let answer = match answer {
            Ok(answer) => answer,
            Err(status) => {
                self.metrics.failed(canary);
                tracing::error!(canary, status = code_word(status.code()), "a canary patient has no answer");
                return Sight::Failed;
            }
        };
        let digest = answer.ruleset.as_ref().map(|ruleset| ruleset.digest.clone()).unwrap_or_default();
        let hash = hex(&Sha256::digest(canonical_bytes(&answer)));
        let first = match self.first.get(canary) {
            Some((under, first)) if *under == digest => Some(first.clone()),
            _ => None,
        };
        let sight = match &first {
            None => Sight::First,
            Some(first) if *first == hash => Sight::Same,
            Some(_) => Sight::Changed,
        };
        self.metrics.answered(canary, &digest, &hash, sight == Sight::Changed);
        match first {
            None => {
                self.first.insert(canary.to_owned(), (digest, hash));
            }
            Some(first) if sight == Sight::Changed => tracing::error!(
                canary,
                digest,
                first,
                now = hash,
                "the answer to a canary patient changed under an unchanged package: take this process out of service"
            ),
            Some(_) => {}
        }
        sight
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::ready;

    use super::*;
    use crate::api::proto::RulesetRef;

    fn watcher() -> Watcher {
        let named = |name: &str| Canary { name: name.to_owned(), request: EvaluateRequest::default() };
        Watcher::new(vec![named("one"), named("two")])
    }

    fn answer(digest: &str, note: &str) -> EvaluateResponse {
        EvaluateResponse {
            decision_id: uuid::Uuid::now_v7().to_string(),
            ruleset: Some(RulesetRef { digest: digest.to_owned(), ..RulesetRef::default() }),
            scope_note: note.to_owned(),
            ..EvaluateResponse::default()
        }
    }

    #[tokio::test]
    async fn an_answer_that_changes_under_an_unchanged_digest_is_an_alarm_as_long_as_it_lasts() {
        let mut watcher = watcher();
        let (digest, note) = (Cell::new("d1"), Cell::new("fine"));
        let evaluate = |_| ready(Ok(answer(digest.get(), note.get())));
        assert_eq!(watcher.round(evaluate).await, [Sight::First; 2]);
        // Another id of the decision is no other answer.
        assert_eq!(watcher.round(evaluate).await, [Sight::Same; 2]);
        note.set("altered");
        assert_eq!(watcher.round(evaluate).await, [Sight::Changed; 2]);
        assert_eq!(watcher.round(evaluate).await, [Sight::Changed; 2]);
        note.set("fine");
        assert_eq!(watcher.round(evaluate).await, [Sight::Same; 2]);
        // A new package may say something new.
        digest.set("d2");
        note.set("new");
        assert_eq!(watcher.round(evaluate).await, [Sight::First; 2]);
        assert_eq!(watcher.round(evaluate).await, [Sight::Same; 2]);
    }

    #[tokio::test]
    async fn a_canary_without_an_answer_is_an_alarm_and_forgets_nothing() {
        let mut watcher = watcher();
        assert_eq!(watcher.round(|_| ready(Ok(answer("d1", "fine")))).await, [Sight::First; 2]);
        assert_eq!(watcher.round(|_| ready(Err(Status::internal("no")))).await, [Sight::Failed; 2]);
        assert_eq!(watcher.round(|_| ready(Ok(answer("d1", "altered")))).await, [Sight::Changed; 2]);
    }
}
