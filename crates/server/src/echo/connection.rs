//! One peer connection of the echo peer, on the `webrtc` crate: an implementation that shares nothing with the desk's.

use super::{
    EchoError,
    ear::{Ear, Kind},
    face::{Face, INTERVAL},
    key_requests::KeyRequests,
    pictures::Pictures,
    sequence::Arrivals,
    voice::{PACKET, RATE, Voice},
};
use crate::app::now;
use async_trait::async_trait;
use bytes::Bytes;
use opusic_c::{Application, Bitrate, Channels, Decoder, Encoder, SampleRate};
use rtc::{
    ice::mdns::MulticastDnsMode,
    interceptor::Slot,
    media_stream::MediaStreamTrack,
    peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_RTX, MIME_TYPE_VP8},
    rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication,
    rtp,
    rtp_transceiver::rtp_sender::{
        RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
    },
};
use sightline_wire::escalation::{IceConfig, IcePolicy};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
    task::{JoinSet, spawn_blocking},
    time::{MissedTickBehavior, interval},
};
use webrtc::{
    media_stream::{
        track_local::{TrackLocal, static_rtp::TrackLocalStaticRTP},
        track_remote::{TrackRemote, TrackRemoteEvent},
    },
    peer_connection::{
        MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder,
        RTCIceCandidateInit, RTCIceServer, RTCIceTransportPolicy, RTCPeerConnectionIceEvent, RTCPeerConnectionState,
        RTCSessionDescription, Registry, SettingEngineBuilder, register_default_interceptors,
    },
    rtp_transceiver::RtpSender,
};

/// Where the payload types are ours to choose; the offer's own are used.
const OPUS: u8 = 111;
const VP8: u8 = 96;
const RTX: u8 = 97;

/// A key frame is asked for this often until one has come.
const ASK_FOR_KEY: Duration = Duration::from_millis(500);

/// Of the sound, bits a second.
const SOUND_RATE: u32 = 32_000;

/// What a connection says to the room.
pub enum Said {
    /// One more address of ours.
    Candidate { negotiation: u32, candidate: String },
    /// The desk's first whole picture.
    Picture,
    /// The desk's first packet of sound.
    Sound,
}

/// A connection that answers one offer. It ends when it is dropped.
pub struct Connection {
    peer: Open,
    shows: watch::Sender<bool>,
    /// Voice and face; they end with it.
    _speaking: JoinSet<()>,
}

impl Connection {
    /// Answers an offer; media flows as soon as the network lets it.
    pub async fn answer(
        (negotiation, offer): (u32, String),
        ice: &IceConfig,
        ear: Ear,
        said: mpsc::UnboundedSender<Said>,
    ) -> Result<(Self, String), EchoError> {
        let (connected, up) = watch::channel(false);
        let (shows, shown) = watch::channel(true);
        let voice = Arc::new(Mutex::new(Voice::default()));
        let begin = Instant::now();
        let key = Arc::new(AtomicBool::new(true));
        let handler = Handler {
            negotiation,
            said,
            connected,
            listener: Listener {
                ear,
                voice: voice.clone(),
                begin,
                pictures_heard: Arc::default(),
            },
        };
        let sound = track(RtpCodecKind::Audio, opus())?;
        let picture = track(RtpCodecKind::Video, vp8())?;
        // In a task of its own, which goes on when nobody waits any more: half a connection could not be closed.
        let made = tokio::spawn(open(ice.clone(), handler, key.clone()));
        let open = made.await.map_err(|_| EchoError::Broke)??;
        let peer = &open.0;
        let sound_sender = peer.add_track(sound.track.clone() as Arc<dyn TrackLocal>).await?;
        let picture_sender = peer.add_track(picture.track.clone() as Arc<dyn TrackLocal>).await?;
        peer.set_remote_description(RTCSessionDescription::offer(offer)?)
            .await?;
        let answer = peer.create_answer(None).await?;
        let sdp = answer.sdp.clone();
        peer.set_local_description(answer).await?;
        let sound = sound.negotiated(&sound_sender, MIME_TYPE_OPUS).await?;
        let picture = picture.negotiated(&picture_sender, MIME_TYPE_VP8).await?;
        let mut speaking = JoinSet::new();
        speaking.spawn(speak(sound, voice, begin, up.clone()));
        speaking.spawn(show(picture, key, begin, up, shown));
        let connection = Self {
            peer: open,
            shows,
            _speaking: speaking,
        };
        Ok((connection, sdp))
    }

    /// One more address of the desk's.
    pub async fn candidate(&self, candidate: String) {
        let init = RTCIceCandidateInit {
            candidate,
            ..Default::default()
        };
        if let Err(error) = self.peer.0.add_ice_candidate(init).await {
            tracing::debug!(?error, "an address of the desk's cannot be used");
        }
    }

    /// Whether pictures are sent.
    pub fn show(&self, on: bool) {
        self.shows.send_replace(on);
    }
}

/// The crate's connection, closed when it is dropped: its own task and sockets would go on.
struct Open(Arc<dyn PeerConnection>);

impl Drop for Open {
    fn drop(&mut self) {
        let peer = self.0.clone();
        // Without a runtime that task is gone already.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = peer.close().await {
                    tracing::debug!(?error, "a connection did not close");
                }
            });
        }
    }
}

async fn open(ice: IceConfig, handler: Handler, key: Arc<AtomicBool>) -> Result<Open, EchoError> {
    let mut codecs = MediaEngine::default();
    codecs.register_codec(parameters(opus(), OPUS), RtpCodecKind::Audio)?;
    codecs.register_codec(parameters(vp8(), VP8), RtpCodecKind::Video)?;
    let resending = codec(MIME_TYPE_RTX, 90_000, 0, &format!("apt={VP8}"));
    codecs.register_codec(parameters(resending, RTX), RtpCodecKind::Video)?;
    // Closest to the application, where every other interceptor has seen the packets.
    let interceptors =
        register_default_interceptors(Registry::new(), &mut codecs)?.with(Slot::from(14_000), KeyRequests::new(key));
    let settings = SettingEngineBuilder::new()
        // Else four connects in ten take 1.6 s (docs/decisions/0001): the desk's address is known from its checks
        // before it is told.
        .with_prflx_acceptance_min_wait(Some(Duration::ZERO))
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .build();
    let policy = match ice.policy {
        IcePolicy::All => RTCIceTransportPolicy::All,
        IcePolicy::RelayOnly => RTCIceTransportPolicy::Relay,
    };
    let configuration = RTCConfigurationBuilder::new()
        .with_ice_servers(servers(&ice))
        .with_ice_transport_policy(policy)
        .build();
    let peer = PeerConnectionBuilder::new()
        .with_configuration(configuration)
        .with_media_engine(codecs)
        .with_setting_engine(settings)
        .with_interceptor_registry(interceptors)
        .with_handler(Arc::new(handler))
        .with_udp_addrs(addresses())
        .build()
        .await?;
    Ok(Open(Arc::new(peer)))
}

/// STUN and TURN servers that the crate can use: over UDP and without TLS.
fn servers(ice: &IceConfig) -> Vec<RTCIceServer> {
    let usable = |url: &&String| {
        url.starts_with("stun:") || (url.starts_with("turn:") && !url.to_ascii_lowercase().contains("transport=tcp"))
    };
    ice.servers
        .iter()
        .map(|server| RTCIceServer {
            urls: server.urls.iter().filter(usable).cloned().collect(),
            username: server.username.clone().unwrap_or_default(),
            credential: server.credential.clone().unwrap_or_default(),
        })
        .filter(|server| !server.urls.is_empty())
        .collect()
}

/// This machine's addresses that can be bound, each with a free port; loopback only where there is nothing else.
fn addresses() -> Vec<SocketAddr> {
    let mut ips: Vec<IpAddr> = if_addrs::get_if_addrs()
        .unwrap_or_default()
        .into_iter()
        .filter(|interface| interface.is_oper_up())
        .map(|interface| interface.ip())
        .filter(|ip| match ip {
            IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local() && !ip.is_unspecified(),
            IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unicast_link_local() && !ip.is_unspecified(),
        })
        .collect();
    ips.sort_unstable();
    ips.dedup();
    ips.retain(|ip| UdpSocket::bind((*ip, 0)).is_ok());
    if ips.is_empty() {
        ips.push(Ipv4Addr::LOCALHOST.into());
    }
    ips.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect()
}

fn codec(mime_type: &str, clock_rate: u32, channels: u16, fmtp: &str) -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: mime_type.to_owned(),
        clock_rate,
        channels,
        sdp_fmtp_line: fmtp.to_owned(),
        rtcp_feedback: Vec::new(),
    }
}

fn opus() -> RTCRtpCodec {
    codec(MIME_TYPE_OPUS, RATE, 2, "minptime=10;useinbandfec=1")
}

fn vp8() -> RTCRtpCodec {
    codec(MIME_TYPE_VP8, 90_000, 0, "")
}

fn parameters(rtp_codec: RTCRtpCodec, payload_type: u8) -> RTCRtpCodecParameters {
    RTCRtpCodecParameters {
        rtp_codec,
        payload_type,
    }
}

/// A track to send, before it is known how.
struct Track {
    track: Arc<TrackLocalStaticRTP>,
    ssrc: u32,
}

fn track(kind: RtpCodecKind, codec: RTCRtpCodec) -> Result<Track, EchoError> {
    let ssrc = getrandom::u32().map_err(|_| EchoError::Codec)?;
    let encoding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters {
            ssrc: Some(ssrc),
            ..Default::default()
        },
        codec,
        ..Default::default()
    };
    let name = format!("echo-{kind}");
    let track = MediaStreamTrack::new("echo".to_owned(), name.clone(), name, kind, vec![encoding]);
    Ok(Track {
        track: Arc::new(TrackLocalStaticRTP::new(track)),
        ssrc,
    })
}

impl Track {
    /// With the payload type that the offer has for the codec.
    async fn negotiated(self, sender: &Arc<dyn RtpSender>, mime_type: &str) -> Result<Stream, EchoError> {
        let parameters = sender.get_parameters().await?;
        let codecs = &parameters.rtp_parameters.codecs;
        let payload_type = codecs
            .iter()
            .find(|codec| codec.rtp_codec.mime_type.eq_ignore_ascii_case(mime_type))
            .ok_or(EchoError::Codec)?
            .payload_type;
        Ok(Stream {
            track: self.track,
            ssrc: self.ssrc,
            payload_type,
            number: 0,
        })
    }
}

/// A track that can be sent.
struct Stream {
    track: Arc<TrackLocalStaticRTP>,
    ssrc: u32,
    payload_type: u8,
    number: u16,
}

impl Stream {
    async fn send(&mut self, timestamp: u32, marker: bool, payload: Vec<u8>) {
        let packet = rtp::packet::Packet {
            header: rtp::header::Header {
                version: 2,
                marker,
                payload_type: self.payload_type,
                sequence_number: self.number,
                timestamp,
                ssrc: self.ssrc,
                ..Default::default()
            },
            payload: Bytes::from(payload),
        };
        self.number = self.number.wrapping_add(1);
        if let Err(error) = self.track.write_rtp(packet).await {
            tracing::trace!(?error, "a packet was not sent");
        }
    }
}

/// Says what [`Voice`] has to say, 50 times a second, until it is stopped.
async fn speak(mut stream: Stream, voice: Arc<Mutex<Voice>>, begin: Instant, mut up: watch::Receiver<bool>) {
    if up.wait_for(|up| *up).await.is_err() {
        return;
    }
    let made = Encoder::new(Channels::Mono, SampleRate::Hz48000, Application::Audio).and_then(|mut encoder| {
        encoder.set_bitrate(Bitrate::Value(SOUND_RATE))?;
        Ok(encoder)
    });
    let Ok(mut encoder) = made else {
        tracing::error!("Opus does not start");
        return;
    };
    let mut next = samples_since(begin);
    let mut packets = interval(Duration::from_millis(20));
    packets.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        packets.tick().await;
        let said = voice.lock().unwrap_or_else(PoisonError::into_inner).say(next);
        let mut data = vec![0; 1_275];
        match encoder.encode_float_to_slice(&said, &mut data) {
            Ok(size) => {
                data.truncate(size);
                stream.send(next as u32, false, data).await;
            }
            Err(error) => tracing::debug!(?error, "a piece of sound was not encoded"),
        }
        next += PACKET as i64;
    }
}

/// Shows the moving picture while it may, 30 times a second, until it is stopped.
async fn show(
    mut stream: Stream,
    key: Arc<AtomicBool>,
    begin: Instant,
    mut up: watch::Receiver<bool>,
    mut shown: watch::Receiver<bool>,
) {
    if up.wait_for(|up| *up).await.is_err() {
        return;
    }
    let Ok(mut face) = Face::new() else {
        tracing::error!("VP8 does not start");
        return;
    };
    let mut pictures = interval(INTERVAL);
    pictures.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        if shown.wait_for(|shown| *shown).await.is_err() {
            return;
        }
        pictures.tick().await;
        let timestamp = samples_since(begin) * 90 / 48;
        let wanted = key.swap(false, Ordering::Relaxed);
        // A millisecond of work each: too much between two awaits when many peers run.
        let work = spawn_blocking(move || {
            let payloads = face.picture(now(), timestamp, wanted);
            (face, payloads)
        });
        let Ok((returned, payloads)) = work.await else { return };
        face = returned;
        match payloads {
            Ok(payloads) => {
                let last = payloads.len().saturating_sub(1);
                for (index, payload) in payloads.into_iter().enumerate() {
                    stream.send(timestamp as u32, index == last, payload).await;
                }
            }
            Err(error) => tracing::debug!(%error, "a picture was not encoded"),
        }
    }
}

/// How many samples of sound have passed.
fn samples_since(begin: Instant) -> i64 {
    let passed = begin.elapsed().as_micros() * u128::from(RATE) / 1_000_000;
    i64::try_from(passed).unwrap_or(i64::MAX)
}

/// Hears what the crate says about a connection.
struct Handler {
    negotiation: u32,
    said: mpsc::UnboundedSender<Said>,
    connected: watch::Sender<bool>,
    listener: Listener,
}

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        if let Ok(init) = event.candidate.to_json() {
            let negotiation = self.negotiation;
            let candidate = init.candidate;
            let _ = self.said.send(Said::Candidate { negotiation, candidate });
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        tracing::debug!(%state, "the echo peer's connection");
        if state == RTCPeerConnectionState::Connected {
            self.connected.send_replace(true);
        }
    }

    /// Called on the connection's own task, so the listening has one to itself; closing the connection ends it.
    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let (listener, said) = (self.listener.clone(), self.said.clone());
        tokio::spawn(async move { listener.listen(track, said).await });
    }
}

/// Takes what a desk sends.
#[derive(Clone)]
struct Listener {
    ear: Ear,
    voice: Arc<Mutex<Voice>>,
    /// Of the voice's time.
    begin: Instant,
    /// A track of pictures has brought something: the camera's. A screen that comes beside it is not counted.
    pictures_heard: Arc<AtomicBool>,
}

impl Listener {
    async fn listen(self, track: Arc<dyn TrackRemote>, said: mpsc::UnboundedSender<Said>) {
        match track.kind().await {
            RtpCodecKind::Audio => self.hear(&*track, &said).await,
            RtpCodecKind::Video => self.watch(&*track, &said).await,
            _ => while track.poll().await.is_some() {},
        }
    }

    async fn hear(&self, track: &dyn TrackRemote, said: &mpsc::UnboundedSender<Said>) {
        let Ok(mut decoder) = Decoder::new(Channels::Mono, SampleRate::Hz48000) else {
            tracing::error!("Opus does not start");
            return;
        };
        let mut arrivals = Arrivals::default();
        // The longest packet Opus knows: 120 ms.
        let mut samples = vec![0.0f32; RATE as usize * 120 / 1_000];
        while let Some(event) = track.poll().await {
            let TrackRemoteEvent::OnRtpPacket(packet) = event else {
                continue;
            };
            if arrivals.count() == 0 {
                let _ = said.send(Said::Sound);
            }
            arrivals.came(packet.header.sequence_number);
            self.ear.packets(packet.header.ssrc, Kind::Sound, &arrivals);
            let Ok(count) = decoder.decode_float_to_slice(&packet.payload, &mut samples, false) else {
                continue;
            };
            let at = samples_since(self.begin);
            let mut voice = self.voice.lock().unwrap_or_else(PoisonError::into_inner);
            voice.hear(at, packet.header.timestamp, &samples[..count.min(samples.len())]);
        }
    }

    async fn watch(&self, track: &dyn TrackRemote, said: &mpsc::UnboundedSender<Said>) {
        let mut pictures = Pictures::default();
        let mut asked: Option<Instant> = None;
        while let Some(event) = track.poll().await {
            let TrackRemoteEvent::OnRtpPacket(packet) = event else {
                continue;
            };
            if asked.is_none() && self.pictures_heard.swap(true, Ordering::Relaxed) {
                while track.poll().await.is_some() {}
                return;
            }
            let header = &packet.header;
            let whole = pictures.packet(header.sequence_number, header.timestamp, header.marker, &packet.payload);
            self.ear.packets(header.ssrc, Kind::Pictures, pictures.arrivals());
            let now = Instant::now();
            if let Some(whole) = whole
                && self.ear.picture(whole, now)
            {
                let _ = said.send(Said::Picture);
            }
            // The desk begins with a key frame. Only when that does not come through is it asked for another.
            let since = now.saturating_duration_since(*asked.get_or_insert(now));
            if !self.ear.knows_size() && since >= ASK_FOR_KEY {
                asked = Some(now);
                let request = PictureLossIndication {
                    sender_ssrc: 0,
                    media_ssrc: header.ssrc,
                };
                if let Err(error) = track.write_rtcp(vec![Box::new(request)]).await {
                    tracing::debug!(?error, "a key frame could not be asked for");
                }
            }
        }
    }
}
