//! A camera, opened and watched for a while.

use super::{
    OPENING,
    apart::{Apart, Next},
    holder,
    picture::{Pictures, Watch},
    plain,
};
use crate::{
    camera::{self, CameraFault, SYNTHETIC, WANTED},
    painter::{Frame, Painter, Tile},
};
use sightline_call::readiness::figures::{CameraMeasured, CameraTrouble};
use sightline_wire::{device::DeviceKind, readiness::DeviceIdentity};
use std::{
    sync::{Arc, mpsc::SyncSender},
    time::{Duration, Instant},
};

/// Pictures that wait for whoever watches.
const WAITING: usize = 2;

enum Word {
    /// It is there, and is being opened.
    Opening(DeviceIdentity, Instant),
    Picture(Arc<Frame>, Instant),
    Failed(CameraTrouble),
}

/// Opens the camera of that id (`None`: the one that a call without a choice takes) and watches it for `time` from its
/// first picture on, for which it gets 3 s more. Its pictures go to `painter`'s own tile; `progress` hears after each
/// how much of the time is over, 0 to 1. When this returns the camera is closed.
pub fn camera(
    id: Option<&str>,
    painter: &dyn Painter,
    time: Duration,
    mut progress: impl FnMut(f64),
) -> CameraMeasured {
    let start = Instant::now();
    let mut end = start + OPENING;
    let mut first = None;
    let id = id.map(str::to_owned);
    let run = Apart::start("camera measure", WAITING, move |words, stop| {
        // Whoever waits for a word has gone only when the run is over.
        let _ = capture(id.as_deref(), &words, || stop.is_set()).or_else(|trouble| words.send(Word::Failed(trouble)));
    });
    let mut device = None;
    let mut watch = Watch::new(start);
    let mut trouble = None;
    while Instant::now() < end {
        match run.next(end) {
            Next::Word(Word::Opening(identity, at)) => {
                device = Some(identity);
                watch = Watch::new(at);
            }
            Next::Word(Word::Picture(frame, at)) => {
                let first = *first.get_or_insert(at);
                end = first + time;
                painter.paint(Tile::Own, Some(frame.clone()));
                watch.see(frame, at);
                progress((first.elapsed().as_secs_f64() / time.as_secs_f64()).min(1.0));
            }
            Next::Word(Word::Failed(found)) => {
                trouble = Some(found);
                break;
            }
            Next::Late | Next::Over => break,
        }
    }
    let pictures = watch.figures(Instant::now());
    drop(run);
    painter.paint(Tile::Own, None);
    match (pictures, trouble) {
        (Some(pictures), trouble) => measured(device, pictures, trouble),
        (None, Some(trouble)) => CameraMeasured::failed(device, trouble),
        (None, None) => CameraMeasured::failed(device, CameraTrouble::Stuck),
    }
}

fn measured(device: Option<DeviceIdentity>, pictures: Pictures, trouble: Option<CameraTrouble>) -> CameraMeasured {
    CameraMeasured {
        device,
        before: None,
        opened: trouble.map_or(Ok(()), Err),
        width: pictures.width,
        height: pictures.height,
        wanted_width: WANTED.0,
        wanted_height: WANTED.1,
        fps: pictures.fps,
        wanted_fps: WANTED.2,
        first_picture_ms: pictures.first_picture_ms,
        brightness: pictures.brightness,
        contrast: pictures.contrast,
        clipped_bright: pictures.clipped_bright,
        noise: pictures.noise,
        changed: pictures.changed,
    }
}

/// On a thread of its own, until nobody watches any more.
fn capture(id: Option<&str>, words: &SyncSender<Word>, over: impl Fn() -> bool) -> Result<(), CameraTrouble> {
    let identity = identity(id).ok_or(CameraTrouble::Missing)?;
    let told = words.send(Word::Opening(identity, Instant::now()));
    let failed = |fault| trouble(id, fault);
    let mut camera = camera::open(id).map_err(failed)?;
    while told.is_ok() && !over() {
        let frame = camera.next_frame().map_err(failed)?;
        if words.send(Word::Picture(Arc::new(frame), Instant::now())).is_err() {
            break;
        }
    }
    Ok(())
}

/// As the device list has it. Without a choice the first real one counts, as when it is opened.
fn identity(id: Option<&str>) -> Option<DeviceIdentity> {
    let listed = camera::list().into_iter().find(|device| match id {
        Some(id) => device.id == id,
        None => device.id != SYNTHETIC && crate::files::path(&device.id).is_none(),
    });
    let named = |id: &str| {
        // Plugged in again it may have another number, and is found by its name all the same.
        let name = id.splitn(3, ':').nth(2)?;
        camera::list()
            .into_iter()
            .find(|device| device.name == name && camera::node(Some(id)).is_some())
    };
    let device = listed.or_else(|| named(id?))?;
    Some(DeviceIdentity {
        kind: DeviceKind::Camera,
        id: device.id,
        name: device.name,
    })
}

fn trouble(id: Option<&str>, fault: CameraFault) -> CameraTrouble {
    match fault {
        CameraFault::Missing => CameraTrouble::Missing,
        CameraFault::Busy(_) => CameraTrouble::Busy {
            by: camera::node(id).and_then(|node| holder::of(&node)),
        },
        CameraFault::Denied(_) => CameraTrouble::Denied,
        CameraFault::Lost(words) => CameraTrouble::Broken { detail: plain(&words) },
    }
}
