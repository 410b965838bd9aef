//! Units of measure: a table of the UCUM units that the observations use, with exact factors.

mod table;
#[cfg(test)]
mod tests;

use std::fmt;

use rust_decimal::Decimal;
use serde::Serialize;

/// A unit of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    code: &'static str,
    dimension: Dimension,
    /// One of this unit is `up / down` base units of its dimension. Two whole decimals keep thirds exact.
    up: Decimal,
    down: Decimal,
    /// What is added to a value before it is scaled, for temperatures.
    offset: Decimal,
}

/// What a unit measures. Units convert within a dimension, and in three named cases across.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dimension {
    /// Plain numbers, scores and ratios such as the INR; base 1.
    Number,
    /// Percent; base 1 %. Equal to a hundredth of the plain number 1 and of no annotated one.
    Percent,
    /// Time; base second.
    Time,
    /// Length; base meter.
    Length,
    /// Mass; base gram.
    Mass,
    /// Temperature; base kelvin.
    Temperature,
    /// Pressure; base pascal.
    Pressure,
    /// Mass per area, the body mass index; base kg/m2.
    MassPerArea,
    /// Events per time; base one a minute.
    Frequency,
    /// Mass per volume; base g/L.
    MassConcentration,
    /// Amount of substance per volume; base mol/L.
    MolarConcentration,
    /// Charge equivalents per volume; base eq/L.
    EquivalentConcentration,
    /// Enzyme or international units per volume; base U/L. The international unit of an enzyme is the U.
    ActivityConcentration,
    /// Cells per volume; base one a liter.
    NumberConcentration,
    /// Copies of a genome per volume; base one a liter.
    CopyConcentration,
    /// Volume per time, a clearance; base mL/min.
    Clearance,
    /// A clearance for a body surface of 1.73 m2; base mL/min. It does not convert to [`Dimension::Clearance`].
    NormalizedClearance,
    /// Mass per time, a dose; base g/d.
    MassRate,
    /// Mass per body mass; base g/kg.
    MassRatio,
    /// Mass per body mass and time; base g/kg/d.
    MassRatioRate,
}

/// Why a quantity could not be converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum UnitProblem {
    /// Not a unit of the table.
    #[error("the unit is not known")]
    Unknown,
    /// The units measure different things, or what would relate them is not known.
    #[error("the units cannot be converted into one another")]
    Incommensurable,
    /// The result is beyond the range of a decimal number.
    #[error("the value is out of range")]
    OutOfRange,
}

/// What is known of a substance that relates mass, amount and charge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Substance {
    /// Molar mass in g/mol. Without it mass and molar concentrations do not convert.
    pub molar_mass: Option<Decimal>,
    /// Charge number of the ion. Without it equivalents do not convert.
    pub valence: Option<Decimal>,
}

impl From<Option<Decimal>> for Substance {
    /// A substance of a known molar mass, in g/mol.
    fn from(molar_mass: Option<Decimal>) -> Self {
        Self { molar_mass, valence: None }
    }
}

impl Unit {
    /// Reads a UCUM code, case-sensitive and exact: `mg/dL` is a unit, `MG/DL` and `mEq/L` are not.
    ///
    /// # Errors
    /// [`UnitProblem::Unknown`].
    pub fn parse(code: &str) -> Result<Self, UnitProblem> {
        table::find(code).ok_or(UnitProblem::Unknown)
    }

    /// The UCUM code as the table writes it.
    pub fn code(self) -> &'static str {
        self.code
    }

    /// What the unit measures.
    pub fn dimension(self) -> Dimension {
        self.dimension
    }

    fn is_annotated(self) -> bool {
        self.code.starts_with('{')
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

/// Converts a value between units. `substance` may be a bare `Option<Decimal>`, the molar mass in g/mol.
///
/// Exact wherever the result has at most 28 significant digits. A value in the wanted unit already is returned as it is.
///
/// # Errors
/// [`UnitProblem::Incommensurable`], or [`UnitProblem::OutOfRange`].
pub fn convert(value: Decimal, from: Unit, to: Unit, substance: impl Into<Substance>) -> Result<Decimal, UnitProblem> {
    if from == to {
        return Ok(value);
    }
    let (up, down) = bridge(from, to, substance.into())?;
    // The multiplications come before the one division, so that nothing is rounded twice.
    let above = from.up.checked_mul(to.down).and_then(|it| it.checked_mul(up));
    let below = from.down.checked_mul(to.up).and_then(|it| it.checked_mul(down));
    let result = value
        .checked_add(from.offset)
        .zip(above.zip(below))
        .and_then(|(value, (above, below))| value.checked_mul(above)?.checked_div(below)?.checked_sub(to.offset));
    result.map(|value| value.normalize()).ok_or(UnitProblem::OutOfRange)
}

/// The factor, as a fraction, from base units of one dimension to those of the other.
fn bridge(from: Unit, to: Unit, substance: Substance) -> Result<(Decimal, Decimal), UnitProblem> {
    use Dimension::{EquivalentConcentration, MassConcentration, MolarConcentration, Number, Percent};
    let known =
        |value: Option<Decimal>| value.filter(|value| *value > Decimal::ZERO).ok_or(UnitProblem::Incommensurable);
    let one = Decimal::ONE;
    let (molar_mass, valence) = (substance.molar_mass, substance.valence);
    match (from.dimension, to.dimension) {
        // A score is not an INR, though UCUM has both for plain numbers.
        (Number, Number) if from.is_annotated() && to.is_annotated() => Err(UnitProblem::Incommensurable),
        (a, b) if a == b => Ok((one, one)),
        (Number, Percent) if !from.is_annotated() => Ok((Decimal::ONE_HUNDRED, one)),
        (Percent, Number) if !to.is_annotated() => Ok((one, Decimal::ONE_HUNDRED)),
        (MassConcentration, MolarConcentration) => Ok((one, known(molar_mass)?)),
        (MolarConcentration, MassConcentration) => Ok((known(molar_mass)?, one)),
        (MolarConcentration, EquivalentConcentration) => Ok((known(valence)?, one)),
        (EquivalentConcentration, MolarConcentration) => Ok((one, known(valence)?)),
        (MassConcentration, EquivalentConcentration) => Ok((known(valence)?, known(molar_mass)?)),
        (EquivalentConcentration, MassConcentration) => Ok((known(molar_mass)?, known(valence)?)),
        _ => Err(UnitProblem::Incommensurable),
    }
}
