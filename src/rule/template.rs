//! Statements with places to fill in: `QTc {ecg.value} on {ecg.date}`.

use crate::clinical::date::Length;

/// A part of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Words as they are.
    Text(String),
    /// Something of what a name matched.
    Value {
        /// Name given by `as`.
        name: String,
        /// What of it.
        field: Field,
        /// Length added to a date.
        plus: Option<Length>,
    },
}

/// What of a match is filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Value with its unit.
    Value,
    /// Date.
    Date,
    /// Words of the record.
    Text,
}

/// Reads a statement.
///
/// # Errors
/// Words for what is wrong with it.
pub fn parse(statement: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = statement;
    while let Some((before, after)) = rest.split_once('{') {
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        let (inside, behind) = after.split_once('}').ok_or("a `{` without its `}`")?;
        parts.push(value(inside)?);
        rest = behind;
    }
    if rest.contains('}') {
        return Err("a `}` without its `{`".to_owned());
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Ok(parts)
}

fn value(inside: &str) -> Result<Part, String> {
    let form =
        || format!("`{{{inside}}}` is not of the form `{{name.value}}`, `{{name.date}}` or `{{name.date + 10 days}}`");
    let (path, plus) = match inside.split_once('+') {
        Some((path, length)) => (path.trim(), Some(Length::parse(length).ok_or_else(form)?)),
        None => (inside.trim(), None),
    };
    let (name, field) = path.split_once('.').ok_or_else(form)?;
    let field = match field {
        "value" => Field::Value,
        "date" => Field::Date,
        "text" => Field::Text,
        _ => return Err(form()),
    };
    if plus.is_some() && field != Field::Date {
        return Err(form());
    }
    Ok(Part::Value { name: name.to_owned(), field, plus })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        let parts = parse("QTc {ecg.value}; clears {last.date + 10 days}").unwrap();
        assert_eq!(parts.len(), 4);
        assert_eq!(parts[3], Part::Value { name: "last".into(), field: Field::Date, plus: Length::parse("10 days") });
    }

    #[test]
    fn faults() {
        for statement in ["{ecg}", "{ecg.size}", "{ecg.value", "ecg}", "{ecg.value + 3 days}", "{ecg.date + 3}"] {
            assert!(parse(statement).is_err(), "{statement}");
        }
    }
}
