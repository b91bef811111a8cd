//! Ten seconds of a real call.

use super::{Judgement, measured as those_measured, percent};
use crate::readiness::{
    emodel::{self, Codec, USUAL_BITRATE},
    figures::CallMeasured,
    verdict::path_figures,
};
use sightline_wire::{
    ErrorCode,
    device::{PathView, TransportProtocol},
    readiness::{Check, CheckKind, EchoHeard, Figure, Finding, Unit},
};

/// A call that begins later than this feels broken to whoever has tapped, in milliseconds: the ladder tries
/// something else from here on (`crate::ladder`). Both ends are machines here, nobody is waited for.
const LATE_MS: f64 = 3_000.0;
/// Many users are dissatisfied below this score: a rating of 70 (ITU-T G.109).
const POOR: f64 = 3.6;
/// Not recommended below this score: a rating of 50 (ITU-T G.109).
const UNUSABLE: f64 = 2.58;

/// What a test call came to: first whether it came about, then whether sound and pictures came through in both
/// directions, then how it sounded and how long it took to begin.
pub fn call(measured: &CallMeasured, took_ms: u32) -> Check {
    let kind = match measured.relayed {
        true => CheckKind::RelayedCall,
        false => CheckKind::Call,
    };
    let score = score(measured);
    let mut figures = those_measured([
        ("connected", measured.connected_ms, Unit::Ms),
        ("first_picture", measured.first_picture_ms, Unit::Ms),
        ("first_sound", measured.first_sound_ms, Unit::Ms),
        ("picture_delay", measured.picture_delay_ms, Unit::Ms),
        ("sound_round", measured.sound_round_ms, Unit::Ms),
        ("rtt", measured.rtt_ms, Unit::Ms),
        ("jitter", measured.jitter_ms, Unit::Ms),
        ("mos", score, Unit::Mos),
    ]);
    if measured.connected_ms.is_some() {
        figures.extend(measured.path.into_iter().flat_map(path_figures));
        figures.extend([
            percent("loss_in", measured.loss_in),
            percent("loss_out", measured.loss_out),
            percent("concealed", measured.concealed),
            Figure::new("pictures", f64::from(measured.pictures), Unit::Count),
        ]);
    }
    if was_told(&measured.heard) {
        figures.push(Figure::new(
            "pictures_there",
            f64::from(measured.heard.pictures),
            Unit::Count,
        ));
    }
    judged(measured, score).check(kind, figures, None, took_ms)
}

fn judged(measured: &CallMeasured, score: Option<f64>) -> Judgement {
    let name = match measured.relayed {
        true => "the test call over a relay",
        false => "the test call",
    };
    if let Some(problem) = &measured.problem {
        let finding = match problem.code {
            ErrorCode::RelayRefused => Finding::RelayRefused,
            _ => Finding::CallFailed,
        };
        return Judgement::fail(finding, format!("{name} did not come about. {}", problem.message))
            .advising(problem.next_step.as_str());
    }
    let Some(connected_ms) = measured.connected_ms else {
        return Judgement::fail(
            Finding::CallFailed,
            format!("{name} did not come about: no way for media was found."),
        );
    };
    let told = was_told(&measured.heard);
    let sound_here = measured.first_sound_ms.is_some();
    // Our sound that came back was there, whether we were told so or not.
    let sound_there = measured.heard.packets > 0 || measured.sound_round_ms.is_some();
    let picture_here = measured.pictures > 0;
    let picture_there = measured.heard.pictures > 0 || !told;
    if !sound_here && !picture_here {
        return Judgement::fail(
            Finding::CallFailed,
            format!("{name} was connected, and neither sound nor a picture came through."),
        );
    }
    let no_sound = |way: &str| {
        Judgement::fail(
            Finding::CallWithoutSound,
            format!("{name} was connected, and no sound came {way}."),
        )
    };
    let no_picture = |way: &str| {
        Judgement::fail(
            Finding::CallWithoutPicture,
            format!("{name} was heard, and no picture came {way}."),
        )
    };
    match (sound_here, sound_there) {
        (false, false) => return no_sound("through"),
        (false, true) => return no_sound("from the far end"),
        (true, false) => return no_sound("to the far end"),
        (true, true) => {}
    }
    match (picture_here, picture_there) {
        (false, false) => return no_picture("through"),
        (false, true) => return no_picture("from the far end"),
        (true, false) => return no_picture("to the far end"),
        (true, true) => {}
    }
    let sounded = |mos: f64, how: &str| format!("{name} sounded {how}: {mos:.1} of 4.5.");
    match score {
        Some(mos) if mos < UNUSABLE => return Judgement::fail(Finding::CallPoor, sounded(mos, "bad")),
        Some(mos) if mos < POOR => return Judgement::warn(Finding::CallPoor, sounded(mos, "poor")),
        Some(_) | None => {}
    }
    let began_ms = measured.first_picture_ms.unwrap_or(connected_ms).max(connected_ms);
    if began_ms > LATE_MS {
        return Judgement::warn(
            Finding::CallSlow,
            format!("{name} took {:.1} seconds to begin.", began_ms / 1_000.0),
        );
    }
    let went = measured
        .path
        .map_or(String::new(), |path| format!(" {}", in_words(path)));
    Judgement::pass(match score {
        Some(mos) => format!("Sound and pictures came through{went}, {mos:.1} of 4.5."),
        None => format!("Sound and pictures came through{went}."),
    })
}

/// How the worse of both directions sounded. Absent when nothing came through, or no delay is known.
fn score(measured: &CallMeasured) -> Option<f64> {
    measured.connected_ms?;
    let delay_ms = match (measured.sound_round_ms, measured.rtt_ms) {
        // There and back through both ends' buffers.
        (Some(round), _) => round / 2.0,
        (None, Some(rtt)) => emodel::one_way_delay_ms(rtt, measured.playout_delay_ms.unwrap_or(0.0)),
        (None, None) => return None,
    };
    let codec = Codec::Opus { bitrate: USUAL_BITRATE };
    let bursts = measured.burst_ratio.unwrap_or(1.0);
    // A packet that came too late was concealed and not lost; one that was repaired was lost and not concealed.
    let here = measured.loss_in.max(measured.concealed);
    let there = measured.loss_out.max(measured.heard.loss);
    Some(emodel::mos(delay_ms, here.max(there), bursts, codec))
}

/// The far end has told what it heard; it has always heard something of a call that sounds.
fn was_told(heard: &EchoHeard) -> bool {
    *heard != EchoHeard::default()
}

fn in_words(path: PathView) -> &'static str {
    match (path.relayed, path.protocol) {
        (false, _) => "directly",
        (true, TransportProtocol::Udp) => "over a UDP relay",
        (true, TransportProtocol::Tcp) => "over a TCP relay",
        (true, TransportProtocol::Tls) => "over a TLS relay",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readiness::path_in_words;
    use sightline_wire::{Problem, readiness::Outcome};

    fn of(check: &Check) -> (Outcome, Option<Finding>) {
        assert_eq!(check.remedy.is_empty(), check.finding.is_none(), "{check:?}");
        (check.outcome, check.finding)
    }

    fn failed(finding: Finding) -> (Outcome, Option<Finding>) {
        (Outcome::Fail, Some(finding))
    }

    fn warned(finding: Finding) -> (Outcome, Option<Finding>) {
        (Outcome::Warn, Some(finding))
    }

    const PASSED: (Outcome, Option<Finding>) = (Outcome::Pass, None);

    fn good() -> CallMeasured {
        CallMeasured {
            relayed: false,
            problem: None,
            path: Some(PathView {
                relayed: false,
                protocol: TransportProtocol::Udp,
            }),
            connected_ms: Some(180.0),
            first_picture_ms: Some(420.0),
            first_sound_ms: Some(260.0),
            pictures: 290,
            picture_delay_ms: Some(60.0),
            sound_round_ms: Some(160.0),
            rtt_ms: Some(24.0),
            jitter_ms: Some(2.0),
            loss_in: 0.0,
            loss_out: 0.0,
            burst_ratio: None,
            concealed: 0.0,
            playout_delay_ms: Some(40.0),
            heard: EchoHeard {
                pictures: 288,
                width: 1_280,
                height: 720,
                packets: 498,
                loss: 0.0,
                first_picture_ms: Some(300),
            },
        }
    }

    fn at(change: impl FnOnce(&mut CallMeasured)) -> Check {
        let mut measured = good();
        change(&mut measured);
        call(&measured, 10_000)
    }

    #[test]
    fn a_good_call_passes_with_its_score_and_its_path() {
        let check = at(|_| {});
        assert_eq!((check.kind, of(&check)), (CheckKind::Call, PASSED));
        assert_eq!(check.sentence, "Sound and pictures came through directly, 4.3 of 4.5.");
        assert_eq!(path_in_words(&[check]), "UDP, direct");
        let check = at(|call| {
            call.relayed = true;
            call.path = Some(PathView {
                relayed: true,
                protocol: TransportProtocol::Tls,
            });
        });
        assert_eq!((check.kind, of(&check)), (CheckKind::RelayedCall, PASSED));
        assert_eq!(
            check.sentence,
            "Sound and pictures came through over a TLS relay, 4.3 of 4.5."
        );
        assert_eq!(path_in_words(&[check]), "TLS relay");
    }

    #[test]
    fn a_call_that_did_not_come_about_says_what_it_was_told() {
        let check = at(|call| call.problem = Some(Problem::from(ErrorCode::MediaTimeout)));
        assert_eq!(of(&check), failed(Finding::CallFailed));
        assert!(
            check.sentence.contains(ErrorCode::MediaTimeout.message()),
            "{}",
            check.sentence
        );
        assert_eq!(check.remedy, ErrorCode::MediaTimeout.next_step());
        let check = at(|call| call.problem = Some(Problem::from(ErrorCode::RelayRefused)));
        assert_eq!(of(&check), failed(Finding::RelayRefused));
        let check = at(|call| call.connected_ms = None);
        assert_eq!(of(&check), failed(Finding::CallFailed));
        assert!(check.figures.iter().all(|figure| figure.name != "mos"), "{check:?}");
    }

    #[test]
    fn sound_and_picture_are_told_apart_in_each_direction() {
        let deaf = |call: &mut CallMeasured| call.first_sound_ms = None;
        let unheard = |call: &mut CallMeasured| {
            call.heard.packets = 0;
            call.sound_round_ms = None;
        };
        let blind = |call: &mut CallMeasured| {
            call.pictures = 0;
            call.first_picture_ms = None;
        };
        let unseen = |call: &mut CallMeasured| call.heard.pictures = 0;
        let told = [
            (at(deaf), Finding::CallWithoutSound, "no sound came from the far end"),
            (at(unheard), Finding::CallWithoutSound, "no sound came to the far end"),
            (
                at(blind),
                Finding::CallWithoutPicture,
                "no picture came from the far end",
            ),
            (
                at(unseen),
                Finding::CallWithoutPicture,
                "no picture came to the far end",
            ),
        ];
        for (check, finding, words) in told {
            assert_eq!(of(&check), failed(finding));
            assert!(check.sentence.contains(words), "{}", check.sentence);
        }
        let check = at(|call| {
            deaf(call);
            unseen(call);
        });
        assert_eq!(of(&check), failed(Finding::CallWithoutSound), "sound comes first");
        let check = at(|call| {
            deaf(call);
            blind(call);
        });
        assert_eq!(of(&check), failed(Finding::CallFailed), "nothing came at all");
    }

    #[test]
    fn a_far_end_that_told_nothing_is_not_one_that_saw_nothing() {
        let check = at(|call| call.heard = EchoHeard::default());
        assert_eq!(of(&check), PASSED, "our sound came back");
        let check = at(|call| {
            call.heard = EchoHeard::default();
            call.sound_round_ms = None;
        });
        assert_eq!(of(&check), failed(Finding::CallWithoutSound));
    }

    #[test]
    fn the_score_is_the_worse_directions_at_its_boundaries() {
        // Losses at which the score of 32 kbit/s at 80 ms passes 3.6 and 2.58.
        let with = [
            (0.032, PASSED),
            (0.035, warned(Finding::CallPoor)),
            (0.1, warned(Finding::CallPoor)),
        ];
        for (loss, expected) in with {
            assert_eq!(of(&at(|call| call.loss_in = loss)), expected, "{loss} lost here");
            assert_eq!(of(&at(|call| call.loss_out = loss)), expected, "{loss} lost there");
            assert_eq!(of(&at(|call| call.heard.loss = loss)), expected, "{loss} lost there");
            assert_eq!(of(&at(|call| call.concealed = loss)), expected, "{loss} made up");
        }
        assert_eq!(of(&at(|call| call.loss_in = 0.105)), failed(Finding::CallPoor));
        assert_eq!(
            of(&at(|call| call.sound_round_ms = Some(1_000.0))),
            warned(Finding::CallPoor)
        );
    }

    #[test]
    fn without_the_sounds_own_way_the_delay_is_put_together() {
        let check = at(|call| {
            call.sound_round_ms = None;
            call.rtt_ms = Some(900.0);
        });
        assert_eq!(of(&check), warned(Finding::CallPoor));
        let check = at(|call| {
            call.sound_round_ms = None;
            call.rtt_ms = None;
        });
        assert_eq!(of(&check), PASSED);
        assert_eq!(check.sentence, "Sound and pictures came through directly.");
    }

    #[test]
    fn a_late_beginning_at_its_boundary() {
        let check = at(|call| call.first_picture_ms = Some(3_000.0));
        assert_eq!(of(&check), PASSED);
        let check = at(|call| call.first_picture_ms = Some(3_040.0));
        assert_eq!(of(&check), warned(Finding::CallSlow));
        assert_eq!(check.sentence, "The test call took 3.0 seconds to begin.");
        let check = at(|call| call.connected_ms = Some(4_200.0));
        assert_eq!(of(&check), warned(Finding::CallSlow));
    }
}
