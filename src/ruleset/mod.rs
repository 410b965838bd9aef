//! Rules packages at run time: loaded, checked, compiled, with their digest.

mod active;
pub mod attributes;
mod digest;
pub mod reload;
pub mod signature;
mod source;
pub mod trust;

use std::path::Path;

use crate::clinical::date::AsOf;
use crate::clinical::patient::Patient;
use crate::diag::{self, Diagnostic, Files, Level};
use crate::engine::Engine;
use crate::engine::decision::{Answer, Explain};
use crate::engine::program::{Outline, Program, SEMANTICS};
use crate::rule::model::{Package, RuleStatus};
use crate::rule::{check, read};

pub use active::{Active, State};
pub use attributes::Uses;
pub use source::{MAX_FILES, Origin, SIGNATURE, Snapshot, Sources, path_fault, text};

/// Diagnostics that are shown at most: a file of another kind has thousands.
const SHOWN: usize = 200;

/// A package that was checked and compiled. Never changes.
#[derive(Debug)]
pub struct Ruleset {
    engine: Engine,
    digest: String,
    warnings: String,
    uses: Uses,
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

/// What a check found.
#[derive(Debug)]
pub struct Checked {
    /// The files.
    pub files: Files,
    /// Faults and warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// The package; to be used only without errors.
    pub package: Package,
}

impl Checked {
    /// How many errors there are.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|one| one.level == Level::Error).count()
    }

    /// The diagnostics as text, as many as anyone reads.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        diag::render_first(&self.diagnostics, &self.files, color, SHOWN)
    }
}

/// Reads and checks the package of a directory. `today`, `YYYY-MM-DD`, is the
/// day against which review dates are held.
///
/// # Errors
/// [`LoadError::Unreadable`] where the files can't be read.
pub fn check_dir(dir: &Path, today: Option<&str>) -> Result<Checked, LoadError> {
    Ok(check_files(source::read_dir(dir)?, today))
}

/// Reads and checks the shipped package.
#[must_use]
pub fn check_embedded(today: Option<&str>) -> Checked {
    check_files(source::embedded(), today)
}

/// Checks a package that was read.
#[must_use]
pub fn check_sources(sources: Sources, today: Option<&str>) -> Checked {
    check_files(sources.base, today)
}

/// Reads and checks the package that the files make.
#[must_use]
pub fn check_files(files: Files, today: Option<&str>) -> Checked {
    let (package, mut diagnostics) = read::package(&files);
    // What is not read can't be referred to: checks of names would only echo.
    if diagnostics.iter().all(|one| one.level != Level::Error) {
        diagnostics.extend(check::package(&package, today));
    }
    Checked { files, diagnostics, package }
}

impl Ruleset {
    /// The shipped package.
    ///
    /// # Errors
    /// [`LoadError`] where it has faults; tests hold that it has none.
    pub fn embedded() -> Result<Self, LoadError> {
        Self::from_checked(check_embedded(None))
    }

    /// The package of a directory.
    ///
    /// # Errors
    /// [`LoadError`] where it can't be read or has faults.
    pub fn from_dir(dir: &Path) -> Result<Self, LoadError> {
        Self::from_checked(check_dir(dir, None)?)
    }

    /// The package that the files make, by name and text.
    ///
    /// # Errors
    /// [`LoadError`] where it has faults.
    pub fn from_files(files: Vec<(String, String)>) -> Result<Self, LoadError> {
        Self::from_checked(check_files(Files::new(files), None))
    }

    /// A package that was read.
    ///
    /// # Errors
    /// [`LoadError::Faulty`] where it has faults.
    pub fn from_sources(sources: Sources) -> Result<Self, LoadError> {
        Self::from_checked(check_sources(sources, None))
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
        let digest = digest::of(&checked.package);
        let engine = Engine::new(checked.package).map_err(|faults| {
            let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
            LoadError::Faulty { rendered: lines.join("\n") }
        })?;
        let uses = Uses::of(engine.package(), engine.program());
        Ok(Self { engine, digest, warnings: rendered, uses })
    }

    /// SHA-256 over the package, the code tables and the version of the
    /// engine's semantics, hexadecimal.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Warnings of the check, rendered; empty where there are none.
    #[must_use]
    pub fn warnings(&self) -> &str {
        &self.warnings
    }

    /// Which source attributes its active rules use.
    #[must_use]
    pub fn uses(&self) -> &Uses {
        &self.uses
    }

    /// The package as written.
    #[must_use]
    pub fn package(&self) -> &Package {
        self.engine.package()
    }

    /// Its compiled form.
    #[must_use]
    pub fn program(&self) -> &Program {
        self.engine.program()
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
}
