//! `concord audit show`: one decision, whole.

use clap::Args;

use super::super::page::{PageStyle, first_screen};
use super::super::settings::{SettingsArguments, Unusable};
use super::super::{Exit, Format, complain, print};
use super::{Opened, open, refused};
use crate::api::audit::replay::{Packages, Stored, same};
use crate::api::audit::{Seen, answer, decision, request};
use crate::api::json;
use crate::api::limits::Limits;
use crate::api::proto::{self, GetDecisionRequest, GetDecisionResponse};
use crate::api::refusal::Refusal;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Id of the decision.
    id: String,
    /// Form of the output: a page, or a GetDecisionResponse.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    settings: SettingsArguments,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Unusable> {
    let request = GetDecisionRequest { decision_id: arguments.id.clone(), ..GetDecisionRequest::default() };
    let id = request::get(&request, &Limits::default()).map_err(|refusal| refused(&refusal))?;
    let id = id.ok_or_else(|| refused(&Refusal::EntryNotFound))?;
    let Opened { mut records, log } = open(&arguments.settings)?;
    let found = answer::whole(&mut records, &id, log.origin()).map_err(|refusal| refused(&refusal))?;
    let screen = match arguments.format {
        Format::Json => None,
        Format::Text => {
            let record = decision(&mut records, &id)?;
            let stored = record.map(|record| Stored::read(&mut records, record)).transpose()?;
            let decision = stored.and_then(|stored| same(&stored, &Packages::default()));
            decision.map(|decision| first_screen(&decision.answer, &PageStyle::of(&decision.ruleset)).text)
        }
    };
    Opened { records, log }.seen("concord audit show", Seen::One(id), &request)?;
    let text = match arguments.format {
        Format::Text => page(&found, screen.as_deref()),
        Format::Json => match json::to_line(&found) {
            Ok(line) => line + "\n",
            Err(error) => {
                complain(error);
                return Ok(Exit::Failed);
            }
        },
    };
    Ok(if print(&text) { Exit::Fine } else { Exit::Failed })
}

fn line(label: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{label:9} {text}\n") }
}

/// What is there of some parts, each after its word.
fn parts(parts: &[(&str, &str)]) -> String {
    let stated = parts.iter().filter(|(_, text)| !text.is_empty());
    stated.map(|(word, text)| format!("{word}{text}")).collect::<Vec<_>>().join(", ")
}

fn page(found: &GetDecisionResponse, screen: Option<&str>) -> String {
    let entry = found.entry.clone().unwrap_or_default();
    let receipt = found.receipt.clone().unwrap_or_default();
    let request = found.request.clone().unwrap_or_default();
    let answer = found.answer.clone().unwrap_or_default();
    let handling = answer.handling.unwrap_or_default();
    let package = answer.ruleset.unwrap_or_default();
    let filled = if found.as_of_filled_in { " (the clock of the service)" } else { "" };
    let stated = if handling.purpose_of_use_defaulted { " (the default: none was stated)" } else { "" };
    let why = if handling.purpose_of_use.is_empty() {
        String::new()
    } else {
        parts(&[
            ("", &format!("{}{stated}", handling.purpose_of_use)),
            ("requester ", &request.requester),
            ("encounter ", &request.encounter_id),
        ])
    };
    let semantics = entry.semantics.to_string();
    let version = format!("{} {}", package.name, package.version);
    let mut text = format!("Decision {}\n\n", entry.id);
    text += &line("made", &parts(&[("", &entry.time), ("asked ", &entry.receive_time)]));
    text += &line("by", &parts(&[("", &entry.caller), ("", &entry.method), ("trace ", &entry.trace_id)]));
    text += &line("why", &why);
    if !answer.as_of.is_empty() {
        text += &line("as of", &format!("{}{filled}", answer.as_of));
    }
    text += &line(
        "package",
        &parts(&[
            ("", version.trim()),
            ("sha256 ", &entry.ruleset_digest),
            ("semantics ", &semantics),
            ("build ", &entry.build),
        ]),
    );
    text += &line("record", &format!("entry {} of {}, leaf {}", receipt.index, receipt.log, receipt.leaf_hash));
    text += &found.feedback.iter().map(feedback).collect::<String>();
    if found.erased {
        return text + "\nWhat was recorded of it was erased.\n";
    }
    match screen {
        Some(screen) => {
            text += "\nThe answer begins so, made again with the archived package and the same to the byte:\n\n";
            text += screen;
        }
        None => {
            text += "\nThe answer is not made again to the same bytes: `concord audit replay` says why, and\n\
                     `--format json` shows it as it was recorded.\n";
        }
    }
    text += &format!("\n{} rules fired:\n", found.rules_fired.len());
    text + &found.rules_fired.iter().map(|rule| format!("  {rule}\n")).collect::<String>()
}

fn feedback(feedback: &proto::RecordedFeedback) -> String {
    let entry = feedback.entry.clone().unwrap_or_default();
    let Some(said) = &feedback.feedback else {
        return line("feedback", &format!("{}, {}: erased", entry.time, entry.caller));
    };
    let head = parts(&[("", &entry.time), ("", &entry.caller), ("requester ", &said.requester)]);
    let items = said.items.iter().map(|item| {
        let action = item.action();
        let action = if action == proto::Action::Unspecified { "" } else { action.as_str_name() };
        let (reason, comment) = (item.reason(), &item.comment);
        let stated = reason != proto::feedback_item::Reason::Unspecified;
        let reason = if stated { format!(": {}", reason.as_str_name()) } else { String::new() };
        let comment = if comment.is_empty() { String::new() } else { format!(" {comment:?}") };
        let what = [item.kind().as_str_name(), &item.item, action].join(" ");
        format!("{:9}   {} {}{reason}{comment}\n", "", what.trim_end(), item.verdict().as_str_name())
    });
    line("feedback", &head) + &items.collect::<String>()
}
