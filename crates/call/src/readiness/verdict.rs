//! What checks come to, all together.

use serde::{Deserialize, Serialize};
use sightline_wire::{
    device::{PathView, TransportProtocol},
    readiness::{Carries, Check, CheckKind, Figure, Finding, Outcome, Readiness, Unit},
};

/// The figure of a test call that says whether media went over a relay: 1, or 0 for a direct path.
const RELAYED: &str = "relayed";
/// The figure of a test call that says how media left this computer: 0 over UDP, 1 over TCP, 2 over TLS.
const TRANSPORT: &str = "transport";

/// What is left of a check when only its consequences matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Which check.
    pub check: CheckKind,
    /// How it went.
    pub outcome: Outcome,
    /// What was found.
    pub finding: Option<Finding>,
    /// The media of a test call went over a relay; false for every other check.
    pub relayed: bool,
}

impl Verdict {
    /// Of a check.
    pub fn of(check: &Check) -> Self {
        Self {
            check: check.kind,
            outcome: check.outcome,
            finding: check.finding,
            relayed: matches!(figure(check, RELAYED), Some(value) if value >= 0.5),
        }
    }

    /// Nothing speaks against what depends on it. Where a system has no permissions, and where every version is
    /// allowed, there is nothing to check; a device, the backend and the call must have been tried.
    pub fn stands(&self) -> bool {
        match self.outcome {
            Outcome::Pass | Outcome::Warn => true,
            Outcome::Fail => false,
            Outcome::Skipped => match self.check.carries() {
                Carries::Everything | Carries::Picture => {
                    matches!(self.check, CheckKind::Permissions | CheckKind::Version)
                }
                Carries::Comfort => true,
            },
        }
    }

    /// What it takes away when it does not stand.
    fn takes(&self) -> Carries {
        match self.finding {
            // The call came about and was heard: sound works.
            Some(Finding::CallWithoutPicture) => Carries::Picture,
            _ => self.check.carries(),
        }
    }

    fn works(&self) -> bool {
        matches!(self.outcome, Outcome::Pass | Outcome::Warn)
    }
}

/// What the checks of a full self-test come to. A check that is missing counts as not passed. Video also needs a
/// way for its media: a relay that can be reached where there are any, for not every customer is reached directly, and a
/// direct test call where there are none.
pub fn comes_to(checks: &[Check]) -> Readiness {
    of_verdicts(&verdicts(checks))
}

/// What the checks of a quick self-test come to: the devices alone, whatever else is known.
pub fn quick_comes_to(checks: &[Check]) -> Readiness {
    obstacles(&verdicts(checks), &CheckKind::QUICK)
        .map(|(_, takes)| left(takes))
        .min()
        .unwrap_or(Readiness::Video)
}

/// How media leaves the desk, in words, as the test call of a report found it: "UDP, direct", "TLS relay". Empty
/// without such a call.
pub fn path_in_words(checks: &[Check]) -> String {
    let call = |kind: CheckKind| checks.iter().find(|check| check.kind == kind);
    let Some(call) = [CheckKind::Call, CheckKind::RelayedCall]
        .into_iter()
        .filter_map(call)
        .find(|check| figure(check, TRANSPORT).is_some())
    else {
        return String::new();
    };
    let protocol = match figure(call, TRANSPORT) {
        Some(value) if value >= 1.5 => "TLS",
        Some(value) if value >= 0.5 => "TCP",
        _ => "UDP",
    };
    match Verdict::of(call).relayed {
        true => format!("{protocol} relay"),
        false => format!("{protocol}, direct"),
    }
}

/// The figures that [`path_in_words`] and [`comes_to`] read.
pub(super) fn path_figures(path: PathView) -> [Figure; 2] {
    let transport = match path.protocol {
        TransportProtocol::Udp => 0.0,
        TransportProtocol::Tcp => 1.0,
        TransportProtocol::Tls => 2.0,
    };
    [
        Figure::new(RELAYED, f64::from(u8::from(path.relayed)), Unit::Count),
        Figure::new(TRANSPORT, transport, Unit::Count),
    ]
}

/// A figure of a check by its name.
pub(super) fn figure(check: &Check, name: &str) -> Option<f64> {
    let figure = check.figures.iter().find(|figure| figure.name == name)?;
    Some(figure.value)
}

/// [`comes_to`] for what is left of the checks.
pub(super) fn of_verdicts(verdicts: &[Verdict]) -> Readiness {
    let least = obstacles(verdicts, &CheckKind::ALL).map(|(_, takes)| left(takes)).min();
    let least = least.unwrap_or(Readiness::Video);
    match missing_way(verdicts) {
        None => least,
        Some(_) => least.min(Readiness::Audio),
    }
}

/// The check that stands for a missing way of pictures; `None` when every call has one.
pub(super) fn missing_way(verdicts: &[Verdict]) -> Option<CheckKind> {
    const RELAYS: [CheckKind; 3] = [CheckKind::RelayUdp, CheckKind::RelayTcp, CheckKind::RelayTls];
    let first = |kinds: &[CheckKind], is: fn(&Verdict) -> bool| {
        let mut of_kinds = kinds
            .iter()
            .flat_map(|kind| verdicts.iter().filter(|verdict| verdict.check == *kind));
        of_kinds.find(|verdict| is(verdict)).map(|verdict| verdict.check)
    };
    let failed = |verdict: &Verdict| verdict.outcome == Outcome::Fail;
    let carries_nothing = first(&[CheckKind::RelayedCall], failed);
    if first(&RELAYS, Verdict::works).is_some() {
        return carries_nothing;
    }
    let direct = || first(&[CheckKind::Call], |call| call.works() && !call.relayed);
    first(&RELAYS, failed)
        .or(carries_nothing)
        .or_else(|| direct().is_none().then_some(CheckKind::RelayedCall))
}

/// The kinds among `needed` that do not stand, missing ones too, and what each takes away.
pub(super) fn obstacles<'a>(
    verdicts: &'a [Verdict],
    needed: &'a [CheckKind],
) -> impl Iterator<Item = (CheckKind, Carries)> + 'a {
    needed.iter().filter_map(move |kind| {
        let mut of_kind = verdicts.iter().filter(|verdict| verdict.check == *kind).peekable();
        if of_kind.peek().is_none() {
            return Some((*kind, kind.carries()));
        }
        let fallen = of_kind.find(|verdict| !verdict.stands())?;
        Some((*kind, fallen.takes()))
    })
}

/// What is left when that is taken away.
fn left(takes: Carries) -> Readiness {
    match takes {
        Carries::Everything => Readiness::NotReady,
        Carries::Picture => Readiness::Audio,
        Carries::Comfort => Readiness::Video,
    }
}

fn verdicts(checks: &[Check]) -> Vec<Verdict> {
    checks.iter().map(Verdict::of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: CheckKind, outcome: Outcome, finding: Option<Finding>) -> Check {
        Check {
            kind,
            outcome,
            finding,
            sentence: String::new(),
            remedy: String::new(),
            figures: Vec::new(),
            device: None,
            took_ms: 0,
        }
    }

    fn all_pass() -> Vec<Check> {
        CheckKind::ALL.map(|kind| check(kind, Outcome::Pass, None)).into()
    }

    fn with(kind: CheckKind, outcome: Outcome) -> Readiness {
        let mut checks = all_pass();
        for checked in &mut checks {
            if checked.kind == kind {
                checked.outcome = outcome;
            }
        }
        comes_to(&checks)
    }

    #[test]
    fn a_failure_takes_away_what_its_check_carries() {
        assert_eq!(comes_to(&all_pass()), Readiness::Video);
        for kind in CheckKind::ALL {
            let left = match kind {
                // The only one that is a part of the ways.
                CheckKind::RelayedCall => Readiness::Audio,
                _ => left(kind.carries()),
            };
            assert_eq!(with(kind, Outcome::Fail), left, "{kind:?}");
            assert_eq!(
                with(kind, Outcome::Warn),
                Readiness::Video,
                "{kind:?}: a warning takes nothing"
            );
        }
    }

    #[test]
    fn a_missing_check_counts_as_not_passed() {
        assert_eq!(comes_to(&[]), Readiness::NotReady);
        for kind in CheckKind::ALL {
            let mut checks = all_pass();
            checks.retain(|check| check.kind != kind);
            assert_eq!(comes_to(&checks), left(kind.carries()), "{kind:?}");
        }
    }

    #[test]
    fn what_was_left_out_is_not_passed_except_where_there_is_nothing_to_check() {
        for kind in CheckKind::ALL {
            let expected = match kind {
                CheckKind::Permissions | CheckKind::Version => Readiness::Video,
                other => left(other.carries()),
            };
            assert_eq!(with(kind, Outcome::Skipped), expected, "{kind:?}");
        }
    }

    #[test]
    fn a_call_that_was_heard_and_not_seen_leaves_sound() {
        let mut checks = all_pass();
        checks.retain(|check| check.kind != CheckKind::Call);
        checks.push(check(CheckKind::Call, Outcome::Fail, Some(Finding::CallWithoutPicture)));
        assert_eq!(comes_to(&checks), Readiness::Audio);
    }

    #[test]
    fn of_two_checks_of_a_kind_the_one_that_failed_counts() {
        let mut checks = all_pass();
        checks.push(check(CheckKind::Camera, Outcome::Fail, Some(Finding::CameraBusy)));
        assert_eq!(comes_to(&checks), Readiness::Audio);
        checks.rotate_right(1);
        assert_eq!(comes_to(&checks), Readiness::Audio);
    }

    #[test]
    fn video_needs_a_relay_where_there_are_any_and_a_direct_call_where_there_are_none() {
        const RELAYS: [CheckKind; 3] = [CheckKind::RelayUdp, CheckKind::RelayTcp, CheckKind::RelayTls];
        let with = |relayed: bool, works: Option<CheckKind>, otherwise: Outcome| {
            let mut checks = all_pass();
            for checked in &mut checks {
                if checked.kind == CheckKind::Call {
                    let protocol = TransportProtocol::Udp;
                    checked.figures = path_figures(PathView { relayed, protocol }).into();
                }
                if RELAYS.contains(&checked.kind) && works != Some(checked.kind) {
                    checked.outcome = otherwise;
                }
            }
            comes_to(&checks)
        };
        assert_eq!(
            with(false, None, Outcome::Skipped),
            Readiness::Video,
            "no relay, directly"
        );
        assert_eq!(with(true, None, Outcome::Skipped), Readiness::Audio, "no way is left");
        assert_eq!(with(false, None, Outcome::Fail), Readiness::Audio, "all are blocked");
        for relay in RELAYS {
            for (relayed, otherwise) in [(true, Outcome::Fail), (false, Outcome::Fail), (true, Outcome::Skipped)] {
                assert_eq!(with(relayed, Some(relay), otherwise), Readiness::Video, "{relay:?}");
            }
        }
        let mut checks = all_pass();
        checks.push(check(CheckKind::RelayedCall, Outcome::Fail, Some(Finding::CallFailed)));
        assert_eq!(comes_to(&checks), Readiness::Audio, "the relay carries nothing");
    }

    #[test]
    fn a_quick_check_is_about_devices_alone() {
        let mut checks: Vec<Check> = CheckKind::QUICK.map(|kind| check(kind, Outcome::Pass, None)).into();
        assert_eq!(quick_comes_to(&checks), Readiness::Video);
        checks[0].outcome = Outcome::Fail;
        assert_eq!(quick_comes_to(&checks), Readiness::Audio);
        checks.remove(0);
        assert_eq!(quick_comes_to(&checks), Readiness::Audio, "a missing camera");
        checks[0].outcome = Outcome::Fail;
        assert_eq!(quick_comes_to(&checks), Readiness::NotReady);
    }

    #[test]
    fn the_path_is_told_in_words() {
        let path = |kind, relayed, protocol| {
            let mut checked = check(kind, Outcome::Pass, None);
            checked.figures = path_figures(PathView { relayed, protocol }).into();
            path_in_words(&[checked])
        };
        assert_eq!(path(CheckKind::Call, false, TransportProtocol::Udp), "UDP, direct");
        assert_eq!(path(CheckKind::Call, true, TransportProtocol::Tcp), "TCP relay");
        assert_eq!(path(CheckKind::RelayedCall, true, TransportProtocol::Tls), "TLS relay");
        assert_eq!(path_in_words(&all_pass()), "");
    }
}
