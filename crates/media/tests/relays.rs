//! Calls over real TURN servers, by UDP, TCP and TLS, judged by content: coturn, with the configuration that our server
//! writes for it, and the relay inside our server. And relays that say no.

mod common;
#[path = "common/network.rs"]
mod network;
#[path = "common/turn.rs"]
mod turn;

use common::{Events, FarEnd, PATIENCE, config, share_of, start};
use sightline_media::{MediaEvent, Session, SessionConfig};
use sightline_wire::{
    ErrorCode,
    device::{PathView, TransportProtocol},
    escalation::IcePolicy,
};
use std::net::IpAddr;
use turn::{FAR, Place, TCP, TLS, UDP, Which, server};

impl Place {
    fn session(&self, url: &str, lifetime: i64) -> (Session, std::sync::mpsc::Receiver<u32>, Events) {
        let config = SessionConfig {
            ice_servers: vec![server(url, lifetime)],
            ice_policy: IcePolicy::RelayOnly,
            extra_ca: Some(self.folder.join("ca.pem")),
            ..config()
        };
        self.start(config)
    }

    fn start(&self, config: SessionConfig) -> (Session, std::sync::mpsc::Receiver<u32>, Events) {
        let (session, _, ours, events) = self.namespace.enter(|| start(config));
        (session, ours, events)
    }
}

fn problem(events: &mut Events) -> ErrorCode {
    events.wait_for(|event| match event {
        MediaEvent::NoRelay { problem, .. } => Some(problem.code),
        _ => None,
    })
}

fn a_call_over(which: Which, name: &str, url: &str, protocol: TransportProtocol) {
    let place = Place::new(which, name);
    let (session, ours, mut events) = place.session(url, 300);
    session.offer(1);
    let offer = events.offer();
    assert!(!offer.contains("a=candidate"), "no address of ours: {offer}");
    let ip: IpAddr = FAR.parse().expect("an address");
    let far = place.namespace.enter(|| FarEnd::answering_at(ip, &offer));
    session.answer(1, far.answer.clone());
    session.admit(1);
    let candidate = events.wait_for(|event| match event {
        MediaEvent::Candidate {
            negotiation: 1,
            candidate,
        } => Some(candidate),
        _ => None,
    });
    assert!(candidate.contains("typ relay"), "{candidate}");
    far.candidate(&candidate);
    events.wait_for(|event| matches!(event, MediaEvent::Flowing { negotiation: 1, .. }).then_some(()));
    for barcodes in [&ours, &far.barcodes] {
        let times: Vec<u32> = (0..30)
            .map(|_| barcodes.recv_timeout(PATIENCE).expect("pictures keep coming"))
            .collect();
        assert!(times.is_sorted(), "in order: {times:?}");
    }
    let loudest = (0..50)
        .map(|_| far.sound.recv_timeout(PATIENCE).expect("sound keeps coming"))
        .collect::<Vec<_>>()
        .concat()
        .chunks(4_800)
        .map(|part| share_of(1_000.0, part))
        .fold(0.0, f32::max);
    assert!(loudest > 0.9, "the test tone is heard through the relay: {loudest:.2}");
    let path = events.wait_for(|event| match event {
        MediaEvent::Quality(quality) => quality.path,
        _ => None,
    });
    assert_eq!(
        path,
        PathView {
            relayed: true,
            protocol
        }
    );
}

#[test]
fn a_call_over_coturn_by_udp() {
    a_call_over(Which::Coturn, "udp", UDP.0, UDP.1);
}

#[test]
fn a_call_over_coturn_by_tcp() {
    a_call_over(Which::Coturn, "tcp", TCP.0, TCP.1);
}

#[test]
fn a_call_over_coturn_by_tls() {
    a_call_over(Which::Coturn, "tls", TLS.0, TLS.1);
}

#[test]
fn a_call_over_the_relay_inside_the_server_by_udp() {
    a_call_over(Which::Embedded, "own-udp", UDP.0, UDP.1);
}

#[test]
fn a_call_over_the_relay_inside_the_server_by_tcp() {
    a_call_over(Which::Embedded, "own-tcp", TCP.0, TCP.1);
}

#[test]
fn a_call_over_the_relay_inside_the_server_by_tls() {
    a_call_over(Which::Embedded, "own-tls", TLS.0, TLS.1);
}

fn relays_that_refuse_are_named(which: Which, name: &str) {
    let place = Place::new(which, name);
    for (url, lifetime, expected) in [
        (UDP.0, -10, ErrorCode::RelayRefused),
        (TCP.0, -10, ErrorCode::RelayRefused),
        ("turn:10.76.0.1:3999", 300, ErrorCode::RelayUnreachable),
        ("turn:10.76.0.1:3999?transport=tcp", 300, ErrorCode::RelayUnreachable),
    ] {
        let (session, _ours, mut events) = place.session(url, lifetime);
        session.offer(1);
        assert_eq!(problem(&mut events), expected, "{url}");
    }

    let (session, _ours, mut events) = place.session(UDP.0, -10);
    session.offer(1);
    assert_eq!(problem(&mut events), ErrorCode::RelayRefused);
    session.set_ice_servers(vec![server(UDP.0, 300)]);
    found(&mut events);
}

/// The relay's address.
fn found(events: &mut Events) {
    events.wait_for(|event| matches!(event, MediaEvent::Candidate { negotiation: 1, .. }).then_some(()));
}

#[test]
fn a_coturn_that_refuses_or_is_not_there_is_named_at_once_and_new_credentials_mend_it() {
    relays_that_refuse_are_named(Which::Coturn, "no");
}

#[test]
fn our_relay_that_refuses_or_is_not_there_is_named_at_once_and_new_credentials_mend_it() {
    relays_that_refuse_are_named(Which::Embedded, "own-no");
}

/// Nobody is given more than twelve at a time.
#[test]
fn allocations_are_given_back_when_a_session_ends() {
    let place = Place::new(Which::Embedded, "own-back");
    for _ in 0..13 {
        let (session, _ours, mut events) = place.session(UDP.0, 300);
        session.offer(1);
        found(&mut events);
    }
}

#[test]
fn a_relay_whose_certificate_nobody_vouches_for_is_not_used() {
    let place = Place::new(Which::Coturn, "ca");
    let (session, _ours, mut events) = place.start(SessionConfig {
        ice_servers: vec![server("turns:10.76.0.1:5349", 300)],
        ice_policy: IcePolicy::RelayOnly,
        ..config()
    });
    session.offer(1);
    assert_eq!(problem(&mut events), ErrorCode::RelayUnreachable);
}
