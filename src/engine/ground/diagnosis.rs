//! Diagnoses: what each entry says of a concept, and which of several counts.

use crate::clinical::concept::Match;
use crate::clinical::date::{FhirDate, Interval, Length};
use crate::clinical::patient::{ClinicalStatus, Diagnosis, List, VerificationStatus};
use crate::engine::decision::UnrecognizedReason;
use crate::program::Atom;
use crate::rule::model::{DiagnosisStatus, Fact, Name};
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
enum State {
    Active,
    Remission,
    Past,
}

/// What an entry says of a concept.
struct Assertion<'a> {
    entry: &'a ReadDiagnosis,
    state: State,
    doubtful: bool,
}

impl Record<'_> {
    pub(super) fn read_diagnoses(&mut self, codes: &Codes<'_>) {
        let patient = self.patient;
        for index in by_content(&patient.diagnoses) {
            if let Some(diagnosis) = patient.diagnoses.get(index) {
                self.read_diagnosis(codes, index, diagnosis);
            }
        }
    }

    fn read_diagnosis(&mut self, codes: &Codes<'_>, index: usize, diagnosis: &Diagnosis) {
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
        self.tell_remission(&meaning, state, &path);
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
    fn tell_remission(&mut self, meaning: &Meaning, state: State, path: &str) {
        let package = self.package;
        let means = |name: &str| {
            meaning.concepts.iter().any(|(at, _)| package.concepts.get(*at).is_some_and(|one| one.def.id == name))
        };
        let disorders = package.concepts.iter().filter(|concept| concept.relapsing && concept.remission.is_some());
        let (mut by_code, mut by_disorder) = (false, false);
        for disorder in disorders {
            by_code |= disorder.remission.as_ref().is_some_and(|name| means(&name.value));
            by_disorder |= means(&disorder.def.id);
        }
        let told = match state {
            State::Active if by_code => {
                ("remission-code", "the code says remission, the status does not: read as in remission")
            }
            State::Remission if by_disorder && !by_code => {
                ("remission-status", "the status says remission, the code does not: read as in remission")
            }
            State::Past if by_disorder && !by_code => {
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

    fn assertions(&self, grounder: &Grounder, concept: usize) -> Vec<Assertion<'_>> {
        let declared = self.package.concepts.get(concept);
        let remission =
            declared.and_then(|concept| concept.remission.as_ref()).and_then(|name| grounder.concept(&name.value));
        let relapsing = declared.is_some_and(|concept| concept.relapsing);
        let mut assertions = Vec::new();
        for entry in &self.diagnoses {
            let (certainty, by_code) =
                match (entry.meaning.of(concept), remission.and_then(|code| entry.meaning.of(code))) {
                    (_, Some(certainty)) => (certainty, true),
                    (Some(certainty), None) => (certainty, false),
                    (None, None) => continue,
                };
            let mut doubtful = entry.doubtful || certainty == Match::Possible;
            let state = match entry.state {
                // The code says remission, whatever the status says.
                _ if by_code => State::Remission,
                State::Past if relapsing => {
                    doubtful = true;
                    State::Active
                }
                state => state,
            };
            if state == State::Active && relapsing && self.is_older_than_look_back(entry) {
                doubtful = true;
            }
            assertions.push(Assertion { entry, state, doubtful });
        }
        assertions
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
            severe.and(time::inside(entry.onset.as_ref(), *onset, self.as_of)).and(time::inside(
                entry.recorded.as_ref(),
                *recorded,
                self.as_of,
            ))
        };
        self.weigh(&assertions, *status, &fits)
    }

    fn weigh(
        &self,
        assertions: &[Assertion<'_>],
        status: DiagnosisStatus,
        fits: &dyn Fn(&Assertion<'_>) -> Truth,
    ) -> Witnessed {
        let of = |state: State, doubtful: bool| -> Vec<&Assertion<'_>> {
            assertions.iter().filter(|one| one.state == state && one.doubtful == doubtful).collect()
        };
        let (active, remission, past) = (of(State::Active, false), of(State::Remission, false), of(State::Past, false));
        let doubtful: Vec<&Assertion<'_>> = assertions.iter().filter(|one| one.doubtful).collect();
        let contested = !active.is_empty() && !remission.is_empty();
        let newest = if contested { self.newer(&active, &remission) } else { None };
        let holds = |side: &[&Assertion<'_>], wins: bool, loses: bool| {
            let any = side.iter().map(|one| fits(one)).fold(Truth::False, Truth::or);
            match (contested, wins, loses) {
                (true, _, true) => Truth::False,
                (true, false, false) => any.and(Truth::Unknown),
                _ => any,
            }
        };
        let maybe = |state: State| {
            let side = doubtful.iter().filter(|one| one.state == state).map(|one| fits(one));
            side.fold(Truth::False, Truth::or).and(Truth::Unknown)
        };
        let is_active =
            holds(&active, newest == Some(State::Active), newest == Some(State::Remission)).or(maybe(State::Active));
        let in_remission = holds(&remission, newest == Some(State::Remission), newest == Some(State::Active))
            .or(maybe(State::Remission));
        let truth = match status {
            DiagnosisStatus::Active => is_active,
            DiagnosisStatus::Remission => in_remission,
            DiagnosisStatus::Past => {
                let past = past.iter().map(|one| fits(one)).fold(Truth::False, Truth::or);
                past.or(maybe(State::Past)).and(Truth::of(active.is_empty()))
            }
            DiagnosisStatus::Ever => assertions
                .iter()
                .map(|one| fits(one).and(if one.doubtful { Truth::Unknown } else { Truth::True }))
                .fold(Truth::False, Truth::or),
            DiagnosisStatus::Doubtful => Truth::of(!doubtful.is_empty() || (contested && newest.is_none())),
            DiagnosisStatus::Conflicting => Truth::of(contested),
        };
        let counted: Vec<Element> = match status {
            DiagnosisStatus::Active if truth == Truth::True => active.iter().map(|one| one.entry.element).collect(),
            DiagnosisStatus::Remission if truth == Truth::True => {
                remission.iter().map(|one| one.entry.element).collect()
            }
            DiagnosisStatus::Doubtful if truth == Truth::True && !doubtful.is_empty() => {
                doubtful.iter().map(|one| one.entry.element).collect()
            }
            _ => assertions.iter().map(|one| one.entry.element).collect(),
        };
        Witnessed::new(truth, counted)
    }

    /// Which side has the newest date; none where dates are missing or overlap.
    fn newer(&self, active: &[&Assertion<'_>], remission: &[&Assertion<'_>]) -> Option<State> {
        let dates = |side: &[&Assertion<'_>]| -> Option<Vec<Interval>> {
            side.iter()
                .map(|one| {
                    one.entry.recorded.as_ref().or(one.entry.onset.as_ref()).map(|date| date.interval(self.as_of))
                })
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
        Witnessed::new(truth, elements)
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

/// Name of the parameter that says how old a recorded date of a relapsing
/// disorder may be. Any value that is not a length turns it off.
const LOOK_BACK: &str = "diagnosis_look_back";
