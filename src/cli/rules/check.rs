//! `concord rules check`: what is wrong with a package, where, and what to write instead.

use std::io::IsTerminal as _;
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::Offset;

use super::super::{Exit, complain, print};
use super::summary;
use crate::diag;
use crate::ruleset::{self, Checked, Depth, Ruleset};

/// Form of the diagnostics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// SARIF 2.1.0, for code hosts and editors.
    Sarif,
}

/// A package with faults is unusable input.
pub(super) fn run(dir: Option<&Path>, format: Form) -> Exit {
    let today = Offset::UTC.to_datetime(Timestamp::now()).date().to_string();
    let checked = match dir.map_or_else(
        || Ok(ruleset::check_embedded(Some(&today), Depth::All)),
        |dir| ruleset::check_dir(dir, Some(&today), Depth::All),
    ) {
        Ok(checked) => checked,
        Err(error) => {
            complain(error);
            return Exit::Unusable;
        }
    };
    match format {
        Form::Text => report(&checked),
        Form::Json => {
            print(&format!("{}\n", diag::to_json(&checked.diagnostics, &checked.files)));
        }
        Form::Sarif => {
            let sarif = diag::to_sarif(&checked.diagnostics, &checked.files, env!("CARGO_PKG_VERSION"));
            print(&format!("{sarif:#}\n"));
        }
    }
    let faulty = checked.errors() > 0;
    if format == Form::Text && !faulty {
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
