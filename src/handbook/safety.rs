//! The clinical safety file: hazards, controls, and what proves each control.

use crate::rule::model::{Hazard, HazardKind, Package, Proof};
use crate::rule::shape::{self, HARM_SEVERITIES, HAZARD_KINDS};

use super::book::anchor;
use super::model::{Anchor, Block, Cell, Chapter, HazardEntry, Links, Piece, Row, Section, Table};
use super::words::{capitalized, count, text};

const KINDS: [(HazardKind, &str, &str); 4] = [
    (HazardKind::Wrong, "Wrong advice", "The answer says what should not be done, or not of this patient."),
    (HazardKind::Missing, "Missing advice", "The answer does not say what should be said."),
    (HazardKind::Late, "Late advice", "The answer is right, and comes when it is of no more use, or is out of date."),
    (HazardKind::Misread, "Misread advice", "The answer is right, and is taken for something else."),
];

/// The chapter; without sections where the package declares no hazards.
pub fn chapter(package: &Package, links: Links) -> Chapter {
    let mut sections = Vec::new();
    if !package.hazards.is_empty() {
        sections.push(log(package));
        sections.extend(KINDS.iter().filter_map(|(kind, title, about)| of_kind(package, links, *kind, title, about)));
    }
    Chapter {
        anchor: anchor("chapter", "hazards"),
        title: "Clinical safety".to_owned(),
        lead: vec![text(
            "How the product could harm a patient, what stands against it, and what fails when that is gone. It follows \
             the practice of ISO 14971 and DCB0129: hazard, cause, harm, controls, residual risk. How often a hazard \
             will come about is not estimated: that takes use, and is for the site that puts the product into service.",
        )],
        sections,
    }
}

fn place(hazard: &Hazard) -> Anchor {
    anchor("hazard", &hazard.id.value)
}

/// All hazards, the gravest first.
fn log(package: &Package) -> Section {
    let mut hazards: Vec<&Hazard> = package.hazards.iter().collect();
    hazards.sort_by(|a, b| b.severity.cmp(&a.severity).then(a.id.value.cmp(&b.id.value)));
    let proofs = |hazard: &Hazard| hazard.controls.iter().map(|control| control.proven_by.len()).sum::<usize>();
    let rows = hazards.iter().map(|hazard| Row {
        anchor: None,
        cells: vec![
            Cell::Text(vec![Piece::Link { to: place(hazard), text: capitalized(&hazard.title) }]),
            Cell::Text(vec![text(shape::word(HAZARD_KINDS, &hazard.kind))]),
            Cell::Text(vec![text(shape::word(HARM_SEVERITIES, &hazard.severity))]),
            Cell::Text(vec![text(hazard.controls.len().to_string())]),
            Cell::Text(vec![text(proofs(hazard).to_string())]),
        ],
    });
    let (controls, proven): (usize, usize) = hazards.iter().fold((0, 0), |(controls, proven), hazard| {
        (controls.saturating_add(hazard.controls.len()), proven.saturating_add(proofs(hazard)))
    });
    let lead = format!(
        "{} with {} and {}. A hazard without a control and a control without a proof are errors of `concord rules \
         check`.",
        count(hazards.len(), "hazard"),
        count(controls, "control"),
        count(proven, "proof")
    );
    Section {
        anchor: anchor("section", "hazards"),
        title: "Hazard log".to_owned(),
        lead: vec![vec![text(lead)]],
        blocks: vec![
            Block::Table(Table {
                head: vec!["Hazard", "Advice", "Worst harm", "Controls", "Proofs"],
                rows: rows.collect(),
            }),
            Block::Terms(vec![
                ("negligible", "Inconvenience or passing discomfort."),
                ("minor", "Passing injury that needs no treatment."),
                ("serious", "Injury that needs treatment, or a disorder that stays untreated."),
                ("critical", "Lasting impairment, or injury that threatens life."),
                ("catastrophic", "Death."),
            ]),
        ],
    }
}

fn of_kind(package: &Package, links: Links, kind: HazardKind, title: &str, about: &'static str) -> Option<Section> {
    let hazards = package.hazards.iter().filter(|hazard| hazard.kind == kind);
    let blocks: Vec<Block> = hazards.map(|hazard| Block::Hazard(entry(package, links, hazard))).collect();
    (!blocks.is_empty()).then(|| Section {
        anchor: anchor("section", &format!("hazards-{}", shape::word(HAZARD_KINDS, &kind))),
        title: title.to_owned(),
        lead: vec![vec![text(about)]],
        blocks,
    })
}

fn entry(package: &Package, links: Links, hazard: &Hazard) -> HazardEntry {
    HazardEntry {
        anchor: place(hazard),
        id: hazard.id.value.clone(),
        title: hazard.title.clone(),
        cause: hazard.cause.clone(),
        harm: hazard.harm.clone(),
        severity: shape::word(HARM_SEVERITIES, &hazard.severity),
        controls: hazard
            .controls
            .iter()
            .map(|one| {
                let proofs = one.proven_by.iter().map(|proof| self::proof(package, links, proof)).collect();
                (one.control.value.clone(), proofs)
            })
            .collect(),
        residual: hazard.residual.clone(),
    }
}

fn proof(package: &Package, links: Links, proof: &Proof) -> (&'static str, Piece) {
    match proof {
        Proof::Rule(name) => {
            let rule = package.rules.iter().find(|rule| rule.id.value == name.value);
            let id = name.value.clone();
            (
                "rule",
                rule.map_or_else(
                    || Piece::Code(id.clone()),
                    |rule| links.to(anchor("rule", &id), &rule.location, id.clone()),
                ),
            )
        }
        Proof::Invariant(name) => {
            let invariant = package.invariants.iter().find(|invariant| invariant.id.value == name.value);
            let id = name.value.clone();
            (
                "invariant",
                invariant.map_or_else(
                    || Piece::Code(id.clone()),
                    |one| links.to(anchor("invariant", &id), &one.location, id.clone()),
                ),
            )
        }
        Proof::Case(id) => ("case", Piece::Code(id.value.clone())),
        Proof::Test(name) => ("test", Piece::Code(name.value.clone())),
        Proof::Check(code) => ("check", Piece::Code(code.value.clone())),
    }
}
