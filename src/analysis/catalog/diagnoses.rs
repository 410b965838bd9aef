//! Diagnoses: what an entry says of a disorder, and what several say together.

use std::collections::BTreeSet;

use super::codes::{self, Cell, Known};
use super::moments::{self, Moment};
use super::record::Entry;
use super::{Absent, Builder, Reading};
use crate::analysis::logic::{Lit, Logic, Rails};
use crate::clinical::concept::ConceptKind;
use crate::clinical::date::{FhirDate, Length};
use crate::clinical::patient::{ClinicalStatus, Diagnosis, List, Severity, VerificationStatus};
use crate::rule::model::{DiagnosisStatus, Fact, Name, Window};
use crate::rule::truth::Truth;

/// What an entry says of a concept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Active,
    Remission,
    Past,
}

/// An entry that speaks of a concept.
#[derive(Clone, Copy, Debug)]
struct Assertion {
    entry: usize,
    state: State,
    doubtful: bool,
    /// Does it fit the severity and the dates that are asked for?
    fits: Truth,
}

/// A diagnosis atom with the entries that speak of its concept.
#[derive(Clone, Debug)]
pub struct Weighed {
    status: DiagnosisStatus,
    assertions: Vec<Assertion>,
    pub(super) absent: Absent,
}

/// An order of onsets, with the dated and undated entries of each concept.
#[derive(Clone, Debug)]
pub struct Ordered {
    first: Vec<Onsets>,
    then: Vec<Onsets>,
    gap: Option<Length>,
    pub(super) absent: Absent,
}

/// Entries of one concept by onset, the earliest first.
#[derive(Clone, Debug, Default)]
struct Onsets {
    undated: Vec<usize>,
    dated: Vec<(Moment, Vec<usize>)>,
}

/// A diagnosis of the catalog, before it is asked what it says.
struct Made {
    entry: usize,
    concepts: BTreeSet<Known>,
    state: State,
    doubtful: bool,
    severity: Option<Severity>,
    onset: Option<Moment>,
    recorded: Option<Moment>,
}

/// What the atoms tell apart of a cell beside its codes.
#[derive(Default)]
struct Asked {
    severity: bool,
    onsets: Vec<Window>,
    ordered: bool,
    recorded: Vec<Window>,
}

impl Builder<'_> {
    /// The concept of a name, and the one whose codes say that it is in
    /// remission.
    fn disorder(&self, side: usize, name: &Name) -> Option<(Known, Option<Known>, bool)> {
        let one = self.sides.get(side)?;
        let (at, concept) = one.concept(name)?;
        let remission = concept.remission.as_ref().and_then(|name| one.concept(name)).map(|(at, _)| (side, at));
        Some(((side, at), remission, concept.relapsing))
    }

    pub(super) fn diagnoses(&mut self) {
        let cells = codes::cells(self.sides, ConceptKind::Diagnosis, &self.disorders());
        let mut made = Vec::new();
        for cell in &cells {
            let asked = self.asked(cell);
            self.entries_of(cell, &asked, &mut made);
        }
        for (side, atom, fact, absent_unknown) in self.atoms() {
            let absent = if absent_unknown {
                Absent::UnknownUnlessComplete(List::Diagnoses)
            } else {
                Absent::FalseUnlessPartial(List::Diagnoses)
            };
            match fact {
                Fact::Diagnosis { concepts, status, .. } => {
                    let Some(name) = concepts.first() else { continue };
                    let assertions = self.assertions(side, name, Some(fact), &made);
                    self.keep_contests_undated(&assertions, &made);
                    self.read(side, atom, Reading::Diagnosis(Weighed { status: *status, assertions, absent }));
                }
                Fact::OnsetOrder { first, then, gap } => {
                    let onsets = |names: &[Name]| {
                        names.iter().map(|name| Onsets::of(&self.assertions(side, name, None, &made), &made)).collect()
                    };
                    let ordered = Ordered { first: onsets(first), then: onsets(then), gap: *gap, absent };
                    self.read(side, atom, Reading::Onset(ordered));
                }
                _ => {}
            }
        }
    }

    /// The concepts in question, those that say "in remission" included.
    fn disorders(&self) -> BTreeSet<Known> {
        let mut asked = BTreeSet::new();
        for (side, _, fact, _) in self.atoms() {
            let names: Vec<&Name> = match fact {
                Fact::Diagnosis { concepts, .. } => concepts.iter().collect(),
                Fact::OnsetOrder { first, then, .. } => first.iter().chain(then).collect(),
                _ => continue,
            };
            for (known, remission, _) in names.into_iter().filter_map(|name| self.disorder(side, name)) {
                asked.insert(known);
                asked.extend(remission);
            }
        }
        asked
    }

    fn asked(&self, cell: &Cell) -> Asked {
        let mut asked = Asked::default();
        let of = |side: usize, name: &Name| {
            self.disorder(side, name).is_some_and(|(known, remission, _)| {
                cell.concepts.contains(&known) || remission.is_some_and(|code| cell.concepts.contains(&code))
            })
        };
        for (side, _, fact, _) in self.atoms() {
            match fact {
                Fact::Diagnosis { concepts, severity, onset, recorded, .. }
                    if concepts.iter().any(|name| of(side, name)) =>
                {
                    asked.severity |= !severity.is_empty();
                    asked.onsets.extend(Some(*onset).filter(|window| !window.is_open()));
                    asked.recorded.extend(Some(*recorded).filter(|window| !window.is_open()));
                }
                Fact::OnsetOrder { first, then, .. } => {
                    asked.ordered |= first.iter().chain(then).any(|name| of(side, name));
                }
                _ => {}
            }
        }
        asked
    }

    fn entries_of(&mut self, cell: &Cell, asked: &Asked, made: &mut Vec<Made>) {
        let severities: &[Option<Severity>] = if asked.severity {
            &[None, Some(Severity::Mild), Some(Severity::Moderate), Some(Severity::Severe)]
        } else {
            &[None]
        };
        let mut onsets = vec![None];
        if !asked.onsets.is_empty() {
            onsets.extend(moments::between(&asked.onsets, &self.as_of).into_iter().map(Some));
        }
        if asked.ordered {
            onsets.extend([4, 14].map(|years| Some(moments::years_ago(years, &self.as_of))));
        }
        let mut recorded = vec![None];
        if !asked.recorded.is_empty() {
            recorded.extend(moments::between(&asked.recorded, &self.as_of).into_iter().map(Some));
        }
        let states = [
            (ClinicalStatus::Active, State::Active, None),
            (ClinicalStatus::Active, State::Active, Some(VerificationStatus::Provisional)),
            (ClinicalStatus::Remission, State::Remission, None),
            (ClinicalStatus::Resolved, State::Past, None),
        ];
        for (status, state, verification) in states {
            for severity in severities {
                for onset in &onsets {
                    for recorded in &recorded {
                        let diagnosis = Diagnosis {
                            coding: vec![cell.coding.clone()],
                            clinical_status: Some(status),
                            verification_status: verification.or(Some(VerificationStatus::Confirmed)),
                            onset: onset.as_ref().and_then(date),
                            recorded: recorded.as_ref().and_then(date),
                            severity: *severity,
                            ..Diagnosis::default()
                        };
                        let entry = self.add(Entry::Diagnosis(diagnosis));
                        made.push(Made {
                            entry,
                            concepts: cell.concepts.clone(),
                            state,
                            doubtful: verification.is_some(),
                            severity: *severity,
                            onset: onset.clone(),
                            recorded: recorded.clone(),
                        });
                    }
                }
            }
        }
    }

    fn assertions(&self, side: usize, name: &Name, fact: Option<&Fact>, made: &[Made]) -> Vec<Assertion> {
        let Some((known, remission, relapsing)) = self.disorder(side, name) else { return Vec::new() };
        let mut assertions = Vec::new();
        for one in made {
            let by_code = remission.is_some_and(|code| one.concepts.contains(&code));
            if !by_code && !one.concepts.contains(&known) {
                continue;
            }
            // A code that says remission counts as that, whatever the status. A
            // relapsing disorder is not cleared by a status alone.
            let (state, doubtful) = match one.state {
                _ if by_code => (State::Remission, one.doubtful),
                State::Past if relapsing => (State::Active, true),
                state => (state, one.doubtful),
            };
            let fits = fact.map_or(Truth::True, |fact| self.fits(one, fact));
            assertions.push(Assertion { entry: one.entry, state, doubtful, fits });
        }
        assertions
    }

    fn fits(&self, one: &Made, fact: &Fact) -> Truth {
        let Fact::Diagnosis { severity, onset, recorded, .. } = fact else { return Truth::True };
        let severe = match one.severity {
            _ if severity.is_empty() => Truth::True,
            Some(stated) => Truth::of(severity.contains(&stated)),
            None => Truth::Unknown,
        };
        severe.and(moments::inside(one.onset.as_ref(), *onset, &self.as_of)).and(moments::inside(
            one.recorded.as_ref(),
            *recorded,
            &self.as_of,
        ))
    }

    /// Which of an active and a remission entry counts hangs on their dates. The
    /// catalog has such pairs without dates only: then neither does.
    fn keep_contests_undated(&mut self, assertions: &[Assertion], made: &[Made]) {
        let dated =
            |entry: usize| made.iter().any(|one| one.entry == entry && (one.onset.is_some() || one.recorded.is_some()));
        let (active, remission): (Vec<&Assertion>, Vec<&Assertion>) = assertions
            .iter()
            .filter(|one| !one.doubtful && one.state != State::Past)
            .partition(|one| one.state == State::Active);
        for one in &active {
            for other in &remission {
                if dated(one.entry) || dated(other.entry) {
                    self.apart.push((one.entry, other.entry));
                }
            }
        }
    }
}

fn date(moment: &Moment) -> Option<FhirDate> {
    FhirDate::parse(&moment.text).ok()
}

impl Weighed {
    /// As several entries together say it.
    pub(super) fn rails(&self, logic: &mut Logic, chosen: &[Lit], absent: Lit) -> Rails {
        let lits = |keep: &dyn Fn(&Assertion) -> bool| -> Vec<Lit> {
            let kept = self.assertions.iter().filter(|one| keep(one));
            kept.filter_map(|one| chosen.get(one.entry).copied()).collect()
        };
        let sure = |state: State, fits: Truth| lits(&|one| one.state == state && !one.doubtful && one.fits == fits);
        let doubtful = |state: State| lits(&|one| one.state == state && one.doubtful && one.fits != Truth::False);
        let any = logic.or(&lits(&|_| true));
        let active = logic.or(&lits(&|one| one.state == State::Active && !one.doubtful));
        let remission = logic.or(&lits(&|one| one.state == State::Remission && !one.doubtful));
        let contested = logic.and(&[active, remission]);
        let rails = match self.status {
            DiagnosisStatus::Active | DiagnosisStatus::Remission => {
                let state = if self.status == DiagnosisStatus::Active { State::Active } else { State::Remission };
                let yes = logic.or(&sure(state, Truth::True));
                let maybe = logic.or(&[sure(state, Truth::Unknown), doubtful(state)].concat());
                Rails { yes: logic.and(&[yes, !contested]), no: logic.and(&[!yes, !maybe, any]) }
            }
            DiagnosisStatus::Past => {
                let yes = logic.or(&sure(State::Past, Truth::True));
                let maybe = logic.or(&[sure(State::Past, Truth::Unknown), doubtful(State::Past)].concat());
                let none = logic.and(&[!yes, !maybe]);
                let no = logic.or(&[none, active]);
                Rails { yes: logic.and(&[yes, !active]), no: logic.and(&[no, any]) }
            }
            DiagnosisStatus::Ever => {
                let yes = logic.or(&lits(&|one| !one.doubtful && one.fits == Truth::True));
                let maybe = logic.or(&lits(&|one| one.fits != Truth::False));
                Rails { yes, no: logic.and(&[!maybe, any]) }
            }
            DiagnosisStatus::Doubtful => {
                let entries = logic.or(&lits(&|one| one.doubtful));
                let yes = logic.or(&[entries, contested]);
                return Rails { yes, no: !yes };
            }
            DiagnosisStatus::Conflicting => return Rails { yes: contested, no: !contested },
        };
        let absent = logic.and(&[!any, absent]);
        Rails { yes: rails.yes, no: logic.or(&[rails.no, absent]) }
    }
}

impl Onsets {
    fn of(assertions: &[Assertion], made: &[Made]) -> Self {
        let mut onsets = Self::default();
        for one in assertions {
            match made.iter().find(|known| known.entry == one.entry).and_then(|known| known.onset.clone()) {
                None => onsets.undated.push(one.entry),
                Some(moment) => match onsets.dated.iter_mut().find(|(known, _)| *known == moment) {
                    Some((_, entries)) => entries.push(one.entry),
                    None => onsets.dated.push((moment, vec![one.entry])),
                },
            }
        }
        onsets.dated.sort();
        onsets
    }

    /// Whether the onset is unknown although there are entries, and for each
    /// moment whether the onset is that one.
    fn rails(&self, logic: &mut Logic, chosen: &[Lit]) -> (Lit, Vec<(Moment, Lit)>) {
        let lits = |entries: &[usize]| -> Vec<Lit> {
            entries.iter().filter_map(|entry| chosen.get(*entry).copied()).collect()
        };
        let unknown = logic.or(&lits(&self.undated));
        let mut earlier = vec![!unknown];
        let mut known = Vec::new();
        for (moment, entries) in &self.dated {
            let here = logic.or(&lits(entries));
            let mut parts = earlier.clone();
            parts.push(here);
            known.push((moment.clone(), logic.and(&parts)));
            earlier.push(!here);
        }
        (unknown, known)
    }
}

impl Ordered {
    /// True where one pair of concepts is in order, else unknown where one may
    /// be, else false.
    pub(super) fn rails(&self, logic: &mut Logic, chosen: &[Lit], absent: Lit) -> Rails {
        let first: Vec<_> = self.first.iter().map(|onsets| onsets.rails(logic, chosen)).collect();
        let then: Vec<_> = self.then.iter().map(|onsets| onsets.rails(logic, chosen)).collect();
        let (mut yes, mut maybe, mut no) = (Vec::new(), Vec::new(), Vec::new());
        for (unknown, moments) in &first {
            for (other_unknown, others) in &then {
                let here: Vec<Lit> = moments.iter().map(|(_, lit)| *lit).collect();
                let there: Vec<Lit> = others.iter().map(|(_, lit)| *lit).collect();
                let (known, other_known) = (logic.or(&here), logic.or(&there));
                maybe.push(logic.and(&[*unknown, *other_unknown]));
                maybe.push(logic.and(&[*unknown, other_known]));
                maybe.push(logic.and(&[known, *other_unknown]));
                for (moment, lit) in moments {
                    for (other, other_lit) in others {
                        let pair = logic.and(&[*lit, *other_lit]);
                        match self.ordered(moment, other) {
                            Truth::True => yes.push(pair),
                            Truth::Unknown => maybe.push(pair),
                            Truth::False => no.push(pair),
                        }
                    }
                }
            }
        }
        let (yes, maybe, some) = (logic.or(&yes), logic.or(&maybe), logic.or(&no));
        let said = logic.or(&[yes, maybe, some]);
        let denied = logic.and(&[some, !yes, !maybe]);
        let absent = logic.and(&[!said, absent]);
        Rails { yes, no: logic.or(&[denied, absent]) }
    }

    /// Did the first day come before the second, by the gap at least?
    fn ordered(&self, first: &Moment, then: &Moment) -> Truth {
        match self.gap {
            // Two onsets on one day may be in either order.
            None if first.at == then.at => Truth::Unknown,
            None => Truth::of(first.at < then.at),
            Some(gap) => Truth::of(gap.after(first.at.date()) < then.at.date()),
        }
    }
}
