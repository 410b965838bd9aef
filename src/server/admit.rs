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
//! come over one or two.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};

use http::{HeaderMap, Request, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tonic::body::Body;
use tower::{Layer, Service};

use super::call::{Class, class};
use super::seldom::Seldom;
use crate::api::recording::CallFacts;
use crate::api::refusal::Refusal;
use crate::api::status::status;
use crate::config::LimitSettings;
use crate::telemetry::server::CallMetrics;

/// Unary calls for each processor, where no setting says otherwise: a few at
/// work, and the others waiting for the record.
const EACH_PROCESSOR: usize = 64;

/// Makes the [`Admit`] around the services.
#[derive(Clone, Debug)]
pub(super) struct AdmitLayer(Arc<Gate>);

#[derive(Debug)]
struct Gate {
    unary: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    draining: watch::Receiver<bool>,
    full: Seldom,
    metrics: CallMetrics,
}

/// Rides on an answer: the call was refused before anything of it was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shed;

/// The refusal for load. Always the same one, and written once: the more of them there are, the less time there is.
fn shed() -> Response<Body> {
    static HEAD: LazyLock<HeaderMap> =
        LazyLock::new(|| status(&Refusal::Overloaded).into_http::<Body>().headers().clone());
    let mut response = Response::new(Body::empty());
    response.headers_mut().clone_from(&HEAD);
    response.extensions_mut().insert(Shed);
    response
}

impl AdmitLayer {
    /// Refuses everything of ours when `draining` says so.
    #[must_use]
    pub(super) fn new(limits: &LimitSettings, draining: watch::Receiver<bool>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self(Arc::new(Gate {
            unary: Arc::new(Semaphore::new(limits.in_flight.map_or(EACH_PROCESSOR * processors, count))),
            streams: Arc::new(Semaphore::new(count(limits.open_streams))),
            draining,
            full: Seldom::default(),
            metrics: CallMetrics::new(),
        }))
    }
}

impl<S> Layer<S> for AdmitLayer {
    type Service = Admit<S>;

    fn layer(&self, inner: S) -> Admit<S> {
        Admit { inner, gate: Arc::clone(&self.0) }
    }
}

/// See the head of this file.
#[derive(Clone, Debug)]
pub(super) struct Admit<S> {
    inner: S,
    gate: Arc<Gate>,
}

impl Gate {
    /// None: the call needs no leave.
    fn enter(&self, class: Class) -> Result<Option<Arc<OwnedSemaphorePermit>>, Refusal> {
        let places = match class {
            Class::Exempt => return Ok(None),
            Class::Unary => &self.unary,
            Class::Stream => &self.streams,
        };
        if *self.draining.borrow() {
            return Err(Refusal::Draining);
        }
        let place = Arc::clone(places).try_acquire_owned().map_err(|_| {
            self.metrics.shed();
            if let Some(times) = self.full.tells() {
                tracing::warn!(times, "calls were refused: there is as much work as may be");
            }
            Refusal::Overloaded
        })?;
        Ok(Some(Arc::new(place)))
    }
}

type Answer = Result<Response<Body>, Infallible>;

impl<S> Service<Request<Body>> for Admit<S>
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
        let place = match self.gate.enter(class(request.uri().path())) {
            Ok(place) => place,
            Err(refusal) => {
                let response = if refusal == Refusal::Overloaded { shed() } else { status(&refusal).into_http() };
                return Box::pin(std::future::ready(Ok(response)));
            }
        };
        // The work goes on where the caller has left, and keeps its place.
        if let Some(facts) = request.extensions_mut().get_mut::<CallFacts>() {
            facts.place.clone_from(&place);
        }
        let inner = self.inner.call(request);
        Box::pin(async move {
            let answer = inner.await;
            drop(place);
            answer
        })
    }
}
