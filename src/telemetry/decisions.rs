//! Metrics of what is decided: sums over all patients, by names of the rules
//! package. No exemplars: one would join a count to a trace, and so to a person.
//!
//! The sums are kept here and told when metrics are collected. So a rule that
//! has never fired is there with a zero, and the names of a package that is
//! replaced leave with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry::{KeyValue, global};

use super::semconv;

/// One answer, in what of it is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered<'a> {
    /// Word of the scope.
    pub scope: &'static str,
    /// Rules that fired.
    pub rules: Vec<&'a str>,
    /// Facts that are missing.
    pub missing: Vec<&'a str>,
    /// Severity and category of each alert.
    pub alerts: Vec<(&'static str, &'a str)>,
}

/// Sums since the process began, of the names of the package in force.
#[derive(Debug, Default)]
struct Sums {
    digest: String,
    scopes: BTreeMap<&'static str, u64>,
    rules: BTreeMap<String, u64>,
    missing: BTreeMap<String, u64>,
    alerts: BTreeMap<&'static str, BTreeMap<String, u64>>,
}

/// Counts answers. Clones share their sums.
#[derive(Clone, Debug, Default)]
pub struct DecisionMetrics(Arc<Mutex<Sums>>);

fn add(sums: &mut BTreeMap<String, u64>, name: &str) {
    match sums.get_mut(name) {
        Some(sum) => *sum = sum.saturating_add(1),
        None => {
            sums.insert(name.to_owned(), 1);
        }
    }
}

impl DecisionMetrics {
    fn sums(&self) -> MutexGuard<'_, Sums> {
        // Every change leaves whole numbers.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an answer.
    pub fn count(&self, answer: &Answered<'_>) {
        let mut sums = self.sums();
        let scope = sums.scopes.entry(answer.scope).or_default();
        *scope = scope.saturating_add(1);
        for rule in &answer.rules {
            add(&mut sums.rules, rule);
        }
        for fact in &answer.missing {
            add(&mut sums.missing, fact);
        }
        for (severity, category) in &answer.alerts {
            add(sums.alerts.entry(severity).or_default(), category);
        }
    }

    /// The package in force, by its digest and rules: those of another are no
    /// longer told, and each of its own is, from zero on.
    pub fn package<'a>(&self, digest: &str, rules: impl Iterator<Item = &'a str>) {
        let mut sums = self.sums();
        if sums.digest == digest {
            return;
        }
        let first = sums.digest.is_empty();
        digest.clone_into(&mut sums.digest);
        let rules: BTreeSet<&str> = rules.collect();
        sums.rules.retain(|rule, _| rules.contains(rule.as_str()));
        for rule in rules {
            sums.rules.entry(rule.to_owned()).or_default();
        }
        // What was asked for before the first look at the package is its own.
        if !first {
            sums.missing.clear();
        }
    }

    /// Tells the sums whenever metrics are collected; `refresh` may then say
    /// what package is in force.
    pub fn observe(&self, refresh: impl Fn(&Self) + Send + Sync + 'static) {
        let meter = global::meter(semconv::SCOPE);
        let counter = |name: &'static str, about: &'static str, unit: &'static str| {
            meter.u64_observable_counter(name).with_description(about).with_unit(unit)
        };
        let of = self.clone();
        counter(semconv::RULE_FIRED, "decisions in which the rule fired, by rule", "{decision}")
            .with_callback(move |observer| {
                refresh(&of);
                for (rule, sum) in &of.sums().rules {
                    observer.observe(*sum, &[KeyValue::new("rule", rule.clone())]);
                }
            })
            .build();
        let of = self.clone();
        counter(semconv::FACTS_UNKNOWN, "decisions in which the fact was missing and asked for, by fact", "{decision}")
            .with_callback(move |observer| {
                for (fact, sum) in &of.sums().missing {
                    observer.observe(*sum, &[KeyValue::new("fact", fact.clone())]);
                }
            })
            .build();
        let of = self.clone();
        counter(semconv::DECISIONS, "decisions that were answered, by scope", "{decision}")
            .with_callback(move |observer| {
                for (scope, sum) in &of.sums().scopes {
                    observer.observe(*sum, &[KeyValue::new("scope", *scope)]);
                }
            })
            .build();
        let of = self.clone();
        counter(semconv::ALERTS, "alerts of answers, by severity and category", "{alert}")
            .with_callback(move |observer| {
                for (severity, categories) in &of.sums().alerts {
                    for (category, sum) in categories {
                        let named = KeyValue::new("category", category.clone());
                        observer.observe(*sum, &[KeyValue::new("severity", *severity), named]);
                    }
                }
            })
            .build();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_package_leave_with_it_and_its_rules_begin_at_zero() {
        let metrics = DecisionMetrics::default();
        let answer = Answered {
            scope: "present",
            rules: vec!["a"],
            missing: vec!["sex"],
            alerts: vec![("high", "interaction"), ("high", "interaction")],
        };
        // Answers may come before anyone asks for metrics.
        metrics.count(&answer);
        metrics.package("one", ["a", "b"].into_iter());
        metrics.count(&answer);
        metrics.package("one", ["a", "b"].into_iter());
        let told = |metrics: &DecisionMetrics| {
            let sums = metrics.sums();
            let all = [&sums.rules, &sums.missing]
                .map(|sums| sums.iter().map(|(name, sum)| format!("{name} {sum}")).collect());
            let [rules, missing]: [Vec<String>; 2] = all;
            (rules, missing, sums.alerts["high"]["interaction"], sums.scopes["present"])
        };
        let one = (vec!["a 2".to_owned(), "b 0".to_owned()], vec!["sex 2".to_owned()], 4, 2);
        assert_eq!(told(&metrics), one);
        metrics.package("two", ["b", "c"].into_iter());
        assert_eq!(told(&metrics), (vec!["b 0".to_owned(), "c 0".to_owned()], vec![], 4, 2));
    }
}
