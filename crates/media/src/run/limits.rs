//! What a call may use: which ways, and how much.

use super::{Engine, HardwareEvent, IcePolicy};

impl<E: Fn(HardwareEvent) + Clone + Send + 'static> Engine<E> {
    /// Sends no more than this from now on, on whichever connection, bits a second.
    pub(super) fn cap_at(&mut self, cap: u32) {
        self.cap = cap;
        let current = self.current.iter_mut().map(|current| &mut current.peer);
        for peer in current.chain(&mut self.waiting) {
            peer.cap_at(cap);
        }
    }

    /// The stricter of the two; but without a relay only what the session itself demands.
    pub(super) fn policy_for(&self, asked: IcePolicy) -> IcePolicy {
        match asked {
            IcePolicy::RelayOnly if self.means.has_relay() => IcePolicy::RelayOnly,
            IcePolicy::RelayOnly | IcePolicy::All => self.policy,
        }
    }
}
