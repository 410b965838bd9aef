//! What is fuzzed: functions from bytes to nothing, that panic where something does not hold. `fuzz/src/main.rs` runs
//! them under libFuzzer, `tests/it/fuzz_corpus.rs` over the corpus and its mutations.

mod files;
mod identity;
mod log;
mod record;
mod rules;
pub mod seeds;
mod wire;

/// A target.
pub struct Target {
    /// As its folders are named.
    pub name: &'static str,
    /// What is done with an input.
    pub run: fn(&[u8]),
    /// How many changes of inputs every run of the tests tries.
    #[allow(dead_code, reason = "the fuzzer itself is told how long")]
    pub changes: usize,
}

/// Every target.
pub const ALL: &[Target] = &[
    Target { name: "evaluate", run: wire::evaluate, changes: 150 },
    Target { name: "requests", run: wire::requests, changes: 3_000 },
    Target { name: "input", run: files::input, changes: 1_500 },
    Target { name: "config", run: files::config, changes: 1_000 },
    Target { name: "differ", run: files::differ, changes: 3_000 },
    Target { name: "rules", run: rules::rules, changes: 300 },
    Target { name: "archive", run: rules::archive, changes: 3_000 },
    Target { name: "note", run: record::note, changes: 3_000 },
    Target { name: "leaf", run: record::leaf, changes: 3_000 },
    Target { name: "content", run: record::content, changes: 3_000 },
    Target { name: "proof", run: record::proof, changes: 3_000 },
    Target { name: "log", run: log::log, changes: 500 },
    Target { name: "jwt", run: identity::jwt, changes: 1_000 },
    Target { name: "certificate", run: identity::certificate, changes: 2_000 },
    Target { name: "xfcc", run: identity::xfcc, changes: 3_000 },
];

/// A few inputs of many are held against more than the others, which would cost too much for all: one in `of`, by what
/// is in it.
fn chosen(data: &[u8], of: u32) -> bool {
    let hash = data.iter().fold(2_166_136_261_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(16_777_619));
    (hash >> 8).is_multiple_of(of)
}
