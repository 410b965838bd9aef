//! Concepts: the named value sets of a rules package, and which of them a code belongs to.

mod build;
mod check;
mod fault;
mod index;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::Serialize;

pub use fault::{ConceptFault, ConceptProblem};
pub use index::ConceptIndex;

/// What the members of a concept are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConceptKind {
    /// Disorders, findings, circumstances: ICD-10-CM and SNOMED CT.
    Diagnosis,
    /// Medications: RxNorm.
    Medication,
    /// Measurements, scores and tests: LOINC, SNOMED CT and Concord's own codes.
    Observation,
}

impl ConceptKind {
    /// The word for the kind in a package.
    pub fn name(self) -> &'static str {
        match self {
            Self::Diagnosis => "diagnosis",
            Self::Medication => "medication",
            Self::Observation => "observation",
        }
    }
}

/// One value set as written in the package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConceptDef {
    /// The concept's name in the package, kebab case.
    pub id: String,
    /// What its members are.
    pub kind: ConceptKind,
    /// A short name for people.
    pub title: String,
    /// ICD-10-CM codes of the current release.
    pub icd10cm: Vec<IcdEntry>,
    /// ICD-10-CM codes of earlier releases that no entry of `icd10cm` stands above.
    pub icd10cm_retired: Vec<IcdEntry>,
    /// Seventh characters of ICD-10-CM codes that are not members, such as `S` for sequela.
    pub encounters_except: Vec<char>,
    /// SNOMED CT identifiers.
    pub snomed: Vec<String>,
    /// LOINC codes.
    pub loinc: Vec<String>,
    /// Codes of Concord's own system.
    pub local: Vec<String>,
    /// RXCUIs of ingredients: every code with one of them is a member.
    pub rxnorm_ingredients: Vec<String>,
    /// RXCUIs that are members themselves.
    pub rxnorm_products: Vec<String>,
    /// RXCUIs that are not members although an ingredient is named.
    pub rxnorm_except: Vec<String>,
    /// RXCUIs of ingredients: a code that also contains one of them is not a member.
    pub without_ingredients: Vec<String>,
    /// Ids of concepts of the same kind whose members are members here. The exceptions of this concept are for its own
    /// entries; an included concept keeps to its own.
    pub includes: Vec<String>,
}

impl ConceptDef {
    /// A concept without members yet.
    pub fn new(id: impl Into<String>, kind: ConceptKind, title: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            kind,
            title: title.into(),
            icd10cm: Vec::new(),
            icd10cm_retired: Vec::new(),
            encounters_except: Vec::new(),
            snomed: Vec::new(),
            loinc: Vec::new(),
            local: Vec::new(),
            rxnorm_ingredients: Vec::new(),
            rxnorm_products: Vec::new(),
            rxnorm_except: Vec::new(),
            without_ingredients: Vec::new(),
            includes: Vec::new(),
        }
    }
}

/// An ICD-10-CM entry of a concept: one code, or with a trailing hyphen (`F11.12-`) a code and everything below it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct IcdEntry {
    /// The code, with its dot.
    pub code: String,
    /// Whether everything below the code is meant too.
    pub below: bool,
}

impl From<&str> for IcdEntry {
    /// Reads an entry as written. Whether the code exists is for [`ConceptIndex::build`] to say.
    fn from(written: &str) -> Self {
        match written.strip_suffix('-') {
            Some(code) => Self { code: code.to_owned(), below: true },
            None => Self { code: written.to_owned(), below: false },
        }
    }
}

impl fmt::Display for IcdEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.code, if self.below { "-" } else { "" })
    }
}

/// Whether a code means the concept or may mean it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Match {
    /// Everything the code can stand for is in the concept.
    Certain,
    /// The code is a header, and only some of the codes below it are in the concept.
    Possible,
}

/// A concept that a code belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConceptMatch {
    /// The concept's place in the definitions that the index was built from.
    pub concept: usize,
    /// How sure the match is.
    pub certainty: Match,
}
