//! Codings of a record: which concepts they mean, and what to say of those
//! that mean none.

use crate::clinical::code::{CodeStanding, CodeSystem, SystemProblem, read_code};
use crate::clinical::concept::{ConceptIndex, Match};
use crate::clinical::patient::Coding;
use crate::clinical::prints_nothing;
use crate::engine::decision::{Unrecognized, UnrecognizedReason};

/// What the codings of one entry mean.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Meaning {
    /// Concepts, by index, each with how sure it is.
    pub concepts: Vec<(usize, Match)>,
    /// The codes, in the normal form of their systems.
    codes: Vec<(CodeSystem, String)>,
    /// At least one coding is understood, if only as one that no rule asks for.
    pub understood: bool,
}

impl Meaning {
    /// How sure it is that the entry means the concept.
    pub fn of(&self, concept: usize) -> Option<Match> {
        self.concepts.iter().find(|(known, _)| *known == concept).map(|(_, certainty)| *certainty)
    }

    /// Do two entries carry the same code?
    pub fn shares_code(&self, other: &Self) -> bool {
        self.codes.iter().any(|code| other.codes.contains(code))
    }

    fn add(&mut self, concept: usize, certainty: Match) {
        match self.concepts.iter_mut().find(|(known, _)| *known == concept) {
            Some((_, known)) => *known = (*known).min(certainty),
            None => self.concepts.push((concept, certainty)),
        }
    }
}

/// Reads codings against the value sets of a package.
pub struct Codes<'a> {
    /// Value sets by code.
    pub index: &'a ConceptIndex,
    /// Concepts that a rule asks for.
    pub used: &'a [bool],
}

impl Codes<'_> {
    /// Reads the codings of an entry at `path`, and names what can't be used.
    pub fn meaning(&self, codings: &[Coding], path: &str, sink: &mut Vec<Unrecognized>) -> Meaning {
        let mut meaning = Meaning::default();
        if codings.is_empty() {
            sink.push(Unrecognized {
                path: path.to_owned(),
                system: String::new(),
                code: String::new(),
                reason: UnrecognizedReason::Unmapped,
                detail: "no coding: words alone are not read".to_owned(),
            });
        }
        for (index, coding) in codings.iter().enumerate() {
            if let Some((reason, detail)) = self.coding(coding, &mut meaning) {
                sink.push(Unrecognized {
                    path: format!("{path}.coding[{index}]"),
                    system: coding.system.clone(),
                    code: coding.code.clone(),
                    reason,
                    detail,
                });
            }
        }
        meaning
    }

    fn coding(&self, coding: &Coding, meaning: &mut Meaning) -> Option<(UnrecognizedReason, String)> {
        let system = match CodeSystem::resolve(&coding.system) {
            Ok(system) => system,
            Err(SystemProblem::Other { name }) => {
                let detail =
                    format!("{name} is another code system, and its codes are not read as any that Concord knows");
                return Some((UnrecognizedReason::Unmapped, detail));
            }
            Err(SystemProblem::Unknown) => {
                let detail = "the code system is not known: send ICD-10-CM, SNOMED CT, RxNorm or LOINC".to_owned();
                return Some((UnrecognizedReason::Unmapped, detail));
            }
        };
        let code = match read_code(system, &coding.code) {
            Ok(code) => code,
            Err(malformed) => {
                return Some((UnrecognizedReason::Malformed, format!("not a code of {}: {malformed}", system.name())));
            }
        };
        let matches = self.index.lookup(&code);
        meaning.codes.push((code.system, code.code.clone()));
        let asked = matches.iter().any(|found| self.used.get(found.concept).copied().unwrap_or(false));
        for found in &matches {
            meaning.add(found.concept, found.certainty);
        }
        let listed = !matches.is_empty() || matches!(system, CodeSystem::Icd10Cm | CodeSystem::RxNorm);
        meaning.understood |= listed && (!matches.is_empty() || code.standing != CodeStanding::NotListed);
        let possible = matches.iter().any(|found| found.certainty == Match::Possible);
        match code.standing {
            CodeStanding::Retired => {
                Some((UnrecognizedReason::Retired, format!("retired from {}; read as what it stood for", system.name())))
            }
            CodeStanding::Header if possible && asked => Some((
                UnrecognizedReason::Ambiguous,
                "a header that stands for several conditions: what it could mean is read as possible; send the exact code".to_owned(),
            )),
            _ if asked => None,
            CodeStanding::NotListed if matches.is_empty() => {
                Some((UnrecognizedReason::Unmapped, format!("not in the {} table of this release", system.name())))
            }
            _ if !listed => Some((
                UnrecognizedReason::Unmapped,
                format!("in no value set: what this {} code means is not known here", system.name()),
            )),
            _ => Some((UnrecognizedReason::Unused, "known, and no rule asks for it".to_owned())),
        }
    }
}

prints_nothing!(Meaning);
