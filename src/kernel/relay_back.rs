//! Back over one pair, lanes over strips: the relay run the other way.

use super::block::Replay;
use super::pairs::Tick;
use super::panels::{Places, Sums};
use super::relay::{Band, KeptBand, Relay, Row, move_down};
use super::scheme::{Scheme, Vectors};
use super::tile::Tile;
use crate::error::{Result, try_vec};
use crate::simd::{Lanes, MAX_LANES, Part, Real};

/// Forward and back over one pair.
pub(super) struct RelayBack<'a, V: Lanes, S: Scheme<V>, T, const R: usize, const C: usize> {
    relay: Relay<'a, V, S, T, R, C>,
    replay: Replay<V, R, C>,
    kept: KeptBand<V, S>,
    /// Edges of the block in hand.
    left: Vec<S::Edge>,
    top: Vec<S::Edge>,
    right: Vec<S::Row>,
    bottom: Vec<S::Column>,
    bottom_row: Row<V::Scalar>,
    /// Of every strip of the runs, the sum of the adjoint's increments along its lower side; of the block, along its
    /// right side.
    sums: Vec<S::Column>,
    sum: [S::Row; 1],
    sum_row: Row<V::Scalar>,
    to_x: Option<Sums<V, R>>,
    to_y: Option<Sums<V, C>>,
    to_y_row: Row<V::Scalar>,
}

impl<'a, V, S, T, const R: usize, const C: usize> RelayBack<'a, V, S, T, R, C>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, R, C>,
{
    pub fn new(relay: Relay<'a, V, S, T, R, C>, wanted: (bool, bool)) -> Result<Self> {
        let (rows, columns, blocks) = (relay.rows, relay.columns, relay.bands.blocks.1);
        let dim = relay.channels.dim;
        let y_places = Places {
            count: columns.each * C,
            repeat: 0,
            unfolded: false,
        };
        let parts = S::Column::zero().as_ref().len();
        Ok(RelayBack {
            replay: Replay::new(&relay.tile, rows, columns)?,
            kept: KeptBand::new(relay.bands.steps(), rows, columns)?,
            left: try_vec(rows.most(), S::flat(V::zero()))?,
            top: try_vec(columns.most(), S::flat(V::zero()))?,
            right: try_vec(rows.blocks() * rows.most(), S::Row::zero())?,
            bottom: try_vec(columns.most(), S::Column::zero())?,
            bottom_row: Row::new(blocks, columns.most() * parts)?,
            sums: try_vec(rows.blocks(), S::Column::zero())?,
            sum: [S::Row::zero()],
            sum_row: Row::new(blocks, S::Row::zero().as_ref().len())?,
            to_x: if wanted.0 {
                Some(Sums::new(relay.x.places(), dim)?)
            } else {
                None
            },
            to_y: if wanted.1 {
                Some(Sums::new(y_places, dim)?)
            } else {
                None
            },
            to_y_row: Row::new(if wanted.1 { blocks } else { 0 }, columns.each * C * dim)?,
            relay,
        })
    }

    /// Writes ∂F/∂dx and ∂F/∂dy for F = seed · k, in the order of the paths, to what is not empty.
    #[inline(always)]
    pub fn run(
        &mut self,
        seed: V::Scalar,
        x_out: &mut [V::Scalar],
        y_out: &mut [V::Scalar],
        tick: Tick<'_>,
    ) -> Result<()> {
        let count = self.relay.bands.count;
        let mut marks = try_vec((count - 1) * self.relay.top_row.values.len(), V::Scalar::ZERO)?;
        let row = self.relay.top_row.values.len();
        for band in 0..count {
            self.relay.load_x(band);
            let last = band + 1 == count;
            if !last {
                marks[band * row..][..row].copy_from_slice(&self.relay.top_row.values);
            }
            V::call(Band {
                relay: &mut self.relay,
                kept: last.then_some(&mut self.kept),
            });
            tick(band + 1, 3 * count)?;
        }
        let seed = V::splat(seed);
        self.bottom_row.fill(&S::below(seed));
        self.sum_row.fill(&S::beyond(seed));
        for band in (0..count).rev() {
            if band + 1 < count {
                self.relay.load_x(band);
                self.relay.top_row.values.copy_from_slice(&marks[band * row..][..row]);
                V::call(Band {
                    relay: &mut self.relay,
                    kept: Some(&mut self.kept),
                });
            }
            V::call(BandBack(self, seed));
            self.put_x(band, x_out);
            tick(count + 2 * (count - band), 3 * count)?;
        }
        self.put_y(y_out);
        Ok(())
    }

    fn put_x(&mut self, band: usize, out: &mut [V::Scalar]) {
        let Some(sums) = &mut self.to_x else { return };
        let dim = self.relay.channels.dim;
        let mut slices: [&mut [V::Scalar]; MAX_LANES] = std::array::from_fn(|_| &mut [] as &mut [V::Scalar]);
        let (mut rest, mut begin) = (out, 0);
        for (l, slice) in slices.iter_mut().enumerate().take(V::LANES) {
            let run = self.relay.bands.increments(band, l);
            let own = std::mem::take(&mut rest).split_at_mut((run.start - begin) * dim).1;
            (*slice, rest) = own.split_at_mut(run.len() * dim);
            begin = run.end;
        }
        sums.scatter(self.relay.scale, &mut slices[..V::LANES]);
    }

    fn put_y(&self, out: &mut [V::Scalar]) {
        if self.to_y.is_none() {
            return;
        }
        let dim = self.relay.channels.dim;
        let empty = self.relay.bands.blocks.1 * self.relay.columns.each * C - self.relay.bands.increments.1;
        for (j, increment) in out.chunks_exact_mut(dim).enumerate() {
            let (panel, place) = ((empty + j) / C, (empty + j) % C);
            for (c, to) in increment.iter_mut().enumerate() {
                *to = self.to_y_row.values[(panel * dim + c) * C + place];
            }
        }
    }

    #[inline(always)]
    fn sweep(&mut self, seed: V) {
        let Relay {
            tile,
            bands,
            channels,
            x,
            rows,
            y,
            y_row,
            ..
        } = &mut self.relay;
        let (steps, dim, seen) = (bands.steps(), channels.dim, channels.seen(false));
        let (below, beyond, zero) = (S::below(seed), S::beyond(seed), [V::zero()]);
        self.right.fill(beyond);
        self.bottom.fill(below);
        self.sums.fill(below);
        self.sum = [beyond];
        y.fill([V::zero(); C]);
        if let Some(sums) = &mut self.to_x {
            sums.clear(x.places());
        }
        if let Some(sums) = &mut self.to_y {
            sums.vectors().fill(V::zero());
        }
        // The first steps only bring in blocks, the last lane's first.
        for t in (0..steps + V::LANES - 1).rev() {
            let (into, out) = ((t + 1).checked_sub(V::LANES), Some(t + 1));
            move_down(y.as_flattened_mut(), y_row, None, into, &zero);
            move_down(
                S::Column::flatten(&mut self.bottom),
                &mut self.bottom_row,
                out,
                into,
                below.as_ref(),
            );
            move_down(
                S::Row::flatten(&mut self.sum),
                &mut self.sum_row,
                out,
                into,
                beyond.as_ref(),
            );
            if let Some(sums) = &mut self.to_y {
                move_down(sums.vectors(), &mut self.to_y_row, out, into, &zero);
            }
            if t >= steps {
                continue;
            }
            for strip in (0..rows.blocks()).rev() {
                let panels = rows.block(strip);
                let place = t * self.kept.strips + strip;
                let height = panels.len() * rows.cells;
                let left = &mut self.left[..height];
                left.copy_from_slice(&self.kept.lefts[place * self.kept.height..][..height]);
                self.top
                    .copy_from_slice(&self.kept.tops[place * self.kept.width..][..self.kept.width]);
                let increments = (x.load(panels.clone()), y.as_slice());
                let corner = self.kept.corners[place];
                self.replay
                    .forward::<S, T>(tile, increments, seen, left, &mut self.top, corner);
                let right = &mut self.right[strip * rows.most()..][..height];
                S::renew_columns(&mut self.bottom, &mut self.sums[strip]);
                S::renew_rows(right, &mut self.sum[0]);
                self.replay
                    .adjoint::<S, T>(tile, increments, seen, right, &mut self.bottom, None);
                if let Some(sums) = &mut self.to_x {
                    self.replay.to_x(panels, increments.1, seen, dim, sums);
                }
                if let Some(sums) = &mut self.to_y {
                    self.replay
                        .to_y(0..increments.1.len() / seen, increments.0, seen, dim, sums);
                }
            }
        }
        move_down(
            S::Column::flatten(&mut self.bottom),
            &mut self.bottom_row,
            Some(0),
            None,
            below.as_ref(),
        );
        move_down(
            S::Row::flatten(&mut self.sum),
            &mut self.sum_row,
            Some(0),
            None,
            beyond.as_ref(),
        );
        if let Some(sums) = &mut self.to_y {
            move_down(sums.vectors(), &mut self.to_y_row, Some(0), None, &zero);
        }
    }
}

struct BandBack<'r, 'a, V: Lanes, S: Scheme<V>, T, const R: usize, const C: usize>(
    &'r mut RelayBack<'a, V, S, T, R, C>,
    V,
);

impl<V, S, T, const R: usize, const C: usize> Part<V> for BandBack<'_, '_, V, S, T, R, C>
where
    V: Lanes,
    S: Scheme<V>,
    T: Tile<V, R, C>,
{
    type Output = ();
    #[inline(always)]
    fn run(self) {
        self.0.sweep(self.1);
    }
}
