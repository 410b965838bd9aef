//! The `concord` command.
//!
//! Exit 0: fine. 1: an item could not be evaluated, or a check failed.
//! 2: unusable input, settings or arguments. 3: the server ended with calls in
//! flight.

use std::process::ExitCode;

fn main() -> ExitCode {
    concord::cli::run(std::env::args_os())
}
