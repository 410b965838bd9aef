//! What every part of the handbook asks of the package: places, titles, who
//! uses what.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::diag::Span;
use crate::program::compile::compile;
use crate::program::describe::Describer;
use crate::program::{AtomId, Formula, NodeId, Op, Outline, Program};
use crate::rule::model::{Definition, Fact, Name, Package, Parameter, Rule, RuleStatus};
use crate::rule::truth::Truth;
use crate::ruleset::Ruleset;
use crate::ruleset::attributes::Declared;

use super::model::{Anchor, Exercise, Piece};

/// A package, compiled with its drafts, and what is found in it.
pub struct Book<'a> {
    pub ruleset: &'a Ruleset,
    pub package: &'a Package,
    pub declared: Declared<'a>,
    pub exercise: &'a Exercise,
    pub describer: Describer<'a>,
    program: Cow<'a, Program>,
    /// What each rule's own condition and the definitions it names ask for.
    own: BTreeMap<&'a str, Vec<AtomId>>,
    /// Definitions that each rule names, by way of others too.
    named: BTreeMap<&'a str, BTreeSet<String>>,
    cases: BTreeMap<&'a str, (Anchor, &'a str)>,
}

impl<'a> Book<'a> {
    pub fn new(ruleset: &'a Ruleset, exercise: &'a Exercise) -> Self {
        let package = ruleset.package();
        let mut book = Self {
            ruleset,
            package,
            declared: Declared::of(package),
            exercise,
            describer: Describer::new(package),
            program: with_inactive(ruleset),
            own: BTreeMap::new(),
            named: BTreeMap::new(),
            cases: cases(exercise),
        };
        for rule in &package.rules {
            let (mut atoms, mut named) = (Vec::new(), BTreeSet::new());
            if let Some(outline) = book.condition(rule) {
                book.collect(outline, &mut atoms, &mut named);
            }
            atoms.sort_unstable();
            atoms.dedup();
            book.own.insert(&rule.id.value, atoms);
            book.named.insert(&rule.id.value, named);
        }
        book
    }

    fn collect(&self, outline: &Outline, atoms: &mut Vec<AtomId>, named: &mut BTreeSet<String>) {
        match &outline.op {
            Op::Atom => atoms.extend(self.atom(outline.node)),
            Op::Definition(id) => {
                named.insert(id.clone());
            }
            _ => {}
        }
        for part in &outline.parts {
            self.collect(part, atoms, named);
        }
    }

    /// The condition of a rule, active or not.
    pub fn condition(&self, rule: &Rule) -> Option<&Outline> {
        if rule.status == RuleStatus::Active {
            return self.program.rules.iter().find(|one| one.id == rule.id.value).map(|one| &one.outline);
        }
        self.definition(&stand_in(&rule.id.value))
    }

    /// The condition of a definition.
    pub fn definition(&self, id: &str) -> Option<&Outline> {
        self.program.definitions.iter().find(|one| one.id == id).map(|one| &one.outline)
    }

    fn atom(&self, node: NodeId) -> Option<AtomId> {
        match self.program.nodes.get(node.at()) {
            Some(Formula::Atom(atom)) => Some(*atom),
            _ => None,
        }
    }

    /// The fact of a formula that is one atom.
    pub fn fact(&self, node: NodeId) -> Option<&Fact> {
        self.atom(node).and_then(|atom| self.fact_of(atom))
    }

    pub fn fact_of(&self, atom: AtomId) -> Option<&Fact> {
        self.program.atoms.get(atom.at()).map(|atom| &atom.fact)
    }

    /// Facts that a rule's own condition and the definitions it names ask for.
    pub fn own_facts(&self, rule: &str) -> impl Iterator<Item = &Fact> {
        self.own.get(rule).into_iter().flatten().filter_map(|atom| self.fact_of(*atom))
    }

    /// Every fact that the truth of a rule can rest on, what `proposed` and
    /// `offered` stand for among them.
    pub fn all_facts(&self, rule: &Rule) -> Vec<&Fact> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<NodeId> = self.condition(rule).map(|outline| outline.node).into_iter().collect();
        while let Some(node) = open.pop() {
            if seen.insert(node) {
                open.extend(self.program.nodes.get(node.at()).map(Formula::parts).unwrap_or_default());
            }
        }
        seen.into_iter().filter_map(|node| self.fact(node)).collect()
    }

    /// Facts behind what a name in the statement is filled in from.
    pub fn bound(&self, rule: &str, name: &str) -> Vec<&str> {
        let compiled = self.program.rules.iter().find(|one| one.id == rule);
        let atoms = compiled.into_iter().flat_map(|rule| &rule.binds).filter(|(bind, _)| bind == name);
        let texts = atoms.flat_map(|(_, atoms)| atoms).filter_map(|atom| self.program.atoms.get(atom.at()));
        texts.map(|atom| atom.text.as_str()).collect()
    }

    /// Rules that name a definition, by way of others too.
    pub fn naming(&self, definition: &str) -> impl Iterator<Item = &'a Rule> {
        let package = self.package;
        package
            .rules
            .iter()
            .filter(move |rule| self.named.get(rule.id.value.as_str()).is_some_and(|named| named.contains(definition)))
    }

    /// Parameters whose values stand in a place.
    pub fn parameters_in(&self, span: Span) -> impl Iterator<Item = &'a Parameter> {
        let package = self.package;
        package.parameters.iter().filter(move |parameter| parameter.uses.iter().any(|place| span.holds(*place)))
    }

    /// Parameters that a rule rests on: in itself, or in a definition it names.
    pub fn parameters_of(&self, rule: &Rule) -> Vec<&'a Parameter> {
        let named = self.named.get(rule.id.value.as_str());
        let of = |definition: &&Definition| named.is_some_and(|named| named.contains(&definition.id.value));
        let spans = self.package.definitions.iter().filter(of).map(|definition| definition.when.span);
        let spans: Vec<Span> = spans.chain([rule.span]).collect();
        let stands =
            |parameter: &&Parameter| parameter.uses.iter().any(|place| spans.iter().any(|span| span.holds(*place)));
        self.package.parameters.iter().filter(stands).collect()
    }

    pub fn rule_named(&self, name: &Name) -> Piece {
        let rule = self.package.rules.iter().find(|rule| rule.id.value == name.value);
        rule.map_or_else(|| Piece::Code(name.value.clone()), rule_link)
    }

    pub fn component(&self, id: &str) -> Piece {
        self.link(self.package.components.iter().any(|one| one.id.value == id), "component", id, |book| {
            book.describer.component(id)
        })
    }

    pub fn definition_link(&self, id: &str) -> Piece {
        self.link(self.package.definitions.iter().any(|one| one.id.value == id), "definition", id, |book| {
            book.describer.definition(id)
        })
    }

    pub fn concept(&self, id: &str) -> Piece {
        self.link(self.package.concepts.iter().any(|one| one.def.id == id), "concept", id, |book| {
            book.describer.concept(id)
        })
    }

    fn link(&self, known: bool, kind: &str, id: &str, title: impl FnOnce(&Self) -> String) -> Piece {
        if known { Piece::Link { to: anchor(kind, id), text: title(self) } } else { Piece::Code(id.to_owned()) }
    }

    pub fn case(&self, id: &str, text: String) -> Piece {
        match self.cases.get(id) {
            Some((to, _)) => Piece::Link { to: to.clone(), text },
            None => Piece::Text(text),
        }
    }

    /// The cases: id, place, title.
    pub fn cases(&self) -> impl Iterator<Item = (&'a str, &Anchor, &'a str)> {
        self.cases.iter().map(|(id, (to, title))| (*id, to, *title))
    }

    /// How many rules a case leaves at a truth value.
    pub fn rules_at(&self, case: &str, truth: Truth) -> usize {
        let of = self.exercise.of.values().flatten();
        of.filter(|one| one.case == case && one.truth == truth).count()
    }
}

/// A rule by its title.
pub fn rule_link(rule: &Rule) -> Piece {
    Piece::Link { to: rule_anchor(&rule.id.value), text: rule.title.clone() }
}

/// Rules by their titles.
pub fn rule_links<'a>(rules: impl IntoIterator<Item = &'a Rule>) -> Vec<Piece> {
    rules.into_iter().map(rule_link).collect()
}

/// The place of a parameter with its value.
pub fn parameter(parameter: &Parameter) -> Piece {
    Piece::Link {
        to: anchor("parameter", &parameter.id.value),
        text: format!("{} = {}", parameter.id.value, parameter.value),
    }
}

pub fn anchor(kind: &str, id: &str) -> Anchor {
    Anchor(format!("{kind}-{id}"))
}

pub fn rule_anchor(id: &str) -> Anchor {
    anchor("rule", id)
}

/// Ids of cases are free text: what has no place in an id gives way, and ids
/// that fall together are counted.
fn cases(exercise: &Exercise) -> BTreeMap<&str, (Anchor, &str)> {
    let mut cases: BTreeMap<&str, (Anchor, &str)> = BTreeMap::new();
    for one in exercise.of.values().flatten() {
        cases.entry(&one.case).or_insert_with(|| (Anchor(String::new()), &one.title));
    }
    let mut taken = BTreeSet::new();
    for (id, (place, _)) in &mut cases {
        let safe = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
        let base: String = id.chars().map(safe).collect();
        let names = std::iter::once(base.clone()).chain((2_usize..).map(|count| format!("{base}--{count}")));
        *place = anchor("case", &names.into_iter().find(|name| taken.insert(name.clone())).unwrap_or(base));
    }
    cases
}

/// The id under which the condition of a rule that is not active is compiled:
/// no definition has one like it.
fn stand_in(rule: &str) -> String {
    format!("rule {rule}")
}

/// The compiled form, the conditions of rules that are not active in it as
/// definitions: they are read like the others and take part in nothing.
fn with_inactive(ruleset: &Ruleset) -> Cow<'_, Program> {
    let package = ruleset.package();
    let inactive: Vec<&Rule> = package.rules.iter().filter(|rule| rule.status != RuleStatus::Active).collect();
    if inactive.is_empty() {
        return Cow::Borrowed(ruleset.program());
    }
    let mut package = package.clone();
    package.definitions.extend(inactive.iter().map(|rule| Definition {
        id: Name::new(stand_in(&rule.id.value), rule.id.span),
        title: rule.title.clone(),
        when: rule.when.clone(),
    }));
    Cow::Owned(compile(&package))
}
