//! Supervision: the live wall, and what supervisors do in others' conversations.
//!
//! The wall is one picture for all who look at it: [`snapshot`] makes it of the rows, of routing and of the connected
//! desks, and [`keeper`] tells what has become different, at most twice a second and only while somebody looks. Whatever
//! may change it only stirs the keeper, so no change waits for the wall.
//!
//! An act ([`acts`]) is one transaction: the change, its entry in the audit log ([`audit`]) and its line in the
//! conversation's history. Reading a colleague's conversation is an act, too.

pub mod acts;
pub mod audit;
pub mod keeper;
mod snapshot;

use crate::app::App;
use snapshot::Snapshot;
use tokio::sync::{Mutex, Notify};

/// The live wall.
#[derive(Default)]
pub struct Wall {
    /// Wakes the keeper: something may be different.
    stirred: Notify,
    told: Mutex<Told>,
}

/// The wall as those who look at it were told last.
#[derive(Default)]
struct Told {
    snapshot: Snapshot,
    /// Of the last news. Whoever is given the whole wall ignores what is older and still in the queue of the socket.
    number: u64,
}

impl App {
    /// Something that the wall shows may be different.
    pub fn stir_wall(&self) {
        self.wall.stirred.notify_one();
    }
}
