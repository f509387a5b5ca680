//! The oracle against finite differences, against the theory, and (in `peers`) against other people's libraries.

use goursat::reference::*;

mod peers;

const ORDERS: [(u32, u32); 4] = [(0, 0), (1, 0), (0, 2), (2, 1)];

/// Numbers between -1 and 1 that look random: a linear congruential generator (Knuth's MMIX).
fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn dot<T: Number>(a: &[T], b: &[T]) -> T {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).fold(T::from(0.0), |sum, (&a, &b)| sum + a * b)
}

// ---- gradients against central differences, in 32 digits: with h = 2^-34 nothing but the formula is judged

/// (f(x + h) - f(x - h)) / 2h is `grad`, entry by entry, to 1e-17 of its largest entry.
#[track_caller]
fn assert_gradient(grad: &[DoubleDouble], x: &[DoubleDouble], f: impl Fn(&[DoubleDouble]) -> DoubleDouble) {
    let h = DoubleDouble::from(0.5f64.powi(34));
    let differences: Vec<DoubleDouble> = (0..x.len())
        .map(|n| {
            let at = |step: DoubleDouble| {
                let mut moved = x.to_vec();
                moved[n] += step;
                f(&moved)
            };
            (at(h) - at(-h)) / (h + h)
        })
        .collect();
    assert_eq!(grad.len(), differences.len());
    let largest = narrow(grad).iter().fold(0.0, |largest: f64, g| largest.max(g.abs()));
    assert!(largest > 0.0);
    for (n, (&grad, &difference)) in grad.iter().zip(&differences).enumerate() {
        let error = f64::from(grad - difference).abs() / largest;
        assert!(
            error < 1e-17,
            "entry {n}: {grad:?} against {difference:?}, off by {error:e}"
        );
    }
}

#[test]
fn signature_gradient_is_the_derivative() {
    for (length, dim, degree) in [(2, 1, 3), (5, 2, 4), (4, 3, 3), (3, 5, 2), (3, 2, 1)] {
        let path = widen(&numbers(length * dim, 1));
        let grad = widen(&numbers(signature_length(dim, degree, true), 2));
        let path_grad = signature_backprop(&grad, &path, dim, degree);
        assert_gradient(&path_grad, &path, |path| dot(&grad, &signature(path, dim, degree)));
    }
}

#[test]
fn kernel_gradients_are_the_derivatives() {
    for (n, &orders) in ORDERS.iter().enumerate() {
        let (x_length, y_length, dim) = ([2, 4, 3, 6][n], [5, 3, 2, 4][n], [1, 2, 3, 2][n]);
        let x = widen(&numbers(x_length * dim, 3));
        let y = widen(&numbers(y_length * dim, 4));

        let seed = DoubleDouble::from(1.5);
        let (x_grad, y_grad) = kernel_backprop(seed, &x, &y, dim, orders);
        assert_gradient(&x_grad, &x, |x| seed * kernel(x, &y, dim, orders));
        assert_gradient(&y_grad, &y, |y| seed * kernel(&x, y, dim, orders));

        let grad = widen(&numbers(kernel_grid(&x, &y, dim, orders).len(), 5));
        let (x_grad, y_grad) = kernel_grid_backprop(&grad, &x, &y, dim, orders);
        assert_gradient(&x_grad, &x, |x| dot(&grad, &kernel_grid(x, &y, dim, orders)));
        assert_gradient(&y_grad, &y, |y| dot(&grad, &kernel_grid(&x, y, dim, orders)));
    }
}

#[test]
fn gram_gradient_is_the_derivative() {
    let (dim, orders) = (2, (1, 0));
    let xs: Vec<_> = [2, 4]
        .iter()
        .map(|&length| widen(&numbers(length * dim, length as u64)))
        .collect();
    let ys: Vec<_> = [3, 2, 5]
        .iter()
        .map(|&length| widen(&numbers(length * dim, 7 + length as u64)))
        .collect();
    let grad = widen(&numbers(6, 8));
    let (x_grads, y_grads) = gram_backprop(&grad, &xs, &ys, dim, orders);
    let replaced = |paths: &[Vec<DoubleDouble>], n: usize, path: &[DoubleDouble]| {
        let mut paths = paths.to_vec();
        paths[n] = path.to_vec();
        paths
    };
    for i in 0..xs.len() {
        assert_gradient(&x_grads[i], &xs[i], |x| {
            dot(&grad, &gram(&replaced(&xs, i, x), &ys, dim, orders))
        });
    }
    for j in 0..ys.len() {
        assert_gradient(&y_grads[j], &ys[j], |y| {
            dot(&grad, &gram(&xs, &replaced(&ys, j, y), dim, orders))
        });
    }
}

/// A transform is affine; its adjoint is judged against its linear part: <g, T(x) - T(0)> = <T*(g), x>.
#[test]
fn adjoints_of_transforms() {
    let dim = 3;
    for lead_lag in [None, Some(LeadLag::LeadFirst), Some(LeadLag::LagFirst)] {
        for (end_time, length) in [(None, 1), (None, 5), (Some(2.0), 1), (Some(2.0), 4)] {
            let transform = Transform { lead_lag, end_time };
            let path = widen(&numbers(length * dim, 9));
            let image = transform.apply(&path, dim);
            let grad = widen(&numbers(image.len(), 10));
            let zero = transform.apply(&widen(&vec![0.0; path.len()]), dim);
            let left = dot(&grad, &image) - dot(&grad, &zero);
            let right = dot(&transform.backprop(&grad, dim), &path);
            assert!(f64::from(left - right).abs() < 1e-28);
        }
    }
}

// ---- theory

/// S(x · y) = S(x) ⊗ S(y).
#[test]
fn chen() {
    let (dim, degree, cut) = (3, 4, 4);
    let path = widen(&numbers(9 * dim, 11));
    let whole = signature(&path, dim, degree);
    let (first, second) = (&path[..(cut + 1) * dim], &path[cut * dim..]);
    let joined = tensor_product(
        &signature(first, dim, degree),
        &signature(second, dim, degree),
        dim,
        degree,
    );
    let error: Vec<DoubleDouble> = whole.iter().zip(&joined).map(|(&a, &b)| a - b).collect();
    assert!(f64::from(dot(&error, &error)) < 1e-56);
}

/// S^u S^v = Σ S^w over the shuffles w of u and v, here all words of length 2 against all of length 3.
#[test]
fn shuffle() {
    fn shuffles(u: &[usize], v: &[usize]) -> Vec<Vec<usize>> {
        let (Some((&u_last, u_rest)), Some((&v_last, v_rest))) = (u.split_last(), v.split_last()) else {
            return vec![[u, v].concat()];
        };
        let ending = |words: Vec<Vec<usize>>, last: usize| words.into_iter().map(move |w| [w, vec![last]].concat());
        ending(shuffles(u_rest, v), u_last)
            .chain(ending(shuffles(u, v_rest), v_last))
            .collect()
    }
    let dim = 2;
    let signature = signature(&widen(&numbers(7 * dim, 12)), dim, 5);
    let coefficient =
        |word: &[usize]| signature[level_start(dim, word.len()) + word.iter().fold(0, |n, i| n * dim + i)];
    let word = |n: usize, k: usize| (0..k).rev().map(|p| n / dim.pow(p as u32) % dim).collect::<Vec<_>>();
    for (n, m) in (0..4).flat_map(|n| (0..8).map(move |m| (n, m))) {
        let (u, v) = (word(n, 2), word(m, 3));
        let sum = shuffles(&u, &v)
            .iter()
            .fold(DoubleDouble::from(0.0), |sum, w| sum + coefficient(w));
        assert!(
            f64::from(sum - coefficient(&u) * coefficient(&v)).abs() < 1e-28,
            "{u:?} {v:?}"
        );
    }
}

/// k(x, y) = Σ <S(x)_w, S(y)_w> in the limit of the refinement, which is approached with 4^-λ.
#[test]
fn kernel_is_the_inner_product_of_signatures() {
    let dim = 2;
    let scaled = |seed: u64| numbers(4 * dim, seed).iter().map(|x| x * 0.3).collect::<Vec<_>>();
    let (x, y) = (scaled(13), scaled(14));
    let limit = dot(&signature(&x, dim, 10), &signature(&y, dim, 10));
    let errors: Vec<f64> = (5..8)
        .map(|order| (kernel(&x, &y, dim, (order, order)) - limit).abs())
        .collect();
    assert!(errors[2] < 1e-8, "{errors:?}");
    assert!(
        errors.windows(2).all(|pair| (3.4..4.2).contains(&(pair[0] / pair[1]))),
        "{errors:?}"
    );
}

#[test]
fn points_and_constants() {
    assert_eq!(signature(&[0.5, 0.25], 2, 2), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(
        signature(&[0.5, 0.25, 1.5, 2.25], 2, 2),
        [1.0, 1.0, 2.0, 0.5, 1.0, 1.0, 2.0]
    );
    assert_eq!(signature(&[0.5, 0.25], 2, 0), [1.0]);
    assert_eq!(kernel(&[0.5, 0.25], &[1.0, 2.0, 3.0, 4.0], 2, (2, 1)), 1.0);
    assert_eq!(kernel_grid(&[0.5, 0.25], &[1.0, 2.0, 3.0, 4.0], 2, (2, 1)), [1.0; 3]);
    assert_eq!(
        kernel_backprop(1.0, &[0.5], &[1.0, 2.0], 1, (0, 0)),
        (vec![0.0], vec![0.0, 0.0])
    );
    assert_eq!(time_augment(&[7.0], 1, 3.0), [7.0, 0.0]);
    assert_eq!(
        lead_lag(&[1.0, 2.0, 3.0], 1, LeadLag::LeadFirst),
        [1.0, 1.0, 2.0, 1.0, 2.0, 2.0, 3.0, 2.0, 3.0, 3.0]
    );
    assert_eq!(
        [
            signature_length(3, 4, false),
            signature_length(3, 4, true),
            signature_length(1, 6, true)
        ],
        [120, 121, 7]
    );
}

#[test]
fn double_double_has_32_digits() {
    let number = DoubleDouble::from;
    let third = number(1.0) / number(3.0);
    assert_eq!(f64::from(third * number(3.0) - number(1.0)).abs().max(1e-32), 1e-32);
    let tiny = number(1e-25);
    assert_eq!(f64::from(number(1.0) + tiny - number(1.0)), 1e-25);
    let square = (number(1.0) + tiny) * (number(1.0) + tiny) - number(1.0);
    assert!((f64::from(square) / 2e-25 - 1.0).abs() < 1e-6);
}
