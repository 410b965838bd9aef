//! `concord rules test`: a package held against its cases.

mod json;
mod junit;
mod sizes;
mod suggested;
mod text;
mod watch;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use clap::Args;

use self::sizes::Sizes;
use super::super::{Exit, Format, complain, print};
use crate::deck::coverage::Coverage;
use crate::deck::mutate::{self, Mutants, Report};
use crate::deck::run::{Verdict, run as run_deck};
use crate::deck::suggest::suggest;
use crate::deck::{self, Case, Claim, Deck};
use crate::diag::{self, Diagnostic, Files, nearest};
use crate::engine::Engine;
use crate::rule::truth::Truth;
use crate::ruleset::{self, Depth, LoadError, Origin, Ruleset};

#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the command line")]
pub(in crate::cli) struct Arguments {
    /// Case files, or folders of them; else the package's own.
    #[arg(value_name = "CASES")]
    paths: Vec<PathBuf>,
    /// Directory of the package; else the one in the binary.
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Directory of the site's overlay.
    #[arg(long, value_name = "DIR")]
    overlay: Option<PathBuf>,
    /// One more folder of cases, or a folder in place of the package's own.
    #[arg(long, value_name = "DIR")]
    cases: Vec<PathBuf>,
    /// Only cases that name this rule or don't leave it false; coverage of this rule alone.
    #[arg(long, value_name = "ID")]
    rule: Vec<String>,
    /// Only cases with this tag.
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Only this case.
    #[arg(long, value_name = "CASE")]
    id: Vec<String>,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write the results to this file too, as JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Run again whenever a file of the package or of the cases changes.
    #[arg(long)]
    watch: bool,
    /// Show which rules and clauses no case shows.
    #[arg(long)]
    coverage: bool,
    /// Write patients that would show what is missing to a new file in this
    /// folder, for a clinician to say what is expected.
    #[arg(long, value_name = "DIR")]
    suggest: Option<PathBuf>,
    /// Show how much the answers say: median, 90th percentile and maximum of
    /// alerts, components, requests and lines.
    #[arg(long)]
    sizes: bool,
    /// Change the package in one place at a time, and show which changes no case notices.
    #[arg(long)]
    mutate: bool,
    /// Fail if the cases notice a smaller share of the changes than this.
    #[arg(long, value_name = "PERCENT", requires = "mutate", value_parser = clap::value_parser!(u8).range(1..=100))]
    killed: Option<u8>,
    /// Only so many of the changes, for a quick look.
    #[arg(long, value_name = "COUNT")]
    sample: Option<usize>,
    /// Which of them.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    seed: u64,
    /// Threads that run changed packages.
    #[arg(long, value_name = "COUNT", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..))]
    jobs: u8,
}

/// A package and its cases, ready to run.
struct Bench {
    ruleset: Ruleset,
    files: Files,
    deck: Deck,
}

/// What a run found.
struct Results<'a> {
    bench: &'a Bench,
    verdicts: Vec<Verdict<'a>>,
    coverage: Option<Coverage>,
    mutation: Option<Report>,
    sizes: Option<Sizes>,
}

impl Results<'_> {
    fn failed(&self) -> usize {
        self.verdicts.iter().filter(|verdict| !verdict.passed()).count()
    }

    /// The share of changes that a case notices; nothing changed, nothing noticed.
    fn killed_permille(&self) -> usize {
        self.mutation.as_ref().and_then(|report| report.fates().permille()).unwrap_or_default()
    }
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    if !arguments.watch {
        return once(arguments);
    }
    let own = arguments.rules.iter().chain(&arguments.paths).chain(&arguments.cases);
    let paths: Vec<&Path> = own.map(PathBuf::as_path).collect();
    if paths.is_empty() {
        complain("there is nothing to watch: package and cases are in the binary; name a directory with --rules");
        return Exit::Unusable;
    }
    watch::watch(&paths, || {
        once(arguments);
        print("-- waiting for a change\n")
    });
    Exit::Failed
}

fn once(arguments: &Arguments) -> Exit {
    let outcome = prepare(arguments).and_then(|bench| {
        let mut results = results(arguments, &bench)?;
        if let Some(file) = &arguments.junit {
            let written = junit::report(&results).and_then(|xml| std::fs::write(file, xml));
            written.map_err(|error| format!("{}: {error}", file.display()))?;
        }
        if let (Some(dir), Some(coverage)) = (&arguments.suggest, &results.coverage) {
            complain(suggested::write(dir, &suggest(coverage, bench.ruleset.engine(), &bench.deck))?.trim_end());
        }
        results.coverage = results.coverage.filter(|_| arguments.coverage);
        let text = match arguments.format {
            Format::Text => text::report(&results),
            Format::Json => json::report(&results),
        };
        let noticed = arguments.killed.is_none_or(|share| results.killed_permille() >= usize::from(share) * 10);
        if !noticed {
            complain("the cases notice fewer of the changes than --killed asks for");
        }
        Ok(if print(&text) && results.failed() == 0 && noticed { Exit::Fine } else { Exit::Failed })
    });
    outcome.unwrap_or_else(|message| {
        complain(message);
        Exit::Unusable
    })
}

fn prepare(arguments: &Arguments) -> Result<Bench, String> {
    let words = |error: LoadError| error.to_string();
    let origin = Origin { rules: arguments.rules.clone(), overlay: arguments.overlay.clone() };
    let checked = ruleset::check_sources(origin.read().map_err(words)?, None, Depth::Errors);
    let files = checked.files.clone();
    let ruleset = Ruleset::from_checked(checked).map_err(words)?;
    let (deck, faults) = deck::read(case_files(arguments).map_err(words)?, ruleset.package());
    if !faults.is_empty() {
        return Err(told(arguments, &faults, &deck.files));
    }
    // Other cases than the package's own need not hold what the package names.
    let own = arguments.paths.is_empty() && arguments.cases.is_empty();
    let unproven = if own { deck::proofs::missing(ruleset.package(), &deck) } else { Vec::new() };
    if !unproven.is_empty() {
        return Err(told(arguments, &unproven, &files));
    }
    Ok(Bench { ruleset, files, deck })
}

fn told(arguments: &Arguments, faults: &[Diagnostic], files: &Files) -> String {
    match arguments.format {
        Format::Text => diag::render(faults, files, std::io::stderr().is_terminal()),
        Format::Json => diag::to_json(faults, files).to_string(),
    }
}

fn case_files(arguments: &Arguments) -> Result<Files, LoadError> {
    let paths: Vec<&Path> = arguments.paths.iter().chain(&arguments.cases).map(PathBuf::as_path).collect();
    let mut files = Vec::new();
    for path in &paths {
        files.extend(ruleset::case_files(path)?);
    }
    if paths.is_empty() {
        files = match &arguments.rules {
            Some(dir) => ruleset::case_files(&dir.join("cases"))?,
            None => ruleset::embedded_cases(),
        };
    }
    files.sort();
    files.dedup();
    Ok(Files::new(files))
}

fn results<'a>(arguments: &Arguments, bench: &'a Bench) -> Result<Results<'a>, String> {
    let (deck, engine) = (&bench.deck, bench.ruleset.engine());
    let rules: Vec<&str> = engine.with_drafts().program().rules.iter().map(|rule| rule.id.as_str()).collect();
    known("active rule", &arguments.rule, &rules)?;
    known("case", &arguments.id, &deck.cases.iter().map(|case| case.id.as_str()).collect::<Vec<_>>())?;
    let tags: Vec<&str> = deck.cases.iter().flat_map(|case| &case.tags).map(String::as_str).collect();
    known("tag", &arguments.tag, &tags)?;
    let any = |wanted: &[String], has: &dyn Fn(&String) -> bool| wanted.is_empty() || wanted.iter().any(has);
    let mut verdicts = run_deck(deck, engine, |case| {
        any(&arguments.id, &|id| *id == case.id) && any(&arguments.tag, &|tag| case.tags.contains(tag))
    });
    let rule_wanted = |id: &str| any(&arguments.rule, &|rule| rule == id);
    let coverage =
        (arguments.coverage || arguments.suggest.is_some()).then(|| Coverage::of(engine, &verdicts, rule_wanted));
    let mutation = arguments.mutate.then(|| mutated(arguments, bench, &verdicts));
    verdicts.retain(|verdict| any(&arguments.rule, &|rule| concerns(verdict, rule, engine)));
    let sizes = arguments.sizes.then(|| Sizes::of(&bench.ruleset, &verdicts));
    Ok(Results { bench, verdicts, coverage, mutation, sizes })
}

fn mutated(arguments: &Arguments, bench: &Bench, verdicts: &[Verdict<'_>]) -> Report {
    let (package, engine) = (bench.ruleset.package(), bench.ruleset.engine());
    let mut mutants = Mutants::of(package, &bench.files, &bench.deck, &arguments.rule);
    let all = mutants.list.len();
    if let Some(most) = arguments.sample {
        mutants.sample(most, arguments.seed);
    }
    mutate::run(mutants, all, engine, verdicts, usize::from(arguments.jobs))
}

fn known(what: &str, wanted: &[String], names: &[&str]) -> Result<(), String> {
    let unknown = wanted.iter().find(|name| !names.contains(&name.as_str()));
    unknown.map_or(Ok(()), |name| {
        let hint = nearest(name, names.iter().copied()).map(|near| format!("; did you mean `{near}`?"));
        Err(format!("there is no {what} `{name}`{}", hint.unwrap_or_default()))
    })
}

/// Does a case name the rule, or leave its condition true or unknown?
fn concerns(verdict: &Verdict<'_>, rule: &str, engine: &Engine) -> bool {
    let names = |case: &Case| {
        case.expectations.iter().any(|expectation| match &expectation.claim {
            Claim::Rule(id, _) => id == rule,
            Claim::Alert(pattern) | Claim::NoAlert(pattern) => pattern.id.as_deref() == Some(rule),
            Claim::AlertsExact(patterns) => patterns.iter().any(|one| one.id.as_deref() == Some(rule)),
            Claim::RequestKey(id) => id == rule,
            _ => false,
        })
    };
    let engine = if verdict.case.drafts { engine.with_drafts() } else { engine };
    let compiled = engine.program().rules.iter().find(|one| one.id == rule);
    let live =
        compiled.zip(verdict.values.as_ref()).is_some_and(|(rule, values)| values.get(rule.node) != Truth::False);
    live || names(verdict.case)
}
