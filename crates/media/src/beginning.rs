//! Whether a stream of pictures is there from its beginning.
//!
//! What was lost before the first packet that arrives leaves no gap, so nobody sends it again; and pictures that build
//! on it are waited for in vain. The first packet itself tells.

/// One stream: the camera's or the screen's.
#[derive(Debug, Default)]
pub struct Beginning {
    seen: bool,
}

impl Beginning {
    /// A packet has come. True when it is the first one and something is missing before it.
    pub fn missing(&mut self, payload: &[u8]) -> bool {
        // Nothing but padding.
        if payload.is_empty() {
            return false;
        }
        let first = !std::mem::replace(&mut self.seen, true);
        first && begins_whole_picture(payload) == Some(false)
    }
}

/// Whether a VP8 payload (RFC 7741, sections 4.2 and 4.3) is the first of a key frame; `None` when it is too short to
/// say.
fn begins_whole_picture(payload: &[u8]) -> Option<bool> {
    let (&descriptor, mut rest) = payload.split_first()?;
    let begins = descriptor & 0b0001_0111 == 0b0001_0000;
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
    Some(begins && rest.first()? & 1 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_packet_tells_and_only_when_it_begins_no_whole_picture() {
        let key = [0x90, 0x80, 0x81, 0x02, 0x10, 0x02];
        let same_picture_later = [0x80, 0x80, 0x81, 0x02, 0x10];
        let changes = [0x90, 0x80, 0x81, 0x02, 0x11];
        let second_partition = [0x91, 0x80, 0x01, 0x10];
        let plain = [0x10, 0x10];
        for (payload, missing) in [
            (&key[..], false),
            (&plain, false),
            (&same_picture_later, true),
            (&changes, true),
            (&second_partition, true),
            (&[0x90, 0xf0, 0x05, 0x01, 0x00, 0x10], false),
            (&[0x90, 0xf0, 0x05, 0x01, 0x00, 0x11], true),
            (&[0x90, 0x80], false),
        ] {
            let mut stream = Beginning::default();
            assert!(!stream.missing(&[]));
            assert_eq!(stream.missing(payload), missing, "{payload:x?}");
            assert!(!stream.missing(&changes), "the second one may be any");
        }
    }
}
