//! What customers hear who wait already when the last agent leaves, or when their queue closes: once for each change that
//! lasts.
//!
//! Whoever comes is told how it stands at that moment. Whoever waits is told of a change only after it has held for a
//! while, and of nothing that was over before: a desk that reconnects, an agent who is back in a minute. After such an
//! announcement the queue has to be staffed for as long before there is another one.

use super::{Chosen, Connection, Effect, QueueId, QueueStatus, Routing, StatusKind, Timer};
use sightline_wire::UnixMillis;

/// A queue as those know it who wait in it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Telling {
    /// What has held for long enough; `None` before anything has.
    settled: Option<StatusKind>,
    /// What is so now, and was not before.
    turning: Option<Turning>,
}

#[derive(Debug, Clone, Copy)]
struct Turning {
    kind: StatusKind,
    since: UnixMillis,
    due: UnixMillis,
}

impl Routing {
    /// A queue's status is this one now.
    pub(super) fn turned(&mut self, id: QueueId, status: QueueStatus, now: UnixMillis) {
        let Some(Telling { settled, turning }) = self.queues.get(&id).map(|configured| configured.telling) else {
            return;
        };
        let kind = status.kind();
        if turning.map_or(settled, |turning| Some(turning.kind)) == Some(kind) {
            return;
        }
        if let Some(turning) = turning {
            self.timers.remove(&(turning.due, Timer::Settled(id)));
        }
        let turning = (settled != Some(kind)).then(|| Turning {
            kind,
            // Of the time before the first change nothing is known: who was told the same then has been told.
            since: if settled.is_none() { UnixMillis::MIN } else { now },
            due: self.holds_from(id, kind, settled, now),
        });
        if let Some(turning) = turning {
            self.timers.insert((turning.due, Timer::Settled(id)));
        }
        if let Some(configured) = self.queues.get_mut(&id) {
            configured.telling.turning = turning;
        }
    }

    /// It has held for long enough.
    pub(super) fn settled(&mut self, id: QueueId) {
        let Some(configured) = self.queues.get_mut(&id) else {
            return;
        };
        let Some(turning) = configured.telling.turning.take() else {
            return;
        };
        configured.telling.settled = Some(turning.kind);
        if let (Some(status), true) = (configured.told, turning.kind != StatusKind::Staffed) {
            self.out.effects.push(Effect::Tell {
                queue: id,
                status,
                since: turning.since,
            });
        }
    }

    /// When a status that begins now counts. Agents who lost their connection may be back in time, and a queue that has
    /// just opened, or a server that has just started, waits as long for the first of them.
    fn holds_from(&self, id: QueueId, kind: StatusKind, settled: Option<StatusKind>, now: UnixMillis) -> UnixMillis {
        let settle_ms = self.queues.get(&id).map_or(0, |configured| configured.queue.settle_ms);
        let soon = now.saturating_add(settle_ms);
        let in_time = now.saturating_add(self.policy.return_ms);
        match (kind, settled) {
            (StatusKind::Staffed | StatusKind::Closed, _) => soon,
            (StatusKind::NobodyHere, None | Some(StatusKind::Closed)) => soon.max(in_time),
            (StatusKind::NobodyHere, Some(_)) => {
                let back = self.lines.members(id).filter_map(|member| {
                    let row = &self.agents.get(&member)?.row;
                    match row.connection {
                        Connection::Gone { since } if row.chosen == Chosen::Available && row.pause.is_none() => {
                            Some(since.saturating_add(self.policy.return_ms))
                        }
                        Connection::Gone { .. } | Connection::Here => None,
                    }
                });
                back.max().map_or(soon, |back| back.max(soon))
            }
        }
    }
}
