//! The platforms' contracts, without any I/O: what a webhook must look like to be believed, what it says, and which
//! request carries our words to the platform. The server owns sockets, secrets and retries; here is one module for each
//! platform behind one trait, [`Connector`].

pub mod fuzz;
mod http;
pub mod number;
mod renewal;
mod seam;
mod secret;
pub mod signature;

pub mod acs;
pub mod bot;
pub mod directline;
pub mod generic;
pub mod genesys;
pub mod patience;
pub mod settings;
pub mod twilio;
pub mod twilio_conversations;
pub mod twilio_messaging;
pub mod webex_connect;
pub mod webex_instant;
pub mod webex_messaging;
pub mod whatsapp;

pub use seam::{
    Ability, Answer, Connector, Content, Delivery, Fetch, HandoffState, HttpCall, Inbound, Kept, Line, Outbound,
    Outcome, Received, Reject, Request, Speaker, Thread, Verified,
};
pub use secret::Secret;
