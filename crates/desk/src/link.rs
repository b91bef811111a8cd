//! The agent's socket: hints that something has changed. The truth is fetched by HTTP.

use crate::{
    api::{Api, is_final},
    socket::{self, Next, Protocol},
};
use sightline_wire::{
    ErrorCode, Problem,
    account::Account,
    agent::{AgentEvent, AgentRequest},
    conversation::Conversation,
    ids::{ConversationId, DeskId},
    readiness::Narrowing,
    routing::Chosen,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::{Notify, mpsc};

/// What the link tells the controller.
pub(crate) enum LinkEvent {
    Welcome {
        account: Account,
        company: String,
        max_bitrate: u32,
        conversations: Vec<Conversation>,
    },
    Frame(Box<AgentEvent>),
    Lost,
    /// Another desk has this agent's work; the socket is closed until a take-over.
    Displaced(Problem),
}

/// The socket; dropping it closes it.
pub(crate) struct Link {
    outgoing: mpsc::UnboundedSender<AgentRequest>,
    doubt: Arc<Notify>,
}

impl Link {
    /// Connects and stays connected; `tell` returns false once nobody listens any more.
    pub fn open(api: Api, desk: DeskId, take_over: bool, tell: impl Fn(LinkEvent) + Send + 'static) -> Self {
        let (outgoing, queue) = mpsc::unbounded_channel();
        let base = api.base().to_owned();
        let protocol = AgentProtocol {
            api,
            desk,
            take_over,
            token: String::new(),
            refused: false,
            tell: Box::new(tell),
        };
        let doubt = Arc::new(Notify::new());
        tokio::spawn(socket::keep(base, protocol, queue, doubt.clone()));
        Self { outgoing, doubt }
    }

    /// The network may have changed.
    pub fn check(&self) {
        self.doubt.notify_one();
    }

    /// Something speaks against this desk's lease.
    pub fn narrow(&self, why: Narrowing) {
        let _ = self.outgoing.send(AgentRequest::Narrow { why });
    }

    /// Opens or closes the readiness board.
    pub fn watch_board(&self, open: bool) {
        let _ = self.outgoing.send(AgentRequest::WatchBoard { open });
    }

    /// Opens or closes the live wall.
    pub fn watch_wall(&self, open: bool) {
        let _ = self.outgoing.send(AgentRequest::WatchWall { open });
    }

    /// The agent is there again, after an assignment that came to nothing.
    pub fn back_again(&self) {
        let _ = self.outgoing.send(AgentRequest::BackAgain);
    }

    /// The agent chooses a presence.
    pub fn choose(&self, chosen: Chosen) {
        let _ = self.outgoing.send(AgentRequest::Presence { chosen });
    }

    /// The agent is writing.
    pub fn typing(&self, conversation: ConversationId) {
        let _ = self.outgoing.send(AgentRequest::Typing { conversation });
    }
}

struct AgentProtocol {
    api: Api,
    desk: DeskId,
    take_over: bool,
    token: String,
    refused: bool,
    tell: Box<dyn Fn(LinkEvent) + Send>,
}

impl Protocol for AgentProtocol {
    type Out = AgentRequest;
    type In = AgentEvent;
    const PATH: &'static str = "/v1/agent/socket";

    fn heartbeat() -> AgentRequest {
        AgentRequest::Heartbeat
    }

    async fn hello(&mut self) -> Result<AgentRequest, Problem> {
        self.token = if self.refused {
            self.api.replace_token(&self.token).await?
        } else {
            self.api.access_token().await?
        };
        self.refused = false;
        Ok(AgentRequest::Hello {
            access_token: self.token.clone(),
            desk: self.desk,
            take_over: self.take_over,
        })
    }

    fn hear(&mut self, frame: AgentEvent) -> Next {
        match frame {
            AgentEvent::Welcome {
                account,
                company,
                max_bitrate,
                conversations,
                heartbeat_ms,
                silence_ms,
            } => {
                // From here on this desk is the agent's own: a reconnect need not push anybody out.
                self.take_over = false;
                (self.tell)(LinkEvent::Welcome {
                    account,
                    company,
                    max_bitrate,
                    conversations,
                });
                Next::Welcomed {
                    heartbeat: Duration::from_millis(heartbeat_ms.into()),
                    silence: Duration::from_millis(silence_ms.into()),
                }
            }
            AgentEvent::Problem(problem)
                if matches!(problem.code, ErrorCode::SecondDesk | ErrorCode::DeskDisplaced) =>
            {
                (self.tell)(LinkEvent::Displaced(problem));
                Next::Stop
            }
            AgentEvent::Problem(problem) if is_final(&problem) => {
                self.refused = true;
                Next::Reconnect
            }
            AgentEvent::Problem(problem) => {
                tracing::warn!(code = ?problem.code, "the server refused a frame");
                Next::Stay
            }
            AgentEvent::Heartbeat => Next::Stay,
            frame @ (AgentEvent::Conversation(_)
            | AgentEvent::Message(_)
            | AgentEvent::Typing { .. }
            | AgentEvent::Readiness(_)
            | AgentEvent::TestWanted
            | AgentEvent::Board(_)
            | AgentEvent::Wall(_)
            | AgentEvent::Intervened(_)
            | AgentEvent::Assigned(_)
            | AgentEvent::TakenBack { .. }
            | AgentEvent::Paused { .. }
            | AgentEvent::Presence(_)
            | AgentEvent::Handed(_)
            | AgentEvent::Gone { .. }) => {
                (self.tell)(LinkEvent::Frame(Box::new(frame)));
                Next::Stay
            }
        }
    }

    fn lost(&mut self) {
        (self.tell)(LinkEvent::Lost);
    }
}
