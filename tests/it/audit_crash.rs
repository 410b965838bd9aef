//! `kill -9` at random moments under load: every answer that came is on record, as it came and once, and the log is
//! whole after each.
//!
//! `scripts/crash` runs it on the release build. `CONCORD_CRASH_ROUNDS` says how often, 25 without it, and
//! `CONCORD_CRASH_RATE` how many answers a second there must be.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use concord::api::proto::EvaluateResponse;

use crate::audited::{self, Client, Outcome, Service, question};
use crate::disk::power::Chance;

/// Callers, each of whom waits for its answer before it asks again.
const CALLERS: usize = 32;

/// Rounds of one log: the whole of it is read after each.
const ROUNDS_OF_A_LOG: usize = 20;

/// One caller: what it was answered, and what it asked and has no answer to.
async fn caller(client: Client, numbers: Arc<AtomicUsize>, again: Vec<usize>) -> (Vec<EvaluateResponse>, Vec<usize>) {
    let mut answers = Vec::new();
    let mut open = again;
    loop {
        let number = open.pop().unwrap_or_else(|| numbers.fetch_add(1, Ordering::Relaxed));
        match client.ask(question("crash", number)).await {
            Outcome::Answer(answer) => answers.push(answer),
            Outcome::NoRecord => open.push(number),
            Outcome::Gone => {
                open.push(number);
                return (answers, open);
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_killed_loses_nothing_that_it_answered() {
    let rounds = audited::number("CONCORD_CRASH_ROUNDS", 25);
    let mut chance = Chance(audited::number("CONCORD_CRASH_SEED", 1) as u64);
    let (beside, numbers) = (audited::folder("crash"), Arc::new(AtomicUsize::new(0)));
    let (mut loaded, mut total, mut kept, mut early, mut repeated) = (Duration::ZERO, 0, 0, 0, 0);
    let (mut answers, mut open, mut data) = (Vec::<EvaluateResponse>::new(), Vec::<usize>::new(), beside.join("log-0"));
    for round in 0..rounds {
        if round % ROUNDS_OF_A_LOG == 0 {
            let _ = std::fs::remove_dir_all(&data);
            data = beside.join(format!("log-{round}"));
            answers.clear();
            open.clear();
        }
        let mut service = Service::start(&data, &beside, None);
        if chance.below(5) == 0 {
            // Before it serves, or soon after: a start is cut as well.
            tokio::time::sleep(Duration::from_millis(chance.next() % 400)).await;
            service.kill();
            early += 1;
        } else {
            let client = service.serving().await;
            let mut callers = Vec::new();
            for caller_number in 0..CALLERS {
                let again = open.iter().copied().skip(caller_number).step_by(CALLERS).collect();
                callers.push(tokio::spawn(caller(client.clone(), Arc::clone(&numbers), again)));
            }
            let begun = Instant::now();
            tokio::time::sleep(Duration::from_micros(20_000 + chance.next() % 600_000)).await;
            service.kill();
            loaded += begun.elapsed();
            open.clear();
            for caller in callers {
                let (answered, unanswered) = caller.await.unwrap();
                total += answered.len();
                repeated += answered.iter().filter(|one| one.receipt.as_ref().is_some_and(|of| of.repeated)).count();
                answers.extend(answered);
                open.extend(unanswered);
            }
        }
        if data.join("audit.db").exists() && !answers.is_empty() {
            let found = audited::decisions(&data);
            audited::hold(&found, &answers);
            kept = found.len();
        }
    }
    let rate = total as f64 / loaded.as_secs_f64();
    println!(
        "{rounds} kills, {early} of them at a start: {total} answers at {rate:.0} a second, {repeated} of them to a \
         question that was on record before the kill; the last log has {kept} decisions"
    );
    let wanted = audited::number("CONCORD_CRASH_RATE", 0);
    assert!(rate >= wanted as f64, "{rate} answers a second, and {wanted} are wanted");
}

/// Locks that the service has on the file of its log.
fn locks(service: &Service, data: &Path) -> usize {
    let (id, inode) = (service.child.id().to_string(), std::fs::metadata(data.join("audit.db")).unwrap().ino());
    let all = std::fs::read_to_string("/proc/locks").unwrap();
    let ours = |line: &&str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words[4] == id && words[5].ends_with(&format!(":{inode}"))
    };
    all.lines().filter(ours).count()
}

/// SQLite tells by locks who is still there, and a process loses those when it closes any other handle of the file. An
/// auditor's `sqlite3` would then be the last one to leave, and delete the write-ahead log under the service.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_connection_leaves_the_locks_of_the_first() {
    let beside = audited::folder("auditor");
    let data = beside.join("data");
    let mut service = Service::start(&data, &beside, None);
    let client = service.serving().await;
    let mut answers = Vec::new();
    // Asked again, so that it is read: on a second connection.
    for number in [1, 1, 2] {
        let Outcome::Answer(answer) = client.ask(question("auditor", number)).await else { panic!("no answer") };
        answers.push(answer);
        assert_eq!(locks(&service, &data), 1, "after {} answers", answers.len());
    }
    service.kill();
    audited::hold(&audited::decisions(&data), &answers);
}
