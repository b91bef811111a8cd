//! A peer connection with an answer: its decoder, and what is measured on it.

use crate::{
    audio::playout::{Playout, SoundFigures},
    hardware::Gate,
    painter::{Painter, Tile},
    peer::Peer,
    quality,
    sync::{Shown, Stream, Sync},
    video_receive::DecoderThread,
    work::{Done, Processors},
};
use sightline_call::ladder::Arrival;
use sightline_wire::device::{Quality, QualityMark};
use std::{
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};
use str0m::{
    media::MediaData,
    stats::{MediaEgressStats, PeerStats},
};

/// A connection that carries no picture counts as flowing after this time.
const NO_PICTURE: Duration = Duration::from_secs(1);
/// The first reports of a picture tell how it began, not how the network is.
const SETTLING: u32 = 3;
/// How much of one second's work counts for the mark: a key frame or a slow start is not a slow computer.
const BUSY_SMOOTH: f64 = 0.3;

pub(crate) struct Connection {
    pub peer: Peer,
    pub decoder: DecoderThread,
    /// The way to the customer carries sound only: our picture pauses.
    pub sound_only: bool,
    state: State,
    admitted: bool,
    /// A packet of sound has come.
    heard: bool,
    /// What its owner knows of what has come.
    arrival: Option<Arrival>,
    loss_out: f64,
    rtt_ms: Option<f64>,
    last: Counters,
    sync: Sync,
    /// Reports since it flows.
    reports: u32,
    busy: f64,
    processors: Processors,
}

#[derive(Clone, Copy)]
enum State {
    Connecting,
    Connected,
    /// Connected and admitted.
    Open {
        since: Instant,
    },
    Flowing,
}

/// Totals at the last report, for rates.
#[derive(Clone, Copy)]
struct Counters {
    at: Instant,
    bytes_in: u64,
    bytes_out: u64,
    frames: u64,
}

impl Connection {
    pub fn new(peer: Peer, decoder: DecoderThread) -> Self {
        let last = Counters {
            at: Instant::now(),
            bytes_in: 0,
            bytes_out: 0,
            frames: 0,
        };
        Self {
            peer,
            decoder,
            sound_only: false,
            state: State::Connecting,
            admitted: false,
            heard: false,
            arrival: None,
            loss_out: 0.0,
            rtt_ms: None,
            last,
            sync: Sync::default(),
            reports: 0,
            busy: 0.0,
            processors: Processors::watch(),
        }
    }

    pub fn connected(&mut self, now: Instant) {
        if let State::Connecting = self.state {
            self.state = State::Connected;
        }
        self.open(now);
    }

    /// From now on our media may go over it.
    pub fn admit(&mut self, now: Instant) {
        self.admitted = true;
        self.open(now);
    }

    fn open(&mut self, now: Instant) {
        if let (State::Connected, true) = (self.state, self.admitted) {
            self.state = State::Open { since: now };
        }
    }

    /// Whether our media may go over it.
    pub fn is_admitted(&self) -> bool {
        self.admitted
    }

    /// Whether our pictures may go over it, or soon may.
    pub fn gate(&self) -> Gate {
        match (self.admitted, self.is_connected()) {
            (true, true) => Gate::Open,
            (false, false) => Gate::Shut,
            (true, false) | (false, true) => Gate::Soon,
        }
    }

    /// Whether our media goes over it.
    pub fn is_open(&self) -> bool {
        self.gate() == Gate::Open
    }

    pub fn is_connected(&self) -> bool {
        !matches!(self.state, State::Connecting)
    }

    /// When a connection without a picture counts as flowing all the same.
    pub fn flowing_deadline(&self) -> Option<Instant> {
        match self.state {
            State::Open { since } => Some(since + NO_PICTURE),
            State::Connecting | State::Connected | State::Flowing => None,
        }
    }

    /// The first picture is there, or the time to wait for it is over: how far media has come, when that is news.
    pub fn flowing(&mut self, picture: bool) -> Option<Arrival> {
        self.state = State::Flowing;
        let arrival = match (picture, self.heard) {
            (true, _) => Arrival::Picture,
            (false, true) => Arrival::Sound,
            (false, false) => Arrival::Nothing,
        };
        let news = Some(arrival) > self.arrival;
        self.arrival = self.arrival.max(Some(arrival));
        news.then_some(arrival)
    }

    /// Sound has come. It is news only where a picture is no longer waited for.
    pub fn hear(&mut self) -> Option<Arrival> {
        let first = !std::mem::replace(&mut self.heard, true);
        (first && self.arrival.is_some()).then(|| self.flowing(false)).flatten()
    }

    /// Sender reports come with the media that follows them.
    pub fn note_report(&mut self, stream: Stream, data: &MediaData) {
        if let Some(info) = data.last_sender_info {
            self.sync.report(stream, info.ntp_time, info.rtp_time.numer());
        }
    }

    /// Lets the earlier one of picture and sound wait for the other. Once a second.
    pub fn synchronise(&mut self, playout: &mut Playout) {
        let heard = playout.position().map(|position| Shown {
            time: position.time as u64,
            at: position.at,
        });
        let wanted = playout.figures().wanted_ms;
        let waits = self.sync.decide(heard, &self.decoder.decoded.take_shown(), wanted);
        playout.set_minimum(waits.sound);
        let picture = waits.picture.as_millis() as u32;
        self.decoder.decoded.extra_ms.store(picture, Relaxed);
    }

    pub fn note_egress(&mut self, stats: &MediaEgressStats) {
        self.loss_out = stats.loss.map_or(self.loss_out, f64::from);
        self.rtt_ms = stats.rtt.map(|rtt| rtt.as_secs_f64() * 1e3).or(self.rtt_ms);
    }

    /// The figures since the last call, with their mark. `sent`: what became of our camera's pictures.
    pub fn quality(
        &mut self,
        stats: &PeerStats,
        painter: &dyn Painter,
        sound: SoundFigures,
        sent: Done,
        customer: &str,
        picture_expected: bool,
    ) -> Quality {
        let decoded = &self.decoder.decoded;
        let now = Counters {
            at: stats.timestamp,
            bytes_in: stats.peer_bytes_rx,
            bytes_out: stats.peer_bytes_tx,
            frames: decoded.frames.load(Relaxed),
        };
        let seconds = now.at.saturating_duration_since(self.last.at).as_secs_f64().max(0.1);
        let rate = |new: u64, old: u64| new.saturating_sub(old) as f64 / seconds;
        let pair = stats.selected_candidate_pair.as_ref();
        let rtt = pair
            .and_then(|pair| pair.current_round_trip_time)
            .map(|rtt| rtt.as_secs_f64() * 1e3);
        let busy = sent.busy.max(decoded.work.take().busy).as_secs_f64() / seconds;
        self.busy += BUSY_SMOOTH * (busy.min(1.0) - self.busy);
        let (frames_drawn, first_frame_at) = painter.drawn(Tile::Remote);
        let mut quality = Quality {
            mark: QualityMark::Unknown,
            reason: String::new(),
            rtt_ms: rtt.or(self.rtt_ms),
            loss_out: self.loss_out,
            loss_in: stats.ingress_loss_fraction.map_or(0.0, f64::from),
            bitrate_out: 8.0 * rate(now.bytes_out, self.last.bytes_out),
            bitrate_in: 8.0 * rate(now.bytes_in, self.last.bytes_in),
            fps_in: rate(now.frames, self.last.frames),
            width: decoded.width.load(Relaxed),
            height: decoded.height.load(Relaxed),
            fps_out: f64::from(sent.pictures) / seconds,
            width_out: sent.size.0,
            height_out: sent.size.1,
            busy: self.busy,
            processors: self.processors.in_use(),
            frames_decoded: now.frames,
            frames_drawn,
            first_frame_at,
            concealed: sound.concealed as f64 / sound.played.max(1) as f64,
            sound_played: sound.played,
            sound_concealed: sound.concealed,
            playout_delay_ms: sound.delay_ms,
            jitter_ms: sound.jitter_ms,
            picture_after_sound_ms: self.sync.picture_after_sound_ms(),
            path: self.peer.path(stats),
        };
        self.last = now;
        self.reports += u32::from(matches!(self.state, State::Flowing));
        quality::judge(
            &mut quality,
            customer,
            picture_expected && self.reports > SETTLING,
            self.sound_only,
        );
        quality
    }
}
