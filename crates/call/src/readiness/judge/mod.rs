//! What a measurement means: one function per check, from figures to a [`Check`] with its outcome, its finding,
//! a sentence that is exact, and what to do.
//!
//! Two causes never share a finding. Where several speak, a failure comes before a warning, and the cause before
//! what follows from it. A threshold stands beside its judge, with its source where there is one.

mod call;
mod camera;
mod machine;
mod network;
mod sound;

pub use call::call;
pub use camera::camera;
pub use machine::{encoder, is_older, keyring, permissions, storage, version};
pub use network::{backend, clock, clock_offset_ms, line, relay, stun};
pub use sound::{echo, microphone, speaker};

use sightline_wire::readiness::{Check, CheckKind, DeviceIdentity, Figure, Finding, Outcome, Unit};

/// A check that did not end before its deadline, in milliseconds.
pub fn too_late(kind: CheckKind, deadline_ms: u32) -> Check {
    let sentence = format!("The check did not end within {}.", span(f64::from(deadline_ms)));
    Judgement::fail(Finding::TooLate, sentence).check(kind, Vec::new(), None, deadline_ms)
}

/// A check that was not done: `why` as a sentence.
pub fn skipped(kind: CheckKind, why: &str) -> Check {
    Judgement::skipped(why).check(kind, Vec::new(), None, 0)
}

/// An outcome with its words, before it becomes a check.
struct Judgement {
    outcome: Outcome,
    finding: Option<Finding>,
    sentence: String,
    remedy: String,
}

impl Judgement {
    fn pass(sentence: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Pass,
            finding: None,
            sentence: sentence.into(),
            remedy: String::new(),
        }
    }

    fn skipped(sentence: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Skipped,
            ..Self::pass(sentence)
        }
    }

    fn warn(finding: Finding, sentence: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Warn,
            finding: Some(finding),
            sentence: sentence.into(),
            remedy: finding.remedy().into(),
        }
    }

    fn fail(finding: Finding, sentence: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Fail,
            ..Self::warn(finding, sentence)
        }
    }

    /// With a remedy that fits better than the finding's own.
    fn advising(self, remedy: impl Into<String>) -> Self {
        Self {
            remedy: remedy.into(),
            ..self
        }
    }

    /// Figures that are not finite are left out: they cannot travel.
    fn check(self, kind: CheckKind, figures: Vec<Figure>, device: Option<&DeviceIdentity>, took_ms: u32) -> Check {
        Check {
            kind,
            outcome: self.outcome,
            finding: self.finding,
            sentence: capital(&self.sentence),
            remedy: self.remedy,
            figures: figures.into_iter().filter(|figure| figure.value.is_finite()).collect(),
            device: device.cloned(),
            took_ms,
        }
    }
}

/// A sentence that begins with a capital letter, whatever it was made of.
fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// A device by its name, or `otherwise`, as in "the camera".
fn called(device: Option<&DeviceIdentity>, otherwise: &str) -> String {
    match device {
        Some(device) if !device.name.trim().is_empty() => format!("“{}”", device.name.trim()),
        Some(_) | None => otherwise.into(),
    }
}

/// The device has another name than the one of the last full test. Identifiers change with the port.
fn is_another(device: Option<&DeviceIdentity>, before: Option<&DeviceIdentity>) -> bool {
    matches!((device, before), (Some(device), Some(before)) if device.name != before.name)
}

/// What is said of a device that works and is another one than before.
fn another(device: Option<&DeviceIdentity>, before: Option<&DeviceIdentity>, what: &str) -> Judgement {
    let (device, before) = (called(device, "another one"), called(before, "another one"));
    Judgement::warn(
        Finding::DeviceChanged,
        format!("{what} is {device} now; at the last test it was {before}."),
    )
}

/// A share of 0 to 1 as a figure in per cent.
fn percent(name: &str, share: f64) -> Figure {
    Figure::new(name, share * 100.0, Unit::Percent)
}

/// The figures that were measured, among those that could have been.
fn measured<const N: usize>(figures: [(&str, Option<f64>, Unit); N]) -> Vec<Figure> {
    let figure = |(name, value, unit): (&str, Option<f64>, Unit)| Some(Figure::new(name, value?, unit));
    figures.into_iter().filter_map(figure).collect()
}

/// A length of time in words, from milliseconds: "40 milliseconds", "7 seconds", "12 minutes", "3 hours", "2 days".
fn span(ms: f64) -> String {
    const UNITS: [(f64, &str); 4] = [
        (86_400_000.0, "day"),
        (3_600_000.0, "hour"),
        (60_000.0, "minute"),
        (1_000.0, "second"),
    ];
    let ms = ms.abs();
    // A unit is used from its double on: "90 minutes" tells more than "2 hours".
    let unit = UNITS.into_iter().find(|(length, _)| ms >= 2.0 * length);
    let (length, unit) = unit.unwrap_or(match ms >= 1_000.0 {
        true => UNITS[3],
        false => (1.0, "millisecond"),
    });
    match (ms / length).round() {
        1.0 => format!("1 {unit}"),
        count => format!("{count} {unit}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sightline_wire::device::DeviceKind;

    fn device(name: &str) -> DeviceIdentity {
        DeviceIdentity {
            kind: DeviceKind::Camera,
            id: "/dev/video0".into(),
            name: name.into(),
        }
    }

    #[test]
    fn lengths_of_time_are_told_in_the_unit_that_says_enough() {
        let told = [
            (0.0, "0 milliseconds"),
            (1.0, "1 millisecond"),
            (999.4, "999 milliseconds"),
            (1_000.0, "1 second"),
            (-7_200.0, "7 seconds"),
            (119_000.0, "119 seconds"),
            (120_000.0, "2 minutes"),
            (7_199_000.0, "120 minutes"),
            (7_200_000.0, "2 hours"),
            (172_800_000.0, "2 days"),
        ];
        for (ms, words) in told {
            assert_eq!(span(ms), words);
        }
    }

    #[test]
    fn a_check_that_is_too_late_names_its_deadline() {
        let check = too_late(CheckKind::Stun, 5_000);
        assert_eq!((check.outcome, check.finding), (Outcome::Fail, Some(Finding::TooLate)));
        assert_eq!(check.sentence, "The check did not end within 5 seconds.");
        assert_eq!(check.took_ms, 5_000);
    }

    #[test]
    fn a_check_that_was_left_out_says_why_and_asks_for_nothing() {
        let check = skipped(CheckKind::Call, "There is no server.");
        assert_eq!((check.outcome, check.finding), (Outcome::Skipped, None));
        assert_eq!(
            (check.sentence.as_str(), check.remedy.as_str()),
            ("There is no server.", "")
        );
    }

    #[test]
    fn what_cannot_travel_is_left_out_of_the_figures() {
        let figures = vec![
            Figure::new("a", f64::NAN, Unit::Ms),
            Figure::new("b", f64::NEG_INFINITY, Unit::Dbfs),
            Figure::new("c", 1.0, Unit::Count),
        ];
        let check = Judgement::pass("Fine.").check(CheckKind::Echo, figures, None, 1);
        assert_eq!(check.figures, [Figure::new("c", 1.0, Unit::Count)]);
    }

    #[test]
    fn a_device_is_another_one_by_its_name_and_not_by_its_port() {
        let (here, there) = (device("BRIO"), device("C920"));
        let moved = DeviceIdentity {
            id: "/dev/video2".into(),
            ..here.clone()
        };
        assert!(is_another(Some(&here), Some(&there)));
        assert!(!is_another(Some(&here), Some(&moved)));
        assert!(!is_another(Some(&here), None));
        assert!(!is_another(None, Some(&there)));
    }

    #[test]
    fn a_sentence_begins_with_a_capital() {
        assert_eq!(capital("the camera is slow."), "The camera is slow.");
        assert_eq!(capital("“brio” is slow."), "“brio” is slow.");
        assert_eq!(capital(""), "");
    }

    #[test]
    fn a_device_without_a_name_is_called_by_its_kind() {
        assert_eq!(called(Some(&device("BRIO ")), "the camera"), "“BRIO”");
        assert_eq!(called(Some(&device(" ")), "the camera"), "the camera");
        assert_eq!(called(None, "the camera"), "the camera");
    }
}
