//! Scales: bands that leave no score out and share none. Both where a package
//! declares a scale and where its conditions make one up.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::{Value, json};

use super::parts;
use crate::diag::{Diagnostic, Level, Span};
use crate::rule::model::{
    Bound, Comparison, ComparisonUnit, Concept, Condition, Fact, FactTest, ObservationTest, Package, Scale, Spanned,
    Window,
};

/// Bands of one score in one window, the lowest first.
#[derive(Clone, Debug)]
pub struct Family {
    /// In words, for a diagnostic.
    pub name: String,
    /// Concept of the score.
    pub observation: String,
    /// Window.
    pub window: Window,
    /// Does a higher score mean a worse state?
    pub higher_is_worse: bool,
    /// Is it declared as a scale?
    pub declared: bool,
    /// Distance from one score to the next.
    pub step: Decimal,
    /// The bands.
    pub bands: Vec<Band>,
}

/// A band of scores.
#[derive(Clone, Debug)]
pub struct Band {
    /// In words.
    pub name: String,
    /// The scores.
    pub range: Comparison,
    /// Where it is written.
    pub span: Span,
}

impl Band {
    /// Its lowest score, or its highest where it has no lower end.
    #[must_use]
    pub fn score(&self, step: Decimal) -> Decimal {
        let next = |bound: Bound, by: Decimal| if bound.inclusive { bound.value } else { bound.value + by };
        match (self.range.low, self.range.high) {
            (Some(low), _) => next(low, step),
            (None, Some(high)) => next(high, -step),
            (None, None) => Decimal::ZERO,
        }
    }

    fn holds(&self, score: Decimal) -> bool {
        let above = |low: Bound| score > low.value || (low.inclusive && score == low.value);
        let below = |high: Bound| score < high.value || (high.inclusive && score == high.value);
        self.range.low.is_none_or(above) && self.range.high.is_none_or(below)
    }
}

/// More scores than this are not counted one by one.
const MOST: u32 = 10_000;

/// The scales that a package declares, and those that its conditions make up.
#[must_use]
pub fn families(package: &Package) -> Vec<Family> {
    let mut families: Vec<Family> = package.scales.iter().map(declared).collect();
    families.extend(made_up(package));
    families
}

fn declared(scale: &Scale) -> Family {
    let band = |band: &crate::rule::model::ScaleBand| Band {
        name: format!("`{}`", band.id.value),
        range: band.range.clone(),
        span: band.id.span,
    };
    Family {
        name: format!("scale `{}`", scale.id.value),
        observation: scale.observation.value.clone(),
        window: scale.window,
        higher_is_worse: scale.higher_is_worse,
        declared: true,
        step: scale.step,
        bands: scale.bands.iter().map(band).collect(),
    }
}

/// Checks the scales.
pub fn check(package: &Package, faults: &mut Vec<Diagnostic>) {
    for scale in &package.scales {
        let family = declared(scale);
        let found = faults.len();
        order(scale, &family, faults);
        if faults.len() == found {
            scores(package, scale, &family, faults);
        }
    }
    for family in made_up(package) {
        for (lower, upper) in family.bands.iter().zip(family.bands.iter().skip(1)) {
            between(package, &family, lower, upper, faults);
        }
    }
}

fn order(scale: &Scale, family: &Family, faults: &mut Vec<Diagnostic>) {
    for (before, band) in family.bands.iter().zip(family.bands.iter().skip(1)) {
        if band.score(scale.step) < before.score(scale.step) {
            let message = format!("band {} of {} begins below {}", band.name, family.name, before.name);
            faults.push(
                Diagnostic::error("scale-order", band.span, message)
                    .related(before.span, "written before it")
                    .help("write the bands from the lowest to the highest"),
            );
        }
    }
    for band in &family.bands {
        let outside = [band.range.low, band.range.high].into_iter().flatten();
        if let Some(end) = outside.into_iter().find(|end| end.value < scale.low || end.value > scale.high) {
            let message =
                format!("{} is outside of {}, which goes from {} to {}", end.value, family.name, scale.low, scale.high);
            faults.push(
                Diagnostic::error("scale-range", band.span, message)
                    .help("correct the band, or `range` where the instrument goes further"),
            );
        }
    }
}

fn scores(package: &Package, scale: &Scale, family: &Family, faults: &mut Vec<Diagnostic>) {
    let steps = ((scale.high - scale.low) / scale.step).ceil().to_u32().unwrap_or(u32::MAX);
    if steps > MOST {
        let message = format!("{} has more than {MOST} scores", family.name);
        faults.push(Diagnostic::error("scale-range", scale.id.span, message).help("give it a larger `step`"));
        return;
    }
    let all: Vec<Decimal> = (0..=steps).map(|step| scale.low + scale.step * Decimal::from(step)).collect();
    let missing: Vec<Decimal> =
        all.iter().copied().filter(|score| !family.bands.iter().any(|band| band.holds(*score))).collect();
    for run in runs(&missing, scale.step) {
        let above = family.bands.iter().find(|band| run.first().is_some_and(|first| band.score(scale.step) > *first));
        let at = above.or(family.bands.last()).map_or(scale.id.span, |band| band.span);
        faults.push(gap(package, family, &run, at, Level::Error));
    }
    for (at, band) in family.bands.iter().enumerate() {
        for other in family.bands.iter().skip(at.saturating_add(1)) {
            let both: Vec<Decimal> =
                all.iter().copied().filter(|score| band.holds(*score) && other.holds(*score)).collect();
            if let Some(score) = both.first() {
                faults.push(overlap(package, family, band, other, *score, &said(&both)));
            }
        }
    }
}

/// Scores that follow each other.
fn runs(scores: &[Decimal], step: Decimal) -> Vec<Vec<Decimal>> {
    let mut runs: Vec<Vec<Decimal>> = Vec::new();
    for score in scores {
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|last| *last + step == *score) => run.push(*score),
            _ => runs.push(vec![*score]),
        }
    }
    runs
}

fn said(scores: &[Decimal]) -> String {
    match scores {
        [only] => only.normalize().to_string(),
        [first, .., last] => format!("{} to {}", first.normalize(), last.normalize()),
        [] => String::new(),
    }
}

fn gap(package: &Package, family: &Family, run: &[Decimal], at: Span, level: Level) -> Diagnostic {
    let message = format!("{} is in no band of {}", said(run), family.name);
    let score = run.first().copied().unwrap_or_default();
    let fault = Diagnostic { level, ..Diagnostic::error("scale-gap", at, message) };
    fault.label("the next band").help("let one of the bands around it hold it").example(with_score(
        package,
        &family.observation,
        score,
    ))
}

fn overlap(package: &Package, family: &Family, band: &Band, other: &Band, score: Decimal, said: &str) -> Diagnostic {
    let message = format!("{said} is in two bands of {}: {} and {}", family.name, band.name, other.name);
    Diagnostic::error("scale-overlap", other.span, message)
        .label("the second")
        .related(band.span, "the first")
        .help("let one band end before the other begins")
        .example(with_score(package, &family.observation, score))
}

/// A request with one score and nothing else.
fn with_score(package: &Package, concept: &str, score: Decimal) -> Option<Value> {
    let concept = package.concepts.iter().find(|one| one.def.id == concept)?;
    let def = &concept.def;
    let lists = [("LOINC", &def.loinc), ("Concord", &def.local), ("SNOMED CT", &def.snomed)];
    let (system, code) = lists.into_iter().find_map(|(system, list)| Some((system, list.first()?)))?;
    let value = score.to_f64()?;
    let unit = concept.unit.as_ref().map(|unit| unit.value.as_str());
    Some(json!({
        "asOf": "2026-06-01T12:00:00Z",
        "patient": {
            "id": "example",
            "observations": [{
                "coding": [{"system": system, "code": code}],
                "value": value,
                "unit": unit,
                "effective": "2026-06-01",
            }],
        },
    }))
}

/// Bands that conditions make up: of one score in one window, with one range of
/// two ends at least, and the ranges that begin where it ends.
fn made_up(package: &Package) -> Vec<Family> {
    let mut ranges: BTreeMap<(String, Window), Vec<Band>> = BTreeMap::new();
    let scores: BTreeMap<&str, &Concept> = package
        .concepts
        .iter()
        .filter(|concept| concept.unit.as_ref().is_some_and(|unit| unit.value == "{score}"))
        .map(|concept| (concept.def.id.as_str(), concept))
        .collect();
    let mut add = |condition: &Spanned<Condition>| {
        collect(condition, &mut |concept, window, range, span| {
            let is_band = |scale: &&Scale| scale.observation.value == concept && scale.window == window;
            if scores.contains_key(concept) && !package.scales.iter().any(|scale| is_band(&scale)) {
                let name = format!("`{}`", words(range));
                let known = ranges.entry((concept.to_owned(), window)).or_default();
                if !known.iter().any(|band| band.range == *range) {
                    known.push(Band { name, range: range.clone(), span });
                }
            }
        });
    };
    package.definitions.iter().for_each(|definition| add(&definition.when));
    package.rules.iter().for_each(|rule| add(&rule.when));
    let named = ranges.into_iter().filter_map(|((concept, window), mut bands)| {
        let two_ended = |band: &Band| band.range.low.is_some() && band.range.high.is_some();
        let lowest = bands.iter().filter(|band| two_ended(band)).map(|band| band.score(Decimal::ONE)).min()?;
        let highest = bands.iter().filter(|band| two_ended(band)).filter_map(|band| band.range.high).max()?;
        bands.retain(|band| match (band.range.low, band.range.high) {
            (Some(_), Some(_)) => true,
            // A threshold that lies inside a band is no band.
            (Some(low), None) => low.value >= highest.value,
            (None, Some(high)) => high.value <= lowest,
            (None, None) => false,
        });
        bands.sort_by_key(|band| (band.range.low.map(|low| (low.value, !low.inclusive)), band.range.high));
        let family = Family {
            name: format!("`{concept}` as the conditions divide it"),
            observation: concept,
            window,
            higher_is_worse: true,
            declared: false,
            step: Decimal::ONE,
            bands,
        };
        (family.bands.len() > 1).then_some(family)
    });
    named.collect()
}

/// Ranges of scores, where a condition asks for them: two facts of one group
/// make one range.
fn collect(condition: &Spanned<Condition>, found: &mut impl FnMut(&str, Window, &Comparison, Span)) {
    let group = match &condition.value {
        Condition::All(parts) => parts.as_slice(),
        _ => std::slice::from_ref(condition),
    };
    let mut joined: BTreeMap<(&str, Window), (Comparison, Span)> = BTreeMap::new();
    for part in group {
        let Condition::Fact(FactTest {
            fact: Fact::Observation { concepts, window, test: Some(ObservationTest::Quantity(range)) },
            ..
        }) = &part.value
        else {
            let inner: Vec<_> = if std::ptr::eq(part, condition) { parts(&part.value) } else { vec![part] };
            for part in inner {
                collect(part, found);
            }
            continue;
        };
        if range.unit != ComparisonUnit::Canonical {
            continue;
        }
        for name in concepts {
            let of = joined.entry((&name.value, *window)).or_insert_with(|| (range.clone(), part.span));
            of.0 = Comparison { low: higher(of.0.low, range.low), high: lower(of.0.high, range.high), ..range.clone() };
        }
    }
    for ((concept, window), (range, span)) in joined {
        found(concept, window, &range, span);
    }
}

/// The lower end that leaves less.
fn higher(a: Option<Bound>, b: Option<Bound>) -> Option<Bound> {
    let rank = |bound: &Bound| (bound.value, !bound.inclusive);
    [a, b].into_iter().flatten().max_by_key(rank)
}

/// The upper end that leaves less.
fn lower(a: Option<Bound>, b: Option<Bound>) -> Option<Bound> {
    let rank = |bound: &Bound| (bound.value, bound.inclusive);
    [a, b].into_iter().flatten().min_by_key(rank)
}

fn words(range: &Comparison) -> String {
    let end = |bound: Option<Bound>, inclusive, exclusive| {
        bound
            .map(|bound| format!("{} {}", if bound.inclusive { inclusive } else { exclusive }, bound.value.normalize()))
    };
    let ends = [end(range.low, "at least", "above"), end(range.high, "at most", "below")];
    ends.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn between(package: &Package, family: &Family, lower: &Band, upper: &Band, faults: &mut Vec<Diagnostic>) {
    let (Some(high), Some(low)) = (lower.range.high, upper.range.low) else { return };
    let last = if high.inclusive { high.value.floor() } else { high.value.ceil() - Decimal::ONE };
    let first = if low.inclusive { low.value.ceil() } else { low.value.floor() + Decimal::ONE };
    if first <= last {
        // One range within the other is a narrower question, not a band.
        let nested = upper.range.high.is_some_and(|end| end.value <= high.value) || lower.range.low == upper.range.low;
        if !nested {
            let both = said(&[first, last]);
            let both = if first == last { first.normalize().to_string() } else { both };
            faults.push(overlap(package, family, lower, upper, first, &both));
        }
        return;
    }
    let missing = first - last - Decimal::ONE;
    if missing <= Decimal::ZERO {
        return;
    }
    let start = last + Decimal::ONE;
    let run = if missing == Decimal::ONE { vec![start] } else { vec![start, first - Decimal::ONE] };
    // One score between two bands is a slip at a boundary; a wide gap may be meant.
    let level = if missing == Decimal::ONE { Level::Error } else { Level::Warning };
    faults.push(gap(package, family, &run, upper.span, level).related(lower.span, "the band before"));
}
