//! From the files of a package or an overlay to its model.

mod condition;
mod declare;
mod disagreement;
pub mod form;
mod governance;
mod invariant;
mod overlay;
mod parameter;
mod rules;
mod scale;

use std::collections::HashMap;

use crate::diag::{Diagnostic, Files, Span, nearest};
use crate::rule::model::{Package, Parameter};
use crate::rule::shape;
use crate::rule::yaml::{self, Kind, Node};

use form::Reader;
pub use overlay::{Read, overlay};

/// Code of the fault of a package that a newer program has to read.
pub const NEWER_FORMAT: &str = "newer-format";

/// Parses files.
#[must_use]
pub fn documents<'a>(files: impl Iterator<Item = (u32, &'a str, &'a str)>, faults: &mut Vec<Diagnostic>) -> Vec<Node> {
    files.filter_map(|(index, _, text)| yaml::read(index, text, faults)).collect()
}

/// Reads a package with its own parameters. The model is in canonical order,
/// whatever the order of the files and of what stands in them; it is to be used
/// only where there is no error among the diagnostics.
#[must_use]
pub fn package(documents: &[Node], files: &Files) -> (Package, Vec<Diagnostic>) {
    let mut reader = Reader::default();
    let mut parameters: Vec<Parameter> = Vec::new();
    for node in sections(documents, "parameters") {
        parameters.extend(items(&mut reader, node).iter().filter_map(|item| reader.parameter(item, files)));
    }
    let (package, mut faults) = package_with(documents, files, parameters);
    if !reader.faults.is_empty() {
        // What is wrong with a parameter is told where it is declared.
        faults.retain(|fault| fault.code != "unknown-parameter");
    }
    reader.faults.extend(faults);
    (package, reader.faults)
}

/// Reads a package with the values that its parameters have in force.
#[must_use]
pub fn package_with(documents: &[Node], files: &Files, parameters: Vec<Parameter>) -> (Package, Vec<Diagnostic>) {
    let mut reader = Reader::default();
    // Known before all else: their values stand in for `$name` everywhere.
    reader.declare(&parameters);
    let mut package = Package { parameters, ..Package::default() };
    let mut seen_meta = false;
    for document in documents {
        read_document(&mut reader, document, files, &mut package, &mut seen_meta);
    }
    if !seen_meta && reader.faults.is_empty() {
        let fault = Diagnostic::error("missing-package", Span::default(), "no file says what the package is");
        reader
            .fault(fault.help("add a file with `package: {name: …, version: …, title: …, developer: …, released: …}`"));
    }
    package.sort();
    let mut uses: HashMap<&str, Vec<Span>> = HashMap::new();
    for (name, span) in &reader.uses {
        uses.entry(name).or_default().push(*span);
    }
    for parameter in &mut package.parameters {
        parameter.uses = uses.get(parameter.id.value.as_str()).cloned().unwrap_or_default();
        parameter.uses.sort_unstable();
        parameter.uses.dedup();
    }
    (package, reader.faults)
}

fn sections<'a>(documents: &'a [Node], name: &'a str) -> impl Iterator<Item = &'a Node> {
    documents.iter().flat_map(move |document| match &document.kind {
        Kind::Map(entries) => entries.iter().filter(|(key, _)| key.text == name).map(|(_, node)| node).collect(),
        _ => Vec::new(),
    })
}

fn items<'a>(reader: &mut Reader, node: &'a Node) -> &'a [Node] {
    reader.list(node, "this section")
}

fn read_document(reader: &mut Reader, document: &Node, files: &Files, package: &mut Package, seen_meta: &mut bool) {
    let Kind::Map(entries) = &document.kind else {
        reader.shape(document, "a file of a package is a map of sections");
        return;
    };
    let defaults = entries.iter().find(|(key, _)| key.text == "defaults").map(|(_, node)| reader.defaults(node));
    let defaults = defaults.unwrap_or_default();
    for (key, node) in entries {
        match key.text.as_str() {
            "parameters" | "defaults" => {}
            "package" => {
                if *seen_meta {
                    reader.fault(Diagnostic::error(
                        "duplicate-package",
                        key.span,
                        "`package` stands twice in the package",
                    ));
                }
                *seen_meta = true;
                if let Some(meta) = reader.meta(node) {
                    package.meta = meta;
                }
            }
            "scope" => {
                if let Some(scope) = reader.scope(node) {
                    package.scope = scope;
                }
            }
            "sources" => package.sources.extend(read_items(reader, node, Reader::source)),
            "approaches" => package.approaches.extend(read_items(reader, node, Reader::approach)),
            "components" => package.components.extend(read_items(reader, node, Reader::component)),
            "events" => package.vocabulary.events.extend(read_items(reader, node, Reader::vocabulary_word)),
            "history" => package.vocabulary.history.extend(read_items(reader, node, Reader::vocabulary_word)),
            "plans" => package.vocabulary.plans.extend(read_items(reader, node, Reader::vocabulary_word)),
            "preferences" => package.vocabulary.preferences.extend(read_items(reader, node, Reader::vocabulary_word)),
            "substances" => package.vocabulary.substances.extend(read_items(reader, node, Reader::substance)),
            "answers" => package.vocabulary.answers.extend(read_items(reader, node, Reader::answer)),
            "questions" => package.questions.extend(read_items(reader, node, Reader::question)),
            "concepts" => package.concepts.extend(read_items(reader, node, Reader::concept)),
            "definitions" => package.definitions.extend(read_items(reader, node, Reader::definition)),
            "scales" => {
                for (scale, bands) in read_items(reader, node, Reader::scale) {
                    package.scales.push(scale);
                    package.definitions.extend(bands);
                }
            }
            "disagreements" => {
                // What a text says of a value is no effect of it.
                let uses = reader.uses.len();
                let items = items(reader, node);
                package.disagreements.extend(items.iter().filter_map(|item| reader.disagreement(item, files)));
                reader.uses.truncate(uses);
            }
            "rules" => {
                let rules = items(reader, node);
                package.rules.extend(rules.iter().filter_map(|item| reader.rule(item, &defaults, files)));
            }
            "briefs" => package.briefs.extend(read_items(reader, node, Reader::brief)),
            "hazards" => package.hazards.extend(read_items(reader, node, Reader::hazard)),
            "invariants" => {
                let invariants = items(reader, node);
                package.invariants.extend(invariants.iter().filter_map(|item| reader.invariant(item, files)));
            }
            other => {
                let fault = Diagnostic::error("unknown-key", key.span, format!("a package has no section `{other}`"));
                let sections: Vec<&str> = shape::FILE.keys.iter().map(|key| key.name).collect();
                reader.fault(match nearest(other, sections.iter().copied()) {
                    Some(near) => fault.label("not a section").help(format!("did you mean `{near}`?")),
                    None => fault.label("not a section").help(format!("sections: {}", sections.join(", "))),
                });
            }
        }
    }
}

fn read_items<T>(reader: &mut Reader, node: &Node, read: fn(&mut Reader, &Node) -> Option<T>) -> Vec<T> {
    items(reader, node).iter().filter_map(|item| read(reader, item)).collect()
}
