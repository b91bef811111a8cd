use super::*;
use crate::ladder::BUDGET;

mod climb;

use sightline_wire::{
    ErrorCode,
    conversation::{AgentFiles, Channel, ConversationState},
};

const OWN: MediaState = MediaState {
    microphone: true,
    camera: true,
    screen: false,
};
const HERE: Presence = Presence::Here { session: 1 };

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(number: u8) -> T {
    format!("00000000-0000-4000-8000-{number:012}").parse().unwrap()
}

fn conversation() -> Conversation {
    Conversation {
        id: id(1),
        channel: Channel::WebChat,
        state: ConversationState::Active,
        customer_name: "Ana".into(),
        customer_present: true,
        owner: Some(id(2)),
        owner_name: Some("Maria".into()),
        participants: Vec::new(),
        opened_at: 0,
        state_since: 0,
        last_seq: 0,
        delivered_seq: 0,
        read_seq: 0,
        last_text: String::new(),
        last_at: 0,
        context: Default::default(),
        notes: String::new(),
        disposition: None,
        escalation: None,
        previous: None,
        came_by: None,
        trusted: false,
        asked_for: None,
        agent_files: AgentFiles::Carried,
        meetings: false,
        hidden_variables: Vec::new(),
        queue: None,
        because: None,
        undelivered: Vec::new(),
        max_bitrate: None,
        video_request: None,
    }
}

fn escalation(state: EscalationState) -> EscalationView {
    EscalationView {
        id: id(3),
        conversation: id(1),
        room: id(4),
        state,
        url: "http://127.0.0.1/j/x".into(),
        expires_at: 900_000,
        created_at: 0,
        survey: None,
        quality: None,
    }
}

fn flowing(arrival: Arrival) -> CallInput {
    CallInput::Flowing {
        negotiation: 1,
        arrival,
    }
}

fn offer(negotiation: u32) -> Offer {
    Offer {
        negotiation,
        sdp: format!("offer {negotiation}"),
    }
}

fn new_call() -> (DeskCall, Vec<CallEffect>) {
    DeskCall::new(&conversation(), 1, OWN)
}

/// A call whose link is out and whose offer lies in the room.
fn waiting() -> DeskCall {
    let (mut call, effects) = new_call();
    assert_eq!(effects, [CallEffect::MakeOffer(1, IcePolicy::All)]);
    call.handle(CallInput::Started(escalation(EscalationState::Invited)), 0);
    call.handle(CallInput::OfferReady(offer(1)), 0);
    let effects = call.handle(
        CallInput::RoomReached {
            other: Presence::Absent,
            other_media: MediaState::default(),
        },
        0,
    );
    let nothing = CallEffect::RemoteMedia(MediaState::default());
    assert_eq!(
        effects,
        [nothing, CallEffect::SendMedia(OWN), CallEffect::SendOffer(offer(1))]
    );
    assert!(matches!(
        call.view().phase,
        CallPhase::Waiting {
            expires_at: 900_000,
            opened: false
        }
    ));
    call
}

fn live() -> DeskCall {
    let mut call = waiting();
    call.handle(CallInput::OtherPresence(HERE), 1_000);
    assert_eq!(
        call.view().phase,
        CallPhase::Connecting {
            since: 1_000,
            deadline: 1_000 + BUDGET.chat_ms
        }
    );
    let effects = call.handle(
        CallInput::Answer {
            negotiation: 1,
            sdp: "answer".into(),
        },
        1_100,
    );
    assert_eq!(
        effects,
        [
            CallEffect::AcceptAnswer {
                negotiation: 1,
                sdp: "answer".into()
            },
            CallEffect::Admit(1)
        ]
    );
    call.handle(CallInput::Connected { negotiation: 1 }, 1_200);
    assert_eq!(call.handle(flowing(Arrival::Picture), 1_300), [CallEffect::TellFlowing]);
    assert_eq!(call.view().phase, CallPhase::Live { since: 1_300 });
    call
}

#[test]
fn from_click_to_hang_up() {
    let mut call = live();
    let effects = call.handle(CallInput::HangUp, 61_300);
    assert_eq!(
        effects,
        [
            CallEffect::StopMedia,
            CallEffect::LeaveRoom,
            CallEffect::EndOnServer(id(3))
        ]
    );
    assert_eq!(
        call.view().phase,
        CallPhase::Ended {
            reason: EndReason::AgentHungUp,
            live_ms: 60_000
        }
    );
    let told = EscalationState::Ended {
        at: 61_400,
        reason: EndReason::CustomerLeft,
        live_ms: 59_000,
    };
    call.handle(CallInput::Escalation(escalation(told)), 61_400);
    assert_eq!(
        call.view().phase,
        CallPhase::Ended {
            reason: EndReason::CustomerLeft,
            live_ms: 59_000
        }
    );
}

#[test]
fn a_new_page_gets_a_new_connection_and_a_resumed_one_does_not() {
    let mut call = live();
    assert!(
        call.handle(CallInput::OtherPresence(Presence::Away { until: 90_000 }), 2_000)
            .is_empty()
    );
    assert_eq!(call.view().customer_away_until, Some(90_000));
    assert!(call.handle(CallInput::OtherPresence(HERE), 2_500).is_empty());
    let effects = call.handle(CallInput::OtherPresence(Presence::Here { session: 2 }), 3_000);
    assert_eq!(effects, [CallEffect::MakeOffer(2, IcePolicy::All)]);
    assert_eq!(
        call.handle(CallInput::OfferReady(offer(2)), 3_010),
        [CallEffect::SendOffer(offer(2))]
    );
    // The answer to the offer before is no answer to this one.
    assert!(
        call.handle(
            CallInput::Answer {
                negotiation: 1,
                sdp: "old".into()
            },
            3_020
        )
        .is_empty()
    );
    assert_eq!(
        call.handle(
            CallInput::Answer {
                negotiation: 2,
                sdp: "new".into()
            },
            3_030
        )
        .last(),
        Some(&CallEffect::Admit(2))
    );
    assert!(matches!(call.view().phase, CallPhase::Live { since: 1_300 }));
}

#[test]
fn an_unanswered_offer_is_sent_again_after_a_reconnect() {
    let mut call = waiting();
    call.handle(CallInput::RoomLost, 10);
    assert!(call.view().signalling_lost);
    let effects = call.handle(
        CallInput::RoomReached {
            other: HERE,
            other_media: OWN,
        },
        20,
    );
    assert!(effects.contains(&CallEffect::SendOffer(offer(1))));
    assert!(!call.view().signalling_lost);
    call.handle(
        CallInput::Answer {
            negotiation: 1,
            sdp: "answer".into(),
        },
        30,
    );
    call.handle(CallInput::RoomLost, 40);
    let effects = call.handle(
        CallInput::RoomReached {
            other: HERE,
            other_media: OWN,
        },
        50,
    );
    assert_eq!(effects, [CallEffect::RemoteMedia(OWN), CallEffect::SendMedia(OWN)]);
}

#[test]
fn losing_signalling_keeps_the_media() {
    let mut call = live();
    assert!(call.handle(CallInput::RoomLost, 5_000).is_empty());
    assert!(matches!(call.view().phase, CallPhase::Live { .. }));
}

#[test]
fn a_customer_without_devices_is_live_by_the_servers_word() {
    let mut call = waiting();
    call.handle(CallInput::OtherPresence(HERE), 0);
    call.handle(
        CallInput::Escalation(escalation(EscalationState::Live { since: 70 })),
        80,
    );
    assert!(matches!(call.view().phase, CallPhase::Connecting { .. }));
    call.handle(CallInput::Connected { negotiation: 1 }, 90);
    assert_eq!(call.view().phase, CallPhase::Live { since: 70 });
}

#[test]
fn giving_up_before_the_server_answered_ends_it_there_later() {
    let (mut call, _) = DeskCall::new(&conversation(), 1, OWN);
    assert_eq!(
        call.handle(CallInput::HangUp, 0),
        [CallEffect::StopMedia, CallEffect::LeaveRoom]
    );
    let effects = call.handle(CallInput::Started(escalation(EscalationState::Invited)), 5);
    assert_eq!(effects, [CallEffect::EndOnServer(id(3))]);
    assert_eq!(
        call.view().phase,
        CallPhase::Ended {
            reason: EndReason::Cancelled,
            live_ms: 0
        }
    );
}

#[test]
fn a_dead_path_is_replaced_at_once_and_over_a_relay_when_that_does_not_help() {
    let mut call = live();
    assert_eq!(
        call.handle(CallInput::Path { up: false }, 10_000),
        [CallEffect::CheckRoom, CallEffect::MakeOffer(2, IcePolicy::All)]
    );
    call.handle(CallInput::OfferReady(offer(2)), 10_010);
    let answer = CallInput::Answer {
        negotiation: 2,
        sdp: "answer".into(),
    };
    call.handle(answer, 10_100);
    let due = call.deadline().expect("another attempt");
    assert_eq!(
        call.handle(CallInput::Tick, due),
        [CallEffect::MakeOffer(3, IcePolicy::RelayOnly)]
    );
    call.handle(CallInput::Connected { negotiation: 3 }, due + 300);
    assert_eq!(call.deadline(), None);
}

#[test]
fn an_offer_with_our_addresses_never_leaves_a_relay_only_deployment() {
    let (mut call, _) = new_call();
    call.handle(CallInput::OfferReady(offer(1)), 10);
    assert_eq!(
        call.handle(CallInput::Policy(IcePolicy::RelayOnly), 20),
        [CallEffect::MakeOffer(2, IcePolicy::RelayOnly)]
    );
    call.handle(CallInput::Started(escalation(EscalationState::Invited)), 20);
    let reached = CallInput::RoomReached {
        other: Presence::Absent,
        other_media: MediaState::default(),
    };
    let effects = call.handle(reached, 30);
    assert!(!effects.iter().any(|effect| matches!(effect, CallEffect::SendOffer(_))));
    assert_eq!(
        call.handle(CallInput::OfferReady(offer(2)), 40),
        [CallEffect::SendOffer(offer(2))]
    );
}

#[test]
fn addresses_found_later_reach_the_room_whenever_it_is_reached() {
    let (mut call, _) = new_call();
    let found = CallInput::Found {
        negotiation: 1,
        candidate: "candidate:relay".into(),
    };
    call.handle(CallInput::OfferReady(offer(1)), 10);
    assert!(call.handle(found, 20).is_empty(), "nobody to tell yet");
    call.handle(CallInput::Started(escalation(EscalationState::Invited)), 30);
    let reached = CallInput::RoomReached {
        other: Presence::Absent,
        other_media: MediaState::default(),
    };
    let effects = call.handle(reached, 40);
    let told = CallEffect::SendCandidate {
        negotiation: 1,
        candidate: "candidate:relay".into(),
    };
    assert_eq!(effects[effects.len() - 2..], [CallEffect::SendOffer(offer(1)), told]);
}

#[test]
fn the_end_by_the_room_stops_everything_once() {
    let mut call = live();
    let effects = call.handle(CallInput::RoomEnded(EndReason::CustomerLeft), 2_300);
    assert_eq!(effects, [CallEffect::StopMedia, CallEffect::LeaveRoom]);
    assert!(call.handle(CallInput::HangUp, 2_400).is_empty());
    assert!(
        call.handle(CallInput::RoomEnded(EndReason::AgentHungUp), 2_400)
            .is_empty()
    );
    assert_eq!(
        call.view().phase,
        CallPhase::Ended {
            reason: EndReason::CustomerLeft,
            live_ms: 1_000
        }
    );
}

fn answer(negotiation: u32) -> CallInput {
    CallInput::Answer {
        negotiation,
        sdp: "answer".into(),
    }
}

/// A call whose customer has opened the link, with the connection made.
fn warm() -> DeskCall {
    let mut call = waiting();
    assert!(
        call.handle(CallInput::OtherPresence(Presence::Warm { session: 1 }), 500)
            .is_empty()
    );
    let effects = call.handle(answer(1), 600);
    assert!(
        matches!(effects.as_slice(), [CallEffect::AcceptAnswer { .. }]),
        "nothing is let go"
    );
    assert!(call.handle(CallInput::Connected { negotiation: 1 }, 700).is_empty());
    assert_eq!(
        call.view().phase,
        CallPhase::Waiting {
            expires_at: 900_000,
            opened: true
        }
    );
    call
}

#[test]
fn the_tap_lets_the_media_of_a_warm_connection_go() {
    let mut call = warm();
    assert_eq!(
        call.deadline(),
        None,
        "a warm customer may take all the time of the link"
    );
    assert_eq!(
        call.handle(CallInput::OtherPresence(HERE), 60_000),
        [CallEffect::Admit(1)]
    );
    assert!(matches!(call.view().phase, CallPhase::Connecting { since: 60_000, .. }));
    assert!(call.handle(CallInput::OtherPresence(HERE), 60_001).is_empty());
    assert!(call.handle(CallInput::Knocked { negotiation: 1 }, 60_050).is_empty());
    call.handle(flowing(Arrival::Picture), 60_100);
    assert!(matches!(call.view().phase, CallPhase::Live { .. }));
}

#[test]
fn the_escalations_own_news_lets_nothing_go() {
    let mut call = warm();
    let joining = EscalationState::Joining { since: 60_000 };
    assert!(
        call.handle(CallInput::Escalation(escalation(joining)), 60_000)
            .is_empty()
    );
    assert!(matches!(call.view().phase, CallPhase::Connecting { .. }));
}

#[test]
fn media_from_the_warm_page_is_the_tap_and_the_server_confirms_it() {
    let mut call = warm();
    assert_eq!(
        call.handle(CallInput::Knocked { negotiation: 1 }, 60_000),
        [CallEffect::Admit(1)]
    );
    call.handle(flowing(Arrival::Picture), 60_010);
    assert_eq!(call.deadline(), Some(60_000 + CONFIRM_MS));
    assert!(call.handle(CallInput::OtherPresence(HERE), 60_020).is_empty());
    assert_eq!(call.deadline(), None);
}

#[test]
fn media_that_the_server_never_confirms_is_cut() {
    let mut call = warm();
    call.handle(CallInput::Knocked { negotiation: 1 }, 60_000);
    call.handle(flowing(Arrival::Picture), 60_010);
    // Without the room nobody could have told us.
    call.handle(CallInput::RoomLost, 60_020);
    assert!(call.handle(CallInput::Tick, 60_000 + CONFIRM_MS).is_empty());
    let reached = CallInput::RoomReached {
        other: Presence::Warm { session: 1 },
        other_media: MediaState::default(),
    };
    call.handle(reached, 76_000);
    assert_eq!(
        call.handle(CallInput::Tick, 60_000 + 2 * CONFIRM_MS),
        [CallEffect::Cut(1), CallEffect::MakeOffer(2, IcePolicy::All)]
    );
    assert!(matches!(call.view().phase, CallPhase::Waiting { opened: true, .. }));
}

#[test]
fn another_page_never_gets_what_was_meant_for_the_first() {
    let mut call = warm();
    // A second browser is warm now: the first one's connection is of no use to anybody.
    assert_eq!(
        call.handle(CallInput::OtherPresence(Presence::Warm { session: 2 }), 1_000),
        [CallEffect::Cut(1), CallEffect::MakeOffer(2, IcePolicy::All)]
    );
    assert!(call.handle(CallInput::Knocked { negotiation: 1 }, 1_001).is_empty());
    assert_eq!(
        call.handle(CallInput::OfferReady(offer(2)), 1_010),
        [CallEffect::SendOffer(offer(2))]
    );
    // A third joins over HTTP before the second has answered.
    assert!(
        call.handle(CallInput::OtherPresence(Presence::Absent), 2_000)
            .is_empty()
    );
    assert!(
        call.handle(CallInput::OtherPresence(Presence::Here { session: 3 }), 2_100)
            .is_empty()
    );
    assert_eq!(call.handle(answer(2), 2_200).last(), Some(&CallEffect::Admit(2)));
}

#[test]
fn a_warm_page_that_leaves_makes_room_for_a_fresh_offer() {
    let mut call = warm();
    assert_eq!(
        call.handle(CallInput::OtherPresence(Presence::Absent), 1_000),
        [CallEffect::Cut(1), CallEffect::MakeOffer(2, IcePolicy::All)]
    );
    call.handle(CallInput::OfferReady(offer(2)), 1_010);
    assert!(matches!(call.view().phase, CallPhase::Waiting { opened: false, .. }));
    // Losing the room says nothing about the page: its connection is kept.
    let mut call = warm();
    call.handle(CallInput::RoomLost, 1_000);
    let reached = |other| CallInput::RoomReached {
        other,
        other_media: MediaState::default(),
    };
    let effects = call.handle(reached(Presence::Absent), 1_100);
    assert!(
        effects
            .iter()
            .all(|effect| !matches!(effect, CallEffect::MakeOffer(..) | CallEffect::Cut(_)))
    );
    assert!(
        call.handle(CallInput::OtherPresence(Presence::Warm { session: 1 }), 1_200)
            .is_empty()
    );
    assert_eq!(
        call.handle(CallInput::OtherPresence(HERE), 1_300),
        [CallEffect::Admit(1)]
    );
}
