//! Where the gradient of a batch goes: like the batch, but contiguous.

use super::Batch;
use crate::error::{Result, argument_error, length_error};
use crate::memory::try_collect;
use crate::simd::Real;

/// A buffer for the gradient of a batch, checked to be large enough. Path b's gradient is contiguous and begins at
/// the path's start where the batch has starts, at `b · length · dim` where it has none.
pub struct Gradient<'a, S> {
    values: &'a mut [S],
}

impl<'a, S> Gradient<'a, S> {
    /// In memory that [`Gradient::check`] found long enough.
    pub(crate) fn checked(values: &'a mut [S]) -> Self {
        Gradient { values }
    }
}

impl<'a, S: Real> Gradient<'a, S> {
    /// `name` is what errors call it. With starts, no two paths may share elements of the gradient.
    pub fn new(name: &str, values: &'a mut [S], of: &Batch<'_, S>) -> Result<Self> {
        Self::check(name, values.len(), of)?;
        Ok(Gradient { values })
    }

    /// Whether a gradient of this batch may be in `length` numbers.
    pub(crate) fn check(name: &str, length: usize, of: &Batch<'_, S>) -> Result<()> {
        let needed = match of.layout().starts {
            None => of.batch() * of.length() * of.dim(),
            Some(_) => {
                let order = sorted_by_start(of)?;
                let mut end = 0;
                for &b in &order {
                    let (start, length) = (start(of, b), of.points(b) * of.dim());
                    if start < end {
                        argument_error!(
                            "{name}: the path that starts at element {start} overlaps another in the gradient"
                        );
                    }
                    // Both are below `isize::MAX`: the batch was checked.
                    end = start + length;
                }
                end
            }
        };
        if length < needed {
            length_error!("{name}_len is {length}; expected at least {needed}");
        }
        Ok(())
    }

    /// One slice a path, in the order of the batch: `points · dim` of the ragged path b. What lies between and beyond
    /// is set to zero (with starts: left alone).
    pub fn split(self, of: &Batch<'_, S>) -> Result<Vec<&'a mut [S]>> {
        let dim = of.dim();
        if of.layout().starts.is_none() {
            let stride = of.length() * dim;
            let paths = self.values[..of.batch() * stride].chunks_exact_mut(stride);
            return try_collect(paths.enumerate().map(|(b, path)| {
                let (inside, beyond) = path.split_at_mut(of.points(b) * dim);
                beyond.fill(S::ZERO);
                inside
            }));
        }
        let mut slices: Vec<&'a mut [S]> = try_collect((0..of.batch()).map(|_| &mut [] as &mut [S]))?;
        let (mut rest, mut begin) = (self.values, 0);
        for b in sorted_by_start(of)? {
            let (start, length) = (start(of, b), of.points(b) * dim);
            let (path, after) = rest.split_at_mut(start - begin).1.split_at_mut(length);
            slices[b] = path;
            (rest, begin) = (after, start + length);
        }
        Ok(slices)
    }
}

fn start<S: Real>(of: &Batch<'_, S>, b: usize) -> usize {
    of.layout().starts.map_or(0, |starts| starts[b] as usize)
}

fn sorted_by_start<S: Real>(of: &Batch<'_, S>) -> Result<Vec<usize>> {
    let mut order: Vec<usize> = try_collect(0..of.batch())?;
    order.sort_unstable_by_key(|&b| start(of, b));
    Ok(order)
}
