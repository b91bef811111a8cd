use super::*;

/// A clock that a test turns, and jobs that take as long as it says.
struct World {
    plan: Plan,
    now_ms: u64,
    /// When each running job ends by itself.
    ends: Vec<(u64, Job)>,
    took: fn(Job) -> u64,
    fails: &'static [CheckKind],
    began: BTreeMap<Job, u64>,
    ended: BTreeMap<Job, u64>,
    skipped: BTreeMap<Job, CheckKind>,
    late: Vec<Job>,
}

impl World {
    fn new(extent: Extent, wanted: &[CheckKind], took: fn(Job) -> u64, fails: &'static [CheckKind]) -> Self {
        Self {
            plan: Plan::new(extent, wanted),
            now_ms: 0,
            ends: Vec::new(),
            took,
            fails,
            began: BTreeMap::new(),
            ended: BTreeMap::new(),
            skipped: BTreeMap::new(),
            late: Vec::new(),
        }
    }

    /// Runs to the end, checking at every moment that nobody is disturbed.
    fn run(mut self) -> Self {
        for _ in 0..1_000 {
            for step in self.plan.next(self.now_ms) {
                match step {
                    Step::Run(job) => {
                        self.began.insert(job, self.now_ms);
                        self.ends.push((self.now_ms + (self.took)(job), job));
                    }
                    Step::Skip(job, because) => {
                        self.skipped.insert(job, because);
                    }
                }
            }
            let running: Vec<Job> = self.plan.running.iter().map(|running| running.job).collect();
            for (at, job) in running.iter().enumerate() {
                for other in &running[at + 1..] {
                    assert!(!job.disturbs_or_is_disturbed_by(*other), "{job:?} beside {other:?}");
                }
            }
            if self.plan.is_over() {
                return self;
            }
            let end = self.ends.iter().map(|(at, _)| *at).min();
            let deadline = self.plan.deadline_ms();
            self.now_ms = [end, deadline].into_iter().flatten().min().expect("something runs");
            let now = self.now_ms;
            for job in self.plan.overdue(now) {
                self.late.push(job);
                self.ended.insert(job, now);
            }
            for (_, job) in self.ends.extract_if(.., |(at, _)| *at <= now).collect::<Vec<_>>() {
                let fails = self.fails;
                let outcomes = job.kinds().iter().map(|kind| match fails.contains(kind) {
                    true => (*kind, Outcome::Fail),
                    false => (*kind, Outcome::Pass),
                });
                if self.plan.ended(job, outcomes) {
                    self.ended.insert(job, now);
                }
            }
        }
        panic!("it does not end: {:?}", self.plan);
    }
}

/// What the jobs take on a healthy desk, in milliseconds.
fn usual(job: Job) -> u64 {
    match job {
        Job::Camera | Job::Microphone => 3_200,
        Job::Sound => 3_500,
        Job::Line => 2_500,
        Job::Encoder => 1_500,
        Job::Call | Job::RelayedCall => 10_700,
        Job::Stun | Job::RelayUdp | Job::RelayTcp | Job::RelayTls => 300,
        Job::Clock | Job::Version | Job::Backend => 150,
        Job::Permissions | Job::Storage | Job::Keyring => 40,
    }
}

#[test]
fn a_full_test_does_everything_once_in_about_half_a_minute() {
    let world = World::new(Extent::Full, &CheckKind::ALL, usual, &[]).run();
    assert_eq!(world.ended.len(), Job::ALL.len());
    assert!(world.late.is_empty() && world.skipped.is_empty());
    assert!(world.now_ms < 32_000, "{} ms", world.now_ms);
    // Devices and network at the same time, the calls one after the other at the end.
    assert_eq!(world.began[&Job::Camera], 0);
    assert_eq!(world.began[&Job::Microphone], 0);
    assert!(world.began[&Job::Line] < world.ended[&Job::Camera]);
    assert_eq!(world.began[&Job::RelayUdp], world.began[&Job::RelayTls]);
    assert!(world.began[&Job::Sound] >= world.ended[&Job::Microphone]);
    assert!(world.began[&Job::Encoder] >= world.ended[&Job::Camera]);
    assert!(world.began[&Job::RelayedCall] >= world.ended[&Job::Call]);
    let mut others = Job::ALL
        .iter()
        .filter(|job| !matches!(job, Job::Call | Job::RelayedCall));
    assert!(others.all(|job| world.ended[job] <= world.began[&Job::Call]));
}

#[test]
fn every_check_is_somebodys_and_nobody_answers_twice() {
    let mut answered: Vec<_> = Job::ALL.iter().flat_map(|job| job.kinds()).copied().collect();
    answered.sort();
    assert_eq!(answered, CheckKind::ALL);
}

#[test]
fn a_quick_check_is_over_in_three_seconds() {
    let world = World::new(
        Extent::Quick,
        &CheckKind::QUICK,
        |job| match job {
            Job::Camera | Job::Microphone => 2_300,
            Job::Sound => 600,
            _ => 0,
        },
        &[],
    )
    .run();
    assert_eq!(world.ended.len(), 3);
    assert!(world.now_ms <= 3_000, "{} ms", world.now_ms);
}

#[test]
fn without_a_server_its_own_failure_is_the_only_one() {
    let world = World::new(Extent::Full, &CheckKind::ALL, usual, &[CheckKind::Backend]).run();
    assert_eq!(world.skipped.len(), 9);
    assert!(world.skipped.values().all(|because| *because == CheckKind::Backend));
    assert!(world.ended.contains_key(&Job::Camera) && world.ended.contains_key(&Job::Sound));
    assert!(!world.began.contains_key(&Job::Call));
}

#[test]
fn what_never_ends_is_given_up_and_the_rest_goes_on() {
    let world = World::new(Extent::Full, &CheckKind::ALL, |_| u64::MAX / 2, &[]).run();
    // Nothing ends by itself: each is given up at its own deadline, and what needs the server is not begun.
    for job in world.began.keys() {
        let deadline = world.began[job] + job.deadline_ms(Extent::Full);
        assert_eq!(world.ended[job], deadline, "{job:?}");
    }
    assert_eq!(world.late.len() + world.skipped.len(), Job::ALL.len());
    assert!(world.now_ms < 120_000, "{} ms", world.now_ms);
}

#[test]
fn a_camera_that_hangs_is_named_and_holds_nobody_else_up() {
    let hangs = |job: Job| if job == Job::Camera { u64::MAX / 2 } else { usual(job) };
    let world = World::new(Extent::Full, &CheckKind::ALL, hangs, &[]).run();
    assert_eq!(world.late, [Job::Camera]);
    assert!(world.ended.contains_key(&Job::RelayedCall));
    assert!(world.now_ms < 40_000, "{} ms", world.now_ms);
}

#[test]
fn an_answer_that_comes_after_its_deadline_changes_nothing() {
    let mut plan = Plan::new(Extent::Single, &[CheckKind::Keyring]);
    assert_eq!(plan.next(0), [Step::Run(Job::Keyring)]);
    assert_eq!(plan.running(), [CheckKind::Keyring]);
    assert!(plan.overdue(4_999).is_empty());
    assert_eq!(plan.overdue(5_000), [Job::Keyring]);
    assert!(!plan.ended(Job::Keyring, [(CheckKind::Keyring, Outcome::Pass)]));
    assert!(plan.is_over() && plan.deadline_ms().is_none());
}

#[test]
fn a_single_check_does_not_wait_for_what_is_not_asked() {
    for kind in CheckKind::ALL {
        let mut plan = Plan::new(Extent::Single, &[kind]);
        let steps = plan.next(0);
        assert!(
            matches!(steps[..], [Step::Run(job)] if job.kinds().contains(&kind)),
            "{kind:?}: {steps:?}"
        );
    }
}
