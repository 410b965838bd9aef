//! `concord rules show`: a package, or one rule of it.

use super::super::{Exit, complain, print};
use super::{json, summary};
use crate::diag;
use crate::program::Outline;
use crate::rule::model::{Rule, RuleStatus};
use crate::ruleset::Ruleset;

pub(super) fn run(ruleset: &Ruleset, id: Option<&str>, compiled: bool) -> Exit {
    let text = match (id, compiled) {
        (None, false) => summary(ruleset) + &list(ruleset),
        (None, true) => json(ruleset.program()),
        (Some(id), compiled) => {
            let rule = ruleset.package().rules.iter().find(|rule| rule.id.value == id);
            let Some(rule) = rule else {
                let known = ruleset.package().rules.iter().map(|rule| rule.id.value.as_str());
                let hint =
                    diag::nearest(id, known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                complain(format_args!("the package has no rule `{id}`{hint}"));
                return Exit::Unusable;
            };
            if compiled { json(&ruleset.program().rules.iter().find(|one| one.id == id)) } else { one(ruleset, rule) }
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
    "\n".to_owned() + &rules.iter().map(line).collect::<String>()
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
    for citation in &rule.evidence {
        let source = ruleset.package().sources.iter().find(|source| source.id.value == citation.source.value);
        let title = source.map_or("", |source| source.title.as_str());
        text.push_str(&format!("source        {} ({}), {}\n", title, citation.source.value, citation.place));
    }
    text
}

fn tree(outline: &Outline, depth: usize) -> String {
    let mut text = format!("{}{}\n", "  ".repeat(depth), outline.text);
    for part in &outline.parts {
        text.push_str(&tree(part, depth.saturating_add(1)));
    }
    text
}
