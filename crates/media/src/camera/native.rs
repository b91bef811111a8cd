//! Real cameras through nokhwa (AVFoundation, Media Foundation), where there is no V4L2.

use super::{Camera, CameraFault, WANTED};
use crate::painter::Frame;
use nokhwa::{
    NokhwaError, query,
    utils::{
        ApiBackend, CameraFormat, CameraIndex, CameraInfo, FrameFormat, RequestedFormat, RequestedFormatType,
        Resolution,
    },
};
use sightline_wire::device::{Device, DeviceKind};

/// Uncompressed first; MJPEG is what many webcams need for 720p at 30 frames.
const FORMATS: &[FrameFormat] = &[FrameFormat::YUYV, FrameFormat::NV12, FrameFormat::MJPEG];

pub struct NativeCamera {
    camera: nokhwa::Camera,
}

pub fn list() -> Vec<Device> {
    infos()
        .iter()
        .map(|info| Device {
            id: id(info),
            kind: DeviceKind::Camera,
            name: info.human_name(),
        })
        .collect()
}

fn infos() -> Vec<CameraInfo> {
    query(ApiBackend::Auto).unwrap_or_else(|error| {
        tracing::debug!(%error, "no cameras to list");
        Vec::new()
    })
}

fn id(info: &CameraInfo) -> String {
    format!("camera:{}:{}", info.index(), info.human_name())
}

fn find(wanted: Option<&str>) -> Option<CameraInfo> {
    let infos = infos();
    let info = match wanted {
        // Plugged in again it may have another number: then its name is enough.
        Some(wanted) => infos.iter().find(|info| id(info) == wanted).or_else(|| {
            let name = wanted.splitn(3, ':').nth(2)?;
            infos.iter().find(|info| info.human_name() == name)
        }),
        None => infos.first(),
    };
    info.cloned()
}

/// These systems have no device files.
pub fn node(_: Option<&str>) -> Option<std::path::PathBuf> {
    None
}

impl NativeCamera {
    pub fn open(wanted: Option<&str>) -> Result<Self, CameraFault> {
        let index: CameraIndex = find(wanted).ok_or(CameraFault::Missing)?.index().clone();
        let mut last = CameraFault::Missing;
        let (width, height, fps) = WANTED;
        let wishes = FORMATS.iter().map(|format| {
            let wish = CameraFormat::new(Resolution::new(width, height), *format, fps as u32);
            RequestedFormat::with_formats(RequestedFormatType::Closest(wish), std::slice::from_ref(format))
        });
        // What nokhwa calls closest has the wanted size, or does not exist: then any picture is better than none.
        let any = RequestedFormat::with_formats(RequestedFormatType::None, FORMATS);
        for request in wishes.chain([any]) {
            let opened = nokhwa::Camera::new(index.clone(), request)
                .and_then(|mut camera| camera.open_stream().map(|()| camera))
                .map_err(fault);
            match opened {
                Ok(camera) => return Ok(Self { camera }),
                Err(fault @ (CameraFault::Busy(_) | CameraFault::Denied(_))) => return Err(fault),
                Err(fault) => last = fault,
            }
        }
        Err(last)
    }
}

impl Camera for NativeCamera {
    fn next_frame(&mut self) -> Result<Frame, CameraFault> {
        let buffer = self.camera.frame().map_err(fault)?;
        let (width, height) = (buffer.resolution().width(), buffer.resolution().height());
        let frame = match buffer.source_frame_format() {
            FrameFormat::YUYV => Frame::from_yuyv(width, height, buffer.buffer()),
            FrameFormat::NV12 => Frame::from_nv12(width, height, buffer.buffer()),
            FrameFormat::MJPEG => Frame::from_jpeg(buffer.buffer()),
            FrameFormat::RAWRGB => Frame::from_rgb(width, height, buffer.buffer()),
            other @ (FrameFormat::GRAY | FrameFormat::RAWBGR) => {
                return Err(CameraFault::Lost(format!(
                    "the camera switched to {other}, which was not asked for"
                )));
            }
        };
        frame.map_err(|error| CameraFault::Lost(error.to_string()))
    }
}

impl Drop for NativeCamera {
    fn drop(&mut self) {
        if let Err(error) = self.camera.stop_stream() {
            tracing::debug!(%error, "the camera did not stop cleanly");
        }
    }
}

fn fault(error: NokhwaError) -> CameraFault {
    let text = error.to_string();
    // nokhwa passes the system's error on as text only.
    if text.contains("busy") || text.contains("os error 16") {
        return CameraFault::Busy(text);
    }
    if text.contains("ermission denied") || text.contains("os error 13") {
        return CameraFault::Denied(text);
    }
    match error {
        NokhwaError::OpenDeviceError(..) => CameraFault::Missing,
        _ => CameraFault::Lost(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_held_by_another_program_is_busy_not_lost() {
        let busy = NokhwaError::OpenStreamError("Device or resource busy (os error 16)".into());
        assert!(matches!(fault(busy), CameraFault::Busy(_)));
        let gone = NokhwaError::ReadFrameError("No such device (os error 19)".into());
        assert!(matches!(fault(gone), CameraFault::Lost(_)));
        let missing =
            NokhwaError::OpenDeviceError("/dev/video9".into(), "No such file or directory (os error 2)".into());
        assert!(matches!(fault(missing), CameraFault::Missing));
        let denied = NokhwaError::OpenDeviceError("0".into(), "V4L2 Error: Permission denied (os error 13)".into());
        assert!(matches!(fault(denied), CameraFault::Denied(_)));
    }
}
