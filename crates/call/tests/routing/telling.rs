//! What customers hear who wait already: once for each change that lasts, and nothing of one that does not.

use crate::floor::{ASKED_MS, Floor, OTHER_QUEUE, QUEUE, agent, profile};
use sightline_call::routing::{
    Chosen, Effect, Hours, Input, Policy, Queue, QueueStatus, Routing, Span, StatusKind, Told,
};

const SETTLE_MS: i64 = 20_000;
/// Dynamics 365: an agent who is back within this time has not been away.
const RETURN_MS: i64 = 150_000;

fn gone(n: u128) -> Input {
    Input::Disconnected { agent: agent(n) }
}

fn back(n: u128) -> Input {
    Input::Connected { agent: agent(n) }
}

fn told(effects: &[Effect]) -> Vec<(QueueStatus, i64)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Tell { queue, status, since } if *queue == QUEUE => Some((*status, *since)),
            _ => None,
        })
        .collect()
}

/// An agent who has been there for a while, with nobody else.
fn staffed() -> Floor {
    let mut floor = Floor::with_agents([1]);
    assert_eq!(told(&floor.later(10 * SETTLE_MS)), [], "somebody is there");
    floor
}

#[test]
fn who_waits_is_told_when_the_last_agent_has_left_for_a_while() {
    let mut floor = staffed();
    floor.comes(2, profile());
    floor.chooses(1, Chosen::Away);
    assert_eq!(told(&floor.later(10 * SETTLE_MS)), [], "the other one is there");
    floor.chooses(2, Chosen::Offline);
    let since = floor.now;
    assert_eq!(told(&floor.later(SETTLE_MS - 1)), [], "it may not last");
    assert_eq!(told(&floor.later(1)), [(QueueStatus::NobodyHere, since)]);
    assert_eq!(told(&floor.later(100 * SETTLE_MS)), [], "it is said once");
}

#[test]
fn a_desk_that_is_back_in_time_has_not_been_away() {
    let mut floor = staffed();
    floor.does(gone(1));
    assert_eq!(told(&floor.later(RETURN_MS - 1)), []);
    assert_eq!(told(&floor.does(back(1))), []);
    assert_eq!(told(&floor.later(100 * SETTLE_MS)), []);

    floor.does(gone(1));
    let since = floor.now;
    assert_eq!(told(&floor.later(RETURN_MS)), [(QueueStatus::NobodyHere, since)]);
}

#[test]
fn while_one_may_still_be_back_the_next_who_leaves_changes_nothing() {
    let mut floor = staffed();
    floor.comes(2, profile());
    floor.does(gone(1));
    floor.later(100_000);
    floor.chooses(2, Chosen::Away);
    assert_eq!(
        told(&floor.later(RETURN_MS - 100_000 - 1)),
        [],
        "the first one may be back"
    );
    assert_eq!(told(&floor.later(1)).len(), 1);
}

#[test]
fn who_had_gone_away_before_the_desk_went_is_not_waited_for() {
    let mut floor = staffed();
    floor.comes(2, profile());
    floor.chooses(1, Chosen::Away);
    floor.does(gone(1));
    floor.chooses(2, Chosen::DoNotDisturb);
    assert_eq!(told(&floor.later(SETTLE_MS)).len(), 1);
}

#[test]
fn coming_and_going_is_said_once_until_somebody_stays() {
    let mut floor = staffed();
    floor.chooses(1, Chosen::Away);
    assert_eq!(told(&floor.later(SETTLE_MS)).len(), 1);
    for _ in 0..5 {
        floor.chooses(1, Chosen::Available);
        floor.later(SETTLE_MS - 1);
        floor.chooses(1, Chosen::Away);
        assert_eq!(told(&floor.later(RETURN_MS)), [], "they know it");
    }
    floor.chooses(1, Chosen::Available);
    assert_eq!(
        told(&floor.later(SETTLE_MS)),
        [],
        "that somebody is back shows by itself"
    );
    floor.chooses(1, Chosen::Away);
    assert_eq!(told(&floor.later(SETTLE_MS)).len(), 1, "a change of its own");
}

#[test]
fn a_missed_question_is_nobody_here_too() {
    let mut floor = staffed();
    floor.chat(10);
    floor.later(ASKED_MS);
    assert_eq!(told(&floor.later(SETTLE_MS)).len(), 1);
}

#[test]
fn the_end_of_the_hours_is_told_and_the_morning_gives_its_agents_time() {
    let mut floor = staffed();
    // 1 January 1970 was a Thursday.
    let span = |from_min, to_min| Span {
        weekday: 3,
        from_min,
        to_min,
    };
    let hours = Hours {
        spans: vec![span(0, 60), span(120, 180)],
        ..Hours::default()
    };
    floor.does(Input::Queue {
        queue: QUEUE,
        configured: Queue {
            hours: Some(hours),
            ..Queue::default()
        },
    });
    let hour = 3_600_000;
    let until = |floor: &mut Floor, at: i64| floor.later(at - floor.now);
    until(&mut floor, hour);
    let closed = QueueStatus::Closed {
        opens_at: Some(2 * hour),
    };
    assert_eq!(told(&until(&mut floor, hour + SETTLE_MS)), [(closed, hour)]);
    floor.does(gone(1));
    assert_eq!(told(&until(&mut floor, 2 * hour)), [], "closed is closed");
    assert_eq!(told(&floor.later(RETURN_MS - 1)), [], "the first one is on the way in");
    assert_eq!(told(&floor.later(1)), [(QueueStatus::NobodyHere, 2 * hour)]);
}

#[test]
fn after_a_restart_nobody_is_told_before_the_agents_had_time_to_come_back() {
    let (mut routing, first) = Routing::restored(Policy::default(), [(QUEUE, Queue::default())], [], [], 1_000);
    assert_eq!(told(&first.effects), []);
    assert_eq!(told(&routing.handle(Input::Tick, 1_000 + RETURN_MS - 1).effects), []);
    // What was told before the restart is not told again: nothing is known of a change.
    let now = told(&routing.handle(Input::Tick, 1_000 + RETURN_MS).effects);
    assert_eq!(now, [(QueueStatus::NobodyHere, i64::MIN)]);
    let before = Told {
        queue: QUEUE,
        kind: StatusKind::NobodyHere,
        at: 5,
    };
    assert!(before.covers(QUEUE, StatusKind::NobodyHere, i64::MIN));
    assert!(!before.covers(QUEUE, StatusKind::NobodyHere, 6));
    assert!(!before.covers(QUEUE, StatusKind::Closed, i64::MIN));
    assert!(!before.covers(OTHER_QUEUE, StatusKind::NobodyHere, i64::MIN));
}
