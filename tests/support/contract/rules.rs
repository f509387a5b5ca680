//! One row a function: what its options may say and how long its result is. A new function gets a row here.

use goursat::ffi::{
    GOURSAT_DIRECT, GOURSAT_LAG_FIRST, GOURSAT_LEAD_LAG, GOURSAT_SCALAR_TERM, GOURSAT_SYMMETRIC, GOURSAT_TIME_AUG,
};

/// The flags of this version, all others are unknown.
pub const FLAGS: [(u64, &str); 6] = [
    (GOURSAT_TIME_AUG, "GOURSAT_TIME_AUG"),
    (GOURSAT_LEAD_LAG, "GOURSAT_LEAD_LAG"),
    (GOURSAT_LAG_FIRST, "GOURSAT_LAG_FIRST"),
    (GOURSAT_SCALAR_TERM, "GOURSAT_SCALAR_TERM"),
    (GOURSAT_SYMMETRIC, "GOURSAT_SYMMETRIC"),
    (GOURSAT_DIRECT, "GOURSAT_DIRECT"),
];

/// The options that the rules know; a test compares them with the header.
pub const OPTIONS: [&str; 23] = [
    "size",
    "flags",
    "end_time",
    "x_order",
    "y_order",
    "threads",
    "memory",
    "device",
    "reserved",
    "stream",
    "workspace",
    "workspace_size",
    "x_lengths",
    "y_lengths",
    "x_starts",
    "y_starts",
    "x_strides",
    "y_strides",
    "x_size",
    "y_size",
    "progress",
    "progress_data",
    "workspace_query",
];

/// What a function computes, and so how many numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gives {
    /// A length or a shape, where its pointers say.
    Numbers,
    Signature,
    Corner,
    Grid,
    Matrix,
    TimeAugment,
    LeadLag,
}

/// What a function accepts.
#[derive(Debug)]
pub struct Rules {
    /// Name without prefix, precision and `_backprop`.
    pub stem: &'static str,
    pub gives: Gives,
    pub flags: u64,
    /// Whether dyadic orders mean something.
    pub orders: bool,
    /// Lead-lag whatever the flags say.
    pub lead_lag: bool,
}

const TRANSFORMS: u64 = GOURSAT_TIME_AUG | GOURSAT_LEAD_LAG | GOURSAT_LAG_FIRST;

const fn rules(stem: &'static str, gives: Gives, flags: u64, orders: bool) -> Rules {
    let lead_lag = matches!(gives, Gives::LeadLag);
    Rules {
        stem,
        gives,
        flags,
        orders,
        lead_lag,
    }
}

static RULES: [Rules; 8] = [
    rules(
        "signature_length",
        Gives::Numbers,
        TRANSFORMS | GOURSAT_SCALAR_TERM | GOURSAT_DIRECT,
        false,
    ),
    rules("grid_shape", Gives::Numbers, TRANSFORMS, true),
    rules(
        "signature",
        Gives::Signature,
        TRANSFORMS | GOURSAT_SCALAR_TERM | GOURSAT_DIRECT,
        false,
    ),
    rules("sigkernel", Gives::Corner, TRANSFORMS, true),
    rules("sigkernel_grid", Gives::Grid, TRANSFORMS, true),
    rules("sigkernel_gram", Gives::Matrix, TRANSFORMS | GOURSAT_SYMMETRIC, true),
    rules("time_augment", Gives::TimeAugment, GOURSAT_TIME_AUG, false),
    rules("lead_lag", Gives::LeadLag, GOURSAT_LEAD_LAG | GOURSAT_LAG_FIRST, false),
];

pub fn of(name: &str) -> &'static Rules {
    let stem = name.trim_start_matches("goursat_");
    let stem = stem.trim_end_matches("_f64").trim_end_matches("_f32");
    let stem = stem.trim_end_matches("_backprop");
    let stem = if stem == "sig" { "signature" } else { stem };
    let found = RULES.iter().find(|rules| rules.stem == stem);
    found.unwrap_or_else(|| panic!("{name} has no row in tests/support/contract/rules.rs"))
}
