//! `[web_chat]`: the chat on the customers' pages.

use serde::Deserialize;
use std::time::Duration;

/// How the chat on the customers' pages behaves.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebChat {
    /// A customer whose page is gone for so long has left the chat, in seconds; 0: nobody leaves by being away.
    pub customer_gone_after_s: u32,
    /// Whether agents can send files into it.
    pub agent_files: bool,
}

impl Default for WebChat {
    /// As long as Dynamics 365 waits, and with files.
    fn default() -> Self {
        Self {
            customer_gone_after_s: 180,
            agent_files: true,
        }
    }
}

impl WebChat {
    /// How long a customer's page may be away; `None`: for as long as it likes.
    pub fn customer_gone_after(&self) -> Option<Duration> {
        let seconds = self.customer_gone_after_s;
        (seconds > 0).then(|| Duration::from_secs(seconds.into()))
    }
}

#[cfg(test)]
mod tests {
    use crate::Deployment;
    use std::time::Duration;

    #[test]
    fn three_minutes_or_as_the_file_says_and_never_with_zero() {
        let after = |text: &str| Deployment::parse(text).map(|file| file.web_chat.customer_gone_after());
        assert_eq!(after(""), Ok(Some(Duration::from_secs(180))));
        assert_eq!(
            after("[web_chat]\ncustomer_gone_after_s = 5\n"),
            Ok(Some(Duration::from_secs(5)))
        );
        assert_eq!(after("[web_chat]\ncustomer_gone_after_s = 0\n"), Ok(None));
        assert!(after("[web_chat]\ncustomer_gone_after = 5\n").is_err());
    }
}
