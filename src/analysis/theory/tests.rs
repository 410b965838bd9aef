//! What follows from what, family by family, and what does not.

use super::*;
use crate::analysis::space::Space;
use crate::diag::Files;
use crate::program::compile::compile;
use crate::rule::{check, read};

const PACKAGE: &str = "
package: {name: theory, version: 0.0.1, title: t, developer: d, released: 2026-01-01}
events:
- {id: last-use, title: last use, newest: true}
- {id: overdose, title: overdose}
plans: [{id: start, title: start}]
preferences: [{id: wish, title: wish}, {id: other-wish, title: other wish}]
history: [{id: abuse, title: abuse}]
substances:
- {id: heroin, classes: [opioid]}
- {id: fentanyl, classes: [opioid, potent]}
- {id: opioids, classes: [opioid], unspecific: true}
answers:
- {id: positive, words: [positive], excludes: [negative]}
- {id: negative, words: [negative]}
concepts:
- {id: mild, kind: diagnosis, title: mild, icd-10-cm: [F11.10]}
- {id: remitted, kind: diagnosis, title: remitted, icd-10-cm: [F11.11]}
- {id: disorder, kind: diagnosis, title: disorder, includes: [mild], icd-10-cm: [F11.20], remission: remitted, relapsing: true}
- {id: union, kind: diagnosis, title: union, includes: [disorder, anxiety]}
- {id: anxiety, kind: diagnosis, title: anxiety, icd-10-cm: [F41.1]}
- {id: methadone, kind: medication, title: methadone, rxnorm: ['6813']}
- {id: agonist, kind: medication, title: agonist, includes: [methadone], rxnorm: ['1819']}
- {id: qtc, kind: observation, title: QTc, loinc: [8636-3], unit: ms}
- {id: urine, kind: observation, title: urine, loinc: [3879-4]}
";

/// Does the second follow from the first for every record? Both are conditions.
fn follows(premise: &str, conclusion: &str) -> bool {
    let text = format!(
        "{PACKAGE}definitions:\n- {{id: premise, title: p, when: {premise}}}\n- {{id: conclusion, title: c, when: \
         {conclusion}}}\n"
    );
    let files = Files::new(vec![("theory.yaml".to_owned(), text)]);
    let mut faults = Vec::new();
    let documents = read::documents(files.iter(), &mut faults);
    let (package, more) = read::package(&documents, &files);
    faults.extend(more);
    faults.extend(check::package(&package, None));
    assert!(faults.is_empty(), "{}", crate::diag::render(&faults, &files, false));
    let program = compile(&package);
    let theory = Theory::new(&package);
    let node = |id: &str| program.definitions.iter().find(|one| one.id == id).expect("a definition").node;
    let (premise, conclusion) = (node("premise"), node("conclusion"));
    let mut space = Space::of(&theory, &program, &[premise, conclusion]);
    let (premise, conclusion) = (space.of_node(premise), space.of_node(conclusion));
    assert!(!space.impossible(&[premise.yes]), "no record fulfills the premise");
    space.impossible(&[premise.yes, !conclusion.yes])
}

fn hold(table: &[(&str, &str, bool)]) {
    for (premise, conclusion, expected) in table {
        assert_eq!(follows(premise, conclusion), *expected, "{premise} => {conclusion}");
    }
}

#[test]
fn numbers_have_one_place_on_their_scale() {
    hold(&[
        ("{observation: qtc, at_least: 500}", "{observation: qtc, at_least: 450}", true),
        ("{observation: qtc, at_least: 0.5 s}", "{observation: qtc, at_least: 450}", true),
        ("{observation: qtc, at_least: 450}", "{observation: qtc, at_least: 500}", false),
        ("{observation: qtc, at_least: 500}", "{not: {observation: qtc, below: 500}}", true),
        (
            "{all: [{observation: qtc, at_least: 450}, {observation: qtc, at_most: 450}]}",
            "{not: {observation: qtc, above: 450}}",
            true,
        ),
        ("{not: {observation: qtc, at_least: 450}}", "{observation: qtc, below: 450}", false),
        (
            "{all: [{not: {observation: qtc, at_least: 450}}, {observation: qtc}]}",
            "{unknown: {observation: qtc, below: 450}}",
            false,
        ),
        ("{observation: qtc, at_least: 500}", "{observation: qtc}", true),
        ("{observation: qtc, at_least: 2 ULN}", "{observation: qtc, at_least: 1 ULN}", true),
    ]);
}

#[test]
fn a_newest_result_is_the_newest_of_a_wider_window_too() {
    hold(&[
        (
            "{observation: qtc, within: 30 days, at_least: 500}",
            "{observation: qtc, within: 3 months, at_least: 450}",
            true,
        ),
        (
            "{observation: qtc, within: 3 months, at_least: 500}",
            "{observation: qtc, within: 30 days, at_least: 500}",
            false,
        ),
        ("{observation: qtc, within: 30 days}", "{observation: qtc, within: 1 year}", true),
        (
            "{observation: qtc, within: 30 days, at_least: 500}",
            "{observation: qtc, more_than: 7 days, at_least: 500}",
            false,
        ),
    ]);
}

#[test]
fn answers_exclude_each_other() {
    hold(&[
        ("{observation: urine, is: positive}", "{not: {observation: urine, is: negative}}", true),
        ("{observation: urine, is: negative}", "{not: {observation: urine, is: positive}}", true),
        ("{not: {observation: urine, is: positive}}", "{observation: urine, is: negative}", false),
    ]);
}

#[test]
fn ages_are_whole() {
    hold(&[
        ("{age: {above: 17}}", "{age: {at_least: 18}}", true),
        ("{age: {at_least: 18}}", "{not: {age: {below: 12}}}", true),
        ("{not: {age: {at_least: 18}}}", "{age: {below: 18}}", true),
        ("{age: {at_least: 12}}", "{age: {at_least: 18}}", false),
    ]);
}

#[test]
fn fields_have_one_value() {
    hold(&[
        ("{sex: female}", "{not: {sex: male}}", true),
        ("{none: [{sex: female}, {sex: other}]}", "{sex: male}", true),
        ("{known: {pregnancy: pregnant}}", "{either: [{pregnancy: pregnant}, {pregnancy: not-pregnant}]}", true),
        ("{setting: custody}", "{not: {setting: [emergency, inpatient]}}", true),
        ("{not: {sex: female}}", "{sex: male}", false),
    ]);
}

#[test]
fn an_entry_speaks_of_every_concept_that_holds_its_code() {
    hold(&[
        (
            "{all: [{diagnosis: mild}, {not: {diagnosis: disorder, status: doubtful}}]}",
            "{diagnosis: disorder, status: ever}",
            true,
        ),
        ("{diagnosis: mild}", "{diagnosis: disorder, status: ever}", true),
        // Where another entry says remission and is newer, neither is active.
        ("{diagnosis: mild}", "{diagnosis: disorder}", true),
        ("{diagnosis: mild, status: past}", "{diagnosis: disorder, status: past}", true),
        (
            "{diagnosis: disorder}",
            "{any: [{not: {diagnosis: disorder, status: remission}}, {unknown: {diagnosis: disorder, status: remission}}]}",
            true,
        ),
        // A union may be active by one disorder and in remission by another.
        ("{diagnosis: disorder}", "{diagnosis: union}", true),
        ("{diagnosis: disorder, status: remission}", "{diagnosis: union, status: remission}", true),
        (
            "{diagnosis: union}",
            "{any: [{not: {diagnosis: union, status: remission}}, {unknown: {diagnosis: union, status: remission}}]}",
            false,
        ),
        (
            "{all: [{diagnosis: mild}, {not: {diagnosis: disorder, status: doubtful}}, {not: {diagnosis: disorder, status: conflicting}}, {not: {diagnosis: disorder, status: remission}}]}",
            "{diagnosis: disorder}",
            true,
        ),
        (
            "{diagnosis: remitted}",
            "{any: [{diagnosis: disorder, status: remission}, {diagnosis: disorder, status: conflicting}]}",
            true,
        ),
        (
            "{diagnosis: disorder}",
            "{any: [{not: {diagnosis: disorder, status: past}}, {unknown: {diagnosis: disorder, status: past}}]}",
            true,
        ),
        // An entry that is not in a partial list may be past, or in remission.
        ("{diagnosis: disorder}", "{not: {diagnosis: disorder, status: past}}", false),
        ("{diagnosis: disorder}", "{diagnosis: mild}", false),
        ("{diagnosis: anxiety}", "{diagnosis: disorder, status: ever}", false),
        ("{diagnosis: anxiety, severity: severe}", "{diagnosis: anxiety, severity: [moderate, severe]}", true),
        ("{diagnosis: anxiety, recorded_within: 30 days}", "{diagnosis: anxiety, recorded_within: 1 year}", true),
        ("{diagnosis: anxiety, status: conflicting}", "{diagnosis: anxiety, status: ever}", true),
    ]);
}

#[test]
fn what_is_taken_is_taken_of_every_class() {
    hold(&[
        ("{medication: methadone}", "{medication: agonist}", true),
        ("{medication: methadone}", "{medication: agonist, status: current-or-planned}", true),
        (
            "{medication: methadone, status: stopped, ended_within: 28 days}",
            "{medication: agonist, status: ever}",
            true,
        ),
        (
            "{medication: methadone, daily_dose: {above: 80 mg/d}}",
            "{medication: methadone, daily_dose: {above: 60 mg/d}}",
            true,
        ),
        (
            "{medication: methadone, given_for: anxiety}",
            "{medication: methadone, given_for: [anxiety, disorder]}",
            true,
        ),
        // One entry may say so, and another not.
        (
            "{medication: methadone, given_for: anxiety}",
            "{not: {medication: methadone, not_given_for: anxiety}}",
            false,
        ),
        ("{medication: agonist}", "{medication: methadone}", false),
        (
            "{medication: methadone, status: current-or-planned}",
            "{any: [{medication: methadone}, {medication: methadone, status: planned}]}",
            true,
        ),
        ("{allergy: methadone}", "{allergy: agonist}", true),
        ("{not: {allergy: agonist}}", "{not: {allergy: methadone}}", false),
    ]);
}

#[test]
fn what_happened_lately_happened() {
    hold(&[
        (
            "{event: overdose, substance: potent, within: 7 days}",
            "{event: overdose, substance: opioid, within: 12 months}",
            true,
        ),
        ("{event: last-use, substance: potent, within: 7 days}", "{event: last-use, within: 7 days}", true),
        (
            "{event: last-use, within: 7 days}",
            "{not: {all: [{known: {event: last-use, more_than: 14 days}}, {event: last-use, more_than: 14 days}]}}",
            true,
        ),
        (
            "{all: [{event: last-use, within: 7 days}, {known: {event: last-use, more_than: 14 days}}]}",
            "{not: {event: last-use, more_than: 14 days}}",
            true,
        ),
        ("{event: overdose, within: 7 days}", "{event: overdose, substance: opioid}", false),
        ("{plan: start, of: methadone}", "{plan: start, of: agonist}", true),
        ("{plan: start, of: methadone}", "{plan: start}", true),
    ]);
}

#[test]
fn absence_is_the_same_for_a_whole_list() {
    hold(&[
        ("{not: {preference: wish}}", "{known: {preference: other-wish}}", true),
        ("{history: abuse}", "{known: {preference: wish}}", false),
        ("{not: {observation: qtc}}", "{not: {observation: qtc, at_least: 500}}", true),
    ]);
}
