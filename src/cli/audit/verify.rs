//! `concord audit verify`: holds the whole log against what was signed.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::json;

use super::{begun, master, opener};
use crate::audit::seal::MasterKey;
use crate::audit::store::StoreError;
use crate::audit::verify::{Against, Finding, Report, verify};
use crate::cli::settings::{SettingsArguments, Unusable};
use crate::cli::{Exit, Format, print};
use crate::note::TrustedKey;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    settings: SettingsArguments,
    /// A checkpoint that was kept: the log must begin with what it covers.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// A public key that was kept. May be repeated. Without one, the first key of the log is taken on trust.
    #[arg(long = "key", value_name = "VKEY")]
    keys: Vec<String>,
    /// Do not open what was sealed: its ciphertext alone is verified.
    #[arg(long)]
    without_master_key: bool,
    /// Form of the report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Unusable> {
    let settings = arguments.settings.load(Vec::new())?.settings;
    begun(&settings)?;
    let opener =
        opener(&settings.audit)?.ok_or_else(|| Unusable("audit.store: none: there is no record".to_owned()))?;
    let master = if arguments.without_master_key {
        None
    } else {
        Some(Arc::new(master(&settings.audit, false)?) as Arc<dyn MasterKey>)
    };
    let key = |text: &String| TrustedKey::parse(text).map_err(|fault| Unusable(format!("--key: {fault}")));
    let keys = arguments.keys.iter().map(key).collect::<Result<_, _>>()?;
    let read = |path: &PathBuf| {
        fs::read_to_string(path).map_err(|error| Unusable(format!("--checkpoint {}: {error}", path.display())))
    };
    let older = arguments.checkpoint.as_ref().map(read).transpose()?;
    let against = Against { master, keys, older };
    let report = match opener().and_then(|mut store| verify(store.as_mut(), &against)) {
        Ok(report) => report,
        // What can't be read as a store at all is as wrong as an entry.
        Err(StoreError::Damaged(what)) => Report { findings: vec![Finding { entry: None, what }], ..Report::default() },
        Err(error) => return Err(Unusable(error.to_string())),
    };
    let text = match arguments.format {
        Format::Text => told(&report, &against),
        Format::Json => format!("{:#}\n", value(&report)),
    };
    Ok(if print(&text) && report.holds() { Exit::Fine } else { Exit::Failed })
}

fn told(report: &Report, against: &Against) -> String {
    let mut text: String = report.findings.iter().map(|finding| format!("{finding}\n")).collect();
    if report.more > 0 {
        text.push_str(&format!("and {} findings more\n", report.more));
    }
    let root = report.root.map_or_else(|| "not known".to_owned(), |root| STANDARD.encode(root));
    text.push_str(&format!("log          {}\n", report.origin));
    text.push_str(&format!("entries      {}, {} of them pruned\n", report.entries, report.first));
    text.push_str(&format!("root         {root}\n"));
    text.push_str(&format!("checkpoints  {}, the last of {} entries\n", report.checkpoints, report.signed));
    let opened = match &against.master {
        Some(_) => format!("{} opened, {} erased", report.opened, report.erased),
        None => format!("not opened, {} erased", report.erased),
    };
    text.push_str(&format!("content      {opened}\n"));
    let trust = if against.keys.is_empty() { "the first key of the log, on trust" } else { "the keys given" };
    text.push_str(&format!("trusted      {trust}\n"));
    text.push_str(if report.holds() { "the log holds\n" } else { "the log does not hold\n" });
    text
}

fn value(report: &Report) -> serde_json::Value {
    let findings: Vec<_> =
        report.findings.iter().map(|finding| json!({"entry": finding.entry, "what": finding.what})).collect();
    json!({
        "holds": report.holds(),
        "log": report.origin,
        "entries": report.entries,
        "first": report.first,
        "root": report.root.map(|root| STANDARD.encode(root)),
        "checkpoints": report.checkpoints,
        "signed": report.signed,
        "opened": report.opened,
        "erased": report.erased,
        "findings": findings,
        "more": report.more,
    })
}
