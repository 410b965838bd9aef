use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use http::HeaderMap;
use tokio::task::JoinSet;
use tonic::{Code, Status};
use tracing::field::{Field, Visit};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;
use crate::api::decide::Terms;
use crate::api::limits::Limits;
use crate::api::recording::Recorder;
use crate::config::{self, Layers};
use crate::server::auth::Gate;
use crate::server::calls::Calls;

const EVALUATE: &str = "/concord.v1.DecisionService/Evaluate";
const STREAM: &str = "/concord.v1.DecisionService/EvaluateStream";
const CHECK: &str = "/grpc.health.v1.Health/Check";

/// A service that does what a header says, and counts its calls.
#[derive(Clone, Default)]
struct Acting(Arc<AtomicUsize>);

impl Service<Request<Body>> for Acting {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            match request.headers().get("act").map(http::HeaderValue::as_bytes) {
                Some(b"panic") => panic!("SENTINEL"),
                Some(b"hang") => std::future::pending().await,
                Some(b"refuse") => Ok(Status::invalid_argument("SENTINEL").into_http()),
                _ => Ok(Status::ok("").into_http()),
            }
        })
    }
}

/// Keeps the lines that calls end with: method and status.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<(String, String)>>>);

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

impl<S: tracing::Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        if fields.0.get("message").is_some_and(|message| message == "call") {
            let [method, status] = ["method", "status"].map(|name| fields.0.remove(name).unwrap());
            self.0.lock().unwrap().push((method, status));
        }
    }
}

fn options(flags: &[(&str, &str)]) -> Options {
    let flags = flags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let settings = config::load(&Layers { flags, ..Layers::default() }).unwrap().settings;
    Options {
        terms: Terms { limits: Limits::default(), purpose_of_use: "TREAT".to_owned() },
        server: settings.server,
        limits: settings.limits,
        tls: settings.tls,
        recorder: Recorder::none(),
        audit_off_loopback: false,
        gate: Gate::open(),
        reflection: None,
    }
}

/// A stack, what reaches its service, what it tells of calls.
struct Bench {
    stack: Stack,
    reached: Arc<AtomicUsize>,
    lines: Lines,
    drain: watch::Sender<bool>,
}

impl Bench {
    fn new() -> Self {
        Self::of("1")
    }

    fn of(in_flight: &str) -> Self {
        let (drain, draining) = watch::channel(false);
        let acting = Acting::default();
        let set = [("limits.in_flight", in_flight), ("limits.open_streams", "1"), ("server.deadline_max", "300ms")];
        let stack = stack(acting.clone(), &options(&set), draining);
        Self { stack, reached: acting.0, lines: Lines::default(), drain }
    }

    async fn call(&self, path: &str, headers: &[(&'static str, &str)]) -> Code {
        let mut request = Request::post(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.stack.clone().call(request.body(Body::empty()).unwrap()).await.unwrap();
        code(response.headers())
    }
}

fn code(headers: &HeaderMap) -> Code {
    Status::from_header_map(headers).unwrap().code()
}

#[tokio::test]
async fn each_failure_is_answered_by_its_layer_in_order_and_told_once() {
    let bench = Bench::new();
    let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(bench.lines.clone()));
    let hopeless = ("grpc-timeout", "1m");
    // Who holds the one place there is, until the deadline.
    let busy = async || bench.call(EVALUATE, &[("act", "hang")]).await;
    let mut told: Vec<(&str, Code, usize)> = Vec::new();
    let mut note = |what, code| told.push((what, code, bench.reached.swap(0, Ordering::Relaxed)));

    note("fine", bench.call(EVALUATE, &[]).await);
    note("the service's own", bench.call(EVALUATE, &[("act", "refuse")]).await);
    note("catch", bench.call(EVALUATE, &[("act", "panic")]).await);
    note("deadline", busy().await);
    note("too little time", bench.call(EVALUATE, &[hopeless, ("act", "panic")]).await);
    let (held, (over, exempt, late)) = tokio::join!(busy(), async {
        let over = bench.call(EVALUATE, &[("act", "panic")]).await;
        let exempt = bench.call(CHECK, &[]).await;
        // Deadline stands before admission.
        (over, exempt, bench.call(EVALUATE, &[hopeless]).await)
    });
    note("admit", over);
    note("health is exempt", exempt);
    note("too little time, and full", late);
    note("held", held);
    note("given back", bench.call(EVALUATE, &[]).await);
    bench.drain.send_replace(true);
    note("draining", bench.call(EVALUATE, &[("act", "panic")]).await);
    note("draining streams", bench.call(STREAM, &[]).await);
    note("health while draining", bench.call(CHECK, &[]).await);
    drop(guard);

    let expected = [
        ("fine", Code::Ok, 1),
        ("the service's own", Code::InvalidArgument, 1),
        ("catch", Code::Internal, 1),
        ("deadline", Code::DeadlineExceeded, 1),
        ("too little time", Code::DeadlineExceeded, 0),
        // Both the one that is held and health reach the service.
        ("admit", Code::ResourceExhausted, 2),
        ("health is exempt", Code::Ok, 0),
        ("too little time, and full", Code::DeadlineExceeded, 0),
        ("held", Code::DeadlineExceeded, 0),
        ("given back", Code::Ok, 1),
        ("draining", Code::Unavailable, 0),
        ("draining streams", Code::Unavailable, 0),
        ("health while draining", Code::Ok, 1),
    ];
    assert_eq!(told, expected);
    let lines = bench.lines.0.lock().unwrap();
    let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, status) in lines.iter() {
        *ends.entry(status).or_default() += 1;
    }
    let expected = [
        ("DEADLINE_EXCEEDED", 4),
        ("INTERNAL", 1),
        ("INVALID_ARGUMENT", 1),
        ("OK", 4),
        ("RESOURCE_EXHAUSTED", 1),
        ("UNAVAILABLE", 2),
    ];
    assert_eq!(ends, BTreeMap::from(expected), "{lines:?}");
}

#[tokio::test]
async fn a_refusal_for_load_says_so_and_when_to_ask_again() {
    use tonic_types::StatusExt as _;
    let bench = Bench::new();
    let (_, refused) = tokio::join!(bench.call(EVALUATE, &[("act", "hang")]), async {
        let request = Request::post(EVALUATE).body(Body::empty()).unwrap();
        bench.stack.clone().call(request).await.unwrap()
    });
    let status = Status::from_header_map(refused.headers()).unwrap();
    assert_eq!(status.get_details_error_info().unwrap().reason, "OVERLOADED");
    assert!(status.get_details_retry_info().unwrap().retry_delay.is_some());
}

#[tokio::test]
async fn a_call_that_is_alone_on_its_connection_finds_a_place_where_others_have_taken_all() {
    let bench = Bench::of("8");
    let on = async |calls: &Calls| {
        let open = Arc::new(calls.open());
        let request = Request::post(EVALUATE).extension(Arc::clone(&open)).body(Body::empty()).unwrap();
        (code(bench.stack.clone().call(request).await.unwrap().headers()), open)
    };
    let mut others = JoinSet::new();
    for _ in 0..8 {
        let request = Request::post(EVALUATE).header("act", "hang").body(Body::empty()).unwrap();
        others.spawn(bench.stack.clone().call(request));
    }
    tokio::task::yield_now().await;
    let calls = Calls::new();
    let (alone, untaken) = on(&calls).await;
    // Its answer is not taken yet.
    let (second, _) = on(&calls).await;
    drop(untaken);
    let without = bench.call(EVALUATE, &[]).await;
    assert_eq!((alone, second, without), (Code::Ok, Code::ResourceExhausted, Code::ResourceExhausted));
    for other in others.join_all().await {
        assert_eq!(code(other.unwrap().headers()), Code::DeadlineExceeded);
    }
}
