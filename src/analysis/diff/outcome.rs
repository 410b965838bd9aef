//! The parts of an answer as propositions: for every subject, what can be said
//! of it, and in which records it is.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::meaning::question;
use super::words::{self, SCOPES, Subject};
use crate::analysis::catalog::Side;
use crate::analysis::encode::Encoded;
use crate::analysis::logic::{Lit, Logic, Rails};
use crate::clinical::patient::List;
use crate::program::{CompiledRule, Formula, NodeId};
use crate::rule::model::{ActionName, Category, Component, Conclusion, Rule, WhenUnknown};

/// What can be said of a subject: the words, and where they are said.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Words and propositions.
    pub said: BTreeMap<String, Lit>,
}

/// The subjects of one package.
pub type Outcomes = BTreeMap<Subject, Outcome>;

/// The formulas of a package in a space of records.
pub struct Encodings {
    /// As they are.
    pub normal: Encoded,
    /// With what is assumed of a list taken as unknown.
    pub relaxed: Vec<(List, Encoded)>,
    /// For each atom: is it, where it is unknown, asked for by its list as a whole?
    pub by_list: Vec<Lit>,
}

/// The outcomes of a package. `detailed` are the rules of which not only it is
/// told whether they ask for facts, but for which.
pub fn all(logic: &mut Logic, side: Side<'_>, encodings: &Encodings, detailed: &BTreeSet<String>) -> Outcomes {
    let mut teller = Teller { logic, side, encodings, outcomes: BTreeMap::new(), placed: HashMap::new() };
    teller.scope();
    teller.components();
    for (compiled, rule) in rules(side) {
        teller.rule(compiled, rule);
        teller.asked(compiled, rule, detailed.contains(&compiled.id));
    }
    teller.outcomes
}

/// Active rules with their source.
pub fn rules(side: Side<'_>) -> impl Iterator<Item = (&CompiledRule, &Rule)> + use<'_> {
    let package = side.package;
    side.program.rules.iter().filter_map(|one| Some((one, package.rules.get(one.rule as usize)?)))
}

struct Teller<'l, 'a> {
    logic: &'l mut Logic,
    side: Side<'a>,
    encodings: &'l Encodings,
    outcomes: Outcomes,
    /// Where a component is offered, in use or planned, by code.
    placed: HashMap<&'a str, Lit>,
}

/// A finding that a rule may make.
struct Finding<'a> {
    id: &'a str,
    kind: &'static str,
    actions: &'a [ActionName],
    /// It is made.
    made: Lit,
    /// No true rule outranks it.
    stands: Lit,
    above: Vec<(&'a str, Lit)>,
}

/// A kind of use of a component: what it is called, where it is so, and which
/// actions are spoken of then.
struct Use {
    action: &'static str,
    here: Lit,
    actions: &'static [ActionName],
}

impl<'a> Teller<'_, 'a> {
    fn rails(&self, node: NodeId) -> Rails {
        let never = self.logic.never();
        self.encodings.normal.of(node).unwrap_or(Rails { yes: never, no: never })
    }

    fn say(&mut self, subject: Subject, said: BTreeMap<String, Vec<Lit>>) {
        let said = said.into_iter().map(|(words, lits)| (words, self.logic.or(&lits)));
        let said = said.collect();
        self.outcomes.insert(subject, Outcome { said });
    }

    fn say_one(&mut self, subject: Subject, words: String, lit: Lit) {
        self.say(subject, BTreeMap::from([(words, vec![lit])]));
    }

    fn scope(&mut self) {
        let declared = self.side.program.scope;
        let never = self.logic.never();
        let mut parts: Vec<Lit> = Vec::new();
        let mut said = BTreeMap::new();
        let nodes = [declared.present, declared.possible, declared.in_remission];
        for (words, node) in SCOPES.into_iter().rev().zip(nodes) {
            let holds = node.map_or(never, |node| self.rails(node).yes);
            let mut here = parts.clone();
            here.push(holds);
            said.insert(words.to_owned(), vec![self.logic.and(&here)]);
            parts.push(!holds);
        }
        self.say(Subject::Scope, said);
    }

    fn components(&mut self) {
        let side = self.side;
        for (index, compiled) in (0_u32..).zip(&side.program.components) {
            let Some(declared) = side.package.components.get(compiled.component as usize) else { continue };
            let found = self.findings(index);
            let never = self.logic.never();
            let current = compiled.current.map(|node| self.rails(node));
            let planned = compiled.planned.map_or(never, |node| self.rails(node).yes);
            let uses = self.uses(compiled.current, current, planned);
            let offers = ["consider", "recommend"].map(|kind| self.offer(&found, kind));
            let in_use = current.map_or(never, |rails| rails.yes);
            let placed = self.logic.or(&[offers.as_slice(), &[in_use, planned]].concat());
            self.placed.insert(&declared.id.value, placed);
            let known = |name: &str| side.package.approaches.iter().any(|approach| approach.id.value == name);
            if declared.approaches.iter().any(|name| known(&name.value)) {
                self.standing(declared, &found, &uses, offers, placed);
                self.reasons(declared, &found, &uses, placed);
                self.increase(declared, &found, in_use);
            }
        }
    }

    fn findings(&mut self, component: u32) -> Vec<Finding<'a>> {
        let mut found = Vec::new();
        for (compiled, rule) in rules(self.side).filter(|(compiled, _)| compiled.components.contains(&component)) {
            let rails = self.rails(compiled.node);
            let above: Vec<(&str, Lit)> = compiled
                .outranked_by
                .iter()
                .filter_map(|above| self.side.program.rules.get(*above as usize))
                .map(|above| (above.id.as_str(), self.rails(above.node).yes))
                .collect();
            let outranked: Vec<Lit> = above.iter().map(|(_, lit)| *lit).collect();
            let stands = !self.logic.or(&outranked);
            let kind = rule.conclusion.word();
            let mut add = |kind: &'static str, made: Lit| {
                let (id, actions, above) = (compiled.id.as_str(), rule.conclusion.actions(), above.clone());
                found.push(Finding { id, kind, actions, made, stands, above });
            };
            add(kind, rails.yes);
            if matches!(kind, "caution" | "contraindicate") && rule.unknown == WhenUnknown::Verify {
                add("verify", self.logic.and(&[!rails.yes, !rails.no]));
            }
        }
        found
    }

    /// The kinds of use, of which one holds.
    fn uses(&mut self, node: Option<NodeId>, current: Option<Rails>, planned: Lit) -> Vec<Use> {
        const START: &[ActionName] = &[ActionName::Start];
        const CONTINUE: &[ActionName] = &[ActionName::Continue];
        const EITHER: &[ActionName] = &[ActionName::Continue, ActionName::Start];
        let (Some(node), Some(current)) = (node, current) else {
            return vec![Use { action: "start or continue", here: self.logic.always(), actions: START }];
        };
        let never = self.logic.never();
        let relaxed: Vec<Lit> =
            self.encodings.relaxed.iter().map(|(_, values)| values.of(node).map_or(never, |rails| rails.no)).collect();
        let for_sure = self.logic.and(&relaxed);
        let for_sure = self.logic.or(&[for_sure, planned]);
        let absent = self.logic.and(&[current.no, for_sure]);
        let assumed = self.logic.and(&[current.no, !for_sure]);
        let unknown = self.logic.and(&[!current.yes, !current.no]);
        vec![
            Use { action: "start", here: absent, actions: START },
            Use { action: "start or continue", here: assumed, actions: START },
            Use { action: "start or continue", here: unknown, actions: EITHER },
            Use { action: "continue", here: current.yes, actions: CONTINUE },
        ]
    }

    fn offer(&mut self, found: &[Finding<'_>], kind: &str) -> Lit {
        let lits: Vec<Lit> = found
            .iter()
            .filter(|finding| finding.kind == kind)
            .map(|finding| self.logic.and(&[finding.made, finding.stands]))
            .collect();
        self.logic.or(&lits)
    }

    /// An exclusion of a kind that counts for one of the actions.
    fn exclusion(&mut self, found: &[Finding<'_>], kind: &str, actions: &[ActionName]) -> Lit {
        let lits: Vec<Lit> = found
            .iter()
            .filter(|finding| finding.kind == kind && finding.actions.iter().any(|action| actions.contains(action)))
            .map(|finding| self.logic.and(&[finding.made, finding.stands]))
            .collect();
        self.logic.or(&lits)
    }

    fn standing(
        &mut self,
        declared: &Component,
        found: &[Finding<'_>],
        uses: &[Use],
        [considered, recommended]: [Lit; 2],
        placed: Lit,
    ) {
        let only_considered = self.logic.and(&[considered, !recommended]);
        let offers = [self.logic.and(&[!considered, !recommended]), only_considered, recommended];
        let mut said: BTreeMap<String, Vec<Lit>> = BTreeMap::new();
        for one in uses {
            let [caution, verify, contra] =
                ["caution", "verify", "contraindicate"].map(|kind| self.exclusion(found, kind, one.actions));
            let exclusions = [
                self.logic.and(&[!caution, !verify, !contra]),
                self.logic.and(&[caution, !verify, !contra]),
                self.logic.and(&[verify, !contra]),
                contra,
            ];
            for (offer, offered) in offers.iter().enumerate() {
                for (exclusion, excluded) in exclusions.iter().enumerate() {
                    let handled = declared.never_abrupt && one.action == "continue" && exclusion > 0;
                    let words = words::standing(one.action, offer, exclusion, handled);
                    let here = self.logic.and(&[placed, one.here, *offered, *excluded]);
                    said.entry(words).or_default().push(here);
                }
            }
        }
        self.say(Subject::Component(declared.id.value.clone()), said);
    }

    fn reasons(&mut self, declared: &Component, found: &[Finding<'_>], uses: &[Use], placed: Lit) {
        let mut said: BTreeMap<String, Vec<Lit>> = BTreeMap::new();
        for finding in found {
            let is_offer = matches!(finding.kind, "recommend" | "consider");
            for one in uses {
                // The action that counts here, else the first that it names.
                let counted = finding.actions.iter().find(|action| one.actions.contains(action));
                let action = counted.or(finding.actions.first()).copied().map_or("", action_word);
                let counts = is_offer || counted.is_some();
                let here = self.logic.and(&[placed, one.here, finding.made]);
                for (lit, counted) in [(finding.stands, counts), (!finding.stands, false)] {
                    let words = words::finding(finding.id, finding.kind, action, counted);
                    let here = self.logic.and(&[here, lit]);
                    said.entry(words).or_default().push(here);
                }
            }
            for (above, lit) in &finding.above {
                let here = self.logic.and(&[placed, finding.made, *lit]);
                said.entry(words::outranked(finding.id, above)).or_default().push(here);
            }
        }
        self.say(Subject::Reasons(declared.id.value.clone()), said);
    }

    fn increase(&mut self, declared: &Component, found: &[Finding<'_>], in_use: Lit) {
        let mut said: BTreeMap<String, Vec<Lit>> = BTreeMap::new();
        for finding in found.iter().filter(|finding| finding.actions.contains(&ActionName::Increase)) {
            let here = self.logic.and(&[in_use, finding.made, finding.stands]);
            said.entry(words::finding(finding.id, finding.kind, "increase", true)).or_default().push(here);
        }
        self.say(Subject::Increase(declared.id.value.clone()), said);
    }

    fn rule(&mut self, compiled: &CompiledRule, rule: &Rule) {
        let rails = self.rails(compiled.node);
        let id = compiled.id.clone();
        let category = |category: &Option<Category>| category.map_or("", Category::word);
        match &rule.conclusion {
            Conclusion::Alert { category, severity, urgency } => {
                let words = |possible| words::alert(category.word(), severity.word(), urgency.word(), possible);
                let mut said = BTreeMap::from([(words(false), vec![rails.yes])]);
                if rule.unknown == WhenUnknown::AlertPossible {
                    said.insert(words(true), vec![self.logic.and(&[!rails.yes, !rails.no])]);
                }
                self.say(Subject::Alert(id), said);
            }
            Conclusion::Insight { code } => {
                self.say_one(Subject::Insight(id), words::said(&[code.word()]), rails.yes);
            }
            Conclusion::Note => self.say_one(Subject::Note(id), words::said(&[]), rails.yes),
            Conclusion::Request { category: of, field, .. } => {
                self.say_one(Subject::Request(id), words::said(&[category(of), field]), rails.yes);
            }
            Conclusion::Assess { category: of, instrument } => {
                let words = words::said(&[category(of), &instrument.value]);
                self.say_one(Subject::Assessment(id), words, rails.yes);
            }
            _ => {}
        }
    }

    /// Facts are asked for that an open rule rests on, and a list on which alone
    /// it rests that the rule is false.
    fn asked(&mut self, compiled: &CompiledRule, rule: &Rule, detailed: bool) {
        let excludes = matches!(rule.conclusion, Conclusion::Caution { .. } | Conclusion::Contraindicate { .. });
        let in_question = match &rule.conclusion {
            Conclusion::Caution { components, .. } | Conclusion::Contraindicate { components, .. } => {
                let placed: Vec<Lit> =
                    components.iter().filter_map(|name| self.placed.get(name.value.as_str()).copied()).collect();
                self.logic.or(&placed)
            }
            Conclusion::Alert { .. }
            | Conclusion::Recommend { .. }
            | Conclusion::Consider { .. }
            | Conclusion::Insight { .. } => self.logic.always(),
            _ => return,
        };
        let rails = self.rails(compiled.node);
        let mut said: BTreeMap<String, Vec<Lit>> = BTreeMap::new();
        let open = self.logic.and(&[in_question, !rails.yes, !rails.no]);
        if detailed {
            let encodings = self.encodings;
            for (atom, reached) in self.undecided(compiled.node) {
                let Some(key) =
                    self.side.program.atoms.get(atom).and_then(|one| question(self.side.package, &one.fact))
                else {
                    continue;
                };
                let by_list = encodings.by_list.get(atom).copied().unwrap_or(self.logic.never());
                let here = self.logic.and(&[open, reached, !by_list]);
                said.entry(format!("asks for {key}")).or_default().push(here);
                let list = self.side.program.atoms.get(atom).and_then(|one| super::assumed_list(&one.fact));
                if let Some(list) = list {
                    let here = self.logic.and(&[open, reached, by_list]);
                    said.entry(format!("asks for confirm-{}", list.name())).or_default().push(here);
                }
            }
        } else {
            said.insert("asks for what would decide it".to_owned(), vec![open]);
        }
        if excludes || matches!(rule.conclusion, Conclusion::Alert { .. }) {
            let never = self.logic.never();
            let lists: Vec<(List, Lit)> = self
                .encodings
                .relaxed
                .iter()
                .map(|(list, values)| (*list, values.of(compiled.node).map_or(never, |rails| rails.no)))
                .collect();
            for (list, for_sure) in lists {
                let here = self.logic.and(&[in_question, rails.no, !for_sure]);
                said.entry(format!("asks for confirm-{}", list.name())).or_default().push(here);
            }
        }
        self.say(Subject::Asked(compiled.id.clone()), said);
    }

    /// The facts below a formula, each with where it is what leaves it open:
    /// unknown, below parts that are unknown all the way down.
    fn undecided(&mut self, root: NodeId) -> BTreeMap<usize, Lit> {
        let mut reached: BTreeMap<NodeId, Vec<Lit>> = BTreeMap::from([(root, vec![self.logic.always()])]);
        let mut atoms = BTreeMap::new();
        // Parts have lower numbers than what they are part of.
        while let Some((node, from)) = reached.pop_last() {
            let rails = self.rails(node);
            let above = self.logic.or(&from);
            let here = self.logic.and(&[above, !rails.yes, !rails.no]);
            if here == self.logic.never() {
                continue;
            }
            match self.side.program.nodes.get(node.at()) {
                Some(Formula::Atom(atom)) => {
                    atoms.insert(atom.at(), here);
                }
                Some(formula) => {
                    for part in formula.parts() {
                        reached.entry(*part).or_default().push(here);
                    }
                }
                None => {}
            }
        }
        atoms
    }
}

fn action_word(action: ActionName) -> &'static str {
    match action {
        ActionName::Start => "start",
        ActionName::Continue => "continue",
        ActionName::Increase => "increase",
    }
}
