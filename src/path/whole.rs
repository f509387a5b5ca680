//! The transforms of whole batches, and their adjoints: results are dense and zero beyond a ragged path's end.

use super::transform::{check_end_time, lead_lag, lead_lag_adjoint, time_augment, time_augment_adjoint};
use super::{Batch, Gradient};
use crate::error::{Result, length_error};
use crate::memory::try_collect;
use crate::parallel::{Run, share};
use crate::simd::Real;

/// Numbers that a task writes, some thousand paths where they are short.
const GRAIN: usize = 1 << 16;

/// [`time_augment`] of each path: `out` is (batch, length, dim + 1).
pub fn time_augment_batch<S: Real>(
    paths: &Batch<'_, S>,
    end_time: f64,
    out: &mut [S],
    run: &mut Run<'_>,
) -> Result<()> {
    check_end_time(end_time)?;
    let width = paths.dim() + 1;
    map(paths, paths.length() * width, out, run, |b, to| {
        let path = paths.path(b);
        let (inside, beyond) = to.split_at_mut(path.points() * width);
        time_augment(&path, end_time, inside);
        beyond.fill(S::ZERO);
    })
}

/// [`lead_lag`] of each path: `out` is (batch, 2 · length - 1, 2 · dim).
pub fn lead_lag_batch<S: Real>(paths: &Batch<'_, S>, lag_first: bool, out: &mut [S], run: &mut Run<'_>) -> Result<()> {
    let width = 2 * paths.dim();
    map(paths, (2 * paths.length() - 1) * width, out, run, |b, to| {
        let path = paths.path(b);
        let (inside, beyond) = to.split_at_mut((2 * path.points() - 1) * width);
        lead_lag(&path, lag_first, inside);
        beyond.fill(S::ZERO);
    })
}

/// The adjoint of [`time_augment_batch`]; the values of `paths` are not read.
pub fn time_augment_batch_adjoint<S: Real>(
    grad: &[S],
    paths: &Batch<'_, S>,
    gradient: Gradient<'_, S>,
    run: &mut Run<'_>,
) -> Result<()> {
    let (dim, width) = (paths.dim(), paths.dim() + 1);
    pull(
        grad,
        paths,
        paths.length() * width,
        gradient,
        run,
        |points, grad, to| {
            time_augment_adjoint(&grad[..points * width], dim, to);
        },
    )
}

/// The adjoint of [`lead_lag_batch`]; the values of `paths` are not read.
pub fn lead_lag_batch_adjoint<S: Real>(
    grad: &[S],
    paths: &Batch<'_, S>,
    lag_first: bool,
    gradient: Gradient<'_, S>,
    run: &mut Run<'_>,
) -> Result<()> {
    let (dim, width) = (paths.dim(), 2 * paths.dim());
    let stride = (2 * paths.length() - 1) * width;
    pull(grad, paths, stride, gradient, run, |points, grad, to| {
        lead_lag_adjoint(&grad[..(2 * points - 1) * width], dim, lag_first, to);
    })
}

/// Calls `write` with each path's number and its `stride` numbers of `out`.
fn map<S: Real>(
    paths: &Batch<'_, S>,
    stride: usize,
    out: &mut [S],
    run: &mut Run<'_>,
    write: impl Fn(usize, &mut [S]) + Sync,
) -> Result<()> {
    check_length("out", out.len(), paths, stride)?;
    let group = (GRAIN / stride).max(1);
    let tasks = try_collect(out.chunks_mut(group * stride).enumerate())?;
    share(run, tasks, paths.batch() as u64, |queue| {
        while let Some((i, chunk)) = queue.take() {
            for (b, to) in (i * group..).zip(chunk.chunks_exact_mut(stride)) {
                write(b, to);
            }
            queue.advance((chunk.len() / stride) as u64)?;
        }
        Ok(())
    })
}

/// Calls `write` with each path's points, its `stride` numbers of `grad` and its gradient.
fn pull<S: Real>(
    grad: &[S],
    paths: &Batch<'_, S>,
    stride: usize,
    gradient: Gradient<'_, S>,
    run: &mut Run<'_>,
    write: impl Fn(usize, &[S], &mut [S]) + Sync,
) -> Result<()> {
    check_length("grad", grad.len(), paths, stride)?;
    let mut pieces = gradient.split(paths)?;
    let group = (GRAIN / stride).max(1);
    let tasks = try_collect(pieces.chunks_mut(group).enumerate())?;
    share(run, tasks, paths.batch() as u64, |queue| {
        while let Some((i, chunk)) = queue.take() {
            for (b, to) in (i * group..).zip(chunk.iter_mut()) {
                write(paths.points(b), &grad[b * stride..][..stride], to);
            }
            queue.advance(chunk.len() as u64)?;
        }
        Ok(())
    })
}

fn check_length<S: Real>(name: &str, length: usize, paths: &Batch<'_, S>, stride: usize) -> Result<()> {
    if paths.batch().checked_mul(stride) != Some(length) {
        length_error!("{name} has {length} elements; expected {} * {stride}", paths.batch());
    }
    Ok(())
}
