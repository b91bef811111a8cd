//! The rules of a conversation and its video call as pure functions and state machines: input + now -> output.
//!
//! Nothing here reads a clock, draws a random number or touches a socket; `clippy.toml` refuses it. The server
//! asks these rules inside its transactions, and the same rules are tested here in virtual time.
//!
//! - [`conversation`]: who may do what with a conversation, and when.
//! - [`desk_call`]: the call as it stands on the desk's stage.
//! - [`escalation`]: the ordered checks behind "Start video", and the life of an escalation.
//! - [`invite`]: what a link is still good for.
//! - [`ladder`]: what is tried, and told, when no picture comes.
//! - [`path`]: what to do about a network path that has gone.
//! - [`readiness`]: what a desk has measured of itself means, and what it may be offered because of it.
//! - [`routing`]: which agent is asked to take which conversation, and why.
//! - [`seats`]: who is in the room, who is expected back, and when the call is over.
//! - [`text`]: what may be written.

pub mod conversation;
pub mod desk_call;
pub mod escalation;
pub mod files;
pub mod invite;
pub mod ladder;
pub mod path;
pub mod readiness;
pub mod routing;
pub mod seats;
pub mod text;
