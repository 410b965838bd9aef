//! Sets of indices, as ranges with both ends: entries that are erased lie
//! together, and there may be a million.

/// A set of indices.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranges {
    ranges: Vec<[u64; 2]>,
    /// What only explains, and is not to be held against anything.
    late: Vec<[u64; 2]>,
}

/// In order, not overlapping and not adjoining.
fn joined(mut ranges: Vec<[u64; 2]>) -> Vec<[u64; 2]> {
    ranges.sort_unstable();
    let mut joined: Vec<[u64; 2]> = Vec::new();
    for [from, to] in ranges {
        match joined.last_mut() {
            Some([_, last]) if from <= last.saturating_add(1) => *last = to.max(*last),
            _ => joined.push([from, to]),
        }
    }
    joined
}

impl Ranges {
    /// With a range more.
    pub(super) fn add(&mut self, [from, to]: [u64; 2]) {
        match self.ranges.last_mut() {
            Some([_, last]) if from == last.saturating_add(1) => *last = to,
            _ => self.ranges.push([from, to]),
        }
    }

    /// With a range that takes away, and is not taken from.
    pub(super) fn add_late(&mut self, range: [u64; 2]) {
        self.late.push(range);
    }

    /// What is in this set and not in the other.
    pub(super) fn minus(&self, other: &Self) -> Vec<[u64; 2]> {
        let taken = joined(other.ranges.iter().chain(&other.late).copied().collect());
        let (mut taken, mut left) = (taken.into_iter().peekable(), Vec::new());
        for [mut from, to] in joined(self.ranges.clone()) {
            while let Some([start, end]) = taken.peek().copied() {
                if end < from {
                    taken.next();
                    continue;
                }
                if start > to {
                    break;
                }
                if start > from {
                    left.push([from, start.saturating_sub(1)]);
                }
                from = end.saturating_add(1);
                if from > to {
                    break;
                }
            }
            if from <= to {
                left.push([from, to]);
            }
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_what_a_set_of_numbers_would_leave() {
        // Every pair of sets of the numbers 0 to 5, built number by number.
        let set = |bits: u64| {
            let mut ranges = Ranges::default();
            (0..6).filter(|at| bits >> at & 1 == 1).for_each(|at| ranges.add([at, at]));
            ranges
        };
        for (one, other) in (0..64).flat_map(|one| (0..64).map(move |other| (one, other))) {
            let left: Vec<u64> = set(one).minus(&set(other)).into_iter().flat_map(|[from, to]| from..=to).collect();
            let expected: Vec<u64> = (0..6).filter(|at| (one & !other) >> at & 1 == 1).collect();
            assert_eq!(left, expected, "{one:b} minus {other:b}");
        }
    }

    #[test]
    fn what_comes_late_only_takes_away() {
        let (mut one, mut other) = (Ranges::default(), Ranges::default());
        one.add([3, 9]);
        other.add_late([0, 7]);
        assert_eq!(one.minus(&other), [[8, 9]]);
        assert!(other.minus(&one).is_empty());
    }
}
