//! Datagrams that come before they can be used, kept until they can.
//!
//! - DTLS from an address that no check of ours has reached yet: a browser says hello as soon as its own check is
//!   answered, half a round trip before ours is, and says it again only a second later.
//! - Pictures that have overtaken the end of the handshake, or whose handshake lost it: a browser sends its first one
//!   right after its last flight, and says that again only after 200 ms. They are looked at when DTLS is up, never
//!   before. Without them a whole picture would be asked for, a round trip more. Sound is not kept: it would be late.

use std::{collections::VecDeque, net::SocketAddr};
use str0m::media::Pt;

/// So many of DTLS, the newest.
const MOST_OF_DTLS: usize = 8;
/// So many of pictures, the oldest: a second at [`crate::line::START`].
const MOST_OF_PICTURES: usize = 200;

/// From where, to which address of ours, and what.
pub type Datagram = (SocketAddr, SocketAddr, Vec<u8>);

/// What came early on one connection.
#[derive(Debug, Default)]
pub struct Early {
    dtls: VecDeque<Datagram>,
    pictures: Vec<Datagram>,
}

impl Early {
    /// Whether `datagram` came too early; it is kept then. `ours`: from an address that checks have reached. `vp8`: how
    /// pictures are marked.
    pub fn keeps(
        &mut self,
        (source, local): (SocketAddr, SocketAddr),
        datagram: &[u8],
        ours: bool,
        vp8: Option<Pt>,
    ) -> bool {
        let room_for_pictures = self.pictures.len() < MOST_OF_PICTURES;
        let kept = || (source, local, datagram.to_vec());
        // By the first byte (RFC 7983, 7), and the payload's type in the second (RFC 3550, 5.1).
        match datagram {
            [20..=63, ..] if !ours => {
                self.dtls.truncate(MOST_OF_DTLS - 1);
                self.dtls.push_front(kept());
                true
            }
            [128..=191, kind, ..] if ours && vp8.is_some_and(|vp8| *vp8 == kind & 0x7f) && room_for_pictures => {
                self.pictures.push(kept());
                true
            }
            _ => false,
        }
    }

    /// What is kept of DTLS, the newest first; what is still too early comes back by [`Early::put_back`].
    pub fn take_dtls(&mut self) -> VecDeque<Datagram> {
        std::mem::take(&mut self.dtls)
    }

    /// Still too early.
    pub fn put_back(&mut self, datagram: Datagram) {
        self.dtls.push_back(datagram);
    }

    /// DTLS is up: the pictures, in the order in which they came.
    pub fn take_pictures(&mut self) -> Vec<Datagram> {
        self.dtls.clear();
        std::mem::take(&mut self.pictures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dtls_from_strangers_and_pictures_from_the_other_side_are_kept() {
        let way = (([10, 0, 0, 2], 5).into(), ([10, 0, 0, 1], 5).into());
        let vp8 = Some(Pt::from(96));
        let mut early = Early::default();
        let (hello, picture, sound, check) = ([22, 1], [0x90, 0x80 | 96, 7], [0x90, 111], [0, 1]);
        assert!(!early.keeps(way, &hello, true, vp8), "it can be used");
        assert!(!early.keeps(way, &check, false, vp8));
        assert!(!early.keeps(way, &sound, true, vp8));
        assert!(!early.keeps(way, &picture, false, vp8), "whoever that is");
        assert!(!early.keeps(way, &picture, true, None));
        for n in 0..20 {
            assert!(early.keeps(way, &[22, n], false, vp8));
        }
        for n in 0..=255 {
            assert_eq!(early.keeps(way, &[0x90, 96, n], true, vp8), n < 200);
        }
        let newest: Vec<u8> = early.take_dtls().into_iter().map(|(.., bytes)| bytes[1]).collect();
        assert_eq!(newest, [19, 18, 17, 16, 15, 14, 13, 12]);
        early.put_back((way.0, way.1, hello.to_vec()));
        let oldest: Vec<u8> = early.take_pictures().into_iter().map(|(.., bytes)| bytes[2]).collect();
        assert!(oldest.into_iter().eq(0..200));
        assert!(early.take_dtls().is_empty(), "no hello is waited for any more");
    }
}
