//! Rules and definitions.

use super::form::{Form, Reader};
use crate::clinical::date::FhirDate;
use crate::diag::{self, Diagnostic, Files};
use crate::rule::model::{
    ActionName, Category, Citation, Conclusion, Condition, Definition, Fact, FactTest, InsightCode, Name, Rule,
    RuleStatus, Severity, Spanned, Urgency, Verification, WhenUnknown,
};
use crate::rule::shape::{self, ACTIONS, STATUS, UNKNOWN, VERIFICATION};
use crate::rule::yaml::{Kind, Node};

/// Keys that every rule of a file has unless it says otherwise.
#[derive(Default)]
pub struct Defaults {
    status: Option<RuleStatus>,
    strength: Option<String>,
    verification: Option<Verification>,
    review_by: Option<Spanned<String>>,
    evidence: Option<Vec<Citation>>,
}

impl Reader {
    /// Reads the defaults of a file.
    pub fn defaults(&mut self, node: &Node) -> Defaults {
        let Some(mut form) = self.form(node, &shape::DEFAULTS) else { return Defaults::default() };
        let defaults = self.shared_keys(&mut form);
        if defaults.evidence.as_ref().is_some_and(Vec::is_empty) {
            self.fault(Diagnostic::error("empty-list", form.span, "`evidence` cites nothing"));
        }
        form.finish(self);
        defaults
    }

    fn shared_keys(&mut self, form: &mut Form<'_>) -> Defaults {
        Defaults {
            status: form.take("status").and_then(|node| self.word(node, "a rule status", STATUS)),
            strength: self.optional_words(form, "strength"),
            verification: form.take("verification").and_then(|node| self.word(node, "a verification", VERIFICATION)),
            review_by: form.take("review_by").and_then(|node| self.day(node)),
            evidence: form.take("evidence").map(|node| self.evidence(node)),
        }
    }

    fn day(&mut self, node: &Node) -> Option<Spanned<String>> {
        let text = self.text(node)?;
        if text.len() == 10 && FhirDate::parse(&text).is_ok() {
            return Some(text);
        }
        let fault = Diagnostic::error("malformed-date", node.span, format!("`{}` is not a date", text.value));
        self.fault(fault.help("write a day of the calendar: `2027-11-22`"));
        None
    }

    fn evidence(&mut self, node: &Node) -> Vec<Citation> {
        let items = self.list(node, "`evidence`");
        items
            .iter()
            .filter_map(|item| {
                let mut form = self.form(item, &shape::CITATION)?;
                let source = self.required(&mut form, "source").and_then(|node| self.name(node));
                let place = self.required_words(&mut form, "place");
                form.finish(self);
                Some(Citation { source: source?, place: place? })
            })
            .collect()
    }

    /// Reads a definition.
    pub fn definition(&mut self, node: &Node) -> Option<Definition> {
        let mut form = self.form(node, &shape::DEFINITION)?;
        let id = self.required(&mut form, "id").and_then(|node| self.name(node));
        let title = self.required_words(&mut form, "title");
        let when = self.required(&mut form, "when").and_then(|node| self.condition(node));
        form.finish(self);
        Some(Definition { id: id?, title: title?, when: when? })
    }

    /// Reads a rule.
    pub fn rule(&mut self, node: &Node, defaults: &Defaults, files: &Files) -> Option<Rule> {
        let mut form = self.form(node, &shape::RULE)?;
        let id = self.required(&mut form, "id").and_then(|node| self.name(node));
        let title = self.required_words(&mut form, "title");
        let conclusion = self.conclusion(&mut form);
        let when = self.required(&mut form, "when").and_then(|node| self.condition(node));
        let unknown = form.take("unknown");
        let unknown_word = unknown.and_then(|node| self.word(node, "what unknown can do", UNKNOWN));
        let ask = self.optional_words(&mut form, "ask");
        let statement = self.required(&mut form, "statement").and_then(|node| {
            let words = self.words(node)?;
            Some(Spanned::new(words, node.span))
        });
        let possible = self.optional_words(&mut form, "possible");
        let active_because = self.optional_words(&mut form, "active_because");
        let effective = form.take("effective").and_then(|node| self.effective(node));
        let outranks = form.take("outranks").map_or_else(Vec::new, |node| self.names(node));
        let follows = form.take("follows").map_or_else(Vec::new, |node| self.names(node));
        let own = self.shared_keys(&mut form);
        let span = form.span;
        form.finish(self);
        let (id, conclusion, when) = (id?, conclusion?, when?);
        self.unknown_policy(&id, &conclusion, unknown, unknown_word, possible.is_some());
        let evidence = own.evidence.or_else(|| defaults.evidence.clone()).unwrap_or_default();
        if evidence.is_empty() {
            let fault = Diagnostic::error("missing-evidence", id.span, format!("rule `{}` cites no source", id.value));
            self.fault(fault.help("add `evidence:` with at least one `{source: …, place: …}`"));
        }
        let strength = own.strength.or_else(|| defaults.strength.clone());
        if strength.is_none() {
            let fault = Diagnostic::error("missing-key", span, format!("rule `{}` has no `strength`", id.value));
            self.fault(fault.help("add `strength:` with the grade that the source gives"));
        }
        Some(Rule {
            location: files.line(id.span),
            span,
            title: title?,
            status: own.status.or(defaults.status).unwrap_or_default(),
            when: in_force(when, effective),
            conclusion,
            unknown: unknown_word.unwrap_or_default(),
            ask,
            statement: statement?,
            possible,
            evidence,
            strength: strength?,
            verification: own.verification.or(defaults.verification).unwrap_or_default(),
            active_because,
            review_by: own.review_by.or_else(|| defaults.review_by.clone()),
            outranks,
            follows: follows.into_iter().map(|name| name.value).collect(),
            id,
        })
    }

    fn unknown_policy(
        &mut self,
        id: &Name,
        conclusion: &Conclusion,
        written: Option<&Node>,
        word: Option<WhenUnknown>,
        has_possible: bool,
    ) {
        let excluding = matches!(conclusion, Conclusion::Caution { .. } | Conclusion::Contraindicate { .. });
        let alert = matches!(conclusion, Conclusion::Alert { .. });
        if excluding && written.is_none() {
            let message = format!("rule `{}` excludes, and does not say what an unknown condition does", id.value);
            self.fault(
                Diagnostic::error("missing-unknown", id.span, message)
                    .help("add `unknown: verify` where starting blind is worse than waiting, else `unknown: request`"),
            );
        }
        let (Some(node), Some(word)) = (written, word) else { return };
        let fits = match word {
            WhenUnknown::Request => true,
            WhenUnknown::Verify => excluding,
            WhenUnknown::AlertPossible => alert,
        };
        if !fits {
            let message = format!("`{}` is not for a rule that says `{}`", word_of(word), conclusion.word());
            self.fault(
                Diagnostic::error("misplaced-unknown", node.span, message)
                    .help("`verify` is for exclusions, `alert-possible` for alerts, `request` for every rule"),
            );
        } else if word == WhenUnknown::AlertPossible && !has_possible {
            let message = format!("rule `{}` may be raised although unknown, and has no words for it", id.value);
            self.fault(Diagnostic::error("missing-key", node.span, message).help("add `possible: …`"));
        }
    }

    fn effective(&mut self, node: &Node) -> Option<(Option<String>, Option<String>)> {
        let mut form = self.form(node, &shape::EFFECTIVE)?;
        let from = form.take("from").and_then(|node| self.day(node)).map(|day| day.value);
        let until = form.take("until").and_then(|node| self.day(node)).map(|day| day.value);
        form.finish(self);
        Some((from, until))
    }

    fn conclusion(&mut self, form: &mut Form<'_>) -> Option<Conclusion> {
        let conclusions: Vec<&'static str> = shape::RULE.choice.iter().map(|key| key.name).collect();
        let written: Vec<&'static str> = conclusions.iter().copied().filter(|key| form.has(key)).collect();
        let [leading] = written[..] else {
            let near = |key: &str| diag::nearest(key, conclusions.iter().copied()).is_some();
            if written.is_empty() && form.keys().any(|key| near(&key.text)) {
                // A conclusion with a slip of the pen: told as an unknown key.
                for key in &conclusions {
                    let _ = form.take(key);
                }
                return None;
            }
            let message = if written.is_empty() {
                "a rule has a conclusion, and this has none".to_owned()
            } else {
                format!("a rule has one conclusion, and this has {}: {}", written.len(), written.join(", "))
            };
            for key in &conclusions {
                let _ = form.take(key);
            }
            let fault = Diagnostic::error("conclusion", form.span, message);
            self.fault(
                fault.help(format!("write one of {}; split the rule where it says two things", conclusions.join(", "))),
            );
            return None;
        };
        let node = form.take(leading)?;
        match leading {
            "recommend" => Some(Conclusion::Recommend { components: self.names(node) }),
            "consider" => Some(Conclusion::Consider { components: self.names(node) }),
            "caution" => self.exclusion(node, |components, actions| Conclusion::Caution { components, actions }),
            "contraindicate" => {
                self.exclusion(node, |components, actions| Conclusion::Contraindicate { components, actions })
            }
            "alert" => self.alert(node),
            "request" => self.request(node),
            "assess" => self.assess(node),
            "insight" => {
                let codes: Vec<_> = InsightCode::ALL.iter().map(|code| (code.word(), *code)).collect();
                Some(Conclusion::Insight { code: self.word(node, "an insight", &codes)? })
            }
            _ => {
                self.word(node, "what a note says", &[("true", ())])?;
                Some(Conclusion::Note)
            }
        }
    }

    fn exclusion(&mut self, node: &Node, make: fn(Vec<Name>, Vec<ActionName>) -> Conclusion) -> Option<Conclusion> {
        let mut form = self.form(node, &shape::EXCLUSION)?;
        let components = self.required(&mut form, "component").map(|node| self.names(node));
        let actions = self.required(&mut form, "action").map(|node| self.some_words(node, "an action", ACTIONS));
        form.finish(self);
        Some(make(components?, actions?))
    }

    fn category(&mut self, node: Option<&Node>) -> Option<Category> {
        let words: Vec<_> = Category::ALL.iter().map(|category| (category.word(), *category)).collect();
        node.and_then(|node| self.word(node, "a category", &words))
    }

    fn alert(&mut self, node: &Node) -> Option<Conclusion> {
        let mut form = self.form(node, &shape::ALERT)?;
        let category = self.required(&mut form, "category");
        let category = self.category(category);
        let severities: Vec<_> = Severity::ALL.iter().map(|word| (word.word(), *word)).collect();
        let urgencies: Vec<_> = Urgency::ALL.iter().map(|word| (word.word(), *word)).collect();
        let severity = self.required(&mut form, "severity").and_then(|node| self.word(node, "a severity", &severities));
        let urgency = self.required(&mut form, "urgency").and_then(|node| self.word(node, "an urgency", &urgencies));
        form.finish(self);
        Some(Conclusion::Alert { category: category?, severity: severity?, urgency: urgency? })
    }

    fn request(&mut self, node: &Node) -> Option<Conclusion> {
        let mut form = self.form(node, &shape::REQUEST)?;
        let category = form.take("category");
        let category = self.category(category);
        let field = self.required_words(&mut form, "field");
        let concept = form.take("concept").and_then(|node| self.name(node));
        form.finish(self);
        Some(Conclusion::Request { category, field: field?, concept })
    }

    fn assess(&mut self, node: &Node) -> Option<Conclusion> {
        if let Kind::Scalar(_) = node.kind {
            return Some(Conclusion::Assess { category: None, instrument: self.name(node)? });
        }
        let mut form = self.form(node, &shape::ASSESSMENT)?;
        let category = form.take("category");
        let category = self.category(category);
        let instrument = self.required(&mut form, "instrument").and_then(|node| self.name(node));
        form.finish(self);
        Some(Conclusion::Assess { category, instrument: instrument? })
    }
}

fn word_of(word: WhenUnknown) -> &'static str {
    UNKNOWN.iter().find(|(_, value)| *value == word).map_or("", |(text, _)| text)
}

/// A rule outside its effective period is false: the period is one more fact.
fn in_force(when: Spanned<Condition>, effective: Option<(Option<String>, Option<String>)>) -> Spanned<Condition> {
    let Some((from, until)) = effective else { return when };
    let span = when.span;
    let period = FactTest { fact: Fact::InForce { from, until }, bind: None, absent_unknown: false };
    Spanned::new(Condition::All(vec![Spanned::new(Condition::Fact(period), span), when]), span)
}
