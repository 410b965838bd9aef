//! Windows and orders of uncertain moments: true where every moment a date can
//! mean fits, false where none does, unknown otherwise.

use crate::clinical::date::{AsOf, FhirDate, Interval, Length, LengthUnit};
use crate::rule::model::Window;
use crate::rule::truth::Truth;

/// Is the date inside the window? A date that is missing is unknown, unless
/// the window binds nothing.
pub fn inside(date: Option<&FhirDate>, window: Window, as_of: &AsOf) -> Truth {
    if window.is_open() {
        return Truth::True;
    }
    date.map_or(Truth::Unknown, |date| moment_inside(date.interval(as_of), window, as_of))
}

/// Is a moment inside the window, whichever of its interval it is?
pub fn moment_inside(moment: Interval, window: Window, as_of: &AsOf) -> Truth {
    let moment = clip(moment, as_of);
    let since = window.within.map_or(Truth::True, |length| {
        let from = as_of.before(length);
        decide(moment.earliest >= from, moment.latest < from)
    });
    let until = window.more_than.map_or(Truth::True, |length| {
        let to = as_of.before(length);
        decide(moment.latest < to, moment.earliest >= to)
    });
    since.and(until)
}

/// Does the date lie after now, whatever moment it means?
pub fn after(date: Option<&FhirDate>, as_of: &AsOf) -> bool {
    date.is_some_and(|date| date.interval(as_of).earliest > as_of.local())
}

/// Did `first` happen before `then`, by `gap` at least? A gap of days or longer
/// is counted from day to day of the calendar, whatever the hour.
pub fn before(first: Interval, then: Interval, gap: Option<Length>) -> Truth {
    match gap {
        None => decide(first.latest < then.earliest, first.earliest >= then.latest),
        Some(gap) if gap.unit == LengthUnit::Hours => {
            decide(gap.after_moment(first.latest) <= then.earliest, gap.after_moment(first.earliest) > then.latest)
        }
        Some(gap) => decide(
            gap.after(first.latest.date()) <= then.earliest.date(),
            gap.after(first.earliest.date()) > then.latest.date(),
        ),
    }
}

/// A date that may mean moments after now means the ones before.
pub fn clip(moment: Interval, as_of: &AsOf) -> Interval {
    Interval { latest: moment.latest.min(as_of.local()).max(moment.earliest), ..moment }
}

fn decide(surely: bool, surely_not: bool) -> Truth {
    if surely {
        Truth::True
    } else if surely_not {
        Truth::False
    } else {
        Truth::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(within: Option<&str>, more_than: Option<&str>) -> Window {
        Window { within: within.and_then(Length::parse), more_than: more_than.and_then(Length::parse) }
    }

    #[test]
    fn partial_dates_are_unknown_where_the_window_cuts_them() {
        let as_of = AsOf::parse("2026-06-15").unwrap();
        let is = |date: &str, window| inside(Some(&FhirDate::parse(date).unwrap()), window, &as_of);
        let week = window(Some("7 days"), None);
        assert_eq!(is("2026-06-08", week), Truth::True);
        assert_eq!(is("2026-06-07", week), Truth::False);
        assert_eq!(is("2026-06", week), Truth::Unknown);
        assert_eq!(is("2026-05", week), Truth::False);
        let later = window(Some("10 days"), Some("7 days"));
        assert_eq!(is("2026-06-08", later), Truth::False);
        assert_eq!(is("2026-06-05", later), Truth::True);
        assert_eq!(inside(None, week, &as_of), Truth::Unknown);
        assert_eq!(inside(None, Window::default(), &as_of), Truth::True);
    }

    #[test]
    fn a_gap_is_kept() {
        let as_of = AsOf::parse("2026-06-15").unwrap();
        let at = |date: &str| FhirDate::parse(date).unwrap().interval(&as_of);
        let half = Length::parse("6 months");
        assert_eq!(before(at("2020-01-01"), at("2020-08-01"), half), Truth::True);
        assert_eq!(before(at("2020-01-01"), at("2020-05-01"), half), Truth::False);
        assert_eq!(before(at("2020"), at("2020-08-01"), half), Truth::Unknown);
        assert_eq!(before(at("2020"), at("2020"), None), Truth::Unknown);
        // To the day, by the calendar.
        assert_eq!(before(at("2020-01-01"), at("2020-07-01"), half), Truth::True);
        assert_eq!(before(at("2020-01-01"), at("2020-06-30"), half), Truth::False);
        assert_eq!(before(at("2019-08-31"), at("2020-02-29"), half), Truth::True);
        assert_eq!(before(at("2020-01"), at("2020-07"), half), Truth::Unknown);
        assert_eq!(before(at("2020-01"), at("2020-07-31"), half), Truth::True);
        assert_eq!(before(at("2020-01"), at("2020-06"), half), Truth::False);
    }
}
