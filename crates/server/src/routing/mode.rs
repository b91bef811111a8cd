//! How conversations come to agents here.

use sightline_call::routing::{Profile, Queue, QueueId, Skills};
use sightline_wire::account::Role;

/// The built-in queue: every conversation waits in it, every agent works for it.
pub const QUEUE: QueueId = QueueId(1);

/// Room for three chats, or for one that wants video.
const CAPACITY: u16 = 100;

/// How conversations come to agents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RoutingMode {
    /// Agents take them from the inbox.
    #[default]
    Pull,
    /// They are assigned, out of this queue.
    Push(Queue),
}

/// Reads `SIGHTLINE_ROUTING`; the error is a sentence for the operator.
pub fn routing_from_settings(get: impl Fn(&str) -> Option<String>) -> Result<RoutingMode, String> {
    match get("SIGHTLINE_ROUTING").as_deref() {
        None | Some("pull") => Ok(RoutingMode::Pull),
        Some("push") => Ok(RoutingMode::Push(Queue::default())),
        Some(other) => Err(format!("SIGHTLINE_ROUTING is pull or push, not {other}")),
    }
}

/// What somebody is given: agents everything, those who look after them nothing.
pub fn profile(role: Role) -> Profile {
    match role {
        Role::Agent => Profile {
            queues: [QUEUE].into(),
            skills: Skills::new(),
            capacity: CAPACITY,
        },
        Role::Supervisor | Role::Admin => Profile::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_choose_unless_it_is_said_otherwise() {
        let read = |value: Option<&str>| routing_from_settings(|_| value.map(String::from));
        assert_eq!(read(None), Ok(RoutingMode::Pull));
        assert_eq!(read(Some("pull")), Ok(RoutingMode::Pull));
        assert_eq!(read(Some("push")), Ok(RoutingMode::Push(Queue::default())));
        assert!(read(Some("both")).unwrap_err().contains("pull or push"));
    }
}
