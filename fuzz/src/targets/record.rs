//! The audit log: notes, leaves, content and proofs.

use std::sync::LazyLock;

use concord::audit::checkpoint::Checkpoint;
use concord::audit::content::Content;
use concord::audit::entry::Leaf;
use concord::audit::tree::{Hash, is_consistent, root_from_inclusion};
use concord::note::{self, PrivateKey, TrustedKey};

static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::new("concord/fuzz", &[7; 32]).expect("a key"));

/// A key, a note, and a text that is signed here.
pub fn note(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(key) = TrustedKey::parse(text) {
        assert_eq!(TrustedKey::parse(&key.to_string()), Ok(key));
    }
    if let Ok(key) = PrivateKey::parse(text) {
        assert_eq!(TrustedKey::parse(&key.public().to_string()), Ok(key.public()));
    }
    let known = [KEY.public()];
    if let Ok(signed) = note::open(text, &known) {
        assert!(text.starts_with(signed));
    }
    if let Ok(checkpoint) = Checkpoint::open(text, &known) {
        assert!(text.starts_with(&checkpoint.text()));
    }
    let Some(text) = text.strip_prefix('!') else { return };
    let signed = note::sign(text, &[&KEY]);
    if let Ok(opened) = note::open(&signed, &known) {
        assert_eq!(opened, text);
    }
    if let Ok(checkpoint) = Checkpoint::open(&signed, &known) {
        assert_eq!(checkpoint.text(), text);
    }
}

/// A leaf.
pub fn leaf(data: &[u8]) {
    if let Ok(leaf) = Leaf::read(data) {
        let bytes = leaf.bytes().expect("as long as it was");
        assert_eq!(Leaf::read(&bytes), Ok(leaf));
    }
}

/// Content, as it is sealed; where it has a dictionary, that is of the same bytes.
pub fn content(data: &[u8]) {
    if let Ok(content) = Content::unpack(data, |_| Some(data.into())) {
        assert!(content.names().all(|name| name.is_ascii() && content.part(name).is_some()));
    }
}

/// Proofs: two numbers, two hashes, and the hashes of the proof.
pub fn proof(data: &[u8]) {
    let Some((one, rest)) = data.split_first_chunk::<8>() else { return };
    let Some((other, rest)) = rest.split_first_chunk::<8>() else { return };
    let (at, size) = (u64::from_le_bytes(*one), u64::from_le_bytes(*other));
    let hashes: &[Hash] = rest.as_chunks::<32>().0;
    let [first, second, proof @ ..] = hashes else { return };
    let root = root_from_inclusion(*first, at, size, proof);
    assert!(root.is_none() || at < size);
    if is_consistent(at, size, first, second, proof) {
        assert!(at <= size && (at != size || first == second));
    }
}
