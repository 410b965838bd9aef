//! Diagnoses: groups of entries by status and by how sure they are. One entry
//! can speak of several concepts, each in the concept's own way.

use std::collections::{BTreeMap, HashMap};

use super::window::{at_most, narrower};
use super::{Ground, of_kind, single, sorted};
use crate::analysis::logic::{Lit, Rails};
use crate::clinical::concept::Match;
use crate::clinical::date::Length;
use crate::clinical::patient::{List, Severity};
use crate::program::Atom;
use crate::rule::model::{Concept, DiagnosisStatus, Fact, Package, Window};

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Active,
    Remission,
    Past,
}

const STATES: [State; 3] = [State::Active, State::Remission, State::Past];

/// Groups: a state, sure or doubtful.
const GROUPS: usize = 6;

fn group(state: State, doubtful: bool) -> usize {
    state as usize * 2 + usize::from(doubtful)
}

/// What a fact asks of an entry beside its concept and status.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Asked {
    severity: Vec<Severity>,
    onset: Window,
    recorded: Window,
}

impl Asked {
    fn nothing() -> Self {
        Self { severity: Vec::new(), onset: Window::default(), recorded: Window::default() }
    }

    fn narrower(&self, other: &Self) -> bool {
        let severity = other.severity.is_empty()
            || (!self.severity.is_empty() && self.severity.iter().all(|one| other.severity.contains(one)));
        severity && narrower(self.onset, other.onset) && narrower(self.recorded, other.recorded)
    }
}

/// For each group: does an entry of it fit what is asked?
type Groups = [Rails; GROUPS];

struct Entries {
    asked: BTreeMap<Asked, Groups>,
    /// Where entries say active and in remission: the newest says active, or in remission.
    newest: (Lit, Lit),
}

impl Entries {
    fn open(&self) -> Option<&Groups> {
        self.asked.get(&Asked::nothing())
    }
}

pub fn facts(ground: &mut Ground<'_>, atoms: &[&Atom]) -> HashMap<usize, Rails> {
    let diagnoses = of_kind(atoms, |fact| matches!(fact, Fact::Diagnosis { .. }));
    let orders = of_kind(atoms, |fact| matches!(fact, Fact::OnsetOrder { .. }));
    let mut entries: BTreeMap<String, Entries> = BTreeMap::new();
    for (_, atom) in &diagnoses {
        if let Some((concept, _, asked)) = parts(&atom.fact) {
            add(ground, &mut entries, concept, asked);
        }
    }
    for (_, atom) in &orders {
        if let Fact::OnsetOrder { first, then, .. } = &atom.fact {
            first.iter().chain(then).for_each(|name| add(ground, &mut entries, &name.value, Asked::nothing()));
        }
    }
    relate(ground, &entries);
    let mut found = HashMap::new();
    for (at, atom) in diagnoses {
        let Some((concept, status, asked)) = parts(&atom.fact) else { continue };
        if let Some(of) = entries.get(concept) {
            found.insert(at, truth(ground, of, status, &asked, atom.absent_unknown));
        }
    }
    found.extend(onset_orders(ground, &entries, &orders));
    found
}

fn parts(fact: &Fact) -> Option<(&str, DiagnosisStatus, Asked)> {
    let Fact::Diagnosis { concepts, status, severity, onset, recorded } = fact else { return None };
    let mut severity = severity.clone();
    severity.sort_unstable();
    severity.dedup();
    Some((single(concepts), *status, Asked { severity, onset: *onset, recorded: *recorded }))
}

fn add(ground: &mut Ground<'_>, entries: &mut BTreeMap<String, Entries>, concept: &str, asked: Asked) {
    let of = entries.entry(concept.to_owned()).or_insert_with(|| {
        let newest = (ground.logic.fresh(), ground.logic.fresh());
        ground.logic.assert(&[!newest.0, !newest.1]);
        let open = [(); GROUPS].map(|()| Ground::certain(ground.logic.fresh()));
        Entries { asked: BTreeMap::from([(Asked::nothing(), open)]), newest }
    });
    of.asked.entry(asked).or_insert_with(|| [(); GROUPS].map(|()| ground.logic.fresh_rails()));
}

/// An entry that fits is one of every concept that holds its code, and fits
/// whatever asks for less.
fn relate(ground: &mut Ground<'_>, entries: &BTreeMap<String, Entries>) {
    let theory = ground.theory;
    for (part, lower) in entries {
        for (whole, upper) in entries {
            let moves = match (theory.concept(part), theory.concept(whole)) {
                _ if part == whole => [0, 1, 2, 3, 4, 5].map(|at| Some(vec![at])),
                (Some(part), Some(whole)) => moves(ground, part, whole),
                _ => continue,
            };
            for (from, to) in moves.iter().enumerate() {
                let Some(to) = to else { continue };
                for (narrow, lower) in &lower.asked {
                    for (wide, upper) in upper.asked.iter().filter(|(wide, _)| narrow.narrower(wide)) {
                        if part == whole && narrow == wide {
                            continue;
                        }
                        let Some(lower) = lower.get(from) else { continue };
                        let upper = || to.iter().filter_map(|at| upper.get(*at));
                        let surely: Vec<Lit> = upper().map(|one| one.yes).chain([!lower.yes]).collect();
                        let maybe: Vec<Lit> = upper().map(|one| !one.no).chain([lower.no]).collect();
                        ground.logic.assert(&surely);
                        ground.logic.assert(&maybe);
                    }
                }
            }
        }
    }
}

/// For each group of `part`, the groups of `whole` that the same entry can be
/// in; none where it may be in none.
fn moves(ground: &Ground<'_>, part: &Concept, whole: &Concept) -> [Option<Vec<usize>>; GROUPS] {
    let name = |concept: &Concept| concept.remission.as_ref().map(|name| name.value.clone());
    let (part_remission, whole_remission) = (name(part), name(whole));
    let holds =
        |a: Option<&String>, b: Option<&String>| a.zip(b).is_some_and(|(a, b)| ground.theory.within.holds(a, b));
    let (part_id, whole_id) = (Some(&part.def.id), Some(&whole.def.id));
    let inside = holds(part_id, whole_id);
    let inside_remission = holds(part_id, whole_remission.as_ref());
    let remission_inside = holds(part_remission.as_ref(), whole_id);
    let remission_inside_remission = holds(part_remission.as_ref(), whole_remission.as_ref());
    let mut reached: [Option<Vec<usize>>; GROUPS] = Default::default();
    if !(inside || inside_remission || remission_inside || remission_inside_remission) {
        return reached;
    }
    reached = [(); GROUPS].map(|()| Some(Vec::new()));
    let matches = [None, Some(Match::Certain), Some(Match::Possible)];
    let codes = |remission: &Option<String>| if remission.is_some() { matches.to_vec() } else { vec![None] };
    // What a code means of a concept it means at least of one that holds the concept.
    let carried = |holds: bool, lower: Option<Match>, upper: Option<Match>| match lower {
        Some(Match::Certain) if holds => upper == Some(Match::Certain),
        Some(Match::Possible) if holds => upper.is_some(),
        _ => true,
    };
    let look_back = ground.theory.look_back;
    for of_part in matches {
        for of_whole in matches {
            for part_code in codes(&part_remission) {
                for whole_code in codes(&whole_remission) {
                    let fits = carried(inside, of_part, of_whole)
                        && carried(inside_remission, of_part, whole_code)
                        && carried(remission_inside, part_code, of_whole)
                        && carried(remission_inside_remission, part_code, whole_code)
                        && (part_remission.is_none() || part_remission != whole_remission || part_code == whole_code);
                    if !fits {
                        continue;
                    }
                    for state in STATES {
                        for (doubtful, old) in [(false, false), (true, false), (false, look_back), (true, look_back)] {
                            let said =
                                |concept: &Concept, of, code| said(concept.relapsing, state, doubtful, old, of, code);
                            let Some(from) = said(part, of_part, part_code) else { continue };
                            let to = said(whole, of_whole, whole_code);
                            let Some(slot) = reached.get_mut(from) else { continue };
                            match (to, slot.as_mut()) {
                                (None, _) => *slot = None,
                                (Some(to), Some(known)) if !known.contains(&to) => known.push(to),
                                _ => {}
                            }
                        }
                    }
                }
            }
        }
    }
    reached
}

/// What an entry says of a concept: its group, if it speaks of it.
fn said(
    relapsing: bool,
    state: State,
    doubtful: bool,
    old: bool,
    of: Option<Match>,
    remission: Option<Match>,
) -> Option<usize> {
    let certainty = remission.or(of)?;
    let mut doubtful = doubtful || certainty == Match::Possible;
    let state = match state {
        _ if remission.is_some() => State::Remission,
        State::Past if relapsing => {
            doubtful = true;
            State::Active
        }
        state => state,
    };
    doubtful |= state == State::Active && relapsing && old;
    Some(group(state, doubtful))
}

/// Are recorded dates of relapsing disorders held against a look-back?
pub fn look_back(package: &Package) -> bool {
    let named = package.parameters.iter().find(|parameter| parameter.id.value == "diagnosis_look_back");
    named.is_some_and(|parameter| Length::parse(&parameter.value).is_some())
}

fn listed(ground: &mut Ground<'_>, of: &Entries) -> Lit {
    let some: Vec<Lit> = of.open().into_iter().flatten().map(|rails| rails.yes).collect();
    ground.logic.or(&some)
}

fn truth(ground: &mut Ground<'_>, of: &Entries, status: DiagnosisStatus, asked: &Asked, absent_unknown: bool) -> Rails {
    let unknown = ground.unknown();
    let none = [unknown; GROUPS];
    let (open, fits) = (*of.open().unwrap_or(&none), *of.asked.get(asked).unwrap_or(&none));
    let there = |state: State| open.get(group(state, false)).map_or(unknown.yes, |rails| rails.yes);
    let fit = |state: State, doubtful: bool| fits.get(group(state, doubtful)).copied().unwrap_or(unknown);
    let (active, remission) = (there(State::Active), there(State::Remission));
    let contested = ground.logic.and(&[active, remission]);
    let doubtful: Vec<Lit> =
        STATES.iter().filter_map(|state| open.get(group(*state, true))).map(|one| one.yes).collect();
    let doubtful = ground.logic.or(&doubtful);
    let (newest_active, newest_remission) = of.newest;
    let side = |ground: &mut Ground<'_>, state: State, wins: Lit, loses: Lit| {
        let sure = fit(state, false);
        let maybe = ground.possibly(fit(state, true));
        let lost = ground.logic.and(&[contested, loses]);
        let open = ground.logic.and(&[contested, !loses, !wins]);
        // Lost: false. Not settled: at most unknown.
        let cap = Rails { yes: ground.logic.and(&[!lost, !open]), no: lost };
        let sure = ground.all(&[sure, cap]);
        ground.any(&[sure, maybe])
    };
    let found = match status {
        DiagnosisStatus::Active => side(ground, State::Active, newest_active, newest_remission),
        DiagnosisStatus::Remission => side(ground, State::Remission, newest_remission, newest_active),
        DiagnosisStatus::Past => {
            let maybe = ground.possibly(fit(State::Past, true));
            let past = ground.any(&[fit(State::Past, false), maybe]);
            ground.all(&[past, Ground::certain(!active)])
        }
        DiagnosisStatus::Ever => {
            let sure = STATES.map(|state| fit(state, false));
            let maybe = STATES.map(|state| ground.possibly(fit(state, true)));
            ground.any(&[sure, maybe].concat())
        }
        DiagnosisStatus::Doubtful => {
            let open = ground.logic.and(&[contested, !newest_active, !newest_remission]);
            return Ground::certain(ground.logic.or(&[doubtful, open]));
        }
        DiagnosisStatus::Conflicting => return Ground::certain(contested),
    };
    let absent = ground.absent(List::Diagnoses, absent_unknown);
    let listed = listed(ground, of);
    ground.choose(listed, found, absent)
}

type Order = (Vec<String>, Vec<String>, Option<Length>, Rails);

fn onset_orders(
    ground: &mut Ground<'_>,
    entries: &BTreeMap<String, Entries>,
    orders: &[(usize, &Atom)],
) -> Vec<(usize, Rails)> {
    let mut known: Vec<Order> = Vec::new();
    let mut found = Vec::new();
    for (at, atom) in orders {
        let Fact::OnsetOrder { first, then, gap } = &atom.fact else { continue };
        let mut on_record = |names: &[crate::rule::model::Name]| {
            let some: Vec<Lit> =
                names.iter().filter_map(|name| entries.get(&name.value)).map(|of| listed(ground, of)).collect();
            ground.logic.or(&some)
        };
        let (has_first, has_then) = (on_record(first), on_record(then));
        let both = ground.logic.and(&[has_first, has_then]);
        let ordered = ground.logic.fresh_rails();
        let (first, then) = (sorted(first), sorted(then));
        for (other_first, other_then, other_gap, other) in &known {
            if (&first, &then) != (other_first, other_then) {
                continue;
            }
            // A longer gap asks for more.
            match (gap, other_gap) {
                (Some(a), Some(b)) if at_most(*a, *b) => ground.below(*other, ordered),
                (Some(a), Some(b)) if at_most(*b, *a) => ground.below(ordered, *other),
                (Some(_), None) => ground.below(ordered, *other),
                (None, Some(_)) => ground.below(*other, ordered),
                _ => {}
            }
        }
        known.push((first, then, *gap, ordered));
        let absent = ground.absent(List::Diagnoses, atom.absent_unknown);
        found.push((*at, ground.choose(both, ordered, absent)));
    }
    found
}
