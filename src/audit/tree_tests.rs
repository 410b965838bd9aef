use std::convert::Infallible;

use ct_merkle::mem_backed_tree::MemoryBackedTree;

use super::*;

/// Subtrees from the leaves themselves.
struct Leaves(Vec<Hash>);

impl Nodes for Leaves {
    type Error = Infallible;

    fn node(&mut self, height: u32, index: u64) -> Result<Hash, Infallible> {
        let (from, count) = (usize::try_from(index << height).unwrap(), 1_usize << height);
        let mut hashes = self.0[from..from + count].to_vec();
        while hashes.len() > 1 {
            hashes = hashes.chunks(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
        }
        Ok(hashes[0])
    }
}

fn leaf(index: u64) -> Vec<u8> {
    index.to_be_bytes().repeat(usize::try_from(index % 5).unwrap())
}

fn leaves(count: u64) -> Leaves {
    Leaves((0..count).map(|index| leaf_hash(&leaf(index))).collect())
}

fn hex(text: &str) -> Hash {
    let pairs = text.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect::<Vec<_>>().try_into().unwrap()
}

/// Vectors of the Certificate Transparency project for the tree of RFC 6962.
#[test]
fn roots_are_those_of_the_known_vectors() {
    let inputs: [&[u8]; 8] = [
        b"",
        &[0x00],
        &[0x10],
        &[0x20, 0x21],
        &[0x30, 0x31],
        &[0x40, 0x41, 0x42, 0x43],
        &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
    ];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut frontier = Frontier::default();
    assert_eq!(frontier.root(), hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    for (input, root) in inputs.iter().zip(roots) {
        frontier.push(leaf_hash(input));
        assert_eq!(frontier.root(), hex(root));
    }
}

#[test]
fn a_frontier_a_tree_and_the_library_agree_at_every_size() {
    let mut frontier = Frontier::default();
    let mut library = MemoryBackedTree::<sha2::Sha256, Vec<u8>>::new();
    for size in 0..300_u64 {
        assert_eq!(root(&mut leaves(size), size).unwrap(), frontier.root());
        if size > 0 {
            assert_eq!(library.root().as_bytes().as_slice(), frontier.root());
        }
        assert_eq!(Frontier::read(size, &frontier.bytes()), Some(frontier.clone()));
        frontier.push(leaf_hash(&leaf(size)));
        library.push(leaf(size));
    }
    assert_eq!(Frontier::read(3, &[0; 32]), None);
    assert_eq!(Frontier::read(1, &[0; 33]), None);
}

#[test]
fn every_inclusion_proof_holds_and_no_other_place_or_leaf() {
    let mut nodes = leaves(70);
    for size in 1..70 {
        let whole = root(&mut nodes, size).unwrap();
        for index in 0..size {
            let proof = inclusion(&mut nodes, index, size).unwrap();
            let of = |index, proof: &[Hash]| root_from_inclusion(leaf_hash(&leaf(index)), index, size, proof);
            assert_eq!(of(index, &proof), Some(whole));
            for other in (0..size).filter(|other| *other != index) {
                assert_ne!(of(other, &proof), Some(whole), "{index} as {other} of {size}");
            }
            for at in 0..proof.len() {
                let mut altered = proof.clone();
                altered[at][0] ^= 1;
                assert_ne!(of(index, &altered), Some(whole));
                altered.remove(at);
                assert_ne!(of(index, &altered), Some(whole));
            }
        }
        assert_eq!(inclusion(&mut nodes, size, size).unwrap(), Vec::<Hash>::new());
    }
}

#[test]
fn every_consistency_proof_holds_and_no_altered_one() {
    let mut nodes = leaves(70);
    for size in 0..70 {
        let new = root(&mut nodes, size).unwrap();
        for old in 0..=size {
            let before = root(&mut nodes, old).unwrap();
            let proof = consistency(&mut nodes, old, size).unwrap();
            assert!(is_consistent(old, size, &before, &new, &proof), "{old} {size}");
            let mut wrong = before;
            wrong[0] ^= 1;
            assert!(!is_consistent(old, size, &wrong, &new, &proof), "{old} {size}");
            for at in 0..proof.len() {
                let mut altered = proof.clone();
                altered[at][0] ^= 1;
                assert!(!is_consistent(old, size, &before, &new, &altered), "{old} {size} {at}");
                altered.remove(at);
                assert!(!is_consistent(old, size, &before, &new, &altered), "{old} {size} {at}");
            }
        }
    }
}

#[test]
fn proofs_are_those_of_the_library() {
    let mut library = MemoryBackedTree::<sha2::Sha256, Vec<u8>>::new();
    let mut nodes = leaves(40);
    for size in 1..40_u64 {
        library.push(leaf(size - 1));
        for index in 0..size {
            let theirs = library.prove_inclusion(usize::try_from(index).unwrap());
            assert_eq!(inclusion(&mut nodes, index, size).unwrap().concat(), theirs.as_bytes(), "{index} {size}");
        }
        for old in 1..size {
            let theirs = library.prove_consistency(usize::try_from(size - old).unwrap());
            assert_eq!(consistency(&mut nodes, old, size).unwrap().concat(), theirs.as_bytes(), "{old} {size}");
        }
    }
}
