//! What every store has to do. `tests.rs` asks it of the file, and
//! `tests/it/audit_postgres.rs` of a PostgreSQL server: each brings `audit` into
//! scope.

use std::path::Path;
use std::sync::Arc;

use super::audit::checkpoint::Checkpoint;
use super::audit::content::{Content, Dictionary};
use super::audit::entry::{Draft, Entry, Kind, Leaf, Subject};
use super::audit::keys::Signer;
use super::audit::log::{self, Access, Append, ArchiveItem, Effect, Log, check_row};
use super::audit::records::Records;
use super::audit::seal::LocalKey;
use super::audit::store::{Archived, Store, Stored};
use super::audit::tree::{self, Hash};

/// An empty store, and a directory for keys.
pub trait Place {
    fn dir(&self) -> &Path;
    fn store(&self) -> Box<dyn Store>;
    /// Changes what is stored behind the back of the log.
    fn change(&self, sql: &str);
}

pub fn access(dir: &Path) -> Access {
    Access { master: Arc::new(LocalKey::new(&[1; 32])), signing_key: dir.join("signing.key"), origin: None }
}

pub fn open(place: &dyn Place) -> Log {
    Log::open(place.store(), &access(place.dir())).unwrap()
}

pub fn draft(patient: &str, request: Option<&str>) -> Draft {
    let content = Content::new().with("request", patient.as_bytes().to_vec());
    let leaf = Leaf { caller: Some("anonymous@127.0.0.1".to_owned()), ..Leaf::new(Kind::Decision) };
    Draft {
        subject: Subject::Patient(patient.to_owned()),
        once: request.map(ToOwned::to_owned),
        ..Draft::sealed(leaf, content)
    }
}

pub fn erase(log: &mut Log, index: u64) {
    let leaf = Leaf { entries: vec![[index, index]], count: Some(1), ..Leaf::new(Kind::Erasure) };
    log.append_draft(Draft::clear(leaf), Effect::Erase(vec![index])).unwrap();
}

pub fn append(log: &mut Log, draft: Draft) -> u64 {
    log.append_draft(draft, Effect::None).unwrap().index
}

pub fn a_log_begins_goes_on_and_says_so(place: &dyn Place) {
    let mut first = open(place);
    // `created` and the key come before anything else.
    assert_eq!(append(&mut first, draft("p", None)), 2);
    let origin = first.origin().to_owned();
    drop(first);
    let mut second = open(place);
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

pub fn roots_tiles_and_checkpoints_agree_over_many_sizes(place: &dyn Place) {
    let mut log = open(place);
    let mut hashes: Vec<Hash> =
        log.store().rows(0, 9, 9).unwrap().iter().map(|row| tree::leaf_hash(&row.leaf)).collect();
    for count in [1_usize, 1, 250, 1, 1, 1, 255, 256, 257, 700] {
        let entries: Vec<Append> = (0..count).map(|_| Entry::clear(&Leaf::new(Kind::Read)).unwrap().into()).collect();
        hashes.extend(entries.iter().map(|append| append.entry.hash));
        log.append(&entries, true).unwrap();
        let size = hashes.len() as u64;
        let root = tree::root(&mut Stored(log.store()), size).unwrap();
        let mut frontier = tree::Frontier::default();
        for hash in &hashes {
            frontier.push(*hash);
        }
        assert_eq!(root, frontier.root());
        let (_, checkpoint) = Records::new(place.store(), log.vault().clone()).checkpoint().unwrap();
        assert_eq!((checkpoint.size, checkpoint.root), (size, root));
    }
    // Reading it all again finds nothing wrong.
    drop(log);
    open(place);
}

pub fn every_commit_is_signed_and_a_checkpoint_stays_once_it_is_kept(place: &dyn Place) {
    let mut log = open(place);
    let commit = |log: &mut Log, keep| {
        log.append(&[Entry::clear(&Leaf::new(Kind::Read)).unwrap().into()], keep).unwrap();
        let checkpoints = log.store().checkpoints(0, 99).unwrap();
        assert_eq!(checkpoints.last().unwrap().0, log.size());
        checkpoints.into_iter().map(|(size, _)| size).collect::<Vec<_>>()
    };
    assert_eq!(commit(&mut log, false), [2, 3]);
    assert_eq!(commit(&mut log, false), [2, 4]);
    assert_eq!(commit(&mut log, true), [2, 5]);
    assert_eq!(commit(&mut log, false), [2, 5, 6]);
    log.keep();
    assert_eq!(commit(&mut log, false), [2, 5, 6, 7]);
    // Another process leaves it where it is, and is left its own.
    let mut other = open(place);
    assert_eq!(commit(&mut other, false), [2, 5, 6, 7, 8, 9]);
    assert_eq!(commit(&mut log, false), [2, 5, 6, 8, 9, 10]);
    assert_eq!(commit(&mut other, false), [2, 5, 6, 8, 10, 11]);
    // What a process leaves behind is kept.
    drop((log, other));
    assert_eq!(commit(&mut open(place), false), [2, 5, 6, 8, 10, 11, 12, 13]);
}

pub fn a_request_makes_one_entry_within_a_batch_and_after_it(place: &dyn Place) {
    let mut log = open(place);
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

pub fn two_processes_make_one_sequence(place: &dyn Place) {
    let (mut one, mut two) = (open(place), open(place));
    let mut seen = Vec::new();
    for turn in 0..600 {
        let log = if turn % 3 == 0 { &mut two } else { &mut one };
        seen.push(append(log, draft("p", None)));
    }
    assert!(seen.windows(2).all(|pair| pair[0] + 1 == pair[1]));
    drop((one, two));
    open(place);
}

pub fn what_is_erased_can_not_be_opened(place: &dyn Place) {
    let mut log = open(place);
    let erased = append(&mut log, draft("p-1", Some("r-1")));
    let kept = append(&mut log, draft("p-2", None));
    let tag = log.vault().subject_tag("p-1");
    assert_eq!(log.store().of_subject(&tag).unwrap(), [erased]);
    erase(&mut log, erased);
    let mut records = Records::new(place.store(), log.vault().clone());
    let record = records.at(erased).unwrap().unwrap();
    assert!(record.is_erased() && record.content.is_none());
    assert!(records.at(kept).unwrap().unwrap().content.is_some());
    assert!(log.store().of_subject(&tag).unwrap().is_empty());
    // The request is not known any more either.
    assert!(!log.append_draft(draft("p-1", Some("r-1")), Effect::None).unwrap().before);
    drop(log);
    open(place);
}

/// What is said when a log is opened that was changed.
pub fn told_of(place: &dyn Place, sql: &str) -> String {
    let mut log = open(place);
    for _ in 0..300 {
        append(&mut log, draft("p", None));
    }
    log.append(&[Entry::clear(&Leaf::new(Kind::Read)).unwrap().into()], false).unwrap();
    drop(log);
    place.change(sql);
    Log::open(place.store(), &access(place.dir())).map(drop).unwrap_err().to_string()
}

pub fn what_is_archived_is_found_again(place: &dyn Place) {
    let mut log = open(place);
    let item = |content: &[u8]| ArchiveItem::dictionary(&Dictionary::new(content.to_vec()));
    let items: Arc<[ArchiveItem]> = Arc::new([item(b"one"), item(b"two")]);
    for _ in 0..2 {
        let entry = Entry::clear(&Leaf::new(Kind::Read)).unwrap();
        log.append(&[Append { archive: Arc::clone(&items), ..entry.into() }], false).unwrap();
    }
    // Another process does not know that they are there.
    let mut other = open(place);
    let entry = Entry::clear(&Leaf::new(Kind::Read)).unwrap();
    other.append(&[Append { archive: items.clone(), ..entry.into() }], false).unwrap();
    let mut store = place.store();
    assert_eq!(store.archive().unwrap().len(), 2);
    for item in items.iter() {
        assert_eq!(store.archived(item.kind, &item.digest).unwrap().as_deref(), Some(&*item.content));
    }
    assert_eq!(store.archived(Archived::Package, &items[0].digest).unwrap(), None);
}

pub fn entries_are_found_by_what_they_say(place: &dyn Place) {
    let mut log = open(place);
    let decision = draft("p-1", None);
    let (id, made) = (decision.leaf.id, decision.leaf.made().unwrap().as_microsecond());
    let index = append(&mut log, decision);
    let feedback = Leaf { of: Some(id), ..Leaf::new(Kind::Feedback) };
    let after = feedback.made().unwrap().as_microsecond();
    append(&mut log, Draft::clear(feedback));
    let mut store = place.store();
    assert_eq!(store.find(&id).unwrap(), Some(index));
    assert_eq!(store.about(&id).unwrap(), [index + 1]);
    assert_eq!((store.since(made).unwrap(), store.since(after + 1).unwrap()), (Some(index), None));
    assert_eq!(store.rows(index, u64::MAX, u64::MAX).unwrap().len(), 2);
    assert_eq!(store.rows(0, index, 1).unwrap().len(), 1);
    let dropped = store.begin().map(drop);
    assert_eq!((dropped, store.head().unwrap().frontier.size()), (Ok(()), index + 2));
}

pub fn a_pruned_log_goes_on_and_its_proofs_hold(place: &dyn Place) {
    let mut log = open(place);
    for _ in 0..600 {
        append(&mut log, draft("p", None));
    }
    let leaf = Leaf { first: Some(512), ..Leaf::new(Kind::Retention) };
    log.append_draft(Draft::clear(leaf), Effect::Prune(512)).unwrap();
    assert_eq!(log.store().head().unwrap().first, 512);
    let mut records = Records::new(place.store(), log.vault().clone());
    assert!(records.at(511).unwrap().is_none());
    let (_, checkpoint) = records.checkpoint().unwrap();
    let leaf = records.at(555).unwrap().unwrap().row.leaf;
    let proof = records.inclusion(555, checkpoint.size).unwrap();
    let root = tree::root_from_inclusion(tree::leaf_hash(&leaf), 555, checkpoint.size, &proof);
    assert_eq!(root, Some(checkpoint.root));
    append(&mut log, draft("p", None));
    drop(log);
    open(place);
}

pub fn a_new_key_takes_over_with_both_signatures(place: &dyn Place) {
    let mut first = open(place);
    let old = first.store().checkpoint().unwrap().unwrap();
    let origin = first.origin().to_owned();
    drop(first);
    Signer::rotate(&place.dir().join("signing.key"), &origin).unwrap();
    let mut log = open(place);
    let keys = log::keys(log.store()).unwrap();
    assert_eq!(keys.len(), 2);
    let notes = log.store().checkpoints(0, 100).unwrap();
    let signatures = |note: &str| note.matches('\u{2014}').count();
    assert_eq!(notes.iter().filter(|(.., note)| signatures(note) == 2).count(), 2);
    append(&mut log, draft("p", None));
    let last = log.store().checkpoint().unwrap().unwrap();
    assert!(Checkpoint::open(&last, &keys[1..]).is_ok());
    assert!(Checkpoint::open(&old, &keys[..1]).is_ok());
}
