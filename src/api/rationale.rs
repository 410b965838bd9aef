//! Why something is said: rationales, requests and proofs to the wire.

use super::proto::{self, ground};
use crate::engine::decision::{
    Assessment, Basis, ConsideredRule, DataRequest, Disagreement, Effect, Evidence, Ground, Position, ProofNode,
    Rationale, Truth,
};

pub(super) fn rationale(from: Rationale) -> proto::Rationale {
    proto::Rationale {
        rule: from.rule,
        statement: from.statement,
        evidence: from.evidence.into_iter().map(evidence).collect(),
        strength: from.strength,
        verification: from.verification.to_owned(),
        because: from.because.into_iter().map(because).collect(),
        unknown: from.unknown,
        draft: from.draft,
        active_because: from.active_because.unwrap_or_default(),
    }
}

fn because(from: Ground) -> proto::Ground {
    let basis = match from.basis {
        Basis::Stated => ground::Basis::Stated,
        Basis::AbsentFromCompleteList => ground::Basis::AbsentFromCompleteList,
        Basis::Assumed => ground::Basis::Assumed,
    };
    let truth = if from.value { proto::Truth::True } else { proto::Truth::False };
    proto::Ground { fact: from.fact, truth: truth.into(), inputs: from.inputs, basis: basis.into() }
}

fn evidence(from: Evidence) -> proto::Evidence {
    proto::Evidence {
        source: from.source,
        title: from.title,
        publisher: from.publisher,
        year: from.year,
        place: from.place,
        url: from.url,
    }
}

pub(super) fn disagreement(from: Disagreement) -> proto::Disagreement {
    proto::Disagreement {
        id: from.id,
        question: from.question,
        positions: from.positions.into_iter().map(position).collect(),
        here: from.here,
        parameter: from.parameter.map(|choice| proto::ParameterChoice {
            parameter: choice.parameter,
            title: choice.title,
            value: choice.value,
            set_by_site: choice.set_by_site,
        }),
        rules: from.rules,
        components: from.components,
    }
}

fn position(from: Position) -> proto::Position {
    proto::Position {
        says: from.says,
        evidence: Some(evidence(from.evidence)),
        strength: from.strength,
        verification: from.verification.to_owned(),
    }
}

pub(super) fn data_request(from: DataRequest) -> proto::DataRequest {
    proto::DataRequest {
        id: from.id,
        category: from.category,
        statement: from.statement,
        field: from.field,
        codings: codings(from.codings),
        unit: from.unit,
        effects: from.effects.into_iter().map(effect).collect(),
        rationale: from.rationale.map(rationale),
    }
}

fn effect(from: Effect) -> proto::Effect {
    proto::Effect { rule: from.rule, kind: from.kind.to_owned(), title: from.title, draft: from.draft }
}

fn codings(from: Vec<(String, String)>) -> Vec<proto::RequestCoding> {
    from.into_iter().map(|(system, code)| proto::RequestCoding { system, code }).collect()
}

pub(super) fn assessment(from: Assessment) -> proto::Assessment {
    proto::Assessment {
        id: from.id,
        category: from.category,
        instrument: from.instrument,
        title: from.title,
        statement: from.statement,
        codings: codings(from.codings),
        unit: from.unit,
        rationale: Some(rationale(from.rationale)),
    }
}

pub(super) fn considered(from: ConsideredRule) -> proto::ConsideredRule {
    proto::ConsideredRule {
        rule: from.rule,
        title: from.title,
        truth: truth(from.truth).into(),
        proof: Some(proof(from.proof)),
        draft: from.draft,
    }
}

/// Recursion is bounded by the depth of a condition, which the package's
/// reader limits.
fn proof(from: ProofNode) -> proto::ProofNode {
    proto::ProofNode {
        condition: from.condition,
        truth: truth(from.truth).into(),
        inputs: from.inputs,
        assumed: from.assumed,
        children: from.children.into_iter().map(proof).collect(),
    }
}

fn truth(from: Truth) -> proto::Truth {
    match from {
        Truth::True => proto::Truth::True,
        Truth::False => proto::Truth::False,
        Truth::Unknown => proto::Truth::Unknown,
    }
}
