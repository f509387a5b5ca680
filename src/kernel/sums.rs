//! Gradients with respect to increments, in panels as the increments are, on their way back to the paths.

use super::panels::Places;
use crate::error::Result;
use crate::memory::try_vec;
use crate::simd::{Lanes, MAX_LANES, Part, Real};

/// Gradients with respect to the increments of a side, `dim` channels, as its panels.
pub(super) struct Sums<V, const P: usize> {
    panels: Vec<[V; P]>,
    places: Places<P>,
    dim: usize,
}

impl<V: Lanes, const P: usize> Sums<V, P> {
    pub fn new(places: Places<P>, dim: usize) -> Result<Self> {
        Ok(Sums {
            panels: try_vec(places.stored().0 * dim, [V::zero(); P])?,
            places,
            dim,
        })
    }

    /// Zeros for the increments at `places`.
    pub fn clear(&mut self, places: Places<P>) {
        self.places = places;
        self.panels[..places.stored().0 * self.dim].fill([V::zero(); P]);
    }

    /// Adds to one channel of the increments of a panel, as the sweep sees both.
    #[inline(always)]
    pub fn add(&mut self, panel: usize, channel: usize, values: [V; P]) {
        if self.places.direct() {
            let sums = &mut self.panels[panel * self.dim + channel];
            for (sum, value) in sums.iter_mut().zip(values) {
                (*sum + value).put(sum);
            }
            return;
        }
        for (i, value) in values.into_iter().enumerate() {
            // Of an unfolded increment only the half that moves belongs to the path.
            if let Some((panel, i, first)) = self.places.find(panel, i, self.dim)
                && (first..first + self.dim).contains(&channel)
            {
                let sum = &mut self.panels[panel * self.dim + channel - first][i];
                *sum = *sum + value;
            }
        }
    }

    /// All sums as they are stored: `[panel · dim + channel][increment]`.
    pub fn vectors(&mut self) -> &mut [V] {
        self.panels.as_flattened_mut()
    }

    /// Number `e` of the increments in the order of a path, of all lanes.
    #[inline(always)]
    fn vector(&self, e: usize) -> V {
        let place = e / self.dim + self.places.stored().1;
        self.panels[place / P * self.dim + e % self.dim][place % P]
    }

    /// Writes `scale ·` the sums of lane l to `outputs[l]`, in the order of its path; the lanes end together.
    #[inline(always)]
    pub fn scatter(&self, scale: f64, outputs: &mut [&mut [V::Scalar]]) {
        V::call(Scatter {
            sums: self,
            scale,
            outputs,
        });
    }

    #[inline(always)]
    fn write(&self, scale: f64, outputs: &mut [&mut [V::Scalar]]) {
        let (count, scale) = (self.places.count * self.dim, V::constant(scale));
        let mut block = [V::zero(); MAX_LANES];
        let mut done = 0;
        while done < count {
            for (e, vector) in (done..count).zip(&mut block[..V::LANES]) {
                *vector = self.vector(e) * scale;
            }
            V::transpose(&mut block);
            for (output, vector) in outputs.iter_mut().zip(&block) {
                // A shorter lane begins later.
                let late = count - output.len();
                match done.checked_sub(late) {
                    Some(at) => vector.store_some(&mut output[at..]),
                    None => {
                        let skip = late - done;
                        let lanes = vector.to_array();
                        for (to, &value) in output.iter_mut().zip(lanes[..V::LANES].iter().skip(skip)) {
                            *to = value;
                        }
                    }
                }
            }
            done += V::LANES;
        }
    }

    /// Adds `scale ·` the sum over lanes to `output`, in the order of a path.
    #[inline(always)]
    pub fn reduce(&self, scale: f64, output: &mut [V::Scalar]) {
        V::call(Reduce {
            sums: self,
            scale,
            output,
        });
    }
}

struct Scatter<'a, 'o, V: Lanes, const P: usize> {
    sums: &'a Sums<V, P>,
    scale: f64,
    outputs: &'a mut [&'o mut [V::Scalar]],
}

impl<V: Lanes, const P: usize> Part<V> for Scatter<'_, '_, V, P> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        self.sums.write(self.scale, self.outputs);
    }
}

struct Reduce<'a, V: Lanes, const P: usize> {
    sums: &'a Sums<V, P>,
    scale: f64,
    output: &'a mut [V::Scalar],
}

impl<V: Lanes, const P: usize> Part<V> for Reduce<'_, V, P> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let scale = V::Scalar::from_f64(self.scale);
        for (e, to) in self.output.iter_mut().enumerate() {
            *to = *to + self.sums.vector(e).sum() * scale;
        }
    }
}

/// Turns gradients with respect to increments, which stand in `gradient` from point 1 on, into gradients with respect
/// to points: that of the increment that ends at the point less that of the one that begins there. One that is not
/// wanted is empty.
#[inline(always)]
pub(super) fn difference<S: Real>(gradient: &mut [S], dim: usize) {
    if gradient.is_empty() {
        return;
    }
    gradient[..dim].fill(S::ZERO);
    for e in dim..gradient.len() {
        gradient[e - dim] = gradient[e - dim] - gradient[e];
    }
}
