//! The chapters of rules.

use crate::program::Outline;
use crate::rule::model::{Category, Citation, Component, Conclusion, Name, Rule, Source};
use crate::rule::template::{self, Field, Part};
use crate::rule::truth::Truth;

use super::book::{Book, anchor, parameter, rule_anchor, rule_links};
use super::condition;
use super::model::{Block, Branch, CaseList, Chapter, CitationEntry, Join, Phrase, Piece, RuleEntry, Section};
use super::transparency;
use super::words::{self, any_of, capitalized, joined, text};

/// Safety alerts, the approaches, requests and assessments, insights, notes.
pub fn chapters(book: &Book<'_>) -> Vec<Chapter> {
    let mut chapters = vec![alerts(book)];
    chapters.extend(approaches(book));
    let of = |wanted: fn(&Conclusion) -> bool| {
        let mut rules: Vec<&Rule> = book.package.rules.iter().filter(|rule| wanted(&rule.conclusion)).collect();
        rules.sort_by_key(|rule| rule.id.value.as_str());
        rules
    };
    let section = |id: &str, title: &str, lead: &str, rules: Vec<&Rule>| Section {
        anchor: anchor("section", id),
        title: title.to_owned(),
        lead: vec![vec![text(lead)]],
        blocks: entries(book, rules),
    };
    let chapter = |id: &str, title: &str, lead: &str, sections: Vec<Section>| Chapter {
        anchor: anchor("chapter", id),
        title: title.to_owned(),
        lead: vec![text(lead)],
        sections: sections.into_iter().filter(|section| !section.blocks.is_empty()).collect(),
    };
    chapters.push(chapter(
        "asks",
        "Questions and assessments",
        "What is asked for in its own right. Beyond these, alerts, exclusions, offers and insights that are left undecided ask for the facts they lack, where these could change the answer.",
        vec![
            section(
                "requests",
                "Data requests",
                "Facts to be found out, each with the field of the record that would hold the answer.",
                of(|conclusion| matches!(conclusion, Conclusion::Request { .. })),
            ),
            section(
                "assessments",
                "Assessments",
                "Instruments and tests that are due.",
                of(|conclusion| matches!(conclusion, Conclusion::Assess { .. })),
            ),
        ],
    ));
    chapters.push(chapter(
        "insights",
        "Insights",
        "How the disorders may hang together: consistent with, never caused by. Several may hold at once.",
        vec![section("insights", "Insights", "", of(|conclusion| matches!(conclusion, Conclusion::Insight { .. })))],
    ));
    chapters.push(chapter(
        "notes",
        "Notes",
        "Remarks that change no standing.",
        vec![section("notes", "Notes", "", of(|conclusion| matches!(conclusion, Conclusion::Note)))],
    ));
    chapters
}

fn entries(book: &Book<'_>, rules: Vec<&Rule>) -> Vec<Block> {
    rules.into_iter().map(|rule| Block::Rule(Box::new(entry(book, rule)))).collect()
}

fn alerts(book: &Book<'_>) -> Chapter {
    let mut sections = Vec::new();
    for wanted in Category::ALL {
        let mut found: Vec<(_, &Rule)> = book
            .package
            .rules
            .iter()
            .filter_map(|rule| match &rule.conclusion {
                Conclusion::Alert { category, severity, urgency } if category == wanted => {
                    Some(((*severity, *urgency), rule))
                }
                _ => None,
            })
            .collect();
        found.sort_by_key(|(grave, rule)| (std::cmp::Reverse(*grave), rule.id.value.as_str()));
        sections.push(Section {
            anchor: anchor("alerts", wanted.word()),
            title: words::title(wanted.word()),
            lead: Vec::new(),
            blocks: entries(book, found.into_iter().map(|(_, rule)| rule).collect()),
        });
    }
    sections.retain(|section| !section.blocks.is_empty());
    Chapter {
        anchor: anchor("chapter", "alerts"),
        title: "Safety alerts".to_owned(),
        lead: vec![text(
            "What must not be missed, by category and within it the gravest first. Alerts stand before every offer.",
        )],
        sections,
    }
}

/// Where a component is described: its first approach.
fn home(component: &Component) -> Option<&str> {
    component.approaches.first().map(|name| name.value.as_str())
}

fn approaches(book: &Book<'_>) -> Vec<Chapter> {
    let mut chapters = Vec::new();
    for approach in &book.package.approaches {
        let id = approach.id.value.as_str();
        let here = book.package.components.iter().filter(|component| home(component) == Some(id));
        let also: Vec<Piece> = book
            .package
            .components
            .iter()
            .filter(|one| home(one) != Some(id) && one.approaches.iter().any(|name| name.value == id))
            .map(|one| book.component(&one.id.value))
            .collect();
        let mut lead = vec![text("By component. What speaks against a component stands before what offers it.")];
        if !also.is_empty() {
            lead.push(text(" Listed under this approach too, and described elsewhere: "));
            lead.extend(joined(also));
            lead.push(text("."));
        }
        chapters.push(Chapter {
            anchor: anchor("approach", id),
            title: approach.title.clone(),
            lead,
            sections: here.map(|component| component_section(book, component)).collect(),
        });
    }
    let homeless = book.package.components.iter().filter(|component| home(component).is_none());
    chapters.push(Chapter {
        anchor: anchor("chapter", "other-components"),
        title: "Components of no approach".to_owned(),
        lead: Vec::new(),
        sections: homeless.map(|component| component_section(book, component)).collect(),
    });
    chapters
}

fn component_section(book: &Book<'_>, component: &Component) -> Section {
    let id = component.id.value.as_str();
    let speaking = |rule: &&Rule| rule.conclusion.components().iter().any(|name| name.value == id);
    let first = |rule: &Rule| rule.conclusion.components().first().is_some_and(|name| name.value == id);
    let (mut here, elsewhere): (Vec<&Rule>, Vec<&Rule>) =
        book.package.rules.iter().filter(speaking).partition(|rule| first(rule));
    here.sort_by_key(|rule| (words::tone(&rule.conclusion), rule.id.value.as_str()));
    let mut lead = Vec::new();
    let mut sentence = |label: &str, mut pieces: Vec<Piece>| {
        pieces.insert(0, text(label.to_owned()));
        pieces.push(text("."));
        lead.push(pieces);
    };
    let others: Vec<Piece> = component
        .approaches
        .iter()
        .skip(1)
        .map(|name| Piece::Link { to: anchor("approach", &name.value), text: approach_title(book, name) })
        .collect();
    if !others.is_empty() {
        sentence("Belongs to ", [joined(others), vec![text(" too")]].concat());
    }
    match &component.current {
        Some(current) => sentence("In use where: ", vec![book.definition_link(&current.value)]),
        None => sentence("Whether it is in use, the record can't say", Vec::new()),
    }
    if let Some(planned) = &component.planned {
        sentence("Planned where: ", vec![book.definition_link(&planned.value)]);
    }
    if component.never_abrupt {
        sentence("Must never end abruptly: no rule may contraindicate continuing it", Vec::new());
    }
    if !elsewhere.is_empty() {
        sentence("Described elsewhere: ", joined(rule_links(elsewhere)));
    } else if here.is_empty() {
        sentence("No rule speaks of it", Vec::new());
    }
    Section { anchor: anchor("component", id), title: capitalized(&component.title), lead, blocks: entries(book, here) }
}

pub fn approach_title(book: &Book<'_>, name: &Name) -> String {
    let approach = book.package.approaches.iter().find(|one| one.id.value == name.value);
    approach.map_or_else(|| words::title(&name.value), |approach| approach.title.clone())
}

fn entry(book: &Book<'_>, rule: &Rule) -> RuleEntry {
    let conclusion = &rule.conclusion;
    let (statement, filled_from) = filled(book, rule, &rule.statement.value);
    let (possible, _) = rule.possible.as_deref().map_or_else(Default::default, |words| filled(book, rule, words));
    let outranked_by =
        book.package.rules.iter().filter(|one| one.outranks.iter().any(|name| name.value == rule.id.value));
    let (uses, uses_indirectly) = transparency::uses_of(book, rule);
    RuleEntry {
        anchor: rule_anchor(&rule.id.value),
        id: rule.id.value.clone(),
        title: rule.title.clone(),
        status: rule.status,
        tone: words::tone(conclusion),
        verb: words::verb(conclusion),
        object: object(book, conclusion),
        statement,
        filled_from,
        condition: book.condition(rule).map_or_else(nothing, |outline: &Outline| condition::tree(book, outline)),
        unknown: words::unknown(conclusion, rule.unknown),
        possible,
        ask: rule.ask.clone().unwrap_or_default(),
        outranks: rule.outranks.iter().map(|name| book.rule_named(name)).collect(),
        outranked_by: rule_links(outranked_by),
        evidence: rule.evidence.iter().map(|citation| cited(book, citation)).collect(),
        strength: rule.strength.clone(),
        verification: rule.verification,
        active_because: rule.active_because.clone().unwrap_or_default(),
        review_by: rule.review_by.as_ref().map(|day| day.value.clone()).unwrap_or_default(),
        uses,
        uses_indirectly,
        parameters: book.parameters_of(rule).into_iter().map(parameter).collect(),
        follows: rule
            .follows
            .iter()
            .map(|name| Piece::Link { to: anchor("brief", &name.value), text: name.value.clone() })
            .collect(),
        location: rule.location.clone(),
        cases: cases(book, &rule.id.value),
    }
}

fn nothing() -> Branch {
    Branch { join: Join::Fact, phrase: vec![text("always")], set_by: Vec::new(), parts: Vec::new() }
}

fn object(book: &Book<'_>, conclusion: &Conclusion) -> Phrase {
    let components = |names: &[Name]| joined(names.iter().map(|name| book.component(&name.value)).collect());
    match conclusion {
        Conclusion::Recommend { components: names } | Conclusion::Consider { components: names } => components(names),
        Conclusion::Caution { components: names, actions }
        | Conclusion::Contraindicate { components: names, actions } => {
            let actions: Vec<&str> = actions.iter().map(|action| words::action(*action)).collect();
            let mut phrase = vec![text(format!("{} ", any_of(&actions)))];
            phrase.extend(components(names));
            phrase
        }
        Conclusion::Alert { category, severity, urgency } => vec![text(format!(
            "{}, {} · {}",
            words::severity(*severity),
            words::urgency(*urgency),
            category.word().replace('-', " ")
        ))],
        Conclusion::Request { category, field, concept } => {
            let mut phrase: Phrase = concept.iter().map(|name| book.concept(&name.value)).collect();
            if !phrase.is_empty() {
                phrase.push(text(" in "));
            }
            phrase.push(Piece::Code(field.clone()));
            phrase.extend(of_category(*category));
            phrase
        }
        Conclusion::Assess { category, instrument } => {
            let mut phrase = vec![book.concept(&instrument.value)];
            phrase.extend(of_category(*category));
            phrase
        }
        Conclusion::Insight { code } => vec![text(code.word().replace('-', " "))],
        Conclusion::Note => Vec::new(),
    }
}

fn of_category(category: Option<Category>) -> Option<Piece> {
    category.map(|category| text(format!(" · {}", category.word().replace('-', " "))))
}

/// The statement with its blanks named, and what they are filled in from.
fn filled(book: &Book<'_>, rule: &Rule, words: &str) -> (Phrase, Phrase) {
    let Ok(parts) = template::parse(words) else { return (vec![text(words)], Vec::new()) };
    let (mut phrase, mut names) = (Vec::new(), Vec::new());
    for part in parts {
        match part {
            Part::Text(words) => phrase.push(text(words)),
            Part::Value { name, field, plus } => {
                let field = match field {
                    Field::Value => "value",
                    Field::Date => "date",
                    Field::Text => "as the record words it",
                };
                let plus = plus.map_or_else(String::new, |plus| format!(" + {plus}"));
                phrase.push(Piece::Blank(format!("{field}{plus}")));
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
    }
    let facts: Vec<&str> = names.iter().flat_map(|name| book.bound(&rule.id.value, name)).collect();
    let filled = if facts.is_empty() { Vec::new() } else { vec![text(any_of(&facts))] };
    (phrase, filled)
}

fn cited(book: &Book<'_>, citation: &Citation) -> CitationEntry {
    let id = citation.source.value.as_str();
    let source = book.package.sources.iter().find(|source| source.id.value == id);
    CitationEntry {
        source: source_link(book, citation),
        from: source.map(from).unwrap_or_default(),
        place: citation.place.clone(),
        url: source.and_then(url),
    }
}

/// The source of a citation, as a link into the bibliography.
pub fn source_link(book: &Book<'_>, citation: &Citation) -> Piece {
    let id = citation.source.value.as_str();
    let source = book.package.sources.iter().find(|source| source.id.value == id);
    source.map_or_else(
        || Piece::Code(id.to_owned()),
        |source| Piece::Link { to: anchor("source", id), text: source.title.clone() },
    )
}

/// Publisher and year.
pub fn from(source: &Source) -> String {
    let year = if source.year == 0 { "no year stated".to_owned() } else { source.year.to_string() };
    format!("{}, {year}", source.publisher)
}

/// The link of a source: `https`, or words alone.
pub fn url(source: &Source) -> Option<Piece> {
    let url = source.url.clone();
    if url.is_empty() {
        return None;
    }
    Some(if url.starts_with("https://") { Piece::Away { text: url.clone(), url } } else { Piece::Text(url) })
}

fn cases(book: &Book<'_>, rule: &str) -> CaseList {
    let mut list = CaseList::default();
    for one in book.exercise.of.get(rule).into_iter().flatten() {
        match one.truth {
            Truth::True => list.fires.push(book.case(&one.case, format!("{} {}", one.case, one.title))),
            Truth::Unknown => list.undecided.push(book.case(&one.case, one.case.clone())),
            Truth::False => list.silent = list.silent.saturating_add(1),
        }
    }
    list
}
