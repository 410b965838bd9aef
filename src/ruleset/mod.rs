//! Rules packages at run time: loaded, checked, compiled, with their digest.

mod active;
pub mod archive;
pub mod attributes;
mod check;
pub mod diff;
mod digest;
pub mod reload;
pub mod signature;
mod source;
pub mod trust;

use crate::analysis::catalog::Side;
pub use crate::analysis::questions::Depth;
use crate::clinical::date::AsOf;
use crate::clinical::patient::Patient;
use crate::diag::Files;
use crate::engine::Engine;
use crate::engine::decision::{Answer, Explain};
use crate::engine::evaluate::Valuation;
use crate::program::{Outline, Program, SEMANTICS};
use crate::rule::model::{Package, RuleStatus};
use crate::rule::truth::Truth;

pub use active::{Active, State};
pub use attributes::Uses;
pub use check::{Checked, check_sources};
pub use source::{MAX_FILES, Origin, SIGNATURE, Snapshot, Sources, path_fault, text};

/// A package that was checked and compiled. Never changes.
#[derive(Debug)]
pub struct Ruleset {
    engine: Engine,
    digest: String,
    base_digest: String,
    overlay_digest: Option<String>,
    warnings: String,
    uses: Uses,
    sources: Sources,
}

/// Counts of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Active rules.
    pub rules: u32,
    /// Drafts.
    pub drafts: u32,
    /// Retired rules.
    pub retired: u32,
    /// Rules that the overlay disables.
    pub disabled: u32,
    /// Definitions.
    pub definitions: u32,
    /// Concepts.
    pub concepts: u32,
    /// Components.
    pub components: u32,
    /// Facts that the compiled package asks of a patient.
    pub atoms: u32,
}

/// Why a package can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Its files can't be read.
    #[error("{0}")]
    Unreadable(String),
    /// Its files change while they are read.
    #[error("{0}")]
    Changing(String),
    /// It has faults; rendered for people.
    #[error("{rendered}")]
    Faulty {
        /// The diagnostics, rendered.
        rendered: String,
    },
}

/// The files of a folder of cases, named as they are reached from here, or one
/// case file.
///
/// # Errors
/// [`LoadError::Unreadable`] where they can't be read, or where there is none.
pub fn case_files(path: &std::path::Path) -> Result<Vec<(String, String)>, LoadError> {
    source::case_files(path)
}

/// The files of the shipped package's cases, by name and text.
#[must_use]
pub fn embedded_cases() -> Vec<(String, String)> {
    source::embedded_cases()
}

impl Ruleset {
    /// The shipped package, without an overlay.
    ///
    /// # Errors
    /// [`LoadError`] where it has faults; tests hold that it has none.
    pub fn embedded() -> Result<Self, LoadError> {
        Self::from_sources(Origin::default().read()?)
    }

    /// The package that the files make, by name and text.
    ///
    /// # Errors
    /// [`LoadError`] where it has faults.
    pub fn from_files(files: Vec<(String, String)>) -> Result<Self, LoadError> {
        Self::from_sources(Files::new(files).into())
    }

    /// A package with its overlay.
    ///
    /// # Errors
    /// [`LoadError`] where either has faults.
    pub fn from_sources(sources: Sources) -> Result<Self, LoadError> {
        Self::from_checked(check_sources(sources, None, Depth::Errors))
    }

    /// A package that was checked.
    ///
    /// # Errors
    /// [`LoadError::Faulty`] where the check found an error.
    pub fn from_checked(checked: Checked) -> Result<Self, LoadError> {
        let rendered = checked.render(false);
        if checked.errors() > 0 {
            return Err(LoadError::Faulty { rendered });
        }
        let (package, base_digest) = (&checked.package, checked.base_digest);
        let overlay_digest = package.overlay.as_ref().map(digest::of_overlay);
        // Of the package that is evaluated, so that it can name no other.
        let digest = match &package.overlay {
            Some(_) => digest::of_both(package, &base_digest),
            None => digest::of_package(package),
        };
        let engine = Engine::new(checked.package).map_err(|faults| {
            let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
            LoadError::Faulty { rendered: lines.join("\n") }
        })?;
        // Made here and not by the first request that asks for it.
        let _ = engine.with_drafts();
        let uses = Uses::of(engine.package(), engine.program());
        let sources = checked.sources;
        Ok(Self { engine, digest, base_digest, overlay_digest, warnings: rendered, uses, sources })
    }

    /// SHA-256 over the package, its overlay, the code tables and the version of
    /// the engine's semantics, hexadecimal.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The same without the overlay: equal to [`Self::digest`] where there is none.
    #[must_use]
    pub fn base_digest(&self) -> &str {
        &self.base_digest
    }

    /// SHA-256 over the overlay, where there is one.
    #[must_use]
    pub fn overlay_digest(&self) -> Option<&str> {
        self.overlay_digest.as_deref()
    }

    /// The files that it was read from.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Warnings of the check, rendered; empty where there are none.
    #[must_use]
    pub fn warnings(&self) -> &str {
        &self.warnings
    }

    /// The package, ready to evaluate.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Which source attributes its active rules use.
    #[must_use]
    pub fn uses(&self) -> &Uses {
        &self.uses
    }

    /// The package with its overlay laid over it.
    #[must_use]
    pub fn package(&self) -> &Package {
        self.engine.package()
    }

    /// Its compiled form.
    #[must_use]
    pub fn program(&self) -> &Program {
        self.engine.program()
    }

    /// The package as analyses read it.
    #[must_use]
    pub fn side(&self) -> Side<'_> {
        Side { package: self.package(), program: self.program(), index: self.engine.index() }
    }

    /// Truth of every atom for a patient, and of every formula.
    #[must_use]
    pub fn truths(&self, patient: &Patient, as_of: &AsOf) -> (Vec<Truth>, Valuation) {
        self.engine.truths(patient, as_of)
    }

    /// Version of the engine's semantics.
    #[must_use]
    pub fn semantics() -> u32 {
        SEMANTICS
    }

    /// Counts of the package.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let package = self.package();
        let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        let of = |status: RuleStatus| count(package.rules.iter().filter(|rule| rule.status == status).count());
        Counts {
            rules: of(RuleStatus::Active),
            drafts: of(RuleStatus::Draft),
            retired: of(RuleStatus::Retired),
            disabled: of(RuleStatus::Disabled),
            definitions: count(package.definitions.len()),
            concepts: count(package.concepts.len()),
            components: count(package.components.len()),
            atoms: count(self.program().atoms.len()),
        }
    }

    /// The condition of an active rule in words.
    #[must_use]
    pub fn describe(&self, rule: &str) -> Option<&Outline> {
        self.program().rules.iter().find(|one| one.id == rule).map(|one| &one.outline)
    }

    /// Evaluates a patient at an instant.
    #[must_use]
    pub fn evaluate(&self, patient: &Patient, as_of: &AsOf, explain: Explain) -> Answer {
        self.engine.evaluate(patient, as_of, explain)
    }

    /// Evaluates a patient at an instant, drafts included.
    #[must_use]
    pub fn evaluate_with_drafts(&self, patient: &Patient, as_of: &AsOf, explain: Explain) -> Answer {
        let answer = self.engine.with_drafts().evaluate(patient, as_of, explain);
        Answer { drafts_included: true, ..answer }
    }
}
