//! What a desk may be offered, and until when. Pure: state + input + now -> state.
//!
//! A full self-test gives a lease, for as long as the policy says. From then on whatever speaks against it
//! narrows it at once: a device that is unplugged, a quick check that fails, a relay that is lost, three calls
//! that do not come about, a desk that is not connected, the time. What took something away gives it back: the
//! device plugged in and a quick check passed. But nothing short of another full test gives more than the last
//! full test did, or longer; a single check that is done again stands in for the same check of that test.
//!
//! One state belongs to one desk of one agent. Reports are applied once each, by their id, in the order in which
//! they arrive; that is the caller's part. A check that was overtaken by a change of devices is put right by the
//! quick check which that change starts.

use super::{
    judge,
    verdict::{self, Verdict},
};
use serde::{Deserialize, Serialize};
use sightline_wire::{
    UnixMillis,
    device::DeviceKind,
    readiness::{
        Carries, Check, CheckKind, DeviceIdentity, Extent, Finding, Lease, Narrowing, Outcome, Readiness,
        ReadinessPolicy, Report,
    },
};
use std::collections::BTreeMap;

/// So many calls in a row that do not come about take the picture away (Genesys's rule).
pub const FAILED_HANDSHAKES: u8 = 3;

/// What happens to a lease.
#[derive(Debug, Clone, Copy)]
pub enum LeaseInput<'a> {
    /// The desk, or its command line, has tested itself.
    Report(&'a Report),
    /// The desk noticed something between two tests. Only [`Narrowing::Unplugged`] and [`Narrowing::Failed`] are a
    /// desk's to tell; the others are what this machine finds out by itself, and change nothing here.
    Narrow(&'a Narrowing),
    /// The desk's socket is connected.
    DeskOnline,
    /// It is not any more.
    DeskOffline,
    /// An escalation of this agent ended without media.
    HandshakeFailed,
    /// An escalation of this agent became live.
    HandshakeSucceeded,
    /// Time has passed.
    Tick,
}

/// Something that speaks against a check that the last full test had passed, or failed for another reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Its device is gone.
    Unplugged {
        /// What it is for.
        kind: DeviceKind,
        /// As the system called it.
        name: String,
    },
    /// It failed when it was done again.
    Failed {
        /// What was found.
        finding: Option<Finding>,
    },
}

/// A full self-test in its time, and what has spoken against it since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tested {
    /// When it ended, by the server's clock.
    pub tested_at: UnixMillis,
    /// When it stops to count.
    pub expires_at: UnixMillis,
    /// Each of its checks, or the single check that was done again in its place.
    pub verdicts: Vec<Verdict>,
    /// Which devices it is about.
    pub devices: Vec<DeviceIdentity>,
    /// At most one for each check: the newest.
    pub losses: BTreeMap<CheckKind, Loss>,
    /// Calls in a row that did not come about, up to [`FAILED_HANDSHAKES`].
    pub failed_handshakes: u8,
}

/// How a desk stands, whether it is connected or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// No full self-test has come in yet.
    Untested,
    /// The last one counts.
    Tested(Tested),
    /// The last one's time is over.
    Expired {
        /// When it ended, by the server's clock.
        tested_at: UnixMillis,
        /// When it stopped to count.
        expired_at: UnixMillis,
        /// Which devices it was about.
        devices: Vec<DeviceIdentity>,
    },
}

/// A desk's lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseState {
    /// The desk is connected.
    pub online: bool,
    /// Since when its readiness is what it is.
    pub since: UnixMillis,
    /// What is known of it.
    pub standing: Standing,
}

impl LeaseState {
    /// A desk that nothing is known of.
    pub fn new(now: UnixMillis) -> Self {
        Self {
            online: false,
            since: now,
            standing: Standing::Untested,
        }
    }

    /// The state after `input`.
    #[must_use]
    pub fn apply(self, input: LeaseInput<'_>, now: UnixMillis, policy: &ReadinessPolicy) -> Self {
        let mut next = self.at(now);
        let before = next.standing_readiness();
        match input {
            LeaseInput::Report(report) => next.take(report, now, policy),
            LeaseInput::Narrow(narrowing) => {
                if let Standing::Tested(tested) = &mut next.standing {
                    tested.narrow(narrowing);
                }
            }
            LeaseInput::DeskOnline => next.online = true,
            LeaseInput::DeskOffline => next.online = false,
            LeaseInput::HandshakeFailed => {
                if let Standing::Tested(tested) = &mut next.standing {
                    tested.failed_handshakes = (tested.failed_handshakes + 1).min(FAILED_HANDSHAKES);
                }
            }
            LeaseInput::HandshakeSucceeded => {
                if let Standing::Tested(tested) = &mut next.standing {
                    tested.failed_handshakes = 0;
                }
            }
            LeaseInput::Tick => {}
        }
        if next.standing_readiness() != before {
            next.since = now;
        }
        // A report can be so late that its time is over when it arrives.
        next.at(now)
    }

    /// What the desk may be offered at this moment, also when no [`LeaseInput::Tick`] came in time.
    pub fn readiness(&self, now: UnixMillis) -> Readiness {
        match self.deadline() {
            Some(at) if now >= at => Readiness::NotReady,
            Some(_) | None => self.standing_readiness(),
        }
    }

    /// Whether video may begin now: always where the policy only advises.
    pub fn allows_video(&self, now: UnixMillis, policy: &ReadinessPolicy) -> bool {
        !policy.required || self.readiness(now) == Readiness::Video
    }

    /// When the lease ends by itself.
    pub fn deadline(&self) -> Option<UnixMillis> {
        match &self.standing {
            Standing::Untested | Standing::Expired { .. } => None,
            Standing::Tested(tested) => Some(tested.expires_at),
        }
    }

    /// When the last full test ended, by the server's clock.
    pub fn tested_at(&self) -> Option<UnixMillis> {
        match &self.standing {
            Standing::Untested => None,
            Standing::Tested(tested) => Some(tested.tested_at),
            Standing::Expired { tested_at, .. } => Some(*tested_at),
        }
    }

    /// As the desk and the board are told. Absent before the first full test.
    pub fn lease(&self, now: UnixMillis) -> Option<Lease> {
        let current = self.clone().at(now);
        let readiness = current.standing_readiness();
        let (expires_at, devices, mut narrowed_by) = match current.standing {
            Standing::Untested => return None,
            Standing::Tested(tested) => (tested.expires_at, tested.devices.clone(), tested.narrowed_by()),
            Standing::Expired {
                expired_at, devices, ..
            } => (expired_at, devices, vec![Narrowing::Expired]),
        };
        if !current.online {
            narrowed_by.push(Narrowing::Offline);
        }
        Some(Lease {
            readiness,
            since: current.since,
            expires_at,
            narrowed_by,
            devices,
        })
    }

    /// The same, with its time over if it is.
    #[must_use]
    fn at(mut self, now: UnixMillis) -> Self {
        let before = self.standing_readiness();
        self.standing = match self.standing {
            Standing::Tested(tested) if now >= tested.expires_at => {
                if before != Readiness::NotReady {
                    self.since = tested.expires_at;
                }
                Standing::Expired {
                    tested_at: tested.tested_at,
                    expired_at: tested.expires_at,
                    devices: tested.devices,
                }
            }
            other => other,
        };
        self
    }

    /// By what is known, whatever the time.
    fn standing_readiness(&self) -> Readiness {
        match &self.standing {
            Standing::Tested(tested) if self.online => tested.readiness(),
            Standing::Untested | Standing::Tested(_) | Standing::Expired { .. } => Readiness::NotReady,
        }
    }

    fn take(&mut self, report: &Report, now: UnixMillis, policy: &ReadinessPolicy) {
        match report.extent {
            Extent::Full => {
                let tested = Tested::new(report, now, policy);
                // One that waited on a desk without a network must not undo a newer one.
                if self.tested_at().is_none_or(|newest| tested.tested_at >= newest) {
                    self.standing = Standing::Tested(tested);
                }
            }
            Extent::Quick | Extent::Single => {
                let Standing::Tested(tested) = &mut self.standing else {
                    return;
                };
                for check in &report.checks {
                    let verdict = allowed(check, report, policy);
                    if report.extent == Extent::Single {
                        tested.replace(verdict);
                    }
                    tested.again(verdict, check.device.as_ref());
                }
            }
        }
    }
}

impl Tested {
    fn new(report: &Report, now: UnixMillis, policy: &ReadinessPolicy) -> Self {
        // By the server's clock: the desk's may be wrong, which its own test has measured.
        let fast = judge::clock_offset_ms(&report.checks).unwrap_or(0);
        let tested_at = report.finished_at.saturating_sub(fast).min(now);
        let lease_ms = i64::try_from(policy.lease_ms).unwrap_or(i64::MAX);
        Self {
            tested_at,
            expires_at: tested_at.saturating_add(lease_ms),
            verdicts: report
                .checks
                .iter()
                .map(|check| allowed(check, report, policy))
                .collect(),
            devices: report
                .checks
                .iter()
                .filter(|check| CheckKind::QUICK.contains(&check.kind))
                .filter_map(|check| check.device.clone())
                .collect(),
            losses: BTreeMap::new(),
            failed_handshakes: 0,
        }
    }

    fn readiness(&self) -> Readiness {
        let by_checks = verdict::of_verdicts(&self.current());
        match self.failed_handshakes {
            FAILED_HANDSHAKES.. => by_checks.min(Readiness::Audio),
            _ => by_checks,
        }
    }

    /// The checks with what has been lost since.
    fn current(&self) -> Vec<Verdict> {
        let current = |verdict: &Verdict| match self.losses.get(&verdict.check) {
            None => *verdict,
            Some(loss) => Verdict {
                outcome: Outcome::Fail,
                finding: match loss {
                    Loss::Unplugged { .. } => missing(verdict.check),
                    Loss::Failed { finding } => *finding,
                },
                ..*verdict
            },
        };
        self.verdicts.iter().map(current).collect()
    }

    fn narrow(&mut self, narrowing: &Narrowing) {
        match narrowing {
            Narrowing::Unplugged { kind, name } => {
                let loss = Loss::Unplugged {
                    kind: *kind,
                    name: name.clone(),
                };
                self.losses.insert(check_of(*kind), loss);
            }
            Narrowing::Failed { check, finding } => self.lose(*check, *finding),
            Narrowing::NeverTested | Narrowing::Expired | Narrowing::Offline | Narrowing::Handshakes => {}
        }
    }

    /// A check was done again, by itself or among the quick ones.
    fn again(&mut self, verdict: Verdict, device: Option<&DeviceIdentity>) {
        match verdict.outcome {
            Outcome::Pass | Outcome::Warn => {
                self.losses.remove(&verdict.check);
                if let Some(device) = device.filter(|_| CheckKind::QUICK.contains(&verdict.check)) {
                    self.devices.retain(|known| known.kind != device.kind);
                    self.devices.push(device.clone());
                }
            }
            Outcome::Skipped => {}
            Outcome::Fail => self.lose(verdict.check, verdict.finding),
        }
    }

    fn lose(&mut self, check: CheckKind, finding: Option<Finding>) {
        // That the device is missing is known already, and by its name.
        let unplugged = matches!(self.losses.get(&check), Some(Loss::Unplugged { .. }));
        if !(unplugged && finding.is_some() && finding == missing(check)) {
            self.losses.insert(check, Loss::Failed { finding });
        }
    }

    /// A check that went well takes the place of the same one in the full test.
    fn replace(&mut self, verdict: Verdict) {
        match verdict.outcome {
            Outcome::Pass | Outcome::Warn => {
                self.verdicts.retain(|known| known.check != verdict.check);
                self.verdicts.push(verdict);
            }
            Outcome::Skipped | Outcome::Fail => {}
        }
    }

    /// Why it is not more, in the order of the signal; empty for video.
    fn narrowed_by(&self) -> Vec<Narrowing> {
        let current = self.current();
        let failed = |check: CheckKind| match self.losses.get(&check) {
            Some(Loss::Unplugged { kind, name }) => Narrowing::Unplugged {
                kind: *kind,
                name: name.clone(),
            },
            Some(Loss::Failed { finding }) => Narrowing::Failed {
                check,
                finding: *finding,
            },
            None => Narrowing::Failed {
                check,
                finding: current
                    .iter()
                    .find(|verdict| verdict.check == check && !verdict.stands())
                    .and_then(|verdict| verdict.finding),
            },
        };
        let mut why: Vec<Narrowing> = verdict::obstacles(&current, &CheckKind::ALL)
            .filter(|(_, takes)| *takes != Carries::Comfort)
            .map(|(check, _)| failed(check))
            .collect();
        if let Some(way) = verdict::missing_way(&current)
            && !why.iter().any(is_about_call)
        {
            why.push(failed(way));
        }
        if self.failed_handshakes >= FAILED_HANDSHAKES {
            why.push(Narrowing::Handshakes);
        }
        why
    }
}

/// A check as the server counts it: whether the version is allowed is not for the desk to say.
fn allowed(check: &Check, report: &Report, policy: &ReadinessPolicy) -> Verdict {
    let verdict = Verdict::of(check);
    let old = judge::is_older(&report.app_version, &policy.minimum_version);
    match check.kind {
        CheckKind::Version if old => Verdict {
            outcome: Outcome::Fail,
            finding: Some(Finding::VersionOld),
            ..verdict
        },
        _ => verdict,
    }
}

fn is_about_call(narrowing: &Narrowing) -> bool {
    matches!(
        narrowing,
        Narrowing::Failed {
            check: CheckKind::Call,
            ..
        }
    )
}

fn check_of(kind: DeviceKind) -> CheckKind {
    match kind {
        DeviceKind::Camera => CheckKind::Camera,
        DeviceKind::Microphone => CheckKind::Microphone,
        DeviceKind::Speaker => CheckKind::Speaker,
    }
}

/// What a check finds when its device is not there.
fn missing(check: CheckKind) -> Option<Finding> {
    match check {
        CheckKind::Camera => Some(Finding::CameraMissing),
        CheckKind::Microphone => Some(Finding::MicrophoneMissing),
        CheckKind::Speaker => Some(Finding::SpeakerMissing),
        _ => None,
    }
}
