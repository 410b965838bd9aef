//! The last head that was signed here, kept beside the key that signed it.
//!
//! Whoever can write the database alone can take its last entries away together
//! with the checkpoints that cover them. What is left is whole, and without this
//! file the service would go on from there and sign a second history.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::checkpoint::Checkpoint;
use super::store::{Store, StoreError, Stored, damaged};
use super::tree;
use crate::note::TrustedKey;

/// The file.
#[derive(Clone, Debug)]
pub(super) struct Kept(PathBuf);

impl Kept {
    /// Beside a key that signs.
    pub(super) fn beside(signing_key: &Path) -> Self {
        Self(signing_key.with_extension("head"))
    }

    /// Keeps a checkpoint, in the place of the one before. That it can't be kept
    /// is told and stops nothing: the entries are durable where they belong.
    pub(super) fn keep(&self, checkpoint: &str) {
        let beside = self.0.with_extension("head.part");
        let write = || {
            let mut file = File::create(&beside)?;
            file.write_all(checkpoint.as_bytes())?;
            // Before it takes the place: a file that a power loss cut would be no checkpoint.
            file.sync_data()?;
            fs::rename(&beside, &self.0)
        };
        if let Err(error) = write() {
            tracing::warn!(kind = %error.kind(), "the last signed head of the audit log could not be kept beside its key");
        }
    }

    /// Holds the log against what is kept: it must still begin with it.
    pub(super) fn hold(&self, store: &mut dyn Store, origin: &str, keys: &[TrustedKey]) -> Result<(), StoreError> {
        let text = match fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(StoreError::Unusable(format!("{}: {error}", self.0.display()))),
        };
        let not = |why: &str| {
            damaged(format!(
                "{why} {}, the head that was signed here last; where an older copy was put back on purpose, move that \
                 file away",
                self.0.display()
            ))
        };
        // A key that this log does not know signed for another one, or is gone with the end of this one.
        let kept = Checkpoint::open(&text, keys).map_err(|_| not("none of its keys signed"))?;
        if kept.origin != origin {
            return Err(not("it is not the log of"));
        }
        if store.head()?.frontier.size() < kept.size || tree::root(&mut Stored(store), kept.size)? != kept.root {
            return Err(not("it does not begin with what is signed in"));
        }
        Ok(())
    }
}
