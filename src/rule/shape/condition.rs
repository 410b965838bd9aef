//! Conditions: one row of `CONDITIONS` for each leading key.

use super::rules::{CATEGORIES, SEVERITIES};
use super::words::of;
use super::{
    ABSENT, DIAGNOSIS_STATUS, Holds, Key, LACTATION, Law, MEDICATION_STATUS, PREGNANCY, SETTINGS, SEVERITY, SEX,
    STANDING, Shape, may, must,
};

const AS: Key = may(
    "as",
    Holds::Name,
    "Names what matched, for the statement: `as: ecg` gives `{ecg.value}` and `{ecg.date}`. Only on a fact that is always true when the rule fires: not below `any`, `none` or `not`.",
);
const ABSENCE: Key = may(
    "absent",
    Holds::Word(|| of(ABSENT)),
    "`unknown`: absence from a list that is not stated to be complete is unknown, where it would otherwise be assumed false.",
);
const WITHIN: Key = may("within", Holds::Length, "At most this long ago, the last day included: `28 days`.");
const MORE_THAN: Key = may("more_than", Holds::Length, "Longer ago than this: `7 days` begins with day 8.");
const AT_LEAST: Key = may(
    "at_least",
    Holds::Quantity,
    "This or more: a number in the concept's own unit, `450 ms`, or `3 ULN` (times the result's own upper limit of normal).",
);
const ABOVE: Key = may("above", Holds::Quantity, "More than this, in the units of `at_least`.");
const AT_MOST: Key = may("at_most", Holds::Quantity, "This or less, in the units of `at_least`.");
const BELOW: Key = may("below", Holds::Quantity, "Less than this, in the units of `at_least`.");
const ONE_LOW: Law = Law::Apart(&["at_least", "above"]);
const ONE_HIGH: Law = Law::Apart(&["at_most", "below"]);
const SOME_END: Law = Law::Some(&["at_least", "above", "at_most", "below"]);

/// A condition before its leading key is known.
pub static CONDITION: Shape =
    Shape { name: "condition", what: "a condition", about: "", keys: &[], choice: &[], laws: &[] };

/// Conditions by leading key, the first key of each. `of` comes last, since
/// `plan` has an `of` too: the first row whose key is written decides.
pub static CONDITIONS: &[Shape] = &[
    leading("all", &[must("all", Holds::Conditions, "True when every part is true.")], &[]),
    leading("any", &[must("any", Holds::Conditions, "True when one part at least is true.")], &[]),
    leading("none", &[must("none", Holds::Conditions, "True when no part is true.")], &[]),
    leading(
        "not",
        &[must("not", Holds::Condition, "True when the part is false. What is unknown stays unknown.")],
        &[],
    ),
    leading(
        "if",
        &[
            must("if", Holds::Condition, "True when this is false or `then` is true."),
            must("then", Holds::Condition, "What must be true where the condition of `if` is."),
        ],
        &[],
    ),
    leading("either", &[must("either", Holds::TwoConditions, "True when one of the two is true, and not both.")], &[]),
    leading(
        "known",
        &[must("known", Holds::Condition, "True when the part is true or false; never unknown itself.")],
        &[],
    ),
    leading(
        "unknown",
        &[must("unknown", Holds::Condition, "True when the part is neither true nor false; never unknown itself.")],
        &[],
    ),
    leading(
        "proposed",
        &[must(
            "proposed",
            Holds::Name,
            "True when a rule recommends or considers the component, or it is in use, or planned.",
        )],
        &[],
    ),
    leading(
        "offered",
        &[must(
            "offered",
            Holds::Name,
            "True when the component stands at recommended or consider, or at caution with such a finding; unknown at verify first.",
        )],
        &[],
    ),
    leading(
        "diagnosis",
        &[
            must(
                "diagnosis",
                Holds::Names,
                "An active, confirmed diagnosis of the concept, or of one of the concepts.",
            ),
            may(
                "status",
                Holds::Word(|| of(DIAGNOSIS_STATUS)),
                "`active` (the default), `remission`, `past`, `ever`, `doubtful` (not confirmed, a header code, …) or `conflicting`.",
            ),
            may("severity", Holds::SomeWords(|| of(SEVERITY)), "Severity as stated in the record, any of these."),
            may("onset_within", Holds::Length, "It began at most this long ago."),
            may("onset_more_than", Holds::Length, "It began longer ago than this."),
            may("recorded_within", Holds::Length, "It was recorded at most this long ago."),
            may("recorded_more_than", Holds::Length, "It was recorded longer ago than this."),
            AS,
            ABSENCE,
        ],
        &[],
    ),
    leading(
        "medication",
        &[
            must("medication", Holds::Names, "A medication of the concept, or of one of the concepts, taken now."),
            may(
                "status",
                Holds::Word(|| of(MEDICATION_STATUS)),
                "`current` (the default), `planned`, `stopped`, `current-or-planned` or `ever`.",
            ),
            may("started_within", Holds::Length, "It was started at most this long ago."),
            may("started_more_than", Holds::Length, "It was started longer ago than this."),
            may("ended_within", Holds::Length, "It ended at most this long ago."),
            may("ended_more_than", Holds::Length, "It ended longer ago than this."),
            may("given_for", Holds::Names, "Diagnosis concepts of which it is given for one."),
            may("not_given_for", Holds::Names, "Diagnosis concepts of which it is given for none."),
            may("daily_dose", Holds::Form(&DAILY_DOSE), "The daily dose, compared: `{above: 24 mg/d}`."),
            AS,
            ABSENCE,
        ],
        &[],
    ),
    leading(
        "allergy",
        &[
            must(
                "allergy",
                Holds::Names,
                "A confirmed allergy or intolerance to an ingredient of the medication concept.",
            ),
            AS,
        ],
        &[],
    ),
    leading(
        "observation",
        &[
            must(
                "observation",
                Holds::Names,
                "There is a usable result: a measurement, score or test. The newest inside the window counts.",
            ),
            may("is", Holds::Name, "The result is this answer of the package: `positive`."),
            AT_LEAST,
            ABOVE,
            AT_MOST,
            BELOW,
            WITHIN,
            MORE_THAN,
            AS,
        ],
        &[
            ONE_LOW,
            ONE_HIGH,
            Law::Apart(&["is", "at_least"]),
            Law::Apart(&["is", "above"]),
            Law::Apart(&["is", "at_most"]),
            Law::Apart(&["is", "below"]),
        ],
    ),
    leading(
        "event",
        &[
            must("event", Holds::Names, "It happened: a word of `events`."),
            may("substance", Holds::Names, "With one of these: words or classes of `substances`."),
            WITHIN,
            MORE_THAN,
            AS,
        ],
        &[],
    ),
    leading("history", &[must("history", Holds::Names, "Asked, and present: a word of `history`."), AS], &[]),
    leading(
        "age",
        &[must("age", Holds::Form(&AGE), "Completed years, compared: `{at_least: 18, below: 65}`."), AS],
        &[],
    ),
    leading("sex", &[must("sex", Holds::Word(|| of(SEX)), "Recorded sex."), AS], &[]),
    leading(
        "pregnancy",
        &[must("pregnancy", Holds::Word(|| of(PREGNANCY)), "The field of the record says so."), AS],
        &[],
    ),
    leading(
        "lactation",
        &[must("lactation", Holds::Word(|| of(LACTATION)), "The field of the record says so."), AS],
        &[],
    ),
    leading(
        "childbearing_potential",
        &[
            must("childbearing_potential", Holds::Boolean, "Could become pregnant: the field of the record says so."),
            AS,
        ],
        &[],
    ),
    leading(
        "plan",
        &[
            must("plan", Holds::Names, "A plan of the kind: a word of `plans`."),
            may("of", Holds::Names, "Medication or diagnosis concepts of what is planned."),
            AS,
        ],
        &[],
    ),
    leading(
        "preference",
        &[must("preference", Holds::Names, "Stated by the patient: a word of `preferences`."), AS],
        &[],
    ),
    leading(
        "setting",
        &[must("setting", Holds::SomeWords(|| of(SETTINGS)), "Care is given in one of these."), AS],
        &[],
    ),
    leading(
        "parameter",
        &[
            must("parameter", Holds::ParameterName, "A parameter of type `choice`: the same for every patient."),
            must("is", Holds::SomePlain, "It has this value, or one of a list."),
        ],
        &[],
    ),
    leading(
        "onset_order",
        &[
            must("onset_order", Holds::Form(&ONSET_ORDER), "The first began before the second, by the gap at least."),
            AS,
        ],
        &[],
    ),
    leading(
        "standing",
        &[must("standing", Holds::Form(&STANDING), "The answer says so of a component. In invariants alone.")],
        &[],
    ),
    leading(
        "alert",
        &[
            must(
                "alert",
                Holds::SomeWords(CATEGORIES),
                "The answer has an alert of this category, raised or raised as possible. In invariants alone.",
            ),
            may("severity", Holds::SomeWords(SEVERITIES), "Of this severity, or one of a list. Without it: any."),
        ],
        &[],
    ),
    leading(
        "assess",
        &[must(
            "assess",
            Holds::Names,
            "The answer has this instrument as due, or one of a list. In invariants alone.",
        )],
        &[],
    ),
    leading(
        "of",
        &[
            must("of", Holds::Conditions, "The parts of which `at_least` must be true."),
            must("at_least", Holds::Count, "How many of the parts of `of` must be true."),
        ],
        &[],
    ),
];

const fn leading(name: &'static str, keys: &'static [Key], laws: &'static [Law]) -> Shape {
    Shape { name, what: "a condition", about: "", keys, choice: &[], laws }
}

/// A comparison of the age.
pub static AGE: Shape = Shape {
    name: "age-range",
    what: "an age",
    about: "Completed years.",
    keys: &[AT_LEAST, ABOVE, AT_MOST, BELOW],
    choice: &[],
    laws: &[SOME_END, ONE_LOW, ONE_HIGH],
};

/// A comparison of a daily dose.
pub static DAILY_DOSE: Shape = Shape {
    name: "daily-dose-range",
    what: "a daily dose",
    about: "A daily dose in a unit of mass a day: `24 mg/d`.",
    keys: &[AT_LEAST, ABOVE, AT_MOST, BELOW],
    choice: &[],
    laws: &[SOME_END, ONE_LOW, ONE_HIGH],
};

/// An order of onsets.
pub static ONSET_ORDER: Shape = Shape {
    name: "onset-order",
    what: "an order of onsets",
    about: "Which of two disorders began first.",
    keys: &[
        must("first", Holds::Names, "Diagnosis concepts that began first."),
        must("then", Holds::Names, "Diagnosis concepts that began later."),
        may("gap", Holds::Length, "The smallest time between the two onsets."),
    ],
    choice: &[],
    laws: &[],
};
