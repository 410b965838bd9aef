//! Which source attributes of 45 CFR 170.315(b)(11)(iv)(A) a package uses:
//! derived from what its compiled rules ask of a patient, so that no one has
//! to keep a list true. Facts of their own kind (age, sex, pregnancy) say it
//! by themselves, and so do diagnoses of the social block of ICD-10-CM; other
//! words and concepts of the package declare it where it holds.

use std::collections::{BTreeSet, HashMap};

use crate::program::{Formula, NodeId, Program};
use crate::rule::model::{Concept, Fact, Name, Package, SourceAttribute, Vocabulary, Word};

/// What rules use.
#[derive(Clone, Debug, Default)]
pub struct Uses {
    rules: Vec<(String, BTreeSet<SourceAttribute>)>,
}

impl Uses {
    /// Of a compiled package.
    #[must_use]
    pub(super) fn of(package: &Package, program: &Program) -> Self {
        let declared = Declared::of(package);
        let used = |fact: &Fact| declared.uses(fact).into_iter().map(|(used, _)| used).collect::<BTreeSet<_>>();
        let atoms: Vec<_> = program.atoms.iter().map(|atom| used(&atom.fact)).collect();
        // Parts come before what they are part of.
        let mut nodes: Vec<BTreeSet<SourceAttribute>> = Vec::with_capacity(program.nodes.len());
        for formula in &program.nodes {
            let mut used = BTreeSet::new();
            if let Formula::Atom(atom) = formula {
                used.extend(atoms.get(atom.at()).into_iter().flatten());
            }
            for part in formula.parts() {
                used.extend(nodes.get(part.at()).into_iter().flatten());
            }
            nodes.push(used);
        }
        let at = |node: NodeId| nodes.get(node.at()).into_iter().flatten().copied();
        let rules = program.rules.iter().map(|rule| {
            // Whether a component is in use makes an offer "start" or "continue".
            let components = rule.components.iter().filter_map(|index| program.components.get(*index as usize));
            let states = components.flat_map(|component| [component.current, component.planned]).flatten();
            (rule.id.clone(), at(rule.node).chain(states.flat_map(at)).collect())
        });
        Self { rules: rules.collect() }
    }

    /// Active rules, by id, that use an attribute.
    pub fn rules(&self, attribute: SourceAttribute) -> impl Iterator<Item = &str> {
        let using = self.rules.iter().filter(move |(_, used)| used.contains(&attribute));
        using.map(|(rule, _)| rule.as_str())
    }

    /// Does a rule use an attribute?
    #[must_use]
    pub fn uses(&self, rule: &str, attribute: SourceAttribute) -> bool {
        self.rules(attribute).any(|using| using == rule)
    }
}

/// What words and concepts declare.
#[derive(Debug)]
pub struct Declared<'a> {
    events: Words<'a>,
    history: Words<'a>,
    plans: Words<'a>,
    preferences: Words<'a>,
    concepts: HashMap<&'a str, &'a Concept>,
}

type Words<'a> = HashMap<&'a str, (SourceAttribute, &'a Word)>;

/// By what a fact uses an attribute.
#[derive(Clone, Copy, Debug)]
pub enum By<'a> {
    /// By its own kind: age, sex, pregnancy.
    Kind,
    /// By a word of the record.
    Word(&'a Word),
    /// By a concept, or by one that it includes.
    Concept(&'a Concept),
}

impl<'a> Declared<'a> {
    /// By a package.
    #[must_use]
    pub fn of(package: &'a Package) -> Self {
        let words = |words: &'a [Word]| {
            words.iter().filter_map(|word| Some((word.id.value.as_str(), (word.source_attribute?, word)))).collect()
        };
        let Vocabulary { events, history, plans, preferences, .. } = &package.vocabulary;
        Self {
            events: words(events),
            history: words(history),
            plans: words(plans),
            preferences: words(preferences),
            concepts: package.concepts.iter().map(|concept| (concept.def.id.as_str(), concept)).collect(),
        }
    }

    /// What a fact uses, and by what.
    #[must_use]
    pub fn uses(&self, fact: &Fact) -> Vec<(SourceAttribute, By<'a>)> {
        let words = |known: &Words<'a>, names: &[Name]| {
            let told = names.iter().filter_map(|name| known.get(name.value.as_str()));
            told.map(|(attribute, word)| (*attribute, By::Word(word))).collect()
        };
        match fact {
            Fact::Diagnosis { concepts, .. } | Fact::Allergy { concepts } | Fact::Observation { concepts, .. } => {
                self.concepts(concepts.iter())
            }
            Fact::Medication { concepts, given_for, not_given_for, .. } => {
                self.concepts(concepts.iter().chain(given_for).chain(not_given_for))
            }
            Fact::OnsetOrder { first, then, .. } => self.concepts(first.iter().chain(then)),
            Fact::Event { types, .. } => words(&self.events, types),
            Fact::History { codes } => words(&self.history, codes),
            Fact::Plan { kinds, concepts } => {
                let mut used: Vec<_> = words(&self.plans, kinds);
                used.extend(self.concepts(concepts.iter()));
                used
            }
            Fact::Preference { codes } => words(&self.preferences, codes),
            Fact::Age(_) => vec![(SourceAttribute::DateOfBirth, By::Kind)],
            Fact::Sex(_) => vec![(SourceAttribute::Sex, By::Kind)],
            // Pregnancy status is of this class in USCDI version 3, to which the
            // rule refers; lactation and childbearing potential are not.
            Fact::Pregnancy(_) => vec![(SourceAttribute::HealthStatusAssessment, By::Kind)],
            Fact::Lactation(_) | Fact::ChildbearingPotential(_) | Fact::Setting { .. } | Fact::InForce { .. } => {
                Vec::new()
            }
        }
    }

    fn concepts<'n>(&self, names: impl Iterator<Item = &'n Name>) -> Vec<(SourceAttribute, By<'a>)> {
        let found = names.filter_map(|name| self.concepts.get(name.value.as_str()).copied());
        found.flat_map(|concept| self.concept(concept).into_iter().map(|used| (used, By::Concept(concept)))).collect()
    }

    /// Of a concept, and of what it includes.
    fn concept(&self, concept: &Concept) -> BTreeSet<SourceAttribute> {
        let mut open = vec![concept];
        let (mut seen, mut used) = (BTreeSet::new(), BTreeSet::new());
        while let Some(concept) = open.pop() {
            if !seen.insert(concept.def.id.as_str()) {
                continue;
            }
            used.extend(concept.source_attribute);
            if concept.def.icd10cm.iter().any(|entry| is_social(&entry.code)) {
                used.insert(SourceAttribute::SocialDeterminants);
            }
            open.extend(concept.def.includes.iter().filter_map(|id| self.concepts.get(id.as_str()).copied()));
        }
        used
    }
}

/// Z55 to Z65, potential health hazards related to socioeconomic and
/// psychosocial circumstances.
fn is_social(code: &str) -> bool {
    let block = code.strip_prefix('Z').and_then(|rest| rest.get(..2)).and_then(|digits| digits.parse::<u8>().ok());
    block.is_some_and(|block| (55..=65).contains(&block))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ruleset::Ruleset;

    fn package(rules: &str) -> Ruleset {
        let head = include_str!("../../tests/broken/base.yaml").to_owned();
        let words = "history:\n- {id: homelessness, title: homelessness, source_attribute: social-determinants}\n\
            - {id: veteran, title: military service}\n\
            questions: []\n";
        let concepts = "concepts:\n\
            - {id: phq-9, kind: observation, title: PHQ-9, loinc: [44261-6], unit: '{score}', source_attribute: health-status-assessment}\n\
            - {id: unemployment, kind: diagnosis, title: unemployment, icd-10-cm: [Z56.0]}\n\
            - {id: screen, kind: observation, title: a screen, includes: [phq-9]}\n";
        let rules = format!("rules:\n{rules}");
        let files = [("base", head), ("words", words.to_owned()), ("concepts", concepts.to_owned()), ("rules", rules)];
        let files = files.map(|(name, text)| (format!("{name}.yaml"), text)).to_vec();
        Ruleset::from_files(files).unwrap_or_else(|error| panic!("{error}"))
    }

    fn rule(id: &str, when: &str) -> String {
        format!(
            "- {{id: {id}, title: x, consider: buprenorphine, when: {when}, statement: X., \
             evidence: [{{source: chou-2014, place: x}}], strength: x}}\n"
        )
    }

    #[test]
    fn what_rules_ask_is_what_they_use() {
        use SourceAttribute::{DateOfBirth, HealthStatusAssessment, Race, Sex, SocialDeterminants};
        let rules = [
            rule("by-age", "{age: {at_least: 18}}"),
            rule("by-sex", "{not: {sex: female}}"),
            rule("by-pregnancy", "{known: {pregnancy: pregnant}}"),
            rule("by-home", "{all: [oud-present, {history: homelessness}]}"),
            rule("by-screen", "{observation: screen}"),
            rule("by-service", "{history: veteran}"),
            rule("by-work", "{diagnosis: unemployment}"),
        ]
        .concat();
        let ruleset = package(&rules);
        let using = |attribute| ruleset.uses().rules(attribute).collect::<Vec<_>>();
        assert_eq!(using(DateOfBirth), ["by-age"]);
        assert_eq!(using(Sex), ["by-sex"]);
        assert_eq!(using(SocialDeterminants), ["by-home", "by-work"]);
        assert_eq!(using(HealthStatusAssessment), ["by-pregnancy", "by-screen"]);
        assert!(using(Race).is_empty());
        assert!(ruleset.uses().uses("by-age", DateOfBirth) && !ruleset.uses().uses("by-age", Sex));
    }

    #[test]
    fn a_rule_that_rests_on_another_uses_what_that_one_uses() {
        let first = rule("by-age", "{age: {at_least: 18}}");
        let second =
            rule("on-offer", "{offered: buprenorphine}").replace("consider: buprenorphine", "recommend: methadone");
        let ruleset = package(&(first + &second));
        let using: Vec<_> = ruleset.uses().rules(SourceAttribute::DateOfBirth).collect();
        assert_eq!(using, ["by-age", "on-offer"]);
    }
}
