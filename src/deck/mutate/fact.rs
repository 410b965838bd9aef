//! Mutants of a fact: one name, status, window, bound or literal changed.

use rust_decimal::Decimal;

use crate::clinical::concept::ConceptKind;
use crate::clinical::date::Length;
use crate::clinical::patient::Sex;
use crate::rule::model::{
    Comparison, DiagnosisStatus, Fact, MedicationTest, Name, ObservationTest, Package, Spanned, Window, Word,
};

use super::Operator;

type Found = Vec<(Operator, String, Fact)>;

/// Every mutant of a fact, as `written`: what a parameter gives is changed with
/// the parameter.
pub(super) fn mutants(package: &Package, fact: &Fact, written: &str) -> Found {
    let mut found = Found::new();
    let vocabulary = &package.vocabulary;
    match fact {
        Fact::Diagnosis { .. } => diagnosis(&mut found, package, fact, written),
        Fact::Medication { .. } => medication(&mut found, package, fact, written),
        Fact::Observation { .. } => observation(&mut found, package, fact, written),
        Fact::Event { .. } => event(&mut found, package, fact, written),
        Fact::Allergy { concepts } => {
            let pool = concepts_of(package, ConceptKind::Medication);
            names(&mut found, concepts, &pool, &|concepts| Fact::Allergy { concepts });
        }
        Fact::History { codes } => {
            names(&mut found, codes, &ids(&vocabulary.history), &|codes| Fact::History { codes });
        }
        Fact::Preference { codes } => {
            names(&mut found, codes, &ids(&vocabulary.preferences), &|codes| Fact::Preference { codes });
        }
        Fact::Plan { kinds, concepts } => {
            let plan = |kinds: &Vec<Name>, concepts: &Vec<Name>| Fact::Plan {
                kinds: kinds.clone(),
                concepts: concepts.clone(),
            };
            names(&mut found, kinds, &ids(&vocabulary.plans), &|list| plan(&list, concepts));
            let kind = package.concepts.iter().find(|one| concepts.iter().any(|name| name.value == one.def.id));
            let pool = kind.map_or_else(Vec::new, |concept| concepts_of(package, concept.def.kind));
            names(&mut found, concepts, &pool, &|list| plan(kinds, &list));
        }
        Fact::Age(comparison) => {
            for (change, to) in comparisons(comparison, written) {
                found.push((Operator::Threshold, change, Fact::Age(to)));
            }
        }
        Fact::Sex(sex) => {
            let other = if *sex == Sex::Female { Sex::Male } else { Sex::Female };
            found.push((Operator::Literal, format!("sex {sex:?} made {other:?}").to_lowercase(), Fact::Sex(other)));
        }
        Fact::Pregnancy(yes) => found.push((Operator::Literal, flipped(*yes), Fact::Pregnancy(!yes))),
        Fact::Lactation(yes) => found.push((Operator::Literal, flipped(*yes), Fact::Lactation(!yes))),
        Fact::ChildbearingPotential(yes) => {
            found.push((Operator::Literal, flipped(*yes), Fact::ChildbearingPotential(!yes)));
        }
        Fact::Setting { settings } => {
            for at in 0..settings.len() {
                let mut rest = settings.clone();
                rest.remove(at);
                let change = format!("setting {} of {} dropped", at + 1, settings.len());
                found.push((Operator::Name, change, Fact::Setting { settings: rest }));
            }
        }
        Fact::OnsetOrder { first, then, gap } => {
            let pool = concepts_of(package, ConceptKind::Diagnosis);
            let order = |first: &Vec<Name>, then: &Vec<Name>, gap| Fact::OnsetOrder {
                first: first.clone(),
                then: then.clone(),
                gap,
            };
            names(&mut found, first, &pool, &|list| order(&list, then, *gap));
            names(&mut found, then, &pool, &|list| order(first, &list, *gap));
            for (change, gap) in lengths("the gap", *gap, given_by_parameter(written, "gap")) {
                found.push((Operator::Window, change, order(first, then, gap)));
            }
        }
        // The days of a rule's effective period are dates of its author.
        Fact::InForce { .. } => {}
    }
    found
}

fn ids(words: &[Word]) -> Vec<String> {
    words.iter().map(|word| word.id.value.clone()).collect()
}

fn diagnosis(found: &mut Found, package: &Package, fact: &Fact, written: &str) {
    let Fact::Diagnosis { concepts, severity, onset, recorded, .. } = fact else { return };
    let pool = concepts_of(package, ConceptKind::Diagnosis);
    names(found, concepts, &pool, &|list| with(fact, |fact| set_concepts(fact, list)));
    status(found, fact);
    for at in 0..severity.len() {
        let fact = with(fact, |fact| {
            if let Fact::Diagnosis { severity, .. } = fact {
                severity.remove(at);
            }
        });
        found.push((Operator::Name, format!("severity {} of {} dropped", at + 1, severity.len()), fact));
    }
    window(found, "onset", *onset, written, ("onset_within", "onset_more_than"), &|to| {
        with(fact, |fact| {
            if let Fact::Diagnosis { onset, .. } = fact {
                *onset = to;
            }
        })
    });
    window(found, "recorded", *recorded, written, ("recorded_within", "recorded_more_than"), &|to| {
        with(fact, |fact| {
            if let Fact::Diagnosis { recorded, .. } = fact {
                *recorded = to;
            }
        })
    });
}

fn observation(found: &mut Found, package: &Package, fact: &Fact, written: &str) {
    let Fact::Observation { concepts, window: stretch, test } = fact else { return };
    let pool = concepts_of(package, ConceptKind::Observation);
    names(found, concepts, &pool, &|list| with(fact, |fact| set_concepts(fact, list)));
    window(found, "the window", *stretch, written, ("within", "more_than"), &|window| Fact::Observation {
        concepts: concepts.clone(),
        window,
        test: test.clone(),
    });
    let tested = |test| Fact::Observation { concepts: concepts.clone(), window: *stretch, test: Some(test) };
    match test {
        Some(ObservationTest::Quantity(comparison)) => {
            for (change, to) in comparisons(comparison, written) {
                found.push((Operator::Threshold, change, tested(ObservationTest::Quantity(to))));
            }
        }
        Some(ObservationTest::Is(answer)) => {
            let pool: Vec<String> = package.vocabulary.answers.iter().map(|one| one.id.value.clone()).collect();
            if let Some(other) = after(&answer.value, &[answer.value.as_str()], &pool) {
                let change = format!("`{}` made `{other}`", answer.value);
                let to = Spanned::new(other, answer.span);
                found.push((Operator::Literal, change, tested(ObservationTest::Is(to))));
            }
        }
        None => {}
    }
}

fn event(found: &mut Found, package: &Package, fact: &Fact, written: &str) {
    let Fact::Event { types, substances, window: stretch } = fact else { return };
    let (types, substances) = (types.clone(), substances.clone());
    let event = |types: &Vec<Name>, substances: &Vec<Name>, window| Fact::Event {
        types: types.clone(),
        substances: substances.clone(),
        window,
    };
    names(found, &types, &ids(&package.vocabulary.events), &|list| event(&list, &substances, *stretch));
    let classes: Vec<String> = package.vocabulary.substances.iter().flat_map(|one| one.classes.clone()).collect();
    names(found, &substances, &sorted(classes), &|list| event(&types, &list, *stretch));
    window(found, "the window", *stretch, written, ("within", "more_than"), &|to| event(&types, &substances, to));
}

fn medication(found: &mut Found, package: &Package, fact: &Fact, written: &str) {
    let Fact::Medication { concepts, started, ended, given_for, not_given_for, daily_dose, .. } = fact else { return };
    let pool = concepts_of(package, ConceptKind::Medication);
    names(found, concepts, &pool, &|list| with(fact, |fact| set_concepts(fact, list)));
    status(found, fact);
    window(found, "started", *started, written, ("started_within", "started_more_than"), &|to| {
        with(fact, |fact| {
            if let Fact::Medication { started, .. } = fact {
                *started = to;
            }
        })
    });
    window(found, "ended", *ended, written, ("ended_within", "ended_more_than"), &|to| {
        with(fact, |fact| {
            if let Fact::Medication { ended, .. } = fact {
                *ended = to;
            }
        })
    });
    let reasons = concepts_of(package, ConceptKind::Diagnosis);
    names(found, given_for, &reasons, &|list| {
        with(fact, |fact| {
            if let Fact::Medication { given_for, .. } = fact {
                *given_for = list;
            }
        })
    });
    names(found, not_given_for, &reasons, &|list| {
        with(fact, |fact| {
            if let Fact::Medication { not_given_for, .. } = fact {
                *not_given_for = list;
            }
        })
    });
    for (change, to) in daily_dose.iter().flat_map(|comparison| comparisons(comparison, written)) {
        let fact = with(fact, |fact| {
            if let Fact::Medication { daily_dose, .. } = fact {
                *daily_dose = Some(to);
            }
        });
        found.push((Operator::Threshold, change, fact));
    }
}

fn with(fact: &Fact, change: impl FnOnce(&mut Fact)) -> Fact {
    let mut changed = fact.clone();
    change(&mut changed);
    changed
}

fn set_concepts(fact: &mut Fact, list: Vec<Name>) {
    if let Fact::Diagnosis { concepts, .. } | Fact::Medication { concepts, .. } | Fact::Observation { concepts, .. } =
        fact
    {
        *concepts = list;
    }
}

fn concepts_of(package: &Package, kind: ConceptKind) -> Vec<String> {
    package.concepts.iter().filter(|one| one.def.kind == kind).map(|one| one.def.id.clone()).collect()
}

fn sorted(mut words: Vec<String>) -> Vec<String> {
    words.sort();
    words.dedup();
    words
}

/// The next of a pool after a name, around its end, that is none of the list.
fn after(name: &str, list: &[&str], pool: &[String]) -> Option<String> {
    let start = pool.partition_point(|one| one.as_str() <= name);
    let around = pool.iter().skip(start).chain(pool.iter().take(start));
    around.into_iter().find(|one| !list.contains(&one.as_str())).cloned()
}

/// Of several names one is dropped; a single one is replaced.
fn names(found: &mut Found, list: &[Name], pool: &[String], make: &dyn Fn(Vec<Name>) -> Fact) {
    if let [only] = list {
        if let Some(other) = after(&only.value, &[only.value.as_str()], pool) {
            let change = format!("`{}` made `{other}`", only.value);
            found.push((Operator::Name, change, make(vec![Spanned::new(other, only.span)])));
        }
        return;
    }
    for (at, name) in list.iter().enumerate() {
        let mut rest = list.to_vec();
        rest.remove(at);
        found.push((Operator::Name, format!("`{}` dropped", name.value), make(rest)));
    }
}

fn status(found: &mut Found, fact: &Fact) {
    match fact {
        Fact::Diagnosis { status, .. } => {
            let others: &[DiagnosisStatus] = match status {
                DiagnosisStatus::Active => &[DiagnosisStatus::Ever, DiagnosisStatus::Remission],
                _ => &[DiagnosisStatus::Active],
            };
            for other in others {
                let change = format!("status {status:?} made {other:?}").to_lowercase();
                let changed = with(fact, |fact| {
                    if let Fact::Diagnosis { status, .. } = fact {
                        *status = *other;
                    }
                });
                found.push((Operator::Status, change, changed));
            }
        }
        Fact::Medication { status, .. } => {
            let others: &[MedicationTest] = match status {
                MedicationTest::Current => &[MedicationTest::Planned, MedicationTest::CurrentOrPlanned],
                MedicationTest::CurrentOrPlanned => &[MedicationTest::Current, MedicationTest::Planned],
                _ => &[MedicationTest::Current],
            };
            for other in others {
                let change = format!("status {status:?} made {other:?}").to_lowercase();
                let changed = with(fact, |fact| {
                    if let Fact::Medication { status, .. } = fact {
                        *status = *other;
                    }
                });
                found.push((Operator::Status, change, changed));
            }
        }
        _ => {}
    }
}

fn flipped(yes: bool) -> String {
    format!("{yes} made {}", !yes)
}

fn given_by_parameter(written: &str, key: &str) -> bool {
    written.contains(&format!("{key}: $"))
}

/// One more, one less, and none at all. What a parameter gives is only dropped.
fn lengths(what: &str, length: Option<Length>, parameter: bool) -> Vec<(String, Option<Length>)> {
    let Some(length) = length else { return Vec::new() };
    let mut found = Vec::new();
    let counts = [length.count.checked_sub(1), length.count.checked_add(1)];
    for count in counts.into_iter().flatten().filter(|count| *count > 0 && !parameter) {
        let unit = format!("{:?}", length.unit).to_lowercase();
        let change = format!("{what}: {} {unit} made {count}", length.count);
        found.push((change, Some(Length { count, ..length })));
    }
    found.push((format!("{what} dropped"), None));
    found
}

fn window(
    found: &mut Found,
    what: &str,
    window: Window,
    written: &str,
    (within, more_than): (&str, &str),
    make: &dyn Fn(Window) -> Fact,
) {
    for (change, within) in lengths(what, window.within, given_by_parameter(written, within)) {
        found.push((Operator::Window, change, make(Window { within, ..window })));
    }
    let past = format!("{what}, more than");
    for (change, more_than) in lengths(&past, window.more_than, given_by_parameter(written, more_than)) {
        found.push((Operator::Window, change, make(Window { more_than, ..window })));
    }
}

/// Each end a step down, a step up, and with itself in or out.
fn comparisons(comparison: &Comparison, written: &str) -> Vec<(String, Comparison)> {
    let mut found = Vec::new();
    for low in [true, false] {
        let Some(bound) = (if low { comparison.low } else { comparison.high }) else { continue };
        let (key, other) = match (low, bound.inclusive) {
            (true, true) => ("at_least", "above"),
            (true, false) => ("above", "at_least"),
            (false, true) => ("at_most", "below"),
            (false, false) => ("below", "at_most"),
        };
        let mut put = |change: String, value: Decimal, inclusive: bool| {
            let mut changed = comparison.clone();
            let end = if low { &mut changed.low } else { &mut changed.high };
            *end = Some(crate::rule::model::Bound { value, inclusive });
            let fits = changed.low.zip(changed.high).is_none_or(|(low, high)| low.value <= high.value);
            if fits {
                found.push((change, changed));
            }
        };
        let step = Decimal::new(1, bound.value.scale());
        if !given_by_parameter(written, key) {
            for value in [bound.value - step, bound.value + step] {
                put(format!("{key} {} made {value}", bound.value), value, bound.inclusive);
            }
        }
        put(format!("{key} {} made {other} it", bound.value), bound.value, !bound.inclusive);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::model::{Bound, ComparisonUnit};

    fn changes(comparison: &Comparison, written: &str) -> Vec<String> {
        comparisons(comparison, written).into_iter().map(|(change, _)| change).collect()
    }

    #[test]
    fn a_bound_moves_by_its_last_digit_and_a_parameter_moves_elsewhere() {
        let bound = Bound { value: Decimal::new(15, 1), inclusive: true };
        let comparison = Comparison { low: Some(bound), high: None, unit: ComparisonUnit::Canonical };
        let all = ["at_least 1.5 made 1.4", "at_least 1.5 made 1.6", "at_least 1.5 made above it"];
        assert_eq!(changes(&comparison, "{age: {at_least: 1.5}}"), all);
        assert_eq!(changes(&comparison, "{age: {at_least: $limit}}"), ["at_least 1.5 made above it"]);
    }

    #[test]
    fn the_next_name_goes_around_the_end() {
        let pool: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
        assert_eq!(after("c", &["c"], &pool).as_deref(), Some("a"));
        assert_eq!(after("a", &["a", "b"], &pool).as_deref(), Some("c"));
        assert_eq!(after("a", &["a"], &["a".to_owned()]), None);
    }
}
