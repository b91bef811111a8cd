//! One peer connection without its sockets: str0m and what it is asked to do, driven by whoever owns the
//! network and the clock. [`crate::peer`] gives it real ones; the tests give it virtual ones.
//!
//! str0m's contract: every change of an `Rtc` is followed by a complete drain of `poll_output`. All
//! public methods here end in `drain`, so the contract cannot be broken from outside.

use crate::{
    again::Again,
    beginning::{self, Beginning},
    dtls,
    early::Early,
    figures::Figures,
    offer::{self, for_browsers},
    rate::{
        Measured, Rate, Target,
        key_frames::{Answers, Requests},
        path::Path,
    },
};
use sightline_wire::ErrorCode;
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use str0m::{
    Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcError,
    bwe::Bitrate,
    change::{SdpAnswer, SdpOffer, SdpPendingOffer},
    config::DtlsVersion,
    format::Codec,
    media::{Direction, Frequency, KeyframeRequestKind, MediaData, MediaKind, MediaTime, Mid, Pt},
    net::{Protocol, Receive, Transmit},
    rtp::{RawPacket, rtcp::Rtcp},
    stats::{MediaEgressStats, PeerStats},
};

/// What is sent at first, bits a second.
pub const START: u32 = 1_500_000;
/// What the estimator is told at first, bits a second: its pacer sends at 1.1 times this, so that the first key
/// frame leaves at once. At [`START`] it takes a quarter of a second.
const FIRST_GUESS: u32 = 6_000_000;
/// How often the rates are judged. str0m's own event about the estimate is a mean over three seconds: far too late
/// to leave a queue that has begun to fill.
const JUDGE: Duration = Duration::from_millis(100);
/// So many pictures wait for one with missing packets. str0m's own 30 are a second at best.
const WAIT_FOR_RESENT: usize = 10;
/// A check without an answer goes out again after this, then after twice as long, and so on.
const FIRST_CHECK: Duration = Duration::from_millis(100);
/// A path is checked this often while it answers.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// A path that never answered so many checks is none.
const CHECKS: usize = 20;

/// The three media sections of every offer, in this order. All are there from the start, so that nothing is
/// ever renegotiated (docs/decisions/0022).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Sound, both ways.
    Audio,
    /// The faces, both ways.
    Camera,
    /// A shared screen, either way.
    Screen,
}

/// What a peer tells its session.
pub enum PeerEvent {
    /// One more address of ours, as an SDP candidate attribute.
    Candidate(String),
    /// None of the relays can be used.
    NoRelay(ErrorCode),
    /// ICE and DTLS are up.
    Connected,
    /// The network path went (`false`) or came back (`true`).
    Path(bool),
    /// An encoded picture or a packet of sound.
    Media(Section, MediaData),
    /// The browser needs a key frame of the camera's or the screen's stream.
    KeyframeWanted(Section),
    /// What to send from now on.
    Target(Target),
    /// Once a second.
    Stats(PeerStats),
    /// Once a second for what we send.
    Egress(MediaEgressStats),
    /// The other side has closed the connection, or it failed for good.
    Closed,
}

/// One peer connection.
pub struct Line {
    rtc: Rtc,
    pending: Option<SdpPendingOffer>,
    audio: Mid,
    camera: Mid,
    screen: Mid,
    timeout: Instant,
    events: Vec<PeerEvent>,
    outgoing: Vec<Transmit>,
    /// The last moment we were told.
    now: Instant,
    path: Path,
    rate: Rate,
    target: Target,
    /// For the camera's and the screen's stream.
    requests: [Requests; 2],
    /// The same.
    answers: [Answers; 2],
    figures: Figures,
    /// DTLS is not up yet.
    connecting: bool,
    /// Something of ours was reported as arrived.
    delivered: bool,
    early: Early,
    again: Again,
    /// Of VP8, as offered.
    vp8: Option<Pt>,
    /// Of the camera's and the screen's stream.
    beginnings: [Beginning; 2],
    /// The one whose beginning was lost.
    torn: Option<Section>,
}

/// A connection could not be made or changed.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// str0m refused.
    #[error(transparent)]
    Rtc(#[from] RtcError),
    /// The answer is not SDP, or answers something else.
    #[error("the answer does not fit the offer: {0}")]
    Answer(String),
}

impl Line {
    /// A connection and its offer (SDP), with one host candidate for each of the addresses. Sends at most `cap`
    /// bits a second, and asks the other side for the same.
    pub fn offer(now: Instant, addresses: &[SocketAddr], cap: u32) -> Result<(Self, String), LineError> {
        let mut rtc = rtc(now, addresses);
        let mut change = rtc.sdp_api();
        let audio = change.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        let camera = change.add_media(MediaKind::Video, Direction::SendRecv, None, None, None);
        let screen = change.add_media(MediaKind::Video, Direction::SendRecv, None, None, None);
        let (offer, pending) = change.apply().expect("three media sections were added");
        let mut line = Self::new(rtc, now, cap, [audio, camera, screen]);
        line.pending = Some(pending);
        line.drain()?;
        let sdp = offer.to_sdp_string();
        line.vp8 = offer::vp8(&sdp);
        Ok((line, for_browsers(&sdp, cap)))
    }

    /// The other end of such an offer, with its answer: for calls between two engines.
    pub fn answering(
        now: Instant,
        addresses: &[SocketAddr],
        cap: u32,
        offer: &str,
    ) -> Result<(Self, String), LineError> {
        let mut rtc = rtc(now, addresses);
        let [audio, camera, screen] = offer::mids(offer)[..] else {
            return Err(LineError::Answer("the offer has not three media sections".into()));
        };
        let vp8 = offer::vp8(offer);
        let offer = SdpOffer::from_sdp_string(offer).map_err(|error| LineError::Answer(error.to_string()))?;
        let answer = rtc.sdp_api().accept_offer(offer)?;
        let mut line = Self::new(rtc, now, cap, [audio, camera, screen]);
        line.vp8 = vp8;
        line.double_sound();
        line.drain()?;
        Ok((line, answer.to_sdp_string()))
    }

    fn new(rtc: Rtc, now: Instant, cap: u32, [audio, camera, screen]: [Mid; 3]) -> Self {
        let rate = Rate::new(cap, START);
        let target = rate.target();
        let mut line = Self {
            rtc,
            pending: None,
            audio,
            camera,
            screen,
            timeout: now,
            events: vec![PeerEvent::Target(target)],
            outgoing: Vec::new(),
            now,
            path: Path::default(),
            rate,
            target,
            requests: Default::default(),
            answers: Default::default(),
            figures: Figures::default(),
            connecting: true,
            delivered: false,
            early: Early::default(),
            again: Again::default(),
            vp8: None,
            beginnings: Default::default(),
            torn: None,
        };
        line.look_for(target.desired);
        line
    }

    /// Sends no more than this from now on, bits a second.
    pub fn cap_at(&mut self, cap: u32) {
        self.rate.cap_at(cap);
    }

    /// The browser's answer; only the first one counts.
    pub fn answer(&mut self, sdp: &str) -> Result<(), LineError> {
        let Some(pending) = self.pending.take() else {
            return Ok(());
        };
        let answer = SdpAnswer::from_sdp_string(sdp).map_err(|error| LineError::Answer(error.to_string()))?;
        self.rtc.sdp_api().accept_answer(pending, answer)?;
        self.double_sound();
        self.drain()
    }

    /// One more address of the browser's. Its `.local` names cannot be resolved here, and need not be: ICE
    /// finds the browser from the checks it sends.
    pub fn remote_candidate(&mut self, candidate: &str) -> Result<(), LineError> {
        match Candidate::from_sdp_string(candidate) {
            Ok(candidate) => self.rtc.add_remote_candidate(candidate),
            Err(error) => tracing::debug!(%error, "a candidate that is no address"),
        }
        self.drain()
    }

    /// When [`Line::handle_timeout`] wants to be called.
    pub fn timeout(&self) -> Instant {
        let owed = self.answers.iter().filter_map(Answers::deadline);
        owed.chain(self.again.deadline()).fold(self.timeout, Instant::min)
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), LineError> {
        self.now = now;
        self.rtc.handle_input(Input::Timeout(now))?;
        self.drain()?;
        self.follow_up(now)?;
        self.outgoing.extend(std::iter::from_fn(|| self.again.due(now)));
        Ok(())
    }

    /// One more address of ours; returned as an SDP candidate attribute if it is new.
    pub fn local_candidate(&mut self, candidate: Candidate) -> Result<Option<String>, LineError> {
        let added = self.rtc.add_local_candidate(candidate).map(Candidate::to_sdp_string);
        self.drain()?;
        Ok(added)
    }

    /// A datagram has come from `source` to our address `local`. What is not ours is ignored: then `false`.
    pub fn receive(
        &mut self,
        at: Instant,
        source: SocketAddr,
        local: SocketAddr,
        datagram: &[u8],
    ) -> Result<bool, LineError> {
        let Some(input) = received(at, source, local, datagram) else {
            return Ok(false);
        };
        let ours = self.rtc.accepts(&input);
        let early = self.connecting && self.early.keeps((source, local), datagram, ours, self.vp8);
        if ours && !early {
            self.now = at;
            for section in [self.camera, self.screen] {
                if let Some(source) = self.beginnings[picture(self.section(section))].forgets(datagram, section) {
                    beginning::forget(&mut self.rtc, section, source);
                }
            }
            self.rtc.handle_input(input)?;
        }
        self.drain()?;
        self.follow_up(at)?;
        Ok(ours)
    }

    fn follow_up(&mut self, now: Instant) -> Result<(), LineError> {
        self.answer_early(now)?;
        self.answer_key_frame_request(now);
        match self.torn.take() {
            Some(section) => self.request_keyframe(section, now),
            None => Ok(()),
        }
    }

    /// Hands over what came too early, as soon as it can be used.
    fn answer_early(&mut self, now: Instant) -> Result<(), LineError> {
        for early in self.early.take_dtls() {
            let (source, local, datagram) = &early;
            match received(now, *source, *local, datagram).filter(|input| self.rtc.accepts(input)) {
                Some(input) => {
                    self.rtc.handle_input(input)?;
                    self.drain()?;
                }
                None => self.early.put_back(early),
            }
        }
        if !self.connecting {
            for (source, local, datagram) in self.early.take_pictures() {
                self.receive(now, source, local, &datagram)?;
            }
        }
        Ok(())
    }

    /// Sends a picture in the camera's or the screen's section; `time` counts 90 kHz.
    pub fn send_video(&mut self, section: Section, data: Vec<u8>, time: u64, taken: Instant) -> Result<(), LineError> {
        let mid = self.mid(section);
        self.again.picture(self.now);
        self.send(mid, Codec::Vp8, data, MediaTime::from_90khz(time), taken)
    }

    /// Sends 20 ms of sound; `time` counts samples of 48 kHz.
    pub fn send_audio(&mut self, data: Vec<u8>, time: u64, taken: Instant) -> Result<(), LineError> {
        self.send(
            self.audio,
            Codec::Opus,
            data,
            MediaTime::new(time, Frequency::FORTY_EIGHT_KHZ),
            taken,
        )
    }

    /// A picture is damaged: asks the other side for a key frame of the camera's or the screen's stream, unless
    /// that was done just now.
    pub fn request_keyframe(&mut self, section: Section, now: Instant) -> Result<(), LineError> {
        let mid = self.mid(section);
        if let Some(mut writer) = self.rtc.writer(mid)
            && writer.is_request_keyframe_possible(KeyframeRequestKind::Pli)
            && self.requests[picture(section)].wanted(now)
        {
            writer.request_keyframe(None, KeyframeRequestKind::Pli)?;
        }
        self.drain()
    }

    /// What to send now.
    pub fn target(&self) -> Target {
        self.target
    }

    /// Says goodbye, so that the other side need not wait for a timeout.
    pub fn close(&mut self) {
        let said = self.rtc.close().map_err(LineError::from).and_then(|()| self.drain());
        if let Err(error) = said {
            tracing::debug!(%error, "closing");
        }
    }

    /// Whether the other side has reported anything of ours as arrived since the last call.
    pub fn take_delivered(&mut self) -> bool {
        std::mem::take(&mut self.delivered)
    }

    /// What has happened since the last call.
    pub fn take_events(&mut self) -> Vec<PeerEvent> {
        std::mem::take(&mut self.events)
    }

    /// Datagrams to send, from their own local address, since the last call.
    pub fn take_outgoing(&mut self) -> Vec<Transmit> {
        std::mem::take(&mut self.outgoing)
    }

    fn send(
        &mut self,
        mid: Mid,
        codec: Codec,
        data: Vec<u8>,
        time: MediaTime,
        taken: Instant,
    ) -> Result<(), LineError> {
        if let Some(writer) = self.rtc.writer(mid) {
            let pt: Option<Pt> = writer
                .payload_params()
                .find(|params| params.spec().codec == codec)
                .map(|params| params.pt());
            if let Some(pt) = pt {
                writer.write(pt, taken, time, data)?;
            }
        }
        self.drain()
    }

    fn mid(&self, section: Section) -> Mid {
        match section {
            Section::Audio => self.audio,
            Section::Camera => self.camera,
            Section::Screen => self.screen,
        }
    }

    fn section(&self, mid: Mid) -> Section {
        [Section::Audio, Section::Screen]
            .into_iter()
            .find(|section| self.mid(*section) == mid)
            .unwrap_or(Section::Camera)
    }

    fn answer_key_frame_request(&mut self, now: Instant) {
        for section in [Section::Camera, Section::Screen] {
            if self.answers[picture(section)].due(now) {
                self.events.push(PeerEvent::KeyframeWanted(section));
            }
        }
    }

    /// Bytes of pictures that wait in the pacer.
    fn unsent(&mut self, now: Instant) -> usize {
        let mut api = self.rtc.direct_api();
        let queues = [self.camera, self.screen].into_iter().filter_map(|mid| {
            let queue = api.stream_tx_by_mid(mid, None)?.queue_info()?;
            // A figure that nothing has renewed is of a queue that has nothing to send.
            let fresh = now.saturating_duration_since(queue.created_at()) < 2 * JUDGE;
            fresh.then(|| queue.byte_size())
        });
        queues.sum()
    }

    fn note_packet(&mut self, packet: &RawPacket) {
        match packet {
            RawPacket::RtpTx(header, payload) => {
                if let Some(number) = header.ext_vals.transport_cc {
                    self.path.sent(self.now, number, payload.len());
                }
            }
            // Without a source of its own it is a probe of the path.
            RawPacket::RtpRx(header, payload) if Some(header.payload_type) == self.vp8 && *header.ssrc != 0 => {
                let section = header.ext_vals.mid.map(|mid| self.section(mid));
                let missing = |section: &Section| {
                    self.beginnings[picture(*section)].missing(header.ssrc, header.timestamp, payload)
                };
                self.torn = section.filter(missing).or(self.torn);
            }
            RawPacket::RtcpRx(Rtcp::Twcc(report)) => {
                self.delivered |= !report.delta.is_empty();
                self.path.reported(self.now, report);
            }
            _ => {}
        }
    }

    fn judge(&mut self, stats: &PeerStats) {
        let Some(estimate) = stats.bwe_tx else { return };
        let measured = Measured {
            estimate: u32::try_from(estimate.as_u64()).unwrap_or(u32::MAX),
            loss: stats.egress_loss_fraction,
            backlog: self.path.backlog(stats.timestamp),
            unsent: self.unsent(stats.timestamp),
        };
        let before = std::mem::replace(&mut self.target, self.rate.measured(stats.timestamp, measured));
        if self.rate.path_is_longer() {
            self.path.forget_shortest();
        }
        if self.rate.estimator_is_stuck() {
            tracing::debug!(%estimate, "the estimator starts over");
            self.rtc.bwe().reset(estimate);
        }
        if before.desired != self.target.desired {
            self.look_for(self.target.desired);
        }
        if before.audio.doubled != self.target.audio.doubled {
            self.double_sound();
        }
        tracing::trace!(estimate = measured.estimate, loss = measured.loss, backlog = ?measured.backlog, unsent = measured.unsent, target = ?self.target, "judged");
        if before != self.target {
            self.events.push(PeerEvent::Target(self.target));
        }
    }

    /// Each packet of sound carries the one before (RFC 2198), where the other side knows how to read that.
    fn double_sound(&mut self) {
        let doubled = self.target.audio.doubled;
        self.rtc.direct_api().set_red_send(self.audio, doubled);
    }

    /// No padding beyond str0m's own 50 kbit/s: probes find capacity without it.
    fn look_for(&mut self, desired: u32) {
        self.rtc
            .bwe()
            .set_bitrate(Bitrate::ZERO, Bitrate::from(u64::from(desired)));
    }

    fn drain(&mut self) -> Result<(), LineError> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => {
                    self.timeout = at;
                    return Ok(());
                }
                Output::Transmit(transmit) => {
                    self.again.sent(self.now, &transmit, self.connecting);
                    self.outgoing.push(transmit);
                }
                Output::Event(event) => self.on_event(event),
            }
        }
    }

    fn on_event(&mut self, event: Event) {
        let event = match event {
            Event::Connected => {
                self.answers.iter_mut().for_each(Answers::path_changed);
                self.connecting = false;
                PeerEvent::Connected
            }
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => PeerEvent::Path(false),
            Event::IceConnectionStateChange(IceConnectionState::Connected | IceConnectionState::Completed) => {
                self.answers.iter_mut().for_each(Answers::path_changed);
                PeerEvent::Path(true)
            }
            Event::MediaData(data) => {
                let section = self.section(data.mid);
                if section != Section::Audio && data.is_keyframe() {
                    self.requests[picture(section)].came();
                }
                PeerEvent::Media(section, data)
            }
            Event::KeyframeRequest(request) => {
                let section = self.section(request.mid);
                self.answers[picture(section)].requested(self.now);
                return;
            }
            Event::PeerStats(stats) => {
                self.judge(&stats);
                match self.figures.peer(stats) {
                    Some(stats) => PeerEvent::Stats(stats),
                    None => return,
                }
            }
            Event::MediaEgressStats(stats) if stats.mid == self.camera && self.figures.told() => {
                PeerEvent::Egress(stats)
            }
            Event::RawPacket(packet) => {
                self.note_packet(&packet);
                return;
            }
            Event::Closed => PeerEvent::Closed,
            _ => return,
        };
        self.events.push(event);
    }
}

/// A datagram for str0m; `None` for what is neither STUN, DTLS nor RTP.
fn received(at: Instant, source: SocketAddr, destination: SocketAddr, datagram: &[u8]) -> Option<Input<'_>> {
    let receive = Receive {
        proto: Protocol::Udp,
        source,
        destination,
        contents: datagram.try_into().ok()?,
    };
    Some(Input::Receive(at, receive))
}

fn rtc(now: Instant, addresses: &[SocketAddr]) -> Rtc {
    let mut config = Rtc::builder()
        .clear_codecs()
        .enable_opus(true, true)
        .enable_vp8(true)
        .set_dtls_version(DtlsVersion::Auto)
        .set_crypto_provider(dtls::provider())
        .enable_bwe(Some(Bitrate::from(u64::from(FIRST_GUESS))))
        .set_stats_interval(Some(JUDGE))
        .set_reordering_size_video(WAIT_FOR_RESENT)
        // Sound is put in order where it is played: held back for a lost packet, what follows would come too late.
        .set_reordering_size_audio(0)
        // Copies each packet: some 500 a second, nothing next to their encryption.
        .enable_raw_packets(true);
    // The first answer is waited for by a person.
    config.set_initial_stun_rto(FIRST_CHECK);
    // Checks of the path in use every second instead of every three, and as many seconds in all.
    config.set_max_stun_rto(CHECK_INTERVAL);
    config.set_max_stun_retransmits(CHECKS);
    let mut rtc = config.build(now);
    for address in addresses {
        match Candidate::host(*address, "udp") {
            Ok(candidate) => drop(rtc.add_local_candidate(candidate)),
            Err(error) => tracing::debug!(%error, "an address that is no candidate"),
        }
    }
    rtc
}

/// Where the camera's and the screen's stream have their place among two.
fn picture(section: Section) -> usize {
    usize::from(section == Section::Screen)
}
