//! Traces as a collector receives them.

use opentelemetry_proto::tonic::trace::v1::Span;
use tonic::Request;

use crate::server::{Server, request};
use crate::telemetry::Collector;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_joins_the_trace_of_its_caller_and_tells_nothing_of_the_patient() {
    let collector = Collector::default();
    let endpoint = format!("telemetry.otlp_endpoint={}", collector.start());
    let mut server = Server::start(&[&endpoint]);
    let mut client = server.decisions().await;
    let patient = r#"{"requestId": "SENTINEL", "patient": {"id": "SENTINEL", "birthDate": "1987-03-14",
        "diagnoses": [{"coding": [{"system": "ICD-10-CM", "code": "F11.20"}], "text": "SENTINEL"}]}}"#;
    let mut call = Request::new(request(patient));
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    call.metadata_mut().insert("traceparent", parent.parse().unwrap());
    call.metadata_mut().insert("baggage", "patient=SENTINEL".parse().unwrap());
    let decision = client.evaluate(call).await.unwrap().into_inner().decision_id;
    drop(client);
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(0));

    let spans = collector.spans.lock().unwrap().clone();
    let trace = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes();
    let joined: Vec<&Span> = spans.iter().filter(|span| span.trace_id == trace).collect();
    let names: Vec<&str> = joined.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["evaluate", "concord.v1.DecisionService/Evaluate"]);
    let [evaluation, rpc] = joined[..] else { panic!("{names:?}") };
    assert_eq!(evaluation.parent_span_id, rpc.span_id);
    assert_eq!(rpc.parent_span_id, 0xb7ad_6b71_6920_3331_u64.to_be_bytes());
    let told = format!("{spans:?}");
    assert!(told.contains(&decision) && told.contains("rpc.response.status_code"));
    for secret in ["SENTINEL", "1987-03", "F11", "\"NONE\"", "PRESENT"] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
    let log = server.log.lock().unwrap().clone();
    assert!(log.contains("0af7651916cd43dd8448eb211c80319c"), "{log}");
}
