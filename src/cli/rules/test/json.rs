//! The results of a test for programs.

use serde_json::{Value, json};

use super::Results;
use crate::deck::coverage::{Coverage, Goal, Shown};
use crate::deck::mutate::{Fate, Report};
use crate::deck::run::{Proof, Verdict};
use crate::deck::truth_word;
use crate::diag::{Files, Span};

pub(super) fn report(results: &Results<'_>) -> String {
    let bench = results.bench;
    let meta = &bench.ruleset.package().meta;
    let cases: Vec<Value> = results.verdicts.iter().map(|verdict| case(verdict, &bench.deck.files)).collect();
    let mut report = json!({
        "package": {"name": meta.name, "version": meta.version, "digest": bench.ruleset.digest()},
        "cases": cases,
        "passed": results.verdicts.len().saturating_sub(results.failed()),
        "failed": results.failed(),
    });
    if let (Some(coverage), Some(report)) = (&results.coverage, report.as_object_mut()) {
        report.insert("coverage".to_owned(), covered(coverage, &bench.files));
    }
    if let (Some(mutation), Some(report)) = (&results.mutation, report.as_object_mut()) {
        report.insert("mutation".to_owned(), mutated(mutation, &bench.files));
    }
    if let (Some(sizes), Some(report)) = (&results.sizes, report.as_object_mut()) {
        report.insert("sizes".to_owned(), sizes.json());
    }
    format!("{report:#}\n")
}

fn place(files: &Files, span: Span) -> (String, usize) {
    files.position(span).map_or_else(|| (String::new(), 0), |(file, line, _)| (file.to_owned(), line))
}

fn case(verdict: &Verdict<'_>, files: &Files) -> Value {
    let (file, line) = place(files, verdict.case.span);
    let misses = verdict.misses.iter().map(|miss| {
        json!({
            "expectation": miss.found.key,
            "subject": miss.found.subject,
            "expected": miss.found.expected,
            "found": miss.found.found,
            "line": place(files, miss.found.span).1,
            "condition": miss.proof.as_ref().map(proof),
        })
    });
    json!({
        "id": verdict.case.id,
        "title": verdict.case.title,
        "tags": verdict.case.tags,
        "file": file,
        "line": line,
        "passed": verdict.passed(),
        "labeled": verdict.case.labeled,
        "misses": misses.collect::<Vec<_>>(),
    })
}

fn proof(one: &Proof) -> Value {
    let parts: Vec<Value> = one.parts.iter().map(proof).collect();
    json!({"text": one.text, "truth": truth_word(one.truth), "parts": parts})
}

fn covered(coverage: &Coverage, files: &Files) -> Value {
    let list = |list: &[Shown]| list.iter().map(|one| shown(one, files)).collect::<Vec<_>>();
    json!({
        "cases": coverage.cases,
        "rules": list(&coverage.rules),
        "definitions": list(&coverage.definitions),
        "drafts": list(&coverage.drafts),
    })
}

fn mutated(report: &Report, files: &Files) -> Value {
    let mutants = report.mutants.iter().map(|one| {
        let (file, line) = place(files, one.mutant.span);
        let (fate, by) = match &one.fate {
            Fate::Killed(case) => ("killed", Some(case)),
            Fate::Survived => ("survived", None),
            Fate::Equivalent => ("equivalent", None),
            Fate::Refused => ("refused", None),
        };
        json!({
            "operator": one.mutant.operator,
            "of": one.mutant.of,
            "id": one.mutant.id,
            "change": one.mutant.change,
            "file": file,
            "line": line,
            "fate": fate,
            "by": by,
        })
    });
    json!({
        "all": report.all,
        "tried": report.mutants.len(),
        "codesLeftOut": report.codes_left_out,
        "fates": report.fates(),
        "byOperator": report.by_operator(),
        "mutants": mutants.collect::<Vec<_>>(),
    })
}

fn goal(goal: &Goal) -> Value {
    match goal {
        Goal::Shown(count, first) => json!({"cases": count, "first": first}),
        Goal::Missing => json!({"cases": 0}),
        Goal::Unreachable => json!({"cases": 0, "unreachable": true}),
    }
}

fn shown(one: &Shown, files: &Files) -> Value {
    let clauses = one.clauses.iter().map(|clause| {
        let (file, line) = place(files, clause.span);
        json!({
            "text": clause.text,
            "file": file,
            "line": line,
            "holds": goal(&clause.holds),
            "keeps": goal(&clause.keeps),
            "unknown": clause.unknown.as_ref().map(goal),
        })
    });
    let (file, line) = place(files, one.span);
    json!({
        "id": one.id,
        "kind": one.kind,
        "file": file,
        "line": line,
        "fires": goal(&one.fires),
        "nearMiss": goal(&one.near_miss),
        "unknown": goal(&one.undecided),
        "clauses": clauses.collect::<Vec<_>>(),
    })
}
