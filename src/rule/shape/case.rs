//! Cases: a patient, and what the answer must and must not contain.

use super::{Holds, Key, Law, Shape, may, must};
use crate::rule::model::Category;

const STANDINGS: &[&str] = &["recommended", "consider", "caution", "verify-first", "contraindicated", "none", "absent"];
const BASES: &[&str] = &["guideline", "record"];

const CATEGORY: fn() -> Vec<&'static str> = || Category::ALL.iter().map(|word| word.word()).collect();
const COMPONENT: Key = must("component", Holds::Name, "Id of a component.");
const ABOUT: Key = must(
    "about",
    Holds::Texts,
    "Lower-case words; any one is enough, at the start of a word, whatever its case: `qt` finds QTc.",
);
const ONE_CATEGORY: Key = may("category", Holds::Word(CATEGORY), "Category of the alert; without it, any.");
const OR_CATEGORY: Key = may("orCategory", Holds::SomeWords(CATEGORY), "Categories that will do as well.");
const BASIS: Key = must(
    "basis",
    Holds::Word(|| BASES.to_vec()),
    "`guideline`: the guideline, label or study under `ref` implies it. `record`: it follows from the facts of the record alone; only for what must not be said or offered, and for requests.",
);
const REF: Key = must("ref", Holds::Text, "The place in the source.");

const fn shape(name: &'static str, about: &'static str, keys: &'static [Key], laws: &'static [Law]) -> Shape {
    Shape { name, what: "a case", about, keys, choice: &[], laws }
}

/// A case.
pub static CASE: Shape = shape(
    "case",
    "A constructed patient of a Concord rules package, with what a good answer must and must not contain.",
    &[
        must("id", Holds::Text, "Its name: `P001`."),
        must("title", Holds::Text, "Title."),
        must("summary", Holds::Text, "The patient in a sentence."),
        must("source", Holds::Form(&SOURCE), "What the expectations rest on, and how much of it was read."),
        must("kind", Holds::Text, "How the case came to be: `guideline-constructed`."),
        may("tags", Holds::Texts, "`negative-control`, `ask-first`, `bad-code`."),
        must("as_of", Holds::Instant, "The instant of the evaluation."),
        must("patient", Holds::Patient, "The JSON patient, in YAML."),
        must("expect", Holds::Form(&EXPECT), "The expectations. What a case does not mention is free."),
        may("notMapped", Holds::Texts, "What the format can't say."),
        may("notes", Holds::Text, "Caveats."),
    ],
    &[],
);

static SOURCE: Shape = shape(
    "case-source",
    "What the expectations rest on.",
    &[
        must("title", Holds::Text, "Title."),
        must("venue_or_org", Holds::Text, "Journal or organization."),
        must("year", Holds::YearOrNull, "Year, or `null` where none is stated."),
        must("url", Holds::TextOrNull, "Address, or `null` where none is known."),
        must("access", Holds::Text, "How much of the source was read."),
    ],
    &[],
);

static EXPECT: Shape = shape(
    "expect",
    "The expectations.",
    &[
        may("approaches", Holds::Form(&APPROACHES), "Approaches that offer a component, or must not."),
        may("components", Holds::Form(&COMPONENTS), "Components that are offered, or must not be."),
        may("alerts", Holds::Form(&ALERTS), "Alerts that are raised, or must not be."),
        may("requests", Holds::Form(&REQUESTS), "Facts that are asked for."),
    ],
    &[],
);

static APPROACHES: Shape = shape(
    "expect-approaches",
    "Approaches.",
    &[
        may("must", Holds::Names, "The approach offers a component."),
        may("mustNot", Holds::Names, "None of the components that define the approach is recommended under it."),
        may("basis", Holds::ByName(&REASON), "Why, for each approach named."),
    ],
    &[],
);

static REASON: Shape = shape("reason", "Why.", &[BASIS, REF], &[]);

static COMPONENTS: Shape = shape(
    "expect-components",
    "Components.",
    &[
        may("must", Holds::Forms(&ANY_OF), "One at least is offered."),
        may("mustNotOffer", Holds::Forms(&ONE), "The component stands neither at recommended nor at consider."),
        may("contraindicated", Holds::Forms(&ONE), "The component stands at contraindicated."),
        may("standing", Holds::Forms(&STANDING), "The component stands exactly there."),
    ],
    &[],
);

static ANY_OF: Shape = shape(
    "any-of",
    "Components of which one at least is offered.",
    &[must("anyOf", Holds::Names, "Components."), BASIS, REF],
    &[],
);

static ONE: Shape = shape("one-component", "A component.", &[COMPONENT, BASIS, REF], &[]);

static STANDING: Shape = shape(
    "standing",
    "A component and where it stands.",
    &[COMPONENT, must("is", Holds::Word(|| STANDINGS.to_vec()), "Where it stands."), BASIS, REF],
    &[],
);

static ALERTS: Shape = shape(
    "expect-alerts",
    "Alerts.",
    &[
        may("must", Holds::Forms(&ALERT), "There is such an alert."),
        may("mustNot", Holds::Forms(&NO_ALERT), "There is no such alert."),
    ],
    &[],
);

static ALERT: Shape = shape(
    "expect-alert",
    "An alert with one of the words in its id, title or statement.",
    &[
        ONE_CATEGORY,
        OR_CATEGORY,
        ABOUT,
        may("orRequest", Holds::Boolean, "A request or an assessment with one of the words will do."),
        BASIS,
        REF,
    ],
    &[],
);

static NO_ALERT: Shape =
    shape("expect-no-alert", "An alert that must not be.", &[ONE_CATEGORY, OR_CATEGORY, ABOUT, BASIS, REF], &[]);

static REQUESTS: Shape = shape(
    "expect-requests",
    "Requests.",
    &[may("must", Holds::Forms(&REQUEST), "There is such a request or assessment.")],
    &[],
);

static REQUEST: Shape = shape(
    "expect-request",
    "A request or an assessment with one of the words.",
    &[ABOUT, may("orAlert", Holds::Boolean, "An alert with one of the words will do."), BASIS, REF],
    &[],
);
