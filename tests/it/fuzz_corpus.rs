//! The targets of the fuzzer (`fuzz/README.md`) over their seeds, over the corpus in the repository, and over changes of
//! both, the same in every run. `CONCORD_FUZZ_ROUNDS` multiplies the changes.

#[path = "../../fuzz/src/targets/mod.rs"]
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::dice::Dice;

/// What often lies at a limit of something.
const PIECES: [&[u8]; 14] = [
    b"\0",
    b"\n",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\xff",
    "\u{430}\u{200d}".as_bytes(),
    b"2024-02-30",
    b"9999-12-31T23:59:59+23:59",
    b"99999999999999999999",
    b"-1",
    b"NaN",
    b"1e999",
    b"*a",
    b"{[\"",
    b": ",
];

fn changed(dice: &mut Dice, inputs: &[Vec<u8>]) -> Vec<u8> {
    let mut input = inputs[dice.roll(inputs.len())].clone();
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(input.len() + 1);
        let end = (at + 1 + dice.roll(8)).min(input.len());
        match dice.roll(6) {
            0 if at < input.len() => input[at] ^= 1 << dice.roll(8),
            1 => drop(input.drain(at..end)),
            2 => drop(input.splice(at..at, PIECES[dice.roll(PIECES.len())].iter().copied())),
            3 => {
                let part = input[at..end].to_vec();
                input.splice(at..at, part.repeat(1 + dice.roll(40)));
            }
            4 => input.truncate(at),
            _ => {
                let other = &inputs[dice.roll(inputs.len())];
                let from = dice.roll(other.len());
                let to = (from + dice.roll(64)).min(other.len());
                input.splice(at..end, other[from..to].iter().copied());
            }
        }
    }
    input
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new("fuzz/corpus").join(target);
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn no_input_of_the_corpus_and_no_change_of_one_breaks_a_target() {
    let rounds: usize = std::env::var("CONCORD_FUZZ_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap());
    for target in targets::ALL {
        let run = |input: &[u8]| {
            let held = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
            assert!(held.is_ok(), "{}: \"{}\"", target.name, input.escape_ascii());
        };
        let mut inputs = targets::seeds::of(target.name);
        let seeds = inputs.len();
        inputs.extend(corpus(target.name));
        assert!(!inputs.is_empty(), "{} has nothing to begin with", target.name);
        for input in &inputs {
            run(input);
        }
        let mut dice = Dice(0x5eed);
        for _ in 0..target.changes * rounds {
            run(&changed(&mut dice, &inputs));
        }
        println!("{}: {seeds} seeds, {} of the corpus, {} changes", target.name, inputs.len() - seeds, target.changes);
    }
}

/// A folder of the corpus that no target has would be read by no one.
#[test]
fn every_folder_of_the_corpus_is_that_of_a_target() {
    for kind in ["fuzz/corpus", "fuzz/dict"] {
        for entry in std::fs::read_dir(kind).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let name = name.strip_suffix(".dict").unwrap_or(&name);
            assert!(targets::ALL.iter().any(|target| target.name == name), "{kind}/{name}");
        }
    }
}
