//! `GET /v1/agent/socket`: an agent's desk, listening.

use crate::{
    app::{App, now},
    auth,
    conversations::facts,
    customer::PageSignal,
    desks::{Closing, DeskSeat},
    http::{
        frames::{Frames, HEARTBEAT, Incoming, SILENCE, limited},
        refusal::Refusal,
    },
    readiness, routing,
    supervision::{self, acts::takes_part},
};
use axum::{
    extract::{
        State,
        ws::{WebSocketUpgrade, close_code},
    },
    response::Response,
};
use sightline_call::conversation::may_write;
use sightline_store::{StoreError, conversations};
use sightline_wire::{
    ErrorCode, Problem,
    account::{Account, Role},
    agent::{AgentEvent, AgentRequest},
    ids::{ConversationId, DeskId},
    routing::Chosen,
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
    desk_moved(&app, &account, desk).await;
    listen(&app, &mut frames, &account, desk, &mut seat).await;
    app.desks.leave(&seat);
    desk_moved(&app, &account, desk).await;
    tracing::info!(account = %account.id, desk = %desk, "desk gone");
}

/// The desk's lease follows its coming and going. A disk that does not take it keeps nobody out: whoever asks for
/// video is answered from the desks that are connected, whatever was stored.
async fn desk_moved(app: &App, account: &Account, desk: DeskId) {
    // At a server's end all of them go, and its next start begins without any.
    if *app.stopping.0.borrow() {
        return;
    }
    if let Err(error) = readiness::desk_moved(app, account.id, desk).await {
        tracing::error!(%error, account = %account.id, %desk, "a desk's readiness was not stored");
    }
    app.stir_wall();
}

async fn listen(app: &App, frames: &mut Frames, account: &Account, desk: DeskId, seat: &mut DeskSeat) {
    if !welcome(app, frames, account, desk).await {
        return;
    }
    let mut board_open = false;
    let mut wall_open = false;
    let mut stopping = app.stopping.clone();
    let mut beat = interval(HEARTBEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        if seat.behind.swap(false, Ordering::AcqRel) {
            // Events were dropped: the inbox as it stands replaces them, and those still queued.
            tracing::warn!(account = %account.id, desk = %desk, "desk fell behind");
            while seat.events.try_recv().is_ok() {}
            if !welcome(app, frames, account, desk).await {
                return;
            }
            if board_open && !show_board(app, frames).await {
                return;
            }
            if wall_open && !show_wall(app, frames, seat).await {
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
                Incoming::Frame(AgentRequest::Narrow { why }) => {
                    let narrowed = readiness::narrow(app, account.id, desk, why).await;
                    if let Err(refusal) = narrowed && !refuse(frames, refusal).await {
                        return;
                    }
                }
                Incoming::Frame(AgentRequest::BackAgain) => {
                    let back = routing::routes::choose(app, account.id, Chosen::Available).await;
                    if let Err(error) = back && !refuse(frames, error.into()).await {
                        return;
                    }
                }
                Incoming::Frame(AgentRequest::Presence { chosen }) => {
                    let done = routing::routes::choose(app, account.id, chosen).await;
                    if let Err(error) = done && !refuse(frames, error.into()).await {
                        return;
                    }
                }
                Incoming::Frame(AgentRequest::WatchBoard { open }) => {
                    let going_on = match readiness::routes::supervises(account) {
                        Ok(()) => {
                            board_open = open;
                            // From here on it hears of changes, so nothing falls between them and the rows.
                            app.desks.watch_board(seat, open);
                            !open || show_board(app, frames).await
                        }
                        Err(refusal) => refuse(frames, refusal).await,
                    };
                    if !going_on {
                        return;
                    }
                }
                Incoming::Frame(AgentRequest::WatchWall { open }) => {
                    let going_on = match readiness::routes::supervises(account) {
                        Ok(()) => {
                            wall_open = open;
                            app.desks.watch_wall(seat, false);
                            !open || show_wall(app, frames, seat).await
                        }
                        Err(refusal) => refuse(frames, refusal).await,
                    };
                    if !going_on {
                        return;
                    }
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

/// Says no, and goes on; `false` when the peer is gone.
async fn refuse(frames: &mut Frames, refusal: Refusal) -> bool {
    frames.send(&AgentEvent::Problem(refusal.into_problem())).await
}

/// The readiness board as it stands.
async fn show_board(app: &App, frames: &mut Frames) -> bool {
    match readiness::open_board(app).await {
        Ok(rows) => {
            for row in rows {
                if !frames.send(&AgentEvent::Board(row)).await {
                    return false;
                }
            }
            true
        }
        Err(error) => refuse(frames, error.into()).await,
    }
}

/// The live wall as it stands; what becomes different comes as events.
async fn show_wall(app: &App, frames: &mut Frames, seat: &DeskSeat) -> bool {
    match supervision::keeper::open(app, seat).await {
        Ok(parts) => {
            for part in parts {
                if !frames.send(&AgentEvent::Wall(part)).await {
                    return false;
                }
            }
            true
        }
        Err(error) => refuse(frames, error.into()).await,
    }
}

/// The inbox as it stands, and what the desk may be offered. The desk is already listening, so nothing falls between
/// this and the events.
async fn welcome(app: &App, frames: &mut Frames, account: &Account, desk: DeskId) -> bool {
    let state = async {
        let mut c = app.store.read().await?;
        let mut inbox = conversations::inbox(&mut c, account.id, account.role).await?;
        inbox.retain(|stored| {
            let own = stored.owner == Some(account.id) || account.role >= Role::Supervisor;
            own || app.may_see(stored.id, account.id)
        });
        if let Some(asked) = app.asked_about(account.id)
            && !inbox.iter().any(|stored| stored.id == asked)
        {
            inbox.extend(conversations::get(&mut c, asked).await?);
        }
        let mine = readiness::mine(app, &mut c, account.id, Some(desk)).await?;
        Ok::<_, StoreError>((inbox, mine))
    };
    match state.await {
        Ok((stored, mine)) => {
            let welcome = AgentEvent::Welcome {
                account: account.clone(),
                company: app.config.company.clone(),
                max_bitrate: app.config.max_bitrate,
                conversations: stored.into_iter().map(|c| app.view(c)).collect(),
                heartbeat_ms: millis(HEARTBEAT),
                silence_ms: millis(SILENCE),
            };
            let wanted = app.readiness.asked.waits(account.id);
            let mut told = vec![welcome, AgentEvent::Readiness(mine)];
            told.extend(wanted.then_some(AgentEvent::TestWanted));
            told.extend(app.standing(account.id));
            for event in told {
                if !frames.send(&event).await {
                    return false;
                }
            }
            true
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
    let allowed = may_write(facts(&stored), account.id, takes_part(&stored, account));
    if let (Ok(()), Some(thread)) = (allowed, stored.thread) {
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
