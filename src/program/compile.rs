//! From a checked package to its compiled form.

mod outcome;

use std::collections::{BTreeMap, HashMap};

use crate::diag::Span;
use crate::rule::model::{
    ActionName, Component, Conclusion, Condition, Fact, FactTest, Name, Package, RuleStatus, Spanned, WhenUnknown,
};

use super::describe::Describer;
use super::{
    Atom, AtomId, CompiledComponent, CompiledDefinition, CompiledInvariant, CompiledRule, CompiledScope, Formula,
    NodeId, Op, Outline, Program, SEMANTICS,
};

/// Compiles a package that was checked: every name in it is known, and nothing
/// rests on itself. (What is not so compiles to a formula that is never true.)
#[must_use]
pub fn compile(package: &Package) -> Program {
    compiled(package, false, |_| ()).0
}

/// Compiles a package with its invariants. The program is that of [`compile`]
/// with further atoms and formulas behind its own.
#[must_use]
pub fn with_invariants(package: &Package) -> (Program, Vec<CompiledInvariant>) {
    compiled(package, false, Compiler::invariants)
}

/// Compiles a package with its drafts. Drafts add and take nothing away: where
/// active rules alone make the condition of an active rule true, it is true,
/// and no draft outranks an active rule. Definitions, components and scope are
/// those of the package without drafts.
#[must_use]
pub fn compile_with_drafts(package: &Package) -> Program {
    compiled(package, true, |_| ()).0
}

fn compiled<'a, T>(package: &'a Package, drafts: bool, further: impl FnOnce(&mut Compiler<'a>) -> T) -> (Program, T) {
    let mut compiler = Compiler::new(package);
    let definitions = package.definitions.iter().map(|definition| {
        let outline = compiler.definition(&definition.id.value);
        CompiledDefinition { id: definition.id.value.clone(), node: outline.node, outline }
    });
    let definitions: Vec<_> = definitions.collect();
    let mut rules = compiler.rules();
    let components = compiler.components();
    let mut node_of = |name: &Option<Name>| name.as_ref().map(|name| compiler.definition(&name.value).node);
    let scope = CompiledScope {
        present: node_of(&package.scope.present),
        possible: node_of(&package.scope.possible),
        in_remission: node_of(&package.scope.in_remission),
    };
    if drafts {
        compiler.take_in_drafts(rules);
        rules = compiler.rules();
    }
    let further = further(&mut compiler);
    let (atoms, nodes) = (compiler.atoms, compiler.nodes);
    (Program { semantics: SEMANTICS, atoms, nodes, definitions, rules, components, scope }, further)
}

struct Compiler<'a> {
    package: &'a Package,
    describer: Describer<'a>,
    atoms: Vec<Atom>,
    atom_ids: HashMap<String, AtomId>,
    nodes: Vec<Formula>,
    node_ids: HashMap<Formula, NodeId>,
    definitions: BTreeMap<&'a str, &'a Spanned<Condition>>,
    compiled: HashMap<String, Outline>,
    conditions: HashMap<usize, NodeId>,
    /// Rules that outrank a rule, by its id.
    outrankers: HashMap<&'a str, Vec<usize>>,
    /// Rules that speak of a component, by its id.
    speaking: HashMap<&'a str, Vec<usize>>,
    /// Are drafts compiled too?
    drafts: bool,
    /// Active rules as they are compiled without drafts, by place in the package.
    settled: HashMap<usize, CompiledRule>,
    components: HashMap<&'a str, &'a Component>,
    proposed: HashMap<String, NodeId>,
    offered: HashMap<String, NodeId>,
}

impl<'a> Compiler<'a> {
    fn new(package: &'a Package) -> Self {
        let mut compiler = Self {
            package,
            describer: Describer::new(package),
            atoms: Vec::new(),
            atom_ids: HashMap::new(),
            nodes: Vec::new(),
            node_ids: HashMap::new(),
            definitions: package.definitions.iter().map(|one| (one.id.value.as_str(), &one.when)).collect(),
            compiled: HashMap::new(),
            conditions: HashMap::new(),
            outrankers: HashMap::new(),
            speaking: HashMap::new(),
            drafts: false,
            settled: HashMap::new(),
            components: package.components.iter().map(|one| (one.id.value.as_str(), one)).collect(),
            proposed: HashMap::new(),
            offered: HashMap::new(),
        };
        compiler.look_up_rules();
        compiler
    }

    fn look_up_rules(&mut self) {
        let package = self.package;
        self.outrankers.clear();
        self.speaking.clear();
        for (index, rule) in self.taken().filter_map(|index| Some((index, package.rules.get(index)?))) {
            for target in &rule.outranks {
                self.outrankers.entry(target.value.as_str()).or_default().push(index);
            }
            for component in rule.conclusion.components() {
                let rules = self.speaking.entry(component.value.as_str()).or_default();
                // A rule that names a component twice speaks of it once.
                if rules.last() != Some(&index) {
                    rules.push(index);
                }
            }
        }
    }

    /// From here on drafts are compiled too; what names no rule stays as it is.
    fn take_in_drafts(&mut self, settled: Vec<CompiledRule>) {
        self.drafts = true;
        self.settled = settled.into_iter().map(|rule| (rule.rule as usize, rule)).collect();
        self.compiled.clear();
        self.conditions.clear();
        self.proposed.clear();
        self.offered.clear();
        self.look_up_rules();
        // No draft takes out what an active rule found.
        let package = self.package;
        let draft = |index: &usize| package.rules.get(*index).is_some_and(|rule| rule.status == RuleStatus::Draft);
        for rule in package.rules.iter().filter(|rule| rule.status == RuleStatus::Active) {
            if let Some(above) = self.outrankers.get_mut(rule.id.value.as_str()) {
                above.retain(|index| !draft(index));
            }
        }
    }

    /// A condition as drafts leave it: true still where it is so without them.
    fn widened(&mut self, index: usize, with: Outline) -> Outline {
        let Some(without) = self.settled.get(&index).map(|rule| rule.outline.clone()) else { return with };
        if without.node == with.node {
            return with;
        }
        let node = self.intern(Formula::Or(vec![without.node, with.node]));
        let span = without.span;
        Outline { text: "one of these".to_owned(), node, op: Op::Any, parts: vec![without, with], span }
    }

    fn intern(&mut self, formula: Formula) -> NodeId {
        // A group of one is its part: fewer formulas to look at.
        if let Formula::And(parts) | Formula::Or(parts) = &formula
            && let [only] = parts[..]
        {
            return only;
        }
        if let Some(id) = self.node_ids.get(&formula) {
            return *id;
        }
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(formula.clone());
        self.node_ids.insert(formula, id);
        id
    }

    fn never(&mut self) -> NodeId {
        self.intern(Formula::Or(Vec::new()))
    }

    fn atom(&mut self, fact: Fact, absent_unknown: bool) -> AtomId {
        let key = format!("{absent_unknown}{}", serde_json::to_string(&fact).unwrap_or_default());
        if let Some(id) = self.atom_ids.get(&key) {
            return *id;
        }
        let id = AtomId(u32::try_from(self.atoms.len()).unwrap_or(u32::MAX));
        let text = self.describer.fact(&fact);
        self.atoms.push(Atom { fact, absent_unknown, text });
        self.atom_ids.insert(key, id);
        id
    }

    /// A test of several names is one atom a name, any of which will do.
    fn fact(&mut self, test: &FactTest) -> (NodeId, Vec<AtomId>) {
        let atoms: Vec<AtomId> =
            single_facts(&test.fact).into_iter().map(|fact| self.atom(fact, test.absent_unknown)).collect();
        let parts = atoms.iter().map(|atom| self.intern(Formula::Atom(*atom))).collect();
        (self.intern(Formula::Or(parts)), atoms)
    }

    fn definition(&mut self, id: &str) -> Outline {
        if let Some(outline) = self.compiled.get(id) {
            return outline.clone();
        }
        let outline = match self.definitions.get(id).copied() {
            Some(condition) => self.condition(condition, &mut Vec::new()),
            None => Outline::leaf(id.to_owned(), self.never(), Op::Any, Span::default()),
        };
        self.compiled.insert(id.to_owned(), outline.clone());
        outline
    }

    fn condition(&mut self, condition: &Spanned<Condition>, binds: &mut Vec<(String, Vec<AtomId>)>) -> Outline {
        match &condition.value {
            Condition::Fact(test) => {
                let (node, atoms) = self.fact(test);
                if let Some(name) = &test.bind {
                    binds.push((name.value.clone(), atoms.clone()));
                }
                self.fact_outline(node, &atoms, condition.span)
            }
            Condition::Definition(name) => {
                let inner = self.definition(&name.value);
                let title = self.describer.definition(&name.value);
                let op = Op::Definition(name.value.clone());
                Outline { text: title, node: inner.node, op, parts: vec![inner], span: condition.span }
            }
            Condition::Proposed(name) => {
                let node = self.proposed(&name.value);
                let what = self.describer.component(&name.value);
                let text = format!("{what} is recommended, considered, in use or planned");
                Outline::leaf(text, node, Op::Proposed(name.value.clone()), condition.span)
            }
            Condition::Offered(name) => {
                let node = self.offered(&name.value);
                let text = format!("{} is offered", self.describer.component(&name.value));
                Outline::leaf(text, node, Op::Offered(name.value.clone()), condition.span)
            }
            Condition::Parameter(test) => {
                let node = if test.holds { self.intern(Formula::And(Vec::new())) } else { self.never() };
                Outline::leaf(test.text.clone(), node, Op::Constant(test.holds), condition.span)
            }
            Condition::Outcome(outcome) => self.outcome(outcome, condition.span),
            _ => self.group(condition, binds),
        }
    }

    fn fact_outline(&mut self, node: NodeId, atoms: &[AtomId], span: Span) -> Outline {
        let leaf = |compiler: &mut Self, atom: AtomId| {
            let text = compiler.atoms.get(atom.at()).map_or_else(String::new, |atom| atom.text.clone());
            let node = compiler.intern(Formula::Atom(atom));
            Outline::leaf(text, node, Op::Atom, span)
        };
        match atoms {
            [only] => leaf(self, *only),
            several => {
                let parts = several.iter().map(|atom| leaf(self, *atom)).collect();
                Outline { text: "one of these".to_owned(), node, op: Op::Fact, parts, span }
            }
        }
    }

    fn group(&mut self, condition: &Spanned<Condition>, binds: &mut Vec<(String, Vec<AtomId>)>) -> Outline {
        let parts: Vec<Outline> =
            crate::rule::check::parts(condition).into_iter().map(|part| self.condition(part, binds)).collect();
        let nodes: Vec<NodeId> = parts.iter().map(|part| part.node).collect();
        let first = nodes.first().copied().unwrap_or(NodeId(0));
        let second = nodes.get(1).copied().unwrap_or(first);
        let (text, op, node) = match &condition.value {
            Condition::All(_) => ("all of these".to_owned(), Op::All, self.intern(Formula::And(nodes))),
            Condition::Any(_) => ("one of these".to_owned(), Op::Any, self.intern(Formula::Or(nodes))),
            Condition::None(_) => {
                let any = self.intern(Formula::Or(nodes));
                ("none of these".to_owned(), Op::None, self.intern(Formula::Not(any)))
            }
            Condition::AtLeast(count, _) => {
                let node = self.intern(Formula::AtLeast(*count, nodes));
                (format!("at least {count} of these"), Op::AtLeast(*count), node)
            }
            Condition::Known(_) => ("it is known whether".to_owned(), Op::Known, self.intern(Formula::Known(first))),
            Condition::Unknown(_) => {
                let known = self.intern(Formula::Known(first));
                ("it is not known whether".to_owned(), Op::Unknown, self.intern(Formula::Not(known)))
            }
            Condition::Implies(..) => {
                let not = self.intern(Formula::Not(first));
                let node = self.intern(Formula::Or(vec![not, second]));
                ("the first is false, or the second is true".to_owned(), Op::Implies, node)
            }
            Condition::Xor(..) => {
                let (not_first, not_second) = (self.intern(Formula::Not(first)), self.intern(Formula::Not(second)));
                let one = self.intern(Formula::And(vec![first, not_second]));
                let other = self.intern(Formula::And(vec![not_first, second]));
                ("one of the two, not both".to_owned(), Op::Xor, self.intern(Formula::Or(vec![one, other])))
            }
            _ => ("not".to_owned(), Op::Not, self.intern(Formula::Not(first))),
        };
        Outline { text, node, op, parts, span: condition.span }
    }

    fn rule_condition(&mut self, index: usize) -> NodeId {
        if let Some(node) = self.conditions.get(&index) {
            return *node;
        }
        let node = match self.package.rules.get(index) {
            Some(rule) => {
                let outline = self.condition(&rule.when, &mut Vec::new());
                self.widened(index, outline).node
            }
            None => self.never(),
        };
        self.conditions.insert(index, node);
        node
    }

    fn taken(&self) -> impl Iterator<Item = usize> + use<'a> {
        let (package, drafts) = (self.package, self.drafts);
        let taken = move |status| status == RuleStatus::Active || (drafts && status == RuleStatus::Draft);
        (0..package.rules.len()).filter(move |index| package.rules.get(*index).is_some_and(|rule| taken(rule.status)))
    }

    /// The condition of a rule, false while a true rule outranks it.
    fn counted(&mut self, index: usize) -> NodeId {
        let condition = self.rule_condition(index);
        let Some(rule) = self.package.rules.get(index) else { return condition };
        let mut parts = vec![condition];
        for other in self.outrankers.get(rule.id.value.as_str()).cloned().unwrap_or_default() {
            let settled = self.settled.get(&other).filter(|_| rule.status == RuleStatus::Active).map(|rule| rule.node);
            let above = match settled {
                Some(node) => node,
                None => self.rule_condition(other),
            };
            let certain = self.intern(Formula::Certain(above));
            parts.push(self.intern(Formula::Not(certain)));
        }
        self.intern(Formula::And(parts))
    }

    fn speaking_of(&self, component: &str) -> Vec<usize> {
        self.speaking.get(component).cloned().unwrap_or_default()
    }

    fn in_use(&mut self, component: &str) -> (Option<NodeId>, Option<NodeId>) {
        let Some(found) = self.components.get(component).copied() else { return (None, None) };
        let mut node = |name: &Option<Name>| name.as_ref().map(|name| self.definition(&name.value).node);
        (node(&found.current), node(&found.planned))
    }

    fn proposed(&mut self, component: &str) -> NodeId {
        if let Some(node) = self.proposed.get(component) {
            return *node;
        }
        let node = self.proposed_anew(component);
        self.proposed.insert(component.to_owned(), node);
        node
    }

    fn proposed_anew(&mut self, component: &str) -> NodeId {
        let (current, planned) = self.in_use(component);
        let mut parts: Vec<NodeId> = current.into_iter().chain(planned).collect();
        for index in self.speaking_of(component) {
            let offers = self.package.rules.get(index).is_some_and(|rule| is_offer(&rule.conclusion));
            if offers {
                parts.push(self.rule_condition(index));
            }
        }
        self.intern(Formula::Or(parts))
    }

    fn offered(&mut self, component: &str) -> NodeId {
        if let Some(node) = self.offered.get(component) {
            return *node;
        }
        let node = self.offered_anew(component);
        self.offered.insert(component.to_owned(), node);
        node
    }

    /// Offers without a contraindication that counts; unknown at verify first.
    fn offered_anew(&mut self, component: &str) -> NodeId {
        let (current, _) = self.in_use(component);
        let (mut offers, mut against) = (Vec::new(), Vec::new());
        for index in self.speaking_of(component) {
            let Some(rule) = self.package.rules.get(index) else { continue };
            let counted = self.counted(index);
            if is_offer(&rule.conclusion) {
                offers.push(counted);
                continue;
            }
            let Some(counts) = self.action_counts(rule.conclusion.actions(), current) else { continue };
            let weight = match (&rule.conclusion, rule.unknown) {
                (Conclusion::Contraindicate { .. }, WhenUnknown::Verify) => counted,
                (Conclusion::Contraindicate { .. }, _) => self.intern(Formula::Certain(counted)),
                (_, WhenUnknown::Verify) => {
                    // Unknown: verify first. True: a caution, which leaves the offer.
                    let not = self.intern(Formula::Not(counted));
                    self.intern(Formula::And(vec![counted, not]))
                }
                _ => continue,
            };
            against.push(self.intern(Formula::And(vec![counts, weight])));
        }
        let offer = self.intern(Formula::Or(offers));
        let excluded = self.intern(Formula::Or(against));
        let free = self.intern(Formula::Not(excluded));
        self.intern(Formula::And(vec![offer, free]))
    }

    /// What is said of *start* counts unless the component is surely in use;
    /// what is said of *continue* counts unless it surely is not.
    fn action_counts(&mut self, actions: &[ActionName], current: Option<NodeId>) -> Option<NodeId> {
        let current = match current {
            Some(current) => current,
            None => self.never(),
        };
        let mut parts = Vec::new();
        if actions.contains(&ActionName::Start) {
            let certain = self.intern(Formula::Certain(current));
            parts.push(self.intern(Formula::Not(certain)));
        }
        if actions.contains(&ActionName::Continue) {
            let not = self.intern(Formula::Not(current));
            let certain = self.intern(Formula::Certain(not));
            parts.push(self.intern(Formula::Not(certain)));
        }
        (!parts.is_empty()).then(|| self.intern(Formula::Or(parts)))
    }

    fn rules(&mut self) -> Vec<CompiledRule> {
        let package = self.package;
        let taken: Vec<usize> = self.taken().collect();
        let position: HashMap<usize, u32> = taken.iter().copied().zip(0..).collect();
        let component: HashMap<&str, u32> =
            package.components.iter().map(|component| component.id.value.as_str()).zip(0..).collect();
        let mut compiled = Vec::new();
        for index in &taken {
            let Some(rule) = package.rules.get(*index) else { continue };
            let mut binds = Vec::new();
            let with = self.condition(&rule.when, &mut binds);
            let outline = self.widened(*index, with);
            let settled = if self.drafts { self.settled.get(index).map(|rule| rule.node) } else { Some(outline.node) };
            let spoken_of = rule.conclusion.components().iter();
            let above = self.outrankers.get(rule.id.value.as_str()).into_iter().flatten();
            compiled.push(CompiledRule {
                rule: u32::try_from(*index).unwrap_or(u32::MAX),
                id: rule.id.value.clone(),
                node: outline.node,
                settled,
                outline,
                binds,
                components: spoken_of.filter_map(|name| component.get(name.value.as_str()).copied()).collect(),
                outranked_by: above.filter_map(|other| position.get(other).copied()).collect(),
            });
        }
        compiled
    }

    fn components(&mut self) -> Vec<CompiledComponent> {
        let package = self.package;
        let mut compiled = Vec::new();
        for (index, component) in (0..).zip(&package.components) {
            let (current, planned) = self.in_use(&component.id.value);
            compiled.push(CompiledComponent { component: index, current, planned });
        }
        compiled
    }
}

/// Recommend or consider?
#[must_use]
pub fn is_offer(conclusion: &Conclusion) -> bool {
    matches!(conclusion, Conclusion::Recommend { .. } | Conclusion::Consider { .. })
}

/// A fact test of lists, as fact tests of single names.
fn single_facts(fact: &Fact) -> Vec<Fact> {
    let each = |names: &[Name], make: &dyn Fn(Vec<Name>) -> Fact| -> Vec<Fact> {
        names.iter().map(|name| make(vec![name.clone()])).collect()
    };
    match fact {
        Fact::Diagnosis { concepts, status, severity, onset, recorded } => {
            each(concepts, &|concepts| Fact::Diagnosis {
                concepts,
                status: *status,
                severity: severity.clone(),
                onset: *onset,
                recorded: *recorded,
            })
        }
        Fact::Medication { concepts, status, started, ended, given_for, not_given_for, daily_dose } => {
            each(concepts, &|concepts| Fact::Medication {
                concepts,
                status: *status,
                started: *started,
                ended: *ended,
                given_for: given_for.clone(),
                not_given_for: not_given_for.clone(),
                daily_dose: daily_dose.clone(),
            })
        }
        Fact::Allergy { concepts } => each(concepts, &|concepts| Fact::Allergy { concepts }),
        Fact::Observation { concepts, window, test } => {
            each(concepts, &|concepts| Fact::Observation { concepts, window: *window, test: test.clone() })
        }
        Fact::Event { types, substances, window } => {
            let mut facts = Vec::new();
            for kind in types {
                let event = |substances| Fact::Event { types: vec![kind.clone()], substances, window: *window };
                if substances.is_empty() {
                    facts.push(event(Vec::new()));
                }
                facts.extend(substances.iter().map(|substance| event(vec![substance.clone()])));
            }
            facts
        }
        Fact::History { codes } => each(codes, &|codes| Fact::History { codes }),
        Fact::Preference { codes } => each(codes, &|codes| Fact::Preference { codes }),
        Fact::Plan { kinds, concepts } => {
            let mut facts = Vec::new();
            for kind in kinds {
                let plan = |concepts| Fact::Plan { kinds: vec![kind.clone()], concepts };
                if concepts.is_empty() {
                    facts.push(plan(Vec::new()));
                }
                facts.extend(concepts.iter().map(|concept| plan(vec![concept.clone()])));
            }
            facts
        }
        Fact::Setting { settings } => {
            settings.iter().map(|setting| Fact::Setting { settings: vec![*setting] }).collect()
        }
        single => vec![single.clone()],
    }
}
