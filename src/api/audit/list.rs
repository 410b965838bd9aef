//! Looks through the log, newest first.

use jiff::{Span, Timestamp};

use super::request::Filter;
use super::whole;
use crate::api::recording::part;
use crate::audit::entry::{Kind, Leaf};
use crate::audit::log::LogError;
use crate::audit::records::{Record, Records};

/// Entries that one page looks at, at most: what a page costs is bounded, however
/// few entries its filters let through.
pub const SCANNED: u64 = 1_000;

/// Entries that are read at once.
const CHUNK: u64 = 128;

/// How far the clock of the server may have been off for an entry to be found by
/// the end of a range.
const SKEW: i64 = 1;

/// An entry that was found; without a record where it is not what was written.
#[derive(Clone, Debug)]
pub struct Found {
    /// Index.
    pub index: u64,
    /// The entry.
    pub record: Option<Record>,
}

/// A part of a listing.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Newest first.
    pub found: Vec<Found>,
    /// The next page is of entries before this one; none: there is none.
    pub next: Option<u64>,
}

/// Entries before an index that pass a filter.
///
/// # Errors
/// [`LogError`].
pub fn page(records: &mut Records, filter: &Filter, before: Option<u64>, size: usize) -> Result<Page, LogError> {
    let head = records.store().head()?;
    let end = head.frontier.size();
    // Every entry below the first that was made then or later was made before.
    let low = match filter.from {
        Some(from) => records.store().since(from.as_microsecond())?.unwrap_or(end),
        None => 0,
    };
    let low = low.max(head.first);
    let mut high = match (before, filter.to) {
        (Some(before), _) => before.min(end),
        (None, Some(to)) => beyond(records, to)?.unwrap_or(end),
        (None, None) => end,
    };
    let mut page = Page::default();
    let mut left = SCANNED;
    while high > low && left > 0 && page.found.len() < size {
        let from = high.saturating_sub(CHUNK.min(left)).max(low);
        left = left.saturating_sub(high.saturating_sub(from));
        let mut rows = records.store().rows(from, high, CHUNK)?;
        while high > from && page.found.len() < size {
            high = high.saturating_sub(1);
            let found = match rows.pop_if(|row| row.index == high) {
                None if high < records.store().head()?.first => return Ok(Page { next: None, ..page }),
                None => Some(None),
                Some(row) => match Leaf::read(&row.leaf) {
                    Ok(leaf) if !fits(&leaf, filter) => None,
                    _ => Some(whole(records.open(row))?),
                },
            };
            let Some(record) = found else { continue };
            if record.as_ref().is_none_or(|record| fired(record, filter)) {
                page.found.push(Found { index: high, record });
            }
        }
    }
    page.next = Some(high).filter(|next| *next > low);
    Ok(page)
}

/// The first entry that was surely made after an instant.
fn beyond(records: &mut Records, to: Timestamp) -> Result<Option<u64>, LogError> {
    let to = to.checked_add(Span::new().hours(SKEW)).unwrap_or(Timestamp::MAX);
    Ok(records.store().since(to.as_microsecond())?)
}

/// As far as what is in clear tells.
fn fits(leaf: &Leaf, filter: &Filter) -> bool {
    let kind = match leaf.kind {
        Kind::Decision => filter.decisions,
        Kind::Refusal => filter.refusals,
        _ => false,
    };
    let made = leaf.made();
    let same = |wanted: &Option<String>, is: &Option<String>| wanted.is_none() || wanted == is;
    kind && filter.from.is_none_or(|from| made.is_none_or(|made| made >= from))
        && filter.to.is_none_or(|to| made.is_none_or(|made| made < to))
        && same(&filter.caller, &leaf.caller)
        && same(&filter.ruleset, &leaf.ruleset)
        && same(&filter.status, &leaf.status)
}

/// Did the rule fire that is asked for?
fn fired(record: &Record, filter: &Filter) -> bool {
    let Some(rule) = &filter.rule else { return true };
    rules(record).is_some_and(|rules| rules.iter().any(|fired| fired == rule))
}

/// Ids of the rules that fired; none where it is not known.
#[must_use]
pub fn rules(record: &Record) -> Option<Vec<String>> {
    let bytes = record.content.as_ref()?.part(part::RULES)?;
    Some(str::from_utf8(bytes).ok()?.lines().map(ToOwned::to_owned).collect())
}
