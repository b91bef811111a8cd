//! Transfers: a customer is handed from one to the other, and never left alone in between.

use crate::floor::{ASKED_MS, BOSS, Floor, OTHER_QUEUE, agent, because, conversation, lease, profile, taken_back};
use sightline_call::routing::{
    Call, Chosen, Effect, Input, Note, Profile, QueueId, Reason, Refusal, Rule, Stage, TakenBack, Target,
};
use sightline_wire::readiness::Readiness;
use std::collections::BTreeSet;

const NOTE: &str = "Wants the blue one.";

fn hands(n: u128, by: u128, to: Target) -> Input {
    Input::Transferred {
        conversation: conversation(n),
        by: agent(by),
        supervisor: by == BOSS,
        to,
        note: NOTE.into(),
    }
}

fn to(n: u128) -> Target {
    Target::Agent(agent(n))
}

/// 1 owns conversation 10; 2 is there.
fn owned() -> Floor {
    let mut floor = Floor::with_agents([1, 2]);
    floor.chat(10);
    floor.accepts(1, 10);
    floor
}

#[test]
fn the_owner_keeps_the_customer_until_the_colleague_has_said_yes() {
    let mut floor = owned();
    let effects = floor.does(hands(10, 1, to(2)));
    assert_eq!(because(&effects).rule, Rule::Transfer { by: agent(1) });
    assert!(effects.iter().any(|effect| matches!(
        effect,
        Effect::Assign { note: Some(Note { by, text }), .. } if *by == agent(1) && text == NOTE
    )));
    floor.asks(2, 10);
    floor.owns(1, 10);
    let effects = floor.accepts(2, 10);
    assert!(effects.contains(&Effect::Give {
        conversation: conversation(10),
        agent: agent(2),
        from: Some(agent(1)),
    }));
    floor.owns(2, 10);
    assert_eq!(floor.routing.load(agent(1)).unwrap().units, 0);
    assert_eq!(floor.routing.load(agent(2)).unwrap().units, 30);
}

#[test]
fn a_transfer_that_comes_to_nothing_stays_with_the_owner() {
    for (leaves, why) in [
        (Input::Tick, TakenBack::Missed),
        (Input::Disconnected { agent: agent(2) }, TakenBack::Disconnected),
        (
            Input::Declined {
                conversation: conversation(10),
                agent: agent(2),
            },
            TakenBack::Declined,
        ),
    ] {
        let mut floor = owned();
        floor.does(hands(10, 1, to(2)));
        if leaves == Input::Tick {
            floor.now += ASKED_MS;
        }
        let effects = floor.does(leaves);
        assert!(effects.contains(&taken_back(2, 10, why)));
        assert!(effects.contains(&Effect::Keep {
            conversation: conversation(10),
            agent: agent(1),
            why,
        }));
        floor.owns(1, 10);
        assert_eq!(floor.routing.load(agent(2)).unwrap().units, 0);
    }
}

#[test]
fn a_call_moves_with_its_conversation_to_a_desk_that_is_ready_for_it() {
    let mut floor = owned();
    floor.does(Input::CallBegan {
        conversation: conversation(10),
    });
    floor.does(lease(2, Readiness::Audio));
    assert_eq!(floor.refuses(hands(10, 1, to(2))), Refusal::Agent(Reason::Lease));
    // A customer in a call is handed to a person, never to a queue.
    let queue = Target::Queue(OTHER_QUEUE);
    assert_eq!(floor.refuses(hands(10, 1, queue)), Refusal::CallLive);
    floor.does(lease(2, Readiness::Video));
    floor.does(hands(10, 1, to(2)));
    // Unplugged while being asked.
    let effects = floor.does(lease(2, Readiness::Audio));
    assert!(effects.contains(&taken_back(2, 10, TakenBack::LeaseNarrowed)));
    floor.does(lease(2, Readiness::Video));
    floor.does(hands(10, 1, to(2)));
    floor.accepts(2, 10);
    assert!(matches!(
        floor.routing.conversation(conversation(10)).unwrap().stage,
        Stage::With { agent: owner, call: Call::Up, handing: None } if owner == agent(2)
    ));
    assert_eq!(floor.routing.load(agent(1)).unwrap().calls, 0);
    assert_eq!(floor.routing.load(agent(2)).unwrap().calls, 1);
}

#[test]
fn a_queue_takes_a_call_over_by_the_one_of_its_agents_who_has_been_idle_for_longest() {
    let mut floor = owned();
    for n in [3, 4, 5] {
        let other = Profile {
            queues: BTreeSet::from([OTHER_QUEUE]),
            ..profile()
        };
        floor.comes(n, other);
        floor.does(lease(n, Readiness::Video));
        floor.now += 1;
    }
    floor.does(Input::CallBegan {
        conversation: conversation(10),
    });
    let free = |floor: &Floor| floor.routing.free_in(OTHER_QUEUE, conversation(10));
    assert_eq!(free(&floor), Ok(agent(3)));
    floor.does(lease(3, Readiness::Audio));
    assert_eq!(free(&floor), Ok(agent(4)));
    floor.does(Input::Chosen {
        agent: agent(4),
        presence: Chosen::Away,
    });
    floor.does(Input::Disconnected { agent: agent(5) });
    assert_eq!(free(&floor), Err(Refusal::NobodyFree));
    assert_eq!(
        floor.routing.free_in(QueueId(99), conversation(10)),
        Err(Refusal::UnknownQueue)
    );
}

/// The next desk was asked about a chat.
#[test]
fn a_call_that_begins_in_the_middle_of_a_transfer_ends_the_transfer() {
    let mut floor = owned();
    floor.does(hands(10, 1, to(2)));
    let effects = floor.does(Input::CallBegan {
        conversation: conversation(10),
    });
    assert!(effects.contains(&taken_back(2, 10, TakenBack::WantsOther)));
    floor.owns(1, 10);
}

#[test]
fn a_queue_gets_the_conversation_in_its_old_place_and_the_owner_is_free() {
    let mut floor = owned();
    let elsewhere = Profile {
        queues: BTreeSet::from([OTHER_QUEUE]),
        ..profile()
    };
    floor.comes(3, elsewhere);
    floor.chooses(3, Chosen::Away);
    let arrived = floor.routing.conversation(conversation(10)).unwrap().since;
    floor.later(50_000);
    let effects = floor.does(hands(10, 1, Target::Queue(OTHER_QUEUE)));
    assert!(effects.contains(&Effect::Release {
        conversation: conversation(10),
        agent: agent(1),
    }));
    floor.waits(10);
    assert_eq!(floor.routing.conversation(conversation(10)).unwrap().since, arrived);
    assert_eq!(floor.routing.load(agent(1)).unwrap().sessions, 0);
    let effects = floor.chooses(3, Chosen::Available);
    floor.asks(3, 10);
    assert!(effects.iter().any(|effect| matches!(
        effect,
        Effect::Assign { note: Some(note), .. } if note.text == NOTE
    )));
}

#[test]
fn only_the_owner_or_a_supervisor_hands_over_and_only_to_somebody_who_can() {
    let mut floor = owned();
    assert_eq!(floor.refuses(hands(10, 2, to(2))), Refusal::NotOwner);
    assert_eq!(floor.refuses(hands(10, 1, to(1))), Refusal::HasItAlready);
    assert_eq!(floor.refuses(hands(10, 1, to(77))), Refusal::UnknownAgent);
    assert_eq!(floor.refuses(hands(11, 1, to(2))), Refusal::UnknownConversation);
    floor.chooses(2, Chosen::Away);
    assert_eq!(floor.refuses(hands(10, 1, to(2))), Refusal::Agent(Reason::Away));
    // Refused, so nothing has changed.
    floor.owns(1, 10);
    let effects = floor.does(hands(10, BOSS, to(2)));
    assert_eq!(because(&effects).rule, Rule::Supervisor { by: agent(BOSS) });
    floor.asks(2, 10);
    floor.owns(1, 10);
}

/// As in Dynamics 365: not on own conversations.
#[test]
fn a_supervisor_has_no_more_rights_over_an_own_conversation() {
    let mut floor = Floor::with_agents([BOSS, 2]);
    floor.chat(10);
    floor.accepts(BOSS, 10);
    floor.chooses(2, Chosen::DoNotDisturb);
    assert_eq!(
        floor.refuses(hands(10, BOSS, to(2))),
        Refusal::Agent(Reason::DoNotDisturb)
    );
}

#[test]
fn another_colleague_can_be_asked_instead_and_wrapping_up_ends_it() {
    let mut floor = owned();
    floor.comes(3, profile());
    floor.does(hands(10, 1, to(2)));
    let effects = floor.does(hands(10, 1, to(3)));
    assert!(effects.contains(&taken_back(2, 10, TakenBack::Withdrawn)));
    floor.asks(3, 10);
    assert!(floor.does(hands(10, 1, to(3))).is_empty());
    let effects = floor.does(Input::WrappedUp {
        conversation: conversation(10),
    });
    assert!(effects.contains(&taken_back(3, 10, TakenBack::Withdrawn)));
    assert_eq!(floor.refuses(hands(10, 1, to(2))), Refusal::NotOwned);
}
