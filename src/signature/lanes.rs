//! One lane a path: numbers of several paths, to and from vectors.

use super::levels::Levels;
use super::shape::{Places, Shape};
use crate::error::Result;
use crate::memory::try_vec;
use crate::simd::{Lanes, MAX_LANES, Real};
use std::ops::Range;

/// Where each coefficient of a signature lies in a state of one lane a path.
pub struct Order {
    places: Vec<u32>,
}

impl Order {
    /// For states in the order of the walk.
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
        Ok(Order { places })
    }

    /// For states that are ordered by the last letters of words (`Small`).
    pub fn by_endings(levels: &Levels) -> Result<Self> {
        let mut places = try_vec(levels.total(), 0)?;
        let (d, each) = (levels.dim, levels.total() / levels.dim);
        for k in 1..=levels.degree {
            let below = levels.begin(k) / d;
            for (w, to) in places[levels.begin(k)..][..levels.size(k)].iter_mut().enumerate() {
                *to = (w % d * each + below + w / d) as u32;
            }
        }
        Ok(Order { places })
    }

    /// Coefficients `range` of the state, to the rows of the lanes.
    #[inline(always)]
    pub fn unpack<'r, V: Lanes>(
        &self,
        state: &[V],
        range: Range<usize>,
        rows: impl Iterator<Item = &'r mut [V::Scalar]>,
    ) where
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
    pub fn pack<'r, V: Lanes>(&self, state: &mut [V], range: Range<usize>, rows: impl Iterator<Item = &'r [V::Scalar]>)
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
pub fn gather<V: Lanes>(lanes: &[&[V::Scalar]; MAX_LANES], to: &mut [V]) {
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
        for (to, vector) in to.iter_mut().zip(&square) {
            *to = *vector;
        }
    }
}

/// The other way: the last numbers of every lane, as many as it has room for.
#[inline(always)]
pub fn spread<V: Lanes>(from: &[V], lanes: &mut [&mut [V::Scalar]; MAX_LANES]) {
    let count = from.len();
    if count < V::LANES {
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
        for (to, vector) in square.iter_mut().zip(from) {
            *to = *vector;
        }
        V::transpose(&mut square);
        for l in 0..V::LANES {
            let first = count - lanes[l].len();
            if at >= first {
                square[l].store(&mut lanes[l][at - first..]);
            } else if at + V::LANES > first {
                let values = &square[l].to_array()[first - at..V::LANES];
                lanes[l][..values.len()].copy_from_slice(values);
            }
        }
    }
}
