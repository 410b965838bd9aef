//! Milliseconds that check, test and diff take, of the shipped package and of a
//! package of two thousand rules.
//!
//! `cargo bench --bench check` prints a table, and the most memory that the
//! process held up to each row.
#![expect(clippy::expect_used, reason = "a benchmark ends where it can't go on")]

use std::hint::black_box;
use std::time::Instant;

use concord::analysis::catalog::Side;
use concord::analysis::check;
use concord::analysis::diff::compare;
use concord::deck;
use concord::deck::coverage::Coverage;
use concord::deck::run::run;
use concord::diag::Files;
use concord::engine::Engine;
use concord::rule::model::{Package, RuleStatus};
use concord::ruleset::{self, Checked, Depth, Origin, check_sources};

mod larger;

/// Rounds; the median of them counts.
const ROUNDS: usize = 7;

fn checked(depth: Depth) -> Checked {
    check_sources(Origin::default().read().expect("the package in the binary"), None, depth)
}

/// The cases of a package run, what they show of it, and the package held against itself.
fn tools(package: &Package) {
    let active = package.rules.iter().filter(|rule| rule.status == RuleStatus::Active).count();
    let engine = Engine::new(package.clone()).expect("value sets");
    let (deck, faults) = deck::read(Files::new(ruleset::embedded_cases()), package);
    assert!(faults.is_empty(), "the cases of the package in the binary are read");
    let cases = deck.cases.len();
    once(&format!("{active} rules, test: {cases} cases"), || run(&deck, &engine, |_| true).len());
    let verdicts = run(&deck, &engine, |_| true);
    once(&format!("{active} rules, test: coverage"), || Coverage::of(&engine, &verdicts, |_| true).rules.len());
    let side = || Side { package, program: engine.program(), index: engine.index() };
    once(&format!("{active} rules, diff: proven equal to itself"), || compare(side(), side()).entries.len());
}

fn once(name: &str, run: impl FnOnce() -> usize) {
    let began = Instant::now();
    black_box(run());
    println!("{name:<52} {:>8} ms, {} held at most", began.elapsed().as_millis(), held());
}

fn held() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")).map_or_else(String::new, |most| most.trim().to_owned())
}

fn main() {
    let package = checked(Depth::Errors).package;
    let active = package.rules.iter().filter(|rule| rule.status == RuleStatus::Active).count();
    row(&format!("{active} rules, read, checked and asked all"), || {
        black_box(checked(Depth::All));
    });
    for (name, depth) in [("what loading asks", Depth::Errors), ("all", Depth::All)] {
        row(&format!("{active} rules, {name}"), || {
            black_box(check::package(black_box(&package), depth));
        });
    }
    tools(&package);
    let larger = larger::with_unrelated(&package, 2_000_usize.div_ceil(active));
    let active = larger.rules.iter().filter(|rule| rule.status == RuleStatus::Active).count();
    for (name, depth) in [("what loading asks", Depth::Errors), ("all", Depth::All)] {
        let began = Instant::now();
        let found = check::package(&larger, depth).len();
        println!("{:<52} {:>8} ms, {found} findings", format!("{active} rules, {name}"), began.elapsed().as_millis());
    }
    tools(&larger);
    println!("{:<52} {:>11}", "most memory held", held());
}

fn row(name: &str, mut run: impl FnMut()) {
    let mut rounds: Vec<u128> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            run();
            began.elapsed().as_millis()
        })
        .collect();
    rounds.sort_unstable();
    let median = rounds.get(ROUNDS / 2).expect("some rounds");
    println!("{name:<52} {median:>8} ms");
}
