//! Which tile, which scheme and which tile size a call gets: run-time options become compile-time ones here.

use super::Options;
use super::alike::Alike;
use super::direct::{LeadLag, Plain};
use super::pairs::Extent;
use super::panels::Channels;
use super::refined::Refined;
use super::scheme::{Carried, Scheme, Values};
use super::tile::Tile;
use crate::path::{self, Batch};
use crate::simd::{Lanes, Real};

/// Orders up to this are refined within a tile; beyond it increments are repeated.
const MOST_ORDER: u32 = 2;

/// Cells of a pair's own refined grid up to which f64 keeps k alone: below, what that loses is under 1e-10, of the
/// kernel and of its gradients (measured: 2.5e-10 of a gradient at 2^24 cells of straight lines).
const VALUES_SUFFICE: u128 = 1 << 22;

/// A computation that is generic over scheme and tile.
pub(super) trait Job<V: Lanes> {
    type Output;
    /// Whether it goes back as well.
    const BACK: bool;
    fn run<S: Scheme<V>, T: Tile<V, R, C>, const R: usize, const C: usize>(self, tile: T) -> Self::Output;
}

/// Runs the job with the tile of the options, and with increments carried or not.
#[inline(always)]
pub(super) fn choose<V: Lanes, J: Job<V>>(options: &Options, carry: bool, job: J) -> J::Output {
    if const { always_carried::<V::Scalar>() } || carry {
        choose_columns::<V, Carried, J, 4>(options, job)
    } else if const { V::REGISTERS >= 32 && !J::BACK } {
        // What a row needs is little, and eight rows hide how long a cell takes.
        choose_columns::<V, Values, J, 8>(options, job)
    } else {
        choose_columns::<V, Values, J, 4>(options, job)
    }
}

#[inline(always)]
fn choose_columns<V: Lanes, S: Scheme<V>, J: Job<V>, const R: usize>(options: &Options, job: J) -> J::Output {
    // The sums of four rows and C columns, four of x and one of y are alive at once in the products.
    if const { V::REGISTERS >= 32 } {
        choose_tile::<V, S, J, R, 4>(options, job)
    } else {
        choose_tile::<V, S, J, R, 2>(options, job)
    }
}

#[inline(always)]
fn choose_tile<V: Lanes, S: Scheme<V>, J: Job<V>, const R: usize, const C: usize>(
    options: &Options,
    job: J,
) -> J::Output {
    if is_plain(options) {
        job.run::<S, _, R, C>(Plain)
    } else if options.orders == (0, 0) {
        job.run::<S, _, R, C>(LeadLag {
            time: options.transform.time.is_some(),
        })
    } else {
        let refined = refined(options);
        match (refined.x_order, refined.y_order) {
            (1, 1) if !refined.lead_lag => job.run::<S, _, R, C>(Alike::<1>),
            (2, 2) if !refined.lead_lag => job.run::<S, _, R, C>(Alike::<2>),
            _ => job.run::<S, _, R, C>(refined),
        }
    }
}

/// The same for whole grids: refined tiles of whatever order, so that the code for grids is there once.
#[inline(always)]
pub(super) fn choose_for_grids<V: Lanes, J: Job<V>>(options: &Options, carry: bool, job: J) -> J::Output {
    if const { always_carried::<V::Scalar>() } || carry {
        job.run::<Carried, _, 4, 2>(refined(options))
    } else {
        job.run::<Values, _, 4, 2>(refined(options))
    }
}

/// One cell an increment.
fn is_plain(options: &Options) -> bool {
    options.orders == (0, 0) && options.transform.lead_lag == path::LeadLag::Off
}

/// Lead-lag that is refined beyond what a tile can do.
fn unfolded(options: &Options) -> bool {
    options.transform.lead_lag != path::LeadLag::Off && options.orders.0.max(options.orders.1) > MOST_ORDER
}

fn refined(options: &Options) -> Refined {
    let lead_lag = options.transform.lead_lag != path::LeadLag::Off && !unfolded(options);
    Refined {
        x_order: options.orders.0.min(MOST_ORDER),
        y_order: options.orders.1.min(MOST_ORDER),
        lead_lag,
        time: lead_lag && options.transform.time.is_some(),
    }
}

/// Whether a precision always carries increments: an update of a smooth path's kernel is lost in f32.
const fn always_carried<S>() -> bool {
    size_of::<S>() == 4
}

/// Whether the pair (x_i, y_j) has increments carried. It depends on the pair alone, so that its bits do.
pub(super) fn carries<S: Real>(options: &Options, x_points: usize, y_points: usize) -> bool {
    let cells = |points: usize, order: u32| (options.transform.points(points) as u128 - 1) << order;
    always_carried::<S>() || cells(x_points, options.orders.0) * cells(y_points, options.orders.1) > VALUES_SUFFICE
}

/// The extent of sweeps over pairs of paths of at most these points.
pub(super) fn extent<S: Real>(options: &Options, x: &Batch<'_, S>, points: (usize, usize)) -> Extent {
    let repeat = |order: u32| order.saturating_sub(MOST_ORDER);
    Extent {
        increments: (points.0 - 1, points.1 - 1),
        repeats: (repeat(options.orders.0), repeat(options.orders.1)),
        unfolded: unfolded(options),
        channels: Channels {
            dim: x.dim(),
            time: options.transform.time.is_some(),
        },
    }
}

/// What the increments of x are multiplied by, so that a product of increments is Δ/2: a power of two, exact.
pub(super) fn scale(options: &Options) -> f64 {
    0.5 * 0.5f64.powi((options.orders.0 + options.orders.1) as i32)
}
