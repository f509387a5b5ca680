//! A legal call: its shape, how its batches lie in memory, and which buffers of which lengths it needs.

use super::Function;
use super::case::{Case, field};
use super::rules::Gives;
use goursat::ffi::{GOURSAT_LAG_FIRST, GOURSAT_LEAD_LAG, GOURSAT_SCALAR_TERM, GOURSAT_SYMMETRIC, GOURSAT_TIME_AUG};
use goursat::reference::{LeadLag, Transform};

/// How a batch lies in its buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lies {
    Dense,
    /// Numbers between channels, points and paths that are nobody's.
    Padded,
    /// Channel after channel.
    Transposed,
    /// The last point first: a negative stride, and starts.
    Backwards,
    /// The last number first.
    Reversed,
    /// One path for the whole batch.
    Repeated,
    /// One path after the other, each as long as it is, with gaps.
    Packed,
}

pub const LIES: [Lies; 7] = [
    Lies::Dense,
    Lies::Padded,
    Lies::Transposed,
    Lies::Backwards,
    Lies::Reversed,
    Lies::Repeated,
    Lies::Packed,
];

/// A batch.
#[derive(Clone, Debug)]
pub struct Side {
    pub batch: usize,
    pub length: usize,
    pub dim: usize,
    pub lies: Lies,
    /// Points of each path, where they differ.
    pub lengths: Option<Vec<i64>>,
    pub starts: Option<Vec<i64>>,
    pub strides: [i64; 3],
    /// Numbers in the buffer.
    pub size: usize,
}

/// Points of the paths of a ragged batch: 1, all, and some.
pub fn ragged(batch: usize, length: usize) -> Vec<i64> {
    (0..batch).map(|b| 1 + ((b * 5 + length - 1) % length) as i64).collect()
}

impl Side {
    pub fn new([batch, length, dim]: [usize; 3], lies: Lies, lengths: Option<Vec<i64>>) -> Side {
        let points = |b: usize| lengths.as_ref().map_or(length, |lengths| lengths[b] as usize);
        let each = length * dim;
        let (strides, size) = match lies {
            Lies::Dense | Lies::Packed => ([0, 0, 0], batch * each),
            Lies::Padded => {
                let point = 2 * dim + 1;
                let path = length * point + 3;
                let reach = batch.saturating_sub(1) * path + (length - 1) * point + (dim - 1) * 2 + 1;
                ([path, point, 2], reach)
            }
            Lies::Transposed => ([each, 1, length], batch * each),
            Lies::Backwards | Lies::Reversed => ([each, dim, 1], batch * each),
            Lies::Repeated => ([0, dim, 1], each),
        };
        let mut side = Side {
            batch,
            length,
            dim,
            lies,
            lengths: lengths.clone(),
            starts: None,
            strides: strides.map(|stride| stride as i64),
            size,
        };
        match lies {
            Lies::Backwards => side.strides[1] = -(dim as i64),
            Lies::Reversed => side.strides = [each as i64, -(dim as i64), -1],
            _ => {}
        }
        // A buffer of no path is of no number.
        if batch == 0 {
            side.size = 0;
        }
        let path = |b: usize| (b * each) as i64;
        side.starts = match lies {
            Lies::Backwards => Some((0..batch).map(|b| path(b) + (each - dim) as i64).collect()),
            Lies::Reversed => Some((0..batch).map(|b| path(b) + each as i64 - 1).collect()),
            Lies::Packed => {
                let mut end = 0;
                let starts = (0..batch).map(|b| {
                    let start = end + (b % 3) as i64;
                    end = start + (points(b) * dim) as i64;
                    start
                });
                let starts = starts.collect();
                side.size = end as usize;
                Some(starts)
            }
            _ => None,
        };
        side
    }

    pub fn points(&self, b: usize) -> usize {
        self.lengths.as_ref().map_or(self.length, |lengths| lengths[b] as usize)
    }

    /// The element of a number.
    pub fn at(&self, b: usize, point: usize, channel: usize) -> usize {
        let strides = match self.strides {
            [0, 0, 0] => [self.length * self.dim, self.dim, 1].map(|stride| stride as i64),
            given => given,
        };
        let start = self.starts.as_ref().map_or(b as i64 * strides[0], |starts| starts[b]);
        (start + point as i64 * strides[1] + channel as i64 * strides[2]) as usize
    }

    /// Where path b's gradient begins.
    pub fn gradient_at(&self, b: usize) -> usize {
        self.starts
            .as_ref()
            .map_or(b * self.length * self.dim, |starts| starts[b] as usize)
    }

    /// Numbers in the gradient.
    pub fn gradient_length(&self) -> usize {
        match &self.starts {
            None => self.batch * self.length * self.dim,
            Some(_) => (0..self.batch)
                .map(|b| self.gradient_at(b) + self.points(b) * self.dim)
                .max()
                .unwrap_or(0),
        }
    }
}

/// A legal call.
pub struct Plan {
    pub function: &'static Function,
    /// x, and y where there is one.
    pub sides: Vec<Side>,
    pub dim: usize,
    pub degree: usize,
    pub flags: u64,
    pub orders: [u32; 2],
    pub end_time: f64,
    pub threads: i32,
    /// Whether the gradients of x and of y are wanted.
    pub wanted: [bool; 2],
}

/// A buffer of a call.
#[derive(Clone, Debug)]
pub struct Buffer {
    pub name: String,
    pub elements: usize,
    pub width: usize,
    pub written: bool,
    /// What a list has.
    pub list: Option<Vec<i64>>,
}

impl Plan {
    pub fn has(&self, flag: u64) -> bool {
        self.flags & flag != 0
    }

    pub fn x(&self) -> &Side {
        &self.sides[0]
    }

    /// Of a Gram matrix of x with itself, x.
    pub fn y(&self) -> &Side {
        self.sides.last().unwrap()
    }

    pub fn symmetric(&self) -> bool {
        self.has(GOURSAT_SYMMETRIC)
    }

    /// What is done to paths, as the reference says it.
    pub fn transform(&self) -> Transform {
        let order = if self.has(GOURSAT_LAG_FIRST) {
            LeadLag::LagFirst
        } else {
            LeadLag::LeadFirst
        };
        let end_time = if self.end_time == 0.0 { 1.0 } else { self.end_time };
        Transform {
            lead_lag: self.has(GOURSAT_LEAD_LAG).then_some(order),
            end_time: self.has(GOURSAT_TIME_AUG).then_some(end_time),
        }
    }

    pub fn wide(&self) -> usize {
        self.transform().dim(self.dim)
    }

    /// Coefficients of a signature.
    pub fn coefficients(&self) -> usize {
        goursat::reference::signature_length(self.wide(), self.degree, self.has(GOURSAT_SCALAR_TERM))
    }

    /// Nodes of the grid of paths of so many points.
    pub fn nodes(&self, points: [usize; 2]) -> [usize; 2] {
        let steps = |points: usize| (points - 1) * if self.has(GOURSAT_LEAD_LAG) { 2 } else { 1 };
        [0, 1].map(|i| (steps(points[i]) << self.orders[i]) + 1)
    }

    /// Numbers of the result of the function whose gradient this may be.
    pub fn count(&self) -> usize {
        let (x, y) = (self.x(), self.y());
        match self.function.rules.gives {
            Gives::Numbers => 1,
            Gives::Signature => x.batch * self.coefficients(),
            Gives::Corner => x.batch,
            Gives::Grid => x.batch * self.nodes([x.length, y.length]).iter().product::<usize>(),
            Gives::Matrix => x.batch * y.batch,
            Gives::TimeAugment => x.batch * x.length * (self.dim + 1),
            Gives::LeadLag => x.batch * (2 * x.length - 1) * 2 * self.dim,
        }
    }

    /// Every buffer, lists included.
    pub fn buffers(&self) -> Vec<Buffer> {
        let mut all = Vec::new();
        for (name, written) in self.function.buffers() {
            let elements = match name {
                "path" | "x" => self.x().size,
                "y" if self.symmetric() => 0,
                "y" => self.y().size,
                "path_grad" => self.x().gradient_length(),
                "x_grad" if self.wanted[0] => self.x().gradient_length(),
                "y_grad" if self.wanted[1] => self.y().gradient_length(),
                "x_grad" | "y_grad" => continue,
                _ => self.count(),
            };
            all.push(Buffer {
                name: name.to_owned(),
                elements,
                width: self.function.element(name),
                written,
                list: None,
            });
        }
        if self.function.rules.gives == Gives::Numbers {
            return all;
        }
        for (prefix, side) in ["x", "y"].iter().zip(&self.sides) {
            for (what, list) in [("lengths", &side.lengths), ("starts", &side.starts)] {
                if let Some(list) = list {
                    all.push(Buffer {
                        name: format!("{prefix}_{what}"),
                        elements: list.len(),
                        width: 8,
                        written: false,
                        list: Some(list.clone()),
                    });
                }
            }
        }
        all
    }

    /// The call, with buffers where `place` says.
    pub fn case(&self, place: &dyn Fn(&str) -> usize) -> Case {
        let mut case = Case::new(self.function);
        let (x, y) = (self.x(), self.y());
        for parameter in &self.function.parameters {
            let length_of = |of: bool, side: &Side| if of { side.gradient_length() } else { 0 };
            let word = match parameter.name.as_str() {
                "options" => continue,
                "batch" | "x_batch" => x.batch,
                "y_batch" => y.batch,
                "length" if self.function.rules.gives == Gives::Numbers => place("length"),
                "length" | "x_length" => x.length,
                "y_length" => y.length,
                "dim" => self.dim,
                "degree" => self.degree,
                "grad_len" | "out_len" => self.count(),
                "path_grad_len" => x.gradient_length(),
                "x_grad_len" => length_of(self.wanted[0], x),
                "y_grad_len" => length_of(self.wanted[1], y),
                "x_grad" if !self.wanted[0] => 0,
                "y_grad" if !self.wanted[1] => 0,
                pointer => place(pointer),
            };
            case.set(&parameter.name, word);
        }
        case.option("flags", self.flags);
        case.option("end_time", self.end_time.to_bits());
        case.option("x_order", self.orders[0].into());
        case.option("y_order", self.orders[1].into());
        case.option("threads", self.threads as u64);
        if self.function.rules.gives == Gives::Numbers {
            return case;
        }
        for (prefix, side) in ["x", "y"].iter().zip(&self.sides) {
            for (what, list) in [("lengths", &side.lengths), ("starts", &side.starts)] {
                let name = format!("{prefix}_{what}");
                if list.is_some() {
                    case.option(&name, place(&name) as u64);
                }
            }
            for i in 0..3 {
                case.put(field(&format!("{prefix}_strides"), i), side.strides[i] as u64);
            }
            if side.starts.is_some() {
                case.option(&format!("{prefix}_size"), side.size as u64);
            }
        }
        case
    }

    pub fn describe(&self) -> String {
        let Plan {
            function,
            sides,
            dim,
            degree,
            flags,
            orders,
            end_time,
            threads,
            wanted,
        } = self;
        format!(
            "{}: {dim} channels, degree {degree}, flags {flags:#x}, orders {orders:?}, end {end_time:e}, {threads} threads, \
             wanted {wanted:?}, {sides:?}",
            function.name
        )
    }
}
