//! Kleene's strong three-valued logic, equal to CQL's.
//!
//! | a | b | and | or | implies | xor |
//! | --- | --- | --- | --- | --- | --- |
//! | T | T | T | T | T | F |
//! | T | F | F | T | F | T |
//! | T | ? | ? | T | ? | ? |
//! | F | T | F | T | T | T |
//! | F | F | F | F | T | F |
//! | F | ? | F | ? | T | ? |
//! | ? | T | ? | T | T | ? |
//! | ? | F | F | ? | ? | ? |
//! | ? | ? | ? | ? | ? | ? |

use serde::Serialize;

/// True, false or unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Truth {
    /// False.
    False,
    /// Unknown.
    Unknown,
    /// True.
    True,
}

impl Truth {
    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// Either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// The other one; unknown stays unknown.
    #[must_use]
    pub fn negate(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }

    /// If this, then the other.
    #[must_use]
    pub fn implies(self, other: Self) -> Self {
        self.negate().or(other)
    }

    /// One of both, not both.
    #[must_use]
    pub fn xor(self, other: Self) -> Self {
        self.and(other.negate()).or(self.negate().and(other))
    }

    /// At least `needed` of `parts`.
    pub fn at_least(needed: usize, parts: impl IntoIterator<Item = Self>) -> Self {
        let (mut certain, mut possible) = (0_usize, 0_usize);
        for part in parts {
            certain += usize::from(part == Self::True);
            possible += usize::from(part != Self::False);
        }
        if certain >= needed {
            Self::True
        } else if possible >= needed {
            Self::Unknown
        } else {
            Self::False
        }
    }

    /// The truth value of a known fact.
    #[must_use]
    pub fn of(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{self, False as F, True as T, Unknown as U};

    #[test]
    fn tables() {
        let rows = [
            (T, T, T, T, T, F),
            (T, F, F, T, F, T),
            (T, U, U, T, U, U),
            (F, T, F, T, T, T),
            (F, F, F, F, T, F),
            (F, U, F, U, T, U),
            (U, T, U, T, T, U),
            (U, F, F, U, U, U),
            (U, U, U, U, U, U),
        ];
        for (a, b, and, or, implies, xor) in rows {
            assert_eq!(a.and(b), and, "{a:?} and {b:?}");
            assert_eq!(a.or(b), or, "{a:?} or {b:?}");
            assert_eq!(a.implies(b), implies, "{a:?} implies {b:?}");
            assert_eq!(a.xor(b), xor, "{a:?} xor {b:?}");
        }
        assert_eq!((T.negate(), F.negate(), U.negate()), (F, T, U));
    }

    #[test]
    fn at_least_counts_what_is_certain_and_what_is_possible() {
        assert_eq!(Truth::at_least(2, [T, U, T]), T);
        assert_eq!(Truth::at_least(2, [T, U, F]), U);
        assert_eq!(Truth::at_least(2, [T, F, F]), F);
        assert_eq!(Truth::at_least(0, []), T);
    }
}
