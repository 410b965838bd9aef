//! One program with every target, run by libFuzzer. `CONCORD_FUZZ` names the target; the arguments are libFuzzer's.
//!
//! An input that takes more than a second of processor time or more than 256 MiB is a crash like any other. The time is
//! that of the thread, so that a busy machine finds nothing that is not there.

#![no_main]

mod memory;
mod targets;

use std::sync::OnceLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use rustix::time::{ClockId, clock_gettime};

static TARGET: OnceLock<fn(&[u8])> = OnceLock::new();

/// Processor time that one input may take.
const LONGEST: Duration = Duration::from_secs(1);

fn choose() {
    let wanted = std::env::var("CONCORD_FUZZ").unwrap_or_default();
    let found = targets::ALL.iter().find(|target| target.name == wanted);
    let Some(target) = found else {
        let names: Vec<&str> = targets::ALL.iter().map(|target| target.name).collect();
        eprintln!("CONCORD_FUZZ is none of {}", names.join(", "));
        std::process::exit(2);
    };
    if let Some(folder) = std::env::var_os("CONCORD_FUZZ_SEEDS") {
        for (at, seed) in targets::seeds::of(target.name).iter().enumerate() {
            std::fs::write(std::path::Path::new(&folder).join(format!("seed-{at}")), seed).expect("written");
        }
    }
    // What is made once is not held against the first input.
    (target.run)(&[]);
    TARGET.get_or_init(|| target.run);
}

fn spent() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

fuzz_target!(init: choose(), |data: &[u8]| {
    let began = spent();
    memory::begin();
    if let Some(run) = TARGET.get() {
        run(data);
    }
    memory::end();
    let took = spent().saturating_sub(began);
    assert!(took < LONGEST, "an input takes {took:?}");
});
