//! What kernels are given: the structs of `kernels/*.cuh`, field by field. Addresses are on the device; 0 is their null.

/// Lists that a launch carries, in words of 8 bytes: of `increments.cuh`.
pub(super) const CARRIED: usize = 496;

#[repr(C)]
pub(super) struct ListArgs {
    pub to: u64,
    pub count: i32,
    pub values: [i64; CARRIED],
}

#[repr(C)]
#[derive(Default)]
pub(super) struct PathsArgs {
    pub paths: u64,
    pub starts: u64,
    pub lengths: u64,
    pub strides: [i64; 3],
    pub increments: u64,
    pub counts: u64,
    pub pitch: i64,
    pub first: i32,
    pub count: i32,
    pub length: i32,
    pub dim: i32,
    pub time: i32,
    pub lead_lag: i32,
    pub scale: f64,
    pub end_time: f64,
}

#[repr(C)]
pub(super) struct TransformArgs {
    pub given: u64,
    pub result: u64,
    pub starts: u64,
    pub lengths: u64,
    pub strides: [i64; 3],
    pub count: i32,
    pub length: i32,
    pub dim: i32,
    pub lead_lag: i32,
    pub lag_first: i32,
    pub end_time: f64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(super) struct Pairing {
    pub i0: i32,
    pub j0: i32,
    /// Pairs a row of a Gram matrix; 0: x_i with y_i.
    pub width: i32,
    pub pairs: i32,
    pub symmetric: i32,
}

#[repr(C)]
#[derive(Default)]
pub(super) struct GatherArgs<S> {
    pub gradients: u64,
    pub sums: u64,
    pub counts: u64,
    pub pitch: i64,
    pub sums_pitch: i64,
    pub pairing: Pairing,
    pub paths: i32,
    pub dim: i32,
    pub fold: i32,
    pub of_y: i32,
    pub scale: S,
}

#[repr(C)]
#[derive(Default)]
pub(super) struct ScatterArgs {
    pub sums: u64,
    pub more: u64,
    pub gradient: u64,
    pub starts: u64,
    pub lengths: u64,
    pub sums_pitch: i64,
    pub count: i32,
    pub length: i32,
    pub dim: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(super) struct Side {
    pub increments: u64,
    pub counts: u64,
    pub pitch: i64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(super) struct WaveArgs {
    pub x: Side,
    pub y: Side,
    pub pairing: Pairing,
    pub channels: i32,
    pub time: i32,
    pub x_order: i32,
    pub y_order: i32,
    pub lead_lag: i32,
    pub lanes: i32,
    pub strips: i32,
    pub ticket: u64,
    pub progress: u64,
    pub out: u64,
    pub out_columns: i32,
    pub grid: u64,
    pub grid_rows: i64,
    pub grid_columns: i64,
    pub edges: u64,
    pub edge_item: i64,
    pub edge_strip: i64,
    pub states: u64,
    pub state_item: i64,
    pub state_strip: i64,
    pub weights: u64,
    pub handed: u64,
    pub handed_item: i64,
    pub scratch: u64,
    pub x_gradients: u64,
    pub y_gradients: u64,
    pub x_tiles: i64,
    pub y_tiles: i64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(super) struct SignatureArgs {
    pub increments: u64,
    pub counts: u64,
    pub pitch: i64,
    pub paths: i32,
    pub dim: i32,
    pub time: i32,
    pub lead_lag: i32,
    pub lag_first: i32,
    pub degree: i32,
    pub letters: i32,
    pub pieces: i32,
    pub size: i64,
    pub out: u64,
    pub state: u64,
    pub weights: u64,
    pub shares: i32,
    pub partial: u64,
    pub steps: i64,
    pub checkpoints: u64,
    pub gradients: u64,
    pub gradients_pitch: i64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(super) struct ChenArgs {
    pub counts: u64,
    pub paths: i32,
    pub letters: i32,
    pub degree: i32,
    pub level: i32,
    pub slots: i32,
    pub size: i64,
    pub pieces: u64,
    pub joined: u64,
    pub stride: i64,
    pub offset: i64,
    pub joined_weights: u64,
    pub weights: u64,
}

// As large as the PTX says that they are.
const _: () = {
    assert!(
        size_of::<ListArgs>() == 3984
            && size_of::<PathsArgs>() == 112
            && size_of::<TransformArgs>() == 88
            && size_of::<ScatterArgs>() == 64
    );
    assert!(size_of::<GatherArgs<f32>>() == 80 && size_of::<GatherArgs<f64>>() == 88);
    assert!(size_of::<WaveArgs>() == 264 && size_of::<SignatureArgs>() == 136 && size_of::<ChenArgs>() == 88);
};
