//! Cameras of Linux, through V4L2.

use super::{
    Camera, CameraFault, WANTED,
    mode::{Coding, Mode, best_first, within},
};
use crate::painter::Frame;
use sightline_wire::device::{Device, DeviceKind};
use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use v4l::{
    Format, FourCC, Fraction,
    buffer::{Flags, Type},
    frameinterval::FrameIntervalEnum,
    framesize::FrameSizeEnum,
    io::traits::CaptureStream,
    prelude::MmapStream,
    v4l_sys::{V4L2_CAP_VIDEO_CAPTURE, v4l2_capability},
    v4l2::{ioctl, vidioc::VIDIOC_QUERYCAP},
    video::{Capture, capture::Parameters},
};

/// Some cameras take long over their first picture. One that is silent for longer after that has stopped.
const FIRST: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(2);
/// So many of its best modes are worth trying: the bus may be too busy for the first.
const TRIES: usize = 3;
const BUFFERS: u32 = 4;

/// A device file that pictures come from.
struct Node {
    number: usize,
    name: String,
}

impl Node {
    fn id(&self) -> String {
        format!("camera:{}:{}", self.number, self.name)
    }

    fn path(&self) -> PathBuf {
        path(self.number)
    }
}

fn path(number: usize) -> PathBuf {
    format!("/dev/video{number}").into()
}

/// The first that was plugged in first.
fn nodes() -> Vec<Node> {
    let entries = fs::read_dir("/sys/class/video4linux").into_iter().flatten().flatten();
    let mut nodes: Vec<Node> = entries
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.strip_prefix("video")?.parse().ok()?;
            // The kernel cuts names, in the middle of a letter too.
            let name = String::from_utf8_lossy(&fs::read(entry.path().join("name")).ok()?)
                .trim()
                .to_owned();
            takes_pictures(&path(number)).then_some(Node { number, name })
        })
        .collect();
    nodes.sort_by_key(|node| node.number);
    nodes
}

/// A webcam has a second device file for data about its pictures, and codecs and outputs have some too. One that
/// cannot be asked counts: why, is said when it is opened. Each is asked once while it is there, because opening wakes
/// a webcam up, and the list is made every few seconds.
fn takes_pictures(path: &Path) -> bool {
    static ANSWERS: Mutex<BTreeMap<(u64, i64, i64), bool>> = Mutex::new(BTreeMap::new());
    let Ok(file) = fs::metadata(path) else { return false };
    let file = (file.ino(), file.ctime(), file.ctime_nsec());
    let mut answers = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(&answer) = answers.get(&file) {
        return answer;
    }
    match v4l::Device::with_path(path).map(|device| capabilities(&device)) {
        Ok(Some(found)) => *answers.entry(file).or_insert(found & V4L2_CAP_VIDEO_CAPTURE != 0),
        Ok(None) => true,
        Err(error) => error.raw_os_error() != Some(libc::ENODEV),
    }
}

/// Of this device file. The crate's own function for it insists on names in whole letters.
fn capabilities(device: &v4l::Device) -> Option<u32> {
    // SAFETY: the structure is plain numbers, and what VIDIOC_QUERYCAP fills in.
    let mut found: v4l2_capability = unsafe { std::mem::zeroed() };
    let into = (&raw mut found).cast();
    // SAFETY: `into` points to that structure.
    unsafe { ioctl(device.handle().fd(), VIDIOC_QUERYCAP, into) }.ok()?;
    Some(found.device_caps)
}

pub fn list() -> Vec<Device> {
    let device = |node: Node| Device {
        id: node.id(),
        kind: DeviceKind::Camera,
        name: node.name,
    };
    nodes().into_iter().map(device).collect()
}

fn find(wanted: Option<&str>) -> Option<Node> {
    let mut nodes = nodes();
    let at = match wanted {
        // Plugged in again it may have another number: then its name is enough.
        Some(wanted) => nodes.iter().position(|node| node.id() == wanted).or_else(|| {
            let name = wanted.splitn(3, ':').nth(2)?;
            nodes.iter().position(|node| node.name == name)
        })?,
        None => 0,
    };
    (at < nodes.len()).then(|| nodes.swap_remove(at))
}

/// The device file of a camera.
pub fn node(wanted: Option<&str>) -> Option<PathBuf> {
    Some(find(wanted)?.path())
}

pub struct NativeCamera {
    stream: MmapStream<'static>,
    coding: Coding,
    format: Format,
}

impl NativeCamera {
    pub fn open(wanted: Option<&str>) -> Result<Self, CameraFault> {
        let node = find(wanted).ok_or(CameraFault::Missing)?;
        let device = v4l::Device::with_path(node.path()).map_err(|error| match error.raw_os_error() {
            Some(libc::ENOENT | libc::ENODEV | libc::ENXIO) => CameraFault::Missing,
            _ => fault(error),
        })?;
        let mut last = CameraFault::Lost("it offers no picture that can be read".into());
        for mode in best_first(modes(&device)).into_iter().take(TRIES) {
            match Self::start(&device, mode) {
                Ok(camera) => return Ok(camera),
                Err(fault @ (CameraFault::Busy(_) | CameraFault::Denied(_))) => return Err(fault),
                Err(fault) => last = fault,
            }
        }
        Err(last)
    }

    fn start(device: &v4l::Device, mode: Mode) -> Result<Self, CameraFault> {
        let wish = Format::new(mode.width, mode.height, fourcc(mode.coding));
        // The driver may change the size to one that it likes better, not how the pixels come.
        let format = device.set_format(&wish).map_err(fault)?;
        if format.fourcc != wish.fourcc {
            return Err(CameraFault::Lost(format!(
                "it sends {} for {}",
                format.fourcc, wish.fourcc
            )));
        }
        if let Some((numerator, denominator)) = mode.interval {
            let wish = Parameters::new(Fraction::new(numerator, denominator));
            if let Err(error) = device.set_params(&wish) {
                tracing::debug!(%error, "the camera keeps its own rate");
            }
        }
        let mut stream = MmapStream::with_buffers(device, Type::VideoCapture, BUFFERS).map_err(fault)?;
        stream.set_timeout(FIRST);
        tracing::debug!(?mode, format.width, format.height, "camera");
        let coding = mode.coding;
        Ok(Self { stream, coding, format })
    }
}

impl Camera for NativeCamera {
    fn next_frame(&mut self) -> Result<Frame, CameraFault> {
        let asked = Instant::now();
        loop {
            let (bytes, about) = self.stream.next().map_err(fault)?;
            let bytes = bytes.get(..about.bytesused as usize).unwrap_or(bytes);
            let broken = about.flags.contains(Flags::ERROR);
            let frame = picture(bytes, self.coding, &self.format);
            self.stream.set_timeout(SILENCE);
            match frame {
                Ok(frame) if !broken => return Ok(frame),
                // A busy bus loses a part of a picture now and then; the next one is soon there.
                _ if asked.elapsed() < SILENCE => {}
                Ok(_) => return Err(CameraFault::Lost("its pictures come broken".into())),
                Err(fault) => return Err(fault),
            }
        }
    }
}

fn picture(bytes: &[u8], coding: Coding, format: &Format) -> Result<Frame, CameraFault> {
    let (width, height) = (format.width, format.height);
    let frame = match coding {
        Coding::Yuyv => Frame::from_yuyv(width, height, &rows(bytes, width * 2, format.stride)),
        Coding::Nv12 => Frame::from_nv12(width, height, &rows(bytes, width, format.stride)),
        Coding::Jpeg => Frame::from_jpeg(bytes),
    };
    frame.map_err(|error| CameraFault::Lost(error.to_string()))
}

/// Without what the driver adds to each row.
fn rows(bytes: &[u8], row: u32, stride: u32) -> Cow<'_, [u8]> {
    if stride <= row {
        return bytes.into();
    }
    let rows = bytes.chunks(stride as usize);
    rows.flat_map(|bytes| bytes.iter().take(row as usize))
        .copied()
        .collect()
}

fn fourcc(coding: Coding) -> FourCC {
    FourCC::new(match coding {
        Coding::Yuyv => b"YUYV",
        Coding::Nv12 => b"NV12",
        Coding::Jpeg => b"MJPG",
    })
}

/// Every mode that can be read, of a range of sizes or rates the one that is nearest to what is wanted.
fn modes(device: &v4l::Device) -> Vec<Mode> {
    let offered = device.enum_formats().unwrap_or_default();
    let codings = [Coding::Yuyv, Coding::Nv12, Coding::Jpeg];
    let codings = codings
        .into_iter()
        .filter(|&coding| offered.iter().any(|format| format.fourcc == fourcc(coding)));
    let mut modes = Vec::new();
    for coding in codings {
        for (width, height) in sizes(device, coding) {
            let mode = |interval| Mode {
                coding,
                width,
                height,
                interval,
            };
            modes.extend(intervals(device, coding, width, height).into_iter().map(mode));
        }
    }
    modes
}

/// A driver that lists no sizes is asked for the wanted one and takes what it likes.
fn sizes(device: &v4l::Device, coding: Coding) -> Vec<(u32, u32)> {
    let (width, height, _) = WANTED;
    let size = |size| match size {
        FrameSizeEnum::Discrete(size) => (size.width, size.height),
        FrameSizeEnum::Stepwise(range) => (
            within(width, range.min_width, range.max_width, range.step_width),
            within(height, range.min_height, range.max_height, range.step_height),
        ),
    };
    match device.enum_framesizes(fourcc(coding)) {
        Ok(sizes) if !sizes.is_empty() => sizes.into_iter().map(|found| size(found.size)).collect(),
        _ => vec![(width, height)],
    }
}

/// `None` alone when the driver does not say.
fn intervals(device: &v4l::Device, coding: Coding, width: u32, height: u32) -> Vec<Option<(u32, u32)>> {
    let (.., fps) = WANTED;
    let seconds = |fraction: &Fraction| f64::from(fraction.numerator) / f64::from(fraction.denominator);
    let interval = |interval| match interval {
        FrameIntervalEnum::Discrete(interval) => interval,
        FrameIntervalEnum::Stepwise(range) if seconds(&range.min) > 1.0 / fps => range.min,
        FrameIntervalEnum::Stepwise(range) if seconds(&range.max) < 1.0 / fps => range.max,
        FrameIntervalEnum::Stepwise(_) => Fraction::new(1, fps as u32),
    };
    let found = device
        .enum_frameintervals(fourcc(coding), width, height)
        .unwrap_or_default();
    let found = found.into_iter().map(|found| interval(found.interval));
    let mut intervals: Vec<_> = found
        .filter(|interval| interval.numerator > 0 && interval.denominator > 0)
        .map(|interval| Some((interval.numerator, interval.denominator)))
        .collect();
    if intervals.is_empty() {
        intervals.push(None);
    }
    intervals
}

fn fault(error: io::Error) -> CameraFault {
    let text = match error.kind() {
        io::ErrorKind::TimedOut => "no picture comes".into(),
        _ => error.to_string(),
    };
    match error.raw_os_error() {
        Some(libc::EBUSY) => CameraFault::Busy(text),
        Some(libc::EACCES | libc::EPERM) => CameraFault::Denied(text),
        _ => CameraFault::Lost(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_held_by_another_program_is_busy_not_lost() {
        let says = |code| fault(io::Error::from_raw_os_error(code));
        assert!(matches!(says(libc::EBUSY), CameraFault::Busy(_)));
        assert!(matches!(says(libc::EACCES), CameraFault::Denied(_)));
        assert!(matches!(says(libc::ENODEV), CameraFault::Lost(_)));
    }

    #[test]
    fn rows_lose_what_the_driver_adds() {
        assert_eq!(*rows(&[1, 2, 3, 4], 2, 2), [1, 2, 3, 4]);
        assert_eq!(*rows(&[1, 2, 0, 3, 4, 0], 2, 3), [1, 2, 3, 4]);
        assert_eq!(
            *rows(&[1, 2, 0, 3], 2, 3),
            [1, 2, 3],
            "a picture that ends early stays one"
        );
    }
}
