//! One room's task.

use super::{Happened, Visitor, Warm};
use crate::{
    agent_socket::millis,
    app::{App, now},
    escalations,
    http::{
        frames::{HEARTBEAT, SILENCE},
        refusal::Refusal,
    },
    invites, secrets,
};
use sightline_call::seats::{Input, Output, Seats};
use sightline_store::{
    escalations::Escalation,
    rooms::{self, StoredRoom, StoredSide},
};
use sightline_wire::{
    ErrorCode, Problem,
    escalation::EndReason,
    ids::ConnectionId,
    room::{MediaState, Offer, Party, RoomEvent},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, Interval, interval_at, sleep},
};
use uuid::Uuid;

/// The clock is read again at least this often, in case it jumped.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// A call whose end could not be stored is ended again after so long.
const END_AGAIN: Duration = Duration::from_secs(5);

pub struct Link {
    connection: ConnectionId,
    events: mpsc::Sender<RoomEvent>,
    /// Until the tap.
    warm: Option<Warm>,
}

#[derive(Default)]
pub struct Side {
    link: Option<Link>,
    /// Sent by this side for the current offer.
    pub candidates: Vec<String>,
}

/// A room's state; only its own task touches it.
pub struct Room {
    pub app: Arc<App>,
    pub call: Escalation,
    seats: Seats,
    pub stored: StoredRoom,
    pub agent: Side,
    pub customer: Side,
}

/// Runs until the call is over or the server stops.
pub async fn run(
    app: Arc<App>,
    call: Escalation,
    stored: StoredRoom,
    mut inbox: mpsc::Receiver<Happened>,
    mut over: watch::Receiver<Option<EndReason>>,
) {
    let seats = Seats::restored(
        app.config.seat_times,
        call.expires_at,
        call.redeemed_at.is_some(),
        (stored.agent.session, stored.customer.session),
        now(),
    );
    let mut stopping = app.stopping.clone();
    let mut room = Room {
        app,
        call,
        seats,
        stored,
        agent: Side::default(),
        customer: Side::default(),
    };
    let mut renewal = room
        .app
        .turn
        .renew_after()
        .map(|after| interval_at(Instant::now() + after, after));
    loop {
        let wait = room.seats.deadline().map_or(LONGEST_SLEEP, |(at, _)| {
            let left = Duration::from_millis(u64::try_from(at - now()).unwrap_or(0));
            left.min(LONGEST_SLEEP)
        });
        tokio::select! {
            biased;
            () = ended(&mut over) => break,
            () = stopping.stopped() => return,
            what = inbox.recv() => match what {
                Some(what) => room.hear(what).await,
                None => break,
            },
            () = due(&mut renewal) => {
                room.tell_ice(Party::Agent);
                room.tell_ice(Party::Customer);
            }
            () = sleep(wait) => {
                let outputs = room.seats.handle(Input::Tick, now());
                room.follow(outputs).await;
            }
        }
    }
    let reason = *over.borrow();
    if let Some(reason) = reason {
        room.app.turn.end(room.call.room);
        for party in [Party::Agent, Party::Customer] {
            room.tell(party, RoomEvent::Ended { reason });
        }
    }
}

/// Returns when a relay's credentials should be given anew; never where there are none.
async fn due(renewal: &mut Option<Interval>) {
    match renewal {
        Some(renewal) => drop(renewal.tick().await),
        None => std::future::pending().await,
    }
}

async fn ended(over: &mut watch::Receiver<Option<EndReason>>) {
    let _ = over.wait_for(Option::is_some).await;
}

impl Room {
    async fn hear(&mut self, what: Happened) {
        match what {
            Happened::Redeemed => {
                let outputs = self.seats.handle(Input::Redeemed { by: None }, now());
                self.follow(outputs).await;
            }
            Happened::Connected {
                visitor,
                resume,
                events,
                answer,
            } => {
                self.connect(visitor, resume, events, answer).await;
            }
            Happened::Frame {
                party,
                connection,
                request,
            } => {
                // A socket that was replaced is not heard any more.
                if self.seats.connection(party) == Some(connection) {
                    self.frame(party, request).await;
                }
            }
            Happened::HandedOver { agent } => self.handed_over(agent).await,
            Happened::Disconnected { party, connection } => {
                let outputs = self.seats.handle(Input::Disconnected { party, connection }, now());
                let side = self.side_mut(party);
                if side.link.as_ref().is_some_and(|link| link.connection == connection) {
                    side.link = None;
                }
                self.follow(outputs).await;
            }
        }
    }

    /// The desk that was here has lost its key: what it offered leads nowhere, and its seat waits for the next one's.
    async fn handed_over(&mut self, agent: String) {
        let mut next = self.stored.clone();
        next.agent.resume = None;
        next.agent.resume_before = None;
        next.offer = None;
        next.answer = None;
        // Memory is what counts while this room lives; a room that is restored without this knows no token of that desk.
        if let Err(refusal) = self.save(&next).await {
            let code = refusal.into_problem().code;
            tracing::warn!(room = %self.call.room, ?code, "a handed call could not be stored");
        }
        self.stored = next;
        self.agent.candidates.clear();
        self.customer.candidates.clear();
        self.tell(Party::Customer, RoomEvent::Agent { name: agent });
        if let Some(link) = self.agent.link.take() {
            let _ = link
                .events
                .try_send(RoomEvent::Problem(ErrorCode::NotYourConversation.into()));
            let gone = Input::Disconnected {
                party: Party::Agent,
                connection: link.connection,
            };
            let outputs = self.seats.handle(gone, now());
            self.follow(outputs).await;
        }
    }

    async fn connect(
        &mut self,
        visitor: Visitor,
        resume: Option<String>,
        events: mpsc::Sender<RoomEvent>,
        answer: oneshot::Sender<Result<ConnectionId, Problem>>,
    ) {
        let party = visitor.party();
        let warm = match visitor {
            // Somebody has joined since the door was opened.
            Visitor::Warm(_) if self.seats.redeemed() => {
                let _ = answer.send(Err(ErrorCode::InviteInUse.into()));
                return;
            }
            Visitor::Warm(warm) => Some(warm),
            Visitor::Seated(_) => None,
        };
        let stored = self.stored_side(party);
        let resumed = match &resume {
            None => false,
            Some(token) => {
                let given = secrets::hash(token);
                let known = [&stored.resume, &stored.resume_before];
                if !known.into_iter().flatten().any(|hash| secrets::equal(hash, &given)) {
                    let _ = answer.send(Err(ErrorCode::RoomRefused.into()));
                    return;
                }
                true
            }
        };
        let resume = secrets::token();
        let mut next = self.stored.clone();
        let side = side_of(&mut next, party);
        // The token it came with stays good: this welcome may get lost.
        side.resume_before = if resumed { side.resume.take() } else { None };
        side.resume = Some(secrets::hash(&resume));
        if !resumed {
            side.session += 1;
            side.media = MediaState::default();
            if party == Party::Agent {
                // Its peer connection is new, so the old offer leads nowhere.
                next.offer = None;
                next.answer = None;
            }
        }
        if let Err(refusal) = self.save(&next).await {
            let _ = answer.send(Err(refusal.into_problem()));
            return;
        }
        self.stored = next;
        if !resumed {
            self.side_mut(party).candidates.clear();
            if party == Party::Agent {
                self.customer.candidates.clear();
            }
        }
        let connection = ConnectionId(Uuid::new_v4());
        let outputs = self.seats.handle(
            Input::Connected {
                party,
                connection,
                resumed,
            },
            now(),
        );
        self.follow(outputs).await;
        self.side_mut(party).link = Some(Link {
            connection,
            events,
            warm,
        });
        let other = party.other();
        let waiting = self.waiting_offer().filter(|_| party == Party::Customer);
        let fresh_candidates = resumed || waiting.is_some();
        self.tell(
            party,
            RoomEvent::Welcome {
                connection,
                resume,
                room: self.call.room,
                you: party,
                other: self.seats.presence(other),
                other_media: self.stored_side(other).media,
                offer: waiting,
                heartbeat_ms: millis(HEARTBEAT),
                silence_ms: millis(SILENCE),
            },
        );
        self.tell_ice(party);
        if let (true, Some(offer)) = (fresh_candidates, &self.stored.offer) {
            // Some may have been on their way to a socket that was dead already; twice does no harm.
            let negotiation = offer.negotiation;
            for candidate in self.side(other).candidates.clone() {
                self.tell(party, RoomEvent::Candidate { negotiation, candidate });
            }
        }
        let _ = answer.send(Ok(connection));
        tracing::info!(room = %self.call.room, ?party, resumed, "seat taken");
    }

    /// Servers with fresh credentials, for the next connection.
    fn tell_ice(&mut self, party: Party) {
        let ice = if self.is_warm(party) {
            self.app.ice_before_join(self.call.room)
        } else {
            self.app.ice_for(party, self.call.room)
        };
        self.tell(party, RoomEvent::Ice(ice));
    }

    async fn follow(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Tell { to, presence } => self.tell(to, RoomEvent::Presence(presence)),
                Output::Replace { party, connection } => {
                    let side = self.side_mut(party);
                    if let Some(link) = side.link.take_if(|link| link.connection == connection) {
                        let problem =
                            Problem::new(ErrorCode::RoomRefused).saying("You have joined again somewhere else.");
                        let _ = link.events.try_send(RoomEvent::Problem(problem));
                    }
                }
                Output::TurnAway { connection } => {
                    if let Some(link) = self.customer.link.take_if(|link| link.connection == connection) {
                        let _ = link.events.try_send(RoomEvent::Problem(ErrorCode::InviteInUse.into()));
                    }
                }
                Output::End(reason) => self.end(reason).await,
            }
        }
    }

    /// Ends the call; a disk that does not take it now is asked again, because the slot must become free.
    async fn end(&self, reason: EndReason) {
        let mut stopping = self.app.stopping.clone();
        while let Err(refusal) = escalations::over(&self.app, self.call.id, reason).await {
            let code = refusal.into_problem().code;
            tracing::error!(escalation = %self.call.id, ?code, "a call could not be ended yet");
            tokio::select! {
                () = sleep(END_AGAIN) => {}
                () = stopping.stopped() => return,
            }
        }
    }

    /// The tap over a warm socket. A repeated one, whose answer got lost, is answered again.
    pub async fn join(&mut self) {
        let Some(link) = &self.customer.link else { return };
        let connection = link.connection;
        if let Some(warm) = link.warm.clone() {
            if let Err(refusal) = invites::join(&self.app, self.call.id, &warm).await {
                return self.send_problem(Party::Customer, refusal);
            }
            if let Some(link) = &mut self.customer.link {
                link.warm = None;
            }
            let outputs = self.seats.handle(Input::Redeemed { by: Some(connection) }, now());
            self.follow(outputs).await;
        }
        self.tell(Party::Customer, RoomEvent::Joined);
        self.tell_ice(Party::Customer);
    }

    /// Whether this side's socket is a customer's ahead of the tap.
    pub fn is_warm(&self, party: Party) -> bool {
        self.side(party).link.as_ref().is_some_and(|link| link.warm.is_some())
    }

    /// Stores first, then remembers; `false` and a problem for the sender when it could not be stored.
    pub async fn keep(&mut self, party: Party, next: StoredRoom) -> bool {
        match self.save(&next).await {
            Ok(()) => {
                self.stored = next;
                true
            }
            Err(refusal) => {
                self.send_problem(party, refusal);
                false
            }
        }
    }

    async fn save(&self, next: &StoredRoom) -> Result<(), Refusal> {
        if *next == self.stored {
            return Ok(());
        }
        let mut writing = self.app.store.write().await?;
        rooms::save(writing.conn(), self.call.room, next).await?;
        drop(writing.commit().await?);
        Ok(())
    }

    /// Never waits: a socket whose queue is full is gone in all but name, and comes back with its resume token.
    pub fn tell(&mut self, party: Party, event: RoomEvent) {
        let side = self.side_mut(party);
        if let Some(link) = &side.link
            && link.events.try_send(event).is_err()
        {
            side.link = None;
        }
    }

    pub fn refuse(&mut self, party: Party, code: ErrorCode) {
        self.tell(party, RoomEvent::Problem(code.into()));
    }

    pub fn send_problem(&mut self, party: Party, refusal: Refusal) {
        self.tell(party, RoomEvent::Problem(refusal.into_problem()));
    }

    pub fn current(&self) -> Option<u32> {
        self.stored.offer.as_ref().map(|offer| offer.negotiation)
    }

    fn waiting_offer(&self) -> Option<Offer> {
        self.stored.offer.clone().filter(|_| self.stored.answer.is_none())
    }

    fn side(&self, party: Party) -> &Side {
        match party {
            Party::Agent => &self.agent,
            Party::Customer => &self.customer,
        }
    }

    pub fn side_mut(&mut self, party: Party) -> &mut Side {
        match party {
            Party::Agent => &mut self.agent,
            Party::Customer => &mut self.customer,
        }
    }

    fn stored_side(&self, party: Party) -> &StoredSide {
        match party {
            Party::Agent => &self.stored.agent,
            Party::Customer => &self.stored.customer,
        }
    }
}

/// One side's part of what is stored.
pub fn side_of(stored: &mut StoredRoom, party: Party) -> &mut StoredSide {
    match party {
        Party::Agent => &mut stored.agent,
        Party::Customer => &mut stored.customer,
    }
}
