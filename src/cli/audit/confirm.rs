//! What can't be undone is asked for.

use std::io::{IsTerminal as _, stdin};

use crate::cli::complain;
use crate::cli::settings::Unusable;

/// Does the one at the terminal want it? Off a terminal only `--yes` says so.
pub(super) fn confirmed(what: &str, yes: bool) -> Result<bool, Unusable> {
    if yes {
        return Ok(true);
    }
    if !stdin().is_terminal() {
        return Err(Unusable(format!("{what}: this can't be undone, and there is no terminal to ask at: --yes")));
    }
    complain(format!("{what}: this can't be undone. Type `yes` to go on:"));
    Ok(line()? == "yes")
}

/// A line of standard input.
pub(super) fn line() -> Result<String, Unusable> {
    let mut line = String::new();
    stdin().read_line(&mut line).map_err(|error| Unusable(format!("standard input: {error}")))?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}
