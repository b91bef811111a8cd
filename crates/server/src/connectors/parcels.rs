//! What a platform has to hear of a conversation, decided in the transaction that makes it happen.

use crate::{app::App, handover};
use serde::{Deserialize, Serialize};
use sightline_call::text::pieces;
use sightline_connect::{Ability, HandoffState};
use sightline_store::{
    SqliteConnection, StoreError, bot_talks,
    conversations::{self, StoredConversation},
    deliveries::{self, NewDelivery},
    escalations::Escalation,
    messages::StoredMessage,
    threads::{self, Origin, Thread},
};
use sightline_wire::{
    UnixMillis,
    connectors::LetterKind,
    conversation::{Author, Body, Channel, Context, ContextValue},
    escalation::{EndReason, EscalationState},
};

/// One thing to be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Parcel {
    /// Words.
    Message {
        /// Whose.
        agent: String,
        /// The words.
        text: String,
        /// When they were written.
        at: UnixMillis,
    },
    /// A link to a video call.
    Invite {
        /// Whose.
        agent: String,
        /// The sentence around the link.
        text: String,
        /// The link.
        link: String,
        /// When it was written.
        at: UnixMillis,
        /// It opens nothing after this.
        until: UnixMillis,
        /// The platform lets nobody write freely: by its template.
        #[serde(default)]
        template: bool,
    },
    /// Variables.
    Context {
        /// Those that are new or other than before.
        context: Context,
    },
    /// What became of a bot's hand-off.
    Handoff {
        /// What.
        state: HandoffTold,
    },
    /// A customer's message has come so far.
    Receipt {
        /// The platform's id of it.
        id: String,
        /// Seen by the agent, not only here.
        read: bool,
        /// When.
        at: UnixMillis,
    },
}

/// As a bot is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandoffTold {
    /// An agent has it.
    Accepted,
    /// The customer left before anybody had it.
    Failed,
    /// The agent has finished.
    Completed,
}

impl HandoffTold {
    /// As the event says it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Failed => "failed",
            Self::Completed => "completed",
        }
    }

    /// For the platform.
    pub fn state(self) -> HandoffState {
        match self {
            Self::Accepted => HandoffState::Accepted,
            Self::Failed => HandoffState::Failed("Nobody took the conversation before it ended.".into()),
            Self::Completed => HandoffState::Completed,
        }
    }
}

impl Parcel {
    /// For the list of dead letters.
    pub fn kind(&self) -> LetterKind {
        match self {
            Parcel::Message { .. } => LetterKind::Message,
            Parcel::Invite { .. } => LetterKind::Invite,
            Parcel::Context { .. } => LetterKind::Context,
            Parcel::Handoff { .. } => LetterKind::Handoff,
            Parcel::Receipt { .. } => LetterKind::Receipt,
        }
    }

    /// What people see of it.
    pub fn text(&self) -> String {
        match self {
            Parcel::Message { text, .. } | Parcel::Invite { text, .. } => text.clone(),
            Parcel::Context { context } => context.keys().cloned().collect::<Vec<_>>().join(", "),
            Parcel::Handoff { state } => state.word().into(),
            Parcel::Receipt { read, .. } => if *read { "read" } else { "delivered" }.into(),
        }
    }
}

/// The platform's thread that a conversation goes over, and its connector. Web chats have none, and are not looked up: this
/// is asked at every message, while nobody else can write.
async fn platform(
    c: &mut SqliteConnection,
    stored: &StoredConversation,
) -> Result<Option<(String, String)>, StoreError> {
    let Some(thread) = stored.thread.as_ref().filter(|_| stored.channel != Channel::WebChat) else {
        return Ok(None);
    };
    Ok(threads::get(c, thread).await?.and_then(of_platform))
}

fn of_platform(thread: Thread) -> Option<(String, String)> {
    match thread.origin {
        Origin::Platform { connector, .. } => Some((thread.id, connector)),
        Origin::Page => None,
    }
}

/// Puts into the outbox what a change of this conversation means to its platform, if it has one; whether that is anything.
pub async fn plan(
    app: &App,
    c: &mut SqliteConnection,
    stored: &StoredConversation,
    messages: &[StoredMessage],
) -> Result<bool, StoreError> {
    let handoff = handover::news(stored);
    if let Some((told, _)) = handoff {
        conversations::set_handoff(c, stored.id, told).await?;
    }
    let Some(words) = platform(c, stored).await? else {
        return match handoff {
            Some((_, state)) => tell_bot(c, stored, state).await,
            None => Ok(false),
        };
    };
    // Not configured any more: what is to be sent waits until it is again.
    let able = |connector: &str| match app.connectors.get(connector) {
        Some(line) => (line.connector.longest(), line.connector.abilities()),
        None => (usize::MAX, [].as_slice()),
    };
    let mut parcels = Vec::new();
    let (longest, abilities) = able(&words.1);
    for message in messages {
        of_message(&app.config.company, message, longest, abilities, &mut parcels);
    }
    let mut sent = queue(c, stored, &words, &parcels).await?;
    // What is said in a phone call goes by SMS; what becomes of it concerns whoever brought it.
    let brought = match stored.channel {
        Channel::Phone => threads::of_call(c, stored.id).await?.and_then(of_platform),
        _ => None,
    };
    let brought = brought.unwrap_or(words);
    let (_, abilities) = able(&brought.1);
    let mut parcels: Vec<Numbered> = Vec::new();
    if let Some((_, state)) = handoff {
        parcels.push((None, Parcel::Handoff { state }));
    }
    if let Some(call) = &stored.escalation
        && abilities.contains(&Ability::Context)
        && stored.told_video.as_deref() != Some(video_room(call).as_str())
    {
        let told = video_room(call);
        conversations::set_told_video(c, stored.id, &told).await?;
        let context = video_context(app, call, &told);
        parcels.push((None, Parcel::Context { context }));
    }
    sent |= queue(c, stored, &brought, &parcels).await?;
    Ok(sent)
}

/// Whether there was anything.
async fn queue(
    c: &mut SqliteConnection,
    stored: &StoredConversation,
    (thread, connector): &(String, String),
    parcels: &[Numbered],
) -> Result<bool, StoreError> {
    for (seq, parcel) in parcels {
        let new = NewDelivery {
            connector,
            thread,
            conversation: stored.id,
            seq: *seq,
            parcel,
        };
        deliveries::add(c, &new, crate::app::now()).await?;
    }
    Ok(!parcels.is_empty())
}

/// The bot in front of a web chat hears what became of its hand-off; it is told nothing else any more.
async fn tell_bot(
    c: &mut SqliteConnection,
    stored: &StoredConversation,
    state: HandoffTold,
) -> Result<bool, StoreError> {
    let Some(talk) = bot_talks::get(c, stored.id)
        .await?
        .filter(|talk| talk.external.is_some())
    else {
        return Ok(false);
    };
    let new = NewDelivery {
        connector: &talk.connector,
        thread: &talk.thread,
        conversation: stored.id,
        seq: None,
        parcel: &Parcel::Handoff { state },
    };
    deliveries::add(c, &new, crate::app::now()).await?;
    Ok(true)
}

type Numbered = (Option<i64>, Parcel);

fn of_message(company: &str, stored: &StoredMessage, longest: usize, abilities: &[Ability], out: &mut Vec<Numbered>) {
    let message = &stored.message;
    let (seq, at) = (Some(message.seq), message.at);
    match (&message.author, &message.body) {
        (
            Author::Agent { name, .. },
            Body::Invite {
                text, url, expires_at, ..
            },
        ) => {
            let invite = Parcel::Invite {
                agent: name.clone(),
                text: text.clone(),
                link: url.clone(),
                at,
                until: *expires_at,
                template: false,
            };
            out.push((seq, invite));
        }
        (Author::Agent { .. } | Author::System, Body::Text { text }) => {
            let agent = match &message.author {
                Author::Agent { name, .. } => name.as_str(),
                Author::Customer | Author::Bot { .. } | Author::System => company,
            };
            let parts = pieces(text, longest);
            let last = parts.len().saturating_sub(1);
            out.extend(parts.into_iter().enumerate().map(|(part, text)| {
                let agent = agent.to_owned();
                // The message has arrived with its last part.
                let seq = seq.filter(|_| part == last);
                (seq, Parcel::Message { agent, text, at })
            }));
        }
        (Author::Customer, Body::Text { .. } | Body::Files { .. }) if abilities.contains(&Ability::Receipts) => {
            if let Some(id) = &stored.page_key {
                let (id, read) = (id.clone(), false);
                out.push((None, Parcel::Receipt { id, read, at }));
            }
        }
        // Lines of history are for those who look after the conversation, and what a bot says the platform knows.
        (Author::Customer | Author::Bot { .. } | Author::System | Author::Agent { .. }, _) => {}
    }
}

/// Twilio Flex's four words for it (`videoRoom`).
fn video_room(call: &Escalation) -> String {
    match call.state {
        EscalationState::Invited | EscalationState::Joining { .. } => "created",
        EscalationState::Live { .. } => "connected",
        EscalationState::Ended {
            reason: EndReason::MediaFailed,
            ..
        } => "error",
        EscalationState::Ended { .. } => "disconnected",
    }
    .into()
}

/// What a platform keeps of a video call: Flex's names, and those of Genesys's guide.
fn video_context(app: &App, call: &Escalation, told: &str) -> Context {
    let text = |text: &str| ContextValue::Text(text.into());
    [
        ("videoRoom", text(told)),
        ("videoRoomSid", text(&call.room.to_string())),
        ("videoUrl", text(&app.link(&call.code))),
        ("Escalation_Source", text("Chat")),
        ("Target_Channel", text("Video")),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// What the platform is told when an agent has read up to here.
pub async fn plan_read(
    app: &App,
    c: &mut SqliteConnection,
    stored: &StoredConversation,
    newest_read: &[StoredMessage],
) -> Result<bool, StoreError> {
    let Some((thread, connector)) = platform(c, stored).await? else {
        return Ok(false);
    };
    let able = app
        .connectors
        .get(&connector)
        .is_some_and(|line| line.connector.abilities().contains(&Ability::Receipts));
    let theirs = newest_read.iter().rev().find(|m| m.message.author == Author::Customer);
    let Some(id) = theirs.and_then(|m| m.page_key.clone()).filter(|_| able) else {
        return Ok(false);
    };
    let at = crate::app::now();
    let parcel = Parcel::Receipt { id, read: true, at };
    let new = NewDelivery {
        connector: &connector,
        thread: &thread,
        conversation: stored.id,
        seq: None,
        parcel: &parcel,
    };
    deliveries::add(c, &new, at).await?;
    Ok(true)
}
