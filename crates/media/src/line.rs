//! One peer connection without its sockets: str0m and what it is asked to do, driven by whoever owns the
//! network and the clock. [`crate::peer`] gives it real ones; the tests give it virtual ones.
//!
//! str0m's contract: every change of an `Rtc` is followed by a complete drain of `poll_output`. All
//! public methods here end in `drain`, so the contract cannot be broken from outside.

use sightline_wire::ErrorCode;
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use str0m::{
    Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcError,
    bwe::{Bitrate, BweKind},
    change::{SdpAnswer, SdpPendingOffer},
    config::DtlsVersion,
    format::Codec,
    media::{Direction, Frequency, KeyframeRequestKind, MediaData, MediaKind, MediaTime, Mid, Pt},
    net::{Protocol, Receive, Transmit},
    stats::{MediaEgressStats, PeerStats},
};

/// What the browser's first key frame may take: its own default paces it over 80 ms more (docs/decisions).
const BROWSER_START_KBPS: u32 = 2_500;
/// Where our estimate starts.
const START: Bitrate = Bitrate::kbps(1_500);
/// Never more than this, picture and sound together (a later setting per deployment).
pub const MAX_BITRATE: u32 = 2_500_000;
/// Below this a picture is not worth sending.
pub const MIN_BITRATE: u32 = 100_000;
/// A path is checked this often while it answers.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// A path that never answered so many checks is none.
const CHECKS: usize = 20;
/// A damaged picture asks for a key frame at most this often.
const KEYFRAME_INTERVAL: Duration = Duration::from_millis(300);

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
    /// What the network carries, bits a second.
    Estimate(u32),
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
    /// For the camera's and the screen's stream.
    asked_for_key: [Option<Instant>; 2],
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
    /// A connection and its offer (SDP), with one host candidate for each of the addresses.
    pub fn offer(now: Instant, addresses: &[SocketAddr]) -> Result<(Self, String), LineError> {
        let mut config = Rtc::builder()
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true)
            .set_dtls_version(DtlsVersion::Auto)
            .enable_bwe(Some(START))
            .set_stats_interval(Some(Duration::from_secs(1)));
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
        let mut change = rtc.sdp_api();
        let audio = change.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        let camera = change.add_media(MediaKind::Video, Direction::SendRecv, None, None, None);
        let screen = change.add_media(MediaKind::Video, Direction::SendRecv, None, None, None);
        let (offer, pending) = change.apply().expect("three media sections were added");
        rtc.bwe().set_bitrate(
            Bitrate::from(u64::from(MIN_BITRATE)),
            Bitrate::from(u64::from(MAX_BITRATE)),
        );
        let mut line = Self {
            rtc,
            pending: Some(pending),
            audio,
            camera,
            screen,
            timeout: now,
            events: Vec::new(),
            outgoing: Vec::new(),
            asked_for_key: [None; 2],
        };
        line.drain()?;
        Ok((line, with_start_bitrate(&offer.to_sdp_string())))
    }

    /// The browser's answer; only the first one counts.
    pub fn answer(&mut self, sdp: &str) -> Result<(), LineError> {
        let Some(pending) = self.pending.take() else {
            return Ok(());
        };
        let answer = SdpAnswer::from_sdp_string(sdp).map_err(|error| LineError::Answer(error.to_string()))?;
        self.rtc.sdp_api().accept_answer(pending, answer)?;
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
        self.timeout
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), LineError> {
        self.rtc.handle_input(Input::Timeout(now))?;
        self.drain()
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
        let Ok(contents) = datagram.try_into() else {
            return Ok(false);
        };
        let receive = Receive {
            proto: Protocol::Udp,
            source,
            destination: local,
            contents,
        };
        let input = Input::Receive(at, receive);
        let ours = self.rtc.accepts(&input);
        if ours {
            self.rtc.handle_input(input)?;
        }
        self.drain()?;
        Ok(ours)
    }

    /// Sends a picture in the camera's or the screen's section; `time` counts 90 kHz.
    pub fn send_video(&mut self, section: Section, data: Vec<u8>, time: u64, taken: Instant) -> Result<(), LineError> {
        let mid = self.mid(section);
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

    /// Asks the other side for a key frame of the camera's or the screen's stream.
    pub fn request_keyframe(&mut self, section: Section, now: Instant) -> Result<(), LineError> {
        let asked = usize::from(section == Section::Screen);
        if self.asked_for_key[asked].is_some_and(|at| now - at < KEYFRAME_INTERVAL) {
            return Ok(());
        }
        if let Some(mut writer) = self.rtc.writer(self.mid(section))
            && writer.is_request_keyframe_possible(KeyframeRequestKind::Pli)
        {
            self.asked_for_key[asked] = Some(now);
            writer.request_keyframe(None, KeyframeRequestKind::Pli)?;
        }
        self.drain()
    }

    /// Says goodbye, so that the other side need not wait for a timeout.
    pub fn close(&mut self) {
        let said = self.rtc.close().map_err(LineError::from).and_then(|()| self.drain());
        if let Err(error) = said {
            tracing::debug!(%error, "closing");
        }
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

    fn drain(&mut self) -> Result<(), LineError> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => {
                    self.timeout = at;
                    return Ok(());
                }
                Output::Transmit(transmit) => self.outgoing.push(transmit),
                Output::Event(event) => self.on_event(event),
            }
        }
    }

    fn on_event(&mut self, event: Event) {
        let event = match event {
            Event::Connected => PeerEvent::Connected,
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => PeerEvent::Path(false),
            Event::IceConnectionStateChange(IceConnectionState::Connected | IceConnectionState::Completed) => {
                PeerEvent::Path(true)
            }
            Event::MediaData(data) => PeerEvent::Media(self.section(data.mid), data),
            Event::KeyframeRequest(request) => PeerEvent::KeyframeWanted(self.section(request.mid)),
            Event::EgressBitrateEstimate(BweKind::Twcc { estimate, .. }) => {
                PeerEvent::Estimate(estimate.as_u64() as u32)
            }
            Event::PeerStats(stats) => PeerEvent::Stats(stats),
            Event::MediaEgressStats(stats) if stats.mid == self.camera => PeerEvent::Egress(stats),
            Event::Closed => PeerEvent::Closed,
            _ => return,
        };
        self.events.push(event);
    }
}

/// Adds the start rate to the VP8 lines, where Chromium reads it. To all of them: sections of one bundle must agree
/// about a payload type.
fn with_start_bitrate(sdp: &str) -> String {
    let vp8 = sdp
        .lines()
        .find_map(|line| line.strip_prefix("a=rtpmap:")?.strip_suffix(" VP8/90000"));
    let Some(pt) = vp8 else { return sdp.to_owned() };
    let rtpmap = format!("a=rtpmap:{pt} VP8/90000\r\n");
    sdp.replace(
        &rtpmap,
        &format!("{rtpmap}a=fmtp:{pt} x-google-start-bitrate={BROWSER_START_KBPS}\r\n"),
    )
}

#[cfg(test)]
mod tests {
    use super::{Line, with_start_bitrate};
    use std::time::Instant;

    #[test]
    fn an_offer_has_sound_faces_and_a_screen_from_the_start() {
        let address = ([127, 0, 0, 1], 9).into();
        let (_, sdp) = Line::offer(Instant::now(), &[address]).expect("an offer");
        let kinds: Vec<&str> = sdp
            .lines()
            .filter_map(|line| line.strip_prefix("m=")?.split(' ').next())
            .collect();
        assert_eq!(kinds, ["audio", "video", "video"]);
        assert_eq!(sdp.matches("a=sendrecv").count(), 3);
        assert_eq!(sdp.matches("x-google-start-bitrate").count(), 2);
    }

    #[test]
    fn the_start_rate_stands_behind_vp8() {
        let sdp = "v=0\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\n";
        let wanted = "v=0\r\na=rtpmap:96 VP8/90000\r\na=fmtp:96 x-google-start-bitrate=2500\r\na=rtcp-fb:96 nack\r\n";
        assert_eq!(with_start_bitrate(sdp), wanted);
        assert_eq!(with_start_bitrate("v=0\r\n"), "v=0\r\n");
    }
}
