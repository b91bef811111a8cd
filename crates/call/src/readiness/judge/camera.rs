//! The camera.

use super::{Judgement, another, called, is_another, percent};
use crate::readiness::figures::{CameraMeasured, CameraTrouble};
use sightline_wire::readiness::{Check, CheckKind, Figure, Finding, Unit};

/// Below this standard deviation of luma a picture shows nothing: a lit wall has more.
const FLAT: f64 = 1.0;
/// Below this mean luma, with a contrast below [`BLACK_CONTRAST`], no light comes in. A sensor behind a cap gives 0
/// to 10 of 255 with its noise.
const BLACK: f64 = 12.0;
/// A dark room with a lamp or a screen in it has more contrast than this.
const BLACK_CONTRAST: f64 = 8.0;
/// Below this mean luma a face cannot be made out: five stops under white.
const DARK: f64 = 45.0;
/// Above this mean luma the picture is washed out.
const BRIGHT: f64 = 225.0;
/// Above this share of white pixels a window shines into the picture.
const GLARING: f64 = 0.4;
/// Above this share of white pixels there is no picture left.
const BURNT_OUT: f64 = 0.95;
/// Below this many pictures a second sign language and lips are read with restrictions (EN 301 549, 6.5.1 and
/// 6.5.3: at least 20) ...
const SLOW_FPS: f64 = 20.0;
/// ... and below this many it is no video any more: the smallest rung of the engine's own ladder sends 10.
const UNUSABLE_FPS: f64 = 10.0;
/// A camera that was asked for fewer pictures need not deliver more: this share of them is enough.
const DELIVERED: f64 = 0.8;

/// What the camera's pictures say. `took_ms`: how long they were looked at.
pub fn camera(measured: &CameraMeasured, took_ms: u32) -> Check {
    let device = measured.device.as_ref();
    let name = called(device, "the camera");
    let (judgement, figures) = match &measured.opened {
        Err(trouble) => (not_opened(trouble, measured, &name), Vec::new()),
        Ok(()) => (seen(measured, &name), figures(measured)),
    };
    judgement.check(CheckKind::Camera, figures, device, took_ms)
}

fn not_opened(trouble: &CameraTrouble, measured: &CameraMeasured, name: &str) -> Judgement {
    match trouble {
        CameraTrouble::Missing if measured.device.is_some() => {
            Judgement::fail(Finding::CameraMissing, format!("{name} is not plugged in."))
        }
        CameraTrouble::Missing => Judgement::fail(Finding::CameraMissing, Finding::CameraMissing.sentence()),
        CameraTrouble::Busy { by: Some(by) } => {
            Judgement::fail(Finding::CameraBusy, format!("{name} is used by {by}."))
                .advising(format!("Close {by}, then test again."))
        }
        CameraTrouble::Busy { by: None } => {
            Judgement::fail(Finding::CameraBusy, format!("{name} is used by another program."))
        }
        CameraTrouble::Denied => Judgement::fail(
            Finding::CameraDenied,
            format!("The system does not let this app use {name}."),
        ),
        CameraTrouble::Stuck => Judgement::fail(
            Finding::CameraFailed,
            format!("{name} was opened, and no picture came from it."),
        ),
        CameraTrouble::Broken { detail } => {
            Judgement::fail(Finding::CameraFailed, format!("{name} cannot be started: {detail}."))
        }
    }
}

fn seen(measured: &CameraMeasured, name: &str) -> Judgement {
    let still = measured.changed <= 0.0 && measured.noise <= 0.0;
    let black = measured.brightness < BLACK && measured.contrast < BLACK_CONTRAST;
    let burnt_out = measured.clipped_bright > BURNT_OUT;
    // No sensor delivers the same values twice, not even in the dark. What shows nothing and does not even have
    // noise was made by the camera itself, in place of a picture.
    if still && !burnt_out && (black || measured.contrast < FLAT) {
        return Judgement::fail(
            Finding::CameraCovered,
            format!("The shutter of {name} is closed: its picture is empty, without even a sensor's noise."),
        );
    }
    if black {
        return Judgement::fail(Finding::CameraBlack, format!("The picture of {name} is black."));
    }
    if burnt_out {
        return Judgement::fail(Finding::CameraBright, format!("The picture of {name} is white."));
    }
    if still {
        return Judgement::fail(Finding::CameraFrozen, format!("The picture of {name} stands still."));
    }
    let enough = SLOW_FPS.min(measured.wanted_fps * DELIVERED);
    let slow = format!(
        "{name} delivers {:.0} pictures a second; {:.0} were asked for.",
        measured.fps, measured.wanted_fps
    );
    if measured.fps < UNUSABLE_FPS.min(enough) {
        return Judgement::fail(Finding::CameraSlow, slow);
    }
    if measured.brightness < DARK {
        return Judgement::warn(Finding::CameraDark, format!("The picture of {name} is too dark."));
    }
    if measured.brightness > BRIGHT || measured.clipped_bright > GLARING {
        return Judgement::warn(Finding::CameraBright, format!("The picture of {name} is too bright."));
    }
    if measured.fps < enough {
        return Judgement::warn(Finding::CameraSlow, slow);
    }
    if measured.width < measured.wanted_width || measured.height < measured.wanted_height {
        return Judgement::warn(
            Finding::CameraSmall,
            format!(
                "{name} delivers {} x {} pixels; {} x {} were asked for.",
                measured.width, measured.height, measured.wanted_width, measured.wanted_height
            ),
        );
    }
    let (device, before) = (measured.device.as_ref(), measured.before.as_ref());
    if is_another(device, before) {
        return another(device, before, "the camera");
    }
    Judgement::pass(format!(
        "{name} delivers {} x {} pixels, {:.0} times a second.",
        measured.width, measured.height, measured.fps
    ))
}

fn figures(measured: &CameraMeasured) -> Vec<Figure> {
    vec![
        Figure::new("width", f64::from(measured.width), Unit::Px),
        Figure::new("height", f64::from(measured.height), Unit::Px),
        Figure::new("fps", measured.fps, Unit::Fps),
        Figure::new("first_picture", measured.first_picture_ms, Unit::Ms),
        percent("brightness", measured.brightness / 255.0),
        percent("contrast", measured.contrast / 127.5),
        percent("overexposed", measured.clipped_bright),
        percent("noise", measured.noise / 255.0),
        percent("changing", measured.changed),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use sightline_wire::{
        device::DeviceKind,
        readiness::{DeviceIdentity, Outcome},
    };

    fn device(name: &str) -> Option<DeviceIdentity> {
        Some(DeviceIdentity {
            kind: DeviceKind::Camera,
            id: "/dev/video0".into(),
            name: name.into(),
        })
    }

    /// A room by day, as a good camera sees it.
    fn good() -> CameraMeasured {
        CameraMeasured {
            device: device("BRIO"),
            before: None,
            opened: Ok(()),
            width: 1_280,
            height: 720,
            wanted_width: 1_280,
            wanted_height: 720,
            fps: 29.8,
            wanted_fps: 30.0,
            first_picture_ms: 310.0,
            brightness: 118.0,
            contrast: 52.0,
            clipped_bright: 0.01,
            noise: 1.6,
            changed: 1.0,
        }
    }

    fn found(measured: &CameraMeasured) -> (Outcome, Option<Finding>) {
        let check = camera(measured, 1_000);
        assert_eq!(check.kind, CheckKind::Camera);
        assert_eq!(check.remedy.is_empty(), check.finding.is_none());
        (check.outcome, check.finding)
    }

    fn failed(finding: Finding) -> (Outcome, Option<Finding>) {
        (Outcome::Fail, Some(finding))
    }

    fn warned(finding: Finding) -> (Outcome, Option<Finding>) {
        (Outcome::Warn, Some(finding))
    }

    const PASSED: (Outcome, Option<Finding>) = (Outcome::Pass, None);

    #[test]
    fn a_good_camera_passes_and_is_told_in_figures() {
        let check = camera(&good(), 1_000);
        assert_eq!((check.outcome, check.finding), PASSED);
        assert_eq!(check.sentence, "“BRIO” delivers 1280 x 720 pixels, 30 times a second.");
        assert_eq!(check.device, device("BRIO"));
        assert_eq!(check.figures.len(), 9);
        assert!(check.figures.contains(&Figure::new("fps", 29.8, Unit::Fps)));
    }

    #[test]
    fn why_a_camera_did_not_open_is_told_apart() {
        let broken = CameraTrouble::Broken {
            detail: "no such format".into(),
        };
        let by = |by: Option<&str>| CameraTrouble::Busy { by: by.map(Into::into) };
        let told = [
            (
                CameraTrouble::Missing,
                Finding::CameraMissing,
                "“BRIO” is not plugged in.",
            ),
            (by(None), Finding::CameraBusy, "“BRIO” is used by another program."),
            (by(Some("OBS")), Finding::CameraBusy, "“BRIO” is used by OBS."),
            (
                CameraTrouble::Denied,
                Finding::CameraDenied,
                "The system does not let this app use “BRIO”.",
            ),
            (
                CameraTrouble::Stuck,
                Finding::CameraFailed,
                "“BRIO” was opened, and no picture came from it.",
            ),
            (
                broken,
                Finding::CameraFailed,
                "“BRIO” cannot be started: no such format.",
            ),
        ];
        for (trouble, finding, sentence) in told {
            let check = camera(&CameraMeasured::failed(device("BRIO"), trouble), 5);
            assert_eq!((check.outcome, check.finding), failed(finding));
            assert_eq!(check.sentence, sentence);
            assert!(check.figures.is_empty(), "nothing was measured");
        }
        let none = camera(&CameraMeasured::failed(None, CameraTrouble::Missing), 5);
        assert_eq!(none.sentence, "No camera was found.");
        let busy = camera(&CameraMeasured::failed(None, by(Some("OBS"))), 5);
        assert_eq!(busy.sentence, "The camera is used by OBS.");
        assert_eq!(busy.remedy, "Close OBS, then test again.");
    }

    #[test]
    fn black_covered_dark_and_frozen_are_four_things() {
        // A lens cap: no light, and the sensor's own noise.
        let black = CameraMeasured {
            brightness: 3.0,
            contrast: 1.4,
            noise: 0.4,
            ..good()
        };
        assert_eq!(found(&black), failed(Finding::CameraBlack));
        // An electronic shutter: the same values again and again.
        let covered = CameraMeasured {
            noise: 0.0,
            changed: 0.0,
            ..black.clone()
        };
        assert_eq!(found(&covered), failed(Finding::CameraCovered));
        // Some show an even grey.
        let grey = CameraMeasured {
            brightness: 128.0,
            contrast: 0.0,
            ..covered.clone()
        };
        assert_eq!(found(&grey), failed(Finding::CameraCovered));
        // A room in the picture, and nothing moves, not even noise.
        let frozen = CameraMeasured {
            noise: 0.0,
            changed: 0.0,
            ..good()
        };
        assert_eq!(found(&frozen), failed(Finding::CameraFrozen));
        // Light comes in, only little of it.
        let dark = CameraMeasured {
            brightness: 30.0,
            ..good()
        };
        assert_eq!(found(&dark), warned(Finding::CameraDark));
        // A night with one lamp.
        let lamp = CameraMeasured {
            brightness: 8.0,
            contrast: 20.0,
            ..good()
        };
        assert_eq!(found(&lamp), warned(Finding::CameraDark));
    }

    #[test]
    fn brightness_at_its_boundaries() {
        let at = |brightness, contrast| {
            found(&CameraMeasured {
                brightness,
                contrast,
                ..good()
            })
        };
        assert_eq!(at(11.9, 7.9), failed(Finding::CameraBlack));
        assert_eq!(at(12.0, 7.9), warned(Finding::CameraDark));
        assert_eq!(at(11.9, 8.0), warned(Finding::CameraDark));
        assert_eq!(at(44.9, 50.0), warned(Finding::CameraDark));
        assert_eq!(at(45.0, 50.0), PASSED);
        assert_eq!(at(225.0, 30.0), PASSED);
        assert_eq!(at(225.1, 30.0), warned(Finding::CameraBright));
        let white = |clipped_bright| {
            found(&CameraMeasured {
                clipped_bright,
                ..good()
            })
        };
        assert_eq!(white(0.4), PASSED);
        assert_eq!(white(0.41), warned(Finding::CameraBright));
        assert_eq!(white(0.95), warned(Finding::CameraBright));
        assert_eq!(white(0.96), failed(Finding::CameraBright));
    }

    #[test]
    fn a_picture_that_is_white_all_over_is_not_a_closed_shutter() {
        let white = CameraMeasured {
            brightness: 255.0,
            contrast: 0.0,
            clipped_bright: 1.0,
            noise: 0.0,
            changed: 0.0,
            ..good()
        };
        assert_eq!(found(&white), failed(Finding::CameraBright));
    }

    #[test]
    fn a_flat_picture_at_its_boundary() {
        let at = |contrast| {
            found(&CameraMeasured {
                contrast,
                noise: 0.0,
                changed: 0.0,
                ..good()
            })
        };
        assert_eq!(at(0.99), failed(Finding::CameraCovered));
        assert_eq!(at(1.0), failed(Finding::CameraFrozen));
    }

    #[test]
    fn one_picture_that_differs_is_not_frozen() {
        let moved_once = CameraMeasured {
            noise: 0.001,
            changed: 0.03,
            ..good()
        };
        assert_eq!(found(&moved_once), PASSED);
    }

    #[test]
    fn too_few_pictures_at_the_boundaries() {
        let at = |fps, wanted_fps| {
            found(&CameraMeasured {
                fps,
                wanted_fps,
                ..good()
            })
        };
        assert_eq!(at(5.0, 30.0), failed(Finding::CameraSlow));
        assert_eq!(at(9.9, 30.0), failed(Finding::CameraSlow));
        assert_eq!(at(10.0, 30.0), warned(Finding::CameraSlow));
        assert_eq!(at(19.9, 30.0), warned(Finding::CameraSlow));
        assert_eq!(at(20.0, 30.0), PASSED);
        assert_eq!(at(12.0, 15.0), PASSED, "as many as were asked for, nearly");
        assert_eq!(at(11.9, 15.0), warned(Finding::CameraSlow));
        let slow = CameraMeasured { fps: 5.2, ..good() };
        assert_eq!(
            camera(&slow, 1_000).sentence,
            "“BRIO” delivers 5 pictures a second; 30 were asked for."
        );
    }

    #[test]
    fn darkness_is_named_before_the_slowness_that_comes_from_it() {
        let evening = CameraMeasured {
            brightness: 30.0,
            fps: 15.0,
            ..good()
        };
        assert_eq!(found(&evening), warned(Finding::CameraDark));
    }

    #[test]
    fn a_small_picture_is_told_with_its_size() {
        let small = CameraMeasured {
            width: 640,
            height: 480,
            ..good()
        };
        assert_eq!(found(&small), warned(Finding::CameraSmall));
        assert_eq!(
            camera(&small, 1).sentence,
            "“BRIO” delivers 640 x 480 pixels; 1280 x 720 were asked for."
        );
        let large = CameraMeasured {
            width: 1_920,
            height: 1_080,
            ..good()
        };
        assert_eq!(found(&large), PASSED);
    }

    #[test]
    fn another_camera_than_last_time_is_told_by_both_names() {
        let changed = CameraMeasured {
            before: device("C920"),
            ..good()
        };
        let check = camera(&changed, 1);
        assert_eq!((check.outcome, check.finding), warned(Finding::DeviceChanged));
        assert_eq!(
            check.sentence,
            "The camera is “BRIO” now; at the last test it was “C920”."
        );
        let same = CameraMeasured {
            before: device("BRIO"),
            ..good()
        };
        assert_eq!(found(&same), PASSED);
    }
}
