//! What changes for patients between two packages.
//!
//! Two questions are asked. Of *every* record: can any part of the answer
//! differ? Facts of the same meaning are one free variable of both packages,
//! and what is impossible then is proven. Of the records of a
//! [catalog](super::catalog): which record shows the difference? A difference
//! that is not excluded and that no record of the catalog shows is told as
//! that, and equality is claimed of proof alone.
//!
//! Compared is what is said of the scope, of every component and action, every
//! alert, insight, note, assessment and request, the findings behind a standing
//! and the facts that are asked for. Wording is compared as written
//! ([`wording`]). How a statement is explained follows the form of a condition
//! and is not compared.

pub mod condition;
mod implications;
pub mod meaning;
pub mod outcome;
pub mod wording;
pub mod words;

use std::collections::{BTreeMap, BTreeSet};

use super::catalog::{ASSUMED, Catalog, Record, Side, Space};
use super::encode::Encoded;
use super::logic::{Lit, Logic, Model, Rails};
use crate::clinical::patient::List;
use crate::program::{Atom, AtomId, Program};
use crate::rule::model::{DiagnosisStatus, Fact};
use condition::{Claim, Condition, Literal, Speaker, is_range};
use meaning::Joint;
use outcome::{Encodings, Outcome, Outcomes, rules};
use words::Subject;

/// Most conditions that are listed of a subject.
const CONDITIONS: usize = 4;

/// Most that are listed of what is said beside the advice: reasons, and facts
/// that are asked for.
const CONDITIONS_BESIDE: usize = 1;

/// What changes.
#[derive(Debug, Default)]
pub struct Diff {
    /// Where answers differ, each with a record that shows it.
    pub entries: Vec<Entry>,
    /// Subjects of which more conditions are known to exist than are listed.
    pub more: Vec<Subject>,
    /// Subjects of which no record of the catalog shows a difference beyond the
    /// listed conditions, and it is not proven that there is none.
    pub beyond: Vec<Subject>,
    /// Subjects of which neither equality is proven nor a difference found.
    pub unproven: Vec<Subject>,
    /// Codes that only one package lists: equality is not proven of records
    /// with one of them.
    pub listed_once: Vec<String>,
    /// Changes of wording.
    pub wording: Vec<wording::Change>,
}

impl Diff {
    /// Is it proven that no answer differs, wording aside?
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.entries.is_empty() && self.unproven.is_empty() && self.listed_once.is_empty()
    }
}

/// A condition under which answers differ.
#[derive(Debug)]
pub struct Entry {
    /// What differs there.
    pub changes: Vec<Change>,
    /// Where: whatever else a record holds. None where the example alone is
    /// known.
    pub condition: Option<Condition>,
    /// A record that shows it.
    pub record: Record,
}

/// What is said of a subject before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Of what.
    pub subject: Subject,
    /// Before.
    pub old: Vec<String>,
    /// After.
    pub new: Vec<String>,
}

/// The list of which absence is assumed, for a fact.
#[must_use]
pub fn assumed_list(fact: &Fact) -> Option<List> {
    match fact {
        // What is said of the entries that there are.
        Fact::Diagnosis { status: DiagnosisStatus::Doubtful | DiagnosisStatus::Conflicting, .. } => None,
        Fact::Diagnosis { .. } | Fact::OnsetOrder { .. } => Some(List::Diagnoses),
        Fact::Medication { .. } => Some(List::Medications),
        _ => None,
    }
}

/// Pairs of facts of which the second is true where the first is.
#[must_use]
pub fn implied(atoms: &[Atom]) -> Vec<(AtomId, AtomId)> {
    let mut pairs = implications::between(atoms);
    // Of some events only the newest counts, and that may be too new.
    pairs.retain(|(_, second)| {
        let fact = atoms.get(second.at()).map(|atom| &atom.fact);
        !matches!(fact, Some(Fact::Event { window, .. }) if window.more_than.is_some())
    });
    pairs
}

/// Pairs of facts of which the first is false where the second is: ranges of
/// one quantity. That an event of any kind is too old, or a diagnosis is denied,
/// does not speak of each kind.
#[must_use]
pub fn ruled_out(atoms: &[Atom]) -> Vec<(AtomId, AtomId)> {
    let mut pairs = implications::between(atoms);
    let range = |id: &AtomId| atoms.get(id.at()).is_some_and(|atom| is_range(&atom.fact));
    pairs.retain(|(first, second)| range(first) && range(second));
    pairs
}

/// What changes from the old to the new package.
#[must_use]
pub fn compare(old: Side<'_>, new: Side<'_>) -> Diff {
    let sides = [old, new];
    let joint = Joint::new(&sides);
    let detailed = rebuilt(&sides, &joint);
    let mut diff = Diff {
        listed_once: meaning::listed_once(&sides),
        wording: wording::changes(old.package, new.package),
        ..Diff::default()
    };
    let mut free = World::free(&sides, &joint, &detailed);
    let possible: Vec<(Subject, Lit)> =
        free.differences().into_iter().filter(|(_, lit)| !free.logic.impossible(&[*lit])).collect();
    if possible.is_empty() {
        return diff;
    }
    let catalog = Catalog::new(&sides);
    let mut logic = Logic::new();
    let space = catalog.assert(&mut logic);
    let shown = World::catalog(&sides, &joint, &detailed, &space, logic);
    let subjects: Vec<Subject> = possible.into_iter().map(|(subject, _)| subject).collect();
    Search { free, shown, space, speaker: Speaker::new(&joint, &sides), joint: &joint }.run(&subjects, &mut diff);
    diff
}

/// Rules whose condition is not built alike in both packages: of those it is
/// compared which facts they ask for.
fn rebuilt(sides: &[Side<'_>], joint: &Joint) -> BTreeSet<String> {
    let numbers = joint.structure(sides);
    let mut conditions: BTreeMap<&str, Vec<Option<usize>>> = BTreeMap::new();
    for (side, numbers) in sides.iter().zip(&numbers) {
        for (compiled, _) in rules(*side) {
            conditions.entry(&compiled.id).or_default().push(numbers.get(compiled.node.at()).copied());
        }
    }
    let differ = conditions.into_iter().filter(|(_, found)| !matches!(found[..], [a, b] if a == b));
    differ.map(|(id, _)| id.to_owned()).collect()
}

/// Both packages in one space of records.
struct World {
    logic: Logic,
    /// By joint fact.
    facts: Vec<Rails>,
    /// For each list of [`ASSUMED`], by joint fact.
    relaxed: Vec<Vec<Rails>>,
    /// By joint fact.
    by_list: Vec<Lit>,
    outcomes: Vec<Outcomes>,
    differ: BTreeMap<Subject, Lit>,
}

impl World {
    /// Every record there could be: facts are free.
    fn free(sides: &[Side<'_>], joint: &Joint, detailed: &BTreeSet<String>) -> Self {
        let mut logic = Logic::new();
        let facts: Vec<Rails> = joint.atoms.iter().map(|_| logic.fresh_rails()).collect();
        for (a, b) in implied(&joint.atoms) {
            if let (Some(a), Some(b)) = (facts.get(a.at()).copied(), facts.get(b.at()).copied()) {
                logic.assert(&[!a.yes, b.yes]);
            }
        }
        for (a, b) in ruled_out(&joint.atoms) {
            if let (Some(a), Some(b)) = (facts.get(a.at()).copied(), facts.get(b.at()).copied()) {
                logic.assert(&[!b.no, a.no]);
            }
        }
        let mut relaxed = Vec::new();
        for list in ASSUMED {
            let of_list = joint.atoms.iter().zip(&facts).map(|(atom, rails)| {
                if assumed_list(&atom.fact) != Some(list) {
                    return *rails;
                }
                let no = logic.fresh();
                logic.assert(&[!no, rails.no]);
                Rails { yes: rails.yes, no }
            });
            relaxed.push(of_list.collect());
        }
        let never = logic.never();
        let by_list = joint
            .atoms
            .iter()
            .map(|atom| if assumed_list(&atom.fact).is_some() && !atom.absent_unknown { logic.fresh() } else { never });
        let by_list = by_list.collect();
        Self::told(sides, joint, detailed, logic, facts, relaxed, by_list)
    }

    /// The records of a catalog.
    fn catalog(
        sides: &[Side<'_>],
        joint: &Joint,
        detailed: &BTreeSet<String>,
        space: &Space<'_>,
        logic: Logic,
    ) -> Self {
        let nowhere = Rails { yes: logic.never(), no: logic.never() };
        let of = |atoms: &dyn Fn(usize) -> Vec<Rails>| -> Vec<Rails> {
            let lists = [atoms(0), atoms(1)];
            let rails = |(side, index): &(usize, usize)| lists.get(*side).and_then(|list| list.get(*index)).copied();
            joint.home.iter().map(|home| rails(home).unwrap_or(nowhere)).collect()
        };
        let facts = of(&|side| space.atoms(side).to_vec());
        let relaxed = ASSUMED.iter().map(|list| of(&|side| space.relaxed(*list, side).to_vec())).collect();
        let by_list = vec![logic.never(); joint.atoms.len()];
        Self::told(sides, joint, detailed, logic, facts, relaxed, by_list)
    }

    fn told(
        sides: &[Side<'_>],
        joint: &Joint,
        detailed: &BTreeSet<String>,
        mut logic: Logic,
        facts: Vec<Rails>,
        relaxed: Vec<Vec<Rails>>,
        by_list: Vec<Lit>,
    ) -> Self {
        let mut outcomes = Vec::new();
        for (side, one) in sides.iter().enumerate() {
            let places = joint.of.get(side).map(Vec::as_slice).unwrap_or_default();
            let encodings = Encodings {
                normal: encoded(&mut logic, one.program, places, &facts),
                relaxed: ASSUMED
                    .into_iter()
                    .zip(&relaxed)
                    .map(|(list, facts)| (list, encoded(&mut logic, one.program, places, facts)))
                    .collect(),
                by_list: places.iter().filter_map(|place| by_list.get(*place).copied()).collect(),
            };
            outcomes.push(outcome::all(&mut logic, *one, &encodings, detailed));
        }
        let mut world = Self { logic, facts, relaxed, by_list, outcomes, differ: BTreeMap::new() };
        world.tell_apart();
        world
    }

    /// Where each subject differs.
    fn tell_apart(&mut self) {
        let [old, new] = &self.outcomes[..] else { return };
        let subjects: BTreeSet<&Subject> = old.keys().chain(new.keys()).collect();
        let none = Outcome::default();
        let never = self.logic.never();
        let mut differ: BTreeMap<Subject, Lit> = BTreeMap::new();
        for subject in subjects {
            let (old, new) = (old.get(subject).unwrap_or(&none), new.get(subject).unwrap_or(&none));
            let words: BTreeSet<&String> = old.said.keys().chain(new.said.keys()).collect();
            let apart: Vec<Lit> = words
                .into_iter()
                .map(|words| {
                    let [old, new] = [old, new].map(|one| one.said.get(words).copied().unwrap_or(never));
                    either(&mut self.logic, old, new)
                })
                .collect();
            let mut apart = self.logic.or(&apart);
            if let Subject::Reasons(code) = subject
                && let Some(standing) = differ.get(&Subject::Component(code.clone()))
            {
                apart = self.logic.and(&[apart, !*standing]);
            }
            differ.insert(subject.clone(), apart);
        }
        self.differ = differ;
    }

    fn differences(&self) -> Vec<(Subject, Lit)> {
        let never = self.logic.never();
        self.differ.iter().filter(|(_, lit)| **lit != never).map(|(subject, lit)| (subject.clone(), *lit)).collect()
    }

    /// What both sides say of a subject in a model.
    fn change(&self, subject: &Subject, model: &Model) -> Change {
        let said = |side: usize| -> Vec<String> {
            let outcome = self.outcomes.get(side).and_then(|outcomes| outcomes.get(subject));
            let all = outcome.into_iter().flat_map(|outcome| &outcome.said);
            all.filter(|(_, lit)| model.holds(**lit)).map(|(words, _)| words.clone()).collect()
        };
        Change { subject: subject.clone(), old: said(0), new: said(1) }
    }

    /// The proposition that a subject changes as told: in one of its values from
    /// this to that, in a list of them by those that come and go.
    fn changes(&mut self, change: &Change) -> Lit {
        let never = self.logic.never();
        let mut parts = Vec::new();
        for (side, here, there) in [(0, &change.old, &change.new), (1, &change.new, &change.old)] {
            let Some(outcome) = self.outcomes.get(side).and_then(|outcomes| outcomes.get(&change.subject)) else {
                continue;
            };
            let of = |words: &String| outcome.said.get(words).copied().unwrap_or(never);
            parts.extend(here.iter().filter(|words| !there.contains(words)).map(of));
            parts.extend(there.iter().filter(|words| !here.contains(words)).map(|words| !of(words)));
            if change.subject.is_single() && here.is_empty() {
                parts.extend(outcome.said.values().map(|lit| !*lit));
            }
        }
        self.logic.and(&parts)
    }

    /// A claim as a proposition.
    fn claim(&self, (place, claim): Literal) -> Lit {
        let never = self.logic.never();
        let rails = self.facts.get(place).copied().unwrap_or(Rails { yes: never, no: never });
        let relaxed =
            |list: usize| self.relaxed.get(list).and_then(|facts| facts.get(place)).map_or(never, |rails| rails.no);
        match claim {
            Claim::True => rails.yes,
            Claim::False => rails.no,
            Claim::NotTrue => !rails.yes,
            Claim::NotFalse => !rails.no,
            Claim::Stated(list) => relaxed(list),
            Claim::NotStated(list) => !relaxed(list),
            Claim::AskedAlone => !self.by_list.get(place).copied().unwrap_or(never),
        }
    }
}

fn either(logic: &mut Logic, a: Lit, b: Lit) -> Lit {
    if a == b {
        return logic.never();
    }
    let (one, other) = (logic.and(&[a, !b]), logic.and(&[!a, b]));
    logic.or(&[one, other])
}

fn encoded(logic: &mut Logic, program: &Program, places: &[usize], facts: &[Rails]) -> Encoded {
    let atoms: Vec<Rails> = places.iter().filter_map(|place| facts.get(*place).copied()).collect();
    Encoded::new(logic, program, &atoms)
}

/// The conditions that were found of each subject, as propositions of the free
/// space and of the catalog.
type Found = BTreeMap<Subject, Vec<(Lit, Lit)>>;

/// Looks for records that show differences, and for what brings them about.
struct Search<'a> {
    free: World,
    shown: World,
    space: Space<'a>,
    speaker: Speaker<'a>,
    joint: &'a Joint,
}

impl Search<'_> {
    fn run(&mut self, subjects: &[Subject], diff: &mut Diff) {
        let mut found: Found = BTreeMap::new();
        for subject in subjects {
            let most =
                if matches!(subject, Subject::Reasons(_) | Subject::Asked(_)) { CONDITIONS_BESIDE } else { CONDITIONS };
            let Some(differs) = self.shown.differ.get(subject).copied() else { continue };
            loop {
                let mut assumed = vec![differs];
                let known = found.get(subject).map(Vec::as_slice).unwrap_or_default();
                assumed.extend(known.iter().map(|(_, here)| !*here));
                let listed = assumed.len().saturating_sub(1);
                if listed >= most {
                    if self.shown.logic.solve(&assumed).is_some() {
                        diff.more.push(subject.clone());
                    }
                    break;
                }
                let Some(model) = self.space.smallest(&mut self.shown.logic, &assumed) else {
                    if listed == 0 {
                        diff.unproven.push(subject.clone());
                    } else {
                        let mut assumed: Vec<Lit> = self.free.differ.get(subject).copied().into_iter().collect();
                        assumed.extend(known.iter().map(|(everywhere, _)| !*everywhere));
                        if !self.free.logic.impossible(&assumed) {
                            diff.beyond.push(subject.clone());
                        }
                    }
                    break;
                };
                let model = self.space.plainer(&mut self.shown.logic, &assumed, model);
                let general = self.entry(subject, subjects, &model, &mut found, diff);
                if !general {
                    // Only the example is known, so that the next could be the same.
                    diff.more.push(subject.clone());
                    break;
                }
            }
        }
    }

    /// Tells what a record shows. False where what brings it about is not known.
    fn entry(
        &mut self,
        subject: &Subject,
        subjects: &[Subject],
        model: &Model,
        found: &mut Found,
        diff: &mut Diff,
    ) -> bool {
        let change = self.shown.change(subject, model);
        let literals = self.cause(&change, model);
        let record = self.space.record(model);
        let Some(literals) = literals else {
            diff.entries.push(Entry { changes: vec![change], condition: None, record });
            return false;
        };
        // What else changes under the same condition is told with it.
        let here = self.telling(&literals);
        found.entry(subject.clone()).or_default().push(here);
        let mut changes = vec![change];
        for other in subjects.iter().filter(|other| *other != subject) {
            let differs = self.shown.differ.get(other).is_some_and(|lit| model.holds(*lit));
            let known = found.get(other).is_some_and(|known| known.iter().any(|(_, lit)| model.holds(*lit)));
            if !differs || known {
                continue;
            }
            let change = self.shown.change(other, model);
            if self.follows(&change, &literals) && !self.follows_from_fewer(&change, &literals) {
                found.entry(other.clone()).or_default().push(here);
                changes.push(change);
            }
        }
        changes.sort_by(|a, b| a.subject.cmp(&b.subject));
        diff.entries.push(Entry { changes, condition: Some(self.speaker.condition(&literals)), record });
        true
    }

    /// The facts of a condition that tell it from others, in both spaces. What
    /// else must not be so for the change to show is not told apart.
    fn telling(&mut self, literals: &[Literal]) -> (Lit, Lit) {
        let mut telling: Vec<Literal> = literals.iter().copied().filter(|one| self.tells(*one)).collect();
        if telling.is_empty() {
            telling = literals.to_vec();
        }
        let free: Vec<Lit> = telling.iter().map(|literal| self.free.claim(*literal)).collect();
        let shown: Vec<Lit> = telling.iter().map(|literal| self.shown.claim(*literal)).collect();
        (self.free.logic.and(&free), self.shown.logic.and(&shown))
    }

    fn tells(&self, (place, claim): Literal) -> bool {
        let range = self.joint.atoms.get(place).is_some_and(|atom| is_range(&atom.fact));
        matches!(claim, Claim::True | Claim::NotFalse) || range && claim == Claim::False
    }

    /// Do the claims bring the change about, whatever else is so?
    fn follows(&mut self, change: &Change, literals: &[Literal]) -> bool {
        let mut assumed: Vec<Lit> = literals.iter().map(|literal| self.free.claim(*literal)).collect();
        assumed.push(!self.free.changes(change));
        self.free.logic.impossible(&assumed)
    }

    /// Would the change come about without one of the telling facts?
    fn follows_from_fewer(&mut self, change: &Change, literals: &[Literal]) -> bool {
        (0..literals.len()).any(|at| {
            let mut fewer = literals.to_vec();
            let left_out = fewer.remove(at);
            self.tells(left_out) && self.follows(change, &fewer)
        })
    }

    /// A smallest set of claims, true of the record, that bring the change about
    /// in every record.
    fn cause(&mut self, change: &Change, model: &Model) -> Option<Vec<Literal>> {
        let not = !self.free.changes(change);
        let literals = self.literals(model);
        let lits: Vec<Lit> = literals.iter().map(|literal| self.free.claim(*literal)).collect();
        let mut assumed = lits.clone();
        assumed.push(not);
        if !self.free.logic.impossible(&assumed) {
            return None;
        }
        let core = self.free.logic.core(&assumed);
        let mut kept: Vec<Literal> =
            literals.into_iter().zip(lits).filter(|(_, lit)| core.contains(lit)).map(|(literal, _)| literal).collect();
        let mut at = 0;
        while at < kept.len() {
            let mut fewer = kept.clone();
            fewer.remove(at);
            if self.follows(change, &fewer) {
                kept = fewer;
            } else {
                at = at.saturating_add(1);
            }
        }
        kept.sort_unstable();
        Some(kept)
    }

    /// What is true of a record, the strongest and the least telling first: those
    /// are dropped where they can be.
    fn literals(&self, model: &Model) -> Vec<Literal> {
        let mut ranked: Vec<(u8, Literal)> = Vec::new();
        for (place, rails) in self.shown.facts.iter().enumerate() {
            let mut add = |rank: u8, claim: Claim| ranked.push((rank, (place, claim)));
            let range = self.joint.atoms.get(place).is_some_and(|atom| is_range(&atom.fact));
            let (yes, no) = (model.holds(rails.yes), model.holds(rails.no));
            match (yes, no) {
                (true, _) => add(5, Claim::True),
                // What lies between two ranges is said as one.
                (_, true) if range => add(4, Claim::False),
                (_, true) => {
                    add(1, Claim::False);
                    add(3, Claim::NotTrue);
                }
                _ => {
                    add(2, Claim::NotFalse);
                    add(3, Claim::NotTrue);
                }
            }
            for (list, relaxed) in self.shown.relaxed.iter().enumerate() {
                let for_sure = relaxed.get(place).is_some_and(|rails| model.holds(rails.no));
                let of_list = self.joint.atoms.get(place).and_then(|atom| assumed_list(&atom.fact));
                if of_list == ASSUMED.get(list).copied() && of_list.is_some() {
                    add(0, if for_sure { Claim::Stated(list) } else { Claim::NotStated(list) });
                }
            }
            if self.free.by_list.get(place).is_some_and(|lit| *lit != self.free.logic.never()) {
                add(0, Claim::AskedAlone);
            }
        }
        ranked.sort_unstable();
        ranked.into_iter().map(|(_, literal)| literal).collect()
    }
}
