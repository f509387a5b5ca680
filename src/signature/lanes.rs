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
    /// Points of the pieces, then their increments.
    moves: Vec<V>,
    /// `MAX_LANES` steps of every lane, where they are not taken from the path as it lies in memory.
    rows: Vec<V::Scalar>,
}

impl<V: Lanes> Lane<V> {
    /// `steps` is the most that are read in one go.
    #[inline(always)]
    pub fn new(levels: &Levels, steps: usize) -> Result<Self> {
        let shape = Shape::of_paths(levels);
        let by_level = Places::new(&shape)?;
        let mut places = try_vec(levels.total(), 0)?;
        for k in 1..=levels.degree {
            let begin = levels.begin(k);
            for (to, &place) in places[begin..].iter_mut().zip(by_level.level(&shape, k)) {
                *to = begin as u32 + place;
            }
        }
        Self::with_places(shape, steps, places)
    }

    /// For states that are ordered by the last letters of words (`Small`).
    #[inline(always)]
    pub fn by_endings(levels: &Levels, steps: usize) -> Result<Self> {
        let mut places = try_vec(levels.total(), 0)?;
        let (d, each) = (levels.dim, levels.total() / levels.dim);
        for k in 1..=levels.degree {
            let below = levels.begin(k) / d;
            for (w, to) in places[levels.begin(k)..][..levels.size(k)].iter_mut().enumerate() {
                *to = (w % d * each + below + w / d) as u32;
            }
        }
        Self::with_places(Shape::of_paths(levels), steps, places)
    }

    #[inline(always)]
    fn with_places(shape: Shape, steps: usize, places: Vec<u32>) -> Result<Self> {
        Ok(Lane {
            shape,
            places,
            moves: V::scratch((steps + 1) * shape.dim)?,
            rows: try_vec(V::LANES * (MAX_LANES + 1) * shape.dim, V::Scalar::ZERO)?,
        })
    }

    /// `count` steps from the `begin`-th from the end of each piece (increments, begin, end), one row of `dim` vectors
    /// a step, in the order of time; past the begin of a piece increments are zero, which changes nothing.
    #[inline(always)]
    pub fn moves<'i>(
        &mut self,
        begin: usize,
        count: usize,
        pieces: impl Iterator<Item = (Moves<'i, V::Scalar>, usize, usize)> + Clone,
    ) -> &[V]
    where
        V::Scalar: 'i,
    {
        let d = self.shape.dim;
        if !self.read_whole(begin, count, pieces.clone()) {
            for first in (0..count).step_by(MAX_LANES) {
                let here = MAX_LANES.min(count - first);
                // The last of these steps is so many from the end.
                let behind = begin + count - first - here;
                self.read_some(first, here, behind, pieces.clone());
            }
        }
        &self.moves[..count * d]
    }

    /// The same, the last step first.
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
        let rows = self.moves(begin, count, pieces).chunks_exact(d).rev();
        for (to, row) in to.chunks_exact_mut(d).zip(rows) {
            to.copy_from_slice(row);
        }
    }

    /// Where all points lie one after the other, and no piece has fewer steps; otherwise does nothing and returns
    /// `false`.
    #[inline(always)]
    fn read_whole<'i>(
        &mut self,
        begin: usize,
        count: usize,
        pieces: impl Iterator<Item = (Moves<'i, V::Scalar>, usize, usize)>,
    ) -> bool
    where
        V::Scalar: 'i,
    {
        let d = self.shape.dim;
        let mut lanes: [&[V::Scalar]; MAX_LANES] = [&[]; MAX_LANES];
        let mut number = 0;
        for (lane, (moves, first, end)) in lanes.iter_mut().zip(pieces) {
            if moves.points().is_empty() || end - first < begin + count {
                return false;
            }
            *lane = &moves.points()[(end - begin - count) * d..][..(count + 1) * d];
            number += 1;
        }
        // Lanes without a piece do what the first one does.
        for l in number..V::LANES {
            lanes[l] = lanes[0];
        }
        let points = &mut self.moves[..(count + 1) * d];
        gather(&lanes, points);
        differences(points, d);
        true
    }

    /// Steps `first..first + here` of `moves`, the last of which is the `behind`-th from the end.
    #[inline(always)]
    fn read_some<'i>(
        &mut self,
        first: usize,
        here: usize,
        behind: usize,
        pieces: impl Iterator<Item = (Moves<'i, V::Scalar>, usize, usize)>,
    ) where
        V::Scalar: 'i,
    {
        let d = self.shape.dim;
        let mut lanes: [&[V::Scalar]; MAX_LANES] = [&[]; MAX_LANES];
        let scratch = self.rows.chunks_exact_mut((MAX_LANES + 1) * d);
        for ((lane, (moves, first, end)), rows) in lanes.iter_mut().zip(pieces).zip(scratch) {
            let rows = &mut rows[..here * d];
            for (s, row) in (behind..behind + here).rev().zip(rows.chunks_exact_mut(d)) {
                if s < end - first {
                    moves.write(end - 1 - s, row);
                } else {
                    row.fill(V::Scalar::ZERO);
                }
            }
            *lane = rows;
        }
        gather(&lanes, &mut self.moves[first * d..][..here * d]);
    }

    /// Gradients of increments, `dim` vectors a step in the order of time, as gradients of points, to the rows of the
    /// lanes: (steps, gradient, edge) each. What an increment gains, its end gains and its begin loses. Rows end
    /// together; the last point, if there is no room for it in `gradient`, goes to `edge`.
    ///
    /// `gradient` has two rows more than steps: the first takes zeros, the second is the first step.
    #[inline(always)]
    pub fn scatter<'r>(
        &self,
        steps: usize,
        gradient: &mut [V],
        rows: impl Iterator<Item = (usize, &'r mut [V::Scalar], &'r mut [V::Scalar])>,
    ) where
        V::Scalar: 'r,
    {
        let d = self.shape.dim;
        let points = &mut gradient[..(steps + 2) * d];
        let mut lanes: [&mut [V::Scalar]; MAX_LANES] = Default::default();
        let mut edges: [&mut [V::Scalar]; MAX_LANES] = Default::default();
        for (l, (own, gradient, edge)) in rows.enumerate() {
            // Steps before the begin of a path get nothing.
            for e in 0..(steps - own + 1) * d {
                V::scalars_mut(points)[e * V::LANES + l] = V::Scalar::ZERO;
            }
            let (inside, beyond) = gradient.split_at_mut(own * d);
            lanes[l] = inside;
            edges[l] = if beyond.is_empty() { edge } else { beyond };
        }
        points[..d].fill(V::zero());
        points[(steps + 1) * d..].fill(V::zero());
        differences_back(points, d);
        let (inside, last) = points.split_at(steps * d);
        for (l, edge) in edges.iter_mut().enumerate() {
            for (to, vector) in edge.iter_mut().zip(last) {
                *to = V::scalars(std::slice::from_ref(vector))[l];
            }
        }
        spread(inside, &mut lanes);
    }

    /// Coefficients `range` of the state, to the rows of the lanes.
    #[inline(always)]
    pub fn unpack<'r>(&self, state: &[V], range: Range<usize>, rows: impl Iterator<Item = &'r mut [V::Scalar]>)
    where
        V::Scalar: 'r,
    {
        let places = &self.places[range];
        let mut lanes: [&mut [V::Scalar]; MAX_LANES] = Default::default();
        for (lane, row) in lanes.iter_mut().zip(rows) {
            *lane = row;
        }
        if places.len() < V::LANES {
            for (e, &place) in places.iter().enumerate() {
                let values = state[place as usize].to_array();
                for (lane, value) in lanes.iter_mut().zip(values) {
                    if let Some(to) = lane.get_mut(e) {
                        *to = value;
                    }
                }
            }
            return;
        }
        for at in blocks::<V>(places.len()) {
            let here = &places[at..][..V::LANES];
            let mut square = [V::zero(); MAX_LANES];
            for i in 0..V::LANES {
                square[i] = state[here[i] as usize];
            }
            V::transpose(&mut square);
            for l in 0..V::LANES {
                if !lanes[l].is_empty() {
                    square[l].store(&mut lanes[l][at..]);
                }
            }
        }
    }

    /// The rows of the lanes as coefficients `range` of the state; zeros in lanes without a row.
    #[inline(always)]
    pub fn pack<'r>(&self, state: &mut [V], range: Range<usize>, rows: impl Iterator<Item = &'r [V::Scalar]>)
    where
        V::Scalar: 'r,
    {
        let places = &self.places[range];
        let mut lanes: [&[V::Scalar]; MAX_LANES] = [&[]; MAX_LANES];
        for (lane, row) in lanes.iter_mut().zip(rows) {
            *lane = row;
        }
        if places.len() < V::LANES {
            for (e, &place) in places.iter().enumerate() {
                let mut values = [V::Scalar::ZERO; MAX_LANES];
                for (to, lane) in values.iter_mut().zip(lanes) {
                    *to = lane.get(e).copied().unwrap_or(V::Scalar::ZERO);
                }
                state[place as usize] = V::load(&values);
            }
            return;
        }
        for at in blocks::<V>(places.len()) {
            let here = &places[at..][..V::LANES];
            let mut square = [V::zero(); MAX_LANES];
            for l in 0..V::LANES {
                if !lanes[l].is_empty() {
                    square[l] = V::load(&lanes[l][at..]);
                }
            }
            V::transpose(&mut square);
            for i in 0..V::LANES {
                state[here[i] as usize] = square[i];
            }
        }
    }
}

/// Begins of blocks of `LANES` numbers that cover `0..count`; the last one overlaps the one before it rather than be
/// short.
#[inline(always)]
fn blocks<V: Lanes>(count: usize) -> impl Iterator<Item = usize> {
    let last = count.saturating_sub(V::LANES);
    (0..count.div_ceil(V::LANES)).map(move |b| last.min(b * V::LANES))
}

/// Number `e` of every lane, in vector `e`; zeros in lanes without a row.
#[inline(always)]
fn gather<V: Lanes>(lanes: &[&[V::Scalar]; MAX_LANES], to: &mut [V]) {
    let count = to.len();
    if count < V::LANES || lanes[..V::LANES].iter().any(|lane| lane.len() < count) {
        to.fill(V::zero());
        let to = V::scalars_mut(to);
        for (l, lane) in lanes[..V::LANES].iter().enumerate() {
            for (e, &value) in lane.iter().enumerate() {
                to[e * V::LANES + l] = value;
            }
        }
        return;
    }
    for at in blocks::<V>(count) {
        let to = &mut to[at..][..V::LANES];
        let mut square = [V::zero(); MAX_LANES];
        for l in 0..V::LANES {
            square[l] = V::load(&lanes[l][at..]);
        }
        V::transpose(&mut square);
        for e in 0..V::LANES {
            to[e] = square[e];
        }
    }
}

/// The other way: the last numbers of every lane, as many as it has room for.
#[inline(always)]
fn spread<V: Lanes>(from: &[V], lanes: &mut [&mut [V::Scalar]; MAX_LANES]) {
    let count = from.len();
    if count < V::LANES || lanes[..V::LANES].iter().any(|lane| lane.len() != count) {
        for (l, lane) in lanes[..V::LANES].iter_mut().enumerate() {
            let first = count - lane.len();
            for (to, vector) in lane.iter_mut().zip(&from[first..]) {
                *to = V::scalars(std::slice::from_ref(vector))[l];
            }
        }
        return;
    }
    for at in blocks::<V>(count) {
        let from = &from[at..][..V::LANES];
        let mut square = [V::zero(); MAX_LANES];
        for e in 0..V::LANES {
            square[e] = from[e];
        }
        V::transpose(&mut square);
        for l in 0..V::LANES {
            square[l].store(&mut lanes[l][at..]);
        }
    }
}

/// Increments of rows of `d` vectors, in their places.
#[inline(always)]
fn differences<V: Lanes>(points: &mut [V], d: usize) {
    match d {
        2 => differences_of::<V, 2>(points),
        3 => differences_of::<V, 3>(points),
        4 => differences_of::<V, 4>(points),
        _ => {
            for e in d..points.len() {
                points[e - d] = points[e] - points[e - d];
            }
        }
    }
}

#[inline(always)]
fn differences_of<V: Lanes, const D: usize>(points: &mut [V]) {
    let rows = points.as_chunks_mut::<D>().0;
    let mut before = rows[0];
    for t in 1..rows.len() {
        let here = rows[t];
        for c in 0..D {
            rows[t - 1][c] = here[c] - before[c];
        }
        before = here;
    }
}

/// The adjoint: each row less the one after it, in its place.
#[inline(always)]
fn differences_back<V: Lanes>(rows: &mut [V], d: usize) {
    match d {
        2 => differences_back_of::<V, 2>(rows),
        3 => differences_back_of::<V, 3>(rows),
        4 => differences_back_of::<V, 4>(rows),
        _ => {
            for e in d..rows.len() {
                rows[e - d] = rows[e - d] - rows[e];
            }
        }
    }
}

#[inline(always)]
fn differences_back_of<V: Lanes, const D: usize>(rows: &mut [V]) {
    let rows = rows.as_chunks_mut::<D>().0;
    let mut before = rows[0];
    for t in 1..rows.len() {
        let here = rows[t];
        for c in 0..D {
            rows[t - 1][c] = before[c] - here[c];
        }
        before = here;
    }
}
