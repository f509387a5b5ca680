//! What the next paths will want of memory, asked for while these are computed: short paths take no longer than their
//! points take to come from a cache that is shared.

use crate::simd::{Lanes, MAX_LANES};

/// Slices that are asked for line by line. They are only named, never read, so it outlives them without harm.
pub(crate) struct Ahead<S> {
    slices: [(*const S, usize); 2 * MAX_LANES],
    next: usize,
    count: usize,
    /// What is left of the slice in hand.
    from: *const S,
    size: usize,
    /// Lines at a step.
    lines: usize,
}

/// Bytes of a cache line.
const LINE: usize = 64;

/// The most lines at a step: more would wait for each other.
const MOST: usize = 8;

impl<S> Ahead<S> {
    /// Nothing.
    pub fn new() -> Self {
        Ahead {
            slices: [(std::ptr::null(), 0); 2 * MAX_LANES],
            next: 0,
            count: 0,
            from: std::ptr::null(),
            size: 0,
            lines: 0,
        }
    }

    /// Asks for these slices, two for each lane at most, within so many steps.
    #[inline(always)]
    pub fn look<'a>(&mut self, slices: impl Iterator<Item = &'a [S]>, steps: usize)
    where
        S: 'a,
    {
        let (mut count, mut bytes) = (0, 0);
        for (to, slice) in self.slices.iter_mut().zip(slices) {
            *to = (slice.as_ptr(), slice.len());
            bytes += size_of_val(slice);
            count += 1;
        }
        (self.next, self.count, self.size) = (0, count, 0);
        self.lines = (bytes / LINE + count).div_ceil(steps.max(1)).min(MOST);
    }

    /// Asks for what comes next.
    #[inline(always)]
    pub fn step<V: Lanes<Scalar = S>>(&mut self) {
        for _ in 0..self.lines {
            self.line::<V>();
        }
    }

    #[inline(always)]
    fn line<V: Lanes<Scalar = S>>(&mut self) {
        let each = LINE / size_of::<S>();
        if self.size > each {
            (self.from, self.size) = (self.from.wrapping_add(each), self.size - each);
        } else if self.next < self.count {
            (self.from, self.size) = self.slices[self.next];
            self.next += 1;
        } else {
            self.lines = 0;
        }
        V::prefetch(self.from);
    }
}
