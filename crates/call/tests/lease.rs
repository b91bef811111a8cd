//! A desk's lease in virtual time: the stories. Random events against a model are in `lease_random.rs`.

use sightline_call::readiness::lease::{LeaseInput, LeaseState, Standing};
use sightline_wire::{
    device::DeviceKind,
    ids::ReportId,
    readiness::{
        Check, CheckKind, DeviceIdentity, Extent, Figure, Finding, Narrowing, Outcome, Readiness, ReadinessPolicy,
        Report, Unit,
    },
};
use uuid::Uuid;

const HOUR: i64 = 3_600_000;

fn policy() -> ReadinessPolicy {
    ReadinessPolicy {
        required: true,
        lease_ms: 12 * 3_600_000,
        minimum_version: String::new(),
    }
}

fn check(kind: CheckKind, outcome: Outcome) -> Check {
    let device = |kind, name: &str| DeviceIdentity {
        kind,
        id: name.into(),
        name: name.into(),
    };
    Check {
        kind,
        outcome,
        finding: None,
        sentence: String::new(),
        remedy: String::new(),
        figures: Vec::new(),
        device: match kind {
            CheckKind::Camera => Some(device(DeviceKind::Camera, "BRIO")),
            CheckKind::Microphone => Some(device(DeviceKind::Microphone, "Jabra")),
            CheckKind::Speaker => Some(device(DeviceKind::Speaker, "Jabra")),
            _ => None,
        },
        took_ms: 0,
    }
}

fn failing(kind: CheckKind, finding: Finding) -> Check {
    Check {
        finding: Some(finding),
        ..check(kind, Outcome::Fail)
    }
}

fn report(extent: Extent, finished_at: i64, checks: Vec<Check>) -> Report {
    Report {
        id: ReportId(Uuid::from_u128(1)),
        extent,
        started_at: finished_at - 30_000,
        finished_at,
        app_version: "1.4.0".into(),
        system: "Debian 12, x86_64".into(),
        readiness: Readiness::Video,
        checks,
    }
}

/// A full test in which everything passed but `instead`.
fn full(finished_at: i64, instead: &[Check]) -> Report {
    let checked = |kind: CheckKind| match instead.iter().find(|check| check.kind == kind) {
        Some(check) => check.clone(),
        None => check(kind, Outcome::Pass),
    };
    report(Extent::Full, finished_at, CheckKind::ALL.map(checked).into())
}

/// A quick check in which everything passed but `instead`.
fn quick(finished_at: i64, instead: &[Check]) -> Report {
    let checked = |kind: CheckKind| match instead.iter().find(|check| check.kind == kind) {
        Some(check) => check.clone(),
        None => check(kind, Outcome::Pass),
    };
    report(Extent::Quick, finished_at, CheckKind::QUICK.map(checked).into())
}

fn single(finished_at: i64, check: Check) -> Report {
    report(Extent::Single, finished_at, vec![check])
}

fn unplugged(kind: DeviceKind, name: &str) -> Narrowing {
    Narrowing::Unplugged {
        kind,
        name: name.into(),
    }
}

fn failed(check: CheckKind, finding: Finding) -> Narrowing {
    Narrowing::Failed {
        check,
        finding: Some(finding),
    }
}

/// A state with a hand on the clock.
struct Desk {
    state: LeaseState,
    policy: ReadinessPolicy,
}

impl Desk {
    fn new() -> Self {
        Self {
            state: LeaseState::new(0),
            policy: policy(),
        }
    }

    /// Connected, with a full test at 1,000.
    fn tested(instead: &[Check]) -> Self {
        let mut desk = Self::new();
        desk.input(LeaseInput::DeskOnline, 500);
        desk.input(LeaseInput::Report(&full(1_000, instead)), 1_000);
        desk
    }

    fn input(&mut self, input: LeaseInput<'_>, now: i64) -> Readiness {
        self.state = self.state.clone().apply(input, now, &self.policy);
        self.state.readiness(now)
    }

    fn why(&self, now: i64) -> Vec<Narrowing> {
        self.state.lease(now).expect("it was tested").narrowed_by
    }
}

#[test]
fn a_desk_that_was_never_tested_has_no_lease() {
    let mut desk = Desk::new();
    assert_eq!(desk.input(LeaseInput::DeskOnline, 10), Readiness::NotReady);
    assert_eq!(desk.state.lease(10), None);
    assert_eq!(desk.input(LeaseInput::Report(&quick(20, &[])), 20), Readiness::NotReady);
    assert_eq!(desk.state.lease(20), None, "a quick check gives nothing");
    assert_eq!(desk.state.tested_at(), None);
    assert!(!desk.state.allows_video(20, &desk.policy));
}

#[test]
fn a_passed_full_test_gives_a_lease_for_as_long_as_the_policy_says() {
    let desk = Desk::tested(&[]);
    let lease = desk.state.lease(2_000).expect("it was tested");
    assert_eq!(lease.readiness, Readiness::Video);
    assert_eq!((lease.since, lease.expires_at), (1_000, 1_000 + 12 * HOUR));
    assert_eq!(lease.narrowed_by, []);
    let names: Vec<&str> = lease.devices.iter().map(|device| device.name.as_str()).collect();
    assert_eq!(names, ["BRIO", "Jabra", "Jabra"]);
    assert!(desk.state.allows_video(2_000, &desk.policy));
    assert_eq!(desk.state.deadline(), Some(1_000 + 12 * HOUR));
}

#[test]
fn unplugging_narrows_at_once_and_plugging_back_with_a_passed_quick_check_restores() {
    let mut desk = Desk::tested(&[]);
    let gone = unplugged(DeviceKind::Camera, "BRIO");
    assert_eq!(desk.input(LeaseInput::Narrow(&gone), 5_000), Readiness::Audio);
    assert_eq!(desk.why(5_000), std::slice::from_ref(&gone));
    assert_eq!(desk.state.lease(5_000).expect("it was tested").since, 5_000);
    // The quick check that the missing camera started finds the same thing, and does not tell it in poorer words.
    let missing = quick(7_000, &[failing(CheckKind::Camera, Finding::CameraMissing)]);
    assert_eq!(desk.input(LeaseInput::Report(&missing), 7_000), Readiness::Audio);
    assert_eq!(desk.why(7_000), [gone]);
    // Plugged in again, and another program was faster.
    let busy = quick(8_000, &[failing(CheckKind::Camera, Finding::CameraBusy)]);
    assert_eq!(desk.input(LeaseInput::Report(&busy), 8_000), Readiness::Audio);
    assert_eq!(desk.why(8_000), [failed(CheckKind::Camera, Finding::CameraBusy)]);
    assert_eq!(
        desk.input(LeaseInput::Report(&quick(9_000, &[])), 9_000),
        Readiness::Video
    );
    let lease = desk.state.lease(9_000).expect("it was tested");
    assert_eq!(
        (lease.since, lease.expires_at),
        (9_000, 1_000 + 12 * HOUR),
        "no longer than before"
    );
}

#[test]
fn without_microphone_or_speaker_there_is_no_call() {
    for kind in [DeviceKind::Microphone, DeviceKind::Speaker] {
        let mut desk = Desk::tested(&[]);
        let gone = unplugged(kind, "Jabra");
        assert_eq!(desk.input(LeaseInput::Narrow(&gone), 5_000), Readiness::NotReady);
        assert_eq!(desk.why(5_000), [gone]);
        assert_eq!(
            desk.input(LeaseInput::Report(&quick(9_000, &[])), 9_000),
            Readiness::Video
        );
    }
}

#[test]
fn one_thing_that_comes_back_does_not_bring_back_another() {
    let mut desk = Desk::tested(&[]);
    desk.input(LeaseInput::Narrow(&unplugged(DeviceKind::Camera, "BRIO")), 5_000);
    desk.input(LeaseInput::Narrow(&unplugged(DeviceKind::Speaker, "Jabra")), 5_001);
    let only_speaker = quick(9_000, &[failing(CheckKind::Camera, Finding::CameraMissing)]);
    assert_eq!(desk.input(LeaseInput::Report(&only_speaker), 9_000), Readiness::Audio);
    // A check that was left out says nothing.
    let without = quick(10_000, &[check(CheckKind::Camera, Outcome::Skipped)]);
    assert_eq!(desk.input(LeaseInput::Report(&without), 10_000), Readiness::Audio);
}

#[test]
fn a_quick_check_never_gives_more_than_the_full_test_did() {
    let mut desk = Desk::tested(&[failing(CheckKind::Camera, Finding::CameraMissing)]);
    assert_eq!(desk.state.readiness(1_000), Readiness::Audio);
    assert_eq!(
        desk.input(LeaseInput::Report(&quick(5_000, &[])), 5_000),
        Readiness::Audio
    );
    assert_eq!(desk.why(5_000), [failed(CheckKind::Camera, Finding::CameraMissing)]);
    let mut desk = Desk::tested(&[failing(CheckKind::Microphone, Finding::MicrophoneSilent)]);
    assert_eq!(desk.state.readiness(1_000), Readiness::NotReady);
    assert_eq!(
        desk.input(LeaseInput::Report(&quick(5_000, &[])), 5_000),
        Readiness::NotReady
    );
}

#[test]
fn a_single_check_done_again_stands_in_for_the_one_of_the_full_test() {
    let mut desk = Desk::tested(&[failing(CheckKind::Camera, Finding::CameraCovered)]);
    let again = single(6_000, check(CheckKind::Camera, Outcome::Pass));
    assert_eq!(desk.input(LeaseInput::Report(&again), 6_000), Readiness::Video);
    let lease = desk.state.lease(6_000).expect("it was tested");
    assert_eq!(lease.expires_at, 1_000 + 12 * HOUR, "and not for longer");
    // The other way round it narrows, and a quick check that passes later restores.
    let worse = single(7_000, failing(CheckKind::Camera, Finding::CameraFrozen));
    assert_eq!(desk.input(LeaseInput::Report(&worse), 7_000), Readiness::Audio);
    assert_eq!(desk.why(7_000), [failed(CheckKind::Camera, Finding::CameraFrozen)]);
    assert_eq!(
        desk.input(LeaseInput::Report(&quick(8_000, &[])), 8_000),
        Readiness::Video
    );
}

#[test]
fn a_lease_ends_by_itself_with_or_without_a_tick() {
    let end = 1_000 + 12 * HOUR;
    let mut desk = Desk::tested(&[]);
    assert_eq!(desk.state.readiness(end - 1), Readiness::Video);
    assert_eq!(desk.state.readiness(end), Readiness::NotReady, "nobody has ticked");
    assert_eq!(desk.input(LeaseInput::Tick, end - 1), Readiness::Video);
    assert_eq!(desk.input(LeaseInput::Tick, end + 50), Readiness::NotReady);
    let lease = desk.state.lease(end + 50).expect("it was tested");
    assert_eq!(
        (lease.since, lease.expires_at),
        (end, end),
        "since its end, not since the tick"
    );
    assert_eq!(lease.narrowed_by, [Narrowing::Expired]);
    assert_eq!(desk.state.deadline(), None);
    // Nothing short of a full test helps.
    let camera = single(end + 60, check(CheckKind::Camera, Outcome::Pass));
    assert_eq!(desk.input(LeaseInput::Report(&camera), end + 60), Readiness::NotReady);
    assert_eq!(
        desk.input(LeaseInput::Report(&quick(end + 70, &[])), end + 70),
        Readiness::NotReady
    );
    assert_eq!(
        desk.input(LeaseInput::Report(&full(end + 80, &[])), end + 80),
        Readiness::Video
    );
}

#[test]
fn restoring_does_not_outlive_the_lease() {
    let end = 1_000 + 12 * HOUR;
    let mut desk = Desk::tested(&[]);
    desk.input(LeaseInput::Narrow(&unplugged(DeviceKind::Camera, "BRIO")), end - 5_000);
    assert_eq!(
        desk.input(LeaseInput::Report(&quick(end, &[])), end),
        Readiness::NotReady
    );
    assert_eq!(desk.why(end), [Narrowing::Expired]);
}

#[test]
fn three_failed_handshakes_in_a_row_leave_sound() {
    let mut desk = Desk::tested(&[]);
    assert_eq!(desk.input(LeaseInput::HandshakeFailed, 2_000), Readiness::Video);
    assert_eq!(desk.input(LeaseInput::HandshakeFailed, 3_000), Readiness::Video);
    assert_eq!(desk.input(LeaseInput::HandshakeFailed, 4_000), Readiness::Audio);
    assert_eq!(desk.why(4_000), [Narrowing::Handshakes]);
    assert_eq!(desk.input(LeaseInput::HandshakeFailed, 5_000), Readiness::Audio);
    // Devices have nothing to do with it.
    assert_eq!(
        desk.input(LeaseInput::Report(&quick(6_000, &[])), 6_000),
        Readiness::Audio
    );
    assert_eq!(desk.input(LeaseInput::HandshakeSucceeded, 7_000), Readiness::Video);
    // The count starts anew.
    desk.input(LeaseInput::HandshakeFailed, 8_000);
    desk.input(LeaseInput::HandshakeFailed, 9_000);
    desk.input(LeaseInput::HandshakeSucceeded, 9_500);
    assert_eq!(desk.input(LeaseInput::HandshakeFailed, 10_000), Readiness::Video);
}

#[test]
fn a_passed_full_test_forgets_failed_handshakes() {
    let mut desk = Desk::tested(&[]);
    for now in [2_000, 3_000, 4_000] {
        desk.input(LeaseInput::HandshakeFailed, now);
    }
    assert_eq!(
        desk.input(LeaseInput::Report(&full(6_000, &[])), 6_000),
        Readiness::Video
    );
    assert_eq!(desk.input(LeaseInput::HandshakeFailed, 7_000), Readiness::Video);
}

#[test]
fn a_desk_that_is_not_connected_is_offered_nothing() {
    let mut desk = Desk::tested(&[]);
    assert_eq!(desk.input(LeaseInput::DeskOffline, 5_000), Readiness::NotReady);
    assert_eq!(desk.why(5_000), [Narrowing::Offline]);
    assert_eq!(desk.input(LeaseInput::DeskOnline, 6_000), Readiness::Video);
    assert_eq!(desk.state.lease(6_000).expect("it was tested").since, 6_000);
}

#[test]
fn a_test_from_the_command_line_counts_from_when_the_desk_connects() {
    let mut desk = Desk::new();
    assert_eq!(
        desk.input(LeaseInput::Report(&full(1_000, &[])), 1_000),
        Readiness::NotReady
    );
    assert_eq!(desk.why(1_000), [Narrowing::Offline]);
    assert_eq!(desk.input(LeaseInput::DeskOnline, HOUR), Readiness::Video);
    assert_eq!(
        desk.state.deadline(),
        Some(1_000 + 12 * HOUR),
        "and still ends when it would have"
    );
}

#[test]
fn what_was_narrowed_stays_so_while_the_desk_is_away() {
    let mut desk = Desk::tested(&[]);
    let gone = unplugged(DeviceKind::Camera, "BRIO");
    desk.input(LeaseInput::Narrow(&gone), 5_000);
    desk.input(LeaseInput::DeskOffline, 6_000);
    assert_eq!(desk.why(6_000), [gone.clone(), Narrowing::Offline]);
    assert_eq!(desk.input(LeaseInput::DeskOnline, 7_000), Readiness::Audio);
    assert_eq!(desk.why(7_000), [gone]);
}

#[test]
fn losing_the_last_relay_counts_and_one_that_is_back_gives_it_back() {
    let blocked = |kind| failing(kind, Finding::RelayUnreachable);
    let lost = |kind| failed(kind, Finding::RelayUnreachable);
    let mut desk = Desk::tested(&[blocked(CheckKind::RelayUdp), blocked(CheckKind::RelayTcp)]);
    assert_eq!(desk.state.readiness(1_000), Readiness::Video);
    let tls = lost(CheckKind::RelayTls);
    assert_eq!(desk.input(LeaseInput::Narrow(&tls), 2_000), Readiness::Audio);
    assert_eq!(
        desk.why(2_000),
        [lost(CheckKind::RelayUdp)],
        "the first of them is named"
    );
    let again = single(4_000, check(CheckKind::RelayTcp, Outcome::Pass));
    assert_eq!(desk.input(LeaseInput::Report(&again), 4_000), Readiness::Video);
    assert_eq!(desk.why(4_000), []);
    let carries_nothing = failed(CheckKind::RelayedCall, Finding::CallFailed);
    assert_eq!(
        desk.input(LeaseInput::Narrow(&carries_nothing), 5_000),
        Readiness::Audio
    );
    assert_eq!(desk.why(5_000), [carries_nothing]);
    // Where there is none, none can be lost.
    let none = without_relays();
    assert_eq!(Desk::tested(&none).state.readiness(1_000), Readiness::Video);
}

fn without_relays() -> [Check; 4] {
    [
        CheckKind::RelayUdp,
        CheckKind::RelayTcp,
        CheckKind::RelayTls,
        CheckKind::RelayedCall,
    ]
    .map(|kind| check(kind, Outcome::Skipped))
}

#[test]
fn a_desk_cannot_end_or_lift_a_lease_by_word_alone() {
    let mut desk = Desk::tested(&[]);
    for word in [
        Narrowing::NeverTested,
        Narrowing::Expired,
        Narrowing::Offline,
        Narrowing::Handshakes,
    ] {
        assert_eq!(
            desk.input(LeaseInput::Narrow(&word), 2_000),
            Readiness::Video,
            "{word:?}"
        );
    }
}

#[test]
fn a_report_that_waited_counts_from_its_own_time() {
    let mut desk = Desk::new();
    desk.input(LeaseInput::DeskOnline, 0);
    assert_eq!(
        desk.input(LeaseInput::Report(&full(1_000, &[])), 5 * HOUR),
        Readiness::Video
    );
    assert_eq!(desk.state.deadline(), Some(1_000 + 12 * HOUR));
    // An older one that comes after it changes nothing.
    let older = full(500, &[failing(CheckKind::Camera, Finding::CameraBlack)]);
    assert_eq!(desk.input(LeaseInput::Report(&older), 5 * HOUR + 1), Readiness::Video);
    // One whose time is over when it comes.
    let mut late = Desk::new();
    late.input(LeaseInput::DeskOnline, 0);
    assert_eq!(
        late.input(LeaseInput::Report(&full(1_000, &[])), 20 * HOUR),
        Readiness::NotReady
    );
    assert_eq!(late.why(20 * HOUR), [Narrowing::Expired]);
}

#[test]
fn a_desk_whose_clock_is_wrong_gets_neither_more_nor_less() {
    let offset = |ms: f64| Check {
        figures: vec![Figure::new("offset", ms, Unit::Ms)],
        ..failing(CheckKind::Clock, Finding::ClockWrong)
    };
    let now = 100 * HOUR;
    for hours in [-30, 30] {
        let mut desk = Desk::new();
        desk.input(LeaseInput::DeskOnline, 0);
        let shown = now + hours * HOUR;
        let report = full(shown, &[offset((hours * HOUR) as f64)]);
        assert_eq!(desk.input(LeaseInput::Report(&report), now + 2_000), Readiness::Video);
        assert_eq!(desk.state.deadline(), Some(now + 12 * HOUR));
    }
    // A clock that is fast and was not measured: not from the future.
    let mut desk = Desk::new();
    desk.input(LeaseInput::DeskOnline, 0);
    desk.input(LeaseInput::Report(&full(now + 30 * HOUR, &[])), now);
    assert_eq!(desk.state.deadline(), Some(now + 12 * HOUR));
}

#[test]
fn the_server_decides_which_version_is_allowed() {
    let mut desk = Desk::new();
    desk.policy.minimum_version = "1.5.0".into();
    desk.input(LeaseInput::DeskOnline, 0);
    assert_eq!(
        desk.input(LeaseInput::Report(&full(1_000, &[])), 1_000),
        Readiness::NotReady
    );
    assert_eq!(desk.why(1_000), [failed(CheckKind::Version, Finding::VersionOld)]);
    let again = single(2_000, check(CheckKind::Version, Outcome::Pass));
    assert_eq!(desk.input(LeaseInput::Report(&again), 2_000), Readiness::NotReady);
    let mut updated = full(3_000, &[]);
    updated.app_version = "1.5.0".into();
    assert_eq!(desk.input(LeaseInput::Report(&updated), 3_000), Readiness::Video);
}

#[test]
fn where_the_policy_only_advises_nothing_is_refused() {
    let mut desk = Desk::new();
    assert!(!desk.state.allows_video(0, &desk.policy));
    desk.policy.required = false;
    assert!(desk.state.allows_video(0, &desk.policy));
    assert_eq!(
        desk.state.readiness(0),
        Readiness::NotReady,
        "and still it is told as it is"
    );
}

#[test]
fn another_device_takes_its_place_in_the_lease_when_it_passes() {
    let mut desk = Desk::tested(&[]);
    let mut other = check(CheckKind::Camera, Outcome::Warn);
    other.device = Some(DeviceIdentity {
        kind: DeviceKind::Camera,
        id: "C920".into(),
        name: "C920".into(),
    });
    desk.input(LeaseInput::Report(&quick(5_000, &[other])), 5_000);
    let devices = desk.state.lease(5_000).expect("it was tested").devices;
    let cameras: Vec<&str> = devices
        .iter()
        .filter(|device| device.kind == DeviceKind::Camera)
        .map(|device| device.name.as_str())
        .collect();
    assert_eq!(cameras, ["C920"]);
    assert_eq!(devices.len(), 3);
}

#[test]
fn a_failed_full_test_takes_the_lease_and_says_which_check() {
    let mut desk = Desk::tested(&[]);
    let failed_now = full(5_000, &[failing(CheckKind::Backend, Finding::CertificateBad)]);
    assert_eq!(desk.input(LeaseInput::Report(&failed_now), 5_000), Readiness::NotReady);
    assert_eq!(desk.why(5_000), [failed(CheckKind::Backend, Finding::CertificateBad)]);
    assert!(matches!(desk.state.standing, Standing::Tested(_)));
}
