//! Code systems and single codes, as records send them.

mod check;
mod read;
#[cfg(test)]
mod tests;

use serde::Serialize;

pub use read::{CodeStanding, Malformed, MalformedReason, ReadCode, read_code};

/// A code system that Concord understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum CodeSystem {
    /// ICD-10-CM, diagnoses in the United States. WHO's ICD-10 is a different system.
    #[serde(rename = "icd-10-cm")]
    Icd10Cm,
    /// SNOMED CT, any edition.
    #[serde(rename = "snomed-ct")]
    SnomedCt,
    /// RxNorm, medications.
    #[serde(rename = "rxnorm")]
    RxNorm,
    /// LOINC, observations, with its answer codes.
    #[serde(rename = "loinc")]
    Loinc,
    /// Concord's own codes, for instruments that have no LOINC code.
    #[serde(rename = "concord")]
    Concord,
}

/// Why a code system could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SystemProblem {
    /// A known system that is not one of ours and must not be read as one.
    #[error("{name} is not a supported code system")]
    Other {
        /// The system's usual name.
        name: &'static str,
    },
    /// A string that names no system known here.
    #[error("the code system is not known")]
    Unknown,
}

type Names = (&'static str, &'static str, &'static [&'static str]);

const OURS: [(CodeSystem, Names); 5] = [
    (
        CodeSystem::Icd10Cm,
        // Some vendors send the bare "ICD-10" for ICD-10-CM. WHO's system is only ever named by its own URI or OID.
        ("http://hl7.org/fhir/sid/icd-10-cm", "2.16.840.1.113883.6.90", &["ICD-10-CM", "ICD10CM", "ICD-10"]),
    ),
    (
        CodeSystem::SnomedCt,
        ("http://snomed.info/sct", "2.16.840.1.113883.6.96", &["SNOMED CT", "SNOMED-CT", "SNOMEDCT", "SNOMED"]),
    ),
    (CodeSystem::RxNorm, ("http://www.nlm.nih.gov/research/umls/rxnorm", "2.16.840.1.113883.6.88", &["RxNorm"])),
    (CodeSystem::Loinc, ("http://loinc.org", "2.16.840.1.113883.6.1", &["LOINC", "LN"])),
    (CodeSystem::Concord, ("urn:concord:observation", "", &["Concord"])),
];

const OTHERS: [(&str, Names); 3] = [
    ("WHO ICD-10", ("http://hl7.org/fhir/sid/icd-10", "2.16.840.1.113883.6.3", &[])),
    ("ICD-9-CM", ("http://hl7.org/fhir/sid/icd-9-cm", "2.16.840.1.113883.6.103", &["ICD-9-CM", "ICD9CM", "ICD-9"])),
    ("NDC", ("http://hl7.org/fhir/sid/ndc", "2.16.840.1.113883.6.69", &["NDC"])),
];

impl CodeSystem {
    /// The URI that FHIR gives the system; for Concord's own codes, its URN.
    pub fn uri(self) -> &'static str {
        match self {
            Self::Icd10Cm => "http://hl7.org/fhir/sid/icd-10-cm",
            Self::SnomedCt => "http://snomed.info/sct",
            Self::RxNorm => "http://www.nlm.nih.gov/research/umls/rxnorm",
            Self::Loinc => "http://loinc.org",
            Self::Concord => "urn:concord:observation",
        }
    }

    /// The name people use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Icd10Cm => "ICD-10-CM",
            Self::SnomedCt => "SNOMED CT",
            Self::RxNorm => "RxNorm",
            Self::Loinc => "LOINC",
            Self::Concord => "Concord",
        }
    }

    /// The system that `raw` names by FHIR URI, `urn:oid:` or short alias.
    ///
    /// White space around it, a version after `|`, one trailing slash and `https` for `http` are forgiven. Aliases and
    /// the `urn:oid:` prefix compare without regard to ASCII case, URIs exactly. A SNOMED CT edition URI is SNOMED CT.
    ///
    /// # Errors
    /// [`SystemProblem`] where it is another system, or none known.
    pub fn resolve(raw: &str) -> Result<Self, SystemProblem> {
        let unversioned = raw.split('|').next().unwrap_or_default().trim_ascii();
        let bare = unversioned.strip_suffix('/').unwrap_or(unversioned);
        if let Some((system, _)) = OURS.iter().find(|(_, names)| is_named(bare, names)) {
            return Ok(*system);
        }
        if is_snomed_edition(bare) {
            return Ok(Self::SnomedCt);
        }
        match OTHERS.iter().find(|(_, names)| is_named(bare, names)) {
            Some((name, _)) => Err(SystemProblem::Other { name }),
            None => Err(SystemProblem::Unknown),
        }
    }
}

fn is_named(bare: &str, (uri, oid, aliases): &Names) -> bool {
    if let Some(found) = strip_prefix_ignoring_case(bare, "urn:oid:") {
        return !oid.is_empty() && found == *oid;
    }
    rest_of_http(bare).is_some_and(|rest| rest_of_http(uri) == Some(rest))
        || bare == *uri
        || aliases.iter().any(|alias| alias.eq_ignore_ascii_case(bare))
}

/// `http://snomed.info/sct/731000124108/version/20250301` belongs in the version, and some senders put it here.
fn is_snomed_edition(bare: &str) -> bool {
    let edition = rest_of_http(bare).and_then(|rest| rest.strip_prefix("snomed.info/sct/"));
    edition.is_some_and(|path| {
        let module = path.split('/').next().unwrap_or_default();
        !module.is_empty() && module.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn rest_of_http(uri: &str) -> Option<&str> {
    uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://"))
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}
