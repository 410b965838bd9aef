//! The entries one by one: each whole, in its place, with its key and its tags.

use std::collections::HashMap;

use super::super::entry::{Kind, Leaf};
use super::super::log::check_row;
use super::super::records::dictionary;
use super::super::seal::{REQUEST_TAG, SUBJECT_TAG};
use super::super::store::{Row, StoreError};
use super::super::tree::{TILE, leaf_hash};
use super::{AT_ONCE, Verifier};

/// Parts of every decision that was sealed.
const PARTS: [&str; 4] = ["request", "answer", "rules", "terms"];

/// Tags of requests, by the index of the entry.
type Tags = HashMap<u64, Vec<[u8; 16]>>;

impl Verifier<'_> {
    /// Reads all entries.
    pub(super) fn entries(&mut self) -> Result<(), StoreError> {
        let (first, size) = (self.report.first, self.report.entries);
        if first > size || !first.is_multiple_of(TILE) {
            self.report.find(None, format!("entries before {first} are pruned, which is no number of full tiles"));
            self.heads.lose();
        } else {
            self.pruned(0, first)?;
        }
        let mut next = first;
        while next < size {
            let rows = match self.store.rows(next, size, AT_ONCE) {
                Err(StoreError::Damaged(_)) => {
                    next = self.one_by_one(next, size)?;
                    continue;
                }
                rows => rows?,
            };
            let Some(last) = rows.last().map(|row| row.index) else {
                next = self.gap(next, size)?;
                continue;
            };
            let tags = self.tags(next, last.saturating_add(1))?;
            for row in rows {
                while next < row.index {
                    next = self.gap(next, row.index)?;
                }
                next = row.index.saturating_add(1);
                self.entry(&row, tags.as_ref())?;
            }
        }
        Ok(())
    }

    /// Takes the hashes of entries that were pruned from their tiles.
    fn pruned(&mut self, from: u64, to: u64) -> Result<(), StoreError> {
        let mut next = from;
        while next < to {
            let n = next / TILE;
            let tile = self.store.tile(0, n);
            let tile = self.report.read(None, tile)?.flatten().unwrap_or_default();
            let (hashes, rest) = tile.as_chunks::<32>();
            if hashes.len() as u64 != TILE || !rest.is_empty() {
                self.report.find(None, format!("tile 0/{n}, of entries that were pruned, is gone or cut"));
                self.heads.lose();
                return Ok(());
            }
            let offset = usize::try_from(next % TILE).unwrap_or_default();
            for hash in hashes.iter().skip(offset) {
                self.heads.push(self.store, &mut self.report, self.created.len(), *hash)?;
            }
            next = n.saturating_add(1).saturating_mul(TILE);
        }
        Ok(())
    }

    /// Entries that are not there: pruned meanwhile, or gone. Where to go on.
    fn gap(&mut self, from: u64, to: u64) -> Result<u64, StoreError> {
        let head = self.store.head();
        let first = self.report.read(None, head)?.map_or(0, |head| head.first);
        if first > from && first % TILE == 0 {
            let to = first.min(self.report.entries);
            self.pruned(from, to)?;
            self.report.first = first;
            return Ok(to);
        }
        let what = if to.saturating_sub(from) == 1 { String::new() } else { format!(", and all before entry {to}") };
        self.report.find(from, format!("it is gone{what}"));
        self.heads.lose();
        Ok(to)
    }

    /// Reads some entries of which one can't be read.
    fn one_by_one(&mut self, from: u64, size: u64) -> Result<u64, StoreError> {
        let to = size.min(from.saturating_add(AT_ONCE));
        let mut unread = 0;
        for index in from..to {
            let row = self.store.rows(index, index.saturating_add(1), 1);
            match self.report.read(Some(index), row)?.map(|mut rows| rows.pop()) {
                None => {
                    self.heads.lose();
                    unread += 1;
                }
                Some(None) => {
                    self.gap(index, index.saturating_add(1))?;
                }
                Some(Some(row)) => {
                    let tags = self.tags(index, index.saturating_add(1))?;
                    self.entry(&row, tags.as_ref())?;
                }
            }
        }
        // Where the table itself is broken there is no end to what can't be read.
        Ok(if unread == AT_ONCE { size } else { to })
    }

    fn tags(&mut self, from: u64, to: u64) -> Result<Option<Tags>, StoreError> {
        let read = self.store.requests(from, to);
        Ok(self.report.read(None, read)?.map(|read| {
            let mut tags = Tags::new();
            for (index, tag) in read {
                tags.entry(index).or_default().push(tag);
            }
            tags
        }))
    }

    fn entry(&mut self, row: &Row, tags: Option<&Tags>) -> Result<(), StoreError> {
        let index = row.index;
        if let Some(leaf) = self.report.read(Some(index), check_row(row))? {
            self.id(index, &leaf)?;
            let tags = tags.map(|tags| tags.get(&index).map_or(&[][..], Vec::as_slice));
            self.sealed(row, &leaf, tags)?;
            self.says(index, leaf);
        }
        self.heads.push(self.store, &mut self.report, self.created.len(), leaf_hash(&row.leaf))
    }

    /// Is it found by its id, as no other is?
    fn id(&mut self, index: u64, leaf: &Leaf) -> Result<(), StoreError> {
        if leaf.id.get_version_num() != 7 {
            self.report.find(index, "its id is no UUIDv7");
        }
        let found = self.store.find(&leaf.id);
        match self.report.read(Some(index), found)? {
            Some(Some(other)) if other != index => {
                self.report.find(index, format!("it has the id of entry {other}"));
            }
            Some(None) if self.again(index)?.is_some() => self.report.find(index, "it is not found by its id"),
            _ => {}
        }
        Ok(())
    }

    /// The entry as it is now: it may have been erased or pruned meanwhile.
    fn again(&mut self, index: u64) -> Result<Option<Row>, StoreError> {
        let row = self.store.rows(index, index.saturating_add(1), 1);
        Ok(self.report.read(Some(index), row)?.and_then(|mut rows| rows.pop()))
    }

    /// Its key, its content, its tags.
    fn sealed(&mut self, row: &Row, leaf: &Leaf, tags: Option<&[[u8; 16]]>) -> Result<(), StoreError> {
        let index = row.index;
        if row.key.is_none() && row.subject.is_some() {
            self.report.find(index, "it has the tag of a patient, and no key");
        }
        let (Some(body), Some(key)) = (&row.body, &row.key) else {
            if row.body.is_some() {
                self.missing.add([index, index]);
                self.report.erased = self.report.erased.saturating_add(1);
            }
            if tags.is_some_and(|tags| !tags.is_empty()) {
                self.report.find(index, "it has the tag of a request, and no content that can be opened");
            }
            return Ok(());
        };
        let Some(vault) = &self.vault else { return Ok(()) };
        let (store, dictionaries) = (&mut *self.store, &mut self.dictionaries);
        let content = match vault.unseal(leaf, body, key, |digest| dictionary(store, dictionaries, digest)) {
            Ok(content) => content,
            Err(fault) => {
                self.report.find(index, fault.to_string());
                return Ok(());
            }
        };
        self.report.opened = self.report.opened.saturating_add(1);
        let gone: Vec<&str> = PARTS.into_iter().filter(|part| content.part(part).is_none()).collect();
        if leaf.kind == Kind::Decision && !gone.is_empty() {
            self.report.find(index, format!("a decision without {}", gone.join(", ")));
        }
        let subject = content.part(SUBJECT_TAG) == row.subject.as_ref().map(<[u8; 16]>::as_slice);
        if !subject {
            self.report.find(index, "the tag of its patient is not the one that was sealed");
        }
        let sealed = content.part(REQUEST_TAG);
        if tags.is_some_and(|tags| !tags.iter().map(<[u8; 16]>::as_slice).eq(sealed)) {
            match self.again(index)? {
                Some(row) if row.key.is_some() => {
                    self.report.find(index, "the tag of its request is not the one that was sealed");
                }
                Some(_) => self.missing.add([index, index]),
                None => {}
            }
        }
        Ok(())
    }

    /// What it says of the log.
    fn says(&mut self, index: u64, leaf: Leaf) {
        match leaf.kind {
            Kind::Key if leaf.event.as_deref() == Some("created") => {
                self.created.push(leaf.key.unwrap_or_default());
            }
            Kind::Erasure => {
                let ends: Vec<u64> = leaf.entries.iter().flatten().copied().collect();
                let pairs = ends.as_chunks::<2>().0;
                let apart =
                    pairs.windows(2).all(|two| matches!(two, [[_, end], [from, _]] if end.saturating_add(1) < *from));
                let known = ends.last().is_none_or(|last| *last < index);
                if !apart || !known || pairs.iter().any(|[from, to]| from > to) {
                    self.report.find(index, "the ranges of an erasure ascend, do not adjoin, and end before it");
                    return;
                }
                leaf.entries.iter().for_each(|range| self.erased.add(*range));
            }
            Kind::Retention => {
                let first = leaf.first.unwrap_or_default();
                if first > index || !first.is_multiple_of(TILE) {
                    self.report.find(index, "an entry of retention names full tiles of entries before it");
                }
                self.retained = self.retained.max(first);
            }
            Kind::Ruleset => {
                if let Some((digest, content)) = leaf.ruleset.zip(leaf.content) {
                    self.packages.entry(digest).or_default().insert(content);
                }
            }
            _ => {}
        }
    }
}
