//! TURN messages on a stream (RFC 8656 section 12.5). Pure.
//!
//! On TCP and TLS channel data is padded to a multiple of four bytes, and its length field does not count
//! the padding. The client library does neither side of this, and a single packet of another length would
//! put everything after it out of step.

use std::io;

/// Bytes before the content of channel data: number and length.
const CHANNEL_HEADER: usize = 4;
/// Bytes before the attributes of a STUN message.
const STUN_HEADER: usize = 20;

/// Pads what goes onto a stream.
pub fn pad(message: &mut Vec<u8>) {
    message.resize(message.len().next_multiple_of(4), 0);
}

/// Cuts what comes from a stream into messages without padding.
#[derive(Default)]
pub struct Cutter {
    /// The beginning of the next message.
    rest: Vec<u8>,
}

impl Cutter {
    /// The messages that are complete now. Fails at what is no TURN, after which the stream is of no use.
    pub fn cut(&mut self, bytes: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        self.rest.extend_from_slice(bytes);
        let (mut messages, mut at) = (Vec::new(), 0);
        while let [first, _, high, low, ..] = self.rest[at..] {
            let length = usize::from(u16::from_be_bytes([high, low]));
            let size = match first {
                0x00..=0x3f => STUN_HEADER + length,
                0x40..=0x4f => CHANNEL_HEADER + length,
                _ => return Err(io::ErrorKind::InvalidData.into()),
            };
            let padded = size.next_multiple_of(4);
            if self.rest.len() - at < padded {
                break;
            }
            messages.push(self.rest[at..at + size].to_vec());
            at += padded;
        }
        self.rest.drain(..at);
        Ok(messages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_as_they_went_in_however_the_stream_is_cut() {
        let mut binding = vec![0; 28];
        binding[..4].copy_from_slice(&[0x01, 0x01, 0, 8]);
        let channel = |content: &[u8]| [&[0x40, 1, 0, content.len() as u8], content].concat();
        let messages = vec![
            channel(b"seven.."),
            binding,
            channel(b""),
            channel(b"four"),
            channel(b"5.5.5"),
        ];
        let stream: Vec<u8> = messages
            .iter()
            .flat_map(|message| {
                let mut padded = message.clone();
                pad(&mut padded);
                padded
            })
            .collect();
        for part in 1..=stream.len() {
            let mut cutter = Cutter::default();
            let cut: Vec<Vec<u8>> = stream
                .chunks(part)
                .flat_map(|bytes| cutter.cut(bytes).expect("TURN"))
                .collect();
            assert_eq!(cut, messages, "in parts of {part}");
        }
    }

    #[test]
    fn what_is_no_turn_is_an_error() {
        assert!(Cutter::default().cut(b"\x7fELF and so on").is_err());
        assert!(Cutter::default().cut(&[0x80, 0, 0, 0]).is_err());
    }
}
