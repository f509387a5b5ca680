//! Gradient descent on the kernel distance |S(x) - S(y)|² = k(x,x) - 2 k(x,y) + k(y,y) moves y, a straight line at
//! first, towards x, half a circle. Where the paths begin does not matter: kernels see increments alone.

use goursat::error::Result;
use goursat::kernel::{Options, gram, gram_backprop};
use goursat::parallel::Run;
use goursat::path::{Batch, Gradient};

const POINTS: usize = 9;
const SIGNS: [f64; 4] = [1.0, -1.0, -1.0, 1.0];

fn main() -> Result<()> {
    let options = Options {
        orders: (2, 2),
        ..Options::default()
    };
    let mut run = Run::default();
    // Both paths in one batch, so that one symmetric Gram matrix has all three kernels.
    let mut paths = [0.0; 2 * 2 * POINTS];
    for i in 0..POINTS {
        let t = i as f64 / (POINTS - 1) as f64;
        let (sin, cos) = (t * std::f64::consts::PI).sin_cos();
        paths[2 * i..][..2].copy_from_slice(&[0.5 - 0.5 * cos, 0.5 * sin]);
        paths[2 * (POINTS + i)..][..2].copy_from_slice(&[t, 0.0]);
    }
    for step in 0..=400 {
        let batch = Batch::dense(&paths, 2, POINTS, 2)?;
        if step % 100 == 0 {
            let mut kernels = [0.0; 4];
            gram(&batch, None, &options, &mut kernels, &mut run)?;
            let distance: f64 = kernels.iter().zip(SIGNS).map(|(k, sign)| sign * k).sum();
            println!("step {step:3}: {distance:.6}");
        }
        let mut grad = [0.0; 2 * 2 * POINTS];
        let to_both = Gradient::new("x_grad", &mut grad, &batch)?;
        gram_backprop(&SIGNS, &batch, None, &options, Some(to_both), None, &mut run)?;
        for (value, slope) in paths.iter_mut().zip(grad).skip(2 * POINTS) {
            *value -= 0.05 * slope;
        }
    }
    Ok(())
}
