//! The source attributes that 45 CFR 170.315(b)(11)(iv)(A) asks of an
//! evidence-based decision support intervention, derived from the rules.

use std::collections::BTreeSet;

use crate::clinical::concept::{ConceptKind, IcdEntry};
use crate::rule::model::{Concept, Fact, Rule, RuleStatus};

use super::book::{Book, anchor, rule_links};
use super::condition::concepts;
use super::model::{Block, Cell, Chapter, Phrase, Piece, Row, Section, Table};
use super::words::{count, joined, text};

/// Data whose use the rule asks to be stated, as far as rules can use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    Sex,
    BirthDate,
    Social,
    Health,
}

impl Use {
    const ALL: [Self; 4] = [Self::Sex, Self::BirthDate, Self::Social, Self::Health];

    fn id(self) -> &'static str {
        match self {
            Self::Sex => "sex",
            Self::BirthDate => "date-of-birth",
            Self::Social => "social-determinants",
            Self::Health => "health-status-assessments",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Sex => "sex",
            Self::BirthDate => "age or date of birth",
            Self::Social => "social determinants of health",
            Self::Health => "health status assessments",
        }
    }
}

/// The data of that kind that a rule's own condition asks for, and what its
/// truth rests on besides, by way of what other rules propose or offer.
pub fn uses_of(book: &Book<'_>, rule: &Rule) -> (Vec<Piece>, Vec<Piece>) {
    let own: BTreeSet<Use> = book.own_facts(&rule.id.value).filter_map(|fact| use_of(book, fact)).collect();
    let all = uses(book, rule);
    let links = |wanted: &dyn Fn(&Use) -> bool| {
        let link = |one: &Use| Piece::Link { to: anchor("attribute", one.id()), text: one.title().to_owned() };
        Use::ALL.iter().filter(|one| wanted(one)).map(link).collect()
    };
    (links(&|one| own.contains(one)), links(&|one| all.contains(one) && !own.contains(one)))
}

fn uses(book: &Book<'_>, rule: &Rule) -> BTreeSet<Use> {
    book.all_facts(rule).into_iter().filter_map(|fact| use_of(book, fact)).collect()
}

fn use_of(book: &Book<'_>, fact: &Fact) -> Option<Use> {
    let any = |is: fn(&Book<'_>, &Concept) -> bool| {
        let named = concepts(fact).into_iter().filter_map(|name| find(book, &name.value));
        named.into_iter().any(|concept| is(book, concept))
    };
    match fact {
        Fact::Sex(_) => Some(Use::Sex),
        Fact::Age(_) => Some(Use::BirthDate),
        Fact::Pregnancy(_) | Fact::Lactation(_) | Fact::ChildbearingPotential(_) => Some(Use::Health),
        Fact::Observation { .. } => any(is_assessment).then_some(Use::Health),
        Fact::Diagnosis { .. } => any(is_social).then_some(Use::Social),
        Fact::History { codes } => {
            let social = |id: &str| find(book, id).is_some_and(|concept| is_social(book, concept));
            codes.iter().any(|code| social(&code.value)).then_some(Use::Social)
        }
        _ => None,
    }
}

fn find<'a>(book: &Book<'a>, id: &str) -> Option<&'a Concept> {
    book.package.concepts.iter().find(|concept| concept.def.id == id)
}

/// A code of ICD-10-CM Z55 to Z65, persons with potential health hazards
/// related to socioeconomic and psychosocial circumstances, its own or that of
/// a concept it includes. (The check refuses concepts that include themselves.)
fn is_social(book: &Book<'_>, concept: &Concept) -> bool {
    let social = |entry: &IcdEntry| {
        let block = entry.code.get(..3).unwrap_or_default();
        ("Z55"..="Z65").contains(&block)
    };
    concept.def.kind == ConceptKind::Diagnosis
        && (concept.def.icd10cm.iter().any(social)
            || concept.def.includes.iter().filter_map(|id| find(book, id)).any(|inner| is_social(book, inner)))
}

/// A score, or an instrument with a code of Concord's own.
fn is_assessment(_: &Book<'_>, concept: &Concept) -> bool {
    concept.unit.as_ref().is_some_and(|unit| unit.value == "{score}") || !concept.def.local.is_empty()
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
    let absent = |what: &str| {
        vec![text(format!("Not used. The rule language has no fact that asks for {what}, so that no rule can."))]
    };
    let sources = Piece::Link { to: anchor("chapter", "sources"), text: count(book.package.sources.len(), "source") };
    let revision = "; a revision is a package with a version and a digest of its own, shown on the cover";
    let mut rows: Vec<(&str, &str, Phrase, Vec<Piece>)> = vec![
        (
            "citation",
            "Bibliographic citation",
            vec![text("Each rule cites its own. In all: "), sources, text(".")],
            Vec::new(),
        ),
        ("developer", "Developer", vec![text(meta.developer.clone())], Vec::new()),
        ("funding", "Funding source of the technical implementation", vec![text(meta.funding.clone())], Vec::new()),
        ("dates", "Release and revision dates", vec![text(format!("Released {}{revision}.", meta.released))], vec![]),
        ("race", "Use of race", absent("it"), Vec::new()),
        ("ethnicity", "Use of ethnicity", absent("it"), Vec::new()),
        ("language", "Use of language", absent("it"), Vec::new()),
        ("sexual-orientation", "Use of sexual orientation", absent("it"), Vec::new()),
        ("gender-identity", "Use of gender identity", absent("it"), Vec::new()),
    ];
    for one in Use::ALL {
        let rules: Vec<&Rule> = book
            .package
            .rules
            .iter()
            .filter(|rule| rule.status == RuleStatus::Active && uses(book, rule).contains(&one))
            .collect();
        let title = match one {
            Use::Sex => "Use of sex",
            Use::BirthDate => "Use of date of birth",
            Use::Social => "Use of social determinants of health data",
            Use::Health => "Use of health status assessments data",
        };
        rows.push((one.id(), title, value(book, one, rules.len()), rule_links(rules)));
    }
    (1..)
        .zip(rows)
        .map(|(number, (id, title, value, rules)): (u32, _)| Row {
            anchor: Some(anchor("attribute", id)),
            cells: vec![
                Cell::Text(vec![text(number.to_string())]),
                Cell::Text(vec![text(title)]),
                Cell::Text(value),
                Cell::List(rules),
            ],
        })
        .collect()
}

fn value(book: &Book<'_>, one: Use, rules: usize) -> Phrase {
    if rules == 0 {
        return vec![text("Not used: no active rule asks for it.")];
    }
    let mut phrase = vec![text(format!("Used by {}", count(rules, "active rule")))];
    let told = match one {
        Use::Sex => ": the recorded sex.",
        Use::BirthDate => ": the age in completed years, from the date of birth or stated.",
        Use::Social => {
            ": diagnoses whose value set has a code of ICD-10-CM Z55 to Z65, and history of the same name. Asked for: "
        }
        Use::Health => {
            ": pregnancy, lactation and whether pregnancy is possible, and observations that are scores or have a code \
             of Concord’s own. Single items of an instrument that are neither are not counted. Asked for: "
        }
    };
    phrase.push(text(told));
    if matches!(one, Use::Social | Use::Health) {
        phrase.extend(joined(asked_for(book, one)));
        phrase.push(text("."));
    }
    phrase
}

/// The value sets of a use that active rules ask for.
fn asked_for(book: &Book<'_>, one: Use) -> Vec<Piece> {
    let mut ids = BTreeSet::new();
    for rule in book.package.rules.iter().filter(|rule| rule.status == RuleStatus::Active) {
        for fact in book.all_facts(rule).into_iter().filter(|fact| use_of(book, fact) == Some(one)) {
            ids.extend(concepts(fact).into_iter().map(|name| name.value.clone()));
            if let Fact::History { codes } = fact {
                ids.extend(codes.iter().map(|name| name.value.clone()));
            }
        }
    }
    ids.iter().map(|id| book.concept(id)).collect()
}
