//! Truth values of all formulas for one patient.
//!
//! The values of a patient of whom nothing is said are known when a package is
//! loaded. A patient differs from that one in few atoms, so only what hangs on
//! those is computed again: bit sets are copied, and changes climb from parts
//! to what they are part of.

use crate::clinical::prints_nothing;
use crate::rule::truth::Truth;

use crate::program::{AtomId, Formula, NodeId, Program};

/// A three-valued bit set: what is in neither set is unknown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Valuation {
    is_true: Vec<u64>,
    is_false: Vec<u64>,
}

impl Valuation {
    fn unknown(len: usize) -> Self {
        let words = len.div_ceil(64);
        Self { is_true: vec![0; words], is_false: vec![0; words] }
    }

    /// Truth value of a formula.
    #[must_use]
    pub fn get(&self, node: NodeId) -> Truth {
        let (word, bit) = (node.at() / 64, 1_u64 << (node.at() % 64));
        let has = |set: &[u64]| set.get(word).is_some_and(|word| word & bit != 0);
        if has(&self.is_true) {
            Truth::True
        } else if has(&self.is_false) {
            Truth::False
        } else {
            Truth::Unknown
        }
    }

    /// The formulas of a set that are not false.
    pub fn not_false<'a>(&'a self, set: &'a NodeSet) -> impl Iterator<Item = NodeId> + 'a {
        let words = set.words.iter().zip(&self.is_false).map(|(wanted, no)| wanted & !no);
        (0_u32..).zip(words).flat_map(|(word, bits)| bits_of(bits).map(move |bit| NodeId(word * 64 + bit)))
    }

    fn set(&mut self, node: usize, truth: Truth) {
        let (word, bit) = (node / 64, 1_u64 << (node % 64));
        if let (Some(yes), Some(no)) = (self.is_true.get_mut(word), self.is_false.get_mut(word)) {
            *yes &= !bit;
            *no &= !bit;
            match truth {
                Truth::True => *yes |= bit,
                Truth::False => *no |= bit,
                Truth::Unknown => {}
            }
        }
    }
}

fn bits_of(mut bits: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let bit = bits.trailing_zeros();
        bits &= bits.checked_sub(1)?;
        Some(bit)
    })
}

/// A set of formulas.
#[derive(Clone, Debug, Default)]
pub struct NodeSet {
    words: Vec<u64>,
}

impl NodeSet {
    /// The set of these formulas.
    #[must_use]
    pub fn of(nodes: impl Iterator<Item = NodeId>) -> Self {
        let mut words = Vec::new();
        for node in nodes {
            let word = node.at() / 64;
            if word >= words.len() {
                words.resize(word + 1, 0);
            }
            if let Some(word) = words.get_mut(word) {
                *word |= 1_u64 << (node.at() % 64);
            }
        }
        Self { words }
    }
}

/// Which of the lists that may be assumed are read as unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Open {
    /// Absence from the diagnoses is unknown.
    pub diagnoses: bool,
    /// Absence from the medications is unknown.
    pub medications: bool,
}

impl Open {
    const ALL: [Self; 4] = [
        Self { diagnoses: false, medications: false },
        Self { diagnoses: true, medications: false },
        Self { diagnoses: false, medications: true },
        Self { diagnoses: true, medications: true },
    ];

    fn index(self) -> usize {
        usize::from(self.diagnoses) + 2 * usize::from(self.medications)
    }
}

/// Evaluates a program; made once a package.
#[derive(Clone, Debug)]
pub struct Evaluator {
    nodes: Vec<Formula>,
    node_of_atom: Vec<Option<NodeId>>,
    /// For each formula, the formulas it is part of.
    wholes: Vec<Vec<u32>>,
    /// Atoms of an empty record, and the formulas over them, by [`Open`].
    empty: [(Vec<Truth>, Valuation); 4],
}

impl Evaluator {
    /// Prepares a program. `absent` says what an atom is for a record of which
    /// nothing is said.
    #[must_use]
    pub fn new(program: &Program, absent: impl Fn(AtomId, Open) -> Truth) -> Self {
        let mut node_of_atom = vec![None; program.atoms.len()];
        let mut wholes = vec![Vec::new(); program.nodes.len()];
        for (index, formula) in (0_u32..).zip(&program.nodes) {
            if let Formula::Atom(atom) = formula
                && let Some(slot) = node_of_atom.get_mut(atom.at())
            {
                *slot = Some(NodeId(index));
            }
            for part in formula.parts() {
                if let Some(wholes) = wholes.get_mut(part.at())
                    && wholes.last() != Some(&index)
                {
                    wholes.push(index);
                }
            }
        }
        let empty = Open::ALL.map(|open| {
            let atoms: Vec<Truth> = (0..program.atoms.len())
                .map(|atom| absent(AtomId(u32::try_from(atom).unwrap_or(u32::MAX)), open))
                .collect();
            let values = evaluate_all(&program.nodes, &atoms);
            (atoms, values)
        });
        Self { nodes: program.nodes.clone(), node_of_atom, wholes, empty }
    }

    /// Truth of an atom in an empty record.
    #[must_use]
    pub fn absent(&self, atom: AtomId, open: Open) -> Truth {
        self.empty.get(open.index()).and_then(|(atoms, _)| atoms.get(atom.at())).copied().unwrap_or(Truth::Unknown)
    }

    /// Formula of an atom.
    #[must_use]
    pub fn node(&self, atom: AtomId) -> Option<NodeId> {
        self.node_of_atom.get(atom.at()).copied().flatten()
    }

    /// Truth values of all formulas where the given atoms differ from an empty
    /// record.
    #[must_use]
    pub fn evaluate(&self, atoms: impl Iterator<Item = (AtomId, Truth)>, open: Open) -> Valuation {
        let Some((_, empty)) = self.empty.get(open.index()) else { return Valuation::default() };
        let mut values = empty.clone();
        let mut stale = vec![0_u64; values.is_true.len()];
        for (atom, truth) in atoms {
            if let Some(node) = self.node(atom)
                && values.get(node) != truth
            {
                values.set(node.at(), truth);
                self.mark(&mut stale, node.at());
            }
        }
        // Parts come before wholes, so one pass upward settles everything.
        for word in 0..stale.len() {
            while let Some(bits) = stale.get(word).copied().filter(|bits| *bits != 0) {
                let bit = bits.trailing_zeros() as usize;
                if let Some(slot) = stale.get_mut(word) {
                    *slot &= !(1_u64 << bit);
                }
                let node = word * 64 + bit;
                let Some(formula) = self.nodes.get(node) else { continue };
                let truth = value(formula, &values);
                if values.get(NodeId(u32::try_from(node).unwrap_or(u32::MAX))) != truth {
                    values.set(node, truth);
                    self.mark(&mut stale, node);
                }
            }
        }
        values
    }

    fn mark(&self, stale: &mut [u64], node: usize) {
        for whole in self.wholes.get(node).map(Vec::as_slice).unwrap_or_default() {
            let whole = *whole as usize;
            if let Some(word) = stale.get_mut(whole / 64) {
                *word |= 1_u64 << (whole % 64);
            }
        }
    }
}

fn evaluate_all(nodes: &[Formula], atoms: &[Truth]) -> Valuation {
    let mut values = Valuation::unknown(nodes.len());
    for (index, formula) in nodes.iter().enumerate() {
        let truth = match formula {
            Formula::Atom(atom) => atoms.get(atom.at()).copied().unwrap_or(Truth::Unknown),
            formula => value(formula, &values),
        };
        values.set(index, truth);
    }
    values
}

/// Truth of a formula from the truth of its parts. An atom is what it was set to.
fn value(formula: &Formula, values: &Valuation) -> Truth {
    match formula {
        Formula::Atom(_) => Truth::Unknown,
        Formula::And(parts) => parts.iter().map(|part| values.get(*part)).fold(Truth::True, Truth::and),
        Formula::Or(parts) => parts.iter().map(|part| values.get(*part)).fold(Truth::False, Truth::or),
        Formula::Not(part) => values.get(*part).negate(),
        Formula::AtLeast(needed, parts) => {
            Truth::at_least(*needed as usize, parts.iter().map(|part| values.get(*part)))
        }
        Formula::Known(part) => Truth::of(values.get(*part) != Truth::Unknown),
        Formula::Certain(part) => Truth::of(values.get(*part) == Truth::True),
    }
}

prints_nothing!(Valuation);
