//! Diagnostics as SARIF 2.1.0, which code hosts and editors read.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::render::in_order;
use super::{Diagnostic, Files, Level, Span, codes};

/// Diagnostics as a SARIF log of one run.
#[must_use]
pub fn to_sarif(diagnostics: &[Diagnostic], files: &Files, version: &str) -> Value {
    let used: BTreeSet<&str> = diagnostics.iter().map(|one| one.code).collect();
    let rules: Vec<Value> = used
        .iter()
        .map(|code| {
            let text = codes::help(code);
            json!({"id": code, "shortDescription": {"text": text}, "help": {"text": text}})
        })
        .collect();
    let index = |code: &str| used.iter().position(|known| *known == code);
    let results: Vec<Value> = in_order(diagnostics)
        .into_iter()
        .map(|one| {
            let message = match &one.help {
                Some(help) => format!("{}; {help}", one.message),
                None => one.message.clone(),
            };
            let mut result = json!({
                "ruleId": one.code,
                "ruleIndex": index(one.code),
                "level": match one.level { Level::Error => "error", Level::Warning => "warning" },
                "message": {"text": message},
                "locations": [location(one.span, &one.label, files)],
            });
            if let Some(result) = result.as_object_mut() {
                if !one.related.is_empty() {
                    let related = one.related.iter().map(|(span, label)| location(*span, label, files)).collect();
                    result.insert("relatedLocations".to_owned(), related);
                }
                if let Some(example) = &one.example {
                    result.insert("properties".to_owned(), json!({"example": example}));
                }
            }
            result
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "concord rules check", "version": version, "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn location(span: Span, label: &str, files: &Files) -> Value {
    let Some((name, line, column)) = files.position(span) else { return json!({}) };
    let end = Span { start: span.end.max(span.start), ..span };
    let (end_line, end_column) = files.position(end).map_or((line, column), |(_, line, column)| (line, column));
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": {"uri": name},
            "region": {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column},
        },
    });
    if let (Some(location), false) = (location.as_object_mut(), label.is_empty()) {
        location.insert("message".to_owned(), json!({"text": label}));
    }
    location
}
