//! Carries out a plan: begins what may begin, takes what has ended, gives up what is overdue.

use super::{
    Progress, Subject, Wish,
    checks::{Bench, Tell},
    plan::{Job, Plan, Step},
    report,
};
use sightline_call::readiness::judge;
use sightline_wire::readiness::{Check, CheckKind, Outcome};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::watch,
    task::{AbortHandle, Id, JoinSet},
    time::{Instant, sleep_until},
};

/// Runs until everything has ended or was given up.
pub(super) async fn run(wish: Wish, subject: Subject, tell: Tell, heard: watch::Receiver<Option<bool>>) {
    let started_at = crate::now();
    let mut test = Test {
        begun: Instant::now(),
        plan: Plan::new(wish.extent, &wish.kinds),
        bench: Arc::new(Bench::new(&wish, subject, tell.clone(), heard)),
        wish,
        tell,
        jobs: JoinSet::new(),
        running: HashMap::new(),
        done: BTreeMap::new(),
    };
    test.work().await;
    let checks: Vec<Check> = test.done.into_values().collect();
    let report = report::report(test.wish.extent, started_at, checks, &test.wish.earlier);
    (test.tell)(Progress::Over(report));
}

struct Test {
    begun: Instant,
    wish: Wish,
    plan: Plan,
    bench: Arc<Bench>,
    tell: Tell,
    /// Ends with the test.
    jobs: JoinSet<Vec<Check>>,
    running: HashMap<Id, (Job, AbortHandle, Instant)>,
    done: BTreeMap<CheckKind, Check>,
}

impl Test {
    async fn work(&mut self) {
        loop {
            self.begin_what_may();
            if self.plan.is_over() {
                return;
            }
            let Some(due_ms) = self.plan.deadline_ms() else {
                tracing::error!(plan = ?self.plan, "a self-test waits for nothing");
                return;
            };
            tokio::select! {
                Some(joined) = self.jobs.join_next_with_id() => match joined {
                    Ok((id, checks)) => self.ended(id, checks),
                    Err(error) => self.broke(&error),
                },
                () = sleep_until(self.begun + Duration::from_millis(due_ms)) => self.give_up_what_is_late(),
            }
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn begin_what_may(&mut self) {
        for step in self.plan.next(self.now_ms()) {
            match step {
                Step::Run(job) => {
                    let bench = self.bench.clone();
                    let handle = self.jobs.spawn(async move { bench.measure(job).await });
                    self.running.insert(handle.id(), (job, handle, Instant::now()));
                }
                Step::Skip(job, because) => {
                    for kind in job.kinds() {
                        self.note(judge::skipped(*kind, report::because_of(because)));
                    }
                }
            }
        }
        (self.tell)(Progress::Running(self.wanted(self.plan.running())));
    }

    fn ended(&mut self, id: Id, checks: Vec<Check>) {
        let Some((job, ..)) = self.running.remove(&id) else {
            return;
        };
        let outcomes: Vec<_> = checks.iter().map(|check| (check.kind, check.outcome)).collect();
        if self.plan.ended(job, outcomes) {
            checks.into_iter().for_each(|check| self.note(check));
        }
    }

    /// A job that was given up, or a bug in one: its checks have an end all the same.
    fn broke(&mut self, error: &tokio::task::JoinError) {
        let Some((job, _, since)) = self.running.remove(&error.id()) else {
            return;
        };
        if !error.is_panic() {
            return;
        }
        tracing::error!(?job, "a check of the self-test broke");
        let failed = job.kinds().iter().map(|kind| (*kind, Outcome::Fail));
        if self.plan.ended(job, failed) {
            let took_ms = u32::try_from(since.elapsed().as_millis()).unwrap_or(u32::MAX);
            for kind in job.kinds() {
                self.note(judge::too_late(*kind, took_ms));
            }
        }
    }

    fn give_up_what_is_late(&mut self) {
        let extent = self.wish.extent;
        for late in self.plan.overdue(self.now_ms()) {
            tracing::warn!(job = ?late, "a check of the self-test is overdue");
            for (job, handle, _) in self.running.values() {
                if *job == late {
                    handle.abort();
                }
            }
            let deadline_ms = u32::try_from(late.deadline_ms(extent)).unwrap_or(u32::MAX);
            for kind in late.kinds() {
                self.note(judge::too_late(*kind, deadline_ms));
            }
            self.bench.failed(late.kinds());
        }
    }

    /// Keeps what was asked for; one job may answer more.
    fn note(&mut self, check: Check) {
        if self.wish.kinds.contains(&check.kind) {
            self.done.insert(check.kind, check.clone());
            (self.tell)(Progress::Done(check));
        }
    }

    fn wanted(&self, mut kinds: Vec<CheckKind>) -> Vec<CheckKind> {
        kinds.retain(|kind| self.wish.kinds.contains(kind));
        kinds
    }
}
