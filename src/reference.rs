//! Each function once more, obvious and slow, straight from the equations: the oracle of the tests.
//!
//! Everything is about one path or one pair of paths, in contiguous slices (`L * dim` numbers, point after point), and
//! shares nothing with the rest of the crate. Every function is generic over [`Number`], so that the same lines give a
//! result in `f64` and in [`DoubleDouble`], whose 32 digits judge the rounding of everything else: see [`widen`].

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

pub use double_double::{DoubleDouble, narrow, widen};

mod double_double;

/// What the equations need of a number.
pub trait Number:
    Copy
    + From<f64>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
{
}

impl Number for f64 {}
impl Number for DoubleDouble {}

// ---------------------------------------------------------------------------------------------------------- paths

/// dx_i = x_{i+1} - x_i.
pub fn increments<T: Number>(path: &[T], dim: usize) -> Vec<T> {
    (dim..path.len()).map(|n| path[n] - path[n - dim]).collect()
}

/// ∂F/∂x from ∂F/∂dx; `length` points.
pub fn increments_backprop<T: Number>(grad: &[T], dim: usize, length: usize) -> Vec<T> {
    let mut path_grad = vec![T::from(0.0); length * dim];
    for n in 0..grad.len() {
        path_grad[n + dim] += grad[n];
        path_grad[n] -= grad[n];
    }
    path_grad
}

/// Appends the channel t_i = i · end_time / (L - 1); a single point is at time 0.
pub fn time_augment<T: Number>(path: &[T], dim: usize, end_time: T) -> Vec<T> {
    let length = path.len() / dim;
    let steps = T::from(length.saturating_sub(1).max(1) as f64);
    let mut out = Vec::new();
    for (i, point) in path.chunks_exact(dim).enumerate() {
        out.extend_from_slice(point);
        out.push(T::from(i as f64) * end_time / steps);
    }
    out
}

/// Adjoint of [`time_augment`]: the derivative by the times is dropped. `dim` is without time.
pub fn time_augment_backprop<T: Number>(grad: &[T], dim: usize) -> Vec<T> {
    grad.chunks_exact(dim + 1)
        .flat_map(|point| &point[..dim])
        .copied()
        .collect()
}

/// The order of the two blocks of channels of a lead-lag path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeadLag {
    /// (lead, lag), the usual order.
    LeadFirst,
    /// (lag, lead), the order of pySigLib.
    LagFirst,
}

/// (lead, lag) as indices of points: (k, k) at point 2k, (k + 1, k) at point 2k + 1.
fn lead_lag_points(length: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..(2 * length).saturating_sub(1)).map(|p| (p.div_ceil(2), p / 2))
}

/// The lead-lag path: 2L - 1 points of 2·dim channels.
pub fn lead_lag<T: Number>(path: &[T], dim: usize, order: LeadLag) -> Vec<T> {
    let point = |i: usize| &path[i * dim..(i + 1) * dim];
    let mut out = Vec::new();
    for (lead, lag) in lead_lag_points(path.len() / dim) {
        let (first, second) = if order == LeadLag::LeadFirst {
            (lead, lag)
        } else {
            (lag, lead)
        };
        out.extend_from_slice(point(first));
        out.extend_from_slice(point(second));
    }
    out
}

/// Adjoint of [`lead_lag`]. `dim` is that of the original path.
pub fn lead_lag_backprop<T: Number>(grad: &[T], dim: usize, order: LeadLag) -> Vec<T> {
    let length = (grad.len() / (2 * dim)).div_ceil(2);
    let mut path_grad = vec![T::from(0.0); length * dim];
    for (point_grad, (lead, lag)) in grad.chunks_exact(2 * dim).zip(lead_lag_points(length)) {
        let (first, second) = if order == LeadLag::LeadFirst {
            (lead, lag)
        } else {
            (lag, lead)
        };
        for c in 0..dim {
            path_grad[first * dim + c] += point_grad[c];
            path_grad[second * dim + c] += point_grad[dim + c];
        }
    }
    path_grad
}

/// What is done to a path before anything else: lead-lag first, then time over its 2L - 1 points.
#[derive(Clone, Copy, Debug, Default)]
pub struct Transform {
    /// Lead-lag, in which order.
    pub lead_lag: Option<LeadLag>,
    /// Time augmentation, up to which end time.
    pub end_time: Option<f64>,
}

impl Transform {
    /// Channels of the transformed path.
    pub fn dim(&self, dim: usize) -> usize {
        self.lead_lagged_dim(dim) + usize::from(self.end_time.is_some())
    }

    fn lead_lagged_dim(&self, dim: usize) -> usize {
        if self.lead_lag.is_some() { 2 * dim } else { dim }
    }

    /// The transformed path, of `self.dim(dim)` channels.
    pub fn apply<T: Number>(&self, path: &[T], dim: usize) -> Vec<T> {
        let path = self.lead_lag.map_or(path.to_vec(), |order| lead_lag(path, dim, order));
        match self.end_time {
            Some(end_time) => time_augment(&path, self.lead_lagged_dim(dim), T::from(end_time)),
            None => path,
        }
    }

    /// The adjoint of [`Transform::apply`]; `dim` is that of the original path.
    pub fn backprop<T: Number>(&self, grad: &[T], dim: usize) -> Vec<T> {
        let lead_lagged_dim = self.lead_lagged_dim(dim);
        let grad = self
            .end_time
            .map_or(grad.to_vec(), |_| time_augment_backprop(grad, lead_lagged_dim));
        self.lead_lag
            .map_or(grad.clone(), |order| lead_lag_backprop(&grad, dim, order))
    }
}

// ----------------------------------------------------------------------------------------------------- signatures

/// Coefficients of a truncated signature, with or without the 1 of level 0.
pub fn signature_length(dim: usize, degree: usize, scalar_term: bool) -> usize {
    (usize::from(!scalar_term)..=degree).map(|k| dim.pow(k as u32)).sum()
}

/// Where level k begins in a tensor that has its level 0.
pub fn level_start(dim: usize, k: usize) -> usize {
    (0..k).map(|j| dim.pow(j as u32)).sum()
}

/// For every word u of length k - j and w of length j: the indices of u, w and uw, the one of uw within level k.
fn splits(dim: usize, degree: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    let words = move |k: usize| 0..dim.pow(k as u32);
    (0..=degree)
        .flat_map(move |k| (0..=k).map(move |j| (k, j)))
        .flat_map(move |(k, j)| {
            let (prefixes, suffixes) = (level_start(dim, k - j), level_start(dim, j));
            words(k - j).flat_map(move |u| {
                let joined = level_start(dim, k) + u * dim.pow(j as u32);
                words(j).map(move |w| (prefixes + u, suffixes + w, joined + w))
            })
        })
}

/// The product of the truncated tensor algebra: (a ⊗ b)_{uw} = Σ a_u b_w over all ways to cut the word.
pub fn tensor_product<T: Number>(a: &[T], b: &[T], dim: usize, degree: usize) -> Vec<T> {
    let mut out = vec![T::from(0.0); signature_length(dim, degree, true)];
    for (u, w, uw) in splits(dim, degree) {
        out[uw] += a[u] * b[w];
    }
    out
}

/// exp(z) = Σ_k z^{⊗k} / k!, the signature of a segment.
pub fn exponential<T: Number>(z: &[T], degree: usize) -> Vec<T> {
    let mut out = vec![T::from(1.0)];
    for k in 1..=degree {
        let level = out[level_start(z.len(), k - 1)..].to_vec();
        out.extend(
            level
                .iter()
                .flat_map(|&e| z.iter().map(move |&z| e * z / T::from(k as f64))),
        );
    }
    out
}

/// S(x) = exp(dx_0) ⊗ … ⊗ exp(dx_{L-2}) (Chen's identity), level 0 included.
pub fn signature<T: Number>(path: &[T], dim: usize, degree: usize) -> Vec<T> {
    prefix_signatures(path, dim, degree)
        .pop()
        .expect("one for each point, and the first always")
}

/// The signatures of the path up to each of its points.
fn prefix_signatures<T: Number>(path: &[T], dim: usize, degree: usize) -> Vec<Vec<T>> {
    let mut prefixes = vec![exponential(&vec![T::from(0.0); dim], degree)];
    for z in increments(path, dim).chunks_exact(dim) {
        let next = tensor_product(&prefixes[prefixes.len() - 1], &exponential(z, degree), dim, degree);
        prefixes.push(next);
    }
    prefixes
}

/// ∂F/∂x from `grad` = ∂F/∂S(x), which has an entry for level 0, as [`signature`] has; that entry is of no effect.
///
/// The product and the exponential reversed, step by step from the last, with every intermediate signature stored.
pub fn signature_backprop<T: Number>(grad: &[T], path: &[T], dim: usize, degree: usize) -> Vec<T> {
    let prefixes = prefix_signatures(path, dim, degree);
    let dx = increments(path, dim);
    let mut dx_grad = vec![T::from(0.0); dx.len()];
    let mut grad = grad.to_vec();
    for (i, z) in dx.chunks_exact(dim).enumerate().rev() {
        let exp = exponential(z, degree);
        let (mut prefix_grad, mut exp_grad) = (vec![T::from(0.0); grad.len()], vec![T::from(0.0); grad.len()]);
        for (u, w, uw) in splits(dim, degree) {
            prefix_grad[u] += grad[uw] * exp[w];
            exp_grad[w] += grad[uw] * prefixes[i][u];
        }
        dx_grad[i * dim..][..dim].copy_from_slice(&exponential_backprop(exp_grad, z, &exp, degree));
        grad = prefix_grad;
    }
    increments_backprop(&dx_grad, dim, path.len() / dim)
}

/// Reverses exp_{wc} = exp_w z_c / k, from the longest words on.
fn exponential_backprop<T: Number>(mut exp_grad: Vec<T>, z: &[T], exp: &[T], degree: usize) -> Vec<T> {
    let dim = z.len();
    let mut z_grad = vec![T::from(0.0); dim];
    for k in (1..=degree).rev() {
        let (shorter, longer) = (level_start(dim, k - 1), level_start(dim, k));
        for w in 0..dim.pow(k as u32 - 1) {
            for c in 0..dim {
                let grad = exp_grad[longer + w * dim + c] / T::from(k as f64);
                z_grad[c] += grad * exp[shorter + w];
                exp_grad[shorter + w] += grad * z[c];
            }
        }
    }
    z_grad
}

// -------------------------------------------------------------------------------------------------------- kernels

/// A(Δ) = 1 + Δ/2 + Δ²/12.
fn a<T: Number>(delta: T) -> T {
    T::from(1.0) + delta / T::from(2.0) + delta * delta / T::from(12.0)
}

/// B(Δ) = 1 - Δ²/12.
fn b<T: Number>(delta: T) -> T {
    T::from(1.0) - delta * delta / T::from(12.0)
}

/// The Goursat problem of a pair on its refined grid of `rows` × `cols` cells.
struct Problem<T> {
    dx: Vec<T>,
    dy: Vec<T>,
    dim: usize,
    orders: (u32, u32),
    rows: usize,
    cols: usize,
}

impl<T: Number> Problem<T> {
    fn new(x: &[T], y: &[T], dim: usize, orders: (u32, u32)) -> Self {
        let (dx, dy) = (increments(x, dim), increments(y, dim));
        let (rows, cols) = ((dx.len() / dim) << orders.0, (dy.len() / dim) << orders.1);
        Self {
            dx,
            dy,
            dim,
            orders,
            rows,
            cols,
        }
    }

    /// 2^-(λ1+λ2).
    fn scale(&self) -> T {
        T::from(0.5f64.powi((self.orders.0 + self.orders.1) as i32))
    }

    /// Δ of the cell (s, t) of the refined grid: <dx_i, dy_j> / 2^(λ1+λ2) with i = s >> λ1, j = t >> λ2.
    fn delta(&self, s: usize, t: usize) -> T {
        let dx = &self.dx[(s >> self.orders.0) * self.dim..][..self.dim];
        let dy = &self.dy[(t >> self.orders.1) * self.dim..][..self.dim];
        let mut sum = T::from(0.0);
        for c in 0..self.dim {
            sum += dx[c] * dy[c];
        }
        sum * self.scale()
    }

    /// k[s+1][·] from k[s][·]: k[s+1][t+1] = (k[s+1][t] + k[s][t+1]) A(Δ) - k[s][t] B(Δ), and 1 on the axis.
    fn next_row(&self, s: usize, above: &[T]) -> Vec<T> {
        let mut row = vec![T::from(1.0)];
        for t in 0..self.cols {
            let delta = self.delta(s, t);
            row.push((row[t] + above[t + 1]) * a(delta) - above[t] * b(delta));
        }
        row
    }
}

/// All of k on the refined grid, (2^λ1 (Lx - 1) + 1) × (2^λ2 (Ly - 1) + 1) values, row after row.
pub fn kernel_grid<T: Number>(x: &[T], y: &[T], dim: usize, orders: (u32, u32)) -> Vec<T> {
    let problem = Problem::new(x, y, dim, orders);
    let mut row = vec![T::from(1.0); problem.cols + 1];
    let mut grid = row.clone();
    for s in 0..problem.rows {
        row = problem.next_row(s, &row);
        grid.extend_from_slice(&row);
    }
    grid
}

/// k(x, y): the last corner of [`kernel_grid`], of which only a row is held.
///
/// Long smooth paths want [`DoubleDouble`]: the recurrence as printed rounds A and B of nearly equal cells the same way
/// over and over, and in `f64` is off by 1e-9 on two straight lines of 4000 points.
pub fn kernel<T: Number>(x: &[T], y: &[T], dim: usize, orders: (u32, u32)) -> T {
    let problem = Problem::new(x, y, dim, orders);
    let mut row = vec![T::from(1.0); problem.cols + 1];
    for s in 0..problem.rows {
        row = problem.next_row(s, &row);
    }
    row[problem.cols]
}

/// (∂F/∂x, ∂F/∂y) from ∂F/∂k at every node of the grid: the recurrence reversed, cell by cell from the last.
///
/// Holds two grids, so 32 bytes a cell in [`DoubleDouble`].
pub fn kernel_grid_backprop<T: Number>(
    grid_grad: &[T],
    x: &[T],
    y: &[T],
    dim: usize,
    orders: (u32, u32),
) -> (Vec<T>, Vec<T>) {
    let problem = Problem::new(x, y, dim, orders);
    let Problem { dx, dy, rows, cols, .. } = &problem;
    let k = kernel_grid(x, y, dim, orders);
    let node = |s: usize, t: usize| s * (cols + 1) + t;
    let number = T::from;
    let mut v = grid_grad.to_vec();
    let mut delta_grad = vec![number(0.0); (dx.len() / dim) * (dy.len() / dim)];
    for s in (0..*rows).rev() {
        for t in (0..*cols).rev() {
            let delta = problem.delta(s, t);
            let grad = v[node(s + 1, t + 1)];
            v[node(s + 1, t)] += grad * a(delta);
            v[node(s, t + 1)] += grad * a(delta);
            v[node(s, t)] -= grad * b(delta);
            // ∂k[s+1][t+1]/∂Δ = (k[s+1][t] + k[s][t+1]) A'(Δ) - k[s][t] B'(Δ), A' = 1/2 + Δ/6, B' = -Δ/6
            let dk = (k[node(s + 1, t)] + k[node(s, t + 1)]) * (number(0.5) + delta / number(6.0))
                + k[node(s, t)] * delta / number(6.0);
            delta_grad[(s >> orders.0) * (dy.len() / dim) + (t >> orders.1)] += grad * dk;
        }
    }

    let (mut dx_grad, mut dy_grad) = (vec![number(0.0); dx.len()], vec![number(0.0); dy.len()]);
    for (i, dx_i) in dx.chunks_exact(dim).enumerate() {
        for (j, dy_j) in dy.chunks_exact(dim).enumerate() {
            let grad = delta_grad[i * (dy.len() / dim) + j] * problem.scale();
            for c in 0..dim {
                dx_grad[i * dim + c] += grad * dy_j[c];
                dy_grad[j * dim + c] += grad * dx_i[c];
            }
        }
    }
    (
        increments_backprop(&dx_grad, dim, x.len() / dim),
        increments_backprop(&dy_grad, dim, y.len() / dim),
    )
}

/// (∂F/∂x, ∂F/∂y) from `seed` = ∂F/∂k(x, y).
pub fn kernel_backprop<T: Number>(seed: T, x: &[T], y: &[T], dim: usize, orders: (u32, u32)) -> (Vec<T>, Vec<T>) {
    let nodes = (((x.len() / dim - 1) << orders.0) + 1) * (((y.len() / dim - 1) << orders.1) + 1);
    let mut grid_grad = vec![T::from(0.0); nodes];
    grid_grad[nodes - 1] = seed;
    kernel_grid_backprop(&grid_grad, x, y, dim, orders)
}

/// k(x_i, y_j) for all pairs, row after row. The paths may differ in length.
pub fn gram<T: Number>(xs: &[Vec<T>], ys: &[Vec<T>], dim: usize, orders: (u32, u32)) -> Vec<T> {
    xs.iter()
        .flat_map(|x| ys.iter().map(move |y| kernel(x, y, dim, orders)))
        .collect()
}

/// (∂F/∂x_i, ∂F/∂y_j) from ∂F/∂gram. Of a symmetric Gram matrix the gradient is the sum of both.
pub fn gram_backprop<T: Number>(
    grad: &[T],
    xs: &[Vec<T>],
    ys: &[Vec<T>],
    dim: usize,
    orders: (u32, u32),
) -> (Vec<Vec<T>>, Vec<Vec<T>>) {
    let zeros = |paths: &[Vec<T>]| {
        paths
            .iter()
            .map(|path| vec![T::from(0.0); path.len()])
            .collect::<Vec<_>>()
    };
    let add = |sum: &mut Vec<T>, term: Vec<T>| sum.iter_mut().zip(term).for_each(|(sum, term)| *sum += term);
    let (mut x_grads, mut y_grads) = (zeros(xs), zeros(ys));
    for (i, x) in xs.iter().enumerate() {
        for (j, y) in ys.iter().enumerate() {
            let (x_grad, y_grad) = kernel_backprop(grad[i * ys.len() + j], x, y, dim, orders);
            add(&mut x_grads[i], x_grad);
            add(&mut y_grads[j], y_grad);
        }
    }
    (x_grads, y_grads)
}
