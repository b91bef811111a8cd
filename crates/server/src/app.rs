//! What every part of the server shares, and how a change becomes known.

use crate::{
    bots::Bots,
    config::{Secret, ServerConfig},
    connectors::{Connectors, exchange, parcels},
    customer::{PageSignal, Pages},
    desks::{Audience, Desks},
    directline::tickets::Tickets,
    echo::Echoes,
    files::agents,
    gone::Away,
    handover,
    http::{
        limits::{Allowance, Limiter},
        origin::Origins,
        refusal::Refusal,
    },
    readiness::{News, Readinesses},
    rooms::Rooms,
    routing::{self, Assignments},
    supervision::Wall,
    turn::Turn,
};
use sightline_call::routing::Input;
use sightline_store::{
    Committed, Store, Writing, conversations, conversations::StoredConversation, escalations::Escalation,
    messages::StoredMessage,
};
use sightline_wire::{
    ErrorCode, UnixMillis,
    agent::AgentEvent,
    conversation::{Conversation, ConversationState, Undelivered, VideoRequest},
    escalation::EscalationView,
    ids::{AccountId, ConversationId, RoomId},
    routing::asks_for_video,
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
    pub away: Away,
    pub rooms: Rooms,
    pub readiness: Readinesses,
    pub assignments: Assignments,
    pub wall: Wall,
    pub turn: Turn,
    pub echoes: Echoes,
    pub tickets: Tickets,
    pub connectors: Connectors,
    pub bots: Bots,
    /// Wakes the outbox.
    pub outbox: Notify,
    pub limits: Limits,
    /// Signs links into the chat.
    pub link_key: Secret,
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

/// What goes with a change to a conversation's row.
#[derive(Default)]
pub struct Change {
    /// What was appended to it.
    pub messages: Vec<StoredMessage>,
    /// What it did to somebody's readiness.
    pub readiness: Option<News>,
    /// The customer asks for video now.
    pub video_asked_at: Option<UnixMillis>,
    /// What routing hears besides what the row says.
    pub input: Option<Input>,
}

impl Change {
    /// Messages alone.
    pub fn of(messages: Vec<StoredMessage>) -> Self {
        Self {
            messages,
            ..Self::default()
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
        let video_request = self.video_request(&stored);
        let queue = stored.routing.as_ref().map(|routed| routed.queue);
        let because = stored.routing.as_ref().and_then(|routed| routed.because.clone());
        let undelivered = stored.undelivered.iter().map(|one| Undelivered {
            seq: one.seq,
            why: exchange::sentence(&one.error),
            letter: one.letter,
        });
        let undelivered = undelivered.collect();
        let max_bitrate = queue
            .and_then(|queue| self.assignments.plan.queue(queue).max_bitrate)
            .filter(|cap| *cap < self.config.max_bitrate);
        let queue = self.queue_title(queue);
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
            participants: stored.participants,
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
            queue,
            because,
            undelivered,
            max_bitrate,
            video_request,
            escalation: stored.escalation.as_ref().map(|e| self.escalation_view(e)),
            previous: stored.origin.previous,
            came_by: stored.origin.came_by,
            trusted: stored.origin.trusted,
            asked_for: stored.origin.asked_for,
            agent_files: agents::carried(&self.config.deployment.web_chat, stored.channel),
            meetings: self.connectors.meetings().is_some(),
            hidden_variables: stored.origin.hidden,
        }
    }

    /// A wish for video that no call has answered yet.
    pub fn video_request(&self, stored: &StoredConversation) -> Option<VideoRequest> {
        let waits = matches!(stored.state, ConversationState::Open | ConversationState::Active);
        let started = stored.escalation.as_ref().map(|call| call.created_at);
        let running = stored.escalation.as_ref().is_some_and(|call| call.state.holds_slot());
        if !waits || running {
            return None;
        }
        let asked = stored.routing.as_ref().and_then(|routed| routed.video_asked_at);
        let (at, why) = match asked {
            Some(at) if started.is_none_or(|started| started < at) => (at, "The customer asks to be seen."),
            _ if started.is_none() && asks_for_video(&stored.context) => {
                (stored.opened_at, "The conversation came with a wish for video.")
            }
            _ => return None,
        };
        Some(VideoRequest { at, why: why.into() })
    }

    /// Commits a change to one conversation and tells everybody concerned, before the next change begins; of a
    /// hidden one that is nobody.
    /// `before` is the state it had: colleagues who saw it waiting must learn that it is taken.
    pub async fn settle_with(
        &self,
        writing: Writing,
        conversation: ConversationId,
        before: ConversationState,
        change: Change,
    ) -> Result<Conversation, Refusal> {
        let settled = self.settle_holding(writing, conversation, before, change);
        let (view, committed) = settled.await?;
        drop(committed);
        Ok(view)
    }

    /// The same, for whoever has more to tell in this turn: the next change begins when [`Committed`] is dropped.
    pub async fn settle_holding(
        &self,
        mut writing: Writing,
        conversation: ConversationId,
        before: ConversationState,
        change: Change,
    ) -> Result<(Conversation, Committed), Refusal> {
        let Change {
            mut messages,
            readiness,
            video_asked_at,
            input,
        } = change;
        let c = writing.conn();
        let mut stored = conversations::get(c, conversation).await?.ok_or(ErrorCode::NotFound)?;
        if let Some((placed, lines)) = routing::place(&self.assignments, c, &stored).await? {
            stored = placed;
            messages.extend(lines);
        }
        if video_asked_at.is_some() && !stored.hidden() {
            let mut routed = stored
                .routing
                .clone()
                .unwrap_or_else(|| self.assignments.plan.unplaced());
            routed.video_asked_at = video_asked_at;
            conversations::set_routing(c, conversation, &routed).await?;
            stored.routing = Some(routed);
        }
        if let Some(line) = handover::tell(c, &stored).await? {
            messages.push(line);
            stored = conversations::get(c, conversation).await?.ok_or(ErrorCode::NotFound)?;
        }
        let thread = stored.thread.clone();
        let hidden = stored.channel.hidden();
        let with_bot = stored.bot.is_some();
        let routed = stored.routing.clone();
        let to_send = parcels::plan(self, writing.conn(), &stored, &messages).await?;
        let view = self.view(stored);
        let committed = writing.commit().await?;
        if to_send {
            self.connectors.wake.notify_one();
        }
        if let Some(news) = readiness {
            self.tell_readiness(news);
        }
        if hidden {
            return Ok((view, committed));
        }
        if with_bot {
            // Between the customer and the bot; nobody else's work yet.
            if let Some(thread) = thread {
                self.pages.signal(&thread, PageSignal::New);
            }
            self.bots.stir(conversation);
            return Ok((view, committed));
        }
        // Where agents take conversations themselves, all of them saw it waiting.
        let by_hand = routed
            .as_ref()
            .is_none_or(|routed| self.assignments.plan.by_hand(routed.queue));
        let audience = match by_hand && (before == ConversationState::Open || view.state == ConversationState::Open) {
            true => Audience::Everybody,
            false => self.audience(&view),
        };
        self.desks.tell(audience, &AgentEvent::Conversation(view.clone()));
        for stored in messages {
            let audience = match by_hand && view.state == ConversationState::Open {
                true => Audience::Everybody,
                false => self.audience(&view),
            };
            self.desks.tell(audience, &AgentEvent::Message(stored.message));
        }
        if let Some(thread) = thread {
            self.pages.signal(&thread, PageSignal::New);
            self.count_away(&thread, &view);
        }
        self.follow(&view, routed.as_ref());
        if let Some(input) = input {
            self.note(input, now());
        }
        self.stir_wall();
        Ok((view, committed))
    }

    /// The same for a change that concerns the conversation alone.
    pub async fn settle(
        &self,
        writing: Writing,
        conversation: ConversationId,
        before: ConversationState,
        messages: Vec<StoredMessage>,
    ) -> Result<Conversation, Refusal> {
        self.settle_with(writing, conversation, before, Change::of(messages))
            .await
    }
}
