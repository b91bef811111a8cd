//! Which checks run when: in the order of what they need, side by side where they do not disturb each other, each with
//! a deadline. Pure: time goes in as milliseconds since the test began.

use sightline_wire::readiness::{CheckKind, Extent, Outcome};
use std::collections::BTreeMap;

/// What is measured in one go: mostly one check, and two where one sound serves both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Job {
    /// Before everything else that needs the server.
    Backend,
    /// Asks the system only.
    Permissions,
    /// One small file.
    Storage,
    /// One secret.
    Keyring,
    /// Live pictures.
    Camera,
    /// Listens.
    Microphone,
    /// A few round trips.
    Clock,
    /// Asks the server what is allowed.
    Version,
    /// A tone and a chirp: speaker and echo.
    Sound,
    /// Fills the line for a moment.
    Line,
    /// Fills a processor for a moment.
    Encoder,
    /// A few datagrams.
    Stun,
    /// One allocation.
    RelayUdp,
    /// One allocation.
    RelayTcp,
    /// One allocation.
    RelayTls,
    /// Ten seconds of everything.
    Call,
    /// The same over a relay.
    RelayedCall,
}

/// Something that two jobs may want at the same time.
type Resources = u8;
const CAMERA: Resources = 1;
const MICROPHONE: Resources = 2;
const SPEAKER: Resources = 4;
const PROCESSOR: Resources = 8;
const NETWORK: Resources = 16;
const EVERYTHING: Resources = CAMERA | MICROPHONE | SPEAKER | PROCESSOR | NETWORK;

impl Job {
    /// All of them, the first that may begin first.
    pub const ALL: [Self; 17] = [
        Self::Backend,
        Self::Permissions,
        Self::Storage,
        Self::Keyring,
        Self::Camera,
        Self::Microphone,
        Self::Clock,
        Self::Version,
        Self::Sound,
        Self::Line,
        Self::Encoder,
        Self::Stun,
        Self::RelayUdp,
        Self::RelayTcp,
        Self::RelayTls,
        Self::Call,
        Self::RelayedCall,
    ];

    /// The checks it answers.
    pub fn kinds(self) -> &'static [CheckKind] {
        match self {
            Self::Backend => &[CheckKind::Backend],
            Self::Permissions => &[CheckKind::Permissions],
            Self::Storage => &[CheckKind::Storage],
            Self::Keyring => &[CheckKind::Keyring],
            Self::Camera => &[CheckKind::Camera],
            Self::Microphone => &[CheckKind::Microphone],
            Self::Clock => &[CheckKind::Clock],
            Self::Version => &[CheckKind::Version],
            Self::Sound => &[CheckKind::Speaker, CheckKind::Echo],
            Self::Line => &[CheckKind::Line],
            Self::Encoder => &[CheckKind::Encoder],
            Self::Stun => &[CheckKind::Stun],
            Self::RelayUdp => &[CheckKind::RelayUdp],
            Self::RelayTcp => &[CheckKind::RelayTcp],
            Self::RelayTls => &[CheckKind::RelayTls],
            Self::Call => &[CheckKind::Call],
            Self::RelayedCall => &[CheckKind::RelayedCall],
        }
    }

    /// The check without which this one would only repeat what is known.
    fn needs(self) -> Option<CheckKind> {
        match self {
            Self::Clock
            | Self::Version
            | Self::Line
            | Self::Stun
            | Self::RelayUdp
            | Self::RelayTcp
            | Self::RelayTls
            | Self::Call
            | Self::RelayedCall => Some(CheckKind::Backend),
            Self::Backend
            | Self::Permissions
            | Self::Storage
            | Self::Keyring
            | Self::Camera
            | Self::Microphone
            | Self::Sound
            | Self::Encoder => None,
        }
    }

    /// What it uses so much of that others would measure it.
    fn disturbs(self) -> Resources {
        match self {
            Self::Camera => CAMERA | PROCESSOR,
            Self::Microphone => MICROPHONE,
            Self::Sound => SPEAKER | MICROPHONE,
            Self::Line => NETWORK,
            Self::Encoder => PROCESSOR,
            Self::Call | Self::RelayedCall => EVERYTHING,
            Self::Backend
            | Self::Permissions
            | Self::Storage
            | Self::Keyring
            | Self::Clock
            | Self::Version
            | Self::Stun
            | Self::RelayUdp
            | Self::RelayTcp
            | Self::RelayTls => 0,
        }
    }

    /// What nobody else may use meanwhile.
    fn minds(self) -> Resources {
        match self {
            Self::Camera => CAMERA,
            // A tone would be taken for noise.
            Self::Microphone => MICROPHONE | SPEAKER,
            Self::Sound => SPEAKER | MICROPHONE,
            Self::Clock | Self::Line | Self::Stun | Self::RelayUdp | Self::RelayTcp | Self::RelayTls => NETWORK,
            Self::Encoder => PROCESSOR,
            Self::Call | Self::RelayedCall => EVERYTHING,
            Self::Backend | Self::Permissions | Self::Storage | Self::Keyring | Self::Version => 0,
        }
    }

    fn disturbs_or_is_disturbed_by(self, other: Self) -> bool {
        self.disturbs() & other.minds() != 0 || other.disturbs() & self.minds() != 0
    }

    /// How long the devices are looked at, in milliseconds.
    pub fn looks_ms(extent: Extent) -> u64 {
        match extent {
            Extent::Full | Extent::Single => 3_000,
            Extent::Quick => 2_000,
        }
    }

    /// After so long it is not waited for any more, in milliseconds: what it takes at worst, and some.
    pub fn deadline_ms(self, extent: Extent) -> u64 {
        let quick = extent == Extent::Quick;
        match self {
            // Three steps with deadlines of their own.
            Self::Backend => 14_000,
            Self::Permissions => 3_000,
            // A disk that sleeps takes seconds to wake.
            Self::Storage => 10_000,
            // A keyring may be locked, and nobody types its password now.
            Self::Keyring => 5_000,
            // Three seconds to open, one to close, and what lies between.
            Self::Camera | Self::Microphone => Self::looks_ms(extent) + 5_000,
            Self::Clock => 6_000,
            Self::Version => 11_000,
            // With the time for somebody to say whether the tone was heard.
            Self::Sound if quick => 6_000,
            Self::Sound => 22_000,
            // Four transfers of at most three seconds, and the round trips.
            Self::Line => 16_000,
            Self::Encoder => 8_000,
            Self::Stun => 6_000,
            // Asking the server for credentials, connecting, TLS, two round trips of TURN.
            Self::RelayUdp | Self::RelayTcp | Self::RelayTls => 12_000,
            // Ten seconds of it, the ladder's twelve before that, and the goodbye.
            Self::Call | Self::RelayedCall => 26_000,
        }
    }
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Begin it.
    Run(Job),
    /// It would only repeat what this check has found.
    Skip(Job, CheckKind),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Running {
    job: Job,
    until_ms: u64,
}

/// One test's plan, and how far it is.
#[derive(Debug, Clone)]
pub struct Plan {
    extent: Extent,
    waiting: Vec<Job>,
    running: Vec<Running>,
    outcomes: BTreeMap<CheckKind, Outcome>,
}

impl Plan {
    /// Of the jobs that answer the wanted checks.
    pub fn new(extent: Extent, wanted: &[CheckKind]) -> Self {
        let wants = |job: &Job| job.kinds().iter().any(|kind| wanted.contains(kind));
        Self {
            extent,
            waiting: Job::ALL.into_iter().filter(wants).collect(),
            running: Vec::new(),
            outcomes: BTreeMap::new(),
        }
    }

    /// What begins now. Call it at the start and after everything that has ended.
    pub fn next(&mut self, now_ms: u64) -> Vec<Step> {
        let mut steps = Vec::new();
        for job in std::mem::take(&mut self.waiting) {
            match self.what_about(job) {
                What::Now => {
                    let until_ms = now_ms + job.deadline_ms(self.extent);
                    self.running.push(Running { job, until_ms });
                    steps.push(Step::Run(job));
                }
                What::Never(because) => steps.push(Step::Skip(job, because)),
                What::Later => self.waiting.push(job),
            }
        }
        steps
    }

    fn what_about(&self, job: Job) -> What {
        if let Some(need) = job.needs() {
            match self.outcomes.get(&need) {
                Some(Outcome::Fail) => return What::Never(need),
                Some(Outcome::Pass | Outcome::Warn | Outcome::Skipped) => {}
                None if self.is_to_come(need) => return What::Later,
                // Not part of this test.
                None => {}
            }
        }
        // What waits in front of it and wants the same goes first, so that a long job is never overtaken for ever.
        let before = self.waiting.iter().copied();
        let blocked = self
            .running
            .iter()
            .map(|running| running.job)
            .chain(before)
            .any(|other| job.disturbs_or_is_disturbed_by(other));
        if blocked { What::Later } else { What::Now }
    }

    fn is_to_come(&self, kind: CheckKind) -> bool {
        let running = self.running.iter().map(|running| &running.job);
        running.chain(&self.waiting).any(|job| job.kinds().contains(&kind))
    }

    /// A job has ended with these outcomes; `false` when it was given up before, and its answer is not wanted.
    pub fn ended(&mut self, job: Job, outcomes: impl IntoIterator<Item = (CheckKind, Outcome)>) -> bool {
        let Some(at) = self.running.iter().position(|running| running.job == job) else {
            return false;
        };
        self.running.remove(at);
        self.outcomes.extend(outcomes);
        true
    }

    /// Gives up what is overdue; it has failed.
    pub fn overdue(&mut self, now_ms: u64) -> Vec<Job> {
        let running = std::mem::take(&mut self.running).into_iter();
        let (late, running): (Vec<_>, Vec<_>) = running.partition(|running| running.until_ms <= now_ms);
        self.running = running;
        let kinds = late.iter().flat_map(|running| running.job.kinds());
        self.outcomes.extend(kinds.map(|kind| (*kind, Outcome::Fail)));
        late.into_iter().map(|running| running.job).collect()
    }

    /// When [`Plan::overdue`] has to be asked next.
    pub fn deadline_ms(&self) -> Option<u64> {
        self.running.iter().map(|running| running.until_ms).min()
    }

    /// The checks that run at the moment.
    pub fn running(&self) -> Vec<CheckKind> {
        let mut kinds: Vec<_> = self.running.iter().flat_map(|running| running.job.kinds()).collect();
        kinds.sort();
        kinds.into_iter().copied().collect()
    }

    /// Whether everything has ended.
    pub fn is_over(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }
}

enum What {
    Now,
    Later,
    Never(CheckKind),
}

#[cfg(test)]
mod tests;
