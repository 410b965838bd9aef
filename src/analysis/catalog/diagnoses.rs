//! Diagnoses: what an entry says of a disorder, and what several say together.

use std::collections::{BTreeMap, BTreeSet};

use super::codes::Known;
use super::moments::{self, Moment};
use super::record::Entry;
use super::{Absent, Builder, Reading};
use crate::analysis::logic::{Lit, Logic, Rails};
use crate::clinical::concept::{ConceptKind, Match};
use crate::clinical::date::{FhirDate, Length};
use crate::clinical::patient::{ClinicalStatus, Coding, Diagnosis, List, Severity, VerificationStatus};
use crate::rule::disorder::{Disorders, Facet};
use crate::rule::model::{DiagnosisStatus, Fact, Name, Window};
use crate::rule::truth::Truth;

/// What an entry says of a concept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Active,
    Remission,
    Past,
}

/// A disorder: a declared one of a side, or where none is declared what a cell
/// of codes stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Disorder {
    Declared(Known),
    Code(usize),
}

/// An entry that speaks of a disorder of a concept.
#[derive(Clone, Copy, Debug)]
struct Assertion {
    entry: usize,
    disorder: Disorder,
    state: State,
    doubtful: bool,
    /// Does it fit the severity and the dates that are asked for?
    fits: Truth,
}

/// The entries that are sure of one disorder.
#[derive(Clone, Debug, Default)]
struct Sure {
    active: Vec<usize>,
    remission: Vec<usize>,
}

/// A diagnosis atom with the entries that speak of its concept.
#[derive(Clone, Debug)]
pub struct Weighed {
    status: DiagnosisStatus,
    assertions: Vec<Assertion>,
    /// Who is sure of the disorders that the assertions are about.
    sure: BTreeMap<Disorder, Sure>,
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
    cell: usize,
    speaks: Speaks,
    state: State,
    doubtful: bool,
    severity: Option<Severity>,
    onset: Option<Moment>,
    recorded: Option<Moment>,
}

/// How a code speaks of the concepts in question.
type Speaks = BTreeMap<Known, BTreeSet<Facet>>;

/// What the atoms tell apart of a cell beside its codes.
#[derive(Default)]
struct Asked {
    severity: bool,
    onsets: Vec<Window>,
    ordered: bool,
    recorded: Vec<Window>,
}

impl Builder<'_> {
    fn disorder(&self, side: usize, name: &Name) -> Option<Known> {
        self.sides.get(side)?.concept(name).map(|(at, _)| (side, at))
    }

    pub(super) fn diagnoses(&mut self) {
        let disorders: Vec<Disorders> = self.sides.iter().map(|side| Disorders::new(&side.package.concepts)).collect();
        let asked = self.disorders(&disorders);
        let speaks = |means: &BTreeSet<Known>| -> Speaks {
            let of = |known: &Known| {
                let means = means.iter().filter(|(side, _)| *side == known.0);
                let means: Vec<(usize, Match)> = means.map(|(_, at)| (*at, Match::Certain)).collect();
                disorders.get(known.0).map(|side| side.facets(known.1, &means)).unwrap_or_default()
            };
            asked.iter().map(|known| (*known, of(known))).filter(|(_, facets)| !facets.is_empty()).collect()
        };
        let mut made = Vec::new();
        for (index, (speaks, coding)) in self.codes.told_apart(ConceptKind::Diagnosis, &speaks).iter().enumerate() {
            let asked = self.asked(speaks);
            self.entries_of(index, coding, speaks, &asked, &mut made);
        }
        let sure = self.sure(&disorders, &asked, &made);
        self.keep_contests_undated(&sure, &made);
        for (side, atom, fact, absent_unknown) in self.atoms() {
            let absent = if absent_unknown {
                Absent::UnknownUnlessComplete(List::Diagnoses)
            } else {
                Absent::FalseUnlessPartial(List::Diagnoses)
            };
            let assertions = |name: &Name, fact: Option<&Fact>| {
                self.disorder(side, name).map_or_else(Vec::new, |known| self.assertions(&disorders, known, fact, &made))
            };
            match fact {
                Fact::Diagnosis { concepts, status, .. } => {
                    let Some(name) = concepts.first() else { continue };
                    let assertions = assertions(name, Some(fact));
                    let about: BTreeSet<Disorder> = assertions.iter().map(|one| one.disorder).collect();
                    let sure = sure.iter().filter(|(disorder, _)| about.contains(disorder));
                    let sure = sure.map(|(disorder, sure)| (*disorder, sure.clone())).collect();
                    self.read(side, atom, Reading::Diagnosis(Weighed { status: *status, assertions, sure, absent }));
                }
                Fact::OnsetOrder { first, then, gap } => {
                    let onsets =
                        |names: &[Name]| names.iter().map(|name| Onsets::of(&assertions(name, None), &made)).collect();
                    let ordered = Ordered { first: onsets(first), then: onsets(then), gap: *gap, absent };
                    self.read(side, atom, Reading::Onset(ordered));
                }
                _ => {}
            }
        }
    }

    /// The concepts in question, and the disorders that they have a part in.
    fn disorders(&self, disorders: &[Disorders]) -> BTreeSet<Known> {
        let mut asked = BTreeSet::new();
        for (side, _, fact, _) in self.atoms() {
            let names: Vec<&Name> = match fact {
                Fact::Diagnosis { concepts, .. } => concepts.iter().collect(),
                Fact::OnsetOrder { first, then, .. } => first.iter().chain(then).collect(),
                _ => continue,
            };
            for known in names.into_iter().filter_map(|name| self.disorder(side, name)) {
                asked.insert(known);
                if let Some(of) = disorders.get(side) {
                    let wholes = of.tree(known.1).flat_map(|part| of.above(part));
                    asked.extend(wholes.map(|whole| (side, *whole)));
                }
            }
        }
        asked
    }

    fn asked(&self, speaks: &Speaks) -> Asked {
        let mut asked = Asked::default();
        let of = |side: usize, name: &Name| self.disorder(side, name).is_some_and(|known| speaks.contains_key(&known));
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

    fn entries_of(&mut self, index: usize, coding: &Coding, speaks: &Speaks, asked: &Asked, made: &mut Vec<Made>) {
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
                            coding: vec![coding.clone()],
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
                            cell: index,
                            speaks: speaks.clone(),
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

    fn assertions(&self, disorders: &[Disorders], known: Known, fact: Option<&Fact>, made: &[Made]) -> Vec<Assertion> {
        let mut assertions = Vec::new();
        for one in made {
            let fits = fact.map_or(Truth::True, |fact| self.fits(one, fact));
            for facet in one.speaks.get(&known).into_iter().flatten() {
                let relapsing = facet
                    .disorder
                    .is_some_and(|disorder| disorders.get(known.0).is_some_and(|of| of.relapsing(disorder)));
                // A code that says remission counts as that, whatever the status. A
                // relapsing disorder is not cleared by a status alone.
                let (state, doubtful) = match one.state {
                    _ if facet.remission => (State::Remission, one.doubtful),
                    State::Past if relapsing => (State::Active, true),
                    state => (state, one.doubtful),
                };
                let disorder =
                    facet.disorder.map_or(Disorder::Code(one.cell), |disorder| Disorder::Declared((known.0, disorder)));
                assertions.push(Assertion { entry: one.entry, disorder, state, doubtful, fits });
            }
        }
        assertions
    }

    /// Who is sure of each disorder. That of a code is what its entries say by
    /// their status; that of a declared one is what they say of it.
    fn sure(&self, disorders: &[Disorders], asked: &BTreeSet<Known>, made: &[Made]) -> BTreeMap<Disorder, Sure> {
        let mut found: BTreeMap<Disorder, Sure> = BTreeMap::new();
        let mut add = |disorder: Disorder, state: State, entry: usize| {
            let sure = found.entry(disorder).or_default();
            match state {
                State::Active => sure.active.push(entry),
                State::Remission => sure.remission.push(entry),
                State::Past => {}
            }
        };
        for one in made.iter().filter(|one| !one.doubtful) {
            add(Disorder::Code(one.cell), one.state, one.entry);
        }
        for known in asked {
            for one in self.assertions(disorders, *known, None, made) {
                if !one.doubtful && one.disorder == Disorder::Declared(*known) {
                    add(one.disorder, one.state, one.entry);
                }
            }
        }
        found
    }

    fn fits(&self, one: &Made, fact: &Fact) -> Truth {
        let Fact::Diagnosis { severity, onset, recorded, .. } = fact else { return Truth::True };
        let severe = match one.severity {
            _ if severity.is_empty() => Truth::True,
            Some(stated) => Truth::of(severity.contains(&stated)),
            None => Truth::Unknown,
        };
        severe.and(moments::inside(one.onset.as_ref(), *onset, &self.as_of)).and(self.recorded_inside(one, *recorded))
    }

    /// Without the date, an active entry was recorded now; one with an onset at
    /// some time since then.
    fn recorded_inside(&self, one: &Made, window: Window) -> Truth {
        match (&one.recorded, &one.onset) {
            (None, Some(onset)) => {
                let since = |window: Window| moments::inside(Some(onset), window, &self.as_of);
                let within = since(Window { more_than: None, ..window }).or(Truth::Unknown);
                let older = since(Window { within: None, ..window }).and(Truth::Unknown);
                within.and(if window.more_than.is_some() { older } else { Truth::True })
            }
            (None, None) if one.state == State::Active => Truth::of(window.more_than.is_none()),
            (recorded, _) => moments::inside(recorded.as_ref(), window, &self.as_of),
        }
    }

    /// Which of an active and a remission entry counts hangs on their dates. The
    /// catalog has such pairs without dates only: then neither does.
    fn keep_contests_undated(&mut self, sure: &BTreeMap<Disorder, Sure>, made: &[Made]) {
        let dated: BTreeSet<usize> =
            made.iter().filter(|one| one.onset.is_some() || one.recorded.is_some()).map(|one| one.entry).collect();
        let mut apart = BTreeSet::new();
        for sure in sure.values() {
            for one in &sure.active {
                for other in &sure.remission {
                    if dated.contains(one) || dated.contains(other) {
                        apart.insert((*one, *other));
                    }
                }
            }
        }
        self.apart.extend(apart);
    }
}

fn date(moment: &Moment) -> Option<FhirDate> {
    FhirDate::parse(&moment.text).ok()
}

impl Weighed {
    /// As several entries together say it: the strongest of what they say of
    /// one disorder each.
    pub(super) fn rails(&self, logic: &mut Logic, chosen: &[Lit], absent: Lit) -> Rails {
        let entries = |entries: &[usize]| -> Vec<Lit> {
            entries.iter().filter_map(|entry| chosen.get(*entry).copied()).collect()
        };
        let (mut yes, mut maybe) = (Vec::new(), Vec::new());
        let about: BTreeSet<Disorder> = self.assertions.iter().map(|one| one.disorder).collect();
        for disorder in about {
            let sure = self.sure.get(&disorder).cloned().unwrap_or_default();
            let (active, remission) = (logic.or(&entries(&sure.active)), logic.or(&entries(&sure.remission)));
            let contested = logic.and(&[active, remission]);
            for one in self.assertions.iter().filter(|one| one.disorder == disorder) {
                let Some(here) = chosen.get(one.entry).copied() else { continue };
                let (fits, may_fit) = (one.fits == Truth::True, one.fits != Truth::False);
                match self.status {
                    DiagnosisStatus::Active | DiagnosisStatus::Remission => {
                        let state =
                            if self.status == DiagnosisStatus::Active { State::Active } else { State::Remission };
                        if one.state != state {
                            continue;
                        }
                        if fits && !one.doubtful {
                            yes.push(logic.and(&[here, !contested]));
                        }
                        maybe.extend(may_fit.then_some(here));
                    }
                    DiagnosisStatus::Past if one.state == State::Past => {
                        let left = if one.doubtful { here } else { logic.and(&[here, !active]) };
                        if fits && !one.doubtful {
                            yes.push(left);
                        }
                        maybe.extend(may_fit.then_some(left));
                    }
                    DiagnosisStatus::Past => {}
                    DiagnosisStatus::Ever => {
                        yes.extend((fits && !one.doubtful).then_some(here));
                        maybe.extend(may_fit.then_some(here));
                    }
                    DiagnosisStatus::Doubtful if one.doubtful => yes.push(here),
                    DiagnosisStatus::Doubtful | DiagnosisStatus::Conflicting => {
                        if !one.doubtful && one.state != State::Past {
                            yes.push(logic.and(&[here, contested]));
                        }
                    }
                }
            }
        }
        let (yes, maybe) = (logic.or(&yes), logic.or(&maybe));
        match self.status {
            // What is said of the entries that there are.
            DiagnosisStatus::Doubtful | DiagnosisStatus::Conflicting => Rails { yes, no: !yes },
            _ => Rails { yes, no: logic.and(&[!yes, !maybe, absent]) },
        }
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
        let (mut yes, mut maybe) = (Vec::new(), Vec::new());
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
                            Truth::False => {}
                        }
                    }
                }
            }
        }
        let (yes, maybe) = (logic.or(&yes), logic.or(&maybe));
        Rails { yes, no: logic.and(&[!yes, !maybe, absent]) }
    }

    /// Did the first day come before the second, by the gap at least?
    fn ordered(&self, first: &Moment, then: &Moment) -> Truth {
        match self.gap {
            // Two onsets on one day may be in either order.
            None if first.at == then.at => Truth::Unknown,
            None => Truth::of(first.at < then.at),
            Some(gap) => Truth::of(gap.after(first.at.date()) <= then.at.date()),
        }
    }
}
