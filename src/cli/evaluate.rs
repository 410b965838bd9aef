//! `concord evaluate`: patients from files, answers to standard output.

use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::cases;
use super::input::{Source, documents};
use super::page::{PageStyle, WIDTH, first_screen, render};
use super::settings::{SettingsArguments, Unusable, ruleset, terms};
use super::{Exit, Format, complain, print};
use crate::api::decide::{Decision, Terms, decide};
use crate::api::proto::{EvaluateRequest, evaluate_request};
use crate::api::refusal::Refusal;
use crate::api::{answer, json};
use crate::engine::decision::Explain as Level;
use crate::ruleset::Ruleset;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Files with an EvaluateRequest or a Patient: JSON, YAML, or one JSON
    /// document a line. `-` is standard input. Of a case file, the patients are
    /// taken.
    #[arg(required_unless_present = "case", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The patient of a case of the package. May be repeated.
    #[arg(long, value_name = "ID")]
    case: Vec<String>,
    /// Form of the output: pages, or one EvaluateResponse a line.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The instant of the evaluation, RFC 3339 or a full date; takes the place
    /// of the one in the input.
    #[arg(long, value_name = "INSTANT")]
    as_of: Option<String>,
    /// How much is explained; takes the place of what the input says.
    #[arg(long, value_enum)]
    explain: Option<Explain>,
    /// Only the first screen of each page: what must not be missed, and what
    /// the page holds.
    #[arg(long, conflicts_with = "format")]
    first_screen: bool,
    /// Evaluate drafts too: what rests on one is marked, and adds to what
    /// active rules say. For review, not for care.
    #[arg(long)]
    drafts: bool,
    #[command(flatten)]
    settings: SettingsArguments,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Explain {
    /// Statements and evidence.
    Brief,
    /// And the input behind each statement.
    Standard,
    /// And every rule considered.
    Full,
}

struct Run {
    ruleset: Arc<Ruleset>,
    terms: Terms,
    arguments: Arguments,
    style: PageStyle,
    /// Patients of the cases that are named, each with its place.
    cases: Vec<(String, EvaluateRequest)>,
    /// Pages printed so far.
    pages: usize,
}

pub(super) fn run(arguments: Arguments) -> Exit {
    let mut run = match prepare(arguments) {
        Ok(run) => run,
        Err(Unusable(message)) => {
            complain(message);
            return Exit::Unusable;
        }
    };
    let cases = std::mem::take(&mut run.cases);
    let of_cases = cases.into_iter().map(|(place, request)| run.item(&place, request)).max();
    let files = run.arguments.files.clone();
    let of_files = files.iter().map(|file| run.file(file)).max();
    of_cases.max(of_files).unwrap_or(Exit::Fine)
}

fn prepare(arguments: Arguments) -> Result<Run, Unusable> {
    let settings = arguments.settings.load(Vec::new())?.settings;
    let ruleset = ruleset(&settings)?;
    let cases = cases::of_package(settings.rules.dir.as_deref(), &arguments.case)?;
    let style = PageStyle {
        width: width(),
        color: std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        ..PageStyle::of(&ruleset)
    };
    Ok(Run { terms: terms(&settings), ruleset: Arc::new(ruleset), arguments, style, cases, pages: 0 })
}

/// Shells tell the width in COLUMNS where they export it.
fn width() -> usize {
    std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(WIDTH)
}

pub(super) fn read(file: &Path) -> Result<Source, String> {
    let name = file.display().to_string();
    let mut text = String::new();
    let outcome = if name == "-" {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(file).map(|read| text = read)
    };
    match outcome {
        Ok(()) => Ok(Source { name, text }),
        Err(error) => Err(format!("{name}: {error}")),
    }
}

impl Run {
    fn file(&mut self, file: &Path) -> Exit {
        let source = match read(file) {
            Ok(source) => source,
            Err(message) => {
                complain(message);
                return Exit::Unusable;
            }
        };
        let mut worst = Exit::Fine;
        for document in documents(&source) {
            let exit = match document.request {
                Ok(request) => self.item(&format!("{}:{}", source.name, document.line), request),
                Err(unreadable) => {
                    complain(unreadable);
                    Exit::Unusable
                }
            };
            worst = worst.max(exit);
        }
        worst
    }

    fn item(&mut self, place: &str, mut request: EvaluateRequest) -> Exit {
        if let Some(as_of) = &self.arguments.as_of {
            request.as_of.clone_from(as_of);
        }
        if let Some(explain) = self.arguments.explain {
            request.explain = match explain {
                Explain::Brief => evaluate_request::Explain::Brief,
                Explain::Standard => evaluate_request::Explain::Standard,
                Explain::Full => evaluate_request::Explain::Full,
            }
            .into();
        }
        request.include_drafts |= self.arguments.drafts;
        self.style.explain = match request.explain() {
            evaluate_request::Explain::Brief => Level::Brief,
            evaluate_request::Explain::Full => Level::Full,
            evaluate_request::Explain::Standard | evaluate_request::Explain::Unspecified => Level::Standard,
        };
        match decide(&self.ruleset, request, &self.terms, Timestamp::now()) {
            Ok(decision) => self.show(place, decision),
            Err(refusal) => {
                refuse(place, &refusal);
                Exit::Failed
            }
        }
    }

    fn show(&mut self, place: &str, decision: Decision) -> Exit {
        let text = match self.arguments.format {
            Format::Text => {
                let between = if self.pages == 0 { "" } else { "\n----\n\n" };
                self.pages = self.pages.saturating_add(1);
                let page = if self.arguments.first_screen {
                    first_screen(&decision.answer, &self.style).text
                } else {
                    render(&decision.answer, &self.style)
                };
                format!("{between}{page}")
            }
            Format::Json => match json::to_line(&answer::response(decision)) {
                Ok(line) => format!("{line}\n"),
                Err(error) => {
                    complain(format_args!("{place}: {error}"));
                    return Exit::Failed;
                }
            },
        };
        if print(&text) { Exit::Fine } else { Exit::Failed }
    }
}

fn refuse(place: &str, refusal: &Refusal) {
    match refusal {
        Refusal::Fields(violations) => {
            for violation in violations {
                complain(format_args!("{place}: {violation}"));
            }
        }
        other => complain(format_args!("{place}: {}", crate::api::status::item_status(other).message)),
    }
}
