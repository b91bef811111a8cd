//! Calls over shared paths, in virtual time: no thread, no socket, no clock.

use crate::{
    network::{Delivered, IP_UDP, Link, Loss, Path},
    side::Side,
    tcp::LongFlow,
};
use sightline_media::line::Line;
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use str0m::net::Transmit;

/// What travels.
#[derive(Debug)]
pub enum Packet {
    /// A call's datagram.
    Call {
        /// Which call.
        call: usize,
        /// From.
        source: SocketAddr,
        /// Content.
        bytes: Vec<u8>,
    },
    /// A competing TCP segment, by its number.
    Segment(u64),
}

/// What came out of the forward path.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// When.
    pub at: Instant,
    /// Which call's; `None` for TCP.
    pub call: Option<usize>,
    /// On the wire, bytes.
    pub size: usize,
    /// How long it waited at the bottleneck.
    pub queued: Duration,
}

/// True for a datagram that is lost: from the desk (0) or the browser (1), and its content.
pub type Swallow = Box<dyn FnMut(usize, &[u8]) -> bool>;

/// Calls that share one path in each direction.
pub struct World {
    /// The time.
    pub now: Instant,
    /// When it began.
    pub start: Instant,
    /// Desk (0) and browser (1) of each call.
    pub calls: Vec<[Side; 2]>,
    /// A competing TCP transfer on the forward path.
    pub tcp: Option<LongFlow>,
    /// Which datagrams are lost whatever the paths do.
    pub swallow: Option<Swallow>,
    /// From desks to browsers, and back.
    paths: [Link<Packet>; 2],
    /// What has left the forward path, and what the backward path.
    pub arrivals: [Vec<Arrival>; 2],
}

impl World {
    /// `calls` calls, each capped at `cap` bits a second, over the paths forward and back.
    pub fn new(paths: [Path; 2], calls: usize, cap: u32, seed: u64) -> Self {
        let start = Instant::now();
        let [forward, back] = paths;
        let call = |n: usize| {
            let address = |side: u8| SocketAddr::from(([10, 0, n as u8, side], 5_000));
            let (desk, offer) = Line::offer(start, &[address(1)], cap).expect("an offer");
            let (browser, answer) = Line::answering(start, &[address(2)], cap, &offer).expect("an answer");
            let seed = seed ^ (n as u64) << 32;
            let mut desk = Side::new(desk, address(1), start, seed);
            desk.line.answer(&answer).expect("the answer fits");
            [desk, Side::new(browser, address(2), start, !seed)]
        };
        Self {
            now: start,
            start,
            calls: (0..calls).map(call).collect(),
            tcp: None,
            swallow: None,
            paths: [Link::new(forward, start, seed), Link::new(back, start, !seed)],
            arrivals: Default::default(),
        }
    }

    /// From now on both directions lose packets like this.
    pub fn lose(&mut self, loss: Loss) {
        for link in &mut self.paths {
            link.lose(loss);
        }
    }

    /// Runs until `end` after the start, or until `stop` says so.
    pub fn run(&mut self, end: Duration, mut stop: impl FnMut(&World) -> bool) {
        let end = self.start + end;
        while self.now < end && !stop(self) {
            let next = self.next();
            // str0m may ask for a moment that has passed; time goes on all the same.
            self.now = next.max(self.now + Duration::from_nanos(1)).min(end);
            self.step();
        }
    }

    fn next(&self) -> Instant {
        let sides = self.calls.iter().flatten().map(Side::timeout);
        let links = self.paths.iter().filter_map(Link::timeout);
        let tcp = self.tcp.as_ref().and_then(LongFlow::timeout);
        sides
            .chain(links)
            .chain(tcp)
            .min()
            .expect("sides always wait for something")
    }

    fn step(&mut self) {
        let now = self.now;
        for direction in 0..2 {
            while let Some(delivered) = self.paths[direction].receive(now) {
                self.deliver(direction, delivered);
            }
        }
        for call in 0..self.calls.len() {
            for side in 0..2 {
                if self.calls[call][side].timeout() <= now {
                    let out = self.calls[call][side].advance(now);
                    self.send(call, side, out);
                }
            }
        }
        if let Some(tcp) = &mut self.tcp {
            for segment in tcp.send(now) {
                self.paths[0].send(now, LongFlow::SEGMENT, Packet::Segment(segment));
            }
        }
    }

    fn deliver(&mut self, direction: usize, delivered: Delivered<Packet>) {
        let call = match &delivered.packet {
            Packet::Call { call, .. } => Some(*call),
            Packet::Segment(_) => None,
        };
        self.arrivals[direction].push(Arrival {
            at: self.now,
            call,
            size: delivered.size,
            queued: delivered.queued,
        });
        match delivered.packet {
            Packet::Call { call, source, bytes } => {
                let side = 1 - direction;
                let out = self.calls[call][side].receive(self.now, source, &bytes);
                self.send(call, side, out);
            }
            Packet::Segment(segment) => {
                if let Some(tcp) = &mut self.tcp {
                    tcp.arrived(self.now, segment);
                }
            }
        }
    }

    fn send(&mut self, call: usize, side: usize, out: Vec<Transmit>) {
        for transmit in out {
            let bytes = transmit.contents.to_vec();
            if self.swallow.as_mut().is_some_and(|swallow| swallow(side, &bytes)) {
                continue;
            }
            let source = transmit.source;
            self.paths[side].send(self.now, bytes.len() + IP_UDP, Packet::Call { call, source, bytes });
        }
    }

    /// Bits a second of that call that left the path in the given direction between two times since the start.
    pub fn rate(&self, direction: usize, call: usize, from: Duration, to: Duration) -> f64 {
        let within = self.start + from..self.start + to;
        let bytes: usize = self.arrivals[direction]
            .iter()
            .filter(|arrival| arrival.call == Some(call) && within.contains(&arrival.at))
            .map(|arrival| arrival.size)
            .sum();
        bytes as f64 * 8.0 / (to - from).as_secs_f64()
    }
}
