//! From the files of a package to its model.

mod condition;
mod declare;
mod form;
mod rules;

use crate::diag::{Diagnostic, Files, nearest};
use crate::rule::model::{Package, Parameter};
use crate::rule::yaml::{self, Kind, Node};

use form::Reader;

/// Top-level keys of a file.
const SECTIONS: &[&str] = &[
    "package",
    "parameters",
    "sources",
    "approaches",
    "components",
    "events",
    "history",
    "plans",
    "preferences",
    "substances",
    "answers",
    "questions",
    "concepts",
    "definitions",
    "scope",
    "defaults",
    "rules",
];

/// Code of the fault of a package that a newer program has to read.
const NEWER_FORMAT: &str = "newer-format";

/// Reads a package. The model is in canonical order, whatever the order of the
/// files and of what stands in them; it is to be used only where there is no
/// error among the diagnostics.
#[must_use]
pub fn package(files: &Files) -> (Package, Vec<Diagnostic>) {
    let mut faults = Vec::new();
    let documents: Vec<Node> =
        files.iter().filter_map(|(index, _, text)| yaml::read(index, text, &mut faults)).collect();
    let mut reader = Reader { parameters: std::collections::BTreeMap::new(), faults };
    let mut package = Package::default();
    // Parameters first: their values stand in for `$name` everywhere else.
    for node in sections(&documents, "parameters") {
        let parameters: Vec<Parameter> =
            items(&mut reader, node).iter().filter_map(|item| reader.parameter(item)).collect();
        package.parameters.extend(parameters);
    }
    reader.parameters =
        package.parameters.iter().map(|parameter| (parameter.id.value.clone(), parameter.value.clone())).collect();
    let mut seen_meta = false;
    for document in &documents {
        read_document(&mut reader, document, files, &mut package, &mut seen_meta);
    }
    if !seen_meta && reader.faults.is_empty() {
        let fault =
            Diagnostic::error("missing-package", crate::diag::Span::default(), "no file says what the package is");
        reader
            .fault(fault.help("add a file with `package: {name: …, version: …, title: …, developer: …, released: …}`"));
    }
    canonical_order(&mut package);
    // What else is wrong may be right in that format.
    if reader.faults.iter().any(|fault| fault.code == NEWER_FORMAT) {
        reader.faults.retain(|fault| fault.code == NEWER_FORMAT);
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
            "rules" => {
                let rules = items(reader, node);
                package.rules.extend(rules.iter().filter_map(|item| reader.rule(item, &defaults, files)));
            }
            other => {
                let fault = Diagnostic::error("unknown-key", key.span, format!("a package has no section `{other}`"));
                reader.fault(match nearest(other, SECTIONS.iter().copied()) {
                    Some(near) => fault.label("not a section").help(format!("did you mean `{near}`?")),
                    None => fault.label("not a section").help(format!("sections: {}", SECTIONS.join(", "))),
                });
            }
        }
    }
}

fn read_items<T>(reader: &mut Reader, node: &Node, read: fn(&mut Reader, &Node) -> Option<T>) -> Vec<T> {
    items(reader, node).iter().filter_map(|item| read(reader, item)).collect()
}

/// Sorts everything whose order means nothing, so that the digest and every
/// answer are the same for any order of files and entries. The order of
/// approaches is the order of the answer, and stays.
fn canonical_order(package: &mut Package) {
    package.parameters.sort_by(|a, b| a.id.value.cmp(&b.id.value));
    package.sources.sort_by(|a, b| a.id.value.cmp(&b.id.value));
    package.components.sort_by(|a, b| a.id.value.cmp(&b.id.value));
    let words = &mut package.vocabulary;
    for list in [&mut words.events, &mut words.history, &mut words.plans, &mut words.preferences] {
        list.sort_by(|a, b| a.id.value.cmp(&b.id.value));
    }
    words.substances.sort_by(|a, b| a.id.value.cmp(&b.id.value));
    words.answers.sort_by(|a, b| a.id.value.cmp(&b.id.value));
    package.questions.sort_by(|a, b| a.id.value.cmp(&b.id.value));
    package.concepts.sort_by(|a, b| a.def.id.cmp(&b.def.id));
    package.definitions.sort_by(|a, b| a.id.value.cmp(&b.id.value));
    package.rules.sort_by(|a, b| a.id.value.cmp(&b.id.value));
}
