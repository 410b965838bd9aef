//! Overlays.

use super::{CONCEPT, DEFAULTS, DEFINITION, Holds, QUESTION, RULE, SOURCE, Shape, may, must};

/// A file of an overlay: its sections.
pub static OVERLAY_FILE: Shape = Shape {
    name: "overlay-file",
    what: "a file of an overlay",
    about: "A file of a site's overlay of a Concord rules package: any of these sections, in any order.",
    keys: &[
        may("overlay", Holds::Form(&OVERLAY_HEAD), "What the overlay is, once."),
        may("set", Holds::Settings, "Values of parameters, within their ranges; safety limits towards caution alone."),
        may(
            "disable",
            Holds::Forms(&DISABLE),
            "Rules that are not evaluated. Every answer names those that guard safety.",
        ),
        may("enable", Holds::NameList, "Drafts that become active: evaluated in every answer."),
        may("formulary", Holds::Form(&FORMULARY), "What the site does not have."),
        may("sources", Holds::Forms(&SOURCE), "Added: what rules cite."),
        may("questions", Holds::Forms(&QUESTION), "Added: questions that answer several concepts at once."),
        may("concepts", Holds::Forms(&CONCEPT), "Added: value sets."),
        may("definitions", Holds::Forms(&DEFINITION), "Added: named conditions."),
        may("defaults", Holds::Form(&DEFAULTS), "Keys that every rule of this file has unless it says otherwise."),
        may("rules", Holds::Forms(&RULE), "Added: rules."),
    ],
    choice: &[],
    laws: &[],
};

/// What an overlay is.
pub static OVERLAY_HEAD: Shape = Shape {
    name: "overlay-head",
    what: "`overlay`",
    about: "What the overlay is, and of which package.",
    keys: &[
        must("name", Holds::Name, "Its name."),
        must("version", Holds::Text, "Its version."),
        must("title", Holds::Text, "What it is for."),
        must("developer", Holds::Text, "Who answers for it."),
        must("base", Holds::Name, "The package that it is laid over."),
        may("base_digest", Holds::Plain, "The digest of that package: with another one the overlay is refused."),
    ],
    choice: &[],
    laws: &[],
};

/// A rule that is not evaluated.
pub static DISABLE: Shape = Shape {
    name: "disable",
    what: "a disabled rule",
    about: "A rule of the package that is not evaluated here.",
    keys: &[
        must("rule", Holds::Name, "Its id."),
        must("reason", Holds::Text, "Why: shown with every answer where the rule guards safety."),
        may("by", Holds::Text, "Who decided it."),
    ],
    choice: &[],
    laws: &[],
};

/// What the site does not have.
pub static FORMULARY: Shape = Shape {
    name: "formulary",
    what: "`formulary`",
    about: "What the site does not have. It stays in the answer with its standing, and a note.",
    keys: &[must("exclude", Holds::NamesOr(&OFF_FORMULARY), "Components that are not on the formulary.")],
    choice: &[],
    laws: &[],
};

/// A component that the site does not have.
pub static OFF_FORMULARY: Shape = Shape {
    name: "off-formulary",
    what: "a component off the formulary",
    about: "A component that is not on the formulary, with what to do instead.",
    keys: &[must("component", Holds::Name, "The component."), may("note", Holds::Text, "What to do instead.")],
    choice: &[],
    laws: &[],
};
