//! The results of a test for people: a line a failed case with what differs,
//! and a line for all.

use super::Results;
use crate::deck::coverage::{Coverage, Goal, Shown, Totals};
use crate::deck::mutate::{Fate, Fates, Report};
use crate::deck::run::{Miss, Proof, Verdict};
use crate::deck::truth_word;
use crate::diag::Files;

/// Parts of a condition are shown down to this depth.
const DEPTH: usize = 8;

pub(super) fn report(results: &Results<'_>) -> String {
    let mut text = String::new();
    for verdict in results.verdicts.iter().filter(|verdict| !verdict.passed()) {
        text.push_str(&failed(verdict, &results.bench.deck.files));
    }
    if let Some(coverage) = &results.coverage {
        text.push_str(&covered(coverage, &results.bench.files));
    }
    if let Some(report) = &results.mutation {
        text.push_str(&mutated(report, &results.bench.files));
    }
    if let Some(sizes) = &results.sizes {
        text.push_str(&sizes.text());
    }
    text + &summary(results)
}

fn failed(verdict: &Verdict<'_>, files: &Files) -> String {
    let case = verdict.case;
    let mut text = format!("FAIL {}  {}  ({})\n", case.id, case.title, files.line(case.span));
    for miss in &verdict.misses {
        text.push_str(&differs(miss, files));
    }
    text + "\n"
}

/// What was expected, what there is, and the condition of the rule.
pub(super) fn differs(miss: &Miss, files: &Files) -> String {
    let found = &miss.found;
    let mut text = format!("  {}: {}  ({})\n", found.key, found.subject, files.line(found.span));
    text.push_str(&format!("    expected  {}\n    found     {}\n", found.expected, found.found));
    if let Some(proof) = &miss.proof {
        text.push_str("    condition\n");
        text.push_str(&tree(proof, 0));
    }
    text
}

fn tree(proof: &Proof, depth: usize) -> String {
    let mut text = format!("      {}{:7} {}\n", "  ".repeat(depth), truth_word(proof.truth), proof.text);
    if depth < DEPTH {
        for part in &proof.parts {
            text.push_str(&tree(part, depth.saturating_add(1)));
        }
    }
    text
}

fn summary(results: &Results<'_>) -> String {
    let meta = &results.bench.ruleset.package().meta;
    let (all, failed) = (results.verdicts.len(), results.failed());
    let unlabeled = results.verdicts.iter().filter(|verdict| !verdict.case.labeled).count();
    let waiting = if unlabeled > 0 { format!(", {unlabeled} without an expectation") } else { String::new() };
    let short: String = results.bench.ruleset.digest().chars().take(12).collect();
    format!(
        "{all} case{}: {} passed, {failed} failed{waiting}  ({} {}, sha256 {short})\n",
        if all == 1 { "" } else { "s" },
        all.saturating_sub(failed),
        meta.name,
        meta.version,
    )
}

fn row(name: &str, totals: Totals) -> String {
    format!("  {name:48} {:6} {:8} {:13}\n", totals.shown, totals.missing, totals.unreachable)
}

fn covered(coverage: &Coverage, files: &Files) -> String {
    let (rules, definitions) = (&coverage.rules, &coverage.definitions);
    let of = |goal: fn(&Shown) -> &Goal| Totals::of(rules.iter().map(goal));
    let clauses = |list: &[Shown], goal: fn(&crate::deck::coverage::ClauseShown) -> Option<&Goal>| {
        Totals::of(list.iter().flat_map(|one| &one.clauses).filter_map(goal))
    };
    let mut text = format!(
        "coverage by {} cases: {} rules, {} definitions\n  {:48} {:>6} {:>8} {:>13}\n",
        coverage.cases,
        rules.len(),
        definitions.len(),
        "",
        "shown",
        "missing",
        "out of reach"
    );
    text.push_str(&row("rules that fire", of(|one| &one.fires)));
    text.push_str(&row("rules with a near miss", of(|one| &one.near_miss)));
    text.push_str(&row("rules left unknown", of(|one| &one.undecided)));
    text.push_str(&row("clauses that hold a rule", clauses(rules, |one| Some(&one.holds))));
    text.push_str(&row("clauses that keep a rule from firing", clauses(rules, |one| Some(&one.keeps))));
    text.push_str(&row("clauses unknown with their exclusion or alert", clauses(rules, |one| one.unknown.as_ref())));
    text.push_str(&row("clauses that hold a definition", clauses(definitions, |one| Some(&one.holds))));
    text.push_str(&row("clauses that keep a definition from being true", clauses(definitions, |one| Some(&one.keeps))));
    text.push_str(&drafts(&coverage.drafts));
    text.push('\n');
    for shown in rules.iter().chain(definitions) {
        text.push_str(&lacking(shown, files));
    }
    text
}

/// Drafts are counted apart: what no case shows of one keeps nothing out.
fn drafts(drafts: &[Shown]) -> String {
    if drafts.is_empty() {
        return String::new();
    }
    let count = |goal: fn(&Shown) -> &Goal| drafts.iter().filter(|one| goal(one).count() > 0).count();
    let (fires, near) = (count(|one| &one.fires), count(|one| &one.near_miss));
    let unknown = count(|one| &one.undecided);
    let none =
        drafts.iter().filter(|one| [&one.fires, &one.near_miss, &one.undecided].iter().all(|goal| goal.count() == 0));
    let none: Vec<&str> = none.map(|one| one.id.as_str()).collect();
    let lacking = if none.is_empty() { String::new() } else { format!("; in no case: {}", none.join(", ")) };
    format!(
        "  drafts: {} in all, {fires} fire, {near} with a near miss, {unknown} left unknown{lacking}\n",
        drafts.len()
    )
}

fn mutated(report: &Report, files: &Files) -> String {
    let mut text = format!(
        "{} changes, {} of them tried\n  {:12} {:>7} {:>9} {:>11} {:>8} {:>7}\n",
        report.all,
        report.mutants.len(),
        "",
        "killed",
        "survived",
        "equivalent",
        "refused",
        "killed"
    );
    let row = |name: &str, fates: Fates| {
        let share = fates.permille().map_or_else(String::new, |share| format!("{}.{} %", share / 10, share % 10));
        format!(
            "  {name:12} {:7} {:9} {:11} {:8} {share:>7}\n",
            fates.killed, fates.survived, fates.equivalent, fates.refused
        )
    };
    for (operator, fates) in report.by_operator() {
        text.push_str(&row(operator.word(), fates));
    }
    text.push_str(&row("all", report.fates()));
    if report.codes_left_out > 0 {
        text.push_str(&format!("  {} codes of value sets are dropped by no change\n", report.codes_left_out));
    }
    text.push('\n');
    for one in report.mutants.iter().filter(|one| one.fate == Fate::Survived) {
        let mutant = &one.mutant;
        text.push_str(&format!(
            "  survived: {} {}, {}: {}  ({})\n",
            mutant.of,
            mutant.id,
            mutant.operator,
            mutant.change,
            files.line(mutant.span)
        ));
    }
    text + "\n"
}

/// What no case shows of a rule or definition.
fn lacking(shown: &Shown, files: &Files) -> String {
    let own = [("fires", &shown.fires), ("near miss", &shown.near_miss), ("unknown", &shown.undecided)];
    let own = if shown.kind == "definition" { String::new() } else { lacks(&own) };
    let mut text = String::new();
    for clause in &shown.clauses {
        let goals =
            [("holds", Some(&clause.holds)), ("keeps", Some(&clause.keeps)), ("unknown", clause.unknown.as_ref())];
        let goals: Vec<_> = goals.into_iter().filter_map(|(name, goal)| Some((name, goal?))).collect();
        let lacks = lacks(&goals);
        if !lacks.is_empty() {
            text.push_str(&format!("    {}  {}\n      {lacks}\n", files.line(clause.span), clause.text));
        }
    }
    if own.is_empty() && text.is_empty() {
        return text;
    }
    let own = if own.is_empty() { String::new() } else { format!("    {own}\n") };
    format!("  {} {}  ({})\n{own}{text}", shown.kind, shown.id, files.line(shown.span))
}

fn lacks(goals: &[(&str, &Goal)]) -> String {
    let missing: Vec<&str> = goals.iter().filter(|(_, goal)| goal.is_missing()).map(|(name, _)| *name).collect();
    let mut words = Vec::new();
    if !missing.is_empty() {
        words.push(format!("no case: {}", missing.join(", ")));
    }
    for (name, goal) in goals {
        if **goal == Goal::Unreachable {
            words.push(format!("out of reach: {name}"));
        }
    }
    words.join("; ")
}
