//! Who may call what, of a running server: tokens, headers of trusted proxies, paths, and settings that are half set.

use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use concord::api::proto::audit_service_client::AuditServiceClient;
use concord::api::proto::list_decisions_request::Outcome;
use concord::api::proto::ruleset_service_client::RulesetServiceClient;
use concord::api::proto::{self, GetRulesetRequest, ListDecisionsRequest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_types::StatusExt as _;

use crate::audited::binary;
use crate::authority::{Authority, Files, set};
use crate::server::{Server, fine};

const ISSUER: &str = "https://issuer.example.org";

/// Signs tokens, and keeps the file of its public key.
struct Mint {
    key: EcdsaKeyPair,
    random: SystemRandom,
    file: tempfile::NamedTempFile,
}

impl Mint {
    fn new() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
        let mint = Self { key, random, file: tempfile::NamedTempFile::new().unwrap() };
        mint.publish("k1");
        mint
    }

    fn publish(&self, kid: &str) {
        let (x, y) = self.key.public_key().as_ref()[1..].split_at(32);
        let set = json!({"keys": [
            {"kty": "EC", "crv": "P-256", "kid": kid, "use": "sig", "x": BASE64.encode(x), "y": BASE64.encode(y)}
        ]});
        std::fs::write(self.file.path(), set.to_string()).unwrap();
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        let signature = self.key.sign(&self.random, signed.as_bytes()).unwrap();
        format!("{signed}.{}", BASE64.encode(signature.as_ref()))
    }

    fn token(&self, subject: &str, kid: &str) -> String {
        let exp = jiff::Timestamp::now().as_second() + 300;
        let claims = json!({"iss": ISSUER, "aud": "concord", "sub": subject, "exp": exp, "scope": subject});
        self.sign(&json!({"alg": "ES256", "kid": kid, "typ": "at+jwt"}), &claims)
    }

    fn settings(&self) -> Vec<String> {
        vec![
            format!("auth.jwt_issuer={ISSUER}"),
            "auth.jwt_audience=concord".to_owned(),
            format!("auth.jwt_keys_file={}", self.file.path().display()),
            "auth.jwt_roles_claim=scope".to_owned(),
            format!("auth.grants={ISSUER}#ehr = evaluate, claim:auditor = read-audit"),
        ]
    }

    fn server(&self, more: &[&str]) -> Server {
        let settings = self.settings();
        Server::start(&settings.iter().map(String::as_str).chain(more.iter().copied()).collect::<Vec<_>>())
    }
}

fn with<T>(message: T, headers: &[(&'static str, &str)]) -> Request<T> {
    let mut request = Request::new(message);
    for (name, value) in headers {
        request.metadata_mut().append(*name, value.parse().unwrap());
    }
    request
}

fn told<T>(outcome: Result<T, Status>) -> String {
    match outcome {
        Ok(_) => "OK".to_owned(),
        Err(status) => {
            let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
            format!("{:?} {reason}", status.code())
        }
    }
}

const MISSING: &str = "Unauthenticated CREDENTIALS_MISSING";
const INVALID: &str = "Unauthenticated CREDENTIALS_INVALID";
const DENIED: &str = "PermissionDenied NOT_PERMITTED";

async fn evaluates(channel: &Channel, headers: &[(&'static str, &str)]) -> String {
    let request = proto::EvaluateRequest { request_id: String::new(), ..fine() };
    let mut client = proto::decision_service_client::DecisionServiceClient::new(channel.clone());
    told(client.evaluate(with(request, headers)).await)
}

async fn reflects(channel: &Channel, headers: &[(&'static str, &str)]) -> String {
    let ask = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client = ServerReflectionClient::new(channel.clone());
    told(client.server_reflection_info(with(tokio_stream::iter([ask]), headers)).await)
}

#[tokio::test]
async fn a_token_gives_its_roles_and_its_name_is_on_record() {
    let mint = Mint::new();
    let server = mint.server(&[]);
    let channel = server.channel().await;
    let bearer = |subject: &str| format!("Bearer {}", mint.token(subject, "k1"));
    let (ehr, auditor, stranger) = (bearer("ehr"), bearer("auditor"), bearer("stranger"));
    let auth = |value: &'static str| [("authorization", value)];
    assert_eq!(evaluates(&channel, &[]).await, MISSING);
    assert_eq!(evaluates(&channel, &auth("Bearer x.y.z")).await, INVALID);
    assert_eq!(evaluates(&channel, &auth("Basic YTpi")).await, INVALID);
    assert_eq!(evaluates(&channel, &[("authorization", &ehr)]).await, "OK");
    assert_eq!(evaluates(&channel, &[("authorization", &ehr), ("authorization", &ehr)]).await, INVALID);
    assert_eq!(evaluates(&channel, &[("authorization", &auditor)]).await, DENIED);
    assert_eq!(evaluates(&channel, &[("authorization", &stranger)]).await, DENIED);
    let mut rules = RulesetServiceClient::new(channel.clone());
    assert_eq!(told(rules.get_ruleset(GetRulesetRequest {}).await), MISSING);
    assert_eq!(told(rules.get_ruleset(with(GetRulesetRequest {}, &[("authorization", &ehr)])).await), DENIED);
    // Health holds no authority, and asks for none, whatever comes with the call.
    let check = || HealthCheckRequest { service: String::new() };
    let mut health = HealthClient::new(channel.clone());
    assert_eq!(told(health.check(with(check(), &auth("Bearer x"))).await), "OK");
    assert_eq!(reflects(&channel, &[]).await, MISSING);
    assert_eq!(reflects(&channel, &[("authorization", &stranger)]).await, "OK");

    let mut audit = AuditServiceClient::new(channel.clone());
    let all = ListDecisionsRequest { outcome: Outcome::All.into(), ..ListDecisionsRequest::default() };
    assert_eq!(told(audit.list_decisions(with(all.clone(), &[("authorization", &ehr)])).await), DENIED);
    let listed = audit.list_decisions(with(all, &[("authorization", &auditor)])).await.unwrap().into_inner();
    let entries: Vec<_> = listed
        .decisions
        .into_iter()
        .rev()
        .filter_map(|one| one.entry)
        .filter(|entry| entry.method == "concord.v1.DecisionService/Evaluate")
        .map(|entry| (entry.caller, entry.status, entry.reason))
        .collect();
    let entry = |caller: &str, status: &str, reason: &str| (caller.to_owned(), status.to_owned(), reason.to_owned());
    let anonymous = "anonymous@127.0.0.1";
    let wanted = [
        entry(anonymous, "UNAUTHENTICATED", "CREDENTIALS_MISSING"),
        entry(anonymous, "UNAUTHENTICATED", "CREDENTIALS_INVALID"),
        entry(anonymous, "UNAUTHENTICATED", "CREDENTIALS_INVALID"),
        entry("https://issuer.example.org#ehr", "OK", ""),
        entry(anonymous, "UNAUTHENTICATED", "CREDENTIALS_INVALID"),
        entry("https://issuer.example.org#auditor", "PERMISSION_DENIED", "NOT_PERMITTED"),
        entry("https://issuer.example.org#stranger", "PERMISSION_DENIED", "NOT_PERMITTED"),
    ];
    assert_eq!(entries, wanted);

    // The log says why, and has no part of a token.
    let log = server.logged("the token is not three parts in base64url").await;
    for part in ehr.trim_start_matches("Bearer ").split('.') {
        assert!(!log.contains(part));
    }
}

#[tokio::test]
async fn bad_tokens_are_refused_over_the_wire_and_new_keys_are_found() {
    let mint = Mint::new();
    let server = mint.server(&["audit.store=none"]);
    let channel = server.channel().await;
    let good = mint.token("ehr", "k1");
    let now = jiff::Timestamp::now().as_second();
    let claims = |change: Value| {
        let mut all = json!({"iss": ISSUER, "aud": "concord", "sub": "ehr", "exp": now + 300});
        all.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        mint.sign(&json!({"alg": "ES256", "kid": "k1"}), &all)
    };
    let head =
        |header: Value| mint.sign(&header, &json!({"iss": ISSUER, "aud": "concord", "sub": "ehr", "exp": now + 300}));
    assert_eq!(evaluates(&channel, &[("authorization", &format!("bearer {}", claims(json!({}))))]).await, "OK");
    for token in [
        String::new(),
        "..".to_owned(),
        good.replacen('.', "..", 1),
        format!("{good}="),
        good.rsplit_once('.').unwrap().0.to_owned(),
        "A".repeat(9_000),
        head(json!({"alg": "none"})),
        head(json!({"alg": "HS256", "kid": "k1"})),
        head(json!({"alg": "RS256", "kid": "k1"})),
        head(json!({"alg": "ES256"})),
        head(json!({"alg": "ES256", "kid": "../k1"})),
        head(json!({"alg": "ES256", "kid": "k1", "crit": ["x"], "x": 1})),
        head(json!({"alg": "ES256", "kid": "k1", "jku": "http://127.0.0.1:1/"})),
        head(json!({"alg": "ES256", "kid": "k1", "typ": "id"})),
        claims(json!({"iss": "https://issuer.example.com"})),
        claims(json!({"aud": "elsewhere"})),
        claims(json!({"aud": ["elsewhere"]})),
        claims(json!({"exp": now - 61})),
        claims(json!({"exp": null})),
        claims(json!({"nbf": now + 120})),
        claims(json!({"sub": "e h r"})),
        Mint::new().token("ehr", "k1"),
    ] {
        assert_eq!(evaluates(&channel, &[("authorization", &format!("Bearer {token}"))]).await, INVALID, "{token}");
    }
    // A token beyond all metadata ends its call, and no other.
    let huge = format!("Bearer {}", "A".repeat(1 << 20));
    assert_ne!(evaluates(&server.channel().await, &[("authorization", &huge)]).await, "OK");
    assert_eq!(evaluates(&server.channel().await, &[("authorization", &format!("Bearer {good}"))]).await, "OK");
}

#[tokio::test]
async fn a_key_that_the_issuer_adds_is_found_by_the_first_token_of_it() {
    let mint = Mint::new();
    let server = mint.server(&["audit.store=none"]);
    let channel = server.channel().await;
    mint.publish("k2");
    let new = format!("Bearer {}", mint.token("ehr", "k2"));
    assert_eq!(evaluates(&channel, &[("authorization", &new)]).await, "OK");
    let old = format!("Bearer {}", mint.token("ehr", "k1"));
    assert_eq!(evaluates(&channel, &[("authorization", &old)]).await, INVALID);
}

#[tokio::test]
async fn the_header_of_a_proxy_names_the_caller_where_the_proxy_is_trusted() {
    let grants = "auth.grants=spiffe://example.org/ns/ehr/* = evaluate";
    let common = ["auth.spiffe_trust_domains=example.org", grants, "server.reflection=off"];
    let ehr = "By=spiffe://example.org/gw;URI=spiffe://example.org/ns/ehr/orders";
    let header = |value: &'static str| [("x-forwarded-client-cert", value)];
    for (proxies, trusted) in [("127.0.0.0/8", true), ("10.0.0.0/8", false)] {
        let proxies = format!("auth.trusted_proxies={proxies}");
        let server = Server::start(&[&common[..], &[&proxies]].concat());
        let channel = server.channel().await;
        for (header, wanted) in [
            (header(ehr), "OK"),
            (header("URI=spiffe://example.org/ns/ehr/orders,URI=spiffe://example.org/ns/ehr/notes"), "OK"),
            (header("URI=spiffe://example.org/ns/ehr/orders,URI=spiffe://example.org/ns/lab/a"), DENIED),
            (header("URI=spiffe://example.org/ns/ehr/a/b"), DENIED),
            (header("URI=spiffe://example.com/ns/ehr/orders"), INVALID),
            (header("URI=\"spiffe://example.org/ns/ehr/orders"), INVALID),
            (header("Hash=ab"), INVALID),
        ] {
            let wanted = if trusted { wanted } else { MISSING };
            assert_eq!(evaluates(&channel, &header).await, wanted, "{header:?}");
        }
        assert_eq!(evaluates(&channel, &[]).await, MISSING);
        // A token where none are taken is not passed over.
        let both = [("x-forwarded-client-cert", ehr), ("authorization", "Bearer x")];
        assert_eq!(evaluates(&channel, &both).await, INVALID);
        // Off: asked for by no one that may not, and there for no one.
        let wanted = if trusted { "Unimplemented " } else { MISSING };
        assert_eq!(reflects(&channel, &header(ehr)).await, wanted);
    }
}

#[tokio::test]
async fn a_certificate_names_the_caller_and_believes_a_gateway_that_is_trusted() {
    let ours = Authority::new();
    let files = Files::new(&ours.signs(&["localhost"]));
    std::fs::write(files.path("ca.pem"), ours.pem()).unwrap();
    let mut settings = files.settings();
    settings.extend([
        set("tls.client_ca_file", &files.path("ca.pem")),
        "tls.client_auth=optional".to_owned(),
        "auth.spiffe_trust_domains=example.org".to_owned(),
        "auth.trusted_proxies=spiffe://example.org/gateway".to_owned(),
        "auth.grants=spiffe://example.org/ehr = evaluate, spiffe://example.org/auditor = read-audit".to_owned(),
    ]);
    let server = Server::start(&settings.iter().map(String::as_str).collect::<Vec<_>>());
    let forwarded = [("x-forwarded-client-cert", "URI=spiffe://example.org/ehr")];
    for (names, plain, through) in [
        (&["spiffe://example.org/ehr"][..], "OK", "OK"),
        (&["spiffe://example.org/ehr", "ehr.example.org"], "OK", "OK"),
        (&["spiffe://example.org/gateway"], DENIED, "OK"),
        (&["spiffe://example.org/gateways"], DENIED, DENIED),
        (&["spiffe://example.com/ehr"], INVALID, INVALID),
        (&["spiffe://example.org/ehr", "spiffe://example.org/gateway"], INVALID, INVALID),
        (&["spiffe://example.org"], INVALID, INVALID),
        (&["spiffe://example.org/ehr/"], INVALID, INVALID),
        (&["ehr.example.org"], INVALID, INVALID),
    ] {
        let pair = ours.signs(names);
        let channel = ours.client(Some(&pair)).channel(&server.address).await;
        assert_eq!(evaluates(&channel, &[]).await, plain, "{names:?}");
        assert_eq!(evaluates(&channel, &forwarded).await, through, "{names:?}");
    }
    let channel = ours.client(None).channel(&server.address).await;
    assert_eq!(evaluates(&channel, &forwarded).await, MISSING);
    let auditor = ours.client(Some(&ours.signs(&["spiffe://example.org/auditor"]))).channel(&server.address).await;
    let listed = AuditServiceClient::new(auditor).list_decisions(ListDecisionsRequest::default()).await.unwrap();
    let callers = listed.into_inner().decisions.into_iter().filter_map(|one| Some(one.entry?.caller));
    assert_eq!(
        callers.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>(),
        ["spiffe://example.org/ehr"]
    );
}

/// The status of a call of this path, with its frames sent by hand: a client library would tidy it up.
async fn status_of(server: &Server, path: &str, bearer: Option<&str>) -> String {
    let socket = tokio::net::TcpStream::connect(&server.address).await.unwrap();
    let (client, connection) = h2::client::handshake(socket).await.unwrap();
    tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    let mut request = http::Request::post(format!("http://{}{path}", server.address))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    if let Some(bearer) = bearer {
        request = request.header("authorization", format!("Bearer {bearer}"));
    }
    let (response, mut body) = client.send_request(request.body(()).unwrap(), false).unwrap();
    // An empty message.
    let _ = body.send_data(vec![0, 0, 0, 0, 0].into(), true);
    let (head, mut body) = response.await.unwrap().into_parts();
    let trailers = match head.headers.get("grpc-status") {
        Some(_) => head.headers,
        None => {
            while let Some(data) = body.data().await {
                let size = data.unwrap().len();
                body.flow_control().release_capacity(size).unwrap();
            }
            body.trailers().await.unwrap().unwrap()
        }
    };
    trailers["grpc-status"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn no_variant_of_a_path_is_let_through() {
    let mint = Mint::new();
    let server = mint.server(&["audit.store=none"]);
    server.channel().await;
    let token = mint.token("ehr", "k1");
    let evaluate = "/concord.v1.DecisionService/Evaluate";
    // What may be called is refused for its message, which is empty.
    for (path, known, unknown) in [
        (evaluate, "3", "16"),
        ("/concord.v1.DecisionService/Evaluate?x", "3", "16"),
        ("/concord.v1.DecisionService/Evaluate?/grpc.health.v1.Health/Check", "3", "16"),
        ("/concord.v1.RulesetService/GetRuleset", "7", "16"),
        ("/concord.v1.RulesetService/GetRuleset?x", "7", "16"),
        ("/concord.v1.DecisionService/Evaluate/", "7", "16"),
        ("//concord.v1.DecisionService/Evaluate", "7", "16"),
        ("/concord.v1.DecisionService//Evaluate", "7", "16"),
        ("/concord.v1.DecisionService%2fEvaluate", "7", "16"),
        ("/concord.v1.DecisionService%2FEvaluate", "7", "16"),
        ("/concord.v1.decisionservice/evaluate", "7", "16"),
        ("/CONCORD.V1.DecisionService/Evaluate", "7", "16"),
        ("/concord%2ev1.DecisionService/Evaluate", "7", "16"),
        ("/x/../concord.v1.DecisionService/Evaluate", "7", "16"),
        ("/grpc.health.v1.Health/Check/../../concord.v1.DecisionService/Evaluate", "7", "16"),
        ("/grpc.health.v1.Health/Check/", "7", "16"),
        ("/grpc.health.v1.Health/List", "7", "16"),
        ("/", "7", "16"),
    ] {
        assert_eq!(status_of(&server, path, Some(&token)).await, known, "{path}");
        assert_eq!(status_of(&server, path, None).await, unknown, "{path}");
    }
    assert_eq!(status_of(&server, "/grpc.health.v1.Health/Check", None).await, "0");
}

/// What a server that does not start says.
fn refused(address: &str, settings: &[String]) -> String {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(binary());
    command.args(["serve", "--grpc-addr", address, "--set"]).arg(format!("audit.dir={}", data.path().display()));
    for setting in settings {
        command.args(["--set", setting]);
    }
    let output = command.env_remove("CONCORD_CONFIG").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn what_is_half_set_does_not_start_and_names_what_is_missing() {
    let mint = Mint::new();
    let all = mint.settings();
    let without = |name: &str| all.iter().filter(|one| !one.starts_with(name)).cloned().collect::<Vec<_>>();
    let and = |more: &str| [all.clone(), vec![more.to_owned()]].concat();
    let empty = tempfile::NamedTempFile::new().unwrap();
    let here = "127.0.0.1:0";
    for (address, settings, key) in [
        (here, without("auth.jwt_issuer"), "auth.jwt_issuer"),
        (here, without("auth.jwt_audience"), "auth.jwt_audience"),
        (here, without("auth.jwt_keys_file"), "auth.jwt_keys_file"),
        (here, without("auth.grants"), "auth.grants"),
        (here, without("auth.jwt_roles_claim"), "auth.grants"),
        (here, and("auth.trusted_proxies=127.0.0.1"), "auth.spiffe_trust_domains"),
        (here, and("auth.jwt_algorithms=HS256"), "auth.jwt_algorithms"),
        (here, and("auth.grants=spiffe://example.org/a = evaluate"), "auth.grants"),
        (here, and("auth.allow_anonymous_off_loopback=true"), "auth.allow_anonymous_off_loopback"),
        (here, and("auth.jwt_keys_file=/nowhere/keys.json"), "auth.jwt_keys_file"),
        (here, and(&format!("auth.jwt_keys_file={}", empty.path().display())), "auth.jwt_keys_file"),
        (here, vec!["auth.grants=spiffe://example.org/a = evaluate".to_owned()], "auth.jwt_issuer"),
        ("0.0.0.0:0", vec!["server.allow_plaintext_off_loopback=true".to_owned()], "auth.allow_anonymous_off_loopback"),
    ] {
        let said = refused(address, &settings);
        assert!(said.contains(key), "{settings:?}: {said}");
    }
}

#[tokio::test]
async fn off_loopback_the_record_is_for_who_may_read_it_and_reflection_for_who_asks_in_the_settings() {
    let mint = Mint::new();
    let mut settings = mint.settings();
    settings.push("server.allow_plaintext_off_loopback=true".to_owned());
    for (reflection, wanted) in [("auto", "Unimplemented "), ("on", "OK")] {
        let reflection = format!("server.reflection={reflection}");
        let all: Vec<_> = settings.iter().map(String::as_str).chain([reflection.as_str()]).collect();
        let server = Server::at("0.0.0.0:0", &all);
        let channel = server.channel().await;
        let auditor = format!("Bearer {}", mint.token("auditor", "k1"));
        let mut audit = AuditServiceClient::new(channel.clone());
        assert_eq!(
            audit.list_decisions(ListDecisionsRequest::default()).await.unwrap_err().code(),
            Code::Unauthenticated
        );
        let list = with(ListDecisionsRequest::default(), &[("authorization", &auditor)]);
        assert_eq!(told(audit.list_decisions(list).await), "OK");
        assert_eq!(reflects(&channel, &[("authorization", &auditor)]).await, wanted);
    }
}
