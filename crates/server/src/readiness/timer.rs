//! Ends leases when their time is over: one sleep until the next end there is, woken when another comes first.
//!
//! Nobody is asked at intervals. The ends stand in the database, so a server that was restarted goes on where it was,
//! and first catches up with what ended meanwhile. Whether a call may begin never depends on this timer:
//! [`super::may_have_video`] reads the clock itself.

use super::step;
use crate::app::{App, now};
use sightline_call::readiness::lease::LeaseInput;
use sightline_store::{StoreError, readiness};
use sightline_wire::UnixMillis;
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// The clock is read again at least this often, in case it jumped or the machine slept.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// After a failure it is tried again then.
const AGAIN_MS: i64 = 5_000;

/// Leases that end in one transaction.
const AT_ONCE: i64 = 200;

/// Runs until the server stops.
pub async fn run(app: Arc<App>) {
    let mut stopping = app.stopping.clone();
    loop {
        let next = match end_due(&app).await {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%error, "readiness leases could not be ended yet");
                Some(now() + AGAIN_MS)
            }
        };
        loop {
            let wait = next.map_or(LONGEST_SLEEP, |at| {
                let left = Duration::from_millis(u64::try_from(at - now()).unwrap_or(0));
                left.min(LONGEST_SLEEP)
            });
            tokio::select! {
                () = stopping.stopped() => return,
                () = app.readiness.changed.notified() => break,
                () = sleep(wait) => {
                    if next.is_some_and(|at| at <= now()) {
                        break;
                    }
                }
            }
        }
    }
}

/// Ends what has to end now, and answers when the next one does.
async fn end_due(app: &App) -> Result<Option<UnixMillis>, StoreError> {
    loop {
        {
            // Looked for without taking the write turn: mostly there is nothing.
            let mut c = app.store.read().await?;
            let next = readiness::next_due(&mut c).await?;
            if next.is_none_or(|at| at > now()) {
                return Ok(next);
            }
        }
        let mut writing = app.store.write().await?;
        let mut news = Vec::new();
        for lease in readiness::due(writing.conn(), now(), AT_ONCE).await? {
            let (account, desk) = (lease.account, lease.desk);
            news.extend(step(app, writing.conn(), lease, LeaseInput::Tick).await?);
            tracing::info!(%account, %desk, "readiness lease ended");
        }
        let committed = writing.commit().await?;
        for news in news {
            app.tell_readiness(news);
        }
        drop(committed);
    }
}
