//! The tables of the deployment's file that say who takes which conversation, as they are written.

use serde::Deserialize;
use sightline_wire::conversation::ContextValue;
use std::collections::BTreeMap;

/// `[queues.NAME]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueueTable {
    /// As people read it; the name without it.
    pub title: Option<String>,
    /// The platform's own name for it, as a context variable brings it (`queue_from`).
    pub id: Option<String>,
    /// `push` or `pull`; as SIGHTLINE_ROUTING says without it.
    pub mode: Option<Mode>,
    /// For conversations whose rule says nothing; higher is more urgent.
    pub priority: u8,
    /// How long one agent is asked, in seconds.
    pub assignment_s: Option<u16>,
    /// How long wrap-up takes capacity.
    pub wrap_up: Option<WrapUpTable>,
    /// When it is open; always without it.
    pub hours: Option<HoursTable>,
    /// No call of its conversations uses more, bits a second.
    pub max_bitrate: Option<u32>,
    /// What its agents need for a conversation that wants video.
    pub video_skill: Option<String>,
    /// How soon, and how many of its customers are to be answered.
    pub service_level: Option<ServiceLevelTable>,
    /// Customers who wait are told that it has closed, or that nobody is here any more, once that has held for so many
    /// seconds.
    pub tell_waiting_after_s: Option<u16>,
}

/// `service_level = { within_s = 20, share = 0.8 }`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceLevelTable {
    /// In seconds; 20 without it.
    pub within_s: Option<u32>,
    /// Of all customers; without it the queue is never below it.
    pub share: Option<f64>,
}

/// How a queue's conversations come to agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Agents are asked.
    Push,
    /// Agents take them.
    Pull,
}

/// `"always"`, `"never"`, or seconds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum WrapUpTable {
    /// In seconds.
    Seconds(u32),
    /// In words.
    Word(String),
}

/// `[queues.NAME.hours]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HoursTable {
    /// `"mon-fri 09:00-17:00"`, `"sat 10:00-14:00"`.
    pub open: Vec<String>,
    /// `"2026-12-25"`.
    pub closed: Vec<String>,
    /// What the queue's clock is ahead of UTC: `"+01:00"`.
    pub utc: Option<String>,
}

/// `[skills.NAME]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SkillTable {
    /// Other names of the same.
    pub also: Vec<String>,
}

/// One of `[[rules]]`; the first that fits decides.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleTable {
    /// For supervisors who ask why.
    pub name: Option<String>,
    /// Fits this channel only.
    pub channel: Option<String>,
    /// Fits this connector only.
    pub connector: Option<String>,
    /// Fits where these context variables have these values; `true` also fits a text that says so.
    pub when: BTreeMap<String, ContextValue>,
    /// Fits where these context variables are there, whatever they hold.
    pub exists: Vec<String>,
    /// Variables that have to be there; where one is missing, it is told and not guessed.
    pub requires: Vec<String>,
    /// Where it waits.
    pub queue: Option<String>,
    /// The variable that names the queue.
    pub queue_from: Option<String>,
    /// What it asks for, at least at these levels.
    pub skills: BTreeMap<String, u8>,
    /// The variable that names a skill.
    pub skill_from: Option<String>,
    /// Instead of the queue's.
    pub priority: Option<u8>,
    /// The variable with the e-mail address of the agent whom this customer knows.
    pub same_agent: Option<String>,
}

/// `[agents."E-MAIL"]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AgentTable {
    /// All of them without it.
    pub queues: Option<Vec<String>>,
    /// With levels, 1 to 10.
    pub skills: BTreeMap<String, u8>,
    /// In units: a chat takes 30, video 70 more.
    pub capacity: Option<u16>,
}
