//! A log that someone changed: whatever was changed, the verifier finds it.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use concord::audit::content::Content;
use concord::audit::entry::{Draft, Kind, Leaf, Subject};
use concord::audit::log::{Access, Effect, Log};
use concord::audit::seal::LocalKey;
use concord::audit::sqlite::Sqlite;
use concord::audit::store::{Archived, Batch, Head, Row, Store, StoreError, Tally};
use concord::audit::tree::Frontier;
use concord::audit::verify::{Against, verify};
use uuid::Uuid;

/// A log in memory, to be read alone.
#[derive(Clone, PartialEq)]
struct Kept {
    head: Head,
    rows: Vec<Row>,
    requests: Vec<(u64, [u8; 16])>,
    checkpoints: Vec<(u64, String)>,
    meta: Vec<(&'static str, Vec<u8>)>,
}

fn against() -> Against {
    Against { master: Some(Arc::new(LocalKey::new(&[1; 32]))), ..Against::default() }
}

/// Decisions, one of them erased, a read, and what says that the log was closed.
fn made() -> Result<Kept, Box<dyn std::error::Error>> {
    let memory = Path::new("/dev/shm");
    let dir = if memory.is_dir() { tempfile::tempdir_in(memory)? } else { tempfile::tempdir()? };
    let access = Access {
        master: Arc::new(LocalKey::new(&[1; 32])),
        signing_key: dir.path().join("signing.key"),
        origin: Some("concord/fuzz".to_owned()),
    };
    let mut log = Log::open(Box::new(Sqlite::open(dir.path())?), &access)?;
    for patient in ["p-1", "p-2", "p-1"] {
        let parts = ["request", "answer", "rules", "terms"];
        let content = parts.iter().fold(Content::new(), |content, part| content.with(part, vec![b'x'; 20]));
        let leaf = Leaf { caller: Some("anonymous@127.0.0.1".to_owned()), ..Leaf::new(Kind::Decision) };
        let (once, subject) = (Some(leaf.id.to_string()), Subject::Patient(patient.to_owned()));
        log.append_draft(Draft { subject, once, ..Draft::sealed(leaf, content) }, Effect::None)?;
    }
    let erased = log.size().saturating_sub(2);
    let leaf = Leaf { entries: vec![[erased, erased]], count: Some(1), ..Leaf::new(Kind::Erasure) };
    log.append_draft(Draft::clear(leaf), Effect::Erase(vec![erased]))?;
    log.close()?;
    let store = log.store();
    let head = store.head()?;
    let size = head.frontier.size();
    let mut meta = Vec::new();
    for name in ["origin", "index_key", "keys"] {
        meta.push((name, store.meta(name)?.unwrap_or_default()));
    }
    let (rows, requests) = (store.rows(0, size, size)?, store.requests(0, size)?);
    Ok(Kept { head, rows, requests, checkpoints: store.checkpoints(0, size)?, meta })
}

static KEPT: LazyLock<Kept> = LazyLock::new(|| made().expect("a log"));

impl Store for Kept {
    fn begin(&mut self) -> Result<Box<dyn Batch + '_>, StoreError> {
        Err(StoreError::Down("it is only read".to_owned()))
    }

    fn head(&mut self) -> Result<Head, StoreError> {
        Ok(self.head.clone())
    }

    fn rows(&mut self, from: u64, to: u64, most: u64) -> Result<Vec<Row>, StoreError> {
        // As a database has them: in order, and each index once.
        let mut rows: Vec<Row> = self.rows.iter().filter(|row| (from..to).contains(&row.index)).cloned().collect();
        rows.sort_by_key(|row| row.index);
        rows.dedup_by_key(|row| row.index);
        rows.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        Ok(rows)
    }

    fn find(&mut self, id: &Uuid) -> Result<Option<u64>, StoreError> {
        Ok(self.rows.iter().find(|row| row.id == *id).map(|row| row.index))
    }

    fn since(&mut self, at: i64) -> Result<Option<u64>, StoreError> {
        Ok(self.rows.iter().filter(|row| row.at >= at).map(|row| row.index).min())
    }

    fn about(&mut self, of: &Uuid) -> Result<Vec<u64>, StoreError> {
        Ok(self.rows.iter().filter(|row| row.of == Some(*of)).map(|row| row.index).collect())
    }

    fn of_subject(&mut self, tag: &[u8; 16]) -> Result<Vec<u64>, StoreError> {
        Ok(self.rows.iter().filter(|row| row.subject == Some(*tag)).map(|row| row.index).collect())
    }

    fn requests(&mut self, from: u64, to: u64) -> Result<Vec<(u64, [u8; 16])>, StoreError> {
        Ok(self.requests.iter().filter(|(index, _)| (from..to).contains(index)).copied().collect())
    }

    fn tally(&mut self) -> Result<Tally, StoreError> {
        let of_none = |index: &u64| !self.rows.iter().any(|row| row.index == *index);
        Ok(Tally {
            size: self.head.frontier.size(),
            first: self.head.first,
            entries: self.rows.len() as u64,
            stray_requests: self.requests.iter().filter(|(index, _)| of_none(index)).count() as u64,
            signed: self.head.signed,
            last_checkpoint: self.checkpoints.iter().map(|(size, _)| *size).max().unwrap_or_default(),
            ..Tally::default()
        })
    }

    fn faults(&mut self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }

    fn tile(&mut self, _: u32, _: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    fn checkpoints(&mut self, from: u64, most: u64) -> Result<Vec<(u64, String)>, StoreError> {
        let mut found: Vec<_> = self.checkpoints.iter().filter(|(size, _)| *size >= from).cloned().collect();
        found.sort();
        found.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        Ok(found)
    }

    fn checkpoint(&mut self) -> Result<Option<String>, StoreError> {
        Ok(self.checkpoints.iter().max().map(|(_, note)| note.clone()))
    }

    fn archived(&mut self, _: Archived, _: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    fn archive(&mut self) -> Result<Vec<(Archived, [u8; 32])>, StoreError> {
        Ok(Vec::new())
    }

    fn meta(&mut self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.meta.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone()))
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The bytes of a value, with one of them changed, or with others in its place.
fn edit(bytes: &mut Vec<u8>, with: &mut impl Iterator<Item = u8>) {
    let mut next = || with.next().unwrap_or_default();
    let (how, at, value) = (next(), usize::from(next()) | usize::from(next()) << 8, next());
    let length = bytes.len();
    match (how % 4, bytes.get_mut(at % length.max(1))) {
        (0, Some(byte)) => *byte ^= value.max(1),
        (1, Some(_)) => bytes.truncate(at % length),
        (2, _) => bytes.extend(std::iter::repeat_n(value, 1 + at % 64)),
        _ => *bytes = with.take(at % 1024).collect(),
    }
}

fn number(with: &mut impl Iterator<Item = u8>) -> u64 {
    with.take(8).fold(0, |number, byte| number << 8 | u64::from(byte))
}

fn tag(with: &mut impl Iterator<Item = u8>) -> [u8; 16] {
    std::array::from_fn(|_| with.next().unwrap_or_default())
}

/// Changes, one after another: what, where, how.
pub fn log(data: &[u8]) {
    let mut log = KEPT.clone();
    let mut bytes = data.iter().copied();
    while let Some(what) = bytes.next() {
        let at = usize::from(bytes.next().unwrap_or_default()) % log.rows.len().max(1);
        change(&mut log, what, at, &mut bytes);
    }
    let changed = log != *KEPT;
    let report = verify(&mut log, &against()).expect("a store that can be read");
    assert_eq!(report.holds(), !changed, "{report:?}");
}

fn change(log: &mut Kept, what: u8, at: usize, with: &mut impl Iterator<Item = u8>) {
    match (what, log.rows.get_mut(at)) {
        (b'l', Some(row)) => edit(&mut row.leaf, with),
        (b'b', Some(row)) => edit(row.body.get_or_insert_default(), with),
        (b'k', Some(row)) => edit(row.key.get_or_insert_default(), with),
        (b'B', Some(row)) => row.body = None,
        (b'K', Some(row)) => row.key = None,
        (b's', Some(row)) => row.subject = Some(tag(with)),
        (b'S', Some(row)) => row.subject = None,
        (b'a', Some(row)) => row.at = number(with).cast_signed(),
        (b'i', Some(row)) => row.id = Uuid::from_bytes(tag(with)),
        (b'o', Some(row)) => row.of = Some(Uuid::from_bytes(tag(with))),
        (b'x', Some(row)) => row.index = number(with),
        (b'd', Some(_)) => drop(log.rows.remove(at)),
        (b'w', Some(_)) => {
            let other = usize::from(with.next().unwrap_or_default()) % log.rows.len();
            log.rows.swap(at, other);
            let indices = (log.rows.get(at).map(|row| row.index), log.rows.get(other).map(|row| row.index));
            if let (Some(one), Some(two)) = indices {
                log.rows.iter_mut().for_each(|row| match row.index {
                    index if index == one => row.index = two,
                    index if index == two => row.index = one,
                    _ => {}
                });
            }
        }
        (b'f', _) => log.head.first = number(with),
        (b'g', _) => log.head.signed = number(with),
        (b'h', _) => {
            let mut bytes = log.head.frontier.bytes();
            let size = number(with);
            edit(&mut bytes, with);
            if let Some(frontier) = Frontier::read(size, &bytes) {
                log.head.frontier = frontier;
            }
        }
        (b'r', _) => log.requests.push((at as u64, tag(with))),
        (b'R', _) => drop(log.requests.pop()),
        (b'c', _) => {
            let which = at % log.checkpoints.len().max(1);
            if let Some((_, note)) = log.checkpoints.get_mut(which) {
                let mut bytes = std::mem::take(note).into_bytes();
                edit(&mut bytes, with);
                *note = String::from_utf8_lossy(&bytes).into_owned();
            }
        }
        (b'C', _) => drop(log.checkpoints.pop()),
        (b'z', _) => {
            if let Some((size, _)) = log.checkpoints.last_mut() {
                *size = number(with);
            }
        }
        (b'm', _) => {
            let which = at % log.meta.len().max(1);
            if let Some((_, value)) = log.meta.get_mut(which) {
                edit(value, with);
            }
        }
        _ => {}
    }
}
