//! The Merkle tree of RFC 6962, section 2.1: hashes, the frontier that grows
//! with the log, and proofs.

use sha2::{Digest as _, Sha256};

/// A hash.
pub type Hash = [u8; 32];

/// Hashes of a tile, as in C2SP tlog-tiles.
pub const TILE: u64 = 256;

/// Height of a tile.
pub const TILE_HEIGHT: u32 = 8;

/// Hash of a leaf.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update([0]);
    hash.update(leaf);
    hash.finalize().into()
}

/// Hash of a node.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update([1]);
    hash.update(left);
    hash.update(right);
    hash.finalize().into()
}

/// The roots of the perfect subtrees that a log of some size is made of, the
/// largest first: all that is needed to go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

impl Frontier {
    /// From what was written of it.
    #[must_use]
    pub fn read(size: u64, bytes: &[u8]) -> Option<Self> {
        let (roots, rest) = bytes.as_chunks::<32>();
        let fits = rest.is_empty() && roots.len() == usize::try_from(size.count_ones()).ok()?;
        fits.then(|| Self { size, roots: roots.to_vec() })
    }

    /// Leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// To be written.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.roots.concat()
    }

    /// Takes one more leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut root = leaf;
        // Each one at the end of the size is a perfect subtree that the new leaf completes.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.roots.pop() {
                root = node_hash(&left, &root);
            }
        }
        self.roots.push(root);
        self.size = self.size.saturating_add(1);
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut roots = self.roots.iter().rev();
        let Some(last) = roots.next() else { return Sha256::digest([]).into() };
        roots.fold(*last, |right, left| node_hash(left, &right))
    }
}

/// Where hashes of perfect subtrees come from.
pub trait Nodes {
    /// Why there is none.
    type Error;

    /// The root of the leaves `index << height` and on, `1 << height` of them, all of which exist.
    ///
    /// # Errors
    /// Where it can't be had.
    fn node(&mut self, height: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// The root of the leaves from `from` to before `to`, where `from` is as a
/// subtree of the RFC begins.
fn root_of<N: Nodes>(nodes: &mut N, from: u64, to: u64) -> Result<Hash, N::Error> {
    let count = to.saturating_sub(from);
    if count.is_power_of_two() {
        let height = count.trailing_zeros();
        return nodes.node(height, from >> height);
    }
    let middle = from.saturating_add(split(count));
    let left = root_of(nodes, from, middle)?;
    Ok(node_hash(&left, &root_of(nodes, middle, to)?))
}

/// The largest power of two below a count of at least 2.
fn split(count: u64) -> u64 {
    1 << count.saturating_sub(1).max(1).ilog2()
}

/// The root of the first leaves.
///
/// # Errors
/// Of [`Nodes`].
pub fn root<N: Nodes>(nodes: &mut N, size: u64) -> Result<Hash, N::Error> {
    if size == 0 {
        return Ok(Frontier::default().root());
    }
    root_of(nodes, 0, size)
}

/// Section 2.1.1: the hashes beside the way from a leaf to the root of the first
/// `size` leaves, from the leaf upwards. Empty where there is no such leaf.
///
/// # Errors
/// Of [`Nodes`].
pub fn inclusion<N: Nodes>(nodes: &mut N, index: u64, size: u64) -> Result<Vec<Hash>, N::Error> {
    let (mut from, mut to, mut beside) = (0, size, Vec::new());
    if index >= size {
        return Ok(beside);
    }
    while to.saturating_sub(from) > 1 {
        let middle = from.saturating_add(split(to.saturating_sub(from)));
        if index < middle {
            beside.push(root_of(nodes, middle, to)?);
            to = middle;
        } else {
            beside.push(root_of(nodes, from, middle)?);
            from = middle;
        }
    }
    beside.reverse();
    Ok(beside)
}

/// Section 2.1.2: what shows that the first `size` leaves begin with the first
/// `old`. Empty where `old` is 0 or not below `size`.
///
/// # Errors
/// Of [`Nodes`].
pub fn consistency<N: Nodes>(nodes: &mut N, old: u64, size: u64) -> Result<Vec<Hash>, N::Error> {
    let mut proof = Vec::new();
    if old == 0 || old >= size {
        return Ok(proof);
    }
    let (mut from, mut to) = (0_u64, size);
    // Is the part of the old tree here its whole? Then its root is known to who asks.
    let mut whole = true;
    while old != to {
        let middle = from.saturating_add(split(to.saturating_sub(from)));
        if old <= middle {
            proof.push(root_of(nodes, middle, to)?);
            to = middle;
        } else {
            proof.push(root_of(nodes, from, middle)?);
            from = middle;
            whole = false;
        }
    }
    if !whole {
        proof.push(root_of(nodes, from, to)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The root that a leaf and its inclusion proof give; none where the proof is
/// not one of such a place.
#[must_use]
pub fn root_from_inclusion(leaf: Hash, index: u64, size: u64, proof: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut at, mut last, mut root) = (index, size.saturating_sub(1), leaf);
    for hash in proof {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            root = node_hash(hash, &root);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            root = node_hash(&root, hash);
        }
        at >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(root)
}

/// Does the proof show that a tree of `size` leaves and `new_root` begins with
/// the tree of `old` leaves and `old_root`?
#[must_use]
pub fn is_consistent(old: u64, size: u64, old_root: &Hash, new_root: &Hash, proof: &[Hash]) -> bool {
    if old > size {
        return false;
    }
    if old == size {
        return proof.is_empty() && old_root == new_root;
    }
    if old == 0 {
        return proof.is_empty() && *old_root == Frontier::default().root();
    }
    let first = old.is_power_of_two().then_some(*old_root);
    let mut hashes = first.iter().chain(proof);
    let (mut at, mut last) = (old.saturating_sub(1), size.saturating_sub(1));
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let Some(seed) = hashes.next() else { return false };
    let (mut older, mut newer) = (*seed, *seed);
    for hash in hashes {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            older = node_hash(hash, &older);
            newer = node_hash(hash, &newer);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            newer = node_hash(&newer, hash);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && older == *old_root && newer == *new_root
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
