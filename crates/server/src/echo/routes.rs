//! A desk's routes for its test calls.

use super::{REMEMBERED_MS, start};
use crate::{
    app::{App, now},
    auth::SignedIn,
    conversations::facts,
    escalations::{create, slot, started},
    http::{
        body::{Body, Id},
        refusal::{Refusal, to_the_end},
    },
};
use axum::{Json, extract::State};
use sightline_call::escalation::{StartFacts, may_start};
use sightline_store::{
    SqliteConnection,
    conversations::{self, NewConversation, StoredConversation},
    rooms::StoredRoom,
    self_tests,
};
use sightline_wire::{
    ErrorCode, Problem,
    conversation::{Channel, ConversationState},
    escalation::{IcePolicy, VideoStarted},
    ids::{AccountId, CommandId, ConversationId, EscalationId},
    readiness::{EchoHeard, TestCall},
};
use std::sync::Arc;
use uuid::Uuid;

/// `POST /v1/self-test/calls`: a call to an echo peer, which joins by itself. A test call of the same agent that still
/// runs is ended.
pub async fn call(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Body(wanted): Body<TestCall>,
) -> Result<Json<VideoStarted>, Refusal> {
    to_the_end(async move {
        if wanted.relayed && !has_relay(&app) {
            return Err(Problem::new(ErrorCode::RelayMissing)
                .saying("This deployment has no relay, so no call can go over one.")
                .advising("Nothing, unless calls fail without one: then ask IT for a relay.")
                .into());
        }
        let place = app.echoes.enter().ok_or_else(|| {
            Problem::new(ErrorCode::RateLimited).saying("Too many desks test themselves at the moment.")
        })?;
        let mut writing = app.store.write().await?;
        let c = writing.conn();
        if app.echoes.forgets(now()) {
            self_tests::forget(c, now() - REMEMBERED_MS).await?;
        }
        let (slot, given_way) = slot(c, account.id).await?;
        let conversation = open(c, account.id).await?;
        may_start(&StartFacts {
            agent: account.id,
            conversation: facts(&conversation),
            link: Ok(()),
            slot: slot.map(|e| (e.conversation, e.id)),
            // A test is what a lease comes from.
            readiness: Ok(()),
        })?;
        let command = CommandId(Uuid::new_v4());
        let (made, room_token) = create(&app, c, account.id, conversation.id, command).await?;
        drop(writing.commit().await?);
        if let Some(ended) = given_way {
            app.rooms.over(ended.room, ended.reason);
        }
        tracing::info!(escalation = %made.id, account = %account.id, relayed = wanted.relayed, "test call started");
        app.rooms.open(&app, &made, StoredRoom::default());
        start(&app, &made, place);
        let mut started = started(&app, &made, room_token);
        if wanted.relayed {
            started.ice_policy = IcePolicy::RelayOnly;
        }
        Ok(Json(started))
    })
    .await
}

/// `GET /v1/self-test/calls/{escalation}/heard`: while the call runs, and for five minutes after it.
pub async fn heard(
    State(app): State<Arc<App>>,
    SignedIn { account }: SignedIn,
    Id(call): Id<EscalationId>,
) -> Result<Json<EchoHeard>, Refusal> {
    app.echoes.heard(call, account.id).map(Json)
}

/// A hidden conversation with the echo peer, accepted already.
async fn open(c: &mut SqliteConnection, agent: AccountId) -> Result<StoredConversation, Refusal> {
    let new = NewConversation {
        id: ConversationId(Uuid::new_v4()),
        channel: Channel::SelfTest,
        thread: None,
        customer_name: "Echo".into(),
        context: Default::default(),
    };
    conversations::open(c, &new, now()).await?;
    conversations::set_owner(c, new.id, agent).await?;
    conversations::set_state(c, new.id, ConversationState::Active, now()).await?;
    let stored = conversations::get(c, new.id).await?;
    stored.ok_or_else(|| ErrorCode::Internal.into())
}

/// Whether this deployment relays calls.
fn has_relay(app: &App) -> bool {
    let configured = app.config.ice_servers.iter().flat_map(|server| &server.urls);
    app.turn.relays() || configured.into_iter().any(|url| url.starts_with("turn"))
}
