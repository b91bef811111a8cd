//! A floor with agents and conversations by small numbers, one queue, and a clock.

use sightline_call::routing::{
    Arrival, Because, Chosen, Decided, Effect, Input, LeaseNow, Policy, Profile, Queue, QueueId, Refusal, Routing,
    Rule, Skills, Stage, TakenBack,
};
use sightline_wire::{
    conversation::Channel,
    ids::{AccountId, ConversationId},
    readiness::Readiness,
};
use std::collections::BTreeSet;
use uuid::Uuid;

pub const QUEUE: QueueId = QueueId(1);
pub const OTHER_QUEUE: QueueId = QueueId(2);
/// How long an agent is asked.
pub const ASKED_MS: i64 = 20_000;
pub const BOSS: u128 = 99;

pub fn agent(n: u128) -> AccountId {
    AccountId(Uuid::from_u128(n))
}

pub fn conversation(n: u128) -> ConversationId {
    ConversationId(Uuid::from_u128(n))
}

pub struct Floor {
    pub routing: Routing,
    pub now: i64,
}

impl Floor {
    /// Two queues that are always open.
    pub fn new() -> Self {
        let mut floor = Self {
            routing: Routing::new(Policy::default()),
            now: 1_000_000,
        };
        for queue in [QUEUE, OTHER_QUEUE] {
            floor.does(Input::Queue {
                queue,
                configured: Queue {
                    assignment_ms: ASKED_MS,
                    ..Queue::default()
                },
            });
        }
        floor
    }

    /// The same with these agents there, each a second after the one before, with room for three chats or one video.
    pub fn with_agents(agents: impl IntoIterator<Item = u128>) -> Self {
        let mut floor = Self::new();
        for n in agents {
            floor.comes(n, profile());
        }
        floor
    }

    pub fn comes(&mut self, n: u128, profile: Profile) -> Vec<Effect> {
        self.now += 1_000;
        self.does(Input::Agent {
            agent: agent(n),
            profile,
        });
        self.does(lease(n, Readiness::Video));
        self.does(Input::Connected { agent: agent(n) })
    }

    pub fn handle(&mut self, input: Input) -> Decided {
        self.routing.handle(input, self.now)
    }

    pub fn does(&mut self, input: Input) -> Vec<Effect> {
        let decided = self.handle(input.clone());
        assert_eq!(decided.refused, None, "{input:?}");
        decided.effects
    }

    pub fn refuses(&mut self, input: Input) -> Refusal {
        let decided = self.handle(input.clone());
        decided.refused.unwrap_or_else(|| panic!("not refused: {input:?}"))
    }

    pub fn later(&mut self, ms: i64) -> Vec<Effect> {
        self.now += ms;
        self.does(Input::Tick)
    }

    pub fn chat(&mut self, n: u128) -> Vec<Effect> {
        self.arrives(n, chat())
    }

    pub fn wants_video(&mut self, n: u128) -> Vec<Effect> {
        self.arrives(n, video())
    }

    pub fn arrives(&mut self, n: u128, arrival: Arrival) -> Vec<Effect> {
        self.now += 1_000;
        self.does(Input::Arrived {
            conversation: conversation(n),
            arrival,
        })
    }

    pub fn accepts(&mut self, agent_n: u128, n: u128) -> Vec<Effect> {
        self.does(Input::Accepted {
            conversation: conversation(n),
            agent: agent(agent_n),
        })
    }

    pub fn declines(&mut self, agent_n: u128, n: u128) -> Vec<Effect> {
        self.does(Input::Declined {
            conversation: conversation(n),
            agent: agent(agent_n),
        })
    }

    pub fn chooses(&mut self, n: u128, presence: Chosen) -> Vec<Effect> {
        self.does(Input::Chosen {
            agent: agent(n),
            presence,
        })
    }

    pub fn closes(&mut self, n: u128) -> Vec<Effect> {
        self.does(Input::Closed {
            conversation: conversation(n),
        })
    }

    /// It is assigned to this agent and to nobody else.
    #[track_caller]
    pub fn asks(&self, agent_n: u128, n: u128) {
        let work = self.routing.conversation(conversation(n)).expect("it is open");
        assert_eq!(work.asked(), Some(agent(agent_n)), "{:?}", work.stage);
    }

    #[track_caller]
    pub fn owns(&self, agent_n: u128, n: u128) {
        let work = self.routing.conversation(conversation(n)).expect("it is open");
        assert_eq!(work.owner(), Some(agent(agent_n)), "{:?}", work.stage);
    }

    #[track_caller]
    pub fn waits(&self, n: u128) {
        let work = self.routing.conversation(conversation(n)).expect("it is open");
        assert_eq!(work.stage, Stage::Waiting);
    }
}

pub fn profile() -> Profile {
    Profile {
        queues: BTreeSet::from([QUEUE]),
        skills: Skills::new(),
        capacity: 100,
    }
}

pub fn chat() -> Arrival {
    Arrival {
        queue: QUEUE,
        channel: Channel::WebChat,
        priority: None,
        skills: Skills::new(),
        lease: None,
        prefer: None,
    }
}

pub fn video() -> Arrival {
    Arrival {
        lease: Some(Readiness::Video),
        ..chat()
    }
}

pub fn lease(n: u128, readiness: Readiness) -> Input {
    Input::Lease {
        agent: agent(n),
        lease: LeaseNow { readiness, until: None },
    }
}

/// The reason of the only assignment among the effects.
#[track_caller]
pub fn because(effects: &[Effect]) -> Because {
    let reasons: Vec<Because> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Assign { because, .. } => Some(*because),
            _ => None,
        })
        .collect();
    assert_eq!(reasons.len(), 1, "{effects:?}");
    reasons[0]
}

#[track_caller]
pub fn others(because: &Because) -> usize {
    match because.rule {
        Rule::LongestIdle { others, .. } => others,
        Rule::SameAgent | Rule::Supervisor { .. } | Rule::Transfer { .. } => panic!("{because:?}"),
    }
}

pub fn taken_back(agent_n: u128, n: u128, why: TakenBack) -> Effect {
    Effect::TakeBack {
        conversation: conversation(n),
        agent: agent(agent_n),
        why,
    }
}
