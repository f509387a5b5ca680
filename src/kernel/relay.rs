//! Lanes over strips of one pair, for pairs that are few and long.
//!
//! A band of the grid is as many runs of strips as there are lanes, one below the other. At step t lane ℓ sweeps column
//! block t - ℓ of its run; between two steps the increments of y and the edges below move up one lane, to the run below,
//! and from the last lane to the row that the next band starts from. Idle lanes have Δ = 0. A lane that is through with a
//! band begins with the next one while the others are still at it, unless edges are kept; on several threads bands take
//! turns: see course.rs. Backward everything moves the other way. Cells, sums and their order are those of a group of pairs:
//! so are the bits.

use super::bands::Bands;
use super::block::{self, Cuts};
use super::course::{Course, Step, Widths};
use super::pairs::Tick;
use super::panels::{Channels, Lane, Places, Side};
use super::scheme::{Scheme, Vectors};
use super::tile::{Passing, ROOM, Scratch, Tile};
use super::wave::{self, Joint};
use crate::error::Result;
use crate::memory::try_vec;
use crate::simd::{Lanes, Part, Real};

/// Of every vector, the number of one lane: what goes out to another band.
#[inline(always)]
pub(super) fn numbers_of<V: Lanes>(vectors: &[V], lane: usize, out: &mut [V::Scalar]) {
    for (number, vector) in out.iter_mut().zip(vectors.iter()) {
        *number = vector.to_array()[lane];
    }
}

/// Moves vectors up a lane: the numbers of the first lane come in, or what is idle.
#[inline(always)]
fn move_up<V: Lanes>(vectors: &mut [V], into: Option<&[V::Scalar]>, idle: &[V]) {
    match into {
        Some(into) => {
            for (vector, &number) in vectors.iter_mut().zip(into.iter()) {
                *vector = vector.slide_up(number);
            }
        }
        None => {
            for (i, vector) in vectors.iter_mut().enumerate() {
                *vector = vector.slide_up(idle[i % idle.len()].to_array()[0]);
            }
        }
    }
}

/// Moves vectors down a lane: the numbers of the last lane come in, or what is idle.
#[inline(always)]
pub(super) fn move_down<V: Lanes>(vectors: &mut [V], into: Option<&[V::Scalar]>, idle: &[V]) {
    match into {
        Some(into) => {
            for (vector, &number) in vectors.iter_mut().zip(into.iter()) {
                *vector = vector.slide_down(number);
            }
        }
        None => {
            for (i, vector) in vectors.iter_mut().enumerate() {
                *vector = vector.slide_down(idle[i % idle.len()].to_array()[0]);
            }
        }
    }
}

/// Puts numbers over and over in one lane of vectors.
fn put_numbers<V: Lanes>(vectors: &mut [V], lane: usize, numbers: &[V::Scalar]) {
    for (vector, &number) in V::scalars_mut(vectors)
        .chunks_exact_mut(V::LANES)
        .zip(numbers.iter().cycle())
    {
        vector[lane] = number;
    }
}

/// The numbers of some equal vectors.
pub(super) fn flat_numbers<V: Lanes, E: Vectors<V>>(edge: &E) -> [V::Scalar; 4] {
    let parts = edge.as_ref();
    std::array::from_fn(|i| parts[i % parts.len()].to_array()[0])
}

/// The course of a pair for sweeps of this kind; `kept` whether it will be gone back over.
pub(super) fn course<'a, V, S, T, const R: usize, const C: usize>(
    tile: &T,
    channels: Channels,
    paths: [Lane<'a, V::Scalar>; 2],
    scale: f64,
    kept: bool,
    threads: usize,
) -> Result<Course<'a, V::Scalar>>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, R, C>,
{
    let increments = paths.map(|lane| (lane.points.len() / channels.dim).saturating_sub(1));
    let bands = Bands::new::<V, S, T, R, C>(tile, (increments[0], increments[1]), kept, threads);
    let flat = S::flat(V::constant(1.0));
    let widths = Widths {
        panel: C,
        columns: bands.columns.each * C,
        edges: bands.columns.most(),
        joints: bands.columns.all_joints(),
    };
    let numbers = &flat_numbers(&flat)[..flat.as_ref().len()];
    Course::new(bands, channels, paths, scale, &widths, numbers)
}

/// Where the row above a band comes from.
pub(super) enum Above<'r, S> {
    /// From the band before it; it is copied to what is not empty, and the row below goes to the band after.
    Band(&'r mut [S]),
    /// From such a copy; the row below is not wanted.
    Copy(&'r [S]),
}

/// The kernel of a pair on this thread.
#[inline(always)]
pub(super) fn kernel<V, S, T, const R: usize, const C: usize>(
    tile: T,
    course: &Course<'_, V::Scalar>,
    tick: Tick<'_>,
) -> Result<V::Scalar>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, R, C>,
{
    let mut relay = Relay::<V, S, T, R, C>::new(tile, course)?;
    let (count, period) = (course.bands.count, course.bands.period);
    relay.bands(course, &mut (0..count), &mut |step| tick(step, count * period))?;
    Ok(course.kernel())
}

/// Forward over bands of one pair.
pub(super) struct Relay<V: Lanes, S: Scheme<V>, T, const R: usize, const C: usize> {
    pub(super) tile: T,
    pub(super) x: Side<V, R>,
    /// The strips of a run, and one block of columns.
    pub(super) rows: Cuts,
    pub(super) columns: Cuts,
    pub(super) y: Vec<[V; C]>,
    /// The edges above, and after them the sums of increments along the left side of the block and down its joints.
    top: Vec<S::Edge>,
    joints: Vec<Joint<V, S::Edge>>,
    /// The same of one lane, on its way from or to another band.
    numbers: Vec<V::Scalar>,
    /// Of every strip of the runs: the edges at the left, k where they meet the edges above, and the sum of increments
    /// along its upper side.
    left: Vec<S::Edge>,
    corners: Vec<V>,
    sums: Vec<S::Edge>,
    /// Δ/2 of a block.
    h: Vec<[V; R]>,
    scratch: Scratch<V>,
}

impl<V, S, T, const R: usize, const C: usize> Relay<V, S, T, R, C>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, R, C>,
{
    pub fn new(tile: T, course: &Course<'_, V::Scalar>) -> Result<Self> {
        let (bands, cells) = (&course.bands, tile.cells());
        let places = Places {
            count: (bands.run * bands.strip).min(bands.increments.0),
            repeat: 0,
            unfolded: false,
        };
        let x = Side::new(places, course.channels, 0)?;
        let rows = Cuts::rows::<R>(places.panels(), cells.0);
        let columns = bands.columns;
        let joints = columns.all_joints();
        Ok(Relay {
            tile,
            x,
            rows,
            columns,
            y: try_vec(columns.each * course.channels.seen(false), [V::zero(); C])?,
            top: try_vec(columns.most() + joints, S::flat(V::zero()))?,
            joints: try_vec(joints, wave::joint::<V, S>(V::zero()))?,
            numbers: try_vec(course.top_width, V::Scalar::ZERO)?,
            left: try_vec(rows.blocks() * rows.most(), S::flat(V::zero()))?,
            corners: try_vec(rows.blocks(), V::zero())?,
            sums: try_vec(rows.blocks(), S::flat(V::zero()))?,
            h: try_vec(rows.each * ROOM, [V::zero(); R])?,
            scratch: Scratch::new::<T, R, C>(&tile, columns.each * C)?,
        })
    }

    /// Some bands, one after the other: the kernel alone.
    #[inline(always)]
    pub fn bands(
        &mut self,
        course: &Course<'_, V::Scalar>,
        bands: &mut dyn Iterator<Item = usize>,
        step: Step<'_>,
    ) -> Result<()> {
        let most = (course.bands.run * course.bands.strip).min(course.bands.increments.0);
        V::call(Sweep {
            relay: self,
            course,
            bands,
            most,
            above: Above::Band(&mut []),
            kept: None,
            step,
        })
    }

    /// One band.
    #[inline(always)]
    pub fn band(
        &mut self,
        course: &Course<'_, V::Scalar>,
        band: usize,
        above: Above<'_, V::Scalar>,
        kept: Option<&mut KeptBand<V, S>>,
        step: Step<'_>,
    ) -> Result<()> {
        // The first band may have less than a run in its longest lane.
        let most = course.bands.increments(band, V::LANES - 1).len();
        V::call(Sweep {
            relay: self,
            course,
            bands: &mut std::iter::once(band),
            most,
            above,
            kept,
            step,
        })
    }

    /// Every lane as it is before a band: runs of up to `most` increments.
    fn begin(&mut self, most: usize) {
        self.x.clear(most);
        self.rows.panels = self.x.places().panels();
        let one = S::flat(V::constant(1.0));
        self.left.fill(one);
        self.top.fill(one);
        self.corners.fill(V::constant(1.0));
        self.sums.fill(one);
        self.y.fill([V::zero(); C]);
    }

    /// A lane's run of a band, and where it begins.
    fn begin_lane(&mut self, course: &Course<'_, V::Scalar>, band: usize, lane: usize) {
        let (dim, run) = (course.channels.dim, course.bands.increments(band, lane));
        let mut path = Lane::empty();
        if !run.is_empty() {
            path.points = &course.x_path.points[run.start * dim..(run.end + 1) * dim];
            path.time_step = course.x_path.time_step;
        }
        self.x.put_lane(lane, &path, course.scale);
        let one = S::flat(V::constant(1.0));
        let numbers = &flat_numbers(&one)[..one.as_ref().len()];
        put_numbers(S::Edge::flatten(&mut self.left), lane, numbers);
        put_numbers(S::Edge::flatten(&mut self.sums), lane, numbers);
        put_numbers(&mut self.corners, lane, &numbers[..1]);
    }

    /// The blocks of all strips at one step.
    #[inline(always)]
    fn blocks(&mut self, step: usize, kept: &mut Option<&mut KeptBand<V, S>>, channels: usize) {
        let height = self.rows.most();
        for strip in 0..self.rows.blocks() {
            let panels = self.rows.block(strip);
            let left = &mut self.left[strip * height..][..panels.len() * self.rows.cells];
            let (top, sums) = self.top.split_at_mut(self.columns.most());
            let joints = self.joints.as_mut_slice();
            let corner = self.corners[strip];
            self.corners[strip] = wave::corners::<V, S>(joints, top, corner);
            for (joint, &mut sum) in joints.iter_mut().zip(&mut *sums) {
                joint.sum = sum;
            }
            S::renew_edges(top, &mut self.sums[strip]);
            S::renew_edges(left, &mut joints[0].sum);
            if let Some(kept) = kept {
                kept.keep(step, strip, left, top, corner);
            }
            let increments = (self.x.load(panels), self.y.as_slice());
            let (scratch, mut passing) = (&mut self.scratch, Passing(&mut self.h, ()));
            block::forward::<V, S, T, _, R, C>(
                &self.tile,
                increments,
                channels,
                scratch,
                left,
                top,
                joints,
                &mut passing,
            );
            for (sum, joint) in sums.iter_mut().zip(joints) {
                *sum = joint.sum;
            }
        }
    }
}

/// Bands one after the other, from the row above each to the row below it.
struct Sweep<'r, 'a, V: Lanes, S: Scheme<V>, T, const R: usize, const C: usize> {
    relay: &'r mut Relay<V, S, T, R, C>,
    course: &'r Course<'a, V::Scalar>,
    bands: &'r mut dyn Iterator<Item = usize>,
    /// Increments of the longest run.
    most: usize,
    above: Above<'r, V::Scalar>,
    kept: Option<&'r mut KeptBand<V, S>>,
    step: Step<'r>,
}

impl<V, S, T, const R: usize, const C: usize> Sweep<'_, '_, V, S, T, R, C>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, R, C>,
{
    /// What comes in from the band above, and the same of y.
    #[inline(always)]
    fn hand_up(&mut self, band: Option<usize>, block: usize, done: usize) -> Result<()> {
        let (relay, course, width) = (&mut *self.relay, self.course, self.course.top_width);
        let block = band.and(Some(block)).filter(|&block| block < course.bands.blocks.1);
        let into = match (&mut self.above, band.zip(block)) {
            (_, None) => None,
            (Above::Copy(row), Some((_, block))) => Some(&row[block * width..][..width]),
            (Above::Band(copy), Some((band, block))) => {
                let wait = &mut || (self.step)(done);
                course.top.take(band, block, &mut relay.numbers, wait)?;
                if !copy.is_empty() {
                    copy[block * width..][..width].copy_from_slice(&relay.numbers);
                }
                Some(relay.numbers.as_slice())
            }
        };
        let one = S::flat(V::constant(1.0));
        move_up(S::Edge::flatten(&mut relay.top), into, one.as_ref());
        move_up(relay.y.as_flattened_mut(), course.y(block), &[V::zero()]);
        Ok(())
    }

    /// What the last lane has, for the band below.
    #[inline(always)]
    fn hand_on(&mut self, band: usize, block: usize) {
        let relay = &mut *self.relay;
        if block < self.course.bands.blocks.1 && matches!(self.above, Above::Band(_)) {
            numbers_of(S::Edge::flatten(&mut relay.top), V::LANES - 1, &mut relay.numbers);
            self.course.top.leave(band, block, &relay.numbers);
        }
    }
}

impl<V, S, T, const R: usize, const C: usize> Part<V> for Sweep<'_, '_, V, S, T, R, C>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, R, C>,
{
    type Output = Result<()>;

    /// At step t lane ℓ is at block (t - ℓ) mod period of the band of turn (t - ℓ) / period.
    #[inline(always)]
    fn run(mut self) -> Result<()> {
        let course = self.course;
        let (period, channels) = (course.bands.period, course.channels.seen(false));
        self.relay.begin(self.most);
        // The bands in hand, by turn: lanes are at two at most.
        let (mut bands, mut turns) = ([0; 2], 0);
        let mut end = usize::MAX;
        for t in 0.. {
            let (turn, block) = (t / period, t % period);
            if let Some(out) = t.checked_sub(V::LANES) {
                self.hand_on(bands[out / period % 2], out % period);
            }
            if block == 0 && turn == turns {
                if let Some(band) = self.bands.next() {
                    bands[turn % 2] = band;
                    turns += 1;
                } else if turn == 0 {
                    break;
                } else {
                    end = (turn - 1) * period + course.bands.steps();
                }
            }
            if t == end {
                break;
            }
            if turn < turns && block < V::LANES {
                self.relay.begin_lane(course, bands[turn % 2], block);
            }
            let band = (turn < turns).then_some(bands[turn % 2]);
            self.hand_up(band, block, t.min(turns * period))?;
            self.relay.blocks(t, &mut self.kept, channels);
            (self.step)((t + 1).min(turns * period))?;
        }
        Ok(())
    }
}

/// The edges that the blocks of a band start from, by step and strip.
pub(super) struct KeptBand<V: Lanes, S: Scheme<V>> {
    pub(super) lefts: Vec<S::Edge>,
    pub(super) tops: Vec<S::Edge>,
    pub(super) corners: Vec<V>,
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) strips: usize,
}

impl<V: Lanes, S: Scheme<V>> KeptBand<V, S> {
    pub(super) fn new(steps: usize, rows: Cuts, columns: Cuts) -> Result<Self> {
        let (strips, flat) = (rows.blocks(), S::flat(V::zero()));
        Ok(KeptBand {
            lefts: try_vec(steps * strips * rows.most(), flat)?,
            tops: try_vec(steps * strips * columns.most(), flat)?,
            corners: try_vec(steps * strips, V::zero())?,
            height: rows.most(),
            width: columns.most(),
            strips,
        })
    }

    #[inline(always)]
    fn keep(&mut self, step: usize, strip: usize, left: &[S::Edge], top: &[S::Edge], corner: V) {
        let place = step * self.strips + strip;
        self.lefts[place * self.height..][..left.len()].copy_from_slice(left);
        self.tops[place * self.width..][..top.len()].copy_from_slice(top);
        self.corners[place] = corner;
    }
}
