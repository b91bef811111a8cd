//! The index: who waits for what, and who is free for it.
//!
//! Conversations of one queue with the same needs stand in one *line*. A line knows its conversations in their order,
//! the agents who could take one of them now by how long they have been idle, and how many agents cannot for which
//! reason. So the next conversation, the next agent and the reasons are looked up, never searched for.
//!
//! The price is paid when an agent changes: the agent is taken out of the lines of the own queues and put back in,
//! O(L · (s + log A)) for L lines in these queues, s skills a line asks for and A agents. L is bounded by what is
//! configured (queues x rules for skills x channels), tens in a large deployment; it does not grow with the number of
//! conversations, and lines are never removed.

use super::{
    Policy,
    agents::Standing,
    reasons::Reason,
    work::{Needs, Place, QueueId},
};
use sightline_wire::{UnixMillis, ids::AccountId};
use std::collections::{BTreeMap, BTreeSet};

/// A line, by its place in [`Lines`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LineId(usize);

/// Conversations of one queue with the same needs, and the agents of that queue.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub queue: QueueId,
    pub needs: Needs,
    pub waiting: BTreeSet<Place>,
    /// Who could take one now; longest idle first.
    pub ready: BTreeSet<(UnixMillis, AccountId)>,
    /// How many cannot, for each reason.
    pub reasons: BTreeMap<Reason, u32>,
}

impl Line {
    fn add(&mut self, id: AccountId, agent: &Standing, policy: &Policy) {
        match agent.why_not(self.queue, &self.needs, policy) {
            None => {
                self.ready.insert((agent.row.idle_since, id));
            }
            Some(reason) => *self.reasons.entry(reason).or_default() += 1,
        }
    }

    fn remove(&mut self, id: AccountId, agent: &Standing, policy: &Policy) {
        match agent.why_not(self.queue, &self.needs, policy) {
            None => {
                self.ready.remove(&(agent.row.idle_since, id));
            }
            Some(reason) => {
                let count = self.reasons.entry(reason).or_default();
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.reasons.remove(&reason);
                }
            }
        }
    }

    /// Somebody waits whom somebody could take.
    pub fn hot(&self) -> bool {
        !self.waiting.is_empty() && !self.ready.is_empty()
    }
}

/// What belongs to one queue.
#[derive(Debug, Clone, Default)]
struct Roster {
    lines: Vec<LineId>,
    members: BTreeSet<AccountId>,
    /// Members who are there, busy or not.
    here: usize,
    /// Outside business hours, or for agents to take themselves; in their order.
    parked: BTreeSet<Place>,
}

/// All lines.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines {
    lines: Vec<Line>,
    known: BTreeMap<(QueueId, Needs), LineId>,
    rosters: BTreeMap<QueueId, Roster>,
}

impl Lines {
    /// The line for these needs. A new one is filled with the agents of its queue, once: O(members).
    pub fn open(
        &mut self,
        queue: QueueId,
        needs: Needs,
        agents: &BTreeMap<AccountId, Standing>,
        policy: &Policy,
    ) -> LineId {
        let key = (queue, needs);
        if let Some(line) = self.known.get(&key) {
            return *line;
        }
        let id = LineId(self.lines.len());
        let mut line = Line {
            queue,
            needs: key.1.clone(),
            waiting: BTreeSet::new(),
            ready: BTreeSet::new(),
            reasons: BTreeMap::new(),
        };
        let roster = self.rosters.entry(queue).or_default();
        for member in &roster.members {
            if let Some(agent) = agents.get(member) {
                line.add(*member, agent, policy);
            }
        }
        roster.lines.push(id);
        self.lines.push(line);
        self.known.insert(key, id);
        id
    }

    /// Puts an agent in the lines of the own queues, and answers which of them have become hot.
    pub fn add(&mut self, id: AccountId, agent: &Standing, policy: &Policy, hot: &mut BTreeSet<LineId>) {
        let here = usize::from(agent.absent().is_none());
        for queue in &agent.row.profile.queues {
            let roster = self.rosters.entry(*queue).or_default();
            roster.members.insert(id);
            roster.here += here;
            for line_id in &roster.lines {
                let line = &mut self.lines[line_id.0];
                line.add(id, agent, policy);
                if line.hot() {
                    hot.insert(*line_id);
                }
            }
        }
    }

    /// Takes an agent out again, exactly as it was put in: nothing of it may have changed in between.
    pub fn remove(&mut self, id: AccountId, agent: &Standing, policy: &Policy) {
        let here = usize::from(agent.absent().is_none());
        for queue in &agent.row.profile.queues {
            let roster = self.rosters.entry(*queue).or_default();
            roster.members.remove(&id);
            roster.here -= here;
            for line_id in &roster.lines {
                self.lines[line_id.0].remove(id, agent, policy);
            }
        }
    }

    pub fn get(&self, id: LineId) -> &Line {
        &self.lines[id.0]
    }

    pub fn get_mut(&mut self, id: LineId) -> &mut Line {
        &mut self.lines[id.0]
    }

    /// How many of a queue's agents are there.
    pub fn here(&self, queue: QueueId) -> usize {
        self.rosters.get(&queue).map_or(0, |roster| roster.here)
    }

    /// How many conversations stand in a queue's lines, or are parked before them.
    pub fn waiting(&self, queue: QueueId) -> usize {
        self.rosters.get(&queue).map_or(0, |roster| {
            let lines = roster.lines.iter().map(|id| self.lines[id.0].waiting.len());
            roster.parked.len() + lines.sum::<usize>()
        })
    }

    /// Who works for a queue.
    pub fn members(&self, queue: QueueId) -> impl Iterator<Item = AccountId> {
        self.rosters
            .get(&queue)
            .into_iter()
            .flat_map(|roster| roster.members.iter().copied())
    }

    pub fn park(&mut self, queue: QueueId, place: Place) {
        self.rosters.entry(queue).or_default().parked.insert(place);
    }

    pub fn unpark(&mut self, queue: QueueId, place: &Place) {
        if let Some(roster) = self.rosters.get_mut(&queue) {
            roster.parked.remove(place);
        }
    }

    /// Those that stand in a queue's lines.
    pub fn in_line(&self, queue: QueueId) -> Vec<Place> {
        self.rosters.get(&queue).map_or_else(Vec::new, |roster| {
            let lines = roster.lines.iter().map(|id| &self.lines[id.0]);
            lines.flat_map(|line| line.waiting.iter().copied()).collect()
        })
    }

    /// Those that wait for a queue to open, or to be taken by hand.
    pub fn parked(&self, queue: QueueId) -> Vec<Place> {
        self.rosters
            .get(&queue)
            .map_or_else(Vec::new, |roster| roster.parked.iter().copied().collect())
    }
}
