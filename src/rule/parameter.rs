//! Values of parameters: do they have the type, lie in the range, and move the
//! way that is caution?

use rust_decimal::Decimal;

use crate::clinical::date::{Length, LengthUnit};
use crate::clinical::unit::Unit;
use crate::diag::nearest;
use crate::rule::model::{Parameter, ParameterKind, Towards};

/// What is wrong with a value, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Code of the diagnostic.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

/// What values of a type are compared by. Hours of the clock, days and months
/// differ, since no number of days is a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Amount {
    Number(Decimal),
    Hours(u64),
    Days(u64),
    Months(u64),
}

fn misfit(code: &'static str, message: String, help: String) -> Misfit {
    Misfit { code, message, help }
}

/// The number and the unit of `500 ms`.
#[must_use]
pub fn quantity(text: &str) -> Option<(Decimal, &str)> {
    let (number, unit) = text.trim().split_once(' ')?;
    let unit = unit.trim();
    let known = unit == "ULN" || Unit::parse(unit).is_ok();
    Some((number.parse().ok()?, unit)).filter(|_| known)
}

fn length(text: &str) -> Option<Amount> {
    let Length { count, unit } = Length::parse(text)?;
    let count = u64::from(count);
    Some(match unit {
        LengthUnit::Hours => Amount::Hours(count),
        LengthUnit::Days => Amount::Days(count),
        LengthUnit::Weeks => Amount::Days(count * 7),
        LengthUnit::Months => Amount::Months(count),
        LengthUnit::Years => Amount::Months(count * 12),
    })
}

/// The value as something to compare; none for words and text.
fn amount(kind: &ParameterKind, text: &str) -> Result<Option<Amount>, Misfit> {
    let wrong = |what: &str, help: &str| misfit("wrong-type", format!("`{text}` is not {what}"), help.to_owned());
    match kind {
        ParameterKind::Integer => {
            let number: Option<Decimal> = text.trim().parse().ok().filter(|number: &Decimal| number.is_integer());
            number.map(Amount::Number).map(Some).ok_or_else(|| wrong("a whole number", "write a number such as `8`"))
        }
        ParameterKind::Decimal => {
            let number = text.trim().parse().ok().map(Amount::Number);
            number.map(Some).ok_or_else(|| wrong("a number", "write a number such as `0.5`"))
        }
        ParameterKind::Quantity(unit) => match quantity(text) {
            Some((number, written)) if written == unit => Ok(Some(Amount::Number(number))),
            _ => Err(wrong(&format!("a number of {unit}"), &format!("write a number, a space and the unit `{unit}`"))),
        },
        ParameterKind::Duration => length(text).map(Some).ok_or_else(|| {
            wrong("a length of time", "write a number and hours, days, weeks, months or years: `28 days`")
        }),
        ParameterKind::Choice(choices) if choices.iter().any(|choice| choice == text) => Ok(None),
        ParameterKind::Choice(choices) => {
            let known = choices.join(", ");
            let help = match nearest(text, choices.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`? choices: {known}"),
                None => format!("choices: {known}"),
            };
            Err(wrong("one of the choices", &help))
        }
        ParameterKind::Text if text.trim().is_empty() => Err(wrong("text", "write what is to stand in its place")),
        ParameterKind::Text => Ok(None),
    }
}

/// A value beside another of the same parameter, both of the type.
fn compared(kind: &ParameterKind, value: &str, other: &str) -> Result<std::cmp::Ordering, Misfit> {
    let (Some(left), Some(right)) = (amount(kind, value)?, amount(kind, other)?) else {
        return Ok(if value == other { std::cmp::Ordering::Equal } else { std::cmp::Ordering::Greater });
    };
    if std::mem::discriminant(&left) != std::mem::discriminant(&right) {
        let words = match right {
            Amount::Hours(_) => "hours",
            Amount::Days(_) => "days or weeks",
            _ => "months or years",
        };
        let message = format!("`{value}` and `{other}` are not counted alike");
        return Err(misfit("wrong-type", message, format!("write it in {words}")));
    }
    Ok(left.cmp(&right))
}

/// Has the value the type, and does it lie in the range?
///
/// # Errors
/// What is wrong with it.
pub fn fits(parameter: &Parameter, value: &str) -> Result<(), Misfit> {
    amount(&parameter.kind, value)?;
    let outside = |what: &str| {
        let message = format!("`{value}` is {what} value that `{}` may have", parameter.id.value);
        Err(misfit("out-of-range", message, format!("the range is {}", parameter.range())))
    };
    if let Some(min) = &parameter.min
        && compared(&parameter.kind, value, min)?.is_lt()
    {
        return outside("below the smallest");
    }
    if let Some(max) = &parameter.max
        && compared(&parameter.kind, value, max)?.is_gt()
    {
        return outside("above the largest");
    }
    Ok(())
}

/// May an overlay give the parameter this value?
///
/// # Errors
/// Why not: its type, the direction it moves in, or its range.
pub fn may_be_set(parameter: &Parameter, value: &str) -> Result<(), Misfit> {
    let (id, default) = (parameter.id.value.as_str(), parameter.default.as_str());
    let moved = compared(&parameter.kind, value, default)?;
    let time = parameter.kind == ParameterKind::Duration;
    let help = match parameter.towards {
        Some(Towards::Lower) if moved.is_gt() => {
            format!("it may only be {}: {default} or less", if time { "shortened" } else { "lowered" })
        }
        Some(Towards::Higher) if moved.is_lt() => {
            format!("it may only be {}: {default} or more", if time { "lengthened" } else { "raised" })
        }
        Some(Towards::Fixed) if moved.is_ne() => format!("leave it out: it stays {default} at every site"),
        _ => return fits(parameter, value),
    };
    let message = if parameter.towards == Some(Towards::Fixed) {
        format!("`{id}` is a safety limit that no site may move")
    } else {
        format!("`{id}` is a safety limit, and `{value}` moves it away from caution")
    };
    Err(misfit("wrong-direction", message, help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Span;
    use crate::rule::model::Spanned;

    fn parameter(kind: ParameterKind, default: &str, range: (&str, &str), towards: Option<Towards>) -> Parameter {
        let end = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Parameter {
            id: Spanned::new("limit".to_owned(), Span::default()),
            title: "a limit".to_owned(),
            kind,
            min: end(range.0),
            max: end(range.1),
            towards,
            default: default.to_owned(),
            value: default.to_owned(),
            location: String::new(),
            set: None,
            uses: Vec::new(),
        }
    }

    fn code(parameter: &Parameter, value: &str) -> &'static str {
        may_be_set(parameter, value).map_or_else(|misfit| misfit.code, |()| "")
    }

    #[test]
    fn a_safety_limit_moves_towards_caution_alone() {
        let qtc = ParameterKind::Quantity("ms".to_owned());
        let lower = parameter(qtc, "500 ms", ("460 ms", "500 ms"), Some(Towards::Lower));
        let codes =
            ["480 ms", "460.0 ms", "500 ms", "501 ms", "459 ms", "480", "480 s", "ms"].map(|value| code(&lower, value));
        assert_eq!(codes, ["", "", "", "wrong-direction", "out-of-range", "wrong-type", "wrong-type", "wrong-type"]);
        let higher = parameter(ParameterKind::Integer, "8", ("8", "12"), Some(Towards::Higher));
        assert_eq!(
            ["8", "12", "13", "7", "8.5"].map(|value| code(&higher, value)),
            ["", "", "out-of-range", "wrong-direction", "wrong-type"]
        );
        let fixed = parameter(ParameterKind::Duration, "90 days", ("", ""), Some(Towards::Fixed));
        assert_eq!(
            ["90 days", "91 days", "89 days"].map(|value| code(&fixed, value)),
            ["", "wrong-direction", "wrong-direction"]
        );
    }

    #[test]
    fn times_are_compared_where_they_are_counted_alike() {
        let weeks = parameter(ParameterKind::Duration, "4 weeks", ("2 weeks", "8 weeks"), None);
        assert_eq!(
            ["14 days", "13 days", "57 days", "1 month", "72 hours"].map(|value| code(&weeks, value)),
            ["", "out-of-range", "out-of-range", "wrong-type", "wrong-type"]
        );
        let year = parameter(ParameterKind::Duration, "12 months", ("", "2 years"), Some(Towards::Higher));
        assert_eq!(["1 year", "24 months", "25 months"].map(|value| code(&year, value)), ["", "", "out-of-range"]);
    }

    #[test]
    fn a_choice_is_one_of_its_words() {
        let choice = parameter(ParameterKind::Choice(vec!["US".into(), "other".into()]), "US", ("", ""), None);
        assert_eq!(["US", "other", "us"].map(|value| code(&choice, value)), ["", "", "wrong-type"]);
        let text = parameter(ParameterKind::Text, "988", ("", ""), None);
        assert_eq!(["113", " "].map(|value| code(&text, value)), ["", "wrong-type"]);
    }
}
