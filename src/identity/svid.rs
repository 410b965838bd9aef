//! The SPIFFE ID of a certificate, by the rules of X.509-SVIDs that a leaf must
//! keep. That its chain leads to a trusted authority is for TLS to verify.

use std::fmt;

use x509_cert::certificate::Version;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, SubjectAltName};
use x509_cert::{Certificate, TbsCertificate};

use super::spiffe::{SpiffeFault, SpiffeId};

/// Why a certificate names no workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SvidFault {
    /// Is not a certificate in DER, or has an extension twice.
    Malformed,
    /// Is not of version 3, which alone has extensions.
    Version,
    /// Not valid yet.
    Early,
    /// Not valid any more.
    Expired,
    /// May sign certificates: it is one of an authority.
    Authority,
    /// Its key may sign certificates or lists of revoked ones.
    SigningUse,
    /// Its key may not sign a handshake.
    NoSignature,
    /// Has no URI among its names.
    NoUri,
    /// Has more than one URI among its names.
    Uris,
    /// Its URI is no SPIFFE ID of a workload.
    Id(SpiffeFault),
}

impl fmt::Display for SvidFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Malformed => "the certificate is malformed",
            Self::Version => "the certificate is not of version 3",
            Self::Early => "the certificate is not valid yet",
            Self::Expired => "the certificate has expired",
            Self::Authority => "the certificate is that of an authority",
            Self::SigningUse => "the certificate may sign certificates",
            Self::NoSignature => "the certificate may not sign a handshake",
            Self::NoUri => "the certificate names no URI",
            Self::Uris => "the certificate names more than one URI",
            Self::Id(fault) => return fault.fmt(out),
        })
    }
}

impl std::error::Error for SvidFault {}

/// The ID of a leaf in DER, at an instant in seconds since 1970.
///
/// # Errors
/// [`SvidFault`], the first that is met.
pub fn id(der: &[u8], now: i64) -> Result<SpiffeId, SvidFault> {
    let certificate = Certificate::from_der(der).map_err(|_| SvidFault::Malformed)?;
    let leaf = certificate.tbs_certificate();
    if leaf.version() != Version::V3 {
        return Err(SvidFault::Version);
    }
    extensions_stand_once(leaf)?;
    in_time(leaf, now)?;
    let constraints = leaf.get_extension::<BasicConstraints>().map_err(|_| SvidFault::Malformed)?;
    if constraints.is_some_and(|(_, constraints)| constraints.ca) {
        return Err(SvidFault::Authority);
    }
    let usage = leaf.get_extension::<KeyUsage>().map_err(|_| SvidFault::Malformed)?;
    if let Some((_, usage)) = usage {
        if usage.key_cert_sign() || usage.crl_sign() {
            return Err(SvidFault::SigningUse);
        }
        if !usage.digital_signature() {
            return Err(SvidFault::NoSignature);
        }
    }
    let names = leaf.get_extension::<SubjectAltName>().map_err(|_| SvidFault::Malformed)?;
    let names = names.map(|(_, SubjectAltName(names))| names).unwrap_or_default();
    let mut uris = names.iter().filter_map(|name| match name {
        GeneralName::UniformResourceIdentifier(uri) => Some(uri.as_str()),
        _ => None,
    });
    let uri = uris.next().ok_or(SvidFault::NoUri)?;
    if uris.next().is_some() {
        return Err(SvidFault::Uris);
    }
    SpiffeId::parse(uri).map_err(SvidFault::Id)
}

fn extensions_stand_once(leaf: &TbsCertificate) -> Result<(), SvidFault> {
    let mut seen: Vec<_> = leaf.extensions().into_iter().flatten().map(|extension| extension.extn_id).collect();
    let all = seen.len();
    seen.sort_unstable();
    seen.dedup();
    if seen.len() == all { Ok(()) } else { Err(SvidFault::Malformed) }
}

fn in_time(leaf: &TbsCertificate, now: i64) -> Result<(), SvidFault> {
    // An instant before 1970 is before every certificate.
    let now = u64::try_from(now).map_err(|_| SvidFault::Early)?;
    if now < leaf.validity().not_before.to_unix_duration().as_secs() {
        return Err(SvidFault::Early);
    }
    if now > leaf.validity().not_after.to_unix_duration().as_secs() {
        return Err(SvidFault::Expired);
    }
    Ok(())
}

#[cfg(test)]
#[path = "svid_tests.rs"]
mod tests;
