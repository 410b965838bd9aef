//! The cases beside the project and those of the package hold, and the truth of
//! an outline is the truth of its formula.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use concord::deck::coverage::Coverage;
use concord::deck::run::run;
use concord::deck::{self, Deck};
use concord::diag::{self, Files};
use concord::engine::Engine;
use concord::engine::decision::{Exclusion, Offer, Standing};
use concord::ruleset::{self, Ruleset};

pub static SHIPPED: LazyLock<Arc<Ruleset>> =
    LazyLock::new(|| Arc::new(Ruleset::embedded().expect("the shipped package checks")));

/// The cases of the shipped package.
pub static DECK: LazyLock<Deck> = LazyLock::new(|| read(ruleset::embedded_cases()));

pub fn read(files: Vec<(String, String)>) -> Deck {
    let (deck, faults) = deck::read(Files::new(files), SHIPPED.package());
    assert!(faults.is_empty(), "{}", diag::render(&faults, &deck.files, false));
    deck
}

fn hold(deck: &Deck) {
    let failed: Vec<String> = run(deck, SHIPPED.engine(), |_| true)
        .iter()
        .flat_map(|verdict| verdict.misses.iter().map(|miss| format!("{}: {:?}", verdict.case.id, miss.found)))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn the_cases_of_the_package_hold() {
    assert!(DECK.cases.len() >= 100, "the deck holds {} cases", DECK.cases.len());
    hold(&DECK);
}

#[test]
fn the_shared_cases_hold() {
    let dir = Path::new("../shared/cases");
    // They stand beside the project and not in it.
    if dir.exists() {
        hold(&read(ruleset::case_files(dir).expect("readable cases")));
    }
}

fn each_valuation(mut look: impl FnMut(&Engine, &concord::engine::evaluate::Valuation)) {
    let verdicts = run(&DECK, SHIPPED.engine(), |_| true);
    for verdict in &verdicts {
        let engine = if verdict.case.drafts { SHIPPED.engine().with_drafts() } else { SHIPPED.engine() };
        verdict.values.iter().for_each(|values| look(engine, values));
    }
}

#[test]
fn an_outline_is_as_true_as_its_formula() {
    let mut compared = 0;
    each_valuation(|engine, values| {
        let program = engine.program();
        let rules = program.rules.iter().map(|rule| &rule.outline);
        for outline in rules.chain(program.definitions.iter().map(|definition| &definition.outline)) {
            let truth = outline.truth(&mut |_, clause| values.get(clause.node));
            assert_eq!(truth, values.get(outline.node), "{}", outline.text);
            compared += 1;
        }
    });
    assert!(compared > 30_000, "{compared} conditions");
}

/// The bar of the deck: every active rule fires in a case, is a near miss in one, and is left unknown in one, unless it
/// is proven that no record can.
#[test]
fn every_rule_fires_just_misses_and_is_left_unknown_in_a_case() {
    let verdicts = run(&DECK, SHIPPED.engine(), |_| true);
    let coverage = Coverage::of(SHIPPED.engine(), &verdicts, |_| true);
    let mut missing = Vec::new();
    for rule in &coverage.rules {
        for (what, goal) in [("fires", &rule.fires), ("just misses", &rule.near_miss), ("is unknown", &rule.undecided)]
        {
            if goal.is_missing() {
                missing.push(format!("in no case {} {what}", rule.id));
            }
        }
    }
    assert!(coverage.rules.len() >= 260 && missing.is_empty(), "{}", missing.join("\n"));
    let untried = coverage
        .drafts
        .iter()
        .filter(|draft| [&draft.fires, &draft.near_miss, &draft.undecided].into_iter().all(|goal| goal.count() == 0));
    let untried: Vec<&str> = untried.map(|draft| draft.id.as_str()).collect();
    assert!(untried.is_empty(), "in no case that asks for drafts: {untried:?}");
    let clauses = coverage.rules.iter().chain(&coverage.definitions).flat_map(|shown| &shown.clauses);
    let goals: Vec<_> =
        clauses.flat_map(|clause| [&clause.holds, &clause.keeps].into_iter().chain(&clause.unknown)).collect();
    let missing = goals.iter().filter(|goal| goal.is_missing()).count();
    assert!(missing * 100 <= goals.len(), "{missing} of {} goals of clauses are missing", goals.len());
}

/// Offers are what the expectations say they are.
#[test]
fn a_caution_with_an_offer_counts_as_offered() {
    let component = |offer, exclusion| {
        let standing = Standing::of(offer, exclusion);
        let (code, title) = (String::new(), String::new());
        let action = concord::engine::decision::Action::Start;
        concord::engine::decision::Component {
            code,
            title,
            action,
            offer,
            exclusion,
            standing,
            draft: false,
            rationale: Vec::new(),
            handling: None,
            formulary_note: None,
        }
    };
    assert!(component(Offer::Consider, Exclusion::Caution).offered());
    assert!(!component(Offer::Recommend, Exclusion::VerifyFirst).offered());
    assert!(!component(Offer::None, Exclusion::Caution).offered());
}
