//! Points of several paths, one a lane: read as increments, and gradients of increments as gradients of points.

use super::lanes::{gather, spread};
use super::moves::Moves;
use crate::error::Result;
use crate::memory::try_vec;
use crate::path::{LeadLag, Steps, Transform, put_steps};
use crate::simd::{Lanes, MAX_LANES, Real};

/// Increments `begin..end` of a path.
#[derive(Clone, Copy)]
pub struct Window<'i, S> {
    pub moves: Moves<'i, S>,
    pub begin: usize,
    pub end: usize,
}

/// Room for the increments of some steps.
pub struct Points<V: Lanes> {
    dim: usize,
    /// Rows of `dim` vectors; a row more than steps.
    rows: Vec<V>,
    /// The same before the transform, where there is one.
    raw: Vec<V>,
    /// `MAX_LANES` steps of every lane, and a point more, where they are not taken from the path as it lies in memory.
    patches: Vec<V::Scalar>,
}

impl<V: Lanes> Points<V> {
    /// For `steps` steps in `dim` channels, after the transform.
    pub fn new(dim: usize, steps: usize) -> Result<Self> {
        Ok(Points {
            dim,
            rows: V::scratch((steps + 1) * dim)?,
            raw: Vec::new(),
            patches: try_vec(V::LANES * (MAX_LANES + 1) * dim, V::Scalar::ZERO)?,
        })
    }

    /// `count` steps from the `behind`-th from the end of each window on, an even number with lead-lag: one row of
    /// `dim` vectors a step, in the order of time. Past the begin of a window increments are zero, which changes
    /// nothing.
    #[inline(always)]
    pub fn read<'i>(
        &mut self,
        behind: usize,
        count: usize,
        windows: impl Iterator<Item = Window<'i, V::Scalar>> + Clone,
    ) -> Result<&[V]>
    where
        V::Scalar: 'i,
    {
        let dim = self.dim;
        let Some(first) = windows.clone().next() else {
            return Ok(&[]);
        };
        if windows.clone().any(|window| window.moves.points().is_empty()) {
            self.write(behind, count, windows);
            return Ok(&self.rows[..count * dim]);
        }
        let plain = first.moves.dim() == first.moves.raw_dim();
        if !plain && self.raw.is_empty() {
            self.raw = V::scratch(self.rows.len())?;
        }
        let (raw_dim, each) = (first.moves.raw_dim(), first.moves.per_point());
        let own = |window: &Window<'i, V::Scalar>| count.min((window.end - window.begin).saturating_sub(behind));
        // Lanes without a window do what the first one does.
        let mut lanes: [&[V::Scalar]; MAX_LANES] = [slice(&first, behind, own(&first)); MAX_LANES];
        let mut whole = own(&first) == count;
        for (lane, window) in lanes.iter_mut().zip(windows.clone()).skip(1) {
            *lane = slice(&window, behind, own(&window));
            whole &= own(&window) == count;
        }
        let points = if plain { &mut self.rows } else { &mut self.raw };
        let points = &mut points[..(count / each + 1) * raw_dim];
        // 16 rows and those of the block before are more than the registers hold.
        let done = whole && V::LANES <= 8 && put_steps(&lanes, raw_dim, &mut Rows(points.iter_mut()));
        if !done {
            if whole {
                gather(&lanes, points);
            } else {
                gather_ends(&lanes, raw_dim, &mut self.patches, points);
            }
            differences(points, raw_dim);
        }
        if !plain {
            let clock = time_steps::<V>(windows.clone().map(|window| window.moves));
            transform(
                &self.raw,
                raw_dim,
                first.moves.lead_lag(),
                clock,
                dim,
                &mut self.rows[..count * dim],
            );
        }
        if !whole {
            for (l, window) in windows.enumerate() {
                clear(&mut self.rows[..(count - own(&window)) * dim], l);
            }
        }
        Ok(&self.rows[..count * dim])
    }

    /// The same from paths that lie in memory in another way.
    #[inline(always)]
    fn write<'i>(&mut self, behind: usize, count: usize, windows: impl Iterator<Item = Window<'i, V::Scalar>> + Clone)
    where
        V::Scalar: 'i,
    {
        let dim = self.dim;
        for first in (0..count).step_by(MAX_LANES) {
            let here = MAX_LANES.min(count - first);
            // Of the step `first`.
            let from_end = behind + count - first;
            let mut lanes: [&[V::Scalar]; MAX_LANES] = [&[]; MAX_LANES];
            let patches = self.patches.chunks_exact_mut((MAX_LANES + 1) * dim);
            for ((lane, window), patch) in lanes.iter_mut().zip(windows.clone()).zip(patches) {
                let patch = &mut patch[..here * dim];
                for (s, row) in patch.chunks_exact_mut(dim).enumerate() {
                    if from_end - s <= window.end - window.begin {
                        window.moves.write(window.end + s - from_end, row);
                    } else {
                        row.fill(V::Scalar::ZERO);
                    }
                }
                *lane = patch;
            }
            gather(&lanes, &mut self.rows[first * dim..][..here * dim]);
        }
    }
}

/// Gradients of increments as gradients of points: `gradient` has one row of `dim` vectors a step, in the order of time,
/// between two rows that do not count. The rows of the lanes, (steps, gradient, edge) each, have `raw_dim` channels and
/// end together; the last point, if there is no room for it in a gradient, goes to its edge.
#[inline(always)]
pub fn scatter<'r, V: Lanes>(
    gradient: &mut [V],
    steps: usize,
    dim: usize,
    how: &Transform,
    raw_dim: usize,
    lanes: impl Iterator<Item = (usize, &'r mut [V::Scalar], &'r mut [V::Scalar])>,
) where
    V::Scalar: 'r,
{
    let each = if how.lead_lag == LeadLag::Off { 1 } else { 2 };
    if *how != Transform::default() {
        transform_back(gradient, steps, dim, how.lead_lag, raw_dim);
    }
    let steps = steps / each;
    let points = &mut gradient[..(steps + 2) * raw_dim];
    points[..raw_dim].fill(V::zero());
    points[(steps + 1) * raw_dim..].fill(V::zero());
    let mut rows: [&mut [V::Scalar]; MAX_LANES] = Default::default();
    let mut ends: [&mut [V::Scalar]; MAX_LANES] = Default::default();
    for (l, (own, gradient, edge)) in lanes.enumerate() {
        let own = own / each;
        // Steps before the begin of a path get nothing.
        clear(&mut points[raw_dim..][..(steps - own) * raw_dim], l);
        let (inside, beyond) = gradient.split_at_mut(own * raw_dim);
        rows[l] = inside;
        ends[l] = if beyond.is_empty() { edge } else { beyond };
    }
    // What an increment gains, its end gains and its begin loses.
    differences_back(points, raw_dim);
    let (inside, last) = points.split_at(steps * raw_dim);
    for (l, end) in ends.iter_mut().enumerate() {
        for (to, vector) in end.iter_mut().zip(last) {
            *to = V::scalars(std::slice::from_ref(vector))[l];
        }
    }
    spread(inside, &mut rows);
}

/// The points of `own` increments before the `behind` last ones.
#[inline(always)]
fn slice<'i, S: Real>(window: &Window<'i, S>, behind: usize, own: usize) -> &'i [S] {
    if own == 0 {
        return &[];
    }
    let (dim, each) = (window.moves.raw_dim(), window.moves.per_point());
    &window.moves.points()[(window.end - behind - own) / each * dim..][..(own / each + 1) * dim]
}

/// Writes rows of increments.
struct Rows<'a, V>(std::slice::IterMut<'a, V>);

impl<V> Steps<V> for Rows<'_, V> {
    #[inline(always)]
    fn put(&mut self, increment: V) {
        if let Some(to) = self.0.next() {
            *to = increment;
        }
    }
}

/// Points of lanes that end together, zeros before. `patches` is scratch.
#[inline(always)]
fn gather_ends<V: Lanes>(lanes: &[&[V::Scalar]; MAX_LANES], dim: usize, patches: &mut [V::Scalar], points: &mut [V]) {
    let room = patches.len() / V::LANES;
    let most = points.len();
    for first in (0..most).step_by(MAX_LANES * dim) {
        let here = (most - first).min((MAX_LANES + 1) * dim);
        let mut rows: [&[V::Scalar]; MAX_LANES] = [&[]; MAX_LANES];
        for ((row, lane), patch) in rows.iter_mut().zip(lanes).zip(patches.chunks_exact_mut(room)) {
            let before = most - lane.len();
            if first >= before {
                *row = &lane[first - before..][..here];
            } else {
                let zeros = here.min(before - first);
                patch[..zeros].fill(V::Scalar::ZERO);
                patch[zeros..here].copy_from_slice(&lane[..here - zeros]);
                *row = &patch[..here];
            }
        }
        gather(&rows, &mut points[first..][..here]);
    }
}

/// Zeros in one lane.
#[inline(always)]
fn clear<V: Lanes>(vectors: &mut [V], lane: usize) {
    for vector in V::scalars_mut(vectors).chunks_exact_mut(V::LANES) {
        vector[lane] = V::Scalar::ZERO;
    }
}

/// The increment of time of every lane.
#[inline(always)]
fn time_steps<'i, V: Lanes>(lanes: impl Iterator<Item = Moves<'i, V::Scalar>>) -> Option<V>
where
    V::Scalar: 'i,
{
    let mut steps = [V::Scalar::ZERO; MAX_LANES];
    let mut any = false;
    for (to, moves) in steps.iter_mut().zip(lanes) {
        if let Some(step) = moves.time_step() {
            (*to, any) = (step, true);
        }
    }
    any.then(|| V::load(&steps))
}

/// Rows of `raw_dim` increments as rows of `dim` after the transform.
#[inline(always)]
fn transform<V: Lanes>(raw: &[V], raw_dim: usize, lead_lag: LeadLag, clock: Option<V>, dim: usize, to: &mut [V]) {
    for (t, row) in to.chunks_exact_mut(dim).enumerate() {
        let (from, block) = lead_lag.source(t);
        let (space, time) = row.split_at_mut(dim - clock.is_some() as usize);
        if lead_lag != LeadLag::Off {
            space.fill(V::zero());
        }
        space[block * raw_dim..][..raw_dim].copy_from_slice(&raw[from * raw_dim..][..raw_dim]);
        if let (Some(clock), [time]) = (clock, time) {
            *time = clock;
        }
    }
}

/// The adjoint, in place: `rows` has a row before the first step.
#[inline(always)]
fn transform_back<V: Lanes>(rows: &mut [V], steps: usize, dim: usize, lead_lag: LeadLag, raw_dim: usize) {
    let each = if lead_lag == LeadLag::Off { 1 } else { 2 };
    for r in 0..steps / each {
        // The first of the steps moves one block, the second the other.
        let first = (each * r + 1) * dim + lead_lag.source(0).1 * raw_dim;
        let second = (each * r + 2) * dim + lead_lag.source(1).1 * raw_dim;
        for c in 0..raw_dim {
            let mut sum = rows[first + c];
            if each == 2 {
                sum = sum + rows[second + c];
            }
            rows[(r + 1) * raw_dim + c] = sum;
        }
    }
}

/// Increments of rows of `d` vectors, in their places.
#[inline(always)]
fn differences<V: Lanes>(points: &mut [V], d: usize) {
    match d {
        1 => differences_of::<V, 1>(points),
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
        1 => differences_back_of::<V, 1>(rows),
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
