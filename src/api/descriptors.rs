//! The contract as a file for others: grpcurl without reflection, a proxy that
//! transcodes, generators.

use prost_reflect::{DescriptorError, DescriptorPool};

use super::DESCRIPTOR_SET;

/// The encoded descriptor set of everything that a caller can meet:
/// `concord.v1` with its comments and options, health, and the details of
/// errors, which no method names.
///
/// # Errors
/// [`DescriptorError`] where a set is not one: a fault of the build.
pub fn published() -> Result<Vec<u8>, DescriptorError> {
    // By bytes, or the options would be lost. A file that is there is skipped.
    let mut pool = DescriptorPool::decode(DESCRIPTOR_SET)?;
    pool.decode_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)?;
    pool.decode_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)?;
    Ok(pool.encode_to_vec())
}

#[cfg(test)]
#[path = "descriptors_tests.rs"]
mod tests;
