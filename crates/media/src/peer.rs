//! One peer connection: str0m with its sockets, as a state machine driven by the session's loop.
//!
//! str0m's contract: every change of an `Rtc` is followed by a complete drain of `poll_output`. All
//! public methods here end in [`Peer::drain`], so the contract cannot be broken from outside.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};
use str0m::{
    Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcError,
    bwe::{Bitrate, BweKind},
    change::{SdpAnswer, SdpPendingOffer},
    config::DtlsVersion,
    format::Codec,
    media::{Direction, KeyframeRequestKind, MediaData, MediaKind, MediaTime, Mid, Pt},
    net::{Protocol, Receive},
    stats::{MediaEgressStats, PeerStats},
};
use tokio::{net::UdpSocket, task::AbortHandle};

/// What the browser's first key frame may take: its own default paces it over 80 ms more (docs/decisions).
const BROWSER_START_KBPS: u32 = 2_500;
/// Where our estimate starts.
const START: Bitrate = Bitrate::kbps(1_500);
/// Never more than this, picture and sound together (a later setting per deployment).
pub const MAX_BITRATE: u32 = 2_500_000;
/// Below this a picture is not worth sending.
pub const MIN_BITRATE: u32 = 100_000;
/// A damaged picture asks for a key frame at most this often.
const KEYFRAME_INTERVAL: Duration = Duration::from_millis(300);

/// A datagram that reached one of a peer's sockets.
pub struct Datagram {
    /// Of which offer.
    pub negotiation: u32,
    /// Which of our addresses.
    pub local: SocketAddr,
    /// Sender.
    pub source: SocketAddr,
    /// Content.
    pub bytes: Vec<u8>,
    /// When it came.
    pub at: Instant,
}

/// What a peer tells its session.
pub enum PeerEvent {
    /// ICE and DTLS are up.
    Connected,
    /// The network path went (`false`) or came back (`true`).
    Path(bool),
    /// An encoded picture or a packet of sound.
    Media(MediaKind, MediaData),
    /// The browser needs a key frame.
    KeyframeWanted,
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
pub struct Peer {
    /// Of which offer.
    pub negotiation: u32,
    rtc: Rtc,
    pending: Option<SdpPendingOffer>,
    sockets: Vec<Socket>,
    audio: Mid,
    video: Mid,
    timeout: Instant,
    events: Vec<PeerEvent>,
    asked_for_key: Option<Instant>,
}

struct Socket {
    address: SocketAddr,
    socket: Arc<UdpSocket>,
    receiver: AbortHandle,
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.receiver.abort();
    }
}

/// A connection could not be made or changed.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// No socket on any interface.
    #[error("no network interface can be used: {0}")]
    Network(#[from] io::Error),
    /// str0m refused.
    #[error(transparent)]
    Rtc(#[from] RtcError),
    /// The answer is not SDP, or answers something else.
    #[error("the answer does not fit the offer: {0}")]
    Answer(String),
}

impl Peer {
    /// A connection and its offer (SDP with all candidates). Datagrams go to `received` from tasks on the
    /// current tokio runtime.
    pub fn offer(
        negotiation: u32,
        received: impl Fn(Datagram) + Clone + Send + 'static,
    ) -> Result<(Self, String), PeerError> {
        let now = Instant::now();
        let mut rtc = Rtc::builder()
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true)
            .set_dtls_version(DtlsVersion::Auto)
            .enable_bwe(Some(START))
            .set_stats_interval(Some(Duration::from_secs(1)))
            .build(now);
        let mut sockets = Vec::new();
        for ip in local_addresses()? {
            let Ok(socket) = listen(ip, negotiation, received.clone()) else {
                continue;
            };
            match Candidate::host(socket.address, "udp") {
                Ok(candidate) => drop(rtc.add_local_candidate(candidate)),
                Err(error) => tracing::debug!(%error, "an address that is no candidate"),
            }
            sockets.push(socket);
        }
        if sockets.is_empty() {
            return Err(io::Error::from(io::ErrorKind::AddrNotAvailable).into());
        }
        let mut change = rtc.sdp_api();
        let audio = change.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        let video = change.add_media(MediaKind::Video, Direction::SendRecv, None, None, None);
        let (offer, pending) = change.apply().expect("two media sections were added");
        rtc.bwe().set_bitrate(
            Bitrate::from(u64::from(MIN_BITRATE)),
            Bitrate::from(u64::from(MAX_BITRATE)),
        );
        let mut peer = Self {
            negotiation,
            rtc,
            pending: Some(pending),
            sockets,
            audio,
            video,
            timeout: now,
            events: Vec::new(),
            asked_for_key: None,
        };
        peer.drain()?;
        Ok((peer, with_start_bitrate(&offer.to_sdp_string())))
    }

    /// The browser's answer; only the first one counts.
    pub fn answer(&mut self, sdp: &str) -> Result<(), PeerError> {
        let Some(pending) = self.pending.take() else {
            return Ok(());
        };
        let answer = SdpAnswer::from_sdp_string(sdp).map_err(|error| PeerError::Answer(error.to_string()))?;
        self.rtc.sdp_api().accept_answer(pending, answer)?;
        self.drain()
    }

    /// One more address of the browser's. Its `.local` names cannot be resolved here, and need not be: ICE
    /// finds the browser from the checks it sends.
    pub fn remote_candidate(&mut self, candidate: &str) -> Result<(), PeerError> {
        match Candidate::from_sdp_string(candidate) {
            Ok(candidate) => self.rtc.add_remote_candidate(candidate),
            Err(error) => tracing::debug!(%error, "a candidate that is no address"),
        }
        self.drain()
    }

    /// When [`Peer::handle_timeout`] wants to be called.
    pub fn timeout(&self) -> Instant {
        self.timeout
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), PeerError> {
        self.rtc.handle_input(Input::Timeout(now))?;
        self.drain()
    }

    /// A datagram has come. What is not ours is ignored.
    pub fn handle_datagram(&mut self, datagram: &Datagram) -> Result<(), PeerError> {
        let Ok(contents) = datagram.bytes.as_slice().try_into() else {
            return Ok(());
        };
        let receive = Receive {
            proto: Protocol::Udp,
            source: datagram.source,
            destination: datagram.local,
            contents,
        };
        let input = Input::Receive(datagram.at, receive);
        if self.rtc.accepts(&input) {
            self.rtc.handle_input(input)?;
        }
        self.drain()
    }

    /// Sends a picture; `time` counts 90 kHz.
    pub fn send_video(&mut self, data: Vec<u8>, time: u64, taken: Instant) -> Result<(), PeerError> {
        self.send(self.video, Codec::Vp8, data, MediaTime::from_90khz(time), taken)
    }

    /// Sends 20 ms of sound; `time` counts samples of 48 kHz.
    pub fn send_audio(&mut self, data: Vec<u8>, time: u64, taken: Instant) -> Result<(), PeerError> {
        self.send(
            self.audio,
            Codec::Opus,
            data,
            MediaTime::new(time, str0m::media::Frequency::FORTY_EIGHT_KHZ),
            taken,
        )
    }

    /// Asks the browser for a key frame.
    pub fn request_keyframe(&mut self) -> Result<(), PeerError> {
        let now = Instant::now();
        if self.asked_for_key.is_some_and(|at| now - at < KEYFRAME_INTERVAL) {
            return Ok(());
        }
        if let Some(mut writer) = self.rtc.writer(self.video)
            && writer.is_request_keyframe_possible(KeyframeRequestKind::Pli)
        {
            self.asked_for_key = Some(now);
            writer.request_keyframe(None, KeyframeRequestKind::Pli)?;
        }
        self.drain()
    }

    /// Says goodbye, so that the other side need not wait for a timeout.
    pub fn close(&mut self) {
        let said = self.rtc.close().map_err(PeerError::from).and_then(|()| self.drain());
        if let Err(error) = said {
            tracing::debug!(%error, "closing");
        }
    }

    /// What has happened since the last call.
    pub fn take_events(&mut self) -> Vec<PeerEvent> {
        std::mem::take(&mut self.events)
    }

    fn send(
        &mut self,
        mid: Mid,
        codec: Codec,
        data: Vec<u8>,
        time: MediaTime,
        taken: Instant,
    ) -> Result<(), PeerError> {
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

    fn drain(&mut self) -> Result<(), PeerError> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => {
                    self.timeout = at;
                    return Ok(());
                }
                Output::Transmit(transmit) => {
                    let from = self.sockets.iter().find(|socket| socket.address == transmit.source);
                    // A full socket buffer or an unreachable address is a lost packet, as on any network.
                    if let Some(Err(error)) =
                        from.map(|from| from.socket.try_send_to(&transmit.contents, transmit.destination))
                    {
                        tracing::trace!(%error, "a datagram was not sent");
                    }
                }
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
            Event::MediaData(data) if data.mid == self.audio => PeerEvent::Media(MediaKind::Audio, data),
            Event::MediaData(data) => PeerEvent::Media(MediaKind::Video, data),
            Event::KeyframeRequest(_) => PeerEvent::KeyframeWanted,
            Event::EgressBitrateEstimate(BweKind::Twcc { estimate, .. }) => {
                PeerEvent::Estimate(estimate.as_u64() as u32)
            }
            Event::PeerStats(stats) => PeerEvent::Stats(stats),
            Event::MediaEgressStats(stats) if stats.mid == self.video => PeerEvent::Egress(stats),
            Event::Closed => PeerEvent::Closed,
            _ => return,
        };
        self.events.push(event);
    }
}

/// Addresses worth offering; loopback only on a machine that has nothing else.
fn local_addresses() -> io::Result<Vec<IpAddr>> {
    let mut addresses: Vec<IpAddr> = if_addrs::get_if_addrs()?
        .into_iter()
        .map(|interface| interface.ip())
        .filter(|ip| match ip {
            IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local() && !ip.is_unspecified(),
            IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unicast_link_local() && !ip.is_unspecified(),
        })
        .collect();
    if addresses.is_empty() {
        addresses.push(Ipv4Addr::LOCALHOST.into());
    }
    Ok(addresses)
}

fn listen(ip: IpAddr, negotiation: u32, received: impl Fn(Datagram) + Send + 'static) -> io::Result<Socket> {
    let socket = std::net::UdpSocket::bind((ip, 0))?;
    socket.set_nonblocking(true)?;
    let socket = Arc::new(UdpSocket::from_std(socket)?);
    let address = socket.local_addr()?;
    let reader = socket.clone();
    let task = tokio::spawn(async move {
        let mut buffer = vec![0; 2_048];
        loop {
            match reader.recv_from(&mut buffer).await {
                Ok((size, source)) => {
                    let bytes = buffer[..size].to_vec();
                    received(Datagram {
                        negotiation,
                        local: address,
                        source,
                        bytes,
                        at: Instant::now(),
                    });
                }
                // "Connection refused" of an earlier datagram; the socket itself goes on.
                Err(error) => tracing::trace!(%error, "receiving"),
            }
        }
    });
    Ok(Socket {
        address,
        socket,
        receiver: task.abort_handle(),
    })
}

/// Adds the start rate to the VP8 line, where Chromium reads it.
fn with_start_bitrate(sdp: &str) -> String {
    let vp8 = sdp
        .lines()
        .find_map(|line| line.strip_prefix("a=rtpmap:")?.strip_suffix(" VP8/90000"));
    let Some(pt) = vp8 else { return sdp.to_owned() };
    let rtpmap = format!("a=rtpmap:{pt} VP8/90000\r\n");
    sdp.replacen(
        &rtpmap,
        &format!("{rtpmap}a=fmtp:{pt} x-google-start-bitrate={BROWSER_START_KBPS}\r\n"),
        1,
    )
}

#[cfg(test)]
mod tests {
    use super::with_start_bitrate;

    #[test]
    fn the_start_rate_stands_behind_vp8() {
        let sdp = "v=0\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\n";
        let wanted = "v=0\r\na=rtpmap:96 VP8/90000\r\na=fmtp:96 x-google-start-bitrate=2500\r\na=rtcp-fb:96 nack\r\n";
        assert_eq!(with_start_bitrate(sdp), wanted);
        assert_eq!(with_start_bitrate("v=0\r\n"), "v=0\r\n");
    }
}
