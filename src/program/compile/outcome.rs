//! Invariants: what they claim of the answer, as formulas over the conditions
//! of the rules that make it. Such a formula is true or false, never unknown:
//! the answer says it or does not.

use super::{Compiler, is_offer};
use crate::diag::Span;
use crate::program::{AtomId, Bearing, CompiledClaim, CompiledInvariant, Formula, NodeId, Op, Outline};
use crate::rule::model::{
    ActionName, Claim, Conclusion, Condition, Name, Outcome, Rule, Spanned, Standing, WhenUnknown,
};

/// The findings on a component and an action, each as a formula.
#[derive(Default)]
struct Findings {
    recommended: Vec<NodeId>,
    considered: Vec<NodeId>,
    caution: Vec<NodeId>,
    verify: Vec<NodeId>,
    contraindicated: Vec<NodeId>,
}

impl Compiler<'_> {
    /// The claims of all invariants that are about patients.
    pub(super) fn invariants(&mut self) -> Vec<CompiledInvariant> {
        let package = self.package;
        let mut compiled = Vec::new();
        for (index, invariant) in (0..).zip(&package.invariants) {
            let claims: Vec<CompiledClaim> = invariant.claims.iter().filter_map(|claim| self.claim(claim)).collect();
            if !claims.is_empty() {
                compiled.push(CompiledInvariant { invariant: index, claims });
            }
        }
        compiled
    }

    fn claim(&mut self, claim: &Claim) -> Option<CompiledClaim> {
        let mut outline = |condition: &Spanned<Condition>| self.condition(condition, &mut Vec::new());
        match claim {
            Claim::Never(condition) => Some(CompiledClaim::Follows { given: outline(condition), then: None }),
            Claim::Always { given, then } => {
                Some(CompiledClaim::Follows { given: outline(given), then: Some(outline(then)) })
            }
            Claim::NoBearing { of, on } => {
                let named: Vec<Outline> = of.iter().map(&mut outline).collect();
                let on: Vec<Spanned<Condition>> = on.iter().flat_map(single).collect();
                let mut bearings = Vec::new();
                for condition in &on {
                    let among = excluded(condition).map(|component| self.proposed(component));
                    let said = self.condition(condition, &mut Vec::new());
                    bearings.push(Bearing { said, among });
                }
                let of = named.iter().flat_map(|one| self.atoms_of(one.node)).collect();
                Some(CompiledClaim::NoBearing { named, of, on: bearings })
            }
            Claim::NoText { .. }
            | Claim::Says { .. }
            | Claim::Order { .. }
            | Claim::Codes { .. }
            | Claim::Apart { .. } => None,
        }
    }

    fn atoms_of(&self, root: NodeId) -> Vec<AtomId> {
        let (mut atoms, mut next) = (Vec::new(), vec![root]);
        while let Some(node) = next.pop() {
            match self.nodes.get(node.at()) {
                Some(Formula::Atom(atom)) => atoms.push(*atom),
                Some(formula) => next.extend(formula.parts()),
                None => {}
            }
        }
        atoms
    }

    pub(super) fn outcome(&mut self, outcome: &Outcome, span: Span) -> Outline {
        let (text, node, by, beside) = match outcome {
            Outcome::Standing { components, approaches, actions, is } => {
                let names = self.components_of(components, approaches);
                let parts: Vec<NodeId> = names.iter().map(|name| self.standing(name, actions, is)).collect();
                let node = self.intern(Formula::Or(parts));
                let speaking: Vec<usize> = names.iter().flat_map(|name| self.speaking_of(name)).collect();
                let (by, beside) = self.divided(speaking, |rule| is.iter().any(|word| word.said_by(rule, actions)));
                let titles: Vec<String> = names.iter().map(|name| self.describer.component(name)).collect();
                (standing_text(&titles, actions, is), node, by, beside)
            }
            Outcome::Alert { categories, severities } => {
                let (by, _) = self.divided(self.taken().collect(), |rule| {
                    matches!(&rule.conclusion, Conclusion::Alert { category, severity, .. }
                        if categories.contains(category) && (severities.is_empty() || severities.contains(severity)))
                });
                let words: Vec<&str> = categories.iter().map(|one| one.word()).collect();
                (format!("there is an alert of {}", words.join(" or ")), self.raised(&by), by, Vec::new())
            }
            Outcome::Assess { instruments } => {
                let (by, _) = self.divided(self.taken().collect(), |rule| {
                    matches!(&rule.conclusion, Conclusion::Assess { instrument, .. }
                        if instruments.iter().any(|name| name.value == instrument.value))
                });
                let words: Vec<String> = instruments.iter().map(|name| self.describer.concept(&name.value)).collect();
                (format!("{} is due", words.join(" or ")), self.raised(&by), by, Vec::new())
            }
        };
        let [by, beside] = [by, beside].map(|rules| self.positions(&rules));
        Outline::leaf(text, node, Op::Outcome { by, beside }, span)
    }

    fn components_of(&self, components: &[Name], approaches: &[Name]) -> Vec<String> {
        let listed = components.iter().map(|name| name.value.clone());
        let of_approach = self.package.components.iter().filter(|component| {
            component.approaches.iter().any(|name| approaches.iter().any(|wanted| wanted.value == name.value))
        });
        listed.chain(of_approach.map(|component| component.id.value.clone())).collect()
    }

    /// The rules that say it, and those that don't.
    fn divided(&self, mut rules: Vec<usize>, says: impl Fn(&Rule) -> bool) -> (Vec<usize>, Vec<usize>) {
        rules.sort_unstable();
        rules.dedup();
        rules.into_iter().partition(|index| self.package.rules.get(*index).is_some_and(&says))
    }

    /// From places in the package to places in the program: those that the program has.
    fn positions(&self, rules: &[usize]) -> Vec<u32> {
        (0..).zip(self.taken()).filter(|(_, index)| rules.contains(index)).map(|(place, _)| place).collect()
    }

    /// One of the rules is true, or raised although unknown.
    fn raised(&mut self, rules: &[usize]) -> NodeId {
        let mut parts = Vec::new();
        for index in rules {
            let condition = self.rule_condition(*index);
            parts.push(self.intern(Formula::Certain(condition)));
            if self.package.rules.get(*index).is_some_and(|rule| rule.unknown == WhenUnknown::AlertPossible) {
                parts.push(self.unknown(condition));
            }
        }
        self.intern(Formula::Or(parts))
    }

    fn not(&mut self, node: NodeId) -> NodeId {
        self.intern(Formula::Not(node))
    }

    fn unknown(&mut self, node: NodeId) -> NodeId {
        let known = self.intern(Formula::Known(node));
        self.not(known)
    }

    /// The component stands so for one of the actions that the record may call
    /// for: what is said of *start* counts unless it is surely in use, what is
    /// said of *continue* and *increase* unless it surely is not.
    fn standing(&mut self, component: &str, actions: &[ActionName], is: &[Standing]) -> NodeId {
        let all = [ActionName::Start, ActionName::Continue, ActionName::Increase];
        let (current, _) = self.in_use(component);
        let mut ways = Vec::new();
        for action in if actions.is_empty() { &all } else { actions } {
            let otherwise = match (current, action) {
                (None, ActionName::Start) => self.never(),
                (None, _) => continue,
                (Some(current), ActionName::Start) => self.intern(Formula::Certain(current)),
                (Some(current), _) => {
                    let absent = self.not(current);
                    self.intern(Formula::Certain(absent))
                }
            };
            let here = self.not(otherwise);
            let said = self.said(component, *action, is);
            ways.push(self.intern(Formula::And(vec![here, said])));
        }
        self.intern(Formula::Or(ways))
    }

    fn said(&mut self, component: &str, action: ActionName, is: &[Standing]) -> NodeId {
        let found = self.findings(component, action);
        let recommended = self.intern(Formula::Or(found.recommended));
        let considered = self.intern(Formula::Or(found.considered));
        let caution = self.intern(Formula::Or(found.caution));
        let verify = self.intern(Formula::Or(found.verify));
        let against = self.intern(Formula::Or(found.contraindicated));
        let offer = self.intern(Formula::Or(vec![recommended, considered]));
        let [not_recommended, not_caution, not_verify, not_against] =
            [recommended, caution, verify, against].map(|node| self.not(node));
        let mut ways = Vec::new();
        for word in is {
            let parts = match word {
                Standing::Recommended => vec![recommended, not_caution, not_verify, not_against],
                Standing::Considered => vec![considered, not_recommended, not_caution, not_verify, not_against],
                Standing::Offered => vec![offer, not_verify, not_against],
                Standing::Caution => vec![caution, not_verify, not_against],
                Standing::VerifyFirst => vec![verify, not_against],
                Standing::Contraindicated => vec![against],
            };
            ways.push(self.intern(Formula::And(parts)));
        }
        self.intern(Formula::Or(ways))
    }

    fn findings(&mut self, component: &str, action: ActionName) -> Findings {
        let mut found = Findings::default();
        for index in self.speaking_of(component) {
            let Some(rule) = self.package.rules.get(index) else { continue };
            if !is_offer(&rule.conclusion) && !rule.conclusion.actions().contains(&action) {
                continue;
            }
            let counted = self.counted(index);
            let certain = self.intern(Formula::Certain(counted));
            match &rule.conclusion {
                Conclusion::Recommend { .. } => found.recommended.push(certain),
                Conclusion::Consider { .. } => found.considered.push(certain),
                Conclusion::Caution { .. } => found.caution.push(certain),
                _ => found.contraindicated.push(certain),
            }
            if rule.unknown == WhenUnknown::Verify {
                let unknown = self.unknown(counted);
                found.verify.push(unknown);
            }
        }
        found
    }
}

/// The component that a condition says something against, and nothing for.
fn excluded(condition: &Spanned<Condition>) -> Option<&str> {
    let Condition::Outcome(Outcome::Standing { components, is, .. }) = &condition.value else { return None };
    let against =
        |word: &Standing| matches!(word, Standing::Caution | Standing::VerifyFirst | Standing::Contraindicated);
    match components.as_slice() {
        [only] if is.iter().all(against) => Some(&only.value),
        _ => None,
    }
}

/// Each component and each action by itself.
fn single(condition: &Spanned<Condition>) -> Vec<Spanned<Condition>> {
    let spanned = |value| Spanned::new(value, condition.span);
    match &condition.value {
        Condition::Not(part) => single(part).into_iter().map(|part| spanned(Condition::Not(Box::new(part)))).collect(),
        Condition::Outcome(Outcome::Standing { components, approaches, actions, is }) if approaches.is_empty() => {
            let actions: Vec<Vec<ActionName>> =
                if actions.is_empty() { vec![Vec::new()] } else { actions.iter().map(|one| vec![*one]).collect() };
            let one = |name: &Name, actions: &Vec<ActionName>| {
                spanned(Condition::Outcome(Outcome::Standing {
                    components: vec![name.clone()],
                    approaches: Vec::new(),
                    actions: actions.clone(),
                    is: is.clone(),
                }))
            };
            components.iter().flat_map(|name| actions.iter().map(move |actions| one(name, actions))).collect()
        }
        _ => vec![condition.clone()],
    }
}

impl Standing {
    /// Does the rule, where it counts, make a component stand so?
    fn said_by(self, rule: &Rule, actions: &[ActionName]) -> bool {
        let acts = actions.is_empty() || rule.conclusion.actions().iter().any(|action| actions.contains(action));
        match (self, &rule.conclusion) {
            (Self::Recommended | Self::Offered, Conclusion::Recommend { .. })
            | (Self::Considered | Self::Offered, Conclusion::Consider { .. }) => true,
            (Self::Caution, Conclusion::Caution { .. })
            | (Self::Contraindicated, Conclusion::Contraindicate { .. }) => acts,
            (Self::VerifyFirst, Conclusion::Caution { .. } | Conclusion::Contraindicate { .. }) => {
                acts && rule.unknown == WhenUnknown::Verify
            }
            _ => false,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Recommended => "recommended",
            Self::Considered => "considered",
            Self::Offered => "offered",
            Self::Caution => "at caution",
            Self::VerifyFirst => "to be verified first",
            Self::Contraindicated => "contraindicated",
        }
    }
}

fn standing_text(titles: &[String], actions: &[ActionName], is: &[Standing]) -> String {
    let words: Vec<&str> = is.iter().map(|word| word.words()).collect();
    let action = |action: &ActionName| match action {
        ActionName::Start => "to be started",
        ActionName::Continue => "to be continued",
        ActionName::Increase => "to be increased",
    };
    let actions: Vec<&str> = actions.iter().map(action).collect();
    let comma = if actions.is_empty() { "" } else { ", " };
    format!("{} is {}{comma}{}", titles.join(" or "), words.join(" or "), actions.join(" or "))
}
