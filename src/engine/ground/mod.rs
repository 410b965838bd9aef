//! From a record to truth values of atoms, each with the elements that show it.
//! The only part that knows dates, units and codes.

mod diagnosis;
mod happening;
mod medication;
mod observation;
mod read;
mod record;
mod time;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::clinical::concept::ConceptIndex;
use crate::clinical::date::AsOf;
use crate::clinical::patient::{Completeness, List, Patient};
use crate::clinical::prints_nothing;
use crate::rule::disorder::Disorders;
use crate::rule::model::{DiagnosisStatus, Fact, Package};
use crate::rule::truth::Truth;

use super::decision::{Basis, Reading, Unrecognized};
use super::evaluate::Open;
use crate::program::{Atom, AtomId, Program};

use record::Record;

/// An element of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Element {
    /// Where.
    pub kind: ElementKind,
    /// Index in its list; zero for a field.
    pub index: usize,
}

/// Lists and fields of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ElementKind {
    /// `diagnoses`.
    Diagnosis,
    /// `medications`.
    Medication,
    /// `allergies`.
    Allergy,
    /// `allergies_none_known`.
    AllergiesNoneKnown,
    /// `observations`.
    Observation,
    /// `events`.
    Event,
    /// `history`.
    History,
    /// `plans`.
    Plan,
    /// `preferences`.
    Preference,
    /// `birth_date`.
    BirthDate,
    /// `age_years`.
    Age,
    /// `sex`.
    Sex,
    /// `pregnancy`.
    Pregnancy,
    /// `lactation`.
    Lactation,
    /// `childbearing_potential`.
    ChildbearingPotential,
    /// `setting`.
    Setting,
}

impl Element {
    /// A field.
    #[must_use]
    pub fn field(kind: ElementKind) -> Self {
        Self { kind, index: 0 }
    }

    /// Path into the request.
    #[must_use]
    pub fn path(self) -> String {
        let list = match self.kind {
            ElementKind::Diagnosis => "diagnoses",
            ElementKind::Medication => "medications",
            ElementKind::Allergy => "allergies",
            ElementKind::Observation => "observations",
            ElementKind::Event => "events",
            ElementKind::History => "history",
            ElementKind::Plan => "plans",
            ElementKind::Preference => "preferences",
            ElementKind::AllergiesNoneKnown => return "patient.allergies_none_known".to_owned(),
            ElementKind::BirthDate => return "patient.birth_date".to_owned(),
            ElementKind::Age => return "patient.age_years".to_owned(),
            ElementKind::Sex => return "patient.sex".to_owned(),
            ElementKind::Pregnancy => return "patient.pregnancy".to_owned(),
            ElementKind::Lactation => return "patient.lactation".to_owned(),
            ElementKind::ChildbearingPotential => return "patient.childbearing_potential".to_owned(),
            ElementKind::Setting => return "patient.setting".to_owned(),
        };
        format!("patient.{list}[{}]", self.index)
    }
}

/// The list whose absence decides a fact; none for single fields.
#[must_use]
pub fn list_of(fact: &Fact) -> Option<List> {
    match fact {
        Fact::Diagnosis { .. } | Fact::OnsetOrder { .. } => Some(List::Diagnoses),
        Fact::Medication { .. } => Some(List::Medications),
        Fact::Allergy { .. } => Some(List::Allergies),
        Fact::Observation { .. } => Some(List::Observations),
        Fact::Event { .. } => Some(List::Events),
        Fact::History { .. } => Some(List::History),
        Fact::Plan { .. } => Some(List::Plans),
        Fact::Preference { .. } => Some(List::Preferences),
        _ => None,
    }
}

/// The list of which a fact is false because nothing in it makes it true; none
/// for what is said of the entries that there are.
fn rests_on(fact: &Fact) -> Option<List> {
    match fact {
        Fact::Diagnosis { status: DiagnosisStatus::Doubtful | DiagnosisStatus::Conflicting, .. } => None,
        _ => list_of(fact),
    }
}

/// A truth value with the elements that show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Witnessed {
    /// Truth.
    pub truth: Truth,
    /// Elements; none where absence decides.
    pub elements: Vec<Element>,
}

impl Witnessed {
    fn new(truth: Truth, elements: Vec<Element>) -> Self {
        Self { truth, elements }
    }
}

/// A record, grounded.
#[derive(Clone)]
pub struct Grounded {
    /// Atoms that the record decides otherwise than an empty one.
    pub atoms: BTreeMap<AtomId, Witnessed>,
    /// Lists stated as partial.
    pub open: Open,
    /// Absence from each list, by [`List`].
    absence: [Absence; List::COUNT],
    /// Lists with a current or planned entry that could not be mapped.
    pub unmapped: Vec<(List, Vec<Element>)>,
    /// What could not be used.
    pub unrecognized: Vec<Unrecognized>,
    /// How the record was read.
    pub readings: Vec<Reading>,
}

/// What absence from a list means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// False: the list is complete.
    False,
    /// False by assumption.
    Assumed,
    /// Unknown.
    Unknown,
}

impl Grounded {
    /// What absence from a list means.
    #[must_use]
    pub fn absence(&self, list: List) -> Absence {
        self.absence.get(list as usize).copied().unwrap_or(Absence::Unknown)
    }

    /// How the false value of an atom is known. What the entries of a list do
    /// not say is false because nothing else is there, so that it is assumed
    /// where that is, whatever they say of the same thing.
    #[must_use]
    pub fn basis(&self, id: AtomId, atom: &Atom) -> Basis {
        match rests_on(&atom.fact).map(|list| self.absence(list)) {
            Some(Absence::Assumed) => Basis::Assumed,
            Some(Absence::False) if self.atoms.get(&id).is_none_or(|found| found.elements.is_empty()) => {
                Basis::AbsentFromCompleteList
            }
            _ => Basis::Stated,
        }
    }

    /// The atoms with what is assumed of `list` taken as unknown.
    pub fn relaxed<'a>(&'a self, list: List, atoms: &'a [Atom]) -> impl Iterator<Item = (AtomId, Truth)> + 'a {
        self.atoms.iter().map(move |(id, found)| {
            let assumed = found.truth == Truth::False
                && atoms.get(id.at()).is_some_and(|atom| rests_on(&atom.fact) == Some(list));
            (*id, if assumed { Truth::Unknown } else { found.truth })
        })
    }
}

/// Grounds records for one program; made once a package.
#[derive(Debug)]
pub struct Grounder {
    index: Arc<ConceptIndex>,
    concept_ids: HashMap<String, usize>,
    used: Vec<bool>,
    disorders: Disorders,
    by_concept: HashMap<usize, Vec<AtomId>>,
    by_word: HashMap<(List, String), Vec<AtomId>>,
    by_list: Vec<Vec<AtomId>>,
    fields: Vec<AtomId>,
}

impl Grounder {
    /// Prepares a program. The value sets were checked with the package.
    #[must_use]
    pub fn new(package: &Package, program: &Program, index: Arc<ConceptIndex>) -> Self {
        let concept_ids: HashMap<String, usize> =
            package.concepts.iter().enumerate().map(|(at, concept)| (concept.def.id.clone(), at)).collect();
        let mut grounder = Self {
            index,
            used: vec![false; concept_ids.len()],
            concept_ids,
            disorders: Disorders::new(&package.concepts),
            by_concept: HashMap::new(),
            by_word: HashMap::new(),
            by_list: vec![Vec::new(); List::COUNT],
            fields: Vec::new(),
        };
        for (id, atom) in (0..).zip(&program.atoms) {
            grounder.register(AtomId(id), &atom.fact);
        }
        for rule in &package.rules {
            grounder.use_concepts(&rule.conclusion);
        }
        grounder
    }

    /// Its value sets.
    #[must_use]
    pub fn index(&self) -> &Arc<ConceptIndex> {
        &self.index
    }

    /// A result that a rule asks for is not unused.
    fn use_concepts(&mut self, conclusion: &crate::rule::model::Conclusion) {
        use crate::rule::model::Conclusion;
        let name = match conclusion {
            Conclusion::Assess { instrument, .. } => Some(instrument),
            Conclusion::Request { concept, .. } => concept.as_ref(),
            _ => None,
        };
        let concept = name.and_then(|name| self.concept_ids.get(&name.value).copied());
        if let Some(concept) = concept {
            self.use_concept(concept);
        }
    }

    fn register(&mut self, id: AtomId, fact: &Fact) {
        let (concepts, words) = named(fact);
        let concepts: Vec<usize> =
            concepts.iter().filter_map(|name| self.concept_ids.get(name.as_str()).copied()).collect();
        for concept in concepts {
            self.register_concept(id, concept);
            let parts: Vec<usize> = self.disorders.tree(concept).collect();
            let wholes: BTreeSet<usize> = parts.iter().flat_map(|part| self.disorders.above(*part)).copied().collect();
            // An entry of the same disorder outside the concept weighs, and so is used, beside one inside alone.
            for disorder in wholes {
                let remission = self.disorders.remission(disorder);
                for weighs in remission.into_iter().chain([disorder]) {
                    self.use_concept(weighs);
                }
                if let Some(remission) = remission.filter(|_| parts.contains(&disorder)) {
                    self.register_concept(id, remission);
                }
            }
        }
        let list = list_of(fact);
        if let Some(list) = list {
            for word in words {
                self.by_word.entry((list, word)).or_default().push(id);
            }
        }
        match list.and_then(|list| self.by_list.get_mut(list as usize)) {
            Some(atoms) => atoms.push(id),
            None => self.fields.push(id),
        }
    }

    fn use_concept(&mut self, concept: usize) {
        if let Some(slot) = self.used.get_mut(concept) {
            *slot = true;
        }
    }

    fn register_concept(&mut self, id: AtomId, concept: usize) {
        self.use_concept(concept);
        self.by_concept.entry(concept).or_default().push(id);
    }

    /// What an atom is in a record of which nothing is said.
    #[must_use]
    pub fn absent(atom: &Atom, open: Open) -> Truth {
        let closed = |open: bool| if open { Truth::Unknown } else { Truth::False };
        match &atom.fact {
            Fact::Diagnosis { status: DiagnosisStatus::Doubtful | DiagnosisStatus::Conflicting, .. } => Truth::False,
            _ if atom.absent_unknown => Truth::Unknown,
            Fact::Diagnosis { .. } | Fact::OnsetOrder { .. } => closed(open.diagnoses),
            Fact::Medication { .. } => closed(open.medications),
            Fact::Plan { .. } => Truth::False,
            _ => Truth::Unknown,
        }
    }

    /// Grounds a record.
    #[must_use]
    pub fn ground(&self, package: &Package, program: &Program, patient: &Patient, as_of: &AsOf) -> Grounded {
        let record = Record::read(self, package, patient, as_of);
        let mut touched: BTreeSet<AtomId> = self.fields.iter().copied().collect();
        for concept in record.concepts() {
            touched.extend(self.by_concept.get(&concept).into_iter().flatten());
        }
        for word in record.words() {
            touched.extend(self.by_word.get(&word).into_iter().flatten());
        }
        let stated = patient.stated;
        for list in List::ALL {
            // What is stated of a list speaks of every fact that it could hold.
            let speaks = stated.get(list as usize).is_some_and(|stated| *stated != Completeness::Unstated);
            let none_known = list == List::Allergies && patient.allergies_none_known == Some(true);
            if speaks || none_known {
                touched.extend(self.by_list.get(list as usize).into_iter().flatten());
            }
        }
        let atoms = touched.into_iter().filter_map(|id| {
            let atom = program.atoms.get(id.at())?;
            Some((id, record.atom(self, atom)))
        });
        let atoms = atoms.collect();
        record.finish(atoms)
    }

    fn concept(&self, id: &str) -> Option<usize> {
        self.concept_ids.get(id).copied()
    }
}

/// Concepts that a fact names, and words of a vocabulary.
fn named(fact: &Fact) -> (Vec<String>, Vec<String>) {
    let owned = |names: &[crate::rule::model::Name]| names.iter().map(|name| name.value.clone()).collect::<Vec<_>>();
    match fact {
        Fact::Diagnosis { concepts, .. } | Fact::Allergy { concepts } | Fact::Observation { concepts, .. } => {
            (owned(concepts), Vec::new())
        }
        Fact::Medication { concepts, given_for, not_given_for, .. } => {
            ([owned(concepts), owned(given_for), owned(not_given_for)].concat(), Vec::new())
        }
        Fact::OnsetOrder { first, then, .. } => ([owned(first), owned(then)].concat(), Vec::new()),
        Fact::Event { types, .. } => (Vec::new(), owned(types)),
        Fact::History { codes } | Fact::Preference { codes } => (Vec::new(), owned(codes)),
        Fact::Plan { kinds, concepts } => (owned(concepts), owned(kinds)),
        _ => (Vec::new(), Vec::new()),
    }
}

prints_nothing!(Witnessed, Grounded);
