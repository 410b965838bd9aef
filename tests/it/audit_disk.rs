//! Faults of the disk under a service that records: never an answer without a record, never a crash, and it goes on
//! by itself when the fault is over.
//!
//! A fault begins at the n-th call that the service makes to its disk. Without `CONCORD_DISK_FAULTS=all` a sample of
//! the n is taken.

use std::fs;
use std::path::Path;
use std::time::Duration;

use concord::api::proto::EvaluateResponse;

use crate::audited::{self, Client, Outcome, Service, question};
use crate::disk::power::Chance;
use crate::disk::{Class, Disk, Fault, Kind};

/// What goes wrong, in which calls, and how often: 0 is until it is cleared.
const FAULTS: [(Kind, Class, u64); 13] = [
    (Kind::NoSpace, Class::All, 1),
    (Kind::NoSpace, Class::All, 0),
    (Kind::ReadOnly, Class::All, 1),
    (Kind::ReadOnly, Class::All, 0),
    (Kind::IoError, Class::All, 1),
    (Kind::IoError, Class::All, 0),
    (Kind::Quota, Class::All, 0),
    (Kind::ShortWrite, Class::All, 1),
    (Kind::ShortWrite, Class::All, 0),
    (Kind::FailedSync, Class::All, 1),
    (Kind::FailedSync, Class::All, 0),
    (Kind::IoError, Class::Read, 1),
    (Kind::IoError, Class::Read, 0),
];

/// Decisions whose calls are counted, and at each of whose calls a fault begins.
const DECISIONS: usize = 3;

fn all() -> bool {
    std::env::var("CONCORD_DISK_FAULTS").is_ok_and(|value| value == "all")
}

/// Every one of `1..=calls`, or some of them.
fn places(calls: u64, some: usize, chance: &mut Chance) -> Vec<u64> {
    if all() {
        return (1..=calls).collect();
    }
    (0..some).map(|_| 1 + chance.next() % calls).collect()
}

struct Run<'a> {
    disk: &'a Disk,
    asked: usize,
    refused: Vec<usize>,
    answers: Vec<EvaluateResponse>,
}

impl Run<'_> {
    async fn ask(&mut self, client: &Client) -> bool {
        self.asked += 1;
        self.put(client, self.asked).await
    }

    async fn put(&mut self, client: &Client, number: usize) -> bool {
        match client.ask(question("disk", number)).await {
            Outcome::Answer(answer) => {
                self.answers.push(answer);
                true
            }
            Outcome::NoRecord => {
                self.refused.push(number);
                false
            }
            Outcome::Gone => panic!("the service is gone"),
        }
    }
}

/// A fault begins at the `place`-th call from now; the service lives through it.
async fn fault(run: &mut Run<'_>, client: &Client, (kind, class, times): (Kind, Class, u64), place: u64) {
    run.disk.arm(Fault { kind, class, from: run.disk.count(class) + place, times });
    let mut refused = false;
    // Not every call is one at which each fault can happen, and not each that happens is one of a record.
    for _ in 0..4 * DECISIONS {
        refused |= !run.ask(client).await;
        if refused || (times == 1 && run.disk.fired() > 0) {
            break;
        }
    }
    if refused && times == 0 {
        client.until(false).await;
        assert!(!run.ask(client).await, "an answer while health says that there is none");
    }
    run.disk.clear();
    client.until(true).await;
    // A fault of the work between calls is noticed after it: health may have been asked before.
    let mut answered = false;
    for _ in 0..10 {
        client.until(true).await;
        answered |= run.ask(client).await;
        if answered {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(answered, "{kind:?}: refused when the fault was over");
    // What was refused can be asked again, and is on record once.
    for number in std::mem::take(&mut run.refused) {
        assert!(run.put(client, number).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_gives_an_answer_without_a_record_or_ends_the_service() {
    let beside = audited::folder("faults");
    let watched = beside.join("watched");
    fs::create_dir(&watched).unwrap();
    let disk = Disk::new(&watched, &beside, false);
    let mut service = Service::start(&watched, &beside, Some(&disk));
    let client = service.serving().await;
    let mut run = Run { disk: &disk, asked: 0, refused: Vec::new(), answers: Vec::new() };
    assert!(run.ask(&client).await);
    let before = disk.count(Class::All);
    for _ in 0..DECISIONS {
        assert!(run.ask(&client).await);
    }
    let calls = disk.count(Class::All) - before;
    assert!(calls > 0);
    let (mut chance, mut count) = (Chance(3), 0);
    for one in FAULTS {
        for place in places(calls, 5, &mut chance) {
            fault(&mut run, &client, one, place).await;
            service.lives();
            count += 1;
        }
    }
    service.stop().await;
    let found = audited::decisions(&watched);
    audited::hold(&found, &run.answers);
    println!("{count} faults at one of {calls} calls: {} answers, all of {} on record", run.answers.len(), found.len());
}

/// A start with a fault: it serves, or says why not.
async fn start(data: &Path, beside: &Path, disk: &Disk, what: &str) -> Result<bool, String> {
    let mut service = Service::start(data, beside, Some(disk));
    match service.ready().await {
        Ok(client) => {
            disk.clear();
            client.until(true).await;
            let Outcome::Answer(_) = client.ask(question("start", 0)).await else { panic!("{what}: no answer") };
            service.stop().await;
            Ok(true)
        }
        Err(status) => {
            let said = service.said();
            assert_eq!(status.code(), Some(2), "{what}: {said}");
            // The reason stands alone; lines of the log begin with the time.
            let line = said.lines().rfind(|line| !line.starts_with("20")).map(ToOwned::to_owned);
            Err(line.unwrap_or_else(|| panic!("{what}: no reason: {said}")))
        }
    }
}

/// A folder to start in: `fresh`, or with the log of a service that was killed.
async fn prepare(watched: &Path, beside: &Path, fresh: bool) {
    let _ = fs::remove_dir_all(watched);
    fs::create_dir(watched).unwrap();
    if !fresh {
        let mut service = Service::start(&watched.join("data"), beside, None);
        let client = service.serving().await;
        let Outcome::Answer(_) = client.ask(question("start", 1)).await else { panic!("no answer") };
        service.kill();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_on_a_disk_that_fails_serves_or_says_why_not_and_the_next_one_serves() {
    let beside = audited::folder("start");
    let watched = beside.join("watched");
    let data = watched.join("data");
    let (mut chance, mut served, mut reasons) = (Chance(4), 0, std::collections::BTreeMap::<String, usize>::new());
    for fresh in [true, false] {
        prepare(&watched, &beside, fresh).await;
        let disk = Disk::new(&watched, &beside, false);
        assert_eq!(start(&data, &beside, &disk, "no fault").await, Ok(true));
        let calls = [disk.count(Class::All), disk.count(Class::Read)];
        for (kind, class, times) in FAULTS.into_iter().chain([(Kind::Kill, Class::All, 1)]) {
            let calls = calls[usize::from(class == Class::Read)];
            for place in places(calls, 2, &mut chance) {
                prepare(&watched, &beside, fresh).await;
                let disk = Disk::new(&watched, &beside, false);
                disk.arm(Fault { kind, class, from: place, times });
                let what =
                    format!("{kind:?} of {class:?}, {times} times, from call {place} of {calls}, fresh: {fresh}");
                if kind == Kind::Kill {
                    let mut service = Service::start(&data, &beside, Some(&disk));
                    // Later calls are made when it serves.
                    if let Ok(client) = service.ready().await {
                        drop(client.ask(question("start", 0)).await);
                        service.kill();
                    }
                } else {
                    match start(&data, &beside, &disk, &what).await {
                        Ok(_) => served += 1,
                        Err(reason) => *reasons.entry(without_numbers(&reason)).or_default() += 1,
                    }
                }
                disk.clear();
                assert_eq!(start(&data, &beside, &disk, &what).await, Ok(true), "after {what}");
                let found = audited::decisions(&data);
                assert!(found.contains_key("start-0") && (fresh || found.contains_key("start-1")), "{what}");
            }
        }
    }
    println!("{served} starts served in spite of a fault; the others said:");
    for (reason, count) in reasons {
        println!("{count:4} {reason}");
    }
}

/// Reasons that differ in a number are one.
fn without_numbers(text: &str) -> String {
    text.chars().map(|one| if one.is_ascii_digit() { '#' } else { one }).collect()
}
