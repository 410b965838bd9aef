//! A file of a package, and what it declares beside rules.

use super::words::of;
use super::{
    BRIEF, CONCEPT_KINDS, DEFAULTS, DEFINITION, DISAGREEMENT, HAZARD, HIGHER_IS, Holds, ID, INVARIANT, Key, Law,
    PARAMETER_TYPES, RULE, SOURCE_ATTRIBUTES, Shape, TOWARDS, may, must,
};

const TITLE: Key = must("title", Holds::Text, "Title, as people read it.");
const USES: Key = may(
    "source_attribute",
    Holds::Word(|| of(SOURCE_ATTRIBUTES)),
    "What data a rule uses by asking for it, as 45 CFR 170.315(b)(11)(iv)(A) names it.",
);
const WORDS_OF_RECORD: &str =
    "Words of a patient's record. Words that share the id of an `ask` are asked for by one question.";

/// A file: its sections.
pub static FILE: Shape = Shape {
    name: "file",
    what: "a package",
    about: "A file of a Concord rules package: any of these sections, in any order. Which file a thing stands in means nothing.",
    keys: &[
        may("package", Holds::Form(&META), "What the package is; once in all its files."),
        may("parameters", Holds::Forms(&PARAMETER), "Values that a site may set; `$name` stands for the value."),
        may("sources", Holds::Forms(&SOURCE), "What rules cite."),
        may("approaches", Holds::Forms(&APPROACH), "What components are listed under, in the order of the answer."),
        may("components", Holds::Forms(&COMPONENT), "What can be recommended."),
        may("events", Holds::Forms(&WORD), WORDS_OF_RECORD),
        may("history", Holds::Forms(&WORD), WORDS_OF_RECORD),
        may("plans", Holds::Forms(&WORD), WORDS_OF_RECORD),
        may("preferences", Holds::Forms(&WORD), WORDS_OF_RECORD),
        may("substances", Holds::Forms(&SUBSTANCE), "Substances of events, with the classes they are of."),
        may("answers", Holds::Forms(&ANSWER), "Answers of observations, and the words and codes that mean them."),
        may("questions", Holds::Forms(&QUESTION), "Questions that answer several concepts at once."),
        may("concepts", Holds::Forms(&CONCEPT), "Value sets: which codes mean what."),
        may("definitions", Holds::Forms(&DEFINITION), "Named conditions."),
        may("scales", Holds::Forms(&SCALE), "Scores divided into bands; each band is a definition."),
        may("scope", Holds::Form(&SCOPE), "Which definitions say that there is opioid use disorder."),
        may("defaults", Holds::Form(&DEFAULTS), "Keys that every rule of this file has unless it says otherwise."),
        may("rules", Holds::Forms(&RULE), "Rules."),
        may(
            "briefs",
            Holds::Forms(&BRIEF),
            "Clinical briefs, with what became of every item. No answer depends on it.",
        ),
        may("hazards", Holds::Forms(&HAZARD), "Hazards with their controls and proofs. No answer depends on it."),
        may("invariants", Holds::Forms(&INVARIANT), "What holds of every answer, proven by `concord rules check`."),
        may("disagreements", Holds::Forms(&DISAGREEMENT), "Questions on which sources differ."),
    ],
    choice: &[],
    laws: &[Law::Inherited("rules", "strength", "defaults"), Law::Inherited("rules", "evidence", "defaults")],
};

/// Metadata.
pub static META: Shape = Shape {
    name: "package",
    what: "`package`",
    about: "What the package is, who makes it and who signed it.",
    keys: &[
        may("format", Holds::Format, "Version of this language; left out: the first."),
        must("name", Holds::Name, "Name of the package."),
        must("version", Holds::Text, "Version of the package."),
        TITLE,
        must("developer", Holds::Text, "Who develops it."),
        may("funding", Holds::Text, "Who funds it, where known."),
        must("released", Holds::Text, "Release date."),
        may("revised", Holds::Text, "Date of the last revision, where there was one."),
        may("signed_by", Holds::Text, "The clinician who signed it, where one has."),
    ],
    choice: &[],
    laws: &[],
};

/// A parameter.
pub static PARAMETER: Shape = Shape {
    name: "parameter",
    what: "a parameter",
    about: "A value that a site may set: `$name` where a value is written, `{$name}` inside a text.",
    keys: &[
        must("id", Holds::ParameterName, "Its name: lower-case words joined by underscores, written `$name` in rules."),
        must("title", Holds::Text, "What it sets."),
        must("value", Holds::Plain, "The package's own value: `500 ms`."),
        must(
            "type",
            Holds::Word(|| of(PARAMETER_TYPES)),
            "What values it takes. The unit of a `quantity` is that of `value`.",
        ),
        may("choices", Holds::Texts, "The words of a `choice`."),
        may("min", Holds::Plain, "The smallest value that a site may set."),
        may("max", Holds::Plain, "The largest value that a site may set."),
        may(
            "towards",
            Holds::Word(|| of(TOWARDS)),
            "The way in which a site may move a safety limit: towards caution. `fixed`: not at all.",
        ),
    ],
    choice: &[],
    laws: &[],
};

/// A scale.
pub static SCALE: Shape = Shape {
    name: "scale",
    what: "a scale",
    about: "A score divided into bands without gap or overlap; each band is a definition.",
    keys: &[
        must("id", Holds::Name, "Its name."),
        must("title", Holds::Text, "What it measures."),
        must("observation", Holds::Name, "The concept whose score it divides."),
        may("within", Holds::Length, "At most this long ago, the last day included."),
        may("more_than", Holds::Length, "Longer ago than this."),
        must("range", Holds::TwoNumbers, "The lowest and the highest score there is: `[0, 21]`."),
        may("step", Holds::Positive, "The distance of one score from the next. Without it: 1."),
        may("higher_is", Holds::Word(|| of(HIGHER_IS)), "What a higher score is. Without it: `worse`."),
        must("bands", Holds::SomeForms(&BAND), "The bands, the lowest first."),
    ],
    choice: &[],
    laws: &[],
};

/// A band of a scale.
pub static BAND: Shape = Shape {
    name: "band",
    what: "a band",
    about: "Scores that mean the same. Its id is a definition.",
    keys: &[
        must("id", Holds::Name, "Its name, which conditions use."),
        must("title", Holds::Text, "What its scores mean."),
        may("from", Holds::Decimal, "The lowest score in it."),
        may("above", Holds::Decimal, "The score above which it begins."),
        may("to", Holds::Decimal, "The highest score in it."),
        may("below", Holds::Decimal, "The score below which it ends."),
    ],
    choice: &[],
    laws: &[Law::Some(&["from", "above", "to", "below"]), Law::Apart(&["from", "above"]), Law::Apart(&["to", "below"])],
};

/// A source.
pub static SOURCE: Shape = Shape {
    name: "source",
    what: "a source",
    about: "A guideline, label or study that rules cite.",
    keys: &[
        ID,
        TITLE,
        must("publisher", Holds::Text, "Organization or journal."),
        may("year", Holds::Year, "Year; left out where none is stated."),
        may("url", Holds::Text, "Address; left out where none is known."),
    ],
    choice: &[],
    laws: &[],
};

/// An approach.
pub static APPROACH: Shape = Shape {
    name: "approach",
    what: "an approach",
    about: "An approach to treatment, under which components are listed.",
    keys: &[ID, TITLE],
    choice: &[],
    laws: &[],
};

/// A component.
pub static COMPONENT: Shape = Shape {
    name: "component",
    what: "a component",
    about: "What can be recommended.",
    keys: &[
        ID,
        TITLE,
        must("approaches", Holds::Names, "Approaches under which it is listed."),
        may("current", Holds::Name, "Definition that says whether it is in use; none where the record can't say."),
        may("planned", Holds::Name, "Definition that says whether it is planned."),
        may("never_abrupt", Holds::Boolean, "Must never end abruptly: no rule may contraindicate continuing it."),
        may(
            "listed_first",
            Holds::Form(&CHOICE_TEST),
            "Among components with the same standing it is listed first where a site's choice is this.",
        ),
    ],
    choice: &[],
    laws: &[],
};

/// A choice of the site.
pub static CHOICE_TEST: Shape = Shape {
    name: "listed-first",
    what: "`listed_first`",
    about: "What a site has chosen: the same for every patient.",
    keys: &[
        must("parameter", Holds::ParameterName, "A parameter of type `choice`."),
        must("is", Holds::SomePlain, "It has this value, or one of a list."),
    ],
    choice: &[],
    laws: &[],
};

/// The scope.
pub static SCOPE: Shape = Shape {
    name: "scope",
    what: "`scope`",
    about: "Which definitions say that there is opioid use disorder.",
    keys: &[
        must("present", Holds::Name, "Definition: it is present."),
        must("possible", Holds::Name, "Definition: it may be present."),
        must("in_remission", Holds::Name, "Definition: it is in remission."),
    ],
    choice: &[],
    laws: &[],
};

/// A word of the record.
pub static WORD: Shape = Shape {
    name: "word",
    what: "a word",
    about: "A word of a patient's record.",
    keys: &[
        ID,
        TITLE,
        may("newest", Holds::Boolean, "Of several events only the newest counts: the last use."),
        may("ask", Holds::Form(&ASK), "The question that asks for it."),
        USES,
    ],
    choice: &[],
    laws: &[],
};

/// The question of a word.
pub static ASK: Shape = Shape {
    name: "ask",
    what: "a question",
    about: "The question that asks for a word of the record.",
    keys: &[
        must("id", Holds::Name, "Its name; words that share it are asked for once."),
        must("text", Holds::Text, "The question."),
    ],
    choice: &[],
    laws: &[],
};

/// A question of several concepts.
pub static QUESTION: Shape = Shape {
    name: "question",
    what: "a question",
    about: "A question that answers several concepts at once.",
    keys: &[
        ID,
        must("text", Holds::Text, "The question."),
        must("concepts", Holds::Names, "Observation or medication concepts that it answers."),
    ],
    choice: &[],
    laws: &[],
};

/// A substance.
pub static SUBSTANCE: Shape = Shape {
    name: "substance",
    what: "a substance",
    about: "A substance of an event.",
    keys: &[
        must("id", Holds::Text, "The word as sent, lower case."),
        may("classes", Holds::Names, "Classes that it is of for certain."),
        may(
            "unspecific",
            Holds::Boolean,
            "It names a group (`opioid`): of the classes that it does not list, any may be meant.",
        ),
    ],
    choice: &[],
    laws: &[],
};

/// An answer of observations.
pub static ANSWER: Shape = Shape {
    name: "answer",
    what: "an answer",
    about: "An answer of an observation.",
    keys: &[
        ID,
        may("words", Holds::Texts, "Words that mean it, lower case."),
        may("codings", Holds::Codings, "Codes that mean it: `[[LOINC, LA6576-8]]`."),
        may("excludes", Holds::Names, "Answers of which one makes this one false."),
    ],
    choice: &[],
    laws: &[],
};

/// A concept.
pub static CONCEPT: Shape = Shape {
    name: "concept",
    what: "a concept",
    about: "A value set: which codes mean it.",
    keys: &[
        ID,
        must("kind", Holds::Word(|| of(CONCEPT_KINDS)), "`diagnosis`, `medication` or `observation`."),
        TITLE,
        may("icd-10-cm", Holds::Texts, "ICD-10-CM codes; `F11.12-` is F11.12 and everything below."),
        may("icd-10-cm-retired", Holds::Texts, "ICD-10-CM codes that are no longer billable and still in records."),
        may("snomed-ct", Holds::Texts, "SNOMED CT codes."),
        may("loinc", Holds::Texts, "LOINC codes."),
        may("local", Holds::Texts, "Codes of the package's own."),
        may("rxnorm", Holds::TextsOr(&RXNORM), "RxNorm: ingredients as a list, or lists by kind."),
        may("includes", Holds::Names, "Concepts whose codes it has too."),
        may(
            "encounters_except",
            Holds::Texts,
            "Seventh characters of injury codes that do not count: `S` for a sequela.",
        ),
        may("remission", Holds::Name, "Concept whose codes say that this disorder is in remission."),
        may("relapsing", Holds::Boolean, "Inactive or resolved status does not clear it: it is then possible."),
        may(
            "one_disorder",
            Holds::Boolean,
            "One disorder with all that it includes, not a union of several; `remission` and `relapsing` say so too.",
        ),
        may("unit", Holds::Text, "UCUM unit in which numbers are compared; `{score}` for totals of instruments."),
        may("molar_mass", Holds::Decimal, "Molar mass in g/mol, where mass and molar units are both seen."),
        may("valence", Holds::Decimal, "Charge number of the ion, where equivalents are seen."),
        USES,
    ],
    choice: &[],
    laws: &[],
};

/// RxNorm codes by kind.
pub static RXNORM: Shape = Shape {
    name: "rxnorm",
    what: "`rxnorm`",
    about: "RxNorm codes by kind.",
    keys: &[
        may("ingredients", Holds::Texts, "Every product with one of these ingredients."),
        may("products", Holds::Texts, "These products."),
        may("except", Holds::Texts, "But not these products."),
        may("without", Holds::Texts, "But not products with one of these ingredients."),
    ],
    choice: &[],
    laws: &[],
};
