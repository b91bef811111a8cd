//! The deployment's own file (`SIGHTLINE_CONFIG`): connectors, queues and rules. Secrets do not stand in it, only where
//! they are to be found.

pub mod hours;
mod links;
pub mod tables;
mod web_chat;

pub use links::Links;
pub use web_chat::WebChat;

use crate::routing::{RoutingMode, plan::Plan};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use tables::{AgentTable, QueueTable, RuleTable, SkillTable};

/// Everything in the file. A deployment without one has no connectors, and one queue for all.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Deployment {
    /// Where it was read from, and where the app's own changes go.
    #[serde(skip)]
    pub file: Option<PathBuf>,
    /// By their names, which are part of the addresses that platforms call.
    pub connectors: BTreeMap<String, toml::Table>,
    /// Rooms elsewhere.
    pub webex_instant_connect: Option<toml::Table>,
    /// Links into the web chat.
    pub links: Links,
    /// The chat on the customers' pages.
    pub web_chat: WebChat,
    /// By their names; one for all without any.
    pub queues: BTreeMap<String, QueueTable>,
    /// By their names.
    pub skills: BTreeMap<String, SkillTable>,
    /// The first that fits decides where a conversation waits.
    pub rules: Vec<RuleTable>,
    /// By their e-mail addresses.
    pub agents: BTreeMap<String, AgentTable>,
}

impl Deployment {
    /// Reads the file; the error is a sentence for the operator.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        let mut deployment = Self::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        deployment.file = Some(path.to_owned());
        Ok(deployment)
    }

    /// What a text says; the error names the place.
    pub fn parse(text: &str) -> Result<Self, String> {
        let deployment: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        Plan::checked(&deployment, &RoutingMode::default())?;
        Ok(deployment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_no_file_and_a_misspelt_one_is_refused_with_its_place() {
        assert_eq!(Deployment::parse(""), Ok(Deployment::default()));
        let error = Deployment::parse("\n[connector.shop]\nkind = \"webhook\"\n").unwrap_err();
        assert!(error.contains("line 2") && error.contains("connector"), "{error}");
    }
}
