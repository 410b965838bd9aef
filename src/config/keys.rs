//! Every setting there is.

/// A setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Name: `server.grpc_addr`.
    pub name: &'static str,
    /// What values it can have.
    pub kind: Kind,
    /// Value where nothing sets it.
    pub default: Preset,
    /// What it is, in a line.
    pub about: &'static str,
    /// Its value is shown to no one.
    pub secret: bool,
}

/// A built-in value.
#[derive(Clone, Copy, Debug)]
pub enum Preset {
    /// Text; durations are text too.
    Text(&'static str),
    /// A whole number.
    Whole(u32),
    /// A number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
    /// Not set.
    Absent,
}

/// What values a setting can have.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// An address of a socket: `127.0.0.1:50051`.
    Address,
    /// A whole number of bytes.
    Bytes,
    /// A whole number.
    Count,
    /// A length of time with its unit: `250ms`, `5s`, `30m`.
    Duration,
    /// A list of texts; in the environment and in flags, with commas.
    List,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// A path of a file or a directory.
    Path,
    /// A number from 0 to 1.
    Ratio,
    /// `true` or `false`.
    Switch,
    /// Text.
    Text,
    /// A URL.
    Url,
}

impl Kind {
    /// The kind in words.
    pub(super) fn describe(self) -> String {
        match self {
            Self::Address => "address and port".to_owned(),
            Self::Bytes | Self::Count => "whole number".to_owned(),
            Self::Duration => "duration".to_owned(),
            Self::List => "list of texts".to_owned(),
            Self::OneOf(values) => values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", "),
            Self::Path => "path".to_owned(),
            Self::Ratio => "number from 0 to 1".to_owned(),
            Self::Switch => "`true`, `false`".to_owned(),
            Self::Text => "text".to_owned(),
            Self::Url => "URL".to_owned(),
        }
    }

    /// What a value counts; empty where it counts nothing.
    pub(super) const fn unit(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Duration => "`ms`, `s`, `m`",
            _ => "",
        }
    }
}

const fn key(name: &'static str, kind: Kind, default: Preset, about: &'static str) -> Key {
    Key { name, kind, default, about, secret: false }
}

const fn secret(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, kind, default: Preset::Absent, about, secret: true }
}

/// All of them, in the order they are printed.
pub const KEYS: &[Key] = &[
    key("server.grpc_addr", Kind::Address, Preset::Text("127.0.0.1:50051"), "address of the gRPC listener"),
    key(
        "server.allow_plaintext_off_loopback",
        Kind::Switch,
        Preset::Flag(false),
        "listen without TLS on an address that is not loopback",
    ),
    key(
        "server.reflection",
        Kind::OneOf(&["auto", "on", "off"]),
        Preset::Text("auto"),
        "let clients ask which methods there are; auto: on loopback addresses",
    ),
    key("server.grpc_web", Kind::Switch, Preset::Flag(false), "answer gRPC-Web too, over HTTP/1.1 and HTTP/2"),
    key("server.max_connections", Kind::Count, Preset::Whole(1024), "connections in all; a further one is closed"),
    key("server.max_connections_per_peer", Kind::Count, Preset::Whole(256), "connections of one address"),
    key(
        "server.preface_timeout",
        Kind::Duration,
        Preset::Text("10s"),
        "time that a connection has to say that it speaks HTTP/2",
    ),
    key(
        "server.connection_age",
        Kind::Duration,
        Preset::Text("30m"),
        "age at which a connection is asked to come again, give or take a tenth",
    ),
    key("server.connection_grace", Kind::Duration, Preset::Text("30s"), "time that its calls then have"),
    key(
        "server.connection_idle",
        Kind::Duration,
        Preset::Text("15m"),
        "time without a call after which a connection is closed",
    ),
    key(
        "server.keepalive_interval",
        Kind::Duration,
        Preset::Text("60s"),
        "time after which a connection is asked whether it lives",
    ),
    key("server.keepalive_timeout", Kind::Duration, Preset::Text("20s"), "time that it has to say so"),
    key("server.send_timeout", Kind::Duration, Preset::Text("30s"), "time that a caller has to take an answer"),
    key("server.deadline_max", Kind::Duration, Preset::Text("10s"), "longest time that a unary call may take"),
    key(
        "server.deadline_floor",
        Kind::Duration,
        Preset::Text("5ms"),
        "a call that leaves less time than this is not begun",
    ),
    key(
        "server.drain_lead",
        Kind::Duration,
        Preset::Text("5s"),
        "time between NOT_SERVING and the end of the listener",
    ),
    key("server.drain_deadline", Kind::Duration, Preset::Text("20s"), "time that calls in flight then have"),
    key("limits.message_bytes", Kind::Bytes, Preset::Whole(256 * 1024), "bytes of a message"),
    key(
        "limits.ruleset_bytes",
        Kind::Bytes,
        Preset::Whole(4 * 1024 * 1024),
        "bytes of a message with a package to be checked",
    ),
    key("limits.metadata_bytes", Kind::Bytes, Preset::Whole(32 * 1024), "bytes of metadata"),
    key("limits.streams", Kind::Count, Preset::Whole(100), "concurrent streams of a connection"),
    key(
        "limits.in_flight",
        Kind::Count,
        Preset::Absent,
        "unary calls at work in the process; absent: 64 for each processor",
    ),
    key("limits.open_streams", Kind::Count, Preset::Whole(256), "streams of decisions open in the process"),
    key("limits.frame_bytes", Kind::Bytes, Preset::Whole(16 * 1024), "bytes of an HTTP/2 frame"),
    key(
        "limits.stream_window_bytes",
        Kind::Bytes,
        Preset::Whole(512 * 1024),
        "bytes that a stream may send before they are read",
    ),
    key(
        "limits.connection_window_bytes",
        Kind::Bytes,
        Preset::Whole(4 * 1024 * 1024),
        "bytes that a connection may send before they are read",
    ),
    key(
        "limits.send_buffer_bytes",
        Kind::Bytes,
        Preset::Whole(256 * 1024),
        "bytes of an answer that may wait for its reader",
    ),
    key(
        "limits.pending_resets",
        Kind::Count,
        Preset::Whole(20),
        "streams that a caller takes back before they are begun; one more ends the connection",
    ),
    key(
        "limits.error_resets",
        Kind::Count,
        Preset::Whole(1024),
        "streams that the server ends for a caller's errors; one more ends the connection",
    ),
    key(
        "limits.control_frames",
        Kind::Count,
        Preset::Whole(10_000),
        "frames a second that ask for nothing (SETTINGS, PING, PRIORITY, unknown); one more ends the connection",
    ),
    key("limits.list_entries", Kind::Count, Preset::Whole(256), "entries of a list of the record"),
    key("limits.string_bytes", Kind::Bytes, Preset::Whole(256), "bytes of a string"),
    key("limits.violations", Kind::Count, Preset::Whole(32), "violations that one refusal names"),
    key("auth.jwt_issuer", Kind::Text, Preset::Absent, "issuer (iss) of bearer tokens; absent: none are taken"),
    key("auth.jwt_audience", Kind::Text, Preset::Absent, "audience (aud) that a token must name"),
    key("auth.jwt_keys_file", Kind::Path, Preset::Absent, "file of the issuer's public keys, a JWK set"),
    key("auth.jwt_keys_url", Kind::Url, Preset::Absent, "where the issuer's JWK set is, instead of a file"),
    key(
        "auth.jwt_keys_ca_file",
        Kind::Path,
        Preset::Absent,
        "authorities that the server of auth.jwt_keys_url is verified with, PEM; absent: those of the system",
    ),
    key("auth.jwt_keys_refresh", Kind::Duration, Preset::Text("5m"), "time between two looks at the JWK set"),
    key(
        "auth.jwt_algorithms",
        Kind::List,
        Preset::Text("RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,EdDSA"),
        "how tokens may be signed",
    ),
    key(
        "auth.jwt_types",
        Kind::List,
        Preset::Text("at+jwt,JWT"),
        "values that typ of a token may have; with JWT among them it may be absent",
    ),
    key(
        "auth.jwt_roles_claim",
        Kind::Text,
        Preset::Absent,
        "claim whose values `claim:` in auth.grants means: its name, or /a/b for b within a",
    ),
    key(
        "auth.spiffe_trust_domains",
        Kind::List,
        Preset::Absent,
        "trust domains whose SPIFFE IDs name callers, in certificates and in headers of trusted proxies",
    ),
    key(
        "auth.trusted_proxies",
        Kind::List,
        Preset::Absent,
        "peers whose x-forwarded-client-cert names the caller: addresses, networks, SPIFFE IDs",
    ),
    key(
        "auth.grants",
        Kind::List,
        Preset::Absent,
        "who may do what: `spiffe://example.org/ns/ehr/* = evaluate read-rules`",
    ),
    key(
        "auth.allow_anonymous_off_loopback",
        Kind::Switch,
        Preset::Flag(false),
        "let whoever reaches a listener that is not on loopback ask for decisions",
    ),
    key("tls.cert_file", Kind::Path, Preset::Absent, "certificate and those above it, PEM; absent: no encryption"),
    key("tls.key_file", Kind::Path, Preset::Absent, "key of the certificate, PEM"),
    key("tls.client_ca_file", Kind::Path, Preset::Absent, "certificates that clients' are signed with, PEM"),
    key(
        "tls.client_auth",
        Kind::OneOf(&["none", "optional", "required"]),
        Preset::Text("none"),
        "must clients show a certificate",
    ),
    key("tls.handshake_timeout", Kind::Duration, Preset::Text("5s"), "time that a handshake may take"),
    key("tls.poll", Kind::Duration, Preset::Text("10s"), "time between two looks at these files, besides SIGHUP"),
    key("rules.dir", Kind::Path, Preset::Absent, "directory of the rules package; absent: the one in the binary"),
    key("rules.overlay", Kind::Path, Preset::Absent, "directory of the site's overlay; absent: there is none"),
    key(
        "rules.poll",
        Kind::Duration,
        Preset::Text("10s"),
        "time between two looks at the directory, besides its events and SIGHUP",
    ),
    key(
        "rules.require_signature",
        Kind::Switch,
        Preset::Flag(false),
        "load only packages that are signed, and none older than before",
    ),
    key(
        "rules.trusted_keys",
        Kind::List,
        Preset::Absent,
        "public keys that may sign packages: a list, or text with commas",
    ),
    key(
        "rules.state_file",
        Kind::Path,
        Preset::Absent,
        "where the highest version is kept; absent: in memory, until the end",
    ),
    key("answer.purpose_of_use", Kind::Text, Preset::Text("TREAT"), "purpose of use where a request states none"),
    key(
        "audit.store",
        Kind::OneOf(&["sqlite", "postgres", "none"]),
        Preset::Text("sqlite"),
        "where the record is kept: sqlite, postgres, or none: there is no record",
    ),
    key("audit.dir", Kind::Path, Preset::Text("concord-data"), "directory of the record (sqlite) and of its keys"),
    secret("audit.postgres", Kind::Text, "how to reach PostgreSQL: postgres://user:password@host/database"),
    key(
        "audit.postgres_plaintext",
        Kind::Switch,
        Preset::Flag(false),
        "reach a PostgreSQL server beyond this machine without encryption",
    ),
    key("audit.origin", Kind::Text, Preset::Absent, "name of the log where it is begun; absent: one of its own"),
    secret(
        "audit.master_key",
        Kind::Text,
        "the master key, 32 bytes in base64; absent: the one of audit.master_key_file",
    ),
    key("audit.master_key_file", Kind::Path, Preset::Absent, "file of the master key; absent: master.key in audit.dir"),
    key(
        "audit.signing_key_file",
        Kind::Path,
        Preset::Absent,
        "file of the key that signs; absent: signing.key in audit.dir",
    ),
    key("audit.queue", Kind::Count, Preset::Whole(1024), "records that may wait to be written"),
    key("audit.retention_years", Kind::Count, Preset::Whole(6), "years that records are kept; 0: for ever"),
    key(
        "audit.serve_off_loopback",
        Kind::Switch,
        Preset::Flag(false),
        "let whoever reaches the listener read the record",
    ),
    key(
        "telemetry.log_format",
        Kind::OneOf(&["text", "json"]),
        Preset::Text("text"),
        "text, or json: one object a line",
    ),
    key("telemetry.log_filter", Kind::Text, Preset::Text("info"), "what is logged: info,concord=debug"),
    key(
        "telemetry.otlp_endpoint",
        Kind::Url,
        Preset::Absent,
        "where traces, metrics and logs go over gRPC; absent: nowhere",
    ),
    key(
        "telemetry.sample_ratio",
        Kind::Ratio,
        Preset::Number(1.0),
        "share of traces kept where no caller is followed, 0 to 1",
    ),
    key(
        "telemetry.sampled_per_second",
        Kind::Count,
        Preset::Whole(100),
        "traces a second that are kept because their caller says so; beyond it telemetry.sample_ratio decides",
    ),
    key("telemetry.service_name", Kind::Text, Preset::Text("concord"), "service.name of traces, metrics and logs"),
    key(
        "admin.addr",
        Kind::Address,
        Preset::Absent,
        "address of the HTTP listener for probes and metrics: 127.0.0.1:9464; absent: there is none",
    ),
    key(
        "canary.interval",
        Kind::Duration,
        Preset::Text("1m"),
        "time between two evaluations of the canary patients; 0s: there are none",
    ),
];

/// The known key that is nearest to `unknown`, where one is near enough to be meant.
#[must_use]
pub fn nearest(unknown: &str) -> Option<&'static str> {
    let most = unknown.chars().count() / 3 + 1;
    KEYS.iter()
        .map(|key| (distance(unknown, key.name), key.name))
        .min()
        .filter(|(distance, _)| *distance <= most)
        .map(|(_, name)| name)
}

/// Levenshtein's distance in characters.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, from) in left.chars().enumerate() {
        let mut corner = index;
        let mut beside = index + 1;
        let mut next = vec![beside];
        for (to, above) in right.iter().zip(row.iter().skip(1)) {
            let replaced = corner + usize::from(from != *to);
            beside = replaced.min(above + 1).min(beside + 1);
            corner = *above;
            next.push(beside);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
