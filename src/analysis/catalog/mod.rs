//! Records that can be written down: a catalog of entries (a diagnosis with a
//! status, a result with a value and a date, …) from which records are put
//! together, and what each entry says of the atoms of one package or of two.
//!
//! Codes that no concept tells apart, and moments that no window tells apart,
//! stand for each other, so the catalog is finite and small. What an entry says
//! is derived here, not by the engine: a record of the catalog that the engine reads otherwise shows a
//! fault of one of them.

mod codes;
mod diagnoses;
mod happenings;
mod medications;
mod moments;
mod observations;
mod record;

use std::collections::BTreeSet;

use crate::clinical::concept::ConceptIndex;
use crate::clinical::date::AsOf;
use crate::clinical::patient::{Completeness, List};
use crate::program::Program;
use crate::rule::model::{Concept, Fact, Name, Package};
use crate::rule::truth::Truth;

use super::logic::{Lit, Logic, Model, Rails};
use codes::{Codes, Known};
use record::Entry;

pub use record::Record;

/// The instant of records whose rules do not depend on the day.
const AS_OF: &str = "2026-06-01T12:00:00Z";

/// Lists that are taken as complete where nothing is stated of them, and asked
/// about.
pub const ASSUMED: [List; 2] = [List::Diagnoses, List::Medications];

/// How many plainer entries are tried in place of one.
const TRIED: usize = 8;

/// A package to ask about, compiled.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// As written.
    pub package: &'a Package,
    /// Compiled.
    pub program: &'a Program,
    /// Its value sets.
    pub index: &'a ConceptIndex,
}

impl<'a> Side<'a> {
    /// A concept by name.
    fn concept(&self, name: &Name) -> Option<(usize, &'a Concept)> {
        let package = self.package;
        package.concepts.iter().enumerate().find(|(_, concept)| concept.def.id == name.value)
    }
}

/// What decides an atom that no entry of a record speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Absent {
    /// False, unless the list is stated as partial.
    FalseUnlessPartial(List),
    /// Unknown, unless the list is stated as complete.
    UnknownUnlessComplete(List),
    /// Unknown.
    Unknown,
}

/// What the entries say of an atom: true where one says so, else unknown where
/// one does, else false where one does, else what absence means.
#[derive(Clone, Debug)]
struct Said {
    entries: Vec<(usize, Truth)>,
    absent: Absent,
}

/// How the truth of an atom follows from the entries.
#[derive(Clone, Debug)]
enum Reading {
    Said(Said),
    Diagnosis(diagnoses::Weighed),
    Onset(diagnoses::Ordered),
    /// As [`Reading::Said`], where only the newest entry of a class counts.
    Newest(happenings::Newest),
    /// A statement on the day of the evaluation: never unknown.
    Day {
        /// Entries of other days, on which it is the opposite.
        differing: Vec<(usize, Truth)>,
        /// What it is where no day is chosen.
        otherwise: Truth,
    },
}

/// The entries, and what they say of every atom of each side.
#[derive(Debug)]
pub struct Catalog {
    as_of: AsOf,
    entries: Vec<Entry>,
    /// Entries of which a record holds one at most.
    exclusive: Vec<Vec<usize>>,
    /// Pairs of entries that no record of the catalog holds together.
    apart: Vec<(usize, usize)>,
    readings: Vec<Vec<Reading>>,
}

/// The records of a catalog as propositions.
#[derive(Debug)]
pub struct Space<'a> {
    catalog: &'a Catalog,
    chosen: Vec<Lit>,
    atoms: Vec<Vec<Rails>>,
    /// The same with what is assumed of one list taken as unknown.
    relaxed: Vec<(List, Vec<Vec<Rails>>)>,
}

/// A catalog in the making.
struct Builder<'a> {
    sides: &'a [Side<'a>],
    codes: Codes<'a>,
    as_of: AsOf,
    entries: Vec<Entry>,
    exclusive: Vec<Vec<usize>>,
    apart: Vec<(usize, usize)>,
    readings: Vec<Vec<Option<Reading>>>,
}

impl<'a> Builder<'a> {
    fn add(&mut self, entry: Entry) -> usize {
        self.entries.push(entry);
        self.entries.len().saturating_sub(1)
    }

    /// The atoms of all sides: side, index, fact, absence.
    fn atoms(&self) -> Vec<(usize, usize, &'a Fact, bool)> {
        let sides: &'a [Side<'a>] = self.sides;
        let mut all = Vec::new();
        for (side, one) in sides.iter().enumerate() {
            let atoms = one.program.atoms.iter().enumerate();
            all.extend(atoms.map(|(index, atom)| (side, index, &atom.fact, atom.absent_unknown)));
        }
        all
    }

    fn read(&mut self, side: usize, atom: usize, reading: Reading) {
        if let Some(slot) = self.readings.get_mut(side).and_then(|atoms| atoms.get_mut(atom)) {
            *slot = Some(reading);
        }
    }

    /// The concepts of names.
    fn known(&self, side: usize, names: &[Name]) -> BTreeSet<Known> {
        let Some(one) = self.sides.get(side) else { return BTreeSet::new() };
        names.iter().filter_map(|name| one.concept(name)).map(|(at, _)| (side, at)).collect()
    }

    fn said(&mut self, side: usize, atom: usize, entries: Vec<(usize, Truth)>, absent: Absent) {
        self.read(side, atom, Reading::Said(Said { entries, absent }));
    }
}

impl Catalog {
    /// The catalog of one package, or of two to be compared.
    #[must_use]
    pub fn new(sides: &[Side<'_>]) -> Self {
        let as_of = AsOf::parse(AS_OF).unwrap_or_else(|_| AsOf::utc(jiff::Timestamp::UNIX_EPOCH));
        let readings = sides.iter().map(|side| vec![None; side.program.atoms.len()]).collect();
        let mut builder = Builder {
            sides,
            codes: Codes::new(sides),
            as_of,
            entries: Vec::new(),
            exclusive: Vec::new(),
            apart: Vec::new(),
            readings,
        };
        builder.lists();
        builder.diagnoses();
        builder.medications();
        builder.allergies();
        builder.observations();
        builder.events();
        builder.words();
        builder.plans();
        builder.fields();
        let unread = || Reading::Said(Said { entries: Vec::new(), absent: Absent::Unknown });
        let readings = builder
            .readings
            .into_iter()
            .map(|atoms| atoms.into_iter().map(|reading| reading.unwrap_or_else(unread)).collect())
            .collect();
        Self { as_of, entries: builder.entries, exclusive: builder.exclusive, apart: builder.apart, readings }
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The records as propositions.
    pub fn assert<'c>(&'c self, logic: &mut Logic) -> Space<'c> {
        let chosen: Vec<Lit> = self.entries.iter().map(|_| logic.fresh()).collect();
        let lit = |index: usize| chosen.get(index).copied();
        for group in &self.exclusive {
            let lits: Vec<Lit> = group.iter().filter_map(|index| lit(*index)).collect();
            logic.at_most_one(&lits);
        }
        for (first, second) in &self.apart {
            if let (Some(first), Some(second)) = (lit(*first), lit(*second)) {
                logic.assert(&[!first, !second]);
            }
        }
        let mut rails = |open: Option<List>| -> Vec<Vec<Rails>> {
            let mut draft = Draft { catalog: self, chosen: &chosen, open };
            let sides = self.readings.iter();
            sides.map(|atoms| atoms.iter().map(|reading| draft.rails(logic, reading)).collect()).collect()
        };
        let atoms = rails(None);
        let relaxed = ASSUMED.map(|list| (list, rails(Some(list)))).to_vec();
        Space { catalog: self, chosen, atoms, relaxed }
    }
}

/// Rails of atoms over the entries that are chosen.
struct Draft<'a> {
    catalog: &'a Catalog,
    chosen: &'a [Lit],
    /// A list of which absence says nothing unless it is stated as complete.
    open: Option<List>,
}

impl Draft<'_> {
    fn lit(&self, entry: usize, logic: &Logic) -> Lit {
        self.chosen.get(entry).copied().unwrap_or(logic.never())
    }

    fn stated(&self, logic: &Logic, list: List, what: Completeness) -> Lit {
        let found = self.catalog.entries.iter().position(|entry| *entry == Entry::Stated(list, what));
        found.map_or(logic.never(), |index| self.lit(index, logic))
    }

    /// Absence makes it false.
    fn absent(&self, logic: &Logic, absent: Absent) -> Lit {
        match absent {
            Absent::FalseUnlessPartial(list) if self.open == Some(list) => {
                self.stated(logic, list, Completeness::Complete)
            }
            Absent::FalseUnlessPartial(list) => !self.stated(logic, list, Completeness::Partial),
            Absent::UnknownUnlessComplete(list) => self.stated(logic, list, Completeness::Complete),
            Absent::Unknown => logic.never(),
        }
    }

    fn rails(&mut self, logic: &mut Logic, reading: &Reading) -> Rails {
        match reading {
            Reading::Said(said) => {
                let entries: Vec<_> =
                    said.entries.iter().map(|(entry, truth)| (self.lit(*entry, logic), *truth)).collect();
                let absent = self.absent(logic, said.absent);
                Self::settle(logic, &entries, absent)
            }
            Reading::Newest(newest) => {
                let entries = newest.counted(logic, self.chosen);
                let absent = self.absent(logic, newest.absent);
                Self::settle(logic, &entries, absent)
            }
            Reading::Day { differing, otherwise } => {
                let days: Vec<Lit> = differing.iter().map(|(entry, _)| self.lit(*entry, logic)).collect();
                let other = logic.or(&days);
                let yes = if *otherwise == Truth::True { !other } else { other };
                Rails { yes, no: !yes }
            }
            Reading::Diagnosis(weighed) => {
                let absent = self.absent(logic, weighed.absent);
                weighed.rails(logic, self.chosen, absent)
            }
            Reading::Onset(ordered) => {
                let absent = self.absent(logic, ordered.absent);
                ordered.rails(logic, self.chosen, absent)
            }
        }
    }

    /// True where one entry says so, else unknown where one does, else false
    /// where one does or absence says so.
    fn settle(logic: &mut Logic, entries: &[(Lit, Truth)], absent: Lit) -> Rails {
        let of = |truth: Truth| -> Vec<Lit> {
            entries.iter().filter(|(_, said)| *said == truth).map(|(lit, _)| *lit).collect()
        };
        let (yes, unknown) = (of(Truth::True), of(Truth::Unknown));
        let mut no = of(Truth::False);
        no.push(absent);
        let yes = logic.or(&yes);
        let unknown = logic.or(&unknown);
        let no = logic.or(&no);
        Rails { yes, no: logic.and(&[!yes, !unknown, no]) }
    }
}

impl Space<'_> {
    /// Rails of the atoms of each side, in the order of its program.
    #[must_use]
    pub fn atoms(&self, side: usize) -> &[Rails] {
        self.atoms.get(side).map(Vec::as_slice).unwrap_or_default()
    }

    /// Rails of the atoms of a side with what is assumed of a list, one of
    /// [`ASSUMED`], taken as unknown.
    #[must_use]
    pub fn relaxed(&self, list: List, side: usize) -> &[Rails] {
        let found = self.relaxed.iter().find(|(known, _)| *known == list);
        found.and_then(|(_, sides)| sides.get(side)).map(Vec::as_slice).unwrap_or_default()
    }

    /// A record in which all of these hold, without an entry that could be left
    /// out.
    pub fn smallest(&self, logic: &mut Logic, assumed: &[Lit]) -> Option<Model> {
        let mut model = logic.solve(assumed)?;
        let mut needed: Vec<Lit> = Vec::new();
        loop {
            let held: Vec<Lit> = self.chosen.iter().copied().filter(|lit| model.holds(*lit)).collect();
            let Some(tried) = held.iter().rev().copied().find(|lit| !needed.contains(lit)) else { return Some(model) };
            let mut without: Vec<Lit> = assumed.to_vec();
            without.extend(self.chosen.iter().filter(|lit| !held.contains(lit)).map(|lit| !*lit));
            without.push(!tried);
            match logic.solve(&without) {
                Some(smaller) => model = smaller,
                None => needed.push(tried),
            }
        }
    }

    /// A record like that of the model with plainer entries, where they do: of
    /// entries that say the same kind of thing, one that says more comes later.
    pub fn plainer(&self, logic: &mut Logic, assumed: &[Lit], mut model: Model) -> Model {
        let held = |model: &Model| -> Vec<usize> {
            let held = self.chosen.iter().enumerate().filter(|(_, lit)| model.holds(**lit));
            held.map(|(index, _)| index).collect()
        };
        let entries = &self.catalog.entries;
        for now in held(&model) {
            let others: Vec<usize> = held(&model).into_iter().filter(|index| *index != now).collect();
            let plainer = entries.iter().take(now).enumerate().filter(|(index, entry)| {
                !others.contains(index) && entries.get(now).is_some_and(|now| entry.is_of_the_same(now))
            });
            for (instead, _) in plainer.take(TRIED) {
                let mut asked = assumed.to_vec();
                asked.extend(
                    self.chosen
                        .iter()
                        .enumerate()
                        .map(|(index, lit)| if index == instead || others.contains(&index) { *lit } else { !*lit }),
                );
                if let Some(found) = logic.solve(&asked) {
                    model = found;
                    break;
                }
            }
        }
        model
    }

    /// The record of a model.
    #[must_use]
    pub fn record(&self, model: &Model) -> Record {
        let entries = self.catalog.entries.iter().zip(&self.chosen);
        let held = entries.filter(|(_, lit)| model.holds(**lit)).map(|(entry, _)| entry);
        Record::of(held, &self.catalog.as_of)
    }
}

impl Builder<'_> {
    /// What may be stated of each list.
    fn lists(&mut self) {
        for list in List::ALL {
            let complete = self.add(Entry::Stated(list, Completeness::Complete));
            let partial = self.add(Entry::Stated(list, Completeness::Partial));
            self.exclusive.push(vec![complete, partial]);
        }
    }
}
