//! Parameters as a package declares them, and tests of them.

use super::form::{Form, Reader};
use crate::diag::{Diagnostic, Files, nearest};
use crate::rule::model::{Name, Parameter, ParameterKind, ParameterTest, Spanned, Towards};
use crate::rule::parameter::{self, Misfit};
use crate::rule::shape::{self, ParameterType};
use crate::rule::yaml::{Kind, Node};

impl Reader {
    /// Reads a parameter. Its name joins words with underscores.
    pub fn parameter(&mut self, node: &Node, files: &Files) -> Option<Parameter> {
        let mut form = self.form(node, &shape::PARAMETER)?;
        let id = self.required(&mut form, "id").and_then(|node| self.parameter_name(node));
        let title = self.required_words(&mut form, "title");
        let value = self.required(&mut form, "value").and_then(|node| self.plain(node));
        let written = self
            .required(&mut form, "type")
            .and_then(|node| self.word(node, "a type of parameter", shape::PARAMETER_TYPES));
        let choices = form.take("choices").map(|node| self.texts(node, "`choices`"));
        let min = form.take("min").and_then(|node| self.plain(node));
        let max = form.take("max").and_then(|node| self.plain(node));
        let towards = form.take("towards");
        let direction = towards.and_then(|node| self.word(node, "a direction", shape::TOWARDS));
        form.finish(self);
        let (id, title, value, written) = (id?, title?, value?, written?);
        let kind = self.kind(written, &id, &value, choices)?;
        let measured = !matches!(kind, ParameterKind::Choice(_) | ParameterKind::Text);
        let of_range = [&min, &max].into_iter().flatten().map(|end| end.span);
        let of_direction = towards.filter(|_| direction != Some(Towards::Fixed)).map(|node| node.span);
        if let Some(span) = of_range.chain(of_direction).next().filter(|_| !measured) {
            let message = format!("a {} has no range and no direction", kind.word());
            let fault = Diagnostic::error("misplaced-key", span, message);
            self.fault(fault.help("leave `min` and `max` out; `towards` may be `fixed`"));
            return None;
        }
        let parameter = Parameter {
            location: files.line(id.span),
            id,
            title,
            kind,
            min: None,
            max: None,
            towards: direction,
            default: value.value.clone(),
            value: value.value.clone(),
            set: None,
            uses: Vec::new(),
        };
        self.ranged(parameter, &value, min, max)
    }

    /// The parameter with its range, into which its own value must fit.
    fn ranged(
        &mut self,
        mut parameter: Parameter,
        value: &Spanned<String>,
        min: Option<Spanned<String>>,
        max: Option<Spanned<String>>,
    ) -> Option<Parameter> {
        let before = self.faults.len();
        for end in [&min, &max].into_iter().flatten() {
            self.misfit(parameter::fits(&parameter, end), end);
        }
        if before < self.faults.len() {
            return None;
        }
        parameter.max = max.map(|end| end.value);
        if let Some(min) = min {
            if parameter::fits(&parameter, &min).is_err() {
                let fault = Diagnostic::error("empty-range", min.span, "no value lies between `min` and `max`");
                self.fault(fault.help("`min` stands above `max`: swap them"));
                return None;
            }
            parameter.min = Some(min.value);
        }
        self.misfit(parameter::fits(&parameter, value), value);
        (before == self.faults.len()).then_some(parameter)
    }

    fn misfit(&mut self, outcome: Result<(), Misfit>, at: &Spanned<String>) {
        if let Err(misfit) = outcome {
            self.fault(Diagnostic::error(misfit.code, at.span, misfit.message).help(misfit.help));
        }
    }

    /// Reads the name of a parameter: words joined by underscores.
    pub fn parameter_name(&mut self, node: &Node) -> Option<Name> {
        let id = self.plain(node)?;
        let fits =
            !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !fits {
            let fault =
                Diagnostic::error("malformed-id", id.span, format!("`{}` is not the name of a parameter", id.value));
            self.fault(fault.help("lower-case words joined by underscores: `qtc_limit`"));
        }
        fits.then_some(id)
    }

    fn kind(
        &mut self,
        written: ParameterType,
        id: &Name,
        value: &Spanned<String>,
        choices: Option<Vec<Spanned<String>>>,
    ) -> Option<ParameterKind> {
        let extra = choices.as_ref().and_then(|choices| choices.first()).map(|choice| choice.span);
        if let Some(span) = extra.filter(|_| !matches!(written, ParameterType::Choice)) {
            let fault = Diagnostic::error("misplaced-key", span, "only a parameter of type `choice` has `choices`");
            self.fault(fault.help("write `type: choice`, or leave `choices` out"));
        }
        Some(match written {
            ParameterType::Integer => ParameterKind::Integer,
            ParameterType::Decimal => ParameterKind::Decimal,
            ParameterType::Duration => ParameterKind::Duration,
            ParameterType::Text => ParameterKind::Text,
            ParameterType::Quantity => match parameter::quantity(value) {
                Some((_, unit)) => ParameterKind::Quantity(unit.to_owned()),
                None => {
                    let message = format!("`{}` is not a number with a unit that Concord converts", value.value);
                    let fault = Diagnostic::error("wrong-type", value.span, message);
                    self.fault(fault.help("write a number, a space and a UCUM unit, or `ULN`: `450 ms`, `3 ULN`"));
                    return None;
                }
            },
            ParameterType::Choice => {
                let words: Vec<String> = choices.unwrap_or_default().into_iter().map(|word| word.value).collect();
                if words.is_empty() {
                    let message = format!("`{}` is a choice and says not of what", id.value);
                    self.fault(Diagnostic::error("missing-key", id.span, message).help("add `choices: […]`"));
                    return None;
                }
                ParameterKind::Choice(words)
            }
        })
    }

    /// Reads text as it is written, no parameter put in.
    pub fn plain(&mut self, node: &Node) -> Option<Spanned<String>> {
        match &node.kind {
            Kind::Scalar(text) if !text.trim().is_empty() => Some(Spanned::new(text.clone(), node.span)),
            Kind::Scalar(_) => {
                self.fault(Diagnostic::error("empty-text", node.span, "text is missing here"));
                None
            }
            _ => {
                self.shape(node, "text is meant here");
                None
            }
        }
    }

    /// Reads such a test outside of a condition.
    pub fn choice_test(&mut self, node: &Node) -> Option<ParameterTest> {
        let mut form = self.form(node, &shape::CHOICE_TEST)?;
        let test = self.required(&mut form, "parameter").and_then(|node| self.parameter_test(&mut form, node));
        form.take("is");
        form.finish(self);
        test
    }

    /// Reads `{parameter: jurisdiction, is: US}`. What a site has set is the
    /// same for every patient, so the test is decided here.
    pub fn parameter_test(&mut self, form: &mut Form<'_>, node: &Node) -> Option<ParameterTest> {
        let name = self.parameter_name(node)?;
        let is = self.required(form, "is")?;
        let wanted = match is.kind {
            Kind::List(_) => self.texts(is, "`is`"),
            _ => self.plain(is).into_iter().collect(),
        };
        if wanted.is_empty() {
            self.fault(Diagnostic::error("empty-list", is.span, "the list names nothing"));
            return None;
        }
        let Some(parameter) = self.parameters.get(&name.value) else {
            self.unknown_parameter(&name.value, name.span);
            return None;
        };
        let ParameterKind::Choice(choices) = parameter.kind.clone() else {
            let message = format!("`{}` is no choice, so no condition can rest on it", name.value);
            let fault = Diagnostic::error("wrong-type", name.span, message);
            self.fault(fault.help("compare a fact with the parameter instead: `at_least: $name`"));
            return None;
        };
        let (title, value) = (parameter.title.clone(), parameter.value.clone());
        for word in wanted.iter().filter(|word| !choices.contains(&word.value)) {
            let message = format!("`{}` is not a choice of `{}`", word.value, name.value);
            let fault = Diagnostic::error("unknown-word", word.span, message);
            let known = choices.join(", ");
            self.fault(match nearest(word, choices.iter().map(String::as_str)) {
                Some(near) => fault.help(format!("did you mean `{near}`? choices: {known}")),
                None => fault.help(format!("choices: {known}")),
            });
        }
        let words: Vec<&str> = wanted.iter().map(|word| word.value.as_str()).collect();
        Some(ParameterTest {
            text: format!("{title}: {}", words.join(" or ")),
            holds: words.contains(&value.as_str()),
            parameter: name,
            is: wanted,
        })
    }
}
