//! The ledger of the clinical briefs: every item of the shipped package is accounted for, and each way to lose one is
//! told with its place.

use std::process::Command;

use concord::diag::{Diagnostic, Level};
use concord::rule::ledger::{Ledger, Outcome};
use concord::rule::model::ItemKind;
use concord::ruleset::{Depth, Sources, check_sources};

use crate::cases::SHIPPED;

const BASE: &str = include_str!("../broken/base.yaml");
const ITEM: &str = "{id: one, kind: rule, title: one, status: verified}";
const OTHER: &str = "{id: two, kind: rule, title: two, status: from-memory}";

/// A package with a brief of these items, and rules with these keys each.
fn package(items: &[&str], rules: &[&str]) -> Vec<(String, String)> {
    let mut text = String::from(if rules.is_empty() { "rules: []\n" } else { "rules:\n" });
    for (number, keys) in rules.iter().enumerate() {
        text.push_str(&format!(
            "- {{id: rule-{number}, title: A rule, note: true, when: oud-present, statement: Words., strength: label, \
             evidence: [{{source: chou-2014, place: page 1}}], {keys}}}\n"
        ));
    }
    text.push_str("briefs:\n- id: brief\n  title: A brief\n  items:\n");
    for item in items {
        text.push_str(&format!("  - {item}\n"));
    }
    vec![("base.yaml".to_owned(), BASE.to_owned()), ("rules.yaml".to_owned(), text)]
}

fn found(items: &[&str], rules: &[&str]) -> Vec<Diagnostic> {
    let sources = Sources { base: concord::diag::Files::new(package(items, rules)), overlay: None };
    check_sources(sources, None, Depth::Errors).diagnostics
}

fn codes(items: &[&str], rules: &[&str]) -> Vec<&'static str> {
    found(items, rules).iter().map(|one| one.code).collect()
}

fn run(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_concord")).args(["rules", "docs"]).args(arguments).output();
    let output = output.expect("concord runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn every_item_of_the_briefs_is_accounted_for() {
    let ledger = Ledger::of(SHIPPED.package());
    let rules: Vec<_> = ledger.entries.iter().filter(|entry| entry.item.kind == ItemKind::Rule).collect();
    assert_eq!(rules.len(), 188);
    let lost: Vec<&str> = rules
        .iter()
        .filter(|entry| entry.outcome == Outcome::Uncarried)
        .map(|entry| entry.item.id.value.as_str())
        .collect();
    assert!(lost.is_empty(), "{lost:?}");
    let of = |kind| ledger.entries.iter().filter(|entry| entry.item.kind == kind).count();
    assert_eq!((of(ItemKind::Note), of(ItemKind::DoNot), of(ItemKind::Disagreement)), (7, 47, 26));
}

#[test]
fn the_committed_pages_are_what_the_command_writes() {
    for (page, file) in [("briefs", "rules/BRIEFS.md"), ("safety", "rules/SAFETY.md")] {
        let committed = std::fs::read_to_string(file).expect("a committed page");
        let written = run(&["--page", page]);
        assert!(committed == written, "{file} is not current: concord rules docs rules --page {page} > {file}");
        assert_eq!(written, run(&["rules", "--page", page]), "{page}: the package in the binary is the one on disk");
    }
}

#[test]
fn what_is_followed_is_an_item_or_a_branch() {
    assert!(codes(&[ITEM], &["verification: primary, follows: [one]"]).is_empty());
    let faults = found(&[ITEM], &["verification: primary, follows: [one, ones]"]);
    let [fault] = faults.as_slice() else { panic!("{faults:?}") };
    assert_eq!((fault.code, fault.help.as_deref()), ("unknown-brief-item", Some("did you mean `one`?")));
    let do_not = "{id: not-1, kind: do-not, title: not this}";
    let faults = codes(&[ITEM, do_not], &["verification: primary, follows: [one, not-1]"]);
    assert_eq!(faults, ["wrong-carrier", "uncarried"]);
}

#[test]
fn an_item_or_branch_that_nothing_carries_says_why() {
    let branched = "{id: one, kind: rule, title: one, branches: [{id: a, title: a}, {id: b, title: b}]}";
    assert_eq!(codes(&[ITEM], &[]), ["uncarried"]);
    assert_eq!(codes(&[ITEM], &["status: retired, verification: primary, follows: [one]"]), ["uncarried"]);
    assert!(codes(&[ITEM], &["status: draft, follows: [one]"]).is_empty());
    assert_eq!(codes(&[branched], &["verification: primary, follows: [one-a]"]), ["uncarried"]);
    assert!(codes(&[branched], &["verification: primary, follows: [one]"]).is_empty());
    let told = "{id: one, kind: rule, title: one, left_out: for a reason}";
    assert!(codes(&[told], &[]).is_empty());
    assert_eq!(codes(&[told], &["verification: primary, follows: [one]"]), ["carried-and-left-out"]);
    let half = "{id: one, kind: rule, title: one, branches: [{id: a, title: a}, {id: b, title: b, left_out: why}]}";
    assert!(codes(&[half], &["verification: primary, follows: [one-a]"]).is_empty());
    assert_eq!(codes(&[half], &["verification: primary, follows: [one]"]), ["carried-and-left-out"]);
}

#[test]
fn an_id_stands_for_one_item() {
    let clash = "{id: one-a, kind: rule, title: another, left_out: why}";
    let branched = "{id: one, kind: rule, title: one, branches: [{id: a, title: a}]}";
    assert_eq!(codes(&[ITEM, ITEM], &["verification: primary, follows: [one]"]), ["duplicate-id"]);
    assert!(codes(&[branched, clash], &["verification: primary, follows: [one]"]).contains(&"duplicate-id"));
}

#[test]
fn a_rule_claims_no_more_than_was_read() {
    assert_eq!(codes(&[OTHER], &["verification: secondary, follows: [two]"]), ["verification-raised"]);
    assert!(codes(&[ITEM, OTHER], &["verification: secondary, follows: [one, two]"]).is_empty());
    let memory =
        "{id: one, kind: rule, title: one, status: verified, branches: [{id: a, title: a, status: from-memory}]}";
    assert_eq!(codes(&[memory], &["verification: primary, follows: [one-a]"]), ["verification-raised"]);
    assert!(codes(&[memory], &["verification: primary, follows: [one]"]).is_empty());
}

#[test]
fn a_rule_in_force_that_nobody_read_says_why() {
    let warned = |keys: &str| -> Vec<(&str, Level)> {
        found(&[OTHER], &[keys]).iter().map(|one| (one.code, one.level)).collect()
    };
    assert_eq!(warned("follows: [two]"), [("unverified-active", Level::Warning)]);
    assert!(warned("follows: [two], active_because: it saves lives").is_empty());
    assert!(warned("follows: [two], status: draft").is_empty());
    let needless = [("needless-reason", Level::Warning)];
    assert_eq!(warned("follows: [two], status: draft, active_because: it saves lives"), needless);
    let both = found(&[ITEM], &["verification: primary, follows: [one], active_because: it saves lives"]);
    assert_eq!(both.iter().map(|one| one.code).collect::<Vec<_>>(), ["needless-reason"]);
}

#[test]
fn a_package_without_briefs_keeps_no_ledger() {
    let mut files = package(&[], &["follows: [anything]"]);
    files[1].1 = files[1].1.split("briefs:").next().expect("the rules").to_owned();
    let sources = Sources { base: concord::diag::Files::new(files), overlay: None };
    assert!(check_sources(sources, None, Depth::Errors).diagnostics.is_empty());
}

#[test]
fn an_item_is_worth_what_became_of_its_worst_branch() {
    let branched = "{id: one, kind: rule, title: one, branches: [{id: a, title: a}, {id: b, title: b}]}";
    let outcomes = |rules: &[&str]| {
        let sources = Sources { base: concord::diag::Files::new(package(&[branched, OTHER], rules)), overlay: None };
        let checked = check_sources(sources, None, Depth::Errors);
        let ledger = Ledger::of(&checked.package);
        ledger.entries.iter().map(|entry| entry.outcome).collect::<Vec<_>>()
    };
    let (a, b) = ("follows: [one-a]", "follows: [one-b]");
    assert_eq!(outcomes(&[a, b, "follows: [two]"]), [Outcome::Active, Outcome::Active]);
    assert_eq!(outcomes(&[a, "follows: [one-b, two]"]), [Outcome::Merged, Outcome::Merged]);
    assert_eq!(outcomes(&[a, "follows: [one-b], status: draft"]), [Outcome::Draft, Outcome::Uncarried]);
    assert_eq!(outcomes(&["follows: [one, two], status: retired"]), [Outcome::Uncarried, Outcome::Uncarried]);
}
