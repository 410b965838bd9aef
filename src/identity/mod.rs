//! Who calls, and what they may do. Knows no gRPC, no settings and no clock:
//! the instant and the key set come as arguments, and nothing here does I/O.
//!
//! [`authority`] is the way in: what a call shows is made a caller with a name
//! and roles, or a refusal. [`policy`] then says whether the caller may call a
//! method. The readers ([`svid`], [`jwt`], [`jwks`], [`xfcc`]) take bytes of
//! anyone's, and give a typed refusal that holds none of them.

pub mod authority;
pub mod json;
pub mod jwks;
pub mod jwt;
#[cfg(test)]
pub(crate) mod minting;
mod peer;
pub mod policy;
pub mod proxies;
pub mod spiffe;
pub mod svid;
pub mod xfcc;

pub use self::peer::Peer;
