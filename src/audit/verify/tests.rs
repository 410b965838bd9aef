use std::path::Path;

use tempfile::TempDir;

use super::super::content::Content;
use super::super::entry::{Draft, Entry, Subject};
use super::super::keys::Signer;
use super::super::log::{Access, Append, Effect, Log};
use super::super::seal::LocalKey;
use super::super::sqlite::{FILE, Sqlite};
use super::*;

fn access(dir: &Path) -> Access {
    let origin = Some("concord/test".to_owned());
    Access { master: Arc::new(LocalKey::new(&[1; 32])), signing_key: dir.join("signing.key"), origin }
}

fn open(dir: &Path) -> Log {
    Log::open(Box::new(Sqlite::open(dir).unwrap()), &access(dir)).unwrap()
}

fn decision(patient: &str) -> Draft {
    let parts = ["request", "answer", "rules", "terms"];
    let content = parts.iter().fold(Content::new(), |content, part| content.with(part, part.as_bytes().to_vec()));
    let leaf = Leaf { caller: Some("anonymous@127.0.0.1".to_owned()), ..Leaf::new(Kind::Decision) };
    let (id, subject) = (leaf.id.to_string(), Subject::Patient(patient.to_owned()));
    Draft { subject, once: Some(id), ..Draft::sealed(leaf, content) }
}

fn decide(log: &mut Log, patient: &str) -> u64 {
    log.append_draft(decision(patient), Effect::None).unwrap().index
}

fn decide_many(log: &mut Log, count: usize) {
    let appends: Vec<Append> = (0..count).map(|_| log.vault().seal(decision("many")).unwrap().into()).collect();
    log.append(&appends, true).unwrap();
}

/// As a service does, whose checkpoints take the place of the ones before.
fn decide_in_passing(log: &mut Log) {
    let append = log.vault().seal(decision("p")).unwrap().into();
    log.append(&[append], false).unwrap();
}

fn erase(log: &mut Log, indices: &[u64]) {
    let entries = indices.iter().map(|index| [*index, *index]).collect();
    let leaf = Leaf { entries, count: Some(indices.len() as u64), ..Leaf::new(Kind::Erasure) };
    log.append_draft(Draft::clear(leaf), Effect::Erase(indices.to_vec())).unwrap();
}

fn prune(log: &mut Log, first: u64) {
    let leaf = Leaf { first: Some(first), ..Leaf::new(Kind::Retention) };
    log.append_draft(Draft::clear(leaf), Effect::Prune(first)).unwrap();
}

fn against() -> Against {
    Against { master: Some(Arc::new(LocalKey::new(&[1; 32]))), ..Against::default() }
}

fn seen(dir: &Path, against: &Against) -> Report {
    verify(&mut Sqlite::open(dir).unwrap(), against).unwrap()
}

#[track_caller]
fn holds(dir: &Path, against: &Against) -> Report {
    let report = seen(dir, against);
    assert!(report.holds(), "{:#?}", report.findings);
    report
}

#[track_caller]
fn finds(dir: &Path, against: &Against, told: &str) {
    let findings: Vec<String> = seen(dir, against).findings.iter().map(ToString::to_string).collect();
    assert!(findings.iter().any(|finding| finding.contains(told)), "`{told}` is not among {findings:#?}");
}

fn change(dir: &Path, sql: &str) {
    rusqlite::Connection::open(dir.join(FILE)).unwrap().execute_batch(sql).unwrap();
}

fn keys(log: &mut Log) -> Vec<TrustedKey> {
    super::super::log::keys(log.store()).unwrap()
}

/// A log of 600 entries: 256 of them pruned, some erased.
fn grown() -> (TempDir, Log) {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path());
    decide_many(&mut log, 590);
    for patient in ["p-1", "p-1", "p-2"] {
        decide(&mut log, patient);
    }
    erase(&mut log, &[20, 22, 300, 592]);
    prune(&mut log, 256);
    decide(&mut log, "p-3");
    (dir, log)
}

#[test]
fn a_log_that_grew_was_erased_from_and_pruned_holds() {
    let (dir, log) = grown();
    let report = holds(dir.path(), &against());
    assert_eq!((report.entries, report.first, report.signed), (log.size(), 256, log.size()));
    assert_eq!((report.erased, report.opened), (2, 598 - 256 - 2 - 2));
    assert_eq!(report.checkpoints, 8);
    let closed = holds(dir.path(), &Against::default());
    assert_eq!((closed.opened, closed.root), (0, report.root));
}

#[test]
fn every_change_is_told_with_its_place() {
    let (whole, log) = grown();
    drop(log);
    for (sql, told) in [
        ("UPDATE entries SET leaf = CAST(replace(leaf, '127', '128') AS BLOB) WHERE idx = 301", "head is not that"),
        ("UPDATE entries SET leaf = CAST(replace(leaf, '127', '128') AS BLOB) WHERE idx = 301", "tile 0/1 is not"),
        ("UPDATE entries SET leaf = CAST(replace(leaf, '127', '128') AS BLOB) WHERE idx = 301", "592 entries are not"),
        ("UPDATE entries SET at = at + 1 WHERE idx = 302", "entry 302: its columns"),
        ("UPDATE entries SET at = 'x' WHERE idx = 302", "entry 302: "),
        ("UPDATE entries SET body = zeroblob(9) WHERE idx = 303", "entry 303: its body is not"),
        ("DELETE FROM entries WHERE idx = 304", "entry 304: it is gone"),
        ("DELETE FROM entries WHERE idx BETWEEN 304 AND 308", "entry 304: it is gone, and all before entry 309"),
        ("DELETE FROM keys WHERE idx = 305", "entry 305: the key is gone"),
        ("DELETE FROM keys WHERE idx IN (305, 306)", "so it is up to entry 306"),
        (
            "UPDATE keys SET key = (SELECT key FROM keys WHERE idx = 307) WHERE idx = 306",
            "entry 306: the key or the body",
        ),
        ("UPDATE keys SET subject = zeroblob(16) WHERE idx = 307", "entry 307: the tag of its patient"),
        ("UPDATE keys SET subject = NULL WHERE idx = 307", "entry 307: the tag of its patient"),
        ("UPDATE requests SET tag = zeroblob(16) WHERE idx = 308", "entry 308: the tag of its request"),
        ("UPDATE requests SET idx = 300 WHERE idx = 309", "entry 309: the tag of its request"),
        ("UPDATE requests SET idx = 300 WHERE idx = 309", "entry 300: it has the tag of a request"),
        ("INSERT INTO keys SELECT 300, subject, key FROM keys WHERE idx = 301", "entry 300: an erasure names"),
        ("INSERT INTO keys SELECT 9999, subject, key FROM keys WHERE idx = 301", "1 keys of no entry"),
        ("INSERT INTO requests VALUES (zeroblob(16), 9999)", "1 tags of requests of no entry"),
        (
            "INSERT INTO entries SELECT 9999, zeroblob(16), at, of, leaf, body FROM entries WHERE idx = 301",
            "has 343 entries",
        ),
        ("UPDATE tiles SET hashes = zeroblob(8192) WHERE n = 0", "head is not that"),
        ("UPDATE tiles SET hashes = zeroblob(8191) WHERE n = 0", "tile 0/0, of entries"),
        (
            "UPDATE checkpoints SET size = -size WHERE size = (SELECT min(size) FROM checkpoints)",
            "1 checkpoints of no entries",
        ),
        ("DELETE FROM tiles WHERE n = 1", "tile 0/1 is gone"),
        ("INSERT INTO tiles VALUES (1, 0, zeroblob(8192))", "3 full tiles"),
        ("UPDATE head SET first = 512", "full tiles|before 512"),
        ("UPDATE head SET first = 100", "no number of full tiles"),
        ("UPDATE head SET signed = signed - 1", "last checkpoint"),
        ("UPDATE head SET frontier = zeroblob(length(frontier))", "head is not that"),
        ("DELETE FROM checkpoints WHERE size = (SELECT max(size) FROM checkpoints)", "last checkpoint"),
        ("DELETE FROM checkpoints", "no checkpoint that holds"),
        (
            "DELETE FROM checkpoints WHERE size > 594; UPDATE head SET signed = 594",
            "entry 594: what comes after the first 594 entries is signed by no one",
        ),
        ("UPDATE checkpoints SET size = 100 WHERE size = 593", "the checkpoint of 100 entries is one of others"),
        ("UPDATE checkpoints SET note = replace(note, '593', '594')", "signature of `concord/test` is wrong"),
        ("UPDATE checkpoints SET note = note || substr(note, instr(note, char(8212)))", "no key of the log"),
        ("UPDATE meta SET value = x'' WHERE key = 'index_key'", "the index key"),
        ("DELETE FROM meta WHERE key = 'index_key'", "the index key"),
        ("UPDATE meta SET value = x'ff' WHERE key = 'keys'", "not text"),
        ("DELETE FROM meta WHERE key = 'keys'", "trusted"),
        ("UPDATE meta SET value = CAST('concord/tess' AS BLOB) WHERE key = 'origin'", "no key of this log"),
        ("INSERT INTO archive VALUES ('dictionary', zeroblob(32), x'00')", "is not what was archived"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::copy(whole.path().join(FILE), dir.path().join(FILE)).unwrap();
        change(dir.path(), sql);
        let findings = seen(dir.path(), &against()).findings;
        let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(findings.iter().any(|one| told.split('|').any(|told| one.contains(told))), "{sql}: {findings:#?}");
    }
}

#[test]
fn an_index_that_hides_a_row_from_erasure_is_found() {
    let (dir, log) = grown();
    drop(log);
    change(
        dir.path(),
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = 'CREATE INDEX keys_subject ON keys (subject) WHERE idx = 0'
             WHERE name = 'keys_subject';
         PRAGMA writable_schema = RESET; REINDEX keys_subject; PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = 'CREATE INDEX keys_subject ON keys (subject) WHERE subject IS NOT NULL'
             WHERE name = 'keys_subject';",
    );
    finds(dir.path(), &against(), "missing from index keys_subject");
}

#[test]
fn a_hundred_findings_are_told_and_the_rest_counted() {
    let (dir, log) = grown();
    drop(log);
    change(dir.path(), "UPDATE entries SET at = at + 1 WHERE idx BETWEEN 310 AND 509");
    let report = seen(dir.path(), &against());
    assert_eq!((report.findings.len(), report.more), (TOLD, 100));
}

#[test]
fn what_is_archived_is_what_entries_say() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path());
    let (digest, content) = ([7; 32], b"files".as_slice());
    let package = super::super::log::ArchiveItem { kind: Archived::Package, digest, content: content.into() };
    let leaf = Leaf { ruleset: Some(hex(&digest)), content: Some(hex(&sha256(content))), ..Leaf::new(Kind::Ruleset) };
    let archive = Arc::new([package]);
    let append = Append { archive, ..Entry::clear(&leaf).unwrap().into() };
    log.append(&[append], true).unwrap();
    drop(log);
    holds(dir.path(), &against());
    change(dir.path(), "UPDATE archive SET content = x'00'");
    finds(dir.path(), &against(), "is not what was archived");
    change(dir.path(), "UPDATE archive SET digest = zeroblob(32)");
    finds(dir.path(), &against(), "is not what was archived");
    finds(dir.path(), &against(), "0707 is gone");
}

#[test]
fn a_checkpoint_that_was_kept_is_held_against_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path());
    decide_many(&mut log, 10);
    let note = log.store().checkpoint().unwrap().unwrap();
    let kept = Against { older: Some(note.clone()), keys: keys(&mut log), ..against() };
    decide_many(&mut log, 20);
    drop(log);
    holds(dir.path(), &kept);
    // Another log, signed by the same key.
    let other = tempfile::tempdir().unwrap();
    std::fs::copy(dir.path().join("signing.key"), other.path().join("signing.key")).unwrap();
    decide_many(&mut open(other.path()), 40);
    holds(other.path(), &Against { keys: kept.keys.clone(), ..against() });
    finds(other.path(), &kept, "not those of the checkpoint that was kept");
    let short = tempfile::tempdir().unwrap();
    std::fs::copy(dir.path().join("signing.key"), short.path().join("signing.key")).unwrap();
    open(short.path());
    finds(short.path(), &kept, "is of 12 entries, and the log has 2");
    let altered = Against { older: Some(note.replace("12", "13")), ..kept };
    finds(dir.path(), &altered, "the checkpoint that was kept: ");
}

#[test]
fn a_key_is_trusted_where_the_one_before_it_signed_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path());
    decide_many(&mut log, 5);
    let before = tempfile::tempdir().unwrap();
    drop(log);
    for name in [FILE, "signing.key"] {
        std::fs::copy(dir.path().join(name), before.path().join(name)).unwrap();
    }
    Signer::rotate(&dir.path().join("signing.key"), "concord/test").unwrap();
    let mut log = open(dir.path());
    decide_many(&mut log, 5);
    let keys = keys(&mut log);
    for pinned in [&keys[..], &keys[..1], &keys[1..], &[]] {
        holds(dir.path(), &Against { keys: pinned.to_vec(), ..against() });
    }
    // Who can write the store and has no key of the log: one of their own, with an entry for it.
    std::fs::remove_file(before.path().join("signing.key")).unwrap();
    let mut forked = open(before.path());
    decide_many(&mut forked, 5);
    finds(before.path(), &against(), "none is signed by a key that is trusted");
    let pinned = Against { keys: keys[..1].to_vec(), ..against() };
    finds(before.path(), &pinned, "from the checkpoint of 9 entries on");
}

/// A store in which something happens each time that entries are read.
struct Busy<F>(Sqlite, F);

macro_rules! passed_on {
    ($($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        $(fn $name(&mut self, $($argument: $type),*) -> Result<$answer, StoreError> { self.0.$name($($argument),*) })*
    };
}

impl<F: FnMut(u64) + Send> Store for Busy<F> {
    fn rows(&mut self, from: u64, to: u64, most: u64) -> Result<Vec<super::super::store::Row>, StoreError> {
        let rows = self.0.rows(from, to, most.min(64));
        self.1(from);
        rows
    }

    passed_on! {
        begin() -> Box<dyn super::super::store::Batch + '_>;
        head() -> Head;
        find(id: &uuid::Uuid) -> Option<u64>;
        since(at: i64) -> Option<u64>;
        about(of: &uuid::Uuid) -> Vec<u64>;
        of_subject(tag: &[u8; 16]) -> Vec<u64>;
        requests(from: u64, to: u64) -> Vec<(u64, [u8; 16])>;
        tally() -> super::super::store::Tally;
        faults() -> Vec<String>;
        tile(level: u32, n: u64) -> Option<Vec<u8>>;
        checkpoints(from: u64, most: u64) -> Vec<(u64, String)>;
        checkpoint() -> Option<String>;
        archived(kind: Archived, digest: &[u8; 32]) -> Option<Vec<u8>>;
        archive() -> Vec<(Archived, [u8; 32])>;
        meta(key: &str) -> Option<Vec<u8>>;
        settle() -> ();
    }
}

#[test]
fn a_log_that_is_appended_to_erased_from_and_pruned_meanwhile_holds() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path());
    decide_many(&mut log, 900);
    // After each read of rows: what was just read, what comes next and what is far ahead is erased or pruned.
    let busy = |from: u64| {
        if from >= 900 {
            return;
        }
        let at = [from.saturating_sub(3), from + 5, from + 70, from + 200];
        let at: Vec<u64> = at.into_iter().filter(|at| (2..900).contains(at)).collect();
        let rows = log.store().rows(at[0], 900, 900).unwrap();
        let at: Vec<u64> =
            rows.iter().filter(|row| at.contains(&row.index) && row.key.is_some()).map(|row| row.index).collect();
        erase(&mut log, &at);
        decide(&mut log, "p");
        match from {
            100..=180 => prune(&mut log, 256),
            400..=500 => prune(&mut log, 768),
            _ => {}
        }
    };
    let report = verify(&mut Busy(Sqlite::open(dir.path()).unwrap(), busy), &against()).unwrap();
    assert!(report.holds(), "{:#?}", report.findings);
    assert!(report.entries == 902 && report.first == 768 && report.erased > 2, "{report:?}");
    holds(dir.path(), &against());
}

#[test]
fn a_log_whose_last_checkpoint_gives_its_place_to_others_meanwhile_holds() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path());
    decide_many(&mut log, 300);
    decide_in_passing(&mut log);
    let mut reads = 0;
    let busy = |_| {
        reads += 1;
        decide_in_passing(&mut log);
    };
    let report = verify(&mut Busy(Sqlite::open(dir.path()).unwrap(), busy), &against()).unwrap();
    assert!(report.holds(), "{:#?}", report.findings);
    assert!(report.entries == 303 && report.signed == 303 && reads > 3, "{report:?}");
    assert_eq!(holds(dir.path(), &against()).signed, log.size());
}
