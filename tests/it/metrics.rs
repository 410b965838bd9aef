//! Metrics as a collector receives them.

use std::collections::BTreeMap;

use concord::api::proto::ruleset_service_client::RulesetServiceClient;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::{metric::Data, number_data_point};

use crate::packages::{ConfigMap, package, until};
use crate::server::Server;
use crate::telemetry::Collector;

fn attributes(of: &[KeyValue]) -> Vec<String> {
    let mut pairs: Vec<String> = of
        .iter()
        .map(|pair| match pair.value.as_ref().and_then(|value| value.value.as_ref()) {
            Some(Value::StringValue(value)) => format!("{}={value}", pair.key),
            other => panic!("{other:?}"),
        })
        .collect();
    pairs.sort();
    pairs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reloads_are_counted_by_outcome_and_reason_and_the_package_has_an_age() {
    let collector = Collector::default();
    let endpoint = format!("telemetry.otlp_endpoint={}", collector.start());

    let mut map = ConfigMap::new(&package("alpha", "1.0.0"));
    let mut server = Server::with_rules(map.path(), &[&endpoint]);
    let mut rules = RulesetServiceClient::new(server.channel().await);
    let digest = until(&server, &mut rules, |now| now.reload.is_some()).await.ruleset.unwrap().digest;
    map.set(&package("beta", "1.0.1, format: 7"));
    until(&server, &mut rules, |now| now.reload.as_ref().unwrap().reason == "newer-format").await;
    drop(rules);
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(0));

    let metrics = collector.metrics.lock().unwrap().clone();
    let last =
        |name: &str| metrics.iter().rev().find(|metric| metric.name == name).and_then(|metric| metric.data.clone());
    let Some(Data::Sum(reloads)) = last("concord.ruleset.reloads") else { panic!("{metrics:?}") };
    let count = |wanted: &[&str]| {
        let point = reloads.data_points.iter().find(|point| attributes(&point.attributes) == wanted);
        point.and_then(|point| point.value).map(|value| match value {
            number_data_point::Value::AsInt(count) => count,
            number_data_point::Value::AsDouble(count) => panic!("{count}"),
        })
    };
    assert_eq!(count(&["outcome=activated"]), Some(1), "{reloads:?}");
    assert_eq!(count(&["outcome=refused", "reason=newer-format"]), Some(1), "{reloads:?}");
    assert!(count(&["outcome=unchanged"]) >= Some(1), "{reloads:?}");
    // The activation; what opens the log is written before there is anything to count.
    let Some(Data::Sum(entries)) = last("concord.audit.entries") else { panic!("{metrics:?}") };
    assert!(entries.is_monotonic);
    assert_eq!(entries.data_points[0].value, Some(number_data_point::Value::AsInt(1)), "{entries:?}");
    let Some(Data::Sum(missed)) = last("concord.audit.not_recorded") else { panic!("{metrics:?}") };
    let missed: BTreeMap<_, _> =
        missed.data_points.iter().map(|point| (attributes(&point.attributes), point.value)).collect();
    let none = |reason: &str| (vec![format!("reason={reason}")], Some(number_data_point::Value::AsInt(0)));
    assert_eq!(missed, BTreeMap::from([none("store"), none("busy")]));
    let Some(Data::Gauge(age)) = last("concord.ruleset.age") else { panic!("{metrics:?}") };
    assert_eq!(age.data_points.len(), 1);
    let expected = [format!("digest={digest}"), "name=small".to_owned(), "version=1.0.0".to_owned()];
    assert_eq!(attributes(&age.data_points[0].attributes), expected);
}
