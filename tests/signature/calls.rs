//! Arguments, progress and cancellation.

use super::helpers::*;
use goursat::error::{Error, Result};
use goursat::parallel::Run;
use goursat::path::{Batch, Gradient};
use goursat::signature::{signature, signature_backprop};

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
