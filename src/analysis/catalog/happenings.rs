//! Allergies, events, history, preferences, plans and single fields.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::moments::{self, Moment};
use super::observations::inside;
use super::record::Entry;
use super::{Absent, Builder, Reading};
use crate::analysis::logic::{Lit, Logic};
use crate::clinical::concept::ConceptKind;
use crate::clinical::date::FhirDate;
use crate::clinical::patient::{Allergy, Event, HistoryFlag, List, Plan, Setting, Sex, VerificationStatus};
use crate::rule::model::{Fact, Name, Window};
use crate::rule::truth::Truth;

/// Events of a kind of which only the newest counts.
#[derive(Clone, Debug)]
pub struct Newest {
    /// Entries that are, or may be, of what is asked for; and what each says.
    matching: Vec<Matching>,
    pub(super) absent: Absent,
}

#[derive(Clone, Debug)]
struct Matching {
    entry: usize,
    at: Option<Moment>,
    surely: bool,
    says: Truth,
}

impl Newest {
    /// What each entry says, where it counts: where no newer one is as sure to
    /// be of what is asked for, or none at all is newer.
    pub(super) fn counted(&self, logic: &mut Logic, chosen: &[Lit]) -> Vec<(Lit, Truth)> {
        let lit = |one: &Matching| chosen.get(one.entry).copied();
        let mut counted = Vec::new();
        for one in &self.matching {
            let Some(here) = lit(one) else { continue };
            let newer = |sure: bool| -> Vec<Lit> {
                let later = self.matching.iter().filter(|other| {
                    (other.surely || !sure) && other.at.as_ref().zip(one.at.as_ref()).is_some_and(|(a, b)| a.at > b.at)
                });
                later.filter_map(lit).collect()
            };
            let of_all = logic.or(&newer(false));
            let mut counts = logic.and(&[here, !of_all]);
            if one.surely {
                let of_sure = logic.or(&newer(true));
                let among_sure = logic.and(&[here, !of_sure]);
                counts = logic.or(&[counts, among_sure]);
            }
            counted.push((counts, one.says));
        }
        counted
    }
}

/// An event of the catalog.
struct Made {
    entry: usize,
    substance: Option<String>,
    at: Option<Moment>,
}

impl Builder<'_> {
    pub(super) fn allergies(&mut self) {
        let mut asked = BTreeSet::new();
        for (side, _, fact, _) in self.atoms() {
            if let Fact::Allergy { concepts } = fact {
                asked.extend(self.known(side, concepts));
            }
        }
        if asked.is_empty() {
            return;
        }
        let none = self.add(Entry::NoAllergyKnown);
        let mut made = Vec::new();
        for cell in self.codes.cells(ConceptKind::Medication, &asked) {
            for (verification, truth) in [
                (VerificationStatus::Confirmed, Truth::True),
                (VerificationStatus::Unconfirmed, Truth::Unknown),
                (VerificationStatus::Refuted, Truth::False),
            ] {
                let allergy = Allergy {
                    coding: vec![cell.coding.clone()],
                    verification_status: Some(verification),
                    ..Allergy::default()
                };
                let entry = self.add(Entry::Allergy(allergy));
                // That none is known and that one is known contradict each other.
                self.apart.push((none, entry));
                made.push((entry, cell.concepts.clone(), truth));
            }
        }
        for (side, atom, fact, _) in self.atoms() {
            let Fact::Allergy { concepts } = fact else { continue };
            let wanted = self.known(side, concepts);
            let spoken = made.iter().filter(|(_, concepts, _)| !concepts.is_disjoint(&wanted));
            let mut entries: Vec<(usize, Truth)> = spoken.map(|(entry, _, truth)| (*entry, *truth)).collect();
            entries.push((none, Truth::False));
            self.said(side, atom, entries, Absent::UnknownUnlessComplete(List::Allergies));
        }
    }

    pub(super) fn events(&mut self) {
        let mut kinds: BTreeMap<String, (Vec<Window>, BTreeSet<String>)> = BTreeMap::new();
        for (_, _, fact, _) in self.atoms() {
            let Fact::Event { types, substances, window } = fact else { continue };
            for kind in types {
                let asked = kinds.entry(kind.value.clone()).or_default();
                asked.0.extend(Some(*window).filter(|window| !window.is_open()));
                asked.1.extend(substances.iter().map(|name| name.value.clone()));
            }
        }
        let mut made: BTreeMap<String, Vec<Made>> = BTreeMap::new();
        for (kind, (windows, classes)) in kinds {
            let events = self.events_of(&kind, &windows, &classes);
            made.insert(kind, events);
        }
        for (side, atom, fact, _) in self.atoms() {
            let Fact::Event { types, substances, window } = fact else { continue };
            let Some(kind) = types.first() else { continue };
            let absent = Absent::UnknownUnlessComplete(List::Events);
            let events = made.get(&kind.value).map(Vec::as_slice).unwrap_or_default();
            let matching = events.iter().filter_map(|one| {
                let of =
                    substances.first().map_or(Truth::True, |class| self.is_of(side, one.substance.as_ref(), class));
                let says = of.and(moments::inside(one.at.as_ref(), *window, &self.as_of));
                let (entry, at) = (one.entry, one.at.clone());
                (of != Truth::False).then_some(Matching { entry, at, surely: of == Truth::True, says })
            });
            let matching: Vec<Matching> = matching.collect();
            if self.is_newest_only(side, &kind.value) {
                self.read(side, atom, Reading::Newest(Newest { matching, absent }));
            } else {
                let entries = matching.iter().filter(|one| one.says != Truth::False).map(|one| (one.entry, one.says));
                self.said(side, atom, entries.collect(), absent);
            }
        }
    }

    fn is_newest_only(&self, side: usize, kind: &str) -> bool {
        let words = self.sides.get(side).map(|one| one.package.vocabulary.events.as_slice()).unwrap_or_default();
        words.iter().any(|word| word.newest && word.id.value == kind)
    }

    fn events_of(&mut self, kind: &str, windows: &[Window], classes: &BTreeSet<String>) -> Vec<Made> {
        let mut substances: Vec<Option<String>> = vec![None];
        substances.extend(self.substances(classes).into_iter().map(Some));
        let dates = moments::between(windows, &self.as_of);
        let mut made = Vec::new();
        for substance in substances {
            for at in std::iter::once(None).chain(dates.iter().cloned().map(Some)) {
                let event = Event {
                    kind: kind.to_owned(),
                    at: at.as_ref().and_then(|moment| FhirDate::parse(&moment.text).ok()),
                    substance: substance.clone(),
                };
                let entry = self.add(Entry::Event(event));
                made.push(Made { entry, substance: substance.clone(), at });
            }
        }
        // An undated entry may be the newest: the catalog has it alone.
        if (0..self.sides.len()).any(|side| self.is_newest_only(side, kind)) {
            for (index, one) in made.iter().enumerate().filter(|(_, one)| one.at.is_none()) {
                let others = made.iter().enumerate().filter(|(other, two)| *other > index || two.at.is_some());
                self.apart.extend(others.filter(|(other, _)| *other != index).map(|(_, two)| (one.entry, two.entry)));
            }
        }
        made
    }

    /// One substance of those that no class asked for tells apart.
    fn substances(&self, classes: &BTreeSet<String>) -> Vec<String> {
        if classes.is_empty() {
            return Vec::new();
        }
        let mut known = BTreeSet::new();
        for side in self.sides {
            known.extend(side.package.vocabulary.substances.iter().map(|one| one.id.value.clone()));
        }
        let mut seen = BTreeMap::new();
        for word in known {
            let mut says = Vec::new();
            for side in 0..self.sides.len() {
                says.extend(classes.iter().map(|class| self.is_of_class(side, Some(&word), class)));
            }
            seen.entry(says).or_insert(word);
        }
        seen.into_values().collect()
    }

    fn is_of(&self, side: usize, substance: Option<&String>, class: &Name) -> Truth {
        self.is_of_class(side, substance, &class.value)
    }

    fn is_of_class(&self, side: usize, substance: Option<&String>, class: &str) -> Truth {
        let known = self.sides.get(side).map(|one| one.package.vocabulary.substances.as_slice()).unwrap_or_default();
        let found = substance.and_then(|word| known.iter().find(|one| one.id.value == *word));
        let Some(found) = found else { return Truth::Unknown };
        if found.id.value == class || found.classes.iter().any(|one| one == class) {
            Truth::True
        } else if found.unspecific {
            Truth::Unknown
        } else {
            Truth::False
        }
    }

    /// History flags and preferences.
    pub(super) fn words(&mut self) {
        let mut history: BTreeMap<String, [usize; 2]> = BTreeMap::new();
        let mut preferences: BTreeMap<String, usize> = BTreeMap::new();
        for (side, atom, fact, _) in self.atoms() {
            match fact {
                Fact::History { codes } => {
                    let Some(code) = codes.first() else { continue };
                    let [present, absent] = match history.get(&code.value) {
                        Some(known) => *known,
                        None => {
                            let flag = |present| {
                                Entry::History(HistoryFlag { code: code.value.clone(), present: Some(present) })
                            };
                            let made = [self.add(flag(true)), self.add(flag(false))];
                            self.exclusive.push(made.to_vec());
                            history.insert(code.value.clone(), made);
                            made
                        }
                    };
                    let entries = vec![(present, Truth::True), (absent, Truth::False)];
                    self.said(side, atom, entries, Absent::UnknownUnlessComplete(List::History));
                }
                Fact::Preference { codes } => {
                    let Some(code) = codes.first() else { continue };
                    let entry = match preferences.get(&code.value) {
                        Some(known) => *known,
                        None => {
                            let made = self.add(Entry::Preference(code.value.clone()));
                            preferences.insert(code.value.clone(), made);
                            made
                        }
                    };
                    self.said(side, atom, vec![(entry, Truth::True)], Absent::UnknownUnlessComplete(List::Preferences));
                }
                _ => {}
            }
        }
    }

    pub(super) fn plans(&mut self) {
        let (mut kinds, mut asked) = (BTreeSet::new(), BTreeSet::new());
        for (side, _, fact, _) in self.atoms() {
            if let Fact::Plan { kinds: named, concepts } = fact {
                kinds.extend(named.iter().map(|kind| kind.value.clone()));
                asked.extend(self.known(side, concepts));
            }
        }
        let mut cells = self.codes.cells(ConceptKind::Medication, &asked);
        cells.extend(self.codes.cells(ConceptKind::Diagnosis, &asked));
        let mut made = Vec::new();
        for kind in kinds {
            let bare = self.add(Entry::Plan(Plan { kind: kind.clone(), ..Plan::default() }));
            made.push((bare, kind.clone(), None));
            for cell in &cells {
                let plan = Plan { kind: kind.clone(), coding: vec![cell.coding.clone()], ..Plan::default() };
                let entry = self.add(Entry::Plan(plan));
                made.push((entry, kind.clone(), Some(cell.concepts.clone())));
            }
        }
        for (side, atom, fact, _) in self.atoms() {
            let Fact::Plan { kinds, concepts } = fact else { continue };
            let wanted = self.known(side, concepts);
            let entries = made.iter().filter(|(_, kind, _)| kinds.iter().any(|one| one.value == *kind));
            let entries = entries.filter_map(|(entry, _, of)| match of {
                _ if concepts.is_empty() => Some((*entry, Truth::True)),
                // A plan of something that is not coded may be a plan of anything.
                None => Some((*entry, Truth::Unknown)),
                Some(of) => (!of.is_disjoint(&wanted)).then_some((*entry, Truth::True)),
            });
            let entries = entries.collect();
            self.said(side, atom, entries, Absent::FalseUnlessPartial(List::Plans));
        }
    }

    /// Fields with one value: every value that an atom tells apart.
    pub(super) fn fields(&mut self) {
        let mut values: Vec<Entry> = Vec::new();
        for (_, _, fact, _) in self.atoms() {
            values.extend(Self::values_of(fact));
        }
        let mut made: Vec<(usize, Entry)> = Vec::new();
        for value in values {
            if !made.iter().any(|(_, known)| *known == value) {
                let entry = self.add(value.clone());
                made.push((entry, value));
            }
        }
        let mut fields: Vec<Vec<usize>> = Vec::new();
        let mut kinds = Vec::new();
        for (entry, value) in &made {
            let kind = std::mem::discriminant(value);
            match kinds.iter().position(|known| *known == kind).and_then(|at| fields.get_mut(at)) {
                Some(group) => group.push(*entry),
                None => {
                    kinds.push(kind);
                    fields.push(vec![*entry]);
                }
            }
        }
        self.exclusive.extend(fields);
        for (side, atom, fact, _) in self.atoms() {
            let says = |value: &Entry| match (fact, value) {
                (Fact::Age(range), Entry::Age(years)) => Some(inside(Decimal::from(*years), range)),
                (Fact::Sex(asked), Entry::Sex(is)) => Some(Truth::of(asked == is)),
                (Fact::Pregnancy(asked), Entry::Pregnancy(is))
                | (Fact::Lactation(asked), Entry::Lactation(is))
                | (Fact::ChildbearingPotential(asked), Entry::ChildbearingPotential(is)) => {
                    Some(Truth::of(asked == is))
                }
                (Fact::Setting { settings }, Entry::Setting(is)) => Some(Truth::of(settings.contains(is))),
                (Fact::InForce { from, until }, Entry::Day(day)) => Some(in_force(day, from.as_ref(), until.as_ref())),
                _ => None,
            };
            let entries: Vec<(usize, Truth)> =
                made.iter().filter_map(|(entry, value)| Some((*entry, says(value)?))).collect();
            if let Fact::InForce { from, until } = fact {
                self.on_the_day(side, atom, &entries, in_force(super::AS_OF, from.as_ref(), until.as_ref()));
            } else if !entries.is_empty() {
                self.said(side, atom, entries, Absent::Unknown);
            }
        }
    }

    /// Where no day is chosen it is the one that the catalog stands at.
    fn on_the_day(&mut self, side: usize, atom: usize, entries: &[(usize, Truth)], otherwise: Truth) {
        let differing = entries.iter().copied().filter(|(_, truth)| *truth != otherwise).collect();
        self.read(side, atom, Reading::Day { differing, otherwise });
    }

    fn values_of(fact: &Fact) -> Vec<Entry> {
        match fact {
            Fact::Age(range) => {
                let ends = [range.low, range.high].into_iter().flatten();
                let years = ends.filter_map(|bound| u32::try_from(bound.value.trunc()).ok());
                let near = years.flat_map(|years| [years.saturating_sub(1), years, years.saturating_add(1)]);
                near.filter(|years| *years <= 130).map(Entry::Age).collect()
            }
            Fact::Sex(_) => [Sex::Female, Sex::Male, Sex::Other].map(Entry::Sex).to_vec(),
            Fact::Pregnancy(_) => [true, false].map(Entry::Pregnancy).to_vec(),
            Fact::Lactation(_) => [true, false].map(Entry::Lactation).to_vec(),
            Fact::ChildbearingPotential(_) => [true, false].map(Entry::ChildbearingPotential).to_vec(),
            Fact::Setting { .. } => [
                Setting::Emergency,
                Setting::Inpatient,
                Setting::Outpatient,
                Setting::OpioidTreatmentProgram,
                Setting::Custody,
                Setting::Residential,
            ]
            .map(Entry::Setting)
            .to_vec(),
            Fact::InForce { from, until } => {
                let days = [from, until].into_iter().flatten().filter_map(|day| day.parse::<jiff::civil::Date>().ok());
                let near = days.flat_map(|day| [day.yesterday().ok(), Some(day), day.tomorrow().ok()]).flatten();
                near.map(|day| Entry::Day(day.to_string())).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn in_force(day: &str, from: Option<&String>, until: Option<&String>) -> Truth {
    let day = day.split('T').next().unwrap_or(day);
    let begun = from.is_none_or(|from| from.as_str() <= day);
    let ended = until.is_some_and(|until| until.as_str() < day);
    Truth::of(begun && !ended)
}
