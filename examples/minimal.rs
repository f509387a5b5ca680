use goursat::error::Result;
use goursat::kernel::{self, kernel, kernel_backprop};
use goursat::parallel::Run;
use goursat::path::{Batch, Gradient, Transform};
use goursat::signature::{self, signature};

fn print(name: &str, values: &[f64]) {
    let values: Vec<String> = values.iter().map(|value| format!("{value:.4}")).collect();
    println!("{name} {}", values.join(" "));
}

fn main() -> Result<()> {
    let x = [0.0, 0.0, 1.0, 0.0, 1.0, 1.0]; // 3 points in 2 channels
    let y = [0.0, 0.0, 1.0, 1.0]; // 2 points
    let (x, y) = (Batch::dense(&x, 1, 3, 2)?, Batch::dense(&y, 1, 2, 2)?);
    let mut run = Run::default(); // on all cores, without progress

    let asked = signature::Options {
        degree: 2,
        scalar_term: false,
        direct: false,
        transform: Transform::default(),
    };
    let mut s = vec![0.0; asked.length(x.dim())?];
    signature(&x, &asked, &mut s, &mut run)?;
    print("signature", &s);

    let asked = kernel::Options {
        orders: (2, 2),
        transform: Transform::default(),
    };
    let mut k = [0.0];
    kernel(&x, &y, &asked, &mut k, &mut run)?;
    print("kernel", &k);

    let mut x_grad = [0.0; 6];
    let gradient = Gradient::new("x_grad", &mut x_grad, &x)?;
    kernel_backprop(&[1.0], &x, &y, &asked, Some(gradient), None, &mut run)?;
    print("gradient", &x_grad);
    Ok(())
}
