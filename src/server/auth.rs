//! Who calls, and whether they may: before anything of a call is read but its
//! head. The caller's name goes to all who hold the facts of the call, the edge
//! among them, which records a call that is refused here.
//!
//! Without authentication everyone may call every method there is, and is
//! anonymous; with it the anonymous may ask for health alone.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::AUTHORIZATION;
use http::{Request, Response};
use jiff::Timestamp;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::keys::Keys;
use crate::api::recording::CallFacts;
use crate::api::refusal::Refusal;
use crate::api::status::{of_transport, status};
use crate::identity::Peer;
use crate::identity::authority::{Authority, Shown, Unknown};
use crate::identity::jwt::TokenFault;
use crate::identity::policy::{Caller, Need, need};

/// Set by Envoy and what is built on it.
const FORWARDED: &str = "x-forwarded-client-cert";

/// Decides who may call what. One for all listeners.
#[derive(Clone, Debug, Default)]
pub struct Gate(Option<Guard>);

#[derive(Clone, Debug)]
struct Guard {
    authority: Arc<Authority>,
    keys: Option<Arc<Keys>>,
}

impl Gate {
    /// Callers must be known. `keys`, where tokens are taken.
    #[must_use]
    pub fn new(authority: Authority, keys: Option<Arc<Keys>>) -> Self {
        Self(Some(Guard { authority: Arc::new(authority), keys }))
    }

    /// Anyone may call.
    #[must_use]
    pub fn open() -> Self {
        Self(None)
    }

    /// Must callers be known?
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        self.0.is_some()
    }

    /// May the call pass? A call of its own name is told so in its facts.
    async fn admits(&self, head: &http::request::Parts) -> Result<(), Status> {
        let Some(need) = need(head.uri.path()) else { return Err(self.unlisted(head).await) };
        if need == Need::Nothing {
            return Ok(());
        }
        let Some(guard) = &self.0 else { return Ok(()) };
        let caller = guard.caller(head).await?;
        if need.is_met(&caller) { Ok(()) } else { Err(status(&Refusal::NotPermitted)) }
    }

    /// What is no method is called by no one, and is a matter between the caller
    /// and the service only where the caller is known.
    async fn unlisted(&self, head: &http::request::Parts) -> Status {
        match &self.0 {
            None => of_transport(Status::unimplemented("")),
            Some(guard) => guard.caller(head).await.map_or_else(|status| status, |_| status(&Refusal::NotPermitted)),
        }
    }
}

impl Guard {
    async fn caller(&self, head: &http::request::Parts) -> Result<Caller, Status> {
        let mut known = self.identify(head);
        if known == Err(Unknown::Token(TokenFault::UnknownKey))
            && let Some(keys) = &self.keys
        {
            // The issuer may have new ones.
            keys.seek().await;
            known = self.identify(head);
        }
        match known {
            Ok(caller) => {
                if let Some(facts) = head.extensions.get::<CallFacts>() {
                    facts.is_of(&caller.name);
                }
                Ok(caller)
            }
            Err(why) => {
                tracing::info!(%why, "a caller is not known");
                Err(status(&match why {
                    Unknown::Nothing => Refusal::NoCredentials,
                    Unknown::NoKeys => Refusal::NoKeys,
                    _ => Refusal::BadCredentials,
                }))
            }
        }
    }

    fn identify(&self, head: &http::request::Parts) -> Result<Caller, Unknown> {
        let all = |name: &str| head.headers.get_all(name).iter().map(http::HeaderValue::as_bytes).collect();
        let peer = head.extensions.get::<Peer>();
        let shown = Shown { peer, authorization: all(AUTHORIZATION.as_str()), forwarded: all(FORWARDED) };
        let keys = self.keys.as_ref().and_then(|keys| keys.current());
        self.authority.identify(&shown, keys.as_deref(), Timestamp::now().as_second())
    }
}

/// Puts the gate before the services.
#[derive(Clone, Debug)]
pub struct AuthLayer(pub Gate);

impl<S> Layer<S> for AuthLayer {
    type Service = Auth<S>;

    fn layer(&self, inner: S) -> Auth<S> {
        Auth { inner, gate: self.0.clone() }
    }
}

/// See the head of this file.
#[derive(Clone, Debug)]
pub struct Auth<S> {
    inner: S,
    gate: Gate,
}

impl<S> Service<Request<Body>> for Auth<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The one that was asked whether it is ready goes with the call.
        let other = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, other);
        let gate = self.gate.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            match gate.admits(&head).await {
                Ok(()) => inner.call(Request::from_parts(head, body)).await,
                Err(status) => Ok(status.into_http()),
            }
        })
    }
}

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
