//! Where a new conversation waits: decided in the transaction that opens it, by whichever way it came.

use super::{Assignments, plan::Plan, rules::Subject};
use crate::{
    app::now,
    customer::{event_line, told_line},
    dates::iso8601,
};
use sightline_call::routing::{QueueId, QueueStatus, Routed, StatusKind, Told};
use sightline_store::{
    SqliteConnection, StoreError, accounts,
    conversations::{self, StoredConversation},
    messages::{self, NewMessage, StoredMessage},
    threads::{self, Origin},
};
use sightline_wire::{
    UnixMillis,
    conversation::{Author, Body, Channel, ConversationState},
    history::HistoryLine,
};

/// What a line says, for the customer's own language, and its English words.
pub type Line = (HistoryLine, String);

/// Who comes from a bot has told the whole story once and waits at the top of the queue.
const HANDED_OVER: u8 = u8::MAX;

/// Puts a conversation that waits, and has been put nowhere yet, into its queue; and tells the customer what there is to
/// know there. `None`: there was nothing to do.
pub async fn place(
    assignments: &Assignments,
    c: &mut SqliteConnection,
    stored: &StoredConversation,
) -> Result<Option<(StoredConversation, Vec<StoredMessage>)>, StoreError> {
    if stored.routing.is_some() || stored.state != ConversationState::Open || stored.hidden() {
        return Ok(None);
    }
    let plan = &assignments.plan;
    let (mut routed, missing) = decide(plan, c, stored).await?;
    let at = now();
    let told = assignments.arriving(routed.queue, at);
    if let Some((kind, _)) = told {
        routed.promised = true;
        let queue = routed.queue;
        routed.told = Some(Told { queue, kind, at });
    }
    conversations::set_routing(c, stored.id, &routed).await?;
    let mut lines = Vec::new();
    if !missing.is_empty() {
        let queue = plan.title(routed.queue).unwrap_or("the inbox");
        let text = format!("{} So it waits in {queue}.", missing.join(" "));
        let note = NewMessage {
            author: Author::System,
            body: Body::Note { text },
            ..event_line(stored.id, String::new(), at)
        };
        lines.push(messages::append(c, note).await?);
    }
    if let Some((_, line)) = told {
        lines.push(messages::append(c, to_customer(stored, line, at)).await?);
    }
    let placed = conversations::get(c, stored.id).await?;
    Ok(placed.map(|placed| (placed, lines)))
}

/// A line that the customer reads.
pub fn to_customer(stored: &StoredConversation, (means, text): Line, at: UnixMillis) -> NewMessage {
    match stored.channel {
        Channel::WebChat => told_line(stored.id, means, text, at),
        // A platform carries words, and no lines of history.
        _ => NewMessage {
            author: Author::System,
            body: Body::Text { text },
            ..event_line(stored.id, String::new(), at)
        },
    }
}

/// By the rules; with what they needed and did not find.
pub async fn decide(
    plan: &Plan,
    c: &mut SqliteConnection,
    stored: &StoredConversation,
) -> Result<(Routed, Vec<String>), StoreError> {
    let thread = match &stored.thread {
        Some(thread) => threads::get(c, thread).await?,
        None => None,
    };
    let connector = thread.as_ref().and_then(|thread| match &thread.origin {
        Origin::Platform { connector, .. } => Some(connector.as_str()),
        Origin::Page => None,
    });
    let placed = plan.place(&Subject {
        channel: stored.channel,
        connector,
        context: &stored.context,
    });
    let mut missing = placed.missing;
    let prefer = match &placed.prefer {
        None => stored.origin.asked_for,
        // Whoever may not choose the agent may not choose one by a rule either.
        Some(_) if !stored.origin.trusted => None,
        Some(email) => {
            let known = accounts::by_email(c, email).await?;
            if known.is_none() {
                missing.push("The agent whom the customer knows has no account here.".into());
            }
            known.map(|known| known.account.id)
        }
    };
    let usual = placed
        .priority
        .unwrap_or_else(|| plan.queue(placed.queue).queue.priority);
    let priority = match stored.handoff {
        Some(_) => HANDED_OVER,
        None => usual,
    };
    let routed = Routed {
        skills: placed.skills,
        prefer,
        rule: placed.rule,
        ..Routed::in_queue(placed.queue, priority)
    };
    Ok((routed, missing))
}

impl Assignments {
    /// What a customer who comes to this queue now is told; `None` where somebody is there, and where nobody has
    /// configured anything to tell.
    fn arriving(&self, queue: QueueId, at: UnixMillis) -> Option<(StatusKind, Line)> {
        let status = self.lock().as_ref()?.routing.status(queue)?;
        let line = self.customer_line(queue, status, false, at)?;
        Some((status.kind(), line))
    }

    /// The same of any status, for one who comes or for one who `waits` already.
    pub fn customer_line(&self, queue: QueueId, status: QueueStatus, waits: bool, at: UnixMillis) -> Option<Line> {
        if !self.plan.tells_customers {
            return None;
        }
        let hours = self.plan.queue(queue).queue.hours.as_ref();
        line(status, waits, hours.map_or(0, |hours| hours.ahead_min), at)
    }
}

/// A queue's status in the customer's words. Who waits already when it closes may still be answered by whoever is there.
fn line(status: QueueStatus, waits: bool, ahead_min: i32, now: UnixMillis) -> Option<Line> {
    use HistoryLine::{EverybodyLeft, NobodyHere, QueueClosed, QueueHasClosed};
    let opens = |at| day(at, ahead_min, now);
    let (means, text) = match (status, waits) {
        (QueueStatus::Staffed, _) => return None,
        (QueueStatus::NobodyHere, false) => (
            NobodyHere,
            "Nobody is here at the moment. Your message waits for the first one who comes.".into(),
        ),
        (QueueStatus::NobodyHere, true) => (
            EverybodyLeft,
            "Nobody is here any more at the moment. Your message waits for the first one who comes back.".into(),
        ),
        (QueueStatus::Closed { opens_at }, false) => {
            let text = match opens_at.map(opens) {
                None => "We are closed now. Your message waits here.".into(),
                Some(day) => format!("We are closed now and open again {day}. Your message waits here until then."),
            };
            (QueueClosed { opens_at }, text)
        }
        (QueueStatus::Closed { opens_at }, true) => {
            let text = match opens_at.map(opens) {
                None => "We have closed. Your message waits here.".into(),
                Some(day) => format!(
                    "We have closed and open again {day}. If nobody answers before, your message waits here until then."
                ),
            };
            (QueueHasClosed { opens_at }, text)
        }
    };
    Some((means, text))
}

/// "today at 09:00", "on Monday at 09:00", by the queue's clock.
fn day(at: UnixMillis, ahead_min: i32, now: UnixMillis) -> String {
    const DAY_MS: i64 = 86_400_000;
    const NAMES: [&str; 7] = [
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
        "Monday",
        "Tuesday",
        "Wednesday",
    ];
    let there = |at: UnixMillis| at.saturating_add(i64::from(ahead_min) * 60_000);
    let (then, today) = (there(at), there(now).div_euclid(DAY_MS));
    let written = iso8601(then);
    let time = written.get(11..16).unwrap_or_default();
    let days = then.div_euclid(DAY_MS) - today;
    let name = usize::try_from(then.div_euclid(DAY_MS).rem_euclid(7)).map_or("", |index| NAMES[index]);
    match days {
        0 => format!("today at {time}"),
        1 => format!("tomorrow at {time}"),
        2..=6 => format!("on {name} at {time}"),
        _ => format!("on {name}, {} at {time}", written.get(..10).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * HOUR;

    #[test]
    fn customers_read_when_somebody_is_there_by_the_queues_own_clock() {
        let closed = |at, ahead| {
            let status = QueueStatus::Closed { opens_at: Some(at) };
            line(status, false, ahead, 20 * HOUR).unwrap().1
        };
        // Thursday, 20:00 UTC.
        assert!(closed(DAY + 8 * HOUR, 60).contains("tomorrow at 09:00"));
        assert!(closed(4 * DAY + 8 * HOUR, 0).contains("on Monday at 08:00"));
        assert!(closed(22 * HOUR, -60).contains("today at 21:00"));
        assert!(closed(8 * DAY, 0).contains("on Friday, 1970-01-09 at 00:00"));
        assert_eq!(line(QueueStatus::Staffed, false, 0, 0), None);
        let nobody = |waits| line(QueueStatus::NobodyHere, waits, 0, 0).unwrap().1;
        assert!(nobody(false).contains("Nobody is here at the moment"));
        assert!(nobody(true).contains("Nobody is here any more"));
        let closing = QueueStatus::Closed {
            opens_at: Some(DAY + 8 * HOUR),
        };
        let said = line(closing, true, 0, 20 * HOUR).unwrap().1;
        assert!(
            said.contains("tomorrow at 08:00") && said.contains("If nobody answers before"),
            "{said}"
        );
    }
}
