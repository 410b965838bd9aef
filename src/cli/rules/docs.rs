//! `concord rules docs`: the package as a handbook.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::super::{Exit, complain, print};
use super::{exercise, open};
use crate::handbook::{Exercise, Handbook, html, markdown};
use crate::ruleset::Origin;

/// What `concord rules docs` is told.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Directory of the package; else the one in the binary.
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The same, as other commands write it.
    #[arg(long, value_name = "DIR", conflicts_with = "dir")]
    rules: Option<PathBuf>,
    /// Directory of the site's overlay.
    #[arg(long, value_name = "DIR")]
    overlay: Option<PathBuf>,
    /// Form of the handbook.
    #[arg(long, value_enum, default_value_t = Form::Html)]
    format: Form,
    /// File to write; else standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Form of the handbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// One self-contained file for a browser.
    Html,
    /// Markdown, as GitHub renders it.
    Markdown,
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    match write(arguments) {
        Ok(exit) => exit,
        Err(message) => {
            complain(message);
            Exit::Unusable
        }
    }
}

fn write(arguments: &Arguments) -> Result<Exit, String> {
    let dir = arguments.dir.as_deref().or(arguments.rules.as_deref());
    let origin = Origin { rules: dir.map(Path::to_owned), overlay: arguments.overlay.clone() };
    let ruleset = Arc::new(open(&origin).map_err(|error| error.to_string())?);
    let exercise = match dir {
        Some(dir) => exercise::of(&ruleset, &dir.join("cases"))?,
        None => Exercise::default(),
    };
    let book = Handbook::of(&ruleset, &exercise);
    let text = match arguments.format {
        Form::Html => html::render(&book),
        Form::Markdown => markdown::render(&book),
    };
    match &arguments.out {
        None => Ok(if print(&text) { Exit::Fine } else { Exit::Failed }),
        Some(file) => save(file, &text),
    }
}

fn save(file: &Path, text: &str) -> Result<Exit, String> {
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(Exit::Fine)
}
