//! `concord rules`: read and check a rules package.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::{Exit, complain, print};
use crate::ruleset::{LoadError, Outline, Ruleset};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check a package, and say with file, line and column what is wrong.
    Check {
        /// Directory of the package.
        dir: PathBuf,
    },
    /// Show the package, or one rule of it.
    Show {
        /// Id of a rule.
        id: Option<String>,
        /// Directory of the package; else the one in the binary.
        #[arg(long, value_name = "DIR")]
        rules: Option<PathBuf>,
    },
}

pub(super) fn run(command: Command) -> Exit {
    let outcome = match command {
        Command::Check { dir } => Ruleset::from_dir(&dir).map(|ruleset| summary(&ruleset)),
        Command::Show { id, rules } => open(rules.as_deref()).map(|ruleset| match id {
            None => summary(&ruleset),
            Some(id) => ruleset
                .describe(&id)
                .map_or(String::new(), |outline| tree(&outline, 0)),
        }),
    };
    match outcome {
        Ok(text) if text.is_empty() => {
            complain("the package has no such rule");
            Exit::Unusable
        }
        Ok(text) => {
            print(&text);
            Exit::Fine
        }
        Err(error) => {
            complain(error);
            Exit::Failed
        }
    }
}

fn open(dir: Option<&Path>) -> Result<Ruleset, LoadError> {
    dir.map_or_else(Ruleset::embedded, Ruleset::from_dir)
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

fn tree(outline: &Outline, depth: usize) -> String {
    let mut text = format!("{}{}\n", "  ".repeat(depth), outline.text);
    for child in &outline.children {
        text.push_str(&tree(child, depth.saturating_add(1)));
    }
    text
}
