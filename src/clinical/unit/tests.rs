use std::collections::HashSet;
use std::str::FromStr;

use super::*;

fn dec(text: &str) -> Decimal {
    Decimal::from_str(text).unwrap()
}

fn converted(value: &str, from: &str, to: &str, substance: impl Into<Substance>) -> Result<String, UnitProblem> {
    let (from, to) = (Unit::parse(from)?, Unit::parse(to)?);
    convert(dec(value), from, to, substance).map(|value| value.to_string())
}

#[test]
fn the_table_is_whole() {
    let all: Vec<Unit> = table::all().map(Option::unwrap).collect();
    assert!(all.len() > 100);
    let codes: HashSet<_> = all.iter().map(|unit| unit.code()).collect();
    assert_eq!(codes.len(), all.len(), "a code stands twice");
    for unit in all {
        assert_eq!(Unit::parse(unit.code()), Ok(unit));
        assert!(unit.up > Decimal::ZERO && unit.down > Decimal::ZERO);
    }
}

#[test]
fn known_conversions() {
    for (value, from, to, expected) in [
        ("0.48", "s", "ms", "480"),
        ("90", "min", "h", "1.5"),
        ("2", "wk", "d", "14"),
        ("1", "a", "mo", "12"),
        ("150", "[lb_av]", "kg", "68.0388555"),
        ("70", "[in_i]", "cm", "177.8"),
        ("3.5", "g/dL", "g/L", "35"),
        ("50", "ug/mL", "mg/L", "50"),
        ("500", "ng/dL", "ug/L", "5"),
        ("1", "ukat/L", "U/L", "60"),
        ("40", "U/L", "[IU]/L", "40"),
        ("25", "m[IU]/mL", "[IU]/L", "25"),
        ("98.6", "[degF]", "Cel", "37"),
        ("37", "Cel", "[degF]", "98.6"),
        ("0", "K", "Cel", "-273.15"),
        ("120", "mm[Hg]", "kPa", "15.99864"),
        ("250", "10*9/L", "10*3/uL", "250"),
        ("150000", "/uL", "10*3/uL", "150"),
        ("0.97", "1", "%", "97"),
        ("12", "1", "{score}", "12"),
        ("72", "{beats}/min", "/min", "72"),
        ("1.5", "mL/s", "mL/min", "90"),
        ("25", "ug/h", "mg/d", "0.6"),
        ("80", "mg/d", "g/d", "0.08"),
        ("1000", "{copies}/mL", "{copies}/L", "1000000"),
        ("0.0", "mg/dL", "g/L", "0"),
        ("1", "d", "wk", "0.1428571428571428571428571429"),
    ] {
        assert_eq!(converted(value, from, to, None).as_deref(), Ok(expected), "{value} {from} to {to}");
    }
}

#[test]
fn mass_and_molar_concentrations_need_a_molar_mass() {
    let creatinine = Some(dec("113.12"));
    assert_eq!(converted("113.12", "mg/dL", "umol/L", creatinine).as_deref(), Ok("10000"));
    assert_eq!(converted("100", "umol/L", "mg/dL", creatinine).as_deref(), Ok("1.1312"));
    assert_eq!(converted("1", "mg/dL", "umol/L", None), Err(UnitProblem::Incommensurable));
    for useless in [dec("0"), dec("-1")] {
        assert_eq!(converted("1", "mg/dL", "umol/L", Some(useless)), Err(UnitProblem::Incommensurable));
    }
}

#[test]
fn equivalents_need_a_valence() {
    let magnesium = Substance { molar_mass: Some(dec("24.305")), valence: Some(dec("2")) };
    assert_eq!(converted("2", "meq/L", "mmol/L", magnesium).as_deref(), Ok("1"));
    assert_eq!(converted("2", "meq/L", "mg/dL", magnesium).as_deref(), Ok("2.4305"));
    assert_eq!(converted("2.4305", "mg/dL", "meq/L", magnesium).as_deref(), Ok("2"));
    let unknown = Substance { valence: None, ..magnesium };
    assert_eq!(converted("2", "meq/L", "mmol/L", unknown), Err(UnitProblem::Incommensurable));
}

#[test]
fn nothing_is_guessed() {
    for (from, to) in [
        ("ms", "mg"),
        ("mL/min", "mL/min/{1.73_m2}"),
        ("mmol/L", "meq/L"),
        ("{score}", "%"),
        ("{score}", "{INR}"),
        ("mg/d", "mg"),
        ("mg/kg", "mg"),
        ("[IU]/mL", "{copies}/mL"),
        ("10*3/uL", "U/L"),
    ] {
        assert_eq!(converted("1", from, to, None), Err(UnitProblem::Incommensurable), "{from} to {to}");
        assert_eq!(converted("1", to, from, None), Err(UnitProblem::Incommensurable), "{to} to {from}");
    }
    for code in ["", " mg/dL", "MG/DL", "mEq/L", "IU/L", "sec", "mmHg", "μg/L", "mg/dL "] {
        assert_eq!(Unit::parse(code), Err(UnitProblem::Unknown), "{code}");
    }
}

#[test]
fn a_value_in_the_wanted_unit_stays_as_written() {
    assert_eq!(converted("1.30", "mg/dL", "mg/dL", None).as_deref(), Ok("1.30"));
}

#[test]
fn a_result_out_of_range_is_a_problem_and_not_a_panic() {
    let all: Vec<Unit> = table::all().map(Option::unwrap).collect();
    for from in &all {
        for to in &all {
            for value in [Decimal::MAX, Decimal::MIN] {
                let substance = Substance { molar_mass: Some(Decimal::MAX), valence: Some(Decimal::MAX) };
                let _ = convert(value, *from, *to, substance);
            }
        }
    }
    assert_eq!(
        convert(Decimal::MAX, Unit::parse("kg").unwrap(), Unit::parse("ng").unwrap(), None),
        Err(UnitProblem::OutOfRange)
    );
}

#[test]
fn every_shipped_unit_is_in_the_table() {
    let texts = [
        include_str!("../../../rules/concepts/instruments.yaml"),
        include_str!("../../../rules/concepts/observations.yaml"),
        include_str!("../../../rules/concepts/urine.yaml"),
    ];
    let units = texts.iter().flat_map(|text| text.lines()).filter_map(|line| line.strip_prefix("  unit: "));
    let units: Vec<_> = units.map(|unit| unit.trim_matches('\'')).collect();
    assert!(units.len() > 40);
    for unit in units {
        assert!(Unit::parse(unit).is_ok(), "{unit}");
    }
}
