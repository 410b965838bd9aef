//! Power losses: what was answered is on record after each, and the log is whole and goes on.
//!
//! `CONCORD_POWER_POINTS` says how many; 60 without it.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use concord::api::proto::EvaluateResponse;

use crate::audited::{self, Client, Outcome, Service, question};
use crate::disk::power::{self, Chance};
use crate::disk::{Class, Disk, Fault, Kind};

/// Answers, each with the records of the trace at the time when it was there.
type Answered = Vec<(EvaluateResponse, usize)>;

struct Run<'a> {
    disk: &'a Disk,
    asked: usize,
    answered: Answered,
}

impl Run<'_> {
    async fn ask(&mut self, client: &Client) -> bool {
        self.asked += 1;
        match client.ask(question("power", self.asked)).await {
            Outcome::Answer(answer) => {
                self.answered.push((answer, self.disk.records()));
                true
            }
            Outcome::NoRecord => false,
            Outcome::Gone => panic!("the service is gone"),
        }
    }

    async fn answers(&mut self, client: &Client, count: usize) {
        for _ in 0..count {
            assert!(self.ask(client).await);
        }
    }

    /// Waits until there are answers again. What the health says may still be of before the fault.
    async fn recovered(&mut self, client: &Client) {
        let begun = Instant::now();
        while !self.ask(client).await {
            assert!(begun.elapsed() < audited::PATIENCE, "no answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        client.until(true).await;
    }

    /// As many at once, four at a time.
    async fn load(&mut self, client: &Client, count: usize) {
        let tasks: Vec<_> = (0..4)
            .map(|task| {
                let (client, from) = (client.clone(), self.asked + task * count);
                tokio::spawn(async move {
                    let mut answers = Vec::new();
                    for number in from + 1..=from + count {
                        let Outcome::Answer(answer) = client.ask(question("power", number)).await else { panic!() };
                        answers.push(answer);
                    }
                    answers
                })
            })
            .collect();
        self.asked += 4 * count;
        for task in tasks {
            let answers = task.await.unwrap();
            // The trace has at least what each rests on.
            self.answered.extend(answers.into_iter().map(|answer| (answer, self.disk.records())));
        }
    }

    fn arm(&self, kind: Kind, times: u64) {
        self.disk.arm(Fault { kind, class: Class::All, from: 0, times });
    }
}

/// A life of the service with everything that moves files: its first start, ends, faults, and enough work that the
/// write-ahead log is copied back.
async fn life(run: &mut Run<'_>, data: &Path, beside: &Path) {
    let mut service = Service::start(data, beside, Some(run.disk));
    let client = service.serving().await;
    run.answers(&client, 30).await;
    service.stop().await;

    let mut service = Service::start(data, beside, Some(run.disk));
    let client = service.serving().await;
    run.answers(&client, 10).await;
    for kind in [Kind::FailedSync, Kind::NoSpace, Kind::ShortWrite, Kind::IoError] {
        for times in [1, 2, 0] {
            run.arm(kind, times);
            while run.disk.fired() == 0 || (times == 0 && run.ask(&client).await) {
                run.ask(&client).await;
            }
            run.disk.clear();
            run.recovered(&client).await;
            run.answers(&client, 3).await;
        }
    }
    run.load(&client, 100).await;
    run.answers(&client, 200).await;

    // A sync fails, the service is killed before it has recovered, and the next one goes on.
    run.arm(Kind::FailedSync, 0);
    while run.ask(&client).await {}
    run.arm(Kind::Kill, 1);
    service.ended().await;
    run.disk.clear();
    let mut service = Service::start(data, beside, Some(run.disk));
    let client = service.serving().await;
    run.answers(&client, 30).await;
    run.arm(Kind::Kill, 1);
    service.ended().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_loss_takes_nothing_that_was_answered() {
    let beside = audited::folder("power");
    let watched = beside.join("watched");
    fs::create_dir(&watched).unwrap();
    let disk = Disk::new(&watched, &beside, true);
    let mut run = Run { disk: &disk, asked: 0, answered: Vec::new() };
    life(&mut run, &watched.join("data"), &beside).await;
    let answered = run.answered;

    let trace = disk.trace();
    let mut chance = Chance(5);
    let count = audited::number("CONCORD_POWER_POINTS", 60);
    // Half of them right after an answer.
    let mut points: Vec<(usize, u64)> = (0..count)
        .map(|point| match point % 2 {
            0 => (chance.below(trace.records.len() + 1), chance.next()),
            _ => (answered[chance.below(answered.len())].1, chance.next()),
        })
        .collect();
    points.sort_unstable();
    let (mut held, mut empty) = (0, 0);
    trace.images(&points, |at, image| {
        let folder = beside.join("image");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        power::write(&image, &folder);
        let due: Vec<_> = answered.iter().filter(|(_, records)| *records <= at).map(|(one, _)| one.clone()).collect();
        let data = folder.join("data");
        // As the service would: what is cut of a start is no obstacle to the next.
        audited::reopen(&data);
        audited::hold(&audited::decisions(&data), &due);
        held += due.len();
        empty += usize::from(due.is_empty());
    });
    println!(
        "{count} power losses in {} operations, {} answers: {held} answers held, {empty} before the first",
        trace.records.len(),
        answered.len()
    );
}
