//! How the server ends.

use concord::api::proto::EvaluateStreamRequest;
use concord::api::proto::decision_service_client::DecisionServiceClient;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

use crate::server::{Server, fine};

#[tokio::test]
async fn a_signal_says_so_first_and_then_drains() {
    let mut server = Server::start(&[]);
    let channel = server.channel().await;
    let mut health = HealthClient::new(channel.clone());
    let mut watch = health.watch(HealthCheckRequest { service: String::new() }).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    let (send, items) = tokio::sync::mpsc::channel(1);
    let mut client = DecisionServiceClient::new(channel);
    let items = tokio_stream::wrappers::ReceiverStream::new(items);
    let mut answers = client.evaluate_stream(items).await.unwrap().into_inner();

    server.terminate();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    // Calls are still answered while load balancers look elsewhere.
    send.send(EvaluateStreamRequest { request: Some(fine()) }).await.unwrap();
    assert!(answers.message().await.unwrap().is_some());
    let end = answers.message().await.unwrap_err();
    let reason = end.get_details_error_info().unwrap().reason;
    assert_eq!((end.code(), reason.as_str()), (Code::Unavailable, "DRAINING"));
    assert_eq!(watch.message().await.unwrap(), None);
    drop((send, answers, watch, client, health));
    assert_eq!(server.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let mut server = Server::start(&["server.drain_lead=60s"]);
    let channel = server.channel().await;
    let mut watch = HealthClient::new(channel);
    let mut watch = watch.watch(HealthCheckRequest { service: String::new() }).await.unwrap().into_inner();
    watch.message().await.unwrap();
    server.terminate();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(3));
}
