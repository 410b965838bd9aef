//! What is decided, into the metrics of the process.

use std::sync::Arc;

use crate::api::observe::{Observer, Seen};
use crate::rule::model::RuleStatus;
use crate::ruleset::Active;
use crate::telemetry::decisions::{Answered, DecisionMetrics};

struct Counting(DecisionMetrics);

impl Observer for Counting {
    fn answered(&self, seen: &Seen) {
        self.0.count(&Answered {
            scope: seen.scope,
            rules: seen.rules.iter().map(String::as_str).collect(),
            missing: seen.missing.iter().map(String::as_str).collect(),
            alerts: seen.alerts.iter().map(|(severity, category)| (*severity, category.as_str())).collect(),
        });
    }
}

/// Counts answers of the package in force.
#[must_use]
pub fn counting(active: Active) -> Arc<dyn Observer> {
    let metrics = DecisionMetrics::default();
    metrics.observe(move |metrics| {
        let Some(ruleset) = active.get() else { return };
        let rules = ruleset.package().rules.iter().filter(|rule| rule.status == RuleStatus::Active);
        metrics.package(ruleset.digest(), rules.map(|rule| rule.id.value.as_str()));
    });
    Arc::new(Counting(metrics))
}
