//! `concord rules show`: a package, or one rule or invariant of it.

use super::super::{Exit, complain, print};
use super::{json, summary};
use crate::diag;
use crate::program::compile::with_invariants;
use crate::program::{CompiledClaim, CompiledInvariant, Outline};
use crate::rule::model::{Citation, Claim, Invariant, Name, Rule, RuleStatus};
use crate::ruleset::Ruleset;

pub(super) fn run(ruleset: &Ruleset, id: Option<&str>, compiled: bool) -> Exit {
    let text = match (id, compiled) {
        (None, false) => summary(ruleset) + &list(ruleset),
        (None, true) => json(ruleset.program()),
        (Some(id), compiled) => {
            let package = ruleset.package();
            let rule = package.rules.iter().find(|rule| rule.id.value == id);
            let held = package.invariants.iter().find(|invariant| invariant.id.value == id);
            match (rule, held) {
                (Some(_), _) if compiled => json(&ruleset.program().rules.iter().find(|one| one.id == id)),
                (Some(rule), _) => one(ruleset, rule),
                (None, Some(invariant)) if compiled => json(invariant),
                (None, Some(invariant)) => claimed(ruleset, invariant),
                (None, None) => {
                    let rules = package.rules.iter().map(|rule| rule.id.value.as_str());
                    let known = rules.chain(package.invariants.iter().map(|invariant| invariant.id.value.as_str()));
                    let hint =
                        diag::nearest(id, known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                    complain(format_args!("the package has no rule or invariant `{id}`{hint}"));
                    return Exit::Unusable;
                }
            }
        }
    };
    if print(&text) { Exit::Fine } else { Exit::Failed }
}

fn list(ruleset: &Ruleset) -> String {
    let rules = &ruleset.package().rules;
    let width = rules.iter().map(|rule| rule.id.value.len()).max().unwrap_or(0);
    let status = |rule: &Rule| match rule.status {
        RuleStatus::Active => String::new(),
        other => format!(" ({})", other.word()),
    };
    let line = |rule: &Rule| {
        format!("{:width$}  {:14}  {}{}\n", rule.id.value, rule.conclusion.word(), rule.title, status(rule))
    };
    let invariants = &ruleset.package().invariants;
    let width = invariants.iter().map(|one| one.id.value.len()).max().unwrap_or(0);
    let held = |one: &Invariant| format!("{:width$}  {}\n", one.id.value, one.title);
    let held: String = invariants.iter().map(held).collect();
    let held =
        if held.is_empty() { held } else { format!("\ninvariants, proven of every record there could be\n{held}") };
    "\n".to_owned() + &rules.iter().map(line).collect::<String>() + &held
}

fn one(ruleset: &Ruleset, rule: &Rule) -> String {
    let mut text = format!("{}  ({})\n{}\n\n", rule.id.value, rule.location, rule.title);
    let names: Vec<&str> = rule.conclusion.components().iter().map(|name| name.value.as_str()).collect();
    text.push_str(&format!("{} {}\n", rule.conclusion.word(), names.join(", ")));
    text.push_str(&format!("  {}\n\nwhen\n", rule.statement.value));
    if let Some(outline) = ruleset.describe(&rule.id.value) {
        text.push_str(&tree(outline, 1));
    } else {
        text.push_str(&format!("  (not evaluated: the rule is {})\n", rule.status.word()));
    }
    text.push_str(&format!("\nstrength      {}\nverification  {}\n", rule.strength, rule.verification.word()));
    if let Some(reason) = &rule.active_because {
        text.push_str(&format!("in force      {reason}\n"));
    }
    text + &sources(ruleset, &rule.evidence)
}

fn sources(ruleset: &Ruleset, evidence: &[Citation]) -> String {
    let line = |citation: &Citation| {
        let source = ruleset.package().sources.iter().find(|source| source.id.value == citation.source.value);
        let title = source.map_or("", |source| source.title.as_str());
        format!("source        {} ({}), {}\n", title, citation.source.value, citation.place)
    };
    evidence.iter().map(line).collect()
}

/// An invariant of a package that was loaded, and so holds.
fn claimed(ruleset: &Ruleset, invariant: &Invariant) -> String {
    let package = ruleset.package();
    let mut text =
        format!("{}  ({})\n{}\n  {}\n", invariant.id.value, invariant.location, invariant.title, invariant.because);
    let (_, compiled) = with_invariants(package);
    let of = |one: &&CompiledInvariant| {
        package.invariants.get(one.invariant as usize).is_some_and(|held| held.id.value == invariant.id.value)
    };
    for claim in compiled.iter().filter(of).flat_map(|one| &one.claims) {
        match claim {
            CompiledClaim::Follows { given, then: None } => text.push_str(&format!("\nnever\n{}", tree(given, 1))),
            CompiledClaim::Follows { given, then: Some(then) } => {
                text.push_str(&format!("\nalways, where\n{}then\n{}", tree(given, 1), tree(then, 1)));
            }
            CompiledClaim::NoBearing { named, on, .. } => {
                let facts: String = named.iter().map(|one| tree(one, 1)).collect();
                let said: String = on.iter().map(|one| tree(&one.said, 1)).collect();
                text.push_str(&format!("\nno bearing of\n{facts}on\n{said}"));
            }
        }
    }
    for claim in &invariant.claims {
        text.push_str(&plain(claim));
    }
    text.push_str(&format!("\nverification  {}\n", invariant.verification.word()));
    if !invariant.follows.is_empty() {
        let follows: Vec<&str> = invariant.follows.iter().map(|name| name.value.as_str()).collect();
        text.push_str(&format!("brief         {}\n", follows.join(", ")));
    }
    text + &sources(ruleset, &invariant.evidence)
}

/// A claim about the package itself; those about patients are compiled.
fn plain(claim: &Claim) -> String {
    let names = |names: &[Name]| names.iter().map(|name| name.value.as_str()).collect::<Vec<_>>().join(", ");
    let line = |word: &Name| format!("  {}\n", word.value);
    let lines = |words: &[Name]| words.iter().map(line).collect::<String>();
    match claim {
        Claim::NoText { words, .. } => format!("\nno text says\n{}", lines(words)),
        Claim::Says { components, words } => format!("\nthe title of {} says\n{}", names(components), lines(words)),
        Claim::Order { first, then } => format!("\n{} before {}\n", names(first), names(then)),
        Claim::Codes { concept, has } => {
            let codes: Vec<String> = has.iter().map(|(system, code)| format!("{code} ({system})")).collect();
            format!("\n{} has {}\n", concept.value, codes.join(", "))
        }
        Claim::Apart { one, other } => format!("\nno code of {} is one of {}\n", names(one), names(other)),
        Claim::Never(_) | Claim::Always { .. } | Claim::NoBearing { .. } => String::new(),
    }
}

fn tree(outline: &Outline, depth: usize) -> String {
    let mut text = format!("{}{}\n", "  ".repeat(depth), outline.text);
    for part in &outline.parts {
        text.push_str(&tree(part, depth.saturating_add(1)));
    }
    text
}
