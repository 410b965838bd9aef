//! The built binary on a free port of loopback, and what a client sees of it.

use concord::api::answer::canonical_bytes;
use concord::api::proto::evaluate_stream_response::Outcome;
use concord::api::proto::ruleset_service_client::RulesetServiceClient;
use concord::api::proto::{self, EvaluateRequest, EvaluateResponse, EvaluateStreamRequest};
use tokio_stream::StreamExt as _;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use crate::server::{Server, fine, request};

fn reason(status: &Status) -> String {
    status.get_details_error_info().unwrap().reason
}

#[tokio::test]
async fn a_patient_is_evaluated_to_the_same_answer() {
    let server = Server::start(&[]);
    let mut client = server.decisions().await;
    let unnamed = EvaluateRequest { request_id: String::new(), ..fine() };
    let one = client.evaluate(unnamed.clone()).await.unwrap().into_inner();
    let again = client.evaluate(unnamed).await.unwrap().into_inner();
    let first = client.evaluate(fine()).await.unwrap().into_inner();
    assert_eq!(
        canonical_bytes(&first),
        canonical_bytes(&EvaluateResponse { request_id: "r-1".to_owned(), ..one.clone() })
    );
    assert_ne!(one.decision_id, again.decision_id);
    assert_eq!(canonical_bytes(&one), canonical_bytes(&again));
    assert_eq!((first.request_id.as_str(), first.as_of.as_str()), ("r-1", "2026-06-01T23:59:59Z"));
    let handling = first.handling.unwrap();
    assert_eq!((handling.confidentiality.as_str(), handling.purpose_of_use.as_str()), ("R", "TREAT"));
    assert!(handling.purpose_of_use_defaulted);

    let mut rules = RulesetServiceClient::new(server.channel().await);
    let ruleset = rules.get_ruleset(proto::GetRulesetRequest {}).await.unwrap().into_inner().ruleset;
    assert_eq!(ruleset, first.ruleset);
    let missing = rules.get_rule(proto::GetRuleRequest { id: "no-such-rule".to_owned() }).await.unwrap_err();
    assert_eq!((missing.code(), reason(&missing).as_str()), (Code::NotFound, "RULE_NOT_FOUND"));
    let token = proto::ListRulesRequest { page_size: 1, page_token: "elsewhere".to_owned() };
    assert_eq!(reason(&rules.list_rules(token).await.unwrap_err()), "PAGE_TOKEN");
}

#[tokio::test]
async fn what_is_refused_is_named() {
    let server = Server::start(&[]);
    let mut client = server.decisions().await;
    let bad = request(r#"{"patient": {"diagnoses": [{"coding": [{"system": "ICD-10-CM"}], "onset": "2023-02-30"}]}}"#);
    let status = client.evaluate(bad).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_FIELDS"));
    let fields = status.get_details_bad_request().unwrap().field_violations;
    let named: Vec<_> = fields.iter().map(|field| (field.field.as_str(), field.reason.as_str())).collect();
    assert_eq!(
        named,
        [("patient.diagnoses[0].coding[0].code", "REQUIRED"), ("patient.diagnoses[0].onset", "IMPOSSIBLE_DATE")]
    );

    let digest = "0123456789abcdef".repeat(4);
    let other = EvaluateRequest { require_ruleset_digest: digest, ..fine() };
    let status = client.evaluate(other).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "RULESET_DIGEST_MISMATCH"));
}

#[derive(Clone, PartialEq, prost::Message)]
struct Garbage {
    #[prost(bytes = "vec", tag = "1")]
    request_id: Vec<u8>,
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_in_constant_words() {
    let server = Server::start(&["limits.message_bytes=10000"]);
    let mut client = server.decisions().await;
    let mut large = fine();
    large.request_id = "SENTINEL".repeat(2000);
    let status = client.evaluate(large).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "MESSAGE_TOO_LARGE"));
    assert_eq!(
        status.message(),
        "the message is larger than limits.message_bytes, or limits.ruleset_bytes where a package is checked"
    );

    let mut raw = tonic::client::Grpc::new(server.channel().await);
    raw.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<Garbage, proto::EvaluateResponse>::default();
    let path = PathAndQuery::from_static("/concord.v1.DecisionService/Evaluate");
    let garbage = Garbage { request_id: vec![0xff, 0xfe] };
    let status = raw.unary(Request::new(garbage), path, codec).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Internal, "the message can't be decoded"));

    let mut packed = client.send_compressed(tonic::codec::CompressionEncoding::Gzip);
    assert_eq!(packed.evaluate(fine()).await.unwrap_err().code(), Code::Unimplemented);
}

#[tokio::test]
async fn metadata_beyond_the_transports_own_limit_passes_and_answers_may_be_packed() {
    let server = Server::start(&[]);
    let mut client = server.decisions().await.accept_compressed(tonic::codec::CompressionEncoding::Gzip);
    let mut call = Request::new(fine());
    call.metadata_mut().insert("x-forwarded-client-cert", "c".repeat(20_000).parse().unwrap());
    let answer = client.evaluate(call).await.unwrap();
    assert_eq!(answer.metadata().get("grpc-encoding").unwrap(), "gzip");

    let mut call = Request::new(fine());
    call.metadata_mut().insert("x-forwarded-client-cert", "c".repeat(40_000).parse().unwrap());
    assert!(client.evaluate(call).await.is_err());
}

/// Sends the head of a call and nothing after it. The client library would
/// keep the deadline itself, so the frames are sent by hand.
async fn status_of_a_silent_call(server: &Server, method: &str) -> String {
    let socket = tokio::net::TcpStream::connect(&server.address).await.unwrap();
    let (client, connection) = h2::client::handshake(socket).await.unwrap();
    tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    let request = http::Request::post(format!("http://{}/concord.v1.DecisionService/{method}", server.address))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("grpc-timeout", "80m")
        .body(())
        .unwrap();
    let (response, _unsent) = client.send_request(request, false).unwrap();
    let (head, mut body) = response.await.unwrap().into_parts();
    let trailers = match head.headers.get("grpc-status") {
        Some(_) => head.headers,
        None => {
            assert!(body.data().await.is_none());
            body.trailers().await.unwrap().unwrap()
        }
    };
    trailers["grpc-status"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_deadline_is_answered_with_its_own_code() {
    let server = Server::start(&["server.deadline_max=150ms"]);
    server.channel().await;
    for method in ["Evaluate", "EvaluateStream"] {
        assert_eq!(status_of_a_silent_call(&server, method).await, "4", "{method}");
    }
}

#[tokio::test]
async fn a_stream_goes_on_after_a_bad_item() {
    let server = Server::start(&[]);
    let mut client = server.decisions().await;
    let item = |id: &str, request: EvaluateRequest| EvaluateStreamRequest {
        request: Some(EvaluateRequest { request_id: id.to_owned(), ..request }),
    };
    let items = vec![
        item("a", fine()),
        item("b", EvaluateRequest::default()),
        EvaluateStreamRequest { request: None },
        item("c", fine()),
    ];
    let answers = client.evaluate_stream(tokio_stream::iter(items)).await.unwrap().into_inner();
    let answers: Vec<_> = answers.map(Result::unwrap).collect().await;
    let told: Vec<_> = answers
        .iter()
        .map(|answer| match answer.outcome.as_ref().unwrap() {
            Outcome::Response(_) => (answer.request_id.as_str(), "OK".to_owned()),
            Outcome::Status(status) => (answer.request_id.as_str(), status.field_violations[0].field.clone()),
        })
        .collect();
    let expected = [("a", "OK"), ("b", "patient"), ("", "request"), ("c", "OK")];
    assert_eq!(told, expected.map(|(id, what)| (id, what.to_owned())));
}

#[tokio::test]
async fn nothing_of_a_patient_reaches_the_log() {
    let mut server = Server::start(&[]);
    let mut client = server.decisions().await;
    let coding = r#"[{"system": "ICD-10-CM", "code": "SENTINEL"}]"#;
    let well = format!(
        r#"{{"requestId": "SENTINEL", "encounterId": "SENTINEL", "requester": "SENTINEL", "patient": {{
            "id": "SENTINEL", "birthDate": "1987-03-14", "diagnoses": [{{"coding": {coding}, "text": "SENTINEL"}}],
            "medications": [{{"coding": {coding}, "text": "SENTINEL"}}], "observations": [{{"valueText": "SENTINEL"}}],
            "events": [{{"type": "overdose", "substance": "SENTINEL"}}]}}}}"#
    );
    client.evaluate(request(&well)).await.unwrap();
    let ill = r#"{"requestId": "SENTINEL é", "patient": {"birthDate": "SENTINEL", "preferences": ["SENTINEL"]}}"#;
    let status = client.evaluate(request(ill)).await.unwrap_err();
    assert!(
        !format!("{status:?}").contains("SENTINEL") && !String::from_utf8_lossy(status.details()).contains("SENTINEL")
    );
    let mut marked = Request::new(request(&well));
    marked.metadata_mut().insert("x-patient", "SENTINEL".parse().unwrap());
    client.evaluate(marked).await.unwrap();
    drop(client);
    server.terminate();
    server.ended().await;
    let log = server.log.lock().unwrap().clone();
    assert!(log.contains("concord.v1.DecisionService/Evaluate"), "{log}");
    for secret in ["SENTINEL", "1987-03-14"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
