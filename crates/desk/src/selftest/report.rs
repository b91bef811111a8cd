//! A test as it is kept: the report, and the name of the file somebody saves it in.

use sightline_call::readiness::{comes_to, quick_comes_to};
use sightline_wire::{
    UnixMillis,
    ids::ReportId,
    readiness::{Check, CheckKind, Extent, Report},
};
use uuid::Uuid;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What a test has found. A single check stands in its report alone, and comes to something together with those of the
/// test before.
pub(super) fn report(extent: Extent, started_at: UnixMillis, checks: Vec<Check>, earlier: &[Check]) -> Report {
    let readiness = match extent {
        Extent::Full => comes_to(&checks),
        Extent::Quick => quick_comes_to(&checks),
        Extent::Single => comes_to(&over(earlier, &checks)),
    };
    Report {
        id: ReportId(Uuid::new_v4()),
        extent,
        started_at,
        finished_at: crate::now(),
        app_version: env!("CARGO_PKG_VERSION").into(),
        system: system(),
        readiness,
        checks,
    }
}

/// Newer checks in the place of older ones, in their order.
pub(crate) fn over(earlier: &[Check], newer: &[Check]) -> Vec<Check> {
    let replaced = |check: &&Check| newer.iter().any(|newer| newer.kind == check.kind);
    let mut all: Vec<Check> = earlier.iter().filter(|check| !replaced(check)).cloned().collect();
    all.extend(newer.iter().cloned());
    all.sort_by_key(|check| check.kind);
    all
}

/// Why a check was not done when another one has failed.
pub(super) fn because_of(failed: CheckKind) -> &'static str {
    match failed {
        CheckKind::Backend => "Not checked: the server cannot be reached.",
        _ => "Not checked: something it needs has failed.",
    }
}

/// "Debian GNU/Linux 12, x86_64".
#[cfg(target_os = "linux")]
fn system() -> String {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let value = |name: &str| {
        let line = release
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.map(|value| value.trim_matches('"').to_owned())
    };
    let name = value("NAME").unwrap_or_else(|| "Linux".into());
    match value("VERSION_ID") {
        Some(version) => format!("{name} {version}, {}", std::env::consts::ARCH),
        None => format!("{name}, {}", std::env::consts::ARCH),
    }
}

/// "macos, aarch64".
#[cfg(not(target_os = "linux"))]
fn system() -> String {
    format!("{}, {}", std::env::consts::OS, std::env::consts::ARCH)
}

/// `sightline-self-test-2026-11-21-1845.json`, in UTC.
pub fn file_name(what: &str, at: UnixMillis, ending: &str) -> String {
    let (year, month, day) = civil(at.div_euclid(DAY_MS));
    let (hour, minute, _) = of_the_day(at);
    format!("sightline-{what}-{year:04}-{month:02}-{day:02}-{hour:02}{minute:02}.{ending}")
}

/// `2026-11-21T18:45:07Z` (RFC 3339).
pub fn rfc3339(at: UnixMillis) -> String {
    let (year, month, day) = civil(at.div_euclid(DAY_MS));
    let (hour, minute, second) = of_the_day(at);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Hour, minute and second.
fn of_the_day(at: UnixMillis) -> (i64, i64, i64) {
    let seconds = at.rem_euclid(DAY_MS) / 1_000;
    (seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// Year, month and day of a count of days since 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", civil_from_days).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sightline_call::readiness::judge;

    #[test]
    fn days_have_their_names() {
        for (at, name) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399_000, "2000-02-28T23:59:59Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_795_286_707_000, "2026-11-21T18:45:07Z"),
        ] {
            assert_eq!(rfc3339(at), name);
        }
        let name = file_name("self-test", 1_795_286_707_000, "json");
        assert_eq!(name, "sightline-self-test-2026-11-21-1845.json");
    }

    #[test]
    fn a_check_that_is_done_again_takes_the_place_of_the_old_one() {
        let skipped = |kind, why| judge::skipped(kind, why);
        let earlier = [
            skipped(CheckKind::Camera, "old"),
            skipped(CheckKind::Speaker, "old"),
            skipped(CheckKind::Storage, "old"),
        ];
        let newer = [
            skipped(CheckKind::Speaker, "new"),
            skipped(CheckKind::Microphone, "new"),
        ];
        let all = over(&earlier, &newer);
        let kinds: Vec<_> = all.iter().map(|check| check.kind).collect();
        assert_eq!(
            kinds,
            [
                CheckKind::Camera,
                CheckKind::Microphone,
                CheckKind::Speaker,
                CheckKind::Storage
            ]
        );
        assert_eq!(all[2].sentence, "New");
    }
}
