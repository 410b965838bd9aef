//! More calls than can be answered.

use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::audited::{binary, number};
use crate::load::{Caller, apart, memory, percentile};
use crate::server::{Server, request};

const OK: i32 = 0;
const RESOURCE_EXHAUSTED: i32 = 8;

/// Calls at work in the server: the load that saturates it.
const AT_WORK: usize = 4;

/// They ask what the README asks: the record of a patient as there are, not the smallest that there is.
async fn callers(address: &str, count: usize) -> Vec<Caller> {
    let example = request(include_str!("../../examples/oud-ptsd.json"));
    let mut callers = Vec::new();
    for _ in 0..count {
        callers.push(Caller::with(address, example.clone()).await);
    }
    callers
}

/// As many callers as there is room for, each of whom waits for its answer: answers a second.
async fn peak(address: &str, time: Duration) -> f64 {
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for caller in callers(address, AT_WORK).await {
        tasks.spawn(async move {
            let mut answers = 0;
            while begun.elapsed() < time {
                answers += usize::from(caller.call().await.unwrap().0 == OK);
            }
            answers
        });
    }
    let answers: usize = tasks.join_all().await.into_iter().sum();
    rate(answers, begun.elapsed())
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn rate(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// `CONCORD_OVERLOAD_SECONDS` for how long; a minute in the full test, which also holds the figures of the issue.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_times_the_load_costs_no_answer_that_there_was_time_for() {
    let seconds = number("CONCORD_OVERLOAD_SECONDS", 3) as u64;
    let full = seconds >= 60;
    let time = Duration::from_secs(seconds);
    let room = format!("limits.in_flight={AT_WORK}");
    let command = if full { apart() } else { Command::new(binary()) };
    let settings = [&room, "telemetry.log_filter=warn,concord=info,concord::server::call=warn"];
    let server = Server::of(command, "127.0.0.1:0", &settings);
    server.channel().await;
    let id = server.child.id();
    peak(&server.address, Duration::from_secs(1)).await;
    let before = memory(id).0;
    let peak_of = Duration::from_secs(if full { 20 } else { 2 });
    let peak_before = peak(&server.address, peak_of).await;

    // An open loop: calls come at their times, however the server fares.
    let offered = peak_before * 10.0;
    let ends = Arc::new(Mutex::new(Vec::new()));
    let (begun, mut calls) = (Instant::now(), JoinSet::new());
    // Over a few connections, as proxies have them.
    let callers = callers(&server.address, AT_WORK).await;
    let mut ticks = tokio::time::interval(Duration::from_millis(2));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut sent = 0;
    while begun.elapsed() < time {
        ticks.tick().await;
        while rate(sent, begun.elapsed()) < offered {
            let (caller, ends) = (callers[sent % callers.len()].clone(), Arc::clone(&ends));
            calls.spawn(async move {
                let end = caller.call().await;
                ends.lock().unwrap().push(end);
            });
            sent += 1;
            if sent % 64 == 0 {
                break;
            }
        }
        while calls.try_join_next().is_some() {}
    }
    let elapsed = begun.elapsed();
    let by_then = ends.lock().unwrap().iter().flatten().filter(|(status, _)| *status == OK).count();
    calls.join_all().await;
    let ends = std::mem::take(&mut *ends.lock().unwrap());
    assert!(ends.iter().all(Option::is_some), "no connection breaks");
    let of = |wanted: i32| ends.iter().flatten().filter(move |(status, _)| *status == wanted).map(|(_, time)| *time);
    let (mut good, mut shed): (Vec<_>, Vec<_>) = (of(OK).collect(), of(RESOURCE_EXHAUSTED).collect());
    assert_eq!(good.len() + shed.len(), ends.len(), "answers and refusals for load, and nothing else");
    assert!(!shed.is_empty());
    let (after, most) = memory(id);

    let over = Instant::now();
    let back = Caller::connect(&server.address).await;
    while back.call().await.unwrap().0 != OK {
        assert!(over.elapsed() < Duration::from_secs(5), "it does not recover");
    }
    let recovered = over.elapsed();
    // The speed of the machine changes within minutes: what came between is held against the peak on both sides of it.
    let peak_after = peak(&server.address, peak_of).await;
    let share = rate(by_then, elapsed) / f64::midpoint(peak_before, peak_after);
    println!(
        "peak {peak_before:.0}/s before, {peak_after:.0}/s after; offered {:.0}/s for {elapsed:?}; answered {:.0}/s, {:.0} % of peak, p50 {:?} p99 {:?}; \
         refused {} in p50 {:?} p99 {:?}; memory {before} MiB before, {after} after, {most} at most; recovered in {:?}",
        rate(ends.len(), elapsed),
        rate(by_then, elapsed),
        share * 100.0,
        percentile(&mut good, 50),
        percentile(&mut good, 99),
        shed.len(),
        percentile(&mut shed, 50),
        percentile(&mut shed, 99),
        recovered,
    );
    assert!(most < before + 128, "memory is bounded");
    // On a machine that does other things too, the short run only tells a collapse.
    assert!(share >= if full { 0.9 } else { 0.3 }, "{share}");
}
