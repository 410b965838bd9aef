//! Settings in layers: built-in defaults, a file, the environment, flags. A
//! later layer wins. A key that no layer can have is an error, since a setting
//! that is spelled wrong and ignored is one that is not in force.

mod auth;
pub mod docs;
mod keys;
mod server;
mod settings;
mod watch;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use config::{Config, Environment, File, FileFormat, Map, Source, Value, ValueKind};

pub use self::auth::AuthSettings;
use self::keys::nearest;
pub use self::keys::{KEYS, Key, Kind, Preset};
pub use self::server::{ClientAuth, Reflection, ServerSettings, TlsFiles, TlsSettings};
pub use self::settings::{
    AnswerSettings, AuditSettings, AuditStore, LimitSettings, LogFormat, RulesSettings, Settings, TelemetrySettings,
};
pub use self::watch::{AdminSettings, CanarySettings};

/// Prefix of environment variables: `CONCORD__SERVER__GRPC_ADDR`.
pub const PREFIX: &str = "CONCORD";

/// Variable that names the file, where no flag does.
pub const FILE_VARIABLE: &str = "CONCORD_CONFIG";

/// Where values come from, besides the defaults.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// The file, TOML.
    pub file: Option<PathBuf>,
    /// The environment: every variable, whatever its name.
    pub environment: Vec<(String, String)>,
    /// Flags: key and value.
    pub flags: Vec<(String, String)>,
}

/// Settings in force, and where each comes from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// Every key, in the order of [`KEYS`].
    pub entries: Vec<Entry>,
}

/// A key as it is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name.
    pub key: &'static str,
    /// Value as text; empty where it is not set.
    pub value: String,
    /// The layer that set it.
    pub origin: Origin,
    /// What it is.
    pub about: &'static str,
}

/// A layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// The file.
    File(PathBuf),
    /// A variable.
    Environment(String),
    /// A flag.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::File(path) => write!(out, "file {}", path.display()),
            Self::Environment(name) => write!(out, "env {name}"),
            Self::Flag => out.write_str("flag"),
        }
    }
}

/// Why there are no settings. Names the key and the layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

type Flat = BTreeMap<String, (Value, Origin)>;

/// Loads the layers.
///
/// # Errors
/// [`ConfigError`] where the file can't be read, a key is unknown, or a value
/// is not one that its key can have.
pub fn load(layers: &Layers) -> Result<Loaded, ConfigError> {
    let mut flat = defaults();
    if let Some(path) = &layers.file {
        flat.extend(from_file(path)?);
    }
    flat.extend(from_environment(&layers.environment)?);
    for (key, value) in &layers.flags {
        insert(&mut flat, key.clone(), value.as_str().into(), Origin::Flag)?;
    }
    let mut builder = Config::builder();
    for (key, (value, origin)) in &flat {
        builder = builder
            .set_override(key, value.clone())
            .map_err(|error| ConfigError(format!("{key}: {error} ({origin})")))?;
    }
    let config = builder.build().map_err(|error| ConfigError(error.to_string()))?;
    let settings: Settings = config.try_deserialize().map_err(|error| unfit(&error, &flat))?;
    settings.check().map_err(|fault| {
        let origin = flat.get(fault.key).map_or(Origin::Default, |(_, origin)| origin.clone());
        ConfigError(format!("{}: must be {} ({origin})", fault.key, fault.wanted))
    })?;
    Ok(Loaded { settings, entries: entries(&flat) })
}

fn defaults() -> Flat {
    let value = |preset| match preset {
        Preset::Text(text) => Some(Value::from(text)),
        Preset::Whole(count) => Some(Value::from(i64::from(count))),
        Preset::Number(number) => Some(Value::from(number)),
        Preset::Flag(flag) => Some(Value::from(flag)),
        Preset::Absent => None,
    };
    KEYS.iter().filter_map(|key| Some((key.name.to_owned(), (value(key.default)?, Origin::Default)))).collect()
}

fn from_file(path: &Path) -> Result<Flat, ConfigError> {
    // Read here, since the library would also try other endings of the name.
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError(format!("{}: {error}", path.display())))?;
    let table = File::from_str(&text, FileFormat::Toml)
        .collect()
        .map_err(|error| ConfigError(format!("{}: {error}", path.display())))?;
    let mut flat = Flat::new();
    flatten(&mut flat, "", table, &Origin::File(path.to_owned()))?;
    Ok(flat)
}

fn from_environment(variables: &[(String, String)]) -> Result<Flat, ConfigError> {
    let variables: Map<String, String> = variables.iter().cloned().collect();
    let names: BTreeMap<String, String> =
        variables.keys().map(|name| (name.to_lowercase().replace("__", "."), name.clone())).collect();
    let table = Environment::with_prefix(PREFIX)
        .prefix_separator("__")
        .separator("__")
        .ignore_empty(true)
        .source(Some(variables))
        .collect()
        .map_err(|error| ConfigError(format!("environment: {error}")))?;
    let mut flat = Flat::new();
    for (key, value) in table {
        let variable = names.get(&format!("{}.{key}", PREFIX.to_lowercase()));
        let origin = Origin::Environment(variable.cloned().unwrap_or_else(|| key.clone()));
        insert(&mut flat, key, value, origin)?;
    }
    Ok(flat)
}

fn flatten(flat: &mut Flat, above: &str, table: Map<String, Value>, origin: &Origin) -> Result<(), ConfigError> {
    for (name, value) in table {
        let key = if above.is_empty() { name } else { format!("{above}.{name}") };
        match value.kind {
            ValueKind::Table(table) => flatten(flat, &key, table, origin)?,
            _ => insert(flat, key, value, origin.clone())?,
        }
    }
    Ok(())
}

fn insert(flat: &mut Flat, key: String, value: Value, origin: Origin) -> Result<(), ConfigError> {
    if KEYS.iter().any(|known| known.name == key) {
        flat.insert(key, (value, origin));
        return Ok(());
    }
    let hint = nearest(&key).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Err(ConfigError(format!("unknown key `{key}` ({origin}){hint}")))
}

/// The library names the key where it knows it; the layer is looked up.
fn unfit(error: &config::ConfigError, flat: &Flat) -> ConfigError {
    let text = error.to_string();
    let found = flat.iter().find(|(key, _)| text.contains(&format!("`{key}`")));
    match found {
        Some((_, (_, origin))) => ConfigError(format!("{text} ({origin})")),
        None => ConfigError(text),
    }
}

fn entries(flat: &Flat) -> Vec<Entry> {
    KEYS.iter()
        .map(|key| {
            let set = flat.get(key.name);
            Entry {
                key: key.name,
                value: match set {
                    Some(_) if key.secret => "(not shown)".to_owned(),
                    Some((value, _)) => value.to_string(),
                    None => String::new(),
                },
                origin: set.map_or(Origin::Default, |(_, origin)| origin.clone()),
                about: key.about,
            }
        })
        .collect()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
