//! Whether a stream of pictures is there from its beginning.
//!
//! What was lost before the first packet that arrives leaves no gap, so nobody sends it again, and pictures that build
//! on it are waited for in vain. The first packet itself tells.
//!
//! When it is a piece of a picture without its head, str0m keeps everything that follows waiting for that head, for
//! three round trips after the next picture, the whole one that was asked for included. It is made to forget the piece
//! as soon as another picture begins.

use str0m::{Rtc, media::Mid, rtp::Ssrc};

/// One stream: the camera's or the screen's.
#[derive(Debug, Clone, Copy, Default)]
pub enum Beginning {
    /// Nothing has come.
    #[default]
    Unseen,
    /// Pieces of the picture of that time have come, and its head has not.
    Cut {
        /// Who sends it.
        source: Ssrc,
        /// As in the packets' headers, 90 kHz.
        time: u32,
    },
    /// A picture has come from its head on, and whatever is lost from then on leaves a gap.
    Seen,
}

impl Beginning {
    /// A packet has come. True when it is the first one and something is missing before it.
    pub fn missing(&mut self, source: Ssrc, time: u32, payload: &[u8]) -> bool {
        // Nothing but padding.
        if payload.is_empty() || matches!(self, Self::Seen) {
            return false;
        }
        let first = matches!(self, Self::Unseen);
        *self = match begins_picture(payload) {
            true => Self::Seen,
            false => Self::Cut { source, time },
        };
        first && begins_whole_picture(payload) == Some(false)
    }

    /// Whose pieces to forget before this datagram is handed to str0m: those of a picture without its head when the
    /// datagram belongs to another one. It must say itself that it belongs to `section`, because that is forgotten too; a
    /// browser says it until the stream's first report has reached it, a round trip at least.
    pub fn forgets(&self, datagram: &[u8], section: Mid) -> Option<Ssrc> {
        let Self::Cut { source, time } = *self else { return None };
        // RFC 3550, 5.1.
        let header = datagram.first_chunk::<12>()?;
        let number = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let another = number(8) == *source && number(4) != time;
        (another && says(datagram, &section.to_string())).then_some(source)
    }
}

/// Makes str0m forget what it has of a stream: the next packet is its first one. str0m does that for a source that takes
/// the place of another one, so one that nobody has takes its place for a moment.
pub fn forget(rtc: &mut Rtc, section: Mid, source: Ssrc) {
    let mut api = rtc.direct_api();
    let resent_by = api.stream_rx(&source).and_then(|stream| stream.rtx());
    if api.remove_stream_rx(source) {
        let nobody = api.new_ssrc();
        api.expect_stream_rx(nobody, resent_by, section, None);
    }
}

/// Whether an RTP packet says of which section it is (RFC 9143, 15), in one-byte elements (RFC 8285, 4.2).
fn says(datagram: &[u8], section: &str) -> bool {
    let extended = datagram[0] & 0b0001_0000 != 0;
    let after_sources = 12 + 4 * usize::from(datagram[0] & 0b1111);
    let Some([0xbe, 0xde, length @ .., _, _]) = datagram.get(after_sources..after_sources + 6).filter(|_| extended)
    else {
        return false;
    };
    let words = usize::from(u16::from_be_bytes([length[0], length[1]]));
    let elements = datagram.get(after_sources + 4..after_sources + 4 + 4 * words);
    let mut rest = elements.unwrap_or_default();
    while let [first, after @ ..] = rest {
        // A zero is padding.
        let length = if *first == 0 {
            0
        } else {
            usize::from(first & 0b1111) + 1
        };
        let Some((value, others)) = after.split_at_checked(length) else {
            return false;
        };
        if value == section.as_bytes() {
            return true;
        }
        rest = others;
    }
    false
}

/// Whether a VP8 payload (RFC 7741, 4.2) is the first of its picture.
fn begins_picture(payload: &[u8]) -> bool {
    payload
        .first()
        .is_some_and(|descriptor| descriptor & 0b0001_0111 == 0b0001_0000)
}

/// Whether a VP8 payload (RFC 7741, 4.2 and 4.3) is the first of a key frame; `None` when it is too short to say.
fn begins_whole_picture(payload: &[u8]) -> Option<bool> {
    let (&descriptor, mut rest) = payload.split_first()?;
    if descriptor & 0x80 != 0 {
        let (&extensions, after) = rest.split_first()?;
        let wide = extensions & 0x80 != 0 && after.first()? & 0x80 != 0;
        let skipped = [
            extensions & 0x80 != 0,
            wide,
            extensions & 0x40 != 0,
            extensions & 0x30 != 0,
        ];
        rest = after.get(skipped.into_iter().filter(|there| *there).count()..)?;
    }
    Some(begins_picture(payload) && rest.first()? & 1 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 6] = [0x90, 0x80, 0x81, 0x02, 0x10, 0x02];
    const LATER_PIECE: [u8; 5] = [0x80, 0x80, 0x81, 0x02, 0x10];
    const CHANGES: [u8; 5] = [0x90, 0x80, 0x81, 0x02, 0x11];

    #[test]
    fn only_the_first_packet_tells_and_only_when_it_begins_no_whole_picture() {
        let second_partition = [0x91, 0x80, 0x01, 0x10];
        let plain = [0x10, 0x10];
        for (payload, missing) in [
            (&KEY[..], false),
            (&plain, false),
            (&LATER_PIECE, true),
            (&CHANGES, true),
            (&second_partition, true),
            (&[0x90, 0xf0, 0x05, 0x01, 0x00, 0x10], false),
            (&[0x90, 0xf0, 0x05, 0x01, 0x00, 0x11], true),
            (&[0x90, 0x80], false),
        ] {
            let (mut stream, source) = (Beginning::default(), Ssrc::from(7));
            assert!(!stream.missing(source, 1, &[]));
            assert_eq!(stream.missing(source, 1, payload), missing, "{payload:x?}");
            assert!(!stream.missing(source, 2, &CHANGES), "the second one may be any");
        }
    }

    /// A packet of source 7 with three header elements: one of two bytes, padding, and the section.
    fn packet(time: u8, section: &[u8; 3]) -> Vec<u8> {
        let mut packet = vec![0x90, 96, 0, 1, 0, 0, 0, time, 0, 0, 0, 7, 0xbe, 0xde, 0, 2];
        packet.extend([0x31, 5, 5, 0, 0x42]);
        packet.extend(section);
        packet.extend(CHANGES);
        packet
    }

    #[test]
    fn pieces_are_forgotten_for_another_picture_that_says_where_it_belongs() {
        let (section, source) = (Mid::from("cam"), Ssrc::from(7));
        let mut stream = Beginning::default();
        assert_eq!(stream.forgets(&packet(1, b"cam"), section), None, "there are none");
        stream.missing(source, 1, &LATER_PIECE);
        assert_eq!(stream.forgets(&packet(1, b"cam"), section), None, "the same picture");
        assert_eq!(stream.forgets(&packet(2, b"scr"), section), None);
        let mut foreign = packet(2, b"cam");
        foreign[11] = 8;
        assert_eq!(stream.forgets(&foreign, section), None);
        let whole = packet(2, b"cam");
        assert_eq!(stream.forgets(&whole, section), Some(source));
        for end in 0..24 {
            assert_eq!(stream.forgets(&whole[..end], section), None, "cut after {end}");
        }
        let mut without = whole.clone();
        without[0] = 0x80;
        assert_eq!(stream.forgets(&without, section), None, "it says nothing");
        let mut with_a_contributor = whole.clone();
        with_a_contributor[0] |= 1;
        with_a_contributor.splice(12..12, [1, 2, 3, 4]);
        assert_eq!(stream.forgets(&with_a_contributor, section), Some(source));

        stream.missing(source, 2, &LATER_PIECE);
        assert_eq!(stream.forgets(&whole, section), None, "that one lost its head as well");
        stream.missing(source, 3, &CHANGES);
        assert_eq!(stream.forgets(&packet(4, b"cam"), section), None, "one has its head");
    }
}
