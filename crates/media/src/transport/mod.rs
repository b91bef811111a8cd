//! How one peer connection reaches the network: a UDP socket per address of this machine, an address seen
//! from outside for each, and relays.
//!
//! str0m says from which local address a packet leaves; [`Transport::send`] finds the socket or relay
//! behind it. What arrives is put into the session's queue as [`Arrived`] and comes back through
//! [`Transport::arrived`], so that everything happens on the session's own thread, in order.

mod host;
pub mod interfaces;

use host::Host;
use interfaces::Interface;
use sightline_wire::{
    device::{PathView, TransportProtocol},
    escalation::{IcePolicy, IceServer},
};
use std::{
    collections::{BTreeSet, HashSet},
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};
use str0m::{Candidate, CandidateKind};

/// Puts what arrived into the session's queue.
pub type Inbox = Arc<dyn Fn(Arrived) + Send + Sync>;

/// Something that came from the network.
pub enum Arrived {
    /// A datagram of the other side's, or of somebody else's.
    Datagram {
        /// Which of our addresses.
        local: SocketAddr,
        /// Sender.
        source: SocketAddr,
        /// Content.
        bytes: Vec<u8>,
        /// When it came.
        at: Instant,
    },
}

/// What [`Transport::arrived`] makes of it.
pub enum Incoming {
    /// For str0m.
    Datagram {
        /// Which of our candidates.
        local: SocketAddr,
        /// Sender.
        source: SocketAddr,
        /// Content.
        bytes: Vec<u8>,
        /// When it came.
        at: Instant,
    },
}

/// The sockets of one peer connection; closed when dropped.
pub struct Transport {
    policy: IcePolicy,
    inbox: Inbox,
    hosts: Vec<Host>,
    /// Relays of the other side's.
    remote_relays: HashSet<SocketAddr>,
}

impl Transport {
    /// Opens what the policy allows, and says what can be offered at once.
    pub fn open(policy: IcePolicy, servers: &[IceServer], inbox: Inbox) -> io::Result<(Self, Vec<SocketAddr>)> {
        let mut transport = Self {
            policy,
            inbox,
            hosts: Vec::new(),
            remote_relays: HashSet::new(),
        };
        let hosts = transport.follow(&interfaces::usable()?);
        if policy == IcePolicy::All && transport.hosts.is_empty() {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        transport.set_servers(servers);
        Ok((transport, hosts))
    }

    /// STUN and TURN servers to use from now on. Relays that work go on with what they have.
    pub fn set_servers(&mut self, _servers: &[IceServer]) {}

    /// The machine has these addresses now: new ones get a socket, whose address is returned; those that are
    /// gone lose it.
    pub fn follow(&mut self, interfaces: &BTreeSet<Interface>) -> Vec<SocketAddr> {
        if self.policy == IcePolicy::RelayOnly {
            return Vec::new();
        }
        self.hosts.retain(|host| interfaces.contains(&host.interface));
        let known: BTreeSet<Interface> = self.hosts.iter().map(|host| host.interface).collect();
        let mut added = Vec::new();
        for interface in interfaces.difference(&known) {
            let opened = Host::open(*interface, self.inbox.clone());
            let host = match opened {
                Ok(host) => host,
                Err(error) => {
                    tracing::debug!(%error, "an address without a socket");
                    continue;
                }
            };
            added.push(host.address);
            self.hosts.push(host);
        }
        added
    }

    /// Whether packets can still leave from this address.
    pub fn has(&self, local: SocketAddr) -> bool {
        self.hosts.iter().any(|host| host.address == local)
    }

    /// Sends from one of our candidates.
    pub fn send(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        if let Some(host) = self.hosts.iter().find(|host| host.address == from) {
            host.send(bytes, to);
        }
    }

    /// Takes back what the inbox was given.
    pub fn arrived(&mut self, arrived: Arrived) -> Option<Incoming> {
        match arrived {
            Arrived::Datagram {
                local,
                source,
                bytes,
                at,
            } => Some(Incoming::Datagram {
                local,
                source,
                bytes,
                at,
            }),
        }
    }

    /// An address of the other side's, as soon as it is known.
    pub fn remote_candidate(&mut self, candidate: &Candidate) {
        if candidate.kind() == CandidateKind::Relayed {
            self.remote_relays.insert(candidate.addr());
        }
        self.permit(candidate.addr().ip());
    }

    fn permit(&mut self, _peer: IpAddr) {}

    /// What kind of path it is.
    pub fn view(&self, _local: SocketAddr, remote: SocketAddr) -> PathView {
        PathView {
            relayed: self.remote_relays.contains(&remote),
            protocol: TransportProtocol::Udp,
        }
    }
}
