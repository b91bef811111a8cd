//! The seats of a room in virtual time: the stories, and random transitions against a simple model.

use sightline_call::seats::{Input, Output, SeatTimes, Seats, Waiting};
use sightline_wire::{
    escalation::EndReason,
    ids::ConnectionId,
    room::{Party, Presence},
};
use uuid::Uuid;

const TIMES: SeatTimes = SeatTimes {
    customer_ms: 60_000,
    agent_ms: 120_000,
};
const EXPIRES: i64 = 900_000;

fn connection(n: u128) -> ConnectionId {
    ConnectionId(Uuid::from_u128(n))
}

fn came(party: Party, n: u128, resumed: bool) -> Input {
    Input::Connected {
        party,
        connection: connection(n),
        resumed,
    }
}

fn went(party: Party, n: u128) -> Input {
    Input::Disconnected {
        party,
        connection: connection(n),
    }
}

fn in_call() -> Seats {
    let mut seats = Seats::new(TIMES, EXPIRES);
    seats.handle(came(Party::Agent, 1, false), 0);
    seats.handle(Input::Redeemed { by: None }, 1_000);
    seats.handle(came(Party::Customer, 2, false), 1_100);
    seats
}

#[test]
fn nobody_follows_the_link() {
    let mut seats = Seats::new(TIMES, EXPIRES);
    seats.handle(came(Party::Agent, 1, false), 0);
    assert_eq!(seats.deadline(), Some((EXPIRES, Waiting::ForJoin)));
    // A desk that is away for long does not end a call that nobody has joined.
    seats.handle(went(Party::Agent, 1), 10);
    assert_eq!(seats.handle(Input::Tick, EXPIRES - 1), []);
    assert_eq!(
        seats.handle(Input::Tick, EXPIRES),
        [Output::End(EndReason::InviteExpired)]
    );
    assert_eq!(seats.deadline(), None);
}

#[test]
fn a_warm_customer_is_seen_and_neither_expected_nor_missed() {
    let mut seats = Seats::new(TIMES, EXPIRES);
    seats.handle(came(Party::Agent, 1, false), 0);
    let warm = |session| Output::Tell {
        to: Party::Agent,
        presence: Presence::Warm { session },
    };
    assert_eq!(seats.handle(came(Party::Customer, 2, false), 100), [warm(1)]);
    assert_eq!(seats.deadline(), Some((EXPIRES, Waiting::ForJoin)));
    let gone = Output::Tell {
        to: Party::Agent,
        presence: Presence::Absent,
    };
    assert_eq!(seats.handle(went(Party::Customer, 2), 200), [gone]);
    assert_eq!(seats.deadline(), Some((EXPIRES, Waiting::ForJoin)));
    assert_eq!(seats.handle(came(Party::Customer, 3, true), 300), [warm(1)]);
    // The tap over this socket: the same session is here.
    let by = Some(connection(3));
    let here = Output::Tell {
        to: Party::Agent,
        presence: Presence::Here { session: 1 },
    };
    assert_eq!(seats.handle(Input::Redeemed { by }, 400), [here]);
    assert_eq!(seats.handle(Input::Redeemed { by }, 401), []);
    assert_eq!(seats.deadline(), None);
    assert_eq!(
        seats.handle(Input::Tick, EXPIRES),
        [],
        "the link's end does not matter any more"
    );
}

#[test]
fn the_link_ends_for_a_warm_customer_too() {
    let mut seats = Seats::new(TIMES, EXPIRES);
    seats.handle(came(Party::Customer, 2, false), 100);
    assert_eq!(
        seats.handle(Input::Tick, EXPIRES),
        [Output::End(EndReason::InviteExpired)]
    );
}

#[test]
fn whoever_joins_from_elsewhere_ends_the_warm_one() {
    let mut seats = Seats::new(TIMES, EXPIRES);
    seats.handle(came(Party::Agent, 1, false), 0);
    seats.handle(came(Party::Customer, 2, false), 100);
    let told = seats.handle(Input::Redeemed { by: None }, 1_000);
    let away = Output::TurnAway {
        connection: connection(2),
    };
    let absent = Output::Tell {
        to: Party::Agent,
        presence: Presence::Absent,
    };
    assert_eq!(told, [away, absent]);
    assert_eq!(seats.handle(went(Party::Customer, 2), 1_001), []);
    assert_eq!(seats.deadline(), Some((61_000, Waiting::ForCustomer)));
    seats.handle(came(Party::Customer, 3, false), 1_100);
    assert_eq!(seats.presence(Party::Customer), Presence::Here { session: 2 });
}

#[test]
fn a_restarted_server_waits_for_a_warm_customer_as_for_anybody() {
    let mut seats = Seats::restored(TIMES, EXPIRES, false, (1, 1), 500_000);
    assert_eq!(seats.presence(Party::Customer), Presence::Absent);
    assert_eq!(seats.deadline(), Some((EXPIRES, Waiting::ForJoin)));
    seats.handle(came(Party::Customer, 7, true), 500_100);
    assert_eq!(seats.presence(Party::Customer), Presence::Warm { session: 1 });
}

#[test]
fn both_are_here_and_nothing_is_due() {
    let seats = in_call();
    assert_eq!(seats.deadline(), None);
    assert_eq!(seats.presence(Party::Customer), Presence::Here { session: 1 });
}

#[test]
fn a_lost_customer_keeps_the_seat_for_a_minute() {
    let mut seats = in_call();
    let told = seats.handle(went(Party::Customer, 2), 5_000);
    assert_eq!(
        told,
        [Output::Tell {
            to: Party::Agent,
            presence: Presence::Away { until: 65_000 }
        }]
    );
    assert_eq!(seats.handle(Input::Tick, 64_999), []);
    let told = seats.handle(came(Party::Customer, 3, true), 64_999);
    assert_eq!(
        told,
        [Output::Tell {
            to: Party::Agent,
            presence: Presence::Here { session: 1 }
        }]
    );
    seats.handle(went(Party::Customer, 3), 70_000);
    assert_eq!(
        seats.handle(Input::Tick, 130_000),
        [Output::End(EndReason::CustomerLost)]
    );
    assert_eq!(seats.handle(came(Party::Customer, 4, true), 130_001), []);
}

#[test]
fn a_page_without_its_resume_token_is_a_new_session() {
    let mut seats = in_call();
    let told = seats.handle(came(Party::Customer, 3, false), 2_000);
    let replaced = Output::Replace {
        party: Party::Customer,
        connection: connection(2),
    };
    let here = Output::Tell {
        to: Party::Agent,
        presence: Presence::Here { session: 2 },
    };
    assert_eq!(told, [replaced, here]);
    // The old socket's end is no news.
    assert_eq!(seats.handle(went(Party::Customer, 2), 2_001), []);
}

#[test]
fn a_customer_who_joined_and_never_connected_is_lost_too() {
    let mut seats = Seats::new(TIMES, EXPIRES);
    seats.handle(came(Party::Agent, 1, false), 0);
    seats.handle(Input::Redeemed { by: None }, 1_000);
    assert_eq!(seats.deadline(), Some((61_000, Waiting::ForCustomer)));
    assert_eq!(seats.presence(Party::Customer), Presence::Absent);
}

#[test]
fn an_agent_who_stays_away_ends_it_after_two_minutes_with_the_customer() {
    let mut seats = Seats::new(TIMES, EXPIRES);
    seats.handle(came(Party::Agent, 1, false), 0);
    seats.handle(went(Party::Agent, 1), 10);
    seats.handle(Input::Redeemed { by: None }, 500_000);
    seats.handle(came(Party::Customer, 2, false), 500_100);
    assert_eq!(seats.deadline(), Some((620_000, Waiting::ForAgent)));
    assert_eq!(seats.handle(Input::Tick, 620_000), [Output::End(EndReason::AgentLost)]);
}

#[test]
fn a_restarted_server_gives_everybody_a_full_deadline() {
    let mut seats = Seats::restored(TIMES, EXPIRES, true, (2, 1), 800_000);
    assert_eq!(seats.presence(Party::Agent), Presence::Away { until: 920_000 });
    assert_eq!(seats.presence(Party::Customer), Presence::Away { until: 860_000 });
    seats.handle(came(Party::Customer, 9, true), 810_000);
    assert_eq!(seats.session(Party::Customer), 1);
    seats.handle(came(Party::Agent, 8, false), 810_000);
    assert_eq!(seats.session(Party::Agent), 3);
    // The link's end does not matter to those who are in.
    assert_eq!(seats.handle(Input::Tick, EXPIRES + 1), []);
}

/// What a side's seat must look like, kept in the simplest way.
#[derive(Default, Clone, Copy)]
struct Expected {
    here: Option<u128>,
    away_since: Option<i64>,
    session: u32,
}

#[test]
fn random_comings_and_goings_match_a_simple_model() {
    for seed in 1..=500 {
        one_random_room(seed);
    }
}

fn one_random_room(seed: u64) {
    let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut next = move |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    let mut seats = Seats::new(TIMES, EXPIRES);
    let mut expected = [Expected::default(); 2];
    let (mut now, mut redeemed, mut ended, mut newest) = (0i64, None::<i64>, false, 0u128);
    for _ in 0..200 {
        now += i64::try_from(next(20_000)).unwrap();
        let party = if next(2) == 0 { Party::Agent } else { Party::Customer };
        let side = &mut expected[usize::from(party == Party::Customer)];
        let (input, told) = match next(10) {
            0 => {
                let customer = &mut expected[1];
                let fresh = redeemed.is_none() && !ended;
                redeemed = redeemed.or(Some(now)).filter(|_| !ended);
                let by = customer.here.filter(|_| next(2) == 0);
                // A warm customer who did not tap loses the seat; one who did is announced.
                let told = match (fresh, customer.here, by) {
                    (true, Some(_), None) => {
                        customer.here = None;
                        2
                    }
                    (true, Some(_), Some(_)) => 1,
                    (true, None, _) | (false, _, _) => 0,
                };
                (Input::Redeemed { by: by.map(connection) }, told)
            }
            1..=3 => {
                newest += 1;
                let resumed = next(2) == 0;
                let replaced = usize::from(side.here.is_some());
                if !ended {
                    side.session += u32::from(!resumed || side.session == 0);
                    *side = Expected {
                        here: Some(newest),
                        away_since: None,
                        ..*side
                    };
                }
                (came(party, newest, resumed), 1 + replaced)
            }
            4..=6 => {
                // Sometimes the socket that holds the seat, sometimes an older one.
                let gone = u128::from(next(3)).min(newest);
                let gone = newest - gone;
                let holds = side.here == Some(gone);
                if holds && !ended {
                    *side = Expected {
                        here: None,
                        away_since: Some(now),
                        ..*side
                    };
                }
                (went(party, gone), usize::from(holds))
            }
            _ => (Input::Tick, 0),
        };
        let due = seats.deadline();
        let out = seats.handle(input, now);
        if ended {
            assert_eq!(out, [], "seed {seed}: an ended room is silent");
            assert_eq!(due, None, "seed {seed}");
            continue;
        }
        match out.as_slice() {
            [Output::End(reason)] => {
                assert_eq!(input, Input::Tick, "seed {seed}: only time ends a room");
                assert!(due.is_some_and(|(at, _)| now >= at), "seed {seed}: it was not due");
                let [agent, customer] = expected;
                let right = match reason {
                    EndReason::InviteExpired => redeemed.is_none() && now >= EXPIRES,
                    EndReason::CustomerLost => customer.here.is_none() && redeemed.is_some(),
                    EndReason::AgentLost => agent.here.is_none() && redeemed.is_some(),
                    _ => false,
                };
                assert!(right, "seed {seed}: {reason:?}");
                ended = true;
            }
            others => {
                assert_eq!(others.len(), told, "seed {seed}: {input:?} gave {others:?}");
                for output in others {
                    if let Output::Tell { to, presence } = output {
                        let about = if matches!(input, Input::Redeemed { .. }) {
                            Party::Customer
                        } else {
                            party
                        };
                        assert_eq!(*to, about.other(), "seed {seed}: nobody is told about themselves");
                        assert_eq!(*presence, seats.presence(about), "seed {seed}");
                    }
                }
            }
        }
        for (party, side) in [(Party::Agent, expected[0]), (Party::Customer, expected[1])] {
            assert_eq!(seats.connection(party), side.here.map(connection), "seed {seed}");
            assert_eq!(seats.session(party), side.session, "seed {seed}");
            let warm = party == Party::Customer && redeemed.is_none() && !ended;
            let presence = seats.presence(party);
            let only_warm = matches!(presence, Presence::Warm { .. } | Presence::Absent);
            assert!(!warm || only_warm, "seed {seed}: {presence:?} before the tap");
            if let (Presence::Away { until }, Some(since)) = (seats.presence(party), side.away_since) {
                let kept = if party == Party::Agent {
                    TIMES.agent_ms
                } else {
                    TIMES.customer_ms
                };
                assert_eq!(until, since + kept, "seed {seed}");
            }
        }
    }
}
