//! The server as its clients meet it: really served, over loopback, with real sockets.

mod accounts;
mod bad_input;
mod call_stats;
mod conversations;
mod desk_socket;
mod disk;
mod escalations;
mod harness;
mod interop;
mod invites;
mod kill;
mod log;
mod pages;
mod probe;
mod program;
mod readiness;
mod readiness_board;
mod ready_desk;
mod relay;
mod relay_client;
mod rooms;
mod routing;
mod self_test;
mod warm;
mod web_chat;
