//! Back over one pair, lanes over strips: the relay run the other way.

use super::block::{Cuts, Replay};
use super::course::{Course, Passed, Step};
use super::pairs::Tick;
use super::panels::Places;
use super::relay::{Above, KeptBand, Relay, flat_numbers, move_down, numbers_of};
use super::scheme::{Scheme, Vectors};
use super::sums::Sums;
use super::tile::Tile;
use super::wave;
use crate::error::Result;
use crate::memory::try_vec;
use crate::simd::{Lanes, MAX_LANES, Part, Real};

/// A pair that is gone back over band by band, from the last.
pub(super) struct Return<'a, S> {
    pub course: Course<'a, S>,
    pub seed: S,
    pub wanted: (bool, bool),
    /// Of every block, from the last on: what its lower edges hand up, the sum of the adjoint's increments along its
    /// right side, and ∂F/∂dy so far.
    passed: Passed<S>,
    /// Numbers of each of these in a block.
    widths: [usize; 3],
}

impl<'a, S: Real> Return<'a, S> {
    /// For F = seed · k.
    pub fn new<V, C, T, const R: usize, const K: usize>(
        tile: &T,
        course: Course<'a, S>,
        seed: S,
        wanted: (bool, bool),
    ) -> Result<Self>
    where
        V: Lanes<Scalar = S>,
        C: Scheme<V>,
        T: Tile<V, R, K>,
    {
        let columns = Cuts::columns::<K>(0, tile.cells().1).one();
        let (below, beyond) = (C::below(V::splat(seed)), C::beyond(V::splat(seed)));
        let to_y = course.columns * course.channels.dim;
        let widths = [
            columns.most() * below.as_ref().len(),
            beyond.as_ref().len(),
            if wanted.1 { to_y } else { 0 },
        ];
        let mut first = try_vec(widths.iter().sum(), S::ZERO)?;
        let (edges, rest) = first.split_at_mut(widths[0]);
        for edge in edges.chunks_exact_mut(below.as_ref().len()) {
            edge.copy_from_slice(&flat_numbers(&below)[..edge.len()]);
        }
        rest[..widths[1]].copy_from_slice(&flat_numbers(&beyond)[..widths[1]]);
        Ok(Return {
            seed,
            wanted,
            passed: Passed::new(course.bands.count, course.bands.blocks.1, first.len(), &first)?,
            widths,
            course,
        })
    }

    /// Numbers of the row above all blocks: of one band's copy.
    pub fn row(&self) -> usize {
        self.course.bands.blocks.1 * self.course.top_width
    }

    /// Steps of a band's way back, forth before it included.
    pub fn steps(&self) -> usize {
        2 * self.course.bands.steps() + self.course.bands.lanes - 1
    }

    /// How many increments of x come before a band's, and how many it has.
    pub fn increments(&self, band: usize) -> (usize, usize) {
        let bands = &self.course.bands;
        let (first, last) = (bands.increments(band, 0), bands.increments(band, bands.lanes - 1));
        (first.start, last.end - first.start)
    }

    /// Writes ∂F/∂dy, when all bands are through.
    pub fn put_y(&self, out: &mut [S]) {
        if !self.wanted.1 {
            return;
        }
        let course = &self.course;
        let (dim, blocks) = (course.channels.dim, course.bands.blocks.1);
        let empty = course.bands.empty_columns(course.columns);
        for (j, increment) in out.chunks_exact_mut(dim).enumerate() {
            let (block, column) = ((empty + j) / course.columns, (empty + j) % course.columns);
            let (panel, place) = (column / course.panel, column % course.panel);
            self.passed.with(blocks - 1 - block, |numbers| {
                let sums = &numbers[self.widths[0] + self.widths[1]..];
                for (c, to) in increment.iter_mut().enumerate() {
                    *to = sums[(panel * dim + c) * course.panel + place];
                }
            });
        }
    }
}

/// ∂F/∂dx and ∂F/∂dy of a pair on this thread, in the order of the paths, to what is not empty.
#[inline(always)]
pub(super) fn gradient<V, S, T, const R: usize, const C: usize>(
    tile: T,
    way: &Return<'_, V::Scalar>,
    (x_out, y_out): (&mut [V::Scalar], &mut [V::Scalar]),
    tick: Tick<'_>,
) -> Result<()>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, R, C>,
{
    let mut relay = RelayBack::<V, S, T, R, C>::new(tile, way)?;
    let (count, row) = (way.course.bands.count, way.row());
    let (forth, back) = (way.course.bands.steps(), way.steps());
    let whole = count * (forth + back);
    let mut rows = try_vec(count * row, V::Scalar::ZERO)?;
    // The last band goes forth on its way back only.
    for band in 0..count - 1 {
        let step = &mut |step| tick(band * forth + step, whole);
        relay.forth(way, band, &mut rows[band * row..][..row], step)?;
    }
    way.course.copy_top(&mut rows[(count - 1) * row..]);
    let dim = way.course.channels.dim;
    for band in (0..count).rev() {
        let done = count * forth + (count - 1 - band) * back;
        let (before, own) = way.increments(band);
        let out = x_out.get_mut(before * dim..(before + own) * dim).unwrap_or(&mut []);
        let step = &mut |step| tick(done + step, whole);
        relay.back(way, band, &rows[band * row..][..row], out, step)?;
    }
    way.put_y(y_out);
    Ok(())
}

/// Back over bands of one pair.
pub(super) struct RelayBack<V: Lanes, S: Scheme<V>, T, const R: usize, const C: usize> {
    relay: Relay<V, S, T, R, C>,
    replay: Replay<V, R, C>,
    kept: KeptBand<V, S>,
    /// Edges of the block in hand.
    left: Vec<S::Edge>,
    top: Vec<S::Edge>,
    right: Vec<S::Row>,
    bottom: Vec<S::Column>,
    /// Of every strip of the runs, the sum of the adjoint's increments along its lower side; of the block, along its
    /// right side.
    sums: Vec<S::Column>,
    sum: [S::Row; 1],
    to_x: Option<Sums<V, R>>,
    to_y: Option<Sums<V, C>>,
    /// What one lane has of bottom, sum and to_y, on its way from or to another band.
    numbers: Vec<V::Scalar>,
}

impl<V, S, T, const R: usize, const C: usize> RelayBack<V, S, T, R, C>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, R, C>,
{
    pub fn new(tile: T, way: &Return<'_, V::Scalar>) -> Result<Self> {
        let relay = Relay::new(tile, &way.course)?;
        let (rows, columns) = (relay.rows, relay.columns);
        let dim = way.course.channels.dim;
        let y_places = Places {
            count: columns.each * C,
            repeat: 0,
            unfolded: false,
        };
        Ok(RelayBack {
            replay: Replay::new(&relay.tile, rows, columns)?,
            kept: KeptBand::new(way.course.bands.steps(), rows, columns)?,
            left: try_vec(rows.most(), S::flat(V::zero()))?,
            top: try_vec(columns.most(), S::flat(V::zero()))?,
            right: try_vec(rows.blocks() * rows.most(), S::Row::zero())?,
            bottom: try_vec(columns.most(), S::Column::zero())?,
            sums: try_vec(rows.blocks(), S::Column::zero())?,
            sum: [S::Row::zero()],
            to_x: if way.wanted.0 {
                Some(Sums::new(relay.x.places(), dim)?)
            } else {
                None
            },
            to_y: if way.wanted.1 {
                Some(Sums::new(y_places, dim)?)
            } else {
                None
            },
            numbers: try_vec(way.widths.iter().sum(), V::Scalar::ZERO)?,
            relay,
        })
    }

    /// Forward over a band, keeping the row that it starts from.
    pub fn forth(
        &mut self,
        way: &Return<'_, V::Scalar>,
        band: usize,
        copy: &mut [V::Scalar],
        step: Step<'_>,
    ) -> Result<()> {
        self.relay.band(&way.course, band, Above::Band(copy), None, step)
    }

    /// Back over a band, given the row that it starts from: writes its ∂F/∂dx to what is not empty.
    #[inline(always)]
    pub fn back(
        &mut self,
        way: &Return<'_, V::Scalar>,
        band: usize,
        copy: &[V::Scalar],
        out: &mut [V::Scalar],
        step: Step<'_>,
    ) -> Result<()> {
        let forth = way.course.bands.steps();
        let above = Above::Copy(copy);
        self.relay.band(&way.course, band, above, Some(&mut self.kept), step)?;
        V::call(BandBack {
            back: self,
            way,
            band,
            step: &mut |done| step(forth + done),
        })?;
        self.put_x(way, band, out);
        Ok(())
    }

    fn put_x(&mut self, way: &Return<'_, V::Scalar>, band: usize, out: &mut [V::Scalar]) {
        let Some(sums) = &mut self.to_x else { return };
        let dim = way.course.channels.dim;
        let mut slices: [&mut [V::Scalar]; MAX_LANES] = std::array::from_fn(|_| &mut [] as &mut [V::Scalar]);
        let mut rest = out;
        for (l, slice) in slices.iter_mut().enumerate().take(V::LANES) {
            let run = way.course.bands.increments(band, l);
            (*slice, rest) = std::mem::take(&mut rest).split_at_mut(run.len() * dim);
        }
        sums.scatter(way.course.scale, &mut slices[..V::LANES]);
    }

    /// Every lane's numbers to the lane below: the first lane's go out, the last lane's come in.
    #[inline(always)]
    fn hand_down(
        &mut self,
        way: &Return<'_, V::Scalar>,
        band: usize,
        (out, into): (Option<usize>, Option<usize>),
        wait: &mut dyn FnMut() -> Result<()>,
    ) -> Result<()> {
        // Bands and blocks are counted from the last.
        let (count, blocks) = (way.course.bands.count, way.course.bands.blocks.1);
        let turn = count - 1 - band;
        let [edges, sum, _] = way.widths;
        if let Some(out) = out.filter(|&out| out < blocks) {
            numbers_of(S::Column::flatten(&mut self.bottom), 0, &mut self.numbers[..edges]);
            numbers_of(S::Row::flatten(&mut self.sum), 0, &mut self.numbers[edges..][..sum]);
            if let Some(sums) = &mut self.to_y {
                numbers_of(sums.vectors(), 0, &mut self.numbers[edges + sum..]);
            }
            way.passed.leave(turn, blocks - 1 - out, &self.numbers);
        }
        let into = into.filter(|&into| into < blocks);
        let numbers = match into {
            Some(into) => {
                way.passed.take(turn, blocks - 1 - into, &mut self.numbers, wait)?;
                Some(self.numbers.as_slice())
            }
            None => None,
        };
        let seed = V::splat(way.seed);
        let (below, beyond) = (S::below(seed), S::beyond(seed));
        let part = |from: usize, to: usize| numbers.map(|numbers| &numbers[from..to]);
        move_down(S::Column::flatten(&mut self.bottom), part(0, edges), below.as_ref());
        move_down(
            S::Row::flatten(&mut self.sum),
            part(edges, edges + sum),
            beyond.as_ref(),
        );
        if let Some(sums) = &mut self.to_y {
            let part = part(edges + sum, self.numbers.len());
            move_down(sums.vectors(), part, &[V::zero()]);
        }
        move_down(self.relay.y.as_flattened_mut(), way.course.y(into), &[V::zero()]);
        Ok(())
    }

    #[inline(always)]
    fn begin(&mut self, seed: V) {
        self.right.fill(S::beyond(seed));
        self.bottom.fill(S::below(seed));
        self.sums.fill(S::below(seed));
        self.sum = [S::beyond(seed)];
        self.relay.y.fill([V::zero(); C]);
        if let Some(sums) = &mut self.to_x {
            sums.clear(self.relay.x.places());
        }
        if let Some(sums) = &mut self.to_y {
            sums.vectors().fill(V::zero());
        }
    }

    #[inline(always)]
    fn sweep(&mut self, way: &Return<'_, V::Scalar>, band: usize, step: Step<'_>) -> Result<()> {
        self.begin(V::splat(way.seed));
        let (steps, channels) = (way.course.bands.steps(), way.course.channels);
        let (dim, seen) = (channels.dim, channels.seen(false));
        // The first steps only bring in blocks, the last lane's first.
        let all = steps + V::LANES - 1;
        for t in (0..all).rev() {
            let moves = (Some(t + 1), (t + 1).checked_sub(V::LANES));
            self.hand_down(way, band, moves, &mut || step(all - 1 - t))?;
            if t < steps {
                self.blocks(t, dim, seen);
            }
            step(all - t)?;
        }
        self.hand_down(way, band, (Some(0), None), &mut || Ok(()))
    }

    /// The blocks of all strips at step `t`.
    #[inline(always)]
    fn blocks(&mut self, t: usize, dim: usize, seen: usize) {
        let Relay {
            tile,
            x,
            rows,
            columns,
            y,
            ..
        } = &mut self.relay;
        for strip in (0..rows.blocks()).rev() {
            let panels = rows.block(strip);
            let place = t * self.kept.strips + strip;
            let height = panels.len() * rows.cells;
            let left = &mut self.left[..height];
            left.copy_from_slice(&self.kept.lefts[place * self.kept.height..][..height]);
            self.top
                .copy_from_slice(&self.kept.tops[place * self.kept.width..][..self.kept.width]);
            let increments = (x.load(panels.clone()), y.as_slice());
            let joint = wave::joint::<V, S>(self.kept.corners[place]);
            self.replay
                .forward::<S, T>(tile, increments, seen, left, &mut self.top, &mut [joint]);
            let right = &mut self.right[strip * rows.most()..][..height];
            S::renew_columns(&mut self.bottom, &mut self.sums[strip]);
            S::renew_rows(right, &mut self.sum[0]);
            self.replay
                .adjoint::<S, T>(tile, increments, seen, right, &mut self.bottom, &mut self.sum, None);
            if let Some(sums) = &mut self.to_x {
                self.replay.to_x(panels, (increments.1, columns.apart), seen, dim, sums);
            }
            if let Some(sums) = &mut self.to_y {
                self.replay
                    .to_y(0..increments.1.len() / seen, increments.0, seen, dim, sums);
            }
        }
    }
}

struct BandBack<'r, 'a, V: Lanes, S: Scheme<V>, T, const R: usize, const C: usize> {
    back: &'r mut RelayBack<V, S, T, R, C>,
    way: &'r Return<'a, V::Scalar>,
    band: usize,
    step: Step<'r>,
}

impl<V, S, T, const R: usize, const C: usize> Part<V> for BandBack<'_, '_, V, S, T, R, C>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, R, C>,
{
    type Output = Result<()>;
    #[inline(always)]
    fn run(self) -> Result<()> {
        self.back.sweep(self.way, self.band, self.step)
    }
}
