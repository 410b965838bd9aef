//! Diagnoses: what each entry says of a concept, and which of several counts.

use std::collections::{BTreeMap, BTreeSet};

use crate::clinical::concept::Match;
use crate::clinical::date::{FhirDate, Interval, Length};
use crate::clinical::patient::{ClinicalStatus, Diagnosis, List, VerificationStatus};
use crate::engine::decision::UnrecognizedReason;
use crate::program::Atom;
use crate::rule::disorder::Facet;
use crate::rule::model::{DiagnosisStatus, Fact, Name, Window};
use crate::rule::truth::Truth;

use super::read::{Codes, Meaning};
use super::record::{Record, by_content};
use super::{Element, ElementKind, Grounder, Witnessed, time};

/// A diagnosis with its meaning.
pub struct ReadDiagnosis {
    pub(super) element: Element,
    pub(super) meaning: Meaning,
    state: State,
    doubtful: bool,
    onset: Option<FhirDate>,
    recorded: Option<FhirDate>,
}

/// What an entry says by its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Active,
    Remission,
    Past,
}

/// What an entry says of one disorder of a concept.
struct Assertion<'a> {
    entry: &'a ReadDiagnosis,
    state: State,
    doubtful: bool,
    /// The declared one; none: what the code says alone.
    disorder: Option<usize>,
}

/// What the sure entries on one disorder say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contest {
    /// None says active.
    None,
    /// Some say active, none in remission.
    Active,
    /// Some say active and some in remission: which of them is newer, if known.
    Contested(Option<State>),
}

impl Contest {
    /// What is left of a sure entry of the state.
    fn leaves(self, state: State) -> Truth {
        match (self, state) {
            (Self::Contested(_) | Self::Active, State::Past) => Truth::False,
            (Self::Contested(None), _) => Truth::Unknown,
            (Self::Contested(Some(newer)), _) => Truth::of(newer == state),
            _ => Truth::True,
        }
    }
}

impl Record<'_> {
    pub(super) fn read_diagnoses(&mut self, grounder: &Grounder, codes: &Codes<'_>) {
        let patient = self.patient;
        for index in by_content(&patient.diagnoses) {
            if let Some(diagnosis) = patient.diagnoses.get(index) {
                self.read_diagnosis(grounder, codes, index, diagnosis);
            }
        }
        self.contests = self.contests(grounder);
    }

    fn read_diagnosis(&mut self, grounder: &Grounder, codes: &Codes<'_>, index: usize, diagnosis: &Diagnosis) {
        let element = Element { kind: ElementKind::Diagnosis, index };
        let path = element.path();
        let meaning = codes.meaning(&diagnosis.coding, &path, &mut self.unrecognized);
        if matches!(
            diagnosis.verification_status,
            Some(VerificationStatus::Refuted | VerificationStatus::EnteredInError)
        ) {
            self.reading(path, "refuted", "refuted or entered in error: makes no fact true");
            return;
        }
        let after = [("onset", &diagnosis.onset), ("recorded", &diagnosis.recorded)]
            .into_iter()
            .find(|(_, date)| time::after(date.as_ref(), self.as_of));
        if let Some((field, _)) = after {
            self.unusable(
                format!("{path}.{field}"),
                UnrecognizedReason::AfterAsOf,
                "dated after `as_of`: the entry is not used",
            );
            return;
        }
        let (state, mut doubtful) = self.state(diagnosis, &path);
        doubtful |= matches!(
            diagnosis.verification_status,
            Some(VerificationStatus::Unconfirmed | VerificationStatus::Provisional | VerificationStatus::Differential)
        );
        if diagnosis.verification_status.is_none() {
            self.reading(path.clone(), "absent-verification-status", "no verification status: read as confirmed");
        }
        if diagnosis.recorded.is_none() {
            self.reading(path.clone(), "absent-recorded-date", "no recorded date: read as current");
        }
        self.tell_remission(grounder, &meaning, state, &path);
        let onset = self.sound_onset(diagnosis, &path);
        if !meaning.understood && state == State::Active {
            self.not_mapped(List::Diagnoses, element);
        }
        self.diagnoses.push(ReadDiagnosis {
            element,
            meaning,
            state,
            doubtful,
            onset,
            recorded: diagnosis.recorded.clone(),
        });
    }

    fn state(&mut self, diagnosis: &Diagnosis, path: &str) -> (State, bool) {
        let ended = diagnosis.abatement.is_some() && !time::after(diagnosis.abatement.as_ref(), self.as_of);
        if diagnosis.abatement.is_some() && !ended {
            self.unusable(
                format!("{path}.abatement"),
                UnrecognizedReason::AfterAsOf,
                "dated after `as_of`: the entry is read as not ended",
            );
        }
        match diagnosis.clinical_status {
            None if ended => {
                self.reading(
                    path.to_owned(),
                    "absent-clinical-status",
                    "no clinical status, and an end: read as resolved",
                );
                (State::Past, false)
            }
            None => {
                self.reading(path.to_owned(), "absent-clinical-status", "no clinical status: read as active");
                (State::Active, false)
            }
            Some(ClinicalStatus::Active | ClinicalStatus::Recurrence | ClinicalStatus::Relapse) => {
                if ended {
                    self.unusable(
                        format!("{path}.abatement"),
                        UnrecognizedReason::Contradictory,
                        "active, and ended: read as possible",
                    );
                }
                (State::Active, ended)
            }
            Some(ClinicalStatus::Remission) => (State::Remission, false),
            Some(ClinicalStatus::Inactive | ClinicalStatus::Resolved) => (State::Past, false),
        }
    }

    /// Tells where code and status differ on remission, and which of them counts.
    fn tell_remission(&mut self, grounder: &Grounder, meaning: &Meaning, state: State, path: &str) {
        let disorders = &grounder.disorders;
        let (mut by_code, mut by_disorder, mut relapsing) = (false, false, false);
        for disorder in disorders.declared() {
            let Some(remission) = disorders.remission(disorder) else { continue };
            by_code |= meaning.of(remission).is_some();
            by_disorder |= meaning.of(disorder).is_some();
            relapsing |= meaning.of(disorder).is_some() && disorders.relapsing(disorder);
        }
        let told = match state {
            State::Active if by_code => {
                ("remission-code", "the code says remission, the status does not: read as in remission")
            }
            State::Remission if by_disorder && !by_code => {
                ("remission-status", "the status says remission, the code does not: read as in remission")
            }
            State::Past if relapsing && !by_code => {
                ("relapsing-disorder", "an active code with inactive or resolved status: read as possible")
            }
            _ => return,
        };
        self.reading(path.to_owned(), told.0, told.1);
    }

    /// The onset, unless the entry ended before it began.
    fn sound_onset(&mut self, diagnosis: &Diagnosis, path: &str) -> Option<FhirDate> {
        let onset = diagnosis.onset.clone()?;
        let backward = diagnosis
            .abatement
            .as_ref()
            .is_some_and(|end| end.interval(self.as_of).latest < onset.interval(self.as_of).earliest);
        if backward {
            self.unusable(
                format!("{path}.abatement"),
                UnrecognizedReason::Contradictory,
                "ended before it began: neither date is used",
            );
            return None;
        }
        Some(onset)
    }

    /// What each entry says of a concept: of each disorder that it has of it.
    fn assertions(&self, grounder: &Grounder, concept: usize) -> Vec<Assertion<'_>> {
        let mut assertions = Vec::new();
        for entry in &self.diagnoses {
            for facet in grounder.disorders.facets(concept, &entry.meaning.concepts) {
                let (state, doubtful) = self.stands(grounder, entry, facet);
                assertions.push(Assertion { entry, state, doubtful, disorder: facet.disorder });
            }
        }
        assertions
    }

    /// The state of a disorder that an entry tells, and is it doubtful?
    fn stands(&self, grounder: &Grounder, entry: &ReadDiagnosis, facet: Facet) -> (State, bool) {
        let doubtful = entry.doubtful || facet.certainty == Match::Possible;
        let relapsing = facet.disorder.is_some_and(|disorder| grounder.disorders.relapsing(disorder));
        match entry.state {
            // The code says remission, whatever the status says.
            _ if facet.remission => (State::Remission, doubtful),
            State::Past if relapsing => (State::Active, true),
            State::Active if relapsing && self.is_older_than_look_back(entry) => (State::Active, true),
            state => (state, doubtful),
        }
    }

    /// The entries that may contradict each other on what one says of a
    /// concept: those sure of the same declared disorder, or with the same code.
    fn contest(&self, one: &Assertion<'_>) -> Contest {
        let Some(disorder) = one.disorder else {
            let same = |other: &&ReadDiagnosis| other.meaning.shares_code(&one.entry.meaning);
            let entries = self.diagnoses.iter().filter(same).filter(|other| !other.doubtful);
            return self.settle(entries.map(|entry| (entry, entry.state)));
        };
        self.contests.get(&disorder).copied().unwrap_or(Contest::None)
    }

    /// What the sure entries on each declared disorder say together.
    fn contests(&self, grounder: &Grounder) -> BTreeMap<usize, Contest> {
        let concepts = self.diagnoses.iter().flat_map(|entry| &entry.meaning.concepts);
        let about: BTreeSet<usize> =
            concepts.flat_map(|(concept, _)| grounder.disorders.about(*concept)).copied().collect();
        let contest = |disorder: usize| {
            let sure = self.assertions(grounder, disorder).into_iter().filter(|one| !one.doubtful);
            self.settle(sure.filter(|one| one.disorder == Some(disorder)).map(|one| (one.entry, one.state)))
        };
        about.into_iter().map(|disorder| (disorder, contest(disorder))).collect()
    }

    fn settle<'a>(&self, entries: impl Iterator<Item = (&'a ReadDiagnosis, State)>) -> Contest {
        let (mut active, mut remission) = (Vec::new(), Vec::new());
        for (entry, state) in entries {
            match state {
                State::Active => active.push(entry),
                State::Remission => remission.push(entry),
                State::Past => {}
            }
        }
        match (active.is_empty(), remission.is_empty()) {
            (false, false) => Contest::Contested(self.newer(&active, &remission)),
            (false, true) => Contest::Active,
            (true, _) => Contest::None,
        }
    }

    /// Was the entry recorded inside the window? Without the date an active one
    /// reads as recorded now, or at some time since the onset where that is known.
    fn recorded_inside(&self, entry: &ReadDiagnosis, window: Window) -> Truth {
        let now = self.as_of.local();
        match (&entry.recorded, &entry.onset) {
            (None, Some(onset)) if !window.is_open() => {
                let earliest = onset.interval(self.as_of).earliest;
                time::moment_inside(Interval { earliest, latest: now.max(earliest) }, window, self.as_of)
            }
            (None, None) if entry.state == State::Active => {
                time::moment_inside(Interval { earliest: now, latest: now }, window, self.as_of)
            }
            (recorded, _) => time::inside(recorded.as_ref(), window, self.as_of),
        }
    }

    fn is_older_than_look_back(&self, entry: &ReadDiagnosis) -> bool {
        let look_back = self.package.parameters.iter().find(|parameter| parameter.id.value == LOOK_BACK);
        let Some(length) = look_back.and_then(|parameter| Length::parse(&parameter.value)) else { return false };
        entry.recorded.as_ref().is_some_and(|date| date.interval(self.as_of).latest < self.as_of.before(length))
    }

    /// Truth of a diagnosis atom.
    pub(super) fn diagnosis(&self, grounder: &Grounder, atom: &Atom) -> Witnessed {
        let Fact::Diagnosis { concepts, status, severity, onset, recorded } = &atom.fact else {
            return Witnessed::new(Truth::Unknown, Vec::new());
        };
        let Some(concept) = concepts.first().and_then(|name| grounder.concept(&name.value)) else {
            return Witnessed::new(Truth::Unknown, Vec::new());
        };
        let assertions = self.assertions(grounder, concept);
        if assertions.is_empty() {
            let truth = match status {
                DiagnosisStatus::Doubtful | DiagnosisStatus::Conflicting => Truth::False,
                _ => self.absent(List::Diagnoses, atom.absent_unknown),
            };
            return Witnessed::new(truth, Vec::new());
        }
        let fits = |assertion: &Assertion<'_>| {
            let entry = assertion.entry;
            let stated = self.patient.diagnoses.get(entry.element.index).and_then(|diagnosis| diagnosis.severity);
            let severe = match stated {
                _ if severity.is_empty() => Truth::True,
                Some(stated) => Truth::of(severity.contains(&stated)),
                None => Truth::Unknown,
            };
            severe
                .and(time::inside(entry.onset.as_ref(), *onset, self.as_of))
                .and(self.recorded_inside(entry, *recorded))
        };
        let contests: Vec<Contest> = assertions.iter().map(|one| self.contest(one)).collect();
        let assertions: Vec<(Assertion<'_>, Contest)> = assertions.into_iter().zip(contests).collect();
        let found = weigh(&assertions, *status, &fits);
        match status {
            DiagnosisStatus::Doubtful | DiagnosisStatus::Conflicting => found,
            _ => self.or_absent(found, List::Diagnoses, atom.absent_unknown),
        }
    }

    /// Which side has the newest date; none where dates are missing or overlap.
    fn newer(&self, active: &[&ReadDiagnosis], remission: &[&ReadDiagnosis]) -> Option<State> {
        let dates = |side: &[&ReadDiagnosis]| -> Option<Vec<Interval>> {
            side.iter()
                .map(|one| one.recorded.as_ref().or(one.onset.as_ref()).map(|date| date.interval(self.as_of)))
                .collect()
        };
        let newest = |dates: &[Interval]| -> Option<Interval> {
            Some(Interval {
                earliest: dates.iter().map(|date| date.earliest).max()?,
                latest: dates.iter().map(|date| date.latest).max()?,
            })
        };
        let (active, remission) = (newest(&dates(active)?)?, newest(&dates(remission)?)?);
        if active.earliest > remission.latest {
            Some(State::Active)
        } else if remission.earliest > active.latest {
            Some(State::Remission)
        } else {
            None
        }
    }

    /// Truth of an order of onsets. A concept's onset is its earliest.
    pub(super) fn onset_order(&self, grounder: &Grounder, atom: &Atom) -> Witnessed {
        let Fact::OnsetOrder { first, then, gap } = &atom.fact else {
            return Witnessed::new(Truth::Unknown, Vec::new());
        };
        let (first, then) = (self.onsets(grounder, first), self.onsets(grounder, then));
        if first.is_empty() || then.is_empty() {
            return Witnessed::new(self.absent(List::Diagnoses, atom.absent_unknown), Vec::new());
        }
        let mut truth = Truth::False;
        let mut elements = Vec::new();
        for (first_onset, first_elements) in &first {
            for (then_onset, then_elements) in &then {
                let ordered = match (first_onset, then_onset) {
                    (Some(first), Some(then)) => time::before(*first, *then, *gap),
                    _ => Truth::Unknown,
                };
                truth = truth.or(ordered);
                elements.extend(first_elements.iter().chain(then_elements).copied());
            }
        }
        // In the order of content: the order of the request decides nothing.
        let mut seen = std::collections::BTreeSet::new();
        elements.retain(|element| seen.insert(*element));
        self.or_absent(Witnessed::new(truth, elements), List::Diagnoses, atom.absent_unknown)
    }

    /// Earliest onset of each concept that the record has; none where an entry
    /// has no date and could be the earliest.
    fn onsets(&self, grounder: &Grounder, names: &[Name]) -> Vec<(Option<Interval>, Vec<Element>)> {
        let concepts = names.iter().filter_map(|name| grounder.concept(&name.value));
        concepts
            .filter_map(|concept| {
                let entries: Vec<&ReadDiagnosis> =
                    self.assertions(grounder, concept).into_iter().map(|one| one.entry).collect();
                if entries.is_empty() {
                    return None;
                }
                let elements = entries.iter().map(|entry| entry.element).collect();
                let dates: Vec<Interval> = entries
                    .iter()
                    .filter_map(|entry| entry.onset.as_ref().map(|date| date.interval(self.as_of)))
                    .collect();
                let earliest =
                    dates.iter().map(|date| date.earliest).min().zip(dates.iter().map(|date| date.latest).min());
                let complete = dates.len() == entries.len();
                Some((earliest.filter(|_| complete).map(|(earliest, latest)| Interval { earliest, latest }), elements))
            })
            .collect()
    }
}

/// Truth of a status: the strongest of what the entries say, each weighed with
/// those on the same disorder.
fn weigh(
    assertions: &[(Assertion<'_>, Contest)],
    status: DiagnosisStatus,
    fits: &dyn Fn(&Assertion<'_>) -> Truth,
) -> Witnessed {
    let strongest =
        |truth: &dyn Fn(&(Assertion<'_>, Contest)) -> Truth| assertions.iter().map(truth).fold(Truth::False, Truth::or);
    let sure = |one: &Assertion<'_>| if one.doubtful { Truth::Unknown } else { Truth::True };
    let stands = |(one, contest): &(Assertion<'_>, Contest)| {
        if one.doubtful { Truth::Unknown } else { contest.leaves(one.state) }
    };
    let is = |state: State| {
        strongest(&|said| if said.0.state == state { fits(&said.0).and(stands(said)) } else { Truth::False })
    };
    let contested = |contest: &Contest| matches!(contest, Contest::Contested(_));
    let truth = match status {
        DiagnosisStatus::Active => is(State::Active),
        DiagnosisStatus::Remission => is(State::Remission),
        DiagnosisStatus::Past => is(State::Past),
        DiagnosisStatus::Ever => strongest(&|(one, _)| fits(one).and(sure(one))),
        DiagnosisStatus::Doubtful => strongest(&|(one, contest)| {
            Truth::of(one.doubtful || (one.state != State::Past && *contest == Contest::Contested(None)))
        }),
        DiagnosisStatus::Conflicting => {
            strongest(&|(one, contest)| Truth::of(!one.doubtful && one.state != State::Past && contested(contest)))
        }
    };
    let counts = |said: &&(Assertion<'_>, Contest)| match status {
        _ if truth != Truth::True => true,
        DiagnosisStatus::Active => said.0.state == State::Active && stands(said) == Truth::True,
        DiagnosisStatus::Remission => said.0.state == State::Remission && stands(said) == Truth::True,
        DiagnosisStatus::Doubtful if assertions.iter().any(|(one, _)| one.doubtful) => said.0.doubtful,
        DiagnosisStatus::Doubtful | DiagnosisStatus::Conflicting => contested(&said.1),
        DiagnosisStatus::Past | DiagnosisStatus::Ever => true,
    };
    let mut elements: Vec<Element> = Vec::new();
    for (one, _) in assertions.iter().filter(counts) {
        if !elements.contains(&one.entry.element) {
            elements.push(one.entry.element);
        }
    }
    Witnessed::new(truth, elements)
}

/// Name of the parameter that says how old a recorded date of a relapsing
/// disorder may be. Any value that is not a length turns it off.
const LOOK_BACK: &str = "diagnosis_look_back";
