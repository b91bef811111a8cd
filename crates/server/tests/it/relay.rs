//! The relay, by a client made from another implementation: whom it serves, where it sends to, and what a
//! stranger can do to it.

use crate::{
    harness::{Folder, World},
    relay_client::{Answer, Client, address},
};
use serde_json::json;
use sightline_server::{EmbeddedTurn, Secret, TurnConfig, TurnTls};
use sightline_wire::{
    ErrorCode,
    conversation::Conversation,
    escalation::{EscalationView, IceConfig, IcePolicy, IceServer, VideoStarted},
    room::RoomEvent,
};
use std::{
    net::SocketAddr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use stun_types::message::Message;
use tokio::{
    io::AsyncReadExt,
    net::{TcpStream, UdpSocket},
    process::Command,
    time::{sleep, timeout},
};
use tokio_rustls::rustls::pki_types::CertificateDer;
use turn_types::attribute::{Data, XorPeerAddress};
use uuid::Uuid;

/// A server with a relay at a free port.
pub async fn world(change: impl FnOnce(&mut EmbeddedTurn)) -> World {
    let mut relay = EmbeddedTurn {
        listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        ..EmbeddedTurn::default()
    };
    change(&mut relay);
    World::with(|config| config.turn = TurnConfig::Embedded(relay)).await
}

/// This machine may be relayed to.
pub fn here(relay: &mut EmbeddedTurn) {
    relay.allow = vec!["127.0.0.1/32".parse().unwrap()];
}

pub async fn call(world: &World) -> (crate::harness::Desk, VideoStarted) {
    let (desk, _page, conversation) = world.active().await;
    let started = desk.start_video(conversation.id, Uuid::new_v4()).await.unwrap();
    (desk, started)
}

pub fn relay_of(started: &VideoStarted) -> &IceServer {
    started.ice_servers.first().expect("a relay is named")
}

/// Twenty ranges of IANA's registries that a relay must not reach (S1).
const SPECIAL: [&str; 20] = [
    "0.0.0.0:9",
    "10.0.0.1:9",
    "100.64.0.1:9",
    "127.0.0.1:9",
    "169.254.169.254:80",
    "172.16.0.1:9",
    "192.0.0.1:9",
    "192.0.2.1:9",
    "192.168.0.1:9",
    "198.18.0.1:9",
    "203.0.113.1:9",
    "224.0.0.1:9",
    "255.255.255.255:9",
    "[::]:9",
    "[::1]:9",
    "[::ffff:127.0.0.1]:9",
    "[64:ff9b::a9fe:a9fe]:9",
    "[2002:7f00:1::]:9",
    "[fd00::1]:9",
    "[fe80::1]:9",
];

#[tokio::test]
async fn sixty_of_sixty_ways_into_special_networks_are_closed() {
    let world = world(|_| {}).await;
    let (_desk, started) = call(&world).await;
    let mut client = Client::datagrams(relay_of(&started)).await;
    client.allocate().await.unwrap();
    let mut denied = 0;
    for (number, peer) in (0x4000..).zip(SPECIAL) {
        let peer: SocketAddr = peer.parse().unwrap();
        for answer in [
            client.create_permission(peer).await,
            client.channel_bind(peer, number).await,
            client.connect(peer).await,
        ] {
            assert_eq!(answer, Answer::Refused(403), "{peer}");
            denied += 1;
        }
    }
    assert_eq!(denied, 60);

    // The control: the same client may have a public peer. (Nothing is sent to it.)
    let public: SocketAddr = "8.8.8.8:9".parse().unwrap();
    assert_eq!(client.create_permission(public).await, Answer::Granted);
    assert_eq!(client.channel_bind(public, 0x4FFF).await, Answer::Granted);
    // TCP to peers is not served at all.
    assert_eq!(client.connect(public).await, Answer::Refused(442));
    let mut other = Client::datagrams(relay_of(&started)).await;
    assert_eq!(other.allocate_for(6).await, Err(442));
}

#[tokio::test]
async fn a_credential_ends_with_its_time_and_the_allocation_goes_on() {
    let world = world(|relay| relay.ttl = Duration::from_secs(2)).await;
    let (_desk, started) = call(&world).await;
    let server = relay_of(&started);
    let expiry: u64 = server
        .username
        .as_ref()
        .unwrap()
        .split(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();

    let mut wrong = Client::datagrams(server).await.with_password("wrong");
    assert_eq!(wrong.allocate().await, Err(401));
    let mut client = Client::datagrams(server).await;
    client.allocate().await.unwrap();

    loop {
        let left = (UNIX_EPOCH + Duration::from_secs(expiry)).duration_since(SystemTime::now());
        match left {
            Ok(left) => sleep(left + Duration::from_millis(5)).await,
            Err(_) => break,
        }
    }
    let mut late = Client::datagrams(server).await;
    assert_eq!(late.allocate().await, Err(401));
    // A call outlives the credential that it began with.
    assert_eq!(client.refresh(600).await, Answer::Granted);
    assert_eq!(client.refresh(0).await, Answer::Granted);
    assert_eq!(client.allocate().await, Err(401));
}

#[tokio::test]
async fn one_user_has_twelve_allocations() {
    let world = world(|_| {}).await;
    let (_desk, started) = call(&world).await;
    let mut clients = Vec::new();
    for _ in 0..12 {
        let mut client = Client::datagrams(relay_of(&started)).await;
        client.allocate().await.unwrap();
        clients.push(client);
    }
    let mut thirteenth = Client::tcp(relay_of(&started)).await;
    assert_eq!(thirteenth.allocate().await, Err(486));
    // One that is given back is free again.
    assert_eq!(clients[0].refresh(0).await, Answer::Granted);
    thirteenth.allocate().await.unwrap();
}

#[tokio::test]
async fn credentials_last_five_minutes_at_most_and_are_given_anew_in_the_room() {
    let world = world(|relay| relay.ttl = Duration::from_secs(2)).await;
    let (_desk, started) = call(&world).await;
    let first = relay_of(&started).username.clone();
    let mut room = world.api.room(&started.room_token, None).await;
    let mut ice = async || -> IceConfig {
        room.room_event("servers", |event| match event {
            RoomEvent::Ice(ice) => Some(ice),
            _ => None,
        })
        .await
    };
    assert_eq!(ice().await.servers[0].urls, relay_of(&started).urls);
    // Long before the first ones have run out, others are there.
    let mut renewed = ice().await;
    while renewed.servers[0].username == first {
        renewed = ice().await;
    }

    let world = World::with(|config| {
        config.turn = TurnConfig::Embedded(EmbeddedTurn {
            listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            ttl: Duration::from_secs(86_400),
            ..EmbeddedTurn::default()
        });
    })
    .await;
    let (_desk, started) = call(&world).await;
    let username = relay_of(&started).username.clone().unwrap();
    let expiry: u64 = username.split(':').next().unwrap().parse().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!((now + 290..=now + 300).contains(&expiry));
}

#[tokio::test]
async fn nothing_is_relayed_for_a_call_that_is_over() {
    let world = world(here).await;
    let (desk, started) = call(&world).await;
    let mut client = Client::datagrams(relay_of(&started)).await;
    client.allocate().await.unwrap();
    let _: EscalationView = desk
        .post(&format!("/v1/escalations/{}/end", started.escalation.id), json!({}))
        .await
        .unwrap();
    let mut answer = client.refresh(600).await;
    for _ in 0..50 {
        if answer != Answer::Granted {
            break;
        }
        sleep(Duration::from_millis(20)).await;
        answer = client.refresh(600).await;
    }
    assert_eq!(answer, Answer::Refused(437));
    let _: Conversation = desk.conversation(started.escalation.conversation).await;
}

/// A peer outside, for one allocation: data of every length modulo four crosses both ways.
async fn crosses(client: &mut Client) {
    let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = peer.local_addr().unwrap();
    let relayed = client.allocate().await.unwrap();
    let mut buffer = [0; 2_048];

    assert_eq!(client.create_permission(at).await, Answer::Granted);
    client.indicate(at, b"by indication").await;
    let (length, from) = timeout(Duration::from_secs(5), peer.recv_from(&mut buffer))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((&buffer[..length], from), (&b"by indication"[..], relayed));
    // Without a permission nothing gets in: what arrives first is what was sent second.
    let stranger = UdpSocket::bind("127.0.0.2:0").await.unwrap();
    stranger.send_to(b"let me in", relayed).await.unwrap();
    peer.send_to(b"answer", relayed).await.unwrap();
    let raw = client.next().await;
    let message = Message::from_bytes(&raw).unwrap();
    assert_eq!(message.attribute::<Data>().unwrap().data(), b"answer");
    let said = message.attribute::<XorPeerAddress>().unwrap();
    assert_eq!(said.addr(message.transaction_id()), at);

    assert_eq!(client.channel_bind(at, 0x4001).await, Answer::Granted);
    for length in [0, 1, 2, 3, 4, 5, 1_200] {
        let data = vec![7; length];
        client.channel(0x4001, &data).await;
        let (got, _) = timeout(Duration::from_secs(5), peer.recv_from(&mut buffer))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(&buffer[..got], &data[..]);
        peer.send_to(&data, relayed).await.unwrap();
        let frame = client.next().await;
        assert_eq!(frame[..2], [0x40, 0x01]);
        assert_eq!(frame[4..], data[..]);
    }
}

/// With a certificate for `localhost`, which is returned.
fn with_tls(relay: &mut EmbeddedTurn, folder: &Folder) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_string()]).unwrap();
    let tls = TurnTls {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        certificate: folder.0.join("chain.pem"),
        key: folder.0.join("key.pem"),
    };
    std::fs::write(&tls.certificate, made.cert.pem()).unwrap();
    std::fs::write(&tls.key, made.signing_key.serialize_pem()).unwrap();
    relay.tls = Some(tls);
    made.cert.der().to_vec().into()
}

#[tokio::test]
async fn a_call_crosses_by_udp_tcp_and_tls() {
    let (folder, mut certificate) = (Folder::new(), None);
    let world = world(|relay| {
        here(relay);
        certificate = Some(with_tls(relay, &folder));
    })
    .await;
    let (_desk, started) = call(&world).await;
    let server = relay_of(&started);
    crosses(&mut Client::datagrams(server).await).await;
    crosses(&mut Client::tcp(server).await).await;
    crosses(&mut Client::tls(server, certificate.unwrap()).await).await;
}

#[tokio::test]
async fn without_a_certificate_no_tls_is_named() {
    let world = world(|_| {}).await;
    let (_desk, started) = call(&world).await;
    assert!(relay_of(&started).urls.iter().all(|url| url.starts_with("turn:")));
}

/// Where calls may be nothing but relayed, a server that cannot relay says so to whoever starts it.
#[tokio::test]
async fn relay_only_without_a_relay_does_not_start_and_says_what_to_do() {
    let folder = Folder::new();
    let refused = async |settings: &[(&str, &str)]| {
        let run = Command::new(env!("CARGO_BIN_EXE_sightline-server"))
            .env("SIGHTLINE_LOG", "off")
            .env("SIGHTLINE_BIND", "127.0.0.1:0")
            .env("SIGHTLINE_DATABASE", folder.database())
            .env("SIGHTLINE_ICE_POLICY", "relay-only")
            .envs(settings.iter().copied())
            .kill_on_drop(true)
            .output();
        let ended = timeout(Duration::from_secs(20), run).await.expect("it ends").unwrap();
        assert!(!ended.status.success() && ended.stdout.is_empty());
        String::from_utf8(ended.stderr).unwrap()
    };
    // What only its own machine reaches relays nothing unless it is told where.
    for settings in [&[][..], &[("SIGHTLINE_TURN", "off")]] {
        let said = refused(settings).await;
        let code = ErrorCode::RelayMissing;
        let name = serde_json::to_value(code).unwrap();
        for part in [code.message(), code.next_step(), name.as_str().unwrap()] {
            assert!(said.contains(part), "{said}");
        }
    }

    let elsewhere = TurnConfig::External {
        urls: vec!["turn:relay.example.org".into()],
        secret: Secret::new("shared"),
        ttl: Duration::from_secs(60),
    };
    let inside = TurnConfig::Embedded(EmbeddedTurn {
        listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        ..EmbeddedTurn::default()
    });
    for turn in [inside, elsewhere] {
        let world = World::with(|config| {
            config.turn = turn;
            config.ice_policy = IcePolicy::RelayOnly;
        })
        .await;
        let (_desk, started) = call(&world).await;
        assert_eq!(started.ice_policy, IcePolicy::RelayOnly);
        assert_eq!(started.ice_servers.len(), 1);
    }
}

#[tokio::test]
async fn strangers_on_tcp_are_turned_away_and_a_call_beside_them_goes_on() {
    let world = world(here).await;
    let (_desk, started) = call(&world).await;
    let server = relay_of(&started);
    let at = address(server, "turn", "tcp");
    let mut inside = Client::tcp(server).await;
    inside.allocate().await.unwrap();

    for nonsense in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0x16, 3, 1, 2, 0, 1, 0, 1],
        &[0x40, 0, 0xFF, 0xFF],
        &[0; 64],
    ] {
        let mut stranger = Client::tcp(server).await;
        stranger.send_raw(nonsense).await;
        stranger.closed(Duration::from_secs(5)).await;
    }
    // A client may close its half and be gone.
    drop(Client::tcp(server).await);

    // A thousand connections: those over the limit are closed at once, those below it when nothing comes of them.
    let mut crowd = Vec::new();
    for _ in 0..1_000 {
        crowd.push(TcpStream::connect(at).await.unwrap());
    }
    assert_eq!(inside.refresh(600).await, Answer::Granted);
    let mut outside = Client::datagrams(server).await;
    assert!(!outside.binding().await.is_empty());
    let mut slow = crowd.swap_remove(0);
    let trickle = tokio::spawn(async move {
        // A frame that never ends, one byte at a time.
        use tokio::io::AsyncWriteExt;
        for byte in [0, 1, 0, 100]
            .into_iter()
            .chain([0x21, 0x12, 0xA4, 0x42])
            .chain([0; 112])
        {
            if slow.write_all(&[byte]).await.is_err() {
                return;
            }
            sleep(Duration::from_millis(500)).await;
        }
        panic!("a slow stranger was listened to for a minute");
    });
    for mut stranger in crowd {
        let closed = timeout(Duration::from_secs(40), stranger.read(&mut [0; 1])).await;
        assert!(
            matches!(closed, Ok(Ok(0) | Err(_))),
            "a connection without an allocation is closed"
        );
    }
    timeout(Duration::from_secs(40), trickle)
        .await
        .expect("closed")
        .unwrap();
    crosses_again(&mut inside).await;
}

/// The allocation is still there and still relays.
async fn crosses_again(client: &mut Client) {
    let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = peer.local_addr().unwrap();
    assert_eq!(client.channel_bind(at, 0x4002).await, Answer::Granted);
    client.channel(0x4002, b"still here").await;
    let mut buffer = [0; 64];
    let (length, _) = timeout(Duration::from_secs(5), peer.recv_from(&mut buffer))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&buffer[..length], b"still here");
}

#[tokio::test]
async fn malformed_datagrams_get_no_answer_and_do_no_harm() {
    let world = world(here).await;
    let (_desk, started) = call(&world).await;
    let mut client = Client::datagrams(relay_of(&started)).await;
    let good = client.binding().await;
    client.allocate().await.unwrap();
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    for round in 0..5_000_usize {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let mut raw = good.clone();
        let at = usize::try_from(random % raw.len() as u64).unwrap();
        match round % 3 {
            0 => raw[at] ^= 1 << (random >> 60 & 7),
            1 => raw.truncate(at),
            _ => {
                raw = vec![0x40, 0x00, 0xFF, (random >> 32) as u8];
                raw.resize(4 + at, 0);
            }
        }
        client.send_raw(&raw).await;
        if round % 100 == 0 {
            // Nobody is flooded out of the socket's buffer.
            assert_eq!(client.refresh(600).await, Answer::Granted);
        }
    }
    assert_eq!(client.refresh(600).await, Answer::Granted);
}
