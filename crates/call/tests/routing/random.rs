//! Random days against a model that knows only inputs and effects, and looks through all agents and all conversations
//! after each of them: no index, no load, no deadline of its own.

use crate::{
    chance::{AGENTS, QUEUES, Random},
    floor::{BOSS, agent, conversation},
};
use sightline_call::routing::{
    Agent, Blocked, Call, Chosen, Connection, Decided, Effect, Excess, Input, LeaseNow, Policy, Queue, QueueId,
    Refusal, Routing, Rule, Stage, TakenBack, Target, Units, Work,
};
use sightline_wire::{
    conversation::Channel,
    ids::{AccountId, ConversationId},
    readiness::Readiness,
};
use std::collections::{BTreeMap, BTreeSet};

const DAYS: u64 = 200;
const EVENTS: usize = 250;
/// Conversations that are open at a time.
const MOST: usize = 14;
const POLICY: Policy = Policy {
    units: Units {
        text: 30,
        phone: 60,
        video: 50,
    },
    sessions: 4,
    same_agent_ms: 9_000,
    return_ms: 12_000,
    chosen_at_start: Chosen::Available,
};

/// What an agent has to do, summed up anew.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sum {
    units: u32,
    sessions: u32,
    videos: u32,
    calls: u32,
    asked: bool,
}

struct Day {
    seed: u64,
    now: i64,
    routing: Routing,
    queues: BTreeMap<QueueId, Queue>,
    open: BTreeSet<ConversationId>,
    asked: BTreeMap<ConversationId, AccountId>,
    owner: BTreeMap<ConversationId, AccountId>,
    connected: BTreeSet<AccountId>,
    leases: BTreeMap<AccountId, LeaseNow>,
    numbers: u128,
}

impl Day {
    fn new(seed: u64, random: &mut Random) -> Self {
        let mut day = Self {
            seed,
            now: 1_000_000,
            routing: Routing::new(POLICY),
            queues: BTreeMap::new(),
            open: BTreeSet::new(),
            asked: BTreeMap::new(),
            owner: BTreeMap::new(),
            connected: BTreeSet::new(),
            leases: BTreeMap::new(),
            numbers: 0,
        };
        for queue in 0..QUEUES {
            let queue = QueueId(u32::try_from(queue).expect("a small number"));
            let configured = random.configured();
            day.queues.insert(queue, configured.clone());
            day.routing.handle(Input::Queue { queue, configured }, day.now);
        }
        for n in 1..=u128::from(AGENTS) {
            let (agent, profile) = (agent(n), random.profile());
            day.routing.handle(Input::Agent { agent, profile }, day.now);
        }
        day
    }

    fn work(&self, id: ConversationId) -> &Work {
        self.routing
            .conversation(id)
            .unwrap_or_else(|| panic!("seed {}: {id} is lost", self.seed))
    }

    fn row(&self, id: AccountId) -> &Agent {
        self.routing.agent(id).expect("all are known")
    }

    fn agents(&self) -> Vec<AccountId> {
        (1..=u128::from(AGENTS)).map(agent).collect()
    }

    fn lease(&self, id: AccountId) -> Readiness {
        match self.leases.get(&id) {
            Some(lease) if lease.until.is_none_or(|until| until > self.now) => lease.readiness,
            Some(_) | None => Readiness::NotReady,
        }
    }

    /// What a supervisor is told before choosing an agent.
    fn expected_of_a_supervisor(&self, input: &Input) -> Option<Result<Excess, Refusal>> {
        let Input::Assigned {
            conversation, agent, ..
        } = input
        else {
            return None;
        };
        let mut then = self.routing.clone();
        then.handle(Input::Tick, self.now);
        Some(then.may_assign(*conversation, *agent))
    }

    fn as_expected(&self, input: &Input, expected: Option<Result<Excess, Refusal>>, decided: &Decided) {
        let (Some(expected), seed) = (expected, self.seed) else {
            return;
        };
        assert_eq!(expected.err(), decided.refused, "seed {seed}: {input:?}");
        let chosen = decided.effects.iter().find_map(|effect| match effect {
            Effect::Assign { because, .. } if matches!(because.rule, Rule::Supervisor { .. }) => Some(because),
            _ => None,
        });
        if let (Ok(excess), Some(because)) = (expected, chosen) {
            let told = (because.units, because.over_units, because.over_sessions);
            assert_eq!(
                (excess.units, excess.over_units, excess.over_sessions),
                told,
                "seed {seed}"
            );
            assert_eq!(excess.any(), because.over_units > 0 || because.over_sessions > 0);
        }
    }

    /// Without this one conversation, if one is named.
    fn sum(&self, id: AccountId, without: Option<ConversationId>) -> Sum {
        let mut sum = Sum::default();
        let others = self.open.iter().filter(|open| Some(**open) != without);
        for work in others.map(|open| self.work(*open)) {
            let now_up = match work.stage {
                Stage::With { call, .. } => call,
                _ => Call::None,
            };
            let (call, video) = (now_up.occupies(), now_up.holds_slot());
            let video = video || work.lease == Some(Readiness::Video);
            let (owns, asked) = (work.owner() == Some(id), work.asked() == Some(id));
            let counts = match work.stage {
                Stage::WrapUp { blocked, .. } => owns && blocked != Blocked::Free,
                _ => owns || asked,
            };
            if !counts {
                continue;
            }
            let wraps_up = matches!(work.stage, Stage::WrapUp { .. });
            let text = match work.channel {
                Channel::Phone => 60,
                Channel::SelfTest => unreachable!("never arrives"),
                _ => 30,
            };
            sum.units += text
                + if video && !wraps_up && now_up != Call::Invited {
                    50
                } else {
                    0
                };
            sum.sessions += 1;
            sum.videos += u32::from(video && !wraps_up);
            sum.calls += u32::from(call && owns);
            sum.asked |= asked;
        }
        sum
    }

    fn there(&self, id: AccountId) -> bool {
        let row = self.row(id);
        self.connected.contains(&id) && row.chosen == Chosen::Available && row.pause.is_none()
    }

    fn able(&self, id: AccountId, work: &Work) -> bool {
        work.lease.is_none_or(|least| self.lease(id) >= least)
    }

    fn free(&self, id: AccountId, work: &Work, without: Option<ConversationId>) -> bool {
        let sum = self.sum(id, without);
        let video = work.lease == Some(Readiness::Video);
        let text = if work.channel == Channel::Phone { 60 } else { 30 };
        let takes = text + if video { 50 } else { 0 };
        sum.calls == 0
            && !sum.asked
            && (!video || sum.videos == 0)
            && sum.sessions < 4
            && sum.units + takes <= u32::from(self.row(id).profile.capacity)
    }

    /// Whether routing may choose this agent for a conversation that waits for anybody.
    fn could(&self, id: AccountId, work: &Work, without: Option<ConversationId>) -> bool {
        let profile = &self.row(id).profile;
        let skilled = work
            .skills
            .iter()
            .all(|(skill, least)| profile.skills.get(skill).copied().unwrap_or(0) >= *least);
        profile.queues.contains(&work.queue)
            && skilled
            && self.there(id)
            && self.able(id, work)
            && self.free(id, work, without)
    }

    fn random_input(&mut self, random: &mut Random) -> Input {
        let open: Vec<ConversationId> = self.open.iter().copied().collect();
        let asked: Vec<(ConversationId, AccountId)> = self.asked.iter().map(|(c, a)| (*c, *a)).collect();
        let owned: Vec<(ConversationId, AccountId)> = self.owner.iter().map(|(c, a)| (*c, *a)).collect();
        let any = random.one_of(&open).unwrap_or(conversation(1));
        let mine = random.one_of(&owned).unwrap_or((any, agent(1)));
        let who = random.agent();
        match random.below(45) {
            0..=8 if self.open.len() < MOST => {
                self.numbers += 1;
                Input::Arrived {
                    conversation: conversation(self.numbers),
                    arrival: random.arrival(),
                }
            }
            9..=14 => {
                let (conversation, right) = random.one_of(&asked).unwrap_or((any, who));
                let agent = if random.one_in(8) { who } else { right };
                Input::Accepted { conversation, agent }
            }
            15 => {
                let (conversation, agent) = random.one_of(&asked).unwrap_or((any, who));
                Input::Declined { conversation, agent }
            }
            16..=18 => Input::Connected { agent: who },
            19 => Input::Disconnected { agent: who },
            20..=22 => Input::Chosen {
                agent: who,
                presence: random
                    .one_of(&[
                        Chosen::Available,
                        Chosen::Available,
                        Chosen::Available,
                        Chosen::Away,
                        Chosen::DoNotDisturb,
                        Chosen::Offline,
                    ])
                    .expect("there are some"),
            },
            23..=25 => {
                let ends_in = i64::try_from(random.below(40_000)).expect("a small number");
                Input::Lease {
                    agent: who,
                    lease: LeaseNow {
                        readiness: random.readiness(),
                        until: random.one_in(2).then_some(self.now + ends_in),
                    },
                }
            }
            26 => Input::Picked {
                conversation: any,
                agent: who,
            },
            27 | 39 => Input::Assigned {
                conversation: any,
                agent: who,
                by: agent(BOSS),
            },
            28..=29 | 40..=43 => {
                let boss = random.one_in(3);
                Input::Transferred {
                    conversation: mine.0,
                    by: if boss { agent(BOSS) } else { mine.1 },
                    supervisor: boss,
                    to: if random.one_in(3) {
                        Target::Queue(random.queue())
                    } else {
                        Target::Agent(who)
                    },
                    note: String::new(),
                }
            }
            30 => Input::CallBegan { conversation: mine.0 },
            44 => Input::Invited {
                conversation: mine.0,
                until: self.now + i64::try_from(random.below(60_000)).expect("a small number"),
            },
            31..=32 => Input::CallEnded { conversation: mine.0 },
            33 => Input::WrappedUp { conversation: mine.0 },
            34..=35 => Input::Closed {
                conversation: if random.one_in(3) { any } else { mine.0 },
            },
            36 => Input::Wanted {
                conversation: any,
                lease: random
                    .one_of(&[None, Some(Readiness::Audio), Some(Readiness::Video)])
                    .flatten(),
                skills: random.skills(4),
            },
            37 if random.one_in(3) => Input::Agent {
                agent: who,
                profile: random.profile(),
            },
            38 if random.one_in(3) => {
                let (queue, configured) = (random.queue(), random.configured());
                self.queues.insert(queue, configured.clone());
                Input::Queue { queue, configured }
            }
            _ => Input::Tick,
        }
    }

    /// What the input says by itself.
    fn note(&mut self, input: &Input, decided: &Decided) {
        if decided.refused.is_some() {
            return;
        }
        match input {
            Input::Connected { agent } => {
                self.connected.insert(*agent);
            }
            Input::Disconnected { agent } => {
                self.connected.remove(agent);
            }
            Input::Lease { agent, lease } => {
                self.leases.insert(*agent, *lease);
            }
            Input::Arrived { conversation, .. } => {
                self.open.insert(*conversation);
            }
            Input::Closed { conversation } => {
                self.open.remove(conversation);
                self.owner.remove(conversation);
            }
            _ => {}
        }
    }

    /// What the desks hear, one after the other.
    fn follow(&mut self, input: &Input, decided: &Decided, seen: &mut Seen) {
        let seed = self.seed;
        for effect in &decided.effects {
            match effect {
                Effect::Assign {
                    conversation,
                    agent,
                    until,
                    because,
                    ..
                } => {
                    assert!(self.open.contains(conversation), "seed {seed}");
                    let before = self.asked.insert(*conversation, *agent);
                    assert_eq!(before, None, "seed {seed}: two agents for one conversation");
                    let asked = self.asked.values().filter(|asked| *asked == agent).count();
                    assert_eq!(asked, 1, "seed {seed}: one agent asked twice");
                    assert!(self.connected.contains(agent), "seed {seed}: a desk that is gone");
                    assert!(*until > self.now, "seed {seed}");
                    let (rule, owner) = match because.rule {
                        Rule::LongestIdle { .. } => (0, false),
                        Rule::SameAgent => (1, false),
                        Rule::Supervisor { .. } => (2, self.owner.contains_key(conversation)),
                        Rule::Transfer { .. } => (3, true),
                    };
                    assert_eq!(self.owner.contains_key(conversation), owner, "seed {seed}");
                    if rule != 2 {
                        assert_eq!((because.over_units, because.over_sessions), (0, 0), "seed {seed}");
                        assert!(because.units <= u32::from(because.capacity), "seed {seed}");
                    }
                    seen.rules[rule] += 1;
                    seen.over += u64::from(because.over_units > 0);
                }
                Effect::TakeBack {
                    conversation,
                    agent,
                    why,
                } => {
                    assert_eq!(self.asked.remove(conversation), Some(*agent), "seed {seed}");
                    *seen.taken_back.entry(format!("{why:?}")).or_default() += 1;
                }
                Effect::Give {
                    conversation,
                    agent,
                    from,
                } => {
                    let asked = self.asked.remove(conversation);
                    let picked = matches!(input, Input::Picked { .. });
                    assert!(asked == Some(*agent) || (asked.is_none() && picked), "seed {seed}");
                    assert_eq!(self.owner.insert(*conversation, *agent), *from, "seed {seed}");
                    seen.given += 1;
                }
                Effect::Keep {
                    conversation, agent, ..
                } => {
                    // Told before the conversation is closed, and so after this model has forgotten its owner.
                    let closed = !self.open.contains(conversation);
                    assert!(closed || self.owner.get(conversation) == Some(agent), "seed {seed}");
                    seen.kept_by_owner += 1;
                }
                Effect::Release { conversation, agent } => {
                    assert_eq!(self.owner.remove(conversation), Some(*agent), "seed {seed}");
                }
                Effect::Wait { conversation, .. } => {
                    assert!(self.routing.why_waiting(*conversation).is_some(), "seed {seed}");
                    seen.waited += 1;
                }
                Effect::Presence { agent, presence } => {
                    assert_eq!(self.routing.presence(*agent), Some(*presence), "seed {seed}");
                }
                Effect::Queue { queue, status } => {
                    assert_eq!(self.routing.status(*queue), Some(*status), "seed {seed}");
                }
                Effect::Tell { since, .. } => assert!(*since < self.now, "seed {seed}: it has held for a while"),
            }
        }
    }

    /// Everything that always holds, by looking at everything.
    fn look(&self, decided: &Decided) {
        let seed = self.seed;
        for id in &self.open {
            let work = self.work(*id);
            assert_eq!(
                work.asked(),
                self.asked.get(id).copied(),
                "seed {seed}: {:?}",
                work.stage
            );
            assert_eq!(
                work.owner(),
                self.owner.get(id).copied(),
                "seed {seed}: {:?}",
                work.stage
            );
            let needs = work.needs(&POLICY);
            if let Some(asked) = work.asked() {
                assert!(
                    needs.lease.is_none_or(|least| self.lease(asked) >= least),
                    "seed {seed}: no lease"
                );
            }
            match work.stage {
                Stage::Parked => assert!(self.queues[&work.queue].hours.is_some(), "seed {seed}: it is open"),
                Stage::Kept { agent, until } => {
                    assert!(until > self.now, "seed {seed}: kept for too long");
                    assert!(
                        self.there(agent) && self.able(agent, work),
                        "seed {seed}: kept for nobody"
                    );
                    assert!(!self.free(agent, work, None), "seed {seed}: kept from a free agent");
                }
                Stage::Waiting if self.queues[&work.queue].by_hand => {}
                Stage::Waiting => {
                    for agent in self.agents() {
                        assert!(!self.could(agent, work, None), "seed {seed}: {agent} could take {id}");
                    }
                    let why = self.routing.why_nobody(*id);
                    assert!(why.iter().all(|(_, reason)| reason.is_some()), "seed {seed}: {why:?}");
                }
                Stage::Assigned { until, .. } => assert!(until > self.now, "seed {seed}: asked for too long"),
                Stage::With { handing, .. } => {
                    assert!(handing.is_none_or(|handing| handing.until > self.now), "seed {seed}");
                }
                Stage::WrapUp { blocked, .. } => match blocked {
                    Blocked::Until(at) => assert!(at > self.now, "seed {seed}: blocked for too long"),
                    Blocked::UntilClosed | Blocked::Free => {}
                },
            }
        }
        for id in self.agents() {
            let load = self.routing.load(id).expect("all are known");
            let sum = Sum {
                units: load.units,
                sessions: load.sessions,
                videos: load.videos,
                calls: load.calls,
                asked: load.asked.is_some(),
            };
            assert_eq!(sum, self.sum(id, None), "seed {seed}: load of {id}");
            let here = self.row(id).connection == Connection::Here;
            assert_eq!(here, self.connected.contains(&id), "seed {seed}");
        }
        assert!(
            self.routing.deadline().is_none_or(|(at, _)| at > self.now),
            "seed {seed}: overdue"
        );
        self.look_at_choices(decided);
    }

    /// Assigning makes agents busier and conversations fewer. So whoever could take it even now, and was idle for longer,
    /// was passed over; and so was a conversation that still waits, and was before it.
    fn look_at_choices(&self, decided: &Decided) {
        let seed = self.seed;
        for effect in &decided.effects {
            let Effect::Assign {
                conversation: id,
                agent: chosen,
                because,
                ..
            } = effect
            else {
                continue;
            };
            let Rule::LongestIdle { since, .. } = because.rule else {
                continue;
            };
            let work = self.work(*id);
            assert_eq!(since, self.row(*chosen).idle_since, "seed {seed}");
            for agent in self.agents() {
                let longer = (self.row(agent).idle_since, agent) < (since, *chosen);
                let passed_over = longer && self.could(agent, work, None);
                assert!(!passed_over, "seed {seed}: {agent} was passed over");
            }
            for other in &self.open {
                let waiting = self.work(*other);
                let before = waiting.stage == Stage::Waiting
                    && !self.queues[&waiting.queue].by_hand
                    && waiting.place(*other) < work.place(*id);
                let passed_over = before && self.could(*chosen, waiting, Some(*id));
                assert!(!passed_over, "seed {seed}: {other} was before {id}");
            }
        }
    }

    /// The server is restarted: rows are all that is left.
    fn restart(&mut self) {
        let agents: Vec<_> = self.agents().into_iter().map(|id| (id, self.row(id).clone())).collect();
        let rows: Vec<_> = self.open.iter().map(|id| (*id, self.work(*id).clone())).collect();
        let (routing, decided) = Routing::restored(POLICY, self.queues.clone(), agents, rows, self.now);
        self.routing = routing;
        self.asked.clear();
        self.connected.clear();
        self.leases.clear();
        let assigned = decided
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Assign { .. }));
        assert!(!assigned, "seed {}: nobody is there", self.seed);
        self.look(&decided);
    }
}

/// That the model was not satisfied with days on which nothing happened.
#[derive(Default)]
struct Seen {
    rules: [u64; 4],
    over: u64,
    given: u64,
    kept_by_owner: u64,
    waited: u64,
    taken_back: BTreeMap<String, u64>,
}

#[test]
fn random_days_match_a_model_that_looks_at_everything() {
    let mut seen = Seen::default();
    for seed in 1..=DAYS {
        let mut random = Random::new(seed);
        let mut day = Day::new(seed, &mut random);
        for _ in 0..EVENTS {
            day.now += i64::try_from(random.below(4_000)).expect("a small number");
            if random.one_in(100) {
                day.restart();
            }
            let input = day.random_input(&mut random);
            let expected = day.expected_of_a_supervisor(&input);
            let decided = day.routing.handle(input.clone(), day.now);
            day.as_expected(&input, expected, &decided);
            day.note(&input, &decided);
            day.follow(&input, &decided, &mut seen);
            day.look(&decided);
        }
    }
    for (rule, count) in ["longest idle", "same agent", "supervisor", "transfer"]
        .iter()
        .zip(seen.rules)
    {
        assert!(count > DAYS / 4, "{rule}: only {count} times");
    }
    for why in [
        TakenBack::Missed,
        TakenBack::Declined,
        TakenBack::Disconnected,
        TakenBack::Absent,
        TakenBack::LeaseNarrowed,
        TakenBack::GivesWay,
        TakenBack::CallBegan,
        TakenBack::WantsOther,
        TakenBack::Withdrawn,
    ] {
        let count = seen.taken_back.get(&format!("{why:?}")).copied().unwrap_or(0);
        assert!(count > 10, "{why:?}: only {count} times");
    }
    let others = [seen.over, seen.given, seen.kept_by_owner, seen.waited];
    assert!(others.iter().all(|count| *count > 10), "{others:?}");
}
