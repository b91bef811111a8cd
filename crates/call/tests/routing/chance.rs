//! What may happen on a random day.

use crate::floor::agent;
use sightline_call::routing::{Arrival, Hours, Profile, Queue, QueueId, SkillId, Skills, WrapUpBlocks};
use sightline_wire::{conversation::Channel, ids::AccountId, readiness::Readiness};
use std::collections::BTreeSet;

pub const AGENTS: u64 = 6;
pub const QUEUES: u64 = 3;

/// xorshift64, as in the other tests of this crate.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    pub fn below(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> Option<T> {
        let count = u64::try_from(choices.len()).ok().filter(|count| *count > 0)?;
        let choice = usize::try_from(self.below(count)).ok()?;
        choices.get(choice).copied()
    }

    pub fn agent(&mut self) -> AccountId {
        agent(u128::from(self.below(AGENTS)) + 1)
    }

    pub fn queue(&mut self) -> QueueId {
        QueueId(u32::try_from(self.below(QUEUES)).expect("a small number"))
    }

    pub fn skills(&mut self, one_in: u64) -> Skills {
        let mut skills = Skills::new();
        for skill in 0..2 {
            if self.one_in(one_in) {
                let level = u8::try_from(self.below(3)).expect("a small number") + 1;
                skills.insert(SkillId(skill), level);
            }
        }
        skills
    }

    pub fn readiness(&mut self) -> Readiness {
        self.one_of(&[
            Readiness::NotReady,
            Readiness::Audio,
            Readiness::Video,
            Readiness::Video,
        ])
        .expect("there are some")
    }

    pub fn profile(&mut self) -> Profile {
        let mut queues = BTreeSet::from([self.queue(), self.queue()]);
        if self.one_in(20) {
            queues.clear();
        }
        Profile {
            queues,
            skills: self.skills(2),
            capacity: self.one_of(&[60, 100, 200]).expect("there are some"),
        }
    }

    pub fn configured(&mut self) -> Queue {
        Queue {
            priority: 0,
            assignment_ms: 10_000,
            wrap_up: self
                .one_of(&[WrapUpBlocks::Always, WrapUpBlocks::Never, WrapUpBlocks::For(15_000)])
                .expect("there are some"),
            // Without a single span it never opens.
            hours: self.one_in(4).then(Hours::default),
            by_hand: self.one_in(4),
            settle_ms: 5_000,
        }
    }

    pub fn arrival(&mut self) -> Arrival {
        let wanted = self.one_in(2).then(|| self.readiness());
        Arrival {
            queue: self.queue(),
            channel: self
                .one_of(&[Channel::WebChat, Channel::WebChat, Channel::Phone])
                .expect("there are some"),
            priority: self.one_in(3).then_some(5),
            skills: self.skills(4),
            lease: wanted.filter(|wanted| *wanted > Readiness::NotReady),
            prefer: self.one_in(3).then(|| self.agent()),
        }
    }
}
