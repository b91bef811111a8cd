//! What the other side of a call may say while it is set up, each kind of it as one function: it must be taken or refused,
//! never panic, and time must go on with whatever was taken. The fuzzers of `fuzz/` call these, and so do the tests that
//! replay its corpus.

use crate::line::Line;
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};
use str0m::Candidate;

/// One kind of input: its folder of `fuzz/corpus`, and what reads it; `false` for what was refused.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// Every kind of input.
pub const TARGETS: &[Target] = &[
    ("sdp_answer", sdp_answer),
    ("sdp_offer", sdp_offer),
    ("candidate", candidate),
];

/// Bits a second.
const CAP: u32 = 2_000_000;

/// A page's answer to our offer. Media sections are named anew in every offer: `{0}`, `{1}` and `{2}` stand for them.
fn sdp_answer(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let now = Instant::now();
    let (mut line, offer) = Line::offer(now, &[address(1)], CAP).expect("an offer can be made");
    let names = offer.lines().filter_map(|line| line.strip_prefix("a=mid:"));
    let answer = names.enumerate().fold(text.to_owned(), |text, (at, name)| {
        text.replace(&format!("{{{at}}}"), name)
    });
    // As the peer does, which tells its relays of every address.
    for line in answer.lines().filter_map(|line| line.strip_prefix("a=")) {
        let _ = Candidate::from_sdp_string(line);
    }
    let taken = line.answer(&answer).is_ok();
    goes_on(&mut line, now);
    assert!(line.answer(&answer).is_ok(), "only the first answer counts");
    taken
}

/// An offer like a desk's, for whatever answers it with this engine.
fn sdp_offer(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let now = Instant::now();
    match Line::answering(now, &[address(1)], CAP, text) {
        Ok((mut line, _)) => {
            goes_on(&mut line, now);
            true
        }
        Err(_) => false,
    }
}

/// One more address of the other side's, in a connection that both have agreed on.
fn candidate(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let now = Instant::now();
    let (mut line, offer) = Line::offer(now, &[address(1)], CAP).expect("an offer can be made");
    let (_, answer) = Line::answering(now, &[address(2)], CAP, &offer).expect("and be answered");
    line.answer(&answer).expect("by one that fits");
    let _ = line.remote_candidate(text);
    goes_on(&mut line, now);
    Candidate::from_sdp_string(text).is_ok()
}

fn address(last: u8) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 5_000))
}

/// Up to the end of ICE's first checks.
fn goes_on(line: &mut Line, now: Instant) {
    for ms in [0, 20, 100, 400, 2_000] {
        if line.handle_timeout(now + Duration::from_millis(ms)).is_err() {
            return;
        }
    }
}
