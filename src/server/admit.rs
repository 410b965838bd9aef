//! How much work there may be at once. What is beyond is refused in less time
//! than it would take to queue it, so that what was begun is still of use when
//! it is done.
//!
//! | call | bound by |
//! | --- | --- |
//! | unary | `limits.in_flight`: from here to the end of the work that it began, also where the caller has left |
//! | stream of decisions | `limits.open_streams`: to its end |
//! | health, reflection | nothing: they are how one learns of a server that has too much to do |
//!
//! The bounds are the process's, not a connection's: behind a proxy all calls
//! come over one or two. But a call that is alone on its connection finds a place
//! where others have taken all: there is an eighth more for these.
//!
//! Of a call refused for load a count and a time are kept. A span, a record or a
//! line of each would be one more thing that there is too much of.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;
use tonic::Code;
use tonic::body::Body;
use tower::{Layer, Service};

use super::call::{Class, class, hopeless};
use super::calls::Open;
use super::seldom::Seldom;
use crate::api::refusal::Refusal;
use crate::api::status::{code_word, status};
use crate::config::LimitSettings;
use crate::telemetry::calls;
use crate::telemetry::server::CallMetrics;

/// Unary calls for each processor, where no setting says otherwise: a few at
/// work, and the others waiting for the record.
const EACH_PROCESSOR: usize = 64;

/// For so many places of unary calls there is one more for calls that are alone.
const ALONE: usize = 8;

/// Makes the [`Admit`] around the services.
#[derive(Clone, Debug)]
pub(super) struct AdmitLayer(Arc<Gate>);

#[derive(Debug)]
struct Gate {
    unary: Arc<Semaphore>,
    alone: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    deadline_floor: Duration,
    draining: watch::Receiver<bool>,
    full: Seldom,
    metrics: CallMetrics,
}

/// The refusal for load. Always the same one, and written once: the more of them there are, the less time there is.
fn shed() -> Response<Body> {
    static HEAD: LazyLock<HeaderMap> =
        LazyLock::new(|| status(&Refusal::Overloaded).into_http::<Body>().headers().clone());
    let mut response = Response::new(Body::empty());
    response.headers_mut().clone_from(&HEAD);
    response
}

impl AdmitLayer {
    /// Calls with less time than `deadline_floor`, and those that come when
    /// `draining` says so, take no place: they are refused within, and begin
    /// nothing.
    #[must_use]
    pub(super) fn new(limits: &LimitSettings, deadline_floor: Duration, draining: watch::Receiver<bool>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        let in_flight = limits.in_flight.map_or(EACH_PROCESSOR * processors, count);
        Self(Arc::new(Gate {
            unary: Arc::new(Semaphore::new(in_flight)),
            alone: Arc::new(Semaphore::new(in_flight / ALONE)),
            streams: Arc::new(Semaphore::new(count(limits.open_streams))),
            deadline_floor,
            draining,
            full: Seldom::default(),
            metrics: CallMetrics::new(),
        }))
    }
}

impl<S> Layer<S> for AdmitLayer {
    type Service = Admit<S>;

    fn layer(&self, inner: S) -> Admit<S> {
        Admit { inner: Arc::new(inner), gate: Arc::clone(&self.0) }
    }
}

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Admit<S> {
    /// Copied for a call that is let in, and for no other.
    inner: Arc<S>,
    gate: Arc<Gate>,
}

impl<S> Clone for Admit<S> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), gate: Arc::clone(&self.gate) }
    }
}

/// A place among the calls at work, until the last of these is dropped.
type Place = Arc<OwnedSemaphorePermit>;

/// There is as much work as may be.
struct Full;

impl Gate {
    /// None: the call needs no place.
    fn enter(&self, class: Class, request: &Request<Body>) -> Result<Option<Place>, Full> {
        let places = match class {
            Class::Exempt => return Ok(None),
            Class::Unary => &self.unary,
            Class::Stream => &self.streams,
        };
        if *self.draining.borrow() || hopeless(request.headers(), self.deadline_floor) {
            return Ok(None);
        }
        if let Ok(place) = Arc::clone(places).try_acquire_owned() {
            return Ok(Some(Arc::new(place)));
        }
        let alone = request.extensions().get().is_some_and(|open: &Arc<Open>| open.is_alone());
        if class == Class::Unary
            && alone
            && let Ok(place) = Arc::clone(&self.alone).try_acquire_owned()
        {
            return Ok(Some(Arc::new(place)));
        }
        Err(Full)
    }

    fn tell(&self, method: &'static str, begun: Instant) {
        self.metrics.shed();
        let code = code_word(Code::ResourceExhausted);
        calls::refused(method, code, begun.elapsed());
        tracing::debug!(method, status = code, "call");
        if let Some(times) = self.full.tells() {
            tracing::warn!(times, "calls were refused: there is as much work as may be");
        }
    }
}

type Answer = Result<Response<Body>, Infallible>;

impl<S> Service<Request<Body>> for Admit<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // The services are ready at any time: what bounds them is here.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let begun = Instant::now();
        let (method, class) = class(request.uri().path());
        let Ok(place) = self.gate.enter(class, &request) else {
            self.gate.tell(method, begun);
            return Box::pin(std::future::ready(Ok(shed())));
        };
        // The work goes on where the caller has left, and keeps its place.
        if let Some(place) = &place {
            request.extensions_mut().insert(Arc::clone(place));
        }
        let inner = S::clone(&self.inner).call(request);
        Box::pin(async move {
            let answer = inner.await;
            drop(place);
            answer
        })
    }
}
