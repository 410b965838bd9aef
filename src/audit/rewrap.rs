//! Replaces the master key: wraps the key of every entry anew, a batch at a time,
//! and the index key last, with the entry that says so. Until then the old master
//! key opens the log, and where it was interrupted it goes on.

use std::sync::Arc;

use super::entry::{Draft, Kind, Leaf};
use super::log::{Effect, INDEX_KEY, Log, LogError};
use super::seal::{MasterKey, SealFault, rewrapped, rewrapped_index};
use super::store::{Store, damaged};

/// Keys of one transaction.
const BATCH: u64 = 1_000;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewrapped {
    /// Keys of entries that were wrapped anew.
    pub keys: u64,
    /// Index of the entry that says so; none where the new master key was in
    /// force and there was nothing to do.
    pub entry: Option<u64>,
}

/// Wraps every key with another master key. Nothing else may write meanwhile: what
/// a server seals with the old one is found when this is run again.
///
/// # Errors
/// [`LogError`], also where a key was wrapped by neither master key.
pub fn rewrap(
    log: &mut Log,
    old: &dyn MasterKey,
    new: &dyn MasterKey,
    caller: String,
    method: String,
) -> Result<Rewrapped, LogError> {
    let keys = entries(log.store(), old, new)?;
    let wrapped = log.store().meta(INDEX_KEY)?.ok_or_else(|| damaged("it has no index key"))?;
    let index = rewrapped_index(old, new, &wrapped)?;
    if index.is_none() && keys == 0 {
        return Ok(Rewrapped { keys, entry: None });
    }
    let leaf = Leaf {
        event: Some("rewrapped".to_owned()),
        caller: Some(caller),
        method: Some(method),
        count: Some(keys),
        ..Leaf::new(Kind::Key)
    };
    let effect = index.map_or(Effect::None, Effect::IndexKey);
    let entry = log.append_draft(Draft::clear(leaf), effect)?.index;
    // The keys as the old one wrapped them are in the write-ahead log until then.
    log.store().settle()?;
    Ok(Rewrapped { keys, entry: Some(entry) })
}

/// Wraps the keys of entries anew that the new master key does not open. How many.
fn entries(store: &mut dyn Store, old: &dyn MasterKey, new: &dyn MasterKey) -> Result<u64, LogError> {
    let (mut from, mut count) = (0, 0_u64);
    loop {
        let mut batch = store.begin()?;
        let keys = batch.keys(from, BATCH)?;
        let Some((last, ..)) = keys.last() else { return Ok(count) };
        let next = last.saturating_add(1);
        let mut changed = Vec::new();
        for (index, id, wrapped) in &keys {
            let fault = |fault: SealFault| damaged(format!("the key of entry {index}: {fault}"));
            changed.extend(rewrapped(old, new, id, wrapped).map_err(fault)?.map(|wrapped| (*index, wrapped)));
        }
        if !changed.is_empty() {
            batch.rewrap(&changed)?;
            batch.commit()?;
            count = count.saturating_add(changed.len() as u64);
        }
        from = next;
    }
}

/// The master key that opens the log: the first of these that does.
///
/// # Errors
/// Where none does, or the store can't be read.
pub fn in_force(store: &mut dyn Store, keys: &[Arc<dyn MasterKey>]) -> Result<Arc<dyn MasterKey>, LogError> {
    let wrapped = store.meta(INDEX_KEY)?.ok_or_else(|| damaged("it has no index key"))?;
    for key in keys {
        match super::seal::Vault::open(Arc::clone(key), &wrapped) {
            Ok(_) => return Ok(Arc::clone(key)),
            Err(SealFault::MasterKey) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Err(SealFault::MasterKey.into())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::content::Content;
    use super::super::entry::Subject;
    use super::super::log::Access;
    use super::super::records::Records;
    use super::super::seal::{LocalKey, Secret};
    use super::super::sqlite::{FILE, Sqlite};
    use super::*;

    const ENTRIES: usize = 2_500;

    /// Wraps so many keys and then no more.
    #[derive(Debug)]
    struct Failing(LocalKey, AtomicUsize);

    impl MasterKey for Failing {
        fn wrap(&self, key: &[u8; 32], bound: &[u8]) -> Result<Vec<u8>, SealFault> {
            self.1
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                .map_err(|_| SealFault::Randomness)?;
            self.0.wrap(key, bound)
        }

        fn open(&self, wrapped: &[u8], bound: &[u8]) -> Result<Secret, SealFault> {
            self.0.open(wrapped, bound)
        }
    }

    fn master(byte: u8) -> LocalKey {
        LocalKey::new(&[byte; 32])
    }

    fn attach(dir: &std::path::Path, byte: u8) -> Result<Log, LogError> {
        let access = Access { master: Arc::new(master(byte)), signing_key: dir.join("signing.key"), origin: None };
        Log::open(Box::new(Sqlite::open(dir)?), &access)
    }

    fn filled(dir: &std::path::Path) -> Log {
        let mut log = attach(dir, 1).unwrap();
        let seal = |number: usize| {
            let content = Content::new().with("request", number.to_string().into_bytes());
            let subject = Subject::Patient(format!("p-{number}"));
            let draft = Draft { subject, ..Draft::sealed(Leaf::new(Kind::Decision), content) };
            log.vault().seal(draft).unwrap().into()
        };
        let entries: Vec<_> = (0..ENTRIES).map(seal).collect();
        log.append(&entries, true).unwrap();
        log
    }

    /// Does every entry open with this master key?
    fn opens(dir: &std::path::Path, byte: u8) {
        let log = attach(dir, byte).unwrap();
        let mut records = Records::new(Box::new(Sqlite::open(dir).unwrap()), log.vault().clone());
        for number in 0..ENTRIES {
            let tag = records.vault().subject_tag(&format!("p-{number}"));
            let index = records.store().of_subject(&tag).unwrap();
            let content = records.at(index[0]).unwrap().unwrap().content.unwrap();
            assert_eq!(content.part("request"), Some(number.to_string().as_bytes()));
        }
    }

    fn rewrapped_with(log: &mut Log, new: &dyn MasterKey) -> Result<Rewrapped, LogError> {
        rewrap(log, &master(1), new, "local:root".to_owned(), "concord audit rewrap".to_owned())
    }

    #[test]
    fn another_master_key_opens_everything_and_the_old_one_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = filled(dir.path());
        let old: Vec<Vec<u8>> = log.store().rows(2, 12, 10).unwrap().into_iter().filter_map(|row| row.key).collect();
        let done = rewrapped_with(&mut log, &master(2)).unwrap();
        assert_eq!((done.keys, done.entry), (ENTRIES as u64, Some(ENTRIES as u64 + 2)));
        // What the old one wrapped is in no file.
        for file in std::fs::read_dir(dir.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!old.iter().any(|key| bytes.windows(key.len()).any(|window| window == key)));
        }
        drop(log);
        opens(dir.path(), 2);
        assert_eq!(attach(dir.path(), 1).unwrap_err(), SealFault::MasterKey.into());
        let keys: [Arc<dyn MasterKey>; 2] = [Arc::new(master(1)), Arc::new(master(2))];
        let mut store = Sqlite::open(dir.path()).unwrap();
        assert_eq!(format!("{:?}", in_force(&mut store, &keys).unwrap()), format!("{:?}", master(2)));
        assert_eq!(in_force(&mut store, &keys[..1]).unwrap_err(), SealFault::MasterKey.into());
        // A second time there is nothing to do.
        let mut log = attach(dir.path(), 2).unwrap();
        assert_eq!(rewrapped_with(&mut log, &master(2)).unwrap(), Rewrapped { keys: 0, entry: None });
    }

    #[test]
    fn one_that_is_interrupted_goes_on() {
        for after in [0, 1, 1_000, 1_700, ENTRIES] {
            let dir = tempfile::tempdir().unwrap();
            let mut log = filled(dir.path());
            let failing = Failing(master(2), AtomicUsize::new(after));
            assert!(rewrapped_with(&mut log, &failing).is_err(), "{after}");
            drop(log);
            // The old one is in force, and what is not rewrapped yet opens.
            let mut log = attach(dir.path(), 1).unwrap();
            let done = rewrapped_with(&mut log, &master(2)).unwrap();
            assert_eq!(done.keys, (ENTRIES - after / 1_000 * 1_000 - if after == ENTRIES { 500 } else { 0 }) as u64);
            assert!(done.entry.is_some());
            drop(log);
            opens(dir.path(), 2);
        }
    }

    #[test]
    fn what_was_sealed_with_the_old_one_meanwhile_is_found_by_another_run() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = filled(dir.path());
        let late = log.vault().seal(Draft::sealed(Leaf::new(Kind::Decision), Content::new())).unwrap();
        rewrapped_with(&mut log, &master(2)).unwrap();
        log.append(&[late.into()], true).unwrap();
        drop(log);
        let mut log = attach(dir.path(), 2).unwrap();
        assert_eq!(rewrapped_with(&mut log, &master(2)).unwrap().keys, 1);
    }

    #[test]
    fn a_key_that_neither_wrapped_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = filled(dir.path());
        let change = rusqlite::Connection::open(dir.path().join(FILE)).unwrap();
        change.execute_batch("UPDATE keys SET key = zeroblob(69) WHERE idx = 7").unwrap();
        assert!(rewrapped_with(&mut log, &master(2)).unwrap_err().to_string().contains("the key of entry 7"));
    }
}
