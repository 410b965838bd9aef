//! Makes the calls of a list of cases and prints what came of each, a line of JSON a case:
//!
//! ```sh
//! concord-client-example 127.0.0.1:50051 target/clients/cases.json
//! ```

use std::error::Error;
use std::time::Duration;
use std::{env, fs};

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::{ErrorInfo, FieldViolation};

use client::{Refusal, call, connect, evaluate, evaluate_all};
use proto::audit_service_client::AuditServiceClient;
use proto::evaluate_stream_response::Outcome;
use proto::ruleset_service_client::RulesetServiceClient;
use proto::{EvaluateResponse, EvaluateStreamResponse};

mod client;

/// `concord.v1`.
#[allow(dead_code, reason = "some messages only name their enums")]
mod proto {
    tonic::include_proto!("concord.v1");
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    id: String,
    method: String,
    deadline_ms: u64,
    requests: Vec<Value>,
}

/// Makes messages of JSON.
struct Reader(DescriptorPool);

impl Reader {
    fn read<M: Message + Default>(&self, name: &str, request: &Value) -> Result<M, Box<dyn Error>> {
        let descriptor = self.0.get_message_by_name(&format!("concord.v1.{name}")).ok_or("no such message")?;
        Ok(DynamicMessage::deserialize(descriptor, request)?.transcode_to()?)
    }
}

fn digest(message: &impl Message) -> String {
    Sha256::digest(message.encode_to_vec()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An answer: what stands in it, and the digest of its canonical bytes.
fn answered(mut answer: EvaluateResponse) -> Value {
    let decision = std::mem::take(&mut answer.decision_id);
    answer.receipt = None;
    answer.engine_version.clear();
    json!({
        "code": "OK",
        "scope": answer.scope().as_str_name(),
        "alerts": answer.alerts.iter().map(|alert| &alert.id).collect::<Vec<_>>(),
        // With an id of the caller's, the decision is the same whoever asks.
        "decision": if answer.request_id.is_empty() { "" } else { &decision },
        "sha256": digest(&answer),
    })
}

fn refused(why: &Refusal) -> Value {
    json!({
        "code": name(why.code),
        // A text without details is the library's own.
        "message": if why.info.reason.is_empty() { "" } else { &why.message },
        "reason": why.info.reason,
        "domain": why.info.domain,
        "metadata": why.info.metadata,
        "violations": why.violations.iter().map(|at| [&at.field, &at.reason, &at.description]).collect::<Vec<_>>(),
        "retryAfterMs": why.retry_after.map(|delay| delay.as_millis()),
    })
}

/// A code as gRPC spells it, which tonic does not: `InvalidArgument`.
fn name(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

/// An item of a stream.
fn item(answer: EvaluateStreamResponse) -> Value {
    let mut outcome = match answer.outcome {
        Some(Outcome::Response(response)) => answered(response),
        Some(Outcome::Status(status)) => refused(&Refusal {
            code: status.code.into(),
            message: status.message,
            info: ErrorInfo::new(status.reason, "", []),
            violations: status
                .field_violations
                .into_iter()
                .map(|at| FieldViolation {
                    field: at.field,
                    description: at.description,
                    reason: at.reason,
                    localized_message: None,
                })
                .collect(),
            retry_after: None,
        }),
        None => json!({"code": "none"}),
    };
    outcome["requestId"] = answer.request_id.into();
    outcome
}

async fn outcome(channel: &Channel, reader: &Reader, case: &Case) -> Result<Result<Value, Status>, Box<dyn Error>> {
    let deadline = Duration::from_millis(case.deadline_ms);
    let first = case.requests.first().ok_or("a case without a request")?;
    let rules = RulesetServiceClient::new(channel.clone());
    let audit = AuditServiceClient::new(channel.clone());
    let said = |digest| json!({"code": "OK", "sha256": digest});
    Ok(match case.method.as_str() {
        "Evaluate" => evaluate(channel, reader.read("EvaluateRequest", first)?, deadline).await.map(answered),
        "EvaluateStream" => {
            let read = |request| reader.read("EvaluateRequest", request);
            let requests = case.requests.iter().map(read).collect::<Result<_, _>>()?;
            let answers = evaluate_all(channel, requests, deadline).await;
            answers.map(|answers| json!({"code": "OK", "items": answers.into_iter().map(item).collect::<Vec<_>>()}))
        }
        "GetRule" => {
            let request: proto::GetRuleRequest = reader.read("GetRuleRequest", first)?;
            let answer = call(request, deadline, async |request| rules.clone().get_rule(request).await).await;
            answer.map(|answer| said(digest(&answer)))
        }
        "ListRules" => {
            let request: proto::ListRulesRequest = reader.read("ListRulesRequest", first)?;
            let answer = call(request, deadline, async |request| rules.clone().list_rules(request).await).await;
            answer.map(|answer| said(digest(&answer)))
        }
        "GetDecision" => {
            let request: proto::GetDecisionRequest = reader.read("GetDecisionRequest", first)?;
            let answer = call(request, deadline, async |request| audit.clone().get_decision(request).await).await;
            answer.map(|answer| said(digest(&answer)))
        }
        method => return Err(format!("no such method: {method}").into()),
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (Some(address), Some(cases)) = (env::args().nth(1), env::args().nth(2)) else {
        return Err("usage: concord-client-example ADDRESS CASES".into());
    };
    let cases: Vec<Case> = serde_json::from_slice(&fs::read(cases)?)?;
    let reader = Reader(DescriptorPool::decode(include_bytes!(concat!(env!("OUT_DIR"), "/concord.bin")).as_slice())?);
    let channel = connect(&address)?;
    for case in &cases {
        let mut outcome =
            outcome(&channel, &reader, case).await?.unwrap_or_else(|status| refused(&Refusal::from(&status)));
        outcome["id"] = case.id.as_str().into();
        println!("{outcome}");
    }
    Ok(())
}
