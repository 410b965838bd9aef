//! `concord audit list`: decisions, newest first.

use clap::{Args, ValueEnum};

use super::super::in_force::columns;
use super::super::settings::{SettingsArguments, Unusable};
use super::super::{Exit, Format, complain, print};
use super::{Opened, open, refused};
use crate::api::audit::list::{Found, page};
use crate::api::audit::request::{Filter, listing};
use crate::api::audit::{Seen, answer};
use crate::api::json;
use crate::api::limits::Limits;
use crate::api::proto::list_decisions_request as wire;
use crate::api::proto::{DecisionSummary, ListDecisionsRequest};

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Made at this instant or later: RFC 3339, or a full date for its whole day, UTC.
    #[arg(long, value_name = "INSTANT")]
    from: Option<String>,
    /// Made before this instant; of a full date, the whole day is meant.
    #[arg(long, value_name = "INSTANT")]
    to: Option<String>,
    /// Who called, exactly as recorded.
    #[arg(long)]
    caller: Option<String>,
    /// Digest of the package that answered.
    #[arg(long, value_name = "DIGEST")]
    ruleset: Option<String>,
    /// Id of a rule that fired.
    #[arg(long, value_name = "ID")]
    rule: Option<String>,
    /// Answered, refused or both. Else what was answered, or both where a status is asked for.
    #[arg(long, value_enum)]
    outcome: Option<Outcome>,
    /// The gRPC status: `INVALID_ARGUMENT`.
    #[arg(long)]
    status: Option<String>,
    /// Entries at most.
    #[arg(long, default_value_t = 100)]
    limit: usize,
    /// Form of the output: a table, or one DecisionSummary a line.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    settings: SettingsArguments,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Outcome {
    /// Decisions.
    Answered,
    /// Calls that were refused or failed.
    Refused,
    /// Both.
    All,
}

impl Arguments {
    fn request(&self) -> ListDecisionsRequest {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let outcome = match self.outcome {
            None => wire::Outcome::Unspecified,
            Some(Outcome::Answered) => wire::Outcome::Answered,
            Some(Outcome::Refused) => wire::Outcome::Refused,
            Some(Outcome::All) => wire::Outcome::All,
        };
        ListDecisionsRequest {
            start_time: text(&self.from),
            end_time: text(&self.to),
            caller: text(&self.caller),
            ruleset_digest: text(&self.ruleset),
            rule: text(&self.rule),
            outcome: outcome.into(),
            status: text(&self.status),
            ..ListDecisionsRequest::default()
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Unusable> {
    let request = arguments.request();
    let filter = listing(&request, &Limits::default()).map_err(|refusal| refused(&refusal))?.filter;
    let mut opened = open(&arguments.settings)?;
    let (found, more) = gather(&mut opened, &filter, arguments.limit)?;
    opened.seen("concord audit list", Seen::Many(found.len() as u64), &request)?;
    let summaries: Vec<DecisionSummary> = found.iter().map(answer::summary).collect();
    let text = match arguments.format {
        Format::Text => table(&summaries, more),
        Format::Json => {
            let lines: Result<Vec<String>, _> = summaries.iter().map(json::to_line).collect();
            match lines {
                Ok(lines) => lines.iter().map(|line| format!("{line}\n")).collect(),
                Err(error) => {
                    complain(error);
                    return Ok(Exit::Failed);
                }
            }
        }
    };
    Ok(if print(&text) { Exit::Fine } else { Exit::Failed })
}

/// Entries up to a limit, and whether there are more.
fn gather(opened: &mut Opened, filter: &Filter, limit: usize) -> Result<(Vec<Found>, bool), Unusable> {
    let (mut found, mut before) = (Vec::<Found>::new(), None);
    loop {
        let left = limit.saturating_sub(found.len());
        if left == 0 {
            return Ok((found, true));
        }
        let part = page(&mut opened.records, filter, before, left)?;
        found.extend(part.found);
        match part.next {
            Some(next) => before = Some(next),
            None => return Ok((found, false)),
        }
    }
}

fn table(summaries: &[DecisionSummary], more: bool) -> String {
    let cells = |summary: &DecisionSummary| -> [String; 7] {
        let entry = summary.entry.clone().unwrap_or_default();
        let digest: String = entry.ruleset_digest.chars().take(12).collect();
        let rules = match (summary.damaged, summary.erased, entry.kind.as_str()) {
            (true, _, _) => "not what was written".to_owned(),
            (_, true, _) => "erased".to_owned(),
            (_, _, "refusal") => entry.reason,
            _ => summary.rules_fired.to_string(),
        };
        [entry.index.to_string(), entry.time, entry.id, entry.caller, entry.status, digest, rules]
    };
    let cells: Vec<[String; 7]> = summaries.iter().map(cells).collect();
    let mut rows = vec![["entry", "time", "id", "caller", "status", "package", "rules fired"]];
    rows.extend(cells.iter().map(|row| row.each_ref().map(String::as_str)));
    let more = if more { "and older ones, perhaps: --limit shows more\n" } else { "" };
    columns(&rows) + more
}
