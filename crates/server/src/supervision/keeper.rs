//! Tells those who look at the wall what is different: at once after a quiet time, at most twice a second in a busy one.

use super::{Told, snapshot};
use crate::{
    app::{App, now},
    desks::DeskSeat,
};
use sightline_store::StoreError;
use sightline_wire::{agent::AgentEvent, wall::WallNews};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// Between two news.
const PACE: Duration = Duration::from_millis(500);

/// Without any news the wall is looked at again after so long: service levels and leases change by time alone.
const AGES: Duration = Duration::from_secs(10);

/// Runs until the server stops.
pub async fn run(app: Arc<App>) {
    let mut stopping = app.stopping.clone();
    loop {
        tokio::select! {
            () = stopping.stopped() => return,
            () = app.wall.stirred.notified() => {}
            () = sleep(AGES) => {}
        }
        if app.desks.somebody_at_wall()
            && let Err(error) = refresh(&app).await
        {
            tracing::error!(%error, "the wall could not be read");
        }
        tokio::select! {
            () = stopping.stopped() => return,
            () = sleep(PACE) => {}
        }
    }
}

async fn refresh(app: &App) -> Result<(), StoreError> {
    let mut told = app.wall.told.lock().await;
    look(app, &mut told).await
}

/// Looks, and tells what is different to those who were told the rest.
async fn look(app: &App, told: &mut Told) -> Result<(), StoreError> {
    let fresh = snapshot::take(app).await?;
    let news = fresh.since(&told.snapshot, told.number + 1, now());
    told.snapshot = fresh;
    if !news.is_empty() {
        told.number += 1;
    }
    for part in news {
        app.desks.tell_wall(&AgentEvent::Wall(part));
    }
    Ok(())
}

/// The wall is opened at this seat: all of it now, and from here on what is different.
pub async fn open(app: &App, seat: &DeskSeat) -> Result<Vec<WallNews>, StoreError> {
    let mut told = app.wall.told.lock().await;
    look(app, &mut told).await?;
    told.number += 1;
    app.desks.watch_wall(seat, true);
    Ok(told.snapshot.whole(told.number, now()))
}
