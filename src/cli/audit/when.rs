//! Instants on a command line: a full date, or RFC 3339 with an offset.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// The instant; of a full date its beginning, UTC.
pub(super) fn beginning(text: &str) -> Result<Timestamp, String> {
    instant(text, false)
}

/// The instant; of a full date its end, UTC.
pub(super) fn end(text: &str) -> Result<Timestamp, String> {
    instant(text, true)
}

fn instant(text: &str, whole_day: bool) -> Result<Timestamp, String> {
    let wanted =
        || "a full date (2026-11-23) or an instant with an offset (2026-11-23T06:50:12Z) is expected".to_owned();
    if text.len() != "2026-11-23".len() {
        return text.parse().map_err(|_| wanted());
    }
    let date: Date = text.parse().map_err(|_| wanted())?;
    let date = if whole_day { date.checked_add(1.day()).map_err(|_| wanted())? } else { date };
    Ok(date.to_zoned(TimeZone::UTC).map_err(|_| wanted())?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_has_a_beginning_and_an_end() {
        assert_eq!(beginning("2026-11-23").unwrap().to_string(), "2026-11-23T00:00:00Z");
        assert_eq!(end("2026-12-31").unwrap().to_string(), "2027-01-01T00:00:00Z");
        assert_eq!(end("2026-11-23T06:50:12+01:00").unwrap().to_string(), "2026-11-23T05:50:12Z");
        for wrong in ["", "2026", "2026-02-30", "20261123", "2026-11-23T06:50:12", "yesterday!"] {
            assert!(beginning(wrong).is_err(), "{wrong}");
        }
    }
}
