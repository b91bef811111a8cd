//! The relay's rules (RFC 8656), without sockets and clock: what was heard and the time go in, what to do comes
//! out. Whoever drives it opens and closes the relayed sockets it asks for.
//!
//! Relays datagrams only: an allocation for TCP (RFC 6062) is refused. Nothing is kept for anybody who has not
//! shown a credential: nonces are signed instead of remembered.

use super::{
    allocation::{Allocation, Full, LIFETIME},
    credentials::{Credentials, REALM},
    peers::Peers,
    stun::{Class, Key, Message, Writer, attribute, method, u16_at, u32_at},
};
use sha2::{Digest, Sha256};
use std::{collections::HashMap, net::SocketAddr, ops::RangeInclusive, time::Duration};

/// Allocations that one user may hold (S2).
pub const ALLOCATIONS_PER_USER: usize = 12;
/// Allocations in all.
pub const ALLOCATIONS: usize = 4_000;
/// Numbers of channels. RFC 8656 section 12 ends them at 0x4FFF, so that DTLS and QUIC may share the port; nothing
/// but TURN comes to ours, and clients made for RFC 5766 (section 11) use all of these.
const CHANNELS: RangeInclusive<u16> = 0x4000..=0x7FFE;
const NONCE_LIFETIME_S: u64 = 600;

/// The two clocks: one that only goes forward, for lifetimes, and the one in credentials.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    pub running: Duration,
    pub unix_s: u64,
}

/// How a client reaches us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Via {
    Datagrams,
    /// A TCP or TLS connection of this number.
    Stream(u64),
}

/// A client's end of its connection to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Client {
    pub via: Via,
    pub address: SocketAddr,
}

/// Names an allocation.
pub type AllocationId = u64;

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Send to a client.
    Answer { to: Client, bytes: Vec<u8> },
    /// Open a socket and say so with [`Service::opened`].
    Open {
        allocation: AllocationId,
        ipv6: bool,
        even_port: bool,
    },
    /// Send from an allocation's socket.
    Relay {
        allocation: AllocationId,
        to: SocketAddr,
        bytes: Vec<u8>,
    },
    /// Close an allocation's socket.
    Close { allocation: AllocationId },
}

/// What was refused since the last look, for the log; addresses are nobody's business.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    pub credentials: u64,
    pub peers: u64,
    pub quota: u64,
    pub too_fast: u64,
}

/// All allocations.
pub struct Service {
    credentials: Credentials,
    peers: Peers,
    nonce_key: [u8; 32],
    allocations: HashMap<AllocationId, Allocation>,
    by_client: HashMap<Client, AllocationId>,
    next: AllocationId,
    refused: Refused,
}

/// A request whose signature has been checked.
struct Signed<'a> {
    from: Client,
    message: &'a Message<'a>,
    username: &'a str,
    user: String,
    key: Key,
    allocation: Option<AllocationId>,
}

impl Service {
    pub fn new(credentials: Credentials, peers: Peers, nonce_key: [u8; 32]) -> Self {
        Self {
            credentials,
            peers,
            nonce_key,
            allocations: HashMap::new(),
            by_client: HashMap::new(),
            next: 0,
            refused: Refused::default(),
        }
    }

    /// One datagram, or one frame of a stream, from a client. What is neither STUN nor ChannelData, or not for a
    /// server, is left without an answer.
    pub fn heard(&mut self, from: Client, bytes: &[u8], now: Now) -> Vec<Output> {
        if matches!(bytes.first(), Some(0x40..=0x7F)) {
            return self.channel_data(from, bytes, now).into_iter().collect();
        }
        let Some(message) = Message::parse(bytes) else {
            return Vec::new();
        };
        match (message.class, message.method) {
            (Class::Request, method::BINDING) => {
                let answer = Writer::new(Class::Success, method::BINDING, message.transaction)
                    .with_address(attribute::XOR_MAPPED_ADDRESS, from.address);
                vec![Output::Answer {
                    to: from,
                    bytes: answer.finish(),
                }]
            }
            (Class::Request, _) => self.request(from, &message, now),
            (Class::Indication, method::SEND) => self.send(from, &message, now).into_iter().collect(),
            (Class::Indication | Class::Success | Class::Error, _) => Vec::new(),
        }
    }

    /// The answer to [`Output::Open`]: where the socket is, or that there is none.
    pub fn opened(&mut self, id: AllocationId, at: Option<SocketAddr>, now: Now) -> Vec<Output> {
        let Some(allocation) = self.allocations.get_mut(&id) else {
            return vec![Output::Close { allocation: id }];
        };
        let to = allocation.client;
        let Some(relayed) = at else {
            let bytes = error(508, method::ALLOCATE, allocation.request).signed(&allocation.key);
            self.forget(id);
            return vec![Output::Answer { to, bytes }];
        };
        allocation.relayed = Some(relayed);
        let left = allocation.ends.saturating_sub(now.running);
        allocation.answer = Writer::new(Class::Success, method::ALLOCATE, allocation.request)
            .with_address(attribute::XOR_RELAYED_ADDRESS, relayed)
            .with_address(attribute::XOR_MAPPED_ADDRESS, to.address)
            .with(attribute::LIFETIME, &seconds(left))
            .signed(&allocation.key);
        let bytes = allocation.answer.clone();
        vec![Output::Answer { to, bytes }]
    }

    /// A datagram that came to an allocation's socket.
    pub fn peer_sent(&mut self, id: AllocationId, from: SocketAddr, bytes: &[u8], now: Now) -> Option<Output> {
        let allocation = self.allocations.get_mut(&id)?;
        if !allocation.permits(from.ip(), now.running) || !self.peers.allows_data(from) {
            return None;
        }
        if !allocation.budget.take(bytes.len(), now.running) {
            self.refused.too_fast += 1;
            return None;
        }
        let to = allocation.client;
        let bytes = match allocation.number_of(from, now.running) {
            Some(number) => {
                let mut frame = Vec::with_capacity(bytes.len() + 7);
                frame.extend(number.to_be_bytes());
                frame.extend(u16::try_from(bytes.len()).ok()?.to_be_bytes());
                frame.extend(bytes);
                if matches!(to.via, Via::Stream(_)) {
                    frame.resize(frame.len().next_multiple_of(4), 0);
                }
                frame
            }
            None => Writer::new(Class::Indication, method::DATA, transaction())
                .with_address(attribute::XOR_PEER_ADDRESS, from)
                .with(attribute::DATA, bytes)
                .finish(),
        };
        Some(Output::Answer { to, bytes })
    }

    /// A client's connection is gone.
    pub fn gone(&mut self, client: Client) -> Option<Output> {
        let id = *self.by_client.get(&client)?;
        self.forget(id);
        Some(Output::Close { allocation: id })
    }

    /// Whether a client has an allocation.
    pub fn serves(&self, client: Client) -> bool {
        self.by_client.contains_key(&client)
    }

    /// Ends what has run out.
    pub fn tick(&mut self, now: Now) -> Vec<Output> {
        for allocation in self.allocations.values_mut() {
            allocation.sweep(now.running);
        }
        let over = |allocation: &Allocation| allocation.ends <= now.running;
        self.end_all(over)
    }

    /// Ends all allocations of a user.
    pub fn end_user(&mut self, user: &str) -> Vec<Output> {
        self.end_all(|allocation| allocation.user == user)
    }

    /// What was refused since the last call.
    pub fn take_refused(&mut self) -> Refused {
        std::mem::take(&mut self.refused)
    }

    fn end_all(&mut self, over: impl Fn(&Allocation) -> bool) -> Vec<Output> {
        let ended = self.allocations.iter().filter(|(_, a)| over(a)).map(|(id, _)| *id);
        let ended: Vec<AllocationId> = ended.collect();
        for id in &ended {
            self.forget(*id);
        }
        ended
            .into_iter()
            .map(|allocation| Output::Close { allocation })
            .collect()
    }

    fn forget(&mut self, id: AllocationId) {
        if let Some(allocation) = self.allocations.remove(&id) {
            self.by_client.remove(&allocation.client);
        }
    }

    fn request(&mut self, from: Client, message: &Message<'_>, now: Now) -> Vec<Output> {
        let signed = match self.authenticate(from, message, now) {
            Ok(signed) => signed,
            Err(bytes) => return vec![Output::Answer { to: from, bytes }],
        };
        let unknown: Vec<u8> = message
            .attributes()
            .filter(|(kind, _)| *kind < 0x8000 && !UNDERSTOOD.contains(kind))
            .flat_map(|(kind, _)| kind.to_be_bytes())
            .collect();
        if !unknown.is_empty() {
            let answer = error(420, message.method, message.transaction);
            return signed.answer(answer.with(attribute::UNKNOWN_ATTRIBUTES, &unknown));
        }
        match message.method {
            method::ALLOCATE => self.allocate(&signed, now),
            method::REFRESH => self.refresh(&signed, now),
            method::CREATE_PERMISSION => self.create_permission(&signed, now),
            method::CHANNEL_BIND => self.channel_bind(&signed, now),
            method::CONNECT => self.connect(&signed),
            _ => signed.refuse(400),
        }
    }

    /// RFC 8489 section 9.2.4. A credential is looked at when an allocation is made; afterwards the allocation
    /// itself remembers its key, because a call outlives a credential.
    fn authenticate<'a>(&mut self, from: Client, message: &'a Message<'a>, now: Now) -> Result<Signed<'a>, Vec<u8>> {
        let plain = |code| error(code, message.method, message.transaction);
        let challenge = |service: &Self, code| {
            plain(code)
                .with(attribute::REALM, REALM.as_bytes())
                .with(attribute::NONCE, service.nonce(from.address, now.unix_s).as_bytes())
                .finish()
        };
        if !message.is_signed() {
            return Err(challenge(self, 401));
        }
        let said = (
            message.text(attribute::USERNAME),
            message.text(attribute::REALM),
            message.text(attribute::NONCE),
        );
        let (Some(username), Some(realm), Some(nonce)) = said else {
            return Err(plain(400).finish());
        };
        if !self.nonce_is_ours(nonce, from.address, now.unix_s) {
            return Err(challenge(self, 438));
        }
        let allocation = self.by_client.get(&from).copied();
        let owner = allocation.and_then(|id| self.allocations.get(&id));
        let known = match owner {
            Some(owner) if owner.username == username => Some((owner.user.clone(), owner.key.clone())),
            _ => self
                .credentials
                .check(username, now.unix_s)
                .map(|(user, key)| (user.to_string(), key)),
        };
        let Some((user, key)) = known.filter(|(_, key)| realm == REALM && message.signed_by(key)) else {
            self.refused.credentials += 1;
            return Err(challenge(self, 401));
        };
        if owner.is_some_and(|owner| owner.username != username) {
            return Err(plain(441).signed(&key));
        }
        Ok(Signed {
            from,
            message,
            username,
            user,
            key,
            allocation,
        })
    }

    fn allocate(&mut self, request: &Signed<'_>, now: Now) -> Vec<Output> {
        let message = request.message;
        if let Some(allocation) = request.allocation.and_then(|id| self.allocations.get(&id)) {
            if allocation.request == message.transaction && !allocation.answer.is_empty() {
                let bytes = allocation.answer.clone();
                return vec![Output::Answer {
                    to: request.from,
                    bytes,
                }];
            }
            return request.refuse(437);
        }
        match message.attribute(attribute::REQUESTED_TRANSPORT) {
            Some([17, _, _, _]) => {}
            Some([_, _, _, _]) => return request.refuse(442),
            Some(_) | None => return request.refuse(400),
        }
        let ipv6 = match message.attribute(attribute::REQUESTED_ADDRESS_FAMILY) {
            None | Some([1, _, _, _]) => false,
            Some([2, _, _, _]) => true,
            Some(_) => return request.refuse(440),
        };
        // An even port is given (RFC 8656 section 7.2); the one after it is kept back for nobody, so that no token of
        // such a reservation can be ours.
        let even_port = match message.attribute(attribute::EVEN_PORT) {
            None => false,
            Some([flags]) if flags & 0x80 == 0 => true,
            Some([_]) => return request.refuse(508),
            Some(_) => return request.refuse(400),
        };
        if message.attribute(attribute::RESERVATION_TOKEN).is_some() {
            return request.refuse(if even_port { 400 } else { 508 });
        }
        let held = self.allocations.values().filter(|a| a.user == request.user).count();
        if held >= ALLOCATIONS_PER_USER || self.allocations.len() >= ALLOCATIONS {
            self.refused.quota += 1;
            return request.refuse(486);
        }
        let id = self.next;
        self.next += 1;
        self.by_client.insert(request.from, id);
        self.allocations.insert(
            id,
            Allocation::new(
                request.from,
                (&request.user, request.username, &request.key),
                (message.transaction, ipv6),
                now.running,
            ),
        );
        vec![Output::Open {
            allocation: id,
            ipv6,
            even_port,
        }]
    }

    fn refresh(&mut self, request: &Signed<'_>, now: Now) -> Vec<Output> {
        let asked = request
            .message
            .attribute(attribute::LIFETIME)
            .and_then(|value| u32_at(value, 0));
        let Some((id, allocation)) = self.allocation_of(request) else {
            // Ending what is over already is no mistake: the request may be a repetition.
            return match asked {
                Some(0) => request.answer(request.success().with(attribute::LIFETIME, &[0; 4])),
                Some(_) | None => request.refuse(437),
            };
        };
        if asked == Some(0) {
            self.forget(id);
            let mut outputs = request.answer(request.success().with(attribute::LIFETIME, &[0; 4]));
            outputs.push(Output::Close { allocation: id });
            return outputs;
        }
        allocation.ends = now.running + LIFETIME;
        request.answer(request.success().with(attribute::LIFETIME, &seconds(LIFETIME)))
    }

    fn create_permission(&mut self, request: &Signed<'_>, now: Now) -> Vec<Output> {
        let peers = match self.peers_of(request) {
            Ok(peers) => peers,
            Err(code) => return request.refuse(code),
        };
        let Some((_, allocation)) = self.allocation_of(request) else {
            return request.refuse(437);
        };
        match allocation.permit(&peers, now.running) {
            Ok(()) => request.answer(request.success()),
            Err(Full) => request.refuse(508),
        }
    }

    fn channel_bind(&mut self, request: &Signed<'_>, now: Now) -> Vec<Output> {
        let peer = match self.peers_of(request) {
            Ok(peers) => peers[0],
            Err(code) => return request.refuse(code),
        };
        if !self.peers.allows_data(peer) {
            self.refused.peers += 1;
            return request.refuse(403);
        }
        let number = request
            .message
            .attribute(attribute::CHANNEL_NUMBER)
            .and_then(|value| u16_at(value, 0).filter(|_| value.len() == 4));
        let Some(number) = number.filter(|number| CHANNELS.contains(number)) else {
            return request.refuse(400);
        };
        let Some((_, allocation)) = self.allocation_of(request) else {
            return request.refuse(437);
        };
        if allocation.conflicts(number, peer, now.running) {
            return request.refuse(400);
        }
        match allocation.bind(number, peer, now.running) {
            Ok(()) => request.answer(request.success()),
            Err(Full) => request.refuse(508),
        }
    }

    /// RFC 6062: allocations are for datagrams, so there is nothing to connect; a forbidden peer is told so first.
    fn connect(&mut self, request: &Signed<'_>) -> Vec<Output> {
        match self.peers_of(request) {
            Ok(_) => request.refuse(442),
            Err(code) => request.refuse(code),
        }
    }

    /// The peers of a request that all may be reached, at least one; else the error's code.
    fn peers_of(&mut self, request: &Signed<'_>) -> Result<Vec<SocketAddr>, u16> {
        let Some((_, allocation)) = self.allocation_of(request) else {
            return Err(437);
        };
        let ipv6 = allocation.ipv6;
        let peers = request
            .message
            .peers()
            .filter(|peers| !peers.is_empty())
            .ok_or(400_u16)?;
        if !peers.iter().all(|peer| self.peers.allows(peer.ip())) {
            self.refused.peers += 1;
            return Err(403);
        }
        if peers.iter().any(|peer| peer.is_ipv6() != ipv6) {
            return Err(443);
        }
        Ok(peers)
    }

    fn allocation_of(&mut self, request: &Signed<'_>) -> Option<(AllocationId, &mut Allocation)> {
        let id = request.allocation?;
        Some((id, self.allocations.get_mut(&id)?))
    }

    fn channel_data(&mut self, from: Client, frame: &[u8], now: Now) -> Option<Output> {
        let (number, length) = (u16_at(frame, 0)?, usize::from(u16_at(frame, 2)?));
        // Over UDP there may be padding behind the data.
        let data = frame.get(4..4 + length)?;
        let id = *self.by_client.get(&from)?;
        let allocation = self.allocations.get(&id)?;
        let to = allocation.channel(number, now.running)?;
        self.relay(id, to, data, now)
    }

    fn send(&mut self, from: Client, message: &Message<'_>, now: Now) -> Option<Output> {
        let id = *self.by_client.get(&from)?;
        let to = *message.peers()?.first()?;
        self.relay(id, to, message.attribute(attribute::DATA)?, now)
    }

    fn relay(&mut self, id: AllocationId, to: SocketAddr, data: &[u8], now: Now) -> Option<Output> {
        let allocation = self.allocations.get_mut(&id)?;
        if allocation.relayed.is_none() || !allocation.permits(to.ip(), now.running) {
            return None;
        }
        if !self.peers.allows_data(to) {
            self.refused.peers += 1;
            return None;
        }
        if !allocation.budget.take(data.len(), now.running) {
            self.refused.too_fast += 1;
            return None;
        }
        Some(Output::Relay {
            allocation: id,
            to,
            bytes: data.to_vec(),
        })
    }

    /// The time and a signature over it and the client's address.
    fn nonce(&self, client: SocketAddr, unix_s: u64) -> String {
        let mut digest = Sha256::new();
        digest.update(self.nonce_key);
        digest.update(unix_s.to_be_bytes());
        digest.update(client.to_string());
        let mark: String = digest.finalize()[..10]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("{unix_s:x}.{mark}")
    }

    fn nonce_is_ours(&self, nonce: &str, client: SocketAddr, unix_s: u64) -> bool {
        let made = nonce
            .split_once('.')
            .and_then(|(time, _)| u64::from_str_radix(time, 16).ok());
        made.is_some_and(|made| {
            made <= unix_s
                && unix_s - made < NONCE_LIFETIME_S
                && crate::secrets::equal(&self.nonce(client, made), nonce)
        })
    }
}

const UNDERSTOOD: [u16; 13] = [
    attribute::USERNAME,
    attribute::MESSAGE_INTEGRITY,
    attribute::CHANNEL_NUMBER,
    attribute::LIFETIME,
    attribute::XOR_PEER_ADDRESS,
    attribute::DATA,
    attribute::REALM,
    attribute::NONCE,
    attribute::REQUESTED_ADDRESS_FAMILY,
    attribute::REQUESTED_TRANSPORT,
    attribute::EVEN_PORT,
    attribute::RESERVATION_TOKEN,
    attribute::MESSAGE_INTEGRITY_SHA256,
];

impl Signed<'_> {
    fn success(&self) -> Writer {
        Writer::new(Class::Success, self.message.method, self.message.transaction)
    }

    fn answer(&self, answer: Writer) -> Vec<Output> {
        vec![Output::Answer {
            to: self.from,
            bytes: answer.signed(&self.key),
        }]
    }

    fn refuse(&self, code: u16) -> Vec<Output> {
        self.answer(error(code, self.message.method, self.message.transaction))
    }
}

/// An error's code says it all; the sentence is for people with a packet capture.
fn error(code: u16, method: u16, transaction: [u8; 12]) -> Writer {
    let reason = match code {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        420 => "Unknown Attribute",
        437 => "Allocation Mismatch",
        438 => "Stale Nonce",
        440 => "Address Family not Supported",
        441 => "Wrong Credentials",
        442 => "Unsupported Transport Protocol",
        443 => "Peer Address Family Mismatch",
        486 => "Allocation Quota Reached",
        _ => "Insufficient Capacity",
    };
    let mut value = vec![0, 0, (code / 100) as u8, (code % 100) as u8];
    value.extend(reason.as_bytes());
    Writer::new(Class::Error, method, transaction).with(attribute::ERROR_CODE, &value)
}

fn seconds(duration: Duration) -> [u8; 4] {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX).to_be_bytes()
}

fn transaction() -> [u8; 12] {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).expect("the system's random source answers");
    bytes
}
