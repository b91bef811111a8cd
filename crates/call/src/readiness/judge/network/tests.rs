//! The network's judges at the boundaries of their thresholds.

use super::*;

fn of(check: &Check) -> (Outcome, Option<Finding>) {
    assert_eq!(check.remedy.is_empty(), check.finding.is_none(), "{check:?}");
    (check.outcome, check.finding)
}

const PASSED: (Outcome, Option<Finding>) = (Outcome::Pass, None);

fn failed(finding: Finding) -> (Outcome, Option<Finding>) {
    (Outcome::Fail, Some(finding))
}

fn warned(finding: Finding) -> (Outcome, Option<Finding>) {
    (Outcome::Warn, Some(finding))
}

fn asked(answer: Result<BackendAnswer, BackendTrouble>) -> BackendMeasured {
    BackendMeasured {
        server: "desk.example".into(),
        answer,
        plain_sent_to: None,
        answered_ms: Some(48),
        certificate_days: Some(60),
    }
}

fn sent_to_portal(answer: Result<BackendAnswer, BackendTrouble>) -> BackendMeasured {
    BackendMeasured {
        plain_sent_to: Some("login.hotel.example".into()),
        ..asked(answer)
    }
}

#[test]
fn a_backend_that_answers_passes() {
    let check = backend(&asked(Ok(BackendAnswer::Ours)), 60);
    assert_eq!((check.kind, of(&check)), (CheckKind::Backend, PASSED));
    assert_eq!(check.sentence, "The server desk.example answers.");
    assert_eq!(check.figures.len(), 2);
    // Elsewhere plain HTTP may be sent where it likes: the server has answered.
    assert_eq!(of(&backend(&sent_to_portal(Ok(BackendAnswer::Ours)), 60)), PASSED);
}

#[test]
fn unreachable_portal_and_certificate_are_three_things() {
    let refused = BackendTrouble::Certificate(CertificateTrouble::WrongName);
    let unreachable = [
        BackendTrouble::Unresolved,
        BackendTrouble::Refused,
        BackendTrouble::Silent,
        BackendTrouble::NoNetwork,
        BackendTrouble::Broken,
    ];
    let mut sentences = Vec::new();
    for trouble in unreachable {
        let check = backend(&asked(Err(trouble)), 60);
        assert_eq!(of(&check), failed(Finding::BackendUnreachable), "{trouble:?}");
        sentences.push(check.sentence);
        // The same silence where a portal catches plain HTTP is the portal's.
        let check = backend(&sent_to_portal(Err(trouble)), 60);
        assert_eq!(of(&check), failed(Finding::Portal), "{trouble:?}");
    }
    sentences.dedup();
    assert_eq!(sentences.len(), unreachable.len(), "each is told in its own words");
    assert_eq!(of(&backend(&asked(Err(refused)), 60)), failed(Finding::CertificateBad));
    let check = backend(&sent_to_portal(Err(refused)), 60);
    assert_eq!(of(&check), failed(Finding::Portal), "a portal with its own certificate");
    assert_eq!(
        check.sentence,
        "This network sends you to login.hotel.example in place of desk.example."
    );
}

#[test]
fn whatever_is_not_our_answer_is_told_by_what_it_is() {
    let foreign = |status, to: Option<&str>| {
        let to = to.map(Into::into);
        backend(&asked(Ok(BackendAnswer::Foreign { status, to })), 60)
    };
    let check = foreign(302, Some("login.hotel.example"));
    assert_eq!(of(&check), failed(Finding::Portal));
    assert!(check.sentence.contains("login.hotel.example"), "{}", check.sentence);
    let check = foreign(200, None);
    assert_eq!(of(&check), failed(Finding::Portal));
    assert_eq!(check.sentence, "Another page answers in place of desk.example.");
    let check = foreign(407, None);
    assert_eq!(of(&check), failed(Finding::Portal));
    assert!(check.sentence.contains("proxy"), "{}", check.sentence);
    let check = backend(&asked(Ok(BackendAnswer::Failing { status: 503 })), 60);
    assert_eq!(of(&check), failed(Finding::BackendUnreachable));
    assert!(check.sentence.contains("503"), "{}", check.sentence);
}

#[test]
fn each_fault_of_a_certificate_has_its_own_words() {
    let told = [
        (CertificateTrouble::Expired, "has expired"),
        (CertificateTrouble::NotYetValid, "not valid yet"),
        (CertificateTrouble::WrongName, "another name"),
        (CertificateTrouble::Untrusted, "nobody whom this computer trusts"),
        (CertificateTrouble::Other, "is not good"),
    ];
    for (trouble, words) in told {
        let check = backend(&asked(Err(BackendTrouble::Certificate(trouble))), 60);
        assert_eq!(of(&check), failed(Finding::CertificateBad));
        assert!(check.sentence.contains(words), "{}", check.sentence);
        assert!(check.sentence.starts_with("The certificate of desk.example"));
    }
}

#[test]
fn a_certificate_near_its_end_warns() {
    let at = |days| {
        let measured = BackendMeasured {
            certificate_days: Some(days),
            ..asked(Ok(BackendAnswer::Ours))
        };
        let check = backend(&measured, 60);
        (of(&check), check.sentence)
    };
    assert_eq!(at(14).0, PASSED);
    let ending = warned(Finding::CertificateEnding);
    assert_eq!(
        at(13),
        (ending, "The certificate of desk.example expires in 13 days.".into())
    );
    assert_eq!(
        at(1),
        (ending, "The certificate of desk.example expires tomorrow.".into())
    );
    assert_eq!(at(0), (ending, "The certificate of desk.example expires today.".into()));
}

#[test]
fn the_clock_at_its_boundaries() {
    let at = |offset_ms, uncertainty_ms| {
        let measured = ClockMeasured {
            offset_ms,
            uncertainty_ms,
        };
        let check = clock(&measured, 100);
        (of(&check), check.sentence)
    };
    let wrong = Finding::ClockWrong;
    assert_eq!(at(5_000.0, 0.0).0, PASSED);
    assert_eq!(at(-5_000.0, 0.0).0, PASSED);
    assert_eq!(at(5_001.0, 0.0).0, warned(wrong));
    assert_eq!(at(5_030.0, 30.0).0, PASSED, "within the doubt");
    assert_eq!(at(300_000.0, 0.0).0, warned(wrong));
    let slow = at(-7_200_000.0, 20.0);
    assert_eq!(slow, (failed(wrong), "This computer's clock is 2 hours slow.".into()));
    let fast = at(9_000.0, 20.0);
    assert_eq!(fast, (warned(wrong), "This computer's clock is 9 seconds fast.".into()));
}

#[test]
fn the_clocks_offset_is_read_back_from_a_report() {
    let measured = ClockMeasured {
        offset_ms: -61_234.4,
        uncertainty_ms: 12.0,
    };
    let check = clock(&measured, 100);
    assert_eq!(clock_offset_ms(std::slice::from_ref(&check)), Some(-61_234));
    assert_eq!(clock_offset_ms(&[]), None);
    let skipped = super::super::skipped(CheckKind::Clock, "There is no server.");
    assert_eq!(clock_offset_ms(&[skipped]), None);
}

fn office() -> LineMeasured {
    LineMeasured {
        rtt_ms: 24.0,
        jitter_ms: 3.0,
        loss: Some(0.0),
        down_bps: Some(80e6),
        up_bps: Some(20e6),
    }
}

#[test]
fn the_line_at_its_boundaries() {
    let at = |change: fn(&mut LineMeasured)| {
        let mut measured = office();
        change(&mut measured);
        of(&line(&measured, 2_000))
    };
    assert_eq!(at(|_| {}), PASSED);
    assert_eq!(at(|line| line.rtt_ms = 200.0), PASSED);
    assert_eq!(at(|line| line.rtt_ms = 200.1), warned(Finding::RoundTripLong));
    assert_eq!(at(|line| line.rtt_ms = 600.0), warned(Finding::RoundTripLong));
    assert_eq!(at(|line| line.rtt_ms = 600.1), failed(Finding::RoundTripLong));
    assert_eq!(at(|line| line.jitter_ms = 50.0), PASSED);
    assert_eq!(at(|line| line.jitter_ms = 50.1), warned(Finding::Uneven));
    assert_eq!(at(|line| line.loss = None), PASSED);
    assert_eq!(at(|line| line.loss = Some(0.01)), PASSED);
    assert_eq!(at(|line| line.loss = Some(0.011)), warned(Finding::PacketsLost));
    assert_eq!(at(|line| line.loss = Some(0.1)), warned(Finding::PacketsLost));
    assert_eq!(at(|line| line.loss = Some(0.101)), failed(Finding::PacketsLost));
    assert_eq!(at(|line| line.up_bps = Some(1_200_000.0)), PASSED);
    assert_eq!(at(|line| line.up_bps = Some(1_199_999.0)), warned(Finding::LineNarrow));
    assert_eq!(at(|line| line.down_bps = Some(200_000.0)), warned(Finding::LineNarrow));
    assert_eq!(at(|line| line.down_bps = Some(199_999.0)), failed(Finding::LineNarrow));
    let unmeasured = |line: &mut LineMeasured| {
        line.down_bps = None;
        line.up_bps = None;
    };
    assert_eq!(at(unmeasured), PASSED);
}

#[test]
fn a_narrow_line_is_told_with_its_direction() {
    let measured = LineMeasured {
        up_bps: Some(420_000.0),
        ..office()
    };
    assert_eq!(
        line(&measured, 1).sentence,
        "The network carries 0.4 Mbit/s to the server; a call in full size needs 1.2."
    );
}

#[test]
fn stun_is_absent_unreachable_or_answers() {
    let at = |servers, answered| {
        let measured = StunMeasured {
            servers,
            answered,
            rtt_ms: (answered > 0).then_some(20.0),
            translated: (answered > 0).then_some(true),
            by_destination: None,
        };
        of(&stun(&measured, 500))
    };
    assert_eq!(at(0, 0), (Outcome::Skipped, None));
    assert_eq!(at(1, 0), failed(Finding::StunUnreachable));
    assert_eq!(at(2, 0), failed(Finding::StunUnreachable));
    assert_eq!(at(2, 1), PASSED);
    assert_eq!(at(2, 2), PASSED);
}

#[test]
fn a_network_that_translates_for_each_destination_is_told() {
    let measured = StunMeasured {
        servers: 2,
        answered: 2,
        rtt_ms: Some(20.0),
        translated: Some(true),
        by_destination: Some(true),
    };
    let check = stun(&measured, 500);
    assert_eq!(of(&check), PASSED);
    assert!(check.sentence.contains("relay"), "{}", check.sentence);
    assert_eq!(check.figures.len(), 5);
}

#[test]
fn each_way_to_a_relay_has_its_own_check_and_each_trouble_its_own_words() {
    let way = |protocol, up_ms| {
        let server = "relay.example:443".into();
        relay(
            &RelayMeasured {
                protocol,
                server,
                up_ms,
            },
            100,
        )
    };
    let ways = [
        (TransportProtocol::Udp, CheckKind::RelayUdp, "UDP"),
        (TransportProtocol::Tcp, CheckKind::RelayTcp, "TCP"),
        (TransportProtocol::Tls, CheckKind::RelayTls, "TLS"),
    ];
    for (protocol, kind, word) in ways {
        let check = way(protocol, Ok(63.0));
        assert_eq!((check.kind, of(&check)), (kind, PASSED));
        assert_eq!(check.figures, [Figure::new("up", 63.0, Unit::Ms)]);
        let check = way(protocol, Err(RelayTrouble::Blocked));
        assert_eq!((check.kind, of(&check)), (kind, failed(Finding::RelayUnreachable)));
        assert_eq!(
            check.sentence,
            format!("{word} to the relay relay.example:443 is blocked.")
        );
    }
    let told = [
        (RelayTrouble::Absent, (Outcome::Skipped, None), "has no relay"),
        (RelayTrouble::Unresolved, failed(Finding::RelayUnreachable), "not known"),
        (RelayTrouble::NoData, failed(Finding::RelayUnreachable), "no data"),
        (
            RelayTrouble::Certificate(CertificateTrouble::Expired),
            failed(Finding::CertificateBad),
            "The certificate of the relay",
        ),
        (
            RelayTrouble::Refused { code: 401 },
            failed(Finding::RelayRefused),
            "credentials",
        ),
        (
            RelayTrouble::Refused { code: 486 },
            failed(Finding::RelayRefused),
            "too many",
        ),
        (
            RelayTrouble::Refused { code: 508 },
            failed(Finding::RelayRefused),
            "no room",
        ),
        (
            RelayTrouble::Refused { code: 403 },
            failed(Finding::RelayRefused),
            "forbids",
        ),
        (
            RelayTrouble::Refused { code: 500 },
            failed(Finding::RelayRefused),
            "(500)",
        ),
    ];
    for (trouble, expected, words) in told {
        let check = way(TransportProtocol::Tls, Err(trouble));
        assert_eq!(of(&check), expected, "{trouble:?}");
        assert!(check.sentence.contains(words), "{}", check.sentence);
    }
}
