//! Watches the pictures of a test call: counts them, and reads from each when it was drawn.

use sightline_call::readiness::figures::ClockMeasured;
use sightline_media::{Frame, Painter, Tile, barcode};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// A clock that is known less exactly says nothing about a delay of tens of milliseconds.
const EXACT_ENOUGH_MS: f64 = 60.0;

/// Passes pictures on to a window that may be there or not, and counts as drawn what was handed over: a test call
/// does not depend on where the window shows it.
pub(super) struct Watcher {
    window: Arc<dyn Painter>,
    clock: Option<ClockMeasured>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pictures: u32,
    first: Option<Instant>,
    /// Of the pictures that carry a time.
    delays_ms: Vec<f64>,
    /// Since the picture was last taken away.
    drawn: u64,
    first_drawn_at: Option<i64>,
}

/// What was seen of the far end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seen {
    /// How many pictures.
    pub pictures: u32,
    /// The first one.
    pub first: Option<Instant>,
    /// From the far end's drawing until here, median, in milliseconds.
    pub delay_ms: Option<f64>,
}

impl Watcher {
    /// Watches what goes to `window`. The clock's offset makes the far end's time comparable with this one's.
    pub fn new(window: Arc<dyn Painter>, clock: Option<ClockMeasured>) -> Self {
        Self {
            window,
            clock: clock.filter(|clock| clock.uncertainty_ms <= EXACT_ENOUGH_MS),
            state: Mutex::default(),
        }
    }

    /// So far.
    pub fn seen(&self) -> Seen {
        let state = self.lock();
        let mut delays = state.delays_ms.clone();
        delays.sort_by(f64::total_cmp);
        Seen {
            pictures: state.pictures,
            first: state.first,
            delay_ms: delays.get(delays.len() / 2).copied(),
        }
    }

    fn note(&self, frame: &Frame) {
        let now = crate::now();
        let delay_ms = self
            .clock
            .and_then(|clock| delay_ms(barcode::read(frame)?, now, clock.offset_ms));
        let mut state = self.lock();
        state.pictures += 1;
        state.first.get_or_insert_with(Instant::now);
        state.delays_ms.extend(delay_ms);
        state.drawn += 1;
        state.first_drawn_at.get_or_insert(now);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long ago a picture was drawn that carries the lower half of a time in milliseconds. Delays of minutes are
/// nobody's, and a little less than nothing is what the clocks' uncertainty makes of a short way.
fn delay_ms(drawn: u32, now: i64, offset_ms: f64) -> Option<f64> {
    let there = now as f64 - offset_ms;
    let passed = (there.round() as i64 as u32).wrapping_sub(drawn) as i32;
    (-1_000..60_000).contains(&passed).then(|| f64::from(passed.max(0)))
}

impl Painter for Watcher {
    fn paint(&self, tile: Tile, frame: Option<Arc<Frame>>) {
        if tile == Tile::Remote {
            match &frame {
                Some(frame) => self.note(frame),
                None => {
                    let mut state = self.lock();
                    (state.drawn, state.first_drawn_at) = (0, None);
                }
            }
        }
        self.window.paint(tile, frame);
    }

    fn drawn(&self, tile: Tile) -> (u64, Option<i64>) {
        match tile {
            Tile::Remote => {
                let state = self.lock();
                (state.drawn, state.first_drawn_at)
            }
            Tile::Own => self.window.drawn(tile),
        }
    }
}

/// A window that is not there.
pub(super) struct NoWindow;

impl Painter for NoWindow {
    fn paint(&self, _: Tile, _: Option<Arc<Frame>>) {}

    fn drawn(&self, _: Tile) -> (u64, Option<i64>) {
        (0, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(at: i64) -> Arc<Frame> {
        let (width, height) = (640, 360);
        let mut frame = Frame {
            width,
            height,
            y: vec![16; (width * height) as usize],
            u: vec![128; (width * height / 4) as usize],
            v: vec![128; (width * height / 4) as usize],
        };
        barcode::draw(&mut frame, at);
        Arc::new(frame)
    }

    #[test]
    fn the_clocks_difference_is_no_delay() {
        // This clock is five minutes fast; the picture is 80 ms old.
        let offset = 300_000.0;
        let now = 1_795_000_123_456_i64;
        let drawn = now - 300_000 - 80;
        assert_eq!(delay_ms(drawn as u32, now, offset), Some(80.0));
        assert_eq!(delay_ms((drawn + 85) as u32, now, offset), Some(0.0));
        assert_eq!(delay_ms((drawn - 600_000) as u32, now, offset), None);
    }

    #[test]
    fn what_is_handed_over_counts_as_drawn_until_it_is_taken_away() {
        let exact = ClockMeasured {
            offset_ms: 0.0,
            uncertainty_ms: 1.0,
        };
        let watcher = Watcher::new(Arc::new(NoWindow), Some(exact));
        assert_eq!(watcher.drawn(Tile::Remote), (0, None));
        for _ in 0..3 {
            watcher.paint(Tile::Remote, Some(picture(crate::now())));
            watcher.paint(Tile::Own, Some(picture(0)));
        }
        let seen = watcher.seen();
        assert_eq!(seen.pictures, 3);
        assert!(
            seen.first.is_some() && seen.delay_ms.is_some_and(|delay| delay < 1_000.0),
            "{seen:?}"
        );
        assert_eq!(watcher.drawn(Tile::Remote).0, 3);
        watcher.paint(Tile::Remote, None);
        assert_eq!(watcher.drawn(Tile::Remote), (0, None));
        assert_eq!(watcher.seen().pictures, 3);
    }

    #[test]
    fn a_clock_that_is_hardly_known_tells_no_delay() {
        let vague = ClockMeasured {
            offset_ms: 0.0,
            uncertainty_ms: 500.0,
        };
        let watcher = Watcher::new(Arc::new(NoWindow), Some(vague));
        watcher.paint(Tile::Remote, Some(picture(crate::now())));
        assert_eq!(watcher.seen().delay_ms, None);
        assert_eq!(watcher.seen().pictures, 1);
    }
}
