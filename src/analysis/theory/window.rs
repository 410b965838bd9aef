//! Stretches of time, compared: only what holds on every day of the calendar.

use crate::clinical::date::{Length, LengthUnit};
use crate::rule::model::Window;

/// Shortest and longest that a length can be, in hours.
fn hours(length: Length) -> (u64, u64) {
    let count = u64::from(length.count);
    let days = |least: u64, most: u64| (count * least * 24, count * most * 24);
    match length.unit {
        LengthUnit::Hours => (count, count),
        LengthUnit::Days => days(1, 1),
        LengthUnit::Weeks => days(7, 7),
        LengthUnit::Months => days(28, 31),
        LengthUnit::Years => days(365, 366),
    }
}

/// Is the first length never the longer one?
pub fn at_most(a: Length, b: Length) -> bool {
    if a.unit == b.unit {
        return a.count <= b.count;
    }
    // Hours are counted from this moment, the others from a midnight.
    let slack = if a.unit == LengthUnit::Hours || b.unit == LengthUnit::Hours { 48 } else { 0 };
    hours(a).1 + slack <= hours(b).0
}

/// Is every moment of `a` surely one of `b`?
pub fn narrower(a: Window, b: Window) -> bool {
    let within = match (a.within, b.within) {
        (_, None) => true,
        (Some(a), Some(b)) => at_most(a, b),
        (None, Some(_)) => false,
    };
    let more_than = match (a.more_than, b.more_than) {
        (_, None) => true,
        (Some(a), Some(b)) => at_most(b, a),
        (None, Some(_)) => false,
    };
    within && more_than
}

/// Do the windows surely share no moment, the first being the later one?
pub fn disjoint(later: Window, earlier: Window) -> bool {
    matches!((later.within, earlier.more_than), (Some(within), Some(more_than)) if at_most(within, more_than))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Length {
        Length::parse(text).expect("a length")
    }

    #[test]
    fn lengths_are_compared_where_every_calendar_agrees() {
        assert!(at_most(at("30 days"), at("3 months")));
        assert!(at_most(at("28 days"), at("1 months")));
        assert!(!at_most(at("30 days"), at("1 months")));
        assert!(!at_most(at("12 months"), at("1 years")));
        assert!(at_most(at("4 hours"), at("7 days")));
        assert!(!at_most(at("24 hours"), at("1 days")));
    }
}
