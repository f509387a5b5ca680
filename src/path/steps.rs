//! The increments of several paths at once, one path a lane.

use crate::simd::{Lanes, MAX_LANES};

/// Takes increments in the order of a path: channel by channel, point by point.
pub(crate) trait Steps<V> {
    fn put(&mut self, increment: V);
}

/// The increments of lanes of as many points in `dim` channels each. Points are transposed block by block, and taken
/// from each other before they leave the registers: for few channels; false where these are too many.
#[inline(always)]
pub(crate) fn put_steps<V: Lanes>(lanes: &[&[V::Scalar]; MAX_LANES], dim: usize, to: &mut impl Steps<V>) -> bool {
    if lanes[0].len() < V::LANES {
        return false;
    }
    match dim {
        2 if V::LANES >= 2 => steps_of::<V, 2>(lanes, to),
        3 if V::LANES >= 3 => steps_of::<V, 3>(lanes, to),
        4 if V::LANES >= 4 => steps_of::<V, 4>(lanes, to),
        _ => return false,
    }
    true
}

#[inline(always)]
fn steps_of<V: Lanes, const D: usize>(lanes: &[&[V::Scalar]; MAX_LANES], to: &mut impl Steps<V>) {
    let count = lanes[0].len();
    let lanes: [&[V::Scalar]; MAX_LANES] = std::array::from_fn(|l| &lanes[l][..count]);
    let mut square = block::<V>(&lanes, 0);
    for i in D..V::LANES {
        to.put(square[i] - square[i - D]);
    }
    let mut done = V::LANES;
    while done + V::LANES <= count {
        let next = block::<V>(&lanes, done);
        for i in 0..D {
            to.put(next[i] - square[V::LANES - D + i]);
        }
        for i in D..V::LANES {
            to.put(next[i] - next[i - D]);
        }
        square = next;
        done += V::LANES;
    }
    // The rest in blocks that overlap those before.
    while done < count {
        // As far as the numbers before `done` that are needed allow.
        let at = (done - D).min(count - V::LANES);
        let next = block::<V>(&lanes, at);
        for i in D..V::LANES {
            if at + i >= done {
                to.put(next[i] - next[i - D]);
            }
        }
        done = at + V::LANES;
    }
}

/// The numbers of all lanes from `at` on, number after number.
#[inline(always)]
fn block<V: Lanes>(lanes: &[&[V::Scalar]; MAX_LANES], at: usize) -> [V; MAX_LANES] {
    let mut square = [V::zero(); MAX_LANES];
    for l in 0..V::LANES {
        square[l] = V::load(&lanes[l][at..]);
    }
    V::transpose(&mut square);
    square
}
