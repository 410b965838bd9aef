//! What a call passes on its way to a service, in this order.

use std::convert::Infallible;

use http::{Request, Response};
use tokio::sync::watch;
use tonic::body::Body;
use tonic_web::GrpcWebLayer;
use tower::util::BoxCloneSyncService;
use tower::{Layer as _, Service};

use super::Options;
use super::admit::AdmitLayer;
use super::auth::AuthLayer;
use super::edge::EdgeLayer;

/// The services with everything around them.
pub(super) type Stack = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// Puts it together. From outside in: gRPC-Web where it is asked for; admit;
/// observe, catch and deadline (one layer, since each needs to see how a call
/// ends); who calls, and whether they may; the services.
///
/// gRPC-Web is a translation of the wire. Outermost, it leaves one protocol to
/// everything within: a refusal of any layer reaches a browser in its form, and
/// what observes reads how a call ended from trailers, not from bytes.
///
/// Admission comes before all that a call costs, so that refusing ten calls
/// leaves time to answer one.
pub(super) fn stack<S>(services: S, options: &Options, draining: watch::Receiver<bool>) -> Stack
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    let edge = EdgeLayer {
        deadline_max: options.server.deadline_max,
        deadline_floor: options.server.deadline_floor,
        recorder: options.recorder.clone(),
        draining: draining.clone(),
    };
    let admit = AdmitLayer::new(&options.limits, options.server.deadline_floor, draining);
    let calls = admit.layer(edge.layer(AuthLayer(options.gate.clone()).layer(services)));
    if options.server.grpc_web {
        return Stack::new(GrpcWebLayer::new().layer(calls));
    }
    Stack::new(calls)
}

#[cfg(test)]
#[path = "stack_tests.rs"]
mod tests;
