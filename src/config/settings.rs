//! Settings with their types.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::auth::AuthSettings;
use super::server::{ServerSettings, TlsSettings};
use super::watch::{AdminSettings, CanarySettings};

/// Everything that can be set.
#[derive(Clone, Debug, Deserialize)]
pub struct Settings {
    /// The server.
    pub server: ServerSettings,
    /// Encryption of the gRPC listener.
    pub tls: TlsSettings,
    /// Limits of requests.
    pub limits: LimitSettings,
    /// Who may call.
    pub auth: AuthSettings,
    /// The rules package.
    pub rules: RulesSettings,
    /// Answers.
    pub answer: AnswerSettings,
    /// The audit of record.
    pub audit: AuditSettings,
    /// Logs, traces and metrics.
    pub telemetry: TelemetrySettings,
    /// Probes and metrics over HTTP.
    #[serde(default)]
    pub admin: AdminSettings,
    /// Canary patients.
    pub canary: CanarySettings,
}

/// Where the record is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditStore {
    /// In a file of `audit.dir`.
    Sqlite,
    /// In a PostgreSQL database, which several processes may share.
    Postgres,
    /// Nowhere: every answer says so.
    None,
}

/// The audit of record.
#[derive(Clone, Deserialize)]
pub struct AuditSettings {
    /// Where it is kept.
    pub store: AuditStore,
    /// Directory of the file and of the keys.
    pub dir: PathBuf,
    /// How to reach PostgreSQL.
    pub postgres: Option<String>,
    /// May it be beyond this machine, without encryption?
    pub postgres_plaintext: bool,
    /// Name of the log where it is begun.
    pub origin: Option<String>,
    /// The master key, base64.
    pub master_key: Option<String>,
    /// File of the master key.
    pub master_key_file: Option<PathBuf>,
    /// File of the key that signs.
    pub signing_key_file: Option<PathBuf>,
    /// Records that may wait.
    pub queue: u32,
    /// Years that records are kept; 0: for ever.
    pub retention_years: u32,
    /// Serve the record on an address that is not loopback.
    pub serve_off_loopback: bool,
}

// A password and a key are among them.
impl fmt::Debug for AuditSettings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("AuditSettings").field("store", &self.store).field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// Limits of requests.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct LimitSettings {
    /// Bytes of a message.
    pub message_bytes: u32,
    /// Bytes of a message with a package to be checked.
    pub ruleset_bytes: u32,
    /// Bytes of metadata.
    pub metadata_bytes: u32,
    /// Concurrent streams of a connection.
    pub streams: u32,
    /// Unary calls at work in the process; none: by the number of processors.
    pub in_flight: Option<u32>,
    /// Streams of decisions that are open in the process.
    pub open_streams: u32,
    /// Bytes of a frame.
    pub frame_bytes: u32,
    /// Bytes that a stream may have sent and not been read of.
    pub stream_window_bytes: u32,
    /// Bytes that a connection may have sent and not been read of.
    pub connection_window_bytes: u32,
    /// Bytes of an answer that wait for its reader.
    pub send_buffer_bytes: u32,
    /// Streams that the caller took back before they were begun.
    pub pending_resets: u32,
    /// Streams that the server ended for the caller's errors.
    pub error_resets: u32,
    /// Frames of a connection in a second that ask for nothing.
    pub control_frames: u32,
    /// Entries of a list of the record.
    pub list_entries: u32,
    /// Bytes of a string.
    pub string_bytes: u32,
    /// Violations that one refusal names.
    pub violations: u32,
}

/// The rules package.
#[derive(Clone, Debug, Deserialize)]
pub struct RulesSettings {
    /// Its directory; none: the one in the binary.
    pub dir: Option<PathBuf>,
    /// Directory of the overlay; none: there is none.
    pub overlay: Option<PathBuf>,
    /// Time between two looks at the directory.
    #[serde(deserialize_with = "length")]
    pub poll: Duration,
    /// Load only packages that are signed, and none older than before.
    pub require_signature: bool,
    /// Public keys that may sign packages.
    #[serde(default, deserialize_with = "texts")]
    pub trusted_keys: Vec<String>,
    /// Where the highest version is kept; none: in memory.
    pub state_file: Option<PathBuf>,
}

/// Answers.
#[derive(Clone, Debug, Deserialize)]
pub struct AnswerSettings {
    /// Purpose of use where a request states none.
    pub purpose_of_use: String,
}

/// Logs, traces and metrics.
#[derive(Clone, Debug, Deserialize)]
pub struct TelemetrySettings {
    /// Form of the logs.
    pub log_format: LogFormat,
    /// What is logged.
    pub log_filter: String,
    /// Where traces, metrics and logs go.
    pub otlp_endpoint: Option<String>,
    /// Share of traces that are kept where no caller is followed.
    pub sample_ratio: f64,
    /// Callers' sampled traces that are followed in a second.
    pub sampled_per_second: u32,
    /// `service.name` of all of it.
    pub service_name: String,
}

/// Form of the logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A setting with a value that it can't have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unfit {
    pub(super) key: &'static str,
    pub(super) wanted: &'static str,
}

impl Settings {
    /// What types alone can't hold.
    pub(super) fn check(&self) -> Result<(), Unfit> {
        let limits = self.limits;
        let positive = [
            ("limits.message_bytes", limits.message_bytes),
            ("limits.ruleset_bytes", limits.ruleset_bytes),
            ("limits.metadata_bytes", limits.metadata_bytes),
            ("limits.streams", limits.streams),
            ("limits.in_flight", limits.in_flight.unwrap_or(1)),
            ("limits.open_streams", limits.open_streams),
            ("limits.send_buffer_bytes", limits.send_buffer_bytes),
            ("limits.list_entries", limits.list_entries),
            ("limits.string_bytes", limits.string_bytes),
            ("limits.violations", limits.violations),
        ];
        if let Some((key, _)) = positive.into_iter().find(|(_, value)| *value == 0) {
            return Err(Unfit { key, wanted: "1 or more" });
        }
        limits.check_windows()?;
        // Every connection begins with two.
        if limits.control_frames < 100 {
            return Err(Unfit { key: "limits.control_frames", wanted: "100 or more" });
        }
        if !(0.0..=1.0).contains(&self.telemetry.sample_ratio) {
            return Err(Unfit { key: "telemetry.sample_ratio", wanted: "0 to 1" });
        }
        self.server.check()?;
        self.tls.check(&self.server)?;
        if self.rules.poll.is_zero() {
            return Err(Unfit { key: "rules.poll", wanted: "more than nothing" });
        }
        self.auth.check(&self.tls)?;
        self.rules.check()?;
        self.audit.check()?;
        let purpose = &self.answer.purpose_of_use;
        if purpose.is_empty() || !purpose.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Unfit { key: "answer.purpose_of_use", wanted: "a code" });
        }
        Ok(())
    }
}

impl LimitSettings {
    /// What HTTP/2 says these may be.
    fn check_windows(&self) -> Result<(), Unfit> {
        if !(16_384..=16_777_215).contains(&self.frame_bytes) {
            return Err(Unfit { key: "limits.frame_bytes", wanted: "16384 to 16777215" });
        }
        let windows = [
            ("limits.stream_window_bytes", self.stream_window_bytes),
            ("limits.connection_window_bytes", self.connection_window_bytes),
        ];
        match windows.into_iter().find(|(_, bytes)| !(65_535..=0x7fff_ffff).contains(bytes)) {
            Some((key, _)) => Err(Unfit { key, wanted: "65535 to 2147483647" }),
            None => Ok(()),
        }
    }
}

impl AuditSettings {
    fn check(&self) -> Result<(), Unfit> {
        if self.queue == 0 {
            return Err(Unfit { key: "audit.queue", wanted: "1 or more" });
        }
        if (self.store == AuditStore::Postgres) != self.postgres.is_some() {
            let wanted = "set where audit.store is postgres, and only there";
            return Err(Unfit { key: "audit.postgres", wanted });
        }
        if self.master_key.is_some() && self.master_key_file.is_some() {
            let wanted = "absent where audit.master_key is set: one of them would not be used";
            return Err(Unfit { key: "audit.master_key_file", wanted });
        }
        if self.origin.as_deref().is_some_and(unfit_name) {
            let wanted = "1 to 100 characters without a space, a plus or a comma";
            return Err(Unfit { key: "audit.origin", wanted });
        }
        Ok(())
    }
}

/// Names of logs are names of keys.
fn unfit_name(name: &str) -> bool {
    let odd = |character: char| character.is_whitespace() || character.is_control() || "+,".contains(character);
    name.is_empty() || name.chars().count() > 100 || name.chars().any(odd)
}

impl RulesSettings {
    /// Protection that is set in part protects nothing, and is thought to.
    fn check(&self) -> Result<(), Unfit> {
        if self.require_signature {
            if self.dir.is_none() && self.overlay.is_none() {
                let wanted =
                    "set where rules.require_signature is, or rules.overlay: what is in the binary is not signed";
                return Err(Unfit { key: "rules.dir", wanted });
            }
            if self.trusted_keys.is_empty() {
                let wanted = "set where rules.require_signature is: without a key no package can be trusted";
                return Err(Unfit { key: "rules.trusted_keys", wanted });
            }
            return Ok(());
        }
        let wanted = "true where rules.trusted_keys or rules.state_file is set: else unsigned packages are loaded";
        if self.trusted_keys.is_empty() && self.state_file.is_none() {
            return Ok(());
        }
        Err(Unfit { key: "rules.require_signature", wanted })
    }
}

/// Reads `250ms`, `5s`, `2m`.
pub(super) fn parse_length(text: &str) -> Option<Duration> {
    let digits = text.len() - text.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
    let (count, unit) = text.split_at_checked(digits)?;
    let count: u32 = count.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(u64::from(count))),
        "s" => Some(Duration::from_secs(u64::from(count))),
        "m" => Some(Duration::from_secs(u64::from(count) * 60)),
        _ => None,
    }
}

pub(super) fn length<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    parse_length(&text)
        .ok_or_else(|| serde::de::Error::custom(format_args!("`{text}` is not a time such as 250ms, 5s or 2m")))
}

/// Reads a list, or text with commas, as a variable and a flag have it.
pub(super) fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Texts {
        List(Vec<String>),
        Text(String),
    }
    Ok(match Texts::deserialize(from)? {
        Texts::List(texts) => texts,
        Texts::Text(text) => {
            text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
        }
    })
}

impl fmt::Display for LogFormat {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}
