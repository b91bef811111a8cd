use super::*;
use sightline_wire::agent::DEFAULT_MAX_BITRATE as DEFAULT_CAP;

const MS: Duration = Duration::from_millis(1);

/// Runs `estimates` (one each 100 ms) and gives the targets.
fn run(rate: &mut Rate, from: Instant, estimates: impl IntoIterator<Item = u32>) -> Vec<Target> {
    estimates
        .into_iter()
        .enumerate()
        .map(|(n, estimate)| {
            let measured = Measured {
                estimate,
                backlog: Some(Backlog {
                    queue: Duration::ZERO,
                    sent: 0,
                    delivered: 0,
                }),
                ..Measured::default()
            };
            rate.measured(from + 100 * MS * n as u32, measured)
        })
        .collect()
}

fn heights(targets: &[Target]) -> Vec<u32> {
    let mut heights: Vec<u32> = targets
        .iter()
        .map(|target| target.video.map_or(0, |video| video.rung.height))
        .collect();
    heights.dedup();
    heights
}

#[test]
fn the_picture_shrinks_quickly_and_grows_slowly() {
    let start = Instant::now();
    let mut rate = Rate::new(DEFAULT_CAP, 2_000_000);
    let down = run(&mut rate, start, [2_000_000; 10].into_iter().chain([420_000; 10]));
    assert_eq!(heights(&down), [720, 360]);
    let up = run(&mut rate, start + 2_000 * MS, [2_000_000; 60]);
    assert_eq!(heights(&up), [360, 720]);
    let grew = up
        .iter()
        .position(|target| target.video.is_some_and(|video| video.rung.height == 720));
    assert!(
        grew.is_some_and(|tenths| (30..=36).contains(&tenths)),
        "after three seconds: {grew:?}"
    );
}

#[test]
fn a_path_has_to_prove_what_the_estimator_hopes() {
    let mut rate = Rate::new(DEFAULT_CAP, 1_000_000);
    let nothing_sent = Measured {
        estimate: 6_000_000,
        ..Measured::default()
    };
    let start = Instant::now();
    let rates = |targets: &[Target]| -> Vec<u32> {
        let all = targets
            .iter()
            .map(|target| target.video.map_or(0, |video| video.bitrate) + target.audio.bitrate);
        all.collect()
    };
    let waiting = (0..50).map(|n| rate.measured(start + 100 * MS * n, nothing_sent));
    assert!(
        rates(&waiting.collect::<Vec<_>>())
            .iter()
            .all(|rate| *rate <= 1_000_000)
    );
    let carrying = rates(&run(&mut rate, start + 5_000 * MS, [6_000_000; 20]));
    assert!(carrying[..10].iter().all(|rate| *rate <= 1_000_000), "{carrying:?}");
    assert!(carrying[19] > 2_400_000, "{carrying:?}");
}

#[test]
fn an_estimate_at_a_border_does_not_make_the_size_swing() {
    let mut rate = Rate::new(DEFAULT_CAP, 1_000_000);
    let swinging = (0..1_200).map(|n| if n / 10 % 2 == 0 { 980_000 } else { 880_000 });
    let targets = run(&mut rate, Instant::now(), swinging);
    assert!(heights(&targets).len() <= 2, "{:?}", heights(&targets));
}

#[test]
fn a_rung_that_does_not_hold_is_tried_ever_less() {
    let mut rate = Rate::new(DEFAULT_CAP, 300_000);
    // Four seconds above, one second far below, for five minutes.
    let swinging = (0..3_000).map(|n| if n % 50 < 40 { 1_200_000 } else { 450_000 });
    let changes = heights(&run(&mut rate, Instant::now(), swinging)).len();
    assert!(changes < 12, "{changes} changes of size in five minutes");
}

#[test]
fn sound_stays_when_the_picture_pauses_and_the_picture_comes_back() {
    let start = Instant::now();
    let mut rate = Rate::new(DEFAULT_CAP, 500_000);
    let bad = run(&mut rate, start, [60_000; 20]);
    let last = bad.last().expect("targets");
    assert_eq!((last.video, last.audio.bitrate), (None, 24_000));
    assert!(
        last.desired <= 200_000,
        "no burst of probes onto a path that carries sound only"
    );
    let good = run(&mut rate, start + 2_000 * MS, [300_000; 20]);
    assert!(good.last().is_some_and(|target| target.video.is_some()));
}

#[test]
fn nothing_exceeds_the_cap() {
    for cap in [0, SMALLEST_CAP, 600_000, DEFAULT_CAP] {
        let mut rate = Rate::new(cap, 5_000_000);
        for target in run(&mut rate, Instant::now(), [u32::MAX; 100]) {
            let video = target.video.map_or(0, |video| video.bitrate);
            let cap = cap.max(SMALLEST_CAP);
            assert!(video + target.audio.bitrate <= cap && target.desired <= cap);
        }
    }
}

#[test]
fn fec_follows_the_loss_up_at_once_and_down_slowly() {
    let start = Instant::now();
    let mut rate = Rate::new(DEFAULT_CAP, 1_000_000);
    let mut at = |ms: u32, loss: f32| {
        let measured = Measured {
            estimate: 1_000_000,
            loss: Some(loss),
            ..Measured::default()
        };
        rate.measured(start + MS * ms, measured).audio.loss_percent
    };
    assert_eq!(at(0, 0.0), 2);
    assert_eq!(at(100, 0.11), 10);
    assert_eq!(at(1_000, 0.0), 10);
    assert_eq!(at(60_000, 0.0), 2);
}

#[test]
fn sound_goes_twice_under_loss_where_there_is_room() {
    let start = Instant::now();
    let after = |estimate: u32, losses: &[(u32, f32)]| {
        let mut rate = Rate::new(DEFAULT_CAP, 1_000_000);
        let doubled = losses.iter().map(|&(ms, loss)| {
            let measured = Measured {
                estimate,
                loss: Some(loss),
                ..Measured::default()
            };
            rate.measured(start + MS * ms, measured).audio.doubled
        });
        doubled.collect::<Vec<bool>>()
    };
    let losses = [(0, 0.0), (100, 0.02), (200, 0.05), (8_000, 0.0), (60_000, 0.0)];
    assert_eq!(after(1_000_000, &losses), [false, false, true, true, false]);
    assert_eq!(after(150_000, &losses), [false; 5], "a thin line carries it once");
}

#[test]
fn more_capacity_is_looked_for_while_there_is_less_than_the_cap() {
    let mut rate = Rate::new(DEFAULT_CAP, 600_000);
    let targets = run(&mut rate, Instant::now(), [600_000; 300]);
    let searches = targets
        .windows(2)
        .filter(|pair| pair[1].desired > pair[0].desired)
        .count();
    assert!((4..=8).contains(&searches), "{searches} in half a minute");
    let targets = run(&mut rate, Instant::now() + Duration::from_secs(60), [2_600_000; 300]);
    assert!(targets[1..].iter().all(|target| target.desired == DEFAULT_CAP));
}

#[test]
fn an_estimator_that_no_search_moves_starts_over() {
    let stuck_after = |estimate: &dyn Fn(u32) -> u32| -> Vec<u32> {
        let (mut rate, start) = (Rate::new(DEFAULT_CAP, 600_000), Instant::now());
        (0..100)
            .filter(|tenth| {
                run(&mut rate, start + 100 * MS * *tenth, [estimate(*tenth)]);
                rate.estimator_is_stuck()
            })
            .collect()
    };
    let stuck = stuck_after(&|_| 600_000);
    assert!((1..=3).contains(&stuck.len()), "{stuck:?}");
    assert!(
        stuck_after(&|tenth| 600_000 + tenth).is_empty(),
        "it moves, and knows best"
    );
    assert!(stuck_after(&|_| DEFAULT_CAP).is_empty(), "nothing is looked for");
}

#[test]
fn a_shared_screen_comes_before_the_face() {
    let divided = |bitrate| {
        let video = Rate::new(DEFAULT_CAP, bitrate).target().video.expect("a picture");
        let (camera, screen) = video.beside_a_screen();
        let (camera, screen) = (camera.expect("a face"), screen.expect("a screen"));
        assert_eq!(camera.bitrate + screen.bitrate, video.bitrate);
        (camera, screen.bitrate)
    };
    let (face, screen) = divided(2_000_000);
    assert_eq!((face.bitrate, face.rung.height, screen), (300_000, 270, 1_660_000));
    let (face, screen) = divided(500_000);
    assert_eq!((face.bitrate, screen), (92_000, 368_000));
}
