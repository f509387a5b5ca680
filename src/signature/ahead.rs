//! What the next paths will want of memory, asked for while these are computed: small signatures take no longer than
//! their points take to come from a cache that is shared.

use crate::simd::{Lanes, MAX_LANES};

/// Slices that are asked for line by line.
pub struct Ahead<'a, S> {
    slices: [&'a [S]; 2 * MAX_LANES],
    next: usize,
    rest: &'a [S],
}

/// Bytes of a cache line.
const LINE: usize = 64;

impl<'a, S> Ahead<'a, S> {
    #[inline(always)]
    pub fn new(slices: impl Iterator<Item = &'a [S]>) -> Self {
        let mut all: [&[S]; 2 * MAX_LANES] = [&[]; 2 * MAX_LANES];
        for (to, slice) in all.iter_mut().zip(slices) {
            *to = slice;
        }
        Ahead {
            slices: all,
            next: 0,
            rest: &[],
        }
    }

    /// Asks for one line more.
    #[inline(always)]
    pub fn step<V: Lanes<Scalar = S>>(&mut self) {
        V::prefetch(self.rest);
        if let Some((_, rest)) = self.rest.split_at_checked(LINE / size_of::<S>()) {
            self.rest = rest;
        } else if let Some(slice) = self.slices.get(self.next) {
            self.rest = slice;
            self.next += 1;
        }
    }
}
