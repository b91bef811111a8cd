//! Virtual time for tests and measurements: a seeded lossy network and calls over it, with the product's own engine
//! core at both ends and no thread, socket or clock. Never part of the product.

pub mod encoder;
pub mod network;
pub mod rfc8867;
pub mod side;
pub mod tcp;
pub mod world;
