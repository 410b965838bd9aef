//! `concord rules check`: what is wrong with a package, where, and what to write instead.

use std::io::IsTerminal as _;
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::Offset;

use super::super::{Exit, Format, complain, print};
use super::summary;
use crate::diag;
use crate::ruleset::{self, Checked, Ruleset};

/// A package with faults is unusable input.
pub(super) fn run(dir: Option<&Path>, format: Format) -> Exit {
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
