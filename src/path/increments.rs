//! The increments of a transformed path, written from the path as it lies in memory, and their adjoint.

use super::{LeadLag, Path, Transform};
use crate::simd::Real;

/// The increments of a path after its transforms: `count` vectors of `dim` numbers, never all in memory at once.
#[derive(Clone, Copy, Debug)]
pub struct Increments<'a, S> {
    path: Path<'a, S>,
    lead_lag: LeadLag,
    /// The constant increment of time, where there is time.
    time_step: Option<S>,
}

impl<'a, S: Real> Increments<'a, S> {
    pub fn new(path: Path<'a, S>, transform: &Transform) -> Self {
        Increments {
            path,
            lead_lag: transform.lead_lag,
            time_step: transform.time_step(path.points()).map(S::from_f64),
        }
    }

    /// Increments of the transformed path: one less than its points.
    pub fn count(&self) -> usize {
        let raw = self.path.points() - 1;
        if self.lead_lag == LeadLag::Off { raw } else { 2 * raw }
    }

    /// Channels of the transformed path.
    pub fn dim(&self) -> usize {
        self.spatial_dim() + self.time_step.is_some() as usize
    }

    /// Channels of the path before the transform.
    pub fn raw_dim(&self) -> usize {
        self.path.dim()
    }

    pub fn lead_lag(&self) -> LeadLag {
        self.lead_lag
    }

    pub fn time_step(&self) -> Option<S> {
        self.time_step
    }

    fn spatial_dim(&self) -> usize {
        let copies = if self.lead_lag == LeadLag::Off { 1 } else { 2 };
        copies * self.path.dim()
    }

    /// Of a lead-lag path: the channels of lead, and of lag; and which of the two blocks moves at increment `t`.
    #[inline(always)]
    pub fn turns(&self, t: usize) -> Option<(usize, usize)> {
        (self.lead_lag != LeadLag::Off).then(|| (self.path.dim(), self.lead_lag.source(t).1))
    }

    /// From the first point to the last one, of a channel before the transform.
    #[inline(always)]
    pub fn whole(&self, channel: usize) -> S {
        self.path.value(self.path.points() - 1, channel) - self.path.value(0, channel)
    }

    /// Writes increment `t`, `dim` numbers.
    #[inline(always)]
    pub fn write(&self, t: usize, to: &mut [S]) {
        let d = self.path.dim();
        let (raw, block) = self.lead_lag.source(t);
        let (space, time) = to[..self.dim()].split_at_mut(self.spatial_dim());
        if self.lead_lag != LeadLag::Off {
            space.fill(S::ZERO);
        }
        let moving = &mut space[block * d..][..d];
        if let Some(values) = self.path.as_slice() {
            let (from, next) = values[raw * d..][..2 * d].split_at(d);
            for ((z, &b), &a) in moving.iter_mut().zip(next).zip(from) {
                *z = b - a;
            }
        } else {
            for (c, z) in moving.iter_mut().enumerate() {
                *z = self.path.value(raw + 1, c) - self.path.value(raw, c);
            }
        }
        if let (Some(step), [z]) = (self.time_step, time) {
            *z = step;
        }
    }
}

impl LeadLag {
    /// Which increment of the raw path moves in increment `t` of the transformed one, and in which block of channels.
    #[inline(always)]
    pub(crate) fn source(self, t: usize) -> (usize, usize) {
        match self {
            LeadLag::Off => (t, 0),
            LeadLag::LeadFirst => (t / 2, t % 2),
            LeadLag::LagFirst => (t / 2, 1 - t % 2),
        }
    }
}

/// The adjoint of [`Increments::write`]: adds what the gradient `grad` of increment `t` of the transformed path means
/// for the points of the path, `gradient`. Time does not depend on the path.
pub fn scatter_increments<S: Real>(t: usize, grad: &[S], transform: &Transform, dim: usize, gradient: &mut [S]) {
    let (raw, block) = transform.lead_lag.source(t);
    let (from, next) = gradient[raw * dim..][..2 * dim].split_at_mut(dim);
    for ((a, b), &g) in from.iter_mut().zip(next).zip(&grad[block * dim..]) {
        *a = *a - g;
        *b = *b + g;
    }
}
