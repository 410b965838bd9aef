//! A line cut at every end that a package names: between two cuts no test can
//! tell one number from another.

use crate::analysis::logic::{Lit, Logic, Rails};

/// A piece of the line: a cut itself, or all between two cuts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<T> {
    /// A cut.
    At(T),
    /// Between two cuts; none: without end.
    Between(Option<T>, Option<T>),
}

/// A line, cut.
#[derive(Clone, Debug)]
pub struct Cells<T> {
    pieces: Vec<Piece<T>>,
}

impl<T: Ord + Clone> Cells<T> {
    /// Cuts the line.
    #[must_use]
    pub fn new(mut cuts: Vec<T>) -> Self {
        cuts.sort();
        cuts.dedup();
        let mut pieces = Vec::new();
        let mut before = None;
        for cut in cuts {
            pieces.push(Piece::Between(before, Some(cut.clone())));
            pieces.push(Piece::At(cut.clone()));
            before = Some(cut);
        }
        pieces.push(Piece::Between(before, None));
        Self { pieces }
    }

    /// Without the pieces that hold no number there is.
    #[must_use]
    pub fn only(mut self, holds: impl Fn(&Piece<T>) -> bool) -> Self {
        self.pieces.retain(holds);
        self
    }

    /// The pieces, in the order of the line.
    #[must_use]
    pub fn pieces(&self) -> &[Piece<T>] {
        &self.pieces
    }

    /// For each piece: does it lie in the range? Every end of the range is a cut.
    #[must_use]
    pub fn inside(&self, low: Option<(&T, bool)>, high: Option<(&T, bool)>) -> Vec<bool> {
        let above = |piece: &Piece<T>| match (piece, low) {
            (_, None) => true,
            (Piece::At(cut), Some((low, inclusive))) => cut > low || (inclusive && cut == low),
            (Piece::Between(from, _), Some((low, _))) => from.as_ref().is_some_and(|from| from >= low),
        };
        let below = |piece: &Piece<T>| match (piece, high) {
            (_, None) => true,
            (Piece::At(cut), Some((high, inclusive))) => cut < high || (inclusive && cut == high),
            (Piece::Between(_, to), Some((high, _))) => to.as_ref().is_some_and(|to| to <= high),
        };
        self.pieces.iter().map(|piece| above(piece) && below(piece)).collect()
    }
}

/// Which kinds of result the newest may be of: one proposition a kind.
pub struct Possible {
    /// Something is known of it.
    pub known: Lit,
    /// It may be of the kind.
    pub kinds: Vec<Lit>,
}

impl Possible {
    pub fn new(logic: &mut Logic, known: Lit, len: usize) -> Self {
        let kinds: Vec<Lit> = (0..len).map(|_| logic.fresh()).collect();
        let mut some = kinds.clone();
        some.push(!known);
        logic.assert(&some);
        Self { known, kinds }
    }

    /// It is known, and of none but these kinds.
    pub fn only(&self, logic: &mut Logic, kinds: &[bool]) -> Lit {
        let others = self.kinds.iter().zip(kinds).filter(|(_, inside)| !**inside).map(|(kind, _)| !*kind);
        let parts: Vec<Lit> = std::iter::once(self.known).chain(others).collect();
        logic.and(&parts)
    }

    /// True where only `passing` kinds are possible, false where only others are.
    pub fn test(&self, logic: &mut Logic, passing: &[bool]) -> Rails {
        let failing: Vec<bool> = passing.iter().map(|inside| !inside).collect();
        Rails { yes: self.only(logic, passing), no: self.only(logic, &failing) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_its_pieces() {
        let cells = Cells::new(vec![10, 5, 10]);
        assert_eq!(cells.pieces().len(), 5);
        assert_eq!(cells.inside(Some((&5, true)), Some((&10, false))), [false, true, true, false, false]);
        assert_eq!(cells.inside(Some((&10, false)), None), [false, false, false, false, true]);
        assert_eq!(cells.inside(None, Some((&5, true))), [true, true, false, false, false]);
    }
}
