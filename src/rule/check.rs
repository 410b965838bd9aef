//! Faults that only show when a whole package is known: ids that stand twice
//! or for nothing, names that are not bound, cycles, rules that break a law.

mod cycle;
mod disagreement;
mod hazard;
pub mod invariants;
mod ledger;
mod names;
pub mod scale;

use std::collections::{HashMap, HashSet};

use crate::clinical::concept::{ConceptDef, ConceptIndex};
use crate::clinical::unit::{Substance, Unit, convert};
use crate::diag::{Diagnostic, Span};
use crate::rule::model::{
    ActionName, ComparisonUnit, Concept, Conclusion, Condition, Fact, FactTest, Name, ObservationTest, Package,
    ParameterTest, Rule, RuleStatus, Spanned,
};
use crate::rule::template::{self, Part};

use names::Names;

/// Checks a package. `today`, `YYYY-MM-DD`, is the day against which review
/// dates are held; without it they are not.
#[must_use]
pub fn package(package: &Package, today: Option<&str>) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let names = Names::collect(package, &mut faults);
    let known = Known::of(package);
    names.check_references(package, &mut faults);
    concepts(package, &known, &mut faults);
    for rule in &package.rules {
        statement(rule, &mut faults);
        length(rule, &mut faults);
        evidence_of_actions(&known, rule, &mut faults);
        outranks(&known, rule, &mut faults);
        review_date(rule, today, &mut faults);
        walk(&rule.when, &mut |test, span| comparison_unit(&known, test, span, &mut faults));
    }
    scale::check(package, &mut faults);
    ledger::check(package, &mut faults);
    hazard::check(package, &mut faults);
    disagreement::check(package, &mut faults);
    for definition in &package.definitions {
        walk(&definition.when, &mut |test, span| comparison_unit(&known, test, span, &mut faults));
    }
    for claim in package.invariants.iter().flat_map(|invariant| &invariant.claims) {
        for condition in invariants::conditions(claim) {
            walk(condition, &mut |test, span| comparison_unit(&known, test, span, &mut faults));
        }
    }
    invariants::check(package, &mut faults);
    if faults.iter().all(|fault| fault.code != "unknown-name") {
        cycle::check(package, &mut faults);
    }
    faults
}

/// What checks look up by id.
struct Known<'a> {
    concepts: HashMap<&'a str, &'a Concept>,
    rules: HashMap<&'a str, &'a Rule>,
    never_abrupt: HashSet<&'a str>,
}

impl<'a> Known<'a> {
    fn of(package: &'a Package) -> Self {
        let never_abrupt = package.components.iter().filter(|component| component.never_abrupt);
        Self {
            concepts: package.concepts.iter().map(|concept| (concept.def.id.as_str(), concept)).collect(),
            rules: package.rules.iter().map(|rule| (rule.id.value.as_str(), rule)).collect(),
            never_abrupt: never_abrupt.map(|component| component.id.value.as_str()).collect(),
        }
    }
}

/// Visits every fact test of a condition.
pub fn walk(condition: &Spanned<Condition>, visit: &mut impl FnMut(&FactTest, Span)) {
    match &condition.value {
        Condition::Fact(test) => visit(test, condition.span),
        other => {
            for part in parts(other) {
                walk(part, visit);
            }
        }
    }
}

/// Visits every test of a parameter in a condition.
pub fn walk_parameters(condition: &Spanned<Condition>, visit: &mut impl FnMut(&ParameterTest)) {
    match &condition.value {
        Condition::Parameter(test) => visit(test),
        other => {
            for part in parts(other) {
                walk_parameters(part, visit);
            }
        }
    }
}

/// The direct parts of a condition.
#[must_use]
pub fn parts(condition: &Condition) -> Vec<&Spanned<Condition>> {
    match condition {
        Condition::All(parts) | Condition::Any(parts) | Condition::None(parts) | Condition::AtLeast(_, parts) => {
            parts.iter().collect()
        }
        Condition::Not(part) | Condition::Known(part) | Condition::Unknown(part) => vec![part],
        Condition::Implies(first, second) | Condition::Xor(first, second) => vec![first, second],
        Condition::Definition(_)
        | Condition::Proposed(_)
        | Condition::Offered(_)
        | Condition::Parameter(_)
        | Condition::Fact(_)
        | Condition::Outcome(_) => Vec::new(),
    }
}

fn concepts(package: &Package, known: &Known<'_>, faults: &mut Vec<Diagnostic>) {
    let defs: Vec<ConceptDef> = package.concepts.iter().map(|concept| concept.def.clone()).collect();
    let span_of = |id: &str, entry: &str| {
        let concept = known.concepts.get(id);
        let written = concept.and_then(|concept| concept.entries.iter().find(|known| known.value == entry));
        written.map_or_else(|| concept.map_or_else(Span::default, |concept| concept.span), |known| known.span)
    };
    if let Err(found) = ConceptIndex::build(&defs) {
        for fault in found {
            let diagnostic = Diagnostic::error("concept", span_of(&fault.concept, &fault.entry), fault.to_string());
            faults.push(match fault.hint() {
                Some(hint) => diagnostic.help(hint),
                None => diagnostic,
            });
        }
    }
    for concept in &package.concepts {
        if let Some(unit) = &concept.unit
            && Unit::parse(unit).is_err()
        {
            let message = format!("`{}` is not a UCUM unit that Concord converts", unit.value);
            faults.push(
                Diagnostic::error("unknown-unit", unit.span, message)
                    .help("UCUM is case-sensitive: `mg/dL`, `ms`, `{score}`"),
            );
        }
    }
}

/// Names bound where a rule that fires has surely matched them.
fn bound<'a>(condition: &'a Spanned<Condition>, names: &mut Vec<&'a Name>) {
    match &condition.value {
        Condition::Fact(FactTest { bind: Some(name), .. }) => names.push(name),
        Condition::All(parts) => parts.iter().for_each(|part| bound(part, names)),
        _ => {}
    }
}

fn statement(rule: &Rule, faults: &mut Vec<Diagnostic>) {
    let parts = match template::parse(&rule.statement) {
        Ok(parts) => parts,
        Err(why) => {
            faults.push(Diagnostic::error("malformed-statement", rule.statement.span, why));
            return;
        }
    };
    let mut names = Vec::new();
    bound(&rule.when, &mut names);
    let mut everywhere = Vec::new();
    walk(&rule.when, &mut |test, _| everywhere.extend(test.bind.clone()));
    let mut told = std::collections::BTreeSet::new();
    for part in parts {
        let Part::Value { name, .. } = part else { continue };
        if names.iter().any(|known| known.value == name) || !told.insert(name.clone()) {
            continue;
        }
        let message = format!("nothing named `{name}` is sure to have matched when this rule fires");
        let fault = Diagnostic::error("unbound-name", rule.statement.span, message);
        faults.push(match everywhere.iter().find(|known| known.value == name) {
            Some(inner) => fault
                .related(inner.span, "bound here, where the rule can fire without it")
                .help("name a fact that stands directly below `all`"),
            None => fault.help(format!("give a fact of the condition `as: {name}`")),
        });
    }
}

/// Words of a statement above which no one reads it in a visit.
const WORDS: usize = 60;

fn length(rule: &Rule, faults: &mut Vec<Diagnostic>) {
    let words = rule.statement.split_whitespace().count();
    if rule.status != RuleStatus::Retired && words > WORDS {
        let message = format!("the statement of `{}` has {words} words, and {WORDS} are many", rule.id.value);
        let fault = Diagnostic::warning("long-statement", rule.statement.span, message);
        faults.push(fault.help("say what to weigh and why; split the rule where it says two things"));
    }
}

fn evidence_of_actions(known: &Known<'_>, rule: &Rule, faults: &mut Vec<Diagnostic>) {
    let Conclusion::Contraindicate { components, actions } = &rule.conclusion else { return };
    if !actions.contains(&ActionName::Continue) {
        return;
    }
    for name in components {
        if known.never_abrupt.contains(name.value.as_str()) {
            let message =
                format!("`{}` must never end abruptly, and this rule would say so of continuing it", name.value);
            faults.push(
                Diagnostic::error("abrupt-stop", name.span, message)
                    .help("use `caution` on `continue`, and an alert that asks for urgent review"),
            );
        }
    }
}

fn outranks(known: &Known<'_>, rule: &Rule, faults: &mut Vec<Diagnostic>) {
    for target in &rule.outranks {
        let Some(other) = known.rules.get(target.value.as_str()) else { continue };
        let offers =
            |conclusion: &Conclusion| matches!(conclusion, Conclusion::Recommend { .. } | Conclusion::Consider { .. });
        let fault = if rule.conclusion.components().is_empty() || other.conclusion.components().is_empty() {
            Some("only findings on components are compared")
        } else if offers(&rule.conclusion) && !offers(&other.conclusion) {
            Some("an offer never outranks an exclusion")
        } else {
            None
        };
        if let Some(why) = fault {
            let message = format!("`{}` can't outrank `{}`: {why}", rule.id.value, target.value);
            faults
                .push(Diagnostic::error("outranks", target.span, message).related(other.id.span, "the rule it names"));
        }
    }
}

fn review_date(rule: &Rule, today: Option<&str>, faults: &mut Vec<Diagnostic>) {
    let (Some(today), Some(date)) = (today, &rule.review_by) else { return };
    if rule.status == RuleStatus::Active && date.value.as_str() < today {
        let message = format!("rule `{}` was due for review on {}", rule.id.value, date.value);
        faults.push(
            Diagnostic::warning("review-due", date.span, message)
                .help("it stays in force; review it and set a new date"),
        );
    }
}

fn comparison_unit(known: &Known<'_>, test: &FactTest, span: Span, faults: &mut Vec<Diagnostic>) {
    let Fact::Observation { concepts, test: Some(ObservationTest::Quantity(comparison)), .. } = &test.fact else {
        if let Fact::Medication { daily_dose: Some(dose), .. } = &test.fact {
            dose_unit(&dose.unit, span, faults);
        }
        return;
    };
    for name in concepts {
        let Some(concept) = known.concepts.get(name.value.as_str()) else { continue };
        let fault = match (&concept.unit, &comparison.unit) {
            (_, ComparisonUnit::UpperLimitOfNormal) => None,
            (None, _) => Some((
                format!("`{}` has no unit, so no number can be compared with it", name.value),
                "compare an answer with `is:`, or give the concept a `unit`".to_owned(),
            )),
            (Some(_), ComparisonUnit::Canonical) => None,
            (Some(unit), ComparisonUnit::Ucum(written)) => {
                let converts = Unit::parse(written).and_then(|from| {
                    let substance = Substance { molar_mass: concept.molar_mass, valence: concept.valence };
                    convert(rust_decimal::Decimal::ONE, from, Unit::parse(unit)?, substance)
                });
                let converts = converts.is_ok();
                (!converts).then(|| {
                    (
                        format!("`{written}` can't be converted to `{}`, the unit of `{}`", unit.value, name.value),
                        format!("write the number in `{}`", unit.value),
                    )
                })
            }
        };
        if let Some((message, help)) = fault {
            faults.push(Diagnostic::error("unit-mismatch", span, message).help(help));
        }
    }
}

fn dose_unit(unit: &ComparisonUnit, span: Span, faults: &mut Vec<Diagnostic>) {
    let fits = matches!(unit, ComparisonUnit::Ucum(text) if Unit::parse(text).is_ok());
    if !fits {
        let fault = Diagnostic::error("unit-mismatch", span, "a daily dose is compared in a unit of mass a day");
        faults.push(fault.help("write `24 mg/d`"));
    }
}
