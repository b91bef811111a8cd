//! What this deployment demands of a desk, what makes a report count, and how a narrowing is said.

use sightline_call::readiness::{comes_to, figures::VersionMeasured, judge};
use sightline_wire::{
    ErrorCode, Problem,
    device::DeviceKind,
    readiness::{Carries, CheckKind, Extent, Narrowing, Outcome, ReadinessPolicy, Report},
};

const HOUR_MS: f64 = 3_600_000.0;

/// The longest lease that can be set: a month, in hours.
const LONGEST_H: f64 = 31.0 * 24.0;

/// A lease is required and a passed self-test counts for twelve hours.
pub fn default_policy() -> ReadinessPolicy {
    ReadinessPolicy {
        required: true,
        lease_ms: 12 * 60 * 60 * 1_000,
        minimum_version: String::new(),
    }
}

/// Reads `SIGHTLINE_READINESS`, `SIGHTLINE_LEASE_H` and `SIGHTLINE_MINIMUM_VERSION`; the error is a sentence for the
/// operator.
pub fn readiness_from_settings(get: impl Fn(&str) -> Option<String>) -> Result<ReadinessPolicy, String> {
    let mut policy = default_policy();
    policy.required = match get("SIGHTLINE_READINESS").as_deref() {
        None | Some("required") => true,
        Some("advised") => false,
        Some(other) => return Err(format!("SIGHTLINE_READINESS is required or advised, not {other}")),
    };
    if let Some(text) = get("SIGHTLINE_LEASE_H") {
        let hours: Option<f64> = text.trim().parse().ok();
        let hours = hours
            .filter(|hours| *hours > 0.0 && *hours <= LONGEST_H)
            .ok_or_else(|| format!("SIGHTLINE_LEASE_H is a number of hours, more than 0 and at most {LONGEST_H}"))?;
        policy.lease_ms = ((hours * HOUR_MS) as u64).max(1);
    }
    if let Some(version) = get("SIGHTLINE_MINIMUM_VERSION") {
        let version = version.trim();
        let numbers: Vec<&str> = version.split('.').collect();
        if numbers.len() > 3 || numbers.iter().any(|number| number.parse::<u32>().is_err()) {
            return Err(format!(
                "SIGHTLINE_MINIMUM_VERSION is a version as in 1.4.0, not {version}"
            ));
        }
        policy.minimum_version = version.to_string();
    }
    Ok(policy)
}

/// Refuses a report that is not what it says it is: a check that stands there twice, or one that is missing from a
/// test of everything.
pub fn check_shape(report: &Report) -> Result<(), Problem> {
    let has = |kind: CheckKind| report.checks.iter().any(|check| check.kind == kind);
    let twice = report
        .checks
        .iter()
        .enumerate()
        .any(|(at, check)| report.checks[..at].iter().any(|before| before.kind == check.kind));
    if twice || report.checks.is_empty() {
        return Err(odd("A report names each of its checks once."));
    }
    let missing = match report.extent {
        Extent::Full => CheckKind::ALL
            .into_iter()
            .find(|kind| kind.carries() != Carries::Comfort && !has(*kind)),
        // Those that are there count, each for itself.
        Extent::Quick | Extent::Single => None,
    };
    match missing {
        Some(kind) => Err(odd(&format!("The report lacks the check {}.", kind.name()))),
        None => Ok(()),
    }
}

fn odd(message: &str) -> Problem {
    Problem::new(ErrorCode::BadRequest).saying(message)
}

/// The report as it counts here: what was measured is the desk's to say; which version is allowed, and what a test of
/// everything comes to, is not.
pub fn weighed(mut report: Report, policy: &ReadinessPolicy) -> Report {
    let version = VersionMeasured {
        own: report.app_version.clone(),
        minimum: policy.minimum_version.clone(),
    };
    let version = judge::version(&version, 0);
    if version.outcome == Outcome::Fail {
        for check in &mut report.checks {
            if check.kind == CheckKind::Version {
                *check = version.clone();
            }
        }
    }
    match report.extent {
        Extent::Full => report.readiness = comes_to(&report.checks),
        // They stand on an earlier report; the desk has put the two together.
        Extent::Quick | Extent::Single => {}
    }
    report
}

/// A narrowing in plain words.
pub fn sentence(narrowing: &Narrowing) -> String {
    match narrowing {
        Narrowing::NeverTested => "No self-test has passed on this desk yet.".into(),
        Narrowing::Failed {
            finding: Some(finding), ..
        } => finding.sentence().into(),
        Narrowing::Failed { check, finding: None } => format!("The check {} failed.", check.name()),
        Narrowing::Unplugged { kind, name } => format!("The {} {name} was unplugged.", device(*kind)),
        Narrowing::Expired => "The last self-test is too long ago.".into(),
        Narrowing::Offline => "The desk is not connected.".into(),
        Narrowing::Handshakes => "Three calls in a row did not come about.".into(),
    }
}

/// The check behind a narrowing, where there is one.
pub fn failed_check(narrowing: &Narrowing) -> Option<&'static str> {
    match narrowing {
        Narrowing::Failed { check, .. } => Some(check.name()),
        Narrowing::NeverTested
        | Narrowing::Unplugged { .. }
        | Narrowing::Expired
        | Narrowing::Offline
        | Narrowing::Handshakes => None,
    }
}

/// A kind of device in plain words.
fn device(kind: DeviceKind) -> &'static str {
    match kind {
        DeviceKind::Camera => "camera",
        DeviceKind::Microphone => "microphone",
        DeviceKind::Speaker => "speaker",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sightline_wire::{
        ids::ReportId,
        readiness::{Check, Finding, Readiness},
    };
    use uuid::Uuid;

    fn read(settings: &[(&str, &str)]) -> Result<ReadinessPolicy, String> {
        readiness_from_settings(|name| {
            let found = settings.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| value.to_string())
        })
    }

    #[test]
    fn settings_are_read_or_refused_with_a_sentence() {
        assert_eq!(read(&[]), Ok(default_policy()));
        let policy = read(&[
            ("SIGHTLINE_READINESS", "advised"),
            ("SIGHTLINE_LEASE_H", "0.5"),
            ("SIGHTLINE_MINIMUM_VERSION", "1.4.0"),
        ])
        .unwrap();
        assert_eq!(
            (policy.required, policy.lease_ms, policy.minimum_version.as_str()),
            (false, 30 * 60 * 1_000, "1.4.0")
        );
        for (name, value) in [
            ("SIGHTLINE_READINESS", "yes"),
            ("SIGHTLINE_LEASE_H", "0"),
            ("SIGHTLINE_LEASE_H", "-1"),
            ("SIGHTLINE_LEASE_H", "NaN"),
            ("SIGHTLINE_LEASE_H", "1000"),
            ("SIGHTLINE_LEASE_H", "twelve"),
            ("SIGHTLINE_MINIMUM_VERSION", "newest"),
            ("SIGHTLINE_MINIMUM_VERSION", "1..2"),
            ("SIGHTLINE_MINIMUM_VERSION", "1.2.3.4"),
        ] {
            assert!(read(&[(name, value)]).unwrap_err().contains(name), "{name}={value}");
        }
    }

    fn full() -> Report {
        let check = |kind| Check {
            kind,
            outcome: Outcome::Pass,
            finding: None,
            sentence: String::new(),
            remedy: String::new(),
            figures: Vec::new(),
            device: None,
            took_ms: 1,
        };
        Report {
            id: ReportId(Uuid::from_u128(1)),
            extent: Extent::Full,
            started_at: 0,
            finished_at: 1,
            app_version: "1.3.9".into(),
            system: String::new(),
            readiness: Readiness::Video,
            checks: CheckKind::ALL.map(check).into(),
        }
    }

    #[test]
    fn a_full_report_is_weighed_here() {
        assert_eq!(weighed(full(), &default_policy()), full());
        let strict = ReadinessPolicy {
            minimum_version: "1.4.0".into(),
            ..default_policy()
        };
        let old = weighed(full(), &strict);
        assert_eq!(old.readiness, Readiness::NotReady);
        let version = old.checks.iter().find(|check| check.kind == CheckKind::Version);
        assert_eq!(version.unwrap().finding, Some(Finding::VersionOld));

        let mut claimed = full();
        for check in &mut claimed.checks {
            if check.kind == CheckKind::Encoder {
                check.outcome = Outcome::Fail;
            }
        }
        assert_eq!(weighed(claimed, &default_policy()).readiness, Readiness::Audio);
    }

    #[test]
    fn only_whole_tests_count_as_full_ones() {
        assert_eq!(check_shape(&full()), Ok(()));
        for kind in CheckKind::ALL {
            let mut report = full();
            report.checks.retain(|check| check.kind != kind);
            assert_eq!(
                check_shape(&report).is_ok(),
                kind.carries() == Carries::Comfort,
                "{kind:?}"
            );
            report.extent = Extent::Quick;
            assert_eq!(check_shape(&report), Ok(()));
        }
    }
}
