//! One side of a call in virtual time: the product's own [`Line`] with its adaptation, a model encoder, a microphone
//! and a viewer.

use crate::encoder::{self, ModelEncoder};
use sightline_media::line::{Line, PeerEvent, Section};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use str0m::net::Transmit;

const PACKET: Duration = Duration::from_millis(20);

/// What one side has seen, heard and done.
#[derive(Debug, Default)]
pub struct Seen {
    /// ICE and DTLS came up.
    pub connected: Option<Instant>,
    /// Each picture that could be decoded: when it came, and its height.
    pub pictures: Vec<(Instant, u32)>,
    /// Each packet of sound.
    pub sound: Vec<Instant>,
    /// When the other side reported that something of ours had arrived.
    pub delivered: Vec<Instant>,
    /// When ICE gave the path up.
    pub given_up: Vec<Instant>,
    /// Times at which we asked the other side for a key frame, or would have.
    pub damaged: u32,
    /// Each target the adaptation has set: when, picture's bit rate (0 while it pauses), height, and sound's bit rate.
    pub targets: Vec<(Instant, u32, u32, u32)>,
}

/// One side.
pub struct Side {
    /// The product's engine core.
    pub line: Line,
    /// Where it is reached.
    pub address: SocketAddr,
    /// Its pictures.
    pub encoder: ModelEncoder,
    /// What has happened.
    pub seen: Seen,
    /// Whether picture and sound are sent at all (RFC 8867, 5.8 pauses them).
    pub sending: bool,
    next_sound: Instant,
    sound_time: u64,
    started: Instant,
    intact: bool,
    last_count: u32,
}

impl Side {
    /// A side around `line`, which is reached at `address`.
    pub fn new(line: Line, address: SocketAddr, start: Instant, seed: u64) -> Self {
        Self {
            line,
            address,
            encoder: ModelEncoder::new(start, seed),
            seen: Seen::default(),
            sending: true,
            next_sound: start + PACKET / 2,
            sound_time: 0,
            started: start,
            intact: false,
            last_count: 0,
        }
    }

    /// When [`Side::advance`] wants to be called.
    pub fn timeout(&self) -> Instant {
        self.line.timeout().min(self.encoder.next()).min(self.next_sound)
    }

    /// Time has passed: sends what is due. Gives the datagrams to send.
    pub fn advance(&mut self, now: Instant) -> Vec<Transmit> {
        if self.line.timeout() <= now {
            self.line.handle_timeout(now).expect("str0m goes on");
            self.events(now);
        }
        let on = self.sending && self.seen.connected.is_some();
        if self.encoder.next() <= now {
            let taken = self.encoder.next();
            let rate = self.line.target().video.filter(|_| on);
            if let Some(data) = self.encoder.picture(rate) {
                let time = (taken - self.started).as_micros() as u64 * 9 / 100;
                self.line
                    .send_video(Section::Camera, data, time, taken)
                    .expect("str0m takes a picture");
                self.events(now);
            }
        }
        if self.next_sound <= now {
            self.next_sound += PACKET;
            self.sound_time += 960;
            if on {
                let data = vec![0x78; (self.line.target().audio.bitrate / 400) as usize];
                self.line
                    .send_audio(data, self.sound_time, now)
                    .expect("str0m takes sound");
                self.events(now);
            }
        }
        self.line.take_outgoing()
    }

    /// A datagram has come.
    pub fn receive(&mut self, now: Instant, source: SocketAddr, datagram: &[u8]) -> Vec<Transmit> {
        self.line
            .receive(now, source, self.address, datagram)
            .expect("str0m takes a datagram");
        self.events(now);
        self.line.take_outgoing()
    }

    fn events(&mut self, now: Instant) {
        if self.line.take_delivered() {
            self.seen.delivered.push(now);
        }
        for event in self.line.take_events() {
            match event {
                PeerEvent::Connected => {
                    self.seen.connected.get_or_insert(now);
                }
                PeerEvent::Path(false) => self.seen.given_up.push(now),
                PeerEvent::KeyframeWanted(_) => self.encoder.key_frame(),
                PeerEvent::Target(target) => {
                    let video = target.video.map_or((0, 0), |video| (video.bitrate, video.rung.height));
                    self.seen.targets.push((now, video.0, video.1, target.audio.bitrate));
                }
                PeerEvent::Media(Section::Audio, _) => self.seen.sound.push(now),
                PeerEvent::Media(_, data) => {
                    let Some((count, height)) = encoder::read(&data.data) else {
                        continue;
                    };
                    // As the decoder's thread does: what follows a gap is not shown until a key frame.
                    self.intact = data.is_keyframe() || self.intact && data.contiguous;
                    if self.intact {
                        assert!(count > self.last_count, "pictures come in order");
                        assert!(
                            data.is_keyframe() || count == self.last_count + 1,
                            "a picture shown as intact follows the one before"
                        );
                        self.last_count = count;
                        self.seen.pictures.push((now, height));
                    } else {
                        self.seen.damaged += 1;
                        self.line.request_keyframe(Section::Camera, now).expect("str0m asks");
                    }
                }
                PeerEvent::Candidate(_)
                | PeerEvent::NoRelay(_)
                | PeerEvent::Path(_)
                | PeerEvent::Stats(_)
                | PeerEvent::Egress(_)
                | PeerEvent::Closed => {}
            }
        }
    }
}
