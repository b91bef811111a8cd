//! The ways out of this network: what STUN servers see, and whether relays let this desk in.

use crate::transport::{
    Arrived, Inbox, RelayEvent, interfaces,
    relay::{Relay, RelayFault},
    server::{self, Server, TurnServer},
};
use sightline_call::readiness::figures::{CertificateTrouble, RelayMeasured, RelayTrouble, StunMeasured};
use sightline_wire::{device::TransportProtocol, escalation::IceServer};
use std::{
    collections::{BTreeMap, HashMap},
    future::pending,
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    net::{UdpSocket, lookup_host},
    sync::mpsc,
    task::JoinSet,
    time::{sleep_until, timeout},
};
use turn_client_proto::types::stun::{
    attribute::XorMappedAddress,
    message::{BINDING, Message, MessageClass, MessageWriteVec, TransactionId},
    prelude::{MessageWrite, MessageWriteExt},
};

/// Servers asked at most; one that lists more gets the first of them.
const MOST: usize = 8;
/// Asked again after this, and each time after twice as long (RFC 8489, 6.2.1).
const AGAIN: Duration = Duration::from_millis(250);
/// A relay is given back within this time, or by the server's own timeout.
const GOODBYE: Duration = Duration::from_millis(500);

/// Tries every relay of the list that is reached by this protocol, all at the same time and with the call's own
/// client, until the first one has given an address, and gives them back. On a tokio runtime; takes `deadline` at
/// most, and half a second for the giving back.
pub async fn relay(
    servers: &[IceServer],
    protocol: TransportProtocol,
    extra_ca: Option<PathBuf>,
    deadline: Duration,
) -> RelayMeasured {
    let mut listed: Vec<TurnServer> = Vec::new();
    for server in server::parse(servers) {
        match server {
            Server::Turn(turn) if turn.protocol == protocol && !listed.contains(&turn) => listed.push(turn),
            Server::Turn(_) | Server::Stun { .. } => {}
        }
    }
    listed.truncate(MOST);
    let (tell, mut told) = mpsc::unbounded_channel();
    let inbox: Inbox = Arc::new(move |arrived| {
        if let Arrived::Relay { number, event } = arrived {
            // Whoever listens has gone only when the run is over.
            let _ = tell.send((number, event));
        }
    });
    let (alive, mut goodbyes) = mpsc::channel(1);
    let begun = Instant::now();
    let open = |(number, turn): (usize, &TurnServer)| {
        Relay::open_after(
            Duration::ZERO,
            number,
            turn.clone(),
            extra_ca.clone(),
            inbox.clone(),
            alive.clone(),
        )
    };
    let relays: Vec<Relay> = listed.iter().enumerate().map(open).collect();
    let first = timeout(deadline, first_up(&mut told, relays.len())).await;
    let took = begun.elapsed();
    drop((relays, inbox, alive));
    // They say goodbye, and let go of the line one after the other.
    let _ = timeout(GOODBYE, goodbyes.recv()).await;
    let (number, up_ms) = match first {
        Ok(Ok(number)) => (number, Ok(took.as_secs_f64() * 1e3)),
        Ok(Err((number, trouble))) => (number, Err(trouble)),
        Err(_) => (0, Err(RelayTrouble::Blocked)),
    };
    RelayMeasured {
        protocol,
        server: listed.get(number).map(place).unwrap_or_default(),
        up_ms,
    }
}

/// The number of the first relay that has given an address; else of the one whose failure says most, and why.
async fn first_up(
    told: &mut mpsc::UnboundedReceiver<(usize, RelayEvent)>,
    tried: usize,
) -> Result<usize, (usize, RelayTrouble)> {
    let mut failed = Vec::new();
    while failed.len() < tried {
        match told.recv().await {
            Some((number, RelayEvent::Up { .. })) => return Ok(number),
            Some((number, RelayEvent::Failed(fault))) => failed.push((number, trouble(fault))),
            Some((_, RelayEvent::Data { .. })) => {}
            None => break,
        }
    }
    let telling = |trouble: &RelayTrouble| match trouble {
        RelayTrouble::Refused { .. } => 4,
        RelayTrouble::Certificate(_) => 3,
        RelayTrouble::Blocked | RelayTrouble::NoData => 2,
        RelayTrouble::Unresolved => 1,
        RelayTrouble::Absent => 0,
    };
    let most = failed.into_iter().max_by_key(|(_, trouble)| telling(trouble));
    Err(most.unwrap_or((0, RelayTrouble::Absent)))
}

fn trouble(fault: RelayFault) -> RelayTrouble {
    match fault {
        RelayFault::Unresolved => RelayTrouble::Unresolved,
        RelayFault::Unreachable => RelayTrouble::Blocked,
        RelayFault::Certificate(error) => RelayTrouble::Certificate(certificate(&error)),
        RelayFault::Refused(code) => RelayTrouble::Refused { code },
    }
}

fn certificate(error: &rustls::CertificateError) -> CertificateTrouble {
    use rustls::CertificateError as Error;
    match error {
        Error::Expired | Error::ExpiredContext { .. } => CertificateTrouble::Expired,
        Error::NotValidYet | Error::NotValidYetContext { .. } => CertificateTrouble::NotYetValid,
        Error::NotValidForName | Error::NotValidForNameContext { .. } => CertificateTrouble::WrongName,
        Error::UnknownIssuer | Error::BadSignature => CertificateTrouble::Untrusted,
        _ => CertificateTrouble::Other,
    }
}

fn place(turn: &TurnServer) -> String {
    if turn.host.contains(':') {
        format!("[{}]:{}", turn.host, turn.port)
    } else {
        format!("{}:{}", turn.host, turn.port)
    }
}

/// Asks every STUN server of the list, and every relay over datagrams, which is one too, all from the same socket,
/// until each has answered or `deadline` is over. On a tokio runtime.
pub async fn stun(servers: &[IceServer], deadline: Duration) -> StunMeasured {
    let mut places: Vec<(String, u16)> = Vec::new();
    for server in server::parse(servers) {
        let place = match server {
            Server::Stun { host, port } => (host, port),
            Server::Turn(turn) if turn.protocol == TransportProtocol::Udp => (turn.host, turn.port),
            Server::Turn(_) => continue,
        };
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places.truncate(MOST);
    let count = places.len() as u16;
    let mut asking = Asking::open().await;
    // The deadline is the answer of those who have none.
    let _ = timeout(deadline, asking.ask_all(places)).await;
    asking.measured(count)
}

/// One socket for each kind of address, and what was asked and answered through them.
struct Asking {
    four: Option<UdpSocket>,
    six: Option<UdpSocket>,
    questions: HashMap<TransactionId, (usize, SocketAddr, Instant)>,
    /// By the server's number.
    answers: BTreeMap<usize, Answer>,
}

#[derive(Debug, Clone, Copy)]
struct Answer {
    took: Duration,
    /// How the socket looks from there.
    mapped: SocketAddr,
    /// The socket itself.
    local: SocketAddr,
}

impl Asking {
    async fn open() -> Self {
        let open = |address: SocketAddr| async move {
            let socket = UdpSocket::bind(address).await?;
            // A fresh socket refuses what is sent before the runtime has looked at it.
            socket.writable().await?;
            Ok::<_, io::Error>(socket)
        };
        let or_none = |opened: io::Result<UdpSocket>| {
            opened
                .inspect_err(|error| tracing::debug!(%error, "no socket to ask from"))
                .ok()
        };
        Self {
            four: or_none(open((Ipv4Addr::UNSPECIFIED, 0).into()).await),
            six: or_none(open((Ipv6Addr::UNSPECIFIED, 0).into()).await),
            questions: HashMap::new(),
            answers: BTreeMap::new(),
        }
    }

    fn socket(&self, address: SocketAddr) -> Option<&UdpSocket> {
        match address {
            SocketAddr::V4(_) => self.four.as_ref(),
            SocketAddr::V6(_) => self.six.as_ref(),
        }
    }

    /// Ends when everybody who has an address has answered.
    async fn ask_all(&mut self, places: Vec<(String, u16)>) {
        let mut finding = JoinSet::new();
        for (number, place) in places.into_iter().enumerate() {
            finding.spawn(async move {
                let found = lookup_host(place).await.map(Iterator::collect::<Vec<SocketAddr>>);
                (number, found.unwrap_or_default())
            });
        }
        let mut found: BTreeMap<usize, Vec<SocketAddr>> = BTreeMap::new();
        let (mut wait, mut again) = (AGAIN, tokio::time::Instant::now() + AGAIN);
        let (mut from_four, mut from_six) = ([0; 1_500], [0; 1_500]);
        while !finding.is_empty() || found.keys().any(|number| !self.answers.contains_key(number)) {
            let arrived = tokio::select! {
                Some(Ok((number, addresses))) = finding.join_next() => {
                    self.ask(number, &addresses);
                    if !addresses.is_empty() {
                        found.insert(number, addresses);
                    }
                    continue;
                }
                () = sleep_until(again) => {
                    wait *= 2;
                    again += wait;
                    for (number, addresses) in &found {
                        self.ask(*number, addresses);
                    }
                    continue;
                }
                arrived = receive(self.four.as_ref(), &mut from_four) => arrived,
                arrived = receive(self.six.as_ref(), &mut from_six) => arrived,
            };
            match arrived {
                Ok((source, datagram)) => self.hear(source, datagram),
                // "Connection refused" of an earlier question, on systems that tell.
                Err(error) => tracing::trace!(%error, "asking for our address"),
            }
        }
    }

    /// Every address of a server that has not answered yet; a lost question is asked again.
    fn ask(&mut self, number: usize, addresses: &[SocketAddr]) {
        if self.answers.contains_key(&number) {
            return;
        }
        for address in addresses {
            let Some(socket) = self.socket(*address) else { continue };
            let request = Message::builder_request(BINDING, MessageWriteVec::new());
            let transaction = request.transaction_id();
            match socket.try_send_to(&request.finish(), *address) {
                Ok(_) => _ = self.questions.insert(transaction, (number, *address, Instant::now())),
                Err(error) => tracing::debug!(%error, "a STUN server was not asked"),
            }
        }
    }

    fn hear(&mut self, source: SocketAddr, datagram: &[u8]) {
        let now = Instant::now();
        let Ok(message) = Message::from_bytes(datagram) else {
            return;
        };
        let transaction = message.transaction_id();
        let Some((number, asked, at)) = self.questions.get(&transaction).copied() else {
            return;
        };
        if message.class() != MessageClass::Success || asked != source {
            return;
        }
        let mapped = message
            .attribute::<XorMappedAddress>()
            .map(|mapped| mapped.addr(transaction));
        let local = self.socket(source).and_then(|socket| socket.local_addr().ok());
        if let (Ok(mapped), Some(local)) = (mapped, local) {
            let took = now.saturating_duration_since(at);
            self.answers.entry(number).or_insert(Answer { took, mapped, local });
        }
    }

    fn measured(&self, servers: u16) -> StunMeasured {
        let own = interfaces::usable().unwrap_or_default();
        let is_own = |answer: &Answer| {
            let ip = answer.mapped.ip();
            let here = ip.is_loopback() || own.iter().any(|interface| interface.ip == ip);
            here && answer.mapped.port() == answer.local.port()
        };
        let answers = || self.answers.values();
        let quickest = answers().map(|answer| answer.took).min();
        // Two answers about the same socket.
        let pairs = || {
            answers().enumerate().flat_map(move |(n, one)| {
                let others = self.answers.values().skip(n + 1);
                others
                    .filter(move |other| other.local == one.local)
                    .map(move |other| (one, other))
            })
        };
        StunMeasured {
            servers,
            answered: self.answers.len() as u16,
            rtt_ms: quickest.map(|took| took.as_secs_f64() * 1e3),
            translated: quickest.map(|_| answers().any(|answer| !is_own(answer))),
            by_destination: pairs()
                .next()
                .map(|_| pairs().any(|(one, other)| one.mapped != other.mapped)),
        }
    }
}

/// The next datagram of a socket; never one of a socket that does not exist.
async fn receive<'a>(socket: Option<&UdpSocket>, buffer: &'a mut [u8]) -> io::Result<(SocketAddr, &'a [u8])> {
    let Some(socket) = socket else { return pending().await };
    let (size, source) = socket.recv_from(buffer).await?;
    Ok((source, &buffer[..size]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
    }

    fn list(urls: &[String]) -> Vec<IceServer> {
        vec![IceServer {
            urls: urls.to_vec(),
            username: Some("1700000000:ana".into()),
            credential: Some("hash".into()),
        }]
    }

    /// A STUN server on loopback that sees every port this much higher than it is. Ends with the runtime.
    async fn stun_server(higher: u16) -> SocketAddr {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("binds");
        let address = socket.local_addr().expect("bound");
        tokio::spawn(async move {
            let mut buffer = [0; 1_500];
            while let Ok((size, source)) = socket.recv_from(&mut buffer).await {
                let request = Message::from_bytes(&buffer[..size]).expect("STUN");
                let seen = SocketAddr::new(source.ip(), source.port().wrapping_add(higher));
                let mut answer = Message::builder_success(&request, MessageWriteVec::new());
                let mapped = XorMappedAddress::new(seen, request.transaction_id());
                answer.add_attribute(&mapped).expect("fits");
                socket.send_to(&answer.finish(), source).await.expect("sends");
            }
        });
        address
    }

    #[test]
    fn servers_that_answer_are_counted_and_what_they_see_is_compared() {
        runtime().block_on(async {
            let (one, two, three) = (stun_server(0).await, stun_server(0).await, stun_server(1).await);
            let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("binds");
            let silent = silent.local_addr().expect("bound");
            let url = |server: SocketAddr| format!("stun:{server}");

            let open = stun(&list(&[url(one), url(two)]), Duration::from_secs(20)).await;
            assert_eq!((open.servers, open.answered), (2, 2));
            assert_eq!((open.translated, open.by_destination), (Some(false), Some(false)));
            assert!(open.rtt_ms.is_some_and(|rtt| rtt < 10_000.0), "{open:?}");

            let strict = stun(&list(&[url(one), url(three)]), Duration::from_secs(20)).await;
            assert_eq!((strict.translated, strict.by_destination), (Some(true), Some(true)));

            let half = stun(&list(&[url(one), url(one), url(silent)]), Duration::from_millis(300)).await;
            assert_eq!((half.servers, half.answered, half.by_destination), (2, 1, None));

            let none = stun(&list(&[url(silent)]), Duration::from_millis(100)).await;
            assert_eq!(
                (none.servers, none.answered, none.rtt_ms, none.translated),
                (1, 0, None, None)
            );
            assert_eq!(stun(&[], Duration::from_secs(20)).await.servers, 0);
        });
    }

    #[test]
    fn relays_that_are_not_listed_not_named_or_not_there_are_told_apart() {
        runtime().block_on(async {
            let wait = Duration::from_secs(20);
            let urls = ["turn:127.0.0.1:9?transport=tcp".to_owned()];
            let absent = relay(&list(&urls), TransportProtocol::Tls, None, wait).await;
            assert_eq!((absent.up_ms, absent.server.as_str()), (Err(RelayTrouble::Absent), ""));
            let blocked = relay(&list(&urls), TransportProtocol::Tcp, None, wait).await;
            assert_eq!(blocked.up_ms, Err(RelayTrouble::Blocked));
            assert_eq!(blocked.server, "127.0.0.1:9");
            // No part of a name is that long: no name server has to be asked.
            let urls = [format!("turn:{}:3478?transport=tcp", "x".repeat(70))];
            let unnamed = relay(&list(&urls), TransportProtocol::Tcp, None, wait).await;
            assert_eq!(unnamed.up_ms, Err(RelayTrouble::Unresolved));
        });
    }

    #[test]
    fn of_several_failures_the_one_that_says_most_is_told() {
        let told = |faults: Vec<RelayFault>| {
            let (tell, mut told) = mpsc::unbounded_channel();
            let count = faults.len();
            for (number, fault) in faults.into_iter().enumerate() {
                tell.send((number, RelayEvent::Failed(fault)))
                    .expect("somebody listens");
            }
            runtime().block_on(first_up(&mut told, count))
        };
        let refused = RelayFault::Refused(486);
        let expired = RelayFault::Certificate(rustls::CertificateError::Expired);
        assert_eq!(
            told(vec![RelayFault::Unresolved, refused.clone(), expired.clone()]),
            Err((1, RelayTrouble::Refused { code: 486 }))
        );
        assert_eq!(
            told(vec![expired, RelayFault::Unreachable]),
            Err((0, RelayTrouble::Certificate(CertificateTrouble::Expired)))
        );
        assert_eq!(told(Vec::new()), Err((0, RelayTrouble::Absent)));
    }
}
