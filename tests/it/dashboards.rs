//! The dashboard, the alerts and the examples of `deploy/` against what a running server tells.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use concord::api::proto::EvaluateRequest;
use concord::api::yaml;
use serde_json::Value;
use tonic::Request;

use crate::admin::{LISTEN, address, get};
use crate::server::{Server, request};
use crate::telemetry::Collector;

const DASHBOARD: &str = "deploy/grafana/concord.json";
const ALERTS: &str = "deploy/prometheus/alerts.yaml";

/// Added by Prometheus itself.
const OWN: [&str; 1] = ["up"];

/// Words of PromQL that stand where a metric could.
const WORDS: [&str; 12] =
    ["by", "without", "on", "ignoring", "group_left", "group_right", "unless", "and", "or", "offset", "bool", "inf"];

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Metrics that a query names: words that are no function, no word of the language and no label.
fn metrics(query: &str) -> BTreeSet<String> {
    let letters: Vec<char> = query.chars().collect();
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || "_:$".contains(letter);
    let (mut found, mut at, mut labels) = (BTreeSet::new(), 0, false);
    while at < letters.len() {
        let letter = letters[at];
        let close =
            |from: usize, end: char| from + letters[from..].iter().position(|one| *one == end).expect("its end");
        match letter {
            // Matchers of labels, durations and texts hold no metric.
            '{' => at = close(at, '}') + 1,
            '[' => at = close(at, ']') + 1,
            '"' | '\'' => at = close(at + 1, letter) + 1,
            _ if is_word(letter) => {
                let end = at + letters[at..].iter().take_while(|letter| is_word(**letter)).count();
                let word: String = letters[at..end].iter().collect();
                let next = letters[end..].iter().find(|letter| !letter.is_whitespace());
                let after: String = letters[end..].iter().collect();
                let sums = ["by", "without"]
                    .contains(&after.split([' ', '(']).find(|word| !word.is_empty()).unwrap_or_default());
                let listed = ["by", "without", "on", "ignoring", "group_left", "group_right"].contains(&word.as_str());
                if listed && next == Some(&'(') {
                    labels = true;
                } else if !labels
                    && !sums
                    && !letter.is_ascii_digit()
                    && next != Some(&'(')
                    && !WORDS.contains(&word.as_str())
                {
                    found.insert(word);
                }
                at = end;
            }
            ')' => (labels, at) = (false, at + 1),
            _ => at += 1,
        }
    }
    found
}

#[test]
fn the_metrics_of_a_query_are_found() {
    let told = |query: &str| metrics(query).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(told(r#"sum by (le, a) (rate(x_bucket{b=~"c|d"}[5m])) / scalar(sum(y)) > 0.5"#), "x_bucket y");
    assert_eq!(told("histogram_quantile(0.99, sum(rate(x[$__rate_interval]))) unless y offset 7d > 1e3"), "x y");
    assert_eq!(told("a / on (instance) group_left (b) c == 0 or absent(up{job=\"x\"})"), "a c up");
}

/// Every text of a key, wherever it is.
fn texts(of: &Value, key: &str) -> Vec<String> {
    match of {
        Value::Object(entries) => {
            let here = entries.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
            here.into_iter().chain(entries.values().flat_map(|value| texts(value, key))).collect()
        }
        Value::Array(items) => items.iter().flat_map(|item| texts(item, key)).collect(),
        _ => Vec::new(),
    }
}

fn read(path: &str) -> Value {
    let text = fs::read_to_string(root(path)).unwrap();
    if path == DASHBOARD {
        return serde_json::from_str(&text).unwrap();
    }
    yaml::read(&text).unwrap_or_else(|fault| panic!("{path}: {fault:?}")).value
}

/// A page of metrics of a server that has seen some traffic.
async fn page() -> String {
    let collector = Collector::default();
    let endpoint = format!("telemetry.otlp_endpoint={}", collector.start());
    let server = Server::start(&[LISTEN, "canary.interval=50ms", &endpoint]);
    let mut client = server.decisions().await;
    // A record that raises alerts, lacks facts and fires rules.
    let example = fs::read_to_string(root("examples/oud-ptsd.json")).unwrap();
    client.evaluate(request(&example)).await.unwrap();
    client.evaluate(Request::new(EvaluateRequest::default())).await.unwrap_err();
    let probes = address(&server);
    loop {
        let (_, page) = get(&probes, "/metrics");
        if page.contains("concord_canary_answer{") {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_query_of_the_dashboard_and_the_alerts_names_metrics_that_exist() {
    let page = page().await;
    let known: BTreeSet<&str> = page
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .chain(OWN)
        .collect();
    let queries: Vec<String> = [DASHBOARD, ALERTS].into_iter().flat_map(|path| texts(&read(path), "expr")).collect();
    assert!(queries.len() > 30, "{}", queries.len());
    for query in &queries {
        let named = metrics(query);
        assert!(!named.is_empty(), "{query}");
        for metric in named {
            assert!(known.contains(metric.as_str()), "no metric {metric}, in {query}");
        }
    }
    // A variable of the dashboard asks for one too.
    assert!(known.contains("concord_ruleset_age_seconds"));
}

#[test]
fn every_alert_says_how_grave_it_is_and_where_its_runbook_is() {
    let alerts = read(ALERTS);
    let rules = alerts["groups"][0]["rules"].as_array().unwrap();
    let guide = fs::read_to_string(root("docs/operating.md")).unwrap();
    for rule in rules {
        let name = rule["alert"].as_str().unwrap();
        let link = rule["annotations"]["runbook_url"].as_str().unwrap();
        assert_eq!(link, format!("docs/operating.md#{}", name.to_lowercase()));
        assert!(guide.contains(&format!("\n### {name}\n")), "no runbook of {name}");
        assert!(["warning", "critical"].contains(&rule["labels"]["severity"].as_str().unwrap()), "{name}");
    }
    let titles = guide.lines().filter(|line| line.starts_with("### Concord")).count();
    assert_eq!(titles, rules.len(), "a runbook of an alert that is not there");
}

#[test]
fn the_examples_load_and_lead_where_the_settings_lead() {
    let prometheus = read("deploy/prometheus/prometheus.yaml");
    assert_eq!(prometheus["rule_files"][0], "alerts.yaml");
    let collector = read("deploy/opentelemetry/collector.yaml");
    for signal in ["traces", "metrics", "logs"] {
        assert_eq!(collector["service"]["pipelines"][signal]["receivers"][0], "otlp", "{signal}");
    }
}

fn ran(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn python() -> Command {
    Command::new(std::env::var_os("CONCORD_PYTHON").unwrap_or("target/tools/venv/bin/python".into()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Go and the Python packages that scripts/test installs, and is run by it"]
async fn the_parsers_of_prometheus_take_the_page_the_dashboard_and_the_alerts() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("metrics");
    fs::write(&file, page().await).unwrap();
    print!("{}", ran(python().arg("tests/tools/exposition.py").arg(&file)));
    let mut check = Command::new("go");
    check.current_dir(root("tests/tools/promcheck")).args(["run", "."]).arg(&file);
    print!("{}", ran(check.arg(root(DASHBOARD)).arg(root(ALERTS))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the Python packages that scripts/test installs, and is run by it"]
async fn a_trace_that_a_client_in_python_began_has_the_servers_span_inside() {
    let collector = Collector::default();
    let endpoint = collector.start();
    let mut server = Server::start(&[&format!("telemetry.otlp_endpoint={endpoint}")]);
    drop(server.channel().await);
    let mut client = python();
    client.args(["tests/clients/python/trace.py", &server.address, &endpoint]);
    let told = tokio::task::spawn_blocking(move || ran(&mut client)).await.unwrap();
    let (trace, span) = told.trim().split_once(' ').unwrap();
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(0));

    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let spans = collector.spans.lock().unwrap().clone();
    let of_trace: Vec<_> = spans.iter().filter(|one| hex(&one.trace_id) == trace).collect();
    let id = |name: &str| of_trace.iter().find(|one| one.name == name).map(|one| hex(&one.span_id)).unwrap();
    let parent = |name: &str| of_trace.iter().find(|one| one.name == name).map(|one| hex(&one.parent_span_id)).unwrap();
    let call = "concord.v1.DecisionService/Evaluate";
    assert_eq!(id("visit"), span);
    assert_eq!((parent(call), parent("evaluate")), (span.to_owned(), id(call)));
    assert_eq!(of_trace.len(), 3);
}
