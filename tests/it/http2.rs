//! Those who misuse HTTP/2: what they cost the server and those who don't.

mod wire;

use std::process::Command;
use std::time::{Duration, Instant};

use concord::api::proto::EvaluateRequest;
use prost::Message as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use self::wire::{Misuse, Outcome, misuse};
use crate::audited::{binary, number};
use crate::load::{Caller, apart, memory, percentile};
use crate::server::{Server, fine};

/// A call's message with its prefix.
pub fn message() -> Vec<u8> {
    let message = EvaluateRequest { request_id: String::new(), ..fine() }.encode_to_vec();
    [&[0][..], &u32::try_from(message.len()).unwrap().to_be_bytes(), &message].concat()
}

/// Connections that misuse the server at once.
const ATTACKERS: usize = 6;

/// Short, so that what is to be reaped is reaped in the test.
const SETTINGS: [&str; 9] = [
    // On one processor as on two: what is measured is misuse, not load.
    "limits.in_flight=128",
    "server.preface_timeout=1s",
    "server.connection_idle=2s",
    "server.connection_grace=1s",
    "server.connection_age=10s",
    "server.keepalive_interval=1s",
    "server.keepalive_timeout=1s",
    "server.send_timeout=1s",
    "telemetry.log_filter=warn,concord=info,concord::server::call=warn",
];

/// The longest that any of these may keep a connection.
const PATIENCE: Duration = Duration::from_secs(20);

/// Calls one after another with a pause between, for `time`. On a thread of its own: what is measured is not how long
/// the attackers keep this process busy.
async fn good(address: String, time: Duration) -> Vec<Duration> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::spawn_blocking(move || runtime.block_on(calls(address, time))).await.unwrap()
}

async fn calls(address: String, time: Duration) -> Vec<Duration> {
    let begun = Instant::now();
    let mut times = Vec::new();
    let mut caller = Caller::connect(&address).await;
    while begun.elapsed() < time {
        // Connections reach their age here within seconds: a good client comes again.
        let again = Instant::now();
        let (status, took) = loop {
            match caller.call().await {
                Some((status, _)) => break (status, again.elapsed()),
                None => caller = Caller::connect(&address).await,
            }
        };
        assert_eq!(status, 0, "a good call fails");
        times.push(took);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    times
}

/// `CONCORD_MISUSE_SECONDS` for how long each is done; a minute in the full test. `CONCORD_MISUSE_ONLY` names one of
/// them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_misuses_the_protocol_is_bounded_and_reaped_and_others_are_served() {
    let seconds = number("CONCORD_MISUSE_SECONDS", 1) as u64;
    let (full, time) = (seconds >= 10, Duration::from_secs(seconds));
    let command = if full { apart() } else { Command::new(binary()) };
    let server = Server::of(command, "127.0.0.1:0", &SETTINGS);
    server.channel().await;
    let id = server.child.id();
    good(server.address.clone(), Duration::from_secs(1)).await;
    let (mut failures, mut table) = (Vec::new(), String::new());
    let only = std::env::var("CONCORD_MISUSE_ONLY").ok();
    for what in Misuse::ALL.into_iter().filter(|what| only.as_ref().is_none_or(|only| *only == format!("{what:?}"))) {
        let mut normal = good(server.address.clone(), time.min(Duration::from_secs(5))).await;
        let (before, _) = memory(id);
        let mut attackers = JoinSet::new();
        for _ in 0..ATTACKERS {
            let address = server.address.clone();
            attackers.spawn(async move { misuse(what, &address, time, PATIENCE).await });
        }
        let mut beside = good(server.address.clone(), time).await;
        let (during, _) = memory(id);
        let outcomes: Vec<Outcome> = attackers.join_all().await;
        let sum = |of: fn(&Outcome) -> usize| outcomes.iter().map(of).sum::<usize>();
        let (made, ended) = (sum(|one| one.connections), sum(|one| one.ended));
        let lingered = outcomes.iter().map(|one| one.lingered).max().unwrap_or_default();
        let (usual, then) = (percentile(&mut normal, 99), percentile(&mut beside, 99));
        table += &format!(
            "{what:?}: {} frames over {made} connections, {ended} ended, the last {lingered:?} after it was left alone; \
             memory {before} then {during} MiB; p99 {usual:?} then {then:?}\n",
            sum(|one| one.frames),
        );
        if ended < made {
            failures.push(format!("{what:?}: {} of {made} connections were never ended", made - ended));
        }
        if during > before + 32 {
            failures.push(format!("{what:?}: memory grew from {before} to {during} MiB"));
        }
        // In the short run a machine that does other things too is what is measured below this.
        let usual = usual.max(Duration::from_millis(if full { 0 } else { 50 }));
        if then > usual * if full { 3 } else { 20 } {
            failures.push(format!("{what:?}: p99 of good calls went from {usual:?} to {then:?}"));
        }
    }
    println!("{table}");
    assert!(!table.is_empty(), "{only:?} is none of {:?}", Misuse::ALL);
    assert!(failures.is_empty(), "{failures:#?}\n{table}");
}

#[tokio::test]
async fn there_are_no_more_connections_than_may_be() {
    let server = Server::start(&["server.max_connections_per_peer=3", "server.preface_timeout=60s"]);
    drop(server.channel().await);
    let mut held = Vec::new();
    let ended = async |stream: &mut TcpStream| {
        let mut byte = [0];
        let read = tokio::io::AsyncReadExt::read(stream, &mut byte);
        matches!(tokio::time::timeout(Duration::from_millis(500), read).await, Ok(Ok(0) | Err(_)))
    };
    // Until there is no room; what was open before may still be closing.
    for _ in 0..10 {
        let mut stream = TcpStream::connect(&server.address).await.unwrap();
        if !ended(&mut stream).await {
            held.push(stream);
        }
    }
    assert_eq!(held.len(), 3);
    server.logged("max_connections_per_peer").await;
    drop(held);
    // There is room again.
    for _ in 0..100 {
        let mut stream = TcpStream::connect(&server.address).await.unwrap();
        if !ended(&mut stream).await {
            return;
        }
    }
    panic!("no room again");
}

#[tokio::test]
async fn a_server_out_of_descriptors_waits_and_comes_back() {
    let mut command = Command::new("sh");
    command.arg("-c").arg(r#"ulimit -n 64; exec "$0" "$@""#).arg(crate::audited::binary());
    let server = Server::of(command, "127.0.0.1:0", &["telemetry.log_filter=warn,concord=info"]);
    server.channel().await;
    let mut held = Vec::new();
    for _ in 0..120 {
        held.push(TcpStream::connect(&server.address).await.unwrap());
    }
    let ticks = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.child.id())).unwrap();
        let after = stat.rsplit_once(')').unwrap().1;
        after.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<usize>().unwrap()).sum::<usize>()
    };
    let before = ticks();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (spent, log) = (ticks() - before, server.log.lock().unwrap().clone());
    let told = log.lines().filter(|line| line.contains("connections could not be accepted")).count();
    println!("{spent} of 200 ticks, {told} warnings in 2 s");
    assert!((1..=5).contains(&told), "{log}");
    // Without the pause it is all of one core.
    assert!(spent < 100, "{spent}");
    drop(held);
    let caller = Caller::connect(&server.address).await;
    assert_eq!(caller.call().await.unwrap().0, 0);
}

#[tokio::test]
async fn a_connection_of_age_is_asked_to_end_and_its_calls_finish() {
    let server = Server::start(&["server.connection_age=300ms", "server.connection_grace=10s"]);
    server.channel().await;
    let socket = TcpStream::connect(&server.address).await.unwrap();
    let (send, connection) = h2::client::handshake(socket).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut send = send.ready().await.unwrap();
    let uri = format!("http://{}/concord.v1.DecisionService/Evaluate", server.address);
    let request = http::Request::post(uri).header("content-type", "application/grpc").body(()).unwrap();
    let (response, mut body) = send.send_request(request, false).unwrap();
    // No further call fits once it was asked to end.
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(send.ready().await.is_err());
    body.send_data(message().into(), true).unwrap();
    let (head, mut body) = response.await.unwrap().into_parts();
    assert_eq!(head.status, 200);
    while let Some(data) = body.data().await {
        body.flow_control().release_capacity(data.unwrap().len()).unwrap();
    }
    assert_eq!(body.trailers().await.unwrap().unwrap()["grpc-status"], "0");
    let _ = tokio::time::timeout(Duration::from_secs(5), connection).await.expect("the connection ends");
}
