//! What every part of the server shares, and how a change becomes known.

use crate::{
    config::ServerConfig,
    customer::{PageSignal, Pages},
    desks::{Audience, Desks},
    directline::tickets::Tickets,
    echo::Echoes,
    http::{
        limits::{Allowance, Limiter},
        origin::Origins,
        refusal::Refusal,
    },
    readiness::{News, Readinesses},
    rooms::Rooms,
    routing::Assignments,
    turn::Turn,
};
use sightline_store::{
    Store, Writing, conversations, conversations::StoredConversation, escalations::Escalation, messages::StoredMessage,
};
use sightline_wire::{
    ErrorCode, UnixMillis,
    agent::AgentEvent,
    conversation::{Conversation, ConversationState},
    escalation::EscalationView,
    ids::{AccountId, ConversationId, RoomId},
};
use std::{
    net::IpAddr,
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::sync::{Notify, Semaphore, watch};

/// The running server.
pub struct App {
    pub store: Store,
    pub config: ServerConfig,
    /// How customers reach us; no slash at the end.
    pub public_url: String,
    /// How the echo peer reaches us, past whatever stands before the server; no slash at the end.
    pub own_url: String,
    pub origins: Origins,
    pub desks: Desks,
    pub pages: Pages,
    pub rooms: Rooms,
    pub readiness: Readinesses,
    pub assignments: Assignments,
    pub turn: Turn,
    pub echoes: Echoes,
    pub tickets: Tickets,
    /// Wakes the outbox.
    pub outbox: Notify,
    pub limits: Limits,
    /// Turns true when the server stops.
    pub stopping: Stopping,
}

/// Tells when the server stops.
#[derive(Clone)]
pub struct Stopping(pub watch::Receiver<bool>);

impl Stopping {
    /// Returns when the server stops.
    pub async fn stopped(&mut self) {
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

/// Attempts that are counted.
pub struct Limits {
    /// Failed sign-ins of one name from one address.
    pub sign_in: Limiter<(IpAddr, String)>,
    /// Failed sign-ins from one address.
    pub sign_in_address: Limiter<IpAddr>,
    /// Unknown invite codes from one address.
    pub unknown_code: Limiter<IpAddr>,
    /// Warm tokens of one room.
    pub warm: Limiter<RoomId>,
    /// New customer pages from one address.
    pub new_page: Limiter<IpAddr>,
    /// Transfers that measure an agent's line: a self-test makes about ten.
    pub probe: Limiter<AccountId>,
    /// Passwords hashed at the same time; each takes 19 MiB.
    pub hashing: Semaphore,
}

impl Default for Limits {
    fn default() -> Self {
        let per_minutes = |attempts, minutes: i64| Allowance {
            attempts,
            window_ms: minutes * 60_000,
        };
        Self {
            sign_in: Limiter::new(per_minutes(10, 5)),
            sign_in_address: Limiter::new(per_minutes(100, 5)),
            unknown_code: Limiter::new(per_minutes(20, 10)),
            warm: Limiter::new(per_minutes(60, 1)),
            new_page: Limiter::new(per_minutes(600, 1)),
            probe: Limiter::new(per_minutes(60, 1)),
            hashing: Semaphore::new(2),
        }
    }
}

/// The wall clock. State machines get it passed in.
pub fn now() -> UnixMillis {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

impl App {
    /// A customer's link.
    pub fn link(&self, code: &str) -> String {
        format!("{}/j/{code}", self.public_url)
    }

    /// An escalation as it crosses the wire.
    pub fn escalation_view(&self, escalation: &Escalation) -> EscalationView {
        EscalationView {
            id: escalation.id,
            conversation: escalation.conversation,
            room: escalation.room,
            state: escalation.state,
            url: self.link(&escalation.code),
            expires_at: escalation.expires_at,
            created_at: escalation.created_at,
            survey: escalation.survey.clone(),
            quality: escalation.quality.clone(),
        }
    }

    /// A conversation as it crosses the wire.
    pub fn view(&self, stored: StoredConversation) -> Conversation {
        let customer_present = stored
            .thread
            .as_deref()
            .is_some_and(|thread| self.pages.present(thread));
        Conversation {
            id: stored.id,
            channel: stored.channel,
            state: stored.state,
            customer_name: stored.customer_name,
            customer_present,
            owner: stored.owner,
            owner_name: stored.owner_name,
            opened_at: stored.opened_at,
            state_since: stored.state_since,
            last_seq: stored.last_seq,
            delivered_seq: stored.delivered_seq,
            read_seq: stored.read_seq,
            last_text: stored.last_text,
            last_at: stored.last_at,
            context: stored.context,
            notes: stored.notes,
            disposition: stored.disposition,
            escalation: stored.escalation.as_ref().map(|e| self.escalation_view(e)),
        }
    }

    /// Commits a change to one conversation and tells everybody concerned, before the next change begins; of a
    /// hidden one that is nobody.
    /// `before` is the state it had: colleagues who saw it waiting must learn that it is taken.
    pub async fn settle_with(
        &self,
        mut writing: Writing,
        conversation: ConversationId,
        before: ConversationState,
        messages: Vec<StoredMessage>,
        readiness: Option<News>,
    ) -> Result<Conversation, Refusal> {
        let stored = conversations::get(writing.conn(), conversation)
            .await?
            .ok_or(ErrorCode::NotFound)?;
        let thread = stored.thread.clone();
        let hidden = stored.channel.hidden();
        let view = self.view(stored);
        let committed = writing.commit().await?;
        if let Some(news) = readiness {
            self.tell_readiness(news);
        }
        if hidden {
            return Ok(view);
        }
        let audience = if before == ConversationState::Open {
            Audience::Everybody
        } else {
            Audience::of(&view)
        };
        self.desks.tell(audience, &AgentEvent::Conversation(view.clone()));
        for stored in messages {
            self.desks
                .tell(Audience::of(&view), &AgentEvent::Message(stored.message));
        }
        if let Some(thread) = thread {
            self.pages.signal(&thread, PageSignal::New);
        }
        self.follow(&view);
        drop(committed);
        Ok(view)
    }

    /// The same for a change that concerns the conversation alone.
    pub async fn settle(
        &self,
        writing: Writing,
        conversation: ConversationId,
        before: ConversationState,
        messages: Vec<StoredMessage>,
    ) -> Result<Conversation, Refusal> {
        self.settle_with(writing, conversation, before, messages, None).await
    }
}
