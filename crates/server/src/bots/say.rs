//! What a bot says becomes part of the conversation, and what the customer says goes to the bot. Everything here may be
//! heard twice and happens once.

use crate::{
    app::{App, now},
    connectors::inbound::{cut, keep_context},
    customer::{self, PageSignal, told_line},
    files::{self, Sent},
    handover::{self, Handover},
    http::refusal::Refusal,
};
use sightline_call::text::pieces;
use sightline_connect::{
    Content, Inbound, Speaker,
    bot::cards::Offer,
    directline::{DirectLine, Said, SentFile},
};
use sightline_store::{
    Writing,
    bot_talks::{self, Talk},
    conversations::{self, StoredConversation},
    messages::{self, ClientKey, NewMessage},
    threads::{self, Thread},
};
use sightline_wire::conversation::Context;
use sightline_wire::{
    ErrorCode, MAX_MESSAGE_CHARS,
    conversation::{Author, Body, ConversationState, FilePlace, Message},
    history::HistoryLine,
};

/// The conversation as long as the bot has it.
pub async fn still(app: &App, talk: &Talk) -> Result<Option<StoredConversation>, Refusal> {
    let mut c = app.store.read().await?;
    let stored = conversations::get(&mut c, talk.conversation).await?;
    Ok(stored.filter(|stored| stored.bot.is_some() && stored.state == ConversationState::Open))
}

/// One thing that the bot says; `false` when the talk has ended with it.
pub async fn take(app: &App, talk: &Talk, bot: &DirectLine, event: Inbound) -> Result<bool, Refusal> {
    let mut writing = app.store.write().await?;
    let c = writing.conn();
    let Some(stored) = conversations::get(c, talk.conversation).await? else {
        return Ok(false);
    };
    if !(stored.bot.is_some() && stored.state == ConversationState::Open) {
        return Ok(false);
    }
    let thread = threads::get(c, &talk.thread).await?.ok_or(ErrorCode::NotFound)?;
    match event {
        Inbound::Message {
            id,
            from,
            content,
            context,
            ..
        } => {
            said(app, writing, (talk, thread, stored), bot, (&id, from, content), context).await?;
        }
        Inbound::Typing { .. } => {
            let (name, at) = (bot.name.clone(), now());
            app.pages.signal(&talk.thread, PageSignal::BotTyping { name, at });
        }
        Inbound::Context { context, .. } => {
            let mut thread = thread;
            keep_context(&mut writing, &mut thread, &context).await?;
            drop(writing.commit().await?);
        }
        Inbound::VideoAsked { .. } => {
            drop(writing);
            customer::wants_video(app, &talk.thread).await?;
        }
        Inbound::Handoff {
            id,
            context,
            transcript,
            ..
        } => {
            let handover = Handover {
                id,
                name: None,
                context,
                transcript,
                line: format!("{} hands over to a person", bot.name),
                means: HistoryLine::BotHandsOver {
                    bot: Some(bot.name.clone()),
                },
                told: true,
            };
            release(app, writing, thread, handover).await?;
            return Ok(false);
        }
        Inbound::Ended { .. } => {
            let handover = Handover {
                id: talk.conversation.to_string(),
                name: None,
                context: Context::new(),
                transcript: Vec::new(),
                line: format!("{} has finished. A person goes on from here", bot.name),
                means: HistoryLine::BotFinished { bot: bot.name.clone() },
                told: false,
            };
            release(app, writing, thread, handover).await?;
            return Ok(false);
        }
        // Nothing that a bot could say over Direct Line.
        Inbound::Receipt { .. } | Inbound::Fetch { .. } | Inbound::Call { .. } | Inbound::CallEnded { .. } => {}
    }
    Ok(true)
}

/// The bot does not work: the customer is not left alone with it.
pub async fn given_up(app: &App, talk: &Talk) -> Result<(), Refusal> {
    let mut writing = app.store.write().await?;
    let thread = threads::get(writing.conn(), &talk.thread)
        .await?
        .ok_or(ErrorCode::NotFound)?;
    let handover = Handover {
        id: talk.conversation.to_string(),
        name: None,
        context: Context::new(),
        transcript: Vec::new(),
        line: "The assistant cannot be reached. A person goes on from here".into(),
        means: HistoryLine::BotGone,
        told: false,
    };
    release(app, writing, thread, handover).await
}

async fn release(app: &App, mut writing: Writing, thread: Thread, over: Handover) -> Result<(), Refusal> {
    if let Some(conversation) = thread.conversation {
        bot_talks::release(writing.conn(), conversation, now()).await?;
    }
    handover::take(app, writing, thread, over).await
}

async fn said(
    app: &App,
    mut writing: Writing,
    (talk, mut thread, stored): (&Talk, Thread, StoredConversation),
    bot: &DirectLine,
    (id, from, content): (&str, Speaker, Content),
    context: Context,
) -> Result<(), Refusal> {
    keep_context(&mut writing, &mut thread, &context).await?;
    let name = match from {
        Speaker::Customer { name, .. } | Speaker::Other { name } => name,
    };
    let name = name.filter(|name| !name.trim().is_empty());
    let author = Author::Bot {
        name: cut(name.as_deref().unwrap_or(&bot.name)),
    };
    let parts = match content {
        Content::Text(text) => pieces(&text, MAX_MESSAGE_CHARS)
            .into_iter()
            .map(|text| Body::Text { text })
            .collect(),
        Content::Offer(offer) => {
            let text = offer.text();
            let Offer { words, cards, actions } = offer;
            vec![Body::Offer {
                text,
                words,
                cards,
                actions,
            }]
        }
        Content::File { url, kind, caption } => {
            let kind = kind.as_deref().unwrap_or("file");
            let file = Sent::elsewhere(caption.as_deref().unwrap_or_default(), kind, Some(&url));
            let place = (talk.thread.as_str(), talk.conversation);
            vec![files::keep(writing.conn(), place, "", vec![file], now()).await?]
        }
    };
    let mut new = Vec::new();
    for (part, body) in parts.into_iter().enumerate() {
        let external = talk.external.as_deref().unwrap_or_default();
        let key = ClientKey::Page {
            thread: talk.thread.clone(),
            key: format!("bot {external} {id} {part}"),
        };
        if messages::by_client_key(writing.conn(), talk.conversation, &key)
            .await?
            .is_some()
        {
            continue;
        }
        let message = NewMessage {
            conversation: talk.conversation,
            author: author.clone(),
            body,
            client_key: Some(key),
            at: now(),
        };
        new.push(messages::append(writing.conn(), message).await?);
    }
    app.settle(writing, talk.conversation, stored.state, new).await?;
    Ok(())
}

/// What a customer's message is to the bot: its words, where its files are, and what was chosen.
pub fn outgoing(app: &App, thread: &str, message: &Message) -> Option<(String, Said)> {
    if message.author != Author::Customer {
        return None;
    }
    match &message.body {
        Body::Text { text } => Some((text.clone(), Said::default())),
        Body::Files { words, files, .. } => {
            let files = files.iter().filter_map(|file| {
                let url = match file.place.as_ref()? {
                    FilePlace::Here { id } => files::routes::address(app, thread, *id),
                    FilePlace::There { url } => url.clone(),
                };
                let (kind, name) = (file.kind.clone(), file.name.clone());
                Some(SentFile { kind, name, url })
            });
            let files = files.collect();
            Some((
                words.clone(),
                Said {
                    files,
                    ..Said::default()
                },
            ))
        }
        Body::Choice { said, value, seen, .. } => {
            let chosen = Said {
                files: Vec::new(),
                value: value.clone(),
                unseen: !seen,
            };
            Some((said.clone().unwrap_or_default(), chosen))
        }
        Body::Offer { .. } | Body::Invite { .. } | Body::Event { .. } | Body::Note { .. } => None,
    }
}

/// Nobody has said anything for long: the chat ends, as one with a person would by somebody's hand.
pub async fn asleep(app: &App, talk: &Talk) -> Result<(), Refusal> {
    let mut writing = app.store.write().await?;
    let c = writing.conn();
    let closed = ConversationState::Closed;
    conversations::set_state(c, talk.conversation, closed, now()).await?;
    bot_talks::end(c, talk.conversation).await?;
    let line = told_line(
        talk.conversation,
        HistoryLine::Asleep,
        "The chat ended because nobody wrote any more".into(),
        now(),
    );
    let line = messages::append(c, line).await?;
    app.settle(writing, talk.conversation, ConversationState::Open, vec![line])
        .await?;
    Ok(())
}
