//! Paths in one channel: S_k = x^k / k!, x the whole increment.

use super::moves::Moves;
use super::stages::Stages;
use crate::error::Result;
use crate::path::{Transform, scatter_increments};
use crate::simd::Real;

/// The whole increment, summed with the errors of the sum (Kahan & Babuška; Neumaier 1974).
fn increment<S: Real>(increments: &Moves<'_, S>) -> S {
    let (mut sum, mut lost) = (S::ZERO, S::ZERO);
    let mut z = [S::ZERO];
    let size = |x: S| if x < S::ZERO { -x } else { x };
    for t in 0..increments.count() {
        increments.write(t, &mut z);
        let next = sum + z[0];
        lost = lost
            + if size(sum) >= size(z[0]) {
                (sum - next) + z[0]
            } else {
                (z[0] - next) + sum
            };
        sum = next;
    }
    sum + lost
}

/// One row, and the path it is of.
pub type Row<'a, S> = (Moves<'a, S>, &'a mut [S]);

pub fn signature<S: Real>(rows: Vec<Row<'_, S>>, stages: &mut Stages<'_, '_>) -> Result<()> {
    let units = rows.iter().map(|(increments, _)| increments.count() as u64).sum();
    stages.share(rows, units, |queue| {
        while let Some((increments, row)) = queue.take() {
            let x = increment(&increments);
            let mut power = S::ONE;
            for (k, to) in (1..).zip(row) {
                power = power * x * S::from_f64(1.0 / k as f64);
                *to = power;
            }
            queue.advance(increments.count() as u64)?;
        }
        Ok(())
    })
}

/// Σ_k grad_k x^(k-1)/(k-1)!, for every increment the same.
pub fn backprop<S: Real>(
    rows: Vec<(Moves<'_, S>, &[S], &mut [S])>,
    transform: &Transform,
    stages: &mut Stages<'_, '_>,
) -> Result<()> {
    let units = rows.iter().map(|(increments, ..)| increments.count() as u64).sum();
    stages.share(rows, units, |queue| {
        while let Some((increments, grad, gradient)) = queue.take() {
            let x = increment(&increments);
            let (mut power, mut sum) = (S::ONE, S::ZERO);
            for (k, &g) in (1..).zip(grad) {
                sum = sum + g * power;
                power = power * x * S::from_f64(1.0 / k as f64);
            }
            gradient.fill(S::ZERO);
            for t in 0..increments.count() {
                scatter_increments(t, &[sum], transform, 1, gradient);
            }
            queue.advance(increments.count() as u64)?;
        }
        Ok(())
    })
}
