//! One relayed address: whose it is, whom it may talk to, and until when (RFC 8656 sections 3.3 to 3.5).

use super::{service::Client, stun::Key};
use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// An allocation that is not refreshed ends after this; nobody is given a longer one.
pub const LIFETIME: Duration = Duration::from_secs(600);
const PERMISSION_LIFETIME: Duration = Duration::from_secs(300);
const CHANNEL_LIFETIME: Duration = Duration::from_secs(600);
/// Permissions, and channels, of one allocation.
const PEERS: usize = 64;
/// What one allocation may relay, both ways together: more than twice the most that a call sends.
const BYTES_PER_S: u64 = 1_500_000;

/// It has as many permissions or channels as it may.
#[derive(Debug)]
pub struct Full;

pub struct Allocation {
    pub client: Client,
    pub user: String,
    pub username: String,
    pub key: Key,
    pub ipv6: bool,
    /// Once its socket is open.
    pub relayed: Option<SocketAddr>,
    /// All times are those of the clock that only goes forward.
    pub ends: Duration,
    /// The request that made it, which may be repeated, and its answer.
    pub request: [u8; 12],
    pub answer: Vec<u8>,
    pub budget: Budget,
    permissions: HashMap<IpAddr, Duration>,
    channels: HashMap<u16, (SocketAddr, Duration)>,
}

impl Allocation {
    pub fn new(
        client: Client,
        (user, username, key): (&str, &str, &Key),
        (request, ipv6): ([u8; 12], bool),
        now: Duration,
    ) -> Self {
        Self {
            client,
            user: user.into(),
            username: username.into(),
            key: key.clone(),
            ipv6,
            relayed: None,
            ends: now + LIFETIME,
            request,
            answer: Vec::new(),
            budget: Budget {
                left: BYTES_PER_S,
                at: now,
            },
            permissions: HashMap::new(),
            channels: HashMap::new(),
        }
    }

    pub fn permits(&self, ip: IpAddr, now: Duration) -> bool {
        self.permissions.get(&ip).is_some_and(|until| *until > now)
    }

    /// Permits all or none.
    pub fn permit(&mut self, peers: &[SocketAddr], now: Duration) -> Result<(), Full> {
        let known = |peer: &&SocketAddr| !self.permissions.contains_key(&peer.ip());
        if self.permissions.len() + peers.iter().filter(known).count() > PEERS {
            return Err(Full);
        }
        for peer in peers {
            self.permissions.insert(peer.ip(), now + PERMISSION_LIFETIME);
        }
        Ok(())
    }

    /// The peer of a channel.
    pub fn channel(&self, number: u16, now: Duration) -> Option<SocketAddr> {
        let (peer, until) = self.channels.get(&number)?;
        (*until > now).then_some(*peer)
    }

    /// The channel of a peer.
    pub fn number_of(&self, peer: SocketAddr, now: Duration) -> Option<u16> {
        let bound = |(_, (bound, until)): &(&u16, &(SocketAddr, Duration))| *bound == peer && *until > now;
        self.channels.iter().find(bound).map(|(number, _)| *number)
    }

    /// Whether the number or the peer is bound to another one.
    pub fn conflicts(&self, number: u16, peer: SocketAddr, now: Duration) -> bool {
        self.channel(number, now).is_some_and(|bound| bound != peer)
            || self.number_of(peer, now).is_some_and(|bound| bound != number)
    }

    /// Binds a channel and permits its peer.
    pub fn bind(&mut self, number: u16, peer: SocketAddr, now: Duration) -> Result<(), Full> {
        if self.channels.len() >= PEERS && !self.channels.contains_key(&number) {
            return Err(Full);
        }
        self.permit(&[peer], now)?;
        self.channels.insert(number, (peer, now + CHANNEL_LIFETIME));
        Ok(())
    }

    /// Drops what has run out.
    pub fn sweep(&mut self, now: Duration) {
        self.permissions.retain(|_, until| *until > now);
        self.channels.retain(|_, (_, until)| *until > now);
    }
}

/// Bytes that may be relayed now: a second's worth at most, earned by waiting.
pub struct Budget {
    left: u64,
    at: Duration,
}

impl Budget {
    pub fn take(&mut self, bytes: usize, now: Duration) -> bool {
        let waited = u64::try_from(now.saturating_sub(self.at).as_millis()).unwrap_or(u64::MAX);
        if waited > 0 {
            self.left = (self.left.saturating_add(waited.saturating_mul(BYTES_PER_S / 1_000))).min(BYTES_PER_S);
            self.at = now;
        }
        let left = self.left.checked_sub(bytes as u64);
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }
}
