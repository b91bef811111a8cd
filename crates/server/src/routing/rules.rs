//! The deployment's rules: the first that fits says where a conversation waits and what it asks for. A variable that a
//! rule needs and does not find is told to the agents, and never guessed.

use crate::deployment::tables::RuleTable;
use serde::Deserialize;
use serde::de::{IntoDeserializer, value::StrDeserializer};
use sightline_call::routing::{QueueId, SkillId, Skills};
use sightline_wire::conversation::{Channel, Context, ContextValue};
use std::collections::BTreeMap;

/// Queues and skills by all of their names.
#[derive(Debug, Clone, Default)]
pub struct Names {
    pub queues: BTreeMap<String, QueueId>,
    /// As platforms call them.
    pub ids: BTreeMap<String, QueueId>,
    pub skills: BTreeMap<String, SkillId>,
}

impl Names {
    pub fn queue(&self, name: &str) -> Option<QueueId> {
        self.queues.get(name).copied()
    }

    pub fn skill(&self, name: &str) -> Option<SkillId> {
        self.skills.get(name).copied()
    }

    /// Skills with their levels.
    pub fn levels(&self, named: &BTreeMap<String, u8>) -> Result<Skills, String> {
        let mut skills = Skills::new();
        for (name, level) in named {
            if !(1..=10).contains(level) {
                return Err(format!("gives {name} the level {level}; levels are 1 to 10"));
            }
            let id = self.skill(name).ok_or_else(|| format!("knows no skill {name}"))?;
            skills.insert(id, *level);
        }
        Ok(skills)
    }
}

/// A conversation as rules see it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    pub channel: Channel,
    /// The connector it came by, where it came by one.
    pub connector: Option<&'a str>,
    pub context: &'a Context,
}

/// What a rule decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    pub queue: QueueId,
    /// Instead of the queue's own.
    pub priority: Option<u8>,
    pub skills: Skills,
    /// The e-mail address of the agent whom this customer knows.
    pub prefer: Option<String>,
    /// The rule, in the operator's words.
    pub rule: Option<String>,
    /// What the rule needed and did not find: sentences for the agents.
    pub missing: Vec<String>,
}

impl Placed {
    /// With nothing said about it.
    pub fn in_queue(queue: QueueId) -> Self {
        Self {
            queue,
            priority: None,
            skills: Skills::new(),
            prefer: None,
            rule: None,
            missing: Vec::new(),
        }
    }
}

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    name: Option<String>,
    channel: Option<Channel>,
    connector: Option<String>,
    when: Context,
    exists: Vec<String>,
    requires: Vec<String>,
    queue: Option<QueueId>,
    queue_from: Option<String>,
    skills: Skills,
    skill_from: Option<String>,
    priority: Option<u8>,
    same_agent: Option<String>,
    names: Names,
}

impl Rule {
    /// From its table; the error is the rest of a sentence that begins with the rule's number.
    pub fn read(table: &RuleTable, names: &Names, connector: impl Fn(&str) -> bool) -> Result<Self, String> {
        let channel = table.channel.as_deref().map(channel).transpose()?;
        if let Some(unknown) = table.connector.as_deref().filter(|name| !connector(name)) {
            return Err(format!("names the connector {unknown}, which is not configured"));
        }
        let queue = match &table.queue {
            Some(name) => {
                let unknown = || format!("names the queue {name}, which is not configured");
                Some(names.queue(name).ok_or_else(unknown)?)
            }
            None => None,
        };
        Ok(Self {
            name: table.name.clone(),
            channel,
            connector: table.connector.clone(),
            when: table.when.clone(),
            exists: table.exists.clone(),
            requires: table.requires.clone(),
            queue,
            queue_from: table.queue_from.clone(),
            skills: names.levels(&table.skills)?,
            skill_from: table.skill_from.clone(),
            priority: table.priority,
            same_agent: table.same_agent.clone(),
            names: names.clone(),
        })
    }

    /// The queue it names itself.
    pub fn queue(&self) -> Option<QueueId> {
        self.queue
    }

    /// Whether it is about this conversation.
    pub fn fits(&self, subject: &Subject) -> bool {
        let same = |(name, value): (&String, &ContextValue)| {
            let has = subject.context.get(name);
            has.is_some_and(|has| equal(has, value))
        };
        self.channel.is_none_or(|channel| channel == subject.channel)
            && self
                .connector
                .as_deref()
                .is_none_or(|name| subject.connector == Some(name))
            && self.when.iter().all(same)
            && self.exists.iter().all(|name| text(subject.context, name).is_some())
    }

    /// What it decides about a conversation that it fits.
    pub fn place(&self, subject: &Subject, fallback: QueueId) -> Placed {
        let mut placed = Placed {
            priority: self.priority,
            skills: self.skills.clone(),
            prefer: self.same_agent.as_deref().and_then(|name| text(subject.context, name)),
            rule: self.name.clone(),
            ..Placed::in_queue(self.queue.unwrap_or(fallback))
        };
        for name in &self.requires {
            if text(subject.context, name).is_none() {
                placed.missing.push(format!("The variable {name} is missing."));
            }
        }
        let mut resolved = None;
        if let Some(name) = &self.queue_from {
            let named = text(subject.context, name);
            let id = named.as_ref().and_then(|named| {
                let ids = &self.names.ids;
                ids.get(named).copied().or_else(|| self.names.queue(named))
            });
            match (id, named) {
                (Some(id), _) => resolved = Some(id),
                (None, Some(_)) => placed
                    .missing
                    .push(format!("The variable {name} names no queue of ours.")),
                (None, None) => missing_once(&mut placed, name),
            }
        }
        if let Some(name) = &self.skill_from {
            let named = text(subject.context, name);
            match (named.as_ref().and_then(|named| self.names.skill(named)), named) {
                (Some(skill), _) => drop(placed.skills.entry(skill).or_insert(1)),
                (None, Some(_)) => placed
                    .missing
                    .push(format!("The variable {name} names no skill of ours.")),
                (None, None) => missing_once(&mut placed, name),
            }
        }
        // Half of what a rule needs leads nowhere: in the queue that was named, whoever is free would take a conversation of
        // which it is not known what it asks for.
        if placed.missing.is_empty() {
            placed.queue = resolved.unwrap_or(placed.queue);
        }
        placed
    }
}

fn missing_once(placed: &mut Placed, name: &str) {
    let sentence = format!("The variable {name} is missing.");
    if !placed.missing.contains(&sentence) {
        placed.missing.push(sentence);
    }
}

fn channel(name: &str) -> Result<Channel, String> {
    let read: Result<Channel, serde::de::value::Error> =
        Channel::deserialize(IntoDeserializer::into_deserializer(name) as StrDeserializer<'_, _>);
    read.ok()
        .filter(|channel| !channel.hidden())
        .ok_or_else(|| format!("names the channel {name}, which there is not"))
}

/// A variable's value, when it holds something.
fn text(context: &Context, name: &str) -> Option<String> {
    let text = as_text(context.get(name)?);
    (!text.is_empty()).then_some(text)
}

fn as_text(value: &ContextValue) -> String {
    match value {
        ContextValue::Text(text) => text.trim().to_owned(),
        ContextValue::Truth(truth) => truth.to_string(),
        ContextValue::Number(number) => number.to_string(),
    }
}

/// What nobody has declared arrives as text, so values are compared as texts; truths in any case.
fn equal(has: &ContextValue, wanted: &ContextValue) -> bool {
    match wanted {
        ContextValue::Truth(_) => as_text(has).eq_ignore_ascii_case(&as_text(wanted)),
        ContextValue::Text(_) | ContextValue::Number(_) => as_text(has) == as_text(wanted),
    }
}
