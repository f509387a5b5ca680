//! Where the parts of a workspace lie. A plan takes its parts once: how many bytes a call needs and where it finds them are
//! the same computation.

use super::ALIGNMENT;
use crate::error::{Error, Result};

/// A part of a workspace, by its place in it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Region {
    pub offset: usize,
    pub bytes: usize,
}

#[derive(Default)]
pub(super) struct Space {
    pub bytes: usize,
}

impl Space {
    /// Memory for a product of sizes, the last of them bytes.
    pub fn take(&mut self, sizes: &[usize]) -> Result<Region> {
        let bytes = product(sizes)?;
        let offset = self.bytes;
        let end = offset
            .checked_add(bytes)
            .and_then(|end| end.checked_next_multiple_of(ALIGNMENT));
        self.bytes = end
            .filter(|end| *end <= isize::MAX as usize)
            .ok_or(Error::Memory(usize::MAX))?;
        Ok(Region { offset, bytes })
    }
}

pub(super) fn product(sizes: &[usize]) -> Result<usize> {
    let product = sizes
        .iter()
        .try_fold(1usize, |product, size| product.checked_mul(*size));
    product.ok_or(Error::Memory(usize::MAX))
}
