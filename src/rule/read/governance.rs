//! Briefs and hazards.

use super::form::{Form, Reader};
use crate::diag::Diagnostic;
use crate::rule::model::{Brief, BriefBranch, BriefItem, Control, Hazard, ItemStatus, Proof, Spanned};
use crate::rule::shape::{self, HARM_SEVERITIES, HAZARD_KINDS, ITEM_KINDS, ITEM_STATUS};
use crate::rule::yaml::Node;

impl Reader {
    /// Reads a brief.
    pub fn brief(&mut self, node: &Node) -> Option<Brief> {
        let mut form = self.form(node, &shape::BRIEF)?;
        let id = self.required(&mut form, "id").and_then(|node| self.name(node));
        let title = self.required_words(&mut form, "title");
        let items = self.required(&mut form, "items").map(|node| self.each(node, "`items`", Self::brief_item));
        form.finish(self);
        Some(Brief { id: id?, title: title?, items: items? })
    }

    fn brief_item(&mut self, node: &Node) -> Option<BriefItem> {
        let mut form = self.form(node, &shape::ITEM)?;
        let id = self.required(&mut form, "id").and_then(|node| self.name(node));
        let kind = self.required(&mut form, "kind").and_then(|node| self.word(node, "a sort of item", ITEM_KINDS));
        let category = form.take("category").and_then(|node| self.name(node));
        let title = self.required_words(&mut form, "title");
        let status = self.item_status(&mut form);
        let branches =
            form.take("branches").map_or_else(Vec::new, |node| self.some(node, "`branches`", Self::brief_branch));
        let left_out = self.left_out(&mut form);
        form.finish(self);
        Some(BriefItem {
            id: id?,
            kind: kind?,
            category: category.map(|name| name.value),
            title: title?,
            status,
            branches,
            left_out,
        })
    }

    fn brief_branch(&mut self, node: &Node) -> Option<BriefBranch> {
        let mut form = self.form(node, &shape::BRANCH)?;
        let id = self.required(&mut form, "id").and_then(|node| self.name(node));
        let title = self.required_words(&mut form, "title");
        let status = self.item_status(&mut form);
        let left_out = self.left_out(&mut form);
        form.finish(self);
        Some(BriefBranch { id: id?, title: title?, status, left_out })
    }

    fn item_status(&mut self, form: &mut Form<'_>) -> Option<ItemStatus> {
        form.take("status").and_then(|node| self.word(node, "what was verified of an item", ITEM_STATUS))
    }

    fn left_out(&mut self, form: &mut Form<'_>) -> Option<Spanned<String>> {
        form.take("left_out").and_then(|node| self.placed(node))
    }

    /// Text with its place.
    fn placed(&mut self, node: &Node) -> Option<Spanned<String>> {
        let words = self.words(node)?;
        Some(Spanned::new(words, node.span))
    }

    /// Reads a hazard.
    pub fn hazard(&mut self, node: &Node) -> Option<Hazard> {
        let mut form = self.form(node, &shape::HAZARD)?;
        let id = self.required(&mut form, "id").and_then(|node| self.name(node));
        let title = self.required_words(&mut form, "title");
        let kind = self
            .required(&mut form, "kind")
            .and_then(|node| self.word(node, "what is wrong with the advice", HAZARD_KINDS));
        let cause = self.required_words(&mut form, "cause");
        let harm = self.required_words(&mut form, "harm");
        let severity = self
            .required(&mut form, "severity")
            .and_then(|node| self.word(node, "how grave the harm is", HARM_SEVERITIES));
        let before = self.faults.len();
        let controls = form.take("controls").map_or_else(Vec::new, |node| self.each(node, "`controls`", Self::control));
        if controls.is_empty() && self.faults.len() == before {
            let fault = Diagnostic::error("uncontrolled-hazard", form.span, "nothing controls this hazard");
            self.fault(fault.help("add `controls:` with at least one `{control: …, proven_by: […]}`"));
        }
        let residual = self.required_words(&mut form, "residual");
        form.finish(self);
        Some(Hazard {
            id: id?,
            title: title?,
            kind: kind?,
            cause: cause?,
            harm: harm?,
            severity: severity?,
            controls,
            residual: residual?,
        })
    }

    fn control(&mut self, node: &Node) -> Option<Control> {
        let mut form = self.form(node, &shape::CONTROL)?;
        let control = self.required(&mut form, "control").and_then(|node| self.placed(node));
        let before = self.faults.len();
        let proven_by =
            form.take("proven_by").map_or_else(Vec::new, |node| self.each(node, "`proven_by`", Self::proof));
        if proven_by.is_empty() && self.faults.len() == before {
            let fault = Diagnostic::error("unproven-control", form.span, "nothing proves that this control is there");
            self.fault(fault.help("add `proven_by:` with a rule, a case, a test or a check that fails without it"));
        }
        form.finish(self);
        Some(Control { control: control?, proven_by })
    }

    fn proof(&mut self, node: &Node) -> Option<Proof> {
        let mut form = self.form(node, &shape::PROOF)?;
        let proofs = [
            form.take("rule").and_then(|node| self.name(node)).map(Proof::Rule),
            form.take("invariant").and_then(|node| self.name(node)).map(Proof::Invariant),
            form.take("case").and_then(|node| self.placed(node)).map(Proof::Case),
            form.take("test").and_then(|node| self.placed(node)).map(Proof::Test),
            form.take("check").and_then(|node| self.name(node)).map(Proof::Check),
        ];
        let (span, written) = (form.span, shape::PROOF.choice.iter().filter(|key| form.has(key.name)).count());
        form.finish(self);
        if written != 1 {
            let known: Vec<&str> = shape::PROOF.choice.iter().map(|key| key.name).collect();
            let fault = Diagnostic::error("wrong-shape", span, format!("a proof names one thing, and this {written}"));
            self.fault(fault.help(format!("write one of {}", known.join(", "))));
            return None;
        }
        proofs.into_iter().flatten().next()
    }

    /// Reads each item of a list.
    fn each<T>(&mut self, node: &Node, what: &str, read: fn(&mut Self, &Node) -> Option<T>) -> Vec<T> {
        self.list(node, what).iter().filter_map(|item| read(self, item)).collect()
    }

    /// Reads each item of a list that must not be empty.
    fn some<T>(&mut self, node: &Node, what: &str, read: fn(&mut Self, &Node) -> Option<T>) -> Vec<T> {
        let before = self.faults.len();
        let items = self.each(node, what, read);
        if items.is_empty() && self.faults.len() == before {
            self.fault(Diagnostic::error("empty-list", node.span, format!("{what} names nothing")));
        }
        items
    }
}
