//! A moving picture with a time barcode, for machines without a camera and for measuring.

use super::{Camera, CameraFault};
use crate::{clock, painter::Frame};
use sightline_picture::scene::Scene;
use std::{
    thread,
    time::{Duration, Instant},
};

pub struct TestPicture {
    scene: Scene,
    interval: Duration,
    next: Instant,
}

impl TestPicture {
    pub fn new(width: u32, height: u32, fps: u32) -> Self {
        Self {
            scene: Scene::new(width, height),
            interval: Duration::from_secs(1) / fps,
            next: Instant::now(),
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
        Ok(self.scene.taken_at(clock::unix_ms()))
    }
}
