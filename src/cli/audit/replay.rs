//! `concord audit replay`: are the answers of the record the answers of its packages?

use std::cell::OnceCell;
use std::collections::BTreeMap;

use clap::Args;

use super::super::settings::{SettingsArguments, Unusable, origin};
use super::super::{Exit, Format, complain, print};
use super::{Opened, open, refused};
use crate::api::audit::list::page;
use crate::api::audit::replay::{Packages, Stored, replay, response};
use crate::api::audit::{Seen, decision, request};
use crate::api::json;
use crate::api::limits::Limits;
use crate::api::proto::replay_decision_response::Outcome;
use crate::api::proto::{Difference, ListDecisionsRequest, ReplayDecisionRequest, ReplayDecisionResponse};
use crate::api::refusal::Refusal;
use crate::audit::records::Record;
use crate::ruleset::{Depth, Ruleset, check_sources};

/// Decisions that are read at once.
const PAGE: usize = 128;

/// Differences of one decision that the text shows.
const SHOWN: usize = 50;

/// Characters of a value that the text shows.
const VALUE: usize = 160;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Ids of decisions; else all of the range.
    ids: Vec<String>,
    /// Made at this instant or later: RFC 3339, or a full date for its whole day, UTC.
    #[arg(long, value_name = "INSTANT", conflicts_with = "ids")]
    from: Option<String>,
    /// Made before this instant; of a full date, the whole day is meant.
    #[arg(long, value_name = "INSTANT", conflicts_with = "ids")]
    to: Option<String>,
    /// Form of the output: what is not the same and counts, or one ReplayDecisionResponse a line.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    settings: SettingsArguments,
}

/// Replays, and what came of them so far.
struct Run<'a> {
    arguments: &'a Arguments,
    packages: Packages,
    /// The package of the settings, once it is needed: it may be the one that an altered archive held.
    known: OnceCell<Option<Ruleset>>,
    counts: BTreeMap<&'static str, u64>,
    text: String,
    replayed: u64,
    failed: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Unusable> {
    let mut opened = open(&arguments.settings)?;
    let mut run = Run {
        arguments,
        packages: Packages::default(),
        known: OnceCell::new(),
        counts: BTreeMap::new(),
        text: String::new(),
        replayed: 0,
        failed: false,
    };
    if arguments.ids.is_empty() {
        let request = ListDecisionsRequest {
            start_time: arguments.from.clone().unwrap_or_default(),
            end_time: arguments.to.clone().unwrap_or_default(),
            ..ListDecisionsRequest::default()
        };
        run.range(&mut opened, &request)?;
        opened.seen("concord audit replay", Seen::Many(run.replayed), &request)?;
    } else {
        for id in &arguments.ids {
            let request = ReplayDecisionRequest { decision_id: id.clone(), ..ReplayDecisionRequest::default() };
            let id = request::replay(&request, &Limits::default()).map_err(|refusal| refused(&refusal))?;
            let found = id.map(|id| decision(&mut opened.records, &id)).transpose()?.flatten();
            let Some(record) = found else {
                return Err(Unusable(format!("{}: {}", request.decision_id, refused(&Refusal::EntryNotFound).0)));
            };
            let seen = Seen::One(record.leaf.id);
            run.one(&mut opened, record)?;
            opened.seen("concord audit replay", seen, &request)?;
        }
    }
    if arguments.format == Format::Text {
        run.text += &run.summary();
    }
    Ok(if print(&run.text) && !run.failed { Exit::Fine } else { Exit::Failed })
}

impl Run<'_> {
    fn range(&mut self, opened: &mut Opened, request: &ListDecisionsRequest) -> Result<(), Unusable> {
        let filter = request::listing(request, &Limits::default()).map_err(|refusal| refused(&refusal))?.filter;
        let mut before = None;
        loop {
            let part = page(&mut opened.records, &filter, before, PAGE)?;
            for found in part.found {
                match found.record {
                    Some(record) => self.one(opened, record)?,
                    None => self.damaged(found.index),
                }
            }
            match part.next {
                Some(next) => before = Some(next),
                None => return Ok(()),
            }
        }
    }

    fn one(&mut self, opened: &mut Opened, record: Record) -> Result<(), Unusable> {
        let stored = Stored::read(&mut opened.records, record)?;
        let index = stored.record.row.index;
        let mut outcome = replay(&stored, &self.packages, None);
        if outcome.as_ref().is_ok_and(|replay| replay.outcome == Outcome::ArchiveAltered) {
            let arguments = self.arguments;
            let known = self.known.get_or_init(|| known(arguments));
            outcome = replay(&stored, &self.packages, known.as_ref());
        }
        let Ok(outcome) = outcome else {
            self.damaged(index);
            return Ok(());
        };
        self.count(word(outcome.outcome));
        self.failed |= matches!(outcome.outcome, Outcome::Different | Outcome::ArchiveAltered | Outcome::NotArchived);
        let told = response(&stored.record, outcome);
        match self.arguments.format {
            Format::Json => match json::to_line(&told) {
                Ok(line) => self.text += &format!("{line}\n"),
                Err(error) => {
                    complain(error);
                    self.failed = true;
                }
            },
            Format::Text if told.outcome() == Outcome::Identical => {}
            Format::Text => self.text += &differs(&told, index, &stored.record.leaf.at),
        }
        Ok(())
    }

    fn damaged(&mut self, index: u64) {
        self.count("damaged");
        self.failed = true;
        match self.arguments.format {
            Format::Text => self.text += &format!("DAMAGED entry {index}: it is not what was written\n\n"),
            Format::Json => complain(format_args!("entry {index} is not what was written")),
        }
    }

    fn count(&mut self, what: &'static str) {
        self.replayed = self.replayed.saturating_add(1);
        let count = self.counts.entry(what).or_default();
        *count = count.saturating_add(1);
    }

    fn summary(&self) -> String {
        let counts: Vec<String> = self.counts.iter().map(|(what, count)| format!("{count} {what}")).collect();
        let counts = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
        let decisions = if self.replayed == 1 { "decision" } else { "decisions" };
        format!("{} {decisions}{counts}\n", self.replayed)
    }
}

/// The package that the settings name, not checked again: it is compared, not used.
fn known(arguments: &Arguments) -> Option<Ruleset> {
    let settings = arguments.settings.load(Vec::new()).ok()?.settings;
    let sources = origin(&settings).read().ok()?;
    Ruleset::from_checked(check_sources(sources, None, Depth::Nothing)).ok()
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Unspecified => "not told",
        Outcome::Identical => "identical",
        Outcome::Different => "different",
        Outcome::ArchiveAltered => "with an altered package",
        Outcome::AnotherSemantics => "of other semantics",
        Outcome::Erased => "erased",
        Outcome::NotArchived => "without a package",
    }
}

fn differs(told: &ReplayDecisionResponse, index: u64, at: &str) -> String {
    let outcome = told.outcome().as_str_name();
    let mut text = format!("{outcome} {} (entry {index}, {at})\n  {}\n", told.decision_id, told.detail);
    if !told.archived_digest.is_empty() && told.archived_digest != told.ruleset_digest {
        text += &format!("  package answered  sha256 {}\n", told.ruleset_digest);
        text += &format!("  package archived  sha256 {}\n", told.archived_digest);
    }
    text +=
        &block("in the package", ("answered", "archived"), &told.package_differences, told.more_package_differences);
    text += &block("in the answer", ("recorded", "replayed"), &told.differences, told.more_differences);
    text + "\n"
}

fn block(what: &str, sides: (&str, &str), differences: &[Difference], more: u32) -> String {
    if differences.is_empty() {
        return String::new();
    }
    let side = |word: &str, value: &Option<String>| {
        let value = value.as_deref().unwrap_or("(not there)");
        let cut: String = value.chars().take(VALUE).collect();
        let end = if cut.len() < value.len() { "…" } else { "" };
        format!("      {word}  {cut}{end}\n")
    };
    let shown = differences.iter().take(SHOWN);
    let lines: String = shown
        .map(|one| format!("    {}\n{}{}", one.path, side(sides.0, &one.recorded), side(sides.1, &one.replayed)))
        .collect();
    let rest = (differences.len().saturating_sub(SHOWN) as u64).saturating_add(u64::from(more));
    let rest = if rest > 0 { format!("    and {rest} more\n") } else { String::new() };
    format!("  {what}:\n{lines}{rest}")
}
