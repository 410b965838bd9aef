//! The expectations of a case, from their YAML.

use crate::clinical::code::CodeSystem;
use crate::diag::{Diagnostic, nearest};
use crate::engine::decision::{Action, Scope, Severity, Standing, Urgency};
use crate::rule::model::{Category, Package, RuleStatus};
use crate::rule::read::form::{Form, Reader};
use crate::rule::shape;
use crate::rule::truth::Truth;
use crate::rule::yaml::{Kind, Node};

use super::claim::{AlertPattern, Claim, Expectation};

const STANDINGS: &[(&str, Option<Standing>)] = &[
    ("recommended", Some(Standing::Recommended)),
    ("consider", Some(Standing::Consider)),
    ("caution", Some(Standing::Caution)),
    ("verify-first", Some(Standing::VerifyFirst)),
    ("contraindicated", Some(Standing::Contraindicated)),
    ("none", Some(Standing::None)),
    ("absent", None),
];

const ACTIONS: &[(&str, Action)] = &[
    ("start", Action::Start),
    ("continue", Action::Continue),
    ("start-or-continue", Action::StartOrContinue),
    ("increase", Action::Increase),
];

const SCOPES: &[(&str, Scope)] = &[
    ("present", Scope::Present),
    ("possible", Scope::Possible),
    ("in-remission", Scope::InRemission),
    ("none", Scope::None),
];

const BASES: &[(&str, ())] = &[("authors", ()), ("guideline", ()), ("record", ())];

/// What is expected of a request that may be refused.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    /// Where it is written.
    pub(super) span: crate::diag::Span,
    /// Status code.
    pub(super) code: String,
    /// One of these words is in the reason.
    pub(super) words: Vec<String>,
    /// Each is named.
    pub(super) fields: Vec<String>,
    /// Being answered is fine too.
    pub(super) any_outcome: bool,
    /// If refused, ask again without the fields.
    pub(super) retry: bool,
}

/// What a case expects.
#[derive(Clone, Debug, Default)]
pub(super) struct Expected {
    pub(super) expectations: Vec<Expectation>,
    pub(super) refused: Option<Refused>,
}

/// Reads expectations; names are held against a package.
pub(super) struct Expecting<'a> {
    pub(super) reader: &'a mut Reader,
    pub(super) package: &'a Package,
    /// Are drafts asked for?
    drafts: bool,
    found: Expected,
}

impl<'a> Expecting<'a> {
    pub(super) fn read(reader: &'a mut Reader, package: &'a Package, drafts: bool, node: &Node) -> Expected {
        let mut expecting = Self { reader, package, drafts, found: Expected::default() };
        expecting.all(node);
        expecting.found
    }

    fn all(&mut self, node: &Node) {
        let Some(mut form) = self.reader.form(node, &shape::EXPECT) else { return };
        if let Some(node) = form.take("approaches") {
            self.approaches(node);
        }
        if let Some(node) = form.take("components") {
            self.components(node);
        }
        if let Some(node) = form.take("alerts") {
            self.alerts(node);
        }
        if let Some(node) = form.take("requests") {
            self.requests(node);
        }
        if let Some(node) = form.take("unrecognized") {
            self.unrecognized(node);
        }
        if let Some(node) = form.take("rules") {
            self.rules(node);
        }
        if let Some(node) = form.take("scope")
            && let Some(scope) = self.reader.word(node, "a scope", SCOPES)
        {
            self.add(Claim::Scope(scope), node);
        }
        if let Some(node) = form.take("error") {
            self.error(node);
        }
        form.finish(self.reader);
    }

    fn add(&mut self, claim: Claim, node: &Node) {
        self.found.expectations.push(Expectation { claim, span: node.span });
    }

    /// Why something is expected, which is for people, and checked for its words.
    fn why(&mut self, form: &mut Form<'_>) {
        if let Some(node) = form.take("basis") {
            self.reader.word(node, "a basis", BASES);
        }
        if let Some(node) = form.take("ref") {
            self.reader.words(node);
        }
    }

    fn known(&mut self, node: &Node, what: &str, names: &[&str]) -> Option<String> {
        let name = self.reader.text(node)?.value;
        if names.contains(&name.as_str()) {
            return Some(name);
        }
        let fault = Diagnostic::error("unknown-name", node.span, format!("the package has no {what} `{name}`"));
        self.reader.fault(match nearest(&name, names.iter().copied()) {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None => fault,
        });
        None
    }

    fn approach(&mut self, node: &Node) -> Option<String> {
        let package = self.package;
        let names: Vec<&str> = package.approaches.iter().map(|one| one.id.value.as_str()).collect();
        self.known(node, "approach", &names)
    }

    fn component(&mut self, node: &Node) -> Option<String> {
        let package = self.package;
        let names: Vec<&str> = package.components.iter().map(|one| one.id.value.as_str()).collect();
        self.known(node, "component", &names)
    }

    fn rule(&mut self, node: &Node) -> Option<String> {
        let package = self.package;
        let drafts = self.drafts;
        let evaluated = package.rules.iter().filter(|rule| match rule.status {
            RuleStatus::Active => true,
            RuleStatus::Draft => drafts,
            _ => false,
        });
        let names: Vec<&str> = evaluated.map(|rule| rule.id.value.as_str()).collect();
        self.known(node, if drafts { "rule" } else { "active rule" }, &names)
    }

    fn list<'n>(&mut self, form: &mut Form<'n>, key: &'static str) -> &'n [Node] {
        form.take(key).map_or(&[], |node| self.reader.list(node, "this"))
    }

    fn approaches(&mut self, node: &Node) {
        let Some(mut form) = self.reader.form(node, &shape::EXPECT_APPROACHES) else { return };
        for item in self.list(&mut form, "must") {
            if let Some(approach) = self.approach(item) {
                self.add(Claim::ApproachOffered(approach), item);
            }
        }
        for item in self.list(&mut form, "mustNot") {
            if let Some(approach) = self.approach(item) {
                self.add(Claim::ApproachNotRecommended(approach), item);
            }
        }
        if let Some(basis) = form.take("basis") {
            self.bases(basis);
        }
        form.finish(self.reader);
    }

    fn bases(&mut self, node: &Node) {
        let Kind::Map(entries) = &node.kind else {
            self.reader.shape(node, "`basis` is a map of approaches");
            return;
        };
        for (key, node) in entries {
            let name = Node { span: key.span, kind: Kind::Scalar(key.text.clone()), plain: true };
            self.approach(&name);
            if let Some(mut form) = self.reader.form(node, &shape::EXPECT_REASON) {
                self.why(&mut form);
                form.finish(self.reader);
            }
        }
    }

    fn components(&mut self, node: &Node) {
        let Some(mut form) = self.reader.form(node, &shape::EXPECT_COMPONENTS) else { return };
        for item in self.list(&mut form, "must") {
            let Some(mut one) = self.reader.form(item, &shape::EXPECT_ANY_OF) else { continue };
            let any_of = self.reader.required(&mut one, "anyOf");
            let codes = any_of.map_or(&[][..], |node| self.reader.list(node, "`anyOf`"));
            let codes: Vec<String> = codes.iter().filter_map(|code| self.component(code)).collect();
            if !codes.is_empty() {
                self.add(Claim::AnyOffered(codes), item);
            }
            self.why(&mut one);
            one.finish(self.reader);
        }
        let not_offered = self.list(&mut form, "mustNotOffer");
        self.each_component(not_offered, Claim::NotOffered);
        let contraindicated = self.list(&mut form, "contraindicated");
        self.each_component(contraindicated, Claim::Contraindicated);
        for item in self.list(&mut form, "standing") {
            self.standing(item);
        }
        form.finish(self.reader);
    }

    fn each_component(&mut self, items: &[Node], claim: fn(String) -> Claim) {
        for item in items {
            let Some(mut one) = self.reader.form(item, &shape::EXPECT_ONE) else { continue };
            let node = self.reader.required(&mut one, "component");
            if let Some(code) = node.and_then(|node| self.component(node)) {
                self.add(claim(code), item);
            }
            self.why(&mut one);
            one.finish(self.reader);
        }
    }

    fn standing(&mut self, item: &Node) {
        let Some(mut one) = self.reader.form(item, &shape::EXPECT_STANDING) else { return };
        let component = self.reader.required(&mut one, "component").and_then(|node| self.component(node));
        let is = self.reader.required(&mut one, "is");
        let is = is.and_then(|node| self.reader.word(node, "a standing", STANDINGS));
        let action = one.take("action").and_then(|node| self.reader.word(node, "an action", ACTIONS));
        if let (Some(component), Some(is)) = (component, is) {
            self.add(Claim::Standing { component, action, is }, item);
        }
        self.why(&mut one);
        one.finish(self.reader);
    }

    fn alerts(&mut self, node: &Node) {
        let Some(mut form) = self.reader.form(node, &shape::EXPECT_ALERTS) else { return };
        for item in self.list(&mut form, "must") {
            if let Some(pattern) = self.alert(item) {
                self.add(Claim::Alert(pattern), item);
            }
        }
        for item in self.list(&mut form, "mustNot") {
            if let Some(pattern) = self.alert(item) {
                self.add(Claim::NoAlert(pattern), item);
            }
        }
        if let Some(exact) = form.take("exact") {
            let items = self.reader.list(exact, "`exact`");
            let patterns = items.iter().filter_map(|item| self.exact_alert(item)).collect();
            self.add(Claim::AlertsExact(patterns), exact);
        }
        self.why(&mut form);
        form.finish(self.reader);
    }

    /// An id, or a map with the id and more.
    fn exact_alert(&mut self, item: &Node) -> Option<AlertPattern> {
        if let Kind::Scalar(_) = item.kind {
            return self.rule(item).map(|id| AlertPattern { id: Some(id), ..AlertPattern::default() });
        }
        let pattern = self.alert(item)?;
        if pattern.id.is_none() {
            let fault = Diagnostic::error("missing-key", item.span, "an alert of a whole list has no `id`");
            self.reader.fault(fault.help("add `id: …`"));
            return None;
        }
        Some(pattern)
    }

    fn alert(&mut self, item: &Node) -> Option<AlertPattern> {
        let mut one = self.reader.form(item, &shape::EXPECT_ALERT)?;
        let categories: Vec<(&str, Category)> = Category::ALL.iter().map(|one| (one.word(), *one)).collect();
        let severities: Vec<(&str, Severity)> = Severity::ALL.iter().map(|one| (one.word(), *one)).collect();
        let urgencies: Vec<(&str, Urgency)> = Urgency::ALL.iter().map(|one| (one.word(), *one)).collect();
        let category = one.take("category").and_then(|node| self.reader.word(node, "a category", &categories));
        let others = self.list(&mut one, "orCategory");
        let others = others.iter().filter_map(|node| self.reader.word(node, "a category", &categories));
        let categories: Vec<Category> = category.into_iter().chain(others.collect::<Vec<_>>()).collect();
        let pattern = AlertPattern {
            id: one.take("id").and_then(|node| self.rule(node)),
            categories: categories.into_iter().map(|one| one.word().to_owned()).collect(),
            about: self.about(&mut one),
            severity: one.take("severity").and_then(|node| self.reader.word(node, "a severity", &severities)),
            urgency: one.take("urgency").and_then(|node| self.reader.word(node, "an urgency", &urgencies)),
            possible: one.take("possible").and_then(|node| self.reader.boolean(node)),
            or_request: self.flag(&mut one, "orRequest"),
        };
        self.why(&mut one);
        one.finish(self.reader);
        if pattern.id.is_none() && pattern.about.is_empty() {
            let fault =
                Diagnostic::error("missing-key", item.span, "the expectation says neither which alert nor what about");
            self.reader.fault(fault.help("add `about: [words]` or `id: …`"));
            return None;
        }
        Some(pattern)
    }

    fn flag(&mut self, form: &mut Form<'_>, key: &'static str) -> bool {
        form.take(key).and_then(|node| self.reader.boolean(node)).unwrap_or(false)
    }

    /// Words are looked for in lower case: one with a capital would never be found.
    fn about(&mut self, form: &mut Form<'_>) -> Vec<String> {
        let mut words = Vec::new();
        for item in self.list(form, "about") {
            let Some(word) = self.reader.words(item) else { continue };
            if word.chars().any(char::is_uppercase) {
                let fault = Diagnostic::error("malformed-word", item.span, format!("`{word}` has a capital letter"));
                self.reader.fault(fault.help(format!("write `{}`", word.to_lowercase())));
            }
            words.push(word);
        }
        words
    }

    fn requests(&mut self, node: &Node) {
        let Some(mut form) = self.reader.form(node, &shape::EXPECT_REQUESTS) else { return };
        for item in self.list(&mut form, "must") {
            let Some(mut one) = self.reader.form(item, &shape::EXPECT_REQUEST) else { continue };
            self.reader.required(&mut one, "about");
            let about = self.about(&mut one);
            let or_alert = self.flag(&mut one, "orAlert");
            self.add(Claim::Request { about, or_alert }, item);
            self.why(&mut one);
            one.finish(self.reader);
        }
        for item in self.list(&mut form, "keys") {
            if let Some(id) = self.reader.words(item) {
                self.add(Claim::RequestKey(id), item);
            }
        }
        if let Some(exact) = form.take("exact") {
            let items = self.reader.list(exact, "`exact`");
            let ids = items.iter().filter_map(|item| self.reader.words(item)).collect();
            self.add(Claim::RequestsExact(ids), exact);
        }
        self.why(&mut form);
        form.finish(self.reader);
    }

    fn unrecognized(&mut self, node: &Node) {
        let Some(mut form) = self.reader.form(node, &shape::EXPECT_UNRECOGNIZED) else { return };
        for item in self.list(&mut form, "must") {
            let Some(mut one) = self.reader.form(item, &shape::EXPECT_CODE) else { continue };
            let system = self.reader.required_words(&mut one, "system");
            let code = self.reader.required_words(&mut one, "code");
            let unless_supported = self.flag(&mut one, "unlessSystemSupported");
            if let (Some(system), Some(code)) = (system, code)
                && !(unless_supported && CodeSystem::resolve(&system).is_ok())
            {
                self.add(Claim::Unrecognized { system, code }, item);
            }
            self.why(&mut one);
            one.finish(self.reader);
        }
        form.finish(self.reader);
    }

    fn rules(&mut self, node: &Node) {
        let Some(mut form) = self.reader.form(node, &shape::EXPECT_RULES) else { return };
        for (key, truth) in [("fires", Truth::True), ("silent", Truth::False), ("undecided", Truth::Unknown)] {
            for item in self.list(&mut form, key) {
                if let Some(rule) = self.rule(item) {
                    self.add(Claim::Rule(rule, truth), item);
                }
            }
        }
        self.why(&mut form);
        form.finish(self.reader);
    }

    fn error(&mut self, node: &Node) {
        let Some(mut form) = self.reader.form(node, &shape::EXPECT_ERROR) else { return };
        let codes = [("INVALID_ARGUMENT", ())];
        let code = self.reader.required(&mut form, "code");
        code.and_then(|node| self.reader.word(node, "a status code that a request is refused with", &codes));
        let texts = |reader: &mut Reader, node: Option<&Node>| -> Vec<String> {
            let texts = node.map_or_else(Vec::new, |node| reader.texts(node, "this"));
            texts.into_iter().map(|text| text.value).collect()
        };
        let words = texts(self.reader, form.take("words"));
        let fields = texts(self.reader, form.take("fields"));
        let any_outcome = self.flag(&mut form, "anyOutcome");
        let retry = self.flag(&mut form, "retryWithoutFields");
        let code = "INVALID_ARGUMENT".to_owned();
        self.found.refused = Some(Refused { span: node.span, code, words, fields, any_outcome, retry });
        self.why(&mut form);
        form.finish(self.reader);
    }
}
