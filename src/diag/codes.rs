//! The codes of diagnostics, each with what it is about.

/// Every code with a sentence on it.
pub const CODES: &[(&str, &str)] = &[
    ("abrupt-stop", "No rule may contraindicate continuing what must never end abruptly."),
    ("always-outranked", "A finding that another rule always takes out of the comparison is never counted."),
    ("always-true", "A condition that is true of every patient decides nothing."),
    ("carried-and-left-out", "An item of a brief is carried, or left out with a reason, and not both."),
    (
        "clause-without-effect",
        "A clause that changes the outcome for no patient is superfluous, or says other than was meant.",
    ),
    ("concept", "A code of a value set is unknown, retired or of another kind."),
    ("conclusion", "A rule has one conclusion."),
    ("control-disabled", "An overlay that disables the control of a hazard leaves the hazard to the site."),
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
    ("idle-parameter", "A parameter by which a site chooses changes something."),
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
    ("needless-reason", "What an unverified rule says of being in force is said of no other."),
    ("never-fires", "A rule whose condition is true of no patient says nothing."),
    ("never-led-to", "A disagreement is shown with a rule or a component."),
    ("never-shown", "No record that the analysis can build makes the rule fire. This is no proof."),
    ("never-true", "A definition that is true of no patient decides nothing."),
    ("not-a-condition", "A condition leads with a key of the language."),
    (
        "offer-implies-contraindication",
        "An offer to patients for whom a rule always contraindicates it is never an offer.",
    ),
    ("one-position", "Sources differ where there are two positions."),
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
    ("uncarried", "Every item of a brief is carried by something, or the ledger says why not."),
    ("uncontrolled-hazard", "Something stands against every hazard."),
    ("unit-mismatch", "A number is compared in a unit that converts."),
    ("unknown-brief-item", "What a rule follows is an item of a brief, or a branch of one."),
    ("unknown-key", "A key is one of the language."),
    ("unknown-name", "A reference is to something that is declared."),
    ("unknown-parameter", "A parameter is declared before it is used."),
    ("unknown-unit", "A unit is written in UCUM."),
    ("unknown-word", "A word is one of a fixed list."),
    ("unproven-control", "Something fails when the control of a hazard is gone."),
    ("unverified-active", "A rule in force rests on evidence that was read, or says why it is in force."),
    ("verification-raised", "A rule claims no more than was read of what it follows."),
    ("weaker-advice", "A patient in a worse band gets advice at least as strong."),
    ("wrong-carrier", "Rules carry rules and notes of a brief, invariants what not to do, disagreements those."),
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
