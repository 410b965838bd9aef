//! A package and its overlay, read and checked.

use super::digest;
use super::source::Sources;
use crate::analysis::check as logic;
use crate::analysis::questions::Depth;
use crate::diag::{self, Diagnostic, Files, Level};
use crate::rule::model::{Overlay, Package};
use crate::rule::yaml::Node;
use crate::rule::{check, overlay, read};

/// Diagnostics that are shown at most: a file of another kind has thousands.
const SHOWN: usize = 200;

/// What a check found.
#[derive(Debug)]
pub struct Checked {
    /// The files, those of the overlay below `overlay/`.
    pub files: Files,
    /// Faults and warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// The package with its overlay; to be used only without errors.
    pub package: Package,
    /// Digest of the package without its overlay.
    pub base_digest: String,
    /// What was checked.
    pub sources: Sources,
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

/// Reads and checks a package with its overlay. `today`, `YYYY-MM-DD`, is the
/// day against which review dates are held; `depth` says how much is asked about
/// all patients at once.
#[must_use]
pub fn check_sources(sources: Sources, today: Option<&str>, depth: Depth) -> Checked {
    let checked = sources.clone();
    let first = u32::try_from(sources.base.count()).unwrap_or(u32::MAX);
    let laid_over = sources.overlay.is_some();
    let files = sources.files();
    let mut diagnostics = Vec::new();
    let base = read::documents(files.iter().filter(|(index, ..)| *index < first), &mut diagnostics);
    let unread = !sound(&diagnostics);
    let (package, mut faults) = read::package(&base, &files);
    // What the package is may be said in the file that can't be read.
    faults.retain(|one| !(unread && one.code == "missing-package"));
    diagnostics.extend(faults);
    // What else is wrong may be right in that format.
    if diagnostics.iter().any(|one| one.code == read::NEWER_FORMAT) {
        diagnostics.retain(|one| one.code == read::NEWER_FORMAT);
    }
    // What is not read can't be referred to: checks of names would only echo.
    if sound(&diagnostics) {
        let found = check::package(&package, today);
        // Warnings of a package under an overlay are those of the two together.
        diagnostics.extend(found.into_iter().filter(|one| !laid_over || one.level == Level::Error));
    }
    let base_digest = digest::of_package(&package);
    if !laid_over || !sound(&diagnostics) {
        // Formulas of a package with faults would stand for something else.
        if sound(&diagnostics) {
            diagnostics.extend(logic::package(&package, depth));
        }
        return Checked { files, diagnostics, package, base_digest, sources: checked };
    }
    let laid = read::documents(files.iter().filter(|(index, ..)| *index >= first), &mut diagnostics);
    let package = lay_over(&package, &base, &laid, &files, first, &base_digest, &mut diagnostics);
    if sound(&diagnostics) {
        diagnostics.extend(check::package(&package, today));
    }
    if sound(&diagnostics) {
        diagnostics.extend(logic::package(&package, depth));
    }
    Checked { files, diagnostics, package, base_digest, sources: checked }
}

fn sound(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().all(|one| one.level != Level::Error)
}

/// The package read again with the values that the overlay sets, and the rest
/// of the overlay laid over it.
fn lay_over(
    package: &Package,
    base: &[Node],
    laid: &[Node],
    files: &Files,
    first: u32,
    base_digest: &str,
    diagnostics: &mut Vec<Diagnostic>,
) -> Package {
    let read = read::overlay(laid, files, first, package);
    diagnostics.extend(read.faults);
    diagnostics.extend(pinned(&read.overlay, base_digest));
    let (again, faults) = read::package_with(base, files, read.parameters);
    // The package is sound with its own values, so these are the overlay's.
    diagnostics.extend(faults.into_iter().map(|fault| {
        let fault = fault.help("the values that the overlay sets can't stand together here: choose others");
        read.overlay.set.iter().fold(fault, |fault, one| fault.related(one.parameter.span, "set here"))
    }));
    let (merged, faults) = overlay::merge(again, read.overlay);
    diagnostics.extend(faults);
    merged
}

/// Is the package the one that the overlay was made for?
fn pinned(overlay: &Overlay, base_digest: &str) -> Option<Diagnostic> {
    let pin = overlay.head.base_digest.as_ref().filter(|pin| pin.value != base_digest)?;
    let message = "the package is not the one that the overlay was checked with";
    let help = format!("check the overlay with this package, then write `base_digest: {base_digest}`");
    Some(Diagnostic::error("base-digest", pin.span, message).help(help))
}
