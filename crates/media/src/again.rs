//! What goes out twice, unasked.
//!
//! A lost datagram of the handshake or of its checks costs a customer 100 to 200 ms, a lost packet of her first picture a
//! round trip and more, a lost request for a whole picture 300 ms. Their copies cost 30 KB once in a call, and 26 bytes a
//! request. A copy is the same datagram, so whoever has the first one drops the second: a check by its transaction (RFC
//! 8489, 6.3), DTLS by its record's number (RFC 9147, 4.5.1), SRTP and SRTCP by their index (RFC 3711, 3.3.2).

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};
use str0m::net::Transmit;

/// A copy follows after this: what overflows a queue, or fades, takes neighbours with it.
const AFTER: Duration = Duration::from_millis(15);
/// The first picture has left after this.
const FIRST_PICTURE: Duration = Duration::from_millis(50);
/// Sound is smaller, and mends itself.
const SMALLEST_OF_A_PICTURE: usize = 300;
/// Requests that concern a picture, among them the one for a whole one (RFC 4585, 6.1).
const OF_A_PICTURE: u8 = 206;
/// At most so many copies wait.
const MOST: usize = 128;

/// The copies of one connection.
#[derive(Default)]
pub struct Again {
    picture_began: Option<Instant>,
    waiting: VecDeque<(Instant, Transmit)>,
}

impl Again {
    /// A picture begins to go out; only the first one counts.
    pub fn picture(&mut self, now: Instant) {
        self.picture_began.get_or_insert(now);
    }

    /// This goes out now. `connecting`: DTLS is not up yet.
    pub fn sent(&mut self, now: Instant, transmit: &Transmit, connecting: bool) {
        if self.matters(now, &transmit.contents, connecting) && self.waiting.len() < MOST {
            let copy = Transmit {
                proto: transmit.proto,
                source: transmit.source,
                destination: transmit.destination,
                contents: transmit.contents.to_vec().into(),
            };
            self.waiting.push_back((now + AFTER, copy));
        }
    }

    /// When [`Again::due`] has something.
    pub fn deadline(&self) -> Option<Instant> {
        self.waiting.front().map(|(due, _)| *due)
    }

    /// The next copy that is due.
    pub fn due(&mut self, now: Instant) -> Option<Transmit> {
        self.waiting.pop_front_if(|(due, _)| *due <= now).map(|(_, copy)| copy)
    }

    /// By the first byte (RFC 7983, section 7).
    fn matters(&self, now: Instant, datagram: &[u8], connecting: bool) -> bool {
        match datagram.first() {
            Some(0..=3) => connecting,
            Some(20..=63) => true,
            Some(128..=191) if datagram.get(1) == Some(&OF_A_PICTURE) => true,
            Some(128..=191) => {
                datagram.len() >= SMALLEST_OF_A_PICTURE
                    && self
                        .picture_began
                        .is_some_and(|began| now.saturating_duration_since(began) < FIRST_PICTURE)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use str0m::net::Protocol;

    fn datagram(first: u8, size: usize) -> Transmit {
        let address = ([127, 0, 0, 1], 9).into();
        Transmit {
            proto: Protocol::Udp,
            source: address,
            destination: address,
            contents: vec![first; size].into(),
        }
    }

    #[test]
    fn the_handshake_the_first_picture_and_requests_for_one_go_out_twice_and_nothing_else() {
        let (mut again, start) = (Again::default(), Instant::now());
        let ms = |ms| start + Duration::from_millis(ms);
        again.sent(ms(0), &datagram(1, 100), true);
        again.sent(ms(0), &datagram(22, 700), true);
        again.sent(ms(0), &datagram(1, 100), false);
        again.sent(ms(1), &datagram(144, 1_100), false);
        assert_eq!(again.deadline(), Some(ms(15)));
        assert!(again.due(ms(14)).is_none());
        assert_eq!(again.due(ms(15)).map(|copy| copy.contents.len()), Some(100));
        assert_eq!(
            again.due(ms(15)).map(|copy| copy.contents.to_vec()),
            Some(vec![22; 700])
        );
        assert_eq!(
            again.deadline(),
            None,
            "no picture had begun, and a check of a path that is there can wait"
        );

        again.picture(ms(20));
        again.sent(ms(21), &datagram(144, 1_100), false);
        again.sent(ms(22), &datagram(144, 120), false);
        again.picture(ms(60));
        again.sent(ms(71), &datagram(144, 1_100), false);
        assert_eq!(again.due(ms(100)).map(|copy| copy.contents.len()), Some(1_100));
        assert!(again.due(ms(100)).is_none(), "sound and later pictures go once");

        let mut request = datagram(129, 26);
        request.contents = vec![129, 206, 0, 2].into();
        again.sent(ms(900), &request, false);
        let copy = again.due(ms(915)).map(|copy| copy.contents.to_vec());
        assert_eq!(copy, Some(vec![129, 206, 0, 2]), "a request for a whole picture");
    }
}
