//! Rules, definitions and conclusions.

use super::words::of;
use super::{ACTIONS, Holds, ID, Key, Law, STATUS, Shape, UNKNOWN, VERIFICATION, Words, may, must};
use crate::rule::model::{Category, InsightCode, Severity, Urgency};

const RULE_STATUS: Key = may(
    "status",
    Holds::Word(|| of(STATUS)),
    "`active` (the default), `draft` or `retired`. Active rules are evaluated; drafts too where a request asks for them.",
);
const STRENGTH: Key = may(
    "strength",
    Holds::Text,
    "The grade that the source gives. Must be there, unless the file's `defaults` say it.",
);
const VERIFIED: Key = may(
    "verification",
    Holds::Word(|| of(VERIFICATION)),
    "`primary`: read in the source. `secondary`: read in part, or in a copy. `unverified` (the default): not read.",
);
const REVIEW_BY: Key = may(
    "review_by",
    Holds::Day,
    "A date; once it has passed, `concord rules check` warns, and the rule stays in force.",
);
const EVIDENCE: Key = may(
    "evidence",
    Holds::SomeForms(&CITATION),
    "What the rule rests on. Must be there, unless the file's `defaults` say it.",
);
pub(super) const CATEGORIES: Words = || Category::ALL.iter().map(|word| word.word()).collect();
pub(super) const SEVERITIES: Words = || Severity::ALL.iter().map(|word| word.word()).collect();
const CATEGORY: Holds = Holds::Word(CATEGORIES);

/// A rule.
pub static RULE: Shape = Shape {
    name: "rule",
    what: "a rule",
    about: "A condition, what it concludes, and where that comes from. Exactly one conclusion: recommend, consider, caution, contraindicate, alert, request, assess, insight or note.",
    keys: &[
        ID,
        must("title", Holds::Text, "Short title."),
        must("when", Holds::Condition, "The condition: a map with one leading key, or the id of a definition."),
        may(
            "unknown",
            Holds::Word(|| of(UNKNOWN)),
            "What an unknown condition does. Exclusions must say: `verify` (the component stands at *verify first*; only where starting blind is worse than waiting) or `request` (the missing facts are asked for). Alerts may say `request` (the default) or `alert-possible` (raised as possible, with the words of `possible`). Other rules fire on true only.",
        ),
        may("ask", Holds::Text, "Words for the request that an unknown condition makes."),
        must(
            "statement",
            Holds::Text,
            "What a clinician reads: true, sourced, in own words, advice to weigh and never an order. `{name.value}`, `{name.date}`, `{name.date + 10 days}` and `{name.text}` are filled in from what `as: name` matched.",
        ),
        may("possible", Holds::Text, "The statement of an alert that is raised although unknown."),
        may(
            "active_because",
            Holds::Text,
            "Why the rule is in force though nobody read its source: what leaving it out would risk, for clinicians.",
        ),
        may("effective", Holds::Form(&EFFECTIVE), "The period in which the rule holds; outside it, it is false."),
        may(
            "outranks",
            Holds::Names,
            "Rules whose findings this one, when true, takes out of the comparison, never out of the rationale. An offer never outranks an exclusion.",
        ),
        may(
            "follows",
            Holds::Names,
            "Items of the clinical briefs that the rule carries: `ITEM`, or `ITEM-a` for one branch of it.",
        ),
        RULE_STATUS,
        STRENGTH,
        VERIFIED,
        REVIEW_BY,
        EVIDENCE,
    ],
    choice: &[
        may(
            "recommend",
            Holds::Names,
            "Offers the components. The engine turns \"in use\" into *continue* and \"not in use\" into *start*: do not test for the drug's absence.",
        ),
        may("consider", Holds::Names, "Offers the components, more weakly than `recommend`."),
        may("caution", Holds::Form(&EXCLUSION), "Asks for care with components, by action."),
        may(
            "contraindicate",
            Holds::Form(&EXCLUSION),
            "Excludes components, by action. What is said of *start* never lowers *continue*.",
        ),
        may("alert", Holds::Form(&ALERT), "Raises a safety alert."),
        may("request", Holds::Form(&REQUEST), "Asks for a fact."),
        may("assess", Holds::NameOr(&ASSESSMENT), "An instrument or test that is due: an observation concept."),
        may(
            "insight",
            Holds::Word(|| InsightCode::ALL.iter().map(|word| word.word()).collect()),
            "How the disorders may hang together.",
        ),
        may("note", Holds::True, "A remark: `true`."),
    ],
    laws: &[
        Law::With("caution", "unknown"),
        Law::With("contraindicate", "unknown"),
        Law::WordBeside("unknown", "verify", &["caution", "contraindicate"]),
        Law::WordBeside("unknown", "alert-possible", &["alert"]),
        Law::WordBeside("unknown", "alert-possible", &["possible"]),
    ],
};

/// Keys that every rule of a file has unless it says otherwise.
pub static DEFAULTS: Shape = Shape {
    name: "defaults",
    what: "`defaults`",
    about: "Keys that every rule of this file has unless it says otherwise.",
    keys: &[RULE_STATUS, STRENGTH, VERIFIED, REVIEW_BY, EVIDENCE],
    choice: &[],
    laws: &[],
};

/// A definition.
pub static DEFINITION: Shape = Shape {
    name: "definition",
    what: "a definition",
    about: "A named condition.",
    keys: &[
        ID,
        must("title", Holds::Text, "What the explanation of an answer calls it."),
        must("when", Holds::Condition, "The condition that the name stands for."),
    ],
    choice: &[],
    laws: &[],
};

/// A citation.
pub static CITATION: Shape = Shape {
    name: "citation",
    what: "a citation",
    about: "A source and the place in it.",
    keys: &[
        must("source", Holds::Name, "Id of a source."),
        must("place", Holds::Text, "The place in the source: a recommendation, a table, a page."),
    ],
    choice: &[],
    laws: &[],
};

/// A period.
pub static EFFECTIVE: Shape = Shape {
    name: "period",
    what: "an effective period",
    about: "Either end may be left out.",
    keys: &[may("from", Holds::Day, "The first day."), may("until", Holds::Day, "The last day.")],
    choice: &[],
    laws: &[],
};

/// An exclusion.
pub static EXCLUSION: Shape = Shape {
    name: "exclusion",
    what: "an exclusion",
    about: "Components and what is not to be done with them.",
    keys: &[
        must("component", Holds::Names, "The component, or a list."),
        must("action", Holds::SomeWords(|| of(ACTIONS)), "The action, or a list: `start`, `continue`, `increase`."),
    ],
    choice: &[],
    laws: &[],
};

/// An alert.
pub static ALERT: Shape = Shape {
    name: "alert",
    what: "an alert",
    about: "What the alert is about, how grave it is and how soon it wants an answer.",
    keys: &[
        must("category", CATEGORY, "What it is about."),
        must("severity", Holds::Word(SEVERITIES), "How grave it is: `low`, `moderate`, `high`, `critical`."),
        must(
            "urgency",
            Holds::Word(|| Urgency::ALL.iter().map(|word| word.word()).collect()),
            "How soon: `routine` (at a planned visit), `prompt` (within days), `same-day`, `immediate`.",
        ),
    ],
    choice: &[],
    laws: &[],
};

/// A request.
pub static REQUEST: Shape = Shape {
    name: "request",
    what: "a request",
    about: "A fact that is asked for.",
    keys: &[
        may("category", CATEGORY, "What it is about."),
        must("field", Holds::Text, "The field of the request that would answer it: `medications`."),
        may("concept", Holds::Name, "The concept that would answer it."),
    ],
    choice: &[],
    laws: &[],
};

/// An assessment.
pub static ASSESSMENT: Shape = Shape {
    name: "assessment",
    what: "an assessment",
    about: "An instrument or test that is due.",
    keys: &[
        may("category", CATEGORY, "What it is about."),
        must("instrument", Holds::Name, "The observation concept of its result."),
    ],
    choice: &[],
    laws: &[],
};
