//! Diagnoses: groups of entries by what they say of a disorder, how sure they
//! are and how they stand beside the others on it. One entry can speak of several
//! concepts; what it says of a part it says of the whole.

use std::collections::{BTreeMap, HashMap};

use super::window::{at_most, narrower};
use super::{Ground, Inclusions, of_kind, single, sorted};
use crate::analysis::logic::{Lit, Rails};
use crate::clinical::date::Length;
use crate::clinical::patient::{List, Severity};
use crate::program::Atom;
use crate::rule::model::{DiagnosisStatus, Fact, Package, Window};

/// What an entry says of one disorder of a concept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    /// Active, and none says in remission.
    Active,
    /// Active, and newer than what says in remission.
    ActiveNewer,
    /// Active or in remission: the dates do not say which is newer.
    ActiveOpen,
    /// Active, and older than what says in remission.
    ActiveOlder,
    /// In remission, and none says active.
    Remission,
    RemissionNewer,
    RemissionOpen,
    RemissionOlder,
    /// Past, and none says active.
    Past,
    /// Past, and one says active.
    PastOnly,
    MaybeActive,
    MaybeRemission,
    MaybePast,
}

use Group::{
    Active, ActiveNewer, ActiveOlder, ActiveOpen, MaybeActive, MaybePast, MaybeRemission, Past, PastOnly, Remission,
    RemissionNewer, RemissionOlder, RemissionOpen,
};

const GROUPS: usize = 13;
const ALL: [Group; GROUPS] = [
    Active,
    ActiveNewer,
    ActiveOpen,
    ActiveOlder,
    Remission,
    RemissionNewer,
    RemissionOpen,
    RemissionOlder,
    Past,
    PastOnly,
    MaybeActive,
    MaybeRemission,
    MaybePast,
];
const SURELY_ACTIVE: [Group; 4] = [Active, ActiveNewer, ActiveOpen, ActiveOlder];
const SURELY_IN_REMISSION: [Group; 4] = [Remission, RemissionNewer, RemissionOpen, RemissionOlder];
const CONTESTED: [Group; 6] = [ActiveNewer, ActiveOpen, ActiveOlder, RemissionNewer, RemissionOpen, RemissionOlder];
const DOUBTFUL: [Group; 3] = [MaybeActive, MaybeRemission, MaybePast];

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
}

impl Entries {
    fn open(&self) -> Option<&Groups> {
        self.asked.get(&Asked::nothing())
    }

    /// Is there an entry in one of these groups?
    fn some(&self, ground: &mut Ground<'_>, groups: &[Group]) -> Lit {
        let open = self.open();
        let lits: Vec<Lit> = groups.iter().filter_map(|group| Some(open?.get(*group as usize)?.yes)).collect();
        ground.logic.or(&lits)
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
    for (concept, of) in &entries {
        if ground.theory.disorders.contains(concept.as_str()) {
            settle(ground, of);
        }
    }
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
        let open = [(); GROUPS].map(|()| Ground::certain(ground.logic.fresh()));
        Entries { asked: BTreeMap::from([(Asked::nothing(), open)]) }
    });
    of.asked.entry(asked).or_insert_with(|| [(); GROUPS].map(|()| ground.logic.fresh_rails()));
}

/// An entry that fits is one of every concept that holds its code, and fits
/// whatever asks for less.
fn relate(ground: &mut Ground<'_>, entries: &BTreeMap<String, Entries>) {
    let theory = ground.theory;
    for (part, lower) in entries {
        for (whole, relation) in theory.diagnoses.get(part.as_str()).into_iter().flatten() {
            let Some(upper) = entries.get(*whole) else { continue };
            for group in ALL {
                let to = relation.moves(group);
                for (narrow, lower) in &lower.asked {
                    for (wide, upper) in upper.asked.iter().filter(|(wide, _)| narrow.narrower(wide)) {
                        if *relation == Relation::Same && narrow == wide {
                            continue;
                        }
                        let Some(lower) = lower.get(group as usize) else { continue };
                        let upper = || to.iter().filter_map(|group| upper.get(*group as usize));
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

/// How an entry of one concept is one of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Same,
    /// Its code is one of the other's too.
    Within,
    /// Its code says that a disorder of the other is in remission.
    Remission,
}

/// For each concept those that its entries are of too, by id.
pub type Relations<'a> = HashMap<&'a str, BTreeMap<&'a str, Relation>>;

pub fn relations<'a>(package: &'a Package, within: &Inclusions<'a>) -> Relations<'a> {
    let mut remitted: HashMap<&str, Vec<&'a str>> = HashMap::new();
    for disorder in &package.concepts {
        if let Some(remission) = &disorder.remission {
            remitted.entry(remission.value.as_str()).or_default().push(disorder.def.id.as_str());
        }
    }
    let of = |part: &'a str| {
        let remitted = within.above(part).filter_map(|one| remitted.get(one)).flatten();
        let mut found: BTreeMap<&str, Relation> =
            remitted.flat_map(|disorder| within.above(disorder)).map(|whole| (whole, Relation::Remission)).collect();
        found.extend(within.above(part).map(|whole| (whole, Relation::Within)));
        found.insert(part, Relation::Same);
        found
    };
    package.concepts.iter().map(|concept| concept.def.id.as_str()).map(|part| (part, of(part))).collect()
}

impl Relation {
    /// The groups of the whole that an entry of a group of the part can be in.
    fn moves(self, group: Group) -> Vec<Group> {
        match self {
            Self::Same => vec![group],
            // What may be of the part may be surely of the whole, and of another disorder there.
            Self::Within | Self::Remission if DOUBTFUL.contains(&group) => ALL.to_vec(),
            Self::Within => vec![group],
            Self::Remission => SURELY_IN_REMISSION.to_vec(),
        }
    }
}

/// All entries of one disorder contest each other.
fn settle(ground: &mut Ground<'_>, of: &Entries) {
    let (active, remission) = (of.some(ground, &SURELY_ACTIVE), of.some(ground, &SURELY_IN_REMISSION));
    let contested = ground.logic.and(&[active, remission]);
    let (newer_active, newer_remission) = (ground.logic.fresh(), ground.logic.fresh());
    ground.logic.assert(&[!newer_active, !newer_remission]);
    let open = ground.logic.and(&[!newer_active, !newer_remission]);
    let only = [
        (Active, !contested),
        (Remission, !contested),
        (ActiveNewer, newer_active),
        (RemissionOlder, newer_active),
        (ActiveOlder, newer_remission),
        (RemissionNewer, newer_remission),
        (ActiveOpen, open),
        (RemissionOpen, open),
        (Past, !active),
        (PastOnly, active),
    ];
    for (group, condition) in only {
        let here = of.some(ground, &[group]);
        ground.logic.assert(&[!here, condition]);
    }
    for group in CONTESTED {
        let here = of.some(ground, &[group]);
        ground.logic.assert(&[!here, contested]);
    }
}

fn truth(ground: &mut Ground<'_>, of: &Entries, status: DiagnosisStatus, asked: &Asked, absent_unknown: bool) -> Rails {
    let unknown = ground.unknown();
    let none = [unknown; GROUPS];
    let fits = *of.asked.get(asked).unwrap_or(&none);
    let fit = |group: &Group| fits.get(*group as usize).copied().unwrap_or(unknown);
    // Those that count, and those that may.
    let (surely, maybe): (&[Group], &[Group]) = match status {
        DiagnosisStatus::Active => (&[Active, ActiveNewer], &[ActiveOpen, MaybeActive]),
        DiagnosisStatus::Remission => (&[Remission, RemissionNewer], &[RemissionOpen, MaybeRemission]),
        DiagnosisStatus::Past => (&[Past], &[MaybePast]),
        DiagnosisStatus::Ever => ALL.split_at(GROUPS - DOUBTFUL.len()),
        DiagnosisStatus::Doubtful => {
            let groups = [&DOUBTFUL[..], &[ActiveOpen, RemissionOpen]].concat();
            return Ground::certain(of.some(ground, &groups));
        }
        DiagnosisStatus::Conflicting => return Ground::certain(of.some(ground, &CONTESTED)),
    };
    let mut found: Vec<Rails> = surely.iter().map(fit).collect();
    found.extend(maybe.iter().map(|group| ground.possibly(fit(group))));
    found.push(ground.absent(List::Diagnoses, absent_unknown));
    ground.any(&found)
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
                names.iter().filter_map(|name| entries.get(&name.value)).map(|of| of.some(ground, &ALL)).collect();
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
        // Another entry could have begun earlier.
        let ordered = ground.any(&[ordered, absent]);
        found.push((*at, ground.choose(both, ordered, absent)));
    }
    found
}
