//! A page of text that scrolls, with the time barcode: a screen for machines without one, and for measuring.

use super::{Screen, ScreenFault};
use crate::{barcode, clock, painter::Frame};
use std::time::{Duration, Instant};

pub const WIDTH: u32 = 1920;
pub const HEIGHT: u32 = 1080;
/// Ten steps a second, as a person scrolls.
const STEP: Duration = Duration::from_millis(100);
/// Height of a line of text with its space.
const LINE: u32 = 28;
const INK: u8 = 40;
const PAPER: u8 = 232;

pub struct TestPage {
    started: Instant,
    last: Option<u128>,
}

impl TestPage {
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            last: None,
        }
    }
}

impl Screen for TestPage {
    fn grab(&mut self) -> Result<Option<Frame>, ScreenFault> {
        let step = self.started.elapsed().as_millis() / STEP.as_millis();
        if self.last == Some(step) {
            return Ok(None);
        }
        self.last = Some(step);
        let mut frame = Frame::black(WIDTH, HEIGHT);
        frame.y.fill(PAPER);
        text(&mut frame, (step * 2) as u32);
        barcode::draw(&mut frame, clock::unix_ms());
        Ok(Some(frame))
    }
}

/// Words of upright strokes, different in every line, `scrolled` pixels further up.
fn text(frame: &mut Frame, scrolled: u32) {
    for y in 0..HEIGHT {
        let (line, row) = ((y + scrolled) / LINE, (y + scrolled) % LINE);
        if row >= LINE / 2 {
            continue;
        }
        let mut seed = line.wrapping_mul(2_654_435_761) | 1;
        let mut x = 120;
        while x < WIDTH - 120 {
            // Marsaglia's xorshift (2003): lines differ, runs do not.
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            let (stroke, gap) = (2 + seed % 3, if seed.is_multiple_of(7) { 14 } else { 3 });
            // Short and tall letters.
            if row > 3 || seed & 8 == 0 {
                let at = (y * WIDTH + x) as usize;
                frame.y[at..at + stroke as usize].fill(INK);
            }
            x += stroke + gap;
        }
    }
}
