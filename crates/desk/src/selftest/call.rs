//! The test call: ten seconds with the echo peer, through what an ordinary call uses: the same session, room and rules.
//!
//! Only the parts around it are small: instead of a stage there is this loop, instead of a window a [`Watcher`] that
//! reads the time from the far end's pictures.

use super::watcher::Watcher;
use crate::{
    api::Api,
    room::{RoomLine, RoomNews},
};
use sightline_call::{
    desk_call::{CallEffect, CallInput, DeskCall},
    ladder::Arrival,
    readiness::figures::{CallMeasured, ClockMeasured},
};
use sightline_media::{MediaEvent, Painter, Session, SessionConfig};
use sightline_wire::{
    ErrorCode, Problem,
    conversation::{AgentFiles, Channel, Conversation, ConversationState},
    device::Quality,
    escalation::{EscalationView, IceConfig, IcePolicy, VideoStarted},
    ids::EscalationId,
    readiness::TestCall,
    room::{MediaState, Offer, RoomRequest},
};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

/// How long picture and sound go to and fro.
const TALK: Duration = Duration::from_secs(10);

/// A call that has no media by then has none: the ladder gives up after twelve seconds of its own.
const COME_ABOUT: Duration = Duration::from_millis(12_500);

/// Sound is taken for a packet's time before it leaves, and once more at the far end, in milliseconds (Opus, 20 ms).
const PACKET_MS: f64 = 20.0;

/// Everything is sent.
const EVERYTHING: MediaState = MediaState {
    microphone: true,
    camera: true,
    screen: false,
};

/// What a test call is made with.
#[derive(Clone)]
pub(super) struct Line {
    pub api: Api,
    pub relayed: bool,
    pub camera: Option<String>,
    pub other_cameras: Vec<String>,
    pub microphone: Option<String>,
    pub speaker: Option<String>,
    pub extra_ca: Option<PathBuf>,
    pub max_bitrate: u32,
    pub painter: Arc<dyn Painter>,
    /// As the clock's check found it; without, the pictures' delay is not known.
    pub clock: Option<ClockMeasured>,
}

/// Makes the call and hangs up. Dropping the future hangs up too.
pub(super) async fn call(line: Line) -> CallMeasured {
    let asked = Instant::now();
    let mut measured = CallMeasured {
        relayed: line.relayed,
        ..CallMeasured::default()
    };
    let wanted = TestCall { relayed: line.relayed };
    let started = match line.api.start_test_call(wanted).await {
        Ok(started) => started,
        Err(problem) => {
            measured.problem = Some(problem);
            return measured;
        }
    };
    let id = started.escalation.id;
    let hang_up = HangUp {
        api: line.api.clone(),
        call: Some(id),
    };
    let watcher = Arc::new(Watcher::new(line.painter.clone(), line.clock));
    let mut talk = Talk::begin(&line, started, &watcher, asked);
    talk.run().await;
    let problem = talk.why_nothing_came();
    if let Ok(heard) = line.api.heard(id).await {
        measured.heard = heard;
    }
    hang_up.now().await;
    let figures = talk.put_down().await;
    fill(&mut measured, &figures, &watcher, asked);
    // A call that came about needs no excuse.
    measured.problem = problem.filter(|_| measured.connected_ms.is_none() || measured.pictures == 0);
    measured
}

/// What the engine has told in a call.
#[derive(Debug, Clone, Default)]
struct Told {
    connected: Option<Instant>,
    /// Each second's, with its moment.
    qualities: Vec<(Instant, Quality)>,
}

fn fill(measured: &mut CallMeasured, told: &Told, watcher: &Watcher, asked: Instant) {
    let since = |at: Instant| at.saturating_duration_since(asked).as_secs_f64() * 1_000.0;
    measured.connected_ms = told.connected.map(since);
    let seen = watcher.seen();
    measured.first_picture_ms = seen.first.map(|at| since(at.into()));
    measured.pictures = seen.pictures;
    measured.picture_delay_ms = seen.delay_ms;
    let heard = told.qualities.iter().find(|(_, quality)| real_sound(quality) > 0);
    measured.first_sound_ms = heard.map(|(at, quality)| {
        // Told once a second: when it began follows from how much of it was played.
        (since(*at) - quality.sound_played as f64 / 48.0).max(0.0)
    });
    let Some((_, last)) = told.qualities.last() else {
        return;
    };
    let mut trips: Vec<f64> = told
        .qualities
        .iter()
        .filter_map(|(_, quality)| quality.rtt_ms)
        .collect();
    trips.sort_by(f64::total_cmp);
    measured.rtt_ms = trips.get(trips.len() / 2).copied();
    measured.path = last.path;
    measured.loss_in = mean(told, |quality| quality.loss_in);
    measured.loss_out = mean(told, |quality| quality.loss_out);
    if measured.first_sound_ms.is_some() {
        measured.jitter_ms = Some(last.jitter_ms);
        measured.playout_delay_ms = Some(last.playout_delay_ms);
        measured.concealed = last.sound_concealed as f64 / last.sound_played.max(1) as f64;
        // The way there and back, and what both ends keep for themselves: the parts are measured, their sum is not
        // listened for.
        measured.sound_round_ms = measured
            .rtt_ms
            .map(|rtt_ms| rtt_ms + last.playout_delay_ms + 2.0 * PACKET_MS);
    }
}

/// Samples that were not made up.
fn real_sound(quality: &Quality) -> u64 {
    quality.sound_played.saturating_sub(quality.sound_concealed)
}

fn mean(told: &Told, of: impl Fn(&Quality) -> f64) -> f64 {
    let sum: f64 = told.qualities.iter().map(|(_, quality)| of(quality)).sum();
    sum / told.qualities.len().max(1) as f64
}

/// Ends the escalation on the server, whatever happens to the test.
struct HangUp {
    api: Api,
    call: Option<EscalationId>,
}

impl HangUp {
    async fn now(mut self) {
        if let Some(call) = self.call.take() {
            end(&self.api, call).await;
        }
    }
}

impl Drop for HangUp {
    fn drop(&mut self) {
        let Some(call) = self.call.take() else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let api = self.api.clone();
            runtime.spawn(async move { end(&api, call).await });
        }
    }
}

async fn end(api: &Api, call: EscalationId) {
    // A test call ends by itself soon after.
    if let Err(problem) = api.end_video(call).await {
        tracing::debug!(code = ?problem.code, "the server did not hear the end of a test call");
    }
}

/// The call while it runs.
struct Talk {
    call: DeskCall,
    media: Media,
    events: mpsc::UnboundedReceiver<MediaEvent>,
    room: Option<RoomLine>,
    news: mpsc::UnboundedReceiver<RoomNews>,
    told: Told,
    problem: Option<Problem>,
    /// Until then it has to come about; from then on how long it lasts.
    until: Instant,
    talking: bool,
}

impl Talk {
    fn begin(line: &Line, started: VideoStarted, watcher: &Arc<Watcher>, asked: Instant) -> Self {
        let (tell, events) = mpsc::unbounded_channel();
        let (say, news) = mpsc::unbounded_channel();
        let policy = match line.relayed {
            true => IcePolicy::RelayOnly,
            false => started.ice_policy,
        };
        let mut urls = started.ice_servers.iter().flat_map(|server| &server.urls);
        let has_relays = urls.any(|url| url.starts_with("turn"));
        let config = SessionConfig {
            camera: line.camera.clone(),
            other_cameras: line.other_cameras.clone(),
            microphone: line.microphone.clone(),
            speaker: line.speaker.clone(),
            ice_servers: started.ice_servers,
            ice_policy: policy,
            extra_ca: line.extra_ca.clone(),
            start_with: EVERYTHING,
            max_bitrate: line.max_bitrate,
            customer_name: String::new(),
        };
        let session = Session::start(config, watcher.clone(), tell);
        let room = RoomLine::open(line.api.base().to_owned(), started.room_token, move |heard| {
            let _ = say.send(heard);
        });
        let (call, effects) = DeskCall::new(&conversation_of(&started.escalation), 1, EVERYTHING);
        let mut talk = Self {
            call,
            media: Media(Some(session)),
            events,
            room: Some(room),
            news,
            told: Told::default(),
            problem: None,
            until: asked + COME_ABOUT,
            talking: false,
        };
        // Where only relays are allowed the policy asks for another first offer.
        if policy == IcePolicy::All {
            talk.carry_out(effects);
        }
        talk.input(CallInput::Relays(has_relays));
        talk.input(CallInput::Policy(policy));
        talk.input(CallInput::Started(started.escalation));
        talk
    }

    async fn run(&mut self) {
        while !self.call.is_over() && Instant::now() < self.until {
            let due = self.call.deadline().map(in_time).unwrap_or(self.until).min(self.until);
            tokio::select! {
                Some(event) = self.events.recv() => self.media_event(event),
                Some(news) = self.news.recv() => self.room_news(news),
                () = sleep_until(due) => self.input(CallInput::Tick),
            }
        }
    }

    fn media_event(&mut self, event: MediaEvent) {
        let input = match event {
            MediaEvent::Offer { negotiation, sdp } => CallInput::OfferReady(Offer { negotiation, sdp }),
            MediaEvent::Candidate { negotiation, candidate } => CallInput::Found { negotiation, candidate },
            MediaEvent::NoRelay { negotiation, problem } => {
                self.problem.get_or_insert(problem.clone());
                CallInput::NoRelay { negotiation, problem }
            }
            MediaEvent::Connected { negotiation } => {
                self.told.connected.get_or_insert_with(Instant::now);
                CallInput::Connected { negotiation }
            }
            MediaEvent::Path { up } => CallInput::Path { up },
            MediaEvent::Knocked { negotiation } => CallInput::Knocked { negotiation },
            MediaEvent::Flowing { negotiation, arrival } => {
                if arrival > Arrival::Nothing {
                    self.talk();
                }
                CallInput::Flowing { negotiation, arrival }
            }
            MediaEvent::Quality(quality) => {
                self.told.qualities.push((Instant::now(), quality.clone()));
                CallInput::Quality(quality)
            }
            // The devices have checks of their own.
            MediaEvent::DeviceProblem { kind, problem } => CallInput::DeviceProblem { kind, problem },
            MediaEvent::DeviceReady { kind } => CallInput::DeviceReady { kind },
            MediaEvent::Own(own) => CallInput::Own(own),
            MediaEvent::ScreenEnded(_) => CallInput::Sharing(None),
            MediaEvent::Failed(problem) => {
                self.problem = Some(problem.clone());
                CallInput::MediaFailed(problem)
            }
        };
        self.input(input);
    }

    /// It has come about: from now on it lasts as long as it should.
    fn talk(&mut self) {
        if !self.talking {
            self.talking = true;
            self.until = Instant::now() + TALK;
        }
    }

    fn room_news(&mut self, news: RoomNews) {
        let input = match news {
            RoomNews::Reached { other, other_media } => CallInput::RoomReached { other, other_media },
            RoomNews::Presence(presence) => CallInput::OtherPresence(presence),
            RoomNews::Media(media) => CallInput::OtherMedia(media),
            RoomNews::Answer { negotiation, sdp } => CallInput::Answer { negotiation, sdp },
            RoomNews::Candidate { negotiation, candidate } => CallInput::Candidate { negotiation, candidate },
            RoomNews::Ice(ice) => return self.use_ice(ice),
            RoomNews::Ended(reason) => CallInput::RoomEnded(reason),
            RoomNews::Lost => CallInput::RoomLost,
            RoomNews::Refused(problem) => {
                self.problem = Some(problem);
                self.room = None;
                self.until = Instant::now();
                CallInput::RoomLost
            }
        };
        self.input(input);
    }

    /// Fresh credentials; what is asked for is not made laxer by them.
    fn use_ice(&mut self, ice: IceConfig) {
        self.media.with(|media| media.set_ice_servers(ice.servers));
    }

    fn input(&mut self, input: CallInput) {
        let effects = self.call.handle(input, crate::now());
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<CallEffect>) {
        for effect in effects {
            match effect {
                CallEffect::MakeOffer(negotiation, policy) => {
                    self.media.with(|media| media.offer_with(negotiation, policy));
                }
                CallEffect::AcceptAnswer { negotiation, sdp } => {
                    self.media.with(|media| media.answer(negotiation, sdp))
                }
                CallEffect::AddCandidate { negotiation, candidate } => {
                    self.media.with(|media| media.remote_candidate(negotiation, candidate));
                }
                CallEffect::Admit(negotiation) => self.media.with(|media| media.admit(negotiation)),
                CallEffect::Cut(negotiation) => self.media.with(|media| media.cut(negotiation)),
                CallEffect::RemoteMedia(state) => self.media.with(|media| media.remote_media(state)),
                CallEffect::SetCamera(on) => self.media.with(|media| media.set_camera(on)),
                CallEffect::SendOffer(offer) => self.say(RoomRequest::Offer(offer)),
                CallEffect::SendCandidate { negotiation, candidate } => {
                    self.say(RoomRequest::Candidate { negotiation, candidate });
                }
                CallEffect::SendMedia(state) => self.say(RoomRequest::Media(state)),
                CallEffect::TellAttempt(attempt) => self.say(RoomRequest::Attempt { attempt }),
                CallEffect::TellFlowing => self.say(RoomRequest::MediaFlowing),
                CallEffect::CheckRoom => {
                    if let Some(room) = &self.room {
                        room.check();
                    }
                }
                // The end is told over HTTP, after the far end was asked what it has seen.
                CallEffect::LeaveRoom
                | CallEffect::CloseRoom
                | CallEffect::EndOnServer(_)
                | CallEffect::FailOnServer(_)
                | CallEffect::StopMedia => {}
            }
        }
    }

    fn say(&self, request: RoomRequest) {
        if let Some(room) = &self.room {
            room.send(request);
        }
    }

    /// When nothing has: the server's or the engine's reason, or that there was none.
    fn why_nothing_came(&mut self) -> Option<Problem> {
        if self.talking {
            return None;
        }
        let silent = || Problem::new(ErrorCode::MediaTimeout);
        Some(self.problem.take().unwrap_or_else(silent))
    }

    /// Gives devices and network back, and waits for it: the next check wants them.
    async fn put_down(mut self) -> Told {
        drop(self.room.take());
        if let Some(session) = self.media.0.take() {
            let _ = tokio::task::spawn_blocking(move || drop(session)).await;
        }
        self.told
    }
}

/// The session. Dropping one joins its threads, which is nothing for a runtime's own thread.
struct Media(Option<Session>);

impl Media {
    fn with(&self, f: impl FnOnce(&Session)) {
        if let Some(session) = &self.0 {
            f(session);
        }
    }
}

impl Drop for Media {
    fn drop(&mut self) {
        let Some(session) = self.0.take() else { return };
        let dropping = std::thread::Builder::new().name("test call's end".into());
        if let Err(error) = dropping.spawn(move || drop(session)) {
            tracing::warn!(%error, "a test call's end has no thread");
        }
    }
}

/// The hidden conversation as far as the rules look at it.
fn conversation_of(escalation: &EscalationView) -> Conversation {
    Conversation {
        id: escalation.conversation,
        channel: Channel::SelfTest,
        state: ConversationState::Active,
        customer_name: String::new(),
        customer_present: true,
        owner: None,
        owner_name: None,
        participants: Vec::new(),
        opened_at: escalation.created_at,
        state_since: escalation.created_at,
        last_seq: 0,
        delivered_seq: 0,
        read_seq: 0,
        last_text: String::new(),
        last_at: escalation.created_at,
        context: Default::default(),
        notes: String::new(),
        disposition: None,
        escalation: Some(escalation.clone()),
        previous: None,
        came_by: None,
        trusted: false,
        asked_for: None,
        agent_files: AgentFiles::NotCarried,
        meetings: false,
        hidden_variables: Vec::new(),
        queue: None,
        because: None,
        undelivered: Vec::new(),
        max_bitrate: None,
        video_request: None,
    }
}

fn in_time(at: sightline_wire::UnixMillis) -> Instant {
    let left = u64::try_from(at - crate::now()).unwrap_or(0);
    Instant::now() + Duration::from_millis(left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sightline_media::{Frame, Tile};

    struct Nobody;

    impl Painter for Nobody {
        fn paint(&self, _: Tile, _: Option<Arc<Frame>>) {}

        fn drawn(&self, _: Tile) -> (u64, Option<i64>) {
            (0, None)
        }
    }

    #[test]
    fn what_the_engine_told_becomes_the_calls_figures() {
        let asked = Instant::now();
        let at = |ms| asked + Duration::from_millis(ms);
        let quality = |sound_played, sound_concealed, rtt_ms| Quality {
            sound_played,
            sound_concealed,
            rtt_ms: Some(rtt_ms),
            loss_out: 0.02,
            jitter_ms: 3.0,
            playout_delay_ms: 60.0,
            ..Quality::default()
        };
        let told = Told {
            connected: Some(at(400)),
            qualities: vec![
                // Nothing but concealment so far.
                (at(1_400), quality(9_600, 9_600, 90.0)),
                (at(2_400), quality(57_600, 9_600, 20.0)),
                (at(3_400), quality(105_600, 9_600, 30.0)),
            ],
        };
        let mut measured = CallMeasured::default();
        fill(&mut measured, &told, &Watcher::new(Arc::new(Nobody), None), asked);
        assert_eq!(measured.connected_ms, Some(400.0));
        assert_eq!(measured.first_sound_ms, Some(1_200.0), "57,600 samples before 2.4 s");
        assert_eq!(measured.rtt_ms, Some(30.0));
        assert_eq!(measured.sound_round_ms, Some(130.0));
        assert!((measured.loss_out - 0.02).abs() < 1e-9);
        assert!((measured.concealed - 9_600.0 / 105_600.0).abs() < 1e-9);
        assert_eq!((measured.pictures, measured.first_picture_ms), (0, None));
    }

    #[test]
    fn without_sound_nothing_is_said_about_it() {
        let asked = Instant::now();
        let told = Told {
            connected: Some(asked),
            qualities: vec![(asked, Quality::default())],
        };
        let mut measured = CallMeasured::default();
        fill(&mut measured, &told, &Watcher::new(Arc::new(Nobody), None), asked);
        assert_eq!(measured.first_sound_ms, None);
        assert_eq!((measured.jitter_ms, measured.sound_round_ms), (None, None));
    }
}
