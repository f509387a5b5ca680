//! Where the levels of a truncated signature lie.

use crate::error::{Result, argument_error};

/// The levels 1..=degree of a tensor over `dim` letters, one after the other, each in lexicographic order of its
/// words: the word (i1, …, ik) at `begin(k) + i1·d^(k-1) + … + ik`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Levels {
    pub dim: usize,
    pub degree: usize,
    total: usize,
}

/// More letters than a word can have: with two letters, longer words cannot be counted.
pub const MAX_DEGREE: usize = 64;

impl Levels {
    pub fn new(dim: usize, degree: usize) -> Result<Self> {
        match count(dim, degree) {
            Some(total) => Ok(Levels { dim, degree, total }),
            None => argument_error!("degree {degree} of {dim} channels: more coefficients than memory can hold"),
        }
    }

    /// The levels below the last one, which must not be the first.
    pub fn lower(&self) -> Self {
        let (dim, degree) = (self.dim, self.degree - 1);
        let total = self.total - self.size(self.degree);
        Levels { dim, degree, total }
    }

    /// Coefficients of level `k`.
    pub fn size(&self, k: usize) -> usize {
        self.dim.pow(k as u32)
    }

    /// Where level `k` begins, from 1; `begin(degree + 1)` is the end.
    pub fn begin(&self, k: usize) -> usize {
        (1..k).map(|j| self.size(j)).sum()
    }

    /// Coefficients of all levels.
    pub fn total(&self) -> usize {
        self.total
    }
}

/// Σ dim^k for k = 1..=degree, where so many numbers of 64 bits can be addressed.
fn count(dim: usize, degree: usize) -> Option<usize> {
    let most = isize::MAX as usize / 16;
    if dim < 2 {
        return Some(degree).filter(|&n| dim == 1 && n <= most);
    }
    let (mut total, mut size) = (0usize, 1usize);
    for _ in 0..degree {
        size = size.checked_mul(dim)?;
        total = total.checked_add(size).filter(|&n| n <= most)?;
    }
    Some(total)
}
