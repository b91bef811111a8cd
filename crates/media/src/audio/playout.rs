//! The customer's sound: an adaptive buffer in front of the Opus decoder.
//!
//! Pure: packets in with their arrival, 10 ms out for each moment. [`Arrivals`] learns how long to wait; sound
//! is played a little faster or slower ([`stretch`]) to get there. A lost packet is rebuilt from the next
//! one's in-band correction (RFC 6716, 2.1.7) or made up by the decoder; announced silence
//! (RFC 6716, 2.1.9) is no loss, and is where the delay is corrected for nothing.

mod arrivals;
mod stretch;
#[cfg(test)]
mod tests;
mod voice;

use super::{AudioFrame, FRAME, PACKET, RATE};
use arrivals::{Arrivals, MS};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};
use stretch::{Care, PIECE, SIDE};
use voice::Voice;

/// With nothing coming the voice is made up for this long: then it is gone, not late.
const FADING: i64 = 120 * MS;
/// A hole longer than this is not filled: better silence than an invented syllable.
const LONGEST_HOLE: i64 = 200 * MS;
/// Announced silence is renewed every 400 ms (RFC 6716, 2.1.9); after this time it is loss.
const LONGEST_SILENCE: i64 = 1_200 * MS;
/// A stream that jumps this far in time is another stream.
const OTHER_STREAM: i64 = 10_000 * MS;
/// Further behind than this beyond the target, sound is left out.
const SKIP: i64 = 300 * MS;
/// Further behind than this beyond the target, sound is shortened wherever it can be.
const HURRY: f64 = 80.0 * MS as f64;
/// Beyond the target by no more than this is well enough.
const TOO_LONG: f64 = 15.0 * MS as f64;
/// Short of the target by no more than this is well enough. The two are further apart than one correction.
const TOO_SHORT: f64 = 3.0 * MS as f64;
/// Frames between two corrections, so that nobody hears them as a rhythm.
const REST: u32 = 8;
/// The same when in a hurry.
const SHORT_REST: u32 = 3;
/// Packets kept at most: two seconds.
const MOST_PACKETS: usize = 100;
/// A joint takes 5 ms.
const JOINT: usize = FRAME / 2;

/// A packet of sound from the network.
#[derive(Debug, Clone)]
pub struct Packet {
    /// RTP sequence number, extended so that it only grows.
    pub seq: u64,
    /// RTP time in samples of 48 kHz, extended so that it only grows.
    pub time: u64,
    /// When it came.
    pub at: Instant,
    /// Opus, mono or stereo.
    pub data: Arc<[u8]>,
}

/// What is measured on the customer's sound.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SoundFigures {
    /// Samples played since the first packet.
    pub played: u64,
    /// How many of them were made up, silence for want of packets included (WebRTC's `concealedSamples`).
    pub concealed: u64,
    /// How many were rebuilt from in-band correction.
    pub corrected: u64,
    /// How many were left out to shorten the delay (WebRTC's `removedSamplesForAcceleration`).
    pub left_out: u64,
    /// How many were played twice to lengthen it (`insertedSamplesForDeceleration`).
    pub repeated: u64,
    /// From the arrival of a quick packet to its sound being heard, in milliseconds.
    pub delay_ms: f64,
    /// The device's part of that.
    pub device_ms: f64,
    /// What the rest should be.
    pub target_ms: f64,
    /// What the network alone would make it.
    pub wanted_ms: f64,
    /// Interarrival jitter (RFC 3550, 6.4.1) in milliseconds.
    pub jitter_ms: f64,
}

/// Which sound is heard when: what synchronisation with the picture starts from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    /// RTP time in samples of 48 kHz.
    pub time: i64,
    /// The moment it is heard.
    pub at: Instant,
}

/// Buffers, decodes, stretches and conceals one stream.
pub struct Playout {
    epoch: Option<Instant>,
    stream: Stream,
    minimum: i64,
    totals: SoundFigures,
    position: Option<Position>,
    device_ms: f64,
}

impl Playout {
    /// Empty.
    pub fn new() -> Self {
        Self {
            epoch: None,
            stream: Stream::new(),
            minimum: 0,
            totals: SoundFigures::default(),
            position: None,
            device_ms: 0.0,
        }
    }

    /// Another stream follows; what has been counted stays.
    pub fn restart(&mut self) {
        self.stream = Stream::new();
        self.position = None;
    }

    /// A packet has come. One that comes too late or twice is dropped.
    pub fn push(&mut self, packet: Packet) {
        let at = self.ticks(packet.at);
        let time = packet.time as i64;
        let jumped = |newest: &Newest| (time - newest.time).abs() > OTHER_STREAM;
        if self.stream.newest.as_ref().is_some_and(jumped) {
            self.restart();
        }
        self.stream.push(at, time, packet.seq, packet.data);
    }

    /// The 10 ms to be handed to the device at `now`, which will play them after `device`; silence while there
    /// is nothing to play.
    pub fn pull(&mut self, now: Instant, device: Duration) -> AudioFrame {
        let behind = device.as_secs_f64() * 1e3;
        self.device_ms += (behind - self.device_ms) / 64.0;
        let ticks = self.ticks(now);
        let target = self.target();
        let stream = &mut self.stream;
        stream.fill(ticks, target, &mut self.totals);
        if stream.decoded.is_some() {
            self.totals.played += FRAME as u64;
        }
        self.position = stream.head().map(|time| Position { time, at: now + device });
        stream.take()
    }

    /// Never plays sooner than this after a quick packet's arrival, for the picture's sake.
    pub fn set_minimum(&mut self, minimum: Duration) {
        self.minimum = samples(minimum).min(arrivals::LONGEST);
    }

    /// By how much the delay exceeds its target, in seconds: what the device's resampler corrects slowly.
    /// `None` while nothing plays.
    pub fn excess(&self) -> Option<f64> {
        self.stream
            .delay
            .map(|delay| (delay - self.target() as f64) / f64::from(RATE))
    }

    /// Which sound was handed out last; `None` in silence.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// What has been measured so far.
    pub fn figures(&self) -> SoundFigures {
        let target = self.target() as f64;
        SoundFigures {
            delay_ms: self.stream.delay.unwrap_or(target) / MS as f64 + self.device_ms,
            device_ms: self.device_ms,
            target_ms: target / MS as f64,
            wanted_ms: self.stream.arrivals.target() as f64 / MS as f64,
            jitter_ms: self.stream.arrivals.jitter_ms(),
            ..self.totals
        }
    }

    fn target(&self) -> i64 {
        self.stream.arrivals.target().max(self.minimum)
    }

    /// Samples since the first moment heard of.
    fn ticks(&mut self, at: Instant) -> i64 {
        let epoch = *self.epoch.get_or_insert(at);
        match at.checked_duration_since(epoch) {
            Some(since) => samples(since),
            None => -samples(epoch - at),
        }
    }
}

impl Default for Playout {
    fn default() -> Self {
        Self::new()
    }
}

fn samples(time: Duration) -> i64 {
    (time.as_secs_f64() * f64::from(RATE)).round() as i64
}

/// One stream, from its first packet to its end.
struct Stream {
    voice: Voice,
    arrivals: Arrivals,
    packets: BTreeMap<i64, Held>,
    newest: Option<Newest>,
    state: State,
    /// Decoded and not yet played.
    sound: VecDeque<f32>,
    /// Played last, [`SIDE`] samples.
    past: Vec<f32>,
    /// The time of the sample after [`Self::sound`].
    next: i64,
    /// The packet decoded last.
    decoded: Option<u64>,
    /// Made up since then for want of any packet, without time of its own.
    made_up: i64,
    /// The packet decoded last announced silence.
    silence_announced: bool,
    /// Smoothed, in samples; `None` while nothing plays.
    delay: Option<f64>,
    since_correction: u32,
}

struct Held {
    seq: u64,
    data: Arc<[u8]>,
}

struct Newest {
    seq: u64,
    time: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Silent until a packet has waited long enough.
    Silent,
    /// The same, with the noise of the customer's room, for so many samples.
    Resting { since: i64 },
    /// Plays.
    Playing,
}

impl Stream {
    fn new() -> Self {
        Self {
            voice: Voice::new(),
            arrivals: Arrivals::new(),
            packets: BTreeMap::new(),
            newest: None,
            state: State::Silent,
            sound: VecDeque::with_capacity(4 * PACKET),
            past: vec![0.0; SIDE],
            next: i64::MIN,
            decoded: None,
            made_up: 0,
            silence_announced: false,
            delay: None,
            since_correction: 0,
        }
    }

    fn push(&mut self, at: i64, time: i64, seq: u64, data: Arc<[u8]>) {
        let in_order = self.newest.as_ref().is_none_or(|newest| seq > newest.seq);
        let before = self.newest.as_ref().filter(|newest| newest.seq + 1 < seq);
        let stands_in = before.is_some() && voice::carries_correction(&data);
        self.arrivals.note(at, time, in_order);
        if stands_in {
            // With its correction it is the late arrival of the one before, too.
            self.arrivals
                .note(at, time - self.voice.samples(&data).unwrap_or(PACKET) as i64, false);
        }
        if in_order {
            self.newest = Some(Newest { seq, time });
        }
        if time < self.next {
            return;
        }
        self.packets.entry(time).or_insert(Held { seq, data });
        if self.packets.len() > MOST_PACKETS {
            self.packets.pop_first();
        }
    }

    /// 10 ms of what is there; silence when there is less.
    fn take(&mut self) -> AudioFrame {
        let mut frame = [0.0; FRAME];
        if self.sound.len() >= FRAME {
            frame
                .iter_mut()
                .zip(self.sound.drain(..FRAME))
                .for_each(|(out, sample)| *out = sample);
        }
        self.past.drain(..FRAME);
        self.past.extend_from_slice(&frame);
        frame
    }

    /// The time of the sample that is played next.
    fn head(&self) -> Option<i64> {
        (self.state == State::Playing && self.made_up == 0).then(|| self.next - self.sound.len() as i64)
    }

    fn fill(&mut self, now: i64, target: i64, totals: &mut SoundFigures) {
        if let Some(head) = self.head() {
            self.skip(now - self.arrivals.baseline().unwrap_or(now) - head - target, totals);
        }
        while self.sound.len() < FRAME {
            let was = self.state;
            if was != State::Playing && self.begin(now, target) {
                if was == State::Silent {
                    self.join_silence();
                }
                continue;
            }
            match self.state {
                State::Playing => self.play_on(totals),
                State::Resting { since } if since < LONGEST_SILENCE => {
                    self.state = State::Resting {
                        since: since + FRAME as i64,
                    };
                    let noise = self.voice.make_up(FRAME);
                    self.sound.extend(noise);
                }
                State::Silent | State::Resting { .. } => {
                    self.state = State::Silent;
                    self.delay = None;
                    totals.concealed += if self.decoded.is_some() { FRAME as u64 } else { 0 };
                    self.sound.clear();
                    return;
                }
            }
        }
        self.correct_delay(now, target, totals);
    }

    /// Starts to play when the first packet has waited for `target`.
    fn begin(&mut self, now: i64, target: i64) -> bool {
        let (Some(baseline), Some((&time, _))) = (self.arrivals.baseline(), self.packets.first_key_value()) else {
            return false;
        };
        if now - baseline - time + (self.sound.len() as i64) < target {
            return false;
        }
        self.state = State::Playing;
        self.next = time;
        self.made_up = 0;
        self.delay = None;
        // What was missed in silence was counted as silence.
        self.decoded = self.packets.first_key_value().map(|(_, held)| held.seq.wrapping_sub(1));
        true
    }

    /// The first sound after silence comes softly.
    fn join_silence(&mut self) {
        let from = self.sound.len();
        self.decode_next();
        for (n, sample) in self.sound.iter_mut().skip(from).take(JOINT).enumerate() {
            *sample *= n as f32 / JOINT as f32;
        }
    }

    /// The next packet, or something in its place.
    fn play_on(&mut self, totals: &mut SoundFigures) {
        let first = self.packets.first_key_value();
        let Some((time, seq)) = first.map(|(&time, held)| (time, held.seq)) else {
            self.play_nothing(totals);
            return;
        };
        if time > self.next {
            let credit = self.made_up.min(time - self.next);
            self.next += credit;
        }
        self.made_up = 0;
        let hole = time - self.next;
        if hole <= 0 {
            self.next = time;
            self.decode_next();
        } else if self.decoded.is_some_and(|decoded| seq == decoded.wrapping_add(1)) {
            // Nothing was lost: the sender was silent.
            self.rest();
        } else if hole > LONGEST_HOLE {
            self.fall_silent(totals);
        } else {
            self.fill_hole(hole, totals);
        }
    }

    /// Part of a hole in front of the first packet.
    fn fill_hole(&mut self, hole: i64, totals: &mut SoundFigures) {
        let data = self
            .packets
            .first_key_value()
            .map(|(_, held)| held.data.clone())
            .unwrap_or_default();
        let length = self.voice.samples(&data).unwrap_or(PACKET) as i64;
        if hole == length && voice::carries_correction(&data) {
            let sound = self.voice.correct(&data, length as usize);
            totals.corrected += sound.len() as u64;
            self.sound.extend(sound);
            self.next += length;
        } else {
            let part = if hole > length { hole - length } else { hole }.min(PACKET as i64);
            self.make_up(part as usize, totals);
            self.next += part;
        }
    }

    /// Nothing has come: silence, if it was announced, or the voice for a little longer.
    fn play_nothing(&mut self, totals: &mut SoundFigures) {
        if self.silence_announced {
            self.rest();
        } else if self.made_up < FADING {
            self.make_up(FRAME, totals);
            self.made_up += FRAME as i64;
        } else {
            self.fall_silent(totals);
        }
    }

    fn rest(&mut self) {
        self.state = State::Resting { since: 0 };
        self.silence_announced = false;
        self.delay = None;
    }

    fn fall_silent(&mut self, totals: &mut SoundFigures) {
        let from = self.sound.len();
        self.make_up(FRAME, totals);
        for (n, sample) in self.sound.iter_mut().skip(from).enumerate() {
            *sample *= 1.0 - n as f32 / FRAME as f32;
        }
        self.state = State::Silent;
        self.delay = None;
    }

    /// `samples` of what the decoder thinks came next; rounded up to its step of 2.5 ms.
    fn make_up(&mut self, samples: usize, totals: &mut SoundFigures) {
        let mut sound = self.voice.make_up(samples.next_multiple_of(120));
        sound.truncate(samples);
        totals.concealed += samples as u64;
        self.sound.extend(sound);
    }

    fn decode_next(&mut self) {
        let Some((time, held)) = self.packets.pop_first() else {
            return;
        };
        let mut sound = self.voice.decode(&held.data);
        if sound.is_empty() {
            sound = self.voice.make_up(PACKET);
        }
        self.silence_announced = voice::announces_silence(&held.data);
        self.decoded = Some(held.seq);
        self.next = time + sound.len() as i64;
        self.sound.extend(sound);
    }

    /// Shortens or lengthens what comes next when the delay is not what it should be.
    fn correct_delay(&mut self, now: i64, target: i64, totals: &mut SoundFigures) {
        let (Some(head), Some(baseline)) = (self.head(), self.arrivals.baseline()) else {
            return;
        };
        let measured = (now - baseline - head) as f64;
        let delay = self.delay.map_or(measured, |delay| delay + (measured - delay) / 8.0);
        self.delay = Some(delay);
        self.since_correction += 1;
        let excess = delay - target as f64;
        let (care, rest) = if excess > HURRY {
            (Care::Hurry, SHORT_REST)
        } else {
            (Care::Unheard, REST)
        };
        let right = (-TOO_SHORT..=TOO_LONG).contains(&excess);
        if right || self.since_correction < rest {
            return;
        }
        let gained = if excess > 0.0 {
            self.shorten(care)
        } else {
            self.lengthen(care)
        };
        if gained != 0 {
            self.since_correction = 0;
            self.delay = Some(delay + gained as f64);
            totals.left_out += (-gained).max(0) as u64;
            totals.repeated += gained.max(0) as u64;
        }
    }

    /// Leaves a period out of what comes; by how many samples sound has become longer.
    fn shorten(&mut self, care: Care) -> i64 {
        if !self.gather(PIECE) {
            return 0;
        }
        let piece: Vec<f32> = self.sound.drain(..PIECE).collect();
        let shorter = stretch::shorten(&piece, care).unwrap_or(piece);
        for &sample in shorter.iter().rev() {
            self.sound.push_front(sample);
        }
        shorter.len() as i64 - PIECE as i64
    }

    /// Plays a period once more; by how many samples sound has become longer.
    fn lengthen(&mut self, care: Care) -> i64 {
        if !self.gather(SIDE) {
            return 0;
        }
        let future: Vec<f32> = self.sound.iter().take(SIDE).copied().collect();
        let more = stretch::lengthen(&self.past, &future, care).unwrap_or_default();
        for &sample in more.iter().rev() {
            self.sound.push_front(sample);
        }
        more.len() as i64
    }

    /// Decodes ahead until `samples` are there, as far as packets follow without a hole.
    fn gather(&mut self, samples: usize) -> bool {
        while self.sound.len() < samples
            && self
                .packets
                .first_key_value()
                .is_some_and(|(&time, _)| time == self.next)
        {
            self.decode_next();
        }
        self.sound.len() >= samples
    }

    /// Leaves sound out when it is `excess` samples too late, after a network or a machine that stood still.
    fn skip(&mut self, excess: i64, totals: &mut SoundFigures) {
        if excess < SKIP {
            return;
        }
        let from = self.next - self.sound.len() as i64;
        let newest = self.packets.last_key_value().map_or(from, |(&time, _)| time);
        let Some((&time, held)) = self.packets.range(..=newest.min(from + excess)).next_back() else {
            return;
        };
        self.decoded = Some(held.seq.wrapping_sub(1));
        self.packets = self.packets.split_off(&time);
        totals.left_out += (time - from).max(0) as u64;
        self.next = time;
        self.delay = None;
        let mut tail: Vec<f32> = self.sound.drain(..).take(JOINT).collect();
        tail.resize(JOINT, 0.0);
        self.decode_next();
        if self.sound.len() >= JOINT {
            let start: Vec<f32> = self.sound.iter().take(JOINT).copied().collect();
            let joint = stretch::cross_fade(&tail, &start);
            self.sound
                .iter_mut()
                .zip(joint)
                .for_each(|(sample, joined)| *sample = joined);
        }
    }
}
