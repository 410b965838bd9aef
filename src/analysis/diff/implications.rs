//! Pairs of atoms of which the first implies the second: QTc >= 500 ms implies
//! QTc >= 450 ms. Known to the analyses, which treat atoms as free otherwise.

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};

use crate::program::{Atom, AtomId};
use crate::rule::model::{Bound, Comparison, DiagnosisStatus, Fact, MedicationTest, ObservationTest, Window};

/// All pairs. Only tests of the same thing are held against each other: there
/// are few of each.
pub fn between(atoms: &[Atom]) -> Vec<(AtomId, AtomId)> {
    let mut alike: HashMap<_, Vec<(u32, &Atom)>> = HashMap::new();
    for (id, atom) in (0..).zip(atoms) {
        alike.entry((atom.absent_unknown, of(&atom.fact))).or_default().push((id, atom));
    }
    let mut pairs = Vec::new();
    for (first, a) in (0..).zip(atoms) {
        for (second, b) in alike.get(&(a.absent_unknown, of(&a.fact))).into_iter().flatten() {
            if first != *second && implies(&a.fact, &b.fact) {
                pairs.push((AtomId(first), AtomId(*second)));
            }
        }
    }
    pairs
}

/// What a fact is a test of: no fact implies one of another thing.
fn of(fact: &Fact) -> (Discriminant<Fact>, Vec<&str>) {
    let of = match fact {
        Fact::Observation { concepts, .. } | Fact::Diagnosis { concepts, .. } | Fact::Medication { concepts, .. } => {
            names(concepts)
        }
        Fact::Event { types, .. } => names(types),
        Fact::Plan { kinds, .. } => names(kinds),
        _ => Vec::new(),
    };
    (discriminant(fact), of)
}

fn implies(a: &Fact, b: &Fact) -> bool {
    match (a, b) {
        (Fact::Age(a), Fact::Age(b)) => inside(a, b),
        (
            Fact::Observation { concepts: ca, window: wa, test: Some(ta) },
            Fact::Observation { concepts: cb, window: wb, test },
        ) if names(ca) == names(cb) => match test {
            // A result that passes a test is a result, in any wider window.
            None => narrower(*wa, *wb),
            // Which result is the newest depends on the window: same window only.
            Some(tb) => wa == wb && test_implies(ta, tb),
        },
        (
            Fact::Observation { concepts: ca, window: wa, test: None },
            Fact::Observation { concepts: cb, window: wb, test: None },
        ) => names(ca) == names(cb) && narrower(*wa, *wb),
        (
            Fact::Event { types: ta, substances: sa, window: wa },
            Fact::Event { types: tb, substances: sb, window: wb },
        ) => names(ta) == names(tb) && (sb.is_empty() || names(sa) == names(sb)) && narrower(*wa, *wb),
        (
            Fact::Diagnosis { concepts: ca, status: sa, severity: va, onset: oa, recorded: ra },
            Fact::Diagnosis { concepts: cb, status: sb, severity: vb, onset: ob, recorded: rb },
        ) => {
            names(ca) == names(cb)
                && (sa == sb || (*sb == DiagnosisStatus::Ever && lasting(*sa)))
                && (vb.is_empty() || va == vb)
                && narrower(*oa, *ob)
                && narrower(*ra, *rb)
        }
        (Fact::Medication { .. }, Fact::Medication { .. }) => medication_implies(a, b),
        (Fact::Plan { kinds: ka, .. }, Fact::Plan { kinds: kb, concepts: cb }) => {
            names(ka) == names(kb) && cb.is_empty()
        }
        _ => false,
    }
}

fn lasting(status: DiagnosisStatus) -> bool {
    matches!(status, DiagnosisStatus::Active | DiagnosisStatus::Remission | DiagnosisStatus::Past)
}

fn medication_implies(a: &Fact, b: &Fact) -> bool {
    let (
        Fact::Medication {
            concepts: ca,
            status: sa,
            started: ta,
            ended: ea,
            given_for: ga,
            not_given_for: na,
            daily_dose: da,
        },
        Fact::Medication {
            concepts: cb,
            status: sb,
            started: tb,
            ended: eb,
            given_for: gb,
            not_given_for: nb,
            daily_dose: db,
        },
    ) = (a, b)
    else {
        return false;
    };
    let status = sa == sb
        || *sb == MedicationTest::Ever
        || (*sb == MedicationTest::CurrentOrPlanned && matches!(sa, MedicationTest::Current | MedicationTest::Planned));
    let dose = match (da, db) {
        (_, None) => true,
        (Some(a), Some(b)) => inside(a, b),
        (None, Some(_)) => false,
    };
    names(ca) == names(cb)
        && status
        && (gb.is_empty() || names(ga) == names(gb))
        && (nb.is_empty() || names(na) == names(nb))
        && narrower(*ta, *tb)
        && narrower(*ea, *eb)
        && dose
}

fn names(list: &[crate::rule::model::Name]) -> Vec<&str> {
    list.iter().map(|name| name.value.as_str()).collect()
}

/// Is every moment of `a` one of `b`? Lengths in different units are not compared.
fn narrower(a: Window, b: Window) -> bool {
    let within = match (a.within, b.within) {
        (_, None) => true,
        (Some(a), Some(b)) => a.unit == b.unit && a.count <= b.count,
        (None, Some(_)) => false,
    };
    let more_than = match (a.more_than, b.more_than) {
        (_, None) => true,
        (Some(a), Some(b)) => a.unit == b.unit && a.count >= b.count,
        (None, Some(_)) => false,
    };
    within && more_than
}

fn test_implies(a: &ObservationTest, b: &ObservationTest) -> bool {
    match (a, b) {
        (ObservationTest::Quantity(a), ObservationTest::Quantity(b)) => inside(a, b),
        (ObservationTest::Is(a), ObservationTest::Is(b)) => a.value == b.value,
        _ => false,
    }
}

/// Is every number of `a` one of `b`? Ranges in different units are not compared.
fn inside(a: &Comparison, b: &Comparison) -> bool {
    let above = |a: Option<Bound>, b: Option<Bound>| match (a, b) {
        (_, None) => true,
        (Some(a), Some(b)) => a.value > b.value || (a.value == b.value && (b.inclusive || !a.inclusive)),
        (None, Some(_)) => false,
    };
    let below = |a: Option<Bound>, b: Option<Bound>| match (a, b) {
        (_, None) => true,
        (Some(a), Some(b)) => a.value < b.value || (a.value == b.value && (b.inclusive || !a.inclusive)),
        (None, Some(_)) => false,
    };
    a.unit == b.unit && above(a.low, b.low) && below(a.high, b.high)
}
