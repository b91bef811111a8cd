//! One peer connection on the network: a [`Line`], its [`Transport`], and the signs of life between them.

pub use crate::line::PeerEvent;
use crate::{
    line::{Line, LineError, Section},
    pulse::Pulse,
    rate::Target,
    transport::{Arrived, Inbox, Incoming, Means, Transport, interfaces::Interface},
};
use sightline_wire::{device::PathView, escalation::IcePolicy};
use std::{collections::BTreeSet, io, net::SocketAddr, time::Instant};
use str0m::{Candidate, stats::PeerStats};

/// One peer connection.
pub struct Peer {
    /// Of which offer.
    pub negotiation: u32,
    line: Line,
    transport: Transport,
    /// From where to where media goes.
    active: Option<(SocketAddr, SocketAddr)>,
    /// Since it is connected.
    pulse: Option<Pulse>,
    events: Vec<PeerEvent>,
}

/// A connection could not be made or changed.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// No socket on any interface.
    #[error("no network interface can be used: {0}")]
    Network(#[from] io::Error),
    /// The connection itself.
    #[error(transparent)]
    Line(#[from] LineError),
}

impl Peer {
    /// A connection that sends at most `cap` bits a second, and its offer: SDP with the candidates that are known at once; the others come as
    /// [`PeerEvent::Candidate`]. What arrives goes to `inbox` from tasks on the current tokio runtime.
    pub fn offer(
        negotiation: u32,
        cap: u32,
        policy: IcePolicy,
        means: &Means,
        inbox: Inbox,
    ) -> Result<(Self, String), PeerError> {
        let (transport, addresses) = Transport::open(policy, means, inbox)?;
        let (line, sdp) = Line::offer(Instant::now(), &addresses, cap)?;
        let mut peer = Self {
            negotiation,
            line,
            transport,
            active: None,
            pulse: None,
            events: Vec::new(),
        };
        peer.settle();
        Ok((peer, sdp))
    }

    /// Sends no more than this from now on, bits a second.
    pub fn cap_at(&mut self, cap: u32) {
        self.line.cap_at(cap);
    }

    /// The browser's answer; only the first one counts.
    pub fn answer(&mut self, sdp: &str) -> Result<(), PeerError> {
        for line in sdp.lines().filter_map(|line| line.strip_prefix("a=")) {
            if let Ok(candidate) = Candidate::from_sdp_string(line) {
                self.transport.remote_candidate(&candidate);
            }
        }
        self.with_line(|line| line.answer(sdp))
    }

    /// One more address of the browser's.
    pub fn remote_candidate(&mut self, candidate: &str) -> Result<(), PeerError> {
        if let Ok(candidate) = Candidate::from_sdp_string(candidate) {
            self.transport.remote_candidate(&candidate);
        }
        self.with_line(|line| line.remote_candidate(candidate))
    }

    /// When [`Peer::handle_timeout`] wants to be called.
    pub fn timeout(&self) -> Instant {
        let pulse = self.pulse.as_ref().and_then(Pulse::deadline);
        pulse.map_or(self.line.timeout(), |pulse| pulse.min(self.line.timeout()))
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), PeerError> {
        self.feel(|pulse| pulse.check(now));
        self.with_line(|line| line.handle_timeout(now))
    }

    /// Something has come from the network. What is not ours is ignored.
    pub fn handle_arrived(&mut self, arrived: Arrived) -> Result<(), PeerError> {
        match self.transport.arrived(arrived) {
            Some(Incoming::Datagram {
                local,
                source,
                bytes,
                at,
            }) => {
                let ours = self.line.receive(at, source, local, &bytes);
                let answers = stun_type(&bytes) == Some(BINDING_SUCCESS) && self.active == Some((local, source));
                if matches!(ours, Ok(true)) {
                    self.feel(|pulse| {
                        pulse.heard(at);
                        if answers {
                            pulse.answered();
                        }
                        pulse.check(at)
                    });
                }
                self.settle();
                Ok(ours.map(|_| ())?)
            }
            Some(Incoming::Candidate(candidate)) => self.add(candidate),
            Some(Incoming::Lost(local)) => {
                if self.active.is_some_and(|(from, _)| from == local) {
                    self.feel(Pulse::cut);
                }
                Ok(())
            }
            Some(Incoming::NoRelay(code)) => {
                self.events.push(PeerEvent::NoRelay(code));
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// STUN and TURN servers to use from now on.
    pub fn set_means(&mut self, means: &Means) {
        self.transport.set_means(means);
    }

    /// The machine has these addresses now.
    pub fn follow(&mut self, interfaces: &BTreeSet<Interface>) -> Result<(), PeerError> {
        let found = self.transport.follow(interfaces);
        let mut hosts = found.into_iter().filter_map(|address| {
            Candidate::host(address, "udp")
                .inspect_err(|error| tracing::debug!(%error, "an address that is no candidate"))
                .ok()
        });
        let added = hosts.try_for_each(|candidate| self.add(candidate));
        if self.active.is_some_and(|(local, _)| !self.transport.has(local)) {
            self.feel(Pulse::cut);
        }
        added
    }

    /// What kind of path this is, for a selected pair.
    pub fn path(&self, stats: &PeerStats) -> Option<PathView> {
        let pair = stats.selected_candidate_pair.as_ref()?;
        Some(self.transport.view(pair.local.addr, pair.remote.addr))
    }

    /// Sends a picture in the camera's or the screen's section; `time` counts 90 kHz.
    pub fn send_video(&mut self, section: Section, data: Vec<u8>, time: u64, taken: Instant) -> Result<(), PeerError> {
        self.with_line(|line| line.send_video(section, data, time, taken))
    }

    /// Sends 20 ms of sound; `time` counts samples of 48 kHz.
    pub fn send_audio(&mut self, data: Vec<u8>, time: u64, taken: Instant) -> Result<(), PeerError> {
        self.with_line(|line| line.send_audio(data, time, taken))
    }

    /// Asks the browser for a key frame of the camera's or the screen's stream.
    pub fn request_keyframe(&mut self, section: Section) -> Result<(), PeerError> {
        self.with_line(|line| line.request_keyframe(section, Instant::now()))
    }

    /// What to send now.
    pub fn target(&self) -> Target {
        self.line.target()
    }

    /// Says goodbye, so that the other side need not wait for a timeout.
    pub fn close(&mut self) {
        self.line.close();
        self.settle();
    }

    /// What has happened since the last call.
    pub fn take_events(&mut self) -> Vec<PeerEvent> {
        std::mem::take(&mut self.events)
    }

    /// One that was found after the offer was made.
    fn add(&mut self, candidate: Candidate) -> Result<(), PeerError> {
        let added = self.line.local_candidate(candidate);
        self.settle();
        self.events.extend(added?.map(PeerEvent::Candidate));
        Ok(())
    }

    fn with_line(&mut self, act: impl FnOnce(&mut Line) -> Result<(), LineError>) -> Result<(), PeerError> {
        let done = act(&mut self.line);
        self.settle();
        Ok(done?)
    }

    fn feel(&mut self, what: impl FnOnce(&mut Pulse) -> Option<bool>) {
        self.events
            .extend(self.pulse.as_mut().and_then(what).map(PeerEvent::Path));
    }

    /// Sends and tells what the line has to send and tell.
    fn settle(&mut self) {
        if self.line.take_delivered() {
            self.pulse.iter_mut().for_each(Pulse::answered);
        }
        for event in self.line.take_events() {
            match event {
                PeerEvent::Connected => {
                    self.pulse = Some(Pulse::new(Instant::now()));
                    self.events.push(event);
                }
                PeerEvent::Path(false) => self.feel(Pulse::cut),
                // It may be another pair now.
                PeerEvent::Path(true) => self.feel(|pulse| {
                    pulse.answered();
                    pulse.check(Instant::now())
                }),
                event => self.events.push(event),
            }
        }
        for transmit in self.line.take_outgoing() {
            let way = (transmit.source, transmit.destination);
            match stun_type(&transmit.contents) {
                Some(BINDING_REQUEST) if self.active == Some(way) => {
                    self.pulse.iter_mut().for_each(|pulse| pulse.asked(Instant::now()));
                }
                Some(_) => {}
                None => self.active = Some(way),
            }
            self.transport.send(way.0, way.1, &transmit.contents);
        }
    }
}

/// STUN message types of ICE's checks (RFC 8489 section 5).
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;

/// The type of a STUN message; none for anything else.
fn stun_type(bytes: &[u8]) -> Option<u16> {
    let cookie = bytes.get(4..8)? == [0x21, 0x12, 0xa4, 0x42];
    (cookie && bytes[0] < 4).then(|| u16::from_be_bytes([bytes[0], bytes[1]]))
}
