//! Changes of what is written and decides nothing: texts, evidence, review
//! dates, titles.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::rule::model::Package;

/// Something whose wording changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `rule`, `component`, …
    pub kind: &'static str,
    /// Id.
    pub id: String,
    /// What of it: keys of the compiled package; `added` or `removed` alone.
    pub parts: Vec<String>,
}

/// What is written of a rule beside what decides.
const OF_RULES: &[&str] = &[
    "title",
    "status",
    "ask",
    "statement",
    "possible",
    "evidence",
    "strength",
    "verification",
    "active_because",
    "review_by",
    "follows",
];

/// A list of a package: its kind, where it stands, and the keys in question;
/// none: all of them.
type List = (&'static str, &'static [&'static str], Option<&'static [&'static str]>);

/// Every change of wording, by kind and id.
#[must_use]
pub fn changes(old: &Package, new: &Package) -> Vec<Change> {
    let mut changes = Vec::new();
    let sides = [old, new].map(|package| serde_json::to_value(package).unwrap_or_default());
    let lists: [List; 11] = [
        ("rule", &["rules"], Some(OF_RULES)),
        ("invariant", &["invariants"], None),
        ("component", &["components"], Some(&["title", "approaches", "listed_first"])),
        ("approach", &["approaches"], None),
        ("source", &["sources"], None),
        ("question", &["questions"], None),
        ("disagreement", &["disagreements"], None),
        ("event", &["vocabulary", "events"], Some(&["title", "ask"])),
        ("history", &["vocabulary", "history"], Some(&["title", "ask"])),
        ("plan", &["vocabulary", "plans"], Some(&["title", "ask"])),
        ("preference", &["vocabulary", "preferences"], Some(&["title", "ask"])),
    ];
    for (kind, path, keys) in lists {
        let [old, new] = sides.each_ref().map(|side| by_id(side, path));
        let ids: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for id in ids {
            let parts = match (old.get(id), new.get(id)) {
                (Some(old), Some(new)) => differing(old, new, keys),
                (None, _) => vec!["added".to_owned()],
                (_, None) => vec!["removed".to_owned()],
            };
            if !parts.is_empty() {
                changes.push(Change { kind, id: id.clone(), parts });
            }
        }
    }
    for (kind, titles) in [("concept", titles_of_concepts as fn(&Package) -> _), ("definition", titles_of_definitions)]
    {
        let (old, new): (BTreeMap<String, String>, BTreeMap<String, String>) = (titles(old), titles(new));
        let retitled = old.iter().filter(|(id, title)| new.get(*id).is_some_and(|other| other != *title));
        changes.extend(retitled.map(|(id, _)| Change { kind, id: id.clone(), parts: vec!["title".to_owned()] }));
    }
    // What an overlay disables and what it says of the formulary is told with answers.
    for (kind, key) in [("package", "meta"), ("overlay", "overlay")] {
        let empty = || Value::Object(serde_json::Map::new());
        let part = |side: &Value| side.get(key).filter(|part| part.is_object()).cloned().unwrap_or_else(empty);
        let [old, new] = sides.each_ref().map(part);
        let parts = differing(&old, &new, None);
        if !parts.is_empty() {
            changes.push(Change { kind, id: String::new(), parts });
        }
    }
    changes
}

fn titles_of_concepts(package: &Package) -> BTreeMap<String, String> {
    package.concepts.iter().map(|one| (one.def.id.clone(), one.def.title.clone())).collect()
}

fn titles_of_definitions(package: &Package) -> BTreeMap<String, String> {
    package.definitions.iter().map(|one| (one.id.value.clone(), one.title.clone())).collect()
}

fn by_id<'a>(side: &'a Value, path: &[&str]) -> BTreeMap<String, &'a Value> {
    let list = path.iter().try_fold(side, |value, key| value.get(key)).and_then(Value::as_array);
    let with_id = list.into_iter().flatten().filter_map(|one| Some((one.get("id")?.as_str()?.to_owned(), one)));
    with_id.collect()
}

/// The keys, of those in question, whose values differ.
fn differing(old: &Value, new: &Value, keys: Option<&[&str]>) -> Vec<String> {
    let (Some(old), Some(new)) = (old.as_object(), new.as_object()) else { return Vec::new() };
    let all: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let asked = all.into_iter().filter(|key| keys.is_none_or(|keys| keys.contains(&key.as_str())));
    asked.filter(|key| old.get(*key) != new.get(*key)).cloned().collect()
}
