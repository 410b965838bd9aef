//! The log handed out in the forms of `docs/audit.md`: the exported log, and
//! proofs as text.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::checkpoint::Checkpoint;
use super::entry::{Kind, Leaf};
use super::log::LogError;
use super::records::Records;
use super::store::{Row, Store, StoreError, damaged};
use super::tree::{Hash, TILE};
use crate::note::hex;

/// Entries that are read at once.
const AT_ONCE: u64 = TILE;

/// Why something can't be handed out.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A file.
    #[error("{0}")]
    File(String),
    /// The last checkpoint does not cover it.
    #[error("{what} {number} is not covered by the last checkpoint, which is of {size} entries")]
    NotCovered {
        /// What was asked for.
        what: &'static str,
        /// Its index or size.
        number: u64,
        /// Entries that are covered.
        size: u64,
    },
}

impl From<StoreError> for ExportError {
    fn from(error: StoreError) -> Self {
        Self::Log(error.into())
    }
}

/// A folder to export to: new, or empty.
///
/// # Errors
/// [`ExportError::File`].
pub fn folder(dir: &Path) -> Result<(), ExportError> {
    let failed = |error: io::Error| ExportError::File(format!("{}: {error}", dir.display()));
    // Callers and times are for those who may read the record.
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
    if fs::read_dir(dir).map_err(failed)?.next().is_some() {
        return Err(ExportError::File(format!(
            "{}: is not empty: an export is not mixed with other files",
            dir.display()
        )));
    }
    Ok(())
}

/// Writes the exported log up to a checkpoint. The checkpoint comes last: an
/// export that was cut short has none.
///
/// # Errors
/// [`ExportError`].
pub fn log(records: &mut Records, note: &str, checkpoint: &Checkpoint, dir: &Path) -> Result<(), ExportError> {
    let file = |name: &str, write: &mut dyn FnMut(&mut BufWriter<File>) -> Result<(), ExportError>| {
        let path = dir.join(name);
        let failed = |error: io::Error| ExportError::File(format!("{}: {error}", path.display()));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        out.flush().and_then(|()| out.get_ref().sync_all()).map_err(failed)
    };
    let mut covered = Covered::default();
    file("entries.ndjson", &mut |out| {
        covered = entries(records.store(), checkpoint.size, out)?;
        Ok(())
    })?;
    let keys: Vec<String> = records.keys()?.iter().map(ToString::to_string).collect();
    let text = covered.keys(&keys).iter().fold(String::new(), |text, key| text + key + "\n");
    for (name, text) in [("keys", text.as_str()), ("checkpoint", note)] {
        file(name, &mut |out| out.write_all(text.as_bytes()).map_err(unwritten))?;
    }
    Ok(())
}

/// What the entries of an export say of keys.
#[derive(Default)]
struct Covered {
    /// The last key that one of them says was created.
    last: Option<String>,
}

impl Covered {
    /// The keys up to the last that an entry of the export created; all, where
    /// those entries were pruned.
    fn keys<'a>(&self, keys: &'a [String]) -> &'a [String] {
        let last = self.last.as_ref().and_then(|last| keys.iter().position(|key| key == last));
        last.and_then(|last| keys.get(..=last)).unwrap_or(keys)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the form that `map_err` wants")]
fn unwritten(error: io::Error) -> ExportError {
    ExportError::File(format!("the export can't be written: {error}"))
}

fn entries(store: &mut dyn Store, size: u64, out: &mut dyn Write) -> Result<Covered, ExportError> {
    let first = store.head()?.first.min(size);
    let mut next = 0;
    while next < first {
        let n = next / TILE;
        let tile = store.tile(0, n)?.ok_or_else(|| damaged(format!("tile 0/{n} is gone")))?;
        for hash in tile.as_chunks::<32>().0 {
            writeln!(out, "{}", json!({"hash": hex(hash), "index": next})).map_err(unwritten)?;
            next = next.saturating_add(1);
        }
    }
    let (mut covered, mut retained) = (Covered::default(), 0);
    while next < size {
        let rows = store.rows(next, size, AT_ONCE)?;
        if rows.is_empty() {
            return Err(damaged(format!("entry {next} is gone")).into());
        }
        for row in rows {
            if row.index != next {
                return Err(damaged(format!("entry {next} is gone")).into());
            }
            let leaf = Leaf::read(&row.leaf).map_err(|fault| damaged(format!("entry {next}: {fault}")))?;
            writeln!(out, "{}", line(&row)?).map_err(unwritten)?;
            if leaf.kind == Kind::Key && leaf.event.as_deref() == Some("created") {
                covered.last = leaf.key;
            } else if leaf.kind == Kind::Retention {
                retained = retained.max(leaf.first.unwrap_or_default());
            }
            next = next.saturating_add(1);
        }
    }
    if first > retained {
        // The entry that says so is after the checkpoint.
        return Err(ExportError::File("entries were pruned while the log was exported: export it again".to_owned()));
    }
    Ok(covered)
}

/// An entry as a line. A value keeps its members in order, which makes it
/// canonical.
fn line(row: &Row) -> Result<serde_json::Value, StoreError> {
    let leaf = str::from_utf8(&row.leaf).map_err(|_| damaged(format!("entry {}: not text", row.index)))?;
    let mut line = json!({"index": row.index, "leaf": leaf});
    if let (Some(body), Some(members)) = (&row.body, line.as_object_mut()) {
        members.insert("body".to_owned(), hex(body).into());
    }
    Ok(line)
}

/// A proof that an entry is in the log that the last checkpoint signed: a C2SP
/// tlog-proof.
///
/// # Errors
/// [`ExportError`].
pub fn inclusion(records: &mut Records, index: u64) -> Result<String, ExportError> {
    let (note, Checkpoint { size, .. }) = records.checkpoint()?;
    if index >= size {
        return Err(ExportError::NotCovered { what: "entry", number: index, size });
    }
    let hashes = records.inclusion(index, size)?;
    Ok(format!("c2sp.org/tlog-proof@v1\nindex {index}\n{}\n{note}", lines(&hashes)))
}

/// A proof that the log that the last checkpoint signed begins with its first
/// `old` entries: in the form of a request of C2SP tlog-witness.
///
/// # Errors
/// [`ExportError`].
pub fn consistency(records: &mut Records, old: u64) -> Result<String, ExportError> {
    let (note, Checkpoint { size, .. }) = records.checkpoint()?;
    if old > size {
        return Err(ExportError::NotCovered { what: "size", number: old, size });
    }
    let hashes = records.consistency(old, size)?;
    Ok(format!("old {old}\n{}\n{note}", lines(&hashes)))
}

fn lines(hashes: &[Hash]) -> String {
    hashes.iter().map(|hash| STANDARD.encode(hash) + "\n").collect()
}
