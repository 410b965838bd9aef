use super::*;

fn grant(text: &str) -> Result<Grant, GrantFault> {
    Grant::parse(text)
}

#[test]
fn a_grant_says_who_and_what() {
    let roles = |names: &[Role]| names.iter().copied().collect::<Roles>();
    let both = roles(&[Role::Evaluate, Role::ReadRules]);
    for text in [
        "spiffe://example.org/ns/ehr = evaluate read-rules",
        "spiffe://example.org/ns/ehr=evaluate,read-rules",
        "spiffe://example.org/ns/ehr =  read-rules, evaluate evaluate ",
    ] {
        let id = SpiffeId::parse("spiffe://example.org/ns/ehr").unwrap();
        assert_eq!(grant(text), Ok(Grant { subject: Subject::Workload(id), roles: both }), "{text}");
    }
    let subject = |text: &str| grant(&format!("{text} = administer")).map(|grant| grant.subject);
    assert_eq!(subject("https://i.example.org#a=b"), Ok(Subject::Token("https://i.example.org#a=b".to_owned())));
    assert_eq!(subject("claim:system/X.c"), Ok(Subject::Claim("system/X.c".to_owned())));
    for (text, fault) in [
        ("", GrantFault::Form),
        ("spiffe://example.org/a", GrantFault::Form),
        ("spiffe://example.org/a =", GrantFault::Role),
        ("spiffe://example.org/a = all", GrantFault::Role),
        ("spiffe://example.org/a = Evaluate", GrantFault::Role),
        ("spiffe://example.org/a = evaluate;read-rules", GrantFault::Role),
        ("* = evaluate", GrantFault::Star),
        ("spiffe://* = evaluate", GrantFault::Id(SpiffeFault::Scheme)),
        ("spiffe://example.org/* = evaluate", GrantFault::Id(SpiffeFault::NoPath)),
        ("spiffe://*/a = evaluate", GrantFault::Star),
        ("spiffe://example.org/*/a = evaluate", GrantFault::Star),
        ("spiffe://example.org/a* = evaluate", GrantFault::Star),
        ("spiffe://example.org/a/** = evaluate", GrantFault::Star),
        ("spiffe://example.org/a/*/* = evaluate", GrantFault::Star),
        ("https://i.example.org#* = evaluate", GrantFault::Star),
        ("https://i.example.org#a/* = evaluate", GrantFault::Star),
        ("#a = evaluate", GrantFault::Subject),
        ("https://i.example.org# = evaluate", GrantFault::Subject),
        ("claim: = evaluate", GrantFault::Subject),
        ("anonymous = evaluate", GrantFault::Subject),
    ] {
        assert_eq!(grant(text), Err(fault), "{text}");
    }
}

#[test]
fn names_are_compared_to_the_byte_and_a_star_is_one_part() {
    let grants: Grants = [
        "spiffe://example.org/ns/ehr/* = evaluate",
        "spiffe://example.org/ns/ehr/orders = read-rules",
        "https://i.example.org#F11.20 = read-audit",
        "claim:admins = administer",
    ]
    .into_iter()
    .map(|text| grant(text).unwrap())
    .collect();
    let roles = |name: &str, marks: &[&str]| {
        let marks: Vec<String> = marks.iter().map(|mark| (*mark).to_owned()).collect();
        let found = grants.roles(name, &marks);
        Role::ALL.iter().filter(|(_, role)| found.has(*role)).map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(roles("spiffe://example.org/ns/ehr/orders", &[]), "evaluate read-rules");
    assert_eq!(roles("spiffe://example.org/ns/ehr/notes", &[]), "evaluate");
    assert_eq!(roles("https://i.example.org#F11.20", &["admins"]), "read-audit administer");
    for name in [
        "",
        "spiffe://example.org/ns/ehr",
        "spiffe://example.org/ns/ehr/",
        "spiffe://example.org/ns/ehr/orders/x",
        "spiffe://example.org/ns/ehr2/orders",
        "spiffe://example.org/ns/EHR/orders",
        "spiffe://example.com/ns/ehr/orders",
        "https://i.example.org#f11.20",
        "https://i.example.org#F11.200",
        "https://i.example.org/#F11.20",
        "claim:admins",
        "admins",
    ] {
        assert_eq!(roles(name, &["Admins", "admin", "admins "]), "", "{name}");
    }
}

#[test]
fn a_path_is_its_method_to_the_byte() {
    for (method, wanted) in METHODS {
        assert_eq!(need(&format!("/{method}")), Some(*wanted));
        let upper = method.to_uppercase();
        for other in [
            (*method).to_owned(),
            format!("//{method}"),
            format!("/{method}/"),
            format!("/{method}?x"),
            format!("/{method}#x"),
            format!("/{method}%00"),
            format!("/{method} "),
            format!("/./{method}"),
            format!("/x/../{method}"),
            format!("/{}", method.replace('/', "//")),
            format!("/{}", method.replace('/', "%2f")),
            format!("/{}", method.replace('/', "%2F")),
            format!("/{}", method.replace('/', "\\")),
            format!("/{}", method.replacen('v', "%76", 1)),
            format!("/{}", method.to_lowercase()),
            format!("/{upper}"),
            format!("/{}", method.trim_end_matches(char::is_alphabetic)),
            format!("/{method}s"),
        ] {
            assert_eq!(need(&other), None, "{other}");
        }
    }
    assert_eq!((need(""), need("/"), need("/concord.v1.DecisionService/")), (None, None, None));
}

#[test]
fn each_need_is_met_by_its_role_alone() {
    for (_, role) in Role::ALL {
        let caller = Caller { name: "spiffe://example.org/a".to_owned(), roles: [role].into_iter().collect() };
        for (_, other) in Role::ALL {
            assert_eq!(Need::Role(other).is_met(&caller), role == other);
        }
        assert!(Need::Nothing.is_met(&caller) && Need::Name.is_met(&caller));
    }
}
