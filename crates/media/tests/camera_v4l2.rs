//! A real camera device: `make test-camera` runs this in a virtual machine whose kernel has the test camera `vivid`.
//! It sends colour bars with a running clock, and can be held, unplugged, and kept from delivering.

#![cfg(target_os = "linux")]

use sightline_call::readiness::{
    figures::{CameraMeasured, CameraTrouble},
    judge,
};
use sightline_media::{Frame, MediaEvent, Painter, Session, SessionConfig, Tile, list_devices, measure};
use sightline_wire::{ErrorCode, device::DeviceKind, readiness::Finding, room::MediaState};
use std::{
    fs,
    io::Read,
    process::{Command, Stdio},
    sync::{Arc, Condvar, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};
use tokio::{
    runtime::Runtime,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};
use v4l::{
    Control, Device,
    control::{MenuItem, Value},
    v4l2::{ioctl, vidioc::VIDIOC_S_INPUT},
};

/// As the kernel names the test camera.
const NAME: &str = "vivid-000-vid-cap";
const NODE: &str = "/dev/video0";
/// Longest wait for anything; the machine is an emulated one.
const PATIENCE: Duration = Duration::from_secs(30);
const WATCH: Duration = Duration::from_secs(3);

/// Keeps the first picture, and knows whether there is one now.
#[derive(Default)]
struct Screen {
    first: Mutex<Option<Arc<Frame>>>,
    shows: Mutex<bool>,
    changed: Condvar,
}

impl Screen {
    /// Waits until a picture is there, or gone.
    fn shows(&self, wanted: bool) {
        let shows = self.shows.lock().unwrap();
        let waited = self
            .changed
            .wait_timeout_while(shows, PATIENCE, |shows| *shows != wanted);
        assert!(!waited.unwrap().1.timed_out(), "a picture is there: {wanted}");
    }
}

impl Painter for Screen {
    fn paint(&self, tile: Tile, frame: Option<Arc<Frame>>) {
        assert_eq!(tile, Tile::Own);
        *self.shows.lock().unwrap() = frame.is_some();
        let mut first = self.first.lock().unwrap();
        *first = first.take().or(frame);
        self.changed.notify_all();
    }

    fn drawn(&self, _: Tile) -> (u64, Option<i64>) {
        (0, None)
    }
}

/// A call without anybody at the other end.
struct Call {
    session: Session,
    screen: Arc<Screen>,
    events: UnboundedReceiver<MediaEvent>,
    runtime: Runtime,
}

impl Call {
    fn start() -> Self {
        let (sender, events) = unbounded_channel();
        let screen = Arc::<Screen>::default();
        let config = SessionConfig {
            camera: Some(camera()),
            microphone: Some("synthetic:microphone".into()),
            start_with: MediaState {
                microphone: true,
                camera: true,
                screen: false,
            },
            ..Default::default()
        };
        let builder = &mut tokio::runtime::Builder::new_current_thread();
        Self {
            session: Session::start(config, screen.clone(), sender),
            screen,
            events,
            runtime: builder.enable_all().build().expect("a runtime"),
        }
    }

    /// What it says about its camera next: `None` when it works.
    fn camera(&mut self) -> Option<ErrorCode> {
        let events = &mut self.events;
        let next = async {
            loop {
                match events.recv().await.expect("the session goes on") {
                    MediaEvent::DeviceReady {
                        kind: DeviceKind::Camera,
                    } => return None,
                    MediaEvent::DeviceProblem {
                        kind: DeviceKind::Camera,
                        problem,
                    } => return Some(problem.code),
                    _ => {}
                }
            }
        };
        let waited = self
            .runtime
            .block_on(async { tokio::time::timeout(PATIENCE, next).await });
        waited.expect("news of the camera in time")
    }

    /// Waits until its camera works, whatever it says before.
    fn has_pictures(&mut self) {
        while self.camera().is_some() {}
        self.screen.shows(true);
    }

    /// Ends it, in a time that somebody waits for.
    fn end(self) {
        let (ended, end) = mpsc::channel();
        thread::spawn(move || {
            drop(self.session);
            let _ = ended.send(());
        });
        end.recv_timeout(PATIENCE)
            .expect("a call ends whatever its camera does");
    }
}

/// The camera's id.
fn camera() -> String {
    let device = list_devices().into_iter().find(|device| device.name == NAME);
    device.expect("the camera is listed").id
}

fn watch(painter: &dyn Painter) -> CameraMeasured {
    let begun = Instant::now();
    let measured = measure::camera(Some(&camera()), painter, WATCH, |_| {});
    assert!(begun.elapsed() < WATCH + Duration::from_secs(10), "a deadline is one");
    measured
}

/// As pulling and pushing the plug does, through the driver's `unbind` and `bind`.
fn plug(way: &str) {
    fs::write(format!("/sys/bus/platform/drivers/vivid/{way}"), "vivid.0").expect("the driver does as told");
}

/// One that nobody has set anything on.
fn plug_in_afresh() {
    plug("unbind");
    plug("bind");
}

fn device() -> Device {
    Device::with_path(NODE).expect("the camera can be set while it sends pictures")
}

/// Sets one of the camera's controls, by its name; `of` finds the number among the items of its menu.
fn set(name: &str, of: impl FnOnce(&[(u32, MenuItem)]) -> i64) {
    let device = device();
    let controls = device.query_controls().expect("it has controls");
    let control = controls.iter().find(|control| control.name == name).expect(name);
    let value = Value::Integer(of(control.items.as_deref().unwrap_or_default()));
    device
        .set_control(Control { id: control.id, value })
        .expect("it does as told");
}

/// From now on the camera keeps so many percent of its pictures for itself.
fn withhold(percent: i64) {
    set("Percentage of Dropped Buffers", |_| percent);
}

fn choose(name: &str, wanted: &str) {
    set(name, |items| {
        let item = items.iter().find(|(_, item)| item.to_string() == wanted);
        item.expect(wanted).0.into()
    });
}

/// Luma and both chromas of a pixel.
fn colour(frame: &Frame, x: u32, y: u32) -> [u8; 3] {
    let chroma = (y / 2 * frame.width.div_ceil(2) + x / 2) as usize;
    [
        frame.y[(y * frame.width + x) as usize],
        frame.u[chroma],
        frame.v[chroma],
    ]
}

/// Its second device file delivers data about pictures, as a webcam's does, and is no camera.
#[test]
fn the_camera_is_listed_by_its_name_and_nothing_else_is() {
    plug_in_afresh();
    let cameras = list_devices()
        .into_iter()
        .filter(|device| device.kind == DeviceKind::Camera);
    let real: Vec<_> = cameras
        .filter(|camera| !camera.id.starts_with("synthetic:"))
        .map(|camera| camera.name)
        .collect();
    assert_eq!(real, [NAME]);
}

#[test]
fn its_pictures_have_size_rate_colours_and_a_running_clock() {
    plug_in_afresh();
    let screen = Screen::default();
    let measured = watch(&screen);
    assert_eq!(measured.opened, Ok(()));
    assert_eq!(measured.device.as_ref().map(|device| device.name.as_str()), Some(NAME));
    // 720p at 12.5 a second, 640x360 at 30, more of smaller ones: what serves a call best of that.
    assert_eq!((measured.width, measured.height), (640, 360));
    assert!(measured.fps > 5.0 && measured.fps < 33.0, "{measured:?}");
    assert!(measured.changed > 0.9, "the clock runs: {measured:?}");
    // That it comes slower on a busy computer is not the camera's doing.
    let fps = measured.wanted_fps;
    let finding = judge::camera(&CameraMeasured { fps, ..measured }, 0).finding;
    assert_eq!(finding, Some(Finding::CameraSmall));

    let frame = screen.first.into_inner().unwrap().expect("pictures came");
    assert_eq!((frame.width, frame.height), (640, 360));
    // ITU-R BT.601, bars of 75 %: white, yellow, cyan, green, magenta, red, blue, black.
    let bars = [
        [180, 128, 128],
        [162, 44, 142],
        [131, 156, 44],
        [112, 72, 58],
        [84, 184, 198],
        [65, 100, 212],
        [35, 212, 114],
        [16, 128, 128],
    ];
    for (n, expected) in bars.into_iter().enumerate() {
        // Both ends of each bar, beneath the text.
        for eightieth in [n * 10 + 1, n * 10 + 9] {
            let (x, y) = (frame.width * eightieth as u32 / 80, frame.height * 3 / 4);
            let found = colour(&frame, x, y);
            let far = found
                .iter()
                .zip(expected)
                .any(|(found, expected)| found.abs_diff(expected) > 3);
            assert!(!far, "bar {n} at {x},{y}: {found:?} for {expected:?}");
        }
    }
}

#[test]
fn a_picture_that_stands_still_is_told_from_one_that_is_empty() {
    plug_in_afresh();
    choose("OSD Text Mode", "None");
    let finding = || judge::camera(&watch(&Screen::default()), 0).finding;
    assert_eq!(finding(), Some(Finding::CameraFrozen));
    choose("Test Pattern", "100% Black");
    assert_eq!(finding(), Some(Finding::CameraCovered));
}

/// The test camera's television input: any size, a rate that it does not tell.
#[test]
fn a_capture_card_that_lists_neither_sizes_nor_rates_is_a_camera() {
    plug_in_afresh();
    let (device, mut television) = (device(), 1);
    // SAFETY: the input's number is what VIDIOC_S_INPUT reads and writes.
    unsafe { ioctl(device.handle().fd(), VIDIOC_S_INPUT, (&raw mut television).cast()) }.expect("it has that input");
    drop(device);
    let measured = watch(&Screen::default());
    assert_eq!(measured.opened, Ok(()));
    assert_eq!((measured.width, measured.height), (1280, 720));
    assert!(measured.changed > 0.9, "{measured:?}");
}

#[test]
fn a_camera_that_another_program_holds_is_busy_until_it_lets_go() {
    plug_in_afresh();
    let mut holder = Command::new("cat")
        .arg(NODE)
        .stdout(Stdio::piped())
        .spawn()
        .expect("cat runs");
    let mut pictures = holder.stdout.take().expect("a pipe");
    pictures.read_exact(&mut [0; 1]).expect("it takes pictures");

    let by = Some("cat".into());
    assert_eq!(watch(&Screen::default()).opened, Err(CameraTrouble::Busy { by }));
    let mut call = Call::start();
    assert_eq!(call.camera(), Some(ErrorCode::CameraBusy));

    holder.kill().expect("it is ours");
    holder.wait().expect("it ends");
    call.has_pictures();
    call.end();
}

#[test]
fn an_unplugged_camera_is_lost_and_taken_back_when_it_returns() {
    plug_in_afresh();
    let mut call = Call::start();
    call.has_pictures();
    plug("unbind");
    assert_eq!(call.camera(), Some(ErrorCode::CameraLost));
    call.screen.shows(false);
    plug("bind");
    call.has_pictures();
    call.end();

    let screen = Screen::default();
    let measured = thread::scope(|scope| {
        let measuring = scope.spawn(|| watch(&screen));
        screen.shows(true);
        plug("unbind");
        measuring.join().expect("it measures")
    });
    plug("bind");
    assert!(
        matches!(measured.opened, Err(CameraTrouble::Broken { .. })),
        "{measured:?}"
    );
}

#[test]
fn a_camera_that_stops_delivering_is_lost_and_holds_nothing_up() {
    plug_in_afresh();
    let mut call = Call::start();
    call.has_pictures();
    withhold(100);
    assert_eq!(call.camera(), Some(ErrorCode::CameraLost));
    call.screen.shows(false);
    withhold(0);
    call.has_pictures();
    withhold(100);
    call.end();

    plug_in_afresh();
    withhold(100);
    assert_eq!(watch(&Screen::default()).opened, Err(CameraTrouble::Stuck));
}
