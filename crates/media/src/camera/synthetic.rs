//! A moving picture with a time barcode, for machines without a camera and for measuring.

use super::{Camera, CameraFault};
use crate::{barcode, clock, painter::Frame};
use std::{
    thread,
    time::{Duration, Instant},
};

pub struct TestPicture {
    background: Frame,
    interval: Duration,
    next: Instant,
    count: u64,
}

impl TestPicture {
    pub fn new(width: u32, height: u32, fps: u32) -> Self {
        let mut background = Frame::black(width, height);
        for y in 0..height {
            for x in 0..width {
                background.y[(y * width + x) as usize] = (60 + 70 * x / width + 50 * y / height) as u8;
            }
        }
        let (cw, ch) = (width.div_ceil(2), height.div_ceil(2));
        for y in 0..ch {
            for x in 0..cw {
                let at = (y * cw + x) as usize;
                background.u[at] = (150 - 30 * y / ch) as u8;
                background.v[at] = (100 + 30 * x / cw) as u8;
            }
        }
        Self {
            background,
            interval: Duration::from_secs(1) / fps,
            next: Instant::now(),
            count: 0,
        }
    }
}

impl Camera for TestPicture {
    fn next_frame(&mut self) -> Result<Frame, CameraFault> {
        let now = Instant::now();
        #[expect(
            clippy::disallowed_methods,
            reason = "a camera paces itself; the frame's time is the event"
        )]
        thread::sleep(self.next.saturating_duration_since(now));
        // After a stall the pace starts anew instead of catching up in a burst.
        self.next = self.next.max(now) + self.interval;
        let mut frame = self.background.clone();
        disc(&mut frame, self.count);
        self.count += 1;
        barcode::draw(&mut frame, clock::unix_ms());
        Ok(frame)
    }
}

/// A disc that circles once in four seconds at 30 frames.
fn disc(frame: &mut Frame, count: u64) {
    let angle = count as f64 / 120.0 * std::f64::consts::TAU;
    let (w, h) = (f64::from(frame.width), f64::from(frame.height));
    let (cx, cy, radius) = (w * (0.5 + 0.3 * angle.cos()), h * (0.58 + 0.22 * angle.sin()), h * 0.09);
    let (top, bottom) = ((cy - radius).max(0.0) as u32, ((cy + radius) as u32).min(frame.height));
    for y in top..bottom {
        let half = (radius * radius - (f64::from(y) - cy).powi(2)).max(0.0).sqrt();
        let (left, right) = (
            (cx - half).max(0.0) as usize,
            ((cx + half) as usize).min(frame.width as usize),
        );
        let row = (y * frame.width) as usize;
        frame.y[row + left..row + right.max(left)].fill(225);
    }
}
