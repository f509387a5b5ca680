//! What the tests share: paths that are easy to make, and comparisons that say how far apart numbers are.
#![allow(dead_code)]

#[path = "../support/level.rs"]
pub mod level;

use goursat::Precision;
use goursat::kernel::{self, Options};
use goursat::parallel::Run;
use goursat::path::{Batch, Gradient, Layout, LeadLag, Transform};
use goursat::{reference, signature};

/// Random walks with uniform steps, scaled so that kernels are of order 1.
pub fn walks<S: Precision>(batch: usize, length: usize, dim: usize, seed: u64) -> Vec<S> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
    let step = 3.4 / ((length * dim) as f64).sqrt();
    let mut values = vec![S::ZERO; batch * length * dim];
    for path in values.chunks_mut(length * dim) {
        for e in 0..path.len() {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let uniform = (state >> 11) as f64 / (1u64 << 53) as f64 - 0.45;
            path[e] = S::from_f64(uniform * step) + if e < dim { S::ZERO } else { path[e - dim] };
        }
    }
    values
}

/// Numbers of order 1.
pub fn numbers<S: Precision>(count: usize, seed: u64) -> Vec<S> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(7);
    (0..count)
        .map(|_| {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            S::from_f64((state >> 11) as f64 / (1u64 << 53) as f64 - 0.3)
        })
        .collect()
}

pub fn widen<S: Precision>(values: &[S]) -> Vec<f64> {
    values.iter().map(|v| v.to_f64()).collect()
}

/// The largest difference, relative to the largest of the expected numbers. NaN where either has one alone.
pub fn distance<S: Precision>(found: &[S], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(1e-300, |m: f64, v| m.max(v.abs()));
    found.iter().zip(expected).fold(0.0, |worst: f64, (a, b)| {
        let difference = if a.to_f64().is_nan() && b.is_nan() {
            0.0
        } else {
            (a.to_f64() - b).abs()
        };
        if difference.is_nan() || worst.is_nan() {
            f64::NAN
        } else {
            worst.max(difference / largest)
        }
    })
}

/// What rounding may do to a kernel of some 10,000 cells. In f64 most of it is the reference's own: it rounds A(Δ) alike
/// in all cells with the same Δ, of which there are many with time or refinement.
pub fn tolerance<S: Precision>() -> f64 {
    if size_of::<S>() == 4 { 3e-6 } else { 1e-11 }
}

#[track_caller]
pub fn assert_close<S: Precision>(found: &[S], expected: &[f64], tolerance: f64, what: &str) {
    let distance = distance(found, expected);
    assert!(
        distance <= tolerance,
        "{what}: off by {distance:e}, more than {tolerance:e}"
    );
}

// ------------------------------------------------------------------------------------- one call, its result returned

/// What a gradient's room holds before the call: it must survive between packed paths, and nowhere else.
pub const UNTOUCHED: f64 = 7.25;

pub fn on(threads: usize) -> Run<'static> {
    level::note();
    Run {
        threads,
        ..Run::default()
    }
}

/// Room for the gradient of a batch; with starts, a little more than it needs.
pub fn room<S: Precision>(of: &Batch<'_, S>) -> Vec<S> {
    let size = match of.layout().starts {
        None => of.batch() * of.length() * of.dim(),
        Some(starts) => {
            let ends = (0..of.batch()).map(|b| starts[b] as usize + of.points(b) * of.dim());
            ends.max().unwrap_or(0) + 3
        }
    };
    vec![S::from_f64(UNTOUCHED); size]
}

pub fn kernels<S: Precision>(x: &Batch<'_, S>, y: &Batch<'_, S>, options: &Options, threads: usize) -> Vec<S> {
    let mut out = vec![S::NAN; x.batch()];
    kernel::kernel(x, y, options, &mut out, &mut on(threads)).unwrap();
    out
}

pub fn grids<S: Precision>(x: &Batch<'_, S>, y: &Batch<'_, S>, options: &Options, threads: usize) -> Vec<S> {
    let shape = options.grid_shape(x.length(), y.length()).unwrap();
    let mut out = vec![S::ZERO; x.batch() * shape.0 * shape.1];
    kernel::kernel_grid(x, y, options, &mut out, &mut on(threads)).unwrap();
    out
}

pub fn gradients<S: Precision>(
    grad: &[S],
    x: &Batch<'_, S>,
    y: &Batch<'_, S>,
    options: &Options,
    threads: usize,
) -> (Vec<S>, Vec<S>) {
    let (mut gx, mut gy) = (room(x), room(y));
    let to_x = Gradient::new("x_grad", &mut gx, x).unwrap();
    let to_y = Gradient::new("y_grad", &mut gy, y).unwrap();
    kernel::kernel_backprop(grad, x, y, options, Some(to_x), Some(to_y), &mut on(threads)).unwrap();
    (gx, gy)
}

pub fn grid_gradients<S: Precision>(
    grad: &[S],
    x: &Batch<'_, S>,
    y: &Batch<'_, S>,
    options: &Options,
    threads: usize,
) -> (Vec<S>, Vec<S>) {
    let (mut gx, mut gy) = (room(x), room(y));
    let to_x = Gradient::new("x_grad", &mut gx, x).unwrap();
    let to_y = Gradient::new("y_grad", &mut gy, y).unwrap();
    kernel::kernel_grid_backprop(grad, x, y, options, Some(to_x), Some(to_y), &mut on(threads)).unwrap();
    (gx, gy)
}

pub fn gram<S: Precision>(x: &Batch<'_, S>, y: Option<&Batch<'_, S>>, options: &Options, threads: usize) -> Vec<S> {
    let mut out = vec![S::NAN; x.batch() * y.unwrap_or(x).batch()];
    kernel::gram(x, y, options, &mut out, &mut on(threads)).unwrap();
    out
}

/// The second is empty for a symmetric matrix.
pub fn gram_gradients<S: Precision>(
    grad: &[S],
    x: &Batch<'_, S>,
    y: Option<&Batch<'_, S>>,
    options: &Options,
    threads: usize,
) -> (Vec<S>, Vec<S>) {
    let (mut gx, mut gy) = (room(x), y.map_or(Vec::new(), room));
    let to_x = Gradient::new("x_grad", &mut gx, x).unwrap();
    let to_y = y.map(|y| Gradient::new("y_grad", &mut gy, y).unwrap());
    kernel::gram_backprop(grad, x, y, options, Some(to_x), to_y, &mut on(threads)).unwrap();
    (gx, gy)
}

pub fn signatures<S: Precision>(paths: &Batch<'_, S>, options: &signature::Options, threads: usize) -> Vec<S> {
    let mut out = vec![S::NAN; paths.batch() * options.length(paths.dim()).unwrap()];
    signature::signature(paths, options, &mut out, &mut on(threads)).unwrap();
    out
}

pub fn signature_gradients<S: Precision>(
    grad: &[S],
    paths: &Batch<'_, S>,
    options: &signature::Options,
    threads: usize,
) -> Vec<S> {
    let mut out = room(paths);
    let gradient = Gradient::new("path_grad", &mut out, paths).unwrap();
    signature::signature_backprop(grad, paths, options, gradient, &mut on(threads)).unwrap();
    out
}

// ------------------------------------------------------------------------------------------------- all at once, in bits

pub fn bits<S: Precision>(values: &[S]) -> Vec<u64> {
    // An f32 keeps its bits as an f64; which NaN it is, is nobody's business.
    let canonical = |v: f64| if v.is_nan() { f64::NAN } else { v };
    values.iter().map(|v| canonical(v.to_f64()).to_bits()).collect()
}

/// The weight of node (i, j) of pair `id`: the same wherever the pair travels.
pub fn weight<S: Precision>(id: usize, i: usize, j: usize) -> S {
    numbers::<S>(1, (id * 1_000_003 + i * 1009 + j) as u64 + 11)[0]
}

/// The slices of a gradient, a path each. Checks what lies around them: zeros in a dense one, nothing written between
/// packed ones.
pub fn pieces<S: Precision>(gradient: &[S], of: &Batch<'_, S>) -> Vec<Vec<S>> {
    let mut around = vec![true; gradient.len()];
    let mut pieces = Vec::new();
    for b in 0..of.batch() {
        let start = match of.layout().starts {
            Some(starts) => starts[b] as usize,
            None => b * of.length() * of.dim(),
        };
        let own = start..start + of.points(b) * of.dim();
        around[own.clone()].fill(false);
        pieces.push(gradient[own].to_vec());
    }
    let filler = if of.layout().starts.is_some() { UNTOUCHED } else { 0.0 };
    for (value, around) in gradient.iter().zip(around) {
        assert!(!around || value.to_f64() == filler, "{value} outside of every path");
    }
    pieces
}

/// Everything that is computed of pairs, a vector of bits a pair. `ids` are their names, that give them their weights.
/// What must not be read of given grids is NaN.
pub fn of_pairs<S: Precision>(
    x: &Batch<'_, S>,
    y: &Batch<'_, S>,
    ids: &[usize],
    options: &Options,
    threads: usize,
) -> Vec<Vec<u64>> {
    let grad: Vec<S> = ids.iter().map(|&id| weight(id, 0, 0)).collect();
    let shape = options.grid_shape(x.length(), y.length()).unwrap();
    let nodes = shape.0 * shape.1;
    let mut grid_grad = vec![S::NAN; ids.len() * nodes];
    let own = |b: usize| options.grid_shape(x.points(b), y.points(b)).unwrap();
    for (b, &id) in ids.iter().enumerate() {
        for i in 1..own(b).0 {
            for j in 1..own(b).1 {
                grid_grad[b * nodes + i * shape.1 + j] = weight(id, i, j);
            }
        }
    }
    let k = kernels(x, y, options, threads);
    let grid = grids(x, y, options, threads);
    let (gx, gy) = gradients(&grad, x, y, options, threads);
    let (grid_gx, grid_gy) = grid_gradients(&grid_grad, x, y, options, threads);
    let sides = [(&gx, x), (&gy, y), (&grid_gx, x), (&grid_gy, y)];
    let sides: Vec<Vec<Vec<S>>> = sides.into_iter().map(|(g, of)| pieces(g, of)).collect();
    (0..ids.len())
        .map(|b| {
            let mut all = vec![k[b]];
            for i in 0..shape.0 {
                let row = &grid[b * nodes + i * shape.1..][..shape.1];
                let inside = if i < own(b).0 { own(b).1 } else { 0 };
                all.extend(&row[..inside]);
                let beyond = &row[inside..];
                assert!(beyond.iter().all(|k| k.to_f64().is_nan()), "grids end in NaN");
            }
            for side in &sides {
                all.extend(&side[b]);
            }
            bits(&all)
        })
        .collect()
}

/// The same of signatures.
pub fn of_paths<S: Precision>(
    paths: &Batch<'_, S>,
    ids: &[usize],
    options: &signature::Options,
    threads: usize,
) -> Vec<Vec<u64>> {
    let each = options.length(paths.dim()).unwrap();
    let grad: Vec<S> = ids
        .iter()
        .flat_map(|&id| (0..each).map(move |e| weight(id, e, 1)))
        .collect();
    let s = signatures(paths, options, threads);
    let g = pieces(&signature_gradients(&grad, paths, options, threads), paths);
    (0..ids.len())
        .map(|b| bits(&[&s[b * each..][..each], &g[b]].concat()))
        .collect()
}

// ------------------------------------------------------------------------------------------------------------- options

pub fn transforms() -> Vec<Transform> {
    let orders = [LeadLag::Off, LeadLag::LeadFirst, LeadLag::LagFirst];
    let with = |lead_lag| [None, Some(1.5)].map(|time| Transform { time, lead_lag });
    orders.into_iter().flat_map(with).collect()
}

/// The transform as the reference has it.
pub fn oracle(transform: &Transform) -> reference::Transform {
    reference::Transform {
        lead_lag: match transform.lead_lag {
            LeadLag::Off => None,
            LeadLag::LeadFirst => Some(reference::LeadLag::LeadFirst),
            LeadLag::LagFirst => Some(reference::LeadLag::LagFirst),
        },
        end_time: transform.time,
    }
}

/// Lengths from 1 to `most`, of all sizes, the first of them full.
pub fn lengths(batch: usize, most: usize) -> Vec<i64> {
    (0..batch).map(|b| (most - b * 7 % most) as i64).collect()
}

/// A batch whose paths may end early.
pub fn ragged<'a, S: Precision>(values: &'a [S], shape: [usize; 3], lengths: Option<&'a [i64]>) -> Batch<'a, S> {
    let layout = Layout {
        lengths,
        ..Layout::default()
    };
    Batch::new("path", values, shape, layout).unwrap()
}

/// The paths of a batch as dense copies.
pub fn copies<S: Precision>(batch: &Batch<'_, S>) -> Vec<Vec<S>> {
    let copy = |b: usize| {
        let path = batch.path(b);
        let values = (0..path.points()).flat_map(|i| (0..path.dim()).map(move |c| path.value(i, c)));
        values.collect()
    };
    (0..batch.batch()).map(copy).collect()
}

/// Where each level lies in a signature without level 0.
pub fn levels(dim: usize, degree: usize) -> Vec<std::ops::Range<usize>> {
    let mut begin = 0;
    (1..=degree as u32)
        .map(|k| {
            let range = begin..begin + dim.pow(k);
            begin = range.end;
            range
        })
        .collect()
}
