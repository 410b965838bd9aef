//! What every call passes once that is not refused for load. It sees every end
//! of a call, since nothing that answers stands between it and the transport.
//!
//! From outside in:
//! 1. observe: a span from W3C trace context, one record for each call, also
//!    where the caller leaves;
//! 2. panics: caught, INTERNAL, so that no connection is torn down;
//! 3. deadline: the caller's or the server's, whichever is sooner, answered
//!    with DEADLINE_EXCEEDED; bodies of streams included. A call that leaves
//!    next to no time is answered so at once, and nothing of ours is begun when
//!    the server is about to end;
//! 4. record: how a call ended that no service has recorded, before it is told;
//! 5. words: statuses that the transport made get constant text, since its own
//!    quotes what was sent.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use http_body::{Frame, SizeHint};
use tokio::sync::watch;
use tokio::time::{Sleep, sleep_until, timeout_at};
use tonic::body::Body;
use tonic::codegen::Bytes;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tower::{Layer, Service};

use super::call::{Call, hopeless};
use crate::api::recording::{CallFacts, Recorder};
use crate::api::refusal::Refusal;
use crate::api::status::{deadline_exceeded, of_transport, status};

/// Makes the [`Edge`] around the services.
#[derive(Clone, Debug)]
pub(super) struct EdgeLayer {
    /// Longest time that a unary call may take.
    pub(super) deadline_max: Duration,
    /// A call with less time than this is not begun.
    pub(super) deadline_floor: Duration,
    /// Records calls that no service has answered.
    pub(super) recorder: Recorder,
    /// Refuses everything of ours when it says so.
    pub(super) draining: watch::Receiver<bool>,
}

impl<S> Layer<S> for EdgeLayer {
    type Service = Edge<S>;

    fn layer(&self, inner: S) -> Edge<S> {
        Edge { inner, terms: self.clone() }
    }
}

/// See the head of this file.
#[derive(Clone, Debug)]
pub(super) struct Edge<S> {
    inner: S,
    terms: EdgeLayer,
}

type Answer = Result<Response<Body>, Infallible>;

impl<S> Service<Request<Body>> for Edge<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let call = Call::begin(&mut request, self.terms.deadline_max);
        let inner = if hopeless(request.headers(), self.terms.deadline_floor) {
            Err(deadline_exceeded())
        } else if *self.terms.draining.borrow() && !call.is_exempt() {
            Err(status(&Refusal::Draining))
        } else {
            // The work has the place, and not the answer: a caller may take its time with that.
            let place = request.extensions_mut().remove();
            request.extensions_mut().insert(CallFacts { place, ..call.facts.clone() });
            let inner = call.span.in_scope(|| caught(|| self.inner.call(request)));
            inner.map_err(|Panicked| status(&Refusal::Internal))
        };
        Box::pin(answer(call, inner, self.terms.recorder.clone()))
    }
}

/// A panic, of which nothing is kept: its message may quote a record.
struct Panicked;

fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    // Nothing that the work has touched is used after it.
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| Panicked)
}

async fn answer<F: Future<Output = Answer>>(mut call: Call, inner: Result<F, Status>, recorder: Recorder) -> Answer {
    let response = match inner {
        Ok(inner) => within(&call, inner).await,
        Err(status) => failed(&status),
    };
    let (mut head, mut body) = response.into_parts();
    let mut told = reworded(&mut head.headers);
    if let Some(code) = told.filter(|code| *code != Code::Ok && call.is_recorded())
        && let Err(refusal) = recorded(&call, &recorder, code, &head.headers).await
    {
        (head, body) = failed(&status(&refusal)).into_parts();
        told = Some(Code::Unavailable);
    }
    if let Some(code) = told {
        call.ends(code);
    }
    call.ready();
    let deadline = call.deadline.map(|deadline| Box::pin(sleep_until(deadline)));
    let body = Observed { inner: body, call: Some(call), deadline };
    Ok(Response::from_parts(head, Body::new(body)))
}

/// Records how a call ended that no service has recorded. In a task of its own,
/// since the caller may leave; where the deadline has passed, no one waits for it.
async fn recorded(call: &Call, recorder: &Recorder, code: Code, headers: &HeaderMap) -> Result<(), Refusal> {
    if code != Code::DeadlineExceeded && call.facts.recorded.load(Ordering::Relaxed) {
        return Ok(());
    }
    let reason = Status::from_header_map(headers).and_then(|status| status.get_details_error_info());
    let reason = reason.map(|info| info.reason);
    let (facts, recorder) = (call.facts.clone(), recorder.clone());
    let work = tokio::spawn(async move { recorder.ended(&facts, code, reason, Vec::new()).await });
    if code == Code::DeadlineExceeded {
        return Ok(());
    }
    work.await.unwrap_or(Err(Refusal::Internal))
}

async fn within<F: Future<Output = Answer>>(call: &Call, inner: F) -> Response<Body> {
    let mut inner = Box::pin(inner);
    let steps = std::future::poll_fn(|context| {
        let step = call.span.in_scope(|| caught(|| inner.as_mut().poll(context)));
        match step {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(Ok(response))) => Poll::Ready(response),
            Ok(Poll::Ready(Err(never))) => match never {},
            Err(Panicked) => Poll::Ready(failed(&status(&Refusal::Internal))),
        }
    });
    match call.deadline {
        None => steps.await,
        Some(deadline) => timeout_at(deadline, steps).await.unwrap_or_else(|_| failed(&deadline_exceeded())),
    }
}

fn failed(status: &Status) -> Response<Body> {
    status.clone().into_http()
}

/// Gives a status of the transport constant text. The code, where there is one.
fn reworded(headers: &mut HeaderMap) -> Option<Code> {
    let before = Status::from_header_map(headers)?;
    let (code, ours) = (before.code(), !before.details().is_empty());
    if code == Code::Ok || ours {
        return Some(code);
    }
    let after = of_transport(before);
    headers.remove("grpc-message");
    // Text and details of ours are always valid header values.
    let _ = after.add_header(headers);
    Some(after.code())
}

/// A body that knows how the call ends.
struct Observed {
    inner: Body,
    call: Option<Call>,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Observed {
    fn end(&mut self, code: Code) {
        if let Some(mut call) = self.call.take() {
            call.ends(code);
        }
    }

    /// Ends the body with a status of ours.
    fn cut(&mut self, status: &Status) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.end(status.code());
        let mut trailers = HeaderMap::new();
        let _ = status.add_header(&mut trailers);
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }
}

impl http_body::Body for Observed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        let Some(call) = &this.call else {
            return Poll::Ready(None);
        };
        // Asked for more only where there is room to send it.
        call.taken();
        let span = call.span.clone();
        let step = span.in_scope(|| caught(|| Pin::new(&mut this.inner).poll_frame(context)));
        let Ok(step) = step else {
            return this.cut(&status(&Refusal::Internal));
        };
        if step.is_pending()
            && let Some(deadline) = &mut this.deadline
        {
            ready!(deadline.as_mut().poll(context));
            return this.cut(&deadline_exceeded());
        }
        let frame = ready!(step);
        match frame {
            Some(Ok(mut frame)) => {
                if let Some(call) = &this.call {
                    call.ready();
                }
                if let Some(trailers) = frame.trailers_mut() {
                    let code = reworded(trailers).unwrap_or(Code::Unknown);
                    this.end(code);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                this.end(error.code());
                Poll::Ready(Some(Err(error)))
            }
            None => {
                this.end(Code::Unknown);
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.call.is_none() || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
#[path = "edge_tests.rs"]
mod tests;
