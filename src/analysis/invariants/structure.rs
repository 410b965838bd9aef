//! Claims about what a package declares: titles, the order of approaches, codes.

use super::broken;
use super::text::Words;
use crate::clinical::code::{CodeSystem, read_code};
use crate::clinical::concept::ConceptIndex;
use crate::diag::Diagnostic;
use crate::rule::model::{Approach, Claim, Component, Invariant, Name, Package};

pub fn ask(package: &Package, index: &ConceptIndex, invariant: &Invariant, claim: &Claim, found: &mut Vec<Diagnostic>) {
    match claim {
        Claim::Says { components, words } => {
            for component in package.components.iter().filter(|one| named(components, &one.id)) {
                let title = Words::of(&component.title);
                for word in words.iter().filter(|word| !title.have(&Words::of(word))) {
                    let label = format!("the title does not say `{}`", word.value);
                    found.push(broken(invariant, component.id.span, label));
                }
            }
        }
        Claim::Order { first, then } => order(package, invariant, first, then, found),
        Claim::Apart { one, other } => apart(package, index, invariant, one, other, found),
        Claim::Codes { concept, has } => codes(package, index, invariant, concept, has, found),
        Claim::Never(_) | Claim::Always { .. } | Claim::NoBearing { .. } | Claim::NoText { .. } => {}
    }
}

fn named(names: &[Name], id: &Name) -> bool {
    names.iter().any(|name| name.value == id.value)
}

fn order(package: &Package, invariant: &Invariant, first: &[Name], then: &[Name], found: &mut Vec<Diagnostic>) {
    let place = |name: &Name| package.approaches.iter().position(|one| one.id.value == name.value);
    let last = first.iter().filter_map(place).max();
    let early = |approach: &&Approach| named(then, &approach.id) && place(&approach.id) < last;
    for approach in package.approaches.iter().filter(early) {
        found.push(broken(invariant, approach.id.span, "listed too early"));
    }
    let both = |component: &&Component| {
        let of = |names: &[Name]| component.approaches.iter().any(|approach| named(names, approach));
        of(first) && of(then)
    };
    for component in package.components.iter().filter(both) {
        found.push(broken(invariant, component.id.span, "listed under both"));
    }
}

fn codes(
    package: &Package,
    index: &ConceptIndex,
    invariant: &Invariant,
    name: &Name,
    has: &[(String, String)],
    found: &mut Vec<Diagnostic>,
) {
    let place = package.concepts.iter().position(|concept| concept.def.id == name.value);
    let span = place.and_then(|place| package.concepts.get(place)).map_or(name.span, |concept| concept.span);
    for (system, code) in has {
        let read = CodeSystem::resolve(system).ok().and_then(|system| read_code(system, code).ok());
        let holds = read.is_some_and(|read| index.lookup(&read).iter().any(|found| Some(found.concept) == place));
        if !holds {
            found.push(broken(invariant, span, format!("has no code {code} of {system}")));
        }
    }
}

fn apart(
    package: &Package,
    index: &ConceptIndex,
    invariant: &Invariant,
    one: &[Name],
    other: &[Name],
    found: &mut Vec<Diagnostic>,
) {
    let place = |name: &Name| package.concepts.iter().position(|concept| concept.def.id == name.value);
    let sharing = index.sharing();
    for name in one {
        let shares = |other: &&Name| {
            let shared = place(name).and_then(|place| sharing.get(place));
            shared.zip(place(other)).is_some_and(|(shared, other)| shared.contains(&other))
        };
        for against in other.iter().filter(shares) {
            let concept = place(name).and_then(|place| package.concepts.get(place));
            let span = concept.map_or(name.span, |concept| concept.span);
            found.push(broken(invariant, span, format!("has a code of `{}`", against.value)));
        }
    }
}
