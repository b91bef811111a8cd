//! The web chat's protocol: Direct Line 3.0, served so that Microsoft's own client can use it.
//!
//! What Direct Line calls a conversation is our *thread*: it lives as long as the customer's page keeps its
//! token, while our conversations follow one another behind it. Activities are numbered through the thread,
//! so a watermark stays good across them.

pub mod activity;
mod entry;
mod errors;
mod routes;
mod sending;
mod stream;
pub mod tickets;

pub use routes::{router, start_web_chat};
