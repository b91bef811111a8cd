//! The network: backend, clock, line, STUN and relays.

use super::{Judgement, measured as those_measured, span};
use crate::readiness::{
    figures::{
        BackendAnswer, BackendMeasured, BackendTrouble, CertificateTrouble, ClockMeasured, LineMeasured, RelayMeasured,
        RelayTrouble, StunMeasured,
    },
    verdict::figure,
};
use sightline_wire::{
    device::TransportProtocol,
    readiness::{Check, CheckKind, Figure, Finding, Outcome, Unit},
};

/// A certificate that renews itself does so with a third of its life left: 15 days of the 45 that certificates are
/// to have. What is left with fewer days has not renewed itself.
const ENDING_DAYS: i32 = 14;
/// A clock that is further off shows wrong times in a conversation, in milliseconds.
const CLOCK_WRONG_MS: f64 = 5_000.0;
/// A clock that is further off breaks what is valid for a time only, in milliseconds: five minutes are Kerberos's
/// usual tolerance (RFC 4120, 1.6), and of the order of what TURN credentials and tokens have.
const CLOCK_BROKEN_MS: f64 = 300_000.0;
/// The round trip is judged by what it leaves of a delay from mouth to ear (ITU-T G.114). Opus, both buffers and
/// the devices take about 95 ms; 100 ms on the way make 195, up to where the E-model sees next to no harm ...
const LONG_RTT_MS: f64 = 200.0;
/// ... and 300 ms make 395: 400 should not be exceeded for anything (G.114).
const UNUSABLE_RTT_MS: f64 = 600.0;
/// Variation that a network for conversation keeps to, in milliseconds (ITU-T Y.1541, classes 0 and 1).
const UNEVEN_MS: f64 = 50.0;
/// Loss that a videophone should stay below (ITU-T G.1010, table I.1).
const LOSS: f64 = 0.01;
/// At this loss the E-model's rating of Opus falls to about 50, which is not recommended (ITU-T G.109).
const UNUSABLE_LOSS: f64 = 0.1;
/// The ladder's largest picture needs 900,000; with sound, headers and repeated packets that is this much.
const NARROW_BPS: f64 = 1_200_000.0;
/// Below this pictures are paused: 140,000 for the smallest one and the rest for sound.
const UNUSABLE_BPS: f64 = 200_000.0;

/// Whether the server itself answers. A portal is recognised by its answer, or by where it sends plain HTTP, and
/// also when it shows a certificate of its own or swallows everything else.
pub fn backend(measured: &BackendMeasured, took_ms: u32) -> Check {
    let judgement = match (&measured.answer, &measured.plain_sent_to) {
        (Ok(BackendAnswer::Ours), _) => ours(measured),
        (Ok(BackendAnswer::Failing { status }), _) => failing(&measured.server, *status),
        (Ok(BackendAnswer::Foreign { status: 407, .. }), _) => Judgement::fail(
            Finding::Portal,
            format!("A proxy stands before {} and asks for a password.", measured.server),
        )
        .advising("Tell IT: the proxy must let Sightline through, or be set in the system's settings."),
        (Ok(BackendAnswer::Foreign { to: Some(to), .. }), _) => portal(&measured.server, Some(to)),
        (Ok(BackendAnswer::Foreign { to: None, .. }), elsewhere) => portal(&measured.server, elsewhere.as_deref()),
        (Err(_), Some(elsewhere)) => portal(&measured.server, Some(elsewhere)),
        (Err(BackendTrouble::Certificate(trouble)), None) => {
            bad_certificate(&format!("the certificate of {}", measured.server), *trouble)
        }
        (Err(trouble), None) => Judgement::fail(
            Finding::BackendUnreachable,
            unreachable_because(&measured.server, *trouble),
        ),
    };
    let figures = those_measured([
        ("answered", measured.answered_ms.map(f64::from), Unit::Ms),
        ("certificate", measured.certificate_days.map(f64::from), Unit::Days),
    ]);
    judgement.check(CheckKind::Backend, figures, None, took_ms)
}

fn ours(measured: &BackendMeasured) -> Judgement {
    let server = &measured.server;
    match measured.certificate_days {
        Some(days) if days < ENDING_DAYS => Judgement::warn(
            Finding::CertificateEnding,
            match days {
                ..=0 => format!("The certificate of {server} expires today."),
                1 => format!("The certificate of {server} expires tomorrow."),
                2.. => format!("The certificate of {server} expires in {days} days."),
            },
        ),
        Some(_) | None => Judgement::pass(format!("The server {server} answers.")),
    }
}

fn failing(server: &str, status: u16) -> Judgement {
    Judgement::fail(
        Finding::BackendUnreachable,
        format!("The server {server} answers with an error of its own ({status})."),
    )
    .advising("Tell IT that the server is in trouble, and test again later.")
}

fn portal(server: &str, to: Option<&str>) -> Judgement {
    Judgement::fail(
        Finding::Portal,
        match to {
            Some(to) => format!("This network sends you to {to} in place of {server}."),
            None => format!("Another page answers in place of {server}."),
        },
    )
}

fn bad_certificate(whose: &str, trouble: CertificateTrouble) -> Judgement {
    let (what, remedy) = match trouble {
        CertificateTrouble::Expired => ("has expired", "Tell IT to renew it."),
        CertificateTrouble::NotYetValid => (
            "is not valid yet",
            "Look at this computer's clock first. If it is right, tell IT.",
        ),
        CertificateTrouble::WrongName => ("is for another name", "Check the server's address, then tell IT."),
        CertificateTrouble::Untrusted => (
            "is signed by nobody whom this computer trusts",
            "Tell IT to install the certificate authority on this computer.",
        ),
        CertificateTrouble::Other => ("is not good", Finding::CertificateBad.remedy()),
    };
    Judgement::fail(Finding::CertificateBad, format!("{whose} {what}.")).advising(remedy)
}

fn unreachable_because(server: &str, trouble: BackendTrouble) -> String {
    match trouble {
        BackendTrouble::NoNetwork => "This computer has no network.".into(),
        BackendTrouble::Unresolved => format!("The name {server} is not known in this network."),
        BackendTrouble::Refused => format!("The server {server} refuses the connection: it does not run."),
        BackendTrouble::Silent => format!("The server {server} does not answer."),
        BackendTrouble::Broken | BackendTrouble::Certificate(_) => {
            format!("The connection to the server {server} breaks before an answer.")
        }
    }
}

/// Whether this computer's clock is right, beyond the doubt of the measurement.
pub fn clock(measured: &ClockMeasured, took_ms: u32) -> Check {
    let off = measured.offset_ms.abs() - measured.uncertainty_ms.abs();
    let direction = if measured.offset_ms > 0.0 { "fast" } else { "slow" };
    let wrong = format!("This computer's clock is {} {direction}.", span(measured.offset_ms));
    let judgement = if off > CLOCK_BROKEN_MS {
        Judgement::fail(Finding::ClockWrong, wrong)
    } else if off > CLOCK_WRONG_MS {
        Judgement::warn(Finding::ClockWrong, wrong)
    } else {
        Judgement::pass("This computer's clock is right.")
    };
    let figures = vec![
        Figure::new("offset", measured.offset_ms, Unit::Ms),
        Figure::new("uncertainty", measured.uncertainty_ms, Unit::Ms),
    ];
    judgement.check(CheckKind::Clock, figures, None, took_ms)
}

/// How far a desk's clock is ahead of the server's by its own checks, in milliseconds, where that was measured.
pub fn clock_offset_ms(checks: &[Check]) -> Option<i64> {
    let clock = checks
        .iter()
        .find(|check| check.kind == CheckKind::Clock && check.outcome != Outcome::Skipped)?;
    // Saturates, and a clock is not off by 300 million years.
    figure(clock, "offset").map(|offset| offset.round() as i64)
}

/// What the line to the backend carries. A failure comes before a warning, what cuts off before what disturbs.
pub fn line(measured: &LineMeasured, took_ms: u32) -> Check {
    let loss = measured.loss.unwrap_or(0.0);
    let narrowest = [
        ("from", measured.down_bps.unwrap_or(f64::INFINITY)),
        ("to", measured.up_bps.unwrap_or(f64::INFINITY)),
    ]
    .into_iter()
    .min_by(|(_, one), (_, other)| one.total_cmp(other));
    let (direction, bps) = narrowest.unwrap_or(("to", f64::INFINITY));
    let narrow = || {
        let mbps = bps / 1e6;
        format!("The network carries {mbps:.1} Mbit/s {direction} the server; a call in full size needs 1.2.")
    };
    let lost = || format!("{:.1} % of the packets are lost on the way.", loss * 100.0);
    let long = || format!("The way to the server and back takes {:.0} ms.", measured.rtt_ms);
    let judgement = if bps < UNUSABLE_BPS {
        Judgement::fail(Finding::LineNarrow, narrow())
    } else if loss > UNUSABLE_LOSS {
        Judgement::fail(Finding::PacketsLost, lost())
    } else if measured.rtt_ms > UNUSABLE_RTT_MS {
        Judgement::fail(Finding::RoundTripLong, long())
    } else if loss > LOSS {
        Judgement::warn(Finding::PacketsLost, lost())
    } else if bps < NARROW_BPS {
        Judgement::warn(Finding::LineNarrow, narrow())
    } else if measured.rtt_ms > LONG_RTT_MS {
        Judgement::warn(Finding::RoundTripLong, long())
    } else if measured.jitter_ms > UNEVEN_MS {
        Judgement::warn(
            Finding::Uneven,
            format!("Packets arrive {:.0} ms apart from their time.", measured.jitter_ms),
        )
    } else {
        Judgement::pass(format!("{:.0} ms to the server and back.", measured.rtt_ms))
    };
    let figures = those_measured([
        ("rtt", Some(measured.rtt_ms), Unit::Ms),
        ("jitter", Some(measured.jitter_ms), Unit::Ms),
        ("loss", measured.loss.map(|loss| loss * 100.0), Unit::Percent),
        ("down", measured.down_bps, Unit::BitsPerSecond),
        ("up", measured.up_bps, Unit::BitsPerSecond),
    ]);
    judgement.check(CheckKind::Line, figures, None, took_ms)
}

/// How this computer looks from outside.
pub fn stun(measured: &StunMeasured, took_ms: u32) -> Check {
    let judgement = match (measured.servers, measured.answered, measured.by_destination) {
        (0, _, _) => Judgement::skipped("This deployment has no STUN server."),
        (servers, 0, _) => Judgement::fail(
            Finding::StunUnreachable,
            match servers {
                1 => "The STUN server does not answer.".to_owned(),
                _ => format!("None of the {servers} STUN servers answers."),
            },
        ),
        (_, _, Some(true)) => {
            Judgement::pass("This network translates addresses anew for each destination: many calls need a relay.")
        }
        (_, _, Some(false) | None) => match measured.translated {
            Some(false) => Judgement::pass("This computer is reached from outside at its own address."),
            Some(true) | None => Judgement::pass("This computer is seen from outside."),
        },
    };
    let yes = |answer: Option<bool>| answer.map(|answer| f64::from(u8::from(answer)));
    let figures = those_measured([
        ("servers", Some(f64::from(measured.servers)), Unit::Count),
        ("answered", Some(f64::from(measured.answered)), Unit::Count),
        ("rtt", measured.rtt_ms, Unit::Ms),
        ("translated", yes(measured.translated), Unit::Count),
        ("by_destination", yes(measured.by_destination), Unit::Count),
    ]);
    judgement.check(CheckKind::Stun, figures, None, took_ms)
}

/// One way to a relay.
pub fn relay(measured: &RelayMeasured, took_ms: u32) -> Check {
    let (kind, way) = match measured.protocol {
        TransportProtocol::Udp => (CheckKind::RelayUdp, "UDP"),
        TransportProtocol::Tcp => (CheckKind::RelayTcp, "TCP"),
        TransportProtocol::Tls => (CheckKind::RelayTls, "TLS"),
    };
    let server = &measured.server;
    let unreachable = |sentence: String| Judgement::fail(Finding::RelayUnreachable, sentence);
    let judgement = match measured.up_ms {
        Ok(ms) => Judgement::pass(format!("The relay {server} is reached over {way} in {ms:.0} ms.")),
        Err(RelayTrouble::Absent) => Judgement::skipped(format!("This deployment has no relay over {way}.")),
        Err(RelayTrouble::Unresolved) => {
            unreachable(format!("The name of the relay {server} is not known in this network."))
        }
        Err(RelayTrouble::Blocked) => unreachable(format!("{way} to the relay {server} is blocked.")),
        Err(RelayTrouble::NoData) => unreachable(format!(
            "The relay {server} is reached over {way}, and no data comes through it."
        )),
        Err(RelayTrouble::Certificate(trouble)) => {
            bad_certificate(&format!("the certificate of the relay {server}"), trouble)
        }
        Err(RelayTrouble::Refused { code }) => refused(server, way, code),
    };
    let figures = those_measured([("up", measured.up_ms.ok(), Unit::Ms)]);
    judgement.check(kind, figures, None, took_ms)
}

/// By TURN's error codes (RFC 8656, 19, and RFC 8489, 14.8).
fn refused(server: &str, way: &str, code: u16) -> Judgement {
    let fail = |why: &str| {
        Judgement::fail(
            Finding::RelayRefused,
            format!("The relay {server} refuses this desk over {way}: {why} ({code})."),
        )
    };
    match code {
        401 | 438 | 441 => fail("its credentials are not accepted"),
        403 => fail("its policy forbids it").advising("Tell IT that the relay forbids this network."),
        486 => fail("too many connections are open").advising("Close other Sightline windows, then test again."),
        508 => fail("it has no room").advising("Tell IT that the relay is full."),
        _ => fail("it gives an error").advising("Tell IT the number in brackets."),
    }
}

#[cfg(test)]
mod tests;
