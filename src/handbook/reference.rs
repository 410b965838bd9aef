//! What the rules rest on: definitions, value sets, parameters, components,
//! sources, cases.

use std::collections::BTreeMap;

use crate::clinical::concept::{ConceptDef, ConceptKind, IcdEntry};
use crate::rule::check::parts;
use crate::rule::model::{Concept, Conclusion, Condition, Definition, Rule, Spanned};
use crate::rule::truth::Truth;

use super::book::{Book, anchor, rule_links};
use super::condition::{concepts, tree};
use super::model::{Block, Cell, Chapter, DefinitionEntry, Phrase, Piece, Row, Section, SourceEntry, Table, ValueSet};
use super::rules::{approach_title, from, url};
use super::words::{joined, sorted_by, text};

/// The chapters.
pub fn chapters(book: &Book<'_>) -> Vec<Chapter> {
    vec![components(book), definitions(book), value_sets(book), parameters(book), sources(book), cases(book)]
}

fn chapter(id: &str, name: &str, lead: &str, sections: Vec<Section>) -> Chapter {
    Chapter {
        anchor: anchor("chapter", id),
        title: name.to_owned(),
        lead: vec![text(lead)],
        sections: sections.into_iter().filter(|section| !section.blocks.is_empty()).collect(),
    }
}

fn section(id: &str, name: &str, blocks: Vec<Block>) -> Section {
    Section { anchor: anchor("section", id), title: name.to_owned(), lead: Vec::new(), blocks }
}

/// A table, or no block where it has no row.
pub fn table(head: &[&'static str], rows: Vec<Row>) -> Vec<Block> {
    if rows.is_empty() { Vec::new() } else { vec![Block::Table(Table { head: head.to_vec(), rows })] }
}

fn components(book: &Book<'_>) -> Chapter {
    let row = |component: &crate::rule::model::Component| {
        let id = component.id.value.as_str();
        let by = |wanted: fn(&Conclusion) -> bool| {
            let speaks = |rule: &&Rule| {
                wanted(&rule.conclusion) && rule.conclusion.components().iter().any(|name| name.value == id)
            };
            Cell::List(rule_links(book.package.rules.iter().filter(speaks)))
        };
        let approaches: Phrase = component
            .approaches
            .iter()
            .map(|name| Piece::Link { to: anchor("approach", &name.value), text: approach_title(book, name) })
            .collect();
        let mut of = vec![book.component(id), text(": ")];
        of.extend(joined(approaches));
        Row {
            anchor: None,
            cells: vec![
                Cell::Text(of),
                by(|one| matches!(one, Conclusion::Contraindicate { .. })),
                by(|one| matches!(one, Conclusion::Caution { .. })),
                by(|one| matches!(one, Conclusion::Recommend { .. })),
                by(|one| matches!(one, Conclusion::Consider { .. })),
            ],
        }
    };
    let rows = book.package.components.iter().map(row).collect();
    let head =
        ["Component and its approaches", "Contraindicated by", "Care advised by", "Recommended by", "Considered by"];
    chapter(
        "components",
        "Components",
        "What can be recommended, with every rule that speaks for it or against it.",
        vec![section("components", "All components", table(&head, rows))],
    )
}

fn definitions(book: &Book<'_>) -> Chapter {
    let mut by_letter: BTreeMap<String, Vec<Block>> = BTreeMap::new();
    let mut all: Vec<&Definition> = book.package.definitions.iter().collect();
    all.sort_by_key(|definition| (sorted_by(&definition.title), definition.id.value.as_str()));
    for definition in all {
        let letter = first_letter(&sorted_by(&definition.title));
        if let Some(entry) = definition_entry(book, definition) {
            by_letter.entry(letter).or_default().push(Block::Definition(entry));
        }
    }
    let sections = by_letter
        .into_iter()
        .map(|(letter, blocks)| section(&format!("definitions-{}", place(&letter)), &letter, blocks))
        .collect();
    chapter("definitions", "Definitions", "Named conditions that rules and other definitions share.", sections)
}

fn first_letter(words: &str) -> String {
    let first = words.chars().find(|letter| letter.is_alphanumeric());
    first.map_or_else(|| "#".to_owned(), |letter| letter.to_uppercase().collect())
}

/// A heading of one letter as part of an id.
fn place(letter: &str) -> String {
    letter.chars().fold(String::new(), |text, one| format!("{text}{:x}", u32::from(one)))
}

fn definition_entry(book: &Book<'_>, definition: &Definition) -> Option<DefinitionEntry> {
    let id = definition.id.value.as_str();
    let outline = book.definition(id)?;
    let others = book.package.definitions.iter().filter(|other| names(&other.when, id));
    let mut used_by: Vec<Piece> = others.map(|other| book.definition_link(&other.id.value)).collect();
    let in_use = |name: &Option<crate::rule::model::Name>| name.as_ref().is_some_and(|name| name.value == id);
    let components = book.package.components.iter().filter(|one| in_use(&one.current) || in_use(&one.planned));
    used_by.extend(components.map(|one| book.component(&one.id.value)));
    used_by.extend(rule_links(book.naming(id)));
    Some(DefinitionEntry {
        anchor: anchor("definition", id),
        id: id.to_owned(),
        title: definition.title.clone(),
        condition: tree(book, outline),
        used_by,
    })
}

fn names(condition: &Spanned<Condition>, id: &str) -> bool {
    matches!(&condition.value, Condition::Definition(name) if name.value == id)
        || parts(&condition.value).into_iter().any(|part| names(part, id))
}

fn value_sets(book: &Book<'_>) -> Chapter {
    let kinds = [
        (ConceptKind::Diagnosis, "Diagnoses and circumstances"),
        (ConceptKind::Medication, "Medications"),
        (ConceptKind::Observation, "Observations"),
    ];
    let sections = kinds.into_iter().map(|(kind, name)| {
        let mut of: Vec<&Concept> = book.package.concepts.iter().filter(|concept| concept.def.kind == kind).collect();
        of.sort_by_key(|concept| (concept.def.title.to_lowercase(), concept.def.id.as_str()));
        let blocks = of.into_iter().map(|concept| Block::ValueSet(value_set(book, concept))).collect();
        section(&format!("values-{}", kind.name()), name, blocks)
    });
    chapter(
        "values",
        "Value sets",
        "Which codes mean what. A code with a hyphen at its end (F11.12-) stands for itself and everything below it.",
        sections.collect(),
    )
}

fn value_set(book: &Book<'_>, concept: &Concept) -> ValueSet {
    let def = &concept.def;
    let mut more: Vec<(&'static str, Phrase)> = Vec::new();
    let links = |ids: &[String]| joined(ids.iter().map(|id| book.concept(id)).collect());
    if !def.includes.is_empty() {
        more.push(("Includes", links(&def.includes)));
    }
    let including = book.package.concepts.iter().filter(|other| other.def.includes.contains(&def.id));
    let including: Vec<Piece> = including.map(|other| book.concept(&other.def.id)).collect();
    if !including.is_empty() {
        more.push(("Part of", joined(including)));
    }
    if let Some(remission) = &concept.remission {
        more.push(("In remission", vec![book.concept(&remission.value)]));
    }
    if concept.relapsing {
        more.push(("Relapsing", vec![text("an inactive or resolved status does not clear it")]));
    }
    if concept.one_disorder {
        more.push(("One disorder", vec![text("remission of one of its codes weighs against another that is active")]));
    }
    if let Some(unit) = &concept.unit {
        let unit = if unit.value == "{score}" { text("a score") } else { Piece::Code(unit.value.clone()) };
        more.push(("Unit", vec![unit]));
    }
    if let Some(mass) = concept.molar_mass {
        more.push(("Molar mass", vec![text(format!("{mass} g/mol"))]));
    }
    if let Some(valence) = concept.valence {
        more.push(("Charge number", vec![text(valence.to_string())]));
    }
    ValueSet {
        anchor: anchor("concept", &def.id),
        id: def.id.clone(),
        title: def.title.clone(),
        codes: codes(def),
        more,
        used_by: rules_asking(book, &def.id),
    }
}

fn codes(def: &ConceptDef) -> Vec<(&'static str, Vec<String>)> {
    let icd = |entries: &[IcdEntry]| entries.iter().map(ToString::to_string).collect::<Vec<_>>();
    let letters = def.encounters_except.iter().map(char::to_string).collect();
    let all = [
        ("ICD-10-CM", icd(&def.icd10cm)),
        ("ICD-10-CM, retired", icd(&def.icd10cm_retired)),
        ("ICD-10-CM, not with the seventh character", letters),
        ("SNOMED CT", def.snomed.clone()),
        ("LOINC", def.loinc.clone()),
        ("Concord", def.local.clone()),
        ("RxNorm ingredients", def.rxnorm_ingredients.clone()),
        ("RxNorm products", def.rxnorm_products.clone()),
        ("RxNorm, not these", def.rxnorm_except.clone()),
        ("RxNorm, not with the ingredients", def.without_ingredients.clone()),
    ];
    all.into_iter().filter(|(_, codes)| !codes.is_empty()).collect()
}

/// Rules that ask for a concept, in their own condition or in a definition
/// they name, or by their conclusion.
pub fn rules_asking(book: &Book<'_>, concept: &str) -> Vec<Piece> {
    let concluded = |rule: &Rule| match &rule.conclusion {
        Conclusion::Request { concept: Some(name), .. } | Conclusion::Assess { instrument: name, .. } => {
            name.value == concept
        }
        _ => false,
    };
    let asks = |rule: &&Rule| {
        concluded(rule) || book.own_facts(&rule.id.value).flat_map(concepts).any(|name| name.value == concept)
    };
    rule_links(book.package.rules.iter().filter(asks))
}

fn parameters(book: &Book<'_>) -> Chapter {
    let rows = book.package.parameters.iter().map(|parameter| {
        let id = parameter.id.value.as_str();
        let rests = |rule: &&Rule| book.parameters_of(rule).iter().any(|one| one.id.value == id);
        let rules: Vec<&Rule> = book.package.rules.iter().filter(rests).collect();
        Row {
            anchor: Some(anchor("parameter", id)),
            cells: vec![
                Cell::Text(vec![Piece::Code(id.to_owned())]),
                Cell::Text(vec![text(parameter.title.clone())]),
                Cell::Text(vec![text(parameter.value.clone())]),
                Cell::List(rule_links(rules)),
            ],
        }
    });
    chapter(
        "parameters",
        "Parameters",
        "Values that a site may set. A rule rests on a parameter in its own text or by a definition that it names.",
        vec![section("parameters", "All parameters", table(&["Name", "What it is", "Value", "Rules"], rows.collect()))],
    )
}

fn sources(book: &Book<'_>) -> Chapter {
    let mut sorted: Vec<&crate::rule::model::Source> = book.package.sources.iter().collect();
    sorted.sort_by_key(|source| (sorted_by(&source.title), source.id.value.as_str()));
    let mut by_letter: BTreeMap<String, Vec<Block>> = BTreeMap::new();
    for source in sorted {
        let id = source.id.value.as_str();
        let cites = |rule: &&Rule| rule.evidence.iter().any(|citation| citation.source.value == id);
        by_letter.entry(first_letter(&sorted_by(&source.title))).or_default().push(Block::Source(SourceEntry {
            anchor: anchor("source", id),
            id: id.to_owned(),
            title: source.title.clone(),
            from: from(source),
            url: url(source),
            cited_by: rule_links(book.package.rules.iter().filter(cites)),
        }));
    }
    let sections = by_letter
        .into_iter()
        .map(|(letter, blocks)| section(&format!("sources-{}", place(&letter)), &letter, blocks))
        .collect();
    chapter("sources", "Sources", "The bibliography, with the rules that cite each source.", sections)
}

fn cases(book: &Book<'_>) -> Chapter {
    let rows = book.cases().map(|(id, to, name)| {
        let at = |truth| Cell::Text(vec![text(book.rules_at(id, truth).to_string())]);
        Row {
            anchor: Some(to.clone()),
            cells: vec![
                Cell::Text(vec![Piece::Code(id.to_owned())]),
                Cell::Text(vec![text(name)]),
                at(Truth::True),
                at(Truth::Unknown),
                at(Truth::False),
            ],
        }
    });
    let head = ["Case", "Patient", "Rules that fire", "Undecided", "Silent"];
    chapter(
        "cases",
        "Cases",
        "Constructed patients, the package’s own tests. Each rule lists the cases in which it fires and those that leave it \
         undecided.",
        vec![section("cases", "All cases", table(&head, rows.collect()))],
    )
}
