//! How one peer connection reaches the network: a UDP socket per address of this machine, an address seen
//! from outside for each, and relays.
//!
//! str0m says from which local address a packet leaves; [`Transport::send`] finds the socket or relay
//! behind it. What arrives is put into the session's queue as [`Arrived`] and comes back through
//! [`Transport::arrived`], so that everything happens on the session's own thread, in order.

mod framing;
mod host;
pub mod interfaces;
mod reflexive;
pub mod relay;
pub mod server;
mod tls;

use host::Host;
use interfaces::Interface;
use reflexive::Reflexive;
use relay::Relay;
pub use relay::{Lifeline, RelayEvent};
use server::{Server, TurnServer};
use sightline_wire::{
    ErrorCode,
    device::{PathView, TransportProtocol},
    escalation::{IcePolicy, IceServer},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Instant,
};
use str0m::{Candidate, CandidateKind};
use tokio::{net::lookup_host, time::sleep};

/// Relays tried at the same time; a server that lists more gets the first of them.
const MOST_RELAYS: usize = 6;

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
    /// News of a relay.
    Relay {
        /// Which.
        number: usize,
        /// What.
        event: RelayEvent,
    },
    /// This STUN server is to be asked (again) how our sockets look.
    Ask(SocketAddr),
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
    /// One more way to reach us.
    Candidate(Candidate),
    /// The relay that packets from this address went through is gone.
    Lost(SocketAddr),
    /// None of the relays can be used.
    NoRelay(ErrorCode),
}

/// What every connection of a session uses to reach the network.
#[derive(Clone)]
pub struct Means {
    /// STUN and TURN servers.
    pub servers: Vec<IceServer>,
    /// A certificate authority beside the system's, in PEM.
    pub extra_ca: Option<PathBuf>,
    /// Held by what still has to say goodbye when the session ends.
    pub alive: Lifeline,
}

impl Means {
    /// Whether a relay is among the servers.
    pub fn has_relay(&self) -> bool {
        let mut urls = self.servers.iter().flat_map(|server| &server.urls);
        urls.any(|url| url.starts_with("turn"))
    }
}

/// The sockets of one peer connection; closed when dropped.
pub struct Transport {
    policy: IcePolicy,
    inbox: Inbox,
    hosts: Vec<Host>,
    reflexive: Reflexive,
    stun_servers: Vec<SocketAddr>,
    /// By number, until they fail.
    relays: BTreeMap<usize, Relay>,
    begun: usize,
    /// Where they failed, and why.
    failed: Vec<(TurnServer, ErrorCode)>,
    /// Addresses of the other side's.
    peers: HashSet<IpAddr>,
    /// Relays of the other side's.
    remote_relays: HashSet<SocketAddr>,
}

impl Transport {
    /// Opens what the policy allows, and says what can be offered at once.
    pub fn open(policy: IcePolicy, means: &Means, inbox: Inbox) -> io::Result<(Self, Vec<SocketAddr>)> {
        let mut transport = Self {
            policy,
            inbox,
            hosts: Vec::new(),
            reflexive: Reflexive::default(),
            stun_servers: Vec::new(),
            relays: BTreeMap::new(),
            begun: 0,
            failed: Vec::new(),
            peers: HashSet::new(),
            remote_relays: HashSet::new(),
        };
        let hosts = transport.follow(&interfaces::usable()?);
        if policy == IcePolicy::All && transport.hosts.is_empty() {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        transport.set_means(means);
        Ok((transport, hosts))
    }

    /// STUN and TURN servers to use from now on. Relays that work or are being tried go on with what they
    /// have; one that failed is tried again when its credentials are new.
    pub fn set_means(&mut self, means: &Means) {
        for server in server::parse(&means.servers) {
            match server {
                Server::Stun { host, port } => self.ask(host, port),
                Server::Turn(turn) => {
                    if turn.protocol == TransportProtocol::Udp {
                        self.ask(turn.host.clone(), turn.port);
                    }
                    let runs = self.relays.values().any(|relay| relay.server.is_same_place(&turn));
                    let hopeless = self.failed.iter().any(|(failed, _)| *failed == turn);
                    let faster = self
                        .relays
                        .values()
                        .any(|relay| relay.up.is_some() && (relay.server.protocol as u8) < turn.protocol as u8);
                    if !runs && !hopeless && !faster && self.relays.len() < MOST_RELAYS {
                        self.begin(turn, means);
                    }
                }
            }
        }
    }

    fn begin(&mut self, turn: TurnServer, means: &Means) {
        self.failed.retain(|(failed, _)| !failed.is_same_place(&turn));
        let number = self.begun;
        self.begun += 1;
        let (inbox, alive) = (self.inbox.clone(), means.alive.clone());
        let relay = Relay::open(number, turn, means.extra_ca.clone(), inbox, alive);
        self.relays.insert(number, relay);
    }

    /// Finds the server, and has it asked a few times in case a question gets lost.
    fn ask(&self, host: String, port: u16) {
        if self.policy == IcePolicy::RelayOnly {
            return;
        }
        let inbox = self.inbox.clone();
        tokio::spawn(async move {
            let found = match lookup_host((host, port)).await {
                Ok(found) => found,
                Err(error) => return tracing::debug!(%error, "a STUN server without an address"),
            };
            let found: Vec<SocketAddr> = found.collect();
            let mut waited = std::time::Duration::ZERO;
            for again in [waited].into_iter().chain(reflexive::AGAIN) {
                sleep(again - waited).await;
                waited = again;
                found.iter().for_each(|server| inbox(Arrived::Ask(*server)));
            }
        });
    }

    /// The machine has these addresses now: new ones get a socket, whose address is returned; those that are
    /// gone lose it.
    pub fn follow(&mut self, interfaces: &BTreeSet<Interface>) -> Vec<SocketAddr> {
        let exists = |ip: IpAddr| ip.is_loopback() || interfaces.iter().any(|interface| interface.ip == ip);
        self.relays
            .retain(|_, relay| relay.up.is_none_or(|(_, local)| exists(local.ip())));
        if self.policy == IcePolicy::RelayOnly {
            return Vec::new();
        }
        self.hosts.retain(|host| interfaces.contains(&host.interface));
        let known: BTreeSet<Interface> = self.hosts.iter().map(|host| host.interface).collect();
        let mut added = Vec::new();
        for interface in interfaces.difference(&known) {
            match Host::open(*interface, self.inbox.clone()) {
                Ok(host) => {
                    added.push(host.address);
                    self.hosts.push(host);
                }
                Err(error) => tracing::debug!(%error, "an address without a socket"),
            }
        }
        for server in self.stun_servers.clone() {
            self.ask_for_hosts(server);
        }
        added
    }

    /// Whether packets can still leave from this address.
    pub fn has(&self, local: SocketAddr) -> bool {
        self.hosts.iter().any(|host| host.address == local) || self.relay_at(local).is_some()
    }

    /// Sends from one of our candidates.
    pub fn send(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        if let Some(host) = self.hosts.iter().find(|host| host.address == from) {
            host.send(bytes, to);
        } else if let Some(relay) = self.relay_at(from) {
            relay.send(to, bytes);
        }
    }

    fn relay_at(&self, address: SocketAddr) -> Option<&Relay> {
        self.relays
            .values()
            .find(|relay| relay.up.is_some_and(|(there, _)| there == address))
    }

    /// Takes back what the inbox was given.
    pub fn arrived(&mut self, arrived: Arrived) -> Option<Incoming> {
        match arrived {
            Arrived::Datagram {
                local,
                source,
                bytes,
                at,
            } => {
                if let Some(mapped) = self.reflexive.answer(local, source, &bytes) {
                    return candidate(Candidate::server_reflexive(mapped, local, "udp"));
                }
                Some(Incoming::Datagram {
                    local,
                    source,
                    bytes,
                    at,
                })
            }
            Arrived::Ask(server) => {
                if !self.stun_servers.contains(&server) {
                    self.stun_servers.push(server);
                }
                self.ask_for_hosts(server);
                None
            }
            Arrived::Relay { number, event } => self.relay_event(number, event),
        }
    }

    fn ask_for_hosts(&mut self, server: SocketAddr) {
        for host in &self.hosts {
            // A server elsewhere cannot be asked from loopback, and one on loopback has nothing new to say.
            let possible = host.address.ip().is_loopback() == server.ip().is_loopback();
            if possible && let Some(request) = self.reflexive.request(host.address, server) {
                host.send(&request, server);
            }
        }
    }

    fn relay_event(&mut self, number: usize, event: RelayEvent) -> Option<Incoming> {
        // One that was given up in the meantime has nothing to say any more.
        let relay = self.relays.get_mut(&number)?;
        match event {
            RelayEvent::Up { address, local } => {
                relay.up = Some((address, local));
                let relay = &*relay;
                self.peers.iter().for_each(|peer| relay.permit(*peer));
                let protocol = relay.server.protocol;
                tracing::info!(?protocol, "a relay is up");
                // The slower ways to what may be the same server are not needed any more.
                self.relays.retain(|other, relay| {
                    *other == number || relay.up.is_some() || (relay.server.protocol as u8) <= protocol as u8
                });
                candidate(Candidate::relayed(address, local, "udp"))
            }
            RelayEvent::Data { peer, bytes, at } => {
                let (local, _) = relay.up?;
                Some(Incoming::Datagram {
                    local,
                    source: peer,
                    bytes,
                    at,
                })
            }
            RelayEvent::Failed(fault) => {
                let code = fault.code();
                let relay = self.relays.remove(&number)?;
                if let Some((address, _)) = relay.up {
                    return Some(Incoming::Lost(address));
                }
                self.failed.push((relay.server, code));
                // Refused credentials say more than an address that does not answer.
                let codes = self.failed.iter().map(|(_, code)| *code);
                let code = codes.max_by_key(|code| *code == ErrorCode::RelayRefused);
                code.filter(|_| self.relays.is_empty()).map(Incoming::NoRelay)
            }
        }
    }

    /// An address of the other side's, as soon as it is known: a relay lets nothing through without.
    pub fn remote_candidate(&mut self, candidate: &Candidate) {
        if candidate.kind() == CandidateKind::Relayed {
            self.remote_relays.insert(candidate.addr());
        }
        let peer = candidate.addr().ip();
        if self.peers.insert(peer) {
            let up = self.relays.values().filter(|relay| relay.up.is_some());
            up.for_each(|relay| relay.permit(peer));
        }
    }

    /// What kind of path it is.
    pub fn view(&self, local: SocketAddr, remote: SocketAddr) -> PathView {
        let relay = self.relay_at(local);
        PathView {
            relayed: relay.is_some() || self.remote_relays.contains(&remote),
            protocol: relay.map_or(TransportProtocol::Udp, |relay| relay.server.protocol),
        }
    }
}

fn candidate(made: Result<Candidate, str0m::error::IceError>) -> Option<Incoming> {
    made.inspect_err(|error| tracing::debug!(%error, "an address that is no candidate"))
        .ok()
        .map(Incoming::Candidate)
}
