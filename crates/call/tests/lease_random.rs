//! Thousands of random lives of a lease against a model that keeps the whole history and looks through it anew
//! each time: no state, no transitions, only the definitions.

use sightline_call::readiness::lease::{LeaseInput, LeaseState};
use sightline_wire::{
    device::DeviceKind,
    ids::ReportId,
    readiness::{
        Check, CheckKind, Extent, Figure, Finding, Narrowing, Outcome, Readiness, ReadinessPolicy, Report, Unit,
    },
};
use uuid::Uuid;

const LIVES: u64 = 3_000;
const EVENTS: usize = 40;
/// Short beside a life, so that leases end in most of them.
const LEASE_MS: i64 = 90_000;
const LONGEST_STEP_MS: u64 = 8_000;

/// Without these there is no call.
const EVERYTHING: [CheckKind; 6] = [
    CheckKind::Microphone,
    CheckKind::Speaker,
    CheckKind::Permissions,
    CheckKind::Backend,
    CheckKind::Call,
    CheckKind::Version,
];
/// Without these there is no picture.
const PICTURE: [CheckKind; 2] = [CheckKind::Camera, CheckKind::Encoder];
/// One of these has to work where any was tried in vain; where none was, a call that goes directly does as well.
const RELAYS: [CheckKind; 3] = [CheckKind::RelayUdp, CheckKind::RelayTcp, CheckKind::RelayTls];
/// Where there is nothing to check, these do not stand in the way.
const MAY_BE_LEFT_OUT: [CheckKind; 2] = [CheckKind::Permissions, CheckKind::Version];

/// How a check went, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Went {
    Well,
    WellWithAWarning,
    Badly,
    /// A call that was heard and not seen.
    Unseen,
    LeftOut,
}

impl Went {
    fn is_well(self) -> bool {
        matches!(self, Went::Well | Went::WellWithAWarning)
    }

    fn is_bad(self) -> bool {
        matches!(self, Went::Badly | Went::Unseen)
    }
}

#[derive(Debug, Clone)]
struct Checked {
    kind: CheckKind,
    went: Went,
    /// A call over a relay.
    relayed: bool,
}

#[derive(Debug, Clone)]
enum Event {
    Report {
        extent: Extent,
        finished_at: i64,
        checks: Vec<Checked>,
    },
    Failed(CheckKind),
    Unplugged(DeviceKind),
    /// What is not a desk's to tell.
    Word(Narrowing),
    Online,
    Offline,
    HandshakeFailed,
    HandshakeSucceeded,
    Tick,
}

/// What has happened, and when it arrived.
#[derive(Default)]
struct History(Vec<(i64, Event)>);

impl History {
    /// The full test that counts: the newest by its own time, which no arrival is earlier than. Its place, and that
    /// time.
    fn full(&self) -> Option<(usize, i64)> {
        let full = |(place, (arrived, event)): (usize, &(i64, Event))| match event {
            Event::Report {
                extent: Extent::Full,
                finished_at,
                ..
            } => Some((place, *finished_at.min(arrived))),
            _ => None,
        };
        self.0
            .iter()
            .enumerate()
            .filter_map(full)
            .max_by_key(|(place, at)| (*at, *place))
    }

    fn end(&self) -> Option<i64> {
        self.full().map(|(_, at)| at + LEASE_MS)
    }

    fn readiness(&self, now: i64) -> Readiness {
        let Some((place, at)) = self.full() else {
            return Readiness::NotReady;
        };
        let online = self.0.iter().rev().find_map(|(_, event)| match event {
            Event::Online => Some(true),
            Event::Offline => Some(false),
            _ => None,
        });
        if now >= at + LEASE_MS || online != Some(true) {
            return Readiness::NotReady;
        }
        let stands = |kind: CheckKind| match self.known(place, kind) {
            None => false,
            Some(checked) => {
                checked.went.is_well() || (checked.went == Went::LeftOut && MAY_BE_LEFT_OUT.contains(&kind))
            }
        };
        let call = self.known(place, CheckKind::Call);
        let unseen = call.as_ref().is_some_and(|call| call.went == Went::Unseen);
        let deaf = EVERYTHING
            .iter()
            .any(|kind| !(stands(*kind) || *kind == CheckKind::Call && unseen));
        if deaf {
            return Readiness::NotReady;
        }
        let direct = call.is_some_and(|call| call.went.is_well() && !call.relayed);
        let relays = || RELAYS.iter().filter_map(|kind| self.known(place, *kind));
        let carries_nothing = self
            .known(place, CheckKind::RelayedCall)
            .is_some_and(|relayed| relayed.went.is_bad());
        let way = relays().any(|relay| relay.went.is_well()) || direct && !relays().any(|relay| relay.went.is_bad());
        let blind = unseen || PICTURE.iter().any(|kind| !stands(*kind)) || !way || carries_nothing;
        if blind || self.failed_handshakes(place) >= 3 {
            return Readiness::Audio;
        }
        Readiness::Video
    }

    /// How a check stands: as in the full test, or in the last single one that went well, unless the last word on
    /// it since was a bad one.
    fn known(&self, full: usize, kind: CheckKind) -> Option<Checked> {
        let of = |event: &Event| match event {
            Event::Report { checks, .. } => checks.iter().find(|checked| checked.kind == kind).cloned(),
            _ => None,
        };
        let since = &self.0[full + 1..];
        let single_well = since.iter().rev().find_map(|(_, event)| match event {
            Event::Report {
                extent: Extent::Single, ..
            } => of(event).filter(|checked| checked.went.is_well()),
            _ => None,
        });
        let counts = single_well.or_else(|| of(&self.0[full].1))?;
        let last_word = since.iter().rev().find_map(|(_, event)| match event {
            Event::Report {
                extent: Extent::Quick | Extent::Single,
                ..
            } => of(event)
                .map(|checked| checked.went)
                .filter(|went| *went != Went::LeftOut),
            Event::Failed(failed) if *failed == kind => Some(Went::Badly),
            Event::Unplugged(DeviceKind::Camera) if kind == CheckKind::Camera => Some(Went::Badly),
            Event::Unplugged(DeviceKind::Microphone) if kind == CheckKind::Microphone => Some(Went::Badly),
            Event::Unplugged(DeviceKind::Speaker) if kind == CheckKind::Speaker => Some(Went::Badly),
            _ => None,
        });
        Some(match last_word {
            Some(went) if !went.is_well() => Checked { went, ..counts },
            Some(_) | None => counts,
        })
    }

    fn failed_handshakes(&self, full: usize) -> usize {
        self.0[full + 1..]
            .iter()
            .rev()
            .take_while(|(_, event)| !matches!(event, Event::HandshakeSucceeded))
            .filter(|(_, event)| matches!(event, Event::HandshakeFailed))
            .count()
    }
}

/// xorshift64, as in the other tests of this crate.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn below(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        let choice = self.below(choices.len() as u64);
        choices[usize::try_from(choice).expect("a small number")]
    }

    fn checked(&mut self, kind: CheckKind, bad_in: u64) -> Checked {
        let went = if self.one_in(bad_in) {
            match self.below(3) {
                0 => Went::LeftOut,
                1 if kind == CheckKind::Call => Went::Unseen,
                _ => Went::Badly,
            }
        } else if self.one_in(4) {
            Went::WellWithAWarning
        } else {
            Went::Well
        };
        Checked {
            kind,
            went,
            relayed: kind == CheckKind::Call && self.one_in(2),
        }
    }

    fn event(&mut self, now: i64) -> Event {
        let waited = i64::try_from(self.below(12_000)).expect("a small number");
        let report = |extent, checks| Event::Report {
            extent,
            // Some come late, and some from a clock that is fast.
            finished_at: now + 2_000 - waited,
            checks,
        };
        match self.below(20) {
            0..=3 => {
                // Some tests go wrong in one place, some in many, and some are cut short.
                let bad_in = self.one_of(&[5, 40, 1_000]);
                let mut checks: Vec<Checked> = CheckKind::ALL.map(|kind| self.checked(kind, bad_in)).into();
                if self.one_in(10) {
                    let missing = self.one_of(&CheckKind::ALL);
                    checks.retain(|checked| checked.kind != missing);
                }
                report(Extent::Full, checks)
            }
            4..=6 => report(Extent::Quick, CheckKind::QUICK.map(|kind| self.checked(kind, 8)).into()),
            7..=8 => {
                let kind = self.one_of(&CheckKind::ALL);
                report(Extent::Single, vec![self.checked(kind, 3)])
            }
            9 => Event::Unplugged(self.one_of(&[DeviceKind::Camera, DeviceKind::Microphone, DeviceKind::Speaker])),
            10 => Event::Failed(self.one_of(&CheckKind::ALL)),
            11 => Event::Word(match self.below(4) {
                0 => Narrowing::NeverTested,
                1 => Narrowing::Expired,
                2 => Narrowing::Offline,
                _ => Narrowing::Handshakes,
            }),
            12..=13 => Event::Online,
            14 => Event::Offline,
            15..=16 => Event::HandshakeFailed,
            17 => Event::HandshakeSucceeded,
            _ => Event::Tick,
        }
    }
}

fn check(checked: &Checked) -> Check {
    let (outcome, finding) = match checked.went {
        Went::Well => (Outcome::Pass, None),
        Went::WellWithAWarning => (Outcome::Warn, Some(Finding::CallPoor)),
        Went::Badly => (Outcome::Fail, Some(Finding::TooLate)),
        Went::Unseen => (Outcome::Fail, Some(Finding::CallWithoutPicture)),
        Went::LeftOut => (Outcome::Skipped, None),
    };
    Check {
        kind: checked.kind,
        outcome,
        finding,
        sentence: String::new(),
        remedy: String::new(),
        figures: match checked.relayed {
            true => vec![Figure::new("relayed", 1.0, Unit::Count)],
            false => Vec::new(),
        },
        device: None,
        took_ms: 0,
    }
}

fn apply(state: LeaseState, event: &Event, now: i64, policy: &ReadinessPolicy) -> LeaseState {
    let told = |narrowing: Narrowing| state.clone().apply(LeaseInput::Narrow(&narrowing), now, policy);
    match event {
        Event::Report {
            extent,
            finished_at,
            checks,
        } => {
            let report = Report {
                id: ReportId(Uuid::from_u128(1)),
                extent: *extent,
                started_at: *finished_at,
                finished_at: *finished_at,
                app_version: "1.4.0".into(),
                system: String::new(),
                readiness: Readiness::Video,
                checks: checks.iter().map(check).collect(),
            };
            state.apply(LeaseInput::Report(&report), now, policy)
        }
        Event::Failed(check) => told(Narrowing::Failed {
            check: *check,
            finding: None,
        }),
        Event::Unplugged(kind) => told(Narrowing::Unplugged {
            kind: *kind,
            name: "It".into(),
        }),
        Event::Word(word) => told(word.clone()),
        Event::Online => state.apply(LeaseInput::DeskOnline, now, policy),
        Event::Offline => state.apply(LeaseInput::DeskOffline, now, policy),
        Event::HandshakeFailed => state.apply(LeaseInput::HandshakeFailed, now, policy),
        Event::HandshakeSucceeded => state.apply(LeaseInput::HandshakeSucceeded, now, policy),
        Event::Tick => state.apply(LeaseInput::Tick, now, policy),
    }
}

#[test]
fn random_lives_match_a_model_that_only_looks_back() {
    let mut seen = [0u64; 3];
    for seed in 1..=LIVES {
        one_life(seed, &mut seen);
    }
    // The model was not satisfied with leases that never were.
    let events = LIVES * EVENTS as u64;
    for (readiness, count) in [Readiness::NotReady, Readiness::Audio, Readiness::Video]
        .into_iter()
        .zip(seen)
    {
        assert!(count > events / 50, "{readiness:?} only {count} times of {events}");
    }
}

fn one_life(seed: u64, seen: &mut [u64; 3]) {
    let policy = ReadinessPolicy {
        required: true,
        lease_ms: LEASE_MS.unsigned_abs(),
        minimum_version: String::new(),
    };
    let mut random = Random::new(seed);
    let mut history = History::default();
    let mut now = 1_000_000;
    let mut state = LeaseState::new(now);
    let mut since = now;
    // Most desks that test themselves are connected.
    if !random.one_in(8) {
        state = apply(state, &Event::Online, now, &policy);
        history.0.push((now, Event::Online));
    }
    for _ in 0..EVENTS {
        let before = history.readiness(now);
        now += i64::try_from(random.below(LONGEST_STEP_MS)).expect("a small number");
        let came_to = history.readiness(now);
        if came_to != before {
            // Nothing but time has passed.
            since = history.end().expect("only a lease ends");
        }
        assert_eq!(state.readiness(now), came_to, "seed {seed}: before anybody ticked");

        let event = random.event(now);
        state = apply(state, &event, now, &policy);
        history.0.push((now, event.clone()));

        let expected = history.readiness(now);
        if expected != came_to {
            since = now;
        }
        assert_eq!(state.readiness(now), expected, "seed {seed}: after {event:?}");
        let lease = state.lease(now);
        assert_eq!(lease.is_some(), history.full().is_some(), "seed {seed}");
        if let Some(lease) = lease {
            assert_eq!(lease.readiness, expected, "seed {seed}");
            assert_eq!(Some(lease.expires_at), history.end(), "seed {seed}: after {event:?}");
            assert_eq!(lease.since, since, "seed {seed}: after {event:?}");
            let why = &lease.narrowed_by;
            assert_eq!(why.is_empty(), expected == Readiness::Video, "seed {seed}: {why:?}");
        }
        let video = expected == Readiness::Video;
        assert_eq!(state.allows_video(now, &policy), video, "seed {seed}");
        // Time alone never gives anything, and at its end takes everything.
        if let Some(end) = history.end() {
            assert!(state.readiness(now + 1) <= expected, "seed {seed}");
            assert_eq!(state.readiness(end.max(now)), Readiness::NotReady, "seed {seed}");
        }
        let place = match expected {
            Readiness::NotReady => 0,
            Readiness::Audio => 1,
            Readiness::Video => 2,
        };
        seen[place] += 1;
    }
}

#[test]
fn whatever_happens_but_tests_gives_no_more_than_the_last_full_test_did() {
    let policy = ReadinessPolicy {
        required: true,
        lease_ms: LEASE_MS.unsigned_abs(),
        minimum_version: String::new(),
    };
    for seed in 1..=LIVES {
        let mut random = Random::new(seed ^ 0x5EED);
        let mut now = 1_000_000;
        let mut state = apply(LeaseState::new(now), &Event::Online, now, &policy);
        let full = Event::Report {
            extent: Extent::Full,
            finished_at: now,
            checks: CheckKind::ALL.map(|kind| random.checked(kind, 12)).into(),
        };
        state = apply(state, &full, now, &policy);
        let (most, end) = (state.readiness(now), now + LEASE_MS);
        for _ in 0..EVENTS {
            now += i64::try_from(random.below(LONGEST_STEP_MS)).expect("a small number");
            let event = random.event(now);
            let is_test = matches!(
                event,
                Event::Report {
                    extent: Extent::Full | Extent::Single,
                    ..
                }
            );
            if is_test {
                continue;
            }
            state = apply(state, &event, now, &policy);
            let allowed = if now >= end { Readiness::NotReady } else { most };
            assert!(state.readiness(now) <= allowed, "seed {seed}: after {event:?}");
        }
    }
}
