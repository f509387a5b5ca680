//! One lane a path: increments and coefficients of several paths, to and from vectors.

use super::levels::Levels;
use super::moves::Moves;
use super::shape::{Places, Shape};
use crate::error::{Result, try_vec};
use crate::simd::{Lanes, MAX_LANES, Real};
use std::ops::Range;

/// Scratch of the conversions.
pub struct Lane<V: Lanes> {
    pub shape: Shape,
    /// Where each coefficient lies in the state.
    places: Vec<u32>,
    /// `LANES` increments of every lane, as they come.
    rows: Vec<V::Scalar>,
}

impl<V: Lanes> Lane<V> {
    #[inline(always)]
    pub fn new(levels: &Levels) -> Result<Self> {
        let shape = Shape::of_paths(levels);
        let by_level = Places::new(&shape)?;
        let mut places = try_vec(levels.total(), 0)?;
        for k in 1..=levels.degree {
            let begin = levels.begin(k);
            for (to, &place) in places[begin..].iter_mut().zip(by_level.level(&shape, k)) {
                *to = begin as u32 + place;
            }
        }
        Self::with_places(shape, places)
    }

    /// For states that are ordered by the last letters of words (`Small`).
    #[inline(always)]
    pub fn by_endings(levels: &Levels) -> Result<Self> {
        let mut places = try_vec(levels.total(), 0)?;
        let (d, each) = (levels.dim, levels.total() / levels.dim);
        for k in 1..=levels.degree {
            let below = levels.begin(k) / d;
            for (w, to) in places[levels.begin(k)..][..levels.size(k)].iter_mut().enumerate() {
                *to = (w % d * each + below + w / d) as u32;
            }
        }
        Self::with_places(Shape::of_paths(levels), places)
    }

    #[inline(always)]
    fn with_places(shape: Shape, places: Vec<u32>) -> Result<Self> {
        Ok(Lane {
            shape,
            places,
            rows: try_vec(V::LANES * V::LANES * shape.dim, V::Scalar::ZERO)?,
        })
    }

    /// Reads `count` steps from the `begin`-th from the end of each piece (increments, begin, end); past its begin
    /// increments are zero, which changes nothing. `to` has a row of `dim` vectors a step, and room for whole blocks
    /// of `LANES` steps.
    #[inline(always)]
    pub fn read<'i>(
        &mut self,
        begin: usize,
        count: usize,
        pieces: impl Iterator<Item = (Moves<'i, V::Scalar>, usize, usize)> + Clone,
        to: &mut [V],
    ) where
        V::Scalar: 'i,
    {
        let d = self.shape.dim;
        if self.read_plain(begin, count, pieces.clone(), to) {
            return;
        }
        let to = &mut to[..count.next_multiple_of(V::LANES) * d];
        for (block, vectors) in to.chunks_exact_mut(V::LANES * d).enumerate() {
            let step = begin + block * V::LANES;
            let mut lanes = self.rows.chunks_exact_mut(V::LANES * d);
            for (rows, (increments, first, end)) in lanes.by_ref().zip(pieces.clone()) {
                for (s, row) in rows.chunks_exact_mut(d).enumerate() {
                    if step + s < end - first {
                        increments.write(end - 1 - step - s, row);
                    } else {
                        row.fill(V::Scalar::ZERO);
                    }
                }
            }
            for (e, vectors) in vectors.chunks_exact_mut(V::LANES).enumerate() {
                let mut square = [V::zero(); MAX_LANES];
                let rows = self.rows.chunks_exact(V::LANES * d);
                for (to, row) in square.iter_mut().zip(rows) {
                    *to = V::load(&row[e * V::LANES..]);
                }
                V::transpose(&mut square);
                vectors.copy_from_slice(&square[..V::LANES]);
            }
        }
    }

    /// The same for pieces of one length whose points lie one after the other; `false` if they are others.
    #[inline(always)]
    fn read_plain<'i>(
        &self,
        begin: usize,
        count: usize,
        pieces: impl Iterator<Item = (Moves<'i, V::Scalar>, usize, usize)>,
        to: &mut [V],
    ) -> bool
    where
        V::Scalar: 'i,
    {
        let d = self.shape.dim;
        let mut lanes: [&[V::Scalar]; MAX_LANES] = [&[]; MAX_LANES];
        for (lane, (moves, first, end)) in lanes.iter_mut().zip(pieces) {
            if moves.points().is_empty() || end - first < begin + count {
                return false;
            }
            *lane = &moves.points()[(end - begin - count) * d..][..(count + 1) * d];
        }
        let size = count * d;
        let (mut t, mut c) = (count, 0);
        for e in (0..size).step_by(V::LANES) {
            let here = V::LANES.min(size - e);
            let mut square = [V::zero(); MAX_LANES];
            for (to, lane) in square.iter_mut().zip(lanes).take(V::LANES) {
                if !lane.is_empty() {
                    *to = V::load_some(&lane[e + d..][..here]) - V::load_some(&lane[e..][..here]);
                }
            }
            V::transpose(&mut square);
            for vector in &square[..here] {
                to[(t - 1) * d + c] = *vector;
                c += 1;
                if c == d {
                    (t, c) = (t - 1, 0);
                }
            }
        }
        true
    }

    /// Coefficients `range` of the state, to the rows of the lanes.
    #[inline(always)]
    pub fn unpack<'r>(&self, state: &[V], range: Range<usize>, mut rows: impl Iterator<Item = &'r mut [V::Scalar]>)
    where
        V::Scalar: 'r,
    {
        let mut lanes: [&mut [V::Scalar]; MAX_LANES] = std::array::from_fn(|_| rows.next().unwrap_or_default());
        for (block, places) in self.places[range].chunks(V::LANES).enumerate() {
            let mut square = [V::zero(); MAX_LANES];
            for (to, &place) in square.iter_mut().zip(places) {
                *to = state[place as usize];
            }
            V::transpose(&mut square);
            let at = block * V::LANES;
            for (lane, vector) in lanes.iter_mut().zip(square) {
                if !lane.is_empty() {
                    vector.store_some(&mut lane[at..][..places.len()]);
                }
            }
        }
    }

    /// The rows of the lanes as coefficients `range` of the state; zeros in lanes without a row.
    #[inline(always)]
    pub fn pack<'r>(&self, state: &mut [V], range: Range<usize>, mut rows: impl Iterator<Item = &'r [V::Scalar]>)
    where
        V::Scalar: 'r,
    {
        let lanes: [&[V::Scalar]; MAX_LANES] = std::array::from_fn(|_| rows.next().unwrap_or_default());
        for (block, places) in self.places[range].chunks(V::LANES).enumerate() {
            let at = block * V::LANES;
            let mut square = [V::zero(); MAX_LANES];
            for (to, lane) in square.iter_mut().zip(lanes) {
                if !lane.is_empty() {
                    *to = V::load_some(&lane[at..][..places.len()]);
                }
            }
            V::transpose(&mut square);
            for (&place, vector) in places.iter().zip(square) {
                state[place as usize] = vector;
            }
        }
    }
}
