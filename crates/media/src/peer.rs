//! One peer connection with its sockets, driven by the session's loop.

pub use crate::line::PeerEvent;
use crate::line::{Line, LineError};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Instant,
};
use tokio::{net::UdpSocket, task::AbortHandle};

/// A datagram that reached one of a peer's sockets.
pub struct Datagram {
    /// Of which offer.
    pub negotiation: u32,
    /// Which of our addresses.
    pub local: SocketAddr,
    /// Sender.
    pub source: SocketAddr,
    /// Content.
    pub bytes: Vec<u8>,
    /// When it came.
    pub at: Instant,
}

/// One peer connection.
pub struct Peer {
    /// Of which offer.
    pub negotiation: u32,
    line: Line,
    sockets: Vec<Socket>,
}

struct Socket {
    address: SocketAddr,
    socket: Arc<UdpSocket>,
    receiver: AbortHandle,
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.receiver.abort();
    }
}

/// A connection could not be made or changed.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// No socket on any interface.
    #[error("no network interface can be used: {0}")]
    Network(#[from] io::Error),
    /// The connection itself.
    #[error(transparent)]
    Line(#[from] LineError),
}

impl Peer {
    /// A connection and its offer (SDP with all candidates). Datagrams go to `received` from tasks on the
    /// current tokio runtime.
    pub fn offer(
        negotiation: u32,
        received: impl Fn(Datagram) + Clone + Send + 'static,
    ) -> Result<(Self, String), PeerError> {
        let sockets: Vec<Socket> = local_addresses()?
            .into_iter()
            .filter_map(|ip| listen(ip, negotiation, received.clone()).ok())
            .collect();
        if sockets.is_empty() {
            return Err(io::Error::from(io::ErrorKind::AddrNotAvailable).into());
        }
        let addresses: Vec<SocketAddr> = sockets.iter().map(|socket| socket.address).collect();
        let (line, sdp) = Line::offer(Instant::now(), &addresses)?;
        let mut peer = Self {
            negotiation,
            line,
            sockets,
        };
        peer.transmit();
        Ok((peer, sdp))
    }

    /// The browser's answer; only the first one counts.
    pub fn answer(&mut self, sdp: &str) -> Result<(), PeerError> {
        self.with_line(|line| line.answer(sdp))
    }

    /// One more address of the browser's.
    pub fn remote_candidate(&mut self, candidate: &str) -> Result<(), PeerError> {
        self.with_line(|line| line.remote_candidate(candidate))
    }

    /// When [`Peer::handle_timeout`] wants to be called.
    pub fn timeout(&self) -> Instant {
        self.line.timeout()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), PeerError> {
        self.with_line(|line| line.handle_timeout(now))
    }

    /// A datagram has come. What is not ours is ignored.
    pub fn handle_datagram(&mut self, datagram: &Datagram) -> Result<(), PeerError> {
        self.with_line(|line| line.receive(datagram.at, datagram.source, datagram.local, &datagram.bytes))
    }

    /// Sends a picture; `time` counts 90 kHz.
    pub fn send_video(&mut self, data: Vec<u8>, time: u64, taken: Instant) -> Result<(), PeerError> {
        self.with_line(|line| line.send_video(data, time, taken))
    }

    /// Sends 20 ms of sound; `time` counts samples of 48 kHz.
    pub fn send_audio(&mut self, data: Vec<u8>, time: u64, taken: Instant) -> Result<(), PeerError> {
        self.with_line(|line| line.send_audio(data, time, taken))
    }

    /// Asks the browser for a key frame.
    pub fn request_keyframe(&mut self) -> Result<(), PeerError> {
        self.with_line(|line| line.request_keyframe(Instant::now()))
    }

    /// Says goodbye, so that the other side need not wait for a timeout.
    pub fn close(&mut self) {
        self.line.close();
        self.transmit();
    }

    /// What has happened since the last call.
    pub fn take_events(&mut self) -> Vec<PeerEvent> {
        self.line.take_events()
    }

    fn with_line(&mut self, act: impl FnOnce(&mut Line) -> Result<(), LineError>) -> Result<(), PeerError> {
        let done = act(&mut self.line);
        self.transmit();
        Ok(done?)
    }

    fn transmit(&mut self) {
        for transmit in self.line.take_outgoing() {
            let from = self.sockets.iter().find(|socket| socket.address == transmit.source);
            // A full socket buffer or an unreachable address is a lost packet, as on any network.
            if let Some(Err(error)) = from.map(|from| from.socket.try_send_to(&transmit.contents, transmit.destination))
            {
                tracing::trace!(%error, "a datagram was not sent");
            }
        }
    }
}

/// Addresses worth offering; loopback only on a machine that has nothing else.
fn local_addresses() -> io::Result<Vec<IpAddr>> {
    let mut addresses: Vec<IpAddr> = if_addrs::get_if_addrs()?
        .into_iter()
        .map(|interface| interface.ip())
        .filter(|ip| match ip {
            IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local() && !ip.is_unspecified(),
            IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unicast_link_local() && !ip.is_unspecified(),
        })
        .collect();
    if addresses.is_empty() {
        addresses.push(Ipv4Addr::LOCALHOST.into());
    }
    Ok(addresses)
}

fn listen(ip: IpAddr, negotiation: u32, received: impl Fn(Datagram) + Send + 'static) -> io::Result<Socket> {
    let socket = std::net::UdpSocket::bind((ip, 0))?;
    socket.set_nonblocking(true)?;
    let socket = Arc::new(UdpSocket::from_std(socket)?);
    let address = socket.local_addr()?;
    let reader = socket.clone();
    let task = tokio::spawn(async move {
        let mut buffer = vec![0; 2_048];
        loop {
            match reader.recv_from(&mut buffer).await {
                Ok((size, source)) => {
                    let bytes = buffer[..size].to_vec();
                    received(Datagram {
                        negotiation,
                        local: address,
                        source,
                        bytes,
                        at: Instant::now(),
                    });
                }
                // "Connection refused" of an earlier datagram; the socket itself goes on.
                Err(error) => tracing::trace!(%error, "receiving"),
            }
        }
    });
    Ok(Socket {
        address,
        socket,
        receiver: task.abort_handle(),
    })
}
