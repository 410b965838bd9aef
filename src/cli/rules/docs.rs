//! `concord rules docs`: the package as a handbook.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::super::{Exit, complain, print};
use super::{exercise, open};
use crate::deck::{self, Deck};
use crate::diag::{self, Files};
use crate::handbook::{self, Handbook, html, markdown};
use crate::ruleset::{self, Origin, Ruleset};

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
    /// This page alone, as Markdown whose links lead to the files of the package.
    #[arg(long, value_enum, conflicts_with = "format")]
    page: Option<Page>,
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

/// A page of the handbook that stands alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Page {
    /// What became of every item of the clinical briefs.
    Briefs,
    /// The clinical safety file.
    Safety,
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
    let text = match arguments.page {
        Some(Page::Briefs) => markdown::page(&handbook::briefs(ruleset.package()), "concord rules docs --page briefs"),
        Some(Page::Safety) => markdown::page(&handbook::safety(ruleset.package()), "concord rules docs --page safety"),
        None => {
            let exercise = exercise::of(&ruleset, &cases(dir, &ruleset)?);
            let book = Handbook::of(&ruleset, &exercise);
            match arguments.format {
                Form::Html => html::render(&book),
                Form::Markdown => markdown::render(&book),
            }
        }
    };
    match &arguments.out {
        None => Ok(if print(&text) { Exit::Fine } else { Exit::Failed }),
        Some(file) => save(file, &text),
    }
}

/// The cases of the package; none where its directory has none.
fn cases(dir: Option<&Path>, ruleset: &Ruleset) -> Result<Deck, String> {
    let files = match dir.map(|dir| dir.join("cases")) {
        Some(dir) if !dir.is_dir() => Vec::new(),
        Some(dir) => ruleset::case_files(&dir).map_err(|error| error.to_string())?,
        None => ruleset::embedded_cases(),
    };
    let (deck, faults) = deck::read(Files::new(files), ruleset.package());
    if faults.is_empty() { Ok(deck) } else { Err(diag::render(&faults, &deck.files, false)) }
}

fn save(file: &Path, text: &str) -> Result<Exit, String> {
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(Exit::Fine)
}
