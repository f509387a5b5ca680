//! Time augmentation and lead-lag as results of their own, and their adjoints.

use super::args::TransformArgs;
use super::call::{Job, Planned};
use super::guard::Device;
use super::launch::Stream;
use super::sides::SidePlan;
use super::space::{Space, product};
use super::{Number, Paths};
use crate::error::Result;
use crate::path::Transform;

/// Which of them.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// Time as the last channel, with this end.
    TimeAugment(f64),
    /// The lag block first, or the lead.
    LeadLag(bool),
}

impl Which {
    /// Numbers of the transform of a path of these points and channels.
    pub(super) fn numbers(self, length: usize, dim: usize) -> Option<usize> {
        match self {
            Which::TimeAugment(_) => length.checked_mul(dim.checked_add(1)?),
            Which::LeadLag(_) => (2 * length - 1).checked_mul(dim.checked_mul(2)?),
        }
    }
}

pub(super) struct TransformJob<'a, S> {
    pub paths: Paths<'a, S>,
    pub which: Which,
    pub back: bool,
    /// Paths, or gradients of their transforms; where results go.
    pub given: u64,
    pub result: u64,
}

pub(super) struct TransformPlan<S> {
    bytes: usize,
    side: SidePlan<S>,
}

impl<S> Planned for TransformPlan<S> {
    fn bytes(&self) -> usize {
        self.bytes
    }
}

impl<S: Number> Job for TransformJob<'_, S> {
    type Plan = TransformPlan<S>;

    /// Only lists need space.
    fn plan(&self, _: &Device, _: usize) -> Result<TransformPlan<S>> {
        let space = &mut Space::default();
        let side = SidePlan::new(&self.paths, 0, &Transform::default(), space)?;
        let bytes = space.bytes;
        Ok(TransformPlan { bytes, side })
    }

    fn run(&self, plan: &TransformPlan<S>, stream: &Stream<'_>) -> Result<()> {
        plan.side.upload(&self.paths, stream)?;
        let [lengths, starts] = plan.side.lists(stream);
        let shape = &self.paths.shape;
        let (count, length, dim) = (shape.batch(), shape.length(), shape.dim());
        let (lead_lag, lag_first, end_time) = match self.which {
            Which::TimeAugment(end) => (false, false, end),
            Which::LeadLag(lag_first) => (true, lag_first, 0.0),
        };
        let args = TransformArgs {
            given: self.given,
            result: self.result,
            starts,
            lengths,
            strides: shape.strides(),
            count: count as i32,
            length: length as i32,
            dim: dim as i32,
            lead_lag: lead_lag as i32,
            lag_first: lag_first as i32,
            end_time,
        };
        if self.back {
            return stream.plain(&S::kernel("transform_back"), &args, product(&[count, length, dim])?);
        }
        let each = self.which.numbers(length, dim).unwrap_or(usize::MAX);
        stream.plain(&S::kernel("transform"), &args, product(&[count, each])?)
    }
}
