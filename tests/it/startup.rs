//! Start-up configurations: each starts, or refuses with exit code 2 and a last line that names the key.
//!
//! A row is data. `{dir}` in a value is a directory of the row's own; what a row needs there is made by `Given`.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// What becomes of a start.
#[derive(Clone, Copy)]
enum Outcome {
    /// Health says SERVING, and the log has this.
    Starts(&'static str),
    /// The process ends with exit code 2, and the last line has all of these, of which the first is the key.
    Refuses(&'static [&'static str]),
}
use Outcome::{Refuses, Starts};

/// What there is before the start.
#[derive(Clone, Copy)]
enum Given {
    Nothing,
    /// A file of the directory, its text and its mode.
    File(&'static str, &'static str, u32),
    /// A copy of the shipped package in `{dir}/rules`.
    Package,
    /// And a file of it that is not YAML.
    FaultyPackage,
    /// A copy that is signed; its key is `{key}`.
    SignedPackage,
    /// A log in `{dir}/log`, and its master key gone.
    LogWithoutKey,
}
use Given::{FaultyPackage, File, LogWithoutKey, Nothing, Package, SignedPackage};

/// A way to start.
struct Row {
    what: &'static str,
    given: Given,
    /// `KEY=VALUE` is a flag; `$NAME=VALUE` a variable; anything else an argument.
    with: &'static [&'static str],
    outcome: Outcome,
}

const fn row(what: &'static str, given: Given, with: &'static [&'static str], outcome: Outcome) -> Row {
    Row { what, given, with, outcome }
}

/// 32 bytes in base64.
const MASTER: &str = "audit.master_key=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

const PACKAGE: &[Row] = &[
    row("the shipped package from a directory", Package, &["rules.dir={dir}/rules"], Starts("rules package active")),
    row("a directory that is not there", Nothing, &["rules.dir={dir}/none"], Refuses(&["rules.dir", "none"])),
    row(
        "a file in the place of the directory",
        File("it", "", 0o600),
        &["rules.dir={dir}/it"],
        Refuses(&["rules.dir"]),
    ),
    row("a directory without rules", Nothing, &["rules.dir={dir}"], Refuses(&["rules.dir"])),
    row("a package with a fault", FaultyPackage, &["rules.dir={dir}/rules"], Refuses(&["rules.dir"])),
    row("an overlay that is not there", Nothing, &["rules.overlay={dir}/none"], Refuses(&["rules.overlay", "none"])),
    row("no time between two looks", Nothing, &["rules.poll=0s"], Refuses(&["rules.poll", "flag"])),
    row(
        "a signed package where one is wanted",
        SignedPackage,
        &["rules.dir={dir}/rules", "rules.require_signature=true", "rules.trusted_keys={key}"],
        Starts("rules package active"),
    ),
    row(
        "an unsigned package where a signed one is wanted",
        Package,
        &["rules.dir={dir}/rules", "rules.require_signature=true", "rules.trusted_keys={key}"],
        Refuses(&["rules.dir"]),
    ),
    row("signatures of no package", Nothing, &["rules.require_signature=true"], Refuses(&["rules.dir", "binary"])),
    row(
        "signatures without a key",
        Package,
        &["rules.dir={dir}/rules", "rules.require_signature=true"],
        Refuses(&["rules.trusted_keys"]),
    ),
    row("keys without signatures", Nothing, &["rules.trusted_keys={key}"], Refuses(&["rules.require_signature"])),
    row(
        "a state file without signatures",
        Nothing,
        &["rules.state_file={dir}/s"],
        Refuses(&["rules.require_signature"]),
    ),
    row(
        "a key that is none",
        Package,
        &["rules.dir={dir}/rules", "rules.require_signature=true", "rules.trusted_keys=abc"],
        Refuses(&["rules.trusted_keys"]),
    ),
];

const LISTENER: &[Row] = &[
    row("nothing set", Nothing, &[], Starts("audit log open")),
    row("loopback of IPv6", Nothing, &["server.grpc_addr=[::1]:0"], Starts("listening grpc=[::1]:")),
    row("plaintext off loopback", Nothing, &["server.grpc_addr=0.0.0.0:0"], Refuses(&["server.grpc_addr", "loopback"])),
    row(
        "plaintext off loopback, IPv6",
        Nothing,
        &["server.grpc_addr=[::]:0"],
        Refuses(&["server.grpc_addr", "loopback"]),
    ),
    row(
        "plaintext off loopback that was asked for",
        Nothing,
        &[
            "server.grpc_addr=0.0.0.0:0",
            "server.allow_plaintext_off_loopback=true",
            "auth.allow_anonymous_off_loopback=true",
        ],
        Starts("WARN"),
    ),
    row(
        "an address of another machine",
        Nothing,
        &["server.grpc_addr=192.0.2.1:1", "server.allow_plaintext_off_loopback=true"],
        Refuses(&["server.grpc_addr", "192.0.2.1"]),
    ),
    row("an address that is in use", Nothing, &["server.grpc_addr={taken}"], Refuses(&["server.grpc_addr", "in use"])),
    row("an address without a port", Nothing, &["server.grpc_addr=127.0.0.1"], Refuses(&["server.grpc_addr", "flag"])),
    row("a name for an address", Nothing, &["server.grpc_addr=localhost:1"], Refuses(&["server.grpc_addr", "flag"])),
    row("no time for a call", Nothing, &["server.deadline_max=0s"], Refuses(&["server.deadline_max", "flag"])),
    row("a time without a unit", Nothing, &["server.drain_lead=5"], Refuses(&["server.drain_lead", "flag"])),
    row("no streams", Nothing, &["limits.streams=0"], Refuses(&["limits.streams", "1 or more"])),
    row("fewer bytes than none", Nothing, &["limits.message_bytes=-1"], Refuses(&["limits.message_bytes", "flag"])),
    row("more than a number holds", Nothing, &["limits.streams=99999999999"], Refuses(&["limits.streams", "flag"])),
];

/// Security that is set in part.
const SECURITY: &[Row] = &[
    row(
        "anyone may call off loopback, and no one said so",
        Nothing,
        &["server.grpc_addr=0.0.0.0:0", "server.allow_plaintext_off_loopback=true"],
        Refuses(&["server.grpc_addr", "auth.allow_anonymous_off_loopback"]),
    ),
    row("a certificate without a key", Nothing, &["tls.cert_file={dir}/c"], Refuses(&["tls.key_file"])),
    row("a key without a certificate", Nothing, &["tls.key_file={dir}/k"], Refuses(&["tls.cert_file"])),
    row("callers' authority without TLS", Nothing, &["tls.client_ca_file={dir}/a"], Refuses(&["tls.cert_file"])),
    row("callers' certificates without TLS", Nothing, &["tls.client_auth=required"], Refuses(&["tls.cert_file"])),
    row(
        "callers' certificates without their authority",
        Nothing,
        &["tls.cert_file={dir}/c", "tls.key_file={dir}/k", "tls.client_auth=required"],
        Refuses(&["tls.client_ca_file"]),
    ),
    row(
        "callers' authority, and no one is asked",
        Nothing,
        &["tls.cert_file={dir}/c", "tls.key_file={dir}/k", "tls.client_ca_file={dir}/a"],
        Refuses(&["tls.client_auth"]),
    ),
    row(
        "TLS, and plaintext allowed",
        Nothing,
        &["tls.cert_file={dir}/c", "tls.key_file={dir}/k", "server.allow_plaintext_off_loopback=true"],
        Refuses(&["server.allow_plaintext_off_loopback"]),
    ),
    row("no time for a handshake", Nothing, &["tls.handshake_timeout=0s"], Refuses(&["tls.handshake_timeout"])),
    row(
        "tokens without an audience",
        Nothing,
        &["auth.jwt_issuer=https://issuer.example"],
        Refuses(&["auth.jwt_audience"]),
    ),
    row("an audience without an issuer", Nothing, &["auth.jwt_audience=concord"], Refuses(&["auth.jwt_issuer"])),
];

const RECORD: &[Row] = &[
    row("no record", Nothing, &["audit.store=none"], Starts("there is no record")),
    row("a store that there is not", Nothing, &["audit.store=oracle"], Refuses(&["audit.store", "flag"])),
    row("PostgreSQL without an address", Nothing, &["audit.store=postgres"], Refuses(&["audit.postgres"])),
    row(
        "an address of PostgreSQL that is not used",
        Nothing,
        &["$CONCORD__AUDIT__POSTGRES=postgres://u@127.0.0.1/d"],
        Refuses(&["audit.postgres", "CONCORD__AUDIT__POSTGRES"]),
    ),
    row(
        "PostgreSQL elsewhere, in clear",
        Nothing,
        &["audit.store=postgres", "$CONCORD__AUDIT__POSTGRES=postgres://u:hush@192.0.2.1/d"],
        Refuses(&["audit.postgres", "audit.postgres_plaintext"]),
    ),
    row(
        "an address of PostgreSQL that is none",
        Nothing,
        &["audit.store=postgres", "audit.postgres=hush"],
        Refuses(&["audit.postgres", "postgres://"]),
    ),
    row(
        "a master key from the environment",
        Nothing,
        &["$CONCORD__AUDIT__MASTER_KEY={master}"],
        Starts("audit log open"),
    ),
    row("a master key that is none", Nothing, &["audit.master_key=hush"], Refuses(&["audit.master_key", "32 bytes"])),
    row(
        "two master keys",
        Nothing,
        &[MASTER, "audit.master_key_file={dir}/k"],
        Refuses(&["audit.master_key_file", "absent"]),
    ),
    row(
        "a master key that others can read",
        File("k", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", 0o644),
        &["audit.master_key_file={dir}/k"],
        Refuses(&["audit.master_key_file", "chmod 600"]),
    ),
    row(
        "a log without its master key",
        LogWithoutKey,
        &["audit.dir={dir}/log"],
        Refuses(&["audit.master_key_file", "not there"]),
    ),
    row(
        "a signing key that is none",
        File("k", "hush\n", 0o600),
        &["audit.signing_key_file={dir}/k"],
        Refuses(&["audit.signing_key_file"]),
    ),
    row("a file in the place of the directory", File("f", "", 0o600), &["audit.dir={dir}/f"], Refuses(&["audit."])),
    row("a name of the log", Nothing, &["audit.origin=concord.example"], Starts("concord.example")),
    row("a name with a space", Nothing, &["audit.origin=a b"], Refuses(&["audit.origin", "flag"])),
    row("no room to wait", Nothing, &["audit.queue=0"], Refuses(&["audit.queue", "1 or more"])),
];

const LAYERS: &[Row] = &[
    row(
        "a key that there is not",
        Nothing,
        &["server.grpc_adr=127.0.0.1:0"],
        Refuses(&["server.grpc_adr", "server.grpc_addr`?"]),
    ),
    row(
        "a variable that there is not",
        Nothing,
        &["$CONCORD__TLS__CERTIFICATE=x"],
        Refuses(&["tls.certificate", "CONCORD__TLS__CERTIFICATE"]),
    ),
    row("a variable that is empty", Nothing, &["$CONCORD__RULES__DIR="], Starts("rules package active")),
    row("a setting without a value", Nothing, &["--set", "weather"], Refuses(&["weather", "KEY=VALUE"])),
    row("a file that is not there", Nothing, &["--config", "{dir}/none.toml"], Refuses(&["none.toml"])),
    row(
        "a file with a key that there is not",
        File("c.toml", "[audit]\nstorage = \"none\"\n", 0o600),
        &["--config", "{dir}/c.toml"],
        Refuses(&["audit.storage", "c.toml"]),
    ),
    row(
        "a variable above the file",
        File("c.toml", "[audit]\nstore = \"postgres\"\n", 0o600),
        &["--config", "{dir}/c.toml", "$CONCORD__AUDIT__STORE=none"],
        Starts("there is no record"),
    ),
    row(
        "the file of a variable",
        File("c.toml", "[limits]\nstreams = 0\n", 0o600),
        &["$CONCORD_CONFIG={dir}/c.toml"],
        Refuses(&["limits.streams", "c.toml"]),
    ),
    row("logs in no form", Nothing, &["telemetry.log_format=xml"], Refuses(&["telemetry.log_format", "flag"])),
    row("a filter that is none", Nothing, &["telemetry.log_filter=concord=loud"], Refuses(&["telemetry.log_filter"])),
    row("a share above all", Nothing, &["telemetry.sample_ratio=2"], Refuses(&["telemetry.sample_ratio", "0 to 1"])),
    row("no collector answers", Nothing, &["telemetry.otlp_endpoint=http://127.0.0.1:1"], Starts("audit log open")),
    row(
        "a collector that is no URL",
        Nothing,
        &["telemetry.otlp_endpoint=nowhere"],
        Refuses(&["telemetry.otlp_endpoint"]),
    ),
    row("a purpose that is no code", Nothing, &["answer.purpose_of_use=for care"], Refuses(&["answer.purpose_of_use"])),
];

fn concord() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    let ours = std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("CONCORD_"));
    for name in ours {
        command.env_remove(name);
    }
    command
}

/// Runs a command to its end.
fn run(arguments: &[&str]) -> String {
    let out = concord().args(arguments).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap).filter(|entry| entry.file_name() != "cases") {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Makes what is given; the key that signs packages, where one does.
fn given(given: Given, dir: &Path) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let rules = dir.join("rules");
    let key = dir.join("key");
    let keygen =
        || run(&["rules", "keygen", "--name", "site.example", "--out", key.to_str().unwrap()]).trim().to_owned();
    match given {
        Nothing => keygen(),
        File(name, text, mode) => {
            std::fs::write(dir.join(name), text).unwrap();
            std::fs::set_permissions(dir.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
            String::new()
        }
        Package | FaultyPackage | SignedPackage => {
            copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("rules"), &rules);
            let public = keygen();
            match given {
                FaultyPackage => std::fs::write(rules.join("faulty.yaml"), "rules: [").unwrap(),
                SignedPackage => {
                    run(&["rules", "sign", rules.to_str().unwrap(), "--key", key.to_str().unwrap()]);
                }
                _ => {}
            }
            public
        }
        LogWithoutKey => {
            let log = dir.join("log");
            std::fs::create_dir(&log).unwrap();
            std::fs::write(log.join(concord::audit::sqlite::FILE), "").unwrap();
            String::new()
        }
    }
}

fn start(row: &Row, dir: &Path, taken: &str) -> Child {
    let key = given(row.given, dir);
    let filled = |text: &str| {
        let master = MASTER.split_once('=').unwrap().1;
        let text = text.replace("{dir}", dir.to_str().unwrap()).replace("{key}", &key);
        text.replace("{taken}", taken).replace("{master}", master)
    };
    let mut command = concord();
    command.args(["serve", "--set", "server.grpc_addr=127.0.0.1:0", "--set", "server.drain_lead=0s"]);
    if !row.with.iter().any(|with| with.contains("audit.dir")) {
        command.arg("--set").arg(format!("audit.dir={}", dir.join("data").display()));
    }
    for with in row.with {
        let with = filled(with);
        match with.strip_prefix('$').and_then(|variable| variable.split_once('=')) {
            Some((name, value)) => {
                command.env(name, value);
            }
            None if with.contains('=') => {
                command.args(["--set", &with]);
            }
            None => {
                command.arg(with);
            }
        }
    }
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

async fn serving(address: &str) -> bool {
    let address = address.replace("0.0.0.0", "127.0.0.1");
    let Ok(channel) = Channel::from_shared(format!("http://{address}")).unwrap().connect().await else { return false };
    let answer = HealthClient::new(channel).check(HealthCheckRequest { service: String::new() }).await;
    answer.is_ok_and(|answer| answer.into_inner().status() == ServingStatus::Serving)
}

/// What became of a start, if it is not what the row says.
async fn fault(row: &Row, taken: &str) -> Option<String> {
    let dir = tempfile::tempdir().unwrap();
    let mut child = start(row, dir.path(), taken);
    let (send, lines) = mpsc::channel();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
    let begun = Instant::now();
    let (mut log, mut address, mut ended) = (Vec::new(), None, false);
    while !ended {
        match lines.recv_timeout(Duration::from_millis(50)) {
            Ok(line) => {
                let told = line.split_once("listening grpc=").map(|(_, at)| at.split(' ').next().unwrap().to_owned());
                address = address.or(told);
                log.push(line);
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => ended = true,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if let Some(address) = &address
            && !ended
            && serving(address).await
        {
            break;
        }
        if begun.elapsed() > Duration::from_mins(2) {
            break;
        }
    }
    if !ended {
        child.kill().unwrap();
    }
    let code = child.wait().unwrap().code();
    log.extend(lines.try_iter());
    let last = log.last().cloned().unwrap_or_default();
    let told = log.join("\n");
    let hushed = !told.contains("hush");
    let fine = hushed
        && match row.outcome {
            Starts(with) => !ended && told.contains(with),
            Refuses(with) => ended && code == Some(2) && with.iter().all(|part| last.contains(part)),
        };
    (!fine).then(|| format!("{}: exit {code:?}, {}\n{told}", row.what, if ended { "ended" } else { "serves" }))
}

async fn hold(rows: &[Row]) {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut faults = Vec::new();
    for row in rows {
        faults.extend(fault(row, &address).await);
    }
    assert!(faults.is_empty(), "{} of {} rows:\n{}", faults.len(), rows.len(), faults.join("\n\n"));
}

#[tokio::test]
async fn listeners_start_or_refuse_as_the_table_says() {
    hold(LISTENER).await;
}

#[tokio::test]
async fn packages_start_or_refuse_as_the_table_says() {
    hold(PACKAGE).await;
}

#[tokio::test]
async fn records_start_or_refuse_as_the_table_says() {
    hold(RECORD).await;
}

#[tokio::test]
async fn layers_start_or_refuse_as_the_table_says() {
    hold(LAYERS).await;
}

#[tokio::test]
async fn security_starts_or_refuses_as_the_table_says() {
    hold(SECURITY).await;
}

#[test]
fn there_are_forty_rows_and_more() {
    let rows = LISTENER.len() + SECURITY.len() + PACKAGE.len() + RECORD.len() + LAYERS.len();
    assert!(rows >= 40, "{rows}");
}
