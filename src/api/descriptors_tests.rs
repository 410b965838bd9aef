use std::collections::BTreeSet;

use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, MethodDescriptor, Value};

use super::*;

fn pool() -> DescriptorPool {
    DescriptorPool::decode(published().unwrap().as_slice()).unwrap()
}

/// Methods of `concord.v1`.
fn methods(pool: &DescriptorPool) -> Vec<MethodDescriptor> {
    let ours = pool.services().filter(|service| service.package_name() == "concord.v1");
    ours.flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

/// A way to a method over HTTP.
struct Binding {
    method: String,
    verb: String,
    path: String,
    body: String,
    request: MessageDescriptor,
}

fn text(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).unwrap().as_str().unwrap().to_owned()
}

/// The rule of a method, if it has one.
fn binding(pool: &DescriptorPool, method: &MethodDescriptor) -> Option<Binding> {
    let http = pool.get_extension_by_name("google.api.http").unwrap();
    assert_eq!(http.number(), 72_295_728, "the number is that of the public option");
    let options = method.options();
    if !options.has_extension(&http) {
        return None;
    }
    let rule = options.get_extension(&http);
    let Value::Message(rule) = rule.as_ref() else { panic!("{rule:?}") };
    let name = method.full_name().to_owned();
    let verbs: Vec<&str> = ["get", "put", "post", "delete", "patch", "custom"]
        .into_iter()
        .filter(|verb| rule.has_field_by_name(verb))
        .collect();
    assert_eq!(verbs.len(), 1, "{name} has one verb");
    for other in ["selector", "additional_bindings", "response_body"] {
        assert!(!rule.has_field_by_name(other), "{name}: {other}");
    }
    let (path, body) = (text(rule, verbs[0]), text(rule, "body"));
    Some(Binding { method: name, verb: verbs[0].to_owned(), path, body, request: method.input() })
}

fn bindings() -> Vec<Binding> {
    let pool = pool();
    methods(&pool).iter().filter_map(|method| binding(&pool, method)).collect()
}

/// Parts of a path, with the word after the colon as one more.
fn parts(path: &str) -> (Vec<String>, String) {
    let (path, custom) = path.rsplit_once(':').unwrap_or((path, ""));
    (path.split('/').skip(1).map(str::to_owned).collect(), custom.to_owned())
}

fn variable(part: &str) -> Option<&str> {
    part.strip_prefix('{').map(|rest| rest.strip_suffix('}').expect("a variable is a whole part"))
}

/// Is there a request that both take?
fn collide(left: &Binding, right: &Binding) -> bool {
    let ((ours, our_word), (theirs, their_word)) = (parts(&left.path), parts(&right.path));
    let same = |(one, other): (&String, &String)| one == other || variable(one).is_some() || variable(other).is_some();
    left.verb == right.verb
        && our_word == their_word
        && ours.len() == theirs.len()
        && ours.iter().zip(&theirs).all(same)
}

#[test]
fn the_published_set_says_what_a_caller_can_meet() {
    let pool = pool();
    let services: BTreeSet<String> = pool.services().map(|service| service.full_name().to_owned()).collect();
    let wanted = ["AuditService", "DecisionService", "RulesetService"].map(|name| format!("concord.v1.{name}"));
    assert!(wanted.iter().all(|name| services.contains(name)), "{services:?}");
    assert!(services.contains("grpc.health.v1.Health"));
    for detail in ["BadRequest", "ErrorInfo", "RetryInfo", "Status"] {
        assert!(pool.get_message_by_name(&format!("google.rpc.{detail}")).is_some(), "{detail}");
    }
    let names: Vec<String> = pool.files().map(|file| file.name().to_owned()).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "a file is there twice");
    let rules = pool.get_extension_by_name("concord.v1.rules").unwrap();
    let id = pool.get_message_by_name("concord.v1.GetRuleRequest").unwrap().get_field_by_name("id").unwrap();
    assert!(id.options().has_extension(&rules), "the options are lost");
}

#[test]
fn every_unary_method_has_one_http_rule_and_no_stream_has() {
    let pool = pool();
    let mut unary = 0;
    for method in methods(&pool) {
        let stream = method.is_client_streaming() || method.is_server_streaming();
        assert_eq!(binding(&pool, &method).is_none(), stream, "{}", method.full_name());
        unary += usize::from(!stream);
    }
    assert!(unary >= 12, "{unary}");
}

#[test]
fn http_rules_name_fields_that_can_be_said_there() {
    for Binding { method, verb, path, body, request } in bindings() {
        let word = method.rsplit('.').next().unwrap();
        let reads = word.starts_with("Get") || word.starts_with("List");
        assert_eq!(verb, if reads { "get" } else { "post" }, "{method}: a read is a GET, anything else is not");
        assert_eq!(body, if reads { "" } else { "*" }, "{method}: the body of a POST is the whole request");
        assert!(path.starts_with("/v1/") && path.is_ascii(), "{method}: {path}");
        let in_path: Vec<String> = parts(&path).0.iter().filter_map(|part| variable(part).map(str::to_owned)).collect();
        for name in &in_path {
            let field = request.get_field_by_name(name).unwrap_or_else(|| panic!("{method} has no field {name}"));
            assert!(field.kind() == Kind::String && !field.is_list(), "{method}: {name} stands in a path");
        }
        for field in request.fields().filter(|field| reads && !in_path.contains(&field.name().to_owned())) {
            let plain = !matches!(field.kind(), Kind::Message(_));
            assert!(plain, "{method}: {} can't be said in a query", field.name());
        }
    }
}

#[test]
fn no_two_http_rules_take_one_request() {
    let bindings = bindings();
    for (at, left) in bindings.iter().enumerate() {
        for right in &bindings[at + 1..] {
            assert!(!collide(left, right), "{} and {}", left.method, right.method);
        }
    }
    // The test itself: it must be able to fail.
    let one = |path: &str| Binding { path: path.to_owned(), ..copy(&bindings[0]) };
    assert!(collide(&one("/v1/decisions/{a}"), &one("/v1/decisions/{b}")));
    assert!(collide(&one("/v1/decisions/{a}"), &one("/v1/decisions/last")));
    assert!(!collide(&one("/v1/decisions/{a}:replay"), &one("/v1/decisions/{a}")));
}

fn copy(of: &Binding) -> Binding {
    Binding {
        method: of.method.clone(),
        verb: of.verb.clone(),
        path: of.path.clone(),
        body: of.body.clone(),
        request: of.request.clone(),
    }
}
