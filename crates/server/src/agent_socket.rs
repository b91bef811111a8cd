//! `GET /v1/agent/socket`: an agent's desk, listening.

use crate::{
    app::{App, now},
    auth,
    customer::PageSignal,
    desks::{Closing, DeskSeat},
    http::{
        frames::{Frames, HEARTBEAT, Incoming, SILENCE, limited},
        refusal::Refusal,
    },
};
use axum::{
    extract::{
        State,
        ws::{WebSocketUpgrade, close_code},
    },
    response::Response,
};
use sightline_call::conversation::{Facts, owns_active};
use sightline_store::conversations;
use sightline_wire::{
    ErrorCode, Problem,
    account::Account,
    agent::{AgentEvent, AgentRequest},
    ids::{ConversationId, DeskId},
};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::time::{MissedTickBehavior, interval, sleep_until};

/// Opens the socket; the router has checked the origin.
pub async fn open(State(app): State<Arc<App>>, upgrade: WebSocketUpgrade) -> Response {
    limited(upgrade).on_upgrade(move |socket| serve(app, Frames::new(socket)))
}

async fn serve(app: Arc<App>, mut frames: Frames) {
    let Some(first) = frames.first::<AgentRequest>().await else {
        return;
    };
    let AgentRequest::Hello {
        access_token,
        desk,
        take_over,
    } = first
    else {
        return frames.refuse(AgentEvent::Problem, ErrorCode::NotSignedIn.into()).await;
    };
    let (account, family) = match auth::who(&app, &access_token).await {
        Ok(who) => who,
        Err(refusal) => return frames.refuse(AgentEvent::Problem, refusal.into_problem()).await,
    };
    let Ok(mut seat) = app.desks.enter(&account, desk, &family, take_over) else {
        return frames.refuse(AgentEvent::Problem, ErrorCode::SecondDesk.into()).await;
    };
    tracing::info!(account = %account.id, desk = %desk, "desk connected");
    listen(&app, &mut frames, &account, desk, &mut seat).await;
    app.desks.leave(&seat);
    tracing::info!(account = %account.id, desk = %desk, "desk gone");
}

async fn listen(app: &App, frames: &mut Frames, account: &Account, desk: DeskId, seat: &mut DeskSeat) {
    if !welcome(app, frames, account).await {
        return;
    }
    let mut stopping = app.stopping.clone();
    let mut beat = interval(HEARTBEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        if seat.behind.swap(false, Ordering::AcqRel) {
            // Events were dropped: the inbox as it stands replaces them, and those still queued.
            tracing::warn!(account = %account.id, desk = %desk, "desk fell behind");
            while seat.events.try_recv().is_ok() {}
            if !welcome(app, frames, account).await {
                return;
            }
        }
        let silent_at = frames.silent_at(SILENCE);
        tokio::select! {
            // In this order: a desk that has to go goes, and what was heard counts before any deadline does.
            biased;
            closing = &mut seat.closing => {
                let problem = match closing {
                    Ok(Closing::Displaced) => ErrorCode::DeskDisplaced,
                    Ok(Closing::SessionOver) => ErrorCode::SessionExpired,
                    Ok(Closing::Replaced) | Err(_) => return frames.close(close_code::NORMAL).await,
                };
                return frames.refuse(AgentEvent::Problem, problem.into()).await;
            }
            request = frames.next::<AgentRequest>() => match request {
                Incoming::Frame(AgentRequest::Heartbeat) | Incoming::Nothing => {}
                Incoming::Frame(AgentRequest::Typing { conversation }) => {
                    typing(app, account, conversation).await;
                }
                Incoming::Frame(AgentRequest::Hello { .. }) | Incoming::Malformed => {
                    let problem = Problem::new(ErrorCode::BadRequest);
                    if !frames.send(&AgentEvent::Problem(problem)).await {
                        return;
                    }
                }
                Incoming::Gone => return,
            },
            Some(event) = seat.events.recv() => {
                if !frames.send(&event).await {
                    return;
                }
            }
            () = sleep_until(silent_at) => {
                let problem = Problem::new(ErrorCode::HeartbeatMissed);
                return frames.refuse(AgentEvent::Problem, problem).await;
            }
            _ = beat.tick() => {
                if !frames.send(&AgentEvent::Heartbeat).await {
                    return;
                }
            }
            () = stopping.stopped() => return frames.close(close_code::AWAY).await,
        }
    }
}

/// The inbox as it stands. The desk is already listening, so nothing falls between this and the events.
async fn welcome(app: &App, frames: &mut Frames, account: &Account) -> bool {
    let inbox = async {
        let mut c = app.store.read().await?;
        conversations::inbox(&mut c, account.id, account.role).await
    };
    match inbox.await {
        Ok(stored) => {
            let welcome = AgentEvent::Welcome {
                account: account.clone(),
                company: app.config.company.clone(),
                max_bitrate: app.config.max_bitrate,
                conversations: stored.into_iter().map(|c| app.view(c)).collect(),
                heartbeat_ms: millis(HEARTBEAT),
                silence_ms: millis(SILENCE),
            };
            frames.send(&welcome).await
        }
        Err(error) => {
            frames
                .refuse(AgentEvent::Problem, Refusal::from(error).into_problem())
                .await;
            false
        }
    }
}

/// Shows the customer that the agent writes. Only a hint: whoever may not write is not heard.
async fn typing(app: &App, account: &Account, conversation: ConversationId) {
    let Ok(mut c) = app.store.read().await else { return };
    let Ok(Some(stored)) = conversations::get(&mut c, conversation).await else {
        return;
    };
    let facts = Facts {
        state: stored.state,
        owner: stored.owner,
    };
    if let (Ok(()), Some(thread)) = (owns_active(facts, account.id), stored.thread) {
        let signal = PageSignal::Typing {
            account: account.id,
            name: account.name.clone(),
            at: now(),
        };
        app.pages.signal(&thread, signal);
    }
}

/// A duration as the wire has it.
pub fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
