//! The session's loop: one thread that owns the call's connections and devices.
//!
//! Everything that happens arrives as a [`Message`] in one queue, in order: commands, datagrams,
//! encoded pictures and sound, news from the device threads. The loop itself never waits for a device.

mod limits;

use crate::{
    audio::{microphone::MicrophoneEvent, playout::Packet, speaker::SpeakerEvent},
    connection::Connection,
    hardware::{Gate, Hardware, HardwareEvent},
    line::Section,
    message::Message,
    painter::{Painter, Tile},
    peer::{Peer, PeerError, PeerEvent},
    screen_send::ScreenEvent,
    session::{MediaEvent, SessionConfig},
    sync::Stream,
    transport::{
        Lifeline, Means,
        interfaces::{self, Interface},
    },
    video_receive::{DecoderEvent, DecoderThread, Picture},
    video_send::CameraEvent,
};
use sightline_wire::{ErrorCode, Problem, device::DeviceKind, escalation::IcePolicy, room::MediaState};
use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};
use str0m::media::MediaData;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

/// What giving the relays back may take when the call is over.
const FAREWELL: Duration = Duration::from_millis(300);

/// How often the machine's addresses are looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// Runs a session until [`Message::Stop`].
pub(crate) fn run(
    config: SessionConfig,
    painter: Arc<dyn Painter>,
    events: UnboundedSender<MediaEvent>,
    messages: UnboundedSender<Message>,
    mut incoming: UnboundedReceiver<Message>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "no runtime for media");
            // The owner may be gone already.
            let _ = events.send(MediaEvent::Failed(ErrorCode::MediaFailed.into()));
            return;
        }
    };
    runtime.block_on(async {
        let (alive, mut farewell) = tokio::sync::mpsc::channel(1);
        let mut engine = Engine::new(config, painter, events, messages, alive);
        loop {
            let deadline = tokio::time::Instant::from_std(engine.deadline());
            let message = tokio::select! {
                biased;
                message = incoming.recv() => message,
                () = tokio::time::sleep_until(deadline) => {
                    engine.on_timeout(Instant::now());
                    continue;
                }
            };
            match message {
                Some(Message::Stop) | None => break,
                Some(message) => engine.on_message(message),
            }
        }
        engine.close();
        drop(engine);
        // Relays are given back; one that does not answer takes its allocation back by itself.
        let _ = tokio::time::timeout(FAREWELL, farewell.recv()).await;
    });
}

struct Engine<E> {
    customer_name: String,
    /// Bits a second.
    cap: u32,
    painter: Arc<dyn Painter>,
    events: UnboundedSender<MediaEvent>,
    messages: UnboundedSender<Message>,
    hardware: Hardware<E>,
    /// The connection media flows on.
    current: Option<Connection>,
    /// An offer that waits for its answer, or is answered and about to take over.
    waiting: Option<Peer>,
    means: Means,
    policy: IcePolicy,
    /// The machine's addresses, and when to look again.
    interfaces: BTreeSet<Interface>,
    look_at: Instant,
    /// The newest connection that may carry our media.
    admitted: Option<u32>,
    /// The connection whose media was reported before it was admitted.
    knocked: Option<u32>,
    /// What the customer sends.
    remote: MediaState,
    told: MediaState,
    started: Instant,
}

impl Engine<()> {
    fn new(
        config: SessionConfig,
        painter: Arc<dyn Painter>,
        events: UnboundedSender<MediaEvent>,
        messages: UnboundedSender<Message>,
        alive: Lifeline,
    ) -> Engine<impl Fn(HardwareEvent) + Clone + Send + 'static> {
        let queue = messages.clone();
        let news = move |event| {
            // The loop is gone only while the devices are being closed.
            let _ = queue.send(Message::Hardware(event));
        };
        Engine {
            hardware: Hardware::open(&config, painter.clone(), news),
            cap: config.max_bitrate,
            customer_name: config.customer_name,
            painter,
            events,
            messages,
            current: None,
            waiting: None,
            means: Means {
                servers: config.ice_servers,
                extra_ca: config.extra_ca,
                alive,
            },
            policy: config.ice_policy,
            interfaces: interfaces::usable().unwrap_or_default(),
            look_at: Instant::now() + LOOK_INTERVAL,
            admitted: None,
            knocked: None,
            remote: MediaState {
                microphone: true,
                camera: true,
                screen: false,
            },
            told: config.start_with,
            started: Instant::now(),
        }
    }
}

impl<E: Fn(HardwareEvent) + Clone + Send + 'static> Engine<E> {
    fn deadline(&self) -> Instant {
        let current = self.current.as_ref();
        let peers = self
            .waiting
            .iter()
            .chain(current.map(|current| &current.peer))
            .map(Peer::timeout);
        let idle = Instant::now() + Duration::from_secs(1);
        peers
            .chain(current.and_then(Connection::flowing_deadline))
            .chain([self.look_at])
            .min()
            .unwrap_or(idle)
    }

    fn on_timeout(&mut self, now: Instant) {
        if self.look_at <= now {
            self.look_at = now + LOOK_INTERVAL;
            self.look_at_interfaces();
        }
        let overdue = |peer: &Peer| peer.timeout() <= now;
        for negotiation in self.negotiations() {
            self.with_peer(negotiation, |peer| {
                if overdue(peer) {
                    peer.handle_timeout(now)
                } else {
                    Ok(())
                }
            });
        }
        if self
            .current
            .as_ref()
            .and_then(Connection::flowing_deadline)
            .is_some_and(|deadline| deadline <= now)
        {
            self.flowing(false);
        }
    }

    fn on_message(&mut self, message: Message) {
        match message {
            Message::Servers(servers) => {
                self.means.servers = servers;
                let means = self.means.clone();
                for negotiation in self.negotiations() {
                    self.with_peer(negotiation, |peer| {
                        peer.set_means(&means);
                        Ok(())
                    });
                }
            }
            Message::Policy(policy) => self.policy = policy,
            Message::Cap(cap) => self.cap_at(cap),
            Message::Offer { negotiation, policy } => self.offer(negotiation, policy),
            Message::Answer { negotiation, sdp } => self.answer(negotiation, &sdp),
            Message::Candidate { negotiation, candidate } => {
                self.with_peer(negotiation, |peer| peer.remote_candidate(&candidate));
            }
            Message::Admit { negotiation } => self.admit(negotiation),
            Message::Cut { negotiation } => self.cut(negotiation),
            Message::RemoteMedia(media) => self.remote = media,
            Message::Microphone { on } => self.hardware.set_microphone(on),
            Message::Camera { on } => self.hardware.set_camera(on),
            Message::Share { screen } => self.hardware.share(screen),
            Message::Select { kind, id } => self.hardware.select(kind, id),
            Message::Arrived { negotiation, arrived } => {
                self.with_peer(negotiation, |peer| peer.handle_arrived(arrived));
            }
            Message::Hardware(HardwareEvent::Camera(event)) => self.on_camera(event),
            Message::Hardware(HardwareEvent::Microphone(event)) => self.on_microphone(event),
            Message::Hardware(HardwareEvent::Speaker(SpeakerEvent::Ready)) => {
                self.on_device(DeviceKind::Speaker, Ok(()))
            }
            Message::Hardware(HardwareEvent::Speaker(SpeakerEvent::Fault(problem))) => {
                self.on_device(DeviceKind::Speaker, Err(problem));
            }
            Message::Hardware(HardwareEvent::Screen(number, event)) => self.on_screen(number, event),
            Message::Decoder {
                negotiation,
                event: DecoderEvent::First,
            } if self.is_current(negotiation) => self.flowing(true),
            Message::Decoder {
                negotiation,
                event: DecoderEvent::Damaged,
            } => {
                self.with_peer(negotiation, |peer| peer.request_keyframe(Section::Camera));
            }
            Message::Decoder { .. } | Message::Stop => {}
        }
        let own = self.hardware.own();
        if own != self.told {
            self.told = own;
            self.tell(MediaEvent::Own(own));
        }
    }

    fn offer(&mut self, negotiation: u32, policy: IcePolicy) {
        let queue = self.messages.clone();
        let inbox = Arc::new(move |arrived| {
            // The loop is gone only while the sockets are being closed.
            let _ = queue.send(Message::Arrived { negotiation, arrived });
        });
        let policy = self.policy_for(policy);
        match Peer::offer(negotiation, self.cap, policy, &self.means, inbox) {
            Ok((peer, sdp)) => {
                self.waiting = Some(peer);
                self.tell(MediaEvent::Offer { negotiation, sdp });
                if policy == IcePolicy::RelayOnly && !self.means.has_relay() {
                    let problem = ErrorCode::RelayUnreachable.into();
                    self.tell(MediaEvent::NoRelay { negotiation, problem });
                }
            }
            Err(error) => {
                tracing::error!(%error, "no offer");
                self.tell(MediaEvent::Failed(ErrorCode::MediaFailed.into()));
            }
        }
    }

    fn answer(&mut self, negotiation: u32, sdp: &str) {
        let Some(peer) = self
            .waiting
            .as_mut()
            .filter(|waiting| waiting.negotiation == negotiation)
        else {
            return;
        };
        if let Err(error) = peer.answer(sdp) {
            tracing::warn!(%error, "answer");
            self.waiting = None;
            self.tell(MediaEvent::Failed(ErrorCode::MediaFailed.into()));
            return;
        }
        // A connection that has carried something goes on until the new one is up.
        if self.current.as_ref().is_none_or(|current| !current.is_connected()) {
            self.take_over();
        }
        self.with_peer(negotiation, |_| Ok(()));
    }

    /// The new connection replaces the one before.
    fn take_over(&mut self) {
        let Some(peer) = self.waiting.take() else { return };
        let negotiation = peer.negotiation;
        // The decoder of the connection before goes first: its last act is to clear the picture.
        if let Some(mut before) = self.current.take() {
            if before.is_connected() {
                before.decoder.leave_picture();
            }
            before.peer.close();
        }
        let queue = self.messages.clone();
        let decoder = DecoderThread::start(self.painter.clone(), move |event| {
            // The loop is gone only while the decoder is being closed.
            let _ = queue.send(Message::Decoder { negotiation, event });
        });
        self.hardware
            .playout
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .restart();
        let mut connection = Connection::new(peer, decoder);
        if self.admitted == Some(negotiation) {
            connection.admit(Instant::now());
        }
        self.current = Some(connection);
        self.encode_when_open();
    }

    fn look_at_interfaces(&mut self) {
        let found = match interfaces::usable() {
            Ok(found) => found,
            Err(error) => return tracing::debug!(%error, "interfaces"),
        };
        if found != self.interfaces {
            tracing::info!(addresses = found.len(), "the machine's addresses have changed");
            for negotiation in self.negotiations() {
                self.with_peer(negotiation, |peer| peer.follow(&found));
            }
            self.interfaces = found;
        }
    }

    fn admit(&mut self, negotiation: u32) {
        self.admitted = Some(negotiation);
        if let Some(current) = self.current.as_mut().filter(|c| c.peer.negotiation == negotiation) {
            current.admit(Instant::now());
            self.encode_when_open();
        }
    }

    /// Encoders run while somebody may see what they make; a first picture is made while the rest of the way is short.
    fn encode_when_open(&mut self) {
        let gate = self.current.as_ref().map_or(Gate::Shut, Connection::gate);
        if let Some((data, taken)) = self.hardware.set_gate(gate) {
            tracing::debug!(bytes = data.len(), "the first picture was ready");
            self.on_camera(CameraEvent::Picture { data, taken });
        }
    }

    fn cut(&mut self, negotiation: u32) {
        self.waiting.take_if(|peer| peer.negotiation == negotiation);
        if let Some(mut cut) = self.current.take_if(|c| c.peer.negotiation == negotiation) {
            cut.peer.close();
            self.encode_when_open();
        }
    }

    /// Media before the tap's own news: the owner decides whether ours may go.
    fn note_media(&mut self, negotiation: u32) {
        let admitted = self.current.as_ref().is_some_and(Connection::is_admitted);
        if !admitted && self.knocked != Some(negotiation) {
            self.knocked = Some(negotiation);
            self.tell(MediaEvent::Knocked { negotiation });
        }
    }

    fn negotiations(&self) -> Vec<u32> {
        let current = self.current.as_ref().map(|current| &current.peer);
        self.waiting
            .iter()
            .chain(current)
            .map(|peer| peer.negotiation)
            .collect()
    }

    fn is_current(&self, negotiation: u32) -> bool {
        self.current
            .as_ref()
            .is_some_and(|current| current.peer.negotiation == negotiation)
    }

    /// Does something with the peer of that offer, if it still exists, and handles what came of it.
    fn with_peer(&mut self, negotiation: u32, act: impl FnOnce(&mut Peer) -> Result<(), PeerError>) {
        let current = self.current.as_mut().map(|current| &mut current.peer);
        let peer = self
            .waiting
            .iter_mut()
            .chain(current)
            .find(|peer| peer.negotiation == negotiation);
        let Some(peer) = peer else { return };
        if let Err(error) = act(peer) {
            tracing::warn!(%error, "peer connection");
        }
        for event in peer.take_events() {
            self.on_peer(negotiation, event);
        }
    }

    /// Our media, which goes only to somebody who has joined.
    fn send(&mut self, act: impl FnOnce(&mut Peer) -> Result<(), PeerError>) {
        if self.current.as_ref().is_some_and(Connection::is_open) {
            self.with_current(act);
        }
    }

    fn with_current(&mut self, act: impl FnOnce(&mut Peer) -> Result<(), PeerError>) {
        if let Some(negotiation) = self.current.as_ref().map(|current| current.peer.negotiation) {
            self.with_peer(negotiation, act);
        }
    }

    fn on_peer(&mut self, negotiation: u32, event: PeerEvent) {
        let waits = self
            .waiting
            .as_ref()
            .is_some_and(|waiting| waiting.negotiation == negotiation);
        if waits && matches!(event, PeerEvent::Connected) {
            self.take_over();
        }
        // Addresses and relays are news of an offer that still waits, too.
        let event = match event {
            PeerEvent::Candidate(candidate) => return self.tell(MediaEvent::Candidate { negotiation, candidate }),
            PeerEvent::NoRelay(code) => {
                let problem = code.into();
                return self.tell(MediaEvent::NoRelay { negotiation, problem });
            }
            event => event,
        };
        let Some(current) = self
            .current
            .as_mut()
            .filter(|current| current.peer.negotiation == negotiation)
        else {
            return;
        };
        match event {
            // Told above.
            PeerEvent::Candidate(_) | PeerEvent::NoRelay(_) => {}
            PeerEvent::Connected => {
                current.connected(Instant::now());
                self.hardware.follow(current.peer.target());
                self.encode_when_open();
                self.tell(MediaEvent::Connected { negotiation });
            }
            PeerEvent::Path(up) => {
                // Whoever lost packets wants a whole picture first.
                if up {
                    self.hardware.want_key_frames();
                }
                if current.is_connected() {
                    self.tell(MediaEvent::Path { up });
                }
            }
            PeerEvent::Media(Section::Audio, data) => {
                current.note_report(Stream::Sound, &data);
                if let Some(arrival) = current.hear() {
                    self.tell(MediaEvent::Flowing { negotiation, arrival });
                }
                self.note_media(negotiation);
                let mut playout = self.hardware.playout.lock().unwrap_or_else(PoisonError::into_inner);
                playout.push(Packet {
                    seq: **data.seq_range.end(),
                    time: data.time.numer(),
                    at: data.network_time,
                    data: data.data,
                });
            }
            PeerEvent::Media(Section::Camera, data) => {
                self.note_media(negotiation);
                self.on_picture(&data);
            }
            PeerEvent::Media(Section::Screen, _) => {}
            PeerEvent::KeyframeWanted(Section::Camera) => self.hardware.target.key_frame.store(true, Relaxed),
            PeerEvent::KeyframeWanted(Section::Screen) => self.hardware.screen_target.key_frame.store(true, Relaxed),
            PeerEvent::KeyframeWanted(Section::Audio) => {}
            PeerEvent::Target(target) => {
                current.sound_only = target.video.is_none();
                self.hardware.follow(target);
            }
            PeerEvent::Egress(stats) => current.note_egress(&stats),
            PeerEvent::Stats(stats) if current.is_open() => {
                let mut playout = self.hardware.playout.lock().unwrap_or_else(PoisonError::into_inner);
                current.synchronise(&mut playout);
                let sound = playout.figures();
                drop(playout);
                let picture = self.remote.camera || self.remote.screen;
                let sent = self.hardware.target.work.take();
                let quality = current.quality(&stats, &*self.painter, sound, sent, &self.customer_name, picture);
                self.tell(MediaEvent::Quality(quality));
            }
            PeerEvent::Stats(_) => {}
            // The customer's page may come back with a new connection; the room decides about the call.
            // A page that has moved to the next connection closes this one, perhaps before we know.
            PeerEvent::Closed if self.waiting.is_some() => {}
            PeerEvent::Closed => self.tell(MediaEvent::Path { up: false }),
        }
    }

    fn on_picture(&mut self, data: &MediaData) {
        let Some(current) = &mut self.current else { return };
        current.note_report(Stream::Picture, data);
        let picture = Picture {
            time: data.time.numer(),
            at: Instant::now(),
            data: data.data.clone(),
            key: data.is_keyframe(),
            contiguous: data.contiguous,
        };
        if !current.decoder.push(picture) {
            self.with_current(|peer| peer.request_keyframe(Section::Camera));
        }
    }

    fn on_camera(&mut self, event: CameraEvent) {
        match event {
            CameraEvent::Picture { data, taken } => {
                let time = taken.saturating_duration_since(self.started).as_micros() as u64 * 9 / 100;
                self.send(|peer| peer.send_video(Section::Camera, data, time, taken));
            }
            CameraEvent::Ready => self.on_device(DeviceKind::Camera, Ok(())),
            CameraEvent::Instead { fault, name } => {
                let kind = DeviceKind::Camera;
                self.on_device(kind, Ok(()));
                let advice = format!("{name} is used until it is back.");
                let problem = fault.problem().advising(advice);
                self.tell(MediaEvent::DeviceProblem { kind, problem });
            }
            CameraEvent::Fault(fault) => self.on_device(DeviceKind::Camera, Err(fault.problem())),
        }
    }

    fn on_screen(&mut self, number: u32, event: ScreenEvent) {
        if !self.hardware.is_share(number) {
            return;
        }
        match event {
            ScreenEvent::Ready => self.hardware.note_screen(true),
            ScreenEvent::Picture { data, taken } => {
                let time = taken.saturating_duration_since(self.started).as_micros() as u64 * 9 / 100;
                self.send(|peer| peer.send_video(Section::Screen, data, time, taken));
            }
            ScreenEvent::Ended(fault) => {
                self.hardware.share(None);
                self.tell(MediaEvent::ScreenEnded(fault.problem()));
            }
        }
    }

    fn on_microphone(&mut self, event: MicrophoneEvent) {
        match event {
            MicrophoneEvent::Packet { data, time, taken } => {
                self.send(|peer| peer.send_audio(data, time, taken));
            }
            MicrophoneEvent::Ready => self.on_device(DeviceKind::Microphone, Ok(())),
            MicrophoneEvent::Fault(problem) => self.on_device(DeviceKind::Microphone, Err(problem)),
        }
    }

    fn on_device(&mut self, kind: DeviceKind, state: Result<(), Problem>) {
        self.hardware.note(kind, state.is_ok());
        if state.is_err() {
            // Nothing was sent before either, but whoever asked for the device believes it until told otherwise.
            self.told = self.hardware.own();
            self.tell(MediaEvent::Own(self.told));
        }
        self.tell(match state {
            Ok(()) => MediaEvent::DeviceReady { kind },
            Err(problem) => MediaEvent::DeviceProblem { kind, problem },
        });
    }

    fn flowing(&mut self, picture: bool) {
        if let Some(current) = &mut self.current
            && let Some(arrival) = current.flowing(picture)
        {
            let negotiation = current.peer.negotiation;
            self.tell(MediaEvent::Flowing { negotiation, arrival });
        }
    }

    fn tell(&self, event: MediaEvent) {
        // An owner that no longer listens is about to drop the session.
        let _ = self.events.send(event);
    }

    fn close(&mut self) {
        if let Some(current) = &mut self.current {
            current.peer.close();
        }
        self.painter.paint(Tile::Own, None);
    }
}
