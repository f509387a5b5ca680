//! A batch argument and what the options say of it.

use super::case::{Case, field, read_field};

/// The options as the library must understand them: zeros beyond the caller's size.
pub struct Read {
    pub words: [u64; 64],
}

impl Read {
    pub fn get(&self, name: &str) -> u64 {
        self.at(name, 0)
    }

    pub fn at(&self, name: &str, element: usize) -> u64 {
        read_field(&self.words, field(name, element))
    }

    pub fn int(&self, name: &str) -> i32 {
        self.get(name) as i32
    }

    pub fn has(&self, flag: u64) -> bool {
        self.get("flags") & flag != 0
    }
}

/// A batch: x or y.
pub struct Side {
    pub prefix: char,
    /// Name and address of its values; none where only the gradient is there.
    pub values: Option<(&'static str, usize)>,
    pub batch: usize,
    pub length: usize,
    pub length_name: &'static str,
    pub dim: usize,
    pub lengths: usize,
    pub starts: usize,
    pub strides: [i64; 3],
    pub size: usize,
}

impl Side {
    /// The batches that a call has; of a symmetric Gram matrix y is ignored.
    pub fn all(case: &Case, options: &Read, symmetric: bool) -> Vec<Side> {
        let word = |name: &str| case.word(name);
        let strides = |name: &str| [0, 1, 2].map(|i| options.at(name, i) as i64);
        let x = |values, batch: &str, length_name: &'static str| Side {
            prefix: 'x',
            values,
            batch: word(batch).unwrap(),
            length: word(length_name).unwrap(),
            length_name,
            dim: word("dim").unwrap(),
            lengths: options.get("x_lengths") as usize,
            starts: options.get("x_starts") as usize,
            strides: strides("x_strides"),
            size: options.get("x_size") as usize,
        };
        if let Some(path) = word("path") {
            return vec![x(Some(("path", path)), "batch", "length")];
        }
        let Some(values) = word("x") else {
            if word("path_grad").is_none() {
                return Vec::new();
            }
            // A transform's adjoint reads no path: starts may be anything that can be, and its gradient must be long enough.
            return vec![Side {
                strides: [0; 3],
                size: isize::MAX as usize / case.function.width,
                ..x(None, "batch", "length")
            }];
        };
        let gram = case.function.is_gram();
        let x = x(Some(("x", values)), if gram { "x_batch" } else { "batch" }, "x_length");
        if symmetric {
            return vec![x];
        }
        let y = Side {
            prefix: 'y',
            values: Some(("y", word("y").unwrap())),
            batch: word(if gram { "y_batch" } else { "batch" }).unwrap(),
            length: word("y_length").unwrap(),
            length_name: "y_length",
            dim: x.dim,
            lengths: options.get("y_lengths") as usize,
            starts: options.get("y_starts") as usize,
            strides: strides("y_strides"),
            size: options.get("y_size") as usize,
        };
        vec![x, y]
    }

    pub fn is_dense(&self) -> bool {
        self.strides == [0; 3]
    }

    pub fn strides(&self) -> [i128; 3] {
        if self.is_dense() {
            return [(self.length as i128) * self.dim as i128, self.dim as i128, 1];
        }
        self.strides.map(i128::from)
    }

    /// Numbers in the buffer of the values, as far as anybody said.
    pub fn elements(&self) -> u128 {
        let [batch, length, dim] = [self.batch, self.length, self.dim].map(|n| n as u128);
        if self.size != 0 {
            return self.size as u128;
        }
        if self.is_dense() {
            return batch.saturating_mul(length).saturating_mul(dim);
        }
        if batch == 0 {
            return 0;
        }
        let reach = |n: u128, stride: i64| n.saturating_sub(1) * stride.max(0) as u128;
        let steps = [
            (batch, self.strides[0]),
            (length, self.strides[1]),
            (dim, self.strides[2]),
        ];
        1 + steps.map(|(n, stride)| reach(n, stride)).iter().sum::<u128>()
    }

    /// The entry of a list for path b, which must exist.
    pub fn entry(list: usize, b: usize) -> i64 {
        // SAFETY: asked only after the list was seen to exist.
        unsafe { (list as *const i64).add(b).read() }
    }

    pub fn points(&self, b: usize) -> i128 {
        if self.lengths == 0 {
            self.length as i128
        } else {
            Self::entry(self.lengths, b).into()
        }
    }

    pub fn start(&self, b: usize) -> i128 {
        if self.starts == 0 {
            b as i128 * self.strides()[0]
        } else {
            Self::entry(self.starts, b).into()
        }
    }

    /// Lowest and highest element of path b.
    pub fn extent(&self, b: usize) -> (i128, i128) {
        let [_, point, channel] = self.strides();
        let along = (self.points(b) - 1) * point;
        let across = (self.dim as i128 - 1) * channel;
        let start = self.start(b);
        (
            start + along.min(0) + across.min(0),
            start + along.max(0) + across.max(0),
        )
    }

    /// The paths that bound all others.
    pub fn outermost(&self) -> Vec<usize> {
        if self.lengths != 0 || self.starts != 0 {
            return (0..self.batch).collect();
        }
        match self.batch {
            0 => Vec::new(),
            n => vec![0, n - 1],
        }
    }
}
