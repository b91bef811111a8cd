//! What a decision of routing costs on a floor of 10,000 agents and 100,000 conversations: one JSON line for each kind of
//! input, times in microseconds.
//!
//! `cargo run --release -p sightline-call --example routing_load [agents] [conversations]`

use sightline_call::routing::{
    Arrival, Effect, Input, LeaseNow, Policy, Profile, Queue, QueueId, Routing, SkillId, Skills,
};
use sightline_wire::{
    conversation::Channel,
    ids::{AccountId, ConversationId},
    readiness::Readiness,
};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use uuid::Uuid;

const QUEUES: u64 = 20;
const SKILLS: u64 = 8;

/// Xorshift: the same floor in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }

    fn skills(&mut self, count: u64) -> Skills {
        let level = |random: &mut Self| u8::try_from(1 + random.below(5)).unwrap_or(1);
        let skill = |random: &mut Self| SkillId(u32::try_from(random.below(SKILLS)).unwrap_or(0));
        (0..count).map(|_| (skill(self), level(self))).collect()
    }

    fn queue(&mut self) -> QueueId {
        QueueId(u32::try_from(self.below(QUEUES)).unwrap_or(0))
    }
}

struct Floor {
    routing: Routing,
    now: i64,
    /// By the kind of input.
    spent: BTreeMap<&'static str, Vec<Duration>>,
    assigned: usize,
    /// Who is asked about what.
    asked: BTreeMap<ConversationId, AccountId>,
    owned: Vec<ConversationId>,
}

impl Floor {
    #[expect(
        clippy::disallowed_methods,
        reason = "an example measures real time; the library never looks at it"
    )]
    fn does(&mut self, kind: &'static str, input: Input) {
        self.now += 1;
        let began = Instant::now();
        let decided = self.routing.handle(input, self.now);
        self.spent.entry(kind).or_default().push(began.elapsed());
        for effect in decided.effects {
            match effect {
                Effect::Assign {
                    conversation, agent, ..
                } => {
                    self.assigned += 1;
                    self.asked.insert(conversation, agent);
                }
                Effect::TakeBack { conversation, .. } => drop(self.asked.remove(&conversation)),
                Effect::Give { conversation, .. } => {
                    self.asked.remove(&conversation);
                    self.owned.push(conversation);
                }
                _ => {}
            }
        }
    }

    fn print(&mut self) {
        for (kind, spent) in &mut self.spent {
            spent.sort_unstable();
            let at = |share: f64| {
                let index = (spent.len().saturating_sub(1)) as f64 * share;
                spent.get(index as usize).map_or(0.0, |spent| spent.as_secs_f64() * 1e6)
            };
            println!(
                "{{\"input\":\"{kind}\",\"samples\":{},\"p50_us\":{:.1},\"p99_us\":{:.1},\"max_us\":{:.1}}}",
                spent.len(),
                at(0.5),
                at(0.99),
                at(1.0)
            );
        }
    }
}

fn argument(number: usize, usual: u64) -> u64 {
    std::env::args()
        .nth(number)
        .and_then(|text| text.parse().ok())
        .unwrap_or(usual)
}

fn main() {
    let (agents, conversations) = (argument(1, 10_000), argument(2, 100_000));
    let mut random = Random(0x5eed_cafe_f00d_0001);
    let mut floor = Floor {
        routing: Routing::new(Policy::default()),
        now: 1_000_000,
        spent: BTreeMap::new(),
        assigned: 0,
        asked: BTreeMap::new(),
        owned: Vec::new(),
    };
    for queue in 0..QUEUES {
        let queue = QueueId(u32::try_from(queue).unwrap_or(0));
        let configured = Queue {
            // Nobody is late in this: what is measured are decisions, not deadlines.
            assignment_ms: i64::MAX / 4,
            ..Queue::default()
        };
        floor.routing.handle(Input::Queue { queue, configured }, floor.now);
    }
    let agent = |n: u64| AccountId(Uuid::from_u128(u128::from(n) + 1));
    let conversation = |n: u64| ConversationId(Uuid::from_u128((1 << 64) | u128::from(n)));
    for n in 0..agents {
        let profile = Profile {
            queues: (0..3).map(|_| random.queue()).collect(),
            skills: random.skills(4),
            capacity: 100,
        };
        floor.routing.handle(
            Input::Agent {
                agent: agent(n),
                profile,
            },
            floor.now,
        );
    }
    // Everybody waits before anybody is there: the longest lines that this day can have.
    for n in 0..conversations {
        let arrival = Arrival {
            queue: random.queue(),
            channel: Channel::WebChat,
            priority: (random.below(10) == 0).then_some(5),
            skills: match random.below(3) {
                0 => random.skills(1),
                _ => Skills::new(),
            },
            lease: (random.below(4) == 0).then_some(Readiness::Video),
            prefer: (random.below(20) == 0).then(|| agent(random.below(agents))),
        };
        floor.does(
            "arrival, nobody there",
            Input::Arrived {
                conversation: conversation(n),
                arrival,
            },
        );
    }
    for n in 0..agents {
        let readiness = match random.below(10) {
            0 => Readiness::Audio,
            _ => Readiness::Video,
        };
        let lease = LeaseNow { readiness, until: None };
        floor.does("lease", Input::Lease { agent: agent(n), lease });
        floor.does("agent comes", Input::Connected { agent: agent(n) });
    }
    // The day: agents accept, decline and finish, which each time gives them the next one.
    for _ in 0..conversations {
        let next = floor
            .asked
            .iter()
            .next()
            .map(|(conversation, agent)| (*conversation, *agent));
        if let Some((conversation, agent)) = next {
            match random.below(20) {
                0 => {
                    floor.does("declined", Input::Declined { conversation, agent });
                    let presence = sightline_call::routing::Chosen::Available;
                    floor.does("back again", Input::Chosen { agent, presence });
                }
                _ => floor.does("accepted", Input::Accepted { conversation, agent }),
            }
        }
        if floor.owned.len() as u64 > agents {
            let at = usize::try_from(random.below(floor.owned.len() as u64)).unwrap_or(0);
            let conversation = floor.owned.swap_remove(at);
            floor.does("closed", Input::Closed { conversation });
        }
    }
    // A storm: a tenth of the desks lose their leases, and get them back.
    for n in (0..agents).step_by(10) {
        let lease = |readiness| LeaseNow { readiness, until: None };
        floor.does(
            "lease narrows",
            Input::Lease {
                agent: agent(n),
                lease: lease(Readiness::NotReady),
            },
        );
        floor.does(
            "lease",
            Input::Lease {
                agent: agent(n),
                lease: lease(Readiness::Video),
            },
        );
    }
    let assigned = floor.assigned;
    floor.print();
    println!("{{\"agents\":{agents},\"conversations\":{conversations},\"assigned\":{assigned}}}");
}
