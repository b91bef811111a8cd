//! The desks that are connected, one per agent, and what they are told.

use sightline_wire::{
    account::{Account, Role},
    agent::AgentEvent,
    ids::{AccountId, DeskId},
};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use tokio::sync::{mpsc, oneshot};

/// Events that may wait for one desk. A desk that falls behind further is given its whole inbox anew.
const QUEUE: usize = 256;

/// Who is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Every agent: the conversation waits, or waited until now.
    Everybody,
    /// The owner, whoever is asked, and whoever supervises.
    These([Option<AccountId>; 2]),
}

impl Audience {
    fn includes(self, account: AccountId, role: Role) -> bool {
        match self {
            Audience::Everybody => true,
            Audience::These(these) => these.contains(&Some(account)) || role >= Role::Supervisor,
        }
    }
}

/// Why a desk's socket is closed from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// The same desk has opened a newer socket.
    Replaced,
    /// Another desk took over.
    Displaced,
    /// The sign-in is over.
    SessionOver,
}

/// Another desk of the same agent is connected.
#[derive(Debug, PartialEq, Eq)]
pub struct SecondDesk;

struct Entry {
    desk: DeskId,
    role: Role,
    family: String,
    number: u64,
    queue: mpsc::Sender<AgentEvent>,
    behind: Arc<AtomicBool>,
    closing: Option<oneshot::Sender<Closing>>,
    /// The readiness board is open there.
    board: bool,
    /// The live wall is.
    wall: bool,
}

impl Entry {
    fn tell(&self, event: &AgentEvent) {
        if self.queue.try_send(event.clone()).is_err() {
            self.behind.store(true, Ordering::Release);
        }
    }
}

/// The desks by their agents.
#[derive(Default)]
pub struct Desks {
    entries: Mutex<HashMap<AccountId, Entry>>,
    numbers: AtomicU64,
}

/// A connected desk's end of it.
pub struct DeskSeat {
    /// What it is told.
    pub events: mpsc::Receiver<AgentEvent>,
    /// Set when events had to be dropped.
    pub behind: Arc<AtomicBool>,
    /// Fires when the socket has to go.
    pub closing: oneshot::Receiver<Closing>,
    account: AccountId,
    number: u64,
}

impl Desks {
    /// Takes the agent's one place, if it is free, this desk's own, or taken over.
    pub fn enter(
        &self,
        account: &Account,
        desk: DeskId,
        family: &str,
        take_over: bool,
    ) -> Result<DeskSeat, SecondDesk> {
        let mut entries = self.lock();
        if let Some(old) = entries.get_mut(&account.id) {
            let why = match (old.desk == desk, take_over) {
                (true, _) => Closing::Replaced,
                (false, true) => Closing::Displaced,
                (false, false) => return Err(SecondDesk),
            };
            if let Some(closing) = old.closing.take() {
                let _ = closing.send(why);
            }
        }
        let (queue, events) = mpsc::channel(QUEUE);
        let (close, closing) = oneshot::channel();
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let behind = Arc::new(AtomicBool::new(false));
        entries.insert(
            account.id,
            Entry {
                desk,
                role: account.role,
                family: family.to_string(),
                number,
                queue,
                behind: behind.clone(),
                closing: Some(close),
                board: false,
                wall: false,
            },
        );
        Ok(DeskSeat {
            events,
            behind,
            closing,
            account: account.id,
            number,
        })
    }

    /// Gives the place up, unless a newer socket has it.
    pub fn leave(&self, seat: &DeskSeat) {
        let mut entries = self.lock();
        if entries
            .get(&seat.account)
            .is_some_and(|entry| entry.number == seat.number)
        {
            entries.remove(&seat.account);
        }
    }

    /// The desk at which an agent is connected.
    pub fn connected(&self, account: AccountId) -> Option<DeskId> {
        self.lock().get(&account).map(|entry| entry.desk)
    }

    /// The same, if it has signed in with this sign-in.
    pub fn signed_in(&self, account: AccountId, family: &str) -> Option<DeskId> {
        self.lock()
            .get(&account)
            .filter(|entry| entry.family == family)
            .map(|entry| entry.desk)
    }

    /// The readiness board is open at this seat, or closed again.
    pub fn watch_board(&self, seat: &DeskSeat, open: bool) {
        if let Some(entry) = self
            .lock()
            .get_mut(&seat.account)
            .filter(|entry| entry.number == seat.number)
        {
            entry.board = open;
        }
    }

    /// The live wall is open at this seat, or closed again.
    pub fn watch_wall(&self, seat: &DeskSeat, open: bool) {
        if let Some(entry) = self
            .lock()
            .get_mut(&seat.account)
            .filter(|entry| entry.number == seat.number)
        {
            entry.wall = open;
        }
    }

    /// Whether the live wall is open anywhere.
    pub fn somebody_at_wall(&self) -> bool {
        self.lock().values().any(|entry| entry.wall)
    }

    /// Tells those who have the live wall open.
    pub fn tell_wall(&self, event: &AgentEvent) {
        for entry in self.lock().values().filter(|entry| entry.wall) {
            entry.tell(event);
        }
    }

    /// Closes the socket of a sign-in that is over.
    pub fn session_over(&self, family: &str) {
        for entry in self.lock().values_mut().filter(|entry| entry.family == family) {
            if let Some(closing) = entry.closing.take() {
                let _ = closing.send(Closing::SessionOver);
            }
        }
    }

    /// Tells those concerned. Never waits: a full queue marks its desk as behind.
    pub fn tell(&self, audience: Audience, event: &AgentEvent) {
        let entries = self.lock();
        let concerned: Vec<&Entry> = match audience {
            Audience::Everybody => entries.values().collect(),
            Audience::These(_) => entries
                .iter()
                .filter(|(account, entry)| audience.includes(**account, entry.role))
                .map(|(_, entry)| entry)
                .collect(),
        };
        for entry in concerned {
            entry.tell(event);
        }
    }

    /// Tells one desk of an agent; `false` when the agent is not connected there.
    pub fn tell_desk(&self, account: AccountId, desk: DeskId, event: &AgentEvent) -> bool {
        let entries = self.lock();
        let entry = entries.get(&account).filter(|entry| entry.desk == desk);
        if let Some(entry) = entry {
            entry.tell(event);
        }
        entry.is_some()
    }

    /// Tells an agent, at whichever desk.
    pub fn tell_agent(&self, account: AccountId, event: &AgentEvent) {
        if let Some(entry) = self.lock().get(&account) {
            entry.tell(event);
        }
    }

    /// Tells those who have the readiness board open.
    pub fn tell_board(&self, event: &AgentEvent) {
        for entry in self.lock().values().filter(|entry| entry.board) {
            entry.tell(event);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AccountId, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn account(role: Role) -> Account {
        Account {
            id: AccountId(Uuid::new_v4()),
            email: String::new(),
            name: String::new(),
            role,
        }
    }

    #[test]
    fn one_desk_per_agent() {
        let desks = Desks::default();
        let agent = account(Role::Agent);
        let (first, second) = (DeskId(Uuid::new_v4()), DeskId(Uuid::new_v4()));
        let mut seat = desks.enter(&agent, first, "f", false).ok().unwrap();
        assert!(desks.enter(&agent, second, "g", false).is_err());
        assert!(seat.closing.try_recv().is_err());
        let mut again = desks.enter(&agent, first, "f", false).ok().unwrap();
        assert_eq!(seat.closing.try_recv(), Ok(Closing::Replaced));
        desks.leave(&seat);
        let mut other = desks.enter(&agent, second, "g", true).ok().unwrap();
        assert_eq!(again.closing.try_recv(), Ok(Closing::Displaced));
        desks.session_over("g");
        assert_eq!(other.closing.try_recv(), Ok(Closing::SessionOver));
    }

    #[test]
    fn a_desk_that_falls_behind_is_marked_and_never_waited_for() {
        let desks = Desks::default();
        let seat = desks
            .enter(&account(Role::Agent), DeskId(Uuid::new_v4()), "f", false)
            .ok()
            .unwrap();
        for _ in 0..QUEUE {
            desks.tell(Audience::Everybody, &AgentEvent::Heartbeat);
        }
        assert!(!seat.behind.load(Ordering::Acquire));
        desks.tell(Audience::Everybody, &AgentEvent::Heartbeat);
        assert!(seat.behind.load(Ordering::Acquire));
    }

    #[test]
    fn the_board_is_told_where_it_is_open_and_a_desk_by_its_name() {
        let desks = Desks::default();
        let (agent, supervisor) = (account(Role::Agent), account(Role::Supervisor));
        let (own, other) = (DeskId(Uuid::new_v4()), DeskId(Uuid::new_v4()));
        let mut seat = desks.enter(&agent, own, "f", false).ok().unwrap();
        let mut watching = desks.enter(&supervisor, other, "g", false).ok().unwrap();
        desks.tell_board(&AgentEvent::Heartbeat);
        assert!(watching.events.try_recv().is_err());
        desks.watch_board(&watching, true);
        desks.tell_board(&AgentEvent::Heartbeat);
        assert!(watching.events.try_recv().is_ok() && seat.events.try_recv().is_err());
        desks.watch_board(&watching, false);
        desks.tell_board(&AgentEvent::Heartbeat);
        assert!(watching.events.try_recv().is_err());

        assert!(!desks.tell_desk(agent.id, other, &AgentEvent::TestWanted));
        assert!(desks.tell_desk(agent.id, own, &AgentEvent::TestWanted));
        assert!(matches!(seat.events.try_recv(), Ok(AgentEvent::TestWanted)));
        assert_eq!(desks.connected(agent.id), Some(own));
        assert_eq!(desks.signed_in(agent.id, "f"), Some(own));
        assert_eq!(desks.signed_in(agent.id, "g"), None);
        desks.leave(&seat);
        assert_eq!(desks.connected(agent.id), None);
    }

    #[test]
    fn only_those_concerned_are_told() {
        let desks = Desks::default();
        let (owner, colleague, supervisor) = (account(Role::Agent), account(Role::Agent), account(Role::Supervisor));
        let mut seats =
            [&owner, &colleague, &supervisor].map(|a| desks.enter(a, DeskId(Uuid::new_v4()), "f", false).ok().unwrap());
        desks.tell(Audience::These([Some(owner.id), None]), &AgentEvent::Heartbeat);
        let told = seats.each_mut().map(|seat| seat.events.try_recv().is_ok());
        assert_eq!(told, [true, false, true]);
    }
}
