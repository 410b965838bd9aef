//! What the facts of two packages mean: facts of the same meaning are one fact,
//! whatever the packages call what they speak of.
//!
//! A fact means the codes of its concepts, with what is read from an entry
//! besides its code, and the words of the vocabulary that it tells apart. Where
//! any of that differs, the facts are different ones, and nothing is known of
//! how they hang together.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::analysis::catalog::Side;
use crate::clinical::concept::{ConceptDef, ConceptKind};
use crate::program::{Atom, AtomId, Formula};
use crate::rule::disorder::Disorders;
use crate::rule::model::{Concept, Fact, Name, Package};

/// The facts of two packages as one list.
#[derive(Debug)]
pub struct Joint {
    /// Each fact once, its concepts named by their meaning.
    pub atoms: Vec<Atom>,
    /// For each side, the joint fact of each of its atoms.
    pub of: Vec<Vec<usize>>,
    /// For each joint fact, a side that has it and its place there.
    pub home: Vec<(usize, usize)>,
}

/// Names for meanings, given out in the order of asking.
#[derive(Default)]
struct Meanings {
    known: BTreeMap<String, usize>,
}

impl Meanings {
    fn name(&mut self, meaning: &Value) -> String {
        let next = self.known.len();
        format!("m{}", self.known.entry(meaning.to_string()).or_insert(next))
    }
}

impl Joint {
    /// Joins the facts of the sides.
    #[must_use]
    pub fn new(sides: &[Side<'_>]) -> Self {
        let mut meanings = Meanings::default();
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        let mut joint = Self { atoms: Vec::new(), of: Vec::new(), home: Vec::new() };
        for (side, one) in sides.iter().enumerate() {
            let mut places = Vec::new();
            for (index, atom) in one.program.atoms.iter().enumerate() {
                let fact = renamed(&atom.fact, one.package, &mut meanings);
                let key = json!([atom.absent_unknown, fact]).to_string();
                let place = *known.entry(key).or_insert_with(|| {
                    joint.atoms.push(Atom { fact, absent_unknown: atom.absent_unknown, text: atom.text.clone() });
                    joint.home.push((side, index));
                    joint.atoms.len().saturating_sub(1)
                });
                places.push(place);
            }
            joint.of.push(places);
        }
        joint
    }

    /// Numbers for the formulas of each side: the same number, the same formula
    /// over the same facts, asked for by the same questions.
    #[must_use]
    pub fn structure(&self, sides: &[Side<'_>]) -> Vec<Vec<usize>> {
        let mut known: BTreeMap<(u8, u32, String, Vec<usize>), usize> = BTreeMap::new();
        let mut numbered = Vec::new();
        for (side, one) in sides.iter().enumerate() {
            let mut numbers: Vec<usize> = Vec::new();
            for formula in &one.program.nodes {
                let mut parts: Vec<usize> =
                    formula.parts().iter().filter_map(|part| numbers.get(part.at()).copied()).collect();
                parts.sort_unstable();
                let key = match formula {
                    Formula::Atom(atom) => {
                        let place = self.place(side, *atom);
                        let question = one.program.atoms.get(atom.at()).map(|atom| question(one.package, &atom.fact));
                        (0, 0, question.flatten().unwrap_or_default(), vec![place])
                    }
                    Formula::And(_) => (1, 0, String::new(), distinct(parts)),
                    Formula::Or(_) => (2, 0, String::new(), distinct(parts)),
                    Formula::Not(_) => (3, 0, String::new(), parts),
                    Formula::AtLeast(count, _) => (4, *count, String::new(), parts),
                    Formula::Known(_) => (5, 0, String::new(), parts),
                    Formula::Certain(_) => (6, 0, String::new(), parts),
                };
                let next = known.len();
                numbers.push(*known.entry(key).or_insert(next));
            }
            numbered.push(numbers);
        }
        numbered
    }

    /// The joint fact of an atom of a side.
    #[must_use]
    pub fn place(&self, side: usize, atom: AtomId) -> usize {
        self.of.get(side).and_then(|places| places.get(atom.at())).copied().unwrap_or(usize::MAX)
    }
}

fn distinct(mut parts: Vec<usize>) -> Vec<usize> {
    parts.dedup();
    parts
}

/// A fact with its names replaced by what they mean.
fn renamed(fact: &Fact, package: &Package, meanings: &mut Meanings) -> Fact {
    let mut fact = fact.clone();
    match &mut fact {
        Fact::Diagnosis { concepts, .. }
        | Fact::Allergy { concepts }
        | Fact::Observation { concepts, .. }
        | Fact::Plan { concepts, .. } => name_concepts(concepts, package, meanings),
        Fact::Medication { concepts, given_for, not_given_for, .. } => {
            for list in [concepts, given_for, not_given_for] {
                name_concepts(list, package, meanings);
            }
        }
        Fact::OnsetOrder { first, then, .. } => {
            name_concepts(first, package, meanings);
            name_concepts(then, package, meanings);
        }
        Fact::Event { types, substances, .. } => {
            for kind in types {
                let newest = package.vocabulary.events.iter().any(|word| word.newest && word.id.value == kind.value);
                if newest {
                    kind.value = meanings.name(&json!({"newest": kind.value}));
                }
            }
            for class in substances {
                class.value = meanings.name(&substance(package, &class.value));
            }
        }
        _ => {}
    }
    fact
}

fn name_concepts(names: &mut [Name], package: &Package, meanings: &mut Meanings) {
    for name in names.iter_mut() {
        name.value = match concept(package, &name.value) {
            Some(concept) => meanings.name(&meaning(package, concept)),
            None => meanings.name(&json!({"unknown": name.value})),
        };
    }
    names.sort_by(|a, b| a.value.cmp(&b.value));
}

fn concept<'a>(package: &'a Package, id: &str) -> Option<&'a Concept> {
    package.concepts.iter().find(|concept| concept.def.id == id)
}

/// What a concept means: its codes, and what is read from an entry with one.
fn meaning(package: &Package, concept: &Concept) -> Value {
    let context = match concept.def.kind {
        // An active code older than this can't be counted on.
        ConceptKind::Diagnosis => {
            let look_back = package.parameters.iter().find(|one| one.id.value == "diagnosis_look_back");
            json!([look_back.map(|one| &one.value), disorders(package, concept)])
        }
        ConceptKind::Medication => Value::Null,
        // A result in words is read by the answers, one in numbers by the unit
        // of any concept that shares its code.
        ConceptKind::Observation => {
            let own = listed(package, &concept.def);
            let sharing = package.concepts.iter().filter(|other| {
                other.def.kind == ConceptKind::Observation && !own.is_disjoint(&listed(package, &other.def))
            });
            let mut units: Vec<Value> =
                sharing.map(|other| json!([codes(package, &other.def), units(other)])).collect();
            units.sort_by_key(Value::to_string);
            json!([package.vocabulary.answers, units])
        }
    };
    json!({
        "kind": concept.def.kind,
        "codes": codes(package, &concept.def),
        "units": units(concept),
        "context": context,
    })
}

/// Which of the codes of a concept belong to which declared disorders, and what
/// is read of those from an entry.
fn disorders(package: &Package, concept: &Concept) -> Value {
    let all = Disorders::new(&package.concepts);
    let Some(at) = package.concepts.iter().position(|one| one.def.id == concept.def.id) else { return Value::Null };
    let of = |at: usize| package.concepts.get(at);
    let declared = |at: usize| {
        let remission = all.remission(at).and_then(of).map(|concept| codes(package, &concept.def));
        json!([of(at).map(|one| codes(package, &one.def)), remission, all.relapsing(at)]).to_string()
    };
    let mut parts: BTreeMap<BTreeSet<String>, BTreeSet<String>> = BTreeMap::new();
    for part in all.tree(at) {
        let Some(one) = of(part) else { continue };
        let above = all.above(part).iter().map(|disorder| declared(*disorder)).collect();
        parts.entry(above).or_default().extend(own_codes(&one.def));
    }
    let whole: BTreeSet<String> = all.tree(at).filter(|part| all.above(*part).contains(part)).map(declared).collect();
    json!([parts.into_iter().collect::<Vec<_>>(), whole])
}

fn units(concept: &Concept) -> Value {
    json!([concept.unit, concept.molar_mass, concept.valence])
}

/// The concept and all that it includes.
fn closure<'a>(package: &'a Package, def: &'a ConceptDef) -> Vec<&'a ConceptDef> {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut next = vec![def];
    let mut found = Vec::new();
    while let Some(def) = next.pop() {
        if seen.insert(&def.id) {
            found.push(def);
            next.extend(def.includes.iter().filter_map(|id| concept(package, id)).map(|concept| &concept.def));
        }
    }
    found
}

/// The codes of a concept and of what it includes, gathered by the exceptions
/// that they are read with.
fn codes(package: &Package, def: &ConceptDef) -> Value {
    let mut gathered: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for def in closure(package, def) {
        let mut except = [def.rxnorm_except.clone(), def.without_ingredients.clone()];
        for list in &mut except {
            list.sort();
        }
        let mut encounters = def.encounters_except.clone();
        encounters.sort_unstable();
        let entries = own_codes(def);
        if !entries.is_empty() {
            gathered.entry(json!([except, encounters]).to_string()).or_default().extend(entries);
        }
    }
    json!(gathered)
}

fn own_codes(def: &ConceptDef) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    found.extend(def.icd10cm.iter().map(|entry| format!("ICD-10-CM {entry}")));
    found.extend(def.icd10cm_retired.iter().map(|entry| format!("retired {entry}")));
    found.extend(def.rxnorm_ingredients.iter().map(|code| format!("ingredient {code}")));
    found.extend(exact_codes(def));
    found
}

/// Codes that are understood because a package lists them.
fn exact_codes(def: &ConceptDef) -> impl Iterator<Item = String> + '_ {
    let lists =
        [("SNOMED CT", &def.snomed), ("LOINC", &def.loinc), ("Concord", &def.local), ("RxNorm", &def.rxnorm_products)];
    lists.into_iter().flat_map(|(system, list)| list.iter().map(move |code| format!("{system} {code}")))
}

fn listed(package: &Package, def: &ConceptDef) -> BTreeSet<String> {
    closure(package, def).into_iter().flat_map(exact_codes).collect()
}

/// Codes that one of the packages alone lists: an entry with no other code is
/// one that the other package can't read.
#[must_use]
pub fn listed_once(sides: &[Side<'_>]) -> Vec<String> {
    let all = |side: &Side<'_>| -> BTreeSet<String> {
        side.package.concepts.iter().flat_map(|concept| exact_codes(&concept.def)).collect()
    };
    let lists: Vec<BTreeSet<String>> = sides.iter().map(all).collect();
    let [old, new] = &lists[..] else { return Vec::new() };
    old.symmetric_difference(new).cloned().collect()
}

/// What each word of a substance says of a class.
fn substance(package: &Package, class: &str) -> Value {
    let (mut of, mut other) = (BTreeSet::new(), BTreeSet::new());
    for one in &package.vocabulary.substances {
        if one.id.value == class || one.classes.iter().any(|known| known == class) {
            of.insert(one.id.value.as_str());
        } else if !one.unspecific {
            other.insert(one.id.value.as_str());
        }
    }
    json!({"substance": of, "not": other})
}

/// The question that an unknown fact is asked for by, as its key in an answer.
#[must_use]
pub fn question(package: &Package, fact: &Fact) -> Option<String> {
    let words = &package.vocabulary;
    let first = |names: &[Name]| names.first().map_or_else(String::new, |name| name.value.clone());
    let asked = |kind: &str, list: &[crate::rule::model::Word], names: &[Name]| {
        let id = first(names);
        let ask = list.iter().find(|word| word.id.value == id).and_then(|word| word.ask.as_ref());
        ask.map_or_else(|| format!("{kind}-{id}"), |ask| ask.id.clone())
    };
    let grouped = |kind: &str, names: &[Name]| {
        let id = first(names);
        let group = package.questions.iter().find(|one| one.concepts.iter().any(|concept| concept.value == id));
        group.map_or_else(|| format!("{kind}-{id}"), |group| group.id.value.clone())
    };
    Some(match fact {
        Fact::Diagnosis { concepts, .. } => format!("diagnosis-{}", first(concepts)),
        Fact::OnsetOrder { .. } => "onset-of-disorders".to_owned(),
        Fact::Medication { concepts, .. } => grouped("medication", concepts),
        Fact::Observation { concepts, .. } => grouped("observation", concepts),
        Fact::Allergy { .. } => "allergies".to_owned(),
        Fact::Event { types, .. } => asked("event", &words.events, types),
        Fact::History { codes } => asked("history", &words.history, codes),
        Fact::Plan { kinds, .. } => asked("plan", &words.plans, kinds),
        Fact::Preference { codes } => asked("preference", &words.preferences, codes),
        Fact::Age(_) => "age".to_owned(),
        Fact::Sex(_) => "sex".to_owned(),
        Fact::Pregnancy(_) => "pregnancy".to_owned(),
        Fact::Lactation(_) => "lactation".to_owned(),
        Fact::ChildbearingPotential(_) => "childbearing-potential".to_owned(),
        Fact::Setting { .. } => "setting".to_owned(),
        Fact::InForce { .. } => return None,
    })
}
