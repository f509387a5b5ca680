//! The kernels that there are, as their lists say, and which of them does a call.

use super::launch::WARP;
use std::sync::OnceLock;

/// Steps between two states that are kept, of `sigkernel_problem.cuh`.
pub(super) const PERIOD: usize = 8;

/// A kernel of the lists of `kernels`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Instance {
    pub name: &'static str,
    /// Bytes of a number.
    pub width: usize,
    /// The most channels; 0: any.
    pub channels: usize,
    /// By tensor cores.
    pub tensor: bool,
    /// Rows of a lane.
    pub rows: usize,
    /// Columns of a tile, as a power of two.
    pub fold: u32,
    pub lead_lag: bool,
    pub grid: bool,
    pub back: bool,
}

/// What a call needs of a kernel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Need {
    pub width: usize,
    pub back: bool,
    pub grid: bool,
    pub dim: usize,
    /// Whether tensor cores are there: not whether a batch is large enough, as bits are not to depend on it.
    pub tensor: bool,
    pub time: bool,
    pub lead_lag: bool,
    pub orders: (u32, u32),
}

impl Instance {
    fn all() -> &'static [Instance] {
        static ALL: OnceLock<Vec<Instance>> = OnceLock::new();
        ALL.get_or_init(|| {
            let forth = include_str!("../../kernels/sigkernel_forward.list");
            let back = include_str!("../../kernels/sigkernel_backward.list");
            let tensor = include_str!("../../kernels/sigkernel_tensor.list");
            let lines = forth.lines().chain(back.lines()).chain(tensor.lines());
            lines.filter_map(Instance::read).collect()
        })
    }

    /// From `FORWARD(name, number type, channels, rows, fold, lead-lag, grids)`, `BACKWARD(…)` or `TENSOR(…)`.
    fn read(line: &'static str) -> Option<Instance> {
        let (kind, rest) = line.split_once('(')?;
        let fields: Vec<&str> = rest.strip_suffix(')')?.split(", ").collect();
        let &[name, number, channels, rows, fold, lead_lag, grid] = fields.as_slice() else {
            return None;
        };
        Some(Instance {
            name,
            width: if number == "float" { 4 } else { 8 },
            channels: channels.parse().ok()?,
            tensor: kind == "TENSOR",
            rows: rows.parse().ok()?,
            fold: fold.parse().ok()?,
            lead_lag: lead_lag == "true",
            grid: grid == "true",
            back: kind == "BACKWARD",
        })
    }

    /// Tensor cores where they pay; or the narrowest that has the channels. Where both orders cut increments, or
    /// lead-lag doubles them, one whose tiles share them.
    pub fn choose(need: &Need) -> Option<&'static Instance> {
        let shares = need.lead_lag || need.orders.0 > 0 && need.orders.1 > 0;
        // Lead-lag has time in a place of its own.
        let channels = need.dim + (need.time && !need.lead_lag) as usize;
        let fits = |one: &&Instance| {
            let kind = (one.width, one.back, one.grid) == (need.width, need.back, need.grid);
            let holds = match one.channels {
                least if one.tensor => need.tensor && channels > least && !need.lead_lag,
                0 => true,
                most => most >= channels && one.lead_lag == need.lead_lag,
            };
            kind && holds && (one.fold == 0 || shares)
        };
        let order = |one: &&Instance| (!one.tensor, one.channels == 0, one.fold == 0, one.channels);
        Instance::all().iter().filter(fits).min_by_key(order)
    }

    /// Rows that share an increment of x, in a lane.
    fn shared_rows(&self) -> usize {
        self.rows >> self.fold
    }

    /// Numbers that a lane's state has.
    pub fn state(&self) -> usize {
        2 * self.rows + 2 * (1 << self.fold) + 3
    }

    /// Bytes of shared memory a warp: BYTES of the kernels.
    pub fn shared(&self) -> usize {
        let (columns, x_rows) = (1 << self.fold, self.shared_rows());
        let edges = 2 * WARP * columns * 2;
        let (ring, kept) = match self.channels {
            _ if self.tensor => ((WARP + 16) * ((WARP + 1) * x_rows / 2 + 1) * 16, 0),
            0 => (0, 8 * x_rows * WARP),
            channels => (80 * ((channels * self.width).div_ceil(16) | 1) * 16, 0),
        };
        let mut numbers = edges + kept;
        if self.back {
            let handed = WARP * columns * 3;
            numbers += 2 * handed + PERIOD * (columns * self.rows + x_rows) * WARP;
            numbers += WARP / PERIOD * PERIOD * self.channels;
        }
        ring + numbers * self.width
    }
}
