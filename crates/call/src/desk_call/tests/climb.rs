//! The ladder as the call climbs it.

use super::*;

const CAMERA: MediaState = OWN;
const NO_PICTURE: MediaState = MediaState {
    microphone: true,
    camera: false,
    screen: false,
};

/// A customer with camera and microphone has joined at 1,000 and answered the first offer; nothing comes.
fn joined(relays: bool) -> DeskCall {
    let mut call = waiting();
    call.handle(CallInput::Relays(relays), 10);
    call.handle(CallInput::OtherPresence(HERE), 1_000);
    call.handle(CallInput::OtherMedia(CAMERA), 1_050);
    call.handle(answer(1), 1_100);
    call
}

/// Wakes the call at its next deadline.
fn next(call: &mut DeskCall) -> (UnixMillis, Vec<CallEffect>) {
    let at = call.deadline().expect("something is due");
    assert!(call.handle(CallInput::Tick, at - 1).is_empty(), "not before its time");
    (at, call.handle(CallInput::Tick, at))
}

fn came(negotiation: u32, arrival: Arrival) -> CallInput {
    CallInput::Flowing { negotiation, arrival }
}

/// The newest offer is made and answered.
fn answered(call: &mut DeskCall, negotiation: u32, now: UnixMillis) {
    call.handle(CallInput::OfferReady(offer(negotiation)), now);
    call.handle(answer(negotiation), now + 50);
}

fn reached(other: Presence) -> CallInput {
    CallInput::RoomReached {
        other,
        other_media: CAMERA,
    }
}

#[test]
fn nothing_comes_step_by_step_back_to_the_chat() {
    let mut call = joined(true);
    let (tell, make) = (CallEffect::TellAttempt, CallEffect::MakeOffer);
    assert_eq!(
        next(&mut call),
        (4_000, vec![tell(Attempt::Again), make(2, IcePolicy::All)])
    );
    answered(&mut call, 2, 4_100);
    assert_eq!(
        next(&mut call),
        (6_000, vec![tell(Attempt::Relay), make(3, IcePolicy::RelayOnly)])
    );
    answered(&mut call, 3, 6_100);
    assert_eq!(call.view().attempt, Attempt::Relay);
    assert_eq!(
        next(&mut call),
        (9_000, vec![tell(Attempt::SoundOnly), CallEffect::SetCamera(false)])
    );
    assert!(call.view().problems.is_empty(), "nobody is heard yet");
    assert_eq!(
        next(&mut call),
        (
            13_000,
            vec![
                CallEffect::StopMedia,
                CallEffect::CloseRoom,
                CallEffect::FailOnServer(id(3))
            ]
        )
    );
    let ended = CallPhase::Ended {
        reason: EndReason::MediaFailed,
        live_ms: 0,
    };
    assert_eq!(call.view().phase, ended);
    assert_eq!(call.deadline(), None);
}

#[test]
fn a_connection_of_before_the_tap_needs_no_ladder() {
    let mut call = warm();
    assert_eq!(call.deadline(), None);
    call.handle(CallInput::OtherPresence(HERE), 60_000);
    assert_eq!(
        call.handle(flowing(Arrival::Picture), 60_100),
        [CallEffect::TellFlowing]
    );
    assert_eq!((call.deadline(), call.view().attempt), (None, Attempt::Direct));
}

#[test]
fn the_second_connection_passes_and_both_are_told() {
    let mut call = joined(false);
    next(&mut call);
    answered(&mut call, 2, 4_100);
    call.handle(CallInput::Connected { negotiation: 2 }, 4_300);
    assert_eq!(
        call.handle(came(2, Arrival::Picture), 4_400),
        [CallEffect::TellFlowing, CallEffect::TellAttempt(Attempt::Direct)]
    );
    assert_eq!(call.deadline(), None);
}

#[test]
fn the_first_connection_that_comes_up_late_is_as_good() {
    let mut call = joined(false);
    next(&mut call);
    assert_eq!(
        call.handle(flowing(Arrival::Picture), 4_050),
        [CallEffect::TellFlowing, CallEffect::TellAttempt(Attempt::Direct)]
    );
    assert_eq!(call.view().phase, CallPhase::Live { since: 4_050 });
}

#[test]
fn an_offer_without_an_answer_is_not_replaced_by_another() {
    let mut call = waiting();
    call.handle(CallInput::OtherPresence(HERE), 1_000);
    assert_eq!(next(&mut call), (4_000, vec![CallEffect::TellAttempt(Attempt::Again)]));
}

#[test]
fn a_customer_who_sends_no_picture_is_there_with_her_sound() {
    for (sends, arrival) in [(NO_PICTURE, Arrival::Sound), (MediaState::default(), Arrival::Nothing)] {
        let mut call = joined(false);
        call.handle(CallInput::OtherMedia(sends), 1_200);
        assert_eq!(call.handle(flowing(arrival), 2_300), [CallEffect::TellFlowing]);
        assert_eq!(call.deadline(), None);
    }
    let mut call = joined(false);
    call.handle(flowing(Arrival::Nothing), 2_300);
    call.handle(CallInput::OtherMedia(NO_PICTURE), 2_400);
    assert_eq!(call.deadline(), Some(4_000), "her microphone is on: she is to be heard");
}

#[test]
fn sound_without_a_picture_becomes_a_call_and_pictures_are_tried_again() {
    let mut call = joined(true);
    assert!(call.handle(flowing(Arrival::Sound), 2_300).is_empty());
    let (at, effects) = next(&mut call);
    assert_eq!(at, 9_000, "a path that carries sound is kept");
    let tell = CallEffect::TellAttempt;
    let (off, on) = (CallEffect::SetCamera(false), CallEffect::SetCamera(true));
    assert_eq!(effects, [tell(Attempt::SoundOnly), off, CallEffect::TellFlowing]);
    assert_eq!(call.view().phase, CallPhase::Live { since: 9_000 });
    assert_eq!(call.view().problems[0].code, ErrorCode::PictureBlocked);
    call.handle(CallInput::Own(NO_PICTURE), 9_010);
    // Her page sends no picture now, because it was told so; she did not switch it off.
    call.handle(CallInput::OtherMedia(NO_PICTURE), 9_050);
    assert_eq!(call.view().attempt, Attempt::SoundOnly);
    // A page that comes back is told again.
    let again = call.handle(CallInput::OtherPresence(HERE), 9_100);
    assert_eq!(again, [tell(Attempt::SoundOnly)]);

    assert_eq!(next(&mut call), (39_000, vec![tell(Attempt::Direct), on]));
    assert!(call.view().problems.is_empty());
    call.handle(CallInput::OtherMedia(CAMERA), 39_050);
    assert!(call.handle(flowing(Arrival::Picture), 39_200).is_empty());
    assert_eq!(call.deadline(), None);
    assert_eq!(call.view().attempt, Attempt::Direct);
}

#[test]
fn sound_of_the_last_moment_makes_a_call() {
    let mut call = joined(false);
    next(&mut call);
    answered(&mut call, 2, 4_100);
    next(&mut call);
    assert_eq!(call.handle(came(2, Arrival::Sound), 12_999), [CallEffect::TellFlowing]);
    assert_eq!(call.view().attempt, Attempt::SoundOnly);
    assert!(call.deadline().is_some_and(|at| at > 30_000));
}

#[test]
fn a_path_that_goes_while_climbing_is_the_ladders_business() {
    let mut call = joined(false);
    call.handle(CallInput::Connected { negotiation: 1 }, 1_500);
    assert_eq!(
        call.handle(CallInput::Path { up: false }, 2_000),
        [
            CallEffect::CheckRoom,
            CallEffect::TellAttempt(Attempt::Again),
            CallEffect::MakeOffer(2, IcePolicy::All)
        ],
        "the next rung at once, and one connection for it"
    );
    assert_eq!(call.deadline(), Some(9_000));
}

#[test]
fn the_clock_stands_while_the_customer_or_the_room_is_away() {
    let mut call = joined(false);
    call.handle(CallInput::OtherPresence(Presence::Away { until: 62_000 }), 2_000);
    assert_eq!(call.deadline(), None);
    call.handle(CallInput::OtherPresence(HERE), 32_000);
    assert_eq!(call.deadline(), Some(34_000));
    call.handle(CallInput::RoomLost, 33_000);
    assert!(call.handle(CallInput::Tick, 70_000).is_empty());
    call.handle(reached(HERE), 80_000);
    assert_eq!(call.deadline(), Some(81_000));
}

#[test]
fn a_page_loaded_anew_has_the_whole_ladder() {
    let mut call = joined(false);
    next(&mut call);
    answered(&mut call, 2, 4_100);
    next(&mut call);
    let effects = call.handle(CallInput::OtherPresence(Presence::Here { session: 2 }), 10_000);
    assert_eq!(
        effects,
        [
            CallEffect::TellAttempt(Attempt::Direct),
            CallEffect::SetCamera(true),
            CallEffect::MakeOffer(3, IcePolicy::All)
        ]
    );
    assert_eq!(call.deadline(), Some(13_000));
}

#[test]
fn a_relay_that_cannot_be_had_is_not_waited_for_to_the_end() {
    let mut call = joined(true);
    next(&mut call);
    answered(&mut call, 2, 4_100);
    next(&mut call);
    let problem = Problem::new(ErrorCode::RelayUnreachable);
    call.handle(
        CallInput::NoRelay {
            negotiation: 3,
            problem,
        },
        6_100,
    );
    let (_, effects) = next(&mut call);
    assert_eq!(effects.last(), Some(&CallEffect::MakeOffer(4, IcePolicy::All)));
}

#[test]
fn a_call_that_is_live_is_never_sent_back_to_the_chat() {
    let mut call = joined(false);
    call.handle(CallInput::Connected { negotiation: 1 }, 1_500);
    // The customer sees us; of her nothing comes.
    let live = EscalationState::Live { since: 1_600 };
    call.handle(CallInput::Escalation(escalation(live)), 1_600);
    for _ in 0..6 {
        let (_, effects) = next(&mut call);
        let ends = |effect: &CallEffect| matches!(effect, CallEffect::MakeOffer(..) | CallEffect::FailOnServer(_));
        assert!(!effects.iter().any(ends), "{effects:?}");
    }
    assert_eq!(call.view().phase, CallPhase::Live { since: 1_600 });
}

/// Whatever comes in whatever order, a call that nobody hears or sees is over in bounded time, and the engine is never
/// asked for two connections of one number.
#[test]
fn random_calls_end() {
    for seed in 1..3_000_u64 {
        let mut random = seed;
        let mut draw = |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let mut call = joined(draw(2) == 0);
        let (mut now, mut newest, mut session) = (1_200, 1, 1);
        let mut together_since = now;
        for _ in 0..400 {
            now += draw(200) as i64;
            let input = match draw(60) {
                0 => CallInput::RoomLost,
                1 | 2 => reached(Presence::Here { session }),
                3 => CallInput::OtherPresence(Presence::Away { until: now + 60_000 }),
                4 | 5 => CallInput::OtherPresence(Presence::Here { session }),
                6 if seed % 5 == 0 => {
                    session += 1;
                    CallInput::OtherPresence(Presence::Here { session })
                }
                7 => CallInput::Path { up: false },
                8 => CallInput::Connected { negotiation: newest },
                9 => came(newest, Arrival::Nothing),
                10..14 => CallInput::OfferReady(offer(newest)),
                14..18 => answer(newest),
                _ => CallInput::Tick,
            };
            // What stops the clock, or begins the ladder anew.
            if matches!(
                input,
                CallInput::RoomLost | CallInput::OtherPresence(_) | CallInput::RoomReached { .. }
            ) {
                together_since = now;
            }
            for effect in call.handle(input, now) {
                if let CallEffect::MakeOffer(negotiation, _) = effect {
                    assert_eq!(negotiation, newest + 1, "seed {seed}");
                    newest = negotiation;
                }
            }
            if call.is_over() {
                break;
            }
            assert!(
                matches!(call.view().phase, CallPhase::Connecting { .. }),
                "seed {seed}: nothing came"
            );
            let quiet = now - together_since;
            assert!(
                quiet <= BUDGET.chat_ms + 4 * 200 || call.deadline().is_none(),
                "seed {seed}: {quiet} ms without an end"
            );
        }
    }
}
