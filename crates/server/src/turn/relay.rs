//! The relay's sockets: hands the rules what was heard and carries out what they say.

use super::{
    config::{EmbeddedTurn, PORT},
    credentials::Credentials,
    peers::Peers,
    service::{AllocationId, Client, Now, Output, Service, Via},
    streams, urls,
};
use crate::app::now;
use std::{
    collections::{HashMap, VecDeque},
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, UdpSocket},
    sync::mpsc,
    task::{AbortHandle, JoinSet},
    time::{MissedTickBehavior, interval, sleep},
};

/// Larger datagrams are no part of a call.
const LARGEST_DATAGRAM: usize = 2_048;
/// Lifetimes are looked at this often, and what was refused is logged.
const TICK: Duration = Duration::from_secs(5);
const LOG_EVERY: u32 = 12;
/// Ports tried for one allocation.
const PORT_TRIES: usize = 64;

/// Why relaying did not start.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The address is taken or not ours.
    #[error("the relay cannot listen on {address}: {source}")]
    Bind {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Nobody could be told where the relay is.
    #[error("the relay listens on every address; say which one others reach it at: SIGHTLINE_TURN_PUBLIC")]
    NoAddress,
    /// Certificate or key.
    #[error("the relay's certificate: {0}")]
    Certificate(String),
}

/// A relay that runs; dropping it stops it.
pub struct Relay {
    shared: Arc<Shared>,
    urls: Vec<String>,
    credentials: Credentials,
    _tasks: JoinSet<()>,
}

/// What its tasks share.
pub struct Shared {
    state: Mutex<State>,
    listener: UdpSocket,
    sources: Sources,
    started: Instant,
}

struct State {
    service: Service,
    sockets: HashMap<AllocationId, RelaySocket>,
    streams: HashMap<u64, mpsc::Sender<Vec<u8>>>,
    next_stream: u64,
}

struct RelaySocket {
    socket: Arc<UdpSocket>,
    reading: AbortHandle,
}

impl Drop for RelaySocket {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

/// Where relayed sockets are opened and under which addresses they are known.
struct Sources {
    ipv4: Option<(IpAddr, IpAddr)>,
    ipv6: Option<(IpAddr, IpAddr)>,
    ports: std::ops::RangeInclusive<u16>,
}

impl Relay {
    /// Listens. `server` is the address of the API, the default.
    pub async fn start(config: &EmbeddedTurn, server: IpAddr, credentials: Credentials) -> Result<Self, RelayError> {
        let (listener, streams) = match config.listen {
            Some(at) => bind(at).await?,
            None => match bind(SocketAddr::new(server, PORT)).await {
                Ok(bound) => bound,
                Err(_) => bind(SocketAddr::new(server, 0)).await?,
            },
        };
        let bind_error = |source| RelayError::Bind {
            address: config.listen.unwrap_or(SocketAddr::new(server, PORT)),
            source,
        };
        let at = listener.local_addr().map_err(bind_error)?;
        let public = if config.public.is_empty() {
            reachable(at.ip())
        } else {
            config.public.clone()
        };
        let first = *public.first().ok_or(RelayError::NoAddress)?;
        let tls = match &config.tls {
            Some(tls) => Some(streams::Tls::open(tls).await?),
            None => None,
        };
        let host = config.host.clone().unwrap_or_else(|| first.to_string());
        let urls = urls(&host, at, tls.as_ref().map(streams::Tls::address));
        let peers = Peers {
            allow: config.allow.clone(),
            own: public.clone(),
            ports: config.ports.clone(),
        };
        let mut nonce_key = [0; 32];
        getrandom::fill(&mut nonce_key).expect("the system's random source answers");
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                service: Service::new(credentials.clone(), peers, nonce_key),
                sockets: HashMap::new(),
                streams: HashMap::new(),
                next_stream: 0,
            }),
            listener,
            sources: Sources::new(at.ip(), &public, config),
            started: Instant::now(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(datagrams(shared.clone()));
        tasks.spawn(lifetimes(shared.clone()));
        tasks.spawn(streams::accept(shared.clone(), streams, tls));
        tracing::info!(port = at.port(), tls = urls.len() > 2, "relay listening");
        Ok(Self {
            shared,
            urls,
            credentials,
            _tasks: tasks,
        })
    }

    pub fn urls(&self) -> &[String] {
        &self.urls
    }

    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Ends all allocations of a user.
    pub fn end_user(&self, user: &str) {
        let mut state = self.shared.lock();
        let outputs = state.service.end_user(user);
        self.shared.carry_out(&mut state, outputs);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.sockets.clear();
        state.streams.clear();
    }
}

/// UDP and TCP at one address and port. A port that is free for one may be taken for the other: where any will
/// do, another is tried.
async fn bind(at: SocketAddr) -> Result<(UdpSocket, TcpListener), RelayError> {
    let mut tries = if at.port() == 0 { PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        match bind_both(at).await {
            Ok(bound) => return Ok(bound),
            Err(source) if tries == 0 => return Err(RelayError::Bind { address: at, source }),
            Err(_) => {}
        }
    }
}

async fn bind_both(at: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let listener = TcpListener::bind(at).await?;
    let datagrams = UdpSocket::bind(listener.local_addr()?).await?;
    Ok((datagrams, listener))
}

/// The addresses that others reach this machine at, when it listens at `ip`.
fn reachable(ip: IpAddr) -> Vec<IpAddr> {
    if !ip.is_unspecified() {
        return vec![ip];
    }
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let mut found: Vec<IpAddr> = Vec::new();
    for address in interfaces.iter().map(if_addrs::Interface::ip) {
        let usable = match address {
            IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local(),
            IpAddr::V6(v6) => ip.is_ipv6() && !v6.is_loopback() && !v6.is_unicast_link_local(),
        };
        if usable && !found.iter().any(|known| known.is_ipv4() == address.is_ipv4()) {
            found.push(address);
        }
    }
    found.sort_by_key(IpAddr::is_ipv6);
    found
}

impl Sources {
    fn new(listen: IpAddr, public: &[IpAddr], config: &EmbeddedTurn) -> Self {
        let of = |ipv6: bool, any: IpAddr| {
            let known = *public.iter().find(|ip| ip.is_ipv6() == ipv6)?;
            let from = if listen.is_ipv6() == ipv6 { listen } else { any };
            Some((from, known))
        };
        Self {
            ipv4: of(false, Ipv4Addr::UNSPECIFIED.into()),
            ipv6: of(true, Ipv6Addr::UNSPECIFIED.into()),
            ports: config.ports.clone(),
        }
    }

    /// A socket at a random free port, and the address others know it by.
    fn open(&self, ipv6: bool, even_port: bool) -> Option<(UdpSocket, SocketAddr)> {
        let (from, known) = if ipv6 { self.ipv6 } else { self.ipv4 }?;
        let count = u32::from(*self.ports.end() - *self.ports.start()) + 1;
        (0..PORT_TRIES).find_map(|_| {
            let mut random = [0; 4];
            getrandom::fill(&mut random).ok()?;
            let port = *self.ports.start() + u16::try_from(u32::from_be_bytes(random) % count).ok()?;
            if even_port && port % 2 == 1 {
                return None;
            }
            let socket = std::net::UdpSocket::bind((from, port)).ok()?;
            socket.set_nonblocking(true).ok()?;
            Some((UdpSocket::from_std(socket).ok()?, SocketAddr::new(known, port)))
        })
    }
}

async fn datagrams(shared: Arc<Shared>) {
    let mut buffer = [0; LARGEST_DATAGRAM];
    loop {
        match shared.listener.recv_from(&mut buffer).await {
            Ok((length, from)) if length < buffer.len() => {
                let address = SocketAddr::new(from.ip().to_canonical(), from.port());
                let via = Via::Datagrams;
                shared.heard(Client { via, address }, &buffer[..length]);
            }
            Ok(_) => {}
            // A client that is gone may be reported here; the socket itself goes on.
            Err(error) => {
                tracing::debug!(%error, "the relay's socket");
                sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

async fn lifetimes(shared: Arc<Shared>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut count = 0_u32;
    loop {
        ticks.tick().await;
        let mut state = shared.lock();
        let outputs = state.service.tick(shared.now());
        shared.carry_out(&mut state, outputs);
        count = (count + 1) % LOG_EVERY;
        if count == 0 {
            let refused = state.service.take_refused();
            if refused != Default::default() {
                tracing::warn!(
                    credentials = refused.credentials,
                    peers = refused.peers,
                    quota = refused.quota,
                    too_fast = refused.too_fast,
                    "the relay refused in the last minute"
                );
            }
        }
    }
}

/// Reads an allocation's socket until it is closed.
async fn read_peers(shared: Arc<Shared>, id: AllocationId, socket: Arc<UdpSocket>) {
    let mut buffer = [0; LARGEST_DATAGRAM];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((length, from)) if length < buffer.len() => {
                let mut state = shared.lock();
                let output = state.service.peer_sent(id, from, &buffer[..length], shared.now());
                shared.carry_out(&mut state, output);
            }
            Ok(_) => {}
            Err(error) => {
                tracing::debug!(%error, "a relayed socket");
                sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

impl Shared {
    /// A datagram or frame from a client.
    pub fn heard(self: &Arc<Self>, from: Client, bytes: &[u8]) {
        let mut state = self.lock();
        let outputs = state.service.heard(from, bytes, self.now());
        self.carry_out(&mut state, outputs);
    }

    /// A new stream: its number. What is sent to it goes to `frames`; one that does not keep up loses frames.
    pub fn join(&self, frames: mpsc::Sender<Vec<u8>>) -> u64 {
        let mut state = self.lock();
        let number = state.next_stream;
        state.next_stream += 1;
        state.streams.insert(number, frames);
        number
    }

    /// A stream is closed.
    pub fn leave(self: &Arc<Self>, client: Client) {
        let mut state = self.lock();
        if let Via::Stream(number) = client.via {
            state.streams.remove(&number);
        }
        let output = state.service.gone(client);
        self.carry_out(&mut state, output);
    }

    /// Whether something is relayed for a client.
    pub fn serves(&self, client: Client) -> bool {
        self.lock().service.serves(client)
    }

    fn carry_out(self: &Arc<Self>, state: &mut State, outputs: impl IntoIterator<Item = Output>) {
        let mut todo: VecDeque<Output> = outputs.into_iter().collect();
        while let Some(output) = todo.pop_front() {
            match output {
                Output::Answer { to, bytes } => match to.via {
                    // A full socket drops, as networks do.
                    Via::Datagrams => drop(self.listener.try_send_to(&bytes, self.outward(to.address))),
                    Via::Stream(number) => {
                        if let Some(frames) = state.streams.get(&number) {
                            let _ = frames.try_send(bytes);
                        }
                    }
                },
                Output::Relay { allocation, to, bytes } => {
                    if let Some(relayed) = state.sockets.get(&allocation) {
                        let _ = relayed.socket.try_send_to(&bytes, to);
                    }
                }
                Output::Open {
                    allocation,
                    ipv6,
                    even_port,
                } => {
                    let at = self.open(state, allocation, ipv6, even_port);
                    todo.extend(state.service.opened(allocation, at, self.now()));
                }
                Output::Close { allocation } => {
                    state.sockets.remove(&allocation);
                }
            }
        }
    }

    fn open(self: &Arc<Self>, state: &mut State, id: AllocationId, ipv6: bool, even_port: bool) -> Option<SocketAddr> {
        let (socket, known) = self.sources.open(ipv6, even_port)?;
        let socket = Arc::new(socket);
        let reading = tokio::spawn(read_peers(self.clone(), id, socket.clone())).abort_handle();
        state.sockets.insert(id, RelaySocket { socket, reading });
        Some(known)
    }

    /// An address as the listening socket takes it: one that serves both families wants IPv4 mapped.
    fn outward(&self, to: SocketAddr) -> SocketAddr {
        match (to.ip(), self.listener.local_addr()) {
            (IpAddr::V4(ip), Ok(SocketAddr::V6(_))) => SocketAddr::new(ip.to_ipv6_mapped().into(), to.port()),
            (IpAddr::V4(_) | IpAddr::V6(_), _) => to,
        }
    }

    fn now(&self) -> Now {
        Now {
            running: self.started.elapsed(),
            unix_s: u64::try_from(now() / 1_000).unwrap_or(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
