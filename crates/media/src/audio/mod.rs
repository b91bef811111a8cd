//! Sound: 48 kHz, mono, in frames of 10 ms everywhere inside the engine.

pub mod devices;
#[cfg(test)]
mod drift;
pub mod microphone;
pub mod playout;
pub mod processing;
mod reference;
mod resample;
pub mod speaker;
#[cfg(test)]
pub mod speech;
pub mod target;
pub mod timeline;
mod wav;

/// Samples a second.
pub const RATE: u32 = 48_000;

/// Samples of 10 ms.
pub const FRAME: usize = 480;

/// Samples of one Opus packet, 20 ms.
pub const PACKET: usize = 960;

/// 10 ms of sound.
pub type AudioFrame = [f32; FRAME];
