//! A number of 32 digits, for judging the rounding of `f64`.

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

/// hi + lo, the sum of two `f64` that do not overlap: 106 bits, relative error about 1e-32 an operation.
///
/// The algorithms are those of Dekker (1971) and Knuth; see Joldes, Muller, Popescu, "Tight and rigorous error bounds
/// for basic building blocks of double-word arithmetic" (2017).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DoubleDouble {
    hi: f64,
    lo: f64,
}

/// The numbers as [`DoubleDouble`], exactly.
pub fn widen(numbers: &[f64]) -> Vec<DoubleDouble> {
    numbers.iter().map(|&x| x.into()).collect()
}

/// The nearest `f64` of each.
pub fn narrow(numbers: &[DoubleDouble]) -> Vec<f64> {
    numbers.iter().map(|&x| x.into()).collect()
}

/// a + b exactly, where |a| >= |b|.
fn fast_two_sum(a: f64, b: f64) -> DoubleDouble {
    let hi = a + b;
    DoubleDouble { hi, lo: b - (hi - a) }
}

/// a + b exactly.
fn two_sum(a: f64, b: f64) -> DoubleDouble {
    let hi = a + b;
    let part = hi - a;
    DoubleDouble {
        hi,
        lo: (a - (hi - part)) + (b - part),
    }
}

impl From<f64> for DoubleDouble {
    fn from(x: f64) -> Self {
        Self { hi: x, lo: 0.0 }
    }
}

impl From<DoubleDouble> for f64 {
    fn from(x: DoubleDouble) -> f64 {
        x.hi
    }
}

impl Neg for DoubleDouble {
    type Output = Self;
    fn neg(self) -> Self {
        Self {
            hi: -self.hi,
            lo: -self.lo,
        }
    }
}

impl Add for DoubleDouble {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let (high, low) = (two_sum(self.hi, other.hi), two_sum(self.lo, other.lo));
        let sum = fast_two_sum(high.hi, high.lo + low.hi);
        fast_two_sum(sum.hi, sum.lo + low.lo)
    }
}

impl Sub for DoubleDouble {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for DoubleDouble {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let product = self.hi * other.hi;
        let error = self.hi.mul_add(other.hi, -product); // exact
        fast_two_sum(product, error + (self.hi * other.lo + self.lo * other.hi))
    }
}

impl Div for DoubleDouble {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        // Long division, a digit of 53 bits at a time.
        let mut quotient = Self::from(0.0);
        let mut rest = self;
        for _ in 0..3 {
            let digit = Self::from(rest.hi / other.hi);
            quotient += digit;
            rest -= digit * other;
        }
        quotient
    }
}

impl AddAssign for DoubleDouble {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for DoubleDouble {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}
