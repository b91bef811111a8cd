//! A session in a real call over real sockets, judged by content: the far end is a bare str0m peer that
//! draws its own time barcode and reads ours.

use sightline_media::{
    Frame, MediaEvent, Painter, Session, SessionConfig, Tile, barcode, clock,
    vp8::{Decoder, Encoder},
};
use sightline_wire::{ErrorCode, device::DeviceKind, room::MediaState};
use std::{
    net::{IpAddr, UdpSocket},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::{Duration, Instant},
};
use str0m::{
    Candidate, Event, Input, Output, Rtc,
    change::SdpOffer,
    format::Codec,
    media::{MediaKind, MediaTime, Mid},
    net::{Protocol, Receive},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// One call at a time: the first test counts this process's threads.
static CALL: Mutex<()> = Mutex::new(());

/// Keeps what reaches the screen.
struct Screen {
    remote: Mutex<(u64, Option<Arc<Frame>>)>,
    own: Mutex<Option<Arc<Frame>>>,
    seen: Mutex<Sender<u32>>,
}

impl Screen {
    fn new() -> (Arc<Self>, Receiver<u32>) {
        let (sender, barcodes) = mpsc::channel();
        (Arc::new(Self { remote: Mutex::default(), own: Mutex::default(), seen: Mutex::new(sender) }), barcodes)
    }
}

impl Painter for Screen {
    fn paint(&self, tile: Tile, frame: Option<Arc<Frame>>) {
        match tile {
            Tile::Own => *self.own.lock().unwrap() = frame,
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

/// The far end: answers, sends pictures with barcodes, reports those it reads. Ends when dropped.
struct FarEnd {
    answer: String,
    barcodes: Receiver<u32>,
    sound_packets: Receiver<usize>,
    stop: Option<Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl FarEnd {
    fn answering(offer: &str) -> Self {
        let address = offer.lines().find_map(|line| line.strip_prefix("a=candidate:")).expect("the offer has candidates");
        let ip: IpAddr = address.split(' ').nth(4).and_then(|ip| ip.parse().ok()).expect("with an address");
        let socket = UdpSocket::bind((ip, 0)).expect("binds");
        let mut rtc = Rtc::builder().clear_codecs().enable_vp8(true).enable_opus(true, false).build(Instant::now());
        let local = socket.local_addr().expect("bound");
        rtc.add_local_candidate(Candidate::host(local, "udp").expect("a host candidate"));
        let offer = SdpOffer::from_sdp_string(offer).expect("the offer is SDP");
        let answer = rtc.sdp_api().accept_offer(offer).expect("the offer is acceptable").to_sdp_string();
        let (read, barcodes) = mpsc::channel();
        let (heard, sound_packets) = mpsc::channel();
        let (stop, stopped) = mpsc::channel();
        let thread = thread::spawn(move || far_end(rtc, &socket, &read, &heard, &stopped));
        Self { answer, barcodes, sound_packets, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for FarEnd {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().expect("joined once").join().expect("the far end did not panic");
    }
}

fn far_end(mut rtc: Rtc, socket: &UdpSocket, read: &Sender<u32>, heard: &Sender<usize>, stopped: &Receiver<()>) {
    let local = socket.local_addr().expect("bound");
    let mut encoder = Encoder::new(640, 360, 600_000).expect("encoder");
    let mut decoder = Decoder::new().expect("decoder");
    let (mut video, mut next_frame, mut ticks): (Option<Mid>, _, i64) = (None, Instant::now(), 0);
    let mut key = true;
    let mut buffer = [0; 2_000];
    while stopped.try_recv() != Err(mpsc::TryRecvError::Disconnected) {
        let timeout = loop {
            match rtc.poll_output().expect("str0m goes on") {
                Output::Timeout(at) => break at,
                Output::Transmit(transmit) => {
                    // A closed socket on the other side is no error of this one.
                    let _ = socket.send_to(&transmit.contents, transmit.destination);
                }
                Output::Event(Event::MediaAdded(media)) if media.kind == MediaKind::Video => video = Some(media.mid),
                Output::Event(Event::KeyframeRequest(_)) => key = true,
                Output::Event(Event::MediaData(data)) if Some(data.mid) == video => {
                    let frame = decoder.decode(&data.data).ok().flatten();
                    if let Some(time) = frame.as_ref().and_then(barcode::read) {
                        read.send(time).ok();
                    }
                }
                Output::Event(Event::MediaData(data)) => {
                    heard.send(data.data.len()).ok();
                }
                Output::Event(_) => {}
            }
        };
        let now = Instant::now();
        if now >= next_frame {
            next_frame += Duration::from_millis(33);
            ticks += 1;
            let mut frame = Frame::black(640, 360);
            barcode::draw(&mut frame, clock::unix_ms());
            let encoded = encoder.encode(&frame, ticks * 3_000, std::mem::take(&mut key)).expect("encodes");
            if let (Some(encoded), true, Some(writer)) = (encoded, rtc.is_connected(), video.and_then(|mid| rtc.writer(mid))) {
                let pt = writer.payload_params().find(|params| params.spec().codec == Codec::Vp8).expect("VP8").pt();
                writer.write(pt, now, MediaTime::from_90khz(ticks as u64 * 3_000), encoded.data).expect("writes");
            }
            continue;
        }
        let wait = timeout.min(next_frame).saturating_duration_since(now).max(Duration::from_millis(1));
        socket.set_read_timeout(Some(wait)).expect("a timeout can be set");
        let input = match socket.recv_from(&mut buffer) {
            Ok((size, source)) => {
                let contents = buffer[..size].try_into().expect("a datagram");
                Input::Receive(Instant::now(), Receive { proto: Protocol::Udp, source, destination: local, contents })
            }
            Err(_) => Input::Timeout(Instant::now()),
        };
        rtc.handle_input(input).expect("str0m takes it");
    }
}

fn config() -> SessionConfig {
    SessionConfig {
        camera: Some("synthetic:camera".into()),
        microphone: Some("synthetic:microphone".into()),
        start_with: MediaState { microphone: true, camera: true, screen: false },
        customer_name: "Ana".into(),
        ..Default::default()
    }
}

struct Events(tokio::sync::mpsc::UnboundedReceiver<MediaEvent>);

impl Events {
    fn wait_for<T>(&mut self, mut wanted: impl FnMut(MediaEvent) -> Option<T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
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

    fn offer(&mut self) -> String {
        self.wait_for(|event| match event {
            MediaEvent::Offer { sdp, .. } => Some(sdp),
            _ => None,
        })
    }
}

fn start(config: SessionConfig) -> (Session, Arc<Screen>, Receiver<u32>, Events) {
    let (screen, barcodes) = Screen::new();
    let (sender, events) = tokio::sync::mpsc::unbounded_channel();
    (Session::start(config, screen.clone(), sender), screen, barcodes, Events(events))
}

fn media_threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("on Linux").flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.map(|name| name.trim().to_owned()).filter(|name| ["camera", "microphone", "speaker", "decoder", "media"].contains(&name.as_str())).collect()
}

#[test]
fn a_call_carries_both_pictures_and_ends_without_a_trace() {
    let _one = CALL.lock().unwrap_or_else(PoisonError::into_inner);
    let (session, screen, ours, mut events) = start(config());
    session.offer(1);
    let far = FarEnd::answering(&events.offer());
    session.answer(1, far.answer.clone());
    events.wait_for(|event| matches!(event, MediaEvent::Flowing { negotiation: 1 }).then_some(()));
    for barcodes in [&ours, &far.barcodes] {
        let times: Vec<u32> = (0..30).map(|_| barcodes.recv_timeout(PATIENCE).expect("pictures keep coming")).collect();
        assert!(times.is_sorted(), "in order: {times:?}");
    }
    assert!((0..20).all(|_| far.sound_packets.recv_timeout(PATIENCE).expect("sound keeps coming") > 2));
    let quality = events.wait_for(|event| match event {
        MediaEvent::Quality(quality) if quality.frames_decoded > 0 => Some(quality),
        _ => None,
    });
    assert_eq!((quality.width, quality.height), (640, 360));

    // A customer who comes back with a new page gets a new connection, and the picture goes on there.
    session.offer(2);
    let second = FarEnd::answering(&events.offer());
    session.answer(2, second.answer.clone());
    events.wait_for(|event| matches!(event, MediaEvent::Flowing { negotiation: 2 }).then_some(()));
    second.barcodes.recv_timeout(PATIENCE).expect("our picture reaches the new connection");

    // Camera off: the device is closed and the room can be told.
    session.set_camera(false);
    events.wait_for(|event| matches!(event, MediaEvent::Own(MediaState { camera: false, microphone: true, .. })).then_some(()));
    assert!(screen.own.lock().unwrap().is_none());

    drop(session);
    assert!(screen.remote.lock().unwrap().1.is_none(), "the customer's picture is gone");
    assert_eq!(media_threads(), Vec::<String>::new());
}

#[test]
fn missing_devices_are_named_and_the_offer_comes_all_the_same() {
    let _one = CALL.lock().unwrap_or_else(PoisonError::into_inner);
    let devices = ("camera:99:None", "synthetic:file:missing.wav");
    let config = SessionConfig { camera: Some(devices.0.into()), microphone: Some(devices.1.into()), ..config() };
    let (session, _screen, _ours, mut events) = start(config);
    session.offer(1);
    let (mut camera, mut microphone, mut offer) = (None, None, false);
    events.wait_for(|event| {
        match event {
            MediaEvent::DeviceProblem { kind: DeviceKind::Camera, problem } => camera = Some(problem.code),
            MediaEvent::DeviceProblem { kind: DeviceKind::Microphone, problem } => microphone = Some(problem.code),
            MediaEvent::Offer { .. } => offer = true,
            _ => {}
        }
        (camera.is_some() && microphone.is_some() && offer).then_some(())
    });
    assert_eq!((camera, microphone), (Some(ErrorCode::CameraMissing), Some(ErrorCode::MicrophoneMissing)));

    // Choosing one that works mends it.
    session.select(DeviceKind::Camera, Some("synthetic:camera".into()));
    events.wait_for(|event| matches!(event, MediaEvent::DeviceReady { kind: DeviceKind::Camera }).then_some(()));
}

#[test]
fn a_broken_answer_is_a_clear_failure() {
    let _one = CALL.lock().unwrap_or_else(PoisonError::into_inner);
    let (session, _screen, _ours, mut events) = start(config());
    session.offer(1);
    events.offer();
    session.answer(7, "v=0".into());
    session.answer(1, "not sdp".into());
    let problem = events.wait_for(|event| match event {
        MediaEvent::Failed(problem) => Some(problem),
        _ => None,
    });
    assert_eq!(problem.code, ErrorCode::MediaFailed);
}
