use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use prost_reflect::DescriptorPool;
use rcgen::{CertificateParams, KeyPair, SanType};
use serde_json::json;
use tonic::Code;
use tonic_types::StatusExt as _;

use super::super::call::METHODS as CALLED;
use super::super::keys::Source;
use super::*;
use crate::api::DESCRIPTOR_SET;
use crate::identity::authority::{Setup, TokenSetup};
use crate::identity::minting::{AUDIENCE, ISSUER, Mint};
use crate::identity::policy::{METHODS, Role};

/// A service that counts what reaches it.
#[derive(Clone, Default)]
struct Reached(Arc<AtomicUsize>);

impl Service<Request<Body>> for Reached {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        self.0.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Ok(Status::ok("").into_http()))
    }
}

/// What became of a call: reached its service, or the code and reason.
async fn told(gate: &Gate, request: Request<Body>) -> String {
    let reached = Reached::default();
    let mut service = AuthLayer(gate.clone()).layer(reached.clone());
    let response = service.call(request).await.unwrap();
    if reached.0.load(Ordering::Relaxed) == 1 {
        return "reached".to_owned();
    }
    let status = Status::from_header_map(response.headers()).unwrap();
    let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    match status.code() {
        Code::Unimplemented => "UNIMPLEMENTED".to_owned(),
        _ => reason,
    }
}

fn leaf(uri: &str) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

/// A listener, as a call that came over it shows it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Listener {
    Loopback,
    Plaintext,
    Proxied,
    Mutual,
}

/// A caller, by what it may do.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Who {
    Anonymous,
    Bad,
    None,
    Only(Role),
    All,
}

impl Who {
    fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Bad => "bad",
            Self::None => "none",
            Self::Only(role) => Role::ALL.iter().find(|(_, other)| *other == role).unwrap().0,
            Self::All => "all",
        }
    }
}

fn people() -> Vec<Who> {
    let mut all = vec![Who::Anonymous, Who::Bad, Who::None, Who::All];
    all.extend(Role::ALL.iter().map(|(_, role)| Who::Only(*role)));
    all
}

struct House {
    gate: Gate,
    mint: Mint,
    file: tempfile::NamedTempFile,
}

impl House {
    async fn new() -> Self {
        let mint = Mint::new();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(mint.set().to_string().as_bytes()).unwrap();
        let keys = Keys::start(Source::File(file.path().to_owned()), Duration::from_hours(1)).await.unwrap();
        let names = Role::ALL.iter().map(|(name, _)| ((*name).to_owned(), (*name).to_owned()));
        let every = Role::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" ");
        let grants = names.chain([("all".to_owned(), every)]).flat_map(|(name, roles)| {
            [format!("spiffe://example.org/{name} = {roles}"), format!("{ISSUER}#{name} = {roles}")]
        });
        let setup = Setup {
            tokens: Some(TokenSetup {
                issuer: ISSUER.to_owned(),
                audience: AUDIENCE.to_owned(),
                algorithms: vec!["ES256".to_owned()],
                types: vec!["jwt".to_owned()],
                roles_claim: None,
            }),
            trust_domains: vec!["example.org".to_owned()],
            trusted_proxies: vec!["10.0.0.0/8".to_owned()],
            grants: grants.collect(),
        };
        Self { gate: Gate::new(Authority::new(&setup).unwrap(), Some(keys)), mint, file }
    }

    fn token(&self, subject: &str, kid: &str) -> String {
        let now = Timestamp::now().as_second();
        let claims = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "exp": now + 60}).to_string();
        self.mint.token("ES256", &json!({"alg": "ES256", "kid": kid}).to_string(), &claims)
    }

    /// A call of a path as this one makes it over this listener.
    fn call(&self, path: &str, who: Who, listener: Listener) -> Request<Body> {
        let mut call = Request::builder().uri(path);
        let id = format!("spiffe://example.org/{}", who.name());
        let mut certificates = Vec::new();
        match (listener, who) {
            (_, Who::Anonymous) => {}
            (Listener::Loopback | Listener::Plaintext, Who::Bad) => call = call.header(AUTHORIZATION, "Bearer bad"),
            (Listener::Loopback | Listener::Plaintext, who) => {
                call = call.header(AUTHORIZATION, format!("Bearer {}", self.token(who.name(), "p256")));
            }
            (Listener::Proxied, Who::Bad) => call = call.header(FORWARDED, "bad"),
            (Listener::Proxied, _) => call = call.header(FORWARDED, format!("By=x;URI={id}")),
            (Listener::Mutual, Who::Bad) => certificates.push(b"bad".to_vec()),
            (Listener::Mutual, _) => certificates.push(leaf(&id)),
        }
        let address: SocketAddr = match listener {
            Listener::Loopback => "127.0.0.1:4711",
            Listener::Plaintext | Listener::Mutual => "192.0.2.7:4711",
            Listener::Proxied => "10.1.2.3:4711",
        }
        .parse()
        .unwrap();
        let tls = listener == Listener::Mutual;
        call.extension(Peer { address: Some(address), certificates: Arc::from(certificates), tls })
            .body(Body::empty())
            .unwrap()
    }
}

/// Every path of the contract, by its descriptor.
fn described() -> BTreeSet<String> {
    let mut pool = DescriptorPool::decode(DESCRIPTOR_SET).unwrap();
    pool.decode_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET).unwrap();
    let all = pool.services().flat_map(|service| {
        let name = service.full_name().to_owned();
        service.methods().map(|method| format!("{name}/{}", method.name())).collect::<Vec<_>>()
    });
    all.collect()
}

#[test]
fn the_policy_has_every_method_and_no_other() {
    let listed: BTreeSet<String> = METHODS.iter().map(|(method, _)| (*method).to_owned()).collect();
    assert_eq!(listed.len(), METHODS.len());
    let observed: BTreeSet<String> = CALLED.iter().map(|(method, ..)| (*method).to_owned()).collect();
    assert_eq!(listed, observed);
    let here: BTreeSet<String> = listed.into_iter().filter(|method| !method.starts_with("grpc.reflection.")).collect();
    assert_eq!(here, described());
}

#[tokio::test]
async fn every_method_is_for_whom_the_table_says_over_every_listener() {
    let house = House::new().await;
    let mut cells = 0;
    for (method, need) in METHODS {
        for who in people() {
            let path = format!("/{method}");
            for listener in [Listener::Loopback, Listener::Plaintext, Listener::Proxied, Listener::Mutual] {
                let wanted = match (need, who) {
                    (Need::Nothing, _) => "reached",
                    (_, Who::Anonymous) => "CREDENTIALS_MISSING",
                    (_, Who::Bad) => "CREDENTIALS_INVALID",
                    (Need::Name, _) | (_, Who::All) => "reached",
                    (Need::Role(role), Who::Only(has)) if *role == has => "reached",
                    (Need::Role(_), _) => "NOT_PERMITTED",
                };
                let call = house.call(&path, who, listener);
                assert_eq!(told(&house.gate, call).await, wanted, "{method} {who:?} {listener:?}");
                // Without authentication everyone may, as anonymous.
                assert_eq!(told(&Gate::open(), house.call(&path, who, listener)).await, "reached");
                cells += 2;
            }
        }
    }
    assert_eq!(cells, METHODS.len() * 8 * 4 * 2);
}

#[tokio::test]
async fn a_variant_of_a_path_never_reaches_a_service() {
    let house = House::new().await;
    for (method, need) in METHODS {
        let path = format!("/{method}");
        for variant in [
            format!("/{path}"),
            format!("{path}/"),
            format!("{path}//"),
            format!("/{}", method.replace('/', "%2f")),
            format!("/{}", method.replace('/', "//")),
            path.to_lowercase(),
            path.to_uppercase(),
            format!("/.{path}"),
            format!("/x/..{path}"),
            format!("{path}%20"),
            format!("{path};x"),
            path.replacen('v', "%76", 1),
            "/".to_owned(),
            "/concord.v1.DecisionService/Evaluate2".to_owned(),
        ] {
            for (who, wanted) in [(Who::All, "NOT_PERMITTED"), (Who::Anonymous, "CREDENTIALS_MISSING")] {
                let call = house.call(&variant, who, Listener::Plaintext);
                assert_eq!(told(&house.gate, call).await, wanted, "{variant}");
            }
            let call = house.call(&variant, Who::All, Listener::Loopback);
            assert_eq!(told(&Gate::open(), call).await, "UNIMPLEMENTED", "{variant}");
        }
        // What follows a question mark is no part of the path: the method is matched, and asks what it asks.
        if *need != Need::Nothing {
            let query = format!("{path}?x=/grpc.health.v1.Health/Check");
            let call = house.call(&query, Who::None, Listener::Plaintext);
            let wanted = if *need == Need::Name { "reached" } else { "NOT_PERMITTED" };
            assert_eq!(told(&house.gate, call).await, wanted, "{query}");
        }
    }
}

#[tokio::test]
async fn the_facts_of_a_call_have_the_name_that_was_proved() {
    let house = House::new().await;
    let path = "/concord.v1.AuditService/GetDecision";
    for (who, wanted) in [
        (Who::Anonymous, "anonymous@192.0.2.7"),
        (Who::Bad, "anonymous@192.0.2.7"),
        (Who::None, "https://issuer.example.org#none"),
        (Who::All, "https://issuer.example.org#all"),
    ] {
        let mut call = house.call(path, who, Listener::Plaintext);
        let facts = CallFacts { caller: "anonymous@192.0.2.7".to_owned(), ..CallFacts::of(&http::Extensions::new()) };
        call.extensions_mut().insert(facts.clone());
        told(&house.gate, call).await;
        assert_eq!(facts.caller(), wanted, "{who:?}");
    }
}

#[tokio::test]
async fn a_key_that_is_not_known_is_looked_for_once() {
    let house = House::new().await;
    let path = "/concord.v1.DecisionService/Evaluate";
    let ask = async |kid: &str| {
        let call = Request::builder().uri(path).header(AUTHORIZATION, format!("Bearer {}", house.token("all", kid)));
        told(&house.gate, call.body(Body::empty()).unwrap()).await
    };
    assert_eq!(ask("p256").await, "reached");
    let mut set = house.mint.set();
    set["keys"][2]["kid"] = json!("new");
    std::fs::write(house.file.path(), set.to_string()).unwrap();
    assert_eq!(ask("new").await, "reached");
    assert_eq!(ask("p256").await, "CREDENTIALS_INVALID");
    // Callers who make up names of keys don't have the set read for each.
    set["keys"][2]["kid"] = json!("newer");
    std::fs::write(house.file.path(), set.to_string()).unwrap();
    assert_eq!(ask("newer").await, "CREDENTIALS_INVALID");
}
