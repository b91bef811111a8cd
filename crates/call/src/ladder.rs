//! The first-frame ladder: what is tried, step by step, when both sides are there and nothing comes through. Pure.
//!
//! A second connection, then one over a relay, then sound alone, then the chat. Every step has an end, and the customer's
//! picture ends the climb at any of them. The clock stands while one side is away: what cannot be told cannot be tried.
//!
//! Sound that comes shows that the path is there: no other one is tried then, and the call begins without pictures when
//! their time is over. They are tried again later, with growing pauses.

use sightline_wire::{UnixMillis, room::Attempt};

/// When a step is given up, milliseconds after both sides were there.
///
/// A direct connection over 200 ms of round trip takes 0.8 s; three seconds leave room for two lost flights of DTLS.
/// A relay over TLS takes five round trips more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Then comes a second connection, with fresh sockets and candidates.
    pub again_ms: i64,
    /// Then one over a relay.
    pub relay_ms: i64,
    /// Then no more pictures: the first-frame deadline.
    pub sound_only_ms: i64,
    /// Then the chat.
    pub chat_ms: i64,
    /// A call without pictures tries them again after so long, at first.
    pub pictures_ms: i64,
    /// And after at most so long, later.
    pub longest_pictures_ms: i64,
}

/// The budget of every call.
pub const BUDGET: Budget = Budget {
    again_ms: 3_000,
    relay_ms: 5_000,
    sound_only_ms: 8_000,
    chat_ms: 12_000,
    pictures_ms: 30_000,
    longest_pictures_ms: 240_000,
};

/// How far the customer's media has come, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arrival {
    /// The connection has been open for a second, and nothing has come.
    Nothing,
    /// Sound, and no picture for a second.
    Sound,
    /// The first picture was drawn.
    Picture,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Try this from now on.
    Try(Attempt),
    /// Nothing helped: the conversation goes on in writing.
    Chat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Trying(Attempt),
    /// The call goes on without pictures; they are tried again at that time.
    Settled {
        again_at: UnixMillis,
    },
    Off,
}

/// One climb.
#[derive(Debug, Clone)]
pub struct Ladder {
    budget: Budget,
    relays: bool,
    /// Both sides are there since then, the times of absence taken out.
    since: UnixMillis,
    paused: Option<UnixMillis>,
    /// When it was looked at last, and when the last step was taken.
    seen: UnixMillis,
    stepped: UnixMillis,
    place: Place,
    heard: bool,
    /// The call has begun: it is not ended from here any more, and its path is no longer the ladder's.
    begun: bool,
    /// The connection being tried is known to be dead.
    dead: bool,
    /// The next pause of a call without pictures.
    pictures_ms: i64,
}

impl Ladder {
    /// Both sides are there. Without `relays` that step is left out.
    pub fn new(budget: Budget, relays: bool, now: UnixMillis) -> Self {
        Self {
            budget,
            relays,
            since: now,
            paused: None,
            seen: now,
            stepped: now,
            place: Place::Trying(Attempt::Direct),
            heard: false,
            begun: false,
            dead: false,
            pictures_ms: budget.pictures_ms,
        }
    }

    /// What is being tried; `None` when everything was.
    pub fn attempt(&self) -> Option<Attempt> {
        match self.place {
            Place::Trying(attempt) => Some(attempt),
            Place::Settled { .. } => Some(Attempt::SoundOnly),
            Place::Off => None,
        }
    }

    /// Whether it is the ladder that asks for new connections.
    pub fn connects(&self) -> bool {
        !self.begun && self.place != Place::Off
    }

    /// When a call that does not begin goes back to the chat, if both sides stay.
    pub fn end(&self) -> UnixMillis {
        self.since + self.budget.chat_ms
    }

    /// Whether both sides are there, which the clock needs to go on.
    pub fn together(&mut self, both: bool, now: UnixMillis) {
        match (both, self.paused) {
            (true, Some(at)) => {
                let away = (now - at).max(0);
                self.since += away;
                self.stepped += away;
                self.seen = now;
                if let Place::Settled { again_at } = &mut self.place {
                    *again_at += away;
                }
                self.paused = None;
            }
            (false, None) => self.paused = Some(now),
            (true, None) | (false, Some(_)) => {}
        }
    }

    /// The customer is heard.
    pub fn heard(&mut self, now: UnixMillis) {
        self.heard = true;
        self.stay(now);
    }

    /// The connection that is being tried, or was heard, is dead: its next rung need not be waited for.
    pub fn lost(&mut self) {
        self.heard = false;
        self.dead = true;
    }

    /// A new connection is up.
    pub fn connected(&mut self) {
        self.dead = false;
    }

    /// The call has begun, whatever the customer's picture does.
    pub fn begun(&mut self, now: UnixMillis) {
        self.begun = true;
        self.stay(now);
    }

    /// When [`Self::advance`] is due.
    pub fn deadline(&self) -> Option<UnixMillis> {
        self.next().map(|(_, at)| at).filter(|_| self.paused.is_none())
    }

    /// The step that is due. One at a time: a machine that slept gives each its time all the same.
    pub fn advance(&mut self, now: UnixMillis) -> Option<Step> {
        if self.paused.is_some() {
            return None;
        }
        let seen = std::mem::replace(&mut self.seen, now);
        let (step, at) = self.next().filter(|(_, at)| now >= *at)?;
        // What it is late by because nobody looked. A dead connection's next rung is never late.
        if !std::mem::take(&mut self.dead) {
            self.since += now - at.max(seen);
        }
        self.stepped = now;
        match step {
            Step::Chat => self.place = Place::Off,
            Step::Try(attempt) => {
                if attempt == Attempt::Direct {
                    self.since = now;
                }
                self.place = Place::Trying(attempt);
                if self.heard || self.begun {
                    self.stay(now);
                }
            }
        }
        Some(step)
    }

    /// A call without pictures is one: it stays.
    fn stay(&mut self, now: UnixMillis) {
        if self.place != Place::Trying(Attempt::SoundOnly) {
            return;
        }
        self.begun = true;
        self.place = Place::Settled {
            again_at: now + self.pictures_ms,
        };
        self.pictures_ms = (self.pictures_ms * 2).min(self.budget.longest_pictures_ms);
    }

    fn next(&self) -> Option<(Step, UnixMillis)> {
        let Budget {
            again_ms,
            relay_ms,
            sound_only_ms,
            ..
        } = self.budget;
        let rung = |attempt, at| Some((Step::Try(attempt), if self.dead { self.since } else { at }));
        // A second connection that was wanted late has its time all the same, unless that is over.
        let relay_at = (self.since + relay_ms).max(self.stepped + relay_ms - again_ms);
        let sound_only_at = self.since + sound_only_ms;
        // A path that carries sound is not exchanged, and that of a call that has begun not from here.
        let connects = !self.heard && !self.begun;
        match self.place {
            Place::Trying(Attempt::Direct) if connects => rung(Attempt::Again, self.since + again_ms),
            Place::Trying(Attempt::Again) if connects && self.relays && relay_at < sound_only_at => {
                rung(Attempt::Relay, relay_at)
            }
            Place::Trying(Attempt::Direct | Attempt::Again | Attempt::Relay) => {
                Some((Step::Try(Attempt::SoundOnly), sound_only_at))
            }
            Place::Trying(Attempt::SoundOnly) => Some((Step::Chat, self.end())),
            Place::Settled { again_at } => Some((Step::Try(Attempt::Direct), again_at)),
            Place::Off => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Attempt::*;

    fn ladder(relays: bool) -> Ladder {
        Ladder::new(BUDGET, relays, 1_000)
    }

    /// Climbs to the end, waking at each deadline.
    fn climb(mut ladder: Ladder) -> Vec<(UnixMillis, Step)> {
        let mut steps = Vec::new();
        while let Some(at) = ladder.deadline() {
            assert_eq!(ladder.advance(at - 1), None, "nothing is due early");
            steps.push((at, ladder.advance(at).expect("the step is due")));
            assert!(steps.len() < 10, "the ladder has an end");
        }
        steps
    }

    #[test]
    fn every_step_in_its_time() {
        let expected = [
            (4_000, Step::Try(Again)),
            (6_000, Step::Try(Relay)),
            (9_000, Step::Try(SoundOnly)),
            (13_000, Step::Chat),
        ];
        assert_eq!(climb(ladder(true)), expected);
    }

    #[test]
    fn without_relays_that_step_is_left_out_and_the_end_is_no_later() {
        let expected = [
            (4_000, Step::Try(Again)),
            (9_000, Step::Try(SoundOnly)),
            (13_000, Step::Chat),
        ];
        assert_eq!(climb(ladder(false)), expected);
    }

    #[test]
    fn a_dead_connection_is_not_waited_for() {
        let mut ladder = ladder(true);
        ladder.lost();
        assert_eq!(ladder.advance(1_500), Some(Step::Try(Again)));
        assert_eq!(ladder.deadline(), Some(6_000), "the next rung has its own time");
        ladder.lost();
        assert_eq!(ladder.advance(1_600), Some(Step::Try(Relay)));
        ladder.lost();
        assert_eq!(ladder.deadline(), Some(9_000), "there is no other way to try");
    }

    #[test]
    fn a_path_that_was_heard_and_is_lost_late_leaves_time_for_a_second_one() {
        let mut ladder = ladder(true);
        ladder.heard(1_500);
        assert_eq!(ladder.advance(5_000), None);
        ladder.lost();
        assert_eq!(ladder.advance(5_500), Some(Step::Try(Again)));
        assert_eq!(ladder.deadline(), Some(7_500), "it has its two seconds");
        assert_eq!(ladder.advance(7_500), Some(Step::Try(Relay)));
        assert_eq!(ladder.deadline(), Some(9_000), "and the first-frame deadline stands");
    }

    #[test]
    fn the_clock_stands_while_a_side_is_away() {
        let mut ladder = ladder(true);
        ladder.together(false, 2_000);
        assert_eq!((ladder.deadline(), ladder.advance(60_000)), (None, None));
        ladder.together(false, 30_000);
        ladder.together(true, 62_000);
        assert_eq!(ladder.deadline(), Some(64_000));
        assert_eq!(ladder.end(), 73_000);
    }

    #[test]
    fn a_machine_that_slept_gives_each_step_its_time() {
        let mut ladder = ladder(true);
        assert_eq!(ladder.advance(50_000), Some(Step::Try(Again)));
        assert_eq!(ladder.deadline(), Some(52_000));
    }

    #[test]
    fn sound_keeps_the_path_and_begins_the_call_when_the_pictures_time_is_over() {
        let mut ladder = ladder(true);
        ladder.heard(1_500);
        assert_eq!(ladder.deadline(), Some(9_000));
        assert_eq!(ladder.advance(9_000), Some(Step::Try(SoundOnly)));
        assert!(!ladder.connects());
        // Pictures are tried again, and given up again, more and more seldom; the chat is no way out any more.
        let mut pauses = Vec::new();
        for _ in 0..5 {
            let at = ladder.deadline().expect("pictures are tried again");
            assert_eq!(ladder.advance(at), Some(Step::Try(Direct)));
            let over = ladder.deadline().expect("not for ever");
            assert_eq!(ladder.advance(over), Some(Step::Try(SoundOnly)));
            pauses.push((over - at, ladder.deadline().expect("another time") - over));
        }
        let pauses_ms = pauses.iter().map(|(_, pause)| *pause);
        assert!(pauses.iter().all(|(trying, _)| *trying == BUDGET.sound_only_ms));
        assert!(pauses_ms.eq([60_000, 120_000, 240_000, 240_000, 240_000]));
    }

    #[test]
    fn sound_that_comes_in_the_last_step_is_in_time() {
        let mut ladder = ladder(false);
        for at in [4_000, 9_000] {
            ladder.advance(at);
        }
        assert!(ladder.connects());
        ladder.heard(12_900);
        assert_eq!(ladder.deadline(), Some(12_900 + BUDGET.pictures_ms));
        assert_eq!(ladder.attempt(), Some(SoundOnly));
    }

    #[test]
    fn whatever_happens_the_steps_go_up_in_bounded_time() {
        for seed in 1..4_000_u64 {
            let mut random = seed;
            let mut draw = |below: u64| {
                // xorshift64 (Marsaglia 2003).
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                random % below
            };
            let mut ladder = Ladder::new(BUDGET, draw(2) == 0, 0);
            let (mut now, mut together_ms, mut both) = (0, 0, true);
            let mut rung = 0;
            while ladder.attempt().is_some() && now < 200_000 {
                let wait = draw(700) as i64;
                now += wait;
                if both {
                    together_ms += wait;
                }
                match draw(40) {
                    0 => {
                        both = !both;
                        ladder.together(both, now);
                    }
                    1 => ladder.lost(),
                    2 if seed % 3 == 0 => ladder.heard(now),
                    3 => ladder.connected(),
                    4 if seed % 7 == 0 => ladder.begun(now),
                    _ => {}
                }
                let begun = !ladder.connects();
                let step = ladder.advance(now);
                // Four wake-ups, each up to 700 ms late.
                assert!(
                    !ladder.connects() || together_ms <= BUDGET.chat_ms + 4 * 700,
                    "seed {seed}: {together_ms} ms together without an end"
                );
                assert!(both || step.is_none(), "seed {seed}: a step that nobody can be told");
                let before = rung;
                rung = match step {
                    None => continue,
                    Some(Step::Try(Direct)) => {
                        assert!(begun, "seed {seed}: only a call that has begun starts anew");
                        0
                    }
                    Some(Step::Try(Again)) => 1,
                    Some(Step::Try(Relay)) => 2,
                    Some(Step::Try(SoundOnly)) => 3,
                    Some(Step::Chat) => 4,
                };
                assert!(rung > before || rung == 0, "seed {seed}: from {before} to {rung}");
                assert!(
                    !(begun && [1, 2, 4].contains(&rung)),
                    "seed {seed}: the path of a call that runs"
                );
            }
        }
    }
}
