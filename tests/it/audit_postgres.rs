//! The log in a PostgreSQL server of the test's own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use concord::api::proto::decision_service_client::DecisionServiceClient;
use concord::api::proto::{EvaluateRequest, EvaluateResponse};
use concord::api::recording::recorded_decision;
use concord::audit;
use concord::audit::entry::{Draft, Kind, Leaf};
use concord::audit::keys::master_key;
use concord::audit::log::{Effect, Log, vault};
use concord::audit::postgres;
use concord::audit::records::Records;
use concord::audit::store::{Store, StoreError};
use concord::audit::tree::{Frontier, leaf_hash};
use tonic::Code;
use tonic::transport::Channel;
use tonic_types::StatusExt as _;

use crate::postgres::{Cluster, signal};
use crate::server::{Server, fine};

#[path = "../../src/audit/store_tests.rs"]
mod shared;

use self::shared::{Place, access, append, draft};

/// A database, and a directory for keys.
struct Database<'a> {
    cluster: &'a Cluster,
    name: String,
    dir: tempfile::TempDir,
}

impl<'a> Database<'a> {
    fn new(cluster: &'a Cluster, name: &str) -> Self {
        cluster.database(name);
        Self { cluster, name: name.to_owned(), dir: tempfile::tempdir().unwrap() }
    }
}

impl Place for Database<'_> {
    fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn store(&self) -> Box<dyn Store> {
        Box::new(open(&self.cluster.url(&self.name)).unwrap())
    }

    fn change(&self, sql: &str) {
        self.cluster.sql(&self.name, &[sql]);
    }
}

fn open(url: &str) -> Result<postgres::Postgres, StoreError> {
    postgres::Server::parse(url, false).unwrap().open()
}

fn refused(url: &str) -> String {
    open(url).unwrap_err().to_string()
}

/// What is asked of a store, with a name for its database.
type Asked = (&'static str, fn(&dyn Place));

#[test]
fn a_database_does_what_a_file_does() {
    let cluster = Cluster::start();
    let all: [Asked; 10] = [
        ("begins", shared::a_log_begins_goes_on_and_says_so),
        ("roots", shared::roots_tiles_and_checkpoints_agree_over_many_sizes),
        ("signed", shared::every_commit_is_signed_and_a_checkpoint_stays_once_it_is_kept),
        ("requests", shared::a_request_makes_one_entry_within_a_batch_and_after_it),
        ("two", shared::two_processes_make_one_sequence),
        ("erased", shared::what_is_erased_can_not_be_opened),
        ("archived", shared::what_is_archived_is_found_again),
        ("found", shared::entries_are_found_by_what_they_say),
        ("pruned", shared::a_pruned_log_goes_on_and_its_proofs_hold),
        ("keys", shared::a_new_key_takes_over_with_both_signatures),
    ];
    for (name, test) in all {
        println!("{name}");
        test(&Database::new(&cluster, name));
    }
    let changes = [
        (
            "UPDATE entries SET leaf = convert_to(replace(convert_from(leaf, 'UTF8'), '1', '2'), 'UTF8') WHERE idx = 301",
            "head",
        ),
        ("DELETE FROM entries WHERE idx = 302", "not all there"),
        ("UPDATE head SET size = 302", "does not fit"),
        ("DELETE FROM head", "no head"),
        ("UPDATE checkpoints SET note = replace(note, '3', '4')", "checkpoint"),
        ("DELETE FROM checkpoints", "checkpoint is gone"),
        ("UPDATE tiles SET hashes = decode(repeat('00', 8192), 'hex')", "head"),
        ("UPDATE entries SET at = 0 WHERE idx = 302", "columns"),
        ("DELETE FROM meta WHERE key = 'index_key'", "index key"),
        ("UPDATE entries SET id = '\\x00' WHERE idx = 302", "not of its length"),
        ("UPDATE head SET first = -1", "below zero"),
        ("ALTER TABLE entries ALTER at TYPE INTEGER USING 0", "not of the form"),
        ("DROP TABLE tiles", "not there"),
    ];
    for (at, (sql, told)) in changes.into_iter().enumerate() {
        let error = shared::told_of(&Database::new(&cluster, &format!("changed_{at}")), sql);
        assert!(error.starts_with("the audit store is damaged: ") && error.contains(told), "{sql}: {error}");
    }
    // Over the socket it is the same database.
    assert_eq!(open(&cluster.url_of_socket("two")).unwrap().head().unwrap().frontier.size(), 604);
}

#[test]
fn a_key_that_is_destroyed_leaves_its_table() {
    let cluster = Cluster::start();
    let place = Database::new(&cluster, "erased");
    let mut log = shared::open(&place);
    let erased = append(&mut log, draft("p-1", None));
    let key = log.store().rows(erased, erased + 1, 1).unwrap().pop().unwrap().key.unwrap();
    append(&mut log, draft("p-2", None));
    assert!(cluster.holds("erased", "keys", &key));
    shared::erase(&mut log, erased);
    assert!(!cluster.holds("erased", "keys", &key));
}

#[test]
fn processes_that_begin_a_log_at_once_begin_one() {
    let cluster = Cluster::start();
    let url = cluster.database("one");
    let barrier = Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let dir = tempfile::tempdir().unwrap();
                barrier.wait();
                let store = Box::new(open(&url).unwrap());
                let mut log = Log::open(store, &access(dir.path())).unwrap();
                for turn in 0..40 {
                    append(&mut log, draft("p", Some(&format!("r-{turn}"))));
                }
            });
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(Box::new(open(&url).unwrap()), &access(dir.path())).unwrap();
    let rows = log.store().rows(0, u64::MAX, 1_000).unwrap();
    // Each says that it was opened and which key signs; and each request is there once.
    assert_eq!(rows.iter().map(|row| row.index).collect::<Vec<_>>(), (0..4 * 2 + 40 + 2).collect::<Vec<_>>());
    assert_eq!(audit::log::keys(log.store()).unwrap().len(), 5);
}

#[test]
fn what_is_wrong_is_told_without_a_word_of_the_way_to_the_server() {
    let mut cluster = Cluster::start();
    let url = cluster.database("fine");
    drop(open(&url).unwrap());
    cluster.sql("fine", &["CREATE USER guarded PASSWORD 'right'"]);
    cluster.sql("postgres", &["CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0"]);
    cluster.sql("postgres", &["CREATE DATABASE newer"]);
    cluster.sql("newer", &["CREATE TABLE concord_audit (version INTEGER)", "INSERT INTO concord_audit VALUES (2)"]);
    for (url, told) in [
        (cluster.url_of("guarded", "wrong", "fine"), "can't be used: the server refuses the user or the password"),
        (
            cluster.url_of("guarded", "right", "fine").replace(":right", ""),
            "can't be used: the server wants a password that is not set",
        ),
        (cluster.url_of("guarded", "right", "fine"), "can't be used: the user lacks a right"),
        (cluster.url_of("nobody_known", "right", "fine"), "can't be used: the server refuses the user or the password"),
        (cluster.url("nowhere"), "can't be used: there is no such database"),
        (cluster.url("ascii"), "can't be used: the encoding of the database is not UTF8"),
        (
            cluster.url("newer"),
            "can't be used: its tables are of version 2, and this program knows version 1: use a newer program",
        ),
    ] {
        let error = refused(&url);
        assert!(error.contains(told), "{url}: {error}");
        for secret in ["wrong", "guarded", "nowhere", "127.0.0.1", "nobody_known"] {
            assert!(!error.contains(secret), "{error}");
        }
    }
    cluster.restart(&["fsync=off"]);
    assert!(refused(&url).contains("can't be used: fsync is off in this server"));
    cluster.restart(&["default_transaction_read_only=on", "synchronous_commit=off"]);
    // A session sets what it needs, whatever the server has set.
    assert!(open(&url).unwrap().begin().is_ok());
    cluster.crash();
    assert!(matches!(open(&url), Err(StoreError::Down(_))));
}

#[test]
fn a_user_with_the_rights_that_the_page_names_can_do_all_of_it() {
    let cluster = Cluster::start();
    let place = Database::new(&cluster, "granted");
    // The tables are made by whom they belong to.
    drop(place.store());
    let page = include_str!("../../docs/audit.md");
    let (_, grants) = page.split_once("```sql\n").unwrap();
    let (grants, _) = grants.split_once("```").unwrap();
    cluster.sql("granted", &["CREATE USER guarded PASSWORD 'right'", &grants.replace("concord_service", "guarded")]);
    let url = cluster.url_of("guarded", "right", "granted");
    let mut log = Log::open(Box::new(open(&url).unwrap()), &access(place.dir())).unwrap();
    for _ in 0..300 {
        append(&mut log, draft("p", Some("r")));
        append(&mut log, draft("p", None));
    }
    shared::erase(&mut log, 5);
    let prune = Leaf { first: Some(256), ..Leaf::new(Kind::Retention) };
    log.append_draft(Draft::clear(prune), Effect::Prune(256)).unwrap();
    assert_eq!(log.store().head().unwrap().first, 256);
}

#[test]
fn a_server_that_does_not_answer_is_given_up() {
    let cluster = Cluster::start();
    let url = cluster.database("silent");
    let (mut store, mut other) = (open(&url).unwrap(), open(&url).unwrap());
    // Who holds the log is waited for, and not for ever.
    let held = store.begin().unwrap();
    let error = other.begin().map(drop).unwrap_err();
    assert_eq!(error.to_string(), "the audit store does not work: another process holds the log (SQLSTATE 55P03)");
    drop(held);
    assert!(other.begin().is_ok());
    drop(other);
    // A process that stopped while it held the log loses it.
    let held = store.begin().unwrap();
    std::thread::sleep(Duration::from_secs(6));
    assert!(open(&url).unwrap().begin().is_ok());
    assert!(matches!(held.commit(), Err(StoreError::Down(_))));
    let mut store = open(&url).unwrap();
    let backend = cluster.sql("silent", &["SELECT pid FROM pg_stat_activity WHERE application_name = 'concord'"]);
    signal("-STOP", &backend);
    let error = store.head().unwrap_err();
    let after = store.head().unwrap_err();
    signal("-CONT", &backend);
    assert_eq!(error, StoreError::Down("the server does not answer".to_owned()));
    // What it answers late is not taken for the answer to something else.
    assert_eq!(after, StoreError::Down("the connection is lost".to_owned()));
}

/// 32 bytes in base64.
const MASTER: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

fn serve(url: &str) -> Server {
    Server::start(&[
        "audit.store=postgres",
        &format!("audit.postgres={url}"),
        &format!("audit.master_key={MASTER}"),
        "telemetry.log_filter=info",
    ])
}

/// A decision as the log has it.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    index: u64,
    decision: String,
    hash: String,
}

/// Reads all of a log: no index is missing, every leaf and body is whole, the
/// head and the last checkpoint are of just these leaves. The decisions by the
/// ids of their requests, each of which may be there once.
fn verified(url: &str) -> BTreeMap<String, Entry> {
    let mut store = open(url).unwrap();
    let vault = vault(&mut store, Arc::new(master_key(MASTER).unwrap())).unwrap();
    let mut records = Records::new(Box::new(store), vault);
    let (_, checkpoint) = records.checkpoint().unwrap();
    let head = records.store().head().unwrap();
    assert_eq!(checkpoint.size, head.frontier.size(), "a log that was closed is signed to its end");
    let (mut frontier, mut decisions) = (Frontier::default(), BTreeMap::new());
    while frontier.size() < checkpoint.size {
        let rows = records.store().rows(frontier.size(), u64::MAX, 256).unwrap();
        assert!(!rows.is_empty());
        for row in rows {
            assert_eq!(row.index, frontier.size());
            let hash = leaf_hash(&row.leaf);
            frontier.push(hash);
            let record = records.open(row).unwrap();
            if record.leaf.kind == Kind::Decision {
                let (request, _, _) = recorded_decision(&record).unwrap();
                let entry = Entry {
                    index: record.row.index,
                    decision: record.leaf.id.to_string(),
                    hash: concord::note::hex(&hash),
                };
                assert_eq!(decisions.insert(request.request_id, entry), None, "a request makes one decision");
            }
        }
    }
    assert_eq!((frontier.root(), &frontier), (checkpoint.root, &head.frontier));
    decisions
}

/// Requests of the load, and what became of them.
#[derive(Default)]
struct Load {
    next: AtomicUsize,
    answers: Mutex<BTreeMap<String, EvaluateResponse>>,
    refused: AtomicUsize,
}

fn numbered(number: usize) -> EvaluateRequest {
    let mut request = EvaluateRequest { request_id: format!("r-{number}"), ..fine() };
    request.patient.as_mut().unwrap().id = format!("p-{}", number % 97);
    request
}

impl Load {
    /// Asks one server, and where it does not answer the next, until there is an
    /// answer.
    async fn ask(&self, channels: &[Channel], count: usize) {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return;
            }
            let request = numbered(number);
            for turn in number.. {
                let mut client = DecisionServiceClient::new(channels[turn % channels.len()].clone());
                match client.evaluate(request.clone()).await {
                    Ok(answer) => {
                        self.answers.lock().unwrap().insert(request.request_id, answer.into_inner());
                        break;
                    }
                    Err(status) => {
                        let killed = turn % channels.len() == 0;
                        assert!(killed || status.code() == Code::Unavailable, "{status:?}");
                        self.refused.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
            }
        }
    }

    async fn reached(&self, count: usize) {
        while self.answers.lock().unwrap().len() < count {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// 2,000 in `scripts/test`; more where the variable says so.
fn count() -> usize {
    std::env::var("CONCORD_POSTGRES_DECISIONS").map_or(2_000, |count| count.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_processes_make_one_sequence_through_a_kill_and_a_restart_of_the_database() {
    let mut cluster = Cluster::start();
    let url = cluster.database("shared");
    let mut servers: Vec<Server> = (0..4).map(|_| serve(&url)).collect();
    let mut channels = Vec::new();
    for server in &servers {
        channels.push(server.channel().await);
    }
    let (load, count) = (Arc::new(Load::default()), count());
    let begun = std::time::Instant::now();
    let workers: Vec<_> = (0..24)
        .map(|_| {
            let (load, channels) = (Arc::clone(&load), channels.clone());
            tokio::spawn(async move { load.ask(&channels, count).await })
        })
        .collect();
    load.reached(count / 4).await;
    servers[0].child.kill().unwrap();
    load.reached(count / 2).await;
    tokio::task::block_in_place(|| cluster.restart(&[]));
    for worker in workers {
        worker.await.unwrap();
    }
    let took = begun.elapsed();
    // Each of the others answers again, and what it says is the same sequence.
    for (at, server) in servers.iter_mut().enumerate().skip(1) {
        let answer = server.decisions().await.evaluate(numbered(count + at)).await.unwrap().into_inner();
        load.answers.lock().unwrap().insert(answer.request_id.clone(), answer);
        server.logged("the audit log can be written again").await;
    }
    for server in servers.iter_mut().skip(1) {
        server.terminate();
        assert!(server.ended().await.success());
    }
    let decisions = tokio::task::block_in_place(|| verified(&url));
    let answers = load.answers.lock().unwrap();
    let repeated = answers.values().filter(|answer| answer.receipt.as_ref().unwrap().repeated).count();
    println!(
        "{} decisions in {took:.1?}: {} calls failed, {repeated} answers were those of an earlier call",
        answers.len(),
        load.refused.load(Ordering::Relaxed)
    );
    let acknowledged = answers.iter().map(|(request, answer)| {
        let receipt = answer.receipt.as_ref().unwrap();
        let hash = receipt.leaf_hash.clone();
        (request.clone(), Entry { index: receipt.index, decision: answer.decision_id.clone(), hash })
    });
    assert_eq!(answers.len(), count + 3);
    assert_eq!(acknowledged.collect::<BTreeMap<_, _>>(), decisions);
    let indices: BTreeSet<u64> = decisions.values().map(|entry| entry.index).collect();
    assert_eq!(indices.len(), decisions.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_repeated_after_it_failed_makes_one_decision() {
    let mut cluster = Cluster::start();
    let url = cluster.database("repeated");
    // A database that is not there yet is waited for.
    cluster.crash();
    let mut server = serve(&url);
    tokio::task::block_in_place(|| cluster.run());
    let mut client = server.decisions().await;
    assert!(!client.evaluate(numbered(0)).await.unwrap().into_inner().receipt.unwrap().repeated);

    cluster.crash();
    let status = client.evaluate(numbered(1)).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "AUDIT_UNAVAILABLE"));
    tokio::task::block_in_place(|| cluster.run());
    server.channel().await;
    let answer = client.evaluate(numbered(1)).await.unwrap().into_inner();
    let again = client.evaluate(numbered(1)).await.unwrap().into_inner();
    assert_eq!((&answer.decision_id, again.receipt.unwrap().repeated), (&again.decision_id, true));

    // A commit that is done on the server and not acknowledged: it waits for a standby that never comes.
    let standby = |to: &str| {
        cluster.sql("postgres", &[&format!("ALTER SYSTEM SET synchronous_standby_names = '{to}'")]);
        cluster.sql("postgres", &["SELECT pg_reload_conf()"]);
    };
    standby("nobody");
    let mut number = 2;
    let status = loop {
        // The server takes a moment to heed it.
        match client.evaluate(numbered(number)).await {
            Ok(_) => number += 1,
            Err(status) => break status,
        }
    };
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "AUDIT_UNAVAILABLE"));
    standby("");
    server.channel().await;
    let answer = client.evaluate(numbered(number)).await.unwrap().into_inner();
    assert!(answer.receipt.as_ref().unwrap().repeated, "{answer:?}");
    server.terminate();
    assert!(server.ended().await.success());
    let decisions = tokio::task::block_in_place(|| verified(&url));
    assert_eq!(decisions.len(), number + 1);
    assert_eq!(decisions[&format!("r-{number}")].decision, answer.decision_id);
}

fn reason(status: &tonic::Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

#[test]
fn a_server_that_can_not_use_its_database_says_so_and_ends() {
    let cluster = Cluster::start();
    cluster.sql("postgres", &["CREATE USER guarded PASSWORD 'right'"]);
    for (url, told) in [
        (cluster.url_of("guarded", "sesame", "postgres"), "the server refuses the user or the password"),
        ("postgres://u:sesame@192.0.2.1/d".to_owned(), "set audit.postgres_plaintext where the network"),
        ("postgres://u:sesame@localhost/d?sslmode=require".to_owned(), "it wants TLS"),
    ] {
        let data = tempfile::tempdir().unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_concord"));
        command.args(["serve", "--grpc-addr", "127.0.0.1:0", "--set", "audit.store=postgres"]);
        command.arg("--set").arg(format!("audit.dir={}", data.path().display()));
        command.arg("--set").arg(format!("audit.postgres={url}"));
        let output = command.env_remove("CONCORD_CONFIG").output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(told) && !text.contains("sesame") && !text.contains("192.0.2"), "{text}");
    }
}
