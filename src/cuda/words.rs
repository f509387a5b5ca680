//! Signatures and their gradients: pieces of paths, joined in a tree by Chen's identity.

use super::args::{ChenArgs, SignatureArgs};
use super::call::{Job, Planned};
use super::guard::Device;
use super::launch::{Blocks, Stream, WARP};
use super::sides::SidePlan;
use super::space::{Region, Space, product};
use super::{Number, Paths};
use crate::error::{Error, Result, unsupported_error};
use crate::memory::try_with_room;
use crate::path::LeadLag;
use crate::signature::Options;

/// Of the kernels: words of a thread that differ in their first letter, increments of a piece, steps between two states
/// that are kept, degrees that are compiled, numbers of a thread's letter in memory for others.
const FIRST_LETTERS: usize = 8;
const PIECE: usize = 256;
const KEPT: usize = 8;
const COMPILED: usize = 7;
const STATE: usize = 6;
/// Bytes of shared memory a warp for letters.
const LETTERS: usize = 4096;
/// Warps that share the words of a piece on the way back, at most. Sums are in the order of shares: shapes decide.
const SHARES: usize = 16;
/// Levels that are counted without overflow anyway; what walks a word takes its time squared.
const MOST_DEGREE: usize = 1 << 20;

pub(super) enum WordsWanted {
    Values(u64),
    /// Weights of the coefficients, and where the gradient goes.
    Gradient(u64, u64),
}

pub(super) struct WordsJob<'a, S> {
    pub paths: Paths<'a, S>,
    pub asked: Options,
    pub wanted: WordsWanted,
}

/// Where the parts of a chunk of paths lie.
pub(super) struct WordsPlan<S> {
    bytes: usize,
    side: SidePlan<S>,
    letters: usize,
    /// Coefficients, without level 0.
    size: usize,
    /// Of a path, at each level of the tree.
    slots: Vec<usize>,
    nodes: Vec<Region>,
    forth: Blocks,
    state: Region,
    back: Option<BackPlan>,
}

struct BackPlan {
    blocks: Blocks,
    shares: usize,
    steps: usize,
    weights: Vec<Region>,
    partial: Region,
    checkpoints: Region,
    gradients: Region,
}

impl<S> Planned for WordsPlan<S> {
    fn bytes(&self) -> usize {
        self.bytes
    }
}

impl<S: Number> WordsJob<'_, S> {
    fn lead_lag(&self) -> usize {
        (self.asked.transform.lead_lag != LeadLag::Off) as usize
    }

    fn name(&self, what: &str) -> String {
        let kernel = S::kernel(what);
        match self.asked.degree {
            degree @ 1..=COMPILED => format!("{kernel}_{degree}"),
            _ => format!("{kernel}_any"),
        }
    }

    fn back(&self) -> bool {
        matches!(self.wanted, WordsWanted::Gradient(..))
    }

    /// Numbers of a thread's state in memory.
    fn state(&self) -> usize {
        if self.asked.degree > COMPILED {
            STATE * (self.asked.degree + 1)
        } else {
            0
        }
    }

    /// Coefficients of a path in results, level 0 included where it is asked for, and where level 1 begins.
    fn row(&self, size: usize) -> (usize, usize) {
        let scalar = self.asked.scalar_term as usize;
        (size + scalar, scalar)
    }
}

/// A tree's slots a level: half as many each time, the last step leads to one.
fn slots(pieces: usize) -> Result<Vec<usize>> {
    let mut slots = try_with_room(usize::BITS as usize)?;
    slots.push(pieces);
    let mut last = pieces;
    while last > 2 {
        last = last.div_ceil(2);
        slots.push(last);
    }
    Ok(slots)
}

impl<S: Number> Job for WordsJob<'_, S> {
    type Plan = WordsPlan<S>;

    fn plan(&self, device: &Device, budget: usize) -> Result<WordsPlan<S>> {
        let degree = self.asked.degree;
        if degree > MOST_DEGREE {
            unsupported_error!("degree is {degree}; CUDA devices are given at most {MOST_DEGREE}");
        }
        let batch = self.paths.shape.batch();
        let one = self.plan_for(device, 1)?;
        // What grows with the paths, from plans of one and of two.
        let fixed_and_one = one.bytes;
        if batch < 2 {
            return self.plan_for(device, batch);
        }
        let each = self.plan_for(device, 2)?.bytes.saturating_sub(fixed_and_one).max(1);
        let mut count = (budget / each).clamp(1, batch);
        let mut plan = self.plan_for(device, count)?;
        while plan.bytes > budget && count > 1 {
            count /= 2;
            plan = self.plan_for(device, count)?;
        }
        Ok(plan)
    }

    fn run(&self, plan: &WordsPlan<S>, stream: &Stream<'_>) -> Result<()> {
        plan.side.upload(&self.paths, stream)?;
        let batch = self.paths.shape.batch();
        for first in (0..batch).step_by(plan.side.count.max(1)) {
            self.chunk(plan, first, plan.side.count.min(batch - first), stream)?;
        }
        Ok(())
    }
}

impl<S: Number> WordsJob<'_, S> {
    /// With `count` paths at a time.
    fn plan_for(&self, device: &Device, count: usize) -> Result<WordsPlan<S>> {
        let (transform, width) = (&self.asked.transform, size_of::<S>());
        let space = &mut Space::default();
        let side = SidePlan::new(&self.paths, count, transform, space)?;
        let size = self.asked.length(side.dim)? - self.asked.scalar_term as usize;
        let letters = transform.dim(side.dim).ok_or(Error::Memory(usize::MAX))?;
        let slots = slots((side.longest - 1).div_ceil(PIECE).max(1))?;
        let mut nodes = try_with_room(slots.len())?;
        for slots in &slots {
            nodes.push(space.take(&[count, *slots, size, width])?);
        }
        let units = units(letters, self.asked.degree);
        let work = product(&[units, slots[0], count]).unwrap_or(usize::MAX / 2);
        let forth = device.blocks(&self.name("signature"), LETTERS, work)?;
        let mut warps = forth.blocks * forth.warps;
        let mut back = None;
        if self.back() {
            let plan = self.plan_back(&side, &slots, [size, letters, units], device, space)?;
            warps = warps.max(plan.blocks.blocks * plan.blocks.warps);
            back = Some(plan);
        }
        let state = space.take(&[self.state(), warps, WARP, width])?;
        Ok(WordsPlan {
            bytes: space.bytes,
            side,
            letters,
            size,
            slots,
            nodes,
            forth,
            state,
            back,
        })
    }

    fn plan_back(
        &self,
        side: &SidePlan<S>,
        slots: &[usize],
        [size, letters, units]: [usize; 3],
        device: &Device,
        space: &mut Space,
    ) -> Result<BackPlan> {
        let (count, width) = (side.count, size_of::<S>());
        let shares = units.min(SHARES);
        let steps = ((side.length - 1) << self.lead_lag()).max(1);
        let mut weights = try_with_room(slots.len())?;
        for slots in slots {
            weights.push(space.take(&[count, *slots, size, width])?);
        }
        let work = product(&[shares, slots[0], count])?;
        let blocks = device.blocks(&self.name("signature_back"), LETTERS + WARP * width, work)?;
        let numbers = [
            (PIECE << self.lead_lag()) / KEPT + KEPT,
            self.asked.degree - 1,
            WARP,
            width,
        ];
        let each = product(&numbers)?;
        Ok(BackPlan {
            blocks,
            shares,
            steps,
            weights,
            partial: space.take(&[count, shares, steps, letters, width])?,
            checkpoints: space.take(&[blocks.blocks * blocks.warps, each])?,
            gradients: side.sums(space)?,
        })
    }

    fn chunk(&self, plan: &WordsPlan<S>, first: usize, count: usize, stream: &Stream<'_>) -> Result<()> {
        let transform = &self.asked.transform;
        plan.side
            .increments(&self.paths, (first, count), transform, 1.0, stream)?;
        let side = plan.side.side(stream);
        let mut args = SignatureArgs {
            increments: side.increments,
            counts: side.counts,
            pitch: side.pitch,
            paths: count as i32,
            dim: plan.side.dim as i32,
            time: transform.time.is_some() as i32,
            lead_lag: self.lead_lag() as i32,
            lag_first: (transform.lead_lag == LeadLag::LagFirst) as i32,
            degree: self.asked.degree as i32,
            letters: plan.letters as i32,
            pieces: plan.slots[0] as i32,
            size: plan.size as i64,
            out: stream.at(plan.nodes[0]),
            state: stream.at(plan.state),
            ..SignatureArgs::default()
        };
        stream.launch(&self.name("signature"), &args, plan.forth)?;
        let (row, offset) = self.row(plan.size);
        let from = |address: u64| address + (first * row * size_of::<S>()) as u64;
        let last = plan.slots.len() - 1;
        for level in 0..last {
            self.join(plan, level, &args, stream)?;
        }
        match (&self.wanted, &plan.back) {
            (WordsWanted::Values(out), _) => {
                let mut top = self.chen(plan, last, &args, stream);
                (top.joined, top.stride, top.offset) = (from(*out), row as i64, offset as i64);
                self.launch_chen("chen", plan, &top, stream)
            }
            (WordsWanted::Gradient(weights, gradient), Some(back)) => {
                self.go_back(plan, back, from(*weights), &mut args, stream)?;
                let sums = [stream.at(back.gradients), 0];
                plan.side.scatter((first, count), sums, *gradient, stream)
            }
            (WordsWanted::Gradient(..), None) => Ok(()),
        }
    }

    fn chen(&self, plan: &WordsPlan<S>, level: usize, args: &SignatureArgs, stream: &Stream<'_>) -> ChenArgs {
        ChenArgs {
            counts: args.counts,
            paths: args.paths,
            letters: args.letters,
            degree: args.degree,
            level: level as i32,
            slots: plan.slots[level] as i32,
            size: args.size,
            pieces: stream.at(plan.nodes[level]),
            stride: args.size,
            ..ChenArgs::default()
        }
    }

    /// Joins the pieces of a level two by two.
    fn join(&self, plan: &WordsPlan<S>, level: usize, args: &SignatureArgs, stream: &Stream<'_>) -> Result<()> {
        let mut joined = self.chen(plan, level, args, stream);
        joined.joined = stream.at(plan.nodes[level + 1]);
        self.launch_chen("chen", plan, &joined, stream)
    }

    fn launch_chen(&self, name: &str, plan: &WordsPlan<S>, args: &ChenArgs, stream: &Stream<'_>) -> Result<()> {
        let slots = plan.slots[args.level as usize];
        let elements = product(&[plan.size, slots, args.paths as usize])?;
        stream.plain(&S::kernel(name), args, elements)
    }

    /// From weights of results to gradients of increments.
    fn go_back(
        &self,
        plan: &WordsPlan<S>,
        back: &BackPlan,
        weights: u64,
        args: &mut SignatureArgs,
        stream: &Stream<'_>,
    ) -> Result<()> {
        let (row, offset) = self.row(plan.size);
        let last = plan.slots.len() - 1;
        for level in (0..=last).rev() {
            let mut split = self.chen(plan, level, args, stream);
            if level == last {
                (split.joined_weights, split.stride, split.offset) = (weights, row as i64, offset as i64);
            } else {
                split.joined_weights = stream.at(back.weights[level + 1]);
            }
            split.weights = stream.at(back.weights[level]);
            self.launch_chen("chen_back", plan, &split, stream)?;
        }
        stream.zero(back.partial)?;
        args.weights = stream.at(back.weights[0]);
        args.shares = back.shares as i32;
        args.partial = stream.at(back.partial);
        args.steps = back.steps as i64;
        args.checkpoints = stream.at(back.checkpoints);
        args.gradients = stream.at(back.gradients);
        args.gradients_pitch = plan.side.sums_pitch() as i64;
        stream.launch(&self.name("signature_back"), args, back.blocks)?;
        let elements = product(&[args.paths as usize, plan.side.dim, plan.side.sums_pitch()])?;
        stream.plain(&S::kernel("signature_collect"), args, elements)
    }
}

/// Units of work of a piece: 32 suffixes, 8 first letters.
fn units(letters: usize, degree: usize) -> usize {
    let suffixes = (1..degree)
        .try_fold(1usize, |n, _| n.checked_mul(letters))
        .unwrap_or(usize::MAX);
    suffixes.div_ceil(WARP).saturating_mul(letters.div_ceil(FIRST_LETTERS))
}
