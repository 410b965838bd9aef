//! Invariants.

use super::form::{Form, Reader};
use crate::diag::{Diagnostic, Files};
use crate::rule::model::{Category, Claim, Condition, Exception, Invariant, Name, Outcome, Severity, Spanned};
use crate::rule::shape::{self, Shape};
use crate::rule::yaml::{Kind, Node};

impl Reader {
    /// Reads an invariant.
    pub fn invariant(&mut self, node: &Node, files: &Files) -> Option<Invariant> {
        let mut form = self.form(node, &shape::INVARIANT)?;
        let id = self.required(&mut form, "id").and_then(|node| self.name(node));
        let title = self.required_words(&mut form, "title");
        let because = self.required_words(&mut form, "because");
        let evidence = self.required(&mut form, "evidence").map(|node| (node, self.evidence(node)));
        let verification =
            form.take("verification").and_then(|node| self.word(node, "a verification", shape::VERIFICATION));
        let follows = form.take("follows").map_or_else(Vec::new, |node| self.names(node));
        let claimed = shape::INVARIANT.laws.iter().any(|law| match law {
            shape::Law::Some(keys) => keys.iter().any(|key| form.has(key)),
            _ => false,
        });
        let claims = self.claims(&mut form);
        let span = form.span;
        form.finish(self);
        if !claimed {
            let fault = Diagnostic::error("missing-key", span, "an invariant claims something, and this does not");
            self.fault(
                fault.help(
                    "add `never:`, `always:`, `no_bearing:`, `no_text:`, `says:`, `order:`, `codes:` or `apart:`",
                ),
            );
        }
        let evidence = evidence.map(|(node, cited)| {
            if cited.is_empty() && matches!(&node.kind, Kind::List(items) if items.is_empty()) {
                self.fault(Diagnostic::error("empty-list", node.span, "`evidence` cites nothing"));
            }
            cited
        });
        let id = id?;
        Some(Invariant {
            location: files.line(id.span),
            id,
            title: title?,
            because: because?,
            evidence: evidence?,
            verification: verification.unwrap_or_default(),
            follows,
            claims,
        })
    }

    fn claims(&mut self, form: &mut Form<'_>) -> Vec<Claim> {
        let mut claims = Vec::new();
        if let Some(node) = form.take("never") {
            claims.extend(self.conditions(node).into_iter().map(Claim::Never));
        }
        self.claims_of(form, "always", &shape::IMPLICATION, &mut claims, |reader, form| {
            let given = reader.required(form, "if").and_then(|node| reader.condition(node));
            let then = reader.required(form, "then").and_then(|node| reader.condition(node));
            Some(Claim::Always { given: Box::new(given?), then: Box::new(then?) })
        });
        self.claims_of(form, "no_bearing", &shape::BEARING, &mut claims, |reader, form| {
            let of = reader.required(form, "of").map(|node| reader.conditions(node));
            let on = reader.required(form, "on").map(|node| reader.conditions(node));
            Some(Claim::NoBearing { of: of?, on: on? })
        });
        self.claims_of(form, "no_text", &shape::NO_TEXT, &mut claims, |reader, form| {
            let words = reader.required_texts(form);
            let within = form
                .take("in")
                .map_or_else(Vec::new, |node| reader.some_words(node, "a sort of text", shape::READINGS));
            let except = form.take("except").map_or(&[][..], |node| reader.list(node, "`except`"));
            let except = except.iter().filter_map(|node| reader.exception(node)).collect();
            Some(Claim::NoText { words: words?, within, except })
        });
        self.claims_of(form, "says", &shape::SAYS, &mut claims, |reader, form| {
            let components = reader.required_names(form, "component");
            Some(Claim::Says { words: reader.required_texts(form)?, components: components? })
        });
        self.claims_of(form, "order", &shape::ORDER, &mut claims, |reader, form| {
            let first = reader.required_names(form, "first");
            Some(Claim::Order { then: reader.required_names(form, "then")?, first: first? })
        });
        self.claims_of(form, "apart", &shape::APART, &mut claims, |reader, form| {
            let one = reader.required_names(form, "one");
            Some(Claim::Apart { other: reader.required_names(form, "other")?, one: one? })
        });
        self.claims_of(form, "codes", &shape::CODES, &mut claims, |reader, form| {
            let concept = reader.required(form, "concept").and_then(|node| reader.name(node));
            let has = reader.required(form, "has").map(|node| reader.codings(node));
            Some(Claim::Codes { concept: concept?, has: has? })
        });
        claims
    }

    /// The claims of one kind: a list of maps.
    fn claims_of(
        &mut self,
        form: &mut Form<'_>,
        key: &'static str,
        shape: &'static Shape,
        claims: &mut Vec<Claim>,
        read: fn(&mut Self, &mut Form<'_>) -> Option<Claim>,
    ) {
        let Some(node) = form.take(key) else { return };
        let items = self.list(node, "claims of one kind");
        if items.is_empty() && matches!(node.kind, Kind::List(_)) {
            self.fault(Diagnostic::error("empty-list", node.span, "the list claims nothing"));
        }
        for item in items {
            let Some(mut form) = self.form(item, shape) else { continue };
            claims.extend(read(self, &mut form));
            form.finish(self);
        }
    }

    fn required_names(&mut self, form: &mut Form<'_>, key: &'static str) -> Option<Vec<Name>> {
        self.required(form, key).map(|node| self.names(node))
    }

    fn required_texts(&mut self, form: &mut Form<'_>) -> Option<Vec<Spanned<String>>> {
        self.required(form, "words").map(|node| self.texts(node, "words"))
    }

    fn exception(&mut self, node: &Node) -> Option<Exception> {
        let mut form = self.form(node, &shape::EXCEPTION)?;
        let rule = self.required(&mut form, "rule").and_then(|node| self.name(node));
        let reason = self.required_words(&mut form, "reason");
        form.finish(self);
        Some(Exception { rule: rule?, reason: reason? })
    }

    /// Reads what an answer says, after its leading key.
    pub(super) fn outcome(&mut self, form: &mut Form<'_>, leading: &'static str) -> Option<Condition> {
        let node = form.take(leading)?;
        let outcome = match leading {
            "standing" => self.standing(node)?,
            "alert" => {
                let severities: Vec<_> = Severity::ALL.iter().map(|word| (word.word(), *word)).collect();
                let categories: Vec<_> = Category::ALL.iter().map(|word| (word.word(), *word)).collect();
                let severity = form.take("severity");
                Outcome::Alert {
                    categories: self.some_words(node, "a category", &categories),
                    severities: severity.map_or_else(Vec::new, |node| self.some_words(node, "a severity", &severities)),
                }
            }
            _ => Outcome::Assess { instruments: self.names(node) },
        };
        Some(Condition::Outcome(outcome))
    }

    fn standing(&mut self, node: &Node) -> Option<Outcome> {
        let mut form = self.form(node, &shape::STANDING)?;
        let components = form.take("component").map(|node| self.names(node));
        let approaches = form.take("approach").map(|node| self.names(node));
        let actions =
            form.take("action").map_or_else(Vec::new, |node| self.some_words(node, "an action", shape::ACTIONS));
        let is = self.required(&mut form, "is").map(|node| self.some_words(node, "a standing", shape::STANDINGS));
        if components.is_some() == approaches.is_some() {
            let fault = Diagnostic::error("missing-key", form.span, "a standing is of components or of approaches");
            self.fault(fault.help("write one of `component:` and `approach:`"));
        }
        form.finish(self);
        Some(Outcome::Standing {
            components: components.unwrap_or_default(),
            approaches: approaches.unwrap_or_default(),
            actions,
            is: is?,
        })
    }
}
