//! Milliseconds that a check takes: of the shipped package from its files, of
//! its logical half, and of a package of two thousand rules.
//!
//! `cargo bench --bench check` prints a table, and the most memory that the
//! process held.
#![expect(clippy::expect_used, reason = "a benchmark ends where it can't go on")]

use std::hint::black_box;
use std::time::Instant;

use concord::analysis::check;
use concord::rule::model::RuleStatus;
use concord::ruleset::{Checked, Depth, Origin, check_sources};

mod larger;

/// Rounds; the median of them counts.
const ROUNDS: usize = 7;

fn checked(depth: Depth) -> Checked {
    check_sources(Origin::default().read().expect("the package in the binary"), None, depth)
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
    let larger = larger::with_unrelated(&package, 2_000_usize.div_ceil(active));
    let active = larger.rules.iter().filter(|rule| rule.status == RuleStatus::Active).count();
    for (name, depth) in [("what loading asks", Depth::Errors), ("all", Depth::All)] {
        let began = Instant::now();
        let found = check::package(&larger, depth).len();
        println!("{:<52} {:>8} ms, {found} findings", format!("{active} rules, {name}"), began.elapsed().as_millis());
    }
    if let Ok(status) = std::fs::read_to_string("/proc/self/status")
        && let Some(most) = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))
    {
        println!("{:<52} {:>11}", "most memory held", most.trim());
    }
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
