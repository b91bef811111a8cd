//! What anybody can send over the sockets and the web chat, each kind of input as one function: it must be read or refused,
//! never panic, and what was read is the same after it was written again. The fuzzers of `fuzz/` call these, and so do the
//! tests that replay its corpus.

use crate::{
    agent::{AgentEvent, AgentRequest},
    directline::{Activity, ActivitySet, WebChatStart},
    link::ChatEntry,
    room::{RoomEvent, RoomRequest},
};
use serde::{Serialize, de::DeserializeOwned};

/// One kind of input: its folder of `fuzz/corpus`, and what reads it; `false` for what was refused.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// Every kind of input that is read by this crate's types alone.
pub const TARGETS: &[Target] = &[
    ("signalling", signalling),
    ("agent_socket", agent_socket),
    ("activity", activity),
];

/// A frame of a room's socket, from either end.
fn signalling(data: &[u8]) -> bool {
    [survives::<RoomRequest>(data), survives::<RoomEvent>(data)].contains(&true)
}

/// A frame of an agent's socket, from either end.
fn agent_socket(data: &[u8]) -> bool {
    [survives::<AgentRequest>(data), survives::<AgentEvent>(data)].contains(&true)
}

/// What a customer's page posts and gets.
fn activity(data: &[u8]) -> bool {
    [
        survives::<Activity>(data),
        survives::<ActivitySet>(data),
        survives::<WebChatStart>(data),
        survives::<ChatEntry>(data),
    ]
    .contains(&true)
}

/// What can be read can be written, and is then read as the same.
fn survives<T: Serialize + DeserializeOwned>(data: &[u8]) -> bool {
    let Ok(read) = serde_json::from_slice::<T>(data) else {
        return false;
    };
    let written = serde_json::to_string(&read).expect("what was read can be written");
    let again: T = serde_json::from_str(&written).expect("what was written can be read");
    let rewritten = serde_json::to_string(&again).expect("and written again");
    assert_eq!(written, rewritten);
    true
}
