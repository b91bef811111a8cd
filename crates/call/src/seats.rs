//! Who is in the room, who is expected back, and when the call is over.
//!
//! Each side has one seat. A socket takes it; a lost socket leaves it `Away` until its deadline; a socket that
//! comes back with the resume token goes on with the same session, one that comes without starts a new
//! session, so the other side knows that the peer connection behind it is new.
//!
//! Before the invite is redeemed, a customer in the seat is only *warm*: the page connects ahead of the tap, and
//! is neither expected nor missed.

use sightline_wire::{
    UnixMillis,
    escalation::EndReason,
    ids::ConnectionId,
    room::{Party, Presence},
};

/// How long an empty seat is kept.
#[derive(Debug, Clone, Copy)]
pub struct SeatTimes {
    /// The customer's.
    pub customer_ms: i64,
    /// The agent's, once the customer has joined.
    pub agent_ms: i64,
}

impl Default for SeatTimes {
    fn default() -> Self {
        Self {
            customer_ms: 60_000,
            agent_ms: 120_000,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seat {
    Empty,
    Here { connection: ConnectionId },
    Away { since: UnixMillis },
}

#[derive(Debug, Clone, Copy)]
struct Side {
    session: u32,
    seat: Seat,
}

/// The two seats of a room, the invite's end, and what follows from them.
#[derive(Debug, Clone)]
pub struct Seats {
    times: SeatTimes,
    agent: Side,
    customer: Side,
    invite_expires_at: UnixMillis,
    redeemed_at: Option<UnixMillis>,
    over: bool,
}

/// What happens to a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// The invite was redeemed: from now on both sides are expected.
    Redeemed {
        /// By this socket, which was warm; `None` over HTTP, which ends whoever was warm.
        by: Option<ConnectionId>,
    },
    /// A socket has shown its token.
    Connected {
        /// Which side.
        party: Party,
        /// This socket.
        connection: ConnectionId,
        /// It had the resume token: the same peer connection goes on.
        resumed: bool,
    },
    /// A socket is gone.
    Disconnected {
        /// Which side.
        party: Party,
        /// That socket.
        connection: ConnectionId,
    },
    /// Time has passed.
    Tick,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Tell this side where the other one is.
    Tell {
        /// Whom.
        to: Party,
        /// The other side's place.
        presence: Presence,
    },
    /// Close this socket: its own side has opened a newer one.
    Replace {
        /// Which side.
        party: Party,
        /// The old socket.
        connection: ConnectionId,
    },
    /// Close this warm socket: the customer has joined from somewhere else.
    TurnAway {
        /// The warm socket.
        connection: ConnectionId,
    },
    /// The call is over.
    End(EndReason),
}

/// Why a room waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// Nobody has followed the link yet.
    ForJoin,
    /// The customer's seat is kept.
    ForCustomer,
    /// The agent's seat is kept.
    ForAgent,
}

impl Seats {
    /// A room whose link has just been written.
    pub fn new(times: SeatTimes, invite_expires_at: UnixMillis) -> Self {
        let nobody = Side {
            session: 0,
            seat: Seat::Empty,
        };
        Self {
            times,
            agent: nobody,
            customer: nobody,
            invite_expires_at,
            redeemed_at: None,
            over: false,
        }
    }

    /// A room after a restart of the server: whoever was there is away, with a full deadline to come back.
    pub fn restored(
        times: SeatTimes,
        invite_expires_at: UnixMillis,
        redeemed: bool,
        sessions: (u32, u32),
        now: UnixMillis,
    ) -> Self {
        let side = |session| Side {
            session,
            seat: if session > 0 {
                Seat::Away { since: now }
            } else {
                Seat::Empty
            },
        };
        Self {
            agent: side(sessions.0),
            customer: side(sessions.1),
            redeemed_at: redeemed.then_some(now),
            ..Self::new(times, invite_expires_at)
        }
    }

    /// Where a side is.
    pub fn presence(&self, party: Party) -> Presence {
        let side = self.side(party);
        let warm = party == Party::Customer && !self.redeemed();
        match side.seat {
            Seat::Empty => Presence::Absent,
            Seat::Here { .. } if warm => Presence::Warm { session: side.session },
            Seat::Away { .. } if warm => Presence::Absent,
            Seat::Here { .. } => Presence::Here { session: side.session },
            Seat::Away { since } => Presence::Away {
                until: self.kept_until(party, since),
            },
        }
    }

    /// Number of the side's peer connection; 0 before the first.
    pub fn session(&self, party: Party) -> u32 {
        self.side(party).session
    }

    /// Whether the customer has joined.
    pub fn redeemed(&self) -> bool {
        self.redeemed_at.is_some()
    }

    /// The socket that holds the side's seat.
    pub fn connection(&self, party: Party) -> Option<ConnectionId> {
        match self.side(party).seat {
            Seat::Here { connection } => Some(connection),
            Seat::Empty | Seat::Away { .. } => None,
        }
    }

    /// When to call [`Self::handle`] with [`Input::Tick`] at the latest, and why.
    pub fn deadline(&self) -> Option<(UnixMillis, Waiting)> {
        if self.over {
            return None;
        }
        let Some(redeemed_at) = self.redeemed_at else {
            return Some((self.invite_expires_at, Waiting::ForJoin));
        };
        let due = |party, why| match self.side(party).seat {
            Seat::Here { .. } => None,
            Seat::Empty => Some((self.kept_until(party, redeemed_at), why)),
            Seat::Away { since } => Some((self.kept_until(party, since.max(redeemed_at)), why)),
        };
        let customer = due(Party::Customer, Waiting::ForCustomer);
        let agent = due(Party::Agent, Waiting::ForAgent);
        customer.into_iter().chain(agent).min_by_key(|(at, _)| *at)
    }

    /// Takes an input in and answers what follows from it.
    pub fn handle(&mut self, input: Input, now: UnixMillis) -> Vec<Output> {
        if self.over {
            return Vec::new();
        }
        let mut out = Vec::new();
        match input {
            Input::Redeemed { .. } if self.redeemed() => {}
            Input::Redeemed { by } => {
                self.redeemed_at = Some(now);
                if let Seat::Here { connection } = self.customer.seat {
                    if by != Some(connection) {
                        self.customer.seat = Seat::Empty;
                        out.push(Output::TurnAway { connection });
                    }
                    out.push(self.tell_about(Party::Customer));
                }
            }
            Input::Connected {
                party,
                connection,
                resumed,
            } => {
                let side = self.side_mut(party);
                if let Seat::Here { connection: old } = side.seat {
                    out.push(Output::Replace { party, connection: old });
                }
                if !resumed || side.session == 0 {
                    side.session += 1;
                }
                side.seat = Seat::Here { connection };
                out.push(self.tell_about(party));
            }
            Input::Disconnected { party, connection } => {
                // A socket that was replaced goes away unnoticed: the seat is no longer its own.
                if self.connection(party) == Some(connection) {
                    self.side_mut(party).seat = Seat::Away { since: now };
                    out.push(self.tell_about(party));
                }
            }
            Input::Tick => {
                if let Some((at, why)) = self.deadline()
                    && now >= at
                {
                    self.over = true;
                    out.push(Output::End(match why {
                        Waiting::ForJoin => EndReason::InviteExpired,
                        Waiting::ForCustomer => EndReason::CustomerLost,
                        Waiting::ForAgent => EndReason::AgentLost,
                    }));
                }
            }
        }
        out
    }

    fn tell_about(&self, party: Party) -> Output {
        Output::Tell {
            to: party.other(),
            presence: self.presence(party),
        }
    }

    fn kept_until(&self, party: Party, since: UnixMillis) -> UnixMillis {
        since
            + match party {
                Party::Agent => self.times.agent_ms,
                Party::Customer => self.times.customer_ms,
            }
    }

    fn side(&self, party: Party) -> &Side {
        match party {
            Party::Agent => &self.agent,
            Party::Customer => &self.customer,
        }
    }

    fn side_mut(&mut self, party: Party) -> &mut Side {
        match party {
            Party::Agent => &mut self.agent,
            Party::Customer => &mut self.customer,
        }
    }
}
