//! Decisions, from a fuzzer's bytes or from a seed.

/// Where decisions come from.
pub enum Decide<'d> {
    /// Bytes one after the other, then zeros.
    Bytes(&'d [u8]),
    /// A linear congruential generator (Knuth's MMIX).
    Seed(u64),
}

impl Decide<'_> {
    pub fn byte(&mut self) -> u8 {
        match self {
            Decide::Bytes(bytes) => match bytes.split_first() {
                Some((first, rest)) => {
                    let first = *first;
                    *bytes = rest;
                    first
                }
                None => 0,
            },
            Decide::Seed(state) => {
                *state = state
                    .wrapping_mul(6364136223846793005)
                    .wrapping_add(1442695040888963407);
                (*state >> 56) as u8
            }
        }
    }

    /// One of the first `n` numbers, n at most 65536.
    pub fn below(&mut self, n: usize) -> usize {
        let high = if n > 256 { usize::from(self.byte()) << 8 } else { 0 };
        (high | usize::from(self.byte())) % n.max(1)
    }

    pub fn one_of<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub fn word(&mut self) -> u64 {
        (0..8).fold(0, |word, _| word << 8 | u64::from(self.byte()))
    }

    pub fn is_over(&self) -> bool {
        matches!(self, Decide::Bytes([]))
    }
}
