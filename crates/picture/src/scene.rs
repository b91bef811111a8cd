//! A moving picture with a time barcode, for machines without a camera and for measuring.

use crate::{Frame, barcode};

/// Draws one picture after another.
pub struct Scene {
    background: Frame,
    count: u64,
}

impl Scene {
    /// Pictures of this size.
    pub fn new(width: u32, height: u32) -> Self {
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
        Self { background, count: 0 }
    }

    /// The next one, as taken at this moment (Unix milliseconds).
    pub fn taken_at(&mut self, unix_ms: i64) -> Frame {
        let mut frame = self.background.clone();
        disc(&mut frame, self.count);
        self.count += 1;
        barcode::draw(&mut frame, unix_ms);
        frame
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_and_says_when_it_was_taken() {
        let mut scene = Scene::new(640, 360);
        let (first, second) = (scene.taken_at(1_000), scene.taken_at(1_033));
        assert_eq!(
            (barcode::read(&first), barcode::read(&second)),
            (Some(1_000), Some(1_033))
        );
        let below = 640 * 360 / 8;
        assert_ne!(first.y[below..], second.y[below..], "not the barcode alone changes");
    }
}
