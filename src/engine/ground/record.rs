//! A record, read once: every entry with its meaning, in an order that does
//! not depend on the order of the request.

use std::collections::{BTreeMap, BTreeSet};

use crate::clinical::date::{AsOf, completed_years};
use crate::clinical::patient::{Completeness, List, Patient};
use crate::engine::decision::{Reading, Unrecognized, UnrecognizedReason};
use crate::engine::evaluate::Open;
use crate::program::{Atom, AtomId};
use crate::rule::model::{Bound, Comparison, Fact, Package};
use crate::rule::truth::Truth;

use super::diagnosis::{Contest, ReadDiagnosis};
use super::happening::{ReadAllergy, ReadPlan};
use super::medication::ReadMedication;
use super::observation::ReadObservation;
use super::read::Codes;
use super::{Absence, Element, ElementKind, Grounded, Grounder, Witnessed};

/// A record with the meanings of its entries.
pub struct Record<'a> {
    pub(super) patient: &'a Patient,
    pub(super) package: &'a Package,
    pub(super) as_of: &'a AsOf,
    pub(super) diagnoses: Vec<ReadDiagnosis>,
    /// By declared disorder.
    pub(super) contests: BTreeMap<usize, Contest>,
    pub(super) medications: Vec<ReadMedication>,
    pub(super) allergies: Vec<ReadAllergy>,
    pub(super) observations: Vec<ReadObservation>,
    pub(super) plans: Vec<ReadPlan>,
    pub(super) events: Vec<usize>,
    pub(super) unmapped: BTreeMap<List, Vec<Element>>,
    pub(super) unrecognized: Vec<Unrecognized>,
    pub(super) readings: Vec<Reading>,
}

/// Indexes of a list in the order of its content: order of the request decides
/// between equal entries only.
pub fn by_content<T: Ord>(entries: &[T]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by(|a, b| entries.get(*a).cmp(&entries.get(*b)).then(a.cmp(b)));
    order
}

/// Entries that say the same as another one, with that one.
fn duplicates<T: Ord>(entries: &[T]) -> Vec<(usize, usize)> {
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    let order = by_content(entries);
    for (before, index) in order.iter().zip(order.iter().skip(1)) {
        if entries.get(*before) == entries.get(*index) {
            let first = pairs.last().filter(|(_, again)| again == before).map_or(*before, |(first, _)| *first);
            pairs.push((first, *index));
        }
    }
    pairs
}

impl<'a> Record<'a> {
    /// Reads a record.
    pub fn read(grounder: &'a Grounder, package: &'a Package, patient: &'a Patient, as_of: &'a AsOf) -> Self {
        let codes = Codes { index: &grounder.index, used: &grounder.used };
        let mut record = Self {
            patient,
            package,
            as_of,
            diagnoses: Vec::new(),
            contests: BTreeMap::new(),
            medications: Vec::new(),
            allergies: Vec::new(),
            observations: Vec::new(),
            plans: Vec::new(),
            events: Vec::new(),
            unmapped: BTreeMap::new(),
            unrecognized: Vec::new(),
            readings: Vec::new(),
        };
        record.read_diagnoses(grounder, &codes);
        record.read_medications(&codes);
        record.read_allergies(&codes);
        record.read_observations(&codes);
        record.read_plans(&codes);
        record.read_words();
        record.name_duplicates();
        record
    }

    pub(super) fn unusable(&mut self, path: String, reason: UnrecognizedReason, detail: &str) {
        self.unrecognized.push(Unrecognized {
            path,
            system: String::new(),
            code: String::new(),
            reason,
            detail: detail.to_owned(),
        });
    }

    pub(super) fn reading(&mut self, path: String, kind: &'static str, detail: &str) {
        self.readings.push(Reading { path, kind, detail: detail.to_owned() });
    }

    pub(super) fn not_mapped(&mut self, list: List, element: Element) {
        self.unmapped.entry(list).or_default().push(element);
    }

    fn name_duplicates(&mut self) {
        let patient = self.patient;
        let found = [
            (List::Diagnoses, duplicates(&patient.diagnoses)),
            (List::Medications, duplicates(&patient.medications)),
            (List::Allergies, duplicates(&patient.allergies)),
            (List::Observations, duplicates(&patient.observations)),
            (List::Events, duplicates(&patient.events)),
            (List::History, duplicates(&patient.history)),
            (List::Plans, duplicates(&patient.plans)),
            (List::Preferences, duplicates(&patient.preferences)),
        ];
        for (list, pairs) in found {
            let path = |index: usize| format!("patient.{}[{index}]", list.name());
            for (first, again) in pairs {
                self.reading(path(again), "duplicate", &format!("the same as {}; read once", path(first)));
            }
        }
    }

    /// Concepts that any entry means.
    pub fn concepts(&self) -> BTreeSet<usize> {
        let mut concepts = BTreeSet::new();
        let mut add =
            |meaning: &super::read::Meaning| concepts.extend(meaning.concepts.iter().map(|(concept, _)| *concept));
        self.diagnoses.iter().for_each(|entry| add(&entry.meaning));
        for entry in &self.medications {
            add(&entry.meaning);
            add(&entry.reasons);
        }
        self.allergies.iter().for_each(|entry| add(&entry.meaning));
        self.observations.iter().for_each(|entry| add(&entry.meaning));
        self.plans.iter().for_each(|entry| add(&entry.meaning));
        concepts
    }

    /// Words of vocabularies that the record uses.
    pub fn words(&self) -> BTreeSet<(List, String)> {
        let mut words = BTreeSet::new();
        words.extend(self.patient.events.iter().map(|event| (List::Events, event.kind.clone())));
        words.extend(self.patient.history.iter().map(|flag| (List::History, flag.code.clone())));
        words.extend(self.patient.plans.iter().map(|plan| (List::Plans, plan.kind.clone())));
        words.extend(self.patient.preferences.iter().map(|code| (List::Preferences, code.clone())));
        words
    }

    /// What absence from a list means.
    pub fn absence(&self, list: List) -> Absence {
        let stated = self.patient.stated.get(list as usize).copied().unwrap_or_default();
        let unmapped = self.unmapped.contains_key(&list);
        let assumable = matches!(list, List::Diagnoses | List::Medications | List::Plans);
        match stated {
            Completeness::Partial => Absence::Unknown,
            Completeness::Complete if !unmapped => Absence::False,
            _ if assumable => Absence::Assumed,
            _ => Absence::Unknown,
        }
    }

    /// Truth by absence from the list of an atom.
    pub fn absent(&self, list: List, absent_unknown: bool) -> Truth {
        match self.absence(list) {
            Absence::False => Truth::False,
            Absence::Assumed if absent_unknown => Truth::Unknown,
            Absence::Assumed => Truth::False,
            Absence::Unknown => Truth::Unknown,
        }
    }

    /// What the entries of a list say, where another that is not in it could
    /// make it true.
    pub fn or_absent(&self, found: Witnessed, list: List, absent_unknown: bool) -> Witnessed {
        let absent = self.absent(list, absent_unknown);
        if absent > found.truth { Witnessed::new(absent, Vec::new()) } else { found }
    }

    /// Truth of an atom, with its elements.
    pub fn atom(&self, grounder: &Grounder, atom: &Atom) -> Witnessed {
        match &atom.fact {
            Fact::Diagnosis { .. } => self.diagnosis(grounder, atom),
            Fact::OnsetOrder { .. } => self.onset_order(grounder, atom),
            Fact::Medication { .. } => self.medication(grounder, atom),
            Fact::Allergy { concepts } => self.allergy(grounder, concepts),
            Fact::Observation { .. } => self.observation(grounder, atom),
            Fact::Event { types, substances, window } => self.event(types, substances, *window),
            Fact::History { codes } => self.history(codes),
            Fact::Plan { kinds, concepts } => self.plan(grounder, kinds, concepts),
            Fact::Preference { codes } => self.preference(codes),
            field => self.field(field),
        }
    }

    fn field(&self, fact: &Fact) -> Witnessed {
        let patient = self.patient;
        let known = |kind: ElementKind, truth: Option<bool>| match truth {
            Some(truth) => Witnessed::new(Truth::of(truth), vec![Element::field(kind)]),
            None => Witnessed::new(Truth::Unknown, Vec::new()),
        };
        match fact {
            Fact::Age(range) => self.age(range),
            Fact::Sex(sex) => known(ElementKind::Sex, patient.sex.map(|is| is == *sex)),
            Fact::Pregnancy(asked) => known(ElementKind::Pregnancy, patient.pregnant.map(|is| is == *asked)),
            Fact::Lactation(asked) => known(ElementKind::Lactation, patient.lactating.map(|is| is == *asked)),
            Fact::ChildbearingPotential(asked) => {
                known(ElementKind::ChildbearingPotential, patient.childbearing_potential.map(|is| is == *asked))
            }
            Fact::Setting { settings } => known(ElementKind::Setting, patient.setting.map(|is| settings.contains(&is))),
            Fact::InForce { from, until } => {
                let today = self.as_of.local().date().to_string();
                let begun = from.as_ref().is_none_or(|from| *from <= today);
                let ended = until.as_ref().is_some_and(|until| *until < today);
                Witnessed::new(Truth::of(begun && !ended), Vec::new())
            }
            _ => Witnessed::new(Truth::Unknown, Vec::new()),
        }
    }

    fn age(&self, range: &Comparison) -> Witnessed {
        let (years, kind) = match (&self.patient.birth, self.patient.age_years) {
            (Some(birth), _) => {
                let (least, most) = completed_years(birth.interval(self.as_of), self.as_of.local());
                ((least, most), ElementKind::BirthDate)
            }
            (None, Some(years)) => ((years, years), ElementKind::Age),
            (None, None) => return Witnessed::new(Truth::Unknown, Vec::new()),
        };
        let (least, most) = (within(range, years.0.into()), within(range, years.1.into()));
        // A range has no gap: ages between two that agree agree with them,
        // unless the range lies wholly between them.
        let straddles = !least && !most && (years.0..=years.1).any(|age| within(range, age.into()));
        let truth = if least == most && !straddles { Truth::of(least) } else { Truth::Unknown };
        Witnessed::new(truth, vec![Element::field(kind)])
    }

    /// The grounded record.
    pub fn finish(self, atoms: BTreeMap<AtomId, Witnessed>) -> Grounded {
        let open = Open {
            diagnoses: self.absence(List::Diagnoses) == Absence::Unknown,
            medications: self.absence(List::Medications) == Absence::Unknown,
        };
        let absence = List::ALL.map(|list| self.absence(list));
        // By content, then as read, which is by content too: the order of the
        // request may change paths alone.
        let mut unrecognized = self.unrecognized;
        unrecognized.sort_by(|a, b| {
            (&a.system, &a.code, a.reason, &a.detail, list_part(&a.path)).cmp(&(
                &b.system,
                &b.code,
                b.reason,
                &b.detail,
                list_part(&b.path),
            ))
        });
        let mut readings = self.readings;
        readings.sort_by(|a, b| (list_part(&a.path), a.kind).cmp(&(list_part(&b.path), b.kind)));
        Grounded { atoms, open, absence, unmapped: self.unmapped.into_iter().collect(), unrecognized, readings }
    }
}

fn list_part(path: &str) -> &str {
    path.split('[').next().unwrap_or(path)
}

/// Is the number in the range?
pub fn within(range: &Comparison, number: rust_decimal::Decimal) -> bool {
    let above = |low: Bound| if low.inclusive { number >= low.value } else { number > low.value };
    let below = |high: Bound| if high.inclusive { number <= high.value } else { number < high.value };
    range.low.is_none_or(above) && range.high.is_none_or(below)
}
