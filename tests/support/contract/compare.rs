//! What a legal call must give, from the reference, with tolerances that follow from the numbers themselves.
//!
//! The kernel is a polynomial in the Δ of its cells with coefficients of one sign, and so is a signature in the
//! increments: both, their gradients, and what carries rounding errors from one step to the result are bounded by those of
//! the *absolute* path, whose increments are the moduli. Errors are measured relative to that bound: a few units of
//! rounding for each of some thousand cells.

use super::plan::{Plan, Side};
use super::rules::Gives;
use goursat::ffi::{GOURSAT_DIRECT, GOURSAT_LEAD_LAG, GOURSAT_SCALAR_TERM, GOURSAT_TIME_AUG};
use goursat::reference::{self as oracle, LeadLag, Transform};

/// What an element of an output must be.
#[derive(Clone, Copy, Debug)]
pub enum Want {
    /// Within this distance.
    Near(f64, f64),
    Nan,
    /// As before the call.
    Untouched,
    /// Anything: it comes from numbers that are not finite, or overflows.
    Any,
}

/// Numbers above this, of f32 and of f64, are not compared: what is on the way to them may overflow.
const LARGE: [f64; 2] = [1e30, 1e250];
const SMALL: [f64; 2] = [1.2e-38, 2.3e-308];
/// Of kernels and signatures, relative to the bound.
const TOLERANCE: [f64; 2] = [5e-6, 2e-11];

/// The inputs of a call, by name.
pub type Inputs = Vec<(String, Vec<f64>)>;

pub struct Oracle<'p> {
    plan: &'p Plan,
    inputs: &'p Inputs,
    precision: usize,
}

/// A path after the transforms.
struct Transformed {
    path: Vec<f64>,
    /// Its absolute path.
    bound: Vec<f64>,
    /// The largest absolute increment; NaN or infinite where the path is.
    step: f64,
    points: usize,
}

/// A gradient by the increments' bound.
struct Pulled {
    grad: Vec<f64>,
    bound: f64,
}

fn absolute(path: &[f64], dim: usize) -> Vec<f64> {
    let mut bound: Vec<f64> = vec![0.0; dim];
    for n in dim..path.len() {
        let (before, step) = (bound[n - dim], (path[n] - path[n - dim]).abs());
        // A step that a sum swallows would be a bound of 0.
        bound.push(before + if step < 1e-12 * before { 1e-12 * before } else { step });
    }
    bound
}

/// The largest modulus, NaN if there is one.
fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |m, v| {
        if v.abs() > m || v.is_nan() || f64::is_nan(m) {
            v.abs() + 0.0 * m
        } else {
            m
        }
    })
}

/// The largest gradient by an increment, from that by the points.
fn by_increments(grad: &[f64], dim: usize) -> f64 {
    let mut sums = vec![0.0; dim];
    let mut most = 0.0;
    for n in (dim..grad.len()).rev() {
        sums[n % dim] += grad[n];
        let sum: f64 = sums[n % dim];
        most = if sum.is_nan() || f64::is_nan(most) {
            f64::NAN
        } else {
            sum.abs().max(most)
        };
    }
    most
}

/// Where a path has one point, the kernel is 1 whatever the other is made of, and nothing depends on it.
fn has_cells(x: &Transformed, y: &Transformed) -> bool {
    x.points.min(y.points) > 1
}

impl<'p> Oracle<'p> {
    pub fn new(plan: &'p Plan, inputs: &'p Inputs) -> Self {
        let precision = (plan.function.width == 8) as usize;
        Oracle {
            plan,
            inputs,
            precision,
        }
    }

    fn input(&self, name: &str) -> &[f64] {
        let found = self.inputs.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("no input {name}")).1
    }

    fn large(&self) -> f64 {
        LARGE[self.precision]
    }

    fn tolerance(&self) -> f64 {
        TOLERANCE[self.precision]
    }

    /// Whether a bound is too large, or not a number.
    fn wild(&self, bound: f64) -> bool {
        bound.is_nan() || bound > self.large()
    }

    fn path(&self, side: &Side, values: &str, b: usize) -> Vec<f64> {
        let values = self.input(values);
        let points = (0..side.points(b)).flat_map(|i| (0..side.dim).map(move |c| (i, c)));
        points.map(|(i, c)| values[side.at(b, i, c)]).collect()
    }

    fn transformed(&self, side: &Side, values: &str, b: usize) -> Transformed {
        let raw = self.path(side, values, b);
        let path = self.plan.transform().apply(&raw, side.dim);
        let wide = self.plan.wide();
        let bound = absolute(&path, wide);
        let steps: Vec<f64> = (wide..path.len()).map(|n| path[n] - path[n - wide]).collect();
        let step = largest(&steps).max(largest(&raw) * 1e-6) + 0.0 * largest(&raw);
        Transformed {
            path,
            bound,
            step,
            points: side.points(b),
        }
    }

    fn all(&self, second: bool) -> Vec<Transformed> {
        let symmetric = self.plan.sides.len() == 1;
        let (side, name) = match (second && !symmetric, self.plan.function.has("path")) {
            (true, _) => (self.plan.y(), "y"),
            (false, true) => (self.plan.x(), "path"),
            (false, false) => (self.plan.x(), "x"),
        };
        (0..side.batch).map(|b| self.transformed(side, name, b)).collect()
    }

    /// The wants of each output.
    pub fn wants(&self) -> Vec<(&'static str, Vec<Want>)> {
        let backprop = self.plan.function.is_backprop();
        match self.plan.function.rules.gives {
            Gives::Numbers => self.numbers(),
            Gives::Signature if backprop => vec![("path_grad", self.signature_gradients())],
            Gives::Signature => vec![("out", self.signatures())],
            Gives::TimeAugment | Gives::LeadLag if backprop => vec![("path_grad", self.transform_gradients())],
            Gives::TimeAugment | Gives::LeadLag => vec![("out", self.transforms())],
            _ if backprop => self.kernel_gradients(),
            _ => vec![("out", self.kernels())],
        }
    }

    fn numbers(&self) -> Vec<(&'static str, Vec<Want>)> {
        let exact = |n: usize| vec![Want::Near(n as f64, 0.0)];
        if self.plan.function.has("degree") {
            return vec![("length", exact(self.plan.coefficients()))];
        }
        let [rows, columns] = self.plan.nodes([self.plan.x().length, self.plan.y().length]);
        vec![("rows", exact(rows)), ("columns", exact(columns))]
    }

    /// Below this nothing is known of a number made of so many factors of this size.
    fn floor(&self, step: f64, factors: usize) -> f64 {
        SMALL[self.precision] * 64.0 * step.max(1.0).powi(factors as i32)
    }

    fn signatures(&self) -> Vec<Want> {
        let (wide, degree) = (self.plan.wide(), self.plan.degree);
        let skip = usize::from(!self.plan.has(GOURSAT_SCALAR_TERM));
        let paths = self.all(false);
        let each = paths.iter().flat_map(|path| {
            let value = oracle::signature(&path.path, wide, degree);
            let bound = oracle::signature(&path.bound, wide, degree);
            let wild = self.wild(largest(&bound)) || self.wild(path.step.powi(degree as i32));
            let floor = self.floor(path.step, degree);
            // Words of the last level that follow from others are as exact as those of the same letters: the sum of all of
            // these is a product of letters.
            let last = value.len() - wide.pow(degree as u32);
            let follow = !self.plan.has(GOURSAT_DIRECT) && self.precision == 1 && (3..=5).contains(&degree);
            let follow = follow && path.path.len() / wide > 32;
            let bound = |w: usize| match w.checked_sub(last) {
                Some(word) if follow => (0..degree as u32)
                    .map(|k| bound[1 + word / wide.pow(k) % wide])
                    .product(),
                _ => bound[w],
            };
            (skip..value.len())
                .map(|w| match wild {
                    true if w > 0 => Want::Any,
                    _ => Want::Near(value[w], self.tolerance() * bound(w) + if w > 0 { floor } else { 0.0 }),
                })
                .collect::<Vec<_>>()
        });
        each.collect()
    }

    /// Puts the gradients of paths where they belong: zeros beyond a path's end, nothing between packed paths.
    fn placed(&self, side: &Side, each: Vec<Vec<Want>>) -> Vec<Want> {
        let rest = if side.starts.is_some() {
            Want::Untouched
        } else {
            Want::Near(0.0, 0.0)
        };
        let mut all = vec![rest; side.gradient_length()];
        for (b, path) in each.into_iter().enumerate() {
            all[side.gradient_at(b)..][..path.len()].copy_from_slice(&path);
        }
        all
    }

    /// A gradient of the transformed path as one of the path, each element within the bound.
    fn pull(&self, pulled: Pulled, path: &Transformed, wild: bool, factors: usize) -> Vec<Want> {
        let grad = self.plan.transform().backprop(&pulled.grad, self.plan.dim);
        assert_eq!(grad.len(), path.points * self.plan.dim);
        let floor = self.floor(path.step, factors) * pulled.bound.max(1.0);
        let near = |value| Want::Near(value, 4.0 * self.tolerance() * pulled.bound + floor);
        let wild = wild || self.wild(pulled.bound);
        grad.into_iter()
            .map(|value| if wild { Want::Any } else { near(value) })
            .collect()
    }

    fn signature_gradients(&self) -> Vec<Want> {
        let (wide, degree, size) = (self.plan.wide(), self.plan.degree, self.plan.coefficients());
        let grads = self.input("grad");
        let each = self.all(false).into_iter().enumerate().map(|(b, path)| {
            let mut grad = grads[b * size..][..size].to_vec();
            if self.plan.has(GOURSAT_SCALAR_TERM) {
                grad[0] = 0.0; // of no effect
            } else {
                grad.insert(0, 0.0);
            }
            let moduli: Vec<f64> = grad.iter().map(|g| g.abs()).collect();
            let value = oracle::signature_backprop(&grad, &path.path, wide, degree);
            let bound = by_increments(&oracle::signature_backprop(&moduli, &path.bound, wide, degree), wide);
            let reach = largest(&oracle::signature(&path.bound, wide, degree));
            let wild = self.wild(reach * largest(&moduli).max(1.0)) || self.wild(path.step.powi(degree as i32));
            let wild = wild || self.wild(largest(&moduli));
            self.pull(Pulled { grad: value, bound }, &path, wild, degree)
        });
        self.placed(self.plan.x(), each.collect())
    }

    /// The bound of a pair's kernel.
    fn reach(&self, x: &Transformed, y: &Transformed) -> f64 {
        let bound = oracle::kernel(&x.bound, &y.bound, self.plan.wide(), self.orders());
        bound + 0.0 * (x.step + y.step)
    }

    fn orders(&self) -> (u32, u32) {
        (self.plan.orders[0], self.plan.orders[1])
    }

    /// Whether what is on the way to a pair's kernel may overflow.
    fn wild_pair(&self, x: &Transformed, y: &Transformed) -> bool {
        let steps = x.step.max(1.0) * y.step.max(1.0);
        self.wild(self.reach(x, y)) || self.wild(steps * steps) || x.step.is_nan() || y.step.is_nan()
    }

    fn kernels(&self) -> Vec<Want> {
        let (xs, ys) = (self.all(false), self.all(true));
        let wide = self.plan.wide();
        let corner = |x: &Transformed, y: &Transformed| {
            if !has_cells(x, y) {
                return Want::Near(1.0, 0.0);
            }
            if self.wild_pair(x, y) {
                return Want::Any;
            }
            let tolerance = self.tolerance() * self.reach(x, y);
            Want::Near(oracle::kernel(&x.path, &y.path, wide, self.orders()), tolerance)
        };
        match self.plan.function.rules.gives {
            Gives::Corner => xs.iter().zip(&ys).map(|(x, y)| corner(x, y)).collect(),
            Gives::Matrix => xs.iter().flat_map(|x| ys.iter().map(move |y| corner(x, y))).collect(),
            _ => xs.iter().zip(&ys).flat_map(|(x, y)| self.grid(x, y)).collect(),
        }
    }

    fn grid(&self, x: &Transformed, y: &Transformed) -> Vec<Want> {
        let [rows, columns] = self.plan.nodes([self.plan.x().length, self.plan.y().length]);
        let [own_rows, own_columns] = self.plan.nodes([x.points, y.points]);
        let (wild, tolerance) = match has_cells(x, y) {
            true => (self.wild_pair(x, y), self.tolerance() * self.reach(x, y)),
            false => (false, 0.0),
        };
        let values = oracle::kernel_grid(&x.path, &y.path, self.plan.wide(), self.orders());
        let mut all = vec![Want::Nan; rows * columns];
        for i in 0..own_rows {
            for j in 0..own_columns {
                let value = values[i * own_columns + j];
                all[i * columns + j] = if wild { Want::Any } else { Want::Near(value, tolerance) };
            }
        }
        all
    }

    /// Weights of the nodes of a pair's own grid.
    fn weights(&self, x: (usize, &Transformed), y: (usize, &Transformed)) -> Vec<f64> {
        let grad = self.input("grad");
        let [own_rows, own_columns] = self.plan.nodes([x.1.points, y.1.points]);
        let mut weights = vec![0.0; own_rows * own_columns];
        let corner = own_rows * own_columns - 1;
        match self.plan.function.rules.gives {
            Gives::Corner => weights[corner] = grad[x.0],
            Gives::Matrix => weights[corner] = grad[x.0 * self.plan.y().batch + y.0],
            _ => {
                let [rows, columns] = self.plan.nodes([self.plan.x().length, self.plan.y().length]);
                for i in 0..own_rows {
                    for j in 0..own_columns {
                        weights[i * own_columns + j] = grad[(x.0 * rows + i) * columns + j];
                    }
                }
            }
        }
        weights
    }

    fn kernel_gradients(&self) -> Vec<(&'static str, Vec<Want>)> {
        let (xs, ys) = (self.all(false), self.all(true));
        let wide = self.plan.wide();
        let matrix = self.plan.function.rules.gives == Gives::Matrix;
        let zero = |path: &Transformed| {
            (
                Pulled {
                    grad: vec![0.0; path.path.len()],
                    bound: 0.0,
                },
                false,
            )
        };
        let mut x_sums: Vec<(Pulled, bool)> = xs.iter().map(zero).collect();
        let mut y_sums: Vec<(Pulled, bool)> = ys.iter().map(zero).collect();
        let add = |sum: &mut (Pulled, bool), grad: Vec<f64>, bound: f64, wild: bool| {
            sum.0.grad.iter_mut().zip(grad).for_each(|(sum, term)| *sum += term);
            sum.0.bound += bound;
            sum.1 |= wild;
        };
        for (i, x) in xs.iter().enumerate() {
            let others = ys.iter().enumerate().filter(|(j, _)| matrix || *j == i);
            for (j, y) in others.filter(|(_, y)| has_cells(x, y)) {
                let weights = self.weights((i, x), (j, y));
                // A weight without all its digits never has them again, however large it becomes on the way.
                let least = SMALL[self.precision];
                let carried = |w: &f64| if *w != 0.0 && w.abs() < least { least } else { w.abs() };
                let moduli: Vec<f64> = weights.iter().map(carried).collect();
                let wild = self.wild_pair(x, y) || self.wild(largest(&moduli) * self.reach(x, y));
                let (gx, gy) = oracle::kernel_grid_backprop(&weights, &x.path, &y.path, wide, self.orders());
                let (bx, by) = oracle::kernel_grid_backprop(&moduli, &x.bound, &y.bound, wide, self.orders());
                // Nodes at rest still carry their weight through the arithmetic.
                let least = largest(&moduli) * SMALL[self.precision];
                add(&mut x_sums[i], gx, by_increments(&bx, wide) + least, wild);
                add(&mut y_sums[j], gy, by_increments(&by, wide) + least, wild);
            }
        }
        if self.plan.symmetric() {
            for (x, y) in x_sums.iter_mut().zip(y_sums.drain(..)) {
                add(x, y.0.grad, y.0.bound, y.1);
            }
        }
        let placed = |side: &Side, sums: Vec<(Pulled, bool)>, paths: &[Transformed]| {
            let each = sums.into_iter().zip(paths);
            self.placed(
                side,
                each.map(|((pulled, wild), path)| self.pull(pulled, path, wild, 2))
                    .collect(),
            )
        };
        let mut all = Vec::new();
        if self.plan.wanted[0] {
            all.push(("x_grad", placed(self.plan.x(), x_sums, &xs)));
        }
        if self.plan.wanted[1] {
            all.push(("y_grad", placed(self.plan.y(), y_sums, &ys)));
        }
        all
    }

    /// The transform that a function of its own makes, whatever the flags say.
    fn own(&self) -> Transform {
        match self.plan.function.rules.gives {
            Gives::TimeAugment => Transform {
                end_time: Some(if self.plan.end_time == 0.0 {
                    1.0
                } else {
                    self.plan.end_time
                }),
                lead_lag: None,
            },
            _ => Transform {
                end_time: None,
                lead_lag: Some(match self.plan.has(goursat::ffi::GOURSAT_LAG_FIRST) {
                    true => LeadLag::LagFirst,
                    false => LeadLag::LeadFirst,
                }),
            },
        }
    }

    fn transforms(&self) -> Vec<Want> {
        let (own, side) = (self.own(), self.plan.x());
        let per_path = self.plan.count() / side.batch.max(1);
        let each = (0..side.batch).flat_map(|b| {
            let values = own.apply(&self.path(side, "path", b), side.dim);
            // Copies are exact, times are rounded.
            let near = |&value: &f64| match value {
                value if value.is_nan() => Want::Nan,
                value if value.is_infinite() => Want::Near(value, 0.0),
                value => Want::Near(
                    value,
                    value.abs()
                        * if own.end_time.is_some() {
                            [3e-7, 1e-15][self.precision]
                        } else {
                            0.0
                        },
                ),
            };
            let mut all: Vec<Want> = values.iter().map(near).collect();
            all.resize(per_path, Want::Near(0.0, 0.0));
            all
        });
        each.collect()
    }

    fn transform_gradients(&self) -> Vec<Want> {
        let (own, side) = (self.own(), self.plan.x());
        let per_path = self.plan.count() / side.batch.max(1);
        let grads = self.input("grad");
        let each = (0..side.batch).map(|b| {
            let points = side.points(b);
            let length = match own.lead_lag {
                Some(_) => (2 * points - 1) * 2 * side.dim,
                None => points * (side.dim + 1),
            };
            let grad = &grads[b * per_path..][..length];
            let moduli: Vec<f64> = grad.iter().map(|g| g.abs()).collect();
            let (value, bound) = (own.backprop(grad, side.dim), own.backprop(&moduli, side.dim));
            let near = |(value, bound): (f64, f64)| match self.wild(bound) {
                true => Want::Any,
                false => Want::Near(value, bound * [1e-6, 1e-15][self.precision]),
            };
            value.into_iter().zip(bound).map(near).collect()
        });
        self.placed(side, each.collect())
    }
}

/// What is wrong with an output, if anything. `before` is what it held.
pub fn difference(found: &[f64], before: f64, wants: &[Want]) -> Option<String> {
    assert_eq!(found.len(), wants.len());
    let right = |value: f64, want: &Want| match *want {
        Want::Near(expected, tolerance) => value == expected || (value - expected).abs() <= tolerance,
        Want::Nan => value.is_nan(),
        Want::Untouched => value == before,
        Want::Any => true,
    };
    let wrong = found.iter().zip(wants).position(|(value, want)| !right(*value, want));
    wrong.map(|i| format!("element {i} is {:e}; expected {:?}", found[i], wants[i]))
}

/// Flags that change the shape of what is computed.
pub const SHAPING: u64 = GOURSAT_TIME_AUG | GOURSAT_LEAD_LAG;
