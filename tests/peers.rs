//! Every function against other people's libraries, by the cases of `tests/vectors` (`make.py` there made them).

mod common;

use common::*;
use goursat::Precision;
use goursat::kernel::{self, Options};
use goursat::path::{
    Batch, Gradient, LeadLag, Transform, lead_lag_batch, lead_lag_batch_adjoint, time_augment_batch,
    time_augment_batch_adjoint,
};
use goursat::signature;
use serde_json::Value;

/// Largest difference over the largest entry. f64: `make.py` keeps to sizes where peers are right to 2e-13. f32: what
/// the library promises; the inputs, decimals of three places, are rounded too.
fn bound<S: Precision>() -> f64 {
    if size_of::<S>() == 4 { 1e-5 } else { 1e-12 }
}

struct Case(Value);

/// An array of a case.
struct Array<S> {
    shape: Vec<usize>,
    data: Vec<S>,
}

impl<S: Precision> Array<S> {
    fn batch(&self) -> Batch<'_, S> {
        Batch::dense(&self.data, self.shape[0], self.shape[1], self.shape[2]).unwrap()
    }
}

impl Case {
    fn name(&self) -> &str {
        self.0["name"].as_str().unwrap()
    }

    fn array<S: Precision>(&self, kind: &str, name: &str) -> Array<S> {
        let array = &self.0[kind][name];
        let list = |key: &str| {
            array[key]
                .as_array()
                .unwrap_or_else(|| panic!("{} of {}", name, self.name()))
        };
        Array {
            shape: list("shape").iter().map(|n| n.as_u64().unwrap() as usize).collect(),
            data: list("data").iter().map(|v| S::from_f64(v.as_f64().unwrap())).collect(),
        }
    }

    fn input<S: Precision>(&self, name: &str) -> Array<S> {
        self.array("inputs", name)
    }

    fn has(&self, kind: &str, name: &str) -> bool {
        self.0[kind].get(name).is_some()
    }

    fn end_time(&self) -> f64 {
        self.0["options"]["end_time"].as_f64().unwrap()
    }

    fn transform(&self) -> Transform {
        let options = &self.0["options"];
        Transform {
            time: (options["time_aug"] == true).then(|| self.end_time()),
            lead_lag: match options["lead_lag"].as_str() {
                None => LeadLag::Off,
                Some("lead_first") => LeadLag::LeadFirst,
                Some("lag_first") => LeadLag::LagFirst,
                Some(other) => panic!("lead_lag {other}"),
            },
        }
    }

    fn kernel(&self) -> Options {
        let order = |side: usize| self.0["options"]["dyadic_order"][side].as_u64().unwrap() as u32;
        Options {
            orders: (order(0), order(1)),
            transform: self.transform(),
        }
    }

    fn signature(&self) -> signature::Options {
        signature::Options {
            degree: self.0["options"]["degree"].as_u64().unwrap() as usize,
            scalar_term: self.0["options"]["scalar_term"].as_bool().unwrap(),
            direct: false,
            transform: self.transform(),
        }
    }

    #[track_caller]
    fn assert<S: Precision>(&self, name: &str, found: &[S]) {
        let expected = self.array::<f64>("expected", name).data;
        assert_close(found, &expected, bound::<S>(), &format!("{name} of {}", self.name()));
    }
}

fn cases(function: &str) -> Vec<Case> {
    let file = format!("{}/tests/vectors/{function}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut all: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(all["function"], function);
    let cases: Vec<Value> = serde_json::from_value(all["cases"].take()).unwrap();
    assert!(!cases.is_empty());
    cases.into_iter().map(Case).collect()
}

fn signature_values<S: Precision>() {
    for case in cases("signature") {
        let (path, options) = (case.input::<S>("path"), case.signature());
        let found = signatures(&path.batch(), &options, 1);
        let expected = case.array::<f64>("expected", "signature");
        assert_eq!(expected.shape, [path.shape[0], options.length(path.shape[2]).unwrap()]);
        let scalar = options.scalar_term as usize;
        let dim = options.transform.dim(path.shape[2]).unwrap();
        for (found, expected) in found
            .chunks(expected.shape[1])
            .zip(expected.data.chunks(expected.shape[1]))
        {
            assert!(scalar == 0 || found[0] == S::ONE, "level 0 of {}", case.name());
            for (k, level) in levels(dim, options.degree).into_iter().enumerate() {
                let (found, expected) = (&found[scalar..][level.clone()], &expected[scalar..][level]);
                let what = format!("level {} of {}", k + 1, case.name());
                assert_close(found, expected, bound::<S>(), &what);
            }
        }
    }
}

fn signature_backprop<S: Precision>() {
    for case in cases("sig_backprop") {
        let (path, grad) = (case.input::<S>("path"), case.input::<S>("grad"));
        let found = signature_gradients(&grad.data, &path.batch(), &case.signature(), 1);
        case.assert("path_grad", &found);
    }
}

fn kernel_values<S: Precision>() {
    for case in cases("sigkernel") {
        let (x, y) = (case.input::<S>("x"), case.input::<S>("y"));
        case.assert("kernel", &kernels(&x.batch(), &y.batch(), &case.kernel(), 1));
    }
    for case in cases("sigkernel_grid") {
        let (x, y) = (case.input::<S>("x"), case.input::<S>("y"));
        let shape = case.kernel().grid_shape(x.shape[1], y.shape[1]).unwrap();
        assert_eq!(
            case.array::<f64>("expected", "grid").shape,
            [x.shape[0], shape.0, shape.1]
        );
        case.assert("grid", &grids(&x.batch(), &y.batch(), &case.kernel(), 1));
    }
}

fn kernel_backprop<S: Precision>() {
    for (function, on_grid) in [("sigkernel_backprop", false), ("sigkernel_grid_backprop", true)] {
        for case in cases(function) {
            let (x, y, grad) = (case.input::<S>("x"), case.input::<S>("y"), case.input::<S>("grad"));
            let (gx, gy) = if on_grid {
                grid_gradients(&grad.data, &x.batch(), &y.batch(), &case.kernel(), 1)
            } else {
                gradients(&grad.data, &x.batch(), &y.batch(), &case.kernel(), 1)
            };
            case.assert("x_grad", &gx);
            case.assert("y_grad", &gy);
        }
    }
}

fn gram_values<S: Precision>() {
    for case in cases("sigkernel_gram") {
        let x = case.input::<S>("x");
        let y = case.has("inputs", "y").then(|| case.input::<S>("y"));
        let y = y.as_ref().map(Array::batch);
        case.assert("gram", &gram(&x.batch(), y.as_ref(), &case.kernel(), 1));
    }
}

fn gram_backprop<S: Precision>() {
    for case in cases("sigkernel_gram_backprop") {
        let (x, grad) = (case.input::<S>("x"), case.input::<S>("grad"));
        let y = case.has("inputs", "y").then(|| case.input::<S>("y"));
        let y = y.as_ref().map(Array::batch);
        let (gx, gy) = gram_gradients(&grad.data, &x.batch(), y.as_ref(), &case.kernel(), 1);
        case.assert("x_grad", &gx);
        assert_eq!(case.has("expected", "y_grad"), y.is_some());
        if y.is_some() {
            case.assert("y_grad", &gy);
        }
    }
}

fn path_transforms<S: Precision>() {
    let run = &mut on(1);
    for (function, timed) in [("time_augment", true), ("lead_lag", false)] {
        for case in cases(function) {
            let (path, grad) = (case.input::<S>("path"), case.input::<S>("grad"));
            let batch = path.batch();
            let mut out = vec![S::NAN; grad.data.len()];
            let mut path_grad = room(&batch);
            let gradient = Gradient::new("path_grad", &mut path_grad, &batch).unwrap();
            if timed {
                time_augment_batch(&batch, case.end_time(), &mut out, run).unwrap();
                time_augment_batch_adjoint(&grad.data, &batch, gradient, run).unwrap();
            } else {
                let lag_first = case.transform().lead_lag == LeadLag::LagFirst;
                lead_lag_batch(&batch, lag_first, &mut out, run).unwrap();
                lead_lag_batch_adjoint(&grad.data, &batch, lag_first, gradient, run).unwrap();
            }
            case.assert("transformed", &out);
            case.assert("path_grad", &path_grad);
        }
    }
}

/// A test a function, in both precisions.
macro_rules! agree_with_peers {
    ($($function:ident),*) => {$(
        mod $function {
            #[test]
            fn agree_in_f64() {
                super::$function::<f64>();
            }

            #[test]
            fn agree_in_f32() {
                super::$function::<f32>();
            }
        }
    )*};
}

agree_with_peers!(
    signature_values,
    signature_backprop,
    kernel_values,
    kernel_backprop,
    gram_values,
    gram_backprop,
    path_transforms
);

/// The vectors hold no gradients of one side: they are those of both.
#[test]
fn one_side_alone() {
    for case in cases("sigkernel_backprop").iter().step_by(5) {
        let (x, y, grad) = (
            case.input::<f64>("x"),
            case.input::<f64>("y"),
            case.input::<f64>("grad"),
        );
        let (x, y) = (x.batch(), y.batch());
        for side in ["x_grad", "y_grad"] {
            let of = if side == "x_grad" { &x } else { &y };
            let mut out = room(of);
            let gradient = Some(Gradient::new(side, &mut out, of).unwrap());
            let (to_x, to_y) = if side == "x_grad" {
                (gradient, None)
            } else {
                (None, gradient)
            };
            kernel::kernel_backprop(&grad.data, &x, &y, &case.kernel(), to_x, to_y, &mut on(1)).unwrap();
            case.assert(side, &out);
        }
    }
}
