//! Reads the log: entries with what was sealed of them, proofs, checkpoints.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::checkpoint::Checkpoint;
use super::content::Content;
use super::entry::Leaf;
use super::log::{LogError, check_row, keys};
use super::seal::Vault;
use super::store::{Archived, Row, Store, Stored, damaged};
use super::tree::{self, Hash};
use crate::note::TrustedKey;

/// A log to read.
pub struct Records {
    store: Box<dyn Store>,
    vault: Vault,
    dictionaries: HashMap<[u8; 32], Arc<[u8]>>,
}

/// An entry as it was read.
#[derive(Clone, Debug)]
pub struct Record {
    /// As it is stored.
    pub row: Row,
    /// What is in clear.
    pub leaf: Leaf,
    /// What was sealed; none where nothing was, or its key was destroyed.
    pub content: Option<Content>,
}

impl Record {
    /// Had it content, and was the key of that destroyed?
    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.row.body.is_some() && self.row.key.is_none()
    }
}

impl Records {
    /// Of a store and what opens its entries.
    #[must_use]
    pub fn new(store: Box<dyn Store>, vault: Vault) -> Self {
        Self { store, vault, dictionaries: HashMap::new() }
    }

    /// The store.
    pub fn store(&mut self) -> &mut dyn Store {
        self.store.as_mut()
    }

    /// What opens entries.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// An entry, by its index; none where there is none, or it was pruned.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn at(&mut self, index: u64) -> Result<Option<Record>, LogError> {
        let row = self.store.rows(index, index.saturating_add(1), 1)?.pop();
        row.map(|row| self.open(row)).transpose()
    }

    /// An entry, by its id.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn by_id(&mut self, id: &Uuid) -> Result<Option<Record>, LogError> {
        match self.store.find(id)? {
            Some(index) => self.at(index),
            None => Ok(None),
        }
    }

    /// Opens what was sealed of an entry.
    ///
    /// # Errors
    /// [`LogError`] where the entry is not whole.
    pub fn open(&mut self, row: Row) -> Result<Record, LogError> {
        let leaf = check_row(&row)?;
        let content = match (&row.body, &row.key) {
            (Some(body), Some(key)) => {
                let (store, dictionaries) = (&mut self.store, &mut self.dictionaries);
                Some(self.vault.unseal(&leaf, body, key, |digest| dictionary(store.as_mut(), dictionaries, digest))?)
            }
            _ => None,
        };
        Ok(Record { row, leaf, content })
    }

    /// The last checkpoint: its note and what it says.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn checkpoint(&mut self) -> Result<(String, Checkpoint), LogError> {
        let note = self.store.checkpoint()?.ok_or_else(|| damaged("it has no checkpoint"))?;
        let keys = keys(self.store.as_mut())?;
        let checkpoint = Checkpoint::open(&note, &keys).map_err(|fault| damaged(fault.to_string()))?;
        Ok((note, checkpoint))
    }

    /// The public keys of the log.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn keys(&mut self) -> Result<Vec<TrustedKey>, LogError> {
        Ok(keys(self.store.as_mut())?)
    }

    /// The hashes beside the way from a leaf to the root over `size` of them.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn inclusion(&mut self, index: u64, size: u64) -> Result<Vec<Hash>, LogError> {
        Ok(tree::inclusion(&mut Stored(self.store.as_mut()), index, size)?)
    }

    /// What shows that the first `size` entries begin with the first `old`.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn consistency(&mut self, old: u64, size: u64) -> Result<Vec<Hash>, LogError> {
        Ok(tree::consistency(&mut Stored(self.store.as_mut()), old, size)?)
    }
}

pub(super) fn dictionary(
    store: &mut dyn Store,
    known: &mut HashMap<[u8; 32], Arc<[u8]>>,
    digest: &[u8; 32],
) -> Option<Arc<[u8]>> {
    if let Some(bytes) = known.get(digest) {
        return Some(Arc::clone(bytes));
    }
    let bytes: Arc<[u8]> = store.archived(Archived::Dictionary, digest).ok()??.into();
    if super::entry::sha256(&bytes) != *digest {
        return None;
    }
    known.insert(*digest, Arc::clone(&bytes));
    Some(bytes)
}
