//! The far end of a session under test: a bare str0m peer with its own barcode and its own tone.

#![allow(dead_code, reason = "each test file uses its own part of this")]

use opusic_c::{Application, Channels, SampleRate};
use sightline_media::{
    Frame, MediaEvent, Painter, Session, SessionConfig, Tile, barcode, clock,
    vp8::{Decoder, Encoder},
};
use sightline_wire::{agent::DEFAULT_MAX_BITRATE, room::MediaState};
use std::{
    net::{IpAddr, UdpSocket},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::{Duration, Instant},
};
use str0m::{
    Candidate, Event, Input, Output, Rtc,
    change::SdpOffer,
    format::Codec,
    media::{Frequency, MediaKind, MediaTime, Mid},
    net::{Protocol, Receive},
};

/// Longest wait for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Keeps what reaches the screen.
pub struct Screen {
    pub remote: Mutex<(u64, Option<Arc<Frame>>)>,
    pub own: Mutex<Option<Arc<Frame>>>,
    own_drawn: Condvar,
    seen: Mutex<Sender<u32>>,
}

impl Screen {
    fn new() -> (Arc<Self>, Receiver<u32>) {
        let (sender, barcodes) = mpsc::channel();
        (
            Arc::new(Self {
                remote: Mutex::default(),
                own: Mutex::default(),
                own_drawn: Condvar::new(),
                seen: Mutex::new(sender),
            }),
            barcodes,
        )
    }

    /// Waits until the self view has shown so many more pictures.
    pub fn own_frames(&self, count: usize) {
        let mut own = self.own.lock().unwrap();
        for _ in 0..count {
            let (next, late) = self.own_drawn.wait_timeout(own, PATIENCE).unwrap();
            assert!(!late.timed_out(), "the self view goes on");
            own = next;
        }
    }
}

impl Painter for Screen {
    fn paint(&self, tile: Tile, frame: Option<Arc<Frame>>) {
        match tile {
            Tile::Own => {
                *self.own.lock().unwrap() = frame;
                self.own_drawn.notify_all();
            }
            Tile::Remote => {
                if let Some(time) = frame.as_deref().and_then(barcode::read) {
                    // Nobody listens any more once the test has seen enough.
                    let _ = self.seen.lock().unwrap().send(time);
                }
                let mut remote = self.remote.lock().unwrap();
                *remote = (if frame.is_some() { remote.0 + 1 } else { 0 }, frame);
            }
        }
    }

    fn drawn(&self, _: Tile) -> (u64, Option<i64>) {
        (self.remote.lock().unwrap().0, None)
    }
}

/// Answers, sends pictures with barcodes and a tone of 440 Hz, reports what it sees and hears. Ends when dropped.
pub struct FarEnd {
    pub answer: String,
    pub barcodes: Receiver<u32>,
    /// Of the shared screen, with the size of its pictures.
    pub shared: Receiver<(u32, u32, u32)>,
    pub sound: Receiver<Vec<f32>>,
    /// Whether it sends anything.
    pub speaks: Arc<AtomicBool>,
    candidates: Option<Sender<String>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl FarEnd {
    pub fn answering(offer: &str) -> Self {
        Self::new(offer, true)
    }

    /// One that connects and says nothing yet.
    pub fn quiet(offer: &str) -> Self {
        Self::new(offer, false)
    }

    fn new(offer: &str, speaks: bool) -> Self {
        let address = offer
            .lines()
            .find_map(|line| line.strip_prefix("a=candidate:"))
            .expect("the offer has candidates");
        let ip: IpAddr = address
            .split(' ')
            .nth(4)
            .and_then(|ip| ip.parse().ok())
            .expect("with an address");
        Self::at(ip, offer, speaks)
    }

    /// From that address of its own.
    pub fn answering_at(ip: IpAddr, offer: &str) -> Self {
        Self::at(ip, offer, true)
    }

    fn at(ip: IpAddr, offer: &str, speaks: bool) -> Self {
        let socket = UdpSocket::bind((ip, 0)).expect("binds");
        let mut rtc = Rtc::builder()
            .clear_codecs()
            .enable_vp8(true)
            .enable_opus(true, false)
            .build(Instant::now());
        let local = socket.local_addr().expect("bound");
        rtc.add_local_candidate(Candidate::host(local, "udp").expect("a host candidate"));
        let offer = SdpOffer::from_sdp_string(offer).expect("the offer is SDP");
        let answer = rtc
            .sdp_api()
            .accept_offer(offer)
            .expect("the offer is acceptable")
            .to_sdp_string();
        let (read, barcodes) = mpsc::channel();
        let (heard, sound) = mpsc::channel();
        let (share, shared) = mpsc::channel();
        let (candidates, told) = mpsc::channel();
        let speaks = Arc::new(AtomicBool::new(speaks));
        let allowed = speaks.clone();
        let thread = thread::spawn(move || far_end(rtc, &socket, (&read, &share), &heard, &allowed, &told));
        Self {
            answer,
            barcodes,
            shared,
            sound,
            speaks,
            candidates: Some(candidates),
            thread: Some(thread),
        }
    }

    /// One more address of the session's.
    pub fn candidate(&self, candidate: &str) {
        let candidates = self.candidates.as_ref().expect("until it is dropped");
        candidates.send(candidate.to_owned()).expect("the far end runs");
    }
}

impl Drop for FarEnd {
    fn drop(&mut self) {
        drop(self.candidates.take());
        self.thread
            .take()
            .expect("joined once")
            .join()
            .expect("the far end did not panic");
    }
}

fn far_end(
    mut rtc: Rtc,
    socket: &UdpSocket,
    (read, share): (&Sender<u32>, &Sender<(u32, u32, u32)>),
    heard: &Sender<Vec<f32>>,
    speaks: &AtomicBool,
    told: &Receiver<String>,
) {
    let local = socket.local_addr().expect("bound");
    let mut encoder = Encoder::new(640, 360, 600_000).expect("encoder");
    let (mut decoder, mut screen) = (Decoder::new().expect("decoder"), Decoder::new().expect("decoder"));
    let mut voice = opusic_c::Encoder::new(Channels::Mono, SampleRate::Hz48000, Application::Audio).expect("encoder");
    let mut ear = opusic_c::Decoder::new(Channels::Mono, SampleRate::Hz48000).expect("decoder");
    let (mut video, mut next_frame, mut ticks): (Option<Mid>, _, i64) = (None, Instant::now(), 0);
    let (mut audio, mut next_sound, mut packets): (Option<Mid>, _, u64) = (None, Instant::now(), 0);
    let mut key = true;
    let mut buffer = [0; 2_000];
    loop {
        match told.try_recv() {
            Ok(candidate) => rtc.add_remote_candidate(Candidate::from_sdp_string(&candidate).expect("a candidate")),
            Err(mpsc::TryRecvError::Empty) => {}
            Err(mpsc::TryRecvError::Disconnected) => return,
        }
        let timeout = loop {
            match rtc.poll_output().expect("str0m goes on") {
                Output::Timeout(at) => break at,
                Output::Transmit(transmit) => {
                    // A closed socket on the other side is no error of this one.
                    let _ = socket.send_to(&transmit.contents, transmit.destination);
                }
                Output::Event(Event::MediaAdded(media)) => match media.kind {
                    // The first is the camera's section, the second the screen's.
                    MediaKind::Video => _ = video.get_or_insert(media.mid),
                    MediaKind::Audio => audio = Some(media.mid),
                },
                Output::Event(Event::KeyframeRequest(_)) => key = true,
                Output::Event(Event::MediaData(data)) if Some(data.mid) == video => {
                    let frame = decoder.decode(&data.data).ok().flatten();
                    if let Some(time) = frame.as_ref().and_then(barcode::read) {
                        read.send(time).ok();
                    }
                }
                Output::Event(Event::MediaData(data)) if Some(data.mid) != audio => {
                    let frame = screen.decode(&data.data).ok().flatten();
                    if let Some((frame, time)) = frame.and_then(|frame| barcode::read(&frame).map(|time| (frame, time)))
                    {
                        share.send((time, frame.width, frame.height)).ok();
                    }
                }
                Output::Event(Event::MediaData(data)) => {
                    let mut samples = vec![0.0; 5_760];
                    let count = ear.decode_float_to_slice(&data.data, &mut samples, false).unwrap_or(0);
                    samples.truncate(count);
                    heard.send(samples).ok();
                }
                Output::Event(_) => {}
            }
        };
        let now = Instant::now();
        let open = rtc.is_connected() && speaks.load(Relaxed);
        if now >= next_frame {
            next_frame += Duration::from_millis(33);
            ticks += 1;
            let mut frame = Frame::black(640, 360);
            barcode::draw(&mut frame, clock::unix_ms());
            let encoded = encoder
                .encode(&frame, ticks * 3_000, std::mem::take(&mut key))
                .expect("encodes");
            if let (Some(encoded), true, Some(writer)) = (encoded, open, video.and_then(|mid| rtc.writer(mid))) {
                let pt = writer
                    .payload_params()
                    .find(|params| params.spec().codec == Codec::Vp8)
                    .expect("VP8")
                    .pt();
                writer
                    .write(pt, now, MediaTime::from_90khz(ticks as u64 * 3_000), encoded.data)
                    .expect("writes");
            }
            continue;
        }
        if now >= next_sound {
            next_sound += Duration::from_millis(20);
            let tone = tone(440.0, packets * 960, 960);
            let mut data = vec![0; 1_275];
            let size = voice.encode_float_to_slice(&tone, &mut data).expect("encodes");
            data.truncate(size);
            if let (true, Some(writer)) = (open, audio.and_then(|mid| rtc.writer(mid))) {
                let pt = writer
                    .payload_params()
                    .find(|params| params.spec().codec == Codec::Opus)
                    .expect("Opus")
                    .pt();
                let time = MediaTime::new(packets * 960, Frequency::FORTY_EIGHT_KHZ);
                writer.write(pt, now, time, data).expect("writes");
            }
            packets += 1;
            continue;
        }
        let wait = timeout
            .min(next_frame)
            .min(next_sound)
            .saturating_duration_since(now)
            .max(Duration::from_millis(1));
        socket.set_read_timeout(Some(wait)).expect("a timeout can be set");
        let input = match socket.recv_from(&mut buffer) {
            Ok((size, source)) => {
                let contents = buffer[..size].try_into().expect("a datagram");
                Input::Receive(
                    Instant::now(),
                    Receive {
                        proto: Protocol::Udp,
                        source,
                        destination: local,
                        contents,
                    },
                )
            }
            Err(_) => Input::Timeout(Instant::now()),
        };
        rtc.handle_input(input).expect("str0m takes it");
    }
}

/// What a session says, with patience.
pub struct Events(tokio::sync::mpsc::UnboundedReceiver<MediaEvent>);

impl Events {
    /// The first event that `wanted` makes something of.
    pub fn wait_for<T>(&mut self, mut wanted: impl FnMut(MediaEvent) -> Option<T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let found = async {
            loop {
                let event = self.0.recv().await.expect("the session goes on");
                if let Some(found) = wanted(event) {
                    return found;
                }
            }
        };
        runtime.block_on(async { tokio::time::timeout(PATIENCE, found).await.expect("in time") })
    }

    pub fn offer(&mut self) -> String {
        self.wait_for(|event| match event {
            MediaEvent::Offer { sdp, .. } => Some(sdp),
            _ => None,
        })
    }
}

/// A session whose screen reports the barcodes it shows.
pub fn start(config: SessionConfig) -> (Session, Arc<Screen>, Receiver<u32>, Events) {
    let (screen, barcodes) = Screen::new();
    let (sender, events) = tokio::sync::mpsc::unbounded_channel();
    (
        Session::start(config, screen.clone(), sender),
        screen,
        barcodes,
        Events(events),
    )
}

/// The synthetic camera and microphone.
pub fn config() -> SessionConfig {
    SessionConfig {
        camera: Some("synthetic:camera".into()),
        microphone: Some("synthetic:microphone".into()),
        start_with: MediaState {
            microphone: true,
            camera: true,
            screen: false,
        },
        max_bitrate: DEFAULT_MAX_BITRATE,
        customer_name: "Ana".into(),
        ..Default::default()
    }
}

/// A sine wave of 48 kHz, from its `from`th sample on.
pub fn tone(hertz: f32, from: u64, count: u64) -> Vec<f32> {
    let step = hertz * std::f32::consts::TAU / 48_000.0;
    (from..from + count)
        .map(|n| 0.3 * ((n % 48_000) as f32 * step).sin())
        .collect()
}

/// How much of the sound's power lies at `hertz`, 0 to 1 (Goertzel, 1958).
pub fn share_of(hertz: f32, samples: &[f32]) -> f32 {
    let step = 2.0 * (hertz * std::f32::consts::TAU / 48_000.0).cos();
    let (s1, s2) = samples
        .iter()
        .fold((0.0, 0.0), |(s1, s2), sample| (sample + step * s1 - s2, s1));
    let power = (s1 * s1 + s2 * s2 - step * s1 * s2) * 2.0 / samples.len() as f32;
    let total: f32 = samples.iter().map(|sample| sample * sample).sum();
    if total < 1e-3 { 0.0 } else { power / total }
}
