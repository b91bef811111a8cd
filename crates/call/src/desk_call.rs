//! The call on the desk's stage, from the click to the survey: what happened goes in with the time,
//! what to do about it comes out. It opens no device, no socket and reads no clock.
//!
//! The desk always makes the offer. An offer stays valid until it is answered, so it is left in the
//! room before the customer comes and is sent again whenever the room is reached anew. A customer whose
//! page is new (a higher `session` than the one that answered) needs a new peer connection, hence a new
//! offer. Losing the room socket changes nothing about the media.
//!
//! Until the customer's picture comes a [`Ladder`] says what to try next.
//!
//! A *warm* customer has opened the link and answers before the tap on Join, so that the tap has only to start
//! media. Nothing of the agent's is sent until [`CallEffect::Admit`]: when the server says that this very page
//! has joined, or when its own media comes in, which the page sends only after the tap. The server has to confirm
//! the latter, or the connection is cut.

use crate::{
    ladder::{Arrival, Ladder},
    path::Path,
};
use sightline_wire::{
    Problem, UnixMillis,
    conversation::{Conversation, Sound},
    desk::{CallPhase, CallView},
    device::{DeviceKind, Quality},
    escalation::{EndReason, EscalationState, EscalationView, IcePolicy},
    ids::{ConversationId, EscalationId},
    room::{Attempt, MediaState, Offer, Presence},
};
use std::collections::BTreeMap;

mod climb;
mod messages;
mod presence;
#[cfg(test)]
mod tests;

pub use messages::{CallEffect, CallInput};

/// Media that came before the server's word is believed for so long: the page's own way to say it over HTTP
/// takes at most twelve seconds.
pub const CONFIRM_MS: i64 = 15_000;

/// What is known once the server has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    escalation: EscalationId,
    url: String,
    expires_at: UnixMillis,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    Preparing,
    Waiting(Place),
    Connecting {
        place: Place,
        since: UnixMillis,
    },
    Live {
        place: Place,
        since: UnixMillis,
    },
    Ended {
        place: Option<Place>,
        reason: EndReason,
        live_ms: i64,
    },
}

/// What stands on the way of a good call, most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    Engine,
    Relay,
    Picture,
    Camera,
    Microphone,
    Speaker,
}

/// The call on the stage.
#[derive(Debug, Clone)]
pub struct DeskCall {
    conversation: ConversationId,
    customer_name: String,
    sound: Sound,
    phase: Phase,
    own: MediaState,
    /// The name of what the agent shares.
    sharing: Option<String>,
    other: MediaState,
    away_until: Option<UnixMillis>,
    other_session: Option<u32>,
    troubles: BTreeMap<Trouble, Problem>,
    quality: Option<Quality>,
    room_reached: bool,
    signalling_lost: bool,
    negotiation: u32,
    /// The newest offer while nobody has answered it.
    offer: Option<Offer>,
    /// Our addresses that were found after it was made.
    candidates: Vec<String>,
    /// Whether the newest offer was answered, and by which session of the customer's.
    answered: Option<Option<u32>>,
    connected: bool,
    /// How far the customer's media has come.
    arrival: Option<Arrival>,
    /// Far enough for a call, at least once.
    flowing: bool,
    /// The customer's page is open, ahead of the tap.
    warm: bool,
    /// The server has said that the customer has joined.
    joined: bool,
    /// Her page is in the room.
    here: bool,
    /// The newest answered connection may carry our media.
    admitted: bool,
    /// Until then the server has to say that the customer whose media came has joined.
    confirm_by: Option<UnixMillis>,
    server_live_since: Option<UnixMillis>,
    policy: IcePolicy,
    path: Path,
    relays: bool,
    /// What the newest offer was asked to be.
    offered: IcePolicy,
    /// It goes only over relays, and none can be used.
    no_relay: bool,
    /// While the customer's picture has not come.
    ladder: Option<Ladder>,
    /// What the customer was told last; `None` while there was nothing to tell.
    told: Option<Attempt>,
    /// Our camera was on before pictures were given up.
    camera_held: bool,
    /// So was hers.
    picture_held: bool,
}

impl DeskCall {
    /// A call that was just asked for. `negotiation` must be higher than any this room has seen.
    pub fn new(conversation: &Conversation, negotiation: u32, own: MediaState) -> (Self, Vec<CallEffect>) {
        let call = Self {
            conversation: conversation.id,
            customer_name: conversation.customer_name.clone(),
            sound: conversation.channel.sound(),
            phase: Phase::Preparing,
            own,
            sharing: None,
            other: MediaState::default(),
            away_until: None,
            other_session: None,
            troubles: BTreeMap::new(),
            quality: None,
            room_reached: false,
            signalling_lost: false,
            negotiation,
            offer: None,
            candidates: Vec::new(),
            answered: None,
            connected: false,
            arrival: None,
            flowing: false,
            warm: false,
            joined: false,
            here: false,
            admitted: false,
            confirm_by: None,
            server_live_since: None,
            policy: IcePolicy::All,
            path: Path::default(),
            relays: false,
            offered: IcePolicy::All,
            no_relay: false,
            ladder: None,
            told: None,
            camera_held: false,
            picture_held: false,
        };
        (call, vec![CallEffect::MakeOffer(negotiation, IcePolicy::All)])
    }

    /// Its conversation.
    pub fn conversation(&self) -> ConversationId {
        self.conversation
    }

    /// Where agent and customer hear each other.
    pub fn sound(&self) -> Sound {
        self.sound
    }

    /// Its escalation, once known.
    pub fn escalation(&self) -> Option<EscalationId> {
        self.place().map(|place| place.escalation)
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ended { .. })
    }

    /// What we send.
    pub fn own(&self) -> MediaState {
        self.own
    }

    /// When [`CallInput::Tick`] is due.
    pub fn deadline(&self) -> Option<UnixMillis> {
        let path = self.path.deadline().filter(|_| !self.is_over() && !self.climbs());
        let confirm = self.confirm_by.filter(|_| !self.is_over());
        let ladder = self.ladder.as_ref().and_then(Ladder::deadline);
        [ladder, path, confirm].into_iter().flatten().min()
    }

    /// What the stage shows.
    pub fn view(&self) -> CallView {
        let phase = match &self.phase {
            Phase::Preparing => CallPhase::Preparing,
            Phase::Waiting(place) => CallPhase::Waiting {
                expires_at: place.expires_at,
                opened: self.warm,
            },
            Phase::Connecting { since, .. } => CallPhase::Connecting {
                since: *since,
                deadline: self.ladder.as_ref().map_or(*since, Ladder::end),
            },
            Phase::Live { since, .. } => CallPhase::Live { since: *since },
            Phase::Ended { reason, live_ms, .. } => CallPhase::Ended {
                reason: *reason,
                live_ms: *live_ms,
            },
        };
        CallView {
            escalation: self.escalation(),
            conversation: self.conversation,
            customer_name: self.customer_name.clone(),
            sound: self.sound,
            phase,
            attempt: self.attempt(),
            url: self.place().map(|place| place.url.clone()),
            own: self.own,
            sharing: self.sharing.clone(),
            other: self.other,
            customer_away_until: self.away_until,
            signalling_lost: self.signalling_lost && !self.is_over(),
            problems: self.troubles.values().cloned().collect(),
            quality: self.quality.clone(),
        }
    }

    /// Takes in what happened at `now` and says what to do.
    pub fn handle(&mut self, input: CallInput, now: UnixMillis) -> Vec<CallEffect> {
        if self.is_over() {
            return self.handle_over(input);
        }
        let mut effects = self.take(input, now);
        effects.extend(self.climb(now));
        effects
    }

    fn take(&mut self, input: CallInput, now: UnixMillis) -> Vec<CallEffect> {
        match input {
            CallInput::Policy(policy) => self.policy_known(policy),
            CallInput::Relays(relays) => {
                self.relays = relays;
                Vec::new()
            }
            CallInput::Started(view) => self.started(view, now),
            CallInput::Escalation(view) => self.escalation_changed(view, now),
            CallInput::RoomReached { other, other_media } => self.room_reached(other, other_media, now),
            CallInput::RoomLost => {
                self.room_reached = false;
                self.signalling_lost = true;
                self.warm = false;
                self.here = false;
                Vec::new()
            }
            CallInput::OtherPresence(presence) => self.other_presence(presence, now),
            CallInput::OtherMedia(media) => {
                self.other = media;
                self.other_media();
                vec![CallEffect::RemoteMedia(media)]
            }
            CallInput::Answer { negotiation, sdp } => self.answer(negotiation, sdp),
            CallInput::Candidate { negotiation, candidate } if negotiation == self.negotiation => {
                vec![CallEffect::AddCandidate { negotiation, candidate }]
            }
            CallInput::RoomEnded(reason) => self.end(reason, None, now),
            CallInput::OfferReady(offer) => self.offer_ready(offer),
            CallInput::Found { negotiation, candidate } => self.candidate_found(negotiation, candidate),
            CallInput::Connected { negotiation } if negotiation == self.negotiation => {
                self.connected = true;
                self.path.found();
                if let Some(ladder) = &mut self.ladder {
                    ladder.connected();
                }
                self.troubles.remove(&Trouble::Relay);
                self.go_live(now);
                Vec::new()
            }
            // After the tap a connection that is being replaced may still be the one that brings it.
            CallInput::Flowing { negotiation, arrival } if negotiation == self.negotiation || self.joined => {
                self.arrival = self.arrival.max(Some(arrival));
                self.path.found();
                Vec::new()
            }
            CallInput::Knocked { negotiation } if negotiation == self.negotiation => self.knocked(now),
            CallInput::NoRelay { negotiation, problem } if negotiation == self.negotiation => {
                self.no_relay = self.offered == IcePolicy::RelayOnly && self.policy == IcePolicy::All;
                // Where calls go directly a relay is only a reserve.
                if self.policy == IcePolicy::RelayOnly && !self.connected {
                    self.troubles.insert(Trouble::Relay, problem);
                }
                Vec::new()
            }
            // They belong to a connection that has already been replaced.
            CallInput::NoRelay { .. }
            | CallInput::Candidate { .. }
            | CallInput::Connected { .. }
            | CallInput::Flowing { .. }
            | CallInput::Knocked { .. } => Vec::new(),
            CallInput::Path { up: true } => {
                self.path.found();
                Vec::new()
            }
            CallInput::Path { up: false } => {
                self.path.lost(now);
                self.arrival = None;
                if let Some(ladder) = &mut self.ladder {
                    ladder.lost();
                }
                let mut effects = vec![CallEffect::CheckRoom];
                effects.extend(self.mend_path(now));
                effects
            }
            CallInput::Quality(quality) => {
                self.quality = Some(quality);
                Vec::new()
            }
            CallInput::Own(own) => {
                let changed = self.own != own;
                self.own = own;
                if changed && self.room_reached {
                    vec![CallEffect::SendMedia(own)]
                } else {
                    Vec::new()
                }
            }
            CallInput::Sharing(name) => {
                self.sharing = name;
                Vec::new()
            }
            CallInput::DeviceProblem { kind, problem } => {
                self.troubles.insert(trouble_of(kind), problem);
                Vec::new()
            }
            CallInput::DeviceReady { kind } => {
                self.troubles.remove(&trouble_of(kind));
                Vec::new()
            }
            CallInput::MediaFailed(problem) => {
                self.troubles.insert(Trouble::Engine, problem);
                Vec::new()
            }
            CallInput::HangUp => self.hang_up(now),
            CallInput::Tick => self.tick(now),
        }
    }

    /// After the end only the server's own account of it still counts.
    fn handle_over(&mut self, input: CallInput) -> Vec<CallEffect> {
        let Phase::Ended { place, reason, live_ms } = &mut self.phase else {
            return Vec::new();
        };
        match input {
            // The agent gave up before the server had answered.
            CallInput::Started(view) if place.is_none() => {
                let escalation = view.id;
                *place = Some(place_of(view));
                vec![CallEffect::EndOnServer(escalation)]
            }
            CallInput::Escalation(view) if place.as_ref().is_some_and(|p| p.escalation == view.id) => {
                if let EscalationState::Ended {
                    reason: told,
                    live_ms: measured,
                    ..
                } = view.state
                {
                    *reason = told;
                    *live_ms = measured;
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn place(&self) -> Option<&Place> {
        match &self.phase {
            Phase::Preparing => None,
            Phase::Waiting(place) | Phase::Connecting { place, .. } | Phase::Live { place, .. } => Some(place),
            Phase::Ended { place, .. } => place.as_ref(),
        }
    }

    fn started(&mut self, view: EscalationView, now: UnixMillis) -> Vec<CallEffect> {
        let state = view.state;
        match &self.phase {
            Phase::Preparing => self.phase = Phase::Waiting(place_of(view)),
            Phase::Waiting(_) | Phase::Connecting { .. } | Phase::Live { .. } | Phase::Ended { .. } => {}
        }
        self.follow(state, now)
    }

    fn escalation_changed(&mut self, view: EscalationView, now: UnixMillis) -> Vec<CallEffect> {
        if self.escalation() != Some(view.id) {
            return Vec::new();
        }
        let state = view.state;
        match &mut self.phase {
            Phase::Waiting(place) | Phase::Connecting { place, .. } | Phase::Live { place, .. } => {
                *place = place_of(view)
            }
            Phase::Preparing | Phase::Ended { .. } => {}
        }
        self.follow(state, now)
    }

    fn follow(&mut self, state: EscalationState, now: UnixMillis) -> Vec<CallEffect> {
        match state {
            EscalationState::Invited => Vec::new(),
            EscalationState::Joining { .. } => {
                self.connecting(now);
                Vec::new()
            }
            EscalationState::Live { since } => {
                self.server_live_since = Some(since);
                self.connecting(now);
                self.go_live(now);
                Vec::new()
            }
            EscalationState::Ended { reason, live_ms, .. } => self.end(reason, Some(live_ms), now),
        }
    }

    fn connecting(&mut self, now: UnixMillis) {
        if let Phase::Waiting(place) = &self.phase {
            self.phase = Phase::Connecting {
                place: place.clone(),
                since: now,
            };
        }
    }

    /// A customer without any device sends nothing: then the server's word counts, once our own
    /// transport is up.
    fn go_live(&mut self, now: UnixMillis) {
        if !(self.flowing || self.connected && self.server_live_since.is_some()) {
            return;
        }
        match &mut self.phase {
            Phase::Waiting(place) | Phase::Connecting { place, .. } => {
                self.phase = Phase::Live {
                    place: place.clone(),
                    since: self.server_live_since.unwrap_or(now),
                };
            }
            Phase::Live { since, .. } => *since = self.server_live_since.unwrap_or(*since),
            Phase::Preparing | Phase::Ended { .. } => {}
        }
    }

    fn room_reached(&mut self, other: Presence, other_media: MediaState, now: UnixMillis) -> Vec<CallEffect> {
        self.room_reached = true;
        self.signalling_lost = false;
        self.other = other_media;
        let mut effects = vec![CallEffect::RemoteMedia(other_media), CallEffect::SendMedia(self.own)];
        effects.extend(self.other_presence(other, now));
        effects.extend(self.offer.clone().map(CallEffect::SendOffer));
        // Some may have been said to a socket that was dead already; twice does no harm.
        let negotiation = self.negotiation;
        let candidates = self.candidates.iter().filter(|_| !self.connected).cloned();
        effects.extend(candidates.map(|candidate| CallEffect::SendCandidate { negotiation, candidate }));
        if self.flowing && self.server_live_since.is_none() {
            effects.push(CallEffect::TellFlowing);
        }
        effects
    }

    fn offer_ready(&mut self, offer: Offer) -> Vec<CallEffect> {
        if offer.negotiation != self.negotiation || self.answered.is_some() {
            return Vec::new();
        }
        self.offer = Some(offer.clone());
        if self.room_reached {
            vec![CallEffect::SendOffer(offer)]
        } else {
            Vec::new()
        }
    }

    /// An offer made before the server's word names our own addresses; where it must not, it never leaves.
    fn policy_known(&mut self, policy: IcePolicy) -> Vec<CallEffect> {
        let stricter = (self.policy, policy) == (IcePolicy::All, IcePolicy::RelayOnly);
        self.policy = policy;
        if stricter && self.answered.is_none() {
            self.renegotiate(policy)
        } else {
            Vec::new()
        }
    }

    fn candidate_found(&mut self, negotiation: u32, candidate: String) -> Vec<CallEffect> {
        if negotiation != self.negotiation {
            return Vec::new();
        }
        self.candidates.push(candidate.clone());
        if self.room_reached {
            vec![CallEffect::SendCandidate { negotiation, candidate }]
        } else {
            Vec::new()
        }
    }

    /// Offers a new connection when the path demands one.
    fn mend_path(&mut self, now: UnixMillis) -> Vec<CallEffect> {
        if self.climbs() {
            return Vec::new();
        }
        let offered = self.answered.is_none();
        match self.path.attempt(now, offered) {
            Some(policy) => self.renegotiate(policy),
            None => Vec::new(),
        }
    }

    fn answer(&mut self, negotiation: u32, sdp: String) -> Vec<CallEffect> {
        if negotiation != self.negotiation || self.offer.take().is_none() {
            return Vec::new();
        }
        self.answered = Some(self.other_session);
        let mut effects = vec![CallEffect::AcceptAnswer { negotiation, sdp }];
        effects.extend(self.admit());
        effects
    }

    fn tick(&mut self, now: UnixMillis) -> Vec<CallEffect> {
        if self.confirm_by.is_some_and(|at| now >= at) {
            return self.unconfirmed(now);
        }
        self.mend_path(now)
    }

    fn hang_up(&mut self, now: UnixMillis) -> Vec<CallEffect> {
        let escalation = self.escalation();
        let reason = match self.phase {
            Phase::Preparing | Phase::Waiting(_) => EndReason::Cancelled,
            Phase::Connecting { .. } | Phase::Live { .. } | Phase::Ended { .. } => EndReason::AgentHungUp,
        };
        let mut effects = self.end(reason, None, now);
        effects.extend(escalation.map(CallEffect::EndOnServer));
        effects
    }

    fn end(&mut self, reason: EndReason, live_ms: Option<i64>, now: UnixMillis) -> Vec<CallEffect> {
        let measured = match self.phase {
            Phase::Live { since, .. } => (now - since).max(0),
            Phase::Preparing | Phase::Waiting(_) | Phase::Connecting { .. } | Phase::Ended { .. } => 0,
        };
        self.phase = Phase::Ended {
            place: self.place().cloned(),
            reason,
            live_ms: live_ms.unwrap_or(measured),
        };
        self.away_until = None;
        self.sharing = None;
        self.ladder = None;
        self.troubles.clear();
        vec![CallEffect::StopMedia, CallEffect::LeaveRoom]
    }
}

fn place_of(view: EscalationView) -> Place {
    Place {
        escalation: view.id,
        url: view.url,
        expires_at: view.expires_at,
    }
}

fn trouble_of(kind: DeviceKind) -> Trouble {
    match kind {
        DeviceKind::Camera => Trouble::Camera,
        DeviceKind::Microphone => Trouble::Microphone,
        DeviceKind::Speaker => Trouble::Speaker,
    }
}
