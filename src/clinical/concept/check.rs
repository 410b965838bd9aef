//! Checks the definitions, and turns includes into their closure.

use std::collections::HashMap;

use super::{ConceptDef, ConceptFault, ConceptKind, ConceptProblem, IcdEntry};
use crate::clinical::code::{CodeStanding, CodeSystem, read_code};
use crate::clinical::terminology;

/// Every fault of the entries, in the order of the definitions.
pub(super) fn faults(defs: &[ConceptDef]) -> Vec<ConceptFault> {
    let mut found = Vec::new();
    for (index, def) in defs.iter().enumerate() {
        let mut report = |entry: String, problem: ConceptProblem| {
            found.push(ConceptFault { index, concept: def.id.clone(), entry, problem });
        };
        for (system, entry) in entries(def) {
            if let Some(problem) = wrong_system(def.kind, system) {
                report(entry.clone(), problem);
            } else if let Some(problem) = wrong_code(system, &entry) {
                report(entry, problem);
            }
        }
        for entry in &def.icd10cm {
            if let Some(problem) = wrong_icd(entry) {
                report(entry.to_string(), problem);
            }
        }
        for entry in &def.icd10cm_retired {
            if let Some(problem) = wrong_retired(entry) {
                report(entry.to_string(), problem);
            }
        }
        for ingredient in def.rxnorm_ingredients.iter().chain(&def.without_ingredients) {
            if terminology::is_rxnorm_listed(ingredient)
                && terminology::ingredients_of(ingredient).ne([ingredient.as_str()])
            {
                report(ingredient.clone(), ConceptProblem::NotIngredient);
            }
        }
        exceptions(def, &mut report);
    }
    found
}

/// The entries that are single codes, and ICD-10-CM entries for the check of the kind.
fn entries(def: &ConceptDef) -> impl Iterator<Item = (CodeSystem, String)> {
    let rxnorm = [&def.rxnorm_ingredients, &def.rxnorm_products, &def.rxnorm_except, &def.without_ingredients];
    let listed =
        [(CodeSystem::SnomedCt, &def.snomed), (CodeSystem::Loinc, &def.loinc), (CodeSystem::Concord, &def.local)];
    let single = rxnorm.map(|codes| (CodeSystem::RxNorm, codes)).into_iter().chain(listed);
    let single = single.flat_map(|(system, codes)| codes.iter().map(move |code| (system, code.clone())));
    let icd = def.icd10cm.iter().chain(&def.icd10cm_retired);
    icd.map(|entry| (CodeSystem::Icd10Cm, entry.to_string())).chain(single)
}

fn wrong_system(kind: ConceptKind, system: CodeSystem) -> Option<ConceptProblem> {
    let fits = match kind {
        ConceptKind::Diagnosis => matches!(system, CodeSystem::Icd10Cm | CodeSystem::SnomedCt),
        ConceptKind::Medication => system == CodeSystem::RxNorm,
        ConceptKind::Observation => {
            matches!(system, CodeSystem::Loinc | CodeSystem::SnomedCt | CodeSystem::Concord)
        }
    };
    (!fits).then(|| ConceptProblem::WrongSystem { system: system.name(), kind: kind.name() })
}

fn wrong_code(system: CodeSystem, code: &str) -> Option<ConceptProblem> {
    if system == CodeSystem::Icd10Cm {
        return None;
    }
    match read_code(system, code) {
        Err(malformed) => Some(malformed.into()),
        Ok(read) if read.standing == CodeStanding::NotListed => {
            Some(ConceptProblem::UnknownCode { system: system.name() })
        }
        Ok(_) => None,
    }
}

fn wrong_icd(entry: &IcdEntry) -> Option<ConceptProblem> {
    match normal_standing(entry) {
        Err(problem) => Some(problem),
        Ok(CodeStanding::NotListed) => Some(ConceptProblem::UnknownCode { system: CodeSystem::Icd10Cm.name() }),
        Ok(CodeStanding::Retired) => Some(ConceptProblem::Retired),
        Ok(CodeStanding::Header) if !entry.below => Some(ConceptProblem::BareHeader),
        Ok(CodeStanding::Header | CodeStanding::Current) => None,
    }
}

fn wrong_retired(entry: &IcdEntry) -> Option<ConceptProblem> {
    match normal_standing(entry) {
        Err(problem) => Some(problem),
        Ok(CodeStanding::NotListed) => Some(ConceptProblem::UnknownCode { system: CodeSystem::Icd10Cm.name() }),
        Ok(CodeStanding::Header | CodeStanding::Current) => Some(ConceptProblem::NotRetired),
        Ok(CodeStanding::Retired) => {
            let is_header = terminology::retired_leaves(&entry.code).ne([entry.code.as_str()]);
            (is_header && !entry.below).then_some(ConceptProblem::BareHeader)
        }
    }
}

fn normal_standing(entry: &IcdEntry) -> Result<CodeStanding, ConceptProblem> {
    let read = read_code(CodeSystem::Icd10Cm, &entry.code)?;
    if read.code == entry.code {
        return Ok(read.standing);
    }
    let normal = IcdEntry { code: read.code, below: entry.below };
    Err(ConceptProblem::NotNormal { normal: normal.to_string() })
}

fn exceptions(def: &ConceptDef, report: &mut impl FnMut(String, ConceptProblem)) {
    for code in &def.rxnorm_except {
        if def.rxnorm_products.contains(code) {
            report(code.clone(), ConceptProblem::ListedAndExcepted);
        }
    }
    if def.rxnorm_ingredients.is_empty() && def.rxnorm_products.is_empty() {
        for code in def.rxnorm_except.iter().chain(&def.without_ingredients) {
            report(code.clone(), ConceptProblem::IdleException);
        }
    }
    for encounter in &def.encounters_except {
        if !encounter.is_ascii_uppercase() && !encounter.is_ascii_digit() {
            report(encounter.to_string(), ConceptProblem::NotEncounter);
        } else if def.icd10cm.is_empty() && def.icd10cm_retired.is_empty() {
            report(encounter.to_string(), ConceptProblem::IdleException);
        }
    }
}

/// For each concept, itself and every concept that takes it in, directly or not; in ascending order.
pub(super) fn includers(defs: &[ConceptDef]) -> Result<Vec<Vec<usize>>, Vec<ConceptFault>> {
    let mut places = HashMap::new();
    let mut faults = Vec::new();
    let fault = |index: usize, entry: &str, problem| {
        let concept = defs.get(index).map(|def| def.id.clone()).unwrap_or_default();
        ConceptFault { index, concept, entry: entry.to_owned(), problem }
    };
    for (index, def) in defs.iter().enumerate() {
        if places.insert(def.id.as_str(), index).is_some() {
            faults.push(fault(index, &def.id, ConceptProblem::DuplicateId));
        }
    }
    let mut direct: Vec<Vec<usize>> = vec![Vec::new(); defs.len()];
    for (index, def) in defs.iter().enumerate() {
        for id in &def.includes {
            match places.get(id.as_str()).and_then(|place| Some((*place, defs.get(*place)?))) {
                None => faults.push(fault(index, id, ConceptProblem::UnknownInclude)),
                Some((_, other)) if other.kind != def.kind => {
                    faults.push(fault(index, id, ConceptProblem::IncludeOfOtherKind { kind: other.kind.name() }));
                }
                Some((place, _)) => {
                    if let Some(above) = direct.get_mut(place) {
                        above.push(index);
                    }
                }
            }
        }
    }
    let mut closure = Vec::with_capacity(defs.len());
    for index in 0..defs.len() {
        match reached(index, &direct) {
            Ok(all) => closure.push(all),
            Err(way) => {
                let ids: Vec<_> = way.iter().filter_map(|place| defs.get(*place)).map(|def| def.id.as_str()).collect();
                let path = ids.join(" includes ");
                let entry = ids.get(1).copied().unwrap_or_default();
                faults.push(fault(index, entry, ConceptProblem::IncludeCycle { path }));
            }
        }
    }
    if faults.is_empty() { Ok(closure) } else { Err(faults) }
}

/// What takes in `start`, directly or not, and `start`; or the way of includes from `start` back to it.
fn reached(start: usize, direct: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut came_from: HashMap<usize, usize> = HashMap::new();
    let mut open = vec![start];
    while let Some(place) = open.pop() {
        for next in direct.get(place).into_iter().flatten().copied() {
            if next == start {
                let mut way = vec![start];
                way.extend(std::iter::successors(Some(place), |place| came_from.get(place).copied()));
                return Err(way);
            }
            if let std::collections::hash_map::Entry::Vacant(vacant) = came_from.entry(next) {
                vacant.insert(place);
                open.push(next);
            }
        }
    }
    let mut all: Vec<usize> = came_from.into_keys().chain([start]).collect();
    all.sort_unstable();
    Ok(all)
}
