//! The media engine: devices, codecs, transport and playout of one call.
//!
//! A [`Session`] is one call's media. It owns every thread and every device handle of that call:
//! dropping it turns the camera light off and joins all threads. Commands go in through its methods,
//! which never block; what happens comes out as [`MediaEvent`]s; pictures go to a [`Painter`].
//!
//! Inside, one thread ([`run`]) owns the peer connection ([`peer`], sans-I/O str0m) and takes every
//! event from one queue. Camera ([`video_send`]), microphone and speaker ([`audio`]) and the decoder
//! ([`video_receive`]) each have a thread of their own, so that no device can hold the network up.
//!
//! Apart from calls, [`measure`] opens the same devices and relays for a self-test and says what they are like.

mod again;
mod audio;
mod beginning;
mod camera;
pub mod clock;
mod connection;
mod dtls;
mod early;
mod figures;
mod files;
pub mod fuzz;
mod hardware;
pub mod line;
pub mod measure;
mod message;
mod offer;
mod pacing;
pub mod painter;
mod peer;
mod pulse;
mod quality;
pub mod rate;
mod run;
mod screen;
mod screen_send;
pub mod session;
mod sync;
mod transport;
mod video_receive;
mod video_send;
mod work;

pub use camera::choice::CameraChoice;
pub use painter::{Frame, Painter, Tile};
pub use session::{MediaEvent, Session, SessionConfig};
pub use sightline_picture::{barcode, pixels as picture, scale, vp8};

use sightline_wire::{device::Device, screen::ScreenList};

/// Every camera, microphone and speaker, the system's in its own order and the synthetic ones last.
/// May take up to a second: call it off the main thread.
pub fn list_devices() -> Vec<Device> {
    let mut devices = camera::list();
    devices.extend(audio::devices::list());
    devices
}

/// Every window and monitor that can be shared now, with small pictures, and the test page. May take a second:
/// call it off the main thread.
pub fn list_screens() -> ScreenList {
    screen::list()
}
