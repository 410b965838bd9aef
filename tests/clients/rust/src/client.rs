//! A client of Concord: deadlines, what may be asked again and when, and why a call was refused.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorInfo, FieldViolation, StatusExt};

use crate::proto::decision_service_client::DecisionServiceClient;
use crate::proto::{EvaluateRequest, EvaluateResponse, EvaluateStreamRequest, EvaluateStreamResponse};

const ATTEMPTS: u32 = 4;

/// Why a call was refused, of `google.rpc.Status`.
pub struct Refusal {
    pub code: Code,
    pub message: String,
    pub info: ErrorInfo,
    pub violations: Vec<FieldViolation>,
    pub retry_after: Option<Duration>,
}

impl From<&Status> for Refusal {
    fn from(status: &Status) -> Self {
        let details = status.get_error_details();
        Self {
            code: status.code(),
            message: status.message().to_owned(),
            info: details.error_info().cloned().unwrap_or_else(|| ErrorInfo::new("", "", [])),
            violations: details.bad_request().map(|request| request.field_violations.clone()).unwrap_or_default(),
            retry_after: details.retry_info().and_then(|retry| retry.retry_delay),
        }
    }
}

/// How long to wait before a call is made again; none where that would not help. A little more than was asked, so that
/// not all callers come back at once.
fn pause(status: &Status, attempt: u32) -> Option<Duration> {
    let backoff = Duration::from_millis(100 << attempt).mul_f64(rand::random_range(0.5..1.0));
    match Refusal::from(status).retry_after {
        Some(delay) => Some(delay.mul_f64(rand::random_range(1.0..1.2))),
        None if status.code() == Code::Unavailable || closed_under_it(status) => Some(backoff),
        None => None,
    }
}

/// tonic's channel may end a call with this after the server told the connection to go away, at the end of its age or of
/// the server. The next attempt opens another connection; clients in other languages do so by themselves.
fn closed_under_it(status: &Status) -> bool {
    status.code() == Code::Cancelled && status.message() == "operation was canceled"
}

/// Connects at the first call, and again where the connection is gone.
pub fn connect(address: &str) -> Result<Channel, tonic::transport::Error> {
    Ok(Endpoint::from_shared(format!("http://{address}"))?.connect_timeout(Duration::from_secs(5)).connect_lazy())
}

/// A request whose deadline the server is told, and which the channel holds to as well.
fn within<T>(message: T, deadline: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(deadline);
    request
}

/// The answer of a method, within the deadline, which holds for all attempts together. A request with a `request_id`
/// may be repeated without a second decision on record.
pub async fn call<Q: Clone, A>(
    message: Q,
    deadline: Duration,
    mut method: impl AsyncFnMut(Request<Q>) -> Result<Response<A>, Status>,
) -> Result<A, Status> {
    let end = Instant::now() + deadline;
    let mut attempt = 1;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let status = match method(within(message.clone(), left)).await {
            Ok(answer) => return Ok(answer.into_inner()),
            Err(status) => status,
        };
        match pause(&status, attempt) {
            Some(wait) if attempt < ATTEMPTS && Instant::now() + wait < end => sleep(wait).await,
            _ => return Err(deadline_passed(status)),
        }
        attempt += 1;
    }
}

/// tonic's channel says CANCELLED where the deadline passes before the server says so.
fn deadline_passed(status: Status) -> Status {
    match status.code() {
        Code::Cancelled if status.message() == "Timeout expired" => Status::deadline_exceeded("the deadline passed"),
        _ => status,
    }
}

/// The answer to one request.
pub async fn evaluate(
    channel: &Channel,
    request: EvaluateRequest,
    deadline: Duration,
) -> Result<EvaluateResponse, Status> {
    let client = DecisionServiceClient::new(channel.clone());
    call(request, deadline, async |request| client.clone().evaluate(request).await).await
}

/// The answers to many requests, in their order. A refused item has a status in its place, and the stream goes on.
pub async fn evaluate_all(
    channel: &Channel,
    requests: Vec<EvaluateRequest>,
    deadline: Duration,
) -> Result<Vec<EvaluateStreamResponse>, Status> {
    let items = requests.into_iter().map(|request| EvaluateStreamRequest { request: Some(request) });
    let request = within(tokio_stream::iter(items), deadline);
    let mut stream = DecisionServiceClient::new(channel.clone()).evaluate_stream(request).await?.into_inner();
    let mut answers = Vec::new();
    while let Some(answer) = stream.message().await? {
        answers.push(answer);
    }
    Ok(answers)
}
