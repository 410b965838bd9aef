//! `concord rules`: check and show a rules package.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::Subcommand;
use jiff::Timestamp;
use jiff::tz::Offset;

use super::{Exit, Format, complain, print};
use crate::diag;
use crate::engine::program::Outline;
use crate::rule::model::{Rule, RuleStatus};
use crate::ruleset::{self, Checked, LoadError, Origin, Ruleset};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check a package: say with file, line and column what is wrong, and what to write instead.
    Check {
        /// Directory of the package; else the one in the binary.
        dir: Option<PathBuf>,
        /// Directory of an overlay to check with the package. May be repeated: each is checked by itself.
        #[arg(long, value_name = "DIR")]
        overlay: Vec<PathBuf>,
        /// Form of the diagnostics.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Show the package, or one rule of it.
    Show {
        /// Id of a rule.
        id: Option<String>,
        /// Directory of the package; else the one in the binary.
        #[arg(long, value_name = "DIR")]
        rules: Option<PathBuf>,
        /// Directory of the site's overlay.
        #[arg(long, value_name = "DIR")]
        overlay: Option<PathBuf>,
        /// The compiled form as JSON: atoms, formulas, implications, rules, components.
        #[arg(long)]
        compiled: bool,
    },
}

pub(super) fn run(command: Command) -> Exit {
    match command {
        Command::Check { dir, overlay, format } => check(dir, overlay, format),
        Command::Show { id, rules, overlay, compiled } => match open(&Origin { rules, overlay }) {
            Ok(ruleset) => show(&ruleset, id.as_deref(), compiled),
            Err(error) => {
                complain(error);
                Exit::Unusable
            }
        },
    }
}

fn open(origin: &Origin) -> Result<Ruleset, LoadError> {
    Ruleset::from_sources(origin.read()?)
}

/// The package alone, or with each of the overlays in turn. A package with
/// faults is unusable input.
fn check(rules: Option<PathBuf>, overlays: Vec<PathBuf>, format: Format) -> Exit {
    let today = Offset::UTC.to_datetime(Timestamp::now()).date().to_string();
    let alone = overlays.is_empty();
    let origins: Vec<Origin> = if alone {
        vec![Origin { rules, overlay: None }]
    } else {
        overlays.into_iter().map(|overlay| Origin { rules: rules.clone(), overlay: Some(overlay) }).collect()
    };
    let (mut worst, mut found) = (Exit::Fine, Vec::new());
    for origin in origins {
        let overlay = origin.overlay.as_ref().map(|dir| dir.display().to_string());
        let checked = match origin.read() {
            Ok(sources) => ruleset::check_sources(sources, Some(&today)),
            Err(error) => {
                complain(error);
                worst = Exit::Unusable;
                continue;
            }
        };
        worst = worst.max(if checked.errors() > 0 { Exit::Unusable } else { Exit::Fine });
        if format == Format::Json {
            let diagnostics = diag::to_json(&checked.diagnostics, &checked.files);
            found.push(match overlay {
                Some(overlay) => serde_json::json!({"overlay": overlay, "diagnostics": diagnostics}),
                None => diagnostics,
            });
        } else {
            worst = worst.max(tell(checked, overlay.as_deref()));
        }
    }
    if format == Format::Json {
        let all = if alone { found.pop() } else { Some(serde_json::Value::Array(found)) };
        all.map(|all| print(&format!("{all}\n")));
    }
    worst
}

fn tell(checked: Checked, overlay: Option<&str>) -> Exit {
    if let Some(overlay) = overlay {
        let how = if checked.errors() > 0 { "is refused" } else { "checks" };
        complain(format_args!("overlay {overlay} {how}"));
    }
    report(&checked);
    if checked.errors() > 0 {
        return Exit::Unusable;
    }
    match Ruleset::from_checked(checked) {
        Ok(ruleset) => {
            print(&summary(&ruleset));
            Exit::Fine
        }
        Err(error) => {
            complain(error);
            Exit::Unusable
        }
    }
}

fn report(checked: &Checked) {
    if checked.diagnostics.is_empty() {
        return;
    }
    complain(checked.render(std::io::stderr().is_terminal()).trim_end());
    let (errors, all) = (checked.errors(), checked.diagnostics.len());
    let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    complain(format_args!("\n{}, {}", count(errors, "error"), count(all.saturating_sub(errors), "warning")));
}

fn show(ruleset: &Ruleset, id: Option<&str>, compiled: bool) -> Exit {
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

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).map_or_else(|error| format!("{error}\n"), |text| text + "\n")
}

fn summary(ruleset: &Ruleset) -> String {
    let (meta, counts) = (&ruleset.package().meta, ruleset.counts());
    let overlay = ruleset.package().overlay.as_ref();
    let laid = overlay.map_or_else(String::new, |one| format!(" with {} {}", one.head.name, one.head.version));
    let disabled = if counts.disabled == 0 { String::new() } else { format!("{} disabled, ", counts.disabled) };
    format!(
        "{} {}{laid}, sha256 {}\n{} rules, {disabled}{} drafts, {} retired, {} definitions, {} concepts, {} components, {} atoms\n",
        meta.name,
        meta.version,
        ruleset.digest(),
        counts.rules,
        counts.drafts,
        counts.retired,
        counts.definitions,
        counts.concepts,
        counts.components,
        counts.atoms,
    )
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
