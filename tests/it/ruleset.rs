//! What the service says of the active package, and of one to be checked.

use concord::api::proto::evaluate_request::Explain;
use concord::api::proto::ruleset_diagnostic::Level;
use concord::api::proto::ruleset_service_client::RulesetServiceClient;
use concord::api::proto::{
    CheckRulesetRequest, CheckRulesetResponse, DataAttribute, EvaluateRequest, GetRuleRequest, RulesetFile,
};
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::bad_package::lines;
use crate::packages::{Package, digest, get, overlay, package};
use crate::server::{Server, fine};

fn candidate(package: &Package) -> CheckRulesetRequest {
    let file = |(name, text): &(String, String)| RulesetFile { path: name.clone(), content: text.clone().into_bytes() };
    CheckRulesetRequest { files: package.iter().map(file).collect(), overlay: Vec::new() }
}

async fn check(
    rules: &mut RulesetServiceClient<Channel>,
    request: CheckRulesetRequest,
) -> Result<CheckRulesetResponse, Status> {
    rules.check_ruleset(request).await.map(tonic::Response::into_inner)
}

fn shipped() -> Package {
    fn walk(dir: &std::path::Path, files: &mut Package) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("cases") {
                walk(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                let name = path.strip_prefix("rules").unwrap().to_string_lossy().into_owned();
                files.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut files = Vec::new();
    walk(std::path::Path::new("rules"), &mut files);
    files
}

#[tokio::test]
async fn a_candidate_is_checked_and_nothing_is_activated() {
    let server = Server::start(&[]);
    let channel = server.channel().await;
    let mut rules = RulesetServiceClient::new(channel.clone());
    let before = get(&mut rules).await;

    // The shipped package is larger than any other message may be.
    let shipped = shipped();
    let answer = check(&mut rules, candidate(&shipped)).await.unwrap();
    assert_eq!((answer.valid, &answer.ruleset, &answer.counts), (true, &before.ruleset, &before.counts));
    assert_eq!(answer.content_digest, digest(&shipped));

    let mut bad = package("beta", "2.0.0");
    bad[1].1.push_str("rulez: []\n");
    let answer = check(&mut rules, candidate(&bad)).await.unwrap();
    assert_eq!((answer.valid, answer.ruleset, answer.diagnostics.len()), (false, None, 1));
    let fault = &answer.diagnostics[0];
    assert_eq!((fault.level(), fault.code.as_str()), (Level::Error, "unknown-key"));
    assert_eq!((fault.file.as_str(), fault.line, fault.column), ("rules.yaml", 16, 1));
    assert_eq!((fault.end_line, fault.end_column), (16, 6));
    assert_eq!(
        (fault.message.as_str(), fault.help.as_str()),
        ("a package has no section `rulez`", "did you mean `rules`?")
    );

    let mut latin = candidate(&package("beta", "2.0.0"));
    latin.files[1].content = b"rules: \xe9".to_vec();
    let answer = check(&mut rules, latin).await.unwrap();
    assert_eq!((answer.diagnostics[0].code.as_str(), answer.diagnostics[0].file.as_str()), ("not-utf-8", "rules.yaml"));

    // With an overlay, whose own files are told apart from those of the package.
    let with = |version: &str, qtc: &str| {
        let overlay = candidate(&overlay(version, qtc)).files;
        CheckRulesetRequest { overlay, ..candidate(&package("beta", "2.0.0")) }
    };
    let answer = check(&mut rules, with("1.0.0", "480 ms")).await.unwrap();
    let laid = answer.ruleset.unwrap();
    assert_eq!((answer.valid, laid.overlay.unwrap().name.as_str()), (true, "north"));
    assert_ne!(answer.content_digest, digest(&package("beta", "2.0.0")));
    let answer = check(&mut rules, with("1.0.0", "900 ms")).await.unwrap();
    let fault = &answer.diagnostics[0];
    assert_eq!((answer.valid, fault.file.as_str(), fault.line), (false, "overlay/site.yaml", 2));
    let mut latin = with("1.0.0", "480 ms");
    latin.overlay[0].content.push(0xe9);
    let answer = check(&mut rules, latin).await.unwrap();
    let fault = &answer.diagnostics[0];
    assert_eq!((fault.code.as_str(), fault.file.as_str()), ("not-utf-8", "overlay/site.yaml"));

    let mut many = package("beta", "2.0.0");
    many[1].1 = lines(0..20_000, |n| format!("k{n}: 1"));
    let answer = check(&mut rules, candidate(&many)).await.unwrap();
    assert_eq!((answer.diagnostics.len(), answer.more_diagnostics), (500, 19_500));

    assert_eq!(get(&mut rules).await, before);
}

#[tokio::test]
async fn what_is_no_package_is_refused_by_field_and_size() {
    let server = Server::start(&["limits.ruleset_bytes=300000"]);
    let mut rules = RulesetServiceClient::new(server.channel().await);
    let mut odd = candidate(&package("beta", "2.0.0"));
    for path in ["../rules.yaml", "", "base.yaml", "rules.yml"] {
        odd.files.push(RulesetFile { path: path.to_owned(), content: Vec::new() });
    }
    let status = check(&mut rules, odd).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let named: Vec<_> = status.get_details_bad_request().unwrap().field_violations;
    let named: Vec<_> = named.iter().map(|one| (one.field.as_str(), one.reason.as_str())).collect();
    assert_eq!(
        named,
        [
            ("files[2].path", "FORMAT"),
            ("files[3].path", "REQUIRED"),
            ("files[4].path", "CONFLICT"),
            ("files[5].path", "FORMAT")
        ]
    );
    let status = check(&mut rules, candidate(&vec![("a.yaml".to_owned(), "#".repeat(300_000))])).await.unwrap_err();
    let reason = status.get_details_error_info().unwrap().reason;
    assert_eq!((status.code(), reason.as_str()), (Code::ResourceExhausted, "MESSAGE_TOO_LARGE"));
    // Every other call keeps its own limit.
    let long = GetRuleRequest { id: "a".repeat(290_000) };
    assert_eq!(rules.get_rule(long).await.unwrap_err().code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn one_package_is_checked_at_a_time_and_evaluations_go_on() {
    let server = Server::start(&[]);
    let channel = server.channel().await;
    let mut decisions = server.decisions().await;
    let mut checks = tokio::task::JoinSet::new();
    let request = candidate(&shipped());
    for _ in 0..8 {
        let (mut rules, request) = (RulesetServiceClient::new(channel.clone()), request.clone());
        checks.spawn(async move { check(&mut rules, request).await });
    }
    for _ in 0..20 {
        decisions.evaluate(EvaluateRequest { explain: Explain::Brief.into(), ..fine() }).await.unwrap();
    }
    let (mut valid, mut busy) = (0, 0);
    for outcome in checks.join_all().await {
        match outcome {
            Ok(answer) => valid += usize::from(answer.valid),
            Err(status) => {
                let reason = status.get_details_error_info().unwrap().reason;
                assert_eq!((status.code(), reason.as_str()), (Code::Unavailable, "CHECK_BUSY"));
                assert!(status.get_details_retry_info().is_some());
                busy += 1;
            }
        }
    }
    assert!(valid >= 1 && busy >= 1 && valid + busy == 8, "{valid} checked, {busy} refused");
}

#[tokio::test]
async fn the_source_attributes_are_those_of_the_compiled_rules() {
    let server = Server::start(&[]);
    let mut rules = RulesetServiceClient::new(server.channel().await);
    let now = get(&mut rules).await;
    let attributes = now.source_attributes.unwrap();
    assert_eq!(attributes.citations, now.sources);
    assert_eq!((&attributes.developer, &attributes.funding), (&now.developer, &now.funding));
    assert_eq!(attributes.released, now.released);
    let used: Vec<_> = attributes.uses.iter().map(|one| (one.attribute(), one.used)).collect();
    assert_eq!(
        used,
        [
            (DataAttribute::Race, false),
            (DataAttribute::Ethnicity, false),
            (DataAttribute::Language, false),
            (DataAttribute::SexualOrientation, false),
            (DataAttribute::GenderIdentity, false),
            (DataAttribute::Sex, true),
            (DataAttribute::DateOfBirth, true),
            (DataAttribute::SocialDeterminants, true),
            (DataAttribute::HealthStatusAssessment, true),
        ]
    );
    let by_age = attributes.uses[6].rules.first().unwrap().clone();
    let one = rules.get_rule(GetRuleRequest { id: by_age.clone() }).await.unwrap().into_inner();
    let of_rule = one.source_attributes.unwrap();
    assert_eq!(of_rule.citations, one.rule.unwrap().evidence);
    assert_eq!((of_rule.uses[6].used, &of_rule.uses[6].rules), (true, &vec![by_age]));
    assert!(!of_rule.uses[0].used);

    let (states, counts) = (now.review_states.unwrap(), now.counts.unwrap());
    assert_eq!(states.primary + states.secondary + states.unverified, counts.rules);
    let dated: usize = states.due.iter().map(|due| due.rules.len()).sum();
    assert_eq!(dated + states.without_date.len(), counts.rules as usize);
    assert_eq!(states.earliest_review_by, states.due.first().map(|due| due.review_by.clone()).unwrap_or_default());
    assert!(states.due.is_sorted_by_key(|due| due.review_by.clone()));
    assert_eq!(now.active_since.is_empty(), now.reload.is_none());
}
