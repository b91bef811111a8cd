//! How often key frames are asked for and made.
//!
//! A key frame costs as much as some ten other pictures. On a path that loses packets, asking for each damaged
//! picture would fill the path with key frames, and answering each request would too.

use std::time::{Duration, Instant};

/// Between two requests at first.
const ASK_AGAIN: Duration = Duration::from_millis(300);
/// At most, while none of them brings a key frame.
const ASK_AT_LAST: Duration = Duration::from_millis(2_400);
/// Requests closer together are one that was said twice (`again.rs`).
const ONE_REQUEST: Duration = Duration::from_millis(30);
/// Between two key frames made on request.
const MAKE_AGAIN: Duration = Duration::from_millis(500);

/// Our requests to the other side.
#[derive(Debug, Default)]
pub struct Requests {
    asked: Option<(Instant, Duration)>,
}

impl Requests {
    /// A picture is damaged; true when this is the time to ask.
    pub fn wanted(&mut self, now: Instant) -> bool {
        match self.asked {
            Some((at, wait)) if now.saturating_duration_since(at) < wait => false,
            asked => {
                let wait = asked.map_or(ASK_AGAIN, |(_, wait)| (wait * 2).min(ASK_AT_LAST));
                self.asked = Some((now, wait));
                true
            }
        }
    }

    /// A key frame came: the next damage is asked about after the shortest time again.
    pub fn came(&mut self) {
        if let Some((_, wait)) = &mut self.asked {
            *wait = ASK_AGAIN;
        }
    }
}

/// The other side's requests to us.
#[derive(Debug, Default)]
pub struct Answers {
    requested: Option<Instant>,
    made: Option<Instant>,
    owed: bool,
}

impl Answers {
    /// The other side asks.
    pub fn requested(&mut self, now: Instant) {
        let before = self.requested.replace(now);
        self.owed |= before.is_none_or(|before| now.saturating_duration_since(before) >= ONE_REQUEST);
    }

    /// The path has changed or begun: whoever lost packets wants a whole picture, however short ago the last was.
    pub fn path_changed(&mut self) {
        self.owed = true;
        self.made = None;
    }

    /// True when a key frame is due now; it is then taken for made.
    pub fn due(&mut self, now: Instant) -> bool {
        let due = self.owed
            && self
                .made
                .is_none_or(|made| now.saturating_duration_since(made) >= MAKE_AGAIN);
        if due {
            self.owed = false;
            self.made = Some(now);
        }
        due
    }

    /// When [`Answers::due`] may become true.
    pub fn deadline(&self) -> Option<Instant> {
        self.owed.then_some(self.made? + MAKE_AGAIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn requests_back_off_until_a_key_frame_comes() {
        let start = Instant::now();
        let mut requests = Requests::default();
        let asked = |requests: &mut Requests, from: u32, to: u32| -> Vec<u32> {
            (from..to).filter(|n| requests.wanted(start + MS * *n)).collect()
        };
        assert_eq!(asked(&mut requests, 0, 8_000), [0, 300, 900, 2_100, 4_500, 6_900]);
        requests.came();
        assert_eq!(asked(&mut requests, 8_000, 9_000), [8_000, 8_600]);
    }

    #[test]
    fn answers_are_half_a_second_apart_unless_the_path_changes() {
        let start = Instant::now();
        let mut answers = Answers::default();
        assert!(!answers.due(start));
        answers.requested(start);
        assert!(answers.due(start));
        answers.requested(start + 15 * MS);
        assert_eq!(answers.deadline(), None, "that was its copy");
        answers.requested(start + 60 * MS);
        assert!(!answers.due(start + 499 * MS));
        assert_eq!(answers.deadline(), Some(start + 500 * MS));
        assert!(
            answers.due(start + 500 * MS),
            "a request that came early is answered later, not forgotten"
        );
        answers.path_changed();
        assert!(answers.due(start + 501 * MS));
        assert!(!answers.due(start + 2_000 * MS));
    }
}
