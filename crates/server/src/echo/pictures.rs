//! Which pictures of a VP8 stream came whole (RFC 7741). Nothing is decoded: the packets say where a picture begins
//! and ends, and a key frame says how large it is.

use super::sequence::{Arrivals, Unwrapped};
use std::collections::BTreeMap;

/// Packets that are remembered, the newest ones: more than two seconds at any rate a desk sends.
const REMEMBERED: u64 = 2_048;

/// A packet of a picture.
struct Piece {
    timestamp: u32,
    /// The first one's.
    start: Option<Start>,
    /// The last one.
    end: bool,
    /// Its picture has been counted.
    counted: bool,
}

/// How a picture begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Start {
    /// Width and height; key frames alone say it.
    size: Option<(u32, u32)>,
}

/// Puts pictures together.
#[derive(Default)]
pub struct Pictures {
    numbers: Unwrapped,
    pieces: BTreeMap<u64, Piece>,
    arrivals: Arrivals,
}

/// A whole picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Width and height, when it says so.
    pub size: Option<(u32, u32)>,
}

impl Pictures {
    /// Takes a packet, and says so when it completes a picture.
    pub fn packet(&mut self, number: u16, timestamp: u32, end: bool, payload: &[u8]) -> Option<Whole> {
        self.arrivals.came(number);
        let at = self.numbers.next(number);
        let newest = self.pieces.last_key_value().map_or(at, |(newest, _)| at.max(*newest));
        // Filler has no payload; what came before, or comes much too late, changes nothing.
        if payload.is_empty() || self.pieces.contains_key(&at) || at + REMEMBERED < newest {
            return None;
        }
        let piece = Piece {
            timestamp,
            start: start(payload),
            end,
            counted: false,
        };
        self.pieces.insert(at, piece);
        self.pieces = self.pieces.split_off(&newest.saturating_sub(REMEMBERED));
        self.complete(at)
    }

    /// Packets that came, and that should have come.
    pub fn arrivals(&self) -> &Arrivals {
        &self.arrivals
    }

    /// The picture around this packet, when all of it is there.
    fn complete(&mut self, at: u64) -> Option<Whole> {
        let first = self.walk(at, |number| number.checked_sub(1), |piece| piece.start.is_some())?;
        let last = self.walk(at, |number| number.checked_add(1), |piece| piece.end)?;
        let size = self.pieces.get(&first)?.start?.size;
        let mut counted = false;
        for piece in self.pieces.range_mut(first..=last).map(|(_, piece)| piece) {
            counted |= piece.counted;
            piece.counted = true;
        }
        (!counted).then_some(Whole { size })
    }

    /// From a packet through its neighbours of the same picture to the first that is wanted.
    fn walk(&self, from: u64, step: impl Fn(u64) -> Option<u64>, wanted: impl Fn(&Piece) -> bool) -> Option<u64> {
        let timestamp = self.pieces.get(&from)?.timestamp;
        let mut at = from;
        loop {
            let piece = self.pieces.get(&at).filter(|piece| piece.timestamp == timestamp)?;
            if wanted(piece) {
                return Some(at);
            }
            at = step(at)?;
        }
    }
}

/// What a payload says if a picture begins with it: the descriptor's S bit with partition 0 (RFC 7741, 4.2), then the
/// frame's own header (RFC 6386, 9.1).
fn start(payload: &[u8]) -> Option<Start> {
    let (first, mut rest) = payload.split_first()?;
    if first & 0x10 == 0 || first & 0x07 != 0 {
        return None;
    }
    if first & 0x80 != 0 {
        let (extensions, after) = rest.split_first()?;
        rest = after;
        if extensions & 0x80 != 0 {
            let wide = rest.first()? & 0x80 != 0;
            rest = rest.get(if wide { 2 } else { 1 }..)?;
        }
        if extensions & 0x40 != 0 {
            rest = rest.get(1..)?;
        }
        if extensions & 0x30 != 0 {
            rest = rest.get(1..)?;
        }
    }
    // A key frame's first bit is 0; three bytes later its start code, then 14 bits each of width and height.
    let size = match rest {
        [tag, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] if tag & 1 == 0 => {
            let fourteen = |low: &u8, high: &u8| u32::from(u16::from_le_bytes([*low, *high]) & 0x3fff);
            Some((fourteen(w0, w1), fourteen(h0, h1)))
        }
        _ => None,
    };
    Some(Start { size })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 640x360, with the descriptor of a browser: picture id of 15 bits, TL0PICIDX, TID.
    const KEY: [u8; 16] = [
        0x90, 0xe0, 0x81, 0x02, 0x05, 0x20, 0x10, 0x00, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01,
    ];
    const DELTA: [u8; 5] = [0x10, 0x01, 0x00, 0x00, 0x7f];
    const REST: [u8; 3] = [0x00, 0x44, 0x55];

    #[test]
    fn a_key_frame_says_its_size_and_a_delta_frame_does_not() {
        assert_eq!(start(&KEY), Some(Start { size: Some((640, 360)) }));
        assert_eq!(start(&DELTA), Some(Start { size: None }));
        assert_eq!(start(&REST), None);
        // A later partition of the same picture.
        assert_eq!(start(&[0x11, 0, 0]), None);
        for short in 1..KEY.len() {
            // Cut anywhere it is at least no panic.
            start(&KEY[..short]);
        }
    }

    #[test]
    fn pictures_count_when_their_last_missing_packet_comes() {
        let mut pictures = Pictures::default();
        let whole = |size| Some(Whole { size });
        assert_eq!(pictures.packet(65_535, 90, false, &KEY), None);
        assert_eq!(pictures.packet(1, 90, true, &REST), None);
        // The next picture is whole before the first one is.
        assert_eq!(pictures.packet(2, 93, true, &DELTA), whole(None));
        assert_eq!(pictures.packet(0, 90, false, &REST), whole(Some((640, 360))));
        // Sent again for nothing.
        assert_eq!(pictures.packet(0, 90, false, &REST), None);
        assert_eq!(pictures.packet(2, 93, true, &DELTA), None);
    }

    #[test]
    fn a_picture_with_a_hole_is_none_and_neither_are_two_halves() {
        let mut pictures = Pictures::default();
        assert_eq!(pictures.packet(1, 90, false, &KEY), None);
        // 2 is lost, and with it the first picture's end.
        assert_eq!(pictures.packet(3, 93, true, &REST), None);
        assert_eq!(pictures.packet(2, 93, false, &REST), None);
        assert_eq!(pictures.packet(4, 96, true, &[]), None);
        let arrivals = pictures.arrivals();
        assert_eq!((arrivals.count(), arrivals.expected()), (4, 4));
    }

    #[test]
    fn what_is_remembered_has_an_end() {
        let mut pictures = Pictures::default();
        for number in 0..10_000u16 {
            pictures.packet(number, u32::from(number), false, &REST);
        }
        assert!(pictures.pieces.len() as u64 <= REMEMBERED + 1);
        assert_eq!(pictures.packet(100, 7, true, &DELTA), None, "much too late");
    }
}
