//! What every route shares: refusals, bodies, origins, limits, frames.

pub mod body;
pub mod frames;
pub mod limits;
pub mod origin;
pub mod refusal;
