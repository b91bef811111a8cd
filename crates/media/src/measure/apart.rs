//! Work with a device on a thread of its own, so that a driver that hangs does not hang whoever waits for it.

use std::{
    convert::Infallible,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError},
    thread,
    time::{Duration, Instant},
};

/// A device is closed within this time, or it never will be.
const RELEASE: Duration = Duration::from_secs(1);

/// The work, seen from outside. Dropping it ends the work and waits until its device is closed; a device that does
/// not let go is left to its thread, which closes it as soon as the driver answers.
pub(super) struct Apart<W> {
    name: &'static str,
    words: Option<Receiver<W>>,
    stop: Option<Sender<Infallible>>,
    ended: Receiver<Infallible>,
}

/// Tells the work that nobody waits for it any more.
pub(super) struct Stop(Receiver<Infallible>);

/// What the work has to say.
pub(super) enum Next<W> {
    /// This.
    Word(W),
    /// Nothing until then.
    Late,
    /// Nothing ever again.
    Over,
}

impl<W: Send + 'static> Apart<W> {
    /// Begins. At most `room` words wait to be read.
    pub fn start(name: &'static str, room: usize, work: impl FnOnce(SyncSender<W>, Stop) + Send + 'static) -> Self {
        let (say, words) = mpsc::sync_channel(room);
        let (stop, stopped) = mpsc::channel();
        let (alive, ended) = mpsc::channel::<Infallible>();
        let run = move || {
            let _alive = alive;
            work(say, Stop(stopped));
        };
        thread::Builder::new()
            .name(name.into())
            .spawn(run)
            .expect("the system starts threads");
        Self {
            name,
            words: Some(words),
            stop: Some(stop),
            ended,
        }
    }

    /// The next word, waiting for it until `until`.
    pub fn next(&self, until: Instant) -> Next<W> {
        let Some(words) = &self.words else { return Next::Over };
        match words.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(word) => Next::Word(word),
            Err(RecvTimeoutError::Timeout) => Next::Late,
            Err(RecvTimeoutError::Disconnected) => Next::Over,
        }
    }
}

impl<W> Drop for Apart<W> {
    fn drop(&mut self) {
        // In this order: work that waits for room sees that nobody reads any more.
        drop(self.stop.take());
        drop(self.words.take());
        if let Err(RecvTimeoutError::Timeout) = self.ended.recv_timeout(RELEASE) {
            tracing::warn!(device = self.name, "a device does not let go");
        }
    }
}

impl Stop {
    /// Whether to end.
    pub fn is_set(&self) -> bool {
        matches!(self.0.try_recv(), Err(TryRecvError::Disconnected))
    }

    /// Waits for the end.
    pub fn wait(&self) {
        // Nothing is ever sent: this returns when the other side lets go.
        let _ = self.0.recv();
    }

    /// Waits until `at`, or for the end; true when it is the end.
    pub fn wait_until(&self, at: Instant) -> bool {
        let time = at.saturating_duration_since(Instant::now());
        matches!(self.0.recv_timeout(time), Err(RecvTimeoutError::Disconnected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_ends_with_its_owner_even_while_it_waits_for_room() {
        let (closed, is_closed) = mpsc::channel::<Infallible>();
        let work = Apart::start("counting", 1, move |words, stop| {
            let _device = closed;
            let mut n = 0;
            while !stop.is_set() && words.send(n).is_ok() {
                n += 1;
            }
        });
        let far = Instant::now() + Duration::from_secs(20);
        assert!(matches!(work.next(far), Next::Word(0)));
        assert!(matches!(work.next(far), Next::Word(1)));
        drop(work);
        assert_eq!(
            is_closed.try_recv(),
            Err(TryRecvError::Disconnected),
            "closed on return"
        );
    }

    #[test]
    fn a_driver_that_hangs_is_left_behind() {
        let (answer, driver) = mpsc::channel::<Infallible>();
        let work = Apart::<u8>::start("hanging", 1, move |_words, _stop| _ = driver.recv());
        assert!(matches!(
            work.next(Instant::now() + Duration::from_millis(10)),
            Next::Late
        ));
        drop(work);
        drop(answer);
    }

    #[test]
    fn waiting_ends_at_its_time_or_with_the_owner() {
        let work = Apart::start("waiting", 4, |words, stop| {
            let _ = words.send(stop.wait_until(Instant::now()));
            let _ = words.send(stop.wait_until(Instant::now() + Duration::from_secs(60)));
        });
        let far = Instant::now() + Duration::from_secs(20);
        assert!(matches!(work.next(far), Next::Word(false)));
        drop(work);
    }
}
