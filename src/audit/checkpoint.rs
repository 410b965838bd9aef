//! Heads of the log, signed: C2SP tlog-checkpoints in signed notes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::tree::Hash;
use crate::note::{self, NoteFault, PrivateKey, TrustedKey};

/// A head of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the log.
    pub origin: String,
    /// Entries.
    pub size: u64,
    /// Root over them.
    pub root: Hash,
}

/// Text that is not a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointFault {
    /// Not of the form.
    #[error("not a checkpoint: three lines are the name of the log, the number of entries and the root")]
    Form,
    /// Its signatures do not hold.
    #[error(transparent)]
    Note(#[from] NoteFault),
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// The signed note.
    #[must_use]
    pub fn sign(&self, keys: &[&PrivateKey]) -> String {
        note::sign(&self.text(), keys)
    }

    /// Reads a note that one of the keys signed.
    ///
    /// # Errors
    /// [`CheckpointFault`].
    pub fn open(note: &str, keys: &[TrustedKey]) -> Result<Self, CheckpointFault> {
        Self::read(note::open(note, keys)?).ok_or(CheckpointFault::Form)
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let plain = size.bytes().all(|byte| byte.is_ascii_digit()) && (size == "0" || !size.starts_with('0'));
        let size: u64 = size.parse().ok().filter(|_| plain)?;
        let root = STANDARD.decode(root).ok()?.try_into().ok()?;
        (!origin.is_empty() && lines.next().is_none()).then(|| Self { origin: origin.to_owned(), size, root })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_reads_back_and_nothing_else_is_one() {
        let key = PrivateKey::new("concord/1", &[1; 32]).unwrap();
        let checkpoint = Checkpoint { origin: "concord/1".to_owned(), size: 1207, root: [7; 32] };
        let note = checkpoint.sign(&[&key]);
        assert_eq!(Checkpoint::open(&note, &[key.public()]).unwrap(), checkpoint);
        for text in ["a\n", "a\n01\nAA==\n", "a\n1\nAA==\n", "\n1\n", &checkpoint.text().replace("1207", "+1207")] {
            let note = note::sign(text, &[&key]);
            assert_eq!(Checkpoint::open(&note, &[key.public()]), Err(CheckpointFault::Form), "{text:?}");
        }
        let other = PrivateKey::new("concord/1", &[2; 32]).unwrap();
        assert!(Checkpoint::open(&note, &[other.public()]).is_err());
        assert!(Checkpoint::open(&note.replace("1207", "1208"), &[key.public()]).is_err());
        // After a rotation both sign, and either is enough.
        let both = checkpoint.sign(&[&key, &other]);
        assert!(Checkpoint::open(&both, &[other.public()]).is_ok());
    }
}
