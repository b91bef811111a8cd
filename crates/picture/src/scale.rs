//! Scaling I420 pictures to the size they are drawn or sent at.
//!
//! Bilinear, between two neighbours each way. A picture more than twice too large is halved first, by the mean of
//! four pixels, until it is not: two neighbours alone would skip what lies between, which makes edges flicker and
//! thin strokes of a shared screen vanish.

use crate::Frame;

/// A part of a picture, in its own pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crop {
    /// From the left.
    pub left: f64,
    /// From the top.
    pub top: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Crop {
    /// The whole picture.
    pub fn whole(frame: &Frame) -> Self {
        Self {
            left: 0.0,
            top: 0.0,
            width: f64::from(frame.width),
            height: f64::from(frame.height),
        }
    }

    /// The same part of a picture half as large.
    fn halved(self) -> Self {
        Self {
            left: self.left / 2.0,
            top: self.top / 2.0,
            width: self.width / 2.0,
            height: self.height / 2.0,
        }
    }
}

/// Scales pictures. Keeps its buffers from frame to frame.
#[derive(Default)]
pub struct Scaler {
    /// Luma's and chroma's.
    columns: [Columns; 2],
    /// One row, between two of the picture.
    row: Vec<u8>,
    half: Vec<u8>,
    spare: Vec<u8>,
}

impl Scaler {
    /// `crop` of `frame` at `width` x `height` (both at least 2, rounded down to even).
    pub fn scale(&mut self, frame: &Frame, crop: Crop, width: u32, height: u32) -> Frame {
        let (width, height) = ((width & !1).max(2), (height & !1).max(2));
        let mut out = Frame::black(width, height);
        let luma = (frame.width as usize, frame.height as usize);
        let chroma = (luma.0.div_ceil(2), luma.1.div_ceil(2));
        let (width, height) = (width as usize, height as usize);
        let small = (width / 2, height / 2);
        self.plane(0, (&frame.y, luma), crop, (&mut out.y, (width, height)));
        self.plane(1, (&frame.u, chroma), crop.halved(), (&mut out.u, small));
        self.plane(1, (&frame.v, chroma), crop.halved(), (&mut out.v, small));
        out
    }

    fn plane(&mut self, kind: usize, from: (&[u8], Size), mut crop: Crop, to: (&mut [u8], Size)) {
        let (mut pixels, mut size) = from;
        let (out, wanted) = to;
        let mut halved = false;
        while crop.width > 2.0 * wanted.0 as f64 && crop.height > 2.0 * wanted.1 as f64 {
            if halved {
                halve(&self.half, size, &mut self.spare);
                std::mem::swap(&mut self.half, &mut self.spare);
            } else {
                halve(pixels, size, &mut self.half);
            }
            (halved, size, crop) = (true, (size.0 / 2, size.1 / 2), crop.halved());
        }
        if halved {
            pixels = &self.half;
        }
        let columns = &mut self.columns[kind];
        columns.fit(crop.left, crop.width / wanted.0 as f64, size.0, wanted.0);
        self.row.resize(size.0 + 1, 0);
        for (n, out) in out.chunks_exact_mut(wanted.0).enumerate() {
            let (first, weight) = neighbours(n, crop.top, crop.height / wanted.1 as f64, size.1);
            let second = (first + 1).min(size.1 - 1);
            let row = |n: usize| &pixels[n * size.0..(n + 1) * size.0];
            blend(row(first), row(second), weight, &mut self.row[..size.0]);
            // The last pixel has itself for a neighbour.
            self.row[size.0] = self.row[size.0 - 1];
            columns.pick(&self.row, out);
        }
    }
}

/// Width and height.
type Size = (usize, usize);

/// Which pixels of a row each pixel of the scaled one lies between; made anew only when a size changes.
#[derive(Default)]
struct Columns {
    of: Option<(f64, f64, usize, usize)>,
    /// The left one.
    firsts: Vec<u32>,
    /// How much of its right neighbour, in 256ths.
    weights: Vec<u16>,
    /// Of one row: the left one, and its neighbour in the upper half.
    pairs: Vec<u16>,
}

impl Columns {
    fn fit(&mut self, start: f64, ratio: f64, from: usize, to: usize) {
        let of = Some((start, ratio, from, to));
        if self.of != of {
            self.of = of;
            let all = (0..to).map(|n| neighbours(n, start, ratio, from));
            (self.firsts, self.weights) = all.map(|(first, weight)| (first as u32, weight)).unzip();
            self.pairs = vec![0; to];
        }
    }

    /// Collects first and calculates then: only the second can be done for many pixels at a time.
    fn pick(&mut self, row: &[u8], out: &mut [u8]) {
        for (pair, &first) in self.pairs.iter_mut().zip(&self.firsts) {
            let both = &row[first as usize..][..2];
            *pair = u16::from_le_bytes([both[0], both[1]]);
        }
        for ((out, pair), &weight) in out.iter_mut().zip(&self.pairs).zip(&self.weights) {
            let [first, second] = pair.to_le_bytes();
            *out = between(first, second, weight);
        }
    }
}

/// The pixel before the middle of pixel `n`, of `len` there are, and how far it is on the way to the next, in 256ths.
fn neighbours(n: usize, start: f64, ratio: f64, len: usize) -> (usize, u16) {
    let at = (start + (n as f64 + 0.5) * ratio - 0.5).clamp(0.0, (len - 1) as f64);
    (at as usize, (at.fract() * 256.0).round() as u16)
}

fn between(first: u8, second: u8, weight: u16) -> u8 {
    ((u16::from(first) * (256 - weight) + u16::from(second) * weight + 128) >> 8) as u8
}

fn blend(first: &[u8], second: &[u8], weight: u16, out: &mut [u8]) {
    for ((out, &first), &second) in out.iter_mut().zip(first).zip(second) {
        *out = between(first, second, weight);
    }
}

/// The mean of four pixels for each; an odd last column or row is left out.
fn halve(pixels: &[u8], (width, height): Size, out: &mut Vec<u8>) {
    out.resize((width / 2) * (height / 2), 0);
    let pairs = pixels.chunks_exact(2 * width).zip(out.chunks_exact_mut(width / 2));
    for (rows, out) in pairs {
        let (upper, lower) = rows.split_at(width);
        let (upper, lower) = (upper.as_chunks::<2>().0, lower.as_chunks::<2>().0);
        for ((out, a), b) in out.iter_mut().zip(upper).zip(lower) {
            let sum = u16::from(a[0]) + u16::from(a[1]) + u16::from(b[0]) + u16::from(b[1]);
            *out = ((sum + 2) >> 2) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luma(width: u32, height: u32, value: impl Fn(u32, u32) -> u8) -> Frame {
        let mut frame = Frame::black(width, height);
        for (n, pixel) in frame.y.iter_mut().enumerate() {
            *pixel = value(n as u32 % width, n as u32 / width);
        }
        frame
    }

    #[test]
    fn the_left_half_stays_left() {
        let frame = luma(64, 32, |x, _| if x < 32 { 235 } else { 16 });
        let small = Scaler::default().scale(&frame, Crop::whole(&frame), 32, 16);
        assert_eq!((small.width, small.height), (32, 16));
        assert!(small.y[8 * 32 + 4] > 220 && small.y[8 * 32 + 28] < 30);
    }

    /// A slope stays the slope it was, whatever the sizes: no pixel is out of its place.
    #[test]
    fn every_pixel_lies_where_it_belongs() {
        let frame = luma(250, 120, |x, y| (x / 2 + y) as u8);
        let mut scaler = Scaler::default();
        for (width, height) in [
            (250, 120),
            (710, 400),
            (140, 68),
            (124, 60),
            (62, 30),
            (40, 118),
            (30, 14),
        ] {
            let scaled = scaler.scale(&frame, Crop::whole(&frame), width, height);
            let ratio = (250.0 / f64::from(width), 120.0 / f64::from(height));
            for (n, &found) in scaled.y.iter().enumerate() {
                let (x, y) = (n as u32 % width, n as u32 / width);
                let x = ((f64::from(x) + 0.5) * ratio.0 - 0.5).clamp(0.0, 249.0);
                let y = ((f64::from(y) + 0.5) * ratio.1 - 0.5).clamp(0.0, 119.0);
                let wanted = x / 2.0 + y;
                assert!(
                    (f64::from(found) - wanted).abs() <= 2.0,
                    "{width}x{height} at {x}, {y}: {found} for {wanted}"
                );
            }
        }
    }

    #[test]
    fn a_crop_is_scaled_alone() {
        let frame = luma(64, 64, |x, _| x as u8);
        let crop = Crop {
            left: 16.0,
            width: 32.0,
            ..Crop::whole(&frame)
        };
        let scaled = Scaler::default().scale(&frame, crop, 32, 64);
        assert_eq!(scaled.y[..32], (16..48).collect::<Vec<u8>>());
    }

    #[test]
    fn a_thin_stroke_does_not_vanish_wherever_it_lies() {
        let mut scaler = Scaler::default();
        for stroke in 0..500 {
            let frame = luma(500, 20, |x, _| if x == stroke { 235 } else { 16 });
            let small = scaler.scale(&frame, Crop::whole(&frame), 110, 4);
            assert!(
                small.y[..110].iter().any(|&pixel| pixel > 30),
                "at {stroke}: {:?}",
                &small.y[..110]
            );
        }
    }

    #[test]
    fn odd_and_tiny_pictures_are_scaled_too() {
        for (width, height) in [(1, 1), (3, 1), (1, 7), (5, 3), (639, 479)] {
            let frame = luma(width, height, |_, _| 99);
            for (to_width, to_height) in [(2, 2), (9, 5), (160, 120)] {
                let scaled = Scaler::default().scale(&frame, Crop::whole(&frame), to_width, to_height);
                assert!(
                    scaled.y.iter().all(|&pixel| pixel == 99),
                    "{width}x{height} to {to_width}x{to_height}"
                );
            }
        }
    }
}
