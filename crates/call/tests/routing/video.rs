//! Video work follows the readiness lease at the moment of the assignment, never a static skill.

use crate::floor::{BOSS, Floor, agent, because, chat, conversation, lease, profile, taken_back, video};
use sightline_call::{
    readiness::lease::LeaseState,
    routing::{Arrival, Input, LeaseNow, Presence, Profile, Reason, Refusal, Skills, TakenBack, Undisturbed},
};
use sightline_wire::{
    conversation::Channel,
    readiness::{Readiness, ReadinessPolicy},
};

fn call(n: u128, up: bool) -> Input {
    let conversation = conversation(n);
    match up {
        true => Input::CallBegan { conversation },
        false => Input::CallEnded { conversation },
    }
}

/// The camera is unplugged while the agent is being asked.
#[test]
fn a_lease_that_narrows_moves_the_assignment_to_the_other_agent_at_once() {
    let mut floor = Floor::with_agents([1, 2]);
    floor.wants_video(10);
    floor.asks(1, 10);
    let effects = floor.does(lease(1, Readiness::Audio));
    assert_eq!(effects[0], taken_back(1, 10, TakenBack::LeaseNarrowed));
    assert_eq!(because(&effects).waited_ms, 0);
    floor.asks(2, 10);
    // The agent is not to blame, and is asked about what needs no camera.
    assert_eq!(floor.routing.presence(agent(1)), Some(Presence::Available));
    floor.chat(11);
    floor.asks(1, 11);
}

#[test]
fn nobody_is_asked_about_video_without_a_lease_for_it() {
    let mut floor = Floor::with_agents([1, 2]);
    floor.does(lease(1, Readiness::Audio));
    floor.does(lease(2, Readiness::NotReady));
    floor.wants_video(10);
    floor.waits(10);
    let why = floor.routing.why_nobody(conversation(10));
    assert_eq!(why, [(agent(1), Some(Reason::Lease)), (agent(2), Some(Reason::Lease))]);
    // Not by a supervisor, not by an own click.
    let assign = Input::Assigned {
        conversation: conversation(10),
        agent: agent(1),
        by: agent(BOSS),
    };
    assert_eq!(floor.refuses(assign), Refusal::Agent(Reason::Lease));
    let pick = Input::Picked {
        conversation: conversation(10),
        agent: agent(1),
    };
    assert_eq!(floor.refuses(pick), Refusal::Agent(Reason::Lease));
    // Plugged in again.
    floor.does(lease(2, Readiness::Video));
    floor.asks(2, 10);
}

/// The lease ends by itself, and nobody has to say so.
#[test]
fn a_lease_that_expires_takes_the_assignment_back() {
    let mut floor = Floor::with_agents([1, 2]);
    floor.does(Input::Lease {
        agent: agent(1),
        lease: LeaseNow {
            readiness: Readiness::Video,
            until: Some(floor.now + 10_000),
        },
    });
    floor.wants_video(10);
    floor.asks(1, 10);
    let effects = floor.later(9_000);
    assert_eq!(effects[0], taken_back(1, 10, TakenBack::LeaseNarrowed));
    floor.asks(2, 10);
}

#[test]
fn a_lease_is_read_as_it_stands_and_a_policy_that_only_advises_asks_for_none() {
    let policy = |required| ReadinessPolicy {
        required,
        lease_ms: 1,
        minimum_version: String::new(),
    };
    let untested = LeaseState::new(5);
    assert_eq!(LeaseNow::of(Some(&untested), 6, &policy(true)), LeaseNow::NONE);
    assert_eq!(LeaseNow::of(None, 6, &policy(true)), LeaseNow::NONE);
    assert_eq!(LeaseNow::of(None, 6, &policy(false)).readiness, Readiness::Video);
}

/// call-options-visual-engagement.md: no more work until hang-up, but by a supervisor.
#[test]
fn who_is_in_a_call_is_asked_about_nothing_else() {
    let mut floor = Floor::new();
    floor.comes(
        1,
        Profile {
            capacity: 1_000,
            ..profile()
        },
    );
    floor.chat(10);
    floor.accepts(1, 10);
    floor.does(call(10, true));
    assert_eq!(
        floor.routing.presence(agent(1)),
        Some(Presence::DoNotDisturb {
            why: Undisturbed::InCall
        })
    );
    assert_eq!(floor.routing.load(agent(1)).unwrap().units, 100);
    floor.chat(11);
    floor.waits(11);
    floor.chat(12);
    floor.does(Input::Assigned {
        conversation: conversation(12),
        agent: agent(1),
        by: agent(BOSS),
    });
    floor.asks(1, 12);
    floor.accepts(1, 12);
    floor.waits(11);
    floor.does(call(10, false));
    floor.asks(1, 11);
    assert_eq!(floor.refuses(call(13, true)), Refusal::UnknownConversation);
    assert_eq!(floor.refuses(call(11, true)), Refusal::NotOwned);
}

/// One video an agent: a second could not begin, whatever the capacity.
#[test]
fn a_second_video_goes_to_somebody_else() {
    let mut floor = Floor::new();
    floor.comes(
        1,
        Profile {
            capacity: 1_000,
            ..profile()
        },
    );
    floor.wants_video(10);
    floor.accepts(1, 10);
    floor.wants_video(11);
    floor.waits(11);
    assert_eq!(
        floor.routing.why_nobody(conversation(11)),
        [(agent(1), Some(Reason::VideoSlot))]
    );
    let assign = Input::Assigned {
        conversation: conversation(11),
        agent: agent(1),
        by: agent(BOSS),
    };
    assert_eq!(floor.refuses(assign), Refusal::Agent(Reason::VideoSlot));
    floor.chat(12);
    floor.asks(1, 12);
    floor.does(Input::WrappedUp {
        conversation: conversation(10),
    });
    floor.accepts(1, 12);
    floor.asks(1, 11);
}

/// Video takes a whole agent by the default units.
#[test]
fn video_needs_room_for_itself() {
    let mut floor = Floor::with_agents([1]);
    floor.chat(10);
    floor.accepts(1, 10);
    floor.wants_video(11);
    floor.waits(11);
    // Another chat goes past it.
    floor.chat(12);
    floor.asks(1, 12);
    floor.accepts(1, 12);
    floor.closes(10);
    floor.closes(12);
    floor.asks(1, 11);
}

/// A customer, or a bot, asks for video while waiting.
#[test]
fn a_conversation_that_comes_to_want_video_is_assigned_anew() {
    let mut floor = Floor::with_agents([1, 2]);
    floor.does(lease(1, Readiness::Audio));
    floor.chat(10);
    floor.asks(1, 10);
    let wanted = Input::Wanted {
        conversation: conversation(10),
        lease: Some(Readiness::Video),
        skills: Skills::new(),
    };
    let effects = floor.does(wanted.clone());
    assert!(effects.contains(&taken_back(1, 10, TakenBack::WantsOther)));
    floor.asks(2, 10);
    assert!(floor.does(wanted).is_empty());
}

/// The link is out, and nobody comes: two minutes later there is room for writing, and for no second video.
#[test]
fn an_invite_that_nobody_follows_does_not_keep_the_agent_for_long() {
    let mut floor = Floor::with_agents([1]);
    floor.chat(10);
    floor.accepts(1, 10);
    let until = floor.now + 120_000;
    floor.does(Input::Invited {
        conversation: conversation(10),
        until,
    });
    floor.chat(11);
    floor.wants_video(12);
    assert!(floor.routing.load(agent(1)).unwrap().asked.is_none());
    floor.later(until - floor.now);
    floor.asks(1, 11);
    floor.accepts(1, 11);
    assert!(
        floor.routing.load(agent(1)).unwrap().asked.is_none(),
        "one video at a time"
    );
    // Then the customer comes, while the agent is asked about yet another.
    floor.does(call(10, false));
    floor.does(Input::Invited {
        conversation: conversation(10),
        until: floor.now,
    });
    floor.does(Input::Closed {
        conversation: conversation(11),
    });
    floor.does(Input::Closed {
        conversation: conversation(12),
    });
    floor.chat(13);
    floor.asks(1, 13);
    let effects = floor.does(call(10, true));
    assert!(effects.contains(&taken_back(1, 13, TakenBack::CallBegan)));
    assert!(floor.routing.load(agent(1)).unwrap().asked.is_none());
}

/// The same agent again, but not into a call that cannot begin.
#[test]
fn the_same_agent_is_not_waited_for_without_a_lease() {
    let mut floor = Floor::with_agents([1, 2]);
    floor.does(lease(2, Readiness::Audio));
    let known = Arrival {
        prefer: Some(agent(2)),
        ..video()
    };
    floor.arrives(10, known);
    floor.asks(1, 10);
}

#[test]
fn a_telephone_needs_sound_alone_and_a_test_call_nobody() {
    let mut floor = Floor::with_agents([1]);
    floor.does(lease(1, Readiness::Audio));
    let phone = Arrival {
        channel: Channel::Phone,
        lease: Some(Readiness::Audio),
        ..chat()
    };
    floor.arrives(10, phone);
    floor.asks(1, 10);
    floor.accepts(1, 10);
    assert_eq!(floor.routing.load(agent(1)).unwrap().units, 100);
    let test = Input::Arrived {
        conversation: conversation(11),
        arrival: Arrival {
            channel: Channel::SelfTest,
            ..chat()
        },
    };
    assert_eq!(floor.refuses(test), Refusal::NotRouted);
}
