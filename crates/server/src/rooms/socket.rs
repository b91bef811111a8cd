//! `GET /v1/rooms/socket`: one side's connection to its room.

use super::{Happened, QUEUE, Visitor, Warm};
use crate::{
    app::App,
    http::{
        frames::{Frames, HEARTBEAT, Incoming, SILENCE, limited},
        refusal::Refusal,
    },
    secrets,
};
use axum::{
    extract::{
        State,
        ws::{WebSocketUpgrade, close_code},
    },
    response::Response,
};
use sightline_store::{
    escalations,
    rooms::{self, Pass},
};
use sightline_wire::{
    ErrorCode, Problem,
    escalation::{EndReason, EscalationState},
    ids::{ConnectionId, RoomId},
    room::{Party, RoomEvent, RoomRequest},
};
use std::sync::Arc;
use tokio::{
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval, sleep_until},
};

/// Opens the socket; the router has checked the origin.
pub async fn open(State(app): State<Arc<App>>, upgrade: WebSocketUpgrade) -> Response {
    limited(upgrade).on_upgrade(move |socket| serve(app, Frames::new(socket)))
}

/// What a token leads to.
enum Door {
    Open(RoomId, Visitor),
    Ended(EndReason),
}

async fn serve(app: Arc<App>, mut frames: Frames) {
    let Some(first) = frames.first::<RoomRequest>().await else {
        return;
    };
    let RoomRequest::Hello { token, resume } = first else {
        return frames.refuse(RoomEvent::Problem, ErrorCode::RoomRefused.into()).await;
    };
    let (room, visitor) = match door(&app, &token).await {
        Ok(Door::Open(room, visitor)) => (room, visitor),
        Ok(Door::Ended(reason)) => return goodbye(&mut frames, reason).await,
        Err(refusal) => return frames.refuse(RoomEvent::Problem, refusal.into_problem()).await,
    };
    let (events, mut told) = mpsc::channel(QUEUE);
    let (answer, answered) = oneshot::channel();
    let party = visitor.party();
    let connected = Happened::Connected {
        visitor,
        resume,
        events,
        answer,
    };
    if !app.rooms.happened(room, connected).await {
        // It ended between the two.
        return ended_or_refused(&app, &mut frames, &token).await;
    }
    let connection = match answered.await {
        Ok(Ok(connection)) => connection,
        Ok(Err(problem)) => return frames.refuse(RoomEvent::Problem, problem).await,
        Err(_) => return ended_or_refused(&app, &mut frames, &token).await,
    };
    exchange(&app, &mut frames, (room, party, connection), &mut told).await;
    app.rooms
        .happened(room, Happened::Disconnected { party, connection })
        .await;
}

async fn exchange(
    app: &App,
    frames: &mut Frames,
    (room, party, connection): (RoomId, Party, ConnectionId),
    told: &mut mpsc::Receiver<RoomEvent>,
) {
    let mut stopping = app.stopping.clone();
    let mut beat = interval(HEARTBEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let silent_at = frames.silent_at(SILENCE);
        tokio::select! {
            // What was heard comes before the question whether anything was.
            biased;
            request = frames.next::<RoomRequest>() => match request {
                Incoming::Frame(RoomRequest::Heartbeat) | Incoming::Nothing => {}
                Incoming::Frame(request) => {
                    let frame = Happened::Frame { party, connection, request };
                    app.rooms.happened(room, frame).await;
                }
                Incoming::Malformed => {
                    let problem = Problem::new(ErrorCode::BadRequest);
                    if !frames.send(&RoomEvent::Problem(problem)).await {
                        return;
                    }
                }
                Incoming::Gone => return,
            },
            event = told.recv() => {
                match event {
                    Some(RoomEvent::Ended { reason }) => return goodbye(frames, reason).await,
                    Some(event) => {
                        if !frames.send(&event).await {
                            return;
                        }
                    }
                    // A newer socket has the seat, or this one did not keep up and has to come back.
                    None => return frames.close(close_code::AGAIN).await,
                }
            }
            () = sleep_until(silent_at) => {
                let problem = Problem::new(ErrorCode::HeartbeatMissed);
                return frames.refuse(RoomEvent::Problem, problem).await;
            }
            _ = beat.tick() => {
                if !frames.send(&RoomEvent::Heartbeat).await {
                    return;
                }
            }
            () = stopping.stopped() => return frames.close(close_code::AWAY).await,
        }
    }
}

async fn door(app: &App, token: &str) -> Result<Door, Refusal> {
    let mut c = app.store.read().await?;
    let token_hash = secrets::hash(token);
    let (room, pass) = rooms::by_token(&mut c, &token_hash)
        .await?
        .ok_or(ErrorCode::RoomRefused)?;
    let call = escalations::by_room(&mut c, room)
        .await?
        .ok_or(ErrorCode::RoomRefused)?;
    Ok(match call.state {
        EscalationState::Ended { reason, .. } => Door::Ended(reason),
        EscalationState::Invited | EscalationState::Joining { .. } | EscalationState::Live { .. } => {
            let visitor = match pass {
                Pass::Seat(party) => Visitor::Seated(party),
                Pass::Warm { browser_hash } => Visitor::Warm(Warm {
                    token_hash,
                    browser_hash,
                }),
            };
            Door::Open(room, visitor)
        }
    })
}

async fn ended_or_refused(app: &App, frames: &mut Frames, token: &str) {
    match door(app, token).await {
        Ok(Door::Ended(reason)) => goodbye(frames, reason).await,
        Ok(Door::Open(..)) => {
            frames.refuse(RoomEvent::Problem, ErrorCode::Internal.into()).await;
        }
        Err(refusal) => frames.refuse(RoomEvent::Problem, refusal.into_problem()).await,
    }
}

async fn goodbye(frames: &mut Frames, reason: EndReason) {
    frames.send(&RoomEvent::Ended { reason }).await;
    frames.close(close_code::NORMAL).await;
}
