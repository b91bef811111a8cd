//! What each side opens its peer connection with: servers, fresh credentials, and the policy.

use crate::app::App;
use sightline_wire::{
    escalation::{IceConfig, IcePolicy},
    ids::RoomId,
    room::Party,
};

impl App {
    /// For a side that is in the call.
    pub fn ice_for(&self, party: Party, room: RoomId) -> IceConfig {
        self.ice(party, room, self.config.ice_policy)
    }

    /// For a customer whose page connects ahead of the tap on Join: it reveals no more than the stricter of the
    /// two policies allows.
    pub fn ice_before_join(&self, room: RoomId) -> IceConfig {
        let policy = match (self.config.ice_policy, self.config.ice_policy_before_join) {
            (IcePolicy::All, IcePolicy::All) => IcePolicy::All,
            (IcePolicy::RelayOnly, _) | (_, IcePolicy::RelayOnly) => IcePolicy::RelayOnly,
        };
        self.ice(Party::Customer, room, policy)
    }

    fn ice(&self, party: Party, room: RoomId, policy: IcePolicy) -> IceConfig {
        let mut servers = self.config.ice_servers.clone();
        servers.extend(self.turn.servers(party, room));
        IceConfig { servers, policy }
    }
}
