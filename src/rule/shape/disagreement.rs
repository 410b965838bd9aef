//! Questions on which sources differ.

use super::words::of;
use super::{Holds, ID, Law, Shape, VERIFICATION, may, must};

/// A disagreement.
pub static DISAGREEMENT: Shape = Shape {
    name: "disagreement",
    what: "a disagreement",
    about: "A question on which sources differ: what each holds, and what this package does. It changes no standing; it is shown with what it concerns.",
    keys: &[
        ID,
        must("question", Holds::Text, "The question, as a clinician would ask it."),
        may("follows", Holds::Names, "Ids of the clinical brief that it carries."),
        must("positions", Holds::SomeForms(&POSITION), "What sources hold: two positions at least."),
        must("here", Holds::Text, "What this package does; `{$name}` stands for the value of a parameter."),
        may("parameter", Holds::ParameterName, "The parameter by which a site chooses. It has to have an effect."),
        must("concerns", Holds::Form(&CONCERNS), "What leads to it: an answer that says one of these shows it."),
    ],
    choice: &[],
    laws: &[],
};

/// A position.
pub static POSITION: Shape = Shape {
    name: "position",
    what: "a position",
    about: "What one source holds.",
    keys: &[
        must("says", Holds::Text, "What it says, in own words, in a clause."),
        must("source", Holds::Name, "Id of a source."),
        must("place", Holds::Text, "The place in the source: a recommendation, a table, a page."),
        may("strength", Holds::Text, "The grade that the source gives; left out where it gives none."),
        may(
            "verification",
            Holds::Word(|| of(VERIFICATION)),
            "`primary`: read in the source. `secondary`: read in part, or in a copy. `unverified` (the default): not read, and shown as such.",
        ),
    ],
    choice: &[],
    laws: &[],
};

/// What leads to a disagreement.
pub static CONCERNS: Shape = Shape {
    name: "concerns",
    what: "`concerns`",
    about: "Rules and components.",
    keys: &[
        may("rules", Holds::Names, "Rules: shown where an answer says what one of them says."),
        may("components", Holds::Names, "Components: shown where an answer lists one of them with a finding."),
    ],
    choice: &[],
    laws: &[Law::Some(&["rules", "components"])],
};
