//! TURN over TCP and TLS: for networks that let no datagram out.
//!
//! A connection that holds no allocation is closed soon, so that opening many of them costs a stranger more than
//! us; one whose reader does not keep up loses frames first and is then closed.

use super::{
    config::TurnTls,
    frames::Frames,
    relay::{RelayError, Shared},
    service::{Client, Via},
};
use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

/// Connections in all, and from one address (many customers may share one).
const CONNECTIONS: usize = 1_024;
const CONNECTIONS_PER_ADDRESS: usize = 128;
/// A handshake, a frame that has begun, a write that waits, and a connection without an allocation get this long.
const PATIENCE: Duration = Duration::from_secs(15);
/// Frames that may wait for a connection: half a second of a call's pictures.
const WAITING_FRAMES: usize = 256;
const LARGEST_WRITE: usize = 32 * 1024;

/// Where TLS is accepted, with which certificate.
pub struct Tls {
    listener: TcpListener,
    address: SocketAddr,
    acceptor: TlsAcceptor,
}

impl Tls {
    /// Reads the certificate and listens.
    pub async fn open(config: &TurnTls) -> Result<Self, RelayError> {
        let wrong = |what: &dyn std::fmt::Display| RelayError::Certificate(what.to_string());
        let chain = CertificateDer::pem_file_iter(&config.certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| wrong(&error))?;
        let key = PrivateKeyDer::from_pem_file(&config.key).map_err(|error| wrong(&error))?;
        let tls = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|tls| tls.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| wrong(&error))?;
        let failed = |source| RelayError::Bind {
            address: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self {
            listener,
            address,
            acceptor: TlsAcceptor::from(Arc::new(tls)),
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Accepts connections for as long as the relay runs.
pub async fn accept(shared: Arc<Shared>, plain: TcpListener, tls: Option<Tls>) {
    let open = Arc::new(Open::default());
    let mut connections = JoinSet::new();
    loop {
        let (accepted, acceptor) = tokio::select! {
            accepted = plain.accept() => (accepted, None),
            accepted = accept_tls(tls.as_ref()) => (accepted, tls.as_ref().map(|tls| tls.acceptor.clone())),
            Some(_) = connections.join_next() => continue,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: asking again at once would not help.
                tracing::warn!(%error, "the relay could not accept a connection");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(place) = Place::take(&open, from.ip().to_canonical()) else {
            continue;
        };
        let shared = shared.clone();
        connections.spawn(async move {
            let _place = place;
            let address = SocketAddr::new(from.ip().to_canonical(), from.port());
            let _ = stream.set_nodelay(true);
            match acceptor {
                None => serve(shared, stream, address).await,
                Some(acceptor) => {
                    if let Ok(Ok(stream)) = timeout(PATIENCE, acceptor.accept(stream)).await {
                        serve(shared, stream, address).await;
                    }
                }
            }
        });
    }
}

async fn accept_tls(tls: Option<&Tls>) -> io::Result<(TcpStream, SocketAddr)> {
    match tls {
        Some(tls) => tls.listener.accept().await,
        None => std::future::pending().await,
    }
}

/// One connection, until it is closed, breaks the rules, or has nothing relayed for a while.
async fn serve(shared: Arc<Shared>, stream: impl AsyncRead + AsyncWrite, address: SocketAddr) {
    let (frames, mut waiting) = mpsc::channel(WAITING_FRAMES);
    let client = Client {
        via: Via::Stream(shared.join(frames)),
        address,
    };
    let (mut reader, mut writer) = split(stream);
    let mut cutter = Frames::default();
    let mut buffer = [0; 4 * 1024];
    let mut whole_at = Instant::now();
    let mut idle_since = Instant::now();
    let mut look = interval(PATIENCE / 3);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            read = reader.read(&mut buffer) => {
                let Ok(length @ 1..) = read else { break };
                if cutter.push(&buffer[..length], |frame| shared.heard(client, frame)).is_err() {
                    break;
                }
                if !cutter.partial() {
                    whole_at = Instant::now();
                }
            }
            frame = waiting.recv() => {
                let Some(mut bytes) = frame else { break };
                while bytes.len() < LARGEST_WRITE && let Ok(more) = waiting.try_recv() {
                    bytes.extend(more);
                }
                let written = timeout(PATIENCE, async {
                    writer.write_all(&bytes).await?;
                    writer.flush().await
                });
                if !matches!(written.await, Ok(Ok(()))) {
                    break;
                }
            }
            _ = look.tick() => {
                if shared.serves(client) {
                    idle_since = Instant::now();
                }
                let stuck = cutter.partial() && whole_at.elapsed() > PATIENCE;
                if stuck || idle_since.elapsed() > PATIENCE {
                    break;
                }
            }
        }
    }
    shared.leave(client);
    let _ = timeout(Duration::from_secs(1), writer.shutdown()).await;
}

/// How many connections are open, by address.
#[derive(Default)]
struct Open(Mutex<HashMap<IpAddr, usize>>);

/// One connection's place among them, given back when dropped.
struct Place {
    open: Arc<Open>,
    from: IpAddr,
}

impl Place {
    fn take(open: &Arc<Open>, from: IpAddr) -> Option<Self> {
        let mut held = open.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.values().sum::<usize>() >= CONNECTIONS {
            return None;
        }
        let mine = held.entry(from).or_default();
        if *mine >= CONNECTIONS_PER_ADDRESS {
            return None;
        }
        *mine += 1;
        Some(Self {
            open: open.clone(),
            from,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.open.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mine) = held.get_mut(&self.from) {
            *mine -= 1;
            if *mine == 0 {
                held.remove(&self.from);
            }
        }
    }
}
