use crate::diag::Files;
use crate::ruleset::{Checked, Sources, check_sources};

fn checked(definitions: &str) -> Checked {
    let base = include_str!("../../../tests/broken/base.yaml").to_owned();
    let more = format!("definitions:\n- {{id: d0, title: x, when: {{age: {{at_least: 18}}}}}}\n{definitions}");
    check_sources(
        Sources::from(Files::new(vec![("base.yaml".to_owned(), base), ("more.yaml".to_owned(), more)])),
        None,
        crate::ruleset::Depth::Errors,
    )
}

fn codes(definitions: &str) -> Vec<&'static str> {
    checked(definitions).diagnostics.iter().map(|one| one.code).collect()
}

fn chain(length: usize, when: impl Fn(usize) -> String) -> String {
    let one = |n: usize| format!("- {{id: d{n}, title: x, when: {}}}\n", when(n - 1));
    (1..=length).map(one).collect::<Vec<_>>().concat()
}

#[test]
fn a_pile_of_definitions_has_an_end() {
    assert_eq!(codes(&chain(31, |below| format!("{{not: d{below}}}"))), [""; 0]);
    assert_eq!(codes(&chain(32, |below| format!("{{not: d{below}}}"))), ["too-deep"]);
    // Neither does it take the stack.
    assert_eq!(codes(&chain(30_000, |below| format!("{{not: d{below}}}"))), ["too-deep"]);
}

#[test]
fn what_doubles_has_an_end() {
    let doubled = |length| codes(&chain(length, |below| format!("{{all: [d{below}, d{below}]}}")));
    assert_eq!(doubled(12), [""; 0]);
    assert_eq!(doubled(30), ["too-many-parts"]);
}

#[test]
fn pairs_of_names_are_counted() {
    let names = vec!["x"; 1_000].join(", ");
    let one = format!(
        "events: [{{id: x, title: x}}]\nsubstances: [{{id: x}}]\ndefinitions:\n\
         - {{id: d, title: x, when: {{event: [{names}], substance: [{names}]}}}}\n"
    );
    let head = include_str!("../../../tests/broken/base.yaml").to_owned();
    let files = Files::new(vec![("base.yaml".to_owned(), head), ("more.yaml".to_owned(), one)]);
    let found = check_sources(Sources::from(files), None, crate::ruleset::Depth::Errors);
    assert_eq!(found.diagnostics.iter().map(|one| one.code).collect::<Vec<_>>(), ["too-many-parts"]);
}
