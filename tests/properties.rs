//! What mathematics says of signatures, signature kernels and their gradients, whatever computes them.

mod common;

use common::*;
use goursat::Precision;
use goursat::kernel::Options;
use goursat::path::{
    Batch, LeadLag, Transform, lead_lag_batch, lead_lag_batch_adjoint, time_augment_batch, time_augment_batch_adjoint,
};
use goursat::reference;
use goursat::signature;

fn deep(degree: usize, transform: Transform) -> signature::Options {
    signature::Options {
        degree,
        scalar_term: true,
        direct: false,
        transform,
    }
}

/// The signature of one path, with its level 0.
fn sig<S: Precision>(path: &[S], dim: usize, degree: usize) -> Vec<f64> {
    let path = Batch::dense(path, 1, path.len() / dim, dim).unwrap();
    widen(&signatures(&path, &deep(degree, Transform::default()), 1))
}

/// What rounding may do to coefficients of order 1 of some hundred points, each step some units.
fn fine<S: Precision>() -> f64 {
    if size_of::<S>() == 4 { 3e-6 } else { 3e-14 }
}

/// A tolerance for every level, relative to the largest coefficient of the level.
#[track_caller]
fn assert_levels(found: &[f64], expected: &[f64], dim: usize, degree: usize, tolerance: f64) {
    assert_eq!((found.len(), found[0], expected[0]), (expected.len(), 1.0, 1.0));
    for (k, level) in levels(dim, degree).into_iter().enumerate() {
        let (found, expected) = (&found[1..][level.clone()], &expected[1..][level]);
        assert_close(found, expected, tolerance, &format!("level {}", k + 1));
    }
}

fn dot<S: Precision>(a: &[S], b: &[S]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a.to_f64() * b.to_f64()).sum()
}

// --------------------------------------------------------------------------------------------------------- signatures

/// S(x * y) = S(x) ⊗ S(y).
fn chen<S: Precision>() {
    for (dim, degree, points, cut) in [(1, 5, 9, 3), (2, 6, 40, 17), (3, 4, 130, 1), (5, 3, 70, 68)] {
        let path = walks::<S>(1, points, dim, 61);
        let (first, second) = (&path[..(cut + 1) * dim], &path[cut * dim..]);
        let product = reference::tensor_product(&sig(first, dim, degree), &sig(second, dim, degree), dim, degree);
        assert_levels(&sig(&path, dim, degree), &product, dim, degree, fine::<S>());
    }
}

#[test]
fn chens_identity() {
    chen::<f64>();
    chen::<f32>();
}

/// All shuffles of two words, as many times as they occur.
fn shuffles(u: &[usize], v: &[usize]) -> Vec<Vec<usize>> {
    if u.is_empty() || v.is_empty() {
        return vec![[u, v].concat()];
    }
    let then = |last: usize, words: Vec<Vec<usize>>| words.into_iter().map(move |w| [w, vec![last]].concat());
    let (u_rest, v_rest) = (&u[..u.len() - 1], &v[..v.len() - 1]);
    then(u[u.len() - 1], shuffles(u_rest, v))
        .chain(then(v[v.len() - 1], shuffles(u, v_rest)))
        .collect()
}

fn words(dim: usize, length: usize) -> Vec<Vec<usize>> {
    (0..dim.pow(length as u32))
        .map(|n| (0..length).rev().map(|k| n / dim.pow(k as u32) % dim).collect())
        .collect()
}

fn coefficient(s: &[f64], dim: usize, word: &[usize]) -> f64 {
    let begin: usize = (0..word.len()).map(|k| dim.pow(k as u32)).sum();
    s[begin + word.iter().fold(0, |at, letter| at * dim + letter)]
}

/// S^u S^v = Σ S^w over all shuffles w of u and v.
#[test]
fn shuffle_identity() {
    let (dim, degree) = (3, 5);
    for (s, tolerance) in [
        (sig(&walks::<f64>(1, 80, dim, 62), dim, degree), 1e-14),
        (sig(&walks::<f32>(1, 80, dim, 62), dim, degree), 3e-6),
    ] {
        for (m, n) in [(1, 1), (1, 2), (2, 2), (1, 3), (2, 3), (1, 4)] {
            for u in words(dim, m) {
                for v in words(dim, n) {
                    let product = coefficient(&s, dim, &u) * coefficient(&s, dim, &v);
                    let sum: f64 = shuffles(&u, &v).iter().map(|w| coefficient(&s, dim, w)).sum();
                    // Of up to ten coefficients of order 1, each some units off.
                    assert!((product - sum).abs() < tolerance, "{u:?} and {v:?}: {product} {sum}");
                }
            }
        }
    }
}

#[test]
fn the_signature_backwards_is_the_inverse() {
    for (dim, degree) in [(1, 4), (2, 6), (4, 4)] {
        let path = walks::<f64>(1, 90, dim, 63);
        let back: Vec<f64> = path.chunks(dim).rev().flatten().copied().collect();
        let product = reference::tensor_product(&sig(&path, dim, degree), &sig(&back, dim, degree), dim, degree);
        assert_eq!(product[0], 1.0);
        // Sums of products of order 1 that cancel.
        assert!(product[1..].iter().all(|c| c.abs() < 1e-13), "({dim}, {degree})");
    }
}

/// A path is its trace and direction: not its origin, nor how many points a straight piece has, nor pauses.
fn invariances<S: Precision>() {
    let (dim, degree, points) = (3, 4, 50);
    let path = walks::<S>(1, points, dim, 64);
    let expected = sig(&path, dim, degree);
    // 1/2 and 3/4 of f32 or f64 numbers near each other round once; moving by 2 costs two bits of each increment.
    let moved: Vec<S> = path.iter().map(|&v| v + S::from_f64(2.0)).collect();
    assert_levels(&sig(&moved, dim, degree), &expected, dim, degree, 20.0 * fine::<S>());
    let mut divided = path[..dim].to_vec();
    for i in 1..points {
        let (from, to) = (&path[(i - 1) * dim..][..dim], &path[i * dim..][..dim]);
        for share in [[0.5, 0.75].as_slice(), &[0.0, 0.0], &[]][i % 3] {
            divided.extend((0..dim).map(|c| from[c] + (to[c] - from[c]) * S::from_f64(*share)));
        }
        divided.extend(to);
    }
    assert!(divided.len() > path.len() + 60);
    assert_levels(&sig(&divided, dim, degree), &expected, dim, degree, 5.0 * fine::<S>());
    // The kernel does not see the origin either, and a pause adds a row of equal nodes.
    let dense = |values: &[S]| kernels(&one(values, dim), &one(&path, dim), &Options::default(), 1);
    let k = widen(&dense(&path));
    assert_close(&dense(&moved), &k, 20.0 * fine::<S>(), "kernel of a moved path");
    let paused: Vec<S> = path.chunks(dim).flat_map(|point| [point, point].concat()).collect();
    assert_close(&dense(&paused), &k, 5.0 * fine::<S>(), "kernel of a path that pauses");
}

fn one<S: Precision>(path: &[S], dim: usize) -> Batch<'_, S> {
    Batch::dense(path, 1, path.len() / dim, dim).unwrap()
}

#[test]
fn invariance() {
    invariances::<f64>();
    invariances::<f32>();
}

/// Level 2 of the lead-lag signature: S^{lead i, lag j} - S^{lag i, lead j} = Σ dx^i dx^j, the realised covariation.
fn covariation<S: Precision>() {
    let (batch, points, dim) = (5, 60, 3);
    let values = walks::<S>(batch, points, dim, 65);
    let paths = ragged(&values, [batch, points, dim], None);
    for lead_lag in [LeadLag::LeadFirst, LeadLag::LagFirst] {
        let transform = Transform { time: None, lead_lag };
        let found = signatures(&paths, &deep(2, transform), 1);
        let (lead, lag) = if lead_lag == LeadLag::LeadFirst {
            (0, dim)
        } else {
            (dim, 0)
        };
        for (s, path) in found.chunks(1 + 2 * dim + 4 * dim * dim).zip(copies(&paths)) {
            let s = widen(s);
            let dx = reference::increments(&widen(&path), dim);
            for i in 0..dim {
                for j in 0..dim {
                    let at = |a: usize, b: usize| coefficient(&s, 2 * dim, &[a, b]);
                    let covariation: f64 = dx.chunks(dim).map(|dx| dx[i] * dx[j]).sum();
                    let found = at(lead + i, lag + j) - at(lag + i, lead + j);
                    // A difference of two coefficients of order 1.
                    assert!(
                        (found - covariation).abs() < fine::<S>(),
                        "{lead_lag:?} ({i}, {j}): {found}"
                    );
                    let areas = (at(lead + i, lag + j) - at(lag + j, lead + i))
                        + (at(lead + j, lag + i) - at(lag + i, lead + j));
                    assert!(
                        (areas - 2.0 * covariation).abs() < 4.0 * fine::<S>(),
                        "areas ({i}, {j})"
                    );
                }
            }
        }
    }
}

#[test]
fn lead_lag_signatures_have_the_covariation() {
    covariation::<f64>();
    covariation::<f32>();
}

// ------------------------------------------------------------------------------------------------------------ kernels

/// k(x, y) → <S(x), S(y)>: the scheme is of second order, so each dyadic order quarters the error in the end. Of the
/// first orders the error is smaller than that: terms of either sign cancel.
#[test]
fn the_kernel_tends_to_the_inner_product_of_signatures() {
    // Level k of the inner product is at most (|x| |y|)^k / k!², for these lengths below 1e-10 beyond 12.
    let degree = 12;
    let plane = Transform::default();
    for (dim, x, y, transform) in [(
        2,
        vec![0.0, 0.0, 0.3, 0.5, 0.8, 0.4, 0.9, 1.1],
        vec![0.0, 0.0, 0.5, 0.4, 0.7, 1.0],
        plane,
    )]
    .into_iter()
    .chain(
        transforms()
            .into_iter()
            .map(|t| (1, vec![0.0, 0.3, 0.7, 1.1], vec![0.0, 0.5, 1.2], t)),
    ) {
        let (x, y) = (one(&x, dim), one(&y, dim));
        let limit = dot(
            &signatures(&x, &deep(degree, transform), 1),
            &signatures(&y, &deep(degree, transform), 1),
        );
        let error = |order| {
            let options = Options {
                orders: (order, order),
                transform,
            };
            (kernels(&x, &y, &options, 1)[0] - limit).abs()
        };
        let errors: Vec<f64> = (0..9).map(error).collect();
        for pair in errors[5..].windows(2) {
            let ratio = pair[0] / pair[1];
            assert!(
                (3.5..4.5).contains(&ratio),
                "{transform:?} of {dim}, limit {limit}: {errors:?}"
            );
        }
        assert!(
            errors[8] < 1e-5 * limit,
            "{transform:?} of {dim}, limit {limit}: {errors:?}"
        );
    }
}

fn one_point<S: Precision>() {
    let dim = 3;
    let (point, path) = (numbers::<S>(2 * dim, 68), walks::<S>(2, 6, dim, 69));
    let (point, path) = (ragged(&point, [2, 1, dim], None), ragged(&path, [2, 6, dim], None));
    for transform in transforms() {
        for orders in [(0, 0), (2, 2)] {
            let options = Options { orders, transform };
            for (x, y) in [(&point, &path), (&path, &point), (&point, &point)] {
                assert_eq!(kernels(x, y, &options, 1), [S::ONE; 2]);
                assert_eq!(gram(x, Some(y), &options, 1), [S::ONE; 4]);
                let grid = grids(x, y, &options, 1);
                assert!(!grid.is_empty() && grid.iter().all(|k| *k == S::ONE));
                let (gx, gy) = gradients(&[S::ONE; 2], x, y, &options, 1);
                assert!(gx.iter().chain(&gy).all(|g| *g == S::ZERO));
                let (gx, gy) = gram_gradients(&[S::ONE; 4], x, Some(y), &options, 1);
                assert!(gx.iter().chain(&gy).all(|g| *g == S::ZERO));
                let (gx, gy) = grid_gradients(&vec![S::ONE; grid.len()], x, y, &options, 1);
                assert!(gx.iter().chain(&gy).all(|g| *g == S::ZERO));
            }
            assert_eq!(gram(&point, None, &options, 1), [S::ONE; 4]);
        }
        let options = deep(3, transform);
        let s = signatures(&point, &options, 1);
        let each = s.len() / 2;
        assert!(
            s.iter()
                .enumerate()
                .all(|(e, c)| *c == if e % each == 0 { S::ONE } else { S::ZERO })
        );
        let g = signature_gradients(&vec![S::ONE; s.len()], &point, &options, 1);
        assert!(g.iter().all(|g| *g == S::ZERO));
    }
}

#[test]
fn one_point_has_kernel_one_and_signature_zero() {
    one_point::<f64>();
    one_point::<f32>();
}

// --------------------------------------------------------------------------------------------------------- transforms

/// The paths as the library's own transforms make them.
fn transformed<S: Precision>(paths: &Batch<'_, S>, transform: &Transform) -> (Vec<S>, [usize; 3]) {
    let [mut points, mut dim] = [paths.length(), paths.dim()];
    let mut values = copies(paths).concat();
    if transform.lead_lag != LeadLag::Off {
        let mut out = vec![S::NAN; paths.batch() * (2 * points - 1) * 2 * dim];
        let from = ragged(&values, [paths.batch(), points, dim], None);
        lead_lag_batch(&from, transform.lead_lag == LeadLag::LagFirst, &mut out, &mut on(1)).unwrap();
        (values, points, dim) = (out, 2 * points - 1, 2 * dim);
    }
    if let Some(end) = transform.time {
        let mut out = vec![S::NAN; paths.batch() * points * (dim + 1)];
        time_augment_batch(
            &ragged(&values, [paths.batch(), points, dim], None),
            end,
            &mut out,
            &mut on(1),
        )
        .unwrap();
        (values, dim) = (out, dim + 1);
    }
    (values, [paths.batch(), points, dim])
}

/// The adjoint of [`transformed`].
fn pulled<S: Precision>(grad: &[S], paths: &Batch<'_, S>, transform: &Transform) -> Vec<S> {
    use goursat::path::Gradient;
    let mut grad = grad.to_vec();
    let plain = |points: usize, dim: usize| vec![S::NAN; paths.batch() * points * dim];
    let leads = transform.lead_lag != LeadLag::Off;
    if transform.time.is_some() {
        let (points, dim) = if leads {
            (2 * paths.length() - 1, 2 * paths.dim())
        } else {
            (paths.length(), paths.dim())
        };
        let (values, mut out) = (plain(points, dim), plain(points, dim));
        let of = ragged(&values, [paths.batch(), points, dim], None);
        let gradient = Gradient::new("path_grad", &mut out, &of).unwrap();
        time_augment_batch_adjoint(&grad, &of, gradient, &mut on(1)).unwrap();
        grad = out;
    }
    if leads {
        let mut out = plain(paths.length(), paths.dim());
        let gradient = Gradient::new("path_grad", &mut out, paths).unwrap();
        let lag_first = transform.lead_lag == LeadLag::LagFirst;
        lead_lag_batch_adjoint(&grad, paths, lag_first, gradient, &mut on(1)).unwrap();
        grad = out;
    }
    grad
}

fn on_the_fly_or_first<S: Precision>() {
    // In f32 stored times, and so their differences, are rounded; on the fly they are not.
    let tolerance = if size_of::<S>() == 4 { 1e-5 } else { 1e-12 };
    let (batch, m, n, dim) = (9, 21, 34, 3);
    let (x, y) = (walks::<S>(batch, m, dim, 70), walks::<S>(batch, n, dim, 71));
    let (x, y) = (ragged(&x, [batch, m, dim], None), ragged(&y, [batch, n, dim], None));
    for transform in transforms() {
        let ((tx, x_shape), (ty, y_shape)) = (transformed(&x, &transform), transformed(&y, &transform));
        let (tx, ty) = (ragged(&tx, x_shape, None), ragged(&ty, y_shape, None));
        for orders in [(0, 0), (1, 2)] {
            let what = format!("{orders:?}, {transform:?}");
            let (fly, first) = (
                Options { orders, transform },
                Options {
                    orders,
                    ..Options::default()
                },
            );
            let k = widen(&kernels(&tx, &ty, &first, 1));
            assert_close(&kernels(&x, &y, &fly, 1), &k, tolerance, &what);
            let g = widen(&grids(&tx, &ty, &first, 1));
            assert_close(&grids(&x, &y, &fly, 1), &g, tolerance, &what);
            let matrix = widen(&gram(&tx, Some(&ty), &first, 1));
            assert_close(&gram(&x, Some(&y), &fly, 1), &matrix, tolerance, &what);
            let check = |found: (Vec<S>, Vec<S>), whole: (Vec<S>, Vec<S>)| {
                let whole = (pulled(&whole.0, &x, &transform), pulled(&whole.1, &y, &transform));
                assert_close(&found.0, &widen(&whole.0), 3.0 * tolerance, &what);
                assert_close(&found.1, &widen(&whole.1), 3.0 * tolerance, &what);
            };
            let grad = numbers::<S>(batch, 72);
            check(gradients(&grad, &x, &y, &fly, 1), gradients(&grad, &tx, &ty, &first, 1));
            let grad = numbers::<S>(g.len(), 73);
            check(
                grid_gradients(&grad, &x, &y, &fly, 1),
                grid_gradients(&grad, &tx, &ty, &first, 1),
            );
            let grad = numbers::<S>(batch * batch, 74);
            check(
                gram_gradients(&grad, &x, Some(&y), &fly, 1),
                gram_gradients(&grad, &tx, Some(&ty), &first, 1),
            );
        }
        let (fly, first) = (deep(3, transform), deep(3, Transform::default()));
        let s = signatures(&tx, &first, 1);
        assert_close(
            &signatures(&x, &fly, 1),
            &widen(&s),
            tolerance,
            &format!("signature, {transform:?}"),
        );
        let grad = numbers::<S>(s.len(), 75);
        let whole = pulled(&signature_gradients(&grad, &tx, &first, 1), &x, &transform);
        let found = signature_gradients(&grad, &x, &fly, 1);
        assert_close(
            &found,
            &widen(&whole),
            3.0 * tolerance,
            &format!("signature gradient, {transform:?}"),
        );
    }
}

#[test]
fn transforms_on_the_fly_are_transforms_first() {
    on_the_fly_or_first::<f64>();
    on_the_fly_or_first::<f32>();
}

// ----------------------------------------------------------------------------------------------------------- adjoints

/// <J v, w> = <v, Jᵀ w>: J v by central differences of f at x, Jᵀ w as the gradient that was computed.
#[track_caller]
fn assert_adjoint(what: &str, f: &dyn Fn(&[f64]) -> Vec<f64>, x: &[f64], w: &[f64], gradient: &[f64]) {
    for seed in [81, 82] {
        let (v, step) = (numbers::<f64>(x.len(), seed), 1e-5);
        let at = |h: f64| -> Vec<f64> { f(&x.iter().zip(&v).map(|(x, v)| x + h * v).collect::<Vec<_>>()) };
        let jv: Vec<f64> = at(step)
            .iter()
            .zip(at(-step))
            .map(|(a, b)| (a - b) / (2.0 * step))
            .collect();
        let (left, right) = (dot(&jv, w), dot(&v, gradient));
        // Absolute values summed: what rounding (1e-16 / step) and the third derivative (step²) are relative to.
        let size = 1.0 + jv.iter().zip(w).map(|(a, b)| (a * b).abs()).sum::<f64>();
        assert!((left - right).abs() < 3e-8 * size, "{what}: {left} and {right}");
    }
}

fn batch_of(values: &[f64], points: usize) -> Batch<'_, f64> {
    Batch::dense(values, values.len() / (2 * points), points, 2).unwrap()
}

#[test]
fn gradients_are_adjoints() {
    let (batch, m, n, dim) = (5, 8, 6, 2);
    let (xs, ys) = (walks::<f64>(batch, m, dim, 76), walks::<f64>(batch, n, dim, 77));
    let (x, y) = (batch_of(&xs, m), batch_of(&ys, n));
    for transform in transforms() {
        for orders in [(0, 0), (2, 1), (0, 3)] {
            let options = Options { orders, transform };
            let what = |name: &str| format!("{name}, {options:?}");
            let nodes = options.grid_shape(m, n).unwrap();
            let w = numbers::<f64>(batch, 78);
            let (gx, gy) = gradients(&w, &x, &y, &options, 1);
            assert_adjoint(
                &what("kernel in x"),
                &|v| kernels(&batch_of(v, m), &y, &options, 1),
                &xs,
                &w,
                &gx,
            );
            assert_adjoint(
                &what("kernel in y"),
                &|v| kernels(&x, &batch_of(v, n), &options, 1),
                &ys,
                &w,
                &gy,
            );
            let w = numbers::<f64>(batch * nodes.0 * nodes.1, 79);
            let (gx, gy) = grid_gradients(&w, &x, &y, &options, 1);
            assert_adjoint(
                &what("grid in x"),
                &|v| grids(&batch_of(v, m), &y, &options, 1),
                &xs,
                &w,
                &gx,
            );
            assert_adjoint(
                &what("grid in y"),
                &|v| grids(&x, &batch_of(v, n), &options, 1),
                &ys,
                &w,
                &gy,
            );
            let w = numbers::<f64>(batch * batch, 80);
            let (gx, gy) = gram_gradients(&w, &x, Some(&y), &options, 1);
            assert_adjoint(
                &what("gram in x"),
                &|v| gram(&batch_of(v, m), Some(&y), &options, 1),
                &xs,
                &w,
                &gx,
            );
            assert_adjoint(
                &what("gram in y"),
                &|v| gram(&x, Some(&batch_of(v, n)), &options, 1),
                &ys,
                &w,
                &gy,
            );
            if orders.0 == orders.1 {
                let (gx, _) = gram_gradients(&w, &x, None, &options, 1);
                assert_adjoint(
                    &what("gram of x"),
                    &|v| gram(&batch_of(v, m), None, &options, 1),
                    &xs,
                    &w,
                    &gx,
                );
            }
        }
        let options = deep(4, transform);
        let w = numbers::<f64>(signatures(&x, &options, 1).len(), 83);
        let g = signature_gradients(&w, &x, &options, 1);
        assert_adjoint(
            &format!("signature, {transform:?}"),
            &|v| signatures(&batch_of(v, m), &options, 1),
            &xs,
            &w,
            &g,
        );
        let w = numbers::<f64>(transformed(&x, &transform).0.len(), 84);
        let g = pulled(&w, &x, &transform);
        assert_adjoint(
            &format!("{transform:?}"),
            &|v| transformed(&batch_of(v, m), &transform).0,
            &xs,
            &w,
            &g,
        );
    }
}

// ---------------------------------------------------------------------------------------------------- NaN and infinity

fn poison_stays<S: Precision>() {
    let (batch, m, n, dim) = (19, 14, 11, 2);
    let (xs, ys) = (walks::<S>(batch, m, dim, 85), walks::<S>(batch, n, dim, 86));
    let y = ragged(&ys, [batch, n, dim], None);
    let ids: Vec<usize> = (0..batch).collect();
    let grad = numbers::<S>(batch * batch, 87);
    for (poison, bad) in [(f64::NAN, 0), (f64::INFINITY, 7), (f64::NEG_INFINITY, batch - 1)] {
        let mut dirty = xs.clone();
        dirty[(bad * m + m / 2) * dim] = S::from_f64(poison);
        let (clean, dirty) = (
            ragged(&xs, [batch, m, dim], None),
            ragged(&dirty, [batch, m, dim], None),
        );
        for transform in transforms() {
            for orders in [(0, 0), (1, 1)] {
                let options = Options { orders, transform };
                let what = format!("{poison} in {bad}, {options:?}");
                let (a, b) = (
                    of_pairs(&clean, &y, &ids, &options, 2),
                    of_pairs(&dirty, &y, &ids, &options, 2),
                );
                assert!((0..batch).all(|i| i == bad || a[i] == b[i]), "{what}");
                assert!(!f64::from_bits(b[bad][0]).is_finite(), "{what}: it shows");
                let (a, b) = (gram(&clean, Some(&y), &options, 2), gram(&dirty, Some(&y), &options, 2));
                let symmetric = gram(&dirty, None, &options, 2);
                let whole = gram(&clean, None, &options, 2);
                for i in 0..batch {
                    for j in 0..batch {
                        let e = i * batch + j;
                        let spoiled = !b[e].to_f64().is_finite();
                        assert!(spoiled == (i == bad) && (spoiled || a[e] == b[e]), "({i}, {j}), {what}");
                        let spoiled = !symmetric[e].to_f64().is_finite();
                        let expected = i == bad || j == bad;
                        assert!(
                            spoiled == expected && (spoiled || symmetric[e] == whole[e]),
                            "symmetric ({i}, {j}), {what}"
                        );
                    }
                }
                let a = pieces(&gram_gradients(&grad, &clean, Some(&y), &options, 2).0, &clean);
                let b = pieces(&gram_gradients(&grad, &dirty, Some(&y), &options, 2).0, &dirty);
                assert!(
                    (0..batch).all(|i| i == bad || bits(&a[i]) == bits(&b[i])),
                    "gradient, {what}"
                );
                assert!(
                    b[bad].iter().any(|g| !g.to_f64().is_finite()),
                    "gradient, {what}: it shows"
                );
            }
            let options = deep(3, transform);
            let (a, b) = (of_paths(&clean, &ids, &options, 2), of_paths(&dirty, &ids, &options, 2));
            assert!(
                (0..batch).all(|i| i == bad || a[i] == b[i]),
                "signature, {poison}, {transform:?}"
            );
            assert!(
                b[bad].iter().any(|v| !f64::from_bits(*v).is_finite()),
                "signature, {poison}: it shows"
            );
        }
    }
}

#[test]
fn nan_and_infinity_stay_in_their_paths() {
    poison_stays::<f64>();
    poison_stays::<f32>();
}
