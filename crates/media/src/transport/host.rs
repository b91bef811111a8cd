//! A UDP socket on one address of this machine.

use super::{Arrived, Inbox, interfaces::Interface};
use std::{io, net::SocketAddr, sync::Arc, time::Instant};
use tokio::{net::UdpSocket, task::AbortHandle};

/// Closed when dropped.
pub struct Host {
    /// Where it belongs.
    pub interface: Interface,
    /// Where it listens.
    pub address: SocketAddr,
    socket: Arc<UdpSocket>,
    receiver: AbortHandle,
}

impl Drop for Host {
    fn drop(&mut self) {
        self.receiver.abort();
    }
}

impl Host {
    /// Opens a socket on any free port; what comes goes to the inbox from a task on the current runtime.
    pub fn open(interface: Interface, inbox: Inbox) -> io::Result<Self> {
        let socket = std::net::UdpSocket::bind((interface.ip, 0))?;
        socket.set_nonblocking(true)?;
        leave_through(&socket, interface);
        let socket = Arc::new(UdpSocket::from_std(socket)?);
        let local = socket.local_addr()?;
        let reader = socket.clone();
        let task = tokio::spawn(async move {
            let mut buffer = vec![0; 2_048];
            loop {
                match reader.recv_from(&mut buffer).await {
                    Ok((size, source)) => inbox(Arrived::Datagram {
                        local,
                        source,
                        bytes: buffer[..size].to_vec(),
                        at: Instant::now(),
                    }),
                    // "Connection refused" of an earlier datagram; the socket itself goes on.
                    Err(error) => tracing::trace!(%error, "receiving"),
                }
            }
        });
        Ok(Self {
            interface,
            address: local,
            socket,
            receiver: task.abort_handle(),
        })
    }

    /// A full socket buffer or an unreachable address is a lost packet, as on any network.
    pub fn send(&self, bytes: &[u8], to: SocketAddr) {
        if let Err(error) = self.socket.try_send_to(bytes, to) {
            tracing::trace!(%error, "a datagram was not sent");
        }
    }
}

/// Linux chooses the way out by the destination alone, so that all sockets of a machine with two networks
/// would use the same one, and a second path would be none. Binding to the device instead would cut off a
/// browser on the same machine, whose datagrams come in over loopback.
#[cfg(target_os = "linux")]
fn leave_through(socket: &std::net::UdpSocket, interface: Interface) {
    use std::os::fd::AsRawFd;
    let Some(index) = interface.index else { return };
    let (level, name) = match interface.ip {
        std::net::IpAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_UNICAST_IF),
        std::net::IpAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_UNICAST_IF),
    };
    // In network byte order (ip(7)).
    let value = index.to_be();
    // SAFETY: the option's value is a four-byte integer that outlives the call.
    let set = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            size_of_val(&value) as libc::socklen_t,
        )
    };
    if set != 0 {
        tracing::debug!(error = %io::Error::last_os_error(), "the way out follows the routing table");
    }
}

/// Elsewhere a socket's own address chooses the interface.
#[cfg(not(target_os = "linux"))]
fn leave_through(_: &std::net::UdpSocket, _: Interface) {}
