//! Ragged batches with a poisoned number, and the options under test.

use super::common::*;
use goursat::Precision;
use goursat::kernel::Options;
use goursat::path::{Batch, LeadLag, Transform};
use goursat::simd;

pub const POISONS: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

/// A ragged batch: what is stored behind a path's end is NaN, and would show in every result that read it.
#[derive(Clone)]
pub struct Ragged<S> {
    pub values: Vec<S>,
    pub lengths: Vec<i64>,
    pub shape: [usize; 3],
}

impl<S: Precision> Ragged<S> {
    pub fn new(batch: usize, most: usize, dim: usize, lengths: Vec<i64>, seed: u64) -> Self {
        let mut values = walks::<S>(batch, most, dim, seed);
        for (path, &length) in values.chunks_mut(most * dim).zip(&lengths) {
            path[length as usize * dim..].fill(S::NAN);
        }
        let shape = [batch, most, dim];
        Ragged { values, lengths, shape }
    }

    pub fn view(&self) -> Batch<'_, S> {
        ragged(&self.values, self.shape, Some(&self.lengths))
    }

    pub fn with(&self, path: usize, point: usize, value: f64) -> Self {
        let [_, most, dim] = self.shape;
        let mut other = self.clone();
        other.values[(path * most + point) * dim + point % dim] = S::from_f64(value);
        other
    }

    /// First, middle and last of a path's own points.
    pub fn places(&self, path: usize) -> [usize; 3] {
        let length = self.lengths[path] as usize;
        [0, length / 2, length - 1]
    }
}

/// Paths at both ends of a vector and of a batch: the first and last lane, and those that are left over.
pub fn places_in_batch<S: Precision>(batch: usize) -> Vec<usize> {
    let lanes = simd::lanes::<S>();
    let mut all = vec![0, 1, lanes / 2, lanes - 1, lanes, batch / 2, batch - 1];
    all.retain(|&b| b < batch);

    all.sort_unstable();
    all.dedup();
    all
}

pub fn finite(bits: &[u64]) -> bool {
    bits.iter().all(|&v| f64::from_bits(v).is_finite())
}

pub fn options() -> [Options; 5] {
    let option = |orders, lead_lag, time| Options {
        orders,
        transform: Transform { time, lead_lag },
    };
    [
        option((0, 0), LeadLag::Off, None),
        option((0, 0), LeadLag::Off, Some(1.5)),
        option((0, 0), LeadLag::LagFirst, Some(1.5)),
        option((1, 2), LeadLag::Off, None),
        option((3, 1), LeadLag::LeadFirst, None),
    ]
}
