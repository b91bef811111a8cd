//! The call's socket: offers, answers, who is there. Media does not depend on it.

use crate::socket::{self, Next, Protocol};
use sightline_wire::{
    ErrorCode, Problem,
    escalation::{EndReason, IceConfig},
    room::{MediaState, Presence, RoomEvent, RoomRequest},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::{Notify, mpsc};

/// What the room tells the controller.
pub(crate) enum RoomNews {
    Reached {
        other: Presence,
        other_media: MediaState,
    },
    Presence(Presence),
    Media(MediaState),
    Answer {
        negotiation: u32,
        sdp: String,
    },
    Candidate {
        negotiation: u32,
        candidate: String,
    },
    /// Servers with fresh credentials.
    Ice(IceConfig),
    Ended(EndReason),
    Lost,
    /// The token is not good any more; the socket is closed.
    Refused(Problem),
}

/// The socket; dropping it closes it, after what was sent before.
pub(crate) struct RoomLine {
    outgoing: mpsc::UnboundedSender<RoomRequest>,
    doubt: Arc<Notify>,
}

impl RoomLine {
    /// Connects as the agent and stays connected until the call is over.
    pub fn open(base: String, token: String, tell: impl Fn(RoomNews) + Send + 'static) -> Self {
        let (outgoing, queue) = mpsc::unbounded_channel();
        let protocol = RoomProtocol {
            token,
            resume: None,
            tell: Box::new(tell),
        };
        let doubt = Arc::new(Notify::new());
        tokio::spawn(socket::keep(base, protocol, queue, doubt.clone()));
        Self { outgoing, doubt }
    }

    /// The network may have changed: a socket that does not answer at once is replaced, and one that waits
    /// for its next attempt does not wait any longer.
    pub fn check(&self) {
        self.doubt.notify_one();
    }

    /// Sends one frame, if there is a socket.
    pub fn send(&self, request: RoomRequest) {
        let _ = self.outgoing.send(request);
    }
}

struct RoomProtocol {
    token: String,
    resume: Option<String>,
    tell: Box<dyn Fn(RoomNews) + Send>,
}

impl Protocol for RoomProtocol {
    type Out = RoomRequest;
    type In = RoomEvent;
    const PATH: &'static str = "/v1/rooms/socket";

    fn heartbeat() -> RoomRequest {
        RoomRequest::Heartbeat
    }

    async fn hello(&mut self) -> Result<RoomRequest, Problem> {
        Ok(RoomRequest::Hello {
            token: self.token.clone(),
            resume: self.resume.clone(),
        })
    }

    fn hear(&mut self, frame: RoomEvent) -> Next {
        let news = match frame {
            RoomEvent::Welcome {
                resume,
                other,
                other_media,
                heartbeat_ms,
                silence_ms,
                ..
            } => {
                self.resume = Some(resume);
                (self.tell)(RoomNews::Reached { other, other_media });
                return Next::Welcomed {
                    heartbeat: Duration::from_millis(heartbeat_ms.into()),
                    silence: Duration::from_millis(silence_ms.into()),
                };
            }
            RoomEvent::Ended { reason } => {
                (self.tell)(RoomNews::Ended(reason));
                return Next::Stop;
            }
            RoomEvent::Problem(problem)
                if matches!(
                    problem.code,
                    ErrorCode::RoomRefused
                        | ErrorCode::RoomEnded
                        | ErrorCode::EscalationEnded
                        | ErrorCode::NotFound
                        | ErrorCode::NotYourConversation
                ) =>
            {
                (self.tell)(RoomNews::Refused(problem));
                return Next::Stop;
            }
            RoomEvent::Problem(problem) => {
                tracing::warn!(code = ?problem.code, "the room refused a frame");
                return Next::Stay;
            }
            // Only a customer is sent these.
            RoomEvent::Agent { .. }
            | RoomEvent::Offer(_)
            | RoomEvent::Joined
            | RoomEvent::Attempt { .. }
            | RoomEvent::Heartbeat => return Next::Stay,
            RoomEvent::Ice(ice) => RoomNews::Ice(ice),
            RoomEvent::Presence(presence) => RoomNews::Presence(presence),
            RoomEvent::Media(media) => RoomNews::Media(media),
            RoomEvent::Answer { negotiation, sdp } => RoomNews::Answer { negotiation, sdp },
            RoomEvent::Candidate { negotiation, candidate } => RoomNews::Candidate { negotiation, candidate },
        };
        (self.tell)(news);
        Next::Stay
    }

    fn lost(&mut self) {
        (self.tell)(RoomNews::Lost);
    }
}
