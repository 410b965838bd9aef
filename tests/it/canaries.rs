//! Canary patients of the built binary.

use std::time::Duration;

use concord::api::proto::ListDecisionsRequest;
use concord::api::proto::audit_service_client::AuditServiceClient;

use crate::admin::{LISTEN, address, series};
use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn canaries_are_evaluated_again_and_again_and_leave_no_record() {
    let server = Server::start(&[LISTEN, "canary.interval=50ms"]);
    let (probes, channel) = (address(&server), server.channel().await);
    let named = |series: &std::collections::BTreeMap<String, f64>, name: &str| -> Vec<f64> {
        series.iter().filter(|(named, _)| named.starts_with(name)).map(|(_, value)| *value).collect()
    };
    let seen = loop {
        let series = series(&probes);
        let runs = named(&series, "concord_canary_runs_total");
        if !runs.is_empty() && runs.iter().all(|runs| *runs >= 3.0) {
            break series;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    for (name, value) in
        [("concord_canary_changed_total", 0.0), ("concord_canary_failed_total", 0.0), ("concord_canary_answer", 1.0)]
    {
        assert_eq!(named(&seen, name), [value; 10], "{name}");
    }
    // They are no patients: none is in the record, among the decisions, or among the calls.
    assert!(named(&seen, "concord_decisions_total").is_empty());
    let evaluations = |name: &String| name.starts_with("rpc_server") && name.contains("DecisionService/Evaluate");
    assert!(!seen.keys().any(evaluations));
    let decisions = AuditServiceClient::new(channel).list_decisions(ListDecisionsRequest::default()).await.unwrap();
    assert!(decisions.into_inner().decisions.is_empty());
}
