//! Signature kernels of pairs and Gram matrices, their grids and their gradients.

use super::args::{GatherArgs, Pairing, WaveArgs};
use super::call::{Job, Planned};
use super::guard::Device;
use super::instances::{Instance, Need, PERIOD};
use super::launch::{Blocks, MOST_WARPS, Stream, WARP};
use super::sides::SidePlan;
use super::space::{Region, Space, product};
use super::{Number, Paths};
use crate::error::{Error, Result, Sentence, unsupported_error};
use crate::kernel::Options;
use crate::path::LeadLag;

/// What a call gives.
#[derive(Clone, Copy)]
pub(super) enum Wanted {
    /// Values, or grids, to this address.
    Values(u64),
    /// Gradients with respect to x and y, by these weights of values or grids.
    Gradients(u64, [Option<u64>; 2]),
}

pub(super) struct PairsJob<'a, S> {
    pub x: Paths<'a, S>,
    /// Without it: a Gram matrix of x with itself.
    pub y: Option<Paths<'a, S>>,
    pub gram: bool,
    pub grid: bool,
    pub asked: Options,
    pub wanted: Wanted,
}

pub(super) struct PairsPlan<S> {
    bytes: usize,
    instance: &'static Instance,
    x: SidePlan<S>,
    y: SidePlan<S>,
    sums: [Option<Region>; 2],
    /// Lanes of a pair, strips of the largest one.
    lanes: usize,
    strips: usize,
    /// Refined cells of the largest pair.
    rows: usize,
    columns: usize,
    chunk: Chunk,
}

impl<S> Planned for PairsPlan<S> {
    fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The pairs of a launch and its memory.
struct Chunk {
    pairs: usize,
    blocks: Blocks,
    /// Whether states are kept on the way forth; otherwise every warp makes those of a strip again.
    keep: bool,
    counters: Region,
    edges: Region,
    states: Region,
    handed: Region,
    tiles: [Region; 2],
}

/// Bytes of what a launch needs for each item, a warp's worth of pairs.
struct Item {
    counters: usize,
    edges: usize,
    states: usize,
    handed: usize,
    tiles: [usize; 2],
}

/// Bits for tickets: strips of all pairs of a launch.
const MOST_TICKETS: usize = 1 << 30;
/// Refined rows and columns that the kernels count.
const MOST_CELLS: usize = i32::MAX as usize - (1 << 16);

impl<S: Number> PairsJob<'_, S> {
    fn lead_lag(&self) -> usize {
        (self.asked.transform.lead_lag != LeadLag::Off) as usize
    }

    fn second(&self) -> &Paths<'_, S> {
        self.y.as_ref().unwrap_or(&self.x)
    }

    fn back(&self) -> bool {
        matches!(self.wanted, Wanted::Gradients(..))
    }

    /// Whose gradients there are; both for a symmetric matrix, as they are added.
    fn wants(&self) -> [bool; 2] {
        match self.wanted {
            Wanted::Values(_) => [false; 2],
            Wanted::Gradients(..) if self.y.is_none() => [true; 2],
            Wanted::Gradients(_, to) => to.map(|to| to.is_some()),
        }
    }

    /// Δ/2 of refined cells: x has the factor.
    fn scale(&self) -> f64 {
        0.5 / 2f64.powi((self.asked.orders.0 + self.asked.orders.1) as i32)
    }

    fn instance(&self, device: &Device) -> Result<&'static Instance> {
        let need = Need {
            width: size_of::<S>(),
            back: self.back(),
            grid: self.grid,
            dim: self.x.shape.dim(),
            tensor: device.tensor,
            time: self.asked.transform.time.is_some(),
            lead_lag: self.lead_lag() == 1,
            orders: self.asked.orders,
        };
        Instance::choose(&need).ok_or_else(|| Error::Internal(Sentence::new(format_args!("no kernel for {need:?}"))))
    }

    fn cells(name: &str, points: usize, shift: usize) -> Result<usize> {
        let cells = product(&[points - 1, 1 << shift]).unwrap_or(usize::MAX);
        if cells > MOST_CELLS {
            unsupported_error!("{name} has {cells} refined cells; CUDA devices are given at most {MOST_CELLS}");
        }
        Ok(cells)
    }

    /// (rows, columns) of grids, for the batches' full lengths.
    fn grid_shape(&self) -> Result<(usize, usize)> {
        self.asked
            .grid_shape(self.x.shape.length(), self.second().shape.length())
    }

    fn count(&self) -> Result<usize> {
        if self.gram {
            product(&[self.x.shape.batch(), self.second().shape.batch()])
        } else {
            Ok(self.x.shape.batch())
        }
    }
}

impl<S: Number> Job for PairsJob<'_, S> {
    type Plan = PairsPlan<S>;

    fn plan(&self, device: &Device, budget: usize) -> Result<PairsPlan<S>> {
        let (transform, space) = (&self.asked.transform, &mut Space::default());
        let instance = self.instance(device)?;
        let x = SidePlan::new(&self.x, self.x.shape.batch(), transform, space)?;
        let y = match &self.y {
            Some(y) => SidePlan::new(y, y.shape.batch(), transform, space)?,
            None => x.again(space)?,
        };
        let shift = self.lead_lag();
        let rows = Self::cells("x", x.longest, self.asked.orders.0 as usize + shift)?;
        let columns = Self::cells("y", y.longest, self.asked.orders.1 as usize + shift)?;
        // As few lanes as hold its rows; a period on the way back.
        let mut lanes = if self.back() { PERIOD } else { PERIOD / 2 };
        while lanes < WARP && lanes * instance.rows < rows {
            lanes *= 2;
        }
        let mut sums = [None; 2];
        for (sums, (side, wanted)) in sums.iter_mut().zip([&x, &y].into_iter().zip(self.wants())) {
            *sums = wanted.then(|| side.sums(space)).transpose()?;
        }
        let strips = rows.div_ceil(lanes * instance.rows).max(1);
        let mut plan = PairsPlan {
            bytes: 0,
            instance,
            x,
            y,
            sums,
            lanes,
            strips,
            rows,
            columns,
            chunk: Chunk::none(),
        };
        let pairs = self.count()?;
        if pairs > 0 {
            plan.chunk = Chunk::new(self, &plan, pairs, device, budget, space)?;
        }
        plan.bytes = space.bytes;
        Ok(plan)
    }

    fn run(&self, plan: &PairsPlan<S>, stream: &Stream<'_>) -> Result<()> {
        let transform = &self.asked.transform;
        plan.x.upload(&self.x, stream)?;
        if let Some(y) = &self.y {
            plan.y.upload(y, stream)?;
        }
        for region in plan.sums.into_iter().flatten() {
            stream.zero(region)?;
        }
        if self.count()? > 0 {
            let (x, y) = (&self.x, self.second());
            plan.x
                .increments(x, (0, plan.x.count), transform, self.scale(), stream)?;
            plan.y.increments(y, (0, plan.y.count), transform, 1.0, stream)?;
            self.parts(plan, |pairing| self.part(plan, pairing, stream))?;
        }
        if let Wanted::Gradients(_, to) = self.wanted {
            self.scatter(plan, to, stream)?;
        }
        Ok(())
    }
}

impl<S: Number> PairsJob<'_, S> {
    /// Calls `launch` with each part of the pairs; Gram matrices are cut into blocks of rows and columns.
    fn parts(&self, plan: &PairsPlan<S>, mut launch: impl FnMut(Pairing) -> Result<()>) -> Result<()> {
        let (count, others, most) = (plan.x.count, plan.y.count, plan.chunk.pairs);
        if !self.gram {
            for i in (0..count).step_by(most) {
                launch(Pairing {
                    i0: i as i32,
                    pairs: most.min(count - i) as i32,
                    ..Pairing::default()
                })?;
            }
            return Ok(());
        }
        let symmetric = self.y.is_none();
        let width = most.min(others);
        let height = (most / width).clamp(1, count);
        for i in (0..count).step_by(height) {
            for j in (0..others).step_by(width) {
                let (w, h) = (width.min(others - j), height.min(count - i));
                // Of a symmetric matrix what lies below the diagonal is that above.
                if symmetric && i >= j + w {
                    continue;
                }
                launch(Pairing {
                    i0: i as i32,
                    j0: j as i32,
                    width: w as i32,
                    pairs: (w * h) as i32,
                    symmetric: symmetric as i32,
                })?;
            }
        }
        Ok(())
    }

    fn args(&self, plan: &PairsPlan<S>, pairing: Pairing, stream: &Stream<'_>) -> Result<WaveArgs> {
        let (transform, chunk) = (&self.asked.transform, &plan.chunk);
        let edge = 2 * plan.columns;
        let mut args = WaveArgs {
            x: plan.x.side(stream),
            y: plan.y.side(stream),
            pairing,
            channels: plan.x.channels() as i32,
            time: transform.time.is_some() as i32,
            x_order: self.asked.orders.0 as i32,
            y_order: self.asked.orders.1 as i32,
            lead_lag: self.lead_lag() as i32,
            lanes: plan.lanes as i32,
            strips: plan.strips as i32,
            ticket: stream.at(chunk.counters),
            progress: stream.at(chunk.counters) + 4,
            out_columns: if self.gram { plan.y.count as i32 } else { 0 },
            edges: stream.at(chunk.edges),
            // Going back begins from the edges of all strips, forth alone needs the last.
            edge_strip: if self.back() { edge as i64 } else { 0 },
            edge_item: (if self.back() { edge * (plan.strips - 1) } else { edge }) as i64,
            ..WaveArgs::default()
        };
        if self.grid {
            let (rows, columns) = self.grid_shape()?;
            (args.grid_rows, args.grid_columns) = (rows as i64, columns as i64);
        }
        Ok(args)
    }

    fn part(&self, plan: &PairsPlan<S>, pairing: Pairing, stream: &Stream<'_>) -> Result<()> {
        let mut args = self.args(plan, pairing, stream)?;
        let (name, blocks) = (plan.instance.name, plan.chunk.blocks);
        stream.zero(plan.chunk.counters)?;
        let (weights, to) = match self.wanted {
            Wanted::Gradients(weights, _) => (weights, self.wants()),
            Wanted::Values(out) if self.grid => {
                args.grid = out;
                let (rows, columns) = self.grid_shape()?;
                stream.plain(
                    &S::kernel("sigkernel_frame"),
                    &args,
                    product(&[pairing.pairs as usize, rows, columns])?,
                )?;
                return stream.launch(name, &args, blocks);
            }
            Wanted::Values(out) => {
                args.out = out;
                return stream.launch(name, &args, blocks);
            }
        };
        let chunk = &plan.chunk;
        args.state_strip = plan.state_strip() as i64;
        args.state_item = args.state_strip * plan.strips as i64;
        if chunk.keep {
            args.states = stream.at(chunk.states);
        }
        stream.launch(name, &args, blocks)?;

        stream.zero(chunk.counters)?;
        if !chunk.keep {
            args.scratch = stream.at(chunk.states);
        }
        args.weights = weights;
        args.handed = stream.at(chunk.handed);
        let fold = plan.instance.fold;
        let tiles = [plan.rows >> fold, plan.columns >> fold];
        args.handed_item = ((3 * tiles[1]) << fold) as i64;
        [args.x_tiles, args.y_tiles] = tiles.map(|tiles| tiles as i64);
        args.x_gradients = if to[0] { stream.at(chunk.tiles[0]) } else { 0 };
        args.y_gradients = if to[1] { stream.at(chunk.tiles[1]) } else { 0 };
        stream.launch(name, &args, blocks)?;
        self.gather(plan, &args, false, stream)?;
        self.gather(plan, &args, true, stream)
    }

    /// Adds what a launch found to the sums of a side.
    fn gather(&self, plan: &PairsPlan<S>, args: &WaveArgs, of_y: bool, stream: &Stream<'_>) -> Result<()> {
        let Some(sums) = plan.sums[of_y as usize] else {
            return Ok(());
        };
        let (side, order) = if of_y {
            (&plan.y, self.asked.orders.1)
        } else {
            (&plan.x, self.asked.orders.0)
        };
        let gathered = GatherArgs {
            gradients: if of_y { args.y_gradients } else { args.x_gradients },
            sums: stream.at(sums),
            counts: side.side(stream).counts,
            pitch: if of_y { args.y_tiles } else { args.x_tiles },
            sums_pitch: side.sums_pitch() as i64,
            pairing: args.pairing,
            paths: side.count as i32,
            dim: side.dim as i32,
            fold: order as i32 + self.lead_lag() as i32 - plan.instance.fold as i32,
            of_y: of_y as i32,
            scale: S::from_f64(if of_y { 1.0 } else { self.scale() }),
        };
        let elements = product(&[side.count, side.dim, side.sums_pitch()])?;
        stream.plain(&S::kernel("gather"), &gathered, elements)
    }

    fn scatter(&self, plan: &PairsPlan<S>, to: [Option<u64>; 2], stream: &Stream<'_>) -> Result<()> {
        let at = |side: usize| plan.sums[side].map_or(0, |sums| stream.at(sums));
        let symmetric = self.y.is_none();
        if let Some(to) = to[0] {
            let more = if symmetric { at(1) } else { 0 };
            plan.x.scatter((0, plan.x.count), [at(0), more], to, stream)?;
        }
        if let Some(to) = to[1] {
            plan.y.scatter((0, plan.y.count), [at(1), 0], to, stream)?;
        }
        Ok(())
    }
}

impl<S> PairsPlan<S> {
    /// Numbers of the states of a strip.
    fn state_strip(&self) -> usize {
        let tiles = self.columns >> self.instance.fold;
        let steps = (tiles + self.lanes - 1).next_multiple_of(self.lanes.max(PERIOD));
        steps / PERIOD * self.instance.state() * WARP
    }

    /// What an item of `each` pairs needs, in bytes.
    fn item(&self, width: usize, each: usize, wants: [bool; 2]) -> Result<Item> {
        let (strips, fold) = (self.strips, self.instance.fold);
        let edges = if self.instance.back {
            strips - 1
        } else {
            (strips - 1).min(1)
        };
        let tiles = [self.rows >> fold, self.columns >> fold];
        let gradients = |side: usize| product(&[wants[side] as usize, each, self.x.dim, tiles[side], width]);
        Ok(Item {
            counters: 4 * strips,
            edges: product(&[edges, 2 * self.columns, width])?,
            states: product(&[self.instance.back as usize, self.state_strip(), strips, width])?,
            handed: product(&[(self.instance.back && strips > 1) as usize, 3 * self.columns, width])?,
            tiles: [gradients(0)?, gradients(1)?],
        })
    }
}

impl Item {
    /// All but the states.
    fn fixed(&self) -> usize {
        self.counters + self.edges + self.handed + self.tiles[0] + self.tiles[1]
    }
}

impl Chunk {
    fn none() -> Chunk {
        let none = Region::default();
        Chunk {
            pairs: 1,
            blocks: Blocks {
                blocks: 1,
                warps: 1,
                shared: 0,
            },
            keep: true,
            counters: none,
            edges: none,
            states: none,
            handed: none,
            tiles: [none; 2],
        }
    }

    /// How many of the pairs go together, within the budget, and how their launch is shaped.
    fn new<S: Number>(
        job: &PairsJob<'_, S>,
        plan: &PairsPlan<S>,
        pairs: usize,
        device: &Device,
        budget: usize,
        space: &mut Space,
    ) -> Result<Chunk> {
        let (instance, strips, each) = (plan.instance, plan.strips, WARP / plan.lanes);
        let item = plan.item(size_of::<S>(), each, job.wants())?;
        let all = pairs.div_ceil(each).min((MOST_TICKETS / (strips * each)).max(1));
        let mut blocks = device.blocks(instance.name, instance.shared(), all * strips)?;
        // States are kept where that leaves the device with enough to do.
        let busy = (blocks.blocks * blocks.warps).div_ceil(strips).min(all);
        let keep = busy.saturating_mul(item.fixed().saturating_add(item.states)) <= budget;
        let mut room = budget;
        let strip = item.states / strips;
        if !keep && job.back() {
            let warps = (budget / 2 / strip.max(1)).clamp(1, blocks.blocks * blocks.warps);
            blocks = blocks.with_warps(warps, instance.shared());
            room = budget.saturating_sub(blocks.blocks * blocks.warps * strip);
        }
        let one = item.fixed() + if keep { item.states } else { 0 };
        let items = (room / one.max(1)).clamp(1, all);
        let pairs = Self::whole(job, plan, (items * each).min(pairs));
        let items = pairs.div_ceil(each);
        let states = if keep { items } else { blocks.blocks * blocks.warps };
        let each_state = if keep { item.states } else { strip };
        Ok(Chunk {
            pairs,
            blocks,
            keep,
            counters: space.take(&[1 + items * strips, 4])?,
            edges: space.take(&[items, item.edges])?,
            states: space.take(&[states, each_state])?,
            handed: space.take(&[items, item.handed])?,
            tiles: [
                space.take(&[items, item.tiles[0]])?,
                space.take(&[items, item.tiles[1]])?,
            ],
        })
    }

    /// As many pairs as the blocks of a Gram matrix have.
    fn whole<S>(job: &PairsJob<'_, S>, plan: &PairsPlan<S>, pairs: usize) -> usize {
        if !job.gram {
            return pairs;
        }
        let width = pairs.min(plan.y.count);
        width * (pairs / width).clamp(1, plan.x.count)
    }
}

impl Blocks {
    /// No more than `most` warps in all.
    fn with_warps(self, most: usize, shared: usize) -> Blocks {
        let warps = self.warps.min(most).min(MOST_WARPS);
        let blocks = self.blocks.min(most / warps);
        Blocks {
            blocks,
            warps,
            shared: shared * warps,
        }
    }
}
