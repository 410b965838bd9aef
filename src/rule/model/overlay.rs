//! What a site lays over a package: values of its parameters, rules that it
//! disables, enables and adds, and what is not on its formulary.

use serde::Serialize;

use super::{Concept, Definition, Name, Package, Question, Rule, Source, Spanned};

/// An overlay.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Overlay {
    /// Metadata.
    pub head: OverlayHead,
    /// Parameters that it sets.
    pub set: Vec<SetParameter>,
    /// Rules that it disables.
    pub disable: Vec<Disable>,
    /// Drafts that it enables.
    pub enable: Vec<Name>,
    /// Components that are not on the formulary.
    pub off_formulary: Vec<OffFormulary>,
    /// What it adds.
    pub added: Additions,
}

/// Metadata of an overlay.
#[derive(Clone, Debug, Default, Serialize)]
pub struct OverlayHead {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Title.
    pub title: String,
    /// Who develops it.
    pub developer: String,
    /// Name of the package that it is laid over.
    pub base: Name,
    /// Digest that this package must have.
    pub base_digest: Option<Spanned<String>>,
}

/// A parameter with the value that a site gives it.
#[derive(Clone, Debug, Serialize)]
pub struct SetParameter {
    /// The parameter.
    pub parameter: Name,
    /// The value.
    pub value: Spanned<String>,
}

/// A rule that a site disables.
#[derive(Clone, Debug, Serialize)]
pub struct Disable {
    /// The rule.
    pub rule: Name,
    /// Why: shown with every answer where the rule is a safety rule.
    pub reason: String,
    /// Who decided it.
    pub by: Option<String>,
}

/// A component that is not on a site's formulary.
#[derive(Clone, Debug, Serialize)]
pub struct OffFormulary {
    /// The component.
    pub component: Name,
    /// What to do about it.
    pub note: Option<String>,
}

/// What an overlay adds to the lists of a package.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Additions {
    /// Sources.
    pub sources: Vec<Source>,
    /// Questions.
    pub questions: Vec<Question>,
    /// Value sets.
    pub concepts: Vec<Concept>,
    /// Named conditions.
    pub definitions: Vec<Definition>,
    /// Rules.
    pub rules: Vec<Rule>,
}

impl Overlay {
    /// Sorts everything whose order means nothing.
    pub fn sort(&mut self) {
        self.set.sort_by(|a, b| a.parameter.value.cmp(&b.parameter.value));
        self.disable.sort_by(|a, b| a.rule.value.cmp(&b.rule.value));
        self.enable.sort_by(|a, b| a.value.cmp(&b.value));
        self.off_formulary.sort_by(|a, b| a.component.value.cmp(&b.component.value));
        let added = &mut self.added;
        added.sources.sort_by(|a, b| a.id.value.cmp(&b.id.value));
        added.questions.sort_by(|a, b| a.id.value.cmp(&b.id.value));
        added.concepts.sort_by(|a, b| a.def.id.cmp(&b.def.id));
        added.definitions.sort_by(|a, b| a.id.value.cmp(&b.id.value));
        added.rules.sort_by(|a, b| a.id.value.cmp(&b.id.value));
    }
}

impl Package {
    /// The rules that the overlay disables, each with why.
    pub fn disabled(&self) -> impl Iterator<Item = (&Rule, &Disable)> {
        let disabled = self.overlay.iter().flat_map(|overlay| &overlay.disable);
        disabled.filter_map(|disable| {
            let rule = self.rules.iter().find(|rule| rule.id.value == disable.rule.value)?;
            Some((rule, disable))
        })
    }

    /// Why a component is not on the site's formulary, where it is not: the
    /// note, which may be empty.
    #[must_use]
    pub fn off_formulary(&self, component: &str) -> Option<&str> {
        let listed = self.overlay.iter().flat_map(|overlay| &overlay.off_formulary);
        let found = listed.into_iter().find(|one| one.component.value == component)?;
        Some(found.note.as_deref().unwrap_or_default())
    }
}
