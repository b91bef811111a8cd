//! The stream of activities to one open page.

use super::{
    activity,
    routes::{PAGE, Since},
};
use crate::{
    app::{App, now},
    customer::{self, PageSignal},
    files::routes as files,
    http::{
        body::Id,
        frames::{Frames, Incoming, limited},
        refusal::Refusal,
    },
};
use axum::{
    extract::{
        Query, State,
        ws::{WebSocketUpgrade, close_code},
    },
    response::Response,
};
use serde::Deserialize;
use sightline_store::{messages, threads};
use sightline_wire::{ErrorCode, conversation::Author, directline::ActivitySet, ids::ConversationId};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, MissedTickBehavior, interval},
};

/// How often the page is asked for a sign of life. Browsers answer below the page's code.
const PING: Duration = Duration::from_secs(5);

/// A page that is silent for so long is gone.
const SILENCE: Duration = Duration::from_secs(15);

#[derive(Deserialize)]
pub struct Ticket {
    t: String,
}

/// `GET conversations/{id}/stream?watermark=&t=`.
pub async fn open(
    State(app): State<Arc<App>>,
    Id(thread): Id<String>,
    Query(since): Query<Since>,
    Query(ticket): Query<Ticket>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Refusal> {
    if !app.tickets.take(&ticket.t, &thread, now()) {
        return Err(Refusal::from(ErrorCode::SessionExpired).with_status(403));
    }
    let after = activity::watermark(since.watermark.as_deref());
    Ok(limited(upgrade).on_upgrade(move |socket| async move {
        let mut frames = Frames::new(socket);
        let (mut signals, first) = app.pages.enter(&thread);
        if first {
            tell_presence(&app, &thread).await;
        }
        if let Err(refusal) = serve(&app, &thread, after, &mut frames, &mut signals).await {
            tracing::warn!(thread = %thread, code = ?refusal.into_problem().code, "stream ended");
            frames.close(close_code::ERROR).await;
        }
        if app.pages.leave(&thread) {
            tell_presence(&app, &thread).await;
        }
    }))
}

async fn serve(
    app: &App,
    thread: &str,
    mut after: i64,
    frames: &mut Frames,
    signals: &mut tokio::sync::broadcast::Receiver<PageSignal>,
) -> Result<(), Refusal> {
    let mut stopping = app.stopping.clone();
    let mut ping = interval(PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut behind = true;
    loop {
        // Messages come from the database in their order; a signal only says that there are some.
        while behind {
            match send_next(app, thread, &mut after, frames).await? {
                Sent::Some => {}
                Sent::Nothing => behind = false,
                Sent::Gone => return Ok(()),
            }
        }
        let signal = tokio::select! {
            incoming = frames.next::<serde_json::Value>() => match incoming {
                Incoming::Gone => return Ok(()),
                Incoming::Frame(_) | Incoming::Malformed | Incoming::Nothing => continue,
            },
            signal = signals.recv() => match signal {
                Ok(signal) => signal,
                Err(RecvError::Lagged(_)) => PageSignal::New,
                Err(RecvError::Closed) => return Ok(()),
            },
            _ = ping.tick() => {
                if Instant::now() > frames.silent_at(SILENCE) || !frames.ping().await {
                    return Ok(());
                }
                continue;
            }
            () = stopping.stopped() => {
                frames.close(close_code::AWAY).await;
                return Ok(());
            }
        };
        if matches!(signal, PageSignal::New) {
            behind = true;
            continue;
        }
        let mut c = app.store.read().await?;
        let known = threads::get(&mut c, thread).await?.ok_or(ErrorCode::NotFound)?;
        drop(c);
        let typing = match signal {
            PageSignal::New => continue,
            PageSignal::Typing { account, name, at } => activity::typing(&known, account, &name, at),
            PageSignal::BotTyping { name, at } => activity::bot_typing(&known, &name, at),
        };
        let set = ActivitySet {
            activities: vec![typing],
            watermark: None,
        };
        if !frames.send(&set).await {
            return Ok(());
        }
    }
}

enum Sent {
    Some,
    Nothing,
    Gone,
}

/// Sends what follows `after`.
async fn send_next(app: &App, thread: &str, after: &mut i64, frames: &mut Frames) -> Result<Sent, Refusal> {
    let mut c = app.store.read().await?;
    let stored = messages::of_thread_after(&mut c, thread, *after, PAGE).await?;
    let Some(last) = stored.last().and_then(|m| m.thread_seq) else {
        return Ok(Sent::Nothing);
    };
    let known = threads::get(&mut c, thread).await?.ok_or(ErrorCode::NotFound)?;
    drop(c);
    let company = &app.config.company;
    let address = |file| files::address(app, thread, file);
    let activities = stored
        .iter()
        .map(|m| activity::from_message(&known, company, m, &address))
        .collect();
    let set = ActivitySet {
        activities,
        watermark: Some(last.to_string()),
    };
    if !frames.send(&set).await {
        return Ok(Sent::Gone);
    }
    *after = last;
    let mut received: HashMap<ConversationId, i64> = HashMap::new();
    for stored in stored.iter().filter(|m| m.message.author != Author::Customer) {
        received.insert(stored.message.conversation, stored.message.seq);
    }
    for (conversation, seq) in received {
        customer::delivered(app, conversation, seq).await?;
    }
    Ok(Sent::Some)
}

async fn tell_presence(app: &App, thread: &str) {
    if let Err(error) = customer::presence_changed(app, thread).await {
        tracing::error!(%error, thread = %thread, "the customer's presence could not be told");
    }
}
