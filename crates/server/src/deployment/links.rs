//! `[links]`: links into the web chat.

use serde::Deserialize;
use std::time::Duration;

/// How links into the chat are made, and what is believed of those that others make.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Links {
    /// Believe what a customer's page or an unsigned link says: whom the chat asks for, and which conversation it
    /// continues. Whoever writes such a link chooses both, so it is for networks in which nobody else does.
    pub unsigned_may_choose_agent: bool,
    /// How long a link of ours works, in seconds.
    pub valid_seconds: u32,
}

impl Default for Links {
    fn default() -> Self {
        Self {
            unsigned_may_choose_agent: false,
            valid_seconds: 3_600,
        }
    }
}

impl Links {
    /// How long a link of ours works.
    pub fn valid(&self) -> Duration {
        Duration::from_secs(self.valid_seconds.into())
    }
}

#[cfg(test)]
mod tests {
    use crate::Deployment;

    #[test]
    fn nothing_unsigned_is_believed_unless_the_file_says_so() {
        let links = |text: &str| Deployment::parse(text).map(|file| file.links);
        assert!(!links("").unwrap().unsigned_may_choose_agent);
        let said = links("[links]\nunsigned_may_choose_agent = true\nvalid_seconds = 60\n").unwrap();
        assert!(said.unsigned_may_choose_agent);
        assert_eq!(said.valid().as_secs(), 60);
        assert!(links("[links]\nunsigned_may_chose_agent = true\n").is_err());
    }
}
