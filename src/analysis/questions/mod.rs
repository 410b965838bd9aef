//! The questions that a check asks of a package, about all patients at once.
//!
//! Each question is one file, and answers with [`Finding`]s: a diagnostic, and
//! what an example patient has to show.

mod clause;
mod dead;
mod duplicate;
mod offer;
mod outranked;
mod weaker;

use super::logic::{Lit, Rails};
use super::space::Space;
use super::theory::Theory;
use crate::diag::Diagnostic;
use crate::program::{CompiledRule, NodeId, Outline, Program};
use crate::rule::check::walk;
use crate::rule::model::{Package, Rule};

/// What a question found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The diagnostic, without its example.
    pub diagnostic: Diagnostic,
    /// What a patient that shows it has to be like: all of this.
    pub shown_by: Vec<Claim>,
    /// The same patient on the other side of a scale, where the finding is on one.
    pub instead: Option<weaker::Instead>,
}

/// A claim about a formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The formula.
    pub node: NodeId,
    /// What is claimed of it.
    pub is: Is,
}

/// What is claimed of a formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Is {
    /// True.
    True,
    /// False or unknown.
    NotTrue,
    /// False.
    False,
}

impl Claim {
    /// The formula is true.
    #[must_use]
    pub fn holds(node: NodeId) -> Self {
        Self { node, is: Is::True }
    }

    /// As a proposition.
    #[must_use]
    pub fn lit(self, rails: Rails) -> Lit {
        match self.is {
            Is::True => rails.yes,
            Is::NotTrue => !rails.yes,
            Is::False => rails.no,
        }
    }
}

/// How much is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Nothing: of a package that was asked before.
    Nothing,
    /// What makes a package unfit to serve.
    Errors,
    /// Everything.
    All,
}

/// Asks a package that has no static fault everything that `depth` says.
#[must_use]
pub fn ask(package: &Package, program: &Program, depth: Depth) -> Vec<Finding> {
    let theory = Theory::new(package);
    let asked = Asked { package, program, theory: &theory };
    let mut findings = Vec::new();
    for definition in &program.definitions {
        let what = format!("definition `{}`", definition.id);
        let mut space = Space::of(&theory, program, &[definition.node]);
        let place = Place { what: &what, outline: &definition.outline, node: definition.node };
        dead::ask(&asked, &mut space, &place, &mut findings);
        if depth == Depth::All {
            clause::ask(&mut space, &place, &[], &mut findings);
        }
    }
    for rule in &program.rules {
        let Some(declared) = package.rules.get(rule.rule as usize) else { continue };
        let what = format!("rule `{}`", rule.id);
        let mut space = Space::of(&theory, program, &asked.roots(rule));
        let place = Place { what: &what, outline: &rule.outline, node: rule.node };
        if dead::ask(&asked, &mut space, &place, &mut findings) {
            continue;
        }
        outranked::ask(&asked, &mut space, rule, declared, &mut findings);
        if depth == Depth::All {
            offer::ask(&asked, &mut space, rule, declared, &mut findings);
            let mut named = Vec::new();
            walk(&declared.when, &mut |test, span| named.extend(test.bind.as_ref().map(|_| span)));
            clause::ask(&mut space, &place, &named, &mut findings);
        }
    }
    weaker::ask(&asked, &mut findings);
    if depth == Depth::All {
        duplicate::ask(&asked, &mut findings);
    }
    findings
}

/// Asks of each draft whether it could ever be true, or always is. `program` is
/// the one with drafts.
#[must_use]
pub fn ask_drafts(package: &Package, program: &Program) -> Vec<Finding> {
    let theory = Theory::new(package);
    let asked = Asked { package, program, theory: &theory };
    let mut findings = Vec::new();
    for rule in program.rules.iter().filter(|rule| rule.settled.is_none()) {
        let what = format!("rule `{}`", rule.id);
        let mut space = Space::of(&theory, program, &asked.roots(rule));
        let place = Place { what: &what, outline: &rule.outline, node: rule.node };
        dead::ask(&asked, &mut space, &place, &mut findings);
    }
    findings
}

/// What is asked about.
struct Asked<'a> {
    package: &'a Package,
    program: &'a Program,
    theory: &'a Theory<'a>,
}

/// A condition that is asked about.
struct Place<'a> {
    what: &'a str,
    outline: &'a Outline,
    node: NodeId,
}

impl<'a> Asked<'a> {
    /// Everything that decides what becomes of a rule's finding.
    fn roots(&self, rule: &CompiledRule) -> Vec<NodeId> {
        let mut roots = vec![rule.node];
        roots.extend(self.outrankers(rule).map(|above| above.node));
        for component in &rule.components {
            let component = self.program.components.get(*component as usize);
            roots.extend(component.and_then(|component| component.current));
            for (other, declared) in self.contraindications(rule) {
                if declared.conclusion.actions().is_empty() {
                    continue;
                }
                roots.push(other.node);
                roots.extend(self.outrankers(other).map(|above| above.node));
            }
        }
        roots
    }

    fn outrankers(&self, rule: &'a CompiledRule) -> impl Iterator<Item = &'a CompiledRule> + use<'a, '_> {
        rule.outranked_by.iter().filter_map(|above| self.program.rules.get(*above as usize))
    }

    fn rules(&self) -> impl Iterator<Item = (&'a CompiledRule, &'a Rule)> + use<'a> {
        let (package, program) = (self.package, self.program);
        program.rules.iter().filter_map(|rule| Some((rule, package.rules.get(rule.rule as usize)?)))
    }

    /// Where the rule is an offer: the rules that contraindicate what it offers.
    fn contraindications(&self, rule: &CompiledRule) -> Vec<(&'a CompiledRule, &'a Rule)> {
        use crate::rule::model::Conclusion;
        let offers = self
            .package
            .rules
            .get(rule.rule as usize)
            .is_some_and(|declared| crate::program::compile::is_offer(&declared.conclusion));
        if !offers {
            return Vec::new();
        }
        self.rules()
            .filter(|(other, declared)| {
                matches!(declared.conclusion, Conclusion::Contraindicate { .. })
                    && other.components.iter().any(|one| rule.components.contains(one))
            })
            .collect()
    }
}

/// The message on a rule that never fires.
#[must_use]
pub fn never_fires(rule: &str) -> String {
    format!("rule `{rule}` can never fire")
}

fn words<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    ids.map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
}
