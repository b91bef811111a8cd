//! The time barcode of the synthetic camera: the picture carries the moment it was taken.
//!
//! The top eighth of the picture is two rows of 24 cells, white for 1 and black for 0: `1010`, then 32
//! bits of Unix time in milliseconds (modulo 2^32), 8 bits of checksum, `0101`, most significant first.
//! Large cells survive scaling and a low bit rate; frame bits and checksum reject everything else.

use crate::Frame;

const COLUMNS: u32 = 24;
const ROWS: u32 = 2;
const WHITE: u8 = 235;
const BLACK: u8 = 16;

/// Draws `unix_ms` over the top eighth of the picture.
pub fn draw(frame: &mut Frame, unix_ms: i64) {
    let bits = encode(unix_ms as u32);
    let row_height = frame.height / 16;
    for y in 0..row_height * ROWS {
        for column in 0..COLUMNS {
            let bit = (y / row_height) * COLUMNS + column;
            let colour = if bits >> (47 - bit) & 1 == 1 { WHITE } else { BLACK };
            let (from, to) = (frame.width * column / COLUMNS, frame.width * (column + 1) / COLUMNS);
            let start = (y * frame.width) as usize;
            frame.y[start + from as usize..start + to as usize].fill(colour);
        }
    }
    let chroma_bytes = (frame.width.div_ceil(2) * (row_height * ROWS).div_ceil(2)) as usize;
    frame.u[..chroma_bytes].fill(128);
    frame.v[..chroma_bytes].fill(128);
}

/// Reads the time back, or `None` when there is no intact barcode.
pub fn read(frame: &Frame) -> Option<u32> {
    let mut samples = [0u8; 48];
    for (bit, sample) in (0..).zip(samples.iter_mut()) {
        let (row, column) = (bit / COLUMNS, bit % COLUMNS);
        let x = (2 * column + 1) * frame.width / (2 * COLUMNS);
        let y = (2 * row + 1) * frame.height / 32;
        *sample = *frame.y.get((y * frame.width + x) as usize)?;
    }
    let (low, high) = (*samples.iter().min()?, *samples.iter().max()?);
    if high - low < 40 {
        return None;
    }
    let middle = low + (high - low) / 2;
    let bits = samples
        .iter()
        .fold(0u64, |bits, &sample| bits << 1 | u64::from(sample > middle));
    let time = (bits >> 12) as u32;
    (encode(time) == bits).then_some(time)
}

fn encode(time: u32) -> u64 {
    let checksum = time.to_be_bytes().iter().fold(0x5A, |sum, byte| sum ^ byte);
    0b1010 << 44 | u64::from(time) << 12 | u64::from(checksum) << 4 | 0b0101
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::{Crop, Scaler};

    #[test]
    fn reads_what_was_drawn_even_when_scaled() {
        let mut frame = Frame::black(1280, 720);
        draw(&mut frame, 1_795_000_123_456);
        assert_eq!(read(&frame), Some(1_795_000_123_456_i64 as u32));
        let small = Scaler::default().scale(&frame, Crop::whole(&frame), 426, 240);
        assert_eq!(read(&small), Some(1_795_000_123_456_i64 as u32));
    }

    #[test]
    fn a_flipped_cell_is_refused() {
        let mut frame = Frame::black(480, 320);
        draw(&mut frame, 77);
        for y in 0..20 {
            for x in 200..220 {
                let sample = &mut frame.y[y * 480 + x];
                *sample = 251 - *sample;
            }
        }
        assert_eq!(read(&frame), None);
        assert_eq!(read(&Frame::black(480, 320)), None);
    }
}
