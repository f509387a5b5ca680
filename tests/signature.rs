//! Signatures and their gradients through the Rust API, against the reference and against what mathematics says.

#[path = "support/level.rs"]
mod level;
#[path = "support/runner.rs"]
mod runner;

use goursat::Precision;
use goursat::error::{Error, Result};
use goursat::parallel::Run;
use goursat::path::{Batch, Gradient, Layout, LeadLag, Transform};
use goursat::reference::{self, narrow, widen};
use goursat::signature::{Options, signature, signature_backprop};
use goursat::simd::{Level, MAX_LANES};

// ------------------------------------------------------------------------------------------------------- helpers

struct Random(u64);

impl Random {
    /// Uniform in -1..1.
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    fn numbers<S: Precision>(&mut self, count: usize) -> Vec<S> {
        (0..count).map(|_| S::from_f64(self.next())).collect()
    }

    /// A walk whose signature is of order 1.
    fn walk<S: Precision>(&mut self, points: usize, dim: usize) -> Vec<S> {
        let step = 1.0 / ((points * dim) as f64).sqrt();
        let mut path: Vec<f64> = vec![0.0; points * dim];
        for e in dim..path.len() {
            path[e] = path[e - dim] + step * self.next();
        }
        path.into_iter().map(S::from_f64).collect()
    }
}

/// sin and cos of several frequencies: increments that hardly change from step to step.
fn smooth<S: Precision>(points: usize, dim: usize) -> Vec<S> {
    let value = |i: usize, c: usize| (i as f64 / points as f64 * (1.5 + c as f64) + c as f64).sin();
    (0..points * dim)
        .map(|e| S::from_f64(value(e / dim, e % dim)))
        .collect()
}

fn plain(degree: usize) -> Options {
    Options {
        degree,
        scalar_term: false,
        direct: false,
        transform: Transform::default(),
    }
}

fn transforms() -> Vec<Transform> {
    let mut all = Vec::new();
    for lead_lag in [LeadLag::Off, LeadLag::LeadFirst, LeadLag::LagFirst] {
        for time in [None, Some(1.5)] {
            all.push(Transform { time, lead_lag });
        }
    }
    all
}

fn oracle(transform: &Transform) -> reference::Transform {
    reference::Transform {
        lead_lag: match transform.lead_lag {
            LeadLag::Off => None,
            LeadLag::LeadFirst => Some(reference::LeadLag::LeadFirst),
            LeadLag::LagFirst => Some(reference::LeadLag::LagFirst),
        },
        end_time: transform.time,
    }
}

fn signatures<S: Precision>(batch: &Batch<'_, S>, options: &Options, threads: usize) -> Vec<S> {
    level::note();
    let length = options.length(batch.dim()).unwrap();
    let mut out = vec![S::from_f64(7.0); batch.batch() * length];
    let mut run = Run {
        threads,
        ..Run::default()
    };
    signature(batch, options, &mut out, &mut run).unwrap();
    out
}

fn gradients<S: Precision>(grad: &[S], batch: &Batch<'_, S>, options: &Options, threads: usize) -> Vec<S> {
    let mut out = vec![S::from_f64(7.0); batch.batch() * batch.length() * batch.dim()];
    let gradient = Gradient::new("path_grad", &mut out, batch).unwrap();
    let mut run = Run {
        threads,
        ..Run::default()
    };
    signature_backprop(grad, batch, options, gradient, &mut run).unwrap();
    out
}

fn one<S: Precision>(path: &[S], dim: usize, options: &Options) -> Vec<S> {
    signatures(&Batch::dense(path, 1, path.len() / dim, dim).unwrap(), options, 1)
}

fn one_gradient<S: Precision>(grad: &[S], path: &[S], dim: usize, options: &Options) -> Vec<S> {
    gradients(grad, &Batch::dense(path, 1, path.len() / dim, dim).unwrap(), options, 1)
}

fn to_f64<S: Precision>(values: &[S]) -> Vec<f64> {
    values.iter().map(|v| v.to_f64()).collect()
}

/// Where each level lies, without level 0.
fn levels(dim: usize, degree: usize) -> Vec<std::ops::Range<usize>> {
    let mut begin = 0;
    (1..=degree)
        .map(|k| {
            let range = begin..begin + dim.pow(k as u32);
            begin = range.end;
            range
        })
        .collect()
}

/// The worst error of a level over its largest coefficient.
fn level_error<S: Precision>(computed: &[S], expected: &[f64], dim: usize, degree: usize) -> f64 {
    assert_eq!(computed.len(), expected.len());
    let worst = |range: std::ops::Range<usize>| {
        let error = relative(&computed[range.clone()], &expected[range]);
        assert!(!error.is_nan());
        error
    };
    levels(dim, degree).into_iter().map(worst).fold(0.0, f64::max)
}

/// The worst error over the largest number.
fn relative<S: Precision>(computed: &[S], expected: &[f64]) -> f64 {
    let largest = expected.iter().fold(f64::MIN_POSITIVE, |m, e| m.max(e.abs()));
    let errors = computed.iter().zip(expected).map(|(c, e)| (c.to_f64() - e).abs());
    errors.fold(0.0, |worst: f64, e| if e.is_nan() { f64::NAN } else { worst.max(e) }) / largest
}

/// The numbers are not told: there are many.
fn assert_bits<S: Precision>(computed: &[S], expected: &[S], what: &str) {
    assert_eq!(computed.len(), expected.len(), "{what}");
    let differ = bits(computed).iter().zip(bits(expected)).position(|(&c, e)| c != e);
    assert!(differ.is_none(), "{what}: other bits at {differ:?}");
}

fn bits<S: Precision>(values: &[S]) -> Vec<u64> {
    values.iter().map(|v| v.to_f64().to_bits()).collect()
}

fn tolerance<S: Precision>() -> f64 {
    if size_of::<S>() == 4 { 4e-6 } else { 1e-14 }
}

/// (dim, degree) around every place where plans change: lanes over paths, unrolled kernels (all of them), base levels,
/// blocks of letters.
const SHAPES: [(usize, usize); 38] = [
    (1, 1),
    (1, 6),
    (2, 1),
    (2, 2),
    (2, 3),
    (2, 4),
    (2, 5),
    (2, 6),
    (2, 7),
    (2, 8),
    (2, 11),
    (3, 2),
    (3, 3),
    (3, 4),
    (3, 5),
    (3, 7),
    (4, 2),
    (4, 3),
    (4, 4),
    (4, 6),
    (5, 2),
    (5, 3),
    (5, 4),
    (5, 5),
    (6, 2),
    (6, 3),
    (6, 4),
    (7, 2),
    (7, 3),
    (7, 4),
    (8, 2),
    (8, 4),
    (9, 3),
    (11, 3),
    (16, 3),
    (17, 3),
    (40, 2),
    (100, 2),
];

// ------------------------------------------------------------------------------------------------ against reference

fn agrees_with_reference<S: Precision>() {
    let mut random = Random(1);
    for (dim, degree) in SHAPES {
        for points in [1, 2, 3, 9, 26] {
            let path: Vec<S> = random.walk(points, dim);
            let wide = to_f64(&path);
            // In one channel the whole increment may be small: the sum has to be exact.
            let expected = if dim == 1 {
                narrow(&reference::signature(&widen(&wide), dim, degree))
            } else {
                reference::signature(&wide, dim, degree)
            };
            let computed = one(&path, dim, &plain(degree));
            let error = level_error(&computed, &expected[1..], dim, degree);
            assert!(
                error < tolerance::<S>(),
                "({dim}, {degree}), {points} points: {error:e}"
            );
        }
        let path: Vec<S> = random.walk(7, dim);
        let mut grad: Vec<S> = random.numbers(expected_length(dim, degree));
        weigh(&mut grad, dim, degree);
        let mut with_scalar = vec![0.0];
        with_scalar.extend(to_f64(&grad));
        let expected = reference::signature_backprop(&with_scalar, &to_f64(&path), dim, degree);
        let computed = one_gradient(&grad, &path, dim, &plain(degree));
        let error = relative(&computed, &expected);
        assert!(error < 4.0 * tolerance::<S>(), "gradient ({dim}, {degree}): {error:e}");
    }
}

fn expected_length(dim: usize, degree: usize) -> usize {
    levels(dim, degree).last().unwrap().end
}

/// Makes every level of a gradient matter about as much as the first: level k of a signature is of order 1/k!.
fn weigh<S: Precision>(grad: &mut [S], dim: usize, degree: usize) {
    let mut factor = 1.0;
    for (k, range) in levels(dim, degree).into_iter().enumerate() {
        factor *= (k + 1) as f64 / (dim as f64).sqrt();
        for g in &mut grad[range] {
            *g = *g * S::from_f64(factor);
        }
    }
}

#[test]
fn agrees_with_reference_f64() {
    agrees_with_reference::<f64>();
}

#[test]
fn agrees_with_reference_f32() {
    agrees_with_reference::<f32>();
}

fn transforms_on_the_fly<S: Precision>() {
    let mut random = Random(2);
    for (dim, degree) in [(1, 3), (2, 4), (3, 4), (5, 3), (8, 3)] {
        for transform in transforms() {
            let options = Options {
                degree,
                scalar_term: true,
                direct: false,
                transform,
            };
            let letters = transform.dim(dim).unwrap();
            for points in [1, 2, 14, 300] {
                let path: Vec<S> = random.walk(points, dim);
                let whole = oracle(&transform).apply(&to_f64(&path), dim);
                let computed = one(&path, dim, &options);
                assert_eq!(computed[0].to_f64(), 1.0);
                let expected = if points < 100 {
                    reference::signature(&whole, letters, degree)[1..].to_vec()
                } else {
                    one(&whole, letters, &plain(degree))
                };
                let error = level_error(&computed[1..], &expected, letters, degree);
                assert!(
                    error < 3.0 * tolerance::<S>(),
                    "{transform:?} ({dim}, {degree}), {points}: {error:e}"
                );

                let mut grad: Vec<S> = random.numbers(expected.len() + 1);
                weigh(&mut grad[1..], letters, degree);
                let computed = one_gradient(&grad, &path, dim, &options);
                let on_whole = one_gradient(&to_f64(&grad)[1..], &whole, letters, &plain(degree));
                let expected = oracle(&transform).backprop(&on_whole, dim);
                let error = relative(&computed, &expected);
                assert!(
                    error < 20.0 * tolerance::<S>(),
                    "gradient {transform:?} ({dim}, {degree}), {points}: {error:e}"
                );
            }
        }
    }
}

#[test]
fn transforms_on_the_fly_are_transforms_first() {
    transforms_on_the_fly::<f64>();
    transforms_on_the_fly::<f32>();
}

/// The exact signature of a long path, in double-double arithmetic. Each step is S ⊗ exp(z) by Horner's scheme, for this is
/// most of what these tests take: level k becomes S_k + (… (S_1 + z/k) ⊗ z/(k-1) …) ⊗ z, the highest level first.
fn exact(path: &[f64], dim: usize, degree: usize) -> Vec<f64> {
    let levels = levels(dim, degree);
    let mut sum = widen(&vec![0.0; levels[degree - 1].end]);
    let mut inner = sum.clone();
    let divisors: Vec<f64> = (1..=degree).map(|k| k as f64).collect();
    for z in reference::increments(&widen(path), dim).chunks_exact(dim) {
        let shares: Vec<_> = divisors
            .iter()
            .flat_map(|&k| z.iter().map(move |&z| z / k.into()))
            .collect();
        for k in (1..=degree).rev() {
            inner[..dim].copy_from_slice(&shares[(k - 1) * dim..][..dim]);
            for i in 1..k {
                let share = &shares[(k - i - 1) * dim..][..dim];
                // In its place, from behind: what is read lies before what is written.
                for (a, &known) in sum[levels[i - 1].clone()].iter().enumerate().rev() {
                    let left = inner[a] + known;
                    for (c, &share) in share.iter().enumerate() {
                        inner[a * dim + c] = left * share;
                    }
                }
            }
            for (to, &from) in sum[levels[k - 1].clone()].iter_mut().zip(&inner) {
                *to += from;
            }
        }
    }
    narrow(&sum)
}

/// That is exact as far as the reference is: on a few points, one after the other.
#[test]
fn exact_is_the_reference() {
    for (dim, degree) in [(1, 3), (2, 4), (3, 3), (4, 4), (2, 1)] {
        let path: Vec<f64> = Random(15).walk(9, dim);
        let expected = narrow(&reference::signature(&widen(&path), dim, degree));
        let error = level_error(&exact(&path, dim, degree), &expected[1..], dim, degree);
        assert!(error < 1e-16, "({dim}, {degree}): {error:e}");
    }
}

fn long_paths<S: Precision>(bound: f64) {
    let points = 100_000;
    let cases = [
        (2, 4, Transform::default()),
        (3, 3, Transform::default()),
        (4, 4, Transform::default()),
    ];
    let timed = Transform {
        time: Some(1.0),
        ..Transform::default()
    };
    for (dim, degree, transform) in cases.into_iter().chain([(1, 3, timed), (3, 4, timed)]) {
        let options = Options {
            degree,
            scalar_term: false,
            direct: false,
            transform,
        };
        let letters = transform.dim(dim).unwrap();
        for path in [smooth::<S>(points, dim), Random(3).walk::<S>(points, dim)] {
            let whole = oracle(&transform).apply(&to_f64(&path), dim);
            let error = level_error(
                &one(&path, dim, &options),
                &exact(&whole, letters, degree),
                letters,
                degree,
            );
            assert!(error < bound, "({dim}, {degree}), {transform:?}: {error:e}");
        }
    }
}

#[test]
fn long_paths_keep_their_digits_f64() {
    long_paths::<f64>(1e-13);
}

#[test]
fn long_paths_keep_their_digits_f32() {
    long_paths::<f32>(1e-5);
}

#[test]
fn long_gradients_keep_their_digits() {
    for (dim, degree) in [(2, 4), (4, 3), (3, 5), (8, 3)] {
        let path: Vec<f32> = Random(4).walk(30_000, dim);
        let mut grad: Vec<f32> = Random(5).numbers(expected_length(dim, degree));
        weigh(&mut grad, dim, degree);
        let computed = one_gradient(&grad, &path, dim, &plain(degree));
        let expected = one_gradient(&to_f64(&grad), &to_f64(&path), dim, &plain(degree));
        let error = relative(&computed, &expected);
        assert!(error < 1e-5, "({dim}, {degree}): {error:e}");
    }
}

#[test]
fn gradients_agree_with_central_differences() {
    let mut random = Random(6);
    for (dim, degree, points) in [
        (2, 3, 700),
        (3, 4, 40),
        (4, 5, 300),
        (5, 3, 9),
        (9, 2, 1300),
        (16, 3, 500),
    ] {
        for transform in transforms() {
            let options = Options {
                degree,
                scalar_term: false,
                direct: false,
                transform,
            };
            let path: Vec<f64> = random.walk(points, dim);
            let grad: Vec<f64> = random.numbers(options.length(dim).unwrap());
            let computed = one_gradient(&grad, &path, dim, &options);
            let value = |path: &[f64]| -> f64 { one(path, dim, &options).iter().zip(&grad).map(|(s, g)| s * g).sum() };
            for e in [0, dim * (points / 3) + 1, dim * (points / 2), dim * points - 1] {
                let mut moved = path.clone();
                let step = 1e-5;
                moved[e] = path[e] + step;
                let up = value(&moved);
                moved[e] = path[e] - step;
                let difference = (up - value(&moved)) / (2.0 * step);
                let error = (computed[e] - difference).abs();
                assert!(
                    error < 1e-7,
                    "({dim}, {degree}, {points}) {transform:?} at {e}: {error:e}"
                );
            }
        }
    }
}

// -------------------------------------------------------------------------------------------------------- identities

#[test]
fn chen() {
    let (dim, degree) = (3, 5);
    for (points, cut) in [(30, 11), (1500, 700)] {
        let path: Vec<f64> = Random(7).walk(points, dim);
        let with_scalar = |path: &[f64]| {
            let options = Options {
                scalar_term: true,
                direct: false,
                ..plain(degree)
            };
            one(path, dim, &options)
        };
        let (first, second) = (with_scalar(&path[..(cut + 1) * dim]), with_scalar(&path[cut * dim..]));
        let product = reference::tensor_product(&first, &second, dim, degree);
        assert!(level_error(&one(&path, dim, &plain(degree)), &product[1..], dim, degree) < 1e-14);
    }
}

/// S^i S^jk = S^ijk + S^jik + S^jki.
#[test]
fn shuffle() {
    let dim = 4;
    let s: Vec<f64> = one(&Random(8).walk::<f64>(900, dim), dim, &plain(3));
    let word = |w: &[usize]| {
        let begin = (1..w.len()).map(|k| dim.pow(k as u32)).sum::<usize>();
        s[begin + w.iter().fold(0, |at, i| at * dim + i)]
    };
    for (i, j, k) in [(0, 1, 2), (3, 3, 1), (2, 2, 2), (1, 0, 3)] {
        let (product, sum) = (
            word(&[i]) * word(&[j, k]),
            word(&[i, j, k]) + word(&[j, i, k]) + word(&[j, k, i]),
        );
        assert!((product - sum).abs() < 1e-14);
    }
}

#[test]
fn a_path_and_its_reversal_cancel() {
    let (dim, degree) = (3, 5);
    let path: Vec<f64> = Random(9).walk(1000, dim);
    let there_and_back: Vec<f64> = path
        .chunks(dim)
        .chain(path.chunks(dim).rev())
        .flatten()
        .copied()
        .collect();
    assert!(
        one(&there_and_back, dim, &plain(degree))
            .iter()
            .all(|s| s.abs() < 1e-14)
    );
}

// -------------------------------------------------------------------------------------------------------------- bits

/// Batches, threads: the same bits as one path after the other.
fn bits_do_not_depend_on_company<S: Precision>() {
    let mut random = Random(10);
    for (dim, degree) in [(1, 4), (2, 4), (2, 9), (3, 3), (4, 5), (5, 5), (7, 3), (16, 3)] {
        for points in [6, 700, 2100] {
            let options = plain(degree);
            let most = if points > 10 { 3 } else { 2 * MAX_LANES + 1 };
            let paths: Vec<S> = random.walk(most * points, dim);
            let grad: Vec<S> = random.numbers(most * expected_length(dim, degree));
            let each = paths.chunks(points * dim);
            let alone: Vec<_> = each.clone().map(|path| one(path, dim, &options)).collect();
            let length = alone[0].len();
            let alone_grad: Vec<_> = each
                .zip(grad.chunks(length))
                .map(|(path, grad)| one_gradient(grad, path, dim, &options))
                .collect();
            for batch in 0..=most {
                if batch > 5 && batch + 2 < most && batch != MAX_LANES / 2 + 1 {
                    continue;
                }
                for threads in [1, 2, 0] {
                    let view = Batch::dense(&paths[..batch * points * dim], batch, points, dim).unwrap();
                    let what = format!("({dim}, {degree}), {batch} of {points} points, {threads} threads");
                    let computed = signatures(&view, &options, threads);
                    assert_bits(&computed, &alone[..batch].concat(), &what);
                    let computed = gradients(&grad[..batch * length], &view, &options, threads);
                    assert_bits(&computed, &alone_grad[..batch].concat(), &format!("gradient {what}"));
                }
            }
        }
    }
}

#[test]
fn bits_do_not_depend_on_company_f64() {
    bits_do_not_depend_on_company::<f64>();
}

#[test]
fn bits_do_not_depend_on_company_f32() {
    bits_do_not_depend_on_company::<f32>();
}

/// Ragged, strided and packed batches: the same bits as dense copies, and nothing read beyond a path.
fn layouts<S: Precision>() {
    let mut random = Random(11);
    let (batch, length, dim) = (21, 40, 3);
    let options = |transform| Options {
        degree: 3,
        scalar_term: true,
        direct: false,
        transform,
    };
    let lengths: Vec<i64> = (0..batch as i64).map(|b| 1 + (b * 17) % length as i64).collect();
    let (path_stride, point_stride, channel_stride) = (1i64, 2 * batch as i64, (2 * batch * length) as i64);
    let mut strided = vec![S::NAN; 2 * batch * length * dim];
    let mut packed: Vec<S> = Vec::new();
    let mut starts = vec![0i64; batch];
    let copies: Vec<Vec<S>> = lengths
        .iter()
        .map(|&points| random.walk(points as usize, dim))
        .collect();
    for b in (0..batch).rev() {
        packed.push(S::NAN);
        starts[b] = packed.len() as i64;
        packed.extend(&copies[b]);
        for (e, &value) in copies[b].iter().enumerate() {
            let at = b as i64 * path_stride + (e / dim) as i64 * point_stride + (e % dim) as i64 * channel_stride;
            strided[at as usize] = value;
        }
    }
    let views = [
        Batch::new(
            "path",
            &strided,
            [batch, length, dim],
            Layout {
                lengths: Some(&lengths),
                strides: Some([path_stride, point_stride, channel_stride]),
                ..Layout::default()
            },
        )
        .unwrap(),
        Batch::new(
            "path",
            &packed,
            [batch, length, dim],
            Layout {
                lengths: Some(&lengths),
                starts: Some(&starts),
                ..Layout::default()
            },
        )
        .unwrap(),
    ];
    for transform in transforms() {
        let options = options(transform);
        let size = options.length(dim).unwrap();
        let grad: Vec<S> = random.numbers(batch * size);
        for (n, view) in views.iter().enumerate() {
            let computed = signatures(view, &options, 2);
            let mut out = vec![S::from_f64(7.0); if n == 0 { batch * length * dim } else { packed.len() }];
            let gradient = Gradient::new("path_grad", &mut out, view).unwrap();
            signature_backprop(&grad, view, &options, gradient, &mut Run::default()).unwrap();
            for b in 0..batch {
                let expected = one(&copies[b], dim, &options);
                assert_bits(
                    &computed[b * size..][..size],
                    &expected,
                    &format!("{n} {transform:?} {b}"),
                );
                let expected = one_gradient(&grad[b * size..][..size], &copies[b], dim, &options);
                let start = if n == 0 { b * length * dim } else { starts[b] as usize };
                assert_bits(
                    &out[start..][..expected.len()],
                    &expected,
                    &format!("{n} {transform:?} {b}"),
                );
                if n == 0 {
                    assert!(
                        out[start..(b + 1) * length * dim][expected.len()..]
                            .iter()
                            .all(|g| *g == S::ZERO)
                    );
                }
            }
        }
    }
}

#[test]
fn ragged_strided_and_packed_batches() {
    layouts::<f64>();
    layouts::<f32>();
}

/// Ragged batches of few coefficients, more than two vectors of them, under every transform: the same bits as one path
/// after the other, whether points lie one after the other or not, and not far from the reference.
fn few_coefficients<S: Precision>() {
    let mut random = Random(12);
    let (batch, length) = (2 * MAX_LANES + 3, 45);
    for (dim, degree) in [
        (1, 4),
        (1, 6),
        (2, 2),
        (2, 4),
        (2, 6),
        (3, 3),
        (3, 4),
        (4, 2),
        (4, 3),
        (6, 3),
        (8, 2),
    ] {
        let lengths: Vec<i64> = (0..batch as i64).map(|b| 1 + (b * 29) % length as i64).collect();
        let paths: Vec<S> = random.walk(batch * length, dim);
        let transposed: Vec<S> = (0..dim * length * batch)
            .map(|e| paths[e % batch * length * dim + e / batch % length * dim + e / batch / length])
            .collect();
        let view = |values, strides| {
            let layout = Layout {
                lengths: Some(&lengths),
                strides,
                ..Layout::default()
            };
            Batch::new("path", values, [batch, length, dim], layout).unwrap()
        };
        let strides = [1, batch as i64, (batch * length) as i64];
        let views = [view(&paths, None), view(&transposed, Some(strides))];
        for transform in transforms() {
            let letters = transform.dim(dim).unwrap();
            let options = Options {
                degree,
                scalar_term: false,
                direct: false,
                transform,
            };
            let size = options.length(dim).unwrap();
            // One channel is another algorithm.
            if letters == 1 || size > 400 {
                continue;
            }
            let mut grad: Vec<S> = random.numbers(batch * size);
            grad.chunks_mut(size).for_each(|grad| weigh(grad, letters, degree));
            let computed = views.each_ref().map(|view| signatures(view, &options, 2));
            let pulled = views.each_ref().map(|view| gradients(&grad, view, &options, 2));
            for b in 0..batch {
                let what = format!("{transform:?} ({dim}, {degree}), path {b}");
                let path = &paths[b * length * dim..][..lengths[b] as usize * dim];
                let grad = &grad[b * size..][..size];
                let (alone, alone_grad) = (one(path, dim, &options), one_gradient(grad, path, dim, &options));
                for (computed, pulled) in computed.iter().zip(&pulled) {
                    assert_bits(&computed[b * size..][..size], &alone, &what);
                    let (inside, beyond) = pulled[b * length * dim..][..length * dim].split_at(path.len());
                    assert_bits(inside, &alone_grad, &format!("gradient {what}"));
                    assert!(beyond.iter().all(|g| *g == S::ZERO), "{what}");
                }
                if b % 8 == 1 {
                    let whole = oracle(&transform).apply(&to_f64(path), dim);
                    let expected = reference::signature(&whole, letters, degree);
                    let error = level_error(&alone, &expected[1..], letters, degree);
                    assert!(error < 3.0 * tolerance::<S>(), "{what}: {error:e}");
                    let with_scalar = [vec![0.0], to_f64(grad)].concat();
                    let on_whole = reference::signature_backprop(&with_scalar, &whole, letters, degree);
                    let error = relative(&alone_grad, &oracle(&transform).backprop(&on_whole, dim));
                    assert!(error < 20.0 * tolerance::<S>(), "gradient {what}: {error:e}");
                }
            }
        }
    }
}

#[test]
fn few_coefficients_in_ragged_batches() {
    few_coefficients::<f64>();
    few_coefficients::<f32>();
}

#[test]
fn a_nan_stays_in_its_path() {
    for (dim, degree) in [(1, 3), (2, 4), (3, 3), (5, 4), (4, 6), (10, 2), (7, 4)] {
        for (batch, points) in [(5, 20), (3, 1200), (19, 20)] {
            for poison in [f64::NAN, f64::INFINITY] {
                let mut paths: Vec<f64> = Random(12).walk(batch * points, dim);
                let size = expected_length(dim, degree);
                let grad: Vec<f64> = Random(13).numbers(batch * size);
                let dense = |paths: &[f64]| {
                    let view = Batch::dense(paths, batch, points, dim).unwrap();
                    (
                        signatures(&view, &plain(degree), 2),
                        gradients(&grad, &view, &plain(degree), 2),
                    )
                };
                let (clean, clean_grad) = dense(&paths);
                let each = points * dim;
                paths[each + (points / 2) * dim] = poison;
                let (dirty, dirty_grad) = dense(&paths);
                for b in 0..batch {
                    let (s, g) = (b * size..(b + 1) * size, b * each..(b + 1) * each);
                    if b == 1 {
                        assert!(
                            !dirty[s.start].is_finite() && dirty_grad[g].iter().any(|g| !g.is_finite() || degree == 1)
                        );
                    } else {
                        assert_bits(&dirty[s.clone()], &clean[s], &format!("({dim}, {degree}) {b}"));
                        assert_bits(
                            &dirty_grad[g.clone()],
                            &clean_grad[g],
                            &format!("gradient ({dim}, {degree}) {b}"),
                        );
                    }
                }
            }
        }
    }
}

// ------------------------------------------------------------------------------------------------ arguments, progress

fn sentence(result: Result<()>) -> String {
    match result {
        Err(error @ (Error::Argument(_) | Error::Length(_))) => error.to_string(),
        other => panic!("expected an argument error, got {other:?}"),
    }
}

#[test]
fn wrong_arguments_are_named() {
    let paths = [0.0; 24];
    let batch = Batch::dense(&paths, 2, 4, 3).unwrap();
    let run = &mut Run::default();
    let mut out = [5.0; 24];
    let told = sentence(signature(&batch, &plain(0), &mut out, run));
    assert!(told.contains("degree is 0"), "{told}");
    let told = sentence(signature(&batch, &plain(2), &mut out[..23], run));
    assert!(told.contains("out_len is 23; expected 24"), "{told}");
    let told = sentence(signature(&batch, &plain(99), &mut out, run));
    assert!(told.contains("degree 99"), "{told}");
    let told = sentence(plain(usize::MAX).length(1).map(drop));
    assert!(told.contains("degree"), "{told}");
    assert!(out.iter().all(|&x| x == 5.0));
    let mut gradient = [5.0; 24];
    let told = {
        let gradient = Gradient::new("path_grad", &mut gradient, &batch).unwrap();
        sentence(signature_backprop(&out[..20], &batch, &plain(2), gradient, run))
    };
    assert!(told.contains("grad_len is 20; expected 24"), "{told}");
    assert!(gradient.iter().all(|&x| x == 5.0));
    assert_eq!(plain(4).length(3), Ok(3 + 9 + 27 + 81));
}

/// The callback sees one count that never falls; cancelling stops a long path soon.
#[test]
fn progress_and_cancellation() {
    let dim = 4;
    let path: Vec<f64> = Random(14).walk(400_000, dim);
    let batch = Batch::dense(&path, 1, path.len() / dim, dim).unwrap();
    let options = plain(7);
    let size = options.length(dim).unwrap();
    for threads in [1, 2] {
        for backward in [false, true] {
            let (mut seen, mut calls) = (0, 0);
            let mut last = std::time::Instant::now();
            let mut longest = std::time::Duration::ZERO;
            let mut progress = |done: u64, total: u64| {
                assert!(done >= seen && done <= total);
                seen = done;
                calls += 1;
                longest = longest.max(last.elapsed());
                last = std::time::Instant::now();
                calls == 4
            };
            let mut run = Run {
                threads,
                progress: Some(&mut progress),
            };
            let result = if backward {
                let mut out = vec![0.0; path.len()];
                let gradient = Gradient::new("path_grad", &mut out, &batch).unwrap();
                signature_backprop(&vec![1.0; size], &batch, &options, gradient, &mut run)
            } else {
                signature(&batch, &options, &mut vec![0.0; size], &mut run)
            };
            assert_eq!(result, Err(Error::Cancelled));
            assert_eq!(calls, 4);
            assert!(longest.as_millis() < 1000, "{longest:?} between calls");
        }
    }
}

// ------------------------------------------------------------------------------------------------------------ levels

/// Everything above once more at the lesser levels of the machine: in processes of their own, as the level is that of
/// the process.
#[test]
fn every_level() {
    if let Ok(asked) = std::env::var("GOURSAT_SIMD") {
        let asked = if cfg!(target_arch = "aarch64") { "neon" } else { &asked };
        assert_eq!(Level::current().name(), asked);
        return;
    }
    for level in [Level::Portable, Level::Avx2] {
        if level < Level::best() {
            let name = if level == Level::Portable { "portable" } else { "avx2" };
            let tests = std::env::current_exe().unwrap();
            let output = runner::command(tests)
                .env("GOURSAT_SIMD", name)
                .env("GOURSAT_TEST_LEVEL", level.name())
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{name}: {}",
                String::from_utf8_lossy(&output.stdout)
            );
        }
    }
}
