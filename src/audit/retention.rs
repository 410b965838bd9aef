//! Retention: deletes the oldest entries once they were kept long enough, whole
//! tiles at a time, and says so in the log. The hashes of their leaves stay.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::entry::{Draft, Kind, Leaf};
use super::store::{Store, StoreError};
use super::tree::TILE;

/// Entries deleted at once: what waits to be written waits no longer for it than
/// for a few hundred answers.
const MOST: u64 = 4_096;

/// The instant before which entries were kept for so many calendar years, UTC;
/// none where they are kept for ever.
#[must_use]
pub fn due(now: Timestamp, years: u32) -> Option<Timestamp> {
    let years = i64::from(years);
    let span = Span::new().try_years(years).ok().filter(|_| years > 0)?;
    now.to_zoned(TimeZone::UTC).checked_sub(span).ok().map(|due| due.timestamp())
}

/// Entries below this index can go: all of them were made before the instant,
/// all are in full tiles and below the last checkpoint. None where there is none
/// to delete. More may be due after these.
///
/// # Errors
/// Where the store can't be read.
pub fn point(store: &mut dyn Store, before: Timestamp) -> Result<Option<u64>, StoreError> {
    let head = store.head()?;
    let young = store.since(before.as_microsecond())?.unwrap_or(u64::MAX);
    let point = young.min(head.signed).min(head.first.saturating_add(MOST));
    let point = point.saturating_sub(point % TILE);
    Ok((point > head.first).then_some(point))
}

/// What the log says of it.
#[must_use]
pub fn draft(point: u64, caller: Option<String>, method: Option<String>) -> Draft {
    Draft::clear(Leaf { first: Some(point), caller, method, ..Leaf::new(Kind::Retention) })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::entry::{Entry, instant};
    use super::super::log::{Access, Effect, Log};
    use super::super::records::Records;
    use super::super::seal::LocalKey;
    use super::super::sqlite::Sqlite;
    use super::*;

    /// A log with an entry a day, from 2020 on.
    fn log(dir: &std::path::Path, days: i64, signed: bool) -> Log {
        let (master, signing_key) = (Arc::new(LocalKey::new(&[1; 32])), dir.join("signing.key"));
        let access = Access { master, signing_key, origin: None };
        let mut log = Log::open(Box::new(Sqlite::open(dir).unwrap()), &access).unwrap();
        let first: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
        let on = |day: i64| Leaf {
            at: instant(first + jiff::SignedDuration::from_hours(24 * day)),
            ..Leaf::new(Kind::Read)
        };
        let entries: Vec<_> = (0..days).map(|day| Entry::clear(&on(day)).unwrap().into()).collect();
        log.append(&entries, signed).unwrap();
        log
    }

    fn at(date: &str) -> Timestamp {
        format!("{date}T00:00:00Z").parse().unwrap()
    }

    #[test]
    fn whole_tiles_of_what_is_older_go_and_nothing_that_is_not_signed() {
        let dir = tempfile::tempdir().unwrap();
        // Its first two entries, of now, say that it was created: they are younger than what follows.
        let mut fresh = log(dir.path(), 1_000, true);
        assert_eq!(point(fresh.store(), at("2022-01-01")).unwrap(), None);
        let now = Timestamp::now() + jiff::SignedDuration::from_hours(24);
        // 2,560 would be due; of 1,002 entries the full tiles are three.
        assert_eq!(point(fresh.store(), now).unwrap(), Some(768));
        let dir = tempfile::tempdir().unwrap();
        let mut unsigned = log(dir.path(), 1_000, false);
        // As a program leaves it that signs later than it writes.
        let change = rusqlite::Connection::open(dir.path().join(super::super::sqlite::FILE)).unwrap();
        change.execute_batch("UPDATE head SET signed = 2").unwrap();
        assert_eq!(point(unsigned.store(), now).unwrap(), None);
    }

    #[test]
    fn a_log_is_pruned_again_and_again_and_stays_whole() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = log(dir.path(), 1_200, true);
        // As if it had been created long ago.
        let change = rusqlite::Connection::open(dir.path().join(super::super::sqlite::FILE)).unwrap();
        change.execute_batch("UPDATE entries SET at = 0 WHERE idx < 2").unwrap();
        drop(change);
        let mut pruned = Vec::new();
        for now in ["2025-12-31", "2026-09-10", "2026-09-11", "2027-06-01", "2040-01-01"] {
            if let Some(before) = due(at(now), 6)
                && let Some(first) = point(log.store(), before).unwrap()
            {
                log.append_draft(draft(first, None, None), Effect::Prune(first)).unwrap();
                pruned.push(first);
            }
        }
        // Entry 256 is of 2020-09-11: six years later what is before it is old.
        assert_eq!(pruned, [256, 512, 1_024]);
        let head = log.store().head().unwrap();
        assert_eq!((head.first, head.frontier.size()), (1_024, 1_205));
        assert!(log.store().rows(0, 1_024, 9).unwrap().is_empty());
        let (_, checkpoint) =
            Records::new(Box::new(Sqlite::open(dir.path()).unwrap()), log.vault().clone()).checkpoint().unwrap();
        assert_eq!((checkpoint.size, checkpoint.root), (1_205, head.frontier.root()));
        drop(log);
        // It opens, which reads its end and its tiles.
        self::log(dir.path(), 1, true);
    }

    #[test]
    fn years_are_those_of_the_calendar() {
        let now: Timestamp = "2028-02-29T12:00:00Z".parse().unwrap();
        assert_eq!(due(now, 6).unwrap().to_string(), "2022-02-28T12:00:00Z");
        assert_eq!(due(now, 4).unwrap().to_string(), "2024-02-29T12:00:00Z");
        assert_eq!(due(now, 0), None);
        assert_eq!(due(now, u32::MAX), None);
    }
}
