//! Invariants: what holds of every answer, and of the package itself.

use super::words::of;
use super::{ACTIONS, CITATION, Holds, ID, Law, READINGS, STANDINGS, Shape, VERIFICATION, may, must};

/// An invariant.
pub static INVARIANT: Shape = Shape {
    name: "invariant",
    what: "an invariant",
    about: "What holds of every answer that the package can give, and of the package itself. `concord rules check` proves it for every record there could be; a package or an overlay that breaks it is refused.",
    keys: &[
        ID,
        must("title", Holds::Text, "What is so, in one sentence."),
        must("because", Holds::Text, "Why, in one sentence."),
        must("evidence", Holds::SomeForms(&CITATION), "What it rests on."),
        may(
            "verification",
            Holds::Word(|| of(VERIFICATION)),
            "`primary`: read in the source. `secondary`: read in part, or in a copy. `unverified` (the default): not read.",
        ),
        may("follows", Holds::Names, "Ids of the clinical brief that the invariant carries."),
        may(
            "never",
            Holds::Conditions,
            "Conditions that are true of no patient: of facts, and of what the answer says.",
        ),
        may("always", Holds::SomeForms(&IMPLICATION), "Where the one is true, so is the other."),
        may(
            "no_bearing",
            Holds::SomeForms(&BEARING),
            "Facts that bring nothing about: without them the answer says the same.",
        ),
        may("no_text", Holds::SomeForms(&NO_TEXT), "Words that no text has."),
        may("says", Holds::SomeForms(&SAYS), "Words that the title of a component has."),
        may(
            "order",
            Holds::SomeForms(&ORDER),
            "Approaches that are listed before others and share no component with them.",
        ),
        may("codes", Holds::SomeForms(&CODES), "Codes that a concept has."),
        may("apart", Holds::SomeForms(&APART), "Concepts that have no code in common."),
    ],
    choice: &[],
    laws: &[Law::Some(&["never", "always", "no_bearing", "no_text", "says", "order", "apart", "codes"])],
};

/// Where the one is true, so is the other.
pub static IMPLICATION: Shape = Shape {
    name: "implication",
    what: "what always holds",
    about: "Where the one is true, so is the other.",
    keys: &[
        must("if", Holds::Condition, "The condition where `then` holds."),
        must("then", Holds::Condition, "What is true there: not false, and not unknown."),
    ],
    choice: &[],
    laws: &[],
};

/// Facts that bring nothing about.
pub static BEARING: Shape = Shape {
    name: "bearing",
    what: "what has no bearing",
    about: "Facts and what they never bring about: every other fact being the same, it is said without them too.",
    keys: &[
        must(
            "of",
            Holds::Conditions,
            "Conditions that name the facts: every fact on a code or a word that they ask for is meant, whatever its status or date; of a daily dose, a start or an onset, only facts of such.",
        ),
        must(
            "on",
            Holds::Conditions,
            "What they never bring about, each component and action by itself. What stands against a component is looked at where it is proposed, with the facts and without them.",
        ),
    ],
    choice: &[],
    laws: &[],
};

/// Words that no text has.
pub static NO_TEXT: Shape = Shape {
    name: "no-text",
    what: "a ban on words",
    about: "Words that no text has which people read. Case means nothing, and a word is met whole.",
    keys: &[
        must("words", Holds::Texts, "Words, or several in a row."),
        may("in", Holds::SomeWords(|| of(READINGS)), "Texts of which it holds. Without it: all."),
        may("except", Holds::Forms(&EXCEPTION), "Rules that may say it, each with the reason."),
    ],
    choice: &[],
    laws: &[],
};

/// A rule that may say it.
pub static EXCEPTION: Shape = Shape {
    name: "exception",
    what: "an exception",
    about: "A rule whose texts may have the words.",
    keys: &[must("rule", Holds::Name, "Its id."), must("reason", Holds::Text, "Why it may.")],
    choice: &[],
    laws: &[],
};

/// Words that a title has.
pub static SAYS: Shape = Shape {
    name: "says",
    what: "a demand for words",
    about: "Words that the title of each of these components has.",
    keys: &[
        must("component", Holds::Names, "The component, or a list."),
        must("words", Holds::Texts, "Words, or several in a row: all of them."),
    ],
    choice: &[],
    laws: &[],
};

/// An order of approaches.
pub static ORDER: Shape = Shape {
    name: "order",
    what: "an order of approaches",
    about: "Approaches that are listed before others and share no component with them.",
    keys: &[
        must("first", Holds::Names, "The approach that is listed first, or a list."),
        must("then", Holds::Names, "The approach that is listed later, or a list."),
    ],
    choice: &[],
    laws: &[],
};

/// Concepts without a common code.
pub static APART: Shape = Shape {
    name: "apart",
    what: "a separation",
    about: "No code of the one is a code of the other.",
    keys: &[
        must("one", Holds::Names, "A concept, or a list."),
        must("other", Holds::Names, "Concepts that none of these has a code in common with."),
    ],
    choice: &[],
    laws: &[],
};

/// Codes of a concept.
pub static CODES: Shape = Shape {
    name: "codes-of",
    what: "a demand for codes",
    about: "Codes that the concept has, itself or by what it includes.",
    keys: &[
        must("concept", Holds::Name, "The concept."),
        must("has", Holds::Codings, "Pairs of a code system and a code: `[[ICD-10-CM, F11.10]]`."),
    ],
    choice: &[],
    laws: &[],
};

/// What an answer says of a component.
pub static STANDING: Shape = Shape {
    name: "standing",
    what: "a standing",
    about: "What the answer says of one of these components, for one of these actions.",
    keys: &[
        may("component", Holds::Names, "The component, or a list."),
        may("approach", Holds::Names, "Every component of the approach, or of one of a list."),
        may("action", Holds::SomeWords(|| of(ACTIONS)), "Only for this action, or one of a list. Without it: any."),
        must(
            "is",
            Holds::SomeWords(|| of(STANDINGS)),
            "`recommended`, `considered`, `offered` (either of the two, or at caution with such a finding), `caution`, `verify-first`, `contraindicated`.",
        ),
    ],
    choice: &[],
    laws: &[Law::Some(&["component", "approach"]), Law::Apart(&["component", "approach"])],
};
