//! Cameras: real ones, a moving test picture, and Y4M files, all chosen from the same list.

pub mod choice;
#[cfg(target_os = "linux")]
mod mode;
#[cfg_attr(
    target_os = "linux",
    expect(dead_code, reason = "used elsewhere; compiled and tested here too")
)]
mod native;
mod synthetic;
#[cfg(target_os = "linux")]
mod v4l2;
mod y4m;

#[cfg(not(target_os = "linux"))]
use native as system;
#[cfg(target_os = "linux")]
use v4l2 as system;

use crate::painter::Frame;
use sightline_wire::{
    ErrorCode, Problem,
    device::{Device, DeviceKind},
};

/// What a call asks a camera for: pixels across, pixels down, pictures a second.
pub const WANTED: (u32, u32, f64) = (1280, 720, 30.0);

/// Delivers pictures at its own pace.
pub trait Camera {
    /// Waits for the next picture.
    fn next_frame(&mut self) -> Result<Frame, CameraFault>;
}

/// Why there is no picture.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CameraFault {
    /// Nothing to open.
    #[error("no camera")]
    Missing,
    /// Open elsewhere.
    #[error("in use: {0}")]
    Busy(String),
    /// The operating system withholds it.
    #[error("not allowed: {0}")]
    Denied(String),
    /// It stopped delivering.
    #[error("lost: {0}")]
    Lost(String),
}

impl CameraFault {
    /// For the person in front of the screen.
    pub fn problem(&self) -> Problem {
        match self {
            CameraFault::Missing => ErrorCode::CameraMissing.into(),
            CameraFault::Busy(_) => ErrorCode::CameraBusy.into(),
            CameraFault::Denied(_) => Problem::new(ErrorCode::CameraMissing)
                .saying("This computer's settings do not let Sightline use the camera."),
            CameraFault::Lost(_) => ErrorCode::CameraLost.into(),
        }
    }
}

/// The id of the moving test picture.
pub const SYNTHETIC: &str = "synthetic:camera";

/// All cameras, real ones first.
pub fn list() -> Vec<Device> {
    let mut devices = system::list();
    devices.push(Device {
        id: SYNTHETIC.into(),
        kind: DeviceKind::Camera,
        name: "Test picture".into(),
    });
    devices.extend(crate::files::list("y4m", DeviceKind::Camera));
    devices
}

/// The device file behind a camera, where the system has one.
pub fn node(id: Option<&str>) -> Option<std::path::PathBuf> {
    match id {
        Some(id) if id == SYNTHETIC || crate::files::path(id).is_some() => None,
        other => system::node(other),
    }
}

/// Opens a camera by its id; `None` takes the first real one.
pub fn open(id: Option<&str>) -> Result<Box<dyn Camera>, CameraFault> {
    match id {
        Some(SYNTHETIC) => Ok(Box::new(synthetic::TestPicture::new(1280, 720, 30))),
        Some(id) if let Some(path) = crate::files::path(id) => Ok(Box::new(y4m::Y4mFile::open(&path)?)),
        other => Ok(Box::new(system::NativeCamera::open(other)?)),
    }
}
