//! Invariants: is what a package claims of every answer so?
//!
//! A claim about patients is put to every record there could be: what is
//! impossible there is proven ([`doubts`]). What is not proven is shown by a
//! record of the catalog, and where none shows it, that is said ([`Doubt`]).
//! Claims about the package itself are looked up ([`structure`], [`text`]).

mod bearing;
mod blame;
mod structure;
mod text;

use std::collections::BTreeSet;

use super::logic::Model;
use super::space::{Space, cone};
use super::theory::Theory;
use crate::clinical::concept::ConceptIndex;
use crate::diag::{Diagnostic, Span};
use crate::program::{AtomId, Bearing, CompiledClaim, CompiledInvariant, NodeId, Outline, Program};
use crate::rule::model::{Invariant, Package};

pub use blame::{Told, blamed};

/// A claim that is not proven.
#[derive(Debug)]
pub struct Doubt<'a> {
    invariant: &'a Invariant,
    /// Where what is not proven is written.
    place: Span,
    question: Question<'a>,
    /// The rules that answer for it in some record of the free space.
    free: Vec<Told>,
}

/// What no record may show.
#[derive(Debug)]
pub enum Question<'a> {
    /// The first is true, and the second not.
    Follows {
        /// The first.
        given: &'a Outline,
        /// The second.
        then: Option<&'a Outline>,
    },
    /// It is said with the facts, and not without them.
    Bearing {
        /// What the facts bring about.
        on: &'a Bearing,
        /// The facts.
        touched: BTreeSet<AtomId>,
    },
}

/// The invariants that are broken by what the package says of itself.
#[must_use]
pub fn plain(package: &Package, index: &ConceptIndex) -> Vec<Diagnostic> {
    let texts = text::texts(package);
    let mut found = Vec::new();
    for invariant in &package.invariants {
        for claim in &invariant.claims {
            structure::ask(package, index, invariant, claim, &mut found);
            text::ask(&texts, invariant, claim, &mut found);
        }
    }
    found
}

/// The claims about patients that are not proven of all of them.
#[must_use]
pub fn doubts<'a>(
    package: &'a Package,
    index: &ConceptIndex,
    program: &'a Program,
    claims: &'a [CompiledInvariant],
) -> Vec<Doubt<'a>> {
    let theory = Theory::new(package);
    let sharing = index.sharing();
    let mut found = Vec::new();
    for compiled in claims {
        let Some(invariant) = package.invariants.get(compiled.invariant as usize) else { continue };
        let of = Asked { package, program, theory: &theory, invariant };
        for claim in &compiled.claims {
            match claim {
                CompiledClaim::Follows { given, then } => found.extend(of.follows(given, then.as_ref())),
                CompiledClaim::NoBearing { of: facts, on, .. } => {
                    let touched = bearing::touched(package, &sharing, program, facts);
                    found.extend(on.iter().filter_map(|on| of.bearing(on, &touched)));
                }
            }
        }
    }
    found
}

/// An invariant that is asked about.
struct Asked<'a, 'p> {
    package: &'a Package,
    program: &'a Program,
    theory: &'p Theory<'a>,
    invariant: &'a Invariant,
}

impl<'a> Asked<'a, '_> {
    fn follows(&self, given: &'a Outline, then: Option<&'a Outline>) -> Option<Doubt<'a>> {
        let roots: Vec<NodeId> = [Some(given), then].into_iter().flatten().map(|outline| outline.node).collect();
        let mut space = Space::of(self.theory, self.program, &roots);
        let mut claims = vec![space.of_node(given.node).yes];
        claims.extend(then.map(|then| !space.of_node(then.node).yes));
        let model = space.shown(&claims)?;
        let question = Question::Follows { given, then };
        let free = blamed(self.package, self.program, &question, &model, |node| space.of_node(node), |_| None);
        Some(Doubt { invariant: self.invariant, place: given.span, question, free })
    }

    fn bearing(&self, on: &'a Bearing, touched: &BTreeSet<AtomId>) -> Option<Doubt<'a>> {
        let of = |atom| touched.contains(&atom);
        let said = on.said.node;
        // What does not rest on the facts is the same without them.
        if cone(self.program, &[said]).0.is_disjoint(touched) {
            return None;
        }
        let roots: Vec<NodeId> = [Some(said), on.among].into_iter().flatten().collect();
        let (mut space, second) = Space::differing(self.theory, self.program, &roots, of);
        let mut claims = vec![space.of_node(said).yes, !second.get(&said)?.yes];
        if let Some(among) = on.among {
            claims.extend([space.of_node(among).yes, second.get(&among)?.yes]);
        }
        let model = space.shown(&claims)?;
        let question = Question::Bearing { on, touched: touched.clone() };
        let other = |node: NodeId| second.get(&node).copied();
        let free = blamed(self.package, self.program, &question, &model, |node| space.of_node(node), other);
        Some(Doubt { invariant: self.invariant, place: on.said.span, question, free })
    }
}

impl Space {
    /// A record in which all of these hold; none where it is proven that there
    /// is none.
    fn shown(&mut self, claims: &[super::logic::Lit]) -> Option<Model> {
        if self.impossible(claims) { None } else { self.logic.solve(claims) }
    }
}

impl<'a> Doubt<'a> {
    /// What no record may show.
    #[must_use]
    pub fn question(&self) -> &Question<'a> {
        &self.question
    }

    /// The diagnostic: with the record that shows it and the rules that answer
    /// for it there, or without.
    #[must_use]
    pub fn told(&self, package: &Package, shown: Option<(serde_json::Value, Vec<Told>)>) -> Diagnostic {
        let Invariant { id, title, because, .. } = self.invariant;
        let (code, message, example, told) = match shown {
            Some((example, told)) => {
                let message = format!("the invariant `{}` is broken: {}", id.value, lower(title));
                ("invariant-broken", message, Some(example), told)
            }
            None => {
                let message = format!("the invariant `{}` is not proven: {}", id.value, lower(title));
                ("invariant-unproven", message, None, self.free.clone())
            }
        };
        let place = |told: &Told| package.rules.get(told.rule).map(|rule| rule.id.span);
        // A rule that says too much answers for it; one that says too little may be any of several.
        let leading = told.iter().find(|one| one.said).or(if told.len() == 1 { told.first() } else { None });
        let span = leading.and_then(place).unwrap_or(self.place);
        let mut diagnostic = Diagnostic::error(code, span, message);
        if let Some(leading) = leading {
            diagnostic = diagnostic.label(leading.words());
        }
        for one in told.iter().filter(|one| Some(*one) != leading).take(blame::SHOWN) {
            if let Some(span) = place(one) {
                diagnostic = diagnostic.related(span, one.words());
            }
        }
        diagnostic = if leading.is_some() { diagnostic.related(self.place, "the claim") } else { diagnostic };
        let because =
            format!("{}; an invariant is not switched off: mend the rule", lower(because.trim_end_matches('.')));
        diagnostic.help(because).example(example)
    }
}

/// A sentence as part of another.
fn lower(sentence: &str) -> String {
    let sentence = sentence.trim_end_matches('.');
    let mut letters = sentence.chars();
    match (letters.next(), letters.clone().next()) {
        // A word in capitals stays one, and so does a code.
        (Some(first), Some(second)) if !second.is_uppercase() && !second.is_numeric() => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => sentence.to_owned(),
    }
}

/// The diagnostic of a claim about the package itself.
fn broken(invariant: &Invariant, span: Span, label: impl Into<String>) -> Diagnostic {
    let message = format!("the invariant `{}` is broken: {}", invariant.id.value, lower(&invariant.title));
    let because = format!("{}; an invariant is not switched off", lower(&invariant.because));
    Diagnostic::error("invariant-broken", span, message)
        .label(label)
        .related(invariant.id.span, "the invariant")
        .help(because)
}
