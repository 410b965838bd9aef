//! What a package keeps for those who answer for it: briefs and hazards.

use super::words::of;
use super::{HARM_SEVERITIES, HAZARD_KINDS, Holds, ID, ITEM_KINDS, ITEM_STATUS, Key, Shape, may, must};

const ITEM_TITLE: Key = must("title", Holds::Text, "What it says, in a few words of our own.");
const STATUS: Key = may(
    "status",
    Holds::Word(|| of(ITEM_STATUS)),
    "What the brief says was read of it: `verified`, `verified-part` (the core, not every detail) or `from-memory`.",
);
const LEFT_OUT: Key = may("left_out", Holds::Text, "Why nothing carries it.");

/// A brief.
pub static BRIEF: Shape = Shape {
    name: "brief",
    what: "a brief",
    about: "A clinical brief: the facts that rules were written from. Every item is carried by something, or says why not.",
    keys: &[
        ID,
        must("title", Holds::Text, "Title, as people read it."),
        must("items", Holds::Forms(&ITEM), "Its items, in its own order."),
    ],
    choice: &[],
    laws: &[],
};

/// An item of a brief.
pub static ITEM: Shape = Shape {
    name: "brief-item",
    what: "an item",
    about: "An item of a brief. Rules name it under `follows`.",
    keys: &[
        must("id", Holds::Name, "Its name, unique among the items of all briefs."),
        must(
            "kind",
            Holds::Word(|| of(ITEM_KINDS)),
            "`rule` and `note` are carried by rules, `do-not` by invariants, `disagreement` by disagreements.",
        ),
        may("category", Holds::Name, "What the brief files it under."),
        ITEM_TITLE,
        STATUS,
        may("branches", Holds::SomeForms(&BRANCH), "Branches, each carried for itself: rules follow `ITEM-BRANCH`."),
        LEFT_OUT,
    ],
    choice: &[],
    laws: &[],
};

/// A branch of an item.
pub static BRANCH: Shape = Shape {
    name: "brief-branch",
    what: "a branch",
    about: "A branch of an item: a condition of its own, and what it calls for.",
    keys: &[must("id", Holds::Name, "Its letter or word within the item: `a`."), ITEM_TITLE, STATUS, LEFT_OUT],
    choice: &[],
    laws: &[],
};

/// A hazard.
pub static HAZARD: Shape = Shape {
    name: "hazard",
    what: "a hazard",
    about: "A way in which the product could harm a patient, and what stands against it.",
    keys: &[
        ID,
        must("title", Holds::Text, "What goes wrong, in a few words."),
        must(
            "kind",
            Holds::Word(|| of(HAZARD_KINDS)),
            "What is wrong with the advice: `wrong`, `missing`, `late`, or right and `misread`.",
        ),
        must("cause", Holds::Text, "How it comes about."),
        must("harm", Holds::Text, "What happens to the patient."),
        must(
            "severity",
            Holds::Word(|| of(HARM_SEVERITIES)),
            "The worst harm to be expected: `negligible`, `minor`, `serious`, `critical`, `catastrophic`.",
        ),
        must("controls", Holds::SomeForms(&CONTROL), "What stands against it."),
        must("residual", Holds::Text, "What remains, and who is to watch for it."),
    ],
    choice: &[],
    laws: &[],
};

/// A control.
pub static CONTROL: Shape = Shape {
    name: "control",
    what: "a control",
    about: "What stands against a hazard, and what proves that it is there.",
    keys: &[
        must("control", Holds::Text, "What it is."),
        must("proven_by", Holds::SomeForms(&PROOF), "What fails when it is gone."),
    ],
    choice: &[],
    laws: &[],
};

/// A proof.
pub static PROOF: Shape = Shape {
    name: "proof",
    what: "a proof",
    about: "What fails when a control is gone.",
    keys: &[],
    choice: &[
        may("rule", Holds::Name, "An active rule of the package."),
        may("invariant", Holds::Name, "An invariant of the package, which is proven whenever it is loaded."),
        may("case", Holds::Text, "The id of a case of the package; `concord rules test` looks for it."),
        may("test", Holds::Text, "A test of the program: its file, `::` and its name."),
        may("check", Holds::Name, "The code of a diagnostic of `concord rules check`."),
    ],
    laws: &[],
};
