//! The oracle against other people's libraries, by the cases of `tests/vectors`.
//!
//! Each check runs twice: in `f64`, and in [`DoubleDouble`], where all the error there is, is the peer's.

use super::*;
use serde_json::Value;

trait Judge: Number + Into<f64> + PartialEq + std::fmt::Debug {
    /// Largest difference, over the largest entry of a result.
    const TOLERANCE: f64;
}

impl Judge for f64 {
    const TOLERANCE: f64 = 1e-12;
}

impl Judge for DoubleDouble {
    const TOLERANCE: f64 = 5e-13;
}

#[track_caller]
fn assert_close<T: Judge>(what: &str, got: &[T], expected: &[T]) {
    assert_eq!(got.len(), expected.len(), "{what}: lengths");
    let magnitude = |x: T| x.into().abs();
    let largest = expected.iter().map(|&x| magnitude(x)).fold(1e-300, f64::max);
    for (n, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        let error = magnitude(got - expected) / largest;
        assert!(
            error <= T::TOLERANCE,
            "{what}: entry {n} is {got:?}, not {expected:?}, off by {error:e}"
        );
    }
}

/// A case of a file, and what the tests ask of it. Its paths arrive transformed.
struct Case(Value);

impl Case {
    fn name(&self) -> &str {
        self.0["name"].as_str().expect("a name")
    }

    fn has(&self, kind: &str, name: &str) -> bool {
        self.0[kind].get(name).is_some()
    }

    fn shape(&self, kind: &str, name: &str) -> Vec<usize> {
        let sizes = self.0[kind][name]["shape"].as_array().expect("a shape");
        sizes.iter().map(|n| n.as_u64().expect("a size") as usize).collect()
    }

    /// An array, cut along its first axis.
    fn batch<T: Number>(&self, kind: &str, name: &str) -> Vec<Vec<T>> {
        let numbers = self.0[kind][name]["data"]
            .as_array()
            .unwrap_or_else(|| panic!("{}: no {name}", self.name()));
        let data: Vec<T> = numbers.iter().map(|x| T::from(x.as_f64().expect("a number"))).collect();
        let shape = self.shape(kind, name);
        assert_eq!(data.len(), shape.iter().product::<usize>(), "{}: {name}", self.name());
        data.chunks(data.len() / shape[0]).map(<[T]>::to_vec).collect()
    }

    fn paths<T: Number>(&self, name: &str) -> Vec<Vec<T>> {
        let paths = self.batch("inputs", name);
        paths
            .iter()
            .map(|path| self.transform().apply(path, self.dim()))
            .collect()
    }

    fn dim(&self) -> usize {
        self.shape("inputs", if self.has("inputs", "path") { "path" } else { "x" })[2]
    }

    fn wide(&self) -> usize {
        self.transform().dim(self.dim())
    }

    fn transform(&self) -> Transform {
        let options = &self.0["options"];
        let lead_lag = options["lead_lag"].as_str().map(|order| match order {
            "lead_first" => LeadLag::LeadFirst,
            "lag_first" => LeadLag::LagFirst,
            _ => panic!("lead_lag {order}"),
        });
        let timed = options["time_aug"] == true || !self.has("options", "time_aug"); // time_augment.json has no flag
        Transform {
            lead_lag,
            end_time: options["end_time"].as_f64().filter(|_| timed),
        }
    }

    fn scalar_term(&self) -> bool {
        self.0["options"]["scalar_term"].as_bool().expect("a flag")
    }

    fn degree(&self) -> usize {
        self.0["options"]["degree"].as_u64().expect("a degree") as usize
    }

    fn orders(&self) -> (u32, u32) {
        let order = |side: usize| self.0["options"]["dyadic_order"][side].as_u64().expect("an order") as u32;
        (order(0), order(1))
    }

    #[track_caller]
    fn assert_expected<T: Judge>(&self, name: &str, got: &[Vec<T>]) {
        let expected = self.batch("expected", name);
        assert_close(&format!("{name} of {}", self.name()), &got.concat(), &expected.concat());
    }

    /// The same of gradients by the transformed paths.
    #[track_caller]
    fn assert_expected_grad<T: Judge>(&self, name: &str, got: &[Vec<T>]) {
        let grads: Vec<_> = got
            .iter()
            .map(|grad| self.transform().backprop(grad, self.dim()))
            .collect();
        self.assert_expected(name, &grads);
    }
}

fn cases(function: &str) -> Vec<Case> {
    let file = format!("{}/tests/vectors/{function}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut value: Value = serde_json::from_str(&text).expect("valid JSON");
    let cases: Vec<Value> = serde_json::from_value(value["cases"].take()).expect("a list");
    assert!(!cases.is_empty(), "{file}: no cases");
    cases.into_iter().map(Case).collect()
}

fn signatures<T: Judge>() {
    for case in cases("signature") {
        let (dim, degree, scalar_term) = (case.wide(), case.degree(), case.scalar_term());
        let expected = case.batch("expected", "signature");
        let paths = case.paths::<T>("path");
        assert_eq!(paths.len(), expected.len());
        for (path, mut expected) in paths.iter().zip(expected) {
            if !scalar_term {
                expected.insert(0, T::from(1.0));
            }
            let got = signature(path, dim, degree);
            assert_eq!(got.len(), expected.len());
            for k in 0..=degree {
                let level = level_start(dim, k)..level_start(dim, k + 1);
                assert_close(
                    &format!("level {k} of {}", case.name()),
                    &got[level.clone()],
                    &expected[level],
                );
            }
        }
    }
}

fn signature_gradients<T: Judge>() {
    for case in cases("sig_backprop") {
        let mut grads = case.batch("inputs", "grad");
        if !case.scalar_term() {
            grads.iter_mut().for_each(|grad| grad.insert(0, T::from(0.0)));
        }
        let items = case.paths::<T>("path").into_iter().zip(grads);
        let path_grads: Vec<_> = items
            .map(|(path, grad)| signature_backprop(&grad, &path, case.wide(), case.degree()))
            .collect();
        case.assert_expected_grad("path_grad", &path_grads);
    }
}

fn kernels<T: Judge>() {
    for case in cases("sigkernel").iter().chain(&cases("sigkernel_grid")) {
        let (mut kernels, mut grids) = (vec![], vec![]);
        for (x, y) in case.paths::<T>("x").iter().zip(&case.paths("y")) {
            kernels.push(vec![kernel(x, y, case.wide(), case.orders())]);
            grids.push(kernel_grid(x, y, case.wide(), case.orders()));
            assert_eq!(grids[grids.len() - 1].last(), kernels[kernels.len() - 1].last());
        }
        let (name, got) = if case.has("expected", "grid") {
            ("grid", grids)
        } else {
            ("kernel", kernels)
        };
        case.assert_expected(name, &got);
    }
}

fn kernel_gradients<T: Judge>() {
    for case in cases("sigkernel_backprop")
        .iter()
        .chain(&cases("sigkernel_grid_backprop"))
    {
        let (mut x_grads, mut y_grads) = (vec![], vec![]);
        let pairs = case.paths::<T>("x").into_iter().zip(case.paths("y"));
        for ((x, y), grad) in pairs.zip(case.batch("inputs", "grad")) {
            let (x_grad, y_grad) = match grad[..] {
                [seed] => kernel_backprop(seed, &x, &y, case.wide(), case.orders()),
                _ => kernel_grid_backprop(&grad, &x, &y, case.wide(), case.orders()),
            };
            x_grads.push(x_grad);
            y_grads.push(y_grad);
        }
        case.assert_expected_grad("x_grad", &x_grads);
        case.assert_expected_grad("y_grad", &y_grads);
    }
}

fn grams<T: Judge>() {
    for case in cases("sigkernel_gram") {
        let xs = case.paths::<T>("x");
        let ys = if case.has("inputs", "y") {
            case.paths("y")
        } else {
            xs.clone()
        };
        case.assert_expected("gram", &[gram(&xs, &ys, case.wide(), case.orders())]);
    }
}

fn gram_gradients<T: Judge>() {
    for case in cases("sigkernel_gram_backprop") {
        let xs = case.paths::<T>("x");
        let ys = if case.has("inputs", "y") {
            case.paths("y")
        } else {
            xs.clone()
        };
        let grad = case.batch("inputs", "grad").concat();
        let (mut x_grads, y_grads) = gram_backprop(&grad, &xs, &ys, case.wide(), case.orders());
        if case.has("inputs", "y") {
            case.assert_expected_grad("y_grad", &y_grads);
        } else {
            x_grads
                .iter_mut()
                .flatten()
                .zip(y_grads.iter().flatten())
                .for_each(|(x, &y)| *x += y);
        }
        case.assert_expected_grad("x_grad", &x_grads);
    }
}

fn transforms<T: Judge>() {
    for case in cases("time_augment").iter().chain(&cases("lead_lag")) {
        case.assert_expected("transformed", &case.paths::<T>("path"));
        case.assert_expected_grad("path_grad", &case.batch::<T>("inputs", "grad"));
    }
}

/// A test a function, in both numbers.
macro_rules! agree_with_peers {
    ($($function:ident),*) => {$(
        mod $function {
            #[test]
            fn agree_with_peers() {
                super::$function::<f64>();
            }

            #[test]
            fn agree_with_peers_in_32_digits() {
                super::$function::<goursat::reference::DoubleDouble>();
            }
        }
    )*};
}

agree_with_peers!(
    signatures,
    signature_gradients,
    kernels,
    kernel_gradients,
    grams,
    gram_gradients,
    transforms
);
