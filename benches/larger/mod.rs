//! Packages with many times the rules of the shipped one.

use concord::clinical::concept::{ConceptDef, ConceptKind};
use concord::clinical::terminology::billable_descendants;
use concord::diag::Span;
use concord::rule::model::{Concept, Condition, DiagnosisStatus, Fact, FactTest, Package, Rule, Spanned, Window};

/// A chapter that no rule of the package asks for, and no patient of the cases has.
const UNRELATED: &str = "T20";

/// The package with copies of its rules, each asking for a condition that no
/// patient of the cases has as well: what a package for many more disorders is.
pub fn with_unrelated(package: &Package, times: usize) -> Package {
    let mut larger = package.clone();
    for (copy, code) in (1..times).zip(billable_descendants(UNRELATED)) {
        let mut def = ConceptDef::new(format!("unrelated-{copy}"), ConceptKind::Diagnosis, format!("unrelated {copy}"));
        def.icd10cm = vec![code.into()];
        larger.concepts.push(Concept {
            def,
            span: Span::default(),
            entries: Vec::new(),
            remission: None,
            relapsing: false,
            one_disorder: false,
            unit: None,
            molar_mass: None,
            valence: None,
            source_attribute: None,
        });
    }
    for copy in 1..times {
        larger.rules.extend(package.rules.iter().map(|rule| unrelated(rule, copy)));
    }
    larger.concepts.sort_by(|a, b| a.def.id.cmp(&b.def.id));
    larger.rules.sort_by(|a, b| a.id.value.cmp(&b.id.value));
    larger
}

fn unrelated(rule: &Rule, copy: usize) -> Rule {
    let mut rule = rule.clone();
    let span = Span::default();
    rule.id.value = format!("{}-copy-{copy}", rule.id.value);
    rule.outranks.clear();
    let concept = Spanned::new(format!("unrelated-{copy}"), span);
    let fact = Fact::Diagnosis {
        concepts: vec![concept],
        status: DiagnosisStatus::Active,
        severity: Vec::new(),
        onset: Window::default(),
        recorded: Window::default(),
    };
    let asked = Condition::Fact(FactTest { fact, bind: None, absent_unknown: false });
    let parts = vec![Spanned::new(asked, span), rule.when.clone()];
    rule.when = Spanned::new(Condition::All(parts), span);
    rule
}
