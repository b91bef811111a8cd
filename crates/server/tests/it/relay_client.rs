//! A TURN client made from another implementation of the protocol than the server's, over real sockets.

use sightline_wire::escalation::IceServer;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use stun_types::{
    attribute::{ErrorCode, Nonce, Realm, Username},
    message::{
        BINDING, IntegrityAlgorithm, LongTermKeyCredentials, Message, MessageClass, MessageWrite, MessageWriteExt,
        MessageWriteVec, Method,
    },
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    time::timeout,
};
use tokio_rustls::{TlsConnector, rustls};
use turn_types::{
    attribute::{ChannelNumber, Data, Lifetime, RequestedTransport, XorPeerAddress, XorRelayedAddress},
    message::{ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, REFRESH, SEND},
};

const PATIENCE: Duration = Duration::from_secs(10);
pub const UDP: u8 = 17;

/// A stream of any kind.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

enum Wire {
    Datagrams(UdpSocket),
    Stream(Box<dyn Stream>),
}

/// One client.
pub struct Client {
    wire: Wire,
    username: String,
    password: String,
    realm: String,
    nonce: String,
}

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    Granted,
    Refused(u16),
}

/// Where a server's relay is reached by this transport.
pub fn address(server: &IceServer, scheme: &str, transport: &str) -> SocketAddr {
    server
        .urls
        .iter()
        .find_map(|url| {
            let rest = url.strip_prefix(scheme)?.strip_prefix(':')?;
            rest.strip_suffix(&format!("?transport={transport}"))?.parse().ok()
        })
        .unwrap_or_else(|| panic!("no {scheme} over {transport} among {:?}", server.urls))
}

impl Client {
    pub async fn datagrams(server: &IceServer) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(address(server, "turn", "udp")).await.unwrap();
        Self::new(Wire::Datagrams(socket), server)
    }

    pub async fn tcp(server: &IceServer) -> Self {
        let stream = TcpStream::connect(address(server, "turn", "tcp")).await.unwrap();
        Self::new(Wire::Stream(Box::new(stream)), server)
    }

    /// Over TLS, trusting this certificate only, which is made out for `localhost`.
    pub async fn tls(server: &IceServer, trusted: rustls::pki_types::CertificateDer<'static>) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(trusted).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(address(server, "turns", "tcp")).await.unwrap();
        let name = "localhost".try_into().unwrap();
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .unwrap();
        Self::new(Wire::Stream(Box::new(stream)), server)
    }

    fn new(wire: Wire, server: &IceServer) -> Self {
        Self {
            wire,
            username: server.username.clone().unwrap(),
            password: server.credential.clone().unwrap(),
            realm: String::new(),
            nonce: String::new(),
        }
    }

    pub fn with_password(mut self, password: &str) -> Self {
        self.password = password.into();
        self
    }

    /// Allocates: the relayed address, or the error's code.
    pub async fn allocate(&mut self) -> Result<SocketAddr, u16> {
        self.allocate_for(UDP).await
    }

    pub async fn allocate_for(&mut self, transport: u8) -> Result<SocketAddr, u16> {
        self.allocate_with(transport, |_| {}).await
    }

    /// Asking for more than an address.
    pub async fn allocate_with(
        &mut self,
        transport: u8,
        fill: impl Fn(&mut MessageWriteVec),
    ) -> Result<SocketAddr, u16> {
        let raw = self
            .request(ALLOCATE, |request, _| {
                request.add_attribute(&RequestedTransport::new(transport)).unwrap();
                fill(request);
            })
            .await;
        let message = Message::from_bytes(&raw).unwrap();
        match answer(&message) {
            Answer::Granted => {
                let relayed = message.attribute::<XorRelayedAddress>().unwrap();
                Ok(relayed.addr(message.transaction_id()))
            }
            Answer::Refused(code) => Err(code),
        }
    }

    pub async fn refresh(&mut self, seconds: u32) -> Answer {
        let raw = self
            .request(REFRESH, |request, _| {
                request.add_attribute(&Lifetime::new(seconds)).unwrap();
            })
            .await;
        answer(&Message::from_bytes(&raw).unwrap())
    }

    pub async fn create_permission(&mut self, peer: SocketAddr) -> Answer {
        self.about(CREATE_PERMISSION, peer, None).await
    }

    pub async fn channel_bind(&mut self, peer: SocketAddr, number: u16) -> Answer {
        self.about(CHANNEL_BIND, peer, Some(number)).await
    }

    /// A TCP connection to a peer (RFC 6062).
    pub async fn connect(&mut self, peer: SocketAddr) -> Answer {
        self.about(Method::new(0x000A), peer, None).await
    }

    async fn about(&mut self, method: Method, peer: SocketAddr, number: Option<u16>) -> Answer {
        let raw = self
            .request(method, |request, transaction| {
                request.add_attribute(&XorPeerAddress::new(peer, transaction)).unwrap();
                if let Some(number) = number {
                    request.add_attribute(&ChannelNumber::new(number)).unwrap();
                }
            })
            .await;
        answer(&Message::from_bytes(&raw).unwrap())
    }

    /// Asks without a credential, and again with one when challenged.
    async fn request(
        &mut self,
        method: Method,
        fill: impl Fn(&mut MessageWriteVec, stun_types::message::TransactionId),
    ) -> Vec<u8> {
        if self.nonce.is_empty() {
            let mut request = Message::builder_request(method, MessageWriteVec::new());
            let transaction = request.transaction_id();
            fill(&mut request, transaction);
            request.add_fingerprint().unwrap();
            let raw = self.exchange(&request.finish()).await;
            let challenge = Message::from_bytes(&raw).unwrap();
            assert_eq!(answer(&challenge), Answer::Refused(401));
            self.realm = challenge.attribute::<Realm>().unwrap().realm().into();
            self.nonce = challenge.attribute::<Nonce>().unwrap().nonce().into();
        }
        let mut request = Message::builder_request(method, MessageWriteVec::new());
        let transaction = request.transaction_id();
        fill(&mut request, transaction);
        request.add_attribute(&Username::new(&self.username).unwrap()).unwrap();
        request.add_attribute(&Realm::new(&self.realm).unwrap()).unwrap();
        request.add_attribute(&Nonce::new(&self.nonce).unwrap()).unwrap();
        let credentials =
            LongTermKeyCredentials::new(self.username.clone(), self.password.clone(), self.realm.clone()).into();
        request
            .add_message_integrity(&credentials, IntegrityAlgorithm::Sha1)
            .unwrap();
        request.add_fingerprint().unwrap();
        let raw = self.exchange(&request.finish()).await;
        let message = Message::from_bytes(&raw).unwrap();
        assert_eq!(message.transaction_id(), transaction);
        if answer(&message) != Answer::Refused(401) {
            message
                .validate_integrity(&credentials)
                .expect("the server signs its answers");
        }
        raw
    }

    /// The address the server sees, by a request that needs no credential.
    pub async fn binding(&mut self) -> Vec<u8> {
        let mut request = Message::builder_request(BINDING, MessageWriteVec::new());
        request.add_fingerprint().unwrap();
        self.exchange(&request.finish()).await
    }

    async fn exchange(&mut self, raw: &[u8]) -> Vec<u8> {
        self.send_raw(raw).await;
        self.next().await
    }

    /// Sends data to a peer as an indication.
    pub async fn indicate(&mut self, peer: SocketAddr, data: &[u8]) {
        let mut indication = Message::builder_indication(SEND, MessageWriteVec::new());
        let transaction = indication.transaction_id();
        indication
            .add_attribute(&XorPeerAddress::new(peer, transaction))
            .unwrap();
        indication.add_attribute(&Data::new(data)).unwrap();
        self.send_raw(&indication.finish()).await;
    }

    /// Sends data on a channel.
    pub async fn channel(&mut self, number: u16, data: &[u8]) {
        let mut frame = number.to_be_bytes().to_vec();
        frame.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        frame.extend(data);
        if matches!(self.wire, Wire::Stream(_)) {
            frame.resize(frame.len().next_multiple_of(4), 0);
        }
        self.send_raw(&frame).await;
    }

    pub async fn send_raw(&mut self, raw: &[u8]) {
        match &mut self.wire {
            Wire::Datagrams(socket) => {
                socket.send(raw).await.unwrap();
            }
            Wire::Stream(stream) => {
                stream.write_all(raw).await.unwrap();
                stream.flush().await.unwrap();
            }
        }
    }

    /// The next message or channel frame.
    pub async fn next(&mut self) -> Vec<u8> {
        timeout(PATIENCE, self.receive()).await.expect("an answer in time")
    }

    async fn receive(&mut self) -> Vec<u8> {
        match &mut self.wire {
            Wire::Datagrams(socket) => {
                let mut buffer = vec![0; 2_048];
                let length = socket.recv(&mut buffer).await.unwrap();
                buffer.truncate(length);
                buffer
            }
            Wire::Stream(stream) => {
                let mut frame = vec![0; 4];
                stream.read_exact(&mut frame).await.unwrap();
                let length = usize::from(u16::from_be_bytes([frame[2], frame[3]]));
                let whole = if frame[0] < 0x40 { 20 + length } else { 4 + length };
                frame.resize(whole.next_multiple_of(4), 0);
                stream.read_exact(&mut frame[4..]).await.unwrap();
                frame.truncate(whole);
                frame
            }
        }
    }

    /// Waits until the server closes the stream.
    pub async fn closed(&mut self, within: Duration) {
        let Wire::Stream(stream) = &mut self.wire else {
            panic!("datagrams are never closed");
        };
        let read = async { while !matches!(stream.read(&mut [0; 256]).await, Ok(0) | Err(_)) {} };
        timeout(within, read).await.expect("the server closes it");
    }
}

fn answer(message: &Message<'_>) -> Answer {
    match message.class() {
        MessageClass::Success => Answer::Granted,
        MessageClass::Error => Answer::Refused(message.attribute::<ErrorCode>().unwrap().code()),
        MessageClass::Request | MessageClass::Indication => panic!("no answer: {message}"),
    }
}
