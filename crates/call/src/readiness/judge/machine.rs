//! The computer itself: permissions, encoder, disk, keyring, and the app's version.

use super::Judgement;
use crate::readiness::figures::{
    EncoderMeasured, KeyringMeasured, Permission, PermissionsMeasured, StorageMeasured, VersionMeasured,
};
use sightline_wire::readiness::{Check, CheckKind, Figure, Finding, Unit};

/// A call in full size.
const FULL_SIZE: f64 = 1_280.0 * 720.0;
/// Twice what a call needs at full size: decoding, the window and other programs want time too.
const COMFORTABLE_FPS: f64 = 60.0;
/// Below this not even a picture of a quarter of the size is sent smoothly with time to spare.
const UNUSABLE_FPS: f64 = 20.0;
/// An hour and a half of recording at 2.5 Mbit/s, in bytes.
const ROOM: u64 = 2_000_000_000;
/// A recording of ten minutes at 2.5 Mbit/s, in bytes. Less, and not even what waits to be sent is safe.
const NO_ROOM: u64 = 200_000_000;

/// What the system allows. A camera that is withheld fails its own check, and leaves calls with sound.
pub fn permissions(measured: &PermissionsMeasured, took_ms: u32) -> Check {
    use Permission::{Denied, Granted, Unasked, Untold};
    let judgement = match (measured.camera, measured.microphone) {
        (Denied, Denied) => Judgement::fail(
            Finding::PermissionMissing,
            "The system allows this app neither the camera nor the microphone.",
        ),
        (Granted | Unasked | Untold, Denied) => Judgement::fail(
            Finding::PermissionMissing,
            "The system does not allow this app the microphone.",
        )
        .advising("Allow the microphone for Sightline in the system's privacy settings."),
        (Denied, Granted | Unasked | Untold) => Judgement::warn(
            Finding::PermissionMissing,
            "The system does not allow this app the camera.",
        )
        .advising("Allow the camera for Sightline in the system's privacy settings."),
        (Unasked, _) | (_, Unasked) => Judgement::warn(
            Finding::PermissionMissing,
            "The system will ask whether this app may use camera and microphone.",
        )
        .advising("Say yes when it asks."),
        (Untold, Untold) => Judgement::skipped("This system asks nobody for permission."),
        (Granted | Untold, Granted | Untold) => Judgement::pass("The system allows this app camera and microphone."),
    };
    judgement.check(CheckKind::Permissions, Vec::new(), None, took_ms)
}

/// Whether this computer encodes 720p at 30 pictures a second with time to spare. Another size is converted by its
/// number of pixels.
pub fn encoder(measured: &EncoderMeasured, took_ms: u32) -> Check {
    let pixels = f64::from(measured.width) * f64::from(measured.height);
    let possible = measured.fps_possible * pixels / FULL_SIZE;
    let says = format!("This computer encodes {possible:.0} pictures of 1280 x 720 a second");
    let judgement = if possible < UNUSABLE_FPS {
        Judgement::fail(Finding::EncoderSlow, format!("{says}; that is too few for video."))
            .advising("Close other programs, then test again.")
    } else if possible < COMFORTABLE_FPS {
        Judgement::warn(
            Finding::EncoderSlow,
            format!("{says}; {COMFORTABLE_FPS:.0} leave time for the rest of a call."),
        )
    } else {
        Judgement::pass(format!("{says}."))
    };
    let figures = vec![
        Figure::new("fps_possible", possible, Unit::Fps),
        Figure::new("pictures", f64::from(measured.pictures), Unit::Count),
    ];
    judgement.check(CheckKind::Encoder, figures, None, took_ms)
}

/// Room for recordings and for what waits to be sent.
pub fn storage(measured: &StorageMeasured, took_ms: u32) -> Check {
    // Exact up to 9,007 terabytes.
    let free = measured.free_bytes as f64;
    let says = format!("There are {:.1} GB free on the disk", free / 1e9);
    let judgement = if !measured.writable {
        Judgement::fail(Finding::StorageUnusable, Finding::StorageUnusable.sentence())
    } else if measured.free_bytes < NO_ROOM {
        Judgement::fail(Finding::StorageFull, format!("{says}: not enough for a recording."))
    } else if measured.free_bytes < ROOM {
        Judgement::warn(
            Finding::StorageFull,
            format!("{says}: enough for a few short recordings."),
        )
    } else {
        Judgement::pass(format!("{says}."))
    };
    judgement.check(
        CheckKind::Storage,
        vec![Figure::new("free", free, Unit::Bytes)],
        None,
        took_ms,
    )
}

/// A place for secrets. Without one nothing but the sign-in is lost.
pub fn keyring(measured: &KeyringMeasured, took_ms: u32) -> Check {
    let judgement = match (measured.usable, measured.name.as_str()) {
        (true, "") => Judgement::pass("This computer keeps secrets in its keyring."),
        (true, name) => Judgement::pass(format!("This computer keeps secrets in {name}.")),
        (false, "") => Judgement::warn(Finding::KeyringUnusable, Finding::KeyringUnusable.sentence()),
        (false, name) => Judgement::warn(
            Finding::KeyringUnusable,
            format!("The keyring {name} does not keep what it is given."),
        ),
    };
    judgement.check(CheckKind::Keyring, Vec::new(), None, took_ms)
}

/// Whether the policy allows this version.
pub fn version(measured: &VersionMeasured, took_ms: u32) -> Check {
    let VersionMeasured { own, minimum } = measured;
    let judgement = if minimum.trim().is_empty() {
        Judgement::pass(format!("This is version {own}. Every version is allowed."))
    } else if parts(minimum).is_none() {
        Judgement::skipped(format!(
            "This is version {own}. The policy's “{minimum}” is not a version."
        ))
    } else if is_older(own, minimum) {
        Judgement::fail(
            Finding::VersionOld,
            format!("This is version {own}. The oldest that is allowed is {minimum}."),
        )
    } else {
        Judgement::pass(format!("This is version {own}. {minimum} and newer are allowed."))
    };
    judgement.check(CheckKind::Version, Vec::new(), None, took_ms)
}

/// Whether a version comes before another, as in Semantic Versioning 2.0, 11: by its three numbers, and one with a
/// pre-release mark before the same without. Nothing is older than an empty `minimum`, or than one that is not a
/// version: a typing error in a policy must not stop every desk. What is itself not a version is older.
pub fn is_older(own: &str, minimum: &str) -> bool {
    match (parts(own), parts(minimum)) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(own), Some(minimum)) => own < minimum,
    }
}

/// Major, minor, patch, and whether it is released; "1.4" is 1.4.0.
fn parts(version: &str) -> Option<([u64; 3], bool)> {
    let version = version.trim();
    let version = version.strip_prefix('v').unwrap_or(version);
    let version = version.split_once('+').map_or(version, |(version, _build)| version);
    let (numbers, released) = match version.split_once('-') {
        Some((numbers, _mark)) => (numbers, false),
        None => (version, true),
    };
    let mut parts = [0; 3];
    for (place, number) in numbers.split('.').enumerate() {
        *parts.get_mut(place)? = number.parse().ok()?;
    }
    Some((parts, released))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sightline_wire::readiness::Outcome;

    fn of(check: &Check) -> (Outcome, Option<Finding>) {
        assert_eq!(check.remedy.is_empty(), check.finding.is_none(), "{check:?}");
        (check.outcome, check.finding)
    }

    #[test]
    fn a_microphone_that_is_withheld_fails_and_a_camera_warns() {
        use Permission::{Denied, Granted, Unasked, Untold};
        let missing = Some(Finding::PermissionMissing);
        let told = [
            (Granted, Granted, (Outcome::Pass, None)),
            (Granted, Untold, (Outcome::Pass, None)),
            (Untold, Untold, (Outcome::Skipped, None)),
            (Denied, Granted, (Outcome::Warn, missing)),
            (Denied, Unasked, (Outcome::Warn, missing)),
            (Granted, Denied, (Outcome::Fail, missing)),
            (Unasked, Denied, (Outcome::Fail, missing)),
            (Denied, Denied, (Outcome::Fail, missing)),
            (Unasked, Granted, (Outcome::Warn, missing)),
            (Untold, Unasked, (Outcome::Warn, missing)),
        ];
        for (camera, microphone, expected) in told {
            let check = permissions(&PermissionsMeasured { camera, microphone }, 1);
            assert_eq!(of(&check), expected, "{camera:?}, {microphone:?}");
        }
    }

    #[test]
    fn the_encoder_at_its_boundaries() {
        let at = |fps_possible, width, height| {
            let measured = EncoderMeasured {
                width,
                height,
                pictures: 60,
                fps_possible,
            };
            of(&encoder(&measured, 1_000))
        };
        let slow = Some(Finding::EncoderSlow);
        assert_eq!(at(60.0, 1_280, 720), (Outcome::Pass, None));
        assert_eq!(at(59.9, 1_280, 720), (Outcome::Warn, slow));
        assert_eq!(at(20.0, 1_280, 720), (Outcome::Warn, slow));
        assert_eq!(at(19.9, 1_280, 720), (Outcome::Fail, slow));
        // Four times as many pictures of a quarter of the size.
        assert_eq!(at(240.0, 640, 360), (Outcome::Pass, None));
        assert_eq!(at(239.0, 640, 360), (Outcome::Warn, slow));
    }

    #[test]
    fn the_disk_at_its_boundaries() {
        let at = |free_bytes, writable| of(&storage(&StorageMeasured { free_bytes, writable }, 1));
        let full = Some(Finding::StorageFull);
        assert_eq!(at(2_000_000_000, true), (Outcome::Pass, None));
        assert_eq!(at(1_999_999_999, true), (Outcome::Warn, full));
        assert_eq!(at(200_000_000, true), (Outcome::Warn, full));
        assert_eq!(at(199_999_999, true), (Outcome::Fail, full));
        let unusable = (Outcome::Fail, Some(Finding::StorageUnusable));
        assert_eq!(at(2_000_000_000, false), unusable);
        assert_eq!(at(0, false), unusable, "what cannot be written to is not full");
    }

    #[test]
    fn a_keyring_that_is_missing_and_one_that_does_not_work_both_warn() {
        let at = |name: &str, usable| {
            let name = name.into();
            keyring(&KeyringMeasured { name, usable }, 1)
        };
        assert_eq!(of(&at("Secret Service", true)), (Outcome::Pass, None));
        let warned = (Outcome::Warn, Some(Finding::KeyringUnusable));
        assert_eq!(of(&at("", false)), warned);
        assert_eq!(at("", false).sentence, "This computer has no keyring.");
        assert_eq!(of(&at("Secret Service", false)), warned);
        assert!(at("Secret Service", false).sentence.contains("Secret Service"));
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let older = [
            ("1.4.0", "1.4.1"),
            ("1.9.9", "1.10.0"),
            ("0.9", "1"),
            ("1.4.0-rc.1", "1.4.0"),
            ("unknown", "1.0.0"),
        ];
        for (own, minimum) in older {
            assert!(is_older(own, minimum), "{own} < {minimum}");
        }
        let allowed = [
            ("1.4.0", "1.4.0"),
            ("1.4.1", "1.4"),
            ("v2.0.0", "1.99.99"),
            ("1.4.0+debian", "1.4.0"),
            ("1.5.0-rc.1", "1.4.0"),
            ("1.4.0", ""),
            ("1.4.0", "latest"),
            ("1.4.0", "1.4.0.0"),
        ];
        for (own, minimum) in allowed {
            assert!(!is_older(own, minimum), "{own} >= {minimum}");
        }
    }

    #[test]
    fn a_version_is_too_old_allowed_or_cannot_be_compared() {
        let at = |minimum: &str| {
            let measured = VersionMeasured {
                own: "1.4.0".into(),
                minimum: minimum.into(),
            };
            of(&version(&measured, 1))
        };
        assert_eq!(at(""), (Outcome::Pass, None));
        assert_eq!(at("1.4.0"), (Outcome::Pass, None));
        assert_eq!(at("1.4.1"), (Outcome::Fail, Some(Finding::VersionOld)));
        assert_eq!(at("latest"), (Outcome::Skipped, None));
    }
}
