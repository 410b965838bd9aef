//! The handbook: everything is in it, every link leads to one place, nothing of
//! a package becomes markup, and the same package gets the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::LazyLock;

use concord::handbook::{Exercise, Exercised, Handbook, html, markdown};
use concord::rule::truth::Truth;
use concord::ruleset::Ruleset;

use crate::cases::SHIPPED;

static EXERCISE: LazyLock<Exercise> = LazyLock::new(|| {
    let one = |case: &str, title: &str, truth| Exercised { case: case.into(), title: title.into(), truth };
    let rule = SHIPPED.package().rules[0].id.value.clone();
    let cases = vec![
        one("P 1", "first", Truth::True),
        one("P-1", "second", Truth::Unknown),
        one("P3", "<script>alert(3)</script> | *x*", Truth::True),
        one("P4", "fourth", Truth::False),
    ];
    Exercise { of: BTreeMap::from([(rule, cases)]) }
});

static BOOK: LazyLock<Handbook> = LazyLock::new(|| Handbook::of(&SHIPPED, &EXERCISE));
static HTML: LazyLock<String> = LazyLock::new(|| html::render(&BOOK));
static MARKDOWN: LazyLock<String> = LazyLock::new(|| markdown::render(&BOOK));

/// A tag: its name and its attributes, values as written.
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn get(&self, name: &str) -> Option<String> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| {
            value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
        })
    }
}

/// The opening tags of a page, style and script apart. Reads what the renderer
/// writes and panics on all else: an attribute without quotes, a stray `<`, an
/// element that is not closed in its turn.
fn tags(page: &str) -> Vec<Tag> {
    const VOID: [&str; 3] = ["meta", "input", "br"];
    let (mut found, mut open, mut rest) = (Vec::new(), Vec::<String>::new(), page);
    while let Some((_, after)) = rest.split_once('<') {
        let mut end = 0;
        let mut quoted = false;
        for (at, letter) in after.char_indices() {
            quoted ^= letter == '"';
            if letter == '>' && !quoted {
                end = at;
                break;
            }
        }
        let inside = &after[..end];
        rest = &after[end + 1..];
        if inside.starts_with('!') {
            continue;
        }
        if let Some(name) = inside.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "elements are closed in their turn");
            continue;
        }
        let (name, mut left) = inside.split_once(' ').unwrap_or((inside, ""));
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric()), "a stray `<` before `{inside}`");
        let mut attributes = Vec::new();
        while !left.trim().is_empty() {
            let bare = left.trim_start().split([' ', '=']).next().expect("a name").to_owned();
            left = &left.trim_start()[bare.len()..];
            let mut value = String::new();
            if let Some(after) = left.strip_prefix("=\"") {
                let (inner, behind) = after.split_once('"').expect("a closing quote");
                inner.clone_into(&mut value);
                left = behind;
            }
            assert!(attributes.iter().all(|(known, _)| *known != bare), "`{bare}` twice in `{inside}`");
            attributes.push((bare, value));
        }
        if name == "style" || name == "script" {
            let close = format!("</{name}>");
            rest = rest.split_once(close.as_str()).expect("a closed element").1;
        } else if !VOID.contains(&name) {
            open.push(name.to_owned());
        }
        found.push(Tag { name: name.to_owned(), attributes });
    }
    assert!(open.is_empty(), "left open: {open:?}");
    found
}

fn ids(tags: &[Tag]) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for id in tags.iter().filter_map(|tag| tag.get("id")) {
        assert!(!id.is_empty() && !id.contains(char::is_whitespace), "`{id}` is no id");
        assert!(ids.insert(id.clone()), "the id `{id}` stands twice");
    }
    ids
}

/// Links of the Markdown: what stands between `](` and `)`, where no backslash
/// takes the bracket's meaning, and addresses between `<` and `>`.
fn markdown_links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("](").filter(|(at, _)| !text[..*at].ends_with('\\')) {
        found.push(text[at + 2..].split(')').next().unwrap_or_default().to_owned());
    }
    for after in text.split("<https").skip(1) {
        found.push(format!("https{}", after.split('>').next().unwrap_or_default()));
    }
    let bare = "an address outside `<` and `>`, of which GitHub makes a link";
    assert_eq!(text.matches("://").count(), text.matches("<https://").count(), "{bare}");
    found
}

fn markdown_ids(text: &str) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for after in text.split("<a id=\"").skip(1) {
        let id = after.split('"').next().unwrap_or_default().to_owned();
        assert!(ids.insert(id.clone()), "the id `{id}` stands twice");
    }
    ids
}

fn source_urls() -> BTreeSet<String> {
    SHIPPED.package().sources.iter().map(|source| source.url.clone()).filter(|url| !url.is_empty()).collect()
}

/// Everything of the package that has a place, with its id.
fn places() -> Vec<String> {
    let package = SHIPPED.package();
    let mut places: Vec<String> = Vec::new();
    places.extend(package.rules.iter().map(|one| format!("rule-{}", one.id.value)));
    places.extend(package.definitions.iter().map(|one| format!("definition-{}", one.id.value)));
    places.extend(package.concepts.iter().map(|one| format!("concept-{}", one.def.id)));
    places.extend(package.sources.iter().map(|one| format!("source-{}", one.id.value)));
    places.extend(package.components.iter().map(|one| format!("component-{}", one.id.value)));
    places.extend(package.parameters.iter().map(|one| format!("parameter-{}", one.id.value)));
    places.extend(package.rules.iter().flat_map(|one| &one.follows).map(|name| format!("brief-{}", name.value)));
    places
}

#[test]
fn every_link_of_the_html_leads_to_one_place_or_to_a_source() {
    let tags = tags(&HTML);
    let ids = ids(&tags);
    let mut away = BTreeSet::new();
    let mut inner = 0;
    for href in tags.iter().filter_map(|tag| tag.get("href")) {
        if let Some(place) = href.strip_prefix('#') {
            assert!(ids.contains(place), "nothing is at `#{place}`");
            inner += 1;
        } else {
            assert!(href.starts_with("https://"), "`{href}` is not https");
            away.insert(href);
        }
    }
    assert!(inner > 3_000, "{inner} links");
    assert_eq!(away, source_urls(), "the links out of the book are those of the sources");
    for label in tags.iter().filter_map(|tag| tag.get("aria-labelledby").or_else(|| tag.get("for"))) {
        assert!(ids.contains(&label), "nothing is at `{label}`");
    }
}

#[test]
fn every_link_of_the_markdown_leads_to_one_place_or_to_a_source() {
    let ids = markdown_ids(&MARKDOWN);
    let mut away = BTreeSet::new();
    for link in markdown_links(&MARKDOWN) {
        match link.strip_prefix('#') {
            Some(place) => assert!(ids.contains(place), "nothing is at `#{place}`"),
            None => {
                away.insert(link);
            }
        }
    }
    assert_eq!(away, source_urls(), "the links out of the book are those of the sources");
}

#[test]
fn everything_of_the_package_is_in_both_forms() {
    let (html, markdown) = (ids(&tags(&HTML)), markdown_ids(&MARKDOWN));
    for place in places() {
        assert!(html.contains(&place), "`{place}` is not in the HTML");
        assert!(markdown.contains(&place), "`{place}` is not in the Markdown");
    }
    for (form, text) in [("HTML", &*HTML), ("Markdown", &*MARKDOWN)] {
        for said in [SHIPPED.digest(), "Clinical review: NONE", "Safety notice", "Use of gender identity"] {
            assert!(text.contains(said), "the {form} does not say `{said}`");
        }
    }
}

#[test]
fn the_html_needs_nothing_else() {
    for tag in tags(&HTML) {
        assert!(!["link", "img", "iframe", "object", "embed", "base", "form"].contains(&tag.name.as_str()));
        assert!(tag.get("src").is_none());
        for (name, _) in &tag.attributes {
            assert!(!name.starts_with("on"), "{name} on {}", tag.name);
        }
    }
    assert!(!HTML.contains("url("), "the style fetches something");
    assert!(HTML.len() < 5_000_000, "{} bytes", HTML.len());
}

#[test]
fn the_same_package_gets_the_same_bytes() {
    let again = Ruleset::embedded().expect("the shipped package checks");
    let again = Handbook::of(&again, &EXERCISE);
    assert!(html::render(&again) == *HTML);
    assert!(markdown::render(&again) == *MARKDOWN);
}

#[test]
fn cases_stand_with_the_rule_they_exercise() {
    let rule = SHIPPED.package().rules[0].id.value.as_str();
    let at = |text: &'static str, place: String| text.split_once(&place).expect("the rule").1;
    let html = at(&HTML, format!("id=\"rule-{rule}\""));
    for said in ["<b>Fires in 2</b> of 4 cases", "href=\"#case-P-1\"", "Undecided in 1", "Silent in 1"] {
        assert!(html.split("</article>").next().expect("the article").contains(said), "{said}");
    }
    // `P 1` and `P-1` are two places.
    assert!(ids(&tags(&HTML)).is_superset(&["case-P-1", "case-P-1--2"].map(str::to_owned).into()));
    let markdown = at(&MARKDOWN, format!("<a id=\"rule-{rule}\">"));
    assert!(markdown.split("\n#### ").nth(1).expect("the rule").contains("of 4 cases: fires in 2"));
    let none = html::render(&Handbook::of(&SHIPPED, &Exercise::default()));
    assert!(none.contains("none were evaluated for this book") && !none.contains("id=\"chapter-cases\""));
}

const HOSTILE: &str = r#"
package: {name: p, version: "1", title: "<script>alert(1)</script> & co", developer: "<b>d", funding: "*f*", released: 2026-01-01}
parameters: [{id: low, title: "a <i>bound", type: integer, value: 5}]
sources:
- {id: s, title: "</style><img src=x onerror=alert(1)>", publisher: "a | b", year: 2020, url: "https://a.org/?q=%22&x=1"}
- {id: t, title: "[link](https://evil.org)", publisher: "`code`", url: "javascript:alert(1)"}
approaches: [{id: a, title: "A <u>pproach"}]
components: [{id: c, title: "\"c\" <component>", approaches: [a]}]
concepts:
- {id: d, kind: diagnosis, title: "d <x", icd-10-cm: [F11.20]}
- {id: o, kind: observation, title: "o {score}", local: [phq-9], unit: "{score}", source_attribute: health-status-assessment}
history: [{id: h, title: "h <script>"}]
definitions: [{id: def, title: "def <b>", when: {history: h}}]
scope: {present: def, possible: def, in_remission: def}
rules:
- id: r
  title: "<script>alert('r')</script>"
  contraindicate: {component: c, action: [start, continue, increase]}
  when: {all: [def, {observation: o, at_least: $low, as: x}]}
  unknown: verify
  ask: "<b>ask</b>"
  statement: "1. value {x.value} on {x.date + 10 days}: <script>alert(2)</script> | *no*"
  evidence: [{source: s, place: "p <i>"}, {source: t, place: "q"}]
  strength: "_strong_ <s>"
- id: draft
  title: "a draft"
  status: draft
  consider: c
  when: {at_least: 2, of: [def, {diagnosis: d}, {not: def}]}
  statement: "none"
  evidence: [{source: s, place: p}]
  strength: none
  verification: primary
"#;

#[test]
fn what_a_package_says_never_becomes_markup() {
    let ruleset =
        Ruleset::from_files(vec![("p.yaml".into(), HOSTILE.into())]).unwrap_or_else(|error| panic!("{error}"));
    let book = Handbook::of(&ruleset, &Exercise::default());
    let page = html::render(&book);
    let known = tags(&page);
    assert_eq!(known.iter().filter(|tag| tag.name == "script").count(), 1);
    assert!(known.iter().all(|tag| !["img", "i", "u", "s", "component"].contains(&tag.name.as_str())));
    assert!(page.contains("&lt;script&gt;alert('r')&lt;/script&gt;"));
    let away: BTreeSet<String> =
        known.iter().filter_map(|tag| tag.get("href")).filter(|href| !href.starts_with('#')).collect();
    assert_eq!(away, ["https://a.org/?q=%22&x=1".to_owned()].into());
    let text = markdown::render(&book);
    for tag in text.split('<').skip(1) {
        let known =
            ["a id=", "/a>", "code>", "/code>", "details>", "/details>", "summary>", "/summary>", "https://a.org/"];
        assert!(known.iter().any(|known| tag.starts_with(known)), "<{}", &tag[..tag.len().min(40)]);
    }
    assert!(markdown_links(&text).iter().all(|link| link.starts_with('#') || link == "https://a.org/?q=%22&x=1"));
}

#[test]
fn a_rule_reads_as_it_is_written() {
    let ruleset =
        Ruleset::from_files(vec![("p.yaml".into(), HOSTILE.into())]).unwrap_or_else(|error| panic!("{error}"));
    let text = markdown::render(&Handbook::of(&ruleset, &Exercise::default()));
    let rule = |id: &str| {
        let rest = text.split_once(&format!("<a id=\"rule-{id}\">")).expect("the rule").1;
        rest.split("\n<a id=").next().expect("its end").to_owned()
    };
    insta::assert_snapshot!("handbook_rule", rule("r"));
    insta::assert_snapshot!("handbook_draft", rule("draft"));
}

#[test]
fn the_command_writes_both_forms() {
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_concord")).args(["rules", "docs"]).args(arguments).output();
        output.expect("concord runs")
    };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("book.html");
    let written = run(&["rules", "--out", file.to_str().expect("UTF-8")]);
    assert!(written.status.success() && written.stdout.is_empty(), "{written:?}");
    let page = std::fs::read_to_string(&file).expect("the book");
    let tags = tags(&page);
    let ids = ids(&tags);
    assert!(ids.contains("chapter-cases"), "the cases beside the package exercise it");
    assert!(
        tags.iter()
            .filter_map(|tag| tag.get("href"))
            .all(|href| { href.strip_prefix('#').is_none_or(|place| ids.contains(place)) })
    );
    let embedded = run(&["--format", "markdown"]);
    assert!(embedded.status.success());
    assert!(String::from_utf8(embedded.stdout).expect("UTF-8").starts_with("# Opioid use disorder"));
    assert_eq!(run(&["nowhere"]).status.code(), Some(2));
    assert_eq!(run(&["--rules", "rules", "rules"]).status.code(), Some(2));
}
