//! The codes of diagnostics, each with what it is about.

/// Every code with a sentence on it.
pub const CODES: &[(&str, &str)] = &[
    ("abrupt-stop", "No rule may contraindicate continuing what must never end abruptly."),
    ("always-outranked", "A finding that another rule always takes out of the comparison is never counted."),
    ("always-true", "A condition that is true of every patient decides nothing."),
    (
        "clause-without-effect",
        "A clause that changes the outcome for no patient is superfluous, or says other than was meant.",
    ),
    ("concept", "A code of a value set is unknown, retired or of another kind."),
    ("conclusion", "A rule has one conclusion."),
    ("cycle", "A definition, or what is proposed or offered, can't rest on itself."),
    ("duplicate-id", "An id stands for one thing of its kind."),
    ("duplicate-key", "A key stands once in a map."),
    ("duplicate-package", "A package says once what it is."),
    ("duplicate-rule", "Two rules that conclude the same of the same patients are one rule."),
    ("empty-list", "A list names something."),
    ("empty-range", "A range holds a number."),
    ("empty-text", "A text says something."),
    ("exception-without-effect", "An exception is for a rule that needs one."),
    ("file-too-large", "A file of a package has a bounded size."),
    ("invariant-broken", "What a package claims of every answer is so."),
    ("invariant-unproven", "What a package claims of every answer is proven: unknown is not false."),
    ("long-statement", "A statement is short: a warning above 60 words."),
    ("malformed-date", "A date is a day of the calendar."),
    ("malformed-id", "An id is lower-case words joined by hyphens."),
    ("malformed-length", "A length of time is a number with a unit."),
    ("malformed-number", "A number is written with digits, and its unit after a space."),
    ("malformed-statement", "A place to fill in names what matched and what of it."),
    ("misplaced-unknown", "What an unknown condition does fits the conclusion."),
    ("missing-evidence", "A rule cites a source."),
    ("missing-key", "A key that must be there is missing."),
    ("missing-package", "A package says what it is."),
    ("missing-unknown", "An exclusion says what an unknown condition does."),
    ("never-fires", "A rule whose condition is true of no patient says nothing."),
    ("never-shown", "No record that the analysis can build makes the rule fire. This is no proof."),
    ("never-true", "A definition that is true of no patient decides nothing."),
    ("not-a-condition", "A condition leads with a key of the language."),
    (
        "offer-implies-contraindication",
        "An offer to patients for whom a rule always contraindicates it is never an offer.",
    ),
    ("outcome", "What the answer says is asked for in claims of invariants alone."),
    ("outranks", "Only findings on components are compared, and an offer never outranks an exclusion."),
    ("review-due", "The review date of a rule has passed."),
    ("scale-gap", "Every score of a scale is in a band."),
    ("scale-order", "Bands are written from the lowest to the highest."),
    ("scale-overlap", "No score is in two bands."),
    ("scale-range", "A band lies within its scale."),
    ("switched-off", "A parameter keeps a rule or definition from ever being true."),
    ("two-tests", "A fact has one test."),
    ("unbound-name", "A statement fills in what is sure to have matched."),
    ("unit-mismatch", "A number is compared in a unit that converts."),
    ("unknown-key", "A key is one of the language."),
    ("unknown-name", "A reference is to something that is declared."),
    ("unknown-parameter", "A parameter is declared before it is used."),
    ("unknown-unit", "A unit is written in UCUM."),
    ("unknown-word", "A word is one of a fixed list."),
    ("weaker-advice", "A patient in a worse band gets advice at least as strong."),
    ("wrong-shape", "A value is of the sort that its key takes."),
    ("yaml", "A file is YAML."),
    ("yaml-anchor", "Anchors and aliases are not read: what a rule says stands where it is read."),
];

/// The sentence on a code.
#[must_use]
pub fn help(code: &str) -> &'static str {
    CODES.iter().find(|(known, _)| *known == code).map_or("", |(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_stand_once_and_in_order() {
        assert!(CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
