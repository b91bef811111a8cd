//! What the call does at each rung of the ladder.

use super::{CallEffect, DeskCall, Phase, Trouble};
use crate::ladder::{Arrival, BUDGET, Ladder, Step};
use sightline_wire::{
    ErrorCode, Problem, UnixMillis,
    escalation::{EndReason, IcePolicy},
    room::Attempt,
};

impl DeskCall {
    /// What is being tried.
    pub(super) fn attempt(&self) -> Attempt {
        let tried = self.ladder.as_ref().and_then(Ladder::attempt);
        tried.unwrap_or(Attempt::Direct)
    }

    /// Whether new connections are the ladder's business, and not [`super::Path`]'s.
    pub(super) fn climbs(&self) -> bool {
        self.ladder.as_ref().is_some_and(Ladder::connects)
    }

    /// Follows what has just happened, and takes the step that is due.
    pub(super) fn climb(&mut self, now: UnixMillis) -> Vec<CallEffect> {
        match self.phase {
            Phase::Preparing | Phase::Waiting(_) | Phase::Ended { .. } => {
                self.ladder = None;
                return Vec::new();
            }
            Phase::Connecting { .. } if self.ladder.is_none() => {
                let relays = self.relays && self.policy == IcePolicy::All;
                self.ladder = Some(Ladder::new(BUDGET, relays, now));
            }
            Phase::Connecting { .. } | Phase::Live { .. } => {}
        }
        let together = self.room_reached && self.here;
        let heard = self.arrival == Some(Arrival::Sound);
        let mut effects = Vec::new();
        if self.enough() {
            effects.extend(self.begin(now));
            effects.extend(self.arrived());
        }
        let live = matches!(self.phase, Phase::Live { .. });
        let Some(ladder) = &mut self.ladder else {
            return effects;
        };
        ladder.together(together, now);
        if heard {
            ladder.heard(now);
        }
        if live {
            ladder.begun(now);
        }
        if let Some(step) = ladder.advance(now) {
            effects.extend(self.take_step(step, now));
        }
        if heard && self.attempt() == Attempt::SoundOnly {
            effects.extend(self.begin(now));
        }
        let alone = self.flowing && self.attempt() == Attempt::SoundOnly;
        self.trouble(Trouble::Picture, alone.then(|| Problem::new(ErrorCode::PictureBlocked)));
        effects
    }

    /// A new page begins at the first rung.
    pub(super) fn climb_anew(&mut self) -> Vec<CallEffect> {
        if !matches!(self.phase, Phase::Connecting { .. }) {
            return Vec::new();
        }
        self.arrival = None;
        self.picture_held = false;
        let effects = self.arrived();
        self.told = None;
        effects
    }

    /// Whether everything has come that the customer sends. One who sends nothing is only connected.
    fn enough(&self) -> bool {
        let picture = self.other.camera || self.other.screen || self.picture_held;
        let sound = self.other.microphone;
        match self.arrival {
            Some(Arrival::Picture) => true,
            Some(Arrival::Sound) => !picture,
            Some(Arrival::Nothing) => !picture && !sound,
            None => !picture && !sound && self.connected && self.server_live_since.is_some(),
        }
    }

    fn begin(&mut self, now: UnixMillis) -> Option<CallEffect> {
        if self.flowing {
            return None;
        }
        self.flowing = true;
        self.go_live(now);
        self.room_reached.then_some(CallEffect::TellFlowing)
    }

    /// The end of the climb.
    fn arrived(&mut self) -> Vec<CallEffect> {
        match self.ladder.take() {
            Some(_) => {
                self.troubles.remove(&Trouble::Picture);
                self.tell_attempt(Attempt::Direct)
            }
            None => Vec::new(),
        }
    }

    fn trouble(&mut self, trouble: Trouble, problem: Option<Problem>) {
        match problem {
            Some(problem) => drop(self.troubles.insert(trouble, problem)),
            None => drop(self.troubles.remove(&trouble)),
        }
    }

    fn take_step(&mut self, step: Step, now: UnixMillis) -> Vec<CallEffect> {
        let attempt = match step {
            Step::Chat => return self.give_up(now),
            Step::Try(attempt) => attempt,
        };
        let mut effects = self.tell_attempt(attempt);
        match attempt {
            Attempt::Direct => {}
            // One that waits for its answer has not been tried yet.
            Attempt::Again if self.answered.is_some() => effects.extend(self.renegotiate(self.policy)),
            Attempt::Again => {}
            Attempt::Relay => effects.extend(self.renegotiate(IcePolicy::RelayOnly)),
            // A relay that cannot be had leads nowhere.
            Attempt::SoundOnly if self.no_relay && !self.connected => effects.extend(self.renegotiate(self.policy)),
            Attempt::SoundOnly => {}
        }
        effects
    }

    /// Says what is tried, and switches our own picture with it.
    fn tell_attempt(&mut self, attempt: Attempt) -> Vec<CallEffect> {
        if self.told.unwrap_or(Attempt::Direct) == attempt {
            return Vec::new();
        }
        self.told = Some(attempt);
        let mut effects = Vec::new();
        if self.room_reached {
            effects.push(CallEffect::TellAttempt(attempt));
        }
        if attempt == Attempt::SoundOnly {
            // Her page says that it sends none from now on, and says more when it may again.
            self.picture_held = self.other.camera || self.other.screen;
            self.camera_held = self.own.camera;
            effects.extend(self.camera_held.then_some(CallEffect::SetCamera(false)));
        } else if std::mem::take(&mut self.camera_held) {
            effects.push(CallEffect::SetCamera(true));
        }
        effects
    }

    /// What she sends; in answer to the permission to send pictures again it is the whole truth.
    pub(super) fn other_media(&mut self) {
        if self.attempt() != Attempt::SoundOnly {
            self.picture_held = false;
        }
    }

    /// To a customer's page that may have missed it.
    pub(super) fn tell_again(&self) -> Option<CallEffect> {
        self.told.map(CallEffect::TellAttempt)
    }

    /// Nothing helped: both go back to the chat.
    fn give_up(&mut self, now: UnixMillis) -> Vec<CallEffect> {
        let escalation = self.escalation();
        let mut effects = self.end(EndReason::MediaFailed, None, now);
        // To leave would be to hang up; the server tells the customer why it is over.
        effects.retain(|effect| *effect != CallEffect::LeaveRoom);
        effects.push(CallEffect::CloseRoom);
        effects.extend(escalation.map(CallEffect::FailOnServer));
        effects
    }
}
