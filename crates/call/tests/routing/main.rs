//! Routing in virtual time: every rule as a story, with where it comes from (Microsoft's pages by their names, other
//! projects' issues by their numbers), and random days against a model that scans everything.

mod chance;
mod choosing;
mod floor;
mod handing;
mod presence;
mod random;
mod telling;
mod video;
