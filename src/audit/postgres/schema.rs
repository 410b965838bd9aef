//! The tables, and the version of them that a database has.

use super::super::store::{SCHEMA, newer};
use super::StoreError;
use super::server::Session;

/// Names the lock under which tables are made: "concord" in ASCII.
const LOCK: i64 = 0x63_6f6e_636f_7264;

/// Bodies are sealed, and can't be compressed.
const TABLES: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value BYTEA NOT NULL);
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), size BIGINT NOT NULL, frontier BYTEA NOT NULL,
    first BIGINT NOT NULL, signed BIGINT NOT NULL);
CREATE TABLE entries (idx BIGINT PRIMARY KEY, id BYTEA NOT NULL UNIQUE, at BIGINT NOT NULL, of BYTEA,
    leaf BYTEA NOT NULL, body BYTEA);
ALTER TABLE entries ALTER body SET STORAGE EXTERNAL;
CREATE INDEX entries_at ON entries (at);
CREATE INDEX entries_of ON entries (of) WHERE of IS NOT NULL;
CREATE TABLE keys (idx BIGINT PRIMARY KEY, subject BYTEA, key BYTEA NOT NULL);
CREATE INDEX keys_subject ON keys (subject) WHERE subject IS NOT NULL;
CREATE TABLE requests (tag BYTEA PRIMARY KEY, idx BIGINT NOT NULL);
CREATE INDEX requests_idx ON requests (idx);
CREATE TABLE tiles (level INTEGER NOT NULL, n BIGINT NOT NULL, hashes BYTEA NOT NULL, PRIMARY KEY (level, n));
CREATE TABLE checkpoints (size BIGINT PRIMARY KEY, note TEXT NOT NULL);
CREATE TABLE archive (kind TEXT NOT NULL, digest BYTEA NOT NULL, content BYTEA NOT NULL, PRIMARY KEY (kind, digest));
INSERT INTO head VALUES (1, 0, '', 0, 0);
CREATE TABLE concord_audit (version INTEGER NOT NULL);
";

/// Makes the tables where there are none.
pub(super) fn migrate(session: &Session) -> Result<(), StoreError> {
    match version(session)? {
        Some(version) => return known(version),
        None => session.run(&format!("BEGIN; SELECT pg_advisory_xact_lock({LOCK})"))?,
    }
    // Another process may have made them meanwhile.
    match version(session)? {
        Some(version) => session.run("ROLLBACK").and_then(|()| known(version)),
        None => session.run(&format!("{TABLES} INSERT INTO concord_audit VALUES ({SCHEMA}); COMMIT")),
    }
}

fn known(version: i32) -> Result<(), StoreError> {
    if u32::try_from(version) == Ok(SCHEMA) { Ok(()) } else { Err(newer(version)) }
}

/// The version of the tables; none where there are none.
fn version(session: &Session) -> Result<Option<i32>, StoreError> {
    // Asked for first, since an error would end a transaction; and of the table of tables, since what stands for names
    // of tables may be older than the lock that was waited for.
    let there = session.wait(session.client.query_one(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_tables
                        WHERE tablename = 'concord_audit' AND schemaname = ANY (current_schemas(false)))",
        &[],
    ))?;
    if !there.try_get::<_, bool>(0)? {
        return Ok(None);
    }
    let row = session.wait(session.client.query_one("SELECT version FROM concord_audit", &[]))?;
    Ok(Some(row.try_get(0)?))
}
