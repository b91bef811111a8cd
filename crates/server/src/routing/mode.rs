//! How conversations come to agents where the deployment's file says nothing about it.

use sightline_call::routing::Queue;

/// How conversations come to agents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RoutingMode {
    /// Agents take them from the inbox.
    #[default]
    Pull,
    /// They are assigned, out of a queue like this one.
    Push(Queue),
}

impl RoutingMode {
    /// A queue of which nothing else is said.
    pub fn queue(&self) -> Queue {
        match self {
            Self::Pull => Queue {
                by_hand: true,
                ..Queue::default()
            },
            Self::Push(queue) => queue.clone(),
        }
    }
}

/// Reads `SIGHTLINE_ROUTING`; the error is a sentence for the operator.
pub fn routing_from_settings(get: impl Fn(&str) -> Option<String>) -> Result<RoutingMode, String> {
    match get("SIGHTLINE_ROUTING").as_deref() {
        None | Some("pull") => Ok(RoutingMode::Pull),
        Some("push") => Ok(RoutingMode::Push(Queue::default())),
        Some(other) => Err(format!("SIGHTLINE_ROUTING is pull or push, not {other}")),
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
