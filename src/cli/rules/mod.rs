//! `concord rules`: what a rules package is governed with.

mod cases;
mod check;
mod diff;
mod docs;
mod exercise;
mod schema;
mod show;
mod sign;
mod test;

use std::path::PathBuf;

use clap::Subcommand;

use super::settings::Unusable;
use super::{Exit, complain, print};
use crate::ruleset::{LoadError, Origin, Ruleset};

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
        #[arg(long, value_enum, default_value_t = check::Form::Text)]
        format: check::Form,
    },
    /// Show the package, or one rule or invariant of it.
    Show {
        /// Id of a rule or an invariant.
        id: Option<String>,
        /// Directory of the package; else the one in the binary.
        #[arg(long, value_name = "DIR")]
        rules: Option<PathBuf>,
        /// Directory of the site's overlay.
        #[arg(long, value_name = "DIR")]
        overlay: Option<PathBuf>,
        /// The compiled form as JSON: atoms, formulas, rules, components.
        #[arg(long)]
        compiled: bool,
    },
    /// Count the cases of a package, or print each whole as JSON, for another system to be held against.
    Cases(cases::Arguments),
    /// What changes for patients from one package to another: under which conditions answers differ, each with an
    /// example; or the proof that none does.
    Diff(diff::Arguments),
    /// Write the package as a handbook: one HTML file, or Markdown.
    Docs(docs::Arguments),
    /// Print the JSON Schema by which editors complete and check YAML files.
    Schema {
        /// Of what.
        #[arg(value_enum, default_value_t = schema::Document::Package)]
        of: schema::Document,
    },
    /// Run cases against a package, and say what they show of it.
    Test(test::Arguments),
    /// Sign a package, or an overlay of it: writes `package.sig` into its directory.
    Sign {
        /// Directory of the package; else, for an overlay, the one in the binary.
        #[arg(required_unless_present = "overlay")]
        dir: Option<PathBuf>,
        /// Directory of the overlay that is signed instead. It is checked with the package.
        #[arg(long, value_name = "DIR")]
        overlay: Option<PathBuf>,
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
        Command::Check { dir, overlay, format } => check::run(dir, overlay, format),
        Command::Cases(arguments) => cases::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Docs(arguments) => docs::run(&arguments),
        Command::Show { id, rules, overlay, compiled } => match open(&Origin { rules, overlay }) {
            Ok(ruleset) => show::run(&ruleset, id.as_deref(), compiled),
            Err(error) => {
                complain(error);
                Exit::Unusable
            }
        },
        Command::Schema { of } => schema::run(of),
        Command::Sign { dir, overlay, key } => told(sign::sign(&Origin { rules: dir, overlay }, &key)),
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

fn open(origin: &Origin) -> Result<Ruleset, LoadError> {
    Ruleset::from_sources(origin.read()?)
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

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).map_or_else(|error| format!("{error}\n"), |text| text + "\n")
}
