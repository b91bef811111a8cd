//! What the echo peer has seen and heard of a desk.

use super::{pictures::Whole, sequence::Arrivals};
use sightline_wire::readiness::EchoHeard;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// What a stream carries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Sound.
    Sound,
    /// The camera's pictures.
    Pictures,
}

/// Packets of one stream.
#[derive(Clone, Copy)]
struct Stream {
    kind: Kind,
    came: u64,
    expected: u64,
}

#[derive(Default)]
struct State {
    joined: Option<Instant>,
    first_picture: Option<Instant>,
    pictures: u32,
    size: (u32, u32),
    /// By SSRC: a second connection has its own.
    streams: HashMap<u32, Stream>,
}

/// Filled by the connection, asked by the desk.
#[derive(Clone, Default)]
pub struct Ear(Arc<Mutex<State>>);

impl Ear {
    /// The invite is redeemed.
    pub fn joined(&self, now: Instant) {
        self.lock().joined.get_or_insert(now);
    }

    /// Packets of a stream have come.
    pub fn packets(&self, ssrc: u32, kind: Kind, arrivals: &Arrivals) {
        let stream = Stream {
            kind,
            came: arrivals.count(),
            expected: arrivals.expected(),
        };
        self.lock().streams.insert(ssrc, stream);
    }

    /// A picture has come whole; `true` for the very first.
    pub fn picture(&self, whole: Whole, now: Instant) -> bool {
        let mut state = self.lock();
        state.pictures = state.pictures.saturating_add(1);
        if let Some(size) = whole.size {
            state.size = size;
        }
        let first = state.first_picture.is_none();
        state.first_picture.get_or_insert(now);
        first
    }

    /// Whether a key frame has come.
    pub fn knows_size(&self) -> bool {
        self.lock().size != (0, 0)
    }

    /// All of it. The loss is the sound's, whose packets are never sent again; that of the pictures after what was
    /// sent again, where a desk has no microphone.
    pub fn heard(&self) -> EchoHeard {
        let state = self.lock();
        let sum = |kind| {
            let of_kind = state.streams.values().filter(|stream| stream.kind == kind);
            of_kind.fold((0, 0), |(came, expected), stream| {
                (came + stream.came, expected + stream.expected)
            })
        };
        let (sound, pictures) = (sum(Kind::Sound), sum(Kind::Pictures));
        let (came, expected) = if sound.1 > 0 { sound } else { pictures };
        let first_picture_ms = match (state.joined, state.first_picture) {
            (Some(joined), Some(first)) => {
                let after = first.saturating_duration_since(joined).as_millis();
                Some(u32::try_from(after).unwrap_or(u32::MAX))
            }
            (None, _) | (_, None) => None,
        };
        EchoHeard {
            pictures: state.pictures,
            width: state.size.0,
            height: state.size.1,
            packets: u32::try_from(sound.0).unwrap_or(u32::MAX),
            loss: if expected == 0 {
                0.0
            } else {
                (expected - came) as f64 / expected as f64
            },
            first_picture_ms,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn arrivals(numbers: impl IntoIterator<Item = u16>) -> Arrivals {
        let mut arrivals = Arrivals::default();
        for number in numbers {
            arrivals.came(number);
        }
        arrivals
    }

    #[test]
    fn it_tells_what_came_and_what_was_lost() {
        let (ear, now) = (Ear::default(), Instant::now());
        assert_eq!(ear.heard(), EchoHeard::default());
        ear.joined(now);
        ear.packets(1, Kind::Pictures, &arrivals([1, 2, 4, 5]));
        assert_eq!(ear.heard().loss, 0.2, "the pictures', as long as there is no sound");
        ear.packets(2, Kind::Sound, &arrivals([1, 2, 4]));
        // Another connection of the same call.
        ear.packets(3, Kind::Sound, &arrivals(10..=14));
        let size = Some((1_280, 720));
        assert!(ear.picture(Whole { size: None }, now + Duration::from_millis(321)));
        assert!(!ear.knows_size());
        assert!(!ear.picture(Whole { size }, now + Duration::from_millis(400)));
        assert!(ear.knows_size());
        let heard = ear.heard();
        assert_eq!((heard.pictures, heard.width, heard.height), (2, 1_280, 720));
        assert_eq!((heard.packets, heard.first_picture_ms), (8, Some(321)));
        assert!((heard.loss - 1.0 / 9.0).abs() < 1e-9, "{heard:?}");
    }
}
