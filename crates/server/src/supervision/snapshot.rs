//! The wall at one moment, and what is different from another one.

use crate::{
    app::{App, now},
    readiness::board,
    routing::{Goal, Seen},
};
use sightline_call::routing::{Presence, QueueId, Undisturbed};
use sightline_store::{
    StoreError, accounts,
    wall::{self, RunningCall, WallRow},
};
use sightline_wire::{
    UnixMillis,
    account::{Account, Role},
    conversation::ConversationState,
    escalation::EscalationState,
    ids::{AccountId, ConversationId},
    readiness::Lease,
    wall::{
        ServiceLevel, WALL_ROWS, WallAgent, WallCall, WallCallState, WallConversation, WallLoad, WallNews,
        WallPresence, WallQueue,
    },
};
use std::collections::{BTreeMap, HashMap};

const HOUR_MS: i64 = 3_600_000;

/// The wall, by the identifiers of its rows.
#[derive(Debug, Default, PartialEq)]
pub struct Snapshot {
    queues: BTreeMap<u32, WallQueue>,
    agents: BTreeMap<AccountId, WallAgent>,
    conversations: BTreeMap<ConversationId, WallConversation>,
}

/// As it stands now.
pub async fn take(app: &App) -> Result<Snapshot, StoreError> {
    let at = now();
    let (rows, everybody, leases, service) = {
        let mut c = app.store.read().await?;
        let rows = wall::conversations(&mut c).await?;
        let everybody = accounts::all(&mut c).await?;
        let board = board::rows(app, &mut c).await?;
        let leases: HashMap<_, _> = board
            .into_iter()
            .filter_map(|row| Some((row.agent, row.lease?)))
            .collect();
        let goals = app.goals();
        let hour = wall::service(&mut c, &goals, at - HOUR_MS, at).await?;
        let day = wall::service(&mut c, &goals, at - 24 * HOUR_MS, at).await?;
        (rows, everybody, leases, (hour, day))
    };
    let seen = app.seen_by_routing();
    let plan = &app.assignments.plan;
    let names: HashMap<AccountId, &str> = everybody.iter().map(|a| (a.id, a.name.as_str())).collect();
    let conversations: BTreeMap<_, _> = rows
        .iter()
        .map(|row| (row.id, conversation(row, &seen, &names)))
        .collect();
    let agents: BTreeMap<_, _> = everybody
        .iter()
        .filter_map(|account| agent(app, account, &rows, &seen, leases.get(&account.id)))
        .map(|agent| (agent.agent, agent))
        .collect();
    let queues = seen.queues.iter().map(|(queue, title, members)| {
        let level = |levels: &HashMap<u32, ServiceLevel>| levels.get(&queue.0).copied().unwrap_or_default();
        let served = (plan.queue(*queue).goal, level(&service.0), level(&service.1));
        let row = queue_row((*queue, title), members, &conversations, &agents, &seen, served);
        (queue.0, row)
    });
    Ok(Snapshot {
        queues: queues.collect(),
        conversations,
        agents,
    })
}

fn conversation(row: &WallRow, seen: &Seen, names: &HashMap<AccountId, &str>) -> WallConversation {
    let asked = seen.asked.get(&row.id).and_then(|agent| names.get(agent));
    let (owner, owner_name) = row.owner.clone().unzip();
    WallConversation {
        id: row.id,
        queue: seen.queue_of(row.id).0,
        channel: row.channel,
        state: row.state,
        since: row.state_since,
        opened_at: row.opened_at,
        customer_name: row.customer_name.clone(),
        owner,
        owner_name,
        asked_name: asked.map(|name| (*name).to_owned()),
        helpers: row.helpers.clone(),
        call: row.call.as_ref().and_then(call),
    }
}

fn call(running: &RunningCall) -> Option<WallCall> {
    let (state, since) = match running.state {
        EscalationState::Invited => (WallCallState::Invited, running.created_at),
        EscalationState::Joining { since } => (WallCallState::Joining, since),
        EscalationState::Live { since } => (WallCallState::Live, since),
        EscalationState::Ended { .. } => return None,
    };
    let moment = running.moment.as_ref();
    Some(WallCall {
        state,
        since,
        mark: moment.map(|moment| moment.worst).unwrap_or_default(),
        reason: moment.map(|moment| moment.reason.clone()).unwrap_or_default(),
    })
}

/// Agents are always on the wall, supervisors and admins while they have work of their own.
fn agent(app: &App, account: &Account, rows: &[WallRow], seen: &Seen, lease: Option<&Lease>) -> Option<WallAgent> {
    let id = account.id;
    let theirs = |row: &&WallRow| row.owner.as_ref().is_some_and(|(owner, _)| *owner == id);
    let conversations = rows.iter().filter(theirs).count();
    if account.role != Role::Agent && conversations == 0 {
        return None;
    }
    let call = rows
        .iter()
        .find(|row| row.call.as_ref().is_some_and(|call| call.agent == id))
        .map(|row| row.id);
    let routed = seen.agents.get(&id);
    let presence = match routed {
        Some(routed) => presence(routed.presence),
        None if app.desks.connected(id).is_none() => WallPresence::Offline,
        None if call.is_some() => WallPresence::InCall,
        None if conversations > 0 => WallPresence::Busy,
        None => WallPresence::Available,
    };
    Some(WallAgent {
        agent: id,
        name: account.name.clone(),
        presence,
        load: routed.map(|routed| WallLoad {
            units: routed.units,
            capacity: routed.capacity,
        }),
        conversations: count(conversations),
        asked: routed.and_then(|routed| routed.asked),
        readiness: lease.map(|lease| lease.readiness),
        ready_until: lease.map(|lease| lease.expires_at),
        call,
    })
}

fn presence(presence: Presence) -> WallPresence {
    match presence {
        Presence::Available => WallPresence::Available,
        Presence::Busy => WallPresence::Busy,
        Presence::DoNotDisturb { why } => match why {
            Undisturbed::Chosen => WallPresence::DoNotDisturb,
            Undisturbed::Declined => WallPresence::Declined,
            Undisturbed::InCall => WallPresence::InCall,
            Undisturbed::Sessions | Undisturbed::Full => WallPresence::Full,
        },
        Presence::Inactive => WallPresence::Inactive,
        Presence::Away => WallPresence::Away,
        Presence::Offline => WallPresence::Offline,
    }
}

fn queue_row(
    (queue, title): (QueueId, &str),
    members: &[AccountId],
    conversations: &BTreeMap<ConversationId, WallConversation>,
    agents: &BTreeMap<AccountId, WallAgent>,
    seen: &Seen,
    (goal, hour, day): (Goal, ServiceLevel, ServiceLevel),
) -> WallQueue {
    let inside = |state: ConversationState| {
        conversations
            .values()
            .filter(move |row| row.queue == queue.0 && row.state == state)
    };
    let members: Vec<&WallAgent> = members.iter().filter_map(|member| agents.get(member)).collect();
    let here = members.iter().filter(|agent| agent.presence != WallPresence::Offline);
    let free = members.iter().filter(|agent| {
        let takes = matches!(agent.presence, WallPresence::Available | WallPresence::Busy);
        let room = seen.agents.get(&agent.agent).is_none_or(|routed| routed.room);
        takes && room && agent.asked.is_none()
    });
    WallQueue {
        queue: queue.0,
        title: title.to_owned(),
        waiting: count(inside(ConversationState::Open).count()),
        oldest: inside(ConversationState::Open).map(|row| row.opened_at).min(),
        active: count(inside(ConversationState::Active).count()),
        here: count(here.count()),
        free: count(free.count()),
        within_ms: goal.within_ms,
        goal: goal.percent,
        hour,
        day,
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Snapshot {
    /// All of it.
    pub fn whole(&self, number: u64, at: UnixMillis) -> Vec<WallNews> {
        let mut parts = self.since(&Self::default(), number, at);
        match parts.first_mut() {
            Some(first) => first.begins = true,
            None => parts.push(WallNews {
                number,
                at,
                begins: true,
                ..WallNews::default()
            }),
        }
        parts
    }

    /// What is different from `before`, in parts that fit into frames; none when nothing is.
    pub fn since(&self, before: &Self, number: u64, at: UnixMillis) -> Vec<WallNews> {
        let queues = changed(&self.queues, &before.queues);
        let agents = changed(&self.agents, &before.agents);
        let conversations = changed(&self.conversations, &before.conversations);
        let gone_agents = gone(&self.agents, &before.agents);
        let gone = gone(&self.conversations, &before.conversations);
        let most = [
            queues.len(),
            agents.len(),
            conversations.len(),
            gone_agents.len(),
            gone.len(),
        ];
        let parts = most.into_iter().max().unwrap_or(0).div_ceil(WALL_ROWS);
        (0..parts)
            .map(|part| WallNews {
                number,
                at,
                begins: false,
                queues: part_of(&queues, part),
                agents: part_of(&agents, part),
                conversations: part_of(&conversations, part),
                gone_agents: part_of(&gone_agents, part),
                gone: part_of(&gone, part),
            })
            .collect()
    }
}

fn changed<K: Ord, V: PartialEq + Clone>(now: &BTreeMap<K, V>, before: &BTreeMap<K, V>) -> Vec<V> {
    let rows = now.iter().filter(|(key, row)| before.get(key) != Some(row));
    rows.map(|(_, row)| row.clone()).collect()
}

fn gone<K: Ord + Copy, V>(now: &BTreeMap<K, V>, before: &BTreeMap<K, V>) -> Vec<K> {
    before.keys().filter(|key| !now.contains_key(key)).copied().collect()
}

fn part_of<T: Clone>(rows: &[T], part: usize) -> Vec<T> {
    rows.iter().skip(part * WALL_ROWS).take(WALL_ROWS).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sightline_wire::{MAX_FRAME_BYTES, agent::AgentEvent, conversation::Channel, device::QualityMark};
    use uuid::Uuid;

    /// As long as they come: names of 100 characters, a call with its reason.
    fn row(n: u128) -> WallConversation {
        WallConversation {
            id: ConversationId(Uuid::from_u128(n)),
            queue: 1,
            channel: Channel::WebChat,
            state: ConversationState::Active,
            since: 1_800_000_000_000,
            opened_at: 1_800_000_000_000,
            customer_name: "n".repeat(100),
            owner: Some(AccountId(Uuid::from_u128(n))),
            owner_name: Some("n".repeat(100)),
            asked_name: Some("n".repeat(100)),
            helpers: vec!["n".repeat(100)],
            call: Some(WallCall {
                state: WallCallState::Live,
                since: 1_800_000_000_000,
                mark: QualityMark::Unknown,
                reason: "n".repeat(200),
            }),
        }
    }

    fn agent(n: u128) -> WallAgent {
        WallAgent {
            agent: AccountId(Uuid::from_u128(n)),
            name: "n".repeat(100),
            presence: WallPresence::DoNotDisturb,
            load: Some(WallLoad {
                units: 100,
                capacity: 100,
            }),
            conversations: 3,
            asked: Some(ConversationId(Uuid::from_u128(n))),
            readiness: None,
            ready_until: Some(1_800_000_000_000),
            call: Some(ConversationId(Uuid::from_u128(n))),
        }
    }

    fn wall(conversations: impl IntoIterator<Item = u128>, agents: u128) -> Snapshot {
        Snapshot {
            queues: BTreeMap::new(),
            agents: (0..agents).map(agent).map(|agent| (agent.agent, agent)).collect(),
            conversations: conversations.into_iter().map(row).map(|row| (row.id, row)).collect(),
        }
    }

    /// What somebody knows who has heard all parts.
    fn heard(mut known: Snapshot, parts: &[WallNews]) -> Snapshot {
        for part in parts {
            if part.begins {
                known = Snapshot::default();
            }
            let queues = part.queues.iter().map(|row| (row.queue, row.clone()));
            let agents = part.agents.iter().map(|row| (row.agent, row.clone()));
            let conversations = part.conversations.iter().map(|row| (row.id, row.clone()));
            known.queues.extend(queues);
            known.agents.extend(agents);
            known.conversations.extend(conversations);
            known.agents.retain(|id, _| !part.gone_agents.contains(id));
            known.conversations.retain(|id, _| !part.gone.contains(id));
        }
        known
    }

    #[test]
    fn parts_fit_into_frames_and_make_the_whole() {
        let large = wall(0..1_001, 90);
        let parts = large.whole(7, 5);
        assert!(parts[0].begins && parts[1..].iter().all(|part| !part.begins));
        assert!(parts.iter().all(|part| part.number == 7 && part.at == 5));
        for part in &parts {
            let size = serde_json::to_vec(&AgentEvent::Wall(part.clone())).unwrap().len();
            assert!(size < MAX_FRAME_BYTES, "{size} bytes");
        }
        assert_eq!(heard(wall(5_000..5_010, 3), &parts), large);
        let empty = Snapshot::default();
        assert!(empty.whole(1, 5)[0].begins, "an empty wall is told, too");
    }

    #[test]
    fn what_is_different_leads_from_one_wall_to_the_other() {
        let before = wall(0..100, 5);
        let mut after = wall(50..200, 4);
        let id = ConversationId(Uuid::from_u128(60));
        after.conversations.get_mut(&id).unwrap().state = ConversationState::WrapUp;
        let news = after.since(&before, 2, 5);
        let told: usize = news.iter().map(|part| part.conversations.len()).sum();
        assert_eq!(told, 101, "the new ones, and the one that changed");
        assert_eq!(heard(before, &news), after);
        assert!(after.since(&after, 3, 6).is_empty(), "nothing is nothing to tell");
    }
}
