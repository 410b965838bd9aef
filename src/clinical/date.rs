//! Dates as FHIR writes them: possibly partial, read as an interval from the
//! earliest to the latest moment they can mean.

use std::fmt;

use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use jiff::{SignedDuration, Span, Timestamp};
use serde::Serialize;

/// Why a text is not a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateFault {
    /// Not of the form `YYYY`, `YYYY-MM`, `YYYY-MM-DD` or RFC 3339.
    Form,
    /// Of the right form, and not in the calendar (30 February).
    Impossible,
}

/// A FHIR date or dateTime.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FhirDate {
    text: String,
    meaning: Meaning,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Meaning {
    Days { first: Date, last: Date },
    Instant(Timestamp),
}

/// An interval of local time: a moment somewhere between both ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    /// Earliest moment.
    pub earliest: DateTime,
    /// Latest moment.
    pub latest: DateTime,
}

impl FhirDate {
    /// Reads `YYYY`, `YYYY-MM`, `YYYY-MM-DD`, or RFC 3339 with seconds and offset.
    ///
    /// # Errors
    /// [`DateFault`] where the text is not such a date.
    pub fn parse(text: &str) -> Result<Self, DateFault> {
        let meaning = match text.len() {
            4 | 7 | 10 => parse_days(text)?,
            _ => Meaning::Instant(parse_instant(text)?.0),
        };
        Ok(Self { text: text.to_owned(), meaning })
    }

    /// The text as it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The interval it means for a clock with the offset of `as_of`.
    #[must_use]
    pub fn interval(&self, as_of: &AsOf) -> Interval {
        match self.meaning {
            Meaning::Days { first, last } => {
                Interval { earliest: first.at(0, 0, 0, 0), latest: last.at(23, 59, 59, 0) }
            }
            Meaning::Instant(instant) => {
                let local = as_of.offset.to_datetime(instant);
                Interval { earliest: local, latest: local }
            }
        }
    }
}

impl fmt::Display for FhirDate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

fn digits(text: &str, from: usize, to: usize) -> Result<i16, DateFault> {
    let part = text.get(from..to).ok_or(DateFault::Form)?;
    if part.bytes().all(|byte| byte.is_ascii_digit()) {
        part.parse().map_err(|_| DateFault::Form)
    } else {
        Err(DateFault::Form)
    }
}

fn parse_days(text: &str) -> Result<Meaning, DateFault> {
    let hyphen = |at: usize| text.as_bytes().get(at) == Some(&b'-');
    let year = digits(text, 0, 4)?;
    if year == 0 {
        return Err(DateFault::Impossible);
    }
    let month = |number: i16| i8::try_from(number).map_err(|_| DateFault::Impossible);
    let day = |y, m: i16, d: i16| Date::new(y, month(m)?, month(d)?).map_err(|_| DateFault::Impossible);
    match text.len() {
        4 => Ok(Meaning::Days { first: day(year, 1, 1)?, last: day(year, 12, 31)? }),
        7 if hyphen(4) => {
            let first = day(year, digits(text, 5, 7)?, 1)?;
            Ok(Meaning::Days { first, last: first.last_of_month() })
        }
        10 if hyphen(4) && hyphen(7) => {
            let only = day(year, digits(text, 5, 7)?, digits(text, 8, 10)?)?;
            Ok(Meaning::Days { first: only, last: only })
        }
        _ => Err(DateFault::Form),
    }
}

/// RFC 3339 with seconds and offset, and nothing that is only near to it.
fn parse_instant(text: &str) -> Result<(Timestamp, Offset), DateFault> {
    let bytes = text.as_bytes();
    let well_formed = text.is_ascii()
        && bytes.len() >= 20
        && bytes.get(10) == Some(&b'T')
        && bytes.get(13) == Some(&b':')
        && bytes.get(16) == Some(&b':');
    if !well_formed {
        return Err(DateFault::Form);
    }
    let days = text.get(..10).ok_or(DateFault::Form)?;
    parse_days(days)?;
    let (clock, zone) = split_zone(text.get(11..).ok_or(DateFault::Form)?)?;
    let plain = clock.bytes().all(|byte| byte.is_ascii_digit() || byte == b':' || byte == b'.');
    if !plain {
        return Err(DateFault::Form);
    }
    let offset = if zone == "Z" {
        Offset::UTC
    } else {
        let sign = if zone.starts_with('-') { -1 } else { 1 };
        let hours = i32::from(digits(zone, 1, 3)?);
        let minutes = i32::from(digits(zone, 4, 6)?);
        if hours > 14 || minutes > 59 {
            return Err(DateFault::Impossible);
        }
        Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).map_err(|_| DateFault::Impossible)?
    };
    let instant: Timestamp = text.parse().map_err(|_| DateFault::Impossible)?;
    Ok((instant, offset))
}

fn split_zone(rest: &str) -> Result<(&str, &str), DateFault> {
    if let Some(clock) = rest.strip_suffix('Z') {
        return Ok((clock, "Z"));
    }
    let at = rest.len().checked_sub(6).ok_or(DateFault::Form)?;
    let (clock, zone) = rest.split_at_checked(at).ok_or(DateFault::Form)?;
    let bytes = zone.as_bytes();
    let signed = matches!(bytes.first(), Some(b'+' | b'-')) && bytes.get(3) == Some(&b':');
    if signed { Ok((clock, zone)) } else { Err(DateFault::Form) }
}

/// The instant that is "now" for every rule, with the offset in which dates
/// without a time are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AsOf {
    instant: Timestamp,
    offset: Offset,
}

impl AsOf {
    /// An instant of the clock, read in UTC.
    #[must_use]
    pub fn utc(instant: Timestamp) -> Self {
        Self { instant, offset: Offset::UTC }
    }

    /// Reads RFC 3339 with an offset, or a full date as the end of that day, UTC.
    ///
    /// # Errors
    /// [`DateFault`] where the text is neither.
    pub fn parse(text: &str) -> Result<Self, DateFault> {
        if text.len() == 10 {
            let Meaning::Days { last, .. } = parse_days(text)? else {
                return Err(DateFault::Form);
            };
            let instant = Offset::UTC.to_timestamp(last.at(23, 59, 59, 0)).map_err(|_| DateFault::Impossible)?;
            return Ok(Self::utc(instant));
        }
        let (instant, offset) = parse_instant(text)?;
        Ok(Self { instant, offset })
    }

    /// Local date and time.
    #[must_use]
    pub fn local(&self) -> DateTime {
        self.offset.to_datetime(self.instant)
    }

    /// The moment `length` before now. Days and longer count from the start of
    /// the day, so that "within N days" includes day N.
    #[must_use]
    pub fn before(&self, length: Length) -> DateTime {
        let now = self.local();
        match length.unit {
            LengthUnit::Hours => {
                now.checked_sub(SignedDuration::from_hours(i64::from(length.count))).unwrap_or(DateTime::MIN)
            }
            _ => now.date().checked_sub(length.span()).unwrap_or(Date::MIN).at(0, 0, 0, 0),
        }
    }
}

impl fmt::Display for AsOf {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.offset == Offset::UTC {
            write!(out, "{}", self.instant)
        } else {
            write!(out, "{}", self.instant.display_with_offset(self.offset))
        }
    }
}

/// A length of time as rules write it: `28 days`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Length {
    /// How many.
    pub count: u32,
    /// Of what.
    pub unit: LengthUnit,
}

/// The unit of a [`Length`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LengthUnit {
    /// Hours of the clock.
    Hours,
    /// Calendar days.
    Days,
    /// Calendar weeks.
    Weeks,
    /// Calendar months.
    Months,
    /// Calendar years.
    Years,
}

impl Length {
    /// Longest length a rule may use, in its unit.
    pub const MAX: u32 = 10_000;

    /// Reads `28 days`, `1 hour`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (count, unit) = text.trim().split_once(' ')?;
        let count: u32 = count.parse().ok().filter(|count| *count <= Self::MAX)?;
        let unit = match unit.trim() {
            "hour" | "hours" => LengthUnit::Hours,
            "day" | "days" => LengthUnit::Days,
            "week" | "weeks" => LengthUnit::Weeks,
            "month" | "months" => LengthUnit::Months,
            "year" | "years" => LengthUnit::Years,
            _ => return None,
        };
        Some(Self { count, unit })
    }

    fn span(self) -> Span {
        let count = i64::from(self.count);
        let span = Span::new();
        match self.unit {
            LengthUnit::Hours => span.hours(count),
            LengthUnit::Days => span.days(count),
            LengthUnit::Weeks => span.weeks(count),
            LengthUnit::Months => span.months(count),
            // 10,000 years is beyond the calendar: the caller saturates.
            LengthUnit::Years => span.years(count.min(9_999)),
        }
    }

    /// The date this long after `date`, saturating at the end of the calendar.
    #[must_use]
    pub fn after(self, date: Date) -> Date {
        date.checked_add(self.span()).unwrap_or(Date::MAX)
    }

    /// The moment this long after `moment`, saturating.
    #[must_use]
    pub fn after_moment(self, moment: DateTime) -> DateTime {
        moment.checked_add(self.span()).unwrap_or(DateTime::MAX)
    }
}

impl fmt::Display for Length {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            LengthUnit::Hours => "hour",
            LengthUnit::Days => "day",
            LengthUnit::Weeks => "week",
            LengthUnit::Months => "month",
            LengthUnit::Years => "year",
        };
        let plural = if self.count == 1 { "" } else { "s" };
        write!(out, "{} {unit}{plural}", self.count)
    }
}

/// Completed years from `birth` to `now`: the smallest and the largest number
/// that the intervals allow, never below zero.
#[must_use]
pub fn completed_years(birth: Interval, now: DateTime) -> (u32, u32) {
    let years = |from: DateTime| {
        let (from, to) = (from.date(), now.date());
        let whole = i32::from(to.year()) - i32::from(from.year());
        let before_birthday = (to.month(), to.day()) < (from.month(), from.day());
        u32::try_from(whole - i32::from(before_birthday)).unwrap_or(0)
    };
    (years(birth.latest), years(birth.earliest))
}

prints_nothing!(FhirDate, Meaning, Interval, AsOf);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_dates_are_intervals() {
        let as_of = AsOf::parse("2026-06-01").unwrap();
        let year = FhirDate::parse("2024").unwrap().interval(&as_of);
        assert_eq!(year.earliest.to_string(), "2024-01-01T00:00:00");
        assert_eq!(year.latest.to_string(), "2024-12-31T23:59:59");
        let month = FhirDate::parse("2024-02").unwrap().interval(&as_of);
        assert_eq!(month.latest.to_string(), "2024-02-29T23:59:59");
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in ["", "24", "2024-2-1", "20240201", "2024-02-01T10:00", "2024-02-01 10:00:00Z"] {
            assert_eq!(FhirDate::parse(text), Err(DateFault::Form), "{text}");
        }
        for text in ["2023-02-29", "2024-13", "0000", "2024-02-30T00:00:00Z", "2024-02-01T25:00:00Z"] {
            assert_eq!(FhirDate::parse(text), Err(DateFault::Impossible), "{text}");
        }
        assert_eq!(FhirDate::parse("２０２４"), Err(DateFault::Form));
    }

    #[test]
    fn an_offset_decides_what_day_it_is() {
        let as_of = AsOf::parse("2026-06-01T20:00:00-05:00").unwrap();
        assert_eq!(as_of.local().to_string(), "2026-06-01T20:00:00");
        assert_eq!(as_of.to_string(), "2026-06-01T20:00:00-05:00");
        let same = FhirDate::parse("2026-06-02T01:00:00Z").unwrap();
        assert_eq!(same.interval(&as_of).earliest, as_of.local());
    }

    #[test]
    fn within_n_days_includes_day_n() {
        let as_of = AsOf::parse("2026-06-01").unwrap();
        let week = Length::parse("7 days").unwrap();
        assert_eq!(as_of.before(week).to_string(), "2026-05-25T00:00:00");
        let month = Length::parse("1 month").unwrap();
        assert_eq!(AsOf::parse("2026-03-31").unwrap().before(month).to_string(), "2026-02-28T00:00:00");
    }

    #[test]
    fn age_counts_completed_years() {
        let as_of = AsOf::parse("2026-06-01").unwrap();
        let age = |text| completed_years(FhirDate::parse(text).unwrap().interval(&as_of), as_of.local());
        assert_eq!(age("2008-06-01"), (18, 18));
        assert_eq!(age("2008-06-02"), (17, 17));
        assert_eq!(age("2008"), (17, 18));
    }

    #[test]
    fn lengths_saturate() {
        let as_of = AsOf::parse("2026-06-01").unwrap();
        let _ = as_of.before(Length::parse("10000 years").unwrap());
        assert_eq!(Length::parse("28 fortnights"), None);
        assert_eq!(Length::parse("28 days").unwrap().to_string(), "28 days");
    }
}
