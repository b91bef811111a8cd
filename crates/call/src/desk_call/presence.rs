//! Whose page is there, and whether our media may go to it.

use super::{CONFIRM_MS, CallEffect, DeskCall, Phase};
use sightline_wire::{UnixMillis, escalation::IcePolicy, room::Presence};

impl DeskCall {
    pub(super) fn other_presence(&mut self, presence: Presence, now: UnixMillis) -> Vec<CallEffect> {
        self.here = matches!(presence, Presence::Here { .. });
        match presence {
            Presence::Absent => {
                self.away_until = None;
                let left = std::mem::take(&mut self.warm);
                // The next page is to find an offer that nobody has answered.
                if left && self.answered.is_some() {
                    self.renegotiate(IcePolicy::All)
                } else {
                    Vec::new()
                }
            }
            Presence::Away { until } => {
                self.away_until = Some(until);
                self.warm = false;
                Vec::new()
            }
            Presence::Warm { session } => {
                self.away_until = None;
                self.warm = true;
                self.meet(session)
            }
            Presence::Here { session } => {
                self.away_until = None;
                self.warm = false;
                self.joined = true;
                self.confirm_by = None;
                self.connecting(now);
                let mut effects = self.meet(session);
                effects.extend(self.tell_again());
                effects.extend(self.admit());
                effects
            }
        }
    }

    fn meet(&mut self, session: u32) -> Vec<CallEffect> {
        self.other_session = Some(session);
        match self.answered {
            Some(Some(answering)) if answering != session => {
                let mut effects = self.climb_anew();
                effects.extend(self.renegotiate(IcePolicy::All));
                effects
            }
            Some(None) => {
                self.answered = Some(Some(session));
                Vec::new()
            }
            Some(Some(_)) | None => Vec::new(),
        }
    }

    /// Lets our media go, to the page that has joined and to no other.
    pub(super) fn admit(&mut self) -> Option<CallEffect> {
        let by_this_page = self.answered.is_some_and(|by| by.is_some() && by == self.other_session);
        if !self.joined || !by_this_page || self.admitted {
            return None;
        }
        self.admitted = true;
        Some(CallEffect::Admit(self.negotiation))
    }

    /// Media comes in from a page that is only warm: it sends none before the tap, so the tap has happened.
    pub(super) fn knocked(&mut self, now: UnixMillis) -> Vec<CallEffect> {
        let by_this_page = self.answered.is_some_and(|by| by.is_some() && by == self.other_session);
        if self.admitted || !by_this_page {
            return Vec::new();
        }
        self.admitted = true;
        self.confirm_by = (!self.joined).then_some(now + CONFIRM_MS);
        self.connecting(now);
        vec![CallEffect::Admit(self.negotiation)]
    }

    pub(super) fn renegotiate(&mut self, policy: IcePolicy) -> Vec<CallEffect> {
        let mut effects = Vec::new();
        // A page that never joined has no picture that would have to go on meanwhile.
        if !self.joined && self.answered.is_some() {
            effects.push(CallEffect::Cut(self.negotiation));
        }
        self.negotiation += 1;
        self.offer = None;
        self.candidates.clear();
        self.answered = None;
        self.connected = false;
        self.offered = policy;
        self.no_relay = false;
        self.admitted = false;
        effects.push(CallEffect::MakeOffer(self.negotiation, policy));
        effects
    }

    /// The server never said that the customer has joined: back to waiting.
    pub(super) fn unconfirmed(&mut self, now: UnixMillis) -> Vec<CallEffect> {
        if !self.room_reached {
            self.confirm_by = Some(now + CONFIRM_MS);
            return Vec::new();
        }
        self.confirm_by = None;
        self.flowing = false;
        self.arrival = None;
        if let Some(place) = self.place().cloned() {
            self.phase = Phase::Waiting(place);
        }
        self.renegotiate(IcePolicy::All)
    }
}
