//! What a thread does with its time while it handles pictures: whether this computer keeps up.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// Counts one thread's work until somebody asks.
#[derive(Debug, Default)]
pub struct Work {
    busy_us: AtomicU64,
    pictures: AtomicU32,
    /// Width in the upper half, height in the lower.
    size: AtomicU64,
}

/// Work since the last question.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Spent on pictures; waiting for them does not count.
    pub busy: Duration,
    /// Pictures that came out of it.
    pub pictures: u32,
    /// Width and height of the last one; 0 without one.
    pub size: (u32, u32),
}

/// Work on one picture, until it is dropped.
pub struct Working<'a> {
    work: &'a Work,
    since: Instant,
}

impl Work {
    /// A picture has come and is worked on.
    pub fn begin(&self) -> Working<'_> {
        Working {
            work: self,
            since: Instant::now(),
        }
    }

    /// A picture of this size went out.
    pub fn finished(&self, (width, height): (u32, u32)) {
        self.pictures.fetch_add(1, Relaxed);
        self.size.store(u64::from(width) << 32 | u64::from(height), Relaxed);
    }

    /// What was done since the last call.
    pub fn take(&self) -> Done {
        let size = self.size.swap(0, Relaxed);
        Done {
            busy: Duration::from_micros(self.busy_us.swap(0, Relaxed)),
            pictures: self.pictures.swap(0, Relaxed),
            size: ((size >> 32) as u32, size as u32),
        }
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        let spent = self.since.elapsed().as_micros() as u64;
        self.work.busy_us.fetch_add(spent, Relaxed);
    }
}

/// How much of this computer's processors all programs together use.
#[derive(Debug)]
pub struct Processors {
    last: Option<Ticks>,
}

/// Totals since the computer started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ticks {
    all: u64,
    idle: u64,
}

impl Processors {
    /// Counts from now on.
    pub fn watch() -> Self {
        Self { last: read() }
    }

    /// The share in use since the last call, 0 to 1; `None` where the system does not tell.
    pub fn in_use(&mut self) -> Option<f64> {
        let now = read()?;
        let last = self.last.replace(now)?;
        let all = now.all.saturating_sub(last.all);
        let idle = now.idle.saturating_sub(last.idle).min(all);
        (all > 0).then(|| (all - idle) as f64 / all as f64)
    }
}

fn read() -> Option<Ticks> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    ticks(&text)
}

/// The first line of `/proc/stat` (proc(5)): user, nice, system, idle, iowait, irq, softirq, steal. What follows is
/// part of these.
fn ticks(stat: &str) -> Option<Ticks> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let all: Vec<u64> = line
        .split_whitespace()
        .take(8)
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    Some(Ticks {
        all: all.iter().sum(),
        idle: all.get(3)? + all.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_counted_until_somebody_asks() {
        let work = Work::default();
        assert_eq!(work.take(), Done::default());
        let working = work.begin();
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(2) {}
        work.finished((1280, 720));
        work.finished((640, 360));
        drop(working);
        let done = work.take();
        assert_eq!((done.pictures, done.size), (2, (640, 360)));
        assert!(done.busy >= Duration::from_millis(2), "{:?}", done.busy);
        assert_eq!(work.take(), Done::default());
    }

    #[test]
    fn idle_and_waiting_for_disks_is_not_in_use() {
        let text = "cpu  100 5 20 700 50 0 5 20 90 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        assert_eq!(ticks(text), Some(Ticks { all: 900, idle: 750 }));
        assert_eq!(ticks("cpu  100 5"), None);
        assert_eq!(ticks("intr 5 6 7 8 9"), None);
        assert_eq!(ticks(""), None);
    }
}
