//! What mathematics says: Chen, shuffles, reversal.

use super::helpers::*;
use goursat::reference::{self};
use goursat::signature::Options;

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
