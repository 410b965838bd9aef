//! Numbers that a seed gives: the same in every run.

/// Marsaglia's xorshift with 64 bits (doi:10.18637/jss.v008.i14). Its seed is not zero.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// From 0 to one less than `sides`.
    pub fn roll<N: TryFrom<u64> + TryInto<u64>>(&mut self, sides: N) -> N {
        let sides = sides.try_into().ok().unwrap();
        N::try_from((self.next() >> 11) % sides.max(1)).ok().unwrap()
    }
}
