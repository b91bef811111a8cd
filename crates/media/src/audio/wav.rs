//! WAV files as a microphone: 16-bit PCM or 32-bit float, any channels, 48 kHz.

use std::{fs, io, path::Path};

/// The whole file as mono samples.
pub fn read(path: &Path) -> io::Result<Vec<f32>> {
    parse(&fs::read(path)?).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not a 48 kHz WAV file"))
}

fn parse(bytes: &[u8]) -> Option<Vec<f32>> {
    let mut rest = bytes.strip_prefix(b"RIFF")?.get(4..)?.strip_prefix(b"WAVE")?;
    let mut format = None;
    loop {
        let (name, size) = (
            rest.get(..4)?,
            u32::from_le_bytes(rest.get(4..8)?.try_into().ok()?) as usize,
        );
        let body = rest.get(8..).map(|body| &body[..size.min(body.len())])?;
        match name {
            b"fmt " => {
                let word = |at: usize| body.get(at..at + 2).map(|b| u16::from_le_bytes([b[0], b[1]]));
                let rate = u32::from_le_bytes(body.get(4..8)?.try_into().ok()?);
                format = (rate == super::RATE).then_some((word(0)?, word(2)?.max(1) as usize, word(14)?));
                format?;
            }
            b"data" => {
                return match format? {
                    (1, channels, 16) => Some(mono(body.as_chunks::<2>().0, channels, |b| {
                        f32::from(i16::from_le_bytes(*b)) / 32_768.0
                    })),
                    (3, channels, 32) => Some(mono(body.as_chunks::<4>().0, channels, |b| f32::from_le_bytes(*b))),
                    _ => None,
                };
            }
            _ => {}
        }
        rest = rest.get(8 + size + size % 2..)?;
    }
}

fn mono<S>(samples: &[S], channels: usize, value: impl Fn(&S) -> f32) -> Vec<f32> {
    samples
        .chunks_exact(channels)
        .map(|all| all.iter().map(&value).sum::<f32>() / channels as f32)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(rate: u32, channels: u16, samples: &[i16]) -> Vec<u8> {
        let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let mut out = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0".to_vec();
        out.extend(channels.to_le_bytes());
        out.extend(rate.to_le_bytes());
        out.extend([0; 6]);
        out.extend(16u16.to_le_bytes());
        out.extend(b"data");
        out.extend((data.len() as u32).to_le_bytes());
        out.extend(data);
        out
    }

    #[test]
    fn reads_stereo_as_mono_and_refuses_the_rest() {
        assert_eq!(
            parse(&file(48_000, 2, &[16_384, 0, -16_384, -16_384])),
            Some(vec![0.25, -0.5])
        );
        assert_eq!(parse(&file(44_100, 1, &[1])), None);
        assert_eq!(parse(b"RIFF"), None);
    }
}
