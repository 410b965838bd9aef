use std::path::Path;

use super::sqlite::Sqlite;
use super::*;

use super::shared::{Place, access, append, draft, erase};

struct File(tempfile::TempDir);

impl File {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Place for File {
    fn dir(&self) -> &Path {
        self.0.path()
    }

    fn store(&self) -> Box<dyn Store> {
        Box::new(Sqlite::open(self.dir()).unwrap())
    }

    fn change(&self, sql: &str) {
        rusqlite::Connection::open(self.dir().join(sqlite::FILE)).unwrap().execute_batch(sql).unwrap();
    }
}

macro_rules! a_file_does {
    ($($name:ident)*) => { $(#[test] fn $name() { shared::$name(&File::new()); })* };
}

a_file_does! {
    a_log_begins_goes_on_and_says_so
    roots_tiles_and_checkpoints_agree_over_many_sizes
    every_commit_is_signed_and_a_checkpoint_stays_once_it_is_kept
    a_request_makes_one_entry_within_a_batch_and_after_it
    two_processes_make_one_sequence
    what_is_erased_can_not_be_opened
    what_is_archived_is_found_again
    entries_are_found_by_what_they_say
    a_pruned_log_goes_on_and_its_proofs_hold
    a_new_key_takes_over_with_both_signatures
}

#[test]
fn a_key_that_is_destroyed_is_in_no_file() {
    let file = File::new();
    let mut log = shared::open(&file);
    let erased = append(&mut log, draft("p-1", Some("r-1")));
    let key = log.store().rows(erased, erased + 1, 1).unwrap().pop().unwrap().key.unwrap();
    let on_disk = |key: &[u8]| {
        let files = std::fs::read_dir(file.dir()).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
        files.into_iter().any(|bytes| bytes.windows(key.len()).any(|window| window == key))
    };
    assert!(on_disk(&key));
    erase(&mut log, erased);
    assert!(!on_disk(&key));
}

#[test]
fn a_log_that_was_changed_is_not_opened() {
    for (sql, told) in [
        ("UPDATE entries SET leaf = CAST(replace(leaf, '1', '2') AS BLOB) WHERE idx = 301", "head"),
        ("DELETE FROM entries WHERE idx = 302", "not all there"),
        ("UPDATE head SET size = 302", "does not fit"),
        ("UPDATE checkpoints SET note = replace(note, '3', '4')", "checkpoint"),
        ("DELETE FROM checkpoints", "checkpoint is gone"),
        ("UPDATE tiles SET hashes = zeroblob(8192)", "head"),
        ("UPDATE entries SET at = 0 WHERE idx = 302", "columns"),
        ("DELETE FROM meta WHERE key = 'index_key'", "index key"),
    ] {
        let error = shared::told_of(&File::new(), sql);
        assert!(error.contains(told), "{sql}: {error}");
    }
}

#[tokio::test]
async fn entries_of_many_callers_become_durable_together_and_the_last_checkpoint_covers_all() {
    let file = File::new();
    let options = Options { access: access(file.dir()), queue: 64, queue_wait: Duration::from_secs(5), patient: false };
    let path = file.dir().to_owned();
    let opener = move || -> Result<Box<dyn Store>, StoreError> { Ok(Box::new(Sqlite::open(&path)?)) };
    let audit = Audit::start(&options, opener, Handle::current()).unwrap();
    let calls: Vec<_> = (0..500)
        .map(|at| {
            let audit = audit.clone();
            tokio::spawn(async move { audit.append(draft(&format!("p-{at}"), None), Arc::new([]), Effect::None).await })
        })
        .collect();
    let mut indices = Vec::new();
    for call in calls {
        indices.push(call.await.unwrap().unwrap().index);
    }
    indices.sort_unstable();
    assert_eq!(indices, (2..502).collect::<Vec<_>>());
    let is_open = audit.read(|records| Ok(records.at(400)?.unwrap().content.is_some())).await.unwrap();
    assert!(is_open);
    audit.close().await;
    let size = audit.read(|records| Ok(records.checkpoint()?.1.size)).await.unwrap();
    assert_eq!(size, 503);
    let late = audit.append(draft("p", None), Arc::new([]), Effect::None).await;
    assert_eq!(late.unwrap_err(), NotRecorded::Store);
}

#[test]
fn an_older_copy_of_the_file_is_not_gone_on_with_unasked() {
    let (file, copy) = (File::new(), tempfile::tempdir().unwrap());
    let copied = |from: &Path, to: &Path| {
        for entry in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
            if entry.file_name().to_string_lossy().starts_with(sqlite::FILE) {
                std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
        }
    };
    drop(shared::open(&file));
    copied(file.dir(), copy.path());
    let mut log = shared::open(&file);
    append(&mut log, draft("p", None));
    drop(log);
    let newer = std::fs::read(file.dir().join(sqlite::FILE)).unwrap();
    copied(copy.path(), file.dir());
    // What is left is whole: nothing but the kept head says that it is not all.
    let error = Log::open(file.store(), &access(file.dir())).map(drop).unwrap_err().to_string();
    assert!(error.contains("signing.head"), "{error}");
    std::fs::write(file.dir().join(sqlite::FILE), newer).unwrap();
    drop(shared::open(&file));
    copied(copy.path(), file.dir());
    std::fs::remove_file(file.dir().join("signing.head")).unwrap();
    drop(shared::open(&file));
}
