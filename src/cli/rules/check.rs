//! `concord rules check`: what is wrong with a package, where, and what to write instead.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::tz::Offset;

use super::super::{Exit, Format, complain, print};
use super::summary;
use crate::diag;
use crate::ruleset::{self, Checked, Origin, Ruleset};

/// The package alone, or with each of the overlays in turn. A package with
/// faults is unusable input.
pub(super) fn run(rules: Option<PathBuf>, overlays: Vec<PathBuf>, format: Format) -> Exit {
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
