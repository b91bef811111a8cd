//! The relay and clients made for the standard before this one (RFC 5766), coturn's own first of all.

use crate::{
    relay::{call, here, relay_of, world},
    relay_client::{Answer, Client, UDP, address},
};
use sightline_wire::escalation::IceServer;
use std::{net::SocketAddr, time::Duration};
use stun_types::message::{MessageWriteExt, MessageWriteVec};
use tokio::{process::Command, time::timeout};
use turn_types::attribute::{EvenPort, ReservationToken};

#[tokio::test]
async fn all_channel_numbers_of_the_older_standard_are_taken_and_no_others() {
    let world = world(|_| {}).await;
    let (_desk, started) = call(&world).await;
    for client in [
        &mut Client::datagrams(relay_of(&started)).await,
        &mut Client::tcp(relay_of(&started)).await,
    ] {
        client.allocate().await.unwrap();
        for (number, peer, answer) in [
            (0x3FFF, "8.8.8.8:1", Answer::Refused(400)),
            (0x4000, "8.8.8.8:2", Answer::Granted),
            (0x5000, "8.8.8.8:3", Answer::Granted),
            (0x7FFE, "8.8.8.8:4", Answer::Granted),
            (0x7FFF, "8.8.8.8:5", Answer::Refused(400)),
            (0x8000, "8.8.8.8:6", Answer::Refused(400)),
        ] {
            let peer: SocketAddr = peer.parse().unwrap();
            assert_eq!(client.channel_bind(peer, number).await, answer, "{number:x}");
        }
    }
}

fn even(reserve: bool) -> impl Fn(&mut MessageWriteVec) {
    move |request| request.add_attribute(&EvenPort::new(reserve)).unwrap()
}

fn token(request: &mut MessageWriteVec) {
    request.add_attribute(&ReservationToken::new(7)).unwrap();
}

#[tokio::test]
async fn an_even_port_is_given_and_no_second_one_is_kept_back() {
    let world = world(|_| {}).await;
    let (_desk, started) = call(&world).await;
    for _ in 0..8 {
        let mut client = Client::datagrams(relay_of(&started)).await;
        let at = client.allocate_with(UDP, even(false)).await.unwrap();
        assert_eq!(at.port() % 2, 0);
    }
    let mut client = Client::datagrams(relay_of(&started)).await;
    assert_eq!(client.allocate_with(UDP, even(true)).await, Err(508));
    assert_eq!(client.allocate_with(UDP, token).await, Err(508));
    let both = client.allocate_with(UDP, |request| {
        even(false)(request);
        token(request);
    });
    assert_eq!(both.await, Err(400));
    // What was refused has taken nothing.
    client.allocate().await.unwrap();
}

/// Two of coturn's clients send each other twenty messages of an odd length through our relay; none is lost.
async fn uclient(server: &IceServer, way: &[&str]) {
    let port = address(server, "turn", "udp").port();
    let run = Command::new("turnutils_uclient")
        .args(["-y", "-c", "-m", "2", "-n", "20", "-l", "101", "-L", "127.0.0.1"])
        .args(["-p", &port.to_string()])
        .args(["-u", server.username.as_ref().unwrap()])
        .args(["-w", server.credential.as_ref().unwrap()])
        .args(way)
        .arg("127.0.0.1")
        .kill_on_drop(true)
        .output();
    let ended = timeout(Duration::from_secs(60), run).await.expect("it ends");
    let ended = ended.expect("turnutils_uclient is installed with coturn (scripts/setup)");
    let said = [ended.stdout, ended.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(ended.status.success(), "{way:?}: {said}");
    for part in ["tot_send_msgs=40, tot_recv_msgs=40", "Total lost packets 0 "] {
        assert!(said.contains(part), "{way:?}: {said}");
    }
}

/// Over TLS it is no judge: it takes one record for one message, and we may put several into one.
#[tokio::test]
async fn coturns_own_client_is_served_by_udp_and_tcp() {
    let world = world(here).await;
    let (_desk, started) = call(&world).await;
    let server = relay_of(&started);
    tokio::join!(
        uclient(server, &[]),
        // With Send indications instead of channels.
        uclient(server, &["-s"]),
        uclient(server, &["-t"]),
    );
}
