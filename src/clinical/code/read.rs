//! One code of a record: its normal form and what the code tables say of it.

use serde::Serialize;

use super::{CodeSystem, check};
use crate::clinical::terminology;

/// A well-formed code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReadCode {
    /// The system the code belongs to.
    pub system: CodeSystem,
    /// The code in the system's normal form: ICD-10-CM in upper case with its dot, the others as sent.
    pub code: String,
    /// What the embedded tables say of the code.
    pub standing: CodeStanding,
}

/// What the embedded code tables say of a well-formed code.
///
/// Only ICD-10-CM has a complete table and a table of retired codes. RxNorm codes are current or not listed. SNOMED CT,
/// LOINC and Concord's own codes have no table, so that a well-formed one reads as current; whether it means anything
/// here is for the value sets to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodeStanding {
    /// In the current release, and for ICD-10-CM billable.
    Current,
    /// An ICD-10-CM category that has finer codes below it.
    Header,
    /// In an earlier release of ICD-10-CM only.
    Retired,
    /// In no table. Unknown, which is not the same as meaningless.
    NotListed,
}

/// A code that its system cannot have. The text never repeats the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Malformed {
    /// What is wrong.
    pub reason: MalformedReason,
}

/// What is wrong with a malformed code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum MalformedReason {
    /// Nothing but white space.
    #[error("the code is empty")]
    Empty,
    /// A character outside ASCII, which may look like another one.
    #[error("the code has a character outside ASCII")]
    LookAlike,
    /// White space in or around a code of a system whose codes are exact (every system but ICD-10-CM).
    #[error("the code has white space in or around it")]
    WhiteSpace,
    /// Not the system's pattern.
    #[error("the code does not have the form of its code system")]
    Shape,
    /// The pattern, with a wrong check digit.
    #[error("the check digit of the code is wrong")]
    CheckDigit,
}

/// Reads one code as sent.
///
/// ICD-10-CM is normalized: trimmed, upper case (a filler `x` becomes `X`), spaces and dots removed, the dot put back
/// after the third character. The codes of every other system are exact: even surrounding white space is malformed.
///
/// # Errors
/// [`Malformed`] where the system can have no such code.
pub fn read_code(system: CodeSystem, raw: &str) -> Result<ReadCode, Malformed> {
    read(system, raw).map_err(|reason| Malformed { reason })
}

fn read(system: CodeSystem, raw: &str) -> Result<ReadCode, MalformedReason> {
    if raw.trim_ascii().is_empty() {
        return Err(MalformedReason::Empty);
    }
    if !raw.is_ascii() {
        return Err(MalformedReason::LookAlike);
    }
    if system == CodeSystem::Icd10Cm {
        let code = icd_normal_form(raw).ok_or(MalformedReason::Shape)?;
        let standing = terminology::icd_standing(&code);
        return Ok(ReadCode { system, code, standing });
    }
    if raw.bytes().any(|byte| byte.is_ascii_whitespace()) {
        return Err(MalformedReason::WhiteSpace);
    }
    let standing = match system {
        CodeSystem::RxNorm => rxnorm_standing(raw)?,
        CodeSystem::SnomedCt => snomed_standing(raw)?,
        CodeSystem::Loinc => loinc_standing(raw)?,
        CodeSystem::Concord | CodeSystem::Icd10Cm => own_standing(raw)?,
    };
    Ok(ReadCode { system, code: raw.to_owned(), standing })
}

/// A letter, two letters or digits, and up to four more after the dot: the pattern of every code of the release.
fn icd_normal_form(raw: &str) -> Option<String> {
    let mut plain: String = raw.trim_ascii().chars().filter(|c| !matches!(c, ' ' | '.')).collect();
    plain.make_ascii_uppercase();
    let shaped = (3..=7).contains(&plain.len())
        && plain.starts_with(|c: char| c.is_ascii_uppercase())
        && plain.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if !shaped {
        return None;
    }
    if plain.len() > 3 {
        plain.insert(3, '.');
    }
    Some(plain)
}

fn rxnorm_standing(raw: &str) -> Result<CodeStanding, MalformedReason> {
    if raw.len() > 8 || !is_number(raw) {
        return Err(MalformedReason::Shape);
    }
    Ok(if terminology::is_rxnorm_listed(raw) { CodeStanding::Current } else { CodeStanding::NotListed })
}

fn snomed_standing(raw: &str) -> Result<CodeStanding, MalformedReason> {
    if !(6..=18).contains(&raw.len()) || !is_number(raw) {
        return Err(MalformedReason::Shape);
    }
    if check::verhoeff(raw) { Ok(CodeStanding::Current) } else { Err(MalformedReason::CheckDigit) }
}

/// A LOINC code, or an answer code (`LA` and the rest), whose check digit counts letters and is not verified.
fn loinc_standing(raw: &str) -> Result<CodeStanding, MalformedReason> {
    let (answer, plain) = match raw.strip_prefix("LA") {
        Some(rest) => (true, rest),
        None => (false, raw),
    };
    let (digits, check) = plain.split_once('-').ok_or(MalformedReason::Shape)?;
    let &[check] = check.as_bytes() else {
        return Err(MalformedReason::Shape);
    };
    if digits.is_empty() || digits.len() > 7 || !all_digits(digits) || !check.is_ascii_digit() {
        return Err(MalformedReason::Shape);
    }
    if answer || check::luhn(digits, check) { Ok(CodeStanding::Current) } else { Err(MalformedReason::CheckDigit) }
}

/// Kebab case: lower-case letters and digits in words joined by single hyphens.
fn own_standing(raw: &str) -> Result<CodeStanding, MalformedReason> {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if raw.split('-').all(word) { Ok(CodeStanding::Current) } else { Err(MalformedReason::Shape) }
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_number(text: &str) -> bool {
    all_digits(text) && !text.starts_with('0')
}
