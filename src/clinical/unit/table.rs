//! The units, by their UCUM code.

use rust_decimal::Decimal;

use super::{Dimension, Unit};

/// A unit as `up * 10^ten / down` base units.
struct Row {
    code: &'static str,
    up: i64,
    ten: i32,
    down: i64,
}

const fn ten(code: &'static str, ten: i32) -> Row {
    Row { code, up: 1, ten, down: 1 }
}

const fn times(code: &'static str, up: i64, ten: i32) -> Row {
    Row { code, up, ten, down: 1 }
}

const fn ratio(code: &'static str, up: i64, ten: i32, down: i64) -> Row {
    Row { code, up, ten, down }
}

/// UCUM has `L` and `l` for the liter; both are listed where records use both.
const TABLE: &[(Dimension, &[Row])] = &[
    (
        Dimension::Number,
        &[ten("1", 0), ten("{score}", 0), ten("{INR}", 0), ten("{ratio}", 0), ten("{count}", 0), ten("{#}", 0)],
    ),
    (Dimension::Percent, &[ten("%", 0)]),
    (
        Dimension::Time,
        &[
            ten("ms", -3),
            ten("s", 0),
            times("min", 60, 0),
            times("h", 3_600, 0),
            times("d", 86_400, 0),
            times("wk", 604_800, 0),
            // UCUM's month is a twelfth of its year, and its year is the Julian one of 365.25 days.
            times("mo", 2_629_800, 0),
            times("a", 31_557_600, 0),
        ],
    ),
    (
        Dimension::Length,
        &[ten("m", 0), ten("cm", -2), ten("mm", -3), times("[in_i]", 254, -4), times("[ft_i]", 3_048, -4)],
    ),
    (
        Dimension::Mass,
        &[
            ten("kg", 3),
            ten("g", 0),
            ten("mg", -3),
            ten("ug", -6),
            ten("ng", -9),
            times("[lb_av]", 45_359_237, -5),
            times("[oz_av]", 28_349_523_125, -9),
        ],
    ),
    (Dimension::Temperature, &[ten("K", 0), ten("Cel", 0), ratio("[degF]", 5, 0, 9)]),
    (Dimension::Pressure, &[ten("Pa", 0), ten("kPa", 3), times("mm[Hg]", 133_322, -3), times("cm[H2O]", 980_665, -4)]),
    (Dimension::MassPerArea, &[ten("kg/m2", 0), ten("g/m2", -3)]),
    (
        Dimension::Frequency,
        &[
            ten("/min", 0),
            ten("{beats}/min", 0),
            ten("{breaths}/min", 0),
            ten("1/min", 0),
            times("/s", 60, 0),
            times("Hz", 60, 0),
            ratio("/h", 1, 0, 60),
        ],
    ),
    (
        Dimension::MassConcentration,
        &[
            ten("g/L", 0),
            ten("g/l", 0),
            ten("g/dL", 1),
            ten("g/dl", 1),
            ten("mg/dL", -2),
            ten("mg/dl", -2),
            ten("mg/L", -3),
            ten("mg/l", -3),
            ten("mg/mL", 0),
            ten("ug/mL", -3),
            ten("ug/dL", -5),
            ten("ug/L", -6),
            ten("ng/mL", -6),
            ten("ng/dL", -8),
            ten("ng/L", -9),
            ten("pg/mL", -9),
        ],
    ),
    (
        Dimension::MolarConcentration,
        &[
            ten("mol/L", 0),
            ten("mmol/L", -3),
            ten("mmol/l", -3),
            ten("umol/L", -6),
            ten("umol/l", -6),
            ten("nmol/L", -9),
            ten("pmol/L", -12),
        ],
    ),
    (Dimension::EquivalentConcentration, &[ten("eq/L", 0), ten("meq/L", -3), ten("ueq/L", -6)]),
    (
        Dimension::ActivityConcentration,
        &[
            ten("U/L", 0),
            ten("U/l", 0),
            ten("mU/mL", 0),
            ten("U/mL", 3),
            ten("[IU]/L", 0),
            ten("[iU]/L", 0),
            ten("m[IU]/mL", 0),
            ten("m[IU]/L", -3),
            ten("[IU]/mL", 3),
            times("ukat/L", 60, 0),
            times("nkat/L", 6, -2),
        ],
    ),
    (
        Dimension::NumberConcentration,
        &[
            ten("/L", 0),
            ten("10*9/L", 9),
            ten("10*12/L", 12),
            ten("/uL", 6),
            ten("{cells}/uL", 6),
            ten("10*3/uL", 9),
            ten("10*6/uL", 12),
            ten("/mm3", 6),
            ten("10*3/mm3", 9),
        ],
    ),
    (Dimension::CopyConcentration, &[ten("{copies}/mL", 3), ten("{copies}/L", 0)]),
    (Dimension::Clearance, &[ten("mL/min", 0), ten("ml/min", 0), times("mL/s", 60, 0), ten("L/min", 3)]),
    (
        Dimension::NormalizedClearance,
        &[
            ten("mL/min/{1.73_m2}", 0),
            ten("ml/min/{1.73_m2}", 0),
            ten("mL/min/{1.73m2}", 0),
            times("mL/s/{1.73_m2}", 60, 0),
        ],
    ),
    (
        Dimension::MassRate,
        &[
            ten("g/d", 0),
            ten("mg/d", -3),
            ten("ug/d", -6),
            times("mg/h", 24, -3),
            times("ug/h", 24, -6),
            ratio("mg/wk", 1, -3, 7),
        ],
    ),
    (Dimension::MassRatio, &[ten("g/kg", 0), ten("mg/kg", -3), ten("ug/kg", -6)]),
    (Dimension::MassRatioRate, &[ten("mg/kg/d", -3), ten("g/kg/d", 0), times("ug/kg/h", 24, -6)]),
];

/// The unit of a UCUM code.
pub(super) fn find(code: &str) -> Option<Unit> {
    TABLE.iter().find_map(|(dimension, rows)| {
        let row = rows.iter().find(|row| row.code == code)?;
        unit(*dimension, row)
    })
}

fn unit(dimension: Dimension, row: &Row) -> Option<Unit> {
    let power = |exponent: i32| 10_i64.checked_pow(exponent.max(0).unsigned_abs()).map(Decimal::from);
    Some(Unit {
        code: row.code,
        dimension,
        up: Decimal::from(row.up).checked_mul(power(row.ten)?)?,
        down: Decimal::from(row.down).checked_mul(power(row.ten.checked_neg()?)?)?,
        offset: match row.code {
            "Cel" => Decimal::new(27_315, 2),
            "[degF]" => Decimal::new(45_967, 2),
            _ => Decimal::ZERO,
        },
    })
}

#[cfg(test)]
pub(super) fn all() -> impl Iterator<Item = Option<Unit>> {
    TABLE.iter().flat_map(|(dimension, rows)| rows.iter().map(|row| unit(*dimension, row)))
}
