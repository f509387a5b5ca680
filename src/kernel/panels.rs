//! Increments of several paths, one path a lane, in panels of P increments: what a tile of Δ reads in order.

use crate::error::Result;
use crate::memory::try_vec;
use crate::path::{Path, Steps, put_steps};
use crate::simd::{Lanes, MAX_LANES, Part, Real};
use std::ops::Range;

/// What one lane works on: some points of a path, contiguous, and the increment of time between them.
#[derive(Clone, Copy)]
pub(super) struct Lane<'a, S> {
    pub points: &'a [S],
    pub time_step: S,
}

impl<S: Real> Lane<'_, S> {
    pub fn empty() -> Self {
        Lane {
            points: &[],
            time_step: S::ZERO,
        }
    }
}

/// The points of a path as one slice: of the path itself, or of `room` for one that is strided.
#[inline(always)]
pub(super) fn contiguous<'a, S: Real>(path: &Path<'a, S>, room: &'a mut Vec<S>) -> Result<&'a [S]> {
    match path.as_slice() {
        Some(points) => Ok(points),
        None => copied(path, room),
    }
}

fn copied<'a, S: Real>(path: &Path<'a, S>, room: &'a mut Vec<S>) -> Result<&'a [S]> {
    let size = path.points() * path.dim();
    if room.len() < size {
        *room = try_vec(size, S::ZERO)?;
    }
    path.copy_points(0, path.points(), room);
    Ok(&room[..size])
}

/// Where the increments of a side are: `count` of them, in panels of P, those that are missing at the FRONT.
///
/// Orders that are too fine for a tile are had by repetition: every increment stands for 2^repeat ones. With lead-lag
/// it then stands for 2^repeat ones of the lead and as many of the lag, and is `unfolded`: both have channels of their
/// own.
#[derive(Clone, Copy)]
pub(super) struct Places<const P: usize> {
    pub count: usize,
    pub repeat: u32,
    pub unfolded: bool,
}

impl<const P: usize> Places<P> {
    /// Increments that a sweep sees.
    fn seen(&self) -> usize {
        self.count << (self.repeat + self.unfolded as u32)
    }

    /// Panels that a sweep sees.
    pub fn panels(&self) -> usize {
        self.seen().div_ceil(P)
    }

    /// Whether what a sweep sees is what is stored.
    pub fn direct(&self) -> bool {
        self.repeat == 0 && !self.unfolded
    }

    /// Panels that are stored, and the empty places in the first.
    pub fn stored(&self) -> (usize, usize) {
        let panels = self.count.div_ceil(P);
        (panels, panels * P - self.count)
    }

    /// Stored panel and place in it of increment `i` of panel `panel`, and the first of the channels it moves in;
    /// `None` at the empty front.
    pub fn find(&self, panel: usize, i: usize, dim: usize) -> Option<(usize, usize, usize)> {
        let empty = self.panels() * P - self.seen();
        let mut increment = (panel * P + i).checked_sub(empty)? >> self.repeat;
        let mut channel = 0;
        if self.unfolded {
            channel = increment % 2 * dim;
            increment /= 2;
        }
        let place = increment + self.stored().1;
        Some((place / P, place % P, channel))
    }
}

/// The channels of the paths of a side, and whether time is one more.
#[derive(Clone, Copy)]
pub(super) struct Channels {
    pub dim: usize,
    pub time: bool,
}

impl Channels {
    fn stored(&self) -> usize {
        self.dim + self.time as usize
    }

    /// Channels that a sweep sees, without time.
    pub fn moving(&self, unfolded: bool) -> usize {
        if unfolded { 2 * self.dim } else { self.dim }
    }

    /// Channels that a sweep sees.
    pub fn seen(&self, unfolded: bool) -> usize {
        self.moving(unfolded) + self.time as usize
    }
}

/// One side of the tiles: the increments of its lanes. Lanes end together: zero increments fill up the front, where
/// the kernel stays exactly 1.
pub(super) struct Side<V, const P: usize> {
    /// `[panel · channels + channel][increment]`
    panels: Vec<[V; P]>,
    /// Panels made of repeated increments.
    made: Vec<[V; P]>,
    places: Places<P>,
    channels: Channels,
}

impl<V: Lanes, const P: usize> Side<V, P> {
    /// Room for lanes of as many increments as there are places. At most `most` panels are loaded at once.
    pub fn new(places: Places<P>, channels: Channels, most: usize) -> Result<Self> {
        let made = if places.direct() { 0 } else { most };
        Ok(Side {
            panels: try_vec(places.stored().0 * channels.stored(), [V::zero(); P])?,
            made: try_vec(made * channels.seen(places.unfolded), [V::zero(); P])?,
            places,
            channels,
        })
    }

    pub fn places(&self) -> Places<P> {
        self.places
    }

    /// Takes `scale ·` the increments of every lane; lanes beyond the given ones repeat the last. With time, it is the
    /// last channel.
    #[inline(always)]
    pub fn interleave(&mut self, lanes: &[Lane<'_, V::Scalar>], scale: f64) {
        V::call(Interleave {
            side: self,
            lanes,
            scale,
        });
    }

    #[inline(always)]
    fn fill(&mut self, lanes: &[Lane<'_, V::Scalar>], scale: f64) {
        let (dim, channels) = (self.channels.dim, self.channels.stored());
        let longest = lanes.iter().map(|lane| lane.points.len()).max().unwrap_or(0);
        self.places.count = (longest / dim).saturating_sub(1);
        let last = lanes.len() - 1;
        let all: [Lane<'_, V::Scalar>; MAX_LANES] = std::array::from_fn(|l| lanes[l.min(last)]);
        let empty = self.places.stored().1;
        for vectors in self.panels.iter_mut().take(channels) {
            vectors[..empty].fill(V::zero());
        }
        let mut cursor = Cursor {
            panels: &mut self.panels,
            channels,
            dim,
            panel: 0,
            increment: empty,
            channel: 0,
        };
        let same = lanes.iter().all(|lane| std::ptr::eq(lane.points, lanes[0].points));
        if same {
            spread(lanes[0].points, dim, scale, &mut cursor);
        } else {
            transpose(&all, dim, scale, self.places.count * dim, &mut cursor);
        }
        if self.channels.time {
            self.fill_time(&all, scale);
        }
    }

    /// Makes room for `count` increments in every lane, all zero.
    pub fn clear(&mut self, count: usize) {
        self.places.count = count;
        let size = self.places.stored().0 * self.channels.stored();
        self.panels[..size].fill([V::zero(); P]);
    }

    /// Takes `scale ·` the increments of one lane, as many as there are places or less.
    pub fn put_lane(&mut self, lane: usize, path: &Lane<'_, V::Scalar>, scale: f64) {
        let (dim, channels) = (self.channels.dim, self.channels.stored());
        let (panels, own) = (self.places.stored().0, (path.points.len() / dim).saturating_sub(1));
        let (empty, scale) = (panels * P - own, V::Scalar::from_f64(scale));
        let numbers = V::scalars_mut(self.panels[..panels * channels].as_flattened_mut());
        let mut put = |place: usize, channel: usize, number| {
            numbers[((place / P * channels + channel) * P + place % P) * V::LANES + lane] = number;
        };
        for place in 0..panels * P {
            let at = place.checked_sub(empty).map(|increment| increment * dim);
            for c in 0..dim {
                let step = at.map(|at| path.points[at + dim + c] - path.points[at + c]);
                put(place, c, step.map_or(V::Scalar::ZERO, |step| step * scale));
            }
            if self.channels.time {
                put(place, dim, at.map_or(V::Scalar::ZERO, |_| path.time_step * scale));
            }
        }
    }

    /// The increments of time, zero where a lane has no increment.
    #[inline(always)]
    fn fill_time(&mut self, lanes: &[Lane<'_, V::Scalar>; MAX_LANES], scale: f64) {
        let (dim, channels) = (self.channels.dim, self.channels.stored());
        let (panels, empty) = self.places.stored();
        let steps = V::load(&lanes.map(|lane| lane.time_step)) * V::constant(scale);
        let whole =
            lanes.iter().map(|lane| lane.points.len()).min() == lanes.iter().map(|lane| lane.points.len()).max();
        for place in empty..panels * P {
            let step = if whole {
                steps
            } else {
                let own = |lane: &Lane<'_, V::Scalar>| lane.points.len() / dim + place > panels * P;
                let zero = V::Scalar::ZERO;
                let mask = lanes.map(|lane| if own(&lane) { V::Scalar::ONE } else { zero });
                steps * V::load(&mask)
            };
            self.panels[place / P * channels + dim][place % P] = step;
        }
    }

    /// Panels of increments, an array a channel each.
    #[inline(always)]
    pub fn load(&mut self, range: Range<usize>) -> &[[V; P]] {
        let (stored, seen) = (self.channels.stored(), self.channels.seen(self.places.unfolded));
        if self.places.direct() {
            return &self.panels[range.start * stored..range.end * stored];
        }
        let dim = self.channels.dim;
        let made = &mut self.made[..range.len() * seen];
        made.fill([V::zero(); P]);
        for (panel, vectors) in range.zip(made.chunks_exact_mut(seen)) {
            for i in 0..P {
                let Some((panel, place, first)) = self.places.find(panel, i, dim) else {
                    continue;
                };
                let from = &self.panels[panel * stored..][..stored];
                for (to, from) in vectors[first..].iter_mut().zip(&from[..dim]) {
                    to[i] = from[place];
                }
                if self.channels.time {
                    vectors[seen - 1][i] = from[dim][place];
                }
            }
        }
        made
    }
}

struct Interleave<'a, V: Lanes, const P: usize> {
    side: &'a mut Side<V, P>,
    lanes: &'a [Lane<'a, V::Scalar>],
    scale: f64,
}

impl<V: Lanes, const P: usize> Part<V> for Interleave<'_, V, P> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        self.side.fill(self.lanes, self.scale);
    }
}

/// Writes vectors to the panels in the order of a path: channel by channel, increment by increment.
struct Cursor<'a, V, const P: usize> {
    panels: &'a mut [[V; P]],
    channels: usize,
    dim: usize,
    /// The first channel of the panel, the increment in it, and the channel.
    panel: usize,
    increment: usize,
    channel: usize,
}

impl<V: Lanes, const P: usize> Cursor<'_, V, P> {
    /// Some numbers of every lane, given lane by lane.
    #[inline(always)]
    fn put_lanes(&mut self, mut block: [V; MAX_LANES], numbers: Range<usize>) {
        V::transpose(&mut block);
        for e in 0..V::LANES {
            if numbers.contains(&e) {
                self.put(block[e]);
            }
        }
    }

    #[inline(always)]
    fn put(&mut self, vector: V) {
        self.panels[self.panel + self.channel][self.increment] = vector;
        self.channel += 1;
        if self.channel == self.dim {
            self.channel = 0;
            self.increment += 1;
            if self.increment == P {
                self.increment = 0;
                self.panel += self.channels;
            }
        }
    }
}

/// Puts what it is given times a number.
struct Scaled<'s, 'a, V, const P: usize> {
    cursor: &'s mut Cursor<'a, V, P>,
    scale: V,
}

impl<V: Lanes, const P: usize> Steps<V> for Scaled<'_, '_, V, P> {
    #[inline(always)]
    fn put(&mut self, increment: V) {
        self.cursor.put(increment * self.scale);
    }
}

/// One path in all lanes.
#[inline(always)]
fn spread<V: Lanes, const P: usize>(points: &[V::Scalar], dim: usize, scale: f64, cursor: &mut Cursor<'_, V, P>) {
    let scale = V::Scalar::from_f64(scale);
    for (&next, &value) in points.iter().skip(dim).zip(points) {
        cursor.put(V::splat((next - value) * scale));
    }
}

/// `count` numbers of increments of every lane, the lanes ending together.
#[inline(always)]
fn transpose<V: Lanes, const P: usize>(
    lanes: &[Lane<'_, V::Scalar>; MAX_LANES],
    dim: usize,
    scale: f64,
    count: usize,
    cursor: &mut Cursor<'_, V, P>,
) {
    let scale = V::constant(scale);
    let alike = lanes[..V::LANES].iter().all(|lane| lane.points.len() == count + dim);
    if alike && put_steps(&lanes.map(|lane| lane.points), dim, &mut Scaled { cursor, scale }) {
        return;
    }
    // A shorter lane begins later.
    let late = lanes.map(|lane| count + dim - lane.points.len().max(dim));
    let whole = alike && count >= V::LANES;
    let mut done = 0;
    while done < count {
        // The last block overlaps the one before it.
        let from = done.min(count.saturating_sub(V::LANES));
        let new = done - from..count.min(V::LANES);
        // A block for each way: one that is filled without a loop stays in registers.
        if whole {
            let mut block = [V::zero(); MAX_LANES];
            for l in 0..V::LANES {
                let points = &lanes[l].points[from..][..dim + V::LANES];
                block[l] = (V::load(&points[dim..]) - V::load(points)) * scale;
            }
            cursor.put_lanes(block, new);
        } else {
            let mut block = [V::zero(); MAX_LANES];
            for l in 0..V::LANES {
                block[l] = increments::<V>(lanes[l].points, dim, from, late[l]) * scale;
            }
            cursor.put_lanes(block, new);
        }
        done = from + V::LANES;
    }
}

/// A vector of numbers of increments of one path from number `from` on, where the path begins at number `late`: zeros
/// before it and behind it.
#[inline(always)]
fn increments<V: Lanes>(points: &[V::Scalar], dim: usize, from: usize, late: usize) -> V {
    if let Some(from) = from.checked_sub(late)
        && from + dim + V::LANES <= points.len()
    {
        return V::load(&points[from + dim..]) - V::load(&points[from..]);
    }
    V::load(&std::array::from_fn::<_, MAX_LANES, _>(|e| {
        let place = (from + e).checked_sub(late).filter(|place| place + dim < points.len());
        place.map_or(V::Scalar::ZERO, |from| points[from + dim] - points[from])
    }))
}
