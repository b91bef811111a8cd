//! What each check does: measures, asks the judge, and keeps what others need to know.

use super::{
    Progress, Subject, Wish,
    call::{self, Line},
    plan::Job,
    watcher::NoWindow,
};
use crate::probe::{self, line, machine};
use sightline_call::readiness::{
    figures::{ClockMeasured, SpeakerMeasured},
    judge,
};
use sightline_media::{Painter, measure};
use sightline_wire::{
    ErrorCode, Problem,
    device::{DeviceKind, TransportProtocol},
    escalation::{IceConfig, IcePolicy},
    readiness::{Check, CheckKind, Extent, Finding, Outcome},
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};
use tokio::{
    sync::{OnceCell, oneshot, watch},
    time::{Instant, timeout_at},
};

/// Who hears of the progress.
pub(super) type Tell = Arc<dyn Fn(Progress) + Send + Sync>;

/// A picture that is always there, and a tone: what a call is tested with when the device has failed already.
const TEST_PICTURE: &str = "synthetic:camera";
const TEST_TONE: &str = "synthetic:microphone";

/// A sweep and its echo, twice.
const SWEEPS: Duration = Duration::from_secs(5);

/// Somebody who listens has answered by then.
const ASK: Duration = Duration::from_secs(12);

/// The chime comes once a second; between two pieces of this length it can stop.
const ASK_PIECE: Duration = Duration::from_secs(2);

/// The microphone has heard the tone when it stands so far above the floor, in dB, as the judge has it.
const TONE_HEARD_DB: f64 = 6.0;

/// A meter that moves ten times a second looks alive.
const METER: Duration = Duration::from_millis(100);

/// So many pictures are encoded, or for so long.
const ENCODES: Duration = Duration::from_secs(2);

/// Questions for the clock; more make it hardly any more exact.
const CLOCK_ROUNDS: usize = 6;

/// STUN servers answer in one round trip, after three packets at worst.
const STUN: Duration = Duration::from_secs(4);

/// Five round trips of TURN over TLS, with a lost packet in between.
const RELAY: Duration = Duration::from_secs(8);

/// One test at a time has a device: one that was stopped lets go of it only when its look is over, and the next would
/// find the camera busy.
static CAMERA: Mutex<()> = Mutex::new(());
static SOUND: Mutex<()> = Mutex::new(());

/// What the checks of one test share.
pub(super) struct Bench {
    subject: Subject,
    extent: Extent,
    relay_only: bool,
    tell: Tell,
    heard: watch::Receiver<Option<bool>>,
    ice: OnceCell<Result<IceConfig, Problem>>,
    known: Mutex<Known>,
}

/// What one check has found that another one uses.
struct Known {
    clock: Option<ClockMeasured>,
    failed: BTreeSet<CheckKind>,
}

impl Bench {
    pub fn new(wish: &Wish, subject: Subject, tell: Tell, heard: watch::Receiver<Option<bool>>) -> Self {
        Self {
            subject,
            extent: wish.extent,
            relay_only: wish.relay_only,
            tell,
            heard,
            ice: OnceCell::new(),
            known: Mutex::new(Known {
                clock: None,
                // A single check goes on from what the test before has found.
                failed: wish
                    .earlier
                    .iter()
                    .filter(|check| has_failed(check))
                    .map(|check| check.kind)
                    .collect(),
            }),
        }
    }

    /// These have failed, whoever found out.
    pub fn failed(&self, kinds: &[CheckKind]) {
        self.known(|known| known.failed.extend(kinds));
    }

    /// Does one job, and answers its checks.
    pub async fn measure(&self, job: Job) -> Vec<Check> {
        let begun = Instant::now();
        let checks = self.checks(job, begun).await;
        let failed = checks.iter().filter(|check| has_failed(check));
        self.failed(&failed.map(|check| check.kind).collect::<Vec<_>>());
        checks
    }

    async fn checks(&self, job: Job, begun: Instant) -> Vec<Check> {
        let took = || u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
        let subject = &self.subject;
        let check = match job {
            Job::Backend => judge::backend(&probe::backend(subject.api.base(), &subject.trust).await, took()),
            Job::Permissions => match apart(machine::permissions).await {
                Some(measured) => judge::permissions(&measured, took()),
                None => judge::too_late(CheckKind::Permissions, took()),
            },
            Job::Storage => {
                let folder = subject.data_dir.clone();
                match apart(move || machine::storage(&folder)).await {
                    Some(measured) => judge::storage(&measured, took()),
                    None => judge::too_late(CheckKind::Storage, took()),
                }
            }
            Job::Keyring => judge::keyring(&machine::keyring(&subject.keyring).await, took()),
            Job::Camera => self.camera(took).await,
            Job::Microphone => self.microphone(took).await,
            Job::Sound if self.extent == Extent::Quick => self.quick_speaker(took).await,
            Job::Sound => return self.sound(took).await,
            Job::Encoder => match apart(|| measure::encoder(ENCODES, |_| ())).await {
                Some(measured) => judge::encoder(&measured, took()),
                None => judge::too_late(CheckKind::Encoder, took()),
            },
            Job::Clock => self.clock(took).await,
            Job::Line => match line::line(&subject.api).await {
                Ok(measured) => judge::line(&measured, took()),
                Err(problem) => unanswered(CheckKind::Line, &problem),
            },
            Job::Version => match &subject.minimum_version {
                Some(minimum) => judge::version(&machine::version(minimum), took()),
                None => judge::skipped(
                    CheckKind::Version,
                    "Not checked: the server did not say which versions it allows.",
                ),
            },
            Job::Stun => match self.ice().await {
                Ok(ice) => judge::stun(&measure::stun(&ice.servers, STUN).await, took()),
                Err(problem) => unanswered(CheckKind::Stun, problem),
            },
            Job::RelayUdp => self.relay(CheckKind::RelayUdp, TransportProtocol::Udp, took).await,
            Job::RelayTcp => self.relay(CheckKind::RelayTcp, TransportProtocol::Tcp, took).await,
            Job::RelayTls => self.relay(CheckKind::RelayTls, TransportProtocol::Tls, took).await,
            Job::Call => self.call(CheckKind::Call, self.relay_only, took).await,
            Job::RelayedCall => self.relayed_call(took).await,
        };
        vec![check]
    }

    async fn camera(&self, took: impl Fn() -> u32) -> Check {
        let (id, time) = (self.subject.camera.clone(), self.looks());
        let painter = self.painter();
        let measured = alone(&CAMERA, move || measure::camera(id.as_deref(), &*painter, time, |_| ())).await;
        let Some(mut measured) = measured else {
            return judge::too_late(CheckKind::Camera, took());
        };
        measured.before = self.subject.before(DeviceKind::Camera);
        judge::camera(&measured, took())
    }

    async fn microphone(&self, took: impl Fn() -> u32) -> Check {
        let (id, time) = (self.subject.microphone.clone(), self.looks());
        let tell = self.tell.clone();
        let mut told = None::<Instant>;
        let meter = move |level: f64| {
            if told.is_none_or(|at| at.elapsed() >= METER) {
                told = Some(Instant::now());
                tell(Progress::Level(level));
            }
        };
        let measured = alone(&SOUND, move || measure::microphone(id.as_deref(), meter, time)).await;
        let Some(mut measured) = measured else {
            return judge::too_late(CheckKind::Microphone, took());
        };
        measured.before = self.subject.before(DeviceKind::Microphone);
        judge::microphone(&measured, took())
    }

    /// Only whether it opens: nothing is heard, and nobody is asked anything.
    async fn quick_speaker(&self, took: impl Fn() -> u32) -> Check {
        let id = self.subject.speaker.clone();
        let Some(mut measured) = alone(&SOUND, move || measure::opens(id.as_deref())).await else {
            return judge::too_late(CheckKind::Speaker, took());
        };
        measured.before = self.subject.before(DeviceKind::Speaker);
        judge::speaker(&measured, took())
    }

    /// Sweeps that the microphone may hear; where it does not, somebody is asked.
    async fn sound(&self, took: impl Fn() -> u32) -> Vec<Check> {
        let (speaker, microphone) = (self.subject.speaker.clone(), self.subject.microphone.clone());
        let sweeps = move || measure::speaker_and_echo(speaker.as_deref(), microphone.as_deref(), SWEEPS, |_| ());
        let Some((mut speaker, echo)) = alone(&SOUND, sweeps).await else {
            return [CheckKind::Speaker, CheckKind::Echo]
                .map(|kind| judge::too_late(kind, took()))
                .into();
        };
        let echo = judge::echo(&echo, took());
        let heard = speaker.heard_by_microphone.is_some_and(|over| over >= TONE_HEARD_DB);
        let muted = speaker.system_muted == Some(true);
        if self.subject.somebody_listens && speaker.opened.is_ok() && !heard && !muted {
            speaker.heard_by_person = self.ask().await;
        }
        speaker.before = self.subject.before(DeviceKind::Speaker);
        vec![judge::speaker(&speaker, took()), echo]
    }

    /// Plays the chime until somebody says whether it is heard, or nobody does.
    async fn ask(&self) -> Option<bool> {
        let mut heard = self.heard.clone();
        (self.tell)(Progress::AsksForTone(true));
        let until = Instant::now() + ASK;
        let mut plays = true;
        while plays && heard.borrow().is_none() && Instant::now() < until {
            let played = self.tone(ASK_PIECE).await;
            plays = played.is_some_and(|played| played.opened.is_ok());
        }
        if plays {
            // The last piece may have ended before the answer.
            let _ = timeout_at(until, heard.wait_for(Option::is_some)).await;
        }
        (self.tell)(Progress::AsksForTone(false));
        *heard.borrow()
    }

    async fn tone(&self, time: Duration) -> Option<SpeakerMeasured> {
        let id = self.subject.speaker.clone();
        let mut measured = alone(&SOUND, move || measure::tone(id.as_deref(), time, |_| ())).await?;
        measured.before = self.subject.before(DeviceKind::Speaker);
        Some(measured)
    }

    async fn clock(&self, took: impl Fn() -> u32) -> Check {
        match self.ask_for_the_time().await {
            Ok(Some(measured)) => judge::clock(&measured, took()),
            Ok(None) => judge::skipped(CheckKind::Clock, "Not checked: the server did not tell its time."),
            Err(problem) => unanswered(CheckKind::Clock, &problem),
        }
    }

    async fn ask_for_the_time(&self) -> Result<Option<ClockMeasured>, Problem> {
        let rounds = line::rounds(&self.subject.api, CLOCK_ROUNDS).await?;
        let clock = line::clock_of(&rounds);
        self.known(|known| known.clock = clock);
        Ok(clock)
    }

    async fn relay(&self, kind: CheckKind, protocol: TransportProtocol, took: impl Fn() -> u32) -> Check {
        let ice = match self.ice().await {
            Ok(ice) => ice,
            Err(problem) => return unanswered(kind, problem),
        };
        let extra_ca = self.subject.trust.extra_ca.clone();
        judge::relay(&measure::relay(&ice.servers, protocol, extra_ca, RELAY).await, took())
    }

    async fn relayed_call(&self, took: impl Fn() -> u32) -> Check {
        let kind = CheckKind::RelayedCall;
        let ice = match self.ice().await {
            Ok(ice) => ice,
            Err(problem) => return unanswered(kind, problem),
        };
        let mut urls = ice.servers.iter().flat_map(|server| &server.urls);
        if !urls.any(|url| url.starts_with("turn")) {
            return judge::skipped(kind, "There is no relay in this deployment.");
        }
        if self.relay_only || ice.policy == IcePolicy::RelayOnly {
            return judge::skipped(kind, "Not needed: the test call goes over a relay already.");
        }
        self.call(kind, true, took).await
    }

    async fn call(&self, kind: CheckKind, relayed: bool, took: impl Fn() -> u32) -> Check {
        let subject = &self.subject;
        if !subject.signed_in {
            return unanswered(kind, &ErrorCode::NotSignedIn.into());
        }
        if self.known(|known| known.clock.is_none())
            && let Err(problem) = self.ask_for_the_time().await
        {
            tracing::debug!(code = ?problem.code, "the delay of pictures will not be known");
        }
        let (clock, failed) = self.known(|known| (known.clock, known.failed.clone()));
        let or_instead = |kind: CheckKind, chosen: &Option<String>, instead: &str| match failed.contains(&kind) {
            // What is wrong with the device is said already; the way can be tested all the same.
            true => Some(instead.to_owned()),
            false => chosen.clone(),
        };
        let measured = call::call(Line {
            api: subject.api.clone(),
            relayed,
            camera: or_instead(CheckKind::Camera, &subject.camera, TEST_PICTURE),
            other_cameras: subject.other_cameras.clone(),
            microphone: or_instead(CheckKind::Microphone, &subject.microphone, TEST_TONE),
            speaker: subject.speaker.clone(),
            extra_ca: subject.trust.extra_ca.clone(),
            max_bitrate: subject.max_bitrate,
            painter: self.painter(),
            clock,
        })
        .await;
        let mut check = judge::call(&measured, took());
        check.kind = kind;
        if check.finding == Some(Finding::CallWithoutSound)
            && failed.contains(&CheckKind::Speaker)
            && measured.heard.packets > 0
        {
            blame_the_speaker(&mut check);
        }
        check
    }

    /// Servers to try, asked for once.
    async fn ice(&self) -> Result<&IceConfig, &Problem> {
        let ask = || async {
            match self.subject.signed_in {
                true => self.subject.api.probe_ice().await,
                false => Err(ErrorCode::NotSignedIn.into()),
            }
        };
        self.ice.get_or_init(ask).await.as_ref()
    }

    fn looks(&self) -> Duration {
        Duration::from_millis(Job::looks_ms(self.extent))
    }

    /// A quick check shows nothing: nobody has asked for it.
    fn painter(&self) -> Arc<dyn Painter> {
        let window = self.subject.painter.clone();
        window
            .filter(|_| self.extent != Extent::Quick)
            .unwrap_or_else(|| Arc::new(NoWindow))
    }

    fn known<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        look(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn has_failed(check: &Check) -> bool {
    check.outcome == Outcome::Fail
}

/// What the server did not answer was not checked; that it does not answer is said by the check of the server.
fn unanswered(kind: CheckKind, problem: &Problem) -> Check {
    judge::skipped(kind, &format!("Not checked: {}", problem.message))
}

/// Nothing is played where there is no speaker; whether sound would come is not known then.
fn blame_the_speaker(check: &mut Check) {
    check.outcome = Outcome::Warn;
    check.finding = None;
    check.sentence = "The call came about and was heard; without a speaker its sound could not be checked here.".into();
    check.remedy = "Repair the speaker first, then test again.".into();
}

/// Runs what blocks on a thread of its own, which is left behind when nobody waits for it any more: a driver that hangs
/// must not hold up the runtime's end. `None` when it broke.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    on_a_thread(None, work).await
}

/// The same, when nobody else has the device.
async fn alone<T: Send + 'static>(device: &'static Mutex<()>, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    on_a_thread(Some(device), work).await
}

async fn on_a_thread<T: Send + 'static>(
    device: Option<&'static Mutex<()>>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (answer, answered) = oneshot::channel();
    let spawned = thread::Builder::new().name("self-test".into()).spawn(move || {
        let _turn = device.map(|device| device.lock().unwrap_or_else(PoisonError::into_inner));
        // Nobody may be left who wants to know.
        if !answer.is_closed() {
            let _ = answer.send(work());
        }
    });
    match spawned {
        Ok(_) => answered.await.ok(),
        Err(error) => {
            tracing::error!(%error, "a check of the self-test has no thread");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_breaks_is_no_answer_and_what_works_is() {
        assert_eq!(apart(|| 7).await, Some(7));
        assert_eq!(apart(|| -> u8 { panic!("a driver's own") }).await, None);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_test_that_was_stopped_has_its_device_until_its_look_is_over() {
        static DEVICE: Mutex<()> = Mutex::new(());
        let (begun, look) = std::sync::mpsc::channel();
        let (go_on, waits) = std::sync::mpsc::channel::<()>();
        let first = tokio::spawn(alone(&DEVICE, move || {
            let _ = begun.send(());
            let _ = waits.recv();
        }));
        look.recv().expect("the first one looks");
        first.abort();
        let unwanted = tokio::spawn(alone(&DEVICE, || -> u8 { panic!("nobody wants to know") }));
        unwanted.abort();
        assert!(first.await.is_err() && unwanted.await.is_err());
        let second = tokio::spawn(alone(&DEVICE, || 2));
        assert!(DEVICE.try_lock().is_err());
        go_on.send(()).expect("the first one waits");
        assert_eq!(second.await.expect("it was not stopped"), Some(2));
    }

    #[test]
    fn a_call_without_a_speaker_does_not_pass_and_does_not_accuse_the_call() {
        let mut check = judge::skipped(CheckKind::Call, "");
        check.outcome = Outcome::Fail;
        check.finding = Some(Finding::CallWithoutSound);
        blame_the_speaker(&mut check);
        assert_eq!((check.outcome, check.finding), (Outcome::Warn, None));
        assert!(check.remedy.contains("speaker"));
    }
}
