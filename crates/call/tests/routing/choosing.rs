//! Who is asked: longest idle, skills, priorities, capacity, the same agent, and when nobody is there.

use crate::floor::{
    ASKED_MS, BOSS, Floor, OTHER_QUEUE, QUEUE, agent, because, chat, conversation, others, profile, taken_back,
};
use sightline_call::routing::{
    Arrival, Chosen, Effect, Hours, Input, Profile, Queue, QueueStatus, Reason, Refusal, Rule, SkillId, Skills, Span,
    Stage, TakenBack, WhyWaiting,
};
use std::collections::BTreeSet;

const SPANISH: SkillId = SkillId(7);

/// Longest idle, as every queue of this kind.
#[test]
fn the_one_without_new_work_for_longest_is_asked() {
    let mut floor = Floor::with_agents([1, 2, 3]);
    let effects = floor.chat(10);
    floor.asks(1, 10);
    assert_eq!(others(&because(&effects)), 2);
    floor.accepts(1, 10);
    floor.chat(11);
    floor.asks(2, 11);
    floor.accepts(2, 11);
    // Closing is new, too: 3 has done nothing yet.
    floor.closes(10);
    floor.chat(12);
    floor.asks(3, 12);
}

#[test]
fn one_conversation_at_a_time_is_asked_about_and_the_next_one_then() {
    let mut floor = Floor::with_agents([1]);
    floor.chat(10);
    floor.chat(11);
    floor.waits(11);
    let why = floor.routing.why_waiting(conversation(11));
    assert_eq!(
        why,
        Some(WhyWaiting::Nobody {
            agents: vec![(Reason::BeingAsked, 1)]
        })
    );
    floor.accepts(1, 10);
    floor.asks(1, 11);
}

#[test]
fn skills_count_with_their_levels() {
    let mut floor = Floor::new();
    let skilled = |level: u8| Profile {
        skills: Skills::from([(SPANISH, level)]),
        ..profile()
    };
    floor.comes(1, profile());
    floor.comes(2, skilled(3));
    floor.comes(3, skilled(8));
    let arrival = Arrival {
        skills: Skills::from([(SPANISH, 5)]),
        ..chat()
    };
    floor.arrives(10, arrival.clone());
    floor.asks(3, 10);
    floor.accepts(3, 10);
    floor.chooses(3, Chosen::Away);
    floor.arrives(11, arrival);
    floor.waits(11);
    assert_eq!(
        floor.routing.why_nobody(conversation(11)),
        [
            (agent(1), Some(Reason::Skill)),
            (agent(2), Some(Reason::Skill)),
            (agent(3), Some(Reason::Away)),
        ]
    );
    // Learning is enough.
    floor.does(Input::Agent {
        agent: agent(2),
        profile: skilled(5),
    });
    floor.asks(2, 11);
}

#[test]
fn the_most_urgent_comes_first_then_the_one_that_waits_longest() {
    let mut floor = Floor::new();
    for (n, priority) in [(10, 0), (11, 0), (12, 9)] {
        floor.arrives(
            n,
            Arrival {
                priority: Some(priority),
                ..chat()
            },
        );
    }
    floor.comes(1, profile());
    floor.asks(1, 12);
    floor.accepts(1, 12);
    floor.asks(1, 10);
    floor.accepts(1, 10);
    floor.asks(1, 11);
}

/// oc-manage-presence-status.md: full capacity; units for each channel.
#[test]
fn nobody_gets_more_than_there_is_room_for() {
    let mut floor = Floor::with_agents([1]);
    for n in [10, 11, 12] {
        floor.chat(n);
        floor.accepts(1, n);
    }
    floor.chat(13);
    floor.waits(13);
    assert_eq!(
        floor.routing.why_nobody(conversation(13)),
        [(agent(1), Some(Reason::Full))]
    );
    floor.closes(11);
    floor.asks(1, 13);
}

/// Dynamics 365's sample: the queue rule on EmailAddressContextVariable.
#[test]
fn a_customer_who_returns_is_kept_for_the_same_agent_for_a_moment() {
    let known = |n| Arrival {
        prefer: Some(agent(n)),
        ..chat()
    };
    let mut floor = Floor::with_agents([1, 2]);
    let effects = floor.arrives(10, known(2));
    floor.asks(2, 10);
    assert_eq!(because(&effects).rule, Rule::SameAgent);
    // 2 is busy being asked: the next one is kept, although 1 is free.
    let effects = floor.arrives(11, known(2));
    let until = floor.now + 30_000;
    assert_eq!(
        effects,
        [Effect::Wait {
            conversation: conversation(11),
            why: WhyWaiting::KeptFor {
                agent: agent(2),
                until,
                reason: Some(Reason::BeingAsked),
            },
        }]
    );
    floor.accepts(2, 10);
    floor.asks(2, 11);
}

/// chatwoot#4158, #10739: never stuck on an agent who is away.
#[test]
fn a_customer_who_returns_does_not_wait_for_somebody_who_is_not_there() {
    let known = Arrival {
        prefer: Some(agent(2)),
        ..chat()
    };
    for leaves in [
        Input::Disconnected { agent: agent(2) },
        Input::Chosen {
            agent: agent(2),
            presence: Chosen::Away,
        },
    ] {
        // Gone before the customer came.
        let mut floor = Floor::with_agents([1, 2]);
        floor.does(leaves.clone());
        floor.arrives(10, known.clone());
        floor.asks(1, 10);
        // Gone while the customer waits.
        let mut floor = Floor::with_agents([1, 2]);
        floor.chat(20);
        floor.accepts(1, 20);
        floor.arrives(10, known.clone());
        floor.arrives(11, known.clone());
        floor.asks(2, 10);
        floor.does(leaves);
        // One was being asked about, one was kept: 1 is asked about both, one after the other.
        floor.asks(1, 10);
        floor.accepts(1, 10);
        floor.asks(1, 11);
    }
    // There, and busy for too long.
    let mut floor = Floor::with_agents([1, 2]);
    floor.arrives(10, known.clone());
    floor.accepts(2, 10);
    floor.does(Input::CallBegan {
        conversation: conversation(10),
    });
    floor.arrives(11, known);
    floor.later(29_999);
    assert_eq!(floor.routing.conversation(conversation(11)).unwrap().asked(), None);
    floor.later(1);
    floor.asks(1, 11);
}

/// oc-notifications.md lets minutes pass until somebody else is asked; here it is the same step.
#[test]
fn what_is_not_answered_goes_to_the_next_one_at_the_deadline() {
    let mut floor = Floor::with_agents([1, 2]);
    floor.chat(10);
    assert!(floor.later(ASKED_MS - 1).is_empty());
    let effects = floor.later(1);
    assert!(effects.contains(&taken_back(1, 10, TakenBack::Missed)));
    floor.asks(2, 10);
    let late = Input::Accepted {
        conversation: conversation(10),
        agent: agent(1),
    };
    assert_eq!(floor.refuses(late), Refusal::WithColleague);
    assert!(floor.declines(2, 10).contains(&taken_back(2, 10, TakenBack::Declined)));
    floor.waits(10);
    assert_eq!(
        floor.routing.why_nobody(conversation(10)),
        [(agent(1), Some(Reason::Inactive)), (agent(2), Some(Reason::Declined)),]
    );
}

/// zammad#4970: a chat is not offered with nobody there.
#[test]
fn customers_are_told_when_nobody_is_there() {
    let mut floor = Floor::new();
    assert_eq!(floor.routing.status(QUEUE), Some(QueueStatus::NobodyHere));
    let status = |status| Effect::Queue { queue: QUEUE, status };
    assert!(floor.comes(1, profile()).contains(&status(QueueStatus::Staffed)));
    floor.chat(10);
    // A desk without anybody in front of it: the first customer finds out, the second is not fooled.
    assert!(floor.later(ASKED_MS).contains(&status(QueueStatus::NobodyHere)));
    assert!(
        floor
            .chooses(1, Chosen::Available)
            .contains(&status(QueueStatus::Staffed))
    );
    floor.asks(1, 10);
}

#[test]
fn outside_business_hours_a_conversation_waits_for_the_morning() {
    let mut floor = Floor::with_agents([1]);
    // 1 January 1970 was a Thursday.
    let hours = Hours {
        spans: vec![Span {
            weekday: 3,
            from_min: 60,
            to_min: 120,
        }],
        ..Hours::default()
    };
    let opens_at = Some(60 * 60_000);
    floor.does(Input::Queue {
        queue: QUEUE,
        configured: Queue {
            hours: Some(hours),
            ..Queue::default()
        },
    });
    assert_eq!(floor.routing.status(QUEUE), Some(QueueStatus::Closed { opens_at }));
    let effects = floor.chat(10);
    assert_eq!(
        effects,
        [Effect::Wait {
            conversation: conversation(10),
            why: WhyWaiting::Closed { opens_at },
        }]
    );
    // Once those who wait have been told that it is closed, and those of the other queue that nobody has come.
    floor.later(floor.routing.policy().return_ms);
    assert_eq!(floor.routing.deadline().map(|(at, _)| at), opens_at);
    floor.now = 60 * 60_000;
    floor.does(Input::Tick);
    floor.asks(1, 10);
    // Who is there when it closes is served nevertheless.
    floor.chat(11);
    floor.now = 120 * 60_000;
    floor.does(Input::Tick);
    assert!(matches!(
        floor.routing.status(QUEUE),
        Some(QueueStatus::Closed { opens_at: Some(_) })
    ));
    floor.chooses(1, Chosen::Available);
    floor.asks(1, 10);
    floor.accepts(1, 10);
    floor.asks(1, 11);
}

#[test]
fn an_agent_may_take_what_waits_but_not_more_than_fits() {
    let mut floor = Floor::with_agents([1, 2]);
    floor.chooses(1, Chosen::Away);
    floor.chooses(2, Chosen::Away);
    let picked = |n| Input::Picked {
        conversation: conversation(n),
        agent: agent(1),
    };
    for n in [10, 11, 12, 13] {
        floor.chat(n);
    }
    for n in [12, 10, 11] {
        floor.does(picked(n));
        floor.owns(1, n);
    }
    assert_eq!(floor.refuses(picked(13)), Refusal::Agent(Reason::Full));
    let colleague = Input::Picked {
        conversation: conversation(12),
        agent: agent(2),
    };
    assert_eq!(floor.refuses(colleague), Refusal::WithColleague);
}

#[test]
fn the_same_arrival_twice_is_one_conversation_and_closing_stops_the_asking() {
    let mut floor = Floor::with_agents([1]);
    // How the queues stand is known.
    floor.later(150_000);
    floor.chat(10);
    assert!(floor.chat(10).is_empty());
    assert!(floor.closes(10).contains(&taken_back(1, 10, TakenBack::Withdrawn)));
    assert_eq!(floor.routing.conversation(conversation(10)), None);
    assert_eq!(floor.routing.load(agent(1)).unwrap().units, 0);
    assert_eq!(floor.routing.deadline(), None);
}

/// After a restart of the server.
#[test]
fn rows_make_the_same_floor_again() {
    let mut floor = Floor::with_agents([1, 2]);
    floor.chat(10);
    floor.accepts(1, 10);
    floor.chat(11);
    floor.chooses(1, Chosen::Away);
    floor.comes(
        3,
        Profile {
            queues: BTreeSet::from([OTHER_QUEUE]),
            ..profile()
        },
    );
    floor.asks(2, 11);
    let agents: Vec<_> = [1, 2, 3]
        .map(|n| (agent(n), floor.routing.agent(agent(n)).unwrap().clone()))
        .into();
    let rows: Vec<_> = [10, 11]
        .map(|n| {
            let id = conversation(n);
            (id, floor.routing.conversation(id).unwrap().clone())
        })
        .into();
    let queues = [(QUEUE, Queue::default()), (OTHER_QUEUE, Queue::default())];
    let (routing, decided) =
        sightline_call::routing::Routing::restored(*floor.routing.policy(), queues, agents, rows, floor.now);
    floor.routing = routing;
    // Nobody is asked any more, which is a change; the rest is as it was.
    assert_eq!(decided.conversations, BTreeSet::from([conversation(11)]));
    floor.owns(1, 10);
    floor.waits(11);
    // 1 comes back as it left, within the time for that; 2 is there and free.
    floor.does(Input::Connected { agent: agent(1) });
    assert_eq!(floor.routing.agent(agent(1)).unwrap().chosen, Chosen::Away);
    assert_eq!(floor.routing.load(agent(1)).unwrap().units, 30);
    floor.does(Input::Connected { agent: agent(2) });
    floor.asks(2, 11);
}

/// Dynamics 365, ongoing conversations: assign may exceed capacity and shows by how much.
#[test]
fn a_supervisor_may_give_too_much_and_is_told_by_how_much() {
    let mut floor = Floor::with_agents([1]);
    for n in [10, 11, 12] {
        floor.chat(n);
        floor.accepts(1, n);
    }
    floor.chat(13);
    let assign = |n, to| Input::Assigned {
        conversation: conversation(n),
        agent: agent(to),
        by: agent(BOSS),
    };
    let reason = because(&floor.does(assign(13, 1)));
    assert_eq!(reason.rule, Rule::Supervisor { by: agent(BOSS) });
    assert_eq!((reason.units, reason.capacity, reason.over_units), (120, 100, 20));
    assert!(
        reason.sentence(None).contains("20 units over the capacity of 100"),
        "{}",
        reason.sentence(None)
    );
    // The agent is asked like anybody else, and does not answer.
    floor.later(ASKED_MS);
    floor.waits(13);
    // Even a supervisor cannot give it to an empty chair.
    floor.does(Input::Disconnected { agent: agent(1) });
    assert_eq!(floor.refuses(assign(13, 1)), Refusal::Agent(Reason::Offline));
    assert_eq!(floor.refuses(assign(10, 1)), Refusal::WithColleague);
}

#[test]
fn what_routing_asks_gives_way_to_a_supervisors_choice() {
    let mut floor = Floor::with_agents([1, 2]);
    floor.chat(10);
    floor.chat(11);
    floor.asks(1, 10);
    floor.asks(2, 11);
    let effects = floor.does(Input::Assigned {
        conversation: conversation(11),
        agent: agent(1),
        by: agent(BOSS),
    });
    assert!(effects.contains(&taken_back(2, 11, TakenBack::Withdrawn)));
    assert!(effects.contains(&taken_back(1, 10, TakenBack::GivesWay)));
    floor.asks(1, 11);
    floor.asks(2, 10);
    assert!(matches!(
        floor.routing.conversation(conversation(11)).unwrap().stage,
        Stage::Assigned { supervisor: Some(by), .. } if by == agent(BOSS)
    ));
}
