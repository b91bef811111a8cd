//! The echo peer: a synthetic customer at the far end of a desk's test call.
//!
//! A desk that tests itself asks for a call ([`routes`]). The server makes a hidden conversation with an escalation,
//! room and invite as for any customer, and lets an echo peer follow the link over the server's own HTTP ([`caller`]):
//! it shows a moving picture with a time barcode ([`face`]), speaks a tone and says again what it hears ([`voice`]), and
//! counts what comes ([`ear`]). Its media is an implementation of its own ([`connection`]), so that a mistake the desk's
//! makes in both directions is still noticed.
//!
//! Every call has a deadline, after which nothing of it runs; what it leaves in the database is forgotten after a day.

mod caller;
mod connection;
mod ear;
mod face;
mod key_requests;
mod pictures;
mod routes;
mod sequence;
mod voice;

pub use routes::{call, heard};

use crate::{
    app::{App, now},
    conversations::known,
    escalations::{end_within, over_by},
    http::refusal::Refusal,
    secrets,
};
use ear::Ear;
use sightline_store::{
    conversations::{self, StoredConversation},
    escalations::{self, Escalation},
    self_tests,
};
use sightline_wire::{
    ErrorCode, UnixMillis,
    conversation::ConversationState,
    escalation::EndReason,
    ids::{AccountId, EscalationId},
    readiness::EchoHeard,
    room::Party,
};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::timeout,
};

/// So many peers run beside each other. By the codecs' figures each takes some 4 % of a core: all of them fit on a
/// server of four.
const PLACES: usize = 64;

/// What was heard can be asked for so long after the call.
const KEPT_MS: i64 = 5 * 60 * 1_000;

/// What test calls leave in the database stays there so long.
const REMEMBERED_MS: i64 = 24 * 60 * 60 * 1_000;

/// Old ones are looked for no more often.
const FORGET_EVERY_MS: i64 = 60 * 60 * 1_000;

/// Why an echo peer gave up. What is inside may name addresses, so it is not part of the sentence.
#[derive(Debug, thiserror::Error)]
enum EchoError {
    /// No answer over the server's own HTTP.
    #[error("the server does not answer itself")]
    Http(#[source] reqwest::Error),
    /// The invite was not redeemed.
    #[error("the invite was refused: {0:?}")]
    Refused(ErrorCode),
    /// The server's address is no origin.
    #[error("the server's own address is none")]
    Address,
    /// The room's socket broke.
    #[error("the room's socket broke")]
    Socket(#[from] tokio_tungstenite::tungstenite::Error),
    /// A frame that is not one of ours.
    #[error("the room said what nobody understands")]
    Frame,
    /// The peer connection was not made.
    #[error("the peer connection was not made")]
    Peer(#[from] webrtc::error::Error),
    /// A task of it panicked.
    #[error("a part of the peer broke")]
    Broke,
    /// Neither the tone nor the picture can be sent.
    #[error("there is no codec for what is offered")]
    Codec,
}

impl EchoError {
    /// Without the address, which holds the invite's code.
    fn http(error: reqwest::Error) -> Self {
        Self::Http(error.without_url())
    }
}

/// A call that runs, or ran a short while ago.
struct Call {
    agent: AccountId,
    ear: Ear,
    /// When it ended.
    over_at: Option<UnixMillis>,
}

/// The echo peers of this server.
pub struct Echoes {
    calls: Mutex<HashMap<EscalationId, Call>>,
    places: Arc<Semaphore>,
    forgot_at: AtomicI64,
}

impl Default for Echoes {
    fn default() -> Self {
        Self {
            calls: Mutex::default(),
            places: Arc::new(Semaphore::new(PLACES)),
            forgot_at: AtomicI64::new(0),
        }
    }
}

impl Echoes {
    /// A place for one more peer, if there is one.
    fn enter(&self) -> Option<OwnedSemaphorePermit> {
        self.places.clone().try_acquire_owned().ok()
    }

    /// What the peer of a call has seen and heard so far.
    fn heard(&self, call: EscalationId, by: AccountId) -> Result<EchoHeard, Refusal> {
        let calls = self.lock();
        let call = calls.get(&call).ok_or(ErrorCode::NotFound)?;
        if call.agent != by {
            return Err(ErrorCode::NotYourConversation.into());
        }
        Ok(call.ear.heard())
    }

    /// Whether it is time to look for old test calls.
    fn forgets(&self, now: UnixMillis) -> bool {
        let before = self.forgot_at.load(Ordering::Relaxed);
        let due = now - before >= FORGET_EVERY_MS;
        due && self
            .forgot_at
            .compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }

    fn begin(&self, call: &Escalation, ear: Ear) {
        let mut calls = self.lock();
        calls.retain(|_, call| call.over_at.is_none_or(|at| now() - at < KEPT_MS));
        let entry = Call {
            agent: call.agent,
            ear,
            over_at: None,
        };
        calls.insert(call.id, entry);
    }

    fn ended(&self, call: EscalationId) {
        if let Some(call) = self.lock().get_mut(&call) {
            call.over_at = Some(now());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<EscalationId, Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets an echo peer follow the link of a test call. Whatever happens, the call is over after
/// [`crate::ServerConfig::test_call_time`].
fn start(app: &Arc<App>, call: &Escalation, place: OwnedSemaphorePermit) {
    let ear = Ear::default();
    app.echoes.begin(call, ear.clone());
    let (app, id, code) = (app.clone(), call.id, call.code.clone());
    tokio::spawn(async move {
        let mut stopping = app.stopping.clone();
        // A task of its own: should it panic, what follows still happens. Dropping the set ends it.
        let mut peer = JoinSet::new();
        let origin = app.own_url.clone();
        peer.spawn(async move { caller::follow(&origin, &code, secrets::token(), ear).await });
        tokio::select! {
            done = timeout(app.config.test_call_time, peer.join_next()) => match done {
                Ok(Some(Ok(Ok(())))) => tracing::info!(escalation = %id, "the echo peer is done"),
                Ok(Some(Ok(Err(error)))) => {
                    tracing::warn!(escalation = %id, %error, "the echo peer gave up");
                    tracing::debug!(escalation = %id, ?error, "why the echo peer gave up");
                }
                Ok(Some(Err(_))) => tracing::error!(escalation = %id, "the echo peer broke"),
                Ok(None) => {}
                Err(_) => tracing::info!(escalation = %id, "the echo peer's time is over"),
            },
            // The call is ended at the next start.
            () = stopping.stopped() => return,
        }
        drop(peer);
        app.echoes.ended(id);
        if let Err(refusal) = finish(&app, id).await {
            let code = refusal.into_problem().code;
            tracing::error!(escalation = %id, ?code, "a test call could not be put away");
        }
        drop(place);
    });
}

/// The customer has left, and the conversation is over with that.
async fn finish(app: &App, id: EscalationId) -> Result<(), Refusal> {
    let call = over_by(app, id, Party::Customer).await?;
    let mut writing = app.store.write().await?;
    conversations::set_state(writing.conn(), call.conversation, ConversationState::Closed, now()).await?;
    drop(writing.commit().await?);
    Ok(())
}

/// Ends the test calls that a server left behind when it stopped; their peers went with it.
pub async fn end_leftovers(app: &App) -> Result<(), Refusal> {
    let mut writing = app.store.write().await?;
    let c = writing.conn();
    for call in escalations::all_running(c).await? {
        let StoredConversation { id, channel, .. } = known(c, call.conversation).await?;
        if channel.hidden() {
            end_within(c, call.id, EndReason::CustomerLost).await?;
            conversations::set_state(c, id, ConversationState::Closed, now()).await?;
        }
    }
    self_tests::forget(c, now() - REMEMBERED_MS).await?;
    drop(writing.commit().await?);
    Ok(())
}
