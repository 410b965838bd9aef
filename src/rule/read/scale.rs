//! Scales: a score divided into bands, each of them a definition.

use rust_decimal::Decimal;

use super::form::{Form, Reader, decimal};
use crate::diag::Diagnostic;
use crate::rule::model::{
    Bound, Comparison, ComparisonUnit, Condition, Definition, Fact, FactTest, Name, ObservationTest, Scale, ScaleBand,
    Spanned, Window,
};
use crate::rule::shape;
use crate::rule::yaml::Node;

impl Reader {
    /// Reads a scale, and its bands as definitions.
    pub fn scale(&mut self, node: &Node) -> Option<(Scale, Vec<Definition>)> {
        let mut form = self.form(node, &shape::SCALE)?;
        let id = self.required(&mut form, "id").and_then(|node| self.name(node));
        let title = self.required_words(&mut form, "title");
        let observation = self.required(&mut form, "observation").and_then(|node| self.name(node));
        let window = self.window(&mut form, "within", "more_than");
        let range = self.required(&mut form, "range").and_then(|node| self.ends(node));
        let step = match form.take("step") {
            Some(node) => self.score(node).filter(|step| self.positive(*step, node)),
            None => Some(Decimal::ONE),
        };
        let higher_is_worse = match form.take("higher_is") {
            Some(node) => self.word(node, "what a higher score is", shape::HIGHER_IS),
            None => Some(true),
        };
        let bands = self.required(&mut form, "bands");
        form.finish(self);
        let observation = observation?;
        let read: Vec<(ScaleBand, Definition)> = match bands {
            Some(node) => {
                let items = self.list(node, "`bands`");
                items.iter().filter_map(|item| self.band(item, &observation, window)).collect()
            }
            None => Vec::new(),
        };
        if read.is_empty() {
            if let Some(node) = bands {
                self.fault(Diagnostic::error("empty-list", node.span, "the scale has no band"));
            }
            return None;
        }
        let (low, high) = range?;
        let (bands, definitions) = read.into_iter().unzip();
        let (id, title, step, higher_is_worse) = (id?, title?, step?, higher_is_worse?);
        Some((Scale { id, title, observation, window, low, high, step, higher_is_worse, bands }, definitions))
    }

    fn band(&mut self, node: &Node, observation: &Name, window: Window) -> Option<(ScaleBand, Definition)> {
        let mut form = self.form(node, &shape::BAND)?;
        let id = self.required(&mut form, "id").and_then(|node| self.name(node));
        let title = self.required_words(&mut form, "title");
        let low = self.end(&mut form, ("from", "above"));
        let high = self.end(&mut form, ("to", "below"));
        let span = form.span;
        form.finish(self);
        let id = id?;
        if low.is_none() && high.is_none() {
            let fault = Diagnostic::error("missing-key", span, format!("band `{}` has no end", id.value));
            self.fault(fault.help("add `from` or `above`, and `to` or `below`"));
            return None;
        }
        let empty = low.zip(high).is_some_and(|(low, high)| {
            low.value > high.value || (low.value == high.value && !(low.inclusive && high.inclusive))
        });
        if empty {
            let fault = Diagnostic::error("empty-range", span, format!("no score lies in band `{}`", id.value));
            self.fault(fault.help("the lower end stands above the upper end: swap them"));
            return None;
        }
        let range = Comparison { low, high, unit: ComparisonUnit::Canonical };
        let test = Some(ObservationTest::Quantity(range.clone()));
        let fact = Fact::Observation { concepts: vec![observation.clone()], window, test };
        let when = Condition::Fact(FactTest { fact, bind: None, absent_unknown: false });
        let title = title?;
        let definition = Definition { id: id.clone(), title: title.clone(), when: Spanned::new(when, span) };
        Some((ScaleBand { id, title, range }, definition))
    }

    /// An end: the score itself is in the band under the first key, and not under the second.
    fn end(&mut self, form: &mut Form<'_>, keys: (&'static str, &'static str)) -> Option<Bound> {
        match (form.take(keys.0), form.take(keys.1)) {
            (Some(_), Some(other)) => {
                let message = format!("`{}` or `{}`, not both", keys.0, keys.1);
                self.fault(Diagnostic::error("two-tests", other.span, message));
                None
            }
            (Some(node), None) => self.score(node).map(|value| Bound { value, inclusive: true }),
            (None, Some(node)) => self.score(node).map(|value| Bound { value, inclusive: false }),
            (None, None) => None,
        }
    }

    fn ends(&mut self, node: &Node) -> Option<(Decimal, Decimal)> {
        let items = self.list(node, "`range`");
        let [low, high] = items else {
            let fault = Diagnostic::error("wrong-shape", node.span, "`range` is the lowest and the highest score");
            self.fault(fault.help("write `[0, 21]`"));
            return None;
        };
        let (low, high) = (self.score(low), self.score(high));
        let (low, high) = (low?, high?);
        if low >= high {
            self.fault(Diagnostic::error("empty-range", node.span, "no score lies in this range"));
            return None;
        }
        Some((low, high))
    }

    fn score(&mut self, node: &Node) -> Option<Decimal> {
        let text = self.text(node)?;
        let score = decimal(&text);
        if score.is_none() {
            let fault = Diagnostic::error("malformed-number", node.span, format!("`{}` is not a score", text.value));
            self.fault(fault.help("write a number: `15`"));
        }
        score
    }

    fn positive(&mut self, step: Decimal, node: &Node) -> bool {
        if step > Decimal::ZERO {
            return true;
        }
        self.fault(Diagnostic::error("malformed-number", node.span, "a step is above 0"));
        false
    }
}
