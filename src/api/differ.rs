//! What differs between two JSON values, by path. Entries of a list go by what
//! names them, so that one that comes or goes does not make all after it differ.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

/// A value that differs.
#[derive(Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where: `alerts[qtc-prolonged].severity`.
    pub path: String,
    /// Before, JSON; none: it was not there.
    pub before: Option<String>,
    /// After, JSON; none: it is not there.
    pub after: Option<String>,
}

// The values may be of a patient: they are printed nowhere but where that is meant.
impl fmt::Debug for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Difference({})", self.path)
    }
}

/// Members that name an entry of a list, the best first.
const NAMES: [&str; 8] = ["id", "code", "approach", "rule", "fact", "path", "source", "title"];

/// Everything that differs, in the order of the members. Empty exactly where the
/// values are equal.
#[must_use]
pub fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(&mut found, "", Some(before), Some(after));
    found
}

fn compare(found: &mut Vec<Difference>, path: &str, before: Option<&Value>, after: Option<&Value>) {
    match (before, after) {
        _ if before == after => {}
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for key in keys {
                let deeper = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(found, &deeper, before.get(key), after.get(key));
            }
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) => lists(found, path, before, after),
        _ => found.push(Difference { path: path.to_owned(), before: text(before), after: text(after) }),
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    value.map(ToString::to_string)
}

fn lists(found: &mut Vec<Difference>, path: &str, before: &[Value], after: &[Value]) {
    let Some((olds, news)) = names(before).zip(names(after)) else {
        let longest = before.len().max(after.len());
        for at in 0..longest {
            compare(found, &format!("{path}[{at}]"), before.get(at), after.get(at));
        }
        return;
    };
    let at = |names: &[String], list: &'_ [Value], name: &String| -> Option<Value> {
        let place = names.iter().position(|one| one == name)?;
        list.get(place).cloned()
    };
    let added = news.iter().filter(|name| !olds.contains(name));
    for name in olds.iter().chain(added) {
        let (old, new) = (at(&olds, before, name), at(&news, after, name));
        compare(found, &format!("{path}[{name}]"), old.as_ref(), new.as_ref());
    }
    let kept = |names: &[String], others: &[String]| -> Vec<String> {
        names.iter().filter(|name| others.contains(name)).cloned().collect()
    };
    let (old, new) = (kept(&olds, &news), kept(&news, &olds));
    if old != new {
        let order = |names: Vec<String>| Some(Value::from(names).to_string());
        found.push(Difference { path: format!("{path} (order)"), before: order(old), after: order(new) });
    }
}

/// What names each entry; none where one has no name, or two have the same.
fn names(list: &[Value]) -> Option<Vec<String>> {
    let names: Vec<String> = list.iter().map(name).collect::<Option<_>>()?;
    let distinct: BTreeSet<&String> = names.iter().collect();
    (distinct.len() == names.len()).then_some(names)
}

fn name(entry: &Value) -> Option<String> {
    match entry {
        Value::String(text) => Some(text.clone()),
        Value::Object(members) => {
            let own = word(members, &NAMES);
            let behind = || word(members.get("rationale")?.as_object()?, &NAMES);
            let name = own.or_else(behind)?;
            // One component may be spoken of with two actions, one rule with two kinds of finding.
            let apart = ["kind", "action", "place", "system"].iter().filter_map(|key| members.get(*key)?.as_str());
            Some(std::iter::once(name).chain(apart).collect::<Vec<_>>().join(" "))
        }
        _ => None,
    }
}

fn word<'a>(members: &'a Map<String, Value>, keys: &[&str]) -> Option<&'a str> {
    keys.iter().find_map(|key| members.get(*key)?.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(before: &Value, after: &Value) -> Vec<String> {
        let part = |part: Option<String>| part.unwrap_or_else(|| "-".to_owned());
        differences(before, after)
            .into_iter()
            .map(|one| format!("{}: {} > {}", one.path, part(one.before), part(one.after)))
            .collect()
    }

    #[test]
    fn entries_of_a_list_go_by_their_names() {
        let before = json!({"alerts": [{"id": "a", "severity": "HIGH"}, {"id": "b"}], "scope": "PRESENT"});
        let after = json!({"alerts": [{"id": "b", "possible": true}, {"id": "c"}], "scope": "PRESENT"});
        assert_eq!(
            told(&before, &after),
            [
                "alerts[a]: {\"id\":\"a\",\"severity\":\"HIGH\"} > -",
                "alerts[b].possible: - > true",
                "alerts[c]: - > {\"id\":\"c\"}",
            ]
        );
    }

    #[test]
    fn a_component_is_named_with_its_action_and_a_finding_by_its_rule() {
        let component = |standing: &str, statement: &str| {
            json!([
                {"code": "methadone", "action": "START", "standing": standing},
                {"code": "methadone", "action": "INCREASE",
                 "rationale": [{"kind": "caution", "rationale": {"rule": "qt", "statement": statement}}]},
            ])
        };
        assert_eq!(
            told(&component("CAUTION", "one"), &component("NONE", "two")),
            [
                "[methadone START].standing: \"CAUTION\" > \"NONE\"",
                "[methadone INCREASE].rationale[qt caution].rationale.statement: \"one\" > \"two\"",
            ]
        );
    }

    #[test]
    fn another_order_is_a_difference() {
        assert_eq!(
            told(&json!({"rules": ["a", "b", "c"]}), &json!({"rules": ["c", "a"]})),
            ["rules[b]: \"b\" > -", "rules (order): [\"a\",\"c\"] > [\"c\",\"a\"]"]
        );
    }

    #[test]
    fn entries_without_a_name_of_their_own_go_by_their_place() {
        assert_eq!(told(&json!([1, 2]), &json!([1, 3, 4])), ["[1]: 2 > 3", "[2]: - > 4"]);
        let twice = json!([{"id": "a", "x": 1}, {"id": "a", "x": 2}]);
        assert_eq!(told(&twice, &json!([{"id": "a", "x": 1}, {"id": "a", "x": 3}])), ["[1].x: 2 > 3"]);
        assert_eq!(told(&json!({"a": [1]}), &json!({"a": {"b": 1}})), ["a: [1] > {\"b\":1}"]);
    }

    #[test]
    fn equal_values_have_no_difference_and_others_have_one() {
        let values =
            [json!(null), json!([]), json!({}), json!([[]]), json!({"a": [{"id": "x"}]}), json!("a"), json!(1)];
        for (at, one) in values.iter().enumerate() {
            for (other_at, other) in values.iter().enumerate() {
                assert_eq!(differences(one, other).is_empty(), at == other_at, "{one} {other}");
            }
        }
    }
}
