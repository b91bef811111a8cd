//! The media engine: devices, codecs, transport and playout of one call.
//!
//! A [`Session`] is one call's media. It owns every thread and every device handle of that call:
//! dropping it turns the camera light off and joins all threads. Commands go in through its methods,
//! which never block; what happens comes out as [`MediaEvent`]s; pictures go to a [`Painter`].

pub mod painter;
pub mod session;

pub use painter::{Frame, Painter, Tile};
pub use session::{MediaEvent, Session, SessionConfig};

use sightline_wire::device::Device;

/// Every camera, microphone and speaker, the system's in its own order and the synthetic ones last.
/// May take up to a second: call it off the main thread.
pub fn list_devices() -> Vec<Device> {
    Vec::new()
}
