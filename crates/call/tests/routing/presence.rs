//! Presence as Dynamics 365 has it, and where this is stricter.

use crate::floor::{ASKED_MS, Floor, OTHER_QUEUE, QUEUE, agent, chat, conversation, profile, taken_back};
use sightline_call::routing::{
    Chosen, Effect, Input, Presence, Profile, Queue, Reason, TakenBack, Undisturbed, WrapUpBlocks,
};
use std::collections::BTreeSet;

fn undisturbed(why: Undisturbed) -> Option<Presence> {
    Some(Presence::DoNotDisturb { why })
}

fn gone(n: u128) -> Input {
    Input::Disconnected { agent: agent(n) }
}

fn back(n: u128) -> Input {
    Input::Connected { agent: agent(n) }
}

/// oc-manage-presence-status.md: not utilised, partially, fully.
#[test]
fn presence_follows_the_load() {
    let mut floor = Floor::new();
    floor.comes(
        1,
        Profile {
            capacity: 60,
            ..profile()
        },
    );
    let presence = |floor: &Floor| floor.routing.presence(agent(1));
    assert_eq!(presence(&floor), Some(Presence::Available));
    let effects = floor.chat(10);
    assert!(effects.contains(&Effect::Presence {
        agent: agent(1),
        presence: Presence::Busy
    }));
    floor.accepts(1, 10);
    assert_eq!(presence(&floor), Some(Presence::Busy));
    floor.chat(11);
    floor.accepts(1, 11);
    assert_eq!(presence(&floor), undisturbed(Undisturbed::Full));
    floor.closes(10);
    assert_eq!(presence(&floor), Some(Presence::Busy));
    floor.closes(11);
    assert_eq!(presence(&floor), Some(Presence::Available));
}

/// oc-manage-presence-status.md: ten sessions.
#[test]
fn ten_conversations_are_enough_whatever_the_capacity() {
    let mut floor = Floor::new();
    floor.comes(
        1,
        Profile {
            capacity: 10_000,
            ..profile()
        },
    );
    for n in 10..20 {
        floor.chat(n);
        floor.accepts(1, n);
    }
    floor.chat(20);
    floor.waits(20);
    assert_eq!(
        floor.routing.why_nobody(conversation(20)),
        [(agent(1), Some(Reason::Sessions))]
    );
    assert_eq!(floor.routing.presence(agent(1)), undisturbed(Undisturbed::Sessions));
}

/// oc-manage-presence-status.md: a missed notification makes inactive, until the agent resets it.
#[test]
fn who_misses_an_assignment_is_inactive_until_they_say_otherwise() {
    let mut floor = Floor::with_agents([1]);
    floor.chat(10);
    floor.later(ASKED_MS);
    assert_eq!(floor.routing.presence(agent(1)), Some(Presence::Inactive));
    floor.waits(10);
    floor.chooses(1, Chosen::Available);
    floor.asks(1, 10);
}

/// The same for a rejected one: not to be disturbed.
#[test]
fn who_declines_an_assignment_is_not_disturbed_until_they_say_otherwise() {
    let mut floor = Floor::with_agents([1, 2]);
    floor.chat(10);
    floor.declines(1, 10);
    floor.asks(2, 10);
    assert_eq!(floor.routing.presence(agent(1)), undisturbed(Undisturbed::Declined));
    floor.chat(11);
    floor.waits(11);
    floor.chooses(1, Chosen::Available);
    floor.asks(1, 11);
}

/// The same: what the agent chose is not overwritten by the load.
#[test]
fn away_and_do_not_disturb_stay_until_the_agent_changes_them() {
    for (chosen, presence) in [
        (Chosen::Away, Presence::Away),
        (Chosen::Offline, Presence::Offline),
        (
            Chosen::DoNotDisturb,
            Presence::DoNotDisturb {
                why: Undisturbed::Chosen,
            },
        ),
    ] {
        let mut floor = Floor::with_agents([1]);
        floor.chat(10);
        floor.accepts(1, 10);
        floor.chooses(1, chosen);
        floor.closes(10);
        assert_eq!(floor.routing.presence(agent(1)), Some(presence));
        floor.chat(11);
        floor.waits(11);
    }
}

/// The same: two and a half minutes. Stricter: nobody is asked in that time.
#[test]
fn who_is_back_within_two_and_a_half_minutes_is_as_before() {
    for (away_ms, chosen) in [(150_000, Chosen::DoNotDisturb), (150_001, Chosen::Available)] {
        let mut floor = Floor::with_agents([1]);
        floor.chooses(1, Chosen::DoNotDisturb);
        floor.does(gone(1));
        assert_eq!(floor.routing.presence(agent(1)), Some(Presence::Offline));
        floor.later(away_ms);
        floor.does(back(1));
        assert_eq!(floor.routing.agent(agent(1)).unwrap().chosen, chosen);
    }
    // Whoever was longest idle before still is.
    let mut floor = Floor::with_agents([1, 2]);
    floor.does(gone(1));
    floor.later(60_000);
    floor.does(back(1));
    floor.chat(10);
    floor.asks(1, 10);
}

/// Stricter, because a desk reconnects by itself (zammad#4970): a missed assignment is not forgotten overnight, a
/// declined one is.
#[test]
fn a_desk_that_comes_back_by_itself_is_not_taken_for_a_person() {
    for (declines, presence) in [(false, Presence::Inactive), (true, Presence::Available)] {
        let mut floor = Floor::with_agents([1]);
        floor.chat(10);
        match declines {
            true => floor.declines(1, 10),
            false => floor.later(ASKED_MS),
        };
        floor.closes(10);
        floor.does(gone(1));
        floor.later(3_600_000);
        floor.does(back(1));
        assert_eq!(floor.routing.presence(agent(1)), Some(presence));
    }
}

/// An assignment to a desk that is gone goes to the next one at once, not after its deadline.
#[test]
fn a_desk_that_is_gone_or_an_agent_who_leaves_is_not_asked_any_longer() {
    for (leaves, why) in [
        (gone(1), TakenBack::Disconnected),
        (
            Input::Chosen {
                agent: agent(1),
                presence: Chosen::Away,
            },
            TakenBack::Absent,
        ),
    ] {
        let mut floor = Floor::with_agents([1, 2]);
        floor.chat(10);
        let effects = floor.does(leaves);
        assert!(effects.contains(&taken_back(1, 10, why)));
        floor.asks(2, 10);
    }
}

#[test]
fn a_break_is_not_idleness() {
    let mut floor = Floor::with_agents([1, 2]);
    floor.chooses(1, Chosen::Away);
    floor.later(3_600_000);
    floor.chooses(1, Chosen::Available);
    floor.chat(10);
    floor.asks(2, 10);
}

/// What an agent owns stays with the agent whose desk is gone.
#[test]
fn nobody_loses_a_conversation_with_the_connection() {
    let mut floor = Floor::with_agents([1, 2]);
    floor.chat(10);
    floor.accepts(1, 10);
    floor.does(gone(1));
    floor.later(3_600_000);
    floor.owns(1, 10);
    assert_eq!(floor.routing.load(agent(1)).unwrap().units, 30);
}

/// oc-conversation-state.md: wrap-up blocks capacity always, never, or for a time.
#[test]
fn wrap_up_takes_capacity_as_the_queue_says() {
    let alone = Profile {
        capacity: 30,
        ..profile()
    };
    let wraps_up = |blocks| {
        let mut floor = Floor::new();
        floor.does(Input::Queue {
            queue: QUEUE,
            configured: Queue {
                wrap_up: blocks,
                ..Queue::default()
            },
        });
        floor.comes(1, alone.clone());
        floor.chat(10);
        floor.accepts(1, 10);
        floor.chat(11);
        floor.does(Input::WrappedUp {
            conversation: conversation(10),
        });
        floor
    };
    let mut floor = wraps_up(WrapUpBlocks::Always);
    floor.later(3_600_000);
    floor.waits(11);
    floor.closes(10);
    floor.asks(1, 11);

    wraps_up(WrapUpBlocks::Never).asks(1, 11);

    let mut floor = wraps_up(WrapUpBlocks::For(30_000));
    floor.later(29_999);
    floor.waits(11);
    floor.later(1);
    floor.asks(1, 11);
    floor.owns(1, 10);
    // Sooner, if the agent is done sooner.
    let mut floor = wraps_up(WrapUpBlocks::For(30_000));
    floor.closes(10);
    floor.asks(1, 11);
}

#[test]
fn an_agent_can_be_given_other_queues_while_at_work() {
    let mut floor = Floor::with_agents([1]);
    let mut elsewhere = chat();
    elsewhere.queue = OTHER_QUEUE;
    floor.arrives(10, elsewhere);
    floor.waits(10);
    assert!(floor.routing.why_nobody(conversation(10)).is_empty());
    floor.does(Input::Agent {
        agent: agent(1),
        profile: Profile {
            queues: BTreeSet::from([QUEUE, OTHER_QUEUE]),
            ..profile()
        },
    });
    floor.asks(1, 10);
}
