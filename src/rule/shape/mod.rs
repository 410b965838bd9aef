//! What a package may hold, as tables: each map with its keys, what a key
//! holds and what it means. The reader knows a key only where it stands here,
//! and `rule::schema` makes of the tables what editors complete and check by.
//!
//! A new key is a row here and a `take` in the reader. A row that nothing takes
//! fails `tests/it/schema.rs`; a key that is taken without a row is refused.

mod case;
mod condition;
mod declare;
mod disagreement;
mod governance;
mod invariant;
mod overlay;
mod rules;
mod words;

pub use case::*;
pub use condition::*;
pub use declare::*;
pub use disagreement::*;
pub use governance::*;
pub use invariant::*;
pub use overlay::*;
pub use rules::*;
pub use words::*;

/// A map with known keys.
#[derive(Debug)]
pub struct Shape {
    /// Its name in the schema, unique.
    pub name: &'static str,
    /// What messages call it: `a rule`.
    pub what: &'static str,
    /// What it is, for the editor.
    pub about: &'static str,
    /// Keys.
    pub keys: &'static [Key],
    /// Further keys, of which it has exactly one.
    pub choice: &'static [Key],
    /// What holds between keys.
    pub laws: &'static [Law],
}

/// A key of a map.
#[derive(Debug)]
pub struct Key {
    /// The key as written.
    pub name: &'static str,
    /// Must it be there?
    pub required: bool,
    /// What it holds.
    pub holds: Holds,
    /// What it means, for the editor.
    pub about: &'static str,
}

/// Words of a fixed list.
pub type Words = fn() -> Vec<&'static str>;

/// What a key holds. `$name` may stand for any single value.
#[derive(Clone, Copy, Debug)]
pub enum Holds {
    /// Text that is not empty.
    Text,
    /// Text as written: no parameter stands for it.
    Plain,
    /// Such a text, or a list of at least one.
    SomePlain,
    /// Values by the name of a parameter (overlays only).
    Settings,
    /// A list of texts.
    Texts,
    /// An id, or a reference to one.
    Name,
    /// One name, or a list of at least one.
    Names,
    /// The name of a parameter.
    ParameterName,
    /// A word of a list.
    Word(Words),
    /// A word of a list, or several.
    SomeWords(Words),
    /// `true` or `false`.
    Boolean,
    /// `true`.
    True,
    /// A length of time: `28 days`.
    Length,
    /// A day of the calendar: `2027-11-22`.
    Day,
    /// A year.
    Year,
    /// A number.
    Decimal,
    /// A number above zero.
    Positive,
    /// A list of two numbers.
    TwoNumbers,
    /// A whole number from 1.
    Count,
    /// The version of the language.
    Format,
    /// A number with or without a unit: `450 ms`, `3 ULN`.
    Quantity,
    /// Pairs of a code system and a code.
    Codings,
    /// A condition.
    Condition,
    /// A list of at least one condition.
    Conditions,
    /// A list of exactly two conditions.
    TwoConditions,
    /// A map.
    Form(&'static Shape),
    /// A list of maps.
    Forms(&'static Shape),
    /// A list of at least one map.
    SomeForms(&'static Shape),
    /// A list of words of a list (cases only).
    WordList(Words),
    /// A list of names.
    NameList,
    /// A list of names and maps (overlays only).
    NamesOr(&'static Shape),
    /// A name or a map.
    NameOr(&'static Shape),
    /// A list of texts or a map.
    TextsOr(&'static Shape),
    /// Maps by name (cases only).
    ByName(&'static Shape),
    /// Text, or `null` where it is not known (cases only).
    TextOrNull,
    /// A year, or `null` where it is not known (cases only).
    YearOrNull,
    /// A date or an instant (cases only).
    Instant,
    /// A patient in the JSON of the contract (cases only).
    Patient,
}

/// What holds between the keys of a map.
#[derive(Debug)]
pub enum Law {
    /// With the key comes the other.
    With(&'static str, &'static str),
    /// One of these keys at least.
    Some(&'static [&'static str]),
    /// One of these keys at most.
    Apart(&'static [&'static str]),
    /// The key holds this word only beside one of these keys.
    WordBeside(&'static str, &'static str, &'static [&'static str]),
    /// Each item of the first key has the second, unless the map of the third has it.
    Inherited(&'static str, &'static str, &'static str),
}

impl Shape {
    /// The key of a name.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().chain(self.choice).find(|key| key.name == name)
    }
}

/// A key that must be there.
const fn must(name: &'static str, holds: Holds, about: &'static str) -> Key {
    Key { name, required: true, holds, about }
}

/// A key that may be there.
const fn may(name: &'static str, holds: Holds, about: &'static str) -> Key {
    Key { name, required: false, holds, about }
}

const ID: Key = must("id", Holds::Name, "Its name: lower-case words joined by hyphens, unique among its kind.");
