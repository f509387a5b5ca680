//! Batches of paths as they lie in memory, what is done to them on the fly, and where gradients go.

mod ahead;
mod batch;
mod gradient;
mod increments;
mod steps;
mod transform;
mod whole;

pub(crate) use ahead::Ahead;
pub use batch::{Batch, Layout, Path};
pub use gradient::Gradient;
pub use increments::{Increments, scatter_increments};
pub(crate) use steps::{Steps, put_steps};
pub use transform::{LeadLag, Transform, lead_lag, lead_lag_adjoint, time_augment, time_augment_adjoint};
pub use whole::{lead_lag_batch, lead_lag_batch_adjoint, time_augment_batch, time_augment_batch_adjoint};
