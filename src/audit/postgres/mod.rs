//! The log in a PostgreSQL database, for services of more than one process. The
//! row of the head is taken before anything is written, so that all of them make
//! one sequence.

mod fault;
mod schema;
mod server;

use std::collections::HashMap;

use tokio_postgres::Row as Columns;
use tokio_postgres::types::{FromSql, ToSql};
use uuid::Uuid;

pub use self::server::Server;
use self::server::{LONG, Session};
use super::entry::Entry;
use super::store::{Archived, Batch, Head, Row, Store, StoreError, Tally, damaged};
use super::tree::{Frontier, Hash, leaf_hash};

const HEAD: &str = "SELECT size, frontier, first, signed FROM head";
const TAKE_HEAD: &str = "SELECT size, frontier, first, signed FROM head FOR UPDATE";
const SET_HEAD: &str = "UPDATE head SET size = $1, frontier = $2, first = $3, signed = $4";
const TILE: &str = "SELECT hashes FROM tiles WHERE level = $1 AND n = $2";
const META: &str = "SELECT value FROM meta WHERE key = $1";

/// One statement for a batch of entries, with what goes with them.
const INSERT: &str = "
WITH of_keys AS (INSERT INTO keys (idx, subject, key) SELECT * FROM unnest($1::BIGINT[], $2::BYTEA[], $3::BYTEA[])),
    of_requests AS (INSERT INTO requests (tag, idx) SELECT * FROM unnest($4::BYTEA[], $5::BIGINT[]))
INSERT INTO entries (idx, id, at, of, leaf, body)
    SELECT * FROM unnest($6::BIGINT[], $7::BYTEA[], $8::BIGINT[], $9::BYTEA[], $10::BYTEA[], $11::BYTEA[])";

/// The log in a database.
#[derive(Debug)]
pub struct Postgres {
    session: Session,
    /// Rows with keys were deleted, and are to be overwritten.
    deleted: bool,
}

impl Server {
    /// Opens the database, and makes the tables where there are none. Blocking.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(&self) -> Result<Postgres, StoreError> {
        let session = Session::open(self)?;
        schema::migrate(&session)?;
        Ok(Postgres { session, deleted: false })
    }
}

/// An index, a size or a number of a tile as a table keeps it.
fn whole(value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|_| damaged("a number is too large"))
}

fn unsigned(columns: &Columns, at: usize) -> Result<u64, StoreError> {
    u64::try_from(columns.try_get::<_, i64>(at)?).map_err(|_| damaged("a number is below zero"))
}

fn bytes<const N: usize>(columns: &Columns, at: usize) -> Result<[u8; N], StoreError> {
    columns.try_get::<_, &[u8]>(at)?.try_into().map_err(|_| damaged("a value is not of its length"))
}

fn bytes_or_none<const N: usize>(columns: &Columns, at: usize) -> Result<Option<[u8; N]>, StoreError> {
    columns.try_get::<_, Option<&[u8]>>(at)?.map(|_| bytes(columns, at)).transpose()
}

/// The value of the one row that there may be.
fn value<T: for<'a> FromSql<'a>>(mut rows: Vec<Columns>) -> Result<Option<T>, StoreError> {
    Ok(rows.pop().map(|columns| columns.try_get(0)).transpose()?)
}

fn indices(rows: &[Columns]) -> Result<Vec<u64>, StoreError> {
    rows.iter().map(|columns| unsigned(columns, 0)).collect()
}

fn head(mut rows: Vec<Columns>) -> Result<Head, StoreError> {
    let columns = rows.pop().filter(|_| rows.is_empty()).ok_or_else(|| damaged("it has no head, or more than one"))?;
    let frontier = Frontier::read(unsigned(&columns, 0)?, columns.try_get(1)?)
        .ok_or_else(|| damaged("the head does not fit its own size"))?;
    Ok(Head { frontier, first: unsigned(&columns, 2)?, signed: unsigned(&columns, 3)? })
}

fn row(columns: &Columns) -> Result<Row, StoreError> {
    Ok(Row {
        index: unsigned(columns, 0)?,
        id: Uuid::from_bytes(bytes(columns, 1)?),
        at: columns.try_get(2)?,
        of: bytes_or_none(columns, 3)?.map(Uuid::from_bytes),
        leaf: columns.try_get(4)?,
        body: columns.try_get(5)?,
        key: columns.try_get(6)?,
        subject: bytes_or_none(columns, 7)?,
    })
}

impl Store for Postgres {
    fn begin(&mut self) -> Result<Box<dyn Batch + '_>, StoreError> {
        let take = self.session.statement(TAKE_HEAD)?;
        // Made first: where the head can't be taken it ends the transaction.
        let mut writing = Writing { head: Head::default(), store: self, deletes: false, open: true };
        let client = &writing.store.session.client;
        let taken = async { tokio::try_join!(biased; client.batch_execute("BEGIN"), client.query(&take, &[])) };
        let ((), rows) = writing.store.session.wait(taken)?;
        writing.head = head(rows)?;
        Ok(Box::new(writing))
    }

    fn head(&mut self) -> Result<Head, StoreError> {
        head(self.session.query(HEAD, &[])?)
    }

    fn rows(&mut self, from: u64, to: u64, most: u64) -> Result<Vec<Row>, StoreError> {
        // An index that no entry can have is as good as the highest that one can.
        let [from, to, most] = [from, to, most].map(|value| i64::try_from(value).unwrap_or(i64::MAX));
        let rows = self.session.query(
            "SELECT e.idx, e.id, e.at, e.of, e.leaf, e.body, k.key, k.subject
             FROM entries e LEFT JOIN keys k ON k.idx = e.idx
             WHERE e.idx >= $1 AND e.idx < $2 ORDER BY e.idx LIMIT $3",
            &[&from, &to, &most],
        )?;
        rows.iter().map(row).collect()
    }

    fn find(&mut self, id: &Uuid) -> Result<Option<u64>, StoreError> {
        let rows = self.session.query("SELECT idx FROM entries WHERE id = $1", &[&id.as_bytes().as_slice()])?;
        Ok(indices(&rows)?.pop())
    }

    fn since(&mut self, at: i64) -> Result<Option<u64>, StoreError> {
        let rows = self.session.query("SELECT idx FROM entries WHERE at >= $1 ORDER BY idx LIMIT 1", &[&at])?;
        Ok(indices(&rows)?.pop())
    }

    fn about(&mut self, of: &Uuid) -> Result<Vec<u64>, StoreError> {
        let of = of.as_bytes().as_slice();
        indices(&self.session.query("SELECT idx FROM entries WHERE of = $1 ORDER BY idx", &[&of])?)
    }

    fn of_subject(&mut self, tag: &[u8; 16]) -> Result<Vec<u64>, StoreError> {
        let tag = tag.as_slice();
        indices(&self.session.query("SELECT idx FROM keys WHERE subject = $1 ORDER BY idx", &[&tag])?)
    }

    fn tile(&mut self, level: u32, n: u64) -> Result<Option<Vec<u8>>, StoreError> {
        tile(&mut self.session, level, n)
    }

    fn requests(&mut self, from: u64, to: u64) -> Result<Vec<(u64, [u8; 16])>, StoreError> {
        let [from, to] = [from, to].map(|value| i64::try_from(value).unwrap_or(i64::MAX));
        let rows = self
            .session
            .query("SELECT idx, tag FROM requests WHERE idx >= $1 AND idx < $2 ORDER BY idx, tag", &[&from, &to])?;
        rows.iter().map(|columns| Ok((unsigned(columns, 0)?, bytes(columns, 1)?))).collect()
    }

    fn tally(&mut self) -> Result<Tally, StoreError> {
        let rows = self.session.query(
            "SELECT size, first, (SELECT count(*) FROM entries), (SELECT count(*) FROM tiles),
                 (SELECT count(*) FROM keys k WHERE NOT EXISTS (SELECT FROM entries e WHERE e.idx = k.idx)),
                 (SELECT count(*) FROM requests r WHERE NOT EXISTS (SELECT FROM entries e WHERE e.idx = r.idx)),
                 signed, (SELECT coalesce(max(size), 0) FROM checkpoints),
                 (SELECT count(*) FROM checkpoints WHERE size < 1)
             FROM head",
            &[],
        )?;
        let columns = rows.first().ok_or_else(|| damaged("it has no head"))?;
        Ok(Tally {
            size: unsigned(columns, 0)?,
            first: unsigned(columns, 1)?,
            entries: unsigned(columns, 2)?,
            tiles: unsigned(columns, 3)?,
            stray_keys: unsigned(columns, 4)?,
            stray_requests: unsigned(columns, 5)?,
            signed: unsigned(columns, 6)?,
            last_checkpoint: unsigned(columns, 7)?,
            stray_checkpoints: unsigned(columns, 8)?,
        })
    }

    fn faults(&mut self) -> Result<Vec<String>, StoreError> {
        // The server has its own means for its files (`pg_amcheck`), which need more rights than the service has.
        Ok(Vec::new())
    }

    fn checkpoints(&mut self, from: u64, most: u64) -> Result<Vec<(u64, String)>, StoreError> {
        let [from, most] = [from, most].map(|value| i64::try_from(value).unwrap_or(i64::MAX));
        let rows = self
            .session
            .query("SELECT size, note FROM checkpoints WHERE size >= $1 ORDER BY size LIMIT $2", &[&from, &most])?;
        rows.iter().map(|columns| Ok((unsigned(columns, 0)?, columns.try_get(1)?))).collect()
    }

    fn checkpoint(&mut self) -> Result<Option<String>, StoreError> {
        value(self.session.query("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1", &[])?)
    }

    fn archived(&mut self, kind: Archived, digest: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        let digest = digest.as_slice();
        value(
            self.session
                .query("SELECT content FROM archive WHERE kind = $1 AND digest = $2", &[&kind.word(), &digest])?,
        )
    }

    fn archive(&mut self) -> Result<Vec<(Archived, [u8; 32])>, StoreError> {
        let rows = self.session.query("SELECT kind, digest FROM archive ORDER BY kind, digest", &[])?;
        let read = |columns: &Columns| {
            let kind: &str = columns.try_get(0)?;
            let kind = if kind == Archived::Package.word() { Archived::Package } else { Archived::Dictionary };
            Ok((kind, bytes(columns, 1)?))
        };
        rows.iter().map(read).collect()
    }

    fn meta(&mut self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        value(self.session.query(META, &[&key])?)
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        if !self.deleted {
            // The server writes again what a failed sync may have lost, when it starts: that it answers is enough.
            return self.session.run("");
        }
        self.session.run_long("VACUUM (INDEX_CLEANUP ON) keys, requests, entries, meta")?;
        self.deleted = false;
        Ok(())
    }
}

fn tile(session: &mut Session, level: u32, n: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let Ok(n) = i64::try_from(n) else { return Ok(None) };
    value(session.query(TILE, &[&i32::try_from(level).unwrap_or(i32::MAX), &n])?)
}

/// A transaction that has the head. One that is dropped is undone.
struct Writing<'a> {
    store: &'a mut Postgres,
    head: Head,
    deletes: bool,
    open: bool,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.store.session.be_patient(None);
        if self.open {
            // Where that fails, the connection is lost, which is what the next use of it says.
            let _ = self.store.session.run("ROLLBACK");
        }
    }
}

impl Writing<'_> {
    fn session(&mut self) -> &mut Session {
        &mut self.store.session
    }

    /// Work on many rows.
    fn take_time(&mut self) -> Result<(), StoreError> {
        self.deletes = true;
        self.session().run("SET LOCAL statement_timeout = 0")?;
        self.session().be_patient(Some(LONG));
        Ok(())
    }
}

impl Batch for Writing<'_> {
    fn head(&mut self) -> Result<Head, StoreError> {
        Ok(self.head.clone())
    }

    fn requested(&mut self, tags: &[[u8; 16]]) -> Result<HashMap<[u8; 16], u64>, StoreError> {
        let tags: Vec<&[u8]> = tags.iter().map(<[u8; 16]>::as_slice).collect();
        let rows = self.session().query("SELECT tag, idx FROM requests WHERE tag = ANY($1)", &[&tags])?;
        rows.iter().map(|columns| Ok((bytes(columns, 0)?, unsigned(columns, 1)?))).collect()
    }

    fn hashes(&mut self, from: u64) -> Result<Vec<Hash>, StoreError> {
        let from = whole(from)?;
        let rows = self.session().query("SELECT leaf FROM entries WHERE idx >= $1 ORDER BY idx", &[&from])?;
        rows.iter().map(|columns| Ok(leaf_hash(columns.try_get(0)?))).collect()
    }

    fn tile(&mut self, level: u32, n: u64) -> Result<Option<Vec<u8>>, StoreError> {
        tile(self.session(), level, n)
    }

    fn insert(&mut self, first: u64, entries: &[&Entry]) -> Result<(), StoreError> {
        let (mut index, mut id, mut at, mut of, mut leaf, mut body) = (vec![], vec![], vec![], vec![], vec![], vec![]);
        let (mut keyed, mut subject, mut key) = (vec![], vec![], vec![]);
        let (mut tag, mut requested) = (vec![], vec![]);
        for (number, entry) in (first..).zip(entries) {
            let number = whole(number)?;
            index.push(number);
            id.push(entry.id.as_bytes().as_slice());
            at.push(entry.at);
            of.push(entry.of.as_ref().map(|of| of.as_bytes().as_slice()));
            leaf.push(entry.leaf.as_slice());
            body.push(entry.body.as_deref());
            if let Some(wrapped) = &entry.key {
                keyed.push(number);
                subject.push(entry.subject.as_ref().map(<[u8; 16]>::as_slice));
                key.push(wrapped.as_slice());
            }
            if let Some(once) = &entry.once {
                tag.push(once.as_slice());
                requested.push(number);
            }
        }
        self.session()
            .execute(INSERT, &[&keyed, &subject, &key, &tag, &requested, &index, &id, &at, &of, &leaf, &body])?;
        Ok(())
    }

    fn insert_tile(&mut self, level: u32, n: u64, hashes: &[u8]) -> Result<(), StoreError> {
        let (level, n) = (i32::try_from(level).map_err(|_| damaged("a number is too large"))?, whole(n)?);
        self.session().execute("INSERT INTO tiles (level, n, hashes) VALUES ($1, $2, $3)", &[&level, &n, &hashes])?;
        Ok(())
    }

    fn put_checkpoint(&mut self, instead_of: Option<u64>, size: u64, note: &str) -> Result<(), StoreError> {
        if let Some(before) = instead_of {
            let moved = "UPDATE checkpoints SET size = $1, note = $2 WHERE size = $3";
            if self.session().execute(moved, &[&whole(size)?, &note, &whole(before)?])? > 0 {
                return Ok(());
            }
        }
        self.session().execute(
            "INSERT INTO checkpoints (size, note) VALUES ($1, $2)
             ON CONFLICT (size) DO UPDATE SET note = EXCLUDED.note",
            &[&whole(size)?, &note],
        )?;
        Ok(())
    }

    fn archive(&mut self, kind: Archived, digest: &[u8; 32], content: &[u8]) -> Result<(), StoreError> {
        self.session().execute(
            "INSERT INTO archive (kind, digest, content) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            &[&kind.word(), &digest.as_slice(), &content],
        )?;
        Ok(())
    }

    fn erase(&mut self, indices: &[u64]) -> Result<(), StoreError> {
        let indices = indices.iter().map(|index| whole(*index)).collect::<Result<Vec<i64>, _>>()?;
        self.take_time()?;
        self.session().execute("DELETE FROM keys WHERE idx = ANY($1)", &[&indices])?;
        self.session().execute("DELETE FROM requests WHERE idx = ANY($1)", &[&indices])?;
        Ok(())
    }

    fn prune(&mut self, before: u64) -> Result<(), StoreError> {
        let before = whole(before)?;
        self.take_time()?;
        self.session().execute("DELETE FROM keys WHERE idx < $1", &[&before])?;
        self.session().execute("DELETE FROM requests WHERE idx < $1", &[&before])?;
        self.session().execute("DELETE FROM entries WHERE idx < $1", &[&before])?;
        Ok(())
    }

    fn keys(&mut self, from: u64, most: u64) -> Result<Vec<(u64, Uuid, Vec<u8>)>, StoreError> {
        let [from, most] = [from, most].map(|value| i64::try_from(value).unwrap_or(i64::MAX));
        let rows = self.session().query(
            "SELECT k.idx, e.id, k.key FROM keys k JOIN entries e ON e.idx = k.idx
             WHERE k.idx >= $1 ORDER BY k.idx LIMIT $2",
            &[&from, &most],
        )?;
        let read =
            |columns: &Columns| Ok((unsigned(columns, 0)?, Uuid::from_bytes(bytes(columns, 1)?), columns.try_get(2)?));
        rows.iter().map(read).collect()
    }

    fn rewrap(&mut self, keys: &[(u64, Vec<u8>)]) -> Result<(), StoreError> {
        let indices = keys.iter().map(|(index, _)| whole(*index)).collect::<Result<Vec<i64>, _>>()?;
        let wrapped: Vec<&[u8]> = keys.iter().map(|(_, key)| key.as_slice()).collect();
        self.take_time()?;
        self.session().execute(
            "UPDATE keys SET key = new.key FROM unnest($1::BIGINT[], $2::BYTEA[]) AS new (idx, key)
             WHERE keys.idx = new.idx",
            &[&indices, &wrapped],
        )?;
        Ok(())
    }

    fn meta(&mut self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        value(self.session().query(META, &[&key])?)
    }

    fn set_meta(&mut self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.session().execute(
            "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value",
            &[&key, &value],
        )?;
        Ok(())
    }

    fn set_head(&mut self, head: &Head) -> Result<(), StoreError> {
        self.head = head.clone();
        Ok(())
    }

    fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        let Head { frontier, first, signed } = self.head.clone();
        let (size, first, signed) = (whole(frontier.size())?, whole(first)?, whole(signed)?);
        let frontier = frontier.bytes();
        let session = self.session();
        let statement = session.statement(SET_HEAD)?;
        let client = &session.client;
        let values: [&(dyn ToSql + Sync); 4] = [&size, &frontier, &first, &signed];
        // The head is written whether it changed or not: the server answers the COMMIT of a transaction that failed
        // as it answers any other, and only what stands before it tells. And a COMMIT that waits for a standby is
        // answered as done when the limit of a statement ends the wait: it has none, and is given up from here.
        let (rows, (), ()) = session.wait(async {
            tokio::try_join!(biased;
                client.execute(&statement, &values),
                client.batch_execute("SET LOCAL statement_timeout = 0"),
                client.batch_execute("COMMIT"),
            )
        })?;
        self.open = false;
        self.store.deleted |= self.deletes;
        if rows == 1 { Ok(()) } else { Err(damaged("it has no head, or more than one")) }
    }
}
