//! Batches of paths as they lie in memory, what is done to them on the fly, and where gradients go.

mod batch;
mod gradient;
mod increments;
mod transform;

pub use batch::{Batch, Layout, Path};
pub use gradient::Gradient;
pub use increments::{Increments, scatter_increments};
pub use transform::{LeadLag, Transform, lead_lag, lead_lag_adjoint, time_augment, time_augment_adjoint};
