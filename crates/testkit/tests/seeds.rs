//! Two engines in virtual time over paths that a seed makes: what must hold on every one of them. Sides check by
//! themselves that no picture is shown twice, out of order, or after a gap.

use sightline_testkit::{
    network::{Loss, Path},
    rfc8867::case_5_1,
    side::Seen,
    world::World,
};
use std::time::{Duration, Instant};

const CAP: u32 = 2_500_000;
const MS: Duration = Duration::from_millis(1);

/// Any path that a call should survive: up to 150 ms away, 30 ms of jitter, a seventh lost, at least 300 kbit/s.
fn any_path(rng: &mut fastrand::Rng) -> Path {
    let share = rng.f64() * 0.15;
    Path {
        delay: MS * rng.u32(0..150),
        jitter: MS * rng.u32(0..30),
        reordering: rng.bool(),
        loss: match rng.u8(0..3) {
            0 => Loss::None,
            1 => Loss::Random(share),
            _ => Loss::Bursts { share, length: 3.0 },
        },
        capacity: vec![(Duration::ZERO, rng.u64(300_000..4_000_000))],
        queue: MS * rng.u32(50..500),
    }
}

/// A call over 100 ms of round trip, and nothing else in its way.
fn far_apart(seed: u64) -> World {
    let path = Path {
        delay: 50 * MS,
        ..Path::default()
    };
    World::new([path.clone(), path], 1, CAP, seed)
}

fn seen(world: &World) -> [&Seen; 2] {
    [&world.calls[0][0].seen, &world.calls[0][1].seen]
}

#[test]
fn every_path_brings_a_picture_and_sound_to_both_sides() {
    for seed in 0..200 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let paths = [any_path(&mut rng), any_path(&mut rng)];
        let mut world = World::new(paths.clone(), 1, CAP, seed);
        let there = |world: &World| {
            seen(world)
                .iter()
                .all(|seen| !seen.pictures.is_empty() && !seen.sound.is_empty())
        };
        world.run(Duration::from_secs(30), there);
        assert!(
            there(&world),
            "seed {seed} after {:?}: {paths:?}",
            world.now - world.start
        );
    }
}

/// Where every third packet is lost, so are most of ICE's checks; the reports of what has arrived say that the path is
/// there. The engine waits two seconds for them before it tries another connection. The loss begins when the call is up:
/// a handshake under such a loss is another matter, and its retransmissions are not seeded.
#[test]
fn a_path_that_loses_a_third_is_not_taken_for_lost() {
    for seed in 0..20 {
        let mut world = far_apart(seed);
        let up = |world: &World| seen(world).iter().all(|side| side.connected.is_some());
        world.run(Duration::from_secs(10), up);
        assert!(up(&world), "it connects");
        let began = world.now;
        world.lose(Loss::Random(0.3));
        world.run(Duration::from_secs(60), |_| false);
        for side in seen(&world) {
            let news: Vec<_> = side.delivered.iter().copied().filter(|at| *at >= began).collect();
            let ends = [began].into_iter().chain(news.iter().copied());
            let next = news.iter().copied().chain([world.now]);
            let longest = ends.zip(next).map(|(one, two)| two - one).max();
            assert!(longest < Some(Duration::from_secs(2)), "seed {seed}: {longest:?}");
            assert!(side.given_up.is_empty(), "seed {seed}");
        }
    }
}

/// Nothing stands before the first packet of a stream, so no gap says that it is missing.
#[test]
fn a_lost_beginning_is_noticed_by_what_follows_it() {
    let mut world = far_apart(1);
    world.calls[0].iter_mut().for_each(|side| side.sending = false);
    world.run(Duration::from_secs(3), |_| false);
    assert!(seen(&world).iter().all(|side| side.connected.is_some()));
    let mut first = None;
    world.swallow = Some(Box::new(move |side, datagram| {
        // RTP with VP8, which str0m calls 96. Its copy is the same datagram.
        let picture = matches!(datagram, [128..=191, kind, ..] if kind & 0x7f == 96);
        side == 0 && picture && datagram == first.get_or_insert_with(|| datagram.to_vec()).as_slice()
    }));
    world.calls[0][0].sending = true;
    let began = world.now;
    world.run(Duration::from_secs(5), |world| !seen(world)[1].pictures.is_empty());
    // There, asked for, back: a round trip and a half, and two pictures' times. If what has come waited for what was lost
    // it would be 430 ms, and 600 if nobody asked.
    assert!(world.now - began < 300 * MS, "{:?}", world.now - began);
}

/// Whoever began the handshake sends its pictures from its own end of it on; whoever has not seen that yet keeps them.
/// With a browser it is the browser that begins, here it is the desk.
#[test]
fn pictures_that_come_before_the_end_of_the_handshake_are_seen_with_it() {
    let mut world = far_apart(1);
    let mut last = 0;
    world.swallow = Some(Box::new(move |side, datagram| {
        // Its last flight: encrypted, in DTLS 1.3 (RFC 9147, 4.1). One or two datagrams and their copies are lost.
        let last_flight = side == 0 && matches!(datagram, [32..=63, ..]);
        last += u32::from(last_flight);
        last_flight && last <= 4
    }));
    world.run(Duration::from_secs(5), |world| !seen(world)[1].pictures.is_empty());
    let [first, second] = seen(&world).map(|seen| seen.connected.expect("it connects"));
    assert!(second - first > 100 * MS, "it was lost: {:?}", second - first);
    let picture = seen(&world)[1].pictures[0].0;
    assert!(
        picture - second < 40 * MS,
        "asked for, it would take a round trip: {:?}",
        picture - second
    );
}

#[test]
fn sound_goes_on_whatever_the_path_does_to_the_picture() {
    for seed in 0..20 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut path = any_path(&mut rng);
        path.loss = Loss::None;
        // From rich to almost nothing and back.
        path.capacity = vec![
            (Duration::ZERO, 2_000_000),
            (Duration::from_secs(8), 130_000),
            (Duration::from_secs(20), 2_000_000),
        ];
        let mut world = World::new([path, Path::default()], 1, CAP, seed);
        world.run(Duration::from_secs(40), |_| false);
        let [_, viewer] = seen(&world);
        let since = |at: &Instant| (*at - world.start).as_secs_f64();
        // Once the adaptation has had five seconds to notice.
        let heard = viewer
            .sound
            .iter()
            .filter(|at| (13.0..20.0).contains(&since(at)))
            .count();
        assert!(
            heard >= 315,
            "seed {seed}: {heard} of 350 packets of sound on a line for sound only"
        );
        let late = viewer.pictures.iter().filter(|(at, _)| since(at) >= 35.0).count();
        assert!(late >= 60, "seed {seed}: {late} pictures in the last five seconds");
    }
}

#[test]
fn a_path_that_falls_to_400_kbit_and_recovers_brings_the_large_picture_back_in_ten_seconds() {
    for seed in 0..10 {
        let path = Path {
            delay: 30 * MS,
            capacity: vec![
                (Duration::ZERO, 3_000_000),
                (Duration::from_secs(15), 400_000),
                (Duration::from_secs(30), 3_000_000),
            ],
            ..Path::default()
        };
        let mut world = World::new([path, Path::default()], 1, CAP, seed);
        world.run(Duration::from_secs(45), |_| false);
        let [_, viewer] = seen(&world);
        let since = |at: Instant| (at - world.start).as_secs_f64();
        let height_at = |second: f64| {
            let before = viewer.pictures.iter().rev().find(|(at, _)| since(*at) <= second);
            before.map(|(_, height)| *height)
        };
        assert_eq!(height_at(15.0), Some(720), "seed {seed}");
        assert!(height_at(29.0) <= Some(360), "seed {seed}: {:?}", height_at(29.0));
        assert!(height_at(40.0) >= Some(540), "seed {seed}: {:?}", height_at(40.0));
        let gaps = viewer
            .pictures
            .windows(2)
            .map(|pair| since(pair[1].0) - since(pair[0].0));
        let longest = gaps.fold(0.0, f64::max);
        assert!(longest < 4.0, "seed {seed}: a still picture for {longest:.1} s");
    }
}

#[test]
fn the_goal_of_rfc_8867_5_1_is_met() {
    for seed in 1..=3 {
        let outcome = case_5_1(seed);
        assert_eq!(outcome.goal_met, Some(true), "{outcome:#?}");
    }
}

#[test]
fn a_clean_path_is_up_in_a_few_round_trips() {
    for seed in 0..20 {
        let path = Path {
            delay: 100 * MS,
            ..Path::default()
        };
        let mut world = World::new([path.clone(), path], 1, CAP, seed);
        let up = |world: &World| seen(world).iter().all(|seen| seen.connected.is_some());
        world.run(Duration::from_secs(5), up);
        let took = world.now - world.start;
        assert!(took <= 900 * MS, "seed {seed}: {took:?} with 200 ms of round trip");
    }
}
