//! The package in force with its overlay, as `concord config` shows it.

use serde_json::{Value, json};

use crate::rule::model::Parameter;
use crate::ruleset::Ruleset;

/// A table of words, each column as wide as its widest.
pub(super) fn columns<const N: usize>(rows: &[[&str; N]]) -> String {
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[&str; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// Where the value in force is written.
fn place(parameter: &Parameter) -> &str {
    parameter.set.as_deref().unwrap_or(&parameter.location)
}

pub(super) fn table(ruleset: &Ruleset) -> String {
    let package = ruleset.package();
    let named = |name: &str, version: &str, digest: &str| format!("{name} {version}, sha256 {digest}");
    let base = named(&package.meta.name, &package.meta.version, ruleset.base_digest());
    let overlay = package.overlay.as_ref().map_or_else(
        || "none".to_owned(),
        |overlay| named(&overlay.head.name, &overlay.head.version, ruleset.overlay_digest().unwrap_or_default()),
    );
    let both = format!("sha256 {}", ruleset.digest());
    let head = columns(&[["package", &base], ["overlay", &overlay], ["in force", &both]]);
    let mut rows = vec![["parameter", "value", "default", "from"]];
    rows.extend(
        package
            .parameters
            .iter()
            .map(|one| [one.id.value.as_str(), one.value.as_str(), one.default.as_str(), place(one)]),
    );
    format!("{head}\n{}", columns(&rows))
}

pub(super) fn value(ruleset: &Ruleset) -> Value {
    let package = ruleset.package();
    let overlay = package.overlay.as_ref().map(|overlay| {
        json!({
            "name": overlay.head.name,
            "version": overlay.head.version,
            "digest": ruleset.overlay_digest(),
        })
    });
    let parameters: Vec<Value> = package
        .parameters
        .iter()
        .map(|one| {
            json!({
                "id": one.id.value,
                "title": one.title,
                "type": one.kind.word(),
                "value": one.value,
                "default": one.default,
                "range": one.range(),
                "towards": one.towards.map(crate::rule::model::Towards::word),
                "origin": place(one),
            })
        })
        .collect();
    json!({
        "digest": ruleset.digest(),
        "base": {"name": package.meta.name, "version": package.meta.version, "digest": ruleset.base_digest()},
        "overlay": overlay,
        "parameters": parameters,
    })
}
