use super::content::Content;
use super::entry::{Kind, Leaf, Subject};
use super::keys::Signer;
use super::log::check_row;
use super::seal::LocalKey;
use super::sqlite::Sqlite;
use super::store::Stored;
use super::*;

fn access(dir: &std::path::Path) -> Access {
    Access { master: Arc::new(LocalKey::new(&[1; 32])), signing_key: dir.join("signing.key"), origin: None }
}

fn store(dir: &std::path::Path) -> Box<dyn Store> {
    Box::new(Sqlite::open(dir).unwrap())
}

fn log(dir: &std::path::Path) -> Log {
    Log::open(store(dir), &access(dir)).unwrap()
}

fn draft(patient: &str, request: Option<&str>) -> Draft {
    let content = Content::new().with("request", patient.as_bytes().to_vec());
    let leaf = Leaf { caller: Some("anonymous@127.0.0.1".to_owned()), ..Leaf::new(Kind::Decision) };
    Draft {
        subject: Subject::Patient(patient.to_owned()),
        once: request.map(ToOwned::to_owned),
        ..Draft::sealed(leaf, content)
    }
}

fn append(log: &mut Log, draft: Draft) -> u64 {
    log.append_draft(draft, Effect::None).unwrap().index
}

#[test]
fn a_log_begins_goes_on_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = log(dir.path());
    // `created` and the key come before anything else.
    assert_eq!(append(&mut first, draft("p", None)), 2);
    let origin = first.origin().to_owned();
    drop(first);
    let mut second = log(dir.path());
    assert_eq!((second.origin(), second.size()), (origin.as_str(), 4));
    let rows = second.store().rows(0, 10, 10).unwrap();
    let told: Vec<_> = rows.iter().map(|row| check_row(row).unwrap()).map(|leaf| (leaf.kind, leaf.event)).collect();
    let event = |event: &str| Some(event.to_owned());
    assert_eq!(
        told,
        [
            (Kind::Log, event("created")),
            (Kind::Key, event("created")),
            (Kind::Decision, None),
            (Kind::Log, event("opened"))
        ]
    );
}

#[test]
fn roots_tiles_and_checkpoints_agree_over_many_sizes() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = log(dir.path());
    let mut hashes: Vec<Hash> =
        log.store().rows(0, 9, 9).unwrap().iter().map(|row| tree::leaf_hash(&row.leaf)).collect();
    for count in [1_usize, 1, 250, 1, 1, 1, 255, 256, 257, 700] {
        let entries: Vec<Append> =
            (0..count).map(|_| entry::Entry::clear(&Leaf::new(Kind::Read)).unwrap().into()).collect();
        hashes.extend(entries.iter().map(|append| append.entry.hash));
        log.append(&entries, true).unwrap();
        let size = hashes.len() as u64;
        let root = tree::root(&mut Stored(log.store()), size).unwrap();
        let mut frontier = tree::Frontier::default();
        hashes.iter().for_each(|hash| frontier.push(*hash));
        assert_eq!(root, frontier.root());
        let (_, checkpoint) = Records::new(store(dir.path()), log.vault().clone()).checkpoint().unwrap();
        assert_eq!((checkpoint.size, checkpoint.root), (size, root));
    }
    // Reading it all again finds nothing wrong.
    drop(log);
    super::tests::log(dir.path());
}

#[test]
fn a_request_makes_one_entry_within_a_batch_and_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = log(dir.path());
    let seal = |log: &Log, id| log.vault().seal(draft("p", Some(id))).unwrap().into();
    let batch: Vec<Append> = vec![seal(&log, "r-1"), seal(&log, "r-2"), seal(&log, "r-1")];
    let appended = log.append(&batch, false).unwrap();
    assert_eq!(
        appended.iter().map(|one| (one.index, one.before)).collect::<Vec<_>>(),
        [(2, false), (3, false), (2, true)]
    );
    let again = log.append_draft(draft("p", Some("r-2")), Effect::None).unwrap();
    assert_eq!((again.index, again.before), (3, true));
    assert_eq!(log.size(), 4);
}

#[test]
fn two_processes_make_one_sequence() {
    let dir = tempfile::tempdir().unwrap();
    let (mut one, mut two) = (log(dir.path()), log(dir.path()));
    let mut seen = Vec::new();
    for turn in 0..600 {
        let log = if turn % 3 == 0 { &mut two } else { &mut one };
        seen.push(append(log, draft("p", None)));
    }
    assert!(seen.windows(2).all(|pair| pair[0] + 1 == pair[1]));
    drop((one, two));
    log(dir.path());
}

#[test]
fn what_is_erased_can_not_be_opened_and_is_in_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = log(dir.path());
    let erased = append(&mut log, draft("p-1", Some("r-1")));
    let kept = append(&mut log, draft("p-2", None));
    let key = log.store().rows(erased, erased + 1, 1).unwrap().pop().unwrap().key.unwrap();
    let on_disk = |key: &[u8]| {
        let files = std::fs::read_dir(dir.path()).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
        files.into_iter().any(|bytes| bytes.windows(key.len()).any(|window| window == key))
    };
    assert!(on_disk(&key));
    let tag = log.vault().subject_tag("p-1");
    assert_eq!(log.store().of_subject(&tag).unwrap(), [erased]);
    let leaf = Leaf { entries: vec![[erased, erased]], count: Some(1), ..Leaf::new(Kind::Erasure) };
    log.append_draft(Draft::clear(leaf), Effect::Erase(vec![erased])).unwrap();
    assert!(!on_disk(&key));
    let mut records = Records::new(store(dir.path()), log.vault().clone());
    let record = records.at(erased).unwrap().unwrap();
    assert!(record.is_erased() && record.content.is_none());
    assert!(records.at(kept).unwrap().unwrap().content.is_some());
    assert!(log.store().of_subject(&tag).unwrap().is_empty());
    drop(log);
    super::tests::log(dir.path());
}

#[test]
fn a_pruned_log_goes_on_and_its_proofs_hold() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = log(dir.path());
    for _ in 0..600 {
        append(&mut log, draft("p", None));
    }
    let leaf = Leaf { first: Some(512), ..Leaf::new(Kind::Retention) };
    log.append_draft(Draft::clear(leaf), Effect::Prune(512)).unwrap();
    assert_eq!(log.store().head().unwrap().first, 512);
    let mut records = Records::new(store(dir.path()), log.vault().clone());
    assert!(records.at(511).unwrap().is_none());
    let (_, checkpoint) = records.checkpoint().unwrap();
    let leaf = records.at(555).unwrap().unwrap().row.leaf;
    let proof = records.inclusion(555, checkpoint.size).unwrap();
    let root = tree::root_from_inclusion(tree::leaf_hash(&leaf), 555, checkpoint.size, &proof);
    assert_eq!(root, Some(checkpoint.root));
    append(&mut log, draft("p", None));
    drop(log);
    super::tests::log(dir.path());
}

#[test]
fn a_new_key_takes_over_with_both_signatures() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = log(dir.path());
    let old = first.store().checkpoint().unwrap().unwrap();
    let origin = first.origin().to_owned();
    drop(first);
    Signer::rotate(&dir.path().join("signing.key"), &origin).unwrap();
    let mut log = log(dir.path());
    let keys = log::keys(log.store()).unwrap();
    assert_eq!(keys.len(), 2);
    let notes = log.store().checkpoints(0, 100).unwrap();
    let signatures = |note: &str| note.matches('\u{2014}').count();
    assert_eq!(notes.iter().filter(|(.., note)| signatures(note) == 2).count(), 2);
    append(&mut log, draft("p", None));
    let last = log.store().checkpoint().unwrap().unwrap();
    assert!(checkpoint::Checkpoint::open(&last, &keys[1..]).is_ok());
    assert!(checkpoint::Checkpoint::open(&old, &keys[..1]).is_ok());
}

#[test]
fn a_log_that_was_changed_is_not_opened() {
    let change = |sql: &str| {
        let dir = tempfile::tempdir().unwrap();
        let mut log = log(dir.path());
        for _ in 0..300 {
            append(&mut log, draft("p", None));
        }
        log.append(&[entry::Entry::clear(&Leaf::new(Kind::Read)).unwrap().into()], false).unwrap();
        drop(log);
        rusqlite::Connection::open(dir.path().join(sqlite::FILE)).unwrap().execute_batch(sql).unwrap();
        Log::open(store(dir.path()), &access(dir.path())).map(drop).unwrap_err().to_string()
    };
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
        let error = change(sql);
        assert!(error.contains(told), "{sql}: {error}");
    }
}

#[tokio::test]
async fn entries_of_many_callers_become_durable_together_and_the_last_checkpoint_covers_all() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { access: access(dir.path()), queue: 64, queue_wait: Duration::from_secs(5), patient: false };
    let path = dir.path().to_owned();
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
    let opened = audit.read(|records| Ok(records.at(400)?.unwrap().content.is_some())).await.unwrap();
    assert!(opened);
    audit.close().await;
    let size = audit.read(|records| Ok(records.checkpoint()?.1.size)).await.unwrap();
    assert_eq!(size, 503);
    let late = audit.append(draft("p", None), Arc::new([]), Effect::None).await;
    assert_eq!(late.unwrap_err(), NotRecorded::Store);
}
