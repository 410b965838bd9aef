//! What `verify` and the independent verifier find of a log that someone changed: bits, entries, histories; and that
//! neither is alarmed by a log that no one changed.
//!
//! Each test takes a sample that its seed gives. `CONCORD_TAMPER=all` takes everything, which is long: build it with
//! `--release`. The tests that call the independent verifier need its Python packages; `scripts/test` runs them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use concord::audit::content::{Content, Dictionary};
use concord::audit::entry::{Draft, Entry, Kind, Leaf, Subject, sha256};
use concord::audit::export;
use concord::audit::keys::Signer;
use concord::audit::log::{Access, Append, ArchiveItem, Effect, Log, keys};
use concord::audit::records::Records;
use concord::audit::seal::LocalKey;
use concord::audit::sqlite::{FILE, Sqlite};
use concord::audit::store::Archived;
use concord::audit::tree::{Frontier, leaf_hash};
use concord::audit::verify::{Against, Report, verify};
use concord::note::{TrustedKey, hex};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use tempfile::TempDir;

use crate::dice::Dice;

const ORIGIN: &str = "concord/tamper";

fn everything() -> bool {
    std::env::var("CONCORD_TAMPER").is_ok_and(|value| value == "all")
}

/// Where writing costs least: every change is a commit.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

fn master() -> Arc<LocalKey> {
    Arc::new(LocalKey::new(&[1; 32]))
}

fn against() -> Against {
    Against { master: Some(master()), ..Against::default() }
}

fn access(dir: &Path) -> Access {
    Access { master: master(), signing_key: dir.join("signing.key"), origin: Some(ORIGIN.to_owned()) }
}

fn store(dir: &Path) -> Sqlite {
    Sqlite::open(dir).unwrap()
}

fn seen(dir: &Path, against: &Against) -> Report {
    verify(&mut store(dir), against).unwrap()
}

fn change(dir: &Path) -> Connection {
    let connection = Connection::open(dir.join(FILE)).unwrap();
    connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
    connection
}

fn copied(from: &Path) -> TempDir {
    let to = folder();
    for name in [FILE, "signing.key"] {
        fs::copy(from.join(name), to.path().join(name)).unwrap();
    }
    to
}

fn public_keys(dir: &Path) -> Vec<TrustedKey> {
    keys(&mut store(dir)).unwrap()
}

fn export_to(dir: &Path, to: &Path) {
    let access = access(dir);
    let vault = concord::audit::log::vault(&mut store(dir), access.master).unwrap();
    let mut records = Records::new(Box::new(store(dir)), vault);
    let (note, checkpoint) = records.checkpoint().unwrap();
    export::folder(to).unwrap();
    export::log(&mut records, &note, &checkpoint, to).unwrap();
}

/// A log of random entries.
struct Written {
    dir: TempDir,
    log: Log,
    dice: Dice,
    decisions: Vec<(u64, uuid::Uuid, u64)>,
}

impl Written {
    fn begin(seed: u64) -> Self {
        let dir = folder();
        let log = Log::open(Box::new(store(dir.path())), &access(dir.path())).unwrap();
        Self { dir, log, dice: Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1), decisions: Vec::new() }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn call(kind: Kind) -> Leaf {
        Leaf { caller: Some("anonymous@127.0.0.1".to_owned()), ..Leaf::new(kind) }
    }

    fn draft(&mut self) -> Draft {
        let patient = self.dice.roll(12);
        match self.dice.roll(10) {
            0 => {
                let fields = vec!["patient.birth_date IMPOSSIBLE_DATE".to_owned()];
                let status = Some("INVALID_ARGUMENT".to_owned());
                Draft::clear(Leaf { status, fields, ..Self::call(Kind::Refusal) })
            }
            1 => Draft::clear(Leaf { count: Some(3), ..Self::call(Kind::Read) }),
            2 if !self.decisions.is_empty() => {
                let at = self.dice.roll(self.decisions.len());
                let (_, of, patient) = self.decisions[at];
                let content = Content::new().with("request", vec![2; 9]);
                let tag = self.log.vault().subject_tag(&format!("p-{patient}"));
                let leaf = Leaf { of: Some(of), ..Self::call(Kind::Feedback) };
                Draft { subject: Subject::Tag(tag), ..Draft::sealed(leaf, content) }
            }
            _ => {
                let length = self.dice.roll(30);
                let content = Content::new().with("request", vec![1; length]).with("answer", vec![7; 5]);
                let content = content.with("rules", b"a\nb".to_vec()).with("terms", b"{}".to_vec());
                let leaf = Leaf { status: Some("OK".to_owned()), ..Self::call(Kind::Decision) };
                let once = (self.dice.roll(2) == 0).then(|| leaf.id.to_string());
                let subject = match self.dice.roll(8) {
                    0 => Subject::None,
                    _ => Subject::Patient(format!("p-{patient}")),
                };
                Draft { subject, once, ..Draft::sealed(leaf, content) }
            }
        }
    }

    fn some(&mut self, count: u64) {
        let sign = self.dice.roll(3) > 0;
        let mut appends: Vec<Append> = Vec::new();
        let from = self.log.store().head().unwrap().frontier.size();
        for index in from..from + count {
            let draft = self.draft();
            if let (Kind::Decision, Subject::Patient(patient)) = (draft.leaf.kind, &draft.subject) {
                self.decisions.push((index, draft.leaf.id, patient[2..].parse().unwrap()));
            }
            appends.push(self.log.vault().seal(draft).unwrap().into());
        }
        self.log.append(&appends, sign).unwrap();
    }

    fn archive(&mut self) {
        let content: Arc<[u8]> = vec![3; 40].into();
        let digest = [self.dice.roll(200); 32];
        let leaf = Leaf {
            ruleset: Some(hex(&digest)),
            content: Some(hex(&sha256(&content))),
            name: Some("a".to_owned()),
            ..Leaf::new(Kind::Ruleset)
        };
        let text = b"a sentence that answers say ".repeat(2);
        let items =
            [ArchiveItem { kind: Archived::Package, digest, content }, ArchiveItem::dictionary(&Dictionary::new(text))];
        let append = Append { archive: Arc::new(items), ..Entry::clear(&leaf).unwrap().into() };
        self.log.append(&[append], true).unwrap();
    }

    fn erase(&mut self) {
        let patient = self.dice.roll(12);
        let tag = self.log.vault().subject_tag(&format!("p-{patient}"));
        let indices = self.log.store().of_subject(&tag).unwrap();
        let mut entries: Vec<[u64; 2]> = Vec::new();
        for index in &indices {
            match entries.last_mut() {
                Some([_, to]) if *to + 1 == *index => *to = *index,
                _ => entries.push([*index; 2]),
            }
        }
        let leaf = Leaf { entries, count: Some(indices.len() as u64), ..Leaf::new(Kind::Erasure) };
        self.log.append_draft(Draft::clear(leaf), Effect::Erase(indices)).unwrap();
    }

    fn prune(&mut self) {
        let size = self.log.store().head().unwrap().frontier.size();
        let before = self.log.store().head().unwrap().first;
        let first = before.max(self.dice.roll(size / 256 + 1) * 256);
        let leaf = Leaf { first: Some(first), ..Leaf::new(Kind::Retention) };
        self.log.append_draft(Draft::clear(leaf), Effect::Prune(first)).unwrap();
        self.decisions.retain(|(index, ..)| *index >= first);
    }

    fn reopen(&mut self, rotate: bool) {
        let key = self.path().join("signing.key");
        if rotate {
            Signer::rotate(&key, ORIGIN).unwrap();
        }
        self.log = Log::open(Box::new(store(self.dir.path())), &access(self.dir.path())).unwrap();
    }

    fn note(&mut self) -> String {
        self.log.append(&[], true).unwrap();
        self.log.store().checkpoint().unwrap().unwrap()
    }

    /// To be read by others: the write-ahead log is in the file.
    fn close(mut self) -> TempDir {
        self.log.close().unwrap();
        self.dir
    }
}

/// A log of 200 entries, of every kind, signed by two keys one after the other.
fn two_hundred() -> TempDir {
    let mut written = Written::begin(5);
    written.archive();
    written.some(60);
    written.erase();
    written.reopen(true);
    written.some(50);
    written.prune();
    written.erase();
    let size = written.log.store().head().unwrap().frontier.size();
    written.some(199 - size);
    let dir = written.close();
    let kinds: std::collections::BTreeSet<String> = {
        let rows = concord::audit::store::Store::rows(&mut store(dir.path()), 0, 200, 300).unwrap();
        assert_eq!(rows.len(), 200);
        rows.iter().map(|row| Leaf::read(&row.leaf).unwrap().kind.word().to_owned()).collect()
    };
    assert_eq!(kinds.len(), Kind::ALL.len(), "{kinds:?}");
    dir
}

/// Where a value stands.
#[derive(Clone)]
struct Cell {
    table: &'static str,
    column: &'static str,
    key: Vec<(&'static str, Value)>,
    value: Value,
}

impl Cell {
    fn bits(&self) -> usize {
        match &self.value {
            Value::Integer(_) => 64,
            Value::Text(text) => text.len() * 8,
            Value::Blob(bytes) => bytes.len() * 8,
            Value::Null | Value::Real(_) => 0,
        }
    }

    fn flipped(&self, bit: usize) -> Value {
        let flip = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            bytes
        };
        match &self.value {
            Value::Integer(number) => Value::Integer(number ^ (1 << bit)),
            // Kept as text, also where it is none any more.
            Value::Text(text) => Value::Blob(flip(text.as_bytes())),
            Value::Blob(bytes) => Value::Blob(flip(bytes)),
            Value::Null | Value::Real(_) => Value::Null,
        }
    }

    /// Puts a value in its place. False where the database does not take it, as where it is another row's key.
    fn set(&self, connection: &Connection, from: &Value, to: &Value) -> bool {
        let place = |value: &Value| match (&self.value, value) {
            (Value::Text(_), Value::Blob(_)) => "CAST(? AS TEXT)",
            _ => "?",
        };
        let mut sql = format!("UPDATE {} SET {} = {} WHERE true", self.table, self.column, place(to));
        let mut values = vec![to.clone()];
        for (name, value) in &self.key {
            let value = if *name == self.column { from } else { value };
            let place = if *name == self.column { place(value) } else { "?" };
            sql.push_str(&format!(" AND {name} = {place}"));
            values.push(value.clone());
        }
        match connection.prepare_cached(&sql).unwrap().execute(params_from_iter(values)) {
            Ok(rows) => {
                assert_eq!(rows, 1, "{sql}");
                true
            }
            Err(_) => false,
        }
    }
}

type Columns = &'static [&'static str];

const TABLES: [(&str, Columns, Columns); 8] = [
    ("meta", &["key"], &["key", "value"]),
    ("head", &["one"], &["size", "frontier", "first", "signed"]),
    ("entries", &["idx"], &["idx", "id", "at", "of", "leaf", "body"]),
    ("keys", &["idx"], &["idx", "subject", "key"]),
    ("requests", &["tag"], &["tag", "idx"]),
    ("tiles", &["level", "n"], &["level", "n", "hashes"]),
    ("checkpoints", &["size"], &["size", "note"]),
    ("archive", &["kind", "digest"], &["kind", "digest", "content"]),
];

fn cells(connection: &Connection) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (table, key, columns) in TABLES {
        let sql = format!("SELECT {}, {} FROM {table}", key.join(", "), columns.join(", "));
        let mut statement = connection.prepare(&sql).unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let key: Vec<(&str, Value)> = key.iter().zip(0..).map(|(name, at)| (*name, row.get(at).unwrap())).collect();
            for (column, at) in columns.iter().zip(key.len()..) {
                cells.push(Cell { table, column, key: key.clone(), value: row.get(at).unwrap() });
            }
        }
    }
    cells
}

/// Flips bits of the cells of a store: every one, or so many that are drawn evenly from all columns. Returns how many
/// of each column were flipped.
fn flip_cells(dir: &Path, only: Option<&str>, sample: usize, seed: u64) -> BTreeMap<String, usize> {
    let connection = change(dir);
    let cells: Vec<Cell> =
        cells(&connection).into_iter().filter(|cell| only.is_none_or(|table| cell.table == table)).collect();
    let mut columns: BTreeMap<String, Vec<&Cell>> = BTreeMap::new();
    for cell in cells.iter().filter(|cell| cell.bits() > 0) {
        columns.entry(format!("{}.{}", cell.table, cell.column)).or_default().push(cell);
    }
    let mut store = store(dir);
    let mut dice = Dice(seed | 1);
    let (mut counts, mut unnoticed) = (BTreeMap::new(), Vec::new());
    let mut flip = |name: &str, cell: &Cell, bit: usize| {
        let changed = cell.flipped(bit);
        if !cell.set(&connection, &cell.value, &changed) {
            *counts.entry(format!("{name}, which the database does not take")).or_default() += 1;
            return;
        }
        if verify(&mut store, &against()).is_ok_and(|report| report.holds()) {
            unnoticed.push(format!("bit {bit} of {name} at {:?}", cell.key));
        }
        assert!(cell.set(&connection, &changed, &cell.value));
        *counts.entry(name.to_owned()).or_default() += 1;
    };
    let each = sample / columns.len() + 1;
    for (name, cells) in &columns {
        if everything() {
            for cell in cells.iter().copied() {
                (0..cell.bits()).for_each(|bit| flip(name, cell, bit));
            }
        } else {
            for _ in 0..each {
                let cell = cells[dice.roll(cells.len())];
                flip(name, cell, dice.roll(cell.bits()));
            }
        }
    }
    assert!(unnoticed.is_empty(), "{} unnoticed: {:#?}", unnoticed.len(), &unnoticed[..unnoticed.len().min(20)]);
    let report = verify(&mut store, &against()).unwrap();
    assert!(report.holds(), "all was put back: {:#?}", report.findings);
    counts
}

#[test]
fn a_flipped_bit_of_any_cell_is_found() {
    let dir = two_hundred();
    let counts = flip_cells(dir.path(), None, 700, 11);
    let total: usize = counts.values().sum();
    println!("{total} flips of cells: {counts:#?}");
    for column in ["meta.value", "head.frontier", "entries.leaf", "keys.key", "keys.subject", "requests.tag"] {
        assert!(counts.get(column).is_some_and(|count| *count > 20), "{counts:#?}");
    }
}

#[test]
fn a_flipped_bit_of_a_tile_is_found() {
    let mut written = Written::begin(8);
    written.some(260);
    let dir = written.close();
    let counts = flip_cells(dir.path(), Some("tiles"), 60, 12);
    println!("{counts:#?}");
    assert!(counts["tiles.hashes"] >= 20, "{counts:#?}");
}

#[test]
fn a_flipped_bit_of_the_file_is_found_or_changes_no_entry() {
    let dir = two_hundred();
    drop(store(dir.path()));
    let whole = fs::read(dir.path().join(FILE)).unwrap();
    let exported = folder();
    export_to(dir.path(), &exported.path().join("log"));
    let entries = |dir: &Path| fs::read(dir.join("log/entries.ndjson"));
    let before = entries(exported.path()).unwrap();
    let mut dice = Dice(77);
    let rounds = if everything() { 20_000 } else { 120 };
    let (mut found, mut same) = (0, 0);
    for _ in 0..rounds {
        let mut bytes = whole.clone();
        let at = dice.roll(bytes.len());
        let bit = dice.roll(8);
        bytes[at] ^= 1 << bit;
        let flipped = folder();
        fs::write(flipped.path().join(FILE), &bytes).unwrap();
        fs::copy(dir.path().join("signing.key"), flipped.path().join("signing.key")).unwrap();
        let report = Sqlite::open(flipped.path()).and_then(|mut store| verify(&mut store, &against()));
        if report.is_ok_and(|report| report.holds()) {
            export_to(flipped.path(), &flipped.path().join("log"));
            assert_eq!(entries(flipped.path()).unwrap(), before, "bit {bit} of byte {at}");
            same += 1;
        } else {
            found += 1;
        }
    }
    println!("{rounds} flips of {} bytes: {found} found, {same} of no entry", whole.len());
    assert!(found > 0);
}

/// An entry as whoever can write the database has it.
#[derive(Clone)]
struct Raw {
    columns: Vec<Value>,
    key: Option<Vec<Value>>,
    request: Option<Value>,
}

impl Raw {
    fn leaf(&self) -> &[u8] {
        match &self.columns[3] {
            Value::Blob(leaf) => leaf,
            _ => panic!("a leaf is bytes"),
        }
    }
}

fn raw(connection: &Connection) -> Vec<Raw> {
    let mut statement = connection
        .prepare(
            "SELECT id, at, of, leaf, body, subject, key, tag FROM entries e LEFT JOIN keys k ON k.idx = e.idx
             LEFT JOIN requests r ON r.idx = e.idx ORDER BY e.idx",
        )
        .unwrap();
    let rows = statement.query_map([], |row| {
        let columns = (0..5).map(|at| row.get(at)).collect::<Result<Vec<Value>, _>>()?;
        let key: Value = row.get(6)?;
        let key = if key == Value::Null { None } else { Some(vec![row.get(5)?, key]) };
        let request: Value = row.get(7)?;
        Ok(Raw { columns, key, request: Some(request).filter(|tag| *tag != Value::Null) })
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

/// Writes all entries anew, with indices without a gap, tiles and a head that fit, and takes the checkpoints of more
/// than so many entries away: all that can be done without the key.
fn rewrite(dir: &Path, entries: &[Raw], covered: usize) {
    let mut connection = change(dir);
    let writing = connection.transaction().unwrap();
    writing.execute_batch("DELETE FROM entries; DELETE FROM keys; DELETE FROM requests; DELETE FROM tiles").unwrap();
    let insert = |sql: &str, values: Vec<Value>| {
        writing.prepare_cached(sql).unwrap().execute(params_from_iter(values)).unwrap();
    };
    let number = |number: usize| Value::Integer(i64::try_from(number).unwrap());
    let mut frontier = Frontier::default();
    for (at, entry) in entries.iter().enumerate() {
        frontier.push(leaf_hash(entry.leaf()));
        insert("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", [&[number(at)], &entry.columns[..]].concat());
        if let Some(key) = &entry.key {
            insert("INSERT INTO keys VALUES (?, ?, ?)", [&[number(at)], &key[..]].concat());
        }
        if let Some(tag) = &entry.request {
            insert("INSERT INTO requests VALUES (?, ?)", vec![tag.clone(), number(at)]);
        }
    }
    writing.execute("DELETE FROM checkpoints WHERE size > ?", [number(covered)]).unwrap();
    let head = "UPDATE head SET size = ?, frontier = ?, signed = (SELECT coalesce(max(size), 0) FROM checkpoints)";
    writing.execute(head, params_from_iter([number(entries.len()), Value::Blob(frontier.bytes())])).unwrap();
    writing.commit().unwrap();
}

fn last_note(dir: &Path) -> Option<String> {
    concord::audit::store::Store::checkpoint(&mut store(dir)).unwrap()
}

#[test]
fn an_entry_deleted_swapped_repeated_or_cut_is_found_also_where_all_else_is_made_to_fit() {
    let dir = two_hundred();
    let kept = Against { older: last_note(dir.path()), ..against() };
    let entries = raw(&change(dir.path()));
    let step = if everything() { 1 } else { 17 };
    let (mut made, mut missed) = (0, BTreeMap::<&str, usize>::new());
    for at in (0..entries.len()).step_by(step) {
        let mut swapped = entries.clone();
        swapped.swap(at, (at + 1) % entries.len());
        let mut deleted = entries.clone();
        deleted.remove(at);
        // A second one of the same id is what the database does not take.
        let mut twin = entries[at].clone();
        let leaf = Leaf { id: uuid::Uuid::now_v7(), ..Leaf::read(twin.leaf()).unwrap() };
        (twin.columns[0], twin.columns[3]) =
            (Value::Blob(leaf.id.as_bytes().to_vec()), Value::Blob(leaf.bytes().unwrap()));
        (twin.key, twin.request) = (None, None);
        let mut repeated = entries.clone();
        repeated.insert(at + 1, twin);
        let mut cut = entries.clone();
        let leaf = cut[at].leaf();
        cut[at].columns[3] = Value::Blob(leaf[..leaf.len() - 1].to_vec());
        let ended = entries[..at].to_vec();
        let changes =
            [("swapped", swapped), ("deleted", deleted), ("repeated", repeated), ("cut", cut), ("ended", ended)];
        for (what, changed) in changes {
            // With the checkpoints as they are, and without those that the change breaks.
            for covered in [entries.len() + 1, at] {
                let copy = copied(dir.path());
                rewrite(copy.path(), &changed, covered);
                assert!(!seen(copy.path(), &kept).holds(), "entry {at} {what}, checkpoints up to {covered}");
                let held = seen(copy.path(), &against()).holds();
                assert!(!held || covered == at || changed.len() < entries.len(), "entry {at} {what}");
                *missed.entry(what).or_default() += usize::from(held);
                made += 1;
            }
        }
    }
    println!("{made} changes, all found; without the checkpoint that was kept these were missed: {missed:?}");
}

/// A log of which someone has a copy since an earlier checkpoint, with what they need to go on with it.
struct Fork {
    /// The log as it went on.
    honest: TempDir,
    /// As someone else wrote it, with a key of their own and an entry for it; with a key of their own alone; with the
    /// key of the log.
    own: TempDir,
    hidden: TempDir,
    stolen: TempDir,
    /// The key of the log, and its last checkpoint.
    key: TrustedKey,
    kept: String,
}

fn forks() -> Fork {
    let mut written = Written::begin(21);
    written.some(40);
    written.note();
    let early = [copied(written.path()), copied(written.path()), copied(written.path())];
    for copy in &early {
        // The file alone would be without what is in the write-ahead log.
        fs::copy(written.path().join("audit.db-wal"), copy.path().join("audit.db-wal")).unwrap();
    }
    written.some(30);
    let kept = written.note();
    let honest = written.close();
    let key = public_keys(honest.path()).remove(0);
    let [own, hidden, stolen] = early;
    for (at, dir) in [&own, &hidden, &stolen].into_iter().enumerate() {
        let opened = |dir: &Path| Log::open(Box::new(store(dir)), &access(dir)).unwrap();
        let mut log = match at {
            0 => {
                fs::remove_file(dir.path().join("signing.key")).unwrap();
                opened(dir.path())
            }
            1 => {
                fs::remove_file(dir.path().join("signing.key")).unwrap();
                Log::attach(Box::new(store(dir.path())), &access(dir.path())).unwrap()
            }
            _ => opened(dir.path()),
        };
        for _ in 0..60 {
            log.append_draft(Draft::clear(Leaf::new(Kind::Read)), Effect::None).unwrap();
        }
    }
    Fork { honest, own, hidden, stolen, key, kept }
}

#[test]
fn a_history_forked_from_an_earlier_checkpoint_is_found() {
    let fork = forks();
    let pinned = Against { keys: vec![fork.key.clone()], ..against() };
    let kept = Against { older: Some(fork.kept.clone()), ..pinned.clone() };
    assert!(seen(fork.honest.path(), &kept).holds());
    for dir in [&fork.own, &fork.hidden] {
        for against in [&against(), &pinned, &kept] {
            assert!(!seen(dir.path(), against).holds());
        }
    }
    // A stolen key signs what it likes. Only what someone else keeps stands against it.
    assert!(seen(fork.stolen.path(), &pinned).holds());
    assert!(!seen(fork.stolen.path(), &kept).holds());
}

/// A log of random shape.
fn random(seed: u64) -> (TempDir, Against) {
    let mut written = Written::begin(seed);
    let mut older = written.note();
    let steps = written.dice.roll(12);
    for _ in 0..steps {
        match written.dice.roll(12) {
            0 => written.archive(),
            1 | 2 => written.erase(),
            3 => written.prune(),
            4 => {
                let rotate = written.dice.roll(2) == 0;
                written.reopen(rotate);
            }
            5 => {
                written.some(270);
                written.prune();
            }
            6 => older = written.note(),
            _ => {
                let count = 1 + written.dice.roll(30);
                written.some(count);
            }
        }
    }
    let keys = public_keys(written.path());
    let dir = if written.dice.roll(4) == 0 { written.dir } else { written.close() };
    let pruned = concord::audit::store::Store::head(&mut store(dir.path())).unwrap().first > 0;
    let pinned = match seed % 3 {
        0 => Vec::new(),
        // Without the entries of the keys before it, the last one does not speak for them.
        1 if !pruned => vec![keys[keys.len() - 1].clone()],
        _ => keys,
    };
    let against = Against { keys: pinned, older: Some(older), ..against() };
    (dir, against)
}

#[test]
fn no_alarm_on_a_log_that_no_one_changed() {
    let rounds = if everything() { 1_000 } else { 50 };
    let (mut entries, mut erased, mut pruned, mut keys) = (0, 0, 0, 0);
    for seed in 1..=rounds {
        let (dir, against) = random(seed);
        for against in [&against, &Against::default()] {
            let report = seen(dir.path(), against);
            assert!(report.holds(), "seed {seed}: {:#?}", report.findings);
        }
        let report = seen(dir.path(), &against);
        entries += report.entries;
        erased += report.erased;
        pruned += report.first;
        keys += public_keys(dir.path()).len();
    }
    println!("{rounds} logs hold: {entries} entries, {erased} erased, {pruned} pruned, {keys} keys");
    assert!(erased > 0 && pruned > 0 && keys > usize::try_from(rounds).unwrap());
}

/// Runs a script of the folder of tests with the Python that has the packages it needs.
fn python(script: &str, arguments: &[&str]) -> String {
    let own = PathBuf::from("target/tools/venv/bin/python");
    let python = std::env::var_os("CONCORD_PYTHON").map_or(own, PathBuf::from);
    let output = Command::new(&python).arg(format!("tests/{script}")).args(arguments).output().expect("no Python");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{script}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
#[ignore = "needs the Python packages that scripts/test installs, and is run by it"]
fn the_independent_verifier_refuses_every_change_of_an_export() {
    let dir = two_hundred();
    let exports = folder();
    let log = exports.path().join("log");
    export_to(dir.path(), &log);
    let key = public_keys(dir.path()).last().unwrap().to_string();
    let sample = if everything() { "all" } else { "1500" };
    print!("{}", python("tamper.py", &["changes", log.to_str().unwrap(), "--key", &key, "--flips", sample]));
}

#[test]
#[ignore = "needs the Python packages that scripts/test installs, and is run by it"]
fn the_independent_verifier_refuses_a_fork() {
    let fork = forks();
    let out = folder();
    let kept = out.path().join("kept");
    fs::write(&kept, &fork.kept).unwrap();
    let (kept, key) = (kept.to_str().unwrap(), fork.key.to_string());
    for (name, dir) in
        [("own", &fork.own), ("hidden", &fork.hidden), ("stolen", &fork.stolen), ("honest", &fork.honest)]
    {
        let log = out.path().join(name);
        if name == "hidden" {
            // It has no list in which its key stands, so that this program exports it no more.
            continue;
        }
        export_to(dir.path(), &log);
        let log = log.to_str().unwrap();
        let refused = |arguments: &[&str]| {
            let python = std::env::var_os("CONCORD_PYTHON").unwrap_or("target/tools/venv/bin/python".into());
            let output = Command::new(python).arg("tests/verify_log.py").args(["log", log]).args(arguments).output();
            let code = output.unwrap().status.code().unwrap();
            assert!(code < 2, "{name}: exit {code}");
            code == 1
        };
        assert_eq!(refused(&["--key", &key]), name == "own", "{name}");
        assert_eq!(refused(&["--key", &key, "--checkpoint", kept]), name != "honest", "{name}");
    }
}

#[test]
#[ignore = "needs the Python packages that scripts/test installs, and is run by it"]
fn the_independent_verifier_is_not_alarmed_by_a_log_that_no_one_changed() {
    let rounds = if everything() { 1_000 } else { 30 };
    let exports = folder();
    for seed in 1..=rounds {
        let (dir, against) = random(seed);
        let log = exports.path().join(seed.to_string());
        export_to(dir.path(), &log);
        fs::write(log.join("older"), against.older.unwrap()).unwrap();
        let keys: String = public_keys(dir.path()).iter().map(|key| format!("{key}\n")).collect();
        fs::write(log.join("trusted"), keys).unwrap();
    }
    print!("{}", python("tamper.py", &["clean", exports.path().to_str().unwrap()]));
}
