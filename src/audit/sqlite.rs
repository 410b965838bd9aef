//! The log in one SQLite file, which an auditor opens with `sqlite3`. Any
//! number of processes may have it open: the write-ahead log lets them read while
//! one writes.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Transaction, TransactionBehavior, params};
use uuid::Uuid;

use super::entry::Entry;
use super::folder;
use super::store::{Archived, Batch, Head, Row, SCHEMA, Store, StoreError, Tally, damaged, newer};
use super::tree::{Frontier, Hash, leaf_hash};

/// Name of the file in the data directory.
pub const FILE: &str = "audit.db";

/// How long to wait for another process that writes.
const BUSY: Duration = Duration::from_secs(5);

/// Pages of the write-ahead log after which it is copied into the file: a
/// longer log makes the copying rarer, which is what the slowest answers wait for.
const CHECKPOINT_PAGES: u32 = 4_000;

const TABLES: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, frontier BLOB NOT NULL,
    first INTEGER NOT NULL, signed INTEGER NOT NULL);
CREATE TABLE entries (idx INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, at INTEGER NOT NULL, of BLOB,
    leaf BLOB NOT NULL, body BLOB);
CREATE INDEX entries_at ON entries (at);
CREATE INDEX entries_of ON entries (of) WHERE of IS NOT NULL;
CREATE TABLE keys (idx INTEGER PRIMARY KEY, subject BLOB, key BLOB NOT NULL);
CREATE INDEX keys_subject ON keys (subject) WHERE subject IS NOT NULL;
CREATE TABLE requests (tag BLOB PRIMARY KEY, idx INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX requests_idx ON requests (idx);
CREATE TABLE tiles (level INTEGER NOT NULL, n INTEGER NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY (level, n))
    WITHOUT ROWID;
CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, note TEXT NOT NULL);
CREATE TABLE archive (kind TEXT NOT NULL, digest BLOB NOT NULL, content BLOB NOT NULL, PRIMARY KEY (kind, digest));
INSERT INTO head VALUES (1, 0, x'', 0, 0);
";

/// The log in a file.
#[derive(Debug)]
pub struct Sqlite(Connection);

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        // The library's text names tables and columns and never a value of ours; its code says which call failed.
        let code = error.sqlite_error().map(|error| error.extended_code);
        let text = code.map_or_else(|| error.to_string(), |code| format!("{FILE}: {error} (SQLite code {code})"));
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) | None => Self::Damaged(text),
            Some(_) => Self::Down(text),
        }
    }
}

/// An index as the file keeps it.
struct Index(u64);

impl ToSql for Index {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        i64::try_from(self.0).map(Into::into).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
    }
}

/// An index to look up to: one that no entry can have is as good as the highest
/// that one can.
fn most_index(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl FromSql for Index {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let value = value.as_i64()?;
        u64::try_from(value).map(Self).map_err(|_| FromSqlError::OutOfRange(value))
    }
}

/// Bytes of a fixed length.
struct Fixed<const N: usize>([u8; N]);

impl<const N: usize> FromSql for Fixed<N> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let blob = value.as_blob()?;
        let wrong = FromSqlError::InvalidBlobSize { expected_size: N, blob_size: blob.len() };
        blob.try_into().map(Self).map_err(|_| wrong)
    }
}

impl Sqlite {
    /// Opens the file of a data directory, and makes both where they are not
    /// there, readable by their owner alone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(FILE);
        let failed = |error: std::io::Error| StoreError::Down(format!("{}: {error}", path.display()));
        if !path.exists() {
            folder::make(dir).map_err(failed)?;
            // The library makes the other files with the mode of this one. A file that is there is not opened here:
            // to close it would drop every lock that the process has on it, and who closes the log last, as it then
            // seems, deletes the write-ahead log under the others.
            match OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                other => drop(other.map_err(failed)?),
            }
        }
        let mut connection = Connection::open(&path)?;
        connection.busy_timeout(BUSY)?;
        // FULL: a commit is on disk before it is answered. Deleted bytes are overwritten, so that a key that was
        // destroyed is not left in a free page.
        connection.execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
             PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
        ))?;
        migrate(&mut connection)?;
        Ok(Self(connection))
    }

    /// Opens the file of a data directory to read it: it must be there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_existing(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(FILE);
        if !path.is_file() {
            return Err(StoreError::Unusable(format!("{}: there is no audit log here", path.display())));
        }
        Self::open(dir)
    }
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == SCHEMA {
        return Ok(());
    }
    let writing = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have made the tables meanwhile.
    let version: u32 = writing.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match version {
        0 => {
            writing.execute_batch(TABLES)?;
            writing.pragma_update(None, "user_version", SCHEMA)?;
            writing.commit()?;
            Ok(())
        }
        SCHEMA => Ok(()),
        version => Err(newer(version)),
    }
}

fn read_head(connection: &Connection) -> Result<Head, StoreError> {
    let mut statement = connection.prepare_cached("SELECT size, frontier, first, signed FROM head")?;
    let (size, frontier, first, signed) = statement.query_row([], |row| {
        let bytes: Vec<u8> = row.get(1)?;
        Ok((row.get::<_, Index>(0)?.0, bytes, row.get::<_, Index>(2)?.0, row.get::<_, Index>(3)?.0))
    })?;
    let frontier = Frontier::read(size, &frontier).ok_or_else(|| damaged("the head does not fit its own size"))?;
    Ok(Head { frontier, first, signed })
}

fn read_tile(connection: &Connection, level: u32, n: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT hashes FROM tiles WHERE level = ? AND n = ?")?;
    Ok(statement.query_row(params![level, Index(n)], |row| row.get(0)).optional()?)
}

fn read_meta(connection: &Connection, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE key = ?")?;
    Ok(statement.query_row([key], |row| row.get(0)).optional()?)
}

fn indices(connection: &Connection, query: &str, by: &[u8]) -> Result<Vec<u64>, StoreError> {
    let mut statement = connection.prepare_cached(query)?;
    let found = statement.query_map([by], |row| Ok(row.get::<_, Index>(0)?.0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

impl Store for Sqlite {
    fn begin(&mut self) -> Result<Box<dyn Batch + '_>, StoreError> {
        Ok(Box::new(Writing(self.0.transaction_with_behavior(TransactionBehavior::Immediate)?)))
    }

    fn head(&mut self) -> Result<Head, StoreError> {
        read_head(&self.0)
    }

    fn rows(&mut self, from: u64, to: u64, most: u64) -> Result<Vec<Row>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT e.idx, e.id, e.at, e.of, e.leaf, e.body, k.key, k.subject
             FROM entries e LEFT JOIN keys k ON k.idx = e.idx
             WHERE e.idx >= ? AND e.idx < ? ORDER BY e.idx LIMIT ?",
        )?;
        let rows = statement.query_map([from, to, most].map(most_index), |row| {
            Ok(Row {
                index: row.get::<_, Index>(0)?.0,
                id: Uuid::from_bytes(row.get::<_, Fixed<16>>(1)?.0),
                at: row.get(2)?,
                of: row.get::<_, Option<Fixed<16>>>(3)?.map(|of| Uuid::from_bytes(of.0)),
                leaf: row.get(4)?,
                body: row.get(5)?,
                key: row.get(6)?,
                subject: row.get::<_, Option<Fixed<16>>>(7)?.map(|tag| tag.0),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn find(&mut self, id: &Uuid) -> Result<Option<u64>, StoreError> {
        Ok(indices(&self.0, "SELECT idx FROM entries WHERE id = ?", id.as_bytes())?.pop())
    }

    fn since(&mut self, at: i64) -> Result<Option<u64>, StoreError> {
        let mut statement = self.0.prepare_cached("SELECT min(idx) FROM entries WHERE at >= ?")?;
        Ok(statement.query_row([at], |row| Ok(row.get::<_, Option<Index>>(0)?.map(|index| index.0)))?)
    }

    fn about(&mut self, of: &Uuid) -> Result<Vec<u64>, StoreError> {
        indices(&self.0, "SELECT idx FROM entries WHERE of = ? ORDER BY idx", of.as_bytes())
    }

    fn of_subject(&mut self, tag: &[u8; 16]) -> Result<Vec<u64>, StoreError> {
        indices(&self.0, "SELECT idx FROM keys WHERE subject = ? ORDER BY idx", tag)
    }

    fn tile(&mut self, level: u32, n: u64) -> Result<Option<Vec<u8>>, StoreError> {
        read_tile(&self.0, level, n)
    }

    fn requests(&mut self, from: u64, to: u64) -> Result<Vec<(u64, [u8; 16])>, StoreError> {
        let mut statement =
            self.0.prepare_cached("SELECT idx, tag FROM requests WHERE idx >= ? AND idx < ? ORDER BY idx, tag")?;
        let rows = statement.query_map(params![most_index(from), most_index(to)], |row| {
            Ok((row.get::<_, Index>(0)?.0, row.get::<_, Fixed<16>>(1)?.0))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn tally(&mut self) -> Result<Tally, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT size, first, (SELECT count(*) FROM entries), (SELECT count(*) FROM tiles),
                 (SELECT count(*) FROM keys WHERE idx NOT IN (SELECT idx FROM entries)),
                 (SELECT count(*) FROM requests WHERE idx NOT IN (SELECT idx FROM entries)),
                 signed, (SELECT coalesce(max(size), 0) FROM checkpoints),
                 (SELECT count(*) FROM checkpoints WHERE size < 1)
             FROM head",
        )?;
        let count = |row: &rusqlite::Row<'_>, at| row.get::<_, Index>(at).map(|count| count.0);
        Ok(statement.query_row([], |row| {
            Ok(Tally {
                size: count(row, 0)?,
                first: count(row, 1)?,
                entries: count(row, 2)?,
                tiles: count(row, 3)?,
                stray_keys: count(row, 4)?,
                stray_requests: count(row, 5)?,
                signed: count(row, 6)?,
                last_checkpoint: count(row, 7)?,
                stray_checkpoints: count(row, 8)?,
            })
        })?)
    }

    fn faults(&mut self) -> Result<Vec<String>, StoreError> {
        let mut faults = Vec::new();
        // Not of `entries`: reading all of it at once would hold up whoever erases. Each of its rows is looked up.
        for table in ["meta", "head", "keys", "requests", "tiles", "checkpoints", "archive"] {
            let mut statement = self.0.prepare(&format!("PRAGMA integrity_check({table})"))?;
            let found = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
            faults.extend(found.into_iter().filter(|found| found != "ok"));
        }
        Ok(faults)
    }

    fn checkpoints(&mut self, from: u64, most: u64) -> Result<Vec<(u64, String)>, StoreError> {
        let mut statement =
            self.0.prepare_cached("SELECT size, note FROM checkpoints WHERE size >= ? ORDER BY size LIMIT ?")?;
        let rows =
            statement.query_map([from, most].map(most_index), |row| Ok((row.get::<_, Index>(0)?.0, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn checkpoint(&mut self) -> Result<Option<String>, StoreError> {
        let mut statement = self.0.prepare_cached("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1")?;
        Ok(statement.query_row([], |row| row.get(0)).optional()?)
    }

    fn archived(&mut self, kind: Archived, digest: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        let mut statement = self.0.prepare_cached("SELECT content FROM archive WHERE kind = ? AND digest = ?")?;
        Ok(statement.query_row(params![kind.word(), digest], |row| row.get(0)).optional()?)
    }

    fn archive(&mut self) -> Result<Vec<(Archived, [u8; 32])>, StoreError> {
        let mut statement = self.0.prepare_cached("SELECT kind, digest FROM archive ORDER BY kind, digest")?;
        let rows = statement.query_map([], |row| {
            let kind: String = row.get(0)?;
            let kind = if kind == Archived::Package.word() { Archived::Package } else { Archived::Dictionary };
            Ok((kind, row.get::<_, Fixed<32>>(1)?.0))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn meta(&mut self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        read_meta(&self.0, key)
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        // Copies every page of the log into the file, syncs it, and empties the log.
        let busy: i64 = self.0.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy == 0 {
            return Ok(());
        }
        Err(StoreError::Down("another process reads the log all the time, so that it can't be settled".to_owned()))
    }
}

struct Writing<'a>(Transaction<'a>);

impl Batch for Writing<'_> {
    fn head(&mut self) -> Result<Head, StoreError> {
        read_head(&self.0)
    }

    fn requested(&mut self, tags: &[[u8; 16]]) -> Result<HashMap<[u8; 16], u64>, StoreError> {
        let mut statement = self.0.prepare_cached("SELECT idx FROM requests WHERE tag = ?")?;
        let mut found = HashMap::new();
        for tag in tags {
            let index = statement.query_row([tag], |row| Ok(row.get::<_, Index>(0)?.0)).optional()?;
            found.extend(index.map(|index| (*tag, index)));
        }
        Ok(found)
    }

    fn hashes(&mut self, from: u64) -> Result<Vec<Hash>, StoreError> {
        let mut statement = self.0.prepare_cached("SELECT leaf FROM entries WHERE idx >= ? ORDER BY idx")?;
        let rows = statement.query_map([Index(from)], |row| Ok(leaf_hash(row.get_ref(0)?.as_blob()?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn tile(&mut self, level: u32, n: u64) -> Result<Option<Vec<u8>>, StoreError> {
        read_tile(&self.0, level, n)
    }

    fn insert(&mut self, first: u64, entries: &[&Entry]) -> Result<(), StoreError> {
        let mut insert =
            self.0.prepare_cached("INSERT INTO entries (idx, id, at, of, leaf, body) VALUES (?, ?, ?, ?, ?, ?)")?;
        let mut key = self.0.prepare_cached("INSERT INTO keys (idx, subject, key) VALUES (?, ?, ?)")?;
        let mut request = self.0.prepare_cached("INSERT INTO requests (tag, idx) VALUES (?, ?)")?;
        for (index, entry) in (first..).zip(entries) {
            let of = entry.of.as_ref().map(Uuid::as_bytes);
            insert.execute(params![Index(index), entry.id.as_bytes(), entry.at, of, entry.leaf, entry.body])?;
            if let Some(wrapped) = &entry.key {
                key.execute(params![Index(index), entry.subject, wrapped])?;
            }
            if let Some(tag) = &entry.once {
                request.execute(params![tag, Index(index)])?;
            }
        }
        Ok(())
    }

    fn insert_tile(&mut self, level: u32, n: u64, hashes: &[u8]) -> Result<(), StoreError> {
        let mut statement = self.0.prepare_cached("INSERT INTO tiles (level, n, hashes) VALUES (?, ?, ?)")?;
        statement.execute(params![level, Index(n), hashes])?;
        Ok(())
    }

    fn put_checkpoint(&mut self, instead_of: Option<u64>, size: u64, note: &str) -> Result<(), StoreError> {
        if let Some(before) = instead_of {
            let mut statement = self.0.prepare_cached("UPDATE checkpoints SET size = ?, note = ? WHERE size = ?")?;
            if statement.execute(params![Index(size), note, Index(before)])? > 0 {
                return Ok(());
            }
        }
        let mut statement = self.0.prepare_cached("INSERT OR REPLACE INTO checkpoints (size, note) VALUES (?, ?)")?;
        statement.execute(params![Index(size), note])?;
        Ok(())
    }

    fn archive(&mut self, kind: Archived, digest: &[u8; 32], content: &[u8]) -> Result<(), StoreError> {
        let mut statement =
            self.0.prepare_cached("INSERT OR IGNORE INTO archive (kind, digest, content) VALUES (?, ?, ?)")?;
        statement.execute(params![kind.word(), digest, content])?;
        Ok(())
    }

    fn erase(&mut self, indices: &[u64]) -> Result<(), StoreError> {
        for index in indices {
            self.0.prepare_cached("DELETE FROM keys WHERE idx = ?")?.execute([Index(*index)])?;
            self.0.prepare_cached("DELETE FROM requests WHERE idx = ?")?.execute([Index(*index)])?;
        }
        Ok(())
    }

    fn keys(&mut self, from: u64, most: u64) -> Result<Vec<(u64, Uuid, Vec<u8>)>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT k.idx, e.id, k.key FROM keys k JOIN entries e ON e.idx = k.idx
             WHERE k.idx >= ? ORDER BY k.idx LIMIT ?",
        )?;
        let rows = statement.query_map(params![Index(from), Index(most)], |row| {
            Ok((row.get::<_, Index>(0)?.0, Uuid::from_bytes(row.get::<_, Fixed<16>>(1)?.0), row.get(2)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn rewrap(&mut self, keys: &[(u64, Vec<u8>)]) -> Result<(), StoreError> {
        let mut statement = self.0.prepare_cached("UPDATE keys SET key = ? WHERE idx = ?")?;
        for (index, wrapped) in keys {
            statement.execute(params![wrapped, Index(*index)])?;
        }
        Ok(())
    }

    fn prune(&mut self, before: u64) -> Result<(), StoreError> {
        for table in ["keys", "requests", "entries"] {
            self.0.execute(&format!("DELETE FROM {table} WHERE idx < ?"), [Index(before)])?;
        }
        Ok(())
    }

    fn meta(&mut self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        read_meta(&self.0, key)
    }

    fn set_meta(&mut self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.0.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", params![key, value])?;
        Ok(())
    }

    fn set_head(&mut self, head: &Head) -> Result<(), StoreError> {
        let mut statement = self.0.prepare_cached("UPDATE head SET size = ?, frontier = ?, first = ?, signed = ?")?;
        let (size, frontier) = (head.frontier.size(), head.frontier.bytes());
        statement.execute(params![Index(size), frontier, Index(head.first), Index(head.signed)])?;
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<(), StoreError> {
        Ok(self.0.commit()?)
    }
}
