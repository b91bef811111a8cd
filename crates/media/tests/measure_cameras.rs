//! What a self-test says of cameras: Y4M films that are black, frozen, dark, slow and broken, one that is never
//! there, one whose driver hangs, and the test picture.

use sightline_call::readiness::figures::{CameraMeasured, CameraTrouble};
use sightline_media::{Frame, Painter, Tile, measure};
use std::{
    fs,
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

const SIZE: (usize, usize) = (320, 180);
const TIME: Duration = Duration::from_millis(1_800);

/// Counts pictures, and knows whether the last one has been taken away again.
#[derive(Default)]
struct Screen {
    pictures: AtomicU32,
    shows: Mutex<bool>,
}

impl Painter for Screen {
    fn paint(&self, tile: Tile, frame: Option<Arc<Frame>>) {
        assert_eq!(tile, Tile::Own);
        self.pictures.fetch_add(u32::from(frame.is_some()), Relaxed);
        *self.shows.lock().unwrap() = frame.is_some();
    }

    fn drawn(&self, _: Tile) -> (u64, Option<i64>) {
        (0, None)
    }
}

/// Sixteen pictures that repeat, each pixel of them by number, column and row.
fn film(folder: &Path, name: &str, fps: u32, luma: impl Fn(usize, usize, usize) -> u8) -> String {
    let (width, height) = SIZE;
    let mut film = format!("YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 C420jpeg\n").into_bytes();
    for number in 0..16 {
        film.extend(b"FRAME\n");
        film.extend((0..width * height).map(|at| luma(number, at % width, at / width)));
        film.extend(vec![128; width * height / 2]);
    }
    fs::write(folder.join(name), film).expect("the film can be written");
    format!("synthetic:file:{name}")
}

fn watch(id: &str) -> (CameraMeasured, u32) {
    let screen = Screen::default();
    let begun = Instant::now();
    let mut done = 0.0;
    let measured = measure::camera(Some(id), &screen, TIME, |share| {
        assert!((0.0..=1.0).contains(&share) && share >= done);
        done = share;
    });
    assert!(begun.elapsed() < TIME + Duration::from_secs(10), "a deadline is one");
    assert!(!*screen.shows.lock().unwrap(), "the picture is taken away");
    (measured, screen.pictures.load(Relaxed))
}

/// One whose pictures come.
fn works(id: &str) -> CameraMeasured {
    let (measured, painted) = watch(id);
    assert_eq!(measured.opened, Ok(()), "{measured:?}");
    assert_eq!(measured.device.as_ref().map(|device| device.id.as_str()), Some(id));
    assert!(painted > 1, "they are shown while it runs");
    measured
}

fn fails(id: &str) -> CameraTrouble {
    let (measured, painted) = watch(id);
    assert_eq!(painted, 0);
    measured.opened.expect_err("no picture")
}

fn assert_near(what: &str, found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() <= tolerance,
        "{what}: {found:.2} for {expected:.2}"
    );
}

#[test]
fn cameras_are_what_they_are_said_to_be() {
    let folder = std::env::temp_dir().join(format!("sightline-measure-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    // SAFETY: the only test of this binary, before it starts a thread.
    unsafe { std::env::set_var("SIGHTLINE_MEDIA_DIR", &folder) };

    let black = works(&film(&folder, "black.y4m", 30, |_, _, _| 16));
    assert_eq!((black.brightness, black.contrast, black.changed), (0.0, 0.0, 0.0));
    assert_eq!((black.width, black.height), (SIZE.0 as u32, SIZE.1 as u32));
    assert_eq!(
        (black.wanted_width, black.wanted_height, black.wanted_fps),
        (1_280, 720, 30.0)
    );

    let stripes = |_, x: usize, _| if x.is_multiple_of(2) { 60 } else { 180 };
    let frozen = works(&film(&folder, "frozen.y4m", 30, stripes));
    assert_eq!((frozen.changed, frozen.noise), (0.0, 0.0));
    assert_near(
        "a frozen picture's brightness",
        frozen.brightness,
        (120.0 - 16.0) * 255.0 / 219.0,
        0.1,
    );
    assert_near("its contrast", frozen.contrast, 60.0 * 255.0 / 219.0, 0.1);

    // A sensor in the dark: 24 to 27, another for each pixel and picture.
    let grain = |number: usize, x: usize, y: usize| (number * 7_919 + x * 104_729 + y * 1_299_709) / 13 % 4;
    let dark = works(&film(&folder, "dark.y4m", 30, |n, x, y| 24 + grain(n, x, y) as u8));
    assert_near("a dark picture's brightness", dark.brightness, 9.5 * 255.0 / 219.0, 0.5);
    assert_eq!(dark.changed, 1.0);
    assert!(dark.noise > 0.3 && dark.noise < 3.5, "{dark:?}");

    let bright = works(&film(&folder, "bright.y4m", 30, |n, x, _| {
        if x < 80 { 120 + n as u8 } else { 235 }
    }));
    assert_near("the part that is blown out", bright.clipped_bright, 0.75, 0.001);

    let slow = works(&film(&folder, "slow.y4m", 5, |n, x, _| (n * 9 + x % 64) as u8 + 16));
    assert!(slow.fps > 2.0 && slow.fps < 5.5, "{slow:?}");
    let usual = works("synthetic:camera");
    assert!(usual.fps > slow.fps && usual.fps < 33.0, "{usual:?}");
    assert_eq!((usual.width, usual.height, usual.changed), (1_280, 720, 1.0));

    assert_eq!(fails("synthetic:file:nothing.y4m"), CameraTrouble::Missing);
    fs::write(folder.join("broken.y4m"), b"RIFF").expect("a file");
    assert!(matches!(
        fails("synthetic:file:broken.y4m"),
        CameraTrouble::Broken { .. }
    ));

    // A driver that never answers: opening a pipe waits for whoever writes into it.
    let pipe = folder.join("hangs.y4m");
    let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs");
    assert!(made.success());
    assert_eq!(fails("synthetic:file:hangs.y4m"), CameraTrouble::Stuck);
    // Both ends opened and closed: the thread that still waits goes on, finds nothing, and ends.
    drop(
        fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(&pipe)
            .expect("the pipe is ours"),
    );
    fs::remove_dir_all(&folder).expect("the folder can be removed");
}
