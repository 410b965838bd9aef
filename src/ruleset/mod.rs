//! The active rules package (stand-in until the package is merged).

use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use crate::clinical::date::AsOf;
use crate::clinical::patient::Patient;
use crate::engine::decision::{Answer, Explain, Scope, Tally};
use crate::rule::model::Package;

/// A package, ready to evaluate.
#[derive(Debug)]
pub struct Ruleset {
    package: Package,
    digest: String,
}

/// Counts of a package.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Active rules.
    pub rules: u32,
    /// Drafts.
    pub drafts: u32,
    /// Retired rules.
    pub retired: u32,
    /// Definitions.
    pub definitions: u32,
    /// Concepts.
    pub concepts: u32,
    /// Components.
    pub components: u32,
    /// Atoms.
    pub atoms: u32,
}

/// A part of a condition in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// The part.
    pub text: String,
    /// Its parts.
    pub children: Vec<Outline>,
}

/// Why a package can't be used: rendered diagnostics.
#[derive(Debug)]
pub struct LoadError(String);

impl fmt::Display for LoadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for LoadError {}

impl Ruleset {
    /// The package in the binary.
    ///
    /// # Errors
    /// Never, here.
    pub fn embedded() -> Result<Self, LoadError> {
        let mut package = Package::default();
        package.meta.name = "stand-in".into();
        package.meta.version = "0".into();
        Ok(Self { package, digest: "0".repeat(64) })
    }

    /// The package in a directory.
    ///
    /// # Errors
    /// Where `dir` is no directory.
    pub fn from_dir(dir: &Path) -> Result<Self, LoadError> {
        if dir.is_dir() { Self::embedded() } else { Err(LoadError(format!("error: no directory {}", dir.display()))) }
    }

    /// 64 hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The package as written.
    #[must_use]
    pub fn package(&self) -> &Package {
        &self.package
    }

    /// Counts.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts::default()
    }

    /// Evaluates.
    #[must_use]
    pub fn evaluate(&self, _patient: &Patient, as_of: &AsOf, _explain: Explain) -> Answer {
        Answer {
            as_of: as_of.to_string(),
            scope: Scope::None,
            scope_note: String::new(),
            alerts: vec![],
            recommendations: vec![],
            data_requests: vec![],
            assessments: vec![],
            more_data_requests: vec![],
            more_assessments: vec![],
            insights: vec![],
            notes: vec![],
            unrecognized: vec![],
            readings: vec![],
            considered: vec![],
            tally: Tally::default(),
        }
    }

    /// The condition of a rule in words.
    #[must_use]
    pub fn describe(&self, _rule_id: &str) -> Option<Outline> {
        None
    }

    /// Version of the engine's semantics.
    #[must_use]
    pub fn semantics() -> u32 {
        1
    }
}

/// Holder of the active package.
#[derive(Clone, Debug, Default)]
pub struct Active(Arc<RwLock<Option<Arc<Ruleset>>>>);

impl Active {
    /// No package.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Activates a package.
    pub fn set(&self, ruleset: Arc<Ruleset>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(ruleset);
    }

    /// The active package.
    #[must_use]
    pub fn get(&self) -> Option<Arc<Ruleset>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
