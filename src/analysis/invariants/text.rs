//! Claims about the words that people read.

use super::broken;
use crate::diag::{Diagnostic, Span};
use crate::rule::model::{Claim, Invariant, Name, Package, Reading};

pub fn ask(texts: &[Text<'_>], invariant: &Invariant, claim: &Claim, found: &mut Vec<Diagnostic>) {
    let Claim::NoText { words, within, except } = claim else { return };
    let words: Vec<(&Name, Words)> = words.iter().map(|name| (name, Words::of(name))).collect();
    let wanted = |reading: Reading| within.is_empty() || within.contains(&reading);
    let mut seen: Vec<Span> = Vec::new();
    let mut excused: Vec<&str> = Vec::new();
    for one in texts.iter().filter(|one| wanted(one.reading)) {
        let Some((word, _)) = words.iter().find(|(_, words)| one.words.have(words)) else { continue };
        if let Some(rule) = one.rule
            && except.iter().any(|exception| exception.rule.value == rule)
        {
            excused.push(rule);
        } else if !seen.contains(&one.span) {
            seen.push(one.span);
            found.push(broken(invariant, one.span, format!("says `{}`", word.value)));
        }
    }
    for exception in except.iter().filter(|exception| !excused.contains(&exception.rule.value.as_str())) {
        let message = format!("`{}` has none of the words and needs no exception", exception.rule.value);
        found.push(Diagnostic::warning("exception-without-effect", exception.rule.span, message).help("take it out"));
    }
}

/// A text that people read.
pub struct Text<'a> {
    reading: Reading,
    words: Words,
    span: Span,
    rule: Option<&'a str>,
}

/// Every text of a package that people read.
pub fn texts(package: &Package) -> Vec<Text<'_>> {
    let plain = |reading, text: &str, span| Text { reading, words: Words::of(text), span, rule: None };
    let rules = package.rules.iter().flat_map(|rule| {
        let texts = [Some((&rule.title, rule.id.span)), Some((&rule.statement.value, rule.statement.span))];
        let more = [&rule.ask, &rule.possible].map(|text| text.as_ref().map(|text| (text, rule.id.span)));
        let id = rule.id.value.as_str();
        let all = texts.into_iter().chain(more).flatten();
        let of = |text: &str| Words::of(text);
        let all = all.map(|(text, span)| Text { reading: Reading::Rules, words: of(text), span, rule: Some(id) });
        let all: Vec<Text<'_>> = all.collect();
        all
    });
    let approaches = package.approaches.iter().map(|one| (&one.title, one.id.span));
    let components = approaches.chain(package.components.iter().map(|one| (&one.title, one.id.span)));
    let words = &package.vocabulary;
    let words = [&words.events, &words.history, &words.plans, &words.preferences].into_iter().flatten();
    let asks = words.clone().filter_map(|word| word.ask.as_ref().map(|ask| (ask.text.as_str(), word.id.span)));
    let concepts = package.concepts.iter().map(|one| (&one.def.title, one.span));
    let definitions = package.definitions.iter().map(|one| (&one.title, one.id.span));
    let parameters = package.parameters.iter().map(|one| (&one.title, one.id.span));
    let names = words.map(|word| (&word.title, word.id.span)).chain(concepts).chain(definitions).chain(parameters);
    let questions = package.questions.iter().map(|one| (one.text.as_str(), one.id.span)).chain(asks);
    rules
        .chain(components.map(move |(text, span)| plain(Reading::Components, text, span)))
        .chain(names.map(move |(text, span)| plain(Reading::Names, text, span)))
        .chain(questions.map(move |(text, span)| plain(Reading::Questions, text, span)))
        .collect()
}

/// The words of a text in lower case. A hyphen parts no word of a compound:
/// `drug-seeking` is two words, met by `drug seeking` too.
pub struct Words(Vec<String>);

impl Words {
    /// Takes a text apart.
    pub fn of(text: &str) -> Self {
        let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
        Self(words.map(str::to_lowercase).collect())
    }

    /// Are the others among these, one after the other and each of them whole?
    pub fn have(&self, others: &Self) -> bool {
        !others.0.is_empty() && self.0.windows(others.0.len()).any(|some| some == others.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Words;

    #[test]
    fn words_are_met_whole_and_in_a_row() {
        for (text, words, met) in [
            ("A drug-seeking person", "drug seeking", true),
            ("Drug Seeking.", "drug-seeking", true),
            ("seeking a drug", "drug-seeking", false),
            ("addiction medicine", "addict", false),
            ("the addict's", "addict", true),
            ("anything", "", false),
        ] {
            assert_eq!(Words::of(text).have(&Words::of(words)), met, "{text}: {words}");
        }
    }
}
