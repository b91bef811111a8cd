//! An agent as routing sees one: what was chosen, what is known of the desk, and how much there is to do.
//!
//! Presence follows Dynamics 365 (oc-manage-presence-status.md): it is computed from the load, unless the
//! agent chose otherwise; a missed assignment makes inactive, a declined one "do not disturb"; a desk that is gone is
//! offline and comes back as it was within two and a half minutes. Where this differs, docs/decisions/0030 says so.

use super::{
    Policy,
    reasons::Reason,
    work::{Needs, Place, QueueId, Skills},
};
use crate::readiness::lease::LeaseState;
use serde::{Deserialize, Serialize};
use sightline_wire::{
    UnixMillis,
    ids::ConversationId,
    readiness::{Readiness, ReadinessPolicy},
    routing::{AgentPresence as Presence, Chosen, Pause, Undisturbed},
};
use std::collections::BTreeSet;

/// What an agent works for, as it is configured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The queues.
    pub queues: BTreeSet<QueueId>,
    /// What this agent can, and how well.
    pub skills: Skills,
    /// In units; what a conversation takes of it says [`super::Units`].
    pub capacity: u16,
}

/// Whether the agent's desk is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Connection {
    /// It is.
    Here,
    /// Not any more.
    Gone {
        /// When it was lost.
        since: UnixMillis,
    },
}

/// An agent: the row that is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// As configured.
    pub profile: Profile,
    /// What the agent chose.
    pub chosen: Chosen,
    /// What came of the last assignment.
    pub pause: Option<Pause>,
    /// The desk.
    pub connection: Connection,
    /// Since when without anything new: nothing taken, nothing finished, not come back.
    pub idle_since: UnixMillis,
}

impl Agent {
    /// One who has never been here.
    pub fn new(profile: Profile, now: UnixMillis) -> Self {
        Self {
            profile,
            chosen: Chosen::Available,
            pause: None,
            connection: Connection::Gone { since: i64::MIN },
            idle_since: now,
        }
    }
}

/// What the lease of an agent's desk allows, and until when by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseNow {
    /// At this moment.
    pub readiness: Readiness,
    /// When it ends.
    pub until: Option<UnixMillis>,
}

impl LeaseNow {
    /// Before anything is known.
    pub const NONE: Self = Self {
        readiness: Readiness::NotReady,
        until: None,
    };

    /// From the lease as it stands. Where the policy only advises, everybody may have everything.
    pub fn of(lease: Option<&LeaseState>, now: UnixMillis, policy: &ReadinessPolicy) -> Self {
        if !policy.required {
            return Self {
                readiness: Readiness::Video,
                until: None,
            };
        }
        lease.map_or(Self::NONE, |lease| Self {
            readiness: lease.readiness(now),
            until: lease.deadline(),
        })
    }
}

/// What an agent has to do. Sums over conversations, never stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Capacity taken, assigned conversations included.
    pub units: u32,
    /// Conversations, in the same way.
    pub sessions: u32,
    /// Those among them that want video, or are in it.
    pub videos: u32,
    /// Calls that are up.
    pub calls: u32,
    /// The one that the agent is being asked about: one at a time, so that none is overlooked.
    pub asked: Option<Asked>,
}

/// A conversation that an agent is being asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Which.
    pub conversation: ConversationId,
    /// A person chose this agent; otherwise routing did, and can take it back for a person's sake.
    pub by_person: bool,
    /// It wants video, or is in it.
    pub video: bool,
}

/// What one conversation adds to an agent's load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    pub units: u16,
    pub video: bool,
    pub call: bool,
    pub asked: Option<Asked>,
}

impl Load {
    pub(super) fn take(&mut self, share: Share) {
        self.units += u32::from(share.units);
        self.sessions += 1;
        self.videos += u32::from(share.video);
        self.calls += u32::from(share.call);
        if share.asked.is_some() {
            self.asked = share.asked;
        }
    }

    pub(super) fn shed(&mut self, share: Share) {
        self.units -= u32::from(share.units);
        self.sessions -= 1;
        self.videos -= u32::from(share.video);
        self.calls -= u32::from(share.call);
        if share.asked.is_some() {
            self.asked = None;
        }
    }
}

/// An agent with everything that decides.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub row: Agent,
    pub lease: LeaseNow,
    pub load: Load,
    /// Conversations that are kept for this agent, at most [`super::MOST_KEPT`].
    pub kept: BTreeSet<Place>,
    /// As it was told last.
    pub told: Presence,
}

impl Standing {
    pub fn new(row: Agent) -> Self {
        Self {
            row,
            lease: LeaseNow::NONE,
            load: Load::default(),
            kept: BTreeSet::new(),
            told: Presence::Offline,
        }
    }

    pub fn connected(&self) -> bool {
        self.row.connection == Connection::Here
    }

    /// Why nothing at all is given to this agent, however little there is to do.
    pub fn absent(&self) -> Option<Reason> {
        match (self.row.connection, self.row.chosen, self.row.pause) {
            (Connection::Gone { .. }, _, _) | (Connection::Here, Chosen::Offline, _) => Some(Reason::Offline),
            (Connection::Here, Chosen::Away, _) => Some(Reason::Away),
            (Connection::Here, Chosen::DoNotDisturb, _) => Some(Reason::DoNotDisturb),
            (Connection::Here, Chosen::Available, Some(Pause::Missed)) => Some(Reason::Inactive),
            (Connection::Here, Chosen::Available, Some(Pause::Declined)) => Some(Reason::Declined),
            (Connection::Here, Chosen::Available, None) => None,
        }
    }

    /// The desk cannot do it.
    pub fn not_ready(&self, needs: &Needs) -> Option<Reason> {
        let enough = needs.lease.is_none_or(|least| self.lease.readiness >= least);
        (!enough).then_some(Reason::Lease)
    }

    /// One video at a time: the second could not begin.
    pub fn video_slot(&self, needs: &Needs) -> Option<Reason> {
        (needs.video() && self.load.videos > 0).then_some(Reason::VideoSlot)
    }

    /// No room for it.
    pub fn full(&self, needs: &Needs, policy: &Policy) -> Option<Reason> {
        if self.load.sessions >= policy.sessions {
            return Some(Reason::Sessions);
        }
        let full = self.load.units + u32::from(needs.units) > u32::from(self.row.profile.capacity);
        full.then_some(Reason::Full)
    }

    /// Able, and not free: a moment later this can be different.
    pub fn occupied(&self, needs: &Needs, policy: &Policy) -> Option<Reason> {
        if self.load.calls > 0 {
            return Some(Reason::InCall);
        }
        if self.load.asked.is_some() {
            return Some(Reason::BeingAsked);
        }
        self.video_slot(needs).or_else(|| self.full(needs, policy))
    }

    /// Not one of those who do this.
    pub fn unskilled(&self, needs: &Needs) -> Option<Reason> {
        let own = &self.row.profile.skills;
        let enough = needs
            .skills
            .iter()
            .all(|(skill, least)| own.get(skill).is_some_and(|level| level >= least));
        (!enough).then_some(Reason::Skill)
    }

    pub fn outside(&self, queue: QueueId) -> Option<Reason> {
        (!self.row.profile.queues.contains(&queue)).then_some(Reason::NotInQueue)
    }

    /// Why routing does not choose this agent; `None`: it may.
    pub fn why_not(&self, queue: QueueId, needs: &Needs, policy: &Policy) -> Option<Reason> {
        self.outside(queue)
            .or_else(|| self.absent())
            .or_else(|| self.unskilled(needs))
            .or_else(|| self.not_ready(needs))
            .or_else(|| self.occupied(needs, policy))
    }

    /// The same when the agent is named, by the customer's history or by a colleague: queue and skills were for finding
    /// one.
    pub fn why_not_by_name(&self, needs: &Needs, policy: &Policy) -> Option<Reason> {
        self.absent()
            .or_else(|| self.not_ready(needs))
            .or_else(|| self.occupied(needs, policy))
    }

    /// What even a supervisor cannot overrule: a desk that is not there or not ready, a second video, another person's
    /// choice that is still unanswered. What routing itself is asking the agent about gives way.
    pub fn why_not_by_supervisor(&self, needs: &Needs) -> Option<Reason> {
        let asked = self.load.asked.filter(|asked| asked.by_person);
        let gives_way = self.load.asked.is_some_and(|asked| !asked.by_person && asked.video);
        let videos = self.load.videos - u32::from(gives_way);
        (!self.connected())
            .then_some(Reason::Offline)
            .or_else(|| self.not_ready(needs))
            .or_else(|| asked.map(|_| Reason::BeingAsked))
            .or_else(|| (needs.video() && videos > 0).then_some(Reason::VideoSlot))
    }

    /// Why the agent cannot take a conversation that waits, by an own click.
    pub fn why_not_picked(&self, queue: QueueId, needs: &Needs, policy: &Policy) -> Option<Reason> {
        (!self.connected())
            .then_some(Reason::Offline)
            .or_else(|| self.outside(queue))
            .or_else(|| self.not_ready(needs))
            .or_else(|| self.video_slot(needs))
            .or_else(|| self.full(needs, policy))
    }

    /// As colleagues see it.
    pub fn presence(&self, policy: &Policy) -> Presence {
        let undisturbed = |why| Presence::DoNotDisturb { why };
        match self.absent() {
            Some(Reason::Away) => Presence::Away,
            Some(Reason::DoNotDisturb) => undisturbed(Undisturbed::Chosen),
            Some(Reason::Inactive) => Presence::Inactive,
            Some(Reason::Declined) => undisturbed(Undisturbed::Declined),
            Some(_) => Presence::Offline,
            None if self.load.calls > 0 => undisturbed(Undisturbed::InCall),
            None if self.load.sessions >= policy.sessions => undisturbed(Undisturbed::Sessions),
            None if self.load.units >= u32::from(self.row.profile.capacity) => undisturbed(Undisturbed::Full),
            None if self.load.sessions > 0 => Presence::Busy,
            None => Presence::Available,
        }
    }
}
