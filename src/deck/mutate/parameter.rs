//! Mutants of parameters: each a step up and a step down, wherever it is used.

use rust_decimal::Decimal;

use crate::diag::{Files, Span};
use crate::rule::yaml::{self, Kind, Node};

/// A parameter with another value, as the files of a package.
pub(super) struct Changed {
    pub(super) id: String,
    pub(super) span: Span,
    pub(super) change: String,
    pub(super) files: Files,
}

/// Every mutant of the parameters. One that is no number has none.
pub(super) fn mutants(files: &Files) -> Vec<Changed> {
    let mut found = Vec::new();
    for (file, _, text) in files.iter() {
        let Some(document) = yaml::read(file, text, &mut Vec::new()) else { continue };
        let Some(Kind::List(items)) = value(&document, "parameters").map(|node| &node.kind) else { continue };
        for item in items {
            let (Some(id), Some(node)) = (value(item, "id"), value(item, "value")) else { continue };
            let (Kind::Scalar(id), Kind::Scalar(written)) = (&id.kind, &node.kind) else { continue };
            for other in steps(written) {
                found.push(Changed {
                    id: id.clone(),
                    span: node.span,
                    change: format!("`${id}`: {written} made {other}"),
                    files: edited(files, node.span, &other),
                });
            }
        }
    }
    found
}

fn value<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    let Kind::Map(entries) = &node.kind else { return None };
    entries.iter().find(|(known, _)| known.text == key).map(|(_, node)| node)
}

/// A number with a unit of one word, or none, a step down and a step up.
fn steps(written: &str) -> Vec<String> {
    let (number, unit) = written.split_once(' ').map_or((written, ""), |(number, unit)| (number, unit));
    let Ok(number) = number.parse::<Decimal>() else { return Vec::new() };
    if unit.contains(' ') {
        return Vec::new();
    }
    let step = Decimal::new(1, number.scale());
    [number - step, number + step].map(|number| format!("{number} {unit}").trim_end().to_owned()).into()
}

fn edited(files: &Files, at: Span, value: &str) -> Files {
    let edit = |index: u32, text: &str| {
        let (start, end) = (at.start as usize, at.end as usize);
        match (text.get(..start), text.get(end..)) {
            (Some(before), Some(after)) if index == at.file => format!("{before}{value}{after}"),
            _ => text.to_owned(),
        }
    };
    Files::new(files.iter().map(|(index, name, text)| (name.to_owned(), edit(index, text))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_moves_by_its_last_digit() {
        assert_eq!(steps("500 ms"), ["499 ms", "501 ms"]);
        assert_eq!(steps("0.5"), ["0.4", "0.6"]);
        assert!(steps("988 (call or text)").is_empty());
        assert!(steps("never").is_empty());
    }

    #[test]
    fn only_the_value_is_edited() {
        let files = Files::new(vec![
            ("a.yaml".to_owned(), "parameters:\n- {id: limit, title: one, value: 28 days}\n".to_owned()),
            ("b.yaml".to_owned(), "rules: []\n".to_owned()),
        ]);
        let changed = mutants(&files);
        let texts: Vec<&str> = changed.iter().map(|one| one.files.get(0).unwrap().1).collect();
        assert_eq!(texts[1], "parameters:\n- {id: limit, title: one, value: 29 days}\n");
        assert_eq!(changed[0].change, "`$limit`: 28 days made 27 days");
    }
}
