//! What the echo peer shows: a moving picture with the time barcode, in VP8.

use sightline_picture::{
    scene::Scene,
    vp8::{Encoder, Vp8Error},
};
use std::time::Duration;

/// Small enough that many peers run beside each other (1 ms of a core a picture), large enough for the barcode.
const WIDTH: u32 = 640;
const HEIGHT: u32 = 360;
/// Bits a second: nobody judges the picture's sharpness, so nothing is adapted.
const RATE: u32 = 600_000;

/// From one picture to the next.
pub const INTERVAL: Duration = Duration::from_nanos(1_000_000_000 / 30);

/// The payload of one packet without its descriptor, bytes: with the headers of RTP, SRTP, TURN and UDP it fits any path.
const CHUNK: usize = 1_100;

/// Draws and encodes.
pub struct Face {
    scene: Scene,
    encoder: Encoder,
    /// 15 bits.
    picture_id: u16,
}

impl Face {
    /// With nothing shown yet.
    pub fn new() -> Result<Self, Vp8Error> {
        Ok(Self {
            scene: Scene::new(WIDTH, HEIGHT),
            encoder: Encoder::new(WIDTH, HEIGHT, RATE)?,
            picture_id: 0,
        })
    }

    /// The payloads of a picture that is taken now (Unix milliseconds), at `timestamp` on the stream's 90 kHz. None
    /// when the rate control leaves it out. Takes about a millisecond: call it where waiting is allowed.
    pub fn picture(&mut self, unix_ms: i64, timestamp: i64, key: bool) -> Result<Vec<Vec<u8>>, Vp8Error> {
        let frame = self.scene.taken_at(unix_ms);
        let Some(encoded) = self.encoder.encode(&frame, timestamp, key)? else {
            return Ok(Vec::new());
        };
        let payloads = payloads(&encoded.data, self.picture_id);
        self.picture_id = (self.picture_id + 1) & 0x7fff;
        Ok(payloads)
    }
}

/// Cut into packets, each with the descriptor that browsers write: X and I set, a picture id of 15 bits, and S in the
/// first (RFC 7741, 4.2).
fn payloads(data: &[u8], picture_id: u16) -> Vec<Vec<u8>> {
    let [high, low] = picture_id.to_be_bytes();
    data.chunks(CHUNK)
        .enumerate()
        .map(|(index, chunk)| {
            let start = if index == 0 { 0x10 } else { 0 };
            let mut payload = Vec::with_capacity(chunk.len() + 4);
            payload.extend([0x80 | start, 0x80, 0x80 | high, low]);
            payload.extend_from_slice(chunk);
            payload
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::echo::pictures::{Pictures, Whole};
    use sightline_picture::{barcode, vp8::Decoder};

    #[test]
    fn its_packets_are_pictures_that_say_when_they_were_taken() {
        let mut face = Face::new().expect("an encoder");
        let mut decoder = Decoder::new().expect("a decoder");
        let (mut pictures, mut number) = (Pictures::default(), 0);
        let mut times = Vec::new();
        for n in 0..10 {
            let unix_ms = 1_000 + n * 33;
            let payloads = face.picture(unix_ms, n * 3_000, n == 0).expect("encodes");
            let last = payloads.len().saturating_sub(1);
            for (index, payload) in payloads.iter().enumerate() {
                let whole = pictures.packet(number, n as u32 * 3_000, index == last, payload);
                let size = (n == 0).then_some((WIDTH, HEIGHT));
                assert_eq!(whole, (index == last).then_some(Whole { size }));
                number += 1;
            }
            let data: Vec<u8> = payloads.iter().flat_map(|payload| &payload[4..]).copied().collect();
            if !data.is_empty() {
                let frame = decoder.decode(&data).expect("decodes").expect("a picture");
                times.push((unix_ms as u32, barcode::read(&frame)));
            }
        }
        assert!(times.len() >= 5, "{times:?}");
        assert!(times.iter().all(|(taken, read)| Some(*taken) == *read), "{times:?}");
    }
}
