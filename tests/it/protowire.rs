//! Messages as bytes, field by field: what no generated type would write.

use prost::encoding::encode_varint;

pub fn varint(value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_varint(value, &mut bytes);
    bytes
}

/// What a field begins with: its number and how its value is written.
pub fn tag(number: u32, wire: u64) -> Vec<u8> {
    varint(u64::from(number) << 3 | wire)
}

/// A field whose value has a length.
pub fn block(number: u32, bytes: &[u8]) -> Vec<u8> {
    [tag(number, 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}
