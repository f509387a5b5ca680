//! What a block of cells adds to ∂F/∂dx and ∂F/∂dy: products of ∂F/∂h with the increments of the other side.
//!
//! They know neither scheme nor tile: as functions of their own they are compiled once for all of these.

use super::block::NEAR;
use super::sums::Sums;
use crate::simd::{Lanes, Part};
use std::ops::Range;

/// ∂F/∂dx of the rows of a block: summed over `apart` panels of columns, then added, and so on from the last. Time, a last
/// channel, is left out.
pub(super) struct ToX<'a, V, const R: usize, const C: usize> {
    /// ∂F/∂h, one row of tiles after the other.
    pub h: &'a [[V; R]],
    /// Where the rows are in the sums.
    pub panels: Range<usize>,
    pub dy: &'a [[V; C]],
    pub apart: usize,
    pub channels: usize,
    pub dim: usize,
    pub sums: &'a mut Sums<V, R>,
}

impl<V: Lanes, const R: usize, const C: usize> Part<V> for ToX<'_, V, R, C> {
    type Output = ();
    #[inline(always)]
    fn run(mut self) {
        let mut end = self.dy.len() / self.channels;
        while end > 0 {
            let begin = end.saturating_sub(self.apart);
            self.columns(begin..end);
            end = begin;
        }
    }
}

impl<V: Lanes, const R: usize, const C: usize> ToX<'_, V, R, C> {
    #[inline(always)]
    fn columns(&mut self, columns: Range<usize>) {
        let (channels, dim) = (self.channels, self.dim);
        let across = self.dy.len() / channels * C;
        let dy = &self.dy[columns.start * channels..columns.end * channels];
        let some = near::<V>(columns.len() * C);
        for begin in (0..dim).step_by(some) {
            let end = dim.min(begin + some);
            for (panel, g) in self.panels.clone().zip(self.h.chunks_exact(across)) {
                let g = &g.as_chunks().0[columns.clone()];
                let sums = &mut *self.sums;
                let mut first = begin;
                while first < end {
                    let group = group::<V>(end - first);
                    match group {
                        4 => add(sums, panel, first, sum_columns::<V, R, C, 4>(g, dy, channels, first)),
                        2 => add(sums, panel, first, sum_columns::<V, R, C, 2>(g, dy, channels, first)),
                        _ => add(sums, panel, first, sum_columns::<V, R, C, 1>(g, dy, channels, first)),
                    }
                    first += group;
                }
            }
        }
    }
}

/// ∂F/∂dy of the columns of a block: summed over its rows, then added.
pub(super) struct ToY<'a, V, const R: usize, const C: usize> {
    pub h: &'a [[V; R]],
    /// Where the columns are in the sums.
    pub panels: Range<usize>,
    pub dx: &'a [[V; R]],
    pub channels: usize,
    pub dim: usize,
    pub sums: &'a mut Sums<V, C>,
}

impl<V: Lanes, const R: usize, const C: usize> Part<V> for ToY<'_, V, R, C> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let (dx, channels, dim, sums) = (self.dx, self.channels, self.dim, self.sums);
        let (across, down) = (self.panels.len(), dx.len() / channels);
        let tiles = &self.h.as_chunks().0[..across * down];
        let some = near::<V>(down * R);
        for begin in (0..dim).step_by(some) {
            let end = dim.min(begin + some);
            for (j, panel) in self.panels.clone().enumerate() {
                let g = &tiles[j..];
                let mut first = begin;
                while first < end {
                    let group = group::<V>(end - first);
                    match group {
                        4 => {
                            let sum = sum_rows::<V, R, C, 4>(g, across, dx, channels, first);
                            add(sums, panel, first, sum);
                        }
                        2 => {
                            let sum = sum_rows::<V, R, C, 2>(g, across, dx, channels, first);
                            add(sums, panel, first, sum);
                        }
                        _ => {
                            let sum = sum_rows::<V, R, C, 1>(g, across, dx, channels, first);
                            add(sums, panel, first, sum);
                        }
                    }
                    first += group;
                }
            }
        }
    }
}

/// Channels of so many increments that stay near.
fn near<V>(increments: usize) -> usize {
    (NEAR / size_of::<V>() / increments.max(1)).max(4) & !3
}

/// Channels that are summed together, of as many as are left: the sums of a panel of each stay in registers.
#[inline(always)]
fn group<V: Lanes>(left: usize) -> usize {
    match left {
        4.. if V::REGISTERS >= 32 => 4,
        2.. => 2,
        _ => 1,
    }
}

#[inline(always)]
fn add<V: Lanes, const P: usize, const K: usize>(sums: &mut Sums<V, P>, panel: usize, first: usize, of: [[V; P]; K]) {
    for (k, values) in of.into_iter().enumerate() {
        sums.add(panel, first + k, values);
    }
}

/// Σ_j g_ij dy_j of a row of tiles, for channels `first..first + K`.
#[inline(always)]
fn sum_columns<V: Lanes, const R: usize, const C: usize, const K: usize>(
    g: &[[[V; R]; C]],
    dy: &[[V; C]],
    channels: usize,
    first: usize,
) -> [[V; R]; K] {
    let mut sums = [[V::zero(); R]; K];
    for (g, dy) in g.iter().zip(dy.chunks_exact(channels)) {
        let y: &[[V; C]; K] = dy[first..].first_chunk().expect("K channels");
        for c in 0..C {
            for r in 0..R {
                for k in 0..K {
                    sums[k][r] = g[c][r].mul_add(y[k][c], sums[k][r]);
                }
            }
        }
    }
    sums
}

/// Σ_i g_ij dx_i of a column of tiles, every `across`-th of `g`, for channels `first..first + K`.
#[inline(always)]
fn sum_rows<V: Lanes, const R: usize, const C: usize, const K: usize>(
    g: &[[[V; R]; C]],
    across: usize,
    dx: &[[V; R]],
    channels: usize,
    first: usize,
) -> [[V; C]; K] {
    let mut sums = [[V::zero(); C]; K];
    for (g, dx) in g.iter().step_by(across).zip(dx.chunks_exact(channels)) {
        let x: &[[V; R]; K] = dx[first..].first_chunk().expect("K channels");
        for r in 0..R {
            for c in 0..C {
                for k in 0..K {
                    sums[k][c] = g[c][r].mul_add(x[k][r], sums[k][c]);
                }
            }
        }
    }
    sums
}
