//! The controller as its window meets it: a real server over loopback, real sockets, real media threads.

mod chat;
mod connectors;
mod d365;
mod desks;
mod files;
mod harness;
mod meeting;
mod proxy;
mod routing;
mod selftest;
mod session;
mod video;
mod wall;
