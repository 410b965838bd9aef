//! The files of an overlay.

use super::form::{Form, Reader};
use super::{items, read_items};
use crate::diag::{Diagnostic, Files, Span, nearest};
use crate::rule::model::{Disable, OffFormulary, Overlay, OverlayHead, Package, Parameter, SetParameter, Spanned};
use crate::rule::overlay::in_force;
use crate::rule::shape;
use crate::rule::yaml::{Kind, Node};

/// What an overlay says, and the parameters as it leaves them.
#[derive(Debug)]
pub struct Read {
    /// The overlay, in canonical order.
    pub overlay: Overlay,
    /// The parameters of the package with the values in force.
    pub parameters: Vec<Parameter>,
    /// Faults. The overlay is to be used only where there is no error.
    pub faults: Vec<Diagnostic>,
}

/// Reads an overlay of a package. `first` is the index of its first file.
#[must_use]
pub fn overlay(documents: &[Node], files: &Files, first: u32, package: &Package) -> Read {
    let mut reader = Reader::default();
    let mut overlay = Overlay::default();
    let mut head = None;
    for document in documents {
        settings(&mut reader, document, &mut overlay, &mut head);
    }
    if head.is_none() && reader.faults.is_empty() {
        let whole = Span { file: first, start: 0, end: 0 };
        let fault = Diagnostic::error("missing-overlay", whole, "no file says what the overlay is");
        let help = format!(
            "add a file with `overlay: {{name: …, version: …, title: …, developer: …, base: {}}}`",
            package.meta.name
        );
        reader.fault(fault.help(help));
    }
    let (parameters, faults) = in_force(&package.parameters, &overlay.set, files);
    reader.faults.extend(faults);
    reader.declare(&parameters);
    for document in documents {
        additions(&mut reader, document, files, &mut overlay);
    }
    overlay.sort();
    Read { overlay, parameters, faults: reader.faults }
}

fn entries(document: &Node) -> &[(crate::rule::yaml::Key, Node)] {
    match &document.kind {
        Kind::Map(entries) => entries,
        _ => &[],
    }
}

/// Everything but what is added: read first, since what is added may use the
/// values that are set.
fn settings(reader: &mut Reader, document: &Node, overlay: &mut Overlay, head: &mut Option<Span>) {
    if !matches!(document.kind, Kind::Map(_)) {
        reader.shape(document, "a file of an overlay is a map of sections");
    }
    for (key, node) in entries(document) {
        match key.text.as_str() {
            "overlay" => {
                if let Some(first) = head {
                    let fault = Diagnostic::error("duplicate-overlay", key.span, "`overlay` stands twice");
                    reader.fault(fault.label("again here").related(*first, "first here").help("keep one of them"));
                }
                *head = head.or(Some(key.span));
                overlay.head = reader.overlay_head(node).unwrap_or_default();
            }
            "set" => overlay.set.extend(reader.set(node)),
            "disable" => overlay.disable.extend(read_items(reader, node, Reader::disable)),
            "enable" => overlay.enable.extend(read_items(reader, node, Reader::name)),
            "formulary" => overlay.off_formulary.extend(reader.formulary(node)),
            "sources" | "questions" | "concepts" | "definitions" | "defaults" | "rules" => {}
            other => {
                let message = format!("an overlay has no section `{other}`");
                let fault = Diagnostic::error("unknown-key", key.span, message).label("not a section");
                let sections: Vec<&str> = shape::OVERLAY_FILE.keys.iter().map(|key| key.name).collect();
                reader.fault(match (other, nearest(other, sections.iter().copied())) {
                    ("parameters", _) => fault.help("an overlay gives values to parameters under `set`"),
                    (_, Some(near)) => fault.help(format!("did you mean `{near}`?")),
                    _ => fault.help(format!("sections: {}", sections.join(", "))),
                });
            }
        }
    }
}

fn additions(reader: &mut Reader, document: &Node, files: &Files, overlay: &mut Overlay) {
    let entries = entries(document);
    let defaults = entries.iter().find(|(key, _)| key.text == "defaults").map(|(_, node)| reader.defaults(node));
    let defaults = defaults.unwrap_or_default();
    let added = &mut overlay.added;
    for (key, node) in entries {
        match key.text.as_str() {
            "sources" => added.sources.extend(read_items(reader, node, Reader::source)),
            "questions" => added.questions.extend(read_items(reader, node, Reader::question)),
            "concepts" => added.concepts.extend(read_items(reader, node, Reader::concept)),
            "definitions" => added.definitions.extend(read_items(reader, node, Reader::definition)),
            "rules" => {
                let rules = items(reader, node);
                added.rules.extend(rules.iter().filter_map(|item| reader.rule(item, &defaults, files)));
            }
            _ => {}
        }
    }
}

impl Reader {
    fn overlay_head(&mut self, node: &Node) -> Option<OverlayHead> {
        let mut form = self.form(node, &shape::OVERLAY_HEAD)?;
        let name = self.required(&mut form, "name").and_then(|node| self.name(node));
        let version = self.required_words(&mut form, "version");
        let title = self.required_words(&mut form, "title");
        let developer = self.required_words(&mut form, "developer");
        let base = self.required(&mut form, "base").and_then(|node| self.name(node));
        let base_digest = form.take("base_digest").and_then(|node| self.plain(node));
        form.finish(self);
        Some(OverlayHead {
            name: name?.value,
            version: version?,
            title: title?,
            developer: developer?,
            base: base?,
            base_digest,
        })
    }

    fn set(&mut self, node: &Node) -> Vec<SetParameter> {
        let Kind::Map(entries) = &node.kind else {
            self.shape(node, "`set` is a map of parameters to values");
            return Vec::new();
        };
        let values = entries.iter().filter_map(|(key, node)| {
            let parameter = Spanned::new(key.text.clone(), key.span);
            Some(SetParameter { parameter, value: self.plain(node)? })
        });
        values.collect()
    }

    fn disable(&mut self, node: &Node) -> Option<Disable> {
        let mut form = self.form(node, &shape::DISABLE)?;
        let rule = self.required(&mut form, "rule").and_then(|node| self.name(node));
        let reason = self.required_words(&mut form, "reason");
        let by = self.optional_words(&mut form, "by");
        form.finish(self);
        Some(Disable { rule: rule?, reason: reason?, by })
    }

    fn formulary(&mut self, node: &Node) -> Vec<OffFormulary> {
        let Some(mut form) = self.form(node, &shape::FORMULARY) else { return Vec::new() };
        let exclude = self.required(&mut form, "exclude");
        form.finish(self);
        let listed = exclude.map_or(&[][..], |node| self.list(node, "`exclude`"));
        listed.iter().filter_map(|item| self.off_formulary(item)).collect()
    }

    /// A component, or a component with a note.
    fn off_formulary(&mut self, node: &Node) -> Option<OffFormulary> {
        if let Kind::Scalar(_) = node.kind {
            return Some(OffFormulary { component: self.name(node)?, note: None });
        }
        let mut form: Form<'_> = self.form(node, &shape::OFF_FORMULARY)?;
        let component = self.required(&mut form, "component").and_then(|node| self.name(node));
        let advice = self.optional_words(&mut form, "note");
        form.finish(self);
        Some(OffFormulary { component: component?, note: advice })
    }
}
