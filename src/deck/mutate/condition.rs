//! Mutants of a condition: one group, clause or fact changed.

use crate::diag::Span;
use crate::rule::check::{parts, walk};
use crate::rule::model::{Condition, Fact, FactTest, Package, Spanned};

use super::Operator;
use super::fact;

/// A change of a condition, and the condition with it.
pub(super) struct Changed {
    pub(super) operator: Operator,
    pub(super) span: Span,
    pub(super) change: String,
    pub(super) condition: Spanned<Condition>,
}

/// Every mutant of a condition. `source` is the text of a place.
pub(super) fn mutants(package: &Package, root: &Spanned<Condition>, source: &dyn Fn(Span) -> String) -> Vec<Changed> {
    let mut found = Vec::new();
    groups(root, root, &mut Vec::new(), false, &mut found);
    facts(package, root, source, &mut found);
    found
}

fn groups(
    root: &Spanned<Condition>,
    here: &Spanned<Condition>,
    path: &mut Vec<usize>,
    known: bool,
    found: &mut Vec<Changed>,
) {
    for (operator, change, condition) in local(&here.value, known) {
        let condition = Spanned::new(condition, here.span);
        found.push(Changed { operator, span: here.span, change, condition: replaced(root, path, &condition) });
    }
    let known = known || matches!(here.value, Condition::Known(_) | Condition::Unknown(_));
    for (at, part) in parts(&here.value).into_iter().enumerate() {
        path.push(at);
        groups(root, part, path, known, found);
        path.pop();
    }
}

/// What is known of a condition is known of its negation: below `known` there
/// is nothing to negate.
fn local(condition: &Condition, known: bool) -> Vec<(Operator, String, Condition)> {
    let mut found = Vec::new();
    let spanned = |condition: &Condition| Box::new(Spanned::new(condition.clone(), Span::default()));
    match condition {
        Condition::All(list) => dropped(list, Condition::All, &mut found),
        Condition::Any(list) => dropped(list, Condition::Any, &mut found),
        Condition::None(list) => dropped(list, Condition::None, &mut found),
        Condition::AtLeast(count, list) => dropped(list, |list| Condition::AtLeast(*count, list), &mut found),
        _ => {}
    }
    match condition {
        Condition::All(list) if list.len() > 1 => {
            found.push((Operator::Group, "`all` made `any`".to_owned(), Condition::Any(list.clone())));
        }
        Condition::Any(list) if list.len() > 1 => {
            found.push((Operator::Group, "`any` made `all`".to_owned(), Condition::All(list.clone())));
        }
        Condition::None(list) if list.len() > 1 => {
            let all = Condition::Not(spanned(&Condition::All(list.clone())));
            found.push((Operator::Group, "`none` made `not all`".to_owned(), all));
        }
        Condition::AtLeast(count, list) => {
            let most = u32::try_from(list.len()).unwrap_or(u32::MAX);
            for other in [count.saturating_sub(1), count.saturating_add(1)] {
                if (1..=most).contains(&other) {
                    let change = format!("at least {count} made at least {other}");
                    found.push((Operator::Group, change, Condition::AtLeast(other, list.clone())));
                }
            }
        }
        Condition::Known(part) => {
            found.push((Operator::Group, "`known` made `unknown`".to_owned(), Condition::Unknown(part.clone())));
        }
        Condition::Unknown(part) => {
            found.push((Operator::Group, "`unknown` made `known`".to_owned(), Condition::Known(part.clone())));
        }
        Condition::Definition(_) | Condition::Proposed(_) | Condition::Offered(_) | Condition::Fact(_) if !known => {
            found.push((Operator::Negation, "negated".to_owned(), Condition::Not(spanned(condition))));
        }
        _ => {}
    }
    found
}

type Parts = Vec<Spanned<Condition>>;

fn dropped(list: &Parts, make: impl Fn(Parts) -> Condition, found: &mut Vec<(Operator, String, Condition)>) {
    if list.len() < 2 {
        return;
    }
    for at in 0..list.len() {
        let mut rest = list.clone();
        rest.remove(at);
        found.push((Operator::Clause, format!("part {} of {} dropped", at.saturating_add(1), list.len()), make(rest)));
    }
}

/// The condition with another part at the end of a path.
fn replaced(root: &Spanned<Condition>, path: &[usize], with: &Spanned<Condition>) -> Spanned<Condition> {
    let Some((first, rest)) = path.split_first() else { return with.clone() };
    let mut at = 0_usize;
    let mut put = |part: &Spanned<Condition>| {
        let here = at == *first;
        at = at.saturating_add(1);
        if here { replaced(part, rest, with) } else { part.clone() }
    };
    Spanned::new(rebuilt(&root.value, &mut put), root.span)
}

fn rebuilt(condition: &Condition, part: &mut dyn FnMut(&Spanned<Condition>) -> Spanned<Condition>) -> Condition {
    let mut each = |list: &Parts| list.iter().map(&mut *part).collect::<Parts>();
    match condition {
        Condition::All(list) => Condition::All(each(list)),
        Condition::Any(list) => Condition::Any(each(list)),
        Condition::None(list) => Condition::None(each(list)),
        Condition::AtLeast(count, list) => Condition::AtLeast(*count, each(list)),
        Condition::Not(one) => Condition::Not(Box::new(part(one))),
        Condition::Known(one) => Condition::Known(Box::new(part(one))),
        Condition::Unknown(one) => Condition::Unknown(Box::new(part(one))),
        Condition::Implies(first, then) => Condition::Implies(Box::new(part(first)), Box::new(part(then))),
        Condition::Xor(first, second) => Condition::Xor(Box::new(part(first)), Box::new(part(second))),
        leaf => leaf.clone(),
    }
}

/// A fact that a condition repeats (`known: X` beside `X`) is changed wherever
/// it stands: changed in one place only, it would not be the same question.
fn facts(package: &Package, root: &Spanned<Condition>, source: &dyn Fn(Span) -> String, found: &mut Vec<Changed>) {
    let mut seen: Vec<(String, FactTest, Span, bool)> = Vec::new();
    let mut tested = Vec::new();
    outside_known(root, &mut tested);
    walk(root, &mut |test, span| {
        let key = key(&test.fact);
        if !seen.iter().any(|(known, ..)| *known == key) {
            let tested = tested.contains(&key);
            seen.push((key, test.clone(), span, tested));
        }
    });
    for (key, test, span, tested) in seen {
        for (operator, change, fact) in fact::mutants(package, &test.fact, &source(span)) {
            // Whether a number is known does not hang on what it is compared with.
            if operator == Operator::Threshold && !tested {
                continue;
            }
            found.push(Changed { operator, span, change, condition: substituted(root, &key, &fact) });
        }
    }
}

/// A fact without its places.
fn key(fact: &Fact) -> String {
    serde_json::to_string(fact).unwrap_or_default()
}

fn outside_known(condition: &Spanned<Condition>, found: &mut Vec<String>) {
    match &condition.value {
        Condition::Known(_) | Condition::Unknown(_) => {}
        Condition::Fact(test) => found.push(key(&test.fact)),
        other => parts(other).into_iter().for_each(|part| outside_known(part, found)),
    }
}

fn substituted(condition: &Spanned<Condition>, wanted: &str, with: &Fact) -> Spanned<Condition> {
    let value = match &condition.value {
        Condition::Fact(test) if key(&test.fact) == wanted => {
            Condition::Fact(FactTest { fact: with.clone(), ..test.clone() })
        }
        other => rebuilt(other, &mut |part| substituted(part, wanted, with)),
    };
    Spanned::new(value, condition.span)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(name: &str) -> Spanned<Condition> {
        let name = Spanned::new(name.to_owned(), Span::default());
        Spanned::new(Condition::Definition(name), Span::default())
    }

    fn changes(condition: Condition) -> Vec<String> {
        let root = Spanned::new(condition, Span::default());
        mutants(&Package::default(), &root, &|_| String::new()).into_iter().map(|one| one.change).collect()
    }

    #[test]
    fn groups_lose_a_part_and_change_their_kind() {
        let pair = vec![definition("a"), definition("b")];
        assert_eq!(
            changes(Condition::All(pair.clone())),
            ["part 1 of 2 dropped", "part 2 of 2 dropped", "`all` made `any`", "negated", "negated"]
        );
        assert_eq!(
            changes(Condition::AtLeast(1, pair)),
            ["part 1 of 2 dropped", "part 2 of 2 dropped", "at least 1 made at least 2", "negated", "negated"]
        );
    }

    #[test]
    fn below_known_nothing_is_negated() {
        assert_eq!(changes(Condition::Known(Box::new(definition("a")))), ["`known` made `unknown`"]);
    }
}
