//! `concord rules`: what a rules package is governed with.

mod check;
mod diff;
mod show;

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::{Exit, Format, complain};
use crate::ruleset::{LoadError, Ruleset};

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
    /// What changes for patients from one package to another: under which conditions answers differ, each with an
    /// example; or the proof that none does.
    Diff(diff::Arguments),
}

pub(super) fn run(command: Command) -> Exit {
    match command {
        Command::Check { dir, format } => check::run(dir.as_deref(), format),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Show { id, rules, compiled } => match open(rules.as_deref()) {
            Ok(ruleset) => show::run(&ruleset, id.as_deref(), compiled),
            Err(error) => {
                complain(error);
                Exit::Unusable
            }
        },
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
