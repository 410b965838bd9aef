//! The service of rules packages, with its own limits for the one call that
//! carries a package.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

use crate::api::proto::ruleset_service_server::RulesetServiceServer;
use crate::api::ruleset_service::{Rules, Turns};
use crate::api::status::status;

const CHECK: &str = "/concord.v1.RulesetService/CheckRuleset";

/// Takes a call to the service whose limit is its own.
#[derive(Clone, Debug)]
pub(super) struct RulesetCalls {
    reads: RulesetServiceServer<Rules>,
    checks: RulesetServiceServer<Rules>,
    turns: Turns,
}

impl RulesetCalls {
    /// `reads` for every call but the check of a package, `checks` for that.
    pub(super) fn new(reads: RulesetServiceServer<Rules>, checks: RulesetServiceServer<Rules>) -> Self {
        Self { reads, checks, turns: Turns::default() }
    }
}

impl NamedService for RulesetCalls {
    const NAME: &'static str = RulesetServiceServer::<Rules>::NAME;
}

impl Service<Request<Body>> for RulesetCalls {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // The generated service is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if request.uri().path() != CHECK {
            return self.reads.call(request);
        }
        match self.turns.take() {
            Ok(turn) => {
                request.extensions_mut().insert(turn);
                self.checks.call(request)
            }
            Err(refusal) => Box::pin(std::future::ready(Ok(status(&refusal).into_http()))),
        }
    }
}
