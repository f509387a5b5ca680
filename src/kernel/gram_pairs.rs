//! Gram matrices whose columns do not fill the lanes: solved as a list of pairs, which fill them.

use super::groups::long;
use super::pairwise::{self, Pairs};
use crate::error::Result;
use crate::memory::{try_collect, try_vec, try_with_room};
use crate::parallel::Run;
use crate::path::Batch;
use crate::simd::{self, Real};

/// The most pairs that are listed.
const MOST: usize = 1 << 16;

/// Cells that take as long as interleaving a point of a path, as lists of pairs do for each pair.
const POINT: usize = 9;

/// Whether a list of pairs takes less time than the matrix group by group. The bits are the same.
///
/// Gradients are sums over pairs, and in what order must not depend on how many other paths there are: they are always
/// summed group by group.
pub(super) fn pays<S: Real>(pairs: &Pairs<'_, S>, symmetric: bool) -> bool {
    let (x, y, lanes) = (&pairs.x, &pairs.y, simd::lanes::<S>());
    let (rows, columns) = (x.batch(), y.batch());
    let Some(all) = rows.checked_mul(columns).filter(|&all| all <= MOST) else {
        return false;
    };
    if all == 0 {
        return false;
    }
    let (m, n) = (x.length() as f64, y.length() as f64);
    let (count, groups) = if symmetric {
        let groups = (0..rows)
            .map(|row| columns.div_ceil(lanes) - row / lanes)
            .sum::<usize>();
        (rows * (rows + 1) / 2, groups)
    } else {
        (all, rows * columns.div_ceil(lanes))
    };
    let full = count as f64 / lanes as f64;
    // A long pair may go alone, and then fills the lanes but for a fifth.
    let listed = if long(x.length(), y.length(), lanes) {
        (1.25 * full).min(full.ceil())
    } else {
        full.ceil()
    };
    1.1 * listed * (m * n + POINT as f64 * (m + n)) < groups as f64 * m * n
}

/// Pairs as batches of paths that come several times.
struct List {
    /// Row and column.
    places: Vec<(usize, usize)>,
    x: Paths,
    y: Paths,
}

/// Where paths start, and their points if they differ.
struct Paths {
    starts: Vec<i64>,
    lengths: Option<Vec<i64>>,
}

impl Paths {
    fn new<S: Real>(of: &Batch<'_, S>, numbers: impl Clone + ExactSizeIterator<Item = usize>) -> Result<Self> {
        let points = |b| of.points(b) as i64;
        Ok(Paths {
            starts: try_collect(numbers.clone().map(|b| of.start(b)))?,
            lengths: match of.layout().lengths {
                Some(_) => Some(try_collect(numbers.map(points))?),
                None => None,
            },
        })
    }
}

impl List {
    fn new<S: Real>(pairs: &Pairs<'_, S>, symmetric: bool) -> Result<Self> {
        let (rows, columns) = (pairs.x.batch(), pairs.y.batch());
        let mut places = try_with_room(rows * columns)?;
        for i in 0..rows {
            let first = if symmetric { i } else { 0 };
            places.extend((first..columns).map(|j| (i, j)));
        }
        Ok(List {
            x: Paths::new(&pairs.x, places.iter().map(|place| place.0))?,
            y: Paths::new(&pairs.y, places.iter().map(|place| place.1))?,
            places,
        })
    }

    fn pairs<'l, S: Real>(&'l self, pairs: &Pairs<'l, S>) -> Pairs<'l, S> {
        let batch = |of: &Batch<'l, S>, paths: &'l Paths| of.chosen(&paths.starts, paths.lengths.as_deref());
        Pairs {
            x: batch(&pairs.x, &self.x),
            y: batch(&pairs.y, &self.y),
            options: pairs.options,
        }
    }
}

/// The matrix into `out`; of a symmetric one, both triangles.
pub(super) fn matrix<S: Real>(pairs: &Pairs<'_, S>, symmetric: bool, out: &mut [S], run: &mut Run<'_>) -> Result<()> {
    let list = List::new(pairs, symmetric)?;
    let mut values = try_vec(list.places.len(), S::ZERO)?;
    pairwise::kernels(&list.pairs(pairs), &mut values, run)?;
    let columns = pairs.y.batch();
    for (&(i, j), value) in list.places.iter().zip(values) {
        out[i * columns + j] = value;
        if symmetric {
            out[j * columns + i] = value;
        }
    }
    Ok(())
}
