//! One allocation on a TURN server (RFC 8656), over UDP, TCP or TLS, on a task of its own.
//!
//! The task keeps the allocation, its permissions and channels alive until the [`Relay`] is dropped, and
//! gives it back then. Credentials are only needed to begin: a server checks the key it began with.

use super::{
    Arrived, Inbox,
    framing::{self, Cutter},
    server::TurnServer,
    tls,
};
use sightline_wire::{ErrorCode, device::TransportProtocol};
use std::{
    collections::{HashMap, HashSet},
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::{Duration, Instant as StdInstant},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf},
    net::{TcpStream, UdpSocket, lookup_host},
    sync::mpsc,
    time::{sleep_until, timeout},
};
use tokio_rustls::TlsConnector;
use turn_client_proto::{
    api::{Transmit, TurnClientApi, TurnConfig, TurnEvent, TurnPollRet, TurnRecvRet},
    tcp::TurnClientTcp,
    types::{AddressFamily, Instant, TransportType, TurnCredentials, stun},
    udp::TurnClientUdp,
};

/// Resolving, connecting, and the allocation each get this long; a slow relay needs one second.
const OPEN: Duration = Duration::from_secs(5);
/// Slower ways are begun later, and not at all where a faster one has come up meanwhile.
const HEAD_START: Duration = Duration::from_millis(600);
/// Waiting packets on their way to the task; more are lost, as on any full link.
const QUEUE: usize = 256;
/// Waiting packets on a stream: a tenth of a second of video. What is older is late anyway.
const STREAM_QUEUE: usize = 48;
/// Of these, the last few are kept for the allocation's own requests, which are sent only once on a stream.
const STREAM_RESERVE: usize = 8;
/// A permission that was refused is asked for again only after this long, however often a check wants it.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// The library leaves this between two requests.
const REQUEST_PAUSE: Duration = Duration::from_millis(50);
/// Requests that may be waiting when a relay is dropped: permissions, channels, and the farewell.
const MOST_WAITING: u32 = 16;

/// What happened to a relay.
pub enum RelayEvent {
    /// It can be used.
    Up {
        /// Where the other side reaches us.
        address: SocketAddr,
        /// Our end of the connection to it.
        local: SocketAddr,
    },
    /// A packet from the other side.
    Data {
        /// From whom.
        peer: SocketAddr,
        /// Content.
        bytes: Vec<u8>,
        /// When it came.
        at: StdInstant,
    },
    /// It cannot be used, or not any longer.
    Failed(RelayFault),
}

/// Why a relay cannot be used.
#[derive(Debug, Clone)]
pub enum RelayFault {
    /// Its name has no address.
    Unresolved,
    /// Nothing answers there, or the connection broke.
    Unreachable,
    /// Its certificate is not good.
    Certificate(rustls::CertificateError),
    /// It answered and gives nothing; with its error code (RFC 8656 section 19), or 0 when it gave none.
    Refused(u16),
}

impl RelayFault {
    /// For the person in front of the screen.
    pub fn code(&self) -> ErrorCode {
        match self {
            RelayFault::Unresolved | RelayFault::Unreachable | RelayFault::Certificate(_) => {
                ErrorCode::RelayUnreachable
            }
            RelayFault::Refused(_) => ErrorCode::RelayRefused,
        }
    }
}

impl From<&io::Error> for RelayFault {
    fn from(error: &io::Error) -> Self {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref());
        match tls {
            Some(rustls::Error::InvalidCertificate(error)) => Self::Certificate(error.clone()),
            _ => Self::Unreachable,
        }
    }
}

enum Command {
    Permit(IpAddr),
    Send { to: SocketAddr, bytes: Vec<u8> },
}

/// A relay; given back when dropped.
pub struct Relay {
    /// Where it is.
    pub server: TurnServer,
    /// Address there, and our end, once it is up.
    pub up: Option<(SocketAddr, SocketAddr)>,
    commands: mpsc::Sender<Command>,
}

/// Held by everything that still has to say goodbye.
pub type Lifeline = mpsc::Sender<()>;

impl Relay {
    /// Begins, the slower ways later; what happens comes to the inbox under `number`.
    pub fn open(number: usize, server: TurnServer, extra_ca: Option<PathBuf>, inbox: Inbox, alive: Lifeline) -> Self {
        let early = match server.protocol {
            TransportProtocol::Udp => 0,
            TransportProtocol::Tcp => 1,
            TransportProtocol::Tls => 2,
        };
        Self::open_after(HEAD_START * early, number, server, extra_ca, inbox, alive)
    }

    /// Begins after that time.
    pub fn open_after(
        wait: Duration,
        number: usize,
        server: TurnServer,
        extra_ca: Option<PathBuf>,
        inbox: Inbox,
        alive: Lifeline,
    ) -> Self {
        let (commands, queue) = mpsc::channel(QUEUE);
        let task = Task {
            server: server.clone(),
            tell: Box::new(move |event| inbox(Arrived::Relay { number, event })),
            commands: queue,
            bound: HashSet::new(),
            refused: HashMap::new(),
            refusals: 0,
            code: 0,
            start: StdInstant::now(),
        };
        tokio::spawn(async move {
            task.run(wait, extra_ca).await;
            drop(alive);
        });
        Self {
            server,
            up: None,
            commands,
        }
    }

    /// Lets packets of that address through.
    pub fn permit(&self, peer: IpAddr) {
        self.command(Command::Permit(peer));
    }

    /// Sends a packet through the relay.
    pub fn send(&self, to: SocketAddr, bytes: &[u8]) {
        self.command(Command::Send {
            to,
            bytes: bytes.to_vec(),
        });
    }

    fn command(&self, command: Command) {
        if self.commands.try_send(command).is_err() {
            tracing::trace!("a packet for the relay was lost");
        }
    }
}

struct Task {
    server: TurnServer,
    tell: Box<dyn Fn(RelayEvent) + Send>,
    commands: mpsc::Receiver<Command>,
    /// Peers that have a channel: four bytes of framing instead of thirty-six.
    bound: HashSet<SocketAddr>,
    /// Addresses that the server does not let us reach, and when it said so last.
    refused: HashMap<IpAddr, Instant>,
    /// "Unauthorized" so often; the first one only tells the realm.
    refusals: u32,
    /// Of its newest error.
    code: u16,
    /// The library's time counts from here.
    start: StdInstant,
}

/// Why a relay is over.
enum End {
    /// The owner let go.
    Dropped,
    Failed(RelayFault),
}

impl Task {
    async fn run(mut self, wait: Duration, extra_ca: Option<PathBuf>) {
        let begin = tokio::time::Instant::now() + wait;
        // Nothing but permissions comes before it is up, and they are given again then.
        loop {
            tokio::select! {
                () = sleep_until(begin) => break,
                command = self.commands.recv() => if command.is_none() { return },
            }
        }
        let end = match timeout(OPEN, connect(&self.server, extra_ca)).await {
            Ok(Ok(wire)) => self.converse(wire).await,
            Ok(Err(fault)) => {
                tracing::info!(?fault, protocol = ?self.server.protocol, "no way to the relay");
                End::Failed(fault)
            }
            Err(_) => End::Failed(RelayFault::Unreachable),
        };
        if let End::Failed(fault) = end {
            (self.tell)(RelayEvent::Failed(fault));
        }
    }

    async fn converse(&mut self, wire: Wire) -> End {
        let credentials = TurnCredentials::new(&self.server.username, &self.server.credential);
        let mut config = TurnConfig::new(credentials);
        config.set_address_family(if wire.remote.is_ipv4() {
            AddressFamily::IPV4
        } else {
            AddressFamily::IPV6
        });
        let ms = Duration::from_millis;
        config.set_request_retransmits(ms(250), ms(1_000), 6, ms(1_000));
        match wire.kind {
            Kind::Datagrams(_) => {
                self.drive(TurnClientUdp::allocate(wire.local, wire.remote, config), wire)
                    .await
            }
            Kind::Stream { .. } => {
                self.drive(TurnClientTcp::allocate(wire.local, wire.remote, config), wire)
                    .await
            }
        }
    }

    async fn drive(&mut self, mut client: impl TurnClientApi, mut wire: Wire) -> End {
        let give_up = tokio::time::Instant::now() + OPEN;
        let mut up = false;
        let mut heard = false;
        let mut buffer = vec![0; 4_096];
        loop {
            let poll = client.poll(self.now());
            while let Some(transmit) = client.poll_transmit(self.now()) {
                wire.send(transmit.data.as_ref().to_vec(), true);
            }
            while let Some(event) = client.poll_event() {
                match event {
                    TurnEvent::AllocationCreated(_, address) => {
                        up = true;
                        let local = wire.local;
                        (self.tell)(RelayEvent::Up { address, local });
                    }
                    TurnEvent::AllocationCreateFailed(_) => return End::Failed(self.refusal(heard)),
                    TurnEvent::PermissionCreateFailed(_, peer) => {
                        if self.refused.insert(peer, self.now()).is_none() {
                            tracing::info!("the relay does not permit a peer");
                        }
                    }
                    TurnEvent::PermissionCreated(..)
                    | TurnEvent::ChannelCreated(..)
                    | TurnEvent::ChannelCreateFailed(..)
                    | TurnEvent::TcpConnected(_)
                    | TurnEvent::TcpConnectFailed(_) => {}
                }
            }
            let wake = match poll {
                TurnPollRet::WaitUntil(at) => tokio::time::Instant::from_std(at.to_std(self.start)),
                TurnPollRet::Closed => return End::Failed(self.refusal(heard)),
                TurnPollRet::AllocateTcpSocket { .. } | TurnPollRet::TcpClose { .. } => tokio::time::Instant::now(),
            };
            let wake = wake.max(tokio::time::Instant::now() + Duration::from_millis(1));
            tokio::select! {
                read = wire.read(&mut buffer) => match read {
                    Ok(Read::End) => return End::Failed(RelayFault::Unreachable),
                    Ok(Read::Messages(messages)) => for message in messages {
                        heard = true;
                        if !up && self.is_refusal(&message) {
                            return End::Failed(self.refusal(true));
                        }
                        self.receive(&mut client, &wire, &message);
                    },
                    // "Connection refused" to a datagram: nobody is there, or not any more.
                    Err(error) => {
                        tracing::debug!(%error, "the relay's socket");
                        if !up || matches!(wire.kind, Kind::Stream { .. }) {
                            return End::Failed(RelayFault::Unreachable);
                        }
                    }
                },
                command = self.commands.recv() => match command {
                    Some(command) => self.command(&mut client, &mut wire, command),
                    None => {
                        if client.delete(self.now()).is_ok() {
                            self.say_goodbye(&mut client, &mut wire);
                            wire.finish().await;
                        }
                        return End::Dropped;
                    }
                },
                () = sleep_until(wake) => {}
                () = sleep_until(give_up), if !up => return End::Failed(self.refusal(heard)),
            }
        }
    }

    /// Sends what waits, the farewell last. The library leaves a pause after each request; nobody is left to wait for
    /// it, so its clock is put forward instead.
    fn say_goodbye(&self, client: &mut impl TurnClientApi, wire: &mut Wire) {
        for nth in 0..MOST_WAITING {
            let later = Instant::from_std(self.start) + REQUEST_PAUSE * nth;
            while let Some(transmit) = client.poll_transmit(later) {
                wire.send(transmit.data.as_ref().to_vec(), true);
            }
        }
    }

    fn receive(&self, client: &mut impl TurnClientApi, wire: &Wire, bytes: &[u8]) {
        let at = StdInstant::now();
        let transmit = Transmit::new(bytes, client.transport(), wire.remote, wire.local);
        match client.recv(transmit, self.now()) {
            TurnRecvRet::PeerData(data) => {
                let (peer, bytes) = (data.peer, data.data().to_vec());
                (self.tell)(RelayEvent::Data { peer, bytes, at });
            }
            TurnRecvRet::Handled | TurnRecvRet::Ignored(_) | TurnRecvRet::PeerIcmp { .. } => {}
        }
        while let Some(data) = client.poll_recv(self.now()) {
            let (peer, bytes) = (data.peer, data.data().to_vec());
            (self.tell)(RelayEvent::Data { peer, bytes, at });
        }
    }

    fn command(&mut self, client: &mut impl TurnClientApi, wire: &mut Wire, command: Command) {
        let now = self.now();
        match command {
            Command::Permit(peer) => permit(client, peer, now),
            Command::Send { to, bytes } => {
                if !client.have_permission(TransportType::Udp, to.ip()) {
                    let refused = self.refused.get(&to.ip());
                    if refused.is_none_or(|at| now >= *at + ASK_AGAIN) {
                        permit(client, to.ip(), now);
                    }
                    return;
                }
                // Checks go to many addresses, media to one: that one is worth a channel.
                let media = bytes.first().is_some_and(|first| *first >= 20);
                if media
                    && self.bound.insert(to)
                    && let Err(error) = client.bind_channel(TransportType::Udp, to, now)
                {
                    tracing::debug!(%error, "no channel");
                }
                match client.send_to(TransportType::Udp, to, bytes, now) {
                    Ok(Some(transmit)) => wire.send(transmit.build().data, false),
                    Ok(None) => {}
                    Err(error) => tracing::trace!(%error, "a packet was not relayed"),
                }
            }
        }
    }

    /// An answer to the allocation that more asking will not change: the second "unauthorized", or any other
    /// error but a stale nonce or a redirection.
    fn is_refusal(&mut self, bytes: &[u8]) -> bool {
        use stun::{attribute::ErrorCode as Code, message::Message, message::MessageClass};
        let Ok(message) = Message::from_bytes(bytes) else {
            return false;
        };
        let code = match message.class() {
            MessageClass::Error => message.attribute::<Code>().map_or(0, |error| error.code()),
            MessageClass::Request | MessageClass::Success | MessageClass::Indication => return false,
        };
        self.code = code;
        match code {
            401 => {
                self.refusals += 1;
                self.refusals > 1
            }
            403 | 441 | 486 | 508 => true,
            _ => false,
        }
    }

    /// A server that answers and gives nothing has refused; another one is not there.
    fn refusal(&self, heard: bool) -> RelayFault {
        if heard {
            RelayFault::Refused(self.code)
        } else {
            RelayFault::Unreachable
        }
    }

    fn now(&self) -> Instant {
        Instant::from_std(self.start)
    }
}

fn permit(client: &mut impl TurnClientApi, peer: IpAddr, now: Instant) {
    if !client.have_permission(TransportType::Udp, peer)
        && let Err(error) = client.create_permission(TransportType::Udp, peer, now)
    {
        tracing::trace!(%error, "no permission yet");
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// What a connection brought.
enum Read {
    Messages(Vec<Vec<u8>>),
    /// The server closed the stream.
    End,
}

/// The connection to the server.
struct Wire {
    local: SocketAddr,
    remote: SocketAddr,
    kind: Kind,
}

enum Kind {
    Datagrams(UdpSocket),
    Stream {
        reader: ReadHalf<Box<dyn Stream>>,
        cutter: Cutter,
        writer: mpsc::Sender<Vec<u8>>,
        written: tokio::task::JoinHandle<()>,
    },
}

impl Wire {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        match &mut self.kind {
            Kind::Datagrams(socket) => {
                let size = socket.recv(buffer).await?;
                Ok(Read::Messages(vec![buffer[..size].to_vec()]))
            }
            Kind::Stream { reader, cutter, .. } => match reader.read(buffer).await? {
                0 => Ok(Read::End),
                size => cutter.cut(&buffer[..size]).map(Read::Messages),
            },
        }
    }

    /// Never waits. What does not fit is lost, the allocation's own requests last.
    fn send(&mut self, mut bytes: Vec<u8>, own: bool) {
        let sent = match &self.kind {
            Kind::Datagrams(socket) => socket.try_send(&bytes).is_ok(),
            Kind::Stream { writer, .. } => {
                framing::pad(&mut bytes);
                (own || writer.capacity() > STREAM_RESERVE) && writer.try_send(bytes).is_ok()
            }
        };
        if !sent {
            tracing::trace!("a packet to the relay was lost");
        }
    }

    /// Waits until everything is written.
    async fn finish(self) {
        if let Kind::Stream { writer, written, .. } = self.kind {
            drop(writer);
            // A stream that takes nothing any more is closed by the server's own timeout.
            let _ = timeout(Duration::from_millis(200), written).await;
        }
    }
}

async fn connect(server: &TurnServer, extra_ca: Option<PathBuf>) -> Result<Wire, RelayFault> {
    let found = lookup_host((server.host.as_str(), server.port)).await;
    let found = found.map_err(|error| {
        tracing::debug!(%error, "a relay without an address");
        RelayFault::Unresolved
    })?;
    let mut last = RelayFault::Unresolved;
    for remote in found {
        match connect_to(server, remote, extra_ca.clone()).await {
            Ok(wire) => return Ok(wire),
            Err(error) => {
                tracing::debug!(%error, "no way to one address of the relay");
                last = RelayFault::from(&error);
            }
        }
    }
    Err(last)
}

async fn connect_to(server: &TurnServer, remote: SocketAddr, extra_ca: Option<PathBuf>) -> io::Result<Wire> {
    if server.protocol == TransportProtocol::Udp {
        let any: IpAddr = match remote {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0)).await?;
        socket.connect(remote).await?;
        // A fresh socket refuses what is sent before the runtime has looked at it: the first request would be lost, and
        // come again after 250 ms.
        socket.writable().await?;
        return Ok(Wire {
            local: socket.local_addr()?,
            remote,
            kind: Kind::Datagrams(socket),
        });
    }
    let stream = TcpStream::connect(remote).await?;
    stream.set_nodelay(true)?;
    let local = stream.local_addr()?;
    let stream: Box<dyn Stream> = if server.protocol == TransportProtocol::Tls {
        let config = tokio::task::spawn_blocking(move || tls::client(extra_ca.as_deref()))
            .await
            .map_err(io::Error::other)??;
        let name = rustls::pki_types::ServerName::try_from(server.host.clone()).map_err(io::Error::other)?;
        Box::new(TlsConnector::from(config).connect(name, stream).await?)
    } else {
        Box::new(stream)
    };
    let (reader, mut sink) = tokio::io::split(stream);
    let (writer, mut queue) = mpsc::channel::<Vec<u8>>(STREAM_QUEUE);
    let written = tokio::spawn(async move {
        while let Some(bytes) = queue.recv().await {
            let done = async {
                sink.write_all(&bytes).await?;
                sink.flush().await
            };
            if let Err(error) = done.await {
                return tracing::debug!(%error, "the relay's stream");
            }
        }
        // Says goodbye over TLS; a stream that is broken already needs none.
        let _ = sink.shutdown().await;
    });
    Ok(Wire {
        local,
        remote,
        kind: Kind::Stream {
            reader,
            cutter: Cutter::default(),
            writer,
            written,
        },
    })
}
