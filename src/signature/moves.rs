//! The increments of a path, and where they lie in memory if that is simple.

use super::letters::Turns;
use crate::path::{Increments, LeadLag, Path, Transform};
use crate::simd::Real;

#[derive(Clone, Copy)]
pub struct Moves<'a, S> {
    increments: Increments<'a, S>,
    /// The points before the transform, where they lie one after the other; else nothing.
    points: &'a [S],
}

impl<'a, S: Real> Moves<'a, S> {
    pub fn new(path: Path<'a, S>, transform: &Transform) -> Self {
        Moves {
            increments: Increments::new(path, transform),
            points: path.as_slice().unwrap_or_default(),
        }
    }

    pub fn count(&self) -> usize {
        self.increments.count()
    }

    /// Channels, and channels before the transform.
    pub fn dim(&self) -> usize {
        self.increments.dim()
    }

    pub fn raw_dim(&self) -> usize {
        self.increments.raw_dim()
    }

    pub fn lead_lag(&self) -> LeadLag {
        self.increments.lead_lag()
    }

    /// Increments that become of one by the transform.
    pub fn per_point(&self) -> usize {
        if self.lead_lag() == LeadLag::Off { 1 } else { 2 }
    }

    /// The constant increment of time, where there is time.
    pub fn time_step(&self) -> Option<S> {
        self.increments.time_step()
    }

    /// The channel of the path, before the transform, that a letter is; time is none.
    pub fn channel(&self, letter: usize) -> Option<usize> {
        let space = self.raw_dim() * self.per_point();
        (letter < space).then_some(letter % self.raw_dim())
    }

    /// The sum of all increments of a letter.
    #[inline(always)]
    pub fn total(&self, letter: usize) -> S {
        match self.channel(letter) {
            Some(channel) => self.increments.whole(channel),
            None => S::from_f64(self.time_step().map_or(0.0, Real::to_f64) * self.count() as f64),
        }
    }

    /// Writes increment `t`.
    #[inline(always)]
    pub fn write(&self, t: usize, to: &mut [S]) {
        self.increments.write(t, to);
    }

    /// Which letters move at which steps, the first step being the increment before `end`.
    #[inline(always)]
    pub fn turns(&self, end: usize) -> Option<Turns> {
        let (size, first) = self.increments.turns(end.saturating_sub(1))?;
        Some(Turns { size, first })
    }

    #[inline(always)]
    pub fn points(&self) -> &'a [S] {
        self.points
    }
}
