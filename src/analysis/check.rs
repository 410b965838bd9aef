//! The logical half of a check: what the questions find in a package, each
//! finding with a patient that shows it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::clinical::concept::{ConceptDef, ConceptIndex};
use crate::diag::{Diagnostic, Level};
use crate::program::{NodeId, Program, compile};
use crate::rule::model::{Package, RuleStatus};

use super::catalog::{Catalog, Side, Space};
use super::encode::Encoded;
use super::invariants::{self, Doubt, Question, Told};
use super::logic::{Lit, Logic, Model, Rails};
use super::questions::{self, Claim, Depth, Finding};

/// Asks a package without static faults. A package with such faults is not to
/// be asked.
#[must_use]
pub fn package(package: &Package, depth: Depth) -> Vec<Diagnostic> {
    if depth == Depth::Nothing {
        return Vec::new();
    }
    let defs: Vec<ConceptDef> = package.concepts.iter().map(|concept| concept.def.clone()).collect();
    let Ok(index) = ConceptIndex::build(&defs) else { return Vec::new() };
    let (program, claims) = compile::with_invariants(package);
    let mut findings = questions::ask(package, &program, depth);
    if depth == Depth::Errors {
        findings.retain(|finding| finding.diagnostic.level == Level::Error);
    }
    let mut diagnostics = invariants::plain(package, &index);
    let doubts = invariants::doubts(package, &index, &program, &claims);
    if findings.is_empty() && doubts.is_empty() && depth == Depth::Errors {
        diagnostics.extend(drafts(package, &index));
        return diagnostics;
    }
    let catalog = Catalog::new(&[Side { package, program: &program, index: &index }]);
    let mut examples = Examples::new(&catalog, &program);
    diagnostics.extend(findings.into_iter().map(|finding| examples.shown(package, finding)));
    diagnostics.extend(doubts.iter().map(|doubt| doubt.told(package, examples.against(package, &program, doubt))));
    diagnostics.extend(drafts(package, &index));
    if depth == Depth::All {
        let unseen = unseen(package, &program, &diagnostics, &mut examples);
        diagnostics.extend(unseen);
    }
    diagnostics
}

/// What is found in drafts, which are evaluated where a request asks for them.
fn drafts(package: &Package, index: &ConceptIndex) -> Vec<Diagnostic> {
    if package.rules.iter().all(|rule| rule.status != RuleStatus::Draft) {
        return Vec::new();
    }
    let program = compile::compile_with_drafts(package);
    let findings = questions::ask_drafts(package, &program);
    if findings.is_empty() {
        return Vec::new();
    }
    let catalog = Catalog::new(&[Side { package, program: &program, index }]);
    let mut examples = Examples::new(&catalog, &program);
    findings.into_iter().map(|finding| examples.shown(package, finding)).collect()
}

/// The records of a catalog.
struct Examples<'a> {
    logic: Logic,
    space: Space<'a>,
    encoded: Encoded,
}

impl<'a> Examples<'a> {
    fn new(catalog: &'a Catalog, program: &Program) -> Self {
        let mut logic = Logic::new();
        let space = catalog.assert(&mut logic);
        let encoded = Encoded::new(&mut logic, program, space.atoms(0));
        Self { logic, space, encoded }
    }

    fn lits(&self, claims: &[Claim]) -> Option<Vec<Lit>> {
        claims.iter().map(|claim| Some(claim.lit(self.encoded.of(claim.node)?))).collect()
    }

    fn request(&mut self, claims: &[Claim]) -> Option<serde_json::Value> {
        let claims = self.lits(claims)?;
        let model = self.space.smallest(&mut self.logic, &claims)?;
        Some(self.space.record(&model).request())
    }

    fn model(&mut self, node: NodeId) -> Option<Model> {
        let rails = self.encoded.of(node)?;
        self.logic.solve(&[rails.yes])
    }

    fn holds(&self, model: &Model, node: NodeId) -> bool {
        self.encoded.of(node).is_some_and(|rails| model.holds(rails.yes))
    }

    /// A record that shows a claim not to be so, and the rules that answer for it.
    fn against(&mut self, package: &Package, program: &Program, doubt: &Doubt<'_>) -> Option<(Value, Vec<Told>)> {
        let question = doubt.question();
        let mut second = None;
        let claims = match question {
            Question::Follows { given, then } => {
                let mut claims = vec![self.encoded.of(given.node)?.yes];
                if let Some(then) = then {
                    claims.push(!self.encoded.of(then.node)?.yes);
                }
                claims
            }
            Question::Bearing { on, touched } => {
                let here = self.space.atoms(0).iter().enumerate();
                let atoms: Vec<Rails> = here
                    .map(|(at, rails)| {
                        let touched = touched.iter().any(|atom| atom.at() == at);
                        if touched { Rails { yes: self.logic.never(), no: self.logic.fresh() } } else { *rails }
                    })
                    .collect();
                let without = Encoded::new(&mut self.logic, program, &atoms);
                let said = on.said.node;
                let mut claims = vec![self.encoded.of(said)?.yes, !without.of(said)?.yes];
                if let Some(among) = on.among {
                    claims.extend([self.encoded.of(among)?.yes, without.of(among)?.yes]);
                }
                second = Some(without);
                claims
            }
        };
        let model = self.space.smallest(&mut self.logic, &claims)?;
        let nowhere = Rails { yes: self.logic.never(), no: self.logic.never() };
        let here = |node: NodeId| self.encoded.of(node).unwrap_or(nowhere);
        let without = |node: NodeId| second.as_ref().and_then(|second| second.of(node));
        let told = invariants::blamed(package, program, question, &model, here, without);
        Some((self.space.record(&model).request(), told))
    }

    /// A finding with its patient. What only a record can prove, and none does,
    /// is a warning.
    fn shown(&mut self, package: &Package, finding: Finding) -> Diagnostic {
        let Finding { diagnostic, shown_by, instead } = finding;
        let mut example = self.request(&shown_by);
        let Some(instead) = instead else { return diagnostic.example(example) };
        let replaced = example.as_mut().is_some_and(|request| instead.put(package, request));
        if replaced {
            return diagnostic.example(example);
        }
        Diagnostic { level: Level::Warning, ..diagnostic }
    }
}

/// Rules that fire for no record of the catalog, without being proven dead.
fn unseen(package: &Package, program: &Program, proven: &[Diagnostic], examples: &mut Examples<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut shown = BTreeSet::new();
    for rule in &program.rules {
        let Some(declared) = package.rules.get(rule.rule as usize) else { continue };
        let dead = questions::never_fires(&rule.id);
        // Dead, or switched off by a parameter: told already.
        if shown.contains(&rule.node) || proven.iter().any(|one| one.message.starts_with(&dead)) {
            continue;
        }
        if let Some(model) = examples.model(rule.node) {
            // A record that shows one rule shows others too.
            shown.extend(program.rules.iter().map(|other| other.node).filter(|node| examples.holds(&model, *node)));
            continue;
        }
        let message = format!("rule `{}` fires for no record that the analysis can build", rule.id);
        found.push(
            Diagnostic::warning("never-shown", declared.id.span, message)
                .help("this is no proof: look whether its codes leave it room beside what it excludes"),
        );
    }
    found
}
