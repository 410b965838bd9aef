//! What would answer an unknown fact: its question, and the field, codes and
//! unit to send. Facts that one question answers share its key.

use std::collections::HashMap;

use crate::clinical::code::CodeSystem;
use crate::clinical::patient::List;
use crate::rule::model::{Ask, Fact, Name, Package, Question, Word};

use super::case::Case;
use super::ground::{Absence, list_of};
use crate::program::describe::Describer;
use crate::program::{AtomId, Program};

/// A question with what would answer it.
#[derive(Clone, Debug)]
pub struct Need {
    /// Key shared by the facts that it answers.
    pub key: String,
    /// The question.
    pub statement: String,
    /// Field of the request.
    pub field: String,
    /// Codings (system URI, code).
    pub codings: Vec<(String, String)>,
    /// UCUM unit.
    pub unit: String,
    /// May the words of a rule be added to the question?
    pub takes_words: bool,
}

impl Need {
    fn new(key: impl Into<String>, statement: impl Into<String>, field: &str) -> Self {
        Self {
            key: key.into(),
            statement: statement.into(),
            field: field.to_owned(),
            codings: Vec::new(),
            unit: String::new(),
            takes_words: true,
        }
    }

    /// A list of which nothing is stated, or with entries that could not be read.
    #[must_use]
    pub fn list(list: List, unmapped: bool) -> Self {
        let what = match list {
            List::Diagnoses => "diagnoses",
            List::Medications => "current and planned medications",
            _ => list.name(),
        };
        let statement = if unmapped {
            format!("Identify the entries of the {what} that could not be read, and confirm that the list is complete")
        } else {
            format!("Confirm the list of {what}: what it does not hold was taken as absent")
        };
        Self { takes_words: false, ..Self::new(format!("confirm-{}", list.name()), statement, "patient.complete") }
    }
}

/// The question of each atom of a program, made once a package.
#[must_use]
pub fn of_atoms(package: &Package, program: &Program) -> Vec<Option<Need>> {
    let describer = Describer::new(package);
    let mut questions: Questions<'_> = HashMap::new();
    for question in &package.questions {
        for concept in &question.concepts {
            questions.entry(concept.value.as_str()).or_insert(question);
        }
    }
    program.atoms.iter().map(|atom| of_fact(package, &questions, &describer, &atom.fact)).collect()
}

/// The question that answers a concept together with others.
type Questions<'a> = HashMap<&'a str, &'a Question>;

fn question_of<'a>(questions: &Questions<'a>, names: &[Name]) -> Option<&'a Question> {
    questions.get(names.first()?.value.as_str()).copied()
}

fn of_fact(package: &Package, questions: &Questions<'_>, describer: &Describer<'_>, fact: &Fact) -> Option<Need> {
    let words = &package.vocabulary;
    Some(match fact {
        Fact::Diagnosis { concepts, .. } => {
            let name = concept_name(concepts);
            let question = format!("Confirm or correct the diagnosis: {}", describer.concept(&name));
            with_codings(package, Need::new(format!("diagnosis-{name}"), question, "patient.diagnoses"), &name)
        }
        Fact::OnsetOrder { .. } => {
            let question = "When did each disorder begin, and were there times of abstinence between?";
            Need::new("onset-of-disorders", question, "patient.diagnoses[].onset")
        }
        Fact::Medication { concepts, .. } | Fact::Observation { concepts, .. }
            if question_of(questions, concepts).is_some() =>
        {
            let question = question_of(questions, concepts)?;
            let field =
                if matches!(fact, Fact::Medication { .. }) { "patient.medications" } else { "patient.observations" };
            let mut need = Need::new(question.id.value.clone(), question.text.clone(), field);
            for concept in &question.concepts {
                let (codings, unit) = concept_codings(package, &concept.value);
                need.codings.extend(codings.into_iter().take(1));
                need.unit = unit;
            }
            need
        }
        Fact::Medication { concepts, .. } => {
            let name = concept_name(concepts);
            let question = format!("Medication: {}, with status and dates", describer.concept(&name));
            Need::new(format!("medication-{name}"), question, "patient.medications")
        }
        Fact::Allergy { .. } => Need::new(
            "allergies",
            "Allergies and intolerances to medications, or that none is known",
            "patient.allergies",
        ),
        Fact::Observation { concepts, .. } => {
            let name = concept_name(concepts);
            let need = Need::new(format!("observation-{name}"), describer.concept(&name), "patient.observations");
            with_codings(package, need, &name)
        }
        Fact::Event { types, .. } => word_need("event", &words.events, types, "patient.events"),
        Fact::History { codes } => word_need("history", &words.history, codes, "patient.history"),
        Fact::Plan { kinds, .. } => word_need("plan", &words.plans, kinds, "patient.plans"),
        Fact::Preference { codes } => word_need("preference", &words.preferences, codes, "patient.preferences"),
        Fact::Age(_) => Need::new("age", "Age, or birth date", "patient.birth_date"),
        Fact::Sex(_) => Need::new("sex", "Recorded sex", "patient.sex"),
        Fact::Pregnancy(_) => Need::new("pregnancy", "Pregnancy status", "patient.pregnancy"),
        Fact::Lactation(_) => Need::new("lactation", "Lactation status", "patient.lactation"),
        Fact::ChildbearingPotential(_) => Need::new(
            "childbearing-potential",
            "Whether the patient could become pregnant",
            "patient.childbearing_potential",
        ),
        Fact::Setting { .. } => Need::new("setting", "Where care is given", "patient.setting"),
        Fact::InForce { .. } => return None,
    })
}

fn with_codings(package: &Package, mut need: Need, concept: &str) -> Need {
    (need.codings, need.unit) = concept_codings(package, concept);
    need
}

/// Codings (system URI, code) of a concept, the first few of each system, and
/// its unit.
#[must_use]
pub fn concept_codings(package: &Package, concept: &str) -> (Vec<(String, String)>, String) {
    let found = package.concepts.binary_search_by(|one| one.def.id.as_str().cmp(concept));
    let Some(concept) = found.ok().and_then(|at| package.concepts.get(at)) else {
        return (Vec::new(), String::new());
    };
    let def = &concept.def;
    let icd: Vec<String> = def.icd10cm.iter().filter(|entry| !entry.below).map(|entry| entry.code.clone()).collect();
    let lists = [
        (CodeSystem::Icd10Cm, &icd),
        (CodeSystem::SnomedCt, &def.snomed),
        (CodeSystem::Loinc, &def.loinc),
        (CodeSystem::Concord, &def.local),
    ];
    let first = |(system, codes): (CodeSystem, &Vec<String>)| {
        codes.iter().take(FEW).map(|code| (system.uri().to_owned(), code.clone())).collect::<Vec<_>>()
    };
    let unit = concept.unit.as_ref().map_or_else(String::new, |unit| unit.value.clone());
    (lists.into_iter().flat_map(first).collect(), unit)
}

impl Case<'_> {
    /// What would answer an atom that is unknown.
    #[must_use]
    pub fn need(&self, id: AtomId) -> Option<Need> {
        let atom = self.engine.program().atoms.get(id.at())?;
        let by_absence = self.grounded.atoms.get(&id).is_none_or(|found| found.elements.is_empty());
        if let Some(list @ (List::Diagnoses | List::Medications)) = list_of(&atom.fact) {
            // A list known to be partial is one question, not one for every fact.
            if by_absence && !atom.absent_unknown && self.grounded.absence(list) == Absence::Unknown {
                return Some(Need::list(list, self.grounded.unmapped.iter().any(|(known, _)| *known == list)));
            }
        }
        self.engine.need(id).cloned()
    }
}

/// Codes of one system that a request names: enough to answer it.
const FEW: usize = 3;

fn concept_name(names: &[Name]) -> String {
    names.first().map_or_else(String::new, |name| name.value.clone())
}

fn word_need(kind: &str, words: &[Word], names: &[Name], field: &str) -> Need {
    let name = concept_name(names);
    let word = words.iter().find(|word| word.id.value == name);
    match word.and_then(|word| word.ask.as_ref()) {
        Some(Ask { id, text }) => Need::new(id.clone(), text.clone(), field),
        None => {
            let title = word.map_or_else(|| name.replace('-', " "), |word| word.title.clone());
            Need::new(format!("{kind}-{name}"), title, field)
        }
    }
}
