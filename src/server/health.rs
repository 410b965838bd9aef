//! `grpc.health.v1.Health`, written here because the library's own ends a
//! `Watch` of an unknown service with NOT_FOUND, where the protocol says that
//! it streams SERVICE_UNKNOWN, and because it begins as SERVING.
//!
//! | service | status |
//! | --- | --- |
//! | `""`, `concord.v1.DecisionService`, `concord.v1.RulesetService`, `concord.v1.AuditService` | SERVING while a package is active, the audit log can be written and the server is not shutting down |
//! | `liveness` | SERVING as long as the process answers |

use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::Health;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

/// Services that are ready when a package is active.
const READY: [&str; 4] = ["", "concord.v1.DecisionService", "concord.v1.RulesetService", "concord.v1.AuditService"];

/// Asks whether the process is alive at all.
const LIVENESS: &str = "liveness";

/// What the server is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// No package is active yet.
    Starting,
    /// Ready.
    Serving,
    /// Shutting down, and still answering.
    Leaving,
    /// Watches end, so that connections can close.
    Draining,
}

/// The phase, and whether there can be a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct View {
    phase: Phase,
    recordable: bool,
}

/// The phase, and who listens to it.
#[derive(Clone, Debug)]
pub struct Board(watch::Sender<View>);

impl Default for Board {
    fn default() -> Self {
        Self(watch::Sender::new(View { phase: Phase::Starting, recordable: true }))
    }
}

impl Board {
    /// Moves on. The way back from shutting down is closed: a package that
    /// becomes active meanwhile must not draw traffic again.
    pub fn enter(&self, phase: Phase) {
        self.0.send_if_modified(|now| {
            let forward = rank(phase) > rank(now.phase);
            if forward {
                now.phase = phase;
            }
            forward
        });
    }

    /// Says whether there can be a record. Without one nothing is answered, and
    /// load balancers are to look elsewhere.
    pub fn recordable(&self, recordable: bool) {
        self.0.send_if_modified(|now| std::mem::replace(&mut now.recordable, recordable) != recordable);
    }

    /// The phase.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.0.borrow().phase
    }

    /// Why the server is not ready; none where it is.
    #[must_use]
    pub fn unready(&self) -> Option<&'static str> {
        let View { phase, recordable } = *self.0.borrow();
        match phase {
            Phase::Starting => Some("no rules package is active yet"),
            Phase::Serving if recordable => None,
            Phase::Serving => Some("the audit log can't be written"),
            Phase::Leaving | Phase::Draining => Some("shutting down"),
        }
    }

    /// The gRPC service.
    #[must_use]
    pub fn service(&self) -> HealthService {
        HealthService(self.0.subscribe())
    }
}

fn rank(phase: Phase) -> u8 {
    match phase {
        Phase::Starting => 0,
        Phase::Serving => 1,
        Phase::Leaving => 2,
        Phase::Draining => 3,
    }
}

/// Answers health checks.
#[derive(Clone, Debug)]
pub struct HealthService(watch::Receiver<View>);

/// The status of a service; none where there is no such service.
fn status(service: &str, view: View) -> Option<ServingStatus> {
    if service == LIVENESS {
        return Some(ServingStatus::Serving);
    }
    READY.contains(&service).then_some(match view.phase {
        Phase::Serving if view.recordable => ServingStatus::Serving,
        Phase::Serving => ServingStatus::NotServing,
        Phase::Starting | Phase::Leaving | Phase::Draining => ServingStatus::NotServing,
    })
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

#[tonic::async_trait]
impl Health for HealthService {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        status(&request.get_ref().service, *self.0.borrow())
            .map(|status| Response::new(response(status)))
            .ok_or_else(|| Status::not_found("no such service"))
    }

    type WatchStream = ReceiverStream<Result<HealthCheckResponse, Status>>;

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let (updates, receiver) = mpsc::channel(1);
        tokio::spawn(watch(request.into_inner().service, self.0.clone(), updates));
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

async fn watch(
    service: String,
    mut views: watch::Receiver<View>,
    updates: mpsc::Sender<Result<HealthCheckResponse, Status>>,
) {
    let mut told = None;
    loop {
        let view = *views.borrow_and_update();
        let now = status(&service, view).unwrap_or(ServingStatus::ServiceUnknown);
        if told != Some(now) {
            told = Some(now);
            if updates.send(Ok(response(now))).await.is_err() {
                return;
            }
        }
        if view.phase == Phase::Draining {
            return;
        }
        tokio::select! {
            changed = views.changed() => if changed.is_err() { return },
            () = updates.closed() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio_stream::StreamExt as _;

    use super::*;

    fn request(service: &str) -> Request<HealthCheckRequest> {
        Request::new(HealthCheckRequest { service: service.to_owned() })
    }

    async fn check(board: &Board, service: &str) -> Option<ServingStatus> {
        let answer = board.service().check(request(service)).await.ok()?;
        Some(answer.into_inner().status())
    }

    #[tokio::test]
    async fn nothing_serves_before_a_package_is_active() {
        let board = Board::default();
        for service in READY {
            assert_eq!(check(&board, service).await, Some(ServingStatus::NotServing), "{service}");
        }
        assert_eq!(check(&board, LIVENESS).await, Some(ServingStatus::Serving));
        board.enter(Phase::Serving);
        for service in READY {
            assert_eq!(check(&board, service).await, Some(ServingStatus::Serving), "{service}");
        }
        assert_eq!(check(&board, "elsewhere").await, None);
    }

    #[tokio::test]
    async fn a_watch_of_an_unknown_service_streams_that_it_is_unknown() {
        let board = Board::default();
        let mut updates = board.service().watch(request("elsewhere")).await.unwrap().into_inner();
        let first = updates.next().await.unwrap().unwrap();
        assert_eq!(first.status(), ServingStatus::ServiceUnknown);
        board.enter(Phase::Draining);
        assert!(updates.next().await.is_none());
    }

    #[tokio::test]
    async fn a_watch_tells_each_change_once_and_ends_with_the_server() {
        let board = Board::default();
        let mut updates = board.service().watch(request("")).await.unwrap().into_inner();
        let mut next = async || updates.next().await.map(|update| update.unwrap().status());
        assert_eq!(next().await, Some(ServingStatus::NotServing));
        board.enter(Phase::Serving);
        assert_eq!(next().await, Some(ServingStatus::Serving));
        board.recordable(false);
        assert_eq!(next().await, Some(ServingStatus::NotServing));
        board.recordable(true);
        assert_eq!(next().await, Some(ServingStatus::Serving));
        board.enter(Phase::Leaving);
        assert_eq!(next().await, Some(ServingStatus::NotServing));
        board.enter(Phase::Draining);
        assert_eq!(next().await, None);
    }

    #[test]
    fn a_server_that_leaves_never_serves_again() {
        let board = Board::default();
        board.enter(Phase::Leaving);
        board.enter(Phase::Serving);
        assert_eq!(board.phase(), Phase::Leaving);
    }
}
