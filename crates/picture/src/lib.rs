//! Pictures without devices: what one is, its pixels, its code.
//!
//! The media engine uses this for every call, the server for the echo peer of a self-test. Nothing here opens a
//! device, a socket or a file, or reads a clock.

pub mod barcode;
mod frame;
pub mod pixels;
pub mod scale;
pub mod scene;
pub mod vp8;

pub use frame::Frame;
