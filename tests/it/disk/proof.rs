//! That the disk fails as told, and that what it remembers tells a program that loses from one that doesn't.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use rusqlite::{Connection, params};

use super::power::{self, Chance, Trace};
use super::{Class, Disk, Fault, Kind};

const FOLDER: &str = "CONCORD_DISK_WRITER";

/// A process that writes to a watched folder: this test itself, run again.
struct Writer {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Writer {
    fn start(disk: &Disk, folder: &Path, what: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        disk.before(&mut command);
        let name = module_path!().split_once("::").map_or(module_path!(), |(_, name)| name).to_owned() + "::writer";
        command.args(["--exact", &name, "--ignored", "--nocapture"]).env(FOLDER, folder);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut new = Self { child, answers };
        assert_eq!(new.ask(what), "ready");
        new
    }

    fn ask(&mut self, what: &str) -> String {
        writeln!(self.child.stdin.as_mut().unwrap(), "{what}").unwrap();
        let mut line = String::new();
        // The test harness says something of its own.
        while !line.starts_with('>') {
            line.clear();
            assert_ne!(self.answers.read_line(&mut line).unwrap(), 0, "the writer ended");
        }
        line[1..].trim_end().to_owned()
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn end(mut self) {
        drop(self.child.stdin.take());
        io::copy(&mut self.answers, &mut io::sink()).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

/// The other process.
#[test]
#[ignore = "the process that the other tests of this file start"]
fn writer() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("a folder"));
    let mut lines = io::stdin().lines();
    let Some(Ok(what)) = lines.next() else { return };
    let reply = |line: &str| println!("\n>{line}");
    if what == "files" {
        reply("ready");
        lines.map_while(Result::ok).for_each(|line| reply(&handle(&folder, &line)));
        return;
    }
    let connection = connect(&folder, &what);
    reply("ready");
    for line in lines.map_while(Result::ok) {
        let number: i64 = line.parse().unwrap();
        let put = connection.execute("INSERT INTO t VALUES (?, zeroblob(?))", params![number, number * 7919 % 9000]);
        reply(&put.map_or_else(|error| error.to_string(), |_| "ok".to_owned()));
    }
}

fn connect(folder: &Path, synchronous: &str) -> Connection {
    fs::create_dir_all(folder).unwrap();
    let connection = Connection::open(folder.join("a.db")).unwrap();
    let settings = format!("PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous};");
    connection.execute_batch(&settings).unwrap();
    connection
        .execute_batch("PRAGMA wal_autocheckpoint = 30; CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, v BLOB)")
        .unwrap();
    connection
}

/// What one call of the standard library comes to.
fn handle(folder: &Path, what: &str) -> String {
    let path = folder.join("file");
    let opened = || OpenOptions::new().read(true).write(true).open(&path);
    let done = match what {
        "create" => File::create_new(&path).map(|_| 0),
        "open" => opened().map(|_| 0),
        "write" => opened().and_then(|mut file| file.write(&[7; 100])),
        "lengthen" => opened().and_then(|file| file.set_len(1000)).map(|()| 0),
        "shorten" => opened().and_then(|file| file.set_len(10)).map(|()| 0),
        "sync" => opened().and_then(|file| file.sync_all()).map(|()| 0),
        "read" => opened().and_then(|mut file| file.read(&mut [0; 10])),
        "rename" => {
            fs::rename(&path, folder.join("other")).and_then(|()| fs::rename(folder.join("other"), &path)).map(|()| 0)
        }
        "remove" => fs::remove_file(&path).map(|()| 0),
        other => panic!("{other}"),
    };
    done.map_or_else(|error| format!("error {}", error.raw_os_error().unwrap_or_default()), |bytes| bytes.to_string())
}

fn folder(name: &str) -> (PathBuf, PathBuf) {
    let beside = Path::new(env!("CARGO_TARGET_TMPDIR")).join("disk").join(name);
    let _ = fs::remove_dir_all(&beside);
    fs::create_dir_all(beside.join("watched")).unwrap();
    (beside.join("watched"), beside)
}

/// Rows that were acknowledged, each with the number of records at that time.
type Acknowledged = Vec<(i64, usize)>;

fn put(writer: &mut Writer, disk: &Disk, rows: std::ops::Range<i64>, done: &mut Acknowledged) {
    for row in rows {
        assert_eq!(writer.ask(&row.to_string()), "ok");
        done.push((row, disk.records()));
    }
}

/// Of power losses, how many took a row that was acknowledged, and how many left no whole database.
fn losses(trace: &Trace, acknowledged: &Acknowledged, points: &[usize], beside: &Path, data: &str) -> (usize, usize) {
    let (mut lost, mut broken) = (0, 0);
    for (&at, seed) in points.iter().zip(0..) {
        let folder = beside.join("image");
        let _ = fs::remove_dir_all(&folder);
        power::write(&trace.image(at, seed), &folder);
        let due: Vec<i64> = acknowledged.iter().filter(|(_, records)| *records <= at).map(|(row, _)| *row).collect();
        let path = folder.join(data).join("a.db");
        let rows = if path.is_file() { rows(&path) } else { Some(Vec::new()) };
        broken += usize::from(rows.is_none());
        lost += usize::from(rows.is_some_and(|rows| due.iter().any(|row| rows.binary_search(row).is_err())));
    }
    (lost, broken)
}

/// The rows, where the database is whole.
fn rows(path: &Path) -> Option<Vec<i64>> {
    let connection = Connection::open(path).ok()?;
    let whole: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).ok()?;
    if whole != "ok" {
        return None;
    }
    let Ok(mut statement) = connection.prepare("SELECT n FROM t ORDER BY n") else { return Some(Vec::new()) };
    statement.query_map([], |row| row.get(0)).ok()?.collect::<Result<_, _>>().ok()
}

fn after_power_loss(name: &str, synchronous: &str, data: &str) -> (usize, usize) {
    let (watched, beside) = folder(name);
    let disk = Disk::new(&watched, &beside, true);
    let mut writer = Writer::start(&disk, &watched.join(data), synchronous);
    let mut acknowledged = Vec::new();
    put(&mut writer, &disk, 1..100, &mut acknowledged);
    writer.end();
    let trace = disk.trace();
    let mut chance = Chance(11);
    let points: Vec<usize> = (0..60).map(|_| chance.below(trace.records.len() + 1)).collect();
    losses(&trace, &acknowledged, &points, &beside, data)
}

#[test]
fn what_is_synced_survives_a_power_loss_and_what_is_not_need_not() {
    assert_eq!(after_power_loss("full", "FULL", ""), (0, 0));
    let (lost, broken) = after_power_loss("normal", "NORMAL", "");
    assert!(lost > 0 && broken == 0, "{lost} {broken}");
    let (lost, broken) = after_power_loss("off", "OFF", "");
    assert!(lost > 0 && broken > 0, "{lost} {broken}");
    let (lost, _) = after_power_loss("directory", "FULL", "made");
    assert!(lost > 0, "the directory itself was never synced");
}

#[test]
fn what_a_failed_sync_left_in_memory_is_trusted_by_the_next_process_and_lost() {
    let mut lost = 0;
    for round in 0..10 {
        let (watched, beside) = folder("failed-sync");
        let disk = Disk::new(&watched, &beside, true);
        let mut acknowledged = Vec::new();
        let mut writer = Writer::start(&disk, &watched, "FULL");
        put(&mut writer, &disk, 1..5 + round, &mut acknowledged);
        disk.arm(Fault { kind: Kind::FailedSync, class: Class::Sync, from: 0, times: 1 });
        assert_eq!(writer.ask("50"), "disk I/O error");
        writer.kill();
        disk.clear();
        let mut writer = Writer::start(&disk, &watched, "FULL");
        put(&mut writer, &disk, 60..63, &mut acknowledged);
        let trace = disk.trace();
        writer.kill();
        lost += losses(&trace, &acknowledged, &[trace.records.len(); 5], &beside, "").0;
    }
    assert!(lost > 0);
}

#[test]
fn a_power_loss_with_nothing_unsynced_leaves_the_disk_as_it_is() {
    let (watched, beside) = folder("same");
    let disk = Disk::new(&watched, &beside, true);
    let mut writer = Writer::start(&disk, &watched, "FULL");
    put(&mut writer, &disk, 1..60, &mut Vec::new());
    let trace = disk.trace();
    let image = trace.image(trace.records.len(), 1);
    assert_eq!(image.len(), 3);
    for (path, content) in image.iter().filter(|(path, _)| !path.ends_with("a.db-shm")) {
        assert!(fs::read(watched.join(path)).unwrap() == *content, "{}", path.display());
    }
    writer.end();
}

#[test]
fn each_fault_is_the_one_that_was_asked_for() {
    let (watched, beside) = folder("faults");
    let disk = Disk::new(&watched, &beside, false);
    let mut writer = Writer::start(&disk, &watched, "files");
    let calls = ["create", "open", "write", "lengthen", "shorten", "sync", "read", "rename", "remove"];
    let fine = "0 0 100 0 0 0 10 0 0";
    let expected = [
        (Kind::NoSpace, Class::All, "error 28 0 error 28 error 28 0 0 10 error 28 0"),
        (
            Kind::ReadOnly,
            Class::All,
            "error 30 error 30 error 30 error 30 error 30 error 30 error 30 error 30 error 30",
        ),
        (Kind::IoError, Class::Read, "0 0 100 0 0 0 error 5 0 0"),
        (Kind::IoError, Class::Name, "0 0 100 0 0 0 10 error 5 error 5"),
        (Kind::IoError, Class::Truncate, "0 0 100 error 5 error 5 0 10 0 0"),
        (Kind::Quota, Class::Write, "0 0 error 122 0 0 0 10 0 0"),
        (Kind::ShortWrite, Class::All, "0 0 50 0 0 0 10 0 0"),
        (Kind::FailedSync, Class::All, "0 0 100 0 0 error 5 10 0 0"),
    ];
    for (kind, class, answers) in expected {
        let mut given = Vec::new();
        for call in calls {
            let _ = fs::remove_file(watched.join("file"));
            if call != "create" {
                fs::write(watched.join("file"), [1; 100]).unwrap();
            }
            disk.arm(Fault { kind, class, from: 0, times: 0 });
            given.push(writer.ask(call));
            disk.clear();
        }
        assert_eq!(given.join(" "), answers, "{kind:?} {class:?}");
    }
    // At the second write from now on, once.
    fs::write(watched.join("file"), [1; 100]).unwrap();
    disk.arm(Fault { kind: Kind::IoError, class: Class::Write, from: disk.count(Class::Write) + 2, times: 1 });
    let given: Vec<_> = ["write", "write", "write"].iter().map(|call| writer.ask(call)).collect();
    assert_eq!((given.join(" ").as_str(), disk.fired()), ("100 error 5 100", 1));
    let _ = fs::remove_file(watched.join("file"));
    let mut given = Vec::new();
    for call in calls {
        given.push(writer.ask(call));
    }
    assert_eq!(given.join(" "), fine);
    writer.end();
}
