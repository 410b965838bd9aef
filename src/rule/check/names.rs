//! Ids and what refers to them.

use std::collections::BTreeMap;

use super::invariants::conditions;
use super::parts;
use crate::clinical::concept::ConceptKind;
use crate::diag::{Diagnostic, Span, nearest};
use crate::rule::model::{
    Claim, Conclusion, Condition, Fact, Invariant, Name, ObservationTest, Outcome, Package, Spanned,
};

/// Faults up to which what was meant is looked for.
const SUGGESTED: usize = 200;

type Table<'a> = BTreeMap<&'a str, Span>;

/// The ids of a package by kind.
pub struct Names<'a> {
    sources: Table<'a>,
    approaches: Table<'a>,
    components: Table<'a>,
    events: Table<'a>,
    history: Table<'a>,
    plans: Table<'a>,
    preferences: Table<'a>,
    substances: Table<'a>,
    answers: Table<'a>,
    diagnoses: Table<'a>,
    medications: Table<'a>,
    observations: Table<'a>,
    definitions: Table<'a>,
    rules: Table<'a>,
}

fn table<'a>(what: &str, names: impl Iterator<Item = (&'a str, Span)>, faults: &mut Vec<Diagnostic>) -> Table<'a> {
    let mut table = Table::new();
    for (id, span) in names {
        if let Some(first) = table.get(id) {
            faults.push(
                Diagnostic::error("duplicate-id", span, format!("{what} `{id}` is declared twice"))
                    .label("again here")
                    .related(*first, "first here")
                    .help("give one of them another id, or remove it"),
            );
        } else {
            table.insert(id, span);
        }
    }
    table
}

fn spanned(name: &Name) -> (&str, Span) {
    (&name.value, name.span)
}

impl<'a> Names<'a> {
    /// Collects the ids; those that stand twice are faults.
    pub fn collect(package: &'a Package, faults: &mut Vec<Diagnostic>) -> Self {
        let words = &package.vocabulary;
        let all_concepts = package.concepts.iter().map(|concept| (concept.def.id.as_str(), concept.span));
        table("concept", all_concepts, faults);
        let concepts = |kind: ConceptKind| -> Table<'a> {
            let of_kind = package.concepts.iter().filter(|concept| concept.def.kind == kind);
            of_kind.map(|concept| (concept.def.id.as_str(), concept.span)).collect()
        };
        // A class of substances is a name too: it is declared by being listed.
        let mut substances = table("substance", words.substances.iter().map(|word| spanned(&word.id)), faults);
        for substance in &words.substances {
            for class in &substance.classes {
                substances.entry(class).or_insert(substance.id.span);
            }
        }
        table("invariant", package.invariants.iter().map(|invariant| spanned(&invariant.id)), faults);
        table("parameter", package.parameters.iter().map(|parameter| spanned(&parameter.id)), faults);
        table("disagreement", package.disagreements.iter().map(|one| spanned(&one.id)), faults);
        table("scale", package.scales.iter().map(|scale| spanned(&scale.id)), faults);
        table("question", package.questions.iter().map(|question| spanned(&question.id)), faults);
        Self {
            sources: table("source", package.sources.iter().map(|source| spanned(&source.id)), faults),
            approaches: table("approach", package.approaches.iter().map(|approach| spanned(&approach.id)), faults),
            components: table("component", package.components.iter().map(|component| spanned(&component.id)), faults),
            events: table("event", words.events.iter().map(|word| spanned(&word.id)), faults),
            history: table("history code", words.history.iter().map(|word| spanned(&word.id)), faults),
            plans: table("plan", words.plans.iter().map(|word| spanned(&word.id)), faults),
            preferences: table("preference", words.preferences.iter().map(|word| spanned(&word.id)), faults),
            substances,
            answers: table("answer", words.answers.iter().map(|word| spanned(&word.id)), faults),
            diagnoses: concepts(ConceptKind::Diagnosis),
            medications: concepts(ConceptKind::Medication),
            observations: concepts(ConceptKind::Observation),
            definitions: table(
                "definition",
                package.definitions.iter().map(|definition| spanned(&definition.id)),
                faults,
            ),
            rules: table("rule", package.rules.iter().map(|rule| spanned(&rule.id)), faults),
        }
    }

    /// Checks every reference of the package.
    pub fn check_references(&self, package: &Package, faults: &mut Vec<Diagnostic>) {
        for component in &package.components {
            expect(&self.approaches, "approach", &component.approaches, faults);
            expect(&self.definitions, "definition", &component.current, faults);
            expect(&self.definitions, "definition", &component.planned, faults);
        }
        for concept in &package.concepts {
            expect(&self.diagnoses, "diagnosis concept", &concept.remission, faults);
        }
        for name in package.questions.iter().flat_map(|question| &question.concepts) {
            self.any_concept(name, faults);
        }
        for scale in &package.scales {
            expect(&self.observations, "observation concept", [&scale.observation], faults);
        }
        let scope = &package.scope;
        for name in [&scope.present, &scope.possible, &scope.in_remission] {
            expect(&self.definitions, "definition", name, faults);
        }
        for definition in &package.definitions {
            self.condition(&definition.when, faults);
        }
        for rule in &package.rules {
            self.condition(&rule.when, faults);
            expect(&self.components, "component", rule.conclusion.components(), faults);
            expect(&self.rules, "rule", &rule.outranks, faults);
            expect(&self.sources, "source", rule.evidence.iter().map(|citation| &citation.source), faults);
            match &rule.conclusion {
                Conclusion::Assess { instrument, .. } => {
                    expect(&self.observations, "observation concept", [instrument], faults);
                }
                Conclusion::Request { concept: Some(concept), .. } => self.any_concept(concept, faults),
                _ => {}
            }
        }
        for invariant in &package.invariants {
            self.invariant(invariant, faults);
        }
        self.disagreements(package, faults);
    }

    fn invariant(&self, invariant: &Invariant, faults: &mut Vec<Diagnostic>) {
        expect(&self.sources, "source", invariant.evidence.iter().map(|citation| &citation.source), faults);
        for claim in &invariant.claims {
            for condition in conditions(claim) {
                self.condition(condition, faults);
            }
            match claim {
                Claim::NoText { except, .. } => {
                    expect(&self.rules, "rule", except.iter().map(|exception| &exception.rule), faults);
                }
                Claim::Says { components, .. } => expect(&self.components, "component", components, faults),
                Claim::Order { first, then } => {
                    expect(&self.approaches, "approach", first.iter().chain(then), faults);
                }
                Claim::Apart { one, other } => {
                    one.iter().chain(other).for_each(|name| self.any_concept(name, faults));
                }
                Claim::Codes { concept, .. } => self.any_concept(concept, faults),
                Claim::Never(_) | Claim::Always { .. } | Claim::NoBearing { .. } => {}
            }
        }
    }

    fn disagreements(&self, package: &Package, faults: &mut Vec<Diagnostic>) {
        for one in &package.disagreements {
            expect(&self.sources, "source", one.positions.iter().map(|position| &position.citation.source), faults);
            expect(&self.rules, "rule", &one.concerns.rules, faults);
            expect(&self.components, "component", &one.concerns.components, faults);
        }
    }

    fn any_concept(&self, name: &Name, faults: &mut Vec<Diagnostic>) {
        let known = [&self.diagnoses, &self.medications, &self.observations]
            .into_iter()
            .any(|table| table.contains_key(name.value.as_str()));
        if !known {
            expect(&self.observations, "concept", [name], faults);
        }
    }

    fn condition(&self, condition: &Spanned<Condition>, faults: &mut Vec<Diagnostic>) {
        match &condition.value {
            Condition::Definition(name) => expect(&self.definitions, "definition", [name], faults),
            Condition::Proposed(name) | Condition::Offered(name) => {
                expect(&self.components, "component", [name], faults);
            }
            Condition::Fact(test) => self.fact(&test.fact, faults),
            Condition::Outcome(Outcome::Standing { components, approaches, .. }) => {
                expect(&self.components, "component", components, faults);
                expect(&self.approaches, "approach", approaches, faults);
            }
            Condition::Outcome(Outcome::Assess { instruments }) => {
                expect(&self.observations, "observation concept", instruments, faults);
            }
            other => parts(other).into_iter().for_each(|part| self.condition(part, faults)),
        }
    }

    fn fact(&self, fact: &Fact, faults: &mut Vec<Diagnostic>) {
        match fact {
            Fact::Diagnosis { concepts, .. } => expect(&self.diagnoses, "diagnosis concept", concepts, faults),
            Fact::Medication { concepts, given_for, not_given_for, .. } => {
                expect(&self.medications, "medication concept", concepts, faults);
                expect(&self.diagnoses, "diagnosis concept", given_for, faults);
                expect(&self.diagnoses, "diagnosis concept", not_given_for, faults);
            }
            Fact::Allergy { concepts } => expect(&self.medications, "medication concept", concepts, faults),
            Fact::Observation { concepts, test, .. } => {
                expect(&self.observations, "observation concept", concepts, faults);
                if let Some(ObservationTest::Is(answer)) = test {
                    expect(&self.answers, "answer", [answer], faults);
                }
            }
            Fact::Event { types, substances, .. } => {
                expect(&self.events, "event", types, faults);
                expect(&self.substances, "substance or class of substances", substances, faults);
            }
            Fact::History { codes } => expect(&self.history, "history code", codes, faults),
            Fact::Plan { kinds, concepts } => {
                expect(&self.plans, "plan", kinds, faults);
                for name in concepts {
                    self.any_concept(name, faults);
                }
            }
            Fact::Preference { codes } => expect(&self.preferences, "preference", codes, faults),
            Fact::OnsetOrder { first, then, .. } => {
                expect(&self.diagnoses, "diagnosis concept", first, faults);
                expect(&self.diagnoses, "diagnosis concept", then, faults);
            }
            Fact::Age(_)
            | Fact::Sex(_)
            | Fact::Pregnancy(_)
            | Fact::Lactation(_)
            | Fact::ChildbearingPotential(_)
            | Fact::Setting { .. }
            | Fact::InForce { .. } => {}
        }
    }
}

fn expect<'n>(table: &Table<'_>, what: &str, names: impl IntoIterator<Item = &'n Name>, faults: &mut Vec<Diagnostic>) {
    for name in names {
        if table.contains_key(name.value.as_str()) {
            continue;
        }
        let fault = Diagnostic::error("unknown-name", name.span, format!("no {what} `{}` is declared", name.value));
        // To look for what is near takes all names: not for every one of many.
        let near = (faults.len() < SUGGESTED).then(|| nearest(&name.value, table.keys().copied())).flatten();
        faults.push(match near {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None => fault.help(format!("declare the {what}, or use one that is")),
        });
    }
}
