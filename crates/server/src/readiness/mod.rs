//! Readiness: what each desk may be offered, from what it has measured of itself.
//!
//! A desk sends its self-tests ([`routes`]); the rules of `sightline_call::readiness` make a lease of them, one for each
//! desk of an agent. Whatever speaks against it goes through the same rules: a device that was unplugged, a desk that
//! is gone, calls that do not come about, and time ([`timer`]). Every step is one transaction, told to the own desk and to
//! the supervisors' [`board`] while the write turn is still held, so that all hear the leases in the order of commits.
//! Who asks for video is answered from the lease as it stands in that same turn ([`may_have_video`]).

pub mod board;
pub mod policy;
pub mod routes;
pub mod timer;

use crate::{
    app::{App, now},
    http::refusal::Refusal,
};
use sightline_call::readiness::lease::{LeaseInput, LeaseState};
use sightline_store::{
    SqliteConnection, StoreError,
    escalations::Escalation,
    readiness::{self, StoredLease},
};
use sightline_wire::{
    ErrorCode, Problem, UnixMillis,
    agent::AgentEvent,
    conversation::Channel,
    escalation::{EndReason, EscalationState},
    ids::{AccountId, DeskId},
    readiness::{BoardRow, Lease, MyReadiness, Narrowing, Readiness},
};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Notify, time::sleep};

/// A test that was asked for shows as running for so long at most; a full one takes half a minute.
const TEST_TAKES: Duration = Duration::from_secs(120);

/// What readiness keeps besides the database.
#[derive(Default)]
pub struct Readinesses {
    /// Wakes the timer: a lease ends at another time than before.
    changed: Notify,
    /// Tests that supervisors wait for.
    pub asked: Asked,
    /// Each row as the boards were told it last: the same one is not told twice.
    told: Mutex<HashMap<AccountId, BoardRow>>,
}

/// Whose desks were asked for a test and have not sent it yet. Not kept over a restart: nobody waits then.
#[derive(Default)]
pub struct Asked {
    waiting: Mutex<HashMap<AccountId, u64>>,
    numbers: AtomicU64,
}

impl Asked {
    /// Whether somebody waits for this agent's test.
    pub fn waits(&self, account: AccountId) -> bool {
        self.lock().contains_key(&account)
    }

    /// Notes that somebody waits; the number of this waiting, or `None` when somebody has waited already.
    fn begin(&self, account: AccountId) -> Option<u64> {
        let mut waiting = self.lock();
        if waiting.contains_key(&account) {
            return None;
        }
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        waiting.insert(account, number);
        Some(number)
    }

    /// The test has come, or cannot come any more.
    fn end(&self, account: AccountId) {
        self.lock().remove(&account);
    }

    /// It has taken too long; `false` when it is over already.
    fn give_up(&self, account: AccountId, number: u64) -> bool {
        let mut waiting = self.lock();
        let waits = waiting.get(&account) == Some(&number);
        if waits {
            waiting.remove(&account);
        }
        waits
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AccountId, u64>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a transaction has changed, to be told after its commit, while the write turn is still held.
#[derive(Debug)]
pub struct News {
    lease: StoredLease,
    /// For that desk, when it may be offered something else than before.
    mine: Option<MyReadiness>,
    /// For the board; `None` for somebody who is not on it.
    row: Option<BoardRow>,
}

impl App {
    /// Tells the desk concerned and the open boards.
    pub fn tell_readiness(&self, news: News) {
        let lease = &news.lease;
        if let Some(mine) = news.mine {
            self.desks
                .tell_desk(lease.account, lease.desk, &AgentEvent::Readiness(mine));
        }
        if let Some(row) = news.row {
            self.tell_row(row);
        }
        // Whoever was being asked about a video that this desk cannot carry any more is not asked any more.
        self.follow_lease(lease);
        self.readiness.changed.notify_one();
        self.stir_wall();
    }

    /// Tells the open boards a row that is another one than before. The caller holds the write turn.
    fn tell_row(&self, row: BoardRow) {
        let mut told = self.readiness.told.lock().unwrap_or_else(PoisonError::into_inner);
        let before = told.insert(row.agent, row.clone());
        if before.as_ref() != Some(&row) {
            self.desks.tell_board(&AgentEvent::Board(row));
        }
    }

    /// A lease with what counts here.
    fn my_readiness(&self, lease: Option<Lease>) -> MyReadiness {
        MyReadiness {
            lease,
            policy: self.config.readiness.clone(),
        }
    }
}

/// A lease as it is at this moment, whatever has passed since it was stored.
fn view(app: &App, stored: &StoredLease) -> Option<Lease> {
    let at = now();
    let here = presence_of(app, stored.account, stored.desk);
    stored.state.clone().apply(here, at, &app.config.readiness).lease(at)
}

/// The stored lease of a desk, or a first one: nothing measured, connected or not as the desk is.
async fn stored(
    app: &App,
    c: &mut SqliteConnection,
    account: AccountId,
    desk: DeskId,
) -> Result<StoredLease, StoreError> {
    if let Some(stored) = readiness::lease(c, account, desk).await? {
        return Ok(stored);
    }
    let (at, here) = (now(), presence_of(app, account, desk));
    Ok(StoredLease {
        account,
        desk,
        state: LeaseState::new(at).apply(here, at, &app.config.readiness),
        due_at: None,
        seen_at: at,
        path: String::new(),
    })
}

/// Whether an agent is connected at this desk, as the rules hear it.
fn presence_of(app: &App, account: AccountId, desk: DeskId) -> LeaseInput<'static> {
    if app.desks.connected(account) == Some(desk) {
        LeaseInput::DeskOnline
    } else {
        LeaseInput::DeskOffline
    }
}

/// One input to one lease inside a transaction. `lease` may have been changed besides its state.
async fn step(
    app: &App,
    c: &mut SqliteConnection,
    mut lease: StoredLease,
    input: LeaseInput<'_>,
) -> Result<Option<News>, StoreError> {
    let at = now();
    let before = readiness::lease(c, lease.account, lease.desk).await?;
    lease.state = lease.state.apply(input, at, &app.config.readiness);
    // What is past already has had its effect.
    lease.due_at = lease.state.deadline().filter(|due| *due > at);
    if before.as_ref() == Some(&lease) {
        return Ok(None);
    }
    readiness::save_lease(c, &lease).await?;
    // As it was told last: before its time was over.
    let was = before.as_ref().and_then(|before| before.state.lease(UnixMillis::MIN));
    let is = lease.state.lease(at);
    Ok(Some(News {
        mine: (was != is).then(|| app.my_readiness(is)),
        row: board::row_of(app, c, lease.account).await?,
        lease,
    }))
}

/// A desk came or went: its lease follows what the registry of desks says now, so that no order of sockets can leave
/// it wrong. The desk itself reads its lease with the welcome.
pub async fn desk_moved(app: &App, account: AccountId, desk: DeskId) -> Result<(), StoreError> {
    let mut writing = app.store.write().await?;
    let c = writing.conn();
    if app.desks.connected(account).is_none() {
        app.readiness.asked.end(account);
    }
    let mut lease = stored(app, c, account, desk).await?;
    if app.desks.connected(account) == Some(desk) {
        lease.seen_at = now();
    }
    let news = step(app, c, lease, presence_of(app, account, desk)).await?;
    let lease = stored(app, c, account, desk).await?;
    let committed = writing.commit().await?;
    if let Some(news) = news {
        app.tell_readiness(News { mine: None, ..news });
    }
    app.follow_desk(&lease);
    drop(committed);
    Ok(())
}

/// A desk says what speaks against its lease.
pub async fn narrow(app: &App, account: AccountId, desk: DeskId, why: Narrowing) -> Result<(), Refusal> {
    match why {
        Narrowing::Failed { .. } | Narrowing::Unplugged { .. } => {}
        Narrowing::NeverTested | Narrowing::Expired | Narrowing::Offline | Narrowing::Handshakes => {
            return Err(ErrorCode::BadRequest.into());
        }
    }
    let mut writing = app.store.write().await?;
    let c = writing.conn();
    let lease = stored(app, c, account, desk).await?;
    let news = step(app, c, lease, LeaseInput::Narrow(&why)).await?;
    let committed = writing.commit().await?;
    if let Some(news) = news {
        tracing::info!(%account, %desk, "readiness narrowed");
        app.tell_readiness(news);
    }
    drop(committed);
    Ok(())
}

/// A call has come about or has not, inside the transaction that says so. Only customers' calls are counted.
pub async fn handshake(
    app: &App,
    c: &mut SqliteConnection,
    call: &Escalation,
    channel: Channel,
) -> Result<Option<News>, StoreError> {
    if channel.hidden() {
        return Ok(None);
    }
    let input = match call.state {
        EscalationState::Live { .. } => LeaseInput::HandshakeSucceeded,
        // One that was live has come about, however it ended.
        EscalationState::Ended {
            reason: EndReason::MediaFailed,
            live_ms: 0,
            ..
        } => LeaseInput::HandshakeFailed,
        EscalationState::Invited | EscalationState::Joining { .. } | EscalationState::Ended { .. } => return Ok(None),
    };
    let lease = match app.desks.connected(call.agent) {
        Some(desk) => Some(stored(app, c, call.agent, desk).await?),
        None => readiness::newest_lease(c, call.agent).await?,
    };
    match lease {
        Some(lease) => step(app, c, lease, input).await,
        None => Ok(None),
    }
}

/// Whether video may be given to this agent now, read in the turn that gives it: the lease of the desk where the agent
/// is, as it stands at this moment.
pub async fn may_have_video(
    app: &App,
    c: &mut SqliteConnection,
    account: AccountId,
) -> Result<Result<(), Problem>, StoreError> {
    if !app.config.readiness.required {
        return Ok(Ok(()));
    }
    let Some(desk) = app.desks.connected(account) else {
        return Ok(Err(not_ready(&[Narrowing::Offline])));
    };
    let lease = readiness::lease(c, account, desk).await?;
    Ok(match lease.and_then(|lease| view(app, &lease)) {
        Some(lease) if lease.readiness == Readiness::Video => Ok(()),
        Some(lease) => Err(not_ready(&lease.narrowed_by)),
        None => Err(not_ready(&[Narrowing::NeverTested])),
    })
}

fn not_ready(why: &[Narrowing]) -> Problem {
    let problem = Problem::new(ErrorCode::NotReadyForVideo);
    let reasons: Vec<String> = why.iter().map(policy::sentence).collect();
    match reasons.is_empty() {
        true => problem,
        false => {
            let message = format!("{} {}", problem.message, reasons.join(" "));
            problem.saying(message)
        }
    }
}

/// What an agent may be offered at a desk, or at the one that was last when none is named.
pub async fn mine(
    app: &App,
    c: &mut SqliteConnection,
    account: AccountId,
    desk: Option<DeskId>,
) -> Result<MyReadiness, StoreError> {
    let lease = match desk {
        Some(desk) => readiness::lease(c, account, desk).await?,
        None => readiness::newest_lease(c, account).await?,
    };
    Ok(app.my_readiness(lease.and_then(|lease| view(app, &lease))))
}

/// Asks the desk where an agent is for a test, and shows the board that it runs.
pub async fn ask_for_test(app: &Arc<App>, account: AccountId) -> Result<(), Refusal> {
    let Some(desk) = app.desks.connected(account) else {
        return Err(ErrorCode::DeskNotConnected.into());
    };
    let number = app.readiness.asked.begin(account);
    if !app.desks.tell_desk(account, desk, &AgentEvent::TestWanted) {
        app.readiness.asked.end(account);
        return Err(ErrorCode::DeskNotConnected.into());
    }
    let Some(number) = number else {
        return Ok(());
    };
    tell_row(app, account).await?;
    let app = app.clone();
    tokio::spawn(async move {
        let mut stopping = app.stopping.clone();
        tokio::select! {
            () = sleep(TEST_TAKES) => {}
            () = stopping.stopped() => return,
        }
        if app.readiness.asked.give_up(account, number)
            && let Err(error) = tell_row(&app, account).await
        {
            tracing::error!(%error, "a row of the readiness board was not told");
        }
    });
    Ok(())
}

/// Every row for a board that is being opened. Read in turn, and what no board was told yet is told to all: otherwise a
/// desk that comes back in this moment would stay away on this one board.
pub async fn open_board(app: &App) -> Result<Vec<BoardRow>, StoreError> {
    let mut turn = app.store.write().await?;
    let rows = board::rows(app, turn.conn()).await?;
    for row in &rows {
        app.tell_row(row.clone());
    }
    drop(turn);
    Ok(rows)
}

/// Nothing is written, but it is told in turn: a row told out of turn could be an older one.
async fn tell_row(app: &App, account: AccountId) -> Result<(), StoreError> {
    let mut turn = app.store.write().await?;
    if let Some(row) = board::row_of(app, turn.conn(), account).await? {
        app.tell_row(row);
    }
    drop(turn);
    Ok(())
}

/// A server that starts has no desk connected, whatever it knew when it ended. Leases are kept; they wait for their
/// desks.
pub async fn restore(app: &App) -> Result<(), StoreError> {
    let mut writing = app.store.write().await?;
    for lease in readiness::all_leases(writing.conn()).await? {
        step(app, writing.conn(), lease, LeaseInput::DeskOffline).await?;
    }
    drop(writing.commit().await?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_test_is_waited_for_once_and_given_up_by_its_number() {
        let (asked, agent) = (Asked::default(), AccountId(Uuid::from_u128(1)));
        let first = asked.begin(agent).unwrap();
        assert_eq!(asked.begin(agent), None);
        assert!(asked.waits(agent));
        asked.end(agent);
        let second = asked.begin(agent).unwrap();
        assert!(!asked.give_up(agent, first), "another test is waited for since");
        assert!(asked.waits(agent));
        assert!(asked.give_up(agent, second));
        assert!(!asked.waits(agent));
    }

    #[test]
    fn a_refusal_says_what_is_missing() {
        let why = [
            Narrowing::Unplugged {
                kind: sightline_wire::device::DeviceKind::Camera,
                name: "C920".into(),
            },
            Narrowing::Handshakes,
        ];
        let problem = not_ready(&why);
        assert_eq!(problem.code, ErrorCode::NotReadyForVideo);
        assert_eq!(
            problem.message,
            "This desk is not ready for video. The camera C920 was unplugged. Three calls in a row did not come about."
        );
        assert_eq!(not_ready(&[]).message, ErrorCode::NotReadyForVideo.message());
    }
}
