//! Moments that stand for each other: those that no window tells apart.

use jiff::civil::DateTime;

use crate::clinical::date::{AsOf, Length, LengthUnit};
use crate::rule::model::Window;
use crate::rule::truth::Truth;

/// A moment before the instant of a record, as a FHIR date.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The moment; with a date alone, its first.
    pub at: DateTime,
    /// As a record writes it.
    pub text: String,
}

/// One moment for each stretch between the ends of the windows, newest first.
/// A single recent one where no window binds.
pub fn between(windows: &[Window], as_of: &AsOf) -> Vec<Moment> {
    let ends = windows.iter().flat_map(|window| [window.within, window.more_than]).flatten();
    let mut ends: Vec<(DateTime, Length)> = ends.map(|length| (as_of.before(length), length)).collect();
    ends.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    ends.dedup_by_key(|(at, _)| *at);
    if ends.is_empty() {
        ends.push((as_of.before(DAY), DAY));
    }
    // With windows of hours a date alone would straddle their ends.
    let exact = ends.iter().any(|(_, length)| length.unit == LengthUnit::Hours);
    let last = ends.last().map(|(at, _)| *at);
    // The last moment inside each window, and one beyond the longest.
    let mut moments: Vec<Moment> = ends.iter().map(|(at, _)| moment(*at, exact)).collect();
    if let Some(beyond) = last.and_then(|at| at.checked_sub(jiff::Span::new().days(1)).ok()) {
        moments.push(moment(beyond, exact));
    }
    moments
}

const DAY: Length = Length { count: 1, unit: LengthUnit::Days };

fn moment(at: DateTime, exact: bool) -> Moment {
    let text = if exact { format!("{at}Z") } else { at.date().to_string() };
    Moment { at, text }
}

/// A moment long ago: `years` before the instant.
pub fn years_ago(years: u32, as_of: &AsOf) -> Moment {
    moment(as_of.before(Length { count: years, unit: LengthUnit::Years }), false)
}

/// Is the moment inside the window? What has no date is unknown, unless the
/// window binds nothing.
pub fn inside(moment: Option<&Moment>, window: Window, as_of: &AsOf) -> Truth {
    if window.is_open() {
        return Truth::True;
    }
    let Some(moment) = moment else { return Truth::Unknown };
    let since = window.within.is_none_or(|length| moment.at >= as_of.before(length));
    let until = window.more_than.is_none_or(|length| moment.at < as_of.before(length));
    Truth::of(since && until)
}
