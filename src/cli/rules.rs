//! `concord rules`: check, show and sign a rules package.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use jiff::Timestamp;
use jiff::tz::Offset;

use super::settings::Unusable;
use super::{Exit, Format, complain, print, sign};
use crate::diag;
use crate::engine::program::Outline;
use crate::rule::model::Rule;
use crate::ruleset::{self, Checked, LoadError, Ruleset};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check a package: say with file, line and column what is wrong, and what to write instead.
    Check {
        /// Directory of the package; else the one in the binary.
        dir: Option<PathBuf>,
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
        /// The compiled form as JSON: atoms, formulas, implications, rules, components.
        #[arg(long)]
        compiled: bool,
    },
    /// Sign a package: writes `package.sig` into its directory.
    Sign {
        /// Directory of the package.
        dir: PathBuf,
        /// File of the private key.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Make a key to sign packages with: writes the private key to a file that only its owner can read, and prints the
    /// public one, which goes into `rules.trusted_keys`.
    Keygen {
        /// Name of the key, such as a domain of the site.
        #[arg(long)]
        name: String,
        /// File of the private key; must not be there yet.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

pub(super) fn run(command: Command) -> Exit {
    match command {
        Command::Check { dir, format } => check(dir.as_deref(), format),
        Command::Show { id, rules, compiled } => match open(rules.as_deref()) {
            Ok(ruleset) => show(&ruleset, id.as_deref(), compiled),
            Err(error) => {
                complain(error);
                Exit::Unusable
            }
        },
        Command::Sign { dir, key } => told(sign::sign(&dir, &key)),
        Command::Keygen { name, out } => told(sign::keygen(&name, &out)),
    }
}

fn told(outcome: Result<String, Unusable>) -> Exit {
    match outcome {
        Ok(text) if print(&text) => Exit::Fine,
        Ok(_) => Exit::Failed,
        Err(Unusable(message)) => {
            complain(message);
            Exit::Unusable
        }
    }
}

fn open(dir: Option<&Path>) -> Result<Ruleset, LoadError> {
    dir.map_or_else(Ruleset::embedded, Ruleset::from_dir)
}

/// A package with faults is unusable input.
fn check(dir: Option<&Path>, format: Format) -> Exit {
    let today = Offset::UTC.to_datetime(Timestamp::now()).date().to_string();
    let checked = match dir
        .map_or_else(|| Ok(ruleset::check_embedded(Some(&today))), |dir| ruleset::check_dir(dir, Some(&today)))
    {
        Ok(checked) => checked,
        Err(error) => {
            complain(error);
            return Exit::Unusable;
        }
    };
    if format == Format::Json {
        print(&format!("{}\n", diag::to_json(&checked.diagnostics, &checked.files)));
    } else {
        report(&checked);
    }
    let faulty = checked.errors() > 0;
    if format == Format::Text && !faulty {
        match Ruleset::from_checked(checked) {
            Ok(ruleset) => print(&summary(&ruleset)),
            Err(error) => {
                complain(error);
                return Exit::Unusable;
            }
        };
    }
    if faulty { Exit::Unusable } else { Exit::Fine }
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
    format!(
        "{} {}, sha256 {}\n{} rules, {} drafts, {} retired, {} definitions, {} concepts, {} components, {} atoms\n",
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
    let line = |rule: &Rule| format!("{:width$}  {:14}  {}\n", rule.id.value, rule.conclusion.word(), rule.title);
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
        text.push_str("  (not evaluated: the rule is not active)\n");
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
