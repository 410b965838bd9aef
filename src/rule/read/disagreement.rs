//! Questions on which sources differ.

use super::form::Reader;
use crate::diag::{Diagnostic, Files};
use crate::rule::model::{Citation, Concerns, Disagreement, Position};
use crate::rule::shape::{self, VERIFICATION};
use crate::rule::yaml::Node;

impl Reader {
    /// Reads a disagreement.
    pub fn disagreement(&mut self, node: &Node, files: &Files) -> Option<Disagreement> {
        let mut form = self.form(node, &shape::DISAGREEMENT)?;
        let id = self.required(&mut form, "id").and_then(|node| self.name(node));
        let question = self.required_words(&mut form, "question");
        let follows = form.take("follows").map_or_else(Vec::new, |node| self.names(node));
        let positions = self.required(&mut form, "positions").map(|node| {
            let items = self.list(node, "`positions`");
            if items.is_empty() {
                self.fault(Diagnostic::error("empty-list", node.span, "`positions` holds nothing"));
            }
            items.iter().filter_map(|item| self.position(item)).collect::<Vec<_>>()
        });
        let here = self.required_words(&mut form, "here");
        let parameter = form.take("parameter").and_then(|node| self.parameter_name(node));
        let concerns = self.required(&mut form, "concerns").and_then(|node| self.concerns(node));
        form.finish(self);
        if let Some(name) = parameter.as_ref().filter(|name| !self.parameters.contains_key(&name.value)) {
            self.unknown_parameter(&name.value, name.span);
        }
        let id = id?;
        Some(Disagreement {
            location: files.line(id.span),
            id,
            question: question?,
            follows,
            positions: positions?,
            here: here?,
            parameter,
            concerns: concerns?,
        })
    }

    fn position(&mut self, node: &Node) -> Option<Position> {
        let mut form = self.form(node, &shape::POSITION)?;
        let says = self.required_words(&mut form, "says");
        let source = self.required(&mut form, "source").and_then(|node| self.name(node));
        let place = self.required_words(&mut form, "place");
        let strength = self.optional_words(&mut form, "strength").unwrap_or_default();
        let verification = form.take("verification").and_then(|node| self.word(node, "a verification", VERIFICATION));
        form.finish(self);
        Some(Position {
            says: says?,
            citation: Citation { source: source?, place: place? },
            strength,
            verification: verification.unwrap_or_default(),
        })
    }

    fn concerns(&mut self, node: &Node) -> Option<Concerns> {
        let mut form = self.form(node, &shape::CONCERNS)?;
        let rules = form.take("rules").map(|node| self.names(node));
        let components = form.take("components").map(|node| self.names(node));
        let span = form.span;
        form.finish(self);
        if rules.is_none() && components.is_none() {
            let fault = Diagnostic::error("missing-key", span, "`concerns` names neither rules nor components");
            self.fault(fault.help("add `rules: […]` or `components: […]`"));
        }
        Some(Concerns { rules: rules.unwrap_or_default(), components: components.unwrap_or_default() })
    }
}
