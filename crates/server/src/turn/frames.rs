//! Messages in a stream (RFC 8656 sections 3.2 and 12.5): STUN messages and ChannelData one after another, each
//! telling its own length, ChannelData padded to four bytes.

use super::stun::{COOKIE, HEADER, u16_at, u32_at};

/// No frame of a call comes near this: media packets are below 1,500 bytes, the largest credentials below 2,000.
pub const LONGEST: usize = 8 * 1024;

/// The stream is not what it should be; where the next frame begins is unknown, so it has to be closed.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

/// Cuts a stream into frames. Holds less than one frame between two calls.
#[derive(Default)]
pub struct Frames {
    held: Vec<u8>,
}

impl Frames {
    /// Takes what was read and hands over every frame that is complete, without its padding.
    pub fn push(&mut self, read: &[u8], mut frame: impl FnMut(&[u8])) -> Result<(), Malformed> {
        self.held.extend_from_slice(read);
        let mut at = 0;
        while let Some((length, padded)) = lengths(&self.held[at..])? {
            if self.held.len() - at < padded {
                break;
            }
            frame(&self.held[at..at + length]);
            at += padded;
        }
        self.held.drain(..at);
        Ok(())
    }

    /// Whether a frame has begun and not ended.
    pub fn partial(&self) -> bool {
        !self.held.is_empty()
    }
}

/// A frame's length without and with padding, as soon as its first bytes tell; wrong ones are found out at the
/// earliest byte.
fn lengths(head: &[u8]) -> Result<Option<(usize, usize)>, Malformed> {
    let Some(first) = head.first() else {
        return Ok(None);
    };
    let (length, padded) = match first {
        0x00..=0x3F => {
            let Some(body) = u16_at(head, 2).map(usize::from) else {
                return Ok(None);
            };
            if !body.is_multiple_of(4) || u32_at(head, 4).is_some_and(|cookie| cookie != COOKIE) {
                return Err(Malformed);
            }
            (HEADER + body, HEADER + body)
        }
        0x40..=0x7F => {
            let Some(data) = u16_at(head, 2).map(usize::from) else {
                return Ok(None);
            };
            (4 + data, 4 + data.next_multiple_of(4))
        }
        0x80.. => return Err(Malformed),
    };
    if padded > LONGEST {
        return Err(Malformed);
    }
    Ok(Some((length, padded)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::stun::{Class, Message, Writer, attribute, method};

    fn sample() -> Vec<Vec<u8>> {
        let binding = Writer::new(Class::Request, method::BINDING, [1; 12]).finish();
        let data = Writer::new(Class::Indication, method::SEND, [2; 12])
            .with(attribute::DATA, &[9; 1_201])
            .finish();
        let channel = |length: u8| {
            let mut frame = vec![0x40, 0x01, 0, length];
            frame.extend(std::iter::repeat_n(length, length.into()));
            frame
        };
        vec![binding, channel(0), channel(5), data, channel(8), channel(3)]
    }

    fn stream(frames: &[Vec<u8>]) -> Vec<u8> {
        let mut stream = Vec::new();
        for frame in frames {
            stream.extend(frame);
            stream.resize(stream.len().next_multiple_of(4), 0xEE);
        }
        stream
    }

    #[test]
    fn frames_are_the_same_however_the_stream_is_cut() {
        let frames = sample();
        let stream = stream(&frames);
        for size in [1, 2, 3, 4, 7, 20, 1_000, stream.len()] {
            let mut cut = Frames::default();
            let mut got = Vec::new();
            for piece in stream.chunks(size) {
                cut.push(piece, |frame| got.push(frame.to_vec())).expect("all are good");
            }
            assert_eq!(got, frames, "in pieces of {size}");
            assert!(!cut.partial());
        }
    }

    #[test]
    fn nonsense_is_found_out_at_once() {
        for bad in [
            &b"GET / HTTP/1.1\r\n"[..],
            &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01],
            &[0x80, 0, 0, 4],
            &[0xFF],
            &[0x00, 0x01, 0x00, 0x03],
            &[0x00, 0x01, 0x00, 0x08, 0, 0, 0, 0],
            &[0x00, 0x01, 0xFF, 0xFC],
            &[0x40, 0x00, 0xFF, 0xFF],
        ] {
            assert_eq!(Frames::default().push(bad, |_| ()), Err(Malformed), "{bad:02x?}");
        }
    }

    /// A hundred thousand broken streams in pieces of every size: no panic, no frame longer than allowed, never
    /// more held than one frame, and no frame made up of bytes that were not sent.
    #[test]
    fn broken_streams_do_no_harm() {
        let good = stream(&sample());
        let mut random = 0x2545_F491_4F6C_DD1D_u64;
        let mut next = move |below: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            usize::try_from(random % below as u64).expect("small")
        };
        let (mut refused, mut passed) = (0, 0);
        for _ in 0..100_000 {
            let mut bytes = good.clone();
            for _ in 0..=next(4) {
                let at = next(bytes.len());
                match next(4) {
                    0 => bytes[at] ^= 1 << next(8),
                    1 => bytes[at] = next(256) as u8,
                    2 => bytes.truncate(at.max(1)),
                    _ => bytes.insert(at, next(256) as u8),
                }
            }
            let mut frames = Frames::default();
            let (mut rest, mut handed) = (&bytes[..], 0);
            loop {
                let (piece, after) = rest.split_at(rest.len().min(1 + next(400)));
                let pushed = frames.push(piece, |frame| {
                    assert!(frame.len() <= LONGEST);
                    handed += frame.len();
                    let _ = Message::parse(frame);
                });
                assert!(frames.held.len() <= LONGEST + 400 && handed <= bytes.len());
                if pushed.is_err() {
                    refused += 1;
                    break;
                }
                rest = after;
                if rest.is_empty() {
                    passed += 1;
                    break;
                }
            }
        }
        assert!(
            refused > 10_000 && passed > 10_000,
            "{refused} refused, {passed} passed"
        );
    }
}
