//! Ends what routing has given time, and stores what it knows of agents: one sleep until the next deadline, woken when
//! there is another one or something to store.

use crate::app::{App, now};
use sightline_call::routing::Input;
use sightline_store::StoreError;
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// The clock is read again at least this often, in case it jumped or the machine slept.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// After a failure it is tried again then.
const AGAIN: Duration = Duration::from_secs(5);

/// Runs until the server stops.
pub async fn run(app: Arc<App>) {
    let mut stopping = app.stopping.clone();
    loop {
        let wait = match pass(&app).await {
            Ok(()) => next(&app),
            Err(error) => {
                tracing::error!(%error, "routing could not be stored yet");
                AGAIN
            }
        };
        tokio::select! {
            () = stopping.stopped() => return,
            () = app.assignments.changed.notified() => {}
            () = sleep(wait) => {}
        }
    }
}

fn next(app: &App) -> Duration {
    let routing = app.assignments.lock();
    let deadline = routing.as_ref().and_then(|state| state.routing.deadline());
    deadline.map_or(LONGEST_SLEEP, |(at, _)| {
        Duration::from_millis(u64::try_from(at - now()).unwrap_or(0)).min(LONGEST_SLEEP)
    })
}

/// Everything whose time is over, and everything that is not stored yet. Mostly there is nothing, and no turn is taken.
async fn pass(app: &App) -> Result<(), StoreError> {
    let idle = {
        let routing = app.assignments.lock();
        routing.as_ref().is_none_or(|state| {
            let due = state.routing.deadline().is_some_and(|(at, _)| at <= now());
            !due && state.unsaved.is_empty()
        })
    };
    if idle {
        return Ok(());
    }
    let mut writing = app.store.write().await?;
    app.note(Input::Tick, now());
    app.save_agents(writing.conn()).await?;
    let committed = writing.commit().await?;
    if let Some(state) = app.assignments.lock().as_mut() {
        state.unsaved.clear();
    }
    drop(committed);
    Ok(())
}
