//! The ledger of the clinical briefs: every item is carried, or says why not,
//! and no rule claims more for it than was read. A package without briefs keeps
//! no such ledger.

use std::collections::BTreeMap;

use crate::diag::{Diagnostic, Span, nearest};
use crate::rule::ledger::{Carrier, Entry, Ledger, Line, branch_name, carriers, status};
use crate::rule::model::{ItemStatus, Package, Rule, RuleStatus, Verification};

/// Faults up to which what was meant is looked for.
const SUGGESTED: usize = 200;

/// Checks it.
pub fn check(package: &Package, faults: &mut Vec<Diagnostic>) {
    if package.briefs.is_empty() {
        return;
    }
    ids(package, faults);
    let ledger = Ledger::of(package);
    for carrier in carriers(package) {
        references(&ledger, &carrier, faults);
    }
    for entry in &ledger.entries {
        for line in &entry.lines {
            accounted(entry, line, faults);
        }
    }
    for rule in &package.rules {
        verification(&ledger, rule, faults);
    }
}

/// What can be followed stands for one thing.
fn ids(package: &Package, faults: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    let mut take = |what: &str, id: String, span: Span| {
        if let Some(first) = seen.get(&id) {
            faults.push(
                Diagnostic::error("duplicate-id", span, format!("{what} `{id}` is declared twice"))
                    .label("again here")
                    .related(*first, "first here")
                    .help("give one of them another id, or remove it"),
            );
        } else {
            seen.insert(id, span);
        }
    };
    for item in package.briefs.iter().flat_map(|brief| &brief.items) {
        take("the item", item.id.value.clone(), item.id.span);
        for branch in &item.branches {
            take("the branch", branch_name(item, branch), branch.id.span);
        }
    }
    let mut briefs: BTreeMap<&str, Span> = BTreeMap::new();
    for brief in &package.briefs {
        if let Some(first) = briefs.insert(&brief.id.value, brief.id.span) {
            let message = format!("brief `{}` is declared twice", brief.id.value);
            let fault = Diagnostic::error("duplicate-id", brief.id.span, message).label("again here");
            faults.push(fault.related(first, "first here").help("give one of them another id, or remove it"));
        }
    }
}

/// Names that a carrier follows are of items that its kind carries.
fn references(ledger: &Ledger<'_>, carrier: &Carrier<'_>, faults: &mut Vec<Diagnostic>) {
    for name in carrier.follows {
        let Some(item) = ledger.item(&name.value) else {
            let message = format!("no brief has an item or branch `{}`", name.value);
            let fault = Diagnostic::error("unknown-brief-item", name.span, message);
            let near = (faults.len() < SUGGESTED).then(|| nearest(&name.value, ledger.names())).flatten();
            faults.push(match near {
                Some(near) => fault.help(format!("did you mean `{near}`?")),
                None => fault.help("declare the item under `briefs`, or name one that is"),
            });
            continue;
        };
        let wanted = item.kind.carried_by();
        if wanted != carrier.kind {
            let message =
                format!("`{}` is carried by {}, and not by {}", name.value, wanted.what(), carrier.kind.what());
            let fault = Diagnostic::error("wrong-carrier", name.span, message);
            faults.push(fault.related(item.id.span, "the item").help("take it out of `follows` here"));
        }
    }
}

fn accounted(entry: &Entry<'_>, line: &Line<'_>, faults: &mut Vec<Diagnostic>) {
    let (name, span) = match line.branch {
        Some(branch) => (branch_name(entry.item, branch), branch.id.span),
        None => (entry.item.id.value.clone(), entry.item.id.span),
    };
    let wanted = entry.item.kind.carried_by();
    match (line.carried_by.first(), line.left_out) {
        (None, None) => {
            let fault = Diagnostic::error("uncarried", span, format!("nothing carries `{name}`"));
            let help = format!("name it under `follows` of {}, or say here why not: `left_out: …`", wanted.what());
            faults.push(fault.help(help));
        }
        (Some(by), Some(reason)) => {
            let message = format!("`{name}` is left out, and {} carries it", wanted.what());
            let fault = Diagnostic::error("carried-and-left-out", reason.span, message);
            faults.push(fault.related(by.carrier.id.span, "carried here").help("keep one of the two"));
        }
        _ => {}
    }
}

/// A rule claims no more than was read of what it follows, and one that rests
/// on nothing read says why it is in force.
fn verification(ledger: &Ledger<'_>, rule: &Rule, faults: &mut Vec<Diagnostic>) {
    let unverified = rule.verification == Verification::Unverified;
    let active = rule.status == RuleStatus::Active;
    if !unverified && let Some(from_memory) = all_from_memory(ledger, rule) {
        let message =
            format!("rule `{}` says `{}` of what its brief has from memory", rule.id.value, rule.verification.word());
        faults.push(
            Diagnostic::error("verification-raised", rule.id.span, message)
                .related(from_memory, "the brief says `from-memory`")
                .help("write `verification: unverified`, or read the source and correct the status of the item"),
        );
    }
    if active && unverified && rule.active_because.is_none() {
        let message = format!("rule `{}` is in force, and nobody read its source", rule.id.value);
        faults.push(
            Diagnostic::warning("unverified-active", rule.id.span, message).help(
                "write `status: draft`, or `active_because: …` where leaving it out is the more dangerous choice",
            ),
        );
    }
    if rule.active_because.is_some() && !(active && unverified) {
        let message = format!("rule `{}` says why it is in force though unverified, and is not both", rule.id.value);
        faults.push(Diagnostic::warning("needless-reason", rule.id.span, message).help("take `active_because` out"));
    }
}

/// The place of an item that a rule follows, where all that it follows is from
/// memory.
fn all_from_memory(ledger: &Ledger<'_>, rule: &Rule) -> Option<Span> {
    let mut place = None;
    for name in &rule.follows {
        let item = ledger.item(&name.value)?;
        let branch = item.branches.iter().find(|branch| branch_name(item, branch) == name.value);
        if status(item, branch) != Some(ItemStatus::FromMemory) {
            return None;
        }
        place = Some(branch.map_or(item.id.span, |branch| branch.id.span));
    }
    place
}
