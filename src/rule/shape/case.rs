//! Cases: a patient, and what the answer must and must not contain. A file
//! holds one case, or a table of cases under a head that says what they share.

use super::{Holds, Key, Law, Shape, may, must};
use crate::rule::model::{Category, Severity, Urgency};

const STANDINGS: &[&str] = &["recommended", "consider", "caution", "verify-first", "contraindicated", "none", "absent"];
const ACTIONS: &[&str] = &["start", "continue", "start-or-continue", "increase"];
const SCOPES: &[&str] = &["present", "possible", "in-remission", "none"];
const BASES: &[&str] = &["authors", "guideline", "record"];
const KINDS: &[&str] = &["published-case", "guideline-constructed"];

const CATEGORY: fn() -> Vec<&'static str> = || Category::ALL.iter().map(|word| word.word()).collect();
const SEVERITY: fn() -> Vec<&'static str> = || Severity::ALL.iter().map(|word| word.word()).collect();
const URGENCY: fn() -> Vec<&'static str> = || Urgency::ALL.iter().map(|word| word.word()).collect();
const COMPONENT: Key = must("component", Holds::Name, "Id of a component.");
const WORDS: &str = "Lower-case words; any one is enough, at the start of a word, whatever its case: `qt` finds QTc.";
const BASIS: Key = may(
    "basis",
    Holds::Word(|| BASES.to_vec()),
    "`authors`: the authors of a published case say it. `guideline`: the guideline, label or study under `ref` implies it. `record`: it follows from the facts of the record alone; only for what must not be said or offered, and for requests.",
);
const REF: Key = may("ref", Holds::Text, "The place in the source.");
const NOTES: Key = may("notes", Holds::Text, "Caveats.");
const SUMMARY: Key = may("summary", Holds::Text, "The patient in a sentence.");
const REASON_WHY: Key = may("reason", Holds::Text, "Why this is expected, in a sentence.");
const ID: Key = must("id", Holds::Text, "Its name, unique in the deck: `P001`.");
const CASE_TITLE: Key = must("title", Holds::Text, "Title.");
const EXPECTED: Key = must(
    "expect",
    Holds::Form(&EXPECT),
    "The expectations. What a case does not mention is free. Empty: the case waits for a clinician to say what is expected.",
);
const UNMAPPED: Key = may("notMapped", Holds::Forms(&NOT_MAPPED), "What the format can't say.");
const TAGS: Key =
    may("tags", Holds::Texts, "`negative-control`, `ask-first`, `bad-code`, and what else `--tag` picks out.");
const DRAFTS: Key = may(
    "drafts",
    Holds::Boolean,
    "`true`: the request asks for drafts too. A draft can be named by such a case alone.",
);
const ON: &str = "What the expectations rest on, and how much of it was read.";
const ORIGIN: &str = "How the case came to be.";
const INSTANT: &str = "The instant of the evaluation.";
const RECORD: &str = "The JSON patient, in YAML.";

const fn shape(
    name: &'static str,
    what: &'static str,
    about: &'static str,
    keys: &'static [Key],
    laws: &'static [Law],
) -> Shape {
    Shape { name, what, about, keys, choice: &[], laws }
}

/// A case that has a file of its own.
pub static CASE: Shape = shape(
    "case",
    "a case",
    "A constructed patient of a Concord rules package, with what a good answer must and must not contain.",
    &[
        ID,
        CASE_TITLE,
        SUMMARY,
        must("source", Holds::Form(&CASE_SOURCE), ON),
        must("kind", Holds::Word(|| KINDS.to_vec()), ORIGIN),
        TAGS,
        must("as_of", Holds::Instant, INSTANT),
        DRAFTS,
        must("patient", Holds::Patient, RECORD),
        EXPECTED,
        REASON_WHY,
        UNMAPPED,
        NOTES,
    ],
    &[],
);

/// A table of cases.
pub static CASE_TABLE: Shape = shape(
    "case-table",
    "a table of cases",
    "Cases of one rule or one topic, under what they share. A case's own `source`, `kind`, `as_of` and `drafts` take the place of the head's, its `tags` are added, and each key of its `patient` takes the place of the same key of the head's.",
    &[
        may("title", Holds::Text, "Title."),
        SUMMARY,
        may("source", Holds::Form(&CASE_SOURCE), ON),
        may("kind", Holds::Word(|| KINDS.to_vec()), ORIGIN),
        TAGS,
        may("as_of", Holds::Instant, INSTANT),
        DRAFTS,
        may("patient", Holds::Patient, "What the cases do not say themselves."),
        must("cases", Holds::Forms(&CASE_OF_TABLE), "The cases."),
        NOTES,
    ],
    &[],
);

/// A case of a table: what it does not say, the head does.
pub static CASE_OF_TABLE: Shape = shape(
    "case-of-table",
    "a case",
    "A case of a table.",
    &[
        ID,
        CASE_TITLE,
        SUMMARY,
        may("source", Holds::Form(&CASE_SOURCE), ON),
        may("kind", Holds::Word(|| KINDS.to_vec()), ORIGIN),
        TAGS,
        may("as_of", Holds::Instant, INSTANT),
        DRAFTS,
        may("patient", Holds::Patient, "What differs from the patient of the head, key by key."),
        EXPECTED,
        REASON_WHY,
        UNMAPPED,
        NOTES,
    ],
    &[],
);

/// What the expectations of a case rest on.
pub static CASE_SOURCE: Shape = shape(
    "case-source",
    "a source",
    "What the expectations rest on.",
    &[
        must("title", Holds::Text, "Title."),
        may("venue_or_org", Holds::Text, "Journal or organization."),
        may("year", Holds::YearOrNull, "Year, or `null` where none is stated."),
        may("url", Holds::TextOrNull, "Address, or `null` where none is known."),
        may("access", Holds::Text, "How much of the source was read."),
        may("license", Holds::TextOrNull, "License, where one is stated."),
    ],
    &[],
);

/// What the format can't say.
pub static NOT_MAPPED: Shape = shape(
    "not-mapped",
    "what is not mapped",
    "What a vignette expects and the format can't say.",
    &[
        may("item", Holds::Text, "What it expects."),
        may("section", Holds::Text, "Where it says so."),
        may("why", Holds::Text, "Why it is not carried over, in a word."),
    ],
    &[],
);

/// The expectations.
pub static EXPECT: Shape = shape(
    "expect",
    "`expect`",
    "The expectations.",
    &[
        may("rules", Holds::Form(&EXPECT_RULES), "Rules whose condition is true, false or unknown."),
        may("scope", Holds::Word(|| SCOPES.to_vec()), "Is there opioid use disorder."),
        may("approaches", Holds::Form(&EXPECT_APPROACHES), "Approaches that offer a component, or must not."),
        may("components", Holds::Form(&EXPECT_COMPONENTS), "Components that are offered, or must not be."),
        may("alerts", Holds::Form(&EXPECT_ALERTS), "Alerts that are raised, or must not be."),
        may("requests", Holds::Form(&EXPECT_REQUESTS), "Facts that are asked for."),
        may("unrecognized", Holds::Form(&EXPECT_UNRECOGNIZED), "Codes that are not understood."),
        may("error", Holds::Form(&EXPECT_ERROR), "How the request is refused."),
    ],
    &[],
);

/// Rules by the truth of their condition.
pub static EXPECT_RULES: Shape = shape(
    "expect-rules",
    "`rules`",
    "Rules by the truth of their condition.",
    &[
        may("fires", Holds::NameList, "The condition is true."),
        may("silent", Holds::NameList, "The condition is false."),
        may("undecided", Holds::NameList, "The condition is unknown."),
        BASIS,
        REF,
    ],
    &[],
);

/// Approaches.
pub static EXPECT_APPROACHES: Shape = shape(
    "expect-approaches",
    "`approaches`",
    "Approaches.",
    &[
        may("must", Holds::NameList, "The approach offers a component."),
        may("mustNot", Holds::NameList, "None of the components that define the approach is recommended under it."),
        may("basis", Holds::ByName(&EXPECT_REASON), "Why, for each approach named."),
    ],
    &[],
);

/// Why something is expected.
pub static EXPECT_REASON: Shape = shape("reason", "the basis of an approach", "Why.", &[BASIS, REF], &[]);

/// Components.
pub static EXPECT_COMPONENTS: Shape = shape(
    "expect-components",
    "`components`",
    "Components.",
    &[
        may("must", Holds::Forms(&EXPECT_ANY_OF), "One at least is offered."),
        may("mustNotOffer", Holds::Forms(&EXPECT_ONE), "The component stands neither at recommended nor at consider."),
        may("contraindicated", Holds::Forms(&EXPECT_ONE), "The component stands at contraindicated."),
        may("standing", Holds::Forms(&EXPECT_STANDING), "The component stands exactly there."),
    ],
    &[],
);

/// Components of which one at least is offered.
pub static EXPECT_ANY_OF: Shape = shape(
    "any-of",
    "an expectation of a component",
    "Components of which one at least is offered.",
    &[must("anyOf", Holds::NameList, "Components."), BASIS, REF],
    &[],
);

/// A component.
pub static EXPECT_ONE: Shape =
    shape("one-component", "an expectation of a component", "A component.", &[COMPONENT, BASIS, REF], &[]);

/// A component and where it stands.
pub static EXPECT_STANDING: Shape = shape(
    "standing",
    "an expectation of a standing",
    "A component and where it stands.",
    &[
        COMPONENT,
        must("is", Holds::Word(|| STANDINGS.to_vec()), "Where it stands."),
        may(
            "action",
            Holds::Word(|| ACTIONS.to_vec()),
            "Of which action. Without it: what is said first, an increase aside.",
        ),
        BASIS,
        REF,
    ],
    &[],
);

/// Alerts.
pub static EXPECT_ALERTS: Shape = shape(
    "expect-alerts",
    "`alerts`",
    "Alerts.",
    &[
        may("must", Holds::Forms(&EXPECT_ALERT), "There is such an alert."),
        may("mustNot", Holds::Forms(&EXPECT_ALERT), "There is no such alert."),
        may(
            "exact",
            Holds::NamesOr(&EXPECT_ALERT),
            "The alerts are these and no others: ids, or maps with `id` and more.",
        ),
        BASIS,
        REF,
    ],
    &[],
);

/// An alert.
pub static EXPECT_ALERT: Shape = shape(
    "expect-alert",
    "an expectation of an alert",
    "An alert that has all that is named.",
    &[
        may("id", Holds::Name, "Id of its rule."),
        may("category", Holds::Word(CATEGORY), "Its category; without it, any."),
        may("orCategory", Holds::WordList(CATEGORY), "Categories that will do as well."),
        may("about", Holds::Texts, WORDS),
        may("severity", Holds::Word(SEVERITY), "How grave it is."),
        may("urgency", Holds::Word(URGENCY), "How soon."),
        may("possible", Holds::Boolean, "Raised although unknown, or not."),
        may("orRequest", Holds::Boolean, "A request or an assessment with one of the words will do."),
        BASIS,
        REF,
    ],
    &[Law::Some(&["id", "about"])],
);

/// Requests.
pub static EXPECT_REQUESTS: Shape = shape(
    "expect-requests",
    "`requests`",
    "Requests and assessments.",
    &[
        may("must", Holds::Forms(&EXPECT_REQUEST), "There is such a request or assessment among those shown first."),
        may("keys", Holds::Texts, "Ids of requests or assessments."),
        may("exact", Holds::Texts, "All ids, those under `more` among them."),
        BASIS,
        REF,
    ],
    &[],
);

/// A request.
pub static EXPECT_REQUEST: Shape = shape(
    "expect-request",
    "an expectation of a request",
    "A request or an assessment with one of the words.",
    &[
        must("about", Holds::Texts, WORDS),
        may("orAlert", Holds::Boolean, "An alert with one of the words will do."),
        BASIS,
        REF,
    ],
    &[],
);

/// Codes that are not understood.
pub static EXPECT_UNRECOGNIZED: Shape = shape(
    "expect-unrecognized",
    "`unrecognized`",
    "Codes that are not understood.",
    &[may("must", Holds::Forms(&EXPECT_CODE), "The code is listed as not understood.")],
    &[],
);

/// A code.
pub static EXPECT_CODE: Shape = shape(
    "expect-code",
    "an expectation of a code",
    "A code that is listed as not understood.",
    &[
        must("system", Holds::Text, "Its system, as sent."),
        must("code", Holds::Text, "The code, as sent."),
        may("unlessSystemSupported", Holds::Boolean, "Only where the service does not read that code system."),
        BASIS,
        REF,
    ],
    &[],
);

/// How a request is refused.
pub static EXPECT_ERROR: Shape = shape(
    "expect-error",
    "`error`",
    "How the request is refused.",
    &[
        must("code", Holds::Word(|| vec!["INVALID_ARGUMENT"]), "Status code."),
        may("words", Holds::Texts, "One of these stands in a reason."),
        may("fields", Holds::Texts, "Each of these is named."),
        may("anyOutcome", Holds::Boolean, "An answer is fine too; then the other expectations apply."),
        may(
            "retryWithoutFields",
            Holds::Boolean,
            "If refused, it is asked again without these entries, and the rest applies.",
        ),
        BASIS,
        REF,
    ],
    &[],
);
