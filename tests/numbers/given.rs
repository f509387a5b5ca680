//! NaN and infinity in a gradient that is given.

use super::common::*;
use super::helpers::*;
use goursat::Precision;
use goursat::path::Batch;
use goursat::signature;

/// A given gradient that is NaN reaches the paths of its own result, and no other.
fn poison_in_gradients<S: Precision>() {
    let (batch, m, n, dim) = (19, 9, 8, 2);
    let (x, y) = (walks::<S>(batch, m, dim, 212), walks::<S>(batch, n, dim, 213));
    let (x, y) = (
        Batch::dense(&x, batch, m, dim).unwrap(),
        Batch::dense(&y, batch, n, dim).unwrap(),
    );
    let poisoned = |grad: &[S], place: usize| {
        let mut grad = grad.to_vec();
        grad[place] = S::NAN;
        grad
    };
    let spoiled = |dirty: &[Vec<S>], clean: &[Vec<S>], what: &str| -> Vec<usize> {
        let differ = (0..clean.len()).filter(|&b| bits(&dirty[b]) != bits(&clean[b]));
        let differ: Vec<usize> = differ.collect();
        assert!(
            differ.iter().all(|&b| dirty[b].iter().any(|g| g.to_f64().is_nan())),
            "{what}"
        );
        differ
    };
    for options in options() {
        let what = format!("{options:?}");
        let nodes = options.grid_shape(m, n).unwrap();
        let nodes = nodes.0 * nodes.1;
        let (one, grid, all) = (
            numbers::<S>(batch, 214),
            numbers::<S>(batch * nodes, 215),
            numbers::<S>(batch * batch, 216),
        );
        let split = |(gx, gy): (Vec<S>, Vec<S>)| (pieces(&gx, &x), pieces(&gy, &y));
        let of_kernels = |grad: &[S]| split(gradients(grad, &x, &y, &options, 2));
        let of_grids = |grad: &[S]| split(grid_gradients(grad, &x, &y, &options, 2));
        let of_matrix = |grad: &[S]| split(gram_gradients(grad, &x, Some(&y), &options, 2));
        let (clean, clean_grid, clean_matrix) = (of_kernels(&one), of_grids(&grid), of_matrix(&all));
        for bad in places_in_batch::<S>(batch) {
            let dirty = of_kernels(&poisoned(&one, bad));
            assert_eq!(spoiled(&dirty.0, &clean.0, &what), [bad], "{what}");
            assert_eq!(spoiled(&dirty.1, &clean.1, &what), [bad], "{what}");
            let dirty = of_grids(&poisoned(&grid, (bad + 1) * nodes - 1));
            assert_eq!(spoiled(&dirty.0, &clean_grid.0, &what), [bad], "{what}");
            assert_eq!(spoiled(&dirty.1, &clean_grid.1, &what), [bad], "{what}");
            let other = (bad * 7 + 3) % batch;
            let dirty = of_matrix(&poisoned(&all, bad * batch + other));
            assert_eq!(spoiled(&dirty.0, &clean_matrix.0, &what), [bad], "{what}");
            assert_eq!(spoiled(&dirty.1, &clean_matrix.1, &what), [other], "{what}");
        }
    }
    for (transform, degree) in transforms().into_iter().zip([4, 3, 2, 3, 2, 3]) {
        let options = signature::Options {
            degree,
            scalar_term: true,
            direct: false,
            transform,
        };
        let size = options.length(dim).unwrap();
        let grad = numbers::<S>(batch * size, 217);
        let clean = pieces(&signature_gradients(&grad, &x, &options, 2), &x);
        for bad in places_in_batch::<S>(batch) {
            // The first word of the last level: one letter, which is a channel of the path and not time.
            let grad = poisoned(
                &grad,
                (bad + 1) * size - options.transform.dim(dim).unwrap().pow(degree as u32),
            );
            let dirty = pieces(&signature_gradients(&grad, &x, &options, 2), &x);
            let what = format!("{transform:?}");
            assert_eq!(spoiled(&dirty, &clean, &what), [bad], "{what}");
        }
    }
}

#[test]
fn poison_in_a_given_gradient_stays_there() {
    poison_in_gradients::<f64>();
    poison_in_gradients::<f32>();
}
