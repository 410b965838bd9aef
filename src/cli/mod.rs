//! Words on a command line to calls, results to text.
//!
//! | exit | means |
//! | --- | --- |
//! | 0 | fine |
//! | 1 | an item could not be evaluated, or a check failed; the server does not serve |
//! | 2 | unusable input, settings or arguments |
//! | 3 | the server ended with calls in flight |

mod audit;
mod cases;
mod descriptor_set;
mod evaluate;
mod gate;
mod healthcheck;
mod in_force;
pub mod input;
pub mod page;
mod rules;
mod serve;
mod settings;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

/// Decision support for people with opioid use disorder and a co-occurring
/// mental health disorder, for licensed clinicians to weigh.
#[derive(Debug, Parser)]
#[command(name = "concord", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve over gRPC until a signal ends it.
    Serve(serve::Arguments),
    /// Ask the server of these settings, on this machine, whether it serves.
    Healthcheck(healthcheck::Arguments),
    /// Evaluate patients from files.
    Evaluate(evaluate::Arguments),
    /// Read, verify, export and prune the audit log.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Read and check a rules package.
    #[command(subcommand)]
    Rules(rules::Command),
    /// Print every setting and every parameter of the rules package, its value and where it comes from.
    Config(settings::Arguments),
    /// Print the descriptor set of the contract: for `grpcurl -protoset`, proxies that transcode, and generators.
    DescriptorSet,
}

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Exit {
    Fine,
    Failed,
    Unusable,
    Cut,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Failed => 1,
            Exit::Unusable => 2,
            Exit::Cut => 3,
        })
    }
}

/// Form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Runs the command that the arguments name, the program's own name first.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors: they go to standard output.
            let _ = error.print();
            return if error.use_stderr() { Exit::Unusable } else { Exit::Fine }.into();
        }
    };
    match arguments.command {
        Command::Serve(arguments) => serve::run(arguments),
        Command::Healthcheck(arguments) => healthcheck::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(arguments),
        Command::Audit(command) => audit::run(command),
        Command::Rules(command) => rules::run(command),
        Command::Config(arguments) => settings::run(&arguments),
        Command::DescriptorSet => descriptor_set::run(),
    }
    .into()
}

/// Says on standard error what went wrong.
fn complain(message: impl std::fmt::Display) {
    eprintln!("{message}");
}

/// Prints to standard output. False where the reader is gone: then there is no
/// one to tell either.
fn print(text: &str) -> bool {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok()
}
