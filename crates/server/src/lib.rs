//! The server: API, sockets, web chat, invites and rooms, as a library that the desk can embed and a short
//! `sightline-server` binary.
//!
//! [`serve`] binds, brings the database up to date, creates the first accounts, and answers until it is told
//! to stop. The way of a message: a route checks its input, asks the rules of `sightline-call` inside one
//! transaction of `sightline-store`, commits, and announces while it still holds the write turn, so that
//! every receiver hears changes in the order of their commits. Whoever misses an announcement catches up by
//! sequence: the database is the only truth.
//!
//! No call's media comes here; a room carries signalling only. The echo peer of a desk's self-test is a party of its
//! own call, and the only place where pictures and sound are made or taken.

mod agent_socket;
mod app;
mod auth;
mod beginnings;
mod bots;
mod call_stats;
mod config;
mod connectors;
mod conversations;
mod customer;
mod dates;
mod deployment;
mod desks;
mod directline;
mod echo;
mod escalations;
mod files;
mod first_accounts;
pub mod fuzz;
mod gone;
mod handover;
mod http;
mod ice;
mod invites;
mod language;
mod links;
mod outbox;
mod pages;
mod probe;
mod readiness;
mod rooms;
mod router;
mod routing;
mod secrets;
mod start;
mod supervision;
mod turn;

pub use config::{NewAccount, Secret, ServerConfig};
pub use deployment::Deployment;
pub use first_accounts::set_password;
pub use readiness::policy::readiness_from_settings;
pub use routing::{RoutingMode, routing_from_settings};
pub use start::{RunningServer, StartError, serve};
pub use turn::{EmbeddedTurn, RelayError, TurnConfig, TurnTls, coturn_configuration};
