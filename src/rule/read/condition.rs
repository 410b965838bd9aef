//! Conditions: a map with one leading key, or the id of a definition.

use rust_decimal::Decimal;

use super::form::{Form, Reader, decimal};
use crate::diag::{Diagnostic, nearest};
use crate::rule::model::{
    Bound, Comparison, ComparisonUnit, Condition, Fact, FactTest, Name, ObservationTest, Spanned, Window,
};
use crate::rule::shape::{self, Shape};
use crate::rule::yaml::{Kind, Node};

impl Reader {
    /// Reads a condition.
    pub fn condition(&mut self, node: &Node) -> Option<Spanned<Condition>> {
        if let Kind::Scalar(_) = node.kind {
            let name = self.name(node)?;
            return Some(Spanned::new(Condition::Definition(name), node.span));
        }
        let mut form = self.form(node, &shape::CONDITION)?;
        let Some(shape) = shape::CONDITIONS.iter().find(|shape| form.has(shape.name)) else {
            self.no_leading_key(&form);
            return None;
        };
        form.shape = shape;
        let leading = shape.name;
        let condition = match leading {
            "all" | "any" | "none" | "either" | "of" => self.parts(&mut form, leading),
            "not" | "known" | "unknown" => self.unary(&mut form, leading),
            "if" => self.implication(&mut form),
            "proposed" => form.take("proposed").and_then(|node| self.name(node)).map(Condition::Proposed),
            "offered" => form.take("offered").and_then(|node| self.name(node)).map(Condition::Offered),
            "parameter" => {
                let test = form.take("parameter").and_then(|node| self.parameter_test(&mut form, node));
                test.map(Condition::Parameter)
            }
            "standing" | "alert" | "assess" => self.outcome(&mut form, leading),
            fact => self.fact(&mut form, fact),
        };
        form.finish(self);
        Some(Spanned::new(condition?, node.span))
    }

    fn no_leading_key(&mut self, form: &Form<'_>) {
        let fault = Diagnostic::error("not-a-condition", form.span, "this says no condition");
        let leading: Vec<&str> = shape::CONDITIONS.iter().map(|shape| shape.name).collect();
        let near = form.keys().find_map(|key| nearest(&key.text, leading.iter().copied()).map(|near| (key, near)));
        self.fault(match near {
            Some((key, near)) => {
                Diagnostic { span: key.span, ..fault }.label("not a condition").help(format!("did you mean `{near}`?"))
            }
            None => fault.help(format!("a condition leads with one of: {}", leading.join(", "))),
        });
    }

    pub(super) fn conditions(&mut self, node: &Node) -> Vec<Spanned<Condition>> {
        let items = self.list(node, "a group of conditions");
        if items.is_empty() && matches!(node.kind, Kind::List(_)) {
            self.fault(Diagnostic::error("empty-list", node.span, "the group has no condition"));
        }
        items.iter().filter_map(|item| self.condition(item)).collect()
    }

    fn parts(&mut self, form: &mut Form<'_>, leading: &'static str) -> Option<Condition> {
        let node = form.take(leading)?;
        let mut parts = self.conditions(node);
        Some(match leading {
            "all" => Condition::All(parts),
            "any" => Condition::Any(parts),
            "none" => Condition::None(parts),
            "either" => {
                let (second, first) = (parts.pop(), parts.pop());
                let (Some(first), Some(second), true) = (first, second, parts.is_empty()) else {
                    self.fault(Diagnostic::error("wrong-shape", node.span, "`either` takes two conditions"));
                    return None;
                };
                Condition::Xor(Box::new(first), Box::new(second))
            }
            _ => {
                let needed = self.required(form, "at_least")?;
                let text = self.text(needed)?;
                let count = text.parse::<u32>().ok().filter(|count| *count >= 1 && *count as usize <= parts.len());
                let Some(count) = count else {
                    let message = format!("`at_least` is a number from 1 to {}", parts.len());
                    self.fault(Diagnostic::error("malformed-number", needed.span, message));
                    return None;
                };
                Condition::AtLeast(count, parts)
            }
        })
    }

    fn unary(&mut self, form: &mut Form<'_>, leading: &'static str) -> Option<Condition> {
        let node = form.take(leading)?;
        let part = Box::new(self.condition(node)?);
        Some(match leading {
            "not" => Condition::Not(part),
            "known" => Condition::Known(part),
            _ => Condition::Unknown(part),
        })
    }

    fn implication(&mut self, form: &mut Form<'_>) -> Option<Condition> {
        let first = form.take("if")?;
        let then = self.required(form, "then")?;
        let first = self.condition(first);
        let then = self.condition(then);
        Some(Condition::Implies(Box::new(first?), Box::new(then?)))
    }

    fn fact(&mut self, form: &mut Form<'_>, leading: &'static str) -> Option<Condition> {
        let node = form.take(leading)?;
        // Taken before the fact is read, or a fact at fault would say that
        // they are no keys.
        let bind = form.take("as");
        let absent = if matches!(leading, "diagnosis" | "medication") { form.take("absent") } else { None };
        let fact = match leading {
            "diagnosis" => self.diagnosis(form, node),
            "medication" => self.medication(form, node)?,
            "allergy" => Fact::Allergy { concepts: self.names(node) },
            "observation" => self.observation(form, node)?,
            "event" => Fact::Event {
                types: self.names(node),
                substances: self.take_names(form, "substance"),
                window: self.window(form, "within", "more_than"),
            },
            "history" => Fact::History { codes: self.names(node) },
            "age" => Fact::Age(self.nested_comparison(node, &shape::AGE)?),
            "sex" => Fact::Sex(self.word(node, "a sex", shape::SEX)?),
            "pregnancy" => Fact::Pregnancy(self.word(node, "a pregnancy status", shape::PREGNANCY)?),
            "lactation" => Fact::Lactation(self.word(node, "a lactation status", shape::LACTATION)?),
            "childbearing_potential" => Fact::ChildbearingPotential(self.boolean(node)?),
            "plan" => Fact::Plan { kinds: self.names(node), concepts: self.take_names(form, "of") },
            "preference" => Fact::Preference { codes: self.names(node) },
            "setting" => Fact::Setting { settings: self.some_words(node, "a setting", shape::SETTINGS) },
            _ => self.onset_order(node)?,
        };
        let bind = bind.and_then(|node| self.name(node));
        let absent_unknown = absent.and_then(|node| self.word(node, "what absence can be", shape::ABSENT));
        Some(Condition::Fact(FactTest { fact, bind, absent_unknown: absent_unknown.unwrap_or(false) }))
    }

    fn take_names(&mut self, form: &mut Form<'_>, key: &'static str) -> Vec<Name> {
        form.take(key).map_or_else(Vec::new, |node| self.names(node))
    }

    pub(super) fn window(&mut self, form: &mut Form<'_>, within: &'static str, more_than: &'static str) -> Window {
        Window {
            within: form.take(within).and_then(|node| self.length(node)),
            more_than: form.take(more_than).and_then(|node| self.length(node)),
        }
    }

    fn diagnosis(&mut self, form: &mut Form<'_>, node: &Node) -> Fact {
        Fact::Diagnosis {
            concepts: self.names(node),
            status: form
                .take("status")
                .and_then(|node| self.word(node, "a diagnosis status", shape::DIAGNOSIS_STATUS))
                .unwrap_or_default(),
            severity: form
                .take("severity")
                .map_or_else(Vec::new, |node| self.some_words(node, "a severity", shape::SEVERITY)),
            onset: self.window(form, "onset_within", "onset_more_than"),
            recorded: self.window(form, "recorded_within", "recorded_more_than"),
        }
    }

    fn medication(&mut self, form: &mut Form<'_>, node: &Node) -> Option<Fact> {
        let daily_dose = match form.take("daily_dose") {
            Some(node) => Some(self.nested_comparison(node, &shape::DAILY_DOSE)?),
            None => None,
        };
        Some(Fact::Medication {
            concepts: self.names(node),
            status: form
                .take("status")
                .and_then(|node| self.word(node, "a medication status", shape::MEDICATION_STATUS))
                .unwrap_or_default(),
            started: self.window(form, "started_within", "started_more_than"),
            ended: self.window(form, "ended_within", "ended_more_than"),
            given_for: self.take_names(form, "given_for"),
            not_given_for: self.take_names(form, "not_given_for"),
            daily_dose,
        })
    }

    fn observation(&mut self, form: &mut Form<'_>, node: &Node) -> Option<Fact> {
        let concepts = self.names(node);
        let window = self.window(form, "within", "more_than");
        let is = form.take("is");
        let comparison = self.comparison(form)?;
        let test = match (is, comparison) {
            (Some(node), Some(_)) => {
                let fault = Diagnostic::error("two-tests", node.span, "a fact tests an answer or a number, not both");
                self.fault(fault.help("write two facts below an `all`"));
                return None;
            }
            (Some(node), None) => Some(ObservationTest::Is(self.name(node)?)),
            (None, Some(comparison)) => Some(ObservationTest::Quantity(comparison)),
            (None, None) => None,
        };
        Some(Fact::Observation { concepts, window, test })
    }

    fn nested_comparison(&mut self, node: &Node, shape: &'static Shape) -> Option<Comparison> {
        let mut form = self.form(node, shape)?;
        let comparison = self.comparison(&mut form)?;
        form.finish(self);
        if comparison.is_none() {
            let fault = Diagnostic::error("missing-key", node.span, format!("{} is compared with nothing", shape.what));
            self.fault(fault.help("add `at_least`, `above`, `at_most` or `below`"));
        }
        comparison
    }

    /// `None`: faulty. `Some(None)`: no comparison is written.
    #[expect(clippy::option_option, reason = "what is absent and what is faulty differ")]
    fn comparison(&mut self, form: &mut Form<'_>) -> Option<Option<Comparison>> {
        let mut ends = Vec::new();
        for (key, inclusive, lower) in
            [("at_least", true, true), ("above", false, true), ("at_most", true, false), ("below", false, false)]
        {
            if let Some(node) = form.take(key) {
                let (value, unit) = self.number(node)?;
                ends.push((Bound { value, inclusive }, unit, lower, node.span));
            }
        }
        let Some((_, unit, _, _)) = ends.first() else { return Some(None) };
        let mut comparison = Comparison { low: None, high: None, unit: unit.clone() };
        for (bound, unit, lower, span) in &ends {
            let end = if *lower { &mut comparison.low } else { &mut comparison.high };
            if end.is_some() || *unit != comparison.unit {
                let fault = Diagnostic::error("two-tests", *span, "one lower and one upper end, in one unit");
                self.fault(fault.help("write two facts below an `all`"));
                return None;
            }
            *end = Some(*bound);
        }
        if let (Some(low), Some(high)) = (comparison.low, comparison.high)
            && (low.value > high.value || (low.value == high.value && !(low.inclusive && high.inclusive)))
        {
            let fault = Diagnostic::error("empty-range", form.span, "no number lies in this range");
            self.fault(fault.help("the lower end stands above the upper end: swap them"));
            return None;
        }
        Some(Some(comparison))
    }

    fn number(&mut self, node: &Node) -> Option<(Decimal, ComparisonUnit)> {
        let text = self.text(node)?;
        let (number, unit) = match text.split_once(' ') {
            Some((number, unit)) => (number, unit.trim()),
            None => (text.as_str(), ""),
        };
        let Some(number) = decimal(number) else {
            let message = format!("`{}` is not a number with a unit", text.value);
            self.fault(
                Diagnostic::error("malformed-number", node.span, message).help("write `450 ms`, `8` or `3 ULN`"),
            );
            return None;
        };
        let unit = match unit {
            "" => ComparisonUnit::Canonical,
            "ULN" => ComparisonUnit::UpperLimitOfNormal,
            unit => ComparisonUnit::Ucum(unit.to_owned()),
        };
        Some((number, unit))
    }

    fn onset_order(&mut self, node: &Node) -> Option<Fact> {
        let mut form = self.form(node, &shape::ONSET_ORDER)?;
        let first = self.required(&mut form, "first").map(|node| self.names(node));
        let then = self.required(&mut form, "then").map(|node| self.names(node));
        let gap = form.take("gap").and_then(|node| self.length(node));
        form.finish(self);
        Some(Fact::OnsetOrder { first: first?, then: then?, gap })
    }
}
