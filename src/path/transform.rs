//! Time augmentation and lead-lag: their shapes, and as functions of their own with their adjoints.

use super::Path;
use crate::error::{Result, argument_error};
use crate::simd::Real;

/// The lead-lag path of L points in d channels: 2L - 1 points in 2d channels, point 2k = (x_k, x_k),
/// point 2k+1 = (x_{k+1}, x_k) (Flint, Hambly & Lyons 2016). Kernels do not depend on the order of the blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LeadLag {
    #[default]
    Off,
    /// (lead, lag)
    LeadFirst,
    /// (lag, lead), as in pySigLib
    LagFirst,
}

/// What is done to every path before anything is computed of it; lead-lag first, then time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Transform {
    /// Appends a last channel that runs from 0 to this end time, evenly over the path's own points.
    pub time: Option<f64>,
    pub lead_lag: LeadLag,
}

impl Transform {
    /// Points of a transformed path of `points` points.
    pub fn points(&self, points: usize) -> usize {
        if self.lead_lag == LeadLag::Off {
            points
        } else {
            2 * points - 1
        }
    }

    /// Channels of a transformed path of `dim` channels; `None` where they cannot be counted.
    pub fn dim(&self, dim: usize) -> Option<usize> {
        let space = if self.lead_lag == LeadLag::Off {
            Some(dim)
        } else {
            dim.checked_mul(2)
        };
        space?.checked_add(self.time.is_some() as usize)
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.time.map_or(Ok(()), check_end_time)
    }

    /// The increment of time between points of the transformed path; `None` without time or with one point.
    pub(crate) fn time_step(&self, points: usize) -> Option<f64> {
        let steps = self.points(points) - 1;
        self.time.map(|end| if steps == 0 { 0.0 } else { end / steps as f64 })
    }
}

/// Time of point `i` of `points`: i · end / (points - 1).
fn time<S: Real>(i: usize, points: usize, end: f64) -> S {
    if points < 2 {
        return S::ZERO;
    }
    // The product must not overflow where the time does not. Powers of 2 change no other bits.
    let [down, up] = if end.abs() > 1e280 {
        [0.5f64.powi(64), 2f64.powi(64)]
    } else {
        [1.0, 1.0]
    };
    S::from_f64(i as f64 * (end * down) / (points - 1) as f64 * up)
}

/// Writes (x_i, t_i) for the points of a path: `points · (dim + 1)` numbers.
pub fn time_augment<S: Real>(path: &Path<'_, S>, end_time: f64, to: &mut [S]) {
    let (points, dim) = (path.points(), path.dim());
    for (i, point) in to[..points * (dim + 1)].chunks_exact_mut(dim + 1).enumerate() {
        for (c, value) in point[..dim].iter_mut().enumerate() {
            *value = path.value(i, c);
        }
        point[dim] = time(i, points, end_time);
    }
}

/// The adjoint of [`time_augment`]: the gradient without its last channel.
pub fn time_augment_adjoint<S: Real>(grad: &[S], dim: usize, gradient: &mut [S]) {
    for (to, from) in gradient.chunks_exact_mut(dim).zip(grad.chunks_exact(dim + 1)) {
        to.copy_from_slice(&from[..dim]);
    }
}

/// Writes the lead-lag path: `(2 · points - 1) · 2 · dim` numbers.
pub fn lead_lag<S: Real>(path: &Path<'_, S>, lag_first: bool, to: &mut [S]) {
    let (points, dim) = (path.points(), path.dim());
    let (lead, lag) = block_offsets(dim, lag_first);
    let to = &mut to[..(2 * points - 1) * 2 * dim];
    for (i, point) in to.chunks_exact_mut(2 * dim).enumerate() {
        for c in 0..dim {
            point[lead + c] = path.value(i.div_ceil(2), c);
            point[lag + c] = path.value(i / 2, c);
        }
    }
}

/// The adjoint of [`lead_lag`]: sums what each point gets from its places in the lead-lag path.
pub fn lead_lag_adjoint<S: Real>(grad: &[S], dim: usize, lag_first: bool, gradient: &mut [S]) {
    let (lead, lag) = block_offsets(dim, lag_first);
    gradient.fill(S::ZERO);
    for (i, point) in grad.chunks_exact(2 * dim).enumerate() {
        for c in 0..dim {
            let (a, b) = (i.div_ceil(2) * dim + c, i / 2 * dim + c);
            gradient[a] = gradient[a] + point[lead + c];
            gradient[b] = gradient[b] + point[lag + c];
        }
    }
}

/// Where the lead and the lag block begin in a point.
fn block_offsets(dim: usize, lag_first: bool) -> (usize, usize) {
    if lag_first { (dim, 0) } else { (0, dim) }
}

/// An end time that the transforms can use.
pub(crate) fn check_end_time(end_time: f64) -> Result<()> {
    if !end_time.is_finite() {
        argument_error!("end_time is {end_time}; expected a finite number");
    }
    Ok(())
}
