//! The deployment's queues, skills, rules and agents as routing uses them: read from the file once, when the server
//! starts. Without any in the file there is one queue for all.

use super::{
    mode::RoutingMode,
    rules::{Names, Placed, Rule, Subject},
};
use crate::deployment::{
    Deployment,
    hours::hours,
    tables::{AgentTable, Mode, QueueTable, ServiceLevelTable, WrapUpTable},
};
use sightline_call::routing::{Policy, Profile, Queue, QueueId, Routed, SkillId, Skills, WrapUpBlocks};
use sightline_store::accounts::fold_email;
use sightline_wire::{
    account::{Account, Role},
    agent::SMALLEST_MAX_BITRATE,
    wall::SERVED_WITHIN_MS,
};
use std::collections::{BTreeMap, BTreeSet};

/// The queue that takes what no rule places: the only one where the file has none.
pub const DEFAULT_QUEUE: &str = "default";

/// Room for three chats, or for one that wants video.
const CAPACITY: u16 = 100;

/// The stored numbers of names.
pub struct Numbers {
    pub queues: BTreeMap<String, u32>,
    pub skills: BTreeMap<String, u32>,
}

/// How soon, and how many of a queue's customers are to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Goal {
    /// Who is answered within so many milliseconds is served well.
    pub within_ms: i64,
    /// So many of a hundred; `None` where nobody has said how many.
    pub percent: Option<u8>,
}

impl Default for Goal {
    fn default() -> Self {
        Self {
            within_ms: SERVED_WITHIN_MS,
            percent: None,
        }
    }
}

/// One queue.
#[derive(Debug, Clone)]
pub struct PlannedQueue {
    /// As people read it; `None` where there is only one.
    pub title: Option<String>,
    pub queue: Queue,
    /// No call of its conversations uses more, bits a second.
    pub max_bitrate: Option<u32>,
    /// What a wish for video asks for on top.
    pub video_skill: Option<SkillId>,
    /// What the wall measures it by.
    pub goal: Goal,
}

/// Everything that the file says.
#[derive(Debug, Clone)]
pub struct Plan {
    pub queues: BTreeMap<QueueId, PlannedQueue>,
    /// Where a conversation waits that no rule places.
    pub fallback: QueueId,
    pub policy: Policy,
    /// Customers are told of hours, and when nobody is there: where somebody has configured them.
    pub tells_customers: bool,
    rules: Vec<Rule>,
    agents: BTreeMap<String, Profile>,
    others: Profile,
}

impl Plan {
    /// The names that need numbers: queues, then skills.
    pub fn names(deployment: &Deployment) -> (Vec<&str>, Vec<&str>) {
        let queues = deployment.queues.keys().map(String::as_str);
        let skills = deployment.skills.keys().map(String::as_str);
        let by_rules = deployment.rules.iter().flat_map(|rule| rule.skills.keys());
        let by_agents = deployment.agents.values().flat_map(|agent| agent.skills.keys());
        let by_queues = deployment
            .queues
            .values()
            .filter_map(|queue| queue.video_skill.as_ref());
        let others: BTreeSet<&str> = by_rules
            .chain(by_agents)
            .chain(by_queues)
            .map(String::as_str)
            .filter(|name| own_name(deployment, name) == *name)
            .collect();
        let skills = skills.chain(others).collect::<BTreeSet<_>>();
        // The first number is the default queue's, in every deployment.
        (
            [DEFAULT_QUEUE].into_iter().chain(queues).collect(),
            skills.into_iter().collect(),
        )
    }

    /// Whether the file makes sense, before there are any numbers; the error is a sentence for the operator.
    pub fn checked(deployment: &Deployment, mode: &RoutingMode) -> Result<Self, String> {
        let (queues, skills) = Self::names(deployment);
        let numbered = |names: Vec<&str>| {
            let names: BTreeSet<&str> = names.into_iter().collect();
            names.into_iter().map(String::from).zip(1..).collect()
        };
        let numbers = Numbers {
            queues: numbered(queues),
            skills: numbered(skills),
        };
        Self::read(deployment, mode, &numbers)
    }

    /// With the stored numbers.
    pub fn read(deployment: &Deployment, mode: &RoutingMode, numbers: &Numbers) -> Result<Self, String> {
        let names = names(deployment, numbers)?;
        let configured = !deployment.queues.is_empty();
        let mut queues = BTreeMap::new();
        for (name, table) in &deployment.queues {
            let id = names.queue(name).ok_or_else(|| format!("queue {name} has no number"))?;
            let planned = queue(name, table, mode, &names).map_err(|why| format!("[queues.{name}] {why}"))?;
            queues.insert(id, planned);
        }
        let fallback = match (configured, names.queue(DEFAULT_QUEUE), deployment.rules.last()) {
            (false, Some(id), _) => {
                queues.insert(
                    id,
                    PlannedQueue {
                        title: None,
                        queue: mode.queue(),
                        max_bitrate: None,
                        video_skill: None,
                        goal: Goal::default(),
                    },
                );
                id
            }
            (true, Some(id), _) if queues.contains_key(&id) => id,
            (true, _, Some(last)) if unconditional(last) => last
                .queue
                .as_deref()
                .and_then(|name| names.queue(name))
                .filter(|id| queues.contains_key(id))
                .ok_or("the last of [[rules]] has to name a queue")?,
            _ => {
                return Err(format!(
                    "a conversation that no rule fits needs a place: add [queues.{DEFAULT_QUEUE}], or a last of [[rules]] \
                     without conditions that names a queue"
                ));
            }
        };
        let mut rules = Vec::new();
        for (number, table) in deployment.rules.iter().enumerate() {
            let known = |connector: &str| deployment.connectors.contains_key(connector);
            let rule = Rule::read(table, &names, known).map_err(|why| format!("rule {} {why}", number + 1))?;
            if let Some(queue) = rule.queue()
                && !queues.contains_key(&queue)
            {
                return Err(format!("rule {} names a queue that is not configured", number + 1));
            }
            rules.push(rule);
        }
        let all: BTreeSet<QueueId> = queues.keys().copied().collect();
        let by_hand = queues.values().all(|planned| planned.queue.by_hand);
        let others = Profile {
            queues: all,
            skills: Skills::new(),
            // Who chooses says by choosing how much that is.
            capacity: if by_hand { u16::MAX } else { CAPACITY },
        };
        let mut agents = BTreeMap::new();
        for (email, table) in &deployment.agents {
            let profile = agent(table, &names, &others).map_err(|why| format!("[agents.\"{email}\"] {why}"))?;
            if agents.insert(fold_email(email), profile).is_some() {
                return Err(format!("[agents.\"{email}\"] is there twice"));
            }
        }
        let mut policy = Policy::default();
        if by_hand {
            policy.sessions = u32::MAX;
        }
        Ok(Self {
            queues,
            fallback,
            policy,
            tells_customers: configured,
            rules,
            agents,
            others,
        })
    }

    /// Where a conversation begins.
    pub fn place(&self, subject: &Subject) -> Placed {
        let rule = self.rules.iter().find(|rule| rule.fits(subject));
        let mut placed = match rule {
            Some(rule) => rule.place(subject, self.fallback),
            None => Placed::in_queue(self.fallback),
        };
        // A variable may name a queue by any of the names, but only one that is configured.
        if !self.queues.contains_key(&placed.queue) {
            placed.queue = self.fallback;
        }
        placed
    }

    /// What somebody is given: agents what is configured, those who look after them nothing.
    pub fn profile(&self, account: &Account) -> Profile {
        match (self.agents.get(&fold_email(&account.email)), account.role) {
            (Some(profile), _) => profile.clone(),
            (None, Role::Agent) => self.others.clone(),
            (None, Role::Supervisor | Role::Admin) => Profile {
                capacity: self.others.capacity,
                ..Profile::default()
            },
        }
    }

    /// How many of the file's agents have none of these addresses.
    pub fn without_account(&self, accounts: &[Account]) -> usize {
        let known: BTreeSet<String> = accounts.iter().map(|account| fold_email(&account.email)).collect();
        self.agents.keys().filter(|email| !known.contains(*email)).count()
    }

    /// A queue as people read it.
    pub fn title(&self, id: QueueId) -> Option<&str> {
        self.queues.get(&id)?.title.as_deref()
    }

    /// Whether agents take this queue's conversations themselves.
    pub fn by_hand(&self, id: QueueId) -> bool {
        self.queue(id).queue.by_hand
    }

    /// A queue, or the one that stands in for it where it is configured no more.
    pub fn queue(&self, id: QueueId) -> &PlannedQueue {
        self.queues
            .get(&id)
            .or_else(|| self.queues.get(&self.fallback))
            .expect("a plan has its fallback")
    }

    /// Where a conversation is that has been put nowhere yet, as before there were queues.
    pub fn unplaced(&self) -> Routed {
        Routed::in_queue(self.fallback, self.queue(self.fallback).queue.priority)
    }

    /// What a conversation asks for, with a wish for video or without.
    pub fn skills(&self, routed: &Routed, video: bool) -> Skills {
        let mut skills = routed.skills.clone();
        if let (true, Some(skill)) = (video, self.queue(routed.queue).video_skill) {
            skills.entry(skill).or_insert(1);
        }
        skills
    }
}

fn unconditional(rule: &crate::deployment::tables::RuleTable) -> bool {
    rule.channel.is_none() && rule.connector.is_none() && rule.when.is_empty() && rule.exists.is_empty()
}

/// A skill's own name, by any of its names.
fn own_name<'a>(deployment: &'a Deployment, name: &'a str) -> &'a str {
    let other = deployment
        .skills
        .iter()
        .find(|(_, table)| table.also.iter().any(|also| also == name));
    other.map_or(name, |(own, _)| own)
}

fn names(deployment: &Deployment, numbers: &Numbers) -> Result<Names, String> {
    let mut names = Names::default();
    for (name, number) in &numbers.queues {
        names.queues.insert(name.clone(), QueueId(*number));
    }
    for (name, table) in &deployment.queues {
        if let (Some(id), Some(number)) = (&table.id, numbers.queues.get(name))
            && names.ids.insert(id.clone(), QueueId(*number)).is_some()
        {
            return Err(format!("two queues have the id {id}"));
        }
    }
    for (name, number) in &numbers.skills {
        names.skills.insert(name.clone(), SkillId(*number));
    }
    for (name, table) in &deployment.skills {
        for also in &table.also {
            if deployment.skills.contains_key(also) {
                return Err(format!("[skills.{name}] {also} is a skill of its own"));
            }
            if let Some(id) = numbers.skills.get(name) {
                names.skills.insert(also.clone(), SkillId(*id));
            }
        }
    }
    Ok(names)
}

fn queue(name: &str, table: &QueueTable, mode: &RoutingMode, names: &Names) -> Result<PlannedQueue, String> {
    let usual = mode.queue();
    let wrap_up = match &table.wrap_up {
        None => usual.wrap_up,
        Some(WrapUpTable::Word(word)) if word == "always" => WrapUpBlocks::Always,
        Some(WrapUpTable::Word(word)) if word == "never" => WrapUpBlocks::Never,
        Some(WrapUpTable::Seconds(seconds @ 30..=3_600)) => WrapUpBlocks::For(i64::from(*seconds) * 1_000),
        Some(WrapUpTable::Word(_) | WrapUpTable::Seconds(_)) => {
            return Err("wrap_up is \"always\", \"never\", or 30 to 3600 seconds".into());
        }
    };
    let assignment_ms = match table.assignment_s {
        None => usual.assignment_ms,
        Some(seconds @ 5..=300) => i64::from(seconds) * 1_000,
        Some(_) => return Err("assignment_s is 5 to 300 seconds".into()),
    };
    let settle_ms = match table.tell_waiting_after_s {
        None => usual.settle_ms,
        Some(seconds @ 1..=3_600) => i64::from(seconds) * 1_000,
        Some(_) => return Err("tell_waiting_after_s is 1 to 3600 seconds".into()),
    };
    let max_bitrate = table.max_bitrate;
    if max_bitrate.is_some_and(|bits| bits < SMALLEST_MAX_BITRATE) {
        return Err(format!("max_bitrate is at least {SMALLEST_MAX_BITRATE} bits a second"));
    }
    Ok(PlannedQueue {
        title: Some(table.title.clone().unwrap_or_else(|| name.to_owned())),
        queue: Queue {
            priority: table.priority,
            assignment_ms,
            wrap_up,
            hours: table.hours.as_ref().map(hours).transpose()?,
            by_hand: table.mode.map_or(usual.by_hand, |mode| mode == Mode::Pull),
            settle_ms,
        },
        max_bitrate,
        video_skill: match &table.video_skill {
            Some(skill) => Some(names.skill(skill).ok_or_else(|| format!("knows no skill {skill}"))?),
            None => None,
        },
        goal: table.service_level.map(goal).transpose()?.unwrap_or_default(),
    })
}

fn goal(table: ServiceLevelTable) -> Result<Goal, String> {
    let within_ms = match table.within_s {
        None => SERVED_WITHIN_MS,
        Some(seconds @ 1..=86_400) => i64::from(seconds) * 1_000,
        Some(_) => return Err("service_level.within_s is 1 to 86400 seconds".into()),
    };
    let percent = match table.share {
        None => None,
        Some(share) => {
            // Of a hundred: nobody measures finer, and nothing else fits here, not even what is no number.
            let found = (1..=100_u8).find(|percent| (f64::from(*percent) - share * 100.0).abs() < 0.5);
            Some(found.ok_or("service_level.share is more than 0 and at most 1, as in 0.8")?)
        }
    };
    Ok(Goal { within_ms, percent })
}

fn agent(table: &AgentTable, names: &Names, others: &Profile) -> Result<Profile, String> {
    let queues = match &table.queues {
        None => others.queues.clone(),
        Some(list) => {
            let known = |name: &String| {
                let id = names.queue(name).filter(|id| others.queues.contains(id));
                id.ok_or_else(|| format!("names the queue {name}, which is not configured"))
            };
            list.iter().map(known).collect::<Result<_, _>>()?
        }
    };
    Ok(Profile {
        queues,
        skills: names.levels(&table.skills)?,
        capacity: table.capacity.unwrap_or(others.capacity),
    })
}
