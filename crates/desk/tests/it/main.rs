//! The controller as its window meets it: a real server over loopback, real sockets, real media threads.

mod chat;
mod desks;
mod harness;
mod proxy;
mod routing;
mod selftest;
mod session;
mod video;
