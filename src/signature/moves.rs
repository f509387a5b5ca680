//! The increments of a path, and where they lie in memory if that is simple.

use super::letters::Turns;
use crate::path::{Increments, Path, Transform};
use crate::simd::Real;

#[derive(Clone, Copy)]
pub struct Moves<'a, S> {
    increments: Increments<'a, S>,
    /// The points, one after the other, of a path that is not transformed; else nothing.
    points: &'a [S],
}

impl<'a, S: Real> Moves<'a, S> {
    pub fn new(path: Path<'a, S>, transform: &Transform) -> Self {
        let plain = *transform == Transform::default();
        Moves {
            increments: Increments::new(path, transform),
            points: path.as_slice().filter(|_| plain).unwrap_or_default(),
        }
    }

    pub fn count(&self) -> usize {
        self.increments.count()
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
