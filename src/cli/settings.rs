//! `concord config`, and how every command gets its settings.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Exit, Format, complain, in_force, print};
use crate::api::decide::Terms;
use crate::api::limits::Limits;
use crate::config::docs;
use crate::config::{ConfigError, Entry, FILE_VARIABLE, Layers, Loaded, Settings, load};
use crate::note::TrustedKey;
use crate::ruleset::trust::{Contents, Trust};
use crate::ruleset::{Origin, Ruleset};

/// Where settings come from.
#[derive(Debug, Args)]
pub(super) struct SettingsArguments {
    /// Settings file, TOML. Else the file that CONCORD_CONFIG names.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting: `limits.streams=50`. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Directory of the rules package: `rules.dir`.
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Directory of the site's overlay: `rules.overlay`.
    #[arg(long, value_name = "DIR")]
    overlay: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    page: Option<Page>,
    #[command(flatten)]
    settings: SettingsArguments,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Page {
    /// Print what settings there are, as Markdown: type, unit, default, meaning and variable of each.
    Docs,
}

impl SettingsArguments {
    /// Settings in force; `flags` of the command's own come last.
    pub(super) fn load(&self, flags: Vec<(String, String)>) -> Result<Loaded, Unusable> {
        let mut all = Vec::new();
        for set in &self.set {
            let (key, value) =
                set.split_once('=').ok_or_else(|| Unusable(format!("--set {set}: KEY=VALUE is expected")))?;
            all.push((key.trim().to_owned(), value.trim().to_owned()));
        }
        for (flag, key, dir) in [("--rules", "rules.dir", &self.rules), ("--overlay", "rules.overlay", &self.overlay)] {
            let Some(dir) = dir else { continue };
            let dir = dir.to_str().ok_or_else(|| Unusable(format!("{flag}: the path is not UTF-8")))?;
            all.push((key.to_owned(), dir.to_owned()));
        }
        all.extend(flags);
        let file = self.config.clone().or_else(|| std::env::var_os(FILE_VARIABLE).map(PathBuf::from));
        // A variable that is not UTF-8 can't be one of ours.
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        load(&Layers { file, environment, flags: all }).map_err(|error: ConfigError| Unusable(error.to_string()))
    }
}

/// Settings or a package that can't be used.
#[derive(Debug)]
pub(super) struct Unusable(pub(super) String);

/// What requests are answered with.
pub(super) fn terms(settings: &Settings) -> Terms {
    let limits = settings.limits;
    let size = |limit: u32| usize::try_from(limit).unwrap_or(usize::MAX);
    Terms {
        limits: Limits {
            message_bytes: size(limits.message_bytes),
            ruleset_bytes: size(limits.ruleset_bytes),
            list_entries: size(limits.list_entries),
            string_bytes: size(limits.string_bytes),
            violations: size(limits.violations),
        },
        purpose_of_use: settings.answer.purpose_of_use.clone(),
    }
}

/// Where the settings say that the package and its overlay are.
pub(super) fn origin(settings: &Settings) -> Origin {
    Origin { rules: settings.rules.dir.clone(), overlay: settings.rules.overlay.clone() }
}

/// Which packages may be used; none: any.
pub(super) fn trust(settings: &Settings) -> Result<Option<Trust>, Unusable> {
    let rules = &settings.rules;
    if !rules.require_signature {
        return Ok(None);
    }
    let key = |text: &String| {
        TrustedKey::parse(text).map_err(|fault| Unusable(format!("rules.trusted_keys: `{}`: {fault}", named(text))))
    };
    let keys = rules.trusted_keys.iter().map(key).collect::<Result<_, _>>()?;
    Trust::new(keys, rules.state_file.clone()).map(Some).map_err(|error| Unusable(error.to_string()))
}

/// A key by its name alone: it may be a private one, set by mistake.
fn named(key: &str) -> &str {
    let public = key.strip_prefix("PRIVATE+KEY+").unwrap_or(key);
    public.split_once('+').map_or("…", |(name, _)| name)
}

/// The package that the settings name.
pub(super) fn ruleset(settings: &Settings) -> Result<Ruleset, Unusable> {
    let failed = |error: &dyn std::fmt::Display| Unusable(error.to_string());
    let trust = trust(settings)?;
    let snapshot = origin(settings).snapshot().map_err(|error| failed(&error))?;
    if let Some(trust) = &trust {
        trust.signed(&snapshot).map_err(|error| failed(&error))?;
    }
    let contents = Contents::of(&snapshot);
    let ruleset = Ruleset::from_sources(snapshot.sources).map_err(|error| failed(&error))?;
    if let Some(trust) = &trust {
        trust.newer(ruleset.package(), &contents).map_err(|error| failed(&error))?;
    }
    Ok(ruleset)
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    if let Some(Page::Docs) = arguments.page {
        print(&docs::page());
        return Exit::Fine;
    }
    let loaded = match arguments.settings.load(Vec::new()) {
        Ok(loaded) => loaded,
        Err(Unusable(message)) => {
            complain(message);
            return Exit::Unusable;
        }
    };
    let ruleset = ruleset(&loaded.settings);
    let in_force = ruleset.as_ref().ok();
    let text = match arguments.format {
        Format::Text => {
            table(&loaded.entries) + &in_force.map_or_else(String::new, |one| format!("\n{}", in_force::table(one)))
        }
        Format::Json => {
            format!(
                "{:#}\n",
                serde_json::json!({"settings": rows(&loaded.entries), "ruleset": in_force.map(in_force::value)})
            )
        }
    };
    print(&text);
    match ruleset {
        Ok(_) => Exit::Fine,
        Err(Unusable(message)) => {
            complain(message);
            Exit::Unusable
        }
    }
}

fn table(entries: &[Entry]) -> String {
    let origins: Vec<String> = entries.iter().map(|entry| entry.origin.to_string()).collect();
    let mut rows = vec![["key", "value", "from"]];
    rows.extend(entries.iter().zip(&origins).map(|(entry, origin)| [entry.key, entry.value.as_str(), origin.as_str()]));
    in_force::columns(&rows)
}

fn rows(entries: &[Entry]) -> Vec<serde_json::Value> {
    entries
        .iter()
        .map(|entry| {
            serde_json::json!({
                "key": entry.key, "value": entry.value, "origin": entry.origin.to_string(), "about": entry.about,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_of_the_settings_are_those_of_the_contract() {
        use crate::api::limits::{METADATA_BYTES, STREAMS};
        let settings = load(&Layers::default()).unwrap().settings;
        assert_eq!(terms(&settings).limits, Limits::default());
        assert_eq!((settings.limits.metadata_bytes, settings.limits.streams), (METADATA_BYTES, STREAMS));
    }
}
