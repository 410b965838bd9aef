//! The source attributes that 45 CFR 170.315(b)(11)(iv)(A) asks of an
//! evidence-based decision support intervention, derived from the rules.

use std::collections::{BTreeMap, BTreeSet};

use crate::rule::model::{Fact, Rule, RuleStatus, SourceAttribute};
use crate::ruleset::attributes::By;

use super::book::{Book, anchor, rule_links};
use super::model::{Anchor, Block, Cell, Chapter, Phrase, Piece, Row, Section, Table};
use super::words::{count, joined, text};

fn place(attribute: SourceAttribute) -> Anchor {
    let known = SourceAttribute::ALL.iter().find(|(_, known)| *known == attribute);
    anchor("attribute", known.map_or("", |(word, _)| word))
}

fn title(attribute: SourceAttribute) -> &'static str {
    match attribute {
        SourceAttribute::Race => "race",
        SourceAttribute::Ethnicity => "ethnicity",
        SourceAttribute::Language => "language",
        SourceAttribute::SexualOrientation => "sexual orientation",
        SourceAttribute::GenderIdentity => "gender identity",
        SourceAttribute::Sex => "sex",
        SourceAttribute::DateOfBirth => "age or date of birth",
        SourceAttribute::SocialDeterminants => "social determinants of health",
        SourceAttribute::HealthStatusAssessment => "health status assessments",
    }
}

/// The data of that kind that a rule's own condition asks for, and what its
/// truth rests on besides, by way of other rules or of what is in use.
pub fn uses_of(book: &Book<'_>, rule: &Rule) -> (Vec<Piece>, Vec<Piece>) {
    let own = used(book, book.own_facts(&rule.id.value));
    let all = match rule.status {
        RuleStatus::Active => {
            let uses = book.ruleset.uses();
            let all = SourceAttribute::ALL.into_iter().map(|(_, attribute)| attribute);
            all.filter(|attribute| uses.uses(&rule.id.value, *attribute)).collect()
        }
        // Not of the package in force: it is what it would use.
        _ => used(book, book.all_facts(rule).into_iter()),
    };
    let links = |wanted: &mut dyn Iterator<Item = &SourceAttribute>| {
        wanted.map(|one| Piece::Link { to: place(*one), text: title(*one).to_owned() }).collect()
    };
    (links(&mut own.iter()), links(&mut all.difference(&own)))
}

fn used<'b>(book: &Book<'_>, facts: impl Iterator<Item = &'b Fact>) -> BTreeSet<SourceAttribute> {
    facts.flat_map(|fact| book.declared.uses(fact)).map(|(attribute, _)| attribute).collect()
}

/// The chapter.
pub fn chapter(book: &Book<'_>) -> Chapter {
    let lead = "The thirteen source attributes that 45 CFR 170.315(b)(11)(iv)(A) asks of an evidence-based decision \
                support intervention. The use of data is derived from the compiled rules, what they take from other \
                rules by way of “proposed” and “offered” among it; nothing of it is typed by hand. This is \
                information, not a statement of conformity.";
    let table = Table { head: vec!["No.", "Attribute", "Value", "Rules"], rows: rows(book) };
    Chapter {
        anchor: anchor("chapter", "attributes"),
        title: "Source attributes".to_owned(),
        lead: vec![text(lead)],
        sections: vec![Section {
            anchor: anchor("section", "attributes"),
            title: "The thirteen attributes".to_owned(),
            lead: Vec::new(),
            blocks: vec![Block::Table(table)],
        }],
    }
}

fn rows(book: &Book<'_>) -> Vec<Row> {
    let meta = &book.package.meta;
    let sources = Piece::Link { to: anchor("chapter", "sources"), text: count(book.package.sources.len(), "source") };
    let revised = meta.revised.as_ref().map_or_else(String::new, |day| format!(", revised {day}"));
    let revision = "; a revision is a package with a version and a digest of its own, shown on the cover";
    let dates = format!("Released {}{revised}{revision}.", meta.released);
    let mut rows: Vec<(Anchor, String, Phrase, Vec<Piece>)> = [
        ("citation", "Bibliographic citation", vec![text("Each rule cites its own. In all: "), sources, text(".")]),
        ("developer", "Developer", vec![text(meta.developer.clone())]),
        ("funding", "Funding source of the technical implementation", vec![text(meta.funding.clone())]),
        ("dates", "Release and revision dates", vec![text(dates)]),
    ]
    .map(|(id, title, value)| (anchor("attribute", id), title.to_owned(), value, Vec::new()))
    .into();
    for (_, attribute) in SourceAttribute::ALL {
        let uses = book.ruleset.uses();
        let rules: Vec<&Rule> = book.package.rules.iter().filter(|rule| uses.uses(&rule.id.value, attribute)).collect();
        let named = match attribute {
            SourceAttribute::DateOfBirth => "Use of date of birth".to_owned(),
            SourceAttribute::SocialDeterminants | SourceAttribute::HealthStatusAssessment => {
                format!("Use of {} data", title(attribute))
            }
            _ => format!("Use of {}", title(attribute)),
        };
        rows.push((place(attribute), named, value(book, attribute, rules.len()), rule_links(rules)));
    }
    (1..)
        .zip(rows)
        .map(|(number, (place, title, value, rules)): (u32, _)| Row {
            anchor: Some(place),
            cells: vec![
                Cell::Text(vec![text(number.to_string())]),
                Cell::Text(vec![text(title)]),
                Cell::Text(value),
                Cell::List(rules),
            ],
        })
        .collect()
}

fn value(book: &Book<'_>, attribute: SourceAttribute, rules: usize) -> Phrase {
    if rules == 0 {
        return vec![text("Not used: no active rule asks for it.")];
    }
    let mut phrase = vec![text(format!("Used by {}", count(rules, "active rule")))];
    let told = match attribute {
        SourceAttribute::Sex => ": the recorded sex.",
        SourceAttribute::DateOfBirth => ": the age in completed years, from the date of birth or stated.",
        SourceAttribute::SocialDeterminants => {
            ": diagnoses whose value set has a code of ICD-10-CM Z55 to Z65, and what the package declares as such."
        }
        SourceAttribute::HealthStatusAssessment => ": pregnancy, and what the package declares as such.",
        _ => ": what the package declares as such.",
    };
    phrase.push(text(told));
    let named = asked_for(book, attribute);
    if !named.is_empty() {
        phrase.push(text(" Asked for: "));
        phrase.extend(joined(named));
        phrase.push(text("."));
    }
    phrase
}

/// The value sets and words by which active rules use an attribute.
fn asked_for(book: &Book<'_>, attribute: SourceAttribute) -> Vec<Piece> {
    let active = book.package.rules.iter().filter(|rule| rule.status == RuleStatus::Active);
    let facts = active.flat_map(|rule| book.all_facts(rule));
    let by = facts.flat_map(|fact| book.declared.uses(fact)).filter(|(used, _)| *used == attribute);
    let pieces: BTreeMap<&str, Piece> = by
        .filter_map(|(_, by)| match by {
            By::Kind => None,
            By::Word(word) => Some((word.id.value.as_str(), text(word.title.clone()))),
            By::Concept(concept) => Some((concept.def.id.as_str(), book.concept(&concept.def.id))),
        })
        .collect();
    pieces.into_values().collect()
}
