//! The catalog of the analysis against the engine: what the one says of a record, the other reads in it.

use concord::analysis::catalog::{Catalog, Space};
use concord::analysis::logic::{Lit, Logic, Model};
use concord::program::Program;
use concord::rule::truth::Truth;
use concord::ruleset::Ruleset;

/// Atoms of which the engine reads something else in the record of a model.
fn differences(ruleset: &Ruleset, space: &Space<'_>, model: &Model) -> Vec<String> {
    let record = space.record(model);
    let (read, _) = ruleset.truths(&record.patient, &record.as_of);
    let program: &Program = ruleset.program();
    let said = space.atoms(0).iter().map(|rails| model.truth(*rails));
    let pairs = said.zip(read).zip(&program.atoms).filter(|((said, read), _)| said != read);
    pairs
        .map(|((said, read), atom)| format!("{}: said {said:?}, read {read:?} in {}", atom.text, record.request()))
        .collect()
}

#[test]
fn the_engine_reads_in_a_record_what_the_catalog_says_of_it() {
    let ruleset = Ruleset::embedded().expect("the shipped package");
    let catalog = Catalog::new(&[ruleset.side()]);
    let mut logic = Logic::new();
    let space = catalog.assert(&mut logic);
    let mut wrong = Vec::new();
    let mut never = Vec::new();
    for (rails, atom) in space.atoms(0).to_vec().into_iter().zip(&ruleset.program().atoms) {
        let wanted: [(Truth, [Lit; 2]); 3] = [
            (Truth::True, [rails.yes, rails.yes]),
            (Truth::False, [rails.no, rails.no]),
            (Truth::Unknown, [!rails.yes, !rails.no]),
        ];
        for (truth, assumed) in wanted {
            match space.smallest(&mut logic, &assumed) {
                Some(model) => wrong.extend(differences(&ruleset, &space, &model)),
                None => never.push(format!("{} is never {truth:?}", atom.text)),
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    // Entries that contradict each other, and what only says that something can't be counted on, are never unknown.
    let surprising: Vec<&String> =
        never.iter().filter(|text| !text.ends_with("is never Unknown") || !text.contains("recorded")).collect();
    assert!(surprising.is_empty(), "{surprising:#?}");
}

/// Many facts at once: entries that meet in one record.
#[test]
fn entries_that_meet_in_a_record_are_read_alike() {
    let ruleset = Ruleset::embedded().expect("the shipped package");
    let catalog = Catalog::new(&[ruleset.side()]);
    let mut logic = Logic::new();
    let space = catalog.assert(&mut logic);
    let atoms = space.atoms(0).to_vec();
    let mut state = 7_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("fits") % below
    };
    let (mut wrong, mut tried) = (Vec::new(), 0);
    while tried < 100 {
        let mut assumed: Vec<Lit> = Vec::new();
        for _ in 0..12 {
            let rails = atoms[next(atoms.len())];
            assumed.extend(match next(3) {
                0 => vec![rails.no],
                1 => vec![!rails.yes, !rails.no],
                _ => vec![rails.yes],
            });
            // Facts that exclude each other are left out one by one.
            if logic.impossible(&assumed) {
                assumed.clear();
            }
        }
        let Some(model) = logic.solve(&assumed) else { continue };
        tried += 1;
        wrong.extend(differences(&ruleset, &space, &model));
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
